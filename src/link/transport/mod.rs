//! Whole messages over one link. Faults, tapes and replays are wrappers around the same trait as the hardware.

pub mod address;
pub mod fault;
pub mod opener;
pub mod replay;
mod serial;
pub mod sharing;
mod stream;
mod tcp;
pub mod trace;

use std::time::Duration;

use crate::base::cut::Cut;

pub use address::Address;
pub use fault::{FaultLink, Faults};
pub use opener::RealOpener;
pub use replay::Replay;
pub use trace::{Tape, Trace};

/// What ends a message on this link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// A line ended by LF (CR before it is dropped); a definite-length block inside is counted, never searched for LF.
    #[default]
    Scpi,
    /// A line ended by LF, whatever it holds: sensors that just send.
    Line,
}

/// How to open a link; what does not concern its kind is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkSettings {
    /// What ends a message.
    pub framing: Framing,
    /// Baud rate of a serial line.
    pub baud: u32,
    /// How long opening may take.
    pub connect_timeout: Duration,
    /// How long handing over one message may take.
    pub write_timeout: Duration,
    /// The longest message that is taken, in bytes; a longer one is an error, not memory.
    pub message_limit: usize,
    /// Ends all waiting on this link, in whatever it does.
    pub cut: Cut,
}

impl Default for LinkSettings {
    fn default() -> Self {
        Self {
            framing: Framing::Scpi,
            baud: 9600,
            connect_timeout: Duration::from_secs(3),
            write_timeout: Duration::from_secs(3),
            message_limit: 256 << 20,
            cut: Cut::default(),
        }
    }
}

/// What can go wrong on a link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Nothing whole arrived in time.
    #[error("no complete answer within {0:?}")]
    TimedOut(Duration),
    /// It was not waited for any longer, because waiting is cut short; what came in part is kept as after a time-out.
    #[error("waiting was cut short")]
    CutShort,
    /// The other end is gone.
    #[error("the link is closed: {0}")]
    Lost(String),
    /// The link could not be opened.
    #[error("cannot open {address}: {reason}")]
    NotOpened {
        /// Where to.
        address: String,
        /// Why not.
        reason: String,
    },
    /// More bytes than a message may have.
    #[error("a message of more than {0} bytes; it was dropped")]
    TooLong(usize),
    /// Bytes that are no message.
    #[error("not a message: {0}")]
    Malformed(String),
    /// A replayed conversation went another way.
    #[error("the replay differs: {0}")]
    ReplayDiffers(String),
}

/// Whole messages, one at a time, over one link.
///
/// # Contract
/// * `send` hands over one message and adds the terminator itself; it returns when the message has been given to the
///   operating system, or an error after the write time-out.
/// * `receive` gives one whole message without its terminator. On [`LinkError::TimedOut`] nothing is lost: what came in
///   part is kept and a later `receive` may still return it.
/// * While [`LinkSettings::cut`] is asked for, `send` and `receive` end with [`LinkError::CutShort`] within about 50 ms.
/// * `clear` drops everything that has arrived and was not received, whole or in part.
/// * After [`LinkError::Lost`] every further call gives the same; the link must be opened anew.
pub trait Transport: Send {
    /// Hands over one message.
    ///
    /// # Errors
    /// The link is gone or does not take the bytes in time.
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError>;
    /// Waits for one whole message.
    ///
    /// # Errors
    /// Nothing whole in time, the link is gone, or the bytes are no message.
    fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError>;
    /// Drops what has arrived so far.
    ///
    /// # Errors
    /// The link is gone.
    fn clear(&mut self) -> Result<(), LinkError>;
    /// Whether something has arrived that nobody received, as far as the link knows without asking the system. A
    /// conversation in which an answer was more than one message would go on one answer behind for ever.
    fn has_unread(&self) -> bool {
        false
    }
}

/// Opens links: to the real world or to the simulated bench.
pub trait Opener: Send + Sync {
    /// Opens a link to `address`.
    ///
    /// # Errors
    /// The address does not answer within the connect time-out, or this opener cannot reach such an address.
    fn open(&self, address: &Address, settings: &LinkSettings) -> Result<Box<dyn Transport>, LinkError>;
}
