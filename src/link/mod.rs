//! The way to an instrument, in three layers: bytes and values ([`wire`]), whole messages over one link
//! ([`transport`]), the conversation ([`scpi`]).

pub mod scpi;
pub mod transport;
pub mod wire;

/// What an error of an instrument means for whoever must act on it. Retry and interlock look at this, never at the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// No answer in time; asking again may help.
    TimedOut,
    /// The link is gone or can no longer be trusted; it must be opened anew.
    LinkLost,
    /// The instrument understood and declined.
    Refused,
    /// The instrument or its family cannot do this.
    Unsupported,
    /// The instrument's own protection has acted.
    Protection,
    /// What came back is no answer to what was asked.
    Nonsense,
    /// Nobody waits for the answer any longer; the outputs shall go off first.
    CutShort,
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::TimedOut => "timed out",
            Self::LinkLost => "link lost",
            Self::Refused => "refused",
            Self::Unsupported => "unsupported",
            Self::Protection => "protection",
            Self::Nonsense => "nonsense",
            Self::CutShort => "cut short",
        })
    }
}
