//! Allan deviations over averaging time, both by powers of ten.

use super::axis::{Field, Scale};
use super::canvas::{Anchor, Letters, render};
use super::decades;
use super::look::{COLORS, marker};
use crate::trend::AllanPoint;

const WIDTH: f64 = 640.0;
/// Of the picture without the names above it.
const HEIGHT: f64 = 300.0;
/// Of a line with a name.
const NAME: f64 = 14.0;

/// Decades above the highest and below the lowest deviation that are drawn at most: from few averages an interval has hardly an
/// upper end.
const MOST_BEYOND: f64 = 1.0;

/// Draws a line a setting with the intervals. `None` where there is nothing to draw.
#[must_use]
pub fn render_allan(lines: &[(String, &[AllanPoint])]) -> Option<String> {
    let usable = |point: &&AllanPoint| point.deviation.value > 0.0 && point.deviation.low > 0.0;
    let points = || lines.iter().flat_map(|(_, points)| points.iter().filter(usable));
    points().next()?;
    let ends = |values: &mut dyn Iterator<Item = f64>| {
        values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let x = ends(&mut points().map(|point| point.tau_s.log10()));
    let values = ends(&mut points().map(|point| point.deviation.value.log10()));
    let bound = |value: f64| value.log10().clamp(values.0 - MOST_BEYOND, values.1 + MOST_BEYOND);
    let y = ends(&mut points().flat_map(|point| [bound(point.deviation.low), bound(point.deviation.high)]));
    let names = NAME * lines.len() as f64;
    let field = Field {
        x: Scale::new((x.0 - 0.05, x.1 + 0.05), (74.0, WIDTH - 14.0)),
        y: Scale::new((y.0 - 0.08, y.1 + 0.15), (names + HEIGHT - 46.0, names + 12.0)),
    };
    Some(render(WIDTH, names + HEIGHT, |canvas| {
        decades::draw_upright(canvas, &field, "Allan deviation", "V");
        decades::draw_level(canvas, &field, "averaging time", "s");
        for (place, ((name, points), color)) in lines.iter().zip(COLORS).enumerate() {
            let points: Vec<&AllanPoint> = points.iter().filter(usable).collect();
            let at = |point: &AllanPoint, value: f64| field.at((point.tau_s.log10(), value.log10()));
            for point in &points {
                let end = |value: f64| field.at((point.tau_s.log10(), bound(value)));
                canvas.line(&[end(point.deviation.low), end(point.deviation.high)], color, 1.0);
                if point.deviation.high.log10() > values.1 + MOST_BEYOND {
                    let (x, y) = end(point.deviation.high);
                    canvas.line(&[(x - 3.5, y + 6.0), (x, y), (x + 3.5, y + 6.0)], color, 1.0);
                }
                marker(canvas, at(point, point.deviation.value), place, color);
            }
            let line: Vec<(f64, f64)> = points.iter().map(|point| at(point, point.deviation.value)).collect();
            canvas.line(&line, color, 1.4);
            let letters = Letters::new(11.5, color, Anchor::Right).bold();
            let y = 10.0 + NAME * place as f64;
            marker(canvas, (WIDTH - 19.0, y), place, color);
            canvas.text(name, (WIDTH - 28.0, y), letters);
        }
    }))
}
