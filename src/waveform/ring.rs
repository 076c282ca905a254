//! Ringing: the frequency at which the output rings after the switch turns on (S7).

use super::switching::Edges;
use super::{Figure, Unavailable};
use realfft::RealFftPlanner;
use realfft::num_complex::Complex;
use std::f64::consts::TAU;
use std::ops::Range;

/// How long after a rising edge the ringing is looked at, in seconds.
pub const RINGING_S: f64 = 0.6e-6;

/// Ringing is looked for above this frequency; below lies the ripple's own curve.
pub const LEAST_RINGING_HZ: f64 = 4e6;

/// Samples to which each stretch is filled up with zeros.
const PADDED: usize = 4096;

/// Least samples in a stretch: fewer tell no frequency.
const LEAST_SAMPLES: usize = 12;

/// A line counts as ringing where it holds this many times the power of the middle line (median) above 4 MHz. Noise alone,
/// summed over a few edges, reaches 10.
const STANDS_OUT: f64 = 20.0;

/// S7: the largest line above 4 MHz of the summed power of the 0.6 us after each rising edge, each less its mean, in a Hann
/// window (the symmetric one), filled up to 4096 points. `stretch` gives the output's deviations from its baseline over some
/// samples, in any unit; `count` is the number of samples.
///
/// # Errors
/// The record is too slow, no stretch lies inside it, or nothing rings: no line stands out, or the power only falls with
/// frequency.
pub fn measure_ringing(
    edges: &Edges,
    (count, rate_hz): (usize, f64),
    stretch: impl Fn(Range<usize>) -> Vec<f64>,
) -> Figure {
    // Both ends belong to it.
    let length = (RINGING_S * rate_hz).round() as usize + 1;
    if length < LEAST_SAMPLES || rate_hz < 4.0 * LEAST_RINGING_HZ {
        return Err(Unavailable::because(format!(
            "ringing above 4 MHz needs more than {:.1} MSa/s",
            rate_hz / 1e6
        )));
    }
    let power = sum_power(edges, (count, length), stretch)?;
    let step_hz = rate_hz / (2 * (power.len() - 1)) as f64;
    let first = (LEAST_RINGING_HZ / step_hz).floor() as usize + 1;
    let above = power.get(first..).unwrap_or_default();
    let (best, most) = above
        .iter()
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, (index, p)| if *p > best.1 { (index, *p) } else { best });
    let middle = crate::base::stats::median(above).unwrap_or(0.0);
    if !(most > 0.0 && most > STANDS_OUT * middle) {
        return Err(Unavailable::because(
            "no ringing: no line above 4 MHz stands out after the rising edges",
        ));
    }
    if best == 0 {
        return Err(Unavailable::because(
            "no ringing: the power after the rising edges only falls above 4 MHz",
        ));
    }
    Ok((first + best) as f64 * step_hz)
}

/// The summed power of all stretches at the lines of the long transform.
///
/// The power of a stretch is the transform of its autocorrelation, which is no longer than the stretch. So the stretches are
/// transformed shortly, their powers added, and only the one autocorrelation of the sum is filled up and transformed at length.
fn sum_power(
    edges: &Edges,
    (count, length): (usize, usize),
    stretch: impl Fn(Range<usize>) -> Vec<f64>,
) -> Result<Vec<f64>, Unavailable> {
    let mut planner = RealFftPlanner::<f64>::new();
    let short = (2 * length).next_power_of_two();
    let likeness = sum_likeness(&mut planner, (edges, count, length, short), stretch)?;
    let padded = PADDED.max(length.next_power_of_two());
    let transform = planner.plan_fft_forward(padded);
    let (mut input, mut output) = (transform.make_input_vec(), transform.make_output_vec());
    for (lag, value) in likeness[..length].iter().enumerate() {
        input[lag] += value / short as f64;
        if lag > 0 {
            input[padded - lag] += value / short as f64;
        }
    }
    transform.process(&mut input, &mut output).map_err(|fault| failed(&fault))?;
    // Rounding may leave a power of nothing a little under zero.
    Ok(output.iter().map(|line| line.re.max(0.0)).collect())
}

/// The summed autocorrelation of the stretches, `short` times itself, as an inverse transform leaves it.
fn sum_likeness(
    planner: &mut RealFftPlanner<f64>,
    (edges, count, length, short): (&Edges, usize, usize, usize),
    stretch: impl Fn(Range<usize>) -> Vec<f64>,
) -> Result<Vec<f64>, Unavailable> {
    let window: Vec<f64> =
        (0..length).map(|n| 0.5 - 0.5 * (TAU * n as f64 / (length - 1) as f64).cos()).collect();
    let transform = planner.plan_fft_forward(short);
    let (mut input, mut output) = (transform.make_input_vec(), transform.make_output_vec());
    let mut scratch = transform.make_scratch_vec();
    let mut power = vec![Complex::new(0.0, 0.0); output.len()];
    let mut stretches = 0;
    for edge in &edges.rising {
        let from = edge.max(0.0).ceil() as usize;
        if from + length > count {
            continue;
        }
        input.fill(0.0);
        input.iter_mut().zip(stretch(from..from + length)).for_each(|(place, value)| *place = value);
        let mean = input[..length].iter().sum::<f64>() / length as f64;
        input.iter_mut().zip(&window).for_each(|(place, weight)| *place = (*place - mean) * weight);
        transform
            .process_with_scratch(&mut input, &mut output, &mut scratch)
            .map_err(|fault| failed(&fault))?;
        power
            .iter_mut()
            .zip(&output)
            .for_each(|(sum, line): (&mut Complex<f64>, _)| sum.re += line.norm_sqr());
        stretches += 1;
    }
    if stretches == 0 {
        return Err(Unavailable::because("no rising edge with 0.6 µs of record behind it"));
    }
    planner.plan_fft_inverse(short).process(&mut power, &mut input).map_err(|fault| failed(&fault))?;
    Ok(input)
}

fn failed(fault: &dyn std::fmt::Display) -> Unavailable {
    Unavailable::because(format!("the ringing's spectrum could not be computed: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::super::block::made::Dice;
    use super::*;

    fn edges() -> Edges {
        Edges { rising: (0..50).map(|n| 100.4 + 820.0 * f64::from(n)).collect(), falling: Vec::new() }
    }

    /// A sine of 1 after each edge that dies down within 120 ns, in noise.
    fn rings(hz: f64, noise: f64) -> Vec<f64> {
        let mut dice = Dice(3);
        (0..41_000)
            .map(|n| {
                let since_s = (f64::from(n) - 100.4).rem_euclid(820.0) / 100e6;
                (TAU * hz * since_s).sin() * (-since_s / 120e-9).exp() + noise * dice.noise()
            })
            .collect()
    }

    #[test]
    fn the_power_by_autocorrelation_is_that_of_the_long_transform_of_each_stretch() {
        let d = rings(15e6, 0.3);
        for length in [12, 61, 500, 2_500] {
            let sum = sum_power(&edges(), (d.len(), length), |stretch| d[stretch].to_vec()).unwrap();
            let padded = 2 * (sum.len() - 1);
            let most = sum.iter().copied().fold(0.0, f64::max);
            for line in [0, 1, 7, padded / 7, padded / 2] {
                let mut expected = 0.0;
                for edge in edges().rising {
                    let from = edge.ceil() as usize;
                    let Some(stretch) = d.get(from..from + length) else { continue };
                    let mean = stretch.iter().sum::<f64>() / length as f64;
                    let (mut re, mut im) = (0.0, 0.0);
                    for (n, value) in stretch.iter().enumerate() {
                        let weight = 0.5 - 0.5 * (TAU * n as f64 / (length - 1) as f64).cos();
                        let turn = TAU * (n * line % padded) as f64 / padded as f64;
                        re += (value - mean) * weight * turn.cos();
                        im += (value - mean) * weight * turn.sin();
                    }
                    expected += re * re + im * im;
                }
                assert!((sum[line] - expected).abs() < 1e-11 * most, "{length} {line}");
            }
        }
    }

    #[test]
    fn ringing_is_told_to_a_few_lines_of_the_spectrum() {
        for hz in [6e6, 15e6, 17e6, 33e6] {
            let d = rings(hz, 0.05);
            let found = measure_ringing(&edges(), (d.len(), 100e6), |stretch| d[stretch].to_vec()).unwrap();
            assert!((found / hz - 1.0).abs() < 0.03, "{hz} {found}");
        }
    }

    #[test]
    fn noise_and_a_slow_curve_do_not_ring() {
        let mut dice = Dice(5);
        let noise: Vec<f64> = (0..41_000).map(|_| dice.noise()).collect();
        assert!(measure_ringing(&edges(), (41_000, 100e6), |stretch| noise[stretch].to_vec()).is_err());
        let slow = rings(300e3, 0.0);
        let told =
            measure_ringing(&edges(), (41_000, 100e6), |stretch| slow[stretch].to_vec()).unwrap_err().0;
        assert!(told.starts_with("no ringing"), "{told}");
        assert!(measure_ringing(&edges(), (41_000, 10e6), |stretch| noise[stretch].to_vec()).is_err());
        assert!(
            measure_ringing(&Edges::default(), (41_000, 100e6), |stretch| noise[stretch].to_vec()).is_err()
        );
        assert!(measure_ringing(&edges(), (41_000, 100e6), |stretch| vec![0.0; stretch.len()]).is_err());
    }
}
