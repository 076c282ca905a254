//! The tables of a comparison: all changes, what differs beside the boards, the boards, how it was made.

use maud::{Markup, html};

use super::top::{key, sentence};

use crate::base::count::counted;
use crate::compare::comparison::Comparison;
use crate::compare::effect::{Effect, Interval};
use crate::report::compare::amount::{Amounts, level};
use crate::report::compare::bound_words;
use crate::report::compare::draw::is_undecided;
use crate::report::compare::next;
use crate::report::compare::parts::{Part, part};
use crate::report::compare::untold;
use crate::report::compare::words::{short_p, valued_points};

pub(super) fn changes(comparison: &Comparison) -> Markup {
    html! {
        h2 { "All changes" }
        div.scroll { table.cards.changes {
            thead { tr {
                th { "figure" } th.number { "before" } th.number { "after" } th.number { "change" } th.number { "95 % interval" }
                th.number { "rank test p" } th.number { "single points" } th.number { "points" } th.number { "surely changed" }
            } }
            @for wanted in Part::ALL {
                @let effects = comparison.effects.iter().filter(|effect| part(effect.quantity()) == wanted).collect::<Vec<_>>();
                @if !effects.is_empty() {
                    tbody {
                        tr.group { td colspan="9" { b { (wanted.heading(comparison.is_within_runs())) } } }
                        @for effect in effects { (change_row(effect)) }
                    }
                }
            }
        } }
        @for told in untold::without_interval(comparison) { p.small { (sentence(&told)) } }
        p.small {
            "Better, worse, changed: the interval holds no zero. Too small to matter: two one-sided tests at 5 % show that the change is "
            "smaller than the smallest one that matters. No change shown: neither, so that a change that matters is not ruled out. "
            "Amplitudes are compared in decibels; their means are geometric ones. Points are those at which every board of both sides "
            "has a value; bounds and open ones (bounds on both sides, which tell nothing) stand beside them. Where more than half of the points "
            "have only a bound, the bound over all of them is told (≤: at most, ≥: at least), and better or worse goes by its sure end. Surely changed: points whose own p stays under 5 % when all are claimed at once (Holm)."
        }
    }
}

fn change_row(effect: &Effect) -> Markup {
    let (quantity, amounts) = (effect.quantity(), Amounts::of(effect));
    let ends = |ends: Interval| format!("{} to {}", amounts.signed(ends.low), amounts.signed(ends.high));
    let dash = || "–".to_owned();
    let sense = effect.sense().word();
    let (bounded, open) = (effect.matched.bounded.len(), effect.matched.open.len());
    let value = effect.change.map_or_else(dash, |change| amounts.full(change));
    let interval = effect.interval().map_or_else(dash, ends);
    html! {
        tr {
            td {
                (quantity.title()) br; span.small { (key(quantity.key())) } br;
                span class={ "tag " (class(sense)) } { (sense) }
            }
            td.number data-label="before" { (with_points(effect, effect.levels.map(|levels| levels.0))) }
            td.number data-label="after" { (with_points(effect, effect.levels.map(|levels| levels.1))) }
            td.number data-label="change" { (with_bound(effect, &value, bound_words::mean(effect))) }
            td.number data-label="95 % interval" { (with_bound(effect, &interval, bound_words::sure(effect))) }
            td.number data-label="rank test p" { (effect.certainty.rank_p.as_ref().map_or_else(|_| dash(), |p| short_p(*p))) }
            td.number data-label="single points" { (effect.spread().map_or_else(dash, ends)) }
            td.number data-label="points" {
                (effect.matched.places.len())
                @if bounded > 0 { " " span.nowrap { "+ " (counted(bounded, "bound")) } }
                @if open > 0 { " " span.nowrap { "+ " (open) " open" } }
            }
            td.number data-label="surely changed" { (effect.points.iter().filter(|point| !is_undecided(point)).count()) }
        }
    }
}

/// A level, and of which points it is, where it is not of all.
fn with_points(effect: &Effect, scaled: Option<f64>) -> Markup {
    html! {
        @match scaled {
            None => "–",
            Some(scaled) => span.stack {
                (level(effect.quantity(), scaled))
                @if let Some(of) = valued_points(effect) { br; span.small { (of) } }
            },
        }
    }
}

/// What is told of the points with values; in front of it the bound over all points, where that is what is known.
fn with_bound(effect: &Effect, of_values: &str, bound: Option<String>) -> Markup {
    let bound = bound.filter(|_| effect.is_told_by_bounds());
    html! {
        @match bound {
            None => (of_values),
            Some(bound) => span.stack {
                (bound)
                @if effect.change.is_some() { br; span.small { (of_values) " at " (effect.points.len()) } }
            },
        }
    }
}

/// What these boards cannot tell.
pub(super) fn not_concluded(comparison: &Comparison) -> Markup {
    let missing = next::not_concluded(comparison);
    html! {
        @if !missing.is_empty() {
            h2 { "What cannot be concluded" }
            ul { @for missing in &missing { li { (sentence(&missing.told)) } } }
        }
    }
}

/// Where most boards will lie, and how well they keep their limits.
pub(super) fn next_boards(comparison: &Comparison) -> Markup {
    let rows: Vec<_> = next::told_of_next(comparison)
        .filter_map(|effect| Some((effect.quantity().title(), next::most_boards(comparison, effect)?)))
        .collect();
    html! {
        h2 { "The next boards" }
        ul {
            @for (title, [before, after]) in &rows { li { b { (sentence(title).trim_end_matches('.')) } ". " (sentence(before)) " " (sentence(after)) } }
        }
        @if !comparison.capabilities.is_empty() {
            h3 { "Limits of the profile" }
            ul { @for row in &comparison.capabilities { li { (sentence(&next::capability(row))) } } }
        }
        p.small {
            "All of this takes the scatter for normal, and few boards bound the next ones little: with five, the "
            "limit that 95 % of all boards surely keep lies 4.2 standard deviations from their mean."
        }
    }
}

fn class(sense: &str) -> &'static str {
    match sense {
        "better" => "pass",
        "worse" => "fail",
        "changed" => "",
        _ => "not_applicable",
    }
}

pub(super) fn differences(comparison: &Comparison) -> Markup {
    let guard = &comparison.guard;
    html! {
        h2 { "What differs beside the boards" }
        @if guard.differences.is_empty() {
            p { "Nothing: all " (guard.looked_at) " things that were looked at agree." }
        } @else {
            div.scroll { table.cards {
                thead { tr { th { "weight" } th { "what" } th { (comparison.before.name) } th { (comparison.after.name) } th { "why it weighs so" } } }
                tbody { @for difference in &guard.differences { tr {
                    td { b { (difference.weight.word()) } }
                    td { (difference.title()) }
                    td data-label=(comparison.before.name) { (difference.before) }
                    td data-label=(comparison.after.name) { (difference.after) }
                    td.aside data-label="why" { (difference.kind.why()) }
                } } }
            } }
        }
    }
}

pub(super) fn boards(comparison: &Comparison) -> Markup {
    html! {
        h2 { "Boards" }
        dl {
            @for side in [&comparison.before, &comparison.after] {
                dt { (side.name) }
                dd { (side.boards.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")) " (" (side.runs) " runs)" }
            }
            @if !comparison.shared.is_empty() {
                dt { "On both sides" }
                dd { (comparison.shared.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")) }
            }
        }
    }
}

pub(super) fn method() -> Markup {
    html! {
        h2 { "How it was made" }
        p.small {
            "The board is what conclusions are drawn from: repeats are averaged, then the points at which every board has a value, so that "
            "each board is one number; these numbers are compared. Points and repeats of one board are not independent of each other. "
            "The interval is Welch's on the boards' numbers, or the paired one where the same boards were measured both ways. "
            "Values that are only bounds (at the noise floor, clipped) are left out of means; with them a mean is told as a bound. docs/comparison.md tells all of it."
        }
    }
}
