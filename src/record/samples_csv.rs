//! `samples.csv`: a row a reading of a soak, from the events alone. Written live and made again in the same bytes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::RecordError;
use crate::event::{Reading, Readings};

/// The table's name in a run folder.
pub const FILE_NAME: &str = "samples.csv";

/// The first line. `t_s` is the run's monotonic time in seconds, `held` 1 while an interlock held the run.
#[must_use]
pub fn header() -> String {
    format!("t_s,dwell,{},held\n", Reading::COLUMNS.join(","))
}

/// Adds the rows of a batch. What could not be read is an empty cell.
pub fn add_rows(text: &mut String, readings: &Readings) {
    for row in &readings.rows {
        let ms = (row.at.0 + 500_000) / 1_000_000;
        let _ = write!(text, "{}.{:03},{}", ms / 1000, ms % 1000, readings.dwell.0);
        for value in row.values() {
            text.push(',');
            if let Some(value) = value {
                add_number(text, value);
            }
        }
        text.push_str(if readings.held { ",1\n" } else { ",0\n" });
    }
}

/// Adds the shortest text that is read back as the same number. Readings are kept to a millionth: a whole number of those
/// with no more than fifteen digits, which no other such number shares its double with, is written by hand.
fn add_number(text: &mut String, value: f64) {
    let millionths = (value * 1e6).round();
    if value == 0.0 || millionths.abs() >= 1e15 || millionths / 1e6 != value {
        let _ = write!(text, "{value}");
        return;
    }
    if value < 0.0 {
        text.push('-');
    }
    let size = millionths.abs() as u64;
    let (whole, mut rest) = (size / 1_000_000, size % 1_000_000);
    add_whole(text, whole);
    if rest > 0 {
        text.push('.');
        let mut unit = 100_000;
        while rest > 0 {
            text.push(char::from(b'0' + (rest / unit) as u8));
            rest %= unit;
            unit /= 10;
        }
    }
}

fn add_whole(text: &mut String, number: u64) {
    if number >= 10 {
        add_whole(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

/// The table of a record that is made again: beside the one that is there, whose place it takes in the end.
#[derive(Debug)]
pub(super) struct SamplesTable {
    path: PathBuf,
    beside: PathBuf,
    /// From the first readings on.
    file: Option<io::Result<BufWriter<File>>>,
    text: String,
}

impl SamplesTable {
    /// A table without rows.
    pub(super) fn new(folder: &Path) -> Self {
        let beside = folder.join(format!("{FILE_NAME}.new"));
        Self { path: folder.join(FILE_NAME), beside, file: None, text: String::new() }
    }

    /// Adds the rows of a batch. That the disk refuses is told by [`SamplesTable::finish`].
    pub(super) fn add(&mut self, readings: &Readings) {
        self.text.clear();
        let file = self.file.get_or_insert_with(|| {
            self.text.push_str(&header());
            File::create(&self.beside).map(BufWriter::new)
        });
        add_rows(&mut self.text, readings);
        if let Ok(writer) = file
            && let Err(error) = writer.write_all(self.text.as_bytes())
        {
            *file = Err(error);
        }
    }

    /// Puts the table in its place; the file can be added to. Where there are no readings there is none: it is not synced,
    /// and may have outlived the lines that it was made from.
    ///
    /// # Errors
    /// The disk refuses.
    pub(super) fn finish(mut self) -> Result<Option<File>, RecordError> {
        let fault = |error| RecordError::disk("write", &self.path, error);
        let Some(file) = self.file.take() else {
            return match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault(error)),
                _ => Ok(None),
            };
        };
        let file = file.map_err(fault)?.into_inner().map_err(|error| fault(error.into_error()))?;
        fs::rename(&self.beside, &self.path).map_err(fault)?;
        Ok(Some(file))
    }
}

impl Drop for SamplesTable {
    fn drop(&mut self) {
        // Of a table that was not put in its place nothing is left; mostly there is nothing.
        let _ = fs::remove_file(&self.beside);
    }
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
            let mut text = String::new();
            add_number(&mut text, value);
            prop_assert_eq!(text, value.to_string());
        }
    }
}
