//! What changed between board revisions: by how much, with what certainty, at what price.

pub mod aspect;
pub mod band;
pub mod bounds;
pub mod cell;
mod certainty;
pub mod comparison;
mod completeness;
pub mod course;
pub mod effect;
pub mod floors;
pub mod gate;
pub mod gather;
pub mod group;
pub mod guard;
pub mod next;
pub mod quantity;
pub mod regulation;
pub mod run;
pub mod run_order;
pub mod scores;
mod soak;
pub mod spectra;
pub mod stat;
pub mod stretch;

pub use comparison::{Comparison, Request, compare};
pub use course::{MOST_STEPS, Over};
pub use gather::Gathering;
pub use group::Group;
pub use run::{Run, read_run};
pub use stretch::{Stretch, Stretches};
