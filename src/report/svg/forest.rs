//! Changes with their intervals, one under the other: all boards together, each board against the others' mean, each point.

use plotters::style::RGBColor;

use super::axis::{Field, Scale};
use super::canvas::{Anchor, Canvas, FAINT, GREY, INK, Letters, WHITE, render, text_width};
use super::padded;
use crate::report::compare::pictures::{Forest, ForestRow, RowKind};

/// Of the sheet, unless its texts leave the changes less than [`NARROWEST`].
const WIDTH: f64 = 720.0;
const NARROWEST: f64 = 260.0;
const SIZE: f64 = 11.5;
const ROW: f64 = 19.0;
const TOP: f64 = 14.0;
/// Where a change would be for the worse.
const WORSE: RGBColor = RGBColor(0xfb, 0xf1, 0xe4);
const POINT: RGBColor = RGBColor(0x00, 0x72, 0xb2);
const BOARD: RGBColor = RGBColor(0xb3, 0x4a, 0x00);

/// Draws a forest plot. `None` where there is no row.
#[must_use]
pub fn render_forest(forest: &Forest) -> Option<String> {
    let ends = forest.rows.iter().flat_map(|row| {
        let (low, high) = row.interval.unwrap_or((row.value, row.value));
        [row.value, low, high]
    });
    let range =
        ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if forest.rows.is_empty() {
        return None;
    }
    let bottom = TOP + ROW * forest.rows.len() as f64 + 16.0;
    // What stands on both sides of the changes must not run into them.
    let longest = |text: fn(&ForestRow) -> &str| {
        forest.rows.iter().map(|row| text_width(text(row), SIZE)).fold(0.0, f64::max)
    };
    let (left, right) = (longest(|row| &row.label) + 14.0, longest(|row| &row.told) + 16.0);
    let width = WIDTH.max(left + NARROWEST + right);
    let field = Field {
        x: Scale::new(padded(with_zero(range), 0.06), (left, width - right)),
        y: Scale::new((0.0, 1.0), (bottom, TOP - 6.0)),
    };
    Some(render(width, bottom + 46.0, |canvas| {
        if field.x.clamp(0.0) == 0.0 {
            shade_worse(canvas, &field, forest);
            let zero = field.x.px(0.0);
            canvas.line(&[(zero, TOP - 6.0), (zero, bottom)], GREY, 1.2);
        } else {
            point_to_zero(canvas, &field);
        }
        field.draw_level(canvas, &forest.axis);
        for (place, row) in forest.rows.iter().enumerate() {
            let y = TOP + ROW * (place as f64 + 0.5);
            let begins = place > 0 && forest.rows[place - 1].kind != row.kind;
            if begins {
                canvas.line(&[(8.0, y - ROW / 2.0), (width - 8.0, y - ROW / 2.0)], FAINT, 1.0);
            }
            draw_row(canvas, &field, row, y);
        }
    }))
}

/// No change is a place of the picture as long as it does not take most of its room: then the changes would be one heap.
fn with_zero((low, high): (f64, f64)) -> (f64, f64) {
    let away = low.max(-high).max(0.0);
    if away > 3.0 * (high - low) && high > low { (low, high) } else { (low.min(0.0), high.max(0.0)) }
}

/// Where no change lies, which is off the picture.
fn point_to_zero(canvas: &Canvas<'_>, field: &Field) {
    let (x, anchor, text) = if field.x.high < 0.0 {
        (field.x.to_px - 2.0, Anchor::Right, "no change: far off on this side →")
    } else {
        (field.x.from_px + 2.0, Anchor::Left, "← no change: far off on this side")
    };
    canvas.text(text, (x, field.y.from_px - 8.0), Letters::new(10.5, GREY, anchor));
}

fn shade_worse(canvas: &Canvas<'_>, field: &Field, forest: &Forest) {
    let zero = field.x.px(0.0);
    let (from, to, anchor, x) = match forest.worse_is_more {
        Some(true) => (zero, field.x.to_px, Anchor::Right, field.x.to_px - 4.0),
        Some(false) => (field.x.from_px, zero, Anchor::Left, field.x.from_px + 4.0),
        None => return,
    };
    canvas.fill((from, field.y.to_px), (to, field.y.from_px), WORSE);
    if to - from > 50.0 {
        canvas.text("worse", (x, field.y.from_px - 8.0), Letters::new(11.0, GREY, anchor));
    }
}

fn draw_row(canvas: &Canvas<'_>, field: &Field, row: &ForestRow, y: f64) {
    let (color, weight) = match row.kind {
        RowKind::All => (INK, 2.4),
        RowKind::Board => (BOARD, 1.4),
        RowKind::Point => (POINT, 1.4),
    };
    let letters = |anchor| {
        let letters = Letters::new(SIZE, INK, anchor);
        if row.kind == RowKind::All { letters.bold() } else { letters }
    };
    canvas.text(&row.label, (field.x.from_px - 10.0, y), letters(Anchor::Right));
    canvas.text(&row.told, (field.x.to_px + 12.0, y), letters(Anchor::Left));
    let x = field.x.px(field.x.clamp(row.value));
    if let Some((low, high)) = row.interval {
        let (from, to) = (field.x.px(field.x.clamp(low)), field.x.px(field.x.clamp(high)));
        canvas.line(&[(from, y), (to, y)], color, weight);
        for end in [from, to] {
            canvas.line(&[(end, y - 3.0), (end, y + 3.0)], color, weight);
        }
    }
    match row.kind {
        RowKind::All => canvas.polygon(&[(x - 6.0, y), (x, y - 6.0), (x + 6.0, y), (x, y + 6.0)], color),
        RowKind::Board => canvas.fill((x - 3.4, y - 3.4), (x + 3.4, y + 3.4), color),
        RowKind::Point => canvas.disc((x, y), 3.6, color),
    }
    // What is not told from no change is hollow, in the shape that it has else.
    if row.is_undecided {
        match row.kind {
            RowKind::All => {}
            RowKind::Board => canvas.fill((x - 2.0, y - 2.0), (x + 2.0, y + 2.0), WHITE),
            RowKind::Point => canvas.disc((x, y), 2.2, WHITE),
        }
    }
    if let Some(is_more) = row.truth_is_more {
        let side = if is_more { 1.0 } else { -1.0 };
        canvas.line(&[(x, y), (x + 12.0 * side, y)], color, 1.4);
        canvas
            .polygon(&[(x + 11.0 * side, y - 3.5), (x + 11.0 * side, y + 3.5), (x + 17.0 * side, y)], color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_change_is_in_the_picture_unless_it_lies_far_from_every_change() {
        assert_eq!(with_zero((-3.0, 1.0)), (-3.0, 1.0));
        assert_eq!(with_zero((1.0, 4.0)), (0.0, 4.0));
        assert_eq!(with_zero((-41.0, -37.0)), (-41.0, -37.0));
        assert_eq!(with_zero((37.0, 41.0)), (37.0, 41.0));
        assert_eq!(with_zero((5.0, 5.0)), (0.0, 5.0));
    }
}
