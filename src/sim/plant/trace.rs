//! The steady picture of an operating point: what stands on Vout and on the switch node over time, to the nanosecond.
//!
//! The inductor's current is piecewise linear, so the output capacitor's voltage is piecewise quadratic:
//! `v(t) = vc + r (i(t) - Io)`, `C dvc/dt = i(t) - Io`. Every pulse carries exactly the charge of its own period, so the
//! period's jitter does not add up in the capacitor. Spikes are added at both edges. Time zero is a turn-on of the switch.
//!
//! Limits: no transients (soft start, load steps, hiccup bursts are drawn as the point they pass through at that moment);
//! records longer than [`LONGEST_S`] are drawn with the phase of every sample at random, which is what so slow a sampling
//! of so fast a ripple gives.

use super::board::{Board, Filter};
use super::buck::{Mode, Operating};
use super::filter::{LowPass, WARM_UP_S};
use super::noise::Generator;
use super::spikes::{Kernels, peaks_v};

/// The longest record whose pulses are drawn one by one.
const LONGEST_S: f64 = 0.1;
/// Grid of the filtered ripple.
const FILTER_GRID_S: f64 = 40e-9;
/// Transition of the switch node.
const EDGE_S: f64 = 8e-9;
/// Ringing of the switch node around Vout once the diode has stopped.
const IDLE_RING_HZ: f64 = 450e3;
const IDLE_RING_DECAY_S: f64 = 2.5e-6;
/// Ringing on top of the switch node's edges, as a part of the edge.
const EDGE_RING: f64 = 0.06;
const EDGE_RING_HZ: f64 = 32e6;
const EDGE_RING_DECAY_S: f64 = 50e-9;
/// Decay times after which the ringing is over.
const EDGE_RING_LASTS: f64 = 8.0;

/// What a scope channel is wired to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// The node's terminals: Vout.
    Output,
    /// The switch node, LX.
    Switch,
    /// Nothing: the input hangs in the air.
    Open,
}

/// When samples are taken: `start_s` relative to a turn-on of the switch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    pub(crate) start_s: f64,
    pub(crate) step_s: f64,
    pub(crate) count: usize,
}

impl Window {
    fn end_s(&self) -> f64 {
        self.start_s + self.step_s * self.count as f64
    }
    fn time(&self, index: usize) -> f64 {
        self.start_s + self.step_s * index as f64
    }
    /// The first sample at or after `time_s`.
    fn index(&self, time_s: f64) -> usize {
        (((time_s - self.start_s) / self.step_s).ceil().max(0.0) as usize).min(self.count)
    }
}

/// One pulse of the converter.
#[derive(Debug, Clone, Copy)]
struct Pulse {
    at_s: f64,
    on_s: f64,
    off_s: f64,
    period_s: f64,
    peak_a: f64,
    valley_a: f64,
    /// The spikes of this pulse scatter by a per cent or two.
    spike: f64,
}

/// A stretch of the ripple: `a + b u + c u²` from `at_s` on.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    at_s: f64,
    a: f64,
    b: f64,
    c: f64,
}

impl Stretch {
    fn value(&self, time_s: f64) -> f64 {
        let u = time_s - self.at_s;
        self.a + u * (self.b + u * self.c)
    }
}

/// One operating point at one moment, to be looked at through any channel.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) board: Board,
    pub(crate) point: Operating,
    /// Mean of Vout at the node's terminals.
    pub(crate) node_v: f64,
    pub(crate) seed: u64,
    pub(crate) kernels: Kernels,
}

impl Scene {
    /// Volts over `window` at `wire`, seen with one pole at `bandwidth_hz`.
    pub(crate) fn volts(&self, wire: Wire, window: Window, bandwidth_hz: f64) -> Vec<f32> {
        let resting_v = match wire {
            Wire::Output => self.node_v,
            Wire::Switch => self.point.out_v,
            Wire::Open => 0.0,
        };
        let dead = self.point.mode == Mode::Off || wire == Wire::Open;
        let severed = wire == Wire::Output && self.board.filter == Filter::Neither;
        if dead || severed {
            return vec![resting_v as f32; window.count];
        }
        if window.step_s * window.count as f64 > LONGEST_S {
            return self.scattered(wire, window, bandwidth_hz);
        }
        match wire {
            Wire::Switch => self.switch_node(window, bandwidth_hz),
            _ => self.output(window, bandwidth_hz),
        }
    }

    /// Every sample at a random phase.
    fn scattered(&self, wire: Wire, window: Window, bandwidth_hz: f64) -> Vec<f32> {
        let period_s = 1.0 / self.point.pulse_hz;
        let fine = Window { start_s: 0.0, step_s: period_s / 4096.0, count: 4096 };
        let shape = self.volts(wire, fine, bandwidth_hz);
        let mut g = Generator::seeded(self.seed ^ 0x5ca7);
        (0..window.count).map(|_| shape[(g.bits() % 4096) as usize]).collect()
    }

    /// The time after zero at which the signal crosses `level_v` in the wanted direction, if it ever does.
    pub(crate) fn crossing_s(
        &self,
        wire: Wire,
        level_v: f64,
        rising: bool,
        bandwidth_hz: f64,
    ) -> Option<f64> {
        let window = Window { start_s: -0.2e-6, step_s: 4e-9, count: 4096 };
        let level = level_v as f32;
        let volts = self.volts(wire, window, bandwidth_hz);
        let crossed = |pair: &[f32]| {
            if rising { pair[0] < level && level <= pair[1] } else { pair[0] > level && level >= pair[1] }
        };
        volts.windows(2).position(crossed).map(|index| window.time(index + 1))
    }

    /// All pulses that begin in the window or reach into it.
    fn pulses(&self, from_s: f64, to_s: f64) -> Vec<Pulse> {
        let clock_s = 1.0 / self.board.switching_hz;
        let mut forth = Generator::seeded(self.seed ^ 0xf0);
        let mut back = Generator::seeded(self.seed ^ 0xb0);
        let (mut owed_forth, mut owed_back) = (0.0, 0.0);
        let mut pulses = Vec::new();
        let mut at_s = 0.0;
        while at_s > from_s - 2e-6 {
            let pulse = self.pulse(&mut back, &mut owed_back, clock_s);
            at_s -= pulse.period_s;
            pulses.push(Pulse { at_s, ..pulse });
        }
        pulses.reverse();
        at_s = 0.0;
        while at_s < to_s {
            let pulse = self.pulse(&mut forth, &mut owed_forth, clock_s);
            pulses.push(Pulse { at_s, ..pulse });
            at_s += pulse.period_s;
        }
        pulses
    }

    /// The next pulse; its place is filled in by the caller.
    fn pulse(&self, g: &mut Generator, owed: &mut f64, clock_s: f64) -> Pulse {
        let point = &self.point;
        let stretch = 1.0 + self.board.jitter * g.normal();
        let spike = 1.0 + 0.012 * g.normal();
        let (factor, period_s) = match point.mode {
            Mode::Continuous => (stretch, clock_s * stretch),
            // The charge goes with the square of the pulse's size and must be that of the period.
            Mode::Discontinuous => (stretch.sqrt(), clock_s * stretch),
            _ => {
                *owed += 1.0 / (point.pulse_hz * clock_s);
                let clocks = owed.round().max(1.0);
                *owed -= clocks;
                (1.0, clocks * clock_s * stretch)
            }
        };
        let middle_a = (point.peak_a + point.valley_a) / 2.0;
        let swing_a = (point.peak_a - point.valley_a) * factor;
        let continuous = point.mode == Mode::Continuous;
        Pulse {
            at_s: 0.0,
            on_s: point.on_s * factor,
            off_s: point.off_s * factor,
            period_s,
            peak_a: if continuous { middle_a + swing_a / 2.0 } else { swing_a },
            valley_a: if continuous { middle_a - swing_a / 2.0 } else { 0.0 },
            spike,
        }
    }

    /// The ripple at the converter's output, without its mean.
    fn ripple(&self, pulses: &[Pulse]) -> Vec<Stretch> {
        let (c, esr, load_a) = (self.board.output_f, self.board.output_esr_ohm, self.point.out_a);
        let mut stretches = Vec::with_capacity(pulses.len() * 3);
        let (mut held_v, mut area, mut length_s) = (0.0, 0.0, 0.0);
        for pulse in pulses {
            let idle_s = (pulse.period_s - pulse.on_s - pulse.off_s).max(0.0);
            let legs = [
                (pulse.on_s, pulse.valley_a, pulse.peak_a),
                (pulse.off_s, pulse.peak_a, pulse.valley_a),
                (idle_s, 0.0, 0.0),
            ];
            let mut at_s = pulse.at_s;
            for (leg_s, from_a, to_a) in legs {
                if leg_s <= 1e-12 {
                    continue;
                }
                let slope = (to_a - from_a) / leg_s;
                let spare_a = from_a - load_a;
                let stretch = Stretch {
                    at_s,
                    a: held_v + esr * spare_a,
                    b: spare_a / c + esr * slope,
                    c: slope / (2.0 * c),
                };
                // Simpson's rule is exact for a quadratic.
                let middle = stretch.value(at_s + leg_s / 2.0);
                area += leg_s / 6.0 * (stretch.a + 4.0 * middle + stretch.value(at_s + leg_s));
                held_v += (spare_a + slope * leg_s / 2.0) * leg_s / c;
                at_s += leg_s;
                length_s += leg_s;
                stretches.push(stretch);
            }
        }
        let mean_v = if length_s > 0.0 { area / length_s } else { 0.0 };
        for stretch in &mut stretches {
            stretch.a -= mean_v;
        }
        stretches
    }

    fn output(&self, window: Window, bandwidth_hz: f64) -> Vec<f32> {
        let fitted = self.board.filter.is_fitted();
        let lead_s = if fitted { WARM_UP_S } else { 0.0 };
        let pulses = self.pulses(window.start_s - lead_s, window.end_s());
        let stretches = self.ripple(&pulses);
        let mut volts = if fitted {
            self.filtered(&stretches, window)
        } else {
            let mut volts = vec![0.0; window.count];
            fill(&stretches, window, |index, value| volts[index] = value as f32);
            volts
        };
        let mean_v = self.node_v as f32;
        for value in &mut volts {
            *value += mean_v;
        }
        self.add_spikes(&mut volts, &pulses, window, bandwidth_hz);
        volts
    }

    /// The ripple behind the filter, drawn on its own grid and interpolated.
    fn filtered(&self, stretches: &[Stretch], window: Window) -> Vec<f32> {
        let span_s = window.end_s() - window.start_s + WARM_UP_S;
        let count = (span_s / FILTER_GRID_S).ceil() as usize + 2;
        let grid = Window { start_s: window.start_s - WARM_UP_S, step_s: FILTER_GRID_S, count };
        let mut filter = LowPass::of(&self.board, FILTER_GRID_S);
        let mut smooth = vec![0.0f32; count];
        fill(stretches, grid, |index, value| smooth[index] = filter.next(value) as f32);
        (0..window.count)
            .map(|index| {
                let position = (window.time(index) - grid.start_s) / FILTER_GRID_S;
                // A cast to 32 bits is one step of the processor, and so many points are never drawn.
                let below = (position as u32 as usize).min(count - 2);
                smooth[below] + (smooth[below + 1] - smooth[below]) * (position - below as f64) as f32
            })
            .collect()
    }

    fn add_spikes(&self, volts: &mut [f32], pulses: &[Pulse], window: Window, bandwidth_hz: f64) {
        let kernel = self.kernels.seen(&self.board, bandwidth_hz);
        let (on_v, off_v) = peaks_v(&self.board, &self.point);
        for pulse in pulses {
            for (edge_s, peak_v) in [(pulse.at_s, on_v), (pulse.at_s + pulse.on_s, off_v)] {
                let peak = (peak_v * pulse.spike) as f32;
                let range = window.index(edge_s)..window.index(edge_s + kernel.length_s());
                for index in range {
                    volts[index] += peak * kernel.at(window.time(index) - edge_s);
                }
            }
        }
    }

    fn switch_node(&self, window: Window, bandwidth_hz: f64) -> Vec<f32> {
        let pulses = self.pulses(window.start_s, window.end_s());
        let edge_s = EDGE_S.hypot(0.35 / bandwidth_hz);
        let ring = EDGE_RING / (1.0 + (EDGE_RING_HZ / bandwidth_hz).powi(2)).sqrt();
        let mut volts = vec![self.point.out_v as f32; window.count];
        let mut before_v = self.point.out_v;
        for pulse in &pulses {
            before_v = self.draw_pulse(&mut volts, window, pulse, Look { before_v, edge_s, ring });
        }
        volts
    }

    /// Draws one period of the switch node; gives the voltage it ends with.
    fn draw_pulse(&self, volts: &mut [f32], window: Window, pulse: &Pulse, look: Look) -> f64 {
        let (high_v, low_v, out_v) = (self.point.vin_v, -self.board.diode_v, self.point.out_v);
        let rest_v = |idle_s: f64| {
            if idle_s <= 0.0 {
                return low_v;
            }
            let phase = std::f64::consts::TAU * IDLE_RING_HZ * idle_s;
            out_v + (low_v - out_v) * (-idle_s / IDLE_RING_DECAY_S).exp() * phase.cos()
        };
        let switch_ohm = self.board.switch_ohm;
        let (off_at, end_at) = (pulse.at_s + pulse.on_s, pulse.at_s + pulse.period_s);
        let (on_v, peak_v) = (high_v - switch_ohm * pulse.valley_a, high_v - switch_ohm * pulse.peak_a);
        let (middle_s, low_s) = ((pulse.at_s + off_at) / 2.0, off_at + 4.0 * look.edge_s);
        let value = |t: f64| {
            if t < middle_s {
                look.edge(t - pulse.at_s, look.before_v, on_v)
            } else if t < low_s {
                look.edge(t - off_at, peak_v, low_v)
            } else {
                rest_v(t - off_at - pulse.off_s)
            }
        };
        // Between its edges the node stands still: most samples by far.
        let quiet_s = look.quiet_s();
        let still = [
            (pulse.at_s + quiet_s, middle_s, look.edge(quiet_s, look.before_v, on_v)),
            (middle_s, off_at - quiet_s, peak_v),
            (low_s, off_at + pulse.off_s, low_v),
        ];
        let mut index = window.index(pulse.at_s - look.edge_s / 2.0);
        let end = window.index(end_at).max(index);
        for (from_s, to_s, still_v) in still {
            // A sample beside either end may belong to what is beside it.
            let first = window.index(from_s + window.step_s).clamp(index, end);
            let last = window.index(to_s - window.step_s).clamp(first, end);
            (index..first).for_each(|n| volts[n] = value(window.time(n)) as f32);
            volts[first..last].fill(still_v as f32);
            index = last;
        }
        (index..end).for_each(|n| volts[n] = value(window.time(n)) as f32);
        if self.point.mode == Mode::Continuous {
            low_v
        } else {
            rest_v(pulse.period_s - pulse.on_s - pulse.off_s)
        }
    }
}

/// How an edge looks: where it comes from, how long it takes, how much it rings.
#[derive(Debug, Clone, Copy)]
struct Look {
    before_v: f64,
    edge_s: f64,
    ring: f64,
}

impl Look {
    /// So long behind the middle of an edge nothing moves any more, and so long before it nothing moves yet.
    fn quiet_s(&self) -> f64 {
        self.edge_s.max(EDGE_RING_LASTS * EDGE_RING_DECAY_S)
    }

    /// The voltage `after_s` the middle of an edge between two levels.
    fn edge(&self, after_s: f64, from_v: f64, to_v: f64) -> f64 {
        let part = (after_s / self.edge_s + 0.5).clamp(0.0, 1.0);
        let smooth = part * part * (3.0 - 2.0 * part);
        let ringing = if after_s > 0.0 && after_s < EDGE_RING_LASTS * EDGE_RING_DECAY_S {
            self.ring
                * (-after_s / EDGE_RING_DECAY_S).exp()
                * (std::f64::consts::TAU * EDGE_RING_HZ * after_s).sin()
        } else {
            0.0
        };
        from_v + (to_v - from_v) * (smooth + ringing)
    }
}

/// Calls `put` for every sample of the window in order.
fn fill(stretches: &[Stretch], window: Window, mut put: impl FnMut(usize, f64)) {
    for (number, stretch) in stretches.iter().enumerate() {
        let first = if number == 0 { 0 } else { window.index(stretch.at_s) };
        let last = stretches.get(number + 1).map_or(window.count, |next| window.index(next.at_s));
        for index in first..last {
            put(index, stretch.value(window.time(index)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(filter: Filter, vin_v: f64, load_a: f64) -> Scene {
        let board = Board {
            output_v: 5.0,
            switching_hz: 122e3,
            inductance_h: 220e-6,
            output_f: 33e-6,
            output_esr_ohm: 0.13,
            diode_v: 0.4,
            ..Board::of_serial("0007", filter)
        };
        let point = Operating::at(&board, vin_v, 5.0, load_a);
        Scene { board, point, node_v: 5.0, seed: 5, kernels: Kernels::default() }
    }

    const RECORD: Window = Window { start_s: -0.6e-3, step_s: 10e-9, count: 120_000 };

    fn span(volts: &[f32]) -> (f64, f64, f64) {
        let mean = volts.iter().map(|v| f64::from(*v)).sum::<f64>() / volts.len() as f64;
        let low = volts.iter().copied().fold(f32::MAX, f32::min);
        let high = volts.iter().copied().fold(f32::MIN, f32::max);
        (f64::from(low) - mean, f64::from(high) - mean, mean)
    }

    #[test]
    fn the_ripple_without_spikes_is_the_esr_times_the_ripple_current() {
        for (vin_v, load_a, wanted_v) in [(24.0, 0.5, 0.0204), (18.0, 0.25, 0.0185), (12.5, 0.1, 0.0150)] {
            let mut scene = scene(Filter::Bridged, vin_v, load_a);
            scene.board.spike_on_v = 0.0;
            scene.board.spike_off_v = 0.0;
            let (low, high, mean) = span(&scene.volts(Wire::Output, RECORD, 100e6));
            let ripple_pp_v = high - low;
            assert!((ripple_pp_v / wanted_v - 1.0).abs() < 0.06, "{vin_v} V: {ripple_pp_v}");
            assert!((mean - 5.0).abs() < 1e-4);
        }
    }

    #[test]
    fn spikes_stand_at_one_and_a_half_volts_whatever_load_and_input() {
        for (vin_v, load_a) in [(24.0, 0.5), (24.0, 0.03), (13.0, 0.5), (13.0, 0.1)] {
            let (low, high, _) =
                span(&scene(Filter::Bridged, vin_v, load_a).volts(Wire::Output, RECORD, 100e6));
            assert!(
                (1.3..1.75).contains(&high) && (-1.75..-1.3).contains(&low),
                "{vin_v} {load_a}: {low} {high}"
            );
        }
    }

    #[test]
    fn the_filter_takes_the_spikes_down_by_about_forty_decibels() {
        let bridged = span(&scene(Filter::Bridged, 24.0, 0.5).volts(Wire::Output, RECORD, 20e6));
        let fitted = span(&scene(Filter::Fitted, 24.0, 0.5).volts(Wire::Output, RECORD, 20e6));
        let decibels = 20.0 * ((bridged.1 - bridged.0) / (fitted.1 - fitted.0)).log10();
        assert!((36.0..45.0).contains(&decibels), "{decibels}");
        assert!((0.010..0.060).contains(&(fitted.1 - fitted.0)), "{fitted:?}");
    }

    #[test]
    fn without_filter_and_bridge_the_node_gets_nothing_while_the_switch_node_switches() {
        let mut scene = scene(Filter::Neither, 24.0, 0.001);
        scene.node_v = 0.0;
        assert!(scene.volts(Wire::Output, RECORD, 100e6).iter().all(|v| *v == 0.0));
        assert!(span(&scene.volts(Wire::Switch, RECORD, 100e6)).1 > 15.0);
    }

    #[test]
    fn the_switch_node_stands_between_the_diode_and_the_input_and_rings_around_vout_when_idle() {
        let volts = scene(Filter::Bridged, 24.0, 0.03).volts(Wire::Switch, RECORD, 100e6);
        let (low, high, mean) = span(&volts);
        assert!(
            (23.5..26.0).contains(&(high + mean)) && (-2.5..-0.3).contains(&(low + mean)),
            "{low} {high} {mean}"
        );
        assert!(volts.iter().any(|v| (8.5..9.8).contains(v)), "it rings up to about twice Vout");
        let full = scene(Filter::Bridged, 24.0, 0.5).volts(Wire::Switch, RECORD, 100e6);
        let above = full.iter().filter(|v| **v > 12.0).count() as f64 / full.len() as f64;
        assert!((0.21..0.25).contains(&above), "duty {above}");
    }

    #[test]
    fn the_mean_period_is_that_of_the_clock_and_jitters_by_a_fifth_of_a_per_cent() {
        let scene = scene(Filter::Bridged, 24.0, 0.5);
        let pulses = scene.pulses(-0.6e-3, 0.6e-3);
        let periods: Vec<f64> = pulses.windows(2).map(|pair| pair[1].at_s - pair[0].at_s).collect();
        let mean_s = periods.iter().sum::<f64>() / periods.len() as f64;
        assert!((mean_s * 122e3 - 1.0).abs() < 1e-3);
        let spread = crate::base::stats::std_dev(&periods, 1).unwrap() / mean_s;
        assert!((0.001..0.0035).contains(&spread), "{spread}");
    }

    #[test]
    fn skipped_pulses_lie_on_the_clock_and_carry_the_load() {
        let scene = scene(Filter::Bridged, 24.0, 0.002);
        let pulses = scene.pulses(0.0, 0.05);
        let rate = pulses.len() as f64 / 0.05;
        assert!((rate / scene.point.pulse_hz - 1.0).abs() < 0.02, "{rate}");
        let long = Window { start_s: 0.0, step_s: 1e-6, count: 50_000 };
        let (low, high, _) = span(&scene.volts(Wire::Output, long, 100e6));
        assert!(high - low < 4.0, "the capacitor does not run away: {low} {high}");
    }

    #[test]
    fn a_trigger_is_found_where_the_signal_crosses_and_nowhere_else() {
        let scene = scene(Filter::Bridged, 24.0, 0.5);
        let at_s = scene.crossing_s(Wire::Switch, 12.0, true, 100e6).unwrap();
        assert!(at_s.abs() < 10e-9, "{at_s}");
        assert_eq!(scene.crossing_s(Wire::Switch, 40.0, true, 100e6), None);
        assert!(scene.crossing_s(Wire::Output, 6.0, true, 100e6).is_some());
    }
}
