//! A plan and the faults of files, for people and for scripts.

mod design;
mod faults;
mod json;
mod text;

pub use design::{Campaign, render_design, render_design_json};
pub use faults::render_faults;
pub use json::render_plan_json;
pub use text::{render_plan, settle_sentence};
