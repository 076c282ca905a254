//! Running median over integer levels, by comparisons whose order does not depend on the samples (`network.rs`).
//!
//! The medians of a few hundred neighbours are mostly near each other, and a register holds twice as many bytes as words. So each
//! tile is first taken as bytes: its levels less a base, with all that lies under it as 0 and all beyond 255 as 255. That order
//! is the levels' own, so a median between the two ends is exact. A tile with one at an end is taken once more, as words.

use super::network::{Network, sort, tile_of};
use super::rows::{Compare, Comparing, compare_rows};

/// Samples of a window that tell roughly where its median lies.
const FEW: usize = 8;

/// After a group of tiles of which most had to be taken as words, so many are taken as words at once.
const GROUPS_AS_WORDS: usize = 15;

/// Centred running median of `window` samples (an odd count; an even one is taken one longer). Where the window reaches
/// over an end of the record, the end sample is repeated. Gives one value a sample.
#[must_use]
pub fn running_median(levels: &[u16], window: usize) -> Vec<u16> {
    let half = window / 2;
    if half == 0 {
        return levels.to_vec();
    }
    let mut medians = vec![0; levels.len()];
    compare_rows(Medians { levels, half, medians: &mut medians });
    medians
}

/// Medians to be found: of the windows that reach `half` samples to either side.
struct Medians<'a> {
    levels: &'a [u16],
    half: usize,
    medians: &'a mut [u16],
}

impl Comparing for Medians<'_> {
    #[inline(always)]
    fn run<const WORDS: usize, const BYTES: usize, C: Compare<u16, WORDS> + Compare<u8, BYTES>>(
        self,
        compare: C,
    ) {
        let Self { levels, half, medians } = self;
        let tile = tile_of(half);
        let (mut bytes, mut words) = (Bytes::<WORDS, BYTES>::new(half), Words::<WORDS>::new(half));
        let (mut lost, mut as_words) = (Vec::new(), 0_usize);
        for from in (0..levels.len()).step_by(BYTES * tile) {
            let end = levels.len().min(from + BYTES * tile);
            let count = (end - from).div_ceil(tile);
            let mut left = [true; BYTES];
            if as_words == 0 {
                bytes.read(levels, from);
                bytes.take_bases(compare);
                bytes.find(compare);
                left = bytes.write(&mut medians[from..end]);
            }
            let before = lost.len();
            lost.extend(
                (from..).step_by(tile).zip(left).take(count).filter(|(_, left)| *left).map(|(from, _)| from),
            );
            let are_most = 2 * (lost.len() - before) > count;
            as_words = if as_words == 0 && are_most { GROUPS_AS_WORDS } else { as_words.saturating_sub(1) };
            // Soon, while the samples are at hand; at last also fewer than a register holds.
            while lost.len() >= WORDS || (end == levels.len() && !lost.is_empty()) {
                words.find(compare, (levels, &lost[lost.len().saturating_sub(WORDS)..]), medians);
                lost.truncate(lost.len().saturating_sub(WORDS));
            }
        }
    }
}

/// Tiles one behind the other, to be taken as bytes.
struct Bytes<const WORDS: usize, const BYTES: usize> {
    half: usize,
    /// Samples of the record, from half a window before the first tile's own on.
    samples: Vec<u16>,
    /// The lowest and the highest of the samples.
    extent: (u16, u16),
    /// The level of each tile that is 0 as a byte.
    bases: [u16; BYTES],
    /// The bytes of each tile's windows, eight at a time, one tile behind the other.
    stretches: Vec<Eight>,
    network: Network<u8, BYTES>,
}

impl<const WORDS: usize, const BYTES: usize> Bytes<WORDS, BYTES> {
    fn new(half: usize) -> Self {
        let (tile, network) = (tile_of(half), Network::new(half, [0, u8::MAX]));
        Self {
            half,
            samples: vec![0; (BYTES - 1) * tile + network.samples.len()],
            extent: (0, 0),
            bases: [0; BYTES],
            stretches: vec![[0; EIGHT]; BYTES * network.samples.len().div_ceil(EIGHT)],
            network,
        }
    }

    /// Takes the samples of the windows from sample `from` on; beyond the record's ends stands its end sample.
    #[inline(always)]
    fn read(&mut self, levels: &[u16], from: usize) {
        read_window(levels, (from, self.half), &mut self.samples);
        let (mut low, mut high) = (u16::MAX, 0);
        for level in &self.samples {
            (low, high) = (low.min(*level), high.max(*level));
        }
        self.extent = (low, high);
    }

    /// Lays the bases so that the rough medians of each tile's first, middle and last window lie in the middle of the bytes.
    #[inline(always)]
    fn take_bases(&mut self, compare: impl Compare<u16, WORDS>) {
        // No higher than needed: then nothing is beyond the bytes.
        let most = self.extent.1.saturating_sub(u8::MAX.into());
        if most == 0 {
            return self.bases.fill(0);
        }
        let tile = tile_of(self.half);
        for part in (0..BYTES).step_by(WORDS) {
            // No closures: they would not be compiled for the processor at hand.
            let (mut low, mut high) = ([u16::MAX; WORDS], [0; WORDS]);
            for window in [0, tile / 2, tile - 1] {
                let mut few = [[0; WORDS]; FEW];
                for (number, row) in few.iter_mut().enumerate() {
                    let first = part * tile + window + 2 * self.half * number / (FEW - 1);
                    for (place, sample) in row.iter_mut().zip(self.samples[first..].iter().step_by(tile)) {
                        *place = *sample;
                    }
                }
                let mut sorted = few;
                sort(compare, &few, &mut sorted);
                low = compare.lower(&low, &sorted[FEW / 2]);
                high = compare.higher(&high, &sorted[FEW / 2]);
            }
            for (base, (low, high)) in self.bases[part..].iter_mut().zip(low.into_iter().zip(high)) {
                *base = (low + (high - low) / 2).saturating_sub(u16::from(u8::MAX / 2)).min(most);
            }
        }
    }

    /// Finds the medians as bytes.
    #[inline(always)]
    fn find(&mut self, compare: impl Compare<u8, BYTES>) {
        let (tile, count) = (tile_of(self.half), self.network.samples.len());
        let eights = count.div_ceil(EIGHT);
        let stretches = self.stretches.chunks_exact_mut(eights);
        for ((stretch, base), samples) in
            stretches.zip(&self.bases).zip(self.samples.windows(count).step_by(tile))
        {
            for (byte, level) in stretch.as_flattened_mut().iter_mut().zip(samples) {
                *byte = level.saturating_sub(*base).min(u16::from(u8::MAX)) as u8;
            }
        }
        for (number, rows) in self.network.samples.chunks_mut(EIGHT).enumerate() {
            let mut square = [[0_u64; BLOCKS]; EIGHT];
            for part in 0..BYTES / (EIGHT * BLOCKS) {
                for (lane, row) in square.iter_mut().enumerate() {
                    for (block, place) in row.iter_mut().enumerate() {
                        let tile = (part * BLOCKS + block) * EIGHT + lane;
                        *place = u64::from_le_bytes(self.stretches[tile * eights + number]);
                    }
                }
                turn(&mut square);
                for (row, turned) in rows.iter_mut().zip(&square) {
                    for (place, eight) in
                        row[part * EIGHT * BLOCKS..].as_chunks_mut::<EIGHT>().0.iter_mut().zip(turned)
                    {
                        *place = eight.to_le_bytes();
                    }
                }
            }
        }
        self.network.run(compare);
    }

    /// Gives the medians of as many windows as there are places; which tiles must be taken as words.
    #[inline(always)]
    fn write(&mut self, places: &mut [u16]) -> [bool; BYTES] {
        let (mut low, mut high) = ([u8::MAX; BYTES], [0; BYTES]);
        for row in &self.network.lists {
            for lane in 0..BYTES {
                (low[lane], high[lane]) = (low[lane].min(row[lane]), high[lane].max(row[lane]));
            }
        }
        let eights = self.network.lists.len().div_ceil(EIGHT);
        for (number, rows) in self.network.lists.chunks(EIGHT).enumerate() {
            for part in 0..BYTES / (EIGHT * BLOCKS) {
                let mut square = [[0_u64; BLOCKS]; EIGHT];
                for (row, turned) in rows.iter().zip(&mut square) {
                    for (eight, place) in
                        row[part * EIGHT * BLOCKS..].as_chunks::<EIGHT>().0.iter().zip(turned)
                    {
                        *place = u64::from_le_bytes(*eight);
                    }
                }
                turn(&mut square);
                for (lane, row) in square.iter().enumerate() {
                    for (block, eight) in row.iter().enumerate() {
                        let tile = (part * BLOCKS + block) * EIGHT + lane;
                        self.stretches[tile * eights + number] = eight.to_le_bytes();
                    }
                }
            }
        }
        let mut left = [false; BYTES];
        let stretches = self.stretches.chunks_exact(eights);
        for ((lane, places), stretch) in places.chunks_mut(tile_of(self.half)).enumerate().zip(stretches) {
            let base = self.bases[lane];
            let is_under = low[lane] == 0 && base > self.extent.0;
            let is_beyond =
                high[lane] == u8::MAX && u32::from(base) + u32::from(u8::MAX) < self.extent.1.into();
            left[lane] = is_under || is_beyond;
            for (place, byte) in places.iter_mut().zip(stretch.as_flattened()) {
                *place = base.wrapping_add((*byte).into());
            }
        }
        left
    }
}

/// Bytes that are turned at a time.
const EIGHT: usize = 8;

/// Eight bytes of one tile, or one of eight tiles.
type Eight = [u8; EIGHT];

/// Squares that are turned side by side.
const BLOCKS: usize = 4;

/// Turns squares of eight by eight bytes: lines become columns.
#[inline(always)]
fn turn(square: &mut [[u64; BLOCKS]; EIGHT]) {
    for (apart, mask) in
        [(1, 0x00ff_00ff_00ff_00ff_u64), (2, 0x0000_ffff_0000_ffff), (4, 0x0000_0000_ffff_ffff)]
    {
        for line in (0..EIGHT).filter(|line| line & apart == 0) {
            let (uppers, lowers) = square.split_at_mut(line + apart);
            for (upper, lower) in uppers[line].iter_mut().zip(&mut lowers[0]) {
                let swapped = ((*upper >> (8 * apart)) ^ *lower) & mask;
                (*upper, *lower) = (*upper ^ (swapped << (8 * apart)), *lower ^ swapped);
            }
        }
    }
}

/// Tiles from anywhere in the record, to be taken as words.
struct Words<const WORDS: usize> {
    half: usize,
    /// The samples of one tile's windows.
    samples: Vec<u16>,
    network: Network<u16, WORDS>,
}

impl<const WORDS: usize> Words<WORDS> {
    fn new(half: usize) -> Self {
        let network = Network::new(half, [0, u16::MAX]);
        Self { half, samples: vec![0; network.samples.len()], network }
    }

    /// Finds the medians of the tiles that begin at these samples, as many as a register holds or fewer.
    #[inline(always)]
    fn find(
        &mut self,
        compare: impl Compare<u16, WORDS>,
        (levels, tiles): (&[u16], &[usize]),
        medians: &mut [u16],
    ) {
        for (lane, from) in tiles.iter().enumerate() {
            read_window(levels, (*from, self.half), &mut self.samples);
            for (row, sample) in self.network.samples.iter_mut().zip(&self.samples) {
                row[lane] = *sample;
            }
        }
        self.network.run(compare);
        for (lane, from) in tiles.iter().enumerate() {
            let places = medians.get_mut(*from..).unwrap_or_default();
            places.iter_mut().zip(&self.network.lists).for_each(|(place, row)| *place = row[lane]);
        }
    }
}

/// The samples from half a window before sample `from` on; beyond the record's ends stands its end sample.
fn read_window(levels: &[u16], (from, half): (usize, usize), samples: &mut [u16]) {
    let before = half.saturating_sub(from).min(samples.len());
    let (head, rest) = samples.split_at_mut(before);
    head.fill(levels.first().copied().unwrap_or(0));
    let inside = levels.get((from + before).saturating_sub(half)..).unwrap_or_default();
    let (body, tail) = rest.split_at_mut(rest.len().min(inside.len()));
    body.copy_from_slice(&inside[..body.len()]);
    tail.fill(levels.last().copied().unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::super::rows::compare_plainly;
    use super::{Medians, running_median};
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
    fn slopes_that_leave_the_bytes_of_a_tile_and_grids_wider_than_them_have_the_median_of_their_definition() {
        let noise = |n: u32| (n.wrapping_mul(2_654_435_761) >> 27) as u16;
        let slope = |rise: u32| move |n: u32| 20_000 + (n * rise % 9_000) as u16 + noise(n);
        for (rise, grid) in [(0, 1), (1, 1), (3, 1), (40, 1), (3, 300), (1, 700)] {
            let levels: Vec<u16> = (0..9_000).map(slope(rise)).map(|level| level / grid * grid).collect();
            for window in [41, 201] {
                assert!(running_median(&levels, window) == naive(&levels, window), "{rise} {grid} {window}");
            }
        }
    }

    #[test]
    fn every_processor_finds_the_same_medians() {
        let levels: Vec<u16> =
            (0..9_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 20) as u16 + (n / 2) as u16).collect();
        let mut medians = vec![0; levels.len()];
        compare_plainly(Medians { levels: &levels, half: 100, medians: &mut medians });
        assert!(medians == running_median(&levels, 201));
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
