//! The spectrum of the output over a logarithmic frequency, with the switching harmonics and the ringing marked.

use plotters::style::RGBColor;

use super::axis::{Field, Scale};
use super::canvas::{Anchor, Canvas, FAINT, Letters, WHITE, render};
use super::decades::{draw_level, draw_upright};
use crate::base::units::with_prefix;
use crate::report::pictures::SpectrumView;

const LINE: RGBColor = RGBColor(0x1f, 0x6f, 0xb2);
const BAND: RGBColor = RGBColor(0xc6, 0xdb, 0xef);
const HARMONIC: RGBColor = RGBColor(0xb3, 0x4a, 0x00);
const RINGING: RGBColor = RGBColor(0x6b, 0x3f, 0x8f);
const WIDTH: f64 = 1060.0;
const HEIGHT: f64 = 300.0;

/// The deepest that is drawn under the highest line.
const DEPTH: f64 = 1e-7;

/// Draws a spectral density in volts per root hertz. Where several lines fall into a column, it runs from the lowest to the
/// highest: no line is lost.
#[must_use]
pub fn render_spectrum(view: &SpectrumView) -> String {
    let columns = columns_of(view);
    let ends = columns.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), column| {
        (low.min(column.low), high.max(column.high))
    });
    let highest = if ends.1 > 0.0 { ends.1 } else { 1.0 };
    let lowest = ends.0.max(highest * DEPTH).min(highest * 0.1);
    let last_hz = view.line_hz * view.density_v_rthz.len().saturating_sub(1).max(2) as f64;
    let field = Field {
        x: Scale::new((view.line_hz.log10(), last_hz.log10()), (74.0, WIDTH - 14.0)),
        y: Scale::new((lowest.log10() - 0.1, highest.log10() + 0.15), (HEIGHT - 46.0, 26.0)),
    };
    let place = |hz: f64, density: f64| {
        (field.x.px(hz.log10()), field.y.px(field.y.clamp(density.max(f64::MIN_POSITIVE).log10())))
    };
    let upper: Vec<(f64, f64)> = columns.iter().map(|column| place(column.hz, column.high)).collect();
    let lower = columns.iter().rev().map(|column| place(column.hz, column.low));
    render(WIDTH, HEIGHT, |canvas| {
        if let Some(limit_hz) = view.limit_hz.filter(|limit_hz| *limit_hz < last_hz) {
            let left = field.x.px(field.x.clamp(limit_hz.log10()));
            canvas.fill((left, field.y.to_px), (field.x.to_px, field.y.from_px), FAINT);
        }
        draw_upright(canvas, &field, "density in V/√Hz", "V");
        draw_level(canvas, &field, "frequency", "Hz");
        let outline: Vec<(f64, f64)> = upper.iter().copied().chain(lower).collect();
        canvas.polygon(&outline, BAND);
        draw_harmonics(canvas, &field, view.switching_hz);
        canvas.line(&upper, LINE, 1.2);
        if let Some(ring_hz) = view.ring_hz {
            draw_ringing(canvas, &field, ring_hz);
        }
    })
}

/// The lines of the spectrum that fall on one pixel.
struct Column {
    hz: f64,
    low: f64,
    high: f64,
}

fn columns_of(view: &SpectrumView) -> Vec<Column> {
    let last = view.density_v_rthz.len().saturating_sub(1).max(2) as f64;
    let pixels = WIDTH - 88.0;
    let mut columns: Vec<Column> = Vec::new();
    let mut at = None;
    // The line at 0 Hz has no place on a logarithmic axis.
    for (index, density) in view.density_v_rthz.iter().enumerate().skip(1) {
        let pixel = ((index as f64).ln() / last.ln() * pixels) as usize;
        let hz = view.line_hz * index as f64;
        match columns.last_mut().filter(|_| at == Some(pixel)) {
            Some(column) => {
                (column.low, column.high) = (column.low.min(*density), column.high.max(*density));
            }
            None => columns.push(Column { hz, low: *density, high: *density }),
        }
        at = Some(pixel);
    }
    columns
}

/// The multiples of the switching frequency over the picture; numbers as far as there is room.
fn draw_harmonics(canvas: &Canvas<'_>, field: &Field, switching_hz: Option<f64>) {
    let Some(switching_hz) = switching_hz.filter(|hz| hz.is_finite() && *hz > 0.0) else { return };
    let (mut marked, mut told) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for order in 1..200 {
        let position = (switching_hz * f64::from(order)).log10();
        if position < field.x.low {
            continue;
        }
        let x = field.x.px(position);
        if position > field.x.high || x - marked < 5.0 {
            break;
        }
        marked = x;
        let top = field.y.to_px;
        let is_told = x - told >= if order < 10 { 16.0 } else { 24.0 };
        canvas.line(&[(x, top), (x, top - if is_told { 6.0 } else { 3.0 })], HARMONIC, 1.2);
        if is_told {
            canvas.dashes((x, top), (x, field.y.from_px), HARMONIC, 0.5);
            let letters = Letters::new(12.0, HARMONIC, Anchor::Middle);
            if order == 1 {
                let words = format!("switching {} ×1", with_prefix(switching_hz, "Hz"));
                canvas.text(&words, (x + 7.0, top - 14.0), Letters::new(12.0, HARMONIC, Anchor::Right));
            } else {
                canvas.text(&format!("{order}"), (x, top - 14.0), letters);
            }
            told = x;
        }
    }
}

fn draw_ringing(canvas: &Canvas<'_>, field: &Field, ring_hz: f64) {
    let position = ring_hz.max(f64::MIN_POSITIVE).log10();
    if !(field.x.low..=field.x.high).contains(&position) {
        return;
    }
    let (x, top) = (field.x.px(position), field.y.to_px);
    canvas.dashes((x, top), (x, field.y.from_px), RINGING, 1.5);
    let words = format!("ringing {}", with_prefix(ring_hz, "Hz"));
    let width = 6.4 * words.chars().count() as f64;
    // Where there is no room at the right, the words stand at the left.
    let is_left = x + width + 10.0 > field.x.to_px;
    let (anchor, from, to) = if is_left {
        (Anchor::Right, x - width - 6.0, x - 2.0)
    } else {
        (Anchor::Left, x + 2.0, x + width + 6.0)
    };
    canvas.fill((from, top + 4.0), (to, top + 20.0), WHITE);
    let text_x = if is_left { x - 4.0 } else { x + 4.0 };
    canvas.text(&words, (text_x, top + 12.0), Letters::new(12.0, RINGING, anchor));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spectrum_of_any_length_makes_a_picture_of_bounded_size_and_loses_no_line() {
        let mut density = vec![1e-9; 1 << 20];
        density[777_777] = 1e-3;
        let view = SpectrumView {
            line_hz: 50.0,
            density_v_rthz: density,
            switching_hz: Some(122e3),
            ring_hz: Some(17e6),
            limit_hz: None,
        };
        assert!(columns_of(&view).iter().any(|column| column.high > 0.9e-3));
        let svg = render_spectrum(&view);
        assert!(svg.len() < 90_000, "{}", svg.len());
        assert!(svg.contains("ringing 17 MHz") && svg.contains("switching 122 kHz"));
    }

    #[test]
    fn a_silent_or_tiny_spectrum_is_drawn_without_a_fault() {
        for density in [vec![], vec![0.0], vec![0.0; 9], vec![1.0, 2.0]] {
            let view = SpectrumView {
                line_hz: 1e3,
                density_v_rthz: density,
                switching_hz: Some(0.0),
                ring_hz: Some(0.0),
                limit_hz: Some(20e6),
            };
            assert!(!render_spectrum(&view).contains("NaN"));
        }
    }
}
