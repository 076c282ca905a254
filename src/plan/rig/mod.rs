//! What is wired to what, checked. A rig knows no profile.

mod check;
mod schema;
mod thermometer;

use std::time::Duration;

use jiff::civil::Date;

use crate::base::names::{Revision, Role, Serial};
use crate::base::units::{Amps, Celsius, Kelvins, Ohms, Volts};
use crate::instrument::dialect::{Address, LinePattern};
use crate::plan::place::Places;

pub use check::{json_schema, parse};

/// A checked rig.
#[derive(Debug, Clone, PartialEq)]
pub struct Rig {
    /// A short name.
    pub name: String,
    /// The supply that feeds the board.
    pub source: SourceWiring,
    /// The load on the board's output.
    pub load: LoadWiring,
    /// The scope, if there is one.
    pub scope: Option<ScopeWiring>,
    /// Thermometers by role (`board`, `ambient`).
    pub thermometers: Vec<ThermometerWiring>,
    /// Board serial and revision that this rig is usually wired to.
    pub serial: Option<Serial>,
    /// See `serial`.
    pub revision: Option<Revision>,
    /// Output voltage under which the bench counts as safe after switching off.
    pub safe_vout: Volts,
    /// How long Vout may take to fall under `safe_vout`.
    pub safe_within: Duration,
    /// A folder with further dialect families, relative to the rig file.
    pub families: Option<String>,
    /// Settings of the simulated bench, where addresses are `SIM::…`.
    pub sim: SimSettings,
    /// SHA-256 of the file's text, in hex.
    pub digest: String,
    /// Where in the file each value stands.
    pub places: Places,
}

impl Rig {
    /// Whether a thermometer is on the board.
    #[must_use]
    pub fn has_board_thermometer(&self) -> bool {
        self.thermometers.iter().any(|thermometer| thermometer.instrument.role.as_str() == "board")
    }
}

/// What every instrument of a rig has.
#[derive(Debug, Clone, PartialEq)]
pub struct InstrumentWiring {
    /// What it is on this bench.
    pub role: Role,
    /// Where it is.
    pub address: Address,
    /// Family by name, e.g. `rigol_dp800`; empty for a sensor.
    pub family: String,
    /// The very model, so that the plan knows its limits; otherwise those of the family's best.
    pub model: Option<String>,
    /// The serial number it must have, if the rig insists.
    pub serial: Option<String>,
    /// Answer time-out, where the family's own is not enough.
    pub timeout: Option<Duration>,
    /// Baud rate of a serial line.
    pub baud: u32,
    /// Day of the next calibration.
    pub calibration_due: Option<Date>,
}

/// The supply.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceWiring {
    /// Address and family.
    pub instrument: InstrumentWiring,
    /// Output number, from 1.
    pub channel: u8,
    /// Hard limit: never set above.
    pub max_voltage: Volts,
    /// Hard limit: never set above.
    pub max_current: Amps,
    /// Resistance of both leads to the board together, taken off the reading. Zero with remote sense.
    pub lead: Ohms,
}

/// The load.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadWiring {
    /// Address and family.
    pub instrument: InstrumentWiring,
    /// Hard limit: never set above.
    pub max_current: Amps,
    /// Resistance of both leads from the board together, added to the reading.
    pub lead: Ohms,
}

/// The scope and what its channels see.
#[derive(Debug, Clone, PartialEq)]
pub struct ScopeWiring {
    /// Address and family.
    pub instrument: InstrumentWiring,
    /// The channel on Vout.
    pub vout: ProbeWiring,
    /// The channel on the switch node, if there is one.
    pub lx: Option<ProbeWiring>,
}

/// A probe.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeWiring {
    /// Channel number, from 1.
    pub channel: u8,
    /// Attenuation, e.g. 10.
    pub ratio: f64,
    /// How it touches the board: `tip_barrel`, `clip`, `coax50`, …
    pub fixture: String,
}

/// A thermometer.
#[derive(Debug, Clone, PartialEq)]
pub struct ThermometerWiring {
    /// Address; no family.
    pub instrument: InstrumentWiring,
    /// Where in a line the value stands.
    pub pattern: LinePattern,
    /// Whether the value is in degrees Fahrenheit or kelvins instead of Celsius.
    pub scale: TemperatureScale,
    /// Lowest and highest plausible value.
    pub plausible: (Celsius, Celsius),
    /// How old a reading may be.
    pub max_age: Duration,
    /// A value that is bit-identical for longer than this is frozen; `None` where the sensor's resolution is too coarse to tell.
    pub frozen_after: Option<Duration>,
}

/// The unit a sensor sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemperatureScale {
    /// °C
    Celsius,
    /// °F
    Fahrenheit,
    /// K
    Kelvin,
}

/// Settings of the simulated bench.
#[derive(Debug, Clone, PartialEq)]
pub struct SimSettings {
    /// Seed of noise and part values.
    pub seed: u64,
    /// Ambient temperature.
    pub ambient: Celsius,
    /// The load's identity: `rigol_dl3021` or `siglent_sdl1020x_e`.
    pub load_identity: String,
    /// How many times as fast as parts do the board ages; 0 for not at all.
    pub ageing: f64,
    /// Temperature of the room from the coldest to the warmest of a day.
    pub day_swing: Kelvins,
    /// How often the lid of the bench's box is opened; `None` without a box.
    pub lid_opens_every: Option<Duration>,
    /// Seed of the faults that every run meets.
    pub faults: Option<u64>,
}
