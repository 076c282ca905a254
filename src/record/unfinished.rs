//! A run that was cut off, read once to be gone on with. Reading changes nothing; what is gone on with is proved to be what was
//! read.

use std::iter;
use std::mem;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::RecordError;
use super::journal::{self, Journal};
use super::reader::Record;
use super::readings::{MOST_WAITING, PILE};
use super::recover::check_lines;
use super::samples_csv::SamplesTable;
use crate::event::{Event, Stamp};

/// A run as it was read.
#[derive(Debug)]
pub struct Unfinished {
    record: Record,
    table: SamplesTable,
}

/// Bodies of lines one behind the other.
#[derive(Debug, Default)]
struct Pile {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Pile {
    fn add(&mut self, body: &[u8]) {
        self.bytes.extend_from_slice(body);
        self.ends.push(self.bytes.len());
    }

    fn bodies(&self) -> impl Iterator<Item = &[u8]> {
        let starts = iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

impl Unfinished {
    /// Reads a run from its first line to its last whole one and shows each event to `see`, in order, readings included.
    ///
    /// # Errors
    /// There is no journal, it cannot be read, it was written by a later program, or it is damaged before its last line.
    pub fn read(folder: &Path, mut see: impl FnMut(Stamp, &Event)) -> Result<Self, RecordError> {
        let mut table = SamplesTable::open(folder);
        let (piles, waiting) = sync_channel::<Pile>(MOST_WAITING);
        // Of a long soak the table is half of the work, and needs nothing of the other half.
        let (record, table) = thread::scope(|scope| {
            let beside = scope.spawn(move || {
                waiting.iter().for_each(|pile| pile.bodies().for_each(|body| table.take(body)));
                table
            });
            let mut pile = Pile::default();
            let record = Record::open_seeing(folder, &mut see, |body| {
                pile.add(body);
                if pile.ends.len() == PILE {
                    // Nobody takes them only where that thread panicked, and then so does this one.
                    let _ = piles.send(mem::take(&mut pile));
                }
            });
            let _ = piles.send(pile);
            drop(piles);
            (record, beside.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        Ok(Self { record: record?, table })
    }

    /// What was read, but for the readings.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Its journal, to be gone on with: nobody else can write to it from here on, and every byte of its whole lines is looked
    /// at once more.
    ///
    /// # Errors
    /// Somebody writes to it or wrote to it since it was read; it is damaged; the disk refuses.
    pub(super) fn reopen(&self) -> Result<Journal, RecordError> {
        let folder = self.record.folder();
        let (journal, ()) = Journal::reopen_by(folder, || {
            let whole = check_lines(&folder.join(journal::FILE_NAME))?;
            if whole != self.record.whole() {
                return Err(RecordError::Meanwhile(folder.to_owned()));
            }
            Ok(((), whole))
        })?;
        Ok(journal)
    }

    /// What was read, and the table of readings.
    pub(super) fn into_parts(self) -> (Record, SamplesTable) {
        (self.record, self.table)
    }
}
