//! The figures of a steady state: what a board does at one operating point once it has settled.

use super::{Figure, Unavailable, Waveform};

/// How the switching frequency ripple was told from the rest; `docs/measurements.md`, "Ripple".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RippleMethod {
    /// Cycles averaged, edges blanked, each segment replaced by a quadratic (R3). The value in continuous conduction.
    Fit,
    /// Cycles averaged, edges blanked (R2). A lower bound: the corners of the ripple lie under the blanking.
    Blank,
    /// Twice the amplitude of the sine at the switching frequency (R1). The value in discontinuous conduction.
    Fundamental,
}

impl RippleMethod {
    /// The word used in records and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Blank => "blank",
            Self::Fundamental => "fundamental",
        }
    }
}

/// How the converter carries its load, told from the switch node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Conduction {
    /// The diode conducts until the next cycle begins.
    Continuous,
    /// The inductor empties within the cycle; the switch node then rings about the output voltage.
    Discontinuous,
    /// Whole pulses are left out: there is no period.
    Skipping,
    /// There is no switch node trace, or it does not switch.
    #[default]
    Unknown,
}

impl Conduction {
    /// The word used in records and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Continuous => "continuous",
            Self::Discontinuous => "discontinuous",
            Self::Skipping => "skipping",
            Self::Unknown => "unknown",
        }
    }
}

/// The output and, where it is wired to the scope, the switch node of the same acquisition.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The board's output.
    pub vout: &'a Waveform,
    /// The switch node, triggered together with the output.
    pub lx: Option<&'a Waveform>,
}

/// All figures of one operating point; SI units. Each is a number that was measured, or the reason why there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct SteadyState {
    /// S1: mean over the record, in volts; needs DC coupling.
    pub mean_v: Figure,
    /// S2: rms about the mean over the full bandwidth, in volts.
    pub rms_ac_v: Figure,
    /// S3: highest sample, in volts; needs DC coupling.
    pub max_v: Figure,
    /// S3: lowest sample, in volts; needs DC coupling.
    pub min_v: Figure,
    /// S3: highest less lowest sample over the instrument's full bandwidth, in volts.
    pub noise_pp_full_v: Figure,
    /// S4: peak to peak behind a single pole at 20 MHz, in volts.
    pub noise_pp_20mhz_v: Figure,
    /// S4: rms behind a single pole at 20 MHz, in volts.
    pub noise_rms_20mhz_v: Figure,
    /// The ripple without spikes, peak to peak in volts, by the estimator that is valid here (`ripple_method`).
    pub ripple_pp_v: Figure,
    /// Which estimator gave `ripple_pp_v`; `None` where there is no ripple figure.
    pub ripple_method: Option<RippleMethod>,
    /// R3: ripple by averaging, blanking and a quadratic in each segment, peak to peak in volts.
    pub ripple_fit_pp_v: Figure,
    /// R2: ripple by averaging and blanking, peak to peak in volts.
    pub ripple_blank_pp_v: Figure,
    /// R1: twice the amplitude at the switching frequency, in volts; holds the spikes' share too.
    pub ripple_fund_pp_v: Figure,
    /// S6: the highest spike above the running median, in volts.
    pub spike_pos_v: Figure,
    /// S6: the deepest spike below the running median, in volts; negative.
    pub spike_neg_v: Figure,
    /// S6: median over cycles of each cycle's highest spike, in volts.
    pub spike_pos_median_v: Figure,
    /// S6: median over cycles of each cycle's deepest spike, in volts; negative.
    pub spike_neg_median_v: Figure,
    /// S6: groups of samples beyond [`super::spikes::RATE_THRESHOLD_V`] a second.
    pub spike_rate_hz: Figure,
    /// S6: spread of the samples about the running median by the median absolute deviation, as a sigma in volts.
    pub noise_sigma_v: Figure,
    /// S5: switching frequency in Hz.
    pub switching_hz: Figure,
    /// S5: standard deviation of the period in seconds.
    pub period_std_s: Figure,
    /// S5: longest less shortest period in seconds.
    pub period_pp_s: Figure,
    /// S5: rms of the differences between successive periods in seconds.
    pub period_c2c_s: Figure,
    /// S5: mean on-time in seconds.
    pub on_time_s: Figure,
    /// S5: mean on-time over mean period, 0 to 1.
    pub duty: Figure,
    /// P2: pulses a second, also where pulses are skipped and there is no frequency.
    pub pulse_hz: Figure,
    /// S5: low state of the switch node in volts.
    pub low_v: Figure,
    /// S5: high state of the switch node in volts.
    pub high_v: Figure,
    /// S9: mean of the second half of the record less mean of the first, in volts.
    pub drift_v: Figure,
    /// How the converter carries its load.
    pub conduction: Conduction,
    /// What limits the figures: clipped samples, coarse steps, few periods, bounds; sentences for the report.
    pub notes: Vec<String>,
}

impl SteadyState {
    /// A set without a single figure, each for the same reason.
    #[must_use]
    pub fn unavailable(reason: &str) -> Self {
        let none = || -> Figure { Err(Unavailable::because(reason)) };
        Self {
            mean_v: none(),
            rms_ac_v: none(),
            max_v: none(),
            min_v: none(),
            noise_pp_full_v: none(),
            noise_pp_20mhz_v: none(),
            noise_rms_20mhz_v: none(),
            ripple_pp_v: none(),
            ripple_method: None,
            ripple_fit_pp_v: none(),
            ripple_blank_pp_v: none(),
            ripple_fund_pp_v: none(),
            spike_pos_v: none(),
            spike_neg_v: none(),
            spike_pos_median_v: none(),
            spike_neg_median_v: none(),
            spike_rate_hz: none(),
            noise_sigma_v: none(),
            switching_hz: none(),
            period_std_s: none(),
            period_pp_s: none(),
            period_c2c_s: none(),
            on_time_s: none(),
            duty: none(),
            pulse_hz: none(),
            low_v: none(),
            high_v: none(),
            drift_v: none(),
            conduction: Conduction::Unknown,
            notes: Vec::new(),
        }
    }

    /// Every figure with its name (unit at its end), in the order of the report's table.
    pub fn figures(&self) -> [(&'static str, &Figure); 27] {
        [
            ("mean_v", &self.mean_v),
            ("rms_ac_v", &self.rms_ac_v),
            ("max_v", &self.max_v),
            ("min_v", &self.min_v),
            ("noise_pp_full_v", &self.noise_pp_full_v),
            ("noise_pp_20mhz_v", &self.noise_pp_20mhz_v),
            ("noise_rms_20mhz_v", &self.noise_rms_20mhz_v),
            ("ripple_pp_v", &self.ripple_pp_v),
            ("ripple_fit_pp_v", &self.ripple_fit_pp_v),
            ("ripple_blank_pp_v", &self.ripple_blank_pp_v),
            ("ripple_fund_pp_v", &self.ripple_fund_pp_v),
            ("spike_pos_v", &self.spike_pos_v),
            ("spike_neg_v", &self.spike_neg_v),
            ("spike_pos_median_v", &self.spike_pos_median_v),
            ("spike_neg_median_v", &self.spike_neg_median_v),
            ("spike_rate_hz", &self.spike_rate_hz),
            ("noise_sigma_v", &self.noise_sigma_v),
            ("switching_hz", &self.switching_hz),
            ("period_std_s", &self.period_std_s),
            ("period_pp_s", &self.period_pp_s),
            ("period_c2c_s", &self.period_c2c_s),
            ("on_time_s", &self.on_time_s),
            ("duty", &self.duty),
            ("pulse_hz", &self.pulse_hz),
            ("low_v", &self.low_v),
            ("high_v", &self.high_v),
            ("drift_v", &self.drift_v),
        ]
    }
}
