//! Exact permutation tests of means: how rare the difference is among all ways to share out the same scores (Fisher 1935,
//! Pitman 1937). They assume no distribution, only that without an effect any share was as likely.

use super::{NoAnswer, changes, check_sides, overflow};
use crate::base::stats::mean;

/// More ways than this are not gone through: ten boards a side, or seventeen pairs, are below.
const MOST_WAYS: f64 = 200_000.0;

/// A permutation test of a difference of means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PermutationTest {
    /// The difference of means, after less before.
    pub difference: f64,
    /// Two-sided p: twice the smaller tail.
    pub p: f64,
    /// How many ways there are.
    pub ways: u32,
}

/// Two groups of boards: all ways to share them out.
///
/// # Errors
/// A side without boards, or more than 200 000 ways.
pub fn permute_means(before: &[f64], after: &[f64]) -> Result<PermutationTest, NoAnswer> {
    check_sides(before, after, 1)?;
    let fewer = before.len().min(after.len());
    let more = before.len().max(after.len());
    let mut ways = 1.0;
    for k in 1..=fewer {
        ways *= (more + k) as f64 / k as f64;
        if ways > MOST_WAYS {
            return Err(too_many());
        }
    }
    let all: Vec<f64> = before.iter().chain(after).copied().collect();
    let center = mean(&all).ok_or_else(overflow)?;
    let centered: Vec<f64> = all.iter().map(|score| score - center).collect();
    // The side with fewer boards is drawn: its sum alone tells the difference, and the doubled tail is the same from both.
    let drawn = if after.len() == fewer { &centered[before.len()..] } else { &centered[..fewer] };
    let observed = drawn.iter().sum();
    let mut tally = Tally::around(observed, &centered)?;
    each_share(&centered, fewer, 0.0, &mut |sum| tally.count(sum));
    let difference =
        mean(after).zip(mean(before)).map(|(after, before)| after - before).ok_or_else(overflow)?;
    Ok(tally.test(difference))
}

/// Boards measured both ways: all ways to turn their changes round.
///
/// # Errors
/// Boards on one side only, none, or more than 200 000 ways.
pub fn permute_pairs(before: &[f64], after: &[f64]) -> Result<PermutationTest, NoAnswer> {
    let changes = changes(before, after, 1)?;
    if (changes.len() as f64).exp2() > MOST_WAYS {
        return Err(too_many());
    }
    let mut tally = Tally::around(changes.iter().sum(), &changes)?;
    for turned in 0..1u32 << changes.len() {
        let sign = |at: usize| if turned >> at & 1 == 1 { -1.0 } else { 1.0 };
        tally.count(changes.iter().enumerate().map(|(at, change)| sign(at) * change).sum());
    }
    Ok(tally.test(mean(&changes).ok_or_else(overflow)?))
}

fn too_many() -> NoAnswer {
    NoAnswer::because(
        "there are more than 200000 ways to share these boards out: the rank test counts them all the same",
    )
}

/// Every sum of `left` of the scores.
fn each_share(scores: &[f64], left: usize, sum: f64, found: &mut dyn FnMut(f64)) {
    if left == 0 {
        return found(sum);
    }
    for at in 0..=scores.len() - left {
        each_share(&scores[at + 1..], left - 1, sum + scores[at], found);
    }
}

struct Tally {
    observed: f64,
    /// Sums nearer than this are the same: they differ by the order of adding only.
    same: f64,
    ways: u32,
    at_most: u32,
    at_least: u32,
}

impl Tally {
    fn around(observed: f64, scores: &[f64]) -> Result<Self, NoAnswer> {
        let same = 1e-13 * scores.iter().map(|score| score.abs()).sum::<f64>();
        if same.is_finite() && observed.is_finite() {
            Ok(Self { observed, same, ways: 0, at_most: 0, at_least: 0 })
        } else {
            Err(overflow())
        }
    }
    fn count(&mut self, sum: f64) {
        self.ways += 1;
        self.at_most += u32::from(sum <= self.observed + self.same);
        self.at_least += u32::from(sum >= self.observed - self.same);
    }
    fn test(&self, difference: f64) -> PermutationTest {
        let fewer = f64::from(self.at_most.min(self.at_least));
        PermutationTest { difference, p: (2.0 * fewer / f64::from(self.ways)).min(1.0), ways: self.ways }
    }
}
