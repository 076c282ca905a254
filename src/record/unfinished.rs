//! A run that was cut off, read once to be gone on with. Reading changes nothing; what is gone on with is proved to be what was
//! read.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::RecordError;
use super::journal::{self, Journal};
use super::reader::Record;
use super::recover::check_lines;
use super::samples_csv::SamplesTable;
use crate::event::{Event, Readings, Stamp};

/// Batches that wait for the table.
const MOST_WAITING: usize = 64;

/// A run as it was read.
#[derive(Debug)]
pub struct Unfinished {
    record: Record,
    table: SamplesTable,
}

impl Unfinished {
    /// Reads a run from its first line to its last whole one and shows each event to `see`, in order, readings included.
    ///
    /// # Errors
    /// There is no journal, it cannot be read, it was written by a later program, or it is damaged before its last line.
    pub fn read(folder: &Path, mut see: impl FnMut(Stamp, &Event)) -> Result<Self, RecordError> {
        let mut table = SamplesTable::open(folder);
        let (batches, waiting) = sync_channel::<Readings>(MOST_WAITING);
        // Of a long soak the table is half of the work, and needs nothing of the other half.
        let (record, table) = thread::scope(|scope| {
            let beside = scope.spawn(move || {
                waiting.iter().for_each(|readings| table.take(&readings));
                table
            });
            let record = Record::open_seeing(folder, |at, event| {
                if let Event::ReadingsTaken(readings) = event {
                    // Nobody takes them only where that thread panicked, and then so does this one.
                    let _ = batches.send((**readings).clone());
                }
                see(at, event);
            });
            drop(batches);
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
    pub(super) fn reopen(self) -> Result<(Journal, Record, SamplesTable), RecordError> {
        let Self { record, table } = self;
        let folder = record.folder();
        let (journal, ()) = Journal::reopen_by(folder, || {
            let whole = check_lines(&folder.join(journal::FILE_NAME))?;
            if whole != record.whole() {
                return Err(RecordError::Meanwhile(folder.to_owned()));
            }
            Ok(((), whole))
        })?;
        Ok((journal, record, table))
    }
}
