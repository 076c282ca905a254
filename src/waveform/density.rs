//! One switching period with all cycles in it, as a picture: how often the trace was where, so that jitter and rare events
//! show beside what is always there. Time is not stretched: each cycle counts from its own rising edge.

use super::histogram::find_step_v;
use super::switching::measure_switching;
use super::{Pair, Unavailable};
use crate::base::stats;

/// One switching period with all cycles in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// Mean period in seconds.
    pub period_s: f64,
    /// Shortest and longest period in seconds.
    pub periods_s: (f64, f64),
    /// Time at the left end of the picture, from the rising edge, in seconds; a tenth of the picture before it.
    pub start_s: f64,
    /// Width of the picture in seconds: the longest period; where few are much longer than the others, all but a twentieth.
    pub span_s: f64,
    /// Whole cycles in the picture.
    pub cycles: usize,
    /// Mean volts of each column; `None` where no sample fell.
    pub mean_v: Vec<Option<f64>>,
    /// Volts at the lower end of the grid.
    pub low_v: f64,
    /// Volts at the upper end of the grid.
    pub high_v: f64,
    /// Rows of the grid: at most as many as asked for, and no more than the converter has steps in it.
    pub rows: usize,
    /// Samples in each cell, row by row from `low_v` up, one cell a column.
    pub density: Vec<u32>,
    /// Samples of these cycles above or below the grid.
    pub outside: u64,
    /// Samples of longer cycles behind the grid's right end.
    pub beyond: u64,
}

/// Instants at which cycles begin, as positions between samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycles {
    /// The beginnings, rising.
    pub begins: Vec<f64>,
    /// Mean period in seconds.
    pub period_s: f64,
}

/// The cycles of a pair by the rising edges of its switch node.
///
/// # Errors
/// No switch node trace, or no edges.
pub fn find_cycles(pair: &Pair<'_>) -> Result<Cycles, Unavailable> {
    let lx = pair.lx.ok_or_else(|| Unavailable::because("no trace of the switch node to fold by"))?;
    let switching = measure_switching(lx)?;
    Ok(Cycles { period_s: switching.period / switching.rate_hz, begins: switching.edges.rising })
}

/// Even cycles at a known frequency. The trace's jitter then widens the picture.
#[must_use]
pub fn even_cycles(samples: usize, step_s: f64, frequency_hz: f64) -> Cycles {
    let period_s = 1.0 / frequency_hz;
    let pitch = period_s / step_s;
    // A period under two samples is none; more than a few million need not be drawn.
    let count = if pitch >= 2.0 { ((samples as f64 / pitch) as usize).min(1 << 22) } else { 0 };
    Cycles { begins: (0..=count).map(|index| index as f64 * pitch).collect(), period_s }
}

/// Periods that are at most this many times the middle one all fit into the picture.
const ALIKE: f64 = 1.25;

/// Part of the picture that stands before the rising edge, so that the spikes there stand whole.
const LEAD: f64 = 0.1;

/// The width of the picture in samples, and the shortest and longest period.
fn find_extent(begins: &[f64]) -> Option<(f64, (f64, f64))> {
    let periods: Vec<f64> = begins.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let ends = periods.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), p| (low.min(*p), high.max(*p)));
    let middle = stats::median(&periods)?;
    let most = stats::quantile(&periods, 0.95)?;
    Some((if ends.1 <= ALIKE * middle { ends.1 } else { most }, ends))
}

/// Lays all cycles of a pair's output over each other, in `grid` columns and rows, between the lowest and the highest sample or
/// `within_v`. Each begins a tenth of the picture's width before its rising edge and ends where the next one begins.
///
/// # Errors
/// No whole cycle, or an unreadable output trace.
pub fn build_fold(
    pair: &Pair<'_>,
    cycles: &Cycles,
    grid: (usize, usize),
    within_v: Option<(f64, f64)>,
) -> Result<Fold, Unavailable> {
    pair.vout.check_readable()?;
    let volts = pair.vout.volts();
    let columns = grid.0.clamp(1, 4096);
    let mut cells = Cells::new(&volts, (columns, grid.1.clamp(1, 4096)), within_v);
    let none = || Unavailable::because("there is no whole cycle in the record");
    let (extent, ends) = find_extent(&cycles.begins).filter(|found| found.0 > 0.0).ok_or_else(none)?;
    let (lead, pitch) = (LEAD * extent, columns as f64 / extent);
    let mut whole = 0;
    for cycle in cycles.begins.windows(2) {
        let sample = |position: f64| (position - lead).max(0.0).ceil() as usize;
        let (from, to) = (sample(cycle[0]), sample(cycle[1]));
        let Some(stretch) = volts.get(from..to) else { continue };
        let first = (from as f64 - cycle[0] + lead) * pitch;
        for (index, value) in stretch.iter().enumerate() {
            cells.add(first + index as f64 * pitch, f64::from(*value));
        }
        whole += 1;
    }
    if whole == 0 {
        return Err(none());
    }
    let mean = |(sum, count): (&f64, &u32)| (*count > 0).then(|| sum / f64::from(*count));
    Ok(Fold {
        period_s: cycles.period_s,
        periods_s: (ends.0 * pair.vout.step_s, ends.1 * pair.vout.step_s),
        start_s: -lead * pair.vout.step_s,
        span_s: extent * pair.vout.step_s,
        cycles: whole,
        mean_v: cells.sums.iter().zip(&cells.counts).map(mean).collect(),
        low_v: cells.low_v,
        high_v: cells.low_v + cells.row_v * cells.rows as f64,
        rows: cells.rows,
        density: cells.density,
        outside: cells.outside,
        beyond: cells.beyond,
    })
}

struct Cells {
    columns: usize,
    rows: usize,
    low_v: f64,
    row_v: f64,
    counts: Vec<u32>,
    sums: Vec<f64>,
    density: Vec<u32>,
    outside: u64,
    beyond: u64,
}

impl Cells {
    fn new(volts: &[f32], (columns, rows): (usize, usize), within_v: Option<(f64, f64)>) -> Self {
        let ends = volts.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(f64::from(*value)), high.max(f64::from(*value)))
        });
        let (low_v, high_v) = within_v.map_or(ends, |(low, high)| (low.max(ends.0), high.min(ends.1)));
        let span_v = (high_v - low_v).max(low_v.abs() * 1e-6 + 1e-9);
        // A row holds a whole number of the converter's steps, which stand in the middle of their place.
        let step_v = find_step_v(volts).filter(|step_v| span_v / step_v < 1e6);
        let (low_v, rows, row_v) = match step_v {
            Some(step_v) => {
                let low_v = ends.0 + ((low_v - ends.0) / step_v).round() * step_v - step_v / 2.0;
                let steps = (span_v / step_v).round() + 1.0;
                let a_row = (steps / rows as f64).ceil().max(1.0);
                (low_v, (steps / a_row).ceil() as usize, a_row * step_v)
            }
            None => (low_v, rows, span_v / rows as f64),
        };
        Self {
            columns,
            rows,
            low_v,
            row_v,
            counts: vec![0; columns],
            sums: vec![0.0; columns],
            density: vec![0; columns * rows],
            outside: 0,
            beyond: 0,
        }
    }

    fn add(&mut self, column: f64, value: f64) {
        // Half a cell of rounding still belongs to the last column.
        if column >= self.columns as f64 + 0.5 {
            self.beyond += 1;
            return;
        }
        let column = (column as usize).min(self.columns - 1);
        self.counts[column] += 1;
        self.sums[column] += value;
        let row = (value - self.low_v) / self.row_v;
        // The highest sample stands on the grid's upper end where there are no steps.
        if (0.0..self.rows as f64 + 1e-6).contains(&row) {
            self.density[(row as usize).min(self.rows - 1) * self.columns + column] += 1;
        } else {
            self.outside += 1;
        }
    }
}

/// Volts between which all but `outside` of the samples lie, half of it on each side, with a tenth of air. Told from a hundred
/// thousand samples spread over the record.
#[must_use]
pub fn central_range(volts: &[f32], outside: f64) -> Option<(f64, f64)> {
    let pitch = (volts.len() / 100_000).max(1);
    let mut some: Vec<f32> = volts.iter().copied().step_by(pitch).filter(|value| value.is_finite()).collect();
    some.sort_unstable_by(f32::total_cmp);
    let last = some.len().checked_sub(1)?;
    let at = |share: f64| f64::from(some[((share * last as f64).round() as usize).min(last)]);
    let (low, high) = (at(outside / 2.0), at(1.0 - outside / 2.0));
    let air = 0.1 * (high - low);
    Some((low - air, high + air))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waveform::{Acquisition, Codes, Scaling, Waveform};

    fn trace(codes: Vec<i16>) -> Waveform {
        Waveform {
            scaling: Scaling {
                volts_per_code: 1e-3,
                zero_code: 0.0,
                offset_v: 0.0,
                min_code: -32768,
                max_code: 32767,
            },
            start_s: 0.0,
            step_s: 1e-8,
            acquisition: Acquisition::untold("vout", codes.len()),
            codes: Codes::I16(codes),
        }
    }

    /// Ten cycles of a ramp from 0 to 99 steps; in the fourth one sample stands far out.
    fn ramps() -> Waveform {
        let mut codes: Vec<i16> = (0..10).flat_map(|_| 0..100).collect();
        codes[350] = 1000;
        trace(codes)
    }

    #[test]
    fn a_single_stray_sample_has_its_own_cell() {
        let vout = ramps();
        let cycles = even_cycles(1000, 1e-8, 1e6);
        let fold = build_fold(&Pair { vout: &vout, lx: None }, &cycles, (50, 200), None).unwrap();
        assert_eq!((fold.cycles, fold.outside, fold.beyond), (10, 0, 0));
        // All but the tenth before an eleventh cycle.
        assert_eq!(fold.density.iter().sum::<u32>(), 990);
        let top: Vec<u32> = fold.density[(fold.rows - 1) * 50..].to_vec();
        assert_eq!(top.iter().sum::<u32>(), 1);
        // Half a period after the edge, which stands a tenth from the left.
        assert_eq!(top[30], 1);
    }

    #[test]
    fn cycles_of_different_length_are_not_stretched() {
        // Pulses of ten samples at uneven distances: each stands where it is in time.
        let begins = [100, 300, 700, 800, 1100];
        let is_pulse = |n: usize| begins.iter().any(|begin| (*begin..begin + 10).contains(&n));
        let vout = trace((0..1200).map(|n| if is_pulse(n) { 50 } else { 0 }).collect());
        let cycles = Cycles { begins: begins.iter().map(|n| *n as f64).collect(), period_s: 2.5e-6 };
        let fold = build_fold(&Pair { vout: &vout, lx: None }, &cycles, (400, 60), None).unwrap();
        assert!((fold.periods_s.0 - 1e-6).abs() < 1e-12 && (fold.periods_s.1 - 4e-6).abs() < 1e-12);
        assert!((fold.start_s / fold.span_s + 0.1).abs() < 1e-9, "{} {}", fold.start_s, fold.span_s);
        let high: Vec<f64> = (0..400)
            .filter(|column| fold.mean_v[*column].is_some_and(|mean| mean > 0.04))
            .map(|column| (column as f64 + 0.5) / 400.0 * fold.span_s + fold.start_s)
            .collect();
        let (first, last) = (high[0], high[high.len() - 1]);
        assert!(first > -2e-8 && last < 12e-8, "{first} {last}");
        assert_eq!(fold.density.iter().sum::<u32>() as u64 + fold.beyond, 1000);
        // The longest one is rare: its end stands beyond the picture and is counted.
        assert!(fold.span_s < 3.9e-6 && fold.beyond > 0, "{} {}", fold.span_s, fold.beyond);
    }

    #[test]
    fn a_narrower_picture_counts_what_it_leaves_out() {
        let vout = ramps();
        let cycles = even_cycles(1000, 1e-8, 1e6);
        let range = central_range(&vout.volts(), 0.01).unwrap();
        assert!(range.1 < 0.12, "{range:?}");
        let fold = build_fold(&Pair { vout: &vout, lx: None }, &cycles, (50, 200), Some(range)).unwrap();
        assert_eq!(fold.outside, 1);
        // A step a row: no empty rows between.
        assert_eq!(fold.rows, 110, "{} {}", fold.low_v, fold.high_v);
    }

    #[test]
    fn no_cycle_is_said_and_not_drawn() {
        let vout = ramps();
        let none = even_cycles(1000, 1e-8, 60e6);
        assert!(build_fold(&Pair { vout: &vout, lx: None }, &none, (50, 50), None).is_err());
    }
}
