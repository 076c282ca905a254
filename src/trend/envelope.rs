//! Millions of readings into the columns of a plot, so that no extreme is lost and no length need be known beforehand.

/// The readings of one column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// Time of its first reading, in seconds since the start of the run.
    pub first_s: f64,
    /// Time of its last one.
    pub last_s: f64,
    /// How many readings.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// The lowest.
    pub min: f64,
    /// When the lowest was.
    pub min_at_s: f64,
    /// The highest.
    pub max: f64,
    /// When the highest was.
    pub max_at_s: f64,
}

/// A column while it is filled: what it will tell, and the sum that its mean is made of.
#[derive(Debug, Clone, Copy)]
struct Open {
    number: u64,
    /// Its mean is not told yet.
    column: Column,
    zero: f64,
    /// Of the values less `zero`: small numbers, and no division a reading.
    sum: f64,
}

impl Open {
    const fn one(number: u64, at_s: f64, value: f64) -> Self {
        let column = Column {
            first_s: at_s,
            last_s: at_s,
            count: 1,
            mean: value,
            min: value,
            min_at_s: at_s,
            max: value,
            max_at_s: at_s,
        };
        Self { number, column, zero: value, sum: 0.0 }
    }
    #[inline]
    fn take(&mut self, at_s: f64, value: f64) {
        let column = &mut self.column;
        column.last_s = at_s;
        column.count += 1;
        self.sum += value - self.zero;
        if value < column.min {
            (column.min, column.min_at_s) = (value, at_s);
        }
        if value > column.max {
            (column.max, column.max_at_s) = (value, at_s);
        }
    }
    fn join(&mut self, later: &Self) {
        let (column, after) = (&mut self.column, &later.column);
        self.sum += later.sum + (later.zero - self.zero) * after.count as f64;
        column.count += after.count;
        column.last_s = after.last_s;
        if after.min < column.min {
            (column.min, column.min_at_s) = (after.min, after.min_at_s);
        }
        if after.max > column.max {
            (column.max, column.max_at_s) = (after.max, after.max_at_s);
        }
    }
    fn told(&self) -> Column {
        Column { mean: self.zero + self.sum / self.column.count as f64, ..self.column }
    }
}

/// Keeps between half of and all of a number of columns of equal time; when they are full, two become one.
#[derive(Debug, Clone)]
pub struct Envelope {
    most: usize,
    width_s: f64,
    start_s: f64,
    /// End of the last column: most readings need no more than this comparison.
    end_s: f64,
    /// A number is missing where no reading fell.
    columns: Vec<Open>,
}

impl Envelope {
    /// At most `columns` columns (two or more), beginning with a width of `width_s` seconds, e.g. the spacing of the readings.
    #[must_use]
    pub fn new(columns: usize, width_s: f64) -> Self {
        let width_s = if width_s > 0.0 && width_s.is_finite() { width_s } else { 1.0 };
        Self { most: columns.max(2), width_s, start_s: 0.0, end_s: f64::NEG_INFINITY, columns: Vec::new() }
    }

    /// Takes a reading; one that is no number, or older than the last, is left out.
    #[inline]
    pub fn push(&mut self, at_s: f64, value: f64) {
        if let Some(last) = self.columns.last_mut()
            && at_s < self.end_s
            && at_s >= last.column.last_s
            && value.is_finite()
        {
            last.take(at_s, value);
            return;
        }
        self.begin(at_s, value);
    }

    #[cold]
    fn begin(&mut self, at_s: f64, value: f64) {
        let late = self.columns.last().is_some_and(|last| at_s < last.column.last_s);
        if late || !at_s.is_finite() || !value.is_finite() {
            return;
        }
        if self.columns.is_empty() {
            self.start_s = at_s;
        }
        while (at_s - self.start_s) / self.width_s >= self.most as f64 {
            self.double();
        }
        let number = ((at_s - self.start_s) / self.width_s) as u64;
        match self.columns.last_mut() {
            Some(last) if last.number == number => last.take(at_s, value),
            _ => self.columns.push(Open::one(number, at_s, value)),
        }
        self.end_s = self.start_s + (number + 1) as f64 * self.width_s;
    }

    fn double(&mut self) {
        self.width_s *= 2.0;
        let mut joined: Vec<Open> = Vec::with_capacity(self.columns.len() / 2 + 1);
        for mut column in self.columns.drain(..) {
            column.number /= 2;
            match joined.last_mut() {
                Some(before) if before.number == column.number => before.join(&column),
                _ => joined.push(column),
            }
        }
        self.columns = joined;
    }

    /// Width of a column in seconds.
    #[must_use]
    pub const fn width_s(&self) -> f64 {
        self.width_s
    }

    /// The columns that hold readings, in the order of time. Where one is farther from the next than the width, there is a gap.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = Column> {
        self.columns.iter().map(Open::told)
    }
}
