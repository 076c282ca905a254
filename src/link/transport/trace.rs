//! A link that writes down every byte that passes, with its time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{LinkError, Transport};
use crate::base::clock::{Clock, Instant};
use crate::link::wire::tape::{Direction, Failure, TapeLine};

/// Where the lines of a tape go.
pub trait Tape: Send + Sync {
    /// One more message has passed, as far as it came.
    fn line(&self, at: Instant, direction: Direction, bytes: &[u8], failure: Option<Failure>);
}

impl Tape for Mutex<Vec<TapeLine>> {
    fn line(&self, at: Instant, direction: Direction, bytes: &[u8], failure: Option<Failure>) {
        let line = TapeLine { at, direction, bytes: bytes.to_vec(), failure };
        self.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// A link around another that writes a tape.
pub struct Trace {
    inner: Box<dyn Transport>,
    clock: Arc<dyn Clock>,
    tape: Arc<dyn Tape>,
}

impl Trace {
    /// Writes what passes through `inner` to `tape`.
    #[must_use]
    pub fn new(inner: Box<dyn Transport>, clock: Arc<dyn Clock>, tape: Arc<dyn Tape>) -> Self {
        Self { inner, clock, tape }
    }

    fn write(&self, direction: Direction, bytes: &[u8], failure: Option<&LinkError>) {
        self.tape.line(self.clock.now(), direction, bytes, failure.map(failure_of));
    }
}

fn failure_of(fault: &LinkError) -> Failure {
    match fault {
        LinkError::TimedOut(span) => Failure::TimedOut(*span),
        LinkError::CutShort => Failure::CutShort,
        LinkError::Lost(reason) => Failure::Lost(reason.clone()),
        LinkError::TooLong(limit) => Failure::TooLong(*limit),
        LinkError::Malformed(reason) => Failure::Malformed(reason.clone()),
        fault @ (LinkError::NotOpened { .. } | LinkError::ReplayDiffers(_)) => {
            Failure::Lost(fault.to_string())
        }
    }
}

impl Transport for Trace {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        let outcome = self.inner.send(message);
        self.write(Direction::Sent, message, outcome.as_ref().err());
        outcome
    }

    fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
        let outcome = self.inner.receive(timeout);
        self.write(Direction::Received, outcome.as_deref().unwrap_or_default(), outcome.as_ref().err());
        outcome
    }

    fn has_unread(&self) -> bool {
        self.inner.has_unread()
    }

    fn clear(&mut self) -> Result<(), LinkError> {
        let outcome = self.inner.clear();
        self.write(Direction::Cleared, &[], outcome.as_ref().err());
        outcome
    }
}
