//! Bytes to values and back. Nothing here does I/O, nothing panics, everything is bounded.
pub mod line;
