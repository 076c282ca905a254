//! A histogram that finds its own range, in a fixed amount of memory.
//!
//! Bins are a power of two wide and lie on whole multiples of their width, so that two neighbours become one without moving
//! anything. When a value does not fit, bins double; so at least 127 of the 256 lie between the lowest and the highest value,
//! and a quantile is off by one bin at most.

/// How many bins.
pub const BINS: usize = 256;

/// Counts of values by their size.
#[derive(Debug, Clone)]
pub struct Histogram {
    width: f64,
    /// 1/width; both are powers of two, so nothing is lost.
    scale: f64,
    /// Which multiple of the width the first bin begins at.
    base: f64,
    counts: Box<[u32; BINS]>,
    count: u64,
    min: f64,
    max: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            width: 0.0,
            scale: 0.0,
            base: 0.0,
            counts: Box::new([0; BINS]),
            count: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Histogram {
    /// Takes a value; one that is no finite number is left out.
    #[inline]
    pub fn push(&mut self, value: f64) {
        let place = (value * self.scale).floor() - self.base;
        if place >= 0.0 && place < BINS as f64 && self.count > 0 {
            self.counts[place as usize] += 1;
            self.count += 1;
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        } else if value.is_finite() {
            self.widen(value);
        }
    }

    /// Begins, moves or doubles the bins until the value fits, and takes it.
    #[cold]
    fn widen(&mut self, value: f64) {
        if self.count == 0 {
            // Fine enough for any instrument: 2^-40 of the value.
            let exponent = value.abs().log2().floor().clamp(-900.0, 900.0) as i32;
            self.set_width(2f64.powi(if value == 0.0 { -80 } else { exponent - 40 }));
            self.base = (value * self.scale).floor() - BINS as f64 / 2.0;
        }
        let (low, high) = (self.min.min(value), self.max.max(value));
        while (high * self.scale).floor() - (low * self.scale).floor() >= BINS as f64 && self.width < 1e307 {
            self.double();
        }
        self.shift((low * self.scale).floor(), (high * self.scale).floor());
        let place = ((value * self.scale).floor() - self.base).clamp(0.0, BINS as f64 - 1.0);
        self.counts[place as usize] += 1;
        self.count += 1;
        (self.min, self.max) = (low, high);
    }

    fn set_width(&mut self, width: f64) {
        (self.width, self.scale) = (width, width.recip());
    }

    /// Two bins become one.
    fn double(&mut self) {
        let base = (self.base / 2.0).floor();
        let odd = usize::from(self.base - 2.0 * base > 0.5);
        let old = std::mem::replace(&mut self.counts, Box::new([0; BINS]));
        for (place, count) in old.iter().enumerate() {
            self.counts[((place + odd) / 2).min(BINS - 1)] += count;
        }
        self.base = base;
        self.set_width(2.0 * self.width);
    }

    /// Moves the bins so that both multiples lie inside, in the middle of what is left.
    fn shift(&mut self, low: f64, high: f64) {
        if low >= self.base && high < self.base + BINS as f64 {
            return;
        }
        let base = low - ((BINS as f64 - 1.0 - (high - low)) / 2.0).floor().max(0.0);
        let moved = self.base - base;
        let old = std::mem::replace(&mut self.counts, Box::new([0; BINS]));
        for (place, count) in old.iter().enumerate().filter(|(_, count)| **count > 0) {
            let to = (place as f64 + moved).clamp(0.0, BINS as f64 - 1.0);
            self.counts[to as usize] += count;
        }
        self.base = base;
    }

    /// How many values.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Lowest and highest value, exact; `None` for no values.
    #[must_use]
    pub fn extremes(&self) -> Option<(f64, f64)> {
        (self.count > 0).then_some((self.min, self.max))
    }

    /// No quantile is off by more than this: one bin. It is at most 1/127 of the distance of the extremes, or 2^-39 of the first
    /// value (2^-79 where that was 0), whichever is larger.
    #[must_use]
    pub fn error(&self) -> f64 {
        if self.max > self.min { self.width.min(self.max - self.min) } else { 0.0 }
    }

    /// The value below which this part of all values lies, to [`Self::error`]; `None` for no values or a part outside 0 to 1.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<f64> {
        if self.count == 0 || !(0.0..=1.0).contains(&part) {
            return None;
        }
        let rank = part * (self.count - 1) as f64;
        let mut below = 0.0;
        for (place, count) in self.counts.iter().enumerate() {
            let count = f64::from(*count);
            if count > 0.0 && rank < below + count {
                let inside = (rank - below + 0.5) / count;
                let value = (self.base + place as f64 + inside) * self.width;
                return Some(value.clamp(self.min, self.max));
            }
            below += count;
        }
        Some(self.max)
    }

    /// The bins that hold anything: lower end, upper end, count.
    pub fn bins(&self) -> impl Iterator<Item = (f64, f64, u32)> + '_ {
        let edge = |place: usize| (self.base + place as f64) * self.width;
        self.counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(move |(place, count)| (edge(place), edge(place + 1), *count))
    }

    /// Forgets all values and keeps the memory.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        (self.count, self.min, self.max) = (0, f64::INFINITY, f64::NEG_INFINITY);
    }
}
