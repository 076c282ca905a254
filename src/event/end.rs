//! How a run ended, and that it was gone on with.

use std::time::Duration;

use super::verdict::RunVerdict;

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

impl RunEnd {
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
