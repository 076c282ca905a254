//! The lowest and the highest level of each few samples: most of a switch node need not be looked at again.

use super::trace::{LevelReader, Span};
use super::wide::{Work, widen};
use std::ops::Range;

/// Samples of a block.
pub(super) const BLOCK: usize = 32;

/// The extents of all blocks of a trace, in levels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Extents {
    samples: usize,
    low: Vec<u16>,
    high: Vec<u16>,
}

impl Extents {
    /// Of the levels of a trace.
    pub(super) fn of(levels: &LevelReader<'_>) -> Self {
        let blocks = levels.len().div_ceil(BLOCK);
        let mut extents =
            Self { samples: levels.len(), low: Vec::with_capacity(blocks), high: Vec::with_capacity(blocks) };
        levels.read(0..levels.len(), |levels| {
            widen(AddExtents { values: levels, extents: (&mut extents.low, &mut extents.high) });
        });
        extents
    }

    /// Of numbers whose extents are known.
    pub(super) fn of_numbers(numbers: &NumberExtents, levels: &LevelReader<'_>) -> Self {
        let laid = |ranks: &[i32]| {
            let numbers: Vec<f32> = ranks.iter().map(|rank| number_of(*rank)).collect();
            let mut laid = vec![0; numbers.len()];
            levels.lay(&numbers, &mut laid);
            laid
        };
        Self { samples: levels.len(), low: laid(&numbers.low), high: laid(&numbers.high) }
    }

    /// The lowest and the highest level of all; none of no samples.
    pub(super) fn whole(&self) -> Option<(u16, u16)> {
        Some((*self.low.iter().min()?, *self.high.iter().max()?))
    }

    /// The samples of each block, with their lowest and highest level.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (Range<usize>, (u16, u16))> + '_ {
        let extents = self.low.iter().copied().zip(self.high.iter().copied());
        (0..).step_by(BLOCK).map(|from| from..self.samples.min(from + BLOCK)).zip(extents)
    }

    /// How many levels of a stretch lie above a line.
    pub(super) fn count_above(&self, levels: &LevelReader<'_>, stretch: Range<usize>, line: u16) -> usize {
        let (first, last) = (stretch.start.div_ceil(BLOCK), stretch.end / BLOCK);
        let is_above = |level: &&u16| **level > line;
        if first >= last {
            let mut above = 0;
            levels.read(stretch, |levels| above += levels.iter().filter(is_above).count());
            return above;
        }
        // Most blocks lie on one side of the line and are not read, not even where they are cut.
        let mut part = [0; BLOCK];
        let mut count = |stretch: Range<usize>| match self.extent(stretch.start / BLOCK) {
            _ if stretch.is_empty() => 0,
            (low, _) if low > line => stretch.len(),
            (_, high) if high <= line => 0,
            _ => {
                let part = &mut part[..stretch.len()];
                levels.fill(stretch.start, part);
                part.iter().filter(is_above).count()
            }
        };
        let ends = count(stretch.start..first * BLOCK) + count(last * BLOCK..stretch.end);
        ends + (first..last).map(|block| count(block * BLOCK..(block + 1) * BLOCK)).sum::<usize>()
    }

    /// The extent of a block; that of everything where there is none.
    fn extent(&self, block: usize) -> (u16, u16) {
        self.low.get(block).copied().zip(self.high.get(block).copied()).unwrap_or((0, u16::MAX))
    }
}

/// The lowest and the highest number of each block as their ranks, before it is known on which levels they lie.
#[derive(Debug, Default)]
pub(super) struct NumberExtents {
    low: Vec<i32>,
    high: Vec<i32>,
}

impl NumberExtents {
    /// The extents of numbers, and the span of all of them.
    pub(super) fn of(numbers: &[f32]) -> (Self, Span) {
        let blocks = numbers.len().div_ceil(BLOCK);
        let mut extents = Self { low: Vec::with_capacity(blocks), high: Vec::with_capacity(blocks) };
        widen(AddExtents { values: numbers, extents: (&mut extents.low, &mut extents.high) });
        let low = number_of(extents.low.iter().copied().min().unwrap_or(i32::MAX));
        let high = number_of(extents.high.iter().copied().max().unwrap_or(i32::MIN));
        // What is no number ranks beyond all that are.
        let bad = if low.is_finite() && high.is_finite() {
            0
        } else {
            numbers.iter().filter(|number| !number.is_finite()).count()
        };
        (extents, (low, high, bad))
    }
}

/// What ranks as its values do, and is compared side by side more easily.
trait Ranked: Copy {
    type Rank: Copy + Ord;

    fn rank(self) -> Self::Rank;
}

impl Ranked for u16 {
    type Rank = Self;

    #[inline(always)]
    fn rank(self) -> Self {
        self
    }
}

impl Ranked for f32 {
    type Rank = i32;

    /// The bits of a number rank as it does, but those of a negative one the other way round.
    #[inline(always)]
    fn rank(self) -> i32 {
        turn(self.to_bits() as i32)
    }
}

#[inline(always)]
fn turn(bits: i32) -> i32 {
    bits ^ ((bits >> 31) & i32::MAX)
}

/// The number of a rank.
fn number_of(rank: i32) -> f32 {
    f32::from_bits(turn(rank) as u32)
}

/// Values whose blocks' extents are to be added to others.
struct AddExtents<'a, T: Ranked> {
    values: &'a [T],
    extents: (&'a mut Vec<T::Rank>, &'a mut Vec<T::Rank>),
}

impl<T: Ranked> Work for AddExtents<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { values, extents: (lows, highs) } = self;
        // A length that a compiler knows would be taken apart into single steps.
        for block in values.chunks(BLOCK) {
            let (mut low, mut high) = (block[0].rank(), block[0].rank());
            for value in block {
                (low, high) = (low.min(value.rank()), high.max(value.rank()));
            }
            lows.push(low);
            highs.push(high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::made::trace;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn extents_are_those_of_the_levels_and_count_what_lies_above_a_line(
            volts in prop::collection::vec(prop_oneof![Just(0.0), Just(24.0), -1.0..25.0], 1..400),
            line in any::<u16>(), from in 0_usize..400, to in 0_usize..400,
        ) {
            let lx = trace(volts, 100e6);
            let (levels, extents) = lx.check_extents().unwrap();
            let mut all = vec![0; levels.len()];
            levels.read(0..levels.len(), |levels| all = levels.to_vec());
            prop_assert_eq!(extents.whole(), all.iter().min().copied().zip(all.iter().max().copied()));
            prop_assert_eq!(&extents, &Extents::of(&levels));
            for (range, (low, high)) in extents.blocks() {
                prop_assert_eq!(low, *all[range.clone()].iter().min().unwrap());
                prop_assert_eq!(high, *all[range].iter().max().unwrap());
            }
            let to = to.min(all.len());
            let stretch = from.min(to)..to;
            let naive = all[stretch.clone()].iter().filter(|level| **level > line).count();
            prop_assert_eq!(extents.count_above(&levels, stretch, line), naive);
        }

        #[test]
        fn the_span_of_blocks_is_that_of_the_numbers(numbers in prop::collection::vec(any::<f32>(), 1..200)) {
            let bad = numbers.iter().filter(|number| !number.is_finite()).count();
            let (_, (low, high, counted)) = NumberExtents::of(&numbers);
            prop_assert_eq!(bad, counted);
            if bad == 0 {
                prop_assert_eq!(low, numbers.iter().copied().fold(f32::INFINITY, f32::min));
                prop_assert_eq!(high, numbers.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            }
        }
    }
}
