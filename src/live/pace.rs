//! How much time a run has left, by the plan's pace and its own.

use std::time::Duration;

use crate::base::clock::Instant;
use crate::event::{Event, PhaseSpan, Rewarm, Stamp};

/// The plan's pace counts as much as that of so many finished points: a first point tells little, twenty tell nearly all.
const PLAN_WEIGHT: f64 = 4.0;

/// How long the plan expects a run to take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expected {
    /// The whole run.
    pub whole: Duration,
    /// What is over of it when its first point begins.
    pub start: Duration,
    /// Of a soak: the phases in the plan's order, each as often as it is gone through.
    pub phases: Vec<PhaseSpan>,
    /// When a soak warms the board up again, and for how long; `None` for a sweep.
    pub rewarm: Option<Rewarm>,
}

/// How fast a run goes.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    expected: Option<Expected>,
    planned: u32,
    finished: u32,
    started: Option<Instant>,
    /// Whether a point has begun.
    has_begun: bool,
    /// When the last point ended; before there is one, or where the run was begun once more, when the next one began.
    reached: Instant,
    /// Spent on finished points.
    spent: Duration,
    /// Outputs were switched on since the last point: it is a start, whose time is not that of a point.
    starts: bool,
    /// Between the points of a soak there are dwells, which are no time of a point.
    is_soak: bool,
    now: Instant,
}

impl Pace {
    /// The pace of a run that is expected to take so long.
    pub fn foresee(&mut self, expected: Expected) {
        self.expected = Some(expected);
    }

    /// The phases of a soak as the plan has them; empty where it is not known.
    #[must_use]
    pub fn phases(&self) -> &[PhaseSpan] {
        self.expected.as_ref().map_or(&[], |expected| &expected.phases)
    }

    /// How the board is warmed up again, where the plan is known.
    #[must_use]
    pub fn rewarm(&self) -> Option<Rewarm> {
        self.expected.as_ref()?.rewarm
    }

    /// Time since the run began, also that in which nobody was there.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now.since(self.started.unwrap_or_default())
    }

    /// Takes what happened.
    pub fn take(&mut self, at: Stamp, event: &Event) {
        self.now = at.monotonic;
        self.started.get_or_insert(at.monotonic);
        match event {
            Event::RunStarted(facts) => {
                (self.planned, self.is_soak) = (facts.points_planned, facts.soak.is_some());
            }
            Event::DwellFinished { left_out, .. } => self.planned = self.planned.saturating_sub(*left_out),
            Event::OutputSwitched { on: true, .. } => self.starts = true,
            Event::PointStarted { .. } => {
                if self.starts || !self.has_begun || self.is_soak {
                    self.reached = at.monotonic;
                }
                (self.starts, self.has_begun) = (false, true);
            }
            Event::PointFinished(_) => {
                self.finished += 1;
                self.spent += at.monotonic.since(self.reached);
                self.reached = at.monotonic;
            }
            _ => {}
        }
    }

    /// Time left of a sweep, by the pace of the points so far blended with the plan's: it neither clings to a plan that does
    /// not know these instruments, nor jumps with every point. `None` where no plan is known and no point was finished.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        let points = self.points_planned(Duration::ZERO);
        if !self.has_begun {
            // However long the start takes, the points come after it.
            let whole = self.expected.as_ref()?.whole;
            return Some(whole.saturating_sub(self.elapsed()).max(points?));
        }
        let point = self.point(points)?;
        let present = self.now.since(self.reached).min(point);
        Some(point.saturating_mul(self.points_left()).saturating_sub(present))
    }

    /// Time that the points take that are left of a soak whose dwells last `dwells` together; `None` as in
    /// [`Pace::time_left`].
    #[must_use]
    pub fn points_time_left(&self, dwells: Duration) -> Option<Duration> {
        match self.points_left() {
            0 => Some(Duration::ZERO),
            left => Some(self.point(self.points_planned(dwells))?.saturating_mul(left)),
        }
    }

    const fn points_left(&self) -> u32 {
        self.planned.saturating_sub(self.finished)
    }

    /// What the plan expects all points to take together.
    fn points_planned(&self, dwells: Duration) -> Option<Duration> {
        let expected = self.expected.as_ref()?;
        Some(expected.whole.saturating_sub(expected.start).saturating_sub(dwells))
    }

    /// Time that one point takes, where the plan expects so much for all.
    fn point(&self, planned: Option<Duration>) -> Option<Duration> {
        let planned_s = planned.map(|points| points.as_secs_f64() / f64::from(self.planned.max(1)));
        let weight = if planned_s.is_some() { PLAN_WEIGHT } else { 0.0 };
        let finished = f64::from(self.finished);
        if weight + finished == 0.0 {
            return None;
        }
        let blended_s =
            (weight * planned_s.unwrap_or_default() + self.spent.as_secs_f64()) / (weight + finished);
        Duration::try_from_secs_f64(blended_s).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::{PointId, PointResult, Region, Regulation, Setting};

    fn at(seconds: u64) -> Stamp {
        Stamp { utc: jiff::Timestamp::UNIX_EPOCH, monotonic: Instant(seconds * 1_000_000_000) }
    }

    fn setting() -> Setting {
        Setting { vin: Volts(24.0), load: Amps(0.5) }
    }

    fn started(point: u32) -> Event {
        Event::PointStarted { point: PointId(point), setting: setting(), attempt: 1 }
    }

    fn finished(point: u32) -> Event {
        Event::PointFinished(Box::new(PointResult {
            point: PointId(point),
            repeat: 1,
            phase: None,
            setting: setting(),
            figures: std::iter::empty().collect(),
            bounds: std::collections::BTreeMap::new(),
            region: Region::Regulated,
            regulation: Ok(Regulation::ConstantVoltage),
            checks: Vec::new(),
            verdict: crate::event::PointVerdict::Pass,
            notes: Vec::new(),
        }))
    }

    fn pace(planned: u32, whole_s: u64, start_s: u64) -> Pace {
        let (whole, start) = (Duration::from_secs(whole_s), Duration::from_secs(start_s));
        let expected = Expected { whole, start, ..Expected::default() };
        Pace { planned, expected: Some(expected), ..Pace::default() }
    }

    fn left_s(pace: &Pace) -> f64 {
        pace.time_left().unwrap().as_secs_f64().round()
    }

    /// The seconds left before the start, at its end and behind each of ten points, which take `point_s` each where 10 s were
    /// planned, after a start of `start_s` where 30 s were planned.
    fn seconds_left(start_s: u64, point_s: u64) -> Vec<f64> {
        let mut pace = pace(10, 130, 30);
        pace.take(at(0), &Event::Warned { what: "nothing yet".to_owned() });
        let mut left = vec![left_s(&pace)];
        pace.take(at(start_s), &started(1));
        left.push(left_s(&pace));
        for point in 1..=10 {
            pace.take(at(start_s + point_s * u64::from(point)), &finished(point));
            left.push(left_s(&pace));
        }
        left
    }

    #[test]
    fn the_time_left_goes_from_the_plans_pace_to_that_of_the_run_without_a_jump() {
        let table: String = [(30, 10), (10, 5), (90, 20)]
            .map(|(start_s, point_s)| {
                let left: Vec<String> =
                    seconds_left(start_s, point_s).iter().map(ToString::to_string).collect();
                format!("{start_s} s, then {point_s} s each: {}\n", left.join(" "))
            })
            .concat();
        insta::assert_snapshot!(table, @r"
        30 s, then 10 s each: 130 100 90 80 70 60 50 40 30 20 10 0
        10 s, then 5 s each: 130 100 81 67 55 45 36 28 20 13 7 0
        90 s, then 20 s each: 130 100 108 107 100 90 78 64 49 33 17 0
        ");
    }

    #[test]
    fn the_time_left_goes_on_falling_within_a_point_but_not_below_the_points_to_come() {
        let mut pace = pace(10, 100, 0);
        pace.take(at(0), &started(1));
        for (seconds, expected) in [(4, 96), (9, 91), (10, 90), (60, 90)] {
            pace.take(at(seconds), &Event::Warned { what: "still at it".to_owned() });
            assert_eq!(pace.time_left().unwrap().as_secs(), expected, "after {seconds} s");
        }
    }

    #[test]
    fn without_a_plan_the_time_left_is_known_from_the_first_finished_point_on() {
        let mut pace = Pace { planned: 10, ..Pace::default() };
        assert_eq!(pace.time_left(), None);
        pace.take(at(7), &started(1));
        assert_eq!(pace.time_left(), None);
        pace.take(at(17), &finished(1));
        assert_eq!(pace.time_left(), Some(Duration::from_secs(90)));
    }

    #[test]
    fn the_points_of_a_soak_are_measured_without_the_dwells_between_them() {
        let dwells = Duration::from_secs(1000);
        let mut pace = Pace { is_soak: true, ..pace(10, 1100, 0) };
        let left_s = |pace: &Pace| pace.points_time_left(dwells).unwrap().as_secs();
        assert_eq!(left_s(&pace), 100);
        for point in 0..5 {
            pace.take(at(u64::from(point) * 200), &started(point + 1));
            pace.take(at(u64::from(point) * 200 + 10), &finished(point + 1));
        }
        assert_eq!(left_s(&pace), 50);
    }

    #[test]
    fn a_gap_between_two_starts_counts_for_no_point() {
        let mut pace = pace(10, 100, 0);
        pace.take(at(0), &started(1));
        pace.take(at(10), &finished(1));
        let on = Event::OutputSwitched { role: "source".parse().unwrap(), on: true };
        pace.take(at(86_400), &on);
        pace.take(at(86_410), &started(2));
        assert_eq!(left_s(&pace), 90.0);
        pace.take(at(86_420), &finished(2));
        assert_eq!(left_s(&pace), 80.0);
    }
}
