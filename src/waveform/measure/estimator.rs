//! Which of the estimators of a mean cycle is the ripple in continuous conduction, by what they say of each other.

use super::super::Unavailable;
use crate::waveform::{Bound, RippleMethod};

/// A fit or a blanked cycle that steps alone may have moved by more than this part of it hides the ripple.
const HIDDEN_PART: f64 = 0.4;

/// A fit is the ripple while it is known to this part of itself, or better.
const FIT_KNOWN_PART: f64 = 0.5;

/// What is no more than this part of the figure is not worth a word.
const SILENT_PART: f64 = 0.1;

/// What blanking leaves may span this many times what the fit through it spans.
const FITTED_TIMES: f64 = 1.25;

/// Blanking that leaves less of a triangle tells nothing of its size but that it is larger.
const LEAST_LEFT: f64 = 0.7;

/// What blanking leaves must span more than so many steps before it bounds a ripple: less is the same for every ripple under a step.
const SEEN_STEPS: f64 = 1.25;

/// Blanking that leaves less than this lets what comes late weigh more than the ripple.
const LEFT_OF_BOUND: f64 = 0.4;

/// R2 at the noise is an upper bound where blanking leaves so much.
const LEFT_OF_NOISE: f64 = 0.9;

/// R2 and R3 of a mean cycle, and what tells how far they can be trusted; volts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Evidence {
    pub(super) blank_v: f64,
    pub(super) fit: Option<Fit>,
    /// What blanking leaves of a triangle, as a part of it.
    pub(super) left: f64,
    /// Six sigma of the mean cycle at one phase.
    pub(super) noise_v: f64,
    /// What steps of the converter that no noise smooths may move the mean cycle by.
    pub(super) step_error_v: f64,
}

/// R3 of a mean cycle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    pub(super) pp_v: f64,
    /// Peak to peak of the fit over the phases that blanking leaves.
    pub(super) kept_pp_v: f64,
    pub(super) sigma_v: f64,
}

/// The ripple of a mean cycle.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen {
    pub(super) method: RippleMethod,
    pub(super) pp_v: f64,
    pub(super) bound: Option<Bound>,
    /// How well it is known, where that is worth a word and it is no bound.
    pub(super) known_to_v: Option<f64>,
    /// Why R3 is not the ripple, where there is one.
    pub(super) no_fit: Option<String>,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refused {
    /// The converter's steps hide it.
    Hidden,
    /// R2 and R3 are false, both.
    Both(Unavailable),
    /// R3 is false, and R2 tells nothing; the first says why R3, the second why R2.
    Fit(String, Unavailable),
}

/// What steps that noise does not smooth may move a mean by: the first harmonic of the converter's staircase, as a part of a
/// step, over the noise in steps.
pub(super) fn step_error_v(step_v: f64, sigma_v: f64) -> f64 {
    if step_v <= 0.0 {
        return 0.0;
    }
    step_v * (-2.0 * (std::f64::consts::PI * sigma_v / step_v).powi(2)).exp()
}

/// The ripple, or why it cannot be told.
pub(super) fn choose(evidence: &Evidence) -> Result<Chosen, Refused> {
    let Evidence { blank_v, fit, left, noise_v, step_error_v } = *evidence;
    if step_error_v > HIDDEN_PART * blank_v {
        return Err(Refused::Hidden);
    }
    let no_fit = match fit {
        None => None,
        Some(fit) => match check_fit(evidence, &fit)? {
            Ok(known_to_v) => {
                return Ok(Chosen {
                    method: RippleMethod::Fit,
                    pp_v: fit.pp_v,
                    bound: None,
                    known_to_v: (known_to_v > SILENT_PART * fit.pp_v).then_some(known_to_v),
                    no_fit: None,
                });
            }
            Err(reason) => Some(reason),
        },
    };
    let blanked = |bound, known_to_v| {
        Ok(Chosen { method: RippleMethod::Blank, pp_v: blank_v, bound, known_to_v, no_fit: no_fit.clone() })
    };
    // Less is cut off than noise and steps can add.
    if left >= LEFT_OF_BOUND && noise_v + step_error_v <= (1.0 - left) * blank_v {
        return blanked(Some(Bound::Lower), None);
    }
    if blank_v <= noise_v && left >= LEFT_OF_NOISE {
        return blanked(Some(Bound::Upper), None);
    }
    let known_to_v = noise_v + step_error_v + (1.0 / left.max(0.01) - 1.0) * blank_v;
    if left >= LEAST_LEFT && known_to_v <= blank_v {
        return blanked(None, Some(known_to_v));
    }
    let reason = Unavailable::because(format!(
        "the ripple is lost in the noise: blanking leaves {:.2} mV and {:.0} % of the ripple, known to {:.2} mV only",
        blank_v * 1e3,
        left * 100.0,
        known_to_v * 1e3
    ));
    Err(match no_fit {
        Some(no_fit) => Refused::Fit(no_fit, reason),
        None => Refused::Both(reason),
    })
}

/// The most that a ripple can be which the converter's steps hide: no sample lies further than half a step from what was there, so
/// neither does a mean of samples, and the peak to peak is a step larger at the most. `None` where too little is left to see.
pub(super) fn most_behind_steps(evidence: &Evidence, step_v: f64) -> Option<f64> {
    let Evidence { blank_v, left, noise_v, .. } = *evidence;
    let is_seen = left >= LEAST_LEFT && blank_v > SEEN_STEPS * step_v;
    is_seen.then(|| (blank_v + step_v + noise_v) / left)
}

/// How well R3 is known, or why it is false.
fn check_fit(evidence: &Evidence, fit: &Fit) -> Result<Result<f64, String>, Refused> {
    let Evidence { blank_v, left, noise_v, step_error_v, .. } = *evidence;
    if blank_v > FITTED_TIMES * fit.kept_pp_v + noise_v + step_error_v {
        return Err(Refused::Both(Unavailable::because(format!(
            "what blanking leaves spans {:.2} mV, a smooth curve through it {:.2} mV: there is more than ripple between the edges",
            blank_v * 1e3,
            fit.kept_pp_v * 1e3
        ))));
    }
    let known_to_v = (2.0 * fit.sigma_v).max(noise_v).max(1.5 * step_error_v);
    if known_to_v > FIT_KNOWN_PART * fit.pp_v {
        return Ok(Err(format!("its {:.2} mV are known to {:.2} mV only", fit.pp_v * 1e3, known_to_v * 1e3)));
    }
    let whole_v = blank_v / left.max(0.01);
    if (fit.pp_v - whole_v).abs() > known_to_v.max(SILENT_PART * fit.pp_v) {
        return Ok(Err(format!(
            "it says {:.2} mV where blanking leaves {:.2} mV of some {:.2} mV",
            fit.pp_v * 1e3,
            blank_v * 1e3,
            whole_v * 1e3
        )));
    }
    Ok(Ok(known_to_v))
}
