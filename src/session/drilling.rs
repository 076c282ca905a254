//! The drill of the dead-man, before a bench is left alone.

use std::path::Path;

use super::opening::is_simulated;
use super::{Prepared, SessionError};
use crate::engine::StopWish;
use crate::event::{DrillKind, Drilled};

/// What is said of a bench inside the process.
pub(super) const SIMULATED: &str =
    "the simulated instruments end with this process, so there is no dead-man to drill";

/// Drills the dead-man of a bench that nobody uses at the moment: a controller of its own (`program` once more) takes the
/// bench, starts its dead-man, energises the bench at 1 V with the supply's current limit at 50 mA and the load at 0 A, and
/// dies. Afterwards the bench is looked at over other links, and left off. It takes some seconds, a suspended controller's
/// drill some more than the dead-man's patience. A wish to stop now ends it early, as a failure.
///
/// The caller must not hold the bench, leaves it alone where [`Drilled::refusal`] says so, and keeps the result in its
/// record as [`crate::event::Event::DeadmanDrilled`].
///
/// # Errors
/// The drill could not be begun; nothing was switched on.
pub fn drill(
    prepared: &Prepared,
    program: &Path,
    kind: DrillKind,
    stop: &StopWish,
) -> Result<Drilled, SessionError> {
    if is_simulated(&prepared.rig) {
        return Ok(Drilled::not_applicable(kind, SIMULATED));
    }
    drill_real(prepared, program, kind, stop)
}

#[cfg(unix)]
use super::drilling_unix::drill_real;

#[cfg(not(unix))]
fn drill_real(_: &Prepared, _: &Path, _: DrillKind, _: &StopWish) -> Result<Drilled, SessionError> {
    Err(SessionError::Bench("on this system there is no dead-man yet, and so nothing to drill".to_owned()))
}
