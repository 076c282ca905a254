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
        let fine = Self::for_rate(quantity, change, interval);
        // A hundredth of a decibel is a thousandth of the amplitude: nobody measures that.
        let decimals = if fine.unit == "dB" { fine.decimals.clamp(1, 2) } else { fine.decimals };
        Self { decimals, ..fine }
    }

    /// For what adds up over many runs: there small parts of a decibel count, too.
    #[must_use]
    pub fn for_rate(quantity: Quantity, change: f64, interval: Option<Interval>) -> Self {
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

    /// For a column of changes and their intervals: one unit, and the decimals that the narrowest of them deserves.
    #[must_use]
    pub fn for_column<'e>(quantity: Quantity, effects: impl Iterator<Item = &'e Effect>) -> Self {
        let effects: Vec<&Effect> = effects.collect();
        let ends =
            effects.iter().filter_map(|effect| effect.interval()).flat_map(|ends| [ends.low, ends.high]);
        let largest = effects.iter().filter_map(|effect| effect.change).chain(ends);
        let largest = largest.fold(0.0_f64, |most, value| most.max(value.abs()));
        let whole = Self::for_change(quantity, largest, None);
        let decimals = effects.iter().filter_map(|effect| {
            let half = effect.interval().map_or(0.0, |ends| (ends.high - ends.low) / 2.0);
            // About the largest change, so that every row has its unit.
            let about = Interval { low: largest - half, high: largest + half };
            (half > 0.0).then(|| Self::for_change(quantity, largest, Some(about)))
        });
        let decimals = decimals.filter(|own| own.unit == whole.unit).map(|own| own.decimals).max();
        Self { decimals: decimals.unwrap_or(whole.decimals), ..whole }
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

/// A step or a change of three digits, without the zeros at its end: `0.5 dB`.
#[must_use]
pub fn amount(quantity: Quantity, change: f64) -> String {
    let amounts = Amounts::for_change(quantity, change, None);
    format!("{} {}", short(&amounts.size(change)), amounts.unit)
}

/// A change that somebody set, with all the digits that were written and no more: `1 dB`, `12.345 mV`.
#[must_use]
pub fn amount_as_set(quantity: Quantity, change: f64) -> String {
    let amounts = Amounts::for_change(quantity, change, None);
    // Twelve digits leave out what the computer's numbers add to the written ones.
    let exact = format!("{:.11e}", change * amounts.factor()).parse().unwrap_or(change * amounts.factor());
    format!("{exact} {}", amounts.unit)
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

/// How a column of levels is written: one unit and the same decimals, four digits for the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    power: i32,
    unit: &'static str,
    decimals: usize,
}

impl Levels {
    /// For levels in the scale of their quantity.
    #[must_use]
    pub fn for_column(quantity: Quantity, scaled: impl Iterator<Item = f64>) -> Self {
        let largest = scaled.fold(0.0_f64, |most, scaled| most.max(quantity.unscaled(scaled).abs()));
        let (power, unit) = match (quantity.unit(), largest) {
            ("", _) => (2, "%"),
            (own, 0.0) => (0, own),
            (own, largest) => unit(own, largest),
        };
        let digits = (largest * 10f64.powi(power)).max(1e-9).log10().floor();
        // A thermometer tells no more than hundredths of a degree.
        let most = if matches!(unit, "°C" | "K") { 2.0 } else { 4.0 };
        Self { power, unit, decimals: (3.0 - digits).clamp(0.0, most) as usize }
    }
    /// A level of the column with its unit.
    #[must_use]
    pub fn show(self, quantity: Quantity, scaled: f64) -> String {
        let value = quantity.unscaled(scaled) * 10f64.powi(self.power);
        let text = format!("{value:.*} {}", self.decimals, self.unit);
        super::super::figure::minus(text.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::gate::Allowance;
    use crate::event::FigureName;

    #[test]
    fn the_levels_of_a_column_have_one_unit_and_the_same_decimals() {
        let told = |key: &str, scaled: &[f64]| {
            let quantity = key.parse().unwrap();
            let column = Levels::for_column(quantity, scaled.iter().copied());
            scaled.iter().map(|scaled| column.show(quantity, *scaled)).collect::<Vec<_>>()
        };
        assert_eq!(told("vout_v", &[4.9, 4.975, 5.0]), ["4.900 V", "4.975 V", "5.000 V"]);
        assert_eq!(told("ripple_pp_v", &[-60.0, -40.0]), ["1.00 mV", "10.00 mV"]);
        assert_eq!(told("efficiency", &[0.8, 0.8123]), ["80.00 %", "81.23 %"]);
        assert_eq!(told("rise_k", &[0.5, -1.25]), ["0.50 K", "−1.25 K"]);
        assert_eq!(told("settle_s", &[0.0, 0.0]), ["0.0000 s", "0.0000 s"]);
    }

    #[test]
    fn a_change_has_the_digits_of_its_interval() {
        let told = |key: &str, change: f64, half: f64| {
            let interval = (half > 0.0).then_some(Interval { low: change - half, high: change + half });
            Amounts::for_change(key.parse().unwrap(), change, interval).full(change)
        };
        assert_eq!(told("noise_pp_20mhz_v", -37.123, 0.91), "−37.12 dB");
        assert_eq!(told("noise_pp_20mhz_v", -37.123, 3.2), "−37.1 dB");
        let drift = Some(Interval { low: -0.002_627, high: -0.002_201 });
        let drift =
            Amounts::for_rate("noise_pp_20mhz_v".parse().unwrap(), -0.002_414, drift).full(-0.002_414);
        assert_eq!(drift, "−0.0024 dB", "a run of hundreds");
        assert_eq!(told("vout_v", -0.0231, 0.045), "−23 mV");
        assert_eq!(told("vout_v", -0.0231, 0.0), "−23.1 mV");
        assert_eq!(told("efficiency", 0.0123, 0.002), "+1.23 %-points");
        assert_eq!(told("loss_w", 0.0, 0.0), "0 W");
        assert_eq!(amount("noise_pp_20mhz_v".parse().unwrap(), 0.5), "0.5 dB");
        assert_eq!(amount("vout_v".parse().unwrap(), 0.1), "100 mV");
        assert_eq!(amount("efficiency".parse().unwrap(), 0.002), "0.2 %-points");
        for (limit, told) in [
            ("noise_pp_20mhz_v:1dB", "1 dB"),
            ("vout_v:100mV", "100 mV"),
            ("vout_v:12.345678 V", "12.345678 V"),
            ("loss_w:0.3W", "300 mW"),
            ("efficiency:2%", "2 %-points"),
            ("duty:0.07%", "0.07 %-points"),
            ("settle_s:20us", "20 µs"),
            ("vout_v:0V", "0 V"),
            ("ring_hz:1.5MHz", "1.5 MHz"),
        ] {
            let Allowance { quantity, most } = limit.parse().unwrap();
            assert_eq!(amount_as_set(quantity, most), told, "{limit}");
        }
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
