//! Carries one run through: record begun, bench opened, engine run, record sealed, products written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::evidence::Keeper as Evidence;
use super::facts::build_facts;
use super::faulting::Faulting;
use super::keeping::{SoakKeeping, Tee};
use super::opening::{Opened, open_bench, open_world_beating};
use super::ready::{check_record, check_room, drill_first};
use super::resuming::{Resumable, check_same_instruments, gap_since};
use super::taping::{Kept, Tapes};
use super::{Prepared, SessionError};
use crate::base::clock::{Clock, Instant};
use crate::bench::Bench;
use crate::bench::open::NotOpened;
use crate::deadman::pulse::Pulse;
use crate::engine::{self, Earlier, RunOutcome, StopWish};
use crate::event::{
    Event, Gap, GapCause, InstrumentFacts, Resumed, RunEnd, RunFacts, RunVerdict, SafeState, Sink, SinkError,
    Stamp,
};
use crate::plan::{Plan, render};
use crate::record::recover::Tail;
use crate::record::{Record, RecordError, Recorder, RunHeader, RunState, store};
use crate::report::products::{self, Written};
use crate::waveform::Unavailable;

/// Looks on while a run goes on. It is called from the thread that carries the run out and must not wait.
pub trait Onlooker: Send {
    /// The run's record is begun in this folder, or gone on with.
    fn begun(&mut self, folder: &Path);
    /// Something happened, and is kept.
    fn event(&mut self, at: Stamp, event: &Event);
    /// What came to pass beside the run since this was last asked, and belongs into its record.
    fn take_asides(&mut self) -> Vec<Event> {
        Vec::new()
    }
}

/// What is asked of a run.
pub struct RunRequest<'a> {
    /// This program, which is started once more as the dead-man of a real bench.
    pub program: &'a Path,
    /// The file of settings that says whom that dead-man tells when it has to switch off.
    pub notify: Option<&'a Path>,
    /// Folder in which the run's folder is made.
    pub out: &'a Path,
    /// Seed of the simulated bench, instead of the rig's.
    pub seed: Option<u64>,
    /// Seed of faults that the simulated bench meets, instead of the rig's; a run that is resumed is spared them.
    pub faults: Option<u64>,
    /// Keep long answers in the tapes too.
    pub full_tapes: bool,
    /// Sees what happens.
    pub view: &'a mut dyn Onlooker,
    /// A person's wish to stop.
    pub stop: &'a StopWish,
    /// Counts the signs of life of whoever carries the run out.
    pub pulse: Pulse,
}

/// A run that has come to its end, whichever.
#[derive(Debug)]
pub struct Finished {
    /// The run's folder.
    pub folder: PathBuf,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Whether an output of an instrument that was reached may be on: somebody must look at the bench.
    pub may_be_on: bool,
    /// What was made of the record read back from the disk; or why nothing was.
    pub written: Result<Written, RecordError>,
}

/// Carries a plan out and keeps everything.
///
/// # Errors
/// Only what happens before the record is begun; everything later ends in the record and in [`Finished`].
pub fn run(prepared: Prepared, request: &mut RunRequest<'_>) -> Result<Finished, SessionError> {
    let thinned = check_room(&prepared, request.out)?;
    let drilled = drill_first(&prepared, request)?;
    let (opened, mut guard) = open_guarded(&prepared, request)?;
    let unfinished = untouched(last_unfinished(request.out), &mut guard, &opened)?;
    let header = RunHeader {
        started: engine::stamp(&*opened.clock),
        profile: prepared.plan.profile.clone(),
        board: prepared.plan.board.clone(),
        rig_text: prepared.rig_text.clone(),
        profile_text: prepared.profile_text.clone(),
        plan_text: render::render_plan(&prepared.plan),
        families: prepared.families.clone(),
    };
    let faulting = Faulting::of(&prepared.rig, &prepared.plan, request.faults, &opened);
    let faulting = untouched(faulting, &mut guard, &opened)?;
    let made = Recorder::create_on(faulting.disk(&opened), request.out, &header);
    let recorder = untouched(made, &mut guard, &opened)?;
    let unfinished = unfinished
        .map(|name| format!("run {name} was not finished; the bench is made safe before anything else"));
    let warnings = unfinished.into_iter().chain(thinned.clone()).chain(faulting.told());
    let mut first: Vec<Event> = warnings.map(|what| Event::Warned { what }).collect();
    first.extend(drilled.map(|drilled| Event::DeadmanDrilled(Box::new(drilled))));
    let begin = Begin {
        recorder,
        shift: Duration::ZERO,
        first,
        thinned: thinned.is_some(),
        evidence: None,
        earlier: None,
    };
    carry(prepared, (opened, guard), begin, request)
}

/// Goes on with a run that was cut off, at its first unfinished point.
///
/// # Errors
/// As [`run`]; the bench cannot be opened, or its instruments are not those that the run was begun with: then nothing is
/// added to the record.
pub fn resume(resumable: Resumable, request: &mut RunRequest<'_>) -> Result<Finished, SessionError> {
    let Resumable {
        prepared,
        unfinished,
        finished,
        earlier,
        instruments,
        last,
        last_work,
        stood,
        last_reading,
        ..
    } = resumable;
    check_record(unfinished.record().folder())?;
    let told = || unfinished.record().events().iter().map(|logged| &logged.event);
    let evidence = prepared
        .plan
        .soak
        .as_ref()
        .map(|soak| Evidence::resumed(soak.evidence, prepared.plan.vout_nominal, told()));
    let drilled = drill_first(&prepared, request)?;
    let (opened, mut guard) = open_guarded(&prepared, request)?;
    let (recorder, found) = untouched(Recorder::go_on(unfinished), &mut guard, &opened)?;
    let now = engine::stamp(&*opened.clock);
    let gap = gap_since(last_work, now.utc);
    let resumed = Resumed { gap, points_finished: finished, what: tell_resumed(gap, stood, found.tail()) };
    let shift = Duration::from_nanos(last.monotonic.0) + gap_since(last, now.utc).unwrap_or_default();
    let span = (last_reading.unwrap_or(last_work.monotonic), Instant(0) + shift);
    let gap = away(&prepared.plan, span);
    let earlier = Some(Before { earlier, instruments, resumed, gap });
    let first = drilled.map(|drilled| Event::DeadmanDrilled(Box::new(drilled))).into_iter().collect();
    let begin = Begin { recorder, shift, first, thinned: false, evidence, earlier };
    carry(prepared, (opened, guard), begin, request)
}

/// What fails before the bench was touched sends the dead-man away: there is nothing to switch off.
fn untouched<T, E: Into<SessionError>>(
    made: Result<T, E>,
    guard: &mut Option<Guard>,
    opened: &Opened,
) -> Result<T, SessionError> {
    made.map_err(|error| {
        if let Some(guard) = guard.take() {
            guard.dismiss(&*opened.clock);
        }
        error.into()
    })
}

fn tell_resumed(gap: Option<Duration>, stood: String, tail: &Tail) -> String {
    let mut told = stood;
    match gap {
        Some(gap) => {
            told.push_str(&format!("; nobody was there for {}", crate::base::span::render_span(gap)));
        }
        None => told.push_str(
            "; the wall clock stands before the last event, so how long nobody was there is not known",
        ),
    }
    if let Tail::Torn { line, bytes, what } = tail {
        told.push_str(&format!(
            "; line {line} of the journal was cut off ({bytes} bytes, {what}) and left out"
        ));
    }
    told
}

/// What a run begins from.
struct Begin {
    recorder: Recorder,
    /// What the record's time is ahead of the clock's.
    shift: Duration,
    /// What a reader should know first.
    first: Vec<Event>,
    /// Whether only the traces around a breach are kept from the beginning.
    thinned: bool,
    /// What had decided on the traces, of a soak that is resumed.
    evidence: Option<Evidence>,
    /// What was there before, of a run that is resumed.
    earlier: Option<Before>,
}

/// What was there before, of a run that is resumed.
struct Before {
    earlier: Earlier,
    instruments: Vec<InstrumentFacts>,
    /// How it stood.
    resumed: Resumed,
    /// The readings that nobody was there to take.
    gap: Option<Gap>,
}

/// The readings of a soak that are missing because the controller was not there.
fn away(plan: &Plan, (from, to): (Instant, Instant)) -> Option<Gap> {
    let soak = plan.soak.as_ref()?;
    let missed = to.since(from).as_nanos() / soak.interval.as_nanos().max(1);
    let what = "the controller was not there".to_owned();
    let missed = u64::try_from(missed).unwrap_or(u64::MAX);
    (missed > 0).then_some(Gap { from, to, missed, cause: GapCause::Controller, what })
}

fn open_guarded(
    prepared: &Prepared,
    request: &RunRequest<'_>,
) -> Result<(Opened, Option<Guard>), SessionError> {
    let opened =
        open_world_beating(&prepared.rig, &prepared.plan.board, request.seed, request.pulse.clone())?;
    // Also while the bench is being opened nobody has to wait for an instrument that hangs.
    request.stop.attach(&opened.cut);
    let guard = start_guard(&opened, request, prepared)?;
    Ok((opened, guard))
}

fn carry(
    prepared: Prepared,
    (opened, guard): (Opened, Option<Guard>),
    begin: Begin,
    request: &mut RunRequest<'_>,
) -> Result<Finished, SessionError> {
    let Prepared { rig, registry, plan, .. } = prepared;
    let Begin { mut recorder, shift, first: told_first, thinned, evidence, earlier } = begin;
    let folder = recorder.folder().to_owned();
    request.view.begun(&folder);
    if let Some(guard) = &guard {
        let at = opened.clock.now() + shift;
        guard.tell_run(at, &std::path::absolute(&folder).unwrap_or_else(|_| folder.clone()));
    }
    let kept = if request.full_tapes {
        Kept::Everything
    } else if plan.soak.is_some() {
        Kept::AroundTrouble
    } else {
        Kept::AllButLongAnswers
    };
    let (tapes, tape_failure) = match Tapes::open(&mut recorder, &rig, kept) {
        Ok(tapes) => (tapes, None),
        Err(error) => (Tapes::default(), Some(SinkError(error.to_string()))),
    };
    let bench = open_bench(&rig, Arc::new(registry), &opened, tapes.for_roles());
    // A real bench draws nothing but a shuffled order.
    let seed = opened.world.as_ref().map_or(plan.seed, |_| Some(request.seed.unwrap_or(rig.sim.seed)));
    let facts = build_facts(&plan, &rig.name, &opened, seed);
    let soak = SoakKeeping::of(&plan, &folder, (thinned, evidence));
    let mut sink = Tee { recorder, shift, tapes, soak, stop: request.stop, view: &mut *request.view };
    let (outcome, may_be_on) = match bench {
        Ok((mut bench, instruments)) => {
            let opening = (facts, instruments, told_first);
            let Beginning { first, finished, gap } = match begin_events(earlier, opening) {
                Ok(beginning) => beginning,
                Err(told) => {
                    let refused = refuse(&mut bench, guard, &*opened.clock, &told);
                    seal_again(sink.recorder);
                    return Err(refused);
                }
            };
            // The gap comes first: cut off between the two lines, the next resumption goes on from the gap, and nothing that
            // was missed goes untold. Its times are those of the record, not of this program's clock.
            let begun = match tape_failure {
                Some(error) => Err(error),
                None => gap.map_or(Ok(()), |gap| sink.tell_gap(engine::stamp(&*opened.clock), gap)),
            };
            let begun = begun.and_then(|()| tell_all(&mut sink, &*opened.clock, &first));
            let outcome = carry_out(&plan, finished, &mut bench, (&mut sink, request.stop), begun);
            let may_be_on = !outcome.safe.verified;
            (outcome, may_be_on)
        }
        // A run that is resumed later says nothing of a bench that was not there today.
        Err(left) if earlier.is_some() => {
            if let Some(guard) = guard.filter(|_| !left.may_be_on) {
                guard.dismiss(&*opened.clock);
            }
            seal_again(sink.recorder);
            return Err(SessionError::NotOpened(left));
        }
        Err(left) => {
            let may_be_on = left.may_be_on;
            (not_opened(&mut sink, &*opened.clock, facts, *left), may_be_on)
        }
    };
    // Where the outputs are not verified off, the dead-man goes on trying.
    if let Some(guard) = guard.filter(|_| !may_be_on) {
        guard.dismiss(&*opened.clock);
    }
    let written = seal(sink.recorder);
    Ok(Finished { folder, outcome, may_be_on, written })
}

/// What is told before anything is done, and where it is gone on from.
struct Beginning {
    first: Vec<Event>,
    finished: Option<Earlier>,
    /// The readings that nobody was there to take.
    gap: Option<Gap>,
}

/// A run begins with its facts and instruments; one that is gone on with says so, and tells the instruments that it had not
/// reached before. Refused where they are not those it was begun with.
fn begin_events(
    earlier: Option<Before>,
    (facts, instruments, told_first): (RunFacts, Vec<InstrumentFacts>, Vec<Event>),
) -> Result<Beginning, String> {
    let Some(earlier) = earlier else {
        let started = std::iter::once(Event::RunStarted(Box::new(facts)));
        let opened = instruments.into_iter().flat_map(opened_events);
        let first = started.chain(opened).chain(told_first).collect();
        return Ok(Beginning { first, finished: None, gap: None });
    };
    let known = earlier.instruments;
    check_same_instruments(&known, &instruments)?;
    let is_new = |facts: &InstrumentFacts| !known.iter().any(|old| old.role == facts.role);
    let new = instruments.into_iter().filter(is_new).flat_map(opened_events);
    let resumed = std::iter::once(Event::RunResumed(earlier.resumed));
    let first = resumed.chain(new).chain(told_first).collect();
    Ok(Beginning { first, finished: Some(earlier.earlier), gap: earlier.gap })
}

/// Another bench than the run was begun on: it is left off, and the dead-man goes where it is.
fn refuse(bench: &mut Bench, guard: Option<Guard>, clock: &dyn Clock, told: &str) -> SessionError {
    let safe = bench.make_safe();
    if let Some(guard) = guard.filter(|_| safe.verified) {
        guard.dismiss(clock);
    }
    let left = if safe.verified { "the outputs are off" } else { "THE OUTPUTS COULD NOT BE VERIFIED OFF" };
    SessionError::Bench(format!("the run cannot be resumed on this bench: {told}; {left}"))
}

#[cfg(unix)]
use crate::deadman::process_unix::{Guard, Telling};

/// The dead-man of a run on real instruments; the simulated ones end with this process.
#[cfg(unix)]
fn start_guard(
    opened: &Opened,
    request: &RunRequest<'_>,
    prepared: &Prepared,
) -> Result<Option<Guard>, SessionError> {
    if opened.world.is_some() {
        return Ok(None);
    }
    let plan = &prepared.plan;
    let (profile, board) = (plan.profile.to_string(), plan.board.serial.to_string());
    let telling = request.notify.map(|settings| Telling { settings, profile: &profile, board: &board });
    super::guarding::start(request.program, &prepared.rig_path, telling, &opened.pulse, request.stop)
        .map(Some)
}

/// Nothing that this program does not switch off when it dies.
#[cfg(not(unix))]
fn start_guard(opened: &Opened, _: &RunRequest<'_>, _: &Prepared) -> Result<Option<Guard>, SessionError> {
    if opened.world.is_some() {
        return Ok(None);
    }
    let told = "real instruments need a dead-man, a second process that switches off when this one dies; on this \
                system there is none yet";
    Err(SessionError::Bench(told.to_owned()))
}

#[cfg(not(unix))]
enum Guard {}

#[cfg(not(unix))]
impl Guard {
    fn tell_run(&self, _: crate::base::clock::Instant, _: &Path) {
        match *self {}
    }
    fn dismiss(self, _: &dyn Clock) {
        match self {}
    }
}

fn carry_out(
    plan: &Plan,
    finished: Option<Earlier>,
    bench: &mut Bench,
    (sink, stop): (&mut Tee<'_>, &StopWish),
    begun: Result<(), SinkError>,
) -> RunOutcome {
    match begun {
        Ok(()) => match finished {
            None => engine::run(plan, bench, sink, stop),
            Some(earlier) => engine::resume(plan, earlier, bench, sink, stop),
        },
        // Even a run whose record cannot be begun leaves the bench off: it may have been on before.
        Err(error) => {
            let safe = bench.make_safe();
            let end = RunEnd {
                verdict: RunVerdict::Error,
                reason: error.to_string(),
                points_finished: 0,
                points_failed: 0,
                points_not_applicable: 0,
                outputs_off_verified: safe.verified,
            };
            RunOutcome { end, safe, internal: None, record_failed: Some(error.to_string()) }
        }
    }
}

/// A run whose bench could not be opened is a run too: its record says why there is nothing in it, what was reached and how
/// that was left.
fn not_opened(sink: &mut Tee<'_>, clock: &dyn Clock, facts: RunFacts, left: NotOpened) -> RunOutcome {
    let mut events = vec![Event::RunStarted(Box::new(facts))];
    events.extend(left.reached.into_iter().flat_map(opened_events));
    events.extend(left.safe.clone().map(Event::MadeSafe));
    let why = left.error.to_string();
    let known = match &left.safe {
        Some(safe) if safe.verified => "and the outputs are verified off",
        _ => "but not every output is known to be off",
    };
    let safe = left.safe.unwrap_or_else(|| SafeState {
        load_off: false,
        supply_off: false,
        vout_v: Err(Unavailable::because("the bench could not be opened")),
        verified: false,
        attempts: 0,
        failures: vec![why.clone()],
    });
    let end = RunEnd {
        verdict: RunVerdict::Error,
        reason: format!("the bench could not be opened; this run switched nothing on, {known}: {why}"),
        points_finished: 0,
        points_failed: 0,
        points_not_applicable: 0,
        outputs_off_verified: safe.verified,
    };
    events.push(Event::RunFinished(end.clone()));
    let record_failed = tell_all(sink, clock, &events).err().map(|error| error.to_string());
    RunOutcome { end, safe, internal: None, record_failed }
}

fn tell_all(sink: &mut Tee<'_>, clock: &dyn Clock, events: &[Event]) -> Result<(), SinkError> {
    events.iter().try_for_each(|event| sink.event(engine::stamp(clock), event))
}

fn seal(recorder: Recorder) -> Result<Written, RecordError> {
    products::write_sealed(recorder.seal()?)
}

/// A run that had an end and could not be gone on with is sealed as before.
fn seal_again(recorder: Recorder) {
    let folder = recorder.folder().to_owned();
    if Record::open(&folder).is_ok_and(|record| record.end().is_some()) {
        // Where that fails it stays open, which is no loss.
        let _ = seal(recorder);
    }
}

/// The newest run in the folder that nobody writes any more, if it has no end.
pub(super) fn last_unfinished(out: &Path) -> Result<Option<String>, SessionError> {
    let newest = store::newest_left(out)?;
    Ok(newest.filter(|run| matches!(run.state, RunState::Open | RunState::Torn)).map(|run| run.name))
}

/// An instrument was opened, and what its reader must know of it.
fn opened_events(facts: InstrumentFacts) -> impl Iterator<Item = Event> {
    let warning = calibration_warning(&facts);
    std::iter::once(Event::InstrumentOpened(facts)).chain(warning)
}

fn calibration_warning(facts: &InstrumentFacts) -> Option<Event> {
    let (day, past) = facts.calibration_due.as_ref()?;
    past.then(|| Event::Warned {
        what: format!("the calibration of {} ({} {}) was due on {day}", facts.role, facts.maker, facts.model),
    })
}
