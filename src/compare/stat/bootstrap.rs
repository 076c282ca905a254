//! Bootstrap intervals of a difference of means. What is drawn is boards: a score is a board's mean over its points and
//! repeats, so a drawn board comes with all of them (a cluster bootstrap; Davison and Hinkley 1997, 3.8).
//!
//! The percentile interval is too narrow for few boards by about sqrt((n - 1)/n), and by using no Student's t. The expanded one
//! takes wider percentiles that make up for both (Hesterberg 2015, section 3.3); BCa (Efron 1987) corrects bias and skewness,
//! not the narrowness. The coverage table in `docs/comparison.md` says how often each holds the truth.

use super::means::welch_freedom;
use super::{Estimate, NoAnswer, changes, check_confidence, check_sides, overflow};
use crate::base::distribution::{normal_quantile, normal_tails, two_sided_t};
use crate::base::random::Random;
use crate::base::stats::{mean, quantile, std_dev};

/// Fewer boards than this on a side, and a bootstrap is not to be trusted.
const FEW: usize = 7;

/// Which interval is read off the draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootstrapKind {
    /// The plain percentiles.
    Percentile,
    /// Percentiles set wider for the small number of boards.
    Expanded,
    /// Bias-corrected and accelerated.
    Bca,
}

impl BootstrapKind {
    /// As it is told.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Percentile => "percentile",
            Self::Expanded => "expanded percentile",
            Self::Bca => "BCa",
        }
    }
}

/// What to draw and what to read off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapSettings {
    /// Level of the interval.
    pub confidence: f64,
    /// The same seed gives the same interval for ever.
    pub seed: u64,
    /// How often boards are drawn, 1000 at least.
    pub resamples: u32,
    /// Which interval.
    pub kind: BootstrapKind,
}

/// A bootstrap interval with what made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    /// The difference of means, after less before, with its interval.
    pub estimate: Estimate,
    /// What it was made with.
    pub settings: BootstrapSettings,
    /// Said with the interval where boards are few.
    pub warning: Option<String>,
}

/// Two groups of boards, each drawn from by itself.
///
/// # Errors
/// Fewer than two boards a side, no scatter, or fewer than 1000 draws.
pub fn bootstrap(before: &[f64], after: &[f64], settings: &BootstrapSettings) -> Result<Bootstrap, NoAnswer> {
    check_sides(before, after, 2)?;
    of_groups(&[(before, -1.0), (after, 1.0)], settings)
}

/// Boards measured both ways: whole boards are drawn, so a board's change stays its own.
///
/// # Errors
/// Boards on one side only, fewer than two, no scatter, or fewer than 1000 draws.
pub fn bootstrap_pairs(
    before: &[f64],
    after: &[f64],
    settings: &BootstrapSettings,
) -> Result<Bootstrap, NoAnswer> {
    of_groups(&[(&changes(before, after, 2)?, 1.0)], settings)
}

/// A group of boards and how its mean counts.
type Group<'a> = (&'a [f64], f64);

fn of_groups(groups: &[Group], settings: &BootstrapSettings) -> Result<Bootstrap, NoAnswer> {
    check_confidence(settings.confidence)?;
    if !(1000..=1_000_000).contains(&settings.resamples) {
        return Err(NoAnswer::because(format!(
            "{} draws are too few or too many: give 1000 to 1000000",
            settings.resamples
        )));
    }
    let whole = |group: &Group| mean(group.0).map(|mean| group.1 * mean);
    let value: f64 = groups.iter().map(whole).sum::<Option<f64>>().ok_or_else(overflow)?;
    let draws = drawn(groups, settings);
    let (first, last) = draws.first().zip(draws.last()).ok_or_else(overflow)?;
    if !(last - first).is_finite() {
        return Err(overflow());
    }
    if last - first <= 1e-14 * value.abs() {
        return Err(NoAnswer::because(
            "the boards do not differ among themselves: drawing them again tells nothing",
        ));
    }
    let alpha = 1.0 - settings.confidence;
    let (low, high) = match settings.kind {
        BootstrapKind::Percentile => (alpha / 2.0, 1.0 - alpha / 2.0),
        BootstrapKind::Expanded => expanded(groups, settings.confidence).ok_or_else(overflow)?,
        BootstrapKind::Bca => accelerated(groups, value, &draws, alpha).ok_or_else(|| {
            NoAnswer::because(
                "the draws all lie on one side of the difference: BCa has no correction for that",
            )
        })?,
    };
    let (low, high) = quantile(&draws, low).zip(quantile(&draws, high)).ok_or_else(overflow)?;
    let fewest = groups.iter().map(|(boards, _)| boards.len()).min().unwrap_or(0);
    let warning = (fewest < FEW).then(|| {
        format!("a bootstrap of {fewest} boards is coarse and holds the truth less often than it says: prefer Student's t")
    });
    let estimate = Estimate { value, low, high, confidence: settings.confidence };
    Ok(Bootstrap { estimate, settings: *settings, warning })
}

/// The drawn differences, in order.
fn drawn(groups: &[Group], settings: &BootstrapSettings) -> Vec<f64> {
    let mut random = Random::seeded(settings.seed);
    let mut draw = |(boards, counts): &Group| {
        let sum: f64 = (0..boards.len()).map(|_| boards[random.below(boards.len())]).sum();
        counts * sum / boards.len() as f64
    };
    let mut draws: Vec<f64> =
        (0..settings.resamples).map(|_| groups.iter().map(&mut draw).sum::<f64>()).collect();
    draws.sort_by(f64::total_cmp);
    draws
}

/// Wider percentiles: normal tails at Student's t, stretched by the true over the drawn standard error.
fn expanded(groups: &[Group], confidence: f64) -> Option<(f64, f64)> {
    let mut errors = Vec::new();
    let (mut honest, mut drawn): (f64, f64) = (0.0, 0.0);
    for (boards, _) in groups {
        let count = boards.len() as f64;
        errors.push((std_dev(boards, 1)? / count.sqrt(), boards.len()));
        honest = honest.hypot(std_dev(boards, 1)? / count.sqrt());
        drawn = drawn.hypot(std_dev(boards, 0)? / count.sqrt());
    }
    let freedom = match errors[..] {
        [before, after] => welch_freedom(before, after),
        _ => errors.first()?.1 as f64 - 1.0,
    };
    let (below, _) = normal_tails(-two_sided_t(confidence, freedom)? * honest / drawn)?;
    Some((below, 1.0 - below))
}

/// BCa's percentiles, with the acceleration by leaving out one board at a time.
fn accelerated(groups: &[Group], value: f64, draws: &[f64], alpha: f64) -> Option<(f64, f64)> {
    // Draws at the value itself count half, as boards drawn again give many.
    let same = 1e-12 * (draws.last()? - draws.first()?);
    let below = draws.iter().filter(|draw| **draw < value - same).count();
    let at = draws.iter().filter(|draw| (**draw - value).abs() <= same).count();
    let bias = normal_quantile((below as f64 + at as f64 / 2.0) / draws.len() as f64)?;
    let (mut cubes, mut squares) = (0.0, 0.0);
    for (boards, counts) in groups {
        let center = mean(boards)?;
        for board in *boards {
            // (n - 1) times what leaving the board out changes is its distance from the mean.
            let influence = counts * (board - center);
            cubes += influence.powi(3) / (boards.len() as f64).powi(3);
            squares += influence.powi(2) / (boards.len() as f64).powi(2);
        }
    }
    let acceleration = cubes / (6.0 * squares.powf(1.5));
    let edge = |z: f64| {
        let moved = bias + z;
        normal_tails(bias + moved / (1.0 - acceleration * moved)).map(|tails| tails.0)
    };
    let z = normal_quantile(alpha / 2.0)?;
    edge(z).zip(edge(-z))
}
