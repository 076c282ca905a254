//! What is looked at before a run touches the bench: room on the disk, and of a soak the dead-man.

use std::path::Path;

use super::checking::host::{free_bytes, nearest_folder};
use super::room::{Room, judge_room, lack_of_room};
use super::running::RunRequest;
use super::{Prepared, SessionError};
use crate::event::{DrillKind, Drilled};
use crate::plan::Step;
use crate::record::journal::check_writable;

/// Refuses a run that would not fit on the disk; of a soak fewer traces may be kept, and how that is told.
pub(super) fn check_room(prepared: &Prepared, out: &Path) -> Result<Option<String>, SessionError> {
    let free = free_bytes(&nearest_folder(out));
    match judge_room(&prepared.plan.writes, &free) {
        Room::Enough => Ok(None),
        Room::Thin(what) if prepared.plan.soak.is_some() => Ok(Some(what)),
        Room::Thin(what) | Room::No(what) => Err(SessionError::Usage(what)),
    }
}

/// Refuses to go on with a run whose record cannot be written any further, before anything is switched on.
pub(super) fn check_record(folder: &Path) -> Result<(), SessionError> {
    check_writable(folder)?;
    lack_of_room(&free_bytes(folder)).map_or(Ok(()), |why| Err(SessionError::Usage(why)))
}

/// Nobody leaves a bench alone whose dead-man was not seen to act.
pub(super) fn drill_first(
    prepared: &Prepared,
    request: &RunRequest<'_>,
) -> Result<Option<Drilled>, SessionError> {
    // A run that is gone on with may have nothing left to switch on.
    let energises = prepared.plan.steps.contains(&Step::SwitchSupply(true));
    if prepared.plan.soak.is_none() || !energises {
        return Ok(None);
    }
    let drilled = super::drill(prepared, request.program, DrillKind::Killed, request.stop)?;
    match drilled.refusal() {
        Some(why) => Err(SessionError::Bench(why)),
        None => Ok(Some(drilled)),
    }
}
