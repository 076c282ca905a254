//! The way to an instrument, in three layers: bytes and values ([`wire`]), whole messages over one link
//! ([`transport`]), the conversation ([`scpi`]).

pub mod scpi;
pub mod transport;
pub mod wire;
