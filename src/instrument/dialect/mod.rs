//! Facts about families of instruments, as data.

pub mod fault;

pub use crate::link::transport::Address;
pub use crate::link::wire::line::LinePattern;
pub use fault::{Fault, Label};
