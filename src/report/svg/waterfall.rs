//! The folded period over the days, the newest below: as it is, and its change against the first captures.

use plotters::style::RGBColor;

use super::axis::{Field, Scale};
use super::canvas::{Anchor, Canvas, GREY, INK, Letters, blues, render};
use super::raster::{COLORS, layer, render_png};
use super::time_unit;
use super::timeline::long_unit;
use crate::base::stats::{mean, quantile};
use crate::base::units::with_prefix;
use crate::report::soak::waterfall::{COLUMNS, Line, Waterfall};

const WIDTH: f64 = 1060.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 344.0;
const HEIGHT: f64 = BOTTOM + 46.0;
/// Rows of a picture: the finest step in time that can be seen.
const ROWS: usize = 150;
/// Values beyond these parts of all values take the last colour: spikes would leave the ripple none.
const SHOWN: (f64, f64) = (0.02, 0.98);

/// One of the two pictures.
struct Panel {
    title: String,
    /// From left to right.
    x: (f64, f64),
    rows: Vec<Vec<Option<f64>>>,
    /// Volts of the first and the last colour.
    scale: (f64, f64),
    color: fn(usize) -> RGBColor,
}

/// Draws both: each capture reaches down to the next one. The change is left out where there is one capture only.
#[must_use]
pub fn render_waterfall(waterfall: &Waterfall) -> String {
    let lines = &waterfall.lines;
    let last_s = lines.last().map_or(0.0, |line| line.at_s);
    let first_s = lines.first().map_or(0.0, |line| line.at_s);
    // The last capture has no next one; it is given as much as the others have.
    let until_s = last_s + (last_s - first_s).max(1.0) / lines.len().max(2) as f64;
    let rows = by_time(lines, (first_s, until_s));
    let mut panels = vec![as_it_is(rows.clone())];
    if lines.len() > 1 {
        panels.push(change(rows, lines));
    }
    let (unit_s, unit) = long_unit(last_s);
    let times = Scale::new((first_s / unit_s, until_s / unit_s), (TOP, BOTTOM));
    let over = render(WIDTH, HEIGHT, |canvas| {
        // Time runs down, and its axis stands at the left of both.
        let field = Field { x: Scale::new((0.0, 1.0), panels[0].x), y: times };
        field.draw_upright(canvas, &format!("time since the run began in {unit}"));
        panels.iter().for_each(|panel| draw_panel(canvas, panel, waterfall.span_s));
    });
    let empty = render(WIDTH, HEIGHT, |_| {});
    panels.iter().enumerate().fold(empty.clone(), |under, (place, panel)| {
        let png = render_png(&cells(panel), COLUMNS, &std::array::from_fn(panel.color));
        let rectangle = ((panel.x.0, TOP), (panel.x.1, BOTTOM));
        layer(&under, &png, rectangle, if place + 1 == panels.len() { &over } else { &empty })
    })
}

/// For each row of the picture the capture that was last taken.
fn by_time(lines: &[Line], (first_s, until_s): (f64, f64)) -> Vec<Vec<Option<f64>>> {
    let row_s = (until_s - first_s) / ROWS as f64;
    (0..ROWS)
        .filter_map(|row| {
            let at_s = first_s + (row as f64 + 0.5) * row_s;
            let behind = lines.partition_point(|line| line.at_s <= at_s);
            lines.get(behind.saturating_sub(1)).map(|line| line.volts.clone())
        })
        .collect()
}

fn as_it_is(rows: Vec<Vec<Option<f64>>>) -> Panel {
    let there: Vec<f64> = rows.iter().flatten().copied().flatten().collect();
    let at = |part| quantile(&there, part).unwrap_or(0.0);
    Panel {
        title: "output less its mean".to_owned(),
        x: (74.0, 530.0),
        rows,
        scale: (at(SHOWN.0), at(SHOWN.1)),
        color: |step| blues(share(step)),
    }
}

/// What is more or less than in the first captures: a tenth of them, whose mean is less noisy than one.
fn change(rows: Vec<Vec<Option<f64>>>, lines: &[Line]) -> Panel {
    let first = &lines[..lines.len().div_ceil(10)];
    let before: Vec<Option<f64>> = (0..COLUMNS)
        .map(|column| {
            let values: Vec<f64> =
                first.iter().filter_map(|line| line.volts.get(column).copied().flatten()).collect();
            mean(&values)
        })
        .collect();
    let less = |row: Vec<Option<f64>>| -> Vec<Option<f64>> {
        row.iter().zip(&before).map(|(now, before)| Some((*now)? - (*before)?)).collect()
    };
    let rows: Vec<Vec<Option<f64>>> = rows.into_iter().map(less).collect();
    let sizes: Vec<f64> = rows.iter().flatten().copied().flatten().map(f64::abs).collect();
    let most = quantile(&sizes, SHOWN.1).unwrap_or(0.0);
    let count = first.len();
    Panel {
        title: format!(
            "change against the first {}",
            if count == 1 { "capture".to_owned() } else { format!("{count} captures") }
        ),
        x: (586.0, WIDTH - 18.0),
        rows,
        scale: (-most, most),
        color: |step| less_or_more(share(step)),
    }
}

/// Colour 0 is clear; the others run from 0 to 1.
fn share(step: usize) -> f64 {
    (step as f64 - 1.0) / (COLORS - 2) as f64
}

/// From blue (less) over near white to vermilion (more), which all eyes and a grey print with its legend tell apart.
fn less_or_more(share: f64) -> RGBColor {
    let (less, none, more) = ((0.0, 90.0, 156.0), (247.0, 247.0, 247.0), (190.0, 70.0, 0.0));
    let (end, part) = if share < 0.5 { (less, 1.0 - 2.0 * share) } else { (more, 2.0 * share - 1.0) };
    let mix = |from: f64, to: f64| (from + (to - from) * part).round() as u8;
    RGBColor(mix(none.0, end.0), mix(none.1, end.1), mix(none.2, end.2))
}

fn cells(panel: &Panel) -> Vec<u8> {
    let (low, high) = panel.scale;
    let step = |value: f64| {
        let share = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 };
        (1.0 + share * (COLORS - 2) as f64).round() as u8
    };
    let cell = |row: &[Option<f64>], column: usize| row.get(column).copied().flatten().map_or(0, step);
    panel.rows.iter().flat_map(|row| (0..COLUMNS).map(move |column| cell(row, column))).collect()
}

fn draw_panel(canvas: &Canvas<'_>, panel: &Panel, span_s: (f64, f64)) {
    let (factor, unit) = time_unit(span_s.1);
    let start = span_s.0 * factor;
    let x = Scale::new((start, start + span_s.1 * factor), panel.x);
    let field = Field { x, y: Scale::new((0.0, 1.0), (BOTTOM, TOP)) };
    field.draw_level(canvas, &format!("time from the rising edge in {unit}"));
    canvas.text(&panel.title, (panel.x.0, 10.0), Letters::new(12.5, INK, Anchor::Left));
    let letters = |anchor| Letters::new(12.0, GREY, anchor);
    let volts = |value: f64| with_prefix(value, "V").replace('-', "−");
    let (left, right, y) = (panel.x.0 + 112.0, panel.x.0 + 262.0, 29.0);
    canvas.text(&format!("≤ {}", volts(panel.scale.0)), (left - 6.0, y), letters(Anchor::Right));
    let part = (right - left) / (COLORS - 1) as f64;
    for step in 1..COLORS {
        let from = left + part * (step - 1) as f64;
        canvas.fill((from, y - 5.0), (from + part, y + 5.0), (panel.color)(step));
    }
    canvas.text(&format!("≥ {}", volts(panel.scale.1)), (right + 6.0, y), letters(Anchor::Left));
}
