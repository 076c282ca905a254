//! State levels of a two-level signal by the histogram-mode method of IEEE 181 (S5).

use super::counts::count_blocks;
use super::extents::Extents;
use super::trace::LevelReader;
use super::{Unavailable, Waveform};

/// Bins between the lowest and the highest sample.
const BINS: usize = 256;

/// A swing below this is not taken for switching: a converter's switch node moves by its input voltage.
const LEAST_SWING_V: f64 = 1.0;

/// A swing of fewer converter steps than this is noise of the converter.
const LEAST_SWING_STEPS: u32 = 8;

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

/// Low and high state of a trace that can be read, with its levels: the centres of the fullest bins of the lower and the upper half of the histogram.
///
/// # Errors
/// The trace is empty; it does not move (the sentence says where it stays); or a third state is as
/// frequent as the high one, as when the input is under twice the output in discontinuous conduction.
pub(super) fn measure_state_levels(
    lx: &Waveform,
    levels: &LevelReader<'_>,
    extents: &Extents,
) -> Result<StateLevels, Unavailable> {
    let signal = lx.acquisition.signal.to_uppercase();
    let Some((lowest, highest)) = extents.whole() else {
        return Err(Unavailable::because(format!("the trace of {signal} holds no samples")));
    };
    let range = u32::from(highest - lowest);
    let swing_v = f64::from(range) * levels.step_v;
    if range < LEAST_SWING_STEPS || swing_v < LEAST_SWING_V {
        let mut sum = 0;
        levels
            .read(0..levels.len(), |levels| sum += levels.iter().map(|level| u64::from(*level)).sum::<u64>());
        let mean = sum as f64 / levels.len() as f64;
        return Err(Unavailable::because(format!(
            "no switching edges: {signal} stays at {:.2} V (it moves by {swing_v:.2} V)",
            // A mean of -0.004 V would be shown as -0.00.
            (levels.volts_at(mean) * 100.0).round() / 100.0 + 0.0
        )));
    }
    let alike = |low, high| bin_of(low, lowest, range) == bin_of(high, lowest, range);
    let histogram = build_histogram(&count_blocks(levels, extents, alike), lowest, range);
    let (low_bin, high_bin) = (fullest(&histogram, 0, BINS / 2), fullest(&histogram, BINS / 2, BINS));
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
    Ok(StateLevels { low, high, low_v: levels.volts_at(low), high_v: levels.volts_at(high) })
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

#[cfg(test)]
mod tests {
    use super::super::counts::count_levels;
    use super::*;
    use proptest::prelude::*;

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
