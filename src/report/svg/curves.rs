//! Lines over input voltage or load, with the limits drawn in.

use plotters::style::RGBColor;

use super::axis::{Field, Scale};
use super::canvas::{Anchor, Canvas, GREY, INK, Letters, RED, WHITE, render};
use super::look::{COLORS, arrow, marker};
use super::padded;
use crate::report::figure::{Bound, FigureView, Line, Spot};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
/// Behind a limit.
const FORBIDDEN: RGBColor = RGBColor(0xfb, 0xec, 0xea);

/// Draws a figure's lines, or those in regulation only. `None` where there is nothing to draw.
#[must_use]
pub fn render_curves(view: &FigureView, is_closer: bool) -> Option<String> {
    let lines = if is_closer { view.closer.as_ref()? } else { &view.lines };
    let values = || lines.iter().flat_map(|line| line.points.iter().filter_map(|spot| spot.value));
    let positions = || lines.iter().flat_map(|line| line.points.iter().map(|spot| spot.at));
    values().next()?;
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let shown = view.shown;
    let (x_range, spread) = (range(&mut positions()), range(&mut values()));
    let bounds: Vec<&Bound> =
        view.bounds.iter().filter(|bound| !is_closer || is_near(bound, x_range, spread)).collect();
    let (mut low, mut high) = range(&mut values().chain(bounds.iter().map(|bound| bound.value)));
    // Zero is the honest ground unless the values lie far from it.
    let has_zero = !is_closer && view.name.unit() != "°C";
    if has_zero && low > 0.0 && low < 0.6 * high {
        low = 0.0;
    } else if has_zero && high < 0.0 && high > 0.6 * low {
        high = 0.0;
    }
    let y_range = padded((low * shown.factor, high * shown.factor), 0.1);
    let y_range = if low == 0.0 { (0.0, y_range.1) } else { y_range };
    let field =
        Field { x: Scale::new(x_range, (66.0, WIDTH - 86.0)), y: Scale::new(y_range, (HEIGHT - 46.0, 12.0)) };
    Some(render(WIDTH, HEIGHT, |canvas| {
        for bound in &bounds {
            shade(canvas, &field, bound, shown.factor);
        }
        field.draw(canvas, view.along.title(), &format!("{} in {}", view.name.title(), shown.unit));
        for line in lines {
            draw_line(canvas, &field, line, shown.factor);
        }
        // Over all lines, or the next ones would hide them.
        for line in lines {
            draw_bounded(canvas, &field, line, shown.factor);
        }
        for bound in &bounds {
            draw_bound(canvas, &field, bound, shown.factor);
        }
        draw_labels(canvas, &field, lines, shown.factor);
    }))
}

/// Whether a bound belongs into the closer picture: it applies there, and drawing it does not hide what the picture is for.
fn is_near(bound: &Bound, x_range: (f64, f64), spread: (f64, f64)) -> bool {
    let applies = bound.from.is_none_or(|from| from < x_range.1) && bound.to.is_none_or(|to| to > x_range.0);
    let distance = (spread.0 - bound.value).max(bound.value - spread.1);
    applies && distance <= 6.0 * (spread.1 - spread.0)
}

/// Left and right end of a bound inside the field, in pixels.
fn ends(field: &Field, bound: &Bound) -> (f64, f64) {
    let end = |value: Option<f64>, otherwise: f64| {
        value.map_or(otherwise, |value| field.x.px(field.x.clamp(value)))
    };
    (end(bound.from, field.x.from_px), end(bound.to, field.x.to_px))
}

fn shade(canvas: &Canvas<'_>, field: &Field, bound: &Bound, factor: f64) {
    let (left, right) = ends(field, bound);
    let y = field.y.px(field.y.clamp(bound.value * factor));
    let far = if bound.is_upper { field.y.to_px } else { field.y.from_px };
    // Where it holds for some lines only, a ground would speak of the others, too.
    if right > left && bound.is_for_all {
        canvas.fill((left, y.min(far)), (right, y.max(far)), FORBIDDEN);
    }
}

fn draw_bound(canvas: &Canvas<'_>, field: &Field, bound: &Bound, factor: f64) {
    let (left, right) = ends(field, bound);
    if right <= left {
        return;
    }
    let y = field.y.px(field.y.clamp(bound.value * factor));
    canvas.dashes((left, y), (right, y), RED, 1.5);
    // Behind the limit, or before it where there is no room behind.
    let is_above = if bound.is_upper { y - field.y.to_px > 18.0 } else { field.y.from_px - y < 18.0 };
    let text_y = if is_above { y - 9.0 } else { y + 10.0 };
    let width = 6.3 * bound.label.chars().count() as f64;
    let ground = if bound.is_for_all && is_above == bound.is_upper { FORBIDDEN } else { WHITE };
    // The label of a short limit at the left end runs out to the right of it, not over the axis.
    let end = right.max(field.x.from_px + width + 8.0);
    let ground = if end > right { WHITE } else { ground };
    canvas.fill((end - width - 6.0, text_y - 7.0), (end - 1.0, text_y + 7.0), ground);
    canvas.text(&bound.label, (end - 4.0, text_y), Letters::new(12.0, RED, Anchor::Right));
}

fn draw_line(canvas: &Canvas<'_>, field: &Field, line: &Line, factor: f64) {
    let color = COLORS[line.rank % COLORS.len()];
    for run in line.points.split(|spot| spot.value.is_none()) {
        let places: Vec<(f64, f64)> = run.iter().filter_map(|spot| place(field, spot, factor)).collect();
        if places.len() > 1 {
            canvas.line(&places, color, 1.75);
        }
        for place in places {
            marker(canvas, place, line.rank, color);
        }
    }
}

fn place(field: &Field, spot: &Spot, factor: f64) -> Option<(f64, f64)> {
    spot.value.map(|value| field.at((spot.at, field.y.clamp(value * factor))))
}

/// Shows which points of a line are only bounds.
fn draw_bounded(canvas: &Canvas<'_>, field: &Field, line: &Line, factor: f64) {
    let color = COLORS[line.rank % COLORS.len()];
    for spot in &line.points {
        if let (Some(value), Some(bound), Some(place)) = (spot.value, spot.bound, place(field, spot, factor))
        {
            arrow(canvas, place, if bound.sign_of(value) == "≤" { 1.0 } else { -1.0 }, color);
        }
    }
}

/// A name at the right end of each line, moved apart where they would lie on each other.
fn draw_labels(canvas: &Canvas<'_>, field: &Field, lines: &[Line], factor: f64) {
    const PITCH: f64 = 15.0;
    let last = |line: &Line| line.points.iter().rev().find_map(|spot| Some((spot.at, spot.value? * factor)));
    let mut labels: Vec<(usize, (f64, f64), f64)> = lines
        .iter()
        .enumerate()
        .filter_map(|(index, line)| last(line).map(|end| (index, field.at(end))))
        .map(|(index, end)| (index, end, end.1))
        .collect();
    labels.sort_by(|a, b| a.2.total_cmp(&b.2));
    let room = (field.y.to_px + 6.0, field.y.from_px - 6.0);
    let mut lowest = room.0;
    for label in &mut labels {
        label.2 = label.2.max(lowest);
        lowest = label.2 + PITCH;
    }
    let mut highest = room.1;
    for label in labels.iter_mut().rev() {
        label.2 = label.2.min(highest);
        highest = label.2 - PITCH;
    }
    for (index, end, y) in labels {
        let rank = lines[index].rank;
        let color = COLORS[rank % COLORS.len()];
        let x = field.x.to_px + 8.0;
        if (y - end.1).abs() > 3.0 || field.x.to_px - end.0 > 3.0 {
            canvas.line(&[(end.0 + 4.0, end.1), (x + 2.0, y)], GREY, 0.5);
        }
        marker(canvas, (x + 7.0, y), rank, color);
        canvas.text(&lines[index].label, (x + 15.0, y), Letters::new(12.5, INK, Anchor::Left).bold());
    }
}
