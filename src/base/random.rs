//! The seeded generator of all that is drawn by chance outside the simulated plant: a seed gives the same draws for ever, on
//! every machine, which no crate promises.

/// One step of `SplitMix64` (Steele, Lea, Flood 2014): a well mixed number for any counter.
#[must_use]
pub fn mix(counter: u64) -> u64 {
    let mut mixed = counter.wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// `SplitMix64`: small, and good enough to draw boards, orders and faults.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The draws of `seed`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let drawn = mix(self.0);
        self.0 = self.0.wrapping_add(STEP);
        drawn
    }

    /// Between 0 and 1, 1 excluded.
    pub fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Whether something of this chance happens; what never happens draws nothing.
    pub fn happens(&mut self, chance: f64) -> bool {
        chance > 0.0 && self.fraction() < chance
    }

    /// One of the numbers below `end`; 0 for an end of 0. The remainder is biased by less than `end` in 2^64.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % (end as u64).max(1)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_draws_of_the_published_generator() {
        // The first outputs for seed 1234567 of the authors' reference program.
        let mut random = Random::seeded(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| random.bits()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }
}
