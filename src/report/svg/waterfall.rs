//! The folded period over the days: a row a capture, the newest below.

use plotters::style::RGBColor;

use super::axis::{Field, Scale, number};
use super::canvas::{Anchor, GREY, Letters, blues, render};
use super::raster::{COLORS, layer, render_png};
use super::time_unit;
use super::timeline::long_unit;
use crate::base::units::with_prefix;
use crate::report::soak::waterfall::{COLUMNS, Waterfall};

const WIDTH: f64 = 640.0;

/// Draws the rows: dark is high.
#[must_use]
pub fn render_waterfall(waterfall: &Waterfall) -> String {
    let rows = waterfall.lines.len();
    let height = (rows as f64 * 8.0).clamp(90.0, 300.0);
    let (time_factor, time) = time_unit(waterfall.span_s.1);
    let start = waterfall.span_s.0 * time_factor;
    let field = Field {
        x: Scale::new((start, start + waterfall.span_s.1 * time_factor), (66.0, WIDTH - 12.0)),
        y: Scale::new((0.0, rows as f64), (24.0, 24.0 + height)),
    };
    let there = || waterfall.lines.iter().flat_map(|line| line.volts.iter().flatten());
    let (low, high) = there()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
    let step = |value: f64| {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        (1.0 + share * (COLORS - 2) as f64).round() as u8
    };
    let under = render(WIDTH, 24.0 + height + 46.0, |_| {});
    let over = render(WIDTH, 24.0 + height + 46.0, |canvas| {
        let flat = Field { y: Scale::new((0.0, 1.0), (24.0 + height, 24.0)), ..field };
        flat.draw_level(canvas, &format!("time from the rising edge in {time}"));
        let last_s = waterfall.lines.last().map_or(0.0, |line| line.at_s);
        let (unit_s, unit) = long_unit(last_s);
        let every = rows.div_ceil((height / 34.0) as usize).max(1);
        for (row, line) in waterfall.lines.iter().enumerate().step_by(every) {
            let text = number(line.at_s / unit_s, 1);
            canvas.text(&text, (59.0, field.y.px(row as f64 + 0.5)), Letters::new(12.0, GREY, Anchor::Right));
        }
        let title = format!("time since the run began in {unit}");
        let letters = Letters::new(if height < 150.0 { 8.5 } else { 12.0 }, GREY, Anchor::Middle);
        canvas.text_upwards(&title, (12.0, 24.0 + height / 2.0), letters);
        let letters = |anchor| Letters::new(11.5, GREY, anchor);
        let (left, right, y) = (WIDTH - 190.0, WIDTH - 80.0, 10.0);
        canvas.text(&with_prefix(low, "V").replace('-', "−"), (left - 6.0, y), letters(Anchor::Right));
        let part = (right - left) / (COLORS - 1) as f64;
        for step in 1..COLORS {
            let x = left + part * (step - 1) as f64;
            canvas.fill((x, y - 5.0), (x + part, y + 5.0), color(step));
        }
        canvas.text(&with_prefix(high, "V"), (right + 6.0, y), letters(Anchor::Left));
    });
    let cells: Vec<u8> = waterfall
        .lines
        .iter()
        .flat_map(|line| {
            (0..COLUMNS).map(move |column| line.volts.get(column).copied().flatten().map_or(0, step))
        })
        .collect();
    let png = render_png(&cells, COLUMNS, &std::array::from_fn(color));
    layer(&under, &png, ((field.x.from_px, 24.0), (field.x.to_px, 24.0 + height)), &over)
}

fn color(step: usize) -> RGBColor {
    blues((step as f64 - 1.0) / (COLORS - 2) as f64)
}
