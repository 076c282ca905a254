//! Slow records: start-up, fall, load step and short circuit (U, D, L, H of `docs/measurements.md`). Pure functions; the
//! windows, levels and instants that belong to a test are arguments. Times are seconds on the record's own axis, whose zero
//! is its first sample.

mod crossing;
mod fall;
mod load_step;
mod short;
mod slow;
mod start_up;

pub use crossing::{Direction, find_crossing};
pub use fall::{Fall, measure_fall};
pub use load_step::{
    LoadStep, LoadStepTerms, LoadStepTimes, Recovery, StepResponse, find_step_instants, measure_load_step,
};
pub use short::{Short, ShortTerms, ShortTimes, measure_short};
pub use slow::{SlowRecord, TimeWindow};
pub use start_up::{SETTLING_BANDS, Settling, StartUp, StartUpRecord, measure_start_up, measure_threshold};
