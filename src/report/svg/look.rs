//! The look of lines and sides: told apart by colour, and on grey paper and by colour-blind eyes by shape, by dark and light, and
//! by unbroken and broken lines.

use plotters::style::RGBColor;

use super::canvas::{Anchor, Canvas, INK, Letters, WHITE};

/// Okabe and Ito's colours without the yellow, which is lost on paper.
pub(super) const COLORS: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xb8, 0x5a, 0x97),
    RGBColor(0x2f, 0x9f, 0xd8),
    RGBColor(0xc9, 0x8a, 0x00),
    RGBColor(0x33, 0x33, 0x33),
];

/// Lines are told apart by shape, too.
pub(super) fn marker(canvas: &Canvas<'_>, (x, y): (f64, f64), rank: usize, color: RGBColor) {
    let r = 3.2;
    match rank % 5 {
        0 => canvas.disc((x, y), 2.8, color),
        1 => canvas.fill((x - 2.6, y - 2.6), (x + 2.6, y + 2.6), color),
        2 => canvas.polygon(&[(x, y - r), (x + r, y + 2.6), (x - r, y + 2.6)], color),
        3 => canvas.polygon(&[(x, y - r - 0.4), (x + r, y), (x, y + r + 0.4), (x - r, y)], color),
        _ => {
            canvas.disc((x, y), 3.2, color);
            canvas.disc((x, y), 1.6, WHITE);
        }
    }
}

/// An arrow from a marker that is only a bound, to the side where the truth lies; `down` is 1 or -1.
pub(super) fn arrow(canvas: &Canvas<'_>, (x, y): (f64, f64), down: f64, color: RGBColor) {
    canvas.line(&[(x, y), (x, y + 9.0 * down)], color, 1.25);
    canvas.polygon(&[(x - 3.0, y + 8.0 * down), (x + 3.0, y + 8.0 * down), (x, y + 13.0 * down)], color);
}

/// How a side of a comparison looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Side {
    /// Lines and marks.
    pub(super) ink: RGBColor,
    /// Areas behind them.
    pub(super) shade: RGBColor,
    /// Lengths of dash and gap; `None` where lines are unbroken.
    dash: Option<(f64, f64)>,
}

/// Dots that lie side by side: what probe and scope show of a side.
const DOTTED: (f64, f64) = (1.6, 2.4);

impl Side {
    /// What was before: dark, unbroken, round and full.
    pub(super) const BEFORE: Self =
        Self { ink: RGBColor(0x00, 0x46, 0x7d), shade: RGBColor(0xb8, 0xd2, 0xe6), dash: None };
    /// What came after: light, broken, square and hollow.
    pub(super) const AFTER: Self =
        Self { ink: RGBColor(0xdb, 0x70, 0x0e), shade: RGBColor(0xfb, 0xe4, 0xd0), dash: Some((7.0, 2.5)) };

    /// Of the sides in their order.
    pub(super) const fn of(rank: usize) -> Self {
        if rank.is_multiple_of(2) { Self::BEFORE } else { Self::AFTER }
    }

    /// A line of this side.
    pub(super) fn line(&self, canvas: &Canvas<'_>, points: &[(f64, f64)], width: f64) {
        match self.dash {
            Some(dash) => canvas.dashed(points, self.ink, width, dash),
            None => canvas.line(points, self.ink, width),
        }
    }

    /// A line of what probe and scope alone show of this side.
    pub(super) fn dotted(&self, canvas: &Canvas<'_>, points: &[(f64, f64)]) {
        canvas.dashed(points, self.ink, 1.1, DOTTED);
    }

    /// A mark of this side, of about that radius.
    pub(super) fn mark(&self, canvas: &Canvas<'_>, (x, y): (f64, f64), radius: f64) {
        if self.dash.is_none() {
            canvas.disc((x, y), radius, self.ink);
        } else {
            let square = |half: f64, color| canvas.fill((x - half, y - half), (x + half, y + half), color);
            square(0.9 * radius, self.ink);
            square(0.9 * radius - 1.3, WHITE);
        }
    }

    /// Marks along a line, about every `pitch` pixels from `first` on, so that it is told also where another one lies on it.
    pub(super) fn marks(&self, canvas: &Canvas<'_>, points: &[(f64, f64)], (first, pitch): (f64, f64)) {
        let mut next = first;
        for point in points {
            if point.0 >= next {
                self.mark(canvas, *point, 3.4);
                next = (point.0 + pitch).max(next + pitch);
            }
        }
    }
}

/// What stands beside its words in a legend.
pub(super) type Sample<'s> = &'s dyn Fn(&Canvas<'_>, (f64, f64), (f64, f64));

/// The entries of a legend, in lines as long as there is room.
pub(super) struct Legend<'s> {
    entries: Vec<(String, Sample<'s>)>,
    ends: (f64, f64),
}

impl<'s> Legend<'s> {
    const LINE: f64 = 17.0;
    const SAMPLE: f64 = 30.0;
    const LETTER: f64 = 6.9;

    /// A legend between two ends.
    pub(super) const fn new(ends: (f64, f64)) -> Self {
        Self { entries: Vec::new(), ends }
    }

    /// With one more entry.
    pub(super) fn with(mut self, words: impl Into<String>, sample: Sample<'s>) -> Self {
        self.entries.push((words.into(), sample));
        self
    }

    /// Where each entry begins, and in which line.
    fn places(&self) -> Vec<(f64, usize)> {
        let (mut x, mut line) = (self.ends.0, 0);
        let mut places = Vec::new();
        for (words, _) in &self.entries {
            let length = Self::SAMPLE + 6.0 + Self::LETTER * words.chars().count() as f64;
            if x + length > self.ends.1 && x > self.ends.0 {
                (x, line) = (self.ends.0, line + 1);
            }
            places.push((x, line));
            x += length + 14.0;
        }
        places
    }

    /// How high it is.
    pub(super) fn height(&self) -> f64 {
        self.places().last().map_or(0.0, |(_, line)| Self::LINE * (*line as f64 + 1.0))
    }

    /// Draws it under `top`.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, top: f64) {
        for ((words, sample), (x, line)) in self.entries.iter().zip(self.places()) {
            let y = top + Self::LINE * (line as f64 + 0.5);
            sample(canvas, (x, y - 6.0), (x + Self::SAMPLE, y + 6.0));
            canvas.text(words, (x + Self::SAMPLE + 6.0, y), Letters::new(12.0, INK, Anchor::Left));
        }
    }
}

/// The line and the mark of a side, for its legend.
pub(super) fn sample_of(side: Side) -> impl Fn(&Canvas<'_>, (f64, f64), (f64, f64)) {
    move |canvas, from, to| {
        let y = f64::midpoint(from.1, to.1);
        side.line(canvas, &[(from.0, y), (to.0, y)], 2.0);
        side.mark(canvas, (f64::midpoint(from.0, to.0), y), 4.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As dark as on grey paper, of 255.
    fn grey(color: RGBColor) -> f64 {
        0.299 * f64::from(color.0) + 0.587 * f64::from(color.1) + 0.114 * f64::from(color.2)
    }

    #[test]
    fn sides_are_told_apart_without_colour() {
        let (before, after) = (Side::of(0), Side::of(1));
        assert!(grey(after.ink) - grey(before.ink) > 60.0);
        assert!((grey(after.shade) - grey(before.shade)).abs() > 25.0);
        // And both from paper.
        assert!(grey(after.ink) < 150.0 && grey(after.shade) < 240.0);
        assert_ne!(before.dash, after.dash);
    }

    #[test]
    fn a_legend_that_has_no_room_goes_on_in_the_next_line() {
        let none: Sample<'_> = &|_, _, _| {};
        let legend =
            Legend::new((10.0, 200.0)).with("short", none).with("short", none).with("long".repeat(20), none);
        let lines: Vec<usize> = legend.places().iter().map(|place| place.1).collect();
        assert_eq!(lines, [0, 0, 1]);
        assert_eq!(legend.places()[2].0, 10.0);
        assert!((legend.height() - 34.0).abs() < 1e-9);
    }
}
