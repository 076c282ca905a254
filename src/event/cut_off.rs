//! Where a soak stands whose record has no end: from when on nothing of it is known. Pure.

use std::time::Duration;

use super::soak::{DwellId, Gap, GapCause};
use super::{DEADMAN, Event, Stamp};
use crate::base::clock::Instant;

/// How far a record came; what a run that was cut off has lost follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CutOff {
    /// Whether a phase was begun: before the first one no readings are due.
    has_phase: bool,
    /// The last readings that were written, and of which dwell.
    read: Option<(DwellId, Instant)>,
    /// The last dwell that was finished, and when; or when something else was begun behind it.
    finished: Option<DwellId>,
    between: Instant,
    /// When whoever carried the run out last wrote something, and when anybody did.
    work: Instant,
    last: Instant,
    /// The first words behind that: of the dead-man.
    told: Option<String>,
    is_over: bool,
}

impl CutOff {
    /// Whether an event is of whoever carries the run out; a dead-man, or nobody's hearing of the end, adds others behind it.
    #[must_use]
    pub const fn is_work(event: &Event) -> bool {
        !matches!(event, Event::Warned { .. } | Event::MadeSafe(_) | Event::MessageUnsent(_))
    }

    /// Takes what happened.
    pub fn take(&mut self, at: Stamp, event: &Event) {
        let at = at.monotonic;
        self.last = self.last.max(at);
        if Self::is_work(event) {
            self.work = self.work.max(at);
            self.told = None;
        }
        match event {
            Event::PhaseStarted { .. } => self.has_phase = true,
            Event::ReadingsTaken(readings) => self.read(readings.dwell, at),
            Event::DwellFinished { dwell, .. } => (self.finished, self.between) = (Some(*dwell), at),
            Event::PointStarted { .. } => self.between = at,
            // What a dead-man said last is how it ended.
            Event::Warned { what } if what.starts_with(DEADMAN) => self.told = Some(what.clone()),
            Event::Warned { what } => drop(self.told.get_or_insert_with(|| what.clone())),
            Event::RunResumed(_) => (self.is_over, self.finished, self.between) = (false, None, at),
            Event::RunFinished(_) => self.is_over = true,
            _ => {}
        }
    }

    /// Takes that readings of a dwell were written, for a reader of records that does not see them among the events; in any order
    /// with these.
    pub fn read(&mut self, dwell: DwellId, at: Instant) {
        (self.last, self.work) = (self.last.max(at), self.work.max(at));
        if self.read.is_none_or(|(_, known)| known <= at) {
            self.read = Some((dwell, at));
        }
    }

    /// The last readings of a dwell that is not finished.
    #[must_use]
    pub fn within(&self) -> Option<Instant> {
        let (dwell, at) = self.read?;
        (at >= self.between && self.finished != Some(dwell)).then_some(at)
    }

    /// When the run was last known to do what it was begun for.
    #[must_use]
    pub fn known(&self) -> Instant {
        self.within().unwrap_or(self.work)
    }

    /// What is lost where nobody carries the run out any more and it has no end: what was read and not written yet, and what was not
    /// read until somebody else had the last word.
    #[must_use]
    pub fn gap(&self, interval: Duration) -> Option<Gap> {
        let (from, to) = (self.known(), self.last);
        let late = to.since(from);
        if self.is_over || !self.has_phase || late <= interval.mul_f64(1.5) {
            return None;
        }
        let missed = (late.as_secs_f64() / interval.as_secs_f64()).floor() as u64;
        let told = self.told.as_ref().map_or_else(String::new, |told| format!("; {told}"));
        let what = format!("the run was cut off: what it had read and not written yet is lost{told}");
        Some(Gap { from, to, missed, cause: GapCause::Controller, what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::{DwellEnd, PointId, Resumed, Setting};

    const INTERVAL: Duration = Duration::from_secs(1);

    fn stamp(second: u64) -> Stamp {
        let utc = jiff::Timestamp::from_second(1_800_000_000 + second as i64).unwrap();
        Stamp { utc, monotonic: Instant(second * 1_000_000_000) }
    }

    fn phase() -> Event {
        Event::PhaseStarted { phase: 0, name: "hold".to_owned(), round: 1 }
    }

    fn finished(dwell: u32) -> Event {
        let took = Duration::from_secs(20);
        Event::DwellFinished { dwell: DwellId(dwell), took, end: DwellEnd::Time, left_out: 0, setting: None }
    }

    fn point() -> Event {
        let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
        Event::PointStarted { point: PointId(1), setting, attempt: 1 }
    }

    fn deadman() -> Event {
        Event::Warned { what: "dead-man: the controller is gone".to_owned() }
    }

    fn gap(events: &[(u64, Event)], read: &[(u32, u64)]) -> Option<(u64, u64, u64)> {
        let mut cut = CutOff::default();
        for (second, event) in events {
            cut.take(stamp(*second), event);
        }
        for (dwell, second) in read {
            cut.read(DwellId(*dwell), Instant(second * 1_000_000_000));
        }
        let gap = cut.gap(INTERVAL)?;
        assert_eq!(gap.what.contains("dead-man"), events.iter().any(|(_, event)| *event == deadman()));
        Some((gap.from.0 / 1_000_000_000, gap.to.0 / 1_000_000_000, gap.missed))
    }

    #[test]
    fn what_a_run_that_was_cut_off_had_not_written_is_lost_up_to_the_last_word_in_its_record() {
        let resumed = || {
            let what = "it was cut off".to_owned();
            Event::RunResumed(Resumed { gap: None, points_finished: 1, what })
        };
        type Row<'r> = (&'r [(u64, Event)], &'r [(u32, u64)], Option<(u64, u64, u64)>);
        let table: [Row<'_>; 7] = [
            // In the midst of a dwell: from its last reading.
            (&[(10, phase()), (47, deadman())], &[(1, 30)], Some((30, 47, 17))),
            // Behind a capture: from its end.
            (
                &[(10, phase()), (30, finished(1)), (30, point()), (32, finished(7)), (47, deadman())],
                &[(1, 30)],
                Some((32, 47, 15)),
            ),
            // The power went: nobody had a word.
            (&[(10, phase()), (70, point())], &[(1, 60)], None),
            (&[(10, phase()), (61, Event::ClockStepped { by_s: 1.0 })], &[(1, 60)], None),
            (&[(10, phase()), (65, Event::ClockStepped { by_s: 1.0 })], &[(1, 60)], Some((60, 65, 5))),
            // Before the first phase no readings are due.
            (&[(10, point()), (47, deadman())], &[], None),
            // What was gone on with tells its gap itself.
            (&[(10, phase()), (47, deadman()), (90, resumed())], &[(1, 30)], None),
        ];
        for (events, read, expected) in table {
            assert_eq!(gap(events, read), expected);
        }
    }
}
