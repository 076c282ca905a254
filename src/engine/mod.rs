//! Carries a plan out: a pure machine decides, a thin shell acts, events tell what happened. It knows the instrument traits;
//! it knows no SCPI and no files. Whatever happens inside, the outputs are off and looked at when [`run`] returns.

mod act;
pub mod capture;
mod dwell;
mod early;
mod floor;
mod heat;
mod holds;
pub mod interlock;
mod keeping;
mod lost;
pub mod machine;
mod measure;
mod progress;
pub mod range;
pub mod readings;
pub mod settle;
pub mod stop;
pub mod tally;
pub mod timekeeping;
mod transfer;
mod unconfirmed;
pub mod waits;
pub mod watch;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::base::clock::Clock;
use crate::base::names::Role;
use crate::bench::Bench;
use crate::bench::retry::Trouble;
use crate::event::{
    DwellId, EarlyAnswer, EarlyLook, Event, GapCause, RunEnd, RunVerdict, SafeState, Sink, SinkError, Stamp,
    Stop,
};
use crate::instrument::InstrumentError;
use crate::link::ErrorKind;
use crate::plan::Plan;

use act::Shell;
use machine::{Action, Ending, Input, Machine};
pub use stop::StopWish;
pub use tally::Tally;
use unconfirmed::Unconfirmed;

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

impl Failure {
    /// What was cut short because a person wants the outputs off now is that person's wish, and no failure.
    pub(crate) fn or_stop(self, stop: &StopWish) -> Self {
        match self {
            Self::Instrument(error) if error.kind() == ErrorKind::CutShort && stop.is_now() => Self::StopNow,
            other => other,
        }
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

/// Carries the plan out. Every way out of this function passes `make_safe`, and no panic leaves it.
pub fn run(plan: &Plan, bench: &mut Bench, sink: &mut dyn Sink, stop: &StopWish) -> RunOutcome {
    carry_out(plan, None, bench, sink, stop)
}

/// What a run that was cut off had done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Earlier {
    /// What came of it so far.
    pub tally: Tally,
    /// The dwell it was in, and how much of it was done.
    pub within: Option<(DwellId, Duration)>,
    /// How often an interlock had tripped.
    pub trips: u32,
    /// The look with which it had ended early, if it had.
    pub ended_early: Option<EarlyLook>,
    /// The limits whose first breach is told.
    pub broken: BTreeSet<usize>,
}

/// Carries out what is left of the plan of a run that was cut off; as [`run`].
pub fn resume(
    plan: &Plan,
    earlier: Earlier,
    bench: &mut Bench,
    sink: &mut dyn Sink,
    stop: &StopWish,
) -> RunOutcome {
    carry_out(plan, Some(earlier), bench, sink, stop)
}

fn carry_out(
    plan: &Plan,
    earlier: Option<Earlier>,
    bench: &mut Bench,
    sink: &mut dyn Sink,
    stop: &StopWish,
) -> RunOutcome {
    stop.attach(&bench.cut);
    let mut shell = Shell::new(plan, bench, sink, stop);
    if let Some(earlier) = earlier {
        shell.tally = earlier.tally;
        shell.dwelling = progress::Progress::resumed(earlier.within, shell.bench.clock.now());
        shell.dwelling.unconfirmed = Unconfirmed::of(&plan.limits);
        shell.trips = earlier.trips;
        shell.ended_early = earlier.ended_early;
        shell.broken = earlier.broken;
    }
    let driven = catch_unwind(AssertUnwindSafe(|| drive(&mut shell)));
    // Nothing stands between the end of the drive, however it came, and switching off: no event either, for it may wait for
    // a disk.
    let ended = stamp(&*shell.bench.clock);
    let safe = shell.bench.make_safe_while(&|| stop.is_now());
    let ending = driven.unwrap_or_else(|panic| Ending::Internal(panic_message(&*panic)));
    let ending = match (ending, stop.fault(), stop.lack()) {
        (Ending::Stopped(_), Some(what), _) => Ending::Tripped(what),
        // Who asks for the end now does not wait for the point that the lack lets be finished: that is a person.
        (Ending::Stopped(Stop::AfterPoint), None, Some(what)) => Ending::Failed(what),
        (ending, ..) => ending,
    };
    conclude(&mut shell, ending, ended, safe)
}

/// Tells how the run ended, with the outputs off.
fn conclude(shell: &mut Shell<'_>, mut ending: Ending, ended: Stamp, safe: SafeState) -> RunOutcome {
    let last_word = match &ending {
        Ending::Tripped(what) => Some(Event::InterlockTripped { what: what.clone() }),
        Ending::Stopped(Stop::Now) => Some(Event::StopRequested { stop: Stop::Now }),
        _ => None,
    };
    if let Some(event) = last_word {
        attempt_last(&mut ending, || shell.sink.event(ended, &event).map_err(Failure::Record));
    }
    attempt_last(&mut ending, || shell.emit(&Event::MadeSafe(safe.clone())));
    tell_open_gap(shell, &mut ending, ended);
    // Now there is time to fetch the trace that is still in the scope.
    if !matches!(ending, Ending::Internal(_) | Ending::RecordFailed(_)) {
        shell.spare_scope();
        attempt_last(&mut ending, || shell.flush_pending());
    }
    shell.dwelling.unconfirmed.correct(&mut shell.tally);
    let mut end = build_end(&ending, &safe, shell);
    let told = end.clone();
    attempt_last(&mut ending, || shell.emit(&Event::RunFinished(told)));
    let (mut internal, mut record_failed) = (None, None);
    match &ending {
        Ending::Internal(what) => internal = Some(what.clone()),
        Ending::RecordFailed(what) => record_failed = Some(what.clone()),
        _ => {}
    }
    if internal.is_some() || record_failed.is_some() {
        end = build_end(&ending, &safe, shell);
    }
    RunOutcome { end, safe, internal, record_failed }
}

/// What a soak lacks that ends before it was complete is told as any other gap is.
fn tell_open_gap(shell: &mut Shell<'_>, ending: &mut Ending, ended: Stamp) {
    let by = match &*ending {
        Ending::Tripped(_) => "a trip",
        Ending::Stopped(_) => "a stop",
        Ending::Failed(_) => "the end of the run",
        Ending::Completed | Ending::Internal(_) | Ending::RecordFailed(_) => return,
    };
    let Some(soak) = &shell.plan.soak else { return };
    if let Some(gap) = shell.dwelling.gap_at_end(ended.monotonic, soak.interval, by) {
        attempt_last(ending, || shell.emit(&Event::GapFound(gap)));
    }
}

/// Does one thing after the end; where it fails, that is how the run ended, unless it ended by a fault before.
fn attempt_last(ending: &mut Ending, act: impl FnOnce() -> Result<(), Failure>) {
    let worse = match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Err(Failure::Record(error))) => Ending::RecordFailed(error.to_string()),
        Ok(_) => return,
        Err(panic) => Ending::Internal(panic_message(&*panic)),
    };
    if !matches!(ending, Ending::Internal(_) | Ending::RecordFailed(_)) {
        *ending = worse;
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
    let mut machine = Machine::new(shell.plan);
    let (mut input, mut notice, mut told_stop) = (Input::Begin, None, false);
    loop {
        let wish = shell.stop.asked();
        if wish == Some(Stop::AfterPoint) && !told_stop {
            told_stop = true;
            if let Err(failure) = shell.emit(&Event::StopRequested { stop: Stop::AfterPoint }) {
                input = input_of(failure, Trouble::default());
            }
        }
        let action = machine.next(input, wish);
        if let Action::End(ending) = action {
            return ending;
        }
        let told = tell(shell, notice.take()).and_then(|()| shell.look_at_lost());
        let outcome = told.and_then(|()| act(shell, action));
        input = outcome.unwrap_or_else(|failure| {
            // An answer that a stop cut short was waited for until then.
            let waited_for = trouble_of(&failure);
            let failure = shell.note_hold(failure.or_stop(shell.stop));
            let trouble = shell.note_trouble(&failure, machine.attempt());
            notice = notice_of(&failure, if trouble.is_new { 1 } else { machine.attempt() + 1 });
            shell.failed = failed_role(&failure);
            shell.dwelling.trouble = trouble_of(&failure).or(shell.dwelling.trouble.take()).or(waited_for);
            input_of(shell.judge_lost(failure), trouble)
        });
    }
}

fn act(shell: &mut Shell<'_>, action: Action) -> Result<Input, Failure> {
    match action {
        Action::Perform(step) => shell.perform(&step).map(|()| shell.done()),
        Action::Again { step, wait } => {
            shell.pause(wait)?;
            shell.perform(&step).map(|()| shell.done())
        }
        Action::Reopen { wait } => shell.reopen(wait).map(|()| Input::Done),
        Action::Hold => shell.hold().map(|()| Input::Released),
        Action::End(_) => Ok(Input::Done),
    }
}

fn tell(shell: &mut Shell<'_>, notice: Option<Event>) -> Result<(), Failure> {
    notice.map_or(Ok(()), |event| shell.emit(&event))
}

/// What is told of a failure before the machine's answer to it is carried out; a hold is told when the load is down, an end in
/// `RunFinished`.
fn notice_of(failure: &Failure, attempt: u32) -> Option<Event> {
    match failure {
        Failure::Instrument(error) => {
            Some(Event::Retried { role: error.role.clone(), what: error.to_string(), attempt })
        }
        _ => None,
    }
}

/// Why readings are missing after a failure.
fn trouble_of(failure: &Failure) -> Option<(GapCause, String)> {
    match failure {
        Failure::Instrument(error) => Some((GapCause::Instrument, error.to_string())),
        Failure::Held(what) => Some((GapCause::Interlock, what.clone())),
        _ => None,
    }
}

fn failed_role(failure: &Failure) -> Option<Role> {
    match failure {
        Failure::Instrument(error) => Some(error.role.clone()),
        _ => None,
    }
}

fn input_of(failure: Failure, trouble: Trouble) -> Input {
    match failure {
        Failure::Instrument(error) => Input::Failed { kind: error.kind(), what: error.to_string(), trouble },
        Failure::Record(error) => Input::RecordFailed(error.to_string()),
        Failure::Held(_) => Input::Held,
        Failure::Tripped(what) => Input::Tripped(what),
        Failure::StopNow => Input::StopNow,
        Failure::Internal(what) => Input::Internal(what),
    }
}

/// Of a run of which all points were finished and nothing failed: met is only what was there to be met.
fn judge_completed(shell: &Shell<'_>) -> (RunVerdict, String) {
    let Tally { finished, not_applicable, starts, readings_judged, .. } = shell.tally;
    let judged = finished.saturating_sub(not_applicable);
    if readings_judged > 0 {
        let at_points =
            if judged > 0 { format!("at all {judged} points they apply to and ") } else { String::new() };
        return (
            RunVerdict::Pass,
            format!("all limits are met {at_points}in all readings held against them"),
        );
    }
    let unread = if shell.plan.phases_unjudged().is_empty() {
        ""
    } else {
        "; no reading was held against a limit, for no setting was held longer than a point may take to settle"
    };
    match (judged, starts) {
        (0, 0) if shell.plan.limits.is_empty() => {
            (RunVerdict::NotJudged, "no limits, nothing judged".to_owned())
        }
        (0, 0) => (
            RunVerdict::NotJudged,
            format!("the limits apply at none of the {finished} points, nothing judged"),
        ),
        (0, starts) => {
            (RunVerdict::Pass, format!("the board started at all {starts} starts; no limit was judged"))
        }
        (judged, _) => {
            (RunVerdict::Pass, format!("all limits are met at all {judged} points they apply to{unread}"))
        }
    }
}

/// What a run of which nothing failed lacks of its plan.
fn lacking(shell: &Shell<'_>, planned: usize) -> Option<String> {
    let Tally { finished, not_measured, starts, no_starts, .. } = shell.tally;
    if not_measured > 0 {
        return Some(format!(
            "{not_measured} of {finished} points lack a figure that a limit needs, or were not at their setting"
        ));
    }
    if no_starts > 0 {
        let looks = starts + no_starts;
        return Some(format!(
            "{no_starts} of {looks} starts are none: the board had not been off before, for Vout had not fallen under a tenth of its nominal"
        ));
    }
    ((finished as usize) < planned && shell.ended_early.is_none())
        .then(|| format!("{finished} of {planned} points were finished"))
}

fn build_end(ending: &Ending, safe: &SafeState, shell: &Shell<'_>) -> RunEnd {
    let Tally { finished, failed, starts, failed_starts, unsettled, readings_failed, .. } = shell.tally;
    let planned = shell.plan.points.len().saturating_sub(shell.tally.left_out as usize);
    let (verdict, reason) = match ending {
        Ending::Completed if failed > 0 || failed_starts > 0 || readings_failed > 0 => {
            let told = [
                (failed > 0).then(|| format!("{failed} of {finished} points break a limit")),
                (readings_failed > 0).then(|| format!("readings break a limit {readings_failed} times")),
                (failed_starts > 0).then(|| format!("{failed_starts} of {starts} starts failed")),
            ];
            (RunVerdict::Fail, told.into_iter().flatten().collect::<Vec<_>>().join(", and "))
        }
        Ending::Completed => match lacking(shell, planned) {
            Some(reason) => (RunVerdict::Incomplete, reason),
            None => judge_completed(shell),
        },
        Ending::Stopped(Stop::AfterPoint) => {
            (RunVerdict::Stopped, format!("stopped by a person after {finished} of {planned} points"))
        }
        Ending::Stopped(Stop::Now) => {
            (RunVerdict::Stopped, format!("switched off by a person after {finished} of {planned} points"))
        }
        Ending::Tripped(what) => (RunVerdict::Tripped, what.clone()),
        Ending::Failed(what) | Ending::RecordFailed(what) => (RunVerdict::Error, what.clone()),
        Ending::Internal(what) => (RunVerdict::Error, format!("a fault of this program: {what}")),
    };
    let (verdict, reason) = match &shell.ended_early {
        Some(look) if *ending == Ending::Completed => ended_early(look, verdict, &reason),
        _ => (verdict, reason),
    };
    let reason = match shell.trips {
        0 => reason,
        1 => format!("{reason}; it was gone on with after an interlock had tripped"),
        trips => format!("{reason}; it was gone on with after interlocks had tripped {trips} times"),
    };
    let reason = if unsettled > 0 { format!("{reason}; {unsettled} points did not settle") } else { reason };
    // A bench that may still be live is worse than any verdict on the board.
    let (verdict, reason) =
        if safe.verified { (verdict, reason) } else { (RunVerdict::Error, RunEnd::unverified(&reason)) };
    RunEnd {
        verdict,
        reason,
        points_finished: finished,
        points_failed: failed,
        points_not_applicable: shell.tally.not_applicable,
        outputs_off_verified: safe.verified,
    }
}

/// The end of a soak that ended early: what its points say stands, and fails where a limit will surely not hold.
fn ended_early(look: &EarlyLook, verdict: RunVerdict, reason: &str) -> (RunVerdict, String) {
    let (so_far, verdict) = match (look.answer, verdict) {
        (EarlyAnswer::Fail, RunVerdict::Pass) => ("at the points so far ", RunVerdict::Fail),
        (EarlyAnswer::Fail, _) => ("", RunVerdict::Fail),
        _ => ("", verdict),
    };
    (verdict, format!("ended early as its profile allows, {}; {so_far}{reason}", look.what))
}
