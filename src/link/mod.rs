//! The way to an instrument, in three layers: bytes and values ([`wire`]), whole messages over one link
//! ([`transport`]), the conversation ([`scpi`]).

pub mod scpi;
pub mod transport;
pub mod wire;

/// What kind of trouble an error is, so that retry and interlock match no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// No answer in time; the conversation was put in order again.
    TimedOut,
    /// The link is gone; it must be opened anew.
    LinkLost,
    /// The instrument (or a hard limit in front of it) said no.
    Refused,
    /// This family of instruments cannot do it.
    Unsupported,
    /// The instrument's own protection has tripped.
    Protection,
    /// The answer makes no sense.
    Nonsense,
}
