//! What a person sees of a run, while it goes on or from its journal; a reader of events, as the record is.

pub mod pace;
pub mod screen;
pub mod soak;
pub mod soak_screen;
pub mod state;
pub mod warnings;

pub use pace::Expected;
pub use state::State;
