//! What a comparison cannot tell, and why: each reason once, however many quantities it is of.

use crate::compare::comparison::Comparison;
use crate::compare::effect::Effect;

/// What nothing can be said of, each reason once: where it is that of all, without their names. So of a board without an output.
#[must_use]
pub fn not_compared(comparison: &Comparison) -> Vec<String> {
    let untold = comparison.effects.iter().filter(|effect| is_untold(effect));
    let reasons = by_reason(untold.map(|effect| (effect.matched.no_value(), effect.quantity().title())));
    let told = reasons.into_iter().map(|(why, titles)| {
        if titles.len() == comparison.effects.len() {
            format!("nothing can be compared: {why}")
        } else {
            format!("cannot be compared in {}: {why}", titles.join("; "))
        }
    });
    told.collect()
}

/// Why changes that are known have no interval, each reason once with the quantities that it is of.
#[must_use]
pub fn without_interval(comparison: &Comparison) -> Vec<String> {
    let valued =
        comparison.effects.iter().filter(|effect| effect.change.is_some() && !effect.is_told_by_bounds());
    let bare = valued.filter_map(|effect| {
        Some((effect.certainty.interval.as_ref().err()?.clone(), effect.quantity().title()))
    });
    let told = by_reason(bare).into_iter();
    told.map(|(why, titles)| format!("no interval of {}, for {why}", titles.join("; "))).collect()
}

/// Each reason once, with all that it is the reason of.
fn by_reason(all: impl Iterator<Item = (String, &'static str)>) -> Vec<(String, Vec<&'static str>)> {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for (why, title) in all {
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, titles)) => titles.push(title),
            None => reasons.push((why, vec![title])),
        }
    }
    reasons
}

/// Whether nothing can be said of a change: neither a value is known nor a bound.
#[must_use]
pub fn is_untold(effect: &Effect) -> bool {
    effect.change.is_none() && !effect.is_told_by_bounds()
}
