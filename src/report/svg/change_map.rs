//! A change over input voltage and load: which way, how much, and where it is not decided.

use plotters::style::RGBColor;

use super::canvas::{Anchor, Canvas, GREY, INK, Letters, letters_on, render, text_width};
use super::map::{Grid, LEFT, STROKE, WIDTH};
use crate::report::compare::pictures::{ChangeCell, ChangeMap};

/// For less; it is read as dark in grey, too.
const LESS: RGBColor = RGBColor(0x05, 0x5a, 0x8c);
/// For more; told from the other by colour-blind people, and by the sign in the cell.
const MORE: RGBColor = RGBColor(0xc2, 0x50, 0x00);
const PAPER: RGBColor = RGBColor(0xf7, 0xf7, 0xf5);

/// Draws the map.
#[must_use]
pub fn render_change_map(map: &ChangeMap) -> String {
    let grid = Grid::new(map.vins.len(), map.loads.len());
    render(WIDTH, grid.bottom() + 66.0, |canvas| {
        for (place, cell) in map.cells.iter().enumerate() {
            let corners = grid.corners(place % map.vins.len(), place / map.vins.len());
            match cell {
                Some(cell) => draw_cell(canvas, corners, cell, (map.ends, grid.has_room_for_digits())),
                None => canvas.frame(corners.0, corners.1, STROKE, 0.5),
            }
        }
        grid.draw_labels(canvas, &map.vins, &map.loads);
        draw_legend(canvas, grid.bottom() + 52.0, (map, grid.has_room_for_digits()));
    })
}

/// The colour of a value between two ends. About zero no change is white and both signs grow darker; of changes that are all of
/// one sign and alike the smallest one is already tinted.
fn ground(value: f64, (low, high): (f64, f64)) -> RGBColor {
    let end = if value < 0.0 { LESS } else { MORE };
    let (near, far) = if low < 0.0 && high > 0.0 {
        (0.0, high.max(-low))
    } else {
        (low.abs().min(high.abs()), low.abs().max(high.abs()))
    };
    let share = if far > near { ((value.abs() - near) / (far - near)).clamp(0.0, 1.0) } else { 0.0 };
    let share = if near > 0.0 { 0.15 + 0.85 * share } else { share };
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share).round() as u8;
    RGBColor(mix(PAPER.0, end.0), mix(PAPER.1, end.1), mix(PAPER.2, end.2))
}

fn draw_cell(
    canvas: &Canvas<'_>,
    (from, to): ((f64, f64), (f64, f64)),
    cell: &ChangeCell,
    (ends, has_digits): ((f64, f64), bool),
) {
    let ground = ground(cell.value, ends);
    canvas.fill(from, to, ground);
    if cell.is_undecided {
        canvas.hatch(from, to, if letters_on(ground) == INK { GREY } else { PAPER });
        canvas.frame((from.0 + 1.0, from.1 + 1.0), (to.0 - 1.0, to.1 - 1.0), INK, 1.5);
    }
    if has_digits {
        let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        let size = ((to.0 - from.0 - 3.0) / (0.6 * cell.told.chars().count() as f64)).clamp(7.0, 11.0);
        if cell.is_undecided {
            let half = 0.3 * size * cell.told.chars().count() as f64 + 2.0;
            canvas.fill((middle.0 - half, middle.1 - 7.0), (middle.0 + half, middle.1 + 7.0), ground);
        }
        canvas.text(&cell.told, middle, Letters::new(size, letters_on(ground), Anchor::Middle));
    } else if cell.value > 0.0 && ends.0 < 0.0 {
        // On grey paper more is as dark as less.
        let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        let letters = Letters::new(11.0, letters_on(ground), Anchor::Middle).bold();
        canvas.text("+", middle, letters);
    }
}

fn draw_legend(canvas: &Canvas<'_>, y: f64, (map, has_digits): (&ChangeMap, bool)) {
    let (low, high) = map.ends;
    let letters = Letters::new(11.5, GREY, Anchor::Left);
    let ramp = LEFT + (text_width(&map.told.0, 11.5) + 6.0).max(70.0);
    canvas.text(&map.told.0, (LEFT, y), letters);
    for step in 0..21_u8 {
        let x = ramp + 5.0 * f64::from(step);
        let value = low + f64::from(step) / 20.0 * (high - low);
        canvas.fill((x, y - 6.0), (x + 5.0, y + 6.0), ground(value, map.ends));
    }
    canvas.text(&map.told.1, (ramp + 112.0, y), letters);
    let mut x = ramp + 130.0 + text_width(&map.told.1, 11.5);
    let mut entry = |text: &str, draw: &dyn Fn((f64, f64), (f64, f64))| {
        draw((x, y - 7.0), (x + 22.0, y + 7.0));
        canvas.text(text, (x + 28.0, y), letters);
        x += 46.0 + 6.2 * text.chars().count() as f64;
    };
    if map.cells.iter().flatten().any(|cell| cell.is_undecided) {
        entry("not decided: the boards scatter as much", &|from, to| {
            canvas.hatch(from, to, GREY);
            canvas.frame(from, to, INK, 1.5);
        });
    }
    if map.cells.iter().flatten().any(|cell| cell.told.contains(['≤', '≥'])) {
        entry("a bound", &|from, to| {
            let middle = (f64::midpoint(from.0, to.0), y);
            canvas.text("≤ ≥", middle, Letters::new(11.0, GREY, Anchor::Middle));
        });
    }
    if !has_digits && low < 0.0 && high > 0.0 {
        entry("more", &|from, to| {
            let middle = (f64::midpoint(from.0, to.0), y);
            canvas.text("+", middle, Letters::new(11.0, INK, Anchor::Middle).bold());
        });
    }
    if map.cells.iter().any(Option::is_none) {
        entry("not on both sides", &|from, to| canvas.frame(from, to, STROKE, 0.5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_change_is_white_and_of_changes_of_one_sign_the_larger_one_is_darker() {
        assert_eq!(ground(0.0, (-2.0, 2.0)), PAPER);
        assert_eq!(ground(-2.0, (-2.0, 2.0)), LESS);
        assert_eq!(ground(2.0, (-2.0, 2.0)), MORE);
        let light = |color: RGBColor| u32::from(color.0) + u32::from(color.1) + u32::from(color.2);
        let ends = (-40.0, -38.0);
        assert!(light(ground(-40.0, ends)) < light(ground(-39.0, ends)));
        assert!(light(ground(-39.0, ends)) < light(ground(-38.0, ends)));
        assert!(light(ground(-38.0, ends)) < light(PAPER));
        assert_eq!(ground(0.0, (0.0, 0.0)), PAPER);
    }
}
