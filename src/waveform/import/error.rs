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

/// Bytes of a file as a text that can be shown: what is no UTF-8 is taken for Latin-1, as older scopes write `µs`; a name with an
/// escape sequence in it must not reach a terminal.
pub(super) fn legible(bytes: &[u8]) -> String {
    let shown = |c: char| if c.is_control() { '·' } else { c };
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().map(shown).collect(),
        Err(_) => bytes.iter().map(|byte| shown(char::from(*byte))).collect(),
    }
}

/// Bytes of a file as they can stand in a message: printable, and short.
pub(super) fn quote(bytes: &[u8]) -> String {
    const LONGEST: usize = 40;
    let text = legible(&bytes[..bytes.len().min(4 * LONGEST)]);
    if text.chars().count() > LONGEST {
        format!("{}…", text.chars().take(LONGEST).collect::<String>())
    } else {
        text
    }
}
