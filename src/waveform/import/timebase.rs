//! The time column: rounded by most scopes, so that the interval is found over the whole span and never between neighbours.

use super::number::Decimal;
use super::{ImportError, Timing};

/// What a column of times tells of the time base, without keeping it.
#[derive(Debug)]
pub(super) struct TimeColumn {
    first: Option<(f64, u64)>,
    last: f64,
    count: usize,
    /// The shortest and the longest distance of neighbours, and the line where it ends.
    shortest: (f64, u64),
    longest: (f64, u64),
    /// Times that were printed more finely than single precision keeps them, and how many of those are such numbers all the same.
    finer: (usize, usize),
    /// Rounding of the print, decade by decade.
    decades: Vec<Decade>,
    /// The decade of the last time that is not 0.
    present: usize,
    /// Rounding of the numbers as they are kept, as a part of them.
    epsilon: f64,
    largest: f64,
    /// Every 2^k-th time, at most twice `CHECKPOINTS` of them.
    checkpoints: Vec<f64>,
    stride: usize,
}

const CHECKPOINTS: usize = 2048;

/// So many times that are all numbers of single precision are so by no chance.
const FINER: usize = 16;

/// Times of one decade, and the finest last digit among them: some scopes write `1.2E-5` for `1.2000E-5`, so one of them alone
/// does not tell how it was rounded.
#[derive(Debug, Clone, Copy)]
struct Decade {
    power: i32,
    /// Where it begins and ends, in seconds.
    ends: (f64, f64),
    digit_s: f64,
}

/// The time base as a column of times gives it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) start_s: f64,
    pub(super) step_s: f64,
    /// By how much the interval may be wrong because times are rounded, in seconds.
    pub(super) doubt_s: f64,
    /// The rounding of the times, in seconds, where it is not small against the interval.
    pub(super) coarse_s: Option<f64>,
    /// What is uneven, in words.
    pub(super) uneven: Option<String>,
}

impl TimeColumn {
    /// Of times that were printed.
    pub(super) fn new() -> Self {
        Self::of_numbers(8.0 * f64::EPSILON)
    }

    /// Of numbers that are kept to this part of them.
    pub(super) fn of_numbers(epsilon: f64) -> Self {
        Self {
            first: None,
            last: 0.0,
            count: 0,
            shortest: (f64::INFINITY, 0),
            longest: (0.0, 0),
            finer: (0, 0),
            decades: Vec::new(),
            present: 0,
            epsilon,
            largest: 0.0,
            checkpoints: Vec::new(),
            stride: 1,
        }
    }

    /// Takes the time of the next row in, in seconds, with the value of its last digit.
    pub(super) fn push(&mut self, time_s: f64, digit_s: f64, line: u64) -> Result<(), ImportError> {
        self.take_digit(time_s.abs(), digit_s);
        self.largest = self.largest.max(time_s.abs());
        let single_s = f64::from(time_s as f32);
        if digit_s < 0.5 * time_s.abs() * f64::from(f32::EPSILON) {
            let is_single = (time_s - single_s).abs() <= 0.51 * digit_s + f64::EPSILON * time_s.abs();
            self.finer = (self.finer.0 + 1, self.finer.1 + usize::from(is_single));
        }
        if self.first.is_none() {
            self.first = Some((time_s, line));
        } else {
            let distance = time_s - self.last;
            // Rounding never turns the order round.
            if distance < 0.0 {
                return Err(ImportError::line(
                    line,
                    format!(
                        "time runs backwards, from {:e} s to {time_s:e} s: several records in one file, or rows out of order",
                        self.last
                    ),
                ));
            }
            if distance < self.shortest.0 {
                self.shortest = (distance, line);
            }
            if distance > self.longest.0 {
                self.longest = (distance, line);
            }
        }
        if self.count.is_multiple_of(self.stride) {
            self.checkpoints.push(time_s);
            if self.checkpoints.len() > 2 * CHECKPOINTS {
                let mut at = 0;
                self.checkpoints.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
                self.stride *= 2;
            }
        }
        self.last = time_s;
        self.count += 1;
        Ok(())
    }

    fn take_digit(&mut self, size_s: f64, digit_s: f64) {
        let holds = |decade: &Decade| decade.ends.0 <= size_s && size_s < decade.ends.1;
        // The digits of a zero say nothing; and times stay in a decade for long.
        if !self.decades.get(self.present).is_some_and(holds) {
            if !(size_s > 0.0 && size_s.is_finite()) {
                return;
            }
            let power = size_s.log10().floor() as i32;
            let ends = (10f64.powi(power), 10f64.powi(power + 1));
            let known = self.decades.iter().position(|decade| decade.power == power);
            self.present = known.unwrap_or(self.decades.len());
            if known.is_none() {
                self.decades.push(Decade { power, ends, digit_s });
            }
        }
        let decade = &mut self.decades[self.present];
        decade.digit_s = decade.digit_s.min(digit_s);
    }

    /// Rounding of the times, in seconds: the coarsest of all decades. So many digits more than in the decade before are none
    /// lost, however few times of it there are.
    fn rounding_s(&self) -> f64 {
        let mut decades = self.decades.clone();
        decades.sort_by_key(|decade| decade.power);
        let (mut most, mut before): (f64, Option<(i32, f64)>) = (0.0, None);
        for Decade { power, digit_s, .. } in decades {
            let expected = before.map_or(f64::INFINITY, |(lower, s)| s * 10f64.powi(power - lower));
            let digit_s = digit_s.min(expected);
            (most, before) = (most.max(digit_s), Some((power, digit_s)));
        }
        most
    }

    /// Whether every time lies above the one before.
    pub(super) fn rises_always(&self) -> bool {
        self.count > 2 && self.shortest.0 > 0.0
    }

    /// The time base; `None` of fewer than two rows, or where all times are the same.
    pub(super) fn found(&self) -> Option<Found> {
        let (start_s, _) =
            self.first.filter(|_| self.count >= 2 && self.last > self.first.map_or(0.0, |f| f.0))?;
        let steps = (self.count - 1) as f64;
        let step_s = (self.last - start_s) / steps;
        // Half a digit at either end of a distance, and the rounding of the numbers themselves.
        let digit_s = self.rounding_s();
        // Numbers of single precision are rounded to it, however many digits of them were printed.
        let are_single = self.finer.0 >= FINER && self.finer.0 == self.finer.1;
        let epsilon = if are_single { f64::from(f32::EPSILON) } else { self.epsilon };
        let slack_s = 1.01 * digit_s + epsilon * self.largest;
        let too_long = self.longest.0 - step_s > slack_s;
        let too_short = step_s - self.shortest.0 > slack_s;
        let is_short = step_s - self.shortest.0 > self.longest.0 - step_s;
        let (word, line) = if is_short { ("shortest", self.shortest.1) } else { ("longest", self.longest.1) };
        let off = self
            .checkpoints
            .iter()
            .enumerate()
            .map(|(at, time_s)| (time_s - start_s - (at * self.stride) as f64 * step_s).abs());
        let drift_s = off.fold(0.0, f64::max);
        let uneven = if too_long || too_short {
            Some(format!(
                "time is not uniform: distances of samples lie between {:.4e} s and {:.4e} s (the {word} ends at line {line}), \
                 the mean is {step_s:.4e} s",
                self.shortest.0, self.longest.0
            ))
        } else if drift_s > 1.5 * slack_s {
            Some(format!("time is not uniform: it strays {drift_s:.2e} s from an even course"))
        } else {
            None
        };
        Some(Found {
            start_s,
            step_s,
            doubt_s: slack_s / steps,
            coarse_s: Some(digit_s.max(epsilon * self.largest)).filter(|coarse_s| *coarse_s > 0.02 * step_s),
            uneven,
        })
    }
}

/// The value of a number's last digit, in the unit with this power of ten.
pub(super) fn digit(number: Decimal, power: i16) -> f64 {
    10f64.powi(i32::from(number.last_digit) + i32::from(power))
}

/// What is told of the time base beside the rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    /// Sample interval of the head.
    pub(super) step_s: Option<f64>,
    /// Time of the first row of the head.
    pub(super) start_s: Option<f64>,
    /// Sample rate that the caller gives.
    pub(super) rate_hz: Option<f64>,
}

impl Told {
    /// How time is not uniform where the file's own times count. Where the caller gives the rate they do not; a note says what is
    /// left.
    pub(super) fn weigh(&self, uneven: Option<String>, notes: &mut Vec<String>) -> Option<String> {
        let (Some(how), Some(_)) = (&uneven, self.rate_hz) else { return uneven };
        notes.push(format!("the sample rate given counts; the file's own times are left: {how}"));
        None
    }

    /// The time base that counts: what the caller gives, else the head where the rows do not contradict it, else the rows.
    /// Notes say which.
    pub(super) fn settle(
        &self,
        rows: Option<&Found>,
        notes: &mut Vec<String>,
    ) -> Result<Timing, ImportError> {
        let start_s = rows.map(|rows| rows.start_s).or(self.start_s).unwrap_or(0.0);
        if let Some(step_s) = self.rate_hz.map(f64::recip) {
            // Of uneven times there is no interval; they are told as they are.
            let other = rows.map_or(self.step_s, |rows| rows.uneven.is_none().then_some(rows.step_s));
            if let Some(other) = other.filter(|other| (other / step_s - 1.0).abs() > 1e-3) {
                notes.push(format!(
                    "the sample rate given counts; the file's own interval would be {other:.6e} s"
                ));
            }
            return Ok(Timing { start_s, step_s });
        }
        let step_s = match (self.step_s, rows) {
            (Some(step_s), None) => {
                notes.push(format!("interval from the header: {step_s:e} s"));
                step_s
            }
            (Some(step_s), Some(rows))
                if (step_s - rows.step_s).abs() <= 2.0 * rows.doubt_s + 1e-4 * step_s =>
            {
                notes.push(format!("interval from the header: {step_s:e} s; the time column agrees"));
                step_s
            }
            (Some(step_s), Some(rows)) => {
                notes.push(format!(
                    "the header's interval of {step_s:e} s does not fit the time column, which rises by {:.6e} s a row: \
                     the time column counts",
                    rows.step_s
                ));
                rows.step_s
            }
            (None, Some(rows)) => {
                notes.push(format!("interval from the first to the last time: {:.6e} s", rows.step_s));
                rows.step_s
            }
            (None, None) => {
                return Err(ImportError::file(
                    "the file holds no time and no sample interval; give the sample rate (--sample-rate, e.g. 100MHz)",
                ));
            }
        };
        if let Some(rows) = rows {
            notes.extend(rows.coarse_s.map(|coarse_s| {
                let source = if self.step_s == Some(step_s) {
                    "is that of the header"
                } else {
                    "is taken over the whole span"
                };
                format!(
                    "times are rounded to {coarse_s:.0e} s: the interval {source}, not between neighbours"
                )
            }));
            if self.step_s.is_none() && rows.doubt_s > 1e-4 * step_s {
                let known_to = 100.0 * rows.doubt_s / step_s;
                let digits = if known_to < 0.05 { 2 } else { 1 };
                notes.push(format!(
                    "the interval is known to {known_to:.digits$} % only: times are rounded and rows are few"
                ));
            }
        }
        Ok(Timing { start_s, step_s })
    }
}
