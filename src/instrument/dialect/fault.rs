//! What is wrong with a file that a person wrote: where, what was expected, and what was probably meant.

use std::fmt;
use std::ops::Range;

/// One fault of a file. A file's faults are all told at once; a check that stops at the first one sends people round in
/// circles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, as the caller named it.
    pub file: String,
    /// Bytes of the file's text that are meant; `None` where no place can be named.
    pub span: Option<Range<usize>>,
    /// The key's path, e.g. `source.max_voltage` or `limits[2].max`; empty for the file as a whole.
    pub key: String,
    /// What is wrong and what was expected.
    pub message: String,
    /// The known name nearest to what was written.
    pub nearest: Option<String>,
    /// Other places that matter, e.g. the rig's limit that the profile's voltage is above.
    pub also: Vec<Label>,
}

/// A further place with what it has to do with the fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The file, as the caller named it.
    pub file: String,
    /// Bytes of the file's text; `None` where no place can be named.
    pub span: Option<Range<usize>>,
    /// What is there.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean `{nearest}`?")?;
        }
        Ok(())
    }
}
