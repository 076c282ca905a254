//! Rig and profile to plan. Pure: nothing is opened, read or asked.

use std::fmt::Write as _;

use super::ability::Ability;
use super::check::check_switching;
use super::course::build_course;
use super::estimate::estimate;
use super::fit::check_fit;
use super::forecast::{Forecast, forecast};
use super::order::arrange;
use super::profile::{Interlocks, Order, Profile};
use super::rig::Rig;
use super::step::{Plan, PlannedPoint, Step};
use crate::base::digest::digest;
use crate::base::names::{Revision, Serial};
use crate::base::units::{Amps, Volts};
use crate::event::{Board, Turn};
use crate::instrument::dialect::{Fault, Registry};

/// What the command line says over the profile and the rig.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Board serial.
    pub serial: Option<Serial>,
    /// Board revision.
    pub revision: Option<Revision>,
    /// Operator.
    pub operator: Option<String>,
    /// Free notes.
    pub note: Option<String>,
    /// Its place in an order of runs.
    pub turn: Option<Turn>,
    /// Whether the points of a pass are taken in a shuffled order, whatever the profile says.
    pub shuffles: bool,
    /// Seed of a shuffled order and of the simulated bench.
    pub seed: Option<u64>,
}

/// Builds the plan of a profile on a rig, by what the families of its instruments can do.
///
/// # Errors
/// Everything that this rig cannot do for this profile; see [`build_for`].
pub fn build(
    rig: &Rig,
    profile: &Profile,
    registry: &Registry,
    overrides: &Overrides,
) -> Result<Plan, Vec<Fault>> {
    build_for(rig, profile, &Ability::read(rig, registry)?, overrides)
}

/// Builds the plan of a profile on a rig whose instruments can do `ability`.
///
/// # Errors
/// Everything that this rig cannot do for this profile, each with its place in both files; and whatever the finished steps
/// would do wrong to the outputs, which would be a fault of this program.
pub fn build_for(
    rig: &Rig,
    profile: &Profile,
    ability: &Ability,
    overrides: &Overrides,
) -> Result<Plan, Vec<Fault>> {
    let mut faults = check_fit(rig, profile, ability);
    let board = board(rig, profile, overrides).map_err(|fault| faults.push(fault)).ok();
    let (Some(board), true) = (board, faults.is_empty()) else { return Err(faults) };
    let order = match (profile.order, overrides.seed) {
        (Order::Shuffled { .. }, Some(seed)) => Order::Shuffled { seed },
        (Order::Written | Order::Snake, seed) if overrides.shuffles => {
            Order::Shuffled { seed: seed.unwrap_or(1) }
        }
        (order, _) => order,
    };
    let protection = protection(rig, profile, ability);
    let wants_floor = rig.scope.is_some() && profile.capture.is_some_and(|capture| capture.noise_floor);
    let ready = ready(protection, wants_floor);
    let profile = &Profile { order, ..profile.clone() };
    let (points, steps, soak) = match &profile.soak {
        None => {
            let points = arrange(&profile.vin, &profile.load, order, profile.repeats);
            let steps = steps(ready, &points);
            (points, steps, None)
        }
        Some(soak) => {
            let course = build_course(profile, soak, ready)
                .map_err(|told| vec![profile.places.fault("soak", told)])?;
            (course.points, course.steps, Some(course.soak))
        }
    };
    faults.extend(check_switching(&steps).into_iter().map(|wrong| {
        let message = format!("the plan would not be safe, which is a fault of this program: {wrong}");
        profile.places.fault("points", message)
    }));
    if !faults.is_empty() {
        return Err(faults);
    }
    let seed = match order {
        Order::Shuffled { seed } => Some(seed),
        Order::Written | Order::Snake => None,
    };
    let mut plan = Plan {
        digest: String::new(),
        rig_digest: rig.digest.clone(),
        profile_digest: profile.digest.clone(),
        profile: profile.name.clone(),
        purpose: profile.purpose.clone(),
        board,
        operator: overrides.operator.clone().or_else(|| profile.operator.clone()),
        note: overrides.note.clone().or_else(|| profile.note.clone()),
        turn: overrides.turn.clone(),
        seed,
        points,
        steps,
        figures: profile.figures.clone(),
        limits: profile.limits.clone(),
        settle: profile.settle,
        interlocks: interlocks(rig, profile),
        capture: profile.capture,
        soak,
        vout_nominal: profile.vout_nominal,
        safe_vout: rig.safe_vout,
        expected: std::time::Duration::ZERO,
        expected_start: std::time::Duration::ZERO,
        writes: Forecast::default(),
    };
    (plan.expected, plan.expected_start) = estimate(&plan, rig);
    plan.writes = forecast(&plan, rig);
    plan.digest = digest(canonical(&plan).as_bytes());
    Ok(plan)
}

/// The command line comes before the profile, the profile before the rig.
fn board(rig: &Rig, profile: &Profile, overrides: &Overrides) -> Result<Board, Fault> {
    let serial = [&overrides.serial, &profile.serial, &rig.serial].into_iter().flatten().next();
    let revision = [&overrides.revision, &profile.revision, &rig.revision].into_iter().flatten().next();
    let (Some(serial), Some(revision)) = (serial, revision) else {
        let (what, option) =
            if serial.is_none() { ("serial", "--board") } else { ("revision", "--revision") };
        let message = format!(
            "the board's {what} is nowhere named; give {option} or write `{what}` into [board] of the profile or the rig"
        );
        return Err(profile.places.fault(&format!("board.{what}"), message));
    };
    Ok(Board { serial: serial.clone(), revision: revision.clone() })
}

/// The level of the supply's over-voltage protection: the margin above the largest planned voltage, but never above what
/// the rig allows on this board, nor above what the supply can be set to. At least 1 V, for a plan that stays at 0 V.
pub(super) fn over_voltage_level(rig: &Rig, profile: &Profile, ability: &Ability) -> Option<Volts> {
    let highest = profile.highest_vin() * (1.0 + profile.protection_margin);
    let ceiling = rig.source.max_voltage.value().min(ability.source.over_voltage?.value());
    Some(Volts(highest.value().max(1.0).min(ceiling)))
}

/// The level of the load's own current limit, by the same rule; at least 50 mA, for a plan without load.
pub(super) fn load_limit_level(rig: &Rig, profile: &Profile, ability: &Ability) -> Option<Amps> {
    let highest = profile.highest_load() * (1.0 + profile.protection_margin);
    let ceiling = rig.load.max_current.value().min(ability.load.over_current?.value());
    Some(Amps(highest.value().max(0.05).min(ceiling)))
}

/// The supply limits the current to what the rig allows: the inrush of the input capacitor and a start-up are then slowed,
/// not cut off. The over-current protection, which switches off, stands the margin above that limit: it is for a limit that
/// does not hold, and must not trip on the limit doing its work.
fn protection(rig: &Rig, profile: &Profile, ability: &Ability) -> Step {
    let current_limit = rig.source.max_current;
    let over_current = current_limit * (1.0 + profile.protection_margin);
    Step::SetProtection {
        over_voltage: over_voltage_level(rig, profile, ability),
        over_current: ability.source.over_current.map(|most| Amps(over_current.value().min(most.value()))),
        current_limit,
        load_limit: load_limit_level(rig, profile, ability),
    }
}

/// What comes before anything is switched on.
fn ready(protection: Step, wants_floor: bool) -> Vec<Step> {
    let mut steps = vec![Step::SwitchAllOff, protection, Step::CheckWiring];
    if wants_floor {
        steps.push(Step::MeasureNoiseFloor);
    }
    steps
}

/// A load of 0 A is the load's input switched on with 0 A set: its voltage reading stays the same kind of reading, and its
/// leakage is the same at every point.
fn steps(mut steps: Vec<Step>, points: &[PlannedPoint]) -> Vec<Step> {
    let (no_load, no_voltage) = (Step::SetLoad(Amps(0.0)), Step::SetVoltage(Volts(0.0)));
    steps.extend([no_load.clone(), no_voltage.clone(), Step::SwitchSupply(true), Step::SwitchLoad(true)]);
    let mut vin = Volts(0.0);
    for point in points {
        steps.push(Step::BeginPoint(point.id));
        if point.setting.vin != vin {
            vin = point.setting.vin;
            steps.extend([no_load.clone(), Step::SetVoltage(vin)]);
        }
        steps.extend([Step::SetLoad(point.setting.load), Step::Settle(point.id), Step::Measure(point.id)]);
    }
    steps.extend([no_load, Step::SwitchLoad(false), no_voltage, Step::SwitchSupply(false)]);
    steps
}

/// Rules on the board's temperature are only kept where a thermometer is on the board; `fit.rs` has refused those that
/// somebody wrote for a rig without one, so only defaults are dropped here.
fn interlocks(rig: &Rig, profile: &Profile) -> Interlocks {
    if rig.has_board_thermometer() {
        return profile.interlocks;
    }
    Interlocks {
        over_temperature: None,
        hold_temperature: None,
        resume_temperature: None,
        warn_temperature: None,
        rise_k_per_min: None,
        ..profile.interlocks
    }
}

/// What the digest is taken over: everything that decides what is done and how it is judged, but not who does it to which
/// board, so that runs of one plan can be told by their digest.
fn canonical(plan: &Plan) -> String {
    let mut text = String::from("soakrig plan 1\n");
    for step in &plan.steps {
        let _ = writeln!(text, "{step:?}");
    }
    for point in &plan.points {
        let _ = writeln!(text, "{point:?}");
    }
    for limit in &plan.limits {
        let _ = writeln!(text, "{limit:?}");
    }
    let _ = writeln!(text, "{:?}\n{:?}\n{:?}", plan.settle, plan.interlocks, plan.capture);
    let _ = writeln!(text, "{:?}\n{:?}\n{:?}", plan.figures, plan.vout_nominal, plan.safe_vout);
    if let Some(soak) = &plan.soak {
        let _ = writeln!(text, "{soak:?}");
    }
    text
}
