//! Scales and axes.

use super::canvas::{Anchor, Canvas, FAINT, GREY, INK, Letters};

/// A straight relation between values and pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) from_px: f64,
    pub(super) to_px: f64,
}

/// Values that lie closer than this part of themselves are one: what parts them is the noise of binary fractions, and its digits
/// would run over the edge.
const LEAST: f64 = 1e-6;

impl Scale {
    /// A scale over the values, never without extent.
    pub(super) fn new((low, high): (f64, f64), (from_px, to_px): (f64, f64)) -> Self {
        let (low, high) = if !(low.is_finite() && high.is_finite()) {
            (0.0, 1.0)
        } else if high - low > LEAST * low.abs().max(high.abs()) {
            (low, high)
        } else {
            let pad = if low == 0.0 { 1.0 } else { low.abs() * 0.05 };
            (low - pad, high + pad)
        };
        Self { low, high, from_px, to_px }
    }
    pub(super) fn px(&self, value: f64) -> f64 {
        self.from_px + (value - self.low) / (self.high - self.low) * (self.to_px - self.from_px)
    }
    pub(super) fn clamp(&self, value: f64) -> f64 {
        value.clamp(self.low, self.high)
    }
}

/// Round values (1, 2 or 5 times a power of ten apart) inside a range, about `wanted` of them, and their decimals.
pub(super) fn ticks((low, high): (f64, f64), wanted: usize) -> (Vec<f64>, usize) {
    let span = high - low;
    if !(span.is_finite() && span > 0.0) || wanted == 0 {
        return (vec![low], 0);
    }
    let rough = span / wanted as f64;
    let power = 10f64.powf(rough.log10().floor());
    let count = |step: f64| (high / step + 1e-9).floor() - (low / step - 1e-9).ceil() + 1.0;
    let steps = [0.5, 1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let place = steps.iter().position(|step| *step >= rough).unwrap_or(steps.len() - 1);
    // One or two ticks tell no scale: then the next finer step.
    let step = if count(steps[place]) < 3.0 { steps[place.saturating_sub(1)] } else { steps[place] };
    let decimals = (-(step * 1.0001).log10().floor()).clamp(0.0, 9.0) as usize;
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    // Adding nothing turns the -0 of a rounded negative value into 0.
    ((first..=last.min(first + 100)).map(|index| index as f64 * step + 0.0).collect(), decimals)
}

/// The field of a picture with a scale each way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) x: Scale,
    pub(super) y: Scale,
}

impl Field {
    pub(super) fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x.px(x), self.y.px(y))
    }

    /// Grid, tick labels and titles; `y` runs upwards.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, x_title: &str, y_title: &str) {
        self.draw_upright(canvas, y_title);
        self.draw_level(canvas, x_title);
    }

    /// Grid, tick labels and title of the upright axis, which runs upwards or downwards.
    pub(super) fn draw_upright(&self, canvas: &Canvas<'_>, title: &str) {
        let (bottom, top) = (self.y.from_px.max(self.y.to_px), self.y.from_px.min(self.y.to_px));
        let (left, right) = (self.x.from_px, self.x.to_px);
        let (values, decimals) = ticks((self.y.low, self.y.high), ((bottom - top) / 45.0) as usize);
        for value in values {
            let y = self.y.px(value);
            canvas.line(&[(left, y), (right, y)], FAINT, 1.0);
            let letters = Letters::new(12.0, GREY, Anchor::Right);
            canvas.text(&number(value, decimals), (left - 7.0, y), letters);
        }
        // A long title may stand a little beyond the field, and then becomes smaller.
        let room = bottom - top + 40.0;
        let size = (12.0 * room / (6.1 * title.chars().count() as f64)).clamp(8.5, 12.0);
        let middle = f64::midpoint(bottom, top).max(0.5 * room - 2.0);
        canvas.text_upwards(title, (12.0, middle), Letters::new(size, GREY, Anchor::Middle));
    }

    /// Tick labels and title of the level axis.
    pub(super) fn draw_level(&self, canvas: &Canvas<'_>, title: &str) {
        let (bottom, left, right) = (self.y.from_px, self.x.from_px, self.x.to_px);
        let letters = Letters::new(12.0, GREY, Anchor::Middle);
        let (values, decimals) = ticks((self.x.low, self.x.high), ((right - left) / 70.0) as usize);
        for value in values {
            let x = self.x.px(value);
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], GREY, 1.0);
            canvas.text(&number(value, decimals), (x, bottom + 14.0), letters);
        }
        canvas.line(&[(left, bottom), (right, bottom)], INK, 1.0);
        canvas.text(title, (f64::midpoint(left, right), bottom + 33.0), letters);
    }
}

/// A number with a true minus sign.
pub(super) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_differ_by_the_noise_of_binary_fractions_have_an_axis_of_few_digits() {
        for range in [(32.4, 32.400_000_000_000_006), (32.4, 32.4), (-5.0, -5.0), (0.0, 0.0)] {
            let scale = Scale::new(range, (0.0, 100.0));
            let (values, decimals) = ticks((scale.low, scale.high), 4);
            let longest = values.iter().map(|value| number(*value, decimals).chars().count()).max().unwrap();
            assert!(values.len() > 1 && scale.low < range.0 && range.1 < scale.high, "{range:?}: {values:?}");
            assert!(longest <= 5, "{range:?}: {values:?}");
        }
        let scale = Scale::new((4.908_990, 4.909_010), (0.0, 100.0));
        assert_eq!((scale.low, scale.high), (4.908_990, 4.909_010));
    }

    #[test]
    fn ticks_stand_at_round_values_with_the_decimals_they_need() {
        let table: [((f64, f64), usize, &str); 4] = [
            ((0.0, 24.0), 6, "0 5 10 15 20"),
            ((-0.21, 0.21), 4, "−0.2 0.0 0.2"),
            ((4.9, 5.1), 5, "4.90 4.95 5.00 5.05 5.10"),
            ((3.0, 3.0), 5, "3"),
        ];
        for (range, wanted, expected) in table {
            let (values, decimals) = ticks(range, wanted);
            let shown: Vec<String> = values.iter().map(|value| number(*value, decimals)).collect();
            assert_eq!(shown.join(" "), expected);
        }
    }
}
