//! The simulated bench: one world behind real SCPI bytes; instruments written from manuals, never from our dialect files.
//!
//! A [`World`] holds one plant and four instruments; [`SimOpener`] is the door inside the process, [`Server`] the
//! one to the outside.

pub mod days;
mod decimal;
pub mod fault;
mod load;
mod panel;
mod plant;
#[cfg(unix)]
mod pty;
pub mod schedule;
mod scope;
mod screen;
pub mod server;
mod supply;
#[cfg(test)]
mod tests;
mod thermometer;
pub mod transport;
pub mod world;

pub use days::Days;
pub use fault::{Fault, Spoiling};
pub use load::LoadModel;
pub use plant::board::Filter;
pub use plant::buck::Mode;
pub use schedule::{Mishap, Trouble, build_schedule};
pub use server::{Ports, Server};
pub use transport::SimOpener;
pub use world::{Instrument, Truth, World, WorldSettings};
