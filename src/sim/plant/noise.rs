//! Seeded noise. Each instrument draws from its own generator, so the order in which instruments are asked changes nothing.
//!
//! The generator is xoshiro256++ (Blackman and Vigna), filled by splitmix64; normal deviates by Box and Muller.

use crate::base::random::mix;

/// A seeded source of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Generator {
    state: [u64; 4],
}

/// A seed from a text (FNV-1a): the same serial number always means the same parts.
pub(crate) fn seed_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Generator {
    /// A generator for `seed`.
    pub(crate) fn seeded(seed: u64) -> Self {
        let word = |n: u64| mix(seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        Self { state: [word(1), word(2), word(3), word(4)] }
    }

    /// The next 64 random bits.
    #[inline]
    pub(crate) fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number in `[0, 1)`.
    #[inline]
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number in `[low, high)`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// A normal deviate with mean 0 and standard deviation 1.
    #[inline]
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_deviates_have_the_moments_they_should() {
        let mut generator = Generator::seeded(7);
        let values: Vec<f64> = (0..20_000).map(|_| generator.normal()).collect();
        let mean = values.iter().sum::<f64>() / 20_000.0;
        let variance = values.iter().map(|v| v * v).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_seed_others() {
        let first = |seed| Generator::seeded(seed).bits();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
        assert_ne!(seed_of("0007"), seed_of("0008"));
    }
}
