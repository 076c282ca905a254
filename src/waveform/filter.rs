//! The 20 MHz figures (S4): the record behind a single pole, as behind a scope's bandwidth limiter.

use super::trace::Levels;
use super::{Figure, Unavailable, Waveform};
use std::f64::consts::PI;

/// The limiter's corner, the usual one for ripple and noise figures, in Hz.
pub const LIMIT_HZ: f64 = 20e6;

/// The start of the filtered record that is dropped because the filter starts from zero, in seconds.
pub const SETTLING_S: f64 = 1e-6;

/// A first-order Butterworth low-pass by the bilinear transform with pre-warping.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SinglePole {
    /// Weight of the present and the previous input.
    feed: f64,
    /// Weight of the previous output.
    back: f64,
    input: f64,
    output: f64,
}

impl SinglePole {
    /// A filter at rest.
    ///
    /// # Errors
    /// The corner is not below half the sample rate.
    pub fn new(corner_hz: f64, sample_rate_hz: f64) -> Result<Self, Unavailable> {
        let ratio = corner_hz / sample_rate_hz;
        if !(ratio > 0.0 && ratio < 0.5) {
            return Err(Unavailable::because(format!(
                "a {:.0} MHz low-pass needs more than {:.0} MSa/s, the record has {:.3} MSa/s",
                corner_hz / 1e6,
                corner_hz / 5e5,
                sample_rate_hz / 1e6
            )));
        }
        // Pre-warped: the corner lies at `corner_hz` exactly, however near it is to half the sample rate.
        let warped = (PI * ratio).tan();
        let (feed, back) = (warped / (1.0 + warped), (1.0 - warped) / (1.0 + warped));
        Ok(Self { feed, back, input: 0.0, output: 0.0 })
    }

    /// The answer to the next sample.
    pub fn step(&mut self, input: f64) -> f64 {
        self.output = self.feed * (input + self.input) + self.back * self.output;
        self.input = input;
        self.output
    }
}

/// Peak to peak and rms of a filtered record, in volts.
#[derive(Debug, Clone, PartialEq)]
pub struct Limited {
    /// Highest less lowest value.
    pub pp_v: Figure,
    /// Standard deviation.
    pub rms_v: Figure,
}

/// S4: peak to peak and rms behind a single pole at 20 MHz, the first microsecond dropped. A record that the scope has
/// already limited to 20 MHz or less is taken as it is: a second pole would make the corner 13 MHz. `levels` are the record's
/// own.
#[must_use]
pub fn measure_limited(waveform: &Waveform, levels: &Levels) -> Limited {
    match limit(waveform, levels) {
        Ok((pp_v, rms_v)) => Limited { pp_v: Ok(pp_v), rms_v: Ok(rms_v) },
        Err(reason) => Limited { pp_v: Err(reason.clone()), rms_v: Err(reason) },
    }
}

fn limit(waveform: &Waveform, levels: &Levels) -> Result<(f64, f64), Unavailable> {
    let rate_hz = waveform.check_readable()?;
    let dropped = (SETTLING_S * rate_hz).round() as usize;
    if levels.len() < dropped + 2 {
        return Err(Unavailable::because(format!(
            "the record has {} samples, fewer than the filter's settling time of 1 µs and two more",
            levels.len()
        )));
    }
    let mean = levels.iter().map(|level| u64::from(*level)).sum::<u64>() as f64 / levels.len() as f64;
    let limited_already = waveform.acquisition.bandwidth_limit_hz.is_some_and(|corner| corner <= LIMIT_HZ);
    let mut filter = if limited_already { None } else { Some(SinglePole::new(LIMIT_HZ, rate_hz)?) };
    let mut spread = Spread::default();
    for (index, level) in levels.iter().enumerate() {
        let input = f64::from(*level) - mean;
        let output = filter.as_mut().map_or(input, |filter| filter.step(input));
        if index >= dropped {
            spread.add(output);
        }
    }
    let step_v = levels.step_v;
    Ok(((spread.high - spread.low) * step_v, spread.std_dev() * step_v))
}

/// Extremes and spread of values that lie about zero.
struct Spread {
    count: f64,
    sum: f64,
    squares: f64,
    low: f64,
    high: f64,
}

impl Default for Spread {
    fn default() -> Self {
        Self { count: 0.0, sum: 0.0, squares: 0.0, low: f64::INFINITY, high: f64::NEG_INFINITY }
    }
}

impl Spread {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        self.sum += value;
        self.squares += value * value;
        self.low = self.low.min(value);
        self.high = self.high.max(value);
    }

    fn std_dev(&self) -> f64 {
        let mean = self.sum / self.count;
        (self.squares / self.count - mean * mean).max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gain at `hz` of the filter for a 100 MSa/s record, from its answer to a long sine.
    fn gain(hz: f64) -> f64 {
        let mut filter = SinglePole::new(LIMIT_HZ, 100e6).unwrap();
        let (mut sum, n) = (0.0, 100_000);
        for index in 0..n {
            let answer = filter.step((2.0 * PI * hz * f64::from(index) / 100e6).sin());
            if index >= n / 2 {
                sum += answer * answer;
            }
        }
        (2.0 * sum / f64::from(n / 2)).sqrt()
    }

    #[test]
    fn the_corner_takes_three_decibels_and_the_ripple_passes() {
        assert!((gain(20e6) - 0.5_f64.sqrt()).abs() < 1e-3, "{}", gain(20e6));
        assert!((gain(122e3) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_spike_that_rings_at_17_megahertz_loses_only_about_a_fifth() {
        let kept = gain(17e6);
        assert!((0.7..0.85).contains(&kept), "{kept}");
    }

    #[test]
    fn a_slow_record_cannot_carry_the_filter() {
        insta::assert_snapshot!(SinglePole::new(20e6, 25e6).unwrap_err(),
            @"a 20 MHz low-pass needs more than 40 MSa/s, the record has 25.000 MSa/s");
        assert!(SinglePole::new(20e6, f64::NAN).is_err());
    }
}
