//! The worst points of a soak in every figure, in a table with small pictures.

use maud::{Markup, html};

use super::{moment, picture};
use crate::base::span::render_elapsed;
use crate::base::units::with_prefix;
use crate::event::FigureName;
use crate::report::figure::minus;
use crate::report::soak::SoakView;
use crate::report::soak::worst::{MOST, SmallTrace, WorstPoint};
use crate::report::svg::render_small_trace;

pub(super) fn render(view: &SoakView) -> Markup {
    html! {
        @if !view.worst.is_empty() {
            h2 { "The worst of every figure" }
            div.scroll { table.cards.worst {
                thead { tr {
                    th { "figure" } th.number { "value" } th.number { "after" } th { "UTC" } th { "point" } th { "held" } th { "trace" }
                } }
                @for worst in &view.worst { tbody {
                    @for (place, point) in worst.points.iter().enumerate() { (row(view, (worst.figure, place), point)) }
                } }
            } }
            p.small {
                "The " (MOST) " worst points of each figure that a board gets worse in, sweeps and captures together, the worst first. "
                "Output voltage: farthest from nominal; switching frequency and duty factor: farthest from the first value at the same setting. "
                "Traces, where they were kept: three periods of ripple, or 1.5 µs about the sample farthest from the mean; each is drawn to its own height, the whole trace's height stands beside it."
            }
        }
    }
}

fn row(view: &SoakView, (figure, place): (FigureName, usize), point: &WorstPoint) -> Markup {
    let result = &point.result;
    let value = result.figures.value(figure).map(|value| minus(&figure.show(value))).unwrap_or_default();
    let phase = result.phase.and_then(|phase| view.facts.phases.get(usize::from(phase)));
    html! {
        tr {
            td { b.again[place > 0] { (figure.title()) } }
            td.number data-label="value" { (result.sign(figure)) (value) }
            td.number data-label="after" { (render_elapsed(point.after)) }
            td.nowrap data-label="UTC" { (moment(view.started.utc + point.after)) }
            td data-label="point" { (result.point.0) ", " (phase.map_or("sweep", String::as_str)) }
            td.nowrap data-label="held" { (result.setting.vin) ", " (result.setting.load) }
            td.trace { @match &point.trace { Ok(trace) => (small(trace)), Err(reason) => span.small { (reason) } } }
        }
    }
}

fn small(trace: &SmallTrace) -> Markup {
    let (low, high) = trace.ends_v;
    let says = format!("{}, {} high", trace.purpose, with_prefix(high - low, "V"));
    html! { (picture(&render_small_trace(&trace.overview), "small", &says)) span.small { (says) } }
}
