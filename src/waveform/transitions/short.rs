//! The short circuit: hiccup, its currents, and the way back (H1 to H7).

use super::{Direction, SlowRecord, TimeWindow, find_crossing};
use crate::waveform::{Figure, Unavailable};

/// When the output is shorted and released, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShortTimes {
    /// The short begins.
    pub on_s: f64,
    /// The short is taken away.
    pub off_s: f64,
}

/// Figures of a shorted output.
#[derive(Debug, Clone, PartialEq)]
pub struct Short {
    /// H1: bursts that start while the output is shorted.
    pub bursts: usize,
    /// H2: mean distance of the bursts' starts, in seconds.
    pub burst_period_s: Figure,
    /// H3: mean length of a burst, in seconds.
    pub burst_s: Figure,
    /// H4: mean output current from the first burst's start to the last one's, in amperes.
    pub mean_current_a: Figure,
    /// H5: mean input power over the same time, in watts.
    pub mean_power_w: Figure,
    /// H6: highest output current in amperes. It includes the discharge of the output capacitor into the short.
    pub peak_current_a: Figure,
    /// H7: from the release to [`ShortTerms::back_v`] on the output, in seconds.
    pub restart_s: Figure,
    /// H7: rise of the output from [`ShortTerms::rising_v`] to it after the release, in seconds.
    pub restart_rise_s: Figure,
}

/// Averages and levels of a short circuit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShortTerms {
    /// Length of the moving average of the output, in seconds: one switching period.
    pub average_s: f64,
    /// Span of the average that finds a burst, in seconds.
    pub burst_average_s: f64,
    /// A burst runs while the averaged current is above this, in amperes.
    pub burst_a: f64,
    /// The output counts as rising from this voltage on.
    pub rising_v: f64,
    /// The output counts as back at this voltage.
    pub back_v: f64,
}

impl ShortTerms {
    /// Those of `docs/measurements.md` for an output of 5 V: bursts above 0.1 A averaged over 20 µs, back at 4.5 V, rising from 0.5 V.
    #[must_use]
    pub fn of_period(average_s: f64) -> Self {
        Self { average_s, burst_average_s: 20e-6, burst_a: 0.1, rising_v: 0.5, back_v: 4.5 }
    }
}

/// Measures a short circuit. `iout` is the output's current, `input_w` the input's power (voltage times current), both on
/// `vout`'s time base.
///
/// # Errors
/// The records do not share a time base, or the short does not lie within them.
pub fn measure_short(
    vout: &SlowRecord,
    iout: &SlowRecord,
    input_w: &SlowRecord,
    times: ShortTimes,
    terms: ShortTerms,
) -> Result<Short, Unavailable> {
    vout.check_same_base(iout, "the output current")?;
    vout.check_same_base(input_w, "the input power")?;
    let shorted = vout.positions(TimeWindow { from_s: times.on_s, to_s: times.off_s })?;
    let current = iout.moving_average(terms.burst_average_s)?;
    let bursts = find_bursts(&current, terms.burst_a, shorted.start + 1..shorted.end);
    let between = bursts.first().zip(bursts.last()).filter(|(first, last)| last.start > first.start);
    let few = || {
        Unavailable::because(format!(
            "{} bursts start while the output is shorted; a period needs two",
            bursts.len()
        ))
    };
    let mean = |record: &SlowRecord| {
        let (first, last) = between.ok_or_else(few)?;
        let from_to =
            first.start.ceil() as usize..(last.start.floor() as usize + 1).min(record.samples().len());
        let samples = &record.samples()[from_to];
        Ok(samples.iter().map(|v| f64::from(*v)).sum::<f64>() / samples.len() as f64)
    };
    let lengths: Vec<f64> = bursts.iter().filter_map(|b| Some(b.end? - b.start)).collect();
    let peak_a = iout.samples()[shorted.clone()].iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (restart_s, restart_rise_s) = measure_restart(vout, shorted.end, terms)?;
    Ok(Short {
        bursts: bursts.len(),
        burst_period_s: between
            .map(|(first, last)| iout.instant_s((last.start - first.start) / (bursts.len() - 1) as f64))
            .ok_or_else(few),
        burst_s: crate::base::stats::mean(&lengths)
            .map(|samples| iout.instant_s(samples))
            .ok_or_else(|| Unavailable::because("no burst starts and ends while the output is shorted")),
        mean_current_a: mean(iout),
        mean_power_w: mean(input_w),
        peak_current_a: Ok(f64::from(peak_a)),
        restart_s,
        restart_rise_s,
    })
}

/// One burst of current: where it starts, and where it ends if it does while the output is shorted.
struct Burst {
    start: f64,
    end: Option<f64>,
}

/// Bursts that start inside `range`; one that already runs at its begin is not counted.
fn find_bursts(current: &[f64], level_a: f64, range: std::ops::Range<usize>) -> Vec<Burst> {
    let mut bursts = Vec::new();
    let mut at = range.start;
    while let Some(start) = find_crossing(current, level_a, Direction::Up, at..range.end) {
        let after = start.floor() as usize + 1;
        let end = find_crossing(current, level_a, Direction::Down, after..range.end);
        bursts.push(Burst { start, end });
        let Some(end) = end else { break };
        at = end.floor() as usize + 1;
    }
    bursts
}

/// H7: the way back after the release at sample `release`.
fn measure_restart(
    vout: &SlowRecord,
    release: usize,
    terms: ShortTerms,
) -> Result<(Figure, Figure), Unavailable> {
    let average = vout.moving_average(terms.average_s)?;
    let cross = |level_v: f64| {
        find_crossing(&average, level_v, Direction::Up, release.min(average.len())..average.len()).ok_or_else(
            || {
                Unavailable::because(format!(
                    "the output does not come back to {level_v} V within the record"
                ))
            },
        )
    };
    let back = cross(terms.back_v);
    let restart_s = back.clone().map(|at| vout.instant_s(at - release as f64));
    let rise_s = cross(terms.rising_v).and_then(|rising| Ok(vout.instant_s(back? - rising)));
    Ok((restart_s, rise_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: f64 = 1e6;
    const TIMES: ShortTimes = ShortTimes { on_s: 10e-3, off_s: 49e-3 };

    fn terms() -> ShortTerms {
        ShortTerms::of_period(1.0 / 122e3)
    }

    fn record(value: impl Fn(f64) -> f64) -> SlowRecord {
        let samples = (0..60_000).map(|at| value(f64::from(at) / RATE_HZ) as f32).collect();
        SlowRecord::new(samples, RATE_HZ).unwrap()
    }

    /// 0.5 A until the short at 10 ms, whose discharge goes on for 1 ms; then bursts of 0.5 ms and 1.2 A every 5 ms from
    /// 14 ms on.
    fn current(t: f64) -> f64 {
        if t < 10e-3 {
            0.5
        } else if t < 11e-3 {
            6.0 * (-(t - 10e-3) / 0.1e-3).exp()
        } else if (14e-3..49e-3).contains(&t) && (t - 14e-3) % 5e-3 < 0.5e-3 {
            1.2
        } else {
            0.0
        }
    }

    #[test]
    fn a_hiccup_of_known_shape_gives_its_period_length_and_currents() {
        let vout = record(|t| if t < 10e-3 { 5.0 } else { ((t - 50e-3) * 5e3).clamp(0.0, 5.0) });
        let power = record(|t| if current(t) > 1.0 { 2.0 } else { 0.1 });
        let short = measure_short(&vout, &record(current), &power, TIMES, terms()).unwrap();
        assert_eq!(short.bursts, 7);
        let cases = [
            ("period", &short.burst_period_s, 5e-3, 1e-6),
            ("length", &short.burst_s, 0.5e-3, 20e-6),
            ("mean current", &short.mean_current_a, 0.12, 1e-3),
            ("mean power", &short.mean_power_w, 0.29, 2e-3),
            ("peak", &short.peak_current_a, 6.0, 1e-6),
            ("restart", &short.restart_s, 1.9e-3, 2e-6),
            ("rise", &short.restart_rise_s, 0.8e-3, 2e-6),
        ];
        for (name, figure, truth, allowed) in cases {
            let value = *figure.as_ref().unwrap();
            assert!((value - truth).abs() <= allowed, "{name}: {value} for {truth}");
        }
    }

    #[test]
    fn levels_are_those_that_are_asked_for() {
        let vout = record(|t| if t < 10e-3 { 3.3 } else { ((t - 50e-3) * 5e3).clamp(0.0, 3.3) });
        let power = record(|_| 0.1);
        let asked = |terms| measure_short(&vout, &record(current), &power, TIMES, terms).unwrap();
        let of_3v3 = asked(ShortTerms { burst_a: 2.0, rising_v: 0.33, back_v: 3.0, ..terms() });
        assert_eq!(of_3v3.bursts, 0, "none has 2 A");
        assert!((of_3v3.restart_s.unwrap() - 1.6e-3).abs() < 2e-6);
        assert!((of_3v3.restart_rise_s.unwrap() - 0.534e-3).abs() < 2e-6);
        assert!(asked(terms()).restart_s.is_err(), "it never has 4.5 V");
    }

    #[test]
    fn a_board_that_latches_off_has_no_bursts_and_does_not_come_back() {
        let vout = record(|t| if t < 10e-3 { 5.0 } else { 0.0 });
        let dead = record(|t| if t < 10e-3 { 0.5 } else { 0.0 });
        let short = measure_short(&vout, &dead, &dead, TIMES, terms()).unwrap();
        assert_eq!(short.bursts, 0);
        insta::assert_snapshot!(short.burst_period_s.unwrap_err().0, @"0 bursts start while the output is shorted; a period needs two");
        insta::assert_snapshot!(short.restart_s.unwrap_err().0, @"the output does not come back to 4.5 V within the record");
    }

    #[test]
    fn a_short_outside_the_record_is_refused() {
        let flat = record(|_| 0.0);
        let times = ShortTimes { on_s: 50e-3, off_s: 70e-3 };
        insta::assert_snapshot!(
            measure_short(&flat, &flat, &flat, times, terms()).unwrap_err().0,
            @"the window 50.000 to 70.000 ms does not lie within the record of 60.000 ms"
        );
    }
}
