//! The worst captures as pictures and the scope's own screen.

use maud::{Markup, html};

use super::picture;
use super::top::sentence;
use crate::base::units::{Hertz, Volts, with_prefix};
use crate::report::build::{Report, Screen};
use crate::report::capture::CaptureView;
use crate::report::figure::minus;
use crate::report::svg::{render_fold, render_overview, render_zoom};
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
    let spot =
        view.zoom.as_ref().map(|zoom| (zoom.start_s, zoom.start_s + zoom.volts.len() as f64 * zoom.step_s));
    html! {
        section.figure {
            h3 { (view.title) }
            p { (minus(&sentence(&view.why))) " " span.small { "Captured with " (conditions(&view.acquisition)) "." } }
            @if view.clipped > 0 {
                p.small { (view.clipped) " samples stand at the end of the converter's range: the true peak may be higher." }
            }
            @if let Some(note) = &view.acquisition.range_note { p.small { (sentence(note)) } }
            @match &view.overview {
                Ok(overview) => {
                    (picture(&render_overview(overview, spot), "wide", "the whole record by minimum and maximum"))
                    p.small {
                        "The whole record: each column runs from its lowest to its highest sample, so that no spike is lost. "
                        "The stretch below is marked."
                    }
                },
                Err(reason) => p { "The record cannot be drawn: " (reason) "." },
            }
            div.row.two {
                div {
                    @match &view.zoom {
                        Some(zoom) => {
                            (picture(&render_zoom(zoom), "half", zoom.caption))
                            p.small {
                                (zoom.caption)
                                @if zoom.node.is_some() { " The switch node under it." }
                            }
                        },
                        None => p { "There is no stretch to look at closely." },
                    }
                }
                div {
                    @match &view.fold {
                        Ok(fold) => {
                            (picture(&render_fold(fold), "half", "one period, all cycles laid over each other"))
                            p.small {
                                "One period of " (with_prefix(fold.period_s, "s")) ": " (fold.cycles)
                                " cycles laid over each other, darker where more samples fell, pale from lowest to highest. "
                                "The line is their mean."
                            }
                        },
                        Err(reason) => p { "The cycles cannot be laid over each other: " (reason) "." },
                    }
                }
            }
            p.small { "Samples: " code { (view.file) } }
        }
    }
}

fn screen_view(screen: &Screen) -> Markup {
    html! {
        div.picture {
            img alt={ "screen of the scope at point " (screen.point) } src={ "data:image/png;base64," (base64(&screen.png)) };
        }
        p.small { "As the scope showed it at point " (screen.point) ": " code { (screen.file) } }
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = group
            .iter()
            .enumerate()
            .fold(0_u32, |word, (place, byte)| word | u32::from(*byte) << (16 - 8 * place));
        for place in 0..4 {
            let letter = ALPHABET[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_follows_the_vectors_of_rfc_4648() {
        let table = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ];
        for (bytes, text) in table {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
