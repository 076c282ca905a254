//! When the runs of a comparison were made: their places in the order, and whether drift with time can be told from a change.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::aspect::{Kind, Weight};
use super::effect::{CONFIDENCE, Pairing};
use super::gather::ReferenceRuns;
use super::group::Group;
use super::guard::Difference;
use super::quantity::Quantity;
use super::run::Run;
use super::scores::BoardScore;
use super::stat::{
    BoardRun, OrderEffect, Replication, check_order, is_balanced_within, order_effect, order_inflation,
};
use crate::base::count::fitting;
use crate::base::names::{OrderName, Revision, Serial};
use crate::base::stats::mean;
use crate::event::Turn;

/// From this factor on the order widens the variance of a change so much that drift and change look alike. All of one side first
/// is found by the places themselves: there the factor nears 4 with as many boards on each side, and is far less with 1 and 9.
pub const CONFOUNDED: f64 = 4.0;

/// Which runs of which orders are known of.
pub type Turns = BTreeMap<OrderName, KnownRuns>;

/// Which runs of an order are known of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownRuns {
    /// How many runs the order has.
    pub of: u32,
    /// Those that were taken, be they of a group, of another group or of the reference board.
    pub here: BTreeSet<u32>,
    /// Those that stand beside them and that nobody named, with the revision of their board.
    pub beside: BTreeMap<u32, Revision>,
}

/// What the runs say of their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// No order of runs was laid down for all of them; their places are by the time at which they began.
    None,
    /// All are of one order and were made in it.
    As(OrderName, NotHere),
    /// Both sides are stretches of the same runs: their order is that of the stretches.
    WithinRuns,
    /// All are of one order, but were not made in it, or some more than once; their places are by time. With what was so.
    Otherwise(OrderName, String),
}

/// The runs of an order that are not in a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotHere {
    /// Of the revisions that are compared, of the reference board, or nobody knows of which.
    pub missing: Vec<u32>,
    /// Of other revisions, which an order for several revisions has, too: the comparison needs none of them.
    pub left_out: BTreeMap<Revision, Vec<u32>>,
}

/// Whether the order of the runs lets drift with time be told from the change. One statement for text, page and figures.
#[derive(Debug, Clone, PartialEq)]
pub enum Separation {
    /// Not at all: order and side are the same thing.
    SameThing,
    /// Not: all runs of one side came first, or every board was measured the same way round. With the factor by which taking an
    /// even drift off widens the variance of the change.
    OneAfterOther(f64),
    /// Not: they look alike, by that factor.
    Alike(f64),
    /// It need not be: on every board the mean places of both sides are the same, so that an even drift falls out of its change.
    FallsOut,
    /// There is nothing to judge it by; why.
    NotJudged(String),
    /// Yes, at the price of that factor.
    Apart(f64),
}

impl Separation {
    /// Why no figure is told a drift of, where that is so for all of them.
    #[must_use]
    pub fn no_drift(&self) -> Option<String> {
        match self {
            Self::SameThing => Some("order and side are the same thing".to_owned()),
            Self::FallsOut => Some(
                "on every board the runs of both sides have the same mean place, so that an even drift falls out of its change by itself"
                    .to_owned(),
            ),
            Self::NotJudged(why) => Some(why.clone()),
            _ => None,
        }
    }
}

/// The order of the runs of two groups.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOrder {
    /// What they say of it.
    pub kept: Kept,
    /// The places of the runs before, rising.
    pub before: Vec<u32>,
    /// The places of the runs after.
    pub after: Vec<u32>,
    /// Places of the first and the last run of the reference board.
    pub reference: Option<(u32, u32)>,
    /// By what factor the order widens the variance of a change; `None` where drift and change are the same thing.
    pub inflation: Option<f64>,
    /// The mean place of each board's runs, on either side.
    means: [BTreeMap<Serial, f64>; 2],
    /// Runs of another board than the order has at their place, by side; those of the reference board stand on the first.
    other_boards: [Vec<String>; 2],
    pairing: Pairing,
}

/// What a reference board shows of drift: its last run less its first one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReferenceChange {
    /// Mean over the points that both runs have.
    pub change: f64,
    /// How many these are.
    pub points: usize,
}

struct Line<'r> {
    started: Timestamp,
    turn: Option<&'r Turn>,
    /// Which side; `None` for the reference board.
    side: Option<usize>,
    serial: &'r Serial,
    revision: &'r Revision,
    /// The run's folder.
    name: &'r str,
}

impl Line<'_> {
    /// That it is of another board than the order has there.
    fn other_board(&self) -> Option<String> {
        let turn = self.turn?;
        let wanted = turn
            .board
            .as_ref()
            .filter(|wanted| (&wanted.serial, &wanted.revision) != (self.serial, self.revision))?;
        Some(format!(
            "run {} of board {}, revision {}, in the place of board {}, revision {}: {}",
            turn.number, self.serial, self.revision, wanted.serial, wanted.revision, self.name
        ))
    }
}

impl RunOrder {
    /// The order of the runs of two groups and of the reference board.
    #[must_use]
    pub fn of(
        (before, after): (&Group, &Group),
        (reference, here): (&ReferenceRuns, &Turns),
        pairing: Pairing,
    ) -> Self {
        let mut lines: Vec<Line<'_>> = Vec::new();
        for (side, group) in [before, after].into_iter().enumerate() {
            lines.extend(group.members.iter().map(|member| Line {
                started: member.started,
                turn: member.turn.as_ref(),
                side: Some(side),
                serial: &member.serial,
                revision: &member.revision,
                name: &member.name,
            }));
        }
        lines.extend([&reference.first, &reference.last].into_iter().flatten().map(|run| Line {
            started: run.started,
            turn: run.turn.as_ref(),
            side: None,
            serial: &run.board.serial,
            revision: &run.board.revision,
            name: &run.name,
        }));
        lines.sort_by_key(|line| line.started);
        let kept = kept(&lines, &(&before.revisions | &after.revisions), here);
        let place = |(at, line): (usize, &Line<'_>)| match (&kept, line.turn) {
            (Kept::As(..), Some(turn)) => turn.number,
            _ => at as u32 + 1,
        };
        let places: Vec<u32> = lines.iter().enumerate().map(place).collect();
        let of = |wanted: Option<usize>| -> Vec<u32> {
            let own = lines.iter().zip(&places).filter(|(line, _)| line.side == wanted);
            own.map(|(_, place)| *place).collect()
        };
        let means = [0, 1].map(|side| {
            let mut sums: BTreeMap<Serial, (f64, f64)> = BTreeMap::new();
            for (line, place) in lines.iter().zip(&places).filter(|(line, _)| line.side == Some(side)) {
                let (sum, count) = sums.entry(line.serial.clone()).or_default();
                (*sum, *count) = (*sum + f64::from(*place), *count + 1.0);
            }
            sums.into_iter().map(|(serial, (sum, count))| (serial, sum / count)).collect()
        });
        let reference = match of(None).as_slice() {
            [first, .., last] => Some((*first, *last)),
            _ => None,
        };
        let other_boards = [0, 1].map(|side| {
            let own = lines.iter().filter(|line| line.side.unwrap_or(0) == side);
            own.filter_map(Line::other_board).collect()
        });
        let (before, after) = (of(Some(0)), of(Some(1)));
        let mut order =
            Self { kept, before, after, reference, inflation: None, means, other_boards, pairing };
        order.inflation = order_inflation(&order.runs(|_, _| Some(0.0)), order.replication());
        order
    }

    /// The order where both sides are stretches of the same runs: time itself is what is looked at.
    #[must_use]
    pub fn within_runs(reference: &ReferenceRuns) -> Self {
        let place = |run: &Option<Run>| run.as_ref()?.turn.as_ref().map(|turn| turn.number);
        Self {
            kept: Kept::WithinRuns,
            before: Vec::new(),
            after: Vec::new(),
            reference: place(&reference.first).zip(place(&reference.last)),
            inflation: None,
            means: [BTreeMap::new(), BTreeMap::new()],
            other_boards: [Vec::new(), Vec::new()],
            pairing: Pairing::Board,
        }
    }

    const fn replication(&self) -> Replication {
        match self.pairing {
            Pairing::None => Replication::Boards,
            Pairing::Board => Replication::WithinBoards,
        }
    }

    /// Whether drift and change cannot be told apart.
    #[must_use]
    pub fn is_confounded(&self) -> bool {
        use Separation::{Alike, OneAfterOther, SameThing};
        // Where it is asked what time does, drift is no stranger to be told apart.
        self.kept != Kept::WithinRuns && matches!(self.separation(), SameThing | OneAfterOther(_) | Alike(_))
    }

    /// Whether drift can be told from the change.
    #[must_use]
    pub fn separation(&self) -> Separation {
        let runs = || self.runs(|_, _| Some(0.0));
        match self.inflation {
            None => Separation::SameThing,
            Some(factor) if self.is_one_after_other() => Separation::OneAfterOther(factor),
            Some(factor) if factor >= CONFOUNDED => Separation::Alike(factor),
            Some(_) if self.pairing == Pairing::Board && is_balanced_within(&runs()) => Separation::FallsOut,
            Some(factor) => match check_order(&runs(), self.replication()) {
                Ok(()) => Separation::Apart(factor),
                Err(why) => Separation::NotJudged(why.0),
            },
        }
    }

    /// Whether all runs of one side came before all of the other; of pairs, whether every board was measured the same way round.
    fn is_one_after_other(&self) -> bool {
        let is_first = |first: &[u32], then: &[u32]| {
            first.iter().max().zip(then.iter().min()).is_some_and(|(last, next)| last < next)
        };
        match self.pairing {
            Pairing::None => is_first(&self.before, &self.after) || is_first(&self.after, &self.before),
            Pairing::Board => {
                let [before, after] = &self.means;
                let ways: Vec<Ordering> = (before.iter())
                    .filter_map(|(serial, place)| Some(place.total_cmp(after.get(serial)?)))
                    .collect();
                ways.first().is_some_and(|way| way.is_ne() && ways.iter().all(|other| other == way))
            }
        }
    }

    /// What the guard is told of it.
    #[must_use]
    pub(super) fn differences(&self) -> Vec<Difference> {
        let told = |kind: Kind, of: Vec<String>| Difference {
            kind,
            of,
            weight: Weight::Matters,
            before: runs_at(&self.before),
            after: runs_at(&self.after),
        };
        let mut differences = Vec::new();
        if self.is_confounded() {
            differences.push(told(Kind::RunOrder, Vec::new()));
        }
        match &self.kept {
            Kept::As(name, NotHere { missing, .. }) if !missing.is_empty() => {
                let of = format!("the order {name} ({})", runs_at(missing));
                differences.push(told(Kind::MissingRuns, vec![of]));
            }
            Kept::Otherwise(name, how) => {
                differences.push(told(Kind::OutOfTurn, vec![format!("the order {name} ({how})")]));
            }
            _ => {}
        }
        if self.other_boards.iter().any(|side| !side.is_empty()) {
            let [before, after] = self.other_boards.each_ref().map(|side| some_of(side));
            differences.push(Difference { before, after, ..told(Kind::OtherBoards, Vec::new()) });
        }
        differences
    }

    /// A line a board and side, with the score that is found for it.
    fn runs(&self, score: impl Fn(usize, &Serial) -> Option<f64>) -> Vec<BoardRun> {
        let mut numbers: BTreeMap<(usize, &Serial), u32> = BTreeMap::new();
        let mut runs = Vec::new();
        for (side, means) in self.means.iter().enumerate() {
            for (serial, position) in means {
                // A board measured both ways is one board; otherwise boards of two sides never share a number.
                let key = (if self.pairing == Pairing::Board { 0 } else { side }, serial);
                let next = numbers.len() as u32;
                let board = *numbers.entry(key).or_insert(next);
                if let Some(score) = score(side, serial) {
                    runs.push(BoardRun { board, is_after: side == 1, position: *position, score });
                }
            }
        }
        runs
    }

    /// The change with the drift taken off, from the boards' scores.
    pub(super) fn effect(&self, before: &[BoardScore], after: &[BoardScore]) -> Result<OrderEffect, String> {
        if self.kept == Kept::WithinRuns {
            return Err("both sides are stretches of the same runs".to_owned());
        }
        if let Some(why) = self.separation().no_drift() {
            return Err(why);
        }
        let sides = [before, after];
        let score = |side: usize, serial: &Serial| {
            sides[side].iter().find(|board| board.serial == *serial).map(|board| board.score)
        };
        order_effect(&self.runs(score), self.replication(), CONFIDENCE).map_err(|why| why.0)
    }
}

fn kept(lines: &[Line<'_>], compared: &BTreeSet<Revision>, known: &Turns) -> Kept {
    let mut turns = Vec::new();
    for line in lines {
        let Some(turn) = line.turn else { return Kept::None };
        turns.push(turn);
    }
    let names: Vec<&str> = lines.iter().map(|line| line.name).collect();
    let Some(first) = turns.first().filter(|first| turns.iter().all(|turn| turn.order == first.order)) else {
        return Kept::None;
    };
    if let Some(how) = out_of_turn(&turns, &names) {
        return Kept::Otherwise(first.order.clone(), how);
    }
    let (nothing, mut not_here) = (KnownRuns::default(), NotHere::default());
    let known = known.get(&first.order).unwrap_or(&nothing);
    let is_here = |number: &u32| {
        known.here.contains(number) || turns.binary_search_by_key(number, |turn| turn.number).is_ok()
    };
    for number in (1..=first.of).filter(|number| !is_here(number)) {
        match known.beside.get(&number).filter(|revision| !compared.contains(*revision)) {
            Some(other) => not_here.left_out.entry(other.clone()).or_default().push(number),
            None => not_here.missing.push(number),
        }
    }
    Kept::As(first.order.clone(), not_here)
}

/// Where runs, by the time at which they began, do not follow the numbers of their order: which stand at one place, and which are
/// late, by their folders.
fn out_of_turn(turns: &[&Turn], names: &[&str]) -> Option<String> {
    let mut at: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    let (mut late, mut highest) = (Vec::new(), 0);
    for (turn, name) in turns.iter().zip(names) {
        let own = at.entry(turn.number).or_default();
        own.push(name);
        // What stands at one place with another one is told by that.
        if own.len() == 1 && turn.number < highest {
            late.push(format!("run {} behind run {highest}: {name}", turn.number));
        }
        highest = highest.max(turn.number);
    }
    let twice = at.iter().filter(|(_, own)| own.len() > 1).map(|(number, own)| {
        let own: Vec<String> = own.iter().map(|name| (*name).to_owned()).collect();
        let times = if own.len() == 2 { "twice".to_owned() } else { format!("{} times", own.len()) };
        format!("run {number} made {times}: {}", some_of(&own))
    });
    let wrong: Vec<String> = twice.chain(late).collect();
    (!wrong.is_empty()).then(|| some_of(&wrong))
}

/// The first few of what is told, and how many more there are.
fn some_of(told: &[String]) -> String {
    /// So many are told; more would hide what they should tell.
    const MOST: usize = 4;
    let more = told.len().saturating_sub(MOST);
    let mut some = told.iter().take(MOST).cloned().collect::<Vec<_>>().join("; ");
    if more > 0 {
        some += &format!("; and {more} more");
    }
    if some.is_empty() { "none".to_owned() } else { some }
}

/// `run 1`, `runs 1 to 3, 7`.
#[must_use]
pub fn runs_at(places: &[u32]) -> String {
    format!("{} {}", fitting(places.len(), "run", "runs"), ranges(places))
}

/// `1 to 3, 7`.
fn ranges(places: &[u32]) -> String {
    /// So many stretches are told; more would hide what they should tell.
    const MOST: usize = 6;
    let stretches: Vec<&[u32]> = places.chunk_by(|a, b| a + 1 == *b).collect();
    let mut told: Vec<String> = (stretches.iter().take(MOST))
        .map(|stretch| match stretch {
            [first, .., last] => format!("{first} to {last}"),
            [only] => only.to_string(),
            [] => String::new(),
        })
        .collect();
    if stretches.len() > MOST {
        told.push("…".to_owned());
    }
    told.join(", ")
}

/// The last run of the reference board less its first one.
///
/// # Errors
/// There are no two runs of it, or none of their points has a value in both.
pub(super) fn reference_change(
    quantity: Quantity,
    reference: &ReferenceRuns,
) -> Result<ReferenceChange, &'static str> {
    let first = reference.first.as_ref().ok_or("there is no run of a reference board")?;
    let last = reference.last.as_ref().ok_or("there is one run of the reference board alone")?;
    let changes: Vec<f64> = first
        .cells
        .range(super::scores::span(quantity))
        .filter_map(|(key, cell)| Some((cell, last.cells.get(key)?)))
        .filter(|(old, new)| [old, new].iter().all(|cell| cell.kind() == super::cell::Kind::Value))
        .map(|(old, new)| new.mean() - old.mean())
        .collect();
    let change = mean(&changes).ok_or("no point has a value in both runs of the reference board")?;
    Ok(ReferenceChange { change, points: changes.len() })
}

#[cfg(test)]
mod tests {
    use super::super::gather::ReferenceRuns;
    use super::super::group::Member;
    use super::*;

    /// Groups of runs in the order of a text such as `A1 B1 B2 A2`; `turns` gives each its turn.
    fn groups(order: &str, turns: impl Fn(usize) -> Option<Turn>) -> (Group, Group) {
        let (mut before, mut after) = (Group::new("A"), Group::new("B"));
        for (at, word) in order.split_whitespace().enumerate() {
            let group = if word.starts_with('A') { &mut before } else { &mut after };
            let serial: Serial = word[1..].parse().unwrap();
            group.boards.entry(serial.clone()).or_default();
            group.members.push(Member {
                name: word.to_owned(),
                folder: std::path::PathBuf::from(word),
                started: Timestamp::from_second(1000 * at as i64).unwrap(),
                window: None,
                serial,
                revision: word[..1].parse().unwrap(),
                turn: turns(at),
            });
        }
        (before, after)
    }

    fn order(words: &str, pairing: Pairing) -> RunOrder {
        let (before, after) = groups(words, |_| None);
        RunOrder::of((&before, &after), (&ReferenceRuns::default(), &Turns::new()), pairing)
    }

    #[test]
    fn all_of_one_side_first_is_confounded_and_mixed_runs_are_not() {
        let table = [
            ("A1 A2 A3 B4 B5 B6", Pairing::None, true),
            ("A1 A2 A3 A4 A5 A6 A7 A8 A9 B1 B2 B3 B4 B5 B6 B7 B8 B9", Pairing::None, true),
            ("A1 B2", Pairing::None, true),
            ("A1 A2 A3 B4 B5 B6 B7", Pairing::None, true),
            ("B1 B2 B3 B4 B5 A6 A7 A8 A9 A10 A11 A12", Pairing::None, true),
            ("A1 B2 B3 B4 B5 B6 B7 B8 B9 B10", Pairing::None, true),
            ("B2 A1 B3 B4 B5 B6 B7 B8 B9 B10", Pairing::None, false),
            ("A1 B4 B5 A2 A3 B6", Pairing::None, false),
            ("A1 B4 A2 B5 A3 B6", Pairing::None, false),
            ("A1 B1 A2 B2 A3 B3", Pairing::Board, true),
            ("A1 B1 A2 A3 B2 B3", Pairing::Board, true),
            ("A1 A2 B2 A3 B3 B1", Pairing::Board, true),
            ("A1 B1 B2 A2 A3 B3", Pairing::Board, false),
            ("A1 B1 B1 A1", Pairing::Board, false),
            ("A1 B1", Pairing::Board, true),
            ("A1 B1 B1 A1 B2 A2 A2 B2", Pairing::Board, false),
        ];
        for (words, pairing, expected) in table {
            let found = order(words, pairing);
            assert_eq!(found.is_confounded(), expected, "{words}: {:?}", found.inflation);
        }
        for words in ["A1 B1 B1 A1 B2 A2 A2 B2", "A1 B1 B1 A1"] {
            assert_eq!(order(words, Pairing::Board).inflation, Some(1.0), "{words}");
        }
    }

    #[test]
    fn whether_a_drift_can_be_told_is_one_statement_for_the_order_and_for_every_figure() {
        use Separation::{Apart, FallsOut, NotJudged, OneAfterOther, SameThing};
        type Wanted = fn(&Separation) -> bool;
        let table: [(&str, Pairing, Wanted); 8] = [
            // A B B A on each board: an even drift falls out, however many boards there are.
            ("A1 B1 B1 A1 B2 A2 A2 B2", Pairing::Board, |found| *found == FallsOut),
            ("A1 B1 B1 A1 B2 A2 A2 B2 A3 B3 B3 A3", Pairing::Board, |found| *found == FallsOut),
            // Mixed, and too few to judge by.
            ("A1 B1 B2 A2", Pairing::Board, |found| matches!(found, NotJudged(_))),
            ("A1 B2 B3 A4", Pairing::None, |found| matches!(found, Apart(_))),
            ("A1 B2 A3", Pairing::None, |found| matches!(found, NotJudged(_))),
            ("A1 B1 B2 A2 A3 B3", Pairing::Board, |found| matches!(found, Apart(_))),
            ("A1 A2 A3 B4 B5 B6", Pairing::None, |found| matches!(found, OneAfterOther(_))),
            ("A1 B2", Pairing::None, |found| *found == SameThing),
        ];
        for (words, pairing, is_wanted) in table {
            let found = order(words, pairing);
            let separation = found.separation();
            assert!(is_wanted(&separation), "{words}: {separation:?}");
            // What is said of the order is what is said of each figure.
            let boards = |side: usize| -> Vec<BoardScore> {
                let scores = found.means[side].iter().zip([0.3, 0.1, 0.7, 0.2]);
                let score = |((serial, place), score): ((&Serial, &f64), f64)| BoardScore {
                    serial: serial.clone(),
                    score: score * (1 + side) as f64 + 0.1 * place,
                    values: Vec::new(),
                };
                scores.map(score).collect()
            };
            let told = found.effect(&boards(0), &boards(1));
            match separation {
                Apart(_) => assert!(told.is_ok(), "{words}: {told:?}"),
                SameThing | FallsOut | NotJudged(_) => {
                    assert_eq!(told.err(), separation.no_drift(), "{words}");
                }
                _ => assert_eq!(separation.no_drift(), None, "{words}"),
            }
        }
        assert_eq!((runs_at(&[1]), runs_at(&[1, 2, 3])), ("run 1".to_owned(), "runs 1 to 3".to_owned()));
    }

    #[test]
    fn runs_keep_the_places_of_their_order_only_where_they_were_made_in_it() {
        let turn = |number: u32| -> Option<Turn> { Some(format!("x:{number}/9").parse().unwrap()) };
        let of = |numbers: [u32; 4]| {
            let (before, after) = groups("A1 B1 B2 A2", |at| turn(numbers[at]));
            RunOrder::of((&before, &after), (&ReferenceRuns::default(), &Turns::new()), Pairing::None)
        };
        let whole = of([1, 2, 5, 9]);
        assert_eq!(
            (whole.kept.clone(), whole.before, whole.after),
            (
                Kept::As(
                    "x".parse().unwrap(),
                    NotHere { missing: vec![3, 4, 6, 7, 8], left_out: BTreeMap::new() }
                ),
                vec![1, 9],
                vec![2, 5]
            )
        );
        for (numbers, how) in [
            ([1, 2, 9, 5], "run 5 behind run 9: A2"),
            ([1, 2, 2, 3], "run 2 made twice: B1; B2"),
            ([1, 5, 9, 5], "run 5 made twice: B1; A2"),
            ([4, 3, 2, 1], "run 3 behind run 4: B1; run 2 behind run 4: B2; run 1 behind run 4: A2"),
        ] {
            let other = of(numbers);
            let told: Vec<_> = other.differences().iter().map(|told| (told.title(), told.weight)).collect();
            assert_eq!(told, [(format!("runs out of turn of the order x ({how})"), Weight::Matters)]);
            assert_eq!(
                (other.kept, other.before),
                (Kept::Otherwise("x".parse().unwrap(), how.to_owned()), vec![1, 4])
            );
        }
        assert_eq!(order("A1 B1", Pairing::None).kept, Kept::None);
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1 to 3, 7, 9 to 10");
        assert_eq!(ranges(&[1, 3, 5, 7, 9, 11, 13]), "1, 3, 5, 7, 9, 11, …");
    }

    #[test]
    fn runs_that_an_order_lacks_are_listed_and_matter_unless_they_stand_in_another_group() {
        let name: OrderName = "x".parse().unwrap();
        let differences = |here: &[u32]| {
            let turn = |at: usize| Some(format!("x:{}/8", [2, 3, 6, 7][at]).parse().unwrap());
            let (before, after) = groups("A1 B1 B2 A2", turn);
            let known = KnownRuns { of: 8, here: here.iter().copied().collect(), beside: BTreeMap::new() };
            let turns: Turns = [(name.clone(), known)].into();
            let order = RunOrder::of((&before, &after), (&ReferenceRuns::default(), &turns), Pairing::None);
            let told = order.differences();
            told.into_iter().map(|told| (told.title(), told.weight, told.before)).collect::<Vec<_>>()
        };
        let lacks = |missing: &str| {
            let title = format!("missing runs of the order x ({missing})");
            vec![(title, Weight::Matters, "runs 2, 7".to_owned())]
        };
        assert_eq!(differences(&[]), lacks("runs 1, 4 to 5, 8"));
        assert_eq!(differences(&[1, 2, 3, 4, 5, 6, 7]), lacks("run 8"));
        assert_eq!(differences(&[1, 4, 5, 8]), []);
    }

    #[test]
    fn runs_of_a_revision_that_is_not_compared_are_left_out_and_do_not_lack() {
        let turn = |at: usize| Some(format!("x:{}/8", [2, 3, 6, 7][at]).parse().unwrap());
        let (mut before, mut after) = groups("A1 B1 B2 A2", turn);
        before.revisions.insert("A".parse().unwrap());
        after.revisions.insert("B".parse().unwrap());
        // Run 1 of B and run 8, which is nowhere, are missing; runs 4 and 5 of C are not.
        let beside = [(1, "B"), (4, "C"), (5, "C")];
        let beside = beside.map(|(number, revision)| (number, revision.parse().unwrap())).into();
        let known = KnownRuns { of: 8, here: [2, 3, 6, 7].into(), beside };
        let turns: Turns = [("x".parse().unwrap(), known)].into();
        let order = RunOrder::of((&before, &after), (&ReferenceRuns::default(), &turns), Pairing::None);
        let left_out = [("C".parse().unwrap(), vec![4, 5])].into();
        assert_eq!(order.kept, Kept::As("x".parse().unwrap(), NotHere { missing: vec![1, 8], left_out }));
    }

    #[test]
    fn a_drift_is_taken_off_the_change_and_told_beside_it() {
        // 5 dB of drift a run, a change of -30 dB, and boards that differ by a little.
        let words = "A1 B4 B5 A2 A3 B6 B7 A8";
        let found = order(words, Pairing::None);
        let score = |word: &str, at: usize| {
            let own: f64 = word[1..].parse::<f64>().unwrap() % 3.0 * 0.1;
            own + 5.0 * at as f64 + if word.starts_with('B') { -30.0 } else { 0.0 }
        };
        let side = |side: char| -> Vec<BoardScore> {
            let own = words.split_whitespace().enumerate().filter(|(_, word)| word.starts_with(side));
            own.map(|(at, word)| BoardScore {
                serial: word[1..].parse().unwrap(),
                score: score(word, at),
                values: Vec::new(),
            })
            .collect()
        };
        let told = found.effect(&side('A'), &side('B')).unwrap();
        assert!((told.effect.value + 30.0).abs() < 0.2 && (told.drift.value - 5.0).abs() < 0.1, "{told:?}");
        assert!(told.drift.low > 4.5 && told.drift_p < 1e-4, "{told:?}");
    }
}
