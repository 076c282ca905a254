//! Readings of supply or load that are missing: for how long they may, whatever is tried again or restored meanwhile.

use std::time::Duration;

use super::Failure;
use super::act::Shell;
use super::interlock::{Source, Watched};
use super::watch::{rule, wait};
use crate::link::ErrorKind;

impl Shell<'_> {
    /// Waits before something is tried again, but no longer than a reading may still be missing.
    pub(super) fn pause(&mut self, span: Duration) -> Result<(), Failure> {
        let left = self.interlock.left_of_lost_reading(self.bench.clock.now());
        wait(&*self.bench.clock, self.stop, left.map_or(span, |left| left.min(span)))?;
        self.look_at_lost()
    }

    /// A reading of supply or load that has been missing for too long trips also where nothing more has failed: what is tried
    /// again or restored takes its time, and nobody watches the board meanwhile.
    pub(super) fn look_at_lost(&mut self) -> Result<(), Failure> {
        let now = self.bench.clock.now();
        match self.interlock.left_of_lost_reading(now) {
            Some(left) if left.is_zero() => rule(self.interlock.judge(now, Watched::Lost(Source::Meter))),
            _ => Ok(()),
        }
    }

    /// A failure of supply or load is a lost reading, too: the interlock trips when it has lasted too long, whatever else is
    /// still to be tried.
    pub(super) fn judge_lost(&mut self, failure: Failure) -> Failure {
        let Failure::Instrument(error) = &failure else { return failure };
        let is_meter = self.is_meter(Some(&error.role));
        let was_asked = !matches!(error.kind(), ErrorKind::Refused | ErrorKind::Unsupported);
        if !(self.bench.energised && is_meter && was_asked) {
            return failure;
        }
        let now = self.bench.clock.now();
        rule(self.interlock.judge(now, Watched::Lost(Source::Meter))).err().unwrap_or(failure)
    }
}
