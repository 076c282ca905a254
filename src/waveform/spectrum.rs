//! The spectrum of a record: power density by Welch's method, and the rms within a band (S8).

use super::wide::{Work, widen};
use super::{Figure, Unavailable, Waveform};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use std::f64::consts::TAU;
use std::sync::{Arc, LazyLock};

/// Samples of one segment; segments overlap by half.
pub const SEGMENT: usize = 16_384;

/// The bands of the figures, in Hz: ripple and its first harmonics; edges and most ringing; what a limiter hides.
pub const BANDS_HZ: [(f64, f64); 3] = [(100e3, 1e6), (1e6, 20e6), (20e6, 50e6)];

/// Of the two acquisitions of a point the one that a spectrum, and all that stands behind a filter, is taken from: the narrow one,
/// which has less noise, unless samples of it are clipped. What is cut spreads over all frequencies.
pub fn choose_whole<T>(fine: T, wide: T, clipped: impl FnOnce(&T) -> usize) -> T {
    if clipped(&fine) == 0 { fine } else { wide }
}

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
    let Segments { window, transform } = &*SEGMENTS;
    let nothing = Complex::new(0.0_f32, 0.0);
    let mut scratch = vec![nothing; transform.get_inplace_scratch_len()];
    let mut lines = vec![nothing; SEGMENT];
    let (mut part, mut power) = (vec![0.0_f32; SEGMENT], vec![0.0_f64; SEGMENT]);
    let segments = (count - SEGMENT) / HALF + 1;
    let nothing_at_all = Half::nothing();
    let mut halves = [Half::nothing(), Half::nothing(), Half::nothing()];
    halves[0].read(waveform, 0);
    for first in (0..segments).step_by(2) {
        halves[1].read(waveform, first + 1);
        halves[2].read(waveform, first + 2);
        let [a, b, c] = &halves;
        // A segment that is not there is nothing, and not half of one.
        let second = if first + 1 < segments { [b, c] } else { [&nothing_at_all; 2] };
        for (at, half) in lines.chunks_exact_mut(HALF).enumerate() {
            widen(Windowed {
                halves: [([a, b][at], mean([a, b])), (second[at], mean(second))],
                window: &window[at * HALF..],
                lines: half,
            });
        }
        transform.process_with_scratch(&mut lines, &mut scratch);
        widen(AddPower { lines: &lines, power: &mut part });
        if first / 2 % TOGETHER == TOGETHER - 1 {
            widen(Flush { part: &mut part, power: &mut power });
        }
        halves.swap(0, 2);
    }
    widen(Flush { part: &mut part, power: &mut power });
    let both = |k: usize| (power[k] + power[(SEGMENT - k) % SEGMENT]) / 2.0;
    ((0..=SEGMENT / 2).map(both).collect(), segments)
}

/// What every spectrum needs and none changes: making it takes as long as a spectrum of a capture.
struct Segments {
    /// The periodic Hann window.
    window: Vec<f32>,
    transform: Arc<dyn Fft<f32>>,
}

static SEGMENTS: LazyLock<Segments> = LazyLock::new(|| Segments {
    window: (0..SEGMENT).map(|n| (0.5 - 0.5 * (TAU * n as f64 / SEGMENT as f64).cos()) as f32).collect(),
    transform: FftPlanner::new().plan_fft_forward(SEGMENT),
});

/// Samples of half a segment: where one segment begins, the other one is in its middle.
const HALF: usize = SEGMENT / 2;

/// Transforms whose powers are summed in f32, before they are added to the rest in f64.
const TOGETHER: usize = 8;

/// Half a segment, and the sum of it.
struct Half {
    /// Volts less the first sample of the record: a ripple of millivolts stands on volts.
    volts: Vec<f32>,
    sum: f64,
}

impl Half {
    fn nothing() -> Self {
        Self { volts: vec![0.0; HALF], sum: 0.0 }
    }

    /// Reads a half; what lies behind the record is left as it was.
    fn read(&mut self, waveform: &Waveform, number: usize) {
        waveform.read_numbers(number * HALF, &mut self.volts);
        self.sum = widen(Sum(&self.volts)).iter().sum();
    }
}

fn mean(halves: [&Half; 2]) -> f32 {
    ((halves[0].sum + halves[1].sum) / SEGMENT as f64) as f32
}

/// Numbers to be summed, in lanes.
struct Sum<'a>(&'a [f32]);

impl Work for Sum<'_> {
    type Output = [f64; 16];

    #[inline(always)]
    fn call(self) -> [f64; 16] {
        let mut all = [0.0_f64; 16];
        for stretch in self.0.as_chunks::<256>().0 {
            let mut lanes = [0.0_f32; 16];
            for row in stretch.as_chunks::<16>().0 {
                for lane in 0..16 {
                    lanes[lane] += row[lane];
                }
            }
            for lane in 0..16 {
                all[lane] += f64::from(lanes[lane]);
            }
        }
        all
    }
}

/// Halves of two segments, each with the mean of its segment, to be put into their window and beside each other.
struct Windowed<'a> {
    halves: [(&'a Half, f32); 2],
    window: &'a [f32],
    lines: &'a mut [Complex<f32>],
}

impl Work for Windowed<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let [(first, first_mean), (second, second_mean)] = self.halves;
        let segments = first.volts.iter().zip(&second.volts).zip(self.window);
        for (line, ((first, second), weight)) in self.lines.iter_mut().zip(segments) {
            line.re = (first - first_mean) * weight;
            line.im = (second - second_mean) * weight;
        }
    }
}

/// Lines whose power is to be added to that of others.
struct AddPower<'a> {
    lines: &'a [Complex<f32>],
    power: &'a mut [f32],
}

impl Work for AddPower<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (sum, line) in self.power.iter_mut().zip(self.lines) {
            *sum += line.re * line.re + line.im * line.im;
        }
    }
}

/// Powers of a few transforms to be added to that of all, and begun anew.
struct Flush<'a> {
    part: &'a mut [f32],
    power: &'a mut [f64],
}

impl Work for Flush<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (sum, part) in self.power.iter_mut().zip(self.part) {
            *sum += f64::from(*part);
            *part = 0.0;
        }
    }
}

impl Spectrum {
    /// The spectrum in front of the scope's limiter, taken for the single pole that it is nearest to: what the limiter takes off near
    /// its corner would look like attenuation beside a record made without it. Beyond the corner nothing is to be had all the same.
    #[must_use]
    pub fn before_limiter(mut self) -> Self {
        if let Some(limit_hz) = self.limit_hz.filter(|limit_hz| *limit_hz > 0.0) {
            for (place, density) in self.density.iter_mut().enumerate() {
                *density *= 1.0 + (self.step_hz * place as f64 / limit_hz).powi(2);
            }
        }
        self
    }

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
    fn what_a_limiter_takes_off_is_given_back_as_of_a_single_pole() {
        let behind = |limit_hz| Spectrum { step_hz: 1e6, density: vec![1.0; 41], segments: 1, limit_hz };
        let given = behind(Some(20e6)).before_limiter();
        let at = |hz: usize| 10.0 * given.density[hz].log10();
        assert!(at(0) == 0.0 && (at(5) - 0.263).abs() < 1e-3, "{} {}", at(0), at(5));
        assert!((at(20) - 3.0103).abs() < 1e-3, "{}", at(20));
        assert!(given.band_rms_v(20e6, 40e6).is_err());
        assert_eq!(behind(None).before_limiter(), behind(None));
    }

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
