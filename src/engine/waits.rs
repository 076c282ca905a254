//! Which instrument was waited for longest, so that a late reading can say why it is late.

use std::time::Duration;

use crate::base::clock::{Clock, Instant};
use crate::base::names::Role;

/// The longest wait for one instrument, from one reading to the next.
#[derive(Debug, Default)]
pub struct Waits {
    since: Option<(Role, Duration)>,
    before: Option<(Role, Duration)>,
}

/// One to an instrument, which is put now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    at: Instant,
    stood: Duration,
}

impl Question {
    pub(super) fn put(clock: &dyn Clock) -> Self {
        Self { at: clock.now(), stood: clock.stood() }
    }

    /// For how long it was waited until now. The time in which this program stood still is none of the instrument's: its answer may
    /// have lain there all the while.
    fn waited(self, clock: &dyn Clock) -> Duration {
        let stood = clock.stood().saturating_sub(self.stood);
        clock.now().since(self.at).saturating_sub(stood)
    }
}

impl Waits {
    /// An instrument that was asked has answered now, or was given up.
    pub(super) fn note(&mut self, role: &Role, asked: Question, clock: &dyn Clock) {
        let span = asked.waited(clock);
        if self.since.as_ref().is_none_or(|(_, longest)| span > *longest) {
            self.since = Some((role.clone(), span));
        }
    }

    /// The meters were read: what is waited for from now on makes the next reading late.
    pub(super) fn close(&mut self) {
        self.before = self.since.take();
    }

    /// The last reading was not kept: what it waited for makes the next one late, too.
    pub(super) fn go_on(&mut self) {
        let Some((role, span)) = self.before.take() else { return };
        if self.since.as_ref().is_none_or(|(_, longest)| span > *longest) {
            self.since = Some((role, span));
        }
    }

    /// The longest wait between the last reading and the one before it.
    pub(super) const fn take_before_reading(&mut self) -> Option<(Role, Duration)> {
        self.before.take()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use jiff::Timestamp;

    use super::*;
    use crate::base::clock::Task;

    /// Says what it is told: the time, and how long the program stood still.
    struct Told(Mutex<(u64, u64)>);

    impl Clock for Told {
        fn now(&self) -> Instant {
            Instant(self.0.lock().unwrap().0 * 1_000_000)
        }
        fn utc(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
        fn slept(&self) -> Duration {
            Duration::ZERO
        }
        fn stood(&self) -> Duration {
            Duration::from_millis(self.0.lock().unwrap().1)
        }
        fn sleep(&self, _: Duration) {}
        fn together(&self, _: Vec<Task<'_>>) {}
    }

    #[test]
    fn an_instrument_is_waited_for_only_while_this_program_runs() {
        // How long from question to answer, and how long of it the program stood still.
        for (took_ms, stood_ms, waited_ms) in [(9000, 0, 9000), (9000, 8900, 100), (9000, 3000, 6000)] {
            let clock = Told(Mutex::new((500, 70)));
            let (mut waits, role) = (Waits::default(), "load".parse::<Role>().unwrap());
            let asked = Question::put(&clock);
            *clock.0.lock().unwrap() = (500 + took_ms, 70 + stood_ms);
            waits.note(&role, asked, &clock);
            waits.close();
            assert_eq!(waits.take_before_reading(), Some((role, Duration::from_millis(waited_ms))));
        }
    }
}
