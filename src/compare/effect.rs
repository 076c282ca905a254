//! What changed in one quantity: by how much, with what certainty, at which points.

use super::bounds::{BoundedMean, bounded_mean};
use super::cell::{Kind, Place};
use super::certainty::{of_boards, of_points};
use super::floors::{NoFloor, why_none};
use super::gather::ReferenceRuns;
use super::group::Group;
use super::quantity::{Better, Quantity};
use super::run_order::{ReferenceChange, RunOrder, reference_change};
use super::scores::{Matched, match_places, scores_of};
use super::stat::{
    Bootstrap, Equivalence, Exactness, MeanDifference, OrderEffect, Resolution, Shift, Stepped,
};
use crate::waveform::Bound;

/// How sure intervals are, unless told otherwise.
pub const CONFIDENCE: f64 = 0.95;

/// The risk of calling a difference where there is none, and that of calling two things the same where they are not.
pub const ALPHA: f64 = 0.05;

/// Lower and upper end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether it holds a value.
    #[must_use]
    pub fn holds(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
    /// Whether it lies between plus and minus a margin.
    #[must_use]
    pub fn lies_within(self, margin: f64) -> bool {
        -margin < self.low && self.high < margin
    }
}

/// How the boards of the two sides belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pairing {
    /// Not at all: boards of one side are others than those of the other.
    #[default]
    None,
    /// The same boards were measured both ways: each is its own comparison.
    Board,
}

/// What the boards together say of a change. A reason stands for what cannot be concluded.
#[derive(Debug, Clone, PartialEq)]
pub struct Certainty {
    /// The t test of the change.
    pub mean: Result<MeanDifference, String>,
    /// Its 95 % interval.
    pub interval: Result<Interval, String>,
    /// Where boards scatter by less than half a known step of their figures: what the interval is of in the place of the t test.
    pub stepped: Option<Stepped>,
    /// p of the rank test (Mann and Whitney's; of pairs the signed rank test).
    pub rank_p: Result<f64, String>,
    /// The smallest p that the rank test could have given with so many boards.
    pub least_rank_p: Option<f64>,
    /// Whether all assignments of ranks were counted; of many boards the normal distribution gives the p.
    pub rank_exactness: Option<Exactness>,
    /// p of the exact permutation test on the means.
    pub permuted_p: Result<f64, String>,
    /// Hodges and Lehmann's estimate and interval, which is of a level of its own.
    pub rank: Result<Shift, String>,
    /// Interval by drawing boards anew.
    pub resampled: Result<Bootstrap, String>,
    /// How many boards it takes, or why no number is known.
    pub needed: Result<Needed, String>,
    /// Whether boards scatter by more than their figures are rounded to; if not, that is the reason of all that is missing.
    pub is_resolved: bool,
}

/// How many boards a side (of pairs: how many pairs) show a change of some size in eight of ten comparisons, if boards scatter as
/// these do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Needed {
    /// How many.
    pub boards: usize,
    /// The size of the change.
    pub change: f64,
}

/// A point's own change.
#[derive(Debug, Clone, PartialEq)]
pub struct PointChange {
    /// Where.
    pub place: Place,
    /// Mean after less mean before.
    pub change: f64,
    /// Its interval over the boards.
    pub interval: Option<Interval>,
    /// p of the t test, as if it were the only point.
    pub p: Option<f64>,
    /// p for a claim about this very point beside all others, by Holm.
    pub holm_p: Option<f64>,
    /// p for a look through all points, by Benjamini and Hochberg.
    pub screened_p: Option<f64>,
}

/// What a change is, in a word or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// For the better, surely.
    Better,
    /// For the worse, surely.
    Worse,
    /// Surely a change, of something that is neither good nor bad.
    Changed,
    /// Surely smaller than anything that matters.
    TooSmall,
    /// Not told from no change, and a change that matters is not ruled out.
    NoChange,
    /// Nothing tells how sure it is.
    NotKnown,
}

impl Sense {
    /// As it is told.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Changed => "changed",
            Self::TooSmall => "too small to matter",
            Self::NoChange => "no change shown",
            Self::NotKnown => "not known",
        }
    }
}

/// What changed in one quantity between two groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// What was compared, and where.
    pub matched: Matched,
    /// Mean of the boards' scores on both sides; `None` where there is no place with values everywhere.
    pub levels: Option<(f64, f64)>,
    /// Mean after less mean before.
    pub change: Option<f64>,
    /// How sure that is.
    pub certainty: Certainty,
    /// The change over the points that have a value or only a bound, where there are bounds and all of one side: a bound, too. `None`
    /// where bounds point to both sides, or most points tell nothing.
    pub bounded: Option<BoundedMean>,
    /// The smallest change that matters, in the unit of the change; `None` where every change does.
    pub smallest: Option<f64>,
    /// The finest difference that the figures can tell, in the unit of the change.
    pub resolution: Resolution,
    /// What probe and scope alone show of it on both sides, in its own unit; `None` where that was not captured.
    pub floors: (Option<Interval>, Option<Interval>),
    /// Why there is none, of what rides on the output.
    pub no_floor: Option<NoFloor>,
    /// The matched points one by one.
    pub points: Vec<PointChange>,
    /// The change with the drift over the runs taken off, and the drift.
    pub order: Result<OrderEffect, String>,
    /// What the reference board shows of drift, or why that is not known.
    pub reference: Result<ReferenceChange, &'static str>,
}

impl Effect {
    /// With what the order of the runs says of it.
    #[must_use]
    pub(super) fn in_order(mut self, order: &RunOrder, reference: &ReferenceRuns) -> Self {
        self.order = match &self.certainty.mean {
            _ if self.change.is_none() => Err(self.matched.no_value()),
            Err(why) if !self.certainty.is_resolved => Err(why.clone()),
            _ => order.effect(&self.matched.before, &self.matched.after),
        };
        self.reference = reference_change(self.quantity(), reference);
        self
    }
    /// The quantity.
    #[must_use]
    pub const fn quantity(&self) -> Quantity {
        self.matched.quantity
    }
    /// The interval of its change, where there is one.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        self.certainty.interval.as_ref().ok().copied()
    }
    /// Whether it is surely a change, however small.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.interval().is_some_and(|interval| !interval.holds(0.0))
    }
    /// What two one-sided tests say of a change smaller than any that matters.
    #[must_use]
    pub fn equivalence(&self) -> Option<Equivalence> {
        let smallest = self.smallest?;
        self.certainty.mean.as_ref().ok()?.within((-smallest, smallest), ALPHA).ok()
    }
    /// Where boards do not scatter and no step of their figures is known: the change of these boards but for what the computer's
    /// numbers are rounded to. It says nothing of other boards.
    #[must_use]
    pub fn by_rounding(&self) -> Option<Interval> {
        let (change, step) = (self.change?, self.resolution.step);
        let is_alone = !self.certainty.is_resolved && self.certainty.stepped.is_none();
        is_alone.then_some(Interval { low: change - step, high: change + step })
    }
    /// The 90 % interval by steps: inside a margin it shows what two one-sided tests at 5 % would.
    #[must_use]
    pub fn stepped_for_sameness(&self) -> Option<Interval> {
        self.certainty.stepped?.at(1.0 - 2.0 * ALPHA).ok().map(Interval::from)
    }
    /// In a word or two what it is.
    #[must_use]
    pub fn sense(&self) -> Sense {
        if let Some(bounded) = self.bounded.as_ref().filter(|_| self.is_told_by_bounds()) {
            return match (bounded.surely_rises(), &bounded.sure) {
                (Some(rises), _) => self.directed(rises),
                (None, Ok(_)) => Sense::NoChange,
                (None, Err(_)) => Sense::NotKnown,
            };
        }
        let Some(interval) = self.interval() else {
            return match (self.by_rounding(), self.smallest) {
                (Some(ends), Some(smallest)) if ends.lies_within(smallest) => Sense::TooSmall,
                (Some(ends), _) if ends.holds(0.0) => Sense::NoChange,
                _ => Sense::NotKnown,
            };
        };
        let is_inside = || Some(self.stepped_for_sameness()?.lies_within(self.smallest?));
        let is_small = self.equivalence().is_some_and(|told| told.is_equivalent) || is_inside() == Some(true);
        // What a bound leaves open may be large.
        if is_small && self.matched.bounded.is_empty() {
            return Sense::TooSmall;
        }
        if is_small || interval.holds(0.0) {
            return Sense::NoChange;
        }
        self.directed(interval.low > 0.0)
    }
    /// What a sure rise is, or a sure fall.
    fn directed(&self, rises: bool) -> Sense {
        match (self.quantity().better(), rises) {
            (Better::Neither, _) => Sense::Changed,
            (Better::Higher, true) | (Better::Lower, false) => Sense::Better,
            (Better::Higher, false) | (Better::Lower, true) => Sense::Worse,
        }
    }
    /// Smallest and largest change of single points.
    #[must_use]
    pub fn spread(&self) -> Option<Interval> {
        let changes = self.points.iter().map(|point| point.change);
        changes.fold(None, |spread: Option<Interval>, change| {
            Some(spread.map_or(Interval { low: change, high: change }, |spread| Interval {
                low: spread.low.min(change),
                high: spread.high.max(change),
            }))
        })
    }
    /// Whether a bound leaves open how far the change goes to the worse; of what is neither better nor worse, how far at all.
    #[must_use]
    pub fn is_open_to_worse(&self) -> bool {
        let open = match self.quantity().better() {
            Better::Lower => Some(Bound::Lower),
            Better::Higher => Some(Bound::Upper),
            Better::Neither => None,
        };
        self.matched.bounded.iter().any(|point| open.is_none_or(|open| point.bound == open))
    }
    /// Whether the bound is what is known of it: there is no value, or more than half of the points have a bound alone. The few
    /// points that have a value are then just those at which the change is least hidden.
    #[must_use]
    pub fn is_told_by_bounds(&self) -> bool {
        let is_most = self.matched.bounded.len() > self.matched.places.len();
        self.bounded.is_some() && (self.change.is_none() || is_most)
    }
}

/// On what terms a quantity is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// How boards belong together.
    pub pairing: Pairing,
    /// Seed of the resampling; `None` leaves it out.
    pub resampling: Option<u64>,
    /// The smallest change that matters; `None` where every change does.
    pub smallest: Option<f64>,
}

/// Compares two groups in one quantity; of pairs both groups hold the same boards. `None` where neither knows it.
#[must_use]
pub fn compare_quantity(
    quantity: Quantity,
    (before, after): (&Group, &Group),
    terms: Terms,
) -> Option<Effect> {
    let matched = match_places(quantity, before, after)?;
    let has_boards = !matched.before.is_empty() && !matched.after.is_empty();
    let has_values = matched.kind() == Kind::Value && has_boards;
    let (left, right) = (scores_of(&matched.before), scores_of(&matched.after));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let levels = has_values.then(|| (mean(&left), mean(&right)));
    let floor = |group: &Group| group.floors.get(&quantity).copied();
    let floors = (floor(before), floor(after));
    // Of what is found by trying, the floor is the step of the trials.
    let tried = [floors.0, floors.1].into_iter().flatten().map(|floor| floor.high).reduce(f64::max);
    let resolution = matched.resolution(tried.filter(|_| quantity == Quantity::StartUp));
    let certainty = if has_values {
        of_boards(&left, &right, resolution, terms)
    } else {
        Certainty::none(&matched.no_value())
    };
    let points = if has_boards && !matched.places.is_empty() {
        of_points(&matched, resolution, terms.pairing)
    } else {
        Vec::new()
    };
    let change = levels.map(|(before, after)| after - before);
    let bounded = if matched.kind() == Kind::Nothing { None } else { bounded_mean(&matched, terms.pairing) };
    Some(Effect {
        bounded,
        matched,
        levels,
        change,
        certainty,
        smallest: terms.smallest,
        resolution,
        floors,
        no_floor: why_none(quantity, [&before.floors, &after.floors]),
        points,
        order: Err("nobody looked at the order of the runs".to_owned()),
        reference: Err("nobody looked at the runs of a reference board"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::cell::Cell;
    use crate::compare::group::BoardCells;

    /// What changed in a quantity, of boards whose scores are these.
    fn effect(key: &str, (before, after): (&[f64], &[f64]), terms: Terms, tried: Option<f64>) -> Effect {
        let quantity: Quantity = key.parse().unwrap();
        let group = |scores: &[f64]| {
            let mut group = Group::new("made");
            group.floors.extend(tried.map(|step| (quantity, Interval { low: step, high: step })));
            for (number, score) in scores.iter().enumerate() {
                let cells = [((quantity, Place::FIRST), Cell::one(*score, None))].into();
                let board = BoardCells { cells, ..BoardCells::default() };
                group.boards.insert(format!("b{number}").parse().unwrap(), board);
            }
            group
        };
        compare_quantity(quantity, (&group(before), &group(after)), terms).unwrap()
    }

    fn terms(pairing: Pairing, smallest: Option<f64>) -> Terms {
        Terms { pairing, resampling: Some(1), smallest }
    }

    fn sense(key: &str, before: &[f64], after: &[f64], smallest: Option<f64>) -> &'static str {
        effect(key, (before, after), terms(Pairing::None, smallest), None).sense().word()
    }

    /// That nothing is told that would need a scatter.
    #[track_caller]
    fn assert_no_test(effect: &Effect) {
        let certainty = &effect.certainty;
        assert!(
            !certainty.is_resolved && certainty.interval.is_ok() == certainty.stepped.is_some(),
            "{effect:?}"
        );
        assert!(certainty.rank_p.is_err() && certainty.permuted_p.is_err(), "{effect:?}");
        assert!(
            certainty.rank.is_err() && certainty.resampled.is_err() && certainty.needed.is_err(),
            "{effect:?}"
        );
        assert!(
            effect.points.iter().all(|point| point.p.is_none() && point.interval.is_none()),
            "{effect:?}"
        );
        assert!(certainty.mean.is_err() && effect.equivalence().is_none());
    }

    #[test]
    fn what_rounding_leaves_of_like_changes_is_no_scatter() {
        // Each board by 0.2 V: the differences themselves differ in their last digit.
        let sides = (&[12.2, 11.8, 12.0][..], &[12.4, 12.0, 12.2][..]);
        for smallest in [None, Some(0.005)] {
            let found = effect("vout_v", sides, terms(Pairing::Board, smallest), None);
            assert_no_test(&found);
            assert_eq!(found.sense(), Sense::NotKnown);
            assert!(found.interval().is_none() && (found.by_rounding().unwrap().low - 0.2).abs() < 1e-9);
        }
        // As two groups of boards they do scatter.
        assert!(effect("vout_v", sides, terms(Pairing::None, None), None).certainty.is_resolved);
        // Scores that are the same but for the order in which they were added up.
        let (left, right) = (0.1 + 0.2, 0.3);
        let found = effect("rise_k", (&[left, right], &[right, left]), terms(Pairing::None, Some(0.5)), None);
        assert_no_test(&found);
        assert_eq!(found.sense(), Sense::TooSmall);
        // A small scatter of small figures is one all the same.
        let jitter = (&[1.0e-10, 1.2e-10][..], &[2.0e-10, 2.1e-10][..]);
        assert!(effect("period_std_s", jitter, terms(Pairing::None, None), None).certainty.is_resolved);
    }

    #[test]
    fn boards_that_differ_by_less_than_half_a_step_of_their_figures_do_not_scatter() {
        // Sixteenths of a kelvin, of which one board in five shows one more.
        let sides = (&[23.0, 23.0, 23.0625, 23.0, 23.0][..], &[23.0, 23.0, 23.0, 23.0, 23.0][..]);
        let found = effect("board_c", sides, terms(Pairing::None, Some(0.5)), None);
        assert_no_test(&found);
        assert_eq!((found.resolution.step, found.sense()), (0.0625, Sense::TooSmall));
        let found = effect("board_c", sides, terms(Pairing::None, Some(0.05)), None);
        assert_eq!(found.sense(), Sense::NoChange);
        // A threshold is known no better than the step in which it was looked for, even where all have the same.
        let same = &[12.2, 12.2, 12.2][..];
        let found = effect("start_up_v", (same, same), terms(Pairing::Board, Some(0.005)), Some(0.2));
        assert_no_test(&found);
        let reach = 2.0 * 0.2 * (1.0 + 4.302_652_73 * 0.5_f64.sqrt());
        assert!((found.interval().unwrap().high - reach).abs() < 1e-6 && found.by_rounding().is_none());
        assert_eq!(found.sense(), Sense::NoChange);
        // And by more than half a step they do.
        let apart = (&[11.8, 12.0, 12.2, 12.0][..], &[12.2, 12.0, 12.4, 12.2][..]);
        assert!(effect("start_up_v", apart, terms(Pairing::None, None), Some(0.2)).certainty.is_resolved);
    }

    #[test]
    fn a_change_is_sure_or_not_and_matters_or_not() {
        let near = [10.00, 10.01, 10.02, 10.03];
        let far = [9.0, 10.5, 11.0, 12.5];
        let moved = |scores: &[f64], by: f64| scores.iter().map(|score| score + by).collect::<Vec<f64>>();
        // A certain change of 0.1 K is nothing where half a kelvin is.
        let table = [
            ("rise_k", &near[..], 0.1, Some(0.5), "too small to matter"),
            ("rise_k", &near[..], 0.1, None, "worse"),
            ("rise_k", &near[..], -0.1, None, "better"),
            ("rise_k", &near[..], 0.0, Some(0.5), "too small to matter"),
            ("rise_k", &near[..], 0.0, None, "no change shown"),
            ("rise_k", &near[..], -2.0, Some(0.5), "better"),
            // Surely a change; whether it is one that matters is not shown, and it is told as what it surely is.
            ("rise_k", &near[..], 0.5, Some(0.5), "worse"),
            ("rise_k", &far[..], 0.1, Some(0.5), "no change shown"),
            ("vout_v", &near[..], 1.0, Some(0.1), "changed"),
            ("rise_k", &near[..1], 1.0, Some(0.5), "not known"),
        ];
        for (key, scores, by, smallest, expected) in table {
            assert_eq!(sense(key, scores, &moved(scores, by), smallest), expected, "{key} {by} {smallest:?}");
        }
    }
}
