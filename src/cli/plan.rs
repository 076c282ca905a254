//! `soakrig plan`

use super::args::{BoardArgs, PlanArgs};
use super::exit::Exit;
use super::message::{Outcome, print};
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
    }
}

pub(super) fn run(args: &PlanArgs) -> Outcome {
    let prepared = session::prepare(&args.profile, &args.rig, &overrides(&args.board))?;
    let text = if args.json {
        render::render_plan_json(&prepared.plan)
    } else {
        render::render_plan(&prepared.plan)
    };
    print(&text)?;
    Ok(Exit::Done)
}
