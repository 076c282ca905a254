//! What is left of a plan whose run was cut off. Pure: how far it came is a function of its journal.

use std::time::Duration;

use super::soak::{PlannedDwell, SoakPlan};
use super::step::{Plan, PlannedPoint, Step};
use crate::base::units::{Amps, Volts};
use crate::event::{DwellId, PointId, Rewarm, Setting, StartId};

/// Longest warming up of a soak that names no thermal criterion.
const LONGEST_WARMING: Duration = Duration::from_secs(1800);
/// Longest warming up of a soak that names one, unless it speaks of a long time itself.
const LONGEST_CRITERION: Duration = Duration::from_secs(4 * 3600);

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reached {
    /// The last point that is finished.
    pub point: Option<PointId>,
    /// The last dwell that is finished.
    pub dwell: Option<DwellId>,
    /// The last start that was looked at.
    pub start: Option<StartId>,
    /// Round and place of the last phase that was begun.
    pub phase: Option<(u32, u16)>,
    /// The last dwell that ended in thermal steady state.
    pub steady: Option<DwellId>,
    /// Whether it had ended early: nothing is left to be done.
    pub ended_early: bool,
    /// A dwell that was begun and is not finished, and how much of it is done.
    pub within: Option<(DwellId, Duration)>,
}

/// What is set and switched on after some steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// What is set.
    pub setting: Setting,
    /// Whether the supply is on.
    pub supply_on: bool,
    /// Whether the load is on.
    pub load_on: bool,
}

/// What is set and switched on after these steps.
#[must_use]
pub fn standing(steps: &[Step]) -> Standing {
    let setting = Setting { vin: Volts(0.0), load: Amps(0.0) };
    let mut standing = Standing { setting, supply_on: false, load_on: false };
    for step in steps {
        match step {
            Step::SwitchAllOff => (standing.supply_on, standing.load_on) = (false, false),
            Step::SetVoltage(vin) => standing.setting.vin = *vin,
            Step::SetLoad(load) => standing.setting.load = *load,
            Step::SwitchSupply(on) => standing.supply_on = *on,
            Step::SwitchLoad(on) => standing.load_on = *on,
            _ => {}
        }
    }
    standing
}

/// The steps that bring a bench with its outputs off, or as they are, back to where it stood.
#[must_use]
pub fn restoring(standing: Standing) -> Vec<Step> {
    let mut steps = vec![Step::SetLoad(Amps(0.0))];
    if standing.supply_on {
        steps.push(Step::SwitchSupply(true));
    }
    if standing.load_on {
        steps.push(Step::SwitchLoad(true));
    }
    if standing.supply_on {
        steps.push(Step::SetVoltage(standing.setting.vin));
    }
    if standing.load_on && standing.setting.load > Amps(0.0) {
        steps.push(Step::SetLoad(standing.setting.load));
    }
    steps
}

/// Takes out of a plan what is done: the bench is made ready as at the beginning and brought back to where it stood; a soak
/// that was away for `gap` warms the board up again where its profile wants it. Of a gap of unknown length that is wanted.
pub fn leave_remaining(plan: &mut Plan, reached: &Reached, gap: Option<Duration>) {
    if reached.ended_early {
        plan.steps = vec![Step::SwitchAllOff];
        return;
    }
    let place = plan.steps.iter().rposition(|step| reached.has_done(step)).map_or(0, |last| last + 1);
    let place =
        reached.steady.and_then(|id| behind_steady(plan, id)).map_or(place, |behind| place.max(behind.0));
    if place == 0 && reached.within.is_none() {
        return;
    }
    let first_on = plan.steps.iter().position(|step| matches!(step, Step::SwitchSupply(true)));
    let is_work = |step: &Step| {
        matches!(step, Step::BeginPoint(_) | Step::Dwell(_) | Step::CheckStart(_) | Step::BeginPhase { .. })
    };
    let rest = plan.steps.split_off(place);
    if !rest.iter().any(is_work) {
        // Nothing is left to be measured: nothing is switched on.
        plan.steps = vec![Step::SwitchAllOff];
        return;
    }
    // A dwell that was begun stands behind the steps that set it.
    let begun = reached.within.and_then(|(id, _)| rest.iter().position(|step| *step == Step::Dwell(id)));
    let (before, rest) = rest.split_at(begun.unwrap_or(0));
    let standing = standing_of(&plan.steps, before);
    plan.steps.truncate(first_on.unwrap_or(place));
    // Setting 0 V and 0 A belongs to switching on.
    plan.steps.retain(|step| !matches!(step, Step::SetLoad(_) | Step::SetVoltage(_)));
    plan.steps.extend([Step::SetLoad(Amps(0.0)), Step::SetVoltage(Volts(0.0))]);
    plan.steps.extend(restoring(standing));
    let has_dwelled = reached.dwell.is_some() || reached.within.is_some();
    if standing.supply_on
        && has_dwelled
        && let Some(soak) = &mut plan.soak
        && !warms_up_anyway((soak, &plan.points), rest)
    {
        plan.steps.extend(warming(soak, standing.setting, gap));
    }
    // Where a phase begins is told once; what else is told marks how far the run came.
    let is_told = |step: &Step| matches!(step, Step::BeginPhase { phase, round } if reached.phase.is_some_and(|last| (*round, *phase) <= last));
    plan.steps.extend(rest.iter().filter(|step| !is_told(step)).cloned());
}

/// Where a plan goes on behind a dwell that ended in thermal steady state, and how many points are left out on the way: what
/// else would have waited for that state is not done any more. `None` for a dwell that the plan has not.
#[must_use]
pub fn behind_steady(plan: &Plan, dwell: DwellId) -> Option<(usize, u32)> {
    let soak = plan.soak.as_ref()?;
    let is_last = |id: &DwellId| soak.dwell(*id).is_none_or(|dwell| !dwell.goes_on);
    let last = (dwell.0..).map(DwellId).find(is_last)?;
    let place = |id: DwellId| plan.steps.iter().position(|step| *step == Step::Dwell(id));
    let (from, to) = (place(dwell)?, place(last)?);
    let left_out = plan.steps[from..to].iter().filter(|step| matches!(step, Step::BeginPoint(_))).count();
    Some((to + 1, u32::try_from(left_out).ok()?))
}

/// Whether the plan goes on with a dwell that ends in thermal steady state.
fn warms_up_anyway((soak, points): (&SoakPlan, &[PlannedPoint]), rest: &[Step]) -> bool {
    let is_capture = |id: &PointId| points.iter().any(|point| point.id == *id && point.phase.is_some());
    let next = rest.iter().find_map(|step| match step {
        Step::Dwell(id) => Some(soak.dwell(*id)),
        // A capture while the board warms up is one at the same setting.
        Step::BeginPoint(id) if is_capture(id) => None,
        Step::BeginPoint(_) | Step::CheckStart(_) => Some(None),
        _ => None,
    });
    next.flatten().is_some_and(|dwell| dwell.until.is_some())
}

fn standing_of(done: &[Step], before: &[Step]) -> Standing {
    let steps: Vec<Step> = done.iter().chain(before).cloned().collect();
    standing(&steps)
}

/// When the board is warmed up again, and for how long at most.
#[must_use]
pub fn rewarm(soak: &SoakPlan) -> Rewarm {
    let longest =
        soak.warm.map_or(LONGEST_WARMING, |rule| LONGEST_CRITERION.max(rule.within.saturating_mul(2)));
    Rewarm { after: soak.rewarm_after, longest, by_criterion: soak.warm.is_some() }
}

/// A dwell in front of the others, with a number that no plan has: it is never taken for one that is done.
fn warming(soak: &mut SoakPlan, setting: Setting, gap: Option<Duration>) -> Option<Step> {
    let (id, span, until) = (DwellId::WARMING, rewarm(soak).span(gap)?, soak.warm);
    soak.warming =
        Some(PlannedDwell { id, phase: 0, round: 0, setting, is_on: true, span, until, goes_on: false });
    Some(Step::Dwell(id))
}

impl Reached {
    fn has_done(&self, step: &Step) -> bool {
        match step {
            Step::Measure(id) => self.point.is_some_and(|last| *id <= last),
            Step::Dwell(id) => self.dwell.is_some_and(|last| *id <= last),
            Step::CheckStart(id) => self.start.is_some_and(|last| *id <= last),
            _ => false,
        }
    }
}
