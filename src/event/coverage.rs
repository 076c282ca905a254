//! How much of a soak was read, and what the rest was lost to. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::soak::{Gap, GapCause};
use crate::base::clock::Instant;

/// Readings that were taken, and those that are missing by their cause.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Readings that were taken.
    pub taken: u64,
    /// What is missing, by cause; a cause that cost nothing is not there.
    pub lost: BTreeMap<GapCause, Lost>,
    /// Up to where gaps are known.
    known_to: Instant,
}

/// What one cause has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lost {
    /// How many gaps it made.
    pub gaps: u64,
    /// How many readings are missing in them.
    pub readings: u64,
    /// How long they lasted together, from the last reading before to the first one after.
    pub span: Duration,
}

impl Coverage {
    /// Coverage of so many readings with these gaps between them. Where gaps overlap, the time that they share counts for the
    /// one that began first.
    #[must_use]
    pub fn of<'g>(taken: u64, gaps: impl IntoIterator<Item = &'g Gap>) -> Self {
        let mut gaps: Vec<&Gap> = gaps.into_iter().collect();
        gaps.sort_by_key(|gap| (gap.from, gap.to));
        let mut coverage = Self { taken, ..Self::default() };
        gaps.into_iter().for_each(|gap| coverage.lose(gap));
        coverage
    }

    /// Takes one more gap, of those that are told in the order in which they began.
    pub fn lose(&mut self, gap: &Gap) {
        let (whole, span) = (gap.to.since(gap.from), gap.to.since(gap.from.max(self.known_to)));
        self.known_to = self.known_to.max(gap.to);
        if span.is_zero() {
            return;
        }
        let of_cause = self.lost.entry(gap.cause).or_default();
        let part = span.as_secs_f64() / whole.as_secs_f64();
        of_cause.gaps += 1;
        of_cause.readings += (gap.missed as f64 * part).round() as u64;
        of_cause.span += span;
    }

    /// Readings that should have been taken.
    #[must_use]
    pub fn due(&self) -> u64 {
        self.lost.values().fold(self.taken, |due, lost| due.saturating_add(lost.readings))
    }

    /// Part of the readings due that was taken, 0 to 1; `None` where none was due.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        self.part(self.taken)
    }

    /// [`Coverage::share`] in per cent, rounded down: 100 is said only where nothing is missing.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        self.share().map(|share| share.mul_add(1e5, 1e-6).floor() / 1e3)
    }

    /// Part of the readings due that a cause has cost, 0 to 1; `None` where none was due.
    #[must_use]
    pub fn share_lost(&self, cause: GapCause) -> Option<f64> {
        self.part(self.lost.get(&cause).map_or(0, |lost| lost.readings))
    }

    fn part(&self, readings: u64) -> Option<f64> {
        let due = self.due();
        (due > 0).then(|| readings as f64 / due as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(from_s: u64, to_s: u64, cause: GapCause) -> Gap {
        let at = |s: u64| Instant(s * 1_000_000_000);
        Gap { from: at(from_s), to: at(to_s), missed: to_s - from_s - 1, cause, what: String::new() }
    }

    fn told(taken: u64, gaps: &[Gap]) -> String {
        let coverage = Coverage::of(taken, gaps);
        let share =
            |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{:.3} %", share * 100.0));
        let lost = coverage.lost.iter().map(|(cause, lost)| {
            let (part, s) = (share(coverage.share_lost(*cause)), lost.span.as_secs());
            format!("; {cause:?} {}x {} in {s} s = {part}", lost.gaps, lost.readings)
        });
        format!("{}{}", share(coverage.share()), lost.collect::<String>())
    }

    #[test]
    fn coverage_is_told_by_cause_and_no_second_counts_twice() {
        use GapCause::{Controller, Instrument};
        let table: [(u64, &[Gap], &str); 5] = [
            (0, &[], "-"),
            (86_400, &[], "100.000 %"),
            // Nothing but a gap covers nothing.
            (0, &[gap(0, 11, Controller)], "0.000 %; Controller 1x 10 in 11 s = 100.000 %"),
            (
                900,
                &[gap(100, 151, Instrument), gap(300, 351, Controller)],
                "90.000 %; Instrument 1x 50 in 51 s = 5.000 %; Controller 1x 50 in 51 s = 5.000 %",
            ),
            // The second lies in the first, the third half so; the order in which they were told does not matter.
            (
                850,
                &[gap(150, 251, Controller), gap(100, 201, Instrument), gap(110, 120, Controller)],
                "85.000 %; Instrument 1x 100 in 101 s = 10.000 %; Controller 1x 50 in 50 s = 5.000 %",
            ),
        ];
        for (taken, gaps, expected) in table {
            assert_eq!(told(taken, gaps), expected);
        }
    }
}
