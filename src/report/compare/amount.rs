//! Changes in words: with the digits that their intervals deserve, and no more.

use crate::compare::effect::{Effect, Interval};
use crate::compare::quantity::{Quantity, Scale};

/// How the changes of a quantity are written: one unit and so many decimals for a value and its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// Powers of ten by which the SI value is multiplied.
    power: i32,
    /// The unit with its prefix.
    pub unit: &'static str,
    decimals: usize,
}

impl Amounts {
    /// For a change and its interval.
    #[must_use]
    pub fn for_change(quantity: Quantity, change: f64, interval: Option<Interval>) -> Self {
        let ends = interval.map_or([change, change], |interval| [interval.low, interval.high]);
        let largest = ends.iter().fold(change.abs(), |most, end| most.max(end.abs()));
        // Nothing has no size that would choose a prefix.
        if largest == 0.0 {
            let (power, unit) = if quantity.unit_of_change().is_empty() {
                (2, "%-points")
            } else {
                (0, quantity.unit_of_change())
            };
            return Self { power, unit, decimals: 0 };
        }
        let (power, unit) = unit(quantity.unit_of_change(), largest);
        let half = (ends[1] - ends[0]) / 2.0 * 10f64.powi(power);
        // The half width has two digits; of a change without an interval three digits are told.
        let decimals = if half > 0.0 && half.is_finite() {
            (1.0 - half.log10().floor()).clamp(0.0, 4.0) as usize
        } else {
            (2.0 - (largest * 10f64.powi(power)).max(1e-9).log10().floor()).clamp(0.0, 4.0) as usize
        };
        // A hundredth of a decibel is a thousandth of the amplitude: nobody measures that.
        let decimals = if unit == "dB" { decimals.clamp(1, 2) } else { decimals };
        Self { power, unit, decimals }
    }

    /// For an effect.
    #[must_use]
    pub fn of(effect: &Effect) -> Self {
        Self::for_change(
            effect.quantity(),
            effect.change.unwrap_or(0.0),
            effect.certainty.interval.as_ref().ok().copied(),
        )
    }

    /// The digits of a value, without a sign.
    #[must_use]
    pub fn size(self, value: f64) -> String {
        format!("{:.*}", self.decimals, (value * 10f64.powi(self.power)).abs())
    }
    /// The digits of a value that is something: what rounds to zero is told to be less than the last digit.
    #[must_use]
    pub fn size_or_less(self, value: f64) -> String {
        let size = self.size(value);
        if value != 0.0 && size.chars().all(|c| matches!(c, '0' | '.')) {
            let last = 0.1_f64.powi(self.decimals as i32);
            return format!("less than {last:.*}", self.decimals);
        }
        size
    }
    /// The digits of a value with a sign, of which a zero has none.
    #[must_use]
    pub fn signed(self, value: f64) -> String {
        let size = self.size(value);
        match value {
            _ if size.chars().all(|c| matches!(c, '0' | '.')) => size,
            value if value < 0.0 => format!("−{size}"),
            _ => format!("+{size}"),
        }
    }
    /// A value with a sign and the unit.
    #[must_use]
    pub fn full(self, value: f64) -> String {
        format!("{} {}", self.signed(value), self.unit)
    }
    /// The factor from SI values to what is told.
    #[must_use]
    pub fn factor(self) -> f64 {
        10f64.powi(self.power)
    }
}

/// Power of ten and unit in which the largest of some changes has one to three digits before the point.
fn unit(unit: &'static str, largest: f64) -> (i32, &'static str) {
    match (unit, largest) {
        ("", _) => (2, "%-points"),
        ("V", size) if size < 0.9995e-3 => (6, "µV"),
        ("V", size) if size < 0.9995 => (3, "mV"),
        ("A", size) if size < 0.9995 => (3, "mA"),
        ("W", size) if size < 0.9995 => (3, "mW"),
        ("Hz", size) if size >= 1e6 => (-6, "MHz"),
        ("Hz", size) if size >= 1e3 => (-3, "kHz"),
        ("s", size) if size < 0.9995e-6 => (9, "ns"),
        ("s", size) if size < 0.9995e-3 => (6, "µs"),
        ("s", size) if size < 0.9995 => (3, "ms"),
        (unit, _) => (0, unit),
    }
}

/// A change that somebody set, without the zeros at its end: `0.5 dB`.
#[must_use]
pub fn amount(quantity: Quantity, change: f64) -> String {
    let amounts = Amounts::for_change(quantity, change, None);
    format!("{} {}", short(&amounts.size(change)), amounts.unit)
}

fn short(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// A level, not a change: `29.4 mV` of a score in decibels.
#[must_use]
pub fn level(quantity: Quantity, scaled: f64) -> String {
    let value = quantity.unscaled(scaled);
    let text = match (quantity, quantity.scale()) {
        (Quantity::Figure(name), _) => name.show(value),
        // A rise may be hundredths of a kelvin, of which one decimal says nothing.
        (Quantity::Rise, _) if (5e-5..1.0).contains(&value.abs()) => {
            let decimals = (1.0 - value.abs().log10().floor()).clamp(0.0, 4.0) as usize;
            format!("{} K", short(&format!("{value:.decimals$}")))
        }
        (_, Scale::Decibels | Scale::Plain) => crate::base::units::with_prefix(value, quantity.unit()),
    };
    super::super::figure::minus(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::FigureName;

    #[test]
    fn a_change_has_the_digits_of_its_interval() {
        let told = |key: &str, change: f64, half: f64| {
            let interval = (half > 0.0).then_some(Interval { low: change - half, high: change + half });
            Amounts::for_change(key.parse().unwrap(), change, interval).full(change)
        };
        assert_eq!(told("noise_pp_20mhz_v", -37.123, 0.91), "−37.12 dB");
        assert_eq!(told("noise_pp_20mhz_v", -37.123, 3.2), "−37.1 dB");
        assert_eq!(told("vout_v", -0.0231, 0.045), "−23 mV");
        assert_eq!(told("vout_v", -0.0231, 0.0), "−23.1 mV");
        assert_eq!(told("efficiency", 0.0123, 0.002), "+1.23 %-points");
        assert_eq!(told("loss_w", 0.0, 0.0), "0 W");
        assert_eq!(amount("noise_pp_20mhz_v".parse().unwrap(), 0.5), "0.5 dB");
        assert_eq!(amount("vout_v".parse().unwrap(), 0.1), "100 mV");
        assert_eq!(amount("efficiency".parse().unwrap(), 0.002), "0.2 %-points");
        assert_eq!(level(Quantity::Figure(FigureName::NoisePp20Mhz), -30.0), "31.62 mV");
        for (rise, told) in [
            (12.34, "12.3 K"),
            (0.0341, "0.034 K"),
            (-0.03, "−0.03 K"),
            (0.2, "0.2 K"),
            (0.996, "1 K"),
            (0.0, "0 K"),
        ] {
            assert_eq!(level(Quantity::Rise, rise), told);
        }
    }
}
