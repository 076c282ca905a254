//! A comparison for people and for machines: lines for the terminal, JSON, JUnit, a page with pictures.

pub mod amount;
pub mod bound_words;
pub mod captions;
pub mod course;
pub mod draw;
pub mod gate_words;
pub mod json;
pub mod junit;
pub mod next;
pub mod order_words;
pub mod page;
pub(super) mod parts;
pub mod pictures;
pub mod schema;
pub mod text;
pub mod traces;
pub mod untold;
pub mod words;
