//! The figures over input voltage and load, and where the board starts.

use maud::{Markup, html};

use super::picture;
use super::top::{sentence, signs};
use crate::base::units::with_prefix;
use crate::event::FigureName;
use crate::report::build::Report;
use crate::report::figure::{Extreme, FigureView, Mark, minus};
use crate::report::svg::{render_curves, render_map, render_regions};

pub(super) fn render(report: &Report) -> Markup {
    html! {
        h2 { "Figures over input voltage and load" }
        @if report.points.is_empty() {
            p { "No point was finished: there is nothing to draw." }
        } @else if report.figures.is_empty() {
            p { "The profile asked for none of the figures that are drawn; the table of points holds what was measured." }
        }
        @for view in &report.figures {
            @let note = report.thermal.as_ref().filter(|_| view.name == FigureName::BoardTemperature);
            (section(view, note))
        }
    }
}

fn section(view: &FigureView, note: Option<&String>) -> Markup {
    let title = sentence(view.name.title());
    let says = format!("{} over {}", view.name.title(), view.along.title());
    html! {
        section.figure {
            h3 { (title.trim_end_matches('.')) }
            @if let Some(note) = note { p { b { (sentence(note)) } } }
            @match render_curves(view, false) {
                None => p { (nothing(view)) },
                Some(curves) => {
                    div.row {
                        (picture(&curves, "curves", &says))
                        aside { (beside(view)) }
                    }
                    @if let Some(closer) = render_curves(view, true) {
                        div.row {
                            (picture(&closer, "curves", &format!("{says}, in regulation only")))
                            aside { p { b { "In regulation only." } " The same values, drawn closer." } }
                        }
                    }
                    @if let Some(map) = render_map(view) { (picture(&map, "map", &format!("map of {says}"))) }
                },
            }
        }
    }
}

/// Why there is no picture.
fn nothing(view: &FigureView) -> String {
    match (view.extremes, &view.why_not) {
        (Some((only, _)), _) => format!(
            "One point only: {} at {}. There is nothing to draw a line through.",
            shown(view, only),
            place(only)
        ),
        (None, Some(reason)) => format!("Not available at any point. {}", sentence(reason)),
        (None, None) => "Not available at any point.".to_owned(),
    }
}

/// A value; a bound has its sign in front.
fn shown(view: &FigureView, extreme: Extreme) -> String {
    let sign = extreme.bound.map_or_else(String::new, |bound| format!("{} ", bound.sign_of(extreme.value)));
    format!("{sign}{}", minus(&view.name.show(extreme.value)))
}

fn place(extreme: Extreme) -> String {
    format!("{}, {} (point {})", extreme.setting.vin, extreme.setting.load, extreme.point)
}

fn beside(view: &FigureView) -> Markup {
    let cells = || view.map.iter().flat_map(|map| map.cells.iter().flatten());
    let broken = cells().filter(|cell| cell.mark == Mark::Fail).count();
    html! {
        @if let Some((least, most)) = view.extremes {
            p { b { "Highest " (shown(view, most)) } br; "at " (place(most)) }
            p { b { "Lowest " (shown(view, least)) } br; "at " (place(least)) }
        }
        @for limit in &view.limits { p { (signs(&sentence(limit))) } }
        @if view.limits.is_empty() { p.small { "The profile sets no limit on it." } }
        @if view.has_bounds() {
            p.small { "An arrow at a marker, ≤ and ≥ in the map: the value is only a bound, and the truth lies on that side of it." }
        }
        @if broken > 0 { p { b { "Broken at " (broken) @if broken == 1 { " point." } @else { " points." } } } }
        @if let Some(reason) = &view.why_not {
            p.small { "Not available at some points: " (minus(reason)) "." }
        }
    }
}

pub(super) fn starts(report: &Report) -> Markup {
    if report.points.is_empty() {
        return html! {};
    }
    let volts = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| with_prefix(value, "V"));
    let regions = render_regions(&report.points);
    html! {
        section.figure {
            h2 { "Where the board starts" }
            @match &regions {
                Some(svg) => (picture(svg, "map", "state of the board over input voltage and load")),
                None => p { "One input voltage only: where the board starts cannot be seen." },
            }
            @if regions.is_some() {
                div.scroll { table.slim {
                    thead { tr {
                        th { "load" } th { "highest input voltage without output" } th { "lowest input voltage in regulation" }
                        th { "output outside regulation at" }
                    } }
                    tbody { @for start in &report.starts { tr {
                        td.nowrap { (with_prefix(start.load_a, "A")) }
                        td { (volts(start.highest_off_v)) }
                        td { (volts(start.lowest_regulated_v)) }
                        td {
                            @let between: Vec<String> = start.unregulated_v.iter().map(|v| with_prefix(*v, "V")).collect();
                            @if between.is_empty() { "–" } @else { (between.join(", ")) }
                            @if start.unknown > 0 { " (output voltage not measured at " (start.unknown) " points)" }
                        }
                    } } }
                } }
                p.small {
                    "Measured at the steps of the plan: the start lies between the two voltages of a row. The board starts at a "
                    "higher voltage than it stops at, so that the order of the points matters."
                }
            }
        }
    }
}
