//! The head of a journal: what it says of the run before anything was measured.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use crate::event::RunFacts;

use super::format::Entry;
use super::journal;
use super::line::What;
use super::pieces::facts_in;
use super::recover::{Whole, read_on};

/// The facts of a run from the head of its journal, without reading the rest; `None` where its first lines do not tell them.
#[must_use]
pub fn read_facts(folder: &Path) -> Option<RunFacts> {
    /// Longer than any line before them can be.
    const HEAD: u64 = 1 << 22;
    let path = folder.join(journal::FILE_NAME);
    let mut reader = BufReader::new(File::open(&path).ok()?.take(HEAD));
    let (mut found, mut whole) = (None, Whole::NOTHING);
    // Nothing behind the facts is wanted: the reading ends there, as it does at a fault.
    let _ = read_on(&path, &mut reader, &mut whole, |line| {
        let What::Entry(Entry::RunStarted(facts)) = line.what else { return Ok(()) };
        found = facts_in(*facts).ok();
        Err("this is enough".to_owned())
    });
    found
}
