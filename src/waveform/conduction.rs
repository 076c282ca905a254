//! How a converter carries its load, told from the switch node: continuous, discontinuous, or with pulses left out.

use super::Conduction;
use super::counts::{count_levels, counted_median};
use super::extents::Extents;
use super::levels::StateLevels;
use super::switching::Edges;
use super::trace::LevelReader;
use crate::base::stats;
use std::ops::Range;

/// Pulses count as skipped where the longest period, or the stretch without a rise at either end of the record, is this many times
/// the median one, or a long one (90th percentile) this many times a short one (10th).
pub(super) const SKIPPED_PERIOD: f64 = 1.6;

/// The inductor stands empty for more than this part of the period: a chip's smallest pulse at its full rate conducts for
/// longer (65 mA in 220 uH at 24 V: 41 % of the period).
pub(super) const SKIPPED_IDLE_PART: f64 = 0.67;

/// Even pulses that leave the inductor empty for so long count as left out evenly under this rate, in Hz: a converter of
/// 110 kHz and more that leaves out every second pulse is slower. At a faster rate none is left out.
pub(super) const EVENLY_SKIPPED_HZ: f64 = 75e3;

/// With the inductor empty in between, a period that is a half, a third ... of the median one to this part of itself is the clock's:
/// the median one holds pulses that were left out, however even it looks.
const WHOLE_TO: f64 = 0.05;

/// After turn-off the node rings with the diode; nothing is concluded from the first stretch, in seconds.
const TURN_OFF_RINGING_S: f64 = 0.3e-6;

/// The diode conducts at least this long after the ringing, in seconds: the smallest pulse (65 mA in 220 uH against 5 V)
/// takes 2.6 us to run out. A long gap between skipped pulses must not outvote it.
const DIODE_S: f64 = 1.0e-6;

/// Part of the off-time that the node must spend off the diode's level to call the conduction discontinuous.
const IDLE_PART: f64 = 0.04;

/// How the load is carried, and what it was told from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// The kind.
    pub conduction: Conduction,
    /// The level of the switch node while the diode conducts, right after turn-off; `None` without an off-time.
    pub diode: Option<f64>,
    /// The level above which the inductor is empty: half way from the diode's level to the output.
    pub idle_above: f64,
    /// Part of the period that the inductor is empty.
    pub idle_part: f64,
    /// The longer of the stretches without a rise at the record's ends, in samples.
    pub silent: f64,
}

impl Flow {
    /// That of a record that shows none.
    pub const UNKNOWN: Self = Self {
        conduction: Conduction::Unknown,
        diode: None,
        idle_above: f64::INFINITY,
        idle_part: 0.0,
        silent: 0.0,
    };
}

/// Tells the conduction. `mean` is the switch node's mean level: the mean voltage across the inductor is nothing, so it is the
/// output's, and the node rests there once the inductor is empty.
pub(super) fn tell_conduction(
    (levels, rate_hz): (LevelReader<'_>, f64),
    extents: &Extents,
    (mean, states): (f64, &StateLevels),
    edges: &Edges,
) -> Flow {
    let periods = edges.periods();
    let period = stats::median(&periods).unwrap_or(0.0);
    let silent = silent_end(&levels, states, (edges, period));
    let skip = TURN_OFF_RINGING_S * rate_hz;
    let offs: Vec<Range<usize>> = edges
        .falling
        .iter()
        .filter_map(|fall| {
            let next = edges.rising.get(edges.rising.partition_point(|rise| rise <= fall))?;
            Some((fall + skip).ceil() as usize..(next - 1.0).floor().max(0.0) as usize)
        })
        .filter(|off| !off.is_empty() && off.end <= levels.len())
        .collect();
    // The diode conducts right after turn-off. The histogram's low state may be the output voltage instead.
    let conducting = (DIODE_S * rate_hz).ceil().max(1.0) as usize;
    let early = |off: &Range<usize>| off.start..off.start + off.len().div_ceil(8).min(conducting);
    let diode = count_levels(|count| offs.iter().for_each(|off| levels.read(early(off), &mut *count)));
    let Some(diode) = counted_median(diode) else {
        return Flow { conduction: weigh((&periods, silent), None, rate_hz), silent, ..Flow::UNKNOWN };
    };
    let idle_above = diode + 0.5 * (mean - diode).max(0.0);
    // A whole level is above the line where it is above the line's whole part.
    let above = |off: &Range<usize>| extents.count_above(&levels, off.clone(), idle_above as u16);
    let idle: usize = offs.iter().map(above).sum();
    let all: usize = offs.iter().map(Range::len).sum();
    let idle_part = idle as f64 / (period * offs.len() as f64);
    let shares = Some((idle as f64 / all as f64, idle_part));
    let conduction = weigh((&periods, silent), shares, rate_hz);
    Flow { conduction, diode: Some(diode), idle_above, idle_part, silent }
}

/// The longer of the stretches without a rise, from the record's start to the first and from the last to the end. A record that
/// begins in the upper half of the swing shows a rise only behind a fall: it may hide the first.
fn silent_end(levels: &LevelReader<'_>, states: &StateLevels, (edges, period): (&Edges, f64)) -> f64 {
    let (Some(first), Some(last)) = (edges.rising.first(), edges.rising.last()) else { return 0.0 };
    let mut begin = [0];
    levels.fill(0, &mut begin);
    let hidden = if f64::from(begin[0]) >= states.reference(0.5) { period } else { 0.0 };
    (first - hidden).max(levels.len() as f64 - 1.0 - last)
}

/// The kind by the periods and the silence at the ends (in samples), and the idle time as a part of the off-time and of the period.
fn weigh((periods, silent): (&[f64], f64), idle: Option<(f64, f64)>, rate_hz: f64) -> Conduction {
    let at = |fraction: f64| stats::quantile(periods, fraction).unwrap_or(0.0);
    if at(1.0).max(silent) > SKIPPED_PERIOD * at(0.5) || at(0.9) > SKIPPED_PERIOD * at(0.1) {
        return Conduction::Skipping;
    }
    let is_left_out = |period: &f64| {
        let times = at(0.5) / period;
        times > SKIPPED_PERIOD && (times - times.round()).abs() <= WHOLE_TO * times
    };
    match idle {
        None => Conduction::Unknown,
        Some((of_off, _)) if of_off > IDLE_PART && periods.iter().any(is_left_out) => Conduction::Skipping,
        Some((_, of_period)) if of_period > SKIPPED_IDLE_PART && rate_hz < EVENLY_SKIPPED_HZ * at(0.5) => {
            Conduction::Skipping
        }
        Some((of_off, _)) if of_off > IDLE_PART => Conduction::Discontinuous,
        Some(_) => Conduction::Continuous,
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::made::trace;
    use super::super::switching::measure_switching;
    use super::*;

    /// The switch node of a buck converter; the idle node rings about the output at 300 kHz and comes to rest in `rest_s`.
    struct Node {
        vin_v: f64,
        vout_v: f64,
        /// Part of the period that the diode conducts, and that the inductor is empty.
        diode: f64,
        idle: f64,
        hz: f64,
        rest_s: f64,
    }

    impl Node {
        /// The on-time that keeps the inductor's mean voltage at nothing.
        fn on(&self) -> f64 {
            1.0 - self.diode - self.idle
        }

        fn flow(&self, noise_v: f64) -> Flow {
            let mut dice = super::super::block::made::Dice(5);
            let volt = |n: u32| {
                let phase = (f64::from(n) / 100e6 * self.hz + 0.41).fract();
                let empty_s = (phase - self.on() - self.diode) / self.hz;
                if phase < self.on() {
                    self.vin_v
                } else if empty_s < 0.0 {
                    -0.4
                } else {
                    let ring =
                        (-empty_s / self.rest_s).exp() * (std::f64::consts::TAU * 300e3 * empty_s).cos();
                    (self.vout_v - (self.vout_v + 0.4) * ring).min(self.vin_v)
                }
            };
            let volts: Vec<f64> = (0..20_000).map(|n| volt(n) + noise_v * dice.noise()).collect();
            measure_switching(&trace(volts, 100e6)).unwrap().flow
        }
    }

    /// On-time and diode's time in the ratio of a buck converter, for a part of the period that is idle.
    fn node(vin_v: f64, vout_v: f64, idle: f64, rest_s: f64) -> Node {
        let diode = (1.0 - idle) * (vin_v - vout_v) / (vin_v + 0.4);
        Node { vin_v, vout_v, diode, idle, hz: 122e3, rest_s }
    }

    #[test]
    fn the_conduction_is_told_at_every_ratio_of_input_to_output() {
        for (vin_v, vout_v) in [
            (12.0, 5.0),
            (24.0, 5.0),
            (24.0, 3.3),
            (24.0, 1.8),
            (24.0, 1.2),
            (48.0, 5.0),
            (48.0, 3.3),
            (60.0, 1.8),
            (5.0, 1.0),
        ] {
            for noise_v in [0.0, 0.2] {
                for rest_s in [0.3e-6, 3e-6] {
                    let told = node(vin_v, vout_v, 0.0, rest_s).flow(noise_v);
                    assert_eq!(told.conduction, Conduction::Continuous, "{vin_v} {vout_v} {noise_v}");
                    for idle in [0.15, 0.44, 0.6] {
                        let told = node(vin_v, vout_v, idle, rest_s).flow(noise_v);
                        let case = format!("{vin_v} {vout_v} {idle} {noise_v} {rest_s}");
                        assert_eq!(told.conduction, Conduction::Discontinuous, "{case}");
                        assert!((told.idle_part - idle).abs() < 0.15, "{case}: {}", told.idle_part);
                    }
                }
            }
        }
    }

    /// What is told of pulses that begin at these samples, conduct for 7 us and leave the node at the output until the next one.
    fn pulses(starts: &[usize]) -> Flow {
        let mut volts = vec![5.0; 60_000];
        for start in starts {
            volts[*start..(start + 105).min(60_000)].fill(24.0);
            volts[(start + 105).min(60_000)..(start + 700).min(60_000)].fill(-0.4);
        }
        measure_switching(&trace(volts, 100e6)).unwrap().flow
    }

    #[test]
    fn silence_at_an_end_of_the_record_is_pulses_left_out_as_between_them() {
        let even = |from: usize, count: usize| (0..count).map(move |n| from + 820 * n).collect::<Vec<_>>();
        assert_eq!(pulses(&even(300, 73)).conduction, Conduction::Discontinuous);
        for (from, count) in [(300, 11), (300, 3), (300, 40), (30_000, 36), (1_400, 71), (300, 70)] {
            let flow = pulses(&even(from, count));
            assert_eq!(flow.conduction, Conduction::Skipping, "{from} {count}");
            let silent = from.max(59_999 - from - 820 * (count - 1)) as f64;
            assert!((flow.silent - silent).abs() < 2.0, "{from} {count}: {}", flow.silent);
        }
    }

    #[test]
    fn a_few_periods_of_the_clock_among_doubled_ones_are_pulses_left_out() {
        // By the clock, or by a false edge that cuts a period anywhere else.
        for (short, conduction) in [(833, Conduction::Skipping), (700, Conduction::Discontinuous)] {
            let mut starts = vec![400];
            for n in 0..36 {
                let step = if [7, 8, 20].contains(&n) { short } else { 1666 };
                starts.push(starts[n] + step);
            }
            assert_eq!(pulses(&starts).conduction, conduction, "{short}");
        }
    }

    #[test]
    fn long_idle_time_is_evenly_skipped_pulses_only_at_a_rate_that_a_slower_converter_had() {
        let at = |hz: f64| Node { hz, ..node(24.0, 5.0, 0.8, 0.5e-6) }.flow(0.02).conduction;
        for hz in [122e3, 250e3, 500e3, 80e3] {
            assert_eq!(at(hz), Conduction::Discontinuous, "{hz}");
        }
        for hz in [61e3, 40e3, 24.4e3] {
            assert_eq!(at(hz), Conduction::Skipping, "{hz}");
        }
    }
}
