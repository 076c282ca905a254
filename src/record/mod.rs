//! The record of a run: one append-only journal and the sample files beside it. `docs/record-format.md` names every file
//! and field. Everything else in a run folder is made from these two and can be made again at any time.

mod afterword;
pub mod baseline;
mod convert;
pub mod disk;
pub mod export_csv;
pub mod follow;
pub mod format;
mod head;
pub mod journal;
mod judged;
mod line;
mod new_files;
mod pieces;
pub mod products;
pub mod reader;
pub mod readings;
pub mod recorder;
pub mod recover;
pub mod samples_csv;
mod shape;
pub mod store;
pub mod summary;
mod syncing;
mod text;
mod unfinished;
pub mod waveforms;
mod withheld;

use std::io;
use std::path::{Path, PathBuf};

pub use afterword::{append_after_end, append_afterword};
pub use follow::{Followed, Follower};
pub use format::Summary;
pub use head::read_facts;
pub use reader::{Kept, Logged, Record, ScreenFacts, WaveformFacts, read_kept, read_waveform};
pub use readings::read_readings;
pub use recorder::{FAMILIES, Recorder, RunHeader, Sealed, TapeFile};
pub use recover::Tail;
pub use store::{RunEntry, RunState};
pub use unfinished::Unfinished;

/// Why a record cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The run folder is there already.
    #[error(
        "the run folder {} exists already, and a record is never written over; start again in a second, or name another folder with --out",
        .0.display()
    )]
    Exists(PathBuf),
    /// The disk refused.
    #[error("cannot {doing} {}: {source}{}", .path.display(), hint(.source))]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// A baseline of that name is kept already.
    #[error("the baseline {} is kept already; name another one, or remove that file first", .0.display())]
    BaselineExists(PathBuf),
    /// No baseline of that name, and none of that board revision.
    #[error("no baseline in {} is called `{wanted}` or is of the board revision {wanted}; {}", .folder.display(), kept(.known))]
    NoBaseline {
        /// What was asked for.
        wanted: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// The names and revisions there are.
        known: Vec<String>,
    },
    /// There is no journal in the folder.
    #[error("{} is not a run folder: it holds no journal.jsonl", .0.display())]
    NotARun(PathBuf),
    /// There is neither a journal in the folder nor a run folder.
    #[error("{} holds no journal.jsonl, and no folder in it holds one: it is no run, and no folder of runs", .0.display())]
    NeitherRunNorRuns(PathBuf),
    /// There is no such folder.
    #[error("there is no folder {}; --out names the one that holds the runs", .0.display())]
    NoFolder(PathBuf),
    /// No run of that name.
    #[error("no run in {} is called `{name}`{}", .folder.display(), near(.nearest.as_deref()))]
    NotFound {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// The nearest name there.
        nearest: Option<String>,
    },
    /// More than one run begins so.
    #[error("`{name}` is the beginning of several runs: {}", .found.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// What begins so.
        found: Vec<String>,
    },
    /// Bytes in the middle of the record are not what was written.
    #[error("the record is damaged: {}{}: {what}", .path.display(), at_line(*.line))]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1; 0 for a file without lines.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// It was read to be gone on with, and is another one now.
    #[error("{} was written to meanwhile; resume it once more", .0.display())]
    Meanwhile(PathBuf),
    /// What is kept cannot be brought into the form of a file, which is a fault of this program.
    #[error("cannot make {file}, which is a fault of this program: {what}")]
    NoForm {
        /// Which file.
        file: &'static str,
        /// Why not.
        what: String,
    },
    /// It was written by a later program.
    #[error(
        "{} is a record of format {version}; this program reads up to format {}: use a newer soakrig",
        .path.display(), format::VERSION
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
}

/// Where in a file; nothing for a file without lines.
fn at_line(line: u64) -> String {
    if line == 0 { String::new() } else { format!(" line {line}") }
}

impl RecordError {
    pub(crate) fn disk(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Disk { doing, path: path.to_owned(), source }
    }
    pub(crate) fn damaged(path: &Path, line: u64, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), line, what: what.into() }
    }
    pub(crate) fn no_form(file: &'static str, what: impl std::fmt::Display) -> Self {
        Self::NoForm { file, what: what.to_string() }
    }
    /// Whether the record itself is at fault, not the disk nor what was asked for.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Newer { .. })
    }
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; make room on that disk, or name a folder on another one with --out"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; name a folder you may write to with --out"
        }
        io::ErrorKind::NotADirectory => "; it is a file: name a folder with --out",
        _ => "",
    }
}

fn kept(known: &[String]) -> String {
    if known.is_empty() {
        return "none is kept there: --save-baseline keeps one".to_owned();
    }
    format!("kept are {}", known.join(", "))
}

fn near(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; the nearest is `{name}`"))
}
