//! What the hours show, and no more: failures counted, bounds told, coverage with causes. Pure.

use std::time::Duration;

use super::story::Story;
use super::stream::Stream;
use crate::base::span::render_span;
use crate::event::{EarlyAnswer, StartCheck};
use crate::record::format::{LimitSummary, StartSummary};
use crate::trend::{BoardHours, Starts};

/// Confidence of the bounds on failures.
pub const CONFIDENCE: f64 = 0.9;

/// What counts as a failure, each with what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Hours with readings and the input on.
    pub board_hours: f64,
    /// Those of them before the first limit was broken: what failures are counted against.
    pub counted_hours: f64,
    /// All of them as they are told.
    pub told_hours: String,
    /// What counts as a failure of the board, a sentence each.
    pub failures: Vec<String>,
    /// What came of the looks at a start; `None` without any.
    pub starts: Option<StartSummary>,
    /// The sentence on hours, or why there is none.
    pub on_hours: Result<String, String>,
    /// The lowest MTBF that the hours show, in hours.
    pub mtbf_h: Option<f64>,
    /// The sentence on starts.
    pub on_starts: Option<Result<String, String>>,
    /// That it was ended early, and what that costs.
    pub on_end: Option<String>,
}

/// States what was shown.
#[must_use]
pub fn build(stream: &Stream, story: &Story, limits: &[LimitSummary]) -> Statement {
    // An earlier program told a breach at once, but counted it only at the end of its dwell.
    let mut failures: Vec<String> = limits
        .iter()
        .enumerate()
        .filter(|(place, limit)| limit.is_broken() || story.broken.contains(place))
        .map(|(_, limit)| format!("limit {} was broken", limit.name))
        .collect();
    let will_break = story.ended_early.as_ref().is_some_and(|look| look.answer == EarlyAnswer::Fail);
    if will_break && failures.is_empty() {
        failures.push("a limit will surely be broken".to_owned());
    }
    failures.extend(story.trips.iter().map(|what| format!("an interlock tripped: {what}")));
    let failed_starts = story.starts.iter().filter(|start| !start.started);
    failures.extend(failed_starts.map(|_| "a start failed".to_owned()));
    let in_hours = |span: Duration| span.as_secs_f64() / 3600.0;
    let failed = u32::try_from(failures.len()).unwrap_or(u32::MAX);
    let powered = BoardHours { hours: in_hours(stream.powered), failures: failed };
    // A board that is out of its limits is at work no more: its hours bound nothing.
    let hours = BoardHours { hours: in_hours(stream.working), failures: failed };
    let behind = BoardHours { hours: powered.hours - hours.hours, failures: 0 };
    let on_hours = hours.sentence(CONFIDENCE).map(|told| {
        if stream.powered == stream.working {
            return told;
        }
        format!("{told} {} h behind the first broken limit do not count.", behind.rounded_hours())
    });
    let on_end = story.ended_early.as_ref().map(|look| {
        format!(
            "It was ended early, as its profile allows: {}. The {} that were left out show nothing: of failures these hours \
             bound less than those planned would have.",
            look.what,
            render_span(look.planned.saturating_sub(look.done))
        )
    });
    Statement {
        board_hours: powered.hours,
        counted_hours: hours.hours,
        told_hours: powered.rounded_hours(),
        failures,
        on_hours: on_hours.map_err(|reason| reason.0),
        mtbf_h: hours.mtbf_at_least_h(CONFIDENCE).ok(),
        on_starts: (!story.starts.is_empty()).then(|| on_starts(&story.starts)),
        on_end,
        starts: (!story.starts.is_empty()).then(|| sum_starts(&story.starts)),
    }
}

/// Only a board that was off before has started.
fn sum_starts(checks: &[StartCheck]) -> StartSummary {
    let count = |pick: fn(&&StartCheck) -> bool| {
        u32::try_from(checks.iter().filter(pick).count()).unwrap_or(u32::MAX)
    };
    let (tried, failed) = (count(|check| !check.is_no_start()), count(|check| !check.started));
    let failure_at_most = Starts { starts: tried, failures: failed }.failure_at_most(CONFIDENCE).ok();
    StartSummary { tried, failed, none: count(|check| check.is_no_start()), failure_at_most }
}

fn on_starts(checks: &[StartCheck]) -> Result<String, String> {
    let StartSummary { tried, failed, none, .. } = sum_starts(checks);
    let (looks, count) = if none == 1 { ("look", "does not count") } else { ("looks", "do not count") };
    if tried == 0 {
        return Err(format!(
            "at {none} {looks} at a start the board had not been off before, so that none was made"
        ));
    }
    let told = Starts { starts: tried, failures: failed }.sentence(CONFIDENCE).map_err(|reason| reason.0)?;
    Ok(match none {
        0 => told,
        _ => format!("{told} {none} more {looks} at a start {count}: the board had not been off before."),
    })
}
