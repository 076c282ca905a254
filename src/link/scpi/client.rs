//! Question and answer over one link.

use std::sync::Arc;
use std::time::Duration;

use super::synchronisation::shown;
use super::{Conversation, ScpiError};
use crate::base::clock::{Clock, Instant};
use crate::link::transport::{LinkError, Transport};
use crate::link::wire::block::into_payload;
use crate::link::wire::scpi::{Number, parse_finite};
use crate::link::wire::{Identity, WireError, decode_text};

/// The longest message this program sends to an instrument, in bytes.
const LONGEST_SENT: usize = 4096;

/// A conversation with one instrument: one question in flight; after a time-out question and answer are brought together
/// again before anything else is asked, so that a late answer never passes for the next one.
pub struct Client {
    link: Box<dyn Transport>,
    clock: Arc<dyn Clock>,
    settings: Conversation,
    last_sent: Option<Instant>,
    state: State,
    tags: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    InSync,
    /// An answer may still be on the way.
    InDoubt,
    /// The link is gone.
    Lost(String),
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A conversation over an open link. Nothing is sent yet.
    #[must_use]
    pub fn new(link: Box<dyn Transport>, clock: Arc<dyn Clock>, settings: Conversation) -> Self {
        Self { link, clock, settings, last_sent: None, state: State::InSync, tags: 0 }
    }

    /// How this conversation is held.
    #[must_use]
    pub fn settings(&self) -> &Conversation {
        &self.settings
    }

    /// Question and answer belong together; `false` from a time-out until the conversation is synchronised again.
    #[must_use]
    pub fn is_in_sync(&self) -> bool {
        self.state == State::InSync
    }

    /// Says that an answer was no answer to its question: question and answer are brought together again before anything
    /// else is asked. Drivers call it when an answer cannot be read.
    pub fn distrust(&mut self) {
        if self.state == State::InSync {
            self.state = State::InDoubt;
        }
    }

    /// Asks and gives the answer as text, without its terminator and the white space around it.
    ///
    /// # Errors
    /// No answer in time, the link is gone, the instrument says that it does not know the question, or what was to be
    /// sent is no question.
    pub fn query(&mut self, query: &str) -> Result<String, ScpiError> {
        self.query_with_timeout(query, self.settings.answer_timeout)
    }

    /// As [`Client::query`], for answers that take longer (or must come sooner) than the family's usual time.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub fn query_with_timeout(&mut self, query: &str, timeout: Duration) -> Result<String, ScpiError> {
        self.query_bytes(query, timeout).map(|answer| decode_text(answer).trim().to_owned())
    }

    /// Asks for one number that one can calculate with.
    ///
    /// # Errors
    /// As [`Client::query`]; also an answer that is no number, infinite (9.9E37) or "no value" (9.91E37).
    pub fn query_number(&mut self, query: &str) -> Result<f64, ScpiError> {
        self.query_as(query, parse_finite)
    }

    /// Asks for one number, where infinite and "no value" are answers, too.
    ///
    /// # Errors
    /// As [`Client::query`]; also an answer that is no number.
    pub fn query_any_number(&mut self, query: &str) -> Result<Number, ScpiError> {
        self.query_as(query, Number::parse)
    }

    /// Asks who the instrument is.
    ///
    /// # Errors
    /// As [`Client::query`]; also an answer that is no identity.
    pub fn query_identity(&mut self) -> Result<Identity, ScpiError> {
        self.query_as("*IDN?", Identity::parse)
    }

    /// Asks and reads the answer with `parse`; an answer that it does not take puts the conversation in doubt.
    ///
    /// # Errors
    /// As [`Client::query`]; also what `parse` refuses.
    pub fn query_as<T>(
        &mut self,
        query: &str,
        parse: impl FnOnce(&str) -> Result<T, WireError>,
    ) -> Result<T, ScpiError> {
        let answer = self.query(query)?;
        parse(&answer).map_err(|fault| {
            self.distrust();
            ScpiError::nonsense(query, fault)
        })
    }

    /// Asks for a definite-length block and gives its payload.
    ///
    /// # Errors
    /// As [`Client::query`]; also an answer that is no definite-length block.
    pub fn query_block(&mut self, query: &str) -> Result<Vec<u8>, ScpiError> {
        self.query_block_with_timeout(query, self.settings.answer_timeout)
    }

    /// As [`Client::query_block`], for transfers that take longer than the family's usual time.
    ///
    /// # Errors
    /// As [`Client::query_block`].
    pub fn query_block_with_timeout(&mut self, query: &str, timeout: Duration) -> Result<Vec<u8>, ScpiError> {
        let answer = self.query_bytes(query, timeout)?;
        into_payload(answer).map_err(|fault| {
            self.distrust();
            ScpiError::nonsense(query, fault)
        })
    }

    /// Asks and gives the answer as it came.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub fn query_bytes(&mut self, query: &str, timeout: Duration) -> Result<Vec<u8>, ScpiError> {
        check_sendable(query)?;
        if !query.contains('?') {
            return Err(ScpiError::NotSendable { message: shown(query), reason: "it asks nothing" });
        }
        self.ensure_open(query)?;
        self.ensure_sync()?;
        self.exchange(query, timeout).map_err(|error| self.explain_silence(error))
    }

    /// Sends a set, waits until it is complete and reads the error queue to its end.
    ///
    /// # Errors
    /// [`ScpiError::Refused`] with every entry of the queue; [`ScpiError::Unacknowledged`] if it is not known whether the
    /// set was carried out: the caller reads the state back; otherwise as [`Client::query`].
    pub fn command(&mut self, command: &str) -> Result<(), ScpiError> {
        check_sendable(command)?;
        if asks(command) {
            let reason = "it asks something, and a set's answer would be taken for the next one's";
            return Err(ScpiError::NotSendable { message: shown(command), reason });
        }
        self.ensure_open(command)?;
        self.ensure_sync()?;
        self.send(command).map_err(|fault| self.link_fault(command, fault))?;
        let drained = match self.await_completion().and_then(|()| self.drain_errors()) {
            Ok(drained) => drained,
            Err(error) => return Err(self.unacknowledged(command, error)),
        };
        if drained.entries.is_empty() {
            return Ok(());
        }
        Err(ScpiError::Refused { sent: shown(command), entries: drained.entries, more: drained.more })
    }

    /// An unanswered question is often one the instrument does not know: it says so in its error queue only.
    fn explain_silence(&mut self, error: ScpiError) -> ScpiError {
        let ScpiError::TimedOut { sent, waited } = error else {
            return error;
        };
        match self.attempt_sync_and_drain() {
            Some(drained) if !drained.entries.is_empty() => {
                ScpiError::Refused { sent, entries: drained.entries, more: drained.more }
            }
            _ => ScpiError::TimedOut { sent, waited },
        }
    }

    fn unacknowledged(&mut self, command: &str, error: ScpiError) -> ScpiError {
        if matches!(error, ScpiError::LinkLost { .. } | ScpiError::NotSendable { .. }) {
            return error;
        }
        let reason = error.to_string();
        let entries = self.attempt_sync_and_drain().map(|drained| drained.entries).unwrap_or_default();
        ScpiError::Unacknowledged { command: shown(command), reason, entries }
    }

    /// One attempt to come together again at once, so that the queue's entries are told with the error they belong to and
    /// not blamed on the next set. `None` if that did not succeed; the next question tries again.
    fn attempt_sync_and_drain(&mut self) -> Option<super::error_queue::Drained> {
        match self.attempt_sync(1) {
            Ok(true) => self.drain_errors().ok(),
            Ok(false) | Err(_) => None,
        }
    }

    /// One question and its answer, without bringing anything together first.
    pub(super) fn exchange(&mut self, query: &str, timeout: Duration) -> Result<Vec<u8>, ScpiError> {
        let outcome = self.send(query).and_then(|()| self.link.receive(timeout));
        outcome.map_err(|fault| self.link_fault(query, fault))
    }

    pub(super) fn exchange_text(&mut self, query: &str, timeout: Duration) -> Result<String, ScpiError> {
        self.exchange(query, timeout).map(|answer| decode_text(answer).trim().to_owned())
    }

    pub(super) fn send(&mut self, message: &str) -> Result<(), LinkError> {
        if !self.settings.pacing.is_zero() {
            let now = self.clock.now();
            if let Some(last) = self.last_sent {
                let gap = self.settings.pacing.saturating_sub(now.since(last));
                if !gap.is_zero() {
                    self.clock.sleep(gap);
                }
            }
            self.last_sent = Some(self.clock.now());
        }
        self.link.send(message.as_bytes())
    }

    pub(super) fn receive_until(&mut self, deadline: Instant) -> Result<Vec<u8>, LinkError> {
        self.link.receive(deadline.since(self.clock.now()))
    }

    pub(super) fn clear_transport(&mut self) -> Result<(), LinkError> {
        self.link.clear()
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(super) fn wait(&self, span: Duration) {
        if !span.is_zero() {
            self.clock.sleep(span);
        }
    }

    pub(super) fn next_tag(&mut self) -> u64 {
        self.tags += 1;
        self.tags
    }

    pub(super) fn trust(&mut self) {
        self.state = State::InSync;
    }

    pub(super) fn give_up(&mut self, reason: &str) {
        if !matches!(self.state, State::Lost(_)) {
            self.state = State::Lost(reason.to_owned());
        }
    }

    fn ensure_open(&self, message: &str) -> Result<(), ScpiError> {
        match &self.state {
            State::Lost(reason) => Err(ScpiError::LinkLost { sent: shown(message), reason: reason.clone() }),
            State::InSync | State::InDoubt => Ok(()),
        }
    }
}

fn check_sendable(message: &str) -> Result<(), ScpiError> {
    let reason = if message.trim().is_empty() {
        "it is empty"
    } else if message.len() > LONGEST_SENT {
        "it is too long"
    } else if message.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
        "it holds control characters, which would end it or begin another"
    } else {
        return Ok(());
    };
    Err(ScpiError::NotSendable { message: shown(message), reason })
}

/// Whether a message asks something: a `?` outside quotes.
fn asks(message: &str) -> bool {
    let mut open_quote = None;
    for byte in message.bytes() {
        match (open_quote, byte) {
            (Some(quote), _) if byte == quote => open_quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => open_quote = Some(byte),
            (None, b'?') => return true,
            (None, _) => {}
        }
    }
    false
}
