//! Thermal steady state: a judge that reads along.
//!
//! The judge averages readings over
//! short slots (a sixtieth of the time a criterion speaks of), keeps as many slots as that time holds, and starts again after
//! a gap: what was not seen was not steady.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::criterion::{Criterion, Form};
use crate::base::clock::Instant;
use crate::base::span::render_span;
use crate::base::units::Celsius;

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum On {
    /// The board's temperature.
    #[default]
    Board,
    /// The board's temperature less that of the air beside it: a room that warms does not count.
    Rise,
}

/// What the thermometers say at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Temperatures {
    /// On the board; `None` where it could not be read.
    pub board: Option<Celsius>,
    /// Of the air beside it.
    pub ambient: Option<Celsius>,
}

/// Why it is not steady yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The readings do not reach back far enough.
    TooEarly,
    /// It still changes.
    StillChanging,
    /// There were no readings for too long; watching began again.
    Gap,
    /// The criterion may be used only farther under the temperature limit, or the limit is not known.
    NearLimit,
}

/// How far off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shortfall {
    /// Why.
    pub why: Why,
    /// The change over what was seen, as the criterion looks at it, in kelvin; `None` before two slots are full.
    pub change_k: Option<f64>,
    /// What is allowed, in kelvin.
    pub allowed_k: f64,
    /// How much of the time the criterion speaks of was seen without a gap.
    pub covered: Duration,
    /// The time it speaks of.
    pub within: Duration,
    /// When it may be met if the temperature goes on as an exponential; a rough guess, `None` where there is none.
    pub forecast: Option<Duration>,
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (allowed, within) = (self.allowed_k, render_span(self.within));
        let change =
            self.change_k.map_or_else(|| "no change known".to_owned(), |k| format!("changed {k:.2} K"));
        match self.why {
            Why::TooEarly => {
                write!(f, "watched for {} of {within}, {change} so far", render_span(whole(self.covered)))
            }
            Why::StillChanging => write!(f, "{change} within {within}, {allowed} K is allowed"),
            Why::Gap => write!(f, "the readings had a gap, watching for {within} began again"),
            Why::NearLimit => write!(f, "too near the temperature limit for this criterion"),
        }?;
        match self.forecast {
            Some(left) => write!(f, "; about {} to go", render_span(whole(left))),
            None => Ok(()),
        }
    }
}

/// The moment so long before another; the clock's zero where it would be before that.
fn before_of(at: Instant, span: Duration) -> Instant {
    Instant(at.0.saturating_sub(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
}

/// Whole seconds: more is not known.
const fn whole(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs())
}

/// What the judge says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Steadiness {
    /// Not yet, and how far off.
    NotYet(Shortfall),
    /// Steady.
    Steady {
        /// Begin of the time in which the criterion was first met.
        since: Instant,
        /// When it was first met.
        met_at: Instant,
        /// The change over the last such time, in kelvin.
        change_k: f64,
    },
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    number: u64,
    sum_c: f64,
    count: u32,
}

impl Slot {
    fn mean_c(&self) -> f64 {
        self.sum_c / f64::from(self.count)
    }
}

/// Judges readings as they come. Memory: at most 61 slots, whatever the rate of the readings and however long it takes.
#[derive(Debug, Clone)]
pub struct SteadyJudge {
    criterion: Criterion,
    on: On,
    limit: Option<Celsius>,
    slot: Duration,
    /// How many slots the time of the criterion holds.
    slots: u64,
    origin: Option<Instant>,
    last: Option<Instant>,
    open: Option<Slot>,
    full: VecDeque<Slot>,
    had_gap: bool,
    met: Option<(Instant, Instant)>,
}

impl SteadyJudge {
    /// A judge that has seen nothing. `limit` is the temperature limit of what is judged, where the criterion needs one.
    #[must_use]
    pub fn new(criterion: Criterion, on: On, limit: Option<Celsius>) -> Self {
        Self {
            criterion,
            on,
            limit,
            slot: criterion.usual_average(),
            slots: 60,
            origin: None,
            last: None,
            open: None,
            full: VecDeque::new(),
            had_gap: false,
            met: None,
        }
    }

    /// Averages over another time: one period of a load that repeats, so that its own ups and downs do not count. It is cut
    /// to between a sixtieth and a quarter of the time of the criterion; what is then no even number of slots is made one by
    /// watching longer.
    #[must_use]
    pub fn averaging(mut self, average: Duration) -> Self {
        let within = self.criterion.within;
        self.slot = average.clamp(within / 60, within / 4);
        let halves = within.as_nanos().div_ceil(2 * self.slot.as_nanos().max(1));
        self.slots = 2 * u64::try_from(halves).unwrap_or(30).min(30);
        self
    }

    /// The longest time without a reading that is no gap: two slots.
    #[must_use]
    pub fn longest_gap(&self) -> Duration {
        self.slot.saturating_mul(2)
    }

    /// Takes what the thermometers say. A missing temperature is no reading; a time before the last one is passed over.
    pub fn take(&mut self, at: Instant, temperatures: Temperatures) -> Steadiness {
        if let Some(value_c) = self.value_c(temperatures)
            && self.last.is_none_or(|last| at >= last)
        {
            if self.is_gap(at) {
                self.restart();
            }
            self.last = Some(at);
            self.put(at, value_c);
        }
        self.judge(at)
    }

    fn value_c(&self, temperatures: Temperatures) -> Option<f64> {
        let board_c = temperatures.board?.value();
        let value_c = match self.on {
            On::Board => board_c,
            On::Rise => board_c - temperatures.ambient?.value(),
        };
        value_c.is_finite().then_some(value_c)
    }

    fn is_gap(&self, at: Instant) -> bool {
        self.last.is_some_and(|last| at.since(last) > self.longest_gap())
    }

    fn restart(&mut self) {
        self.full.clear();
        (self.origin, self.open, self.met, self.had_gap) = (None, None, None, true);
    }

    fn put(&mut self, at: Instant, value_c: f64) {
        let origin = *self.origin.get_or_insert(at);
        let number = (at.since(origin).as_nanos() / self.slot.as_nanos().max(1)) as u64;
        match &mut self.open {
            Some(open) if open.number == number => {
                open.sum_c += value_c;
                open.count += 1;
            }
            open => {
                let before = open.replace(Slot { number, sum_c: value_c, count: 1 });
                if let Some(before) = before {
                    self.full.push_back(before);
                    while self.full.front().is_some_and(|first| first.number + self.slots < before.number) {
                        self.full.pop_front();
                    }
                    self.renew(at);
                }
            }
        }
    }

    /// Looks at the criterion after a slot became full.
    fn renew(&mut self, at: Instant) {
        let met =
            self.is_covered() && !self.is_near_limit() && self.change().is_some_and(|k| self.is_allowed(k));
        self.met = match self.met {
            _ if !met => None,
            None => Some((before_of(at, self.criterion.within), at)),
            before => before,
        };
    }

    fn is_allowed(&self, change_k: f64) -> bool {
        let allowed_k = self.allowed_k();
        if self.criterion.under { change_k < allowed_k } else { change_k <= allowed_k }
    }

    fn allowed_k(&self) -> f64 {
        self.criterion.allowed_k(self.on, self.highest_c().unwrap_or(f64::NEG_INFINITY))
    }

    fn highest_c(&self) -> Option<f64> {
        self.full.iter().map(Slot::mean_c).reduce(f64::max)
    }

    fn is_near_limit(&self) -> bool {
        let Some(part) = self.criterion.only_under_limit_by else { return false };
        match (self.limit, self.highest_c()) {
            (Some(limit), Some(highest_c)) => highest_c > (1.0 - part) * limit.value(),
            _ => true,
        }
    }

    fn covered_slots(&self) -> u64 {
        match (self.full.front(), self.full.back()) {
            (Some(first), Some(last)) => last.number - first.number,
            _ => 0,
        }
    }

    fn is_covered(&self) -> bool {
        self.covered_slots() >= self.slots
    }

    /// The mean of the slot so many slots after the first, or of its neighbour where it stayed empty.
    fn mean_c(&self, after: u64) -> Option<f64> {
        let wanted = self.full.front()?.number + after;
        let near = |slot: &&Slot| slot.number == wanted || slot.number + 1 == wanted;
        self.full.iter().rfind(near).map(Slot::mean_c)
    }

    /// The change as the criterion looks at it, over what is there.
    fn change(&self) -> Option<f64> {
        if self.full.len() < 2 {
            return None;
        }
        let whole = self.covered_slots();
        let spread = |values: &mut dyn Iterator<Item = f64>| {
            let (low, high) =
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
            Some(high - low).filter(|k| k.is_finite())
        };
        match self.criterion.form {
            Form::Range => spread(&mut self.full.iter().map(Slot::mean_c)),
            Form::Readings(count) => {
                let gaps = count.max(2) as u64 - 1;
                let places = (0..=gaps).map(|reading| self.mean_c(whole * reading / gaps));
                let values: Option<Vec<f64>> = places.collect();
                spread(&mut values?.into_iter())
            }
            Form::Gradient => {
                let (begin, middle, end) = (self.mean_c(0)?, self.mean_c(whole / 2)?, self.mean_c(whole)?);
                Some(2.0 * (middle - begin).abs().max((end - middle).abs()))
            }
        }
    }

    /// From the changes of both halves: an exponential of which each half does its part.
    fn forecast(&self, change_k: f64) -> Option<Duration> {
        let whole = self.covered_slots();
        let (begin, middle, end) = (self.mean_c(0)?, self.mean_c(whole / 2)?, self.mean_c(whole)?);
        let (first, second) = (middle - begin, end - middle);
        let falls = first * second > 0.0 && first.abs() > 1.05 * second.abs();
        let left = change_k / self.allowed_k();
        if !falls || !self.is_covered() || left <= 1.0 {
            return None;
        }
        let seconds = self.criterion.within.as_secs_f64() / 2.0 / (first / second).ln() * left.ln();
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Judges by what was taken so far; `at` is now, so that readings that stay away are noticed.
    #[must_use]
    pub fn judge(&self, at: Instant) -> Steadiness {
        let change = self.change();
        let gap = self.is_gap(at);
        if let (Some((since, met_at)), Some(change_k), false) = (self.met, change, gap) {
            return Steadiness::Steady { since, met_at, change_k };
        }
        let why = if gap || (self.had_gap && self.full.is_empty()) {
            Why::Gap
        } else if !self.is_covered() {
            Why::TooEarly
        } else if self.is_near_limit() {
            Why::NearLimit
        } else {
            Why::StillChanging
        };
        let covered = if gap { 0 } else { self.covered_slots() };
        Steadiness::NotYet(Shortfall {
            why,
            change_k: change.filter(|_| !gap),
            allowed_k: self.allowed_k(),
            covered: (self.slot * covered as u32).min(self.criterion.within),
            within: self.criterion.within,
            forecast: change.filter(|_| why == Why::StillChanging).and_then(|k| self.forecast(k)),
        })
    }
}
