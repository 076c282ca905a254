//! The load step: how far the output gives way and how soon it is back (L1 to L5).

use super::{Direction, SlowRecord, TimeWindow, find_crossing};
use crate::waveform::{Figure, Unavailable};

/// When the load steps, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadStepTimes {
    /// The load's step up.
    pub up_s: f64,
    /// The load's step down.
    pub down_s: f64,
}

/// Recovery into one band.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// Half width of the band in volts.
    pub band_v: f64,
    /// Seconds from the step to the first sample of the stretch that stays inside; 0 if it never left.
    pub recovery_s: Figure,
}

/// The output's answer to one step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepResponse {
    /// L4: how far the average goes beyond the new level, in volts: below it after the step up, above it after the step
    /// down.
    pub beyond_new_v: f64,
    /// L4: how far it goes beyond the level before the step, in the same direction.
    pub beyond_old_v: f64,
    /// L5: recovery into each of the bands about the new level.
    pub recovery: Vec<Recovery>,
}

/// Figures of a load step.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadStep {
    /// L1: mean at light load before the step up, in volts.
    pub light_before_v: f64,
    /// L1: mean at heavy load before the step down, in volts.
    pub heavy_v: f64,
    /// L1: mean at light load at the end of the record, in volts.
    pub light_after_v: f64,
    /// L2: load regulation: light before less heavy, in volts.
    pub load_regulation_v: f64,
    /// The step up: undershoot and recovery.
    pub up: StepResponse,
    /// The step down: overshoot and recovery.
    pub down: StepResponse,
}

/// Windows and bands of a load step.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadStepTerms {
    /// Length of the moving average, in seconds: one switching period.
    pub average_s: f64,
    /// Length of the windows that levels are taken from, in seconds.
    pub level_s: f64,
    /// How long before a step its window ends, in seconds.
    pub guard_s: f64,
    /// Half widths of the bands that recovery is told for, in volts.
    pub bands_v: Vec<f64>,
}

impl LoadStepTerms {
    /// Those of `docs/measurements.md`: levels over 0.5 ms up to 20 µs before a step; bands of 25, 50 and 100 mV.
    #[must_use]
    pub fn of_period(average_s: f64) -> Self {
        Self { average_s, level_s: 0.5e-3, guard_s: 20e-6, bands_v: vec![25e-3, 50e-3, 100e-3] }
    }
}

/// L3: the instants at which the load's current passes the mean of its two levels, up and then down.
///
/// # Errors
/// The current does not step up, or not down again.
pub fn find_step_instants(
    load: &SlowRecord,
    light_a: f64,
    heavy_a: f64,
) -> Result<LoadStepTimes, Unavailable> {
    let samples: Vec<f64> = load.samples().iter().map(|v| f64::from(*v)).collect();
    let level = 0.5 * (light_a + heavy_a);
    let missing = |way: &str| {
        Unavailable::because(format!("the load's current does not step {way} through {:.1} mA", level * 1e3))
    };
    let up = find_crossing(&samples, level, Direction::Up, 0..samples.len()).ok_or_else(|| missing("up"))?;
    let after = up.ceil() as usize;
    let down = find_crossing(&samples, level, Direction::Down, after..samples.len())
        .ok_or_else(|| missing("down again"))?;
    Ok(LoadStepTimes { up_s: load.instant_s(up), down_s: load.instant_s(down) })
}

/// Measures the output's answer to a step up and a step down of the load.
///
/// # Errors
/// The steps are not in order or too near to each other or to the record's ends for the windows of their levels.
pub fn measure_load_step(
    vout: &SlowRecord,
    times: LoadStepTimes,
    terms: &LoadStepTerms,
) -> Result<LoadStep, Unavailable> {
    let LoadStepTerms { average_s, level_s, guard_s, .. } = *terms;
    let end = vout.samples().len();
    let end_s = vout.instant_s(end as f64);
    let LoadStepTimes { up_s, down_s } = times;
    let before = |step_s: f64, floor_s: f64| {
        let window = TimeWindow { from_s: step_s - guard_s - level_s, to_s: step_s - guard_s };
        if window.from_s < floor_s {
            return Err(Unavailable::because(format!(
                "the level before the step at {:.3} ms needs {} ms without a step",
                step_s * 1e3,
                in_ms(level_s + guard_s)
            )));
        }
        vout.mean_over(window)
    };
    let light_before_v = before(up_s, 0.0)?;
    let heavy_v = before(down_s, up_s)?;
    if end_s - level_s < down_s {
        return Err(Unavailable::because(format!(
            "the record ends {:.3} ms after the step down; the level after it needs {} ms",
            (end_s - down_s) * 1e3,
            in_ms(level_s)
        )));
    }
    let light_after_v = vout.mean_over(TimeWindow { from_s: end_s - level_s, to_s: end_s })?;
    let average = vout.moving_average(average_s)?;
    // A step instant is a crossing between two samples; it is counted from the first of them.
    let (up, down) = (up_s * vout.rate_hz() + 1e-6, down_s * vout.rate_hz() + 1e-6);
    let (up, down) = (up.floor() as usize, (down.floor() as usize).min(end));
    // An average that reaches over the step down would take the next answer for this one.
    let heavy_end = down.saturating_sub(vout.average_half(average_s)?).max(up + 1);
    let (heavy, light) = (&average[up..heavy_end], &average[down..]);
    let lowest_v = heavy.iter().copied().fold(f64::INFINITY, f64::min);
    let highest_v = light.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Ok(LoadStep {
        light_before_v,
        heavy_v,
        light_after_v,
        load_regulation_v: light_before_v - heavy_v,
        up: StepResponse {
            beyond_new_v: heavy_v - lowest_v,
            beyond_old_v: light_before_v - lowest_v,
            recovery: recoveries(heavy, heavy_v, (&terms.bands_v, vout.rate_hz())),
        },
        down: StepResponse {
            beyond_new_v: highest_v - light_after_v,
            beyond_old_v: highest_v - heavy_v,
            recovery: recoveries(light, light_after_v, (&terms.bands_v, vout.rate_hz())),
        },
    })
}

/// A length of time in ms, to a µs.
fn in_ms(span_s: f64) -> f64 {
    (span_s * 1e6).round() / 1e3
}

fn recoveries(average: &[f64], level_v: f64, (bands_v, rate_hz): (&[f64], f64)) -> Vec<Recovery> {
    let recovery = |band_v: f64| match average.iter().rposition(|v| (v - level_v).abs() > band_v) {
        Some(last) if last + 1 == average.len() => Err(Unavailable::because(format!(
            "the output does not come back within {:.0} mV before the next step or the record's end",
            band_v * 1e3
        ))),
        Some(last) => Ok((last + 1) as f64 / rate_hz),
        None => Ok(0.0),
    };
    bands_v.iter().map(|band_v| Recovery { band_v: *band_v, recovery_s: recovery(*band_v) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: f64 = 2e6;
    const UP_S: f64 = 2e-3;
    const DOWN_S: f64 = 4e-3;

    fn terms() -> LoadStepTerms {
        LoadStepTerms::of_period(1.0 / 122e3)
    }

    fn record(value: impl Fn(f64) -> f64) -> SlowRecord {
        let samples = (0..12_000).map(|at| value(f64::from(at) / RATE_HZ) as f32).collect();
        SlowRecord::new(samples, RATE_HZ).unwrap()
    }

    /// 5.000 V light, 4.990 V heavy; a dip of 150 mV and a bump of 120 mV that die with 100 us.
    fn output(t: f64) -> f64 {
        let decay = |since: f64| (-(t - since) / 100e-6).exp();
        if t < UP_S {
            5.0
        } else if t < DOWN_S {
            4.99 - 0.15 * decay(UP_S)
        } else {
            5.0 + 0.12 * decay(DOWN_S)
        }
    }

    #[test]
    fn a_step_of_known_shape_gives_its_dip_bump_and_recovery() {
        let load = record(|t| if (UP_S..DOWN_S).contains(&t) { 0.5 } else { 0.03 });
        let times = find_step_instants(&load, 0.03, 0.5).unwrap();
        assert!((times.up_s - UP_S).abs() <= 0.5e-6 && (times.down_s - DOWN_S).abs() <= 0.5e-6);
        let step = measure_load_step(&record(output), times, &terms()).unwrap();
        assert!((step.load_regulation_v - 10e-3).abs() < 0.1e-3, "{}", step.load_regulation_v);
        // The average over 8 us flattens the peak of a decay of 100 us by up to 8 %.
        assert!((0.92..=1.0).contains(&(step.up.beyond_new_v / 0.15)), "{:?}", step.up);
        assert!((0.92..=1.0).contains(&(step.down.beyond_new_v / 0.12)), "{:?}", step.down);
        assert!((step.up.beyond_old_v - step.up.beyond_new_v - 10e-3).abs() < 0.1e-3);
        // The decay passes a band after tau ln(peak/band).
        for (peak_v, response) in [(0.15, &step.up), (0.12, &step.down)] {
            for Recovery { band_v, recovery_s } in &response.recovery {
                let truth_s = 100e-6 * f64::ln(peak_v / band_v);
                let value_s = *recovery_s.as_ref().unwrap();
                assert!((value_s - truth_s).abs() < 1.5e-6, "{peak_v} {band_v}: {value_s} for {truth_s}");
            }
        }
    }

    #[test]
    fn windows_and_bands_are_those_that_are_asked_for() {
        let times = LoadStepTimes { up_s: UP_S, down_s: DOWN_S };
        let asked = LoadStepTerms { level_s: 1.5e-3, guard_s: 0.1e-3, bands_v: vec![0.06], ..terms() };
        let step = measure_load_step(&record(output), times, &asked).unwrap();
        let [recovery] = step.down.recovery.as_slice() else { panic!("{step:?}") };
        let truth_s = 100e-6 * f64::ln(0.12 / 0.06);
        assert!((recovery.recovery_s.clone().unwrap() - truth_s).abs() < 3e-6, "{recovery:?}");
        let longer = LoadStepTerms { level_s: 1.9e-3, guard_s: 0.2e-3, ..terms() };
        insta::assert_snapshot!(
            measure_load_step(&record(output), times, &longer).unwrap_err().0,
            @"the level before the step at 2.000 ms needs 2.1 ms without a step"
        );
    }

    #[test]
    fn an_output_that_never_leaves_its_band_recovers_in_no_time() {
        let step = measure_load_step(
            &record(|t| if (UP_S..DOWN_S).contains(&t) { 4.99 } else { 5.0 }),
            LoadStepTimes { up_s: UP_S, down_s: DOWN_S },
            &terms(),
        )
        .unwrap();
        assert!(step.up.recovery.iter().all(|r| r.recovery_s == Ok(0.0)));
    }

    #[test]
    fn steps_too_near_and_loads_that_do_not_step_are_refused() {
        let refused = |up_s, down_s| {
            measure_load_step(&record(output), LoadStepTimes { up_s, down_s }, &terms()).unwrap_err().0
        };
        insta::assert_snapshot!(refused(0.3e-3, DOWN_S), @"the level before the step at 0.300 ms needs 0.52 ms without a step");
        insta::assert_snapshot!(refused(UP_S, 2.3e-3), @"the level before the step at 2.300 ms needs 0.52 ms without a step");
        insta::assert_snapshot!(refused(UP_S, 5.8e-3), @"the record ends 0.200 ms after the step down; the level after it needs 0.5 ms");
        let flat = record(|_| 0.03);
        insta::assert_snapshot!(
            find_step_instants(&flat, 0.03, 0.5).unwrap_err().0,
            @"the load's current does not step up through 265.0 mA"
        );
    }

    #[test]
    fn a_band_that_is_not_reached_again_has_no_recovery() {
        let slow = record(|t| {
            if t < UP_S {
                5.0
            } else if t < DOWN_S {
                4.7 + 0.1 * (t - UP_S) / 2e-3
            } else {
                5.0
            }
        });
        let step = measure_load_step(&slow, LoadStepTimes { up_s: UP_S, down_s: DOWN_S }, &terms()).unwrap();
        // The new level is the mean of the last half millisecond, 12.5 mV from the end of the creep.
        assert_eq!(step.up.recovery[0].recovery_s.clone().map(|s| s > 1e-3), Ok(true));
        let hunting =
            record(|t| if t < UP_S { 5.0 } else { 5.0 + 0.2 * (t * 4e3 * std::f64::consts::TAU).sin() });
        let step =
            measure_load_step(&hunting, LoadStepTimes { up_s: UP_S, down_s: 4.06e-3 }, &terms()).unwrap();
        insta::assert_snapshot!(
            step.up.recovery[0].recovery_s.clone().unwrap_err().0,
            @"the output does not come back within 25 mV before the next step or the record's end"
        );
    }
}
