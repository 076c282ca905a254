//! Drift: the slope of readings over time, and the end against the start, with intervals that stay honest where readings hang
//! together.
//!
//! The readings are cut into 24 blocks of equal time. The least-squares line goes through the means of the blocks, and where
//! what is left still hangs together from block to block, the blocks count for fewer: n (1 - r)/(1 + r) (Santer and others,
//! Int. J. Climatol. 28, 1703, 2008). Slope and reach are those of a straight line; a curve is no drift.

use std::time::Duration;

use super::blocks::{self, Block};
use super::{Estimate, NoAnswer, Reading, check_confidence};
use crate::base::distribution::two_sided_t;
use crate::base::span::render_span;
use crate::base::stats::mean;

/// How many blocks the readings are cut into.
pub const BLOCKS: usize = 24;
/// With fewer blocks than this there is no interval worth its name.
pub const FEWEST_BLOCKS: usize = 8;
/// How many blocks each end is cut into for [`start_against_end`].
pub const END_BLOCKS: usize = 12;

/// What to leave out and how sure to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftSettings {
    /// Readings before this time, in seconds since the start of the run, are left out: the settling.
    pub settling_s: f64,
    /// Confidence of the intervals, between 0.5 and 1.
    pub confidence: f64,
}

impl Default for DriftSettings {
    /// Nothing left out, 95 %.
    fn default() -> Self {
        Self { settling_s: 0.0, confidence: 0.95 }
    }
}

/// A straight line with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Mean time of the blocks, in seconds; level and slope are independent of each other there.
    pub center_s: f64,
    /// Level at that time.
    pub level: f64,
    /// Standard error of the level.
    pub level_se: f64,
    /// Slope in units a second.
    pub per_s: f64,
    /// Standard error of the slope.
    pub per_s_se: f64,
    /// Degrees of freedom of both standard errors.
    pub freedom: f64,
}

impl Line {
    /// The line at a time, with the interval of the line itself; single readings scatter about it.
    ///
    /// # Errors
    /// A confidence that is none.
    pub fn at(&self, at_s: f64, confidence: f64) -> Result<Estimate, NoAnswer> {
        let factor = self.factor(confidence)?;
        Ok(Estimate::around(self.value(at_s), factor * self.se(at_s), confidence))
    }
    /// The slope in units an hour.
    ///
    /// # Errors
    /// A confidence that is none.
    pub fn per_hour(&self, confidence: f64) -> Result<Estimate, NoAnswer> {
        let factor = self.factor(confidence)?;
        Ok(Estimate::around(self.per_s, factor * self.per_s_se, confidence).scaled(3600.0))
    }
    /// How many standard errors an interval reaches.
    pub(super) fn factor(&self, confidence: f64) -> Result<f64, NoAnswer> {
        check_confidence(confidence)?;
        two_sided_t(confidence, self.freedom)
            .ok_or_else(|| NoAnswer::because("the line has no degrees of freedom"))
    }
    /// The line without its interval.
    #[must_use]
    pub fn value(&self, at_s: f64) -> f64 {
        self.level + self.per_s * (at_s - self.center_s)
    }
    /// Standard error of the line at a time.
    #[must_use]
    pub fn se(&self, at_s: f64) -> f64 {
        self.level_se.hypot(self.per_s_se * (at_s - self.center_s))
    }
}

/// The slope of readings over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// Slope in units an hour.
    pub per_hour: Estimate,
    /// Level at the last reading.
    pub at_end: Estimate,
    /// The line and its uncertainty, for projections.
    pub line: Line,
    /// Time of the first reading used, in seconds since the start of the run.
    pub from_s: f64,
    /// Time of the last one.
    pub to_s: f64,
    /// How many readings were used.
    pub readings: usize,
    /// How many blocks.
    pub blocks: usize,
    /// Autocorrelation left between neighbouring blocks; 0 where none shows.
    pub autocorrelation: f64,
    /// How many independent blocks they are worth.
    pub effective_blocks: f64,
}

/// The slope with its interval.
///
/// # Errors
/// Too few readings or too little time after the settling, readings out of order, a confidence that is none.
pub fn drift(readings: &[Reading], settings: &DriftSettings) -> Result<Drift, NoAnswer> {
    check_confidence(settings.confidence)?;
    let kept = blocks::usable(readings, settings.settling_s)?;
    let (Some(first), Some(last)) = (kept.first(), kept.last()) else {
        return Err(NoAnswer::because("there are no readings after the settling"));
    };
    let blocks = blocks::cut(&kept, BLOCKS);
    if blocks.len() < FEWEST_BLOCKS || last.at_s <= first.at_s {
        return Err(NoAnswer::because(format!(
            "a slope needs readings in {FEWEST_BLOCKS} blocks of time, there are {}",
            blocks.len()
        )));
    }
    let (line, autocorrelation, effective_blocks) = fit(&blocks);
    if !(line.level + line.per_s + line.level_se + line.per_s_se).is_finite() {
        return Err(NoAnswer::because(
            "the readings are too large, or their times too near, to compute with",
        ));
    }
    Ok(Drift {
        per_hour: line.per_hour(settings.confidence)?,
        at_end: line.at(last.at_s, settings.confidence)?,
        line,
        from_s: first.at_s,
        to_s: last.at_s,
        readings: kept.len(),
        blocks: blocks.len(),
        autocorrelation,
        effective_blocks,
    })
}

/// Least squares through the blocks; line, autocorrelation, effective number of blocks.
fn fit(blocks: &[Block]) -> (Line, f64, f64) {
    let count = blocks.len() as f64;
    let center_s = blocks.iter().map(|block| block.at_s).sum::<f64>() / count;
    let level = blocks.iter().map(|block| block.value).sum::<f64>() / count;
    let across: f64 = blocks.iter().map(|block| (block.at_s - center_s).powi(2)).sum();
    let along: f64 = blocks.iter().map(|block| (block.at_s - center_s) * (block.value - level)).sum();
    let per_s = along / across;
    let rest: Vec<f64> =
        blocks.iter().map(|block| block.value - level - per_s * (block.at_s - center_s)).collect();
    let autocorrelation = blocks::autocorrelation(blocks, &rest, 2);
    let effective = blocks::effective(blocks.len(), autocorrelation, 2);
    let freedom = effective - 2.0;
    let variance = rest.iter().map(|value| value * value).sum::<f64>() / freedom;
    let line = Line {
        center_s,
        level,
        level_se: (variance / count).sqrt(),
        per_s,
        per_s_se: (variance / across).sqrt(),
        freedom,
    };
    (line, autocorrelation, effective)
}

/// The end against the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Mean of the first part.
    pub start: Estimate,
    /// Mean of the last part.
    pub end: Estimate,
    /// End less start.
    pub change: Estimate,
}

/// The mean of the last `part_s` seconds less the mean of the first `part_s` seconds after the settling; Welch's interval on
/// block means, 12 blocks a part, each part with its own autocorrelation. The parts must not overlap.
///
/// # Errors
/// Parts that overlap or hold too few readings, readings out of order, a confidence that is none.
pub fn start_against_end(
    readings: &[Reading],
    part_s: f64,
    settings: &DriftSettings,
) -> Result<Difference, NoAnswer> {
    check_confidence(settings.confidence)?;
    let kept = blocks::usable(readings, settings.settling_s)?;
    let (Some(first), Some(last)) = (kept.first(), kept.last()) else {
        return Err(NoAnswer::because("there are no readings after the settling"));
    };
    if last.at_s <= first.at_s {
        return Err(NoAnswer::because("a start and an end need values at more than one time"));
    }
    let (start_ends_s, end_begins_s) = (first.at_s + part_s, last.at_s - part_s);
    if part_s.is_nan() || part_s <= 0.0 || start_ends_s > end_begins_s {
        return Err(NoAnswer::because(format!(
            "a start and an end of {} each do not fit side by side into {} of readings",
            shown(part_s),
            shown(last.at_s - first.at_s)
        )));
    }
    let start = Part::of(&kept[..kept.partition_point(|reading| reading.at_s <= start_ends_s)])?;
    let end = Part::of(&kept[kept.partition_point(|reading| reading.at_s < end_begins_s)..])?;
    let variance = start.variance + end.variance;
    // Welch and Satterthwaite.
    let shares = start.variance.powi(2) / start.freedom + end.variance.powi(2) / end.freedom;
    let freedom = if shares > 0.0 { variance.powi(2) / shares } else { start.freedom + end.freedom };
    let both = Part { mean: end.mean - start.mean, variance, freedom };
    if !(both.mean + both.variance).is_finite() {
        return Err(NoAnswer::because("the readings are too large to compute with"));
    }
    let told = |part: &Part| part.estimate(settings.confidence);
    Ok(Difference { start: told(&start)?, end: told(&end)?, change: told(&both)? })
}

/// A length of time as people write it; one that is none as it is.
fn shown(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds).map_or_else(|_| format!("{seconds} s"), render_span)
}

/// A mean with the variance of that mean.
struct Part {
    mean: f64,
    variance: f64,
    freedom: f64,
}

impl Part {
    fn of(readings: &[Reading]) -> Result<Self, NoAnswer> {
        let blocks = blocks::cut(readings, END_BLOCKS);
        let values: Vec<f64> = blocks.iter().map(|block| block.value).collect();
        let mean = mean(&values).filter(|_| values.len() >= FEWEST_BLOCKS / 2).ok_or_else(|| {
            NoAnswer::because(format!(
                "a mean with an interval needs readings in {} blocks of time, there are {}",
                FEWEST_BLOCKS / 2,
                values.len()
            ))
        })?;
        let rest: Vec<f64> = values.iter().map(|value| value - mean).collect();
        let autocorrelation = blocks::autocorrelation(&blocks, &rest, 1);
        let freedom = blocks::effective(blocks.len(), autocorrelation, 1) - 1.0;
        let variance = rest.iter().map(|value| value * value).sum::<f64>() / freedom / values.len() as f64;
        Ok(Self { mean, variance, freedom })
    }
    fn estimate(&self, confidence: f64) -> Result<Estimate, NoAnswer> {
        let factor = two_sided_t(confidence, self.freedom)
            .ok_or_else(|| NoAnswer::because("the mean has no degrees of freedom"))?;
        Ok(Estimate::around(self.mean, factor * self.variance.sqrt(), confidence))
    }
}
