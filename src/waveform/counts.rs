//! Levels counted in place of sorted: of millions of samples few differ.

/// How often each place from 0 up to `size` occurs.
pub(super) fn tally(places: impl Iterator<Item = usize>, size: usize) -> Vec<u32> {
    // Four tables in turn: neighbours are often equal, and a count must be written before it can be read again.
    let mut tables = vec![0_u32; 4 * size];
    for (turn, place) in places.enumerate() {
        tables[(turn % 4) * size + place] += 1;
    }
    (0..size).map(|place| (0..4).map(|table| tables[table * size + place]).sum()).collect()
}

/// The levels that occur, from the lowest up, and how often.
pub(super) fn count_levels(levels: &[u16]) -> Vec<(u16, u32)> {
    let size = levels.iter().max().map_or(0, |highest| usize::from(*highest) + 1);
    let counts = tally(levels.iter().map(|level| usize::from(*level)), size);
    (0..=u16::MAX).zip(counts).filter(|(_, count)| *count > 0).collect()
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
            prop_assert_eq!(counted_median(count_levels(&levels)), stats::median(&sorted));
        }

        #[test]
        fn counts_put_back_in_a_row_are_the_sorted_levels(levels in prop::collection::vec(any::<u16>(), 0..300)) {
            let row = count_levels(&levels).into_iter();
            let row: Vec<u16> = row.flat_map(|(level, count)| vec![level; count as usize]).collect();
            let mut sorted = levels;
            sorted.sort_unstable();
            prop_assert_eq!(row, sorted);
        }
    }
}
