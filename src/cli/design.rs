//! `soakrig plan --compare`: an order of runs.

use std::path::Path;

use super::args::{DesignChoice, PlanArgs};
use super::exit::Exit;
use super::message::{CliError, Outcome, print};
use super::plan::overrides;
use crate::base::names::Revision;
use crate::plan::Overrides;
use crate::plan::design::{DesignRequest, Scheme, build_design};
use crate::plan::render::{Campaign, render_design, render_design_json};
use crate::session;

/// The seed where none is given.
const SEED: u64 = 1;

pub(super) fn run(args: &PlanArgs, revisions: &[Revision]) -> Outcome {
    let asked = &args.design;
    let request = DesignRequest {
        revisions: revisions.to_vec(),
        boards: asked.boards.clone(),
        scheme: match asked.design {
            DesignChoice::Abba => Scheme::Abba,
            DesignChoice::Interleaved => Scheme::Interleaved,
        },
        reference: asked.reference.clone(),
        seed: args.board.seed.unwrap_or(SEED),
    };
    // A plan of each revision: what cannot be run is told now and not at the fifth board.
    let mut each = std::time::Duration::ZERO;
    let mut about = String::new();
    let mut is_soak = false;
    for revision in revisions {
        let board = asked.boards.iter().flat_map(|list| list.boards.first()).next();
        let wanted =
            Overrides { serial: board.cloned(), revision: Some(revision.clone()), ..overrides(&args.board) };
        let plan = session::prepare(&args.profile, &args.rig, &wanted)?.plan;
        (each, is_soak) = (plan.expected, plan.soak.is_some());
        about = format!("{} {}", plan.profile_digest, plan.rig_digest);
    }
    let design = build_design(request, &about).map_err(CliError::usage)?;
    let campaign = Campaign {
        run: run_words(args),
        out: shown(&asked.out),
        // A soak goes through its phases as they are written.
        is_shuffled: !is_soak,
        each,
    };
    let text =
        if args.json { render_design_json(&design, &campaign) } else { render_design(&design, &campaign) };
    print(&text)?;
    Ok(Exit::Done)
}

/// What every run of the order is given alike.
fn run_words(args: &PlanArgs) -> Vec<String> {
    let mut words = vec![shown(&args.profile), "--rig".to_owned(), shown(&args.rig)];
    let mut add = |option: &str, value: String| words.extend([option.to_owned(), value]);
    add("--out", shown(&args.design.out));
    for (option, value) in [("--operator", &args.board.operator), ("--note", &args.board.note)] {
        if let Some(value) = value {
            add(option, value.clone());
        }
    }
    words
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
