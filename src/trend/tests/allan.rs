use super::super::{Averaging, Grid, Reading, allan};
use super::{Noise, each_second};

fn grid(values: Vec<f64>) -> Grid {
    Grid { start_s: 0.0, spacing_s: 1.0, values }
}

/// From the definition, without running sums.
fn plainly(values: &[f64], averaged: usize) -> f64 {
    let mean = |from: usize| values[from..from + averaged].iter().sum::<f64>() / averaged as f64;
    let places = values.len() + 1 - 2 * averaged;
    let sum: f64 = (0..places).map(|place| (mean(place + averaged) - mean(place)).powi(2)).sum();
    (sum / 2.0 / places as f64).sqrt()
}

#[test]
fn running_sums_give_what_the_definition_gives() {
    let mut noise = Noise::seeded(1);
    let values: Vec<f64> = noise.forgetting(20.0, 500).iter().map(|v| 5.0 + 1e-4 * v).collect();
    let points = allan(&grid(values.clone()), Averaging::OneTwoFive, 0.95).unwrap();
    let times: Vec<usize> = points.iter().map(|point| point.averaged).collect();
    assert_eq!(times, [1, 2, 5, 10, 20, 50, 100]);
    for point in points {
        let plain = plainly(&values, point.averaged);
        assert!((point.deviation.value / plain - 1.0).abs() < 1e-9, "{point:?} {plain}");
        assert!(point.deviation.low < plain && plain < point.deviation.high);
    }
}

#[test]
fn white_noise_falls_with_the_root_and_drift_rises_with_the_time() {
    let mut noise = Noise::seeded(2);
    let white = allan(&grid(noise.forgetting(0.0, 40_000)), Averaging::Octave, 0.95).unwrap();
    for point in &white {
        let expected = (point.averaged as f64).powf(-0.5);
        if point.freedom > 30.0 {
            assert!((point.deviation.value / expected - 1.0).abs() < 0.25, "{point:?}");
        }
    }
    let ramp = grid((0..4000).map(|s| 0.003 * f64::from(s)).collect());
    for point in allan(&ramp, Averaging::OneTwoFive, 0.95).unwrap() {
        let expected = 0.003 * point.tau_s / 2f64.sqrt();
        assert!((point.deviation.value / expected - 1.0).abs() < 1e-6, "{point:?}");
    }
}

#[test]
fn missing_readings_cost_differences_and_no_truth() {
    let mut noise = Noise::seeded(9);
    let mut values = noise.forgetting(0.0, 20_000);
    for (at, value) in values.iter_mut().enumerate() {
        if at % 17 == 0 || (8000..9500).contains(&at) {
            *value = f64::NAN;
        }
    }
    for point in allan(&grid(values), Averaging::Octave, 0.999).unwrap() {
        let white = (point.averaged as f64).powf(-0.5);
        // Nine of ten readings may be there: up to 5 % more than all of them would give.
        let from_all = point.deviation.low.min(point.deviation.value / 1.06) <= white;
        assert!(from_all && white <= point.deviation.high, "{point:?}");
        assert!(point.differences < 20_001 - 2 * point.averaged);
    }
    assert!(allan(&grid(vec![f64::NAN; 100]), Averaging::Octave, 0.95).is_err());
}

#[test]
fn the_interval_holds_the_truth_of_white_noise_at_least_as_often_as_it_says() {
    let runs = 300;
    let mut held = [0usize; 7];
    for seed in 0..runs {
        let values = Noise::seeded(300 + seed).forgetting(0.0, 256);
        let points = allan(&grid(values), Averaging::Octave, 0.9).unwrap();
        for (held, point) in held.iter_mut().zip(points) {
            *held += usize::from(point.deviation.holds((point.averaged as f64).powf(-0.5)));
        }
    }
    // 90 % less three standard errors of the simulation.
    assert!(held.iter().all(|held| 100 * held >= 84 * runs as usize), "{held:?} of {runs}");
}

#[test]
fn readings_find_their_places_on_the_grid() {
    let jittered = |at: f64| Reading { at_s: at + 0.2 * (at * 7.0).sin(), value: at };
    let readings: Vec<Reading> = (0..50)
        .map(f64::from)
        .filter(|at| *at != 20.0)
        .map(jittered)
        .chain([Reading { at_s: 49.4, value: 51.0 }])
        .collect();
    let grid = Grid::build(&readings, Some(1.0)).unwrap();
    assert_eq!(grid.values.len(), 50);
    assert!(grid.values[20].is_nan());
    assert!((grid.coverage() - 0.98).abs() < 1e-12);
    assert_eq!(grid.values[10], 10.0);
    assert_eq!(grid.values[49], 50.0, "two at one place are averaged");
    let usual = Grid::build(&each_second([1.0, 2.0, 3.0]), None).unwrap();
    assert_eq!((usual.spacing_s, usual.values), (1.0, vec![1.0, 2.0, 3.0]));
    assert!(Grid::build(&each_second([1.0, 2.0, 3.0]), Some(1e-9)).unwrap_err().0.contains("wider spacing"));
}
