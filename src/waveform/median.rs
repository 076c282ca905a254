//! Running median over integer levels, by comparisons whose order does not depend on the samples: many stretches of the record
//! go through them side by side, and no branch is ever guessed wrong.
//!
//! The windows of neighbouring samples hold mostly the same samples. So a tile of neighbours begins with what all its windows
//! share, sorted. Each half of the tile then merges what its windows share besides, and so on down to single windows. Where a
//! tile of t windows still lacks t - 1 samples of each, the median is one of t shared ones: the others are dropped.

use super::rows::{Compare, Comparing, LANES, Row, compare_rows};

/// Neighbouring tiles that a window reaches into, behind its own.
const BEHIND: usize = 2;

/// One sample of each tile and of those behind the last one.
type Column = [u16; LANES + BEHIND];

/// Orders pairs of a few rows, which stay in registers meanwhile.
macro_rules! network {
    ($compare:ident, $rows:expr; $($low:literal $high:literal),*) => {{
        let mut rows = $rows;
        $((rows[$low], rows[$high]) =
            ($compare.lower(&rows[$low], &rows[$high]), $compare.higher(&rows[$low], &rows[$high]));)*
        rows
    }};
}

/// Sorts rows, a power of two, that rise and then fall, or fall and then rise.
#[inline(always)]
fn straighten<C: Compare>(compare: C, rows: &mut [Row]) {
    let mut size = rows.len();
    // Two steps at a time, so that a row is loaded and stored half as often.
    while size > 8 {
        for block in rows.chunks_exact_mut(size) {
            let (low, high) = block.split_at_mut(size / 2);
            let ((a, b), (c, d)) = (low.split_at_mut(size / 4), high.split_at_mut(size / 4));
            for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
                [*a, *b, *c, *d] = network!(compare, [*a, *b, *c, *d]; 0 2, 1 3, 0 1, 2 3);
            }
        }
        size /= 4;
    }
    match size {
        8 => {
            for block in rows.as_chunks_mut::<8>().0 {
                *block =
                    network!(compare, *block; 0 4, 1 5, 2 6, 3 7, 0 2, 1 3, 4 6, 5 7, 0 1, 2 3, 4 5, 6 7);
            }
        }
        4 => {
            for block in rows.as_chunks_mut::<4>().0 {
                *block = network!(compare, *block; 0 2, 1 3, 0 1, 2 3);
            }
        }
        2 => {
            for block in rows.as_chunks_mut::<2>().0 {
                *block = network!(compare, *block; 0 1);
            }
        }
        _ => {}
    }
}

/// Merges two sorted halves.
#[inline(always)]
fn merge<C: Compare>(compare: C, rows: &mut [Row]) {
    let (low, high) = rows.split_at_mut(rows.len() / 2);
    for (a, b) in low.iter_mut().zip(high.iter_mut().rev()) {
        compare.order(a, b);
    }
    straighten(compare, low);
    straighten(compare, high);
}

/// Sorts rows, a power of two.
#[inline(always)]
fn sort<C: Compare>(compare: C, rows: &mut [Row]) {
    let (blocks, few) = rows.as_chunks_mut::<8>();
    for block in blocks {
        // Batcher's network of 19 comparisons.
        *block = network!(compare, *block; 0 1, 2 3, 4 5, 6 7, 0 2, 1 3, 4 6, 5 7, 1 2, 5 6, 0 4, 1 5, 2 6, 3 7, 2 4, 3 5, 1 2, 3 4, 5 6);
    }
    let mut size = if few.is_empty() { 16 } else { 2 };
    while size <= rows.len() {
        for block in rows.chunks_exact_mut(size) {
            merge(compare, block);
        }
        size *= 2;
    }
}

/// The middle third of a sorted list and half as many sorted rows, sorted.
#[inline(always)]
fn narrow<C: Compare>(compare: C, list: &[Row], joined: &[Row], middle: &mut [Row]) {
    let (low, high) = list.split_at(joined.len());
    for ((place, a), b) in middle.iter_mut().zip(low).zip(joined.iter().rev()) {
        *place = compare.higher(a, b);
    }
    straighten(compare, middle);
    for (place, b) in middle.iter_mut().zip(high.iter().rev()) {
        *place = compare.lower(place, b);
    }
    straighten(compare, middle);
}

/// [`narrow`] from eight rows to four, in registers; the joined rows need not be sorted.
#[inline(always)]
fn narrow_eight<C: Compare>(compare: C, list: &[Row; 8], joined: [Row; 4]) -> [Row; 4] {
    let joined = network!(compare, joined; 0 1, 2 3, 0 2, 1 3, 1 2);
    let upper = std::array::from_fn(|n| compare.higher(&list[n], &joined[3 - n]));
    let upper: [Row; 4] = network!(compare, upper; 0 2, 1 3, 0 1, 2 3);
    let middle = std::array::from_fn(|n| compare.lower(&upper[n], &list[7 - n]));
    network!(compare, middle; 0 2, 1 3, 0 1, 2 3)
}

/// [`narrow`] from four rows to two, in registers; the joined rows need not be sorted.
#[inline(always)]
fn narrow_four<C: Compare>(compare: C, list: &[Row; 4], joined: [Row; 2]) -> [Row; 2] {
    let joined = network!(compare, joined; 0 1);
    let upper = std::array::from_fn(|n| compare.higher(&list[n], &joined[1 - n]));
    let upper: [Row; 2] = network!(compare, upper; 0 1);
    let middle = std::array::from_fn(|n| compare.lower(&upper[n], &list[3 - n]));
    network!(compare, middle; 0 1)
}

/// The medians of four windows: of a sorted list of four and of what stands before and behind what they share.
#[inline(always)]
fn finish_four<C: Compare>(compare: C, list: &[Row; 4], before: [Row; 3], behind: [Row; 3]) -> [Row; 4] {
    let left = narrow_four(compare, list, [before[1], before[2]]);
    let right = narrow_four(compare, list, [behind[0], behind[1]]);
    let third = |[a, b]: &[Row; 2], c: &Row| compare.lower(&compare.higher(a, c), b);
    [third(&left, &before[0]), third(&left, &behind[0]), third(&right, &before[2]), third(&right, &behind[2])]
}

/// As many tiles as go side by side, and what is held of them meanwhile.
struct Tiles {
    /// Samples before and behind the centre of a window.
    half: usize,
    /// Samples of the record, those of one tile behind those of the other, from half a window before the first tile's own.
    samples: Vec<u16>,
    /// The same, a row being one sample of each tile.
    columns: Vec<Column>,
    /// Sorted lists of what may be the median, one a stretch of windows; at last the medians.
    lists: Vec<Row>,
    next: Vec<Row>,
    joined: Vec<Row>,
}

impl Tiles {
    fn new(half: usize) -> Self {
        // More than half a window: then all that a tile's windows share is in the list from the start.
        let tile = (half + 1).next_power_of_two();
        let rows = |count| vec![[0; LANES]; count];
        Self {
            half,
            samples: vec![0; (LANES + BEHIND) * tile],
            columns: vec![[0; LANES + BEHIND]; tile],
            lists: rows(tile),
            next: rows(tile),
            joined: rows(tile / 2),
        }
    }

    /// Windows of a tile.
    fn tile(&self) -> usize {
        self.columns.len()
    }

    /// Takes the samples of the windows from sample `from` on; beyond the record's ends stands its end sample.
    fn read(&mut self, levels: &[u16], from: usize) {
        let before = self.half.saturating_sub(from).min(self.samples.len());
        let (head, rest) = self.samples.split_at_mut(before);
        head.fill(levels.first().copied().unwrap_or(0));
        let inside = levels.get((from + before).saturating_sub(self.half)..).unwrap_or_default();
        let (body, tail) = rest.split_at_mut(rest.len().min(inside.len()));
        body.copy_from_slice(&inside[..body.len()]);
        tail.fill(levels.last().copied().unwrap_or(0));
        for (lane, tile) in self.samples.chunks_exact(self.columns.len()).enumerate() {
            self.columns.iter_mut().zip(tile).for_each(|(column, sample)| column[lane] = *sample);
        }
    }

    /// Gives the medians of as many windows as there are places.
    fn write(&self, medians: &mut [u16]) {
        for (lane, places) in medians.chunks_mut(self.tile()).enumerate() {
            places.iter_mut().zip(&self.lists).for_each(|(place, row)| *place = row[lane]);
        }
    }

    /// The row so many places behind each tile's first.
    #[inline(always)]
    fn row(columns: &[Column], place: usize) -> Row {
        let (tile, column) = (place / columns.len(), &columns[place % columns.len()]);
        let mut row = [0; LANES];
        row.copy_from_slice(&column[tile..tile + LANES]);
        row
    }

    /// As many rows as wanted, one behind the other.
    #[inline(always)]
    fn rows<const COUNT: usize>(columns: &[Column], from: usize) -> [Row; COUNT] {
        let mut rows = [[0; LANES]; COUNT];
        Self::copy_rows(columns, from, &mut rows);
        rows
    }

    #[inline(always)]
    fn copy_rows(columns: &[Column], from: usize, rows: &mut [Row]) {
        for (place, row) in (from..).zip(rows) {
            *row = Self::row(columns, place);
        }
    }

    /// Sorts what all windows of a tile share into the list, with as many of the lowest as of the highest level beside it: they
    /// leave the median where it is.
    #[inline(always)]
    fn sort_shared<C: Compare>(&mut self, compare: C) {
        let tile = self.columns.len();
        let (mut at, mut left) = (tile - 1, 2 * self.half + 2 - tile);
        let (mut list, mut size) = (&mut self.lists[..], tile);
        while left > size / 2 && left < size {
            size /= 2;
            let (block, rest) = list.split_at_mut(size);
            Self::copy_rows(&self.columns, at, block);
            sort(compare, block);
            (at, left, list) = (at + size, left - size, rest);
        }
        let beside = (size - left) / 2;
        list[..beside].fill([0; LANES]);
        list[size - beside..].fill([u16::MAX; LANES]);
        Self::copy_rows(&self.columns, at, &mut list[beside..beside + left]);
        let sorted = left.next_power_of_two();
        sort(compare, &mut list[(size - sorted) / 2..(size + sorted) / 2]);
        while size < tile {
            size *= 2;
            merge(compare, &mut self.lists[tile - size..]);
        }
    }

    /// Makes of the list of each stretch of `size` windows those of its halves.
    #[inline(always)]
    fn halve<C: Compare>(&mut self, compare: C, size: usize) {
        let joined = &mut self.joined[..size / 2];
        for first in (0..self.lists.len()).step_by(size) {
            let (left, right) = self.next[first..first + size].split_at_mut(size / 2);
            let list = &self.lists[first..first + size];
            Self::copy_rows(&self.columns, first + size / 2 - 1, joined);
            sort(compare, joined);
            narrow(compare, list, joined, left);
            Self::copy_rows(&self.columns, first + 2 * self.half + 1, joined);
            sort(compare, joined);
            narrow(compare, list, joined, right);
        }
        std::mem::swap(&mut self.lists, &mut self.next);
    }

    /// Makes of the list of each eight windows their medians, in registers.
    #[inline(always)]
    fn finish<C: Compare>(&mut self, compare: C) {
        for (index, list) in self.lists.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let first = 8 * index;
            let before: [Row; 7] = Self::rows(&self.columns, first);
            let behind: [Row; 7] = Self::rows(&self.columns, first + 2 * self.half + 1);
            let left = narrow_eight(compare, list, [before[3], before[4], before[5], before[6]]);
            let right = narrow_eight(compare, list, [behind[0], behind[1], behind[2], behind[3]]);
            let (first, last) = ([before[0], before[1], before[2]], [before[4], before[5], before[6]]);
            let [a, b, c, d] = finish_four(compare, &left, first, [behind[0], behind[1], behind[2]]);
            let [e, f, g, h] = finish_four(compare, &right, last, [behind[4], behind[5], behind[6]]);
            *list = [a, b, c, d, e, f, g, h];
        }
    }
}

impl Comparing for &mut Tiles {
    /// Puts the medians of all windows into `lists`, each in its place.
    #[inline(always)]
    fn run<C: Compare>(self, compare: C) {
        self.sort_shared(compare);
        let mut size = self.tile();
        while size > 1 && size != 8 {
            self.halve(compare, size);
            size /= 2;
        }
        if size == 8 {
            self.finish(compare);
        }
    }
}

/// Centred running median of `window` samples (an odd count; an even one is taken one longer). Where the window reaches
/// over an end of the record, the end sample is repeated. Gives one value a sample.
#[must_use]
pub fn running_median(levels: &[u16], window: usize) -> Vec<u16> {
    let half = window / 2;
    if half == 0 {
        return levels.to_vec();
    }
    let mut tiles = Tiles::new(half);
    let mut medians = vec![0; levels.len()];
    let side_by_side = LANES * tiles.tile();
    for (turn, places) in medians.chunks_mut(side_by_side).enumerate() {
        tiles.read(levels, turn * side_by_side);
        compare_rows(&mut tiles);
        tiles.write(places);
    }
    medians
}

#[cfg(test)]
mod tests {
    use super::running_median;
    use proptest::prelude::*;

    /// The definition, written out.
    fn naive(levels: &[u16], window: usize) -> Vec<u16> {
        let half = (window / 2) as isize;
        (0..levels.len() as isize)
            .map(|center| {
                let mut seen: Vec<u16> = (center - half..=center + half)
                    .map(|i| levels[i.clamp(0, levels.len() as isize - 1) as usize])
                    .collect();
                seen.sort_unstable();
                seen[half as usize]
            })
            .collect()
    }

    proptest! {
        #[test]
        fn the_running_median_equals_its_definition_on_bytes(
            levels in prop::collection::vec(0_u16..256, 0..400), window in 1_usize..60,
        ) {
            prop_assert_eq!(running_median(&levels, window), naive(&levels, window));
        }

        #[test]
        fn the_running_median_equals_its_definition_on_words(
            levels in prop::collection::vec(any::<u16>(), 0..300), window in 1_usize..500,
        ) {
            prop_assert_eq!(running_median(&levels, window), naive(&levels, window));
        }
    }

    #[test]
    fn a_spike_shorter_than_half_the_window_leaves_the_median_alone() {
        let mut levels = vec![100_u16; 1000];
        for (at, value) in [(500, 255), (501, 255), (502, 0), (503, 0), (504, 200)] {
            levels[at] = value;
        }
        assert_eq!(running_median(&levels, 201), vec![100; 1000]);
    }

    #[test]
    fn nothing_and_one_sample_are_answered() {
        assert_eq!(running_median(&[], 201), Vec::<u16>::new());
        assert_eq!(running_median(&[65535], 201), vec![65535]);
        assert_eq!(running_median(&[0, 63, 64, 65535], 1), vec![0, 63, 64, 65535]);
    }
}
