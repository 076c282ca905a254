//! The course of a soak: legs, captures and sweeps put in order as steps. Pure.

use std::time::Duration;

use super::order::arrange;
use super::profile::Profile;
use super::profile::soak::{EarlyStop, Pattern, Soak};
use super::soak::{Leg, LegKind, MOST_DWELLS, PlannedDwell, PlannedEarly, SoakPlan, legs};
use super::step::{PlannedPoint, Step};
use crate::base::units::{Amps, Volts};
use crate::event::{DwellId, PointId, Setting, StartId};
use crate::trend::Criterion;

/// Most points of a soak, sweeps and captures together.
const MOST_POINTS: usize = 100_000;

/// How long a capture takes at most with what is done around it, on a slow scope.
const LONGEST_CAPTURE: Duration = Duration::from_secs(60);

/// What a soak comes to.
pub(super) struct Course {
    pub(super) steps: Vec<Step>,
    pub(super) points: Vec<PlannedPoint>,
    pub(super) soak: SoakPlan,
}

/// The course of the soak behind the steps that make the bench ready, or why there is none.
pub(super) fn build_course(profile: &Profile, soak: &Soak, ready: Vec<Step>) -> Result<Course, String> {
    let too_long = || format!("these are more than {MOST_DWELLS} settings held one after the other");
    let legs = legs(soak).ok_or_else(too_long)?;
    let mut layer = Layer {
        profile,
        soak,
        legs: &legs,
        course: Course { steps: ready, points: Vec::new(), soak: soak_plan(soak) },
        set: Setting { vin: Volts(0.0), load: Amps(0.0) },
        is_on: false,
        since_capture: Duration::ZERO,
        since_sweep: Duration::ZERO,
        has_swept_warm: false,
        looked: 0,
    };
    layer.sweep();
    let mut phase = None;
    for (place, leg) in layer.legs.iter().enumerate() {
        if phase != Some((leg.phase, leg.round)) {
            phase = Some((leg.phase, leg.round));
            layer.course.steps.push(Step::BeginPhase { phase: leg.phase, round: leg.round });
        }
        layer.leg(leg);
        // What the sweep at the end is compared with: a board that is as warm.
        if leg.until.is_some() && !layer.has_swept_warm && place + 1 < legs.len() {
            layer.has_swept_warm = true;
            layer.sweep();
        }
        if layer.course.soak.dwells.len() > MOST_DWELLS {
            return Err(too_long());
        }
        if layer.course.points.len() > MOST_POINTS {
            return Err(format!("sweeps and captures come to more than {MOST_POINTS} points"));
        }
    }
    if !layer.since_sweep.is_zero() {
        layer.sweep();
    }
    layer.switch_off();
    Ok(layer.course)
}

fn soak_plan(soak: &Soak) -> SoakPlan {
    let warm = soak.phases.iter().find_map(|phase| match phase.pattern {
        Pattern::Hold { until, .. } => until,
        _ => None,
    });
    SoakPlan {
        interval: soak.readings,
        phases: soak.phases.iter().map(|phase| phase.name.clone()).collect(),
        rewarm_after: soak.rewarm_after,
        warm,
        warming: None,
        dwells: Vec::new(),
        starts: Vec::new(),
        sweeps: 0,
        capture_every: soak.capture_every,
        evidence: soak.evidence,
        early: early(soak),
    }
}

/// The looks of the phase that may end early; it is a hold, at one setting.
fn early(soak: &Soak) -> Option<PlannedEarly> {
    let (place, phase) = soak.phases.iter().enumerate().find(|(_, phase)| phase.early_stop.is_some())?;
    let (rule, Pattern::Hold { lasts, .. }) = (phase.early_stop?, phase.pattern) else { return None };
    let setting = Setting { vin: *phase.vin.first()?, load: *phase.load.first()? };
    let EarlyStop { looks, confidence } = rule;
    Some(PlannedEarly { phase: u16::try_from(place).ok()?, setting, lasts, looks, confidence })
}

/// Whether a capture may come between the readings that a criterion is judged by: what was not seen for longer than two of its
/// averages was not steady.
pub(super) fn has_room(rule: Criterion, readings: Duration) -> bool {
    rule.average_of(readings) * 2 >= LONGEST_CAPTURE
}

struct Layer<'a> {
    profile: &'a Profile,
    soak: &'a Soak,
    legs: &'a [Leg],
    course: Course,
    set: Setting,
    is_on: bool,
    since_capture: Duration,
    since_sweep: Duration,
    /// Whether the sweep behind the first warming up is planned.
    has_swept_warm: bool,
    /// Looks at whether the answer is clear so far.
    looked: u32,
}

impl Layer<'_> {
    fn push(&mut self, step: Step) {
        self.course.steps.push(step);
    }

    fn leg(&mut self, leg: &Leg) {
        match leg.kind {
            LegKind::Off => self.switch_off(),
            LegKind::Held => self.set(leg.setting),
            LegKind::Start => {
                self.switch_off();
                self.start(leg.setting);
            }
        }
        // What has become due while nothing could come between.
        self.do_what_is_due(leg);
        let mut left = leg.span;
        while !left.is_zero() {
            let look = self.next_look(leg).map_or(Duration::MAX, |due| due.saturating_sub(leg.span - left));
            let chunk = left.min(self.next_due(leg)).min(look);
            left -= chunk;
            self.dwell(leg, chunk, leg.until.is_some() && !left.is_zero());
            self.since_capture += chunk;
            self.since_sweep += chunk;
            self.do_what_is_due(leg);
            if chunk == look {
                self.looked += 1;
                self.push(Step::LookEarly(self.looked));
            }
        }
    }

    /// How much of the leg is done at the next look at whether the answer is clear; the phase with the looks is one leg.
    fn next_look(&self, leg: &Leg) -> Option<Duration> {
        let early = self.course.soak.early.filter(|early| early.phase == leg.phase)?;
        (self.looked < early.looks).then(|| early.due(self.looked + 1))
    }

    /// Time between two captures in a leg, if there are any in it: nothing comes between while the input is off, nor where a
    /// criterion has no room for a capture.
    fn capture_every(&self, leg: &Leg) -> Option<Duration> {
        let has_room =
            leg.kind != LegKind::Off && leg.until.is_none_or(|rule| has_room(rule, self.soak.readings));
        self.soak.capture_every.filter(|_| has_room)
    }

    /// The same of sweeps, which would also cool a board that warms up.
    fn sweep_every(&self, leg: &Leg) -> Option<Duration> {
        self.soak.sweep_every.filter(|_| leg.kind != LegKind::Off && leg.until.is_none())
    }

    fn next_due(&self, leg: &Leg) -> Duration {
        let left = |every: Option<Duration>, since: Duration| {
            every.map_or(Duration::MAX, |every| every.saturating_sub(since))
        };
        left(self.capture_every(leg), self.since_capture).min(left(self.sweep_every(leg), self.since_sweep))
    }

    fn do_what_is_due(&mut self, leg: &Leg) {
        if self.capture_every(leg).is_some_and(|every| self.since_capture >= every) {
            self.since_capture = Duration::ZERO;
            self.look(leg);
        }
        if self.sweep_every(leg).is_some_and(|every| self.since_sweep >= every) {
            self.sweep();
            self.set(leg.setting);
        }
    }

    fn dwell(&mut self, leg: &Leg, span: Duration, goes_on: bool) {
        let id = DwellId(u32::try_from(self.course.soak.dwells.len() + 1).unwrap_or(u32::MAX));
        self.course.soak.dwells.push(PlannedDwell {
            id,
            phase: leg.phase,
            round: leg.round,
            setting: leg.setting,
            is_on: self.is_on,
            span,
            until: leg.until,
            goes_on,
        });
        self.push(Step::Dwell(id));
    }

    fn next_point(&mut self, setting: Setting, repeat: u32, phase: Option<u16>) -> PointId {
        let id = PointId(u32::try_from(self.course.points.len() + 1).unwrap_or(u32::MAX));
        self.course.points.push(PlannedPoint { id, setting, repeat, phase });
        self.push(Step::BeginPoint(id));
        id
    }

    /// A capture at the setting that is held: a point like any other, with figures, limits and a verdict.
    fn look(&mut self, leg: &Leg) {
        let setting = leg.setting;
        let id = self.next_point(setting, 1, Some(leg.phase));
        for step in [Step::SetLoad(setting.load), Step::Settle(id), Step::Measure(id)] {
            self.push(step);
        }
    }

    fn sweep(&mut self) {
        self.since_sweep = Duration::ZERO;
        if self.profile.vin.is_empty() {
            return;
        }
        self.course.soak.sweeps += 1;
        let profile = self.profile;
        let number = self.course.soak.sweeps;
        self.switch_on();
        for point in arrange(&profile.vin, &profile.load, profile.order, profile.repeats) {
            let id = self.next_point(point.setting, number, None);
            self.set_vin(point.setting.vin);
            self.set.load = point.setting.load;
            for step in [Step::SetLoad(point.setting.load), Step::Settle(id), Step::Measure(id)] {
                self.push(step);
            }
        }
    }

    fn set(&mut self, setting: Setting) {
        self.set_vin(setting.vin);
        if self.set.load != setting.load {
            self.set.load = setting.load;
            self.push(Step::SetLoad(setting.load));
        }
    }

    /// The load is at 0 A while the input voltage changes.
    fn set_vin(&mut self, vin: Volts) {
        self.switch_on();
        if self.set.vin != vin {
            self.set = Setting { vin, load: Amps(0.0) };
            self.push(Step::SetLoad(Amps(0.0)));
            self.push(Step::SetVoltage(vin));
        }
    }

    /// The board starts into its load, as it does in the house: the load waits at 0 V, where it can draw nothing.
    fn start(&mut self, setting: Setting) {
        self.course.soak.starts.push(setting);
        let id = StartId(u32::try_from(self.course.soak.starts.len()).unwrap_or(u32::MAX));
        self.switch_on();
        self.set = setting;
        let steps = [Step::SetLoad(setting.load), Step::LookBeforeStart(id), Step::SetVoltage(setting.vin)];
        self.course.steps.extend(steps);
        self.push(Step::CheckStart(id));
    }

    fn switch_on(&mut self) {
        if self.is_on {
            return;
        }
        self.is_on = true;
        self.set = Setting { vin: Volts(0.0), load: Amps(0.0) };
        let steps = [Step::SetLoad(Amps(0.0)), Step::SetVoltage(Volts(0.0)), Step::SwitchSupply(true)];
        self.course.steps.extend(steps);
        self.push(Step::SwitchLoad(true));
    }

    fn switch_off(&mut self) {
        if !self.is_on {
            return;
        }
        self.is_on = false;
        let steps = [Step::SetLoad(Amps(0.0)), Step::SwitchLoad(false), Step::SetVoltage(Volts(0.0))];
        self.course.steps.extend(steps);
        self.push(Step::SwitchSupply(false));
    }
}
