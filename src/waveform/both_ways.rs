//! The 1 MHz low-pass that runs forward and backward and so delays nothing (R4).

use super::butterworth::LowPass;
use super::strips::{Extent, Number, ROWS, Row, STRIPS, Strips, Tile};
use super::wide::{Work, widen};
use super::{Unavailable, Waveform};
use std::ops::Range;

/// Corner of the low-pass, in Hz.
const CORNER_HZ: f64 = 1e6;

/// Poles of the low-pass, in each direction.
const ORDER: usize = 4;

/// Samples added at each end, the record turned about its end sample: three times the coefficients of the filter, as
/// `scipy.signal.sosfiltfilt` does it.
const PADDING: usize = 3 * (ORDER + 1);

/// Tiles that are held between forward and backward, beside those that the filter needs to forget: few enough for a processor's
/// second memory.
const HELD: usize = 96;

/// Below this part of the sample rate the corner is so low that the filter needs the digits of f64.
const LEAST_RATIO: f64 = 0.003;

/// R4: median over the cycles between `rising` edges of each cycle's peak to peak behind a fourth-order Butterworth low-pass
/// at 1 MHz that runs forward and backward, in volts. Spikes leave a residue in it: it is no ripple without spikes.
///
/// # Errors
/// The record is unreadable or too slow, is shorter than the padding, or holds no whole cycle.
pub fn measure_low_passed_ripple(vout: &Waveform, rising: &[f64]) -> Result<f64, Unavailable> {
    vout.check_readable()?;
    low_passed_ripple_of(vout, rising)
}

/// As [`measure_low_passed_ripple`] of a trace that can be read.
pub(super) fn low_passed_ripple_of(vout: &Waveform, rising: &[f64]) -> Result<f64, Unavailable> {
    let mut cycles = Cycles::between(rising);
    if CORNER_HZ / vout.sample_rate_hz() < LEAST_RATIO {
        run_both_ways::<f64>(vout, |passed| cycles.add_tile(passed))?;
    } else {
        run_both_ways::<f32>(vout, |passed| cycles.add_tile(passed))?;
    }
    crate::base::stats::median(&cycles.spans())
        .ok_or_else(|| Unavailable::because("no whole switching cycle in the record"))
}

/// A tile that has passed both ways.
struct Passed<'a, T> {
    tile: &'a Tile<T>,
    /// Rows of each strip that are samples of the record, and which sample the first of them is.
    own: [(Range<usize>, usize); STRIPS],
}

/// Runs the low-pass forward and backward over the record and gives it tile by tile, in no certain order. Backward begins so
/// far behind the tiles it gives that nothing of its start is left. The record is taken less about
/// its mean, which holds most of its digits and passes as it is.
fn run_both_ways<T: Number>(
    vout: &Waveform,
    mut give: impl FnMut(&Passed<'_, T>),
) -> Result<(), Unavailable> {
    let filter = LowPass::<T>::new(ORDER, CORNER_HZ, vout.sample_rate_hz())?;
    let count = vout.codes.len();
    if count <= PADDING {
        return Err(Unavailable::because(format!(
            "the record has {count} samples, the low-pass needs more than {PADDING}"
        )));
    }
    let strips = Strips::new(count + 2 * PADDING, filter.forgotten());
    let (ahead, own) = (strips.tiles_ahead(), strips.own_tiles());
    let mut forward = Forward::new(vout, strips, filter.clone());
    let mut unused = [[T::default(); STRIPS]; ROWS];
    (0..ahead).for_each(|_| forward.next_tile(&mut unused));
    let mut held: Vec<Tile<T>> = vec![unused; HELD.max(ahead).min(own) + ahead];
    let (mut first, mut from) = (0, 0);
    while first < own {
        let kept = HELD.max(ahead).min(own - first);
        let held = &mut held[..kept + ahead];
        held[from..].iter_mut().for_each(|tile| forward.next_tile(tile));
        let mut backward = filter.clone();
        backward.settle_at(held.last().and_then(|tile| tile.last()).unwrap_or(&[T::default(); STRIPS]));
        for (index, tile) in held.iter_mut().enumerate().rev() {
            // Those behind are needed once more.
            if index >= kept {
                unused = *tile;
                widen(Back(&mut backward, &mut unused));
            } else {
                widen(Back(&mut backward, tile));
                let number = ahead + first + index;
                let own = std::array::from_fn(|strip| {
                    let rows = strips.own_rows(strip, number, &(PADDING..count + PADDING));
                    let at = strips.position(strip, number) + rows.start as isize - PADDING as isize;
                    (rows, at.max(0) as usize)
                });
                give(&Passed { tile, own });
            }
        }
        held.copy_within(kept.., 0);
        (first, from) = (first + kept, ahead);
    }
    Ok(())
}

/// A tile to be filtered from its first row to its last.
struct Ahead<'a, T>(&'a mut LowPass<T>, &'a mut Tile<T>);

impl<T: Number> Work for Ahead<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.0.run(self.1);
    }
}

/// A tile to be filtered from its last row to its first.
struct Back<'a, T>(&'a mut LowPass<T>, &'a mut Tile<T>);

impl<T: Number> Work for Back<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.0.run_back(self.1);
    }
}

/// The forward run over the record with its ends turned about the end samples.
struct Forward<'a, T> {
    vout: &'a Waveform,
    strips: Strips,
    filter: LowPass<T>,
    /// What is taken away from each sample, and by what the rest is multiplied: the gain of both ways.
    terms: (f64, f64),
    head: Vec<f64>,
    tail: Vec<f64>,
    next: usize,
    last: Row<T>,
}

impl<'a, T: Number> Forward<'a, T> {
    fn new(vout: &'a Waveform, strips: Strips, filter: LowPass<T>) -> Self {
        let mut ends = [0.0; PADDING + 1];
        vout.read_block(0, &mut ends);
        let terms = (rough_mean(vout), filter.gain * filter.gain);
        let head = ends[1..].iter().rev().map(|value| 2.0 * ends[0] - value).collect();
        vout.read_block(vout.codes.len().saturating_sub(PADDING + 1), &mut ends);
        let tail = ends[..PADDING].iter().rev().map(|value| 2.0 * ends[PADDING] - value).collect();
        Self { vout, strips, filter, terms, head, tail, next: 0, last: [T::default(); STRIPS] }
    }

    fn next_tile(&mut self, tile: &mut Tile<T>) {
        let number = self.next;
        self.next += 1;
        if !self.read_inside(number, tile) {
            self.strips.read_tile(number, tile, |at, column| self.read(at, column));
        }
        if number == 0 {
            self.filter.settle_at(&tile[0]);
        }
        widen(Ahead(&mut self.filter, tile));
        // Behind the end the last answer stands still, from which backward begins as if it had stood there since ever.
        let total = (self.vout.codes.len() + 2 * PADDING) as isize;
        for strip in 0..STRIPS {
            let end = (total - self.strips.position(strip, number)).clamp(0, ROWS as isize) as usize;
            let last = end.checked_sub(1).map_or(self.last[strip], |row| tile[row][strip]);
            tile[end..].iter_mut().for_each(|row| row[strip] = last);
            self.last[strip] = last;
        }
    }

    /// Reads a tile that lies within the record itself, away from its turned ends; whether it does.
    fn read_inside(&self, number: usize, tile: &mut Tile<T>) -> bool {
        let Some(mut starts) = self.strips.starts(number) else { return false };
        for start in &mut starts {
            let Some(inside) = start.checked_sub(PADDING) else { return false };
            *start = inside;
        }
        self.vout.read_columns(&starts, self.terms, tile)
    }

    /// Samples from a position of the padded record on; before it stands its first one, behind it its last.
    fn read(&self, at: isize, column: &mut [T; ROWS]) {
        let (from, count) = (at - PADDING as isize, self.vout.codes.len() as isize);
        let mut volts = [0.0; ROWS];
        if from >= 0 && from + ROWS as isize <= count {
            self.vout.read_block(from as usize, &mut volts);
        } else {
            for (place, index) in volts.iter_mut().zip(from..) {
                if index < 0 {
                    *place = self.head[(index + PADDING as isize).max(0) as usize];
                } else if index < count {
                    self.vout.read_block(index as usize, std::slice::from_mut(place));
                } else {
                    *place = self.tail[(index - count).min(PADDING as isize - 1) as usize];
                }
            }
        }
        let (base_v, gain) = self.terms;
        column.iter_mut().zip(volts).for_each(|(place, volts)| *place = T::nearest((volts - base_v) * gain));
    }
}

/// Samples of which the rough mean is one.
const FEW: usize = 64;

/// The mean of a few samples all over the record, in volts.
fn rough_mean(vout: &Waveform) -> f64 {
    let count = vout.codes.len();
    let mut volts = [0.0; FEW];
    for (turn, place) in volts.iter_mut().enumerate() {
        vout.read_block(turn * count / FEW, std::slice::from_mut(place));
    }
    volts.iter().sum::<f64>() / FEW as f64
}

/// Lowest and highest value of each cycle.
struct Cycles {
    /// The first sample of each cycle, and the one after the last.
    bounds: Vec<usize>,
    extents: Vec<(f64, f64)>,
    /// The first bound behind the place at which each strip was last: the next place is near it.
    near: [usize; STRIPS],
}

impl Cycles {
    fn between(rising: &[f64]) -> Self {
        let bounds: Vec<usize> = rising.iter().map(|edge| edge.max(0.0).ceil() as usize).collect();
        let extents = vec![(f64::INFINITY, f64::NEG_INFINITY); bounds.len().saturating_sub(1)];
        Self { bounds, extents, near: [0; STRIPS] }
    }

    /// The first bound behind a sample.
    fn bound_behind(&mut self, strip: usize, index: usize) -> usize {
        let mut next = self.near[strip];
        while next > 0 && self.bounds[next - 1] > index {
            next -= 1;
        }
        while self.bounds.get(next).is_some_and(|bound| *bound <= index) {
            next += 1;
        }
        self.near[strip] = next;
        next
    }

    fn add_tile<T: Number>(&mut self, passed: &Passed<'_, T>) {
        let Extent { low, high } = widen(TileExtent(passed.tile));
        for (strip, (rows, first)) in passed.own.iter().enumerate() {
            let (mut row, mut index) = (rows.start, *first);
            while row < rows.end {
                let next = self.bound_behind(strip, index);
                let Some(bound) = self.bounds.get(next) else { break };
                let until = rows.end.min(row + (bound - index));
                if let Some(extent) = next.checked_sub(1).and_then(|cycle| self.extents.get_mut(cycle)) {
                    // Most tiles lie within one cycle.
                    let (low, high) = if until - row == ROWS {
                        (low[strip].into(), high[strip].into())
                    } else {
                        let values = passed.tile[row..until].iter().map(|row| row[strip].into());
                        values.fold(*extent, |(low, high), value: f64| (low.min(value), high.max(value)))
                    };
                    *extent = (extent.0.min(low), extent.1.max(high));
                }
                (row, index) = (until, index + until - row);
            }
        }
    }

    fn spans(&self) -> Vec<f64> {
        self.extents.iter().filter(|(low, high)| high >= low).map(|(low, high)| high - low).collect()
    }
}

/// Lowest and highest value of each strip in a tile.
struct TileExtent<'a, T>(&'a Tile<T>);

impl<T: Number> Work for TileExtent<'_, T> {
    type Output = Extent<T>;

    #[inline(always)]
    fn call(self) -> Extent<T> {
        let mut extent = Extent::none();
        self.0.iter().for_each(|row| extent.add(row));
        extent
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::made::{Dice, trace};
    use super::*;
    use std::f64::consts::TAU;

    /// What has passed both ways, sample by sample; each is given once.
    fn passed<T: Number>(volts: Vec<f64>, rate_hz: f64) -> Vec<f64> {
        let (mut seen, vout) = (vec![None; volts.len()], trace(volts, rate_hz));
        let base = rough_mean(&vout);
        run_both_ways::<T>(&vout, |passed| {
            for (strip, (rows, first)) in passed.own.iter().enumerate() {
                for (offset, row) in passed.tile[rows.clone()].iter().enumerate() {
                    assert!(seen[first + offset].replace(base + row[strip].into()).is_none());
                }
            }
        })
        .unwrap();
        seen.into_iter().map(Option::unwrap).collect()
    }

    /// The definition of `sosfiltfilt`, written out over the whole padded record.
    fn both_ways(volts: &[f64], rate_hz: f64) -> Vec<f64> {
        let last = volts.len() - 1;
        let mut padded: Vec<f64> = (1..=PADDING).rev().map(|n| 2.0 * volts[0] - volts[n]).collect();
        padded.extend(volts);
        padded.extend((1..=PADDING).map(|n| 2.0 * volts[last] - volts[last - n]));
        for _ in 0..2 {
            let mut filter = LowPass::<f64>::new(ORDER, CORNER_HZ, rate_hz).unwrap();
            // Of what is still to be multiplied by its gain.
            filter.settle_at(&[padded[0]; STRIPS]);
            padded = filter.answer(&padded);
            padded.reverse();
        }
        padded[PADDING..PADDING + volts.len()].to_vec()
    }

    #[test]
    fn strips_and_tiles_give_what_the_whole_record_gives() {
        let mut dice = Dice(1);
        for count in [16, 31, 33, 1_000, 40_000, HELD * ROWS * STRIPS + 777] {
            let volts: Vec<f64> = (0..count).map(|_| f64::from((5.0 + dice.noise()) as f32)).collect();
            let expected = both_ways(&volts, 100e6);
            let (narrow, wide) = (passed::<f32>(volts.clone(), 100e6), passed::<f64>(volts, 100e6));
            for ((narrow, wide), expected) in narrow.iter().zip(&wide).zip(&expected) {
                assert!((wide - expected).abs() < 1e-12, "{count}: {wide} {expected}");
                assert!((narrow - expected).abs() < 2e-5, "{count}: {narrow} {expected}");
            }
        }
    }

    #[test]
    fn a_slow_sine_passes_both_ways_without_delay_and_one_at_the_corner_loses_half() {
        for (hz, kept) in [(100e3, 1.0), (1e6, 0.5)] {
            let sine: Vec<f64> = (0..60_000).map(|n| (TAU * hz * f64::from(n) / 100e6).sin()).collect();
            let found = passed::<f32>(sine.clone(), 100e6);
            for index in 5_000..55_000 {
                assert!((found[index] - kept * sine[index]).abs() < 1e-4, "{hz} {index}");
            }
        }
    }

    #[test]
    fn the_extent_of_a_cycle_is_that_of_its_samples_wherever_strips_and_tiles_are_cut() {
        let mut dice = Dice(6);
        let volts: Vec<f64> = (0..50_000).map(|_| f64::from(dice.noise() as f32)).collect();
        let all = passed::<f32>(volts.clone(), 100e6);
        for (first, period, cycles) in
            [(0.3, 819.7, 60), (30.0, 20.2, 2_000), (700.0, 9_000.0, 5), (3.0, 1.5, 90)]
        {
            let rising: Vec<f64> = (0..=cycles).map(|n| first + period * f64::from(n)).collect();
            let mut spans = Vec::new();
            for pair in rising.windows(2) {
                let cycle = &all[pair[0].ceil() as usize..pair[1].ceil() as usize];
                let high = cycle.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                spans.push(high - cycle.iter().copied().fold(f64::INFINITY, f64::min));
            }
            let found = measure_low_passed_ripple(&trace(volts.iter().copied(), 100e6), &rising).unwrap();
            assert_eq!(Some(found), crate::base::stats::median(&spans));
        }
    }

    #[test]
    fn a_low_pass_at_1_megahertz_is_no_spike_removal() {
        // A ripple of 16 mV and spikes of 1.5 V over 60 ns at one edge: 9e-8 Vs, which 1 MHz spreads over half a microsecond.
        let period = 820.0;
        let volt = |n: u32| {
            let phase = f64::from(n) % period / period;
            let ripple = 0.016 * if phase < 0.4 { phase / 0.4 } else { (1.0 - phase) / 0.6 };
            ripple + if f64::from(n) % period < 6.0 { -0.5 } else { 0.0 }
        };
        let rising: Vec<f64> = (0..70).map(|cycle| 410.0 + period * f64::from(cycle)).collect();
        let pp_v = measure_low_passed_ripple(&trace((0..60_000).map(volt), 100e6), &rising).unwrap();
        assert!(pp_v > 1.5 * 0.016, "{pp_v}");
        assert!(measure_low_passed_ripple(&trace([0.0; 15], 100e6), &rising).is_err());
        assert!(measure_low_passed_ripple(&trace([0.0; 5_000], 1.5e6), &rising).is_err());
    }
}
