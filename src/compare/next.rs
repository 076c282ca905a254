//! What the boards of a side say of the next ones: where most of them will lie, and how far inside the profile's limits they
//! stand. Both take the scatter for normal, and few boards bound the next ones little.

use super::cell::{Cell, Kind, Place};
use super::effect::{CONFIDENCE, Interval};
use super::group::Group;
use super::quantity::{Better, COMPARED, Quantity, Scale};
pub use super::scores::Side;
use super::scores::{BoardScore, Matched, resolution_of, scores_of, span};
use super::stat::{Capability, Coverage, Resolution, Worse, capability, tolerance_interval, tolerance_limit};
use crate::base::count::fitting;
use crate::base::stats::std_dev;
use crate::event::Limit;

/// Of how many boards a tolerance limit speaks, and how surely.
pub const COVERAGE: Coverage = Coverage { part: 0.95, confidence: CONFIDENCE };

/// Where most boards lie, in the scale of the quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// No higher than this.
    AtMost(f64),
    /// No lower than this.
    AtLeast(f64),
    /// Between two.
    Between(Interval),
}

/// How many boards of a side were measured, and where 95 % of all boards lie, on the side that is worse, or on both where neither
/// is; or why nothing tells that.
///
/// # Errors
/// Fewer than two boards, none with a score, boards that scatter by less than their figures can tell, or points of which the side
/// has a bound alone: the others are those at which it shows the most.
pub fn tolerance(
    matched: &Matched,
    resolution: Resolution,
    side: Side,
) -> (usize, Result<Tolerance, String>) {
    let scored = matched.all_values(side).filter(|_| matched.open.is_empty()).ok_or_else(|| {
        let hidden = matched.hidden();
        format!("it is known as a bound alone at {hidden} of the {} points", matched.places.len() + hidden)
    });
    (matched.boards(side).len(), scored.and_then(|scored| of_boards(matched.quantity, resolution, scored)))
}

fn of_boards(quantity: Quantity, resolution: Resolution, boards: &[BoardScore]) -> Result<Tolerance, String> {
    let scores = resolution.settled(&scores_of(boards));
    check_scatter(&scores, resolution)?;
    let told = match quantity.better() {
        Better::Lower => tolerance_limit(&scores, Worse::Higher, COVERAGE).map(Tolerance::AtMost),
        Better::Higher => tolerance_limit(&scores, Worse::Lower, COVERAGE).map(Tolerance::AtLeast),
        Better::Neither => {
            tolerance_interval(&scores, COVERAGE).map(|interval| Tolerance::Between(interval.into()))
        }
    };
    told.map_err(|why| why.0)
}

/// Refuses a scatter that the figures cannot tell; of a single board there is none to be refused.
fn check_scatter(scores: &[f64], resolution: Resolution) -> Result<(), String> {
    let deviation = std_dev(scores, 1);
    deviation.map_or(Ok(()), |deviation| resolution.check(&[deviation])).map_err(|why| why.0)
}

/// Which end of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The lowest good value.
    Min,
    /// The highest good value.
    Max,
}

/// How well the boards of a side keep one end of a limit of their profile.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitCapability {
    /// The side.
    pub group: String,
    /// The limit's name.
    pub limit: String,
    /// What is limited.
    pub quantity: Quantity,
    /// Which end of it.
    pub end: End,
    /// The limit, in the quantity's own unit.
    pub value: f64,
    /// How many boards.
    pub boards: usize,
    /// At how many points: each board stands with the worst of them.
    pub points: usize,
    /// Cpk of the boards' worst points with its interval, or why there is none.
    pub cpk: Result<Capability, String>,
}

/// How well a side's boards keep the limits of its profile. Limits that were tried nowhere in regulation are left out.
#[must_use]
pub fn capabilities(group: &Group) -> Vec<LimitCapability> {
    let mut found = Vec::new();
    for limit in group.limits.iter().flatten() {
        let quantity = Quantity::Figure(limit.figure);
        if !COMPARED.contains(&quantity) {
            continue;
        }
        let ends = [(End::Min, limit.min), (End::Max, limit.max)];
        for (end, value) in ends.into_iter().filter_map(|(end, value)| Some((end, value?))) {
            found.extend(of_end(group, limit, quantity, (end, value)));
        }
    }
    found
}

fn of_end(
    group: &Group,
    limit: &Limit,
    quantity: Quantity,
    (end, value): (End, f64),
) -> Option<LimitCapability> {
    // Places that every board has, where the limit applies.
    let boards: Vec<Vec<(Place, &Cell)>> = (group.boards.values())
        .map(|board| {
            let cells = board.cells.range(span(quantity)).map(|((_, place), cell)| (*place, cell));
            cells.filter(|(place, _)| place.setting().is_some_and(|at| limit.condition.holds(at))).collect()
        })
        .collect();
    let is_common = |place: Place| boards.iter().all(|cells| cells.iter().any(|(other, _)| *other == place));
    let common: Vec<Place> =
        boards.first()?.iter().map(|(place, _)| *place).filter(|place| is_common(*place)).collect();
    if common.is_empty() {
        return None;
    }
    let cells: Vec<Vec<&Cell>> = boards
        .iter()
        .map(|cells| {
            cells.iter().filter(|(place, _)| common.contains(place)).map(|(_, cell)| *cell).collect()
        })
        .collect();
    Some(LimitCapability {
        group: group.name.clone(),
        limit: limit.name.clone(),
        quantity,
        end,
        value,
        boards: cells.len(),
        points: common.len(),
        cpk: cpk(quantity, &cells, (end, value)),
    })
}

/// Cpk of the boards' worst values against one end, in the scale of the quantity.
fn cpk(quantity: Quantity, boards: &[Vec<&Cell>], (end, value): (End, f64)) -> Result<Capability, String> {
    let bounds = boards.iter().flatten().filter(|cell| cell.kind() != Kind::Value).count();
    if bounds > 0 {
        return Err(format!(
            "{bounds} of the values {}",
            fitting(bounds, "is only a bound", "are only bounds")
        ));
    }
    let edge = quantity
        .scaled(value)
        .ok_or_else(|| "a limit of zero has no place on a scale of decibels".to_owned())?;
    // In decibels it is the magnitude that is limited: the lowest good value of a dip is the largest good magnitude.
    let is_upper = match quantity.scale() {
        Scale::Plain => end == End::Max,
        Scale::Decibels => (end == End::Max) == (value > 0.0),
    };
    let worst = |cells: &Vec<&Cell>| {
        let means = cells.iter().map(|cell| cell.mean());
        if is_upper { means.fold(f64::NEG_INFINITY, f64::max) } else { means.fold(f64::INFINITY, f64::min) }
    };
    let worst: Vec<f64> = boards.iter().map(worst).collect();
    // All values of a board stand with those of the others at the same place, which lie in the same order on each.
    let at = |place: usize| boards.iter().filter_map(move |cells| cells.get(place)).map(|cell| cell.mean());
    let places = boards.first().map_or(0, Vec::len);
    let resolution = resolution_of(quantity, &[(0..places).map(|place| at(place).collect()).collect()]);
    let scores = resolution.settled(&worst);
    if scores.len() > 1 {
        check_scatter(&scores, resolution)?;
    }
    let limits = if is_upper { (None, Some(edge)) } else { (Some(edge), None) };
    capability(&scores, limits, CONFIDENCE).map_err(|why| why.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::compare::group::BoardCells;
    use crate::compare::scores::{BoundedChange, WithBounds};
    use crate::event::limit::{Clause, Comparison, Operand};
    use crate::event::{Condition, FigureName, Setting};
    use crate::waveform::Bound;

    fn at(vin: f64) -> Place {
        Place::of(Setting { vin: Volts(vin), load: Amps(0.1) })
    }

    /// A group whose boards have such values at 18 and 24 V, under one limit that holds from 20 V on.
    fn group(figure: FigureName, (min, max): (Option<f64>, Option<f64>), boards: &[(f64, f64)]) -> Group {
        let quantity = Quantity::Figure(figure);
        let clause = Clause { operand: Operand::Vin, comparison: Comparison::AtLeast, value: 20.0 };
        let condition = Condition(vec![clause]);
        let limit = Limit { name: "limit".to_owned(), figure, min, max, condition, marginal: 0.0 };
        let mut group = Group::new("made");
        group.limits = Some(vec![limit]);
        for (number, (low, high)) in boards.iter().enumerate() {
            let cell = |value: f64| Cell::one(quantity.scaled(value).unwrap(), None);
            let cells = [((quantity, at(18.0)), cell(*low)), ((quantity, at(24.0)), cell(*high))];
            let board = BoardCells { cells: cells.into(), ..BoardCells::default() };
            group.boards.insert(format!("b{number:02}").parse().unwrap(), board);
        }
        group
    }

    #[test]
    fn boards_are_held_against_a_limit_only_where_it_applies_and_both_ends_for_themselves() {
        // What they show at 18 V would break the limit, which does not apply there.
        let boards = [4.98, 4.99, 5.0, 5.01, 5.02].map(|value| (9.0, value));
        let found = capabilities(&group(FigureName::Vout, (Some(4.8), Some(5.1)), &boards));
        let told: Vec<(End, usize, usize)> =
            found.iter().map(|row| (row.end, row.boards, row.points)).collect();
        assert_eq!(told, [(End::Min, 5, 1), (End::Max, 5, 1)]);
        let cpk = |at: usize| found[at].cpk.as_ref().unwrap().cpk.value;
        let deviation = 0.000_25_f64.sqrt();
        assert!((cpk(0) - 0.2 / (3.0 * deviation)).abs() < 1e-9, "{}", cpk(0));
        assert!((cpk(1) - 0.1 / (3.0 * deviation)).abs() < 1e-9, "{}", cpk(1));
    }

    #[test]
    fn boards_that_do_not_differ_give_no_cpk_and_no_tolerance_limit() {
        let why = |boards: &[(f64, f64)]| {
            let group = group(FigureName::Vout, (Some(4.8), None), boards);
            capabilities(&group)[0].cpk.clone().unwrap_err()
        };
        assert!(why(&[(5.0, 5.0); 5]).starts_with("the boards do not differ among themselves"));
        // Five boards on steps of 0.1 V, of which one shows one step less.
        let steps = [5.0, 5.0, 4.9, 5.0, 5.0].map(|value| (value, value));
        assert!(why(&steps).contains("less than half a step of these figures"));
        let board = |score: f64| BoardScore { serial: "1".parse().unwrap(), score, values: Vec::new() };
        let of = |scores: [f64; 2]| {
            let boards = scores.map(board);
            of_boards(Quantity::Figure(FigureName::Vout), Resolution::of_rounding(5.0), &boards)
        };
        assert!(of([0.1 + 0.2, 0.3]).is_err() && of([0.3, 0.4]).is_ok());
    }

    #[test]
    fn a_side_that_is_hidden_at_some_points_bounds_no_next_boards_and_one_that_is_not_does_by_all_points() {
        let boards = |scores: [f64; 3]| -> Vec<BoardScore> {
            let serials = ["1", "2", "3"].iter().zip(scores);
            let board = |(serial, score): (&&str, f64)| BoardScore {
                serial: serial.parse().unwrap(),
                score,
                values: Vec::new(),
            };
            serials.map(board).collect()
        };
        let bounded = vec![BoundedChange { place: at(24.0), change: -20.0, bound: Bound::Upper }];
        let mut matched = Matched {
            quantity: Quantity::Figure(FigureName::RipplePp),
            places: vec![at(18.0)],
            bounded,
            open: Vec::new(),
            missing: Vec::new(),
            before: boards([-40.0, -41.0, -42.0]),
            after: boards([-60.0, -61.0, -62.0]),
            with_bounds: Some(WithBounds {
                before: boards([-36.0, -37.0, -38.0]),
                after: boards([-60.0, -61.0, -62.0]),
                are_values: (true, false),
            }),
        };
        let of = |matched: &Matched, side| tolerance(matched, Resolution::of_rounding(1.0), side).1;
        let Ok(Tolerance::AtMost(high)) = of(&matched, Side::Before) else { panic!("all is values") };
        assert!(high > -36.0, "no lower than the worst board over all points: {high}");
        assert_eq!(
            of(&matched, Side::After),
            Err("it is known as a bound alone at 1 of the 2 points".to_owned())
        );
        matched.open.push(at(12.0));
        assert!(of(&matched, Side::Before).is_err());
    }

    #[test]
    fn the_lowest_good_dip_limits_its_magnitude_from_above() {
        let boards = [-0.010, -0.011, -0.012, -0.013, -0.014].map(|value| (-1.0, value));
        let of = |limit: f64| {
            let found = capabilities(&group(FigureName::SpikeNeg, (Some(limit), None), &boards));
            found[0].cpk.as_ref().unwrap().cpk.value
        };
        assert!(of(-0.1) > 1.0, "dips of a tenth of the limit are well inside");
        assert!(of(-0.001) < -1.0, "and of ten times the limit well outside");
    }

    #[test]
    fn bounds_four_boards_and_a_limit_that_was_tried_nowhere_give_no_cpk() {
        let boards = [4.98, 4.99, 5.0, 5.01, 5.02].map(|value| (value, value));
        let why = |group: &Group| capabilities(group)[0].cpk.clone().unwrap_err();
        assert!(why(&group(FigureName::Vout, (Some(4.8), None), &boards[..4])).contains("at least 5 boards"));
        let mut bounded = group(FigureName::Vout, (Some(4.8), None), &boards);
        let first = bounded.boards.values_mut().next().unwrap();
        let key = (Quantity::Figure(FigureName::Vout), at(24.0));
        first.cells.insert(key, Cell::one(5.0, Some(Bound::Upper)));
        assert_eq!(why(&bounded), "1 of the values is only a bound");
        let mut elsewhere = group(FigureName::Vout, (Some(4.8), None), &boards);
        for limit in elsewhere.limits.iter_mut().flatten() {
            limit.condition.0[0].value = 30.0;
        }
        assert_eq!(capabilities(&elsewhere), []);
    }
}
