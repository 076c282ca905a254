//! A person's wish to stop, as the engine sees it: first after the point, then now.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::event::Stop;

/// Shared between whoever hears the wish (a signal, a screen) and the engine.
#[derive(Debug, Clone, Default)]
pub struct StopWish(Arc<AtomicU8>);

impl StopWish {
    /// Asks once more: the first time to end after the point, from the second time on to switch off now.
    pub fn ask(&self) {
        // `fetch_update` cannot fail with a closure that always answers.
        let _ =
            self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |asked| Some(asked.saturating_add(1)));
    }

    /// What is asked for at this moment.
    #[must_use]
    pub fn asked(&self) -> Option<Stop> {
        match self.0.load(Ordering::SeqCst) {
            0 => None,
            1 => Some(Stop::AfterPoint),
            _ => Some(Stop::Now),
        }
    }

    /// Whether the outputs shall go off now.
    #[must_use]
    pub fn is_now(&self) -> bool {
        self.asked() == Some(Stop::Now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_wish_is_stronger_than_the_first() {
        let wish = StopWish::default();
        assert_eq!(wish.asked(), None);
        wish.ask();
        assert_eq!(wish.asked(), Some(Stop::AfterPoint));
        wish.clone().ask();
        assert!(wish.is_now());
        for _ in 0..1000 {
            wish.ask();
        }
        assert!(wish.is_now(), "asking often never turns back to nothing");
    }
}
