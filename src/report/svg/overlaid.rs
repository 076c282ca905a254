//! Traces and spectra of two groups over one another, on the same scales.

use plotters::style::RGBColor;

use super::axis::{Field, Scale};
use super::canvas::{Anchor, Canvas, GREY, INK, Letters, WHITE, render};
use super::decades::{draw_level, draw_upright};
use super::look::{Legend, Side, arrow, sample_of};
use super::{padded, time_unit, volt_unit};
use crate::compare::cell::Kind;
use crate::report::compare::pictures::{OverlaidSpectra, OverlaidTraces, SpectrumOver, Stretch, TraceOver};
use crate::waveform::Bound;

/// Under a change that is only a bound; dark enough for paper, light enough for the line on it.
const BOUND: RGBColor = RGBColor(0xea, 0xea, 0xe6);
/// Where nothing is known of the change.
const OPEN: RGBColor = RGBColor(0xd2, 0xd2, 0xce);
const WIDE: f64 = 1060.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = WIDE - 14.0;

/// Draws traces over one another: the band from lowest to highest, and the mean where there is one.
#[must_use]
pub fn render_overlaid_traces(traces: &OverlaidTraces) -> String {
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
    let width = 520.0;
    let samples = [sample_of(Side::BEFORE), sample_of(Side::AFTER)];
    let mut legend = Legend::new((66.0, width - 12.0));
    for (side, sample) in traces.sides.iter().zip(&samples) {
        legend = legend.with(&side.name, sample);
    }
    let top = legend.height() + 9.0;
    let height = 274.0 + top;
    let field = Field {
        x: Scale::new((span.0 * time_factor, span.1 * time_factor), (66.0, width - 12.0)),
        y: Scale::new(padded((range.0 * volt_factor, range.1 * volt_factor), 0.06), (height - 46.0, top)),
    };
    let place = |at: f64, volts: f64| field.at((at * time_factor, field.y.clamp(volts * volt_factor)));
    render(width, height, |canvas| {
        field.draw(
            canvas,
            &format!("{} in {time}", traces.time_title),
            &format!("{} in {volt}", traces.volts_title),
        );
        for (rank, side) in traces.sides.iter().enumerate() {
            draw_band(canvas, side, &place, Side::of(rank).shade);
        }
        for (rank, side) in traces.sides.iter().enumerate() {
            let look = Side::of(rank);
            let line: Vec<(f64, f64)> = side.line.iter().map(|(at, volts)| place(*at, *volts)).collect();
            look.line(canvas, &line, 1.4);
            look.marks(canvas, &line, (field.x.from_px + 30.0 + 32.0 * rank as f64, 64.0));
            for clipped_v in &side.clipped_v {
                let left = place(span.0, *clipped_v);
                canvas.dashes(left, place(span.1, *clipped_v), look.ink, 1.4);
                let letters = Letters::new(12.0, look.ink, Anchor::Right);
                canvas.text("clipped", (width - 14.0, left.1 - 8.0), letters);
            }
        }
        legend.draw(canvas, 2.0);
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

/// Draws spectra over one another, each over what probe and scope alone show of it, and under them the change in decibels as far as it is known.
#[must_use]
pub fn render_overlaid_spectra(spectra: &OverlaidSpectra) -> String {
    let lines = || spectra.sides.iter().flat_map(|side| [&side.line, &side.floor]).flatten();
    let range = lines()
        .map(|(_, density)| *density)
        .filter(|density| *density > 0.0)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high): (f64, f64), density| {
            (low.min(density), high.max(density))
        });
    let range = if range.0 <= range.1 { range } else { (1e-9, 1.0) };
    let span = lines().fold((f64::INFINITY, 0.0_f64), |(low, high), (hz, _)| (low.min(*hz), high.max(*hz)));
    let samples = spectra_samples();
    let (upper_legend, lower_legend) = (densities(spectra, &samples), changes(spectra, &samples));
    let upper = upper_legend.height() + 9.0;
    let split = upper + 224.0;
    let lower = split + 16.0 + lower_legend.height() + 7.0;
    let bottom = lower + 150.0;
    let x = Scale::new((span.0.log10(), span.1.log10()), (LEFT, RIGHT));
    let density = Field { x, y: Scale::new((range.0.log10() - 0.1, range.1.log10() + 0.1), (split, upper)) };
    let known = spectra.change.iter().flat_map(|stretch| stretch.change.iter());
    let most = known.fold((0.0_f64, 0.0_f64), |(low, high), (_, db)| (low.min(*db), high.max(*db)));
    let change = Field { x, y: Scale::new(padded(most, 0.08), (bottom, lower)) };
    render(WIDE, bottom + 46.0, |canvas| {
        draw_upright(canvas, &density, "density in V/√Hz", "V");
        for (rank, side) in spectra.sides.iter().enumerate() {
            draw_density(canvas, &density, side, rank);
        }
        upper_legend.draw(canvas, 2.0);
        lower_legend.draw(canvas, split + 16.0);
        draw_grounds(canvas, &change, &spectra.change);
        change.draw_upright(canvas, "change in dB");
        draw_level(canvas, &change, "frequency", "Hz");
        let zero = change.y.px(0.0);
        canvas.line(&[(LEFT, zero), (RIGHT, zero)], GREY, 1.2);
        for stretch in &spectra.change {
            draw_change(canvas, &change, stretch);
        }
    })
}

fn draw_density(canvas: &Canvas<'_>, field: &Field, side: &SpectrumOver, rank: usize) {
    let places = |line: &[(f64, f64)]| -> Vec<(f64, f64)> {
        let points = line.iter().filter(|(_, density)| *density > 0.0);
        points.map(|(hz, volts)| field.at((hz.log10(), field.y.clamp(volts.log10())))).collect()
    };
    let look = Side::of(rank);
    look.dotted(canvas, &places(&side.floor));
    let line = places(&side.line);
    look.line(canvas, &line, 1.2);
    look.marks(canvas, &line, (LEFT + 40.0 + 60.0 * rank as f64, 120.0));
}

/// What stands in front of the words of both legends: the sides' lines, what probe and scope show of each, and how well the change is known.
struct Samples<'s> {
    sides: [Box<SampleFn<'s>>; 2],
    floors: [Box<SampleFn<'s>>; 2],
    known: [(Kind, Box<SampleFn<'s>>); 4],
}

type SampleFn<'s> = dyn Fn(&Canvas<'_>, (f64, f64), (f64, f64)) + 's;

const UPPER: Kind = Kind::Bound(Bound::Upper);
const LOWER: Kind = Kind::Bound(Bound::Lower);

fn spectra_samples() -> Samples<'static> {
    let dotted = |side: Side| -> Box<SampleFn<'static>> {
        Box::new(move |canvas, from, to| {
            let y = f64::midpoint(from.1, to.1);
            side.dotted(canvas, &[(from.0, y), (to.0, y)]);
        })
    };
    let known = |kind: Kind| -> (Kind, Box<SampleFn<'static>>) {
        let draw = move |canvas: &Canvas<'_>, from: (f64, f64), to: (f64, f64)| {
            draw_ground(canvas, kind, from, to);
            let y = f64::midpoint(from.1, to.1);
            let y = if kind == LOWER {
                y + 4.0
            } else if kind == UPPER {
                y - 5.0
            } else {
                y
            };
            draw_known(canvas, kind, &[(from.0, y), (to.0, y)]);
            draw_arrow(canvas, kind, (f64::midpoint(from.0, to.0), y));
        };
        (kind, Box::new(draw))
    };
    Samples {
        sides: [Box::new(sample_of(Side::BEFORE)), Box::new(sample_of(Side::AFTER))],
        floors: [dotted(Side::BEFORE), dotted(Side::AFTER)],
        known: [known(Kind::Value), known(UPPER), known(LOWER), known(Kind::Nothing)],
    }
}

fn densities<'s>(spectra: &OverlaidSpectra, samples: &'s Samples<'_>) -> Legend<'s> {
    let mut legend = Legend::new((LEFT, RIGHT));
    for (rank, side) in spectra.sides.iter().enumerate() {
        legend = legend.with(&side.name, &samples.sides[rank]);
        if !side.floor.is_empty() {
            legend = legend.with("its probe and scope alone", &samples.floors[rank]);
        }
    }
    legend
}

/// How well the change is known, as far as that is to be seen.
fn changes<'s>(spectra: &OverlaidSpectra, samples: &'s Samples<'_>) -> Legend<'s> {
    let [before, after] = spectra.sides.each_ref().map(|side| side.name.as_str());
    let is_there = |kind: Kind| spectra.change.iter().any(|stretch| stretch.kind == kind);
    let mut legend = Legend::new((LEFT, RIGHT));
    for (kind, sample) in samples.known.iter().filter(|(kind, _)| is_there(*kind)) {
        let words = match *kind {
            Kind::Value => "change".to_owned(),
            Kind::Nothing => "both at their noise: not known".to_owned(),
            UPPER => format!("{after} at its noise: truly lower"),
            Kind::Bound(_) => format!("{before} at its noise: truly higher"),
        };
        legend = legend.with(words, sample);
    }
    legend
}

/// Grounds that leave no gap: each stretch begins where the one before it ends.
fn draw_grounds(canvas: &Canvas<'_>, field: &Field, stretches: &[Stretch]) {
    let px = |hz: f64| field.x.px(field.x.clamp(hz.log10()));
    let border = |left: &Stretch, right: &Stretch| f64::midpoint(px(left.hz.1), px(right.hz.0));
    for (place, stretch) in stretches.iter().enumerate() {
        let left = place.checked_sub(1).and_then(|other| stretches.get(other));
        let from = left.map_or(px(stretch.hz.0), |left| border(left, stretch));
        let to = stretches.get(place + 1).map_or(px(stretch.hz.1), |right| border(stretch, right));
        draw_ground(canvas, stretch.kind, (from, field.y.to_px), (to, field.y.from_px));
        let words = "not known";
        let half = 0.5 * 6.2 * words.len() as f64 + 4.0;
        if stretch.kind == Kind::Nothing && to - from > 2.0 * half {
            let middle = (f64::midpoint(from, to), f64::midpoint(field.y.to_px, field.y.from_px));
            canvas.fill((middle.0 - half, middle.1 - 9.0), (middle.0 + half, middle.1 + 9.0), WHITE);
            canvas.text(words, middle, Letters::new(12.0, INK, Anchor::Middle));
        }
    }
}

fn draw_ground(canvas: &Canvas<'_>, kind: Kind, from: (f64, f64), to: (f64, f64)) {
    match kind {
        Kind::Value => {}
        Kind::Bound(_) => canvas.fill(from, to, BOUND),
        Kind::Nothing => {
            canvas.fill(from, to, OPEN);
            canvas.hatch(from, to, WHITE);
        }
    }
}

/// A change that is a value is an unbroken line, a bound a broken one; one that is not known is none.
fn draw_known(canvas: &Canvas<'_>, kind: Kind, places: &[(f64, f64)]) {
    match kind {
        Kind::Value => canvas.line(places, INK, 1.3),
        Kind::Bound(_) => canvas.dashed(places, INK, 1.1, (5.0, 3.0)),
        Kind::Nothing => {}
    }
}

/// Where the truth lies beside a bound.
fn draw_arrow(canvas: &Canvas<'_>, kind: Kind, place: (f64, f64)) {
    if let Kind::Bound(bound) = kind {
        arrow(canvas, place, if bound == Bound::Upper { 1.0 } else { -1.0 }, INK);
    }
}

fn draw_change(canvas: &Canvas<'_>, field: &Field, stretch: &Stretch) {
    let places: Vec<(f64, f64)> =
        stretch.change.iter().map(|(hz, db)| field.at((hz.log10(), field.y.clamp(*db)))).collect();
    draw_known(canvas, stretch.kind, &places);
    let Some((first, last)) = places.first().zip(places.last()) else { return };
    // One in the middle, and as many beside it as have room.
    let pitch = 40.0_f64;
    let mut next = f64::midpoint(first.0, last.0) - pitch * (0.5 * (last.0 - first.0) / pitch).floor();
    for place in &places {
        if place.0 + 1e-6 >= next {
            draw_arrow(canvas, stretch.kind, *place);
            next += pitch;
        }
    }
}
