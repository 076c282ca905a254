//! Rig to bench: every instrument opened, identified and, where it can do harm, behind its hard limits. Nothing is set but
//! off: if one instrument cannot be opened, those that could are switched off.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::retry::{Remedy, remedy};
use super::safe::{Effort, SILENCES, Side, switch_load, switch_supply};
use super::{Bench, BenchWiring};
use crate::base::units::Volts;
use crate::event::{InstrumentFacts, SafeState};
use crate::instrument::guard::{GuardedLoad, GuardedSupply};
use crate::instrument::load::Load;
use crate::instrument::open::{
    Place, SupplyLimits, Surroundings, open_load, open_scope, open_supply, open_thermometer,
};
use crate::instrument::scope::Scope;
use crate::instrument::supply::Supply;
use crate::instrument::thermometer::{SensorFacts, SensorScale};
use crate::instrument::{Asked, Instrument, InstrumentError};
use crate::plan::Rig;
use crate::plan::rig::{InstrumentWiring, TemperatureScale, ThermometerWiring};
use crate::waveform::Unavailable;

/// Attempts to open one instrument: more than one, for a single mishap shall not end a run, and few, for one that is not
/// switched on makes a person wait.
const ATTEMPTS: u32 = 2;

/// How the one of supply and load that was reached is switched off, when the other one was not.
const LEAVING: Effort = Effort { silence: SILENCES[1], reopens: true, lowers: false };

/// A bench that could not be opened, and how what was reached of it was left.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NotOpened {
    /// Which instrument could not be opened and why; its detail says in words how the others were left.
    pub error: InstrumentError,
    /// The instruments that were opened and identified.
    pub reached: Vec<InstrumentFacts>,
    /// How supply and load were found after switching off what was reached of them; `None` where neither was. One that was
    /// not reached is not said to be off.
    pub safe: Option<SafeState>,
    /// Whether one of those that were reached may be on: somebody must look at the bench.
    pub may_be_on: bool,
}

/// Result of opening a bench.
pub type Opening = Result<(Bench, Vec<InstrumentFacts>), Box<NotOpened>>;

/// Opens every instrument of the rig, the supply and the load first. One that does not answer in time, or whose link is lost
/// on the way, is tried once more.
///
/// # Errors
/// An instrument does not answer, or another one answers; supply and load are then switched off where they were reached.
pub fn open(rig: &Rig, surroundings: &Surroundings) -> Opening {
    let (mut bench, mut facts) =
        pair(rig, surroundings, open_supply_of(rig, surroundings), open_load_of(rig, surroundings))?;
    match open_rest(rig, surroundings, &mut bench, &mut facts) {
        Ok(()) => Ok((bench, facts)),
        Err(error) => Err(leave_bench(bench, facts, error)),
    }
}

/// Supply and load alone, each switched off as soon as it is reached: for whoever takes over a bench that nobody minds.
///
/// # Errors
/// One of the two does not answer, or another one answers; the other one is then switched off.
pub fn take_over(rig: &Rig, surroundings: &Surroundings) -> Opening {
    let mut supply = open_supply_of(rig, surroundings);
    if let Ok(supply) = &mut supply {
        // What came of it is looked at when the bench is made safe.
        let _ = switch_supply(supply, Effort::AT_ONCE);
    }
    let mut load = open_load_of(rig, surroundings);
    if let Ok(load) = &mut load {
        let _ = switch_load(load, Effort::AT_ONCE);
    }
    pair(rig, surroundings, supply, load)
}

/// Supply and load alone, as they are: nothing is set, not even off. For whoever wants to see how somebody left them.
///
/// # Errors
/// As [`take_over`].
pub fn open_as_left(rig: &Rig, surroundings: &Surroundings) -> Opening {
    pair(rig, surroundings, open_supply_of(rig, surroundings), open_load_of(rig, surroundings))
}

fn open_supply_of(rig: &Rig, surroundings: &Surroundings) -> Asked<GuardedSupply> {
    let today = TimeZone::UTC.to_datetime(surroundings.clock.utc()).date();
    let limits = SupplyLimits {
        channel: rig.source.channel,
        max_voltage: rig.source.max_voltage,
        max_current: rig.source.max_current,
    };
    open_patiently(surroundings, |surroundings| {
        open_supply(surroundings, &place(&rig.source.instrument, today), limits)
    })
}

fn open_load_of(rig: &Rig, surroundings: &Surroundings) -> Asked<GuardedLoad> {
    let today = TimeZone::UTC.to_datetime(surroundings.clock.utc()).date();
    open_patiently(surroundings, |surroundings| {
        open_load(surroundings, &place(&rig.load.instrument, today), rig.load.max_current)
    })
}

/// A bench of supply and load, if both were reached.
fn pair(
    rig: &Rig,
    surroundings: &Surroundings,
    supply: Asked<GuardedSupply>,
    load: Asked<GuardedLoad>,
) -> Opening {
    let (supply, load) = match (supply, load) {
        (Ok(supply), Ok(load)) => (supply, load),
        (Ok(supply), Err(error)) => return Err(leave_supply(supply, error)),
        (Err(error), Ok(load)) => return Err(leave_load(load, error)),
        (Err(error), Err(other)) => {
            let error = with_detail(error, &format!("and {other}"));
            return Err(Box::new(NotOpened { error, reached: Vec::new(), safe: None, may_be_on: false }));
        }
    };
    let facts = vec![supply.facts().clone(), load.facts().clone()];
    let bench = Bench {
        supply: Box::new(supply),
        load: Box::new(load),
        scope: None,
        thermometers: Vec::new(),
        wiring: wiring(rig),
        clock: surroundings.clock.clone(),
        cut: surroundings.cut.clone(),
        energised: false,
        tried_safe: false,
    };
    Ok((bench, facts))
}

/// Scope and thermometers; what was opened stands in `bench` and `facts` also where another one fails.
fn open_rest(
    rig: &Rig,
    surroundings: &Surroundings,
    bench: &mut Bench,
    facts: &mut Vec<InstrumentFacts>,
) -> Asked<()> {
    let today = TimeZone::UTC.to_datetime(surroundings.clock.utc()).date();
    bench.scope = open_scope_of(rig, surroundings, today)?;
    facts.extend(bench.scope.iter().map(|scope| scope.facts().clone()));
    for wired in &rig.thermometers {
        let thermometer = open_patiently(surroundings, |surroundings| {
            open_thermometer(surroundings, &place(&wired.instrument, today), sensor(wired))
        })?;
        facts.push(thermometer.facts().clone());
        bench.thermometers.push((wired.instrument.role.clone(), Box::new(thermometer)));
    }
    Ok(())
}

/// Opens one instrument, whose waiting can be spared by itself, and tries again where that may help.
fn open_patiently<T>(surroundings: &Surroundings, open: impl Fn(&Surroundings) -> Asked<T>) -> Asked<T> {
    let own = surroundings.of_one();
    let mut attempt = 0;
    loop {
        attempt += 1;
        let error = match open(&own) {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        match remedy(error.kind(), attempt, false) {
            Remedy::Again(pause) | Remedy::Reopen(pause)
                if attempt < ATTEMPTS && own.cut.sleep(&*own.clock, pause) => {}
            _ => return Err(error),
        }
    }
}

/// Supply and load were reached, another one was not: the bench is made safe as at the end of a run.
fn leave_bench(mut bench: Bench, reached: Vec<InstrumentFacts>, error: InstrumentError) -> Box<NotOpened> {
    let cut = bench.cut.clone();
    let safe = bench.make_safe_while(&|| cut.is_now());
    let told = match (safe.verified, safe.supply_off && safe.load_off) {
        (true, _) => "supply and load were reached and are off, read back and measured".to_owned(),
        (false, true) => {
            format!("supply and load were reached and say they are off, but {}", safe.failures.join("; "))
        }
        (false, false) => format!(
            "supply and load were reached but could NOT be switched off: {}",
            safe.failures.join("; ")
        ),
    };
    let (error, may_be_on) = (with_detail(error, &told), !safe.verified);
    Box::new(NotOpened { error, reached, safe: Some(safe), may_be_on })
}

/// The load could not be reached: the supply goes off.
fn leave_supply(mut supply: impl Supply, error: InstrumentError) -> Box<NotOpened> {
    let side = switch_supply(&mut supply, LEAVING);
    let state = SafeState {
        supply_off: side.is_off,
        attempts: 1,
        ..SafeState::unknown("the load, which measures it, was not reached")
    };
    leave_one(("supply", "load"), supply.facts().clone(), (side, state), error)
}

/// The supply could not be reached: the load goes off, and it tells what stands at the output.
fn leave_load(mut load: impl Load, error: InstrumentError) -> Box<NotOpened> {
    let side = switch_load(&mut load, LEAVING);
    let vout = load.measure_voltage().map(Volts::value);
    let state = SafeState {
        load_off: side.is_off,
        vout_v: vout.map_err(|error| Unavailable::because(error.to_string())),
        attempts: 1,
        ..SafeState::unknown("not looked at")
    };
    leave_one(("load", "supply"), load.facts().clone(), (side, state), error)
}

fn leave_one(
    (name, other): (&str, &str),
    facts: InstrumentFacts,
    (side, mut state): (Side, SafeState),
    error: InstrumentError,
) -> Box<NotOpened> {
    let told = match side.failures.last() {
        Some(failure) if !side.is_off => {
            format!("the {name} was reached but could NOT be switched off: {}", failure.detail)
        }
        _ => format!("the {name} was reached and is off"),
    };
    state.failures = side.failures.iter().map(ToString::to_string).collect();
    state.failures.push(format!("the {other} was not reached: whether it is off is not known"));
    let error = with_detail(error, &told);
    Box::new(NotOpened { error, reached: vec![facts], safe: Some(state), may_be_on: !side.is_off })
}

fn with_detail(mut error: InstrumentError, more: &str) -> InstrumentError {
    error.detail = format!("{} ({more})", error.detail);
    error
}

fn open_scope_of(rig: &Rig, surroundings: &Surroundings, today: Date) -> Asked<Option<Box<dyn Scope>>> {
    let Some(wired) = &rig.scope else { return Ok(None) };
    let scope = open_patiently(surroundings, |surroundings| {
        open_scope(surroundings, &place(&wired.instrument, today))
    })?;
    Ok(Some(Box::new(scope)))
}

/// Where an instrument of the rig is and what it should be.
#[must_use]
pub fn place(wired: &InstrumentWiring, today: Date) -> Place {
    Place {
        role: wired.role.clone(),
        address: wired.address.clone(),
        family: wired.family.clone(),
        serial: wired.serial.clone(),
        timeout: wired.timeout,
        baud: wired.baud,
        calibration_due: wired.calibration_due.map(|due| (due.to_string(), due < today)),
    }
}

fn sensor(wired: &ThermometerWiring) -> SensorFacts {
    SensorFacts {
        pattern: wired.pattern.clone(),
        scale: match wired.scale {
            TemperatureScale::Celsius => SensorScale::Celsius,
            TemperatureScale::Fahrenheit => SensorScale::Fahrenheit,
            TemperatureScale::Kelvin => SensorScale::Kelvin,
        },
        plausible: wired.plausible,
        max_age: wired.max_age,
        frozen_after: wired.frozen_after,
    }
}

fn wiring(rig: &Rig) -> BenchWiring {
    BenchWiring {
        source_lead: rig.source.lead,
        load_lead: rig.load.lead,
        vout: rig.scope.as_ref().map(|scope| scope.vout.clone()),
        lx: rig.scope.as_ref().and_then(|scope| scope.lx.clone()),
        safe_vout: rig.safe_vout,
        safe_within: rig.safe_within,
    }
}
