//! State levels of a two-level signal by the histogram-mode method of IEEE 181 (S5).

use super::counts::count_blocks;
use super::extents::Extents;
use super::trace::LevelReader;
use super::{Unavailable, Waveform};

/// Bins between the lowest and the highest sample.
const BINS: usize = 256;

/// A swing below this is not taken for switching: a converter's switch node moves by its input voltage.
const LEAST_SWING_V: f64 = 1.0;

/// Up to so many bins that hold samples, noise of a coarse converter and two states must be told apart.
const FEW_BINS: usize = 8;

/// Two states have a level between them that is rarer than this part of the rarer state: noise is one heap.
const VALLEY: f64 = 0.5;

/// The two states of the switch node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StateLevels {
    /// Low state as a level of the trace, between two whole ones.
    pub low: f64,
    /// High state, likewise.
    pub high: f64,
    /// Low state in volts.
    pub low_v: f64,
    /// High state in volts.
    pub high_v: f64,
}

impl StateLevels {
    /// The reference level at a part of the swing: 0.1, 0.5 and 0.9 are the usual ones.
    #[must_use]
    pub fn reference(&self, part: f64) -> f64 {
        self.low + part * (self.high - self.low)
    }
}

/// Low and high state of a trace that can be read, with its levels: the centres of the fullest bins of the lower and the upper
/// half of the histogram; and the mean level, each sample taken at its bin's centre.
///
/// # Errors
/// The trace is empty; it does not move (the sentence says where it stays); or a third state is as
/// frequent as the high one, as when the input is under twice the output in discontinuous conduction.
pub(super) fn measure_state_levels(
    lx: &Waveform,
    levels: &LevelReader<'_>,
    extents: &Extents,
) -> Result<(StateLevels, f64), Unavailable> {
    let signal = lx.acquisition.signal.to_uppercase();
    let Some((lowest, highest)) = extents.whole() else {
        return Err(Unavailable::because(format!("the trace of {signal} holds no samples")));
    };
    let range = u32::from(highest - lowest);
    let swing_v = f64::from(range) * levels.step_v;
    let mean_v = || {
        let mut sum = 0;
        levels
            .read(0..levels.len(), |levels| sum += levels.iter().map(|level| u64::from(*level)).sum::<u64>());
        // A mean of -0.004 V would be shown as -0.00.
        (levels.volts_at(sum as f64 / levels.len() as f64) * 100.0).round() / 100.0 + 0.0
    };
    if range == 0 || swing_v < LEAST_SWING_V {
        return Err(Unavailable::because(format!(
            "no switching edges: {signal} stays at {:.2} V (it moves by {swing_v:.2} V)",
            mean_v()
        )));
    }
    let alike = |low, high| bin_of(low, lowest, range) == bin_of(high, lowest, range);
    let histogram = build_histogram(&count_blocks(levels, extents, alike), lowest, range);
    let (low_bin, high_bin) = (fullest(&histogram, 0, BINS / 2), fullest(&histogram, BINS / 2, BINS));
    if range == 1 || !has_two_states(&histogram, low_bin, high_bin) {
        return Err(Unavailable::because(format!(
            "no switching edges: the few values of {signal} are one heap about {:.2} V, {swing_v:.2} V wide, not two states",
            mean_v()
        )));
    }
    // Overshoot tips above the high state are rare; a state up there is not.
    let top = BINS * 3 / 4;
    let above: u32 = histogram[top..].iter().sum();
    if high_bin < top && f64::from(above) > 0.03 * levels.len() as f64 {
        return Err(Unavailable::because(format!(
            "{signal} stands at three levels (input under twice the output, or two signals on the channel): \
             its cycles cannot be told apart"
        )));
    }
    let center = |bin: usize| f64::from(lowest) + (bin as f64 + 0.5) * f64::from(range) / BINS as f64;
    let (low, high) = (center(low_bin), center(high_bin));
    let mean =
        (0..BINS).map(|bin| center(bin) * f64::from(histogram[bin])).sum::<f64>() / levels.len() as f64;
    Ok((StateLevels { low, high, low_v: levels.volts_at(low), high_v: levels.volts_at(high) }, mean))
}

fn build_histogram(counts: &[(u16, u32)], lowest: u16, range: u32) -> [u32; BINS] {
    let mut histogram = [0_u32; BINS];
    for (level, count) in counts {
        histogram[bin_of(*level, lowest, range)] += count;
    }
    histogram
}

/// The bin of a level. Exact in integers; the highest sample belongs to the last bin.
fn bin_of(level: u16, lowest: u16, range: u32) -> usize {
    ((u32::from(level - lowest) * BINS as u32 / range) as usize).min(BINS - 1)
}

/// The fullest bin of `from..to`; the lowest of equals.
fn fullest(histogram: &[u32; BINS], from: usize, to: usize) -> usize {
    (from..to).fold(from, |best, bin| if histogram[bin] > histogram[best] { bin } else { best })
}

/// Whether the modes of the two halves are two states, where so few bins hold samples that they may be the noise of a coarse
/// converter: of noise, the modes are neighbours on its even steps, and no level between them is rare.
fn has_two_states(histogram: &[u32; BINS], low_bin: usize, high_bin: usize) -> bool {
    let held: Vec<usize> = (0..BINS).filter(|bin| histogram[*bin] > 0).collect();
    let gaps = || held.windows(2).map(|pair| (pair[0], pair[1] - pair[0]));
    // Two values alone have no step to be neighbours on.
    let (2.., Some(step)) = (gaps().count(), gaps().map(|(_, gap)| gap).min()) else { return true };
    if held.len() > FEW_BINS {
        return true;
    }
    let rarer = f64::from(histogram[low_bin].min(histogram[high_bin]));
    let is_between = |bin: usize| low_bin < bin && bin < high_bin;
    let is_rare = held.iter().any(|bin| is_between(*bin) && f64::from(histogram[*bin]) < VALLEY * rarer);
    // A bin is a part of the range, so even steps may differ by one.
    let is_empty = gaps().any(|(from, gap)| low_bin <= from && from < high_bin && 2 * gap > 3 * step + 2);
    is_rare || is_empty
}

#[cfg(test)]
mod tests {
    use super::super::block::made::{Dice, trace};
    use super::super::counts::count_levels;
    use super::super::trace::{Codes, Scaling};
    use super::*;
    use proptest::prelude::*;

    fn states_of(lx: &Waveform) -> Result<StateLevels, Unavailable> {
        let (levels, extents) = lx.check_extents().unwrap();
        measure_state_levels(lx, &levels, &extents).map(|(states, _)| states)
    }

    /// A switch node between -0.4 and 24 V with edges of 20 ns, at 22 % duty.
    fn node(period_s: f64, rate_hz: f64) -> Vec<f64> {
        let ramp = |s: f64| (s / 20e-9 + 0.5).clamp(0.0, 1.0);
        (0..(0.2e-3 * rate_hz) as u32)
            .map(|n| {
                let s = (f64::from(n) / rate_hz + 0.3 * period_s).rem_euclid(period_s);
                24.4 * (ramp(s) - ramp(s - 0.22 * period_s) + ramp(s - period_s)) - 0.4
            })
            .collect()
    }

    /// The same volts as codes of a converter.
    fn codes(volts: &[f64], step_v: f64) -> Waveform {
        let codes = volts.iter().map(|volt| (volt / step_v).round() as i16).collect();
        let scaling = Scaling {
            volts_per_code: step_v,
            zero_code: 0.0,
            offset_v: 0.0,
            min_code: -32768,
            max_code: 32767,
        };
        Waveform { codes: Codes::I16(codes), scaling, ..trace([0.0], 100e6) }
    }

    #[test]
    fn two_states_are_told_however_coarse_their_steps_and_with_no_noise_at_all() {
        for rate_hz in [2e6, 25e6, 100e6] {
            for hz in [300e3, 311e3, 250e3, 122e3, 61.3e3] {
                let volts = node(1.0 / hz, rate_hz);
                for steps in [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 12.0, 30.0, 200.0] {
                    let step_v = 24.4 / steps;
                    let found = states_of(&codes(&volts, step_v)).map(|s| (s.low_v, s.high_v));
                    let is_near = |v: f64, truth: f64| (v - truth).abs() <= 0.51 * step_v + 0.1;
                    assert!(
                        found.as_ref().is_ok_and(|(low, high)| is_near(*low, -0.4) && is_near(*high, 24.0)),
                        "{steps} steps, {rate_hz} {hz}: {found:?}"
                    );
                }
                let found = states_of(&trace(volts, rate_hz)).map(|s| (s.low_v, s.high_v));
                let (low, high) = found.unwrap();
                assert!((low + 0.4).abs() < 0.1 && (high - 24.0).abs() < 0.1, "{rate_hz} {hz}: {low} {high}");
            }
        }
    }

    #[test]
    fn noise_of_a_coarse_converter_is_no_switching() {
        let mut dice = Dice(7);
        for (sigma, at) in [(0.3, 0.0), (0.3, 0.5), (0.6, 0.2), (1.0, 0.0), (1.0, 0.5)] {
            let noise: Vec<f64> = (0..50_000).map(|_| 0.4 * (at + sigma * dice.noise())).collect();
            for step_v in [0.4, 0.5, 1.0] {
                let told = states_of(&codes(&noise, step_v)).unwrap_err().0;
                assert!(told.starts_with("no switching edges"), "{sigma} {at} {step_v}: {told}");
            }
        }
        // One code up and down at two volts a code.
        let told = states_of(&codes(&noise_of_one_code(), 2.0)).unwrap_err().0;
        assert!(told.contains("one heap about 1.00 V, 2.00 V wide"), "{told}");
    }

    fn noise_of_one_code() -> Vec<f64> {
        (0..1000).map(|n| f64::from(n % 2) * 2.0).collect()
    }

    proptest! {
        #[test]
        fn a_histogram_of_counts_is_that_of_the_samples(levels in prop::collection::vec(any::<u16>(), 2..400)) {
            let (lowest, highest) = (*levels.iter().min().unwrap(), *levels.iter().max().unwrap());
            let range = u32::from(highest - lowest).max(1);
            let mut naive = [0_u32; BINS];
            for level in &levels {
                naive[((u32::from(level - lowest) * BINS as u32 / range) as usize).min(BINS - 1)] += 1;
            }
            prop_assert_eq!(build_histogram(&count_levels(|count| count(&levels)), lowest, range), naive);
        }
    }
}
