//! Rig to bench: every instrument opened, identified and, where it can do harm, behind its hard limits. Nothing is set but
//! off: if one instrument cannot be opened, those that could are switched off.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::retry::{Remedy, remedy};
use super::safe::SILENCES;
use super::{Bench, BenchWiring};
use crate::event::InstrumentFacts;
use crate::instrument::load::Load;
use crate::instrument::open::{
    Place, SupplyLimits, Surroundings, open_load, open_scope, open_supply, open_thermometer,
};
use crate::instrument::scope::Scope;
use crate::instrument::supply::Supply;
use crate::instrument::thermometer::{SensorFacts, SensorScale, Thermometer};
use crate::instrument::{Asked, Instrument, InstrumentError};
use crate::plan::Rig;
use crate::plan::rig::{InstrumentWiring, TemperatureScale, ThermometerWiring};

/// Attempts to open one instrument: more than one, for a single mishap shall not end a run, and few, for one that is not
/// switched on makes a person wait.
const ATTEMPTS: u32 = 2;

/// Opens every instrument of the rig, the supply and the load first. One that does not answer in time, or whose link is lost
/// on the way, is tried once more.
///
/// # Errors
/// An instrument does not answer, or another one answers; supply and load are then switched off where they were reached.
pub fn open(rig: &Rig, surroundings: &Surroundings) -> Asked<(Bench, Vec<InstrumentFacts>)> {
    let today = TimeZone::UTC.to_datetime(surroundings.clock.utc()).date();
    let limits = SupplyLimits {
        channel: rig.source.channel,
        max_voltage: rig.source.max_voltage,
        max_current: rig.source.max_current,
    };
    let supply = open_patiently(surroundings, |surroundings| {
        open_supply(surroundings, &place(&rig.source.instrument, today), limits)
    });
    let load = open_patiently(surroundings, |surroundings| {
        open_load(surroundings, &place(&rig.load.instrument, today), rig.load.max_current)
    });
    let (mut supply, mut load) = match (supply, load) {
        (Ok(supply), Ok(load)) => (supply, load),
        // One of the two could not be opened: the other one goes off.
        (Ok(mut supply), Err(error)) => {
            let told = told_off("supply", is_supply_on(&mut supply));
            return Err(with_detail(error, &told));
        }
        (Err(error), Ok(mut load)) => {
            let told = told_off("load", is_load_on(&mut load));
            return Err(with_detail(error, &told));
        }
        (Err(error), Err(other)) => return Err(with_detail(error, &format!("and {other}"))),
    };
    let rest = open_scope_of(rig, surroundings, today)
        .and_then(|scope| Ok((scope, open_thermometers(rig, surroundings, today)?)));
    let (scope, thermometers) = match rest {
        Ok(rest) => rest,
        Err(error) => {
            let load_told = told_off("load", is_load_on(&mut load));
            let supply_told = told_off("supply", is_supply_on(&mut supply));
            return Err(with_detail(error, &format!("{load_told}; {supply_told}")));
        }
    };
    let mut facts = vec![supply.facts().clone(), load.facts().clone()];
    facts.extend(scope.iter().map(|scope| scope.facts().clone()));
    facts.extend(thermometers.iter().map(|(_, thermometer)| thermometer.facts().clone()));
    let bench = Bench {
        supply: Box::new(supply),
        load: Box::new(load),
        scope,
        thermometers,
        wiring: wiring(rig),
        clock: surroundings.clock.clone(),
        cut: surroundings.cut.clone(),
        energised: false,
        tried_safe: false,
    };
    Ok((bench, facts))
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
        match remedy(error.kind(), attempt) {
            Remedy::Again(pause) | Remedy::Reopen(pause)
                if attempt < ATTEMPTS && own.cut.sleep(&*own.clock, pause) => {}
            _ => return Err(error),
        }
    }
}

/// Switches off what was reached, whatever else shall end at once, and asks whether it is.
fn is_supply_on(supply: &mut impl Supply) -> Asked<bool> {
    supply.cut().spare(SILENCES[1]);
    supply.set_output(false).and_then(|()| supply.read_output())
}

/// As [`is_supply_on`].
fn is_load_on(load: &mut impl Load) -> Asked<bool> {
    load.cut().spare(SILENCES[1]);
    load.set_input(false).and_then(|()| load.read_input())
}

/// How an instrument that was reached was left, when another one could not be opened.
fn told_off(name: &str, is_on: Asked<bool>) -> String {
    match is_on {
        Ok(false) => format!("the {name} was reached and is off"),
        Ok(true) => format!("the {name} was reached and is STILL ON: switch it off by hand"),
        Err(error) => format!("the {name} was reached but could NOT be switched off: {}", error.detail),
    }
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

type Thermometers = Vec<(crate::base::names::Role, Box<dyn Thermometer>)>;

fn open_thermometers(rig: &Rig, surroundings: &Surroundings, today: Date) -> Asked<Thermometers> {
    rig.thermometers
        .iter()
        .map(|wired| {
            let opened = open_patiently(surroundings, |surroundings| {
                open_thermometer(surroundings, &place(&wired.instrument, today), sensor(wired))
            })?;
            let thermometer: Box<dyn Thermometer> = Box::new(opened);
            Ok((wired.instrument.role.clone(), thermometer))
        })
        .collect()
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
