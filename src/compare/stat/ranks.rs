//! Rank tests: Mann and Whitney 1947 for two groups of boards, Wilcoxon 1945 for boards measured both ways.
//!
//! Up to fifty boards the distribution is exact, given the ties there are (mid-ranks; Hollander, Wolfe, Chicken 2014, 4.1 and
//! 3.1). Beyond it is normal with the tie correction and a correction for continuity, and marked so.

use super::censored::Score;
use super::exact::{MOST_EXACT, Sums, Tails};
use super::{NoAnswer, changes, check_scores, check_sides, overflow};
use crate::base::distribution::normal_tails;

/// How a p was had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exactness {
    /// All assignments were counted.
    Exact,
    /// By the normal distribution.
    Approximate,
}

/// A rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankTest {
    /// Mann-Whitney: how many pairs of boards have the higher score after, ties and undecided pairs count a half (U of the
    /// boards after). Signed rank: the sum of the ranks of the boards whose score rose.
    pub statistic: f64,
    /// Two-sided p: twice the smaller tail.
    pub p: f64,
    /// One-sided p of "higher after" and "lower after".
    pub p_higher: f64,
    /// As above.
    pub p_lower: f64,
    /// How the p was had.
    pub exactness: Exactness,
    /// The smallest two-sided p that these boards could have given, with the ties there are.
    pub smallest_p: f64,
    /// Boards whose change was exactly zero; a signed rank leaves them out.
    pub zeros: usize,
}

impl RankTest {
    /// Whether no result whatever could have reached this level.
    #[must_use]
    pub fn cannot_reach(&self, alpha: f64) -> bool {
        self.smallest_p > alpha
    }
}

/// The smallest two-sided p of Mann and Whitney's test without ties: 2 / (n + m over n). Three boards a side: 0.1.
#[must_use]
pub fn smallest_mann_whitney_p(before: usize, after: usize) -> f64 {
    let fewer = before.min(after);
    let ways = (1..=fewer).map(|k| (before.max(after) + k) as f64 / k as f64).product::<f64>();
    (2.0 / ways).min(1.0)
}

/// The smallest two-sided p of Wilcoxon's signed rank without ties: 2 / 2^n. Five pairs: 0.0625.
#[must_use]
pub fn smallest_signed_rank_p(pairs: usize) -> f64 {
    (1.0 - pairs as f64).exp2().min(1.0)
}

/// Whether scores after are higher or lower than before, by ranks alone.
///
/// # Errors
/// A side without boards.
pub fn mann_whitney(before: &[f64], after: &[f64]) -> Result<RankTest, NoAnswer> {
    check_sides(before, after, 1)?;
    let score = |value: &f64| Score::Is(*value);
    by_pairs(&before.iter().map(score).collect::<Vec<_>>(), &after.iter().map(score).collect::<Vec<_>>())
}

/// The test on what is sure of each pair of boards: Gehan 1965, with the distribution over assignments. Without censoring and
/// ties this is Mann and Whitney's test, with ties it is the one on mid-ranks.
pub(super) fn by_pairs(before: &[Score], after: &[Score]) -> Result<RankTest, NoAnswer> {
    let all: Vec<Score> = before.iter().chain(after).copied().collect();
    let standing = |one: &Score| all.iter().map(|other| one.surely_above(other)).sum::<i64>();
    let scores: Vec<i64> = all.iter().map(standing).collect();
    let sum: i64 = scores[before.len()..].iter().sum();
    let (n, m) = (before.len() as f64, after.len() as f64);
    // Within the side the scores cancel, so the sum counts pairs won less pairs lost.
    let statistic = f64::midpoint(sum as f64, n * m);
    if all.len() <= MOST_EXACT {
        let sums = Sums::of_groups(&scores, after.len());
        return Ok(told(statistic, sums.tails(sum), sums.smallest_p(), 0));
    }
    let count = n + m;
    let squares: f64 = scores.iter().map(|score| (*score as f64).powi(2)).sum();
    let variance = n * m * squares / (count * (count - 1.0));
    // Sums of mid-ranks move in steps of two.
    approximated(statistic, sum as f64, (variance, 1.0), smallest_mann_whitney_p(before.len(), after.len()))
}

/// Whether boards that were measured both ways rose or fell, by the ranks of their changes. Assumes changes that lie
/// symmetrically about their middle. Changes of exactly zero are left out and counted (Wilcoxon's own rule).
///
/// # Errors
/// Boards on one side only, or no board that changed.
pub fn signed_rank(before: &[f64], after: &[f64]) -> Result<RankTest, NoAnswer> {
    signed_rank_of(&changes(before, after, 1)?)
}

pub(super) fn signed_rank_of(changes: &[f64]) -> Result<RankTest, NoAnswer> {
    check_scores(changes, 1, "as changes")?;
    let moved: Vec<f64> = changes.iter().copied().filter(|change| *change != 0.0).collect();
    let zeros = changes.len() - moved.len();
    if moved.is_empty() {
        return Err(NoAnswer::because("no board changed at all: there is nothing to rank"));
    }
    // Doubled mid-ranks of the sizes: one for itself, two for each smaller, one for each other of the same size.
    let doubled: Vec<usize> = moved
        .iter()
        .map(|one| {
            let smaller = moved.iter().filter(|other| other.abs() < one.abs()).count();
            let same = moved.iter().filter(|other| other.abs() == one.abs()).count();
            2 * smaller + same + 1
        })
        .collect();
    let risen: usize =
        moved.iter().zip(&doubled).filter(|(change, _)| **change > 0.0).map(|(_, rank)| rank).sum();
    let statistic = risen as f64 / 2.0;
    if moved.len() <= MOST_EXACT {
        let sums = Sums::of_signs(&doubled);
        return Ok(told(
            statistic,
            sums.tails(i64::try_from(risen).unwrap_or(i64::MAX)),
            sums.smallest_p(),
            zeros,
        ));
    }
    let variance: f64 = doubled.iter().map(|rank| (*rank as f64).powi(2)).sum::<f64>() / 4.0;
    let mean = doubled.iter().sum::<usize>() as f64 / 2.0;
    let smallest = smallest_signed_rank_p(moved.len());
    Ok(RankTest { zeros, ..approximated(statistic, risen as f64 - mean, (variance, 1.0), smallest)? })
}

fn told(statistic: f64, tails: Tails, smallest_p: f64, zeros: usize) -> RankTest {
    RankTest {
        statistic,
        p: tails.two_sided(),
        p_higher: tails.at_least,
        p_lower: tails.at_most,
        exactness: Exactness::Exact,
        smallest_p,
        zeros,
    }
}

/// By the normal distribution of a sum about zero that moves in twice the `half_step`.
fn approximated(
    statistic: f64,
    sum: f64,
    (variance, half_step): (f64, f64),
    smallest_p: f64,
) -> Result<RankTest, NoAnswer> {
    if variance <= 0.0 {
        return Err(NoAnswer::because("all scores are the same: there is nothing to rank"));
    }
    let tails = |sum: f64| normal_tails(sum / variance.sqrt()).ok_or_else(overflow);
    let (p_lower, p_higher) = (tails(sum + half_step)?.0, tails(sum - half_step)?.1);
    Ok(RankTest {
        statistic,
        p: (2.0 * p_lower.min(p_higher)).min(1.0),
        p_higher,
        p_lower,
        exactness: Exactness::Approximate,
        smallest_p,
        zeros: 0,
    })
}
