//! Start-up: where the board starts, how fast it rises, how far it overshoots (U1 to U7).

use super::{Direction, SlowRecord, TimeWindow, find_crossing};
use crate::waveform::{Figure, Unavailable};

/// What a start-up is measured from.
#[derive(Debug, Clone, Copy)]
pub struct StartUpRecord<'a> {
    /// The output.
    pub vout: &'a SlowRecord,
    /// The input, on the same time base.
    pub vin: &'a SlowRecord,
    /// Where both have come to rest.
    pub last: TimeWindow,
    /// Length of the moving average in seconds: one switching period.
    pub average_s: f64,
    /// Whether the input is a step, so that a delay from it means something; in a ramp it does not.
    pub input_is_step: bool,
    /// Half widths of the bands that settling is told for, as parts of the final value; usually [`SETTLING_BANDS`].
    pub bands: &'a [f64],
}

/// Settling to one band.
#[derive(Debug, Clone, PartialEq)]
pub struct Settling {
    /// Half width of the band as a part of the final value: 0.01 is 1 %.
    pub band: f64,
    /// Seconds from the 10 % crossing's sample to the last one outside the band.
    pub settling_s: Figure,
}

/// Figures of a start-up.
#[derive(Debug, Clone, PartialEq)]
pub struct StartUp {
    /// U1: mean of the output over the last window, in volts.
    pub final_vout_v: Figure,
    /// U1: mean of the input over the last window, in volts.
    pub final_vin_v: Figure,
    /// U2: instant at 2 % of the final output, in seconds.
    pub t2_s: Figure,
    /// U2: instant at 10 %.
    pub t10_s: Figure,
    /// U2: instant at 90 %.
    pub t90_s: Figure,
    /// U3: rise time, 10 to 90 %, in seconds.
    pub rise_s: Figure,
    /// U4: input at the 2 % instant, in volts. In a ramp it lies above the threshold at which the board starts, by the
    /// delay before the output moves times the slope; [`measure_threshold`] takes that off.
    pub vin_at_t2_v: Figure,
    /// U4: input at the 10 % instant.
    pub vin_at_t10_v: Figure,
    /// U4: input at the 90 % instant.
    pub vin_at_t90_v: Figure,
    /// U5: from the input's 90 % to the output's 2 %, in seconds: how long the board waits before its output moves.
    pub delay_to_2_s: Figure,
    /// U5: from the input's 90 % to the output's 10 %, in seconds.
    pub delay_to_10_s: Figure,
    /// U5: from the input's 90 % to the output's 90 %, in seconds.
    pub delay_to_90_s: Figure,
    /// U6: highest average from the 90 % instant on, less the final value, in volts.
    pub overshoot_v: Figure,
    /// U6: as a part of the final value.
    pub overshoot_part: Figure,
    /// U7: settling to each of the bands.
    pub settling: Vec<Settling>,
}

/// Bands that settling is usually told for: 1, 2 and 5 % of the final value.
pub const SETTLING_BANDS: [f64; 3] = [0.01, 0.02, 0.05];

/// Measures a start-up.
///
/// # Errors
/// The records do not share a time base, the last window does not lie within them, the average cannot be had, or the
/// output has not risen at all by then.
pub fn measure_start_up(record: &StartUpRecord<'_>) -> Result<StartUp, Unavailable> {
    let StartUpRecord { vout, vin, last, average_s, input_is_step, bands } = *record;
    vout.check_same_base(vin, "the input")?;
    let end = vout.positions(last)?.end;
    let (final_vout_v, final_vin_v) = (vout.mean_over(last)?, vin.mean_over(last)?);
    let average = vout.moving_average(average_s)?;
    if final_vout_v <= 0.0 {
        return Err(Unavailable::because(format!(
            "the output did not start: it ends at {:.1} mV",
            final_vout_v * 1e3
        )));
    }
    let cross = |part: f64| find_rise(&average[..end], final_vout_v, part);
    let (t2, t10, t90) = (cross(0.02), cross(0.1), cross(0.9));
    let seconds = |position: &Figure| position.clone().map(|at| vout.instant_s(at));
    let input = |position: &Figure| position.clone().map(|at| vin.value_at(at));
    let edge = if input_is_step {
        find_input_edge(vin, 0.9 * final_vin_v, end)
    } else {
        Err(Unavailable::because("the input is a ramp: a delay from it depends on its slope"))
    };
    let delay = |to: &Figure| Ok(vout.instant_s(to.clone()? - edge.clone()?));
    let overshoot_v = t90.clone().map(|at| {
        let from = (at.ceil() as usize).min(end - 1);
        average[from..end].iter().fold(f64::NEG_INFINITY, |high, v| high.max(*v)) - final_vout_v
    });
    let settling = bands.iter().map(|band| Settling {
        band: *band,
        settling_s: t10.clone().and_then(|at| {
            let after = settle_samples(&average[..end], final_vout_v, *band, at.floor() as usize)?;
            Ok(vout.instant_s(after))
        }),
    });
    Ok(StartUp {
        t2_s: seconds(&t2),
        t10_s: seconds(&t10),
        t90_s: seconds(&t90),
        rise_s: t10.clone().and_then(|t10| Ok(vout.instant_s(t90.clone()? - t10))),
        vin_at_t2_v: input(&t2),
        vin_at_t10_v: input(&t10),
        vin_at_t90_v: input(&t90),
        delay_to_2_s: delay(&t2),
        delay_to_10_s: delay(&t10),
        delay_to_90_s: delay(&t90),
        overshoot_part: overshoot_v.clone().map(|v| v / final_vout_v),
        overshoot_v,
        settling: settling.collect(),
        final_vout_v: Ok(final_vout_v),
        final_vin_v: Ok(final_vin_v),
    })
}

/// Position at which the averaged output rises through a part of its final value.
fn find_rise(average: &[f64], final_v: f64, part: f64) -> Figure {
    find_crossing(average, part * final_v, Direction::Up, 0..average.len()).ok_or_else(|| {
        Unavailable::because(format!(
            "the output never rises through {:.0} % of its final value",
            part * 100.0
        ))
    })
}

/// U4: the input's threshold at which the board starts, from a ramp: the input `delay_s` before the output's 2 % instant.
/// The delay is the board's own, from a step ([`StartUp::delay_to_2_s`]). Without it a ramp of 1 V/ms reads the threshold
/// a volt too high for every millisecond that the board waits.
///
/// # Errors
/// As [`measure_start_up`]; the input is a step; or the delay is no length of time, or reaches back before the record.
pub fn measure_threshold(ramp: &StartUpRecord<'_>, delay_s: f64) -> Figure {
    if ramp.input_is_step {
        return Err(Unavailable::because("the input is a step: it passes every threshold at once"));
    }
    let t2_s = measure_start_up(ramp)?.t2_s?;
    if !(0.0..=t2_s).contains(&delay_s) {
        return Err(Unavailable::because(format!(
            "a delay of {:.3} ms does not fit before the output's rise at {:.3} ms",
            delay_s * 1e3,
            t2_s * 1e3
        )));
    }
    Ok(ramp.vin.value_at((t2_s - delay_s) * ramp.vin.rate_hz()))
}

/// Position at which the input passes a level for the first time.
fn find_input_edge(vin: &SlowRecord, level_v: f64, end: usize) -> Figure {
    let samples: Vec<f64> = vin.samples()[..end].iter().map(|v| f64::from(*v)).collect();
    find_crossing(&samples, level_v, Direction::Up, 0..end)
        .ok_or_else(|| Unavailable::because("the input's step is not in the record"))
}

/// Samples from `from` to the last one outside the band.
fn settle_samples(average: &[f64], final_v: f64, band: f64, from: usize) -> Figure {
    let outside = |v: &f64| (v - final_v).abs() > band * final_v;
    match average.iter().rposition(outside) {
        Some(last) if last + 1 == average.len() => Err(Unavailable::because(format!(
            "the output is still outside {:.0} % of its final value at the end",
            band * 100.0
        ))),
        Some(last) => Ok(last as f64 - from as f64),
        None => Ok(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    const RATE_HZ: f64 = 1e6;

    fn record(duration_s: f64, value: impl Fn(f64) -> f64) -> SlowRecord {
        let count = (duration_s * RATE_HZ) as usize;
        SlowRecord::new((0..count).map(|at| value(at as f64 / RATE_HZ) as f32).collect(), RATE_HZ).unwrap()
    }

    /// A step to 24 V at 1 ms; from 1.2 ms the output rises at 5 V/ms to 5 V, with 11 mV of ripple at 122 kHz on it.
    fn step() -> (SlowRecord, SlowRecord) {
        let vin = record(8e-3, |t| if t < 1e-3 { 0.0 } else { 24.0 });
        let vout = record(8e-3, |t| {
            let rise = ((t - 1.2e-3) * 5e3).clamp(0.0, 5.0);
            if rise > 0.0 { rise + 5.5e-3 * (TAU * 122e3 * t).sin() } else { 0.0 }
        });
        (vout, vin)
    }

    fn measured(vout: &SlowRecord, vin: &SlowRecord, input_is_step: bool) -> StartUp {
        let last = TimeWindow { from_s: 7e-3, to_s: 8e-3 };
        measure_start_up(&StartUpRecord {
            vout,
            vin,
            last,
            average_s: 1.0 / 122e3,
            input_is_step,
            bands: &SETTLING_BANDS,
        })
        .unwrap()
    }

    #[test]
    fn a_linear_soft_start_gives_its_own_times() {
        let (vout, vin) = step();
        let start = measured(&vout, &vin, true);
        // A sample is 1 us; 9 samples of average do not span the period of 8.2 exactly, so a little ripple is left.
        let cases = [
            ("t2", &start.t2_s, 1.22e-3, 1.5e-6),
            ("t10", &start.t10_s, 1.3e-3, 1.5e-6),
            ("t90", &start.t90_s, 2.1e-3, 1.5e-6),
            ("rise", &start.rise_s, 0.8e-3, 2e-6),
            ("delay to 2 %", &start.delay_to_2_s, 0.22e-3, 2e-6),
            ("delay to 10 %", &start.delay_to_10_s, 0.3e-3, 2e-6),
            ("delay to 90 %", &start.delay_to_90_s, 1.1e-3, 2e-6),
            ("final output", &start.final_vout_v, 5.0, 1e-4),
            ("final input", &start.final_vin_v, 24.0, 1e-6),
            ("overshoot", &start.overshoot_v, 0.0, 2e-3),
        ];
        for (name, figure, truth, allowed) in cases {
            let value = *figure.as_ref().unwrap();
            assert!((value - truth).abs() <= allowed, "{name}: {value} for {truth}");
        }
        // 1, 2 and 5 % of 5 V are reached 10, 20 and 50 us before the end of the ramp at 2.2 ms.
        for (settling, truth_s) in start.settling.iter().zip([0.89e-3, 0.88e-3, 0.85e-3]) {
            let value_s = *settling.settling_s.as_ref().unwrap();
            assert!((value_s - truth_s).abs() <= 3e-6, "{}: {value_s}", settling.band);
        }
    }

    #[test]
    fn the_input_at_the_start_is_read_from_the_ramp() {
        // 1.2 V/ms up to 24 V in 20 ms; the board starts at 12 V.
        let vin = record(24e-3, |t| (t * 1.2e3).min(24.0));
        let vout = record(24e-3, |t| ((t - 10e-3) * 5e3).clamp(0.0, 5.0));
        let start = measure_start_up(&StartUpRecord {
            vout: &vout,
            vin: &vin,
            last: TimeWindow { from_s: 22e-3, to_s: 24e-3 },
            average_s: 1.0 / 122e3,
            input_is_step: false,
            bands: &SETTLING_BANDS,
        })
        .unwrap();
        assert!((start.vin_at_t2_v.unwrap() - 12.024).abs() < 0.003);
        assert!((start.vin_at_t90_v.unwrap() - 13.08).abs() < 0.003);
        insta::assert_snapshot!(
            start.delay_to_90_s.unwrap_err().0,
            @"the input is a ramp: a delay from it depends on its slope"
        );
    }

    /// Trap 3 of `docs/measurements.md`.
    #[test]
    fn a_ramp_reads_the_threshold_too_high_by_the_boards_delay_which_is_taken_off() {
        // The board wakes at 12 V and waits 0.8 ms; then its output rises at 5 V/ms.
        let output = |from_s: f64| record(40e-3, move |t| ((t - from_s) * 5e3).clamp(0.0, 5.0));
        let last = TimeWindow { from_s: 38e-3, to_s: 40e-3 };
        let (step_in, step_out) = (record(40e-3, |t| if t < 1e-3 { 0.0 } else { 24.0 }), output(1.8e-3));
        let step = StartUpRecord {
            vout: &step_out,
            vin: &step_in,
            last,
            average_s: 1e-6,
            input_is_step: true,
            bands: &SETTLING_BANDS,
        };
        let delay_s = measure_start_up(&step).unwrap().delay_to_2_s.unwrap();
        assert!((delay_s - 0.82e-3).abs() < 2e-6, "{delay_s}");
        for slope in [1e3, 0.8e3, 2e3] {
            let vin = record(40e-3, |t| (t * slope).min(24.0));
            let vout = output(12.0 / slope + 0.8e-3);
            let ramp = StartUpRecord {
                vout: &vout,
                vin: &vin,
                last,
                average_s: 1e-6,
                input_is_step: false,
                bands: &SETTLING_BANDS,
            };
            let read_v = measure_start_up(&ramp).unwrap().vin_at_t2_v.unwrap();
            assert!((read_v - 12.0 - 0.82e-3 * slope).abs() < 5e-3, "{slope} V/s: {read_v}");
            let threshold_v = measure_threshold(&ramp, delay_s).unwrap();
            assert!((threshold_v - 12.0).abs() < 10e-3, "{slope} V/s: {threshold_v}");
        }
        let told = |delay_s| measure_threshold(&step, delay_s).unwrap_err().0;
        insta::assert_snapshot!(told(1e-3), @"the input is a step: it passes every threshold at once");
        let ramp = StartUpRecord { input_is_step: false, ..step };
        for delay_s in [-1e-3, 3e-3, f64::NAN, f64::INFINITY] {
            assert!(
                measure_threshold(&ramp, delay_s)
                    .unwrap_err()
                    .0
                    .ends_with("does not fit before the output's rise at 1.820 ms")
            );
        }
    }

    #[test]
    fn an_overshoot_is_told_above_the_final_value() {
        let vin = record(8e-3, |_| 24.0);
        let vout = record(8e-3, |t| if t < 1e-3 { 0.0 } else { 5.0 + 0.4 * (-(t - 1e-3) / 0.2e-3).exp() });
        let start = measured(&vout, &vin, false);
        let overshoot_v = start.overshoot_v.unwrap();
        assert!((0.36..0.4).contains(&overshoot_v), "{overshoot_v}");
        assert!((start.overshoot_part.unwrap() - overshoot_v / 5.0).abs() < 1e-4);
    }

    #[test]
    fn an_output_that_does_not_start_or_settle_has_no_times() {
        let vin = record(8e-3, |_| 24.0);
        let last = TimeWindow { from_s: 7e-3, to_s: 8e-3 };
        let measure = |vout: &SlowRecord| {
            measure_start_up(&StartUpRecord {
                vout,
                vin: &vin,
                last,
                average_s: 1.0 / 122e3,
                input_is_step: true,
                bands: &SETTLING_BANDS,
            })
        };
        insta::assert_snapshot!(measure(&record(8e-3, |_| 0.0)).unwrap_err().0, @"the output did not start: it ends at 0.0 mV");
        let hunting = measure(&record(8e-3, |t| 5.0 + 0.5 * (TAU * 1e3 * t).sin())).unwrap();
        insta::assert_snapshot!(
            hunting.t10_s.unwrap_err().0,
            @"the output never rises through 10 % of its final value"
        );
        insta::assert_snapshot!(hunting.settling[0].settling_s.clone().unwrap_err().0, @"the output never rises through 10 % of its final value");
    }
}
