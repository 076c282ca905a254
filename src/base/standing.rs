//! Whether this program stood still: a thread that wakes at short intervals wakes late where the whole program did not run,
//! because a signal stopped it, its machine had no memory or its guest was not run. Pure, but for that thread.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::clock::{Clock, Instant, RealClock};

/// Time between two wake-ups.
const NAP: Duration = Duration::from_millis(100);
/// So late a machine wakes nobody that is only busy.
const LATE: Duration = Duration::from_millis(400);

/// The wake-ups of a program.
#[derive(Debug, Clone, Copy)]
pub struct Wakes {
    /// When it should be awake next.
    due: Instant,
    stood: Duration,
}

impl Wakes {
    /// It wakes for the first time.
    #[must_use]
    pub fn begin(now: Instant) -> Self {
        Self { due: now + NAP, stood: Duration::ZERO }
    }

    /// It wakes again.
    pub fn wake(&mut self, now: Instant) {
        *self = Self { due: now + NAP, stood: self.stood(now) };
    }

    /// How long it stood still so far: also by whoever asks before it has woken.
    #[must_use]
    pub fn stood(&self, now: Instant) -> Duration {
        let late = now.since(self.due);
        self.stood + if late >= LATE { late } else { Duration::ZERO }
    }
}

/// Wakes in a thread of its own until it is dropped.
#[derive(Debug)]
pub(super) struct Standing {
    wakes: Arc<Mutex<Wakes>>,
    clock: Arc<RealClock>,
}

impl Standing {
    /// Begins; `None` where the system has no thread to give: then nothing is known of standing still.
    pub(super) fn begin() -> Option<Self> {
        let clock = Arc::new(RealClock::new());
        let wakes = Arc::new(Mutex::new(Wakes::begin(clock.now())));
        let woken = Arc::downgrade(&wakes);
        let waking = Arc::clone(&clock);
        let wake_on = move || {
            while let Some(wakes) = woken.upgrade() {
                wakes.lock().unwrap_or_else(PoisonError::into_inner).wake(waking.now());
                drop(wakes);
                waking.sleep(NAP);
            }
        };
        thread::Builder::new().name("standing".to_owned()).spawn(wake_on).ok()?;
        Some(Self { wakes, clock })
    }

    /// How long the program stood still since then.
    pub(super) fn stood(&self) -> Duration {
        let wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        wakes.stood(self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant(ms * 1_000_000)
    }

    #[test]
    fn a_program_that_wakes_late_stood_still_and_whoever_asks_before_it_knows_it_too() {
        let mut wakes = Wakes::begin(at(0));
        for ms in (100..=5000).step_by(100) {
            wakes.wake(at(ms));
        }
        // Busy, and no more.
        wakes.wake(at(5450));
        assert_eq!(wakes.stood(at(5500)), Duration::ZERO);
        // Stopped for nine seconds: who asks first may be another thread.
        let asked = wakes.stood(at(14_550));
        wakes.wake(at(14_560));
        assert_eq!((asked, wakes.stood(at(14_600))), (Duration::from_secs(9), Duration::from_millis(9010)));
        wakes.wake(at(14_660));
        assert_eq!(wakes.stood(at(14_700)), Duration::from_millis(9010), "it is counted once");
    }

    #[test]
    fn the_thread_ends_with_the_clock_that_it_wakes_for() {
        let standing = Standing::begin().unwrap();
        let wakes = Arc::downgrade(&standing.wakes);
        drop(standing);
        while wakes.strong_count() > 0 {
            thread::yield_now();
        }
    }
}
