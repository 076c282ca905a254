//! Readings cut into blocks of equal time: the means of blocks are nearly independent where the readings are not.

use super::{NoAnswer, Reading};
use crate::base::stats::median;

/// The mean of the readings of one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    /// Which of the blocks it is; a number is missing where too few readings fell into a block.
    pub number: usize,
    /// Mean time of its readings, in seconds.
    pub at_s: f64,
    /// Mean of its readings.
    pub value: f64,
    /// How many readings.
    pub count: usize,
}

/// The readings that are numbers, at `from_s` or later, in the order of time.
pub(super) fn usable(readings: &[Reading], from_s: f64) -> Result<Vec<Reading>, NoAnswer> {
    let kept: Vec<Reading> =
        readings.iter().copied().filter(|reading| reading.is_finite() && reading.at_s >= from_s).collect();
    if kept.windows(2).any(|pair| pair[1].at_s < pair[0].at_s) {
        return Err(NoAnswer::because("the readings are not in the order of time"));
    }
    Ok(kept)
}

/// Cuts readings in the order of time into `count` blocks of equal time. Where there are fewer than two readings a block, each
/// reading is a block by itself. A block with less than half of the median count is left out: gaps make no blocks.
pub(super) fn cut(readings: &[Reading], count: usize) -> Vec<Block> {
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else { return Vec::new() };
    let span_s = last.at_s - first.at_s;
    if readings.len() < 2 * count || span_s <= 0.0 {
        let alone = |(number, reading): (usize, &Reading)| Block {
            number,
            at_s: reading.at_s,
            value: reading.value,
            count: 1,
        };
        return readings.iter().enumerate().map(alone).collect();
    }
    let mut blocks: Vec<Block> = Vec::with_capacity(count);
    let mut sums = (0.0, 0.0);
    // Sums of small numbers: the first reading is the zero of both axes.
    for reading in readings {
        let number = (((reading.at_s - first.at_s) / span_s * count as f64) as usize).min(count - 1);
        if blocks.last().is_none_or(|block| block.number != number) {
            close(blocks.last_mut(), sums, first);
            blocks.push(Block { number, at_s: 0.0, value: 0.0, count: 0 });
            sums = (0.0, 0.0);
        }
        sums = (sums.0 + (reading.at_s - first.at_s), sums.1 + (reading.value - first.value));
        if let Some(block) = blocks.last_mut() {
            block.count += 1;
        }
    }
    close(blocks.last_mut(), sums, first);
    let counts: Vec<f64> = blocks.iter().map(|block| block.count as f64).collect();
    let usual = median(&counts).unwrap_or(0.0);
    blocks.retain(|block| 2.0 * block.count as f64 >= usual);
    blocks
}

fn close(block: Option<&mut Block>, sums: (f64, f64), zero: &Reading) {
    if let Some(block) = block {
        block.at_s = zero.at_s + sums.0 / block.count as f64;
        block.value = zero.value + sums.1 / block.count as f64;
    }
}

/// Lag-1 autocorrelation of what is left of the blocks after a fit of `fitted` parameters, freed of the bias that the fit makes
/// (Marriott and Pope 1954 for a mean: -(1 + 4 r)/n; here with the number of parameters), over neighbouring blocks only. Kept
/// at 0 where it is under one standard error, 1/sqrt(n), and at most 0.9.
pub(super) fn autocorrelation(blocks: &[Block], rest: &[f64], fitted: usize) -> f64 {
    let squares: f64 = rest.iter().map(|value| value * value).sum();
    let mut pairs = 0usize;
    let mut products = 0.0;
    for (blocks, rest) in blocks.windows(2).zip(rest.windows(2)) {
        if blocks[1].number == blocks[0].number + 1 {
            pairs += 1;
            products += rest[0] * rest[1];
        }
    }
    if pairs < 4 || squares <= 0.0 {
        return 0.0;
    }
    let count = rest.len() as f64;
    let raw = products / pairs as f64 / (squares / count);
    let freed = (raw + fitted as f64 / count) / (1.0 - 4.0 / count).max(0.2);
    if freed < 1.0 / count.sqrt() { 0.0 } else { freed.min(0.9) }
}

/// How many independent blocks `count` blocks with this autocorrelation are worth: n (1 - r)/(1 + r) (Santer and others 2008),
/// at least 1.5 above the number of fitted parameters.
pub(super) fn effective(count: usize, autocorrelation: f64, fitted: usize) -> f64 {
    let worth = count as f64 * (1.0 - autocorrelation) / (1.0 + autocorrelation);
    worth.max(fitted as f64 + 1.5)
}
