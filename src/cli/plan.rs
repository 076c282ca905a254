//! `soakrig plan`

use super::args::{BoardArgs, PlanArgs};
use super::exit::Exit;
use super::message::{CliError, Outcome, print};
use crate::plan::build::Overrides;
use crate::plan::render;
use crate::session;

/// What the command line says of the board, parsed.
pub(super) fn overrides(args: &BoardArgs) -> Result<Overrides, CliError> {
    let serial = args.board.as_deref().map(str::parse).transpose();
    let revision = args.revision.as_deref().map(str::parse).transpose();
    Ok(Overrides {
        serial: serial.map_err(|error| CliError::usage(format!("--board: {error}")))?,
        revision: revision.map_err(|error| CliError::usage(format!("--revision: {error}")))?,
        operator: args.operator.clone(),
        note: args.note.clone(),
        seed: args.seed,
    })
}

pub(super) fn run(args: &PlanArgs) -> Outcome {
    let prepared = session::prepare(&args.profile, &args.rig, &overrides(&args.board)?)?;
    let text = if args.json {
        render::render_plan_json(&prepared.plan)
    } else {
        render::render_plan(&prepared.plan)
    };
    print(&text)?;
    Ok(Exit::Done)
}
