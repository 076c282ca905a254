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
    let lost = if blank_v > noise_v {
        "too little of the ripple is seen"
    } else {
        "the ripple is lost in the noise"
    };
    let reason = Unavailable::because(format!(
        "{lost}: blanking leaves {:.2} mV and {:.0} % of the ripple, known to {:.2} mV only",
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A ripple of 20 mV of which blanking leaves nine tenths, in little noise.
    const CLEAN: Evidence = Evidence {
        blank_v: 18e-3,
        fit: Some(Fit { pp_v: 20e-3, kept_pp_v: 18e-3, sigma_v: 0.1e-3 }),
        left: 0.9,
        noise_v: 0.1e-3,
        step_error_v: 0.0,
    };

    fn fit(pp_v: f64, kept_pp_v: f64, sigma_v: f64) -> Option<Fit> {
        Some(Fit { pp_v, kept_pp_v, sigma_v })
    }

    /// The choice in a few words.
    fn told(evidence: Evidence) -> String {
        let mv = |volts: f64| format!("{:.2} mV", volts * 1e3);
        match choose(&evidence) {
            Ok(Chosen { method, pp_v, bound, known_to_v, no_fit }) => {
                let sign = bound.map_or("", |bound| bound.sign_of(pp_v));
                let known_to =
                    known_to_v.map(|volts| format!(", known to {}", mv(volts))).unwrap_or_default();
                let no_fit = no_fit.map(|reason| format!("; no fit: {reason}")).unwrap_or_default();
                format!("{} {sign}{}{known_to}{no_fit}", method.as_str(), mv(pp_v))
            }
            Err(Refused::Hidden) => "hidden by the steps".to_owned(),
            Err(Refused::Both(reason)) => format!("none: {reason}"),
            Err(Refused::Fit(no_fit, reason)) => format!("none: {reason}; no fit: {no_fit}"),
        }
    }

    #[test]
    fn the_estimator_is_the_one_that_the_evidence_bears() {
        let rows = [
            ("fit, blanking and noise agree", CLEAN),
            ("a fit that noise makes worth a word", Evidence { noise_v: 3e-3, ..CLEAN }),
            ("steps hide both", Evidence { step_error_v: 8e-3, ..CLEAN }),
            ("steps that noise smooths", Evidence { step_error_v: 0.5e-3, ..CLEAN }),
            ("a bump between the edges", Evidence { fit: fit(15e-3, 13e-3, 1e-3), ..CLEAN }),
            ("noise hides the corners", Evidence { fit: fit(20e-3, 18e-3, 6e-3), noise_v: 1e-3, ..CLEAN }),
            (
                "falls wander: little is left",
                Evidence { fit: fit(20e-3, 12e-3, 6e-3), blank_v: 12e-3, left: 0.6, ..CLEAN },
            ),
            ("the fit contradicts the blanking", Evidence { fit: fit(30e-3, 18e-3, 1e-3), ..CLEAN }),
            ("blanking only", Evidence { fit: None, ..CLEAN }),
            ("blanking only, in noise", Evidence { fit: None, noise_v: 3e-3, ..CLEAN }),
            (
                "blanking only, of nothing but noise",
                Evidence { fit: None, blank_v: 1e-3, left: 0.95, noise_v: 2e-3, ..CLEAN },
            ),
            ("noise alone", Evidence { fit: None, blank_v: 1e-3, left: 0.85, noise_v: 2e-3, ..CLEAN }),
            (
                "noise alone, and a fit to it",
                Evidence {
                    fit: fit(1.2e-3, 1e-3, 0.6e-3),
                    blank_v: 1e-3,
                    left: 0.85,
                    noise_v: 2e-3,
                    ..CLEAN
                },
            ),
            ("too little is left", Evidence { fit: None, left: 0.3, ..CLEAN }),
        ];
        let rows: Vec<String> =
            rows.iter().map(|(name, evidence)| format!("{name}: {}", told(*evidence))).collect();
        insta::assert_snapshot!(rows.join("\n"));
    }

    #[test]
    fn a_ripple_behind_steps_is_bounded_where_enough_of_it_is_seen() {
        let rows = [
            // (blanked V, part left, noise V, step V) and the most that it can be.
            ((20e-3, 0.9, 0.0, 10e-3), Some(30e-3 / 0.9)),
            ((20e-3, 0.8, 2e-3, 10e-3), Some(32e-3 / 0.8)),
            // As many steps as any ripple under a step may show.
            ((12.5e-3, 0.9, 0.0, 10e-3), None),
            ((12.6e-3, 0.9, 0.0, 10e-3), Some(22.6e-3 / 0.9)),
            // The rest may be anything.
            ((20e-3, 0.69, 0.0, 10e-3), None),
            ((20e-3, 0.7, 0.0, 10e-3), Some(30e-3 / 0.7)),
        ];
        for ((blank_v, left, noise_v, step_v), most_v) in rows {
            let found = most_behind_steps(&Evidence { blank_v, left, noise_v, ..CLEAN }, step_v);
            assert_eq!(found.is_some(), most_v.is_some(), "{blank_v} {left}");
            let off = found.zip(most_v).map_or(0.0, |(found, most)| (found - most).abs());
            assert!(off < 1e-12, "{blank_v} {left}: {found:?}");
        }
    }

    #[test]
    fn steps_err_less_the_more_noise_carries_across_them() {
        assert_eq!(step_error_v(0.0, 1e-3), 0.0);
        assert_eq!(step_error_v(10e-3, 0.0), 10e-3);
        assert!((step_error_v(10e-3, 5e-3) / 10e-3 - 0.0072).abs() < 1e-4);
        assert!(step_error_v(10e-3, 2e-3) > step_error_v(10e-3, 3e-3));
    }
}
