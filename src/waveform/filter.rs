//! The 20 MHz figures (S4): the record behind low-passes of one, two and four poles; one is nearest to a scope's limiter.

use super::butterworth::LowPass;
use super::strips::{ROWS, Row, STRIPS, Strips, Tile};
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
        let [as_it_is] = measure_behind(waveform, (mean_v, dropped), [LowPass::none()]);
        let shaped = Unavailable::because(
            "the scope's own limiter has shaped the record: there is one 20 MHz figure, not one an order",
        );
        return Ok([as_it_is.limited(), Limited::none(&shaped), Limited::none(&shaped)]);
    }
    let filter = |order: usize| LowPass::new(order, LIMIT_HZ, rate_hz);
    let filters = [filter(1)?, filter(2)?, filter(4)?];
    Ok(measure_behind(waveform, (mean_v, dropped), filters).map(|extent| extent.limited()))
}

/// Runs the record less `mean_v` through each filter, and takes what is behind it from sample `dropped` on.
fn measure_behind<const FILTERS: usize>(
    waveform: &Waveform,
    (mean_v, dropped): (f64, usize),
    mut filters: [LowPass; FILTERS],
) -> [Extent; FILTERS] {
    let count = waveform.codes.len();
    let ahead = filters.iter().map(LowPass::forgotten).max().unwrap_or(0);
    let strips = Strips::new(count, ahead);
    let read = |at: isize, column: &mut [f64; ROWS]| {
        // Before the record, and behind it, is rest.
        column.fill(0.0);
        let rest = at.min(0).unsigned_abs();
        if let Some(places) = column.get_mut(rest..) {
            let read = waveform.read_block(at.max(0) as usize, places);
            places[..read].iter_mut().for_each(|value| *value -= mean_v);
        }
    };
    let mut extents = [Extent::NONE; FILTERS];
    let (mut input, mut output) = ([[0.0; STRIPS]; ROWS], [[0.0; STRIPS]; ROWS]);
    for tile in 0..strips.tiles_ahead() + strips.own_tiles() {
        if !strips.starts(tile).is_some_and(|starts| waveform.read_columns(&starts, mean_v, &mut input)) {
            strips.read_tile(tile, &mut input, read);
        }
        let own: [_; STRIPS] = std::array::from_fn(|strip| strips.own_rows(strip, tile, &(dropped..count)));
        let all_own = own.iter().all(|rows| *rows == (0..ROWS));
        for (filter, extent) in filters.iter_mut().zip(&mut extents) {
            widen(Pass {
                filter,
                tile: &input,
                passed: &mut output,
                extent: all_own.then_some(&mut *extent),
            });
            if !all_own {
                for (strip, rows) in own.iter().enumerate() {
                    output[rows.clone()].iter().for_each(|row| extent.add(strip, row[strip]));
                }
            }
        }
    }
    extents
}

/// A tile to be filtered, and the extent of what comes out where all of it belongs to the record.
struct Pass<'a> {
    filter: &'a mut LowPass,
    tile: &'a Tile,
    passed: &'a mut Tile,
    extent: Option<&'a mut Extent>,
}

impl Work for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        *self.passed = *self.tile;
        self.filter.run(self.passed);
        if let Some(extent) = self.extent {
            extent.add_rows(self.passed);
        }
    }
}

/// Highest, lowest and spread of values that lie about zero, a strip each.
#[derive(Clone, Copy)]
struct Extent {
    low: Row,
    high: Row,
    sum: Row,
    squares: Row,
    count: f64,
}

impl Extent {
    const NONE: Self = Self {
        low: [f64::INFINITY; STRIPS],
        high: [f64::NEG_INFINITY; STRIPS],
        sum: [0.0; STRIPS],
        squares: [0.0; STRIPS],
        count: 0.0,
    };

    #[inline(always)]
    fn add_rows(&mut self, tile: &Tile) {
        let Self { mut low, mut high, mut sum, mut squares, .. } = *self;
        for row in tile {
            for strip in 0..STRIPS {
                let value = row[strip];
                low[strip] = if value < low[strip] { value } else { low[strip] };
                high[strip] = if value > high[strip] { value } else { high[strip] };
                sum[strip] += value;
                squares[strip] += value * value;
            }
        }
        *self = Self { low, high, sum, squares, count: self.count + (ROWS * STRIPS) as f64 };
    }

    #[inline(always)]
    fn add(&mut self, strip: usize, value: f64) {
        self.low[strip] = self.low[strip].min(value);
        self.high[strip] = self.high[strip].max(value);
        self.sum[strip] += value;
        self.squares[strip] += value * value;
        self.count += 1.0;
    }

    fn limited(&self) -> Limited {
        let mean = self.sum.iter().sum::<f64>() / self.count;
        let low = self.low.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.high.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let square = self.squares.iter().sum::<f64>() / self.count;
        Limited { pp_v: Ok(high - low), rms_v: Ok((square - mean * mean).max(0.0).sqrt()) }
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
        for (count, rate_hz) in [(102, 100e6), (1_500, 1e9), (33_333, 100e6), (70_000, 500e6)] {
            let volts: Vec<f64> = (0..count).map(|_| f64::from((5.0 + dice.noise()) as f32)).collect();
            let mean_v = volts.iter().sum::<f64>() / f64::from(count);
            let vout = trace(volts.iter().copied(), rate_hz);
            let less: Vec<f64> = volts.iter().map(|volts| volts - mean_v).collect();
            for (limited, order) in measure_limited(&vout, mean_v).into_iter().zip([1, 2, 4]) {
                let answer = LowPass::new(order, LIMIT_HZ, rate_hz).unwrap().answer(&less);
                let kept = &answer[(SETTLING_S * rate_hz).round() as usize..];
                let high = kept.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let low = kept.iter().copied().fold(f64::INFINITY, f64::min);
                let rms = crate::base::stats::std_dev(kept, 0).unwrap();
                assert!((limited.pp_v.unwrap() - (high - low)).abs() < 1e-12, "{count} {order}");
                assert!((limited.rms_v.unwrap() - rms).abs() < 1e-12, "{count} {order}");
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
