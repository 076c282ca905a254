use super::super::{DriftSettings, Estimate, Reading, drift, start_against_end};
use super::{Noise, each_second};

#[test]
fn a_straight_line_is_found_to_the_digit_in_units_an_hour() {
    let readings = each_second((0..7200).map(|s| 5.0 + 0.002 * f64::from(s) / 3600.0));
    let found = drift(&readings, &DriftSettings::default()).unwrap();
    assert!((found.per_hour.value - 0.002).abs() < 1e-12, "{found:?}");
    assert!(found.per_hour.high - found.per_hour.low < 1e-9);
    assert!((found.at_end.value - (5.0 + 0.002 * 7199.0 / 3600.0)).abs() < 1e-12);
    assert_eq!((found.blocks, found.readings, found.from_s, found.to_s), (24, 7200, 0.0, 7199.0));
}

#[test]
fn the_settling_is_left_out_and_a_gap_makes_no_block() {
    let warm = |s: f64| 5.0 - 0.05 * (-s / 300.0).exp() + 1e-6 * s;
    let mut noise = Noise::seeded(33);
    let readings: Vec<Reading> = (0..20_000)
        .map(f64::from)
        .filter(|s| !(8000.0..12_000.0).contains(s))
        .map(|at_s| Reading { at_s, value: warm(at_s) + 1e-3 * noise.normal() })
        .collect();
    let whole = drift(&readings, &DriftSettings::default()).unwrap();
    let settled =
        drift(&readings, &DriftSettings { settling_s: 3600.0, ..DriftSettings::default() }).unwrap();
    let width = |found: &Estimate| found.high - found.low;
    assert!(width(&whole.per_hour) > 2.0 * width(&settled.per_hour), "{whole:?} {settled:?}");
    assert!(settled.per_hour.holds(3.6e-3), "{settled:?}");
    assert_eq!(settled.from_s, 3600.0);
    assert!(settled.blocks < 24 && settled.blocks >= 17, "{}", settled.blocks);
}

#[test]
fn what_cannot_be_told_says_why() {
    let told = |readings: &[Reading], settings: DriftSettings| drift(readings, &settings).unwrap_err().0;
    let usual = DriftSettings::default();
    let few = each_second([5.0; 7]);
    let mut back = each_second([5.0; 100]);
    back[50].at_s = 3.0;
    let table = [
        told(&[], usual),
        told(&few, usual),
        told(&back, usual),
        told(&each_second([f64::NAN; 100]), usual),
        told(&each_second([5.0; 100]), DriftSettings { confidence: 95.0, ..usual }),
        start_against_end(&few, 5.0, &usual).unwrap_err().0,
        start_against_end(&few, 3.010_777_684, &usual).unwrap_err().0,
        start_against_end(&few[..1], 3.0, &usual).unwrap_err().0,
        start_against_end(&few, 2.0, &usual).unwrap_err().0,
    ];
    insta::assert_snapshot!(table.join("\n"), @r"
    there are no readings after the settling
    a slope needs readings in 8 blocks of time, there are 7
    the readings are not in the order of time
    there are no readings after the settling
    a confidence of 95 is none: give a part between 0.5 and 1, e.g. 0.95
    a start and an end of 5 s each do not fit side by side into 6 s of readings
    a start and an end of 3 s each do not fit side by side into 6 s of readings
    a start and an end need values at more than one time
    a mean with an interval needs readings in 4 blocks of time, there are 3
    ");
}

/// Of how many runs the interval holds the truth, in per cent.
fn coverage(runs: u64, constant: f64, told: impl Fn(&[Reading]) -> Estimate, truth: f64) -> f64 {
    let held = (0..runs).filter(|seed| {
        let noise = Noise::seeded(1000 + seed).forgetting(constant, 2400);
        let readings = each_second(noise.iter().enumerate().map(|(s, noise)| 1e-4 * s as f64 + noise));
        told(&readings).holds(truth)
    });
    100.0 * held.count() as f64 / runs as f64
}

#[test]
fn the_interval_of_the_slope_holds_the_truth_as_often_as_it_says_however_readings_hang_together() {
    let settings = DriftSettings::default();
    for constant in [0.0, 5.0, 25.0, 75.0, 240.0, 800.0] {
        let held = coverage(400, constant, |readings| drift(readings, &settings).unwrap().per_hour, 0.36);
        // 95 % less three standard errors of the simulation (1.1 %) and the one per cent that the blocks cost.
        assert!((91.0..=99.5).contains(&held), "forgetting within {constant} readings: {held} %");
    }
    let plain = |readings: &[Reading]| {
        let line = drift(readings, &settings).unwrap().line;
        let points: Vec<(f64, f64)> = readings.iter().map(|r| (r.at_s, r.value)).collect();
        let slope = crate::base::stats::slope(&points).unwrap();
        let across: f64 = points.iter().map(|p| (p.0 - line.center_s).powi(2)).sum();
        let rest: f64 = points.iter().map(|p| (p.1 - line.value(p.0)).powi(2)).sum();
        let reach = 1.96 * (rest / 2398.0 / across).sqrt();
        Estimate { value: slope, low: slope - reach, high: slope + reach, confidence: 0.95 }.scaled(3600.0)
    };
    let held = coverage(400, 25.0, plain, 0.36);
    assert!(held < 40.0, "least squares on the readings themselves would claim 95 % and hold {held} %");
}

#[test]
fn the_interval_of_end_against_start_holds_the_truth_as_often_as_it_says() {
    let settings = DriftSettings::default();
    for constant in [0.0, 5.0, 25.0, 60.0] {
        let told = |readings: &[Reading]| start_against_end(readings, 600.0, &settings).unwrap().change;
        let held = coverage(400, constant, told, 1e-4 * 1799.0);
        assert!((90.0..=99.5).contains(&held), "forgetting within {constant} readings: {held} %");
    }
}
