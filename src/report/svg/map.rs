//! A figure over input voltage and load as a map of cells, and the map of the board's states.

use plotters::style::RGBColor;

use super::canvas::{AMBER, Anchor, Canvas, GREY, INK, Letters, RED, WHITE, blues, letters_on, render};
use crate::base::units::with_prefix;
use crate::event::{PointResult, Region};
use crate::report::figure::{Cell, FigureView, Map, Mark, Shown};

pub(super) const WIDTH: f64 = 1060.0;
pub(super) const LEFT: f64 = 72.0;
const ROW: f64 = 27.0;
const TOP: f64 = 4.0;
/// Ground of a cell without a judged value.
const ASIDE: RGBColor = RGBColor(0xf3, 0xf3, 0xf1);
pub(super) const STROKE: RGBColor = RGBColor(0xc9, 0xc9, 0xc4);

/// Where the cells of a map stand.
pub(super) struct Grid {
    cell_width: f64,
    rows: usize,
}

impl Grid {
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self { cell_width: ((WIDTH - LEFT - 2.0) / columns.max(1) as f64).min(64.0), rows }
    }
    /// Where its last column ends.
    pub(super) fn right(&self, columns: usize) -> f64 {
        LEFT + self.cell_width * columns as f64
    }
    pub(super) fn bottom(&self) -> f64 {
        TOP + ROW * self.rows as f64
    }
    /// Corners of a cell; the lowest load stands at the bottom.
    pub(super) fn corners(&self, column: usize, row: usize) -> ((f64, f64), (f64, f64)) {
        let (x, y) = (LEFT + self.cell_width * column as f64, self.bottom() - ROW * (row + 1) as f64);
        ((x + 0.75, y + 0.75), (x + self.cell_width - 0.75, y + ROW - 0.75))
    }
    pub(super) fn has_room_for_digits(&self) -> bool {
        self.cell_width >= 27.0
    }
    pub(super) fn draw_labels(&self, canvas: &Canvas<'_>, vins: &[f64], loads: &[f64]) {
        let letters = |anchor| Letters::new(12.0, GREY, anchor);
        for (row, load) in loads.iter().enumerate() {
            let (from, to) = self.corners(0, row);
            let middle = f64::midpoint(from.1, to.1);
            canvas.text(&with_prefix(*load, "A"), (LEFT - 8.0, middle), letters(Anchor::Right));
        }
        let every = (30.0 / self.cell_width).ceil().max(1.0) as usize;
        for (column, vin) in vins.iter().enumerate().step_by(every) {
            let (from, to) = self.corners(column, 0);
            let text = with_prefix(*vin, "");
            canvas.text(
                text.trim(),
                (f64::midpoint(from.0, to.0), self.bottom() + 12.0),
                letters(Anchor::Middle),
            );
        }
        let middle = LEFT + self.cell_width * vins.len() as f64 / 2.0;
        canvas.text("input voltage in V", (middle, self.bottom() + 30.0), letters(Anchor::Middle));
    }
}

/// Draws a figure's map with its legend.
#[must_use]
pub fn render_map(view: &FigureView) -> Option<String> {
    let map = view.map.as_ref()?;
    let grid = Grid::new(map.vins.len(), map.loads.len());
    Some(render(WIDTH, grid.bottom() + 66.0, |canvas| {
        for (place, cell) in map.cells.iter().enumerate() {
            let corners = grid.corners(place % map.vins.len(), place / map.vins.len());
            match cell {
                Some(cell) => {
                    draw_cell(canvas, corners, *cell, (view.shown, map), grid.has_room_for_digits());
                }
                None => canvas.frame(corners.0, corners.1, STROKE, 0.5),
            }
        }
        grid.draw_labels(canvas, &map.vins, &map.loads);
        draw_legend(canvas, grid.bottom() + 52.0, (view.shown, map));
    }))
}

fn ground(map: &Map, value: f64) -> RGBColor {
    let (low, high) = map.range;
    // Much means far from zero: a deep negative spike is dark.
    let (low, high, value) = if high <= 0.0 { (-high, -low, -value) } else { (low, high, value) };
    blues(if high > low { (value - low) / (high - low) } else { 0.4 })
}

fn draw_cell(
    canvas: &Canvas<'_>,
    (from, to): ((f64, f64), (f64, f64)),
    cell: Cell,
    (shown, map): (Shown, &Map),
    has_digits: bool,
) {
    let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
    let judged = !matches!(cell.mark, Mark::NotApplicable | Mark::NotMeasured);
    let color = match cell.value {
        Some(value) if judged => {
            let ground = ground(map, value);
            canvas.fill(from, to, ground);
            letters_on(ground)
        }
        _ => {
            canvas.fill(from, to, ASIDE);
            canvas.hatch(from, to, STROKE);
            GREY
        }
    };
    match cell.mark {
        Mark::Fail => canvas.frame((from.0 + 1.0, from.1 + 1.0), (to.0 - 1.0, to.1 - 1.0), RED, 2.5),
        Mark::Marginal => canvas.frame((from.0 + 1.0, from.1 + 1.0), (to.0 - 1.0, to.1 - 1.0), AMBER, 2.5),
        Mark::NotMeasured => canvas.frame((from.0 + 1.0, from.1 + 1.0), (to.0 - 1.0, to.1 - 1.0), INK, 1.5),
        _ => {}
    }
    if has_digits {
        let text = cell.value.map_or_else(
            || "–".to_owned(),
            |value| {
                let sign = cell.bound.map_or("", |bound| bound.sign_of(value));
                format!("{sign}{}", shown.digits(value))
            },
        );
        let size = ((to.0 - from.0 - 3.0) / (0.6 * text.chars().count() as f64)).clamp(7.0, 11.0);
        let letters = Letters::new(size, color, Anchor::Middle);
        canvas.text(&text, middle, if cell.mark == Mark::Fail { letters.bold() } else { letters });
    }
}

fn draw_legend(canvas: &Canvas<'_>, y: f64, (shown, map): (Shown, &Map)) {
    let letters = Letters::new(11.5, GREY, Anchor::Left);
    let (least, most) = if map.range.1 <= 0.0 { (map.range.1, map.range.0) } else { map.range };
    canvas.text(&format!("{} {}", shown.digits(least), shown.unit), (LEFT, y), letters);
    let ramp = LEFT + 62.0;
    for step in 0..20_u8 {
        let x = ramp + 4.0 * f64::from(step);
        canvas.fill((x, y - 6.0), (x + 4.0, y + 6.0), blues(f64::from(step) / 19.0));
    }
    canvas.text(&format!("{} {}", shown.digits(most), shown.unit), (ramp + 88.0, y), letters);
    if let Some(span) = map.least_span {
        let told = format!("colours span at least {} {}", shown.digits(span), shown.unit);
        canvas.text(&told, (WIDTH - 2.0, y), Letters::new(11.5, GREY, Anchor::Right));
    }
    let has = |mark: Mark| map.cells.iter().flatten().any(|cell| cell.mark == mark);
    let mut x = ramp + 175.0;
    let mut entry = |text: &str, draw: &dyn Fn((f64, f64), (f64, f64))| {
        draw((x, y - 7.0), (x + 22.0, y + 7.0));
        canvas.text(text, (x + 28.0, y), letters);
        x += 46.0 + 6.2 * text.chars().count() as f64;
    };
    let aside = |from, to| {
        canvas.fill(from, to, ASIDE);
        canvas.hatch(from, to, STROKE);
    };
    if has(Mark::Fail) {
        entry("outside a limit", &|from, to| canvas.frame(from, to, RED, 2.5));
    }
    if has(Mark::Marginal) {
        entry("near a limit", &|from, to| canvas.frame(from, to, AMBER, 2.5));
    }
    if has(Mark::NotApplicable) {
        entry("no limit applies here", &aside);
    }
    if has(Mark::NotMeasured) {
        entry("should have been measured, was not", &|from, to| {
            aside(from, to);
            canvas.frame(from, to, INK, 1.5);
        });
    }
    if map.cells.iter().flatten().any(|cell| cell.value.is_none()) {
        entry("not available", &|from, to| {
            aside(from, to);
            canvas.text("–", (f64::midpoint(from.0, to.0), y), Letters::new(11.0, GREY, Anchor::Middle));
        });
    }
    if map.cells.iter().flatten().any(|cell| cell.bound.is_some() && cell.value.is_some()) {
        entry("a bound", &|from, to| {
            let middle = (f64::midpoint(from.0, to.0), y);
            canvas.text("≤ ≥", middle, Letters::new(11.0, GREY, Anchor::Middle));
        });
    }
    if map.cells.iter().any(Option::is_none) {
        entry("not reached", &|from, to| canvas.frame(from, to, STROKE, 0.5));
    }
}

const OFF: RGBColor = RGBColor(0xe9, 0xe9, 0xe6);
const ON: RGBColor = RGBColor(0x7f, 0xc4, 0xa8);
const BETWEEN: RGBColor = RGBColor(0xf2, 0xc1, 0x4e);

/// Draws in which state the board was at each point. `None` where there is only one input voltage.
#[must_use]
pub fn render_regions(points: &[PointResult]) -> Option<String> {
    let axis = |value: &dyn Fn(&PointResult) -> f64| {
        let mut values: Vec<f64> = points.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
        values
    };
    let vins = axis(&|point| point.setting.vin.value());
    let loads = axis(&|point| point.setting.load.value());
    if vins.len() < 2 {
        return None;
    }
    let grid = Grid::new(vins.len(), loads.len());
    let place = |axis: &[f64], value: f64| axis.iter().position(|known| (known - value).abs() < 1e-9);
    Some(render(WIDTH, grid.bottom() + 66.0, |canvas| {
        for point in points {
            let column = place(&vins, point.setting.vin.value());
            let row = place(&loads, point.setting.load.value());
            if let (Some(column), Some(row)) = (column, row) {
                let (from, to) = grid.corners(column, row);
                draw_region(canvas, from, to, point.region);
            }
        }
        grid.draw_labels(canvas, &vins, &loads);
        let mut x = LEFT;
        let letters = Letters::new(11.5, GREY, Anchor::Left);
        for region in [Region::Off, Region::Unregulated, Region::Regulated, Region::Unknown] {
            if points.iter().any(|point| point.region == region) {
                let y = grid.bottom() + 52.0;
                draw_region(canvas, (x, y - 7.0), (x + 26.0, y + 7.0), region);
                let text = match region {
                    Region::Off => "no output",
                    Region::Regulated => "in regulation",
                    Region::Unregulated => "output outside regulation",
                    Region::Unknown => "not known",
                };
                canvas.text(text, (x + 32.0, y), letters);
                x += 54.0 + 6.2 * text.chars().count() as f64;
            }
        }
    }))
}

fn draw_region(canvas: &Canvas<'_>, from: (f64, f64), to: (f64, f64), region: Region) {
    let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
    let (color, sign) = match region {
        Region::Off => (OFF, "·"),
        Region::Regulated => (ON, "✓"),
        Region::Unregulated => (BETWEEN, "~"),
        Region::Unknown => (WHITE, "?"),
    };
    canvas.fill(from, to, color);
    if region == Region::Unknown {
        canvas.hatch(from, to, STROKE);
    }
    if to.0 - from.0 > 10.0 {
        canvas.text(sign, middle, Letters::new(11.0, INK, Anchor::Middle));
    }
}
