//! The state of a run on one screen, and the same for a script. Pure: a state and what was seen of the journal go in.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::soak::SoakState;
use super::soak_screen;
use super::state::{Phase, Remark, State};
use super::warnings;
use crate::base::span::render_span;
use crate::base::units::Volts;
use crate::event::{FigureName, PointVerdict, RunVerdict, Stop};

/// Figures on the screen, where the last point has them, and how they are called there; a script gets all.
const SHOWN: [(FigureName, &str); 12] = [
    (FigureName::Vin, "Vin"),
    (FigureName::Iin, "Iin"),
    (FigureName::Vout, "Vout"),
    (FigureName::Iout, "Iout"),
    (FigureName::Efficiency, "efficiency"),
    (FigureName::RipplePp, "ripple"),
    (FigureName::NoisePp20Mhz, "noise"),
    (FigureName::SpikePos, "spikes up"),
    (FigureName::SpikeNeg, "spikes down"),
    (FigureName::Switching, "switching"),
    (FigureName::BoardTemperature, "board"),
    (FigureName::AmbientTemperature, "ambient"),
];

/// Of these, what the readings of a soak have, too.
const READ: [FigureName; 6] = [
    FigureName::Vin,
    FigureName::Iin,
    FigureName::Vout,
    FigureName::Iout,
    FigureName::BoardTemperature,
    FigureName::AmbientTemperature,
];

/// What was seen of a run beside its events.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The run folder's name when it was made.
    pub run: String,
    /// The folder, as it was asked for.
    pub folder: String,
    /// Whole lines in the journal.
    pub lines: u64,
    /// When the last line was written, and how long ago that is.
    pub last: Option<(Timestamp, Duration)>,
    /// Bytes of these lines.
    pub bytes: u64,
    /// Traces and screens that the journal names.
    pub kept: Kept,
    /// Bytes free where the run writes; `None` where nobody writes, or it is not known.
    pub free: Option<u64>,
    /// That this is too little, as a sentence.
    pub short_of_room: Option<String>,
    /// Whether a program that lives writes to the journal; `None` where the file system does not tell.
    pub is_written: Option<bool>,
    /// What is wrong with a line behind the last whole one: it is being written, or was torn.
    pub torn: Option<String>,
}

/// Traces and screens that a journal names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// How many.
    pub files: u64,
    /// Bytes of samples and pictures.
    pub bytes: u64,
}

/// What can be said of the limits so far: never that all is well, only that none was broken.
fn so_far(state: &State) -> (&'static str, String) {
    let (planned, finished) = state.points();
    if let Some(end) = state.end() {
        return (end.verdict.as_str(), end.reason.clone());
    }
    if let Some(what) = state.tripped() {
        return ("tripped", what.to_owned());
    }
    let of = format!("{finished} of {planned} points finished");
    let (failed, missing) =
        (state.points_with(PointVerdict::Fail), state.points_with(PointVerdict::NotMeasured));
    let starts_failed = state.soak().map_or(0, |soak| soak.counts().starts_failed);
    if starts_failed > 0 && failed == 0 {
        return ("fail", format!("{starts_failed} starts failed, {of}"));
    }
    if failed > 0 {
        let limits: Vec<String> =
            state.failing_limits().map(|(name, count)| format!("{name} {count}")).collect();
        let starts =
            if starts_failed > 0 { format!(", {starts_failed} starts failed") } else { String::new() };
        return ("fail", format!("{failed} failed ({}){starts}, {of}", limits.join(", ")));
    }
    let broken: Vec<&str> = state.limits_broken_in_readings().collect();
    if !broken.is_empty() {
        return ("fail", format!("readings break {}, {of}", broken.join(", ")));
    }
    let starts_none = state.soak().map_or(0, |soak| soak.counts().starts_none);
    if starts_none > 0 {
        return ("incomplete", format!("{starts_none} starts were none: the board had not been off, {of}"));
    }
    if missing > 0 {
        return ("incomplete", format!("{missing} without a figure that a limit needs, {of}"));
    }
    let marginal = match state.points_with(PointVerdict::Marginal) {
        0 => String::new(),
        count => format!(", {count} of them marginal"),
    };
    ("none_failed", format!("no limit failed so far, {of}{marginal}"))
}

fn phase(state: &State) -> String {
    let mut told = match (state.phase(), state.underway()) {
        (Phase::Opening, _) => "opening the bench".to_owned(),
        (Phase::Starting, _) => "starting: protections, wiring, noise floor".to_owned(),
        (Phase::Settling | Phase::Measuring, Some(underway)) => {
            let (verb, setting) = (state.phase().word(), underway.setting);
            let mut told = format!("{verb} at point {}: {} {}", underway.point.0, setting.vin, setting.load);
            if underway.attempt > 1 {
                let _ = write!(told, ", attempt {}", underway.attempt);
            }
            told
        }
        (Phase::Between | Phase::Settling | Phase::Measuring, _) => "between two points".to_owned(),
        (Phase::Holding, _) => match state.soak().and_then(SoakState::warming) {
            Some(done) => format!("warming up again after a gap, for {} so far", render_span(done)),
            None => "holding and reading".to_owned(),
        },
        (Phase::Tripped, _) => "TRIPPED, switching off".to_owned(),
        (Phase::SwitchedOff, _) => "switched off".to_owned(),
        (Phase::Ended, _) => "ended".to_owned(),
    };
    if let Some((since, what)) = state.held() {
        let span = state.last().map_or(Duration::ZERO, |last| last.monotonic.since(since.monotonic));
        let _ = write!(told, "; HELD for {}: {what}", render_span(span));
    }
    match state.stop() {
        Some(Stop::AfterPoint) if state.end().is_none() => told.push_str("; asked to stop after the point"),
        Some(Stop::Now) if state.end().is_none() => told.push_str("; asked to stop now"),
        _ => {}
    }
    told
}

fn readings(state: &State, seen: &Seen) -> Vec<String> {
    let mut told = soak_screen::reading(state, seen);
    let first = told.len();
    if let Some(result) = state.result() {
        // What a reading of a soak tells is not told again.
        let shown = SHOWN.iter().filter(|(name, _)| told.is_empty() || !READ.contains(name));
        let values = shown.filter_map(|(name, title)| {
            let value = result.figures.value(*name)?;
            Some(format!("{title} {}{}", result.sign(*name), name.show(value)))
        });
        let values: Vec<String> = values.collect();
        for row in values.chunks(4) {
            told.push(row.join(", "));
        }
        if let Some(first) = told.get_mut(first) {
            first.insert_str(0, &format!("point {}: ", result.point.0));
        }
    }
    let beside: Vec<String> =
        state.temperatures().map(|(role, temperature)| format!("{role} {temperature}")).collect();
    if !beside.is_empty() {
        told.push(format!("beside the points: {}", beside.join(", ")));
    }
    if told.is_empty() {
        told.push("none yet".to_owned());
    }
    told
}

fn outputs(state: &State, seen: &Seen) -> String {
    if let Some(safe) = state.safe() {
        let vout = match &safe.vout_v {
            Ok(vout_v) => format!("Vout {}", Volts(*vout_v)),
            Err(reason) => format!("Vout not known: {reason}"),
        };
        return if safe.verified {
            format!("off and verified off ({vout})")
        } else {
            format!("NOT VERIFIED OFF ({vout}): look at the bench")
        };
    }
    let told: Vec<String> = state
        .outputs()
        .iter()
        .map(|(role, on)| format!("{role} {}", if *on { "on" } else { "off" }))
        .collect();
    if told.is_empty() {
        return "nothing switched on yet by this run".to_owned();
    }
    let told = told.join(", ");
    match last_known(state, seen) {
        Some(at) => {
            format!("not known: last {told}, at {}, and the record ends without an end", clock_time(at))
        }
        None => told,
    }
}

/// When outputs were last known to be on, where the record breaks off there and nobody carries the run out.
pub(super) fn last_known(state: &State, seen: &Seen) -> Option<Timestamp> {
    let is_open = state.end().is_none() && state.safe().is_none();
    let is_on = state.outputs().values().any(|on| *on);
    state.last().filter(|_| is_open && is_on && seen.is_written == Some(false)).map(|last| last.utc)
}

fn counts(state: &State) -> String {
    let counts = state.counts();
    let told: Vec<String> = [
        (counts.warned, "warnings"),
        (counts.retried, "tried again"),
        (counts.sensors_failed, "sensors failed"),
        (counts.held, "held"),
        (counts.unsent, "messages not delivered"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, noun)| format!("{noun} {count}"))
    .collect();
    if told.is_empty() { "none that a person should know".to_owned() } else { told.join(", ") }
}

/// When the run will end, where it goes on: told by its own clock, and with what warming the board up again takes before.
fn end_told(state: &State, seen: &Seen, left: Duration) -> String {
    match state.rewarm_left() {
        Some(Duration::ZERO) => until(state, seen, left),
        Some(warming) => format!(
            ", and up to {} of warming up again before{}{}",
            render_span(warming),
            until(state, seen, left + warming),
            if seen.is_written == Some(false) { "" } else { " at the latest" }
        ),
        None => "; warming up again comes on top".to_owned(),
    }
}

fn until(state: &State, seen: &Seen, left: Duration) -> String {
    let end = expected_end(state, left).filter(|_| seen.is_written != Some(false));
    let Some((now, end)) = state.last().map(|last| last.utc).zip(end) else { return String::new() };
    if end.strftime("%F").to_string() == now.strftime("%F").to_string() {
        return format!(", until {}", clock_time(end));
    }
    format!(", until {}", end.strftime("%F %H:%MZ"))
}

fn expected_end(state: &State, left: Duration) -> Option<Timestamp> {
    state.last()?.utc.checked_add(jiff::SignedDuration::try_from(left).ok()?).ok()
}

/// Hours, minutes and seconds in UTC.
pub(super) fn clock_time(at: Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}

fn remark_line(remark: &Remark) -> String {
    let again = match remark.count {
        1 => String::new(),
        count => format!(" ({count} times, last {})", clock_time(remark.last.utc)),
    };
    format!("{} {}: {}{again}", clock_time(remark.first.utc), remark.word, remark.what)
}

fn writer(state: &State, seen: &Seen) -> String {
    let last = seen.last.map_or_else(
        || "nothing written yet".to_owned(),
        |(at, age)| format!("line {}, {} ago, at {}", seen.lines, render_span(age), clock_time(at)),
    );
    let mut told = match (seen.is_written, state.end().is_some()) {
        (_, true) => format!("the run is over; {last}"),
        (Some(true), false) => format!("alive; {last}"),
        (Some(false), false) => {
            let resume = format!("`soakrig resume {}` goes on", seen.folder);
            let then = match state.deadman() {
                Some((since, last)) => format!(
                    "its dead-man has been switching off since {} and had not verified the outputs off when it last wrote, at {}; \
                     {resume} once it has",
                    clock_time(since.utc),
                    clock_time(last.utc)
                ),
                None => resume,
            };
            format!("GONE without an end; {last}; {then}")
        }
        (None, false) => format!("not known, this file system has no locks; {last}"),
    };
    if seen.is_written != Some(true)
        && let Some(what) = &seen.torn
    {
        let _ = write!(told, "; the last line is torn: {what}");
    }
    told
}

/// One screen: labels in front, the word of the verdict so far in capitals where something is wrong.
#[must_use]
pub fn render(state: &State, seen: &Seen) -> String {
    let mut rows: Vec<(&str, String)> = vec![("run", seen.run.clone())];
    if let Some(facts) = state.facts() {
        let kind = if facts.simulated { ", simulated" } else { "" };
        rows.push(("profile", format!("{}: {}", facts.profile, facts.purpose)));
        rows.push((
            "board",
            format!("{} revision {} on rig {}{kind}", facts.board.serial, facts.board.revision, facts.rig),
        ));
    }
    rows.push(("phase", phase(state)));
    rows.extend(labelled("soak", soak_screen::progress(state, seen)));
    let (word, why) = so_far(state);
    let verdict =
        if word == "none_failed" { String::new() } else { format!("{}: ", RunVerdict::in_capitals(word)) };
    rows.push(("so far", format!("{verdict}{why}")));
    if state.end().is_none() {
        let left = state.time_left().map_or_else(
            || "not known before a point is finished".to_owned(),
            |left| format!("about {}{}", render_span(left), end_told(state, seen, left)),
        );
        rows.push(("left", left));
    }
    rows.extend(labelled("warnings", warnings::lines(state, seen)));
    rows.extend(labelled("readings", readings(state, seen)));
    rows.extend(labelled("coverage", soak_screen::coverage(state, seen)));
    rows.push(("kept", soak_screen::kept(state, seen)));
    rows.push(("outputs", outputs(state, seen)));
    let remarks = std::iter::once(counts(state)).chain(state.remarks().map(remark_line));
    rows.extend(labelled("events", remarks.collect()));
    rows.push(("writer", writer(state, seen)));
    rows.iter().map(|(label, text)| format!("{label:<10}{}\n", one_line(text))).collect()
}

/// One line for a service manager or a message: how far, at what, how so far, what is left.
#[must_use]
pub fn status(state: &State) -> String {
    let (planned, finished) = state.points();
    let mut parts = vec![format!("{finished}/{planned}"), phase(state), state.line()];
    if state.end().is_some() {
        parts.remove(1);
    }
    one_line(&parts.join(" | "))
}

/// A label in front of the first line only.
fn labelled(label: &'static str, lines: Vec<String>) -> impl Iterator<Item = (&'static str, String)> {
    lines.into_iter().enumerate().map(move |(place, line)| (if place == 0 { label } else { "" }, line))
}

/// What came from an instrument or a file may hold anything: on a screen it is one line and moves no cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The same for a script. What is not known is null.
#[must_use]
pub fn json(state: &State, seen: &Seen) -> Value {
    let mut told = standing(state);
    told["run"] = json!(seen.run);
    told["folder"] = json!(seen.folder);
    told["warnings"] = json!(warnings::json(state, Some(seen)));
    soak_screen::add_seen(&mut told["soak"], state, seen);
    told["kept"] = json!({ "files": seen.kept.files, "bytes": seen.kept.bytes, "free_bytes": seen.free });
    told["journal"] = json!({
        "lines": seen.lines,
        "bytes": seen.bytes,
        "last_utc": seen.last.map(|(at, _)| at.to_string()),
        "age_s": seen.last.map(|(_, age)| age.as_secs_f64()),
        "is_written": seen.is_written,
        "torn": seen.torn,
    });
    told
}

/// What the events alone tell, for a script.
#[must_use]
pub fn standing(state: &State) -> Value {
    let (word, why) = so_far(state);
    let (planned, finished) = state.points();
    let facts = state.facts();
    let underway = state.underway();
    let remarks: Vec<Value> = state
        .remarks()
        .map(|remark| {
            let (first, last) = (remark.first.utc.to_string(), remark.last.utc.to_string());
            json!({ "word": remark.word, "what": remark.what, "first": first, "last": last, "count": remark.count })
        })
        .collect();
    let counts = state.counts();
    json!({
        "profile": facts.map(|facts| facts.profile.as_str()),
        "board": facts.map(|facts| json!({
            "serial": facts.board.serial.as_str(), "revision": facts.board.revision.as_str(),
        })),
        "rig": facts.map(|facts| &facts.rig),
        "simulated": facts.map(|facts| facts.simulated),
        "phase": state.phase().word(),
        "point": underway.map(|underway| json!({
            "point": underway.point.0,
            "vin_set_v": underway.setting.vin.value(),
            "load_set_a": underway.setting.load.value(),
            "attempt": underway.attempt,
        })),
        "points": {
            "planned": planned,
            "finished": finished,
            "failed": state.points_with(PointVerdict::Fail),
            "marginal": state.points_with(PointVerdict::Marginal),
            "not_measured": state.points_with(PointVerdict::NotMeasured),
            "not_applicable": state.points_with(PointVerdict::NotApplicable),
        },
        "so_far": { "verdict": word, "reason": why },
        "held": state.held().map(|(_, what)| what),
        "tripped": state.tripped(),
        "soak": state.soak().map(|soak| soak_screen::json(soak, state.last(), state.pace())),
        "elapsed_s": state.pace().elapsed().as_secs(),
        "time_left_s": state.time_left().map(|left| left.as_secs()),
        "rewarm_left_at_most_s": state.rewarm_left().map(|left| left.as_secs()),
        "expected_end": state.time_left().zip(state.rewarm_left()).filter(|_| state.end().is_none())
            .and_then(|(left, warming)| expected_end(state, left + warming)).map(|end| end.to_string()),
        "last_point": last_point(state),
        "temperatures_c": state.temperatures()
            .map(|(role, temperature)| (role.to_string(), json!(temperature.value())))
            .collect::<serde_json::Map<_, _>>(),
        "outputs": {
            "on": state.outputs().iter().map(|(role, on)| (role.to_string(), json!(on)))
                .collect::<serde_json::Map<_, _>>(),
            "verified_off": state.safe().map(|safe| safe.verified),
        },
        "warnings": warnings::json(state, None),
        "events": {
            "warned": counts.warned,
            "retried": counts.retried,
            "sensors_failed": counts.sensors_failed,
            "held": counts.held,
            "messages_unsent": counts.unsent,
            "last": remarks,
        },
        "end": state.end().map(|end| json!({ "verdict": end.verdict.as_str(), "reason": end.reason })),
    })
}

fn last_point(state: &State) -> Option<Value> {
    let result = state.result()?;
    let figures: serde_json::Map<_, _> = result
        .figures
        .iter()
        .filter_map(|(name, figure)| Some((name.key().to_owned(), json!(figure.as_ref().ok()?))))
        .collect();
    Some(json!({
        "point": result.point.0,
        "vin_set_v": result.setting.vin.value(),
        "load_set_a": result.setting.load.value(),
        "verdict": result.verdict.as_str(),
        "figures": figures,
    }))
}
