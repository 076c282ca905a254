//! The conversation with one instrument: one question in flight, every set acknowledged, every error read.

mod client;
mod completion;
mod error_queue;
mod synchronisation;

use std::time::Duration;

pub use client::Client;
pub use completion::Completion;
pub use synchronisation::Probe;

use super::ErrorKind;
use super::transport::LinkError;
use super::wire::{ErrorEntry, WireError, excerpt};

/// How to talk with one family of instruments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// How long an answer may take.
    pub answer_timeout: Duration,
    /// How it is known that a set has been carried out.
    pub completion: Completion,
    /// How long a set may take until it is complete.
    pub completion_timeout: Duration,
    /// What to ask for one entry of the error queue; `None` for instruments that have no queue.
    pub error_query: Option<String>,
    /// The most entries of the error queue that are read after one set.
    pub max_error_entries: usize,
    /// The shortest time between two messages to the instrument, for those that lose what comes too fast.
    pub pacing: Duration,
    /// What tells, after a time-out, that question and answer belong together again.
    pub probe: Probe,
}

impl Default for Conversation {
    fn default() -> Self {
        Self {
            answer_timeout: Duration::from_secs(3),
            completion: Completion::OpcQuery,
            completion_timeout: Duration::from_secs(5),
            error_query: Some("SYST:ERR?".to_owned()),
            max_error_entries: 32,
            pacing: Duration::ZERO,
            probe: Probe::EventEnable,
        }
    }
}

/// What can go wrong in a conversation. Every message tells what was sent and what came back.
#[derive(Debug, thiserror::Error)]
pub enum ScpiError {
    /// A question was not answered in time. The conversation is synchronised again before anything else is asked.
    #[error("`{sent}` was not answered within {waited:?}")]
    TimedOut {
        /// What was sent.
        sent: String,
        /// How long an answer was waited for.
        waited: Duration,
    },
    /// Nobody waits for the answer any longer, for the outputs shall go off first. The conversation is synchronised again
    /// before anything else is asked; whether a set was carried out is not known.
    #[error("`{sent}` was cut short")]
    CutShort {
        /// What was sent.
        sent: String,
    },
    /// It is not known whether a set was carried out: read the state back.
    #[error("it is not known whether `{command}` was carried out ({reason}): read the state back{}", render_entries(.entries))]
    Unacknowledged {
        /// The set.
        command: String,
        /// Why it is not known.
        reason: String,
        /// What the instrument's error queue held afterwards, if it could be read.
        entries: Vec<ErrorEntry>,
    },
    /// The link is gone or can no longer be trusted; open it anew.
    #[error("the link was lost at `{sent}`: {reason}")]
    LinkLost {
        /// What was being sent or asked.
        sent: String,
        /// What happened.
        reason: String,
    },
    /// The instrument put errors into its queue.
    #[error("the instrument refused `{sent}`{}{}", render_entries(.entries), if *.more { "; its queue holds still more" } else { "" })]
    Refused {
        /// What was sent.
        sent: String,
        /// Every entry that was read, oldest first.
        entries: Vec<ErrorEntry>,
        /// The queue was not empty when the bound was reached.
        more: bool,
    },
    /// What came back is no answer to what was asked.
    #[error("`{sent}` was answered with `{got}`, which is not {wanted}")]
    Nonsense {
        /// What was asked.
        sent: String,
        /// What would have been right.
        wanted: String,
        /// What came, shortened and escaped.
        got: String,
    },
    /// A text that cannot be one message; nothing was sent.
    #[error("`{message}` was not sent: {reason}")]
    NotSendable {
        /// The text.
        message: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl ScpiError {
    /// What this error means for whoever must act on it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TimedOut { .. } | Self::Unacknowledged { .. } => ErrorKind::TimedOut,
            Self::CutShort { .. } => ErrorKind::CutShort,
            Self::LinkLost { .. } => ErrorKind::LinkLost,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::Nonsense { .. } => ErrorKind::Nonsense,
            Self::NotSendable { .. } => ErrorKind::Unsupported,
        }
    }

    /// An answer that could not be read.
    #[must_use]
    pub fn nonsense(sent: &str, fault: WireError) -> Self {
        Self::Nonsense { sent: excerpt(sent.as_bytes()), wanted: fault.wanted, got: fault.got }
    }

    fn from_link(sent: &str, fault: LinkError) -> Self {
        let sent = excerpt(sent.as_bytes());
        match fault {
            LinkError::TimedOut(waited) => Self::TimedOut { sent, waited },
            LinkError::CutShort => Self::CutShort { sent },
            LinkError::Lost(reason) | LinkError::ReplayDiffers(reason) => Self::LinkLost { sent, reason },
            fault @ LinkError::NotOpened { .. } => Self::LinkLost { sent, reason: fault.to_string() },
            LinkError::TooLong(limit) => Self::Nonsense {
                sent,
                wanted: format!("an answer of at most {limit} bytes"),
                got: "more".to_owned(),
            },
            LinkError::Malformed(got) => {
                Self::Nonsense { sent, wanted: "a message".to_owned(), got: excerpt(got.as_bytes()) }
            }
        }
    }
}

fn render_entries(entries: &[ErrorEntry]) -> String {
    let listed: Vec<String> = entries.iter().map(ToString::to_string).collect();
    if listed.is_empty() { String::new() } else { format!("; it says: {}", listed.join(", ")) }
}
