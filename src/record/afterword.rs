//! What is added to a journal whose writer is gone.

use std::path::Path;

use super::RecordError;
use super::convert::entry_of;
use super::disk::RealDisk;
use super::journal::Journal;
use super::products::{MANIFEST, unseal};
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
    append(folder, events).map(Some)
}

/// Adds what was found out only after the run had its end. Where it was sealed, the seal is checked and taken off first:
/// whoever adds makes the products and the seal again.
///
/// # Errors
/// As [`append_afterword`]; a file was changed after the run was sealed.
pub fn append_after_end(folder: &Path, events: &[(Stamp, Event)]) -> Result<(), RecordError> {
    unseal(folder)?;
    append(folder, events).map(|_| ())
}

fn append(folder: &Path, events: &[(Stamp, Event)]) -> Result<Tail, RecordError> {
    let (mut journal, tail) = Journal::reopen(folder)?;
    for (at, event) in events {
        journal.append(&mut RealDisk, *at, &entry_of(event)?)?;
    }
    Ok(tail)
}
