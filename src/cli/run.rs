//! `soakrig run`

use std::path::PathBuf;

use super::args::RunArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, tell, tell_error};
use super::onlookers::Onlookers;
use super::plan::{check_shuffle, overrides};
use super::report::tell_products;
use super::settings::Settings;
use crate::base::span::render_span;
use crate::engine::StopWish;
use crate::event::{RunVerdict, SafeState};
use crate::live::{Expected, State};
use crate::plan::remaining::rewarm;
use crate::plan::{Overrides, Plan, SoakPlan};
use crate::session::{self, Finished, Pulse, RunRequest};

pub(super) fn run(args: &RunArgs, settings: &Settings) -> Outcome {
    check_shuffle(args.shuffle, &args.board)?;
    let wanted = Overrides { turn: args.turn.clone(), shuffles: args.shuffle, ..overrides(&args.board) };
    let prepared = session::prepare(&args.profile, &args.rig, &wanted)?;
    let telling = super::notify::load(settings)?;
    let stop = StopWish::default();
    if !args.telling.quiet {
        let plan = &prepared.plan;
        tell(&format!(
            "{}: {} points on board {} revision {}, about {} of bench time",
            plan.profile,
            plan.points.len(),
            plan.board.serial,
            plan.board.revision,
            render_span(plan.expected)
        ));
    }
    let pulse = Pulse::default();
    let state = State::expecting(expected(&prepared.plan));
    let mut onlookers = Onlookers::new(state, args.telling.quiet, telling.as_ref(), &pulse)?;
    heed_signals(&stop, &onlookers, &prepared.plan)?;
    let program = own_program()?;
    let finished = session::run(
        prepared,
        &mut RunRequest {
            program: &program,
            notify: settings.notify().map(|table| table.file),
            out: &args.out,
            seed: args.board.seed,
            faults: args.faults,
            full_tapes: args.telling.full_tapes,
            view: &mut onlookers,
            stop: &stop,
            pulse,
        },
    )?;
    onlookers.clear();
    let folder = finished.folder.clone();
    let outcome = tell_result(args.telling.json, finished);
    onlookers.finish(&folder, &stop);
    outcome
}

/// Takes signals as wishes to stop; a soak is begun to be left alone, and a terminal that is gone does not end it.
#[cfg_attr(not(unix), allow(unused_variables, reason = "there are no such signals"))]
pub(super) fn heed_signals(stop: &StopWish, onlookers: &Onlookers, plan: &Plan) -> Result<(), CliError> {
    #[cfg(unix)]
    super::signals_unix::listen(
        stop,
        onlookers.hangup(plan.soak.is_some()),
        super::signals_unix::tell_stopping,
    )
    .map_err(|error| CliError::internal(format!("cannot listen for signals: {error}")))?;
    Ok(())
}

/// How long the plan expects the run to take.
pub(super) fn expected(plan: &Plan) -> Expected {
    let phases = plan.soak.as_ref().map(SoakPlan::phase_spans).unwrap_or_default();
    let rewarm = plan.soak.as_ref().map(rewarm);
    Expected { whole: plan.expected, start: plan.expected_start, phases, rewarm }
}

/// This program's own file, which is started once more as the dead-man.
pub(super) fn own_program() -> Result<PathBuf, CliError> {
    std::env::current_exe()
        .map_err(|error| CliError::internal(format!("cannot find this program's own file: {error}")))
}

pub(super) fn tell_result(json: bool, finished: Finished) -> Outcome {
    let Finished { folder, outcome, may_be_on, written } = finished;
    let left = tell_outputs(&outcome.safe, may_be_on);
    let folder = folder.display();
    if let Some(what) = &outcome.internal {
        return Err(CliError::internal(format!(
            "a fault of this program: {what}; {left}; please report it with {folder}"
        )));
    }
    if let Some(what) = outcome.record_failed {
        return Err(CliError::usage(format!(
            "{what}; the run was ended there and {left}. What was kept is in {folder}: `soakrig report {folder}` \
             makes its report"
        )));
    }
    let written = written.map_err(|error| {
        let CliError { exit, text, .. } = error.into();
        let (verdict, reason) = (outcome.end.verdict, &outcome.end.reason);
        CliError::new(
            exit,
            format!(
                "{text}. The run itself has ended: {verdict}, {reason}; {left}. Its record is kept: \
                 `soakrig report {folder}` makes the report"
            ),
        )
    })?;
    tell_products(&written, json)?;
    // Somebody who has sent the result to a script still wants to know why there was none.
    if json && outcome.end.verdict == RunVerdict::Error {
        tell_error(&CliError::new(Exit::Instrument, outcome.end.reason));
    }
    Ok(Exit::from(outcome.end.verdict))
}

/// Says loudly that the outputs may be on; returns what is to be said of them in a sentence.
fn tell_outputs(safe: &SafeState, may_be_on: bool) -> &'static str {
    if safe.verified {
        return "the outputs are off";
    }
    if !may_be_on {
        return "this run switched nothing on; whether what it did not reach was on before is not known";
    }
    tell("");
    tell(
        "THE OUTPUTS COULD NOT BE VERIFIED OFF. Look at the bench now, and switch supply and load off by hand.",
    );
    for failure in &safe.failures {
        tell(&format!("  {failure}"));
    }
    tell("");
    "the outputs could NOT be verified off"
}
