//! One integration binary; each module is a room or a promise.
mod placeholder {}
