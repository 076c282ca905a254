//! The tapes of a run: what was said to each instrument and what came back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::opening::instruments;
use crate::base::clock::Instant;
use crate::base::names::Role;
use crate::event::{Event, StartCheck};
use crate::instrument::open::TapeFor;
use crate::link::transport::trace::Tape;
use crate::link::wire::tape::{Direction, Failure, TapeLine};
use crate::plan::Rig;
use crate::record::{RecordError, Recorder, TapeFile};

/// Answers longer than this are kept once, as samples, and stand in the tape by their length and checksum.
const TAPED_BYTES: usize = 4096;
/// Lines of each tape that are held back while nothing happens.
const HELD_BACK: usize = 400;

/// What is kept of the conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Every byte.
    Everything,
    /// Long answers by length and checksum.
    AllButLongAnswers,
    /// The last lines before anything happens: a soak of weeks says the same a million times.
    AroundTrouble,
}

/// Whether an event is what a soak does all the time, so that nobody needs the exchanges before it.
pub(super) fn is_calm(event: &Event) -> bool {
    match event {
        // A limit that is broken in readings is told when it is; at the end of a dwell it is only counted.
        Event::ReadingsJudged(judged) => judged.failed() == 0,
        Event::ReadingsTaken(_)
        | Event::DwellFinished { .. }
        | Event::PhaseStarted { .. }
        | Event::PointStarted { .. }
        | Event::Settled { .. }
        | Event::PointFinished(_)
        | Event::EvidenceKept { .. }
        | Event::OutputSwitched { .. }
        | Event::StartChecked(StartCheck { started: true, .. }) => true,
        _ => false,
    }
}

/// The tapes of a run, by role.
#[derive(Default)]
pub(super) struct Tapes {
    tapes: BTreeMap<Role, Arc<RunTape>>,
}

impl Tapes {
    /// A tape for each instrument of the rig.
    pub(super) fn open(recorder: &mut Recorder, rig: &Rig, kept: Kept) -> Result<Self, RecordError> {
        let mut tapes = BTreeMap::new();
        for wired in instruments(rig) {
            let file = recorder.tape(&wired.role)?;
            let tape = RunTape { file, kept, held: Mutex::default() };
            tapes.insert(wired.role.clone(), Arc::new(tape));
        }
        Ok(Self { tapes })
    }

    /// Where each instrument's conversation goes.
    pub(super) fn for_roles(&self) -> Option<TapeFor> {
        if self.tapes.is_empty() {
            return None;
        }
        let none: Arc<dyn Tape> = Arc::new(NoTape);
        let tapes = self.tapes.clone();
        Some(Arc::new(move |role: &Role| {
            tapes.get(role).map_or_else(|| none.clone(), |tape| tape.clone() as Arc<dyn Tape>)
        }))
    }

    /// Something happened: what was held back is kept.
    pub(super) fn keep(&self) {
        self.tapes.values().for_each(|tape| tape.keep());
    }
}

/// For a role that the rig does not have.
struct NoTape;

impl Tape for NoTape {
    fn line(&self, _: Instant, _: Direction, _: &[u8], _: Option<Failure>) {}
}

/// A tape in the run folder.
struct RunTape {
    file: TapeFile,
    kept: Kept,
    held: Mutex<Held>,
}

/// Lines that are kept if something happens.
#[derive(Default)]
struct Held {
    lines: VecDeque<Line>,
    left_out: u64,
}

/// A line, and the length and checksum of the bytes that were taken out of it.
struct Line {
    line: TapeLine,
    taken_out: Option<(usize, u32)>,
}

impl Line {
    fn render(&self) -> String {
        let text = self.line.render();
        match self.taken_out {
            Some((length, crc)) => format!("{text} ... {length} bytes, crc32 {crc:08x}"),
            None => text,
        }
    }
}

impl RunTape {
    fn keep(&self) {
        let held = std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
        if held.left_out > 0 {
            self.file.append(&format!("// {} lines in which nothing happened are left out", held.left_out));
        }
        held.lines.iter().for_each(|line| self.file.append(&line.render()));
    }
}

impl Tape for RunTape {
    fn line(&self, at: Instant, direction: Direction, bytes: &[u8], failure: Option<Failure>) {
        let is_long = self.kept != Kept::Everything && bytes.len() > TAPED_BYTES;
        let taken_out = is_long.then(|| (bytes.len(), crc32fast::hash(bytes)));
        let bytes = if is_long { &[] } else { bytes };
        if self.kept != Kept::AroundTrouble {
            let line = TapeLine { at, direction, bytes: bytes.to_vec(), failure };
            return self.file.append(&Line { line, taken_out }.render());
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // The memory of the line that falls out is the next one's: there are millions.
        let mut kept = Vec::new();
        if held.lines.len() == HELD_BACK {
            kept = held.lines.pop_front().map(|line| line.line.bytes).unwrap_or_default();
            held.left_out += 1;
        }
        kept.clear();
        kept.extend_from_slice(bytes);
        held.lines.push_back(Line { line: TapeLine { at, direction, bytes: kept, failure }, taken_out });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::{DwellId, ReadingCheck, ReadingsJudged, Setting};

    #[test]
    fn the_end_of_a_dwell_that_broke_no_limit_is_no_reason_to_keep_its_exchanges() {
        let judged = |failed| {
            let first = (failed > 0).then_some(Instant(1));
            let check = ReadingCheck { limit: 0, judged: 60, marginal: 0, failed, worst: 5.0, first };
            let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
            let judged = ReadingsJudged { checks: vec![check], ..ReadingsJudged::new(DwellId(1), setting) };
            Event::ReadingsJudged(judged)
        };
        assert!(is_calm(&judged(0)));
        assert!(!is_calm(&judged(1)));
    }
}
