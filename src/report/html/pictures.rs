//! The pictures of one capture, each with what it shows.

use maud::{Markup, html};

use super::picture;
use crate::base::units::with_prefix;
use crate::report::pictures::{Pictures, Zoom};
use crate::report::svg::{render_fold, render_histogram, render_overview, render_spectrum, render_zoom};
use crate::waveform::density::Fold;

/// Periods that differ by more than this are told in the caption.
const UNEVEN: f64 = 1.1;

pub(super) fn render(pictures: &Pictures) -> Markup {
    html! {
        (overview(pictures))
        div.row.two {
            div { (zoom(pictures.zoom.as_ref())) }
            div { (fold(pictures)) }
        }
        (spectrum(pictures))
        div.row.two {
            div { (histogram(pictures)) }
            @if let Some(closer) = &pictures.closer { div { (closer_fold(closer, pictures.is_even)) } }
        }
    }
}

fn overview(pictures: &Pictures) -> Markup {
    let end = |zoom: &Zoom| zoom.start_s + zoom.volts.len() as f64 * zoom.step_s;
    let spot = pictures.zoom.as_ref().map(|zoom| (zoom.start_s, end(zoom)));
    html! {
        @match &pictures.overview {
            Ok(overview) => {
                (picture(&render_overview(overview, spot), "wide", "the whole record by minimum and maximum"))
                p.small {
                    "The whole record: each column runs from its lowest to its highest sample, so that no spike is lost. "
                    "The stretch below is marked."
                }
            },
            Err(reason) => p { "The record cannot be drawn: " (reason) "." },
        }
    }
}

fn zoom(zoom: Option<&Zoom>) -> Markup {
    html! {
        @match zoom {
            Some(zoom) => {
                (picture(&render_zoom(zoom), "half", &zoom.caption))
                p.small { (zoom.caption) @if zoom.node.is_some() { " The switch node under it." } }
            },
            None => p { "There is no stretch to look at closely." },
        }
    }
}

fn fold(pictures: &Pictures) -> Markup {
    html! {
        @match &pictures.fold {
            Ok(fold) => {
                (picture(&render_fold(fold, pictures.is_even), "half", "one period, all cycles laid over each other"))
                p.small {
                    "One period of " (with_prefix(fold.period_s, "s")) ": " (fold.cycles)
                    " cycles laid over each other"
                    @if !pictures.is_even { " from their rising edges" }
                    ", not stretched, darker where more samples fell; a single "
                    "sample shows. The line is their mean."
                    @if fold.periods_s.1 > UNEVEN * fold.periods_s.0 {
                        " The periods last from " (with_prefix(fold.periods_s.0, "s")) " to " (with_prefix(fold.periods_s.1, "s"))
                        ": towards the right the shorter ones have ended."
                    }
                    @if fold.beyond > 0 { " " (fold.beyond) " samples of longer periods lie beyond the picture." }
                    @if pictures.is_even {
                        " Without edges of a switch node the cycles are laid at the mean frequency: jitter widens the picture, and "
                        "where the period begins is arbitrary."
                    }
                }
            },
            Err(reason) => p { "The cycles cannot be laid over each other: " (reason) "." },
        }
    }
}

fn closer_fold(fold: &Fold, is_even: bool) -> Markup {
    html! {
        (picture(&render_fold(fold, is_even), "half", "one period between the spikes"))
        p.small {
            "The same period between the spikes: " (fold.outside) " samples lie outside of this picture."
        }
    }
}

fn spectrum(pictures: &Pictures) -> Markup {
    html! {
        @match &pictures.spectrum {
            Ok(view) => {
                (picture(&render_spectrum(view), "wide", "spectrum of the output with the switching harmonics"))
                p.small {
                    "The spectrum (Welch, Hann window, lines " (with_prefix(view.line_hz, "Hz")) " apart)"
                    @if view.switching_hz.is_some() { "; marked above: multiples of the switching frequency" }
                    "."
                    @if let Some(limit_hz) = view.limit_hz {
                        " Grey: beyond the scope's bandwidth limit of " (with_prefix(limit_hz, "Hz")) "."
                    }
                }
            },
            Err(reason) => p { "There is no spectrum: " (reason) "." },
        }
    }
}

fn histogram(pictures: &Pictures) -> Markup {
    html! {
        @match &pictures.histogram {
            Ok(histogram) => {
                (picture(&render_histogram(histogram), "half", "histogram of the output"))
                p.small { "How often the output stood where, in powers of ten: every sample of the record is in it." }
            },
            Err(reason) => p { "There is no histogram: " (reason) "." },
        }
    }
}
