//! A person's wish to stop, as the engine sees it: first after the point, then now.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::cut::Cut;
use crate::event::Stop;

/// Shared between whoever hears the wish (a signal, a screen) and the engine.
#[derive(Debug, Clone, Default)]
pub struct StopWish {
    asked: Arc<AtomicU8>,
    /// What is cut short when the outputs shall go off now.
    cuts: Arc<Mutex<Vec<Cut>>>,
    /// Why the outputs shall go off now, where it is no person's wish.
    fault: Arc<Mutex<Option<String>>>,
    /// Why the run shall end after the point, where it is no person's wish.
    lack: Arc<Mutex<Option<String>>>,
}

impl StopWish {
    /// Asks once more: the first time to end after the point, from the second time on to switch off now.
    pub fn ask(&self) {
        // `fetch_update` cannot fail with a closure that always answers.
        let _ = self
            .asked
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |asked| Some(asked.saturating_add(1)));
        self.cut_short();
    }

    /// Asks for the outputs to go off now because something failed: the run has then tripped, nobody has stopped it.
    pub fn fail(&self, why: String) {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.ask();
        self.ask();
    }

    /// Asks for the end after the point because something runs short that the run needs, unless somebody has stopped it already.
    pub fn run_short(&self, why: String) {
        if self.asked().is_none() {
            self.lack.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
            self.ask();
        }
    }

    /// What ran short, if it was no person who asked.
    #[must_use]
    pub fn lack(&self) -> Option<String> {
        self.lack.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What failed, if it was no person who asked.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has `cut` asked for as soon as the outputs shall go off now: no question that is under way holds that up.
    pub fn attach(&self, cut: &Cut) {
        self.cuts.lock().unwrap_or_else(PoisonError::into_inner).push(cut.clone());
        self.cut_short();
    }

    fn cut_short(&self) {
        if self.is_now() {
            self.cuts.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(Cut::ask);
        }
    }

    /// What is asked for at this moment.
    #[must_use]
    pub fn asked(&self) -> Option<Stop> {
        match self.asked.load(Ordering::SeqCst) {
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
    fn what_runs_short_ends_the_run_after_the_point_and_takes_no_persons_wish_back() {
        let wish = StopWish::default();
        wish.run_short("the disk is full".to_owned());
        wish.run_short("fuller still".to_owned());
        assert_eq!(
            (wish.asked(), wish.lack().as_deref()),
            (Some(Stop::AfterPoint), Some("the disk is full"))
        );
        wish.ask();
        assert_eq!(wish.asked(), Some(Stop::Now));
        let stopped = StopWish::default();
        stopped.ask();
        stopped.run_short("the disk is full".to_owned());
        assert_eq!((stopped.asked(), stopped.lack()), (Some(Stop::AfterPoint), None));
    }

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

    #[test]
    fn what_is_attached_is_cut_short_at_the_second_wish_or_at_once_if_that_was_before() {
        let (wish, early, late) = (StopWish::default(), Cut::default(), Cut::default());
        wish.attach(&early);
        wish.ask();
        assert!(!early.is_asked());
        wish.ask();
        assert!(early.is_asked());
        wish.attach(&late);
        assert!(late.is_asked());
    }
}
