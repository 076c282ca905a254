//! The state of a run as told by its events: a pure fold. What it does not know it lets pass, so that a new kind of event
//! changes nothing here until somebody wants to see it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::pace::{Expected, Pace};
use super::soak::SoakState;
use super::soak_screen;
use super::warnings::Warnings;
use crate::base::names::Role;
use crate::base::span::render_span;
use crate::base::units::{Celsius, with_prefix};
use crate::event::{
    AT_IT, BrokenAt, DEADMAN, Event, FigureName, LimitBroken, Outcome, PointId, PointResult, PointVerdict,
    RunEnd, RunFacts, SafeState, Setting, Stamp, Stop,
};

/// Remarks that are kept: the last ones.
const MOST_REMARKS: usize = 6;

/// What the run is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Its bench is being opened.
    #[default]
    Opening,
    /// Protections, wiring, noise floor: before the next point.
    Starting,
    /// The point's setting is applied and waited for.
    Settling,
    /// The point is being measured.
    Measuring,
    /// Between two points.
    Between,
    /// A soak holds a setting and reads.
    Holding,
    /// Tripped; the outputs go off.
    Tripped,
    /// The outputs were switched off, and the run has not ended yet.
    SwitchedOff,
    /// It is over.
    Ended,
}

impl Phase {
    /// The word in files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Starting => "starting",
            Self::Settling => "settling",
            Self::Measuring => "measuring",
            Self::Between => "between_points",
            Self::Holding => "holding",
            Self::Tripped => "tripped",
            Self::SwitchedOff => "switched_off",
            Self::Ended => "ended",
        }
    }
}

/// The point that is being measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Underway {
    /// Which.
    pub point: PointId,
    /// What is set.
    pub setting: Setting,
    /// From 1; more after a retry.
    pub attempt: u32,
    /// When it was begun.
    pub since: Stamp,
}

/// Something a person wants to know at once; said again and again it is one remark.
#[derive(Debug, Clone, PartialEq)]
pub struct Remark {
    /// What kind, in a word.
    pub word: &'static str,
    /// What.
    pub what: String,
    /// When it was first said.
    pub first: Stamp,
    /// When it was last said.
    pub last: Stamp,
    /// How often.
    pub count: u64,
}

/// How often things happened that a person should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Warnings.
    pub warned: u64,
    /// Actions that failed and were tried again.
    pub retried: u64,
    /// Sensors that stood still or fell silent.
    pub sensors_failed: u64,
    /// Interlocks that held the run.
    pub held: u64,
    /// Messages to people that did not go out.
    pub unsent: u64,
}

/// What is known of a run so far.
#[derive(Debug, Clone, Default)]
pub struct State {
    facts: Option<Box<RunFacts>>,
    last: Option<Stamp>,
    phase: Phase,
    underway: Option<Underway>,
    verdicts: BTreeMap<PointId, PointVerdict>,
    failures: BTreeMap<usize, u64>,
    /// Limits that a reading of a soak has broken.
    broken_in_readings: BTreeSet<usize>,
    result: Option<Box<PointResult>>,
    temperatures: BTreeMap<Role, (Stamp, Celsius)>,
    outputs: BTreeMap<Role, bool>,
    safe: Option<SafeState>,
    /// Since when a dead-man has said that it switches off, and when it did last; not yet how that ended.
    deadman: Option<(Stamp, Stamp)>,
    counts: Counts,
    remarks: VecDeque<Remark>,
    held: Option<(Stamp, String)>,
    tripped: Option<String>,
    stop: Option<Stop>,
    end: Option<(Stamp, RunEnd)>,
    pace: Pace,
    warnings: Warnings,
    soak: Option<Box<SoakState>>,
}

impl State {
    /// The state of a run whose plan expects it to take so long.
    #[must_use]
    pub fn expecting(expected: Expected) -> Self {
        let mut state = Self::default();
        state.foresee(expected);
        state
    }

    /// Says how long the plan expects the run to take, where that is known only now.
    pub fn foresee(&mut self, expected: Expected) {
        self.pace.foresee(expected);
    }

    /// Takes what happened.
    pub fn take(&mut self, at: Stamp, event: &Event) {
        self.last = Some(at);
        self.pace.take(at, event);
        self.take_remark(at, event);
        self.warnings.take(at, event, self.facts.as_deref());
        if let Some(soak) = &mut self.soak {
            soak.take(at, event, self.pace.phases());
        }
        match event {
            Event::RunStarted(facts) => {
                self.soak = facts.soak.clone().map(|soak| Box::new(SoakState::new(soak)));
                self.facts = Some(facts.clone());
            }
            Event::ProtectionSet { .. } | Event::WiringChecked { .. } | Event::NoiseFloorMeasured(_) => {
                self.phase = Phase::Starting;
            }
            Event::OutputSwitched { role, on } => {
                self.outputs.insert(role.clone(), *on);
                if *on {
                    self.safe = None;
                }
            }
            Event::PointStarted { point, setting, attempt } => {
                (self.phase, self.held) = (Phase::Settling, None);
                let (point, setting, attempt) = (*point, *setting, *attempt);
                self.underway = Some(Underway { point, setting, attempt, since: at });
            }
            Event::Settled { .. } => self.phase = Phase::Measuring,
            Event::PointFinished(result) => self.take_result(result),
            Event::PhaseStarted { .. } | Event::ReadingsTaken(_)
                if !matches!(self.phase, Phase::Tripped | Phase::SwitchedOff | Phase::Ended) =>
            {
                self.phase = Phase::Holding;
            }
            Event::LimitBroken(LimitBroken { limit, at: BrokenAt::Dwell(_), .. }) => {
                self.broken_in_readings.insert(*limit);
            }
            Event::InterlockHeld { what, .. } => self.held = Some((at, what.clone())),
            Event::InterlockReleased { .. } => self.held = None,
            Event::InterlockTripped { what } => {
                (self.phase, self.held) = (Phase::Tripped, None);
                self.tripped = Some(what.clone());
            }
            Event::StopRequested { stop } => self.stop = Some(*stop),
            Event::TemperatureRead { role, temperature } => {
                self.temperatures.insert(role.clone(), (at, *temperature));
            }
            Event::Warned { what } if what.starts_with(DEADMAN) => self.hear_deadman(at),
            Event::MadeSafe(safe) => {
                self.deadman = None;
                // Found after the end, it is still the end.
                let phase = if self.phase == Phase::Ended { Phase::Ended } else { Phase::SwitchedOff };
                (self.phase, self.held, self.underway) = (phase, None, None);
                self.safe = Some(safe.clone());
                if let Some((ended, end)) =
                    self.end.as_mut().filter(|(_, end)| !end.outputs_off_verified && safe.verified)
                {
                    end.reason = end.verified_later(*ended, at);
                    end.outputs_off_verified = true;
                }
                self.outputs.clear();
            }
            Event::RunResumed(_) => {
                // A hold that the run was cut off in is not known to go on: it is told again where it does.
                (self.phase, self.underway, self.held) = (Phase::Opening, None, None);
                (self.end, self.tripped, self.stop, self.deadman) = (None, None, None, None);
            }
            Event::RunFinished(end) => {
                (self.phase, self.underway) = (Phase::Ended, None);
                self.end = Some((at, end.clone()));
            }
            _ => {}
        }
    }

    fn hear_deadman(&mut self, at: Stamp) {
        let since = self.deadman.map_or(at, |(since, _)| since);
        self.deadman = Some((since, at));
    }

    fn take_result(&mut self, result: &PointResult) {
        // A capture interrupts the hold it belongs to; readings go on behind it.
        let next = if result.phase.is_some() { Phase::Holding } else { Phase::Between };
        (self.phase, self.underway) = (next, None);
        self.verdicts.insert(result.point, result.verdict);
        for check in &result.checks {
            if matches!(check.outcome, Outcome::Fail(_)) {
                *self.failures.entry(check.limit).or_default() += 1;
            }
        }
        self.result = Some(Box::new(result.clone()));
    }

    fn take_remark(&mut self, at: Stamp, event: &Event) {
        match event {
            Event::Warned { .. } => self.counts.warned += 1,
            Event::Retried { .. } => self.counts.retried += 1,
            Event::SensorFailed { .. } => self.counts.sensors_failed += 1,
            Event::InterlockHeld { .. } => self.counts.held += 1,
            Event::MessageUnsent(_) => self.counts.unsent += 1,
            _ => {}
        }
        let Some((word, what)) = remark(event) else { return };
        // What comes again and again, perhaps in turns with something else, pushes nothing out.
        // A dead-man who is still at it says so in other words each time: the last ones count.
        let is_at_it = |text: &str| text.starts_with(DEADMAN) && text.ends_with(AT_IT);
        let is_same = |known: &Remark| {
            known.what == what || is_at_it(&known.what) && is_at_it(what) && self.deadman.is_some()
        };
        if let Some(known) = self.remarks.iter_mut().find(|known| known.word == word && is_same(known)) {
            what.clone_into(&mut known.what);
            known.count += 1;
            known.last = at;
            return;
        }
        if self.remarks.len() == MOST_REMARKS {
            self.remarks.pop_front();
        }
        self.remarks.push_back(Remark { word, what: what.to_owned(), first: at, last: at, count: 1 });
    }

    /// The facts the run began with; `None` before it did.
    #[must_use]
    pub fn facts(&self) -> Option<&RunFacts> {
        self.facts.as_deref()
    }
    /// When the last event happened.
    #[must_use]
    pub const fn last(&self) -> Option<Stamp> {
        self.last
    }
    /// Since when a dead-man switches off and when it wrote last, where it has not said how that ended.
    #[must_use]
    pub const fn deadman(&self) -> Option<(Stamp, Stamp)> {
        self.deadman
    }
    /// What the run is at.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }
    /// The point that is being measured.
    #[must_use]
    pub const fn underway(&self) -> Option<&Underway> {
        self.underway.as_ref()
    }
    /// Points planned, but for those that are left out, and finished.
    #[must_use]
    pub fn points(&self) -> (u32, u32) {
        let left_out = self.soak().map_or(0, |soak| soak.counts().left_out);
        let planned = self.facts().map_or(0, |facts| facts.points_planned.saturating_sub(left_out));
        (planned, self.verdicts.len() as u32)
    }
    /// Finished points of a verdict.
    #[must_use]
    pub fn points_with(&self, verdict: PointVerdict) -> u32 {
        self.verdicts.values().filter(|found| **found == verdict).count() as u32
    }
    /// The limits that failed, and at how many points, in the profile's order.
    pub fn failing_limits(&self) -> impl Iterator<Item = (&str, u64)> {
        let name = |place: usize| self.facts()?.limits.get(place).map(|limit| limit.name.as_str());
        self.failures.iter().filter_map(move |(place, count)| Some((name(*place)?, *count)))
    }
    /// The limits that a reading of a soak has broken first, in the profile's order.
    pub fn limits_broken_in_readings(&self) -> impl Iterator<Item = &str> {
        let name = |place: &usize| self.facts()?.limits.get(*place).map(|limit| limit.name.as_str());
        self.broken_in_readings.iter().filter_map(name)
    }
    /// What a soak has of its own; `None` for a sweep.
    #[must_use]
    pub fn soak(&self) -> Option<&SoakState> {
        self.soak.as_deref()
    }
    /// How a run is expected to go, and how long it has lasted.
    #[must_use]
    pub const fn pace(&self) -> &Pace {
        &self.pace
    }
    /// The last finished point.
    #[must_use]
    pub fn result(&self) -> Option<&PointResult> {
        self.result.as_deref()
    }
    /// The last temperature of each sensor that is read beside the points.
    pub fn temperatures(&self) -> impl Iterator<Item = (&Role, Celsius)> {
        self.temperatures.iter().map(|(role, (_, temperature))| (role, *temperature))
    }
    /// Which outputs were last switched on or off by this run; none before the first and after all were made safe.
    #[must_use]
    pub const fn outputs(&self) -> &BTreeMap<Role, bool> {
        &self.outputs
    }
    /// How the outputs were found after switching off; `None` once one was switched on.
    #[must_use]
    pub const fn safe(&self) -> Option<&SafeState> {
        self.safe.as_ref()
    }
    /// How often things happened that a person should know.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }
    /// The last remarks, the oldest first.
    pub fn remarks(&self) -> impl Iterator<Item = &Remark> {
        self.remarks.iter()
    }
    /// What is wrong now, by the events.
    pub(super) const fn warnings(&self) -> &Warnings {
        &self.warnings
    }
    /// Which interlock holds the run, and since when.
    #[must_use]
    pub fn held(&self) -> Option<(Stamp, &str)> {
        self.held.as_ref().map(|(since, what)| (*since, what.as_str()))
    }
    /// What tripped.
    #[must_use]
    pub fn tripped(&self) -> Option<&str> {
        self.tripped.as_deref()
    }
    /// Which stop was asked for.
    #[must_use]
    pub const fn stop(&self) -> Option<Stop> {
        self.stop
    }
    /// How it ended.
    #[must_use]
    pub fn end(&self) -> Option<&RunEnd> {
        self.end.as_ref().map(|(_, end)| end)
    }
    /// Whether the bench is open and the run does what it was begun for.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        !matches!(self.phase, Phase::Opening | Phase::SwitchedOff | Phase::Ended)
    }
    /// Time left; `None` where nothing tells it.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        match &self.soak {
            _ if self.end.is_some() => Some(Duration::ZERO),
            Some(soak) => {
                let points = self.pace.points_time_left(soak.facts().dwells_last)?;
                Some(soak.dwells_left()? + points)
            }
            None => self.pace.time_left(),
        }
    }

    /// Time that warming the board up again still takes at most, before the run is where it was; `None` where nobody knows whether it comes.
    #[must_use]
    pub fn rewarm_left(&self) -> Option<Duration> {
        let soak = self.soak.as_ref().filter(|soak| soak.is_resuming() && self.end.is_none());
        soak.map_or(Some(Duration::ZERO), |soak| soak.rewarm_left(self.pace.rewarm()))
    }

    /// One line: where the run is, what it last saw, what is left.
    #[must_use]
    pub fn line(&self) -> String {
        let mut parts = Vec::new();
        if let Some(soak) = self.soak() {
            parts.extend(soak_screen::parts(soak));
        } else if let Some(result) = self.result() {
            parts.push(format!("{} {}", result.setting.vin, result.setting.load));
            let shown = [
                ("Vout", FigureName::Vout),
                ("ripple", FigureName::RipplePp),
                ("spike", FigureName::SpikePos),
            ];
            let shown: Vec<String> = shown
                .into_iter()
                .filter_map(|(title, name)| {
                    let value = result.figures.value(name)?;
                    Some(format!("{title} {}", with_prefix(value, name.unit())))
                })
                .collect();
            if !shown.is_empty() {
                parts.push(shown.join(", "));
            }
        }
        let failed = self.points_with(PointVerdict::Fail);
        if failed > 0 {
            parts.push(format!("{failed} failed"));
        }
        if let Some((_, what)) = self.held() {
            parts.push(format!("held: {what}"));
        }
        parts.push(match (self.end(), self.time_left()) {
            (Some(end), _) => format!("ended: {}, {}", end.verdict, end.reason),
            (None, Some(left)) => format!("{} left", render_span(left)),
            (None, None) => "time left not known yet".to_owned(),
        });
        parts.join(" | ")
    }
}

/// What a person wants to know at once: its kind in a word, and what happened.
#[must_use]
pub fn remark(event: &Event) -> Option<(&'static str, &str)> {
    match event {
        Event::Warned { what } => Some(("warning", what)),
        Event::LimitBroken(broken) => Some(("limit", &broken.what)),
        Event::LookedEarly(look) => Some((if look.ends() { "ended early" } else { "goes on" }, &look.what)),
        Event::RunResumed(resumed) => Some(("resumed", &resumed.what)),
        Event::Retried { what, .. } => Some(("trouble", what)),
        Event::SensorFailed { what, .. } => Some(("sensor", what)),
        Event::InterlockHeld { what, .. } => Some(("held", what)),
        Event::InterlockReleased { what, .. } => Some(("released", what)),
        Event::InterlockTripped { what } => Some(("TRIPPED", what)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Instant;
    use crate::base::units::{Amps, Volts};
    use crate::event::{Region, Regulation, Resumed};

    fn at(seconds: u64) -> Stamp {
        Stamp { utc: jiff::Timestamp::UNIX_EPOCH, monotonic: Instant(seconds * 1_000_000_000) }
    }

    fn setting() -> Setting {
        Setting { vin: Volts(24.0), load: Amps(0.5) }
    }

    fn finished(point: u32, verdict: PointVerdict) -> Event {
        Event::PointFinished(Box::new(PointResult {
            point: PointId(point),
            repeat: 1,
            phase: None,
            setting: setting(),
            figures: [(FigureName::Vout, Ok(4.997)), (FigureName::SpikePos, Ok(0.021))].into_iter().collect(),
            bounds: BTreeMap::new(),
            region: Region::Regulated,
            regulation: Ok(Regulation::ConstantVoltage),
            checks: Vec::new(),
            verdict,
            notes: Vec::new(),
        }))
    }

    fn warned(what: &str) -> Event {
        Event::Warned { what: what.to_owned() }
    }

    #[test]
    fn the_line_tells_where_the_run_is_and_what_is_left() {
        let seconds = Duration::from_secs;
        let mut state =
            State::expecting(Expected { whole: seconds(100), start: seconds(50), ..Expected::default() });
        state.take(at(0), &warned("nothing yet"));
        assert_eq!(state.line(), "1 min 40 s left");
        state.take(at(0), &Event::PointStarted { point: PointId(1), setting: setting(), attempt: 1 });
        for point in 1..=4 {
            state.take(at(u64::from(point) * 5), &finished(point, PointVerdict::Fail));
        }
        assert!(state.line().starts_with("24 V 500 mA | Vout 4.997 V, spike 21 mV | 4 failed | "));
        assert_eq!(state.points(), (0, 4));
    }

    #[test]
    fn a_remark_that_comes_again_is_counted_and_pushes_no_other_out() {
        let mut state = State::default();
        for second in 0..1000 {
            state.take(at(second), &warned(if second % 2 == 0 { "disk is slow" } else { "fan is slow" }));
        }
        for number in 0..4 {
            state.take(at(2000), &warned(&format!("once {number}")));
        }
        let told: Vec<String> =
            state.remarks().map(|remark| format!("{} ({})", remark.what, remark.count)).collect();
        assert_eq!(
            told,
            [
                "disk is slow (500)",
                "fan is slow (500)",
                "once 0 (1)",
                "once 1 (1)",
                "once 2 (1)",
                "once 3 (1)"
            ]
        );
        assert_eq!(state.counts().warned, 1004);
        for number in 0..100 {
            state.take(at(3000), &warned(&format!("new {number}")));
        }
        assert_eq!(state.remarks().count(), MOST_REMARKS);
    }

    #[test]
    fn a_hold_that_a_run_was_cut_off_in_does_not_stand_in_the_resumed_run() {
        let mut state = State::default();
        state.take(at(1), &Event::InterlockHeld { what: "board at 90 °C".to_owned(), load: None });
        assert!(state.held().is_some());
        let resumed = Resumed { gap: None, points_finished: 0, what: "it was cut off".to_owned() };
        state.take(at(2), &Event::RunResumed(resumed));
        assert_eq!(state.held(), None);
    }

    #[test]
    fn the_phase_follows_the_events() {
        let role: Role = "source".parse().unwrap();
        let safe = SafeState {
            load_off: true,
            supply_off: true,
            vout_v: Ok(0.01),
            verified: true,
            attempts: 1,
            failures: Vec::new(),
        };
        let held = || Event::InterlockHeld { what: "board at 90 °C".to_owned(), load: None };
        let mut state = State::default();
        let mut told = Vec::new();
        for event in [
            Event::WiringChecked { findings: Vec::new() },
            Event::OutputSwitched { role: role.clone(), on: true },
            Event::PointStarted { point: PointId(1), setting: setting(), attempt: 1 },
            held(),
            Event::InterlockReleased {
                what: "board at 70 °C".to_owned(),
                held: Duration::from_secs(5),
                load: None,
            },
            Event::Settled { point: PointId(1), took: Duration::from_secs(1), settled: true },
            finished(1, PointVerdict::Pass),
            held(),
            Event::InterlockTripped { what: "board at 110 °C".to_owned() },
            Event::MadeSafe(safe),
        ] {
            state.take(at(1), &event);
            let on = state.outputs().get(&role).map_or("-", |on| if *on { "on" } else { "off" });
            let (held, safe) = (state.held().is_some(), state.safe().is_some_and(|safe| safe.verified));
            told.push(format!("{} {on} held={held} safe={safe}", state.phase().word()));
        }
        insta::assert_snapshot!(told.join("\n"), @r"
        starting - held=false safe=false
        starting on held=false safe=false
        settling on held=false safe=false
        settling on held=true safe=false
        settling on held=false safe=false
        measuring on held=false safe=false
        between_points on held=false safe=false
        between_points on held=true safe=false
        tripped on held=false safe=false
        switched_off - held=false safe=true
        ");
    }
}
