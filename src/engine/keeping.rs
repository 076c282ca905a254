//! Readings of a soak, taken and kept in batches: while a dwell is done, and while an interlock holds the run.

use std::time::Duration;

use super::progress::{NEEDED_PAUSE, Progress};
use super::timekeeping::{Jumps, Look, Timekeeping};
use super::watch::{TEMPERATURE_INTERVAL, Watcher, wait};
use super::{Failure, stamp};
use crate::base::clock::Clock;
use crate::base::names::Role;
use crate::event::{DwellId, Event, Reading, Readings, ReadingsJudged, Sink};
use crate::plan::Plan;

/// Readings that are kept together: what a crash may cost is a minute at a reading a second.
const BATCH: usize = 60;

/// How long a thermometer that the interlocks need is left in peace at most: it must answer long before they trip.
fn longest_silence(plan: &Plan) -> Duration {
    (plan.interlocks.lost_reading / 6).min(NEEDED_PAUSE)
}

/// Takes readings and keeps them.
pub(super) struct Keeper<'h, 'b> {
    /// The dwell that they belong to.
    pub(super) dwell: DwellId,
    /// Whether they are of a hold: the load is not what the dwell sets.
    pub(super) held: bool,
    pub(super) interval: Duration,
    pub(super) watcher: Watcher<'b>,
    pub(super) clock: &'h dyn Clock,
    pub(super) sink: &'h mut dyn Sink,
    pub(super) progress: &'h mut Progress,
    pub(super) timekeeping: &'h mut Timekeeping,
    pub(super) longest_silence: Duration,
    /// What came of the limits since the dwell was begun or gone on with; `None` where nothing is held against them.
    pub(super) judged: Option<ReadingsJudged>,
    pub(super) rows: Vec<Reading>,
}

/// Where a keeper notes what it does.
pub(super) struct Desk<'h> {
    pub(super) clock: &'h dyn Clock,
    pub(super) sink: &'h mut dyn Sink,
    pub(super) progress: &'h mut Progress,
    pub(super) timekeeping: &'h mut Timekeeping,
}

impl<'h, 'b> Keeper<'h, 'b> {
    /// Of a dwell at what it sets, or while it is held.
    pub(super) fn new(
        (dwell, held): (DwellId, bool),
        (plan, interval): (&Plan, Duration),
        watcher: Watcher<'b>,
        desk: Desk<'h>,
    ) -> Self {
        let Desk { clock, sink, progress, timekeeping } = desk;
        let (longest_silence, rows) = (longest_silence(plan), Vec::with_capacity(BATCH));
        let judged = None;
        Self {
            dwell,
            held,
            interval,
            watcher,
            clock,
            sink,
            progress,
            timekeeping,
            longest_silence,
            judged,
            rows,
        }
    }
}

impl Keeper<'_, '_> {
    /// Reads everything once; how the interlocks rule of it stands beside it, so that what was read is kept, too. What trips has
    /// switched off already: the record may wait for a disk.
    ///
    /// # Errors
    /// An instrument failed, an interlock spoke before all was read, or the outputs shall go off now.
    pub(super) fn read(&mut self) -> Result<(Reading, Result<(), Failure>), Failure> {
        let (silent, now) = (&self.progress.silent, self.clock.now());
        let is_resting = |role: &Role| silent.get(role).is_some_and(|silence| now < silence.next);
        let (reading, ruled) = self.watcher.take_reading(&is_resting)?;
        Ok((reading, self.watcher.off_at_once(ruled)))
    }

    /// Takes a reading with what was seen on the way to it, and the gap before it.
    pub(super) fn take(&mut self, reading: &Reading) -> Result<(), Failure> {
        let jumps = Look::at(self.clock).map_or_else(Jumps::default, |look| self.timekeeping.judge(look));
        if let Some(by_s) = jumps.stepped_s {
            self.tell(&Event::ClockStepped { by_s })?;
        }
        // What made this reading late was waited for before it: a sensor that answers again now still was silent then.
        self.progress.waited = self.watcher.waits.take_before_reading();
        let gap = self.progress.gap_before(reading.at, self.interval, jumps);
        self.tell_seen(reading)?;
        if let Some(gap) = gap {
            self.keep()?;
            self.tell(&Event::GapFound(gap))?;
        }
        self.progress.last = Some(reading.at);
        self.progress.good = self.progress.good.saturating_add(1);
        self.rows.push(*reading);
        Ok(())
    }

    /// Lets a reading go that was not due; what was seen on the way to it is told.
    pub(super) fn pass_over(&mut self, reading: &Reading) -> Result<(), Failure> {
        self.watcher.waits.go_on();
        self.progress.good = self.progress.good.saturating_add(1);
        self.tell_seen(reading)
    }

    fn tell_seen(&mut self, reading: &Reading) -> Result<(), Failure> {
        let outbox = std::mem::take(&mut self.watcher.outbox);
        let around = (stamp(self.clock), self.longest_silence);
        for (at, event) in self.progress.sort(outbox, reading, around) {
            self.sink.event(at, &event).map_err(Failure::Record)?;
        }
        Ok(())
    }

    /// Keeps the batch where it is full, or where its first reading would wait too long for the next one.
    pub(super) fn keep_full(&mut self) -> Result<(), Failure> {
        let since = match (self.rows.first(), self.rows.last()) {
            (Some(first), Some(last)) => last.at.since(first.at),
            _ => Duration::ZERO,
        };
        let waits_too_long = since + self.interval > Readings::SPAN;
        if self.rows.len() >= BATCH || waits_too_long { self.keep() } else { Ok(()) }
    }

    pub(super) fn keep(&mut self) -> Result<(), Failure> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::replace(&mut self.rows, Vec::with_capacity(BATCH));
        let done = self.progress.done(self.dwell);
        let judged = self.judged.clone().filter(|judged| !judged.checks.is_empty());
        let readings = Readings { dwell: self.dwell, done, held: self.held, judged, rows };
        self.tell(&Event::ReadingsTaken(Box::new(readings)))
    }

    pub(super) fn tell(&mut self, event: &Event) -> Result<(), Failure> {
        self.sink.event(stamp(self.clock), event).map_err(Failure::Record)
    }

    /// Reads on until the interlock that holds is released, or until somebody wants to stop: `false`.
    ///
    /// # Errors
    /// An instrument failed, the interlock tripped, or the outputs shall go off now.
    pub(super) fn cool(&mut self) -> Result<bool, Failure> {
        let begun = self.clock.now();
        for tick in 1u32.. {
            if self.watcher.stop.asked().is_some() && !self.watcher.stop.is_now() {
                return Ok(false);
            }
            let (reading, ruled) = self.read()?;
            self.take(&reading)?;
            self.keep_full()?;
            if self.watcher.is_released(ruled)? {
                return Ok(true);
            }
            let due = begun + self.interval * tick;
            // The interlocks do not wait for a slow soak.
            while self.clock.now() < due {
                let left = due.since(self.clock.now());
                wait(self.clock, self.watcher.stop, left.min(TEMPERATURE_INTERVAL))?;
                if left > TEMPERATURE_INTERVAL && self.watcher.look_released()? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
