//! Whether the scope still works: seen by whoever watches the meters meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the scope is still at work while the meters are watched.
#[derive(Debug)]
pub struct Transfer(AtomicBool);

impl Default for Transfer {
    /// At work, from before its task has begun.
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Transfer {
    /// At work as long as the answer lives: also a panic ends it.
    pub fn running(&self) -> impl Drop + '_ {
        Running(&self.0)
    }

    pub(super) fn is_running(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

struct Running<'a>(&'a AtomicBool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}
