//! What can be asked of an instrument, one class a file: the trait with its contract first, the driver below it.
//! Families of instruments that speak alike are data (`dialect/`).

pub mod dialect;
pub mod guard;
pub mod load;
pub mod open;
mod preamble;
pub mod scope;
pub mod setting;
mod speaker;
pub mod supply;
pub mod thermometer;

use crate::base::cut::Cut;
use crate::base::names::Role;
use crate::event::InstrumentFacts;
pub use crate::link::ErrorKind;

/// An instrument did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{role} at {address}: {doing}: {detail}{}{advice}", joint(detail, advice))]
pub struct InstrumentError {
    /// What kind of trouble it is.
    pub kind: ErrorKind,
    /// Which instrument on this bench.
    pub role: Role,
    /// Where it is.
    pub address: String,
    /// What was being done, e.g. `setting 24 V`.
    pub doing: String,
    /// What was sent and what came back.
    pub detail: String,
    /// What to try; may be empty.
    pub advice: String,
}

/// What stands between what happened and what to try.
fn joint(detail: &str, advice: &str) -> &'static str {
    match advice {
        "" => "",
        _ if detail.ends_with(['.', '?', '!']) => " ",
        _ => "; ",
    }
}

impl InstrumentError {
    /// An error of an instrument that is open, without advice.
    #[must_use]
    pub fn of(
        facts: &InstrumentFacts,
        kind: ErrorKind,
        doing: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self::at((&facts.role, &facts.address), kind, doing, detail)
    }

    /// An error of the instrument at a place, without advice.
    fn at(
        (role, address): (&Role, &str),
        kind: ErrorKind,
        doing: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            role: role.clone(),
            address: address.to_owned(),
            doing: doing.into(),
            detail: detail.into(),
            advice: String::new(),
        }
    }

    /// The same with what to try.
    #[must_use]
    pub fn with_advice(self, advice: impl Into<String>) -> Self {
        Self { advice: advice.into(), ..self }
    }

    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// Result of asking an instrument.
pub type Asked<T> = Result<T, InstrumentError>;

/// What every instrument can say of itself.
pub trait Instrument: Send {
    /// Who it is: role, address, family and what it answered to `*IDN?` when it was opened.
    fn facts(&self) -> &InstrumentFacts;
    /// What cuts its waiting short, and what it is spared by when it must be switched off.
    fn cut(&self) -> &Cut;
    /// Closes the link and opens it anew, and identifies the instrument again; refused if it is another one now.
    /// The instrument's settings are whatever they are: the caller reads back what it needs.
    ///
    /// # Errors
    /// It does not answer, or another instrument answers.
    fn reopen(&mut self) -> Asked<()>;
}
