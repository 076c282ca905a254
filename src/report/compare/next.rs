//! What is told of the next boards, and of what these ones cannot tell.

use super::amount::{amount, level};
use super::parts::{Part, part};
use super::words::{hidden_by_steps, short_p, valued_points};
use crate::base::count::counted;
use crate::compare::comparison::Comparison;
use crate::compare::effect::{Effect, Pairing, Sense};
use crate::compare::next::{End, LimitCapability, Side, Tolerance, tolerance};
use crate::compare::quantity::Quantity;
use crate::compare::stat::{HELD_EVENLY, smallest_mann_whitney_p, smallest_signed_rank_p};

/// From so many boards on a Cpk is told as a number; before, as its interval alone.
const ENOUGH_FOR_CPK: usize = 25;

/// Where most boards of each side lie, of what a page begins with; `None` where a quantity has no value.
#[must_use]
pub fn most_boards(comparison: &Comparison, effect: &Effect) -> Option<[String; 2]> {
    effect.levels?;
    let of = |name: &str, side: Side| format!("{name}: {}", most(effect, side));
    Some([of(&comparison.before.name, Side::Before), of(&comparison.after.name, Side::After)])
}

fn most(effect: &Effect, side: Side) -> String {
    let quantity = effect.quantity();
    let told = |scaled: f64| level(quantity, scaled);
    let (boards, tolerance) = tolerance(&effect.matched, effect.resolution, side);
    let sure = format!("95 % sure, {}", counted(boards, "board"));
    match tolerance {
        Ok(Tolerance::AtMost(high)) => format!("95 % of all boards stay below {} ({sure})", told(high)),
        Ok(Tolerance::AtLeast(low)) => format!("95 % of all boards stay above {} ({sure})", told(low)),
        Ok(Tolerance::Between(ends)) => {
            format!("95 % of all boards lie between {} and {} ({sure})", told(ends.low), told(ends.high))
        }
        Err(_) if boards > 1 && valued_points(effect).is_none() && !effect.resolution.is_rounding() => {
            format!("nothing tells where the next boards lie, for {}", hidden_by_steps(effect))
        }
        Err(why) => format!("nothing tells where the next boards lie, for {why}"),
    }
}

/// The effects whose tolerance limits are told without being asked for: what was bought, and its price.
pub fn told_of_next(comparison: &Comparison) -> impl Iterator<Item = &Effect> {
    let is_told = |effect: &&Effect| matches!(part(effect.quantity()), Part::Bought | Part::Price);
    comparison.effects.iter().filter(is_told)
}

/// How well boards keep a limit, as a sentence without an end. With few boards the interval alone is told.
#[must_use]
pub fn capability(row: &LimitCapability) -> String {
    let quantity = row.quantity;
    let end = match row.end {
        End::Min => "at least",
        End::Max => "at most",
    };
    let value = quantity
        .scaled(row.value.abs())
        .map_or_else(|| row.value.to_string(), |scaled| level(quantity, scaled));
    let sign = if row.value < 0.0 { "−" } else { "" };
    let what = format!("{}, {} ({quantity} {end} {sign}{value})", row.group, row.limit);
    let boards =
        format!("{}, the worst of {} of each", counted(row.boards, "board"), counted(row.points, "point"));
    match &row.cpk {
        Err(why) => format!("{what}: no Cpk, for {why}"),
        Ok(told) if row.boards < ENOUGH_FOR_CPK => format!(
            "{what}: Cpk between {:.2} and {:.2} (95 % interval; {boards}; so few boards tell no single number)",
            told.cpk.low, told.cpk.high
        ),
        Ok(told) => format!(
            "{what}: Cpk {:.2} (95 % interval {:.2} to {:.2}; {boards})",
            told.cpk.value, told.cpk.low, told.cpk.high
        ),
    }
}

/// The Cpk as a number, where there are boards enough for one.
#[must_use]
pub fn cpk_number(row: &LimitCapability) -> Option<f64> {
    row.cpk.as_ref().ok().filter(|_| row.boards >= ENOUGH_FOR_CPK).map(|told| told.cpk.value)
}

/// Where an interval of 95 % may hold the truth by more than this less often, in 100, it is said.
const SHORT: f64 = 1.0;

/// Something that cannot be concluded from these boards.
#[derive(Debug, Clone, PartialEq)]
pub struct NotConcluded {
    /// Of which quantity; `None` of all.
    pub quantity: Option<Quantity>,
    /// What, why, and what it would take.
    pub told: String,
}

/// What these boards cannot tell, whatever was measured on them, and what they might have told and did not.
#[must_use]
pub fn not_concluded(comparison: &Comparison) -> Vec<NotConcluded> {
    if !comparison.is_made() {
        return Vec::new();
    }
    let general = [too_few(comparison), ranks(comparison), scatter(comparison), whose(comparison)]
        .into_iter()
        .flatten();
    let mut found: Vec<NotConcluded> = general.map(|told| NotConcluded { quantity: None, told }).collect();
    for effect in told_of_next(comparison).filter(|effect| effect.sense() == Sense::NoChange) {
        let quantity = effect.quantity();
        let (change, why) = match &effect.certainty.needed {
            Ok(needed) => (Some(needed.change), seeing(comparison, needed.boards)),
            Err(why) => (effect.smallest, why.clone()),
        };
        let by = change.map_or_else(String::new, |by| format!(" by {} or more", amount(quantity, by.abs())));
        let told = format!("whether the {} changes{by}: {why}", quantity.title());
        found.push(NotConcluded { quantity: Some(effect.quantity()), told });
    }
    found
}

/// What it takes to see a change.
fn seeing(comparison: &Comparison, boards: usize) -> String {
    takes(comparison, boards).map_or_else(
        || "these boards had the chance to see that, eight in ten or better, and did not show it".to_owned(),
        |takes| format!("seeing that in eight of ten comparisons takes {takes}"),
    )
}

fn sides(comparison: &Comparison) -> (usize, usize) {
    (comparison.before.boards.len(), comparison.after.boards.len())
}

/// `9 boards a side, 4 more before and 5 more after`: so many it takes. `None` where there are that many.
pub fn takes(comparison: &Comparison, boards: usize) -> Option<String> {
    more(comparison.pairing, sides(comparison), boards)
}

fn more(pairing: Pairing, (before, after): (usize, usize), boards: usize) -> Option<String> {
    let told = match (pairing, boards.saturating_sub(before), boards.saturating_sub(after)) {
        (_, 0, 0) => return None,
        (Pairing::Board, _, more) => {
            format!("{boards} boards measured both ways, {more} more than there are")
        }
        (Pairing::None, before, after) if before == after => {
            format!("{boards} boards a side, {before} more on each than there are")
        }
        (Pairing::None, before, 0) => format!("{boards} boards a side, {before} more before"),
        (Pairing::None, 0, after) => format!("{boards} boards a side, {after} more after"),
        (Pairing::None, before, after) => {
            format!("{boards} boards a side, {before} more before and {after} more after")
        }
    };
    Some(told)
}

fn too_few(comparison: &Comparison) -> Option<String> {
    let (before, after) = sides(comparison);
    let told = match comparison.pairing {
        Pairing::None => {
            "one board on a side does not tell how far boards scatter: there is no interval and no test, and it takes 2 \
                          boards a side at the least"
        }
        Pairing::Board => {
            "one board measured both ways does not tell how far boards scatter: there is no interval and no test, and it \
                           takes 2 boards at the least. The board is what is repeated: its points, captures and hours do not \
                           stand for another one. What this one did is in its own report"
        }
    };
    (before.min(after) < 2).then(|| told.to_owned())
}

/// Of stretches of the same runs: that the bench may have changed as well as the boards.
fn whose(comparison: &Comparison) -> Option<String> {
    comparison.is_within_runs().then(|| {
        "whether the boards changed or the bench did: both grow older meanwhile. A reference board measured before and after the \
         soak tells"
            .to_owned()
    })
}

/// That intervals of few boards lean on a normal scatter, which so few cannot show: the coverage tables of `docs/comparison.md`.
fn scatter(comparison: &Comparison) -> Option<String> {
    let (before, after) = sides(comparison);
    let (fewest, boards) = match comparison.pairing {
        Pairing::None => (before.min(after), "boards a side"),
        Pairing::Board => (after, "boards measured both ways"),
    };
    let (_, of_two, of_pairs) = HELD_EVENLY.iter().find(|(boards, _, _)| *boards == fewest)?;
    let held = if comparison.pairing == Pairing::Board { of_pairs } else { of_two };
    (95.0 - held > SHORT).then(|| {
        format!(
            "that a 95 % interval is right 95 times in 100: with {fewest} {boards} that holds only where they scatter normally, which \
             so few cannot show; where they lie anywhere between two limits, as parts do, it may be right only {held:.1} times in 100"
        )
    })
}

/// That ranks alone can never reach 5 % with so few boards, and with how many they can.
fn ranks(comparison: &Comparison) -> Option<String> {
    const LEVEL: f64 = 0.05;
    let (before, after) = sides(comparison);
    let enough = |smallest: &dyn Fn(usize) -> f64| (2..100).find(|boards| smallest(*boards) <= LEVEL);
    let (name, least, boards, takes) = match comparison.pairing {
        Pairing::None => (
            "Mann and Whitney's rank test",
            smallest_mann_whitney_p(before, after),
            format!("{} before and {after} after", counted(before, "board")),
            format!("{} boards a side", enough(&|boards| smallest_mann_whitney_p(boards, boards))?),
        ),
        Pairing::Board => (
            "Wilcoxon's signed rank test",
            smallest_signed_rank_p(after),
            format!("{} measured both ways", counted(after, "board")),
            format!("{} boards", enough(&smallest_signed_rank_p)?),
        ),
    };
    (least > LEVEL).then(|| {
        format!(
            "anything by ranks alone: with {boards} {name} can never reach 5 %, whatever was measured; its smallest p is {}, and it \
             takes {takes}",
            short_p(least)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::words::change;
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::compare::cell::{Cell, Place};
    use crate::compare::comparison::{Request, compare};
    use crate::compare::group::{BoardCells, Group};
    use crate::event::Setting;

    #[test]
    fn only_the_sides_that_lack_boards_are_told_to_need_more() {
        let table = [
            (Pairing::None, (3, 3), 5, Some("5 boards a side, 2 more on each than there are")),
            (Pairing::None, (3, 4), 5, Some("5 boards a side, 2 more before and 1 more after")),
            (Pairing::None, (3, 9), 5, Some("5 boards a side, 2 more before")),
            (Pairing::None, (5, 3), 5, Some("5 boards a side, 2 more after")),
            (Pairing::None, (5, 6), 5, None),
            (Pairing::Board, (3, 3), 5, Some("5 boards measured both ways, 2 more than there are")),
            (Pairing::Board, (5, 5), 5, None),
        ];
        for (pairing, there, boards, expected) in table {
            assert_eq!(more(pairing, there, boards).as_deref(), expected, "{pairing:?} {there:?}");
        }
    }

    /// A group of boards with these scores.
    fn group(quantity: Quantity, name: &str, scores: &[f64]) -> Group {
        let place = Place::of(Setting { vin: Volts(24.0), load: Amps(1.0) });
        let mut group = Group::new(name);
        for (number, score) in scores.iter().enumerate() {
            let cells = [((quantity, place), Cell::one(*score, None))].into();
            let board = BoardCells { cells, ..BoardCells::default() };
            group.boards.insert(format!("{name}{number}").parse().unwrap(), board);
        }
        group
    }

    /// What is told of a quantity of boards with these scores, and what is told to be missing.
    fn told_of(quantity: Quantity, before: &[f64], after: &[f64]) -> (String, Vec<String>) {
        let request = Request { is_forced: true, ..Request::default() };
        let found = compare(&group(quantity, "a", before), &group(quantity, "b", after), &request);
        let missing = not_concluded(&found).into_iter().filter(|row| row.quantity == Some(quantity));
        let missing = missing.map(|row| row.told).collect();
        (change(&found, found.effect(quantity).unwrap()), missing)
    }

    #[test]
    fn a_rank_test_that_cannot_speak_because_boards_are_alike_is_not_told_to_have_too_few() {
        let (alike, other) = ([12.0, 12.0, 12.0, 12.0, 12.8], [12.0, 12.0, 12.0, 12.0, 12.4]);
        let (sentence, missing) = told_of(Quantity::StartUp, &alike, &other);
        assert!(sentence.contains("with so many boards of the same value"), "{sentence}");
        assert!(!sentence.contains("few boards"), "{sentence}");
        // That nothing was shown stands in the list, whether a number of boards is known or not.
        assert_eq!(missing.len(), 1, "{missing:?}");
        let (few, _) = told_of(Quantity::StartUp, &[12.0, 12.1, 12.5], &[12.2, 12.3, 12.6]);
        assert!(few.contains("can reach no less than p = 0.10 with so few boards"), "{few}");
        let far = [1.0, 3.0, 9.0, 20.0, 40.0];
        let (_, missing) = told_of(Quantity::StartUp, &far, &far);
        let why = "whether the start-up threshold changes by 5 mV or more: even 10000 boards would not show so small a difference";
        assert_eq!(missing, [why]);
    }

    #[test]
    fn an_amount_stands_without_a_sign_where_the_sentence_has_the_direction_and_is_never_told_as_zero() {
        let noise = Quantity::Figure(crate::event::FigureName::NoisePp20Mhz);
        let (lowers, _) = told_of(noise, &[40.0, 40.1, 40.2], &[1.0, 1.1, 1.2]);
        assert!(lowers.contains("by 39.00 dB (95 % interval 38.7"), "{lowers}");
        // One board a side: nothing tells how sure it is, and nothing else is told otherwise.
        let (one, _) = told_of(noise, &[40.0], &[1.0]);
        assert!(
            one.starts_with("lowers the ripple and noise peak to peak, 20 MHz by 39.0 dB (no interval"),
            "{one}"
        );
        let (same, _) = told_of(noise, &[40.0], &[40.0]);
        assert!(same.starts_with("was measured with the same ripple and noise"), "{same}");
        let (little, _) = told_of(noise, &[40.0], &[39.9999]);
        assert!(little.contains("20 MHz by less than 0.01 dB"), "{little}");
    }

    #[test]
    fn boards_that_had_the_chance_to_show_a_change_are_not_told_to_be_too_few() {
        let quantity = Quantity::Rise;
        let group = |name: &str, scores: &[f64]| group(quantity, name, scores);
        // Half a kelvin matters: with this scatter five boards a side show it in eight of ten comparisons.
        let (before, after) = ([9.7, 10.3, 10.0, 9.85, 10.15], [10.0, 10.6, 10.3, 10.15, 10.45]);
        let told = |boards: usize| {
            let request = Request { is_forced: true, ..Request::default() };
            let found = compare(&group("a", &before[..boards]), &group("b", &after[..boards]), &request);
            let effect = found.effect(quantity).unwrap();
            assert_eq!(effect.sense(), Sense::NoChange, "{:?}", effect.certainty);
            let row = not_concluded(&found).into_iter().find(|row| row.quantity == Some(quantity)).unwrap();
            (row.told, change(&found, effect))
        };
        let (row, sentence) = told(5);
        assert!(
            row.ends_with(
                "these boards had the chance to see that, eight in ten or better, and did not show it"
            ),
            "{row}"
        );
        assert!(!sentence.contains("it takes"), "{sentence}");
        let (row, sentence) = told(3);
        assert!(row.contains("takes ") && row.contains(" boards a side, "), "{row}");
        let takes = row.split("comparisons takes ").nth(1).unwrap();
        assert!(sentence.contains(&format!("it takes {takes}, to see 0.5 K in eight of ten")), "{sentence}");
    }
}
