//! Tolerance intervals: where the next boards of a revision will lie, if boards scatter normally.
//!
//! One-sided factors are exact, by the non-central t; two-sided ones are Howe's approximation of 1969. Both as in the NIST/SEMATECH
//! handbook of statistical methods, 7.2.6.3.

use super::means::Worse;
use super::{Estimate, NoAnswer, check_confidence, check_scores, overflow};
use crate::base::distribution::{chi_square_quantile, noncentral_t_quantile, normal_quantile};
use crate::base::stats::{mean, std_dev};

/// What part of all boards shall lie within, and how surely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    /// Part of the boards, e.g. 0.95.
    pub part: f64,
    /// How often such an interval holds that part.
    pub confidence: f64,
}

/// The factor k of a one-sided limit mean + k s. Five boards, 95 %/95 %: 4.20.
///
/// # Errors
/// Fewer than two boards or more than a hundred thousand, or parts that are none.
pub fn one_sided_factor(boards: usize, coverage: Coverage) -> Result<f64, NoAnswer> {
    check(boards, coverage)?;
    let root = (boards as f64).sqrt();
    let shift = normal_quantile(coverage.part).ok_or_else(overflow)? * root;
    let quantile = noncentral_t_quantile(coverage.confidence, boards as f64 - 1.0, shift);
    Ok(quantile.ok_or_else(overflow)? / root)
}

/// The factor k of a two-sided interval mean - k s to mean + k s. Five boards, 95 %/95 %: 5.09.
///
/// # Errors
/// As for one side.
pub fn two_sided_factor(boards: usize, coverage: Coverage) -> Result<f64, NoAnswer> {
    check(boards, coverage)?;
    let count = boards as f64;
    let z = normal_quantile(f64::midpoint(1.0, coverage.part)).ok_or_else(overflow)?;
    let chi_square = chi_square_quantile(1.0 - coverage.confidence, count - 1.0).ok_or_else(overflow)?;
    Ok(z * ((count - 1.0) * (1.0 + 1.0 / count) / chi_square).sqrt())
}

fn check(boards: usize, coverage: Coverage) -> Result<(), NoAnswer> {
    check_confidence(coverage.confidence)?;
    check_confidence(coverage.part)?;
    if (2..=100_000).contains(&boards) {
        Ok(())
    } else {
        Err(NoAnswer::because(format!("a tolerance factor needs 2 to 100000 boards, there are {boards}")))
    }
}

/// Between which values the wanted part of all boards lies, about the mean of these.
///
/// # Errors
/// Fewer than two boards, or parts that are none.
pub fn tolerance_interval(scores: &[f64], coverage: Coverage) -> Result<Estimate, NoAnswer> {
    check_scores(scores, 2, "in the group")?;
    let (center, reach) = reach(scores, two_sided_factor(scores.len(), coverage)?)?;
    Ok(Estimate::around(center, reach, coverage.confidence))
}

/// What the wanted part of all boards does not pass on the worse side.
///
/// # Errors
/// Fewer than two boards, or parts that are none.
pub fn tolerance_limit(scores: &[f64], worse: Worse, coverage: Coverage) -> Result<f64, NoAnswer> {
    check_scores(scores, 2, "in the group")?;
    let (center, reach) = reach(scores, one_sided_factor(scores.len(), coverage)?)?;
    Ok(match worse {
        Worse::Higher => center + reach,
        Worse::Lower => center - reach,
    })
}

fn reach(scores: &[f64], factor: f64) -> Result<(f64, f64), NoAnswer> {
    let (center, deviation) = mean(scores).zip(std_dev(scores, 1)).ok_or_else(overflow)?;
    let reach = factor * deviation;
    if (center.abs() + reach).is_finite() { Ok((center, reach)) } else { Err(overflow()) }
}
