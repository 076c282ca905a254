//! The worst captures of a run: which they are, and the data of their pictures.

use crate::event::{FigureName, PointId, PointResult};
use crate::record::{Record, WaveformFacts};
use crate::waveform::{Acquisition, Pair};

use super::figure::first_most;
use super::pictures::{self, Known, Pictures};

/// A capture with its pictures' data.
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
    /// What is drawn of it.
    pub pictures: Pictures,
}

/// The capture of the worst spike and of the worst ripple, or why there is none.
#[must_use]
pub fn build(record: &Record, points: &[&PointResult]) -> Vec<Result<CaptureView, String>> {
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
fn worst<'p>(points: &[&'p PointResult], names: &[FigureName]) -> Option<(&'p PointResult, FigureName, f64)> {
    let of = |name: FigureName| {
        let values =
            points.iter().filter_map(move |point| point.figures.value(name).map(|v| (*point, name, v)));
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
    let why = format!("{}: {}{} at {place}", name.title(), point.sign(name), name.show(value));
    let none = || format!("{title} — {why} — cannot be shown: no trace of the output was kept there.");
    // A point without its own wide capture is shown by the other one.
    let output = find(record, point.point, "vout", Some(purpose))
        .or_else(|| find(record, point.point, "vout", None))
        .ok_or_else(none)?;
    let fault = |error: crate::record::RecordError| format!("{title} — {why} — cannot be shown: {error}.");
    let vout = record.waveform(output).map_err(fault)?;
    let node = find(record, point.point, "lx", Some(&output.acquisition.purpose));
    let lx = node.and_then(|facts| record.waveform(facts).ok());
    let pair = Pair { vout: &vout, lx: lx.as_ref() };
    let known = Known {
        switching_hz: point.figures.value(FigureName::Switching),
        ring_hz: point.figures.value(FigureName::Ringing),
    };
    let pictures = pictures::build(&pair, &known);
    Ok(CaptureView {
        title,
        why,
        file: output.file.clone(),
        clipped: vout.clipped(),
        pictures,
        acquisition: vout.acquisition,
    })
}

/// The last trace of a signal at a point: earlier ones belong to attempts that were given up.
pub(super) fn find<'r>(
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
