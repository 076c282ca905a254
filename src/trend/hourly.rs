//! Millions of readings into statistics an hour (or any other length), in one pass and bounded memory.

use super::histogram::Histogram;

/// The parts of which quantiles are kept.
pub const QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// What is kept of the readings of one interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalStats {
    /// Begin of the interval, in seconds since the start of the run; a whole multiple of its length.
    pub start_s: f64,
    /// How many readings.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (n - 1); 0 for one reading.
    pub std_dev: f64,
    /// The lowest, exact.
    pub min: f64,
    /// The highest, exact.
    pub max: f64,
    /// Quantiles at [`QUANTILES`], each to `error`.
    pub quantiles: [f64; 7],
    /// How far a quantile may be off: 1/127 of highest less lowest at most.
    pub error: f64,
}

/// Collects statistics an interval. An interval without readings leaves nothing behind; a hundred and odd bytes an interval.
#[derive(Debug, Clone)]
pub struct Hourly {
    length_s: f64,
    open: Option<Open>,
    histogram: Histogram,
    closed: Vec<IntervalStats>,
    left_out: u64,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    start_s: f64,
    end_s: f64,
    zero: f64,
    sum: f64,
    squares: f64,
}

impl Hourly {
    /// Intervals of `length_s` seconds, counted from the start of the run; a length that is none is an hour.
    #[must_use]
    pub fn new(length_s: f64) -> Self {
        let length_s = if length_s > 0.0 && length_s.is_finite() { length_s } else { 3600.0 };
        Self { length_s, open: None, histogram: Histogram::default(), closed: Vec::new(), left_out: 0 }
    }

    /// Takes a reading. One that is no number, or older than the open interval, is left out and counted.
    #[inline]
    pub fn push(&mut self, at_s: f64, value: f64) {
        if let Some(open) = &mut self.open
            && at_s < open.end_s
            && at_s >= open.start_s
            && value.is_finite()
        {
            let from_zero = value - open.zero;
            open.sum += from_zero;
            open.squares += from_zero * from_zero;
            self.histogram.push(value);
            return;
        }
        self.begin(at_s, value);
    }

    #[cold]
    fn begin(&mut self, at_s: f64, value: f64) {
        let late = self.open.as_ref().is_some_and(|open| at_s < open.start_s);
        if late || !(at_s >= 0.0 && at_s.is_finite() && value.is_finite()) {
            self.left_out += 1;
            return;
        }
        let done = self.open_stats();
        self.closed.extend(done);
        let number = (at_s / self.length_s).floor();
        let (start_s, end_s) = (number * self.length_s, (number + 1.0) * self.length_s);
        // Rounding may put the end at the reading itself.
        let end_s = if end_s > at_s { end_s } else { at_s + self.length_s };
        self.open = Some(Open { start_s: start_s.min(at_s), end_s, zero: value, sum: 0.0, squares: 0.0 });
        self.histogram.clear();
        self.histogram.push(value);
    }

    fn open_stats(&self) -> Option<IntervalStats> {
        let open = self.open.as_ref()?;
        let (min, max) = self.histogram.extremes()?;
        let count = self.histogram.count() as f64;
        let mean = open.sum / count;
        let variance =
            if count > 1.0 { (open.squares - open.sum * mean).max(0.0) / (count - 1.0) } else { 0.0 };
        Some(IntervalStats {
            start_s: open.start_s,
            count: self.histogram.count(),
            mean: open.zero + mean,
            std_dev: variance.sqrt(),
            min,
            max,
            quantiles: QUANTILES.map(|part| self.histogram.quantile(part).unwrap_or(f64::NAN)),
            error: self.histogram.error(),
        })
    }

    /// The intervals so far, the open one last.
    #[must_use]
    pub fn intervals(&self) -> Vec<IntervalStats> {
        self.closed.iter().copied().chain(self.open_stats()).collect()
    }

    /// Readings that were left out: no numbers, or older than the interval that was open.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }
}
