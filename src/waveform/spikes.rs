//! Spikes: what stands out of the running median (S6).

use super::baseline::{Baseline, MOST_KEPT};
use super::counts::{Tally, counted_median};
use super::switching::Edges;
use super::trace::LevelReader;
use super::wide::{Work, widen};
use super::{Figure, Unavailable, Waveform};
use crate::base::stats;
use std::ops::Range;

/// Length of the running median that is the baseline under the spikes, in seconds (201 samples at 100 MSa/s).
pub const BASELINE_S: f64 = 2.01e-6;

/// A spike counts for the rate beyond this many volts of the baseline, in either direction.
pub const RATE_THRESHOLD_V: f64 = 0.1;

/// Samples beyond the threshold that lie no further apart than this belong to one spike, in seconds.
const GROUP_S: f64 = 1e-6;

/// A cycle's spikes are looked for from this long before its rising edge, in seconds.
pub(super) const LEAD_S: f64 = 0.2e-6;

/// The samples less their baseline, in whole converter steps. The differences are taken where they are looked at: a copy of
/// them all would need more memory than the samples.
#[derive(Debug)]
pub struct Deviations<'a> {
    levels: LevelReader<'a>,
    baseline: Baseline<'a>,
    /// The lowest and the highest deviation of each [`BLOCK`] samples.
    extents: Vec<Extent>,
    /// Median distance of the deviations from their median.
    spread: f64,
    /// Volts of one level.
    pub step_v: f64,
    /// What the record resolves, in volts: one step of the converter, which may be many levels.
    resolution_v: f64,
    /// Samples a second.
    pub rate_hz: f64,
}

/// Samples of the baseline's window: the odd count nearest to 2.01 us.
#[must_use]
pub fn baseline_samples(rate_hz: f64) -> usize {
    2 * (BASELINE_S * rate_hz / 2.0).floor() as usize + 1
}

/// Takes the running median away from the trace.
///
/// # Errors
/// The trace is unreadable, shorter than the baseline's window, or so slow that the window is a single sample.
pub fn measure_deviations(waveform: &Waveform) -> Result<Deviations<'_>, Unavailable> {
    deviations_of(waveform, waveform.read_levels()?)
}

/// As [`measure_deviations`] of a trace that can be read; `levels` are its own.
pub(super) fn deviations_of<'a>(
    waveform: &Waveform,
    levels: LevelReader<'a>,
) -> Result<Deviations<'a>, Unavailable> {
    let rate_hz = waveform.sample_rate_hz();
    let window = baseline_samples(rate_hz);
    if window < 3 || window > waveform.codes.len() {
        return Err(Unavailable::because(format!(
            "the baseline under the spikes needs 2.01 µs, which is {window} samples; the record has {} samples {:.3} µs apart",
            waveform.codes.len(),
            waveform.step_s * 1e6
        )));
    }
    Ok(Deviations::new(levels, (window, MOST_KEPT), rate_hz))
}

/// Samples whose extent is kept, so that most need not be looked at again.
const BLOCK: usize = 32;

/// Blocks that are looked at at a time.
const BLOCKS: usize = 64;

/// Samples that are read at a time.
const PART: usize = 256;

/// The lowest and the highest deviation of some samples; none of no samples.
type Extent = (i32, i32);

/// The extent of nothing.
const NOTHING: Extent = (i32::MAX, i32::MIN);

#[inline(always)]
fn join(a: Extent, b: Extent) -> Extent {
    (a.0.min(b.0), a.1.max(b.1))
}

/// A place in a tally for each deviation there can be.
const PLACES: usize = 2 * u16::MAX as usize + 1;

/// The extent of each block of a stretch, and for each sample its deviation, whole where the extent is that of words.
struct Differences<'a> {
    levels: &'a [u16],
    baseline: &'a [u16],
    deviations: &'a mut [i16; BLOCK * BLOCKS],
}

impl Work for Differences<'_> {
    type Output = [Extent; BLOCKS];

    #[inline(always)]
    fn call(self) -> [Extent; BLOCKS] {
        let mut extents = [NOTHING; BLOCKS];
        let blocks = self.levels.chunks(BLOCK).zip(self.baseline.chunks(BLOCK));
        for ((extent, deviations), (levels, baseline)) in
            extents.iter_mut().zip(self.deviations.chunks_mut(BLOCK)).zip(blocks)
        {
            // How far the samples lie over the baseline, and how far under it: words, of which a register holds twice as many.
            let (mut least_over, mut most_over) = (u16::MAX, 0);
            let (mut least_under, mut most_under) = (u16::MAX, 0);
            for ((place, level), base) in deviations.iter_mut().zip(levels).zip(baseline) {
                let (over, under) = (level.saturating_sub(*base), base.saturating_sub(*level));
                *place = level.wrapping_sub(*base) as i16;
                (least_over, most_over) = (least_over.min(over), most_over.max(over));
                (least_under, most_under) = (least_under.min(under), most_under.max(under));
            }
            let low = if most_under > 0 { -i32::from(most_under) } else { i32::from(least_over) };
            let high = if most_over > 0 { i32::from(most_over) } else { -i32::from(least_under) };
            *extent = (low, high);
        }
        extents
    }
}

/// The place of a deviation in the tally.
fn place_of(deviation: impl Into<i32>) -> usize {
    (deviation.into() + i32::from(u16::MAX)) as usize
}

/// Spikes of each cycle taken together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CycleSpikes {
    /// Median over cycles of the highest deviation, in volts.
    pub pos_median_v: f64,
    /// Median over cycles of the lowest deviation, in volts.
    pub neg_median_v: f64,
    /// 95th percentile over cycles of the highest deviation, in volts.
    pub pos_p95_v: f64,
    /// 5th percentile over cycles of the lowest deviation, in volts.
    pub neg_p05_v: f64,
}

/// Groups of samples beyond a threshold, those within a microsecond of each other taken together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpikeGroups {
    /// Groups a second.
    pub rate_hz: f64,
    /// Part of the record that lies within them.
    pub filled: f64,
}

/// Deviations counted, and their extents, while the record is gone through.
struct Gathered {
    tally: Tally,
    extents: Vec<Extent>,
    deviations: [i16; BLOCK * BLOCKS],
}

impl Gathered {
    /// Takes a stretch in; all but the last one are whole blocks.
    fn add(&mut self, levels: &[u16], baseline: &[u16]) {
        let Self { tally, extents, deviations } = self;
        for (levels, baseline) in levels.chunks(BLOCK * BLOCKS).zip(baseline.chunks(BLOCK * BLOCKS)) {
            let found = widen(Differences { levels, baseline, deviations });
            let found = &found[..levels.len().div_ceil(BLOCK)];
            extents.extend_from_slice(found);
            let is_word = |extent: Extent| i16::try_from(extent.0).is_ok() && i16::try_from(extent.1).is_ok();
            if is_word(found.iter().fold(NOTHING, |all, extent| join(all, *extent))) {
                tally.add(&deviations[..levels.len()], place_of);
                continue;
            }
            let blocks = levels.chunks(BLOCK).zip(baseline.chunks(BLOCK)).zip(deviations.chunks(BLOCK));
            for (extent, ((levels, baseline), deviations)) in found.iter().zip(blocks) {
                if is_word(*extent) {
                    tally.add(&deviations[..levels.len()], place_of);
                } else {
                    let whole =
                        levels.iter().zip(baseline).map(|(level, base)| i32::from(*level) - i32::from(*base));
                    whole.for_each(|deviation| tally.add_times(place_of(deviation), 1));
                }
            }
        }
    }
}

impl<'a> Deviations<'a> {
    /// Of at least one level; the baseline's window in samples, and of so many samples at most the baseline is kept.
    fn new(levels: LevelReader<'a>, (window, most_kept): (usize, usize), rate_hz: f64) -> Self {
        let extents = Vec::with_capacity(levels.len().div_ceil(BLOCK));
        let mut gathered = Gathered { tally: Tally::new(PLACES), extents, deviations: [0; BLOCK * BLOCKS] };
        let baseline =
            Baseline::of(levels, window, most_kept, |levels, baseline| gathered.add(levels, baseline));
        let Gathered { tally, extents, .. } = gathered;
        let step_v = levels.step_v;
        let mut made = Self { step_v, resolution_v: step_v, levels, baseline, extents, spread: 0.0, rate_hz };
        let counted = (-i32::from(u16::MAX)..).zip(tally.counts()).filter(|(_, count)| *count > 0);
        let counted: Vec<(i32, u32)> = counted.collect();
        let center = counted_median(counted.iter().copied()).unwrap_or(0.0);
        let mut distances: Vec<(f64, u32)> = counted
            .iter()
            .map(|(deviation, count)| ((f64::from(*deviation) - center).abs(), *count))
            .collect();
        distances.sort_by(|a, b| a.0.total_cmp(&b.0));
        made.spread = counted_median(distances.iter().copied()).unwrap_or(0.0);
        made
    }

    /// As these, of a converter with steps of so many volts.
    pub(super) fn of_steps(self, step_v: f64) -> Self {
        Self { resolution_v: step_v.max(self.step_v), ..self }
    }

    /// What noise and converter steps alone may reach over the baseline, in volts: the largest of some 100 000 samples of noise
    /// lies 4.4 sigma out.
    #[must_use]
    pub fn floor_v(&self) -> f64 {
        (5.0 * self.noise_sigma_v().unwrap_or(0.0)).max(2.0 * self.resolution_v)
    }

    /// What more a spike may be than the steps of the converter show, in volts: sample and baseline may each lie half a step off.
    /// Nothing where noise, and not the steps, is what hides it.
    #[must_use]
    pub fn hidden_v(&self) -> f64 {
        let is_by_steps = 5.0 * self.noise_sigma_v().unwrap_or(0.0) < 2.0 * self.resolution_v;
        if is_by_steps { self.resolution_v } else { 0.0 }
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.baseline.len()
    }

    /// Whether there is no sample at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.baseline.len() == 0
    }

    /// The deviations of a stretch in whole steps; fewer at the record's end.
    #[must_use]
    pub fn stretch(&self, range: Range<usize>) -> Vec<i32> {
        let mut deviations = Vec::with_capacity(range.len().min(self.len()));
        self.read(range, |levels, baseline| {
            deviations.extend(
                levels.iter().zip(baseline).map(|(level, base)| i32::from(*level) - i32::from(*base)),
            );
        });
        deviations
    }

    /// Gives levels and baseline of a stretch, some at a time; fewer at the record's end.
    fn read(&self, range: Range<usize>, mut give: impl FnMut(&[u16], &[u16])) {
        let (mut levels, mut baseline) = ([0; PART], [0; PART]);
        let end = range.end.min(self.len());
        for from in (range.start..end).step_by(PART) {
            let count = PART.min(end - from);
            let (levels, baseline) = (&mut levels[..count], &mut baseline[..count]);
            self.levels.fill(from, levels);
            self.baseline.fill(from, baseline);
            give(levels, baseline);
        }
    }

    /// The lowest and the highest deviation of a stretch.
    fn extent(&self, range: Range<usize>) -> Extent {
        let (first, last) = (range.start.div_ceil(BLOCK), range.end / BLOCK);
        let one_by_one = |range| {
            self.stretch(range).into_iter().fold(NOTHING, |all, deviation| join(all, (deviation, deviation)))
        };
        if first >= last {
            return one_by_one(range);
        }
        let blocks = self.extents.get(first..last).unwrap_or_default();
        let ends = join(one_by_one(range.start..first * BLOCK), one_by_one(last * BLOCK..range.end));
        blocks.iter().fold(ends, |all, extent| join(all, *extent))
    }

    /// Mean of a stretch in volts (but for an offset that all stretches share), each sample taken no further than `most_v` from
    /// the baseline; `None` of a stretch that leaves the record.
    pub(super) fn mean_without_spikes_v(&self, range: Range<usize>, most_v: f64) -> Option<f64> {
        let most = (most_v / self.step_v).clamp(0.0, f64::from(u16::MAX)) as i64;
        let (count, mut sum, mut seen) = (range.len(), 0, 0);
        self.read(range, |levels, baseline| {
            seen += levels.len();
            for (level, base) in levels.iter().zip(baseline) {
                let (level, base) = (i64::from(*level), i64::from(*base));
                sum += base + (level - base).clamp(-most, most);
            }
        });
        (count > 0 && seen == count).then(|| sum as f64 / count as f64 * self.step_v)
    }

    /// The first sample that lies furthest from the baseline, and how far.
    fn worst(&self) -> (usize, i32) {
        let most = self.extents.iter().map(|(low, high)| high.abs().max(low.abs()));
        let most = most.max().unwrap_or(0);
        let holds = |extent: &Extent| extent.0.abs().max(extent.1.abs()) == most;
        let from = self.extents.iter().position(holds).unwrap_or(0) * BLOCK;
        let stretch = self.stretch(from..from + BLOCK).into_iter().enumerate();
        let mut found = stretch.filter(|(_, deviation)| deviation.abs() == most);
        found.next().map_or((0, 0), |(place, deviation)| (from + place, deviation))
    }

    /// The highest and the lowest deviation in volts; the one is not under and the other not over 0.
    #[must_use]
    pub fn peaks_v(&self) -> (f64, f64) {
        let (low, high) = self.extents.iter().fold((0, 0), |all, extent| join(all, *extent));
        (f64::from(high.max(0)) * self.step_v, f64::from(low.min(0)) * self.step_v)
    }

    /// How far the first and the last sample lie from the median of the samples within a window of them, in volts: the baseline itself
    /// repeats them, so that a spike there is no deviation.
    pub(super) fn ends_v(&self) -> [f64; 2] {
        let window = baseline_samples(self.rate_hz).min(self.len());
        let distance = |stretch: Range<usize>, at: usize| {
            let mut levels = vec![0; stretch.len()];
            self.levels.fill(stretch.start, &mut levels);
            let own = levels.get(at).copied().unwrap_or(0);
            levels.sort_unstable();
            (f64::from(own) - f64::from(levels.get(levels.len() / 2).copied().unwrap_or(own))) * self.step_v
        };
        let last = self.len() - window;
        [distance(0..window, 0), distance(last..self.len(), window.saturating_sub(1))]
    }

    /// The blocks of samples that reach half as far from the baseline as any does, upwards or downwards.
    pub(super) fn peaks(&self, is_high: bool) -> impl Iterator<Item = Range<usize>> + '_ {
        let reach = move |extent: &Extent| if is_high { extent.1 } else { -extent.0 };
        let most = self.extents.iter().map(reach).max().unwrap_or(0);
        let blocks = (0..).step_by(BLOCK).zip(&self.extents);
        let peaks = blocks.filter(move |(_, extent)| reach(extent) > 0 && 2 * reach(extent) >= most);
        peaks.map(|(from, _)| from..(from + BLOCK).min(self.len()))
    }

    /// Noise about the baseline as a sigma in volts, by the median absolute deviation, which spikes do not move.
    ///
    /// # Errors
    /// More than half of the samples equal the baseline: the noise is under the converter's resolution, or the baseline's window
    /// holds so few samples that each is often its own median.
    pub fn noise_sigma_v(&self) -> Figure {
        if self.spread > 0.0 {
            return Ok(1.4826 * self.spread * self.step_v);
        }
        if !self.is_on_steps() {
            return Err(Unavailable::because(format!(
                "the baseline's 2.01 µs hold {} samples: too few to tell noise from ripple",
                baseline_samples(self.rate_hz)
            )));
        }
        Err(Unavailable::because(format!(
            "the noise is under the resolution: half of the samples or more stand on one step of {:.2} mV",
            self.resolution_v * 1e3
        )))
    }

    /// Whether there is less noise than the converter resolves: half of the samples or more equal the baseline, and not because
    /// its window holds few of them, for many samples equal the one before.
    #[must_use]
    pub fn is_on_steps(&self) -> bool {
        let alike = || self.levels.count_pairs(|before, level| before == level);
        self.spread <= 0.0 && 4 * alike() >= self.len().saturating_sub(1)
    }

    /// How far the lowest and the highest sample lie from the baseline at its highest and at its lowest, in volts: a sample there
    /// is at least as far from it. The first is negative where the record is no wider than its ripple.
    #[must_use]
    pub fn reach_v(&self) -> (f64, f64) {
        let mut ends = [(u16::MAX, 0); 2];
        self.read(0..self.len(), |levels, baseline| {
            for ((low, high), values) in ends.iter_mut().zip([levels, baseline]) {
                values.iter().for_each(|value| (*low, *high) = ((*low).min(*value), (*high).max(*value)));
            }
        });
        let [levels, baseline] = ends;
        let volts = |steps: i32| f64::from(steps) * self.step_v;
        (
            volts(i32::from(baseline.0) - i32::from(levels.0)),
            volts(i32::from(levels.1) - i32::from(baseline.1)),
        )
    }

    /// Spikes a second beyond the threshold.
    ///
    /// # Errors
    /// The record's noise or its converter step reaches the threshold, so that the count would be one of noise.
    pub fn spike_rate_hz(&self, threshold_v: f64) -> Figure {
        self.spike_groups(threshold_v).map(|groups| groups.rate_hz)
    }

    /// The groups of samples beyond the threshold.
    ///
    /// # Errors
    /// As [`Deviations::spike_rate_hz`].
    pub fn spike_groups(&self, threshold_v: f64) -> Result<SpikeGroups, Unavailable> {
        let noise_v = self.noise_sigma_v().unwrap_or(0.0);
        if threshold_v < 5.0 * noise_v || threshold_v < 2.0 * self.resolution_v {
            return Err(Unavailable::because(format!(
                "a threshold of {:.0} mV drowns in the noise ({:.1} mV sigma, {:.1} mV a step)",
                threshold_v * 1e3,
                noise_v * 1e3,
                self.resolution_v * 1e3
            )));
        }
        let reach = (GROUP_S * self.rate_hz + 1e-6) as usize;
        let (mut groups, mut filled, mut last): (u64, usize, Option<usize>) = (0, 0, None);
        // The most steps that are not beyond the threshold; no record spans more than 65535.
        let is_within = |steps: i32| f64::from(steps) * self.step_v <= threshold_v;
        let mut most = (threshold_v / self.step_v).min(f64::from(u16::MAX)) as i32;
        most += i32::from(is_within(most + 1)) - i32::from(!is_within(most));
        let beyond = |deviation: i32| deviation.abs() > most;
        for (from, (low, high)) in (0..).step_by(BLOCK).zip(&self.extents) {
            if !beyond(*low) && !beyond(*high) {
                continue;
            }
            // A bit a sample, as ringing swings to and fro and no branch could be guessed.
            let mut left = 0_u32;
            for (place, deviation) in self.stretch(from..from + BLOCK).into_iter().enumerate() {
                left |= u32::from(beyond(deviation)) << place;
            }
            while left != 0 {
                let index = from + left.trailing_zeros() as usize;
                let step = last.map_or(usize::MAX, |last| index - last);
                (groups, filled) = if step > reach { (groups + 1, filled) } else { (groups, filled + step) };
                // All of a short block belong together.
                let end = if reach < BLOCK { left.trailing_zeros() } else { left.ilog2() };
                filled += end as usize - left.trailing_zeros() as usize;
                last = Some(from + end as usize);
                left &= u32::MAX.checked_shl(end + 1).unwrap_or(0);
            }
        }
        let samples = self.len() as f64;
        Ok(SpikeGroups { rate_hz: groups as f64 * self.rate_hz / samples, filled: filled as f64 / samples })
    }

    /// The spikes of each whole cycle, from 0.2 us before its rising edge to 0.2 us before the next.
    ///
    /// # Errors
    /// There is no whole cycle.
    pub fn cycle_spikes(&self, edges: &Edges) -> Result<CycleSpikes, Unavailable> {
        let lead = LEAD_S * self.rate_hz;
        let (mut highs, mut lows) = (Vec::new(), Vec::new());
        for cycle in edges.rising.windows(2) {
            let (from, to) = ((cycle[0] - lead).ceil(), (cycle[1] - lead).ceil());
            if from < 0.0 {
                continue;
            }
            let range = from as usize..to.max(from) as usize;
            if range.end > self.len() || range.is_empty() {
                continue;
            }
            let (low, high) = self.extent(range);
            highs.push(f64::from(high) * self.step_v);
            lows.push(f64::from(low) * self.step_v);
        }
        let all = (
            stats::median(&highs),
            stats::median(&lows),
            stats::quantile(&highs, 0.95),
            stats::quantile(&lows, 0.05),
        );
        match all {
            (Some(pos_median_v), Some(neg_median_v), Some(pos_p95_v), Some(neg_p05_v)) => {
                Ok(CycleSpikes { pos_median_v, neg_median_v, pos_p95_v, neg_p05_v })
            }
            _ => Err(Unavailable::because("no whole switching cycle in the record")),
        }
    }
}

/// Where the largest spike of a trace stands, for a picture of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpikeWindow {
    /// First sample of the window.
    pub from: usize,
    /// The sample after the last one of the window.
    pub to: usize,
    /// The sample of the peak.
    pub peak: usize,
    /// The peak's height over the baseline in volts; negative for a dip.
    pub height_v: f64,
}

/// The window around the largest deviation in either direction: `before_s` ahead of the peak to `after_s` behind it, cut to
/// the record.
///
/// # Errors
/// As [`measure_deviations`]; or nothing leaves the baseline.
pub fn find_worst_spike(
    waveform: &Waveform,
    before_s: f64,
    after_s: f64,
) -> Result<SpikeWindow, Unavailable> {
    let deviations = measure_deviations(waveform)?;
    let worst = deviations.worst();
    if worst.1 == 0 {
        return Err(Unavailable::because("no sample leaves the baseline: there is no spike"));
    }
    let samples = |span_s: f64| (span_s.max(0.0) * deviations.rate_hz).round() as usize;
    Ok(SpikeWindow {
        from: worst.0.saturating_sub(samples(before_s)),
        to: worst.0.saturating_add(samples(after_s)).saturating_add(1).min(deviations.len()),
        peak: worst.0,
        height_v: f64::from(worst.1) * deviations.step_v,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waveform::block::made::trace;
    use crate::waveform::median::running_median;
    use proptest::prelude::*;

    /// Few and many differing levels, with stretches that stand still and spikes out of them.
    fn levels() -> impl Strategy<Value = Vec<u16>> {
        let stretch = (1_usize..400, 1_u16..5, prop_oneof![Just(0_u16), 0_u16..200, any::<u16>()]);
        prop::collection::vec(stretch, 1..8).prop_map(|stretches| {
            let one = |(count, swing, spike): (usize, u16, u16)| {
                (0..count)
                    .map(move |n| if n == count / 2 { spike } else { 100 + (n * 7 % 13) as u16 % swing })
            };
            stretches.into_iter().flat_map(one).collect()
        })
    }

    fn output(levels: &[u16]) -> Waveform {
        trace(levels.iter().map(|level| f64::from(*level)), 100e6)
    }

    fn deviations(output: &Waveform) -> (Deviations<'_>, Vec<i32>) {
        let levels = output.levels();
        let baseline = running_median(&levels, 21);
        let naive = levels.iter().zip(&baseline).map(|(a, b)| i32::from(*a) - i32::from(*b)).collect();
        (Deviations::new(output.read_levels().unwrap(), (21, 1000), 100e6), naive)
    }

    proptest! {
        #[test]
        fn the_noise_by_counting_is_the_noise_by_sorting(levels in levels()) {
            let output = output(&levels);
            let (found, naive) = deviations(&output);
            let values: Vec<f64> = naive.iter().map(|d| f64::from(*d)).collect();
            let sigma = stats::mad_sigma(&values).unwrap() * found.step_v;
            prop_assert_eq!(found.noise_sigma_v().unwrap_or(0.0), sigma);
            let (high, low) = naive.iter().fold((0, 0), |(high, low), d| (high.max(*d), low.min(*d)));
            prop_assert_eq!(found.peaks_v(), (f64::from(high) * found.step_v, f64::from(low) * found.step_v));
            prop_assert_eq!(found.worst().1.abs(), naive.iter().map(|d| d.abs()).max().unwrap());
            prop_assert_eq!(naive[found.worst().0], found.worst().1);
            prop_assert_eq!(found.stretch(0..found.len()), naive);
        }

        #[test]
        fn blocks_without_a_spike_are_passed_over_without_losing_one(levels in levels(), part in 0.01_f64..1.0) {
            let output = output(&levels);
            let (found, naive) = deviations(&output);
            let threshold_v = part * found.peaks_v().0.max(-found.peaks_v().1);
            let at: Vec<usize> = (0..naive.len())
                .filter(|n| f64::from(naive[*n].abs()) * found.step_v > threshold_v)
                .collect();
            let groups = at.len().min(1) + at.windows(2).filter(|pair| pair[1] - pair[0] > 100).count();
            let steps = || at.windows(2).map(|pair| pair[1] - pair[0]);
            let filled: usize = steps().filter(|step| *step <= 100).sum();
            if let Ok(found) = found.spike_groups(threshold_v) {
                prop_assert_eq!(found.rate_hz, groups as f64 * 100e6 / naive.len() as f64);
                prop_assert_eq!(found.filled, filled as f64 / naive.len() as f64);
            }
        }

        #[test]
        fn the_spikes_of_each_cycle_are_the_extremes_of_its_samples(levels in levels(), period in 1.0_f64..300.0) {
            let output = output(&levels);
            let (found, naive) = deviations(&output);
            let edges = Edges { rising: (0..9).map(|n| 7.3 + period * f64::from(n)).collect(), falling: Vec::new() };
            let cut = |cycle: &[f64]| {
                let (from, to) = ((cycle[0] - 20.0).ceil(), (cycle[1] - 20.0).ceil());
                let cut = if from < 0.0 { None } else { naive.get(from as usize..to as usize) };
                cut.filter(|cut| !cut.is_empty()).map(|cut| f64::from(*cut.iter().max().unwrap()) * found.step_v)
            };
            let highs: Vec<f64> = edges.rising.windows(2).filter_map(cut).collect();
            prop_assert_eq!(found.cycle_spikes(&edges).ok().map(|spikes| spikes.pos_median_v), stats::median(&highs));
        }
    }
}
