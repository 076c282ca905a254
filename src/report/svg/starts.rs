//! How long starts took: a bar a bin.

use super::axis::{Field, Scale};
use super::canvas::{Anchor, GREY, Letters, render};
use super::look::COLORS;
use super::time_unit;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 230.0;
const BINS: usize = 30;

/// Draws the histogram of times in seconds. `None` where there are none.
#[must_use]
pub fn render_starts(took_s: &[f64]) -> Option<String> {
    let (low, high) = took_s
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
    if !(low.is_finite() && high.is_finite()) {
        return None;
    }
    // Times that are all alike are one bar with room beside it.
    let (from, to) = if high - low > 1e-9 { (low, high) } else { (0.5 * low, 1.5 * high.max(1e-6)) };
    let width = (to - from) / BINS as f64;
    let mut counts = [0_u32; BINS];
    for value in took_s {
        counts[(((value - from) / width) as usize).min(BINS - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(1);
    let (factor, unit) = time_unit(to);
    let field = Field {
        x: Scale::new((from * factor, to * factor), (66.0, WIDTH - 20.0)),
        y: Scale::new((0.0, f64::from(most) * 1.12), (HEIGHT - 46.0, 12.0)),
    };
    Some(render(WIDTH, HEIGHT, |canvas| {
        field.draw(canvas, &format!("time from switching on to regulation in {unit}"), "starts");
        for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let left = field.x.px((from + width * place as f64) * factor);
            let right = field.x.px((from + width * (place + 1) as f64) * factor);
            let top = field.y.px(f64::from(*count));
            canvas.fill((left + 0.7, top), (right - 0.7, field.y.from_px), COLORS[0]);
            let letters = Letters::new(10.0, GREY, Anchor::Middle);
            canvas.text(&count.to_string(), (f64::midpoint(left, right), top - 7.0), letters);
        }
    }))
}
