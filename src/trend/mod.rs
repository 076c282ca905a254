//! What hours and days of readings show, and what they do not: steady state, drift, steps, stability, the time until a limit.
//!
//! Pure: readings and times go in, statements with intervals come out. Definitions, sources and traps: `docs/trends.md`.

pub mod allan;
mod blocks;
pub mod change;
pub mod criterion;
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

pub use crate::base::estimate::{Estimate, NoAnswer};
pub use allan::{AllanPoint, Averaging, allan};
pub use change::{Change, ChangeSettings, Changes, changes};
pub use criterion::{CRITERIA, Criterion, CriterionError, Form};
pub use drift::{Difference, Drift, DriftSettings, Line, drift, start_against_end};
pub use early::{Early, Look, judge_early};
pub use envelope::{Column, Envelope};
pub use histogram::Histogram;
pub use hourly::{Hourly, IntervalStats};
pub use means::{Grid, Means, Steps};
pub use projection::{Bounds, Outlook, Projection, Reach, project};
pub use reliability::{BoardHours, Starts};
pub use steady::{On, Shortfall, Steadiness, SteadyJudge, Temperatures, Why};

use crate::base::estimate::check_confidence;

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
