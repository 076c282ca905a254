//! How sure a change is, from the scores of the boards alone.

use super::effect::{ALPHA, CONFIDENCE, Certainty, Interval, Needed, Pairing, PointChange, Terms};
use super::scores::{BoardScore, Matched};
use super::stat::{
    Bootstrap, BootstrapKind, BootstrapSettings, MeanDifference, Resolution, Stepped, Wanted,
    benjamini_hochberg, boards_needed, bootstrap, bootstrap_pairs, holm, mann_whitney, paired, pairs_needed,
    permute_means, permute_pairs, shift_of_pairs, shift_of_two, signed_rank, stepped, stepped_pairs, welch,
};
use crate::base::estimate::{Estimate, NoAnswer};
use crate::base::stats::{mean, std_dev};

/// How often boards are drawn anew.
const RESAMPLES: u32 = 4000;

/// The chance with which so many boards as are told would show a change of the size that was seen.
const CHANCE: f64 = 0.8;

impl From<Estimate> for Interval {
    fn from(estimate: Estimate) -> Self {
        Self { low: estimate.low, high: estimate.high }
    }
}

impl Certainty {
    /// Nothing can be concluded, for one reason.
    #[must_use]
    pub fn none(why: &str) -> Self {
        let why = || why.to_owned();
        Self {
            mean: Err(why()),
            interval: Err(why()),
            stepped: None,
            rank_p: Err(why()),
            least_rank_p: None,
            rank_exactness: None,
            permuted_p: Err(why()),
            rank: Err(why()),
            resampled: Err(why()),
            needed: Err(why()),
            is_resolved: true,
        }
    }
}

/// What the boards' scores say of the change of their mean. What scatters by less than the figures can tell says nothing.
#[must_use]
pub(super) fn of_boards(left: &[f64], right: &[f64], resolution: Resolution, terms: Terms) -> Certainty {
    let Terms { pairing, resampling, smallest } = terms;
    let (left, right) = match settled((left, right), resolution, pairing) {
        Ok(sides) => sides,
        Err(why) => return unresolved((left, right), resolution, pairing, &why),
    };
    let (left, right) = (&left[..], &right[..]);
    let (ranks, permuted, shift) = match pairing {
        Pairing::None => {
            (mann_whitney(left, right), permute_means(left, right), shift_of_two(left, right, CONFIDENCE))
        }
        Pairing::Board => {
            (signed_rank(left, right), permute_pairs(left, right), shift_of_pairs(left, right, CONFIDENCE))
        }
    };
    let drawn = resampled(left, right, pairing, resampling);
    let mean = difference(left, right, pairing).map_err(told);
    Certainty {
        interval: mean.as_ref().map(|mean| mean.estimate.into()).map_err(Clone::clone),
        mean,
        stepped: None,
        rank_p: ranks.as_ref().map(|test| test.p).map_err(|why| why.0.clone()),
        rank_exactness: ranks.as_ref().ok().map(|test| test.exactness),
        least_rank_p: ranks.ok().map(|test| test.smallest_p),
        permuted_p: permuted.map(|test| test.p).map_err(told),
        rank: shift.map_err(told),
        resampled: drawn.map_err(told),
        needed: needed(left, right, pairing, smallest),
        is_resolved: true,
    }
}

/// The scores without what rounding left in them; of pairs the changes, which alone count there, against zero.
///
/// # Errors
/// A scatter that the figures cannot tell; of a single board there is none to be refused.
fn settled(
    (left, right): (&[f64], &[f64]),
    resolution: Resolution,
    pairing: Pairing,
) -> Result<(Vec<f64>, Vec<f64>), NoAnswer> {
    let (left, right) = match pairing {
        Pairing::None => (resolution.settled(left), resolution.settled(right)),
        Pairing::Board => {
            let changes: Vec<f64> = left.iter().zip(right).map(|(left, right)| right - left).collect();
            (vec![0.0; changes.len()], resolution.settled(&changes))
        }
    };
    match (pairing, std_dev(&left, 1), std_dev(&right, 1)) {
        (Pairing::None, Some(before), Some(after)) => resolution.check(&[before, after])?,
        (Pairing::Board, _, Some(changes)) => resolution.check(&[changes])?,
        _ => {}
    }
    Ok((left, right))
}

/// Boards whose scatter the figures hide: of a step that is known comes an interval, of anything else nothing.
fn unresolved(
    sides: (&[f64], &[f64]),
    resolution: Resolution,
    pairing: Pairing,
    why: &NoAnswer,
) -> Certainty {
    let stepped = by_steps(sides, resolution, pairing);
    let interval = stepped.and_then(|stepped| stepped.at(CONFIDENCE).ok());
    let none = Certainty::none(&why.0);
    Certainty {
        is_resolved: false,
        interval: interval.map(Into::into).ok_or_else(|| why.0.clone()),
        stepped,
        ..none
    }
}

fn by_steps((left, right): (&[f64], &[f64]), resolution: Resolution, pairing: Pairing) -> Option<Stepped> {
    let step = Some(resolution.step).filter(|_| !resolution.is_rounding())?;
    match pairing {
        Pairing::None => stepped(left, right, step).ok(),
        Pairing::Board => stepped_pairs(left, right, step).ok(),
    }
}

/// The 95 % interval of the change alone.
///
/// # Errors
/// Too few boards, or a scatter that the figures cannot tell.
pub(super) fn interval_of(
    sides: (&[f64], &[f64]),
    resolution: Resolution,
    pairing: Pairing,
) -> Result<Interval, String> {
    match settled(sides, resolution, pairing) {
        Ok((left, right)) => {
            difference(&left, &right, pairing).map(|mean| mean.estimate.into()).map_err(told)
        }
        Err(why) => unresolved(sides, resolution, pairing, &why).interval,
    }
}

fn resampled(
    left: &[f64],
    right: &[f64],
    pairing: Pairing,
    seed: Option<u64>,
) -> Result<Bootstrap, NoAnswer> {
    let seed = seed.ok_or_else(|| NoAnswer::because("resampling was not asked for"))?;
    let kind = BootstrapKind::Expanded;
    let settings = BootstrapSettings { confidence: CONFIDENCE, seed, resamples: RESAMPLES, kind };
    match pairing {
        Pairing::None => bootstrap(left, right, &settings),
        Pairing::Board => bootstrap_pairs(left, right, &settings),
    }
}

fn told(why: NoAnswer) -> String {
    why.0
}

fn difference(left: &[f64], right: &[f64], pairing: Pairing) -> Result<MeanDifference, NoAnswer> {
    match pairing {
        Pairing::None => welch(left, right, CONFIDENCE),
        Pairing::Board => paired(left, right, CONFIDENCE),
    }
}

/// How many boards it takes to see the smallest change that matters, or else one of the size that was seen.
fn needed(left: &[f64], right: &[f64], pairing: Pairing, smallest: Option<f64>) -> Result<Needed, String> {
    let few = || "one board on a side does not tell how far boards scatter".to_owned();
    let change = match smallest.filter(|smallest| *smallest > 0.0) {
        Some(smallest) => smallest,
        None => mean(right).ok_or_else(few)? - mean(left).ok_or_else(few)?,
    };
    let boards = match pairing {
        Pairing::None => {
            let deviations = (std_dev(left, 1).ok_or_else(few)?, std_dev(right, 1).ok_or_else(few)?);
            boards_needed(&Wanted { difference: change, deviations, alpha: ALPHA }, CHANCE)
        }
        Pairing::Board => {
            let changes: Vec<f64> = left.iter().zip(right).map(|(left, right)| right - left).collect();
            pairs_needed(change, std_dev(&changes, 1).ok_or_else(few)?, ALPHA, CHANCE)
        }
    };
    Ok(Needed { boards: boards.map_err(told)?, change })
}

/// The change at each matched place, with what its boards say of it.
#[must_use]
pub(super) fn of_points(matched: &Matched, resolution: Resolution, pairing: Pairing) -> Vec<PointChange> {
    let at = |boards: &[BoardScore], index: usize| -> Vec<f64> {
        boards.iter().filter_map(|board| board.values.get(index).copied()).collect()
    };
    let point = |(index, place): (usize, &super::cell::Place)| {
        let (left, right) = (at(&matched.before, index), at(&matched.after, index));
        let sure = settled((&left, &right), resolution, pairing)
            .and_then(|(left, right)| difference(&left, &right, pairing))
            .ok();
        Some(PointChange {
            place: *place,
            change: mean(&right)? - mean(&left)?,
            interval: sure.map(|sure| sure.estimate.into()),
            p: sure.map(|sure| sure.p),
            holm_p: None,
            screened_p: None,
        })
    };
    let mut points: Vec<PointChange> = matched.places.iter().enumerate().filter_map(point).collect();
    // Points without a p of their own take no part in the claim.
    let claimed: Vec<f64> = points.iter().filter_map(|point| point.p).collect();
    if let (Ok(claims), Ok(screened)) = (holm(&claimed), benjamini_hochberg(&claimed)) {
        let with_p = points.iter_mut().filter(|point| point.p.is_some());
        for (point, (claim, screened)) in with_p.zip(claims.into_iter().zip(screened)) {
            (point.holm_p, point.screened_p) = (Some(claim), Some(screened));
        }
    }
    points
}
