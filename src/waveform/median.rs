//! Running median over integer levels, in constant time a sample for scope data.

/// Counts of the levels inside the window, with the level of a wanted rank kept at hand.
///
/// Neighbouring windows differ by two samples, so the median moves by a few occupied levels at most. A bit a level marks the
/// occupied ones, so that empty stretches of 16-bit data are skipped 64 levels at a time.
struct Window {
    counts: Vec<u32>,
    occupied: Vec<u64>,
    /// The level held to be the median.
    level: usize,
    /// Samples of the window under `level`.
    below: u32,
    /// Rank of the median: half the window, rounded down.
    rank: u32,
}

impl Window {
    fn new(levels: usize, rank: u32) -> Self {
        Self { counts: vec![0; levels], occupied: vec![0; levels.div_ceil(64)], level: 0, below: 0, rank }
    }

    fn insert(&mut self, level: u16) {
        let at = usize::from(level);
        self.counts[at] += 1;
        self.occupied[at / 64] |= 1 << (at % 64);
        self.below += u32::from(at < self.level);
    }

    fn remove(&mut self, level: u16) {
        let at = usize::from(level);
        self.counts[at] -= 1;
        if self.counts[at] == 0 {
            self.occupied[at / 64] &= !(1 << (at % 64));
        }
        self.below -= u32::from(at < self.level);
    }

    /// Moves to the level whose samples hold the wanted rank, and gives it.
    fn median(&mut self) -> u16 {
        while self.below > self.rank {
            let Some(lower) = self.occupied_below(self.level) else { break };
            self.level = lower;
            self.below -= self.counts[lower];
        }
        while self.below + self.counts[self.level] <= self.rank {
            let Some(higher) = self.occupied_above(self.level) else { break };
            self.below += self.counts[self.level];
            self.level = higher;
        }
        self.level as u16
    }

    fn occupied_below(&self, level: usize) -> Option<usize> {
        let mut word = level / 64;
        let mut bits = self.occupied[word] & ((1_u64 << (level % 64)) - 1);
        while bits == 0 {
            word = word.checked_sub(1)?;
            bits = self.occupied[word];
        }
        Some(word * 64 + 63 - bits.leading_zeros() as usize)
    }

    fn occupied_above(&self, level: usize) -> Option<usize> {
        let mut word = level / 64;
        // Twice shifted by one, because a shift by 64 is not a shift.
        let mut bits = self.occupied[word] & ((!0_u64 << (level % 64)) << 1);
        while bits == 0 {
            word += 1;
            bits = *self.occupied.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }
}

/// Centred running median of `window` samples (an odd count; an even one is taken one longer). Where the window reaches
/// over an end of the record, the end sample is repeated. Gives one value a sample.
#[must_use]
pub fn running_median(levels: &[u16], window: usize) -> Vec<u16> {
    let (Some(first), Some(last), Some(highest)) =
        (levels.first().copied(), levels.last().copied(), levels.iter().max().copied())
    else {
        return Vec::new();
    };
    let half = window / 2;
    let at = |index: isize| -> u16 {
        if index < 0 { first } else { levels.get(index as usize).copied().unwrap_or(last) }
    };
    let mut counts = Window::new(usize::from(highest) + 1, half as u32);
    for index in -(half as isize)..=(half as isize) {
        counts.insert(at(index));
    }
    let mut medians = Vec::with_capacity(levels.len());
    medians.push(counts.median());
    for center in 1..levels.len() as isize {
        counts.remove(at(center - 1 - half as isize));
        counts.insert(at(center + half as isize));
        medians.push(counts.median());
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
