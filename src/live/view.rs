//! The state of a run as told by its events. Pure: events go in, a line of text comes out.

use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::span::render_span;
use crate::event::{Event, FigureName, PointVerdict, Setting, Stamp};

/// The plan's pace counts as much as that of so many finished points: a first point tells little, twenty tell nearly all.
const PLAN_WEIGHT: f64 = 4.0;

/// What is known of a run so far.
#[derive(Debug, Clone, Default)]
pub struct View {
    planned: u32,
    finished: u32,
    failed: u32,
    expected: Duration,
    expected_start: Duration,
    started: Option<Instant>,
    /// When the first point began.
    begun: Option<Instant>,
    /// When the last point ended; before there is one, when the first one began.
    reached: Instant,
    now: Instant,
    setting: Option<Setting>,
    values: String,
}

impl View {
    /// A view of a run that is expected to take so long, of which `expected_start` is over when its first point begins.
    #[must_use]
    pub fn expecting(expected: Duration, expected_start: Duration) -> Self {
        Self { expected, expected_start, ..Self::default() }
    }

    /// Takes what happened.
    pub fn take(&mut self, at: Stamp, event: &Event) {
        self.now = at.monotonic;
        self.started.get_or_insert(at.monotonic);
        match event {
            Event::RunStarted(facts) => self.planned = facts.points_planned,
            Event::PointStarted { .. } if self.begun.is_none() => {
                (self.begun, self.reached) = (Some(at.monotonic), at.monotonic);
            }
            Event::PointFinished(result) => {
                self.finished += 1;
                self.reached = at.monotonic;
                self.setting = Some(result.setting);
                self.failed += u32::from(result.verdict == PointVerdict::Fail);
                let value = |name: FigureName| {
                    let value = result.figures.value(name)?;
                    Some(crate::base::units::with_prefix(value, name.unit()))
                };
                let shown = [
                    ("Vout", value(FigureName::Vout)),
                    ("ripple", value(FigureName::RipplePp)),
                    ("spike", value(FigureName::SpikePos)),
                ];
                let shown: Vec<String> = shown
                    .into_iter()
                    .filter_map(|(name, value)| Some(format!("{name} {}", value?)))
                    .collect();
                self.values = shown.join(", ");
            }
            _ => {}
        }
    }

    /// Points planned and finished.
    #[must_use]
    pub const fn points(&self) -> (u32, u32) {
        (self.planned, self.finished)
    }

    /// Time left, by the pace of the points so far blended with the plan's: it neither clings to a plan that does not know
    /// these instruments, nor jumps with every point.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        let points = self.expected.saturating_sub(self.expected_start);
        let Some(begun) = self.begun else {
            // However long the start takes, the points come after it.
            let elapsed = self.now.since(self.started.unwrap_or_default());
            return self.expected.saturating_sub(elapsed).max(points);
        };
        let planned_s = points.as_secs_f64() / f64::from(self.planned.max(1));
        let measured_s = self.reached.since(begun).as_secs_f64();
        let finished = f64::from(self.finished);
        let point =
            Duration::from_secs_f64((PLAN_WEIGHT * planned_s + measured_s) / (PLAN_WEIGHT + finished));
        let present = self.now.since(self.reached).min(point);
        (point * self.planned.saturating_sub(self.finished)).saturating_sub(present)
    }

    /// One line: where the run is, what it last saw, what is left.
    #[must_use]
    pub fn line(&self) -> String {
        let mut parts = Vec::new();
        if let Some(setting) = self.setting {
            parts.push(format!("{} {}", setting.vin, setting.load));
        }
        if !self.values.is_empty() {
            parts.push(self.values.clone());
        }
        if self.failed > 0 {
            parts.push(format!("{} failed", self.failed));
        }
        parts.push(format!("{} left", render_span(self.time_left())));
        parts.join(" | ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::{PointId, PointResult, Region, Regulation};

    fn at(seconds: u64) -> Stamp {
        Stamp { utc: jiff::Timestamp::UNIX_EPOCH, monotonic: Instant(seconds * 1_000_000_000) }
    }

    fn finished(point: u32, verdict: PointVerdict) -> Event {
        Event::PointFinished(Box::new(PointResult {
            point: PointId(point),
            repeat: 1,
            setting: Setting { vin: Volts(24.0), load: Amps(0.5) },
            figures: [(FigureName::Vout, Ok(4.997)), (FigureName::SpikePos, Ok(0.021))].into_iter().collect(),
            bounds: std::collections::BTreeMap::new(),
            region: Region::Regulated,
            regulation: Ok(Regulation::ConstantVoltage),
            checks: Vec::new(),
            verdict,
            notes: Vec::new(),
        }))
    }

    #[test]
    fn the_line_tells_where_the_run_is_and_what_is_left() {
        let mut view = View::expecting(Duration::from_secs(100), Duration::from_secs(50));
        view.planned = 10;
        view.take(at(0), &Event::Warned { what: "nothing yet".to_owned() });
        assert_eq!(view.line(), "1 min 40 s left");
        view.take(at(0), &started(1));
        for point in 1..=4 {
            view.take(at(u64::from(point) * 5), &finished(point, PointVerdict::Fail));
        }
        assert_eq!(view.line(), "24 V 500 mA | Vout 4.997 V, spike 21 mV | 4 failed | 30 s left");
        assert_eq!(view.points(), (10, 4));
    }

    fn started(point: u32) -> Event {
        let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
        Event::PointStarted { point: PointId(point), setting, attempt: 1 }
    }

    /// The seconds left before the start, at its end and behind each of ten points, which take `point_s` each where 10 s were
    /// planned, after a start of `start_s` where 30 s were planned.
    fn seconds_left(start_s: u64, point_s: u64) -> Vec<f64> {
        let mut view = View::expecting(Duration::from_secs(130), Duration::from_secs(30));
        view.planned = 10;
        view.take(at(0), &Event::Warned { what: "nothing yet".to_owned() });
        let left_s = |view: &View| view.time_left().as_secs_f64().round();
        let mut left = vec![left_s(&view)];
        view.take(at(start_s), &started(1));
        left.push(left_s(&view));
        for point in 1..=10 {
            view.take(at(start_s + point_s * u64::from(point)), &finished(point, PointVerdict::Pass));
            left.push(left_s(&view));
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
        let mut view = View::expecting(Duration::from_secs(100), Duration::ZERO);
        view.planned = 10;
        view.take(at(0), &started(1));
        for (seconds, left_s) in [(4, 96), (9, 91), (10, 90), (60, 90)] {
            view.take(at(seconds), &Event::Warned { what: "still at it".to_owned() });
            assert_eq!(view.time_left().as_secs(), left_s, "after {seconds} s");
        }
    }
}
