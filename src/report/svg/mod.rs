//! The pictures of the report, as SVG without anything from outside. Pure.

mod allan;
mod axis;
mod canvas;
mod change_map;
mod curves;
mod decades;
mod dots;
mod fold;
mod forest;
mod histogram;
mod hours;
mod look;
mod map;
mod overlaid;
mod raster;
mod spectrum;
mod starts;
mod timeline;
mod trace;
mod waterfall;

pub use allan::render_allan;
pub use change_map::{change_map_width, render_change_map};
pub use curves::render_curves;
pub use dots::render_dots;
pub(in crate::report) use fold::GRID as FOLD_GRID;
pub use fold::render_fold;
pub use forest::render_forest;
pub(in crate::report) use histogram::BINS as HISTOGRAM_BINS;
pub use histogram::render_histogram;
pub use hours::render_hours;
pub use map::{render_map, render_regions};
pub use overlaid::{render_overlaid_spectra, render_overlaid_traces};
pub use spectrum::render_spectrum;
pub use starts::render_starts;
pub use timeline::{draws_a_limit, render_timeline};
pub use trace::{render_overview, render_small_trace, render_zoom};
pub use waterfall::render_waterfall;

/// One unit of time for a picture: factor and symbol for a span in seconds.
fn time_unit(span_s: f64) -> (f64, &'static str) {
    if span_s < 2e-6 {
        (1e9, "ns")
    } else if span_s < 2e-3 {
        (1e6, "µs")
    } else if span_s < 2.0 {
        (1e3, "ms")
    } else {
        (1.0, "s")
    }
}

/// One unit of voltage for a picture: factor and symbol for the largest magnitude in volts.
fn volt_unit(largest_v: f64) -> (f64, &'static str) {
    if largest_v < 1.0 { (1e3, "mV") } else { (1.0, "V") }
}

/// A range with some air at both ends.
fn padded((low, high): (f64, f64), share: f64) -> (f64, f64) {
    let pad = (high - low).max(1e-12) * share;
    (low - pad, high + pad)
}
