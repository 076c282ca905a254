//! Whether the clocks of the controller's machine went on evenly: steps of the wall clock, sleep, and standing still. Pure: what the clocks say
//! goes in.

use std::time::Duration;

use jiff::Timestamp;

use crate::base::clock::{Clock, Instant};

/// A wall clock that is set right bit by bit goes wrong by far less from one look to the next.
const STEP_S: f64 = 2.0;
/// Shorter than this no machine sleeps.
const SLEEP: Duration = Duration::from_secs(1);
/// Longest time that a look at all clocks may take, so that they belong together.
const AT_ONCE: Duration = Duration::from_millis(200);

/// What all clocks said at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Monotonic time, which stands still while the machine sleeps.
    pub monotonic: Instant,
    /// Wall time.
    pub utc: Timestamp,
    /// How long the machine has slept.
    pub slept: Duration,
    /// How long this program stood still.
    pub stood: Duration,
}

impl Look {
    /// Looks at all clocks; `None` where something came between, so that they do not belong together.
    pub fn at(clock: &dyn Clock) -> Option<Self> {
        let look =
            Self { monotonic: clock.now(), utc: clock.utc(), slept: clock.slept(), stood: clock.stood() };
        (clock.now().since(look.monotonic) < AT_ONCE).then_some(look)
    }
}

/// What has happened to the clocks since the look before.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Jumps {
    /// How far the wall clock was set, in seconds; negative: back. `None`: it was not.
    pub stepped_s: Option<f64>,
    /// How long the machine has slept.
    pub slept: Duration,
    /// How long this program stood still.
    pub stood: Duration,
}

/// Remembers the last look.
#[derive(Debug, Default)]
pub struct Timekeeping {
    last: Option<Look>,
}

impl Timekeeping {
    /// Compares a look with the one before.
    pub fn judge(&mut self, look: Look) -> Jumps {
        let Some(before) = self.last.replace(look) else { return Jumps::default() };
        let slept = look.slept.saturating_sub(before.slept);
        let went_s = look.utc.duration_since(before.utc).as_secs_f64();
        let by_s = went_s - (look.monotonic.since(before.monotonic) + slept).as_secs_f64();
        Jumps {
            stepped_s: (by_s.abs() > STEP_S).then_some(by_s),
            slept: if slept >= SLEEP { slept } else { Duration::ZERO },
            stood: look.stood.saturating_sub(before.stood),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_the_wall_clock_and_sleep_are_told_apart() {
        // What the clocks say a second later by the monotonic one: wall time since, time slept since.
        let table = [
            ("evenly", 1.0, 0.0, None, 0.0),
            ("set right bit by bit", 1.4, 0.0, None, 0.0),
            ("set forward", 3601.0, 0.0, Some(3600.0), 0.0),
            ("set back", -3599.0, 0.0, Some(-3600.0), 0.0),
            ("slept", 3601.0, 3600.0, None, 3600.0),
            ("slept, and set back meanwhile", 1.0, 3600.0, Some(-3600.0), 3600.0),
            ("a difference between two readings of clocks is no sleep", 1.0, 0.002, None, 0.0),
        ];
        let start: Timestamp = "2026-11-27T22:00:00Z".parse().unwrap();
        for (what, utc_s, slept_s, stepped_s, told_slept_s) in table {
            let mut clocks = Timekeeping::default();
            let look = |s: u64, utc_s: f64, slept_s: f64| Look {
                monotonic: Instant(s * 1_000_000_000),
                utc: start + jiff::SignedDuration::from_secs_f64(utc_s),
                slept: Duration::from_secs_f64(slept_s),
                stood: Duration::from_secs(s * 5),
            };
            assert_eq!(clocks.judge(look(0, 0.0, 0.0)), Jumps::default());
            let jumps = clocks.judge(look(1, utc_s, slept_s));
            let stood = Duration::from_secs(5);
            let expected = Jumps { stepped_s, slept: Duration::from_secs_f64(told_slept_s), stood };
            assert_eq!(jumps, expected, "{what}");
            let after = clocks.judge(Look { stood, ..look(2, utc_s + 1.0, slept_s) });
            assert_eq!(after, Jumps::default(), "{what}: told once");
        }
    }
}
