//! Axes by powers of ten. The scale of such an axis runs over the logarithm of the values.

use super::axis::{Field, Scale};
use super::canvas::{Anchor, Canvas, FAINT, GREY, INK, Letters};
use crate::base::units::with_prefix;

/// Whole multiples of powers of ten inside a range of logarithms, and whether each is to be labelled.
fn marks(scale: &Scale) -> Vec<(f64, bool)> {
    let (first, last) = (scale.low.floor() as i32, scale.high.ceil() as i32);
    let inside = |value: f64| value.log10() >= scale.low - 1e-9 && value.log10() <= scale.high + 1e-9;
    let powers = (first..=last).filter(|power| inside(10f64.powi(*power))).count();
    // Over many decades the labels of some would touch; over less than two, 2 and 5 are told, too.
    let room = (scale.to_px - scale.from_px).abs() / (scale.high - scale.low).max(1e-9);
    let every = if room < 16.0 { 2 } else { 1 };
    let mut found = Vec::new();
    for power in first..=last {
        for multiple in 1..10 {
            let value = f64::from(multiple) * 10f64.powi(power);
            let is_told = match multiple {
                1 => power.rem_euclid(every) == 0,
                2 | 5 => powers < 2,
                _ => false,
            };
            if inside(value) && (every == 1 || multiple == 1) {
                found.push((value, is_told));
            }
        }
    }
    found
}

/// Grid, labels and title of an upright axis by powers of ten.
pub(super) fn draw_upright(canvas: &Canvas<'_>, field: &Field, title: &str, unit: &str) {
    let (bottom, top, left, right) = (field.y.from_px, field.y.to_px, field.x.from_px, field.x.to_px);
    for (value, is_told) in marks(&field.y) {
        let y = field.y.px(value.log10());
        canvas.line(&[(left, y), (right, y)], FAINT, if is_told { 1.0 } else { 0.4 });
        if is_told {
            canvas.text(
                with_prefix(value, unit).trim(),
                (left - 7.0, y),
                Letters::new(12.0, GREY, Anchor::Right),
            );
        }
    }
    canvas.text_upwards(title, (12.0, f64::midpoint(bottom, top)), Letters::new(12.0, GREY, Anchor::Middle));
}

/// Grid, labels and title of a level axis by powers of ten.
pub(super) fn draw_level(canvas: &Canvas<'_>, field: &Field, title: &str, unit: &str) {
    let (bottom, top, left, right) = (field.y.from_px, field.y.to_px, field.x.from_px, field.x.to_px);
    let letters = Letters::new(12.0, GREY, Anchor::Middle);
    for (value, is_told) in marks(&field.x) {
        let x = field.x.px(value.log10());
        canvas.line(&[(x, bottom), (x, top)], FAINT, if is_told { 1.0 } else { 0.4 });
        canvas.line(&[(x, bottom), (x, bottom + if is_told { 4.0 } else { 2.5 })], GREY, 1.0);
        if is_told {
            canvas.text(with_prefix(value, unit).trim(), (x, bottom + 14.0), letters);
        }
    }
    canvas.line(&[(left, bottom), (right, bottom)], INK, 1.0);
    canvas.text(title, (f64::midpoint(left, right), bottom + 33.0), letters);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(low: f64, high: f64, pixels: f64) -> Vec<f64> {
        let scale = Scale::new((low, high), (0.0, pixels));
        marks(&scale).into_iter().filter(|mark| mark.1).map(|mark| mark.0).collect()
    }

    #[test]
    fn powers_are_labelled_and_a_short_range_has_more() {
        assert_eq!(told(0.0, 3.2, 300.0), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(told(0.1, 0.9, 300.0), [2.0, 5.0]);
        assert_eq!(told(-4.0, 0.0, 40.0).len(), 3);
    }
}
