//! A line of the journal as its readers take it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::format::{BodyIn, Entry};
use super::readings::{BatchHead, readings_head, readings_in};
use super::shape::{Cells, Head, is_other};
use crate::base::clock::Instant;
use crate::event::{Readings, Stamp};

/// A line without its check sum.
pub(super) struct Line<'l> {
    pub(super) seq: u64,
    utc: Cow<'l, str>,
    ns: u64,
    pub(super) what: What<'l>,
    /// What it was read from.
    pub(super) body: &'l [u8],
}

/// What a line says.
pub(super) enum What<'l> {
    /// Readings, which are only read where somebody asks for them.
    Readings(Batch<'l>),
    /// Everything else.
    Entry(Entry),
}

/// Readings as they stand in a line.
pub(super) enum Batch<'l> {
    /// Begun as this program writes them; the body of the whole line, should it go on in another way.
    AsWritten(Head<'l>, &'l [u8]),
    /// Another form.
    Other(Box<RawValue>),
}

impl<'l> Line<'l> {
    /// Reads a body: a line up to its check sum.
    pub(super) fn of(body: &'l [u8]) -> Result<Self, String> {
        if let Some(head) = Head::of(body) {
            let what = What::Readings(Batch::AsWritten(head, body));
            return Ok(Self { seq: head.seq, utc: Cow::Borrowed(head.utc), ns: head.ns, what, body });
        }
        let BodyIn { seq, utc, ns, entry } = plain(body)?;
        let what = match entry {
            Entry::ReadingsTaken(raw) => What::Readings(Batch::Other(raw)),
            entry => What::Entry(entry),
        };
        Ok(Self { seq, utc: Cow::Owned(utc), ns, what, body })
    }

    /// The same for whoever wants readings alone; `None` where something else stands there, of which no more is read.
    pub(super) fn of_readings(body: &'l [u8]) -> Result<Option<Self>, String> {
        if is_other(body) { Ok(None) } else { Self::of(body).map(Some) }
    }

    /// When it was written.
    pub(super) fn at(&self) -> Result<Stamp, String> {
        let utc = self.utc.parse().map_err(|error| format!("its time cannot be read: {error}"))?;
        Ok(Stamp { utc, monotonic: Instant(self.ns) })
    }
}

impl<'l> Batch<'l> {
    /// The readings as they stand there; `None` where they stand in another form.
    pub(super) fn cells(&self) -> Option<Cells<'l>> {
        match self {
            Self::AsWritten(head, _) => head.cells(),
            Self::Other(_) => None,
        }
    }

    /// What is known without the readings; those are looked at and not kept.
    pub(super) fn head(&self) -> Result<BatchHead, String> {
        match self {
            Self::AsWritten(head, body) => match head.pass_over() {
                Some(head) => Ok(head),
                None => readings_head(&raw(body)?),
            },
            Self::Other(raw) => readings_head(raw),
        }
    }

    /// Reads them into the place of those in `into`, which spares taking memory for each batch anew.
    pub(super) fn read_into(&self, into: &mut Readings) -> Result<(), String> {
        *into = match self {
            Self::AsWritten(head, body) => match head.read_into(into) {
                Some(()) => return Ok(()),
                None => readings_in(&raw(body)?)?,
            },
            Self::Other(raw) => readings_in(raw)?,
        };
        Ok(())
    }
}

/// A body by the rules of JSON. It is written without its closing brace, which stands behind the check sum.
fn plain(body: &[u8]) -> Result<BodyIn, String> {
    let mut json = body.to_vec();
    json.push(b'}');
    serde_json::from_slice(&json).map_err(|error| format!("it cannot be understood: {error}"))
}

fn raw(body: &[u8]) -> Result<Box<RawValue>, String> {
    match plain(body)?.entry {
        Entry::ReadingsTaken(raw) => Ok(raw),
        _ => Err("it cannot be understood: it begins like readings and is none".to_owned()),
    }
}
