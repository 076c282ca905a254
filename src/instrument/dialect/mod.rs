//! Facts about families of instruments, as data.

pub use crate::link::transport::Address;
pub use crate::link::wire::line::LinePattern;
