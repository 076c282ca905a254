//! How a quantity was spread hour by hour: extremes, the middle half, the median.

use plotters::style::RGBColor;

use super::axis::{Field, Scale};
use super::canvas::{Anchor, GREY, Letters, render};
use super::padded;
use super::timeline::{draw_time, long_unit};
use crate::trend::IntervalStats;

const WIDTH: f64 = 1060.0;
const HEIGHT: f64 = 210.0;
const WIDE: RGBColor = RGBColor(0xd9, 0xe8, 0xf4);
const MIDDLE: RGBColor = RGBColor(0x81, 0xb4, 0xd9);
const MEDIAN: RGBColor = RGBColor(0x08, 0x40, 0x79);

/// Draws the spread. `None` where there are no intervals.
#[must_use]
pub fn render_hours(intervals: &[IntervalStats], (title, unit): (&str, &str), span_s: f64) -> Option<String> {
    let (low, high) = intervals
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), one| (low.min(one.min), high.max(one.max)));
    let length_s = 3600.0;
    let last = intervals.last()?;
    let span_s = span_s.max(last.start_s + 1.0);
    let (unit_s, long) = long_unit(span_s);
    let field = Field {
        x: Scale::new((0.0, span_s / unit_s), (74.0, WIDTH - 20.0)),
        y: Scale::new(padded((low, high), 0.06), (HEIGHT - 44.0, 22.0)),
    };
    Some(render(WIDTH, HEIGHT, |canvas| {
        field.draw_upright(canvas, &format!("{title} in {unit}"));
        for one in intervals {
            let right = ((one.start_s + length_s).min(span_s)) / unit_s;
            let (left, right) = (field.x.px(one.start_s / unit_s), field.x.px(right));
            let air = if right - left > 4.0 { 0.6 } else { 0.0 };
            let bar = |from: f64, to: f64, color| {
                let (top, bottom) = (field.y.px(to), field.y.px(from));
                canvas.fill((left + air, top), (right - air, bottom.max(top + 0.8)), color);
            };
            let [p01, _, p25, p50, p75, _, p99] = one.quantiles;
            bar(p01, p99, WIDE);
            bar(p25, p75, MIDDLE);
            bar(p50, p50, MEDIAN);
            let middle = f64::midpoint(left, right);
            for extreme in [one.min, one.max] {
                let y = field.y.px(extreme);
                canvas.line(&[(middle - 1.2, y), (middle + 1.2, y)], GREY, 1.2);
            }
        }
        draw_time(canvas, &field.x, long, HEIGHT - 44.0);
        let letters = Letters::new(11.5, GREY, Anchor::Left);
        let mut x = 74.0;
        for (color, text) in [
            (WIDE, "1 % to 99 %"),
            (MIDDLE, "the middle half"),
            (MEDIAN, "median"),
            (GREY, "lowest and highest"),
        ] {
            let half = if color == MEDIAN || color == GREY { 1.0 } else { 5.0 };
            canvas.fill((x, 9.0 - half), (x + 16.0, 9.0 + half), color);
            canvas.text(text, (x + 22.0, 9.0), letters);
            x += 42.0 + 6.2 * text.chars().count() as f64;
        }
    }))
}
