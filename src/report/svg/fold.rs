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

/// Draws a folded period: darker where more samples fell, by equal factors, and the mean cycle.
#[must_use]
pub fn render_fold(fold: &Fold) -> String {
    let (width, height) = (520.0, 345.0);
    let (time_factor, time) = time_unit(fold.span_s);
    let (volt_factor, volt) = volt_unit(fold.low_v.abs().max(fold.high_v.abs()));
    let columns = fold.mean_v.len().max(1);
    let start = fold.start_s * time_factor;
    let field = Field {
        x: Scale::new((start, start + fold.span_s * time_factor), (66.0, width - 12.0)),
        y: Scale::new((fold.low_v * volt_factor, fold.high_v * volt_factor), (height - 46.0, 22.0)),
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
        field.draw(canvas, &format!("time from the rising edge in {time}"), &format!("output in {volt}"));
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
    let png = render_png(&cells, columns, &std::array::from_fn(color));
    layer(&under, &png, ((field.x.from_px, field.y.to_px), (field.x.to_px, field.y.from_px)), &over)
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
    fn a_single_sample_is_seen_beside_thousands() {
        let steps: Vec<u8> = [0, 1, 10, 100, 10_000].iter().map(|count| step(*count, 10_000)).collect();
        assert_eq!(steps, [0, 2, 4, 8, 15]);
        assert_eq!(step(1, 1), 15);
    }
}
