//! The exact distribution of a sum of whole scores under random assignment, by counting (a generating function).
//!
//! Two groups: which `drawn` of all scores fall on one side. Signs: which of the scores count. Scores are doubled mid-ranks or
//! Gehan's scores, so ties need no approximation. Counts are whole numbers below 2^53 up to the sizes allowed here.

/// More boards than this on both sides together, or changes, and the distribution is approximated.
pub(super) const MOST_EXACT: usize = 50;

/// Lower and upper tail, both with the value itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tails {
    pub(super) at_most: f64,
    pub(super) at_least: f64,
}

impl Tails {
    /// Twice the smaller tail: the two-sided p of all exact tests here.
    pub(super) fn two_sided(self) -> f64 {
        (2.0 * self.at_most.min(self.at_least)).min(1.0)
    }
}

/// How many assignments give each sum; the first stands for `lowest`.
pub(super) struct Sums {
    ways: Vec<f64>,
    lowest: i64,
    total: f64,
}

impl Sums {
    /// The sums of `drawn` of the scores.
    pub(super) fn of_groups(scores: &[i64], drawn: usize) -> Self {
        // Shifted to start at zero; every set of `drawn` shifts by the same.
        let least = scores.iter().copied().min().unwrap_or(0);
        let shifted: Vec<usize> =
            scores.iter().map(|score| usize::try_from(score - least).unwrap_or(0)).collect();
        let mut sorted = shifted.clone();
        sorted.sort_unstable();
        let most: usize = sorted.iter().rev().take(drawn).sum();
        let mut ways = vec![vec![0.0; most + 1]; drawn + 1];
        ways[0][0] = 1.0;
        for (seen, score) in shifted.iter().enumerate() {
            for taken in (1..=drawn.min(seen + 1)).rev() {
                let (fewer, more) = ways.split_at_mut(taken);
                for (with, without) in more[0][(*score).min(most + 1)..].iter_mut().zip(&fewer[taken - 1]) {
                    *with += without;
                }
            }
        }
        let ways = ways.pop().unwrap_or_default();
        let total = ways.iter().sum();
        Self { ways, lowest: least * i64::try_from(drawn).unwrap_or(0), total }
    }

    /// The sums of any of the scores, none of which is below zero.
    pub(super) fn of_signs(scores: &[usize]) -> Self {
        let mut ways = vec![0.0; scores.iter().sum::<usize>() + 1];
        ways[0] = 1.0;
        for score in scores {
            for sum in (*score..ways.len()).rev() {
                ways[sum] += ways[sum - score];
            }
        }
        let total = ways.iter().sum();
        Self { ways, lowest: 0, total }
    }

    /// Both tails of a sum.
    pub(super) fn tails(&self, sum: i64) -> Tails {
        let place = usize::try_from(sum - self.lowest).unwrap_or(0).min(self.ways.len().saturating_sub(1));
        let at_most: f64 = self.ways[..=place].iter().sum();
        let at_least: f64 = self.ways[place..].iter().sum();
        Tails { at_most: at_most / self.total, at_least: at_least / self.total }
    }

    /// The smallest two-sided p that any assignment of these scores has.
    pub(super) fn smallest_p(&self) -> f64 {
        let part = |ways: Option<&f64>| ways.copied().unwrap_or(self.total) / self.total;
        let (first, last) =
            (self.ways.iter().find(|ways| **ways > 0.0), self.ways.iter().rev().find(|ways| **ways > 0.0));
        (2.0 * part(first).min(part(last))).min(1.0)
    }

    /// The largest sum whose lower tail is at most `part`; `None` where even the lowest is more likely.
    pub(super) fn lower_quantile(&self, part: f64) -> Option<i64> {
        let mut cumulated = 0.0;
        let mut found = None;
        for (place, ways) in self.ways.iter().enumerate() {
            cumulated += ways;
            // Rounding must not take a level away that is met exactly.
            if cumulated / self.total > part * (1.0 + 1e-12) {
                break;
            }
            if *ways > 0.0 {
                found = Some(self.lowest + i64::try_from(place).unwrap_or(0));
            }
        }
        found
    }
}
