//! Writes what is made from a record beside it, each file whole or not at all, and the manifest that seals a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use sha2::{Digest, Sha256};

use crate::base::digest::{digest, to_hex};

use super::{Record, RecordError, Summary, export_csv, summary};

/// The manifest's name in a run folder; `sha256sum -c` reads it.
pub const MANIFEST: &str = "manifest.sha256";

/// What was written.
#[derive(Debug)]
pub struct Products {
    /// The files.
    pub files: Vec<PathBuf>,
    /// The hashes of all files of the folder, for whoever makes more of the same record.
    pub hashes: Hashing,
}

/// Writes `points.csv`, `summary.json` and the documents that are handed in, by name, and seals the run with a manifest if
/// the journal holds the run's end. The journal and the samples are never touched; the same record gives the same bytes. The
/// summary may say more than the record's events do, and the hashes were begun on while it was made.
///
/// # Errors
/// The disk refuses, or a file cannot be made of the record.
pub fn write_with(
    record: &Record,
    summary: &Summary,
    documents: &[(&str, &[u8])],
    hashing: Hashing,
) -> Result<Products, RecordError> {
    let folder = record.folder();
    let mut hashes = hashing.finish()?;
    let lacks_sources = match &hashes {
        Some(hashes) => check_sources(folder, hashes)?,
        None => false,
    };
    let points = export_csv::render_points(record)?;
    let summary = summary::render(summary)?;
    let own: [(&str, &[u8]); 2] =
        [(export_csv::FILE_NAME, points.as_bytes()), (summary::FILE_NAME, summary.as_bytes())];
    let mut files = Vec::new();
    for (name, bytes) in own.iter().chain(documents) {
        files.push(replace(&folder.join(name), bytes)?);
        if let Some(hashes) = &mut hashes {
            hashes.insert((*name).to_owned(), digest(bytes));
        }
    }
    // A seal that misses something keeps saying so: making the products again does not heal it.
    if let Some(hashes) = hashes.as_ref().filter(|_| record.end().is_some() && !lacks_sources) {
        files.push(replace(&folder.join(MANIFEST), render_manifest(hashes).as_bytes())?);
    }
    Ok(Products { files, hashes: Hashing(hashes.map(Making::Done)) })
}

/// SHA-256 in hex of the files of a run folder, by name; the manifest itself is left out.
type Hashes = BTreeMap<String, String>;

/// The hashes of a run folder's files while they are made in a thread of their own: of a long soak that is half of the work
/// of a report, and needs nothing of the other half.
#[derive(Debug)]
pub struct Hashing(Option<Making>);

#[derive(Debug)]
enum Making {
    Begun(JoinHandle<Result<Hashes, RecordError>>),
    Done(Hashes),
}

impl Hashing {
    /// Begins where the run is sealed, before its record is read; `None` where it is not.
    #[must_use]
    pub fn begin_if_sealed(folder: &Path) -> Option<Self> {
        folder.join(MANIFEST).exists().then(|| Self::begin_in(folder))
    }

    /// Begins where the run has an end or a seal; of any other run nobody needs them.
    #[must_use]
    pub fn begin(record: &Record) -> Self {
        let folder = record.folder();
        let is_needed = record.end().is_some() || folder.join(MANIFEST).exists();
        if is_needed { Self::begin_in(folder) } else { Self(None) }
    }

    /// Begins before the record is read, where its end is known.
    pub(super) fn begin_in(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self(Some(Making::Begun(thread::spawn(move || hash_files(&folder)))))
    }

    fn finish(self) -> Result<Option<Hashes>, RecordError> {
        match self.0 {
            Some(Making::Begun(thread)) => {
                thread.join().unwrap_or_else(|panic| resume_unwind(panic)).map(Some)
            }
            Some(Making::Done(hashes)) => Ok(Some(hashes)),
            None => Ok(None),
        }
    }
}

/// Refuses a sealed folder in which a file was changed that nothing can make again, and tells whether one is missing.
fn check_sources(folder: &Path, now: &Hashes) -> Result<bool, RecordError> {
    let faults = compare_manifest(folder, now)?.unwrap_or_default();
    let products = [export_csv::FILE_NAME, summary::FILE_NAME, "report."];
    let of_sources: Vec<String> =
        faults.into_iter().filter(|fault| !products.iter().any(|name| fault.starts_with(name))).collect();
    let changed: Vec<&str> =
        of_sources.iter().map(String::as_str).filter(|fault| fault.ends_with(CHANGED)).collect();
    if changed.is_empty() {
        return Ok(of_sources.iter().any(|fault| fault.ends_with(MISSING)));
    }
    Err(RecordError::Damaged { path: folder.join(MANIFEST), line: 0, what: changed.join("; ") })
}

/// Takes the seal off a run that is gone on with; it is sealed anew at its next end.
///
/// # Errors
/// A file was changed after the run was sealed that nothing can make again, or the disk refuses.
pub(super) fn unseal(folder: &Path) -> Result<(), RecordError> {
    let path = folder.join(MANIFEST);
    if !path.exists() {
        return Ok(());
    }
    check_sources(folder, &hash_files(folder)?)?;
    fs::remove_file(&path).map_err(|error| RecordError::disk("take off the seal", &path, error))
}

/// How a sentence on a changed file ends.
const CHANGED: &str = "was changed after the run was sealed";
/// How a sentence on a missing file ends.
const MISSING: &str = "is missing";

/// Writes beside and renames: a reader sees the old file or the new one, never half of one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<PathBuf, RecordError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_data()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&beside, path)) {
        let _ = fs::remove_file(&beside);
        return Err(RecordError::disk("write", path, error));
    }
    Ok(path.to_owned())
}

/// A line a file, sorted by name, in the form of `sha256sum`.
fn render_manifest(hashes: &Hashes) -> String {
    hashes.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect()
}

fn hash_files(folder: &Path) -> Result<Hashes, RecordError> {
    let mut names = Vec::new();
    list_files(folder, "", &mut names)?;
    let is_kept = |name: &String| name != MANIFEST && !name.ends_with(".new");
    let hashed = |name: String| hash_file(&folder.join(&name)).map(|hash| (name, hash));
    names.into_iter().filter(is_kept).map(hashed).collect()
}

fn list_files(folder: &Path, prefix: &str, names: &mut Vec<String>) -> Result<(), RecordError> {
    let fault = |error| RecordError::disk("list", folder, error);
    for entry in fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(fault)?;
        // One level of folders is all that a run has; links are nobody's evidence.
        if kind.is_dir() && prefix.is_empty() {
            list_files(&entry.path(), &format!("{name}/"), names)?;
        } else if kind.is_file() {
            names.push(name);
        }
    }
    Ok(())
}

pub(super) fn hash_file(path: &Path) -> Result<String, RecordError> {
    let mut hasher = Sha256::new();
    let read = File::open(path).and_then(|mut file| io::copy(&mut file, &mut hasher));
    read.map_err(|error| RecordError::disk("read", path, error))?;
    Ok(to_hex(&hasher.finalize()))
}

/// Compares a sealed run folder with its manifest: a sentence for each file that is missing, changed or added. `None` where
/// the run was never sealed.
///
/// # Errors
/// The disk refuses.
pub fn check_manifest(folder: &Path) -> Result<Option<Vec<String>>, RecordError> {
    if folder.join(MANIFEST).exists() { compare_manifest(folder, &hash_files(folder)?) } else { Ok(None) }
}

fn compare_manifest(folder: &Path, now: &Hashes) -> Result<Option<Vec<String>>, RecordError> {
    let path = folder.join(MANIFEST);
    let kept = match fs::read_to_string(&path) {
        Ok(kept) => kept,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RecordError::disk("read", &path, error)),
    };
    let (mut faults, mut known) = (Vec::new(), BTreeSet::new());
    for line in kept.lines() {
        let (hash, name) = line.split_once("  ").unwrap_or(("", line));
        known.insert(name);
        match now.get(name) {
            Some(is) if is == hash => {}
            Some(_) => faults.push(format!("{name} {CHANGED}")),
            None => faults.push(format!("{name} {MISSING}")),
        }
    }
    for name in now.keys().filter(|name| !known.contains(name.as_str())) {
        faults.push(format!("{name} was added after the run was sealed"));
    }
    Ok(Some(faults))
}
