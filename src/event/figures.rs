//! The figures of a point: one table gives names, units and headings to limits, `points.csv`, plots and documents.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::base::units::{as_set, with_prefix};
use crate::waveform::{Figure, Unavailable};

macro_rules! figures {
    ($($variant:ident, $key:literal, $unit:literal, $column:literal, $title:literal;)*) => {
        /// The name of a figure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FigureName {
            $(#[doc = $title] $variant,)*
        }

        impl FigureName {
            /// All figures, in the order of `points.csv`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The key in files, e.g. `ripple_pp_v`.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)* }
            }
            /// The unit's symbol; empty for a ratio.
            #[must_use]
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit,)* }
            }
            /// Whether it has a column in `points.csv`.
            #[must_use]
            pub const fn is_column(self) -> bool {
                match self { $(Self::$variant => $column,)* }
            }
            /// What a person calls it.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

figures! {
    Vin, "vin_v", "V", true, "input voltage at the board";
    Iin, "iin_a", "A", true, "input current";
    Vout, "vout_v", "V", true, "output voltage at the board";
    Iout, "iout_a", "A", true, "output current";
    Efficiency, "efficiency", "", true, "efficiency";
    Settle, "settle_s", "s", true, "settle time";
    Mean, "mean_v", "V", true, "mean of the trace";
    RmsAc, "rms_ac_v", "V", true, "rms of the AC part, full bandwidth";
    NoisePpFull, "noise_pp_full_v", "V", true, "ripple and noise peak to peak, full bandwidth";
    NoisePp20Mhz, "noise_pp_20mhz_v", "V", true, "ripple and noise peak to peak, 20 MHz";
    RipplePp, "ripple_pp_v", "V", true, "ripple without spikes, peak to peak";
    SpikePos, "spike_pos_v", "V", true, "highest spike";
    SpikeNeg, "spike_neg_v", "V", true, "lowest spike";
    Switching, "switching_hz", "Hz", true, "switching frequency";
    Duty, "duty", "", true, "duty factor";
    BoardTemperature, "board_c", "°C", true, "board temperature";
    AmbientTemperature, "ambient_c", "°C", true, "ambient temperature";
    InputPower, "input_w", "W", false, "input power";
    OutputPower, "output_w", "W", false, "output power";
    Loss, "loss_w", "W", false, "loss";
    Max, "max_v", "V", false, "highest sample";
    Min, "min_v", "V", false, "lowest sample";
    NoiseRms20Mhz, "noise_rms_20mhz_v", "V", false, "ripple and noise rms, 20 MHz";
    NoisePp20MhzK2, "noise_pp_20mhz_k2_v", "V", false, "ripple and noise peak to peak, 20 MHz, second order";
    NoiseRms20MhzK2, "noise_rms_20mhz_k2_v", "V", false, "ripple and noise rms, 20 MHz, second order";
    NoisePp20MhzK4, "noise_pp_20mhz_k4_v", "V", false, "ripple and noise peak to peak, 20 MHz, fourth order";
    NoiseRms20MhzK4, "noise_rms_20mhz_k4_v", "V", false, "ripple and noise rms, 20 MHz, fourth order";
    RippleFit, "ripple_fit_pp_v", "V", false, "ripple by quadratic fit";
    RippleFitResidual, "ripple_fit_residual_v", "V", false, "what the quadratic fit leaves, rms";
    RippleBlank, "ripple_blank_pp_v", "V", false, "ripple with blanked edges";
    RippleFundamental, "ripple_fund_pp_v", "V", false, "ripple's fundamental";
    RippleLp1Mhz, "ripple_lp1mhz_pp_v", "V", false, "ripple behind a 1 MHz low-pass, with the spikes' residue";
    Harmonic1, "harmonic_1_v", "V", false, "amplitude at the switching frequency";
    Harmonic2, "harmonic_2_v", "V", false, "amplitude of harmonic 2";
    Harmonic3, "harmonic_3_v", "V", false, "amplitude of harmonic 3";
    Harmonic4, "harmonic_4_v", "V", false, "amplitude of harmonic 4";
    Harmonic5, "harmonic_5_v", "V", false, "amplitude of harmonic 5";
    SpikePosMedian, "spike_pos_median_v", "V", false, "median of the highest spike of each cycle";
    SpikeNegMedian, "spike_neg_median_v", "V", false, "median of the lowest spike of each cycle";
    SpikePosP95, "spike_pos_p95_v", "V", false, "95th percentile of the highest spike of each cycle";
    SpikeNegP05, "spike_neg_p05_v", "V", false, "5th percentile of the lowest spike of each cycle";
    SpikeRate, "spike_rate_hz", "Hz", false, "spikes a second";
    SpikeThreshold, "spike_threshold_v", "V", false, "threshold of the spike rate";
    NoiseSigma, "noise_sigma_v", "V", false, "noise between spikes, from the median deviation";
    PeriodStd, "period_std_s", "s", false, "period jitter";
    PeriodPp, "period_pp_s", "s", false, "period jitter peak to peak";
    PeriodC2c, "period_c2c_s", "s", false, "cycle-to-cycle jitter";
    OnTime, "on_time_s", "s", false, "on-time";
    SwitchLow, "low_v", "V", false, "low level of the switch node";
    SwitchHigh, "high_v", "V", false, "high level of the switch node";
    PulseCount, "pulse_count", "count", false, "pulses in the trace";
    PulseRate, "pulse_hz", "Hz", false, "pulses a second";
    PulseGapMean, "pulse_gap_mean_s", "s", false, "mean distance of pulses";
    PulseGapMin, "pulse_gap_min_s", "s", false, "shortest distance of pulses";
    PulseGapMax, "pulse_gap_max_s", "s", false, "longest distance of pulses";
    Ringing, "ring_hz", "Hz", false, "ringing frequency";
    BandRms100KhzTo1Mhz, "band_rms_100khz_1mhz_v", "V", false, "rms from 100 kHz to 1 MHz";
    BandRms1To20Mhz, "band_rms_1mhz_20mhz_v", "V", false, "rms from 1 MHz to 20 MHz";
    BandRms20To50Mhz, "band_rms_20mhz_50mhz_v", "V", false, "rms from 20 MHz to 50 MHz";
    Drift, "drift_v", "V", false, "drift inside the trace";
}

/// On which side a figure is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worse {
    /// Where it is more.
    More,
    /// Where it is less.
    Less,
    /// Where it is farther away from where it should be, on either side.
    Away,
}

/// Why a figure of what rides on the output is none where the board has no output.
pub const OUTPUT_OFF: &str = "the output is off";

/// The unit of a figure that counts.
const COUNT: &str = "count";

impl FigureName {
    /// Whether the figure tells of what rides on an output voltage: ripple, noise, spikes, and the efficiency with which it is
    /// made. Of an output that is off it would be a figure of the probe and the scope, and meet every limit.
    #[must_use]
    pub const fn needs_output(self) -> bool {
        use FigureName as F;
        matches!(
            self,
            F::Efficiency
                | F::RmsAc
                | F::NoisePpFull
                | F::NoisePp20Mhz
                | F::NoiseRms20Mhz
                | F::NoisePp20MhzK2
                | F::NoiseRms20MhzK2
                | F::NoisePp20MhzK4
                | F::NoiseRms20MhzK4
                | F::NoiseSigma
                | F::BandRms100KhzTo1Mhz
                | F::BandRms1To20Mhz
                | F::BandRms20To50Mhz
                | F::RipplePp
                | F::RippleFit
                | F::RippleFitResidual
                | F::RippleBlank
                | F::RippleFundamental
                | F::RippleLp1Mhz
                | F::Harmonic1
                | F::Harmonic2
                | F::Harmonic3
                | F::Harmonic4
                | F::Harmonic5
                | F::SpikePos
                | F::SpikeNeg
                | F::SpikePosMedian
                | F::SpikeNegMedian
                | F::SpikePosP95
                | F::SpikeNegP05
                | F::SpikeRate
                | F::SpikeThreshold
                | F::Ringing
        )
    }

    /// On which side it is worse; `None` for what was set, for what only tells how the board works, and for what only explains
    /// another figure.
    #[must_use]
    pub const fn worse(self) -> Option<Worse> {
        use FigureName as F;
        match self {
            // Spikes below are worse the lower they go.
            F::Efficiency | F::SpikeNeg | F::SpikeNegMedian | F::SpikeNegP05 => Some(Worse::Less),
            F::Vout | F::Switching | F::Duty => Some(Worse::Away),
            F::Vin
            | F::Iin
            | F::Iout
            | F::OutputPower
            | F::AmbientTemperature
            | F::Mean
            | F::Max
            | F::Min
            | F::SpikeThreshold
            | F::OnTime
            | F::SwitchLow
            | F::SwitchHigh
            | F::PulseCount
            | F::PulseRate
            | F::PulseGapMean
            | F::PulseGapMin
            | F::PulseGapMax
            | F::Ringing
            | F::Drift => None,
            _ => Some(Worse::More),
        }
    }

    /// A value as a person reads it: with its unit and an SI prefix, a ratio in percent, a count alone.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        self.shown(value, with_prefix)
    }

    /// The same of a bound, with all digits that a person sets.
    #[must_use]
    pub fn show_bound(self, value: f64) -> String {
        if self.unit().is_empty() {
            return format!("{} %", (value * 1e7).round() / 1e5);
        }
        self.shown(value, as_set)
    }

    fn shown(self, value: f64, with_unit: fn(f64, &str) -> String) -> String {
        if self.unit().is_empty() {
            return format!("{} %", (value * 1e4).round() / 100.0);
        }
        if self.unit() == COUNT {
            return format!("{value}");
        }
        with_unit(value, self.unit())
    }
}

impl fmt::Display for FigureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

impl FromStr for FigureName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|name| name.key() == text).ok_or_else(|| {
            match crate::base::names::nearest(text, Self::ALL.iter().map(|name| name.key())) {
                Some(near) => format!("`{text}` is no figure; the nearest is `{near}`"),
                None => format!("`{text}` is no figure"),
            }
        })
    }
}

/// The figures of one point. What was never asked for is absent; what could not be had stands with its reason.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures(BTreeMap<FigureName, Figure>);

impl Figures {
    /// Puts a figure in, replacing an earlier one of that name. A value that is no finite number is not a figure.
    pub fn insert(&mut self, name: FigureName, figure: Figure) {
        let figure = match figure {
            Ok(value) if !value.is_finite() => {
                Err(Unavailable::because(format!("the instrument gave {value}, which is no reading")))
            }
            other => other,
        };
        self.0.insert(name, figure);
    }
    /// The figure, or that it was not asked for.
    ///
    /// # Errors
    /// The reason why it is not available.
    pub fn figure(&self, name: FigureName) -> Figure {
        self.0
            .get(&name)
            .cloned()
            .unwrap_or_else(|| Err(Unavailable::because("not measured by this profile")))
    }
    /// The value, if there is one.
    #[must_use]
    pub fn value(&self, name: FigureName) -> Option<f64> {
        self.0.get(&name).and_then(|figure| figure.as_ref().ok().copied())
    }
    /// Temperature of the board over ambient, in kelvins, where both were measured.
    #[must_use]
    pub fn rise_k(&self) -> Option<f64> {
        Some(self.value(FigureName::BoardTemperature)? - self.value(FigureName::AmbientTemperature)?)
    }
    /// All figures in the order of [`FigureName::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (FigureName, &Figure)> {
        self.0.iter().map(|(name, figure)| (*name, figure))
    }
}

impl FromIterator<(FigureName, Figure)> for Figures {
    fn from_iter<T: IntoIterator<Item = (FigureName, Figure)>>(figures: T) -> Self {
        let mut all = Self::default();
        for (name, figure) in figures {
            all.insert(name, figure);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_found_by_its_key() {
        for name in FigureName::ALL {
            assert_eq!(name.key().parse(), Ok(*name));
        }
        assert_eq!(
            "ripple_p_v".parse::<FigureName>(),
            Err("`ripple_p_v` is no figure; the nearest is `ripple_pp_v`".to_owned())
        );
    }

    #[test]
    fn every_figure_of_a_trace_has_its_name_in_the_table() {
        for definition in crate::waveform::figures::DEFINITIONS {
            assert!(definition.name.parse::<FigureName>().is_ok(), "{}", definition.name);
        }
    }

    #[test]
    fn values_are_shown_as_people_read_them() {
        let table = [
            (FigureName::Efficiency, 0.8, "80 %"),
            (FigureName::Duty, 0.004_567, "0.46 %"),
            (FigureName::RipplePp, 0.0204, "20.4 mV"),
            (FigureName::Switching, 122_070.0, "122.1 kHz"),
            (FigureName::BoardTemperature, 41.24, "41.2 °C"),
            (FigureName::PulseCount, 17.0, "17"),
        ];
        for (name, value, shown) in table {
            assert_eq!(name.show(value), shown);
        }
    }

    #[test]
    fn what_is_no_number_is_not_kept_as_one() {
        let mut figures = Figures::default();
        figures.insert(FigureName::Vout, Ok(f64::INFINITY));
        assert_eq!(figures.value(FigureName::Vout), None);
        assert!(figures.figure(FigureName::Vout).unwrap_err().0.contains("no reading"));
    }
}
