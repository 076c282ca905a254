//! What a socket and a serial line have in common: a stream of bytes in which messages end at LF.

use std::time::Duration;

use super::{Framing, LinkError, LinkSettings, Transport};
use crate::base::clock::{Clock, Instant, RealClock};
use crate::base::cut::{Cut, SLICE};
use crate::link::wire::frame::Framer;

/// Why a port gave or took nothing.
#[derive(Debug)]
pub(super) enum PortFault {
    TimedOut,
    Gone(String),
}

/// A stream of bytes of the operating system.
pub(super) trait Port: Send {
    /// Reads at least one byte.
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize, PortFault>;
    /// Writes at least one byte.
    fn write(&mut self, bytes: &[u8], timeout: Duration) -> Result<usize, PortFault>;
    /// Drops what has arrived so far.
    fn discard(&mut self) -> Result<(), PortFault>;
}

/// Read at once; large enough that a block of ten megabytes takes few calls, small enough to stay in the cache.
const CHUNK: usize = 256 << 10;

/// Read at once of a block's payload: the place for it is cleared first, so a short read must not cost much.
const PIECE: usize = 64 << 10;

/// Messages over a stream of bytes. The hardware's time is real, whatever clock the rest of the program uses.
pub(super) struct StreamLink<P> {
    port: P,
    framer: Framer,
    clock: RealClock,
    cut: Cut,
    write_timeout: Duration,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    lost: Option<String>,
}

impl<P: Port> StreamLink<P> {
    pub(super) fn new(port: P, settings: &LinkSettings) -> Self {
        let framer = match settings.framing {
            Framing::Scpi => Framer::scpi(settings.message_limit),
            Framing::Line => Framer::lines(settings.message_limit),
        };
        Self {
            port,
            framer,
            clock: RealClock::new(),
            cut: settings.cut.clone(),
            write_timeout: settings.write_timeout,
            incoming: vec![0; CHUNK],
            outgoing: Vec::new(),
            lost: None,
        }
    }

    fn ensure_open(&self) -> Result<(), LinkError> {
        self.lost.as_ref().map_or(Ok(()), |reason| Err(LinkError::Lost(reason.clone())))
    }

    fn lose(&mut self, reason: String) -> LinkError {
        self.lost = Some(reason.clone());
        LinkError::Lost(reason)
    }

    fn next_message(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        self.framer.next_message().map_err(|fault| LinkError::TooLong(fault.0))
    }

    fn write_outgoing(&mut self) -> Result<(), LinkError> {
        let mut wait = Wait::new(&self.cut, &self.clock, self.write_timeout);
        let mut written = 0;
        while written < self.outgoing.len() {
            let ended = match self.port.write(&self.outgoing[written..], wait.slice()) {
                Ok(count) => {
                    written += count;
                    // The time is looked at only when the system did not take all at once.
                    if written == self.outgoing.len() { None } else { wait.end(true) }
                }
                Err(PortFault::TimedOut) => wait.end(false),
                Err(PortFault::Gone(reason)) => return Err(self.lose(reason)),
            };
            match ended {
                None => {}
                Some(ended) if written == 0 => return Err(ended),
                Some(_) => {
                    let told = format!("it took only a part of a message within {:?}", wait.waited());
                    return Err(self.lose(told));
                }
            }
        }
        Ok(())
    }
}

/// One wait for the other end, in slices: between two of them the wish to cut it short is looked at.
struct Wait<'a> {
    cut: &'a Cut,
    clock: &'a RealClock,
    timeout: Duration,
    start: Instant,
    /// When the other end last gave or took something.
    heard: Instant,
    left: Duration,
}

impl<'a> Wait<'a> {
    fn new(cut: &'a Cut, clock: &'a RealClock, timeout: Duration) -> Self {
        let start = clock.now();
        Self { cut, clock, timeout, start, heard: start, left: timeout }
    }

    /// How long the port may be left alone with it.
    fn slice(&self) -> Duration {
        self.left.min(SLICE)
    }

    fn waited(&self) -> Duration {
        self.clock.now().since(self.start)
    }

    /// Looks whether the wait is over. The time-out is that of the whole message: a byte now and then does not stretch it. A
    /// silence that is borne begins anew with every byte.
    fn end(&mut self, heard: bool) -> Option<LinkError> {
        let now = self.clock.now();
        if heard {
            self.heard = now;
        }
        self.left = self.timeout.saturating_sub(now.since(self.start));
        if self.left.is_zero() {
            return Some(LinkError::TimedOut(self.timeout));
        }
        let too_silent = self.cut.silence().is_some_and(|silence| now.since(self.heard) >= silence);
        (too_silent || self.cut.is_now()).then_some(LinkError::CutShort)
    }
}

impl<P: Port> Transport for StreamLink<P> {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        self.ensure_open()?;
        if self.cut.is_now() {
            return Err(LinkError::CutShort);
        }
        // One write a message: some instruments take what one packet brings for the whole command.
        self.outgoing.clear();
        self.outgoing.extend_from_slice(message);
        self.outgoing.push(b'\n');
        self.write_outgoing()
    }

    fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
        self.ensure_open()?;
        if let Some(message) = self.next_message()? {
            return Ok(message);
        }
        if self.cut.is_now() {
            return Err(LinkError::CutShort);
        }
        let mut wait = Wait::new(&self.cut, &self.clock, timeout);
        loop {
            // What is not a block's payload is short, and is copied.
            let in_place = self.framer.fill(PIECE, |room| self.port.read(room, wait.slice()));
            let copied = in_place.is_none();
            let read = in_place.unwrap_or_else(|| self.port.read(&mut self.incoming, wait.slice()));
            let heard = match read {
                Ok(count) => {
                    if copied {
                        self.framer.push(&self.incoming[..count]);
                    }
                    if let Some(message) =
                        self.framer.next_message().map_err(|fault| LinkError::TooLong(fault.0))?
                    {
                        return Ok(message);
                    }
                    true
                }
                Err(PortFault::TimedOut) => false,
                Err(PortFault::Gone(reason)) => return Err(self.lose(reason)),
            };
            if let Some(ended) = wait.end(heard) {
                return Err(ended);
            }
        }
    }

    fn has_unread(&self) -> bool {
        self.framer.has_unread()
    }

    fn clear(&mut self) -> Result<(), LinkError> {
        self.ensure_open()?;
        self.framer.clear();
        match self.port.discard() {
            Ok(()) | Err(PortFault::TimedOut) => Ok(()),
            Err(PortFault::Gone(reason)) => Err(self.lose(reason)),
        }
    }
}
