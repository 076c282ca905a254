//! Samples in volts, a block at a time, so that no kernel needs a copy of the whole record.

use super::strips::{Number, ROWS, STRIPS, Tile};
use super::wide::{Work, widen};
use super::{Codes, Scaling, Waveform};
use std::ops::Range;

impl Waveform {
    /// Fills `block` with the samples from `from` on, in volts at the probe tip, and gives how many there were.
    pub fn read_block(&self, from: usize, block: &mut [f64]) -> usize {
        let count = block.len().min(self.codes.len().saturating_sub(from));
        let range = from..from.saturating_add(count);
        let scaling = self.scaling;
        match &self.codes {
            Codes::U8(codes) => widen(Convert { codes: part(codes, range), scaling, block }),
            Codes::I16(codes) => widen(Convert { codes: part(codes, range), scaling, block }),
            Codes::F32(codes) => widen(Convert { codes: part(codes, range), scaling, block }),
        }
        count
    }

    /// As [`Waveform::read_block`], less the record's first sample and in f32: what is left needs no more digits.
    pub(super) fn read_numbers(&self, from: usize, block: &mut [f32]) {
        let gain = self.scaling.volts_per_code as f32;
        match &self.codes {
            Codes::U8(codes) => read_less(codes, from, gain, block),
            Codes::I16(codes) => read_less(codes, from, gain, block),
            Codes::F32(codes) => read_less(codes, from, gain, block),
        }
    }

    /// Fills a tile with stretches of the record side by side, each beginning at its own sample: volts less `base_v`, times
    /// `gain`; whether all of them lie in the record. Nothing is filled in where one does not.
    pub(super) fn read_columns<N: Number>(
        &self,
        starts: &[usize; STRIPS],
        (base_v, gain): (f64, f64),
        tile: &mut Tile<N>,
    ) -> bool {
        let Scaling { volts_per_code, zero_code, offset_v, .. } = self.scaling;
        let base = zero_code + (base_v - offset_v) / volts_per_code;
        let terms = (N::nearest(base), N::nearest(gain * volts_per_code));
        match &self.codes {
            Codes::U8(codes) => read_side_by_side(codes, starts, terms, tile),
            Codes::I16(codes) => read_side_by_side(codes, starts, terms, tile),
            Codes::F32(codes) => read_side_by_side(codes, starts, terms, tile),
        }
        .is_some()
    }
}

fn part<T>(codes: &[T], range: Range<usize>) -> &[T] {
    codes.get(range).unwrap_or_default()
}

/// A block of codes to be made volts.
struct Convert<'a, T> {
    codes: &'a [T],
    scaling: Scaling,
    block: &'a mut [f64],
}

impl<T: Copy + Into<f64>> Work for Convert<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (place, code) in self.block.iter_mut().zip(self.codes) {
            *place = volts((*code).into(), self.scaling);
        }
    }
}

#[inline(always)]
fn volts(code: f64, Scaling { volts_per_code, zero_code, offset_v, .. }: Scaling) -> f64 {
    (code - zero_code) * volts_per_code + offset_v
}

fn read_less<T: Copy + Into<f32>>(codes: &[T], from: usize, gain: f32, block: &mut [f32]) {
    widen(Less { codes: codes.get(from..).unwrap_or_default(), base: codes.first(), gain, block });
}

/// Codes less the first one, to be made volts.
struct Less<'a, T> {
    codes: &'a [T],
    base: Option<&'a T>,
    gain: f32,
    block: &'a mut [f32],
}

impl<T: Copy + Into<f32>> Work for Less<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let base = self.base.map_or(0.0, |code| (*code).into());
        for (place, code) in self.block.iter_mut().zip(self.codes) {
            *place = ((*code).into() - base) * self.gain;
        }
    }
}

fn read_side_by_side<T: Copy + Into<f32>, N: Number>(
    codes: &[T],
    starts: &[usize; STRIPS],
    terms: (N, N),
    tile: &mut Tile<N>,
) -> Option<()> {
    let mut columns = [codes.first_chunk::<ROWS>()?; STRIPS];
    for (column, start) in columns.iter_mut().zip(starts) {
        *column = codes.get(*start..)?.first_chunk::<ROWS>()?;
    }
    widen(SideBySide { columns, terms, tile });
    Some(())
}

/// Stretches of codes to be made rows of numbers, one sample of each stretch a row.
struct SideBySide<'a, T, N> {
    columns: [&'a [T; ROWS]; STRIPS],
    /// What is taken away from a code, and by what the rest is multiplied.
    terms: (N, N),
    tile: &'a mut Tile<N>,
}

/// Samples of as many stretches that change places together.
const SQUARE: usize = 4;

impl<T: Copy + Into<f32>, N: Number> Work for SideBySide<'_, T, N> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (base, gain) = self.terms;
        for (turn, rows) in self.tile.as_chunks_mut::<SQUARE>().0.iter_mut().enumerate() {
            for (part, columns) in self.columns.as_chunks::<SQUARE>().0.iter().enumerate() {
                let mut square = [[0.0_f32; SQUARE]; SQUARE];
                for (line, column) in square.iter_mut().zip(columns) {
                    for (place, code) in line.iter_mut().zip(&column[turn * SQUARE..]) {
                        *place = (*code).into();
                    }
                }
                for (at, row) in rows.iter_mut().enumerate() {
                    for (strip, place) in row[part * SQUARE..][..SQUARE].iter_mut().enumerate() {
                        *place = (N::from(square[strip][at]) - base) * gain;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod made {
    //! Traces for the kernels' tests.
    use crate::waveform::Waveform;

    /// An output of numbers without a converter's grid.
    pub(in crate::waveform) fn trace(volts: impl IntoIterator<Item = f64>, rate_hz: f64) -> Waveform {
        Waveform::of_volts("vout", volts, rate_hz)
    }

    /// Even noise of sigma 1, the same on every machine.
    pub(in crate::waveform) struct Dice(pub(in crate::waveform) u64);

    impl Dice {
        pub(in crate::waveform) fn uniform(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        }

        pub(in crate::waveform) fn noise(&mut self) -> f64 {
            (self.uniform() + self.uniform() + self.uniform() + self.uniform() - 2.0) * 3.0_f64.sqrt()
        }
    }
}
