//! What came of a run so far, counted: a soak of weeks keeps no results in memory.

use crate::event::{PointResult, PointVerdict, StartCheck};

/// Points and starts, counted by what came of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Points that were finished.
    pub finished: u32,
    /// Of these, those at which a limit failed.
    pub failed: u32,
    /// Those that lack a figure that a limit needs.
    pub not_measured: u32,
    /// Those at which no limit applied.
    pub not_applicable: u32,
    /// Those that were measured before they settled.
    pub unsettled: u32,
    /// Points of the plan that are left out, because the board was warm before they were due.
    pub left_out: u32,
    /// Times that a reading of a soak was held against a limit.
    pub readings_judged: u64,
    /// Times that a reading of a soak broke a limit.
    pub readings_failed: u64,
    /// Starts that were looked at, of a board that was off before.
    pub starts: u32,
    /// Of these, those at which the board did not start.
    pub failed_starts: u32,
    /// Looks at a start that was none: the board had not been off.
    pub no_starts: u32,
}

impl Tally {
    /// Counts a point.
    pub fn add(&mut self, result: &PointResult) {
        self.finished += 1;
        self.failed += u32::from(result.verdict == PointVerdict::Fail);
        self.not_measured += u32::from(result.verdict == PointVerdict::NotMeasured);
        self.not_applicable += u32::from(result.verdict == PointVerdict::NotApplicable);
        self.unsettled += u32::from(!result.is_settled());
    }

    /// A point that was counted has another verdict.
    pub fn revise(&mut self, before: PointVerdict, after: PointVerdict) {
        let counts = [
            (&mut self.failed, PointVerdict::Fail),
            (&mut self.not_measured, PointVerdict::NotMeasured),
            (&mut self.not_applicable, PointVerdict::NotApplicable),
        ];
        for (count, verdict) in counts {
            *count = (*count + u32::from(after == verdict)).saturating_sub(u32::from(before == verdict));
        }
    }

    /// Counts a look at a start.
    pub fn add_start(&mut self, check: &StartCheck) {
        if check.is_no_start() {
            self.no_starts += 1;
            return;
        }
        self.starts += 1;
        self.failed_starts += u32::from(!check.started);
    }
}
