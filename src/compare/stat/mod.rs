//! The statistics of a comparison: board scores go in, statements with intervals come out.
//!
//! Pure; the board is the unit of replication, so a slice holds one score a board. What cannot be concluded from what is
//! there is an error with the reason in words, never a number. Definitions and sources: `docs/comparison.md`.
