//! Figures of the level: mean, extremes, rms, the 20 MHz figures and the bands (S1 to S4, S8, S9).

use super::super::beside::beside;
use super::super::filter::{LIMIT_HZ, Limited, limited_of};
use super::super::spectrum::{BANDS_HZ, Spectrum, choose_whole, spectrum_of};
use super::super::spikes::Deviations;
use super::{Look, SteadyState, Unavailable};
use crate::base::units::with_prefix;
use crate::waveform::{Bound, Figure};

/// Part of the samples that may be clipped without moving a mean by more than its own resolution.
const CLIPPED_MEAN_PART: f64 = 1e-3;

/// A limiter up to so many times 20 MHz takes over 5 % of what lies there, and the pole takes its part once more.
const TAKES_TWICE: f64 = 3.0;

/// The 20 MHz figures of all orders.
pub(super) const LIMITED: [&str; 6] = [
    "noise_pp_20mhz_v",
    "noise_rms_20mhz_v",
    "noise_pp_20mhz_k2_v",
    "noise_rms_20mhz_k2_v",
    "noise_pp_20mhz_k4_v",
    "noise_rms_20mhz_k4_v",
];

/// How the note begins that the finer capture was clipped and what was taken from the wider one.
pub const FROM_WIDE: &str = "the 20 MHz figures and rms_ac_v come from";

impl SteadyState {
    pub(super) fn fill_moments(&mut self, fine: &Look<'_>, wide: &Look<'_>) {
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
        self.max_v = dc(&|look| look.check_shrunk(look.clipped.high).map(|()| look.moments.max_v));
        self.min_v = dc(&|look| look.check_shrunk(look.clipped.low).map(|()| look.moments.min_v));
        if let Some(look) = direct
            && self.mean_v.is_ok()
            && look.deviations.as_ref().is_ok_and(Deviations::is_on_steps)
            && look.why_still().is_none()
        {
            self.note(format!(
                "mean_v is known to {:.1} mV only: without noise to carry it, half a step of the {} is the least it shows",
                look.step_v * 500.0,
                look.name
            ));
        }
        self.noise_pp_full_v = match wide.limit_hz() {
            Some(corner_hz) => Err(Unavailable::because(format!(
                "the {} was limited to {}",
                wide.name,
                with_prefix(corner_hz, "Hz")
            ))),
            None => wide.check_shrunk(wide.clipped()).map(|()| wide.moments.max_v - wide.moments.min_v),
        };
        self.weigh_extremes(direct, wide);
        // The full bandwidth first, the finer step next.
        let sound = [fine, wide].into_iter().filter(|look| look.clipped() == 0);
        self.take_from(wide, &["noise_pp_full_v"]);
        let source: Option<&Look<'_>> =
            sound.clone().find(|look| look.limit_hz().is_none()).or_else(|| sound.clone().next());
        self.rms_ac_v = match source {
            Some(look) => {
                self.take_from(look, &["rms_ac_v"]);
                if let Some(corner_hz) = look.limit_hz() {
                    self.note(format!(
                        "rms_ac_v: the {} was limited to {}",
                        look.name,
                        with_prefix(corner_hz, "Hz")
                    ));
                }
                Ok(look.moments.rms_ac_v)
            }
            None => {
                self.take_from(wide, &["rms_ac_v"]);
                wide.check_shrunk(wide.clipped()).map(|()| wide.moments.rms_ac_v)
            }
        };
        if let (Ok(rms_v), Some(look)) = (&self.rms_ac_v, source)
            && *rms_v < look.step_v
            && look.deviations.as_ref().is_ok_and(Deviations::is_on_steps)
        {
            self.note(format!(
                "rms_ac_v is known to {:.1} mV only: it is less than a step of the {}, and no noise carries it across",
                look.step_v * 500.0,
                look.name
            ));
        }
        self.drift_v = fine
            .moments
            .drift_v
            .ok_or_else(|| Unavailable::because("a record of one sample has no halves to compare"));
    }

    /// The 20 MHz figures and the bands, of the first record that nothing leaves.
    pub(super) fn fill_filtered(&mut self, fine: &Look<'_>, wide: &Look<'_>) {
        let source = choose_whole(fine, wide, |look| look.clipped());
        let (spectrum, limited) = match source.check_shrunk(source.clipped()) {
            Ok(()) => beside(
                || source.check_clipping(source.clipped()).and_then(|()| spectrum_of(source.vout)),
                || limited_of(source.vout, source.moments.mean_v),
            ),
            Err(reason) => (Err(reason.clone()), [(); 3].map(|()| Limited::none(&reason))),
        };
        self.fill_limited((fine, source), limited);
        self.fill_bands(source, &spectrum);
    }

    fn fill_limited(&mut self, (fine, source): (&Look<'_>, &Look<'_>), [one, two, four]: [Limited; 3]) {
        (self.noise_pp_20mhz_v, self.noise_rms_20mhz_v) = (one.pp_v, one.rms_v);
        (self.noise_pp_20mhz_k2_v, self.noise_rms_20mhz_k2_v) = (two.pp_v, two.rms_v);
        (self.noise_pp_20mhz_k4_v, self.noise_rms_20mhz_k4_v) = (four.pp_v, four.rms_v);
        if self.noise_pp_20mhz_v.is_err() {
            return;
        }
        self.take_from(source, &LIMITED);
        if fine.clipped() > 0 && !fine.seems_clipped() {
            self.note(format!(
                "{FROM_WIDE} the {}: spikes leave the range of the {} ({} of {} samples)",
                source.name,
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
                "the 20 MHz figures come from {how} ({}) in the {}",
                with_prefix(corner_hz, "Hz"),
                source.name
            ));
            if corner_hz != LIMIT_HZ && corner_hz < TAKES_TWICE * LIMIT_HZ {
                let how =
                    if corner_hz < LIMIT_HZ { "not to 20 MHz" } else { "and the 20 MHz pole comes on top" };
                let because =
                    format!("the {} was limited to {}, {how}", source.name, with_prefix(corner_hz, "Hz"));
                LIMITED.into_iter().for_each(|name| self.mark(name, Bound::Lower, because.clone()));
            }
        }
        let step_v = source.step_v;
        if let Ok(pp_v) = self.noise_pp_20mhz_v
            && pp_v < 3.0 * step_v
            && self.bound("noise_pp_20mhz_v").is_none()
        {
            // Highest and lowest may each lie half a step off.
            self.noise_pp_20mhz_v = Ok(pp_v + step_v);
            let because = format!(
                "noise_pp_20mhz_v is a bound: it spans {:.1} steps of the converter ({:.2} mV each)",
                pp_v / step_v,
                step_v * 1e3
            );
            self.note(because.clone());
            self.mark("noise_pp_20mhz_v", Bound::Upper, because);
        }
    }

    fn fill_bands(&mut self, source: &Look<'_>, spectrum: &Result<Spectrum, Unavailable>) {
        let [low, middle, high] = BANDS_HZ.map(|(from_hz, to_hz)| match spectrum {
            Ok(spectrum) => spectrum.band_rms_v(from_hz, to_hz),
            Err(reason) => Err(reason.clone()),
        });
        self.band_rms_100khz_1mhz_v = low;
        self.band_rms_1mhz_20mhz_v = middle;
        self.band_rms_20mhz_50mhz_v = high;
        self.take_from(
            source,
            &["band_rms_100khz_1mhz_v", "band_rms_1mhz_20mhz_v", "band_rms_20mhz_50mhz_v"],
        );
    }
}
