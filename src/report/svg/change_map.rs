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

/// A map of few columns is no wider than its legend, so that it can be read on a phone as it is.
const NARROWEST: f64 = 372.0;

/// From one line of the legend to the next.
const LINE: f64 = 20.0;

/// How wide the map is, in pixels at its own size.
#[must_use]
pub fn change_map_width(map: &ChangeMap) -> f64 {
    let columns = map.vins.len();
    let grid = Grid::new(columns, map.loads.len()).right(columns) + 2.0;
    grid.max(ramp_end(map) - 12.0).clamp(NARROWEST, WIDTH)
}

/// Draws the map.
#[must_use]
pub fn render_change_map(map: &ChangeMap) -> String {
    let grid = Grid::new(map.vins.len(), map.loads.len());
    let width = change_map_width(map);
    let entries = entries(map, grid.has_room_for_digits());
    let lines = entries_at(&entries, ramp_end(map), width).last().map_or(0, |(_, line)| *line);
    render(width, grid.bottom() + 66.0 + LINE * lines as f64, |canvas| {
        for (place, cell) in map.cells.iter().enumerate() {
            let corners = grid.corners(place % map.vins.len(), place / map.vins.len());
            match cell {
                Some(cell) => draw_cell(canvas, corners, cell, (map.ends, grid.has_room_for_digits())),
                None => canvas.frame(corners.0, corners.1, STROKE, 0.5),
            }
        }
        grid.draw_labels(canvas, &map.vins, &map.loads);
        let y = grid.bottom() + 52.0;
        draw_ramp(canvas, y, map);
        for (entry, (x, line)) in entries.iter().zip(entries_at(&entries, ramp_end(map), width)) {
            entry.draw(canvas, (x, y + LINE * line as f64));
        }
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

/// Where the colours of the legend begin and where the next entry may.
fn ramp_ends(map: &ChangeMap) -> (f64, f64) {
    let from = LEFT + (text_width(&map.told.0, 11.5) + 6.0).max(70.0);
    (from, from + 130.0 + text_width(&map.told.1, 11.5))
}

fn ramp_end(map: &ChangeMap) -> f64 {
    ramp_ends(map).1
}

fn draw_ramp(canvas: &Canvas<'_>, y: f64, map: &ChangeMap) {
    let (low, high) = map.ends;
    let letters = Letters::new(11.5, GREY, Anchor::Left);
    let (ramp, _) = ramp_ends(map);
    canvas.text(&map.told.0, (LEFT, y), letters);
    for step in 0..21_u8 {
        let x = ramp + 5.0 * f64::from(step);
        let value = low + f64::from(step) / 20.0 * (high - low);
        canvas.fill((x, y - 6.0), (x + 5.0, y + 6.0), ground(value, map.ends));
    }
    canvas.text(&map.told.1, (ramp + 112.0, y), letters);
}

/// What a mark in the map means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Undecided,
    Bound,
    More,
    Absent,
}

impl Entry {
    const fn words(self) -> &'static str {
        match self {
            Self::Undecided => "not decided",
            Self::Bound => "a bound",
            Self::More => "more",
            Self::Absent => "not on both sides",
        }
    }

    fn width(self) -> f64 {
        46.0 + 6.2 * self.words().chars().count() as f64
    }

    fn draw(self, canvas: &Canvas<'_>, (x, y): (f64, f64)) {
        let (from, to) = ((x, y - 7.0), (x + 22.0, y + 7.0));
        let middle = (f64::midpoint(from.0, to.0), y);
        match self {
            Self::Undecided => {
                canvas.hatch(from, to, GREY);
                canvas.frame(from, to, INK, 1.5);
            }
            Self::Bound => canvas.text("≤ ≥", middle, Letters::new(11.0, GREY, Anchor::Middle)),
            Self::More => canvas.text("+", middle, Letters::new(11.0, INK, Anchor::Middle).bold()),
            Self::Absent => canvas.frame(from, to, STROKE, 0.5),
        }
        canvas.text(self.words(), (x + 28.0, y), Letters::new(11.5, GREY, Anchor::Left));
    }
}

/// The marks that the map has.
fn entries(map: &ChangeMap, has_digits: bool) -> Vec<Entry> {
    let cells = || map.cells.iter().flatten();
    let (low, high) = map.ends;
    let marks = [
        (Entry::Undecided, cells().any(|cell| cell.is_undecided)),
        (Entry::Bound, cells().any(|cell| cell.told.contains(['≤', '≥']))),
        (Entry::More, !has_digits && low < 0.0 && high > 0.0),
        (Entry::Absent, map.cells.iter().any(Option::is_none)),
    ];
    marks.into_iter().filter(|(_, is_there)| *is_there).map(|(entry, _)| entry).collect()
}

/// Where each stands, on the line of the colours or, where there is no room, on the next one.
fn entries_at(entries: &[Entry], from: f64, width: f64) -> Vec<(f64, usize)> {
    let (mut x, mut line) = (from, 0);
    let mut places = Vec::new();
    for entry in entries {
        if x + entry.width() - 18.0 > width && x > LEFT {
            (x, line) = (LEFT, line + 1);
        }
        places.push((x, line));
        x += entry.width();
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_of_few_columns_fits_on_a_phone_and_its_legend_is_never_cut() {
        let cell = |told: &str| Some(ChangeCell { value: -1.0, is_undecided: true, told: told.to_owned() });
        for columns in [1, 2, 5, 12, 40] {
            let vins: Vec<f64> = (0..columns).map(f64::from).collect();
            let mut cells: Vec<_> = vins.iter().map(|_| cell("≤−1.0")).collect();
            cells.extend(vins.iter().map(|_| None));
            let told = ("−100.25 %-points".to_owned(), "+100.25 %-points".to_owned());
            let (loads, ends, unit) = (vec![0.1, 0.2], (-1.0, 1.0), "%-points");
            let map = ChangeMap { vins, loads, cells, has_scatter: true, unit, ends, told };
            let width = change_map_width(&map);
            assert!(columns > 5 || width <= 430.0, "{columns}: {width}");
            let entries = entries(&map, true);
            assert_eq!(entries, [Entry::Undecided, Entry::Bound, Entry::Absent]);
            for (entry, (x, _)) in entries.iter().zip(entries_at(&entries, ramp_end(&map), width)) {
                assert!(x + entry.width() - 18.0 <= width, "{columns} {entry:?}: {x} of {width}");
            }
            assert!(ramp_end(&map) - 18.0 <= width, "{columns}");
        }
    }

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
