//! A trace: raw codes as captured, and what is needed to read them as volts over time.

use super::Acquisition;
use super::extents::{Extents, NumberExtents};
use super::wide::{Work, widen};
use std::ops::Range;

/// Raw sample codes as the instrument sent them.
#[derive(Debug, Clone, PartialEq)]
pub enum Codes {
    /// One unsigned byte a sample.
    U8(Vec<u8>),
    /// One signed 16-bit word a sample.
    I16(Vec<i16>),
    /// Numbers as a file from elsewhere holds them, without a converter's grid. The scaling applies to them too: volts have
    /// one volt a code, zero at 0, and the least and greatest `i32` for ends that no sample reaches.
    F32(Vec<f32>),
}

impl Codes {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::U8(codes) => codes.len(),
            Self::I16(codes) => codes.len(),
            Self::F32(codes) => codes.len(),
        }
    }
    /// Whether there is no sample at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How codes become volts at the probe tip: `volts = (code - zero_code) * volts_per_code + offset_v`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// Volts a code.
    pub volts_per_code: f64,
    /// The code that stands for `offset_v`.
    pub zero_code: f64,
    /// Volts at the zero code.
    pub offset_v: f64,
    /// The lowest code the converter can give; a sample there is clipped.
    pub min_code: i32,
    /// The highest code the converter can give; a sample there is clipped.
    pub max_code: i32,
}

impl Scaling {
    /// Numbers that are volts, of a converter whose ends are not known: no sample is ever there.
    pub const VOLTS: Self =
        Self { volts_per_code: 1.0, zero_code: 0.0, offset_v: 0.0, min_code: i32::MIN, max_code: i32::MAX };
}

/// One channel's trace of one acquisition.
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    /// Samples as captured.
    pub codes: Codes,
    /// Codes to volts.
    pub scaling: Scaling,
    /// Time of the first sample relative to the trigger, in seconds.
    pub start_s: f64,
    /// Sample interval in seconds.
    pub step_s: f64,
    /// How it was captured.
    pub acquisition: Acquisition,
}

/// Whole levels from 0 up, one a sample, on which the integer kernels work; reads as a slice of them.
///
/// Bytes stand as they are, words shifted by 32768. Numbers without a grid are laid on 65536 levels between their lowest and
/// their highest one: off by half a level at most, which is 1/131070 of what the trace spans.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels {
    samples: Vec<u16>,
    /// Volts at level 0.
    pub zero_v: f64,
    /// Volts a level.
    pub step_v: f64,
}

impl Levels {
    /// Volts at a level, whole or between two.
    #[must_use]
    pub fn volts_at(&self, level: f64) -> f64 {
        level * self.step_v + self.zero_v
    }
}

impl std::ops::Deref for Levels {
    type Target = [u16];
    fn deref(&self) -> &[u16] {
        &self.samples
    }
}

/// Lowest and highest of the numbers, and how many are none (not a number, or infinite).
pub(super) type Span = (f32, f32, usize);

fn span_of(codes: &[f32]) -> Span {
    widen(FindSpan(codes))
}

struct FindSpan<'a>(&'a [f32]);

impl Work for FindSpan<'_> {
    type Output = Span;

    #[inline(always)]
    fn call(self) -> Span {
        let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        let mut bad = 0;
        let (rows, rest) = self.0.as_chunks::<LANES>();
        // So many that no lane's count overflows; and what is no number is neither under nor over another one.
        for stretch in rows.chunks(1 << 16) {
            let mut bad_in_lane = [0_u32; LANES];
            for row in stretch {
                for lane in 0..LANES {
                    low[lane] = if row[lane] < low[lane] { row[lane] } else { low[lane] };
                    high[lane] = if row[lane] > high[lane] { row[lane] } else { high[lane] };
                    bad_in_lane[lane] += u32::from(!row[lane].is_finite());
                }
            }
            bad += bad_in_lane.iter().map(|count| *count as usize).sum::<usize>();
        }
        bad += rest.iter().filter(|code| !code.is_finite()).count();
        (
            low.iter().chain(rest).copied().fold(f32::INFINITY, f32::min),
            high.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max),
            bad,
        )
    }
}

/// Numbers that are compared side by side.
const LANES: usize = 32;

/// The levels of a trace, read where they are needed; [`Levels`] holds all of them.
#[derive(Debug, Clone, Copy)]
pub struct LevelReader<'a> {
    codes: &'a Codes,
    /// The code of level 0.
    low: f32,
    /// Levels a code.
    per_code: f32,
    /// Volts at level 0.
    pub(super) zero_v: f64,
    /// Volts a level.
    pub(super) step_v: f64,
}

/// Levels that are read at a time: short stretches are read too.
const BLOCK: usize = 512;

impl LevelReader<'_> {
    /// Number of samples.
    pub(super) fn len(&self) -> usize {
        self.codes.len()
    }

    /// Volts at a level, whole or between two.
    pub(super) fn volts_at(&self, level: f64) -> f64 {
        level * self.step_v + self.zero_v
    }

    /// Gives the levels of a stretch, some at a time; nothing of a stretch that leaves the record.
    pub(super) fn read(&self, stretch: Range<usize>, mut give: impl FnMut(&[u16])) {
        let mut block = [0; BLOCK];
        let end = if stretch.end <= self.len() { stretch.end } else { stretch.start };
        for from in (stretch.start..end).step_by(BLOCK) {
            let levels = &mut block[..BLOCK.min(end - from)];
            self.fill(from, levels);
            give(levels);
        }
    }

    /// How many samples are such with the one before.
    pub(super) fn count_pairs(&self, are: impl Fn(u16, u16) -> bool) -> usize {
        let (mut count, mut before) = (0, None);
        self.read(0..self.len(), |levels| {
            count += levels.windows(2).filter(|pair| are(pair[0], pair[1])).count();
            count +=
                usize::from(before.zip(levels.first()).is_some_and(|(before, level)| are(before, *level)));
            before = levels.last().copied();
        });
        count
    }

    /// Fills in the levels of the samples from `from` on.
    pub(super) fn fill(&self, from: usize, levels: &mut [u16]) {
        fn behind<T>(codes: &[T], from: usize) -> &[T] {
            codes.get(from..).unwrap_or_default()
        }
        match self.codes {
            Codes::U8(codes) => widen(|| {
                for (level, code) in levels.iter_mut().zip(behind(codes, from)) {
                    *level = u16::from(*code);
                }
            }),
            Codes::I16(codes) => widen(|| {
                for (level, code) in levels.iter_mut().zip(behind(codes, from)) {
                    // The sign bit turned over is the shift by 32768.
                    *level = (*code as u16) ^ 0x8000;
                }
            }),
            Codes::F32(codes) => self.lay(behind(codes, from), levels),
        }
    }

    /// Lays numbers on levels.
    pub(super) fn lay(&self, codes: &[f32], levels: &mut [u16]) {
        widen(LayOnLevels { codes, low: self.low, per_code: self.per_code, levels });
    }
}

/// Added to a number far under it, this leaves the nearest whole number in the lowest bits.
const WHOLE: f32 = 8_388_608.0;

/// Numbers to be laid on levels.
struct LayOnLevels<'a> {
    codes: &'a [f32],
    low: f32,
    per_code: f32,
    levels: &'a mut [u16],
}

impl Work for LayOnLevels<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (level, code) in self.levels.iter_mut().zip(self.codes) {
            // A cast would be one sample at a time, for the sake of numbers that no level is.
            *level = ((code - self.low) * self.per_code + WHOLE).to_bits() as u16;
        }
    }
}

impl Waveform {
    /// Volts without a converter's grid, so many samples a second; of their capture nothing is told.
    #[must_use]
    pub fn of_volts(signal: &str, volts: impl IntoIterator<Item = f64>, rate_hz: f64) -> Self {
        let codes: Vec<f32> = volts.into_iter().map(|volts| volts as f32).collect();
        Self {
            acquisition: Acquisition::untold(signal, codes.len()),
            codes: Codes::F32(codes),
            scaling: Scaling::VOLTS,
            start_s: 0.0,
            step_s: 1.0 / rate_hz,
        }
    }

    /// Sample rate in Hz.
    #[must_use]
    pub fn sample_rate_hz(&self) -> f64 {
        1.0 / self.step_s
    }

    /// The samples in volts at the probe tip.
    #[must_use]
    pub fn volts(&self) -> Vec<f32> {
        let Scaling { volts_per_code, zero_code, offset_v, .. } = self.scaling;
        // One multiply-add a sample: the constants are folded once, in f64, before the loop.
        let (gain, base) = (volts_per_code as f32, (offset_v - zero_code * volts_per_code) as f32);
        match &self.codes {
            Codes::U8(codes) => codes.iter().map(|code| f32::from(*code) * gain + base).collect(),
            Codes::I16(codes) => codes.iter().map(|code| f32::from(*code) * gain + base).collect(),
            Codes::F32(codes) => codes.iter().map(|code| code * gain + base).collect(),
        }
    }

    /// How many samples stand at the lowest and at the highest code.
    #[must_use]
    pub fn clipped(&self) -> usize {
        let Scaling { min_code, max_code, .. } = self.scaling;
        let at_end = |code: i32| code <= min_code || code >= max_code;
        if self.is_endless() {
            return 0;
        }
        match &self.codes {
            Codes::U8(codes) => codes.iter().filter(|code| at_end(i32::from(**code))).count(),
            Codes::I16(codes) => codes.iter().filter(|code| at_end(i32::from(**code))).count(),
            Codes::F32(codes) => codes.iter().filter(|code| self.is_clipped_number(**code)).count(),
        }
    }

    /// Positions of the samples that stand at the lowest or at the highest code.
    #[must_use]
    pub fn clipped_samples(&self) -> Vec<usize> {
        let Scaling { min_code, max_code, .. } = self.scaling;
        let at_end = |code: i32| code <= min_code || code >= max_code;
        let mut found = Vec::new();
        if self.is_endless() {
            return found;
        }
        match &self.codes {
            Codes::U8(codes) => {
                found
                    .extend(codes.iter().enumerate().filter(|(_, c)| at_end(i32::from(**c))).map(|(i, _)| i));
            }
            Codes::I16(codes) => {
                found
                    .extend(codes.iter().enumerate().filter(|(_, c)| at_end(i32::from(**c))).map(|(i, _)| i));
            }
            Codes::F32(codes) => {
                found.extend(
                    codes.iter().enumerate().filter(|(_, c)| self.is_clipped_number(**c)).map(|(i, _)| i),
                );
            }
        }
        found
    }

    /// Whether it is known where the converter's range ends; of a file from elsewhere it is not.
    pub(super) fn has_known_ends(&self) -> bool {
        let unknown = Scaling::VOLTS;
        (self.scaling.min_code, self.scaling.max_code) != (unknown.min_code, unknown.max_code)
    }

    /// Whether the numbers have no ends at which a sample could be clipped, as those of a file from elsewhere.
    pub(super) fn is_endless(&self) -> bool {
        matches!(self.codes, Codes::F32(_)) && !self.has_known_ends()
    }

    fn is_clipped_number(&self, code: f32) -> bool {
        let Scaling { min_code, max_code, .. } = self.scaling;
        f64::from(code) <= f64::from(min_code) || f64::from(code) >= f64::from(max_code)
    }

    /// The samples as whole levels, for integer kernels.
    #[must_use]
    pub fn levels(&self) -> Levels {
        let span = match &self.codes {
            Codes::F32(codes) => span_of(codes),
            _ => (0.0, 0.0, 0),
        };
        self.levels_within((span.0, span.1))
    }

    /// The levels of a trace that can be read, to be read some at a time.
    ///
    /// # Errors
    /// As [`Waveform::check_readable`].
    pub fn read_levels(&self) -> Result<LevelReader<'_>, super::Unavailable> {
        Ok(self.level_reader(self.check_span()?))
    }

    /// As [`Waveform::levels`] of numbers whose lowest and highest are known.
    fn levels_within(&self, span: (f32, f32)) -> Levels {
        let reader = self.level_reader(span);
        let mut samples = vec![0; self.codes.len()];
        reader.fill(0, &mut samples);
        Levels { samples, zero_v: reader.zero_v, step_v: reader.step_v }
    }

    /// The samples as whole levels, to be read some at a time; `low` and `high` are the lowest and the highest number.
    pub(super) fn level_reader(&self, (low, high): (f32, f32)) -> LevelReader<'_> {
        let Scaling { volts_per_code, zero_code, offset_v, .. } = self.scaling;
        let (code_at_zero, codes_a_level) = match &self.codes {
            Codes::U8(_) => (0.0, 1.0),
            Codes::I16(_) => (-32768.0, 1.0),
            Codes::F32(_) => (f64::from(low), (f64::from(high) - f64::from(low)) / f64::from(u16::MAX)),
        };
        LevelReader {
            codes: &self.codes,
            low,
            // Trace and level are far above the smallest float; a trace that does not move is all level 0.
            per_code: if codes_a_level > 0.0 { (1.0 / codes_a_level) as f32 } else { 0.0 },
            zero_v: (code_at_zero - zero_code) * volts_per_code + offset_v,
            step_v: codes_a_level * volts_per_code,
        }
    }

    /// The sample rate in Hz, once it is certain that the trace can be read at all.
    ///
    /// # Errors
    /// No samples, samples that are no finite numbers (counted), or a scale or sample interval that is not a usable number.
    pub fn check_readable(&self) -> Result<f64, super::Unavailable> {
        self.check_span().map(|_| self.sample_rate_hz())
    }

    /// As [`Waveform::check_readable`]; gives the lowest and the highest number of a trace of numbers. What is made of one trace
    /// many times over looks through it once, here.
    pub(super) fn check_span(&self) -> Result<(f32, f32), super::Unavailable> {
        self.check_scale()?;
        match &self.codes {
            Codes::F32(codes) => self.check_numbers(codes.len(), span_of(codes)),
            _ => Ok((0.0, 0.0)),
        }
    }

    /// As [`Waveform::check_span`] of numbers that are all finite and of which the lowest and the highest are known.
    pub(super) fn check_known_span(&self, (low, high): (f32, f32)) -> Result<(f32, f32), super::Unavailable> {
        self.check_scale()?;
        self.check_numbers(self.codes.len(), (low, high, 0))
    }

    /// As [`Waveform::check_span`]; gives the levels and the extent of each block of them.
    pub(super) fn check_extents(&self) -> Result<(LevelReader<'_>, Extents), super::Unavailable> {
        self.check_scale()?;
        if let Codes::F32(codes) = &self.codes {
            let (extents, span) = NumberExtents::of(codes);
            let levels = self.level_reader(self.check_numbers(codes.len(), span)?);
            return Ok((levels, Extents::of_numbers(&extents, &levels)));
        }
        let levels = self.level_reader((0.0, 0.0));
        Ok((levels, Extents::of(&levels)))
    }

    /// Refuses a trace without samples, or with a scale or a sample interval that is no usable number.
    fn check_scale(&self) -> Result<(), super::Unavailable> {
        let Scaling { volts_per_code, zero_code, offset_v, .. } = self.scaling;
        let signal = &self.acquisition.signal;
        if self.codes.is_empty() {
            return Err(super::Unavailable::because(format!("the trace of {signal} holds no samples")));
        }
        if !((1e-15..1e9).contains(&volts_per_code) && is_usable(zero_code) && is_usable(offset_v)) {
            return Err(super::Unavailable::because(format!(
                "the trace of {signal} has no usable scale: {volts_per_code} V a code, zero at {zero_code}, offset {offset_v} V"
            )));
        }
        if !(1e-15..1e6).contains(&self.step_s) {
            return Err(super::Unavailable::because(format!(
                "the trace of {signal} has no usable sample interval: {} s",
                self.step_s
            )));
        }
        Ok(())
    }

    /// The lowest and the highest of so many numbers, where all are usable.
    fn check_numbers(&self, count: usize, (low, high, bad): Span) -> Result<(f32, f32), super::Unavailable> {
        let signal = &self.acquisition.signal;
        if bad > 0 {
            return Err(super::Unavailable::because(format!(
                "{bad} of {count} samples of {signal} are no finite numbers"
            )));
        }
        if !(is_usable(f64::from(low)) && is_usable(f64::from(high))) {
            return Err(super::Unavailable::because(format!(
                "the samples of {signal} reach from {low:e} to {high:e}: no instrument gives such volts"
            )));
        }
        Ok((low, high))
    }
}

/// Far beyond any instrument, and near enough that no figure overflows.
fn is_usable(value: f64) -> bool {
    value.abs() < 1e9
}

#[cfg(test)]
mod tests {
    use super::{LayOnLevels, span_of, widen};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_lie_on_the_level_that_is_nearest(low in -9.0_f32..9.0, parts in prop::collection::vec(0.0_f32..1.0, 1..100)) {
            let codes: Vec<f32> = [0.0, 1.0].into_iter().chain(parts).map(|part| low + 3.0 * part).collect();
            let per_code = 65_535.0 / 3.0;
            let mut levels = vec![0; codes.len()];
            widen(LayOnLevels { codes: &codes, low, per_code, levels: &mut levels });
            let naive: Vec<u16> = codes.iter().map(|code| ((code - low) * per_code).round_ties_even() as u16).collect();
            prop_assert_eq!(levels, naive);
        }

        #[test]
        fn the_span_of_numbers_side_by_side_is_that_of_one_after_the_other(
            codes in prop::collection::vec(any::<f32>(), 0..200),
        ) {
            let naive = codes.iter().fold((f32::INFINITY, f32::NEG_INFINITY, 0), |(low, high, bad), code| {
                (code.min(low), code.max(high), bad + usize::from(!code.is_finite()))
            });
            prop_assert_eq!(span_of(&codes), naive);
        }
    }
}
