//! The curves of the whole run on one time axis, by lowest and highest value of each column. Pure.

use super::story::{MarkKind, Story, Stretch};
use super::stream::Stream;
use crate::event::{FigureName, Gap, Limit, PointResult};
use crate::trend::{Column, Envelope};

/// Columns of figures of captures: their marks must not touch.
const CAPTURE_COLUMNS: usize = 300;

/// One curve of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What it is, for the label.
    pub name: &'static str,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Width of a column in seconds.
    pub width_s: f64,
    /// Whether it is of captures, which stand alone, and not of readings, which hang together.
    pub is_of_captures: bool,
}

/// One field of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What, for the upright axis.
    pub title: &'static str,
    /// The SI unit.
    pub unit: &'static str,
    /// The curves.
    pub curves: Vec<Curve>,
    /// Bounds of limits that are near enough to be drawn.
    pub bounds: Vec<f64>,
}

/// The picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// From the start of the run to its end, in seconds.
    pub span_s: f64,
    /// The phases.
    pub stretches: Vec<Stretch>,
    /// Where readings are missing, in seconds.
    pub gaps: Vec<(f64, f64)>,
    /// Where an interlock held the run, in seconds.
    pub holds: Vec<(f64, f64)>,
    /// What is marked.
    pub marks: Vec<(f64, MarkKind)>,
    /// The fields from the top.
    pub panels: Vec<Panel>,
}

/// Makes the picture's data.
#[must_use]
pub fn build(
    stream: &Stream,
    story: &Story,
    (points, gaps): (&[(f64, &PointResult)], &[Gap]),
    (limits, span_s): (&[Limit], f64),
) -> Timeline {
    let readings = |name, place: usize| Curve {
        name,
        columns: stream.curves[place].columns().collect(),
        width_s: stream.curves[place].width_s(),
        is_of_captures: false,
    };
    let captures = |name, figure: FigureName| {
        let mut envelope = Envelope::new(CAPTURE_COLUMNS, span_s / CAPTURE_COLUMNS as f64 / 2.0);
        for (at_s, point) in points.iter().filter(|(_, point)| point.phase.is_some()) {
            if let Some(value) = point.figures.value(figure) {
                envelope.push(*at_s, value);
            }
        }
        let columns = envelope.columns().collect();
        Curve { name, columns, width_s: envelope.width_s(), is_of_captures: true }
    };
    let bounds = |figures: &[FigureName]| {
        limits
            .iter()
            .filter(|limit| figures.contains(&limit.figure))
            .flat_map(|limit| [limit.min, limit.max])
            .flatten()
            .collect()
    };
    let panel = |title, unit, curves: Vec<Curve>, bounds| Panel {
        title,
        unit,
        curves: curves.into_iter().filter(|curve| !curve.columns.is_empty()).collect(),
        bounds,
    };
    use FigureName as F;
    let panels = [
        panel(
            "temperature",
            "°C",
            vec![readings("board", 0), readings("ambient", 1)],
            bounds(&[F::BoardTemperature]),
        ),
        panel("output voltage", "V", vec![readings("output", 2)], bounds(&[F::Vout])),
        panel("input power", "W", vec![readings("input", 3)], bounds(&[F::InputPower])),
        panel(
            "ripple, noise",
            "V",
            vec![captures("20 MHz", F::NoisePp20Mhz), captures("ripple", F::RipplePp)],
            bounds(&[F::NoisePp20Mhz, F::RipplePp]),
        ),
        panel(
            "spikes",
            "V",
            vec![captures("highest", F::SpikePos), captures("lowest", F::SpikeNeg)],
            bounds(&[F::SpikePos, F::SpikeNeg]),
        ),
    ];
    let start = stream.start();
    Timeline {
        span_s: span_s.max(1.0),
        stretches: story.stretches.clone(),
        gaps: gaps
            .iter()
            .map(|gap| (gap.from.since(start).as_secs_f64(), gap.to.since(start).as_secs_f64()))
            .collect(),
        holds: story.holds.iter().map(|hold| hold.span_s).collect(),
        marks: story.marks.clone(),
        panels: panels.into_iter().filter(|panel| !panel.curves.is_empty()).collect(),
    }
}
