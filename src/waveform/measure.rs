//! From two acquisitions to the figures of a steady state: which figure is taken from which record, and what limits it.

use super::filter::{LIMIT_HZ, measure_limited};
use super::look::Look;
use super::ripple::{measure_cycle_ripple, measure_harmonics, measure_spike_share};
use super::spikes::{Deviations, RATE_THRESHOLD_V};
use super::switching::Switching;
use super::{Conduction, Figure, Pair, RippleMethod, SteadyState, Unavailable};
use std::f64::consts::TAU;

/// Measures all figures of one operating point from its two acquisitions.
///
/// `ripple` is the narrow, usually AC-coupled one: its samples resolve the ripple, and the spikes may leave its range.
/// `spikes` is the wide one with the full bandwidth. With one of them missing the other serves for both, as far as it can.
#[must_use]
pub fn measure(ripple: Option<&Pair<'_>>, spikes: Option<&Pair<'_>>) -> SteadyState {
    let mut looks = Vec::new();
    let mut failures = Vec::new();
    for pair in [ripple, spikes].into_iter().flatten() {
        match Look::at(pair) {
            Ok(look) => looks.push(look),
            Err(reason) => failures.push(reason.0),
        }
    }
    let mut state = SteadyState::unavailable("there is no trace of the output");
    if let (Some(fine), Some(wide)) = (looks.first(), looks.last()) {
        state.fill_moments(fine, wide);
        state.fill_limited(fine, wide);
        state.fill_switching(&looks);
        state.fill_spikes(fine, wide);
        state.fill_ripple(&looks);
        looks.iter().for_each(|look| state.note_range(look));
    } else if let Some(reason) = failures.first() {
        state = SteadyState::unavailable(reason);
    }
    failures.into_iter().for_each(|reason| state.note(reason));
    state
}

/// Measures all figures from a single acquisition.
#[must_use]
pub fn measure_one(pair: &Pair<'_>) -> SteadyState {
    measure(None, Some(pair))
}

/// What noise and converter steps alone may reach over the baseline, in volts: the largest of some 100 000 samples of noise
/// lies 4.4 sigma out.
fn spike_floor_v(deviations: &Deviations) -> f64 {
    (5.0 * deviations.noise_sigma_v().unwrap_or(0.0)).max(2.0 * deviations.step_v)
}

/// Part of the samples that may be clipped without moving a mean by more than its own resolution.
const CLIPPED_MEAN_PART: f64 = 1e-3;

impl SteadyState {
    fn fill_moments(&mut self, fine: &Look<'_>, wide: &Look<'_>) {
        let direct = [wide, fine].into_iter().find(|look| look.is_dc());
        let ac =
            || Unavailable::because("the capture is AC-coupled: the mean is taken away before the converter");
        let dc = |read: &dyn Fn(&Look<'_>) -> Figure| direct.map_or_else(|| Err(ac()), read);
        self.mean_v = dc(&|look| {
            if look.clipped() as f64 > CLIPPED_MEAN_PART * look.moments.count as f64 {
                look.check_clipping(look.clipped())?;
            }
            Ok(look.moments.mean_v)
        });
        self.max_v = dc(&|look| look.check_clipping(look.moments.clipped_high).map(|()| look.moments.max_v));
        self.min_v = dc(&|look| look.check_clipping(look.moments.clipped_low).map(|()| look.moments.min_v));
        if let Some(look) = direct
            && self.mean_v.is_ok()
            && look.deviations.as_ref().is_ok_and(|d| d.noise_sigma_v().is_err())
        {
            self.note(format!(
                "mean_v is known to {:.1} mV only: without noise to carry it, half a step of the {} is the least it shows",
                look.moments.step_v * 500.0,
                look.name
            ));
        }
        self.noise_pp_full_v = match wide.limit_hz() {
            Some(corner_hz) => Err(Unavailable::because(format!(
                "the {} was limited to {:.0} MHz",
                wide.name,
                corner_hz / 1e6
            ))),
            None => wide.check_clipping(wide.clipped()).map(|()| wide.moments.max_v - wide.moments.min_v),
        };
        // The full bandwidth first, the finer step next.
        let sound = [fine, wide].into_iter().filter(|look| look.clipped() == 0);
        let source = sound.clone().find(|look| look.limit_hz().is_none()).or_else(|| sound.clone().next());
        self.rms_ac_v = match source {
            Some(look) => {
                if let Some(corner_hz) = look.limit_hz() {
                    self.note(format!(
                        "rms_ac_v: the {} was limited to {:.0} MHz",
                        look.name,
                        corner_hz / 1e6
                    ));
                }
                Ok(look.moments.rms_ac_v)
            }
            None => wide.check_clipping(wide.clipped()).map(|()| wide.moments.rms_ac_v),
        };
        self.drift_v = fine
            .moments
            .drift_v
            .ok_or_else(|| Unavailable::because("a record of one sample has no halves to compare"));
    }

    fn fill_limited(&mut self, fine: &Look<'_>, wide: &Look<'_>) {
        let source = if fine.clipped() == 0 { fine } else { wide };
        if let Err(reason) = source.check_clipping(source.clipped()) {
            (self.noise_pp_20mhz_v, self.noise_rms_20mhz_v) = (Err(reason.clone()), Err(reason));
            return;
        }
        let limited = measure_limited(source.vout);
        (self.noise_pp_20mhz_v, self.noise_rms_20mhz_v) = (limited.pp_v, limited.rms_v);
        if fine.clipped() > 0 {
            self.note(format!(
                "the 20 MHz figures and rms_ac_v come from the {}: spikes leave the range of the {} ({} of {} samples)",
                wide.name,
                fine.name,
                fine.clipped(),
                fine.moments.count
            ));
        }
        if let Some(corner_hz) = source.limit_hz() {
            let how = if corner_hz <= LIMIT_HZ {
                "the scope's own limiter"
            } else {
                "the scope's limiter and a 20 MHz pole"
            };
            self.note(format!(
                "the 20 MHz figures come from {how} ({:.0} MHz) in the {}",
                corner_hz / 1e6,
                source.name
            ));
        }
        let step_v = source.moments.step_v;
        if let Ok(pp_v) = self.noise_pp_20mhz_v
            && pp_v < 3.0 * step_v
        {
            self.note(format!(
                "noise_pp_20mhz_v is a bound: it spans {:.1} steps of the converter ({:.2} mV each)",
                pp_v / step_v,
                step_v * 1e3
            ));
        }
    }

    fn fill_switching(&mut self, looks: &[Look<'_>]) {
        // The longest record has the most periods; of equals the first.
        let mut best: Option<(&Look<'_>, &Switching)> = None;
        for look in looks {
            if let Ok(switching) = &look.switching
                && best.is_none_or(|(other, _)| look.span_s() > other.span_s())
            {
                best = Some((look, switching));
            }
        }
        let Some((look, switching)) = best else {
            let reason = looks.iter().find_map(|look| look.switching.as_ref().err().cloned());
            self.refuse_switching(&reason.unwrap_or_else(|| Unavailable::because("no switching edges")));
            return;
        };
        let figures = switching.period_figures(look.moments.count);
        self.switching_hz = figures.switching_hz;
        self.period_std_s = figures.std_s;
        self.period_pp_s = figures.pp_s;
        self.period_c2c_s = figures.c2c_s;
        self.on_time_s = figures.on_time_s;
        self.duty = figures.duty;
        self.pulse_hz = figures.pulse_hz;
        (self.low_v, self.high_v) = (Ok(switching.states.low_v), Ok(switching.states.high_v));
        self.conduction = switching.conduction;
        let cycles = switching.edges.rising.len() - 1;
        if cycles < 10 {
            self.note(format!("only {cycles} switching periods in the record: period figures are coarse"));
        }
        if looks
            .iter()
            .any(|look| look.switching.as_ref().is_ok_and(|s| s.conduction != switching.conduction))
        {
            self.note(
                "the two acquisitions differ in conduction: the board works at the limit between two modes",
            );
        }
        if let Some(lx) = look.lx
            && lx.clipped() as f64 > 0.01 * lx.codes.len() as f64
        {
            self.note("the switch node leaves its channel's range: its levels are bounds, its edges are not affected");
        }
    }

    fn refuse_switching(&mut self, reason: &Unavailable) {
        for figure in [
            &mut self.switching_hz,
            &mut self.period_std_s,
            &mut self.period_pp_s,
            &mut self.period_c2c_s,
            &mut self.on_time_s,
            &mut self.duty,
            &mut self.pulse_hz,
            &mut self.low_v,
            &mut self.high_v,
        ] {
            *figure = Err(reason.clone());
        }
    }

    fn fill_spikes(&mut self, fine: &Look<'_>, wide: &Look<'_>) {
        self.noise_sigma_v = fine.deviations.as_ref().map_err(Clone::clone).and_then(|d| d.noise_sigma_v());
        let positive = wide.check_clipping(wide.moments.clipped_high);
        let negative = wide.check_clipping(wide.moments.clipped_low);
        let deviations = match &wide.deviations {
            Ok(deviations) => deviations,
            Err(reason) => return self.refuse_spikes(reason),
        };
        let (high_v, low_v) = deviations.peaks_v();
        self.spike_pos_v = positive.clone().map(|()| high_v);
        self.spike_neg_v = negative.clone().map(|()| low_v);
        self.spike_rate_hz = deviations.spike_rate_hz(RATE_THRESHOLD_V);
        let cycles = match &wide.switching {
            Ok(switching) => deviations.cycle_spikes(&switching.edges),
            Err(reason) => Err(reason.clone()),
        };
        self.spike_pos_median_v = positive.and_then(|()| cycles.clone().map(|c| c.pos_median_v));
        self.spike_neg_median_v = negative.and_then(|()| cycles.map(|c| c.neg_median_v));
        if let Some(corner_hz) = wide.limit_hz() {
            self.note(format!(
                "spikes are lower bounds: the {} was limited to {:.0} MHz",
                wide.name,
                corner_hz / 1e6
            ));
        }
        let floor_v = spike_floor_v(deviations);
        for (name, height_v) in [("spike_pos_v", high_v), ("spike_neg_v", -low_v)] {
            if height_v <= floor_v {
                self.note(format!(
                    "{name} is a bound: {:.1} mV do not stand out of the noise and steps of the record ({:.1} mV)",
                    height_v * 1e3,
                    floor_v * 1e3
                ));
            }
        }
    }

    fn refuse_spikes(&mut self, reason: &Unavailable) {
        for figure in [
            &mut self.spike_pos_v,
            &mut self.spike_neg_v,
            &mut self.spike_pos_median_v,
            &mut self.spike_neg_median_v,
            &mut self.spike_rate_hz,
        ] {
            *figure = Err(reason.clone());
        }
    }

    /// The estimator by conduction: the fit where the off-time is one piece, the fundamental where it has a kink and the
    /// on-time is too short to blank.
    fn fill_ripple(&mut self, looks: &[Look<'_>]) {
        let source = looks.iter().find_map(|look| look.switching.as_ref().ok().map(|s| (look, s)));
        let Some((look, switching)) = source else {
            let reason = looks.iter().find_map(|look| look.switching.as_ref().err().cloned());
            self.refuse_ripple(&reason.unwrap_or_else(|| Unavailable::because("no switching edges")));
            return;
        };
        match switching.conduction {
            Conduction::Skipping => self.refuse_ripple(&Unavailable::because(
                "pulses are skipped: there is no cycle to average; noise_pp_20mhz_v is an upper bound of the ripple",
            )),
            Conduction::Unknown => self.refuse_ripple(&Unavailable::because(
                "the conduction cannot be told from the switch node: no estimator is known to be valid",
            )),
            Conduction::Discontinuous => {
                let reason = Unavailable::because(
                    "discontinuous conduction: the off-time has a kink and ringing outlasts the blanking",
                );
                (self.ripple_blank_pp_v, self.ripple_fit_pp_v) = (Err(reason.clone()), Err(reason));
                self.fill_fundamental(look, switching);
                self.ripple_pp_v = self.ripple_fund_pp_v.clone();
                self.ripple_method = self.ripple_pp_v.is_ok().then_some(RippleMethod::Fundamental);
            }
            Conduction::Continuous => {
                self.fill_fundamental(look, switching);
                self.fill_cycle_ripple(look, switching);
            }
        }
        self.weigh_ripple(look, switching);
    }

    fn refuse_ripple(&mut self, reason: &Unavailable) {
        for figure in [
            &mut self.ripple_pp_v,
            &mut self.ripple_blank_pp_v,
            &mut self.ripple_fit_pp_v,
            &mut self.ripple_fund_pp_v,
        ] {
            *figure = Err(reason.clone());
        }
        self.ripple_method = None;
    }

    fn fill_fundamental(&mut self, look: &Look<'_>, switching: &Switching) {
        self.ripple_fund_pp_v =
            measure_harmonics(look.vout, switching).map(|harmonics| harmonics.fundamental_pp_v());
        if look.clipped() > 0 && switching.conduction == Conduction::Discontinuous {
            self.note(format!(
                "ripple_fund_pp_v: {} samples of the {} are clipped, the spikes' share in it is cut",
                look.clipped(),
                look.name
            ));
        }
        if switching.conduction == Conduction::Discontinuous
            && let (Ok(fundamental_v), Ok(deviations)) = (&self.ripple_fund_pp_v, &look.deviations)
            && let Ok(share_v) = measure_spike_share(deviations, switching, spike_floor_v(deviations))
            && share_v > 0.1 * fundamental_v
        {
            self.note(format!(
                "ripple_fund_pp_v holds a share of the spikes: {:.2} mV of {:.2} mV may be theirs",
                share_v * 1e3,
                fundamental_v * 1e3
            ));
        }
        let loss = 1.0 - (-(TAU * switching.wander).powi(2) / 2.0).exp();
        if loss > 0.05 {
            self.note(format!(
                "ripple_fund_pp_v is low by about {:.0} %: jitter moves the edges by {:.1} % of a period rms over the record",
                loss * 100.0,
                switching.wander * 100.0
            ));
        }
    }

    fn fill_cycle_ripple(&mut self, look: &Look<'_>, switching: &Switching) {
        let cycle = measure_cycle_ripple(look.vout, switching);
        (self.ripple_pp_v, self.ripple_method) = match (&cycle.fit_pp_v, &cycle.blank_pp_v) {
            (Ok(fit), _) => (Ok(*fit), Some(RippleMethod::Fit)),
            (Err(reason), Ok(blank)) => {
                self.note(format!("ripple_pp_v is a lower bound, its corners are blanked: {reason}"));
                (Ok(*blank), Some(RippleMethod::Blank))
            }
            (Err(reason), Err(_)) => (Err(reason.clone()), None),
        };
        if let (Ok(fit_v), Ok(residual_v)) = (&cycle.fit_pp_v, &cycle.fit_residual_v)
            && *residual_v > 0.15 * fit_v
        {
            self.note(format!(
                "ripple_fit_pp_v is doubtful: the fit leaves {:.2} mV rms; ringing may outlast the blanking",
                residual_v * 1e3
            ));
        }
        if let (Ok(fit_v), Ok(sigma_v)) = (&cycle.fit_pp_v, &cycle.fit_sigma_v)
            && 2.0 * sigma_v > 0.1 * fit_v
        {
            self.note(format!(
                "ripple_fit_pp_v is known to {:.2} mV only: the fit reaches far under the blanking",
                2.0 * sigma_v * 1e3
            ));
        }
        if look.clipped() > 0 && self.ripple_pp_v.is_ok() {
            self.note(format!(
                "{} of {} samples of the {} are clipped; they lie at the edges, which the ripple leaves out",
                look.clipped(),
                look.moments.count,
                look.name
            ));
        }
        (self.ripple_blank_pp_v, self.ripple_fit_pp_v) = (cycle.blank_pp_v, cycle.fit_pp_v);
    }

    /// Holds the ripple against the record's noise and steps: refuses what they hide, tells what they limit.
    fn weigh_ripple(&mut self, look: &Look<'_>, switching: &Switching) {
        let Ok(ripple_v) = self.ripple_pp_v else { return };
        let step_v = look.moments.step_v;
        let cycles = switching.edges.rising.len().saturating_sub(1).max(1);
        let sigma_v = look.deviations.as_ref().map_or(0.0, |d| d.noise_sigma_v().unwrap_or(0.0));
        let noise_v = match self.ripple_method {
            // Three sigma of twice an amplitude from that many samples.
            Some(RippleMethod::Fundamental) => 6.0 * sigma_v * (2.0 / look.moments.count as f64).sqrt(),
            // The extremes of a mean over the cycles.
            _ => 6.0 * sigma_v / (cycles as f64).sqrt(),
        };
        // Noise under half a step does not carry the mean across it: what lies within one step leaves no trace, or a wrong one.
        if sigma_v < 0.5 * step_v && ripple_v < step_v {
            self.refuse_ripple(&Unavailable::because(format!(
                "the ripple is hidden: the {} has steps of {:.2} mV and no noise that would carry it across them",
                look.name,
                step_v * 1e3
            )));
            return;
        }
        if ripple_v <= noise_v {
            self.note(format!(
                "ripple_pp_v is an upper bound: {:.2} mV lie at the floor of the record ({:.2} mV)",
                ripple_v * 1e3,
                noise_v * 1e3
            ));
        }
        if ripple_v < 4.0 * step_v {
            self.note(format!(
                "the range is wide for the ripple: {:.2} mV are {:.1} steps of {:.2} mV, averaged over {cycles} cycles",
                ripple_v * 1e3,
                ripple_v / step_v,
                step_v * 1e3
            ));
        }
        if let Ok(drift_v) = self.drift_v
            && drift_v.abs() > 0.25 * ripple_v
        {
            self.note(format!(
                "the output drifts by {:.2} mV within the record: it had not settled",
                drift_v * 1e3
            ));
        }
    }

    fn note_range(&mut self, look: &Look<'_>) {
        if let Some(note) = &look.vout.acquisition.range_note {
            self.note(format!("{}: {note}", look.name));
        }
        if look.moments.range_used < 0.3 {
            self.note(format!(
                "the {} uses {:.0} % of its range ({} steps of {:.2} mV)",
                look.name,
                look.moments.range_used * 100.0,
                look.moments.steps_used,
                look.moments.step_v * 1e3
            ));
        }
    }
}
