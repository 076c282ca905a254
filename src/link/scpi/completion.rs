//! How it is known that a set has been carried out.

use std::time::Duration;

use super::client::Client;
use super::{ScpiError, excerpt};

/// How an instrument tells that it is done with a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    /// `*OPC?` answers `1` when everything before it is done.
    OpcQuery,
    /// A status is asked for until it is no longer one of the busy ones.
    StatusQuery {
        /// What to ask, e.g. `TRIG:STAT?`.
        query: String,
        /// The answers that mean "busy", in any case.
        busy: Vec<String>,
    },
    /// The instrument tells nothing; a time is waited.
    Time(Duration),
}

/// How long to wait between two questions for a status.
const POLL_GAP: Duration = Duration::from_millis(20);

impl Client {
    /// Waits until the set that was just sent is complete.
    pub(super) fn await_completion(&mut self) -> Result<(), ScpiError> {
        let limit = self.settings().completion_timeout.max(self.settings().answer_timeout);
        match self.settings().completion.clone() {
            Completion::Time(span) => self.wait("(until it is complete)", span),
            Completion::OpcQuery => {
                let answer = self.exchange_text("*OPC?", limit)?;
                if matches!(super::super::wire::scpi::parse_bool(&answer), Ok(true)) {
                    return Ok(());
                }
                self.distrust();
                Err(ScpiError::Nonsense {
                    sent: "*OPC?".to_owned(),
                    wanted: "`1`".to_owned(),
                    got: excerpt(answer.as_bytes()),
                })
            }
            Completion::StatusQuery { query, busy } => {
                let deadline = self.now() + limit;
                loop {
                    let answer = self.exchange_text(&query, self.settings().answer_timeout)?;
                    if !busy.iter().any(|word| word.eq_ignore_ascii_case(answer.trim())) {
                        return Ok(());
                    }
                    if self.now() >= deadline {
                        return Err(ScpiError::TimedOut { sent: query, waited: limit });
                    }
                    self.wait(&query, POLL_GAP)?;
                }
            }
        }
    }
}
