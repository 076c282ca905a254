//! `summary.json`.

use serde::{Deserialize, Serialize};

use super::{BoardEntry, SoakSummary};

/// `summary.json`: what a script or a shop-floor system wants to know of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of this file.
    pub format: u32,
    /// The run folder's name; its path where the command line prints it.
    pub run: String,
    /// Profile's name; `null` where the record ends before it was named.
    pub profile: Option<String>,
    /// The board.
    pub board: Option<BoardEntry>,
    /// `pass`, `not_judged`, `fail`, `incomplete`, `tripped`, `stopped` or `error`.
    pub verdict: String,
    /// Why, in a sentence.
    pub reason: String,
    /// How many points.
    pub points: PointCounts,
    /// Each limit with what came of it.
    pub limits: Vec<LimitSummary>,
    /// Whether the outputs were read back off and the output voltage was measured low at the end.
    pub outputs_off_verified: bool,
    /// When the run began, UTC.
    pub started: String,
    /// When it ended; `null` where the record does not say.
    pub ended: Option<String>,
    /// What a soak has shown; absent for a sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<SoakSummary>,
}

/// How many points were planned and what came of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PointCounts {
    /// In the plan.
    pub planned: u32,
    /// Measured to the end.
    pub finished: u32,
    /// At least one limit broken.
    pub failed: u32,
    /// No limit applies there.
    pub not_applicable: u32,
}

/// What came of one limit over all points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitSummary {
    /// Its name in the profile.
    pub name: String,
    /// The figure's key, e.g. `ripple_pp_v`.
    pub figure: String,
    /// The figure's unit; empty for a ratio.
    pub unit: String,
    /// Lowest good value.
    pub min: Option<f64>,
    /// Highest good value.
    pub max: Option<f64>,
    /// The bounds for people, e.g. `at most 50 mV`.
    pub bounds: String,
    /// Where it applies; empty for everywhere.
    pub condition: String,
    /// Points inside, away from the bounds.
    pub passed: u32,
    /// Points inside, but near a bound.
    pub marginal: u32,
    /// Points outside.
    pub failed: u32,
    /// Points where it does not apply.
    pub not_applicable: u32,
    /// Points where it applies but the figure could not be had.
    pub not_measured: u32,
    /// The value with the least room to a bound, or farthest beyond it.
    pub worst: Option<WorstValue>,
    /// What came of it in the readings of a soak; absent where none was held against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readings: Option<ReadingsSummary>,
}

/// What came of one limit in the readings of a soak.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReadingsSummary {
    /// Readings that were held against it.
    pub judged: u64,
    /// Of these, those inside, but near a bound.
    pub marginal: u64,
    /// Those outside.
    pub failed: u64,
    /// In how many dwells.
    pub dwells_failed: u64,
    /// The value with the least room to a bound, or farthest beyond it.
    pub worst: f64,
    /// Input voltage set there, in volts.
    pub vin_set_v: f64,
    /// Load set there, in amperes.
    pub load_set_a: f64,
    /// When the first one was outside, in seconds since the start of the run.
    pub first_s: Option<f64>,
}

impl LimitSummary {
    /// Readings outside.
    #[must_use]
    pub fn readings_failed(&self) -> u64 {
        self.readings.map_or(0, |readings| readings.failed)
    }
    /// Whether a point or a reading was outside.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.failed > 0 || self.readings_failed() > 0
    }
    /// Whether a point or a reading was near a bound.
    #[must_use]
    pub fn is_marginal(&self) -> bool {
        self.marginal > 0 || self.readings.is_some_and(|readings| readings.marginal > 0)
    }
}

/// A value and where it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WorstValue {
    /// In the figure's unit.
    pub value: f64,
    /// Number of the point.
    pub point: u32,
    /// Input voltage set there, in volts.
    pub vin_set_v: f64,
    /// Load set there, in amperes.
    pub load_set_a: f64,
}
