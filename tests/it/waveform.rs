//! The figures of a trace: made-up traces whose truth is a closed form, every trap of `docs/measurements.md`, and traces that
//! no instrument should send.

use crate::accuracy::trace::Dice;
use proptest::prelude::*;
use soakrig::waveform::density::{build_fold, find_cycles};
use soakrig::waveform::overview::build_overview;
use soakrig::waveform::spikes::find_worst_spike;
use soakrig::waveform::{
    Acquisition, Bound, Codes, Conduction, Coupling, Pair, PeriodSource, RippleMethod, Scaling, SteadyState,
    Terms, Waveform, measure, measure_one, measure_with,
};
use std::f64::consts::{PI, TAU};

/// A converter whose output is written down instead of simulated.
#[derive(Debug, Clone)]
struct Made {
    rate_hz: f64,
    samples: usize,
    period_s: f64,
    duty: f64,
    /// Part of the period in which the diode conducts; `1 - duty` is continuous conduction.
    diode: f64,
    /// Sigma of each period, independent of the others.
    jitter_s: f64,
    vin_v: f64,
    vout_v: f64,
    /// The ripple in the shape of the inductor's current, peak to peak.
    ripple_v: f64,
    /// Start amplitude of the damped sine after each edge.
    spike_v: f64,
    ring_hz: f64,
    /// A flat kick this high in the 60 ns after a rising edge, and its negative after a falling one.
    kick_v: f64,
    noise_v: f64,
    drift_v: f64,
    /// One period in so many carries a pulse, the others are left out.
    one_in: usize,
}

/// How it is looked at.
#[derive(Debug, Clone)]
struct Range {
    step_v: f64,
    bits: u8,
    coupling: Coupling,
    purpose: &'static str,
}

const NARROW: Range = Range { step_v: 0.4e-3, bits: 8, coupling: Coupling::Ac, purpose: "ripple" };
const WIDE: Range = Range { step_v: 40e-3, bits: 8, coupling: Coupling::Dc, purpose: "spikes" };
/// Numbers as a file from elsewhere holds them: volts on no grid.
const NUMBERS: Range = Range { step_v: 0.25e-3, bits: 32, coupling: Coupling::Dc, purpose: "ripple" };
const FINE: Range = Range { step_v: 0.25e-3, bits: 16, coupling: Coupling::Dc, purpose: "ripple" };

impl Default for Made {
    fn default() -> Self {
        Self {
            rate_hz: 100e6,
            samples: 120_000,
            period_s: 1.0 / 122e3,
            duty: 0.435,
            diode: 0.565,
            jitter_s: 0.0,
            vin_v: 24.0,
            vout_v: 5.0,
            ripple_v: 16e-3,
            spike_v: 0.0,
            ring_hz: 15e6,
            kick_v: 0.0,
            noise_v: 0.5e-3,
            drift_v: 0.0,
            one_in: 1,
        }
    }
}

const RING_DECAY_S: f64 = 120e-9;

impl Made {
    /// The inductor's current over one period, 0 to 1, at a part of it.
    fn current(&self, phase: f64) -> f64 {
        if phase < self.duty { phase / self.duty } else { (1.0 - (phase - self.duty) / self.diode).max(0.0) }
    }

    fn is_continuous(&self) -> bool {
        self.duty + self.diode > 0.999
    }

    fn lx_v(&self, phase: f64, period_s: f64) -> f64 {
        let idle_s = (phase - self.duty - self.diode) * period_s;
        if phase < self.duty {
            self.vin_v
        } else if idle_s < 0.0 {
            -0.4
        } else {
            // The empty inductor rings with the node's capacitance about the output.
            self.vout_v - (self.vout_v + 0.4) * (-idle_s / 3e-6).exp() * (TAU * 600e3 * idle_s).cos()
        }
    }

    fn spikes_v(&self, since_s: f64) -> f64 {
        let ring = self.spike_v * (-since_s / RING_DECAY_S).exp() * (TAU * self.ring_hz * since_s).sin();
        ring + if since_s < 60e-9 { self.kick_v } else { 0.0 }
    }

    /// Output and switch node in volts.
    fn volts(&self) -> (Vec<f64>, Vec<f64>) {
        let mut dice = Dice::seeded(20_261_123);
        let (mut vout, mut lx) = (Vec::new(), Vec::new());
        let (mut start_s, mut period_s, mut cycle) = (-0.3 * self.period_s, self.period_s, 0_usize);
        for index in 0..self.samples {
            let time_s = index as f64 / self.rate_hz;
            while time_s >= start_s + period_s {
                start_s += period_s;
                period_s = self.period_s + self.jitter_s * dice.normal();
                cycle += 1;
            }
            let since_s = time_s - start_s;
            let phase = since_s / period_s;
            let drift_v = self.drift_v * (index as f64 / self.samples as f64 - 0.5);
            let noise_v = self.noise_v * dice.normal();
            if cycle % self.one_in != 0 {
                vout.push(self.vout_v + drift_v + noise_v);
                lx.push(self.vout_v);
                continue;
            }
            let off_s = since_s - self.duty * period_s;
            let mut spikes_v = self.spikes_v(since_s);
            if off_s >= 0.0 {
                spikes_v -= self.spikes_v(off_s);
            }
            vout.push(self.vout_v + self.ripple_v * self.current(phase) + drift_v + noise_v + spikes_v);
            // Slopes of 30 ns on the switch node: edges lie between samples.
            let before_v = if self.is_continuous() { -0.4 } else { self.lx_v(0.9999, period_s) };
            let slope =
                |before_v: f64, after_v: f64, s: f64| before_v + (after_v - before_v) * (s / 30e-9).min(1.0);
            lx.push(if off_s < 0.0 {
                slope(before_v, self.vin_v, since_s)
            } else if off_s < 30e-9 {
                slope(self.vin_v, -0.4, off_s)
            } else {
                self.lx_v(phase, period_s)
            });
        }
        (vout, lx)
    }

    fn capture(&self, range: &Range) -> (Waveform, Waveform) {
        let (mut vout, lx) = self.volts();
        if range.coupling == Coupling::Ac {
            vout.iter_mut().for_each(|v| *v -= self.vout_v + self.ripple_v * 0.5);
        }
        let center = if range.coupling == Coupling::Ac { 0.0 } else { self.vout_v };
        let lx_range = Range { step_v: 0.2, bits: 8, coupling: Coupling::Dc, purpose: range.purpose };
        (
            quantise(&vout, range, center, ("vout", self.rate_hz)),
            quantise(&lx, &lx_range, 12.0, ("lx", self.rate_hz)),
        )
    }

    fn measure_on(&self, range: &Range) -> SteadyState {
        let (vout, lx) = self.capture(range);
        measure_one(&Pair { vout: &vout, lx: Some(&lx) })
    }

    fn measure_twice(&self) -> SteadyState {
        let (narrow, wide) = (self.capture(&NARROW), self.capture(&WIDE));
        measure(
            Some(&Pair { vout: &narrow.0, lx: Some(&narrow.1) }),
            Some(&Pair { vout: &wide.0, lx: Some(&wide.1) }),
        )
    }

    /// Twice the amplitude of the fundamental of a piecewise linear curve: the sum of its slope changes as phasors.
    fn true_fundamental_v(&self) -> f64 {
        let (up, down) = (self.ripple_v / self.duty, self.ripple_v / self.diode);
        let before = if self.is_continuous() { -down } else { 0.0 };
        let after = before;
        let changes = [(0.0, up - before), (self.duty, -down - up), (self.duty + self.diode, after + down)];
        let (mut re, mut im) = (0.0, 0.0);
        for (phase, change) in changes {
            re += change * (TAU * phase).cos();
            im += change * (TAU * phase).sin();
        }
        2.0 * 2.0 * re.hypot(im) / (TAU * TAU)
    }

    /// Highest point of the damped sine.
    fn true_spike_v(&self) -> f64 {
        let (omega, decay) = (TAU * self.ring_hz, 1.0 / RING_DECAY_S);
        let peak_s = (omega / decay).atan() / omega;
        self.spike_v * (-peak_s * decay).exp() * (omega * peak_s).sin()
    }
}

fn quantise(volts: &[f64], range: &Range, center_v: f64, (signal, rate_hz): (&str, f64)) -> Waveform {
    let code = |v: &f64, half: f64| ((v - center_v) / range.step_v).round().clamp(-half, half - 1.0);
    let (codes, zero_code, min_code, max_code) = if range.bits == 8 {
        (Codes::U8(volts.iter().map(|v| (code(v, 128.0) + 128.0) as u8).collect()), 128.0, 0, 255)
    } else if range.bits == 32 {
        (Codes::F32(volts.iter().map(|v| *v as f32).collect()), 0.0, i32::MIN, i32::MAX)
    } else {
        (Codes::I16(volts.iter().map(|v| code(v, 32768.0) as i16).collect()), 0.0, -32768, 32767)
    };
    Waveform {
        acquisition: Acquisition {
            signal: signal.to_owned(),
            channel: 1,
            coupling: range.coupling,
            bandwidth_limit_hz: None,
            probe_ratio: 10.0,
            fixture: "tip_barrel".to_owned(),
            volts_per_div: range.step_v * 25.0,
            offset_v: center_v,
            memory_depth: volts.len(),
            purpose: range.purpose.to_owned(),
            range_note: None,
        },
        codes,
        scaling: if range.bits == 32 {
            Scaling { volts_per_code: 1.0, zero_code, offset_v: 0.0, min_code, max_code }
        } else {
            Scaling { volts_per_code: range.step_v, zero_code, offset_v: center_v, min_code, max_code }
        },
        start_s: 0.0,
        step_s: 1.0 / rate_hz,
    }
}

/// The converter at 12 V, 18 V and 24 V, and at 30 mA where the inductor empties within the cycle.
fn at_12v() -> Made {
    Made { vin_v: 12.0, ..Made::default() }
}
fn at_24v() -> Made {
    Made { duty: 0.221, diode: 0.779, ripple_v: 20e-3, ..Made::default() }
}
fn at_24v_light() -> Made {
    Made { duty: 0.136, diode: 0.48, ripple_v: 13e-3, ..Made::default() }
}

/// One cell of the frozen table: the figure's name, what was measured and the truth; fails beyond the allowed error.
fn cell(name: &str, figure: &soakrig::waveform::Figure, truth: f64, allowed: f64) -> String {
    // A figure that is not available is as wrong as one that is far off, and says why.
    assert!(figure.is_ok(), "{name}: {figure:?}");
    let value = figure.as_ref().copied().unwrap_or(f64::NAN);
    assert!(
        (value - truth).abs() <= allowed,
        "{name}: measured {value:e}, true {truth:e}, allowed {allowed:e}"
    );
    format!("  {name} {value:.4e} of {truth:.4e}")
}

fn with_spikes(mut made: Made) -> Made {
    made.spike_v = 2.0;
    made
}

/// Name, converter, allowed relative error of its ripple.
fn cases() -> Vec<(&'static str, Made, f64)> {
    vec![
        ("12 V clean", at_12v(), 0.02),
        ("12 V, spikes", with_spikes(at_12v()), 0.04),
        ("12 V, spikes, noise 2 mV", Made { noise_v: 2e-3, ..with_spikes(at_12v()) }, 0.06),
        ("12 V, spikes, jitter 10 ns", Made { jitter_s: 10e-9, ..with_spikes(at_12v()) }, 0.05),
        ("24 V clean", at_24v(), 0.02),
        ("24 V, spikes", with_spikes(at_24v()), 0.05),
        ("24 V, spikes, ripple 1 mV", Made { ripple_v: 1e-3, ..with_spikes(at_24v()) }, 0.25),
        ("24 V, spikes, 250 MSa/s", Made { rate_hz: 250e6, samples: 300_000, ..with_spikes(at_24v()) }, 0.04),
        ("24 V, 30 mA clean", at_24v_light(), 0.02),
        ("24 V, 30 mA, spikes", with_spikes(at_24v_light()), 0.25),
    ]
}

#[test]
fn measured_figures_keep_within_the_allowed_error_of_the_closed_form() {
    let mut rows = String::new();
    for (name, made, part) in cases() {
        let state = made.measure_twice();
        let (method, conduction, truth) = if made.is_continuous() {
            // A fit of a ripple that is hardly over the noise is known too badly at the corners.
            let method = if made.ripple_v > 1e-3 { RippleMethod::Fit } else { RippleMethod::Blank };
            (method, Conduction::Continuous, made.ripple_v)
        } else {
            (RippleMethod::Fundamental, Conduction::Discontinuous, made.true_fundamental_v())
        };
        assert_eq!((state.ripple_method, state.conduction), (Some(method), conduction), "{name}");
        let hz = 1.0 / made.period_s;
        // Independent periods of sigma s leave a mean off by s/sqrt(n).
        let off_hz = hz * (5e-6 + 3.0 * made.jitter_s / made.period_s / 12.0);
        let mean_v = made.vout_v + made.ripple_v * 0.5 * (made.duty + made.diode);
        rows.push_str(&format!("{name:<27}"));
        rows.push_str(&cell("ripple_pp_v", &state.ripple_pp_v, truth, truth * part));
        rows.push_str(&cell("switching_hz", &state.switching_hz, hz, off_hz));
        rows.push_str(&cell("duty", &state.duty, made.duty, 2e-3));
        rows.push_str(&cell("mean_v", &state.mean_v, mean_v, 12e-3));
        if made.jitter_s > 0.0 {
            rows.push_str(&cell("period_std_s", &state.period_std_s, made.jitter_s, 2e-9));
        }
        if made.spike_v > 0.0 {
            let peak = made.true_spike_v();
            let allowed = 0.03 * peak + 3.0 * made.noise_v + made.ripple_v + WIDE.step_v;
            // Spikes less than 1 us apart, tails included, are one: a short on-time joins its two edges.
            let groups = if made.duty * made.period_s < 1.5e-6 { 1.0 } else { 2.0 };
            rows.push_str(&cell("spike_pos_v", &state.spike_pos_v, peak, allowed));
            rows.push_str(&cell("spike_neg_v", &state.spike_neg_v, -peak, allowed));
            rows.push_str(&cell("spike_rate_hz", &state.spike_rate_hz, groups * hz, 0.02 * hz));
        } else {
            rows.push_str(&cell("noise_sigma_v", &state.noise_sigma_v, made.noise_v, 0.4e-3));
        }
        rows.push('\n');
    }
    insta::assert_snapshot!(rows, @r#"
    12 V clean                   ripple_pp_v 1.6137e-2 of 1.6000e-2  switching_hz 1.2200e5 of 1.2200e5  duty 4.3500e-1 of 4.3500e-1  mean_v 5.0000e0 of 5.0080e0  noise_sigma_v 5.9304e-4 of 5.0000e-4
    12 V, spikes                 ripple_pp_v 1.6138e-2 of 1.6000e-2  switching_hz 1.2200e5 of 1.2200e5  duty 4.3500e-1 of 4.3500e-1  mean_v 5.0013e0 of 5.0080e0  spike_pos_v 1.7600e0 of 1.7475e0  spike_neg_v -1.7200e0 of -1.7475e0  spike_rate_hz 2.4417e5 of 2.4400e5
    12 V, spikes, noise 2 mV     ripple_pp_v 1.6201e-2 of 1.6000e-2  switching_hz 1.2200e5 of 1.2200e5  duty 4.3500e-1 of 4.3500e-1  mean_v 5.0014e0 of 5.0080e0  spike_pos_v 1.7600e0 of 1.7475e0  spike_neg_v -1.7200e0 of -1.7475e0  spike_rate_hz 2.4417e5 of 2.4400e5
    12 V, spikes, jitter 10 ns   ripple_pp_v 1.6146e-2 of 1.6000e-2  switching_hz 1.2199e5 of 1.2200e5  duty 4.3500e-1 of 4.3500e-1  mean_v 5.0013e0 of 5.0080e0  period_std_s 9.2300e-9 of 1.0000e-8  spike_pos_v 1.7600e0 of 1.7475e0  spike_neg_v -1.7200e0 of -1.7475e0  spike_rate_hz 2.4417e5 of 2.4400e5
    24 V clean                   ripple_pp_v 2.0267e-2 of 2.0000e-2  switching_hz 1.2200e5 of 1.2200e5  duty 2.2100e-1 of 2.2100e-1  mean_v 5.0004e0 of 5.0100e0  noise_sigma_v 5.9304e-4 of 5.0000e-4
    24 V, spikes                 ripple_pp_v 2.0299e-2 of 2.0000e-2  switching_hz 1.2200e5 of 1.2200e5  duty 2.2100e-1 of 2.2100e-1  mean_v 5.0021e0 of 5.0100e0  spike_pos_v 1.7600e0 of 1.7475e0  spike_neg_v -1.7200e0 of -1.7475e0  spike_rate_hz 2.4333e5 of 2.4400e5
    24 V, spikes, ripple 1 mV    ripple_pp_v 1.1551e-3 of 1.0000e-3  switching_hz 1.2200e5 of 1.2200e5  duty 2.2100e-1 of 2.2100e-1  mean_v 5.0001e0 of 5.0005e0  spike_pos_v 1.7600e0 of 1.7475e0  spike_neg_v -1.7600e0 of -1.7475e0  spike_rate_hz 2.4333e5 of 2.4400e5
    24 V, spikes, 250 MSa/s      ripple_pp_v 2.0198e-2 of 2.0000e-2  switching_hz 1.2200e5 of 1.2200e5  duty 2.2100e-1 of 2.2100e-1  mean_v 5.0021e0 of 5.0100e0  spike_pos_v 1.7600e0 of 1.7475e0  spike_neg_v -1.7200e0 of -1.7475e0  spike_rate_hz 2.4333e5 of 2.4400e5
    24 V, 30 mA clean            ripple_pp_v 1.1214e-2 of 1.1215e-2  switching_hz 1.2200e5 of 1.2200e5  duty 1.3635e-1 of 1.3600e-1  mean_v 5.0000e0 of 5.0040e0  noise_sigma_v 5.9304e-4 of 5.0000e-4
    24 V, 30 mA, spikes          ripple_pp_v 1.0120e-2 of 1.1215e-2  switching_hz 1.2200e5 of 1.2200e5  duty 1.3635e-1 of 1.3600e-1  mean_v 5.0012e0 of 5.0040e0  spike_pos_v 1.7600e0 of 1.7475e0  spike_neg_v -1.7200e0 of -1.7475e0  spike_rate_hz 1.2167e5 of 1.2200e5
    "#);
}

#[test]
fn the_estimators_meet_their_closed_forms_on_a_fine_record() {
    let made = Made { noise_v: 0.2e-3, ..at_24v() };
    let state = made.measure_on(&FINE);
    let mut rows = Vec::new();
    let rms_v = (made.ripple_v.powi(2) / 12.0 + made.noise_v.powi(2) + FINE.step_v.powi(2) / 12.0).sqrt();
    rows.push(cell("rms_ac_v", &state.rms_ac_v, rms_v, 0.01 * rms_v));
    rows.push(cell("ripple_fit_pp_v", &state.ripple_fit_pp_v, made.ripple_v, 0.03 * made.ripple_v));
    // The triangle less its blanked corners: from 1 us after an edge to 0.1 us before the next.
    let (on_s, off_s) = (made.duty * made.period_s, (1.0 - made.duty) * made.period_s);
    let top = 1.0 - (0.1e-6 / on_s).min(1e-6 / off_s);
    let bottom = (0.1e-6 / off_s).min(1e-6 / on_s);
    rows.push(cell("ripple_blank_pp_v", &state.ripple_blank_pp_v, (top - bottom) * made.ripple_v, 0.3e-3));
    let fundamental =
        made.ripple_v * (PI * made.duty).sin() / (PI * PI * made.duty * (1.0 - made.duty)) * 2.0;
    assert!((fundamental / made.true_fundamental_v() - 1.0).abs() < 1e-9);
    rows.push(cell("ripple_fund_pp_v", &state.ripple_fund_pp_v, fundamental, 0.01 * fundamental));
    rows.push(cell("drift_v", &state.drift_v, 0.0, 0.1e-3));
    rows.push(cell("on_time_s", &state.on_time_s, on_s, 2e-9));
    rows.push(cell("low_v", &state.low_v, -0.4, 0.2));
    rows.push(cell("high_v", &state.high_v, 24.0, 0.2));
    rows.push(cell("pulse_hz", &state.pulse_hz, 122e3, 1e3));
    insta::assert_snapshot!(rows.join("\n"), @r#"
    rms_ac_v 5.7737e-3 of 5.7774e-3
    ripple_fit_pp_v 2.0234e-2 of 2.0000e-2
    ripple_blank_pp_v 1.8723e-2 of 1.8583e-2
    ripple_fund_pp_v 1.5063e-2 of 1.5063e-2
    drift_v -1.2929e-5 of 0.0000e0
    on_time_s 1.8115e-6 of 1.8115e-6
    low_v -3.5234e-1 of -4.0000e-1
    high_v 2.3952e1 of 2.4000e1
    pulse_hz 1.2167e5 of 1.2200e5
    "#);
}

/// Trap 1 of `docs/measurements.md`.
#[test]
fn kicks_at_the_edges_falsify_the_fundamental_but_not_the_fit() {
    // A kick against the ripple at each edge, as the switched current makes in the ground's inductance.
    let made = Made { kick_v: -0.35, noise_v: 0.5e-3, ..at_12v() };
    let state = made.measure_on(&FINE);
    let fit = state.ripple_fit_pp_v.clone().unwrap();
    assert!((fit / made.ripple_v - 1.0).abs() < 0.05, "{fit}");
    let fundamental = state.ripple_fund_pp_v.clone().unwrap();
    assert!((fundamental / made.true_fundamental_v() - 1.0).abs() > 0.2, "{fundamental}");
    assert_eq!((state.ripple_method, state.ripple_pp_v), (Some(RippleMethod::Fit), Ok(fit)));
}

/// The other half of trap 1.
#[test]
fn discontinuous_conduction_takes_the_fundamental_and_refuses_the_fit() {
    let state = at_24v_light().measure_on(&FINE);
    assert_eq!(state.ripple_method, Some(RippleMethod::Fundamental));
    assert_eq!(state.ripple_pp_v, state.ripple_fund_pp_v);
    insta::assert_snapshot!(state.ripple_fit_pp_v.unwrap_err(),
        @"discontinuous conduction: the off-time has a kink and ringing outlasts the blanking");
    assert!(state.ripple_blank_pp_v.is_err());
}

#[test]
fn the_spikes_share_in_the_fundamental_is_told() {
    let state = Made { spike_v: 1.5, ..at_24v_light() }.measure_on(&FINE);
    let told = |state: &SteadyState| {
        state.notes.iter().any(|note| note.starts_with("ripple_fund_pp_v holds a share"))
    };
    assert!(told(&state), "{:?}", state.notes);
    assert!(!told(&at_24v_light().measure_on(&FINE)));
}

#[test]
fn an_input_under_twice_the_output_is_told_as_a_third_level_not_counted() {
    let made = Made { vin_v: 9.5, duty: 0.06, diode: 0.14, period_s: 30e-6, ..Made::default() };
    let state = made.measure_on(&FINE);
    let reason = state.switching_hz.unwrap_err().0;
    assert!(reason.starts_with("LX stands at three levels"), "{reason}");
    assert!(state.ripple_pp_v.is_err());
}

#[test]
fn evenly_skipped_pulses_are_not_taken_for_a_low_frequency() {
    let state = Made { one_in: 5, ..at_24v_light() }.measure_on(&FINE);
    assert_eq!(state.conduction, Conduction::Skipping);
    assert!((state.pulse_hz.unwrap() - 122e3 / 5.0).abs() < 900.0);
    assert!(state.duty.is_err());
}

/// Trap 4 of `docs/measurements.md`.
#[test]
fn ringing_that_passes_half_of_the_input_makes_no_edge() {
    let made = Made { vin_v: 15.0, duty: 0.2, diode: 0.4, ripple_v: 12e-3, ..Made::default() };
    let (_, lx) = made.volts();
    let naive = lx.windows(2).filter(|pair| pair[0] < 7.3 && pair[1] >= 7.3).count();
    let state = made.measure_on(&FINE);
    let periods = (made.samples as f64 / made.rate_hz / made.period_s) as usize;
    assert!(naive > periods * 3 / 2, "a plain 50 % crossing counts {naive} edges in {periods} periods");
    assert!((state.switching_hz.unwrap() - 122e3).abs() < 1.0);
    assert_eq!(state.conduction, Conduction::Discontinuous);
}

/// Trap 5 of `docs/measurements.md`.
#[test]
fn the_mean_over_cycles_resolves_less_than_a_step() {
    let made = Made { ripple_v: 3e-3, noise_v: 1.5e-3, ..at_12v() };
    let state = made.measure_on(&Range { step_v: 2e-3, ..NARROW });
    let fit = state.ripple_pp_v.unwrap();
    assert!((fit - 3e-3).abs() < 0.4e-3, "{fit}");
    assert!(
        state.notes.iter().any(|note| note.starts_with("the range is wide for the ripple: ")),
        "{:?}",
        state.notes
    );
}

/// Trap 6 of `docs/measurements.md`.
#[test]
fn a_20_megahertz_pole_takes_little_of_a_spike_that_rings_at_17() {
    let parts = |ring_hz: f64| {
        let made = Made { spike_v: 2.0, ring_hz, ..at_24v() };
        let state = made.measure_on(&FINE);
        let full = state.noise_pp_full_v.unwrap();
        [state.noise_pp_20mhz_v, state.noise_pp_20mhz_k2_v, state.noise_pp_20mhz_k4_v]
            .map(|limited| limited.unwrap() / full)
    };
    // A steady sine at 17 MHz keeps 76 % behind one pole.
    let [one, _, _] = parts(17e6);
    assert!((0.6..0.85).contains(&one), "{one}");
    // Twice the corner tells the poles apart, 45, 24 and 6 % of a steady sine; the main value is that of one.
    let [one, two, four] = parts(40e6);
    assert!((0.35..0.6).contains(&one) && two < 0.9 * one && four < 0.8 * one, "{one} {two} {four}");
}

/// Trap 7 of `docs/measurements.md`.
#[test]
fn one_wide_record_hides_the_ripple_and_two_records_show_both() {
    let made = Made { spike_v: 2.0, noise_v: 0.3e-3, ..at_24v() };
    let alone = made.measure_on(&WIDE);
    assert_eq!(alone.ripple_method, None);
    insta::assert_snapshot!(alone.ripple_pp_v.unwrap_err(), @r#"
    the ripple is hidden: the spikes acquisition (DC, 1000 mV/div) has steps of 40.00 mV and no noise that would carry it across them
    "#);
    let both = made.measure_twice();
    assert!((both.ripple_pp_v.clone().unwrap() / made.ripple_v - 1.0).abs() < 0.05);
    assert!((both.spike_pos_v.clone().unwrap() / made.true_spike_v() - 1.0).abs() < 0.06);
    insta::assert_snapshot!(both.notes.join("\n"), @r#"
    mean_v is known to 20.0 mV only: without noise to carry it, half a step of the spikes acquisition (DC, 1000 mV/div) is the least it shows
    the 20 MHz figures and rms_ac_v come from the spikes acquisition (DC, 1000 mV/div): spikes leave the range of the ripple acquisition (AC, 10 mV/div) (10569 of 120000 samples)
    10569 of 120000 samples of the ripple acquisition (AC, 10 mV/div) are clipped; they lie at the edges, which the ripple leaves out
    "#);
}

#[test]
fn clipped_spikes_are_no_figure_when_only_the_narrow_record_is_there() {
    let made = Made { spike_v: 2.0, ..at_24v() };
    let (vout, lx) = made.capture(&NARROW);
    let state = measure(Some(&Pair { vout: &vout, lx: Some(&lx) }), None);
    for figure in [&state.spike_pos_v, &state.spike_neg_v, &state.noise_pp_full_v, &state.noise_pp_20mhz_v] {
        assert!(figure.as_ref().unwrap_err().0.contains("are clipped"), "{figure:?}");
    }
    assert!(state.ripple_pp_v.is_ok());
    insta::assert_snapshot!(state.mean_v.unwrap_err(),
        @"the capture is AC-coupled: the mean is taken away before the converter");
}

#[test]
fn ripple_that_leaves_the_range_between_the_edges_is_refused() {
    let made = Made { ripple_v: 0.2, ..at_12v() };
    let state = made.measure_on(&NARROW);
    assert_eq!(state.ripple_method, None);
    assert!(state.ripple_pp_v.unwrap_err().0.contains("samples between the edges are clipped"));
}

/// Trap 8 of `docs/measurements.md`.
#[test]
fn drift_within_the_record_is_told() {
    let state = Made { drift_v: 20e-3, ..at_24v() }.measure_on(&FINE);
    assert!((state.drift_v.unwrap() - 10e-3).abs() < 0.2e-3);
    assert!(state.notes.iter().any(|note| note.contains("it had not settled")), "{:?}", state.notes);
}

#[test]
fn a_dead_board_has_no_frequency_and_says_where_its_switch_node_stays() {
    let made = Made { vin_v: 0.0, vout_v: 0.0, ripple_v: 0.0, samples: 20_000, ..Made::default() };
    let (vout, mut lx) = made.capture(&FINE);
    lx.codes = Codes::U8((0..20_000).map(|i| 68 + u8::from(i % 7 == 0)).collect());
    let state = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
    insta::assert_snapshot!(state.switching_hz.clone().unwrap_err(),
        @"no switching edges: LX stays at 0.03 V (it moves by 0.20 V)");
    assert_eq!(state.ripple_pp_v, state.switching_hz);
    assert_eq!(state.duty, state.switching_hz);
    assert_eq!(state.conduction, Conduction::Unknown);
    assert!(state.mean_v.unwrap().abs() < 1e-4);
}

#[test]
fn a_record_slower_than_the_edges_tells_no_frequency_because_an_alias_looks_the_same() {
    for rate_hz in [10e3, 100e3, 125e3, 150e3, 200e3, 500e3] {
        let state = Made { rate_hz, samples: 20_000, ..at_24v() }.measure_on(&FINE);
        for figure in [&state.switching_hz, &state.duty, &state.ripple_fund_pp_v, &state.pulse_hz] {
            let reason = figure.as_ref().unwrap_err().0.as_str();
            let is_told = reason.contains("a faster switching would look the same")
                || reason.starts_with("too few switching edges");
            assert!(is_told, "{rate_hz}: {reason}");
        }
        assert_eq!(state.conduction, Conduction::Unknown);
        assert!(state.mean_v.is_ok());
    }
    assert!(Made { rate_hz: 2e6, samples: 20_000, ..at_24v() }.measure_on(&FINE).switching_hz.is_ok());
}

#[test]
fn a_ripple_on_an_output_that_moves_is_refused_and_not_told_with_the_slope_in_it() {
    for drift_v in [1.0, -2.0, -0.5, 5.0] {
        let state = Made { drift_v, ..at_24v() }.measure_on(&FINE);
        for figure in
            [&state.ripple_pp_v, &state.ripple_fit_pp_v, &state.ripple_fund_pp_v, &state.ripple_lp1mhz_pp_v]
        {
            assert!(figure.as_ref().unwrap_err().0.contains("the output moves by"), "{drift_v}: {figure:?}");
        }
        assert_eq!((state.ripple_method, state.bound("ripple_pp_v")), (None, None));
    }
    let settled = Made { drift_v: 2e-3, ..at_24v() }.measure_on(&FINE);
    assert!(settled.ripple_pp_v.is_ok());
}

#[test]
fn skipped_pulses_have_a_rate_but_no_frequency() {
    let made = Made { one_in: 5, ..at_24v_light() };
    let (vout, mut lx) = made.capture(&FINE);
    // Bursts of one and of two pulses: a strict one in five would be a lower frequency, not skipping.
    let Codes::U8(codes) = &mut lx.codes else { panic!("bytes") };
    let period = (made.period_s * made.rate_hz) as usize;
    for start in (9 * period / 2..codes.len() - 2 * period).step_by(10 * period) {
        codes.copy_within(start..start + period, start + period);
    }
    let state = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
    assert_eq!(state.conduction, Conduction::Skipping, "{:?}", state.switching_hz);
    assert!(state.switching_hz.unwrap_err().0.starts_with("pulses are skipped"));
    assert!(state.pulse_hz.unwrap() > 10e3);
    assert!(state.ripple_pp_v.is_err() && state.ripple_fund_pp_v.is_err());
}

#[test]
fn without_a_switch_node_the_output_still_has_its_own_figures() {
    let (vout, _) = Made { spike_v: 2.0, ..at_24v() }.capture(&FINE);
    let state = measure_one(&Pair { vout: &vout, lx: None });
    for figure in
        [&state.mean_v, &state.rms_ac_v, &state.noise_pp_20mhz_v, &state.spike_pos_v, &state.spike_rate_hz]
    {
        assert!(figure.is_ok(), "{figure:?}");
    }
    for figure in [&state.duty, &state.ripple_pp_v, &state.spike_pos_median_v] {
        assert_eq!(
            figure.as_ref().unwrap_err().0,
            "the switch node is not wired to the scope: no edges are known"
        );
    }
}

#[test]
fn without_a_switch_node_the_frequency_comes_from_the_output_and_is_said_to() {
    for made in
        [at_12v(), with_spikes(at_24v()), at_24v_light(), Made { jitter_s: 10e-9, ..with_spikes(at_12v()) }]
    {
        let (vout, lx) = made.capture(&FINE);
        let (alone, paired) =
            (measure_one(&Pair { vout: &vout, lx: None }), measure_one(&Pair { vout: &vout, lx: Some(&lx) }));
        assert_eq!(alone.period_source, Some(PeriodSource::Output));
        assert_eq!(paired.period_source, Some(PeriodSource::SwitchNode));
        let (found, known) = (alone.switching_hz.clone().unwrap(), paired.switching_hz.unwrap());
        assert!((found / known - 1.0).abs() < 2e-4, "{found} {known}");
        let (found, known) = (alone.ripple_fund_pp_v.unwrap(), paired.ripple_fund_pp_v.unwrap());
        assert!((found / known - 1.0).abs() < 0.01, "{found} {known}");
        assert!(alone.period_std_s.is_err() && alone.duty.is_err() && alone.ripple_pp_v.is_err());
        assert!(alone.notes.iter().any(|note| note.starts_with("switching_hz is found from the output")));
    }
}

#[test]
fn without_a_switch_node_skipped_pulses_have_no_frequency() {
    let (vout, _) = Made { one_in: 5, ..at_24v_light() }.capture(&FINE);
    let state = measure_one(&Pair { vout: &vout, lx: None });
    assert_eq!((state.period_source, state.conduction), (None, Conduction::Unknown));
    assert!(state.switching_hz.is_err() && state.ripple_fund_pp_v.is_err(), "{:?}", state.switching_hz);
    let dead = Made { ripple_v: 0.0, noise_v: 2e-3, ..at_24v() }.capture(&FINE).0;
    assert!(measure_one(&Pair { vout: &dead, lx: None }).switching_hz.is_err());
}

/// Trap 2 of `docs/measurements.md`.
#[test]
fn a_1_megahertz_low_pass_leaves_spike_residue_that_the_fit_does_not_hold() {
    let made = Made { kick_v: -0.35, ..at_12v() };
    let state = made.measure_on(&FINE);
    let (passed, fit) = (state.ripple_lp1mhz_pp_v.unwrap(), state.ripple_fit_pp_v.unwrap());
    assert!(passed > 1.2 * made.ripple_v, "{passed}");
    assert!((fit / made.ripple_v - 1.0).abs() < 0.05, "{fit}");
    assert_eq!(state.ripple_pp_v, Ok(fit));
    // Without spikes it is the ripple, its corners rounded.
    let clean = at_12v().measure_on(&FINE).ripple_lp1mhz_pp_v.unwrap();
    assert!((0.85..1.02).contains(&(clean / made.ripple_v)), "{clean}");
}

/// Trap 6 again: the main value is that of one pole.
#[test]
fn the_orders_of_the_20_megahertz_limit_show_how_far_honest_choices_differ() {
    let state = Made { spike_v: 2.0, ring_hz: 28e6, ..at_24v() }.measure_on(&FINE);
    let (one, two, four) = (
        state.noise_pp_20mhz_v.unwrap(),
        state.noise_pp_20mhz_k2_v.unwrap(),
        state.noise_pp_20mhz_k4_v.unwrap(),
    );
    assert!(one > two && two > four, "{one} {two} {four}");
    assert!(state.noise_rms_20mhz_k2_v.unwrap() > state.noise_rms_20mhz_k4_v.unwrap());
}

#[test]
fn ringing_and_bands_are_told_from_the_record() {
    let state = Made { spike_v: 2.0, ring_hz: 17e6, ..at_12v() }.measure_on(&FINE);
    assert!((state.ring_hz.clone().unwrap() / 17e6 - 1.0).abs() < 0.05, "{:?}", state.ring_hz);
    // The spikes ring within 1 to 20 MHz; the ripple is a triangle whose harmonics up to 1 MHz hold nearly all of it.
    assert!(state.band_rms_1mhz_20mhz_v.clone().unwrap() > state.band_rms_20mhz_50mhz_v.unwrap());
    let clean = at_12v().measure_on(&FINE);
    let triangle_v = 16e-3 / 12.0_f64.sqrt();
    assert!((clean.band_rms_100khz_1mhz_v.unwrap() / triangle_v - 1.0).abs() < 0.01);
    assert!(clean.ring_hz.unwrap_err().0.starts_with("no ringing"));
}

#[test]
fn skipped_pulses_are_counted_with_their_gaps() {
    let state = Made { one_in: 5, ..at_24v_light() }.measure_on(&FINE);
    let count = state.pulse_count.unwrap();
    assert!((28.0..=31.0).contains(&count), "{count}");
    for gap in [state.pulse_gap_mean_s, state.pulse_gap_min_s, state.pulse_gap_max_s] {
        assert!((gap.unwrap() - 5.0 / 122e3).abs() < 20e-9);
    }
}

#[test]
fn the_threshold_of_the_spike_rate_is_told_and_can_be_chosen() {
    let (vout, lx) = with_spikes(at_12v()).capture(&FINE);
    let pair = Pair { vout: &vout, lx: Some(&lx) };
    assert_eq!(measure_one(&pair).spike_threshold_v, Ok(0.1));
    let high = measure_with(None, Some(&pair), &Terms { spike_threshold_v: Some(2.5), ..Terms::default() });
    assert_eq!((high.spike_threshold_v, high.spike_rate_hz), (Ok(2.5), Ok(0.0)));
}

#[test]
fn samples_that_are_not_even_in_time_keep_only_what_needs_no_time() {
    let (vout, lx) = at_12v().capture(&FINE);
    let reason = "time is not uniform";
    let terms = Terms { uneven: Some(reason.to_owned()), ..Terms::default() };
    let state = measure_with(None, Some(&Pair { vout: &vout, lx: Some(&lx) }), &terms);
    assert!(state.mean_v.is_ok() && state.max_v.is_ok());
    for figure in [&state.switching_hz, &state.ripple_pp_v, &state.noise_pp_20mhz_v, &state.spike_pos_v] {
        assert_eq!(figure.as_ref().unwrap_err().0, reason);
    }
}

#[test]
fn clipped_samples_are_counted_and_bounds_are_marked() {
    let made = Made { spike_v: 2.0, ..at_24v() };
    let (vout, lx) = made.capture(&NARROW);
    let state = measure(Some(&Pair { vout: &vout, lx: Some(&lx) }), None);
    assert_eq!(state.clipped_samples, vout.clipped());
    let mut limited = made.capture(&FINE);
    limited.0.acquisition.bandwidth_limit_hz = Some(20e6);
    let state = measure_one(&Pair { vout: &limited.0, lx: Some(&limited.1) });
    assert_eq!(state.bound("spike_pos_v").map(|bounded| bounded.bound), Some(Bound::Lower));
}

#[test]
fn the_extremes_behind_a_limiter_or_between_few_samples_are_bounds_on_their_own_side() {
    let sign = |state: &SteadyState, name: &str, value: f64| {
        state.bound(name).map_or("", |bounded| bounded.bound.sign_of(value))
    };
    let made = with_spikes(at_24v());
    let (whole, lx) = made.capture(&FINE);
    let mut limited = whole.clone();
    limited.acquisition.bandwidth_limit_hz = Some(20e6);
    let mut under_zero = limited.clone();
    under_zero.scaling.offset_v -= 20.0;
    for vout in [limited, under_zero] {
        let state = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
        let (high_v, low_v) = (state.max_v.clone().unwrap(), state.min_v.clone().unwrap());
        assert_eq!((sign(&state, "max_v", high_v), sign(&state, "min_v", low_v)), ("≥", "≤"));
    }
    let state = measure_one(&Pair { vout: &whole, lx: Some(&lx) });
    assert_eq!((state.bound("max_v"), state.bound("min_v")), (None, None));
    let slow = Made { rate_hz: 2e6, samples: 4000, ..made }.measure_on(&FINE);
    assert_eq!((sign(&slow, "max_v", 1.0), sign(&slow, "min_v", 1.0)), ("≥", "≤"));
}

#[test]
fn spikes_are_told_to_be_bounds_only_where_there_is_one() {
    let told = |range: &Range| {
        let (mut vout, lx) = with_spikes(at_24v()).capture(range);
        vout.acquisition.bandwidth_limit_hz = Some(20e6);
        let state = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
        (
            state.spike_pos_v.is_ok(),
            state.notes.iter().any(|note| note.starts_with("spikes are lower bounds")),
        )
    };
    assert_eq!(told(&FINE), (true, true));
    assert_eq!(told(&NARROW), (false, false));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    #[test]
    fn figures_scale_with_the_volts_and_do_not_care_for_an_offset(scale in 0.05_f64..20.0, offset in -3.0_f64..3.0) {
        let (vout, lx) = Made { samples: 40_000, ..with_spikes(at_12v()) }.capture(&FINE);
        let mut turned = vout.clone();
        turned.scaling.volts_per_code *= scale;
        turned.scaling.offset_v = vout.scaling.offset_v * scale + offset;
        let plain = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
        // The threshold is the one figure that is given: it has to go along.
        let terms = Terms { spike_threshold_v: Some(0.1 * scale), ..Terms::default() };
        let other = measure_with(None, Some(&Pair { vout: &turned, lx: Some(&lx) }), &terms);
        for ((name, a), (_, b)) in plain.figures().into_iter().zip(other.figures()) {
            let of_lx = ["low_v", "high_v"].contains(&name);
            let by = if name.ends_with("_v") && !of_lx { scale } else { 1.0 };
            let shift = if ["mean_v", "max_v", "min_v"].contains(&name) { offset } else { 0.0 };
            match (a, b) {
                (Ok(a), Ok(b)) => {
                    let expected = a * by + shift;
                    prop_assert!((b - expected).abs() <= 1e-4 * expected.abs() + 1e-9 * scale, "{}: {} {}", name, b, expected);
                }
                _ => prop_assert_eq!(a.is_ok(), b.is_ok(), "{}", name),
            }
        }
    }
}

#[test]
fn noise_under_the_resolution_is_not_a_noise_of_zero() {
    let state = Made { noise_v: 1e-5, ripple_v: 0.0, ..at_24v() }.measure_on(&WIDE);
    assert!(state.noise_sigma_v.unwrap_err().0.starts_with("the noise is under the resolution"));
    assert!(state.notes.iter().any(|note| note.starts_with("spike_pos_v is a bound")), "{:?}", state.notes);
}

#[test]
fn bytes_and_words_of_the_same_codes_give_the_same_figures() {
    let (vout, lx) = Made { spike_v: 2.0, samples: 40_000, ..at_24v() }.capture(&WIDE);
    let Codes::U8(bytes) = &vout.codes else { panic!("bytes") };
    let mut words = vout.clone();
    words.codes = Codes::I16(bytes.iter().map(|code| i16::from(*code)).collect());
    let from_bytes = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
    let from_words = measure_one(&Pair { vout: &words, lx: Some(&lx) });
    for ((name, a), (_, b)) in from_bytes.figures().into_iter().zip(from_words.figures()) {
        match (a, b) {
            (Ok(a), Ok(b)) => assert!((a - b).abs() <= 1e-8 * a.abs().max(1e-3), "{name}: {a} {b}"),
            _ => assert_eq!(a, b, "{name}"),
        }
    }
}

#[test]
fn figures_do_not_depend_on_where_a_kernel_cuts_its_record() {
    // Lengths on both sides of every stretch length used inside.
    for samples in [4095, 4096, 4097, 8191, 8192, 8193, 16_385, 20_480] {
        let made = Made { samples, noise_v: 0.2e-3, ..at_24v() };
        let (vout, lx) = made.capture(&FINE);
        let state = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
        let volts: Vec<f64> = {
            let levels = vout.levels();
            levels.iter().map(|level| levels.volts_at(f64::from(*level))).collect()
        };
        let mean = volts.iter().sum::<f64>() / samples as f64;
        let rms = (volts.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / samples as f64).sqrt();
        assert!((state.mean_v.unwrap() - mean).abs() < 1e-9);
        assert!((state.rms_ac_v.unwrap() / rms - 1.0).abs() < 1e-9);
        let fundamental = state.ripple_fund_pp_v.unwrap();
        assert!((fundamental / made.true_fundamental_v() - 1.0).abs() < 0.02, "{samples}: {fundamental}");
    }
}

/// Every figure as its bits: equal numbers of other bits would be told apart.
fn bits(state: &SteadyState) -> Vec<(&'static str, Result<u64, String>)> {
    let figures = state.figures().into_iter();
    figures
        .map(|(name, figure)| (name, figure.clone().map(f64::to_bits).map_err(|reason| reason.0)))
        .collect()
}

#[test]
fn figures_are_the_same_bits_however_many_are_made_at_once() {
    // No whole tiles, blocks or segments.
    let made = Made { samples: 30_011, spike_v: 1.0, jitter_s: 20e-9, ..at_24v() };
    for range in [&NUMBERS, &WIDE] {
        let (vout, lx) = made.capture(range);
        let pair = Pair { vout: &vout, lx: Some(&lx) };
        let alone = measure_one(&pair);
        assert!(bits(&alone).iter().filter(|(_, figure)| figure.is_ok()).count() > 10);
        for threads in [1, 2, 4] {
            let states: Vec<SteadyState> = std::thread::scope(|scope| {
                let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| measure_one(&pair))).collect();
                running.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            for state in states {
                assert_eq!(bits(&state), bits(&alone), "{threads} at once");
                assert_eq!(state, alone, "{threads} at once");
            }
        }
    }
}

#[test]
fn a_single_spike_shows_in_every_picture() {
    let (mut vout, lx) = at_24v().capture(&WIDE);
    let Codes::U8(codes) = &mut vout.codes else { panic!("bytes") };
    codes[77_777] = 250;
    let whole = build_overview(&vout, 0..usize::MAX, 600).unwrap();
    let highest = whole.columns.iter().map(|column| column.1).fold(f64::MIN, f64::max);
    assert!((highest - vout.levels().volts_at(250.0)).abs() < 1e-9);
    assert_eq!(whole.columns.len(), 600);
    assert!((whole.span_s - 1.2e-3).abs() < 1e-12);
    let window = find_worst_spike(&vout, 0.5e-6, 1.5e-6).unwrap();
    assert_eq!((window.from, window.peak, window.to), (77_727, 77_777, 77_928));
    let pair = Pair { vout: &vout, lx: Some(&lx) };
    let fold = build_fold(&pair, &find_cycles(&pair).unwrap(), (400, 100), None).unwrap();
    assert_eq!(fold.density.len(), 400 * fold.rows);
    let rising_to_last = 145.0 / 122e3 * 100e6;
    let folded: u32 = fold.density.iter().sum();
    assert!((f64::from(folded) - rising_to_last).abs() < 900.0, "{folded}");
    // The one highest sample has its cell in the topmost row.
    assert!(fold.density[400 * (fold.rows - 1)..].iter().any(|count| *count > 0));
    assert!(fold.low_v < highest && (fold.high_v - highest).abs() < (fold.high_v - fold.low_v) / 50.0);
    assert!((fold.period_s * 122e3 - 1.0).abs() < 1e-4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn no_trace_makes_a_figure_that_is_not_a_number(
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
        words in prop::collection::vec(any::<i16>(), 0..3000),
        scale in prop::sample::select(vec![0.0, 1.0, -1.0, 0.04, 1e-300, 1e300, f64::NAN, f64::INFINITY]),
        step_s in prop::sample::select(vec![1e-8, 1e-9, 0.0, -1.0, 1.0, 1e-300, 1e300, f64::NAN, f64::INFINITY]),
        (min_code, max_code) in prop::sample::select(vec![(0, 255), (0, 0), (i32::MIN, i32::MAX), (300, -300)]),
    ) {
        let mut vout = quantise(&[], &WIDE, 5.0, ("vout", 1e8));
        vout.codes = Codes::U8(bytes);
        vout.scaling = Scaling { volts_per_code: scale, zero_code: 128.0, offset_v: 0.0, min_code, max_code };
        vout.step_s = step_s;
        let mut lx = vout.clone();
        lx.codes = Codes::I16(words);
        for (a, b) in [(&vout, &lx), (&lx, &vout), (&vout, &vout), (&lx, &lx)] {
            let pair = Pair { vout: a, lx: Some(b) };
            let state = measure(Some(&pair), Some(&Pair { vout: b, lx: None }));
            for (name, figure) in state.figures() {
                prop_assert!(figure.as_ref().map_or(true, |value| value.is_finite()), "{} {:?}", name, figure);
            }
            prop_assert_eq!(state.ripple_method.is_some(), state.ripple_pp_v.is_ok());
            let folded = find_cycles(&pair).and_then(|cycles| build_fold(&pair, &cycles, (40, 30), None));
            let _ = (folded, build_overview(a, 5..900, 70), find_worst_spike(a, 1e-6, f64::NAN));
        }
    }
}

#[test]
fn nothing_one_sample_and_all_equal_are_answered() {
    for codes in [vec![], vec![7], vec![7; 50], vec![7; 50_000], vec![255; 50_000]] {
        let mut vout = quantise(&[], &WIDE, 5.0, ("vout", 1e8));
        vout.codes = Codes::U8(codes);
        let state = measure_one(&Pair { vout: &vout, lx: Some(&vout) });
        assert!(state.switching_hz.is_err() && state.ripple_pp_v.is_err() && state.noise_sigma_v.is_err());
    }
    let none = measure(None, None);
    assert!(none.figures().iter().all(|(_, figure)| figure.is_err()));
}

#[test]
fn numbers_without_a_grid_give_the_figures_of_the_same_trace_in_fine_codes() {
    for made in [at_12v(), at_24v(), Made { spike_v: 1.5, ..at_24v() }, at_24v_light()] {
        let (codes, numbers) = (made.measure_on(&FINE), made.measure_on(&NUMBERS));
        assert_eq!(numbers.conduction, codes.conduction);
        assert_eq!(numbers.ripple_method, codes.ripple_method);
        cell("mean", &numbers.mean_v, codes.mean_v.unwrap(), 1e-6);
        cell("rms", &numbers.rms_ac_v, codes.rms_ac_v.unwrap(), 2e-5);
        cell("max", &numbers.max_v, codes.max_v.unwrap(), 0.13e-3);
        cell("limited", &numbers.noise_pp_20mhz_v, codes.noise_pp_20mhz_v.unwrap(), 0.3e-3);
        cell("spike", &numbers.spike_pos_v, codes.spike_pos_v.unwrap(), 0.5e-3);
        cell("noise", &numbers.noise_sigma_v, codes.noise_sigma_v.unwrap(), 0.2e-3);
        let ripple_v = codes.ripple_pp_v.unwrap();
        cell("ripple", &numbers.ripple_pp_v, ripple_v, 0.01 * ripple_v);
    }
}

#[test]
fn sums_and_extremes_of_numbers_are_exact() {
    let (mut vout, _) = at_24v().capture(&NUMBERS);
    let Codes::F32(numbers) = &mut vout.codes else { panic!("numbers") };
    numbers[777] = 6.125;
    let all: Vec<f64> = numbers.iter().map(|v| f64::from(*v)).collect();
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let rms = (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
    let state = measure_one(&Pair { vout: &vout, lx: None });
    assert_eq!(state.max_v, Ok(6.125));
    assert!((state.mean_v.unwrap() / mean - 1.0).abs() < 1e-12);
    assert!((state.rms_ac_v.unwrap() / rms - 1.0).abs() < 1e-11);
}

#[test]
fn samples_that_are_no_numbers_are_counted_and_refused() {
    let (mut vout, _) = at_24v().capture(&NUMBERS);
    let Codes::F32(numbers) = &mut vout.codes else { panic!("numbers") };
    (numbers[5], numbers[70_000]) = (f32::NAN, f32::INFINITY);
    let told = measure_one(&Pair { vout: &vout, lx: None }).mean_v.unwrap_err();
    insta::assert_snapshot!(told, @"2 of 120000 samples of vout are no finite numbers");
}

/// Numbers as a file holds them, without the ends of the converter: cut off at so many volts on each side of the mean.
fn cut_off(made: &Made, at_v: f64) -> (Waveform, Waveform) {
    let (mut vout, lx) = made.capture(&FINE);
    let Codes::I16(codes) = &mut vout.codes else { panic!("words") };
    let middle = ((made.vout_v - vout.scaling.offset_v) / FINE.step_v + vout.scaling.zero_code) as i16;
    let end = (at_v / FINE.step_v) as i16;
    codes.iter_mut().for_each(|code| *code = (*code).clamp(middle - end, middle + end));
    (vout.scaling.min_code, vout.scaling.max_code) = (i32::MIN, i32::MAX);
    (vout, lx)
}

#[test]
fn spikes_cut_off_in_a_file_are_counted_and_bound_the_truth_from_below() {
    let made = Made { spike_v: 1.5, ring_hz: 17e6, ..at_24v() };
    let whole = made.measure_on(&FINE);
    let (vout, lx) = cut_off(&made, 51e-3);
    let state = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
    assert!(state.clipped_samples > 1000, "{}", state.clipped_samples);
    for name in ["max_v", "spike_pos_v", "spike_neg_v", "spike_pos_p95_v", "noise_pp_20mhz_v", "rms_ac_v"] {
        let of = |state: &SteadyState| {
            state.figures().into_iter().find(|(other, _)| *other == name).unwrap().1.clone().unwrap().abs()
        };
        assert_eq!(state.bound(name).map(|bounded| bounded.bound), Some(Bound::Lower), "{name}");
        assert!(of(&state) <= of(&whole), "{name}");
    }
    // Nearer to zero, but the truth lies still lower.
    assert_eq!(state.bound("min_v").map(|bounded| bounded.bound.sign_of(4.9)), Some("≤"));
    for figure in [&state.mean_v, &state.band_rms_1mhz_20mhz_v, &state.ring_hz, &state.ripple_lp1mhz_pp_v] {
        assert!(figure.as_ref().unwrap_err().0.contains("seem to be clipped"), "{figure:?}");
    }
    let none = state.spike_rate_hz.clone().unwrap_err().0;
    assert!(none.contains("the threshold of 100 mV may lie outside of the range"), "{none}");
    // Under the blanking they do no harm.
    assert!(
        (state.ripple_pp_v.clone().unwrap() / made.ripple_v - 1.0).abs() < 0.05,
        "{:?}",
        state.ripple_pp_v
    );
    // Every sample that is cut off lies beyond a threshold that the range holds.
    let terms = Terms { spike_threshold_v: Some(30e-3), ..Terms::default() };
    let [cut, uncut] = [&(vout, lx), &made.capture(&FINE)]
        .map(|(vout, lx)| measure_with(None, Some(&Pair { vout, lx: Some(lx) }), &terms).spike_rate_hz);
    assert_eq!(cut, uncut);
    assert!(cut.is_ok());
}

#[test]
fn narrow_spikes_that_end_at_one_value_in_most_cycles_are_cut_off() {
    let steps = Range { step_v: 20e-3, ..FINE };
    // 819.67 and 830.3 samples a period: single samples on a top, at another phase in each cycle.
    for period_s in [1.0 / 122e3, 8.303e-6] {
        let made = Made { period_s, samples: 60_000, spike_v: 1.5, ring_hz: 17e6, ..at_24v() };
        for range in [&FINE, &steps] {
            let file = |cut_v: f64| {
                let (mut vout, lx) = made.capture(range);
                let Codes::I16(codes) = &mut vout.codes else { panic!("words") };
                let top =
                    (made.vout_v + cut_v - vout.scaling.offset_v) / range.step_v + vout.scaling.zero_code;
                codes.iter_mut().for_each(|code| *code = (*code).min(top as i16));
                (vout.scaling.min_code, vout.scaling.max_code) = (i32::MIN, i32::MAX);
                measure_one(&Pair { vout: &vout, lx: Some(&lx) })
            };
            for cut_v in [0.5, 0.7, 0.9] {
                let state = file(cut_v);
                assert!(state.clipped_samples >= 50, "{period_s} {cut_v}: {}", state.clipped_samples);
                for name in ["spike_pos_v", "spike_pos_median_v", "noise_pp_20mhz_v"] {
                    let bound = state.bound(name).map(|bounded| bounded.bound);
                    assert_eq!(bound, Some(Bound::Lower), "{name} {period_s} {cut_v}");
                }
            }
            assert_eq!(file(9.0).clipped_samples, 0, "{period_s}");
        }
    }
}

#[test]
fn a_record_that_begins_or_ends_within_a_spike_tells_no_upper_bound_of_it() {
    for (at, volts) in [(0, 2.0), (119_999, 2.0), (0, -2.0)] {
        let (mut vout, lx) = at_24v().capture(&FINE);
        let Codes::I16(codes) = &mut vout.codes else { panic!("words") };
        codes[at] += (volts / FINE.step_v) as i16;
        let state = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
        let name = if volts > 0.0 { "spike_pos_v" } else { "spike_neg_v" };
        for name in [name, "spike_rate_hz"] {
            assert_eq!(state.bound(name).map(|bounded| bounded.bound), Some(Bound::Lower), "{name} {at}");
        }
        assert!(state.notes.iter().any(|note| note.contains("begins or ends")), "{:?}", state.notes);
    }
    let whole = at_24v().measure_on(&FINE);
    assert_ne!(whole.bound("spike_pos_v").map(|bounded| bounded.bound), Some(Bound::Lower));
}

#[test]
fn a_single_false_edge_is_known_to_cost_the_whole_fundamental() {
    let made = at_24v();
    let (vout, mut lx) = made.capture(&FINE);
    let Codes::U8(codes) = &mut lx.codes else { panic!("bytes") };
    let high = codes.iter().max().copied().unwrap();
    let low = |few: &[u8]| few.iter().all(|code| *code < 80);
    let off = 60_000 + codes[60_000..].windows(60).position(low).unwrap();
    codes[off + 30] = high;
    let state = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
    let lost = 1.0 - state.ripple_fund_pp_v.unwrap() / made.true_fundamental_v();
    let told = state.notes.iter().find_map(|note| note.strip_prefix("ripple_fund_pp_v is low by about "));
    let told: f64 = told.unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(lost > 0.4 && (told / 100.0 - lost).abs() < 0.1, "told {told} %, lost {lost}");
}

#[test]
fn a_limiter_is_told_in_the_unit_that_shows_it() {
    let (mut vout, lx) = with_spikes(at_24v()).capture(&FINE);
    vout.acquisition.bandwidth_limit_hz = Some(20e3);
    let state = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
    let told = format!("{:?} {:?}", state.notes, state.bounds);
    assert!(
        told.contains("limited to 20 kHz") && !told.contains("0 MHz,") && !told.contains("0.0 MHz"),
        "{told}"
    );
}

#[test]
fn spikes_that_stand_alike_in_all_cycles_or_span_few_steps_are_not_taken_for_cut_off() {
    // 800 and 800.5 samples a period, and one that slides: the converter's steps decide how alike tops are.
    for period_s in [8e-6, 8.005e-6, 8.303e-6] {
        for step_v in [2.5e-3, 20e-3, 80e-3] {
            for spike_v in [0.4, 1.5] {
                let made = Made { period_s, samples: 40_000, spike_v, ring_hz: 17e6, ..at_24v() };
                let (mut vout, lx) = made.capture(&Range { step_v, ..FINE });
                (vout.scaling.min_code, vout.scaling.max_code) = (i32::MIN, i32::MAX);
                let state = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
                assert_eq!(state.clipped_samples, 0, "{period_s} {step_v} {spike_v}");
            }
        }
    }
}

#[test]
fn a_figure_that_is_not_available_is_no_bound() {
    let (mut vout, lx) = Made { spike_v: 2.0, ..at_24v() }.capture(&NARROW);
    vout.acquisition.bandwidth_limit_hz = Some(1e6);
    let state = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
    assert!(state.spike_pos_v.is_err() && state.spike_rate_hz.is_err(), "{:?}", state.spike_rate_hz);
    for bounded in &state.bounds {
        let figure = state.figures().into_iter().find(|(name, _)| *name == bounded.figure).unwrap().1.clone();
        assert!(figure.is_ok(), "{bounded:?}");
    }
}

#[test]
fn a_limiter_under_20_megahertz_and_spikes_without_pauses_leave_lower_bounds() {
    let made = with_spikes(at_12v());
    let (mut vout, lx) = made.capture(&FINE);
    vout.acquisition.bandwidth_limit_hz = Some(1e6);
    let limited = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
    let fast = Made { period_s: 1.0 / 500e3, spike_v: 0.4, ..made.clone() }.measure_on(&FINE);
    for (state, names) in [
        (&limited, ["noise_pp_20mhz_v", "noise_rms_20mhz_v", "spike_rate_hz", "spike_pos_p95_v"].as_slice()),
        (&fast, &["spike_rate_hz"]),
    ] {
        for name in names {
            assert_eq!(state.bound(name).map(|bounded| bounded.bound), Some(Bound::Lower), "{name}");
        }
    }
    assert!(fast.spike_rate_hz.unwrap() < 10e3);
    assert!(made.measure_on(&FINE).bound("spike_rate_hz").is_none());
}

#[test]
fn a_limiter_a_little_over_20_megahertz_leaves_lower_bounds_because_the_pole_comes_on_top() {
    let (mut vout, lx) = with_spikes(at_24v()).capture(&FINE);
    for (corner_hz, bound) in
        [(20e6, None), (25e6, Some(Bound::Lower)), (50e6, Some(Bound::Lower)), (100e6, None)]
    {
        vout.acquisition.bandwidth_limit_hz = Some(corner_hz);
        let state = measure_one(&Pair { vout: &vout, lx: Some(&lx) });
        for name in ["noise_pp_20mhz_v", "noise_rms_20mhz_v"] {
            assert_eq!(state.bound(name).map(|bounded| bounded.bound), bound, "{name} {corner_hz}");
        }
    }
}

#[test]
fn spikes_between_samples_are_lower_bounds_and_none_where_none_is_seen() {
    let slow = Made { rate_hz: 2e6, samples: 4000, spike_v: 2.0, ..at_24v() };
    let state = slow.measure_on(&FINE);
    for name in ["spike_pos_v", "spike_neg_median_v", "spike_rate_hz", "noise_pp_full_v"] {
        assert_eq!(state.bound(name).map(|bounded| bounded.bound), Some(Bound::Lower), "{name}");
    }
    assert!(!state.notes.iter().any(|note| note.contains("half a step")), "{:?}", state.notes);
    assert!(state.noise_sigma_v.unwrap_err().0.contains("too few"));
    let clean = Made { spike_v: 0.0, ripple_v: 0.0, ..slow }.measure_on(&FINE);
    assert!(clean.spike_pos_v.as_ref().unwrap_err().0.contains("none stands out"), "{:?}", clean.spike_pos_v);
}
