//! What stands on the disk, as serde sees it: a mirror of the events, so that a change in the program never changes a file
//! by accident. `docs/record-format.md` is its description for people. Any change that an older reader would misread, a
//! new kind of entry or a new word among them, raises [`VERSION`].

mod baseline;
mod soak;
mod soak_summary;
mod summary;
mod trace;

use std::collections::BTreeMap;

use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use baseline::{BASELINE_VERSION, Baseline, BaselineRun};
pub use soak_summary::{DriftSummary, GapSummary, SoakSummary, StartSummary, ValuesMissing};
pub use summary::{LimitSummary, PointCounts, ReadingsSummary, Summary, WorstValue};

pub(super) use trace::{AcquisitionEntry, CouplingWord, NoiseFloorEntry, ScreenEntry, WaveformEntry};

pub(super) use soak::{
    BeforeEntry, BrokenEntry, DeadmanDrilled, DwellEndWord, DwellEntry, EarlyEntry, EarlyWord, GapEntry,
    GapWord, JudgedEntry, LoadChangeEntry, PhaseEntry, ReadingCheckEntry, ReadingsEntry, ReadingsHead,
    RunResumed, SetEntry, SoakEntry, StartEntry,
};

/// The version of the journal that this program writes; it reads all up to it.
pub const VERSION: u32 = 3;

/// The version of `summary.json`.
pub const SUMMARY_VERSION: u32 = 1;

/// A number in JSON; what JSON cannot say as a number (`inf`, `-inf`, `nan`) is a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number(pub(super) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.serialize_str(if self.0.is_nan() {
                "nan"
            } else if self.0 > 0.0 {
                "inf"
            } else {
                "-inf"
            })
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = f64;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, \"inf\", \"-inf\" or \"nan\"")
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
                Ok(value)
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
                Ok(value as f64)
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
                Ok(value as f64)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
                match text {
                    "inf" => Ok(f64::INFINITY),
                    "-inf" => Ok(f64::NEG_INFINITY),
                    "nan" => Ok(f64::NAN),
                    other => Err(E::custom(format!("`{}` is no number", other.escape_debug()))),
                }
            }
        }
        deserializer.deserialize_any(Any).map(Self)
    }
}

/// A line of the journal without its check sum, as written.
#[derive(Debug, Serialize)]
pub(super) struct BodyOut<'e> {
    pub(super) seq: u64,
    pub(super) utc: &'e str,
    pub(super) ns: u64,
    pub(super) entry: &'e Entry,
}

/// A line of the journal without its check sum, as read.
#[derive(Debug, Deserialize)]
pub(super) struct BodyIn {
    pub(super) seq: u64,
    pub(super) utc: String,
    pub(super) ns: u64,
    pub(super) entry: Entry,
}

/// Only the version, for records that this program cannot read as a whole.
#[derive(Debug, Deserialize)]
pub(super) struct VersionProbe {
    pub(super) entry: VersionProbeEntry,
}

#[derive(Debug, Deserialize)]
pub(super) struct VersionProbeEntry {
    pub(super) header: VersionProbeHeader,
}

#[derive(Debug, Deserialize)]
pub(super) struct VersionProbeHeader {
    pub(super) version: u32,
}

/// Everything a line can say.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry {
    Header(Header),
    Waveform(Box<WaveformEntry>),
    Screen(ScreenEntry),
    RunStarted(Box<RunStarted>),
    InstrumentOpened(InstrumentOpened),
    ProtectionSet {
        role: String,
        over_voltage_v: Option<Number>,
        over_current_a: Option<Number>,
    },
    WiringChecked {
        findings: Vec<String>,
    },
    NoiseFloorMeasured(Box<NoiseFloorEntry>),
    OutputSwitched {
        role: String,
        on: bool,
    },
    PointStarted {
        point: u32,
        vin_set_v: Number,
        load_set_a: Number,
        attempt: u32,
    },
    Settled {
        point: u32,
        took_ns: u64,
        settled: bool,
    },
    PointFinished(Box<PointFinished>),
    PhaseStarted(PhaseEntry),
    /// A [`ReadingsEntry`], which is only read where readings are asked for: of a long soak nearly all is readings.
    ReadingsTaken(Box<RawValue>),
    DwellFinished(DwellEntry),
    StartChecked(StartEntry),
    LookedEarly(EarlyEntry),
    LimitBroken(BrokenEntry),
    ReadingsJudged(JudgedEntry),
    GapFound(GapEntry),
    EvidenceKept {
        point: u32,
        why: String,
    },
    ClockStepped {
        by_s: Number,
    },
    RunResumed(RunResumed),
    Retried {
        role: String,
        what: String,
        attempt: u32,
    },
    SensorFailed {
        role: String,
        what: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        withheld_points: Vec<u32>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        withheld_judged: Vec<JudgedEntry>,
    },
    InterlockHeld {
        what: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        load: Option<LoadChangeEntry>,
    },
    InterlockReleased {
        what: String,
        held_ns: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        load: Option<LoadChangeEntry>,
    },
    InterlockTripped {
        what: String,
    },
    StopRequested {
        stop: StopWord,
    },
    Warned {
        what: String,
    },
    MessageUnsent(Box<UnsentEntry>),
    TemperatureRead {
        role: String,
        temperature_c: Number,
    },
    DeadmanDrilled(Box<DeadmanDrilled>),
    MadeSafe(MadeSafe),
    RunFinished(RunFinished),
}

/// The journal's first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u32,
    pub(super) run: String,
    /// SHA-256 of each file that the run was started with.
    pub(super) files: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StopWord {
    AfterPoint,
    Now,
}

/// A board, in the journal and in `summary.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardEntry {
    /// Serial number.
    pub serial: String,
    /// Revision.
    pub revision: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RunStarted {
    pub(super) software: String,
    pub(super) profile: String,
    pub(super) purpose: String,
    pub(super) rig: String,
    pub(super) simulated: bool,
    pub(super) board: BoardEntry,
    pub(super) operator: Option<String>,
    pub(super) note: Option<String>,
    pub(super) points_planned: u32,
    pub(super) seed: Option<u64>,
    pub(super) plan_digest: String,
    pub(super) rig_digest: String,
    pub(super) profile_digest: String,
    pub(super) limits: Vec<LimitEntry>,
    pub(super) vout_nominal_v: Number,
    pub(super) settle_rule: String,
    /// Version of the definition that each figure of a trace was made by; records of format 1 do not say.
    #[serde(default)]
    pub(super) definitions: BTreeMap<String, u16>,
    /// Absent for a sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) soak: Option<SoakEntry>,
    /// Absent for a run by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) turn: Option<TurnEntry>,
}

/// A place in an order of runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TurnEntry {
    pub(super) order: String,
    pub(super) number: u32,
    pub(super) of: u32,
    pub(super) reference: bool,
    /// Absent where the place did not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) board: Option<BoardEntry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LimitEntry {
    pub(super) name: String,
    pub(super) figure: String,
    pub(super) min: Option<Number>,
    pub(super) max: Option<Number>,
    pub(super) condition: Vec<ClauseEntry>,
    pub(super) marginal: Number,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ClauseEntry {
    pub(super) operand: OperandWord,
    pub(super) comparison: ComparisonWord,
    pub(super) value: Number,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OperandWord {
    Vin,
    Load,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ComparisonWord {
    #[serde(rename = "<")]
    Below,
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = ">")]
    Above,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InstrumentOpened {
    pub(super) role: String,
    pub(super) address: String,
    pub(super) family: String,
    pub(super) maker: String,
    pub(super) model: String,
    pub(super) serial: String,
    pub(super) firmware: String,
    pub(super) calibration_due: Option<CalibrationEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CalibrationEntry {
    pub(super) day: String,
    pub(super) past: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PointFinished {
    pub(super) point: u32,
    pub(super) repeat: u32,
    /// Absent for a point of a sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) phase: Option<u16>,
    pub(super) vin_set_v: Number,
    pub(super) load_set_a: Number,
    pub(super) figures: BTreeMap<String, FigureEntry>,
    /// Figures that are only bounds; absent where there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) bounds: BTreeMap<String, BoundWord>,
    pub(super) region: String,
    /// Records made before it was asked for do not say.
    #[serde(default)]
    pub(super) supply_regulation: Option<RegulationEntry>,
    pub(super) checks: Vec<CheckEntry>,
    pub(super) verdict: String,
    pub(super) notes: Vec<String>,
}

/// On which side of a figure's magnitude the truth lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum BoundWord {
    Upper,
    Lower,
}

/// A number, or `{"unavailable": "why"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum FigureEntry {
    Value(Number),
    Unavailable { unavailable: String },
}

/// A word, or `{"unavailable": "why"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum RegulationEntry {
    Word(String),
    Unavailable { unavailable: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct CheckEntry {
    pub(super) limit: u32,
    pub(super) outcome: OutcomeEntry,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeEntry {
    Pass(Number),
    Marginal(Number),
    Fail(Number),
    NotApplicable,
    NotMeasured(String),
}

/// A message to people that did not go out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UnsentEntry {
    pub(super) way: String,
    pub(super) level: String,
    pub(super) what: String,
    pub(super) attempts: u32,
    pub(super) why: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct MadeSafe {
    pub(super) load_off: bool,
    pub(super) supply_off: bool,
    pub(super) vout_v: FigureEntry,
    pub(super) verified: bool,
    pub(super) attempts: u32,
    pub(super) failures: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunFinished {
    pub(super) verdict: String,
    pub(super) reason: String,
    pub(super) points_finished: u32,
    pub(super) points_failed: u32,
    pub(super) points_not_applicable: u32,
    pub(super) outputs_off_verified: bool,
}
