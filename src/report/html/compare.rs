//! The page of a comparison: what the change bought, in words with numbers, and what stands behind them.

use maud::{Markup, html};

use super::compare_methods::other_methods;
use super::top::sentence;
use super::{change_picture, compare_tables as tables, picture};
use crate::base::count::counted;
use crate::compare::comparison::Comparison;
use crate::compare::course::Course;
use crate::compare::effect::{Effect, Sense};
use crate::compare::guard::Comparability;
use crate::report::compare::page::{ComparisonPage, QuantityView};
use crate::report::compare::parts::{Part, part};
use crate::report::compare::traces::Overlaid;
use crate::report::compare::{bound_words, captions};
use crate::report::compare::{course, order_words};
use crate::report::compare::{gate_words, untold, words};
use crate::report::svg::{
    change_map_width, render_change_map, render_dots, render_forest, render_overlaid_spectra,
    render_overlaid_traces,
};

/// The page of comparisons that share their first group. Every text in it is escaped.
#[must_use]
pub fn render_comparisons(pages: &[ComparisonPage]) -> String {
    let names: Vec<&str> = pages.iter().map(|page| page.comparison.after.name.as_str()).collect();
    let first = pages.first().map_or("", |page| page.comparison.before.name.as_str());
    let title = format!("{} against {first}", names.join(", "));
    super::page(
        &title,
        &html! {
            @if pages.len() > 1 { (told_first(pages)) }
            @for (at, page) in pages.iter().enumerate() { (one(page, at == 0)) }
            (tables::method())
        },
    )
}

/// Of several comparisons, what keeps any of them from passing: a reader may never come down to the last one.
fn told_first(pages: &[ComparisonPage]) -> Markup {
    let line =
        |page: &ComparisonPage, told: &str| sentence(&format!("{}: {told}", words::groups(&page.comparison)));
    html! {
        @for page in pages {
            @if let Some(told) = &page.not_kept {
                div.verdict.fail { div.word { "LIMIT NOT MET" } div.why { (line(page, told)) } }
            }
            @if let Some(told) = words::breaking(&page.comparison) {
                div.verdict.fail { div.word { "NOT COMPARABLE" } div.why { (line(page, &told)) } }
            }
        }
    }
}

fn one(page: &ComparisonPage, is_first: bool) -> Markup {
    let comparison = &page.comparison;
    html! {
        (head(comparison))
        @if let Some(told) = &page.not_kept {
            div.verdict.fail { div.word { "LIMIT NOT MET" } div.why { (sentence(told)) } }
        }
        (verdict(comparison))
        @if let Some(told) = page.baseline.as_ref().filter(|_| is_first) { p.statement { (sentence(told)) } }
        @if let Some(told) = page.left_out.as_ref().filter(|_| is_first) { p.statement { (sentence(told)) } }
        @if comparison.guard.comparability == Comparability::NotComparable {
            p.alarm {
                @if comparison.is_forced {
                    "These groups are not comparable. They were compared all the same, because that was forced: what follows shows "
                    "what was measured, and proves nothing about the boards."
                } @else { "These groups are not comparable, and nothing was compared. The differences stand below." }
            }
        }
        @if comparison.is_made() {
            (first_page(comparison))
            (tables::not_concluded(comparison))
            (tables::changes(comparison))
            @if let Some(made) = &comparison.course { (over_the_hours(made)) }
            (other_methods(comparison))
            (tables::next_boards(comparison))
            h2 { (heading(order_words::heading(comparison))) }
            ul { @for line in order_words::lines(comparison) { li { (sentence(&line)) } } }
            (pictures(page))
        }
        (tables::differences(comparison))
        (tables::boards(comparison))
    }
}

fn head(comparison: &Comparison) -> Markup {
    let (before, after) = (&comparison.before, &comparison.after);
    html! {
        header {
            h1 {
                @if comparison.is_within_runs() { "What changed between “" (before.name) "” and “" (after.name) "”?" }
                @else { "What did " (after.name) " buy against " (before.name) "?" }
            }
            p.lead {
                (after.name) ": " (counted(after.boards.len(), "board")) ", " (counted(after.runs, "run")) " · "
                (before.name) ": " (counted(before.boards.len(), "board")) ", " (counted(before.runs, "run"))
            }
        }
    }
}

fn verdict(comparison: &Comparison) -> Markup {
    let guard = &comparison.guard;
    let class = match guard.comparability {
        Comparability::Comparable => "pass",
        Comparability::Except => "incomplete",
        Comparability::NotComparable => "fail",
    };
    let serious: Vec<String> = guard
        .differences
        .iter()
        .filter(|difference| difference.weight > crate::compare::aspect::Weight::Slight)
        .map(crate::compare::guard::Difference::title)
        .collect();
    html! {
        div class={ "verdict " (class) } {
            div.word { (guard.comparability.word().to_uppercase()) }
            div.why {
                @if serious.is_empty() {
                    "Instruments, probe, bandwidth, points and settling agree (" (guard.looked_at) " things looked at"
                    @if !guard.differences.is_empty() { ", " (counted(guard.differences.len(), "slight difference")) }
                    ")."
                } @else { (sentence(&serious.join("; "))) }
            }
        }
        @for gate in &comparison.gates {
            p.statement {
                span class={ "tag " (tag(gate.judgement.word())) } { (gate.judgement.word()) } " " (gate_words::gate(comparison, gate))
            }
        }
    }
}

/// The class of a word on a limit.
fn tag(word: &str) -> &'static str {
    match word {
        "met" => "pass",
        "broken" => "fail",
        _ => "undecided",
    }
}

fn first_page(comparison: &Comparison) -> Markup {
    let told = || comparison.effects.iter().filter(|effect| !untold::is_untold(effect));
    let of = |wanted: Part| told().filter(move |effect| part(effect.quantity()) == wanted);
    let clipped = words::clipped_captures(comparison);
    html! {
        div.statement {
            @for effect in of(Part::Bought) { (statement(comparison, effect)) }
        }
        h2 { (heading(Part::Price.heading(comparison.is_within_runs()))) }
        @for effect in of(Part::Price) { (statement(comparison, effect)) }
        @if of(Part::Where).next().is_some() || !clipped.is_empty() {
            h2 { "Where in the spectrum" }
            @for effect in of(Part::Where) { (statement(comparison, effect)) }
            @for told in &clipped { p.small { (sentence(told)) } }
        }
        @for told in untold::not_compared(comparison) { p { (sentence(&told)) } }
    }
}

/// A title as a heading: a capital in front and nothing behind.
fn heading(title: &str) -> String {
    sentence(title).trim_end_matches('.').to_owned()
}

fn statement(comparison: &Comparison, effect: &Effect) -> Markup {
    let name = &comparison.after.name;
    let (told, facts) = words::change_and_facts(comparison, effect);
    let told = sentence(&format!("{name} {told}"));
    let is_sure = matches!(effect.sense(), Sense::Better | Sense::Worse | Sense::Changed);
    html! {
        p {
            span class=[is_sure.then_some("sure")] { (told.trim_end_matches('.')) }
            @if facts.is_empty() { "." } @else { " (" (facts) ")." }
            @if let Some(levels) = words::levels(effect) { span.small { " From " (levels) "." } }
        }
    }
}

fn pictures(page: &ComparisonPage) -> Markup {
    html! {
        h2 { "Traces of both" }
        div.figure { div.row.two {
            (overlaid("One period", &page.folded))
            (overlaid("The worst spike", &page.spikes))
        } }
        @if let Some(spectra) = &page.spectra {
            div.figure {
                h3 { "Spectra" }
                (picture(&render_overlaid_spectra(spectra), "wide spectra", "spectra of both groups and their change"))
                p.small {
                    "The mean over boards and points, in decibels: the ripple capture as far as its bandwidth limit (with what a single pole takes off there given back), the wide one beyond, and the "
                    "wide one alone where samples of a ripple capture are clipped. Below, the change. "
                    (words::spectra_at_noise(spectra))
                }
            }
        }
        @for view in &page.views { (quantity(page, view)) }
    }
}

/// The change in each step, as a table and as a picture of each quantity.
fn over_the_hours(made: &Course) -> Markup {
    let all = course::lines(made);
    html! {
        h2 { (heading(&course::heading(made))) }
        p.small { (captions::steps(all.iter().map(|lines| &lines.picture))) }
        // The picture, the table and the growth of a quantity stay on one page of paper.
        @for lines in &all { div.figure {
            h3 { (heading(lines.quantity.title())) }
            @if let Some(svg) = render_forest(&lines.picture) {
                (picture(&svg, "curves forest", "the change in each step"))
            }
            div.scroll { table.cards {
                thead { tr { th { "step" } th { "before to after" } th { "change" } th { "" } } }
                tbody { @for step in &lines.steps { tr {
                    td { (step.title) } td data-label="before to after" { (step.levels) }
                    td data-label="change" { (step.change) } td { (step.sense) }
                } } }
            } }
            p { (sentence(&lines.growth)) }
        } }
    }
}

fn overlaid(title: &str, made: &Result<Overlaid, String>) -> Markup {
    html! {
        div {
            h3 { (title) }
            @match made {
                Ok(made) => {
                    (picture(&render_overlaid_traces(&made.traces), "half", title))
                    p.small { (made.caption) " Both on the same scales." }
                },
                Err(why) => p { (why) },
            }
        }
    }
}

fn quantity(page: &ComparisonPage, view: &QuantityView) -> Markup {
    let quantity = view.quantity;
    let effect = page.comparison.effect(quantity);
    let over =
        effect.and_then(|effect| bound_words::over_bounds(effect).or_else(|| words::valued_points(effect)));
    html! {
        h2 { (heading(quantity.title())) }
        @if let Some(made) = quantity.is_made() { p.small { (sentence(made)) } }
        div.figure {
            @if let Some((dots, svg)) = view.dots.as_ref().and_then(|dots| Some((dots, render_dots(dots)?))) {
                (picture(&svg, "curves boards", "every board"))
                p.small { (captions::dots(quantity, over.as_deref(), dots)) }
            }
            @if let Some(map) = &view.map {
                (change_picture(&render_change_map(map), change_map_width(map), "the change over input voltage and load"))
                p.small { (captions::map(&words::groups(&page.comparison), map)) }
            }
            @if let Some((forest, hidden)) = &view.forest {
                @if let Some(svg) = render_forest(forest) {
                    (picture(&svg, "curves forest", "changes with their intervals"))
                    p.small { (captions::forest((quantity, page.comparison.pairing), forest, *hidden)) }
                }
            }
        }
    }
}
