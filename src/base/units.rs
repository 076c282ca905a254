//! Quantities as types: a voltage cannot be handed over where a current is meant.
//!
//! Each type holds SI base units in an `f64`, parses what a bench engineer writes (`"500 mV"`, `"24 V"`, `"20 MHz"`)
//! and prints with an SI prefix. In kernels plain `f64` is used and the unit ends the name (`ripple_pp_v`).

use std::fmt;
use std::str::FromStr;

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {quantity}: {reason}; write for example `{example}`")]
pub struct QuantityError {
    /// What was written.
    pub text: String,
    /// Which quantity was expected.
    pub quantity: &'static str,
    /// What is wrong with it.
    pub reason: String,
    /// A text that would have been right.
    pub example: &'static str,
}

/// A physical quantity with a unit.
pub trait Quantity: Copy + PartialOrd + fmt::Display + FromStr<Err = QuantityError> {
    /// The unit's symbol, e.g. `V`.
    const SYMBOL: &'static str;
    /// The value in the SI unit.
    fn value(self) -> f64;
    /// A quantity from a value in the SI unit.
    fn from_value(value: f64) -> Self;
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $symbol:literal, $noun:literal, $example:literal, $also:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
        pub struct $name(pub f64);

        impl Quantity for $name {
            const SYMBOL: &'static str = $symbol;
            fn value(self) -> f64 {
                self.0
            }
            fn from_value(value: f64) -> Self {
                Self(value)
            }
        }

        impl $name {
            /// The value in the SI unit.
            #[must_use]
            pub const fn value(self) -> f64 {
                self.0
            }
            /// The magnitude.
            #[must_use]
            pub fn abs(self) -> Self {
                Self(self.0.abs())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&with_prefix(self.0, $symbol))
            }
        }

        impl FromStr for $name {
            type Err = QuantityError;
            fn from_str(text: &str) -> Result<Self, QuantityError> {
                parse(text, $symbol, $also).map(Self).map_err(|reason| QuantityError {
                    text: text.chars().take(80).collect(),
                    quantity: $noun,
                    reason,
                    example: $example,
                })
            }
        }

        impl std::ops::Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl std::ops::Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl std::ops::Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }
        impl std::ops::Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor)
            }
        }
        impl std::ops::Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self(self.0 / divisor)
            }
        }
    };
}

quantity!(
    /// Electric potential difference in volts.
    Volts, "V", "voltage", "500 mV", &[]
);
quantity!(
    /// Electric current in amperes.
    Amps, "A", "current", "250 mA", &[]
);
quantity!(
    /// Power in watts.
    Watts, "W", "power", "2.5 W", &[]
);
quantity!(
    /// Resistance in ohms.
    Ohms, "Ω", "resistance", "120 mOhm", &["Ohm", "ohm", "R"]
);
quantity!(
    /// Frequency (or a rate) in hertz.
    Hertz, "Hz", "frequency", "20 MHz", &["Sa/s", "S/s"]
);
quantity!(
    /// A length of time in seconds, as a measured value; settings of length use [`super::span`].
    Seconds, "s", "time", "8.2 us", &[]
);
quantity!(
    /// A temperature in degrees Celsius.
    Celsius, "°C", "temperature", "85 degC", &["degC", "C"]
);
quantity!(
    /// A temperature difference in kelvins.
    Kelvins, "K", "temperature difference", "15 K", &[]
);

impl std::ops::Mul<Amps> for Volts {
    type Output = Watts;
    fn mul(self, current: Amps) -> Watts {
        Watts(self.0 * current.0)
    }
}
impl std::ops::Mul<Ohms> for Amps {
    type Output = Volts;
    fn mul(self, resistance: Ohms) -> Volts {
        Volts(self.0 * resistance.0)
    }
}
impl std::ops::Div<Ohms> for Volts {
    type Output = Amps;
    fn div(self, resistance: Ohms) -> Amps {
        Amps(self.0 / resistance.0)
    }
}

const PREFIXES: [(char, i32); 9] =
    [('p', -12), ('n', -9), ('u', -6), ('µ', -6), ('m', -3), ('k', 3), ('M', 6), ('G', 9), ('T', 12)];

fn parse(text: &str, symbol: &str, also: &[&str]) -> Result<f64, String> {
    let text = text.trim();
    let number_end = number_length(text);
    let (number, unit) = text.split_at(number_end);
    let value: f64 = number.parse().map_err(|_| "there is no number in front".to_owned())?;
    if !value.is_finite() {
        return Err("the number is too large".to_owned());
    }
    let unit = unit.trim();
    let named = std::iter::once(symbol).chain(also.iter().copied()).find_map(|name| unit.strip_suffix(name));
    let Some(prefix) = named else {
        return Err(if unit.is_empty() {
            format!("the unit {symbol} is missing")
        } else {
            format!("the unit `{unit}` is not {symbol}")
        });
    };
    // Dividing by an exact power of ten keeps `500 mV` at exactly 0.5; multiplying by 1e-3 would not.
    let scaled = match prefix_exponent(prefix)? {
        exponent if exponent < 0 => value / 10f64.powi(-exponent),
        exponent => value * 10f64.powi(exponent),
    };
    if scaled.is_finite() { Ok(scaled) } else { Err("the number is too large".to_owned()) }
}

fn prefix_exponent(prefix: &str) -> Result<i32, String> {
    let mut letters = prefix.chars();
    match (letters.next(), letters.next()) {
        (None, _) => Ok(0),
        (Some(letter), None) => PREFIXES
            .iter()
            .find(|(known, _)| *known == letter || (letter == 'μ' && *known == 'u'))
            .map(|(_, exponent)| *exponent)
            .ok_or_else(|| format!("`{letter}` is no SI prefix (p n u m k M G T)")),
        _ => Err(format!("`{prefix}` is no SI prefix (p n u m k M G T)")),
    }
}

/// Length in bytes of the decimal number at the start of `text`.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    end += digits(end);
    if bytes.get(end) == Some(&b'.') {
        end += 1;
        end += digits(end);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits((end + 1 + sign).min(bytes.len()));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

/// `value` with an SI prefix and up to four significant digits: `0.0204` V gives `20.4 mV`.
#[must_use]
pub fn with_prefix(value: f64, symbol: &str) -> String {
    with_digits(value, symbol, 0)
}

/// The same of what a person has set: three more digits are shown where they are not zero, so that a value beyond it does not
/// read like it.
#[must_use]
pub fn as_set(value: f64, symbol: &str) -> String {
    with_digits(value, symbol, 3)
}

fn with_digits(value: f64, symbol: &str, more: usize) -> String {
    // A prefix in front of a degree would read as a unit that nobody uses.
    if symbol == "°C" || symbol == "K" {
        return format!("{} {symbol}", trim_zeros(&format!("{value:.*}", 1 + more)));
    }
    if !value.is_finite() || value == 0.0 {
        return format!("{value} {symbol}");
    }
    let (scaled, prefix) = scale(value);
    let whole_digits = scaled.abs().log10().floor().max(0.0) as usize + 1;
    let decimals = 4usize.saturating_sub(whole_digits) + more;
    format!("{} {prefix}{symbol}", trim_zeros(&format!("{scaled:.decimals$}")))
}

/// `, 120 µV beyond it`: what is said where a value reads like the bound that it lies beyond; nothing where the texts differ.
#[must_use]
pub fn beyond<Q: Quantity>(seen: Q, bound: Q) -> String {
    told_beyond((seen.value() - bound.value()).abs(), Q::SYMBOL, seen.to_string() == bound.to_string())
}

/// The same of a distance in any unit, where the texts are known to be the same.
pub(crate) fn told_beyond(distance: f64, symbol: &str, read_the_same: bool) -> String {
    match symbol {
        _ if !read_the_same || distance.is_nan() => String::new(),
        "°C" | "K" => format!(", {:.3} K beyond it", distance.max(0.001)),
        "" => format!(", {:.4} %-points beyond it", (distance * 100.0).max(0.0001)),
        symbol => format!(", {} beyond it", with_prefix(distance, symbol)),
    }
}

fn scale(value: f64) -> (f64, &'static str) {
    const STEPS: [(&str, f64); 8] =
        [("p", 1e-12), ("n", 1e-9), ("µ", 1e-6), ("m", 1e-3), ("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9)];
    // 999.96 m would print as 1000 m, so the step is chosen on the rounded value.
    let magnitude = value.abs() * 1.00005;
    let step = STEPS.iter().rev().find(|(_, unit)| magnitude >= *unit).unwrap_or(&STEPS[0]);
    (value / step.1, step.0)
}

fn trim_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_of_a_bench_engineer_are_read_exactly() {
        let table: [(&str, f64); 8] = [
            ("500 mV", 0.5),
            ("24 V", 24.0),
            ("24V", 24.0),
            ("-1.5 V", -1.5),
            ("+2e-3 V", 2e-3),
            ("33 µV", 33e-6),
            ("33 uV", 33e-6),
            (" .5 kV ", 500.0),
        ];
        for (text, volts) in table {
            assert_eq!(text.parse::<Volts>(), Ok(Volts(volts)), "{text}");
        }
        assert_eq!("20 MHz".parse::<Hertz>(), Ok(Hertz(20e6)));
        // As scopes write a rate of samples.
        assert_eq!("100MSa/s".parse::<Hertz>(), Ok(Hertz(100e6)));
        assert_eq!("2.5 GS/s".parse::<Hertz>(), Ok(Hertz(2.5e9)));
        assert_eq!("120 mOhm".parse::<Ohms>(), Ok(Ohms(0.12)));
        assert_eq!("85 °C".parse::<Celsius>(), Ok(Celsius(85.0)));
    }

    #[test]
    fn a_wrong_unit_says_which_was_expected() {
        let told = |text: &str| text.parse::<Volts>().unwrap_err().to_string();
        insta::assert_snapshot!(
            [told("24"), told("24 A"), told("volt"), told("1 xV"), told("1e999 V")].join("\n"),
            @r"
        `24` is not a voltage: the unit V is missing; write for example `500 mV`
        `24 A` is not a voltage: the unit `A` is not V; write for example `500 mV`
        `volt` is not a voltage: there is no number in front; write for example `500 mV`
        `1 xV` is not a voltage: `x` is no SI prefix (p n u m k M G T); write for example `500 mV`
        `1e999 V` is not a voltage: the number is too large; write for example `500 mV`
        "
        );
    }

    #[test]
    fn quantities_print_with_a_prefix() {
        let printed: Vec<String> = [0.0, 0.0204, 0.99999, 5.0, 24.0, 122_070.0, -1.5, 999.96e-3, 2.5e-6]
            .iter()
            .map(|value| with_prefix(*value, "V"))
            .collect();
        assert_eq!(printed, ["0 V", "20.4 mV", "1 V", "5 V", "24 V", "122.1 kV", "-1.5 V", "1 V", "2.5 µV"]);
        assert_eq!(Celsius(41.24).to_string(), "41.2 °C");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
            let _ = text.parse::<Ohms>();
        }

        #[test]
        fn what_is_printed_is_read_back_within_four_digits(value in -1e9f64..1e9) {
            let back: Volts = Volts(value).to_string().parse().unwrap();
            prop_assert!((back.0 - value).abs() <= 1e-3 * value.abs() + 1e-15);
        }
    }
}
