//! Clipping told from the samples alone, where nobody says where the converter's range ends: what is cut off heaps up on the end.

use super::counts::count_levels;
use super::tops::Cycles;
use super::trace::LevelReader;

/// So few samples on an end are none cut off, or too few to matter.
const LEAST: usize = 8;

/// Samples on the end over those on any of the next values, at least. Round tops, however even, heap up 2.4 times.
const TIMES: u32 = 8;

/// Values next to the end that it is held against.
const NEIGHBORS: usize = 4;

/// Of so many comings and goings of a trace that rests on an end, one is by the next value. What is cut off in ringing jumps.
const NEAR_PART: usize = 4;

/// A trace of fewer values has no slope from which an end would stand out.
const LEAST_VALUES: usize = 8;

/// Of so few values the least distance counts as the converter's step: what is printed is finer, and of fewer the import moves
/// none onto a grid.
const FEW_VALUES: usize = 24;

/// Of so many samples on the end, one stands behind another. What is cut off stays for a while; tops of a trace that repeats
/// itself exactly are as high each time, but they are single samples.
const PAIRED: usize = 10;

/// Samples that are cut off at the lowest and at the highest value of a trace; none where nothing shows that they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Heaps {
    pub(super) low: usize,
    pub(super) high: usize,
    /// The lowest and the highest level, where they were looked for.
    pub(super) ends: (u16, u16),
    /// Samples on them.
    pub(super) on_ends: (usize, usize),
    /// Whether it is the tops of cycles that show it, and no heap.
    pub(super) by_tops: bool,
    /// Samples that stand on an end because the trace rests there.
    pub(super) resting: usize,
    /// The least distance of two levels that occur, where they are so few that no grid was found under them.
    pub(super) few_apart: Option<u16>,
}

/// Looks for heaps of samples on the ends of a trace.
pub(super) fn find_heaps(levels: &LevelReader<'_>) -> Heaps {
    let counts = count_levels(|count| levels.read(0..levels.len(), count));
    let (Some((low, on_low)), Some((high, on_high))) = (counts.first().copied(), counts.last().copied())
    else {
        return Heaps::default();
    };
    let is_long = counts.len() >= LEAST_VALUES;
    let stays = |end: u16, on_end: u32| {
        levels.count_pairs(|before, level| before == end && level == end) * PAIRED >= on_end as usize
    };
    let upwards = counts.iter().map(|(_, count)| *count);
    let is_low = is_long && is_heap(upwards.clone()) && stays(low, on_low);
    let is_high = is_long && is_heap(upwards.rev()) && stays(high, on_high);
    let next = |at: Option<usize>| at.and_then(|at| counts.get(at)).map_or(0, |(level, _)| *level);
    let so_many = |are: bool, count: u32| if are { count as usize } else { 0 };
    let is_most = 2 * (so_many(is_low, on_low) + so_many(is_high, on_high)) > levels.len();
    let rests_low = is_low && is_most && rests(levels, (low, next(Some(1))));
    let rests_high = is_high && is_most && rests(levels, (high, next(counts.len().checked_sub(2))));
    Heaps {
        low: so_many(is_low && !rests_low, on_low),
        high: so_many(is_high && !rests_high, on_high),
        resting: so_many(rests_low, on_low) + so_many(rests_high, on_high),
        ends: (low, high),
        on_ends: (on_low as usize, on_high as usize),
        by_tops: false,
        few_apart: counts
            .windows(2)
            .map(|pair| pair[1].0 - pair[0].0)
            .min()
            .filter(|_| counts.len() < FEW_VALUES),
    }
}

impl Heaps {
    /// These, with the tops of cycles that are too narrow to heap up.
    pub(super) fn with_tops(self, cycles: &Cycles<'_>) -> Self {
        if self.resting > 0 {
            return self;
        }
        let cut = |known: usize, is_high: bool, end: u16, on_end: usize| {
            if known == 0 && cycles.are_cut(is_high, (end, on_end)) { on_end } else { known }
        };
        let low = cut(self.low, false, self.ends.0, self.on_ends.0);
        let high = cut(self.high, true, self.ends.1, self.on_ends.1);
        Self { low, high, by_tops: (low, high) != (self.low, self.high), ..self }
    }
}

/// Whether a trace of which most stands on its ends rests on this one and is not cut off there: a good part of the times that it
/// comes or goes it does so by the value `next` to the end.
fn rests(levels: &LevelReader<'_>, (end, next): (u16, u16)) -> bool {
    let apart = |before: u16, level: u16| (before == end) != (level == end);
    let near = |before: u16, level: u16| before == end && level == next || before == next && level == end;
    NEAR_PART * levels.count_pairs(near) >= levels.count_pairs(apart)
}

/// Whether the first of these counts, from an end inwards, is a heap.
fn is_heap(mut inwards: impl Iterator<Item = u32>) -> bool {
    let end = inwards.next().unwrap_or(0);
    let most = inwards.take(NEIGHBORS).max().unwrap_or(0);
    end as usize >= LEAST && end >= TIMES.saturating_mul(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waveform::block::made::Dice;
    use crate::waveform::{Codes, Waveform};
    use proptest::prelude::*;
    use std::f64::consts::TAU;

    /// Ringing after every edge, noise, and a converter of so many volts a step, in steps.
    fn ringing(height_v: f64, noise_v: f64, step_v: f64, seed: u64) -> Vec<i32> {
        let mut dice = Dice(seed);
        let one = |n: u32| {
            let since_s = f64::from(n % 410) * 1e-8 + dice.uniform() * 1e-9;
            let spike_v = height_v * (-since_s / 60e-9).exp() * (TAU * 17e6 * since_s).cos();
            ((spike_v + noise_v * dice.noise()) / step_v).round() as i32
        };
        (0..40_000).map(one).collect()
    }

    fn heaps(levels: &[u16]) -> (usize, usize) {
        // Words stand as levels 32768 higher.
        let codes = levels.iter().map(|level| (level ^ 0x8000) as i16).collect();
        let output = Waveform { codes: Codes::I16(codes), ..Waveform::of_volts("vout", [], 100e6) };
        let Heaps { low, high, ends, .. } = find_heaps(&output.level_reader((0.0, 0.0)));
        let extremes = levels.iter().min().copied().zip(levels.iter().max().copied());
        assert_eq!(ends, extremes.unwrap_or_default());
        (low, high)
    }

    fn levels(steps: impl IntoIterator<Item = i32>) -> Vec<u16> {
        steps.into_iter().map(|step| (step + 32_768) as u16).collect()
    }

    proptest! {
        #[test]
        fn spikes_that_are_cut_off_heap_up_on_the_end(
            seed in any::<u64>(), height_v in 0.3_f64..3.0, end in 40_i32..120, noise_v in 0.0_f64..3e-3,
        ) {
            let whole = ringing(height_v, noise_v, 0.4e-3, seed);
            let cut = whole.iter().map(|step| (*step).min(end));
            let beyond = whole.iter().filter(|step| **step >= end).count();
            prop_assert_eq!(heaps(&levels(cut)), (0, beyond));
            let cut = whole.iter().map(|step| (*step).max(-end));
            let beyond = whole.iter().filter(|step| **step <= -end).count();
            prop_assert_eq!(heaps(&levels(cut)), (beyond, 0));
        }

        #[test]
        fn spikes_in_a_range_that_holds_them_are_no_heap(
            seed in any::<u64>(), height_v in 0.0_f64..3.0, noise_v in 0.1e-3_f64..3e-3, step_v in 0.1e-3_f64..20e-3,
        ) {
            prop_assert_eq!(heaps(&levels(ringing(height_v, noise_v, step_v, seed))), (0, 0));
        }

        #[test]
        fn noise_of_few_steps_is_no_heap(seed in any::<u64>(), sigma in 0.05_f64..6.0, mean in 0.0_f64..1.0) {
            let mut dice = Dice(seed);
            let noise = levels((0..20_000).map(|_| (mean + sigma * dice.noise()).round() as i32));
            prop_assert_eq!(heaps(&noise), (0, 0));
        }

        #[test]
        fn the_round_tops_of_a_sine_are_no_heap(steps in 4.0_f64..3000.0, period in 3.0_f64..5000.0) {
            let sine = levels((0..30_000).map(|n| (steps * (TAU * f64::from(n) / period).sin()).round() as i32));
            prop_assert_eq!(heaps(&sine), (0, 0));
        }
    }

    #[test]
    fn an_end_on_which_the_trace_rests_is_no_heap_but_one_that_most_of_it_jumps_to_is() {
        let mut dice = Dice(3);
        let mut stepped = |volts: f64| ((volts + 1e-3 * dice.noise()) / 0.02).round() as i32;
        // Spikes that fall back slowly, a start and its rest, a start after a rest.
        let spike = |n: usize| if n % 1000 < 60 { 0.3 * (1.0 - (n % 1000) as f64 / 60.0) } else { 0.0 };
        let start = |n: usize| (n as f64 / 3000.0 - 2.0).clamp(0.0, 2.0);
        let rests: [Vec<i32>; 3] = [
            (0..20_000).map(|n| stepped(5.0 + spike(n))).collect(),
            (0..20_000).map(|n| stepped(start(n))).collect(),
            (0..20_000).map(|n| stepped(2.0 - start(n))).collect(),
        ];
        for trace in rests {
            assert_eq!(heaps(&levels(trace)), (0, 0));
        }
        // Ringing that is cut off most of the time comes and goes by many values.
        let ring = |n: usize| (TAU * n as f64 / 7.3).cos() * (200.0 + (n % 90) as f64);
        let cut = levels((0..20_000).map(|n| (ring(n) as i32).min(-80)));
        let end = *cut.iter().max().unwrap();
        let beyond = cut.iter().filter(|level| **level == end).count();
        assert!(2 * beyond > cut.len());
        assert_eq!(heaps(&cut), (0, beyond));
    }

    #[test]
    fn tops_that_are_alike_in_every_cycle_are_single_samples_and_no_heap() {
        let cycle: Vec<i32> = (0..400)
            .map(|n| (2000.0 * (-f64::from(n) / 6.0).exp() * (f64::from(n) * 1.07).cos()) as i32)
            .collect();
        assert_eq!(heaps(&levels(cycle.repeat(100))), (0, 0));
    }

    #[test]
    fn a_trace_that_stands_still_or_is_none_has_no_heap() {
        for trace in [vec![], vec![7; 1000], [3, 4].repeat(500)] {
            assert_eq!(heaps(&trace), (0, 0));
        }
    }
}
