//! The worst captures as pictures and the scope's own screen.

use maud::{Markup, html};

use super::pictures;
use super::top::{sentence, told};
use crate::base::units::{Hertz, Volts};
use crate::report::base64::render_base64;
use crate::report::build::{Report, Screen};
use crate::report::capture::CaptureView;
use crate::report::figure::minus;
use crate::waveform::Acquisition;

pub(super) fn render(report: &Report) -> Markup {
    html! {
        h2 { "The worst captures" }
        @for capture in &report.captures {
            @match capture {
                Ok(view) => (capture_view(view)),
                Err(reason) => p { (reason) },
            }
        }
        section.figure {
            h3 { "The scope's screen" }
            @match &report.screen {
                Ok(screen) => (screen_view(screen)),
                Err(reason) => p { (reason) },
            }
        }
    }
}

/// The conditions of a capture in one line.
pub(super) fn conditions(about: &Acquisition) -> String {
    let bandwidth = about
        .bandwidth_limit_hz
        .map_or_else(|| "full bandwidth".to_owned(), |corner| format!("{} limit", Hertz(corner)));
    let fixture = if about.fixture.is_empty() {
        String::new()
    } else {
        format!(" by {}", about.fixture.replace('_', " "))
    };
    format!(
        "channel {}, {} coupled, {bandwidth}, probe {}:1{fixture}, {} per division, {} samples",
        about.channel,
        about.coupling.as_str(),
        about.probe_ratio,
        Volts(about.volts_per_div),
        about.memory_depth
    )
}

fn capture_view(view: &CaptureView) -> Markup {
    html! {
        section.figure {
            h3 { (view.title) }
            p { (told(&minus(&sentence(&view.why)))) " " span.small { "Captured with " (conditions(&view.acquisition)) "." } }
            @if view.clipped > 0 {
                p.small { (view.clipped) " samples stand at the end of the converter's range: the true peak may be higher." }
            }
            @if let Some(note) = &view.acquisition.range_note { p.small { (sentence(note)) } }
            (pictures::render(&view.pictures))
            p.small { "Samples: " code { (view.file) } }
        }
    }
}

fn screen_view(screen: &Screen) -> Markup {
    html! {
        div.picture {
            img alt={ "screen of the scope at point " (screen.point) } src={ "data:image/png;base64," (render_base64(&screen.png)) };
        }
        p.small { "As the scope showed it at point " (screen.point) ": " code { (screen.file) } }
    }
}
