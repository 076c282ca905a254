//! The state of a run as told by its events. Pure: events go in, a line of text comes out.

use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::span::render_span;
use crate::event::{Event, FigureName, PointVerdict, Setting, Stamp};

/// What is known of a run so far.
#[derive(Debug, Clone, Default)]
pub struct View {
    planned: u32,
    finished: u32,
    failed: u32,
    expected: Duration,
    started: Option<Instant>,
    now: Instant,
    setting: Option<Setting>,
    values: String,
}

impl View {
    /// A view of a run that is expected to take so long.
    #[must_use]
    pub fn expecting(expected: Duration) -> Self {
        Self { expected, ..Self::default() }
    }

    /// Takes what happened.
    pub fn take(&mut self, at: Stamp, event: &Event) {
        self.now = at.monotonic;
        self.started.get_or_insert(at.monotonic);
        match event {
            Event::RunStarted(facts) => self.planned = facts.points_planned,
            Event::PointFinished(result) => {
                self.finished += 1;
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

    /// Time left, from what the finished points took; before there are enough of them from the plan's estimate.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        let elapsed = self.now.since(self.started.unwrap_or_default());
        if self.finished < 3 {
            return self.expected.saturating_sub(elapsed);
        }
        let left = self.planned.saturating_sub(self.finished);
        elapsed.mul_f64(f64::from(left) / f64::from(self.finished))
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
        let mut view = View::expecting(Duration::from_secs(100));
        view.planned = 10;
        view.take(at(0), &Event::Warned { what: "nothing yet".to_owned() });
        assert_eq!(view.line(), "1 min 40 s left");
        for point in 1..=4 {
            view.take(at(u64::from(point) * 5), &finished(point, PointVerdict::Fail));
        }
        assert_eq!(view.line(), "24 V 500 mA | Vout 4.997 V, spike 21 mV | 4 failed | 30 s left");
        assert_eq!(view.points(), (10, 4));
    }
}
