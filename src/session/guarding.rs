//! The dead-man beside a run on real instruments: started before anything is opened, sent away when the outputs are verified
//! off. And its own side: what it does when the controller is gone.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::SessionError;
use super::lock::BenchLock;
use super::opening::{lock_abandoned, open_abandoned};
use super::preparing::load_rig;
use crate::base::clock::{Clock, RealClock};
use crate::base::span::render_span;
use crate::deadman::notes::Notes;
use crate::deadman::process_unix::{self, Guard, KnownRun, Telling};
use crate::deadman::pulse::Pulse;
use crate::deadman::release::release;
use crate::deadman::watch::Cause;
use crate::engine::StopWish;
use crate::event::{AT_IT, DEADMAN, Event, SafeState, Stamp};
use crate::record::append_afterword;

/// How long the dead-man waits for a controller that lives but has left the bench to it, before he keeps his own counsel.
const CONTROLLER_ENDS_WITHIN: Duration = Duration::from_secs(60);

/// Starts the dead-man of a run; from now on the run ends with the outputs off if it is lost.
pub(super) fn start(
    program: &Path,
    rig_path: &Path,
    telling: Option<Telling<'_>>,
    pulse: &Pulse,
    stop: &StopWish,
) -> Result<Guard, SessionError> {
    let stop = stop.clone();
    process_unix::start((program, rig_path), telling, pulse.clone(), move |why| stop.fail(why)).map_err(|error| {
        SessionError::Bench(format!(
            "cannot start the dead-man, the process that switches off when this one dies: {error}; without it \
             nothing is switched on"
        ))
    })
}

/// What the dead-man says on its way, for whoever stands there and whoever does not.
#[derive(Debug, Clone, Copy)]
pub struct Word<'a> {
    /// What.
    pub text: &'a str,
    /// Whether it is how it began or how it ended; between them stand attempts that failed.
    pub is_urgent: bool,
    /// The folder of the run, where the controller had begun one.
    pub run: Option<&'a Path>,
}

/// The dead-man: listens to the process `controller`, which started it, until it is sent away or has to switch off. Gives what was found when it had to,
/// and says on the way what a person should know.
///
/// # Errors
/// The rig cannot be read, or the pipe to the controller cannot be used.
pub fn keep_vigil(
    (rig_path, controller): (&Path, u32),
    input: impl Read + Send + 'static,
    output: impl Write,
    tell: &mut dyn FnMut(Word<'_>),
) -> Result<Option<SafeState>, SessionError> {
    let (rig, registry, _) = load_rig(rig_path)?;
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let (cause, run) = process_unix::attend(input, output, &*clock)
        .map_err(|error| SessionError::Bench(format!("the pipe from the controller failed: {error}")))?;
    let Some(cause) = cause else { return Ok(None) };
    let folder = run.as_ref().map(|run| Path::new(&run.folder));
    let mut tell = |text: &str, is_urgent: bool| {
        tell(Word { text: &format!("{DEADMAN}{text}"), is_urgent, run: folder });
    };
    let taken_over = clock.now();
    let why = match cause {
        Cause::Ended => "the controller is gone and did not send it away".to_owned(),
        Cause::Silent(span) => {
            let ended = process_unix::end_controller(controller, &*clock);
            let seconds = span.as_secs_f64();
            let how = if ended { "was ended" } else { "could NOT be ended" };
            format!("the controller gave no sign of life for {seconds:.1} s and {how}")
        }
    };
    tell(&format!("{why}; switching supply and load off"), true);
    let mut lock = BenchLock::none();
    let opened = open_abandoned(clock.clone());
    let surroundings = opened.surroundings(Arc::new(registry));
    // Somebody else may have been quicker, or the controller could not be ended: what is missing may be free at the next attempt.
    let lock_free = &mut || lock_abandoned(&rig, &mut lock);
    let (mut notes, mut noting) = (Notes::default(), None::<Noting>);
    let mut unnoted = None;
    let safe = release(&rig, &surroundings, lock_free, &mut |told| {
        tell(told, false);
        // Whoever looks at the record shall see why the outputs may still be on, and that somebody is at it. A disk that hangs
        // shall not keep them on.
        let is_free = noting.as_ref().is_none_or(Noting::is_finished);
        let Some(run) = run.as_ref().filter(|_| is_free) else { return };
        let Some(span) = notes.take(clock.now()) else { return };
        unnoted = noting.take().and_then(await_noted).or(unnoted.take());
        let what = format!("{DEADMAN}{why}; {told}; at it for {}; {AT_IT}", render_span(span));
        let (run, clock) = (run.clone(), clock.clone());
        noting = Some(std::thread::spawn(move || {
            let patience = Duration::ZERO;
            note(&run, (controller, patience), &*clock, &[Event::Warned { what }])
        }));
    });
    let took = clock.now().since(taken_over).as_secs_f64();
    let told = if safe.verified {
        format!("{why}; load and supply were switched off and verified off after {took:.2} s")
    } else {
        format!("{why}; THE OUTPUTS COULD NOT BE VERIFIED OFF: look at the bench now")
    };
    tell(&told, true);
    let events = [Event::Warned { what: format!("{DEADMAN}{told}") }, Event::MadeSafe(safe.clone())];
    let unnoted = noting.and_then(await_noted).or(unnoted);
    let ended = run.as_ref().map(|run| note(run, (controller, CONTROLLER_ENDS_WITHIN), &*clock, &events));
    for failed in unnoted.into_iter().chain(ended.and_then(Result::err)) {
        tell(&failed.to_string(), false);
    }
    Ok(Some(safe))
}

/// A note on its way into the record.
type Noting = JoinHandle<Result<(), SessionError>>;

/// Why a note is not in the record, if it is not.
fn await_noted(noting: Noting) -> Option<SessionError> {
    noting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).err()
}

/// Into the record, where the controller is gone within some time: two writers would tangle the journal.
fn note(
    run: &KnownRun,
    (controller, patience): (u32, Duration),
    clock: &dyn Clock,
    events: &[Event],
) -> Result<(), SessionError> {
    if process_unix::await_end(controller, clock, patience) { write_down(run, clock, events) } else { Ok(()) }
}

/// Into the journal of the run, as far as it goes.
fn write_down(run: &KnownRun, clock: &dyn Clock, events: &[Event]) -> Result<(), SessionError> {
    let monotonic = run.at + clock.now().since(run.heard);
    let at = Stamp { utc: clock.utc(), monotonic };
    let folder = Path::new(&run.folder);
    let stamped: Vec<_> = events.iter().map(|event| (at, event.clone())).collect();
    if append_afterword(folder, &stamped)?.is_none() {
        // The controller came to its end, but not to outputs that are verified off.
        super::unsent::keep_after_end(folder, events.to_vec())?;
    }
    Ok(())
}
