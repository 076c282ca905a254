//! Facts about families of instruments, as data.

pub mod fault;
pub mod reading;

pub use crate::link::transport::Address;
pub use crate::link::wire::line::LinePattern;
pub use fault::{Fault, Faults, Label};
