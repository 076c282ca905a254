//! What came to pass after a run had its end, added to its record: what people could not be told, and that a bench which could
//! not be verified off is off now.

use std::path::Path;

use super::SessionError;
use crate::base::clock::{Clock, RealClock};
use crate::event::{Event, Stamp, Unsent};
use crate::record::{Record, append_after_end};
use crate::report::products;

/// Adds messages that did not go out to the record of a run that has come to its end, and makes its products anew. A record
/// that has no end is left as it is.
///
/// # Errors
/// The record cannot be read, or the disk refuses.
pub fn keep_unsent(folder: &Path, unsent: Vec<Unsent>) -> Result<(), SessionError> {
    let events = unsent.into_iter().map(|unsent| Event::MessageUnsent(Box::new(unsent)));
    keep_after_end(folder, events.collect())
}

/// Adds events to the record of a run that has come to its end, and makes its products anew. A record that has no end is left as
/// it is.
///
/// # Errors
/// As [`keep_unsent`].
pub(super) fn keep_after_end(folder: &Path, events: Vec<Event>) -> Result<(), SessionError> {
    if events.is_empty() {
        return Ok(());
    }
    let record = Record::open(folder)?;
    let (Some(last), Some(_)) = (record.last(), record.end()) else { return Ok(()) };
    // A simulated run has a time of its own, which has stood still since its end.
    let is_simulated = record.facts().is_some_and(|facts| facts.simulated);
    let at = if is_simulated { last } else { after(last) };
    let events: Vec<(Stamp, Event)> = events.into_iter().map(|event| (at, event)).collect();
    append_after_end(folder, &events)?;
    products::write_all(folder)?;
    Ok(())
}

/// Now, on both clocks of a record that ended a moment ago.
fn after(last: Stamp) -> Stamp {
    let utc = RealClock::new().utc();
    let since = super::resuming::gap_since(last, utc).unwrap_or_default();
    Stamp { utc, monotonic: last.monotonic + since }
}
