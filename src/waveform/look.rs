//! One acquisition looked at once: its sums, its deviations from the baseline, its switching.

use super::beside::beside;
use super::moments::{Moments, moments_and_levels};
use super::spikes::{Deviations, deviations_of};
use super::switching::{Switching, measure_switching};
use super::trace::Levels;
use super::{Coupling, Pair, Unavailable, Waveform};
use std::sync::Arc;

/// What the figures of a steady state are taken from: one acquisition and what was found in it.
pub(super) struct Look<'a> {
    /// How notes call it, with its conditions.
    pub(super) name: String,
    pub(super) vout: &'a Waveform,
    pub(super) lx: Option<&'a Waveform>,
    /// The output on whole levels, built once for all kernels.
    pub(super) levels: Arc<Levels>,
    pub(super) moments: Moments,
    pub(super) deviations: Result<Deviations, Unavailable>,
    pub(super) switching: Result<Switching, Unavailable>,
}

impl<'a> Look<'a> {
    pub(super) fn at(pair: &Pair<'a>) -> Result<Self, Unavailable> {
        let Pair { vout, lx } = *pair;
        let how = &vout.acquisition;
        // The switch node needs nothing of the output.
        let (switching, own) = beside(
            || switching_of(pair),
            || {
                let (moments, levels) = moments_and_levels(vout)?;
                let levels = Arc::new(levels);
                let deviations = deviations_of(vout, &levels);
                Ok::<_, Unavailable>((moments, levels, deviations))
            },
        );
        let (moments, levels, deviations) = own?;
        Ok(Self {
            name: format!(
                "{} acquisition ({}, {} mV/div)",
                if how.purpose.is_empty() { "the" } else { how.purpose.as_str() },
                how.coupling.as_str(),
                // A few digits: 20, 0.5, 1000; never 20.000000000000004.
                (how.volts_per_div * 1e6).round() / 1e3,
            ),
            vout,
            lx,
            moments,
            deviations,
            levels,
            switching,
        })
    }

    pub(super) fn clipped(&self) -> usize {
        self.moments.clipped_low + self.moments.clipped_high
    }

    pub(super) fn is_dc(&self) -> bool {
        self.vout.acquisition.coupling == Coupling::Dc
    }

    pub(super) fn limit_hz(&self) -> Option<f64> {
        self.vout.acquisition.bandwidth_limit_hz
    }

    /// Length of the record in seconds.
    pub(super) fn span_s(&self) -> f64 {
        self.moments.count as f64 * self.vout.step_s
    }

    /// Refuses a figure that clipped samples falsify; the sentence says how many and where.
    pub(super) fn check_clipping(&self, clipped: usize) -> Result<(), Unavailable> {
        if clipped == 0 {
            return Ok(());
        }
        Err(Unavailable::because(format!(
            "{clipped} of {} samples of the {} are clipped",
            self.moments.count, self.name
        )))
    }
}

/// What the switch node says, where it shares the output's time base.
fn switching_of(pair: &Pair<'_>) -> Result<Switching, Unavailable> {
    let lx = pair.lx.ok_or_else(|| {
        Unavailable::because("the switch node is not wired to the scope: no edges are known")
    })?;
    let vout = pair.vout;
    let switching = measure_switching(lx)?;
    // Two channels of one acquisition share one time base; anything else must not be folded together.
    if lx.codes.len() == vout.codes.len() && (lx.step_s - vout.step_s).abs() <= 1e-9 * vout.step_s {
        return Ok(switching);
    }
    Err(Unavailable::because(format!(
        "the switch node's trace ({} samples) and the output's ({}) do not share a time base",
        lx.codes.len(),
        vout.codes.len()
    )))
}
