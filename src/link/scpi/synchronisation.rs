//! Question and answer belong together again: what is done after a time-out before anything else is asked.
//!
//! An answer that comes late must never pass for the answer to the next question. A raw socket or a serial line has no
//! message numbers, but it keeps the order: the late answer comes before the answer to anything asked later. So a question
//! is asked whose answer is known and new, and everything that comes before that answer is thrown away.

use std::time::Duration;

use super::ScpiError;
use super::client::Client;
use crate::base::clock::Instant;
use crate::link::transport::LinkError;
use crate::link::wire::scpi::parse_integer;
use crate::link::wire::{decode_text, excerpt};

/// What is asked to find out whether question and answer belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Probe {
    /// `*ESE n`, then `*ESE?` must give `n`: the standard's event enable register serves as a tag that is new each time.
    /// Two tags in a row must come back, so that one late answer that looks like a tag is not enough. Sound for any delay.
    /// The register is left changed; nothing in this program uses it.
    #[default]
    EventEnable,
    /// For instruments without `*ESE`: the line must be quiet for an answer's time, then `*IDN?` and `*OPC?` must answer in
    /// this order. Sound for answers that come less than two answer time-outs late.
    Identity,
    /// For instruments that answer neither: the line must be quiet for two answer time-outs.
    Quiet,
}

/// How many answer time-outs each attempt waits before the link is given up. Together with the attempt right after the
/// time-out this bridges answers that are late by four time-outs; waiting longer would keep an output on for longer.
const PATIENCE: [u32; 3] = [1, 1, 2];

/// The most messages that are thrown away in one wait: an endless sender is no instrument to talk with.
const MOST_DISCARDED: usize = 10_000;

/// Bits 1 and 6 of the event enable register always read 0 on several makers' instruments, so tags use the other six.
pub(super) fn tag(count: u64) -> i64 {
    let index = (count % 63) as i64 + 1;
    (index & 1) | ((index & 0b1_1110) << 1) | ((index & 0b10_0000) << 2)
}

impl Client {
    /// Makes sure that the next answer belongs to the next question; does nothing if no doubt has arisen.
    pub(super) fn ensure_sync(&mut self) -> Result<(), ScpiError> {
        if self.is_in_sync() { Ok(()) } else { self.resynchronise() }
    }

    /// Throws away whatever is on the way and proves that question and answer belong together.
    ///
    /// # Errors
    /// The link is gone, or the instrument did not answer the probe in several attempts: open the link anew.
    pub fn resynchronise(&mut self) -> Result<(), ScpiError> {
        for patience in PATIENCE {
            if self.attempt_sync(patience)? {
                return Ok(());
            }
        }
        let attempts = PATIENCE.len();
        let reason =
            format!("after a time-out the instrument did not answer the probe in {attempts} attempts");
        self.give_up(&reason);
        Err(ScpiError::LinkLost { sent: self.probe_text().to_owned(), reason })
    }

    /// One attempt: `false` if the probe was not answered within `patience` answer time-outs.
    pub(super) fn attempt_sync(&mut self, patience: u32) -> Result<bool, ScpiError> {
        self.distrust();
        let wait = self.settings().answer_timeout * patience;
        let synced = match self.settings().probe {
            Probe::EventEnable => self.clear_link()? && self.probe_tag(wait)? && self.probe_tag(wait)?,
            Probe::Identity => {
                self.await_quiet(1)?
                    && self.probe_query("*IDN?", wait, |answer| answer.contains(','))?
                    && self.probe_query("*OPC?", wait, |answer| answer.trim() == "1")?
            }
            Probe::Quiet => self.await_quiet(2)?,
        };
        if synced {
            self.trust();
        }
        Ok(synced)
    }

    fn probe_text(&self) -> &'static str {
        match self.settings().probe {
            Probe::EventEnable => "*ESE?",
            Probe::Identity => "*IDN?",
            Probe::Quiet => "(waiting for silence)",
        }
    }

    fn clear_link(&mut self) -> Result<bool, ScpiError> {
        self.clear_transport().map_err(|fault| self.link_fault("(clear)", fault))?;
        Ok(true)
    }

    fn probe_tag(&mut self, wait: Duration) -> Result<bool, ScpiError> {
        let tag = tag(self.next_tag());
        let set = format!("*ESE {tag}");
        self.send(&set).map_err(|fault| self.link_fault(&set, fault))?;
        self.probe_query("*ESE?", wait, |answer| parse_integer(answer) == Ok(tag))
    }

    /// Asks and throws away everything in front of the expected answer.
    fn probe_query(
        &mut self,
        query: &str,
        wait: Duration,
        expected: impl Fn(&str) -> bool,
    ) -> Result<bool, ScpiError> {
        self.send(query).map_err(|fault| self.link_fault(query, fault))?;
        let deadline = self.now() + wait;
        for _ in 0..MOST_DISCARDED {
            match self.receive_until(deadline) {
                Ok(answer) => {
                    if expected(&decode_text(answer)) {
                        return Ok(true);
                    }
                }
                Err(LinkError::TooLong(_) | LinkError::Malformed(_)) => {}
                Err(LinkError::TimedOut(_)) => return Ok(false),
                Err(fault) => return Err(self.link_fault(query, fault)),
            }
        }
        Ok(false)
    }

    /// Throws away what comes until nothing has come for `spans` answer time-outs.
    fn await_quiet(&mut self, spans: u32) -> Result<bool, ScpiError> {
        let quiet = self.settings().answer_timeout * spans;
        let give_up: Instant = self.now() + quiet * 4;
        for _ in 0..MOST_DISCARDED {
            let deadline = self.now() + quiet;
            match self.receive_until(deadline) {
                Ok(_) | Err(LinkError::TooLong(_) | LinkError::Malformed(_)) => {}
                Err(LinkError::TimedOut(_)) => return self.clear_link(),
                Err(fault) => return Err(self.link_fault("(waiting for silence)", fault)),
            }
            if self.now() > give_up {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// An error of the link during `sent`, remembered if the link is gone for good.
    pub(super) fn link_fault(&mut self, sent: &str, fault: LinkError) -> ScpiError {
        let error = ScpiError::from_link(sent, fault);
        match &error {
            ScpiError::LinkLost { reason, .. } => {
                let reason = reason.clone();
                self.give_up(&reason);
            }
            _ => self.distrust(),
        }
        error
    }
}

/// A message shown in errors.
pub(super) fn shown(message: &str) -> String {
    excerpt(message.as_bytes())
}
