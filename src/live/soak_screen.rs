//! What a screen and a script are told of a soak. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::pace::Pace;
use super::screen::{Seen, clock_time};
use super::soak::{PhaseNow, SoakState};
use super::state::State;
use crate::base::clock::Instant;
use crate::base::count::fitting;
use crate::base::span::render_span;
use crate::base::units::with_prefix;
use crate::event::{Coverage, HoleSum, Reading, Stamp};

/// The columns of a reading as a person reads them: name and unit.
const COLUMNS: [(&str, &str); 6] =
    [("Vin", "V"), ("Iin", "A"), ("Vout", "V"), ("Iout", "A"), ("board", "°C"), ("ambient", "°C")];

/// The short form for one line: the phase and the last reading.
pub(super) fn parts(soak: &SoakState) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(phase) = soak.phase() {
        parts.push(format!("phase {}, {} of it", named(soak, &phase), render_span(phase.done)));
    }
    if let Some(reading) = soak.last() {
        let [_, _, vout, _, board, _] = values(reading);
        parts.push(format!("{vout}, {board}"));
    }
    if let Some(percent) = soak.coverage().percent().filter(|percent| *percent < 100.0) {
        parts.push(format!("coverage {percent:.3} %"));
    }
    let holes = soak.coverage().holes.sums();
    parts.extend(holes.iter().map(|sum| format!("{} not read {} times", sum.column, sum.readings)));
    parts
}

/// `2 of 3, full load`
fn named(soak: &SoakState, phase: &PhaseNow) -> String {
    format!("{} of {}, {}", phase.phase + 1, soak.facts().phases.len(), phase.name)
}

/// How far in the phase, and how far in the whole.
pub(super) fn progress(state: &State, seen: &Seen) -> Vec<String> {
    let Some(soak) = state.soak() else { return Vec::new() };
    let phase = soak.phase().map_or_else(
        || "before the first phase".to_owned(),
        |phase| {
            let planned = planned(&phase, state.pace());
            let round = rounds(&phase, state.pace());
            format!("phase {}{round}: {}", named(soak, &phase), so_much(phase.done, planned))
        },
    );
    let lasted = state.pace().elapsed();
    let begun = match seen.last.filter(|_| state.end().is_none()) {
        Some((_, age)) => format!("begun {} ago", render_span(lasted + age)),
        None => format!("in {}", render_span(lasted)),
    };
    vec![phase, format!("all phases: {}; {begun}", so_much(soak.done(), soak.lasts()))]
}

/// How long the phase lasts as planned.
fn planned(phase: &PhaseNow, pace: &Pace) -> Option<Duration> {
    let mut spans = pace.phases().iter();
    spans.find(|span| (span.phase, span.round) == (phase.phase, phase.round)).map(|span| span.lasts)
}

/// How often the phase is gone through as planned.
fn planned_rounds(phase: &PhaseNow, pace: &Pace) -> Option<u32> {
    pace.phases().iter().filter(|span| span.phase == phase.phase).map(|span| span.round).max()
}

fn rounds(phase: &PhaseNow, pace: &Pace) -> String {
    match (phase.round, planned_rounds(phase, pace)) {
        (1, Some(1) | None) => String::new(),
        (round, Some(rounds)) => format!(", round {round} of {rounds}"),
        (round, None) => format!(", round {round}"),
    }
}

fn so_much(done: Duration, planned: Option<Duration>) -> String {
    match planned {
        Some(planned) if !planned.is_zero() => {
            let percent = (100.0 * done.as_secs_f64() / planned.as_secs_f64()).floor().min(100.0);
            format!("{} of {} ({percent:.0} %)", render_span(done), render_span(planned))
        }
        _ => render_span(done),
    }
}

/// The last reading that is kept, with its age.
pub(super) fn reading(state: &State, seen: &Seen) -> Vec<String> {
    let Some(reading) = state.soak().and_then(SoakState::last) else { return Vec::new() };
    let age = age(state.last(), seen, reading)
        .map_or_else(String::new, |age| format!("{} ago, ", render_span(age)));
    let at = taken(state.last(), reading).map_or_else(String::new, |at| format!("at {}", clock_time(at)));
    let [vin, iin, vout, iout, board, ambient] = values(reading);
    vec![format!("{age}{at}: {vin}, {iin}, {vout}, {iout}"), format!("{board}, {ambient}")]
}

fn values(reading: &Reading) -> [String; 6] {
    let mut values = reading.values().into_iter();
    COLUMNS.map(|(name, unit)| match values.next().flatten() {
        Some(value) => format!("{name} {}", with_prefix(value, unit)),
        None => format!("{name} not read"),
    })
}

/// When a reading was taken.
fn taken(last: Option<Stamp>, reading: &Reading) -> Option<Timestamp> {
    at_wall(last, reading.at)
}

/// A time of the run by the wall clock of its last event.
fn at_wall(last: Option<Stamp>, at: Instant) -> Option<Timestamp> {
    let last = last?;
    let before = jiff::SignedDuration::try_from(last.monotonic.since(at)).ok()?;
    last.utc.checked_sub(before).ok()
}

/// How old a reading is: as old as the last line, and what it was taken before it.
fn age(last: Option<Stamp>, seen: &Seen, reading: &Reading) -> Option<Duration> {
    Some(seen.last?.1 + last?.monotonic.since(reading.at))
}

/// How much was read: of a run that is gone with what it lost.
fn coverage_of(soak: &SoakState, is_gone: bool) -> Coverage {
    if is_gone { soak.coverage_when_gone() } else { soak.coverage().clone() }
}

/// How much was read, and what the rest was lost to.
pub(super) fn coverage(state: &State, seen: &Seen) -> Vec<String> {
    let Some(soak) = state.soak() else { return Vec::new() };
    let coverage = coverage_of(soak, seen.is_written == Some(false));
    let Some(percent) = coverage.percent() else { return vec!["no reading yet".to_owned()] };
    let batches = counted(soak.counts().batches, "batch", "batches");
    let mut told =
        vec![format!("{percent:.3} %, {} of {} readings, in {batches}", coverage.taken, coverage.due())];
    let lost = coverage.lost.iter().map(|(cause, lost)| {
        let (gaps, span) = (counted(lost.gaps, "gap", "gaps"), render_span(lost.span));
        format!("{} by {} ({gaps}, {span})", lost.readings, cause.word())
    });
    let lost: Vec<String> = lost.collect();
    if coverage.held > 0 {
        let percent = coverage.percent_held().unwrap_or_default();
        told.push(format!("read while held, at a lowered load: {} ({percent:.3} %)", coverage.held));
    }
    if !lost.is_empty() {
        told.push(format!("missing: {}", lost.join(", ")));
    }
    let holes = &coverage.holes;
    let holes = holes.sums().into_iter().map(|sum| (sum.told(holes.rows()), sum.causes()));
    told.extend(holes.map(|(sum, causes)| format!("values not read: {sum}: {causes}")));
    if let Some((since, span, what)) = open_gap(state, seen) {
        let (since, span) = (clock_time(since), render_span(span));
        told.push(format!("a gap is open since {since}, {span} so far, and counts when it ends: {what}"));
    }
    told
}

/// Since when nothing is read, for how long so far, and why.
fn open_gap<'s>(state: &'s State, seen: &Seen) -> Option<(Timestamp, Duration, &'s str)> {
    if state.end().is_some() || seen.is_written == Some(false) {
        return None;
    }
    let (since, what) = state.soak()?.open_gap()?;
    let age = seen.last.map_or(Duration::ZERO, |(_, age)| age);
    Some((at_wall(state.last(), since)?, age + state.last()?.monotonic.since(since), what))
}

fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", fitting(count, one, more))
}

/// What is kept, how large it is, and what room there is.
pub(super) fn kept(state: &State, seen: &Seen) -> String {
    let bytes = |bytes: u64| with_prefix(bytes as f64, "B");
    let mut told = Vec::new();
    if let Some(soak) = state.soak() {
        let counts = soak.counts();
        told.push(counted(counts.captures, "capture", "captures"));
        told.push(format!("evidence of {}", counted(counts.evidence, "point", "points")));
        if counts.starts > 0 {
            told.push(format!(
                "{} ({} failed)",
                counted(counts.starts, "start", "starts"),
                counts.starts_failed
            ));
        }
        if counts.starts_none > 0 {
            let looks = counted(counts.starts_none, "look", "looks");
            told.push(format!("{looks} at a start of a board that had not been off"));
        }
    }
    told.push(format!("{} traces and screens ({})", seen.kept.files, bytes(seen.kept.bytes)));
    told.push(format!("journal {}", bytes(seen.bytes)));
    if let Some(free) = seen.free {
        told.push(format!("{} free", bytes(free)));
    }
    told.join(", ")
}

/// The same for a script. What is not known is null.
pub(super) fn json(soak: &SoakState, last: Option<Stamp>, pace: &Pace) -> Value {
    let counts = soak.counts();
    json!({
        "phase": soak.phase().map(|phase| json!({
            "name": phase.name,
            "number": phase.phase + 1,
            "of": soak.facts().phases.len(),
            "round": phase.round,
            "rounds": planned_rounds(&phase, pace),
            "since": phase.since.utc.to_string(),
            "done_s": phase.done.as_secs_f64(),
            "planned_s": planned(&phase, pace).map(|planned| planned.as_secs_f64()),
        })),
        "done_s": soak.done().as_secs_f64(),
        "planned_s": soak.lasts().map(|lasts| lasts.as_secs_f64()),
        "is_warming_again": soak.warming().is_some(),
        "last_reading": soak.last().map(|reading| reading_json(reading, last)),
        "batches": counts.batches,
        "coverage": coverage_json(soak.coverage()),
        "captures": counts.captures,
        "evidence": counts.evidence,
        "starts": counts.starts,
        "starts_failed": counts.starts_failed,
        "starts_none": counts.starts_none,
    })
}

fn coverage_json(coverage: &Coverage) -> Value {
    let lost: Vec<Value> = coverage
        .lost
        .iter()
        .map(|(cause, lost)| {
            json!({
                "cause": cause.word(),
                "gaps": lost.gaps,
                "readings": lost.readings,
                "percent": coverage.percent_lost(*cause),
                "span_s": lost.span.as_secs_f64(),
            })
        })
        .collect();
    let missing = |sum: HoleSum| {
        json!({
            "column": sum.column,
            "readings": sum.readings,
            "percent": sum.percent,
            "stretches": sum.stretches,
            "why": sum.why,
        })
    };
    let values_missing: Vec<Value> = coverage.holes.sums().into_iter().map(missing).collect();
    json!({
            "percent": coverage.percent(),
            "taken": coverage.taken,
            "held": coverage.held,
            "percent_held": coverage.percent_held(),
            "due": coverage.due(),
            "lost": lost,
            "values_missing": values_missing,
    })
}

fn reading_json(reading: &Reading, last: Option<Stamp>) -> Value {
    let mut told = json!({ "utc": taken(last, reading).map(|at| at.to_string()) });
    for (name, value) in Reading::COLUMNS.into_iter().zip(reading.values()) {
        told[name] = json!(value);
    }
    told
}

/// What the events alone do not tell: how old the last reading is, and what a run has lost that is gone or reads nothing.
pub(super) fn add_seen(told: &mut Value, state: &State, seen: &Seen) {
    let Some(soak) = state.soak() else { return };
    told["coverage"] = coverage_json(&coverage_of(soak, seen.is_written == Some(false)));
    told["coverage"]["open_gap"] = json!(open_gap(state, seen).map(|(since, span, what)| {
        json!({ "since": since.to_string(), "lasts_s": span.as_secs_f64(), "what": what })
    }));
    let Some(reading) = soak.last() else { return };
    told["last_reading"]["age_s"] = json!(age(state.last(), seen, reading).map(|age| age.as_secs_f64()));
}
