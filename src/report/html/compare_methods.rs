//! The changes once more by methods that ask for less: ranks, permutations, boards drawn anew.

use maud::{Markup, html};

use super::top::{key, sentence};
use crate::compare::comparison::Comparison;
use crate::compare::effect::{Effect, Pairing};
use crate::compare::stat::Exactness;
use crate::report::compare::amount::Amounts;
use crate::report::compare::words::{short_p, valued_points};

/// A table of all changes that boards tell something of by more than their mean and its interval.
pub(super) fn other_methods(comparison: &Comparison) -> Markup {
    let known = |effect: &&Effect| effect.certainty.rank.is_ok() || effect.certainty.resampled.is_ok();
    let effects: Vec<&Effect> = comparison.effects.iter().filter(known).collect();
    let (ranks, shift) = match comparison.pairing {
        Pairing::None => ("Mann and Whitney's rank test", "the median of all differences between two boards"),
        Pairing::Board => {
            ("Wilcoxon's signed rank test", "the median of all averages of two boards' changes")
        }
    };
    html! {
        @if !effects.is_empty() {
            h2 { "The same by other methods" }
            div.scroll { table.cards.changes {
                thead { tr {
                    th { "figure" } th.number { "by t, 95 %" } th.number { "by ranks" } th.number { "boards drawn anew" }
                    th.number { "p by t" } th.number { "p by permutation" } th.number { "p by ranks" }
                } }
                tbody { @for effect in &effects { (row(effect)) } }
            } }
            p.small {
                "The interval by t is the result; the others show whether it rests on the normal scatter that it takes for granted. By ranks: "
                (shift) " (Hodges and Lehmann), with an interval whose level is told, for levels of ranks come in steps. "
                (few_ranks(&effects)) (drawn(&effects)) " p by permutation: exact, of the boards' means; by ranks: exact (≈ by the normal distribution, of more than 50 boards in all), "
                (ranks) ", ≥ where so few boards can reach nothing less. None of these p is corrected for how many figures are looked at."
            }
        }
    }
}

fn row(effect: &Effect) -> Markup {
    let (quantity, amounts, certainty) = (effect.quantity(), Amounts::of(effect), &effect.certainty);
    let dash = || "–".to_owned();
    let ends = |low: f64, high: f64| format!("{} to {}", amounts.signed(low), amounts.signed(high));
    let p = |p: Option<f64>| p.map_or_else(dash, short_p);
    let least = certainty.least_rank_p.is_some_and(|least| least > 0.05);
    let about = if certainty.rank_exactness == Some(Exactness::Approximate) { "≈ " } else { "" };
    let ranks = format!("{about}{}", p(certainty.rank_p.as_ref().ok().copied()));
    html! {
        tr {
            td {
                (quantity.title()) br; span.small { (key(quantity.key())) }
                @if let Some(of) = valued_points(effect) { br; span.small { (of) } }
            }
            td.number data-label="by t, 95 %" {
                (effect.change.map_or_else(dash, |change| amounts.full(change))) br;
                (effect.interval().map_or_else(dash, |interval| ends(interval.low, interval.high)))
            }
            td.number data-label="by ranks" {
                @match &certainty.rank {
                    Err(_) => "–",
                    Ok(shift) => {
                        (amounts.full(shift.estimate.value)) br; (ends(shift.estimate.low, shift.estimate.high)) br;
                        span.small { (percent(shift.estimate.confidence)) }
                    }
                }
            }
            td.number data-label="boards drawn anew" {
                (certainty.resampled.as_ref().map_or_else(|_| dash(), |drawn| ends(drawn.estimate.low, drawn.estimate.high)))
            }
            td.number data-label="p by t" { (p(certainty.mean.as_ref().ok().map(|mean| mean.p))) }
            td.number data-label="p by permutation" { (p(certainty.permuted_p.as_ref().ok().copied())) }
            td.number data-label="p by ranks" { @if least { "≥ " (p(certainty.least_rank_p)) } @else { (ranks) } }
        }
    }
}

/// A level of ranks, which is hardly ever a round number.
fn percent(confidence: f64) -> String {
    format!("{:.1} %", confidence * 100.0)
}

/// What must be said where so few boards have no interval of the level that was wanted.
fn few_ranks(effects: &[&Effect]) -> String {
    let shortfall = effects.iter().find_map(|effect| effect.certainty.rank.as_ref().ok()?.shortfall());
    shortfall.map_or_else(String::new, |told| format!("{} ", sentence(&told)))
}

/// How boards were drawn, which is the same for all figures, and what must be said of few.
fn drawn(effects: &[&Effect]) -> String {
    let Some(first) = effects.iter().find_map(|effect| effect.certainty.resampled.as_ref().ok()) else {
        return String::new();
    };
    let settings = first.settings;
    let warning =
        first.warning.as_ref().map_or_else(String::new, |warning| format!(" {}", sentence(warning)));
    format!(
        "Boards drawn anew: whole boards, each with all its points and repeats, {} times from seed {}; 95 % by {}s.{warning}",
        settings.resamples,
        settings.seed,
        settings.kind.word()
    )
}
