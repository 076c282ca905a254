//! Means over even steps of time, from readings that stream by, and the even grid that the Allan deviation needs.

use super::{NoAnswer, Reading};
use crate::base::stats::median;

/// No grid holds more places than this: more than a year at one a second.
pub const MOST_PLACES: usize = 50_000_000;

/// How readings that follow one another differ: what they are rounded to shows there, and in no mean of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    last: Option<f64>,
    smallest: f64,
    alike: u64,
    pairs: u64,
}

impl Steps {
    const NONE: Self = Self { last: None, smallest: f64::INFINITY, alike: 0, pairs: 0 };

    /// Of readings in their order.
    #[must_use]
    pub fn of(readings: &[Reading]) -> Self {
        let mut steps = Self::NONE;
        readings.iter().for_each(|reading| steps.push(reading.value));
        steps
    }

    fn push(&mut self, value: f64) {
        if let Some(last) = self.last.replace(value) {
            let step = (value - last).abs();
            self.pairs += 1;
            self.alike += u64::from(step == 0.0);
            if step > 0.0 {
                self.smallest = self.smallest.min(step);
            }
        }
    }

    /// The smallest difference of two readings that follow one another; zero where all are equal.
    #[must_use]
    pub fn resolution(&self) -> f64 {
        if self.smallest.is_finite() { self.smallest } else { 0.0 }
    }

    /// Whether more than half of them are like the one before: then their means tell less than a step of the resolution.
    #[must_use]
    pub const fn stand_still(&self) -> bool {
        self.alike > self.pairs / 2
    }
}

/// Collects means over even steps of time. 24 bytes a step.
#[derive(Debug, Clone)]
pub struct Means {
    spacing_s: f64,
    open: Option<Open>,
    closed: Vec<(Reading, u32)>,
    steps: Steps,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    end_s: f64,
    zero: Reading,
    sums: (f64, f64),
    count: u32,
}

impl Open {
    fn mean(&self) -> Reading {
        let count = f64::from(self.count);
        Reading { at_s: self.zero.at_s + self.sums.0 / count, value: self.zero.value + self.sums.1 / count }
    }
}

impl Means {
    /// Means over steps of `spacing_s` seconds, e.g. 60, counted from the start of the run; a spacing that is none is 1 s.
    #[must_use]
    pub const fn new(spacing_s: f64) -> Self {
        let spacing_s = if spacing_s > 0.0 && spacing_s.is_finite() { spacing_s } else { 1.0 };
        Self { spacing_s, open: None, closed: Vec::new(), steps: Steps::NONE }
    }

    /// Takes a reading. One that is no number, or older than the open step, is left out.
    pub fn push(&mut self, at_s: f64, value: f64) {
        if !(at_s >= 0.0 && at_s.is_finite() && value.is_finite()) {
            return;
        }
        self.steps.push(value);
        if let Some(open) = &mut self.open {
            if at_s < open.end_s {
                if at_s >= open.end_s - self.spacing_s {
                    open.sums =
                        (open.sums.0 + (at_s - open.zero.at_s), open.sums.1 + (value - open.zero.value));
                    open.count += 1;
                }
                return;
            }
            self.closed.push((open.mean(), open.count));
        }
        let zero = Reading { at_s, value };
        let end_s = ((at_s / self.spacing_s).floor() + 1.0) * self.spacing_s;
        self.open = Some(Open { end_s, zero, sums: (0.0, 0.0), count: 1 });
    }

    /// The means so far, the open step among them.
    #[must_use]
    pub fn readings(&self) -> Vec<Reading> {
        let open = self.open.as_ref().map(Open::mean);
        self.closed.iter().map(|(mean, _)| *mean).chain(open).collect()
    }

    /// How the readings differ that the means are made of.
    #[must_use]
    pub const fn steps(&self) -> Steps {
        self.steps
    }

    /// The means on their even grid, without the open step. A step with less than half of the usual count is missing.
    ///
    /// # Errors
    /// No closed step, or a grid of more than [`MOST_PLACES`].
    pub fn grid(&self) -> Result<Grid, NoAnswer> {
        let (Some(first), Some(last)) = (self.closed.first(), self.closed.last()) else {
            return Err(NoAnswer::because("not one step of time is full"));
        };
        let counts: Vec<f64> = self.closed.iter().map(|(_, count)| f64::from(*count)).collect();
        let usual = median(&counts).unwrap_or(0.0);
        let number = |mean: &Reading| (mean.at_s / self.spacing_s) as u64;
        let begin = number(&first.0);
        let places = (number(&last.0) - begin).saturating_add(1);
        let mut grid = Grid::empty(begin as f64 * self.spacing_s, self.spacing_s, places)?;
        for (mean, count) in &self.closed {
            if 2.0 * f64::from(*count) >= usual {
                grid.values[(number(mean) - begin) as usize] = mean.value;
            }
        }
        Ok(grid)
    }
}

/// Readings at even spacing; a missing one is not-a-number.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Time of the first place, in seconds since the start of the run.
    pub start_s: f64,
    /// Distance of the places in seconds.
    pub spacing_s: f64,
    /// One value a place.
    pub values: Vec<f64>,
}

impl Grid {
    fn empty(start_s: f64, spacing_s: f64, places: u64) -> Result<Self, NoAnswer> {
        if places > MOST_PLACES as u64 {
            return Err(NoAnswer::because(format!(
                "{places} places of {spacing_s} s are more than {MOST_PLACES}: choose a wider spacing"
            )));
        }
        Ok(Self { start_s, spacing_s, values: vec![f64::NAN; places as usize] })
    }

    /// Puts readings in the order of time on an even grid, each at its nearest place; several at one place are averaged, a place
    /// without one is missing. Without a spacing the median distance of the readings is taken.
    ///
    /// # Errors
    /// Fewer than two readings, readings out of order, a spacing that is none, a grid of more than [`MOST_PLACES`].
    pub fn build(readings: &[Reading], spacing_s: Option<f64>) -> Result<Self, NoAnswer> {
        let kept = super::blocks::usable(readings, f64::NEG_INFINITY)?;
        let (Some(first), Some(last)) = (kept.first(), kept.last()) else {
            return Err(NoAnswer::because("there are no readings"));
        };
        let usual = || {
            let distances: Vec<f64> = kept.windows(2).map(|pair| pair[1].at_s - pair[0].at_s).collect();
            median(&distances)
        };
        let spacing_s =
            spacing_s.or_else(usual).filter(|spacing_s| *spacing_s > 0.0 && spacing_s.is_finite());
        let spacing_s = spacing_s.ok_or_else(|| NoAnswer::because("the readings have no spacing"))?;
        let place = |reading: &Reading| ((reading.at_s - first.at_s) / spacing_s).round();
        let mut grid = Self::empty(first.at_s, spacing_s, (place(last) as u64).saturating_add(1))?;
        let mut together = 0.0;
        let mut before = None;
        for reading in &kept {
            let at = place(reading) as usize;
            together = if before == Some(at) { together + 1.0 } else { 1.0 };
            before = Some(at);
            let value = &mut grid.values[at];
            *value =
                if together > 1.0 { *value + (reading.value - *value) / together } else { reading.value };
        }
        Ok(grid)
    }

    /// The part of the places that hold a value.
    #[must_use]
    pub fn coverage(&self) -> f64 {
        let there = self.values.iter().filter(|value| value.is_finite()).count();
        if self.values.is_empty() { 0.0 } else { there as f64 / self.values.len() as f64 }
    }
}
