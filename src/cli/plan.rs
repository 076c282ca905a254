//! `soakrig plan`

use super::args::{BoardArgs, PlanArgs};
use super::exit::Exit;
use super::message::{CliError, Outcome, print};
use crate::plan::build::Overrides;
use crate::plan::render;
use crate::session;

/// What the command line says of the board.
pub(super) fn overrides(args: &BoardArgs) -> Overrides {
    Overrides {
        serial: args.board.clone(),
        revision: args.revision.clone(),
        operator: args.operator.clone(),
        note: args.note.clone(),
        seed: args.seed,
        ..Overrides::default()
    }
}

pub(super) fn run(args: &PlanArgs) -> Outcome {
    if let Some(revisions) = &args.design.compare {
        return super::design::run(args, &revisions.0);
    }
    check_shuffle(args.shuffle, &args.board)?;
    let wanted = Overrides { shuffles: args.shuffle, ..overrides(&args.board) };
    let prepared = session::prepare(&args.profile, &args.rig, &wanted)?;
    let text = if args.json {
        render::render_plan_json(&prepared.plan)
    } else {
        render::render_plan(&prepared.plan)
    };
    print(&text)?;
    Ok(Exit::Done)
}

/// The record keeps one seed: where nobody told it, a run that is gone on with could not be told the order again.
pub(super) fn check_shuffle(shuffles: bool, board: &BoardArgs) -> Result<(), CliError> {
    if shuffles && board.seed.is_none() {
        return Err(CliError::usage("--shuffle draws an order from a seed: give --seed N, too"));
    }
    Ok(())
}
