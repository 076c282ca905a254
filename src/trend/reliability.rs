//! What hours and starts show of reliability, and no more.
//!
//! Hours: the chi-square bound of a test ended by time (IEC 60605-4; MIL-HDBK-781). Starts: the bound of Clopper and Pearson
//! (Biometrika 26, 404, 1934). Both are one-sided. The first stands and falls with a constant failure rate, the second with
//! starts that are independent and alike.

use super::{NoAnswer, check_confidence};
use crate::base::count::counted;
use crate::base::distribution::{beta_quantile, chi_square_quantile};

/// Failures in a time under test, all boards together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoardHours {
    /// Hours under test, summed over the boards; gaps are not in it.
    pub hours: f64,
    /// Failures in that time.
    pub failures: u32,
}

impl BoardHours {
    /// The MTBF that the test shows at least, in hours: 2 T / chi-square(C; 2 r + 2). Without failures it is T / -ln(1 - C).
    ///
    /// # Errors
    /// No time under test, or a confidence that is none.
    pub fn mtbf_at_least_h(&self, confidence: f64) -> Result<f64, NoAnswer> {
        check_confidence(confidence)?;
        if !(self.hours > 0.0 && self.hours.is_finite()) {
            return Err(NoAnswer::because("there is no time under test"));
        }
        chi_square_quantile(confidence, 2.0 * f64::from(self.failures) + 2.0)
            .map(|quantile| 2.0 * self.hours / quantile)
            .ok_or_else(|| NoAnswer::because("the bound cannot be computed"))
    }

    /// Hours under test that would show an MTBF with so many failures.
    ///
    /// # Errors
    /// A confidence that is none.
    pub fn hours_to_show(mtbf_h: f64, failures: u32, confidence: f64) -> Result<f64, NoAnswer> {
        Ok(mtbf_h / Self { hours: 1.0, failures }.mtbf_at_least_h(confidence)?)
    }

    /// The hours with three significant digits, as everywhere they are told.
    #[must_use]
    pub fn rounded_hours(&self) -> String {
        rounded(self.hours)
    }

    /// The statement for people. A failure is told also where there was no time that could bound anything.
    ///
    /// # Errors
    /// What [`Self::mtbf_at_least_h`] refuses, without a failure.
    pub fn sentence(&self, confidence: f64) -> Result<String, NoAnswer> {
        if self.hours == 0.0 && self.failures > 0 {
            let failed = counted(self.failures, "failure");
            return Ok(format!("{failed} before there was any time under test: no MTBF is shown."));
        }
        let mtbf_h = self.mtbf_at_least_h(confidence)?;
        // The next power of ten that is at least five times as much: what it would take to show more.
        let more_h = 10f64.powi((5.0 * mtbf_h).log10().ceil() as i32);
        Ok(format!(
            "{} in {} board-hours: with {} % confidence the MTBF is at least {} h, if the failure rate is constant. Early failures \
             and wear-out are not covered, and an MTBF is no service life. To show {more_h} h would take {} board-hours without a \
             failure.",
            counted(self.failures, "failure"),
            self.rounded_hours(),
            percent(confidence),
            rounded_down(mtbf_h),
            rounded_up(Self::hours_to_show(more_h, 0, confidence)?),
        ))
    }
}

/// Failed starts among power cycles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Starts {
    /// Starts tried and judged.
    pub starts: u32,
    /// Those that failed.
    pub failures: u32,
}

impl Starts {
    /// The probability that a start fails is at most this: the quantile of the beta distribution with r + 1 and n - r. Without
    /// failures it is 1 - (1 - C)^(1/n).
    ///
    /// # Errors
    /// No starts, more failures than starts, or a confidence that is none.
    pub fn failure_at_most(&self, confidence: f64) -> Result<f64, NoAnswer> {
        check_confidence(confidence)?;
        if self.starts == 0 || self.failures > self.starts {
            return Err(NoAnswer::because(format!(
                "{} of {} starts is not a count of failures",
                self.failures, self.starts
            )));
        }
        if self.failures == self.starts {
            return Ok(1.0);
        }
        if self.failures == 0 {
            return Ok(-((1.0 - confidence).ln() / f64::from(self.starts)).exp_m1());
        }
        beta_quantile(confidence, f64::from(self.failures) + 1.0, f64::from(self.starts - self.failures))
            .ok_or_else(|| NoAnswer::because("the bound cannot be computed"))
    }

    /// The statement for people.
    ///
    /// # Errors
    /// What [`Self::failure_at_most`] refuses.
    pub fn sentence(&self, confidence: f64) -> Result<String, NoAnswer> {
        let most = self.failure_at_most(confidence)?;
        Ok(format!(
            "{} in {}: with {} % confidence at most {} % of starts fail, if starts are independent and alike.",
            counted(self.failures, "failure"),
            counted(self.starts, "start"),
            percent(confidence),
            rounded_up(100.0 * most),
        ))
    }
}

fn percent(part: f64) -> f64 {
    (part * 1e4).round() / 100.0
}

/// Three significant digits, rounded by `how`, so that a bound is never told better than it is.
fn significant(value: f64, how: fn(f64) -> f64) -> String {
    if value <= 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = value.log10().floor() as i32 - 2;
    if digits >= 0 {
        let unit = 10f64.powi(digits);
        return format!("{}", how(value / unit) * unit);
    }
    let unit = 10f64.powi(-digits);
    // What is a whole number of units but for the last bits of its computation is that number.
    let scaled = value * unit;
    let whole = if (scaled - scaled.round()).abs() < 1e-9 * scaled { scaled.round() } else { how(scaled) };
    format!("{}", whole / unit)
}

fn rounded(value: f64) -> String {
    if value >= 100.0 { format!("{}", value.round()) } else { significant(value, f64::round) }
}

fn rounded_down(value: f64) -> String {
    significant(value, f64::floor)
}

fn rounded_up(value: f64) -> String {
    significant(value, f64::ceil)
}
