//! Holding a setting and reading supply, load and thermometers at the soak's interval, under the interlocks' eyes.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Failure;
use super::act::{Shell, split};
use super::early::EarlyWatch;
use super::keeping::{Desk, Keeper};
use super::progress::LATE;
use super::watch::{TEMPERATURE_INTERVAL, wait};
use crate::base::clock::Instant;
use crate::base::span::render_span;
use crate::base::units::Celsius;
use crate::event::{
    BeforeStart, BrokenAt, DwellEnd, DwellId, Event, Limit, LimitBroken, Reading, ReadingsJudged, Region,
    Setting, StartCheck, StartId,
};
use crate::plan::PlannedDwell;
use crate::plan::remaining::behind_steady;
use crate::trend::{Criterion, On, Steadiness, SteadyJudge, Temperatures};
use crate::waveform::Unavailable;

impl Shell<'_> {
    pub(super) fn begin_phase(&mut self, phase: u16, round: u32) -> Result<(), Failure> {
        let names = self.plan.soak.as_ref().map(|soak| &soak.phases);
        let name = names.and_then(|names| names.get(usize::from(phase))).cloned().unwrap_or_default();
        // A point before it is kept before it.
        self.flush_pending()?;
        self.emit(&Event::PhaseStarted { phase, name, round })
    }

    /// Holds what is set until the dwell's time is over, or its criterion is met, or somebody wants to stop.
    pub(super) fn dwell(&mut self, id: DwellId) -> Result<(), Failure> {
        self.flush_pending()?;
        let unknown =
            || Failure::Internal(format!("the plan has a step for dwell {} but no such dwell", id.0));
        let soak = self.plan.soak.as_ref().ok_or_else(unknown)?;
        let dwell = *soak.dwell(id).ok_or_else(unknown)?;
        self.dwelling.begin(id);
        let clock = self.bench.clock.clone();
        let (watcher, _) = split(self.bench, &mut self.interlock, &*clock, self.stop);
        let desk = Desk {
            clock: &*clock,
            sink: &mut *self.sink,
            progress: &mut self.dwelling,
            timekeeping: &mut self.timekeeping,
        };
        let mut keeper = Keeper::new((id, false), (self.plan, soak.interval), watcher, desk);
        keeper.judged = Some(ReadingsJudged::new(id, dwell.setting));
        let mut dwelling = Dwelling {
            dwell,
            keeper,
            judge: dwell.until.map(|rule| match self.warming.take() {
                // It has watched since the first of the dwells that wait for the same.
                Some((next, judge)) if next == id => judge,
                _ => new_judge((rule, self.plan.interlocks.over_temperature), soak.interval),
            }),
            early: self.early.as_mut(),
            limits: &self.plan.limits,
            judged_from: self.changed + self.plan.settle.limit,
            is_unjudged: false,
            broken: &mut self.broken,
        };
        let outcome = dwelling.run();
        let outcome = dwelling.keeper.watcher.off_at_once(outcome);
        // What was read before something failed is kept, too.
        let kept = dwelling.keeper.keep();
        let judged = dwelling.keeper.judged.take();
        if let Some(told) = &judged {
            dwelling.keeper.progress.unconfirmed.end_dwell(told);
        }
        if let (Ok(Some(DwellEnd::Time)), Some(judge)) = (&outcome, dwelling.judge) {
            self.warming = Some((DwellId(id.0 + 1), judge));
        }
        let kept = kept.and_then(|()| self.keep_judged(judged));
        match (outcome, kept) {
            (Err(failure @ Failure::Record(_)), _) => Err(failure),
            (_, Err(failure)) => Err(failure),
            (Err(failure), Ok(())) => Err(failure),
            (Ok(None), Ok(())) => Ok(()),
            (Ok(Some(end)), Ok(())) => {
                let took = self.dwelling.finish(id);
                self.is_steady = end == DwellEnd::Steady;
                let behind = behind_steady(self.plan, id).filter(|_| self.is_steady);
                let left_out = behind.map_or(0, |(_, points)| points);
                self.tally.left_out = self.tally.left_out.saturating_add(left_out);
                let setting = dwell.is_on.then_some(dwell.setting);
                self.emit(&Event::DwellFinished { dwell: id, took, end, left_out, setting })
            }
        }
    }

    /// What came of the limits in the readings of a dwell, or of a part of it.
    fn keep_judged(&mut self, judged: Option<ReadingsJudged>) -> Result<(), Failure> {
        let Some(judged) = judged.filter(|judged| !judged.checks.is_empty()) else { return Ok(()) };
        self.tally.readings_judged += judged.judged();
        self.tally.readings_failed += judged.failed();
        self.emit(&Event::ReadingsJudged(judged))
    }

    /// Looks whether the answer is clear; with a clear one the soak ends.
    pub(super) fn look_early(&mut self, look: u32) -> Result<(), Failure> {
        // A capture before it belongs to what is judged.
        self.flush_pending()?;
        let Some(early) = &self.early else {
            let told = format!("the plan looks early, look {look}, but its profile does not allow that");
            return Err(Failure::Internal(told));
        };
        let looked = early.look(look, self.bench.clock.now());
        self.emit(&Event::LookedEarly(looked.clone()))?;
        if looked.ends() {
            self.ended_early = Some(looked);
        }
        Ok(())
    }

    /// Reads Vout before the input comes on: an output that still stands is none that starts.
    pub(super) fn look_before_start(&mut self, id: StartId) -> Result<(), Failure> {
        let clock = self.bench.clock.clone();
        let (mut watcher, _) = split(self.bench, &mut self.interlock, &*clock, self.stop);
        let (vout, _) = watcher.read_meters()?;
        let was_off = super::readings::region(vout, self.plan.vout_nominal) == Region::Off;
        self.before_start = Some((id, BeforeStart { vout_v: vout.value(), was_off }));
        Ok(())
    }

    /// Waits until Vout is in regulation, as long as a point may take to settle.
    pub(super) fn check_start(&mut self, id: StartId) -> Result<(), Failure> {
        self.flush_pending()?;
        let (rule, changed, nominal) = (self.plan.settle, self.changed, self.plan.vout_nominal);
        let clock = self.bench.clock.clone();
        let (mut watcher, _) = split(self.bench, &mut self.interlock, &*clock, self.stop);
        let (took, vout) = loop {
            let (vout, _) = watcher.read_meters()?;
            let took = clock.now().since(changed);
            if super::readings::region(vout, nominal) == Region::Regulated {
                break (Ok(took.as_secs_f64()), vout);
            }
            if took >= rule.limit {
                let told = format!("Vout was {vout} after {}", render_span(took));
                break (Err(Unavailable::because(told)), vout);
            }
            wait(&*clock, self.stop, rule.interval)?;
        };
        let started = took.is_ok();
        let starts = self.plan.soak.as_ref().map(|soak| &soak.starts);
        let place = usize::try_from(id.0).ok().and_then(|place| place.checked_sub(1));
        let setting = starts.zip(place).and_then(|(starts, place)| starts.get(place).copied());
        let setting = setting
            .ok_or_else(|| Failure::Internal(format!("the plan looks at start {} but has none", id.0)))?;
        let before = self.before_start.filter(|(known, _)| *known == id).map(|(_, before)| before);
        let check =
            StartCheck { start: id, setting, before, took_s: took, vout_v: Ok(vout.value()), started };
        self.tally.add_start(&check);
        self.emit(&Event::StartChecked(check))
    }
}

/// Whether an output may have gone off by itself: its value is far from what is set. What the outputs say is asked only then,
/// for a board that does not start draws nothing either.
fn looks_off(reading: &Reading, setting: Setting) -> bool {
    let is_low = |value: Option<f64>, set: f64| value.is_some_and(|value| value < 0.5 * set);
    is_low(reading.vin_v, setting.vin.value()) || is_low(reading.iout_a, setting.load.value())
}

/// A judge that has seen nothing; some criteria ask for the board's temperature limit.
fn new_judge((rule, limit): (Criterion, Option<Celsius>), interval: Duration) -> SteadyJudge {
    SteadyJudge::new(rule, On::Board, limit).averaging(rule.average_of(interval))
}

fn temperatures(reading: &Reading) -> Temperatures {
    Temperatures { board: reading.board_c.map(Celsius), ambient: reading.ambient_c.map(Celsius) }
}

/// A dwell being done.
struct Dwelling<'h, 'b> {
    dwell: PlannedDwell,
    /// Of a dwell that ends in thermal steady state.
    judge: Option<SteadyJudge>,
    keeper: Keeper<'h, 'b>,
    /// What is kept for the looks at an early end.
    early: Option<&'h mut EarlyWatch>,
    limits: &'h [Limit],
    /// Readings are held against the limits from here on, as a point is that has had its time to settle.
    judged_from: Instant,
    /// Whether some limit applies and no reading was late enough to be held against it.
    is_unjudged: bool,
    /// The limits whose first breach is told.
    broken: &'h mut BTreeSet<usize>,
}

impl Dwelling<'_, '_> {
    /// `None` where somebody wants to stop.
    fn run(&mut self) -> Result<Option<DwellEnd>, Failure> {
        let (clock, stop, id) = (self.keeper.clock, self.keeper.watcher.stop, self.dwell.id);
        let begun = clock.now();
        let before = self.keeper.progress.done(id);
        for tick in 1u32.. {
            if stop.asked().is_some() && !stop.is_now() {
                return Ok(None);
            }
            let reading = self.read((begun, before), true)?;
            if let Some(judge) = &mut self.judge
                && let Steadiness::Steady { .. } = judge.take(reading.at, temperatures(&reading))
            {
                return Ok(Some(DwellEnd::Steady));
            }
            let left = self.dwell.span.saturating_sub(before + clock.now().since(begun));
            let due = begun + self.keeper.interval * tick;
            // A reading that is late does not make the next ones late.
            let pause = due.since(clock.now()).min(left);
            if !self.watch_for(pause, (begun, before))? {
                return Ok(None);
            }
            if before + clock.now().since(begun) >= self.dwell.span {
                break;
            }
        }
        self.close((begun, before))?;
        self.keeper.progress.within = Some((id, self.dwell.span));
        let Some(judge) = self.judge.as_ref().filter(|_| !self.dwell.goes_on) else {
            return Ok(Some(DwellEnd::Time));
        };
        if let Steadiness::NotYet(shortfall) = judge.judge(clock.now()) {
            let what = format!("the board was not steady when its time was over: {shortfall}");
            self.keeper.tell(&Event::Warned { what })?;
        }
        Ok(Some(DwellEnd::NotSteady))
    }

    /// Reads once more when its time is over, where the readings so far came too early to be held against a limit, or where the last
    /// one is long ago: what is missing up to the end would be told nowhere.
    fn close(&mut self, since: (Instant, Duration)) -> Result<(), Failure> {
        let now = self.keeper.clock.now();
        let is_late = |last: Instant| now.since(last) > self.keeper.interval.mul_f64(LATE);
        if self.is_unjudged && now >= self.judged_from || self.keeper.progress.last.is_some_and(is_late) {
            self.read(since, true)?;
        }
        Ok(())
    }

    /// Waits for the next reading, whose time the interlocks do not wait for: they look as often as while the run is held.
    /// `false` where somebody wants to stop.
    fn watch_for(&mut self, pause: Duration, since: (Instant, Duration)) -> Result<bool, Failure> {
        let (clock, stop) = (self.keeper.clock, self.keeper.watcher.stop);
        let end = clock.now() + pause;
        loop {
            let left = end.since(clock.now());
            if left <= TEMPERATURE_INTERVAL {
                return wait(clock, stop, left).map(|()| true);
            }
            wait(clock, stop, TEMPERATURE_INTERVAL)?;
            if stop.asked().is_some() && !stop.is_now() {
                return Ok(false);
            }
            self.read(since, false)?;
        }
    }

    /// Reads everything in a dwell that was begun then, or gone on with, when so much of it was done. A reading that is not due
    /// is kept only where it ends the dwell: the record holds what the plan says.
    fn read(&mut self, (begun, before): (Instant, Duration), is_due: bool) -> Result<Reading, Failure> {
        let (reading, ruled) = self.keeper.read()?;
        let done = before + reading.at.since(begun);
        let may_be_off = ruled.is_ok() && self.dwell.is_on && looks_off(&reading, self.dwell.setting);
        let outputs = if may_be_off { self.keeper.watcher.check_outputs() } else { Ok(()) };
        let outputs = self.keeper.watcher.off_at_once(outputs);
        if !is_due && ruled.is_ok() && outputs.is_ok() {
            self.keeper.pass_over(&reading)?;
            self.keeper.progress.within = Some((self.dwell.id, done.min(self.dwell.span)));
            return Ok(reading);
        }
        self.take(&reading, done)?;
        // Whatever the board does with the outputs on is what the limits are for. What is kept was held against them.
        let broken = if outputs.is_ok() { self.hold_against_limits(&reading) } else { Vec::new() };
        let kept = if broken.is_empty() { self.keeper.keep_full() } else { self.keeper.keep() };
        kept?;
        outputs?;
        for broken in broken {
            self.keeper.tell(&Event::LimitBroken(broken))?;
        }
        ruled.map(|()| reading)
    }

    fn take(&mut self, reading: &Reading, done: Duration) -> Result<(), Failure> {
        self.keeper.take(reading)?;
        self.keeper.progress.within = Some((self.dwell.id, done.min(self.dwell.span)));
        if let Some(early) = &mut self.early {
            early.take(&self.dwell, reading);
        }
        Ok(())
    }

    /// The limits that this reading breaks for the first time in the run.
    fn hold_against_limits(&mut self, reading: &Reading) -> Vec<LimitBroken> {
        // What was judged by a value that stood still counts no more.
        if let Some(judged) = &mut self.keeper.judged {
            self.keeper.progress.unconfirmed.revise(judged);
        }
        let broken = self.judge(reading);
        if let Some(judged) = &self.keeper.judged {
            self.keeper.progress.unconfirmed.take_reading(reading, judged);
        }
        broken
    }

    fn judge(&mut self, reading: &Reading) -> Vec<LimitBroken> {
        if !self.dwell.is_on {
            return Vec::new();
        }
        if reading.at < self.judged_from {
            self.is_unjudged = self.limits.iter().any(|limit| {
                limit.condition.holds(self.dwell.setting) && reading.figure(limit.figure).is_some()
            });
            return Vec::new();
        }
        self.is_unjudged = false;
        let broken = self.keeper.judged.as_mut().map(|judged| judged.take(self.limits, reading));
        let first = broken.into_iter().flatten().filter(|(place, _)| self.broken.insert(*place));
        let (setting, at) = (self.dwell.setting, BrokenAt::Dwell(self.dwell.id));
        first
            .map(|(place, value)| LimitBroken::of((place, &self.limits[place]), value, setting, at))
            .collect()
    }
}
