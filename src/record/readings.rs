//! Readings of a soak, and what belongs to them, between events and the disk. Of a long soak nearly all of the journal is
//! readings: they are written in batches, a column a value, and read one batch at a time.

use std::mem;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::{channel, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::value::{RawValue, to_raw_value};

use super::convert::nanos;
use super::format::{
    BeforeEntry, DwellEndWord, EarlyEntry, EarlyWord, GapEntry, GapWord, LoadChangeEntry, Number,
    ReadingsEntry, ReadingsHead, SoakEntry, StartEntry,
};
use super::judged::{judged_in, judged_out};
use super::line::{Line, What};
use super::pieces::{figure_in, figure_out, setting_in};
use super::recover::read_lines_of_readings;
use super::{RecordError, journal};
use crate::base::clock::Instant;
use crate::base::units::Amps;
use crate::event::{
    BeforeStart, DwellEnd, DwellId, EarlyAnswer, EarlyLook, Gap, GapCause, LoadChange, Reading, Readings,
    ReadingsJudged, SoakFacts, StartCheck, StartId,
};

/// Most readings of one batch; a line of the journal is bounded.
pub(super) const MOST_ROWS: usize = 10_000;

/// Batches that are handed on together: a thread that is woken for each takes as long as reading one.
pub(super) const PILE: usize = 32;
/// Piles that are read and not yet taken.
pub(super) const MOST_WAITING: usize = 2;

/// Hands the readings of a run to `take`, a batch at a time, in order. A torn last line is left out. They are read in a thread of
/// its own, meanwhile others are taken.
///
/// # Errors
/// There is no journal, it cannot be read, or it is damaged before its last line.
pub fn read_readings(folder: &Path, mut take: impl FnMut(&Readings)) -> Result<(), RecordError> {
    let path = folder.join(journal::FILE_NAME);
    if !path.is_file() {
        return Err(RecordError::NotARun(folder.to_owned()));
    }
    let (full, waiting) = sync_channel(MOST_WAITING);
    let (empty, spare) = channel::<Vec<Readings>>();
    let read = move || {
        let (mut pile, mut count) = (Vec::new(), 0);
        let read = read_lines_of_readings(&path, |line: Line<'_>| {
            let What::Readings(batch) = line.what else { return Ok(()) };
            if count == pile.len() {
                pile.push(Readings::none());
            }
            batch.read_into(&mut pile[count])?;
            count += 1;
            if count == PILE {
                // Nobody takes them only where the taker panicked, and then nobody asks what came of it.
                let _ = full.send((mem::replace(&mut pile, spare.try_recv().unwrap_or_default()), count));
                count = 0;
            }
            Ok(())
        });
        let _ = full.send((pile, count));
        read
    };
    thread::scope(|scope| {
        let beside = scope.spawn(read);
        for (pile, count) in waiting {
            pile.iter().take(count).for_each(&mut take);
            // Whoever reads no more needs it no more.
            let _ = empty.send(pile);
        }
        beside.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

pub(super) fn readings_out(readings: &Readings) -> Result<Box<RawValue>, serde_json::Error> {
    let first = readings.rows.first().map_or(Instant(0), |row| row.at);
    let rows = &readings.rows;
    let column = |pick: fn(&Reading) -> Option<f64>| rows.iter().map(pick).map(finite).collect();
    to_raw_value(&ReadingsEntry {
        dwell: readings.dwell.0,
        done_ns: nanos(readings.done),
        held: readings.held,
        first_ns: first.0,
        t_ms: rows.iter().map(|row| (row.at.since(first).as_nanos() as u64 + 500_000) / 1_000_000).collect(),
        vin_v: column(|row| row.vin_v),
        iin_a: column(|row| row.iin_a),
        vout_v: column(|row| row.vout_v),
        iout_a: column(|row| row.iout_a),
        board_c: column(|row| row.board_c),
        ambient_c: column(|row| row.ambient_c),
        judged: readings.judged.as_ref().map(judged_out),
    })
}

/// What is no number could not be told from what was not read.
fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

pub(super) fn readings_in(raw: &RawValue) -> Result<Readings, String> {
    let entry: ReadingsEntry = serde_json::from_str(raw.get())
        .map_err(|error| format!("its readings cannot be understood: {error}"))?;
    let count = entry.t_ms.len();
    let columns =
        [&entry.vin_v, &entry.iin_a, &entry.vout_v, &entry.iout_a, &entry.board_c, &entry.ambient_c];
    if count == 0 || count > MOST_ROWS || columns.iter().any(|column| column.len() != count) {
        return Err(format!("its columns are not of one length between 1 and {MOST_ROWS}"));
    }
    let row = |index: usize| {
        let at = entry.first_ns.saturating_add(entry.t_ms[index].saturating_mul(1_000_000));
        Reading::of(Instant(at), columns.map(|column| column[index]))
    };
    Ok(Readings {
        dwell: DwellId(entry.dwell),
        done: Duration::from_nanos(entry.done_ns),
        held: entry.held,
        judged: entry.judged.map(judged_in),
        rows: (0..count).map(row).collect(),
    })
}

/// What is known of readings without reading them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BatchHead {
    /// The dwell that they belong to.
    pub(super) dwell: DwellId,
    /// How much of it is done with them.
    pub(super) done: Duration,
    /// What came of the limits up to them.
    pub(super) judged: Option<ReadingsJudged>,
}

pub(super) fn readings_head(raw: &RawValue) -> Result<BatchHead, String> {
    let head: ReadingsHead = serde_json::from_str(raw.get())
        .map_err(|error| format!("its readings cannot be understood: {error}"))?;
    Ok(BatchHead {
        dwell: DwellId(head.dwell),
        done: Duration::from_nanos(head.done_ns),
        judged: head.judged.map(judged_in),
    })
}

pub(super) const fn dwell_end_out(end: DwellEnd) -> DwellEndWord {
    match end {
        DwellEnd::Time => DwellEndWord::Time,
        DwellEnd::Steady => DwellEndWord::Steady,
        DwellEnd::NotSteady => DwellEndWord::NotSteady,
    }
}

pub(super) const fn dwell_end_in(word: DwellEndWord) -> DwellEnd {
    match word {
        DwellEndWord::Time => DwellEnd::Time,
        DwellEndWord::Steady => DwellEnd::Steady,
        DwellEndWord::NotSteady => DwellEnd::NotSteady,
    }
}

pub(super) fn start_out(check: &StartCheck) -> StartEntry {
    StartEntry {
        start: check.start.0,
        vin_set_v: Number(check.setting.vin.value()),
        load_set_a: Number(check.setting.load.value()),
        before: check
            .before
            .map(|before| BeforeEntry { vout_v: Number(before.vout_v), was_off: before.was_off }),
        took_s: figure_out(&check.took_s),
        vout_v: figure_out(&check.vout_v),
        started: check.started,
    }
}

pub(super) fn start_in(entry: StartEntry) -> StartCheck {
    StartCheck {
        start: StartId(entry.start),
        setting: setting_in(entry.vin_set_v, entry.load_set_a),
        before: entry.before.map(|before| BeforeStart { vout_v: before.vout_v.0, was_off: before.was_off }),
        took_s: figure_in(entry.took_s),
        vout_v: figure_in(entry.vout_v),
        started: entry.started,
    }
}

pub(super) fn early_out(look: &EarlyLook) -> EarlyEntry {
    let answer = match look.answer {
        EarlyAnswer::GoOn => EarlyWord::GoOn,
        EarlyAnswer::Pass => EarlyWord::Pass,
        EarlyAnswer::Fail => EarlyWord::Fail,
    };
    let (done_ns, planned_ns) = (nanos(look.done), nanos(look.planned));
    EarlyEntry { look: look.look, looks: look.looks, answer, done_ns, planned_ns, what: look.what.clone() }
}

pub(super) fn early_in(entry: EarlyEntry) -> EarlyLook {
    let answer = match entry.answer {
        EarlyWord::GoOn => EarlyAnswer::GoOn,
        EarlyWord::Pass => EarlyAnswer::Pass,
        EarlyWord::Fail => EarlyAnswer::Fail,
    };
    EarlyLook {
        look: entry.look,
        looks: entry.looks,
        answer,
        done: Duration::from_nanos(entry.done_ns),
        planned: Duration::from_nanos(entry.planned_ns),
        what: entry.what,
    }
}

pub(super) const fn load_change_out(change: LoadChange) -> LoadChangeEntry {
    LoadChangeEntry { from_a: Number(change.from.value()), to_a: Number(change.to.value()) }
}

pub(super) const fn load_change_in(entry: LoadChangeEntry) -> LoadChange {
    LoadChange { from: Amps(entry.from_a.0), to: Amps(entry.to_a.0) }
}

pub(super) fn gap_out(gap: &Gap) -> GapEntry {
    let cause = match gap.cause {
        GapCause::Instrument => GapWord::Instrument,
        GapCause::Interlock => GapWord::Interlock,
        GapCause::Controller => GapWord::Controller,
        GapCause::Sleep => GapWord::Sleep,
    };
    GapEntry { from_ns: gap.from.0, to_ns: gap.to.0, missed: gap.missed, cause, what: gap.what.clone() }
}

pub(super) fn gap_in(entry: GapEntry) -> Gap {
    let cause = match entry.cause {
        GapWord::Instrument => GapCause::Instrument,
        GapWord::Interlock => GapCause::Interlock,
        GapWord::Controller => GapCause::Controller,
        GapWord::Sleep => GapCause::Sleep,
    };
    let (from, to) = (Instant(entry.from_ns), Instant(entry.to_ns));
    Gap { from, to, missed: entry.missed, cause, what: entry.what }
}

pub(super) fn soak_out(facts: &SoakFacts) -> SoakEntry {
    SoakEntry {
        interval_ns: nanos(facts.interval),
        phases: facts.phases.clone(),
        dwells_last_ns: nanos(facts.dwells_last),
        dwells: facts.dwells,
        starts: facts.starts,
    }
}

pub(super) fn soak_in(entry: SoakEntry) -> SoakFacts {
    SoakFacts {
        interval: Duration::from_nanos(entry.interval_ns),
        phases: entry.phases,
        dwells_last: Duration::from_nanos(entry.dwells_last_ns),
        dwells: entry.dwells,
        starts: entry.starts,
    }
}
