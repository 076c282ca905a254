//! Tables, properties, and simulations with fixed seeds: how often an interval holds the truth, how often a step is seen that
//! is none.

mod allan;
mod change;
mod drift;
mod projection;
mod reliability;
mod steady;
mod streams;

use super::Reading;

/// Splitmix64 with normal deviates by Box and Muller: enough for tests, and the same everywhere.
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn seeded(seed: u64) -> Self {
        // Far apart: seeds that follow one another must not give one stream, shifted.
        Self(
            (seed + 1)
                .wrapping_mul(0xd134_2543_de82_ef95)
                .rotate_left(29)
                .wrapping_mul(0xaf25_1af3_b0f0_25b5),
        )
    }
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
    /// Readings with unit variance that forget with a time constant in readings; 0 is white.
    pub(super) fn forgetting(&mut self, constant: f64, count: usize) -> Vec<f64> {
        let keep = if constant > 0.0 { (-1.0 / constant).exp() } else { 0.0 };
        let fresh = (1.0 - keep * keep).sqrt();
        let mut value = self.normal();
        (0..count)
            .map(|_| {
                value = keep * value + fresh * self.normal();
                value
            })
            .collect()
    }
}

/// One reading a second from time 0.
pub(super) fn each_second(values: impl IntoIterator<Item = f64>) -> Vec<Reading> {
    values.into_iter().enumerate().map(|(at, value)| Reading { at_s: at as f64, value }).collect()
}
