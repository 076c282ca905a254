//! Sums over the whole record: mean, rms, extremes, drift (S1, S2, S3, S9), exact in integers where codes are, in doubles where they are not.

use super::trace::LevelReader;
use super::wide::{Work, widen};
use super::{Codes, Scaling, Unavailable, Waveform};
use std::ops::Range;

/// What the samples of one trace add up to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Samples in the record.
    pub count: usize,
    /// S1 in volts.
    pub mean_v: f64,
    /// S2 in volts.
    pub rms_ac_v: f64,
    /// S3: lowest sample in volts.
    pub min_v: f64,
    /// S3: highest sample in volts.
    pub max_v: f64,
    /// S9 in volts; 0 halves do not exist, so there is none for a single sample.
    pub drift_v: Option<f64>,
    /// One step of the converter in volts.
    pub step_v: f64,
    /// Converter steps between lowest and highest sample.
    pub steps_used: u32,
    /// Part of the converter's range that the trace uses, 0 to 1.
    pub range_used: f64,
    /// Samples at the lowest code of the converter.
    pub clipped_low: usize,
    /// Samples at the highest code of the converter.
    pub clipped_high: usize,
}

/// Integer sums of a stretch of levels.
#[derive(Clone, Copy)]
struct Sums {
    sum: u64,
    squares: u128,
    low: u16,
    high: u16,
}

impl Sums {
    const NONE: Self = Self { sum: 0, squares: 0, low: u16::MAX, high: 0 };

    #[inline(always)]
    fn add(&mut self, other: &Self) {
        self.sum += other.sum;
        self.squares += other.squares;
        (self.low, self.high) = (self.low.min(other.low), self.high.max(other.high));
    }
}

/// Adds up in stretches short enough for 64-bit (and, for bytes, 32-bit) sums, which the compiler makes wide.
struct AddUp<'a>(&'a [u16]);

impl Work for AddUp<'_> {
    type Output = Sums;

    #[inline(always)]
    fn call(self) -> Sums {
        let mut all = Sums::NONE;
        for stretch in self.0.chunks(4096) {
            let (mut sum, mut squares) = (0_u32, 0_u64);
            let (mut low, mut high) = (u16::MAX, 0);
            for level in stretch {
                let value = u32::from(*level);
                sum += value;
                squares += u64::from(value * value);
                (low, high) = (low.min(*level), high.max(*level));
            }
            all.add(&Sums { sum: sum.into(), squares: squares.into(), low, high });
        }
        all
    }
}

/// S1, S2, S3 and S9 of a trace, and how well it uses its range.
///
/// # Errors
/// The trace is empty or its scale cannot be used.
pub fn measure_moments(waveform: &Waveform) -> Result<Moments, Unavailable> {
    waveform.check_readable()?;
    Ok(match &waveform.codes {
        Codes::F32(codes) => moments_of_numbers(waveform, codes, &add_up_halves(codes)),
        _ => measure_levels(waveform, &waveform.read_levels()?),
    })
}

/// Moments and levels of a trace, made in as few passes as there can be: of numbers, the sums tell their span too, and whether
/// all of them are finite.
///
/// # Errors
/// As [`measure_moments`].
pub(super) fn moments_and_levels(waveform: &Waveform) -> Result<(Moments, LevelReader<'_>), Unavailable> {
    if let Codes::F32(codes) = &waveform.codes
        && let halves = add_up_halves(codes)
        // Of a number that is none the sums are none; of finite ones they cannot leave a double's range.
        && halves.iter().all(|half| half.squares.is_finite())
    {
        let span = waveform.check_known_span(span_of_halves(&halves))?;
        return Ok((moments_of_numbers(waveform, codes, &halves), waveform.level_reader(span)));
    }
    let levels = waveform.read_levels()?;
    Ok((measure_levels(waveform, &levels), levels))
}

/// The same of whole codes, exact in integers.
fn measure_levels(waveform: &Waveform, levels: &LevelReader<'_>) -> Moments {
    let (first, second) = (0..levels.len() / 2, levels.len() / 2..levels.len());
    let add_up = |stretch: &Range<usize>| {
        let mut all = Sums::NONE;
        levels.read(stretch.clone(), |levels| all.add(&widen(AddUp(levels))));
        all
    };
    let (early, late) = (add_up(&first), add_up(&second));
    let sum = early.sum + late.sum;
    let squares = early.squares + late.squares;
    let (low, high) = (early.low.min(late.low), early.high.max(late.high));
    let count = levels.len() as u128;
    // n * sum(x^2) - sum(x)^2 is exact in integers; as a difference of means it would cancel.
    let spread = count * squares - u128::from(sum) * u128::from(sum);
    let n = levels.len() as f64;
    let step_v = waveform.scaling.volts_per_code;
    let drift_v = (!first.is_empty())
        .then(|| (late.sum as f64 / second.len() as f64 - early.sum as f64 / first.len() as f64) * step_v);
    let (clipped_low, clipped_high) = count_clipped(waveform);
    Moments {
        count: levels.len(),
        mean_v: levels.volts_at(sum as f64 / n),
        rms_ac_v: (spread as f64).sqrt() / n * step_v,
        min_v: levels.volts_at(f64::from(low)),
        max_v: levels.volts_at(f64::from(high)),
        drift_v,
        step_v,
        steps_used: u32::from(high - low),
        range_used: range_used(waveform, f64::from(high - low)),
        clipped_low,
        clipped_high,
    }
}

/// The part of the converter's range that so many codes are. Where the range is not known, as of a file from elsewhere,
/// nothing can be said to use it badly.
fn range_used(waveform: &Waveform, codes: f64) -> f64 {
    let Scaling { min_code, max_code, .. } = waveform.scaling;
    if waveform.has_known_ends() { codes / (f64::from(max_code) - f64::from(min_code)).max(1.0) } else { 1.0 }
}

/// Sums of a stretch of numbers less the first one of the record, which keeps their digits.
#[derive(Clone, Copy)]
struct NumberSums {
    sum: f64,
    squares: f64,
    low: f32,
    high: f32,
}

/// Numbers that are added side by side; the sums do not depend on how many of them the processor takes at once.
const LANES: usize = 16;

struct AddUpNumbers<'a> {
    codes: &'a [f32],
    base: f64,
}

impl Work for AddUpNumbers<'_> {
    type Output = NumberSums;

    #[inline(always)]
    fn call(self) -> NumberSums {
        let Self { codes, base } = self;
        let (mut sum, mut squares) = ([0.0_f64; LANES], [0.0_f64; LANES]);
        let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        let (rows, rest) = codes.as_chunks::<LANES>();
        for row in rows {
            for lane in 0..LANES {
                let value = f64::from(row[lane]) - base;
                sum[lane] += value;
                squares[lane] += value * value;
                low[lane] = if row[lane] < low[lane] { row[lane] } else { low[lane] };
                high[lane] = if row[lane] > high[lane] { row[lane] } else { high[lane] };
            }
        }
        let mut all = NumberSums {
            sum: sum.iter().sum(),
            squares: squares.iter().sum(),
            low: low.iter().copied().fold(f32::INFINITY, f32::min),
            high: high.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        };
        for code in rest {
            let value = f64::from(*code) - base;
            all.sum += value;
            all.squares += value * value;
            (all.low, all.high) = (all.low.min(*code), all.high.max(*code));
        }
        all
    }
}

/// Sums of the first and of the second half.
fn add_up_halves(codes: &[f32]) -> [NumberSums; 2] {
    let base = codes.first().map_or(0.0, |code| f64::from(*code));
    let (first, second) = codes.split_at(codes.len() / 2);
    [first, second].map(|codes| widen(AddUpNumbers { codes, base }))
}

fn span_of_halves([early, late]: &[NumberSums; 2]) -> (f32, f32) {
    (early.low.min(late.low), early.high.max(late.high))
}

/// The same of numbers without a grid, from the sums of their halves; its step is that of [`Waveform::levels`].
fn moments_of_numbers(waveform: &Waveform, codes: &[f32], halves: &[NumberSums; 2]) -> Moments {
    let Scaling { volts_per_code, zero_code, offset_v, .. } = waveform.scaling;
    let base = codes.first().map_or(0.0, |code| f64::from(*code));
    let ([early, late], (low, high)) = (halves, span_of_halves(halves));
    let (first, second) = codes.split_at(codes.len() / 2);
    let n = codes.len() as f64;
    let mean = (early.sum + late.sum) / n;
    let spread = ((early.squares + late.squares) / n - mean * mean).max(0.0);
    let (low, high) = (f64::from(low), f64::from(high));
    let volts = |code: f64| (code - zero_code) * volts_per_code + offset_v;
    let drift = || late.sum / second.len() as f64 - early.sum / first.len() as f64;
    let (clipped_low, clipped_high) = count_clipped(waveform);
    Moments {
        count: codes.len(),
        mean_v: volts(base + mean),
        rms_ac_v: spread.sqrt() * volts_per_code,
        min_v: volts(low),
        max_v: volts(high),
        drift_v: (!first.is_empty()).then(|| drift() * volts_per_code),
        step_v: (high - low) / f64::from(u16::MAX) * volts_per_code,
        steps_used: if high > low { u32::from(u16::MAX) } else { 0 },
        range_used: range_used(waveform, high - low),
        clipped_low,
        clipped_high,
    }
}

fn count_clipped(waveform: &Waveform) -> (usize, usize) {
    let (low, high) = (waveform.scaling.min_code, waveform.scaling.max_code);
    match &waveform.codes {
        Codes::U8(codes) => count_ends(codes, low, high),
        Codes::I16(codes) => count_ends(codes, low, high),
        Codes::F32(_) if waveform.is_endless() => (0, 0),
        Codes::F32(codes) => codes.iter().fold((0, 0), |(below, above), code| {
            let code = f64::from(*code);
            (below + usize::from(code <= f64::from(low)), above + usize::from(code >= f64::from(high)))
        }),
    }
}

/// How many codes stand at or beyond the lowest, and how many at or beyond the highest one.
fn count_ends<T: Copy + Into<i32>>(codes: &[T], low: i32, high: i32) -> (usize, usize) {
    widen(CountEnds { codes, low, high })
}

struct CountEnds<'a, T> {
    codes: &'a [T],
    low: i32,
    high: i32,
}

impl<T: Copy + Into<i32>> Work for CountEnds<'_, T> {
    type Output = (usize, usize);

    #[inline(always)]
    fn call(self) -> (usize, usize) {
        let (mut all_below, mut all_above) = (0, 0);
        for stretch in self.codes.chunks(1 << 16) {
            let (mut below, mut above) = (0_u32, 0_u32);
            for code in stretch {
                let code: i32 = (*code).into();
                below += u32::from(code <= self.low);
                above += u32::from(code >= self.high);
            }
            all_below += below as usize;
            all_above += above as usize;
        }
        (all_below, all_above)
    }
}
