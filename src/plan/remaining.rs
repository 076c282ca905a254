//! What is left of a plan whose run was cut off. Pure: how far it came is a function of its journal.

use std::time::Duration;

use super::soak::{PlannedDwell, SoakPlan};
use super::step::{Plan, Step};
use crate::base::units::{Amps, Volts};
use crate::event::{DwellId, PointId, Setting, StartId};

/// Longest warming up of a soak that names no thermal criterion.
const LONGEST_WARMING: Duration = Duration::from_secs(1800);
/// Longest warming up of a soak that names one.
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
/// that was away for `gap` warms the board up again where its profile wants it.
pub fn leave_remaining(plan: &mut Plan, reached: &Reached, gap: Duration) {
    let place = plan.steps.iter().rposition(|step| reached.has_done(step)).map_or(0, |last| last + 1);
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
    if standing.supply_on
        && let Some(soak) = &mut plan.soak
    {
        plan.steps.extend(warming(soak, standing.setting, gap));
    }
    plan.steps.extend_from_slice(rest);
}

fn standing_of(done: &[Step], before: &[Step]) -> Standing {
    let steps: Vec<Step> = done.iter().chain(before).cloned().collect();
    standing(&steps)
}

/// A dwell in front of the others. It stands in no plan that is built from the files again, so it is never taken for done.
fn warming(soak: &mut SoakPlan, setting: Setting, gap: Duration) -> Option<Step> {
    if gap <= soak.rewarm_after {
        return None;
    }
    let id = DwellId(u32::try_from(soak.dwells.len() + 1).ok()?);
    let (span, until) = match soak.warm {
        Some(rule) => (LONGEST_CRITERION, Some(rule)),
        None => (gap.min(LONGEST_WARMING), None),
    };
    soak.dwells.push(PlannedDwell { id, phase: 0, setting, is_on: true, span, until });
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
