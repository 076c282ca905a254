//! Whether a ripple that is told holds: over falls that wander, coarse steps and low sample rates it lies within what is said of
//! it, or is a bound on the right side, or there is none.

use super::trace::Dice;
use soakrig::waveform::import::{self, Choice, Options};
use soakrig::waveform::{Bound, Conduction, Pair, RippleMethod, SteadyState, Waveform, measure_one};
use std::f64::consts::TAU;

const PERIOD_S: f64 = 1.0 / 122e3;
const SPAN_S: f64 = 600e-6;

/// A converter in continuous conduction.
#[derive(Debug, Clone, Copy)]
struct Made {
    rate_hz: f64,
    duty: f64,
    /// A triangle, peak to peak.
    ripple_v: f64,
    spike_v: f64,
    noise_v: f64,
    /// Volts of one step; 0 for numbers as they are.
    step_v: f64,
    /// Where the mean stands between two steps.
    mean_v: f64,
    /// Sigma of each period, and of each on-time.
    rise_jitter_s: f64,
    fall_jitter_s: f64,
    seed: u64,
}

const PLAIN: Made = Made {
    rate_hz: 100e6,
    duty: 0.22,
    ripple_v: 20e-3,
    spike_v: 1.5,
    noise_v: 1e-3,
    step_v: 0.0,
    mean_v: 5.0,
    rise_jitter_s: 0.0,
    fall_jitter_s: 0.0,
    seed: 1,
};

impl Made {
    /// Output and switch node in volts.
    fn volts(&self) -> (Vec<f64>, Vec<f64>) {
        let mut dice = Dice::seeded(self.seed);
        let mut cycles = vec![];
        let mut at_s = -1.3 * PERIOD_S;
        while at_s < SPAN_S {
            let period_s = PERIOD_S + self.rise_jitter_s * dice.normal();
            let on_s = self.duty * PERIOD_S + self.fall_jitter_s * dice.normal();
            cycles.push((at_s, on_s.clamp(0.05 * period_s, 0.9 * period_s), period_s));
            at_s += period_s;
        }
        let ring_v = |s: f64| if s < 0.0 { 0.0 } else { (-s / 60e-9).exp() * (TAU * 17e6 * s).cos() };
        let mut cycle = 0;
        (0..(SPAN_S * self.rate_hz) as usize)
            .map(|n| {
                let time_s = n as f64 / self.rate_hz;
                while cycles.get(cycle + 1).is_some_and(|(start_s, ..)| *start_s <= time_s) {
                    cycle += 1;
                }
                let (start_s, on_s, period_s) = cycles[cycle];
                let (since_s, past_s) = (time_s - start_s, time_s - start_s - on_s);
                let (_, on_before_s, period_before_s) = cycles[cycle.saturating_sub(1)];
                let before_s = since_s + period_before_s - on_before_s;
                let ripple = if past_s < 0.0 { since_s / on_s } else { 1.0 - past_s / (period_s - on_s) };
                let spikes = ring_v(since_s) - 0.8 * (ring_v(past_s) + ring_v(before_s));
                let volts = self.mean_v + self.ripple_v * (ripple - 0.5) + self.spike_v * spikes;
                let slope = |s: f64| (s / 20e-9).clamp(0.0, 1.0);
                let noisy = volts + self.noise_v * dice.normal();
                let stepped =
                    if self.step_v > 0.0 { (noisy / self.step_v).round() * self.step_v } else { noisy };
                (stepped, 24.4 * (slope(since_s) - slope(past_s)) - 0.4)
            })
            .unzip()
    }

    fn measured(&self) -> SteadyState {
        let (vout, lx) = self.volts();
        let trace = |volts: Vec<f64>, signal: &str| Waveform::of_volts(signal, volts, self.rate_hz);
        measure_one(&Pair { vout: &trace(vout, "vout"), lx: Some(&trace(lx, "lx")) })
    }

    /// What is told of the ripple, held against the truth.
    fn judge(&self) -> Result<String, String> {
        let state = self.measured();
        let Ok(ripple_v) = state.ripple_pp_v else { return Ok("none".to_owned()) };
        let method = state.ripple_method.map_or("", RippleMethod::as_str);
        let known_v = state.notes.iter().find_map(|note| {
            let (_, rest) =
                note.split_once("known to ").filter(|(figure, _)| figure.starts_with("ripple_"))?;
            rest.split_once(" mV").and_then(|(number, _)| number.parse::<f64>().ok()).map(|mv| mv * 1e-3)
        });
        let bound = state.bound("ripple_pp_v").map(|bounded| bounded.bound);
        let holds = match bound {
            Some(Bound::Lower) => ripple_v <= 1.02 * self.ripple_v,
            Some(Bound::Upper) => ripple_v >= 0.98 * self.ripple_v,
            None => (ripple_v - self.ripple_v).abs() <= known_v.unwrap_or(0.1 * ripple_v).max(0.1 * ripple_v),
        };
        let told = format!("{method} {bound:?} {:.2} mV, known to {known_v:?}", ripple_v * 1e3);
        if holds { Ok(told) } else { Err(format!("{told}: {self:?} {:?}", state.notes)) }
    }
}

/// Every trace of the table: one thing at a time, and some together.
fn table() -> Vec<Made> {
    let mut table = Vec::new();
    for fall_jitter_s in [20e-9, 40e-9, 60e-9, 100e-9, 300e-9] {
        for (spike_v, rise_jitter_s) in [(0.3, 0.0), (1.5, 0.0), (1.5, 50e-9)] {
            table.push(Made { fall_jitter_s, spike_v, rise_jitter_s, ..PLAIN });
        }
    }
    for rise_jitter_s in [160e-9, 300e-9] {
        table.push(Made { rise_jitter_s, ..PLAIN });
    }
    for (ripple_v, step_v) in [(20e-3, 16e-3), (5e-3, 16e-3), (20e-3, 40e-3), (20e-3, 6e-3), (5e-3, 2e-3)] {
        for mean_v in [5.0, 5.008, 5.012] {
            for noise_v in [0.1e-3, 1e-3] {
                table.push(Made { ripple_v, step_v, mean_v, noise_v, ..PLAIN });
            }
        }
    }
    for rate_hz in [1e6, 2e6, 5e6, 10e6, 20e6, 25e6, 50e6] {
        for (duty, spike_v, fall_jitter_s) in [(0.22, 1.5, 0.0), (0.435, 0.3, 0.0), (0.435, 1.5, 40e-9)] {
            table.push(Made { rate_hz, duty, spike_v, fall_jitter_s, ..PLAIN });
        }
    }
    for (ripple_v, noise_v) in [(1e-3, 1e-3), (1e-3, 2e-3), (5e-3, 2e-3)] {
        for duty in [0.12, 0.22, 0.435] {
            table.push(Made { ripple_v, noise_v, duty, ..PLAIN });
        }
    }
    (1..).zip(table).map(|(seed, made)| Made { seed, ..made }).collect()
}

#[test]
fn a_ripple_that_is_told_holds_where_falls_wander_steps_are_coarse_or_samples_few() {
    let (told, false_ones): (Vec<_>, Vec<_>) = table().iter().map(Made::judge).partition(Result::is_ok);
    let false_ones: Vec<String> = false_ones.into_iter().filter_map(Result::err).collect();
    assert!(false_ones.is_empty(), "{} false:\n{}", false_ones.len(), false_ones.join("\n"));
    // To tell nothing would hold, too.
    let count = |word: &str| {
        told.iter().filter(|told| told.as_ref().is_ok_and(|told| told.starts_with(word))).count()
    };
    let counts = ["fit", "blank Some(Lower)", "blank", "none"].map(count);
    assert!(counts[0] > 20 && counts[2] > 10 && counts[3] < table().len() / 2, "{counts:?}");
}

/// Codes so coarse that few are in use, without spikes.
const COARSE: Made = Made { step_v: 0.16, mean_v: 5.03, noise_v: 2e-3, spike_v: 0.0, ..PLAIN };

impl Made {
    /// As [`Made::measured`], but printed with so many decimals and read again.
    fn measured_of_print(&self, decimals: usize) -> SteadyState {
        let (vout, lx) = self.volts();
        let rows = vout.iter().zip(&lx).enumerate().map(|(n, (vout, lx))| {
            format!("{:.9},{vout:.decimals$},{:.1}\n", n as f64 / self.rate_hz, (lx / 0.8).round() * 0.8)
        });
        let text = format!("time,vout,lx\n{}", rows.collect::<String>());
        let file = import::read(text.as_bytes(), &Options::default()).unwrap();
        let selected = file.select(&Choice::default()).unwrap();
        measure_one(&Pair { vout: &selected.vout, lx: selected.lx.as_ref() })
    }

    /// Peak to peak of what the converter saw.
    fn true_pp_v(&self) -> f64 {
        let (vout, _) = Made { step_v: 0.0, ..*self }.volts();
        let (low, high) =
            vout.iter().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
        high - low
    }
}

#[test]
fn of_few_codes_the_step_is_theirs_and_not_that_of_the_print() {
    for made in [
        COARSE,
        Made { mean_v: 5.04, noise_v: 4e-3, spike_v: 0.12, ..COARSE },
        Made { step_v: 0.08, mean_v: 5.0, noise_v: 4e-3, spike_v: 0.15, ..COARSE },
        Made { step_v: 0.04, mean_v: 5.02, noise_v: 1e-3, ripple_v: 4e-3, ..COARSE },
    ] {
        for state in [made.measured(), made.measured_of_print(2), made.measured_of_print(9)] {
            let case = format!("{made:?} {:?}", state.notes);
            let heights = [("spike_pos_v", &state.spike_pos_v), ("spike_neg_v", &state.spike_neg_v)];
            for (name, height_v) in heights.into_iter().chain([("noise_pp_20mhz_v", &state.noise_pp_20mhz_v)])
            {
                let height_v = height_v.clone().unwrap().abs();
                let is_plain = state.bound(name).is_none();
                assert!(!is_plain || height_v > 1.99 * made.step_v, "{name} {height_v}: {case}");
                assert!(height_v > 0.99 * made.step_v, "{name} {height_v}: {case}");
            }
            let pp_v = state.noise_pp_20mhz_v.clone().unwrap();
            assert!(pp_v >= 0.8 * made.true_pp_v(), "{pp_v}: {case}");
            if let Ok(ripple_v) = state.ripple_pp_v {
                let bound = state.bound("ripple_pp_v").map(|bounded| bounded.bound);
                assert!(bound == Some(Bound::Upper) && ripple_v >= made.ripple_v, "{ripple_v}: {case}");
            }
            let half = format!("mean_v is known to {:.1} mV only", 500.0 * made.step_v);
            assert!(state.notes.iter().any(|note| note.starts_with(&half)), "{case}");
            // A threshold under two steps is none.
            assert_eq!(state.spike_rate_hz.is_ok(), 0.1 > 2.0 * made.step_v, "{case}");
        }
    }
}

#[test]
fn where_all_samples_have_one_value_nothing_is_known_of_how_the_output_moves() {
    let made = Made { mean_v: 4.96, ..COARSE };
    for state in [made.measured(), made.measured_of_print(2)] {
        assert!((state.mean_v.clone().unwrap() - 4.96).abs() < 1e-6);
        for name in [
            "rms_ac_v",
            "noise_pp_full_v",
            "noise_pp_20mhz_v",
            "spike_pos_v",
            "spike_rate_hz",
            "ripple_pp_v",
            "drift_v",
        ] {
            let figures = state.figures();
            let (_, figure) = figures.into_iter().find(|(other, _)| *other == name).unwrap();
            assert!(
                figure.as_ref().unwrap_err().0.contains("its steps hide, is not known"),
                "{name}: {figure:?}"
            );
        }
        assert!(
            state.switching_hz.is_ok()
                && state.bounds.iter().all(|bounded| bounded.figure.starts_with("period"))
        );
        assert!(
            state.notes.iter().any(|note| note.starts_with("mean_v is the one value")),
            "{:?}",
            state.notes
        );
    }
}

#[test]
fn a_spike_that_no_code_shows_is_bounded_by_what_the_steps_hide() {
    let (mut vout, lx) = Made { step_v: 0.0, mean_v: 31.0 * 0.16, ..COARSE }.volts();
    // Up by several codes, down by less than half a step.
    for (cycle, start) in (100..59_000).step_by(820).enumerate() {
        vout[start..start + 5].iter_mut().for_each(|v| *v += 1.2 - 0.16 * (cycle % 6) as f64);
        vout[start + 30..start + 35].iter_mut().for_each(|v| *v -= 0.06);
    }
    let stepped = vout.iter().map(|v| (v / 0.16).round() * 0.16);
    let state = measure_one(&Pair {
        vout: &Waveform::of_volts("vout", stepped, 100e6),
        lx: Some(&Waveform::of_volts("lx", lx, 100e6)),
    });
    for name in ["spike_neg_v", "spike_neg_median_v", "spike_neg_p05_v"] {
        let figures = state.figures();
        let depth_v = figures.into_iter().find(|(other, _)| *other == name).unwrap().1.clone().unwrap();
        assert!(depth_v <= -0.074, "{name}: {depth_v}");
        assert_eq!(state.bound(name).map(|bounded| bounded.bound), Some(Bound::Upper), "{name}");
    }
    assert!(state.spike_pos_v.is_ok() && state.bound("spike_pos_v").is_none());
}

#[test]
fn a_ripple_without_trouble_is_that_of_the_fit() {
    for made in [
        PLAIN,
        Made { fall_jitter_s: 20e-9, rise_jitter_s: 20e-9, ..PLAIN },
        Made { step_v: 0.4e-3, ..PLAIN },
        Made { rate_hz: 25e6, ..PLAIN },
        Made { duty: 0.435, ripple_v: 5e-3, ..PLAIN },
    ] {
        let state = made.measured();
        assert_eq!(state.conduction, Conduction::Continuous);
        assert_eq!(state.ripple_method, Some(RippleMethod::Fit), "{made:?} {:?}", state.notes);
        assert!(state.bound("ripple_pp_v").is_none());
    }
}

#[test]
fn a_fit_that_is_not_the_ripple_is_no_figure_either() {
    for (made, word) in [
        (Made { step_v: 16e-3, mean_v: 5.012, ..PLAIN }, "hidden"),
        (Made { rate_hz: 2e6, ..PLAIN }, "5 MSa/s are needed"),
    ] {
        let state = made.measured();
        for figure in [&state.ripple_pp_v, &state.ripple_fit_pp_v, &state.ripple_blank_pp_v] {
            let reason = figure.clone().unwrap_err().0;
            assert!(reason.contains(word), "{reason}");
        }
        assert_eq!(state.ripple_method, None);
    }
}
