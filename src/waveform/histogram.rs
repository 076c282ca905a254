//! How often the output stood at which voltage: the whole record in bins, so that single samples far out are counted, too.

use super::{Unavailable, Waveform};

/// Distinct values above which samples count as continuous, not as steps of a converter.
const MOST_STEPS: usize = 4096;

/// Samples by voltage.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Lower end of the first bin in volts.
    pub low_v: f64,
    /// Width of a bin in volts; a whole number of converter steps where the samples stand on steps.
    pub bin_v: f64,
    /// Samples in each bin, upwards.
    pub counts: Vec<u64>,
    /// Mean of the samples in volts.
    pub mean_v: f64,
}

impl Histogram {
    /// Upper end of the last bin in volts.
    #[must_use]
    pub fn high_v(&self) -> f64 {
        self.low_v + self.bin_v * self.counts.len() as f64
    }
}

/// Counts the samples of a trace in at most `bins` bins from its lowest to its highest sample. Where the samples stand on
/// steps, each bin holds the same whole number of them: otherwise a comb would show that is not in the trace.
///
/// # Errors
/// The trace is unreadable or holds no finite samples.
pub fn build_histogram(waveform: &Waveform, bins: usize) -> Result<Histogram, Unavailable> {
    waveform.check_readable()?;
    let volts = waveform.volts();
    let (mut low, mut high, mut sum, mut count) = (f32::INFINITY, f32::NEG_INFINITY, 0.0_f64, 0_u64);
    for value in volts.iter().copied().filter(|value| value.is_finite()) {
        (low, high) = (low.min(value), high.max(value));
        sum += f64::from(value);
        count += 1;
    }
    if count == 0 {
        return Err(Unavailable::because("the output trace holds no finite samples"));
    }
    let (low_v, span_v) = (f64::from(low), f64::from(high) - f64::from(low));
    let bins = bins.clamp(1, 4096);
    let step_v = find_step_v(&volts).filter(|step_v| span_v / step_v < 1e6);
    let bin_v = match step_v {
        Some(step_v) => {
            let steps = (span_v / step_v).round() + 1.0;
            step_v * (steps / bins as f64).ceil().max(1.0)
        }
        // A trace of one value is one bin, of any width.
        None if span_v <= 0.0 => low_v.abs().max(1e-3) * 1e-3,
        None => span_v / bins as f64,
    };
    // Steps stand in the middle of their place in a bin.
    let low_v = low_v - step_v.map_or(0.0, |step_v| step_v / 2.0);
    let needed = ((f64::from(high) - low_v) / bin_v).floor() as usize + 1;
    let mut counts = vec![0_u64; needed.min(bins)];
    let last = counts.len() - 1;
    for value in volts.into_iter().filter(|value| value.is_finite()) {
        counts[(((f64::from(value) - low_v) / bin_v) as usize).min(last)] += 1;
    }
    Ok(Histogram { low_v, bin_v, counts, mean_v: sum / count as f64 })
}

/// The smallest distance between two values that occur, in volts; `None` where there are too many to be steps of a
/// converter. Told from the record's first quarter of a million samples.
pub(super) fn find_step_v(volts: &[f32]) -> Option<f64> {
    let mut seen = std::collections::BTreeSet::new();
    let mut previous = f32::NAN;
    for value in volts.iter().copied().take(1 << 18).filter(|value| value.is_finite()) {
        if value.to_bits() != previous.to_bits() {
            seen.insert(ordered(value));
            previous = value;
            if seen.len() > MOST_STEPS {
                return None;
            }
        }
    }
    let values: Vec<f64> = seen.into_iter().map(|key| f64::from(value_of(key))).collect();
    let largest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    // Nearer than rounding to single precision is the same step.
    values.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 4e-7 * largest).min_by(f64::total_cmp)
}

/// Bits of a finite number in the order of the numbers.
fn ordered(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn value_of(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waveform::{Acquisition, Codes, Scaling};

    fn trace(codes: Codes, volts_per_code: f64) -> Waveform {
        Waveform {
            scaling: Scaling { volts_per_code, zero_code: 128.0, offset_v: 0.0, min_code: 0, max_code: 255 },
            start_s: 0.0,
            step_s: 1e-8,
            acquisition: Acquisition::untold("vout", codes.len()),
            codes,
        }
    }

    #[test]
    fn every_sample_is_counted_and_a_bin_is_a_step() {
        let codes = vec![126, 127, 127, 128, 128, 128, 129, 200];
        let histogram = build_histogram(&trace(Codes::U8(codes), 0.01), 256).unwrap();
        assert_eq!(histogram.counts.iter().sum::<u64>(), 8);
        assert_eq!(histogram.counts[..4], [1, 2, 3, 1]);
        assert_eq!(histogram.counts.last(), Some(&1));
        assert!((histogram.bin_v - 0.01).abs() < 1e-7);
        assert!((histogram.low_v + 0.025).abs() < 1e-7);
        assert!((histogram.high_v() - 0.725).abs() < 1e-6);
    }

    #[test]
    fn even_steps_make_no_comb_however_many_bins_there_are() {
        let codes: Vec<u8> = (0..=255).flat_map(|code| [code; 4]).collect();
        for bins in [256, 200, 100, 64, 7] {
            let counts = build_histogram(&trace(Codes::U8(codes.clone()), 3.1e-3), bins).unwrap().counts;
            assert_eq!(counts.iter().sum::<u64>(), 1024, "{bins}");
            let full = &counts[..counts.len() - 1];
            assert!(full.windows(2).all(|pair| pair[0] == pair[1]), "{bins}: {counts:?}");
        }
    }

    #[test]
    fn a_flat_trace_is_one_bin() {
        let histogram = build_histogram(&trace(Codes::I16(vec![5; 100]), 1e-3), 100).unwrap();
        assert_eq!(histogram.counts, [100]);
        assert!(build_histogram(&trace(Codes::U8(Vec::new()), 1e-3), 100).is_err());
    }
}
