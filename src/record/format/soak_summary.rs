//! The soak's part of `summary.json`.

use serde::{Deserialize, Serialize};

/// What a soak has shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SoakSummary {
    /// Hours with readings and the input on.
    pub board_hours: f64,
    /// Those of them before the first limit was broken, against which failures are counted; `null` from an earlier program, which
    /// counted against all.
    #[serde(default)]
    pub counted_hours: Option<f64>,
    /// What counts as a failure, each with what it was.
    pub failures: Vec<String>,
    /// The MTBF that the counted hours show at least, in hours; `null` where they show none.
    pub mtbf_at_least_h: Option<f64>,
    /// The honest statement, a sentence each on hours and starts.
    pub statement: Vec<String>,
    /// Confidence of the bounds on failures.
    pub confidence: f64,
    /// Starts that were looked at, or should have been; `null` without any.
    pub starts: Option<StartSummary>,
    /// Readings that are there, at what the plan sets.
    pub readings: u64,
    /// Of those that were due, in per cent, rounded down; `null` where none was due.
    pub coverage_percent: Option<f64>,
    /// Readings that were taken while an interlock held the run, at a lowered load.
    #[serde(default)]
    pub readings_held: u64,
    /// Of those that were due, in per cent.
    #[serde(default)]
    pub held_percent: Option<f64>,
    /// Values that are missing in readings that are there, by column; such readings count as there.
    #[serde(default)]
    pub values_missing: Vec<ValuesMissing>,
    /// What is missing, by cause.
    pub gaps: Vec<GapSummary>,
    /// How often the board was warmed up again after a gap.
    #[serde(default)]
    pub rewarms: u64,
    /// Hours that this took together; the board-hours hold them.
    #[serde(default)]
    pub rewarm_hours: f64,
    /// When the last reading was taken, UTC; `null` without any.
    pub last_reading: Option<String>,
    /// Confidence of the intervals of drifts.
    pub drift_confidence: f64,
    /// Drifts, by phase, setting and figure.
    pub drift: Vec<DriftSummary>,
}

/// Starts that were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StartSummary {
    /// How many.
    pub tried: u32,
    /// Those that failed.
    pub failed: u32,
    /// Looks at a start that was none, for the board had not been off; not among those tried. 0 where nobody looked.
    #[serde(default)]
    pub none: u32,
    /// The probability that a start fails is at most this.
    pub failure_at_most: Option<f64>,
}

/// Readings that are missing for one cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GapSummary {
    /// `instrument`, `interlock`, `controller` or `sleep`.
    pub cause: String,
    /// How many gaps.
    pub gaps: u64,
    /// How many readings are missing in them.
    pub readings: u64,
    /// Of those that were due, in per cent.
    #[serde(default)]
    pub percent: Option<f64>,
}

/// Readings that are there and lack one value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValuesMissing {
    /// The column of `samples.csv`.
    pub column: String,
    /// How many readings lack it.
    pub readings: u64,
    /// Of those that are there, in per cent.
    pub percent: f64,
    /// In how many stretches.
    pub stretches: u64,
    /// The first few different causes; empty where nothing tells one.
    pub why: Vec<String>,
}

/// The drift of one figure at one setting of one phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftSummary {
    /// Name of the phase.
    pub phase: String,
    /// Input voltage that was held, in volts.
    pub vin_v: f64,
    /// Load that was held, in amperes.
    pub load_a: f64,
    /// The figure.
    pub figure: String,
    /// Unit of the drift an hour; empty for a ratio.
    pub unit: String,
    /// Drift an hour; `null` where there is none, and `why_not` says why.
    pub per_hour: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// Why there is none.
    pub why_not: Option<String>,
}
