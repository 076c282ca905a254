//! Butterworth low-passes of even order: the other orders of the 20 MHz figures (S4), and the 1 MHz low-pass that runs
//! forward and backward and so delays nothing (R4).

use super::filter::{LIMIT_HZ, Limited, SETTLING_S};
use super::{Unavailable, Waveform};
use std::f64::consts::PI;

/// Samples filtered at a time.
const BLOCK: usize = 32_768;

/// Two poles and two zeros, transposed direct form II.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Section {
    /// Weight of the present input and of the one before the previous; the previous one counts twice.
    feed: f64,
    /// Weights of the two previous outputs.
    back: [f64; 2],
    state: [f64; 2],
}

impl Section {
    fn step(&mut self, input: f64) -> f64 {
        let fed = self.feed * input;
        let output = fed + self.state[0];
        self.state[0] = 2.0 * fed - self.back[0] * output + self.state[1];
        self.state[1] = fed - self.back[1] * output;
        output
    }

    /// Sets the state that an input of `level` since ever leaves.
    fn settle_at(&mut self, level: f64) {
        self.state = [(1.0 - self.feed) * level, (self.feed - self.back[1]) * level];
    }
}

/// A Butterworth low-pass of even order in sections of two poles, by the bilinear transform with pre-warping; the transfer
/// function of `scipy.signal.butter(order, corner, fs=rate, output="sos")`.
#[derive(Debug, Clone, PartialEq)]
pub struct LowPass {
    sections: Vec<Section>,
    /// Samples in which the slowest pole forgets by a factor e.
    memory: f64,
}

impl LowPass {
    /// A filter of `order` poles (an odd count is taken one higher) at rest.
    ///
    /// # Errors
    /// The corner is not below half the sample rate.
    pub fn new(order: usize, corner_hz: f64, rate_hz: f64) -> Result<Self, Unavailable> {
        let ratio = corner_hz / rate_hz;
        if !(ratio > 0.0 && ratio < 0.5) {
            return Err(Unavailable::because(format!(
                "a {:.0} MHz low-pass needs more than {:.0} MSa/s, the record has {:.3} MSa/s",
                corner_hz / 1e6,
                corner_hz / 5e5,
                rate_hz / 1e6
            )));
        }
        let warped = (PI * ratio).tan();
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
                Section { feed: warped * warped * norm, back, state: [0.0; 2] }
            })
            .collect();
        Ok(Self { sections, memory: -1.0 / slowest.max(1e-6).ln() })
    }

    /// The answer to the next sample.
    pub fn step(&mut self, input: f64) -> f64 {
        self.sections.iter_mut().fold(input, |value, section| section.step(value))
    }

    /// Sets the state that an input of `level` since ever leaves.
    pub fn settle_at(&mut self, level: f64) {
        self.sections.iter_mut().for_each(|section| section.settle_at(level));
    }

    /// Samples after which nothing is left of what was before: forty times the memory is a factor of 4e-18.
    fn forgotten(&self) -> usize {
        (40.0 * self.memory).ceil() as usize
    }
}

/// Highest, lowest and spread of values that lie about zero.
struct Extent {
    low: f64,
    high: f64,
    sum: f64,
    squares: f64,
    count: f64,
}

impl Extent {
    const NONE: Self =
        Self { low: f64::INFINITY, high: f64::NEG_INFINITY, sum: 0.0, squares: 0.0, count: 0.0 };

    fn add(&mut self, value: f64) {
        (self.low, self.high) = (self.low.min(value), self.high.max(value));
        self.sum += value;
        self.squares += value * value;
        self.count += 1.0;
    }

    fn limited(&self) -> Limited {
        let mean = self.sum / self.count;
        Limited {
            pp_v: Ok(self.high - self.low),
            rms_v: Ok((self.squares / self.count - mean * mean).max(0.0).sqrt()),
        }
    }
}

/// S4 with two and with four poles: peak to peak and rms behind a Butterworth low-pass at 20 MHz, causal, from rest, of the
/// record less its mean; the first microsecond is dropped.
#[must_use]
pub fn measure_limited_orders(waveform: &Waveform, mean_v: f64) -> [Limited; 2] {
    let none = |reason: Unavailable| Limited { pp_v: Err(reason.clone()), rms_v: Err(reason) };
    match limit_orders(waveform, mean_v) {
        Ok(extents) => extents.map(|extent| extent.limited()),
        Err(reason) => [none(reason.clone()), none(reason)],
    }
}

fn limit_orders(waveform: &Waveform, mean_v: f64) -> Result<[Extent; 2], Unavailable> {
    let rate_hz = waveform.check_readable()?;
    if waveform.acquisition.bandwidth_limit_hz.is_some_and(|corner| corner <= LIMIT_HZ) {
        return Err(Unavailable::because(
            "the scope's own limiter has shaped the record: there is one 20 MHz figure, not one an order",
        ));
    }
    let dropped = (SETTLING_S * rate_hz).round() as usize;
    let count = waveform.codes.len();
    if count < dropped + 2 {
        return Err(Unavailable::because(format!(
            "the record has {count} samples, fewer than the filter's settling time of 1 µs and two more"
        )));
    }
    let mut two = LowPass::new(2, LIMIT_HZ, rate_hz)?;
    let mut four = LowPass::new(4, LIMIT_HZ, rate_hz)?;
    let mut extents = [Extent::NONE, Extent::NONE];
    let mut block = vec![0.0; BLOCK];
    for from in (0..count).step_by(BLOCK) {
        let read = waveform.read_block(from, &mut block);
        for (index, volts) in block[..read].iter().enumerate() {
            let input = volts - mean_v;
            let (soft, steep) = (two.step(input), four.step(input));
            if from + index >= dropped {
                extents[0].add(soft);
                extents[1].add(steep);
            }
        }
    }
    Ok(extents)
}

/// Corner of the low-pass of R4, in Hz.
pub const RIPPLE_LIMIT_HZ: f64 = 1e6;

/// Poles of the low-pass of R4, in each direction.
const RIPPLE_ORDER: usize = 4;

/// Samples added at each end, the record turned about its end sample: three times the coefficients of the filter, as
/// `scipy.signal.sosfiltfilt` does it.
const PADDING: usize = 3 * (RIPPLE_ORDER + 1);

/// R4: median over the cycles between `rising` edges of each cycle's peak to peak behind a fourth-order Butterworth low-pass
/// at 1 MHz that runs forward and backward, in volts. Spikes leave a residue in it: it is no ripple without spikes.
///
/// # Errors
/// The record is unreadable or too slow, is shorter than the padding, or holds no whole cycle.
pub fn measure_low_passed_ripple(vout: &Waveform, rising: &[f64]) -> Result<f64, Unavailable> {
    let bounds: Vec<usize> = rising.iter().map(|edge| edge.max(0.0).ceil() as usize).collect();
    let mut cycle = 0;
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut spans = Vec::with_capacity(bounds.len());
    run_both_ways(vout, |index, value| {
        while bounds.get(cycle + 1).is_some_and(|end| *end <= index) {
            if high >= low {
                spans.push(high - low);
            }
            (low, high) = (f64::INFINITY, f64::NEG_INFINITY);
            cycle += 1;
        }
        if cycle + 1 < bounds.len() && index >= bounds[cycle] {
            (low, high) = (low.min(value), high.max(value));
        }
    })?;
    crate::base::stats::median(&spans)
        .ok_or_else(|| Unavailable::because("no whole switching cycle in the record"))
}

/// Runs the low-pass of R4 forward and backward over the record and gives each sample in turn, with its index. Works in
/// blocks: backward over a block it starts so far behind the block's end that nothing of its start is left.
fn run_both_ways(vout: &Waveform, mut give: impl FnMut(usize, f64)) -> Result<(), Unavailable> {
    let rate_hz = vout.check_readable()?;
    let mut forward = LowPass::new(RIPPLE_ORDER, RIPPLE_LIMIT_HZ, rate_hz)?;
    let count = vout.codes.len();
    if count <= PADDING {
        return Err(Unavailable::because(format!(
            "the record has {count} samples, the low-pass needs more than {PADDING}"
        )));
    }
    let mut backward = forward.clone();
    let ahead = forward.forgotten();
    let length = BLOCK.max(4 * ahead);
    let mut padded = Padded::new(vout);
    forward.settle_at(padded.first());
    let total = count + 2 * PADDING;
    let mut passed: Vec<f64> = Vec::with_capacity(length + ahead);
    let mut out = vec![0.0; length];
    let mut from = 0;
    while from < total {
        let end = (from + length + ahead).min(total);
        while from + passed.len() < end {
            passed.push(forward.step(padded.next()));
        }
        backward.settle_at(passed.last().copied().unwrap_or(0.0));
        let kept = length.min(total - from);
        for (index, value) in passed.iter().enumerate().rev() {
            let output = backward.step(*value);
            if let Some(place) = out.get_mut(index) {
                *place = output;
            }
        }
        for (index, value) in out[..kept].iter().enumerate() {
            let position = from + index;
            if (PADDING..count + PADDING).contains(&position) {
                give(position - PADDING, *value);
            }
        }
        passed.drain(..kept);
        from += kept;
    }
    Ok(())
}

/// The record with its ends turned about the end samples, one sample after the other.
struct Padded<'a> {
    vout: &'a Waveform,
    head: Vec<f64>,
    tail: Vec<f64>,
    position: usize,
    block: Vec<f64>,
    block_from: usize,
}

impl<'a> Padded<'a> {
    fn new(vout: &'a Waveform) -> Self {
        let mut ends = [0.0; PADDING + 1];
        vout.read_block(0, &mut ends);
        let head = ends[1..].iter().rev().map(|value| 2.0 * ends[0] - value).collect();
        vout.read_block(vout.codes.len().saturating_sub(PADDING + 1), &mut ends);
        let tail = ends[..PADDING].iter().rev().map(|value| 2.0 * ends[PADDING] - value).collect();
        Self { vout, head, tail, position: 0, block: vec![0.0; BLOCK], block_from: usize::MAX }
    }

    fn first(&self) -> f64 {
        self.head.first().copied().unwrap_or(0.0)
    }

    fn next(&mut self) -> f64 {
        let position = self.position;
        self.position += 1;
        if let Some(value) = self.head.get(position) {
            return *value;
        }
        let index = position - PADDING;
        if let Some(beyond) = index.checked_sub(self.vout.codes.len()) {
            return self.tail.get(beyond).copied().unwrap_or(0.0);
        }
        let from = index - index % BLOCK;
        if from != self.block_from {
            self.vout.read_block(from, &mut self.block);
            self.block_from = from;
        }
        self.block[index - from]
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::made::{Dice, trace};
    use super::*;
    use std::f64::consts::TAU;

    fn gain(order: usize, hz: f64) -> f64 {
        let mut filter = LowPass::new(order, LIMIT_HZ, 100e6).unwrap();
        let mut sum = 0.0;
        for index in 0..20_000 {
            let answer = filter.step((TAU * hz * f64::from(index) / 100e6).sin());
            if index >= 10_000 {
                sum += answer * answer;
            }
        }
        (2.0 * sum / 10_000.0_f64).sqrt()
    }

    #[test]
    fn every_order_takes_three_decibels_at_the_corner_and_falls_as_steeply_as_it_should() {
        for order in [2, 4] {
            assert!((gain(order, 20e6) - 0.5_f64.sqrt()).abs() < 1e-3);
            // |H|^2 = 1 / (1 + (tan(pi f/fs) / tan(pi fc/fs))^2K), pre-warped.
            let ratio = (PI * 0.33_f64).tan() / (PI * 0.2_f64).tan();
            let truth = (1.0 / (1.0 + ratio.powi(2 * order as i32))).sqrt();
            assert!((gain(order, 33e6) / truth - 1.0).abs() < 1e-3, "{order}");
        }
    }

    #[test]
    fn all_orders_agree_on_what_lies_far_below_the_corner() {
        let vout = trace((0..50_000).map(|n| 5.0 + 0.01 * (TAU * 100e3 * f64::from(n) / 100e6).sin()), 100e6);
        for limited in measure_limited_orders(&vout, 5.0) {
            assert!((limited.pp_v.unwrap() - 0.02).abs() < 1e-5);
            assert!((limited.rms_v.unwrap() - 0.01 / 2.0_f64.sqrt()).abs() < 1e-5);
        }
    }

    #[test]
    fn a_record_that_the_scope_limited_has_no_orders() {
        let mut vout = trace((0..5_000).map(f64::from), 100e6);
        vout.acquisition.bandwidth_limit_hz = Some(20e6);
        let [two, _] = measure_limited_orders(&vout, 0.0);
        assert!(two.pp_v.unwrap_err().0.contains("own limiter"));
    }

    /// The definition of `sosfiltfilt`, written out over the whole padded record.
    fn both_ways(volts: &[f64], rate_hz: f64) -> Vec<f64> {
        let last = volts.len() - 1;
        let mut padded: Vec<f64> = (1..=PADDING).rev().map(|n| 2.0 * volts[0] - volts[n]).collect();
        padded.extend(volts);
        padded.extend((1..=PADDING).map(|n| 2.0 * volts[last] - volts[last - n]));
        for _ in 0..2 {
            let mut filter = LowPass::new(RIPPLE_ORDER, RIPPLE_LIMIT_HZ, rate_hz).unwrap();
            filter.settle_at(padded[0]);
            padded.iter_mut().for_each(|value| *value = filter.step(*value));
            padded.reverse();
        }
        padded[PADDING..PADDING + volts.len()].to_vec()
    }

    #[test]
    fn blocks_give_what_the_whole_record_gives() {
        let mut dice = Dice(1);
        for count in [16, 31, 1_000, BLOCK - 2 * PADDING, BLOCK, BLOCK + 1, 2 * BLOCK + 777] {
            let volts: Vec<f64> = (0..count).map(|_| f64::from((5.0 + dice.noise()) as f32)).collect();
            let expected = both_ways(&volts, 100e6);
            let mut seen = Vec::new();
            run_both_ways(&trace(volts, 100e6), |index, value| {
                assert_eq!(index, seen.len());
                seen.push(value);
            })
            .unwrap();
            assert_eq!(seen.len(), count);
            for (a, b) in seen.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-12, "{count}: {a} {b}");
            }
        }
    }

    #[test]
    fn a_slow_sine_passes_both_ways_without_delay_and_one_at_the_corner_loses_half() {
        for (hz, kept) in [(100e3, 1.0), (1e6, 0.5)] {
            let sine = |n: u32| (TAU * hz * f64::from(n) / 100e6).sin();
            let vout = trace((0..60_000).map(sine), 100e6);
            run_both_ways(&vout, |index, value| {
                if (5_000..55_000).contains(&index) {
                    assert!((value - kept * sine(index as u32)).abs() < 1e-4, "{hz} {index} {value}");
                }
            })
            .unwrap();
        }
    }

    #[test]
    fn a_low_pass_at_1_megahertz_is_no_spike_removal() {
        // A ripple of 16 mV and spikes of 1.5 V over 60 ns at one edge: 9e-8 Vs, which 1 MHz spreads over half a microsecond.
        let period = 820.0;
        let volt = |n: u32| {
            let phase = f64::from(n) % period / period;
            let ripple = 0.016 * if phase < 0.4 { phase / 0.4 } else { (1.0 - phase) / 0.6 };
            ripple + if f64::from(n) % period < 6.0 { -0.5 } else { 0.0 }
        };
        let rising: Vec<f64> = (0..70).map(|cycle| 410.0 + period * f64::from(cycle)).collect();
        let pp_v = measure_low_passed_ripple(&trace((0..60_000).map(volt), 100e6), &rising).unwrap();
        assert!(pp_v > 1.5 * 0.016, "{pp_v}");
        assert!(measure_low_passed_ripple(&trace([0.0; 15], 100e6), &rising).is_err());
        assert!(measure_low_passed_ripple(&trace([0.0; 5_000], 1.5e6), &rising).is_err());
    }
}
