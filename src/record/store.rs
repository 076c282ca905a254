//! The folder with all runs: what is in it, and finding one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::names::nearest;

use super::recover::Tail;
use super::{Record, RecordError, Summary, journal, products, summary};

/// How far a run folder came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// It has its end and its manifest.
    Sealed,
    /// It has no end or no manifest: it is running, or it was cut off between two lines.
    Open,
    /// It was cut off inside a line.
    Torn,
    /// It cannot be read; why.
    Unreadable(String),
}

impl RunState {
    /// One word for a list.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Open => "open",
            Self::Torn => "torn",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

/// A run in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEntry {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// What came of it; `None` where it cannot be read.
    pub summary: Option<Summary>,
    /// How far it came.
    pub state: RunState,
}

/// All runs in a folder, the oldest first.
///
/// # Errors
/// The folder is not there or cannot be listed. A single run that cannot be read is an entry that says so.
pub fn list(folder: &Path) -> Result<Vec<RunEntry>, RecordError> {
    if !folder.exists() {
        return Err(RecordError::NoFolder(folder.to_owned()));
    }
    Ok(names(folder)?.into_iter().map(|name| entry(folder.join(&name), name)).collect())
}

/// The newest run in a folder. Only this one is read, however many there are.
///
/// # Errors
/// The folder cannot be listed.
pub fn newest(folder: &Path) -> Result<Option<RunEntry>, RecordError> {
    Ok(names(folder)?.pop().map(|name| entry(folder.join(&name), name)))
}

fn names(folder: &Path) -> Result<Vec<String>, RecordError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let fault = |error| RecordError::disk("list", folder, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        if entry.path().join(journal::FILE_NAME).is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn entry(folder: PathBuf, name: String) -> RunEntry {
    match Record::open(&folder) {
        Ok(record) => {
            let is_sealed = record.end().is_some() && folder.join(products::MANIFEST).is_file();
            let state = match record.tail() {
                Tail::Torn { .. } => RunState::Torn,
                Tail::Whole if is_sealed => RunState::Sealed,
                Tail::Whole => RunState::Open,
            };
            RunEntry { name, folder, summary: Some(summary::build(&record)), state }
        }
        Err(error) => {
            RunEntry { name, folder, summary: None, state: RunState::Unreadable(error.to_string()) }
        }
    }
}

/// The run folder that a person means: a path, a name in `folder`, or the beginning of exactly one name there.
///
/// # Errors
/// There is none, or there are several.
pub fn find(folder: &Path, wanted: &str) -> Result<PathBuf, RecordError> {
    let path = Path::new(wanted);
    if path.join(journal::FILE_NAME).is_file() {
        return Ok(path.to_owned());
    }
    if path.is_dir() {
        return Err(RecordError::NotARun(path.to_owned()));
    }
    let names = names(folder)?;
    if names.iter().any(|name| name == wanted) {
        return Ok(folder.join(wanted));
    }
    let found: Vec<&String> =
        names.iter().filter(|name| !wanted.is_empty() && name.starts_with(wanted)).collect();
    match found.as_slice() {
        [only] => Ok(folder.join(only)),
        [] => Err(RecordError::NotFound {
            name: wanted.to_owned(),
            folder: folder.to_owned(),
            nearest: nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned),
        }),
        several => Err(RecordError::Ambiguous {
            name: wanted.to_owned(),
            found: several.iter().map(|name| (*name).clone()).collect(),
        }),
    }
}
