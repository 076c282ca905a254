//! Values of scipy, properties, and simulations with a fixed seed: how often intervals hold the truth.

mod coverage;
mod properties;
mod tables;

use super::BoardRun;
use crate::base::random::Random;

/// Normal board scores by Box and Muller.
pub(super) fn normal(random: &mut Random, count: usize, mean: f64, deviation: f64) -> Vec<f64> {
    let mut one = || {
        let radius = (-2.0 * (1.0 - random.fraction()).ln()).sqrt();
        mean + deviation * radius * (std::f64::consts::TAU * random.fraction()).cos()
    };
    (0..count).map(|_| one()).collect()
}

/// A run a letter, each of another board, in this order: `A` before, `B` after.
fn in_order(sides: &str, score: impl Fn(usize, bool) -> f64) -> Vec<BoardRun> {
    let run = |(at, side): (usize, char)| {
        let is_after = side == 'B';
        BoardRun { board: at as u32, is_after, position: at as f64, score: score(at, is_after) }
    };
    sides.chars().enumerate().map(run).collect()
}
