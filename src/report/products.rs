//! All products of a run folder, made from its journal and samples.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::record::journal::is_being_written;
use crate::record::products::{self, Hashing};
use crate::record::{Record, RecordError, Sealed, samples_csv};

use super::build::{Report, build_as};
use super::{html, junit};

/// The page's name in a run folder.
pub const PAGE: &str = "report.html";
/// The JUnit file's name in a run folder.
pub const JUNIT: &str = "report.junit.xml";

/// What was written.
#[derive(Debug)]
pub struct Written {
    /// What the files say; [`super::text::render`] gives the lines for the terminal.
    pub report: Report,
    /// The run folder.
    pub folder: PathBuf,
    /// The files.
    pub files: Vec<PathBuf>,
}

/// Makes `points.csv`, `summary.json`, `report.html`, `report.junit.xml` and, for a run that has an end, the manifest; of a soak
/// also `samples.csv`, where it is missing.
/// The journal and the samples are only read. A record that breaks off gives a report that says so.
///
/// # Errors
/// There is no record, it is damaged, a file cannot be made of it, or the disk refuses.
pub fn write_all(folder: &Path) -> Result<Written, RecordError> {
    write_at(folder, None)
}

/// The same at a time that is told: where the record has no end, the page says how old its last reading is.
///
/// # Errors
/// As for [`write_all`].
pub fn write_at(folder: &Path, now: Option<Timestamp>) -> Result<Written, RecordError> {
    let begun = Hashing::begin_if_sealed(folder);
    let record = Record::open(folder)?;
    let hashing = begun.unwrap_or_else(|| Hashing::begin(&record));
    write(&record, hashing, now)
}

/// The same of a run that was just sealed: neither its record nor its files are read once more.
///
/// # Errors
/// As for [`write_all`].
pub fn write_sealed(sealed: Sealed) -> Result<Written, RecordError> {
    write(&sealed.record, sealed.hashes, None)
}

fn write(record: &Record, hashing: Hashing, now: Option<Timestamp>) -> Result<Written, RecordError> {
    let folder = record.folder();
    let goes_on = record.end().is_none() && is_being_written(folder).unwrap_or(false);
    let mut report = Report { now, ..build_as(record, goes_on) };
    if goes_on {
        report.mark_as_going_on();
    } else {
        samples_csv::make_where_missing(record)?;
    }
    let page = html::render(&report);
    let junit = junit::render(&report)?;
    let documents = [(PAGE, page.as_bytes()), (JUNIT, junit.as_bytes())];
    let written = products::write_with(record, &report.summary, &documents, hashing)?;
    Ok(Written { report, folder: folder.to_owned(), files: written.files })
}
