//! Settings of length: `"1 d 12 h"`, `"2h 30m"`, `"90 s"`, `"200 ms"`, kept as [`Duration`].

use std::time::Duration;

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a length of time: {reason}; write for example `1 d 12 h` or `200 ms`")]
pub struct SpanError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

const UNITS: [(&str, u64); 14] = [
    ("d", 86_400_000_000_000),
    ("day", 86_400_000_000_000),
    ("days", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ns", 1),
    ("hours", 3_600_000_000_000),
    ("hour", 3_600_000_000_000),
];

/// Reads a sum of numbers with units. Every number needs a unit; the sum ends at about 584 years.
///
/// # Errors
/// A text without a number, with an unknown unit, or too large.
pub fn parse_span(text: &str) -> Result<Duration, SpanError> {
    let fault = |reason: String| SpanError { text: text.chars().take(80).collect(), reason };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(fault("it is empty".to_owned()));
    }
    let mut total_ns: u64 = 0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let number: f64 =
            rest[..number_end].parse().map_err(|_| fault(format!("no number in front of `{rest}`")))?;
        rest = rest[number_end..].trim_start();
        let unit_end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let unit = &rest[..unit_end];
        if unit.is_empty() {
            return Err(fault(format!("the number {number} has no unit (d h min s ms us ns)")));
        }
        let (_, unit_ns) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(|| fault(format!("`{unit}` is no unit of time (d h min s ms us ns)")))?;
        let part_ns = number * *unit_ns as f64;
        if part_ns >= u64::MAX as f64 {
            return Err(fault("it is too long".to_owned()));
        }
        total_ns =
            total_ns.checked_add(part_ns.round() as u64).ok_or_else(|| fault("it is too long".to_owned()))?;
        rest = rest[unit_end..].trim_start();
    }
    Ok(Duration::from_nanos(total_ns))
}

/// A length as people write it: the two largest units that are not zero, e.g. `1 d 12 h`, `2 min 5 s`, `350 ms`.
#[must_use]
pub fn render_span(span: Duration) -> String {
    if span < Duration::from_secs(1) {
        return crate::base::units::with_prefix(span.as_secs_f64(), "s");
    }
    if span < Duration::from_secs(60) {
        let tenths = (span.as_secs_f64() * 10.0).round() / 10.0;
        return format!("{tenths} s");
    }
    let whole = span.as_secs();
    let parts =
        [(whole / 86_400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "min"), (whole % 60, "s")];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let shown: Vec<String> = parts[first..]
        .iter()
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    shown.join(" ")
}

/// A length with every unit that it has, so that it can be read back as it was: `1 d 3 h 25 min 7 s`, `1 min 0.25 s`, `0 s`.
#[must_use]
pub fn render_span_exactly(span: Duration) -> String {
    let (whole, nanos) = (span.as_secs(), span.subsec_nanos());
    if whole == 0 && nanos > 0 && nanos.is_multiple_of(1_000_000) {
        return format!("{} ms", nanos / 1_000_000);
    }
    let parts = [(whole / 86_400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "min")];
    let mut shown: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    let seconds = whole % 60;
    if nanos > 0 {
        let fraction = format!("{nanos:09}");
        shown.push(format!("{seconds}.{} s", fraction.trim_end_matches('0')));
    } else if seconds > 0 || shown.is_empty() {
        shown.push(format!("{seconds} s"));
    }
    shown.join(" ")
}

/// How long after a begin something happened: to the second from a minute on, however many days have gone.
#[must_use]
pub fn render_elapsed(span: Duration) -> String {
    if span < Duration::from_secs(60) {
        return render_span(span);
    }
    render_span_exactly(Duration::from_secs(span.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_read_and_written_as_people_write_them() {
        let table: [(&str, Duration, &str); 8] = [
            ("1 d 12 h", Duration::from_secs(129_600), "1 d 12 h"),
            ("2h 30m", Duration::from_secs(9000), "2 h 30 min"),
            ("90 s", Duration::from_secs(90), "1 min 30 s"),
            ("200 ms", Duration::from_millis(200), "200 ms"),
            ("0.5 s", Duration::from_millis(500), "500 ms"),
            ("20us", Duration::from_micros(20), "20 µs"),
            ("2.5 s", Duration::from_millis(2500), "2.5 s"),
            ("1 h", Duration::from_secs(3600), "1 h"),
        ];
        for (text, span, shown) in table {
            assert_eq!(parse_span(text), Ok(span), "{text}");
            assert_eq!(render_span(span), shown);
        }
    }

    #[test]
    fn a_length_that_is_told_exactly_keeps_all_its_units() {
        let told = |ms| render_span_exactly(Duration::from_millis(ms));
        assert_eq!(told(98_707_000), "1 d 3 h 25 min 7 s");
        assert_eq!(told(86_407_000), "1 d 7 s");
        assert_eq!([told(0), told(200), told(60_250)], ["0 s", "200 ms", "1 min 0.25 s"]);
        let elapsed = |ms| render_elapsed(Duration::from_millis(ms));
        assert_eq!([elapsed(86_407_900), elapsed(12_340)], ["1 d 7 s", "12.3 s"]);
    }

    #[test]
    fn what_is_no_length_says_why() {
        let told: Vec<String> =
            ["", "5", "h", "3 fortnights", "99999999999 d"].map(|t| parse_span(t).unwrap_err().reason).into();
        assert_eq!(
            told,
            [
                "it is empty",
                "the number 5 has no unit (d h min s ms us ns)",
                "no number in front of `h`",
                "`fortnights` is no unit of time (d h min s ms us ns)",
                "it is too long"
            ]
        );
    }

    proptest! {
        #[test]
        fn a_length_that_is_told_exactly_is_read_back_as_it_was(ns in 0u64..1 << 52) {
            let span = Duration::from_nanos(ns);
            prop_assert_eq!(parse_span(&render_span_exactly(span)), Ok(span));
        }
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = parse_span(&text);
        }
    }
}
