//! Changes of level (steps of the mean), found through drift and through noise that hangs together.
//!
//! The readings are cut into at most 2048 blocks of equal time. At every border between blocks a line with a step is fitted
//! to the blocks on both sides (8, 32 and 128 on each), and the step is held against the spread of all such steps, taken as the
//! median absolute deviation. So the noise is judged at the very scale at which a step would show: drift, slow curves and noise
//! that hangs together widen the spread and raise no alarm. The level of alarm is the quantile of Student's t that spends the
//! false alarm rate over all places and scales (Bonferroni); `docs/trends.md` has the rates that simulation gave.

use super::blocks::{self, Block};
use super::{Estimate, NoAnswer, Reading, Steps};
use crate::base::distribution::{t_quantile, two_sided_t};
use crate::base::stats::{mad_sigma, median};

/// How many blocks the readings are cut into, at most.
pub const BLOCKS: usize = 2048;
/// With fewer blocks than this nothing is said.
pub const FEWEST_BLOCKS: usize = 128;
/// Blocks on each side of a border, one number a scale.
pub const SCALES: [usize; 3] = [8, 32, 128];
/// No more steps than this are looked for.
pub const MOST_CHANGES: usize = 64;

/// What to leave out and how sure to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangeSettings {
    /// Readings before this time, in seconds since the start of the run, are left out: the settling.
    pub settling_s: f64,
    /// The part of runs without any step in which one is found all the same; between 0 and 0.2.
    pub false_alarms: f64,
    /// How the readings differ that those given are means of; `None` where they are readings themselves.
    pub steps: Option<Steps>,
}

impl Default for ChangeSettings {
    /// Nothing left out, one false alarm in a hundred runs.
    fn default() -> Self {
        Self { settling_s: 0.0, false_alarms: 0.01, steps: None }
    }
}

/// One change of level: a step of the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// When, in seconds since the start of the run.
    pub at_s: f64,
    /// The time is known to about this: the distance of the blocks before and after.
    pub within_s: f64,
    /// Size of the step, at 95 % confidence. Of the steps near the level of alarm only those are found that noise makes larger.
    pub size: Estimate,
    /// Level just before.
    pub before: f64,
    /// Level just after.
    pub after: f64,
}

/// All changes of level found, in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// The changes.
    pub found: Vec<Change>,
    /// How many blocks were looked at.
    pub blocks: usize,
    /// The length of a block in seconds.
    pub block_s: f64,
    /// The smallest step that would have been found for sure (twice the level of alarm) at the widest scale.
    pub smallest: f64,
    /// Whether the search ended at [`MOST_CHANGES`].
    pub more: bool,
}

/// Finds steps.
///
/// # Errors
/// Too few readings after the settling, readings out of order, a rate that is none.
pub fn changes(readings: &[Reading], settings: &ChangeSettings) -> Result<Changes, NoAnswer> {
    if !(settings.false_alarms > 0.0 && settings.false_alarms <= 0.2) {
        return Err(NoAnswer::because("a rate of false alarms stands between 0 and 0.2, e.g. 0.01"));
    }
    let kept = blocks::usable(readings, settings.settling_s)?;
    let blocks = blocks::cut(&kept, if kept.len() < 2 * BLOCKS { kept.len() } else { BLOCKS });
    if blocks.len() < FEWEST_BLOCKS {
        return Err(NoAnswer::because(format!(
            "steps are looked for in {FEWEST_BLOCKS} blocks of time or more, there are {}",
            blocks.len()
        )));
    }
    let own = Steps::of(&kept);
    let resolution = own.resolution();
    let search = Search::new(blocks, settings.false_alarms, (resolution, settings.steps.unwrap_or(own)))?;
    Ok(search.find())
}

/// A scale and its level of alarm.
#[derive(Clone, Copy)]
struct Scale {
    side: usize,
    alarm: f64,
    freedom: f64,
}

struct Search {
    blocks: Vec<Block>,
    block_s: f64,
    scales: Vec<Scale>,
    /// The finest spread that is believed: one step of the readings' resolution in one reading of a block.
    floor: f64,
    /// No step smaller than this is believed: one and a half steps of the resolution where the readings stand still on it.
    least: f64,
}

/// The steepest place of one look: where, how many blocks a side, and how far over the level of alarm.
struct Candidate {
    border: usize,
    scale: Scale,
    excess: f64,
}

impl Search {
    fn new(
        blocks: Vec<Block>,
        false_alarms: f64,
        (resolution, steps): (f64, Steps),
    ) -> Result<Self, NoAnswer> {
        let count = blocks.len();
        let sides: Vec<usize> = SCALES.into_iter().filter(|side| 16 * side <= count).collect();
        let scales = sides.iter().map(|side| {
            let windows = count as f64 / *side as f64;
            // Neighbouring windows share blocks: 16 independent places a window, and as many degrees of freedom as the
            // median absolute deviation of them is worth. Both numbers hold by simulation.
            let places = 16.0 * windows;
            let freedom = 1.5 * windows;
            let part = false_alarms / (2.0 * places * sides.len() as f64);
            Some(Scale { side: *side, alarm: -t_quantile(part, freedom)?, freedom })
        });
        let scales: Option<Vec<Scale>> = scales.collect();
        let scales = scales.ok_or_else(|| NoAnswer::because("no level of alarm for so small a rate"))?;
        let counts: Vec<f64> = blocks.iter().map(|block| block.count as f64).collect();
        let floor = resolution / median(&counts).unwrap_or(1.0).max(1.0);
        let least = if steps.stand_still() { 1.5 * steps.resolution() } else { 0.0 };
        let distances: Vec<f64> = blocks.windows(2).map(|pair| pair[1].at_s - pair[0].at_s).collect();
        Ok(Self { block_s: median(&distances).unwrap_or(0.0), blocks, scales, floor, least })
    }

    fn find(&self) -> Changes {
        let mut borders: Vec<(usize, Scale)> = Vec::new();
        let mut left = self.blocks.clone();
        let mut more = false;
        let near = SCALES[0];
        while let Some(found) = self.steepest(&left, &borders) {
            if borders.len() == MOST_CHANGES {
                more = true;
                break;
            }
            let border = refine(&left, &found);
            // The step is taken out of what follows; the blocks beside it, where it happened, no longer speak.
            if let Some(fit) = self.guarded(&left, border, found.scale.side) {
                for block in &mut left[border..] {
                    block.value -= fit.step;
                }
                level_out(&mut left, border);
            }
            let fresh = borders.iter().all(|(other, _)| other.abs_diff(border) >= near);
            borders.push((if fresh { border } else { found.border }, found.scale));
        }
        let spreads = self.spreads(&left);
        borders.sort_by_key(|(border, _)| *border);
        let found = (0..borders.len()).filter_map(|place| self.describe(&borders, place, &spreads)).collect();
        let widest = self.scales.iter().zip(&spreads).map(|(scale, spread)| {
            // A step of this size stands at the level of alarm where both sides are full and evenly spaced.
            2.0 * scale.alarm * spread * (8.0 / scale.side as f64).sqrt()
        });
        Changes {
            found,
            blocks: self.blocks.len(),
            block_s: self.block_s,
            smallest: widest.fold(f64::INFINITY, f64::min).max(self.least),
            more,
        }
    }

    /// The place farthest over its level of alarm, at least the smallest side away from those found before.
    fn steepest(&self, blocks: &[Block], found: &[(usize, Scale)]) -> Option<Candidate> {
        let sums = Sums::of(blocks);
        let mut best: Option<Candidate> = None;
        for scale in &self.scales {
            let scores = scores(&sums, scale.side, blocks);
            let spread = self.spread(&scores);
            for (border, score) in &scores {
                let excess = score.abs() / (spread * scale.alarm);
                let apart = found.iter().all(|(other, _)| other.abs_diff(*border) >= SCALES[0]);
                let large = excess > 1.0 && self.is_large_enough(&sums, blocks, (*border, scale.side));
                if large && apart && best.as_ref().is_none_or(|best| excess > best.excess) {
                    best = Some(Candidate { border: *border, scale: *scale, excess });
                }
            }
        }
        best
    }

    fn is_large_enough(&self, sums: &Sums, blocks: &[Block], (border, side): (usize, usize)) -> bool {
        self.least == 0.0
            || Fit::at(sums, border, side, blocks).is_some_and(|fit| fit.step.abs() >= self.least)
    }

    /// The step without the two blocks at the border, where there is room: it may have happened inside one of them.
    fn guarded(&self, blocks: &[Block], border: usize, side: usize) -> Option<Fit> {
        let sums = Sums::of(blocks);
        let room = side > 3 && border >= 4 && border + 4 <= blocks.len();
        let apart = usize::from(room);
        let side = (side - apart).min(border - apart).min(blocks.len() - border - apart);
        Fit::between(&sums, (border - apart, border + apart), side, blocks)
    }

    fn spread(&self, scores: &[(usize, f64)]) -> f64 {
        let values: Vec<f64> = scores.iter().map(|(_, score)| *score).collect();
        mad_sigma(&values).unwrap_or(0.0).max(self.floor).max(f64::MIN_POSITIVE)
    }

    fn spreads(&self, blocks: &[Block]) -> Vec<f64> {
        let sums = Sums::of(blocks);
        self.scales.iter().map(|scale| self.spread(&scores(&sums, scale.side, blocks))).collect()
    }

    /// Size and levels, from the blocks as they were, no farther than the neighbouring steps.
    fn describe(&self, borders: &[(usize, Scale)], place: usize, spreads: &[f64]) -> Option<Change> {
        let (border, scale) = borders[place];
        let to_last = if place == 0 { border } else { border - borders[place - 1].0 };
        let to_next = borders.get(place + 1).map_or(self.blocks.len(), |next| next.0) - border;
        let side = scale.side.min(to_last).min(to_next);
        let fit = self.guarded(&self.blocks, border, side)?;
        let spread = self.scales.iter().zip(spreads).find(|(one, _)| one.side == scale.side)?.1;
        let reach = two_sided_t(0.95, scale.freedom)? * spread * fit.unit_se;
        let (before, after) = (self.blocks[border - 1].at_s, self.blocks[border].at_s);
        Some(Change {
            at_s: f64::midpoint(before, after),
            within_s: after - before,
            size: Estimate::around(fit.step, reach, 0.95),
            before: fit.before,
            after: fit.after,
        })
    }
}

/// The blocks on both sides of a border get the level of their neighbours: the step may have happened inside one of them.
fn level_out(blocks: &mut [Block], border: usize) {
    if border >= 2 && border + 1 < blocks.len() {
        blocks[border - 1].value = blocks[border - 2].value;
        blocks[border].value = blocks[border + 1].value;
    }
}

/// Running sums over the blocks: 1, t, y, tt, ty, with the middle of the time and the first value as zero.
struct Sums {
    zero_s: f64,
    zero: f64,
    rows: Vec<[f64; 4]>,
}

impl Sums {
    fn of(blocks: &[Block]) -> Self {
        let (zero_s, zero) =
            blocks.get(blocks.len() / 2).map_or((0.0, 0.0), |block| (block.at_s, block.value));
        let mut rows = vec![[0.0; 4]];
        let mut sums = [0.0; 4];
        for block in blocks {
            let (t, y) = (block.at_s - zero_s, block.value - zero);
            for (sum, part) in sums.iter_mut().zip([t, y, t * t, t * y]) {
                *sum += part;
            }
            rows.push(sums);
        }
        Self { zero_s, zero, rows }
    }

    /// Mean time, mean value, and the sums of squares and products about them, over the blocks from `first` to before `last`.
    fn side(&self, first: usize, last: usize) -> [f64; 4] {
        let count = (last - first) as f64;
        let [t, y, tt, ty] = std::array::from_fn(|i| self.rows[last][i] - self.rows[first][i]);
        [t / count, y / count, tt - t * t / count, ty - t * y / count]
    }
}

/// A line with a step at a border.
struct Fit {
    step: f64,
    /// Standard error of the step for blocks of unit standard deviation.
    unit_se: f64,
    before: f64,
    after: f64,
}

impl Fit {
    fn at(sums: &Sums, border: usize, side: usize, blocks: &[Block]) -> Option<Self> {
        Self::between(sums, (border, border), side, blocks)
    }

    /// The step between the blocks before the first border and those from the second on, at the time between.
    fn between(sums: &Sums, (left, right): (usize, usize), side: usize, blocks: &[Block]) -> Option<Self> {
        let (first, last) = (left.checked_sub(side)?, right + side);
        if side < 2 || last >= sums.rows.len() {
            return None;
        }
        let [t0, y0, tt0, ty0] = sums.side(first, left);
        let [t1, y1, tt1, ty1] = sums.side(right, last);
        let (across, slope) = (tt0 + tt1, (ty0 + ty1) / (tt0 + tt1));
        let at = f64::midpoint(blocks[left - 1].at_s, blocks[right].at_s) - sums.zero_s;
        let step = (y1 - y0) - slope * (t1 - t0);
        let unit_se = (2.0 / side as f64 + (t1 - t0).powi(2) / across).sqrt();
        let (before, after) = (y0 + slope * (at - t0), y1 + slope * (at - t1));
        (across > 0.0).then_some(Self { step, unit_se, before: sums.zero + before, after: sums.zero + after })
    }
}

/// The step at every border in units of its own standard error for blocks of unit standard deviation.
fn scores(sums: &Sums, side: usize, blocks: &[Block]) -> Vec<(usize, f64)> {
    (side..=blocks.len() - side)
        .filter_map(|border| Fit::at(sums, border, side, blocks).map(|fit| (border, fit.step / fit.unit_se)))
        .collect()
}

/// The border inside the window of a candidate that leaves the least when a line with a step is fitted there.
fn refine(blocks: &[Block], found: &Candidate) -> usize {
    let sums = Sums::of(blocks);
    let (first, last) = (found.border - found.scale.side, found.border + found.scale.side);
    let explained = |border: usize| {
        let [_, y0, tt0, ty0] = sums.side(first, border);
        let [_, y1, tt1, ty1] = sums.side(border, last);
        let (n0, n1) = ((border - first) as f64, (last - border) as f64);
        let (across, along) = (tt0 + tt1, ty0 + ty1);
        // What the two means and the common slope explain; the same total for all borders.
        let mean = (n0 * y0 + n1 * y1) / (n0 + n1);
        let slope = if across > 0.0 { along * along / across } else { 0.0 };
        n0 * (y0 - mean).powi(2) + n1 * (y1 - mean).powi(2) + slope
    };
    let half = found.scale.side / 2;
    (found.border - half..=found.border + half)
        .max_by(|a, b| explained(*a).total_cmp(&explained(*b)))
        .unwrap_or(found.border)
}
