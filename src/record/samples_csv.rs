//! `samples.csv`: a row a reading of a soak, from the events alone. Written live and made again in the same bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::line::{Line, What};
use super::shape::Cells;
use super::text::{PLAIN_DIGITS, Text};
use super::{Record, RecordError, read_readings};
use crate::event::{Reading, Readings};

/// The table's name in a run folder.
pub const FILE_NAME: &str = "samples.csv";

/// The first line. `t_s` is the run's monotonic time in seconds, `held` 1 while an interlock held the run.
#[must_use]
pub fn header() -> String {
    format!("t_s,dwell,{},held\n", Reading::COLUMNS.join(","))
}

/// Adds the rows of a batch. What could not be read is an empty cell.
pub fn add_rows(text: &mut Vec<u8>, readings: &Readings) {
    for row in &readings.rows {
        begin_row(text, row.at.0, readings.dwell.0);
        for value in row.values() {
            text.push(b',');
            if let Some(value) = value {
                add_number(text, value);
            }
        }
        end_row(text, readings.held);
    }
}

fn begin_row(text: &mut Vec<u8>, at_ns: u64, dwell: u32) {
    add_digits(text, at_ns.saturating_add(500_000) / 1_000_000, 3, Zeros::Stand);
    text.push(b',');
    add_digits(text, u64::from(dwell), 0, Zeros::Stand);
}

fn end_row(text: &mut Vec<u8>, held: bool) {
    text.extend_from_slice(if held { b",1\n" } else { b",0\n" });
}

/// The same from a line of the journal, which was read before: what stands there is mostly what stands in the table, too.
pub(super) fn add_rows_of(text: &mut Vec<u8>, body: &[u8]) -> Result<(), String> {
    let What::Readings(batch) = Line::of(body)?.what else { return Ok(()) };
    if let Some(cells) = batch.cells() {
        add_cells(text, &cells);
        return Ok(());
    }
    let mut readings = Readings::none();
    batch.read_into(&mut readings)?;
    add_rows(text, &readings);
    Ok(())
}

fn add_cells(text: &mut Vec<u8>, cells: &Cells<'_>) {
    for (row, ms) in cells.t_ms.iter().enumerate() {
        begin_row(text, cells.first_ns.saturating_add(ms.saturating_mul(1_000_000)), cells.dwell);
        for column in &cells.columns {
            text.push(b',');
            add_cell(text, column[row]);
        }
        end_row(text, cells.held);
    }
}

/// Adds what stands in a line of the journal.
fn add_cell(text: &mut Vec<u8>, cell: &[u8]) {
    match shortest(cell) {
        Some(same) => text.extend_from_slice(same),
        None => {
            if let Some(Some(value)) = (Text { rest: cell }).number_or_null() {
                add_number(text, value);
            }
        }
    }
}

/// The shortest text that is read back as the same number, where a number's text in JSON begins with it: with few digits and no
/// zeros at their end.
fn shortest(cell: &[u8]) -> Option<&[u8]> {
    if cell.len() > PLAIN_DIGITS || cell == b"null" || cell.contains(&b'e') {
        return None;
    }
    let whole = cell.strip_suffix(b".0").unwrap_or(cell);
    (!whole.contains(&b'.') || !whole.ends_with(b"0")).then_some(whole)
}

/// Fifteen digits.
const MOST_MILLIONTHS: i64 = 1_000_000_000_000_000;

/// Adds the shortest text that is read back as the same number. Readings are kept to a millionth: a whole number of those
/// with no more than fifteen digits, which no other such number shares its double with, is written by hand.
fn add_number(text: &mut Vec<u8>, value: f64) {
    // Large or no numbers end at the largest one, which is too large below.
    let millionths = (value.abs() * 1e6 + 0.5) as i64;
    if value == 0.0 || millionths >= MOST_MILLIONTHS || millionths as f64 / 1e6 != value.abs() {
        let _ = write!(text, "{value}");
        return;
    }
    if value < 0.0 {
        text.push(b'-');
    }
    add_digits(text, millionths as u64, 6, Zeros::Fall);
}

/// What becomes of zeros at the end of decimals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zeros {
    Stand,
    Fall,
}

/// Adds a number whose last so many digits are decimals.
fn add_digits(text: &mut Vec<u8>, number: u64, decimals: usize, zeros: Zeros) {
    let (mut rest, mut digits, mut first) = (number, [0; 24], 24);
    let mut put = |digit: u8| {
        first -= 1;
        digits[first] = digit;
    };
    let mut has_decimals = false;
    for _ in 0..decimals.min(20) {
        let digit = (rest % 10) as u8;
        rest /= 10;
        has_decimals |= digit > 0 || zeros == Zeros::Stand;
        if has_decimals {
            put(b'0' + digit);
        }
    }
    if has_decimals {
        put(b'.');
    }
    loop {
        put(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[first..]);
}

/// So much that the table lacks is kept until it is mended; where it lacks more it is made again.
const MOST_LACKING: usize = 1 << 20;

/// The table of a record that is read to be gone on with, held against its readings: it is not synced, so its end may be missing,
/// and it may have outlived the lines that it was made from. Nothing is written before it is mended.
#[derive(Debug)]
pub(super) struct SamplesTable {
    path: PathBuf,
    /// As far as it is what it should be; `None` from where it is not.
    there: Option<BufReader<File>>,
    /// What the file was when it was opened.
    seen: Option<Seen>,
    /// Bytes that are what they should be.
    good: u64,
    /// What should stand behind them.
    lacking: Vec<u8>,
    is_lost: bool,
    text: Vec<u8>,
    /// What stands there, beside `text`.
    found: Vec<u8>,
}

/// A file's length and when it was last written to.
type Seen = (u64, Option<Timestamp>);

fn look_at(file: &File) -> Option<Seen> {
    let about = file.metadata().ok()?;
    let written = about.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
    Some((about.len(), written))
}

impl SamplesTable {
    /// The table as it is there, or is not.
    pub(super) fn open(folder: &Path) -> Self {
        let path = folder.join(FILE_NAME);
        let file = File::open(&path).ok();
        Self {
            seen: file.as_ref().and_then(look_at),
            there: file.map(|file| BufReader::with_capacity(1 << 16, file)),
            path,
            good: 0,
            lacking: Vec::new(),
            is_lost: false,
            text: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Takes the body of a line whose rows the table should have next.
    pub(super) fn take(&mut self, body: &[u8]) {
        if self.is_lost {
            return;
        }
        self.text.clear();
        if self.good == 0 && self.lacking.is_empty() {
            self.text.extend_from_slice(header().as_bytes());
        }
        if add_rows_of(&mut self.text, body).is_err() {
            (self.is_lost, self.lacking) = (true, Vec::new());
            return;
        }
        if let Some(there) = &mut self.there {
            self.found.resize(self.text.len(), 0);
            if there.read_exact(&mut self.found).is_ok() && self.found == self.text {
                self.good += self.text.len() as u64;
                return;
            }
            self.there = None;
        }
        self.lacking.extend_from_slice(&self.text);
        if self.lacking.len() > MOST_LACKING {
            (self.is_lost, self.lacking) = (true, Vec::new());
        }
    }

    /// Brings the table to what it should be; the file can be added to. Where there are no readings there is none.
    ///
    /// # Errors
    /// The disk refuses; where the table is made again, the journal cannot be read.
    pub(super) fn mend(self, folder: &Path) -> Result<Option<File>, RecordError> {
        let fault = |error| RecordError::disk("write", &self.path, error);
        let is_empty = self.good == 0 && self.lacking.is_empty() && !self.is_lost;
        if is_empty {
            return match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault(error)),
                _ => Ok(None),
            };
        }
        let opened = OpenOptions::new().write(true).open(&self.path);
        match opened {
            Ok(mut file) if !self.is_lost && look_at(&file) == self.seen => {
                let mended = file.set_len(self.good).and_then(|()| {
                    file.seek(SeekFrom::Start(self.good))?;
                    file.write_all(&self.lacking)
                });
                mended.map_err(fault)?;
                Ok(Some(file))
            }
            _ => make(folder, &self.path).map(Some),
        }
    }
}

/// Makes the table of a soak that has readings and no table any more: who deletes it loses nothing.
///
/// # Errors
/// The disk refuses, or the journal cannot be read.
pub fn make_where_missing(record: &Record) -> Result<(), RecordError> {
    let path = record.folder().join(FILE_NAME);
    if !record.has_readings() || path.exists() {
        return Ok(());
    }
    make(record.folder(), &path).map(drop)
}

/// Makes the table from the journal, beside the one that is there, whose place it takes.
fn make(folder: &Path, path: &Path) -> Result<File, RecordError> {
    let fault = |error| RecordError::disk("write", path, error);
    let beside = folder.join(format!("{FILE_NAME}.new"));
    let mut writer = BufWriter::new(File::create(&beside).map_err(fault)?);
    let mut text = header().into_bytes();
    let mut written = Ok(());
    let read = read_readings(folder, |readings| {
        add_rows(&mut text, readings);
        if written.is_ok() {
            written = writer.write_all(&text);
        }
        text.clear();
    });
    let made = read.and_then(|()| {
        written.map_err(fault)?;
        let file = writer.into_inner().map_err(|error| fault(error.into_error()))?;
        fs::rename(&beside, path).map_err(fault)?;
        Ok(file)
    });
    if made.is_err() {
        // Nobody needs the half of it.
        let _ = fs::remove_file(&beside);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_is_written_as_the_standard_library_writes_it(
            value in prop_oneof![
                any::<f64>(),
                (-40_000_000_000_i64..40_000_000_000).prop_map(|millionths| millionths as f64 / 1e6),
                (-200_000_i64..200_000).prop_map(|thousandths| thousandths as f64 / 1e3),
                Just(-0.0),
            ]
        ) {
            let mut text = Vec::new();
            add_number(&mut text, value);
            prop_assert_eq!(String::from_utf8(text).unwrap(), value.to_string());
        }
    }
}
