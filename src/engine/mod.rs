//! Carries a plan out: a pure machine decides, a thin shell acts, events tell what happened. It knows the instrument traits;
//! it knows no SCPI and no files. Whatever happens inside, the outputs are off and looked at when [`run`] returns.

mod act;
pub mod capture;
pub mod interlock;
pub mod machine;
mod measure;
pub mod range;
pub mod readings;
pub mod retry;
pub mod settle;
pub mod stop;
pub mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::base::clock::Clock;
use crate::bench::Bench;
use crate::event::{Event, PointVerdict, RunEnd, RunVerdict, SafeState, Sink, SinkError, Stamp, Stop};
use crate::instrument::InstrumentError;
use crate::plan::{Plan, Step};

use act::Shell;
use machine::{Action, Ending, Input, Machine};
pub use stop::StopWish;

/// Why a step was not done.
#[derive(Debug)]
pub enum Failure {
    /// An instrument did not do what it was asked to.
    Instrument(InstrumentError),
    /// The record cannot be kept.
    Record(SinkError),
    /// An interlock asks to hold.
    Held(String),
    /// An interlock or a protection tripped.
    Tripped(String),
    /// The outputs shall go off now.
    StopNow,
    /// Our own fault.
    Internal(String),
}

impl From<InstrumentError> for Failure {
    fn from(error: InstrumentError) -> Self {
        Self::Instrument(error)
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOutcome {
    /// As told in the last event.
    pub end: RunEnd,
    /// How the outputs were found.
    pub safe: SafeState,
    /// Set when the run ended by a fault of this program: the message of the panic.
    pub internal: Option<String>,
    /// Set when the record could not be kept to the end.
    pub record_failed: Option<String>,
}

pub(crate) fn stamp(clock: &dyn Clock) -> Stamp {
    Stamp { utc: clock.utc(), monotonic: clock.now() }
}

/// Carries the plan out. Every way out of this function passes `make_safe`.
pub fn run(plan: &Plan, bench: &mut Bench, sink: &mut dyn Sink, stop: &StopWish) -> RunOutcome {
    let mut shell = Shell::new(plan, bench, sink, stop);
    let driven = catch_unwind(AssertUnwindSafe(|| drive(&mut shell)));
    // Nothing stands between the end of the drive, however it came, and switching off.
    let safe = shell.bench.make_safe();
    let (ending, internal) = match driven {
        Ok(ending) => (ending, None),
        Err(panic) => {
            let what = panic_message(&*panic);
            (Ending::Failed(format!("a fault of this program: {what}")), Some(what))
        }
    };
    let mut record_failed = match &ending {
        Ending::RecordFailed(what) => Some(what.clone()),
        _ => None,
    };
    // With the outputs off there is time to fetch the trace that is still in the scope.
    if internal.is_none() && record_failed.is_none() {
        note_failure(shell.flush_pending(), &mut record_failed);
    }
    note_failure(shell.emit(&Event::MadeSafe(safe.clone())), &mut record_failed);
    let end = build_end(&ending, &safe, &shell);
    note_failure(shell.emit(&Event::RunFinished(end.clone())), &mut record_failed);
    RunOutcome { end, safe, internal, record_failed }
}

fn note_failure(outcome: Result<(), Failure>, record_failed: &mut Option<String>) {
    if let Err(Failure::Record(error)) = outcome {
        record_failed.get_or_insert(error.to_string());
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it said nothing".to_owned())
}

/// Asks the machine what to do and does it, until the machine says it is over.
fn drive(shell: &mut Shell<'_>) -> Ending {
    let plan = shell.plan;
    let mut machine = Machine::new(plan);
    let mut input = Input::Begin;
    let mut told: Option<Stop> = None;
    loop {
        let wish = shell.stop.asked();
        if wish > told {
            told = wish;
            if let Some(stop) = wish
                && let Err(Failure::Record(error)) = shell.emit(&Event::StopRequested { stop })
            {
                return Ending::RecordFailed(error.to_string());
            }
        }
        let outcome = match machine.next(input, wish) {
            Action::End(ending) => {
                if let Ending::Tripped(what) = &ending {
                    let _ = shell.emit(&Event::InterlockTripped { what: what.clone() });
                }
                return ending;
            }
            Action::Perform(step) => shell.perform(&step).map(|()| Input::Done),
            Action::Again { step, wait } => again(shell, &step, wait).map(|()| Input::Done),
            Action::Reopen { wait } => shell.reopen(wait).map(|()| Input::Done),
            Action::Hold => hold(shell).map(|()| Input::Released),
        };
        input = outcome.unwrap_or_else(|failure| {
            tell(shell, failure).unwrap_or_else(|error| Input::RecordFailed(error.to_string()))
        });
    }
}

fn again(shell: &mut Shell<'_>, step: &Step, wait: Duration) -> Result<(), Failure> {
    watch::wait(&*shell.bench.clock, shell.stop, wait)?;
    shell.perform(step)
}

/// Holds until the interlock is released; the machine then has the point done again.
fn hold(shell: &mut Shell<'_>) -> Result<(), Failure> {
    let start = shell.bench.clock.now();
    shell.hold()?;
    let held = shell.bench.clock.now().since(start);
    let what = "the board has cooled; the point is measured again".to_owned();
    shell.emit(&Event::InterlockReleased { what, held })
}

/// Tells a failure as an event where it is one, and hands it to the machine.
fn tell(shell: &mut Shell<'_>, failure: Failure) -> Result<Input, SinkError> {
    let event = match &failure {
        Failure::Instrument(error) => Some(Event::Retried {
            role: error.role.clone(),
            what: error.to_string(),
            attempt: shell.attempt.1.max(1),
        }),
        Failure::Held(what) => Some(Event::InterlockHeld { what: what.clone() }),
        _ => None,
    };
    if let Some(event) = event {
        let at = stamp(&*shell.bench.clock);
        shell.sink.event(at, &event)?;
    }
    Ok(match failure {
        Failure::Instrument(error) => Input::Failed { kind: error.kind(), what: error.to_string() },
        Failure::Record(error) => Input::RecordFailed(error.to_string()),
        Failure::Held(_) => Input::Held,
        Failure::Tripped(what) => Input::Tripped(what),
        Failure::StopNow => Input::StopNow,
        Failure::Internal(what) => Input::Failed {
            kind: crate::link::ErrorKind::Refused,
            what: format!("a fault of this program: {what}"),
        },
    })
}

fn build_end(ending: &Ending, safe: &SafeState, shell: &Shell<'_>) -> RunEnd {
    let count = |verdict: PointVerdict| {
        u32::try_from(shell.results.iter().filter(|result| result.verdict == verdict).count())
            .unwrap_or(u32::MAX)
    };
    let finished = u32::try_from(shell.results.len()).unwrap_or(u32::MAX);
    let (failed, not_measured) = (count(PointVerdict::Fail), count(PointVerdict::NotMeasured));
    let planned = shell.plan.points.len();
    let (verdict, reason) = match ending {
        Ending::Completed if failed > 0 => {
            (RunVerdict::Fail, format!("{failed} of {finished} points break a limit"))
        }
        Ending::Completed if not_measured > 0 => (
            RunVerdict::Incomplete,
            format!("{not_measured} of {finished} points lack a figure that a limit needs"),
        ),
        Ending::Completed if shell.results.len() < planned => {
            (RunVerdict::Incomplete, format!("{finished} of {planned} points were finished"))
        }
        Ending::Completed => {
            (RunVerdict::Pass, format!("all limits are met at all {finished} points they apply to"))
        }
        Ending::Stopped(Stop::AfterPoint) => {
            (RunVerdict::Stopped, format!("stopped by a person after {finished} of {planned} points"))
        }
        Ending::Stopped(Stop::Now) => {
            (RunVerdict::Stopped, format!("switched off by a person after {finished} of {planned} points"))
        }
        Ending::Tripped(what) => (RunVerdict::Tripped, what.clone()),
        Ending::Failed(what) | Ending::RecordFailed(what) => (RunVerdict::Error, what.clone()),
    };
    // A bench that may still be live is worse than any verdict on the board.
    let (verdict, reason) = if safe.verified {
        (verdict, reason)
    } else {
        (RunVerdict::Error, format!("THE OUTPUTS COULD NOT BE VERIFIED OFF: look at the bench now. {reason}"))
    };
    RunEnd {
        verdict,
        reason,
        points_finished: finished,
        points_failed: failed,
        points_not_applicable: count(PointVerdict::NotApplicable),
        outputs_off_verified: safe.verified,
    }
}
