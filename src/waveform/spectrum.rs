//! The spectrum of a record: power density by Welch's method, and the rms within a band (S8).

use super::wide::{Work, widen};
use super::{Figure, Unavailable, Waveform};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use std::f64::consts::TAU;

/// Samples of one segment; segments overlap by half.
pub const SEGMENT: usize = 16_384;

/// The bands of the figures, in Hz: ripple and its first harmonics; edges and most ringing; what a limiter hides.
pub const BANDS_HZ: [(f64, f64); 3] = [(100e3, 1e6), (1e6, 20e6), (20e6, 50e6)];

/// One-sided power density at even steps from 0 Hz up.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// Distance of the lines in Hz.
    pub step_hz: f64,
    /// Power density at each line, in V²/Hz.
    pub density: Vec<f64>,
    /// Segments that were averaged.
    pub segments: usize,
    /// The scope's bandwidth limiter, above which the density is the scope's and not the board's.
    pub limit_hz: Option<f64>,
}

/// Welch's power density of the record: Hann window (the periodic one), segments of [`SEGMENT`] samples that overlap by half,
/// each less its own mean; as `scipy.signal.welch(x, fs, nperseg=16384)`.
///
/// # Errors
/// The trace is unreadable or shorter than one segment.
pub fn measure_spectrum(waveform: &Waveform) -> Result<Spectrum, Unavailable> {
    waveform.check_readable()?;
    spectrum_of(waveform)
}

/// As [`measure_spectrum`] of a trace that can be read.
pub(super) fn spectrum_of(waveform: &Waveform) -> Result<Spectrum, Unavailable> {
    let rate_hz = waveform.sample_rate_hz();
    let count = waveform.codes.len();
    if count < SEGMENT {
        return Err(Unavailable::because(format!(
            "a spectrum needs {SEGMENT} samples, the record has {count}"
        )));
    }
    let (power, segments) = sum_power(waveform, count);
    // The squares of the window add up to 3/8 of its length; all lines but the first and the last stand for two.
    let scale = 1.0 / (rate_hz * 0.375 * SEGMENT as f64 * segments as f64);
    let last = power.len() - 1;
    let density =
        power.iter().enumerate().map(|(k, p)| p * scale * if k == 0 || k == last { 1.0 } else { 2.0 });
    Ok(Spectrum {
        step_hz: rate_hz / SEGMENT as f64,
        density: density.collect(),
        segments,
        limit_hz: waveform.acquisition.bandwidth_limit_hz,
    })
}

/// Power of each line from 0 Hz up to half the sample rate, summed over all segments, and how many there were.
///
/// Two segments go through one complex transform, the one as its real and the other as its imaginary part: as only the sum of
/// their powers is wanted, |X(k)|² + |Y(k)|² = (|Z(k)|² + |Z(-k)|²) / 2 takes them apart as far as needed.
fn sum_power(waveform: &Waveform, count: usize) -> (Vec<f64>, usize) {
    let window: Vec<f32> =
        (0..SEGMENT).map(|n| (0.5 - 0.5 * (TAU * n as f64 / SEGMENT as f64).cos()) as f32).collect();
    let transform = FftPlanner::<f32>::new().plan_fft_forward(SEGMENT);
    let nothing = Complex::new(0.0_f32, 0.0);
    let mut scratch = vec![nothing; transform.get_inplace_scratch_len()];
    let (mut lines, mut power) = (vec![nothing; SEGMENT], vec![0.0_f64; SEGMENT]);
    let (mut first, mut second) = (vec![0.0; SEGMENT], vec![0.0; SEGMENT]);
    let starts: Vec<usize> = (0..=count - SEGMENT).step_by(SEGMENT / 2).collect();
    for pair in starts.chunks(2) {
        waveform.read_block(pair[0], &mut first);
        match pair.get(1) {
            Some(from) => {
                waveform.read_block(*from, &mut second);
            }
            None => second.fill(0.0),
        }
        widen(Windowed { segments: [&first, &second], window: &window, lines: &mut lines });
        transform.process_with_scratch(&mut lines, &mut scratch);
        widen(AddPower { lines: &lines, power: &mut power });
    }
    let both = |k: usize| (power[k] + power[(SEGMENT - k) % SEGMENT]) / 2.0;
    ((0..=SEGMENT / 2).map(both).collect(), starts.len())
}

/// Two segments, each less its mean, to be put into their window and beside each other.
struct Windowed<'a> {
    segments: [&'a [f64]; 2],
    window: &'a [f32],
    lines: &'a mut [Complex<f32>],
}

impl Work for Windowed<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let [first, second] = self.segments;
        let (first_mean, second_mean) = (mean(first), mean(second));
        let segments = first.iter().zip(second).zip(self.window);
        for (line, ((first, second), weight)) in self.lines.iter_mut().zip(segments) {
            line.re = (first - first_mean) as f32 * weight;
            line.im = (second - second_mean) as f32 * weight;
        }
    }
}

/// The mean of a segment, in f64: a ripple of millivolts stands on volts.
#[inline(always)]
fn mean(segment: &[f64]) -> f64 {
    let mut lanes = [0.0_f64; 16];
    for row in segment.as_chunks::<16>().0 {
        for lane in 0..16 {
            lanes[lane] += row[lane];
        }
    }
    lanes.iter().sum::<f64>() / SEGMENT as f64
}

/// Lines whose power is to be added to that of others.
struct AddPower<'a> {
    lines: &'a [Complex<f32>],
    power: &'a mut [f64],
}

impl Work for AddPower<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (sum, line) in self.power.iter_mut().zip(self.lines) {
            *sum += f64::from(line.re * line.re + line.im * line.im);
        }
    }
}

impl Spectrum {
    /// S8: rms of what lies within `from_hz` (included) to `to_hz` (not included), in volts.
    ///
    /// # Errors
    /// The band reaches beyond half the sample rate or the scope's limiter, or is narrower than four lines.
    pub fn band_rms_v(&self, from_hz: f64, to_hz: f64) -> Figure {
        let half_rate_hz = self.step_hz * (self.density.len() - 1) as f64;
        let band = format!("the band from {:.1} to {:.0} MHz", from_hz / 1e6, to_hz / 1e6);
        if to_hz > half_rate_hz * (1.0 + 1e-9) {
            return Err(Unavailable::because(format!(
                "{band} reaches beyond half the sample rate ({:.1} MHz)",
                half_rate_hz / 1e6
            )));
        }
        if let Some(limit_hz) = self.limit_hz.filter(|limit| *limit < to_hz) {
            return Err(Unavailable::because(format!(
                "{band} reaches beyond the scope's bandwidth limiter ({:.0} MHz)",
                limit_hz / 1e6
            )));
        }
        // A line within rounding of the band's edge is on it.
        let line = |hz: f64| (hz / self.step_hz - 1e-9).ceil().max(0.0) as usize;
        let lines = self.density.get(line(from_hz)..line(to_hz).max(line(from_hz))).unwrap_or_default();
        if lines.len() < 4 {
            return Err(Unavailable::because(format!(
                "{band} is {} lines of {:.0} kHz, too few",
                lines.len(),
                self.step_hz / 1e3
            )));
        }
        Ok((lines.iter().sum::<f64>() * self.step_hz).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::made::{Dice, trace};
    use super::*;

    #[test]
    fn a_sine_shows_its_rms_in_its_band_and_nothing_in_the_others() {
        let sine = |n: u32| 5.0 + 0.02 * (TAU * 3.3e6 * f64::from(n) / 125e6).sin();
        let spectrum = measure_spectrum(&trace((0..100_000).map(sine), 125e6)).unwrap();
        let [low, middle, high] = BANDS_HZ.map(|(from, to)| spectrum.band_rms_v(from, to).unwrap());
        assert!((middle / (0.02 / 2.0_f64.sqrt()) - 1.0).abs() < 1e-4, "{middle}");
        assert!(low < 2e-6 && high < 2e-6, "{low} {high}");
        assert_eq!(spectrum.segments, 11);
    }

    #[test]
    fn white_noise_spreads_evenly_over_the_bands() {
        let mut dice = Dice(7);
        let spectrum = measure_spectrum(&trace((0..400_000).map(|_| dice.noise()), 100e6)).unwrap();
        for (from, to) in [(1e6, 20e6), (20e6, 50e6)] {
            let truth = ((to - from) / 50e6_f64).sqrt();
            assert!((spectrum.band_rms_v(from, to).unwrap() / truth - 1.0).abs() < 0.02);
        }
    }

    #[test]
    fn a_band_that_the_record_cannot_hold_is_refused() {
        let mut vout = trace((0..20_000).map(|n| f64::from(n % 7)), 50e6);
        let told = |vout: &Waveform, band: (f64, f64)| {
            measure_spectrum(vout).unwrap().band_rms_v(band.0, band.1).unwrap_err().0
        };
        insta::assert_snapshot!(told(&vout, (20e6, 50e6)),
            @"the band from 20.0 to 50 MHz reaches beyond half the sample rate (25.0 MHz)");
        vout.acquisition.bandwidth_limit_hz = Some(10e6);
        assert!(told(&vout, (1e6, 20e6)).contains("limiter"));
        assert!(told(&vout, (1e3, 2e3)).contains("too few"));
        insta::assert_snapshot!(measure_spectrum(&trace([0.0; 100], 1e8)).unwrap_err(),
            @"a spectrum needs 16384 samples, the record has 100");
    }
}
