//! Whether boards were in regulation and had settled where they were measured: only there do their figures mean anything, and that
//! a board was not says more than any figure of the points that are left.

use std::collections::{BTreeMap, BTreeSet};

use super::aspect::{Kind, Weight};
use super::cell::Place;
use super::group::{BoardCells, Group};
use super::guard::{Difference, listed};

/// So many places are named; of more the first ones, and how many there are.
const NAMED: usize = 3;

/// How often a board was measured at a place, and how often it was in regulation then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visits {
    /// How often it was measured there.
    pub tried: u32,
    /// How often it was in regulation.
    pub regulated: u32,
    /// How often it had not settled then.
    pub unsettled: u32,
}

impl Visits {
    /// Counts one more.
    pub fn count(&mut self, is_regulated: bool, is_settled: bool) {
        self.tried += 1;
        self.regulated += u32::from(is_regulated);
        self.unsettled += u32::from(is_regulated && !is_settled);
    }
    /// Takes those of another run in.
    pub fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.regulated += other.regulated;
        self.unsettled += other.unsettled;
    }
    const fn is_always(self) -> bool {
        self.regulated == self.tried
    }
}

/// Boards that were in regulation at less than half of the points that they were measured at and at which some board was (each takes
/// its points away from all, and where that leaves no point at all, nothing can be compared); and boards that were not, or not each
/// time, where all of the other side were, or they themselves at other times.
pub(super) fn difference(before: &Group, after: &Group) -> Option<Difference> {
    let boards = || before.boards.values().chain(after.boards.values());
    let some: BTreeSet<Place> = boards().flat_map(BoardCells::regulated).collect();
    let is_left = |place: &Place| boards().all(|board| board.regulated().any(|own| own == *place));
    // Where no point was measured on both sides, the points themselves say so.
    let is_measured = before.common_places().intersection(&after.common_places()).next().is_some();
    let is_nothing_left = is_measured && !some.iter().any(is_left);
    let (left, right) = (told_of(before, after, &some), told_of(after, before, &some));
    let is_told = is_measured && !(left.is_empty() && right.is_empty());
    let words =
        |told: BTreeSet<String>| if told.is_empty() { "every board".to_owned() } else { listed(&told) };
    (is_told || is_nothing_left).then(|| Difference {
        kind: Kind::Regulation,
        of: if is_nothing_left {
            vec!["both sides, which have no point together".to_owned()]
        } else {
            Vec::new()
        },
        weight: if is_nothing_left { Weight::Breaks } else { Weight::Matters },
        before: words(left),
        after: words(right),
    })
}

/// Points in regulation that had not settled: their figures are of boards on the move. It weighs less where it is so as often on
/// both sides.
pub(super) fn unsettled(before: &Group, after: &Group) -> Option<Difference> {
    let counts = |group: &Group| {
        let visits = group.boards.values().flat_map(|board| board.places.values());
        visits.fold((0u64, 0u64), |(unsettled, of), visits| {
            (unsettled + u64::from(visits.unsettled), of + u64::from(visits.regulated))
        })
    };
    let (left, right) = (counts(before), counts(after));
    let words = |(unsettled, of): (u64, u64)| match unsettled {
        0 => "all settled".to_owned(),
        _ => format!("{unsettled} of {of} not settled"),
    };
    (left.0 + right.0 > 0).then(|| Difference {
        kind: Kind::Unsettled,
        of: Vec::new(),
        weight: if left.0 * right.1 == right.0 * left.1 { Weight::Slight } else { Weight::Matters },
        before: words(left),
        after: words(right),
    })
}

/// Where boards of `after` were out of regulation though every board of `before` was in it each time, in words. Figures of the
/// points that are left do not show it, and a limit on them must not pass by it.
pub(super) fn lost(before: &Group, after: &Group) -> Option<String> {
    let out = |board: &BoardCells| places_out(board, |place, _| is_always(before, place));
    let told = by_places(after.boards.iter().map(|(serial, board)| (serial.to_string(), out(board))));
    (!told.is_empty()).then(|| {
        let (after, before) = (&after.name, &before.name);
        format!("{after} was out of regulation where every board of {before} was in it ({})", listed(&told))
    })
}

fn told_of(own: &Group, other: &Group, some: &BTreeSet<Place>) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    let mut out = Vec::new();
    for (serial, board) in &own.boards {
        let tried = some.iter().filter(|place| board.places.contains_key(place)).count();
        let regulated = board.regulated().count();
        if 2 * regulated < tried || some.is_empty() {
            told.insert(format!("{serial} in regulation at {regulated} of {tried} points"));
        } else {
            let is_told = |place: Place, visits: Visits| visits.regulated > 0 || is_always(other, place);
            out.push((serial.to_string(), places_out(board, is_told)));
        }
    }
    told.extend(by_places(out.into_iter()));
    told
}

/// Whether every board of a group that was measured at a place was in regulation there each time, and one was measured.
fn is_always(group: &Group, place: Place) -> bool {
    let mut visits = group.boards.values().filter_map(|board| board.places.get(&place)).peekable();
    visits.peek().is_some() && visits.all(|visits| visits.is_always())
}

/// Where a board was out of regulation, of the places that count, and how often if it was not so each time.
fn places_out(board: &BoardCells, counts: impl Fn(Place, Visits) -> bool) -> Vec<String> {
    let out = board.places.iter().filter(|(place, visits)| !visits.is_always() && counts(**place, **visits));
    let told = out.map(|(place, Visits { tried, regulated, .. })| match (tried - regulated, tried) {
        (out, tried) if out == *tried => place.to_string(),
        (out, tried) => format!("{place} ({out} of {tried} times)"),
    });
    told.collect()
}

/// Boards that were out of regulation at the same places stand together.
fn by_places(boards: impl Iterator<Item = (String, Vec<String>)>) -> BTreeSet<String> {
    let mut by_places: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for (serial, places) in boards.filter(|(_, places)| !places.is_empty()) {
        by_places.entry(places).or_default().push(serial);
    }
    let told = by_places.into_iter().map(|(places, serials)| {
        let more =
            if places.len() > NAMED { format!(" and {} more", places.len() - NAMED) } else { String::new() };
        let named = places.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
        format!("{} out of regulation at {named}{more}", serials.join(", "))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::Setting;

    fn at(place: usize) -> Place {
        Place::of(Setting { vin: Volts(24.0), load: Amps(0.1 * place as f64) })
    }

    fn visits(regulated: u32, tried: u32) -> Visits {
        Visits { tried, regulated, unsettled: 0 }
    }

    /// Boards by serial number, each with how often it was in regulation at each of some points.
    fn side(name: &str, boards: &[(&str, &[Visits])]) -> Group {
        let mut group = Group::new(name);
        for (serial, measured) in boards {
            let places = measured.iter().enumerate().map(|(place, visits)| (at(place), *visits)).collect();
            group.boards.insert(serial.parse().unwrap(), BoardCells { places, ..BoardCells::default() });
        }
        group
    }

    /// Boards that are in regulation at so many of four points, and never at the others.
    fn group(name: &str, boards: &[(&str, u32)]) -> Group {
        let of =
            |regulated: u32| (0..4).map(|place| visits(u32::from(place < regulated), 1)).collect::<Vec<_>>();
        let measured: Vec<_> = boards.iter().map(|(serial, regulated)| (*serial, of(*regulated))).collect();
        let measured: Vec<_> = measured.iter().map(|(serial, visits)| (*serial, visits.as_slice())).collect();
        side(name, &measured)
    }

    #[test]
    fn a_board_that_is_hardly_in_regulation_is_named_and_one_that_never_is_leaves_nothing_to_compare() {
        let told = |after: &[(&str, u32)]| {
            let before = group("A", &[("A1", 4), ("A2", 4)]);
            let found = difference(&before, &group("B", after))?;
            Some(format!("{}: {} | {}", found.weight.word(), found.before, found.after))
        };
        assert_eq!(
            told(&[("B1", 4), ("B2", 1)]).as_deref(),
            Some("matters: every board | B2 in regulation at 1 of 4 points")
        );
        assert_eq!(
            told(&[("B1", 4), ("B2", 0)]).as_deref(),
            Some("breaks: every board | B2 in regulation at 0 of 4 points")
        );
        let dead = difference(&group("A", &[("A1", 0)]), &group("B", &[("B1", 0)])).unwrap();
        assert_eq!(
            (dead.weight, dead.before.as_str()),
            (Weight::Breaks, "A1 in regulation at 0 of 0 points")
        );
        assert_eq!(difference(&group("A", &[]), &group("B", &[])), None, "nothing was measured");
        let (whole, mut few) = (group("A", &[("A1", 4)]), group("B", &[("B1", 1)]));
        few.boards.values_mut().for_each(|board| board.places.retain(|_, visits| visits.regulated > 0));
        assert_eq!(
            difference(&whole, &few),
            None,
            "a point at which a board was not measured is no failure of it"
        );
    }

    #[test]
    fn where_one_side_is_in_regulation_and_the_other_is_not_is_told_and_no_limit_passes_by_it() {
        let whole = || group("A", &[("A1", 4), ("A2", 4)]);
        let told = |before: &Group, after: &Group| {
            let found = difference(before, after)?;
            Some((found.before, found.after, lost(before, after)))
        };
        let fallen = group("B", &[("B1", 3), ("B2", 3), ("B3", 4)]);
        let out = "B1, B2 out of regulation at 24 V, 300 mA";
        let loses = format!("B was out of regulation where every board of A was in it ({out})");
        assert_eq!(told(&whole(), &fallen), Some(("every board".to_owned(), out.to_owned(), Some(loses))));
        assert_eq!(
            told(&fallen, &whole()),
            Some((out.to_owned(), "every board".to_owned(), None)),
            "the other way round it is told, too, and nothing is lost"
        );
        let marginal = group("A", &[("A1", 3), ("A2", 4)]);
        assert_eq!(told(&marginal, &fallen), None, "a threshold lies elsewhere on each board");
    }

    #[test]
    fn points_that_had_not_settled_are_told_and_weigh_less_where_they_are_as_many_on_both_sides() {
        let of = |name: &str, unsettled: u32| {
            side(name, &[("1", &[Visits { tried: 9, regulated: 8, unsettled }])])
        };
        let told = |before: u32, after: u32| {
            let found = unsettled(&of("A", before), &of("B", after))?;
            Some(format!("{}: {} | {}", found.weight.word(), found.before, found.after))
        };
        assert_eq!(told(0, 0), None);
        assert_eq!(told(0, 8).as_deref(), Some("matters: all settled | 8 of 8 not settled"));
        assert_eq!(told(2, 2).as_deref(), Some("slight: 2 of 8 not settled | 2 of 8 not settled"));
    }

    #[test]
    fn a_board_that_is_out_of_regulation_some_of_the_times_is_told_with_how_often() {
        let before = side("A", &[("A1", &[visits(98, 98)])]);
        let after = side("B", &[("B1", &[visits(36, 98)]), ("B2", &[visits(98, 98)])]);
        let found = difference(&before, &after).unwrap();
        assert_eq!(found.after, "B1 out of regulation at 24 V, 0 A (62 of 98 times)");
        assert!(
            lost(&before, &after).unwrap().ends_with("(B1 out of regulation at 24 V, 0 A (62 of 98 times))")
        );
        // As often on both sides: told, for its figures are of the other times alone.
        let again = side("A", &[("A1", &[visits(36, 98)])]);
        let found = difference(&again, &after).unwrap();
        assert_eq!(found.before, "A1 out of regulation at 24 V, 0 A (62 of 98 times)");
        assert_eq!(lost(&again, &after), None);
    }
}
