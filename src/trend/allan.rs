//! Overlapping Allan deviation of readings at even spacing (NIST Special Publication 1065, W. Riley, 2008).
//!
//! The readings stand where SP 1065 has fractional frequency: sigma^2(m tau0) is half the mean of the squared differences of
//! neighbouring averages of m readings, over every place where both fit. One pass over running sums for each averaging time.

use super::means::Grid;
use super::{Estimate, NoAnswer, check_confidence};
use crate::base::distribution::chi_square_quantile;

/// Both averages of a difference need this part of their readings; else the difference is left out.
pub const LEAST_PART: f64 = 0.9;

/// Which averaging times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Averaging {
    /// 1, 2, 4, 8 … readings.
    Octave,
    /// 1, 2, 5, 10, 20, 50 … readings.
    OneTwoFive,
}

/// The Allan deviation at one averaging time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AllanPoint {
    /// Averaging time in seconds.
    pub tau_s: f64,
    /// How many readings are averaged.
    pub averaged: usize,
    /// The deviation in the readings' unit.
    pub deviation: Estimate,
    /// Equivalent degrees of freedom of its square.
    pub freedom: f64,
    /// How many differences it is made of.
    pub differences: usize,
}

/// The deviation at every averaging time up to a third of the readings.
///
/// # Errors
/// Fewer than eight readings, or a confidence that is none.
pub fn allan(grid: &Grid, averaging: Averaging, confidence: f64) -> Result<Vec<AllanPoint>, NoAnswer> {
    check_confidence(confidence)?;
    let sums = Sums::of(grid);
    let there = sums.counts.last().copied().unwrap_or(0);
    if there < 8 {
        return Err(NoAnswer::because(format!("an Allan deviation needs eight readings, there are {there}")));
    }
    let points = times(averaging, grid.values.len() / 3)
        .into_iter()
        .filter_map(|averaged| point(grid, &sums, averaged, confidence))
        .collect();
    Ok(points)
}

fn times(averaging: Averaging, longest: usize) -> Vec<usize> {
    let mut times = Vec::new();
    let mut decade = 1usize;
    while decade <= longest {
        let (steps, next): (&[usize], usize) = match averaging {
            Averaging::Octave => (&[1], 2),
            Averaging::OneTwoFive => (&[1, 2, 5], 10),
        };
        times.extend(steps.iter().map(|step| decade * step).filter(|time| *time <= longest));
        decade *= next;
    }
    times
}

/// Running sums of the values (less their mean, so that nothing is lost) and of how many there are.
struct Sums {
    values: Vec<f64>,
    counts: Vec<u32>,
}

impl Sums {
    fn of(grid: &Grid) -> Self {
        let there = || grid.values.iter().filter(|value| value.is_finite());
        let first = there().next().copied().unwrap_or(0.0);
        let mean = first + there().map(|value| value - first).sum::<f64>() / there().count().max(1) as f64;
        let (mut sum, mut count) = (0.0, 0u32);
        let (mut values, mut counts) = (vec![0.0], vec![0]);
        for value in &grid.values {
            if value.is_finite() {
                sum += value - mean;
                count += 1;
            }
            values.push(sum);
            counts.push(count);
        }
        Self { values, counts }
    }
}

fn point(grid: &Grid, sums: &Sums, averaged: usize, confidence: f64) -> Option<AllanPoint> {
    let places = grid.values.len();
    let possible = (places + 1).checked_sub(2 * averaged).filter(|possible| *possible > 0)?;
    let least = ((LEAST_PART * averaged as f64).ceil() as u32).max(1);
    let (mut squares, mut differences) = (0.0, 0usize);
    for place in 0..possible {
        let (middle, end) = (place + averaged, place + 2 * averaged);
        let counts = (sums.counts[middle] - sums.counts[place], sums.counts[end] - sums.counts[middle]);
        if counts.0 >= least && counts.1 >= least {
            let before = (sums.values[middle] - sums.values[place]) / f64::from(counts.0);
            let after = (sums.values[end] - sums.values[middle]) / f64::from(counts.1);
            squares += (after - before).powi(2);
            differences += 1;
        }
    }
    let kept = differences as f64 / possible as f64;
    let freedom = degrees_of_freedom(places, averaged) * kept;
    let variance = squares / (2.0 * differences as f64);
    let (low, high) =
        (chi_square_quantile(f64::midpoint(1.0, confidence), freedom)?, tail(confidence, freedom)?);
    let at = |quantile: f64| (variance * freedom / quantile).sqrt();
    let deviation = Estimate { value: variance.sqrt(), low: at(low), high: at(high), confidence };
    let tau_s = averaged as f64 * grid.spacing_s;
    (differences > 0).then_some(AllanPoint { tau_s, averaged, deviation, freedom, differences })
}

fn tail(confidence: f64, freedom: f64) -> Option<f64> {
    chi_square_quantile((1.0 - confidence) / 2.0, freedom).filter(|quantile| *quantile > 0.0)
}

/// Equivalent degrees of freedom of the overlapping Allan variance: the least of what white, flicker and random-walk noise have
/// (the simple formulas of Howe, Allan and Barnes 1981 that SP 1065 repeats for white, flicker and random walk FM), so that the
/// interval is never too narrow for having guessed the kind of noise wrong.
fn degrees_of_freedom(readings: usize, averaged: usize) -> f64 {
    let (n, m) = (readings as f64 + 1.0, averaged as f64);
    let white = (3.0 * (n - 1.0) / (2.0 * m) - 2.0 * (n - 2.0) / n) * 4.0 * m * m / (4.0 * m * m + 5.0);
    let flicker = if averaged == 1 {
        2.0 * (n - 2.0).powi(2) / (2.3 * n - 4.9)
    } else {
        5.0 * n * n / (4.0 * m * (n + 3.0 * m))
    };
    let walk = (n - 2.0) / m * ((n - 1.0).powi(2) - 3.0 * m * (n - 1.0) + 4.0 * m * m) / (n - 3.0).powi(2);
    white.min(flicker).min(walk).max(0.5)
}
