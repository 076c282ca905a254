use proptest::prelude::*;

use super::super::{ChangeSettings, Changes, Means, Reading, Steps, changes};
use super::{Noise, each_second};

fn found(values: &[f64]) -> Changes {
    changes(&each_second(values.iter().copied()), &ChangeSettings::default()).unwrap()
}

#[test]
fn steps_are_found_through_drift_and_noise_with_their_time_and_size() {
    let mut noise = Noise::seeded(7);
    let values: Vec<f64> = (0..86_400)
        .map(|s| {
            let steps = if s >= 20_000 { 1.5e-3 } else { 0.0 } - if s >= 61_000 { 2.5e-3 } else { 0.0 };
            5.0 + 2e-7 * f64::from(s) + steps + 2e-3 * noise.normal()
        })
        .collect();
    let found = found(&values);
    assert_eq!(found.found.len(), 2, "{found:?}");
    for (step, (at_s, size)) in found.found.iter().zip([(20_000.0, 1.5e-3), (61_000.0, -2.5e-3)]) {
        assert!((step.at_s - at_s).abs() <= 2.0 * step.within_s, "{step:?}");
        assert!(step.size.holds(size), "{step:?}");
        assert!((step.after - step.before - step.size.value).abs() < 1e-12);
        assert!((step.before - (5.0 + 2e-7 * at_s)).abs() < 2e-3);
    }
    assert!(found.smallest > 0.0 && found.smallest < 1.5e-3, "{}", found.smallest);
    assert!((found.block_s - 86_400.0 / 2048.0).abs() < 0.6);
}

#[test]
fn a_step_of_readings_that_do_not_scatter_is_found_and_without_one_there_is_none() {
    let flat = found(&[5.0; 3000]);
    assert!(flat.found.is_empty());
    // One code that flickers now and then is no step, nor is a slow drift that climbs from code to code.
    let mut noise = Noise::seeded(5);
    let flicker: Vec<f64> = (0..20_000).map(|_| if noise.uniform() < 0.01 { 5.001 } else { 5.0 }).collect();
    assert!(found(&flicker).found.is_empty());
    let stairs: Vec<f64> = (0..20_000).map(|s| 5.0 + 0.001 * f64::from(s / 4500)).collect();
    assert!(found(&stairs).found.is_empty());
    let stepped: Vec<f64> =
        flicker.iter().enumerate().map(|(s, v)| if s < 11_111 { *v } else { v + 0.005 }).collect();
    let stepped = found(&stepped);
    assert_eq!(stepped.found.len(), 1, "{stepped:?}");
    assert!((stepped.found[0].size.value - 0.005).abs() < 1e-4);
    assert!((stepped.found[0].at_s - 11_111.0).abs() < 10.0, "{stepped:?}");
}

#[test]
fn a_large_step_is_one_step_even_inside_a_block() {
    let mut noise = Noise::seeded(11);
    let values: Vec<f64> =
        (0..100_003).map(|s| noise.normal() + if s >= 50_017 { 1000.0 } else { 0.0 }).collect();
    let found = found(&values);
    assert_eq!(found.found.len(), 1, "{found:?}");
    assert!((found.found[0].size.value - 1000.0).abs() < 1.0);
}

#[test]
fn what_cannot_be_told_says_why() {
    let few = changes(&each_second([5.0; 127]), &ChangeSettings::default()).unwrap_err();
    assert_eq!(few.0, "steps are looked for in 128 blocks of time or more, there are 127");
    let rate = ChangeSettings { false_alarms: 0.0, ..ChangeSettings::default() };
    assert!(changes(&each_second([5.0; 500]), &rate).unwrap_err().0.contains("false alarms"));
}

#[test]
fn what_a_coarse_thermometer_is_rounded_to_is_no_change_of_level_in_means_of_minutes_either() {
    // A day at one reading in ten seconds that drifts by 0.15 K an hour, with a little noise, rounded to half a kelvin.
    let mut noise = Noise::seeded(9);
    let truth: Vec<f64> =
        (0..8640).map(|at| 35.0 + 0.15 * f64::from(at) / 360.0 + 0.01 * noise.normal()).collect();
    let looked = |rounded: &dyn Fn(f64) -> f64, tells: bool| {
        let mut means = Means::new(60.0);
        truth.iter().enumerate().for_each(|(at, value)| means.push(10.0 * at as f64, rounded(*value)));
        let steps = tells.then(|| means.steps());
        let settings = ChangeSettings { steps, ..ChangeSettings::default() };
        changes(&means.readings(), &settings).unwrap()
    };
    let coarse = |value: f64| (value / 0.5).round() * 0.5;
    let found = looked(&coarse, true);
    assert_eq!(found.found, [], "stairs of the thermometer");
    assert!(found.smallest >= 0.75, "{found:?}");
    assert!(!looked(&coarse, false).found.is_empty(), "means do not show what they are rounded to");
    let jump = |value: f64| coarse(if value > 36.8 { value + 3.0 } else { value });
    assert!(!looked(&jump, true).found.is_empty(), "a jump of several steps is one");
    assert!(looked(&|value| value, true).found.is_empty(), "not rounded there is nothing to mistake");
}

#[test]
fn readings_that_stand_still_on_their_resolution_are_known_by_their_differences() {
    let of = |values: &[f64]| Steps::of(&each_second(values.iter().copied()));
    let coarse = of(&[1.0, 1.0, 1.0, 1.5, 1.5]);
    assert_eq!((coarse.resolution(), coarse.stand_still()), (0.5, true));
    let fine = of(&[1.0, 1.1, 1.0, 1.0, 1.3]);
    assert!((fine.resolution() - 0.1).abs() < 1e-12 && !fine.stand_still());
    assert_eq!((of(&[]).resolution(), of(&[]).stand_still()), (0.0, false));
}

/// Per cent of runs without a step in which one is seen.
fn false_alarms(runs: u64, rate: f64, make: impl Fn(&mut Noise) -> Vec<f64>) -> f64 {
    let settings = ChangeSettings { false_alarms: rate, ..ChangeSettings::default() };
    let seen = (0..runs).filter(|seed| {
        let values = make(&mut Noise::seeded(5000 + seed));
        !changes(&each_second(values), &settings).unwrap().found.is_empty()
    });
    100.0 * seen.count() as f64 / runs as f64
}

#[test]
fn false_alarms_are_as_rare_as_promised_whatever_the_noise() {
    let count = 2048;
    let drifting = |noise: &mut Noise| -> Vec<f64> {
        (0..count).map(|s| 0.05 * f64::from(s) + noise.normal()).collect()
    };
    let daily = |noise: &mut Noise| -> Vec<f64> {
        (0..count).map(|s| 5.0 * (f64::from(s) / 90.0).sin() + noise.normal()).collect()
    };
    let walking = |noise: &mut Noise| -> Vec<f64> {
        let mut level = 0.0;
        (0..count)
            .map(|_| {
                level += noise.normal();
                level
            })
            .collect()
    };
    let forgetting = |constant: f64, count: usize| move |noise: &mut Noise| noise.forgetting(constant, count);
    let rates = [
        ("white", false_alarms(200, 0.05, forgetting(0.0, 2048))),
        ("forgets in 10 blocks", false_alarms(200, 0.05, forgetting(10.0, 2048))),
        ("forgets in 100 blocks", false_alarms(200, 0.05, forgetting(100.0, 2048))),
        ("128 blocks", false_alarms(500, 0.05, forgetting(0.0, 128))),
        ("512 blocks, forgets in 30", false_alarms(500, 0.05, forgetting(30.0, 512))),
        ("drift", false_alarms(200, 0.05, drifting)),
        ("a cycle", false_alarms(200, 0.05, daily)),
        ("random walk", false_alarms(200, 0.05, walking)),
    ];
    for (noise, rate) in rates {
        // Found by these seeds: 0.5 to 2.5 %.
        assert!(rate <= 5.0, "{noise}: {rate} %, {rates:?}");
    }
}

#[test]
fn a_change_of_the_size_that_would_surely_be_found_is_found() {
    for constant in [0.0, 20.0] {
        let quiet = found(&Noise::seeded(77).forgetting(constant, 2048));
        let seen = (0..60u64).filter(|seed| {
            let at = 400 + 20 * *seed as usize;
            let values = Noise::seeded(600 + seed).forgetting(constant, 2048);
            let raised =
                values.iter().enumerate().map(|(s, v)| if s >= at { v + quiet.smallest } else { *v });
            let told = found(&raised.collect::<Vec<_>>());
            told.found.iter().any(|change| (change.at_s - at as f64).abs() < 64.0)
        });
        let seen = seen.count();
        assert!(seen >= 58, "forgetting within {constant} blocks: {seen} of 60, {}", quiet.smallest);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_readings_make_it_panic(values in prop::collection::vec(prop::num::f64::ANY, 0..400), spread in 0u8..3) {
        let readings: Vec<Reading> = values
            .iter()
            .enumerate()
            .map(|(at, value)| Reading { at_s: (at as f64).powi(i32::from(spread)), value: *value })
            .collect();
        let _ = changes(&readings, &ChangeSettings::default());
    }
}
