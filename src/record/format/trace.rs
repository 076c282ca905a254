//! What stands on the disk of a trace beside its samples, as serde sees it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FigureEntry, Number};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct WaveformEntry {
    pub(in crate::record) file: String,
    pub(in crate::record) point: u32,
    pub(in crate::record) samples: u64,
    /// `u1`, `i2` or `f4`, as numpy names them.
    pub(in crate::record) codes: String,
    /// CRC32 of the codes' bytes.
    pub(in crate::record) codes_crc: String,
    pub(in crate::record) volts_per_code: Number,
    pub(in crate::record) zero_code: Number,
    pub(in crate::record) code_offset_v: Number,
    pub(in crate::record) min_code: i32,
    pub(in crate::record) max_code: i32,
    pub(in crate::record) start_s: Number,
    pub(in crate::record) step_s: Number,
    #[serde(flatten)]
    pub(in crate::record) acquisition: AcquisitionEntry,
}

/// The conditions of a capture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct AcquisitionEntry {
    pub(in crate::record) signal: String,
    pub(in crate::record) channel: u8,
    pub(in crate::record) coupling: CouplingWord,
    pub(in crate::record) bandwidth_limit_hz: Option<Number>,
    pub(in crate::record) probe_ratio: Number,
    /// Records made before it was asked for do not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(in crate::record) fixture: String,
    pub(in crate::record) volts_per_div: Number,
    pub(in crate::record) offset_v: Number,
    pub(in crate::record) memory_depth: u64,
    pub(in crate::record) purpose: String,
    pub(in crate::record) range_note: Option<String>,
}

/// A capture of the bench's own noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct NoiseFloorEntry {
    pub(in crate::record) step_s: Number,
    #[serde(flatten)]
    pub(in crate::record) acquisition: AcquisitionEntry,
    pub(in crate::record) figures: BTreeMap<String, FigureEntry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::record) struct ScreenEntry {
    pub(in crate::record) file: String,
    pub(in crate::record) point: u32,
    pub(in crate::record) bytes: u64,
    pub(in crate::record) crc: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::record) enum CouplingWord {
    #[serde(rename = "DC")]
    Dc,
    #[serde(rename = "AC")]
    Ac,
}
