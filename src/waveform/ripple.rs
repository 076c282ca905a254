//! Ripple at the switching frequency, three ways (R1, R2, R3). None is right at every point; the choice is told.

use super::blanking::{Blanking, part_left};
use super::fold::{PHASES, mean_cycle};
use super::harmonics::{HARMONICS, UNKNOWNS, harmonic_matrix, harmonic_sums};
use super::spikes::Deviations;
use super::switching::Switching;
use super::trace::LevelReader;
use super::{Conduction, Figure, Unavailable, Waveform};
use std::f64::consts::TAU;
use std::ops::Range;

/// Under this sample rate blanking is a matter of a few samples, and what stands between them is not seen, in Hz.
const LEAST_RATE_HZ: f64 = 5e6;

/// Part of a segment that blanking must leave for a quadratic through it to be worth anything at its ends.
const KEPT_PART: f64 = 0.2;

/// Least phases kept in a segment for the fit.
const KEPT_PHASES: usize = 30;

/// Points at which each fitted segment is evaluated, ends included.
const EVALUATED: usize = 201;

/// R2 and R3 of one record, and what tells how far to trust them.
#[derive(Debug, Clone, PartialEq)]
pub struct CycleRipple {
    /// R2: peak to peak of the phases that blanking leaves, in volts.
    pub blank_pp_v: Figure,
    /// R3: peak to peak of the quadratics through both segments, in volts.
    pub fit_pp_v: Figure,
    /// Rms of the kept phases less the fit, in volts.
    pub fit_residual_v: Figure,
    /// Sigma of R3 in volts, from the residual and from how far the fit reaches under the blanking to the corners.
    pub fit_sigma_v: Figure,
    /// Peak to peak of those quadratics over the phases that blanking leaves, in volts.
    pub fit_kept_pp_v: Figure,
    /// What blanking leaves of a triangle, as a part of its peak to peak.
    pub left: f64,
    /// What was blanked.
    pub blanking: Blanking,
}

impl CycleRipple {
    /// None of the figures, for one reason.
    fn none(reason: Unavailable, blanking: Blanking) -> Self {
        Self {
            blank_pp_v: Err(reason.clone()),
            fit_pp_v: Err(reason.clone()),
            fit_residual_v: Err(reason.clone()),
            fit_sigma_v: Err(reason.clone()),
            fit_kept_pp_v: Err(reason),
            left: 0.0,
            blanking,
        }
    }
}

/// R2 and R3: the mean cycle, its edges blanked, as it is and with a quadratic through each segment.
#[must_use]
pub fn measure_cycle_ripple(vout: &Waveform, switching: &Switching) -> CycleRipple {
    match vout.read_levels() {
        Ok(levels) => cycle_ripple_of(&levels, switching, &vout.clipped_samples()),
        Err(reason) => CycleRipple::none(reason, Blanking::of(switching)),
    }
}

/// As [`measure_cycle_ripple`] of a trace that can be read, with the positions of its clipped samples.
pub(super) fn cycle_ripple_of(
    levels: &LevelReader<'_>,
    switching: &Switching,
    clipped: &[usize],
) -> CycleRipple {
    let blanking = Blanking::of(switching);
    let none = |reason| CycleRipple::none(reason, blanking);
    if switching.rate_hz < LEAST_RATE_HZ * (1.0 - 1e-6) {
        return none(Unavailable::because(format!(
            "at {:.3} MSa/s a few samples stand in the 1.1 µs around an edge: spikes cannot be told from ripple, {:.0} MSa/s are needed",
            switching.rate_hz / 1e6,
            LEAST_RATE_HZ / 1e6
        )));
    }
    let kept = blanking.kept_phases(switching);
    let mean = mean_cycle((levels.len(), |from, part| levels.fill(from, part)), &switching.edges, &kept);
    if mean.is_empty() {
        return none(Unavailable::because("no whole switching cycle in the record"));
    }
    if let Err(reason) = check_clipping(clipped, switching, &kept) {
        return none(reason);
    }
    let step_v = levels.step_v;
    let blank = mean.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(value, _)| *value);
    let blank_pp_v = if kept.iter().filter(|kept| **kept).count() < KEPT_PHASES {
        Err(Unavailable::because(format!(
            "blanking both edges leaves nothing of a period of {:.2} µs",
            switching.period / switching.rate_hz * 1e6
        )))
    } else {
        Ok(peak_to_peak(blank) * step_v)
    };
    let fit = fit_segments(&mean, &kept, switching);
    let in_volts =
        |read: &dyn Fn(&SegmentFit) -> f64| fit.as_ref().map(|fit| read(fit) * step_v).map_err(Clone::clone);
    // Phases between the same two samples know no more than these.
    let alike = (PHASES as f64 / switching.period).max(1.0);
    CycleRipple {
        blank_pp_v,
        fit_pp_v: in_volts(&|fit| fit.pp),
        fit_residual_v: in_volts(&|fit| fit.residual),
        fit_sigma_v: in_volts(&|fit| fit.residual * (2.0 * fit.leverage * alike).sqrt()),
        fit_kept_pp_v: in_volts(&|fit| fit.kept_pp),
        left: part_left(&kept, switching.duty),
        blanking,
    }
}

/// What the quadratics through both segments say, in levels.
struct SegmentFit {
    pp: f64,
    /// Peak to peak over the kept phases.
    kept_pp: f64,
    /// Rms of the kept phases less the fit.
    residual: f64,
    /// Variance of the fit at its worst corner over that of one phase.
    leverage: f64,
}

fn peak_to_peak(values: impl Iterator<Item = f64>) -> f64 {
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    high - low
}

/// Clipped samples under the blanking do no harm, elsewhere they bend the mean cycle.
fn check_clipping(clipped: &[usize], switching: &Switching, kept: &[bool]) -> Result<(), Unavailable> {
    let rising = &switching.edges.rising;
    let harmful = clipped
        .iter()
        .filter(|index| {
            let position = **index as f64;
            let next = rising.partition_point(|edge| *edge <= position);
            let (Some(start), Some(end)) =
                (next.checked_sub(1).and_then(|at| rising.get(at)), rising.get(next))
            else {
                return false;
            };
            let phase = ((position - start) / (end - start) * PHASES as f64) as usize;
            kept.get(phase).copied().unwrap_or(false)
        })
        .count();
    let span = rising.last().copied().unwrap_or(0.0) - rising.first().copied().unwrap_or(0.0);
    if harmful as f64 > 1e-3 * span {
        return Err(Unavailable::because(format!(
            "{harmful} samples between the edges are clipped: the range is too narrow for the ripple, or off centre"
        )));
    }
    Ok(())
}

/// A quadratic through each segment, evaluated over the whole of it, ends included.
fn fit_segments(mean: &[f64], kept: &[bool], switching: &Switching) -> Result<SegmentFit, Unavailable> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut squares, mut leverage, mut fitted) = (0.0, 0.0_f64, Vec::new());
    for (name, from, to) in [("on", 0.0, switching.duty), ("off", switching.duty, 1.0)] {
        let points: Vec<(f64, f64)> = (0..PHASES)
            .filter(|phase| kept[*phase])
            .map(|phase| (phase as f64 / PHASES as f64, mean[phase]))
            .filter(|(phase, _)| (from..to).contains(phase))
            .collect();
        let needed = ((to - from) * PHASES as f64 * KEPT_PART).max(KEPT_PHASES as f64);
        if (points.len() as f64) < needed {
            return Err(Unavailable::because(format!(
                "blanking the edges leaves {} of the {:.0} phases of the {name} segment, {needed:.0} are needed for a fit",
                points.len(),
                (to - from) * PHASES as f64
            )));
        }
        let fit = Quadratic::through(&points, (from, to))
            .ok_or_else(|| Unavailable::because("the ripple's fit has no solution"))?;
        for index in 0..EVALUATED {
            let value = fit.at(from + (to - from) * index as f64 / (EVALUATED - 1) as f64);
            (low, high) = (low.min(value), high.max(value));
        }
        squares += points.iter().map(|(phase, value)| (value - fit.at(*phase)).powi(2)).sum::<f64>();
        fitted.extend(points.iter().map(|(phase, _)| fit.at(*phase)));
        leverage = leverage.max(fit.leverage);
    }
    let (residual, kept_pp) = ((squares / fitted.len() as f64).sqrt(), peak_to_peak(fitted.into_iter()));
    Ok(SegmentFit { pp: high - low, kept_pp, residual, leverage })
}

/// A parabola over a segment scaled to -1..1, which keeps its equations well conditioned.
struct Quadratic {
    center: f64,
    half: f64,
    coefficients: [f64; 3],
    /// Variance at the worse end over that of one point.
    leverage: f64,
}

impl Quadratic {
    fn through(points: &[(f64, f64)], (from, to): (f64, f64)) -> Option<Self> {
        let (center, half) = ((from + to) / 2.0, (to - from) / 2.0);
        let (mut matrix, mut right) = ([[0.0; 3]; 3], [0.0; 3]);
        for (phase, value) in points {
            let x = (phase - center) / half;
            let powers = [1.0, x, x * x];
            for row in 0..3 {
                right[row] += powers[row] * value;
                for column in 0..3 {
                    matrix[row][column] += powers[row] * powers[column];
                }
            }
        }
        let mut leverage = 0.0_f64;
        for end in [[1.0, -1.0, 1.0], [1.0, 1.0, 1.0]] {
            let weights = solve(matrix, end)?;
            leverage = leverage.max(weights.iter().zip(&end).map(|(weight, power)| weight * power).sum());
        }
        Some(Self { center, half, coefficients: solve(matrix, right)?, leverage })
    }

    fn at(&self, phase: f64) -> f64 {
        let x = (phase - self.center) / self.half;
        self.coefficients[0] + x * (self.coefficients[1] + x * self.coefficients[2])
    }
}

/// Gaussian elimination with row exchange; `None` for a singular system.
fn solve<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> Option<[f64; N]> {
    for pivot in 0..N {
        let best = (pivot..N).max_by(|a, b| matrix[*a][pivot].abs().total_cmp(&matrix[*b][pivot].abs()))?;
        matrix.swap(pivot, best);
        right.swap(pivot, best);
        if matrix[pivot][pivot].abs() < 1e-12 || !matrix[pivot][pivot].is_finite() {
            return None;
        }
        let pivot_row = matrix[pivot];
        for row in pivot + 1..N {
            let factor = matrix[row][pivot] / pivot_row[pivot];
            for (cell, above) in matrix[row].iter_mut().zip(&pivot_row) {
                *cell -= factor * above;
            }
            right[row] -= factor * right[pivot];
        }
    }
    let mut solution = [0.0; N];
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N).map(|column| matrix[row][column] * solution[column]).sum();
        solution[row] = (right[row] - known) / matrix[row][row];
    }
    Some(solution)
}

/// R1: amplitudes of the switching frequency and its harmonics, in volts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Harmonics {
    /// Amplitude of each, the fundamental first.
    pub amplitude_v: [f64; HARMONICS],
    /// Samples the fit used.
    pub samples: usize,
}

impl Harmonics {
    /// Twice the amplitude of the fundamental, in volts.
    #[must_use]
    pub fn fundamental_pp_v(&self) -> f64 {
        2.0 * self.amplitude_v[0]
    }
}

/// R1: least squares of the record on a constant and five harmonics of the switching frequency, between the first and the
/// last rising edge.
///
/// # Errors
/// Pulses are skipped (no frequency to fit), the output trace is unreadable, or the harmonics reach half the sample rate.
pub fn measure_harmonics(vout: &Waveform, switching: &Switching) -> Result<Harmonics, Unavailable> {
    harmonics_of(&vout.read_levels()?, switching)
}

/// As [`measure_harmonics`] of a trace that can be read.
pub(super) fn harmonics_of(
    levels: &LevelReader<'_>,
    switching: &Switching,
) -> Result<Harmonics, Unavailable> {
    if switching.conduction == Conduction::Skipping {
        return Err(Unavailable::because("pulses are skipped: there is no switching frequency to fit"));
    }
    let stretch = fitted_stretch(levels.len(), switching)?;
    let first = stretch.start;
    let mut base = [0];
    levels.fill(first, &mut base);
    let base = f32::from(base[0]);
    fit_harmonics(stretch.len(), switching, levels.step_v, |range, block| {
        let mut places = block.iter_mut();
        levels.read(first + range.start..first + range.end, |levels| {
            for (level, place) in levels.iter().zip(&mut places) {
                *place = f32::from(*level) - base;
            }
        });
    })
}

/// The spikes' share in R1, peak to peak in volts: the fundamental of what stands more than `floor_v` off the baseline.
///
/// # Errors
/// As [`measure_harmonics`].
pub fn measure_spike_share(
    deviations: &Deviations<'_>,
    switching: &Switching,
    floor_v: f64,
) -> Result<f64, Unavailable> {
    let step_v = deviations.step_v;
    let stretch = fitted_stretch(deviations.len(), switching)?;
    let first = stretch.start;
    let harmonics = fit_harmonics(stretch.len(), switching, step_v, |range, block| {
        let spikes = deviations.stretch(first + range.start..first + range.end);
        for (place, spike) in block.iter_mut().zip(spikes) {
            *place = if f64::from(spike).abs() * step_v > floor_v { spike as f32 } else { 0.0 };
        }
    })?;
    Ok(harmonics.fundamental_pp_v())
}

/// The samples between the first and the last rising edge, of so many.
fn fitted_stretch(samples: usize, switching: &Switching) -> Result<Range<usize>, Unavailable> {
    let (first, last) = match (switching.edges.rising.first(), switching.edges.rising.last()) {
        (Some(first), Some(last)) => (first.ceil() as usize, last.floor() as usize + 1),
        _ => return Err(Unavailable::because("no switching edges")),
    };
    let stretch = first..last.min(samples);
    if stretch.len() <= 4 * UNKNOWNS {
        return Err(Unavailable::because("too few samples between the switching edges"));
    }
    if switching.period <= 2.0 * HARMONICS as f64 {
        return Err(Unavailable::because(format!(
            "the sample rate gives only {:.1} samples a switching period, more than {} are needed",
            switching.period,
            2 * HARMONICS
        )));
    }
    Ok(stretch)
}

/// Fits so many samples, of which `read` fills in a range in steps of `step_v`.
fn fit_harmonics(
    samples: usize,
    switching: &Switching,
    step_v: f64,
    read: impl Fn(Range<usize>, &mut [f32]),
) -> Result<Harmonics, Unavailable> {
    let step = TAU / switching.period;
    let solution = solve(harmonic_matrix(samples, step), harmonic_sums(samples, step, read))
        .ok_or_else(|| Unavailable::because("the harmonic fit has no solution"))?;
    let mut amplitude_v = [0.0; HARMONICS];
    for (harmonic, amplitude) in amplitude_v.iter_mut().enumerate() {
        *amplitude = solution[1 + 2 * harmonic].hypot(solution[2 + 2 * harmonic]) * step_v;
    }
    Ok(Harmonics { amplitude_v, samples })
}
