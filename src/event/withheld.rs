//! What rested on a value that had stood still before anybody noticed: it is taken back when its sensor is called frozen. Pure.

use std::time::Duration;

use super::figures::FigureName;
use super::limit::{Limit, Outcome, point_verdict};
use super::{PointId, PointResult, ReadingsJudged};
use crate::base::names::Role;
use crate::waveform::Unavailable;

/// What a sensor that is called frozen takes back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Withheld {
    /// Points whose temperature rests on its last value.
    pub points: Vec<PointId>,
    /// What came of the limits on its temperature in dwells that are told already, without the readings of that value but for the first:
    /// the last one first. A limit that is left with no reading is not there.
    pub judged: Vec<ReadingsJudged>,
}

impl Withheld {
    /// Whether it is nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.points.is_empty() && self.judged.is_empty()
    }

    /// The same by a clock that is ahead by so much.
    #[must_use]
    pub fn later(mut self, by: Duration) -> Self {
        self.judged = self.judged.into_iter().map(|judged| judged.later(by)).collect();
        self
    }
}

/// The figure that a sensor reads.
#[must_use]
pub fn figure_of(role: &Role) -> Option<FigureName> {
    match role.as_str() {
        "board" => Some(FigureName::BoardTemperature),
        "ambient" => Some(FigureName::AmbientTemperature),
        _ => None,
    }
}

/// Why a figure of a sensor that was called frozen is none.
#[must_use]
pub fn why(role: &Role, what: &str) -> String {
    format!("the thermometer {role} stood still while it was measured ({what})")
}

impl PointResult {
    /// Takes a figure back: limits on it are not judged here. Whether there was one.
    pub fn withhold(&mut self, name: FigureName, limits: &[Limit], why: &str) -> bool {
        if self.figures.value(name).is_none() {
            return false;
        }
        self.figures.insert(name, Err(Unavailable::because(why)));
        self.bounds.remove(&name);
        for check in &mut self.checks {
            let is_meant = limits.get(check.limit).is_some_and(|limit| limit.figure == name);
            if is_meant && check.outcome != Outcome::NotApplicable {
                check.outcome = Outcome::NotMeasured(why.to_owned());
            }
        }
        self.verdict = point_verdict(&self.checks);
        true
    }
}

impl ReadingsJudged {
    /// What came of the limits on one figure alone.
    #[must_use]
    pub fn of_figure(&self, name: FigureName, limits: &[Limit]) -> Self {
        let checks = self.checks.iter().filter(|check| is_on((name, limits), check.limit)).copied();
        Self { checks: checks.collect(), ..Self::new(self.dwell, self.setting) }
    }

    /// What came of the limits on one figure is this instead.
    pub fn replace(&mut self, name: FigureName, limits: &[Limit], instead: Self) {
        self.checks.retain(|check| !is_on((name, limits), check.limit));
        self.checks.extend(instead.checks);
        self.checks.sort_by_key(|check| check.limit);
    }
}

fn is_on((name, limits): (FigureName, &[Limit]), place: usize) -> bool {
    limits.get(place).is_some_and(|limit| limit.figure == name)
}
