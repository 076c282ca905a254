//! How a run ended, and that it was gone on with.

use std::time::Duration;

use super::Stamp;
use super::verdict::RunVerdict;
use crate::base::span::render_span;

/// How the run ended, for `RunFinished`.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// The verdict.
    pub verdict: RunVerdict,
    /// Why, in a sentence.
    pub reason: String,
    /// Points that were finished.
    pub points_finished: u32,
    /// Finished points at which a limit failed.
    pub points_failed: u32,
    /// Finished points at which no limit applied.
    pub points_not_applicable: u32,
    /// Whether the outputs were verified off at the end.
    pub outputs_off_verified: bool,
}

/// What a reason begins with where the outputs may be on.
const UNVERIFIED: &str = "THE OUTPUTS COULD NOT BE VERIFIED OFF: look at the bench now. ";

impl RunEnd {
    /// The reason of a run that could not verify the outputs off.
    #[must_use]
    pub fn unverified(reason: &str) -> String {
        format!("{UNVERIFIED}{reason}")
    }

    /// The same where its dead-man has done so later: then nobody need look at once, and the reason says who has.
    #[must_use]
    pub fn verified_later(&self, ended: Stamp, verified: Stamp) -> String {
        let reason = self.reason.strip_prefix(UNVERIFIED).unwrap_or(&self.reason);
        let at = verified.utc.strftime("%F %H:%M:%S UTC");
        let after = render_span(verified.monotonic.since(ended.monotonic));
        format!(
            "the run could not verify the outputs off; the dead-man has verified them off at {at}, {after} after the run's end; {reason}"
        )
    }

    /// Whether every step of the plan was done, whatever came of it: then nothing is left to go on with.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(
            self.verdict,
            RunVerdict::Pass | RunVerdict::NotJudged | RunVerdict::Fail | RunVerdict::Incomplete
        )
    }
}

/// What a run begins with that is gone on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// How long nobody was there, by the wall clock; `None` where that clock was set back meanwhile.
    pub gap: Option<Duration>,
    /// Points that are finished and kept.
    pub points_finished: u32,
    /// How it stood: cut off, or with which end; and what was left out of the journal.
    pub what: String,
}
