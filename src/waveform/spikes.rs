//! Spikes: what stands out of the running median (S6).

use super::median::running_median;
use super::switching::Edges;
use super::{Figure, Unavailable, Waveform};
use crate::base::stats;

/// Length of the running median that is the baseline under the spikes, in seconds (201 samples at 100 MSa/s).
pub const BASELINE_S: f64 = 2.01e-6;

/// A spike counts for the rate beyond this many volts of the baseline, in either direction.
pub const RATE_THRESHOLD_V: f64 = 0.1;

/// Samples beyond the threshold that lie no further apart than this belong to one spike, in seconds.
const GROUP_S: f64 = 1e-6;

/// A cycle's spikes are looked for from this long before its rising edge, in seconds.
const LEAD_S: f64 = 0.2e-6;

/// The samples less their baseline, in whole converter steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviations {
    /// One value a sample.
    pub steps: Vec<i32>,
    /// Volts of one step.
    pub step_v: f64,
    /// Samples a second.
    pub rate_hz: f64,
}

/// Samples of the baseline's window: the odd count nearest to 2.01 us.
#[must_use]
pub fn baseline_samples(rate_hz: f64) -> usize {
    2 * (BASELINE_S * rate_hz / 2.0).floor() as usize + 1
}

/// Takes the running median away from the trace.
///
/// # Errors
/// The trace is unreadable, shorter than the baseline's window, or so slow that the window is a single sample.
pub fn measure_deviations(waveform: &Waveform) -> Result<Deviations, Unavailable> {
    let rate_hz = waveform.check_readable()?;
    let window = baseline_samples(rate_hz);
    if window < 3 || window > waveform.codes.len() {
        return Err(Unavailable::because(format!(
            "the baseline under the spikes needs 2.01 us, which is {window} samples; the record has {} samples {:.3} us apart",
            waveform.codes.len(),
            waveform.step_s * 1e6
        )));
    }
    let levels = waveform.levels();
    let baseline = running_median(&levels, window);
    let steps =
        levels.iter().zip(&baseline).map(|(level, base)| i32::from(*level) - i32::from(*base)).collect();
    Ok(Deviations { steps, step_v: levels.step_v, rate_hz })
}

/// Spikes of each cycle taken together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CycleSpikes {
    /// Median over cycles of the highest deviation, in volts.
    pub pos_median_v: f64,
    /// Median over cycles of the lowest deviation, in volts.
    pub neg_median_v: f64,
    /// 95th percentile over cycles of the highest deviation, in volts.
    pub pos_p95_v: f64,
    /// 5th percentile over cycles of the lowest deviation, in volts.
    pub neg_p05_v: f64,
}

impl Deviations {
    /// The highest and the lowest deviation in volts.
    #[must_use]
    pub fn peaks_v(&self) -> (f64, f64) {
        let (high, low) = self.steps.iter().fold((0, 0), |(high, low), d| (high.max(*d), low.min(*d)));
        (f64::from(high) * self.step_v, f64::from(low) * self.step_v)
    }

    /// Noise about the baseline as a sigma in volts, by the median absolute deviation, which spikes do not move.
    ///
    /// # Errors
    /// More than half of the samples equal the baseline: the noise is under the converter's resolution.
    pub fn noise_sigma_v(&self) -> Figure {
        let doubled = self.steps.iter().map(|d| 2 * i64::from(*d));
        // The median of an even count may lie half way between two steps; doubled values keep it whole.
        let center = counted_median(doubled.clone()) as i64;
        let spread = counted_median(doubled.map(|d| (d - center).abs())) / 2.0;
        if spread > 0.0 {
            return Ok(1.4826 * spread * self.step_v);
        }
        Err(Unavailable::because(format!(
            "the noise is under the resolution: half of the samples or more stand on one step of {:.2} mV",
            self.step_v * 1e3
        )))
    }

    /// Spikes a second beyond the threshold.
    ///
    /// # Errors
    /// The record's noise or its converter step reaches the threshold, so that the count would be one of noise.
    pub fn spike_rate_hz(&self, threshold_v: f64) -> Figure {
        let noise_v = self.noise_sigma_v().unwrap_or(0.0);
        if threshold_v < 5.0 * noise_v || threshold_v < 2.0 * self.step_v {
            return Err(Unavailable::because(format!(
                "a threshold of {:.0} mV drowns in the noise ({:.1} mV sigma, {:.1} mV a step)",
                threshold_v * 1e3,
                noise_v * 1e3,
                self.step_v * 1e3
            )));
        }
        let reach = (GROUP_S * self.rate_hz + 1e-6) as usize;
        let (mut groups, mut last): (u64, Option<usize>) = (0, None);
        for (index, deviation) in self.steps.iter().enumerate() {
            if f64::from(deviation.abs()) * self.step_v > threshold_v {
                groups += u64::from(last.is_none_or(|last| index - last > reach));
                last = Some(index);
            }
        }
        Ok(groups as f64 * self.rate_hz / self.steps.len() as f64)
    }

    /// The spikes of each whole cycle, from 0.2 us before its rising edge to 0.2 us before the next.
    ///
    /// # Errors
    /// There is no whole cycle.
    pub fn cycle_spikes(&self, edges: &Edges) -> Result<CycleSpikes, Unavailable> {
        let lead = LEAD_S * self.rate_hz;
        let (mut highs, mut lows) = (Vec::new(), Vec::new());
        for cycle in edges.rising.windows(2) {
            let (from, to) = ((cycle[0] - lead).ceil(), (cycle[1] - lead).ceil());
            if from < 0.0 {
                continue;
            }
            let Some(stretch) = self.steps.get(from as usize..to.max(from) as usize) else { continue };
            if let (Some(high), Some(low)) = (stretch.iter().max(), stretch.iter().min()) {
                highs.push(f64::from(*high) * self.step_v);
                lows.push(f64::from(*low) * self.step_v);
            }
        }
        let all = (
            stats::median(&highs),
            stats::median(&lows),
            stats::quantile(&highs, 0.95),
            stats::quantile(&lows, 0.05),
        );
        match all {
            (Some(pos_median_v), Some(neg_median_v), Some(pos_p95_v), Some(neg_p05_v)) => {
                Ok(CycleSpikes { pos_median_v, neg_median_v, pos_p95_v, neg_p05_v })
            }
            _ => Err(Unavailable::because("no whole switching cycle in the record")),
        }
    }
}

/// Median of whole values of which few differ, as converter steps do; the mean of the middle two for an even count.
fn counted_median(values: impl Iterator<Item = i64> + Clone) -> f64 {
    let (Some(low), Some(high)) = (values.clone().min(), values.clone().max()) else { return 0.0 };
    let mut counts = vec![0_usize; (high - low) as usize + 1];
    let mut total = 0;
    for value in values {
        counts[(value - low) as usize] += 1;
        total += 1;
    }
    let at_rank = |rank: usize| {
        let mut seen = 0;
        let at = counts.iter().position(|count| {
            seen += count;
            seen > rank
        });
        at.map_or(0.0, |at| (at as i64 + low) as f64)
    };
    (at_rank((total - 1) / 2) + at_rank(total / 2)) / 2.0
}

/// Where the largest spike of a trace stands, for a picture of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpikeWindow {
    /// First sample of the window.
    pub from: usize,
    /// The sample after the last one of the window.
    pub to: usize,
    /// The sample of the peak.
    pub peak: usize,
    /// The peak's height over the baseline in volts; negative for a dip.
    pub height_v: f64,
}

/// The window around the largest deviation in either direction: `before_s` ahead of the peak to `after_s` behind it, cut to
/// the record.
///
/// # Errors
/// As [`measure_deviations`]; or nothing leaves the baseline.
pub fn find_worst_spike(
    waveform: &Waveform,
    before_s: f64,
    after_s: f64,
) -> Result<SpikeWindow, Unavailable> {
    let deviations = measure_deviations(waveform)?;
    let worst = deviations.steps.iter().enumerate().fold((0, 0), |best: (usize, i32), (index, d)| {
        if d.abs() > best.1.abs() { (index, *d) } else { best }
    });
    if worst.1 == 0 {
        return Err(Unavailable::because("no sample leaves the baseline: there is no spike"));
    }
    let samples = |span_s: f64| (span_s.max(0.0) * deviations.rate_hz).round() as usize;
    Ok(SpikeWindow {
        from: worst.0.saturating_sub(samples(before_s)),
        to: worst.0.saturating_add(samples(after_s)).saturating_add(1).min(deviations.steps.len()),
        peak: worst.0,
        height_v: f64::from(worst.1) * deviations.step_v,
    })
}
