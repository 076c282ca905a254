//! The switch node: edges, period, on-time, and how the converter carries its load (S5, P1 to P3).

use super::conduction::{EVENLY_SKIPPED_HZ, Flow, SKIPPED_IDLE_PART, SKIPPED_PERIOD, tell_conduction};
use super::extents::{BLOCK, Extents};
use super::levels::{StateLevels, measure_state_levels};
use super::periodicity::LEAST_RATE_HZ;
use super::rises::Rises;
use super::trace::LevelReader;
use super::{Conduction, Figure, Unavailable, Waveform};
use crate::base::stats;

/// Edges of the switch node as sample positions between the samples, first to last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edges {
    /// Rising edges: the switch turns on.
    pub rising: Vec<f64>,
    /// Falling edges: the switch turns off.
    pub falling: Vec<f64>,
}

impl Edges {
    /// Distances of successive rising edges, in samples.
    #[must_use]
    pub fn periods(&self) -> Vec<f64> {
        self.rising.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// On-times of the cycles that end inside the record, in samples: the first falling edge of a cycle less its rising edge.
    #[must_use]
    pub fn on_times(&self) -> Vec<f64> {
        let mut falling = self.falling.iter().copied().peekable();
        let mut spans = Vec::new();
        for cycle in self.rising.windows(2) {
            while falling.next_if(|edge| *edge <= cycle[0]).is_some() {}
            if let Some(edge) = falling.peek().filter(|edge| **edge < cycle[1]) {
                spans.push(edge - cycle[0]);
            }
        }
        spans
    }
}

/// What the switch node of one acquisition says.
#[derive(Debug, Clone, PartialEq)]
pub struct Switching {
    /// Its two states.
    pub states: StateLevels,
    /// Its edges.
    pub edges: Edges,
    /// Samples a second.
    pub rate_hz: f64,
    /// Mean period in samples.
    pub period: f64,
    /// Mean on-time over mean period.
    pub duty: f64,
    /// How the load is carried.
    pub conduction: Conduction,
    /// What that was told from.
    pub flow: Flow,
    /// How well the rising edges are known.
    pub rises: Rises,
    /// Rms of the rising edges about an even grid, in periods: accumulated jitter, which weakens R1.
    pub wander: f64,
}

/// Finds edges by the state machine of S5: a rise counts once it passes 90 % of the swing after having been under 10 %; its
/// instant is the last crossing of 50 % before. Falls likewise. Ringing that reaches only half way, as in discontinuous
/// conduction, makes no edge.
struct EdgeFinder {
    /// 10, 50 and 90 % of the swing.
    lines: [f64; 3],
    /// Samples seen, and the last of them.
    seen: usize,
    previous: Option<f64>,
    is_high: bool,
    armed: bool,
    /// The last crossing of 50 %.
    crossing: Option<f64>,
    edges: Edges,
}

impl EdgeFinder {
    fn new(states: &StateLevels) -> Self {
        Self {
            lines: [0.1, 0.5, 0.9].map(|part| states.reference(part)),
            seen: 0,
            previous: None,
            is_high: false,
            armed: false,
            crossing: None,
            edges: Edges::default(),
        }
    }

    /// Passes over samples that cross no line, up to sample `seen`, the one before which is `previous`.
    fn skip_to(&mut self, seen: usize, previous: u16) {
        (self.seen, self.previous) = (seen, Some(f64::from(previous)));
    }

    /// Looks at the samples that follow those seen.
    fn add(&mut self, levels: &[u16]) {
        let mut calm = (0, 0);
        for level in levels {
            let present = i32::from(*level);
            // Between the same two lines as the one before, it crosses none of them.
            if calm.0 < present && present < calm.1 {
                (self.seen, self.previous) = (self.seen + 1, Some(f64::from(*level)));
                continue;
            }
            let present = f64::from(*level);
            // The very first sample is its own predecessor and crosses nothing.
            if self.previous.is_none() {
                (self.armed, self.previous) = (present < self.lines[1], Some(present));
            }
            self.step(present);
            let [mut below, mut above] = [f64::NEG_INFINITY, f64::INFINITY];
            for line in self.lines {
                below = if line <= present { below.max(line) } else { below };
                above = if line >= present { above.min(line) } else { above };
            }
            calm = (below.floor() as i32, above.ceil() as i32);
        }
    }

    /// Whether a line lies within an extent.
    fn is_crossed_within(&self, (low, high): (u16, u16)) -> bool {
        self.lines.iter().any(|line| *line <= f64::from(high) && f64::from(low) <= *line)
    }

    fn step(&mut self, present: f64) {
        let previous = self.previous.unwrap_or(present);
        let [low, middle, high] = self.lines;
        let crosses_up = |line: f64| previous < line && line <= present;
        let crosses_down = |line: f64| previous > line && line >= present;
        if if self.is_high { crosses_down(middle) } else { crosses_up(middle) } {
            self.crossing = Some(self.seen as f64 - 1.0 + (middle - previous) / (present - previous));
        }
        if self.is_high {
            if crosses_down(low) {
                self.edges.falling.extend(self.crossing.take());
                (self.is_high, self.armed) = (false, true);
            }
        } else {
            self.armed |= crosses_down(low);
            if self.armed && crosses_up(high) {
                self.edges.rising.extend(self.crossing.take());
                (self.is_high, self.armed) = (true, false);
            }
        }
        (self.seen, self.previous) = (self.seen + 1, Some(present));
    }
}

/// The edges of a switch node that has these two states.
pub(super) fn find_edges(lx: LevelReader<'_>, extents: &Extents, states: &StateLevels) -> Edges {
    let mut finder = EdgeFinder::new(states);
    let (mut levels, mut before) = ([0; BLOCK], None);
    for (block, mut extent) in extents.blocks() {
        let (low, high) = before.unwrap_or(extent);
        // Most blocks cross nothing: all of them, and what is before, lies on one side of each line.
        if before.is_none() || finder.is_crossed_within((low.min(extent.0), high.max(extent.1))) {
            if finder.seen < block.start {
                lx.fill(block.start - 1, &mut levels[..1]);
                finder.skip_to(block.start, levels[0]);
            }
            let levels = &mut levels[..block.len()];
            lx.fill(block.start, levels);
            finder.add(levels);
            // Of a block that was looked at its last sample is known.
            let last = levels[levels.len() - 1];
            extent = (last, last);
        }
        before = Some(extent);
    }
    finder.edges
}

/// What the switch node says: levels, edges, mean period, duty, conduction.
///
/// # Errors
/// It does not switch, or not for two whole cycles.
pub fn measure_switching(lx: &Waveform) -> Result<Switching, Unavailable> {
    let ((levels, extents), rate_hz) = (lx.check_extents()?, lx.sample_rate_hz());
    let (states, mean) = measure_state_levels(lx, &levels, &extents)?;
    let edges = find_edges(levels, &extents, &states);
    let periods = edges.periods();
    let on_times = edges.on_times();
    let (Some(period), Some(on_time)) = (stats::mean(&periods), stats::mean(&on_times)) else {
        return Err(too_few(lx, &edges, rate_hz));
    };
    if periods.len() < 2 || on_times.len() < 2 || period <= 0.0 {
        return Err(too_few(lx, &edges, rate_hz));
    }
    let flow = tell_conduction((levels, rate_hz), &extents, (mean, &states), &edges);
    let rises = Rises::of((&levels, rate_hz), &states, &edges, period);
    if rate_hz < LEAST_RATE_HZ && rises.resolution > UNSEEN {
        return Err(Unavailable::because(format!(
            "at {:.3} MSa/s the edges of {} lie between the samples: a faster switching would look the same, and pulses may be missing; \
             {:.0} MSa/s are needed",
            rate_hz / 1e6,
            lx.acquisition.signal.to_uppercase(),
            LEAST_RATE_HZ / 1e6
        )));
    }
    let wander = measure_wander(&edges.rising) / period;
    let (duty, conduction) = (on_time / period, flow.conduction);
    Ok(Switching { states, rate_hz, period, duty, conduction, flow, rises, wander, edges })
}

fn too_few(lx: &Waveform, edges: &Edges, rate_hz: f64) -> Unavailable {
    Unavailable::because(format!(
        "too few switching edges: {} rising and {} falling ones of {} in {:.1} µs, three rising ones are needed",
        edges.rising.len(),
        edges.falling.len(),
        lx.acquisition.signal.to_uppercase(),
        lx.codes.len() as f64 / rate_hz * 1e6
    ))
}

/// Rms distance of the edges from the even grid that fits them best, in samples.
fn measure_wander(rising: &[f64]) -> f64 {
    let points: Vec<(f64, f64)> = rising.iter().enumerate().map(|(i, edge)| (i as f64, *edge)).collect();
    let Some(slope) = stats::slope(&points) else { return 0.0 };
    let residuals: Vec<f64> = points.iter().map(|(i, edge)| edge - slope * i).collect();
    stats::std_dev(&residuals, 0).unwrap_or(0.0)
}

/// The period figures of a switch node, in SI units.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodFigures {
    /// Switching frequency in Hz.
    pub switching_hz: Figure,
    /// Standard deviation of the period in seconds.
    pub std_s: Figure,
    /// Longest less shortest period in seconds.
    pub pp_s: Figure,
    /// Rms of successive period differences in seconds.
    pub c2c_s: Figure,
    /// Mean on-time in seconds.
    pub on_time_s: Figure,
    /// Mean on-time over mean period.
    pub duty: Figure,
    /// Pulses a second over the whole record.
    pub pulse_hz: Figure,
}

impl Switching {
    /// The figures of S5, or of P2 where pulses are skipped. `samples` is the length of the whole record.
    #[must_use]
    pub fn period_figures(&self, samples: usize) -> PeriodFigures {
        let periods_s: Vec<f64> = self.edges.periods().iter().map(|period| period / self.rate_hz).collect();
        let (shortest_s, longest_s) = ends(&periods_s);
        let pulse_hz = Ok(self.edges.rising.len() as f64 * self.rate_hz / samples as f64);
        let on_time_s = self.check_rises(MOST_DUTY_OFF).map(|()| self.duty * self.period / self.rate_hz);
        if self.conduction == Conduction::Skipping {
            let none: Figure = Err(self.why_no_period());
            return PeriodFigures {
                switching_hz: none.clone(),
                std_s: none.clone(),
                pp_s: none.clone(),
                c2c_s: none.clone(),
                on_time_s,
                duty: none,
                pulse_hz,
            };
        }
        let few = || Unavailable::because("two periods are too few to tell their spread");
        let changes: Vec<f64> = periods_s.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).collect();
        // A spread that the record does not resolve may be any up to what it resolves.
        let resolved = |spread_s: f64, whole: f64| {
            self.check_rises(0.0).map(|()| spread_s.max(whole * self.resolution_s()))
        };
        let std_s = stats::std_dev(&periods_s, 1).ok_or_else(few);
        let c2c_s = stats::mean(&changes).map(f64::sqrt).ok_or_else(few);
        PeriodFigures {
            switching_hz: Ok(self.rate_hz / self.period),
            std_s: std_s.and_then(|spread_s| resolved(spread_s, 1.0)),
            pp_s: resolved(longest_s - shortest_s, 2.0),
            c2c_s: c2c_s.and_then(|spread_s| resolved(spread_s, 2.0)),
            duty: on_time_s.clone().map(|_| self.duty),
            on_time_s,
            pulse_hz,
        }
    }

    /// Why pulses that are skipped have no period.
    #[must_use]
    pub fn why_no_period(&self) -> Unavailable {
        let (shortest_s, longest_s) = ends(&self.edges.periods());
        let (shortest_s, longest_s) = (shortest_s / self.rate_hz, longest_s / self.rate_hz);
        let silent = self.flow.silent;
        if longest_s < SKIPPED_PERIOD * shortest_s && silent > SKIPPED_PERIOD * self.period {
            return Unavailable::because(format!(
                "pulses are skipped: {} pulses {:.1} µs apart, and none for {:.1} µs at an end of the record, have no period",
                self.edges.rising.len(),
                self.period / self.rate_hz * 1e6,
                silent / self.rate_hz * 1e6
            ));
        }
        if longest_s < SKIPPED_PERIOD * shortest_s {
            return Unavailable::because(format!(
                "even pulses {:.1} µs apart leave the inductor empty for over {:.0} % of the time: every so many are left out, or the \
                 converter is slower than {:.0} kHz; no period is told",
                self.period / self.rate_hz * 1e6,
                SKIPPED_IDLE_PART * 100.0,
                EVENLY_SKIPPED_HZ / 1e3
            ));
        }
        Unavailable::because(format!(
            "pulses are skipped: {} pulses, {:.1} to {:.1} µs apart, have no period",
            self.edges.rising.len(),
            shortest_s * 1e6,
            longest_s * 1e6
        ))
    }

    /// How well an edge is known, in seconds.
    #[must_use]
    pub fn resolution_s(&self) -> f64 {
        self.rises.resolution / self.rate_hz
    }

    /// How much of a ripple that begins anew with each rise a line at the mean frequency holds: the length of the rises' mean phasor.
    pub(super) fn coherence(&self) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for rise in &self.edges.rising {
            let (sin, cos) = (std::f64::consts::TAU * rise / self.period).sin_cos();
            (re, im) = (re + cos, im + sin);
        }
        f64::hypot(re, im) / self.edges.rising.len().max(1) as f64
    }

    /// How well the mean on-time is known, in samples, where all edges stand alike between samples and no mean makes it better:
    /// the period, or two or three of them, are a whole number of samples, to less than the edges slide by within the record.
    #[must_use]
    pub fn on_time_known_to(&self) -> Option<f64> {
        let one = self.rises.resolution + self.rises.fall_resolution;
        let cycles = self.edges.rising.len().saturating_sub(1) as f64;
        let is_even = |periods: &f64| {
            let span = periods * self.period;
            (span - span.round()).abs() * cycles / periods < MOST_SLIDE
        };
        // Edges that wander by jitter stand anywhere.
        let is_still = self.wander * self.period < MOST_STRAY;
        [1.0, 2.0, 3.0].into_iter().find(is_even).filter(|_| is_still).map(|periods| one / periods)
    }

    /// Refuses what needs the instants of the rising edges nearer than this part of a period, where the switch node stood
    /// above half of its swing before the switch turned on.
    ///
    /// # Errors
    /// By the mean edge it is more; the sentence says how many edges and how much.
    pub fn check_rises(&self, most_off: f64) -> Result<(), Unavailable> {
        if self.rises.mean_off <= most_off * self.period {
            return Ok(());
        }
        Err(Unavailable::because(format!(
            "the switch node passes half of its swing up to {:.2} µs before it turns on, in {} of {} rises: it stands there before, \
             as where an empty inductor rings, and when it turned on is not known by its 50 %",
            self.rises.longest / self.rate_hz * 1e6,
            self.rises.early,
            self.rises.count
        )))
    }
}

/// Rises that are known to so many sample intervals only have no samples on them, or next to none.
const UNSEEN: f64 = 0.45;

/// The duty is a figure where the mean rise is known to this part of the period.
pub(super) const MOST_DUTY_OFF: f64 = 0.002;

/// Edges that slide by so many samples over the record stand anywhere between two of them: the mean of them is as good as one
/// that slides by many.
const MOST_SLIDE: f64 = 2.0;

/// Edges that lie so many samples rms off an even grid stand anywhere between two samples. What only two places show is a quarter.
const MOST_STRAY: f64 = 0.28;

/// The shortest and the longest.
fn ends(periods_s: &[f64]) -> (f64, f64) {
    periods_s
        .iter()
        .fold((f64::INFINITY, 0.0), |(low, high), span_s| (low.min(*span_s), f64::max(high, *span_s)))
}

#[cfg(test)]
mod tests {
    use super::super::block::made::trace;
    use super::super::trace::Codes;
    use super::*;
    use proptest::prelude::*;

    /// The state machine of S5, every sample looked at.
    fn every_sample(levels: &[u16], states: &StateLevels) -> Edges {
        let (low, middle, high) = (states.reference(0.1), states.reference(0.5), states.reference(0.9));
        let (mut is_high, mut armed) =
            (false, levels.first().is_some_and(|level| f64::from(*level) < middle));
        let (mut crossing, mut edges) = (None, Edges::default());
        for (index, pair) in levels.windows(2).enumerate() {
            let (previous, present) = (f64::from(pair[0]), f64::from(pair[1]));
            let up = |line: f64| previous < line && line <= present;
            let down = |line: f64| previous > line && line >= present;
            if (is_high && down(middle)) || (!is_high && up(middle)) {
                crossing = Some(index as f64 + (middle - previous) / (present - previous));
            }
            if is_high && down(low) {
                edges.falling.extend(crossing.take());
                (is_high, armed) = (false, true);
            } else if !is_high {
                armed |= down(low);
                if armed && up(high) {
                    edges.rising.extend(crossing.take());
                    (is_high, armed) = (true, false);
                }
            }
        }
        edges
    }

    /// Stretches that stand at a level, wander about it, or hit the lines exactly.
    fn node() -> impl Strategy<Value = Vec<u16>> {
        let stretch =
            (prop_oneof![Just(20_u16), Just(30), Just(60), Just(100), Just(104)], 1_usize..300, 1_u16..9);
        prop::collection::vec(stretch, 0..12).prop_map(|stretches| {
            let wander = |(level, count, swing): (u16, usize, u16)| {
                (0..count).map(move |n| level + (n * 7 % 11) as u16 % swing)
            };
            stretches.into_iter().flat_map(wander).collect()
        })
    }

    proptest! {
        #[test]
        fn blocks_that_cross_nothing_are_passed_over_without_losing_an_edge(
            levels in node(), low in prop_oneof![Just(20.0), Just(20.5), -30.0..30.0], swing in prop_oneof![Just(80.0), 0.0..120.0],
        ) {
            let states = StateLevels { low, high: low + swing, low_v: 0.0, high_v: 0.0 };
            let lx = Waveform { codes: Codes::I16(levels.iter().map(|level| (*level ^ 0x8000) as i16).collect()), ..trace([0.0], 1e8) };
            if let Ok((reader, extents)) = lx.check_extents() {
                prop_assert_eq!(find_edges(reader, &extents, &states), every_sample(&levels, &states));
            }
        }
    }
}
