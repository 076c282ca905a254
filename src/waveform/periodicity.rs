//! The switching period from the output alone, for records without the switch node. Told only where the output repeats
//! itself evenly from one end of the record to the other.

use super::spikes::Deviations;
use super::{Unavailable, Waveform};
use crate::base::stats;
use realfft::RealFftPlanner;
use std::f64::consts::TAU;

/// Switching frequencies that are believed, in Hz. Bursts of skipped pulses repeat more slowly.
pub const BELIEVED_HZ: (f64, f64) = (40e3, 3e6);

/// What repeats more slowly than this is drift or load, and is taken away before, in Hz.
const DRIFT_HZ: f64 = 5e3;

/// A slower record does not tell a switching frequency: what is believed to be one would look like any other, in Hz.
pub(super) const LEAST_RATE_HZ: f64 = 1e6;

/// Samples a second that are enough to find the period; faster records are averaged down to twice this or less.
const ENOUGH_HZ: f64 = 10e6;

/// Samples of the averaged record that are looked at.
const MOST_SAMPLES: usize = 1 << 17;

/// Least likeness (autocorrelation) of the output with itself one period later.
const LEAST_LIKENESS: f64 = 0.3;

/// A shorter lag counts as the period where it is this nearly as alike as the best one.
const AS_ALIKE: f64 = 0.9;

/// The ripple's amplitude over any two periods lies within this part of the middle one, and its inverse.
const EVEN_AMPLITUDE: f64 = 0.5;

/// Most that the phase may step from one period to the next beyond an even period, in periods.
const EVEN_PHASE: f64 = 0.15;

/// Least periods in the record.
const LEAST_PERIODS: f64 = 8.0;

/// The period that the output shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Periodicity {
    /// Mean period in samples of the record.
    pub period: f64,
    /// Where a period begins (an upward zero of the fundamental), in samples; the grid that figures of cycles are taken on.
    pub begins: f64,
    /// Likeness of the output with itself one period later, up to 1.
    pub likeness: f64,
    /// Rms distance of the single periods' phases from the even grid, in periods.
    pub wander: f64,
    /// How well the period is known, as a part of it: three sigma of the slope through the phases.
    pub known_to: f64,
}

impl Periodicity {
    /// The beginnings of all periods inside a record of `count` samples.
    #[must_use]
    pub fn grid(&self, count: usize) -> Vec<f64> {
        let whole = ((count as f64 - 1.0 - self.begins) / self.period).floor().max(0.0) as usize;
        (0..=whole).map(|cycle| self.begins + cycle as f64 * self.period).collect()
    }
}

/// The record averaged down, less its mean.
struct Slow {
    values: Vec<f64>,
    /// Samples that went into one value.
    factor: usize,
    rate_hz: f64,
}

/// The output's deviations from its baseline, and how far from it a sample is noise, in volts; what is further out is a spike.
pub type Spikes<'a> = (&'a Deviations<'a>, f64);

/// Finds the period by the autocorrelation of the output, and then by the phase of its fundamental over every two periods,
/// which must go on evenly. Spikes are cut at the noise first: they ring so fast that from one period to the next they meet other
/// samples, and are higher than the ripple.
///
/// # Errors
/// The record is unreadable, too slow or too short; the output does not repeat itself, or not evenly, as where pulses are
/// skipped; or it repeats outside of [`BELIEVED_HZ`].
pub fn measure_periodicity(vout: &Waveform, spikes: Option<Spikes<'_>>) -> Result<Periodicity, Unavailable> {
    let slow = slow_down(vout, spikes)?;
    let likeness = measure_likeness(&slow)?;
    let (lag, alike) = find_lag(&likeness, &slow)?;
    let hz = slow.rate_hz / lag;
    if !(BELIEVED_HZ.0..=BELIEVED_HZ.1).contains(&hz) {
        return Err(Unavailable::because(format!(
            "the output repeats every {:.1} µs: that is slower than a converter switches, pulses may be skipped",
            1e6 / hz
        )));
    }
    if (slow.values.len() as f64) < LEAST_PERIODS * lag {
        return Err(Unavailable::because(format!(
            "the record holds {:.1} periods of the output, {LEAST_PERIODS:.0} are needed to find the frequency without the switch node",
            slow.values.len() as f64 / lag
        )));
    }
    follow_phase(&slow, lag, alike)
}

fn slow_down(vout: &Waveform, spikes: Option<Spikes<'_>>) -> Result<Slow, Unavailable> {
    let rate_hz = vout.check_readable()?;
    if rate_hz < LEAST_RATE_HZ {
        return Err(Unavailable::because(format!(
            "the record has {:.3} MSa/s: too slow to find a switching frequency in the output",
            rate_hz / 1e6
        )));
    }
    let factor = (rate_hz / ENOUGH_HZ).floor().max(1.0) as usize;
    let count = (vout.codes.len() / factor).min(MOST_SAMPLES);
    if count < 64 {
        return Err(Unavailable::because(
            "the record is too short to find a switching frequency in the output",
        ));
    }
    let mut values = Vec::with_capacity(count);
    let mut block = vec![0.0; factor];
    for index in 0..count {
        let from = index * factor;
        let cut = spikes.and_then(|(all, noise_v)| all.mean_without_spikes_v(from..from + factor, noise_v));
        values.push(cut.unwrap_or_else(|| {
            vout.read_block(from, &mut block);
            block.iter().sum::<f64>() / factor as f64
        }));
    }
    let points: Vec<(f64, f64)> = values.iter().enumerate().map(|(i, v)| (i as f64, *v)).collect();
    // A straight drift would be alike at every lag.
    let slope = stats::slope(&points).unwrap_or(0.0);
    let mean = stats::mean(&values).unwrap_or(0.0);
    let middle = (count - 1) as f64 / 2.0;
    values.iter_mut().enumerate().for_each(|(i, value)| *value -= mean + slope * (i as f64 - middle));
    Ok(Slow { values, factor, rate_hz: rate_hz / factor as f64 })
}

/// Autocorrelation up to a third of the record, 1 at lag 0, what is slower than [`DRIFT_HZ`] taken away.
fn measure_likeness(slow: &Slow) -> Result<Vec<f64>, Unavailable> {
    let failed = |_| Unavailable::because("the output's autocorrelation could not be computed");
    let count = slow.values.len();
    let padded = (2 * count).next_power_of_two();
    let mut planner = RealFftPlanner::<f64>::new();
    let forward = planner.plan_fft_forward(padded);
    let (mut input, mut lines) = (forward.make_input_vec(), forward.make_output_vec());
    input[..count].copy_from_slice(&slow.values);
    forward.process(&mut input, &mut lines).map_err(failed)?;
    let drift = (DRIFT_HZ / slow.rate_hz * padded as f64).ceil() as usize;
    for (index, line) in lines.iter_mut().enumerate() {
        line.re = if index <= drift { 0.0 } else { line.norm_sqr() };
        line.im = 0.0;
    }
    planner.plan_fft_inverse(padded).process(&mut lines, &mut input).map_err(failed)?;
    let power = input[0];
    if !(power.is_finite() && power > 0.0) {
        return Err(Unavailable::because("the output does not move: it shows no switching frequency"));
    }
    // Fewer values overlap at a longer lag.
    Ok((0..count / 3).map(|lag| input[lag] / power * count as f64 / (count - lag) as f64).collect())
}

/// The shortest lag at which the output is nearly as like itself as it ever is, between two values, and that likeness.
fn find_lag(likeness: &[f64], slow: &Slow) -> Result<(f64, f64), Unavailable> {
    let none = || {
        Unavailable::because(
            "the output does not repeat itself: no switching frequency can be found without the switch node",
        )
    };
    let shortest = (slow.rate_hz / BELIEVED_HZ.1).ceil().max(2.0) as usize;
    // Behind the first peak, which is the output's likeness with itself at once.
    let past = likeness.iter().position(|value| *value < 0.0).ok_or_else(none)?.max(shortest);
    let peaks = || {
        (past.max(1)..likeness.len().saturating_sub(1))
            .filter(|at| likeness[*at] >= likeness[at - 1] && likeness[*at] > likeness[at + 1])
    };
    let best = peaks().map(|at| likeness[at]).fold(f64::NEG_INFINITY, f64::max);
    if best < LEAST_LIKENESS {
        return Err(none());
    }
    let at = peaks().find(|at| likeness[*at] >= AS_ALIKE * best).ok_or_else(none)?;
    let (left, top, right) = (likeness[at - 1], likeness[at], likeness[at + 1]);
    let bend = left - 2.0 * top + right;
    let off = if bend < 0.0 { 0.5 * (left - right) / bend } else { 0.0 };
    Ok((at as f64 + off, top))
}

/// The fundamental's phase over two periods each, one period on from each to the next.
fn follow_phase(slow: &Slow, lag: f64, likeness: f64) -> Result<Periodicity, Unavailable> {
    let uneven = |what: &str| {
        Unavailable::because(format!(
            "the output's {what}: pulses may be skipped, no frequency is told without the switch node"
        ))
    };
    let length = (2.0 * lag).round() as usize;
    let window: Vec<f64> = (0..length).map(|n| 1.0 - (TAU * n as f64 / length as f64).cos()).collect();
    let mut phases: Vec<f64> = Vec::new();
    let mut sizes = Vec::new();
    let mut from = 0;
    while let Some(stretch) = slow.values.get(from..from + length) {
        let (mut re, mut im) = (0.0, 0.0);
        for (index, (value, weight)) in stretch.iter().zip(&window).enumerate() {
            let (sin, cos) = (TAU * (from + index) as f64 / lag).sin_cos();
            re += value * weight * cos;
            im -= value * weight * sin;
        }
        let raw = im.atan2(re) / TAU;
        // Unwrapped: the nearest turn to the one before.
        let before = phases.last().copied().unwrap_or(raw);
        let phase = raw + (before - raw).round();
        if (phase - before).abs() > EVEN_PHASE {
            return Err(uneven("ripple does not go on evenly"));
        }
        phases.push(phase);
        sizes.push(re.hypot(im));
        from = (phases.len() as f64 * lag).round() as usize;
    }
    let middle = stats::median(&sizes).unwrap_or(0.0);
    if phases.len() < 4
        || sizes.iter().any(|size| *size < EVEN_AMPLITUDE * middle || *size > middle / EVEN_AMPLITUDE)
    {
        return Err(uneven("ripple comes and goes"));
    }
    let centers = (0..phases.len()).map(|cycle| (cycle as f64 * lag).round() + length as f64 / 2.0);
    let points: Vec<(f64, f64)> = centers.zip(phases.iter().copied()).collect();
    let slope = stats::slope(&points).unwrap_or(0.0);
    // phase(n) = cycles(n) - n/lag, so the true frequency is 1/lag and the phase's slope.
    let cycles_a_value = 1.0 / lag + slope;
    let mean_at = stats::mean(&points.iter().map(|point| point.0).collect::<Vec<_>>()).unwrap_or(0.0);
    let offset = stats::mean(&phases).unwrap_or(0.0) - slope * mean_at;
    let off: Vec<f64> = points.iter().map(|(at, phase)| phase - offset - slope * at).collect();
    let factor = slow.factor as f64;
    let period = factor / cycles_a_value;
    // A value stands for the middle of its samples; a cosine of phase -1/4 rises through zero.
    let first = (-0.25 - offset).rem_euclid(1.0) * period + (factor - 1.0) / 2.0;
    let wander = stats::std_dev(&off, 0).unwrap_or(0.0);
    Ok(Periodicity { period, begins: first, likeness, wander, known_to: known_to(wander, off.len()) })
}

/// Three sigma of the slope through so many phases that lie so far from it rms, in periods a period. Of few the spread itself is
/// hardly known, and neighbours overlap by half.
fn known_to(wander: f64, phases: usize) -> f64 {
    let count = phases as f64;
    let (free, overlap) = (count / (count - 2.0).max(1.0), 1.33);
    3.0 * wander * (12.0 * free * overlap / count.powi(3)).sqrt() * (1.0 + 4.0 / count)
}

#[cfg(test)]
mod tests {
    use super::super::block::made::{Dice, trace};
    use super::super::spikes::measure_deviations;
    use super::*;
    use proptest::prelude::*;

    fn found_in(vout: &Waveform) -> Result<Periodicity, Unavailable> {
        let deviations = measure_deviations(vout)?;
        let noise_v = deviations.floor_v();
        measure_periodicity(vout, Some((&deviations, noise_v)))
    }

    /// Ripple of 20 mV in noise of 1 mV, with spikes of both edges that ring at 17 MHz; and its true mean frequency.
    fn spiky(hz: f64, count: usize, spike_v: f64, jitter_s: f64) -> (Vec<f64>, f64) {
        let mut dice = Dice(9);
        let (mut begins_s, mut period_s, mut volts) = (-0.41 / hz, 1.0 / hz, Vec::new());
        let mut begun = Vec::new();
        let ring = |s: f64| if s < 0.0 { 0.0 } else { (-s / 60e-9).exp() * (TAU * 17e6 * s).cos() };
        for n in 0..count {
            let at_s = n as f64 / 100e6;
            if at_s >= begins_s + period_s {
                begins_s += period_s;
                period_s = 1.0 / hz + jitter_s * dice.noise();
                begun.push(begins_s);
            }
            let (since_s, on_s) = (at_s - begins_s, 0.22 / hz);
            let off_s = since_s - on_s;
            let ripple = if off_s < 0.0 { since_s / on_s } else { 1.0 - off_s / (1.0 / hz - on_s) };
            let spikes = spike_v * (ring(since_s) - 0.8 * ring(off_s));
            volts.push(5.0 + 0.02 * ripple + spikes + 1e-3 * dice.noise());
        }
        let mean_hz = (begun.len() - 1) as f64 / (begun[begun.len() - 1] - begun[0]);
        (volts, mean_hz)
    }

    #[test]
    fn the_frequency_is_found_under_spikes_of_any_height() {
        let mut worst: [f64; 2] = [0.0; 2];
        for count in [30_000, 60_000, 120_000] {
            for hz in [61.3e3, 122e3, 122.3e3, 300e3] {
                for (spike_v, jitter_s) in
                    [(0.0, 0.0), (0.2, 0.0), (0.5, 0.0), (1.5, 0.0), (1.5, 20e-9), (0.5, 20e-9)]
                {
                    let (volts, truth_hz) = spiky(hz, count, spike_v, jitter_s);
                    let found = found_in(&trace(volts, 100e6));
                    let case = format!("{count} {hz} {spike_v} {jitter_s}: {found:?}");
                    let off = found.map(|found| (100e6 / found.period / truth_hz - 1.0).abs()).expect(&case);
                    let kind = &mut worst[usize::from(jitter_s > 0.0)];
                    *kind = kind.max(off);
                }
            }
        }
        assert!(worst[0] < 100e-6 && worst[1] < 500e-6, "{worst:?}");
    }

    /// A triangle of 1 V with a part of the period rising, in noise.
    fn triangle(hz: f64, duty: f64, noise: f64) -> Vec<f64> {
        let mut dice = Dice(11);
        (0..120_000)
            .map(|n| {
                let phase = (f64::from(n) * hz / 100e6 + 0.37).fract();
                let ripple = if phase < duty { phase / duty } else { (1.0 - phase) / (1.0 - duty) };
                5.0 + ripple + noise * dice.noise()
            })
            .collect()
    }

    #[test]
    fn the_frequency_of_a_ripple_is_found_without_the_switch_node() {
        for (hz, duty, noise) in
            [(122e3, 0.22, 0.0), (122e3, 0.44, 0.5), (61.3e3, 0.5, 0.2), (1.37e6, 0.3, 0.1)]
        {
            let found = found_in(&trace(triangle(hz, duty, noise), 100e6)).unwrap();
            assert!((100e6 / found.period / hz - 1.0).abs() < 50e-6, "{hz}: {}", 100e6 / found.period);
        }
    }

    #[test]
    fn noise_drift_and_a_line_that_does_not_move_have_no_frequency() {
        let mut dice = Dice(2);
        let noise: Vec<f64> = (0..120_000).map(|_| dice.noise()).collect();
        let drift: Vec<f64> = (0..120_000).map(|n| f64::from(n) * 1e-4 + 0.2 * dice.noise()).collect();
        let mut walk = 0.0;
        let wander: Vec<f64> = (0..120_000)
            .map(|_| {
                walk += dice.noise();
                walk
            })
            .collect();
        for volts in [noise, drift, wander, vec![5.0; 120_000]] {
            assert!(found_in(&trace(volts, 100e6)).is_err());
        }
    }

    /// Ripple in pulses of one period at 122 kHz, given by their period's number.
    fn pulses(is_on: impl Fn(usize) -> bool) -> Vec<f64> {
        let mut dice = Dice(4);
        (0..240_000)
            .map(|n| {
                let cycle = f64::from(n) * 122e3 / 100e6;
                let phase = cycle.fract();
                let ripple = if phase < 0.14 { phase / 0.14 } else { (1.0 - (phase - 0.14) / 0.48).max(0.0) };
                0.02 * dice.noise() + if is_on(cycle as usize) { ripple } else { 0.0 }
            })
            .collect()
    }

    #[test]
    fn skipped_pulses_give_no_frequency() {
        let cases: [(&str, Vec<f64>); 4] = [
            ("bursts of three in ten", pulses(|cycle| cycle % 10 < 3)),
            ("one in five", pulses(|cycle| cycle % 5 == 0)),
            ("uneven", pulses(|cycle| [0, 4, 7, 13, 15].contains(&(cycle % 19)))),
            ("a gap", pulses(|cycle| !(100..120).contains(&cycle))),
        ];
        for (name, volts) in cases {
            let found = found_in(&trace(volts, 100e6));
            assert!(found.is_err(), "{name}: {found:?}");
        }
        assert!(found_in(&trace(pulses(|_| true), 100e6)).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
        #[test]
        fn scale_and_offset_do_not_move_the_frequency(scale in 1e-3_f64..10.0, offset in -5.0_f64..5.0) {
            let plain = triangle(122e3, 0.3, 0.1);
            let turned = trace(plain.iter().map(|v| (v - 5.0) * scale + offset), 100e6);
            let (a, b) = (found_in(&trace(plain, 100e6)), found_in(&turned));
            prop_assert!((a.unwrap().period - b.unwrap().period).abs() < 0.02);
        }
    }
}
