//! How well the edges of the switch node are known: whether samples lie on them, and whether the node stood above half
//! of its swing before the switch turned on.

use super::levels::StateLevels;
use super::switching::Edges;
use super::trace::LevelReader;

/// Edges with samples on them are known to this part of the sample interval.
const RESOLVED: f64 = 0.1;

/// Edges that lie between two samples are known to half of the interval: an even period then shows as two different numbers
/// of samples.
const BETWEEN: f64 = 0.5;

/// Edges as long as the sample interval leave this part of them without a sample between 10 and 90 %.
const MISSED_PART: f64 = 0.2;

/// From 50 to 90 % of the swing an edge takes a sample interval and this part of the period at most, and never has less than
/// [`EDGE_S`]: what takes longer is the ringing of an empty inductor, and the edge came later.
const EDGE_PART: f64 = 0.01;

/// No edge is expected to be faster than this from 50 to 90 %, in seconds.
const EDGE_S: f64 = 20e-9;

/// What the samples about the rising edges say of them, and a little of the falling ones.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rises {
    /// How many there are.
    pub count: usize,
    /// How well each is known, in sample intervals.
    pub resolution: f64,
    /// How well each falling edge is known, in sample intervals.
    pub fall_resolution: f64,
    /// How many pass half of the swing long before they reach 90 %.
    pub early: usize,
    /// The longest time from 50 to 90 %, in samples.
    pub longest: f64,
    /// The mean time from 50 to 90 % of the early ones over all of them, in samples: how far the mean edge may be off.
    pub mean_off: f64,
}

impl Rises {
    /// Looks at the samples about each edge; `period` in samples.
    pub(super) fn of(
        (levels, rate_hz): (&LevelReader<'_>, f64),
        states: &StateLevels,
        Edges { rising, falling }: &Edges,
        period: f64,
    ) -> Self {
        let allowed = 1.0 + (EDGE_PART * period).max(EDGE_S * rate_hz);
        let mut rises = Self { count: rising.len(), ..Self::default() };
        let mut missed = 0;
        for edge in rising {
            missed += usize::from(is_missed(around(levels, *edge), states));
            let length = length_to(levels, *edge, states.reference(0.9));
            rises.longest = rises.longest.max(length);
            if length > allowed {
                rises.early += 1;
                rises.mean_off += length / rising.len() as f64;
            }
        }
        let steps = 1.0 / (states.high - states.low).max(1.0);
        rises.resolution = resolution(missed as f64 / rising.len().max(1) as f64).hypot(steps);
        let is_missed_backwards = |edge: &&f64| {
            let [from, before, after, to] = around(levels, **edge);
            is_missed([to, after, before, from], states)
        };
        let missed = falling.iter().filter(is_missed_backwards).count();
        rises.fall_resolution = resolution(missed as f64 / falling.len().max(1) as f64).hypot(steps);
        rises
    }
}

/// How well edges are known in sample intervals, of which so large a part lies between two samples. The shorter an edge, the
/// more often no sample falls on it, and the further it may lie from where a straight line puts it.
fn resolution(missed_part: f64) -> f64 {
    let short = ((missed_part - MISSED_PART) / (1.0 - MISSED_PART)).max(0.0);
    RESOLVED + (BETWEEN - RESOLVED) * short
}

/// The two samples on either side of an edge.
fn around(levels: &LevelReader<'_>, edge: f64) -> [f64; 4] {
    let after = (edge.ceil().max(0.0) as usize).min(levels.len().saturating_sub(1));
    [after.saturating_sub(2), after.saturating_sub(1), after, (after + 1).min(levels.len().saturating_sub(1))]
        .map(|at| {
            let mut level = [0];
            levels.fill(at, &mut level);
            f64::from(level[0])
        })
}

/// Whether neither of the two middle samples lies on the edge: they stand within a tenth of where the node comes from and goes
/// to, or beyond 10 and 90 % of the swing.
fn is_missed([from, before, after, to]: [f64; 4], states: &StateLevels) -> bool {
    let tenth = 0.1 * (to - from).max(0.0);
    (before <= from + tenth || before <= states.reference(0.1))
        && (after >= to - tenth || after >= states.reference(0.9))
}

/// Samples from an edge's instant to its crossing of a line.
fn length_to(levels: &LevelReader<'_>, edge: f64, line: f64) -> f64 {
    let mut block = [0; 64];
    let mut from = (edge.ceil().max(1.0) as usize).saturating_sub(1);
    while from + 1 < levels.len() {
        let block = &mut block[..64.min(levels.len() - from)];
        levels.fill(from, block);
        for (index, pair) in block.windows(2).enumerate() {
            let (before, after) = (f64::from(pair[0]), f64::from(pair[1]));
            if before < line && line <= after {
                return (from + index) as f64 + (line - before) / (after - before) - edge;
            }
        }
        from += block.len() - 1;
    }
    levels.len() as f64 - edge
}

#[cfg(test)]
mod tests {
    use super::super::block::made::trace;
    use super::super::switching::measure_switching;
    use super::*;
    use crate::base::stats;

    /// A switch node at 22 % duty, with edges of `edge_s`.
    fn rises(rate_hz: f64, hz: f64, edge_s: f64) -> (Rises, [f64; 3]) {
        let ramp = |s: f64| (s / edge_s + 0.5).clamp(0.0, 1.0);
        let volts = (0..(0.25e-3 * rate_hz) as u32).map(|n| {
            let s = (f64::from(n) / rate_hz + 0.31 / hz).rem_euclid(1.0 / hz);
            24.4 * (ramp(s) - ramp(s - 0.22 / hz) + ramp(s - 1.0 / hz)) - 0.4
        });
        let found = measure_switching(&trace(volts, rate_hz)).unwrap();
        let periods = found.edges.periods();
        let changes: Vec<f64> = periods.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).collect();
        let (low, high) =
            periods.iter().fold((f64::MAX, 0.0_f64), |(low, high), p| (low.min(*p), high.max(*p)));
        let spreads =
            [stats::std_dev(&periods, 1).unwrap(), high - low, stats::mean(&changes).unwrap().sqrt()];
        // What is told is no less than that, and no less than the resolution.
        let told = found.period_figures(1);
        for ((figure, spread), whole) in
            [told.std_s, told.pp_s, told.c2c_s].into_iter().zip(spreads).zip([1.0, 2.0, 2.0])
        {
            let expected = spread.max(whole * found.rises.resolution) / rate_hz;
            assert!((figure.unwrap() / expected - 1.0).abs() < 1e-6);
        }
        (found.rises, spreads)
    }

    #[test]
    fn what_even_edges_show_as_jitter_is_under_the_resolution_that_is_told() {
        for rate_hz in [2e6, 10e6, 25e6, 50e6, 100e6, 250e6] {
            for hz in [121.3e3, 122e3, 124.7e3, 125e3, 311e3] {
                for edge_s in [2e-9, 5e-9, 10e-9, 20e-9, 40e-9] {
                    let (rises, [std, pp, c2c]) = rises(rate_hz, hz, edge_s);
                    let r = rises.resolution;
                    let case = format!("{rate_hz} {hz} {edge_s}: {r} {std} {pp} {c2c}");
                    // A jitter is told as a bound up to three times the resolution, peak to peak and from cycle to cycle up to six.
                    assert!(
                        std < 2.0 * r && pp < 4.0 * r && c2c < 4.0 * r,
                        "a bound with room to spare: {case}"
                    );
                    assert!(edge_s * rate_hz < 1.25 || r < 0.11, "two samples on an edge resolve it: {case}");
                    assert_eq!(rises.early, 0, "{case}");
                }
            }
        }
    }

    /// Trap 4: the empty inductor rings above half of a low input, and the switch turns on out of that.
    #[test]
    fn rises_out_of_ringing_above_half_of_the_swing_are_told_and_not_timed() {
        let node = |vin_v: f64, idle_v: f64| {
            let volt = |n: u32| match n % 820 {
                0..262 => vin_v,
                262..560 => -0.4,
                // Rings once and comes back over half of the input.
                since => {
                    idle_v
                        - (idle_v + 0.4)
                            * (f64::from(since - 560) / 260.0 * std::f64::consts::TAU * 1.5).cos()
                }
            };
            measure_switching(&trace((0..40_000).map(volt), 100e6)).unwrap()
        };
        let early = node(12.0, 5.0);
        assert_eq!(early.rises.early, early.rises.count);
        assert!((0.3..0.7).contains(&(early.rises.longest / 100.0)), "{:?}", early.rises);
        let told = early.period_figures(40_000);
        for figure in [&told.duty, &told.on_time_s, &told.std_s, &told.pp_s, &told.c2c_s] {
            let reason = &figure.as_ref().unwrap_err().0;
            assert!(reason.starts_with("the switch node passes half of its swing up to 0."), "{reason}");
        }
        assert!((told.switching_hz.unwrap() - 100e6 / 820.0).abs() < 1e-3);
        let clear = node(24.0, 5.0);
        assert_eq!(clear.rises.early, 0, "{:?}", clear.rises);
        assert!((clear.period_figures(40_000).duty.unwrap() - 262.0 / 820.0).abs() < 0.002);
    }
}
