//! Whether the answer of a soak is clear before its end. Only a profile that allows it may use this; it shortens what the
//! hours show of reliability, whatever it says of the drift.

use super::drift::Drift;
use super::projection::{Bounds, Outlook, project};
use super::{NoAnswer, check_confidence};

/// A pass is not told before this part of the planned time has been watched: a line is not carried on farther than three times
/// what was seen of it.
pub const EARLIEST_PART: f64 = 0.25;

/// What is asked at one look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// The planned end, in seconds since the start of the run.
    pub end_s: f64,
    /// Confidence wanted for the whole of the looks.
    pub confidence: f64,
    /// How many looks are planned over the run. Each spends its part of the error (Bonferroni): who looks often enough at 95 %
    /// sees something sooner or later.
    pub looks: u32,
    /// Changes of level found so far: a value that jumps is no straight line.
    pub changes: usize,
}

/// Whether the answer is clear.
#[derive(Debug, Clone, PartialEq)]
pub enum Early {
    /// Go on, and why.
    GoOn(String),
    /// The limits will hold to the planned end.
    ClearPass,
    /// A limit is passed now, or surely will be by the planned end.
    ClearFail,
}

/// Judges at one look.
///
/// # Errors
/// What [`project`] refuses; no looks.
pub fn judge_early(drift: &Drift, bounds: &Bounds, look: &Look) -> Result<Early, NoAnswer> {
    check_confidence(look.confidence)?;
    if look.looks == 0 {
        return Err(NoAnswer::because("no look is planned"));
    }
    let confidence = 1.0 - (1.0 - look.confidence) / f64::from(look.looks);
    let go_on = |why: &str| Ok(Early::GoOn(why.to_owned()));
    let now = project(&drift.line, bounds, (drift.to_s, drift.to_s), confidence)?;
    if now.outlook == Outlook::Fail {
        return Ok(Early::ClearFail);
    }
    if look.changes > 0 {
        return go_on("a change of level was found: what follows is no straight line");
    }
    if drift.to_s >= look.end_s {
        return go_on("the planned end is reached");
    }
    if drift.to_s - drift.from_s < EARLIEST_PART * (look.end_s - drift.from_s) {
        return go_on("less than a quarter of the planned time has been watched");
    }
    match project(&drift.line, bounds, (drift.to_s, look.end_s), confidence)?.outlook {
        Outlook::Pass => Ok(Early::ClearPass),
        Outlook::Fail => Ok(Early::ClearFail),
        Outlook::Marginal => go_on("it comes near a limit"),
        Outlook::Undecided => go_on("a limit lies inside the interval"),
    }
}
