//! What hours and days of readings show, and what they do not: steady state, drift, steps, stability, the time until a limit.
//!
//! Pure: readings and times go in, statements with intervals come out. Definitions, sources and traps: `docs/trends.md`.

pub mod allan;
mod blocks;
pub mod change;
pub mod criterion;
pub mod distribution;
pub mod drift;
pub mod early;
pub mod envelope;
pub mod histogram;
pub mod hourly;
pub mod means;
pub mod projection;
pub mod reliability;
pub mod steady;

#[cfg(test)]
mod tests;

pub use allan::{AllanPoint, Averaging, allan};
pub use change::{Change, ChangeSettings, Changes, changes};
pub use criterion::{CRITERIA, Criterion, CriterionError, Form};
pub use drift::{Difference, Drift, DriftSettings, Line, drift, start_against_end};
pub use early::{Early, Look, judge_early};
pub use envelope::{Column, Envelope};
pub use histogram::Histogram;
pub use hourly::{Hourly, IntervalStats};
pub use means::{Grid, Means};
pub use projection::{Bounds, Outlook, Projection, Reach, project};
pub use reliability::{BoardHours, Starts};
pub use steady::{On, Shortfall, Steadiness, SteadyJudge, Temperatures, Why};

/// Why there is no answer, in words. It is never replaced by a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(pub String);

impl NoAnswer {
    fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// One reading: seconds since the start of the run, and a value in its own unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Seconds since the start of the run, on a clock that does not step.
    pub at_s: f64,
    /// The value.
    pub value: f64,
}

impl Reading {
    /// Whether both numbers are finite.
    fn is_finite(&self) -> bool {
        self.at_s.is_finite() && self.value.is_finite()
    }
}

/// An estimate with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The best single number.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// How often such an interval holds the true value, e.g. 0.95.
    pub confidence: f64,
}

impl Estimate {
    /// An estimate with the same reach to both sides.
    fn around(value: f64, reach: f64, confidence: f64) -> Self {
        Self { value, low: value - reach, high: value + reach, confidence }
    }
    /// The same in another unit. A negative factor turns the ends round.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let (a, b) = (self.low * factor, self.high * factor);
        Self { value: self.value * factor, low: a.min(b), high: a.max(b), confidence: self.confidence }
    }
    /// Whether the interval holds the number.
    #[must_use]
    pub fn holds(&self, number: f64) -> bool {
        self.low <= number && number <= self.high
    }
}

/// Refuses what is no confidence: it stands between 0.5 and 1, both left out.
fn check_confidence(confidence: f64) -> Result<(), NoAnswer> {
    if confidence > 0.5 && confidence < 1.0 {
        Ok(())
    } else {
        Err(NoAnswer::because(format!(
            "a confidence of {confidence} is none: give a part between 0.5 and 1, e.g. 0.95"
        )))
    }
}
