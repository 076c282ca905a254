//! One acquisition looked at once: its sums, its deviations from the baseline, its switching.

use super::beside::beside;
use super::heap::{Heaps, find_heaps};
use super::histogram::find_step_v;
use super::import::FROM_FILE;
use super::moments::{Moments, moments_and_levels};
use super::spikes::{Deviations, LEAD_S, deviations_of};
use super::switching::{Switching, measure_switching};
use super::tops::Cycles;
use super::trace::LevelReader;
use super::{Acquisition, Codes, Coupling, Pair, Unavailable, Waveform};
use crate::base::units::with_prefix;

/// What the figures of a steady state are taken from: one acquisition and what was found in it.
pub(super) struct Look<'a> {
    /// How notes call it, with its conditions.
    pub(super) name: String,
    pub(super) vout: &'a Waveform,
    pub(super) lx: Option<&'a Waveform>,
    /// One step of the output's converter in volts; where that is not known, the least distance of two values that occur, which
    /// it is at the most.
    pub(super) step_v: f64,
    /// The output on whole levels.
    pub(super) levels: LevelReader<'a>,
    pub(super) moments: Moments,
    pub(super) deviations: Result<Deviations<'a>, Unavailable>,
    pub(super) switching: Result<Switching, Unavailable>,
    /// Samples at the lowest and at the highest code of the converter; where its ends are not known, what heaps up on the
    /// lowest and on the highest value.
    pub(super) clipped: Heaps,
}

impl<'a> Look<'a> {
    pub(super) fn at(pair: &Pair<'a>) -> Result<Self, Unavailable> {
        let Pair { vout, lx } = *pair;
        // The switch node needs nothing of the output.
        let (switching, own) = beside(
            || switching_of(pair),
            || {
                let (moments, levels) = moments_and_levels(vout)?;
                let deviations = deviations_of(vout, levels);
                let clipped = if vout.has_known_ends() {
                    Heaps { low: moments.clipped_low, high: moments.clipped_high, ..Heaps::default() }
                } else {
                    find_heaps(&levels)
                };
                Ok::<_, Unavailable>((moments, levels, deviations, clipped))
            },
        );
        let (moments, levels, deviations, clipped) = own?;
        let few_v = clipped.few_apart.map(|apart| f64::from(apart) * levels.step_v);
        let step_v = few_v.or_else(|| step_of(vout)).unwrap_or(moments.step_v);
        let clipped = match (&switching, &deviations) {
            (Ok(switching), Ok(deviations)) if !vout.has_known_ends() => clipped.with_tops(&Cycles {
                levels: &levels,
                deviations,
                switching,
                lead: LEAD_S * switching.rate_hz,
                step: (step_v / levels.step_v).max(1.0),
            }),
            _ => clipped,
        };
        Ok(Self {
            name: name_of(&vout.acquisition),
            step_v,
            vout,
            lx,
            moments,
            deviations: deviations.map(|deviations| deviations.of_steps(step_v)),
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
        let Heaps { low, high, ends, .. } = self.clipped;
        let is_cut = |level: u16| low > 0 && level == ends.0 || high > 0 && level == ends.1;
        let (mut found, mut seen) = (Vec::new(), 0);
        self.levels.read(0..self.levels.len(), |levels| {
            found.extend((seen..).zip(levels).filter(|(_, level)| is_cut(**level)).map(|(index, _)| index));
            seen += levels.len();
        });
        found
    }

    /// Why nothing is known of how the output moves, where all samples have one value and nobody tells the converter's step.
    pub(super) fn why_still(&self) -> Option<Unavailable> {
        let is_one = !self.vout.has_known_ends() && self.moments.min_v == self.moments.max_v;
        is_one.then(|| {
            Unavailable::because(format!(
                "all samples of the {} are {}: how coarse its converter is, and what its steps hide, is not known",
                self.name,
                with_prefix(self.moments.mean_v, "V")
            ))
        })
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
            let why = if self.clipped.by_tops {
                "the spikes of most cycles end on its highest or lowest value"
            } else {
                "they heap up on its highest or lowest value"
            };
            let (count, name) = (self.moments.count, &self.name);
            return format!("{clipped} of {count} samples of the {name} seem to be clipped: {why}");
        }
        format!("{clipped} of {} samples of the {} are clipped", self.moments.count, self.name)
    }
}

/// How notes call a capture: what it was for, and of its conditions those that are known.
fn name_of(how: &Acquisition) -> String {
    let name = match how.purpose.as_str() {
        "" => "acquisition".to_owned(),
        FROM_FILE => "file".to_owned(),
        purpose => format!("{purpose} acquisition"),
    };
    // A few digits: 20, 0.5, 1000; never 20.000000000000004.
    let range = (how.volts_per_div > 0.0)
        .then(|| format!("{}, {} mV/div", how.coupling.as_str(), (how.volts_per_div * 1e6).round() / 1e3));
    // Of a capture that nobody told of, direct coupling is what is taken and not what is known.
    let known = range.or_else(|| (how.coupling == Coupling::Ac).then(|| how.coupling.as_str().to_owned()));
    known.map_or(name.clone(), |known| format!("{name} ({known})"))
}

/// The least distance of two numbers that occur, in volts; `None` of codes, and of too many numbers to be steps.
fn step_of(vout: &Waveform) -> Option<f64> {
    let Codes::F32(codes) = &vout.codes else { return None };
    find_step_v(codes).map(|step| step * vout.scaling.volts_per_code)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_call_a_capture_by_what_is_known_of_it() {
        let name = |purpose: &str, volts_per_div: f64, coupling| {
            let purpose = purpose.to_owned();
            name_of(&Acquisition { purpose, volts_per_div, coupling, ..Acquisition::untold("vout", 1) })
        };
        assert_eq!(name("ripple", 0.02, Coupling::Ac), "ripple acquisition (AC, 20 mV/div)");
        assert_eq!(name("spikes", 0.5, Coupling::Dc), "spikes acquisition (DC, 500 mV/div)");
        assert_eq!(name(FROM_FILE, 0.0, Coupling::Dc), "file");
        assert_eq!(name(FROM_FILE, 0.0, Coupling::Ac), "file (AC)");
        assert_eq!(name("", 0.0, Coupling::Dc), "acquisition");
    }
}
