//! Scores at the noise floor: what is known of them is a bound, and it stays one.
//!
//! The rule: a bound is never put into a mean as if it were the value. Either the mean is itself told as a bound, or bounds are
//! left out and counted, or ranks are compared, which need only know who is surely above whom (Gehan 1965).

use super::exact::MOST_EXACT;
use super::ranks::{RankTest, by_pairs};
use super::shift::Cut;
use super::{NoAnswer, check_confidence};
use crate::base::stats::mean;

/// What is known of a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Score {
    /// Its value.
    Is(f64),
    /// It is this or lower: an amplitude that drowns in the floor.
    AtMost(f64),
    /// It is this or higher: a spike that leaves the screen.
    AtLeast(f64),
}

impl Score {
    /// The value or its bound.
    #[must_use]
    pub fn number(self) -> f64 {
        let (Self::Is(number) | Self::AtMost(number) | Self::AtLeast(number)) = self;
        number
    }

    /// Whether it is a bound.
    #[must_use]
    pub fn is_bound(self) -> bool {
        !matches!(self, Self::Is(_))
    }

    /// Lowest and highest it can be.
    fn range(self) -> (f64, f64) {
        match self {
            Self::Is(value) => (value, value),
            Self::AtMost(value) => (f64::NEG_INFINITY, value),
            Self::AtLeast(value) => (value, f64::INFINITY),
        }
    }

    /// What lies in such a range; `None` where nothing is known.
    fn of_range((low, high): (f64, f64)) -> Option<Self> {
        match (low.is_finite(), high.is_finite()) {
            (true, true) if low == high => Some(Self::Is(low)),
            (false, true) => Some(Self::AtMost(high)),
            (true, false) => Some(Self::AtLeast(low)),
            _ => None,
        }
    }

    /// 1 where this one is surely above the other, -1 where below, 0 where equal or undecided.
    pub(super) fn surely_above(&self, other: &Self) -> i64 {
        let ((low, high), (other_low, other_high)) = (self.range(), other.range());
        i64::from(low > other_high) - i64::from(high < other_low)
    }
}

/// The change from one score to another, in decibels or any other unit in which changes are differences: a ripple that fell into
/// the floor fell by *at least* the distance to it.
///
/// # Errors
/// Two bounds that leave everything open: both at the floor.
pub fn censored_change(before: Score, after: Score) -> Result<Score, NoAnswer> {
    let ((low, high), (after_low, after_high)) = (before.range(), after.range());
    Score::of_range((after_low - high, after_high - low))
        .ok_or_else(|| NoAnswer::because("both scores are bounds: nothing is known of the change"))
}

/// The scores that are values, and how many bounds were left out. A mean of them is told as "over the boards above the floor".
#[must_use]
pub fn known(scores: &[Score]) -> (Vec<f64>, usize) {
    let known: Vec<f64> =
        scores.iter().filter(|score| !score.is_bound()).map(|score| score.number()).collect();
    let left_out = scores.len() - known.len();
    (known, left_out)
}

/// The mean of all scores: its value where all are known, a bound where all bounds point the same way.
///
/// # Errors
/// No scores, a score that is not finite, or bounds of both kinds.
pub fn mean_or_bound(scores: &[Score]) -> Result<Score, NoAnswer> {
    check(scores, 1, "in the group")?;
    let numbers: Vec<f64> = scores.iter().map(|score| score.number()).collect();
    let mean = mean(&numbers).ok_or_else(super::overflow)?;
    let some = |kind: fn(&Score) -> bool| scores.iter().any(kind);
    match (some(|score| matches!(score, Score::AtMost(_))), some(|score| matches!(score, Score::AtLeast(_))))
    {
        (false, false) => Ok(Score::Is(mean)),
        (true, false) => Ok(Score::AtMost(mean)),
        (false, true) => Ok(Score::AtLeast(mean)),
        (true, true) => {
            Err(NoAnswer::because("some scores are known as upper bounds and some as lower ones"))
        }
    }
}

/// Mann and Whitney's test where some scores are bounds, on what is sure of each pair of boards; exact up to fifty boards. Pairs
/// that are undecided count as ties. With one floor for all it is the test with all scores at the floor tied below the rest.
///
/// # Errors
/// A side without boards.
pub fn censored_ranks(before: &[Score], after: &[Score]) -> Result<RankTest, NoAnswer> {
    check(before, 1, "before")?;
    check(after, 1, "after")?;
    by_pairs(before, after)
}

/// A Hodges-Lehmann shift where some scores are bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CensoredShift {
    /// The median of all differences, or the bound that is known of it; `None` where nothing is.
    pub value: Option<Score>,
    /// Lower end of the interval; `None` where bounds leave it open.
    pub low: Option<f64>,
    /// Upper end of the interval; `None` where bounds leave it open.
    pub high: Option<f64>,
    /// The level it has, by the same count of differences as without bounds.
    pub confidence: f64,
    /// How many scores of both sides are bounds.
    pub bounds: usize,
}

/// How far scores after lie from scores before, each end of the interval taken from what every difference can be at least or at
/// most. So it holds the shift at least as often as without bounds.
///
/// # Errors
/// Fewer than two boards a side, or more than fifty on both together.
pub fn censored_shift(before: &[Score], after: &[Score], confidence: f64) -> Result<CensoredShift, NoAnswer> {
    check_confidence(confidence)?;
    check(before, 2, "before")?;
    check(after, 2, "after")?;
    if before.len() + after.len() > MOST_EXACT {
        return Err(NoAnswer::because(format!(
            "a shift with bounds is made for {MOST_EXACT} boards at most"
        )));
    }
    let cut = Cut::of_groups(before.len(), after.len(), confidence)?;
    let ranges = after.iter().flat_map(|after| before.iter().map(|before| (before.range(), after.range())));
    let (mut lowest, mut highest): (Vec<f64>, Vec<f64>) =
        ranges.map(|((low, high), (after_low, after_high))| (after_low - high, after_high - low)).unzip();
    lowest.sort_by(f64::total_cmp);
    highest.sort_by(f64::total_cmp);
    let median = |sorted: &[f64]| f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    let (first, last) = cut.ends(lowest.len());
    Ok(CensoredShift {
        value: Score::of_range((median(&lowest), median(&highest))),
        low: Some(lowest[first]).filter(|end| end.is_finite()),
        high: Some(highest[last]).filter(|end| end.is_finite()),
        confidence: cut.level,
        bounds: before.iter().chain(after).filter(|score| score.is_bound()).count(),
    })
}

fn check(scores: &[Score], least: usize, side: &str) -> Result<(), NoAnswer> {
    super::check_scores(&scores.iter().map(|score| score.number()).collect::<Vec<_>>(), least, side)
}
