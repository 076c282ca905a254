//! What is known of a change where values are only bounds, at the noise floor or clipped: the boards' means over all places, the
//! bounds taken for the values, are themselves bounds, and so is the end of their interval on that side.

use super::certainty::interval_of;
use super::effect::Pairing;
use super::scores::{Matched, WithBounds, resolution_of, scores_of, values_by_place};
use crate::base::stats::mean;
use crate::waveform::Bound;

/// The change over all places with a value or a bound, as a bound.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundedMean {
    /// Mean after less mean before, with bounds in the place of values.
    pub change: f64,
    /// On which side of it the truth lies.
    pub bound: Bound,
    /// Over how many places.
    pub places: usize,
    /// The end of the 95 % interval on that side, beyond which the change surely does not lie, or why there is none. No board's
    /// true mean lies beyond its bound, so that it holds at least as often as an interval of values does.
    pub sure: Result<f64, String>,
}

impl BoundedMean {
    /// Whether it is surely a rise (or surely a fall); `None` where it may be either.
    #[must_use]
    pub fn surely_rises(&self) -> Option<bool> {
        match (self.bound, self.sure.as_ref().ok()?) {
            (Bound::Upper, sure) if *sure < 0.0 => Some(false),
            (Bound::Lower, sure) if *sure > 0.0 => Some(true),
            _ => None,
        }
    }
}

/// The bound on the mean change. `None` where all values are known, or bounds point to both sides.
#[must_use]
pub(super) fn bounded_mean(matched: &Matched, pairing: Pairing) -> Option<BoundedMean> {
    let bound = matched.bounded.first()?.bound;
    let WithBounds { before, after, are_values } = matched.with_bounds.as_ref()?;
    let (left, right) = (scores_of(before), scores_of(after));
    // Bounds are alike wherever the floor is the same: only values tell on which step they stand.
    let valued =
        [(are_values.0, before), (are_values.1, after)].into_iter().filter(|(are_values, _)| *are_values);
    let valued: Vec<_> = valued.map(|(_, side)| values_by_place(side)).collect();
    let resolution = resolution_of(matched.quantity, &valued).coarser(matched.resolution(None));
    let interval = interval_of((&left, &right), resolution, pairing);
    Some(BoundedMean {
        change: mean(&right)? - mean(&left)?,
        bound,
        places: matched.places.len() + matched.bounded.len(),
        sure: interval.map(|ends| if bound == Bound::Upper { ends.high } else { ends.low }),
    })
}

#[cfg(test)]
mod tests {
    use super::super::cell::{Cell, Place};
    use super::super::effect::{Effect, Terms, compare_quantity};
    use super::super::group::{BoardCells, Group};
    use super::super::quantity::Quantity;
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::Setting;

    /// One board's value at each place, and what it is.
    type Values<'v> = &'v [(f64, Option<Bound>)];

    fn effect(key: &str, (before, after): (&[Values<'_>], &[Values<'_>])) -> Effect {
        let quantity: Quantity = key.parse().unwrap();
        let group = |boards: &[Values<'_>]| {
            let mut group = Group::new("made");
            for (number, values) in boards.iter().enumerate() {
                let place = |load: usize| Place::of(Setting { vin: Volts(24.0), load: Amps(load as f64) });
                let cells = values.iter().enumerate();
                let cells = cells
                    .map(|(load, (value, bound))| ((quantity, place(load)), Cell::one(*value, *bound)))
                    .collect();
                let board = BoardCells { cells, ..BoardCells::default() };
                group.boards.insert(format!("b{number}").parse().unwrap(), board);
            }
            group
        };
        let terms = Terms { pairing: Pairing::None, resampling: None, smallest: None };
        compare_quantity(quantity, (&group(before), &group(after)), terms).unwrap()
    }

    const IS: Option<Bound> = None;
    const MOST: Option<Bound> = Some(Bound::Upper);
    const LEAST: Option<Bound> = Some(Bound::Lower);

    #[test]
    fn where_all_values_after_are_bounds_the_direction_is_sure_if_the_end_on_that_side_is() {
        let before: &[Values<'_>] = &[&[(40.0, IS), (41.0, IS)], &[(41.0, IS), (42.0, IS)]];
        let told = |key: &str, after: &[Values<'_>]| {
            let effect = effect(key, (before, after));
            let bounded = effect.bounded.clone().unwrap();
            (effect.sense().word(), bounded.bound, bounded.sure)
        };
        let deep: &[Values<'_>] = &[&[(2.0, MOST), (2.0, MOST)], &[(2.0, MOST), (2.0, MOST)]];
        let (sense, bound, sure) = told("noise_pp_20mhz_v", deep);
        assert_eq!((sense, bound), ("better", Bound::Upper));
        // Welch's upper end: -39 + t(0.975, df 1) * sqrt(0.5 / 2).
        assert!((sure.unwrap() - (-39.0 + 12.706_204_736 * 0.5)).abs() < 1e-6);
        // An end that leaves no change possible shows none.
        let near: &[Values<'_>] = &[&[(38.0, MOST), (38.0, MOST)], &[(38.0, MOST), (38.0, MOST)]];
        assert_eq!(told("noise_pp_20mhz_v", near).0, "no change shown");
        let above: &[Values<'_>] = &[&[(90.0, LEAST), (90.0, LEAST)], &[(90.0, LEAST), (90.0, LEAST)]];
        assert_eq!(told("noise_pp_20mhz_v", above).0, "worse");
        assert_eq!(told("efficiency", above).0, "better");
        assert_eq!(told("efficiency", deep).0, "worse");
        assert_eq!(told("vout_v", deep).0, "changed");
        // One board does not tell how far boards scatter.
        let one = effect("noise_pp_20mhz_v", (&before[..1], &deep[..1]));
        assert_eq!(one.sense().word(), "not known");
        assert!(one.bounded.unwrap().sure.is_err());
    }

    #[test]
    fn bounds_decide_where_more_than_half_of_the_points_have_nothing_else() {
        let before: &[Values<'_>] = &[&[(40.0, IS); 3], &[(41.0, IS); 3]];
        let after = |bounds: usize| -> Vec<Vec<(f64, Option<Bound>)>> {
            let board = |add: f64| {
                (0..3).map(|at| if at < bounds { (2.0, MOST) } else { (40.2 + add, IS) }).collect()
            };
            vec![board(0.0), board(1.0)]
        };
        let told = |bounds: usize| {
            let after = after(bounds);
            let after: Vec<Values<'_>> = after.iter().map(Vec::as_slice).collect();
            let effect = effect("ripple_pp_v", (before, &after));
            (effect.is_told_by_bounds(), effect.sense().word(), effect.bounded.map(|mean| mean.places))
        };
        assert_eq!(told(0), (false, "no change shown", None));
        assert_eq!(told(1), (false, "no change shown", Some(3)));
        assert_eq!(told(2), (true, "better", Some(3)));
        assert_eq!(told(3), (true, "better", Some(3)));
    }

    #[test]
    fn a_bound_is_no_value_whatever_the_truth_behind_it_is() {
        // The truth lies anywhere under the bound: no such truth has a mean beyond the sure end.
        let before: &[Values<'_>] = &[&[(40.0, IS)], &[(40.4, IS)], &[(39.7, IS)]];
        let bounds = [2.0, 2.1, 2.2];
        let seen = bounds.map(|bound| [(bound, MOST)]);
        let seen: Vec<Values<'_>> = seen.iter().map(|values| &values[..]).collect();
        let sure = effect("noise_pp_20mhz_v", (before, &seen)).bounded.unwrap().sure.unwrap();
        for hidden in [0.0, 1.0, 30.0] {
            let truth = bounds.map(|bound| [(bound - hidden, IS)]);
            let truth: Vec<Values<'_>> = truth.iter().map(|values| &values[..]).collect();
            let known = effect("noise_pp_20mhz_v", (before, &truth));
            assert!(known.bounded.is_none() && known.interval().unwrap().high <= sure + 1e-12, "{hidden}");
        }
    }
}
