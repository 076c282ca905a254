//! Levels counted in place of sorted: of millions of samples few differ.

use super::extents::Extents;
use super::trace::LevelReader;
use std::ops::Range;

/// How often each place from 0 up to a size occurs.
pub(super) struct Tally {
    /// Four counts of a place in turn: neighbours are often equal, and a count must be written before it can be read again.
    /// Side by side: a processor takes addresses a page apart for the same at first.
    places: Vec<[u32; 4]>,
}

impl Tally {
    pub(super) fn new(size: usize) -> Self {
        Self { places: vec![[0; 4]; size] }
    }

    /// Counts the places of so many values.
    pub(super) fn add<T: Copy>(&mut self, values: &[T], place_of: impl Fn(T) -> usize) {
        let places = &mut self.places[..];
        let (fours, rest) = values.as_chunks::<4>();
        for [first, second, third, fourth] in fours {
            places[place_of(*first)][0] += 1;
            places[place_of(*second)][1] += 1;
            places[place_of(*third)][2] += 1;
            places[place_of(*fourth)][3] += 1;
        }
        rest.iter().for_each(|value| places[place_of(*value)][0] += 1);
    }

    /// Counts a place so many times.
    pub(super) fn add_times(&mut self, place: usize, times: u32) {
        self.places[place][0] += times;
    }

    pub(super) fn counts(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        self.places.iter().map(|counts| counts.iter().sum())
    }
}

/// The levels that occur, from the lowest up, and how often; `give` gives them some at a time.
pub(super) fn count_levels(give: impl FnOnce(&mut dyn FnMut(&[u16]))) -> Vec<(u16, u32)> {
    let mut tally = Tally::new(1 << 16);
    give(&mut |levels| tally.add(levels, usize::from));
    tally.levels()
}

/// As [`count_levels`] of a whole trace, where a block of which the lowest and the highest level are `alike` may be counted as if
/// all of it stood at the lowest.
pub(super) fn count_blocks(
    levels: &LevelReader<'_>,
    extents: &Extents,
    alike: impl Fn(u16, u16) -> bool,
) -> Vec<(u16, u32)> {
    let mut tally = Tally::new(1 << 16);
    let mut mixed = [0; RUN];
    let mut run = 0..0;
    let mut add_run = |tally: &mut Tally, run: Range<usize>| {
        let mixed = &mut mixed[..run.len()];
        levels.fill(run.start, mixed);
        tally.add(mixed, usize::from);
    };
    for (block, (low, high)) in extents.blocks() {
        if alike(low, high) {
            tally.add_times(usize::from(low), block.len() as u32);
            continue;
        }
        if run.end == block.start && run.len() + block.len() <= RUN {
            run.end = block.end;
        } else {
            add_run(&mut tally, std::mem::replace(&mut run, block));
        }
    }
    add_run(&mut tally, run);
    tally.levels()
}

/// Samples of blocks that are looked at together.
const RUN: usize = 1024;

impl Tally {
    /// The places that occur, where they are levels, and how often.
    fn levels(&self) -> Vec<(u16, u32)> {
        (0..=u16::MAX).zip(self.counts()).filter(|(_, count)| *count > 0).collect()
    }
}

/// Median of counted values in rising order; the mean of the middle two for an even count, `None` of nothing.
pub(super) fn counted_median<T: Into<f64>>(
    counted: impl IntoIterator<Item = (T, u32), IntoIter: Clone>,
) -> Option<f64> {
    let counted = counted.into_iter();
    let total: u64 = counted.clone().map(|(_, count)| u64::from(count)).sum();
    let at_rank = |rank: u64| {
        let mut seen = 0;
        let found = counted.clone().find(|(_, count)| {
            seen += u64::from(*count);
            seen > rank
        });
        found.map(|(value, _)| value.into())
    };
    Some((at_rank(total.checked_sub(1)? / 2)? + at_rank(total / 2)?) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stats;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_median_by_counting_is_the_median_by_sorting(
            levels in prop_oneof![
                prop::collection::vec(any::<u16>(), 0..300),
                prop::collection::vec(100_u16..110, 0..300),
            ],
        ) {
            let sorted: Vec<f64> = levels.iter().map(|level| f64::from(*level)).collect();
            prop_assert_eq!(counted_median(count_levels(|count| count(&levels))), stats::median(&sorted));
        }

        #[test]
        fn counts_put_back_in_a_row_are_the_sorted_levels(levels in prop::collection::vec(any::<u16>(), 0..300)) {
            let row = count_levels(|count| count(&levels)).into_iter();
            let row: Vec<u16> = row.flat_map(|(level, count)| vec![level; count as usize]).collect();
            let mut sorted = levels;
            sorted.sort_unstable();
            prop_assert_eq!(row, sorted);
        }
    }
}
