//! `summary.json`, from the events alone.

use std::collections::BTreeSet;

use crate::event::{Event, Limit, Outcome, PointResult, PointVerdict, RunVerdict};

use super::export_csv::rounded;
use super::format::{
    BoardEntry, LimitSummary, PointCounts, ReadingsSummary, SUMMARY_VERSION, Summary, WorstValue,
};
use super::recover::Tail;
use super::{Record, RecordError};

/// The summary's name in a run folder.
pub const FILE_NAME: &str = "summary.json";

/// What came of a run. A record without an end is never a pass: it is `incomplete`, or `tripped` where an interlock
/// tripped before it breaks off. What a soak has shown is added by the report, which alone reads the readings.
#[must_use]
pub fn build(record: &Record) -> Summary {
    let facts = record.facts();
    let points = record.points();
    let (verdict, reason) = verdict(record, &points);
    let count = |verdict: PointVerdict| points.iter().filter(|point| point.verdict == verdict).count() as u32;
    Summary {
        format: SUMMARY_VERSION,
        run: record.run().to_owned(),
        profile: facts.map(|facts| facts.profile.to_string()),
        board: facts.map(|facts| BoardEntry {
            serial: facts.board.serial.to_string(),
            revision: facts.board.revision.to_string(),
        }),
        verdict: verdict.to_string(),
        reason,
        points: PointCounts {
            planned: planned(record),
            finished: points.len() as u32,
            failed: count(PointVerdict::Fail),
            not_applicable: count(PointVerdict::NotApplicable),
        },
        limits: facts.map_or_else(Vec::new, |facts| {
            facts
                .limits
                .iter()
                .enumerate()
                .map(|(place, limit)| LimitSummary {
                    readings: readings_summary((place, limit), record),
                    ..limit_summary(place, limit, &points)
                })
                .collect()
        }),
        outputs_off_verified: record.outputs_off_verified(),
        started: record.started().utc.to_string(),
        ended: record.end().map(|(at, _)| at.utc.to_string()),
        soak: None,
    }
}

/// The file's bytes.
///
/// # Errors
/// It has no form as JSON, which is a fault of this program.
pub fn render(summary: &Summary) -> Result<String, RecordError> {
    let text =
        serde_json::to_string_pretty(summary).map_err(|error| RecordError::no_form(FILE_NAME, error))?;
    Ok(format!("{text}\n"))
}

/// Points of the plan, but for those that are left out because the board was warm before they were due.
fn planned(record: &Record) -> u32 {
    let left_out = record.events().iter().map(|logged| match logged.event {
        Event::DwellFinished { left_out, .. } => left_out,
        _ => 0,
    });
    record
        .facts()
        .map_or(0, |facts| facts.points_planned.saturating_sub(left_out.fold(0, u32::saturating_add)))
}

fn verdict(record: &Record, points: &[&PointResult]) -> (RunVerdict, String) {
    if let Some((ended, end)) = record.end() {
        let later = record.verified_later();
        let reason = later.map_or_else(|| end.reason.clone(), |verified| end.verified_later(ended, verified));
        return (end.verdict, reason);
    }
    let planned = planned(record);
    let mut reason = format!("the record breaks off after {} of {planned} points", points.len());
    if let Tail::Torn { line, bytes, .. } = record.tail() {
        reason.push_str(&format!("; its last line, {line}, was torn and left out ({bytes} bytes)"));
    }
    match record.tripped() {
        Some(what) => (RunVerdict::Tripped, format!("{what}; {reason}")),
        None => (RunVerdict::Incomplete, reason),
    }
}

/// What the dwells tell of a limit.
fn readings_summary((place, limit): (usize, &Limit), record: &Record) -> Option<ReadingsSummary> {
    let start = record.started().monotonic;
    let mut summary: Option<ReadingsSummary> = None;
    let mut dwells = BTreeSet::new();
    for logged in record.events() {
        let Event::ReadingsJudged(judged) = &logged.event else { continue };
        let Some(check) = judged.checks.iter().find(|check| check.limit == place) else { continue };
        let setting = judged.setting;
        let here = (rounded(check.worst), rounded(setting.vin.value()), rounded(setting.load.value()));
        let (worst, vin_set_v, load_set_a) = here;
        let sum = summary.get_or_insert(ReadingsSummary {
            judged: 0,
            marginal: 0,
            failed: 0,
            dwells_failed: 0,
            worst,
            vin_set_v,
            load_set_a,
            first_s: None,
        });
        sum.judged += check.judged;
        sum.marginal += check.marginal;
        sum.failed += check.failed;
        if limit.room(worst) < limit.room(sum.worst) {
            (sum.worst, sum.vin_set_v, sum.load_set_a) = here;
        }
        if let Some(first) = check.first {
            dwells.insert(judged.dwell);
            sum.first_s.get_or_insert(rounded(first.since(start).as_secs_f64()));
        }
        sum.dwells_failed = dwells.len() as u64;
    }
    summary
}

fn limit_summary(place: usize, limit: &Limit, points: &[&PointResult]) -> LimitSummary {
    let mut summary = LimitSummary {
        name: limit.name.clone(),
        figure: limit.figure.key().to_owned(),
        unit: limit.figure.unit().to_owned(),
        min: limit.min.map(rounded),
        max: limit.max.map(rounded),
        bounds: limit.bounds(),
        condition: limit.condition.to_string(),
        passed: 0,
        marginal: 0,
        failed: 0,
        not_applicable: 0,
        not_measured: 0,
        worst: None,
        readings: None,
    };
    for point in points {
        let Some(check) = point.checks.iter().find(|check| check.limit == place) else {
            continue;
        };
        let value = match check.outcome {
            Outcome::NotApplicable => {
                summary.not_applicable += 1;
                continue;
            }
            Outcome::NotMeasured(_) => {
                summary.not_measured += 1;
                continue;
            }
            Outcome::Pass(value) => {
                summary.passed += 1;
                value
            }
            Outcome::Marginal(value) => {
                summary.marginal += 1;
                value
            }
            Outcome::Fail(value) => {
                summary.failed += 1;
                value
            }
        };
        // Of values that differ only by the noise of binary fractions the one measured first is named.
        let room = limit.room(rounded(value));
        if summary.worst.is_none_or(|worst| room < limit.room(worst.value) - 1e-9 * value.abs()) {
            summary.worst = Some(WorstValue {
                value: rounded(value),
                point: point.point.0,
                vin_set_v: rounded(point.setting.vin.value()),
                load_set_a: rounded(point.setting.load.value()),
            });
        }
    }
    summary
}
