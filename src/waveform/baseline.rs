//! The running median under a trace: kept where the record is short; of a long one found again where it is looked at, some at a
//! time, because kept it would take as much memory as the bytes of two traces.

use super::median::running_median;
use super::trace::LevelReader;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Samples of which all medians are kept.
pub(super) const MOST_KEPT: usize = 14 << 20;

/// Medians that are found together: many against the window that two neighbours of them share.
const CHUNK: usize = 1 << 18;

/// The running median of a trace.
#[derive(Debug)]
pub(super) struct Baseline<'a> {
    levels: LevelReader<'a>,
    window: usize,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    Whole(Vec<u16>),
    /// The chunk that was looked at last; who goes through the record finds each once.
    Last(Mutex<Chunk>),
}

#[derive(Debug, Default)]
struct Chunk {
    from: usize,
    medians: Vec<u16>,
}

impl<'a> Baseline<'a> {
    /// Finds the medians of `window` samples and gives all of them, with the levels they lie under, some at a time. Of so many
    /// samples at most they are kept.
    pub(super) fn of(
        levels: LevelReader<'a>,
        window: usize,
        most_kept: usize,
        mut give: impl FnMut(&[u16], &[u16]),
    ) -> Self {
        let mut whole = (levels.len() <= most_kept).then(|| Vec::with_capacity(levels.len()));
        for from in (0..levels.len()).step_by(CHUNK) {
            let range = from..levels.len().min(from + CHUNK);
            let (part, medians) = find(&levels, range, window);
            give(&part, &medians);
            if let Some(whole) = &mut whole {
                whole.extend_from_slice(&medians);
            }
        }
        let kept = whole.map_or_else(|| Kept::Last(Mutex::default()), Kept::Whole);
        Self { levels, window, kept }
    }

    /// Number of samples.
    pub(super) fn len(&self) -> usize {
        self.levels.len()
    }

    /// Fills in the medians from sample `from` on, as far as there are any.
    pub(super) fn fill(&self, from: usize, places: &mut [u16]) {
        let chunks = match &self.kept {
            Kept::Whole(medians) => {
                let inside = medians.get(from..).unwrap_or_default();
                return places.iter_mut().zip(inside).for_each(|(place, median)| *place = *median);
            }
            Kept::Last(chunk) => chunk,
        };
        // What another thread left half done is found again.
        let mut chunk = chunks.lock().unwrap_or_else(PoisonError::into_inner);
        let end = self.len().min(from.saturating_add(places.len()));
        let mut at = from;
        while at < end {
            let start = at - at % CHUNK;
            if chunk.from != start || chunk.medians.is_empty() {
                let range = start..self.len().min(start + CHUNK);
                *chunk = Chunk { from: start, medians: find(&self.levels, range, self.window).1 };
            }
            let inside = chunk.medians.get(at - start..).unwrap_or_default();
            let count = inside.len().min(end - at);
            places[at - from..][..count].copy_from_slice(&inside[..count]);
            at += count;
        }
    }
}

/// Levels and medians of a stretch.
fn find(levels: &LevelReader<'_>, range: Range<usize>, window: usize) -> (Vec<u16>, Vec<u16>) {
    // As far as the windows reach: what stands at an end of the record is repeated only there.
    let from = range.start.saturating_sub(window);
    let to = levels.len().min(range.end.saturating_add(window));
    let mut part = vec![0; to - from];
    levels.fill(from, &mut part);
    let mut medians = running_median(&part, window);
    for values in [&mut part, &mut medians] {
        values.truncate(range.end - from);
        values.drain(..range.start - from);
    }
    (part, medians)
}

#[cfg(test)]
mod tests {
    use super::super::block::made::{Dice, trace};
    use super::*;

    #[test]
    fn medians_that_are_found_again_are_those_that_are_kept_across_all_chunks() {
        let mut dice = Dice(3);
        let count = 2 * CHUNK + 777;
        let output =
            trace((0..count).map(|n| 5.0 + 0.2 * (n as f64 / 3e4).sin() + 0.1 * dice.noise()), 100e6);
        let (levels, _) = output.check_extents().unwrap();
        let mut all = vec![0; count];
        levels.fill(0, &mut all);
        let expected = running_median(&all, 21);
        for most_kept in [count, 0] {
            let mut given = (Vec::new(), Vec::new());
            let baseline = Baseline::of(levels, 21, most_kept, |levels, medians| {
                given.0.extend_from_slice(levels);
                given.1.extend_from_slice(medians);
            });
            assert!(given.0 == all && given.1 == expected);
            assert_eq!(matches!(baseline.kept, Kept::Whole(_)), most_kept == count);
            for (from, length) in
                [(0, 5), (CHUNK - 3, 7), (CHUNK, 40), (10, CHUNK + 9), (count - 4, 9), (count, 3)]
            {
                let mut places = vec![1; length];
                baseline.fill(from, &mut places);
                let inside = length.min(count - from);
                assert!(places[..inside] == expected[from..from + inside], "{from} {length}");
                assert!(places[inside..].iter().all(|place| *place == 1));
            }
        }
    }
}
