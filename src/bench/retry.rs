//! What to do about an error, by its kind alone. Pure.

use std::time::Duration;

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

/// The remedy after the `attempt`-th failure (from 1) of the same action.
#[must_use]
pub fn remedy(kind: ErrorKind, attempt: u32) -> Remedy {
    let pause = Duration::from_millis(250) * 2u32.saturating_pow(attempt.saturating_sub(1).min(6));
    match kind {
        ErrorKind::Protection => Remedy::Trip,
        // Whoever cut it short wants the outputs off, not the answer.
        ErrorKind::Refused | ErrorKind::Unsupported | ErrorKind::CutShort => Remedy::GiveUp,
        _ if attempt >= ATTEMPTS => Remedy::GiveUp,
        ErrorKind::TimedOut | ErrorKind::Nonsense => Remedy::Again(pause),
        ErrorKind::LinkLost => Remedy::Reopen(pause * 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_tried_again_by_their_kind_and_never_for_ever() {
        use ErrorKind::*;
        let mut table = String::new();
        for kind in [TimedOut, Nonsense, LinkLost, Refused, Unsupported, Protection] {
            let remedies: Vec<String> = (1..=4).map(|n| format!("{:?}", remedy(kind, n))).collect();
            table += &format!("{kind:?}: {}\n", remedies.join(", "));
        }
        insta::assert_snapshot!(table, @r"
        TimedOut: Again(250ms), Again(500ms), Again(1s), GiveUp
        Nonsense: Again(250ms), Again(500ms), Again(1s), GiveUp
        LinkLost: Reopen(1s), Reopen(2s), Reopen(4s), GiveUp
        Refused: GiveUp, GiveUp, GiveUp, GiveUp
        Unsupported: GiveUp, GiveUp, GiveUp, GiveUp
        Protection: Trip, Trip, Trip, Trip
        ");
    }
}
