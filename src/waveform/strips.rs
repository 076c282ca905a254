//! The record in strips side by side: a filter goes from sample to sample, and so is quick only where it goes through several
//! stretches of the record at once. Each strip begins so far ahead of its own samples that the filter has forgotten how it
//! began; the figures do not depend on where the record is cut.

use std::ops::{Add, Mul, Range, Sub};

/// What a filter reckons in: f32, of which a processor takes twice as many at once, or f64.
pub(super) trait Number:
    Copy
    + Default
    + PartialOrd
    + From<f32>
    + Into<f64>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
{
    /// The part of its first value that a filter may still hold once it has forgotten it: less than the last digit.
    const NOTHING: f64;

    /// The nearest number.
    fn nearest(value: f64) -> Self;
}

impl Number for f32 {
    const NOTHING: f64 = 2e-9;

    #[inline(always)]
    fn nearest(value: f64) -> Self {
        value as Self
    }
}

impl Number for f64 {
    const NOTHING: f64 = 4e-18;

    #[inline(always)]
    fn nearest(value: f64) -> Self {
        value
    }
}

/// The lowest and the highest value of each strip.
#[derive(Clone, Copy)]
pub(super) struct Extent<T> {
    pub(super) low: Row<T>,
    pub(super) high: Row<T>,
}

impl<T: Number> Extent<T> {
    /// Of no row: any value is lower and higher.
    #[inline(always)]
    pub(super) fn none() -> Self {
        Self { low: [T::from(f32::INFINITY); STRIPS], high: [T::from(f32::NEG_INFINITY); STRIPS] }
    }

    #[inline(always)]
    pub(super) fn add(&mut self, row: &Row<T>) {
        for (strip, value) in row.iter().enumerate() {
            self.low[strip] = if *value < self.low[strip] { *value } else { self.low[strip] };
            self.high[strip] = if *value > self.high[strip] { *value } else { self.high[strip] };
        }
    }
}

/// Strips that are filtered side by side.
pub(super) const STRIPS: usize = 16;

/// Rows that are read at a time.
pub(super) const ROWS: usize = 64;

/// One sample of each strip.
pub(super) type Row<T> = [T; STRIPS];

/// As many rows as are read at a time.
pub(super) type Tile<T> = [Row<T>; ROWS];

/// How a record is cut into strips.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strips {
    /// Samples of a strip, whole tiles.
    length: usize,
    /// Samples ahead of a strip's own ones, whole tiles.
    ahead: usize,
}

impl Strips {
    /// `count` samples, each strip beginning at least `ahead` samples before its own.
    pub(super) fn new(count: usize, ahead: usize) -> Self {
        Self { length: count.div_ceil(STRIPS).next_multiple_of(ROWS), ahead: ahead.next_multiple_of(ROWS) }
    }

    /// Tiles ahead of the strips' own samples.
    pub(super) fn tiles_ahead(&self) -> usize {
        self.ahead / ROWS
    }

    /// Tiles of the strips' own samples.
    pub(super) fn own_tiles(&self) -> usize {
        self.length / ROWS
    }

    /// Which sample of the record the first row of a tile is in a strip; tile 0 is the first one ahead. Negative before the
    /// record's start.
    pub(super) fn position(&self, strip: usize, tile: usize) -> isize {
        (strip * self.length + tile * ROWS) as isize - self.ahead as isize
    }

    /// The rows of a tile that are the strip's own samples and lie in `span` of the record.
    pub(super) fn own_rows(&self, strip: usize, tile: usize, span: &Range<usize>) -> Range<usize> {
        let at = self.position(strip, tile);
        let first = (strip * self.length).max(span.start) as isize;
        let end = ((strip + 1) * self.length).min(span.end) as isize;
        let from = (first - at).clamp(0, ROWS as isize);
        from as usize..(end - at).clamp(from, ROWS as isize) as usize
    }

    /// The samples of the record which the first row of a tile is in all strips, where the tile lies wholly in the record.
    pub(super) fn starts(&self, tile: usize) -> Option<[usize; STRIPS]> {
        let mut starts = [0; STRIPS];
        for (strip, start) in starts.iter_mut().enumerate() {
            *start = usize::try_from(self.position(strip, tile)).ok()?;
        }
        Some(starts)
    }

    /// Fills a tile; `read` fills in the samples from a position on.
    pub(super) fn read_tile<T: Number>(
        &self,
        number: usize,
        tile: &mut Tile<T>,
        read: impl Fn(isize, &mut [T; ROWS]),
    ) {
        let mut column = [T::default(); ROWS];
        for strip in 0..STRIPS {
            read(self.position(strip, number), &mut column);
            tile.iter_mut().zip(&column).for_each(|(row, value)| row[strip] = *value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_of_a_span_is_some_strips_own_exactly_once() {
        for (count, ahead, span) in [(1, 0, 0..1), (1_000, 70, 100..1_000), (5_000, 3_000, 15..4_985)] {
            let strips = Strips::new(count, ahead);
            let mut seen = vec![0; count];
            for tile in 0..strips.tiles_ahead() + strips.own_tiles() {
                for strip in 0..STRIPS {
                    for row in strips.own_rows(strip, tile, &span) {
                        seen[(strips.position(strip, tile) + row as isize) as usize] += 1;
                    }
                }
            }
            let expected: Vec<i32> = (0..count).map(|n| i32::from(span.contains(&n))).collect();
            assert_eq!(seen, expected);
        }
    }
}
