//! soakrig, a hardware-in-the-loop test harness for power supply boards.
//!
//! A rig says what is wired to what, a profile says what to do; together they give a plan, a plain list of steps. The
//! engine carries it out and says what happened as events; the record keeps the events, the report is made from the record
//! alone. The simulated bench is the other end of the wire. `docs/architecture.md` draws the flow and says who may use whom.

// The map of the house, bottom-up. The blank lines keep the order from being sorted.

/// Quantities, names, time, statistics.
pub mod base;

/// A trace and its figures.
pub mod waveform;

/// What hours of readings show: steady state, drift, steps, stability, projections, reliability.
pub mod trend;

/// What happened: events, figures, limits, verdicts.
pub mod event;

/// Bytes, messages and the SCPI conversation.
pub mod link;

/// Instruments: a trait a class, dialects as data.
pub mod instrument;

/// What will be done, as a value.
pub mod plan;

/// The opened rig and the way to make it safe.
pub mod bench;

/// Carries a plan out.
pub mod engine;

/// The second process, which switches off when the first no longer beats.
pub mod deadman;

/// The record of a run: one append-only journal and the sample files.
pub mod record;

/// The simulated bench: the other end of the wire.
pub mod sim;

/// Documents, from a record alone.
pub mod report;

/// Board revisions against each other: what changed, how surely, at what price.
pub mod compare;

/// The state of a run for people, from events.
pub mod live;

/// Tells people and the service manager.
pub mod notify;

/// One run, from files to a sealed folder.
pub mod session;

/// The command line.
pub mod cli;
