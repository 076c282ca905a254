//! Butterworth low-passes by the bilinear transform with pre-warping, in strips side by side: those of the 20 MHz figures (S4)
//! and the one that runs both ways (R4).

use super::Unavailable;
use super::strips::{Number, Row, STRIPS, Tile};
use std::f64::consts::PI;

/// The zeros of a section: one or two, all at half the sample rate, where nothing passes. They cost additions only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Zeros<T> {
    /// The input before, and the sum of it and of that before it.
    past: [Row<T>; 2],
}

impl<T: Number> Zeros<T> {
    pub(super) fn at_rest() -> Self {
        Self { past: [[T::default(); STRIPS]; 2] }
    }

    /// The answers of one zero and of two.
    #[inline(always)]
    pub(super) fn pass(&mut self, input: &Row<T>) -> (Row<T>, Row<T>) {
        let (mut one, mut two) = (*input, *input);
        for strip in 0..STRIPS {
            one[strip] = input[strip] + self.past[0][strip];
            two[strip] = one[strip] + self.past[1][strip];
        }
        self.past = [*input, one];
        (one, two)
    }
}

/// The poles of a section: one or two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Poles<T> {
    /// Weights of the two previous outputs.
    back: [T; 2],
    past: [Row<T>; 2],
}

impl<T: Number> Poles<T> {
    fn at_rest(back: [f64; 2]) -> Self {
        Self { back: back.map(T::nearest), past: [[T::default(); STRIPS]; 2] }
    }

    /// How many times a direct level stands behind these poles and as many zeros.
    fn level_gain(&self, is_single: bool) -> f64 {
        let [first, second] = self.back.map(Into::into);
        if is_single { 2.0 / (1.0 + first) } else { 4.0 / (1.0 + first + second) }
    }

    /// The answer of two poles.
    #[inline(always)]
    pub(super) fn pass(&mut self, input: &Row<T>) -> Row<T> {
        let mut output = *input;
        let [first, second] = self.back;
        for strip in 0..STRIPS {
            // The latest output comes last: the next row waits for it.
            output[strip] = (input[strip] - second * self.past[1][strip]) - first * self.past[0][strip];
        }
        self.past = [output, self.past[0]];
        output
    }

    /// The answer of one pole.
    #[inline(always)]
    pub(super) fn pass_one(&mut self, input: &Row<T>) -> Row<T> {
        let mut output = *input;
        for strip in 0..STRIPS {
            output[strip] = input[strip] - self.back[0] * self.past[0][strip];
        }
        self.past[0] = output;
        output
    }
}

/// A Butterworth low-pass; the transfer function of `scipy.signal.butter(order, corner, fs=rate, output="sos")` but for its gain:
/// what comes out is still to be multiplied by it, at once where only extremes and sums are wanted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LowPass<T> {
    /// Sections of one pole and zero each, or of two.
    pub(super) sections: Vec<(Zeros<T>, Poles<T>)>,
    is_single: bool,
    /// By what the output is to be multiplied.
    pub(super) gain: f64,
    /// Samples in which the slowest pole forgets by a factor e.
    memory: f64,
}

impl<T: Number> LowPass<T> {
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
        if order == 1 {
            let back = (1.0 - warped) / (1.0 + warped);
            let sections = vec![(Zeros::at_rest(), Poles::at_rest([-back, 0.0]))];
            return Ok(Self::of(sections, true, -1.0 / back.abs().max(1e-6).ln()));
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
                (Zeros::at_rest(), Poles::at_rest(back))
            })
            .collect();
        Ok(Self::of(sections, false, -1.0 / slowest.max(1e-6).ln()))
    }

    /// A direct level passes as it is by the very weights of the poles, rounded as they are.
    fn of(sections: Vec<(Zeros<T>, Poles<T>)>, is_single: bool, memory: f64) -> Self {
        let gain = sections.iter().map(|(_, poles)| 1.0 / poles.level_gain(is_single)).product();
        Self { sections, is_single, gain, memory }
    }

    /// Sets the state that an input of these levels since ever leaves.
    pub(super) fn settle_at(&mut self, levels: &Row<T>) {
        let mut levels = *levels;
        for (zeros, poles) in &mut self.sections {
            zeros.past = [levels, levels.map(|level| level + level)];
            let gain = poles.level_gain(self.is_single);
            levels = levels.map(|level| T::nearest(level.into() * gain));
            poles.past = [levels; 2];
        }
    }

    /// Samples after which nothing is left of what was before.
    pub(super) fn forgotten(&self) -> usize {
        (-T::NOTHING.ln() * self.memory).ceil() as usize
    }

    /// Puts the answer in the place of each row.
    #[inline(always)]
    pub(super) fn run(&mut self, tile: &mut Tile<T>) {
        for section in &mut self.sections {
            let (mut zeros, mut poles) = *section;
            for row in tile.iter_mut() {
                let (one, two) = zeros.pass(row);
                *row = if self.is_single { poles.pass_one(&one) } else { poles.pass(&two) };
            }
            *section = (zeros, poles);
        }
    }

    /// As [`LowPass::run`] of two poles or more, from the last row to the first.
    #[inline(always)]
    pub(super) fn run_back(&mut self, tile: &mut Tile<T>) {
        for section in &mut self.sections {
            let (mut zeros, mut poles) = *section;
            for row in tile.iter_mut().rev() {
                *row = poles.pass(&zeros.pass(row).1);
            }
            *section = (zeros, poles);
        }
    }
}

#[cfg(test)]
impl LowPass<f64> {
    /// The answers to one sample after the other.
    pub(super) fn answer(&mut self, input: &[f64]) -> Vec<f64> {
        let mut answers = Vec::with_capacity(input.len());
        for stretch in input.chunks(super::strips::ROWS) {
            let mut tile: Tile<f64> = [[0.0; STRIPS]; super::strips::ROWS];
            tile.iter_mut().zip(stretch).for_each(|(row, value)| row[0] = *value);
            self.run(&mut tile);
            answers.extend(tile[..stretch.len()].iter().map(|row| row[0] * self.gain));
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
        let answer = LowPass::<f64>::new(order, LIMIT_HZ, 100e6).unwrap().answer(&sine);
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
            let mut filter = LowPass::<f64>::new(order, 1e6, 100e6).unwrap();
            filter.settle_at(&[5.0; STRIPS]);
            assert!(filter.answer(&[5.0; 300]).iter().all(|value| (value - 5.0).abs() < 1e-12), "{order}");
        }
    }

    #[test]
    fn a_slow_record_cannot_carry_the_filter() {
        insta::assert_snapshot!(LowPass::<f64>::new(1, 20e6, 25e6).unwrap_err(),
            @"a 20 MHz low-pass needs more than 40 MSa/s, the record has 25.000 MSa/s");
        assert!(LowPass::<f32>::new(4, 20e6, f64::NAN).is_err());
    }
}
