//! Two groups held against each other: whether they may be, what changed, and how the limits on the change came out.

use std::collections::BTreeSet;

use super::course::{Course, Over, course};
use super::effect::{Effect, Pairing, Terms, compare_quantity};
use super::gate::{Allowance, Judgement, judge_same, judge_worse};
use super::gather::ReferenceRuns;
use super::group::Group;
use super::guard::{Comparability, Guard, check_comparable, without_pairs};
use super::next::{LimitCapability, capabilities};
use super::quantity::{COMPARED, Quantity};
use super::regulation::lost;
use super::run_order::{Kept, RunOrder, Turns};
use super::spectra::Captures;
use crate::base::names::Serial;
use crate::record::baseline::FoundBaseline;
use crate::record::store::LeftOut;

/// What is asked of a comparison.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// How boards belong together.
    pub pairing: Pairing,
    /// Whether both sides are stretches of the same runs.
    pub is_within_runs: bool,
    /// In which steps soaks are held against each other, too.
    pub over: Option<Over>,
    /// How much worse quantities may become.
    pub worse_than: Vec<Allowance>,
    /// How near to their old values quantities must stay.
    pub same_within: Vec<Allowance>,
    /// The smallest changes that matter, where they are not the usual ones.
    pub smallest: Vec<Allowance>,
    /// Whether a limit that is not decided counts as broken.
    pub is_strict: bool,
    /// Whether what is not comparable is compared all the same.
    pub is_forced: bool,
    /// Seed of the resampling.
    pub seed: u64,
    /// Runs of the reference board.
    pub reference: ReferenceRuns,
    /// Which runs of which orders are here, in any group.
    pub turns: Turns,
    /// Folders that were meant and hold no run that can be read.
    pub left_out: BTreeSet<LeftOut>,
    /// The baseline whose runs stand on the first side.
    pub baseline: Option<FoundBaseline>,
}

impl Request {
    /// The terms of a quantity; of what is told twice the last counts.
    fn terms(&self, quantity: Quantity) -> Terms {
        let told = self.smallest.iter().rev().find(|smallest| smallest.quantity == quantity);
        let smallest = told.map(|smallest| smallest.most).or_else(|| quantity.smallest_that_matters());
        Terms {
            pairing: self.pairing,
            resampling: Some(self.seed),
            smallest: smallest.filter(|smallest| *smallest > 0.0),
        }
    }
}

/// A limit on a change and how it came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// The limit.
    pub allowance: Allowance,
    /// Whether the quantity must stay near its old value on both sides, not only on the worse one.
    pub is_sameness: bool,
    /// How it came out.
    pub judgement: Judgement,
}

impl Gate {
    /// Whether it keeps a comparison from passing.
    #[must_use]
    pub const fn is_broken(&self, is_strict: bool) -> bool {
        match self.judgement {
            Judgement::Met => false,
            Judgement::Undecided => is_strict || self.is_sameness,
            Judgement::Broken | Judgement::Impossible(_) => true,
        }
    }
}

/// One side of a comparison, as far as a report tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// What it is called.
    pub name: String,
    /// Its boards.
    pub boards: Vec<Serial>,
    /// How many runs.
    pub runs: usize,
    /// What its spectra were taken from; none where nobody looked at them.
    pub captures: Captures,
}

impl Side {
    fn of(group: &Group) -> Self {
        let mut captures = Captures::default();
        group.boards.values().for_each(|board| captures.merge(board.captures));
        Self {
            captures,
            name: group.name.clone(),
            boards: group.boards.keys().cloned().collect(),
            runs: group.members.len(),
        }
    }
}

/// Two groups held against each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The first group.
    pub before: Side,
    /// The second group.
    pub after: Side,
    /// How boards belong together.
    pub pairing: Pairing,
    /// When the runs were made.
    pub order: RunOrder,
    /// Whether they may be compared.
    pub guard: Guard,
    /// Whether they are not comparable and were compared all the same, because that was asked for.
    pub is_forced: bool,
    /// Boards that stand on both sides.
    pub shared: Vec<Serial>,
    /// What changed, in the order of a report; empty where they may not be compared.
    pub effects: Vec<Effect>,
    /// What changed step by step, of soaks.
    pub course: Option<Course>,
    /// How the limits came out.
    pub gates: Vec<Gate>,
    /// How well the boards of both sides keep the limits of their profiles.
    pub capabilities: Vec<LimitCapability>,
}

impl Comparison {
    /// Whether anything was compared.
    #[must_use]
    pub const fn is_made(&self) -> bool {
        !self.effects.is_empty()
    }
    /// Whether they are not comparable, and were not compared either.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.guard.comparability == Comparability::NotComparable && !self.is_forced
    }
    /// Whether both sides are stretches of the same runs.
    #[must_use]
    pub fn is_within_runs(&self) -> bool {
        self.order.kept == Kept::WithinRuns
    }
    /// The change of a quantity.
    #[must_use]
    pub fn effect(&self, quantity: Quantity) -> Option<&Effect> {
        self.effects.iter().find(|effect| effect.quantity() == quantity)
    }
}

/// Compares two groups. What is not comparable is not compared, unless that is asked for.
#[must_use]
pub fn compare(before: &Group, after: &Group, request: &Request) -> Comparison {
    let shared: Vec<Serial> =
        before.boards.keys().filter(|serial| after.boards.contains_key(*serial)).cloned().collect();
    let lacks_pairs = request.pairing == Pairing::Board && shared.is_empty();
    let is_paired = request.pairing == Pairing::Board && !lacks_pairs;
    let pairs = is_paired.then(|| (before.only(&shared), after.only(&shared)));
    let (before, after) = pairs.as_ref().map_or((before, after), |(before, after)| (before, after));
    let order = if request.is_within_runs {
        RunOrder::within_runs(&request.reference)
    } else {
        RunOrder::of((before, after), (&request.reference, &request.turns), request.pairing)
    };
    let guard =
        if lacks_pairs { without_pairs(before, after) } else { check_comparable(before, after, &order) };
    // Where there is no pair there is nothing that could be forced.
    let is_forced = guard.comparability == Comparability::NotComparable && request.is_forced && !lacks_pairs;
    let may = guard.comparability != Comparability::NotComparable || is_forced;
    let of = |quantity: &Quantity| {
        let effect = compare_quantity(*quantity, (before, after), request.terms(*quantity))?;
        Some(effect.in_order(&order, &request.reference))
    };
    let effects: Vec<Effect> = if may { COMPARED.iter().filter_map(of).collect() } else { Vec::new() };
    let steps = request.over.filter(|_| may);
    let course = steps.and_then(|over| course(over, (before, after), |quantity| request.terms(quantity)));
    let find = |quantity| effects.iter().find(|effect| effect.quantity() == quantity);
    let lost = lost(before, after);
    // Whether an output comes up at all is what a start-up threshold tells, and no other figure.
    let unless_lost = |quantity: Quantity, judgement: Judgement| match &lost {
        Some(why) if judgement == Judgement::Met && quantity != Quantity::StartUp => {
            Judgement::Impossible(format!("it is kept at the points that are left, but {why}"))
        }
        _ => judgement,
    };
    let worse = request.worse_than.iter().map(|allowance| Gate {
        allowance: *allowance,
        is_sameness: false,
        judgement: unless_lost(allowance.quantity, judge_worse(*allowance, find(allowance.quantity))),
    });
    let same = request.same_within.iter().map(|allowance| Gate {
        allowance: *allowance,
        is_sameness: true,
        judgement: unless_lost(allowance.quantity, judge_same(*allowance, find(allowance.quantity))),
    });
    let gates = if may { worse.chain(same).collect() } else { Vec::new() };
    let sides = if may { vec![before, after] } else { Vec::new() };
    let capabilities = sides.into_iter().flat_map(capabilities).collect();
    Comparison {
        before: Side::of(before),
        after: Side::of(after),
        pairing: request.pairing,
        order,
        guard,
        is_forced,
        shared,
        effects,
        course,
        gates,
        capabilities,
    }
}

#[cfg(test)]
mod tests {
    use super::super::cell::{Cell, Place};
    use super::super::group::BoardCells;
    use super::super::regulation::Visits;
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::{FigureName, Setting};

    /// Three boards that are measured at two loads; at full load so many of them are in regulation.
    fn side(name: &str, at_full_load: usize) -> Group {
        let at = |load: f64| Place::of(Setting { vin: Volts(24.0), load: Amps(load) });
        let mut group = Group::new(name);
        for board in 0..3 {
            let mut of_board = BoardCells::default();
            for (load, is_regulated) in [(0.1, true), (0.5, board < at_full_load)] {
                of_board.places.entry(at(load)).or_insert_with(Visits::default).count(is_regulated, true);
                if is_regulated {
                    let value = Cell::one(5.0 + 1e-3 * board as f64, None);
                    of_board.cells.insert((Quantity::Figure(FigureName::Vout), at(load)), value);
                }
            }
            group.boards.insert(format!("{name}{board}").parse().unwrap(), of_board);
        }
        group
    }

    #[test]
    fn no_limit_is_met_by_boards_that_fall_out_of_regulation_where_the_others_stay_in_it() {
        let limit = || vec!["vout_v:100mV".parse().unwrap()];
        let request = Request { worse_than: limit(), same_within: limit(), ..Request::default() };
        let judged = |before: usize, after: usize| {
            compare(&side("A", before), &side("B", after), &request)
                .gates
                .into_iter()
                .map(|gate| gate.judgement)
        };
        assert!(judged(3, 3).all(|judgement| judgement == Judgement::Met));
        assert!(judged(2, 2).all(|judgement| judgement == Judgement::Met), "it is no news");
        for judgement in judged(3, 2) {
            let Judgement::Impossible(why) = judgement else { panic!("{judgement:?}") };
            assert_eq!(
                why,
                "it is kept at the points that are left, but B was out of regulation where every board of A was in it (B2 out of \
                 regulation at 24 V, 500 mA)"
            );
        }
    }
}
