//! Placeholder while this file is written.
