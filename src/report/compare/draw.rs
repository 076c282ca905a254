//! From a comparison to the data of its pictures over boards, points and settings. Pure.

use std::collections::BTreeMap;

use super::amount::{Amounts, level};
use super::bound_words::{self, sign};
use super::pictures::{ChangeCell, ChangeMap, DotRow, Dots, Forest, ForestRow, RowKind};
use crate::base::count::counted;
use crate::base::stats::mean;
use crate::compare::cell::Place;
use crate::compare::comparison::Comparison;
use crate::compare::effect::{Effect, Interval, Pairing, PointChange};
use crate::compare::quantity::{Better, Scale};
use crate::compare::scores::{BoardScore, Side, scores_of};
use crate::waveform::Bound;

/// More points than this make a forest that nobody reads: the ends are shown.
const MOST_POINTS: usize = 24;

/// The level under which a claim about a point is one.
const LEVEL: f64 = 0.05;

/// Whether a point's change is not told from none, beside all the others.
#[must_use]
pub fn is_undecided(point: &PointChange) -> bool {
    match (point.holm_p, point.interval) {
        (Some(p), _) => p >= LEVEL,
        (None, Some(interval)) => interval.holds(0.0),
        (None, None) => true,
    }
}

/// The changes of all boards together, of each board and of the points, and how many points are not shown.
#[must_use]
pub fn forest(comparison: &Comparison, effect: &Effect) -> Option<(Forest, usize)> {
    let by_bounds = effect.bounded.as_ref().filter(|_| effect.is_told_by_bounds());
    if effect.change.is_none() && by_bounds.is_none() {
        return None;
    }
    let amounts =
        by_bounds.map_or_else(|| Amounts::of(effect), |mean| bound_words::amounts(effect.quantity(), mean));
    let mut rows = all_boards(effect, amounts);
    rows.extend(boards(comparison, effect).into_iter().map(|(label, value, bound)| match bound {
        Some(bound) => bound_row((RowKind::Board, label), (value, bound), amounts),
        None => row((RowKind::Board, label), value, amounts),
    }));
    let known = effect.points.iter().map(|point| {
        let shown = ForestRow {
            interval: point.interval.map(|ends| scaled(ends, amounts)),
            is_undecided: is_undecided(point),
            ..row((RowKind::Point, point.place.to_string()), point.change, amounts)
        };
        (point.place, shown)
    });
    let bounds = effect.matched.bounded.iter().map(|bounded| {
        let label = (RowKind::Point, bounded.place.to_string());
        (bounded.place, bound_row(label, (bounded.change, bounded.bound), amounts))
    });
    let (shown, hidden) = ends_of(known.chain(bounds).collect());
    rows.extend(shown);
    let worse_is_more = match effect.quantity().better() {
        Better::Lower => Some(true),
        Better::Higher => Some(false),
        Better::Neither => None,
    };
    let axis = format!("change of the {} in {}", effect.quantity().title(), amounts.unit);
    Some((Forest { axis, worse_is_more, rows }, hidden))
}

fn row((kind, label): (RowKind, String), value: f64, amounts: Amounts) -> ForestRow {
    ForestRow {
        kind,
        label,
        value: value * amounts.factor(),
        interval: None,
        is_undecided: false,
        truth_is_more: None,
        told: amounts.full(value),
    }
}

/// A row of which only a bound is known: hollow, with an arrow.
fn bound_row(of: (RowKind, String), (value, bound): (f64, Bound), amounts: Amounts) -> ForestRow {
    ForestRow {
        truth_is_more: Some(bound == Bound::Lower),
        is_undecided: true,
        told: format!("{} {}", sign(bound), amounts.full(value)),
        ..row(of, value, amounts)
    }
}

fn scaled(ends: Interval, amounts: Amounts) -> (f64, f64) {
    (ends.low * amounts.factor(), ends.high * amounts.factor())
}

/// All boards together: over the points with values, and over all points where bounds are known. What the conclusion is drawn from
/// stands first.
fn all_boards(effect: &Effect, amounts: Amounts) -> Vec<ForestRow> {
    let of_values = effect.change.map(|change| {
        let ends = effect.interval();
        let told = ends.map_or_else(String::new, |ends| {
            format!(" ({} to {})", amounts.signed(ends.low), amounts.signed(ends.high))
        });
        ForestRow {
            interval: ends.map(|ends| scaled(ends, amounts)),
            is_undecided: ends.is_none_or(|ends| ends.holds(0.0)),
            told: amounts.full(change) + &told,
            ..row((RowKind::All, valued_boards(effect)), change, amounts)
        }
    });
    let of_bounds = effect.bounded.as_ref().zip(bound_words::mean(effect)).map(|(bounded, told)| {
        let sure = bound_words::sure(effect).filter(|_| effect.is_told_by_bounds());
        let label = (RowKind::All, format!("all {} points", bounded.places));
        ForestRow {
            told: sure.map_or(told.clone(), |sure| format!("{told} (95 % sure {sure})")),
            ..bound_row(label, (bounded.change, bounded.bound), amounts)
        }
    });
    let mut rows: Vec<ForestRow> = of_values.into_iter().chain(of_bounds).collect();
    if effect.is_told_by_bounds() {
        rows.reverse();
    }
    rows
}

/// All boards together, and at how many points where some are left out.
fn valued_boards(effect: &Effect) -> String {
    let (count, hidden) = (effect.points.len(), effect.matched.hidden());
    if hidden == 0 { "all boards".to_owned() } else { format!("all boards, {}", counted(count, "point")) }
}

/// A side as it is drawn: its boards, their mean, and where some of what they have are bounds, on which side the truth lies.
struct Drawn<'e> {
    boards: &'e [BoardScore],
    mean: f64,
    bound: Option<Bound>,
}

/// Both sides over the points that the change is told of: where bounds tell it, over all, the bounds in the place of values.
fn drawn(effect: &Effect) -> Option<[Drawn<'_>; 2]> {
    let Some(bounded) = effect.bounded.as_ref().filter(|_| effect.is_told_by_bounds()) else {
        let (before, after) = effect.levels?;
        let of = |side, mean| Drawn { boards: effect.matched.boards(side), mean, bound: None };
        return Some([of(Side::Before, before), of(Side::After, after)]);
    };
    let all = effect.matched.with_bounds.as_ref()?;
    let of = |side| {
        let (boards, are_values) = all.of(side);
        // A change that is at most so much is so because the side after is, or because the side before is at least so much.
        let bound = match (side, bounded.bound) {
            (Side::After, bound) => bound,
            (Side::Before, Bound::Upper) => Bound::Lower,
            (Side::Before, Bound::Lower) => Bound::Upper,
        };
        Some(Drawn { boards, mean: mean(&scores_of(boards))?, bound: (!are_values).then_some(bound) })
    };
    Some([of(Side::Before)?, of(Side::After)?])
}

/// Each board against the mean of the other side; of pairs each board against itself. With the side on which the truth lies where a
/// bound is known alone.
fn boards(comparison: &Comparison, effect: &Effect) -> Vec<(String, f64, Option<Bound>)> {
    let Some([before, after]) = drawn(effect) else { return Vec::new() };
    let bound = effect.bounded.as_ref().filter(|_| effect.is_told_by_bounds()).map(|mean| mean.bound);
    if comparison.pairing == Pairing::Board {
        let pairs = before.boards.iter().zip(after.boards);
        return pairs
            .map(|(left, right)| (left.serial.to_string(), right.score - left.score, bound))
            .collect();
    }
    let left = before.boards.iter();
    let left = left.map(|board| (format!("{} to mean after", board.serial), after.mean - board.score, bound));
    let right = after.boards.iter();
    let right =
        right.map(|board| (format!("mean before to {}", board.serial), board.score - before.mean, bound));
    left.chain(right).collect()
}

/// The points to be shown in the order of their places, and how many between the smallest and the largest change are not.
fn ends_of(mut points: Vec<(Place, ForestRow)>) -> (Vec<ForestRow>, usize) {
    let hidden = points.len().saturating_sub(MOST_POINTS);
    if hidden > 0 {
        points.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
        points.drain(MOST_POINTS / 2..MOST_POINTS / 2 + hidden);
    }
    points.sort_by_key(|(place, _)| *place);
    (points.into_iter().map(|(_, row)| row).collect(), hidden)
}

/// Sides whose means lie further apart than so many times the range of either side's boards are drawn about their own means.
const FAR_APART: f64 = 4.0;

/// Every board's score, a row a side.
#[must_use]
pub fn dots(comparison: &Comparison, effect: &Effect) -> Option<Dots> {
    let [before, after] = drawn(effect)?;
    let quantity = effect.quantity();
    // Decibels over a volt are negative for everything that rides on an output; over a millivolt they are not.
    let amounts = Amounts::for_change(quantity, before.mean.abs().max(after.mean.abs()), None);
    let (offset, factor, unit) = match (quantity.scale(), quantity.unit()) {
        (Scale::Decibels, _) => (60.0, 1.0, "dB over 1 mV"),
        (Scale::Plain, "") => (0.0, 100.0, "%"),
        // As the means are told.
        (Scale::Plain, unit) if unit == quantity.unit_of_change() => (0.0, amounts.factor(), amounts.unit),
        (Scale::Plain, unit) => (0.0, 1.0, unit),
    };
    let range = |boards: &[BoardScore]| {
        let scores = boards.iter().map(|board| board.score);
        let (low, high) = scores
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), score| (low.min(score), high.max(score)));
        high - low
    };
    let widest = range(before.boards).max(range(after.boards));
    let is_about_means = widest > 0.0 && (after.mean - before.mean).abs() > FAR_APART * widest;
    let row = |name: &str, Drawn { boards, mean, bound }: Drawn<'_>| DotRow {
        name: name.to_owned(),
        boards: boards
            .iter()
            .map(|board| (board.serial.to_string(), (board.score + offset) * factor))
            .collect(),
        mean: (mean + offset) * factor,
        told: format!(
            "mean {}{}",
            bound.map_or_else(String::new, |bound| format!("{} ", sign(bound))),
            level(quantity, mean)
        ),
        truth_is_more: bound.map(|bound| bound == Bound::Lower),
    };
    let rows = vec![row(&comparison.before.name, before), row(&comparison.after.name, after)];
    let (title, (_, places)) = (quantity.title(), quantity.places());
    let axis = if is_about_means {
        let unit = if quantity.scale() == Scale::Decibels { "dB" } else { unit };
        format!("{title}, mean over the {places} less that of the side, in {unit}")
    } else {
        format!("{title}, mean over the {places}, in {unit}")
    };
    Some(Dots { axis, is_about_means, is_paired: comparison.pairing == Pairing::Board, rows })
}

/// The change over input voltage and load. `None` where there are not several of either, and of what is made of several points:
/// it has no place in the map.
#[must_use]
pub fn change_map(effect: &Effect) -> Option<ChangeMap> {
    let amounts = Amounts::of(effect);
    let mut cells: BTreeMap<Place, ChangeCell> = BTreeMap::new();
    for point in &effect.points {
        let told = amounts.signed(point.change);
        let (value, is_undecided) = (point.change * amounts.factor(), is_undecided(point));
        cells.insert(point.place, ChangeCell { value, is_undecided, told });
    }
    for bounded in &effect.matched.bounded {
        let told = format!("{}{}", sign(bounded.bound), amounts.signed(bounded.change));
        let value = bounded.change * amounts.factor();
        cells.insert(bounded.place, ChangeCell { value, is_undecided: false, told });
    }
    let axis = |pick: fn(&Place) -> Option<f64>| {
        let mut values: Vec<f64> = cells.keys().filter_map(pick).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    };
    let vin = |place: &Place| place.vin().map(|vin| vin.value());
    let load = |place: &Place| place.load().map(|load| load.value());
    let (vins, loads) = (axis(vin), axis(load));
    if vins.is_empty() || loads.is_empty() || (vins.len() < 2 && loads.len() < 2) {
        return None;
    }
    let at = |wanted_vin: f64, wanted_load: f64| {
        let found = cells
            .iter()
            .find(|(place, _)| vin(place) == Some(wanted_vin) && load(place) == Some(wanted_load));
        found.map(|(_, cell)| cell.clone())
    };
    let grid = loads.iter().flat_map(|load| vins.iter().map(move |vin| (*vin, *load)));
    let grid: Vec<Option<ChangeCell>> = grid.map(|(vin, load)| at(vin, load)).collect();
    let ends = color_ends(grid.iter().flatten().map(|cell| cell.value));
    let told = |end: f64| amounts.full(end / amounts.factor());
    let unit = amounts.unit;
    let (has_scatter, told) =
        (effect.points.iter().any(|point| point.interval.is_some()), (told(ends.0), told(ends.1)));
    Some(ChangeMap { vins, loads, cells: grid, has_scatter, unit, ends, told })
}

/// The changes at the ends of a map's colours: the same to both sides of no change; where all changes are of one sign and large
/// beside what they differ by, from the smallest to the largest, or a tenth of it where they differ by less.
fn color_ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if !(low.is_finite() && high.is_finite()) {
        return (0.0, 0.0);
    }
    let most = high.max(-low);
    let least = low.max(-high);
    if least < 0.5 * most {
        return (-most, most);
    }
    let span = (high - low).max(0.1 * most);
    if high < 0.0 { (low, low + span) } else { (high - span, high) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::Setting;

    #[test]
    fn of_many_points_values_and_bounds_alike_those_of_the_smallest_and_the_largest_changes_are_shown() {
        let row = |number: usize| ForestRow {
            kind: RowKind::Point,
            label: number.to_string(),
            // The largest changes stand at the first points, the smallest ones at the last.
            value: -(number as f64),
            interval: None,
            is_undecided: false,
            truth_is_more: (number % 2 == 1).then_some(false),
            told: String::new(),
        };
        let place = |number: usize| Place::of(Setting { vin: Volts(24.0), load: Amps(number as f64) });
        let shown = |count: usize| {
            let (rows, hidden) =
                ends_of((0..count).rev().map(|number| (place(number), row(number))).collect());
            (rows.into_iter().map(|row| row.label.parse().unwrap()).collect::<Vec<usize>>(), hidden)
        };
        assert_eq!(shown(24), ((0..24).collect(), 0));
        assert_eq!(shown(30), ((0..12).chain(18..30).collect(), 6));
    }

    #[test]
    fn the_colours_of_a_map_show_differences_between_points_also_far_from_no_change() {
        let ends = |values: &[f64]| color_ends(values.iter().copied());
        assert_eq!(ends(&[-1.0, 2.0]), (-2.0, 2.0));
        assert_eq!(ends(&[1.0, 4.0]), (-4.0, 4.0));
        assert_eq!(ends(&[-20.0, -30.0]), (-30.0, -20.0));
        // What differs by a hundredth is not drawn as if it differed by all.
        assert_eq!(ends(&[-40.0, -39.6]), (-40.0, -36.0));
        assert_eq!(ends(&[20.0, 30.0]), (20.0, 30.0));
        assert_eq!(ends(&[]), (0.0, 0.0));
    }
}
