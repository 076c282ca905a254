//! Spikes that are cut off but too narrow to heap up: the tops of most cycles stand on one value although they are sharp and samples
//! hit them here and there.

use super::spikes::Deviations;
use super::switching::Switching;
use super::trace::LevelReader;
use crate::base::stats;
use std::f64::consts::TAU;
use std::ops::Range;

/// So few cycles do not tell what is alike.
const LEAST_CYCLES: usize = 16;

/// More samples than this on an end in each cycle are no narrow tops.
const MOST_SAMPLES: usize = 16;

/// Sharp tops lie so many steps beyond the samples beside them.
const LEAST_FLANK: f64 = 6.0;

/// Part of the cycles whose tops stand on one value: no less of the sharpest ones, and no more of any.
const ALIKE_PARTS: (f64, f64) = (0.55, 0.9);

/// The tops on the end are so many times those on any of the values next to it. Round tops give 2.4 times.
const TIMES: f64 = 6.0;

/// Values next to the end that it is held against.
const NEIGHBORS: i64 = 4;

/// No sharp top that is whole has so many samples on one value.
const FLAT_SAMPLES: usize = 3;

/// Cycles that stand alike between the samples, or in turns of two or three, do so to this part.
const STILL_PART: f64 = 0.5;

/// Samples beside a block that are read with it: a top that leaves them is not narrow.
const MARGIN: usize = 8;

/// The top of a cycle.
#[derive(Debug, Clone, Copy)]
struct Top {
    /// Levels from it to the end.
    off: u16,
    /// Levels from it to the nearer sample beside it.
    flank: u16,
    /// Samples of the cycle on the end.
    on_end: usize,
}

/// The cycles of a trace and what their spikes stand out of.
pub(super) struct Cycles<'a> {
    pub(super) levels: &'a LevelReader<'a>,
    pub(super) deviations: &'a Deviations<'a>,
    pub(super) switching: &'a Switching,
    /// Samples before a rise that belong to the spikes of its cycle.
    pub(super) lead: f64,
    /// One step of the converter in levels.
    pub(super) step: f64,
}

impl Cycles<'_> {
    /// Whether the tops of most cycles, upwards or downwards, are cut off at the end of the trace on which so many of its samples stand.
    ///
    /// Of a whole top the nearer neighbour lies as far below as the samples miss of it, twice over, so the steeper it is, the fewer
    /// cycles share one step. Where all cycles stand alike between the samples they are alike; only flat tops tell then.
    pub(super) fn are_cut(&self, is_high: bool, (end, on_end): (u16, usize)) -> bool {
        let count = self.switching.edges.rising.len().saturating_sub(1);
        // Few samples are looked at again, and those of few traces.
        let least = LEAST_CYCLES.max((ALIKE_PARTS.0 * count as f64) as usize);
        if count < LEAST_CYCLES || !(least..=MOST_SAMPLES * count).contains(&on_end) {
            return false;
        }
        let tops = self.tops(is_high, end);
        let is_on = |top: &&Top| top.off == 0;
        let flanks: Vec<f64> =
            tops.iter().filter(is_on).map(|top| f64::from(top.flank) / self.step).collect();
        let flank = stats::median(&flanks).unwrap_or(0.0);
        if flank < LEAST_FLANK {
            return false;
        }
        let part =
            |is: &dyn Fn(&Top) -> bool| tops.iter().filter(|top| is(top)).count() as f64 / count as f64;
        let steps = |top: &Top| (f64::from(top.off) / self.step).round() as i64;
        let next = (1..=NEIGHBORS).map(|off| part(&|top| steps(top) == off)).fold(0.0, f64::max);
        let on = part(&|top| top.off == 0);
        let alike = (2.4 * (2.0 / flank).sqrt()).clamp(ALIKE_PARTS.0, ALIKE_PARTS.1);
        let are_flat = part(&|top| top.off == 0 && top.on_end >= FLAT_SAMPLES) >= ALIKE_PARTS.1;
        are_flat || on >= alike && on >= TIMES * next && self.wander()
    }

    /// The top of each whole cycle in which one was seen.
    fn tops(&self, is_high: bool, end: u16) -> Vec<Top> {
        let rises = &self.switching.edges.rising;
        let mut tops: Vec<Option<Top>> = vec![None; rises.len() + 1];
        for block in self.deviations.peaks(is_high) {
            let (from, to) =
                (block.start.saturating_sub(MARGIN), (block.end + MARGIN).min(self.levels.len()));
            let mut around = vec![0; to - from];
            self.levels.fill(from, &mut around);
            let off: Vec<u16> = around.iter().map(|level| level.abs_diff(end)).collect();
            let Some((at, flank)) = nearest(&off, block.start - from..block.end - from) else { continue };
            let on_end = off[block.start - from..block.end - from].iter().filter(|off| **off == 0).count();
            let cycle = rises.partition_point(|rise| rise - self.lead <= (from + at) as f64);
            let top = tops[cycle].get_or_insert(Top { off: u16::MAX, flank: 0, on_end: 0 });
            top.on_end += on_end;
            if off[at] < top.off {
                (top.off, top.flank) = (off[at], flank);
            }
        }
        let whole = tops.get(1..rises.len()).unwrap_or_default();
        whole.iter().flatten().copied().collect()
    }

    /// Whether the samples hit the cycles at other phases each time, by the edges or by their mean distance: edges between two samples
    /// all seem to lie in their middle.
    fn wander(&self) -> bool {
        let rises = &self.switching.edges.rising;
        let numbered: Vec<(f64, f64)> = (0_u32..).map(f64::from).zip(rises.iter().copied()).collect();
        let period = stats::slope(&numbered).unwrap_or(0.0);
        let stands_still = |phases: &dyn Fn(&(f64, f64)) -> f64| {
            (1..=3).any(|turns| {
                let (mut re, mut im) = (0.0, 0.0);
                for place in &numbered {
                    let (sin, cos) = (TAU * f64::from(turns) * phases(place)).sin_cos();
                    (re, im) = (re + cos, im + sin);
                }
                f64::hypot(re, im) > STILL_PART * numbered.len() as f64
            })
        };
        !stands_still(&|place| place.1) || !stands_still(&|place| place.0 * period)
    }
}

/// The first of the samples nearest to the end within a stretch, and by how much the samples beside all that stand there in a row are
/// farther; none of them beyond what was read.
fn nearest(off: &[u16], stretch: Range<usize>) -> Option<(usize, u16)> {
    let least = *off[stretch.clone()].iter().min()?;
    let at = stretch.start + off[stretch].iter().position(|off| *off == least)?;
    let before = off[..at].iter().rev().find(|off| **off != least);
    let behind = off[at..].iter().find(|off| **off != least);
    let flank = |beside: Option<&u16>| beside.map_or(0, |off| off.saturating_sub(least));
    Some((at, flank(before).min(flank(behind))))
}
