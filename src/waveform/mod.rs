//! A trace as captured and the figures made of it. Names follow IEEE 181 and PARD usage; `docs/measurements.md` states
//! every definition.

mod acquisition;
mod baseline;
mod beside;
pub mod blanking;
mod block;
pub mod both_ways;
mod butterworth;
pub mod conduction;
mod counts;
pub mod density;
mod extents;
pub mod figures;
pub mod filter;
pub mod floor;
pub mod fold;
mod harmonics;
mod heap;
pub mod histogram;
pub mod import;
pub mod levels;
mod look;
mod measure;
pub mod median;
pub mod moments;
mod network;
pub mod overview;
pub mod periodicity;
pub mod pulses;
pub mod ring;
pub mod ripple;
pub mod rises;
mod rows;
pub mod spectrum;
pub mod spikes;
mod strips;
pub mod switching;
mod tops;
pub mod trace;
pub mod transitions;
mod wide;

pub use acquisition::{Acquisition, Coupling};
pub use figures::{
    Bound, Bounded, Conduction, DEFINITIONS, Definition, FloorLevel, Pair, PeriodSource, RippleMethod,
    SteadyState,
};
pub use floor::{Floor, loses_floor};
pub use measure::{FROM_WIDE, Terms, measure, measure_one, measure_with};
pub use trace::{Codes, Scaling, Waveform};

/// Why a figure cannot be had; a sentence for the report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

impl Unavailable {
    /// A reason.
    #[must_use]
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// A figure's value in SI units, or why there is none. "Not available" never becomes a number.
pub type Figure = Result<f64, Unavailable>;
