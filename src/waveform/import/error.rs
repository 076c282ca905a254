//! Why a file cannot be read, with the line.

/// Why a file of samples cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Something is wrong at one line of the text.
    #[error("line {line}: {what}")]
    Line {
        /// The line, counted from 1.
        line: u64,
        /// What stands there and what was expected.
        what: String,
    },
    /// Something is wrong with the file as a whole, or with what was asked of it.
    #[error("{0}")]
    File(String),
    /// The source itself failed.
    #[error("reading breaks off: {0}")]
    Source(#[from] std::io::Error),
}

impl ImportError {
    pub(super) fn line(line: u64, what: impl Into<String>) -> Self {
        Self::Line { line, what: what.into() }
    }
    pub(super) fn file(what: impl Into<String>) -> Self {
        Self::File(what.into())
    }
}

/// Bytes of a file as they can stand in a message: printable, and short.
pub(super) fn quote(bytes: &[u8]) -> String {
    const LONGEST: usize = 40;
    let short = &bytes[..bytes.len().min(4 * LONGEST)];
    let text: String =
        String::from_utf8_lossy(short).chars().map(|c| if c.is_control() { '·' } else { c }).collect();
    if text.chars().count() > LONGEST {
        format!("{}…", text.chars().take(LONGEST).collect::<String>())
    } else {
        text
    }
}
