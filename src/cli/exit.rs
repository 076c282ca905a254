//! Exit codes, one table for the whole program; the README shows the same.

use std::process::ExitCode;

use crate::event::RunVerdict;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// All limits met (or none to be met), or the command did what it was asked to.
    Done = 0,
    /// A limit failed, or could not be shown to be met.
    LimitFailed = 1,
    /// Wrong usage, or a file that cannot be read or written.
    Usage = 2,
    /// A link or an instrument failed.
    Instrument = 3,
    /// An interlock tripped.
    Tripped = 4,
    /// A person stopped the run.
    Stopped = 5,
    /// A record is damaged.
    Damaged = 6,
    /// A fault of this program.
    Internal = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<RunVerdict> for Exit {
    fn from(verdict: RunVerdict) -> Self {
        match verdict {
            RunVerdict::Pass | RunVerdict::NotJudged => Self::Done,
            RunVerdict::Fail | RunVerdict::Incomplete => Self::LimitFailed,
            RunVerdict::Tripped => Self::Tripped,
            RunVerdict::Stopped => Self::Stopped,
            RunVerdict::Error => Self::Instrument,
        }
    }
}
