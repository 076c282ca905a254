//! One acquisition looked at once: its sums, its deviations from the baseline, its switching.

use super::beside::beside;
use super::heap::{Heaps, find_heaps};
use super::histogram::find_step_v;
use super::moments::{Moments, moments_and_levels};
use super::spikes::{Deviations, deviations_of};
use super::switching::{Switching, measure_switching};
use super::trace::Levels;
use super::{Codes, Coupling, Pair, Unavailable, Waveform};
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
    /// Samples at the lowest and at the highest code of the converter; where its ends are not known, what heaps up on the
    /// lowest and on the highest value.
    pub(super) clipped: Heaps,
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
                let clipped = if vout.has_known_ends() {
                    Heaps { low: moments.clipped_low, high: moments.clipped_high }
                } else {
                    find_heaps(&levels)
                };
                Ok::<_, Unavailable>((moments, levels, deviations, clipped))
            },
        );
        let (moments, levels, deviations, clipped) = own?;
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
            clipped,
        })
    }

    pub(super) fn clipped(&self) -> usize {
        self.clipped.low + self.clipped.high
    }

    /// Whether samples seem to be clipped at ends that are not known: what they falsify is then a bound, which holds also where
    /// the trace only stood there.
    pub(super) fn seems_clipped(&self) -> bool {
        self.clipped() > 0 && !self.vout.has_known_ends()
    }

    /// Positions of the clipped samples.
    pub(super) fn clipped_samples(&self) -> Vec<usize> {
        if !self.seems_clipped() {
            return self.vout.clipped_samples();
        }
        let (low, high) =
            self.levels.iter().fold((u16::MAX, 0), |(low, high), level| (low.min(*level), high.max(*level)));
        let is_cut =
            |level: u16| self.clipped.low > 0 && level == low || self.clipped.high > 0 && level == high;
        self.levels.iter().enumerate().filter(|(_, level)| is_cut(**level)).map(|(index, _)| index).collect()
    }

    /// One step of the output's converter in volts; of numbers, the least distance of two that occur.
    pub(super) fn step_v(&self) -> f64 {
        let Codes::F32(codes) = &self.vout.codes else { return self.moments.step_v };
        let step = find_step_v(codes).map(|step| step * self.vout.scaling.volts_per_code);
        step.unwrap_or(self.moments.step_v)
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
        Err(Unavailable::because(self.tell_clipped(clipped)))
    }

    /// As [`Look::check_clipping`] of a figure that clipping makes smaller: it is a bound where samples only seem to be clipped.
    pub(super) fn check_shrunk(&self, clipped: usize) -> Result<(), Unavailable> {
        if self.vout.has_known_ends() { self.check_clipping(clipped) } else { Ok(()) }
    }

    pub(super) fn tell_clipped(&self, clipped: usize) -> String {
        if self.seems_clipped() {
            return format!(
                "{clipped} of {} samples of the {} seem to be clipped: they heap up on its highest or lowest value",
                self.moments.count, self.name
            );
        }
        format!("{clipped} of {} samples of the {} are clipped", self.moments.count, self.name)
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
