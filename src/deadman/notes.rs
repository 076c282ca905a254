//! Which of a dead-man's failed attempts are noted in the record, so that whoever looks sees that it is still at it, and an hour of
//! them stays short. Pure.

use std::time::Duration;

use crate::base::clock::Instant;

/// The longest time between two notes, as long as there are attempts.
const LONGEST: Duration = Duration::from_secs(60);

/// When the first attempt that failed was noted, and the last.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notes(Option<(Instant, Instant)>);

impl Notes {
    /// Whether an attempt that failed now is noted: the first one is, then at doubling distance, and at least each minute. For how long
    /// it has been tried since the first.
    pub fn take(&mut self, now: Instant) -> Option<Duration> {
        let (first, last) = *self.0.get_or_insert((now, now));
        let wait = last.since(first).min(LONGEST);
        if now > first && now.since(last) < wait {
            return None;
        }
        self.0 = Some((first, now));
        Some(now.since(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failed_attempt_is_noted_then_others_at_doubling_distance_and_each_minute() {
        let mut notes = Notes::default();
        let mut noted = |seconds: &mut dyn Iterator<Item = u64>| -> Vec<u64> {
            let mut at = |second: &u64| notes.take(Instant((7000 + second) * 1_000_000_000));
            seconds.filter(|second| at(second) == Some(Duration::from_secs(*second))).collect()
        };
        assert_eq!(noted(&mut (0..200)), [0, 1, 2, 4, 8, 16, 32, 64, 124, 184]);
        let rest = noted(&mut (200..3600));
        assert!(rest.len() <= 58 && rest.windows(2).all(|pair| pair[1] - pair[0] == 60), "{rest:?}");
    }
}
