//! `samples.csv`: a row a reading of a soak, from the events alone. Written live and made again in the same bytes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use super::readings::read_readings;
use super::{Record, RecordError};
use crate::event::{Reading, Readings};

/// The table's name in a run folder.
pub const FILE_NAME: &str = "samples.csv";

/// The first line. `t_s` is the run's monotonic time in seconds.
#[must_use]
pub fn header() -> String {
    format!("t_s,dwell,{}\n", Reading::COLUMNS.join(","))
}

/// Adds the rows of a batch. What could not be read is an empty cell.
pub fn add_rows(text: &mut String, readings: &Readings) {
    for row in &readings.rows {
        let ms = (row.at.0 + 500_000) / 1_000_000;
        let _ = write!(text, "{}.{:03},{}", ms / 1000, ms % 1000, readings.dwell.0);
        for value in row.values() {
            text.push(',');
            if let Some(value) = value {
                let _ = write!(text, "{value}");
            }
        }
        text.push('\n');
    }
}

/// Makes the table of a record again, where it has readings; the file can be added to.
///
/// # Errors
/// The journal cannot be read, or the disk refuses.
pub fn write(folder: &Path) -> Result<Option<File>, RecordError> {
    let path = folder.join(FILE_NAME);
    let fault = |error| RecordError::disk("write", &path, error);
    if !Record::open(folder)?.has_readings() {
        // The table is not synced: it may have outlived the lines that it was made from.
        return match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault(error)),
            _ => Ok(None),
        };
    }
    let mut file = BufWriter::new(File::create(&path).map_err(fault)?);
    let mut written = file.write_all(header().as_bytes());
    let mut text = String::new();
    read_readings(folder, |readings| {
        text.clear();
        add_rows(&mut text, readings);
        if written.is_ok() {
            written = file.write_all(text.as_bytes());
        }
    })?;
    written.map_err(fault)?;
    file.into_inner().map(Some).map_err(|error| fault(error.into_error()))
}
