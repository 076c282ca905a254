//! What stands on the disk of a soak beside its points, as serde sees it.

use serde::{Deserialize, Serialize};

use super::{FigureEntry, Number};

/// Readings of one dwell, a column a value; `null` where there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct ReadingsEntry {
    pub(in crate::record) dwell: u32,
    pub(in crate::record) done_ns: u64,
    /// Whether an interlock held the run; absent where none did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::record) held: bool,
    /// Monotonic time of the first reading; the others stand in `t_ms` behind it.
    pub(in crate::record) first_ns: u64,
    pub(in crate::record) t_ms: Vec<u64>,
    pub(in crate::record) vin_v: Vec<Option<f64>>,
    pub(in crate::record) iin_a: Vec<Option<f64>>,
    pub(in crate::record) vout_v: Vec<Option<f64>>,
    pub(in crate::record) iout_a: Vec<Option<f64>>,
    pub(in crate::record) board_c: Vec<Option<f64>>,
    pub(in crate::record) ambient_c: Vec<Option<f64>>,
    /// Absent where no reading was held against a limit, and in records of earlier programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::record) judged: Option<JudgedEntry>,
}

/// What can be known of readings without reading them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(in crate::record) struct ReadingsHead {
    pub(in crate::record) dwell: u32,
    pub(in crate::record) done_ns: u64,
    #[serde(default)]
    pub(in crate::record) judged: Option<JudgedEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::record) struct PhaseEntry {
    pub(in crate::record) phase: u16,
    pub(in crate::record) name: String,
    pub(in crate::record) round: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct DwellEntry {
    pub(in crate::record) dwell: u32,
    pub(in crate::record) took_ns: u64,
    pub(in crate::record) end: DwellEndWord,
    /// Absent where none is.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(in crate::record) left_out: u32,
    /// Absent with the outputs off, and in records of an earlier program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::record) set: Option<SetEntry>,
}

/// What was set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct SetEntry {
    pub(in crate::record) vin_v: Number,
    pub(in crate::record) load_a: Number,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
const fn is_none(count: &u32) -> bool {
    *count == 0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::record) enum DwellEndWord {
    Time,
    Steady,
    NotSteady,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct StartEntry {
    pub(in crate::record) start: u32,
    pub(in crate::record) vin_set_v: Number,
    pub(in crate::record) load_set_a: Number,
    /// Absent in records of earlier programs, which did not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::record) before: Option<BeforeEntry>,
    pub(in crate::record) took_s: FigureEntry,
    pub(in crate::record) vout_v: FigureEntry,
    pub(in crate::record) started: bool,
}

/// The output before the input came on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct BeforeEntry {
    pub(in crate::record) vout_v: Number,
    pub(in crate::record) was_off: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::record) struct GapEntry {
    pub(in crate::record) from_ns: u64,
    pub(in crate::record) to_ns: u64,
    pub(in crate::record) missed: u64,
    pub(in crate::record) cause: GapWord,
    pub(in crate::record) what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::record) enum GapWord {
    Instrument,
    Interlock,
    Controller,
    Sleep,
}

/// What an interlock that holds or releases does to the load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct LoadChangeEntry {
    pub(in crate::record) from_a: Number,
    pub(in crate::record) to_a: Number,
}

/// A look at whether the answer of a soak is clear before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::record) struct EarlyEntry {
    pub(in crate::record) look: u32,
    pub(in crate::record) looks: u32,
    pub(in crate::record) answer: EarlyWord,
    pub(in crate::record) done_ns: u64,
    pub(in crate::record) planned_ns: u64,
    pub(in crate::record) what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::record) enum EarlyWord {
    GoOn,
    Pass,
    Fail,
}

/// The first breach of a limit: at a point, or in a reading of a dwell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::record) struct BrokenEntry {
    pub(in crate::record) limit: u32,
    pub(in crate::record) point: Option<u32>,
    pub(in crate::record) dwell: Option<u32>,
    pub(in crate::record) what: String,
}

/// What came of the limits in readings of a dwell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct JudgedEntry {
    pub(in crate::record) dwell: u32,
    pub(in crate::record) vin_set_v: Number,
    pub(in crate::record) load_set_a: Number,
    pub(in crate::record) checks: Vec<ReadingCheckEntry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct ReadingCheckEntry {
    pub(in crate::record) limit: u32,
    pub(in crate::record) judged: u64,
    pub(in crate::record) marginal: u64,
    pub(in crate::record) failed: u64,
    pub(in crate::record) worst: Number,
    /// The first reading outside, by the run's monotonic clock.
    pub(in crate::record) first_ns: Option<u64>,
}

/// What makes a run a soak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::record) struct SoakEntry {
    pub(in crate::record) interval_ns: u64,
    pub(in crate::record) phases: Vec<String>,
    pub(in crate::record) dwells_last_ns: u64,
    pub(in crate::record) dwells: u32,
    pub(in crate::record) starts: u32,
}

/// That a run was gone on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::record) struct RunResumed {
    /// Null where the wall clock was set back meanwhile.
    pub(in crate::record) gap_ns: Option<u64>,
    pub(in crate::record) points_finished: u32,
    pub(in crate::record) what: String,
}

/// A drill of the dead-man.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct DeadmanDrilled {
    pub(in crate::record) kind: String,
    pub(in crate::record) verdict: String,
    pub(in crate::record) reason: String,
    pub(in crate::record) energised_v: FigureEntry,
    pub(in crate::record) off_after_s: FigureEntry,
    pub(in crate::record) supply_v: FigureEntry,
    pub(in crate::record) vout_v: FigureEntry,
}
