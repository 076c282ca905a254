//! What everything else stands on: quantities, names, time, robust statistics.
//!
//! Nothing here knows of instruments, files or the network.

pub mod clock;
pub mod cut;
pub mod digest;
pub mod names;
pub mod span;
pub mod stats;
pub mod units;
