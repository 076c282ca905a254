use proptest::prelude::*;

use super::super::hourly::QUANTILES;
use super::super::{
    Averaging, DriftSettings, Envelope, Grid, Histogram, Hourly, Means, Reading, allan, drift,
    start_against_end,
};
use super::Noise;
use crate::base::stats::{mean, quantile, std_dev};

#[test]
fn an_hour_is_told_as_if_all_its_readings_had_been_kept() {
    let mut noise = Noise::seeded(8);
    let values: Vec<f64> = (0..9000).map(|_| 5.0 + 1e-3 * noise.normal()).collect();
    let mut hourly = Hourly::new(3600.0);
    for (at, value) in values.iter().enumerate() {
        hourly.push(at as f64, *value);
    }
    let intervals = hourly.intervals();
    assert_eq!(intervals.iter().map(|one| one.count).collect::<Vec<_>>(), [3600, 3600, 1800]);
    for (hour, told) in intervals.iter().enumerate() {
        let readings = &values[3600 * hour..(3600 * hour + 3600).min(9000)];
        assert_eq!(told.start_s, 3600.0 * hour as f64);
        assert!((told.mean - mean(readings).unwrap()).abs() < 1e-12);
        assert!((told.std_dev / std_dev(readings, 1).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(told.min, readings.iter().copied().fold(f64::INFINITY, f64::min));
        assert_eq!(told.max, readings.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        assert!(told.error <= (told.max - told.min) / 127.0);
        for (part, found) in QUANTILES.iter().zip(told.quantiles) {
            assert!((found - quantile(readings, *part).unwrap()).abs() <= told.error, "{part} {told:?}");
        }
    }
}

#[test]
fn gaps_leave_nothing_and_what_comes_late_is_counted() {
    let mut hourly = Hourly::new(3600.0);
    for (at_s, value) in
        [(10.0, 1.0), (f64::NAN, 1.0), (20.0, f64::NAN), (9000.0, 2.0), (30.0, 3.0), (9001.0, 4.0)]
    {
        hourly.push(at_s, value);
    }
    let told: Vec<(f64, u64, f64)> =
        hourly.intervals().iter().map(|one| (one.start_s, one.count, one.mean)).collect();
    assert_eq!(told, [(0.0, 1, 1.0), (7200.0, 2, 3.0)]);
    assert_eq!(hourly.left_out(), 3);
}

#[test]
fn means_stand_on_their_grid() {
    let mut means = Means::new(60.0);
    for s in (0..600).filter(|s| !(130..290).contains(s)) {
        means.push(f64::from(s), f64::from(s));
    }
    let told: Vec<(f64, f64)> = means.readings().iter().map(|mean| (mean.at_s, mean.value)).collect();
    assert_eq!(told[..3], [(29.5, 29.5), (89.5, 89.5), (124.5, 124.5)]);
    let grid = means.grid().unwrap();
    assert_eq!(
        (grid.start_s, grid.spacing_s, grid.values.len()),
        (0.0, 60.0, 9),
        "the open one is not there"
    );
    let missing: Vec<usize> = (0..9).filter(|at| grid.values[*at].is_nan()).collect();
    assert_eq!(missing, [2, 3, 4], "one with a few seconds of readings only is missing, too");
    assert!(Means::new(60.0).grid().is_err());
}

#[test]
fn an_envelope_keeps_every_extreme_and_its_time() {
    let mut noise = Noise::seeded(6);
    let mut envelope = Envelope::new(500, 1.0);
    let mut extremes = [(0.0, f64::INFINITY), (0.0, f64::NEG_INFINITY)];
    for s in 0..123_456 {
        let value = noise.normal() + if s == 77_777 { 50.0 } else { 0.0 };
        let at_s = f64::from(s);
        envelope.push(at_s, value);
        if value < extremes[0].1 {
            extremes[0] = (at_s, value);
        }
        if value > extremes[1].1 {
            extremes[1] = (at_s, value);
        }
    }
    assert!((250..=500).contains(&envelope.columns().len()), "{}", envelope.columns().len());
    let lowest = envelope.columns().min_by(|a, b| a.min.total_cmp(&b.min)).unwrap();
    let highest = envelope.columns().max_by(|a, b| a.max.total_cmp(&b.max)).unwrap();
    assert_eq!([(lowest.min_at_s, lowest.min), (highest.max_at_s, highest.max)], extremes);
    assert_eq!(highest.max_at_s, 77_777.0);
    assert_eq!(envelope.columns().map(|column| column.count).sum::<u64>(), 123_456);
}

proptest! {
    #[test]
    fn a_histogram_is_never_off_by_more_than_it_says(
        values in prop::collection::vec(prop_oneof![prop::num::f64::NORMAL, -10.0..10.0f64, Just(0.0), Just(5.0)], 1..400),
    ) {
        let mut histogram = Histogram::default();
        for value in &values {
            histogram.push(*value);
        }
        let (min, max) = histogram.extremes().unwrap();
        prop_assert_eq!(histogram.count(), values.len() as u64);
        prop_assert_eq!(histogram.bins().map(|bin| u64::from(bin.2)).sum::<u64>(), values.len() as u64);
        let finest = values[0].abs() * 2f64.powi(-39) + 2f64.powi(-79);
        let allowed = (max / 127.0 - min / 127.0).max(finest);
        prop_assert!(histogram.error() <= allowed || !(max - min).is_finite());
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        if (max - min).is_finite() {
            for (rank, value) in sorted.iter().enumerate() {
                let found = histogram.quantile(rank as f64 / (values.len() as f64 - 1.0).max(1.0)).unwrap();
                prop_assert!((found - value).abs() <= histogram.error() * 1.000_001, "{found} {value}");
            }
        }
    }

    #[test]
    fn an_envelope_loses_no_reading(
        steps in prop::collection::vec((0.0..1e4f64, -1e3..1e3f64), 1..300), columns in 2usize..40,
    ) {
        let mut envelope = Envelope::new(columns, 1.0);
        let (mut at_s, mut low, mut high, mut sum) = (0.0, f64::INFINITY, f64::NEG_INFINITY, 0.0);
        for (step, value) in &steps {
            at_s += step;
            envelope.push(at_s, *value);
            (low, high, sum) = (value.min(low), value.max(high), sum + value);
        }
        prop_assert!(envelope.columns().len() <= columns);
        prop_assert_eq!(envelope.columns().map(|c| c.count).sum::<u64>(), steps.len() as u64);
        prop_assert_eq!(envelope.columns().map(|c| c.min).fold(f64::INFINITY, f64::min), low);
        prop_assert_eq!(envelope.columns().map(|c| c.max).fold(f64::NEG_INFINITY, f64::max), high);
        let total: f64 = envelope.columns().map(|c| c.mean * c.count as f64).sum();
        prop_assert!((total - sum).abs() < 1e-6 * (1.0 + low.abs().max(high.abs()) * steps.len() as f64));
        let times: Vec<f64> = envelope.columns().flat_map(|c| [c.first_s, c.last_s]).collect();
        prop_assert!(times.is_sorted());
    }

    #[test]
    fn no_readings_make_anything_panic_and_no_answer_is_less_than_a_number(
        readings in prop::collection::vec((prop::num::f64::ANY, prop::num::f64::ANY), 0..120),
        sorted in any::<bool>(), spacing_s in prop::num::f64::ANY,
    ) {
        let mut readings: Vec<Reading> =
            readings.into_iter().map(|(at_s, value)| Reading { at_s: at_s.abs(), value }).collect();
        if sorted {
            readings.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        }
        let (mut hourly, mut envelope, mut means) =
            (Hourly::new(spacing_s), Envelope::new(7, spacing_s), Means::new(spacing_s));
        for reading in &readings {
            hourly.push(reading.at_s, reading.value);
            envelope.push(reading.at_s, reading.value);
            means.push(reading.at_s, reading.value);
        }
        let _ = (hourly.intervals(), envelope.columns().count(), means.readings());
        let settings = DriftSettings::default();
        if let Ok(found) = drift(&readings, &settings) {
            prop_assert!(found.per_hour.value.is_finite() && !found.per_hour.low.is_nan(), "{found:?}");
        }
        if let Ok(found) = start_against_end(&readings, spacing_s, &settings) {
            prop_assert!(found.change.value.is_finite(), "{found:?}");
        }
        let few = readings.iter().enumerate().map(|(at, reading)| Reading { at_s: at as f64, value: reading.value });
        if let Ok(grid) = Grid::build(&few.collect::<Vec<_>>(), Some(1.0)) {
            let _ = allan(&grid, Averaging::Octave, 0.95);
        }
    }
}
