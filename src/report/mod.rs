//! What a run's record says, for people and for machines: a page, a few lines for the terminal, JUnit. Made from the record
//! alone; the same record gives the same bytes.

pub mod analysis;
mod base64;
pub mod build;
pub mod capture;
pub mod compare;
pub mod facts;
pub mod figure;
pub mod html;
pub mod junit;
pub mod pictures;
pub mod products;
mod reason;
pub mod recompute;
pub mod soak;
pub mod svg;
pub mod text;
pub mod thermal;

pub use build::{Report, build};
pub use products::{Written, write_all};
