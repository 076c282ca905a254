//! Pulses of the switch node, counted whether or not they have a period (P1 to P3).

use super::counts::{count_blocks, counted_median};
use super::levels::StateLevels;
use super::switching::{Edges, find_edges};
use super::{Unavailable, Waveform};

/// A switch node that never passes this many volts does not switch.
const LEAST_HIGH_V: f64 = 1.0;

/// P1 to P3: pulses and their distances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pulses {
    /// P1: confirmed rising edges in the record.
    pub count: usize,
    /// P2: pulses a second over the whole record.
    pub rate_hz: f64,
    /// P3: mean, shortest and longest distance of successive pulses, in seconds; `None` with fewer than two.
    pub gaps_s: Option<Gaps>,
}

/// Distances of successive pulses, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaps {
    /// Mean.
    pub mean_s: f64,
    /// Shortest.
    pub min_s: f64,
    /// Longest.
    pub max_s: f64,
}

/// Counts the pulses of a switch node that may rest most of the time: its low level is 0 V, its high level the median of the
/// samples above half of its highest one; edges as everywhere (10, 50 and 90 %).
///
/// # Errors
/// The trace is unreadable or never rises above 1 V.
pub fn measure_pulses(lx: &Waveform) -> Result<Pulses, Unavailable> {
    let ((levels, extents), rate_hz) = (lx.check_extents()?, lx.sample_rate_hz());
    let highest = extents.whole().map_or(0, |(_, highest)| highest);
    let high_v = levels.volts_at(f64::from(highest));
    let signal = lx.acquisition.signal.to_uppercase();
    // Also where all samples are one and a level is therefore 0 V wide.
    if high_v < LEAST_HIGH_V || levels.step_v <= 0.0 {
        return Err(Unavailable::because(format!("no pulses: {signal} never rises above {high_v:.2} V")));
    }
    let level_at = |volts: f64| (volts - levels.zero_v) / levels.step_v;
    let half = level_at(high_v / 2.0);
    let counts = count_blocks(&levels, &extents, |_, high| f64::from(high) <= half);
    let upper = counts.iter().copied().filter(|(level, _)| f64::from(*level) > half);
    let high = counted_median(upper).unwrap_or(0.0);
    let low = level_at(0.0);
    let states = StateLevels { low, high, low_v: 0.0, high_v: levels.volts_at(high) };
    let edges = find_edges(levels, &extents, &states);
    Ok(count_pulses(&edges, levels.len(), rate_hz))
}

/// P1 to P3 of edges that are known already.
#[must_use]
pub fn count_pulses(edges: &Edges, samples: usize, rate_hz: f64) -> Pulses {
    let gaps = edges.periods();
    let mean = crate::base::stats::mean(&gaps);
    Pulses {
        count: edges.rising.len(),
        rate_hz: edges.rising.len() as f64 * rate_hz / samples.max(1) as f64,
        gaps_s: mean.map(|mean| Gaps {
            mean_s: mean / rate_hz,
            min_s: gaps.iter().copied().fold(f64::INFINITY, f64::min) / rate_hz,
            max_s: gaps.iter().copied().fold(0.0, f64::max) / rate_hz,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::made::trace;
    use super::*;

    /// A switch node that rests at 5 V and rings there, with pulses of 24 V over 1 us at `starts`.
    fn node(starts: &[usize]) -> Waveform {
        let volt = |n: usize| {
            if starts.iter().any(|start| (*start..start + 100).contains(&n)) {
                return 24.0;
            }
            if starts.iter().any(|start| (start + 100..start + 400).contains(&n)) { -0.4 } else { 5.0 }
        };
        trace((0..100_000).map(volt), 100e6)
    }

    #[test]
    fn rare_pulses_are_counted_and_their_gaps_are_told() {
        let pulses = measure_pulses(&node(&[1_000, 5_000, 30_000, 70_000])).unwrap();
        assert_eq!(pulses.count, 4);
        assert!((pulses.rate_hz - 4_000.0).abs() < 1e-6);
        let gaps = pulses.gaps_s.unwrap();
        for (gap, truth) in [(gaps.mean_s, 230e-6), (gaps.min_s, 40e-6), (gaps.max_s, 400e-6)] {
            assert!((gap - truth).abs() < 1e-9, "{gap} {truth}");
        }
    }

    #[test]
    fn a_single_pulse_has_no_gap_and_a_dead_node_has_no_pulse() {
        assert_eq!(measure_pulses(&node(&[1_000])).unwrap().gaps_s, None);
        assert!(measure_pulses(&trace([0.02; 1000], 1e8)).unwrap_err().0.starts_with("no pulses"));
        assert_eq!(measure_pulses(&trace([5.0; 1000], 1e8)).map(|pulses| pulses.count).unwrap_or(0), 0);
    }
}
