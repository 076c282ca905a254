//! What is compared: figures of points, and what is made of several points. Each has a scale in which it is averaged and
//! subtracted, and a side on which it is better.

use std::fmt;
use std::str::FromStr;

use super::band::Band;
use crate::base::names::nearest;
use crate::event::{FigureName as F, Worse};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// A figure of a point.
    Figure(F),
    /// Board temperature less ambient temperature, point by point.
    Rise,
    /// How far apart the output voltages at the smallest and at the largest load are, at each input voltage.
    LoadRegulation,
    /// Lowest input voltage at which the output was in regulation, at each load.
    StartUp,
    /// Rms of the output within a band of the spectrum of its capture.
    Band(Band),
}

/// In which scale a quantity is averaged and subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// 20 log10 of the magnitude: effects on amplitudes multiply, and so do their errors.
    Decibels,
    /// The quantity itself.
    Plain,
}

/// On which side a quantity is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither: any change is one.
    Neither,
}

/// What is compared, in the order of a report: what rides on the output, what that costs, how the board works.
pub const COMPARED: &[Quantity] = &[
    Quantity::Figure(F::NoisePp20Mhz),
    Quantity::Figure(F::RipplePp),
    Quantity::Figure(F::NoisePpFull),
    Quantity::Figure(F::SpikePos),
    Quantity::Figure(F::SpikeNeg),
    Quantity::Figure(F::NoiseRms20Mhz),
    Quantity::Figure(F::RmsAc),
    Quantity::Figure(F::NoiseSigma),
    Quantity::Figure(F::BandRms100KhzTo1Mhz),
    Quantity::Figure(F::BandRms1To20Mhz),
    Quantity::Figure(F::BandRms20To50Mhz),
    Quantity::Figure(F::NoisePp20MhzK2),
    Quantity::Figure(F::NoiseRms20MhzK2),
    Quantity::Figure(F::NoisePp20MhzK4),
    Quantity::Figure(F::NoiseRms20MhzK4),
    Quantity::Figure(F::RippleFit),
    Quantity::Figure(F::RippleBlank),
    Quantity::Figure(F::RippleFundamental),
    Quantity::Figure(F::RippleLp1Mhz),
    Quantity::Figure(F::Harmonic1),
    Quantity::Figure(F::Harmonic2),
    Quantity::Figure(F::Harmonic3),
    Quantity::Figure(F::Harmonic4),
    Quantity::Figure(F::Harmonic5),
    Quantity::Figure(F::SpikePosMedian),
    Quantity::Figure(F::SpikeNegMedian),
    Quantity::Figure(F::SpikePosP95),
    Quantity::Figure(F::SpikeNegP05),
    Quantity::Figure(F::SpikeRate),
    Quantity::Band(Band::Switching),
    Quantity::Band(Band::Harmonics),
    Quantity::Band(Band::Edges),
    Quantity::Band(Band::Ringing),
    Quantity::Band(Band::Beyond),
    Quantity::Figure(F::Vout),
    Quantity::Figure(F::Mean),
    Quantity::LoadRegulation,
    Quantity::Figure(F::Efficiency),
    Quantity::Figure(F::Loss),
    Quantity::Figure(F::InputPower),
    Quantity::Rise,
    Quantity::Figure(F::BoardTemperature),
    Quantity::StartUp,
    Quantity::Figure(F::Settle),
    Quantity::Figure(F::Switching),
    Quantity::Figure(F::Duty),
    Quantity::Figure(F::PeriodStd),
    Quantity::Figure(F::Ringing),
];

impl Quantity {
    /// The key in files and on the command line, e.g. `noise_pp_20mhz_v`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Figure(name) => name.key(),
            Self::Rise => "rise_k",
            Self::LoadRegulation => "load_regulation_v",
            Self::StartUp => "start_up_v",
            Self::Band(band) => band.key(),
        }
    }

    /// What a person calls it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            // Amplitudes are compared by their magnitude, and a low spike that is lowered would be a deeper one.
            Self::Figure(F::SpikeNeg) => "depth of the lowest spike",
            Self::Figure(F::SpikeNegMedian) => "median depth of the lowest spike of each cycle",
            Self::Figure(F::SpikeNegP05) => "depth of the lowest spike of each cycle that 95 % stay under",
            Self::Figure(name) => name.title(),
            Self::Rise => "temperature of the board over ambient",
            Self::LoadRegulation => "load regulation",
            Self::StartUp => "start-up threshold",
            Self::Band(band) => band.title(),
        }
    }

    /// What its single values stand at: points, or what several points make one value at.
    #[must_use]
    pub const fn places(self) -> (&'static str, &'static str) {
        match self {
            Self::LoadRegulation => ("input voltage", "input voltages"),
            Self::StartUp => ("load", "loads"),
            Self::Figure(_) | Self::Rise | Self::Band(_) => ("point", "points"),
        }
    }

    /// What must be known of it beside its title, where it is no reading of a single point in equilibrium.
    #[must_use]
    pub const fn is_made(self) -> Option<&'static str> {
        match self {
            Self::LoadRegulation => {
                Some("how far the output voltage moves between the smallest and the largest load")
            }
            Self::StartUp => Some("the lowest input voltage in regulation"),
            Self::Rise => Some("as far as the board had warmed up at each point"),
            Self::Figure(_) | Self::Band(_) => None,
        }
    }

    /// The unit of the quantity itself; empty for a ratio.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Figure(name) => name.unit(),
            Self::Rise => "K",
            Self::LoadRegulation | Self::StartUp | Self::Band(_) => "V",
        }
    }

    /// The unit of a change: `dB`, the quantity's own, or empty for a difference of ratios, which is told in per cent points.
    #[must_use]
    pub fn unit_of_change(self) -> &'static str {
        match self.scale() {
            Scale::Decibels => "dB",
            // A difference of temperatures is told in kelvins.
            Scale::Plain if self.unit() == "°C" => "K",
            Scale::Plain => self.unit(),
        }
    }

    /// In which scale it is averaged and subtracted.
    #[must_use]
    pub fn scale(self) -> Scale {
        match self {
            Self::Band(_) => Scale::Decibels,
            // What rides on the output is an amplitude; efficiency and the rate of spikes are not.
            Self::Figure(name) if name.needs_output() && name.unit() == "V" && name != F::SpikeThreshold => {
                Scale::Decibels
            }
            _ => Scale::Plain,
        }
    }

    /// On which side it is better.
    #[must_use]
    pub fn better(self) -> Better {
        match self {
            Self::StartUp => Better::Neither,
            // Of an amplitude it is the magnitude that is averaged.
            Self::Figure(_) if self.scale() == Scale::Decibels => Better::Lower,
            Self::Figure(name) => match name.worse() {
                Some(Worse::More) => Better::Lower,
                Some(Worse::Less) => Better::Higher,
                Some(Worse::Away) | None => Better::Neither,
            },
            _ => Better::Lower,
        }
    }

    /// The smallest change that matters, unless told otherwise, in the unit of its change; `None` where no such number fits every
    /// board. Under it a change may be sure and is still nothing that anybody would act on.
    #[must_use]
    pub fn smallest_that_matters(self) -> Option<f64> {
        match self.unit_of_change() {
            "dB" => Some(0.5),
            "V" | "W" => Some(5e-3),
            "K" => Some(0.5),
            // Efficiency and duty in parts of one: 0.2 per cent points.
            "" => Some(2e-3),
            _ => None,
        }
    }

    /// A value in the scale in which it is averaged; `None` where it has no place there, as zero has none in decibels.
    #[must_use]
    pub fn scaled(self, value: f64) -> Option<f64> {
        let scaled = match self.scale() {
            Scale::Decibels => 20.0 * value.abs().log10(),
            Scale::Plain => value,
        };
        scaled.is_finite().then_some(scaled)
    }

    /// The value that stands at a place of the scale; of an amplitude the magnitude.
    #[must_use]
    pub fn unscaled(self, scaled: f64) -> f64 {
        match self.scale() {
            Scale::Decibels => 10f64.powf(scaled / 20.0),
            Scale::Plain => scaled,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

impl FromStr for Quantity {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        COMPARED.iter().copied().find(|quantity| quantity.key() == text).ok_or_else(|| {
            let keys = || COMPARED.iter().map(|quantity| quantity.key());
            // A key that was written half is near to the beginning of one.
            let begun = || {
                let cut = |key: &'static str| key.get(..text.len()).unwrap_or(key);
                let near = nearest(text, keys().map(cut))?;
                keys().find(|key| key.starts_with(near))
            };
            match nearest(text, keys()).or_else(begun) {
                Some(near) => format!("`{text}` is nothing that is compared; the nearest is `{near}`"),
                None => {
                    let keys: Vec<&str> = keys().collect();
                    format!("`{text}` is nothing that is compared, which are {}", keys.join(", "))
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amplitudes_are_compared_in_decibels_and_everything_else_in_its_own_unit() {
        let unit = |key: &str| key.parse::<Quantity>().unwrap().unit_of_change();
        for key in ["noise_pp_20mhz_v", "ripple_pp_v", "spike_neg_v", "harmonic_1_v", "band_rms_1mhz_20mhz_v"]
        {
            assert_eq!(unit(key), "dB", "{key}");
        }
        for (key, expected) in [
            ("vout_v", "V"),
            ("efficiency", ""),
            ("loss_w", "W"),
            ("board_c", "K"),
            ("rise_k", "K"),
            ("switching_hz", "Hz"),
            ("start_up_v", "V"),
        ] {
            assert_eq!(unit(key), expected, "{key}");
        }
    }

    #[test]
    fn a_spike_below_is_worse_the_deeper_it_is() {
        let spike = Quantity::Figure(F::SpikeNeg);
        assert_eq!(spike.scaled(-0.1), Some(-20.0));
        assert_eq!(spike.better(), Better::Lower);
        assert_eq!(spike.scaled(0.0), None);
        assert!((spike.unscaled(-20.0) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn every_quantity_is_found_by_its_key_and_a_slip_is_told() {
        for quantity in COMPARED {
            assert_eq!(quantity.key().parse(), Ok(*quantity));
        }
        assert_eq!(
            "noise_pp_20mhz".parse::<Quantity>(),
            Err("`noise_pp_20mhz` is nothing that is compared; the nearest is `noise_pp_20mhz_v`".to_owned())
        );
        // As good as half a key, and nothing like any.
        let told = |text: &str| text.parse::<Quantity>().unwrap_err();
        assert!(told("nois_pp").ends_with("the nearest is `noise_pp_20mhz_v`"), "{}", told("nois_pp"));
        let list = told("temperature_of_the_moon");
        assert!(
            list.contains("which are noise_pp_20mhz_v, ripple_pp_v, ") && list.ends_with("ring_hz"),
            "{list}"
        );
    }
}
