//! Traces as pictures: the whole record by minimum and maximum of each column, and a stretch of it sample by sample.

use plotters::style::RGBColor;

use super::axis::{Field, Scale};
use super::canvas::render;
use super::{padded, time_unit, volt_unit};
use crate::base::units::with_prefix;
use crate::report::pictures::Zoom;
use crate::waveform::overview::Overview;

const TRACE: RGBColor = RGBColor(0x1f, 0x6f, 0xb2);
const NODE: RGBColor = RGBColor(0x7a, 0x5c, 0x99);
const SPOT: RGBColor = RGBColor(0xff, 0xf0, 0xc2);

/// Draws a whole record; `spot` is the stretch that is shown closer elsewhere, in seconds from the trigger.
#[must_use]
pub fn render_overview(overview: &Overview, spot: Option<(f64, f64)>) -> String {
    let (width, height) = (1060.0, 240.0);
    let ends = ends(overview);
    let (time_factor, time) = time_unit(overview.span_s);
    let (volt_factor, volt) = volt_unit(ends.0.abs().max(ends.1.abs()));
    let start = overview.start_s * time_factor;
    let field = Field {
        x: Scale::new((start, start + overview.span_s * time_factor), (66.0, width - 10.0)),
        y: Scale::new(padded((ends.0 * volt_factor, ends.1 * volt_factor), 0.06), (height - 46.0, 8.0)),
    };
    render(width, height, |canvas| {
        if let Some((from, to)) = spot {
            let x = |seconds: f64| field.x.px(field.x.clamp(seconds * time_factor));
            // A stretch of two microseconds in a long record would be too thin to see.
            let (left, right) = (x(from) - 2.0, x(to) + 2.0);
            canvas.fill((left, field.y.to_px), (right, field.y.from_px), SPOT);
        }
        field.draw(canvas, &format!("time from trigger in {time}"), &format!("output in {volt}"));
        canvas.polygon(&outline(overview, &field, volt_factor), TRACE);
    })
}

/// The columns as one area; half a pixel more each way, so that a flat stretch keeps a line.
fn outline(overview: &Overview, field: &Field, volt_factor: f64) -> Vec<(f64, f64)> {
    let pitch = (field.x.to_px - field.x.from_px) / overview.columns.len() as f64;
    let edge = |upper: bool| {
        overview.columns.iter().enumerate().map(move |(index, column)| {
            let (volts, air) = if upper { (column.1, -0.5) } else { (column.0, 0.5) };
            (field.x.from_px + pitch * (index as f64 + 0.5), field.y.px(volts * volt_factor) + air)
        })
    };
    edge(true).chain(edge(false).collect::<Vec<_>>().into_iter().rev()).collect()
}

/// Draws a stretch without axes, to its own height, for a cell of a table.
#[must_use]
pub fn render_small_trace(overview: &Overview) -> String {
    let (width, height) = (150.0, 30.0);
    let ends = ends(overview);
    let field = Field {
        x: Scale::new((0.0, 1.0), (1.0, width - 1.0)),
        y: Scale::new(padded(ends, 0.06), (height - 1.0, 1.0)),
    };
    render(width, height, |canvas| canvas.polygon(&outline(overview, &field, 1.0), TRACE))
}

/// The lowest and the highest sample, in volts.
fn ends(overview: &Overview) -> (f64, f64) {
    overview.columns.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), column| {
        (low.min(column.0), high.max(column.1))
    })
}

/// Draws a stretch of the output, and the switch node under it where it was captured.
#[must_use]
pub fn render_zoom(zoom: &Zoom) -> String {
    let (width, upper, height) = (520.0, 225.0, if zoom.node.is_some() { 345.0 } else { 271.0 });
    let (time_factor, time) = time_unit(zoom.volts.len() as f64 * zoom.step_s);
    // Far from the trigger the times would have too many digits: they count from the stretch's first sample.
    let position = |index: usize| index as f64 * zoom.step_s * time_factor;
    let x = Scale::new((0.0, position(zoom.volts.len().saturating_sub(1))), (66.0, width - 12.0));
    let from = with_prefix(zoom.start_s, "s").replace('-', "−");
    let title = format!("time in {time}; 0 stands at {from} from the trigger");
    let ends = zoom.volts.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(f64::from(*value)), high.max(f64::from(*value)))
    });
    render(width, height, |canvas| {
        let panel = |volts: &[f32], ends: (f64, f64), px: (f64, f64), look: (RGBColor, &str, &str)| {
            let (factor, volt) = volt_unit(ends.0.abs().max(ends.1.abs()));
            let y = Scale::new(padded((ends.0 * factor, ends.1 * factor), 0.08), px);
            let field = Field { x, y };
            field.draw(canvas, look.2, &format!("{} in {volt}", look.1));
            let place =
                |(index, value): (usize, &f32)| field.at((position(index), f64::from(*value) * factor));
            canvas.line(&volts.iter().enumerate().map(place).collect::<Vec<_>>(), look.0, 1.4);
        };
        let under = if zoom.node.is_some() { "" } else { title.as_str() };
        panel(&zoom.volts, ends, (upper, 8.0), (TRACE, "output", under));
        if let Some(node) = &zoom.node {
            panel(&node.volts, node.ends_v, (height - 46.0, upper + 26.0), (NODE, "node", &title));
        }
    })
}
