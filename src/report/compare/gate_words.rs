//! Limits on a change as sentences: what was asked, and by what it came out so.

use super::amount::{Amounts, amount_as_set};
use super::bound_words;
use crate::base::count::counted;
use crate::compare::comparison::{Comparison, Gate};
use crate::compare::effect::{Effect, Interval};
use crate::compare::gate::{Judgement, SAME_ALPHA};

/// A limit on a change and how it came out, as a sentence.
#[must_use]
pub fn gate(comparison: &Comparison, gate: &Gate) -> String {
    format!("{}: {}", limit(gate), outcome(comparison, gate))
}

/// A limit on a change, without anything that was measured.
#[must_use]
pub fn limit(gate: &Gate) -> String {
    let quantity = gate.allowance.quantity;
    let most = amount_as_set(quantity, gate.allowance.most);
    if gate.is_sameness {
        format!("{quantity} the same within {most}")
    } else {
        format!("{quantity} not worse than {most}")
    }
}

/// How a limit came out: the change with the interval that decides.
#[must_use]
pub fn outcome(comparison: &Comparison, gate: &Gate) -> String {
    match (&gate.judgement, comparison.effect(gate.allowance.quantity)) {
        (Judgement::Impossible(why), _) => format!("cannot be judged: {why}"),
        (_, Some(effect)) if effect.is_told_by_bounds() => bound_words::outcome(effect).unwrap_or_default(),
        (_, Some(effect)) => {
            let own = Amounts::of(effect);
            let (level, interval) = deciding(gate, effect);
            let ends = interval.map(|ends| {
                format!(" ({level} % interval {} to {})", own.signed(ends.low), own.signed(ends.high))
            });
            let ends = ends.or_else(|| {
                (!effect.certainty.is_resolved).then(|| " (no interval; the boards do not differ)".to_owned())
            });
            let ends = ends.unwrap_or_default();
            let change = effect.change.map_or_else(String::new, |change| own.full(change));
            format!("{change}{ends}{}", left_open(gate, effect).unwrap_or_default())
        }
        (_, None) => String::new(),
    }
}

/// What keeps a limit from being met that the points with values keep.
fn left_open(gate: &Gate, effect: &Effect) -> Option<String> {
    let bounded = effect.matched.bounded.len();
    let is_open = if gate.is_sameness { bounded > 0 } else { effect.is_open_to_worse() };
    (gate.judgement == Judgement::Undecided && is_open)
        .then(|| format!("; {} with a bound alone may lie beyond it", counted(bounded, "point")))
}

/// The interval by which a limit is judged, and its level in per cent: that something is the same is shown by two one-sided
/// tests at 5 %, which is the 90 % interval.
fn deciding(gate: &Gate, effect: &Effect) -> (u8, Option<Interval>) {
    if !gate.is_sameness {
        return (95, effect.interval());
    }
    let most = gate.allowance.most;
    if let Some(ends) = effect.stepped_for_sameness() {
        return (90, Some(ends));
    }
    let mean = effect.certainty.mean.as_ref().ok();
    (90, mean.and_then(|mean| Some(mean.within((-most, most), SAME_ALPHA).ok()?.interval.into())))
}
