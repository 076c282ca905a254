//! The figures of a point: one table gives names, units and headings to limits, `points.csv`, plots and documents.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::base::units::with_prefix;
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
    RippleFit, "ripple_fit_pp_v", "V", false, "ripple by quadratic fit";
    RippleBlank, "ripple_blank_pp_v", "V", false, "ripple with blanked edges";
    RippleFundamental, "ripple_fund_pp_v", "V", false, "ripple's fundamental";
    SpikePosMedian, "spike_pos_median_v", "V", false, "median of the highest spike of each cycle";
    SpikeNegMedian, "spike_neg_median_v", "V", false, "median of the lowest spike of each cycle";
    SpikeRate, "spike_rate_hz", "Hz", false, "spikes a second";
    NoiseSigma, "noise_sigma_v", "V", false, "noise between spikes, from the median deviation";
    PeriodStd, "period_std_s", "s", false, "period jitter";
    PeriodPp, "period_pp_s", "s", false, "period jitter peak to peak";
    PeriodC2c, "period_c2c_s", "s", false, "cycle-to-cycle jitter";
    SwitchLow, "low_v", "V", false, "low level of the switch node";
    SwitchHigh, "high_v", "V", false, "high level of the switch node";
    Drift, "drift_v", "V", false, "drift inside the trace";
}

impl FigureName {
    /// A value as a person reads it: with its unit and an SI prefix, a ratio in percent.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        if self.unit().is_empty() {
            return format!("{} %", (value * 1e4).round() / 100.0);
        }
        with_prefix(value, self.unit())
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
    fn values_are_shown_as_people_read_them() {
        let table = [
            (FigureName::Efficiency, 0.8, "80 %"),
            (FigureName::Duty, 0.004_567, "0.46 %"),
            (FigureName::RipplePp, 0.0204, "20.4 mV"),
            (FigureName::Switching, 122_070.0, "122.1 kHz"),
            (FigureName::BoardTemperature, 41.24, "41.2 °C"),
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
