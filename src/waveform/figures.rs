//! The figures of a steady state: what a board does at one operating point once it has settled, and which definition made
//! each of them.

use super::{Figure, Unavailable, Waveform};
use std::collections::BTreeMap;

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

/// What `switching_hz` and the period figures were found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeriodSource {
    /// The edges of the switch node.
    SwitchNode,
    /// The output alone: no switch node was at hand. Pulses that are left out evenly would look the same.
    Output,
}

impl PeriodSource {
    /// The word used in records and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SwitchNode => "switch node",
            Self::Output => "output",
        }
    }
}

/// On which side of a figure's magnitude the truth lies, where the figure is only a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bound {
    /// The truth is no larger than the figure: it stands at a floor.
    Upper,
    /// The truth is no smaller than the figure: something was cut.
    Lower,
}

impl Bound {
    /// The sign in front of the value, as in `<= 2.0 mV`. A dip of -4 mV that may be a smaller one is `>= -4 mV`.
    #[must_use]
    pub fn sign_of(self, value: f64) -> &'static str {
        match (self, value < 0.0) {
            (Self::Upper, false) | (Self::Lower, true) => "≤",
            (Self::Lower, false) | (Self::Upper, true) => "≥",
        }
    }
}

/// A figure that is only a bound (in its magnitude), and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounded {
    /// The figure's name.
    pub figure: &'static str,
    /// Which side is open.
    pub bound: Bound,
    /// Why; a sentence for the report.
    pub because: String,
}

/// What the same set-up shows of a figure with the outputs off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FloorLevel {
    /// The figure's name.
    pub figure: &'static str,
    /// The figure of the capture with the outputs off, in the figure's unit.
    pub level: f64,
    /// Whether it was subtracted (rms figures, in power) or only stands beside (peak figures).
    pub subtracted: bool,
}

/// A written definition: the figure's name, its tag in `docs/measurements.md`, and how often its result has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// The figure's name, its unit at the end.
    pub name: &'static str,
    /// The tag of the definition, e.g. `S4`.
    pub tag: &'static str,
    /// Counts up with every change that gives another number for the same samples.
    pub version: u16,
    /// What it is, in a sentence.
    pub about: &'static str,
}

macro_rules! steady_state {
    ($($field:ident, $tag:literal, $version:literal, $about:literal;)*) => {
        /// The definition of every figure of a steady state, in the order of [`SteadyState::figures`].
        pub const DEFINITIONS: &[Definition] =
            &[$(Definition { name: stringify!($field), tag: $tag, version: $version, about: $about },)*];

        /// All figures of one operating point; SI units. Each is a number that was measured, or the reason why there is none.
        #[derive(Debug, Clone, PartialEq)]
        pub struct SteadyState {
            $(#[doc = concat!($tag, ": ", $about)] pub $field: Figure,)*
            /// Which estimator gave `ripple_pp_v`; `None` where there is no ripple figure.
            pub ripple_method: Option<RippleMethod>,
            /// Where frequency and period come from; `None` where there is no frequency.
            pub period_source: Option<PeriodSource>,
            /// How the converter carries its load.
            pub conduction: Conduction,
            /// Clipped samples of the output, over all acquisitions.
            pub clipped_samples: usize,
            /// The purpose of the acquisition that gave a figure, where it matters: two acquisitions have two floors.
            pub sources: BTreeMap<&'static str, String>,
            /// Figures that are bounds.
            pub bounds: Vec<Bounded>,
            /// What the same set-up shows with the outputs off, figure by figure; empty without such a capture.
            pub floors: Vec<FloorLevel>,
            /// What limits the figures: clipped samples, coarse steps, few periods, bounds; sentences for the report.
            pub notes: Vec<String>,
        }

        impl SteadyState {
            /// A set without a single figure, each for the same reason.
            #[must_use]
            pub fn unavailable(reason: &str) -> Self {
                let none = || -> Figure { Err(Unavailable::because(reason)) };
                Self {
                    $($field: none(),)*
                    ripple_method: None,
                    period_source: None,
                    conduction: Conduction::Unknown,
                    clipped_samples: 0,
                    sources: BTreeMap::new(),
                    bounds: Vec::new(),
                    floors: Vec::new(),
                    notes: Vec::new(),
                }
            }

            /// Every figure with its name (unit at its end), in the order of the report's table.
            #[must_use]
            pub fn figures(&self) -> Vec<(&'static str, &Figure)> {
                vec![$((stringify!($field), &self.$field),)*]
            }

            /// Every figure with its name, to be replaced.
            #[must_use]
            pub(super) fn figures_mut(&mut self) -> Vec<(&'static str, &mut Figure)> {
                vec![$((stringify!($field), &mut self.$field),)*]
            }
        }
    };
}

steady_state! {
    mean_v, "S1", 1, "Mean over the record, in volts; needs DC coupling.";
    rms_ac_v, "S2", 1, "Rms about the mean over the full bandwidth, in volts.";
    max_v, "S3", 1, "Highest sample, in volts; needs DC coupling.";
    min_v, "S3", 1, "Lowest sample, in volts; needs DC coupling.";
    noise_pp_full_v, "S3", 1,
        "Highest less lowest sample over the instrument's full bandwidth, in volts.";
    noise_pp_20mhz_v, "S4", 2,
        "Peak to peak behind a single pole at 20 MHz, in volts. The main value of the three orders.";
    noise_rms_20mhz_v, "S4", 1, "Rms behind a single pole at 20 MHz, in volts.";
    noise_pp_20mhz_k2_v, "S4", 1,
        "Peak to peak behind a second-order Butterworth low-pass at 20 MHz, in volts.";
    noise_rms_20mhz_k2_v, "S4", 1,
        "Rms behind a second-order Butterworth low-pass at 20 MHz, in volts.";
    noise_pp_20mhz_k4_v, "S4", 1,
        "Peak to peak behind a fourth-order Butterworth low-pass at 20 MHz, in volts.";
    noise_rms_20mhz_k4_v, "S4", 1,
        "Rms behind a fourth-order Butterworth low-pass at 20 MHz, in volts.";
    ripple_pp_v, "R1-R3", 2,
        "The ripple without spikes, peak to peak in volts, by the estimator that is valid here (`ripple_method`).";
    ripple_fit_pp_v, "R3", 2,
        "Ripple by averaging, blanking and a quadratic in each segment, peak to peak in volts.";
    ripple_fit_residual_v, "R3", 2,
        "Rms of the phases that blanking keeps, less the fit of R3, in volts: what the fit does not explain.";
    ripple_blank_pp_v, "R2", 2, "Ripple by averaging and blanking, peak to peak in volts.";
    ripple_fund_pp_v, "R1", 1,
        "Twice the amplitude at the switching frequency, in volts; holds the spikes' share too.";
    ripple_lp1mhz_pp_v, "R4", 1,
        "Median over cycles of the peak to peak behind a 1 MHz low-pass of no delay, in volts; holds the spikes' residue.";
    harmonic_1_v, "R1", 1, "Amplitude at the switching frequency, in volts.";
    harmonic_2_v, "R1", 1, "Amplitude at twice the switching frequency, in volts.";
    harmonic_3_v, "R1", 1, "Amplitude at three times the switching frequency, in volts.";
    harmonic_4_v, "R1", 1, "Amplitude at four times the switching frequency, in volts.";
    harmonic_5_v, "R1", 1, "Amplitude at five times the switching frequency, in volts.";
    spike_pos_v, "S6", 2, "The highest spike above the running median, in volts.";
    spike_neg_v, "S6", 2, "The deepest spike below the running median, in volts; negative.";
    spike_pos_median_v, "S6", 2, "Median over cycles of each cycle's highest spike, in volts.";
    spike_neg_median_v, "S6", 2,
        "Median over cycles of each cycle's deepest spike, in volts; negative.";
    spike_pos_p95_v, "S6", 2,
        "95th percentile over cycles of each cycle's highest spike, in volts.";
    spike_neg_p05_v, "S6", 2,
        "5th percentile over cycles of each cycle's deepest spike, in volts; negative.";
    spike_rate_hz, "S6", 1,
        "Groups of samples further than `spike_threshold_v` from the running median, a second.";
    spike_threshold_v, "S6", 1, "The threshold of `spike_rate_hz`, in volts.";
    noise_sigma_v, "S6", 1,
        "Spread of the samples about the running median by the median absolute deviation, as a sigma in volts.";
    switching_hz, "S5", 1, "Switching frequency in Hz.";
    period_std_s, "S5", 2, "Standard deviation of the period in seconds.";
    period_pp_s, "S5", 2, "Longest less shortest period in seconds.";
    period_c2c_s, "S5", 2, "Rms of the differences between successive periods in seconds.";
    on_time_s, "S5", 2, "Mean on-time in seconds.";
    duty, "S5", 2, "Mean on-time over mean period, 0 to 1.";
    low_v, "S5", 1, "Low state of the switch node in volts.";
    high_v, "S5", 1, "High state of the switch node in volts.";
    pulse_count, "P1", 1, "Pulses in the record, a pure number.";
    pulse_hz, "P2", 1,
        "Pulses a second, also where pulses are skipped and there is no frequency.";
    pulse_gap_mean_s, "P3", 1, "Mean distance of successive pulses in seconds.";
    pulse_gap_min_s, "P3", 1, "Shortest distance of successive pulses in seconds.";
    pulse_gap_max_s, "P3", 1, "Longest distance of successive pulses in seconds.";
    ring_hz, "S7", 1, "Frequency of the ringing after the rising edges, in Hz.";
    band_rms_100khz_1mhz_v, "S8", 1,
        "Rms within 100 kHz to 1 MHz, in volts: the ripple and its first harmonics.";
    band_rms_1mhz_20mhz_v, "S8", 1,
        "Rms within 1 MHz to 20 MHz, in volts: edges and most ringing.";
    band_rms_20mhz_50mhz_v, "S8", 1,
        "Rms within 20 MHz to 50 MHz, in volts: what a bandwidth limiter hides.";
    drift_v, "S9", 1, "Mean of the second half of the record less mean of the first, in volts.";
}

impl SteadyState {
    /// Whether and why a figure is only a bound.
    #[must_use]
    pub fn bound(&self, figure: &str) -> Option<&Bounded> {
        self.bounds.iter().find(|bounded| bounded.figure == figure)
    }

    /// What the same set-up shows of a figure with the outputs off.
    #[must_use]
    pub fn floor(&self, figure: &str) -> Option<&FloorLevel> {
        self.floors.iter().find(|floor| floor.figure == figure)
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Marks a figure as a bound, once.
    pub(super) fn mark(&mut self, figure: &'static str, bound: Bound, because: impl Into<String>) {
        if self.bound(figure).is_none() {
            self.bounds.push(Bounded { figure, bound, because: because.into() });
        }
    }
}

/// The definition of a figure by its name.
#[must_use]
pub fn find_definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.name == name)
}
