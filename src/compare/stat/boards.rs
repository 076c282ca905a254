//! How many boards a comparison takes: the power of Welch's test.
//!
//! By the non-central t with Welch's degrees of freedom, which is exact for equal scatter and equal numbers and a good
//! approximation otherwise (Moser, Stevens, Watts 1989). It takes the scatter for known; that of a handful of boards may be off
//! by a factor of two, and the number of boards by four.

use super::means::welch_freedom;
use super::{NoAnswer, overflow};
use crate::base::distribution::{noncentral_t_tails, t_quantile};

/// More boards a side than this are not looked for.
const MOST: usize = 10_000;

/// What a comparison shall be able to see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// The difference of means that shall not be missed, in the scores' unit.
    pub difference: f64,
    /// Standard deviation of boards before and after.
    pub deviations: (f64, f64),
    /// Risk of calling a difference where there is none, e.g. 0.05, two-sided.
    pub alpha: f64,
}

impl Wanted {
    fn check(&self) -> Result<(), NoAnswer> {
        let (before, after) = self.deviations;
        let is_scatter =
            before >= 0.0 && after >= 0.0 && before.hypot(after) > 0.0 && before.hypot(after).is_finite();
        if !is_scatter {
            return Err(NoAnswer::because("without the scatter of boards nothing tells how many it takes"));
        }
        if !(self.difference != 0.0 && self.difference.is_finite()) {
            return Err(NoAnswer::because("no number of boards shows a difference of zero"));
        }
        if self.alpha > 0.0 && self.alpha < 0.5 {
            Ok(())
        } else {
            Err(NoAnswer::because(format!("a risk of {} is none: give a part between 0 and 0.5", self.alpha)))
        }
    }
}

/// The chance that so many boards before and after show the difference.
///
/// # Errors
/// Fewer than two boards a side, or no scatter, difference or risk to reckon with.
pub fn power((before, after): (usize, usize), wanted: &Wanted) -> Result<f64, NoAnswer> {
    wanted.check()?;
    if before < 2 || after < 2 {
        return Err(NoAnswer::because(format!(
            "this needs at least 2 boards a side, there are {before} before and {after} after"
        )));
    }
    let errors = (wanted.deviations.0 / (before as f64).sqrt(), wanted.deviations.1 / (after as f64).sqrt());
    let freedom = welch_freedom((errors.0, before), (errors.1, after));
    let shift = wanted.difference.abs() / errors.0.hypot(errors.1);
    chance_of(shift, freedom, wanted.alpha)
}

/// The chance that a t test shows a change that lies so many standard errors from zero.
fn chance_of(shift: f64, freedom: f64, alpha: f64) -> Result<f64, NoAnswer> {
    let edge = t_quantile(1.0 - alpha / 2.0, freedom).ok_or_else(overflow)?;
    // Beyond this the answer is one to all digits, and the tails are not computed.
    if shift > 900.0 && shift > 20.0 * edge {
        return Ok(1.0);
    }
    let above = noncentral_t_tails(edge, freedom, shift).ok_or_else(overflow)?.1;
    let below = noncentral_t_tails(-edge, freedom, shift).ok_or_else(overflow)?.0;
    Ok((above + below).min(1.0))
}

/// The smallest equal number of boards a side that shows the difference with at least this chance.
///
/// # Errors
/// As for the power, a chance that is none, or more than ten thousand boards a side.
pub fn boards_needed(wanted: &Wanted, chance: f64) -> Result<usize, NoAnswer> {
    wanted.check()?;
    least(chance, |boards| power((boards, boards), wanted))
}

/// The smallest number of boards measured both ways that shows a change with at least this chance, if changes scatter so from
/// board to board. Exact for normal scatter.
///
/// # Errors
/// As for boards of two groups.
pub fn pairs_needed(difference: f64, deviation: f64, alpha: f64, chance: f64) -> Result<usize, NoAnswer> {
    Wanted { difference, deviations: (deviation, 0.0), alpha }.check()?;
    least(chance, |pairs| {
        let shift = difference.abs() * (pairs as f64).sqrt() / deviation;
        chance_of(shift, pairs as f64 - 1.0, alpha)
    })
}

/// The smallest number from two up whose power is at least the wanted chance.
fn least(chance: f64, power: impl Fn(usize) -> Result<f64, NoAnswer>) -> Result<usize, NoAnswer> {
    if !(chance > 0.0 && chance < 1.0) {
        return Err(NoAnswer::because(format!(
            "a chance of {chance} is none: give a part below 1, e.g. 0.8"
        )));
    }
    let (mut too_few, mut enough) = (1, 2);
    while power(enough)? < chance {
        if enough >= MOST {
            return Err(NoAnswer::because(format!(
                "even {MOST} boards would not show so small a difference"
            )));
        }
        too_few = enough;
        enough = (2 * enough).min(MOST);
    }
    while enough - too_few > 1 {
        let middle = usize::midpoint(too_few, enough);
        if power(middle)? >= chance { enough = middle } else { too_few = middle }
    }
    Ok(enough)
}
