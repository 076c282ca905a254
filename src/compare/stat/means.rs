//! Means and their differences, by Student's t.
//!
//! Sources: Student 1908; Welch 1947 with the degrees of freedom of Satterthwaite 1946; Schuirmann 1987 for the two one-sided
//! tests (TOST). All assume that board scores scatter about normally; see the coverage table in `docs/comparison.md`.

use super::{Estimate, NoAnswer, changes, check_confidence, check_scores, check_sides, overflow};
use crate::base::distribution::{t_tails, two_sided_t};
use crate::base::stats::{mean, std_dev};

/// A mean or a difference of means, in the scores' unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanDifference {
    /// The difference, after less before, with its interval.
    pub estimate: Estimate,
    /// Its standard error.
    pub std_error: f64,
    /// Student's t of it against zero.
    pub t: f64,
    /// Degrees of freedom, for two groups rarely whole.
    pub freedom: f64,
    /// Two-sided p of the hypothesis that there is no difference.
    pub p: f64,
}

/// Which way is worse: what a one-sided statement needs to know of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worse {
    /// Ripple, loss, temperature.
    Higher,
    /// Efficiency.
    Lower,
}

/// Whether a difference stays within margins that were set before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equivalence {
    /// The interval that decides: of the level 1 - 2 alpha.
    pub interval: Estimate,
    /// Lower and upper margin.
    pub margins: (f64, f64),
    /// The larger of the two one-sided p.
    pub p: f64,
    /// Whether both tests reject at alpha, which is the interval lying inside the margins.
    pub is_equivalent: bool,
}

/// Whether a difference is worse by less than a margin that was set before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotWorse {
    /// The end of the one-sided interval on the worse side, of the level 1 - alpha: the change is not worse than this.
    pub bound: f64,
    /// One-sided p of "worse by the margin or more".
    pub p: f64,
    /// Whether that is rejected at alpha.
    pub is_shown: bool,
}

/// How often in 100 a 95 % interval holds the truth where boards scatter evenly between two limits, as parts do, by the number of
/// boards a side: Welch's (the worst of seven ratios of the two scatters, from 1 to 0.02), and that of pairs whose changes scatter so.
/// 400 000 drawn comparisons each, by numpy with scipy's t; `docs/comparison.md`.
pub const HELD_EVENLY: [(usize, f64, f64); 8] = [
    (2, 90.5, 92.7),
    (3, 90.9, 92.2),
    (4, 92.2, 92.8),
    (5, 93.1, 93.4),
    (6, 93.7, 93.9),
    (7, 94.1, 94.2),
    (8, 94.3, 94.4),
    (10, 94.5, 94.6),
];

/// The mean of one group of boards against zero.
///
/// # Errors
/// Fewer than two boards, or boards that do not differ at all.
pub fn one_sample(scores: &[f64], confidence: f64) -> Result<MeanDifference, NoAnswer> {
    check_scores(scores, 2, "in the group")?;
    let (mean, deviation) = moments(scores)?;
    of_t(mean, deviation / (scores.len() as f64).sqrt(), scores.len() as f64 - 1.0, confidence)
}

/// The mean change of boards that were measured both ways; the slices name the boards in the same order.
///
/// # Errors
/// Boards on one side only, fewer than two, or changes that are all the same.
pub fn paired(before: &[f64], after: &[f64], confidence: f64) -> Result<MeanDifference, NoAnswer> {
    one_sample(&changes(before, after, 2)?, confidence)
}

/// The difference of the means of two groups of boards, whose scatter need not be the same.
///
/// # Errors
/// Fewer than two boards a side, or no scatter on either side.
pub fn welch(before: &[f64], after: &[f64], confidence: f64) -> Result<MeanDifference, NoAnswer> {
    check_sides(before, after, 2)?;
    let ((mean_before, sd_before), (mean_after, sd_after)) = (moments(before)?, moments(after)?);
    let (error_before, error_after) =
        (sd_before / (before.len() as f64).sqrt(), sd_after / (after.len() as f64).sqrt());
    let std_error = error_before.hypot(error_after);
    let freedom = welch_freedom((error_before, before.len()), (error_after, after.len()));
    of_t(mean_after - mean_before, std_error, freedom, confidence)
}

/// Degrees of freedom of a difference from the standard errors of two means and their numbers of boards. The parts are taken
/// before they are squared twice, so that scores in any unit neither overflow nor vanish.
pub(super) fn welch_freedom(before: (f64, usize), after: (f64, usize)) -> f64 {
    let whole = before.0.hypot(after.0);
    let part = |(error, count): (f64, usize)| (error / whole).powi(4) / (count as f64 - 1.0);
    1.0 / (part(before) + part(after))
}

fn moments(scores: &[f64]) -> Result<(f64, f64), NoAnswer> {
    let (mean, deviation) = mean(scores).zip(std_dev(scores, 1)).ok_or_else(overflow)?;
    if mean.is_finite() && deviation.is_finite() { Ok((mean, deviation)) } else { Err(overflow()) }
}

fn of_t(value: f64, std_error: f64, freedom: f64, confidence: f64) -> Result<MeanDifference, NoAnswer> {
    check_confidence(confidence)?;
    // Scores that are the same but for rounding have no scatter either.
    if std_error <= 1e-14 * value.abs() || std_error == 0.0 {
        return Err(NoAnswer::because(
            "the boards do not differ among themselves, so nothing tells how far the mean may be off",
        ));
    }
    let t = value / std_error;
    let factor = two_sided_t(confidence, freedom).ok_or_else(overflow)?;
    let (below, above) = t_tails(t, freedom).ok_or_else(overflow)?;
    let estimate = Estimate::around(value, factor * std_error, confidence);
    if !estimate.low.is_finite() || !estimate.high.is_finite() {
        return Err(overflow());
    }
    Ok(MeanDifference { estimate, std_error, t, freedom, p: (2.0 * below.min(above)).min(1.0) })
}

impl MeanDifference {
    /// The same difference with the interval of another level.
    ///
    /// # Errors
    /// What is no confidence.
    pub fn at(&self, confidence: f64) -> Result<Estimate, NoAnswer> {
        check_confidence(confidence)?;
        let factor = two_sided_t(confidence, self.freedom).ok_or_else(overflow)?;
        Ok(Estimate::around(self.estimate.value, factor * self.std_error, confidence))
    }

    /// Two one-sided tests: whether the difference lies within the margins. That a difference is not significant does not
    /// show it.
    ///
    /// # Errors
    /// Margins that hold no zero between them, or an alpha outside 0 to 0.25.
    pub fn within(&self, margins: (f64, f64), alpha: f64) -> Result<Equivalence, NoAnswer> {
        let (low, high) = margins;
        if !(low < 0.0 && high > 0.0 && low.is_finite() && high.is_finite()) {
            return Err(NoAnswer::because(format!("no change lies between the margins {low} and {high}")));
        }
        check_alpha(alpha)?;
        let tail = |edge: f64| t_tails((self.estimate.value - edge) / self.std_error, self.freedom);
        let above_low = tail(low).ok_or_else(overflow)?.1;
        let below_high = tail(high).ok_or_else(overflow)?.0;
        let p = above_low.max(below_high);
        Ok(Equivalence { interval: self.at(1.0 - 2.0 * alpha)?, margins, p, is_equivalent: p < alpha })
    }

    /// Whether the change is worse by less than a margin above zero (non-inferiority).
    ///
    /// # Errors
    /// A margin that is not above zero, or an alpha outside 0 to 0.25.
    pub fn not_worse(&self, worse: Worse, margin: f64, alpha: f64) -> Result<NotWorse, NoAnswer> {
        if !(margin > 0.0 && margin.is_finite()) {
            return Err(NoAnswer::because(format!("a margin of {margin} is none: give a number above zero")));
        }
        check_alpha(alpha)?;
        let interval = self.at(1.0 - 2.0 * alpha)?;
        let (bound, edge) = match worse {
            Worse::Higher => (interval.high, margin),
            Worse::Lower => (interval.low, -margin),
        };
        let (below, above) =
            t_tails((self.estimate.value - edge) / self.std_error, self.freedom).ok_or_else(overflow)?;
        let p = if worse == Worse::Higher { below } else { above };
        Ok(NotWorse { bound, p, is_shown: p < alpha })
    }
}

fn check_alpha(alpha: f64) -> Result<(), NoAnswer> {
    if alpha > 0.0 && alpha < 0.25 {
        Ok(())
    } else {
        Err(NoAnswer::because(format!(
            "a risk of {alpha} is none: give a part between 0 and 0.25, e.g. 0.05"
        )))
    }
}
