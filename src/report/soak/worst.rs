//! The worst points of a soak in every figure that a board gets worse in, each with its trace where one was kept.

use std::ops::Range;
use std::time::Duration;

use crate::event::worst::{Ranking, watched};
use crate::event::{FigureName, PointId, PointResult};
use crate::record::Record;
use crate::report::capture::find;
use crate::waveform::Waveform;
use crate::waveform::overview::{Overview, build_overview};

/// How many of each figure are shown.
pub const MOST: usize = 3;

/// Columns of a small picture.
const COLUMNS: usize = 150;

/// The worst points in a figure, the worst first.
#[derive(Debug, Clone, PartialEq)]
pub struct WorstOf {
    /// Which figure.
    pub figure: FigureName,
    /// The points.
    pub points: Vec<WorstPoint>,
}

/// One of the worst points in a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct WorstPoint {
    /// The point with all its figures.
    pub result: PointResult,
    /// How long after the begin of the run.
    pub after: Duration,
    /// Its trace, or why there is none; a sentence.
    pub trace: Result<SmallTrace, String>,
}

/// A stretch of a trace as it is drawn beside a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct SmallTrace {
    /// What it was captured for.
    pub purpose: String,
    /// The lowest and the highest sample of the whole trace, in volts.
    pub ends_v: (f64, f64),
    /// The stretch.
    pub overview: Overview,
}

/// Finds them; figures that no point has are left out.
#[must_use]
pub fn build(record: &Record, points: &[(f64, &PointResult)]) -> Vec<WorstOf> {
    let Some(facts) = record.facts() else { return Vec::new() };
    let mut ranking = Ranking::new(MOST, facts.vout_nominal);
    for (_, result) in points {
        ranking.take(result);
    }
    // The same capture is often the worst in several figures.
    let mut drawn: Vec<Drawn> = Vec::new();
    let mut trace = |result: &PointResult, purpose: &'static str| {
        let key = (result.point, purpose);
        if let Some((_, known)) = drawn.iter().find(|(known, _)| *known == key) {
            return known.clone();
        }
        let read = small_trace(record, result, purpose);
        drawn.push((key, read.clone()));
        read
    };
    let of = |figure: FigureName| {
        let worst = ranking.worst(figure).iter().filter_map(|ranked| {
            let place = points.partition_point(|(_, result)| result.point < ranked.point);
            let (at_s, result) = points.get(place)?;
            Some(WorstPoint {
                result: (*result).clone(),
                after: Duration::from_secs_f64(at_s.max(0.0)),
                trace: trace(result, purpose_of(figure)),
            })
        });
        WorstOf { figure, points: worst.collect() }
    };
    watched().map(of).filter(|worst| !worst.points.is_empty()).collect()
}

/// A trace of a point for a purpose, or why there is none.
type Drawn = ((PointId, &'static str), Result<SmallTrace, String>);

/// Which of a point's captures tells of the figure.
const fn purpose_of(figure: FigureName) -> &'static str {
    match figure {
        FigureName::SpikePos | FigureName::SpikeNeg | FigureName::NoisePpFull | FigureName::RmsAc => "spikes",
        _ => "ripple",
    }
}

fn small_trace(record: &Record, result: &PointResult, purpose: &str) -> Result<SmallTrace, String> {
    let facts = find(record, result.point, "vout", Some(purpose))
        .or_else(|| find(record, result.point, "vout", None))
        .ok_or("no trace was kept")?;
    let trace = record.waveform(facts).map_err(|error| error.to_string())?;
    let volts = trace.volts();
    let ends_v = volts
        .iter()
        .map(|volts| f64::from(*volts))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |ends, v| (ends.0.min(v), ends.1.max(v)));
    let stretch = stretch(&trace, &volts, result.figures.value(FigureName::Switching));
    let overview = build_overview(&trace, stretch, COLUMNS).map_err(|reason| reason.0)?;
    Ok(SmallTrace { purpose: trace.acquisition.purpose, ends_v, overview })
}

/// Of a capture for ripple three periods from the middle, of one for spikes the sample that is farthest from the mean with what
/// rings behind it; the whole trace where neither is known.
fn stretch(trace: &Waveform, volts: &[f32], switching_hz: Option<f64>) -> Range<usize> {
    let samples = |seconds: f64| (seconds / trace.step_s).clamp(10.0, 1e9) as usize;
    let (middle, before, after) = match switching_hz {
        _ if trace.acquisition.purpose == "spikes" => {
            let mean = volts.iter().map(|value| f64::from(*value)).sum::<f64>() / volts.len().max(1) as f64;
            let far = |value: &f32| (f64::from(*value) - mean).abs();
            let farthest = volts.iter().enumerate().max_by(|a, b| far(a.1).total_cmp(&far(b.1)));
            (farthest.map_or(0, |(place, _)| place), samples(0.5e-6), samples(1e-6))
        }
        Some(hz) if hz > 0.0 => (volts.len() / 2, samples(1.5 / hz), samples(1.5 / hz)),
        _ => return 0..volts.len(),
    };
    middle.saturating_sub(before)..(middle + after).min(volts.len())
}
