//! The first page: the verdict and why, the limits, the board.

use maud::{Markup, html};

use super::soak;
use crate::base::span::render_elapsed;
use crate::event::FigureName;
use crate::record::Tail;
use crate::record::format::LimitSummary;
use crate::report::build::Report;
use crate::report::figure::minus;
use crate::report::text::{limit_word, readings, uncertainty, worst};

pub(super) fn render(report: &Report) -> Markup {
    let summary = &report.summary;
    let board = summary.board.as_ref();
    html! {
        header {
            h1 {
                @if let Some(board) = board { "Board " (board.serial) ", revision " (board.revision) }
                @else { "Unknown board" }
            }
            p.lead {
                (summary.profile.as_deref().unwrap_or("unknown profile")) " · " (day(&summary.started))
                @if let Some(facts) = &report.facts {
                    @if let Some(operator) = &facts.operator { " · " (operator) }
                    @if let Some(turn) = &facts.turn {
                        " · run " (turn.number) " of " (turn.of) " in the order " (turn.order)
                        @if turn.is_reference { " (reference board)" }
                    }
                    @if facts.simulated { " · simulated bench: no real board was measured" }
                }
            }
        }
        div class={ "verdict " (summary.verdict) } {
            div.word { (sign(&summary.verdict)) " " (report.verdict_word()) }
            div.why { (told(&sentence(&summary.reason))) }
        }
        (alarms(report))
        @if report.soak.is_none() { (numbers(report)) } @else { (soak::first(report)) }
        (limits(report))
        @if let Some(facts) = &report.facts {
            @if let Some(note) = &facts.note { p { b { "Note: " } (note) } }
        }
    }
}

/// Shape says it, too, where colour does not.
fn sign(verdict: &str) -> &'static str {
    match verdict {
        "pass" => "✓",
        "fail" => "✗",
        "tripped" | "error" => "⚠",
        "not_judged" => "–",
        _ => "…",
    }
}

/// With a capital letter and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// A text for people, in which names as they stand in a file are between backticks.
pub(super) fn told(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // One without its fellow is what an instrument sent.
    if parts.len().is_multiple_of(2) {
        return html! { (text) };
    }
    html! { @for (place, part) in parts.iter().enumerate() {
        @if place % 2 == 1 { (key(part)) } @else { (part) }
    } }
}

/// A name as it stands in a file; a narrow column breaks it behind an underscore, and not anywhere.
pub(super) fn key(name: &str) -> Markup {
    html! { code.key { @for (place, part) in name.split('_').enumerate() { @if place > 0 { "_" wbr; } (part) } } }
}

/// `2026-11-23 16:04 UTC` from a time stamp.
fn day(stamp: &str) -> String {
    match (stamp.get(..10), stamp.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute} UTC"),
        _ => stamp.to_owned(),
    }
}

fn alarms(report: &Report) -> Markup {
    let summary = &report.summary;
    html! {
        @if !summary.outputs_off_verified && !report.goes_on {
            p.alarm {
                "The outputs were not verified off at the end of this record. "
                @match &report.made_safe {
                    Some(state) if !state.failures.is_empty() => { (told(&sentence(&state.failures.join("; ")))) }
                    Some(_) => { "An output was switched on after the last check." }
                    None => { "It holds no word on switching off: look at the bench before you touch it." }
                }
            }
        }
        @if let (Tail::Torn { line, bytes, what }, false) = (&report.tail, report.goes_on) {
            p.alarm {
                "The journal breaks off inside line " (line) " (" (bytes) " bytes left out: " (what)
                "). Everything before it was checked and is whole."
            }
        }
    }
}

fn numbers(report: &Report) -> Markup {
    let points = report.summary.points;
    html! {
        ul.facts {
            li { b { (points.finished) " / " (points.planned) } span { "points finished" } }
            li { b { (points.failed) } span { "points with a broken limit" } }
            li { b { (points.not_applicable) } span { "points where no limit applies" } }
            li { b { (report.outputs_word()) } span { @if report.goes_on { "outputs, as the run goes on" } @else { "outputs at the end" } } }
            li { b { (render_elapsed(report.lasted)) } span { "from first to last event" } }
        }
    }
}

fn limits(report: &Report) -> Markup {
    if report.summary.limits.is_empty() {
        return html! { p { "The record names no limits, so that nothing could be judged." } };
    }
    html! {
        h2 { "Limits" }
        div.scroll { table.cards.limits {
            thead { tr {
                th { "verdict" } th { "limit" } th { "bounds" } th { "applies where" } th { "worst value" }
                th.number { "met" } th.number { "near" } th.number { "broken" } th.number { "not measured" }
                th.number { "not applicable" }
            } }
            tbody { @for limit in report.limits_by_weight() { (limit_row(report, limit)) } }
        } }
        p.small {
            "A point counts as near where the value lies within the profile's marginal band inside a bound. "
            "Not applicable is neither a pass nor a fail: the limit's condition does not hold there."
            @if report.points.iter().any(|point| !point.bounds.is_empty()) {
                " ≤ and ≥ before a value: it is a bound, and the truth lies on that side of it."
            }
        }
    }
}

/// Signs as they are printed, in a text of numbers; a unit is not parted from its number.
pub(super) fn signs(text: &str) -> String {
    let mut printed = minus(text).replace(">=", "≥").replace("<=", "≤").replace("point ", "point\u{a0}");
    printed = printed.replace("≥ ", "≥\u{a0}").replace("≤ ", "≤\u{a0}");
    for digit in '0'..='9' {
        printed = printed.replace(&format!("{digit} "), &format!("{digit}\u{a0}"));
    }
    printed
}

fn limit_row(report: &Report, limit: &LimitSummary) -> Markup {
    let is_warming = report.thermal.is_some();
    let word = limit_word(limit);
    let title = limit.figure.parse::<FigureName>().map_or("", FigureName::title);
    html! {
        tr {
            td { span class={ "tag " (word.replace(' ', "_")) } { (word) } }
            td { b { (limit.name) }
                br; span.small {
                    (title)
                    @if is_warming && limit.figure == FigureName::BoardTemperature.key() { ", not in thermal equilibrium" }
                }
            }
            td.nowrap data-label="bounds" { (signs(&limit.bounds)) }
            td data-label="applies where" {
                @if limit.condition.is_empty() { "everywhere" } @else { (signs(&limit.condition)) }
            }
            td.broken[limit.is_broken()] data-label="worst value" {
                (worst(report, limit).map_or_else(|| "–".to_owned(), |worst| signs(&worst)))
                @if let Some(note) = uncertainty(report, limit) { br; span.small { (note) } }
                @if let Some(readings) = readings(limit) { br; span.small { "Readings: " (signs(&readings)) } }
            }
            td.number data-label="met" { (limit.passed) }
            td.number data-label="near" { (limit.marginal) }
            td.number.broken[limit.failed > 0] data-label="broken" { (limit.failed) }
            td.number data-label="not measured" { (limit.not_measured) }
            td.number.aside data-label="not applicable" { (limit.not_applicable) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_between_backticks_are_set_as_names_and_a_single_backtick_stays() {
        let table = [
            (
                "got `boar=4` of `ripple_pp_v`",
                "got <code class=\"key\">boar=4</code> of <code class=\"key\">ripple_<wbr>pp_<wbr>v</code>",
            ),
            ("it sent ` and <", "it sent ` and &lt;"),
            ("nothing", "nothing"),
        ];
        for (text, page) in table {
            assert_eq!(told(text).into_string(), page);
        }
    }
}
