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

/// The faults of one file, as they are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    file: String,
    found: Vec<Fault>,
}

impl Faults {
    /// No faults yet in the file of this name.
    #[must_use]
    pub fn of(file: &str) -> Self {
        Self { file: file.to_owned(), found: Vec::new() }
    }

    /// One more fault, without a guess at what was meant.
    pub fn add(&mut self, key: &str, span: Option<Range<usize>>, message: impl Into<String>) {
        self.add_with_nearest(key, span, message, None);
    }

    /// One more fault, with the known word that was probably meant.
    pub fn add_with_nearest(
        &mut self,
        key: &str,
        span: Option<Range<usize>>,
        message: impl Into<String>,
        nearest: Option<&str>,
    ) {
        self.found.push(Fault {
            file: self.file.clone(),
            span,
            key: key.to_owned(),
            message: message.into(),
            nearest: nearest.map(str::to_owned),
            also: Vec::new(),
        });
    }

    /// Whether there is one of this key already.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.found.iter().any(|fault| fault.key == key)
    }

    /// Whether none was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them, in the order of the file.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<Fault> {
        self.found.sort_by_key(|fault| fault.span.as_ref().map_or(usize::MAX, |span| span.start));
        self.found
    }
}
