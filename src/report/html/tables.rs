//! The tables: bench, conditions, what is missing, incidents, points, method.

use std::collections::HashMap;

use maud::{Markup, html};

use super::moment;
use super::top::{sentence, told};
use crate::base::span::render_elapsed;
use crate::base::units::{Hertz, Volts, with_prefix};
use crate::event::{FigureName, NoiseFloor, PointResult, PointVerdict};
use crate::report::build::{Protection, Report};
use crate::report::facts::{Conditions, Note, ranges};
use crate::report::figure::minus;
use crate::report::figure::{Mark, Shown, mark};

/// What was set alike is told once, with how often.
fn counted(protections: &[Protection]) -> Vec<(&Protection, usize)> {
    let mut kinds: Vec<(&Protection, usize)> = Vec::new();
    for protection in protections {
        match kinds.iter_mut().find(|(known, _)| *known == protection) {
            Some((_, times)) => *times += 1,
            None => kinds.push((protection, 1)),
        }
    }
    kinds
}

pub(super) fn bench(report: &Report) -> Markup {
    html! {
        h2 { "Bench" }
        @if let Some(facts) = &report.facts {
            p {
                "Rig " b { (facts.rig) }
                @if facts.simulated { ", simulated: the instruments below are programs that speak as the real ones do." } @else { "." }
            }
        }
        @if report.instruments.is_empty() { p { "No instrument was opened." } } @else {
            div.scroll { table.cards {
                thead { tr {
                    th { "role" } th { "instrument" } th { "serial" } th { "firmware" } th { "address" } th { "calibration due" }
                } }
                tbody { @for instrument in &report.instruments { tr {
                    td { b { (instrument.role) } }
                    td {
                        (instrument.maker) " " (instrument.model)
                        @if instrument.maker.is_empty() && instrument.model.is_empty() { "sends lines, has no identity" }
                        br; span.small { (told(&instrument.family)) }
                    }
                    td data-label="serial" { (or_dash(&instrument.serial)) }
                    td data-label="firmware" { (or_dash(&instrument.firmware)) }
                    td data-label="address" { code { (instrument.address) } }
                    @match &instrument.calibration_due {
                        Some((day, true)) => td.broken data-label="calibration due" { (day) ", past" },
                        Some((day, false)) => td data-label="calibration due" { (day) },
                        None => td.aside data-label="calibration due" { "not named" },
                    }
                } } }
            } }
        }
        @for (protection, times) in counted(&report.protections) {
            p {
                "The " (protection.role) "'s own protection, read back before any output: "
                @match protection.over_voltage {
                    Some(level) => { (level) }
                    None => { "no level" }
                }
                " over-voltage, "
                @match protection.over_current {
                    Some(level) => { (level) }
                    None => { "no level" }
                }
                " over-current" @if times > 1 { ", " (times) " times: whenever it was opened again" } "."
            }
        }
        @for finding in &report.findings { p { "Wiring: " (told(finding)) "." } }
        @for drilled in &report.drills { p { "Drill of the dead-man: " (minus(&drilled.tell())) "." } }
    }
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "–" } else { text }
}

pub(super) fn conditions(report: &Report) -> Markup {
    html! {
        h2 { "How ripple and spikes were looked at" }
        @if report.conditions.is_empty() { p { "No trace was captured." } } @else {
            p { "A ripple figure means nothing without these." }
            div.scroll { table.cards {
                thead { tr {
                    th { "signal" } th { "for" } th { "channel" } th { "coupling" } th { "bandwidth" } th { "probe" } th { "fixture" }
                    th { "range per division" } th { "samples" } th { "sample rate" } th.number { "captures" }
                } }
                tbody { @for group in &report.conditions { (condition_row(group)) } }
            } }
            @for group in &report.conditions { @for (note, points) in &group.range_notes {
                p.small {
                    (group.acquisition.signal) ", " (group.acquisition.purpose) ": " (note) " (points " (ranges(points)) ")."
                }
            } }
            @if !report.floors.is_empty() { (noise_floor(&report.floors)) }
        }
    }
}

/// What probe and scope show by themselves.
fn noise_floor(floors: &[NoiseFloor]) -> Markup {
    use FigureName as F;
    let columns = [F::NoiseRms20Mhz, F::NoisePp20Mhz, F::NoisePpFull];
    let is_again = floors.iter().skip(1).any(|floor| floor.acquisition == floors[0].acquisition);
    html! {
        h3 { "With the outputs off" }
        p {
            "The noise of probe and scope in the same set-ups. It is subtracted from rms figures in power; a figure that stands at it is an upper bound."
            @if is_again { " It was captured again when the run was resumed; each point was held against the one before it." }
        }
        div.scroll { table.cards {
            thead { tr {
                th { "for" } th { "range per division" }
                @for name in columns { th.number { (name.title()) } }
            } }
            tbody { @for floor in floors { tr {
                td { b { (floor.acquisition.purpose) } }
                td data-label="range per division" { (Volts(floor.acquisition.volts_per_div)) }
                @for name in columns {
                    td.number data-label=(name.title()) {
                        @match floor.figures.value(name) { Some(value) => { (name.show(value)) } None => { "–" } }
                    }
                }
            } } }
        } }
    }
}

fn condition_row(group: &Conditions) -> Markup {
    let about = &group.acquisition;
    let span = |low: String, high: String| if low == high { low } else { format!("{low} to {high}") };
    let (low, high) = group.volts_per_div;
    html! {
        tr {
            td { b { (about.signal) } }
            td data-label="for" { (about.purpose) }
            td data-label="channel" { (about.channel) }
            td data-label="coupling" { (about.coupling.as_str()) }
            td.nowrap data-label="bandwidth" { (about.bandwidth_limit_hz.map_or_else(|| "full".to_owned(), |corner| Hertz(corner).to_string())) }
            td data-label="probe" { (about.probe_ratio) ":1" }
            td data-label="fixture" { @if about.fixture.is_empty() { "not named" } @else { (about.fixture.replace('_', " ")) } }
            td data-label="range per division" { (span(Volts(low).to_string(), Volts(high).to_string())) }
            td data-label="samples" { (span(group.samples.0.to_string(), group.samples.1.to_string())) }
            td data-label="sample rate" { (span(rate(group.sample_rate_hz.0), rate(group.sample_rate_hz.1))) }
            td.number data-label="captures" { (group.captures) }
        }
    }
}

fn rate(hz: f64) -> String {
    with_prefix(hz, "Sa/s")
}

pub(super) fn missing(report: &Report) -> Markup {
    html! {
        h2 { "What could not be measured" }
        @if report.missing.is_empty() {
            p { "Everything that was asked for was measured at every finished point." }
        } @else {
            div.scroll { table.slim {
                thead { tr { th { "why" } th { "what" } th { "points" } } }
                tbody { @for group in &report.missing { tr {
                    td { (told(&minus(&sentence(&group.reason)))) }
                    td {
                        (group.what.join("; "))
                    }
                    td { (group.points.len()) ": " (ranges(&group.points)) }
                } } }
            } }
        }
        @let planned = report.summary.points.planned;
        @if report.summary.points.finished < planned {
            p { (planned - report.summary.points.finished) " of " (planned) " planned points were not finished." }
        }
    }
}

/// How one of supply and load was found; one that could not be asked is not said to be on.
fn side(is_off: bool) -> &'static str {
    if is_off { "off" } else { "NOT verified off" }
}

pub(super) fn incidents(report: &Report) -> Markup {
    html! {
        h2 { "Interruptions, retries and warnings" }
        @if report.incidents.is_empty() { p { "None." } } @else {
            div.scroll { table.slim.cards {
                thead { tr { th.number { "after" } th { "UTC" } th { "point" } th { "kind" } th { "what" } } }
                tbody { @for incident in &report.incidents { tr {
                    td.number { (render_elapsed(incident.after)) } td.nowrap data-label="UTC" { (moment(incident.utc)) }
                    td data-label="point" { @match incident.point { Some(point) => { (point) } None => { "–" } } }
                    td.nowrap data-label="kind" { b { (incident.kind) } }
                    td { (told(&incident.what)) }
                } } }
            } }
        }
        h3 { "Switched off at the end" }
        @match &report.made_safe {
            None => p { "The record holds no word on it." },
            Some(state) => p {
                "Load " (side(state.load_off)) ", supply " (side(state.supply_off))
                (if state.load_off && state.supply_off { ", both as read back" } else { "" })
                "; output voltage afterwards "
                @match &state.vout_v {
                    Ok(vout) => { (FigureName::Vout.show(*vout)) }
                    Err(reason) => { "not measured (" (reason) ")" }
                }
                "; " (if state.verified { "verified" } else { "not verified" })
                " at attempt " (state.attempts) "."
            },
        }
    }
}

/// The columns of the table of points: figure, heading.
const COLUMNS: [(FigureName, &str); 13] = [
    (FigureName::Vin, "Vin"),
    (FigureName::Iin, "Iin"),
    (FigureName::Vout, "Vout"),
    (FigureName::Iout, "Iout"),
    (FigureName::Efficiency, "eff."),
    (FigureName::Settle, "settle"),
    (FigureName::NoisePp20Mhz, "noise"),
    (FigureName::RipplePp, "ripple"),
    (FigureName::SpikePos, "spike +"),
    (FigureName::SpikeNeg, "spike −"),
    (FigureName::Switching, "fsw"),
    (FigureName::Duty, "duty"),
    (FigureName::BoardTemperature, "board"),
];

pub(super) fn points(report: &Report) -> Markup {
    let (rows, letters) = (table_rows(report), letters(&report.notes));
    let shown: Vec<(FigureName, &str, Shown)> = COLUMNS
        .into_iter()
        .map(|(name, heading)| {
            let values = rows.iter().filter_map(|point| point.figures.value(name));
            (name, heading, Shown::for_values(name, values.fold(0.0, |most, value| value.abs().max(most))))
        })
        .collect();
    html! {
        h2 { @if report.soak.is_none() { "All points" } @else { "Points of the sweeps, and captures with a broken limit" } }
        @if report.points.is_empty() { p { "No point was finished." } } @else {
            div.scroll.far { table.points {
                thead { tr {
                    th.number { "point" } th.number { "Vin set" br; "V" } th.number { "load set" br; "A" }
                    @for (_, heading, shown) in &shown { th.number { (heading) br; (shown.unit) } }
                    th { "board is" } th { "verdict" } th { "notes" }
                } }
                tbody { @for (place, point) in rows.iter().copied().enumerate() {
                    @let is_new = place > 0 && rows[place - 1].setting.vin != point.setting.vin;
                    (point_row((report, &letters), point, &shown, is_new))
                } }
            } }
            @if !report.notes.is_empty() {
                dl.notes { @for note in &report.notes {
                    dt { (note.letter) } dd { (told(&minus(&note.what))) span.aside { " · points " (ranges(&note.points)) } }
                } }
            }
            p.small { "Noise is peak to peak, limited to 20 MHz. ≤ and ≥: the value is a bound, the notes say why. A dash: not available; the reasons stand above. Full digits and all columns: " code { "points.csv" } "." }
        }
    }
}

/// Most captures with a broken limit in the table.
const MOST_FAILED: usize = 60;

/// The points of the table: a soak takes thousands of captures, and `points.csv` holds them all.
fn table_rows(report: &Report) -> Vec<&PointResult> {
    let mut failed = 0;
    let is_shown = |point: &&PointResult| {
        let is_failed = point.phase.is_some() && point.verdict == PointVerdict::Fail;
        failed += usize::from(is_failed);
        point.phase.is_none() || (is_failed && failed <= MOST_FAILED)
    };
    report.points.iter().filter(is_shown).collect()
}

/// The letters of the notes of each point, by its number: looked up once, for a soak has thousands of points.
fn letters(notes: &[Note]) -> HashMap<u32, Vec<&str>> {
    let mut letters: HashMap<u32, Vec<&str>> = HashMap::new();
    for note in notes {
        for point in &note.points {
            let of_point = letters.entry(*point).or_default();
            // A point may say the same kind of thing twice.
            if of_point.last() != Some(&note.letter.as_str()) {
                of_point.push(&note.letter);
            }
        }
    }
    letters
}

fn point_row(
    (report, letters): (&Report, &HashMap<u32, Vec<&str>>),
    point: &PointResult,
    shown: &[(FigureName, &str, Shown)],
    is_new: bool,
) -> Markup {
    html! {
        tr.group[is_new] {
            td.number { (point.point.0) @if point.repeat > 1 { "/" (point.repeat) } }
            td.number { (point.setting.vin.value()) }
            td.number { (point.setting.load.value()) }
            @for (name, _, shown) in shown {
                @match point.figures.value(*name) {
                    Some(value) => {
                        @match mark(*name, point, &report.limits) {
                            Mark::Fail => td.number.broken { (point.sign(*name)) (shown.digits(value)) },
                            Mark::Marginal => td.number.near { (point.sign(*name)) (shown.digits(value)) },
                            _ => td.number { (point.sign(*name)) (shown.digits(value)) },
                        }
                    },
                    None => td.number.aside { "–" },
                }
            }
            td { (point.region) }
            td {
                @if point.verdict == PointVerdict::NotApplicable { span.small { "n/a" } }
                @else { span class={ "tag " (point.verdict) } { (point.verdict.as_str().replace('_', " ")) } }
            }
            td.notes {
                @for letter in letters.get(&point.point.0).into_iter().flatten() { (letter) " " }
            }
        }
    }
}

pub(super) fn method(report: &Report) -> Markup {
    html! {
        h2 { "How it was measured" }
        @match &report.facts {
            None => p { "The record ends before the run's facts were written." },
            Some(facts) => dl {
                dt { "Purpose" } dd { (facts.purpose) }
                dt { "Settling" } dd { (sentence(&facts.settle_rule)) }
                dt { "Regulated output" } dd { (facts.vout_nominal) " nominal" }
                @if let Some(seed) = facts.seed {
                    dt { "Seed" } dd { (seed) }
                }
                dt { "Software" } dd { (facts.software) }
                dt { "Plan" } dd { code { (facts.plan_digest) } }
                dt { "Rig file" } dd { code { (facts.rig_digest) } }
                dt { "Profile file" } dd { code { (facts.profile_digest) } }
            },
        }
        p.small {
            "Digests are SHA-256. The record beside this page holds the files themselves, every event (" code { "journal.jsonl" }
            "), the raw samples (" code { "waveforms/" } ") and a manifest; this page can be made again from them."
        }
        footer { "Run " (report.summary.run) " · summary format " (report.summary.format) }
    }
}
