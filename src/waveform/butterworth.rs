//! Butterworth low-passes by the bilinear transform with pre-warping, in strips side by side: those of the 20 MHz figures (S4)
//! and the one that runs both ways (R4).

use super::Unavailable;
use super::strips::{Row, STRIPS, Tile};
use std::f64::consts::PI;

/// Two poles and two zeros, or one of each, transposed direct form II.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Section {
    /// Weights of the present input and of the two before it.
    feed: [f64; 3],
    /// Weights of the two previous outputs.
    back: [f64; 2],
    state: [Row; 2],
}

impl Section {
    #[inline(always)]
    fn run<'a>(&mut self, rows: impl Iterator<Item = &'a mut Row>) {
        let (feed, back) = (self.feed, self.back);
        let [mut first, mut second] = self.state;
        for row in rows {
            for strip in 0..STRIPS {
                let input = row[strip];
                let output = feed[0] * input + first[strip];
                first[strip] = feed[1] * input - back[0] * output + second[strip];
                second[strip] = feed[2] * input - back[1] * output;
                row[strip] = output;
            }
        }
        self.state = [first, second];
    }
}

/// A Butterworth low-pass in sections; the transfer function of `scipy.signal.butter(order, corner, fs=rate, output="sos")`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LowPass {
    sections: Vec<Section>,
    /// Samples in which the slowest pole forgets by a factor e.
    memory: f64,
}

impl LowPass {
    /// What lets everything pass.
    pub(super) fn none() -> Self {
        Self { sections: Vec::new(), memory: 0.0 }
    }

    /// A filter of one pole, or of an even count, at rest.
    ///
    /// # Errors
    /// The corner is not below half the sample rate.
    pub(super) fn new(order: usize, corner_hz: f64, rate_hz: f64) -> Result<Self, Unavailable> {
        let ratio = corner_hz / rate_hz;
        if !(ratio > 0.0 && ratio < 0.5) {
            return Err(Unavailable::because(format!(
                "a {:.0} MHz low-pass needs more than {:.0} MSa/s, the record has {:.3} MSa/s",
                corner_hz / 1e6,
                corner_hz / 5e5,
                rate_hz / 1e6
            )));
        }
        // Pre-warped: the corner lies at `corner_hz` exactly, however near it is to half the sample rate.
        let warped = (PI * ratio).tan();
        let state = [[0.0; STRIPS]; 2];
        if order == 1 {
            let (feed, back) = (warped / (1.0 + warped), (1.0 - warped) / (1.0 + warped));
            let section = Section { feed: [feed, feed, 0.0], back: [-back, 0.0], state };
            return Ok(Self { sections: vec![section], memory: -1.0 / back.abs().max(1e-6).ln() });
        }
        let pairs = order.div_ceil(2).max(1);
        let mut slowest = 0.0_f64;
        let sections = (0..pairs)
            .map(|pair| {
                let damping = 2.0 * (PI * (2 * pair + 1) as f64 / (4 * pairs) as f64).sin();
                let norm = 1.0 / (1.0 + warped * damping + warped * warped);
                let back =
                    [2.0 * (warped * warped - 1.0) * norm, (1.0 - warped * damping + warped * warped) * norm];
                // The poles are a conjugate pair (damping is under 2): their product is their radius squared.
                slowest = slowest.max(back[1].abs().sqrt());
                let feed = warped * warped * norm;
                Section { feed: [feed, 2.0 * feed, feed], back, state }
            })
            .collect();
        Ok(Self { sections, memory: -1.0 / slowest.max(1e-6).ln() })
    }

    /// Sets the state that an input of these levels since ever leaves.
    pub(super) fn settle_at(&mut self, levels: &Row) {
        for section in &mut self.sections {
            for (strip, level) in levels.iter().enumerate() {
                section.state[0][strip] = (1.0 - section.feed[0]) * level;
                section.state[1][strip] = (section.feed[2] - section.back[1]) * level;
            }
        }
    }

    /// Samples after which nothing is left of what was before: forty times the memory is a factor of 4e-18.
    pub(super) fn forgotten(&self) -> usize {
        (40.0 * self.memory).ceil() as usize
    }

    /// Puts the answer in the place of each row.
    #[inline(always)]
    pub(super) fn run(&mut self, tile: &mut Tile) {
        for section in &mut self.sections {
            section.run(tile.iter_mut());
        }
    }

    /// As [`LowPass::run`], from the last row to the first.
    #[inline(always)]
    pub(super) fn run_back(&mut self, tile: &mut Tile) {
        for section in &mut self.sections {
            section.run(tile.iter_mut().rev());
        }
    }
}

#[cfg(test)]
impl LowPass {
    /// The answers to one sample after the other.
    pub(super) fn answer(&mut self, input: &[f64]) -> Vec<f64> {
        let mut answers = Vec::with_capacity(input.len());
        for stretch in input.chunks(super::strips::ROWS) {
            let mut tile: Tile = [[0.0; STRIPS]; super::strips::ROWS];
            tile.iter_mut().zip(stretch).for_each(|(row, value)| row[0] = *value);
            self.run(&mut tile);
            answers.extend(tile[..stretch.len()].iter().map(|row| row[0]));
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::LIMIT_HZ;
    use super::*;
    use std::f64::consts::TAU;

    fn gain(order: usize, hz: f64) -> f64 {
        let sine: Vec<f64> = (0..20_480).map(|n| (TAU * hz * f64::from(n) / 100e6).sin()).collect();
        let answer = LowPass::new(order, LIMIT_HZ, 100e6).unwrap().answer(&sine);
        (2.0 * answer[10_480..].iter().map(|value| value * value).sum::<f64>() / 10_000.0).sqrt()
    }

    #[test]
    fn every_order_takes_three_decibels_at_the_corner_and_falls_as_steeply_as_it_should() {
        for order in [1, 2, 4] {
            assert!((gain(order, 20e6) - 0.5_f64.sqrt()).abs() < 1e-3, "{order}");
            assert!((gain(order, 122e3) - 1.0).abs() < 1e-3, "{order}");
            // |H|^2 = 1 / (1 + (tan(pi f/fs) / tan(pi fc/fs))^2K), pre-warped.
            let ratio = (PI * 0.33_f64).tan() / (PI * 0.2_f64).tan();
            let truth = (1.0 / (1.0 + ratio.powi(2 * order as i32))).sqrt();
            assert!((gain(order, 33e6) / truth - 1.0).abs() < 1e-3, "{order}");
        }
    }

    #[test]
    fn a_spike_that_rings_at_17_megahertz_loses_only_about_a_fifth() {
        let kept = gain(1, 17e6);
        assert!((0.7..0.85).contains(&kept), "{kept}");
    }

    #[test]
    fn a_settled_filter_answers_its_level_at_once() {
        for order in [1, 2, 4] {
            let mut filter = LowPass::new(order, 1e6, 100e6).unwrap();
            filter.settle_at(&[5.0; STRIPS]);
            assert!(filter.answer(&[5.0; 300]).iter().all(|value| (value - 5.0).abs() < 1e-12), "{order}");
        }
    }

    #[test]
    fn a_slow_record_cannot_carry_the_filter() {
        insta::assert_snapshot!(LowPass::new(1, 20e6, 25e6).unwrap_err(),
            @"a 20 MHz low-pass needs more than 40 MSa/s, the record has 25.000 MSa/s");
        assert!(LowPass::new(4, 20e6, f64::NAN).is_err());
    }
}
