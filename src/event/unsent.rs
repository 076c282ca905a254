//! What people could not be told.

use std::fmt;

/// A message to people who are not there that did not go out, or a run of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// By which way it was to go, without its secrets.
    pub way: String,
    /// How urgent it was, in a word.
    pub level: String,
    /// What was to be said.
    pub what: String,
    /// How often it was tried.
    pub attempts: u32,
    /// What came back of the last attempt, or why there was none.
    pub why: String,
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { way, level, what, attempts, why } = self;
        write!(f, "{level} by {way}: {what}; ")?;
        match attempts {
            0 => write!(f, "not tried: {why}"),
            1 => write!(f, "tried once: {why}"),
            _ => write!(f, "tried {attempts} times, at last: {why}"),
        }
    }
}
