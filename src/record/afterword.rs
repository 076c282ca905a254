//! What is added to a journal whose writer is gone.

use std::path::Path;

use super::RecordError;
use super::convert::entry_of;
use super::disk::RealDisk;
use super::journal::Journal;
use super::products::MANIFEST;
use super::recover::Tail;
use crate::event::{Event, Stamp};

/// Adds events behind the last whole line; a line that was torn is cut, and how is told. A sealed run has said its last
/// word: then nothing is added, and the answer is `None`. The writer must be gone, for two would tangle the chain.
///
/// # Errors
/// There is no journal, it is damaged before its last line, or the disk refuses.
pub fn append_afterword(folder: &Path, events: &[(Stamp, Event)]) -> Result<Option<Tail>, RecordError> {
    if folder.join(MANIFEST).exists() {
        return Ok(None);
    }
    let (mut journal, tail) = Journal::reopen(folder)?;
    for (at, event) in events {
        journal.append(&mut RealDisk, *at, &entry_of(event)?)?;
    }
    Ok(Some(tail))
}
