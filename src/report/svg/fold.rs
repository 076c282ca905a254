//! One switching period with all cycles laid over each other: how often the trace was where.

use plotters::style::RGBColor;

use super::axis::{Field, Scale};
use super::canvas::{blues, render};
use super::{time_unit, volt_unit};
use crate::waveform::fold::Fold;

const MEAN: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
/// Between the lowest and the highest sample.
const BETWEEN: RGBColor = RGBColor(0xe2, 0xec, 0xf6);
/// Steps of density that are told apart.
const STEPS: u32 = 5;

/// Columns and rows the picture can show.
pub(in crate::report) const GRID: (usize, usize) = (220, 110);

/// Draws a folded period: darker where more samples fell, pale between the lowest and highest, and the mean cycle. The
/// period begins a tenth before the rising edge, so that the spikes there stand whole.
#[must_use]
pub fn render_fold(fold: &Fold) -> String {
    let (width, height) = (520.0, 345.0);
    let (time_factor, time) = time_unit(fold.period_s);
    let (volt_factor, volt) = volt_unit(fold.low_v.abs().max(fold.high_v.abs()));
    let columns = fold.mean_v.len().max(1);
    let lead = columns / 10;
    let before = fold.period_s * time_factor * lead as f64 / columns as f64;
    let field = Field {
        x: Scale::new((-before, fold.period_s * time_factor - before), (66.0, width - 12.0)),
        y: Scale::new((fold.low_v * volt_factor, fold.high_v * volt_factor), (height - 46.0, 8.0)),
    };
    let cell = (
        (field.x.to_px - field.x.from_px) / columns as f64,
        (field.y.from_px - field.y.to_px) / fold.rows.max(1) as f64,
    );
    let turned = |column: usize| (column + columns - lead) % columns;
    let place = |column: usize, volts: f64| {
        (field.x.from_px + cell.0 * (column as f64 + 0.5), field.y.px(volts * volt_factor))
    };
    let line = |values: &[Option<f64>]| -> Vec<(f64, f64)> {
        let value = |column: usize| values.get(turned(column)).copied().flatten();
        (0..columns).filter_map(|column| value(column).map(|volts| place(column, volts))).collect()
    };
    render(width, height, |canvas| {
        let mut outline = line(&fold.max_v);
        outline.extend(line(&fold.min_v).into_iter().rev());
        canvas.polygon(&outline, BETWEEN);
        field.draw(canvas, &format!("time from the rising edge in {time}"), &format!("output in {volt}"));
        let most = fold.density.iter().copied().max().unwrap_or(1).max(1);
        for (row, counts) in fold.density.chunks(columns).enumerate() {
            let y = field.y.from_px - cell.1 * row as f64;
            let steps: Vec<u32> = (0..columns)
                .map(|column| counts.get(turned(column)).map_or(0, |count| step(*count, most)))
                .collect();
            let mut column = 0;
            // Neighbours of one step become one rectangle: the picture stays small.
            for run in steps.chunk_by(|a, b| a == b) {
                if run[0] > 0 {
                    let x = field.x.from_px + cell.0 * column as f64;
                    let right = x + cell.0 * run.len() as f64;
                    let color = blues(0.25 + 0.75 * f64::from(run[0]) / f64::from(STEPS));
                    canvas.fill((x, y - cell.1), (right, y), color);
                }
                column += run.len();
            }
        }
        canvas.line(&line(&fold.mean_v), MEAN, 1.6);
    })
}

/// Zero where no sample fell; from there the steps grow by equal factors, so that a single sample is seen beside thousands.
fn step(count: u32, most: u32) -> u32 {
    if count == 0 {
        return 0;
    }
    let share = f64::from(count).ln_1p() / f64::from(most).ln_1p();
    ((share * f64::from(STEPS)).ceil() as u32).clamp(1, STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_sample_is_seen_beside_thousands() {
        let steps: Vec<u32> = [0, 1, 10, 100, 10_000].iter().map(|count| step(*count, 10_000)).collect();
        assert_eq!(steps, [0, 1, 2, 3, 5]);
        assert_eq!(step(1, 1), STEPS);
    }
}
