//! Words to people: results to stdout, everything else to stderr. A reader that has gone away is no error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde_json::{Value, json};

use super::exit::Exit;
use crate::instrument::dialect::Fault;
use crate::plan::render;
use crate::record::RecordError;
use crate::session::SessionError;

/// An error with the exit code it ends the program with.
#[derive(Debug)]
pub(super) struct CliError {
    pub(super) exit: Exit,
    /// For a person; faults of files with their lines under them.
    pub(super) text: String,
    /// Faults of files, for a script.
    faults: Vec<FaultPlace>,
}

/// A fault of a file and where it is.
#[derive(Debug)]
struct FaultPlace {
    fault: Fault,
    /// Line and column, both from 1; `None` where they cannot be named.
    line: Option<usize>,
    column: Option<usize>,
}

impl FaultPlace {
    fn find(fault: &Fault, sources: &[(String, String)]) -> Self {
        let source = sources.iter().find(|(name, _)| *name == fault.file).map(|(_, text)| text.as_str());
        let before = source.zip(fault.span.as_ref()).and_then(|(text, span)| text.get(..span.start));
        let place = before.map(|before| {
            let line = before.rsplit('\n').next().unwrap_or_default();
            (line_at(before, before.len()), line.chars().count() + 1)
        });
        let (line, column) = place.unzip();
        Self { fault: fault.clone(), line, column }
    }

    /// Of a file whose text is not shown.
    fn bare(file: impl Into<String>, line: Option<usize>, message: impl Into<String>) -> Self {
        let fault = Fault {
            file: file.into(),
            span: None,
            key: String::new(),
            message: message.into(),
            nearest: None,
            also: Vec::new(),
        };
        Self { fault, line, column: None }
    }

    /// The fault in a line, without the text of the file.
    fn in_words(&self) -> String {
        match (&self.fault, self.line) {
            (Fault { file, key, message, .. }, Some(line)) if key.is_empty() => {
                format!("{file}:{line}: {message}")
            }
            (fault, _) => fault.to_string(),
        }
    }

    fn json(&self) -> Value {
        let Fault { file, key, message, nearest, .. } = &self.fault;
        json!({
            "file": file,
            "line": self.line,
            "column": self.column,
            "key": key,
            "message": message,
            "nearest": nearest,
        })
    }
}

impl CliError {
    pub(super) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, text: text.into(), faults: Vec::new() }
    }
    pub(super) fn usage(text: impl Into<String>) -> Self {
        Self::new(Exit::Usage, text)
    }
    /// A fault of a file that is no text of ours, e.g. a trace: at one line, or of the file as a whole.
    pub(super) fn in_file(
        exit: Exit,
        file: impl Into<String>,
        line: Option<usize>,
        message: impl Into<String>,
    ) -> Self {
        let place = FaultPlace::bare(file, line, message);
        Self { exit, text: place.in_words(), faults: vec![place] }
    }
    /// The same, said of what the file is to us, e.g. `the switch node's trace (lx)`.
    pub(super) fn of(mut self, what: &str) -> Self {
        self.text = format!("{what}: {}", self.text);
        for place in &mut self.faults {
            place.fault.message = format!("{what}: {}", place.fault.message);
        }
        self
    }
    pub(super) fn internal(text: impl Into<String>) -> Self {
        Self::new(Exit::Internal, text)
    }
}

/// The line that a byte of a text stands in, from 1.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
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
    let end = if text.ends_with('\n') { "" } else { "\n" };
    print_bytes(&[text.as_bytes(), end.as_bytes()].concat())
}

/// Writes a result that is not text, as it is.
///
/// # Errors
/// As [`print`].
pub(super) fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
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

/// Writes an error for a script: the one JSON object on stdout where the result would have been. Whoever does not take it
/// is told by the exit code.
pub(super) fn print_error(error: &CliError) {
    let message = if error.faults.is_empty() {
        error.text.trim_end().to_owned()
    } else {
        let faults: Vec<String> = error.faults.iter().map(FaultPlace::in_words).collect();
        faults.join("\n")
    };
    let faults: Vec<Value> = error.faults.iter().map(FaultPlace::json).collect();
    let told = json!({ "error": { "exit": error.exit as u8, "message": message, "faults": faults } });
    let _ = print(&format!("{told:#}"));
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
        let faults = match &error {
            SessionError::Faults { faults, sources } => {
                faults.iter().map(|fault| FaultPlace::find(fault, sources)).collect()
            }
            SessionError::File { what, path, error } => {
                vec![FaultPlace::bare(
                    path.display().to_string(),
                    None,
                    format!("cannot read the {what}: {error}"),
                )]
            }
            SessionError::Record(error) => record_faults(error),
            _ => Vec::new(),
        };
        Self { exit, text, faults }
    }
}

impl From<RecordError> for CliError {
    fn from(error: RecordError) -> Self {
        Self { faults: record_faults(&error), ..Self::new(record_exit(&error), error.to_string()) }
    }
}

fn record_faults(error: &RecordError) -> Vec<FaultPlace> {
    match error {
        RecordError::Damaged { path, line, what } => {
            let line = usize::try_from(*line).ok().filter(|line| *line > 0);
            vec![FaultPlace::bare(path.display().to_string(), line, format!("the record is damaged: {what}"))]
        }
        _ => Vec::new(),
    }
}

const fn record_exit(error: &RecordError) -> Exit {
    match error {
        RecordError::Damaged { .. } => Exit::Damaged,
        RecordError::NoForm { .. } => Exit::Internal,
        _ => Exit::Usage,
    }
}
