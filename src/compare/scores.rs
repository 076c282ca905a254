//! Points matched between two groups, and the one number that each board gets from them: the board is the unit that
//! conclusions are drawn from, for repeats and points of one board are not independent of each other.

use std::collections::{BTreeMap, BTreeSet};

use super::cell::{Cell, Kind, Place};
use super::gather::ReferenceRuns;
use super::group::{BoardCells, Group};
use super::quantity::{Quantity, Scale};
use super::stat::{Resolution, step_of};
use crate::base::decibel::amplitude_db;
use crate::base::names::Serial;
use crate::event::FigureName;
use crate::waveform::Bound;

/// A board's values at the matched places, and their mean.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardScore {
    /// Serial number.
    pub serial: Serial,
    /// Mean over the places, in the scale of the quantity.
    pub score: f64,
    /// The value at each matched place.
    pub values: Vec<f64>,
}

/// The scores of boards, in their order.
#[must_use]
pub fn scores_of(boards: &[BoardScore]) -> Vec<f64> {
    boards.iter().map(|board| board.score).collect()
}

/// A place where a change is only a bound, because a value stands at the noise floor or was clipped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundedChange {
    /// Where.
    pub place: Place,
    /// Mean after less mean before.
    pub change: f64,
    /// On which side of the change the truth lies: with [`Bound::Upper`] it is no more than that.
    pub bound: Bound,
}

/// What can be compared of a quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Matched {
    /// The quantity.
    pub quantity: Quantity,
    /// Where every board of both sides has a value.
    pub places: Vec<Place>,
    /// Where every board has a value or a bound, and at least one a bound.
    pub bounded: Vec<BoundedChange>,
    /// Where every board has a value or a bound, and the bounds leave every change open, as two sides at the noise do.
    pub open: Vec<Place>,
    /// Where some boards have the figure and others do not.
    pub missing: Vec<Place>,
    /// The boards of the first group.
    pub before: Vec<BoardScore>,
    /// The boards of the second group.
    pub after: Vec<BoardScore>,
    /// The boards of both groups over the places with values and those with bounds, the bounds in the place of values; `None` where
    /// there are no bounds, or some to each side.
    pub with_bounds: Option<WithBounds>,
}

/// The boards of both groups over all places at which each has a value or a bound.
#[derive(Debug, Clone, PartialEq)]
pub struct WithBounds {
    /// The boards of the first group.
    pub before: Vec<BoardScore>,
    /// The boards of the second group.
    pub after: Vec<BoardScore>,
    /// Whether all that the first group has there are values, and all that the second one has.
    pub are_values: (bool, bool),
}

/// Which side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first group.
    Before,
    /// The second one.
    After,
}

impl WithBounds {
    /// The boards of a side, and whether all that they have there are values.
    #[must_use]
    pub fn of(&self, side: Side) -> (&[BoardScore], bool) {
        match side {
            Side::Before => (&self.before, self.are_values.0),
            Side::After => (&self.after, self.are_values.1),
        }
    }
}

impl Matched {
    /// The boards of a side over the places with values on both sides.
    #[must_use]
    pub fn boards(&self, side: Side) -> &[BoardScore] {
        match side {
            Side::Before => &self.before,
            Side::After => &self.after,
        }
    }

    /// At how many places no more than bounds are known of the change.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.bounded.len() + self.open.len()
    }

    /// Where every board has a value or a bound, and the change is known or bounded: in the order of the values of those boards.
    #[must_use]
    pub fn known_places(&self) -> Vec<Place> {
        let bounded = self.bounded.iter().map(|bounded| bounded.place);
        self.places.iter().copied().chain(bounded).collect()
    }

    /// The boards of a side over all [`Self::known_places`], where all that it has there are values, whatever the other side hides;
    /// `None` where it has a bound at some, so that the others are those at which it shows the most.
    #[must_use]
    pub fn all_values(&self, side: Side) -> Option<&[BoardScore]> {
        if self.hidden() == 0 {
            return Some(self.boards(side));
        }
        let (boards, are_values) = self.with_bounds.as_ref()?.of(side);
        are_values.then_some(boards)
    }

    /// What the change over all places stands for. A band of the spectrum that stands at the noise at more than half of its places
    /// has no value: the few places that have one are just those with the least attenuation.
    #[must_use]
    pub fn kind(&self) -> Kind {
        let (values, open) = (self.places.len(), self.open.len());
        let bounds = self.bounded.len();
        let is_enough = !matches!(self.quantity, Quantity::Band(_)) || values >= bounds + open;
        if values > 0 && is_enough {
            return Kind::Value;
        }
        match self.bounded.as_slice() {
            [first, rest @ ..]
                if rest.iter().all(|other| other.bound == first.bound) && values + bounds >= open =>
            {
                Kind::Bound(first.bound)
            }
            _ => Kind::Nothing,
        }
    }

    /// Why there is no value, where there is none.
    #[must_use]
    pub fn no_value(&self) -> String {
        let (open, bounds) = (self.open.len(), self.bounded.len());
        if !matches!(self.quantity, Quantity::Band(_)) || open + bounds == 0 {
            return "no point has a value on every board of both sides".to_owned();
        }
        let after = self.bounded.iter().filter(|bounded| bounded.bound == Bound::Upper).count();
        let sides =
            [(bounds - after, "the side before is"), (after, "the side after is"), (open, "both sides are")];
        let total = self.places.len() + bounds + open;
        let mut told = String::new();
        for (count, who) in sides.into_iter().filter(|(count, _)| *count > 0) {
            told += &if told.is_empty() {
                format!("at {count} of {total} points {who} at the noise of probe and scope")
            } else {
                format!(", at {count} {who}")
            };
        }
        told
    }

    /// The finest difference that the values can tell; `tried` is the step of what is found by trying.
    #[must_use]
    pub fn resolution(&self, tried: Option<f64>) -> Resolution {
        let sides = [values_by_place(&self.before), values_by_place(&self.after)];
        resolution_of(self.quantity, &sides).or_step(tried)
    }
}

/// The values of a side's boards, place by place.
pub(super) fn values_by_place(boards: &[BoardScore]) -> Vec<Vec<f64>> {
    let places = boards.iter().map(|board| board.values.len()).max().unwrap_or(0);
    let at = |place: usize| boards.iter().filter_map(|board| board.values.get(place).copied()).collect();
    (0..places).map(at).collect()
}

/// The finest difference that values can tell, given by side and place in the scale of their quantity: a step on which they all
/// stand, or else the rounding of numbers of their size.
#[must_use]
pub(super) fn resolution_of(quantity: Quantity, sides: &[Vec<Vec<f64>>]) -> Resolution {
    let largest = sides.iter().flatten().flatten().fold(0.0, |most: f64, value| most.max(value.abs()));
    // What is a difference of larger values has their rounding; times and frequencies are none.
    let size = match quantity.unit_of_change() {
        "s" | "Hz" => largest,
        _ => largest.max(1.0),
    };
    let rounding = Resolution::of_rounding(size);
    let unscaled =
        |values: &Vec<f64>| values.iter().map(|value| quantity.unscaled(*value)).collect::<Vec<f64>>();
    match quantity.scale() {
        // How long something took, or what was found in a trace, stands on no step of an instrument, though few values may look so.
        Scale::Plain if matches!(quantity.unit_of_change(), "s" | "Hz") => rounding,
        Scale::Plain => rounding.or_step(step_of(sides.iter().flatten().cloned())),
        // A converter's step has the size of its range, and each side may have another one.
        Scale::Decibels => sides.iter().fold(rounding, |known, side| {
            let least = side.iter().flat_map(unscaled).reduce(f64::min);
            let step = step_of(side.iter().map(unscaled));
            known.or_step(least.zip(step).and_then(|(least, step)| amplitude_db(least + step, least)))
        }),
    }
}

/// Matches the places of two groups for a quantity. `None` where neither group knows it.
#[must_use]
pub fn match_places(quantity: Quantity, before: &Group, after: &Group) -> Option<Matched> {
    let boards = || before.boards.values().chain(after.boards.values());
    let known: BTreeSet<Place> =
        boards().flat_map(|board| board.cells.range(span(quantity)).map(|((_, place), _)| *place)).collect();
    if known.is_empty() {
        return None;
    }
    let (mut places, mut bounded, mut open, mut missing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for place in known {
        let cells: Option<Vec<&Cell>> = boards().map(|board| board.cells.get(&(quantity, place))).collect();
        match cells {
            None => missing.push(place),
            Some(cells) if cells.iter().all(|cell| cell.kind() == Kind::Value) => places.push(place),
            Some(_) => match bounded_change((quantity, place), before, after) {
                Some(change) => bounded.push(change),
                None => open.push(place),
            },
        }
    }
    let scores = |group: &Group, places: &[Place]| -> Vec<BoardScore> {
        group.boards.iter().map(|(serial, board)| score(serial, board, quantity, places)).collect()
    };
    let is_one_sided = bounded.windows(2).all(|pair| pair[0].bound == pair[1].bound);
    let with_bounds = (is_one_sided && !bounded.is_empty()).then(|| {
        let bounds = bounded.iter().map(|bounded| bounded.place);
        let known: Vec<Place> = places.iter().copied().chain(bounds).collect();
        let are_values = |group: &Group| {
            let mut boards = group.boards.values();
            let is_value = |board: &BoardCells, place: &Place| {
                board.cells.get(&(quantity, *place)).is_some_and(|cell| cell.kind() == Kind::Value)
            };
            boards.all(|board| known.iter().all(|place| is_value(board, place)))
        };
        WithBounds {
            before: scores(before, &known),
            after: scores(after, &known),
            are_values: (are_values(before), are_values(after)),
        }
    });
    let (before, after) = (scores(before, &places), scores(after, &places));
    Some(Matched { quantity, places, bounded, open, missing, before, after, with_bounds })
}

/// All keys of a quantity.
pub(super) fn span(quantity: Quantity) -> std::ops::RangeInclusive<(Quantity, Place)> {
    (quantity, Place::FIRST)..=(quantity, Place::LAST)
}

fn score(serial: &Serial, board: &BoardCells, quantity: Quantity, places: &[Place]) -> BoardScore {
    let values: Vec<f64> =
        places.iter().filter_map(|place| board.cells.get(&(quantity, *place))).map(Cell::mean).collect();
    let score = values.iter().sum::<f64>() / values.len() as f64;
    BoardScore { serial: serial.clone(), score, values }
}

/// A group's mean at a place, and what it stands for.
fn level(key: (Quantity, Place), group: &Group) -> Option<(f64, Kind)> {
    let cells: Option<Vec<&Cell>> = group.boards.values().map(|board| board.cells.get(&key)).collect();
    let cells = cells.filter(|cells| !cells.is_empty())?;
    let mean = cells.iter().map(|cell| cell.mean()).sum::<f64>() / cells.len() as f64;
    let kinds: Vec<Kind> = cells.iter().map(|cell| cell.kind()).filter(|kind| *kind != Kind::Value).collect();
    match kinds.as_slice() {
        [] => Some((mean, Kind::Value)),
        [first, rest @ ..] if *first != Kind::Nothing && rest.iter().all(|kind| kind == first) => {
            Some((mean, *first))
        }
        _ => None,
    }
}

fn bounded_change(key: (Quantity, Place), before: &Group, after: &Group) -> Option<BoundedChange> {
    let ((left, left_kind), (right, right_kind)) = (level(key, before)?, level(key, after)?);
    let Kind::Bound(bound) = Kind::of_change(left_kind, right_kind) else { return None };
    Some(BoundedChange { place: key.1, change: right - left, bound })
}

/// Adds the load regulation to every board: at each input voltage how far apart the outputs at the smallest and at the largest
/// load are, to whichever side (an output that rises with the load is regulated as badly as one that falls), of the loads at which every board of every group has an output voltage there. A board that has none at all there says
/// nothing of the others. The runs of the reference board, which has no say in the loads, get theirs between the same ones.
pub fn add_load_regulation(groups: &mut [Group], reference: &mut ReferenceRuns) {
    const VOUT: Quantity = Quantity::Figure(FigureName::Vout);
    let mut common: BTreeMap<Place, BTreeSet<Place>> = BTreeMap::new();
    for board in groups.iter().flat_map(|group| group.boards.values()) {
        let places: Vec<Place> = board.cells.range(span(VOUT)).map(|((_, place), _)| *place).collect();
        // In their order the places of one input voltage stand together, by rising load.
        for at_vin in places.chunk_by(|left, right| left.at_any_load() == right.at_any_load()) {
            let own: BTreeSet<Place> = at_vin.iter().copied().collect();
            let known = common.entry(at_vin[0].at_any_load()).or_insert_with(|| own.clone());
            known.retain(|place| own.contains(place));
        }
    }
    for at_vin in common.into_values() {
        let at_vin: Vec<Place> = at_vin.into_iter().collect();
        let [smallest, .., largest] = at_vin.as_slice() else { continue };
        let boards = groups.iter_mut().flat_map(|group| group.boards.values_mut());
        let boards = boards.map(|board| &mut board.cells);
        let twice = [&mut reference.first, &mut reference.last].into_iter().flatten();
        for cells in boards.chain(twice.map(|run| &mut run.cells)) {
            let mean = |place: &Place| cells.get(&(VOUT, *place)).map(Cell::mean);
            if let (Some(light), Some(heavy)) = (mean(smallest), mean(largest)) {
                let key = (Quantity::LoadRegulation, smallest.at_any_load());
                cells.insert(key, Cell::one((light - heavy).abs(), None));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::Setting;

    fn at(vin: f64, load: f64) -> Place {
        Place::of(Setting { vin: Volts(vin), load: Amps(load) })
    }

    /// A group of boards, each with values at places.
    fn group(quantity: Quantity, boards: &[&[(Place, f64, Option<Bound>)]]) -> Group {
        let mut group = Group::new("made");
        for (number, values) in boards.iter().enumerate() {
            let cells = values
                .iter()
                .map(|(place, value, bound)| ((quantity, *place), Cell::one(*value, *bound)))
                .collect();
            let serial = format!("b{number}").parse().unwrap();
            group.boards.insert(serial, BoardCells { cells, ..BoardCells::default() });
        }
        group
    }

    #[test]
    fn only_places_where_every_board_has_a_value_make_its_score() {
        let noise = Quantity::Figure(FigureName::NoisePp20Mhz);
        let (first, second, third) = (at(18.0, 0.1), at(24.0, 0.1), at(24.0, 0.5));
        let before = group(
            noise,
            &[
                &[(first, 1.0, None), (second, 3.0, None), (third, 7.0, None)],
                &[(first, 2.0, None), (second, 4.0, None)],
            ],
        );
        let after = group(noise, &[&[(first, -1.0, None), (second, 0.0, Some(Bound::Upper))]]);
        let matched = match_places(noise, &before, &after).unwrap();
        assert_eq!(matched.places, [first]);
        assert_eq!(matched.missing, [third]);
        assert_eq!(matched.bounded, [BoundedChange { place: second, change: -3.5, bound: Bound::Upper }]);
        assert_eq!(scores_of(&matched.before), [1.0, 2.0]);
        assert_eq!(match_places(Quantity::Rise, &before, &after), None);
    }

    #[test]
    fn where_both_sides_are_at_the_noise_the_change_is_open_and_not_missing() {
        let noise = Quantity::Figure(FigureName::NoisePp20Mhz);
        let place = at(18.0, 0.1);
        let side = |bound| group(noise, &[&[(place, 1.0, bound)]]);
        let matched = |before, after| match_places(noise, &side(before), &side(after)).unwrap();
        let both = matched(Some(Bound::Upper), Some(Bound::Upper));
        assert_eq!((both.bounded.len(), both.open, both.missing), (0, vec![place], Vec::new()));
        let before = matched(Some(Bound::Upper), None);
        assert_eq!(before.bounded, [BoundedChange { place, change: 0.0, bound: Bound::Lower }]);
        assert_eq!(before.open, []);
    }

    #[test]
    fn a_band_that_is_mostly_at_the_noise_is_a_bound_or_nothing_and_says_why() {
        use crate::compare::band::Band;
        let place = at(18.0, 0.1);
        let upper = BoundedChange { place, change: -30.0, bound: Bound::Upper };
        let lower = BoundedChange { bound: Bound::Lower, ..upper };
        let (most, least) = (Kind::Bound(Bound::Upper), Kind::Bound(Bound::Lower));
        let all = "at 4 of 4 points both sides are at the noise of probe and scope";
        // Places with values, with bounds from above, with bounds from below, and at the noise on both sides.
        let table = [
            ((4, 0, 0, 0), Kind::Value, "no point has a value on every board of both sides"),
            ((2, 2, 0, 0), Kind::Value, "at 2 of 4 points the side after is at the noise of probe and scope"),
            ((1, 3, 0, 0), most, "at 3 of 4 points the side after is at the noise of probe and scope"),
            ((1, 0, 3, 0), least, "at 3 of 4 points the side before is at the noise of probe and scope"),
            (
                (0, 2, 0, 2),
                most,
                "at 2 of 4 points the side after is at the noise of probe and scope, at 2 both sides are",
            ),
            (
                (0, 1, 0, 3),
                Kind::Nothing,
                "at 1 of 4 points the side after is at the noise of probe and scope, at 3 both sides are",
            ),
            (
                (0, 2, 2, 0),
                Kind::Nothing,
                "at 2 of 4 points the side before is at the noise of probe and scope, at 2 the side after is",
            ),
            ((0, 0, 0, 4), Kind::Nothing, all),
            ((0, 0, 0, 0), Kind::Nothing, "no point has a value on every board of both sides"),
        ];
        for ((values, uppers, lowers, open), expected, why) in table {
            let matched = Matched {
                quantity: Quantity::Band(Band::Ringing),
                places: vec![place; values],
                bounded: [vec![upper; uppers], vec![lower; lowers]].concat(),
                open: vec![place; open],
                missing: Vec::new(),
                before: Vec::new(),
                after: Vec::new(),
                with_bounds: None,
            };
            assert_eq!(matched.kind(), expected, "{why}");
            assert_eq!(matched.no_value(), why);
            let figure = Matched { quantity: Quantity::Figure(FigureName::NoisePp20Mhz), ..matched };
            assert_eq!(figure.kind() == Kind::Value, values > 0);
        }
    }

    #[test]
    fn load_regulation_is_taken_between_loads_that_every_board_was_measured_at() {
        let vout = Quantity::Figure(FigureName::Vout);
        let mut groups = [
            group(
                vout,
                &[&[(at(18.0, 0.0), 5.0, None), (at(18.0, 0.1), 4.99, None), (at(18.0, 0.5), 4.9, None)]],
            ),
            group(
                vout,
                &[&[(at(18.0, 0.1), 5.02, None), (at(18.0, 0.5), 4.99, None), (at(24.0, 0.1), 5.0, None)]],
            ),
        ];
        add_load_regulation(&mut groups, &mut ReferenceRuns::default());
        let matched = match_places(Quantity::LoadRegulation, &groups[0], &groups[1]).unwrap();
        assert_eq!(matched.places.len(), 1);
        assert_eq!(matched.places[0].to_string(), "18 V");
        assert!((matched.before[0].score - 0.09).abs() < 1e-12);
        assert!((matched.after[0].score - 0.03).abs() < 1e-12);

        // A third group whose board never comes up takes nothing away from the first two.
        let [first, second] = groups;
        let mut groups = [first, second, group(vout, &[&[]])];
        add_load_regulation(&mut groups, &mut ReferenceRuns::default());
        let matched = match_places(Quantity::LoadRegulation, &groups[0], &groups[1]).unwrap();
        assert_eq!(matched.places.len(), 1);
        assert!((matched.after[0].score - 0.03).abs() < 1e-12);

        // An output that rises with the load moves all the same.
        let rising = group(vout, &[&[(at(18.0, 0.1), 5.0, None), (at(18.0, 0.5), 5.05, None)]]);
        let level = group(vout, &[&[(at(18.0, 0.1), 5.0, None), (at(18.0, 0.5), 4.98, None)]]);
        let mut groups = [rising, level];
        add_load_regulation(&mut groups, &mut ReferenceRuns::default());
        let matched = match_places(Quantity::LoadRegulation, &groups[0], &groups[1]).unwrap();
        assert!((matched.before[0].score - 0.05).abs() < 1e-12);
        assert!((matched.after[0].score - 0.02).abs() < 1e-12, "nearer to level is less");
    }
}
