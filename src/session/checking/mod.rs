//! Is this bench fit to be used, and fit to be left alone? What is looked at, and what was found.

mod bench;
pub(super) mod host;
#[cfg(unix)]
mod host_unix;
mod judge;
mod unattended;

pub use bench::check_bench;
pub use host::free_bytes;
pub use judge::Alarms;
pub use unattended::{Unattended, check_unattended};

/// What a finding means for whoever wants to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// As it should be.
    Good,
    /// There is nothing to look at on this bench.
    NotApplicable,
    /// A person should know; it stops nobody.
    Warning,
    /// Nothing is begun.
    Refusal,
}

impl Grade {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::NotApplicable => "not_applicable",
            Self::Warning => "warning",
            Self::Refusal => "refusal",
        }
    }
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What, in a word or two.
    pub what: String,
    /// What it means.
    pub grade: Grade,
    /// What was seen.
    pub told: String,
}

impl Finding {
    fn new(what: impl Into<String>, grade: Grade, told: impl Into<String>) -> Self {
        Self { what: what.into(), grade, told: told.into() }
    }

    fn good(what: impl Into<String>, told: impl Into<String>) -> Self {
        Self::new(what, Grade::Good, told)
    }

    fn refusal(what: impl Into<String>, told: impl Into<String>) -> Self {
        Self::new(what, Grade::Refusal, told)
    }
}

/// Whether nothing of what was found speaks against beginning.
#[must_use]
pub fn is_go(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.grade != Grade::Refusal)
}
