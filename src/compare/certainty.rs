//! How sure a change is, from the scores of the boards alone.

use super::effect::{CONFIDENCE, Certainty, Interval, Pairing, PointChange};
use super::scores::{BoardScore, Matched};
use crate::base::distribution::two_sided_t;
use crate::base::stats::{mean, std_dev};

impl Certainty {
    /// Nothing can be concluded, for one reason.
    #[must_use]
    pub fn none(why: &str) -> Self {
        Self {
            interval: Err(why.to_owned()),
            df: None,
            p: None,
            rank_p: Err(why.to_owned()),
            least_rank_p: None,
            rank: Err(why.to_owned()),
            resampled: Err(why.to_owned()),
        }
    }
}

/// What the boards' scores say of the change of their mean.
#[must_use]
pub(super) fn of_boards(left: &[f64], right: &[f64], pairing: Pairing, _seed: u64) -> Certainty {
    let mut certainty = Certainty::none("not computed");
    match interval(left, right, pairing) {
        Ok((interval, df)) => {
            certainty.interval = Ok(interval);
            certainty.df = Some(df);
        }
        Err(why) => certainty.interval = Err(why),
    }
    certainty
}

fn interval(left: &[f64], right: &[f64], pairing: Pairing) -> Result<(Interval, f64), String> {
    let none = || "an interval needs two boards a side, and boards that are not all alike".to_owned();
    let (change, error, df) = match pairing {
        Pairing::Board => {
            let changes: Vec<f64> = left.iter().zip(right).map(|(left, right)| right - left).collect();
            let count = changes.len() as f64;
            let spread = std_dev(&changes, 1).ok_or_else(none)?;
            (mean(&changes).ok_or_else(none)?, spread / count.sqrt(), count - 1.0)
        }
        Pairing::None => {
            let part = |values: &[f64]| Some(std_dev(values, 1)?.powi(2) / values.len() as f64);
            let (a, b) = (part(left).ok_or_else(none)?, part(right).ok_or_else(none)?);
            let sizes = (left.len() as f64 - 1.0, right.len() as f64 - 1.0);
            let df = (a + b).powi(2) / (a * a / sizes.0 + b * b / sizes.1);
            let change = mean(right).ok_or_else(none)? - mean(left).ok_or_else(none)?;
            (change, (a + b).sqrt(), df)
        }
    };
    let reach = error * two_sided_t(CONFIDENCE, df).ok_or_else(none)?;
    Ok((Interval { low: change - reach, high: change + reach }, df))
}

/// The change at each matched place, with what its boards say of it.
#[must_use]
pub(super) fn of_points(matched: &Matched, pairing: Pairing) -> Vec<PointChange> {
    let at = |boards: &[BoardScore], index: usize| -> Vec<f64> {
        boards.iter().filter_map(|board| board.values.get(index).copied()).collect()
    };
    let places = matched.places.iter().enumerate();
    places
        .filter_map(|(index, place)| {
            let (left, right) = (at(&matched.before, index), at(&matched.after, index));
            Some(PointChange {
                place: *place,
                change: mean(&right)? - mean(&left)?,
                interval: interval(&left, &right, pairing).ok().map(|(interval, _)| interval),
                p: None,
                holm_p: None,
                screened_p: None,
            })
        })
        .collect()
}
