//! A rig file as it is written. What the keys mean together is judged in `check.rs`.

use std::time::Duration;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::names::{Revision, Serial};
use crate::base::units::{Amps, Celsius, Kelvins, Ohms, Volts};
use crate::instrument::dialect::Address;
use crate::plan::written::Written;

/// What is wired to what on one bench.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RigFile {
    /// A short name of the bench, shown in reports.
    #[schemars(required)]
    pub(super) name: Option<Written<String>>,
    /// A folder with further instrument families, relative to this file.
    pub(super) families: Option<Written<String>>,
    /// The board that is usually wired to this rig.
    pub(super) board: Option<BoardFile>,
    /// When and how the bench counts as safe.
    pub(super) safe: Option<SafeFile>,
    /// The supply that feeds the board.
    #[schemars(required)]
    pub(super) source: Option<SourceFile>,
    /// The electronic load on the board's output.
    #[schemars(required)]
    pub(super) load: Option<LoadFile>,
    /// The oscilloscope, if there is one.
    pub(super) scope: Option<ScopeFile>,
    /// Thermometers by role, if there are any.
    pub(super) thermometer: Option<ThermometersFile>,
    /// Settings of the simulated bench; only where addresses are `SIM::…`.
    pub(super) sim: Option<SimFile>,
}

/// The board that is usually wired to a rig.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BoardFile {
    /// Serial number. The profile and the command line come before it.
    pub(super) serial: Option<Written<Serial>>,
    /// Revision. The profile and the command line come before it.
    pub(super) revision: Option<Written<Revision>>,
}

/// When and how a bench counts as safe after switching off.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SafeFile {
    /// Output voltage under which the bench counts as safe. Default `0.5 V`.
    pub(super) vout: Option<Written<Volts>>,
    /// How long the output may take to fall under it. Default `5 s`.
    pub(super) within: Option<Written<Duration>>,
    /// In which order outputs are switched off: `["load", "source"]`.
    pub(super) order: Option<Vec<Written<String>>>,
}

/// Defines the table of an instrument: the keys that all instruments have, and its own.
macro_rules! instrument_tables {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $($(#[$doc])*
        #[derive(Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            /// VISA resource string, e.g. `TCPIP0::10.0.0.5::5025::SOCKET`, `ASRL/dev/ttyUSB0::INSTR` or `SIM::supply`.
            #[schemars(required)]
            pub(super) address: Option<Written<Address>>,
            /// Serial number that the instrument must have; another instrument at the address is then refused.
            pub(super) serial: Option<Written<String>>,
            /// Longest wait for an answer, where the family's own is not enough.
            pub(super) timeout: Option<Written<Duration>>,
            /// Baud rate of a serial line. Default 9600.
            pub(super) baud: Option<Written<u64>>,
            /// Day of the next calibration; shown in reports, warned about when past.
            pub(super) calibration_due: Option<Written<Date>>,
            $($(#[$field_doc])* pub(super) $field: $type,)*
        })*
    };
}

instrument_tables! {
    /// The supply that feeds the board.
    SourceFile {
        /// Family of instruments that speak alike, e.g. `rigol_dp800`.
        #[schemars(required)]
        family: Option<Written<String>>,
        /// The very model, e.g. `DP832`, so that a plan knows its limits before it is opened. Default: the family's best.
        model: Option<Written<String>>,
        /// Output number, from 1. Default 1.
        channel: Option<Written<u64>>,
        /// Hard limit: never set above, whatever a profile says.
        #[schemars(required)]
        max_voltage: Option<Written<Volts>>,
        /// Hard limit: never set above, whatever a profile says. The supply's current limit is set to it.
        #[schemars(required)]
        max_current: Option<Written<Amps>>,
        /// Resistance of both leads to the board together; 0 with remote sense. Default `0 Ohm`.
        lead: Option<Written<Ohms>>,
    }
    /// The electronic load on the board's output.
    LoadFile {
        /// Family of instruments that speak alike, e.g. `rigol_dl3000`.
        #[schemars(required)]
        family: Option<Written<String>>,
        /// The very model, e.g. `DL3021`, so that a plan knows its limits before it is opened. Default: the family's best.
        model: Option<Written<String>>,
        /// Hard limit: never set above, whatever a profile says.
        #[schemars(required)]
        max_current: Option<Written<Amps>>,
        /// Resistance of both leads from the board together; 0 with remote sense. Default `0 Ohm`.
        lead: Option<Written<Ohms>>,
    }
    /// The oscilloscope.
    ScopeFile {
        /// Family of instruments that speak alike, e.g. `rigol_ds1000z`.
        #[schemars(required)]
        family: Option<Written<String>>,
        /// The very model, e.g. `DS1104Z`, so that a plan knows its limits before it is opened. Default: the family's best.
        model: Option<Written<String>>,
        /// The probe on the board's output.
        #[schemars(required)]
        vout: Option<ProbeFile>,
        /// The probe on the switch node, if there is one.
        lx: Option<ProbeFile>,
    }
    /// A thermometer that sends lines of text.
    ThermometerFile {
        /// Where in a line the value stands.
        #[schemars(required)]
        pattern: Option<Written<PatternWord>>,
        /// The key of a `key_value` or `json` pattern.
        key: Option<Written<String>>,
        /// The column of a `csv` pattern, counted from 0.
        column: Option<Written<u64>>,
        /// What separates the columns of a `csv` pattern. Default `,`.
        separator: Option<Written<String>>,
        /// The unit that the sensor sends. Default `C`.
        unit: Option<Written<super::TemperatureScale>>,
        /// Lowest plausible value; below it the sensor is taken for broken. Default `-40 degC`.
        plausible_min: Option<Written<Celsius>>,
        /// Highest plausible value; above it the sensor is taken for broken. Default `150 degC`.
        plausible_max: Option<Written<Celsius>>,
        /// How old a reading may be. Default `3 s`.
        max_age: Option<Written<Duration>>,
        /// A value that is bit-identical for longer is frozen. Leave it out where the sensor's steps are coarse.
        frozen_after: Option<Written<Duration>>,
    }
}

/// Where in a line a sensor's value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatternWord {
    KeyValue,
    Csv,
    Json,
    Plain,
}

/// A probe and the channel it is on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProbeFile {
    /// Channel number, from 1.
    #[schemars(required)]
    pub(super) channel: Option<Written<u64>>,
    /// Attenuation of the probe, e.g. 10.
    #[schemars(required)]
    pub(super) ratio: Option<Written<f64>>,
    /// How the probe touches the board.
    #[schemars(required)]
    pub(super) fixture: Option<Written<super::check::Fixture>>,
}

/// Thermometers by role.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ThermometersFile {
    /// On the board, at its hottest part.
    pub(super) board: Option<ThermometerFile>,
    /// In the air beside the board.
    pub(super) ambient: Option<ThermometerFile>,
}

/// Settings of the simulated bench.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SimFile {
    /// Seed of noise and part values. Default 1.
    pub(super) seed: Option<Written<u64>>,
    /// Ambient temperature. Default `23 degC`.
    pub(super) ambient: Option<Written<Celsius>>,
    /// Whose identity the simulated load answers with. Default `rigol_dl3021`.
    pub(super) load_identity: Option<Written<super::check::LoadIdentity>>,
    /// How many times as fast as parts do the board ages: 100 makes years of a month. Default 0, not at all.
    pub(super) ageing: Option<Written<f64>>,
    /// Temperature of the room from the coldest to the warmest of a day. Default `0 K`.
    pub(super) day_swing: Option<Written<Kelvins>>,
    /// The bench stands in a closed box whose lid is opened for ten minutes about so often. Left out: no box.
    pub(super) lid_opens_every: Option<Written<Duration>>,
    /// Seed of a schedule of faults that every run meets. Left out: none. `run --faults` comes before it.
    pub(super) faults: Option<Written<u64>>,
}
