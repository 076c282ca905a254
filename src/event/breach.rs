//! Limits held against the readings of a soak, and the first breach of each.

use std::time::Duration;

use super::limit::{Limit, Outcome};
use super::soak::{DwellId, Reading};
use super::{PointId, Setting};
use crate::base::clock::Instant;
use crate::base::units::told_beyond;

/// Where a limit was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenAt {
    /// At a point.
    Point(PointId),
    /// In a reading of a dwell.
    Dwell(DwellId),
}

/// A limit was broken for the first time in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitBroken {
    /// Place of the limit in the profile, from 0.
    pub limit: usize,
    /// Where.
    pub at: BrokenAt,
    /// Which limit, by which value, at which setting.
    pub what: String,
}

impl LimitBroken {
    /// The first breach of the limit at that place.
    #[must_use]
    pub fn of(limit: (usize, &Limit), value: f64, setting: Setting, at: BrokenAt) -> Self {
        let (place, limit) = limit;
        let within = match at {
            BrokenAt::Point(point) => format!("at point {}", point.0),
            BrokenAt::Dwell(dwell) => format!("in a reading of dwell {}", dwell.0),
        };
        let bound = limit.min.filter(|min| value < *min).or(limit.max).unwrap_or(f64::NAN);
        let reads_the_same = limit.figure.show(value) == limit.figure.show(bound);
        let beyond = told_beyond((value - bound).abs(), limit.figure.unit(), reads_the_same);
        let what = format!(
            "limit `{}` ({}) is broken: {} {}{beyond}, at {}, {}, {within}",
            limit.name,
            limit.bounds(),
            limit.figure.title(),
            limit.figure.show(value),
            setting.vin,
            setting.load
        );
        Self { limit: place, at, what }
    }
}

/// What came of one limit in readings of a dwell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReadingCheck {
    /// Place of the limit in the profile, from 0.
    pub limit: usize,
    /// Readings that were held against it.
    pub judged: u64,
    /// Of these, those inside, but near a bound.
    pub marginal: u64,
    /// Those outside.
    pub failed: u64,
    /// The value with the least room to a bound, or farthest beyond it.
    pub worst: f64,
    /// The first reading outside.
    pub first: Option<Instant>,
}

/// What came of the limits in readings of a dwell; a dwell that was interrupted is told in parts.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadingsJudged {
    /// The dwell.
    pub dwell: DwellId,
    /// What was set.
    pub setting: Setting,
    /// The limits that apply there and whose figure a reading tells, as far as it was read.
    pub checks: Vec<ReadingCheck>,
}

impl ReadingsJudged {
    /// Nothing judged yet.
    #[must_use]
    pub const fn new(dwell: DwellId, setting: Setting) -> Self {
        Self { dwell, setting, checks: Vec::new() }
    }

    /// Holds a reading against the limits; the values that break one, by the place of the limit.
    pub fn take(&mut self, limits: &[Limit], reading: &Reading) -> Vec<(usize, f64)> {
        let mut broken = Vec::new();
        for (place, limit) in limits.iter().enumerate() {
            let Some(value) = reading.figure(limit.figure).filter(|value| value.is_finite()) else {
                continue;
            };
            if !limit.condition.holds(self.setting) {
                continue;
            }
            let outcome = limit.judge(value);
            let check = self.check(place, value);
            check.judged += 1;
            check.marginal += u64::from(matches!(outcome, Outcome::Marginal(_)));
            if limit.room(value) < limit.room(check.worst) {
                check.worst = value;
            }
            if matches!(outcome, Outcome::Fail(_)) {
                check.failed += 1;
                check.first.get_or_insert(reading.at);
                broken.push((place, value));
            }
        }
        broken
    }

    /// The same by a clock that is ahead by so much.
    #[must_use]
    pub fn later(mut self, by: Duration) -> Self {
        for check in &mut self.checks {
            check.first = check.first.map(|first| first + by);
        }
        self
    }

    fn check(&mut self, limit: usize, value: f64) -> &mut ReadingCheck {
        let place = self.checks.iter().position(|check| check.limit == limit).unwrap_or_else(|| {
            let new = ReadingCheck { limit, judged: 0, marginal: 0, failed: 0, worst: value, first: None };
            self.checks.push(new);
            self.checks.len() - 1
        });
        &mut self.checks[place]
    }

    /// How many times a reading was held against a limit.
    #[must_use]
    pub fn judged(&self) -> u64 {
        self.checks.iter().map(|check| check.judged).sum()
    }

    /// How many times a reading broke a limit.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.checks.iter().map(|check| check.failed).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::{Condition, FigureName};

    fn limit(figure: FigureName, max: f64) -> Limit {
        let condition = Condition::default();
        Limit { name: "l".to_owned(), figure, min: None, max: Some(max), condition, marginal: 0.1 }
    }

    #[test]
    fn readings_are_counted_against_each_limit_whose_figure_they_tell() {
        let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
        let limits = [
            limit(FigureName::Vout, 5.0),
            limit(FigureName::RipplePp, 0.1),
            limit(FigureName::BoardTemperature, 40.0),
        ];
        let mut judged = ReadingsJudged::new(DwellId(1), setting);
        let mut broken = Vec::new();
        for (second, vout_v) in [(1, 4.5), (2, 4.95), (3, 5.25), (4, 5.125), (5, f64::NAN)] {
            let reading = Reading { vout_v: Some(vout_v), ..Reading::of(Instant(second), [None; 6]) };
            broken.extend(judged.take(&limits, &reading));
        }
        assert_eq!(broken, [(0, 5.25), (0, 5.125)]);
        let first = Some(Instant(3));
        let check = ReadingCheck { limit: 0, judged: 4, marginal: 1, failed: 2, worst: 5.25, first };
        assert_eq!(judged.checks, [check], "no ripple in a reading, and no temperature was read");
        assert_eq!((judged.judged(), judged.failed()), (4, 2));
    }
}
