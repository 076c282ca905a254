//! Whether boards scatter at all, or only by what their figures are rounded to.
//!
//! The mean of readings that were rounded to a step is right to a few thousandths of it from a standard deviation of half a step on,
//! and may be off by half of it below (Widrow and Kollár, *Quantization Noise*, 2008, chapter 4). So a scatter of less than half a
//! step is none: what is left of it tells of the rounding and not of the boards.

use super::NoAnswer;

/// Numbers of a size of one are the same where they differ by less than this: it is far above the rounding of a computer's
/// numbers, however many of them a mean is made of, and far below what an instrument tells.
const ROUNDING: f64 = 1e-12;

/// Distances are told no finer than this part of the largest one when a common step of them is looked for.
const FINEST: f64 = 1e-7;

/// A step is told where it is this part of the largest distance or more; a finer one would matter to no scatter.
const LEAST: f64 = 1e-4;

/// So many different distances have no common step by chance.
const ENOUGH: usize = 4;

/// The finest difference that figures can tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resolution {
    /// Distance of two neighbouring values, in the scores' unit.
    pub step: f64,
    /// What the rounding of the computer's numbers may come to.
    rounding: f64,
}

impl Resolution {
    /// Of numbers of this size of which no coarser step is known.
    #[must_use]
    pub fn of_rounding(size: f64) -> Self {
        let rounding = ROUNDING * size.abs();
        Self { step: rounding, rounding }
    }

    /// Whether no step is known that is coarser than the rounding of the computer's numbers.
    #[must_use]
    pub fn is_rounding(self) -> bool {
        self.step <= self.rounding
    }

    /// The scores without what rounding left in their last digits, so that equal ones, and equal differences of them, are equal.
    #[must_use]
    pub fn settled(self, scores: &[f64]) -> Vec<f64> {
        // Of multiples of a power of two sums and differences are exact.
        let unit = self.rounding.log2().floor().exp2();
        let settle = |score: &f64| Some((score / unit).round() * unit).filter(|settled| settled.is_finite());
        scores.iter().map(|score| settle(score).unwrap_or(*score)).collect()
    }

    /// With a step that is known or was found, if it is the coarser one.
    #[must_use]
    pub fn or_step(self, step: Option<f64>) -> Self {
        match step.filter(|step| step.is_finite() && *step > self.step) {
            Some(step) => Self { step, ..self },
            None => self,
        }
    }

    /// Of two the coarser one.
    #[must_use]
    pub fn coarser(self, other: Self) -> Self {
        if other.step > self.step { other } else { self }
    }

    /// Refuses a scatter that is none.
    ///
    /// # Errors
    /// The deviations, one a side, are less than half a step taken together.
    pub fn check(self, deviations: &[f64]) -> Result<(), NoAnswer> {
        let squares: f64 = deviations.iter().map(|deviation| deviation * deviation).sum();
        let together = (squares / deviations.len().max(1) as f64).sqrt();
        // What is no number has a reason of its own.
        if together.is_nan() || (together > 0.0 && together >= self.step / 2.0) {
            return Ok(());
        }
        Err(NoAnswer::because(if self.is_rounding() {
            "the boards do not differ among themselves and their figures show no step, so nothing tells how far the mean may be off"
        } else {
            "the boards differ among themselves by less than half a step of these figures, which hides their scatter"
        }))
    }
}

/// The step on which figures stand, where the figures themselves show one: the largest of which all distances of neighbours in the
/// order of each set are multiples. It is told where there are enough different distances for that to be no chance, or half or more
/// of the neighbours are alike; else the distances may be those of the boards. `None` where there is no such step, or nothing but like
/// figures to tell it.
#[must_use]
pub fn step_of(sets: impl Iterator<Item = Vec<f64>>) -> Option<f64> {
    let (mut alike, mut distances) = (0, Vec::new());
    for mut set in sets {
        set.retain(|value| value.is_finite());
        set.sort_by(f64::total_cmp);
        for pair in set.windows(2) {
            let distance = pair[1] - pair[0];
            if distance > Resolution::of_rounding(pair[0].abs().max(pair[1].abs())).step {
                distances.push(distance);
            } else {
                alike += 1;
            }
        }
    }
    let count = distances.len();
    distances.sort_by(f64::total_cmp);
    let largest = *distances.last()?;
    let finest = FINEST * largest;
    distances.dedup_by(|next, kept| *next - *kept <= finest);
    let step = distances.iter().copied().reduce(|step, distance| common_step(step, distance, finest))?;
    let is_shown = alike >= count || distances.len() >= ENOUGH;
    (is_shown && step >= LEAST * largest).then_some(step)
}

/// The largest step of which both are multiples, by Euclid; what is left under `finest` is nothing.
fn common_step(one: f64, other: f64, finest: f64) -> f64 {
    let (mut large, mut small) = (one.max(other), one.min(other));
    while small > finest {
        let rest = large % small;
        // A hair under a multiple is one, too.
        (large, small) = (small, rest.min(small - rest));
    }
    large
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scatter_of_less_than_half_a_step_is_none() {
        let rounding = Resolution::of_rounding(12.0);
        assert!(rounding.check(&[0.0, 0.0]).is_err() && rounding.check(&[2e-15]).is_err());
        assert!(rounding.check(&[1e-9, 0.0]).is_ok());
        let step = rounding.or_step(Some(0.0625));
        assert!(step.check(&[0.03, 0.03]).is_err() && step.check(&[0.03, 0.05]).is_ok());
        assert_eq!(rounding.or_step(Some(1e-20)), rounding);
        assert_eq!(rounding.or_step(None), rounding);
        assert!(Resolution::of_rounding(0.0).check(&[0.0]).is_err());
        // Too large to compute with is not the same as alike.
        assert!(rounding.check(&[f64::NAN]).is_ok() && rounding.check(&[f64::INFINITY]).is_ok());
    }

    #[test]
    fn what_is_equal_but_for_rounding_becomes_equal() {
        let changes = [12.4 - 12.2, 12.0 - 11.8, 12.2 - 12.0];
        assert!(changes[0] != changes[1], "{changes:?}");
        let resolution = Resolution::of_rounding(12.4);
        let settled = resolution.settled(&changes);
        assert!(settled.iter().all(|change| *change == settled[0]), "{settled:?}");
        assert!((settled[0] - 0.2).abs() < 1e-11);
        assert_eq!(Resolution::of_rounding(0.0).settled(&[0.25]), [0.25]);
        assert_eq!(resolution.settled(&[f64::MAX]), [f64::MAX]);
    }

    #[test]
    fn a_step_is_found_only_where_figures_stand_on_one() {
        let of = |places: &[&[f64]]| step_of(places.iter().map(|place| place.to_vec()));
        // Two boards show a step more than the others, at points that lie anywhere.
        let sixteenths = [&[23.0, 23.0, 23.0625, 23.0][..], &[31.125, 31.125, 31.0, 31.125]];
        assert_eq!(of(&sixteenths), Some(0.0625));
        // The rounding of binary fractions is no step.
        let tenths = [0.1 + 0.2, 0.3, 0.3, 0.1 + 0.2, 0.5, 0.3];
        assert!((of(&[&tenths]).unwrap() - 0.2).abs() < 1e-12);
        // Two boards at four points, of which they differ at one.
        assert_eq!(of(&[&[2.0, 2.0], &[5.5, 5.5], &[1.0, 1.25], &[3.0, 3.0]]), Some(0.25));
        // Nothing is alike, and yet all stand on tenths.
        let many = [[0.3, 0.7, 0.9], [2.0, 2.3, 2.8], [5.1, 5.2, 6.3]];
        let many: Vec<&[f64]> = many.iter().map(|set| &set[..]).collect();
        assert!((of(&many).unwrap() - 0.1).abs() < 1e-9 && of(&many[..1]).is_none());
        // Two boards that lie as far apart at every point, or nearly so: that is their distance, and no step.
        assert_eq!(of(&[&[4.9, 5.1][..]; 20].map(|set| set)), None);
        let nearly: Vec<[f64; 2]> = (0..9).map(|at| [4.9, 5.1 + 1e-4 * f64::from(at % 4)]).collect();
        let nearly: Vec<&[f64]> = nearly.iter().map(|set| &set[..]).collect();
        assert!((of(&nearly).unwrap() - 1e-4).abs() < 1e-9, "{:?}", of(&nearly));
        // Figures on no step at all.
        let any: Vec<[f64; 2]> = (1..40).map(|at| [1.0, 1.0 + f64::from(at).sqrt().fract()]).collect();
        let any: Vec<&[f64]> = any.iter().map(|set| &set[..]).collect();
        assert_eq!(of(&any), None);
        // A few like values among others, distances that fit no grid, and nothing but like values.
        assert_eq!(of(&[&[1.0, 1.0, 2.0, 3.0]]), None);
        assert_eq!(of(&[&[1.0, 1.0, 1.0, 2.0, 2.0, 2.0 + 2.0_f64.sqrt()]]), None);
        assert_eq!(of(&[&[4.0, 4.0], &[5.0, 5.0]]), None);
        assert_eq!(of(&[]), None);
    }
}
