//! Facts about families of instruments, as data.
//!
//! A family's file is read by [`reading`], checked by [`check`] against the closed list of [`verb`]s, and kept as a
//! [`Family`]; the [`Registry`] holds them all. `docs/adding-an-instrument.md` explains every key.

mod ability;
pub mod check;
pub mod family;
pub mod fault;
pub mod identify;
mod phrase;
pub mod reading;
pub mod registry;
pub mod schema;
pub mod template;
pub mod verb;

pub use crate::link::transport::Address;
pub use crate::link::wire::line::LinePattern;
pub use family::{Class, Family};
pub use fault::{Fault, Faults, Label};
pub use registry::Registry;
