//! A slow record and its average over one switching period.

use crate::waveform::{Unavailable, Waveform};

/// Seconds from..to on the record's own axis; the end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeWindow {
    /// First instant.
    pub from_s: f64,
    /// The instant after the last.
    pub to_s: f64,
}

/// One signal of a slow record: evenly spaced samples in SI units.
#[derive(Debug, Clone, PartialEq)]
pub struct SlowRecord {
    samples: Vec<f32>,
    rate_hz: f64,
}

impl SlowRecord {
    /// Takes samples in SI units, `rate_hz` a second.
    ///
    /// # Errors
    /// No samples, samples that are not numbers (how many, and the first), or a rate that is not positive.
    pub fn new(samples: Vec<f32>, rate_hz: f64) -> Result<Self, Unavailable> {
        if samples.is_empty() {
            return Err(Unavailable::because("the record holds no samples"));
        }
        if !(rate_hz.is_finite() && rate_hz > 0.0) {
            return Err(Unavailable::because(format!("{rate_hz} Hz is no sample rate")));
        }
        let wild = samples.iter().filter(|v| !v.is_finite()).count();
        if let Some(first) = samples.iter().position(|v| !v.is_finite()) {
            return Err(Unavailable::because(format!(
                "{wild} of {} samples are not numbers, the first is sample {first}",
                samples.len()
            )));
        }
        Ok(Self { samples, rate_hz })
    }

    /// The samples of a trace, in volts at the probe tip.
    ///
    /// # Errors
    /// The trace cannot be read.
    pub fn from_waveform(waveform: &Waveform) -> Result<Self, Unavailable> {
        let rate_hz = waveform.check_readable()?;
        Self::new(waveform.volts(), rate_hz)
    }

    /// The samples.
    #[must_use]
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Samples a second.
    #[must_use]
    pub fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// The instant of a sample's position, whole or between two.
    pub(super) fn instant_s(&self, position: f64) -> f64 {
        position / self.rate_hz
    }

    /// The positions that a window spans.
    pub(super) fn positions(&self, window: TimeWindow) -> Result<std::ops::Range<usize>, Unavailable> {
        let end_s = self.instant_s(self.samples.len() as f64);
        // A window that ends with the record must not fail by the last bit of a division.
        let slack_s = 1e-6 * end_s;
        let TimeWindow { from_s, to_s } = window;
        if !(from_s >= 0.0 && to_s > from_s && to_s <= end_s + slack_s) {
            return Err(Unavailable::because(format!(
                "the window {:.3} to {:.3} ms does not lie within the record of {:.3} ms",
                from_s * 1e3,
                to_s * 1e3,
                end_s * 1e3
            )));
        }
        let from = (from_s * self.rate_hz - 1e-6).ceil().max(0.0) as usize;
        let to = ((to_s * self.rate_hz - 1e-6).ceil() as usize).min(self.samples.len());
        if from >= to {
            return Err(Unavailable::because(format!(
                "no sample lies between {:.3} and {:.3} ms",
                from_s * 1e3,
                to_s * 1e3
            )));
        }
        Ok(from..to)
    }

    /// Mean over a window.
    ///
    /// # Errors
    /// The window does not lie within the record.
    pub fn mean_over(&self, window: TimeWindow) -> Result<f64, Unavailable> {
        let samples = &self.samples[self.positions(window)?];
        Ok(samples.iter().map(|v| f64::from(*v)).sum::<f64>() / samples.len() as f64)
    }

    /// Value at a position, by linear interpolation; the first and last sample hold beyond the ends.
    pub(super) fn value_at(&self, position: f64) -> f64 {
        let last = self.samples.len() - 1;
        let below = (position.max(0.0).floor() as usize).min(last);
        let above = (below + 1).min(last);
        let (low, high) = (f64::from(self.samples[below]), f64::from(self.samples[above]));
        low + (high - low) * (position - below as f64).clamp(0.0, 1.0)
    }

    /// Centred moving average over `span_s`, the count of samples cut to a whole number and made odd; windows are shortened
    /// at the ends.
    ///
    /// # Errors
    /// The span is under one sample: the record is too slow to average over it.
    pub fn moving_average(&self, span_s: f64) -> Result<Vec<f64>, Unavailable> {
        Ok(average(&self.samples, self.average_half(span_s)?))
    }

    /// Samples that an average over `span_s` reaches to either side.
    pub(super) fn average_half(&self, span_s: f64) -> Result<usize, Unavailable> {
        let samples = span_s * self.rate_hz;
        if !(1.0..1e9).contains(&samples) {
            return Err(Unavailable::because(format!(
                "an average over {:.2} µs needs at least one sample in it; they are {:.2} µs apart",
                span_s * 1e6,
                1e6 / self.rate_hz
            )));
        }
        // An even count becomes the next odd one. The tenth of a millionth keeps 20.0 us of 1 MHz at 20 samples.
        Ok(((samples + 1e-7).floor() as usize | 1) / 2)
    }

    /// Refuses signals that do not share a time base.
    pub(super) fn check_same_base(&self, other: &Self, name: &str) -> Result<(), Unavailable> {
        if self.samples.len() == other.samples.len()
            && (self.rate_hz - other.rate_hz).abs() <= 1e-9 * self.rate_hz
        {
            return Ok(());
        }
        Err(Unavailable::because(format!(
            "the records of the output ({} samples at {} Hz) and of {name} ({} at {} Hz) do not share a time base",
            self.samples.len(),
            self.rate_hz,
            other.samples.len(),
            other.rate_hz
        )))
    }
}

/// Centred average of `2 half + 1` samples by a running sum. The sum is made anew every so often, so that rounding does not
/// pile up over millions of samples.
fn average(samples: &[f32], half: usize) -> Vec<f64> {
    const ANEW: usize = 4096;
    let mut averages = Vec::with_capacity(samples.len());
    let mut sum = 0.0;
    for at in 0..samples.len() {
        let (from, to) = (at.saturating_sub(half), (at + half + 1).min(samples.len()));
        if at % ANEW == 0 {
            sum = samples[from..to].iter().map(|v| f64::from(*v)).sum();
        } else {
            if at + half < samples.len() {
                sum += f64::from(samples[at + half]);
            }
            if at > half {
                sum -= f64::from(samples[at - half - 1]);
            }
        }
        averages.push(sum / (to - from) as f64);
    }
    averages
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_running_average_is_the_average_of_its_window(
            samples in prop::collection::vec(-30.0f32..30.0, 1..9000),
            half in 0usize..300,
        ) {
            let fast = average(&samples, half);
            for at in (0..samples.len()).step_by(97) {
                let (from, to) = (at.saturating_sub(half), (at + half + 1).min(samples.len()));
                let window = &samples[from..to];
                let naive = window.iter().map(|v| f64::from(*v)).sum::<f64>() / window.len() as f64;
                prop_assert!((fast[at] - naive).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn the_average_spans_an_odd_count_of_samples() {
        let impulse = |rate_hz: f64, span_s: f64| {
            let mut samples = vec![0.0; 101];
            samples[50] = 1.0;
            let record = SlowRecord::new(samples, rate_hz).unwrap();
            record.moving_average(span_s).unwrap().iter().filter(|v| **v > 1e-9).count()
        };
        // 1 MHz over one period of 122 kHz: 8.2 samples, cut to 8, made 9.
        assert_eq!(impulse(1e6, 1.0 / 122e3), 9);
        assert_eq!(impulse(1e6, 20e-6), 21);
        assert_eq!(impulse(1e6, 19e-6), 19);
    }

    #[test]
    fn what_is_not_a_record_is_refused_with_its_reason() {
        let refused = |samples: Vec<f32>, rate_hz| SlowRecord::new(samples, rate_hz).unwrap_err().0;
        insta::assert_snapshot!(refused(vec![], 1e6), @"the record holds no samples");
        insta::assert_snapshot!(refused(vec![0.0, f32::NAN], 1e6), @"1 of 2 samples are not numbers, the first is sample 1");
        insta::assert_snapshot!(refused(vec![0.0], 0.0), @"0 Hz is no sample rate");
        let record = SlowRecord::new(vec![0.0; 1000], 1e6).unwrap();
        insta::assert_snapshot!(
            record.mean_over(TimeWindow { from_s: 0.0, to_s: 2e-3 }).unwrap_err().0,
            @"the window 0.000 to 2.000 ms does not lie within the record of 1.000 ms"
        );
        insta::assert_snapshot!(
            record.moving_average(0.5e-6).unwrap_err().0,
            @"an average over 0.50 µs needs at least one sample in it; they are 1.00 µs apart"
        );
    }
}
