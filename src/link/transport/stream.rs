//! What a socket and a serial line have in common: a stream of bytes in which messages end at LF.

use std::time::Duration;

use super::{Framing, LinkError, LinkSettings, Transport};
use crate::base::clock::{Clock, RealClock};
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

/// Messages over a stream of bytes. The hardware's time is real, whatever clock the rest of the program uses.
pub(super) struct StreamLink<P> {
    port: P,
    framer: Framer,
    clock: RealClock,
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
        let deadline = self.clock.now() + self.write_timeout;
        let mut written = 0;
        let mut left = self.write_timeout;
        while written < self.outgoing.len() {
            match self.port.write(&self.outgoing[written..], left) {
                Ok(count) => written += count,
                Err(PortFault::TimedOut) if written == 0 => {
                    return Err(LinkError::TimedOut(self.write_timeout));
                }
                Err(PortFault::TimedOut) => {
                    return Err(self
                        .lose(format!("it took only a part of a message within {:?}", self.write_timeout)));
                }
                Err(PortFault::Gone(reason)) => return Err(self.lose(reason)),
            }
            // The time is looked at only when the system did not take all at once.
            if written < self.outgoing.len() {
                left = deadline.since(self.clock.now());
                if left.is_zero() {
                    return Err(self
                        .lose(format!("it took only a part of a message within {:?}", self.write_timeout)));
                }
            }
        }
        Ok(())
    }
}

impl<P: Port> Transport for StreamLink<P> {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        self.ensure_open()?;
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
        let deadline = self.clock.now() + timeout;
        let mut left = timeout;
        loop {
            let count = match self.port.read(&mut self.incoming, left) {
                Ok(count) => count,
                Err(PortFault::TimedOut) => return Err(LinkError::TimedOut(timeout)),
                Err(PortFault::Gone(reason)) => return Err(self.lose(reason)),
            };
            self.framer.push(&self.incoming[..count]);
            if let Some(message) = self.next_message()? {
                return Ok(message);
            }
            // The time-out is that of the whole message: a byte now and then does not stretch it.
            left = deadline.since(self.clock.now());
            if left.is_zero() {
                return Err(LinkError::TimedOut(timeout));
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
