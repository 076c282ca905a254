//! Differences of means of readings that stand on steps which hide the scatter of the boards.
//!
//! Rounding is no noise there: it moves all boards of a side alike, or makes them alike. What is sure is its size. A board's score may
//! be off by a step at the most, so that the mean of a side may be off by that much, and its true standard deviation is at most the
//! seen one and that of scores which are off by a step to either side (the triangle inequality). The t interval of the true scores
//! therefore lies inside the one that is made here, whatever they are, and holds the truth no less often than it.

use super::{Estimate, NoAnswer, changes, check_confidence, check_sides, overflow};
use crate::base::distribution::two_sided_t;
use crate::base::stats::{mean, std_dev};

/// A difference of means whose interval takes the steps of the readings for the scatter that they hide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stepped {
    /// The difference, after less before.
    pub change: f64,
    /// By how much the steps alone may move it.
    pub off: f64,
    /// The largest standard error that the true scores may have.
    pub std_error: f64,
    /// The fewest degrees of freedom.
    pub freedom: f64,
}

impl Stepped {
    /// Its interval.
    ///
    /// # Errors
    /// What is no confidence.
    pub fn at(&self, confidence: f64) -> Result<Estimate, NoAnswer> {
        check_confidence(confidence)?;
        let factor = two_sided_t(confidence, self.freedom).ok_or_else(overflow)?;
        let reach = self.off + factor * self.std_error;
        if reach.is_finite() { Ok(Estimate::around(self.change, reach, confidence)) } else { Err(overflow()) }
    }
}

/// Of two groups of boards.
///
/// # Errors
/// Fewer than two boards a side.
pub fn stepped(before: &[f64], after: &[f64], step: f64) -> Result<Stepped, NoAnswer> {
    check_sides(before, after, 2)?;
    let std_error = std_error(before, step)?.hypot(std_error(after, step)?);
    let change = mean(after).zip(mean(before)).map(|(after, before)| after - before);
    // Welch's degrees of freedom are no fewer than those of the smaller side.
    let freedom = before.len().min(after.len()) as f64 - 1.0;
    Ok(Stepped { change: change.ok_or_else(overflow)?, off: 2.0 * step, std_error, freedom })
}

/// Of boards measured both ways: each change is off by up to two steps.
///
/// # Errors
/// Boards on one side only, or fewer than two.
pub fn stepped_pairs(before: &[f64], after: &[f64], step: f64) -> Result<Stepped, NoAnswer> {
    let changes = changes(before, after, 2)?;
    let change = mean(&changes).ok_or_else(overflow)?;
    let std_error = std_error(&changes, 2.0 * step)?;
    Ok(Stepped { change, off: 2.0 * step, std_error, freedom: changes.len() as f64 - 1.0 })
}

/// The largest standard error of a mean of scores that are each off by up to so much.
fn std_error(scores: &[f64], off: f64) -> Result<f64, NoAnswer> {
    let count = scores.len() as f64;
    let deviation = std_dev(scores, 1).ok_or_else(overflow)?;
    Ok((deviation + off * (count / (count - 1.0)).sqrt()) / count.sqrt())
}

#[cfg(test)]
mod tests {
    use super::super::tests::normal;
    use super::super::welch;
    use super::*;
    use crate::base::random::Random;

    #[test]
    fn the_interval_is_that_of_the_widest_scatter_that_the_steps_may_hide() {
        let same = [23.0; 5];
        let found = stepped(&same, &[23.0625; 5], 0.0625).unwrap();
        assert_eq!((found.change, found.off, found.freedom), (0.0625, 0.125, 4.0));
        // 0.0625 * sqrt(5 / 4) on each of five boards, two sides; t(0.975, df 4) is 2.776445.
        let reach = 0.125 + 2.776_445_105 * 0.0625 * (5.0_f64 / 4.0).sqrt() * (2.0_f64 / 5.0).sqrt();
        let told = found.at(0.95).unwrap();
        assert!((told.high - 0.0625 - reach).abs() < 1e-9 && (0.0625 - told.low - reach).abs() < 1e-9);
        let pairs = stepped_pairs(&same, &[26.0; 5], 0.0625).unwrap();
        let reach = 0.125 + 2.776_445_105 * 0.125 * (5.0_f64 / 4.0).sqrt() / 5.0_f64.sqrt();
        assert!((pairs.at(0.95).unwrap().low - (3.0 - reach)).abs() < 1e-9);
        assert!(stepped(&same, &[1.0], 0.1).is_err() && found.at(1.0).is_err());
    }

    #[test]
    fn it_holds_the_interval_of_the_true_scores_and_so_the_truth_as_often_as_it_says() {
        const STEP: f64 = 1.0;
        let mut random = Random::seeded(5);
        let round =
            |scores: &[f64]| scores.iter().map(|score| (score / STEP).round() * STEP).collect::<Vec<_>>();
        for (boards, deviation) in [(2, 0.1), (2, 0.4), (3, 0.05), (3, 0.3), (5, 0.2), (5, 0.45), (10, 0.3)] {
            let mut held = 0;
            for _ in 0..400 {
                let level = 40.0 + random.fraction();
                let before = normal(&mut random, boards, level, deviation);
                let after = normal(&mut random, boards, level + 0.7, deviation);
                let seen = stepped(&round(&before), &round(&after), STEP).unwrap().at(0.95).unwrap();
                let true_one = welch(&before, &after, 0.95).unwrap().estimate;
                assert!(seen.low <= true_one.low && true_one.high <= seen.high, "{boards} {deviation}");
                held += u32::from(seen.holds(0.7));
            }
            assert!(held >= 380, "{boards} boards, {deviation}: {held} of 400");
        }
    }
}
