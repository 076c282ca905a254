//! How much of a soak was read, and what the rest was lost to. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::holes::Holes;
use super::soak::{Gap, GapCause};
use crate::base::clock::Instant;

/// Readings that were taken, and those that are missing by their cause.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Readings that were taken at what the plan sets.
    pub taken: u64,
    /// Readings that were taken while an interlock held the run: at a lowered load.
    pub held: u64,
    /// What is missing, by cause; a cause that cost nothing is not there.
    pub lost: BTreeMap<GapCause, Lost>,
    /// Values that are missing in readings that were taken: these are no gap, and lower no share.
    pub holes: Holes,
    /// Where gaps are known: apart from each other, in order; the last ones.
    known: Vec<(Instant, Instant)>,
    /// The last gaps, one of each cause and words, with their ends.
    last: Vec<(GapCause, String, Instant)>,
}

/// What one cause has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lost {
    /// How many gaps it made; those that follow each other within [`Coverage::TOGETHER`] in the same words are one.
    pub gaps: u64,
    /// How many readings are missing in them.
    pub readings: u64,
    /// How long they lasted together, from the last reading before to the first one after.
    pub span: Duration,
}

/// Most causes whose last gap is remembered.
const MOST_CAUSES: usize = 64;

/// Most spans of gaps that are remembered, lest one is counted twice: a gap reaches back to the last reading before it.
const MOST_KNOWN: usize = 64;

impl Coverage {
    /// So far apart gaps of one cause, told in the same words, are one stretch: a silent sensor is asked at least twice as often.
    pub const TOGETHER: Duration = Duration::from_secs(600);

    /// Coverage of so many readings with these gaps between them, in the order in which they were told.
    #[must_use]
    pub fn of<'g>(taken: u64, gaps: impl IntoIterator<Item = &'g Gap>) -> Self {
        let mut coverage = Self { taken, ..Self::default() };
        gaps.into_iter().for_each(|gap| coverage.lose(gap));
        coverage
    }

    /// Takes one more gap. Where gaps overlap, the time that they share counts for the one that was told first.
    pub fn lose(&mut self, gap: &Gap) {
        let whole = gap.to.since(gap.from);
        let span = self.know(gap.from, gap.to);
        if span.is_zero() {
            return;
        }
        let goes_on = self.goes_on(gap);
        let of_cause = self.lost.entry(gap.cause).or_default();
        let part = span.as_secs_f64() / whole.as_secs_f64();
        of_cause.gaps += u64::from(!goes_on);
        of_cause.readings += (gap.missed as f64 * part).round() as u64;
        of_cause.span += span;
    }

    /// Makes a span known, and says how much of it was not.
    fn know(&mut self, from: Instant, to: Instant) -> Duration {
        // Those that touch it become one with it.
        let first = self.known.partition_point(|known| known.1 < from);
        let behind = self.known.partition_point(|known| known.0 <= to).max(first);
        let touched = &self.known[first..behind];
        let shared: Duration = touched.iter().map(|known| known.1.min(to).since(known.0.max(from))).sum();
        let one = touched.iter().fold((from, to), |one, known| (one.0.min(known.0), one.1.max(known.1)));
        self.known.splice(first..behind, [one]);
        if self.known.len() > MOST_KNOWN {
            self.known.remove(0);
        }
        to.since(from).saturating_sub(shared)
    }

    /// Whether a gap is one with one before it; it is remembered for those behind it.
    fn goes_on(&mut self, gap: &Gap) -> bool {
        self.last.retain(|(_, _, to)| gap.from.since(*to) <= Self::TOGETHER);
        let known = self.last.iter_mut().find(|(cause, what, _)| *cause == gap.cause && *what == gap.what);
        if let Some((_, _, to)) = known {
            *to = gap.to.max(*to);
            return true;
        }
        if self.last.len() == MOST_CAUSES {
            self.last.remove(0);
        }
        self.last.push((gap.cause, gap.what.clone(), gap.to));
        false
    }

    /// Readings that should have been taken.
    #[must_use]
    pub fn due(&self) -> u64 {
        self.lost
            .values()
            .fold(self.taken.saturating_add(self.held), |due, lost| due.saturating_add(lost.readings))
    }

    /// Part of the readings due that was taken at what the plan sets, 0 to 1; `None` where none was due.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        self.part(self.taken)
    }

    /// [`Coverage::share`] in per cent, rounded down: 100 is said only where nothing is missing.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        self.share().map(|share| share.mul_add(1e5, 1e-6).floor() / 1e3)
    }

    /// Part of the readings due that was taken while the run was held, in per cent; `None` where none was due.
    #[must_use]
    pub fn percent_held(&self) -> Option<f64> {
        self.part(self.held).map(to_percent)
    }

    /// Part of the readings due that a cause has cost, in per cent; `None` where none was due.
    #[must_use]
    pub fn percent_lost(&self, cause: GapCause) -> Option<f64> {
        self.part(self.lost.get(&cause).map_or(0, |lost| lost.readings)).map(to_percent)
    }

    fn part(&self, readings: u64) -> Option<f64> {
        let due = self.due();
        (due > 0).then(|| readings as f64 / due as f64)
    }
}

/// To a thousandth of a per cent, but never to nothing where there is something.
fn to_percent(share: f64) -> f64 {
    let rounded = (share * 1e5).round() / 1e3;
    if rounded == 0.0 && share > 0.0 { 1e-3 } else { rounded }
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
            let (part, s) = (coverage.percent_lost(*cause).unwrap(), lost.span.as_secs());
            format!("; {cause:?} {}x {} in {s} s = {part:.3} %", lost.gaps, lost.readings)
        });
        format!("{}{}", share(coverage.share()), lost.collect::<String>())
    }

    #[test]
    fn coverage_is_told_by_cause_and_no_second_counts_twice() {
        use GapCause::{Controller, Instrument};
        let table: [(u64, &[Gap], &str); 6] = [
            (0, &[], "-"),
            (86_400, &[], "100.000 %"),
            // Nothing but a gap covers nothing.
            (0, &[gap(0, 11, Controller)], "0.000 %; Controller 1x 10 in 11 s = 100.000 %"),
            (
                900,
                &[gap(100, 151, Instrument), gap(300, 351, Controller)],
                "90.000 %; Instrument 1x 50 in 51 s = 5.000 %; Controller 1x 50 in 51 s = 5.000 %",
            ),
            // The second lies half in the first, the third in the second.
            (
                850,
                &[gap(150, 251, Controller), gap(100, 201, Instrument), gap(110, 120, Controller)],
                "85.000 %; Instrument 1x 50 in 50 s = 5.000 %; Controller 1x 100 in 101 s = 10.000 %",
            ),
            // The last one closes what two others left open.
            (
                900,
                &[gap(100, 131, Instrument), gap(170, 201, Instrument), gap(100, 201, Controller)],
                "90.090 %; Instrument 1x 60 in 62 s = 6.006 %; Controller 1x 39 in 39 s = 3.904 %",
            ),
        ];
        for (taken, gaps, expected) in table {
            assert_eq!(told(taken, gaps), expected);
        }
    }

    #[test]
    fn a_silence_that_makes_a_gap_each_time_it_is_asked_again_is_one_gap_and_the_next_one_another() {
        let silent = |from_s: u64, what: &str| Gap {
            what: what.to_owned(),
            ..gap(from_s, from_s + 3, GapCause::Instrument)
        };
        let mut gaps: Vec<Gap> = (0..20).map(|n| silent(100 + 300 * n, "ambient does not answer")).collect();
        gaps.insert(3, silent(920, "the load did not answer"));
        gaps.push(silent(20_000, "ambient does not answer"));
        let lost = Coverage::of(1000, &gaps).lost[&GapCause::Instrument];
        assert_eq!((lost.gaps, lost.readings), (3, 44));
    }

    #[test]
    fn readings_of_a_hold_are_there_and_yet_none_of_what_the_plan_sets() {
        let mut coverage = Coverage::of(900, &[gap(100, 111, GapCause::Interlock)]);
        coverage.held = 90;
        assert_eq!(coverage.due(), 1000);
        assert_eq!((coverage.percent(), coverage.percent_held()), (Some(90.0), Some(9.0)));
        assert_eq!(coverage.percent_lost(GapCause::Interlock), Some(1.0));
        assert_eq!(Coverage { held: 1, ..Coverage::of(999_999, &[]) }.percent_held(), Some(0.001));
        assert_eq!(Coverage::default().percent_held(), None);
    }
}
