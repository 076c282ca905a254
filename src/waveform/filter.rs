//! The 20 MHz figures (S4): the record behind low-passes of one, two and four poles; one is nearest to a scope's limiter.

use super::butterworth::{LowPass, Poles, Zeros};
use super::strips::{Extent, Number, ROWS, Row, STRIPS, Strips, Tile};
use super::wide::{Work, widen};
use super::{Figure, Unavailable, Waveform};

/// The limiter's corner, the usual one for ripple and noise figures, in Hz.
pub const LIMIT_HZ: f64 = 20e6;

/// The start of the filtered record that is dropped because the filter starts from zero, in seconds.
const SETTLING_S: f64 = 1e-6;

/// Peak to peak and rms of a filtered record, in volts.
#[derive(Debug, Clone, PartialEq)]
pub struct Limited {
    /// Highest less lowest value.
    pub pp_v: Figure,
    /// Standard deviation.
    pub rms_v: Figure,
}

impl Limited {
    /// Neither of the two, for one reason.
    #[must_use]
    pub fn none(reason: &Unavailable) -> Self {
        Self { pp_v: Err(reason.clone()), rms_v: Err(reason.clone()) }
    }
}

/// S4 with one, two and four poles: peak to peak and rms behind a Butterworth low-pass at 20 MHz, causal, from rest, of the
/// record less its mean; the first microsecond is dropped. A record that the scope has already limited to 20 MHz or less is
/// taken as it is, and once: a second pole would make the corner 13 MHz.
#[must_use]
pub fn measure_limited(waveform: &Waveform, mean_v: f64) -> [Limited; 3] {
    match waveform.check_readable() {
        Ok(_) => limited_of(waveform, mean_v),
        Err(reason) => [(); 3].map(|()| Limited::none(&reason)),
    }
}

/// As [`measure_limited`] of a trace that can be read.
pub(super) fn limited_of(waveform: &Waveform, mean_v: f64) -> [Limited; 3] {
    limit(waveform, mean_v).unwrap_or_else(|reason| [(); 3].map(|()| Limited::none(&reason)))
}

/// Below this part of the sample rate a corner is so low that the filters need the digits of f64.
const LEAST_RATIO: f64 = 0.01;

fn limit(waveform: &Waveform, mean_v: f64) -> Result<[Limited; 3], Unavailable> {
    let rate_hz = waveform.sample_rate_hz();
    let dropped = (SETTLING_S * rate_hz).round() as usize;
    let count = waveform.codes.len();
    if count < dropped + 2 {
        return Err(Unavailable::because(format!(
            "the record has {count} samples, fewer than the filter's settling time of 1 µs and two more"
        )));
    }
    if waveform.acquisition.bandwidth_limit_hz.is_some_and(|corner| corner <= LIMIT_HZ) {
        let shaped = Unavailable::because(
            "the scope's own limiter has shaped the record: there is one 20 MHz figure, not one an order",
        );
        let none = Limited::none(&shaped);
        return Ok([measure_as_it_is(waveform, (mean_v, dropped)), none.clone(), none]);
    }
    if LIMIT_HZ / rate_hz < LEAST_RATIO {
        measure_behind(waveform, (mean_v, dropped), Filters::<f64>::new(rate_hz)?)
    } else {
        measure_behind(waveform, (mean_v, dropped), Filters::<f32>::new(rate_hz)?)
    }
}

/// The extent of the record from sample `dropped` on, as it is.
fn measure_as_it_is(waveform: &Waveform, (mean_v, dropped): (f64, usize)) -> Limited {
    let (mut spread, mut block) = (Spread::default(), [0.0; ROWS]);
    for from in (dropped..waveform.codes.len()).step_by(ROWS) {
        let count = waveform.read_block(from, &mut block);
        block[..count].iter().for_each(|volts| spread.add(volts - mean_v));
    }
    spread.limited(1.0)
}

/// Runs the record less `mean_v` through all filters, and takes what is behind them from sample `dropped` on.
fn measure_behind<T: Number>(
    waveform: &Waveform,
    (mean_v, dropped): (f64, usize),
    mut filters: Filters<T>,
) -> Result<[Limited; 3], Unavailable> {
    let count = waveform.codes.len();
    let strips = Strips::new(count, filters.forgotten);
    let read = |at: isize, column: &mut [T; ROWS]| {
        // Before the record, and behind it, is rest.
        column.fill(T::default());
        let (rest, mut volts) = (at.min(0).unsigned_abs(), [0.0; ROWS]);
        if let (Some(places), Some(volts)) = (column.get_mut(rest..), volts.get_mut(rest..)) {
            let read = waveform.read_block(at.max(0) as usize, volts);
            places
                .iter_mut()
                .zip(&volts[..read])
                .for_each(|(place, volts)| *place = T::nearest(volts - mean_v));
        }
    };
    let (mut spreads, mut extents) = ([Spread::default(); 3], [Extent::none(); 3]);
    let mut input = [[T::default(); STRIPS]; ROWS];
    let mut kept = [Kept(input); 3];
    for tile in 0..strips.tiles_ahead() + strips.own_tiles() {
        if !strips
            .starts(tile)
            .is_some_and(|starts| waveform.read_columns(&starts, (mean_v, 1.0), &mut input))
        {
            strips.read_tile(tile, &mut input, read);
        }
        let own: [_; STRIPS] = std::array::from_fn(|strip| strips.own_rows(strip, tile, &(dropped..count)));
        if own.iter().all(|rows| *rows == (0..ROWS)) {
            let mut sums = extents.map(Sums::beginning_with);
            widen(Pass { filters: &mut filters, tile: &mut input, sinks: &mut sums });
            for ((extent, spread), sums) in extents.iter_mut().zip(&mut spreads).zip(&sums) {
                *extent = sums.extent;
                spread.add_sums(sums);
            }
        } else {
            widen(Pass { filters: &mut filters, tile: &mut input, sinks: &mut kept });
            for (spread, Kept(passed)) in spreads.iter_mut().zip(&kept) {
                for (strip, rows) in own.iter().enumerate() {
                    passed[rows.clone()].iter().for_each(|row| spread.add(row[strip].into()));
                }
            }
        }
    }
    let mut limited = spreads.iter_mut().zip(&extents).zip(filters.gains).map(|((spread, extent), gain)| {
        spread.add_extent(extent);
        spread.limited(gain)
    });
    let mut next = || limited.next().unwrap_or_else(|| Limited::none(&Unavailable::because("no filter")));
    Ok([next(), next(), next()])
}

/// The low-passes of one, two and four poles. All begin with the same two zeros, which are passed once.
struct Filters<T> {
    zeros: Zeros<T>,
    one: Poles<T>,
    two: Poles<T>,
    /// Both pairs of poles of the last one, and the zeros between them.
    four: (Poles<T>, Zeros<T>, Poles<T>),
    /// By what each output is to be multiplied.
    gains: [f64; 3],
    /// Samples after which nothing is left of what was before.
    forgotten: usize,
}

impl<T: Number> Filters<T> {
    fn new(rate_hz: f64) -> Result<Self, Unavailable> {
        let [one, two, four] = [1, 2, 4].map(|order| LowPass::<T>::new(order, LIMIT_HZ, rate_hz));
        let (one, two, four) = (one?, two?, four?);
        let ((zeros, _), (between, _)) = (two.sections[0], four.sections[1]);
        Ok(Self {
            zeros,
            one: one.sections[0].1,
            two: two.sections[0].1,
            four: (four.sections[0].1, between, four.sections[1].1),
            gains: [one.gain, two.gain, four.gain],
            forgotten: one.forgotten().max(two.forgotten()).max(four.forgotten()),
        })
    }

    /// Gives each row of the three outputs to its sink; the tile is used up.
    #[inline(always)]
    fn run<S: Sink<T>>(&mut self, tile: &mut Tile<T>, sinks: &mut [S; 3]) {
        let (mut zeros, mut poles, mut sink) = (self.zeros, self.one, sinks[0]);
        for (index, row) in tile.iter_mut().enumerate() {
            let (one, two) = zeros.pass(row);
            sink.take(index, &poles.pass_one(&one));
            *row = two;
        }
        (self.zeros, self.one, sinks[0]) = (zeros, poles, sink);
        let (mut poles, mut sink) = (self.two, sinks[1]);
        for (index, row) in tile.iter().enumerate() {
            sink.take(index, &poles.pass(row));
        }
        (self.two, sinks[1]) = (poles, sink);
        let (mut poles, mut zeros) = (self.four.0, self.four.1);
        for row in tile.iter_mut() {
            *row = zeros.pass(&poles.pass(row)).1;
        }
        (self.four.0, self.four.1) = (poles, zeros);
        let (mut poles, mut sink) = (self.four.2, sinks[2]);
        for (index, row) in tile.iter().enumerate() {
            sink.take(index, &poles.pass(row));
        }
        (self.four.2, sinks[2]) = (poles, sink);
    }
}

/// Takes the rows of an output.
trait Sink<T>: Copy {
    fn take(&mut self, index: usize, row: &Row<T>);
}

/// Keeps the rows of a tile of which not all belong to the record.
#[derive(Clone, Copy)]
struct Kept<T>(Tile<T>);

impl<T: Number> Sink<T> for Kept<T> {
    #[inline(always)]
    fn take(&mut self, index: usize, row: &Row<T>) {
        self.0[index] = *row;
    }
}

/// Extent of all rows so far, and sums over those of one tile: so few that f32 loses nothing.
#[derive(Clone, Copy)]
struct Sums<T> {
    extent: Extent<T>,
    sum: Row<T>,
    squares: Row<T>,
}

impl<T: Number> Sums<T> {
    fn beginning_with(extent: Extent<T>) -> Self {
        Self { extent, sum: [T::default(); STRIPS], squares: [T::default(); STRIPS] }
    }
}

impl<T: Number> Sink<T> for Sums<T> {
    #[inline(always)]
    fn take(&mut self, _: usize, row: &Row<T>) {
        self.extent.add(row);
        for (strip, value) in row.iter().enumerate() {
            self.sum[strip] = self.sum[strip] + *value;
            self.squares[strip] = self.squares[strip] + *value * *value;
        }
    }
}

/// A tile to be filtered.
struct Pass<'a, T, S> {
    filters: &'a mut Filters<T>,
    tile: &'a mut Tile<T>,
    sinks: &'a mut [S; 3],
}

impl<T: Number, S: Sink<T>> Work for Pass<'_, T, S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.filters.run(self.tile, self.sinks);
    }
}

/// Highest, lowest and spread of values that lie about zero.
#[derive(Clone, Copy)]
struct Spread {
    low: f64,
    high: f64,
    sum: f64,
    squares: f64,
    count: f64,
}

impl Default for Spread {
    fn default() -> Self {
        Self { low: f64::INFINITY, high: f64::NEG_INFINITY, sum: 0.0, squares: 0.0, count: 0.0 }
    }
}

impl Spread {
    fn add(&mut self, value: f64) {
        (self.low, self.high) = (self.low.min(value), self.high.max(value));
        self.sum += value;
        self.squares += value * value;
        self.count += 1.0;
    }

    /// Adds the sums of a whole tile; its extent comes with that of all.
    fn add_sums<T: Number>(&mut self, sums: &Sums<T>) {
        self.sum += sums.sum.iter().map(|sum| (*sum).into()).sum::<f64>();
        self.squares += sums.squares.iter().map(|sum| (*sum).into()).sum::<f64>();
        self.count += (ROWS * STRIPS) as f64;
    }

    fn add_extent<T: Number>(&mut self, extent: &Extent<T>) {
        self.low = extent.low.iter().fold(self.low, |low, value| low.min((*value).into()));
        self.high = extent.high.iter().fold(self.high, |high, value| high.max((*value).into()));
    }

    /// The figures of values that are to be multiplied by `gain`.
    fn limited(&self, gain: f64) -> Limited {
        let (mean, square) = (self.sum / self.count, self.squares / self.count);
        let rms = (square - mean * mean).max(0.0).sqrt();
        Limited { pp_v: Ok((self.high - self.low) * gain), rms_v: Ok(rms * gain) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::made::{Dice, trace};
    use super::*;
    use std::f64::consts::TAU;

    #[test]
    fn all_orders_agree_on_what_lies_far_below_the_corner() {
        let vout = trace((0..50_000).map(|n| 5.0 + 0.01 * (TAU * 100e3 * f64::from(n) / 100e6).sin()), 100e6);
        for limited in measure_limited(&vout, 5.0) {
            assert!((limited.pp_v.unwrap() - 0.02).abs() < 1e-5);
            assert!((limited.rms_v.unwrap() - 0.01 / 2.0_f64.sqrt()).abs() < 1e-5);
        }
    }

    #[test]
    fn a_record_that_the_scope_limited_is_taken_as_it_is_and_has_no_orders() {
        let mut vout = trace((0..5_000).map(f64::from), 100e6);
        vout.acquisition.bandwidth_limit_hz = Some(20e6);
        let [one, two, _] = measure_limited(&vout, 0.0);
        assert_eq!(one.pp_v, Ok(4_899.0));
        assert!(two.pp_v.unwrap_err().0.contains("own limiter"));
    }

    #[test]
    fn strips_give_what_the_record_gives_from_its_first_sample_to_its_last() {
        let mut dice = Dice(9);
        for (count, rate_hz) in
            [(102, 100e6), (1_500, 1e9), (33_333, 100e6), (70_000, 500e6), (300_000, 10e9)]
        {
            let volts: Vec<f64> = (0..count).map(|_| f64::from((5.0 + dice.noise()) as f32)).collect();
            let mean_v = volts.iter().sum::<f64>() / f64::from(count);
            let vout = trace(volts.iter().copied(), rate_hz);
            let less: Vec<f64> = volts.iter().map(|volts| volts - mean_v).collect();
            for (limited, order) in measure_limited(&vout, mean_v).into_iter().zip([1, 2, 4]) {
                let answer = LowPass::<f64>::new(order, LIMIT_HZ, rate_hz).unwrap().answer(&less);
                let kept = &answer[(SETTLING_S * rate_hz).round() as usize..];
                let high = kept.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let low = kept.iter().copied().fold(f64::INFINITY, f64::min);
                let rms = crate::base::stats::std_dev(kept, 0).unwrap();
                assert!((limited.pp_v.unwrap() / (high - low) - 1.0).abs() < 2e-6, "{count} {order}");
                assert!((limited.rms_v.unwrap() / rms - 1.0).abs() < 2e-6, "{count} {order}");
            }
        }
    }

    #[test]
    fn a_record_of_a_microsecond_has_no_20_megahertz_figure() {
        let [one, _, four] = measure_limited(&trace([0.0; 101], 100e6), 0.0);
        insta::assert_snapshot!(one.pp_v.unwrap_err(),
            @"the record has 101 samples, fewer than the filter's settling time of 1 µs and two more");
        assert!(four.rms_v.is_err());
    }
}
