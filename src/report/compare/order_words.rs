//! The run order as sentences: how the runs lie in time, and for each figure the change without the drift.

use super::amount::Amounts;
use super::parts::{Part, part};
use super::words::valued_points;
use crate::base::count::{counted, fitting};
use crate::base::estimate::Estimate;
use crate::base::names::OrderName;
use crate::compare::comparison::Comparison;
use crate::compare::effect::{Effect, Interval, Pairing};
use crate::compare::run_order::{Kept, NotHere, Separation, runs_at};

/// The heading of what is told of drift.
#[must_use]
pub fn heading(comparison: &Comparison) -> &'static str {
    if comparison.is_within_runs() { "drift is a part of the change" } else { "drift apart from the change" }
}

/// How the runs of both sides lie in time, and what that means for what is concluded.
#[must_use]
pub fn order(comparison: &Comparison) -> String {
    let order = &comparison.order;
    let kept = match &order.kept {
        Kept::WithinRuns => {
            return format!(
                "{} and {} are stretches of the same runs: whatever drifts with time is in the change, be it the board, its air or \
                 the instruments",
                comparison.before.name, comparison.after.name
            );
        }
        Kept::None => "by the time at which they began".to_owned(),
        Kept::As(name, not_here) => as_laid_down(name, not_here),
        Kept::Otherwise(name, how) => {
            format!(
                "by the time at which they began, for they were not made in the order {name} that was laid down: {how}"
            )
        }
    };
    let is = |places: &[u32]| fitting(places.len(), "is", "are");
    let places = format!(
        "{} {} of {}, {} {} of {} ({kept})",
        runs_at(&order.before),
        is(&order.before),
        comparison.before.name,
        runs_at(&order.after),
        is(&order.after),
        comparison.after.name
    );
    let told = match order.separation() {
        Separation::SameThing => {
            "order and side are the same thing, so that drift with time and change cannot be told apart"
                .to_owned()
        }
        Separation::OneAfterOther(factor) => {
            let why = match comparison.pairing {
                Pairing::None => "all runs of one side came first",
                Pairing::Board => "every board was measured the same way round",
            };
            format!(
                "{why}, so that drift with time and change cannot be told apart; taking off a drift that is even makes the variance \
                 of the change {factor:.1} times as large"
            )
        }
        Separation::Alike(factor) => format!(
            "drift with time and change look alike and cannot be told apart; taking a drift off makes the variance of the change \
             {factor:.1} times as large"
        ),
        Separation::Apart(factor) => format!(
            "drift with time and change can be told apart; taking a drift off makes the variance of the change {factor:.2} times \
             as large"
        ),
        separation @ (Separation::FallsOut | Separation::NotJudged(_)) => {
            format!("no drift is told, for {}", separation.no_drift().unwrap_or_default())
        }
    };
    format!("{places}: {told}")
}

/// Which runs of their order are here.
fn as_laid_down(name: &OrderName, NotHere { missing, left_out }: &NotHere) -> String {
    let of: Vec<String> = (left_out.iter())
        .map(|(revision, runs)| format!("{} of revision {revision}", runs_at(runs)))
        .collect();
    // What is not compared is not missing.
    let but = if of.is_empty() { String::new() } else { format!(" but for {} (left out)", of.join(" and ")) };
    if missing.is_empty() {
        return format!("all runs of the order {name}{but}, in its order");
    }
    let is = fitting(missing.len(), "is", "are");
    format!("in the order {name}, of which {} {is} not here{but}", counted(missing.len(), "run"))
}

/// The change of a figure without the drift, and the drift; `None` where nothing is known of either.
#[must_use]
pub fn drift(comparison: &Comparison, effect: &Effect) -> Option<String> {
    let title = effect.quantity().title();
    let mut told = Vec::new();
    if let Ok(found) = &effect.order {
        let ends = |low: f64, high: f64, amounts: Amounts| {
            format!("(95 % interval {} to {})", amounts.signed(low), amounts.signed(high))
        };
        let (change, drift) = (found.effect, found.drift);
        let interval = |found: Estimate| Some(Interval::from(found));
        let of_change = Amounts::for_change(effect.quantity(), change.value, interval(change));
        let of_drift = Amounts::for_rate(effect.quantity(), drift.value, interval(drift));
        told.push(format!(
            "{}{} with the drift taken off {}, drift {} a run {}",
            of_change.full(change.value),
            valued_points(effect).map_or_else(String::new, |of| format!(" over the {of} with values")),
            ends(change.low, change.high, of_change),
            of_drift.full(drift.value),
            ends(drift.low, drift.high, of_drift)
        ));
    }
    if let (Ok(reference), Some((first, last))) = (effect.reference, comparison.order.reference) {
        let amounts = Amounts::for_change(effect.quantity(), reference.change, None);
        told.push(format!(
            "reference board {} from run {first} to run {last}",
            amounts.full(reference.change)
        ));
    }
    (!told.is_empty()).then(|| format!("{title}: {}", told.join("; ")))
}

/// What is told of the order: first how the runs lie, then every figure that somebody made the change for or pays for it with.
#[must_use]
pub fn lines(comparison: &Comparison) -> Vec<String> {
    let shown: Vec<&Effect> = comparison
        .effects
        .iter()
        .filter(|effect| matches!(part(effect.quantity()), Part::Bought | Part::Price))
        .collect();
    let mut lines = vec![order(comparison)];
    lines.extend(shown.iter().filter_map(|effect| drift(comparison, effect)));
    if comparison.is_within_runs() {
        return lines;
    }
    // One reason for all is told once, and what the order itself says stands above already.
    let above = comparison.order.separation().no_drift();
    let mut reasons: Vec<&String> = shown.iter().filter_map(|effect| effect.order.as_ref().err()).collect();
    reasons.retain(|why| above.as_ref() != Some(*why));
    reasons.sort();
    reasons.dedup();
    lines.extend(reasons.into_iter().map(|why| format!("no drift is told apart where {why}")));
    lines
}
