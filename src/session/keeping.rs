//! Where the events of a run go: the record first, then whoever looks on; and what a soak keeps beside its events.

use std::path::Path;
use std::time::Duration;

use super::evidence::{Capture, Keeper};
use super::room::{RoomWatch, Shortage};
use super::running::Onlooker;
use super::taping::{Tapes, is_calm};
use crate::engine::StopWish;
use crate::event::{Event, Gap, PointId, Sink, SinkError, Stamp};
use crate::plan::Plan;
use crate::record::Recorder;
use crate::waveform::Waveform;

/// What is kept of a soak beside its events.
pub(super) struct SoakKeeping {
    /// Decides on the traces; `None` where the profile keeps them all.
    keeper: Option<Keeper>,
    room: RoomWatch,
}

impl SoakKeeping {
    /// `keeper` decided on the traces of a run that is gone on with.
    pub(super) fn of(plan: &Plan, folder: &Path, (thinned, keeper): (bool, Option<Keeper>)) -> Option<Self> {
        let soak = plan.soak.as_ref()?;
        let keeps_all = plan.capture.is_some_and(|capture| capture.keep) && !thinned;
        let mut keeper =
            (!keeps_all).then(|| keeper.unwrap_or_else(|| Keeper::new(soak.evidence, plan.vout_nominal)));
        if let Some(keeper) = keeper.as_mut().filter(|_| thinned) {
            keeper.thin();
        }
        Some(Self { keeper, room: RoomWatch::new(folder.to_owned(), thinned) })
    }
}

/// The record first, then whoever looks on.
pub(super) struct Tee<'a> {
    pub(super) recorder: Recorder,
    /// What the record's time is ahead of the clock's.
    pub(super) shift: Duration,
    pub(super) tapes: Tapes,
    /// Of a soak: which traces are kept, and whether there is room.
    pub(super) soak: Option<SoakKeeping>,
    pub(super) stop: &'a StopWish,
    pub(super) view: &'a mut dyn Onlooker,
}

impl Tee<'_> {
    /// An event that tells times of its own, in the record's time.
    fn shifted_times(&self, event: &Event) -> Option<Event> {
        if self.shift.is_zero() {
            return None;
        }
        match event {
            Event::ReadingsTaken(readings) => {
                let mut readings = readings.clone();
                readings.rows.iter_mut().for_each(|row| row.at = row.at + self.shift);
                readings.judged = readings.judged.map(|judged| judged.later(self.shift));
                Some(Event::ReadingsTaken(readings))
            }
            Event::ReadingsJudged(judged) => Some(Event::ReadingsJudged(judged.clone().later(self.shift))),
            Event::GapFound(gap) => {
                let (from, to) = (gap.from + self.shift, gap.to + self.shift);
                Some(Event::GapFound(Gap { from, to, ..gap.clone() }))
            }
            Event::SensorFailed { role, what, withheld } if !withheld.is_empty() => {
                let withheld = withheld.clone().later(self.shift);
                Some(Event::SensorFailed { role: role.clone(), what: what.clone(), withheld })
            }
            _ => None,
        }
    }

    /// Writes the traces that are kept because of what happened, and looks whether there is room for more.
    fn keep_evidence(&mut self, at: Stamp, event: &Event) -> Result<(), SinkError> {
        let Some(soak) = &mut self.soak else { return Ok(()) };
        let captures = soak.keeper.as_mut().map(|keeper| keeper.judge(event)).unwrap_or_default();
        let lost = soak.keeper.as_mut().map_or(0, Keeper::take_lost);
        for Capture { point, why, mut traces } in captures {
            traces.iter_mut().for_each(|(taken, _)| taken.monotonic = at.monotonic);
            let kept = self.recorder.evidence(at, (point, why), &traces);
            kept.map_err(|error| SinkError(error.to_string()))?;
        }
        let shortage = matches!(event, Event::ReadingsTaken(_)).then(|| soak.room.look()).flatten();
        let lost = (lost > 0).then(|| {
            format!(
                "{lost} captures that should be kept around a breach are not: their traces were in the memory of the program \
                 that was cut off"
            )
        });
        let short = shortage.map(|shortage| match shortage {
            Shortage::Thin(what) => {
                if let Some(keeper) = &mut soak.keeper {
                    keeper.thin();
                }
                what
            }
            Shortage::End(what) => {
                self.stop.run_short(what.clone());
                what
            }
        });
        lost.into_iter().chain(short).try_for_each(|what| self.tell(at, &Event::Warned { what }))
    }

    /// Keeps an event whose times are those of the record, and shows it whether that went or not.
    fn tell(&mut self, at: Stamp, event: &Event) -> Result<(), SinkError> {
        let kept = self.recorder.event(at, event);
        self.view.event(at, event);
        kept
    }

    /// A gap whose times are those of the record.
    pub(super) fn tell_gap(&mut self, at: Stamp, gap: Gap) -> Result<(), SinkError> {
        self.tell(self.shifted(at), &Event::GapFound(gap))
    }

    fn shifted(&self, at: Stamp) -> Stamp {
        Stamp { monotonic: at.monotonic + self.shift, ..at }
    }
}

impl Sink for Tee<'_> {
    fn event(&mut self, at: Stamp, event: &Event) -> Result<(), SinkError> {
        let at = self.shifted(at);
        let shifted = self.shifted_times(event);
        let event = shifted.as_ref().unwrap_or(event);
        if !is_calm(event) {
            self.tapes.keep();
        }
        self.tell(at, event)?;
        self.keep_evidence(at, event)?;
        self.view.take_asides().iter().try_for_each(|aside| self.tell(at, aside))
    }
    fn waveform(&mut self, at: Stamp, point: PointId, waveform: &Waveform) -> Result<(), SinkError> {
        let at = self.shifted(at);
        match self.soak.as_mut().and_then(|soak| soak.keeper.as_mut()) {
            Some(keeper) if point != PointId::NONE => {
                keeper.take(at, waveform);
                Ok(())
            }
            _ => self.recorder.waveform(at, point, waveform),
        }
    }
    fn screen(&mut self, at: Stamp, point: PointId, png: &[u8]) -> Result<(), SinkError> {
        let at = self.shifted(at);
        self.recorder.screen(at, point, png)
    }
}
