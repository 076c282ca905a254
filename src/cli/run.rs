//! `soakrig run`

use std::io::IsTerminal;
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::RunArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, colour, tell, tell_error};
use super::plan::overrides;
use super::report::tell_products;
use crate::base::span::render_span;
use crate::engine::StopWish;
use crate::event::{Event, RunVerdict, SafeState, Stamp};
use crate::live::state::remark;
use crate::live::{Expected, State};
use crate::plan::Plan;
use crate::session::{self, Finished, RunRequest};

pub(super) fn run(args: &RunArgs) -> Outcome {
    let prepared = session::prepare(&args.profile, &args.rig, &overrides(&args.board))?;
    let stop = StopWish::default();
    #[cfg(unix)]
    super::signals_unix::listen(&stop, super::signals_unix::tell_stopping)
        .map_err(|error| CliError::internal(format!("cannot listen for signals: {error}")))?;
    if !args.quiet {
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
    let mut progress = Progress::new(State::expecting(expected(&prepared.plan)), args.quiet);
    let program = own_program()?;
    let finished = session::run(
        prepared,
        &mut RunRequest {
            program: &program,
            out: &args.out,
            seed: args.board.seed,
            full_tapes: args.full_tapes,
            view: &mut |at, event| progress.take(at, event),
            stop: &stop,
        },
    )?;
    progress.bar.finish_and_clear();
    tell_result(args.json, finished)
}

/// How long the plan expects the run to take.
pub(super) const fn expected(plan: &Plan) -> Expected {
    Expected { whole: plan.expected, start: plan.expected_start }
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

/// Progress on stderr: a bar on a terminal, a line every so often in a log.
pub(super) struct Progress {
    state: State,
    pub(super) bar: ProgressBar,
    quiet: bool,
    lines: bool,
    told: u32,
}

impl Progress {
    pub(super) fn new(state: State, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if quiet || !terminal {
            ProgressBar::hidden()
        } else {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10))
        };
        let template = if colour(&std::io::stderr()) {
            "{bar:20.cyan/blue} {pos}/{len} {wide_msg}"
        } else {
            "{bar:20} {pos}/{len} {wide_msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { state, bar, quiet, lines: !terminal, told: 0 }
    }

    pub(super) fn take(&mut self, at: Stamp, event: &Event) {
        self.state.take(at, event);
        if self.quiet {
            return;
        }
        if let Some((word, what)) = remark(event) {
            self.bar.suspend(|| tell(&format!("{word}: {what}")));
        }
        let (planned, finished) = self.state.points();
        self.bar.set_length(u64::from(planned));
        self.bar.set_position(u64::from(finished));
        self.bar.set_message(self.state.line());
        // A log gets ten lines a run, whatever its length.
        if self.lines && finished > 0 && finished * 10 / planned.max(1) > self.told {
            self.told = finished * 10 / planned.max(1);
            tell(&format!("{finished}/{planned} {}", self.state.line()));
        }
    }
}
