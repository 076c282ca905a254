//! What an interlock that holds does: the load goes down until the board has cooled, and each step of that is told. How often a
//! dwell may be held is decided here, too; for a point the machine counts.

use std::time::Duration;

use super::Failure;
use super::act::{Shell, split};
use super::keeping::{Desk, Keeper};
use crate::base::clock::Instant;
use crate::base::span::render_span;
use crate::event::{DwellId, Event, LoadChange};

/// How often in a row a dwell is held with less than [`GONE_ON`] of it done in between.
const IN_A_ROW: u32 = 3;
/// A dwell that was done for so long since its last hold gets on.
const GONE_ON: Duration = Duration::from_secs(60);
/// All holds of a dwell together last at most so many times as long as the dwell, so that a soak comes to its end.
const MOST_OF_DWELL: u32 = 2;

/// How often and how long the present dwell was held. Pure. A dwell goes on behind a hold, other than a point, which begins
/// anew: it is given up only where it does not get on.
#[derive(Debug, Default)]
pub(super) struct DwellHolds {
    dwell: Option<DwellId>,
    /// What was done of it when it was held last.
    done: Duration,
    in_a_row: u32,
    held: Duration,
}

impl DwellHolds {
    /// Takes one more hold of a dwell of which so much is `done`, of `span`; gives why the dwell is given up instead.
    pub(super) fn begin(
        &mut self,
        dwell: DwellId,
        (done, span): (Duration, Duration),
        hold_limit: Duration,
    ) -> Option<String> {
        if self.dwell != Some(dwell) {
            *self = Self { dwell: Some(dwell), ..Self::default() };
        } else if done.saturating_sub(self.done) >= GONE_ON {
            self.in_a_row = 0;
        }
        if self.in_a_row >= IN_A_ROW {
            return Some(format!(
                "the dwell was held {IN_A_ROW} times in a row, went on for less than {} after each, and the interlock \
                 asks to hold again: the board does not stay cool enough at this setting",
                render_span(GONE_ON)
            ));
        }
        let most = span.saturating_mul(MOST_OF_DWELL).max(hold_limit.saturating_mul(IN_A_ROW));
        if self.held > most {
            return Some(format!(
                "the holds of this dwell lasted {} together, and the interlock asks to hold again; more than {} are \
                 not waited for where a dwell lasts {}",
                render_span(self.held),
                render_span(most),
                render_span(span)
            ));
        }
        self.done = done;
        self.in_a_row += 1;
        None
    }

    /// The hold is over.
    pub(super) fn end(&mut self, held: Duration) {
        self.held += held;
    }
}

/// A hold that was asked for and is not released, whatever goes wrong meanwhile.
#[derive(Debug)]
pub(super) struct Holding {
    what: String,
    since: Instant,
    is_told: bool,
}

impl Shell<'_> {
    /// Takes down what is held and why. A dwell that is held and does not get on trips.
    pub(super) fn note_hold(&mut self, failure: Failure) -> Failure {
        let Failure::Held(what) = failure else { return failure };
        if self.holding.is_none() {
            if let Some(given_up) = self.give_up_dwell() {
                return Failure::Tripped(given_up);
            }
            let since = self.bench.clock.now();
            self.holding = Some(Holding { what: what.clone(), since, is_told: false });
        }
        Failure::Held(what)
    }

    fn give_up_dwell(&mut self) -> Option<String> {
        let (id, done) = self.dwelling.within()?;
        let span = self.plan.soak.as_ref()?.dwell(id)?.span;
        self.holds.begin(id, (done, span), self.plan.interlocks.hold_limit)
    }

    /// Lowers the load, tells it, and holds until the interlock is released or somebody wants to stop; the machine then has
    /// the point done again, or the dwell gone on with, or ends.
    pub(super) fn hold(&mut self) -> Result<(), Failure> {
        let planned = self.planned_load;
        let derated = planned * self.plan.interlocks.derate_to;
        // The board first, then the record.
        self.set_load(derated)?;
        let change = LoadChange { from: planned, to: derated };
        if let Some(holding) = self.holding.as_mut().filter(|holding| !holding.is_told) {
            holding.is_told = true;
            let what = format!("{}; {}", holding.what, change.tell_lowered());
            self.emit(&Event::InterlockHeld { what, load: Some(change) })?;
        }
        if !self.cool()? {
            return Ok(());
        }
        self.dwelling.end_hold();
        let now = self.bench.clock.now();
        let held = self.holding.take().map_or(Duration::ZERO, |holding| now.since(holding.since));
        let goes_on = match self.dwelling.within() {
            Some((DwellId::WARMING, _)) => "the warming up goes on",
            Some(_) => "the dwell goes on",
            None => "the point is measured again",
        };
        self.holds.end(held);
        let back = LoadChange { from: derated, to: planned };
        let what = format!("the board has cooled; {}; {goes_on}", back.tell_restored());
        self.emit(&Event::InterlockReleased { what, held, load: Some(back) })
    }

    /// Waits until the interlock is released, or until somebody wants to stop: `false`. A soak is read on meanwhile.
    fn cool(&mut self) -> Result<bool, Failure> {
        let clock = self.bench.clock.clone();
        let (mut watcher, _) = split(self.bench, &mut self.interlock, &*clock, self.stop);
        let Some(soak) = &self.plan.soak else {
            let outcome = watcher.cool();
            let outbox = watcher.outbox;
            self.emit_all(outbox)?;
            return outcome;
        };
        let dwell = self.dwelling.within().map_or(DwellId::WARMING, |(id, _)| id);
        let desk = Desk {
            clock: &*clock,
            sink: &mut *self.sink,
            progress: &mut self.dwelling,
            timekeeping: &mut self.timekeeping,
        };
        let mut keeper = Keeper::new((dwell, true), (self.plan, soak.interval), watcher, desk);
        let outcome = keeper.cool();
        let outcome = keeper.watcher.off_at_once(outcome);
        let kept = keeper.keep();
        let outbox = keeper.watcher.outbox;
        kept.and_then(|()| self.emit_all(outbox)).and(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD_LIMIT: Duration = Duration::from_secs(1800);

    /// Holds one dwell after so much of it was done, each time for so long: the hold with which it is given up, and why.
    fn given_up(span_s: u64, done_s: impl Fn(u64) -> u64, held_s: u64) -> Option<(u64, String)> {
        let mut holds = DwellHolds::default();
        let span = Duration::from_secs(span_s);
        let done = |hold| Duration::from_secs(done_s(hold));
        (1..).take_while(|hold| done(*hold) < span).find_map(|hold| {
            let told = holds.begin(DwellId(2), (done(hold), span), HOLD_LIMIT);
            holds.end(Duration::from_secs(held_s));
            told.map(|what| (hold, what))
        })
    }

    #[test]
    fn a_dwell_that_gets_on_is_held_as_often_as_it_needs_and_one_that_does_not_is_given_up() {
        // Ten minutes at its setting, a quarter of an hour cooling, eighteen times: it gets on to its end.
        assert_eq!(given_up(3 * 3600, |hold| hold * 600, 900), None);
        // It heats up again at once.
        let (hold, what) = given_up(3 * 3600, |hold| hold * 20, 900).unwrap();
        assert_eq!(hold, 4, "{what}");
        assert!(what.starts_with("the dwell was held 3 times in a row"), "{what}");
        // It gets on by little more than a minute each time, which would make weeks of a day.
        let (hold, what) = given_up(86_400, |hold| hold * 70, 900).unwrap();
        assert_eq!(hold, 2 * 86_400 / 900 + 2, "{what}");
        assert!(what.starts_with("the holds of this dwell lasted 2 d"), "{what}");
        // A short dwell is not given up for one long hold.
        assert_eq!(given_up(200, |hold| hold * 100, 1800), None);
    }

    #[test]
    fn every_dwell_begins_its_own_count() {
        let mut holds = DwellHolds::default();
        for dwell in 1..=9 {
            let told = holds.begin(DwellId(dwell), (Duration::ZERO, Duration::from_secs(10)), HOLD_LIMIT);
            assert_eq!(told, None, "dwell {dwell}");
            holds.end(HOLD_LIMIT);
        }
    }
}
