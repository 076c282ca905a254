//! `soakrig drill`: started by a drill of the dead-man, never by a person.

use std::io;

use super::args::DrillArgs;
use super::exit::Exit;
use super::message::Outcome;
use super::run::own_program;
use crate::session;

pub(super) fn run(args: &DrillArgs) -> Outcome {
    // A signal ends it as it is: then its dead-man switches off, and that is what it is for.
    let program = own_program()?;
    session::hold_for_drill((&args.rig, &args.folder, &program), &mut io::stdout())?;
    Ok(Exit::Done)
}
