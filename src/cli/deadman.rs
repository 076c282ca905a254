//! `soakrig deadman`: started by a run, never by a person.

use std::io;

use super::args::DeadmanArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, tell};
use crate::session;

pub(super) fn run(args: &DeadmanArgs) -> Outcome {
    // Whoever ends the controller's whole group or service does not mean the one who then has to switch off.
    super::signals_unix::bear()
        .map_err(|error| CliError::internal(format!("cannot listen for signals: {error}")))?;
    let safe =
        session::keep_vigil((&args.rig, args.controller), io::stdin(), io::stdout(), &mut |told| tell(told))?;
    Ok(match safe {
        Some(safe) if !safe.verified => Exit::Instrument,
        _ => Exit::Done,
    })
}
