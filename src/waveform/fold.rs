//! All cycles of a record laid over each other: the mean cycle that ripple is read from, and a picture of all of them.

use super::switching::{Edges, Switching, measure_switching};
use super::trace::Levels;
use super::{Pair, Unavailable};

/// Phases a cycle is resampled to for the ripple estimators.
pub const PHASES: usize = 1000;

/// The arithmetic mean over all whole cycles at [`PHASES`] even phases, by linear interpolation, in levels less the first one.
///
/// The mean and not the median: the median over cycles of a quantised record snaps to half a step.
#[must_use]
pub fn mean_cycle(levels: &[u16], edges: &Edges) -> Vec<f64> {
    let mut sums = vec![0.0_f64; PHASES];
    // Words lie about level 32768; taking that away first saves the digits that the ripple needs.
    let base = f64::from(levels.first().copied().unwrap_or(0));
    let mut cycles = 0_u32;
    for cycle in edges.rising.windows(2) {
        let (start, pitch) = (cycle[0], (cycle[1] - cycle[0]) / PHASES as f64);
        // The last phase read needs the sample after it.
        if start < 0.0 || start + pitch * (PHASES - 1) as f64 + 1.0 >= levels.len() as f64 {
            continue;
        }
        for (phase, sum) in sums.iter_mut().enumerate() {
            let position = start + pitch * phase as f64;
            let index = position as usize;
            let (left, right) = (f64::from(levels[index]) - base, f64::from(levels[index + 1]) - base);
            *sum += left + (right - left) * (position - index as f64);
        }
        cycles += 1;
    }
    if cycles == 0 {
        return Vec::new();
    }
    sums.iter_mut().for_each(|sum| *sum /= f64::from(cycles));
    sums
}

/// One switching period with all cycles in it, as data for a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// Mean period in seconds: the width of the picture.
    pub period_s: f64,
    /// Falling edge as a part of the period.
    pub duty: f64,
    /// Whole cycles in the picture.
    pub cycles: usize,
    /// Mean volts of each column; `None` where no sample fell.
    pub mean_v: Vec<Option<f64>>,
    /// Lowest volts of each column.
    pub min_v: Vec<Option<f64>>,
    /// Highest volts of each column.
    pub max_v: Vec<Option<f64>>,
    /// Volts at the lower end of the grid.
    pub low_v: f64,
    /// Volts at the upper end of the grid.
    pub high_v: f64,
    /// Rows of the grid.
    pub rows: usize,
    /// Samples in each cell, row by row from `low_v` up, one cell a column.
    pub density: Vec<u32>,
}

/// Lays all cycles of a pair's output over each other, in `columns` phases and `rows` steps of voltage.
///
/// # Errors
/// No switch node trace, no edges, pulses that are skipped, or an unreadable output trace.
pub fn build_fold(pair: &Pair<'_>, columns: usize, rows: usize) -> Result<Fold, Unavailable> {
    pair.vout.check_readable()?;
    let lx = pair.lx.ok_or_else(|| Unavailable::because("no trace of the switch node to fold by"))?;
    let switching = measure_switching(lx)?;
    let levels = pair.vout.levels();
    let (Some(lowest), Some(highest)) = (levels.iter().min().copied(), levels.iter().max().copied()) else {
        return Err(Unavailable::because("the output trace holds no samples"));
    };
    let (columns, rows) = (columns.clamp(1, 4096), rows.clamp(1, 4096));
    let mut cells = Cells::new(columns, rows, (lowest, highest));
    for cycle in switching.edges.rising.windows(2) {
        let (from, to) = (cycle[0].max(0.0).ceil() as usize, cycle[1].max(0.0).ceil() as usize);
        let Some(stretch) = levels.get(from..to) else { continue };
        for (index, level) in stretch.iter().enumerate() {
            cells.add(((from + index) as f64 - cycle[0]) / (cycle[1] - cycle[0]), *level);
        }
    }
    Ok(cells.finish(&levels, &switching))
}

struct Cells {
    columns: usize,
    rows: usize,
    lowest: u16,
    highest: u16,
    counts: Vec<u32>,
    sums: Vec<f64>,
    extremes: Vec<(u16, u16)>,
    density: Vec<u32>,
}

impl Cells {
    fn new(columns: usize, rows: usize, (lowest, highest): (u16, u16)) -> Self {
        Self {
            columns,
            rows,
            lowest,
            highest,
            counts: vec![0; columns],
            sums: vec![0.0; columns],
            extremes: vec![(u16::MAX, 0); columns],
            density: vec![0; columns * rows],
        }
    }

    fn add(&mut self, phase: f64, level: u16) {
        let column = ((phase * self.columns as f64) as usize).min(self.columns - 1);
        self.counts[column] += 1;
        self.sums[column] += f64::from(level);
        let (low, high) = &mut self.extremes[column];
        (*low, *high) = ((*low).min(level), (*high).max(level));
        let span = usize::from(self.highest - self.lowest) + 1;
        let row = usize::from(level - self.lowest) * self.rows / span;
        self.density[row * self.columns + column] += 1;
    }

    fn finish(self, levels: &Levels, switching: &Switching) -> Fold {
        let volts = |level: f64| levels.volts_at(level);
        let column = |value: &dyn Fn(usize) -> f64| -> Vec<Option<f64>> {
            (0..self.columns).map(|at| (self.counts[at] > 0).then(|| volts(value(at)))).collect()
        };
        Fold {
            period_s: switching.period / switching.rate_hz,
            duty: switching.duty,
            cycles: switching.edges.rising.len().saturating_sub(1),
            mean_v: column(&|at| self.sums[at] / f64::from(self.counts[at])),
            min_v: column(&|at| f64::from(self.extremes[at].0)),
            max_v: column(&|at| f64::from(self.extremes[at].1)),
            low_v: volts(f64::from(self.lowest) - 0.5),
            high_v: volts(f64::from(self.highest) + 0.5),
            rows: self.rows,
            density: self.density,
        }
    }
}
