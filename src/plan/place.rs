//! Where in a file a value was written, kept so that a later fault can point at it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::instrument::dialect::{Fault, Label};

/// The places of a file's keys. Two files that say the same in different layouts are the same rig or profile; places are
/// therefore never equal or unequal to anything.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The file, as the caller named it.
    pub file: String,
    /// The first line that says something, where what is missing is pointed at.
    first_line: Option<Range<usize>>,
    spans: BTreeMap<String, Range<usize>>,
}

impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Places {
    /// Places of a file of this text, without any yet.
    #[must_use]
    pub fn of(file: &str, text: &str) -> Self {
        let mut start = 0;
        let lines = text.split_inclusive('\n').map(|line| {
            start += line.len();
            let begin = start - line.trim_start().len();
            (line.trim(), begin..begin + line.trim().len())
        });
        let first = lines.into_iter().find(|(line, _)| !line.is_empty() && !line.starts_with('#'));
        Self { file: file.to_owned(), first_line: first.map(|(_, span)| span), spans: BTreeMap::new() }
    }

    /// Remembers where a key's value stands.
    pub fn insert(&mut self, key: &str, span: Range<usize>) {
        self.spans.insert(key.to_owned(), span);
    }

    /// Where the key's value stands, or the nearest table around it that was written.
    #[must_use]
    pub fn span(&self, key: &str) -> Option<Range<usize>> {
        let mut path = key;
        loop {
            if let Some(span) = self.spans.get(path) {
                return Some(span.clone());
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Whether exactly this key was written.
    #[must_use]
    pub fn is_written(&self, key: &str) -> bool {
        self.spans.contains_key(key)
    }

    /// A fault at this key; where nothing around it was written, at the file's first line.
    #[must_use]
    pub fn fault(&self, key: &str, message: impl Into<String>) -> Fault {
        let first_line = || self.first_line.clone().filter(|_| !key.is_empty());
        Fault {
            file: self.file.clone(),
            span: self.span(key).or_else(first_line),
            key: key.to_owned(),
            message: message.into(),
            nearest: None,
            also: Vec::new(),
        }
    }

    /// A further place of a fault.
    #[must_use]
    pub fn label(&self, key: &str, text: impl Into<String>) -> Label {
        Label { file: self.file.clone(), span: self.span(key), text: text.into() }
    }
}
