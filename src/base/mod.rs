//! What everything else stands on: quantities, names, time, chance, robust statistics and distributions.
//!
//! Nothing here knows of instruments, files or the network.

pub mod clock;
pub mod count;
pub mod cut;
pub mod decibel;
pub mod digest;
pub mod distribution;
pub mod estimate;
pub mod names;
pub mod random;
pub mod span;
pub mod standing;
pub mod stats;
pub mod units;
