//! The histogram of the output: how often it stood where, in powers of ten, so that single samples are seen.

use plotters::style::RGBColor;

use super::axis::{Field, Scale};
use super::canvas::{Anchor, Letters, render};
use super::decades::draw_upright;
use super::{padded, volt_unit};
use crate::base::units::with_prefix;
use crate::waveform::histogram::Histogram;

const BARS: RGBColor = RGBColor(0x1f, 0x6f, 0xb2);
const MEAN: RGBColor = RGBColor(0xb3, 0x4a, 0x00);

/// Bins the picture can show.
pub(in crate::report) const BINS: usize = 220;

/// Draws a histogram with logarithmic counts and the mean.
#[must_use]
pub fn render_histogram(histogram: &Histogram) -> String {
    let (width, height) = (520.0, 345.0);
    let (low_v, high_v) = (histogram.low_v, histogram.high_v());
    let (factor, unit) = volt_unit(low_v.abs().max(high_v.abs()));
    let most = histogram.counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    let field = Field {
        x: Scale::new(padded((low_v * factor, high_v * factor), 0.02), (66.0, width - 16.0)),
        // One sample stands clear of the ground.
        y: Scale::new((-0.3, most.log10() * 1.05 + 0.1), (height - 46.0, 22.0)),
    };
    let ground = field.y.from_px;
    render(width, height, |canvas| {
        draw_upright(canvas, &field, &format!("samples in {}", with_prefix(histogram.bin_v, "V")), "");
        field.draw_level(canvas, &format!("output in {unit}"));
        let x = |bin: usize| field.x.px((low_v + histogram.bin_v * bin as f64) * factor);
        let mut from = 0;
        // Bars that touch are one shape: between shapes a seam would show.
        for run in histogram.counts.chunk_by(|a, b| (*a > 0) == (*b > 0)) {
            if run[0] > 0 {
                canvas.polygon(&outline(run, |place| x(from + place), &field.y), BARS);
            }
            from += run.len();
        }
        let mean = field.x.px(histogram.mean_v * factor);
        canvas.dashes((mean, ground), (mean, field.y.to_px), MEAN, 1.5);
        let is_left = mean < f64::midpoint(field.x.from_px, field.x.to_px);
        let anchor = if is_left { Anchor::Left } else { Anchor::Right };
        let told = format!("mean {}", with_prefix(histogram.mean_v, "V").replace('-', "−"));
        canvas.text(&told, (mean, 11.0), Letters::new(12.0, MEAN, anchor));
    })
}

/// The shape of neighbouring bars. A lone sample far out keeps a width that is seen.
fn outline(counts: &[u64], x: impl Fn(usize) -> f64, y: &Scale) -> Vec<(f64, f64)> {
    let mut points = vec![(x(0), y.from_px)];
    for (place, count) in counts.iter().enumerate() {
        let top = y.px((*count as f64).log10());
        points.push((x(place), top));
        points.push((x(place + 1).max(x(0) + 1.2), top));
    }
    points.push((x(counts.len()).max(x(0) + 1.2), y.from_px));
    points
}
