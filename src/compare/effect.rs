//! What changed in one quantity: by how much, with what certainty, at which points.

use super::cell::Place;
use super::certainty::{of_boards, of_points};
use super::group::Group;
use super::quantity::{Better, Quantity};
use super::scores::{BoardScore, BoundedChange, Matched, match_places};
use super::stat::MeanDifference;

/// How sure intervals are, unless told otherwise.
pub const CONFIDENCE: f64 = 0.95;

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
    /// p of the rank test (Mann and Whitney's; of pairs the signed rank test).
    pub rank_p: Result<f64, String>,
    /// The smallest p that the rank test could have given with so many boards.
    pub least_rank_p: Option<f64>,
    /// p of the exact permutation test on the means.
    pub permuted_p: Result<f64, String>,
    /// Hodges and Lehmann's estimate and interval.
    pub rank: Result<(f64, Interval), String>,
    /// What must be said where that interval is of a lower level.
    pub rank_shortfall: Option<String>,
    /// Interval by drawing boards anew.
    pub resampled: Result<Interval, String>,
    /// How many boards a side would show a change of this size in eight of ten comparisons.
    pub boards_needed: Option<usize>,
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

/// What a change is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// For the better, surely.
    Better,
    /// For the worse, surely.
    Worse,
    /// Surely a change, of something that is neither good nor bad.
    Changed,
    /// Not told from no change.
    Undecided,
}

impl Sense {
    /// As it is told.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Changed => "changed",
            Self::Undecided => "undecided",
        }
    }

    /// What an interval says of a quantity.
    #[must_use]
    pub fn of(quantity: Quantity, interval: Option<Interval>) -> Self {
        match interval {
            None => Self::Undecided,
            Some(interval) if interval.holds(0.0) => Self::Undecided,
            Some(interval) => match (quantity.better(), interval.low > 0.0) {
                (Better::Neither, _) => Self::Changed,
                (Better::Higher, true) | (Better::Lower, false) => Self::Better,
                (Better::Higher, false) | (Better::Lower, true) => Self::Worse,
            },
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
    /// The matched points one by one.
    pub points: Vec<PointChange>,
}

impl Effect {
    /// The quantity.
    #[must_use]
    pub const fn quantity(&self) -> Quantity {
        self.matched.quantity
    }
    /// In one word what it is.
    #[must_use]
    pub fn sense(&self) -> Sense {
        Sense::of(self.quantity(), self.certainty.interval.as_ref().ok().copied())
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
    /// The mean over all points that have a value or only a bound on one side, where it is only a bound because of them:
    /// the change, and on which side of it the truth lies. `None` where there are none, or of both kinds.
    #[must_use]
    pub fn bounded(&self) -> Option<BoundedChange> {
        let first = self.matched.bounded.first()?;
        if self.matched.bounded.iter().any(|other| other.bound != first.bound) {
            return None;
        }
        let changes: Vec<f64> = (self.points.iter().map(|point| point.change))
            .chain(self.matched.bounded.iter().map(|bounded| bounded.change))
            .collect();
        Some(BoundedChange { change: crate::base::stats::mean(&changes)?, ..*first })
    }
}

/// Compares two groups in one quantity; of pairs both groups hold the same boards. `None` where neither knows it.
#[must_use]
pub fn compare_quantity(
    quantity: Quantity,
    (before, after): (&Group, &Group),
    pairing: Pairing,
    seed: u64,
) -> Option<Effect> {
    let matched = match_places(quantity, before, after)?;
    let has_values = !matched.places.is_empty() && !matched.before.is_empty() && !matched.after.is_empty();
    let scores = |boards: &[BoardScore]| boards.iter().map(|board| board.score).collect::<Vec<f64>>();
    let (left, right) = (scores(&matched.before), scores(&matched.after));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let levels = has_values.then(|| (mean(&left), mean(&right)));
    let certainty = if has_values {
        of_boards(&left, &right, pairing, seed)
    } else {
        Certainty::none("no point has a value on every board of both sides")
    };
    let points = if has_values { of_points(&matched, pairing) } else { Vec::new() };
    let change = levels.map(|(before, after)| after - before);
    Some(Effect { matched, levels, change, certainty, points })
}
