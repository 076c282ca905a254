//! The falling input: where the output lets go (D1 to D3).

use super::{Direction, SlowRecord, find_crossing};
use crate::waveform::{Figure, Unavailable};

/// Figures of an output that falls with its input.
#[derive(Debug, Clone, PartialEq)]
pub struct Fall {
    /// D1: instant at 95 % of the full output, in seconds.
    pub t95_s: Figure,
    /// D1: instant at 90 %.
    pub t90_s: Figure,
    /// D1: instant at 50 %.
    pub t50_s: Figure,
    /// D1: instant at 10 %.
    pub t10_s: Figure,
    /// D2: input at the 95 % instant, in volts.
    pub vin_at_t95_v: Figure,
    /// D2: input at the 90 % instant, in volts.
    pub vin_at_t90_v: Figure,
    /// D3: fall time, 90 to 10 %, in seconds.
    pub fall_s: Figure,
}

/// Measures the fall of `vout` from `full_v`, looked for from `from_s` on; the average is over `average_s` (one switching
/// period).
///
/// # Errors
/// The records do not share a time base, `from_s` lies outside them, `full_v` is not positive, or the average cannot be had.
pub fn measure_fall(
    vout: &SlowRecord,
    vin: &SlowRecord,
    full_v: f64,
    from_s: f64,
    average_s: f64,
) -> Result<Fall, Unavailable> {
    vout.check_same_base(vin, "the input")?;
    if !(full_v > 0.0 && full_v.is_finite()) {
        return Err(Unavailable::because(format!("{full_v} V is no output to fall from")));
    }
    let end = vout.samples().len();
    let to_s = vout.instant_s(end as f64);
    let from = vout.positions(super::TimeWindow { from_s, to_s })?.start;
    let average = vout.moving_average(average_s)?;
    let cross = |part: f64| {
        find_crossing(&average, part * full_v, Direction::Down, from..end).ok_or_else(|| {
            Unavailable::because(format!(
                "the output never falls through {:.0} % of {full_v:.3} V",
                part * 100.0
            ))
        })
    };
    let (t95, t90, t50, t10) = (cross(0.95), cross(0.9), cross(0.5), cross(0.1));
    let seconds = |position: &Figure| position.clone().map(|at| vout.instant_s(at));
    Ok(Fall {
        t95_s: seconds(&t95),
        t90_s: seconds(&t90),
        t50_s: seconds(&t50),
        t10_s: seconds(&t10),
        vin_at_t95_v: t95.map(|at| vin.value_at(at)),
        vin_at_t90_v: t90.clone().map(|at| vin.value_at(at)),
        fall_s: t10.and_then(|t10| Ok(vout.instant_s(t10 - t90?))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(value: impl Fn(f64) -> f64) -> SlowRecord {
        SlowRecord::new((0..40_000).map(|at| value(f64::from(at) * 1e-6) as f32).collect(), 1e6).unwrap()
    }

    #[test]
    fn a_falling_ramp_tells_where_the_output_lets_go() {
        // The input falls from 24 V at 20 ms by 1.2 V/ms; the output follows 1.4 V below it once that is under 5 V.
        let input = |t: f64| 24.0 - ((t - 20e-3) * 1.2e3).clamp(0.0, 24.0);
        let vin = record(input);
        let vout = record(|t| (input(t) - 1.4).clamp(0.0, 5.0));
        let fall = measure_fall(&vout, &vin, 5.0, 20e-3, 1.0 / 122e3).unwrap();
        let cases = [
            (&fall.vin_at_t95_v, 6.15, 2e-3),
            (&fall.vin_at_t90_v, 5.9, 2e-3),
            (&fall.t50_s, 20e-3 + 20.1 / 1.2e3, 1e-6),
            (&fall.fall_s, 4.0 / 1.2e3, 2e-6),
        ];
        for (figure, truth, allowed) in cases {
            let value = *figure.as_ref().unwrap();
            assert!((value - truth).abs() <= allowed, "{value} for {truth}");
        }
    }

    #[test]
    fn an_output_that_stays_up_has_no_fall() {
        let (vin, vout) = (record(|_| 24.0), record(|_| 5.0));
        let fall = measure_fall(&vout, &vin, 5.0, 20e-3, 1.0 / 122e3).unwrap();
        insta::assert_snapshot!(fall.fall_s.unwrap_err().0, @"the output never falls through 10 % of 5.000 V");
        insta::assert_snapshot!(
            measure_fall(&vout, &vin, 5.0, 50e-3, 1.0 / 122e3).unwrap_err().0,
            @"the window 50.000 to 40.000 ms does not lie within the record of 40.000 ms"
        );
    }
}
