//! The instrument's error queue: read to its end, with a bound, every entry reported.

use super::ScpiError;
use super::client::Client;
use crate::link::wire::ErrorEntry;

/// What an error queue held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Drained {
    /// Every entry that was read, oldest first.
    pub(super) entries: Vec<ErrorEntry>,
    /// The bound was reached before the queue was empty.
    pub(super) more: bool,
}

impl Client {
    /// Reads the error queue until it is empty, at most `max_error_entries` times; empty for an instrument without one.
    pub(super) fn drain_errors(&mut self) -> Result<Drained, ScpiError> {
        let mut drained = Drained::default();
        let Some(query) = self.settings().error_query.clone() else {
            return Ok(drained);
        };
        for _ in 0..self.settings().max_error_entries.max(1) {
            let answer = self.exchange_text(&query, self.settings().answer_timeout)?;
            let entry = ErrorEntry::parse(&answer).map_err(|fault| {
                self.distrust();
                ScpiError::nonsense(&query, fault)
            })?;
            if entry.is_none() {
                return Ok(drained);
            }
            drained.entries.push(entry);
        }
        drained.more = true;
        Ok(drained)
    }
}
