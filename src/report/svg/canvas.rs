//! A sheet to draw on, in pixels with fractions, that becomes an SVG with plotters.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle};

/// Plotters rounds every coordinate to whole pixels; the sheet is drawn this much larger and shown smaller.
const SCALE: f64 = 4.0;

/// Plotters writes a font's size divided by this.
const FONT_FACTOR: f64 = 1.24;

/// Mean width of a letter as a part of the font's size, for the wider ones of common sans-serif fonts.
const LETTER_WIDTH: f64 = 0.6;

/// The most that a text takes in width.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    LETTER_WIDTH * size * text.chars().count() as f64
}

/// Ink for text and axes.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x26, 0x2b);
/// For what stands back: labels of axes.
pub(super) const GREY: RGBColor = RGBColor(0x5f, 0x66, 0x6e);
/// Grid lines.
pub(super) const FAINT: RGBColor = RGBColor(0xe3, 0xe6, 0xea);
/// Broken limits; told from the others by colour-blind people, too.
pub(super) const RED: RGBColor = RGBColor(0xb5, 0x1a, 0x1a);
/// Marginal values.
pub(super) const AMBER: RGBColor = RGBColor(0xe6, 0x9f, 0x00);
/// Paper.
pub(super) const WHITE: RGBColor = RGBColor(0xff, 0xff, 0xff);

/// Where a text stands from its point.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Left,
    Middle,
    Right,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letters {
    pub(super) size: f64,
    pub(super) color: RGBColor,
    pub(super) anchor: Anchor,
    pub(super) is_bold: bool,
}

impl Letters {
    pub(super) const fn new(size: f64, color: RGBColor, anchor: Anchor) -> Self {
        Self { size, color, anchor, is_bold: false }
    }
    pub(super) const fn bold(self) -> Self {
        Self { is_bold: true, ..self }
    }
}

type Area<'b> = DrawingArea<SVGBackend<'b>, Shift>;

/// The sheet. Drawing into memory cannot fail, so that the results of plotters' calls are dropped.
pub(super) struct Canvas<'b> {
    area: Area<'b>,
    width: f64,
    height: f64,
}

/// Draws a picture of `width` by `height` pixels.
pub(super) fn render(width: f64, height: f64, draw: impl FnOnce(&Canvas<'_>)) -> String {
    let mut svg = String::new();
    {
        let backend = SVGBackend::with_string(&mut svg, (place(width) as u32, place(height) as u32));
        let canvas = Canvas { area: backend.into_drawing_area(), width, height };
        draw(&canvas);
        let _ = canvas.area.present();
    }
    // The page gives the size; full opacity is the default and need not be said a thousand times.
    let head = format!("<svg width=\"{}\" height=\"{}\" ", place(width), place(height));
    svg.replacen(&head, "<svg ", 1).replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "")
}

/// Where a pixel stands on the sheet.
pub(super) fn place(pixels: f64) -> i32 {
    (pixels * SCALE).round() as i32
}

fn at((x, y): (f64, f64)) -> (i32, i32) {
    (place(x), place(y))
}

impl Canvas<'_> {
    pub(super) fn line(&self, points: &[(f64, f64)], color: RGBColor, width: f64) {
        let style = ShapeStyle::from(&color).stroke_width(place(width).max(1) as u32);
        let _ = self.area.draw(&PathElement::new(points.iter().copied().map(at).collect::<Vec<_>>(), style));
    }

    pub(super) fn dashes(&self, from: (f64, f64), to: (f64, f64), color: RGBColor, width: f64) {
        self.dashed(&[from, to], color, width, (6.0, 4.0));
    }

    /// A line through points, broken into dashes by gaps along its length.
    pub(super) fn dashed(&self, points: &[(f64, f64)], color: RGBColor, width: f64, dash: (f64, f64)) {
        for run in broken(points, dash) {
            self.line(&run, color, width);
        }
    }

    pub(super) fn fill(&self, from: (f64, f64), to: (f64, f64), color: RGBColor) {
        let _ = self.area.draw(&Rectangle::new([at(from), at(to)], color.filled()));
    }

    pub(super) fn frame(&self, from: (f64, f64), to: (f64, f64), color: RGBColor, width: f64) {
        let corners = [from, (to.0, from.1), to, (from.0, to.1), from];
        self.line(&corners, color, width);
    }

    pub(super) fn polygon(&self, points: &[(f64, f64)], color: RGBColor) {
        let _ =
            self.area.draw(&Polygon::new(points.iter().copied().map(at).collect::<Vec<_>>(), color.filled()));
    }

    pub(super) fn disc(&self, center: (f64, f64), radius: f64, color: RGBColor) {
        let _ = self.area.draw(&Circle::new(at(center), place(radius), color.filled()));
    }

    /// Diagonal strokes inside a rectangle.
    pub(super) fn hatch(&self, from: (f64, f64), to: (f64, f64), color: RGBColor) {
        let (width, height) = (to.0 - from.0, to.1 - from.1);
        let mut offset = 7.0;
        while offset < width + height {
            // The stroke x + y = offset, cut to the rectangle.
            let start = (offset.min(width), (offset - width).max(0.0));
            let end = ((offset - height).max(0.0), offset.min(height));
            self.line(&[(from.0 + start.0, from.1 + start.1), (from.0 + end.0, from.1 + end.1)], color, 0.75);
            offset += 7.0;
        }
    }

    pub(super) fn text(&self, text: &str, position: (f64, f64), letters: Letters) {
        let style = Self::style(letters);
        let _ = self.area.draw(&Text::new(text.to_owned(), at(self.inside(text, position, letters)), style));
    }

    /// The position moved so far that the whole text stands on the sheet: a label at the end of an axis is not cut.
    fn inside(&self, text: &str, (x, y): (f64, f64), letters: Letters) -> (f64, f64) {
        let length = text_width(text, letters.size);
        let (left, right) = match letters.anchor {
            Anchor::Left => (0.0, length),
            Anchor::Middle => (length / 2.0, length / 2.0),
            Anchor::Right => (length, 0.0),
        };
        let half = 0.5 * letters.size;
        // A text that is longer than the sheet keeps its beginning.
        (x.min(self.width - right).max(left), y.min(self.height - half).max(half))
    }

    /// A text that runs upwards.
    pub(super) fn text_upwards(&self, text: &str, position: (f64, f64), letters: Letters) {
        let style = Self::style(letters).transform(FontTransform::Rotate270);
        let _ = self.area.draw(&Text::new(text.to_owned(), at(position), style));
    }

    fn style(letters: Letters) -> TextStyle<'static> {
        let size = letters.size * SCALE * FONT_FACTOR;
        let face = if letters.is_bold { FontStyle::Bold } else { FontStyle::Normal };
        let across = match letters.anchor {
            Anchor::Left => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let mut style = TextStyle::from(("sans-serif", size, face).into_font());
        style.color = letters.color.to_backend_color();
        style.pos(Pos::new(across, VPos::Center))
    }
}

/// The dashes of a line through points.
fn broken(points: &[(f64, f64)], (dash, gap): (f64, f64)) -> Vec<Vec<(f64, f64)>> {
    let mut runs = Vec::new();
    let (mut run, mut left, mut is_dash) = (points.iter().take(1).copied().collect::<Vec<_>>(), dash, true);
    for ends in points.windows(2) {
        let (mut from, to) = (ends[0], ends[1]);
        let mut length = (to.0 - from.0).hypot(to.1 - from.1);
        while length > left && left > 0.0 {
            let share = left / length;
            from = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
            run.push(from);
            if is_dash {
                runs.push(std::mem::take(&mut run));
            } else {
                run = vec![from];
            }
            length -= left;
            is_dash = !is_dash;
            left = if is_dash { dash } else { gap };
        }
        left -= length;
        run.push(to);
    }
    if is_dash && run.len() > 1 {
        runs.push(run);
    }
    runs
}

/// Light or dark letters, whichever is read better on a ground.
pub(super) fn letters_on(ground: RGBColor) -> RGBColor {
    let luminance = 0.299 * f64::from(ground.0) + 0.587 * f64::from(ground.1) + 0.114 * f64::from(ground.2);
    if luminance < 140.0 { WHITE } else { INK }
}

/// From pale to dark blue; dark means much. One hue, so that it is read in grey, too.
pub(super) fn blues(share: f64) -> RGBColor {
    const STOPS: [(f64, f64, f64); 5] = [
        (239.0, 245.0, 251.0),
        (198.0, 219.0, 239.0),
        (129.0, 180.0, 217.0),
        (49.0, 124.0, 183.0),
        (8.0, 64.0, 121.0),
    ];
    let position = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let below = (position.floor() as usize).min(STOPS.len() - 2);
    let rest = position - below as f64;
    let mix = |from: f64, to: f64| (from + (to - from) * rest).round() as u8;
    let (from, to) = (STOPS[below], STOPS[below + 1]);
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_line_goes_on_round_corners_and_ends_where_the_line_does() {
        let corner = [(0.0, 0.0), (4.0, 0.0), (4.0, 10.0)];
        assert_eq!(
            broken(&corner, (6.0, 4.0)),
            [vec![(0.0, 0.0), (4.0, 0.0), (4.0, 2.0)], vec![(4.0, 6.0), (4.0, 10.0)]]
        );
        assert_eq!(broken(&[(0.0, 0.0), (5.0, 0.0)], (6.0, 4.0)), [[(0.0, 0.0), (5.0, 0.0)]]);
        for nothing in [&[][..], &[(1.0, 1.0)], &[(0.0, 0.0), (f64::NAN, 0.0)]] {
            assert!(broken(nothing, (6.0, 4.0)).len() < 2);
        }
    }

    #[test]
    fn a_label_at_the_edge_is_moved_onto_the_sheet() {
        let letters = |anchor| Letters::new(10.0, INK, anchor);
        let _ = render(100.0, 50.0, |canvas| {
            let moved = |x, y, anchor| canvas.inside("12345", (x, y), letters(anchor));
            assert_eq!(moved(98.0, 25.0, Anchor::Middle), (85.0, 25.0));
            assert_eq!(moved(2.0, 0.0, Anchor::Middle), (15.0, 5.0));
            assert_eq!(moved(90.0, 49.0, Anchor::Left), (70.0, 45.0));
            assert_eq!(moved(3.0, 25.0, Anchor::Right), (30.0, 25.0));
            assert_eq!(moved(50.0, 25.0, Anchor::Middle), (50.0, 25.0));
        });
    }
}
