//! Words to people: results to stdout, everything else to stderr. A reader that has gone away is no error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use super::exit::Exit;
use crate::plan::render;
use crate::record::RecordError;
use crate::session::SessionError;

/// An error with the exit code it ends the program with.
#[derive(Debug)]
pub(super) struct CliError {
    pub(super) exit: Exit,
    pub(super) text: String,
}

impl CliError {
    pub(super) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, text: text.into() }
    }
    pub(super) fn usage(text: impl Into<String>) -> Self {
        Self::new(Exit::Usage, text)
    }
    pub(super) fn internal(text: impl Into<String>) -> Self {
        Self::new(Exit::Internal, text)
    }
}

/// Result of a subcommand.
pub(super) type Outcome = Result<Exit, CliError>;

/// How a word is painted on a terminal that shows colour.
#[derive(Debug, Clone, Copy)]
pub(super) enum Paint {
    Red,
    Green,
    Yellow,
}

impl Paint {
    pub(super) fn on(self, text: &str) -> String {
        let code = match self {
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
        };
        format!("\u{1b}[1;{code}m{text}\u{1b}[0m")
    }
}

/// Whether a stream may carry colour: a terminal, and nobody said no.
pub(super) fn colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes a result. A closed pipe means that the reader has seen enough; a full disk means that the result is lost.
///
/// # Errors
/// It cannot be written, and somebody still waits for it.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(end.as_bytes()))
        .and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::usage(format!("cannot write the result to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a remark. Never fails: a terminal that is gone must not end a run.
pub(super) fn tell(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes());
    let _ = err.write_all(b"\n");
}

/// Writes an error.
pub(super) fn tell_error(error: &CliError) {
    let text = error.text.trim_end();
    // Faults of files come with their own heading, painted or not.
    if text.starts_with("error") || text.starts_with('\u{1b}') {
        tell(text);
    } else if colour(&io::stderr()) {
        tell(&format!("{}: {text}", Paint::Red.on("error")));
    } else {
        tell(&format!("error: {text}"));
    }
}

impl From<SessionError> for CliError {
    fn from(error: SessionError) -> Self {
        let exit = match &error {
            SessionError::File { .. }
            | SessionError::Faults { .. }
            | SessionError::Busy(_)
            | SessionError::Usage(_) => Exit::Usage,
            SessionError::Instrument(_) | SessionError::NotOpened(_) | SessionError::Bench(_) => {
                Exit::Instrument
            }
            SessionError::Record(error) => record_exit(error),
        };
        let text = match &error {
            SessionError::Faults { faults, sources } => {
                render::render_faults(faults, sources, colour(&io::stderr()))
            }
            other => other.to_string(),
        };
        Self { exit, text }
    }
}

impl From<RecordError> for CliError {
    fn from(error: RecordError) -> Self {
        Self { exit: record_exit(&error), text: error.to_string() }
    }
}

const fn record_exit(error: &RecordError) -> Exit {
    match error {
        RecordError::Damaged { .. } => Exit::Damaged,
        RecordError::NoForm { .. } => Exit::Internal,
        _ => Exit::Usage,
    }
}
