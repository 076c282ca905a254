//! A change of which only a bound is known, in words: which way it surely goes and by how much at least, and never as a value.

use super::amount::{Amounts, amount_as_set};
use super::words;
use crate::base::count::counted;
use crate::compare::bounds::BoundedMean;
use crate::compare::comparison::Comparison;
use crate::compare::effect::{Effect, Sense};
use crate::compare::quantity::Quantity;
use crate::waveform::Bound;

/// The sign of a bound.
#[must_use]
pub const fn sign(bound: Bound) -> &'static str {
    match bound {
        Bound::Upper => "≤",
        Bound::Lower => "≥",
    }
}

/// The digits for a bound and the end that is sure.
pub(super) fn amounts(quantity: Quantity, bounded: &BoundedMean) -> Amounts {
    let sure = bounded.sure.as_ref().map_or(bounded.change, |sure| *sure);
    Amounts::for_change(quantity, if sure.abs() > bounded.change.abs() { sure } else { bounded.change }, None)
}

/// The bound with its sign, e.g. `≤ −30.0 dB`.
#[must_use]
pub fn mean(effect: &Effect) -> Option<String> {
    let bounded = effect.bounded.as_ref()?;
    let amounts = amounts(effect.quantity(), bounded);
    Some(format!("{} {}", sign(bounded.bound), amounts.full(bounded.change)))
}

/// The end that is sure with its sign, e.g. `≤ −28.1`.
#[must_use]
pub fn sure(effect: &Effect) -> Option<String> {
    let bounded = effect.bounded.as_ref()?;
    let sure = bounded.sure.as_ref().ok()?;
    Some(format!("{} {}", sign(bounded.bound), amounts(effect.quantity(), bounded).signed(*sure)))
}

/// How far on the one side the change lies: `at least 30.0 dB lower`, `at most 2.0 dB higher`.
fn on_its_side(amounts: Amounts, value: f64, bound: Bound) -> String {
    let falls = value < 0.0;
    let (least, way) = (least(value, bound), if falls { "lower" } else { "higher" });
    format!("{least} {} {} {way}", amounts.size(value), amounts.unit)
}

fn least(value: f64, bound: Bound) -> &'static str {
    if (value < 0.0) == (bound == Bound::Upper) { "at least" } else { "at most" }
}

/// The sentence where the bound is what is known, without its subject, and the facts behind it.
#[must_use]
pub(super) fn change(comparison: &Comparison, effect: &Effect, bounded: &BoundedMean) -> (String, String) {
    let (quantity, title) = (effect.quantity(), effect.quantity().title());
    let (amounts, value, bound) = (amounts(quantity, bounded), bounded.change, bounded.bound);
    let verb = if effect.sense() == Sense::NoChange || least(value, bound) == "at most" {
        format!("does not surely change the {title}: {}", on_its_side(amounts, value, bound))
    } else {
        let verb = if value < 0.0 { "lowers" } else { "raises" };
        format!("{verb} the {title} by at least {} {}", amounts.size(value), amounts.unit)
    };
    let mut facts = vec![match &bounded.sure {
        Ok(sure) => format!("95 % sure: {}", on_its_side(amounts, *sure, bound)),
        Err(why) => format!("no interval, for {why}"),
    }];
    facts.push(words::boards(comparison));
    facts.push(over(effect, bounded));
    facts.extend(known(effect));
    if matches!(quantity, Quantity::Band(_)) {
        facts.push(effect.matched.no_value());
    }
    facts.extend(matters(effect, bounded));
    facts.extend(words::floors(effect));
    (verb, facts.join("; "))
}

/// The same of a change that is told by bounds.
#[must_use]
pub fn over_bounds(effect: &Effect) -> Option<String> {
    effect.bounded.as_ref().filter(|_| effect.is_told_by_bounds()).map(|bounded| over(effect, bounded))
}

/// Over which points, and at how many of them there is no more than a bound.
fn over(effect: &Effect, bounded: &BoundedMean) -> String {
    let (only, open) = (effect.matched.bounded.len(), effect.matched.open.len());
    let all = if open == 0 {
        format!("mean over all {}", counted(bounded.places, "point"))
    } else {
        format!(
            "mean over {} of {} points, for at {open} both sides are bounds",
            bounded.places,
            bounded.places + open
        )
    };
    let only = if only == bounded.places { "all".to_owned() } else { format!("{only} of them") };
    format!("{all}, {only} with a bound alone")
}

/// What the points with values on both sides say.
fn known(effect: &Effect) -> Option<String> {
    let (change, amounts) = (effect.change?, Amounts::of(effect));
    let points = counted(effect.points.len(), "point");
    let ends = effect.interval().map_or_else(String::new, |ends| {
        format!(" (95 % interval {} to {})", amounts.signed(ends.low), amounts.signed(ends.high))
    });
    Some(format!("{} over the {points} with values on both sides{ends}", amounts.full(change)))
}

fn matters(effect: &Effect, bounded: &BoundedMean) -> Option<String> {
    let smallest = effect.smallest?;
    let told = amount_as_set(effect.quantity(), smallest);
    match effect.sense() {
        Sense::NoChange => Some(format!("a change of {told} or more is not ruled out")),
        Sense::Better | Sense::Worse | Sense::Changed => {
            let is_less = bounded.sure.as_ref().is_ok_and(|sure| sure.abs() < smallest);
            is_less.then(|| format!("that it is more than {told} is not shown"))
        }
        Sense::TooSmall | Sense::NotKnown => None,
    }
}

/// How a limit came out where the bound decides.
#[must_use]
pub(super) fn outcome(effect: &Effect) -> Option<String> {
    let bound = mean(effect)?;
    Some(match sure(effect) {
        Some(sure) => format!("{bound} (95 % sure: {sure}; {})", over(effect, effect.bounded.as_ref()?)),
        None => bound,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{draw, gate_words, untold, words};
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::compare::cell::{Cell, Place};
    use crate::compare::comparison::{Gate, Request, compare};
    use crate::compare::gate::Allowance;
    use crate::compare::group::{BoardCells, Group};
    use crate::event::{FigureName, Setting};

    /// Two boards of the same values at each load, a decibel apart from one another.
    fn group(name: &str, values: &[(f64, Option<Bound>)]) -> Group {
        let quantity = Quantity::Figure(FigureName::RipplePp);
        let mut group = Group::new(name);
        for (number, add) in [0.0, 1.0].into_iter().enumerate() {
            let place = |load: usize| Place::of(Setting { vin: Volts(24.0), load: Amps(load as f64) });
            let cells = values.iter().enumerate();
            let cells = cells
                .map(|(load, (value, bound))| ((quantity, place(load)), Cell::one(value + add, *bound)))
                .collect();
            let board = BoardCells { cells, ..BoardCells::default() };
            group.boards.insert(format!("{name}{number}").parse().unwrap(), board);
        }
        group
    }

    /// The word, the sentence, and how a limit of 1 dB came out.
    fn told(before: &[(f64, Option<Bound>)], after: &[(f64, Option<Bound>)]) -> (String, String) {
        let limit: Allowance = "ripple_pp_v:1dB".parse().unwrap();
        let request = Request { is_forced: true, worse_than: vec![limit], ..Request::default() };
        let found = compare(&group("a", before), &group("b", after), &request);
        let effect = found.effect(limit.quantity).unwrap();
        let gate: &Gate = &found.gates[0];
        let sentence = format!("{}: {}", effect.sense().word(), words::change(&found, effect));
        (sentence, format!("{}: {}", gate.judgement.word(), gate_words::gate(&found, gate)))
    }

    const MOST: Option<Bound> = Some(Bound::Upper);

    #[test]
    fn levels_that_are_not_of_all_points_say_of_how_many_they_are() {
        let levels = |after: &[(f64, Option<Bound>)]| {
            let request = Request { is_forced: true, ..Request::default() };
            let found = compare(&group("a", &[(40.0, None); 4]), &group("b", after), &request);
            words::levels(found.effect(Quantity::Figure(FigureName::RipplePp)).unwrap())
        };
        let of = |told: &str| Some(told.to_owned());
        assert_eq!(levels(&[(7.0, None); 4]), of("105.9 V to 2.371 V"));
        let with_bounds = [(7.0, None), (10.0, MOST), (10.0, MOST), (10.0, MOST)];
        assert_eq!(levels(&with_bounds), of("105.9 V to 2.371 V (at the 1 of 4 points with values)"));
        assert_eq!(levels(&[(10.0, MOST); 4]), None);
    }

    #[test]
    fn the_sentence_begins_with_the_bound_over_all_points_and_names_the_few_with_values_beside_it() {
        let (sentence, gate) =
            told(&[(40.0, None); 4], &[(7.0, None), (10.0, MOST), (10.0, MOST), (10.0, MOST)]);
        for words in [
            "better: lowers the ripple without spikes, peak to peak by at least 30.8 dB (95 % sure: at least 27.7 dB lower; ",
            "; mean over all 4 points, 3 of them with a bound alone; −33.0 dB over the 1 point with values on both sides (95 % interval −36.0 to −30.0)",
        ] {
            assert!(sentence.contains(words), "`{words}` is not in:\n{sentence}");
        }
        let limit = "met: ripple_pp_v not worse than 1 dB: ≤ −30.8 dB (95 % sure: ≤ −27.7;";
        assert!(gate.starts_with(limit), "{gate}");
    }

    #[test]
    fn where_the_sure_end_leaves_no_change_possible_no_direction_is_claimed() {
        let (sentence, gate) = told(&[(40.0, None); 2], &[(39.0, MOST); 2]);
        assert!(sentence.starts_with("no change shown: does not surely change the ripple"), "{sentence}");
        assert!(
            sentence.contains("at least 1.00 dB lower (95 % sure: at most 2.04 dB higher;"),
            "{sentence}"
        );
        assert!(gate.starts_with("undecided"), "{gate}");
        // Out of the floor: it rose by at least so much.
        let (sentence, gate) = told(&[(10.0, MOST); 2], &[(40.0, None); 2]);
        assert!(
            sentence.starts_with("worse: raises the ripple without spikes, peak to peak by at least 30.0 dB"),
            "{sentence}"
        );
        assert!(gate.starts_with("broken"), "{gate}");
        // It may have fallen by no more than that, and risen by anything.
        let (sentence, gate) = told(&[(40.0, MOST); 2], &[(10.0, None); 2]);
        assert!(
            sentence.contains("does not surely change") && sentence.contains("at most 30.0 dB lower"),
            "{sentence}"
        );
        assert!(gate.starts_with("undecided"), "{gate}");
    }

    #[test]
    fn boards_and_points_of_which_bounds_are_known_are_drawn_as_bounds_on_the_side_on_which_the_truth_lies() {
        let drawn = |before: &[(f64, Option<Bound>)], after: &[(f64, Option<Bound>)]| {
            let request = Request { is_forced: true, ..Request::default() };
            let found = compare(&group("a", before), &group("b", after), &request);
            let effect = found.effect(Quantity::Figure(FigureName::RipplePp)).unwrap();
            let (dots, forest) =
                (draw::dots(&found, effect).unwrap(), draw::forest(&found, effect).unwrap().0);
            let dots: Vec<String> =
                dots.rows.iter().map(|row| format!("{} {:?}", row.told, row.truth_is_more)).collect();
            let rows =
                forest.rows.iter().map(|row| format!("{:?} {} {:?}", row.kind, row.label, row.truth_is_more));
            (dots.join("; "), rows.collect::<Vec<_>>())
        };
        // Nothing but bounds after.
        let (dots, rows) = drawn(&[(40.0, None); 2], &[(10.0, MOST); 2]);
        assert_eq!(dots, "mean 105.9 V None; mean ≤ 3.35 V Some(false)");
        assert_eq!(
            rows,
            [
                "All all 2 points Some(false)",
                "Board a0 to mean after Some(false)",
                "Board a1 to mean after Some(false)",
                "Board mean before to b0 Some(false)",
                "Board mean before to b1 Some(false)",
                "Point 24 V, 0 A Some(false)",
                "Point 24 V, 1 A Some(false)",
            ]
        );
        // Bounds before: there the truth is lower, and the change higher.
        let (dots, rows) = drawn(&[(10.0, MOST); 2], &[(40.0, None); 2]);
        assert_eq!(dots, "mean ≤ 3.35 V Some(false); mean 105.9 V None");
        assert!(rows.iter().all(|row| row.ends_with("Some(true)")), "{rows:?}");
        // Where most points are bounds, boards stand for all points; where few are, for those with values.
        let most = [(7.0, None), (10.0, MOST), (10.0, MOST)];
        let (dots, rows) = drawn(&[(40.0, None); 3], &most);
        assert!(dots.ends_with("V Some(false)"), "{dots}");
        assert_eq!(rows[..2], ["All all 3 points Some(false)", "All all boards, 1 point None"]);
        let (dots, rows) = drawn(&[(40.0, None); 3], &[(7.0, None), (7.0, None), (10.0, MOST)]);
        assert_eq!(dots, "mean 105.9 V None; mean 2.371 V None");
        assert_eq!(rows[..2], ["All all boards, 2 points None", "All all 3 points Some(false)"]);
    }

    #[test]
    fn why_a_known_change_has_no_interval_is_told_once_with_all_that_it_is_of() {
        let request = Request { is_forced: true, ..Request::default() };
        let alone = |name: &str, value: f64| {
            let mut one = group(name, &[(value, None)]);
            let last = one.boards.keys().next_back().cloned().unwrap();
            one.boards.remove(&last);
            one
        };
        let found = compare(&alone("a", 40.0), &alone("b", 10.0), &request);
        let told = untold::without_interval(&found);
        assert!(
            told.len() == 1
                && told[0].starts_with("no interval of ripple without spikes, peak to peak, for "),
            "{told:?}"
        );
        let both = compare(&group("a", &[(40.0, None)]), &group("b", &[(10.0, None)]), &request);
        assert!(untold::without_interval(&both).is_empty());
    }
}
