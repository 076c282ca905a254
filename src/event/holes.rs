//! Values that are missing in readings that are there: a thermometer that stood still or fell silent. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use super::Reading;
use crate::base::clock::Instant;
use crate::base::names::Role;

/// Most stretches that are kept one by one; what comes behind them is counted.
const MOST_KEPT: usize = 64;
/// Most failures of a sensor that are remembered: those of a batch of readings, one each second.
const MOST_FAILED: usize = 64;
/// Most causes that are told of a column.
const MOST_CAUSES: usize = 3;
/// Times of readings are kept in whole milliseconds: so far one may stand behind what happened with it.
const ROUNDED: Duration = Duration::from_millis(2);
const COLUMNS: usize = Reading::COLUMNS.len();

/// Readings that follow each other and lack the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Name of the value, as in [`Reading::COLUMNS`].
    pub column: &'static str,
    /// The first reading that lacks it.
    pub from: Instant,
    /// The last one.
    pub to: Instant,
    /// How many.
    pub readings: u64,
    /// What its sensor was told to have; `None` where no event says it.
    pub why: Option<String>,
}

/// What is missing of one value.
#[derive(Debug, Clone, PartialEq)]
pub struct HoleSum {
    /// Name of the value, as in [`Reading::COLUMNS`].
    pub column: &'static str,
    /// How many readings lack it.
    pub readings: u64,
    /// Of all readings, in per cent.
    pub percent: f64,
    /// In how many stretches.
    pub stretches: u64,
    /// The first few different causes; empty where no event tells one.
    pub why: Vec<String>,
}

impl HoleSum {
    /// `board_c in 61 of 7800 readings (0.782 %), in 1 stretch`.
    #[must_use]
    pub fn told(&self, rows: u64) -> String {
        let stretches = crate::base::count::fitting(self.stretches, "stretch", "stretches");
        let (column, readings, count) = (self.column, self.readings, self.stretches);
        format!("{column} in {readings} of {rows} readings ({:.3} %), in {count} {stretches}", self.percent)
    }
    /// The causes in one sentence.
    #[must_use]
    pub fn causes(&self) -> String {
        if self.why.is_empty() { "no event says why".to_owned() } else { self.why.join("; ") }
    }
}

/// What is missing in the readings so far. Its memory is bounded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holes {
    rows: u64,
    columns: [Column; COLUMNS],
    kept: Vec<Hole>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Column {
    readings: u64,
    stretches: u64,
    /// Whether anything says that the bench has this sensor.
    is_there: bool,
    /// The stretch that the last reading belongs to: its place among those that are kept, or behind them.
    open: Option<usize>,
    failed: VecDeque<(Instant, String)>,
}

impl Holes {
    /// An instrument was opened: what it reads is due.
    pub fn open(&mut self, role: &Role) {
        if let Some(place) = column_of(role) {
            self.columns[place].is_there = true;
        }
    }

    /// A sensor failed. It comes before the readings that lack its value.
    pub fn fail(&mut self, at: Instant, role: &Role, what: &str) {
        let Some(column) = column_of(role).map(|place| &mut self.columns[place]) else { return };
        column.is_there = true;
        if column.failed.len() == MOST_FAILED {
            column.failed.pop_front();
        }
        column.failed.push_back((at, what.to_owned()));
    }

    /// Takes the next reading.
    pub fn take(&mut self, reading: &Reading) {
        self.rows += 1;
        for ((name, value), column) in
            Reading::COLUMNS.into_iter().zip(reading.values()).zip(&mut self.columns)
        {
            if value.is_some() {
                (column.is_there, column.open) = (true, None);
                continue;
            }
            column.readings += 1;
            let place = *column.open.get_or_insert_with(|| {
                column.stretches += 1;
                let from = reading.at;
                self.kept.push(Hole { column: name, from, to: from, readings: 0, why: None });
                self.kept.len() - 1
            });
            if let Some(hole) = self.kept.get_mut(place) {
                hole.readings += 1;
                hole.to = reading.at;
                if hole.why.is_none() {
                    hole.why = why(&column.failed, hole.from);
                }
            }
            // One that is not kept is counted alone.
            self.kept.truncate(MOST_KEPT);
        }
    }

    /// How many readings were taken.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// What is missing, by value, of sensors that are there.
    #[must_use]
    pub fn sums(&self) -> Vec<HoleSum> {
        let of = |(name, column): (&'static str, &Column)| {
            let mut why: Vec<String> = Vec::new();
            for cause in
                self.kept.iter().filter(|hole| hole.column == name).filter_map(|hole| hole.why.as_ref())
            {
                if why.len() < MOST_CAUSES && why.iter().all(|known| !is_alike(known, cause)) {
                    why.push(cause.clone());
                }
            }
            let percent = (column.readings as f64 / self.rows.max(1) as f64 * 1e5).round().max(1.0) / 1e3;
            HoleSum { column: name, readings: column.readings, percent, stretches: column.stretches, why }
        };
        self.columns().filter(|(_, column)| column.is_there && column.readings > 0).map(of).collect()
    }

    /// How many stretches there are, of all sensors.
    #[must_use]
    pub fn stretches(&self) -> u64 {
        self.columns.iter().filter(|column| column.is_there).map(|column| column.stretches).sum()
    }

    /// The first stretches, in the order in which they began.
    pub fn kept(&self) -> impl Iterator<Item = &Hole> {
        let absent = self.absent();
        self.kept.iter().filter(move |hole| !absent.contains(&hole.column))
    }

    /// Values that no reading has, and of which nothing says that there is a sensor.
    #[must_use]
    pub fn absent(&self) -> Vec<&'static str> {
        self.columns()
            .filter(|(_, column)| !column.is_there && column.readings > 0)
            .map(|(name, _)| name)
            .collect()
    }

    fn columns(&self) -> impl Iterator<Item = (&'static str, &Column)> {
        Reading::COLUMNS.into_iter().zip(&self.columns)
    }
}

/// The failure that came with the first reading that lacks the value; or else the last one before it: a sensor that is left in peace for
/// a while fails once.
fn why(failed: &VecDeque<(Instant, String)>, from: Instant) -> Option<String> {
    let with = failed.partition_point(|(at, _)| *at + ROUNDED < from);
    failed.get(with).or_else(|| failed.back()).map(|(_, what)| what.clone())
}

/// Whether two texts differ in their numbers alone.
fn is_alike(one: &str, other: &str) -> bool {
    let letters =
        |text: &'_ str| text.chars().filter(|c| !c.is_ascii_digit() && *c != '.').collect::<String>();
    letters(one) == letters(other)
}

/// What a sensor reads. Supply and load give all of a reading or none of it.
pub(super) fn column_of(role: &Role) -> Option<usize> {
    let name = match role.as_str() {
        "board" => "board_c",
        "ambient" => "ambient_c",
        _ => return None,
    };
    Reading::COLUMNS.iter().position(|column| *column == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Instant {
        Instant(second * 1_000_000_000)
    }

    fn read(holes: &mut Holes, seconds: std::ops::Range<u64>, board_c: Option<f64>) {
        for second in seconds {
            let one = Some(1.0);
            holes.take(&Reading::of(at(second), [one, one, one, one, board_c, None]));
        }
    }

    #[test]
    fn a_silent_sensor_is_a_stretch_with_its_cause_and_one_that_the_bench_lacks_is_none() {
        let role: Role = "board".parse().unwrap();
        let mut holes = Holes::default();
        read(&mut holes, 0..100, Some(40.0));
        assert_eq!((holes.sums(), holes.absent()), (Vec::new(), vec!["ambient_c"]));
        holes.fail(at(100), &role, "it is frozen");
        read(&mut holes, 100..160, None);
        read(&mut holes, 160..170, Some(41.0));
        holes.fail(at(171), &role, "it does not answer");
        // It is left in peace for a while, and a look at a point in between finds it well.
        read(&mut holes, 171..180, None);
        read(&mut holes, 180..181, Some(41.0));
        read(&mut holes, 181..190, None);
        let told: Vec<String> =
            holes.sums().iter().map(|sum| format!("{}: {}", sum.told(holes.rows()), sum.causes())).collect();
        assert_eq!(
            told,
            ["board_c in 78 of 189 readings (41.270 %), in 3 stretches: it is frozen; it does not answer"]
        );
        let first = holes.kept().next().unwrap();
        assert_eq!((first.from, first.to, first.readings), (at(100), at(159), 60));
        assert_eq!((holes.kept().count(), holes.stretches()), (3, 3));
        holes.open(&"ambient".parse().unwrap());
        assert_eq!(holes.sums()[1].causes(), "no event says why");
    }

    #[test]
    fn a_sensor_that_fails_at_every_other_reading_is_counted_in_bounded_memory() {
        let role: Role = "board".parse().unwrap();
        let mut holes = Holes::default();
        for second in 0..10_000 {
            let value = (second % 2 == 0).then_some(40.0);
            if value.is_none() {
                holes.fail(
                    at(second),
                    &role,
                    &format!("it failed with {}", ["a", "b", "c", "d"][second as usize % 7 % 4]),
                );
            }
            read(&mut holes, second..second + 1, value);
        }
        let sum = &holes.sums()[0];
        assert_eq!((sum.readings, sum.stretches, sum.why.len()), (5000, 5000, MOST_CAUSES));
        assert!(holes.kept.len() <= MOST_KEPT && holes.columns[4].failed.len() <= MOST_FAILED);
    }
}
