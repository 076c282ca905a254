//! The Hodges-Lehmann estimate of a shift with the interval of the same exact rank test.
//!
//! Hodges and Lehmann 1963; intervals as in Hollander, Wolfe, Chicken 2014, 3.3 and 4.3: the ordered differences between which
//! the test does not reject. Two groups: all differences between a board after and a board before; their median is not the
//! difference of the medians. Pairs: all averages of two changes (Walsh averages). With ties the level is at least as told.

use super::exact::{MOST_EXACT, Sums};
use super::ranks::Exactness;
use super::{Estimate, NoAnswer, changes, check_confidence, check_sides, overflow};
use crate::base::distribution::{normal_quantile, normal_tails};

/// More differences than this are not ordered.
const MOST_DIFFERENCES: usize = 10_000_000;

/// A shift with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The shift, after less before. Its confidence is the level that the interval has: levels come in steps, so it is the
    /// next one at or above the wanted one, or below it where so few boards have none.
    pub estimate: Estimate,
    /// The level that was asked for.
    pub wanted: f64,
    /// How the level was had.
    pub exactness: Exactness,
}

impl Shift {
    /// Whether the interval is of the level that was asked for.
    #[must_use]
    pub fn reaches_wanted(&self) -> bool {
        self.estimate.confidence >= self.wanted - 1e-12
    }

    /// What must be said where it is not.
    #[must_use]
    pub fn shortfall(&self) -> Option<String> {
        (!self.reaches_wanted()).then(|| {
            format!(
                "so few boards have no interval by ranks at {} %: the widest one, from the lowest to the highest difference, \
                 has {:.1} %",
                (self.wanted * 1000.0).round() / 10.0,
                self.estimate.confidence * 100.0
            )
        })
    }
}

/// How far scores after lie from scores before: the median of all differences between boards.
///
/// # Errors
/// Fewer than two boards a side.
pub fn shift_of_two(before: &[f64], after: &[f64], confidence: f64) -> Result<Shift, NoAnswer> {
    check_sides(before, after, 2)?;
    let cut = Cut::of_groups(before.len(), after.len(), confidence)?;
    let differences = after.iter().flat_map(|after| before.iter().map(move |before| after - before));
    cut.shift(&sorted(differences)?, confidence)
}

/// How far boards that were measured both ways moved: the median of all averages of two changes.
///
/// # Errors
/// Boards on one side only, or fewer than two.
pub fn shift_of_pairs(before: &[f64], after: &[f64], confidence: f64) -> Result<Shift, NoAnswer> {
    let changes = changes(before, after, 2)?;
    let cut = Cut::of_pairs(changes.len(), confidence)?;
    let averages = changes
        .iter()
        .enumerate()
        .flat_map(|(at, one)| changes[at..].iter().map(move |other| f64::midpoint(*one, *other)));
    cut.shift(&sorted(averages)?, confidence)
}

fn sorted(differences: impl Iterator<Item = f64>) -> Result<Vec<f64>, NoAnswer> {
    let mut all: Vec<f64> = differences.collect();
    if all.iter().any(|difference| !difference.is_finite()) {
        return Err(overflow());
    }
    all.sort_by(f64::total_cmp);
    Ok(all)
}

/// How many ordered differences to leave out at each end, and the level that gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) left_out: usize,
    pub(super) level: f64,
    exactness: Exactness,
}

impl Cut {
    pub(super) fn of_groups(before: usize, after: usize, confidence: f64) -> Result<Self, NoAnswer> {
        check_confidence(confidence)?;
        let pairs =
            before.checked_mul(after).filter(|pairs| *pairs <= MOST_DIFFERENCES).ok_or_else(too_many)?;
        if before + after <= MOST_EXACT {
            // The ranks themselves: the lowest sum is a U of zero.
            let ranks: Vec<i64> = (0..).take(before + after).collect();
            return Ok(Self::exact(&Sums::of_groups(&ranks, after), lowest_sum(after), confidence));
        }
        let variance = pairs as f64 * (before + after + 1) as f64 / 12.0;
        Self::approximated(pairs as f64 / 2.0, variance, confidence)
    }

    fn of_pairs(count: usize, confidence: f64) -> Result<Self, NoAnswer> {
        check_confidence(confidence)?;
        if count <= MOST_EXACT {
            let ranks: Vec<usize> = (1..=count).collect();
            return Ok(Self::exact(&Sums::of_signs(&ranks), 0, confidence));
        }
        let averages = count.checked_mul(count + 1).filter(|twice| *twice / 2 <= MOST_DIFFERENCES);
        let averages = averages.ok_or_else(too_many)? as f64 / 2.0;
        Self::approximated(averages / 2.0, averages * (2 * count + 1) as f64 / 12.0, confidence)
    }

    fn exact(sums: &Sums, lowest: i64, confidence: f64) -> Self {
        let sum = sums.lower_quantile((1.0 - confidence) / 2.0).unwrap_or(lowest);
        Self {
            left_out: usize::try_from(sum - lowest).unwrap_or(0),
            level: (1.0 - 2.0 * sums.tails(sum).at_most).max(0.0),
            exactness: Exactness::Exact,
        }
    }

    fn approximated(mean: f64, variance: f64, confidence: f64) -> Result<Self, NoAnswer> {
        let factor = normal_quantile(f64::midpoint(1.0, confidence)).ok_or_else(overflow)?;
        let left_out = (mean - factor * variance.sqrt() - 0.5).floor().max(0.0);
        let (below, _) = normal_tails((left_out + 0.5 - mean) / variance.sqrt()).ok_or_else(overflow)?;
        Ok(Self { left_out: left_out as usize, level: 1.0 - 2.0 * below, exactness: Exactness::Approximate })
    }

    fn shift(self, sorted: &[f64], wanted: f64) -> Result<Shift, NoAnswer> {
        let (low, high) = self.ends(sorted.len());
        let (below, above) = ((sorted.len() - 1) / 2, sorted.len() / 2);
        let value = f64::midpoint(sorted[below], sorted[above]);
        let estimate = Estimate { value, low: sorted[low], high: sorted[high], confidence: self.level };
        Ok(Shift { estimate, wanted, exactness: self.exactness })
    }

    /// Places of the interval's ends among so many ordered differences.
    pub(super) fn ends(self, count: usize) -> (usize, usize) {
        let left_out = self.left_out.min((count - 1) / 2);
        (left_out, count - 1 - left_out)
    }
}

fn lowest_sum(drawn: usize) -> i64 {
    (0..).take(drawn).sum()
}

fn too_many() -> NoAnswer {
    NoAnswer::because(format!("more than {MOST_DIFFERENCES} differences are not put in order: compare means"))
}
