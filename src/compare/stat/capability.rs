//! Cpk: how far the limits lie from the mean, in units of three standard deviations.
//!
//! The interval is Bissell's normal approximation of 1990, +-z sqrt(1/(9 n) + Cpk^2/(2 (n - 1))). It holds the truth
//! down to five boards (coverage table), but is so wide there that below twenty-five a warning stands with it, and below five
//! there is no Cpk at all.

use super::{Estimate, NoAnswer, check_confidence, check_scores, overflow};
use crate::base::distribution::normal_quantile;
use crate::base::stats::{mean, std_dev};

const LEAST: usize = 5;
/// From so many boards on it stands without a warning.
const ENOUGH: usize = 25;

/// A capability index with its interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Capability {
    /// Cpk; below zero where the mean lies outside the limits.
    pub cpk: Estimate,
    /// Said with it where boards are few.
    pub warning: Option<String>,
}

/// Cpk against a lower limit, an upper one, or both.
///
/// # Errors
/// Fewer than five boards, no limit, limits the wrong way round, or no scatter.
pub fn capability(
    scores: &[f64],
    (lower, upper): (Option<f64>, Option<f64>),
    confidence: f64,
) -> Result<Capability, NoAnswer> {
    check_confidence(confidence)?;
    check_scores(scores, LEAST, "of a side")?;
    if [lower, upper].into_iter().flatten().any(|limit| !limit.is_finite()) {
        return Err(NoAnswer::because("a limit is no finite number"));
    }
    let (mean, deviation) = mean(scores).zip(std_dev(scores, 1)).ok_or_else(overflow)?;
    if deviation <= 1e-14 * mean.abs() || deviation == 0.0 {
        return Err(NoAnswer::because(
            "the boards do not differ among themselves: a Cpk has nothing to divide by",
        ));
    }
    let room = match (lower, upper) {
        (Some(lower), Some(upper)) if lower >= upper => {
            return Err(NoAnswer::because(format!(
                "the lower limit {lower} is not below the upper limit {upper}"
            )));
        }
        (Some(lower), Some(upper)) => (upper - mean).min(mean - lower),
        (Some(lower), None) => mean - lower,
        (None, Some(upper)) => upper - mean,
        (None, None) => return Err(NoAnswer::because("a Cpk needs a limit")),
    };
    let count = scores.len() as f64;
    let cpk = room / (3.0 * deviation);
    let z = normal_quantile(f64::midpoint(1.0, confidence)).ok_or_else(overflow)?;
    let reach = z * (1.0 / (9.0 * count) + cpk * cpk / (2.0 * (count - 1.0))).sqrt();
    if !(cpk.is_finite() && reach.is_finite()) {
        return Err(overflow());
    }
    let warning = (scores.len() < ENOUGH).then(|| {
        format!("a Cpk of {} boards is little more than a guess: look at its interval", scores.len())
    });
    Ok(Capability { cpk: Estimate::around(cpk, reach, confidence), warning })
}
