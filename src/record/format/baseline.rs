//! A kept baseline as it stands on the disk.

use serde::{Deserialize, Serialize};

/// The version of a baseline's file.
pub const BASELINE_VERSION: u32 = 1;

/// Runs that later ones are held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The version of this file.
    pub format: u32,
    /// What it is called.
    pub name: String,
    /// The revisions of its boards.
    pub revisions: Vec<String>,
    /// When it was kept.
    pub kept: String,
    /// Its runs.
    pub runs: Vec<BaselineRun>,
}

/// A run of a baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineRun {
    /// The run folder: its name beside the baselines' folder, or a whole path.
    pub run: String,
    /// SHA-256 of its journal, so that another run under that name is no baseline.
    pub journal_sha256: String,
}
