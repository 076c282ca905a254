//! The noise floor: what the same set-up shows with the outputs off. Rms figures lose it in power, peak figures have it
//! beside them, and a figure that stands at it is an upper bound.

use super::{Bound, FloorLevel, Pair, SteadyState, Unavailable, Waveform, measure_one};

/// Figures that are rms values: noise that has nothing to do with the signal adds to them in power.
const RMS: [&str; 8] = [
    "rms_ac_v",
    "noise_rms_20mhz_v",
    "noise_rms_20mhz_k2_v",
    "noise_rms_20mhz_k4_v",
    "noise_sigma_v",
    "band_rms_100khz_1mhz_v",
    "band_rms_1mhz_20mhz_v",
    "band_rms_20mhz_50mhz_v",
];

/// Whether a figure is an rms value that loses the noise floor in power, by its name.
#[must_use]
pub fn loses_floor(figure: &str) -> bool {
    RMS.contains(&figure)
}

/// Figures that are peaks: how noise adds to them depends on their shapes, so nothing is subtracted.
const PEAKS: [&str; 6] = [
    "noise_pp_full_v",
    "noise_pp_20mhz_v",
    "noise_pp_20mhz_k2_v",
    "noise_pp_20mhz_k4_v",
    "spike_pos_v",
    "spike_neg_v",
];

/// An rms figure under this many times its floor stands at the floor: what is left would be under half of it, and the floor
/// itself is not known better than a tenth from one capture to the next.
const RMS_AT_FLOOR: f64 = 1.1;

/// A peak figure under this many times its floor stands at the floor: extremes of noise vary by as much between records.
const PEAK_AT_FLOOR: f64 = 1.25;

/// The conditions that a floor and a capture must share.
#[derive(Debug, Clone, PartialEq)]
struct SetUp {
    purpose: String,
    description: String,
}

impl SetUp {
    fn of(vout: &Waveform) -> Self {
        let how = &vout.acquisition;
        let limit = how
            .bandwidth_limit_hz
            .map_or("full bandwidth".to_owned(), |hz| format!("limited to {:.1} MHz", hz / 1e6));
        Self {
            purpose: how.purpose.clone(),
            // Six digits: what was set twice is read back alike, but not to the last bit.
            description: format!(
                "{}, {:.5e} V/div, probe {:.5e}, {limit}, {:.5e} Sa/s",
                how.coupling.as_str(),
                how.volts_per_div,
                how.probe_ratio,
                vout.sample_rate_hz()
            ),
        }
    }
}

/// The figures of captures with the outputs off, one an acquisition.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    levels: Vec<(SetUp, SteadyState)>,
}

impl Floor {
    /// Measures the floor in captures of the output made with the outputs off, in the very set-ups of the captures to come.
    #[must_use]
    pub fn measure(captures: &[&Waveform]) -> Self {
        let level = |vout: &&Waveform| (SetUp::of(vout), measure_one(&Pair { vout, lx: None }));
        Self { levels: captures.iter().map(level).collect() }
    }

    /// The figures of each capture, in the order given.
    pub fn figures(&self) -> impl Iterator<Item = &SteadyState> {
        self.levels.iter().map(|(_, state)| state)
    }

    /// The figures of the floor for a capture.
    ///
    /// # Errors
    /// There is no floor of that set-up; the sentence names both.
    fn figures_for(&self, vout: &Waveform) -> Result<&SteadyState, Unavailable> {
        let wanted = SetUp::of(vout);
        if let Some((_, state)) = self.levels.iter().find(|(set_up, _)| *set_up == wanted) {
            return Ok(state);
        }
        let taken = self.levels.iter().find(|(set_up, _)| set_up.purpose == wanted.purpose);
        Err(Unavailable::because(match taken {
            Some((set_up, _)) => format!(
                "the noise floor does not apply: it was captured with {}, this with {}",
                set_up.description, wanted.description
            ),
            None => format!("no noise floor was captured with {}", wanted.description),
        }))
    }
}

impl SteadyState {
    /// Holds every figure against the floor of the capture it was taken from.
    pub(super) fn apply_floor(&mut self, floor: &Floor, captures: &[&Waveform]) {
        for vout in captures {
            let off = match floor.figures_for(vout) {
                Ok(off) => off,
                Err(reason) => {
                    self.note(reason.0);
                    continue;
                }
            };
            for name in RMS.into_iter().chain(PEAKS) {
                if self.sources.get(name) == Some(&vout.acquisition.purpose) {
                    self.apply_floor_to(name, off);
                }
            }
        }
    }

    fn apply_floor_to(&mut self, name: &'static str, off: &SteadyState) {
        let level =
            off.figures().into_iter().find(|(other, _)| *other == name).map(|(_, figure)| figure.clone());
        // A floor that stands on one step of the converter was not measured.
        let Some(Ok(level)) = level.filter(|level| level.as_ref().is_ok_and(|level| *level != 0.0)) else {
            return;
        };
        let is_rms = RMS.contains(&name);
        let Some((_, Ok(value))) = self.figures_mut().into_iter().find(|(other, _)| *other == name) else {
            return;
        };
        let times = (*value / level).abs();
        let at_floor = times < if is_rms { RMS_AT_FLOOR } else { PEAK_AT_FLOOR };
        if is_rms && !at_floor {
            *value = (*value * *value - level * level).sqrt();
        }
        self.floors.push(FloorLevel { figure: name, level, subtracted: is_rms && !at_floor });
        if at_floor {
            let because = format!(
                "{name} is an upper bound: with the outputs off the same set-up shows {:.3} mV",
                level.abs() * 1e3
            );
            self.note(because.clone());
            self.mark(name, Bound::Upper, because);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::made::{Dice, trace};
    use super::super::{Terms, measure_with};
    use super::*;
    use std::f64::consts::TAU;

    fn noisy(sine_v: f64, noise_v: f64, seed: u64) -> Waveform {
        let mut dice = Dice(seed);
        trace(
            (0..60_000).map(|n| sine_v * (TAU * 5e6 * f64::from(n) / 100e6).sin() + noise_v * dice.noise()),
            100e6,
        )
    }

    fn against(vout: &Waveform, floor: &Waveform) -> SteadyState {
        let floor = Floor::measure(&[floor]);
        let terms = Terms { floor: Some(&floor), ..Terms::default() };
        measure_with(None, Some(&Pair { vout, lx: None }), &terms)
    }

    #[test]
    fn the_floor_leaves_rms_figures_in_power_and_stands_beside_peaks() {
        let state = against(&noisy(2e-3, 1e-3, 1), &noisy(0.0, 1e-3, 2));
        let truth = 2e-3 / 2.0_f64.sqrt();
        assert!((state.rms_ac_v.clone().unwrap() / truth - 1.0).abs() < 0.02, "{:?}", state.rms_ac_v);
        let floor = state.floor("rms_ac_v").unwrap();
        assert!(floor.subtracted && (floor.level / 1e-3 - 1.0).abs() < 0.02);
        let peak = state.floor("noise_pp_full_v").unwrap();
        assert!(!peak.subtracted && peak.level > 4e-3);
        let alone = measure_one(&Pair { vout: &noisy(2e-3, 1e-3, 1), lx: None });
        assert_eq!(state.noise_pp_full_v, alone.noise_pp_full_v);
        assert!(state.bound("rms_ac_v").is_none());
    }

    #[test]
    fn a_figure_at_the_floor_is_an_upper_bound_and_keeps_its_measured_value() {
        let state = against(&noisy(0.0, 1e-3, 1), &noisy(0.0, 1e-3, 2));
        for name in ["rms_ac_v", "noise_pp_full_v", "noise_rms_20mhz_v", "band_rms_1mhz_20mhz_v"] {
            assert_eq!(state.bound(name).unwrap().bound, Bound::Upper, "{name}");
        }
        assert!((state.rms_ac_v.unwrap() / 1e-3 - 1.0).abs() < 0.02);
    }

    #[test]
    fn a_floor_of_another_set_up_does_not_apply_and_says_so() {
        let mut floor = noisy(0.0, 1e-3, 2);
        floor.acquisition.volts_per_div = 0.02;
        let state = against(&noisy(2e-3, 1e-3, 1), &floor);
        assert!(state.floors.is_empty());
        assert!(
            state.notes.iter().any(|note| note.starts_with("the noise floor does not apply")),
            "{:?}",
            state.notes
        );
    }
}
