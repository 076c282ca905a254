//! The folder with all runs: what is in it, and finding one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::base::names::nearest;

use super::recover::Tail;
use super::{Record, RecordError, Summary, baseline, journal, products, summary};

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

/// The newest run in a folder to which no living program writes: several benches may keep their runs in one. Only this one is
/// read, however many there are.
///
/// # Errors
/// The folder cannot be listed.
pub fn newest_left(folder: &Path) -> Result<Option<RunEntry>, RecordError> {
    // Where a file system knows no locks nobody can tell.
    let is_left = |name: &String| !matches!(journal::is_being_written(&folder.join(name)), Ok(true));
    let left = names(folder)?.into_iter().rev().find(is_left);
    Ok(left.map(|name| entry(folder.join(&name), name)))
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

/// The run folders in a folder, by name.
///
/// # Errors
/// The folder cannot be listed.
pub fn run_folders(folder: &Path) -> Result<Vec<PathBuf>, RecordError> {
    // The parent of a bare name is the empty path, which means here.
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    Ok(names(here)?.into_iter().map(|name| folder.join(name)).collect())
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
        [] => Err(
            match without_journal(folder, |name| !wanted.is_empty() && name.starts_with(wanted)).first() {
                Some(first) => RecordError::NotARun(first.folder.clone()),
                None => RecordError::NotFound {
                    name: wanted.to_owned(),
                    folder: folder.to_owned(),
                    nearest: nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned),
                },
            },
        ),
        several => Err(RecordError::Ambiguous {
            name: wanted.to_owned(),
            found: several.iter().map(|name| (*name).clone()).collect(),
        }),
    }
}

/// All run folders that a person means: a run's folder, a folder of runs, a pattern with `*` and `?` for names in `folder` (or in
/// the folder it names), or the beginning of any number of names in `folder`. The oldest first; with the folders that are meant as
/// well and are no runs.
///
/// # Errors
/// There is none.
pub fn find_all(folder: &Path, wanted: &str) -> Result<Found, RecordError> {
    let path = Path::new(wanted);
    if path.join(journal::FILE_NAME).is_file() {
        return Ok(Found { runs: vec![path.to_owned()], is_named: true, left_out: Vec::new() });
    }
    let (place, pattern) = match (path.parent(), path.file_name()) {
        (Some(parent), Some(last)) if !parent.as_os_str().is_empty() && !path.is_dir() => {
            (parent.to_owned(), last.to_string_lossy().into_owned())
        }
        _ => (folder.to_owned(), wanted.to_owned()),
    };
    let place = if path.is_dir() { path.to_owned() } else { place };
    let known = names(&place)?;
    let is_meant = |name: &str| {
        path.is_dir()
            || if pattern.contains(['*', '?']) {
                matches(&pattern, name)
            } else {
                !pattern.is_empty() && name.starts_with(&pattern)
            }
    };
    let runs: Vec<PathBuf> =
        known.iter().filter(|name| is_meant(name)).map(|name| place.join(name)).collect();
    let left_out = without_journal(&place, is_meant);
    if !runs.is_empty() {
        let is_named = !path.is_dir() && known.contains(&pattern);
        return Ok(Found { runs, is_named, left_out });
    }
    if path.is_dir() {
        return Err(RecordError::NeitherRunNorRuns(place));
    }
    Err(match left_out.into_iter().next() {
        Some(first) => RecordError::NotARun(first.folder),
        None => RecordError::NotFound {
            name: wanted.to_owned(),
            folder: place,
            nearest: nearest(&pattern, known.iter().map(String::as_str)).map(str::to_owned),
        },
    })
}

/// What a person's words found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Run folders.
    pub runs: Vec<PathBuf>,
    /// Whether it was a run's own name, not a pattern nor a folder of runs.
    pub is_named: bool,
    /// Folders that are meant as well and are no runs.
    pub left_out: Vec<LeftOut>,
}

/// A folder that was meant and holds no run that can be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Which.
    pub folder: PathBuf,
    /// Why not.
    pub why: String,
}

/// The folders that are meant and lack their journal: that they are there must be told, not that no run is called so. The folder of
/// the baselines is no lost run.
fn without_journal(place: &Path, is_meant: impl Fn(&str) -> bool) -> Vec<LeftOut> {
    let entries = fs::read_dir(place).into_iter().flatten().filter_map(Result::ok);
    let meant = entries.filter(|entry| is_meant(&entry.file_name().to_string_lossy()));
    let folders = meant.map(|entry| entry.path());
    let folders = folders.filter(|path| path.is_dir() && !path.ends_with(baseline::FOLDER));
    let mut found: Vec<LeftOut> =
        folders.filter_map(|folder| Some(LeftOut { why: lacks_journal(&folder)?, folder })).collect();
    found.sort();
    found
}

/// Why a folder has no journal; `None` where it has one.
fn lacks_journal(folder: &Path) -> Option<String> {
    match fs::metadata(folder.join(journal::FILE_NAME)) {
        Ok(journal) if journal.is_file() => None,
        Ok(_) => Some("its journal.jsonl is no file".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some("it holds no journal.jsonl".to_owned()),
        Err(error) => Some(format!("its journal.jsonl cannot be looked at: {error}")),
    }
}

/// Whether a name is of a pattern: `*` stands for any letters, `?` for one.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut read) = (0, 0);
    // Where to go on when the last star has to stand for one letter more.
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at + 1, read));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == name[read] => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((behind, from)) => {
                    star = Some((behind, from + 1));
                    at = behind;
                    read = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_stands_for_the_names_that_a_shell_would_find() {
        let table = [
            ("*_A?", "2026-11-28T04-47-59Z_sweep_A1", true),
            ("*_A?", "2026-11-28T04-47-59Z_sweep_A12", false),
            ("2026*sweep*", "2026-11-28T04-47-59Z_sweep_A1", true),
            ("*", "", true),
            ("?", "", false),
            ("a*b*c", "a_b_b_c", true),
            ("a*b*c", "a_b_b_d", false),
            ("**a", "ba", true),
        ];
        for (pattern, name, is_match) in table {
            assert_eq!(matches(pattern, name), is_match, "{pattern} {name}");
        }
    }
}
