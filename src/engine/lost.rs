//! Readings of supply or load that are missing: for how long they may, whatever is tried again or restored meanwhile.

use std::time::Duration;

use super::Failure;
use super::act::Shell;
use super::interlock::{Source, Watched};
use super::watch::{rule, wait};
use crate::link::ErrorKind;

/// The shortest pause, as long as so much is left.
const LEAST_PAUSE: Duration = Duration::from_millis(500);

/// How long to wait before something is tried again where a reading may still be missing for so long: half of it is kept for what
/// is done then, for an instrument that starts up is opened, gets its settings back and is read.
fn shorten(span: Duration, left: Duration) -> Duration {
    span.min((left / 2).max(LEAST_PAUSE)).min(left)
}

impl Shell<'_> {
    /// Waits before something is tried again, but no longer than a reading may still be missing.
    pub(super) fn pause(&mut self, span: Duration) -> Result<(), Failure> {
        let left = self.left_of_soak();
        wait(&*self.bench.clock, self.stop, left.map_or(span, |left| shorten(span, left)))?;
        self.look_at_lost()
    }

    /// A reading of supply or load that has been missing for too long trips also where nothing more has failed: what is tried
    /// again or restored takes its time, and nobody watches the board meanwhile.
    pub(super) fn look_at_lost(&mut self) -> Result<(), Failure> {
        match self.left_of_soak() {
            Some(left) if left.is_zero() => {
                rule(self.interlock.judge(self.bench.clock.now(), Watched::Lost(Source::Meter)))
            }
            _ => Ok(()),
        }
    }

    /// How long a reading may still be missing, where one is, in a run that nobody watches. The short time that a sweep allows says
    /// how long a meter may fail; settings are restored behind it, with the other side off.
    fn left_of_soak(&self) -> Option<Duration> {
        self.plan.soak.as_ref().and_then(|_| self.interlock.left_of_lost_reading(self.bench.clock.now()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_leaves_time_for_what_is_tried_behind_it_and_ends_with_what_may_be_missing() {
        let shortened = |span: u64, left: u64| {
            shorten(Duration::from_millis(span), Duration::from_millis(left)).as_millis()
        };
        let pauses = [(5000, 40_000), (5000, 5000), (1000, 5000), (5000, 900), (5000, 300), (5000, 0)];
        assert_eq!(pauses.map(|(span, left)| shortened(span, left)), [5000, 2500, 1000, 500, 300, 0]);
    }
}
