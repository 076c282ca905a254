//! What to do, checked. A profile knows no rig.

mod axis;
mod capture;
mod check;
mod limit;
mod schema;
pub mod soak;

use std::time::Duration;

use crate::base::names::{ProfileName, Revision, Serial};
use crate::base::units::{Amps, Celsius, Volts};
use crate::event::{FigureName, Limit, Setting};
use crate::plan::place::Places;

pub(in crate::plan) use capture::{TraceNeed, trace_need};
pub use check::{json_schema, parse};

/// A checked profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Short name.
    pub name: ProfileName,
    /// One sentence.
    pub purpose: String,
    /// Board serial, unless the command line names one.
    pub serial: Option<Serial>,
    /// Board revision, unless the command line names one.
    pub revision: Option<Revision>,
    /// Operator, unless the command line names one.
    pub operator: Option<String>,
    /// Free notes.
    pub note: Option<String>,
    /// Input voltages of a sweep in the order written; empty for a soak without sweeps.
    pub vin: Vec<Volts>,
    /// Load currents of a sweep in the order written; empty for a soak without sweeps.
    pub load: Vec<Amps>,
    /// In which order the points are taken.
    pub order: Order,
    /// How often each point is measured.
    pub repeats: u32,
    /// The regulated output voltage the board should have.
    pub vout_nominal: Volts,
    /// When a point counts as settled.
    pub settle: SettleRule,
    /// What holds or trips.
    pub interlocks: Interlocks,
    /// Which figures are wanted.
    pub figures: Vec<FigureName>,
    /// What is captured, if figures of a trace are wanted.
    pub capture: Option<CaptureSelection>,
    /// What makes it a soak; `None` for a sweep.
    pub soak: Option<soak::Soak>,
    /// Limits.
    pub limits: Vec<Limit>,
    /// How far above the largest planned point the instruments' own protection is set, as a ratio (0.1 = 10 %).
    pub protection_margin: f64,
    /// SHA-256 of the file's text, in hex.
    pub digest: String,
    /// Where in the file each value stands.
    pub places: Places,
}

impl Profile {
    /// The highest input voltage of sweep and soak.
    #[must_use]
    pub fn highest_vin(&self) -> Volts {
        let of_phases = self.soak.iter().flat_map(|soak| soak.phases.iter().flat_map(|phase| &phase.vin));
        self.vin.iter().chain(of_phases).fold(Volts(0.0), |most, vin| if *vin > most { *vin } else { most })
    }

    /// The highest load current of sweep and soak.
    #[must_use]
    pub fn highest_load(&self) -> Amps {
        let of_phases = self.soak.iter().flat_map(|soak| soak.phases.iter().flat_map(|phase| &phase.load));
        self.load
            .iter()
            .chain(of_phases)
            .fold(Amps(0.0), |most, load| if *load > most { *load } else { most })
    }

    /// Everything that is set: every input voltage with every load, of the sweep and of each phase.
    pub fn settings(&self) -> impl Iterator<Item = Setting> + '_ {
        let of_phases = self.soak.iter().flat_map(|soak| &soak.phases);
        let axes = std::iter::once((&self.vin, &self.load));
        let axes = axes.chain(of_phases.map(|phase| (&phase.vin, &phase.load)));
        axes.flat_map(|(vin, load)| {
            vin.iter().flat_map(move |vin| load.iter().map(move |load| Setting { vin: *vin, load: *load }))
        })
    }
}

/// In which order points are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// For each input voltage all loads, as written.
    Written,
    /// As written, but every other row of loads backwards, so that the load moves in small steps.
    Snake,
    /// Shuffled with a seed.
    Shuffled {
        /// The seed.
        seed: u64,
    },
}

/// When a point counts as settled: Vout has stayed within `band` for `hold`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SettleRule {
    /// Peak-to-peak band of successive Vout readings.
    pub band: Volts,
    /// How long it must stay inside.
    pub hold: Duration,
    /// Never before this time after the last change.
    pub minimum: Duration,
    /// After this time the point is measured as it is and marked "not settled".
    pub limit: Duration,
    /// Time between readings.
    pub interval: Duration,
}

/// What on the measured side holds or trips the run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Interlocks {
    /// Vout above this trips.
    pub over_voltage: Option<Volts>,
    /// Input current above this trips.
    pub over_current: Option<Amps>,
    /// Board temperature above this trips.
    pub over_temperature: Option<Celsius>,
    /// Board temperature above this holds the run with the load at `derate_to` until it is below `resume_temperature`.
    pub hold_temperature: Option<Celsius>,
    /// See `hold_temperature`.
    pub resume_temperature: Option<Celsius>,
    /// Part of the load that is kept while the run is held, as a ratio; 0: no load.
    pub derate_to: f64,
    /// Longest hold; then it trips.
    pub hold_limit: Duration,
    /// Board temperature above this is told, once.
    pub warn_temperature: Option<Celsius>,
    /// Temperature beside the board above this is told, once.
    pub warn_ambient: Option<Celsius>,
    /// Temperature beside the board above this trips.
    pub over_ambient: Option<Celsius>,
    /// Board temperature rising faster than this, in kelvins a minute, trips.
    pub rise_k_per_min: Option<f64>,
    /// How long a needed reading (thermometer, supply, load) may be lost or stale before it trips.
    pub lost_reading: Duration,
}

/// What is captured at every point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptureSelection {
    /// Length of a record.
    pub span: Duration,
    /// Samples of a record.
    pub samples: usize,
    /// The AC-coupled narrow-range acquisition for ripple.
    pub ripple: bool,
    /// The wide-range acquisition for spikes.
    pub spikes: bool,
    /// Whether the ripple acquisition is taken with the scope's 20 MHz limiter.
    pub ripple_bandwidth_limit: bool,
    /// Keep the traces of every point (`true`) or only make figures of them.
    pub keep: bool,
    /// Take the scope's own screen at every n-th point; 0 never.
    pub screen_every: u32,
    /// How often a trace whose range does not fit is taken again.
    pub range_attempts: u32,
    /// Whether the noise of the bench itself is captured once, with the outputs off.
    pub noise_floor: bool,
}
