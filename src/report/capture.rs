//! The worst captures of a run: which they are, and the data of their pictures.

use crate::event::{FigureName, PointId, PointResult};
use crate::record::{Record, WaveformFacts};
use crate::waveform::fold::{Fold, build_fold};
use crate::waveform::overview::{Overview, build_overview};
use crate::waveform::{Acquisition, Pair, Waveform};

use super::figure::first_most;
use super::svg::FOLD_GRID;

/// A short stretch, sample by sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Zoom {
    /// Time of the first sample, from the trigger, in seconds.
    pub start_s: f64,
    /// Sample interval in seconds.
    pub step_s: f64,
    /// The output.
    pub volts: Vec<f32>,
    /// The switch node at the same time, if it was captured.
    pub node: Option<Node>,
    /// What is shown, as a sentence.
    pub caption: &'static str,
}

/// The switch node under a stretch of the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The stretch, sample by sample.
    pub volts: Vec<f32>,
    /// Lowest and highest volts of the whole trace: a flat stretch shall look flat.
    pub ends_v: (f64, f64),
}

/// A capture with its pictures' data. What could not be drawn says why.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureView {
    /// What it is the worst of, e.g. `The worst spike`.
    pub title: &'static str,
    /// The figure, its value and where, as a sentence.
    pub why: String,
    /// How it was captured.
    pub acquisition: Acquisition,
    /// The sample file.
    pub file: String,
    /// Samples at the ends of the converter's range.
    pub clipped: usize,
    /// The whole record.
    pub overview: Result<Overview, String>,
    /// About the largest deviation.
    pub zoom: Option<Zoom>,
    /// All cycles laid over each other.
    pub fold: Result<Fold, String>,
}

/// The capture of the worst spike and of the worst ripple, or why there is none.
#[must_use]
pub fn build(record: &Record, points: &[PointResult]) -> Vec<Result<CaptureView, String>> {
    if record.waveforms().is_empty() {
        return vec![Err("The record holds no traces.".to_owned())];
    }
    let spikes = worst(points, &[FigureName::SpikePos, FigureName::SpikeNeg]);
    let ripple = worst(points, &[FigureName::RipplePp, FigureName::NoisePp20Mhz]);
    let no_figure =
        |what: &str| Err(format!("No {what} could be measured at any point, so that none is the worst."));
    vec![
        spikes.map_or_else(|| no_figure("spike"), |worst| view(record, "The worst spike", "spikes", worst)),
        ripple.map_or_else(|| no_figure("ripple"), |worst| view(record, "The worst ripple", "ripple", worst)),
    ]
}

/// The point at which one of the figures is farthest from zero; the second figure only where the first is nowhere.
fn worst<'p>(points: &'p [PointResult], names: &[FigureName]) -> Option<(&'p PointResult, FigureName, f64)> {
    let of = |name: FigureName| {
        let values =
            points.iter().filter_map(move |point| point.figures.value(name).map(|v| (point, name, v)));
        first_most(values, |found| found.2.abs())
    };
    // A positive and a negative spike are of one kind; ripple and noise are not.
    let is_one_kind = names.contains(&FigureName::SpikeNeg);
    let mut found = names.iter().filter_map(|name| of(*name));
    if is_one_kind { first_most(found, |found| found.2.abs()) } else { found.next() }
}

fn view(
    record: &Record,
    title: &'static str,
    purpose: &str,
    (point, name, value): (&PointResult, FigureName, f64),
) -> Result<CaptureView, String> {
    let place = format!("point {} ({}, {})", point.point.0, point.setting.vin, point.setting.load);
    let why = format!("{}: {} at {place}", name.title(), name.show(value));
    let none = || format!("{title} — {why} — cannot be shown: no trace of the output was kept there.");
    // A point without its own wide capture is shown by the other one.
    let output = find(record, point.point, "vout", Some(purpose))
        .or_else(|| find(record, point.point, "vout", None))
        .ok_or_else(none)?;
    let fault = |error: crate::record::RecordError| format!("{title} — {why} — cannot be shown: {error}.");
    let vout = record.waveform(output).map_err(fault)?;
    let node = find(record, point.point, "lx", Some(&output.acquisition.purpose));
    let lx = node.and_then(|facts| record.waveform(facts).ok());
    let (columns, rows) = FOLD_GRID;
    let pair = Pair { vout: &vout, lx: lx.as_ref() };
    let fold = build_fold(&pair, columns, rows).map_err(|reason| reason.0);
    Ok(CaptureView {
        title,
        why,
        file: output.file.clone(),
        clipped: vout.clipped(),
        overview: build_overview(&vout, 0..vout.codes.len(), 990).map_err(|reason| reason.0),
        zoom: zoom(&vout, lx.as_ref(), fold.as_ref().ok().map(|fold| fold.period_s)),
        fold,
        acquisition: vout.acquisition,
    })
}

/// The last trace of a signal at a point: earlier ones belong to attempts that were given up.
fn find<'r>(
    record: &'r Record,
    point: PointId,
    signal: &str,
    purpose: Option<&str>,
) -> Option<&'r WaveformFacts> {
    record.waveforms().iter().rev().find(|facts| {
        facts.point == point
            && facts.acquisition.signal == signal
            && purpose.is_none_or(|purpose| facts.acquisition.purpose == purpose)
    })
}

/// For spikes, one and a half microseconds about the sample farthest from the mean: a spike with its ringing. For ripple,
/// three periods from the middle.
fn zoom(vout: &Waveform, lx: Option<&Waveform>, period_s: Option<f64>) -> Option<Zoom> {
    let volts = vout.volts();
    let is_usable =
        vout.step_s.is_finite() && vout.step_s > 0.0 && volts.iter().all(|value| value.is_finite());
    if volts.is_empty() || !is_usable {
        return None;
    }
    let samples = |seconds: f64| (seconds / vout.step_s).clamp(10.0, 4000.0) as usize;
    let (center, half_before, half_after, caption) = match period_s {
        Some(period_s) if vout.acquisition.purpose == "ripple" => {
            let half = samples(1.5 * period_s);
            (volts.len() / 2, half, half, "Three periods from the middle of the record, sample by sample.")
        }
        _ => {
            let mean = volts.iter().map(|value| f64::from(*value)).sum::<f64>() / volts.len() as f64;
            let far = |value: &f32| (f64::from(*value) - mean).abs();
            let (farthest, _) = volts.iter().enumerate().max_by(|a, b| far(a.1).total_cmp(&far(b.1)))?;
            (farthest, samples(0.5e-6), samples(1.0e-6), "The largest deviation, sample by sample.")
        }
    };
    let (from, to) = (center.saturating_sub(half_before), (center + half_after).min(volts.len()));
    let node = lx
        .filter(|lx| lx.codes.len() == volts.len() && lx.step_s.to_bits() == vout.step_s.to_bits())
        .map(|lx| {
            let all = lx.volts();
            let ends = all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(f64::from(*value)), high.max(f64::from(*value)))
            });
            Node { volts: all[from..to].to_vec(), ends_v: ends }
        });
    Some(Zoom {
        start_s: vout.start_s + from as f64 * vout.step_s,
        step_s: vout.step_s,
        volts: volts[from..to].to_vec(),
        node,
        caption,
    })
}
