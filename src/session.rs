//! One run, from files to a sealed folder: files -> plan -> bench -> engine -> record -> report. Chooses the real or the
//! simulated opener; decides nothing about measuring.

mod checking;
mod drilling;
#[cfg(unix)]
mod drilling_unix;
mod evidence;
mod facts;
#[cfg(unix)]
mod faulting;
mod guarding;
#[cfg(target_os = "linux")]
mod holder_linux;
mod keeping;
mod lock;
#[cfg(unix)]
mod lock_unix;
mod opening;
mod preparing;
mod ready;
mod resuming;
mod room;
mod running;
mod serving;
mod taping;
mod unsent;

use std::path::PathBuf;

use crate::bench::open::NotOpened;
use crate::instrument::InstrumentError;
use crate::instrument::dialect::fault::Fault;
use crate::record::RecordError;

pub use crate::deadman::pulse::Pulse;
pub use checking::{Alarms, Finding, Grade, Unattended, check_bench, check_unattended, free_bytes, is_go};
pub use drilling::drill;
#[cfg(unix)]
pub use drilling_unix::hold_for_drill;
#[cfg(unix)]
pub use guarding::{Word, keep_vigil};
pub use lock::lock_path;
pub use opening::{
    Opened, board_of, is_simulated, open_bench, open_conversation, open_world, talking_roles, world_settings,
};
pub use preparing::{Prepared, load_rig, prepare, read_text};
pub use resuming::{Resumable, Said, plan_of, prepare_resume};
pub use room::shortage;
pub use running::{Finished, Onlooker, RunRequest, resume, run};
pub use serving::{Serving, serve};
pub use unsent::keep_unsent;

/// Why there was no run, or no end of it.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A file cannot be read.
    #[error("cannot read the {what} {}: {error}", .path.display())]
    File {
        /// What the file is to us, e.g. `rig`.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system answered.
        error: std::io::Error,
    },
    /// Faults in files, all at once.
    #[error("{} faults in files", .faults.len())]
    Faults {
        /// The faults.
        faults: Vec<Fault>,
        /// The files' names and texts, for showing the places.
        sources: Vec<(String, String)>,
    },
    /// What was asked for makes no sense on this rig.
    #[error("{0}")]
    Usage(String),
    /// Another run uses this bench.
    #[error("{0}")]
    Busy(String),
    /// An instrument could not be opened or did not answer.
    #[error("{0}")]
    Instrument(#[from] InstrumentError),
    /// The bench could not be opened; how what was reached was left comes with it.
    #[error("{0}")]
    NotOpened(#[from] Box<NotOpened>),
    /// The bench cannot be opened for another reason.
    #[error("{0}")]
    Bench(String),
    /// The record cannot be written or read.
    #[error("{0}")]
    Record(#[from] RecordError),
}
