//! One switching period with all cycles laid over each other: how often the trace was where.

use plotters::style::RGBColor;

use super::axis::{Field, Scale};
use super::canvas::{Anchor, GREY, Letters, blues, render};
use super::raster::{COLORS, layer, render_png};
use super::{time_unit, volt_unit};
use crate::base::units::with_prefix;
use crate::waveform::density::Fold;

const MEAN: RGBColor = RGBColor(0xd5, 0x5e, 0x00);

/// Columns and rows the picture can show.
pub(in crate::report) const GRID: (usize, usize) = (440, 220);

/// Draws a folded period: darker where more samples fell, by equal factors, and the mean cycle; `is_even` where no edge tells when
/// it begins.
#[must_use]
pub fn render_fold(fold: &Fold, is_even: bool) -> String {
    let (width, height) = (520.0, 345.0);
    let (time_factor, time) = time_unit(fold.span_s);
    let (volt_factor, volt) = volt_unit(fold.low_v.abs().max(fold.high_v.abs()));
    let columns = fold.mean_v.len().max(1);
    let start = fold.start_s * time_factor;
    let (low, high) = (fold.low_v * volt_factor, fold.high_v * volt_factor);
    let room = ROOM * (high - low);
    let field = Field {
        x: Scale::new((start, start + fold.span_s * time_factor), (66.0, width - 12.0)),
        y: Scale::new((low - room, high + room), (height - 46.0, 22.0)),
    };
    let pitch = (field.x.to_px - field.x.from_px) / columns as f64;
    let mean: Vec<(f64, f64)> = (0..columns)
        .filter_map(|column| {
            let volts = fold.mean_v.get(column).copied().flatten()?;
            let y = field.y.px(field.y.clamp(volts * volt_factor));
            Some((field.x.from_px + pitch * (column as f64 + 0.5), y))
        })
        .collect();
    let most = fold.density.iter().copied().max().unwrap_or(1).max(1);
    let under = render(width, height, |canvas| {
        let from = if is_even { "time within the period" } else { "time from the rising edge" };
        field.draw(canvas, &format!("{from} in {time}"), &format!("output in {volt}"));
    });
    let over = render(width, height, |canvas| {
        canvas.line(&mean, MEAN, 1.1);
        let letters = |anchor| Letters::new(12.0, GREY, anchor);
        let (left, right, y) = (width - 140.0, width - 62.0, 10.0);
        canvas.text("samples in a cell: 1", (left - 6.0, y), letters(Anchor::Right));
        let part = (right - left) / (COLORS - 1) as f64;
        for step in 1..COLORS {
            let x = left + part * (step - 1) as f64;
            canvas.fill((x, y - 5.0), (x + part, y + 5.0), color(step));
        }
        canvas.text(with_prefix(f64::from(most), "").trim(), (right + 6.0, y), letters(Anchor::Left));
    });
    // The grid's rows run upwards, a picture's downwards.
    let cells: Vec<u8> = fold
        .density
        .chunks(columns)
        .rev()
        .flat_map(|counts| {
            (0..columns).map(move |column| counts.get(column).map_or(0, |count| step(*count, most)))
        })
        .collect();
    let png = render_png(&enlarge_lone(&cells, columns), columns, &std::array::from_fn(color));
    layer(&under, &png, ((field.x.from_px, field.y.px(high)), (field.x.to_px, field.y.px(low))), &over)
}

/// Room above and below the samples, as a part of their range: the highest and the lowest one stand clear of the frame.
const ROOM: f64 = 0.015;

/// A cell that stands alone is a rare event, and a single point is not seen: its neighbours take its colour, so that it is a cross of
/// three by three.
fn enlarge_lone(cells: &[u8], columns: usize) -> Vec<u8> {
    let rows = cells.len() / columns.max(1);
    let around = |row: usize, column: usize| {
        let near = |at: usize, end: usize| at.saturating_sub(1)..(at + 2).min(end);
        near(row, rows).flat_map(move |row| near(column, columns).map(move |column| row * columns + column))
    };
    let mut enlarged = cells.to_vec();
    for (place, step) in cells.iter().enumerate().filter(|(_, step)| **step > 0) {
        let (row, column) = (place / columns, place % columns);
        if around(row, column).filter(|at| cells[*at] > 0).count() > 1 {
            continue;
        }
        let is_beside = |at: &usize| at / columns == row || at % columns == column;
        around(row, column).filter(is_beside).for_each(|at| enlarged[at] = *step);
    }
    enlarged
}

/// Even one sample is dark enough to be seen on paper.
fn color(step: usize) -> RGBColor {
    blues(0.32 + 0.68 * step as f64 / (COLORS - 1) as f64)
}

/// Zero where no sample fell; from there the steps grow by equal factors, so that a single sample is seen beside thousands.
fn step(count: u32, most: u32) -> u8 {
    if count == 0 {
        return 0;
    }
    let share = f64::from(count).ln_1p() / f64::from(most).ln_1p();
    ((share * (COLORS - 1) as f64).ceil() as u8).clamp(1, COLORS as u8 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_stands_alone_is_a_cross_and_all_others_stay_as_they_are() {
        let drawn = |text: &str| {
            let columns = text.find('/').unwrap();
            let cells: Vec<u8> = text.bytes().filter(|byte| *byte != b'/').map(|byte| byte - b'0').collect();
            let shown: String = enlarge_lone(&cells, columns).iter().map(u8::to_string).collect();
            let rows: Vec<&str> =
                (0..shown.len()).step_by(columns).map(|at| &shown[at..at + columns]).collect();
            rows.join("/")
        };
        for (cells, expected) in [
            ("00000/00300/00000", "00300/03330/00300"),
            ("30000/00000/00000", "33000/30000/00000"),
            ("00000/00000/00004", "00000/00004/00044"),
            ("00000/02300/00000", "00000/02300/00000"),
            ("20000/03000/00000", "20000/03000/00000"),
            ("00000/00000/00000", "00000/00000/00000"),
        ] {
            assert_eq!(drawn(cells), expected, "{cells}");
        }
    }

    #[test]
    fn a_single_sample_is_seen_beside_thousands() {
        let steps: Vec<u8> = [0, 1, 10, 100, 10_000].iter().map(|count| step(*count, 10_000)).collect();
        assert_eq!(steps, [0, 2, 4, 8, 15]);
        assert_eq!(step(1, 1), 15);
    }
}
