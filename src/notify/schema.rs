//! The table `[notify]` as it is written. What the keys mean together is judged in `settings.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;

use super::level::Level;
use crate::plan::written::{FromScalar, Scalar, Written, Wrong, choose};

/// Whom to tell, and of what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NotifyFile {
    /// A program and its arguments; no shell reads them. `{level}`, `{message}`, `{count}`, `{run}`, `{profile}`, `{board}`,
    /// `{rig}` and `{state}` are filled in.
    pub(super) command: Option<Vec<Written<String>>>,
    /// Where the message is posted as JSON.
    pub(super) url: Option<Written<String>>,
    /// Headers that are sent with it.
    pub(super) headers: Option<BTreeMap<String, Written<String>>>,
    /// What is told. Default: all.
    pub(super) on: Option<Vec<Written<Level>>>,
    /// How often it is told that the run goes on. Default `6 h`.
    pub(super) alive_every: Option<Written<Duration>>,
    /// How often the same warning is told at most; those between are counted. Default `10 min`.
    pub(super) repeat_every: Option<Written<Duration>>,
    /// How long one attempt may take. Default `20 s`.
    pub(super) timeout: Option<Written<Duration>>,
    /// How often a message that failed is tried again. Default 5.
    pub(super) retries: Option<Written<u64>>,
    /// How long the end of a run waits for its last message. Default `30 s`.
    pub(super) wait_at_end: Option<Written<Duration>>,
}

impl FromScalar for Level {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        choose(scalar, &Self::ALL)
    }
    fn schema() -> Schema {
        json_schema!({ "type": "string", "enum": Self::ALL.map(|(word, _)| word) })
    }
}
