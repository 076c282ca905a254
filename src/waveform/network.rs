//! A network of comparisons that finds the running medians of many stretches of a record side by side. Their order does not
//! depend on the samples, and no branch is ever guessed wrong.
//!
//! The windows of neighbouring samples hold mostly the same samples. So a tile of neighbours begins with what all its windows
//! share, sorted. Each half of the tile then merges what its windows share besides, and so on down to single windows. Where a
//! tile of t windows still lacks t - 1 samples of each, the median is one of t shared ones: the others are dropped.

use super::rows::Compare;

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
fn straighten<T: Copy, const L: usize>(compare: impl Compare<T, L>, rows: &mut [[T; L]]) {
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
fn merge<T: Copy, const L: usize>(compare: impl Compare<T, L>, rows: &mut [[T; L]]) {
    let (low, high) = rows.split_at_mut(rows.len() / 2);
    for (a, b) in low.iter_mut().zip(high.iter_mut().rev()) {
        compare.order(a, b);
    }
    straighten(compare, low);
    straighten(compare, high);
}

/// Puts rows, a power of two, sorted into others.
#[inline(always)]
pub(super) fn sort<T: Copy, const L: usize>(
    compare: impl Compare<T, L>,
    from: &[[T; L]],
    rows: &mut [[T; L]],
) {
    let (blocks, few) = rows.as_chunks_mut::<8>();
    for (block, from) in blocks.iter_mut().zip(from.as_chunks::<8>().0) {
        // Batcher's network of 19 comparisons.
        *block = network!(compare, *from; 0 1, 2 3, 4 5, 6 7, 0 2, 1 3, 4 6, 5 7, 1 2, 5 6, 0 4, 1 5, 2 6, 3 7, 2 4, 3 5, 1 2, 3 4, 5 6);
    }
    few.iter_mut().zip(from).for_each(|(row, from)| *row = *from);
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
fn narrow<T: Copy, const L: usize>(
    compare: impl Compare<T, L>,
    list: &[[T; L]],
    joined: &[[T; L]],
    middle: &mut [[T; L]],
) {
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
fn narrow_eight<T: Copy, const L: usize>(
    compare: impl Compare<T, L>,
    list: &[[T; L]; 8],
    joined: [[T; L]; 4],
) -> [[T; L]; 4] {
    let joined = network!(compare, joined; 0 1, 2 3, 0 2, 1 3, 1 2);
    let mut upper = joined;
    // No closures: they would not be compiled for the processor at hand.
    for n in 0..4 {
        upper[n] = compare.higher(&list[n], &joined[3 - n]);
    }
    let upper: [_; 4] = network!(compare, upper; 0 2, 1 3, 0 1, 2 3);
    let mut middle = upper;
    for n in 0..4 {
        middle[n] = compare.lower(&upper[n], &list[7 - n]);
    }
    network!(compare, middle; 0 2, 1 3, 0 1, 2 3)
}

/// [`narrow`] from four rows to two, in registers; the joined rows need not be sorted.
#[inline(always)]
fn narrow_four<T: Copy, const L: usize>(
    compare: impl Compare<T, L>,
    list: &[[T; L]; 4],
    joined: [[T; L]; 2],
) -> [[T; L]; 2] {
    let joined = network!(compare, joined; 0 1);
    let upper = [compare.higher(&list[0], &joined[1]), compare.higher(&list[1], &joined[0])];
    let upper = network!(compare, upper; 0 1);
    let middle = [compare.lower(&upper[0], &list[3]), compare.lower(&upper[1], &list[2])];
    network!(compare, middle; 0 1)
}

/// The medians of four windows: of a sorted list of four and of what stands before and behind what they share.
#[inline(always)]
fn finish_four<T: Copy, const L: usize>(
    compare: impl Compare<T, L>,
    list: &[[T; L]; 4],
    before: [[T; L]; 3],
    behind: [[T; L]; 3],
) -> [[T; L]; 4] {
    let left = narrow_four(compare, list, [before[1], before[2]]);
    let right = narrow_four(compare, list, [behind[0], behind[1]]);
    let mut medians = *list;
    for (median, ([a, b], c)) in
        medians.iter_mut().zip([(left, before[0]), (left, behind[0]), (right, before[2]), (right, behind[2])])
    {
        *median = compare.lower(&compare.higher(&a, &c), &b);
    }
    medians
}

/// As many tiles as go side by side, one a lane, and what is held of them meanwhile.
pub(super) struct Network<T, const L: usize> {
    /// Samples before and behind the centre of a window.
    half: usize,
    /// The samples of each tile's windows, from half a window before the tile's own on.
    pub(super) samples: Vec<[T; L]>,
    /// Sorted lists of what may be the median, one a stretch of windows; at last the medians, each in its place.
    pub(super) lists: Vec<[T; L]>,
    next: Vec<[T; L]>,
    joined: Vec<[T; L]>,
    /// The lowest and the highest level there is.
    ends: [T; 2],
}

/// Windows of a tile: more than half a window, so that all that they share is in the list from the start.
pub(super) fn tile_of(half: usize) -> usize {
    (half + 1).next_power_of_two()
}

impl<T: Copy, const L: usize> Network<T, L> {
    pub(super) fn new(half: usize, ends: [T; 2]) -> Self {
        let tile = tile_of(half);
        let rows = |count| vec![[ends[0]; L]; count];
        Self {
            half,
            samples: rows(tile + 2 * half),
            lists: rows(tile),
            next: rows(tile),
            joined: rows(tile / 2),
            ends,
        }
    }

    /// Sorts what all windows of a tile share into the list, with as many of the lowest as of the highest level beside it: they
    /// leave the median where it is.
    #[inline(always)]
    fn sort_shared(&mut self, compare: impl Compare<T, L>) {
        let tile = self.lists.len();
        let (mut at, mut left) = (tile - 1, 2 * self.half + 2 - tile);
        let (mut list, mut size) = (&mut self.lists[..], tile);
        while left > size / 2 && left < size {
            size /= 2;
            let (block, rest) = list.split_at_mut(size);
            sort(compare, &self.samples[at..at + size], block);
            (at, left, list) = (at + size, left - size, rest);
        }
        let (beside, sorted) = ((size - left) / 2, left.next_power_of_two());
        list[..beside].fill([self.ends[0]; L]);
        list[size - beside..].fill([self.ends[1]; L]);
        // What is sorted stands together beforehand.
        let (middle, last) = ((size - sorted) / 2..(size + sorted) / 2, &mut self.next[..size]);
        last.copy_from_slice(list);
        last[beside..beside + left].copy_from_slice(&self.samples[at..at + left]);
        sort(compare, &last[middle.clone()], &mut list[middle]);
        while size < tile {
            size *= 2;
            merge(compare, &mut self.lists[tile - size..]);
        }
    }

    /// Makes of the list of each stretch of `size` windows those of its halves.
    #[inline(always)]
    fn halve(&mut self, compare: impl Compare<T, L>, size: usize) {
        let joined = &mut self.joined[..size / 2];
        for first in (0..self.lists.len()).step_by(size) {
            let (left, right) = self.next[first..first + size].split_at_mut(size / 2);
            let list = &self.lists[first..first + size];
            for (from, middle) in [(first + size / 2 - 1, left), (first + 2 * self.half + 1, right)] {
                sort(compare, &self.samples[from..from + size / 2], joined);
                narrow(compare, list, joined, middle);
            }
        }
        std::mem::swap(&mut self.lists, &mut self.next);
    }

    /// Makes of the list of each eight windows their medians, in registers.
    #[inline(always)]
    fn finish(&mut self, compare: impl Compare<T, L>) {
        for (index, list) in self.lists.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let rows = |from: usize| self.samples.get(from..).and_then(|rows| rows.first_chunk::<7>());
            let (Some(before), Some(behind)) = (rows(8 * index), rows(8 * index + 2 * self.half + 1)) else {
                return;
            };
            let left = narrow_eight(compare, list, [before[3], before[4], before[5], before[6]]);
            let (first, last) = ([before[0], before[1], before[2]], [behind[0], behind[1], behind[2]]);
            let [a, b, c, d] = finish_four(compare, &left, first, last);
            let right = narrow_eight(compare, list, [behind[0], behind[1], behind[2], behind[3]]);
            let (first, last) = ([before[4], before[5], before[6]], [behind[4], behind[5], behind[6]]);
            let [e, f, g, h] = finish_four(compare, &right, first, last);
            *list = [a, b, c, d, e, f, g, h];
        }
    }

    /// Puts the medians of all windows into `lists`, each in its place.
    #[inline(always)]
    pub(super) fn run(&mut self, compare: impl Compare<T, L>) {
        self.sort_shared(compare);
        let mut size = self.lists.len();
        while size > 1 && size != 8 {
            self.halve(compare, size);
            size /= 2;
        }
        if size == 8 {
            self.finish(compare);
        }
    }
}
