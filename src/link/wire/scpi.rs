//! The values of a SCPI answer: numbers, booleans, strings and lists, in the spellings makers really use.

use std::borrow::Cow;
use std::fmt;

use super::WireError;

/// A number as SCPI sends it: 9.9E37 stands for infinite and 9.91E37 for "not a number" (SCPI-99, 7.2.1.4 and 7.2.1.5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A number one can calculate with.
    Finite(f64),
    /// 9.9E37, `INF`, or a number too large for the machine.
    Infinite {
        /// Minus infinite.
        negative: bool,
    },
    /// 9.91E37 or `NAN`: the instrument has no value, for example a frequency of a flat line.
    NotANumber,
}

const INFINITE: f64 = 9.9e37;
const NOT_A_NUMBER: f64 = 9.91e37;

impl Number {
    /// Reads NR1, NR2 or NR3 (`5`, `+5.0`, `.5`, `5.0E+00`), nothing after it.
    ///
    /// # Errors
    /// The text is no number.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let trimmed = text.trim();
        match split_number(trimmed) {
            Some((number, "")) => Ok(number),
            _ => Err(WireError::new("a number", text)),
        }
    }

    /// Reads a number that may be followed by `unit`, with or without a prefix: `12.00V`, `500 mV`, `1.00GSa/s`. `M` is
    /// milli, but mega before `Hz` and `Ohm`, as IEEE 488.2 has it; `MA` is mega.
    ///
    /// # Errors
    /// The text is no number, or another unit follows.
    pub fn parse_with_unit(text: &str, unit: &str) -> Result<Self, WireError> {
        let fault = || WireError::new(format!("a number, perhaps in {unit}"), text);
        let (number, suffix) = split_number(text.trim()).ok_or_else(fault)?;
        let suffix = suffix.trim();
        if suffix.is_empty() {
            return Ok(number);
        }
        let factor = unit_factor(suffix, unit).ok_or_else(fault)?;
        Ok(match number {
            Self::Finite(value) => Self::Finite(value * factor),
            other => other,
        })
    }

    /// The value, if one can calculate with it.
    #[must_use]
    pub fn finite(self) -> Option<f64> {
        match self {
            Self::Finite(value) => Some(value),
            Self::Infinite { .. } | Self::NotANumber => None,
        }
    }

    fn from_value(value: f64) -> Self {
        let near = |mark: f64| (value.abs() / mark - 1.0).abs() < 1e-5;
        if near(NOT_A_NUMBER) {
            Self::NotANumber
        } else if near(INFINITE) || value.abs() > INFINITE {
            Self::Infinite { negative: value < 0.0 }
        } else {
            Self::Finite(value)
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finite(value) => write!(f, "{value}"),
            Self::Infinite { negative: false } => f.write_str("9.9E37"),
            Self::Infinite { negative: true } => f.write_str("-9.9E37"),
            Self::NotANumber => f.write_str("9.91E37"),
        }
    }
}

/// A number one can calculate with; infinite and "not a number" are errors that say which of them it was.
///
/// # Errors
/// The text is no number, or stands for infinite or "not a number".
pub fn parse_finite(text: &str) -> Result<f64, WireError> {
    match Number::parse(text)? {
        Number::Finite(value) => Ok(value),
        Number::Infinite { .. } => {
            Err(WireError::new("a finite number (9.9E37 means infinite or overload)", text))
        }
        Number::NotANumber => Err(WireError::new("a number (9.91E37 means that there is no value)", text)),
    }
}

/// A whole number: NR1, a whole NR2 or NR3 (`1.000000e+01`), or `#H1F`, `#Q17`, `#B101`, `0x1F`.
///
/// # Errors
/// The text is no whole number or does not fit 64 bits.
pub fn parse_integer(text: &str) -> Result<i64, WireError> {
    let fault = || WireError::new("a whole number", text);
    let trimmed = text.trim();
    let prefix = trimmed.get(..2).unwrap_or_default().to_ascii_uppercase();
    let radix = match prefix.as_str() {
        "#H" | "0X" => 16,
        "#Q" => 8,
        "#B" => 2,
        _ => 10,
    };
    if radix != 10 {
        let digits = trimmed.get(2..).unwrap_or_default();
        return if digits.starts_with(['+', '-']) {
            Err(fault())
        } else {
            i64::from_str_radix(digits, radix).map_err(|_| fault())
        };
    }
    if let Ok(whole) = trimmed.parse::<i64>() {
        return Ok(whole);
    }
    // 2^53: beyond it a float no longer holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match Number::parse(trimmed).ok().and_then(Number::finite) {
        Some(value) if value.fract() == 0.0 && value.abs() <= EXACT => Ok(value as i64),
        _ => Err(fault()),
    }
}

/// A boolean in any spelling: `1`/`0`, `+1`, `1.0`, `ON`/`OFF`, `YES`/`NO`, `TRUE`/`FALSE`, in any case.
///
/// # Errors
/// The text is none of them.
pub fn parse_bool(text: &str) -> Result<bool, WireError> {
    let trimmed = text.trim();
    let is_any = |words: [&str; 3]| words.iter().any(|word| trimmed.eq_ignore_ascii_case(word));
    if is_any(["ON", "YES", "TRUE"]) {
        return Ok(true);
    }
    if is_any(["OFF", "NO", "FALSE"]) {
        return Ok(false);
    }
    match Number::parse(trimmed).ok().and_then(Number::finite) {
        Some(1.0) => Ok(true),
        Some(0.0) => Ok(false),
        _ => Err(WireError::new("a boolean (1/0, ON/OFF, YES/NO, TRUE/FALSE)", text)),
    }
}

/// A quoted string without its quotes; a doubled quote inside stands for one.
///
/// # Errors
/// The text is not wholly one quoted string.
pub fn parse_string(text: &str) -> Result<Cow<'_, str>, WireError> {
    let fault = || WireError::new("a quoted string", text);
    let trimmed = text.trim();
    let quote = trimmed.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or_else(fault)?;
    let inner = trimmed.get(1..).and_then(|rest| rest.strip_suffix(quote)).ok_or_else(fault)?;
    if !inner.contains(quote) {
        return Ok(Cow::Borrowed(inner));
    }
    let doubled: String = [quote, quote].iter().collect();
    let undoubled = inner.replace(&doubled, "\u{0}");
    if undoubled.contains(quote) || inner.contains('\u{0}') {
        return Err(fault());
    }
    Ok(Cow::Owned(undoubled.replace('\u{0}', &quote.to_string())))
}

/// The parts of a comma list, trimmed; commas inside quotes and parentheses do not separate. An empty text has no parts.
#[must_use]
pub fn split_list(text: &str) -> Vec<&str> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let mut parts = Vec::new();
    let (mut start, mut open_quote, mut depth) = (0, None, 0_u32);
    // Just behind a closing quote the same quote again stands for a quote inside the string.
    let mut closed = None;
    for (at, byte) in text.bytes().enumerate() {
        let reopens = closed.take() == Some(byte);
        match (open_quote, byte) {
            (Some(quote), _) if byte == quote => (open_quote, closed) = (None, Some(quote)),
            (Some(_), _) => {}
            (None, _) if reopens => open_quote = Some(byte),
            // A quote opens a string only where a part begins, so that an apostrophe in plain text does not.
            (None, b'"' | b'\'') if text[start..at].trim().is_empty() => open_quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') => depth = depth.saturating_sub(1),
            (None, b',') if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// The number a text begins with and what follows it.
fn split_number(text: &str) -> Option<(Number, &str)> {
    if let Some(word) = special_word(text) {
        return Some((word, ""));
    }
    let bytes = text.as_bytes();
    let digits_from = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits_from(end);
    end += whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits_from(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = bytes.get(end + 1 + sign..).map_or(0, |_| digits_from(end + 1 + sign));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    // The grammar was checked by hand because `parse` also takes words such as `inf`.
    let value: f64 = text[..end].parse().ok()?;
    Some((Number::from_value(value), &text[end..]))
}

fn special_word(text: &str) -> Option<Number> {
    // Nearly everything that is read is a plain number.
    if !text.trim_start_matches(['+', '-']).starts_with(['I', 'i', 'N', 'n']) {
        return None;
    }
    let word = text.to_ascii_uppercase();
    match word.as_str() {
        "INF" | "+INF" | "INFINITY" | "+INFINITY" => Some(Number::Infinite { negative: false }),
        "-INF" | "NINF" | "-INFINITY" => Some(Number::Infinite { negative: true }),
        "NAN" => Some(Number::NotANumber),
        _ => None,
    }
}

/// The factor of a suffix that ends with `unit`, `None` if it is another unit.
fn unit_factor(suffix: &str, unit: &str) -> Option<f64> {
    let (suffix, unit) = (suffix.to_ascii_uppercase(), unit.to_ascii_uppercase());
    let mega_unit = matches!(unit.as_str(), "HZ" | "OHM" | "SA/S");
    match suffix.strip_suffix(unit.as_str())? {
        "" => Some(1.0),
        "P" => Some(1e-12),
        "N" => Some(1e-9),
        "U" | "µ" | "Μ" => Some(1e-6),
        "M" if mega_unit => Some(1e6),
        "M" => Some(1e-3),
        "K" => Some(1e3),
        "MA" => Some(1e6),
        "G" => Some(1e9),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_in_every_form_scpi_knows() {
        let table = [
            ("5", 5.0),
            ("+5", 5.0),
            ("-0.25", -0.25),
            (".5", 0.5),
            ("5.", 5.0),
            ("5.00000000E+00", 5.0),
            ("1.000000e-06", 1e-6),
            (" 11.999800 ", 11.9998),
            ("-1.5E-3", -1.5e-3),
        ];
        for (text, value) in table {
            assert_eq!(Number::parse(text), Ok(Number::Finite(value)), "{text}");
        }
        for text in
            ["", " ", "+", ".", "E5", "5E", "5 V", "1,2", "0x10", "--5", "5e+", "infinitely", "5\n6", "٣"]
        {
            assert!(Number::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_marks_for_infinite_and_for_no_value_are_not_numbers_one_could_report() {
        let table = [
            ("9.9E37", Number::Infinite { negative: false }),
            ("+9.90000000E+37", Number::Infinite { negative: false }),
            ("9.9e37", Number::Infinite { negative: false }),
            ("-9.9E+37", Number::Infinite { negative: true }),
            ("1e400", Number::Infinite { negative: false }),
            ("9.91E+37", Number::NotANumber),
            ("9.9100000e37", Number::NotANumber),
            ("NAN", Number::NotANumber),
            ("INF", Number::Infinite { negative: false }),
            ("9.8E37", Number::Finite(9.8e37)),
        ];
        for (text, number) in table {
            assert_eq!(Number::parse(text), Ok(number), "{text}");
        }
        let message = parse_finite("9.91E37").unwrap_err().to_string();
        insta::assert_snapshot!(message, @"wanted a number (9.91E37 means that there is no value), got `9.91E37`");
    }

    #[test]
    fn a_unit_is_tolerated_only_where_it_was_asked_for() {
        let table = [
            ("12.00V", "V", 12.0),
            ("500 mV", "V", 0.5),
            ("1.00GSa/s", "Sa/s", 1e9),
            ("20MHz", "Hz", 20e6),
            ("20MA", "A", 0.02),
            ("3", "A", 3.0),
        ];
        for (text, unit, value) in table {
            assert_eq!(Number::parse_with_unit(text, unit), Ok(Number::Finite(value)), "{text}");
        }
        assert!(Number::parse("12.00V").is_err());
        assert!(Number::parse_with_unit("12.00A", "V").is_err());
    }

    #[test]
    fn whole_numbers_come_in_four_radices() {
        let table = [
            ("+2", 2),
            ("-113", -113),
            ("1.2E+03", 1200),
            ("#H1F", 31),
            ("0x0014", 20),
            ("#Q17", 15),
            ("#b101", 5),
        ];
        for (text, whole) in table {
            assert_eq!(parse_integer(text), Ok(whole), "{text}");
        }
        for text in ["1.5", "", "#H", "#H-1", "1e99", "9.9E37", "99999999999999999999"] {
            assert!(parse_integer(text).is_err(), "{text}");
        }
    }

    #[test]
    fn booleans_are_read_in_every_spelling() {
        for text in ["1", "ON", "on", "YES", "True", "+1", "1.0", " 1\r"] {
            assert_eq!(parse_bool(text), Ok(true), "{text}");
        }
        for text in ["0", "OFF", "no", "FALSE", "+0", "-0"] {
            assert_eq!(parse_bool(text), Ok(false), "{text}");
        }
        for text in ["", "2", "O", "ONE", "-1", "NONE", "9.9E37"] {
            assert!(parse_bool(text).is_err(), "{text}");
        }
    }

    #[test]
    fn strings_lose_their_quotes_and_nothing_else() {
        assert_eq!(parse_string("\"No error\"").unwrap(), "No error");
        assert_eq!(parse_string("'say \"hi\"'").unwrap(), "say \"hi\"");
        assert_eq!(parse_string("\"a\"\"b\"").unwrap(), "a\"b");
        assert_eq!(parse_string("\"\"").unwrap(), "");
        for text in ["", "\"", "abc", "\"a\" b", "\"a\"b\"", "\"a'", "\"\"\""] {
            assert!(parse_string(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_comma_inside_quotes_or_parentheses_does_not_separate() {
        assert_eq!(split_list("CH1:30V/3A,5.000, 1.0000"), ["CH1:30V/3A", "5.000", "1.0000"]);
        assert_eq!(split_list("-222,\"Data out of range, VOLT\""), ["-222", "\"Data out of range, VOLT\""]);
        assert_eq!(split_list("1,(@1,2),3"), ["1", "(@1,2)", "3"]);
        assert_eq!(split_list("don't,stop"), ["don't", "stop"]);
        assert_eq!(split_list("a,,"), ["a", "", ""]);
        assert!(split_list("  ").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in "\\PC{0,40}|[-+0-9.eE#HxVmA\"',() ]{0,24}") {
            let _ = Number::parse(&text);
            let _ = Number::parse_with_unit(&text, "V");
            let _ = parse_integer(&text);
            let _ = parse_bool(&text);
            let _ = parse_string(&text);
            let _ = split_list(&text);
        }

        #[test]
        fn every_finite_number_survives_the_wire(value in -9.8e37..9.8e37_f64) {
            for text in [format!("{value}"), format!("{value:e}"), format!("{value:+E}")] {
                prop_assert_eq!(Number::parse(&text), Ok(Number::Finite(value)), "{}", text);
            }
        }

        #[test]
        fn every_string_survives_quoting(text in "[^\\x00]{0,40}") {
            let quoted = format!("\"{}\"", text.replace('"', "\"\""));
            prop_assert_eq!(parse_string(&quoted).unwrap(), text.as_str());
            let list = format!("{quoted},{quoted}");
            prop_assert_eq!(split_list(&list), vec![quoted.as_str(), quoted.as_str()]);
        }
    }
}
