//! Whether the board's temperatures are those that its points would come to. Told from the record alone. Pure.

use std::collections::HashMap;
use std::time::Duration;

use crate::base::span::render_span;
use crate::base::stats::median;
use crate::event::{Event, FigureName, PointId, PointResult};
use crate::record::Record;
use crate::trend::{DriftSettings, Reading, drift};

/// No board of a few centimetres follows its losses within less than this.
const SHORTEST_WARMING: Duration = Duration::from_secs(60);
/// A slope of the temperature counts where it is this many times its own uncertainty.
const SURE: f64 = 4.0;

/// Why the board's temperatures are not those of thermal equilibrium; `None` where nothing in the record speaks against it.
#[must_use]
pub fn thermal_note(record: &Record) -> Option<String> {
    let points = record.points();
    if !points.iter().any(|point| point.figures.value(FigureName::BoardTemperature).is_some()) {
        return None;
    }
    let dwell = dwell(record).filter(|dwell| *dwell < SHORTEST_WARMING);
    let warming = warming_k_per_min(record);
    let short = dwell.map(|dwell| {
        format!(
            "a point lasted {} (median), and settling was judged by the output voltage alone",
            render_span(dwell)
        )
    });
    let moving = warming.map(|slope| {
        let word = if slope > 0.0 { "warming" } else { "cooling" };
        format!("over the last quarter of the points the board was {word} by {:.2} K a minute", slope.abs())
    });
    let why: Vec<String> = short.into_iter().chain(moving).collect();
    (!why.is_empty()).then(|| format!("not in thermal equilibrium: {}", why.join("; ")))
}

/// The median time from one point to the next.
fn dwell(record: &Record) -> Option<Duration> {
    let starts: Vec<_> = record
        .events()
        .iter()
        .filter(|logged| matches!(logged.event, Event::PointStarted { .. }))
        .map(|logged| logged.at.monotonic)
        .collect();
    let spans: Vec<f64> = starts.windows(2).map(|pair| pair[1].since(pair[0]).as_secs_f64()).collect();
    median(&spans).map(|seconds| Duration::from_millis((seconds * 1e3) as u64))
}

/// The slope of the temperature over the last quarter of the points, where it is sure.
fn warming_k_per_min(record: &Record) -> Option<f64> {
    let last: HashMap<PointId, &PointResult> =
        record.points().into_iter().map(|point| (point.point, point)).collect();
    let readings: Vec<Reading> = record
        .events()
        .iter()
        .filter_map(|logged| match &logged.event {
            Event::PointFinished(result)
                if last.get(&result.point).is_some_and(|last| **last == **result) =>
            {
                let board_c = result.figures.value(FigureName::BoardTemperature)?;
                let at_s = logged.at.monotonic.since(record.started().monotonic).as_secs_f64();
                Some(Reading { at_s, value: board_c })
            }
            _ => None,
        })
        .collect();
    slope_per_min(&readings[readings.len() - readings.len() / 4..])
}

/// The slope of the line through the readings, where it is several times its standard error.
fn slope_per_min(readings: &[Reading]) -> Option<f64> {
    let line = drift(readings, &DriftSettings::default()).ok()?.line;
    (line.per_s.abs() > SURE * line.per_s_se).then_some(line.per_s * 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_no_warming_and_warming_is_told_through_noise() {
        let reading = |i: i32, per_min: f64| {
            let value = 23.0 + per_min * f64::from(i) / 60.0 + 0.05 * f64::from(i % 3);
            Reading { at_s: f64::from(i), value }
        };
        let readings = |per_min: f64| -> Vec<Reading> { (0..30).map(|i| reading(i, per_min)).collect() };
        assert_eq!(slope_per_min(&readings(0.0)), None);
        assert!((slope_per_min(&readings(1.0)).unwrap() - 1.0).abs() < 0.2);
        assert_eq!(slope_per_min(&readings(1.0)[..7]), None);
    }
}
