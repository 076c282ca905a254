//! Tells people who are not there: by a command and by HTTP, from threads of its own. A run never waits for it and never fails
//! by it. Nothing is sent anywhere unless a file says so.

pub mod command;
pub mod http;
pub mod ladder;
pub mod level;
pub mod message;
mod post;
pub mod queue;
mod schema;
#[cfg(unix)]
pub mod service_unix;
pub mod settings;

pub use level::Level;
pub use message::{About, Message, Standing};
pub use post::{Note, Notifier, try_each};
pub use settings::{Key, Settings, explain, json_schema, parse};
