//! A sensor that says the same for too long: how that is told, and which readings hold its last value instead of a fresh one. Pure.

use std::time::Duration;

use super::Reading;
use super::holes::column_of;
use crate::base::clock::Instant;
use crate::base::names::Role;
use crate::base::units::Celsius;

const BEGIN: &str = "it has said exactly ";
const SPAN: &str = " for ";
const END: &str = ": it is frozen";

/// That a sensor has said one temperature for so long that nobody believes it any more.
#[must_use]
pub fn told(temperature: Celsius, unchanged: Duration) -> String {
    format!("{BEGIN}{temperature}{SPAN}{unchanged:?}{END}")
}

/// For how long the value had stood still when that was told; `None` of any other failure.
#[must_use]
pub fn unchanged(what: &str) -> Option<Duration> {
    let told = what.split_once(BEGIN)?.1.split_once(END)?.0;
    let span = told.rsplit_once(SPAN)?.1;
    let units = [("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)];
    let (number, unit_s) =
        units.iter().find_map(|(unit, unit_s)| Some((span.strip_suffix(unit)?, unit_s)))?;
    Duration::try_from_secs_f64(number.trim().parse::<f64>().ok()? * unit_s).ok()
}

/// A time in which a sensor stood still before anybody noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoodStill {
    /// Name of the value, as in [`Reading::COLUMNS`].
    pub column: &'static str,
    /// Behind this the value was none of its own time.
    pub from: Instant,
    /// When it was noticed last.
    pub to: Instant,
    /// How many readings hold it.
    pub readings: u64,
}

/// All of these times of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frozen(Vec<StoodStill>);

impl Frozen {
    /// Takes a failure of a sensor, in the order of time.
    pub fn fail(&mut self, at: Instant, role: &Role, what: &str) {
        let (Some(unchanged), Some(place)) = (unchanged(what), column_of(role)) else { return };
        let (column, from) =
            (Reading::COLUMNS[place], Instant(at.0.saturating_sub(unchanged.as_nanos() as u64)));
        // It is told of every reading while it lasts.
        match self.0.iter_mut().rev().find(|known| known.column == column && from <= known.to) {
            Some(known) => known.to = at,
            None => self.0.push(StoodStill { column, from, to: at, readings: 0 }),
        }
    }

    /// Whether any reading between these two may hold such a value.
    #[must_use]
    pub fn touches(&self, first: Instant, last: Instant) -> bool {
        self.0.iter().any(|known| known.from < last && first <= known.to)
    }

    /// A reading without the values that stood still, which are counted.
    #[must_use]
    pub fn without(&mut self, reading: &Reading) -> Reading {
        let mut left = *reading;
        for known in self.0.iter_mut().filter(|known| known.from < reading.at && reading.at <= known.to) {
            let value = match known.column {
                "board_c" => &mut left.board_c,
                _ => &mut left.ambient_c,
            };
            known.readings += u64::from(value.take().is_some());
        }
        left
    }

    /// Those of which a reading holds a value.
    #[must_use]
    pub fn held(self) -> Vec<StoodStill> {
        self.0.into_iter().filter(|known| known.readings > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: u64) -> Instant {
        Instant(second * 1_000_000_000)
    }

    proptest! {
        #[test]
        fn what_is_told_says_for_how_long(celsius in -50.0..150.0, ns in 0..100_000_000_000_000_u64) {
            let span = Duration::from_nanos(ns);
            let read = unchanged(&told(Celsius(celsius), span)).unwrap();
            prop_assert!(read.abs_diff(span) <= Duration::from_micros(1), "{read:?} {span:?}");
        }
    }

    #[test]
    fn other_failures_say_nothing_of_what_was_read_before() {
        for what in [
            "no line so far",
            "it says 900 °C: it is frozen",
            "it has said exactly 40 °C for long: it is frozen",
        ] {
            assert_eq!(unchanged(what), None, "{what}");
        }
    }

    #[test]
    fn readings_from_when_a_value_stood_still_lack_it_and_no_others() {
        let mut frozen = Frozen::default();
        let role: Role = "board".parse().unwrap();
        for second in 120..125 {
            frozen.fail(at(second), &role, &told(Celsius(40.0), Duration::from_secs(second - 99)));
        }
        let read = |frozen: &mut Frozen, second| {
            let reading = Reading::of(at(second), [Some(1.0); 6]);
            let left = frozen.without(&reading);
            assert_eq!(Reading { board_c: reading.board_c, ..left }, reading, "nothing else is left out");
            left.board_c.is_some()
        };
        let kept: Vec<u64> = (90..140).filter(|second| read(&mut frozen, *second)).collect();
        assert_eq!(kept, (90..100).chain(125..140).collect::<Vec<_>>());
        assert!(
            frozen.touches(at(60), at(119))
                && !frozen.touches(at(0), at(59))
                && !frozen.touches(at(125), at(180))
        );
        assert_eq!(
            frozen.held(),
            [StoodStill { column: "board_c", from: at(99), to: at(124), readings: 25 }]
        );
    }
}
