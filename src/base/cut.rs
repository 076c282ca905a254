//! A wish that all waiting ends now, and how far whoever waits heeds it.
//!
//! An instrument that takes bytes and answers nothing would otherwise hold up switching off until its time-outs are over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::clock::Clock;

/// The longest wait without a look at the wish.
pub const SLICE: Duration = Duration::from_millis(50);

/// The wish to cut all waiting short, shared by everybody who has it or heeds it. Each [`Cut::branch`] hears the same wish
/// and can be spared by itself: then it waits again, but gives up after a silence of its own.
#[derive(Debug, Clone, Default)]
pub struct Cut {
    wish: Arc<AtomicBool>,
    /// The silence that a spared branch bears, in nanoseconds; 0 as long as it heeds the wish.
    silence_ns: Arc<AtomicU64>,
}

impl Cut {
    /// One that hears the same wish and is spared by itself.
    #[must_use]
    pub fn branch(&self) -> Self {
        Self { wish: Arc::clone(&self.wish), silence_ns: Arc::default() }
    }

    /// Asks that all waiting ends, on every branch that is not spared. There is no way back.
    pub fn ask(&self) {
        self.wish.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked for, by whomever.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.wish.load(Ordering::SeqCst)
    }

    /// Whether waiting on this branch ends now.
    #[must_use]
    pub fn is_now(&self) -> bool {
        self.is_asked() && self.silence_ns.load(Ordering::SeqCst) == 0
    }

    /// From now on this branch takes no notice of the wish, asked or still to be asked; but it waits for nothing that is
    /// silent for longer than `silence`.
    pub fn spare(&self, silence: Duration) {
        let nanos = u64::try_from(silence.as_nanos()).unwrap_or(u64::MAX);
        self.silence_ns.store(nanos.max(1), Ordering::SeqCst);
    }

    /// The silence that a spared branch bears.
    #[must_use]
    pub fn silence(&self) -> Option<Duration> {
        match self.silence_ns.load(Ordering::SeqCst) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    /// Sleeps for `span`; `false` if that was cut short.
    #[must_use]
    pub fn sleep(&self, clock: &dyn Clock, span: Duration) -> bool {
        let (start, silence) = (clock.now(), self.silence());
        let end = start + silence.map_or(span, |silence| silence.min(span));
        loop {
            if self.is_now() {
                return false;
            }
            let left = end.since(clock.now());
            if left.is_zero() {
                return silence.is_none_or(|silence| silence >= span);
            }
            clock.sleep(left.min(SLICE));
        }
    }
}

impl PartialEq for Cut {
    /// Whether it is the same branch of the same wish.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.wish, &other.wish) && Arc::ptr_eq(&self.silence_ns, &other.silence_ns)
    }
}

impl Eq for Cut {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::SimClock;

    const MS: Duration = Duration::from_millis(1);

    fn clock() -> SimClock {
        SimClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_wish_is_heard_on_every_branch_that_is_not_spared() {
        let root = Cut::default();
        let (heeding, spared) = (root.branch(), root.branch());
        spared.spare(MS * 400);
        assert!(!heeding.is_now());
        root.ask();
        assert!(root.is_now() && heeding.is_now());
        assert!(spared.is_asked() && !spared.is_now());
        assert!(root.branch().is_now(), "a branch made later hears it too");
    }

    #[test]
    fn a_sleep_is_cut_short_within_a_slice_and_a_spared_one_after_its_silence() {
        let clock = clock();
        let cut = Cut::default();
        let whole = cut.sleep(&clock, MS * 420);
        assert!(whole && clock.now().0 == 420_000_000, "{:?}", clock.now());
        let mut slept = None;
        clock.together(vec![
            Box::new(|| slept = Some((cut.sleep(&clock, MS * 10_000), clock.now().0 / 1_000_000))),
            Box::new(|| {
                clock.sleep(MS * 1000);
                cut.ask();
            }),
        ]);
        let (whole, at_ms) = slept.unwrap();
        assert!(!whole && (1420..=1470).contains(&at_ms), "{at_ms}");
        cut.spare(MS * 400);
        let before = clock.now();
        assert!(cut.sleep(&clock, MS * 400), "a silence that is borne is none too much");
        assert!(!cut.sleep(&clock, MS * 9000));
        assert_eq!(clock.now().since(before), MS * 800);
    }
}
