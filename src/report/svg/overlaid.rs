//! Traces and spectra of two groups over one another, on the same scales.

use plotters::style::RGBColor;

use super::axis::{Field, Scale};
use super::canvas::{Anchor, Canvas, GREY, INK, Letters, render};
use super::curves::COLORS;
use super::decades::{draw_level, draw_upright};
use super::{padded, time_unit, volt_unit};
use crate::report::compare::pictures::{OverlaidSpectra, OverlaidTraces, TraceOver};

const BANDS: [RGBColor; 2] = [RGBColor(0xcf, 0xe3, 0xf1), RGBColor(0xf9, 0xdd, 0xc8)];
/// Where the second side stands at the floor; dark enough for paper, light enough for the line on it.
const FLOOR: RGBColor = RGBColor(0xe2, 0xe2, 0xde);
const WIDE: f64 = 1060.0;

/// Draws traces over one another: the band from lowest to highest, and the mean where there is one.
#[must_use]
pub fn render_overlaid_traces(traces: &OverlaidTraces) -> String {
    let (width, height) = (520.0, 300.0);
    let all = || traces.sides.iter();
    let range = all()
        .flat_map(|side| side.band.iter().copied())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, least, most)| {
            (low.min(least), high.max(most))
        });
    let times = all().flat_map(|side| side.band.iter().map(|(at, _, _)| *at));
    let span = times.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)));
    let (time_factor, time) = time_unit(span.1 - span.0);
    let (volt_factor, volt) = volt_unit(range.0.abs().max(range.1.abs()));
    let field = Field {
        x: Scale::new((span.0 * time_factor, span.1 * time_factor), (66.0, width - 12.0)),
        y: Scale::new(padded((range.0 * volt_factor, range.1 * volt_factor), 0.06), (height - 46.0, 26.0)),
    };
    let place = |at: f64, volts: f64| field.at((at * time_factor, field.y.clamp(volts * volt_factor)));
    render(width, height, |canvas| {
        field.draw(
            canvas,
            &format!("{} in {time}", traces.time_title),
            &format!("{} in {volt}", traces.volts_title),
        );
        for (rank, side) in traces.sides.iter().enumerate() {
            draw_band(canvas, side, &place, BANDS[rank % BANDS.len()]);
        }
        for (rank, side) in traces.sides.iter().enumerate() {
            let line: Vec<(f64, f64)> = side.line.iter().map(|(at, volts)| place(*at, *volts)).collect();
            canvas.line(&line, COLORS[rank % COLORS.len()], 1.3);
            for clipped_v in &side.clipped_v {
                let (color, left) = (COLORS[rank % COLORS.len()], place(span.0, *clipped_v));
                canvas.dashes(left, place(span.1, *clipped_v), color, 1.4);
                let letters = Letters::new(12.0, color, Anchor::Right);
                canvas.text("clipped", (width - 14.0, left.1 - 8.0), letters);
            }
        }
        draw_names(canvas, traces.sides.iter().map(|side| side.name.as_str()), (66.0, 12.0));
    })
}

fn draw_band(canvas: &Canvas<'_>, side: &TraceOver, place: &dyn Fn(f64, f64) -> (f64, f64), color: RGBColor) {
    let upper = side.band.iter().map(|(at, _, most)| place(*at, *most));
    let lower = side.band.iter().rev().map(|(at, least, _)| place(*at, *least));
    let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
    if outline.len() > 2 {
        canvas.polygon(&outline, color);
    }
}

fn draw_names<'n>(canvas: &Canvas<'_>, names: impl Iterator<Item = &'n str>, (left, y): (f64, f64)) {
    let mut x = left;
    for (rank, name) in names.enumerate() {
        canvas.line(&[(x, y), (x + 22.0, y)], COLORS[rank % COLORS.len()], 2.4);
        canvas.text(name, (x + 28.0, y), Letters::new(12.0, INK, Anchor::Left).bold());
        x += 50.0 + 7.2 * name.chars().count() as f64;
    }
}

/// Draws spectra over one another, and under them the change in decibels.
#[must_use]
pub fn render_overlaid_spectra(spectra: &OverlaidSpectra) -> String {
    let (upper, split, bottom) = (26.0, 250.0, 420.0);
    let positive = spectra.sides.iter().flat_map(|(_, line)| line.iter().map(|(_, density)| *density));
    let range = positive
        .filter(|density| *density > 0.0)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high): (f64, f64), density| {
            (low.min(density), high.max(density))
        });
    let range = if range.0 <= range.1 { range } else { (1e-9, 1.0) };
    let ends = spectra.sides.iter().flat_map(|(_, line)| line.iter().map(|(hz, _)| *hz));
    let span = ends.fold((f64::INFINITY, 0.0_f64), |(low, high), hz| (low.min(hz), high.max(hz)));
    let x = Scale::new((span.0.log10(), span.1.log10()), (74.0, WIDE - 14.0));
    let density = Field { x, y: Scale::new((range.0.log10() - 0.1, range.1.log10() + 0.1), (split, upper)) };
    let most =
        spectra.change.iter().fold((0.0_f64, 0.0_f64), |(low, high), (_, db)| (low.min(*db), high.max(*db)));
    let change = Field { x, y: Scale::new(padded(most, 0.08), (bottom, split + 24.0)) };
    render(WIDE, bottom + 46.0, |canvas| {
        for (from, to) in &spectra.at_floor {
            let ends = [x.px(x.clamp(from.log10())), x.px(x.clamp(to.log10()))];
            canvas.fill((ends[0], change.y.to_px), (ends[1], change.y.from_px), FLOOR);
        }
        draw_upright(canvas, &density, "density in V/√Hz", "V");
        for (rank, (_, line)) in spectra.sides.iter().enumerate() {
            let points = line.iter().filter(|(_, density)| *density > 0.0);
            let places: Vec<(f64, f64)> =
                points.map(|(hz, volts)| density.at((hz.log10(), density.y.clamp(volts.log10())))).collect();
            canvas.line(&places, COLORS[rank % COLORS.len()], 1.1);
        }
        if !spectra.floor.is_empty() {
            let places: Vec<(f64, f64)> = spectra
                .floor
                .iter()
                .filter(|(_, volts)| *volts > 0.0)
                .map(|(hz, volts)| density.at((hz.log10(), density.y.clamp(volts.log10()))))
                .collect();
            canvas.line(&places, GREY, 0.9);
        }
        change.draw_upright(canvas, "change in dB");
        draw_level(canvas, &change, "frequency", "Hz");
        let zero = change.y.px(0.0);
        canvas.line(&[(74.0, zero), (WIDE - 14.0, zero)], GREY, 1.2);
        let places: Vec<(f64, f64)> =
            spectra.change.iter().map(|(hz, db)| change.at((hz.log10(), *db))).collect();
        canvas.line(&places, INK, 1.2);
        let names = spectra.sides.iter().map(|(name, _)| name.as_str());
        draw_names(canvas, names, (74.0, 12.0));
        let mut x = WIDE - 14.0;
        let mut entry = |text: &str, draw: &dyn Fn(f64)| {
            let width = 6.3 * text.chars().count() as f64;
            x -= width + 30.0;
            draw(x);
            canvas.text(text, (x + 28.0, 12.0), Letters::new(12.0, GREY, Anchor::Left));
            x -= 16.0;
        };
        if !spectra.floor.is_empty() {
            entry("probe and scope alone", &|x| canvas.line(&[(x, 12.0), (x + 22.0, 12.0)], GREY, 1.4));
        }
        if !spectra.at_floor.is_empty() {
            entry("at their noise: the change is at least that", &|x| {
                canvas.fill((x, 5.0), (x + 22.0, 19.0), FLOOR);
            });
        }
    })
}
