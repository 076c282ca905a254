//! Baselines: runs that later ones are held against, kept by name and found again by name or by board revision. A baseline names
//! its runs and the digests of their journals; it holds no figures of its own.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::format::{BASELINE_VERSION, Baseline, BaselineRun};
use super::products::{hash_file, replace};
use super::{RecordError, journal};
use crate::base::names::{BaselineName, Revision};

/// The folder of the baselines among the runs.
pub const FOLDER: &str = "baselines";

/// The most bytes of a baseline's file: ten thousand runs.
const LIMIT: u64 = 4 << 20;

/// Keeps runs as a baseline; the file's path.
///
/// # Errors
/// There is one of that name, a journal cannot be read, or the disk refuses.
pub fn keep_baseline(
    folder: &Path,
    name: &BaselineName,
    (runs, revisions): (&[PathBuf], &[Revision]),
    now: Timestamp,
) -> Result<PathBuf, RecordError> {
    let place = folder.join(FOLDER);
    let path = place.join(format!("{name}.json"));
    if path.exists() {
        return Err(RecordError::BaselineExists(path));
    }
    let run = |run: &PathBuf| {
        let beside = run.parent().is_some_and(|parent| is_same(parent, folder));
        let told = match run.file_name().filter(|_| beside) {
            Some(name) => name.to_string_lossy().into_owned(),
            None => fs::canonicalize(run)
                .map_err(|error| RecordError::disk("find", run, error))?
                .display()
                .to_string(),
        };
        Ok(BaselineRun { run: told, journal_sha256: hash_file(&run.join(journal::FILE_NAME))? })
    };
    let baseline = Baseline {
        format: BASELINE_VERSION,
        name: name.to_string(),
        revisions: revisions.iter().map(ToString::to_string).collect(),
        kept: now.to_string(),
        runs: runs.iter().map(run).collect::<Result<_, RecordError>>()?,
    };
    let text = serde_json::to_string_pretty(&baseline)
        .map_err(|error| RecordError::no_form("the baseline", error))?;
    fs::create_dir_all(&place).map_err(|error| RecordError::disk("make", &place, error))?;
    replace(&path, format!("{text}\n").as_bytes())
}

fn is_same(left: &Path, right: &Path) -> bool {
    match (fs::canonicalize(left), fs::canonicalize(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => left == right,
    }
}

/// A baseline that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBaseline {
    /// Its name.
    pub name: String,
    /// The revisions of its boards.
    pub revisions: Vec<String>,
    /// When it was kept; `None` where its file does not tell a time.
    pub kept: Option<Timestamp>,
    /// Whether it was found by the board revision, not by its name.
    pub is_by_revision: bool,
    /// Others of the revision that was asked for, which were kept before it.
    pub older: Vec<String>,
    /// The folders of its runs.
    pub runs: Vec<PathBuf>,
}

/// The baseline of that name, or else the one of that board revision that was kept last.
///
/// # Errors
/// There is none, it cannot be read, or one of its runs is gone or is another one now.
pub fn find_baseline(folder: &Path, wanted: &str) -> Result<FoundBaseline, RecordError> {
    let place = folder.join(FOLDER);
    let known = read_all(&place)?;
    let of_revision =
        || known.iter().filter(|baseline| baseline.revisions.iter().any(|revision| revision == wanted));
    let by_revision = || of_revision().max_by(|a, b| a.kept.cmp(&b.kept));
    let found = known.iter().find(|baseline| baseline.name == wanted).or_else(by_revision);
    let Some(baseline) = found else {
        let told = |baseline: &Baseline| {
            let of = baseline.revisions.join(" and ");
            format!("{} (revision {of})", baseline.name)
        };
        let known = known.iter().map(told).collect();
        return Err(RecordError::NoBaseline { wanted: wanted.to_owned(), folder: place, known });
    };
    let path = place.join(format!("{}.json", baseline.name));
    let check = |run: &BaselineRun| {
        let at = folder.join(&run.run);
        let journal = at.join(journal::FILE_NAME);
        if !journal.is_file() {
            let what = format!("its run {} is gone", at.display());
            return Err(RecordError::Damaged { path: path.clone(), line: 0, what });
        }
        if hash_file(&journal)? != run.journal_sha256 {
            let what = format!("the journal of its run {} is not the one that was kept", at.display());
            return Err(RecordError::Damaged { path: path.clone(), line: 0, what });
        }
        Ok(at)
    };
    let runs = baseline.runs.iter().map(check).collect::<Result<_, _>>()?;
    let is_named = baseline.name == wanted;
    let others = of_revision().filter(|other| !is_named && other.name != baseline.name);
    Ok(FoundBaseline {
        name: baseline.name.clone(),
        revisions: baseline.revisions.clone(),
        kept: baseline.kept.parse().ok(),
        is_by_revision: !is_named,
        older: others.map(|other| other.name.clone()).collect(),
        runs,
    })
}

fn read_all(place: &Path) -> Result<Vec<Baseline>, RecordError> {
    if !place.is_dir() {
        return Ok(Vec::new());
    }
    let fault = |error| RecordError::disk("list", place, error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(place).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Baseline, RecordError> {
    let fault = |error| RecordError::disk("read", path, error);
    let damaged = |what: String| RecordError::Damaged { path: path.to_owned(), line: 0, what };
    let length = fs::metadata(path).map_err(fault)?.len();
    if length > LIMIT {
        return Err(damaged(format!("it has {length} bytes, more than any baseline")));
    }
    let text = fs::read_to_string(path).map_err(fault)?;
    let baseline: Baseline =
        serde_json::from_str(&text).map_err(|error| damaged(format!("it is no baseline: {error}")))?;
    if baseline.format > BASELINE_VERSION {
        return Err(RecordError::Newer { path: path.to_owned(), version: baseline.format });
    }
    Ok(baseline)
}
