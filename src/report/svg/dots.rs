//! Every board as a dot, so that nobody has to believe a mean.

use super::axis::{Field, Scale};
use super::canvas::{Anchor, Canvas, FAINT, GREY, INK, Letters, render};
use super::curves::COLORS;
use super::padded;
use crate::report::compare::pictures::{DotRow, Dots};

const WIDTH: f64 = 720.0;
const LEFT: f64 = 110.0;
const ROW: f64 = 58.0;
/// Dots nearer than this would lie on each other.
const APART: f64 = 9.0;

/// Draws the dots of every group. `None` where there is no board.
#[must_use]
pub fn render_dots(dots: &Dots) -> Option<String> {
    let values = dots.rows.iter().flat_map(|row| row.boards.iter().map(|(_, value)| *value));
    let range = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if !range.0.is_finite() {
        return None;
    }
    let bottom = 10.0 + ROW * dots.rows.len() as f64;
    let field = Field {
        x: Scale::new(padded(range, 0.08), (LEFT, WIDTH - 24.0)),
        y: Scale::new((0.0, 1.0), (bottom, 10.0)),
    };
    Some(render(WIDTH, bottom + 46.0, |canvas| {
        field.draw_level(canvas, &dots.axis);
        for (place, row) in dots.rows.iter().enumerate() {
            let middle = 10.0 + ROW * (place as f64 + 0.5);
            canvas.line(&[(LEFT, middle), (WIDTH - 24.0, middle)], FAINT, 1.0);
            draw_row(canvas, &field, row, (middle, place));
        }
    }))
}

fn draw_row(canvas: &Canvas<'_>, field: &Field, row: &DotRow, (middle, rank): (f64, usize)) {
    let color = COLORS[rank % COLORS.len()];
    canvas.text(&row.name, (LEFT - 12.0, middle), Letters::new(12.5, INK, Anchor::Right).bold());
    if let Some(mean) = row.mean {
        let x = field.x.px(mean);
        canvas.line(&[(x, middle - 20.0), (x, middle + 20.0)], color, 2.2);
        canvas.text("mean", (x, middle - 24.0), Letters::new(10.0, GREY, Anchor::Middle));
    }
    let mut placed: Vec<(f64, f64)> = Vec::new();
    let mut boards: Vec<&(String, f64)> = row.boards.iter().collect();
    boards.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut last_label = f64::NEG_INFINITY;
    for (serial, value) in boards {
        let x = field.x.px(*value);
        let is_free = |lift: f64| {
            !placed.iter().any(|(other, at)| (other - x).abs() < APART && (at - lift).abs() < 1.0)
        };
        let lift = [0.0, -9.0, 9.0, -18.0, 18.0].into_iter().find(|lift| is_free(*lift)).unwrap_or(0.0);
        placed.push((x, lift));
        // Told apart by shape, too.
        if rank.is_multiple_of(2) {
            canvas.disc((x, middle + lift), 4.2, color);
        } else {
            canvas.fill((x - 3.8, middle + lift - 3.8), (x + 3.8, middle + lift + 3.8), color);
        }
        let width = 6.2 * serial.chars().count() as f64;
        if x - width / 2.0 > last_label {
            canvas.text(serial, (x, middle + 23.0), Letters::new(10.0, GREY, Anchor::Middle));
            last_label = x + width / 2.0 + 4.0;
        }
    }
}
