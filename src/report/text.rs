//! The few lines that the terminal shows at the end: the verdict and why first, then the limits, then where the files are.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::base::count::{counted, fitting};
use crate::base::span::render_elapsed;
use crate::base::units::with_prefix;
use crate::event::{FigureName, PointResult};
use crate::record::Tail;
use crate::record::format::{LimitSummary, SoakSummary, ValuesMissing};
use crate::trend::Estimate;

use super::build::Report;
use super::junit::clean;
use super::soak::show::change;
use super::soak::trends::OUTPUT_VOLTAGE;

/// The lines, without colour, for a terminal of any width from 80 columns.
#[must_use]
pub fn render(report: &Report, folder: &Path) -> String {
    let summary = &report.summary;
    let mut text = String::new();
    let board = summary.board.as_ref().map_or_else(
        || "unknown board".to_owned(),
        |board| format!("board {} rev {}", board.serial, board.revision),
    );
    let profile = summary.profile.as_deref().unwrap_or("unknown profile");
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{}  {board}, {profile}", report.verdict_word());
    let _ = writeln!(text, "      {}", summary.reason);
    // Where the record breaks off there, the reason says so.
    if let (Tail::Torn { line, .. }, true) = (&report.tail, summary.ended.is_some()) {
        let _ = writeln!(text, "      the journal's last line, {line}, was torn and is left out");
    }
    text.push('\n');
    if let Some(soak) = &summary.soak {
        render_soak(&mut text, soak, report);
    }
    let points = summary.points;
    let _ = writeln!(
        text,
        "points     {} of {} finished, {} failed, {} where no limit applies; {}",
        points.finished,
        points.planned,
        points.failed,
        points.not_applicable,
        render_elapsed(report.lasted)
    );
    let _ = writeln!(text, "outputs    {}", outputs(report));
    text.push('\n');
    render_limits(&mut text, report);
    let _ = writeln!(text, "report     {}", folder.join(super::products::PAGE).display());
    let _ = writeln!(text, "record     {}", folder.display());
    // A record of an earlier program may hold names that would do more on a terminal than be read.
    clean(&text)
}

/// What a soak has shown, and how much of it is there.
fn render_soak(text: &mut String, soak: &SoakSummary, report: &Report) {
    for (place, statement) in soak.statement.iter().enumerate() {
        let _ = writeln!(text, "{:<10} {statement}", if place == 0 { "shown" } else { "" });
    }
    let _ = write!(text, "readings   {}", soak.readings);
    if let Some(percent) = soak.coverage_percent {
        let _ = write!(text, ", {percent} % of those that were due");
    }
    if let (true, Some(percent)) = (soak.readings_held > 0, soak.held_percent) {
        let held = soak.readings_held;
        let _ = write!(text, "; {held} while an interlock held the run, at a lowered load, {percent} %");
    }
    for gap in &soak.gaps {
        let _ = write!(text, "; {} missing in {} by {}", gap.readings, counted(gap.gaps, "gap"), gap.cause);
    }
    if !soak.values_missing.is_empty() {
        let _ = write!(text, "; not all of them hold every value");
    }
    text.push('\n');
    for missing in &soak.values_missing {
        let _ = writeln!(text, "{:<10} {}", "not read", value_missing(missing));
    }
    for known in report.soak.iter().flatten().flat_map(|view| &view.stood_still) {
        let readings = counted(known.readings, "reading");
        let what = "had stood still before it was called frozen";
        let _ = writeln!(text, "{:<10} {} of {readings}: it {what}", "left out", known.column);
    }
    if soak.rewarms > 0 {
        // Nine digits of many hours are no whole seconds any more.
        let seconds = (soak.rewarm_hours.clamp(0.0, 1e6) * 36_000.0).round() / 10.0;
        let (times, span) = (counted(soak.rewarms, "time"), render_elapsed(Duration::from_secs_f64(seconds)));
        let _ = writeln!(
            text,
            "warmed     again {times} after a gap, {span} together, on top of what the phases held"
        );
    }
    if report.summary.ended.is_none() {
        let last = soak.last_reading.as_deref().unwrap_or("none yet");
        let _ = writeln!(text, "unfinished the last reading: {last}");
    }
    for drift in soak.drift.iter().filter(|drift| drift.figure == OUTPUT_VOLTAGE) {
        let place = format!("{}, {}", with_prefix(drift.vin_v, "V"), with_prefix(drift.load_a, "A"));
        let told = match (drift.per_hour, drift.low, drift.high) {
            (Some(value), Some(low), Some(high)) => {
                let confidence = soak.drift_confidence;
                format!("{} an hour", change(Estimate { value, low, high, confidence }, &drift.unit))
            }
            _ => drift.why_not.clone().unwrap_or_default(),
        };
        let _ = writeln!(text, "drift      output voltage, {} at {place}: {told}", drift.phase);
    }
}

/// `board_c in 61 readings (0.782 %), in 1 stretch: …`
fn value_missing(missing: &ValuesMissing) -> String {
    let ValuesMissing { column, readings, percent, stretches, why } = missing;
    let stretches = format!("{stretches} {}", fitting(*stretches, "stretch", "stretches"));
    let why = if why.is_empty() { "no event says why".to_owned() } else { why.join("; ") };
    format!("{column} in {} ({percent:.3} %), in {stretches}: {why}", counted(*readings, "reading"))
}

fn outputs(report: &Report) -> String {
    if report.goes_on {
        return "may be on, the run goes on: `soakrig status` shows how it stands".to_owned();
    }
    match (&report.made_safe, report.summary.outputs_off_verified) {
        (Some(state), true) => match &state.vout_v {
            Ok(vout) => format!("off, read back and measured: {}", FigureName::Vout.show(*vout)),
            Err(_) => "off, read back".to_owned(),
        },
        (Some(state), false) => {
            let side = |is_off: bool| if is_off { "off" } else { "NOT VERIFIED OFF" };
            let attempts = if state.attempts == 1 { "attempt" } else { "attempts" };
            format!(
                "NOT VERIFIED OFF after {} {attempts} (supply {}, load {}): {}",
                state.attempts,
                side(state.supply_off),
                side(state.load_off),
                state.failures.join("; ")
            )
        }
        (None, _) => "NOT KNOWN: the record says nothing of switching off; look at the bench".to_owned(),
    }
}

/// One word on how a limit came out.
#[must_use]
pub fn limit_word(limit: &LimitSummary) -> &'static str {
    match limit {
        limit if limit.is_broken() => "fail",
        limit if limit.not_measured > 0 => "not measured",
        limit if limit.is_marginal() => "marginal",
        limit if limit.passed > 0 || limit.readings.is_some() => "pass",
        _ => "not applicable",
    }
}

/// The point at which a limit's figure was worst, as it stands in the report.
fn worst_point<'r>(report: &'r Report, limit: &LimitSummary) -> Option<&'r PointResult> {
    let worst = limit.worst?;
    report.points.iter().rev().find(|point| point.point.0 == worst.point)
}

/// How well the worst value is known, as the notes of its point say.
#[must_use]
pub fn uncertainty<'r>(report: &'r Report, limit: &LimitSummary) -> Option<&'r str> {
    // The ripple is told by one of several figures, and the note names that one.
    let key = if limit.figure == FigureName::RipplePp.key() { "ripple_" } else { limit.figure.as_str() };
    let notes = &worst_point(report, limit)?.notes;
    notes.iter().map(String::as_str).find(|note| note.starts_with(key) && note.contains(" is known to "))
}

/// The worst value and where, e.g. `1.56 V at 24 V, 500 mA (point 125)`; a bound has its sign in front.
#[must_use]
pub fn worst(report: &Report, limit: &LimitSummary) -> Option<String> {
    let worst = limit.worst?;
    let figure: FigureName = limit.figure.parse().ok()?;
    let sign = worst_point(report, limit).map_or_else(String::new, |point| point.sign(figure));
    let place = format!("{}, {}", with_prefix(worst.vin_set_v, "V"), with_prefix(worst.load_set_a, "A"));
    Some(format!("{sign}{} at {place} (point {})", figure.show(worst.value), worst.point))
}

/// What came of a limit in the readings of a soak, e.g. `12 of 3600 readings broken, worst 4.75 V at 24 V, 500 mA, first after
/// 2 h`.
#[must_use]
pub fn readings(limit: &LimitSummary) -> Option<String> {
    let readings = limit.readings?;
    let figure: FigureName = limit.figure.parse().ok()?;
    let mut told = match readings.failed {
        0 => format!("{} readings", readings.judged),
        failed => {
            let dwells = counted(readings.dwells_failed, "dwell");
            format!("{failed} of {} readings broken, in {dwells}", readings.judged)
        }
    };
    let place =
        format!("{}, {}", with_prefix(readings.vin_set_v, "V"), with_prefix(readings.load_set_a, "A"));
    let _ = write!(told, ", worst {} at {place}", figure.show(readings.worst));
    if let Some(first_s) = readings.first_s.filter(|s| (0.0..1e9).contains(s)) {
        let _ = write!(told, ", first after {}", render_elapsed(Duration::from_secs(first_s as u64)));
    }
    Some(told)
}

fn render_limits(text: &mut String, report: &Report) {
    let width = |cells: &mut dyn Iterator<Item = usize>| cells.max().unwrap_or(0);
    let name_width = width(&mut report.summary.limits.iter().map(|limit| limit.name.chars().count()));
    let bound_width = width(&mut report.summary.limits.iter().map(|limit| limit.bounds.chars().count()));
    for limit in report.limits_by_weight() {
        let applied = limit.passed + limit.marginal + limit.failed + limit.not_measured;
        let count = match (limit.failed, limit.not_measured) {
            (0, 0) if applied == 0 => "applies at no point".to_owned(),
            (0, 0) => format!("worst {}", worst(report, limit).unwrap_or_default()),
            (0, missing) => format!("could not be measured at {missing} of {applied} points"),
            (failed, _) => {
                format!("{failed} of {applied} points, worst {}", worst(report, limit).unwrap_or_default())
            }
        };
        let count = readings(limit).map_or_else(|| count.clone(), |readings| format!("{count}; {readings}"));
        let (word, name, bounds) = (limit_word(limit), &limit.name, &limit.bounds);
        let _ = writeln!(text, "  {word:<14} {name:<name_width$}  {bounds:<bound_width$}  {count}");
    }
    if !report.summary.limits.is_empty() {
        text.push('\n');
    }
}
