//! Both sides of a drill on real instruments: the controller that dies, and the one that looks at what came of it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::guarding;
use super::opening::{Opened, board_of, open_world};
use super::preparing::load_rig;
use super::{Prepared, SessionError};
use crate::base::clock::{Clock, RealClock};
use crate::base::cut::Cut;
use crate::bench::Bench;
use crate::bench::open::open_as_left;
use crate::deadman::drill::{Found, Seen, allowed, judge};
use crate::deadman::drill_unix::{Played, Scene, play, render_energised};
use crate::engine::{self, StopWish};
use crate::event::{DrillKind, Drilled, SafeState};
use crate::instrument::Asked;
use crate::instrument::dialect::Registry;
use crate::plan::Rig;
use crate::record::{Record, Recorder, RunHeader, store};

/// How long the controller holds the bench energised, if nobody kills it: whoever began the drill has died himself.
const HOLDS: Duration = Duration::from_secs(30);

/// The name of the record that the controller of a drill keeps, so that its dead-man has one to write into.
const PROFILE: &str = "deadman-drill";

pub(super) fn drill_real(
    prepared: &Prepared,
    program: &Path,
    kind: DrillKind,
    stop: &StopWish,
) -> Result<Drilled, SessionError> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let cut = Cut::default();
    stop.attach(&cut);
    // A bench that somebody uses is told as such, not as a drill that failed.
    drop(open_world(&prepared.rig, &prepared.plan.board, None)?);
    let folder = make_folder(&*clock)?;
    let within = prepared.rig.safe_within;
    let scene =
        Scene { program, rig: &prepared.rig_path, folder: &folder, kind, within: allowed(kind, within) };
    let played = play(&scene, &clock, &cut).map_err(|error| {
        let _ = fs::remove_dir_all(&folder);
        SessionError::Bench(format!("cannot start the controller of the drill: {error}"))
    })?;
    let (found, left) = look(prepared);
    let seen = Seen {
        kind,
        energised: played.energised.clone().map_err(|why| with_words(why, &played)),
        word: read_word(&folder, &played),
        found,
        left,
    };
    let mut drilled = judge(&seen, within);
    if drilled.refusal().is_none() {
        let _ = fs::remove_dir_all(&folder);
    } else {
        drilled.reason.push_str(&format!(" (the record of the drill is kept in {})", folder.display()));
    }
    Ok(drilled)
}

/// A new folder for the controller's record.
fn make_folder(clock: &dyn Clock) -> Result<PathBuf, SessionError> {
    let name = format!("soakrig-drill-{}-{}", std::process::id(), clock.utc().as_nanosecond());
    let path = std::env::temp_dir().join(name);
    match fs::create_dir(&path) {
        Ok(()) => Ok(path),
        Err(error) => Err(SessionError::File { what: "folder of the drill", path, error }),
    }
}

/// A reason with what the two processes said to people, for that is why; within a sentence nothing is headed as an error again.
fn with_words(why: String, played: &Played) -> String {
    let lines = played.told.iter().map(|line| line.strip_prefix("error: ").unwrap_or(line));
    let told = lines.collect::<Vec<_>>().join("; ");
    if told.is_empty() { why } else { format!("{why}: {told}") }
}

/// The dead-man's word, from the journal he wrote it into.
fn read_word(folder: &Path, played: &Played) -> Result<(Duration, SafeState), String> {
    let took = played.gone_after.clone().map_err(|why| with_words(why, played))?;
    let newest = store::newest(folder).map_err(|error| error.to_string())?;
    let run =
        newest.ok_or_else(|| with_words("there is no record he could write into".to_owned(), played))?;
    let record = Record::open(&run.folder).map_err(|error| error.to_string())?;
    let state = record.made_safe().cloned();
    state.map(|state| (took, state)).ok_or_else(|| with_words("it is not in the journal".to_owned(), played))
}

/// Asks supply and load how they were left, then makes the bench safe whatever they say.
fn look(prepared: &Prepared) -> (Result<Found, String>, Result<SafeState, String>) {
    let opened = match open_world(&prepared.rig, &prepared.plan.board, None) {
        Ok(opened) => opened,
        Err(error) => return (Err(error.to_string()), Err(error.to_string())),
    };
    let registry = Arc::new(prepared.registry.clone());
    match open_as_left(&prepared.rig, &opened.surroundings(registry)) {
        Ok((mut bench, _)) => {
            let found = ask(&mut bench).map_err(|error| error.to_string());
            (found, Ok(bench.make_safe()))
        }
        Err(left) => {
            let told = left.error.to_string();
            (Err(told.clone()), left.safe.ok_or(told))
        }
    }
}

fn ask(bench: &mut Bench) -> Asked<Found> {
    Ok(Found {
        supply_on: bench.supply.read_output()?,
        load_on: bench.load.read_input()?,
        supply_v: bench.supply.measure_voltage()?.value(),
        vout_v: bench.load.measure_voltage()?.value(),
    })
}

/// The controller that dies in a drill: takes the bench, starts its dead-man as a run does, energises the bench at low
/// voltage, says so in a line on `out`, and works on until it is killed. Where nobody does, it leaves the bench off.
///
/// # Errors
/// The bench cannot be had or energised; it is then left as at the end of a run.
pub fn hold_for_drill(
    (rig_path, folder, program): (&Path, &Path, &Path),
    out: &mut dyn Write,
) -> Result<(), SessionError> {
    let (rig, registry, rig_text) = load_rig(rig_path)?;
    let opened = open_world(&rig, &board_of(&rig), None)?;
    if opened.world.is_some() {
        return Err(SessionError::Usage(super::drilling::SIMULATED.to_owned()));
    }
    let stop = StopWish::default();
    stop.attach(&opened.cut);
    let recorder = begin_record(&rig, rig_text, folder, &*opened.clock)?;
    let guard = guarding::start(program, rig_path, None, &opened.pulse, &stop)?;
    let kept = recorder.folder();
    guard.tell_run(opened.clock.now(), &std::path::absolute(kept).unwrap_or_else(|_| kept.to_owned()));
    let (held, is_off) = hold(&rig, registry, &opened, (&stop, out));
    // Where the outputs are not verified off, the dead-man goes on trying.
    if is_off {
        guard.dismiss(&*opened.clock);
    }
    held
}

fn begin_record(
    rig: &Rig,
    rig_text: String,
    folder: &Path,
    clock: &dyn Clock,
) -> Result<Recorder, SessionError> {
    let profile = PROFILE.parse().map_err(|error| SessionError::Usage(format!("{error}")))?;
    let header = RunHeader {
        started: engine::stamp(clock),
        profile,
        board: board_of(rig),
        rig_text,
        profile_text: String::new(),
        plan_text: String::new(),
        families: Vec::new(),
    };
    Ok(Recorder::create(folder, &header)?)
}

/// What came of holding the bench, and whether it is known to be off again.
fn hold(
    rig: &Rig,
    registry: Registry,
    opened: &Opened,
    (stop, out): (&StopWish, &mut dyn Write),
) -> (Result<(), SessionError>, bool) {
    let mut bench = match open_as_left(rig, &opened.surroundings(Arc::new(registry))) {
        Ok((bench, _)) => bench,
        Err(left) => {
            let is_off = !left.may_be_on;
            return (Err(left.into()), is_off);
        }
    };
    let held = bench.energise_low().map_err(SessionError::from).and_then(|volts| {
        let line = render_energised(volts.value());
        out.write_all(line.as_bytes()).and_then(|()| out.flush()).map_err(|error| {
            SessionError::Bench(format!("whoever began the drill does not listen any more: {error}"))
        })?;
        let start = opened.clock.now();
        while !stop.is_now() && opened.clock.now().since(start) < HOLDS {
            opened.clock.sleep(Duration::from_millis(50));
        }
        Err(SessionError::Bench(
            "nobody killed the controller of the drill; it has left the bench off".to_owned(),
        ))
    });
    let safe = bench.make_safe();
    (held, safe.verified)
}
