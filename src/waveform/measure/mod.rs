//! From two acquisitions to the figures of a steady state: which figure is taken from which record, and what limits it.

mod estimator;
mod level;
mod period;
mod range;
mod ripple;
mod spike;

pub use level::FROM_WIDE;

use super::figures::find_definition;
use super::floor::Floor;
use super::look::Look;
use super::spikes::RATE_THRESHOLD_V;
use super::{Definition, Pair, SteadyState, Unavailable, Waveform};

/// On what terms figures are made, beside the traces themselves.
#[derive(Debug, Clone, Default)]
pub struct Terms<'a> {
    /// The threshold of the spike rate in volts; 0.1 V where none is given.
    pub spike_threshold_v: Option<f64>,
    /// Captures of the same set-up with the outputs off.
    pub floor: Option<&'a Floor>,
    /// Why the samples are not evenly spaced in time, where they are not: then only what needs no time is a figure.
    pub uneven: Option<String>,
}

impl Terms<'_> {
    fn spike_threshold_v(&self) -> f64 {
        self.spike_threshold_v.unwrap_or(RATE_THRESHOLD_V)
    }
}

/// Measures all figures of one operating point from its two acquisitions.
///
/// `ripple` is the narrow, usually AC-coupled one: its samples resolve the ripple, and the spikes may leave its range.
/// `spikes` is the wide one with the full bandwidth. With one of them missing the other serves for both, as far as it can.
#[must_use]
pub fn measure(ripple: Option<&Pair<'_>>, spikes: Option<&Pair<'_>>) -> SteadyState {
    measure_with(ripple, spikes, &Terms::default())
}

/// Measures all figures from a single acquisition.
#[must_use]
pub fn measure_one(pair: &Pair<'_>) -> SteadyState {
    measure(None, Some(pair))
}

/// As [`measure`], on given terms.
#[must_use]
pub fn measure_with(ripple: Option<&Pair<'_>>, spikes: Option<&Pair<'_>>, terms: &Terms<'_>) -> SteadyState {
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
        state.fill_filtered(fine, wide);
        state.fill_switching(&looks);
        state.fill_pulses(&looks);
        state.fill_spikes(fine, wide, terms.spike_threshold_v());
        state.fill_ripple(&looks);
        looks.iter().for_each(|look| state.mark_clipped(look));
        looks.iter().for_each(|look| state.note_range(look));
        state.clipped_samples = looks.iter().map(Look::clipped).sum();
        if let Some(reason) = looks.iter().find_map(Look::why_still) {
            state.refuse_moved(&reason);
        }
        if let Some(reason) = &terms.uneven {
            state.refuse_timed(reason);
        }
        if let Some(floor) = terms.floor {
            let captures: Vec<&Waveform> = looks.iter().map(|look| look.vout).collect();
            state.apply_floor(floor, &captures);
        }
        state.drop_idle_bounds();
    } else if let Some(reason) = failures.first() {
        state = SteadyState::unavailable(reason);
    }
    failures.into_iter().for_each(|reason| state.note(reason));
    state
}

/// Figures that need no time: they stand also where samples are not evenly spaced.
const TIMELESS: [&str; 5] = ["mean_v", "rms_ac_v", "max_v", "min_v", "noise_pp_full_v"];

/// Figures of the output that stand also where it does not move.
const STILL: [&str; 3] = ["mean_v", "max_v", "min_v"];

impl SteadyState {
    /// Says which acquisition a figure was taken from.
    fn take_from(&mut self, look: &Look<'_>, figures: &[&'static str]) {
        for figure in figures {
            self.sources.insert(figure, look.vout.acquisition.purpose.clone());
        }
    }

    /// A figure that is not available bounds nothing.
    fn drop_idle_bounds(&mut self) {
        let known: Vec<&str> =
            self.figures().into_iter().filter(|(_, figure)| figure.is_ok()).map(|(name, _)| name).collect();
        self.bounds.retain(|bounded| known.contains(&bounded.figure));
    }

    /// Refuses every figure of how the output moves; the switch node's stay.
    fn refuse_moved(&mut self, reason: &Unavailable) {
        for (name, figure) in self.figures_mut() {
            let of_node = |made: &Definition| made.tag == "S5" || made.tag.starts_with('P');
            if !STILL.contains(&name) && !find_definition(name).is_some_and(of_node) {
                *figure = Err(reason.clone());
            }
        }
        self.ripple_method = None;
        // What was said of the figures that are gone goes with them.
        let gone: Vec<&str> =
            self.figures().into_iter().filter(|(_, figure)| figure.is_err()).map(|(name, _)| name).collect();
        self.notes.retain(|note| !gone.iter().any(|name| note.starts_with(name)));
        self.note(format!("mean_v is the one value that all samples have: {}", reason.0));
    }

    fn refuse_timed(&mut self, reason: &str) {
        for (name, figure) in self.figures_mut() {
            if !TIMELESS.contains(&name) {
                *figure = Err(Unavailable::because(reason));
            }
        }
        (self.ripple_method, self.period_source) = (None, None);
        self.conduction = super::Conduction::Unknown;
        self.bounds.retain(|bounded| TIMELESS.contains(&bounded.figure));
        // What was said of the figures that are gone goes with them.
        self.notes.clear();
        self.note(reason);
    }
}
