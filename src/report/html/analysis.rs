//! The page of one analysed trace: figures first, then pictures, the table, conditions, definitions.

use maud::{Markup, html};

use super::{pictures, top};
use crate::event::FigureName;
use crate::report::analysis::Analysis;
use crate::waveform::figures::{DEFINITIONS, find_definition};

/// What a reader looks for first.
const HEADLINE: [(&str, &str); 7] = [
    ("mean_v", "mean"),
    ("ripple_pp_v", "ripple, peak to peak"),
    ("noise_pp_20mhz_v", "ripple and noise, 20 MHz"),
    ("spike_pos_v", "highest spike"),
    ("spike_neg_v", "deepest spike"),
    ("switching_hz", "switching frequency"),
    ("duty", "duty factor"),
];

/// The page. It needs nothing from outside.
#[must_use]
pub fn render_analysis(analysis: &Analysis) -> String {
    let content = html! {
        (headline(analysis))
        (limits(analysis))
        (drawn(analysis))
        (table(analysis))
        (missing(analysis))
        (conditions(analysis))
        (definitions())
    };
    super::page(&format!("Analysis of {}", analysis.origin.file), &content)
}

fn headline(analysis: &Analysis) -> Markup {
    let figures = analysis.state.figures();
    let value = |name: &str| {
        figures
            .iter()
            .find(|(known, _)| *known == name)
            .and_then(|(_, figure)| figure.as_ref().ok())
            .map_or_else(|| "not available".to_owned(), |value| analysis.shown(name, *value))
    };
    html! {
        header {
            h1 { (analysis.origin.file) }
            p.lead { (analysis.origin.format_title) }
            @for view in &analysis.views { p.lead { (analysis.conditions(view)) } }
        }
        ul.facts {
            @for (name, words) in HEADLINE { li { b { (value(name)) } span { (words) } } }
            li { b { (analysis.state.conduction.as_str()) } span { "conduction" } }
        }
    }
}

fn limits(analysis: &Analysis) -> Markup {
    let limits = analysis.limits();
    html! {
        h2 { "What limits these figures" }
        @if limits.is_empty() { p { "Nothing that was found." } }
        ul.plain {
            @for limit in &limits { li { (top::told(&sentence(limit))) } }
        }
    }
}

fn drawn(analysis: &Analysis) -> Markup {
    html! {
        h2 { "Pictures" }
        @for view in &analysis.views {
            section.figure {
                @if analysis.views.len() > 1 { h3 { "Acquisition for " (view.acquisition.purpose) } }
                @if let Some(drawn) = &view.pictures { (pictures::render(drawn)) }
            }
        }
    }
}

fn table(analysis: &Analysis) -> Markup {
    html! {
        h2 { "Figures" }
        div.scroll { table.slim {
            thead { tr { th { "figure" } th.number { "value" } th { "definition" } th { "name" } } }
            tbody {
                @for (name, figure) in analysis.state.figures() {
                    @if let Ok(value) = figure { tr {
                        td { (analysis.title(name)) }
                        td.number { (analysis.shown(name, *value)) }
                        td { (find_definition(name).map_or("", |definition| definition.tag)) }
                        td { (top::key(name)) }
                    } }
                }
            }
        } }
        p.small { "≤, ≥: the value is a bound, the truth lies on that side of it. <: under what the record resolves." }
    }
}

fn missing(analysis: &Analysis) -> Markup {
    let title = |name: &str| name.parse::<FigureName>().map_or("", FigureName::title);
    let groups = analysis.missing();
    html! {
        h2 { "What could not be measured" }
        @if groups.is_empty() { p { "Every figure could be had." } } @else {
            div.scroll { table.slim {
                thead { tr { th { "why" } th { "figures" } } }
                tbody { @for (reason, names) in &groups { tr {
                    td { (top::told(&sentence(reason))) }
                    td { @for (place, name) in names.iter().enumerate() { @if place > 0 { "; " } (title(name)) } }
                } } }
            } }
        }
    }
}

fn conditions(analysis: &Analysis) -> Markup {
    let origin = &analysis.origin;
    html! {
        h2 { "The record" }
        dl {
            dt { "File" } dd { (origin.file) }
            dt { "Format" } dd { (origin.format_title) }
            dt { "Output" } dd { (origin.channel) }
            dt { "Switch node" } dd { (origin.lx_channel.as_deref().unwrap_or("none in this record")) }
            @for view in &analysis.views { dt { "Taken with" } dd { (analysis.conditions(view)) } }
            @for note in &origin.notes { dt { "Note" } dd { (top::told(&sentence(note))) } }
        }
    }
}

fn definitions() -> Markup {
    html! {
        h2 { "Definitions" }
        div.scroll { table.slim {
            thead { tr { th { "tag" } th { "name" } th { "what it is" } th.number { "version" } } }
            tbody { @for definition in DEFINITIONS { tr {
                td { (definition.tag) } td { (top::key(definition.name)) } td { (top::told(definition.about)) }
                td.number { (definition.version) }
            } } }
        } }
        p.small {
            "The full definitions, their sources and traps stand in docs/measurements.md of soakrig. Figures of different set-ups "
            "(probe, coupling, bandwidth, range) are not to be compared."
        }
    }
}

/// As a sentence; the name of a figure in front stays as it is written everywhere else.
fn sentence(text: &str) -> String {
    let is_name = text.split(' ').next().is_some_and(|word| word.contains('_'));
    let full = top::sentence(text);
    if is_name {
        format!("{}{}", text.chars().next().unwrap_or_default(), full.get(1..).unwrap_or_default())
    } else {
        full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figures_name_is_not_written_with_a_capital() {
        assert_eq!(sentence("ripple_pp_v is a bound"), "ripple_pp_v is a bound.");
        assert_eq!(sentence("the trace is clipped"), "The trace is clipped.");
    }
}
