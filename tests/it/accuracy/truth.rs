//! What the figures of a made trace truly are, in closed form, and how far off each may be: the allowed errors that
//! `docs/measurements.md` states.

use super::trace::{
    DECAY_S, DIODE_V, ESR_S, Look, Made, Mode, PERIOD_S, RING_HZ, SLOPE_S, VOUT_V, ringing_v,
};
use std::f64::consts::{PI, TAU};

/// What a figure has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Expected {
    /// This value, off by at most so much downwards and upwards.
    Within { truth: f64, below: f64, above: f64 },
    /// As `Within`, or none: noise or steps leave it open whether it can be told.
    Perhaps { truth: f64, below: f64, above: f64 },
    /// There is none to be had from such a record, and no number may stand for it.
    NotAvailable,
}

fn within(truth: f64, allowed: f64) -> Expected {
    Expected::Within { truth, below: allowed, above: allowed }
}

/// The noise's extremes in a record lie this many sigma out.
const EXTREME: f64 = 5.2;

impl Made {
    /// Mean over a period of a function of its phase, by midpoints.
    fn average(&self, of: impl Fn(f64) -> f64) -> f64 {
        (0..8000).map(|k| of((f64::from(k) + 0.5) / 8000.0)).sum::<f64>() / 8000.0
    }

    /// Peak to peak, lowest and highest of a function of the time within a period, seen every half nanosecond.
    fn extremes(&self, of: impl Fn(f64) -> f64) -> (f64, f64) {
        let steps = (PERIOD_S / 0.5e-9) as u32;
        (0..steps)
            .map(|k| of(f64::from(k) * 0.5e-9))
            .fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)))
    }

    pub(super) fn cycles_seen(&self) -> f64 {
        (self.rises_s().len().max(2) - 1) as f64
    }

    /// Highest point of the damped sine.
    pub(super) fn true_spike_v(&self) -> f64 {
        self.spike_v * ringing_v((TAU * RING_HZ * DECAY_S).atan() / (TAU * RING_HZ))
    }

    /// The ripple at the switching frequency as a phasor (peak): the current's changes of slope, through the series resistance
    /// and the capacitor.
    fn ripple_phasor(&self) -> (f64, f64) {
        let [on, diode, idle] = self.segments();
        let (up, down) = (1.0 / on, -1.0 / diode);
        let flat = if idle > 0.0 { 0.0 } else { down };
        let (mut re, mut im) = (0.0, 0.0);
        for (phase, change) in [(0.0, up - flat), (on, down - up), (on + diode, flat - down)] {
            re -= change * (TAU * phase).cos();
            im += change * (TAU * phase).sin();
        }
        // 2/T times the transform of a change of slope, -1/omega^2; the capacitor adds 1/(j omega r C).
        let gain = 2.0 * self.ripple_v / (TAU * TAU);
        let lag = PERIOD_S / (TAU * ESR_S);
        (gain * (re + im * lag), gain * (im - re * lag))
    }

    /// The spikes at the switching frequency: the transform of a damped sine, at the rise and turned over at the fall.
    fn spikes_phasor(&self) -> (f64, f64) {
        let (omega, ring, decay) = (TAU / PERIOD_S, TAU * RING_HZ, 1.0 / DECAY_S);
        // ring / ((decay + j omega)^2 + ring^2)
        let (re, im) = (decay * decay - omega * omega + ring * ring, 2.0 * decay * omega);
        let size = re * re + im * im;
        let (re, im) = (ring * re / size, -ring * im / size);
        let (turn_re, turn_im) = (1.0 - (TAU * self.on()).cos(), (TAU * self.on()).sin());
        let gain = 2.0 * self.spike_v / PERIOD_S;
        (gain * (re * turn_re - im * turn_im), gain * (re * turn_im + im * turn_re))
    }

    pub(super) fn true_ripple_fundamental_v(&self) -> f64 {
        let (re, im) = self.ripple_phasor();
        2.0 * re.hypot(im)
    }

    pub(super) fn true_fundamental_v(&self) -> f64 {
        let ((a, b), (c, d)) = (self.ripple_phasor(), self.spikes_phasor());
        2.0 * (a + c).hypot(b + d)
    }

    /// The spikes behind a single pole, in closed form: the convolution of a damped sine with an exponential.
    fn limited_ringing_v(since_s: f64) -> f64 {
        if since_s < 0.0 {
            return 0.0;
        }
        let (pole, ring, decay) = (TAU * 20e6, TAU * RING_HZ, 1.0 / DECAY_S);
        // pole * Im((e^(pt) - e^(-pole t)) / (p + pole)), p = -decay + j ring
        let shrunk = (-decay * since_s).exp();
        let (re, im) =
            (shrunk * (ring * since_s).cos() - (-pole * since_s).exp(), shrunk * (ring * since_s).sin());
        let a = pole - decay;
        pole * (im * a - re * ring) / (a * a + ring * ring)
    }

    /// Volts between the levels of the ripple that blanking leaves.
    fn true_blank_pp_v(&self) -> f64 {
        let (on_s, period_s) = (self.on() * PERIOD_S, PERIOD_S);
        let blanked = |s: f64| (-0.1e-6..=1.0e-6).contains(&s);
        let (mut low, mut high) = (f64::MAX, f64::MIN);
        for k in 0..8000 {
            let s = (f64::from(k) + 0.5) / 8000.0 * period_s;
            if [s, s - period_s, s - on_s, s - on_s + period_s].into_iter().any(blanked) {
                continue;
            }
            let v = self.ripple_at(s / period_s);
            (low, high) = (low.min(v), high.max(v));
        }
        high - low
    }

    /// Variance of everything that is not noise.
    fn signal_variance(&self) -> f64 {
        let pulses = self.pulse_share();
        // Between the pulses the output stands where the cycle ended.
        let flat_v = self.ripple_at(1.0);
        let square = self.average(|phase| self.ripple_at(phase).powi(2));
        let ripple =
            square + (1.0 / pulses - 1.0) * flat_v.powi(2) - (self.true_mean_v() - VOUT_V).powi(2) / pulses;
        let turns = (TAU * RING_HZ * DECAY_S).powi(2);
        let spikes = 2.0 / PERIOD_S * self.spike_v.powi(2) * DECAY_S / 4.0 * turns / (1.0 + turns);
        pulses * (ripple + spikes) + self.ramp_v.powi(2) / 12.0
    }

    fn true_mean_v(&self) -> f64 {
        VOUT_V + (1.0 - self.pulse_share()) * self.ripple_at(1.0)
    }

    /// Cycles with a pulse, of all.
    fn pulse_share(&self) -> f64 {
        if self.mode == Mode::Skipping { 4.0 / 11.0 } else { 1.0 }
    }

    /// Every figure with what it has to be; the order of the table.
    pub(super) fn expected(&self) -> Vec<(&'static str, Expected)> {
        let mut rows = self.expected_moments();
        rows.extend(self.expected_ripple());
        rows.extend(self.expected_spikes());
        rows.extend(self.expected_switching());
        rows
    }

    fn expected_moments(&self) -> Vec<(&'static str, Expected)> {
        let (fine_v, wide_v) = self.steps_v();
        let n = self.samples() as f64;
        let noise_v = self.noise_v;
        // Noise under half a step does not carry the mean across it.
        let rounding = |step_v: f64| if noise_v < 0.5 * step_v { 0.5 * step_v } else { 0.02 * step_v };
        let cut_v = self.ripple_v + 0.01 * self.spike_v;
        let ends_v = if self.mode == Mode::Skipping { cut_v } else { 0.5 * cut_v / self.cycles_seen() };
        let mean_allowed = rounding(wide_v) + 5.0 * noise_v / n.sqrt() + ends_v;
        let drift_allowed = rounding(fine_v) + 10.0 * noise_v / n.sqrt() + 4.0 * ends_v;
        // A clipped narrow record hands rms over to the wide one.
        let step_v = if self.spike_v > 0.0 { wide_v } else { fine_v };
        let rms_v = (self.signal_variance() + noise_v.powi(2) + step_v.powi(2) / 12.0).sqrt();
        let rms_allowed = 0.03 * rms_v + if noise_v < 0.5 * step_v { 0.2 * step_v } else { 0.0 };

        let pulse_v = |s: f64| self.ripple_at(s / PERIOD_S) + self.spikes_at(s, PERIOD_S);
        let (low, high) = self.extremes(pulse_v);
        let above = EXTREME * noise_v + 0.5 * self.ramp_v + 0.5 * wide_v;
        // Between two samples the top of a ring is missed.
        let below = self.missed(0.1) * self.spike_v + 0.5 * self.ripple_v + 0.5 * self.ramp_v + 0.5 * wide_v;
        let peak = |truth: f64, below: f64, above: f64| Expected::Within { truth, below, above };
        let settled = self.ripple_at(1.0);
        let limited = |s: f64| {
            let fall_s = s - self.on() * PERIOD_S;
            let spikes = Self::limited_ringing_v(s)
                - Self::limited_ringing_v(fall_s)
                - Self::limited_ringing_v(fall_s + PERIOD_S);
            self.ripple_at(s / PERIOD_S) + self.spike_v * spikes
        };
        let (limited_low, limited_high) = self.extremes(limited);
        let warped = (PI * 20e6 / self.rate_hz).tan();
        let passed = (warped / (1.0 + warped)).sqrt();
        let limited_pp = limited_high.max(settled) - limited_low.min(settled);
        // The bilinear transform presses the pole's skirt below half the sample rate: what rings below the corner passes too easily.
        let ring_gain = (1.0 + (RING_HZ / 20e6).powi(2)).sqrt()
            / (1.0 + ((PI * RING_HZ / self.rate_hz).tan() / warped).powi(2)).sqrt();
        let skirt = 0.03 + 1.1 * (ring_gain - 1.0);
        let limited_allowed = skirt * self.spike_v + self.ramp_v + wide_v;
        vec![
            ("mean_v", within(self.true_mean_v(), mean_allowed)),
            ("rms_ac_v", within(rms_v, rms_allowed)),
            ("max_v", peak(VOUT_V + high, below, above)),
            ("min_v", peak(VOUT_V + low, above, below)),
            ("noise_pp_full_v", peak(high - low, 2.0 * below, 2.0 * above)),
            (
                "noise_pp_20mhz_v",
                peak(
                    limited_pp,
                    limited_allowed + 0.3 * self.ripple_v,
                    limited_allowed + 2.0 * EXTREME * passed * noise_v,
                ),
            ),
            ("drift_v", within(0.5 * self.ramp_v, drift_allowed)),
        ]
    }

    /// Part of a ring's top that is missed where the nearest sample is off by this part of a sample interval.
    fn missed(&self, interval: f64) -> f64 {
        1.0 - (TAU * RING_HZ * interval / self.rate_hz).cos()
    }

    fn expected_ripple(&self) -> Vec<(&'static str, Expected)> {
        let (step_v, _) = self.steps_v();
        let cycles = self.cycles_seen();
        let share = |part: f64| part * self.ripple_v;
        let mean_noise_v = self.noise_v.hypot(step_v / 3.5) / cycles.sqrt();
        let none = Expected::NotAvailable;
        let names = ["ripple_pp_v", "ripple_fit_pp_v", "ripple_blank_pp_v", "ripple_fund_pp_v"];
        let hidden =
            matches!(self.look, Look::Once(_)) && self.noise_v < 0.5 * step_v && self.ripple_v < step_v;
        if self.mode == Mode::Skipping || hidden {
            return names.into_iter().map(|name| (name, none)).collect();
        }
        // The edges wander: what is locked to them is smeared at the end of the record.
        let wander = self.jitter_s * (cycles / 2.0).sqrt() / PERIOD_S;
        let truth = self.true_fundamental_v();
        let floor_v = 6.0 * (self.noise_v.hypot(step_v / 3.5)) * (2.0 / self.samples() as f64).sqrt();
        let fund_allowed = 0.02 * truth
            + floor_v
            + 20.0 * wander.powi(2) * truth
            + self.ramp_v / cycles
            + 0.002 * self.spike_v;
        // In a narrow range the spikes are clipped, and most of their share with them.
        let alone = self.true_ripple_fundamental_v();
        let cut_v = if self.look == Look::Twice && self.spike_v > 0.0 { (truth - alone).abs() } else { 0.0 };
        let fund_allowed = fund_allowed + cut_v;
        let fundamental = ("ripple_fund_pp_v", within(truth, fund_allowed));
        if self.mode == Mode::Discontinuous {
            let spikes_v = if cut_v > 0.0 { 0.0 } else { (truth - alone).abs() };
            return vec![
                ("ripple_pp_v", within(alone, fund_allowed + spikes_v)),
                ("ripple_fit_pp_v", none),
                ("ripple_blank_pp_v", none),
                fundamental,
            ];
        }
        // Where the blanking ends a spike has fallen to e^(-1/0.12); the fit reaches back over a microsecond from there.
        let residue_v = 12.0 * self.spike_v * (-1e-6 / DECAY_S).exp();
        let fit_allowed = share(0.05) + residue_v + 9.0 * mean_noise_v + self.ramp_v / cycles;
        let blank_above = share(0.03) + 0.2 * residue_v + 9.0 * mean_noise_v + self.ramp_v / cycles;
        let blank_v = self.true_blank_pp_v();
        let told = |truth: f64, below: f64, above: f64| match self.leaves_ripple_open() {
            true => Expected::Perhaps { truth, below, above },
            false => Expected::Within { truth, below, above },
        };
        // What blanking leaves may stand for the ripple there.
        let cut_off_v = if self.leaves_ripple_open() { self.ripple_v - blank_v } else { 0.0 };
        let mut rows = vec![
            ("ripple_pp_v", told(self.ripple_v, fit_allowed + cut_off_v, fit_allowed)),
            ("ripple_fit_pp_v", told(self.ripple_v, fit_allowed, fit_allowed)),
            ("ripple_blank_pp_v", told(blank_v, share(0.03) + 2.0 * mean_noise_v, blank_above)),
            match fundamental.1 {
                Expected::Within { truth, below, above } => (fundamental.0, told(truth, below, above)),
                other => (fundamental.0, other),
            },
        ];
        if self.spike_v == 0.0 {
            let noise_v = 6.0 * self.noise_v.hypot(step_v / 3.5) * (2e6 / self.rate_hz).sqrt();
            let (below, above) = (share(0.15), share(0.03) + noise_v + 0.5 * step_v);
            rows.push(("ripple_lp1mhz_pp_v", Expected::Within { truth: self.ripple_v, below, above }));
        }
        rows
    }

    /// Whether noise or steps are so large against the ripple that the fit may not hold, or nothing.
    pub(super) fn leaves_ripple_open(&self) -> bool {
        let (step_v, _) = self.steps_v();
        let (noise_v, of_step) = (self.noise_v / self.cycles_seen().sqrt(), self.noise_v / step_v);
        let step_error_v =
            if self.look == Look::Float { 0.0 } else { step_v * (-2.0 * (PI * of_step).powi(2)).exp() };
        step_error_v > 0.2 * self.ripple_v || noise_v > 0.04 * self.ripple_v
    }

    fn expected_spikes(&self) -> Vec<(&'static str, Expected)> {
        let (fine_v, wide_v) = self.steps_v();
        let peak_v = self.true_spike_v();
        let noise_v = self.noise_v;
        let extreme_v = EXTREME * noise_v;
        // The baseline at a corner of the ripple is the median of a microsecond on both sides.
        let corner_v = 0.5 * self.ripple_v;
        let below = self.missed(0.1) * peak_v + corner_v + wide_v + 0.01 * peak_v;
        let above = extreme_v + corner_v + wide_v;
        let median_below = self.missed(0.5) * peak_v + corner_v + wide_v;
        let n = (PERIOD_S * self.rate_hz).ln();
        let cycle_extreme_v = 1.2 * (2.0 * n).sqrt() * noise_v;
        let median_above = cycle_extreme_v + corner_v + wide_v;
        let high = |truth: f64, below: f64, above: f64| Expected::Within { truth, below, above };
        let sigma = if noise_v < 0.5 * fine_v {
            None
        } else {
            Some(within(noise_v, 0.1 * noise_v + self.jammed() + 0.75 * fine_v))
        };
        let mut rows = vec![
            ("spike_pos_v", high(peak_v, below, above)),
            ("spike_neg_v", high(-peak_v, above, below)),
            ("spike_pos_median_v", high(peak_v, median_below, median_above)),
            ("spike_neg_median_v", high(-peak_v, median_above, median_below)),
        ];
        rows.extend(self.true_groups().map(|groups| {
            let hz = groups * self.pulse_share() / PERIOD_S;
            ("spike_rate_hz", within(hz, 0.02 * hz + 2.0 / 600e-6))
        }));
        rows.extend(sigma.map(|sigma| ("noise_sigma_v", sigma)));
        rows
    }

    /// What the ripple's own slopes and the ringing add to the median deviation.
    fn jammed(&self) -> f64 {
        0.15 * self.ripple_v + if self.spike_v > 0.0 { 0.25 * self.noise_v } else { 0.0 }
    }

    /// Groups of samples beyond 100 mV in a cycle; none told where it hangs on a hair.
    fn true_groups(&self) -> Option<f64> {
        let margin_v = 6.0 * self.noise_v + 0.5 * self.ripple_v + self.steps_v().1;
        if self.true_spike_v() + margin_v < 0.1 {
            return Some(0.0);
        }
        // The second half wave is over the threshold too, and the tail's length is told within half a wave.
        let tail_s = DECAY_S * (self.spike_v / 0.1).ln();
        let pause_s = self.on() * PERIOD_S - tail_s;
        match pause_s - 1.0e-6 {
            s if s > 0.15e-6 => Some(2.0),
            s if s < -0.05e-6 => Some(1.0),
            _ => None,
        }
    }

    fn expected_switching(&self) -> Vec<(&'static str, Expected)> {
        let rises_s = self.rises_s();
        let periods_s: Vec<f64> = rises_s.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let n = periods_s.len() as f64;
        let mean_s = periods_s.iter().sum::<f64>() / n;
        let interval_s = 1.0 / self.rate_hz;
        // Interpolation errs where a slope holds fewer than three samples.
        let edge_s = 0.08 * interval_s + 0.1e-9;
        let pulse_hz = within(n / (n * mean_s), 1.5 / 600e-6);
        let (shortest_s, longest_s) =
            periods_s.iter().fold((f64::MAX, f64::MIN), |(low, high), s| (low.min(*s), high.max(*s)));
        // A rise out of the ringing of an empty inductor starts at another voltage each time.
        let gap_s = 2.0 * edge_s + if self.mode == Mode::Continuous { 0.0 } else { 0.5 * SLOPE_S };
        let none = Expected::NotAvailable;
        let levels_v = 1.5 * 1.3 * self.vin_v() / 256.0 + 0.1;
        let mut rows = vec![("high_v", within(self.vin_v(), levels_v)), ("pulse_hz", pulse_hz)];
        rows.extend([
            ("pulse_count", within(n + 1.0, 0.0)),
            ("pulse_gap_mean_s", within(mean_s, 2.0 * gap_s / n)),
            ("pulse_gap_min_s", within(shortest_s, gap_s)),
            ("pulse_gap_max_s", within(longest_s, gap_s)),
        ]);
        if self.spike_v > 1.0 {
            // The strongest frequency of 0.6 us of a decaying sine, by one bin of 4096.
            rows.push(("ring_hz", within(RING_HZ, 0.02 * RING_HZ + self.rate_hz / 4096.0)));
        }
        let on_s = self.on() * mean_s;
        if self.mode == Mode::Skipping {
            let gone = ["switching_hz", "period_std_s", "period_pp_s", "period_c2c_s", "duty"];
            rows.extend(gone.into_iter().map(|name| (name, none)));
            return rows;
        }
        if self.mode == Mode::Continuous {
            rows.push(("low_v", within(-DIODE_V, levels_v)));
        }
        let std_s = (periods_s.iter().map(|s| (s - mean_s).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let (low, high) =
            periods_s.iter().fold((f64::MAX, f64::MIN), |(low, high), s| (low.min(*s), high.max(*s)));
        let changes: Vec<f64> = periods_s.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).collect();
        let c2c_s = (changes.iter().sum::<f64>() / changes.len() as f64).sqrt();
        let hz = 1.0 / mean_s;
        rows.extend([
            ("switching_hz", within(hz, hz * edge_s * 2.0 / (n * mean_s))),
            ("period_std_s", within(std_s, 0.03 * std_s + 2.0 * edge_s)),
            ("period_pp_s", within(high - low, 0.03 * (high - low) + 8.0 * edge_s)),
            ("period_c2c_s", within(c2c_s, 0.03 * c2c_s + 4.0 * edge_s)),
            ("on_time_s", within(on_s, 0.002 * PERIOD_S)),
            ("duty", within(self.on(), 0.002)),
        ]);
        rows
    }
}
