//! Estimates in words: with the digits that their intervals deserve, and no more.

use std::time::Duration;

use crate::base::span::render_span;
use crate::trend::{Estimate, Outlook, Projection, Reach};

/// `+12.3 mV (10.1 to 14.5)`: the value with a sign, the interval in the same unit. A ratio is told in percentage points.
#[must_use]
pub fn change(estimate: Estimate, unit: &str) -> String {
    let (factor, symbol) = prefix(estimate, unit);
    let scaled = estimate.scaled(factor);
    let decimals = decimals(scaled);
    let number = |value: f64| signed(value, decimals);
    format!("{} {symbol} ({} to {})", number(scaled.value), number(scaled.low), number(scaled.high))
}

/// The same of the levels at start and end, without sign and interval: in one unit, with as many decimals as the one that is
/// less well known bears.
#[must_use]
pub fn levels(start: Estimate, end: Estimate, unit: &str) -> [String; 2] {
    let largest = start.value.abs().max(end.value.abs());
    let (factor, symbol) = match unit {
        "" => (100.0, "%".to_owned()),
        "°C" => (1.0, unit.to_owned()),
        _ => prefix(Estimate::around(largest, 0.0, start.confidence), unit),
    };
    let decimals = decimals(start.scaled(factor)).min(decimals(end.scaled(factor))).min(5);
    [start, end].map(|level| format!("{:.decimals$} {symbol}", level.value * factor).replace('-', "−"))
}

/// Whether the interval leaves zero out.
#[must_use]
pub fn is_sure(estimate: Estimate) -> bool {
    !estimate.holds(0.0)
}

/// When a limit is reached, for a reader who is at `now_s`. No time behind `farthest_s` is told: so few hours do not show years.
#[must_use]
pub fn reach(reach: Reach, (now_s, farthest_s): (f64, f64)) -> String {
    let after = |at_s: f64| long_span((at_s.min(farthest_s) - now_s).max(0.0));
    let late = |at_s: f64| if at_s > farthest_s { "later than " } else { "" };
    match reach {
        Reach::Already => "passed now".to_owned(),
        Reach::Between { early_s, .. } if early_s > farthest_s => format!("not within {}", after(early_s)),
        Reach::Between { early_s, late_s } => {
            format!("in {} to {}{}", after(early_s), late(late_s), after(late_s))
        }
        Reach::Never => "not as long as it goes on like this".to_owned(),
        Reach::NotForeseeable { not_before_s: Some(at_s) } => {
            format!("not foreseeable; not within {}", after(at_s))
        }
        Reach::NotForeseeable { not_before_s: None } => "not foreseeable: it may be passed now".to_owned(),
    }
}

/// When the nearer of the bounds is reached.
#[must_use]
pub fn reaches(projection: &Projection, ends_s: (f64, f64)) -> String {
    let told = |side: &str, of: Option<Reach>| of.map(|of| format!("{side} {}", reach(of, ends_s)));
    match (told("lower:", projection.min), told("upper:", projection.max)) {
        (Some(min), Some(max)) => format!("{min}; {max}"),
        (Some(only), None) | (None, Some(only)) => {
            only.split_once(": ").map_or(only.clone(), |(_, rest)| rest.to_owned())
        }
        (None, None) => String::new(),
    }
}

/// One word.
#[must_use]
pub const fn outlook(outlook: Outlook) -> &'static str {
    match outlook {
        Outlook::Pass => "pass",
        Outlook::Marginal => "marginal",
        Outlook::Fail => "fail",
        Outlook::Undecided => "undecided",
    }
}

/// Two significant digits of days, months or years; hours as everywhere.
#[must_use]
pub fn long_span(seconds: f64) -> String {
    const DAY: f64 = 86_400.0;
    const YEAR: f64 = 365.25 * DAY;
    if seconds >= YEAR {
        format!("{:.1} years", seconds / YEAR)
    } else if seconds >= 3.0 * DAY {
        format!("{:.0} days", seconds / DAY)
    } else {
        render_span(Duration::from_secs_f64(seconds.clamp(0.0, 1e9)))
    }
}

/// Three significant digits: what was set, from what was measured. Under a thousandth it was zero.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    if !value.is_finite() {
        return value;
    }
    if value.abs() < 1e-3 {
        return 0.0;
    }
    let unit = 10f64.powi(2 - value.abs().log10().floor() as i32);
    (value * unit).round() / unit
}

fn prefix(estimate: Estimate, unit: &str) -> (f64, String) {
    if unit.is_empty() {
        return (100.0, "%-points".to_owned());
    }
    // Temperatures are in °C, their changes in kelvin.
    if unit == "K" || unit == "°C" {
        return (1.0, "K".to_owned());
    }
    let largest =
        [estimate.value, estimate.low, estimate.high].iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    const STEPS: [(f64, &str); 4] = [(1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n")];
    let step = STEPS.iter().find(|(size, _)| largest >= *size).unwrap_or(&STEPS[3]);
    (1.0 / step.0, format!("{}{unit}", step.1))
}

/// So many decimals that the interval's half width has two digits.
fn decimals(estimate: Estimate) -> usize {
    let half = (estimate.high - estimate.low) / 2.0;
    if half > 0.0 && half.is_finite() { (1.0 - half.log10().floor()).clamp(0.0, 6.0) as usize } else { 3 }
}

fn signed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    if text.chars().all(|c| matches!(c, '0' | '.')) {
        text
    } else if value < 0.0 {
        format!("−{text}")
    } else {
        format!("+{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_the_digits_of_its_interval() {
        let of = |value: f64, reach: f64| Estimate {
            value,
            low: value - reach,
            high: value + reach,
            confidence: 0.95,
        };
        assert_eq!(change(of(1.2345e-3, 0.2e-3), "V"), "+1.23 mV (+1.03 to +1.43)");
        assert_eq!(change(of(-0.00123, 0.0004), ""), "−0.123 %-points (−0.163 to −0.083)");
        assert_eq!(change(of(0.0, 3.0), "K"), "0.0 K (−3.0 to +3.0)");
        let told = |start, end, unit| levels(start, end, unit).join(" → ");
        assert_eq!(told(of(4.908_12, 0.000_2), of(4.908_13, 0.000_3), "V"), "4.90812 V → 4.90813 V");
        assert_eq!(told(of(34.567, 0.2), of(34.567, 2.0), "°C"), "34.6 °C → 34.6 °C");
        assert_eq!(told(of(0.999, 0.001), of(1.002, 0.001), "V"), "0.9990 V → 1.0020 V");
    }

    #[test]
    fn a_limit_that_cannot_be_foreseen_is_told_so() {
        let far = (0.0, 1e10);
        let told = reach(Reach::NotForeseeable { not_before_s: Some(90_000.0) }, (3600.0, 1e10));
        assert_eq!(told, "not foreseeable; not within 1 d");
        assert_eq!(reach(Reach::Between { early_s: 1e6, late_s: 1e9 }, far), "in 12 days to 31.7 years");
        assert_eq!(reach(Reach::Already, far), "passed now");
    }

    #[test]
    fn no_time_is_told_that_lies_farther_than_the_hours_can_show() {
        let near = (3600.0, 90_000.0);
        let table = [
            (Reach::Between { early_s: 7200.0, late_s: 1e9 }, "in 1 h to later than 1 d"),
            (Reach::Between { early_s: 1e8, late_s: 1e9 }, "not within 1 d"),
            (Reach::NotForeseeable { not_before_s: Some(3e8) }, "not foreseeable; not within 1 d"),
        ];
        for (reached, told) in table {
            assert_eq!(reach(reached, near), told);
        }
    }
}
