//! What changed between board revisions: by how much, with what certainty, at what price.

pub mod stat;
