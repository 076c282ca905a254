//! Holding a setting and reading supply, load and thermometers at the soak's interval, under the interlocks' eyes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::act::{Shell, split};
use super::early::EarlyWatch;
use super::timekeeping::{Jumps, Look, Timekeeping};
use super::watch::{Watcher, wait};
use super::{Failure, stamp};
use crate::base::clock::{Clock, Instant};
use crate::base::names::Role;
use crate::base::span::render_span;
use crate::base::units::Celsius;
use crate::event::{
    BrokenAt, DwellEnd, DwellId, Event, Gap, GapCause, Limit, LimitBroken, Reading, Readings, ReadingsJudged,
    Region, Setting, Sink, Stamp, StartCheck, StartId,
};
use crate::plan::PlannedDwell;
use crate::trend::{On, Steadiness, SteadyJudge, Temperatures};
use crate::waveform::Unavailable;

/// Readings that are kept together: what a crash may cost is a minute at a reading a second.
const BATCH: usize = 60;
/// Longest time until readings are kept, however slow they are.
const BATCH_SPAN: Duration = Duration::from_secs(60);
/// Readings after which a failure is another trouble and not the last one going on.
const GONE_WELL: u32 = 10;
/// How long a sensor that does not answer is left in peace at first.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest for one that the interlocks need.
const NEEDED_PAUSE: Duration = Duration::from_secs(10);
/// The longest for one that they do not need.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How far the present dwell came, and what is known of a pause in it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The dwell, and how much of it is done.
    within: Option<(DwellId, Duration)>,
    /// What a run that was cut off had done of a dwell, until that dwell is gone on with.
    earlier: Option<(DwellId, Duration)>,
    /// The last reading of that dwell.
    last: Option<Instant>,
    /// Since when readings were due again after the last dwell, until the next reading: what is lost between two dwells is a
    /// gap where something was wrong there, and the plan's own doing where nothing was.
    between: Option<Instant>,
    /// Why there was none since.
    pub(super) trouble: Option<(GapCause, String)>,
    /// Sensors that do not answer: told once, and asked less and less often.
    silent: BTreeMap<Role, Silence>,
    /// Readings since the last failure.
    good: u32,
    /// The instrument that was waited for longest before the last reading.
    waited: Option<(Role, Duration)>,
}

/// A sensor that does not answer.
#[derive(Debug, Clone, Copy)]
struct Silence {
    since: Instant,
    /// When it is asked again: waiting for it would make every reading late.
    next: Instant,
    pause: Duration,
}

impl Silence {
    /// It did not answer at `at`, perhaps again.
    fn again(before: Option<Self>, at: Instant, longest: Duration) -> Self {
        let (since, pause) = before.map_or((at, FIRST_PAUSE), |before| (before.since, before.pause * 2));
        let pause = pause.min(longest);
        Self { since, next: at + pause, pause }
    }
}

impl Progress {
    /// What a run that is gone on with had done of its dwell. Its bench is made ready first, which leaves a gap, also where it
    /// was cut off between two dwells.
    pub(super) fn resumed(earlier: Option<(DwellId, Duration)>, now: Instant) -> Self {
        let trouble = Some((GapCause::Controller, "the bench was made ready again".to_owned()));
        Self { earlier, last: earlier.map(|_| now), between: Some(now), trouble, ..Self::default() }
    }

    /// A point begins: no reading is due until it is over. The gap before it, where something was wrong.
    pub(super) fn begin_point(&mut self, at: Instant, interval: Duration) -> Option<Gap> {
        let gap = self.gap_before(at, interval, Duration::ZERO);
        self.trouble = None;
        gap
    }

    /// A point was measured: what went wrong within it has cost no reading.
    pub(super) fn finish_point(&mut self, at: Instant) {
        (self.between, self.trouble) = (Some(at), None);
    }

    /// Whether enough was read since the last failure to call the next one another trouble; counts anew from now on.
    pub(super) fn take_has_gone_well(&mut self) -> bool {
        std::mem::take(&mut self.good) >= GONE_WELL
    }

    /// The dwell that is being done, and how much of it is done.
    pub(super) const fn within(&self) -> Option<(DwellId, Duration)> {
        self.within
    }

    /// The dwell that is done from now on, or again after a failure.
    fn begin(&mut self, id: DwellId) {
        if self.within.is_some_and(|(known, _)| known == id) {
            return;
        }
        let earlier = self.earlier.take_if(|(known, _)| *known == id);
        self.within = Some(earlier.unwrap_or((id, Duration::ZERO)));
        if self.last.is_none() && self.between.is_none() {
            self.trouble = None;
        }
    }

    /// The dwell has come to its end. What comes next has no reading before it, unless the board was only warmed up for it.
    fn finish(&mut self, id: DwellId) -> Duration {
        let took = self.done(id);
        self.within = None;
        if id != DwellId::WARMING || self.earlier.is_none() {
            self.between = self.last.take();
        }
        took
    }

    fn done(&self, id: DwellId) -> Duration {
        self.within.filter(|(known, _)| *known == id).map_or(Duration::ZERO, |(_, done)| done)
    }

    /// The gap before a reading, if it came later than the interval lets it.
    fn gap_before(&mut self, at: Instant, interval: Duration, slept: Duration) -> Option<Gap> {
        let waited = self.waited.take();
        let mut trouble = self.trouble.take();
        let between = self.between.take().filter(|_| trouble.is_some() || !slept.is_zero());
        let from = self.last.or(between)?;
        let late = at.since(from) + slept;
        if late <= interval.mul_f64(1.5) {
            return None;
        }
        if !slept.is_zero() {
            let told = format!("the controller's machine slept for {}", render_span(slept));
            trouble = Some((GapCause::Sleep, told));
        }
        let missed = (late.as_secs_f64() / interval.as_secs_f64()).round() as u64;
        let (cause, what) = trouble.unwrap_or_else(|| self.why_late(late, interval, waited.as_ref()));
        Some(Gap { from, to: at, missed: missed.saturating_sub(1).max(1), cause, what })
    }

    /// Why a reading is late although nothing failed: an answer that came in time, but slowly, makes up most of it; or else
    /// it is the controller's own doing.
    fn why_late(
        &self,
        late: Duration,
        interval: Duration,
        waited: Option<&(Role, Duration)>,
    ) -> (GapCause, String) {
        if let Some(role) = self.silent.keys().next() {
            let told = format!("the thermometer {role} was waited for, which does not answer");
            return (GapCause::Instrument, told);
        }
        let over = late.saturating_sub(interval);
        if let Some((role, span)) = waited.filter(|(_, span)| *span * 2 >= over) {
            let told = format!("{role} was waited for, whose answer took {}", render_span(*span));
            return (GapCause::Instrument, told);
        }
        let told =
            format!("the reading before it took {} instead of {}", render_span(late), render_span(interval));
        (GapCause::Controller, told)
    }

    /// A sensor that is silent is told once, and once more when it answers again.
    fn sort(
        &mut self,
        outbox: Vec<(Stamp, Event)>,
        reading: &Reading,
        (now, longest): (Stamp, Duration),
    ) -> Vec<(Stamp, Event)> {
        let mut told = Vec::new();
        for (at, event) in outbox {
            match &event {
                Event::SensorFailed { role, .. } => {
                    let longest = if role.as_str() == "board" { longest } else { LONGEST_PAUSE };
                    let before = self.silent.get(role).copied();
                    self.silent.insert(role.clone(), Silence::again(before, at.monotonic, longest));
                    if before.is_none() {
                        told.push((at, event));
                    }
                }
                _ => told.push((at, event)),
            }
        }
        let answers = |role: &Role| match role.as_str() {
            "board" => reading.board_c.is_some(),
            _ => reading.ambient_c.is_some(),
        };
        let back: Vec<Role> = self.silent.keys().filter(|role| answers(role)).cloned().collect();
        for role in back {
            if let Some(silence) = self.silent.remove(&role) {
                let span = render_span(now.monotonic.since(silence.since));
                let what = format!("the thermometer {role} answers again after {span}");
                told.push((now, Event::Warned { what }));
            }
        }
        told
    }
}

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
        let lost_reading = self.plan.interlocks.lost_reading;
        let (watcher, _) = split(self.bench, &mut self.interlock, &*clock, self.stop);
        let mut hold = Hold {
            dwell,
            interval: soak.interval,
            limit: self.plan.interlocks.over_temperature,
            watcher,
            clock: &*clock,
            sink: &mut *self.sink,
            progress: &mut self.dwelling,
            early: self.early.as_mut(),
            timekeeping: &mut self.timekeeping,
            longest_silence: (lost_reading / 6).min(NEEDED_PAUSE),
            rows: Vec::with_capacity(BATCH),
            limits: &self.plan.limits,
            judged_from: self.changed + self.plan.settle.limit,
            judged: ReadingsJudged::new(id, dwell.setting),
            broken: &mut self.broken,
        };
        let outcome = hold.run();
        // What was read before something failed is kept, too.
        let kept = hold.keep();
        let judged = hold.judged;
        let kept = kept.and_then(|()| self.keep_judged(judged));
        match (outcome, kept) {
            (Err(failure @ Failure::Record(_)), _) => Err(failure),
            (_, Err(failure)) => Err(failure),
            (Err(failure), Ok(())) => Err(failure),
            (Ok(None), Ok(())) => Ok(()),
            (Ok(Some(end)), Ok(())) => {
                let took = self.dwelling.finish(id);
                self.emit(&Event::DwellFinished { dwell: id, took, end })
            }
        }
    }

    /// What came of the limits in the readings of a dwell, or of a part of it.
    fn keep_judged(&mut self, judged: ReadingsJudged) -> Result<(), Failure> {
        if judged.checks.is_empty() {
            return Ok(());
        }
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
        let check = StartCheck { start: id, setting, took_s: took, vout_v: Ok(vout.value()), started };
        self.emit(&Event::StartChecked(check))?;
        self.tally.add_start(started);
        Ok(())
    }
}

/// Whether an output may have gone off by itself: its value is far from what is set. What the outputs say is asked only then,
/// for a board that does not start draws nothing either.
fn looks_off(reading: &Reading, setting: Setting) -> bool {
    let is_low = |value: Option<f64>, set: f64| value.is_some_and(|value| value < 0.5 * set);
    is_low(reading.vin_v, setting.vin.value()) || is_low(reading.iout_a, setting.load.value())
}

fn temperatures(reading: &Reading) -> Temperatures {
    Temperatures { board: reading.board_c.map(Celsius), ambient: reading.ambient_c.map(Celsius) }
}

/// A dwell being done.
struct Hold<'h, 'b> {
    dwell: PlannedDwell,
    interval: Duration,
    /// The board's temperature limit, which some criteria ask for.
    limit: Option<Celsius>,
    watcher: Watcher<'b>,
    clock: &'h dyn Clock,
    sink: &'h mut dyn Sink,
    progress: &'h mut Progress,
    /// What is kept for the looks at an early end.
    early: Option<&'h mut EarlyWatch>,
    timekeeping: &'h mut Timekeeping,
    /// How long a thermometer that the interlocks need is left in peace at most.
    longest_silence: Duration,
    rows: Vec<Reading>,
    limits: &'h [Limit],
    /// Readings are held against the limits from here on, as a point is that has had its time to settle.
    judged_from: Instant,
    judged: ReadingsJudged,
    /// The limits whose first breach is told.
    broken: &'h mut BTreeSet<usize>,
}

impl Hold<'_, '_> {
    /// `None` where somebody wants to stop.
    fn run(&mut self) -> Result<Option<DwellEnd>, Failure> {
        let begun = self.clock.now();
        let before = self.progress.done(self.dwell.id);
        let mut steady = self.judge();
        for tick in 1u32.. {
            if self.watcher.stop.asked().is_some() && !self.watcher.stop.is_now() {
                return Ok(None);
            }
            let (silent, now) = (&self.progress.silent, self.clock.now());
            let is_resting = |role: &Role| silent.get(role).is_some_and(|silence| now < silence.next);
            let reading = self.watcher.take_reading(&is_resting)?;
            self.take(&reading, before + reading.at.since(begun))?;
            if self.dwell.is_on && looks_off(&reading, self.dwell.setting) {
                self.watcher.check_outputs()?;
            }
            self.hold_against_limits(&reading)?;
            if let Some(judge) = &mut steady
                && let Steadiness::Steady { .. } = judge.take(reading.at, temperatures(&reading))
            {
                return Ok(Some(DwellEnd::Steady));
            }
            let left = self.dwell.span.saturating_sub(before + self.clock.now().since(begun));
            let due = begun + self.interval * tick;
            // A reading that is late does not make the next ones late.
            let pause = due.since(self.clock.now()).min(left);
            wait(self.clock, self.watcher.stop, pause)?;
            if before + self.clock.now().since(begun) >= self.dwell.span {
                break;
            }
        }
        self.progress.within = Some((self.dwell.id, self.dwell.span));
        let Some(judge) = steady else { return Ok(Some(DwellEnd::Time)) };
        if let Steadiness::NotYet(shortfall) = judge.judge(self.clock.now()) {
            let what = format!("the board was not steady when its time was over: {shortfall}");
            self.sink.event(stamp(self.clock), &Event::Warned { what }).map_err(Failure::Record)?;
        }
        Ok(Some(DwellEnd::NotSteady))
    }

    /// The judge of thermal steady state. Two readings go into each average, so that one that is late is no gap.
    fn judge(&self) -> Option<SteadyJudge> {
        let criterion = self.dwell.until?;
        let average = criterion.usual_average().max(self.interval * 2);
        Some(SteadyJudge::new(criterion, On::Board, self.limit).averaging(average))
    }

    fn take(&mut self, reading: &Reading, done: Duration) -> Result<(), Failure> {
        let outbox = std::mem::take(&mut self.watcher.outbox);
        let jumps = Look::at(self.clock).map_or_else(Jumps::default, |look| self.timekeeping.judge(look));
        if let Some(by_s) = jumps.stepped_s {
            let event = Event::ClockStepped { by_s };
            self.sink.event(stamp(self.clock), &event).map_err(Failure::Record)?;
        }
        // What made this reading late was waited for before it: a sensor that answers again now still was silent then.
        self.progress.waited = self.watcher.waits.take_before_reading();
        let gap = self.progress.gap_before(reading.at, self.interval, jumps.slept);
        let around = (stamp(self.clock), self.longest_silence);
        for (at, event) in self.progress.sort(outbox, reading, around) {
            self.sink.event(at, &event).map_err(Failure::Record)?;
        }
        if let Some(gap) = gap {
            self.keep()?;
            self.sink.event(stamp(self.clock), &Event::GapFound(gap)).map_err(Failure::Record)?;
        }
        self.progress.last = Some(reading.at);
        self.progress.good = self.progress.good.saturating_add(1);
        self.progress.within = Some((self.dwell.id, done.min(self.dwell.span)));
        if let Some(early) = &mut self.early {
            early.take(&self.dwell, reading);
        }
        self.rows.push(*reading);
        let since = self.rows.first().map_or(Duration::ZERO, |first| reading.at.since(first.at));
        if self.rows.len() >= BATCH || since >= BATCH_SPAN { self.keep() } else { Ok(()) }
    }

    /// The outputs are on, or this is not reached: whatever the board does then is what the limits are for.
    fn hold_against_limits(&mut self, reading: &Reading) -> Result<(), Failure> {
        if !self.dwell.is_on || reading.at < self.judged_from {
            return Ok(());
        }
        for (place, value) in self.judged.take(self.limits, reading) {
            if self.broken.insert(place) {
                // The reading that broke it is kept before it.
                self.keep()?;
                let (setting, at) = (self.dwell.setting, BrokenAt::Dwell(self.dwell.id));
                let broken = LimitBroken::of((place, &self.limits[place]), value, setting, at);
                let event = Event::LimitBroken(broken);
                self.sink.event(stamp(self.clock), &event).map_err(Failure::Record)?;
            }
        }
        Ok(())
    }

    fn keep(&mut self) -> Result<(), Failure> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::replace(&mut self.rows, Vec::with_capacity(BATCH));
        let done = self.progress.done(self.dwell.id);
        let readings = Readings { dwell: self.dwell.id, done, rows };
        let event = Event::ReadingsTaken(Box::new(readings));
        self.sink.event(stamp(self.clock), &event).map_err(Failure::Record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1_000_000_000)
    }

    fn told(gap: Option<Gap>) -> Option<(u64, u64, u64, GapCause)> {
        gap.map(|gap| (gap.from.0 / 1_000_000_000, gap.to.0 / 1_000_000_000, gap.missed, gap.cause))
    }

    #[test]
    fn a_run_that_was_cut_off_between_two_dwells_tells_what_was_lost_until_its_next_reading_or_point() {
        let mut resumed = Progress::resumed(None, at(100));
        resumed.begin(DwellId(3));
        let gap = resumed.gap_before(at(107), INTERVAL, Duration::ZERO);
        assert_eq!(told(gap), Some((100, 107, 6, GapCause::Controller)));
        resumed.last = Some(at(107));
        assert_eq!(resumed.gap_before(at(108), INTERVAL, Duration::ZERO), None, "told once");
        let mut resumed = Progress::resumed(None, at(100));
        let gap = resumed.begin_point(at(104), INTERVAL);
        assert_eq!(told(gap), Some((100, 104, 3, GapCause::Controller)));
        resumed.finish_point(at(110));
        resumed.begin(DwellId(3));
        assert_eq!(resumed.gap_before(at(113), INTERVAL, Duration::ZERO), None, "a point is no gap");
    }

    #[test]
    fn between_two_dwells_only_trouble_and_sleep_cost_readings() {
        let trouble = || Some((GapCause::Instrument, "the load did not answer".to_owned()));
        let table = [
            (None, Duration::ZERO, None),
            (trouble(), Duration::ZERO, Some((10, 15, 4, GapCause::Instrument))),
            (None, Duration::from_secs(60), Some((10, 15, 64, GapCause::Sleep))),
        ];
        for (trouble, slept, expected) in table {
            let mut progress = Progress::default();
            progress.begin(DwellId(1));
            progress.last = Some(at(10));
            progress.finish(DwellId(1));
            progress.trouble = trouble;
            progress.begin(DwellId(2));
            assert_eq!(told(progress.gap_before(at(15), INTERVAL, slept)), expected);
        }
    }
}
