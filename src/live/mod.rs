//! What a person sees while a run goes on; a reader of events, as the record is.

pub mod view;
