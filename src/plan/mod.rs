//! What will be done, as a value: it can be printed, checked and estimated before anything moves. Planning touches nothing.

pub mod ability;
pub mod build;
pub mod check;
mod course;
pub mod design;
pub(crate) mod document;
mod estimate;
mod fit;
pub mod forecast;
mod order;
pub mod place;
pub mod profile;
pub mod remaining;
pub mod render;
pub mod rig;
pub mod soak;
pub mod step;
pub(crate) mod written;

pub use ability::Ability;
pub use build::Overrides;
pub use design::Design;
pub use profile::Profile;
pub use rig::Rig;
pub use soak::{PlannedDwell, SoakPlan};
pub use step::{Plan, PlannedPoint, Step};
