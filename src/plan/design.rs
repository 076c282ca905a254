//! An order of runs for a comparison, laid down before the first of them, so that what drifts with time does not look like a
//! change. Pure: whatever is drawn comes from a seed.

use std::fmt;
use std::str::FromStr;

use super::order::shuffle;
use crate::base::digest::digest;
use crate::base::names::{OrderName, Revision, Serial};
use crate::base::random::{Random, mix};
use crate::event::turn::MOST_RUNS;
use crate::event::{Board, Turn};

/// How the revisions take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// Forth and back: A B B A. What drifts evenly falls out of the change by itself.
    #[default]
    Abba,
    /// One after the other: A B A B.
    Interleaved,
}

impl Scheme {
    /// As it is typed and told.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Abba => "abba",
            Self::Interleaved => "interleaved",
        }
    }
}

/// Boards, of a revision or of all: `A=1,2,3` or `1,2,3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardList {
    /// Their revision; `None` where each is measured as every revision, e.g. with a jumper set and not set.
    pub revision: Option<Revision>,
    /// Their serial numbers.
    pub boards: Vec<Serial>,
}

impl FromStr for BoardList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (revision, boards) = match text.split_once('=') {
            None => (None, text),
            Some((revision, boards)) => (Some(revision.parse().map_err(|error| format!("{error}"))?), boards),
        };
        let serial = |serial: &str| serial.trim().parse::<Serial>().map_err(|error| error.to_string());
        Ok(Self { revision, boards: boards.split(',').map(serial).collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for BoardList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(revision) = &self.revision {
            write!(f, "{revision}=")?;
        }
        let boards: Vec<&str> = self.boards.iter().map(Serial::as_str).collect();
        f.write_str(&boards.join(","))
    }
}

/// Revisions as a person lists them, with commas between; one option, so that a file of settings can hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionList(pub Vec<Revision>);

impl FromStr for RevisionList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let revision = |name: &str| name.trim().parse::<Revision>().map_err(|error| error.to_string());
        Ok(Self(text.split(',').map(revision).collect::<Result<_, _>>()?))
    }
}

/// What an order is laid down for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesignRequest {
    /// The revisions, the one that is held against first.
    pub revisions: Vec<Revision>,
    /// Their boards.
    pub boards: Vec<BoardList>,
    /// How they take turns.
    pub scheme: Scheme,
    /// A board that is measured first and last.
    pub reference: Option<BoardList>,
    /// Seed of all that is drawn.
    pub seed: u64,
}

/// A run of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRun {
    /// Which board.
    pub board: Board,
    /// Its place.
    pub turn: Turn,
    /// Seed of the order of its points.
    pub seed: u64,
}

/// An order of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Design {
    /// What it is called.
    pub name: OrderName,
    /// What it was laid down for.
    pub request: DesignRequest,
    /// Whether every board is measured as every revision.
    pub is_paired: bool,
    /// Its runs.
    pub runs: Vec<PlannedRun>,
}

/// Lays down an order. `about` tells profile and rig apart from others, so that the name of the order does, too.
///
/// # Errors
/// What was asked for makes no order; why.
pub fn build_design(request: DesignRequest, about: &str) -> Result<Design, String> {
    check_revisions(&request.revisions)?;
    let mut random = Random::seeded(request.seed);
    let is_paired = request.boards.iter().all(|list| list.revision.is_none());
    let mut lists = lists(&request, is_paired)?;
    let reference =
        request.reference.as_ref().map(|wanted| reference(wanted, &lists, is_paired)).transpose()?;
    for (_, boards) in &mut lists {
        shuffle(boards, &mut random);
    }
    let mut boards = if is_paired {
        both_ways(&lists[0].1, &request.revisions, request.scheme)
    } else {
        take_turns(&lists, request.scheme)
    };
    if let Some(reference) = &reference {
        boards.insert(0, reference.clone());
        boards.push(reference.clone());
    }
    let of = u32::try_from(boards.len()).ok().filter(|of| *of <= MOST_RUNS);
    let of = of.ok_or_else(|| format!("these are {} runs; {MOST_RUNS} are the most", boards.len()))?;
    let told: Vec<String> =
        boards.iter().map(|board| format!("{} {}", board.serial, board.revision)).collect();
    let text = format!(
        "soakrig order 1\n{about}\n{} {} {}\n{}\n",
        request.scheme.word(),
        request.seed,
        reference.is_some(),
        told.join("\n")
    );
    let name: OrderName = digest(text.as_bytes())
        .chars()
        .take(8)
        .collect::<String>()
        .parse()
        .map_err(|error| format!("{error}"))?;
    let run = |(number, board): (u32, Board)| PlannedRun {
        board: board.clone(),
        // Short, because people see it typed.
        seed: mix(request.seed ^ mix(u64::from(number))) >> 40,
        turn: Turn {
            order: name.clone(),
            number,
            of,
            is_reference: reference.is_some() && (number == 1 || number == of),
            board: Some(board),
        },
    };
    let runs = (1..=of).zip(boards).map(run).collect();
    Ok(Design { name, request, is_paired, runs })
}

fn check_revisions(revisions: &[Revision]) -> Result<(), String> {
    if revisions.len() < 2 {
        return Err("name at least two revisions, e.g. --compare A,B".to_owned());
    }
    for (at, revision) in revisions.iter().enumerate() {
        if revisions[..at].contains(revision) {
            return Err(format!("revision {revision} is named twice"));
        }
    }
    Ok(())
}

/// The boards of each revision; of boards that are measured as every revision, one list.
fn lists(request: &DesignRequest, is_paired: bool) -> Result<Vec<(Revision, Vec<Serial>)>, String> {
    let revisions = &request.revisions;
    let mut lists: Vec<(Revision, Vec<Serial>)> =
        revisions.iter().map(|revision| (revision.clone(), Vec::new())).collect();
    let mut seen: Vec<&Serial> = Vec::new();
    for list in &request.boards {
        let place = match &list.revision {
            None if is_paired => 0,
            None => {
                return Err(format!(
                    "of which revision are the boards {list}? Write REV={list}; only where every list stands without a \
                     revision each board is measured as all of them"
                ));
            }
            Some(revision) => revisions.iter().position(|known| known == revision).ok_or_else(|| {
                format!("the boards {list} are of revision {revision}, which --compare does not name")
            })?,
        };
        for serial in &list.boards {
            if seen.contains(&serial) {
                return Err(format!(
                    "board {serial} is named twice; boards that are measured as every revision stand in one list without a \
                     revision, e.g. --boards 1,2,3"
                ));
            }
            seen.push(serial);
            lists[place].1.push(serial.clone());
        }
    }
    let empty = lists.iter().find(|(_, boards)| boards.is_empty()).filter(|_| !is_paired || seen.is_empty());
    match empty {
        Some((revision, _)) => {
            Err(format!("no board of revision {revision} is named; write e.g. --boards {revision}=1,2,3"))
        }
        None => Ok(lists),
    }
}

/// The reference board with its revision, which is known where the board stands in a list of one.
fn reference(
    wanted: &BoardList,
    lists: &[(Revision, Vec<Serial>)],
    is_paired: bool,
) -> Result<Board, String> {
    let [serial] = wanted.boards.as_slice() else {
        return Err("there can be one reference board only".to_owned());
    };
    let known = lists.iter().filter(|_| !is_paired).find(|(_, boards)| boards.contains(serial));
    let revision = match (&wanted.revision, known) {
        (Some(told), Some((known, _))) if told != known => {
            return Err(format!("the reference board {serial} is of revision {known}, not {told}"));
        }
        (Some(revision), _) | (None, Some((revision, _))) => revision.clone(),
        (None, None) => {
            return Err(format!("of which revision is the reference board? Write --reference REV={serial}"));
        }
    };
    Ok(Board { serial: serial.clone(), revision })
}

/// Other boards for every revision: each revision is spread evenly over the whole order, also where it has fewer boards.
fn take_turns(lists: &[(Revision, Vec<Serial>)], scheme: Scheme) -> Vec<Board> {
    // The middle of each board's share of the order, as a fraction of two whole numbers.
    let mut places: Vec<(u64, u64, usize, &Serial)> = Vec::new();
    for (at, (_, boards)) in lists.iter().enumerate() {
        for (nth, serial) in boards.iter().enumerate() {
            places.push((2 * nth as u64 + 1, boards.len() as u64, at, serial));
        }
    }
    let middle =
        |a: &(u64, u64, usize, &Serial), b: &(u64, u64, usize, &Serial)| (a.0 * b.1).cmp(&(b.0 * a.1));
    places.sort_by(|a, b| middle(a, b).then(a.2.cmp(&b.2)));
    let mut order = Vec::new();
    let mut is_back = false;
    for block in places.chunk_by(|a, b| middle(a, b).is_eq()) {
        let board = |(_, _, at, serial): &(u64, u64, usize, &Serial)| Board {
            serial: (*serial).clone(),
            revision: lists[*at].0.clone(),
        };
        if is_back {
            order.extend(block.iter().rev().map(board));
        } else {
            order.extend(block.iter().map(board));
        }
        is_back = scheme == Scheme::Abba && block.len() > 1 && !is_back;
    }
    order
}

/// The same boards as every revision: a block a board. Every other block begins at the other end, for within a board that
/// always begins with A, drift and change are the same thing.
fn both_ways(boards: &[Serial], revisions: &[Revision], scheme: Scheme) -> Vec<Board> {
    let mut order = Vec::new();
    for (at, serial) in boards.iter().enumerate() {
        let board = |revision: &Revision| Board { serial: serial.clone(), revision: revision.clone() };
        let (forth, back): (Vec<Board>, Vec<Board>) =
            (revisions.iter().map(board).collect(), revisions.iter().rev().map(board).collect());
        let (first, second) = if at % 2 == 0 { (forth, back) } else { (back, forth) };
        order.extend(first);
        if scheme == Scheme::Abba {
            order.extend(second);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(boards: &[&str], scheme: Scheme, reference: Option<&str>, seed: u64) -> DesignRequest {
        DesignRequest {
            revisions: vec!["A".parse().unwrap(), "B".parse().unwrap()],
            boards: boards.iter().map(|list| list.parse().unwrap()).collect(),
            scheme,
            reference: reference.map(|board| board.parse().unwrap()),
            seed,
        }
    }

    /// The order, as board and revision.
    fn drawn(request: DesignRequest) -> String {
        let design = build_design(request, "test").unwrap();
        let told = |run: &PlannedRun| {
            let reference = if run.turn.is_reference { "*" } else { "" };
            format!("{}{}{reference}", run.board.revision, run.board.serial)
        };
        design.runs.iter().map(told).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn revisions_take_turns_and_the_reference_board_stands_first_and_last() {
        let five = ["A=1,2,3,4,5", "B=6,7,8,9,10"];
        let lines = [
            drawn(request(&five, Scheme::Abba, Some("A=r"), 1)),
            drawn(request(&five, Scheme::Interleaved, Some("3"), 1)),
            drawn(request(&["A=1,2,3,4,5", "B=6,7"], Scheme::Abba, None, 1)),
            drawn(request(&["1,2,3"], Scheme::Abba, None, 1)),
            drawn(request(&["1,2,3"], Scheme::Interleaved, Some("A=2"), 2)),
        ];
        insta::assert_snapshot!(lines.join("\n"), @"
        Ar* A3 B8 B10 A2 A5 B9 B6 A4 A1 B7 Ar*
        A3* A3 B8 A2 B10 A5 B9 A4 B6 A1 B7 A3*
        A3 B6 A2 A5 A4 B7 A1
        A1 B1 B1 A1 B2 A2 A2 B2 A3 B3 B3 A3
        A2* A3 B3 B1 A1 A2 B2 A2*
        ");
    }

    #[test]
    fn what_makes_no_order_is_refused_with_the_reason() {
        let two = ["A=1,2", "B=3,4"];
        let table: [(&[&str], Option<&str>, &str); 8] = [
            (&["A=1,2"], None, "no board of revision B"),
            (&["A=1,2", "B=2,3"], None, "board 2 is named twice"),
            (&["A=1,2", "3,4"], None, "of which revision are the boards 3,4"),
            (&["A=1,2", "B=3", "C=4"], None, "revision C, which --compare does not name"),
            (&[], None, "no board of revision A"),
            (&two, Some("9"), "of which revision is the reference board"),
            (&two, Some("B=1"), "is of revision A, not B"),
            (&two, Some("1,2"), "one reference board only"),
        ];
        for (boards, reference, expected) in table {
            let told = build_design(request(boards, Scheme::Abba, reference, 1), "").unwrap_err();
            assert!(told.contains(expected), "`{expected}` is not in: {told}");
        }
        let once = DesignRequest {
            revisions: vec!["A".parse().unwrap(); 2],
            ..request(&two, Scheme::Abba, None, 1)
        };
        assert!(build_design(once, "").unwrap_err().contains("named twice"));
        for wrong in ["A=", "A=1,,2", "=1", "a b", "A=1=2"] {
            assert!(wrong.parse::<BoardList>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn another_seed_another_profile_and_another_scheme_are_another_order_by_name() {
        let boards = ["A=1,2,3", "B=4,5,6"];
        let name =
            |scheme, seed, about| build_design(request(&boards, scheme, None, seed), about).unwrap().name;
        let first = name(Scheme::Abba, 1, "p");
        assert_eq!(first, name(Scheme::Abba, 1, "p"));
        for other in
            [name(Scheme::Abba, 2, "p"), name(Scheme::Abba, 1, "q"), name(Scheme::Interleaved, 1, "p")]
        {
            assert_ne!(first, other);
        }
    }

    proptest! {
        #[test]
        fn every_board_has_its_turns_and_the_sides_lie_over_one_another(
            before in 1usize..12, after in 1usize..12, seed: u64, is_abba: bool,
        ) {
            let scheme = if is_abba { Scheme::Abba } else { Scheme::Interleaved };
            let list = |revision: &str, count: usize| -> String {
                let boards: Vec<String> = (0..count).map(|at| format!("{revision}{at}")).collect();
                format!("{revision}={}", boards.join(","))
            };
            let lists = [list("A", before), list("B", after)];
            let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
            let design = build_design(request(&lists, scheme, Some("A=r"), seed), "").unwrap();
            let numbers: Vec<u32> = design.runs.iter().map(|run| run.turn.number).collect();
            prop_assert_eq!(numbers, (1..=(before + after + 2) as u32).collect::<Vec<_>>());
            let own = &design.runs[1..=before + after];
            prop_assert!(own.iter().all(|run| !run.turn.is_reference));
            let mut serials: Vec<&str> = own.iter().map(|run| run.board.serial.as_str()).collect();
            serials.sort_unstable();
            serials.dedup();
            prop_assert_eq!(serials.len(), before + after);
            // The mean places of both sides are never further apart than the two runs that take turns.
            let mean = |revision: &str| {
                let places: Vec<f64> = own.iter().filter(|run| run.board.revision.as_str() == revision)
                    .map(|run| f64::from(run.turn.number)).collect();
                places.iter().sum::<f64>() / places.len() as f64
            };
            prop_assert!((mean("A") - mean("B")).abs() <= 1.0, "{} {}", mean("A"), mean("B"));
        }
    }
}
