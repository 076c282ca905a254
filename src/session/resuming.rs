//! A run that was cut off, checked before it is gone on with: the same plan, the same instruments, the next point.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use super::SessionError;
use super::preparing::{Prepared, prepare};
use jiff::Timestamp;

use crate::base::clock::{Clock, Instant, RealClock};
use crate::base::digest::digest;
use crate::base::names::{Revision, Serial};
use crate::engine::{Earlier, Tally};
use crate::event::{Board, BrokenAt, DwellEnd, DwellId, Event, GapCause, InstrumentFacts, RunFacts, Stamp};
use crate::plan::remaining::{Reached, leave_remaining};
use crate::plan::{Overrides, Plan};
use crate::record::{Record, RecordError, Unfinished};
use crate::report::products::PAGE;

/// A run that can be gone on with.
#[derive(Debug)]
pub struct Resumable {
    /// Its plan, with the steps that are left.
    pub prepared: Prepared,
    /// The board it was begun with.
    pub board: Board,
    /// The seed of its simulated bench.
    pub seed: Option<u64>,
    /// How many points are finished: they are neither measured nor written again.
    pub finished: u32,
    /// What came of the run so far.
    pub(super) earlier: Earlier,
    /// The instruments it was begun with.
    pub(super) instruments: Vec<InstrumentFacts>,
    /// Its last event.
    pub(super) last: Stamp,
    /// Its last event but for what a dead-man added.
    pub(super) last_work: Stamp,
    /// How it stood: cut off, or with which end; and whether the board was named again.
    pub(super) stood: String,
    /// The last reading of a dwell that was begun and is not finished.
    pub(super) last_reading: Option<Instant>,
    /// Its record, as all this was read from it.
    pub unfinished: Unfinished,
}

/// What a person says who goes on with a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said<'a> {
    /// The serial number of the board on the bench, which nothing else can read.
    pub board: Option<&'a Serial>,
    /// Its revision.
    pub revision: Option<&'a Revision>,
    /// The rig's file; needed where the rig names a folder of families that an earlier program has not kept.
    pub rig: Option<&'a Path>,
    /// An interlock ended it, and bench and board were looked at.
    pub after_trip: bool,
}

/// Reads a run that was cut off, or ended before it was complete, and builds its plan again from the files in its folder.
/// What an interlock ended is gone on with only where a person says so. Each event is shown to `see`, in order, readings
/// included: the journal is read once.
///
/// # Errors
/// The record is damaged; the run is complete, or had not begun, or was ended by an interlock; the files no longer give the
/// plan it was begun with; the board that is named is another one.
pub fn prepare_resume(
    folder: &Path,
    said: &Said<'_>,
    see: &mut dyn FnMut(Stamp, &Event),
) -> Result<Resumable, SessionError> {
    let unfinished = Unfinished::read(folder, see)?;
    let record = unfinished.record();
    let name = folder.display();
    let usage = |told: String| SessionError::Usage(told);
    let stood = check_resumable(record, said.after_trip).map_err(|told| {
        // Whoever dies between the seal and the report leaves a run that wants nothing else.
        let page = if record.end().is_some() && !folder.join(PAGE).exists() {
            "; its report is missing: `soakrig report` makes it"
        } else {
            ""
        };
        usage(format!("{name} {told}{page}"))
    })?;
    let (Some(facts), Some(last)) = (record.facts(), record.last()) else {
        let told = format!("{name} was cut off before it had begun; `soakrig run` begins it anew");
        return Err(usage(told));
    };
    let board = check_same_board(&facts.board, said)
        .map_err(|told| usage(format!("{name} cannot be resumed: {told}")))?;
    let own_rig = folder.join("rig.toml");
    let mut prepared = prepare_again(facts, &folder.join("profile.toml"), said.rig.unwrap_or(&own_rig))?;
    check_same_families(&prepared, record)
        .map_err(|told| usage(format!("{name} cannot be resumed: {told}")))?;
    check_same_plan(&prepared, facts).map_err(|told| usage(format!("{name} cannot be resumed: {told}")))?;
    let (reached, earlier, left_out) = how_far(record);
    let finished = earlier.tally.finished;
    let planned = prepared.plan.points.len();
    let is_in_order = reached.point.map_or(0, |last| last.0) == finished.saturating_add(left_out);
    if !is_in_order || finished.saturating_add(earlier.tally.left_out) as usize > planned {
        let told = "its finished points are not the first ones of its plan";
        return Err(RecordError::damaged(folder, 0, told).into());
    }
    let last_work = record.last_work().unwrap_or(last);
    let warm = cold_since(record).unwrap_or(last_work);
    leave_remaining(&mut prepared.plan, &reached, gap_since(warm, RealClock::new().utc()));
    let last_reading = record.last_readings().filter(|_| reached.within.is_some());
    Ok(Resumable {
        prepared,
        board: facts.board.clone(),
        seed: facts.seed.filter(|_| facts.simulated),
        finished,
        earlier,
        instruments: record.instruments().cloned().collect(),
        last,
        last_work,
        stood: format!("{stood}; {board}"),
        last_reading: last_reading.map(|readings| readings.at.monotonic),
        unfinished,
    })
}

/// When a run that was gone on with, and cut off before it was where it had been, was last there: what has happened since has not
/// warmed the board up. `None` where it got there.
fn cold_since(record: &Record) -> Option<Stamp> {
    let (mut there, mut resumed) = (None, None);
    for logged in record.events() {
        match &logged.event {
            Event::PointFinished(_) | Event::DwellFinished { .. } | Event::StartChecked(_) => {
                there = Some(logged.at);
            }
            Event::RunResumed(_) => resumed = Some(logged.at),
            // It comes first, and may be all that was told of a resumption.
            Event::GapFound(gap) if gap.cause == GapCause::Controller => resumed = Some(logged.at),
            _ => {}
        }
    }
    let read = record.last_readings().map(|readings| readings.at);
    let there = there.into_iter().chain(read).max_by_key(|at| at.monotonic)?;
    resumed.filter(|resumed| resumed.monotonic > there.monotonic).map(|_| there)
}

/// How long nobody was there, by the wall clock. A clock that was set back tells no gap.
pub(super) fn gap_since(last: Stamp, now: Timestamp) -> Option<Duration> {
    Duration::try_from(now.duration_since(last.utc)).ok()
}

/// How a run stands that may be gone on with, or why it may not: a function of its journal alone.
fn check_resumable(record: &Record, after_trip: bool) -> Result<String, String> {
    let end = record.end().map(|(_, end)| end);
    if let Some(end) = end.filter(|end| end.is_complete()) {
        return Err(format!("has ended: {}, {}; there is nothing to resume", end.verdict, end.reason));
    }
    if let Some(what) = record.tripped().filter(|_| !after_trip) {
        return Err(format!(
            "was ended by an interlock: {what}; look at bench and board first, then resume it with --after-trip"
        ));
    }
    Ok(match end {
        Some(end) => format!("it had ended: {}, {}", end.verdict, end.reason),
        None => "it was cut off".to_owned(),
    })
}

/// Nothing can read a board's serial number: whoever names it again is held to it, and the record says whether somebody did.
fn check_same_board(then: &Board, said: &Said<'_>) -> Result<String, String> {
    let pairs = [
        ("board", then.serial.as_str(), said.board.map(Serial::as_str)),
        ("revision", then.revision.as_str(), said.revision.map(Revision::as_str)),
    ];
    let other = pairs.iter().find_map(|(what, was, is)| is.filter(|is| is != was).map(|is| (what, was, is)));
    if let Some((what, was, is)) = other {
        return Err(format!(
            "it was begun with {what} {was}, and {is} is on the bench; fit the board it was begun with, or begin a run of its own"
        ));
    }
    let serial = then.serial.as_str();
    Ok(match said.board {
        Some(_) => format!("whoever resumed it named board {serial}"),
        None => format!("nobody said whether board {serial} was still on the bench"),
    })
}

/// How far a run came, as a function of its journal alone; and how many points are left out before its last one.
fn how_far(record: &Record) -> (Reached, Earlier, u32) {
    let (mut reached, mut tally) = (Reached::default(), Tally::default());
    for result in record.points() {
        reached.point = reached.point.max(Some(result.point));
        tally.add(result);
    }
    let (mut dwell_ended, mut trips, mut ended_early, mut left_out) = (None, 0, None, 0);
    let (mut broken, mut in_reading) = (BTreeSet::new(), false);
    for logged in record.events() {
        match &logged.event {
            Event::InterlockTripped { .. } => trips += 1,
            Event::LimitBroken(first) => {
                broken.insert(first.limit);
                in_reading |= matches!(first.at, BrokenAt::Dwell(_));
            }
            Event::ReadingsJudged(judged) => {
                tally.readings_judged += judged.judged();
                tally.readings_failed += judged.failed();
            }
            Event::LookedEarly(look) if look.ends() => ended_early = Some(look.clone()),
            Event::PhaseStarted { phase, round, .. } => {
                reached.phase = reached.phase.max(Some((*round, *phase)));
            }
            Event::PointFinished(_) => left_out = tally.left_out,
            Event::DwellFinished { dwell, end, left_out, .. } if *dwell != DwellId::WARMING => {
                reached.dwell = Some(*dwell);
                reached.steady = Some(*dwell).filter(|_| *end == DwellEnd::Steady).or(reached.steady);
                tally.left_out = tally.left_out.saturating_add(*left_out);
                dwell_ended = Some(logged.at.monotonic);
            }
            Event::StartChecked(check) => {
                // A start that was looked at twice counts once, as a point does.
                if reached.start.is_none_or(|last| check.start > last) {
                    tally.add_start(check);
                }
                reached.start = reached.start.max(Some(check.start));
            }
            _ => {}
        }
    }
    let begun = record.last_readings().filter(|last| reached.dwell.is_none_or(|ended| last.dwell > ended));
    let begun = begun.filter(|last| dwell_ended.is_none_or(|ended| last.at.monotonic >= ended));
    reached.within = begun.map(|last| (last.dwell, last.done));
    // An earlier program told the first breach at once, but not how many there were until the dwell was over.
    tally.readings_failed = tally.readings_failed.max(u64::from(in_reading));
    reached.ended_early = ended_early.is_some();
    (reached, Earlier { tally, within: reached.within, trips, ended_early, broken }, left_out)
}

/// The seed in the record is that of a shuffled order on a real bench; on a simulated one it may be the bench's alone. Whether the
/// points were shuffled by the profile or by the command line, the digest of the plan tells.
fn prepare_again(facts: &RunFacts, profile_path: &Path, rig_path: &Path) -> Result<Prepared, SessionError> {
    let with = |seed, shuffles| Overrides {
        serial: Some(facts.board.serial.clone()),
        revision: Some(facts.board.revision.clone()),
        operator: facts.operator.clone(),
        note: facts.note.clone(),
        turn: facts.turn.clone(),
        shuffles,
        seed,
    };
    let mut prepared = prepare(profile_path, rig_path, &with(None, false))?;
    for shuffles in [true, false] {
        if prepared.plan.digest == facts.plan_digest {
            break;
        }
        prepared = prepare(profile_path, rig_path, &with(facts.seed, shuffles))?;
    }
    Ok(prepared)
}

/// The whole plan of a run, built again from the files in its folder. `None` where they do not give that plan, e.g. because
/// its families stand elsewhere.
#[must_use]
pub fn plan_of(folder: &Path, facts: &RunFacts) -> Option<Plan> {
    let prepared = prepare_again(facts, &folder.join("profile.toml"), &folder.join("rig.toml")).ok()?;
    check_same_plan(&prepared, facts).ok()?;
    Some(prepared.plan)
}

fn check_same_plan(prepared: &Prepared, facts: &RunFacts) -> Result<(), String> {
    let plan = &prepared.plan;
    for (what, now, then) in [
        ("rig file", &plan.rig_digest, &facts.rig_digest),
        ("profile", &plan.profile_digest, &facts.profile_digest),
        (
            "plan, which this version of the program builds from the same files,",
            &plan.digest,
            &facts.plan_digest,
        ),
    ] {
        if now != then {
            return Err(format!("the {what} is not the one it was begun with"));
        }
    }
    Ok(())
}

/// The families must be those that the run was begun with; a record of an earlier program does not say which.
fn check_same_families(prepared: &Prepared, record: &Record) -> Result<(), String> {
    let then = record.families();
    let now: BTreeMap<&str, String> =
        prepared.families.iter().map(|(name, text)| (name.as_str(), digest(text.as_bytes()))).collect();
    let is_same = |name: &&&str| now.get(**name).map(String::as_str) == then.get(**name).copied();
    match then.keys().chain(now.keys()).find(|name| !is_same(name)) {
        Some(name) if !then.is_empty() => Err(format!("the family {name} is not the one it was begun with")),
        _ => Ok(()),
    }
}

/// The instruments of the bench must be those that the run was begun with.
pub(super) fn check_same_instruments(
    then: &[InstrumentFacts],
    now: &[InstrumentFacts],
) -> Result<(), String> {
    for known in then {
        let Some(found) = now.iter().find(|facts| facts.role == known.role) else {
            return Err(format!("the bench has no {} any more", known.role));
        };
        for (what, was, is) in [
            ("maker", &known.maker, &found.maker),
            ("model", &known.model, &found.model),
            ("serial number", &known.serial, &found.serial),
            ("firmware", &known.firmware, &found.firmware),
        ] {
            if was != is {
                let role = &known.role;
                return Err(format!(
                    "the {what} of {role} was `{was}` when the run was begun and is `{is}` now"
                ));
            }
        }
    }
    Ok(())
}
