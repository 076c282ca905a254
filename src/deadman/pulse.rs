//! Signs of life. Whoever works asks for the time, waits, or does things side by side: a clock that counts this tells a
//! program that works from one that hangs, without a thread that would beat on beside one that hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::base::clock::{Clock, Instant, RealClock, Task};

/// How often somebody gave a sign of life; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// Gives a sign of life.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    /// The signs so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A clock; whoever uses it gives a sign of life.
pub struct LivingClock {
    clock: Arc<dyn Clock>,
    pulse: Pulse,
}

impl LivingClock {
    /// The machine's clock, which counts in `pulse` and notices when the program stands still.
    #[must_use]
    pub fn new(pulse: Pulse) -> Self {
        Self::over(Arc::new(RealClock::noticing()), pulse)
    }
    /// Another clock, which counts in `pulse`.
    #[must_use]
    pub const fn over(clock: Arc<dyn Clock>, pulse: Pulse) -> Self {
        Self { clock, pulse }
    }
}

impl Clock for LivingClock {
    fn now(&self) -> Instant {
        self.pulse.beat();
        self.clock.now()
    }
    fn utc(&self) -> Timestamp {
        self.clock.utc()
    }
    fn slept(&self) -> Duration {
        self.clock.slept()
    }
    fn stood(&self) -> Duration {
        self.clock.stood()
    }
    fn sleep(&self, span: Duration) {
        self.pulse.beat();
        self.clock.sleep(span);
    }
    fn together(&self, tasks: Vec<Task<'_>>) {
        self.clock.together(tasks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_for_the_time_or_waits_lives() {
        let pulse = Pulse::default();
        let clock = LivingClock::new(pulse.clone());
        assert_eq!(pulse.count(), 0);
        let start = clock.now();
        clock.sleep(Duration::from_micros(1));
        assert!(clock.now() > start);
        assert_eq!(pulse.count(), 3);
    }
}
