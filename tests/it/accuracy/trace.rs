//! A converter whose output is written down from first principles: what the scope would have seen of a ripple, spikes, noise
//! and jitter that are known, because they were put in.

use soakrig::base::random::Random;
use soakrig::waveform::{
    Acquisition, Codes, Coupling, Pair, Scaling, SteadyState, Waveform, measure, measure_one,
};
use std::f64::consts::TAU;

/// Mean of the output.
pub(super) const VOUT_V: f64 = 5.0;
/// The diode's drop: the switch node's low state.
pub(super) const DIODE_V: f64 = 0.4;
/// 121.7 kHz: no whole number of samples at any rate used, so that the samples slide over the cycle.
pub(super) const PERIOD_S: f64 = 1.0 / 121.7e3;
/// Ringing of the spikes, and the time in which it falls to 1/e.
pub(super) const RING_HZ: f64 = 12e6;
pub(super) const DECAY_S: f64 = 120e-9;
/// Slope of the switch node.
pub(super) const SLOPE_S: f64 = 20e-9;
/// Time constant of the output capacitor with its series resistance: longer than half of any segment, so that the extremes
/// of the ripple in continuous conduction stand on the edges and the ripple is the resistance times the current exactly.
pub(super) const ESR_S: f64 = 4.3e-6;
/// Noise of the switch node's channel.
const LX_NOISE_V: f64 = 30e-3;
const SPAN_S: f64 = 600e-6;
/// Cycles between the pulses where pulses are skipped, in turn.
const GAPS: [usize; 4] = [2, 3, 2, 4];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Continuous,
    Discontinuous,
    Skipping,
}

/// How it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// As in a run: 8 bits twice, narrow and AC-coupled for the ripple, wide for the spikes.
    Twice,
    /// Once with so many bits, in a range that holds everything.
    Once(u32),
    /// As a file from elsewhere holds it: floating-point volts, without a converter's grid.
    Float,
}

/// One cell of the design.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Made {
    pub(super) mode: Mode,
    pub(super) look: Look,
    pub(super) rate_hz: f64,
    /// On-time in continuous conduction, as a part of the period; it sets the input voltage.
    pub(super) duty: f64,
    /// Peak to peak of the ripple of the series resistance.
    pub(super) ripple_v: f64,
    /// Start amplitude of the damped sine at a rise; its negative at a fall.
    pub(super) spike_v: f64,
    /// Sigma of the noise.
    pub(super) noise_v: f64,
    /// Sigma of each period, independent of the others.
    pub(super) jitter_s: f64,
    /// The mean rises by this much over the record.
    pub(super) ramp_v: f64,
    pub(super) seed: u64,
}

/// Deterministic noise: the same trace on every machine.
pub(crate) struct Dice(Random);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Random::seeded(seed))
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        self.0.fraction()
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }

    pub(super) fn choose<T: Copy>(&mut self, among: &[T]) -> T {
        among[((self.uniform() * among.len() as f64) as usize).min(among.len() - 1)]
    }
}

/// A damped sine after an edge.
pub(super) fn ringing_v(since_s: f64) -> f64 {
    if since_s < 0.0 { 0.0 } else { (-since_s / DECAY_S).exp() * (TAU * RING_HZ * since_s).sin() }
}

impl Made {
    pub(super) fn vin_v(&self) -> f64 {
        (VOUT_V + DIODE_V) / self.duty - DIODE_V
    }

    /// On-time as a part of the period.
    pub(super) fn on(&self) -> f64 {
        if self.mode == Mode::Continuous { self.duty } else { 0.6 * self.duty }
    }

    /// The part of the period in which the diode conducts; the inductor's volt-seconds balance.
    pub(super) fn diode(&self) -> f64 {
        if self.mode == Mode::Continuous {
            1.0 - self.duty
        } else {
            self.on() * (self.vin_v() - VOUT_V) / (VOUT_V + DIODE_V)
        }
    }

    /// Length of the segments of the current: up, down, none.
    pub(super) fn segments(&self) -> [f64; 3] {
        [self.on(), self.diode(), (1.0 - self.on() - self.diode()).max(0.0)]
    }

    /// Mean of the current over a period, its top being 1.
    pub(super) fn mean_current(&self) -> f64 {
        0.5 * (self.on() + self.diode())
    }

    /// The inductor's current, 0 to 1, and the charge since the rise less that of the mean current.
    fn current_and_charge(&self, phase: f64) -> (f64, f64) {
        let [on, diode, _] = self.segments();
        let mean = self.mean_current();
        if phase < on {
            (phase / on, 0.5 * phase * phase / on - mean * phase)
        } else if phase < on + diode {
            let past = phase - on;
            (1.0 - past / diode, 0.5 * on + past - 0.5 * past * past / diode - mean * phase)
        } else {
            (0.0, mean - mean * phase)
        }
    }

    /// Mean of that charge over a period.
    fn mean_charge(&self) -> f64 {
        let [on, diode, idle] = self.segments();
        let (mean, both) = (self.mean_current(), on + diode);
        let up = on * on / 6.0;
        let down = 0.5 * on * diode + diode * diode / 3.0;
        up + down + mean * idle - 0.5 * mean * (both + idle).powi(2)
    }

    /// The ripple at a part of the period, about its mean: series resistance and capacitor.
    pub(super) fn ripple_at(&self, phase: f64) -> f64 {
        let (current, charge) = self.current_and_charge(phase);
        let lag = PERIOD_S / ESR_S;
        self.ripple_v * (current - self.mean_current() + (charge - self.mean_charge()) * lag)
    }

    /// Spikes of this cycle's rise and fall, and what is left of the fall before.
    pub(super) fn spikes_at(&self, since_s: f64, period_s: f64) -> f64 {
        let fall_s = since_s - self.on() * period_s;
        self.spike_v * (ringing_v(since_s) - ringing_v(fall_s) - ringing_v(fall_s + period_s))
    }

    fn lx_at(&self, since_s: f64, period_s: f64, before_v: f64) -> f64 {
        let vin_v = self.vin_v();
        let slope = |from_v: f64, to_v: f64, s: f64| from_v + (to_v - from_v) * (s / SLOPE_S).min(1.0);
        let fall_s = since_s - self.on() * period_s;
        if fall_s < 0.0 {
            slope(before_v, vin_v, since_s)
        } else if fall_s < SLOPE_S {
            slope(vin_v, -DIODE_V, fall_s)
        } else {
            let idle_s = fall_s - self.diode() * period_s;
            if self.mode == Mode::Continuous || idle_s < 0.0 { -DIODE_V } else { idle_v(idle_s) }
        }
    }

    pub(super) fn samples(&self) -> usize {
        (SPAN_S * self.rate_hz).round() as usize
    }

    /// Start of every cycle that carries a pulse, and the length of its period.
    pub(super) fn cycles(&self) -> Vec<(f64, f64)> {
        let mut dice = Dice::seeded(self.seed ^ 0xC7C1E);
        let (mut at_s, mut cycles) = (-1.3 * PERIOD_S, Vec::new());
        let mut gaps = GAPS.iter().cycle();
        while at_s < SPAN_S {
            let period_s = PERIOD_S + self.jitter_s * dice.normal();
            cycles.push((at_s, period_s));
            at_s += period_s;
            if self.mode == Mode::Skipping {
                at_s += (gaps.next().copied().unwrap_or(2) - 1) as f64 * PERIOD_S;
            }
        }
        cycles
    }

    /// Instants at which the switch node passes half of its swing upwards within the record.
    pub(super) fn rises_s(&self) -> Vec<f64> {
        let within = |s: &f64| (0.0..SPAN_S - SLOPE_S).contains(s);
        self.cycles().iter().map(|(start_s, _)| start_s + SLOPE_S / 2.0).filter(within).collect()
    }

    /// Output and switch node in volts, with noise, not yet digitised.
    pub(super) fn volts(&self) -> (Vec<f64>, Vec<f64>) {
        let mut dice = Dice::seeded(self.seed);
        let (mut vout, mut lx) = (Vec::new(), Vec::new());
        let cycles = self.cycles();
        let mut cycle = 0;
        let idle_before_v = |gap_s: f64| if self.mode == Mode::Continuous { -DIODE_V } else { idle_v(gap_s) };
        for index in 0..self.samples() {
            let time_s = index as f64 / self.rate_hz;
            while cycles.get(cycle + 1).is_some_and(|(start_s, _)| *start_s <= time_s) {
                cycle += 1;
            }
            let (start_s, period_s) = cycles[cycle];
            let since_s = time_s - start_s;
            let before_v = match cycle.checked_sub(1).map(|before| cycles[before]) {
                Some((s, period_s)) => idle_before_v(start_s - s - (self.on() + self.diode()) * period_s),
                None => idle_before_v(0.4 * period_s),
            };
            let ramp_v = self.ramp_v * (time_s / SPAN_S - 0.5);
            // Between pulses the output stands where the cycle ended.
            let ripple_v = self.ripple_at((since_s / period_s).min(1.0));
            let clean_v = VOUT_V + ramp_v + ripple_v + self.spikes_at(since_s, period_s);
            vout.push(clean_v + self.noise_v * dice.normal());
            lx.push(self.lx_at(since_s, period_s, before_v) + LX_NOISE_V * dice.normal());
        }
        (vout, lx)
    }

    /// Half of the range that holds everything.
    fn half_wide_v(&self) -> f64 {
        1.15 * self.spike_v + self.ripple_v + self.ramp_v + 8.0 * self.noise_v + 5e-3
    }

    /// Half of the range around the ripple alone; spikes leave it.
    fn half_narrow_v(&self) -> f64 {
        self.ripple_v + self.ramp_v + 6.0 * self.noise_v
    }

    /// Volts of one step of the acquisition that shows the ripple, and of the one that shows the spikes.
    pub(super) fn steps_v(&self) -> (f64, f64) {
        let wide = |bits: u32| 2.0 * self.half_wide_v() / f64::from(1_u32 << bits);
        match self.look {
            Look::Twice => (2.0 * self.half_narrow_v() / 256.0, wide(8)),
            Look::Once(bits) => (wide(bits), wide(bits)),
            Look::Float => (wide(16), wide(16)),
        }
    }

    /// Everything that the program makes of it.
    pub(super) fn measured(&self) -> SteadyState {
        let captures = self.captures();
        let pairs: Vec<Pair<'_>> = captures.iter().map(|(vout, lx)| Pair { vout, lx: Some(lx) }).collect();
        match pairs.as_slice() {
            [narrow, wide] => measure(Some(narrow), Some(wide)),
            [only] => measure_one(only),
            _ => panic!("one or two acquisitions"),
        }
    }

    /// Its acquisitions, output and switch node each.
    pub(super) fn captures(&self) -> Vec<(Waveform, Waveform)> {
        let (vout, lx) = self.volts();
        let lx_of = |bits: u32, purpose: &str| {
            let step_v = 1.3 * self.vin_v() / f64::from(1_u32 << bits);
            let lx_range = Range {
                signal: "lx",
                purpose,
                step_v,
                bits,
                coupling: Coupling::Dc,
                center_v: self.vin_v() / 2.0,
            };
            self.digitised(&lx, &lx_range)
        };
        let (fine_v, wide_v) = self.steps_v();
        let range = |purpose, step_v, bits, coupling| Range {
            signal: "vout",
            purpose,
            step_v,
            bits,
            coupling,
            center_v: if coupling == Coupling::Ac { 0.0 } else { VOUT_V },
        };
        match self.look {
            Look::Twice => {
                let ac: Vec<f64> = vout.iter().map(|v| v - VOUT_V).collect();
                vec![
                    (self.digitised(&ac, &range("ripple", fine_v, 8, Coupling::Ac)), lx_of(8, "ripple")),
                    (self.digitised(&vout, &range("spikes", wide_v, 8, Coupling::Dc)), lx_of(8, "spikes")),
                ]
            }
            Look::Once(bits) => {
                let vout = self.digitised(&vout, &range("spikes", wide_v, bits, Coupling::Dc));
                vec![(vout, lx_of(bits, "spikes"))]
            }
            Look::Float => {
                let trace = |signal, volts| Waveform::of_volts(signal, volts, self.rate_hz);
                vec![(trace("vout", vout), trace("lx", lx))]
            }
        }
    }

    fn digitised(&self, volts: &[f64], range: &Range<'_>) -> Waveform {
        let half = f64::from(1_u32 << (range.bits - 1));
        let code = |v: &f64| ((v - range.center_v) / range.step_v).round().clamp(-half, half - 1.0);
        let (codes, zero_code) = if range.bits == 8 {
            (Codes::U8(volts.iter().map(|v| (code(v) + 128.0) as u8).collect()), 128.0)
        } else {
            (Codes::I16(volts.iter().map(|v| code(v) as i16).collect()), 0.0)
        };
        Waveform {
            acquisition: Acquisition {
                signal: range.signal.to_owned(),
                channel: 1,
                coupling: range.coupling,
                bandwidth_limit_hz: None,
                probe_ratio: 10.0,
                fixture: "tip_barrel".to_owned(),
                volts_per_div: range.step_v * 2.0 * half / 10.0,
                offset_v: range.center_v,
                memory_depth: volts.len(),
                purpose: range.purpose.to_owned(),
                range_note: None,
            },
            codes,
            scaling: Scaling {
                volts_per_code: range.step_v,
                zero_code,
                offset_v: range.center_v,
                min_code: (zero_code - half) as i32,
                max_code: (zero_code + half) as i32 - 1,
            },
            start_s: 0.0,
            step_s: 1.0 / self.rate_hz,
        }
    }
}

/// The empty inductor rings with the node's capacitance about the output.
fn idle_v(idle_s: f64) -> f64 {
    VOUT_V - (VOUT_V + DIODE_V) * (-idle_s / 3e-6).exp() * (TAU * 600e3 * idle_s).cos()
}

struct Range<'a> {
    signal: &'a str,
    purpose: &'a str,
    step_v: f64,
    bits: u32,
    coupling: Coupling,
    center_v: f64,
}
