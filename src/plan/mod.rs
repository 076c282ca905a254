//! What will be done, as a value: it can be printed, checked and estimated before anything moves. Planning touches nothing.

pub mod build;
pub mod place;
pub mod profile;
pub mod rig;
pub mod step;

pub use profile::Profile;
pub use rig::Rig;
pub use step::{Plan, PlannedPoint, Step};
