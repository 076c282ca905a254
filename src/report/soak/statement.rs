//! What the hours show, and no more: failures counted, bounds told, coverage with causes. Pure.

use std::collections::BTreeMap;

use super::story::{MarkKind, Story};
use super::stream::Stream;
use crate::event::{Gap, GapCause, StartCheck};
use crate::record::format::LimitSummary;
use crate::trend::{BoardHours, Starts};

/// Confidence of the bounds on failures.
pub const CONFIDENCE: f64 = 0.9;

/// How many of the readings are there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coverage {
    /// Readings that are there.
    pub taken: u64,
    /// Readings that are missing, by cause, with the number of gaps.
    pub missed: BTreeMap<GapCause, (u64, u64)>,
}

impl Coverage {
    /// Counts gaps.
    #[must_use]
    pub fn build(taken: u64, gaps: &[Gap]) -> Self {
        let mut missed: BTreeMap<GapCause, (u64, u64)> = BTreeMap::new();
        for gap in gaps {
            let count = missed.entry(gap.cause).or_default();
            *count = (count.0 + gap.missed, count.1 + 1);
        }
        Self { taken, missed }
    }
    /// The part that is there; `None` where no reading was due.
    #[must_use]
    pub fn part(&self) -> Option<f64> {
        let due = self.taken + self.missed.values().map(|(missed, _)| missed).sum::<u64>();
        (due > 0).then(|| self.taken as f64 / due as f64)
    }
    /// In per cent, rounded down: 100 % is said only where nothing is missing.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        self.part().map(|part| (part * 1e5 + 1e-6).floor() / 1e3)
    }
}

/// What counts as a failure, each with what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Hours with readings and the input on.
    pub board_hours: f64,
    /// What counts as a failure of the board, a sentence each.
    pub failures: Vec<String>,
    /// Starts that were looked at, and those that failed; `None` without any.
    pub starts: Option<(u32, u32)>,
    /// The sentence on hours, or why there is none.
    pub on_hours: Result<String, String>,
    /// The lowest MTBF that the hours show, in hours.
    pub mtbf_h: Option<f64>,
    /// The sentence on starts.
    pub on_starts: Option<Result<String, String>>,
    /// The highest probability of a failed start that they leave.
    pub start_failure: Option<f64>,
}

/// States what was shown.
#[must_use]
pub fn build(stream: &Stream, story: &Story, limits: &[LimitSummary], interval_s: f64) -> Statement {
    let mut failures: Vec<String> = limits
        .iter()
        .filter(|limit| limit.failed > 0)
        .map(|limit| format!("limit {} was broken", limit.name))
        .collect();
    failures.extend((0..story.count(MarkKind::Trip)).map(|_| "an interlock tripped".to_owned()));
    let failed = story.starts.iter().filter(|start| !start.started).count();
    failures.extend((0..failed).map(|_| "a start failed".to_owned()));
    let hours = BoardHours {
        hours: stream.powered as f64 * interval_s / 3600.0,
        failures: u32::try_from(failures.len()).unwrap_or(u32::MAX),
    };
    let starts = starts(&story.starts);
    Statement {
        board_hours: hours.hours,
        failures,
        on_hours: hours.sentence(CONFIDENCE).map_err(|reason| reason.0),
        mtbf_h: hours.mtbf_at_least_h(CONFIDENCE).ok(),
        on_starts: starts.map(|starts| starts.sentence(CONFIDENCE).map_err(|reason| reason.0)),
        start_failure: starts.and_then(|starts| starts.failure_at_most(CONFIDENCE).ok()),
        starts: starts.map(|starts| (starts.starts, starts.failures)),
    }
}

fn starts(checks: &[StartCheck]) -> Option<Starts> {
    let count = |failed: bool| checks.iter().filter(|check| !failed || !check.started).count();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    (!checks.is_empty()).then(|| Starts { starts: number(count(false)), failures: number(count(true)) })
}
