//! The conversation with one instrument: one question in flight, every set acknowledged, every error read.
