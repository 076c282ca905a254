//! The whole run of a soak on one time axis: phases, gaps and marks over curves by lowest and highest value.

use plotters::style::RGBColor;

use super::axis::{Field, Scale, number, ticks};
use super::canvas::{AMBER, Anchor, Canvas, FAINT, GREY, INK, Letters, RED, WHITE, letters_on, render};
use super::look::COLORS;
use super::padded;
use crate::report::soak::story::{MarkKind, Stretch};
use crate::report::soak::timeline::{Curve, Panel, Timeline};
use crate::trend::Column;

const WIDTH: f64 = 1060.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = WIDTH - 74.0;
const MARKS_Y: f64 = 10.0;
const BAND: (f64, f64) = (22.0, 42.0);
const TOP: f64 = 54.0;
const PANEL: f64 = 96.0;
const BETWEEN: f64 = 22.0;
/// Grounds of phases, told from each other in grey, too.
const PHASES: [RGBColor; 5] = [
    RGBColor(0xf6, 0xdf, 0xb8),
    RGBColor(0xc8, 0xdd, 0xee),
    RGBColor(0xdf, 0xef, 0xd9),
    RGBColor(0xe8, 0xd7, 0xe6),
    RGBColor(0xd3, 0xd6, 0xda),
];
const GAP_GROUND: RGBColor = RGBColor(0xf0, 0xef, 0xec);
/// Ground where an interlock held the run.
const HOLD_GROUND: RGBColor = RGBColor(0xfb, 0xf0, 0xd6);
const GAP: RGBColor = RGBColor(0x9a, 0x9a, 0x94);

/// A unit for a long time: seconds in it and its name.
pub(super) fn long_unit(span_s: f64) -> (f64, &'static str) {
    if span_s < 2.0 * 3600.0 {
        (60.0, "min")
    } else if span_s <= 73.0 * 3600.0 {
        (3600.0, "h")
    } else {
        (86_400.0, "days")
    }
}

/// Round values of a long time: of hours those that divide a day.
pub(super) fn long_ticks(range: (f64, f64), unit: &str, wanted: usize) -> (Vec<f64>, usize) {
    const HOURS: [f64; 6] = [1.0, 2.0, 3.0, 6.0, 12.0, 24.0];
    let step = HOURS.into_iter().find(|step| (range.1 - range.0) / step <= wanted as f64);
    match step {
        Some(step) if unit == "h" => {
            let (first, last) =
                ((range.0 / step - 1e-9).ceil() as i64, (range.1 / step + 1e-9).floor() as i64);
            ((first..=last).map(|index| index as f64 * step).collect(), 0)
        }
        _ => ticks(range, wanted),
    }
}

/// Draws the timeline.
#[must_use]
pub fn render_timeline(timeline: &Timeline) -> String {
    let bottom = TOP + timeline.panels.len() as f64 * (PANEL + BETWEEN) - BETWEEN;
    let (unit_s, unit) = long_unit(timeline.span_s);
    let x = Scale::new((0.0, timeline.span_s / unit_s), (LEFT, RIGHT));
    render(WIDTH, bottom + 44.0, |canvas| {
        let fields: Vec<(Field, f64, String)> = timeline
            .panels
            .iter()
            .enumerate()
            .map(|(place, panel)| field(panel, x, TOP + place as f64 * (PANEL + BETWEEN)))
            .collect();
        for gap in &timeline.gaps {
            draw_gap(canvas, (x.px(gap.0 / unit_s), x.px(gap.1 / unit_s)), bottom);
        }
        for hold in &timeline.holds {
            draw_hold(canvas, (x.px(hold.0 / unit_s), x.px(hold.1 / unit_s)), bottom);
        }
        for stretch in &timeline.stretches {
            draw_stretch(canvas, (&x, unit_s), stretch, bottom);
        }
        for ((field, factor, title), panel) in fields.iter().zip(&timeline.panels) {
            field.draw_upright(canvas, title);
            canvas.line(&[(LEFT, field.y.from_px), (RIGHT, field.y.from_px)], GREY, 0.7);
            for bound in drawn_bounds(panel) {
                let y = field.y.px(bound * factor);
                canvas.dashes((LEFT, y), (RIGHT, y), RED, 1.0);
            }
            for (curve, color) in panel.curves.iter().zip(COLORS) {
                draw_curve(canvas, (field, unit_s, *factor), curve, color);
            }
            draw_names(canvas, field, panel, *factor);
        }
        draw_marks(canvas, (&x, unit_s), &timeline.marks, bottom);
        draw_time(canvas, &x, unit, bottom);
    })
}

/// The time axis under everything.
pub(super) fn draw_time(canvas: &Canvas<'_>, x: &Scale, unit: &str, bottom: f64) {
    let letters = Letters::new(12.0, GREY, Anchor::Middle);
    let (values, decimals) = long_ticks((x.low, x.high), unit, ((x.to_px - x.from_px) / 60.0) as usize);
    for value in values {
        let px = x.px(value);
        canvas.line(&[(px, bottom), (px, bottom + 4.0)], GREY, 1.0);
        canvas.text(&number(value, decimals), (px, bottom + 14.0), letters);
    }
    canvas.line(&[(x.from_px, bottom), (x.to_px, bottom)], INK, 1.0);
    let middle = f64::midpoint(x.from_px, x.to_px);
    canvas.text(&format!("time since the run began in {unit}"), (middle, bottom + 33.0), letters);
}

/// Lowest and highest value of the curves.
fn reach(panel: &Panel) -> (f64, f64) {
    let columns = panel.curves.iter().flat_map(|curve| &curve.columns);
    columns.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), column| {
        (low.min(column.min), high.max(column.max))
    })
}

/// A bound is drawn where it does not press the curve flat.
fn drawn_bounds(panel: &Panel) -> impl Iterator<Item = f64> {
    let (low, high) = reach(panel);
    let is_near = move |bound: &f64| (low - bound).max(bound - high) <= 0.7 * (high - low);
    panel.bounds.iter().copied().filter(is_near)
}

/// Whether a limit is near enough to any curve to be drawn.
#[must_use]
pub fn draws_a_limit(timeline: &Timeline) -> bool {
    timeline.panels.iter().any(|panel| drawn_bounds(panel).next().is_some())
}

fn field(panel: &Panel, x: Scale, top: f64) -> (Field, f64, String) {
    let reach = reach(panel);
    let (low, high) = drawn_bounds(panel).fold(reach, |(low, high), bound| (low.min(bound), high.max(bound)));
    let is_small = low.abs().max(high.abs()) < 1.0 && panel.unit != "°C";
    let (factor, prefix) = if is_small { (1e3, "m") } else { (1.0, "") };
    let y_range = padded((low * factor, high * factor), 0.08);
    let title = format!("{} in {prefix}{}", panel.title, panel.unit);
    (Field { x, y: Scale::new(y_range, (top + PANEL, top)) }, factor, title)
}

/// A band is never so narrow that nobody sees it.
fn band((left, right): (f64, f64)) -> (f64, f64) {
    let right = right.max(left + 2.0).min(RIGHT);
    (left.min(right - 2.0), right)
}

/// A ground behind the curves with a bar above them, which is seen without colour, too.
fn draw_hold(canvas: &Canvas<'_>, ends: (f64, f64), bottom: f64) {
    let (left, right) = band(ends);
    canvas.fill((left, BAND.1), (right, bottom), HOLD_GROUND);
    canvas.fill((left, BAND.1 + 1.0), (right, BAND.1 + 6.0), AMBER);
}

fn draw_gap(canvas: &Canvas<'_>, ends: (f64, f64), bottom: f64) {
    let (left, right) = band(ends);
    canvas.fill((left, BAND.0), (right, bottom), GAP_GROUND);
    canvas.hatch((left, BAND.0), (right, bottom), GAP);
}

fn draw_stretch(canvas: &Canvas<'_>, (x, unit_s): (&Scale, f64), stretch: &Stretch, bottom: f64) {
    let (left, right) = (x.px(stretch.span_s.0 / unit_s), x.px(stretch.span_s.1 / unit_s));
    let ground = PHASES[usize::from(stretch.phase) % PHASES.len()];
    canvas.fill((left, BAND.0), (right, BAND.1), ground);
    canvas.line(&[(left, BAND.0), (left, bottom)], FAINT, 1.0);
    let room = right - left - 6.0;
    let middle = (f64::midpoint(left, right), f64::midpoint(BAND.0, BAND.1));
    let letters = Letters::new(11.0, letters_on(ground), Anchor::Middle);
    let number = (stretch.phase + 1).to_string();
    if 6.2 * stretch.name.chars().count() as f64 <= room {
        canvas.text(&stretch.name, middle, letters);
    } else if 7.0 * number.len() as f64 <= room {
        canvas.text(&number, middle, letters);
    }
}

fn draw_curve(
    canvas: &Canvas<'_>,
    (field, unit_s, factor): (&Field, f64, f64),
    curve: &Curve,
    color: RGBColor,
) {
    let ends = |column: &Column| {
        let at = field.x.px(f64::midpoint(column.first_s, column.last_s) / unit_s);
        (at, field.y.px(column.min * factor), field.y.px(column.max * factor))
    };
    if curve.is_of_captures {
        // Few marks are drawn larger, so that they are seen; many must not touch.
        let size = (0.4 * (RIGHT - LEFT) / curve.columns.len().max(1) as f64).clamp(1.8, 5.0);
        for column in &curve.columns {
            let (x, low, high) = ends(column);
            let short = (1.2 * size - (low - high)).max(0.0) / 2.0;
            canvas.line(&[(x, low + short), (x, high - short)], color, size);
        }
        return;
    }
    let mut path: Vec<(f64, f64)> = Vec::new();
    let mut before: Option<&Column> = None;
    for column in &curve.columns {
        if before.is_some_and(|before| column.first_s - before.last_s > 2.5 * curve.width_s) {
            canvas.line(&path, color, 1.1);
            path.clear();
        }
        let (x, low, high) = ends(column);
        // From the end that is nearer to the last point, so that the line does not cross the column twice.
        let is_high_first = path.last().is_some_and(|(_, y)| (y - high).abs() < (y - low).abs());
        let (one, two) = if is_high_first { (high, low) } else { (low, high) };
        path.push((x, one));
        path.push((x + 0.3, two));
        before = Some(column);
    }
    canvas.line(&path, color, 1.1);
}

/// Names beside the right end, each at its curve's last value, moved apart where they would touch.
fn draw_names(canvas: &Canvas<'_>, field: &Field, panel: &Panel, factor: f64) {
    let mut names: Vec<(f64, &str, RGBColor)> = panel
        .curves
        .iter()
        .zip(COLORS)
        .filter_map(|(curve, color)| {
            curve.columns.last().map(|last| (field.y.px(last.mean * factor), curve.name, color))
        })
        .collect();
    names.sort_by(|one, two| one.0.total_cmp(&two.0));
    let mut least = field.y.to_px + 6.0;
    for (y, name, color) in names {
        let y = y.max(least);
        canvas.text(name, (RIGHT + 6.0, y), Letters::new(11.0, color, Anchor::Left).bold());
        least = y + 13.0;
    }
}

/// Ground of a kind of mark; its letter says the same without colour.
pub(super) const fn mark_color(kind: MarkKind) -> RGBColor {
    match kind {
        MarkKind::Trip | MarkKind::FailedStart | MarkKind::Broken => RED,
        MarkKind::Warn | MarkKind::Hold => AMBER,
        MarkKind::Retry => GREY,
        MarkKind::Stop => INK,
    }
}

fn draw_marks(canvas: &Canvas<'_>, (x, unit_s): (&Scale, f64), marks: &[(f64, MarkKind)], bottom: f64) {
    let mut last: [f64; MarkKind::ALL.len()] = [f64::NEG_INFINITY; MarkKind::ALL.len()];
    let mut free = f64::NEG_INFINITY;
    for (at_s, kind) in marks {
        let px = x.px(at_s / unit_s);
        let place = MarkKind::ALL.iter().position(|known| known == kind).unwrap_or(0);
        // Several of a kind in one place are one mark.
        if px - last[place] < 4.0 {
            continue;
        }
        last[place] = px;
        let color = mark_color(*kind);
        canvas.dashes((px, BAND.1 + 2.0), (px, bottom), color, 0.8);
        let center = px.max(free).min(WIDTH - 8.0);
        free = center + 14.0;
        canvas.line(&[(center, MARKS_Y + 6.0), (px, BAND.0)], color, 0.8);
        canvas.disc((center, MARKS_Y), 6.5, color);
        let ink = if matches!(kind, MarkKind::Warn | MarkKind::Hold) { INK } else { WHITE };
        canvas.text(kind.letter(), (center, MARKS_Y), Letters::new(9.0, ink, Anchor::Middle).bold());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trend::Envelope;

    #[test]
    fn hours_are_divided_as_a_day_is() {
        assert_eq!(
            long_ticks((0.0, 25.4), "h", 16).0,
            (0..=12).map(|n| f64::from(n) * 2.0).collect::<Vec<_>>()
        );
        assert_eq!(long_ticks((0.0, 60.2), "h", 16).0.len(), 11);
        assert_eq!(long_unit(3600.0), (60.0, "min"));
        assert_eq!(long_unit(30.0 * 86_400.0).1, "days");
    }

    #[test]
    fn a_limit_is_drawn_where_it_is_near_the_curve() {
        let mut envelope = Envelope::new(10, 1.0);
        [4.9, 5.0, 4.95].iter().enumerate().for_each(|(second, value)| envelope.push(second as f64, *value));
        let columns = envelope.columns().collect();
        let curve = Curve { name: "output", columns, width_s: 1.0, is_of_captures: false };
        let panel = Panel {
            title: "output voltage",
            unit: "V",
            curves: vec![curve],
            bounds: vec![4.5, 4.85, 4.92, 5.2],
        };
        assert_eq!(drawn_bounds(&panel).collect::<Vec<_>>(), [4.85, 4.92]);
    }
}
