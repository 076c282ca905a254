//! The pages of a soak: what was shown, the timeline, what changed, the spread, starts and interruptions.

use std::time::Duration;

use maud::{Markup, html};

use super::soak_trends;
use super::soak_worst;
use super::top::{sentence, told};
use super::{moment, picture};
use crate::base::count::fitting;
use crate::base::span::{render_elapsed, render_span};
use crate::base::units::with_prefix;
use crate::event::{FigureName, Hole, StartCheck, StoodStill};
use crate::report::build::Report;
use crate::report::soak::SoakView;
use crate::report::soak::gaps::GapStretch;
use crate::report::soak::show::rounded;
use crate::report::soak::story::{Hold, MOST_SETTINGS, MarkKind};
use crate::report::svg::{draws_a_limit, render_hours, render_starts, render_timeline, render_waterfall};

/// Most rows of a table of single things; the record holds all.
const MOST_ROWS: usize = 60;

/// What stands under the verdict on the first page.
pub(super) fn first(report: &Report) -> Markup {
    let view = match &report.soak {
        None => return html! {},
        Some(Err(reason)) => return html! { p.alarm { (reason) } },
        Some(Ok(view)) => view,
    };
    let statement = &view.statement;
    let shown = |told: &Result<String, String>| match told {
        Ok(told) => told.clone(),
        Err(reason) => format!("Nothing is shown: {reason}."),
    };
    html! {
        @if !view.is_finished { (unfinished(report, view)) }
        div.statement {
            p { b { "What these hours show. " } (shown(&statement.on_hours)) }
            @if let Some(on_starts) = &statement.on_starts { p { b { "What these starts show. " } (shown(on_starts)) } }
            @if let Some(on_end) = &statement.on_end { p { b { "Ended early. " } (told(on_end)) } }
            p.small {
                @if statement.failures.is_empty() { "No failure: no limit was broken, no interlock tripped, every start came up. " }
                @else { "Failures: " (counted(&statement.failures)) ". " }
                "A limit that was broken counts once however often, a trip and a failed start each time, whatever the cause: also one in the bench, so that the bound is never too good. "
                "Board-hours are those with readings and the input on, up to the first broken limit: behind it the board is not what it should be."
            }
        }
        (numbers(report, view))
        (held(view))
        (coverage(view))
    }
}

/// `a limit …, a start failed (3 times)`.
fn counted(failures: &[String]) -> String {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for failure in failures {
        match kinds.iter_mut().find(|(known, _)| known == failure) {
            Some((_, count)) => *count += 1,
            None => kinds.push((failure, 1)),
        }
    }
    let told = kinds.into_iter().map(|(what, count)| match count {
        1 => what.to_owned(),
        count => format!("{what} ({count} times)"),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn unfinished(report: &Report, view: &SoakView) -> Markup {
    html! {
        p.open {
            b { "Unfinished. " }
            @match view.last_reading {
                None => { "There is no reading yet." }
                Some((utc, after)) => {
                    "The last reading is of " (utc.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()) ", " (render_elapsed(after)) " after the begin"
                    // A simulated run lives by a clock of its own, which may be ahead.
                    @if let Some(Ok(age)) = report.now.map(|now| Duration::try_from(now.duration_since(utc))) {
                        "; it was " (render_span(age)) " old when this page was made"
                    }
                    "."
                }
            }
            @if report.goes_on { " The run goes on. Everything below is as of then." }
            @else { " Nobody writes to the record any more: the run was cut off. Everything below is as of then." }
        }
    }
}

fn numbers(report: &Report, view: &SoakView) -> Markup {
    let points = report.summary.points;
    let captures = report.points.iter().filter(|point| point.phase.is_some()).count();
    let count = |kind: MarkKind| view.story.count(kind);
    let silences = view.coverage.holes.stretches();
    let interruptions = (view.gaps.len() + count(MarkKind::Hold)) as u64 + silences;
    html! {
        ul.facts.four {
            li { b { (view.statement.told_hours) " h" } span { "board-hours under power" } }
            li {
                b { (percent(view.coverage.percent())) }
                span { "of the readings due are there, at what the plan sets" }
            }
            @if view.coverage.held > 0 {
                li { b { (percent(view.coverage.percent_held())) } span { "were taken while an interlock held the run" } }
            }
            @if let Some(starts) = view.statement.starts {
                @if starts.tried > 0 { li { b { (starts.failed) " / " (starts.tried) } span { "starts failed" } } }
                @if starts.none > 0 { li { b { (starts.none) } span { "looks at a start of a board that had not been off" } } }
            }
            li { b { (view.sweeps.count) " · " (captures) } span { "sweeps · captures" } }
            li { b { (points.failed) " / " (points.finished) } span { "points with a broken limit, of those finished" } }
            li { b { (interruptions) } span { "interruptions: gaps, holds" @if silences > 0 { " and sensors that said nothing" } } }
            li { b { (report.outputs_word()) } span { @if report.goes_on { "outputs, as the run goes on" } @else { "outputs at the end" } } }
            li { b { (render_elapsed(report.lasted)) } span { "from first to last event" } }
        }
        @let events: Vec<String> = MarkKind::ALL.into_iter().filter(|kind| count(*kind) > 0)
            .map(|kind| format!("{} {}", count(kind), if count(kind) == 1 { kind.words().0 } else { kind.words().1 })).collect();
        p.small { "Events: " @if events.is_empty() { "none." } @else { (events.join(", ")) "." } }
    }
}

fn percent(part: Option<f64>) -> String {
    part.map_or_else(|| "none due".to_owned(), |part| format!("{part} %"))
}

/// `24 V` or `14 V to 24 V`, from measured values: three digits are enough to tell what was set.
pub(super) fn range((low, high): (f64, f64), unit: &str) -> String {
    let show = |value: f64| with_prefix(rounded(value), unit);
    match (low.is_finite(), show(low) == show(high)) {
        (false, _) => "–".to_owned(),
        (true, true) => show(low),
        (true, false) => format!("{} to {}", show(low), show(high)),
    }
}

fn settings(count: Option<usize>) -> String {
    count.map_or_else(|| format!("over {MOST_SETTINGS}"), |count| count.to_string())
}

fn held(view: &SoakView) -> Markup {
    html! {
        h2 { "What was held" }
        div.scroll { table.slim.cards {
            thead { tr {
                th.number { "" } th { "phase" } th { "input voltage" } th { "output current" } th.number { "settings" }
                th.number { "held" } th.number { "input off" }
            } }
            tbody { @for (place, held) in view.held.iter().enumerate() { tr {
                td.number { (place + 1) } td { b { (held.phase) } }
                td.nowrap data-label="input voltage" { (range(held.vin_v, "V")) } td.nowrap data-label="output current" { (range(held.iout_a, "A")) }
                td.number data-label="settings" { (settings(held.settings)) } td.number data-label="held" { (render_span(held.on)) }
                td.number data-label="input off" { @if held.off.is_zero() { "–" } @else { (render_span(held.off)) } }
            } }
                @if view.rewarmed.0 > 0 { tr {
                    td.number { "–" } td { b { "warming up again after a gap" } }
                    td data-label="how often" { (crate::base::count::counted(view.rewarmed.0, "time")) } td { "" } td.number { "–" }
                    td.number data-label="held" { (render_span(view.rewarmed.1)) } td.number { "–" }
                } }
            }
        } }
        @if view.held.iter().any(|held| held.settings.is_none()) {
            p.small { "A phase of more than " (MOST_SETTINGS) " settings is not told one by one, and no change over time is looked for in it." }
        }
        @if view.rewarmed.0 > 0 {
            p.small { "Warming up again comes on top of what the phases hold: the board was under power, so that the board-hours hold it; no drift does." }
        }
        p.small {
            "As it was read, every " (render_span(view.facts.interval)) ". " (render_span(view.pauses))
            " went into sweeps, captures and switching: readings are not due then, and it is no gap."
        }
    }
}

fn coverage(view: &SoakView) -> Markup {
    let (interval, coverage) = (view.facts.interval, &view.coverage);
    let (missing, absent) = (coverage.holes.sums(), coverage.holes.absent());
    let mut rows = Vec::new();
    if coverage.held > 0 || !coverage.lost.is_empty() {
        rows.push(("read at what the plan sets".to_owned(), None, coverage.taken, coverage.percent()));
    }
    if coverage.held > 0 {
        rows.push(("read while held".to_owned(), None, coverage.held, coverage.percent_held()));
    }
    rows.extend(coverage.lost.iter().map(|(cause, lost)| {
        (
            format!("missing by {}", cause.word()),
            Some(lost.gaps),
            lost.readings,
            coverage.percent_lost(*cause),
        )
    }));
    html! {
        @if view.coverage.lost.is_empty() {
            p { "No reading is missing" @if !missing.is_empty() { ", but not all of them hold every value" } "." }
        }
        @for known in view.stood_still.iter().take(MOST_ROWS) { p { (stood_still(known, view)) } }
        @if !rows.is_empty() {
            h3 { "The readings that were due" }
            div.scroll { table.slim {
                thead { tr { th { "" } th.number { "gaps" } th.number { "readings" } th.number { "of those due" } th.number { "time" } } }
                tbody { @for (what, gaps, readings, part) in &rows { tr {
                    td { (what) } td.number { @if let Some(gaps) = gaps { (gaps) } @else { "–" } } td.number { (readings) }
                    td.number { (percent(*part)) } td.number { (render_span(interval.mul_f64(*readings as f64))) }
                } } }
            } }
            @if view.coverage.held > 0 {
                p.small { "While an interlock held the run the load was lowered: those readings are drawn, and count for no limit, no drift and no board-hour." }
            }
        }
        @if !missing.is_empty() {
            h3 { "Values that could not be read" }
            div.scroll { table.slim {
                thead { tr { th { "value" } th.number { "readings" } th.number { "of those there" } th.number { "stretches" } th { "why" } } }
                tbody { @for sum in &missing { tr {
                    td { code { (sum.column) } } td.number { (sum.readings) } td.number { (percent(Some(sum.percent))) }
                    td.number { (sum.stretches) } td { (told(&sentence(&sum.causes()))) }
                } } }
            } }
            p.small { "These readings are there and count as such; what needs the value says nothing of them." }
        }
        @if !absent.is_empty() {
            p.small { "In no reading, and nothing in the record says that the bench has such a sensor: "
                @for (place, column) in absent.iter().enumerate() { @if place > 0 { ", " } code { (column) } } "." }
        }
    }
}

/// Everything between the first page and the bench.
pub(super) fn render(report: &Report) -> Markup {
    let Some(Ok(view)) = &report.soak else { return html! {} };
    html! {
        (timeline(view))
        (soak_trends::render(view))
        (hours(view))
        (waterfall(view))
        (soak_worst::render(view))
        (steady(view))
        (starts(view))
        (holds(view))
        (gaps(view))
        (silences(view))
    }
}

fn timeline(view: &SoakView) -> Markup {
    let timeline = &view.timeline;
    let has_captures =
        timeline.panels.iter().any(|panel| panel.curves.iter().any(|curve| curve.is_of_captures));
    let kinds: Vec<MarkKind> = MarkKind::ALL.into_iter().filter(|kind| view.story.count(*kind) > 0).collect();
    html! {
        section.figure {
            h2 { "The whole run" }
            (picture(&render_timeline(timeline), "wide timeline", "temperature, output voltage, input power, ripple and spikes over the whole run"))
            p.small {
                "Each column runs from its lowest to its highest reading, so that no extreme is lost. Readings with the input off are left out of output voltage and input power. "
                @if has_captures { "Ripple and spikes are of the captures between the readings, at whatever setting was held. " }
                @if view.held.len() > 1 {
                    "Phases: " @for (place, held) in view.held.iter().enumerate() { @if place > 0 { ", " } (place + 1) " " (held.phase) } ". "
                }
                @if !timeline.holds.is_empty() { "Amber ground under a bar: an interlock held the run, at a lowered load. " }
                @if !timeline.gaps.is_empty() { "Hatched: readings are missing. " }
                @if !kinds.is_empty() {
                    @for (place, kind) in kinds.iter().enumerate() { @if place > 0 { ", " } b { (kind.letter()) } " " (kind.words().0) } ". "
                }
                @if draws_a_limit(timeline) { "Dashed red: a limit of the profile. " }
                @if timeline.panels.iter().any(|panel| !panel.bounds.is_empty()) { "A limit far from all values is not drawn." }
            }
        }
    }
}

fn hours(view: &SoakView) -> Markup {
    let span_s = view.timeline.span_s;
    let [vout, board] = &view.hours;
    html! {
        section.figure {
            h2 { "Hour by hour" }
            @for (intervals, title, unit) in [(vout, "output voltage", "V"), (board, "board temperature", "°C")] {
                @match render_hours(intervals, (title, unit), span_s) {
                    Some(svg) => (picture(&svg, "wide", &format!("{title} hour by hour"))),
                    None => p { "There are no readings of the " (title) "." },
                }
            }
            p.small { "All settings together, with the input on for the output voltage. Extremes are exact, the other marks to 1/127 of the hour's range." }
        }
    }
}

fn waterfall(view: &SoakView) -> Markup {
    html! {
        section.figure {
            h2 { "One period over the days" }
            @match &view.waterfall {
                Ok(waterfall) => {
                    (picture(&render_waterfall(waterfall), "wide waterfall", "the folded period over the days"))
                    p.small {
                        (waterfall.lines.len()) " of " (waterfall.captures) " captures at one setting, chosen evenly in time. Each is shown by its mean period, from the rising edge of the switch node, and reaches down to the next one. The two per cent of the values at either end share the last colours."
                    }
                },
                Err(reason) => p { (reason) },
            }
        }
    }
}

fn steady(view: &SoakView) -> Markup {
    let steady = &view.story.steady;
    html! {
        @if !steady.is_empty() {
            h2 { "Thermal steady state" }
            div.scroll { table.slim {
                thead { tr { th { "phase" } th.number { "round" } th { "" } th.number { "after" } th.number { "ended at" } } }
                tbody { @for one in steady.iter().take(MOST_ROWS) { tr {
                    td { (one.phase.0) } td.number { (one.phase.1) }
                    td { @if one.steady { "steady" } @else { b { "not steady when its time was over" } } }
                    td.number { (render_span(one.took)) } td.number { (after(one.at_s)) }
                } } }
            } }
        }
    }
}

fn after(at_s: f64) -> String {
    render_elapsed(Duration::from_secs_f64(at_s.clamp(0.0, 1e9)))
}

fn starts(view: &SoakView) -> Markup {
    let starts = &view.story.starts;
    let took: Vec<f64> = starts
        .iter()
        .filter(|start| start.started && !start.is_no_start())
        .filter_map(|start| start.took_s.as_ref().ok().copied())
        .collect();
    let failed: Vec<&StartCheck> = starts.iter().filter(|start| !start.started).collect();
    let stood = starts.iter().filter(|start| start.is_no_start()).filter_map(|start| start.before);
    let stood: Vec<f64> = stood.map(|before| before.vout_v).collect();
    let ends = |pick: fn(f64, f64) -> f64| FigureName::Vout.show(stood.iter().copied().fold(f64::NAN, pick));
    html! {
        @if !starts.is_empty() {
            section.figure {
                h2 { "Starts" }
                p { (starts.len() - stood.len()) " starts were looked at, " (failed.len()) " failed." }
                @if !stood.is_empty() { p {
                    (stood.len()) " more looks saw no start: the board had not been off, for before the input came on Vout stood at "
                    (ends(f64::min)) " to " (ends(f64::max)) ", a tenth of nominal or more. Time off, or load, was too little for it."
                } }
                @if let Some(svg) = render_starts(&took) { (picture(&svg, "curves", "how long starts took")) }
                @if !failed.is_empty() {
                    div.scroll { table.slim {
                        thead { tr { th.number { "start" } th.number { "input voltage" } th.number { "output voltage then" } th { "why" } } }
                        tbody { @for start in failed.iter().take(MOST_ROWS) { tr {
                            td.number { (start.start.0) } td.number { (start.setting.vin) }
                            td.number { @match &start.vout_v { Ok(vout) => { (FigureName::Vout.show(*vout)) } Err(reason) => { (reason) } } }
                            td { @if let Err(reason) = &start.took_s { (told(&sentence(&reason.0))) } }
                        } } }
                    } }
                    (more(failed.len()))
                }
            }
        }
    }
}

/// Says that a table was cut.
fn more(count: usize) -> Markup {
    html! { @if count > MOST_ROWS { p.small { "The first " (MOST_ROWS) " of " (count) "; the journal holds all." } } }
}

fn holds(view: &SoakView) -> Markup {
    let row = |hold: &Hold| {
        let (from_s, to_s) = hold.span_s;
        let utc = view.started.utc + Duration::from_secs_f64(from_s.clamp(0.0, 1e9));
        html! { tr {
            td.number data-label="after" { (after(from_s)) } td.nowrap data-label="UTC" { (moment(utc)) } td.number data-label="lasted" { (after(to_s - from_s)) }
            td.nowrap data-label="load" { @if let Some(load) = hold.load { (load.from) " to " (load.to) } @else { "not told" } }
            td { @if hold.is_released { "released" } @else { b { "not released" } } } td { (told(&sentence(&hold.what))) }
        } }
    };
    let holds = &view.story.holds;
    html! {
        @if !holds.is_empty() {
            h2 { "Holds by an interlock" }
            div.scroll { table.slim.cards {
                thead { tr { th.number { "after" } th { "UTC" } th.number { "lasted" } th { "load" } th { "" } th { "why" } } }
                tbody { @for hold in holds.iter().take(MOST_ROWS) { (row(hold)) } }
            } }
            (more(holds.len()))
        }
    }
}

fn gaps(view: &SoakView) -> Markup {
    let row = |GapStretch { whole: gap, gaps }: &GapStretch| {
        let since = gap.from.since(view.started.monotonic);
        html! { tr {
            td.number { (render_elapsed(since)) } td.nowrap data-label="UTC" { (moment(view.started.utc + since)) }
            td.number data-label="lasted" { (render_elapsed(gap.to.since(gap.from))) } td.number data-label="gaps" { (gaps) } td.number data-label="readings" { (gap.missed) } td.nowrap data-label="cause" { b { (gap.cause.word()) } } td { (told(&sentence(&gap.what))) }
        } }
    };
    html! {
        @if !view.gaps.is_empty() {
            h2 { "Gaps in the readings" }
            div.scroll { table.slim.cards {
                thead { tr { th.number { "after" } th { "UTC" } th.number { "lasted" } th.number { "gaps" } th.number { "readings" } th { "cause" } th { "what" } } }
                tbody { @for gap in view.gaps.iter().take(MOST_ROWS) { (row(gap)) } }
            } }
            (more(view.gaps.len()))
            @if view.gaps.iter().any(|stretch| stretch.gaps > 1) {
                p.small { "Gaps that follow each other within 10 min for the same reason are one line, from the first to the last; what was read between them is there." }
            }
        }
    }
}

fn stood_still(known: &StoodStill, view: &SoakView) -> Markup {
    let (from, to) = (known.from.since(view.started.monotonic), known.to.since(view.started.monotonic));
    html! {
        "From " (render_elapsed(from)) " to " (render_elapsed(to)) " after the begin " code { (known.column) } " stood still before it was called frozen: "
        "what " (known.readings) " " (fitting(known.readings, "reading", "readings")) " held of it is left out of curves, hours and trends, and stands in " code { "samples.csv" } ". "
        "It counts for no limit; what the run did by it meanwhile (interlocks, the steady state, looks at an early end, the first breach that was told) stands."
    }
}

fn silences(view: &SoakView) -> Markup {
    let row = |hole: &Hole| {
        let since = hole.from.since(view.started.monotonic);
        let lasted = hole.to.since(hole.from) + view.facts.interval;
        let why = hole.why.as_deref().unwrap_or("no event says why");
        html! { tr {
            td.number { (render_elapsed(since)) } td.nowrap data-label="UTC" { (moment(view.started.utc + since)) }
            td.number data-label="lasted" { (render_elapsed(lasted)) } td.number data-label="readings" { (hole.readings) }
            td.nowrap data-label="value" { code { (hole.column) } } td { (told(&sentence(why))) }
        } }
    };
    let holes = &view.coverage.holes;
    let shown: Vec<&Hole> = holes.kept().take(MOST_ROWS).collect();
    html! {
        @if !shown.is_empty() {
            h2 { "Sensors that said nothing" }
            div.scroll { table.slim.cards {
                thead { tr { th.number { "after" } th { "UTC" } th.number { "lasted" } th.number { "readings" } th { "value" } th { "what" } } }
                tbody { @for hole in &shown { (row(hole)) } }
            } }
            (more(holes.stretches() as usize))
        }
    }
}
