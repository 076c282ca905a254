//! What to do about an error: by its kind, by how often it was tried, by how long it lasts. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::clock::Instant;
use crate::link::ErrorKind;

/// What to do after a failed action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Wait, then do the same again.
    Again(Duration),
    /// Wait, open the link anew, restore the settings, then do the point again.
    Reopen(Duration),
    /// No use: end the run.
    GiveUp,
    /// The instrument protected itself: end the run as tripped.
    Trip,
}

/// Attempts of one action, the first included.
pub const ATTEMPTS: u32 = 4;
/// Longest pause before a link is opened anew.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Most troubles within an hour: a bench that fails more often is not one to leave alone.
pub const MOST_AN_HOUR: usize = 12;
const HOUR: Duration = Duration::from_secs(3600);

/// The remedy after the `attempt`-th failure (from 1) of the same action. `may_last`: there is time left beyond the attempts,
/// for an instrument that starts up needs more of it than they take.
#[must_use]
pub fn remedy(kind: ErrorKind, attempt: u32, may_last: bool) -> Remedy {
    let pause = Duration::from_millis(250) * 2u32.saturating_pow(attempt.saturating_sub(1).min(6));
    match kind {
        ErrorKind::Protection => Remedy::Trip,
        // Whoever cut it short wants the outputs off, not the answer.
        ErrorKind::Refused | ErrorKind::Unsupported | ErrorKind::CutShort => Remedy::GiveUp,
        _ if attempt >= ATTEMPTS && !may_last => Remedy::GiveUp,
        ErrorKind::TimedOut | ErrorKind::Nonsense if attempt < ATTEMPTS => Remedy::Again(pause),
        _ => Remedy::Reopen((pause * 4).min(LONGEST_PAUSE)),
    }
}

/// A failure as one of a trouble that may go on for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trouble {
    /// All had gone well since the one before.
    pub is_new: bool,
    /// How long it has lasted.
    pub lasted: Duration,
    /// It has come too often within an hour.
    pub too_often: bool,
}

/// Remembers how long a trouble lasts and how often there was one. Of bounded size.
#[derive(Debug, Default)]
pub struct Breaker {
    troubles: VecDeque<Instant>,
}

impl Breaker {
    /// Takes a failure; `is_new`: all went well since the one before.
    pub fn take(&mut self, at: Instant, is_new: bool) -> Trouble {
        let is_new = is_new || self.troubles.is_empty();
        if is_new {
            self.troubles.push_back(at);
        }
        while self.troubles.len() > 1 && self.troubles.front().is_some_and(|first| at.since(*first) > HOUR) {
            self.troubles.pop_front();
        }
        let lasted = self.troubles.back().map_or(Duration::ZERO, |since| at.since(*since));
        Trouble { is_new, lasted, too_often: self.troubles.len() > MOST_AN_HOUR }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_tried_again_by_their_kind_and_never_for_ever() {
        use ErrorKind::*;
        let mut table = String::new();
        for may_last in [false, true] {
            for kind in [TimedOut, Nonsense, LinkLost, Refused, Unsupported, Protection] {
                let remedies: Vec<String> =
                    (1..=6).map(|n| format!("{:?}", remedy(kind, n, may_last))).collect();
                table += &format!("{kind:?}: {}\n", remedies.join(", "));
            }
        }
        insta::assert_snapshot!(table, @r"
        TimedOut: Again(250ms), Again(500ms), Again(1s), GiveUp, GiveUp, GiveUp
        Nonsense: Again(250ms), Again(500ms), Again(1s), GiveUp, GiveUp, GiveUp
        LinkLost: Reopen(1s), Reopen(2s), Reopen(4s), GiveUp, GiveUp, GiveUp
        Refused: GiveUp, GiveUp, GiveUp, GiveUp, GiveUp, GiveUp
        Unsupported: GiveUp, GiveUp, GiveUp, GiveUp, GiveUp, GiveUp
        Protection: Trip, Trip, Trip, Trip, Trip, Trip
        TimedOut: Again(250ms), Again(500ms), Again(1s), Reopen(5s), Reopen(5s), Reopen(5s)
        Nonsense: Again(250ms), Again(500ms), Again(1s), Reopen(5s), Reopen(5s), Reopen(5s)
        LinkLost: Reopen(1s), Reopen(2s), Reopen(4s), Reopen(5s), Reopen(5s), Reopen(5s)
        Refused: GiveUp, GiveUp, GiveUp, GiveUp, GiveUp, GiveUp
        Unsupported: GiveUp, GiveUp, GiveUp, GiveUp, GiveUp, GiveUp
        Protection: Trip, Trip, Trip, Trip, Trip, Trip
        ");
    }

    #[test]
    fn a_trouble_lasts_until_all_goes_well_and_too_many_of_them_are_told() {
        let at = |s: u64| Instant(s * 1_000_000_000);
        let mut breaker = Breaker::default();
        assert_eq!(breaker.take(at(10), false), Trouble { is_new: true, ..Trouble::default() });
        assert_eq!(breaker.take(at(25), false).lasted, Duration::from_secs(15));
        assert_eq!(breaker.take(at(90), true).lasted, Duration::ZERO);
        // One in ten minutes may go on for days, one a minute not for a quarter of an hour.
        let first_too_often = |every_s: u64| {
            let mut breaker = Breaker::default();
            (1..1000).map(|n| n * every_s).find(|s| breaker.take(at(*s), true).too_often)
        };
        assert_eq!(first_too_often(600), None);
        assert_eq!(first_too_often(60), Some(13 * 60));
    }
}
