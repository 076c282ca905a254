//! Figures of the ripple: which estimator is valid, and what limits it (R1 to R4).

use super::super::beside::beside;
use super::super::both_ways::low_passed_ripple_of;
use super::super::conduction::Flow;
use super::super::levels::StateLevels;
use super::super::periodicity::Periodicity;
use super::super::ripple::{CycleRipple, cycle_ripple_of, harmonics_of, measure_spike_share};
use super::super::rises::Rises;
use super::super::switching::{Edges, Switching};
use super::estimator::{Chosen, Evidence, Fit, Refused, choose, most_behind_steps, step_error_v};
use super::{Look, SteadyState, Unavailable};
use crate::waveform::{Bound, Conduction, Figure, RippleMethod};

/// An output that moves by more than this part of its ripple in each period, on average, falsifies every estimator of it.
const MOVED_PART: f64 = 0.1;

/// What a switching would be that has the output's period and nothing else: even rising edges, no levels, no duty.
fn even_switching(found: &Periodicity, look: &Look<'_>) -> Switching {
    Switching {
        states: StateLevels { low: 0.0, high: 0.0, low_v: 0.0, high_v: 0.0 },
        edges: Edges { rising: found.grid(look.moments.count), falling: Vec::new() },
        rate_hz: look.vout.sample_rate_hz(),
        period: found.period,
        duty: 0.0,
        conduction: Conduction::Unknown,
        flow: Flow::UNKNOWN,
        rises: Rises::default(),
        wander: found.wander,
    }
}

/// R4, of a record that nothing leaves.
fn low_passed_ripple(look: &Look<'_>, switching: &Switching) -> Figure {
    look.check_clipping(look.clipped())?;
    low_passed_ripple_of(look.vout, &switching.edges.rising)
}

/// Why there is no ripple where the converter's steps hide it.
fn hidden_by_steps(look: &Look<'_>) -> Unavailable {
    Unavailable::because(format!(
        "the ripple is hidden: the {} has steps of {:.2} mV and no noise that would carry it across them",
        look.name,
        look.step_v * 1e3
    ))
}

/// A ripple that the converter's steps hide, and what it is at the most.
struct Hidden {
    reason: Unavailable,
    most_v: Option<f64>,
}

/// What R2 and R3 of a mean cycle say, and what limits them.
fn evidence_of(look: &Look<'_>, switching: &Switching, cycle: &CycleRipple, blank_v: f64) -> Evidence {
    let cycles = switching.edges.rising.len().saturating_sub(1).max(1);
    let sigma_v = look.deviations.as_ref().map_or(0.0, |d| d.noise_sigma_v().unwrap_or(0.0));
    let fit = match (&cycle.fit_pp_v, &cycle.fit_kept_pp_v, &cycle.fit_sigma_v) {
        (Ok(pp_v), Ok(kept_pp_v), Ok(sigma_v)) => {
            Some(Fit { pp_v: *pp_v, kept_pp_v: *kept_pp_v, sigma_v: *sigma_v })
        }
        _ => None,
    };
    Evidence {
        blank_v,
        fit,
        left: cycle.left,
        noise_v: 6.0 * sigma_v / (cycles as f64).sqrt(),
        step_error_v: step_error_v(look.step_v, sigma_v),
    }
}

impl SteadyState {
    /// The estimator by conduction: the fit where the off-time is one piece, the fundamental where it has a kink and the
    /// on-time is too short to blank.
    pub(super) fn fill_ripple(&mut self, looks: &[Look<'_>]) {
        let source = looks.iter().find_map(|look| look.switching.as_ref().ok().map(|s| (look, s)));
        let Some((look, switching)) = source else {
            let reason = looks.iter().find_map(|look| look.switching.as_ref().err().cloned());
            self.refuse_ripple(&reason.unwrap_or_else(|| Unavailable::because("no switching edges")));
            if let Some((look, found)) = self.fill_output_period(looks) {
                let even = even_switching(&found, look);
                self.fill_fundamental(look, &even);
                self.ripple_lp1mhz_pp_v = low_passed_ripple(look, &even);
            }
            return;
        };
        if switching.conduction == Conduction::Skipping {
            self.refuse_ripple(&Unavailable::because(format!(
                "{}: there is no cycle to average; noise_pp_20mhz_v is an upper bound of the ripple",
                switching.why_no_period()
            )));
        } else {
            // The low-pass needs none of the estimators.
            let (low_passed, told) =
                beside(|| low_passed_ripple(look, switching), || self.fill_estimators(look, switching));
            self.ripple_lp1mhz_pp_v = low_passed;
            if let Err(Hidden { reason, most_v }) = told {
                self.refuse_ripple(&reason);
                self.bound_ripple(most_v, &reason);
            }
        }
        self.weigh_ripple(look, switching);
    }

    /// R1 to R3, and which of them is the ripple; or why there is no ripple figure at all.
    fn fill_estimators(&mut self, look: &Look<'_>, switching: &Switching) -> Result<(), Hidden> {
        match switching.conduction {
            Conduction::Skipping => {}
            Conduction::Unknown => self.refuse_ripple(&Unavailable::because(
                "the conduction cannot be told from the switch node: no estimator is known to be valid",
            )),
            Conduction::Discontinuous => {
                let reason = Unavailable::because(
                    "discontinuous conduction: the off-time has a kink and ringing outlasts the blanking",
                );
                (self.ripple_blank_pp_v, self.ripple_fit_pp_v) = (Err(reason.clone()), Err(reason.clone()));
                self.ripple_fit_residual_v = Err(reason);
                self.fill_fundamental(look, switching);
                self.ripple_pp_v = self.ripple_fund_pp_v.clone();
                self.ripple_method = self.ripple_pp_v.is_ok().then_some(RippleMethod::Fundamental);
            }
            Conduction::Continuous => {
                self.fill_fundamental(look, switching);
                return self.fill_cycle_ripple(look, switching);
            }
        }
        Ok(())
    }

    pub(super) fn refuse_ripple(&mut self, reason: &Unavailable) {
        for figure in [
            &mut self.ripple_pp_v,
            &mut self.ripple_blank_pp_v,
            &mut self.ripple_fit_pp_v,
            &mut self.ripple_fund_pp_v,
            &mut self.ripple_fit_residual_v,
            &mut self.ripple_lp1mhz_pp_v,
            &mut self.harmonic_1_v,
            &mut self.harmonic_2_v,
            &mut self.harmonic_3_v,
            &mut self.harmonic_4_v,
            &mut self.harmonic_5_v,
        ] {
            *figure = Err(reason.clone());
        }
        self.ripple_method = None;
    }

    pub(super) fn fill_fundamental(&mut self, look: &Look<'_>, switching: &Switching) {
        let harmonics = harmonics_of(&look.levels, switching);
        let places = [
            &mut self.harmonic_1_v,
            &mut self.harmonic_2_v,
            &mut self.harmonic_3_v,
            &mut self.harmonic_4_v,
            &mut self.harmonic_5_v,
        ];
        for (index, place) in places.into_iter().enumerate() {
            *place = harmonics.clone().map(|harmonics| harmonics.amplitude_v[index]);
        }
        self.ripple_fund_pp_v = harmonics.map(|harmonics| harmonics.fundamental_pp_v());
        if look.clipped() > 0 && switching.conduction == Conduction::Discontinuous {
            self.note(format!(
                "ripple_fund_pp_v: {} samples of the {} are clipped, the spikes' share in it is cut",
                look.clipped(),
                look.name
            ));
        }
        if switching.conduction == Conduction::Discontinuous
            && let (Ok(fundamental_v), Ok(deviations)) = (&self.ripple_fund_pp_v, &look.deviations)
            && let Ok(share_v) = measure_spike_share(deviations, switching, deviations.floor_v())
            && share_v > 0.1 * fundamental_v
        {
            self.note(format!(
                "ripple_fund_pp_v holds a share of the spikes: {:.2} mV of {:.2} mV may be theirs",
                share_v * 1e3,
                fundamental_v * 1e3
            ));
        }
        let loss = 1.0 - switching.coherence();
        if loss > 0.05 && self.ripple_fund_pp_v.is_ok() {
            self.note(format!(
                "ripple_fund_pp_v is low by about {:.0} %: jitter moves the edges by {:.1} % of a period rms over the record",
                loss * 100.0,
                switching.wander * 100.0
            ));
        }
    }

    /// R2, R3 and which of them is the ripple; or why there is no ripple figure at all.
    fn fill_cycle_ripple(&mut self, look: &Look<'_>, switching: &Switching) -> Result<(), Hidden> {
        let cycle = cycle_ripple_of(&look.levels, switching, &look.clipped_samples());
        (self.ripple_blank_pp_v, self.ripple_fit_pp_v) = (cycle.blank_pp_v.clone(), cycle.fit_pp_v.clone());
        self.ripple_fit_residual_v = cycle.fit_residual_v.clone();
        let evidence = cycle.blank_pp_v.clone().map(|blank_v| evidence_of(look, switching, &cycle, blank_v));
        let chosen = evidence.clone().map_err(Refused::Both).and_then(|evidence| choose(&evidence));
        match chosen {
            Ok(chosen) => self.take_chosen(&chosen, &cycle),
            Err(Refused::Hidden) => {
                let most_v = evidence.ok().and_then(|evidence| most_behind_steps(&evidence, look.step_v));
                return Err(Hidden { reason: hidden_by_steps(look), most_v });
            }
            Err(Refused::Both(reason)) => self.refuse_cycle(&reason, &reason),
            Err(Refused::Fit(no_fit, reason)) => self.refuse_cycle(&Unavailable::because(no_fit), &reason),
        }
        if cycle.blanking.wander_s > 0.0 && self.ripple_blank_pp_v.is_ok() {
            self.note(format!(
                "falls lie far from their mean phase: {:.2} µs more are blanked on both sides of them",
                cycle.blanking.wander_s * 1e6
            ));
        }
        if let (Ok(fit_v), Ok(residual_v)) = (&self.ripple_fit_pp_v, &self.ripple_fit_residual_v)
            && *residual_v > 0.15 * fit_v
        {
            self.note(format!(
                "ripple_fit_pp_v is doubtful: the fit leaves {:.2} mV rms; ringing may outlast the blanking",
                residual_v * 1e3
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
        Ok(())
    }

    /// The ripple by the estimator that was chosen, and what is to be said of it.
    fn take_chosen(&mut self, chosen: &Chosen, cycle: &CycleRipple) {
        (self.ripple_pp_v, self.ripple_method) = (Ok(chosen.pp_v), Some(chosen.method));
        if chosen.method == RippleMethod::Fit {
            if let Some(known_to_v) = chosen.known_to_v {
                self.note(format!(
                    "ripple_fit_pp_v is known to {:.2} mV only: noise and steps weigh more at the corners, which are blanked",
                    known_to_v * 1e3
                ));
            }
            return;
        }
        let no_fit = match (&chosen.no_fit, &cycle.fit_pp_v) {
            (Some(reason), _) => format!("the fit is not the ripple: {reason}"),
            (None, Err(reason)) => reason.0.clone(),
            (None, Ok(_)) => String::new(),
        };
        if chosen.no_fit.is_some() {
            let reason = Unavailable::because(no_fit.clone());
            (self.ripple_fit_pp_v, self.ripple_fit_residual_v) = (Err(reason.clone()), Err(reason));
        }
        match (chosen.bound, chosen.known_to_v) {
            (Some(Bound::Lower), _) => {
                let because = format!("ripple_pp_v is a lower bound, its corners are blanked: {no_fit}");
                self.note(because.clone());
                self.mark("ripple_pp_v", Bound::Lower, because.clone());
                self.mark("ripple_blank_pp_v", Bound::Lower, because);
            }
            // Told with the floor of the record.
            (Some(Bound::Upper), _) => self.mark("ripple_blank_pp_v", Bound::Upper, no_fit),
            (None, known_to_v) => self.note(format!(
                "ripple_pp_v is what blanking leaves, known to {:.2} mV only: {no_fit}",
                known_to_v.unwrap_or(0.0) * 1e3
            )),
        }
    }

    /// The ripple as what it is at the most, where that is known.
    fn bound_ripple(&mut self, most_v: Option<f64>, hidden: &Unavailable) {
        let Some(most_v) = most_v else { return };
        (self.ripple_pp_v, self.ripple_method) = (Ok(most_v), Some(RippleMethod::Blank));
        let because =
            format!("ripple_pp_v is an upper bound, what blanking leaves and a step more: {}", hidden.0);
        self.note(because.clone());
        self.mark("ripple_pp_v", Bound::Upper, because);
    }

    /// Refuses R2 and R3, and with them the ripple.
    fn refuse_cycle(&mut self, no_fit: &Unavailable, reason: &Unavailable) {
        (self.ripple_fit_pp_v, self.ripple_fit_residual_v) = (Err(no_fit.clone()), Err(no_fit.clone()));
        (self.ripple_blank_pp_v, self.ripple_pp_v) = (Err(reason.clone()), Err(reason.clone()));
        self.ripple_method = None;
    }

    /// Why an output that moves has no ripple, where it moves by a good part of it in each period.
    fn why_slope(&self, look: &Look<'_>, switching: &Switching) -> Option<Unavailable> {
        let ripple_v = self.ripple_pp_v.as_ref().or(self.ripple_fund_pp_v.as_ref()).ok()?;
        // The means of the halves lie half a record apart.
        let periods = look.moments.count as f64 / switching.period;
        let moved_v = 2.0 * look.moments.drift_v?.abs() / periods;
        (moved_v > MOVED_PART * ripple_v).then(|| {
            Unavailable::because(format!(
                "the output moves by {:.2} mV a period, which is no ripple and cannot be told from it",
                moved_v * 1e3
            ))
        })
    }

    /// Holds the ripple against the record's noise and steps: refuses what they hide, tells what they limit.
    pub(super) fn weigh_ripple(&mut self, look: &Look<'_>, switching: &Switching) {
        if let Some(reason) = self.why_slope(look, switching) {
            self.notes.retain(|note| !note.starts_with("ripple_"));
            self.bounds.retain(|bounded| !bounded.figure.starts_with("ripple_"));
            return self.refuse_ripple(&reason);
        }
        let Ok(ripple_v) = self.ripple_pp_v else { return };
        let step_v = look.step_v;
        let cycles = switching.edges.rising.len().saturating_sub(1).max(1);
        let sigma_v = look.deviations.as_ref().map_or(0.0, |d| d.noise_sigma_v().unwrap_or(0.0));
        let noise_v = match self.ripple_method {
            // Three sigma of twice an amplitude from that many samples.
            Some(RippleMethod::Fundamental) => 6.0 * sigma_v * (2.0 / look.moments.count as f64).sqrt(),
            // The extremes of a mean over the cycles.
            _ => 6.0 * sigma_v / (cycles as f64).sqrt(),
        };
        // Noise under half a step does not carry the mean across it: what lies within one step leaves no trace, or a wrong one.
        // Of a mean cycle the estimator has seen it.
        let is_fundamental = self.ripple_method == Some(RippleMethod::Fundamental);
        if is_fundamental && sigma_v < 0.5 * step_v && ripple_v < step_v {
            return self.refuse_ripple(&hidden_by_steps(look));
        }
        if ripple_v <= noise_v {
            let because = format!(
                "ripple_pp_v is an upper bound: {:.2} mV lie at the floor of the record ({:.2} mV)",
                ripple_v * 1e3,
                noise_v * 1e3
            );
            self.note(because.clone());
            self.mark("ripple_pp_v", Bound::Upper, because);
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
}
