//! What the figures of a trace cost: the rate of each group, and how many plain reads of the same samples fit in its time; all
//! figures together from bytes and from numbers, held against the aim; the most memory used beyond the input; and six of the
//! figures in numpy and scipy beside it (`waveform.py`). Rates are those of one core: time of all threads on a processor, which
//! a machine with other work does not lengthen as it does the time on the wall, told beside it. The best of several rounds by
//! turns, so that whatever else the machine does hits all alike.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use rustix::time::{ClockId, clock_gettime};
use soakrig::waveform::both_ways::measure_low_passed_ripple;
use soakrig::waveform::filter::measure_limited;
use soakrig::waveform::moments::measure_moments;
use soakrig::waveform::pulses::measure_pulses;
use soakrig::waveform::ring::measure_ringing;
use soakrig::waveform::ripple::{measure_cycle_ripple, measure_harmonics};
use soakrig::waveform::spectrum::{SEGMENT, measure_spectrum};
use soakrig::waveform::spikes::{Deviations, measure_deviations};
use soakrig::waveform::switching::{Switching, measure_switching};
use soakrig::waveform::{Acquisition, Codes, Pair, Scaling, Terms, Unavailable, Waveform, measure_with};

const SAMPLES: usize = 10_000_000;
const ROUNDS: usize = 5;

/// Samples a second that everything together should reach, in millions.
const AIM_MSA: f64 = 200.0;

/// Memory that may be used beyond the input, in MB.
const AIM_MB: f64 = 64.0;

fn main() -> Result<(), Unavailable> {
    let idle_mb = read_memory_mb("VmRSS:");
    // Bytes first: the most memory ever held only grows, and numbers need more.
    let (vout, lx) = capture(|volts, lx| (byte(volts, VOUT), byte(lx, LX)));
    measure_pair("u8", (trace(Codes::U8(vout), VOUT), trace(Codes::U8(lx), LX)), idle_mb)?;
    let (vout, lx) = capture(|volts, lx| (volts as f32, lx as f32));
    measure_pair(
        "f32",
        (trace(Codes::F32(vout), Scaling::VOLTS), trace(Codes::F32(lx), Scaling::VOLTS)),
        idle_mb,
    )?;
    print_peaks();
    print_numpy();
    Ok(())
}

/// Rates and memory of one pair of traces.
fn measure_pair(
    kind: &str,
    (vout, lx): (Waveform, Waveform),
    idle_mb: Option<f64>,
) -> Result<(), Unavailable> {
    let pair = Pair { vout: &vout, lx: Some(&lx) };
    let state = measure_with(None, Some(&pair), &Terms::default());
    let input_mb = 2.0 * SAMPLES as f64 * if matches!(vout.codes, Codes::U8(_)) { 1.0 } else { 4.0 } / 1e6;
    match (idle_mb, read_memory_mb("VmHWM:")) {
        (Some(idle), Some(most)) => println!(
            "waveform/{kind}/memory: {:.0} MB beyond the input of {input_mb:.0} MB (aim {AIM_MB:.0})",
            most - idle - input_mb
        ),
        _ => println!("waveform/{kind}/memory: not available on this system"),
    }
    for (name, reason) in state.figures().into_iter().filter_map(|(name, f)| Some((name, f.as_ref().err()?)))
    {
        println!("waveform/{kind}: {name} is not among the figures: {reason}");
    }
    print_rates(kind, &pair, &Known::of(&pair)?);
    Ok(())
}

/// What some figures are made from, beside the samples.
struct Known<'a> {
    deviations: Deviations<'a>,
    switching: Switching,
    mean_v: f64,
}

impl<'a> Known<'a> {
    fn of(pair: &Pair<'a>) -> Result<Self, Unavailable> {
        Ok(Self {
            deviations: measure_deviations(pair.vout)?,
            switching: measure_switching(pair.lx.unwrap_or(pair.vout))?,
            mean_v: measure_moments(pair.vout)?.mean_v,
        })
    }
}

/// A group of figures by name, and what makes it.
type Kernel<'a> = (&'static str, Box<dyn Fn() + 'a>);

fn kernel<'a, T>(name: &'static str, make: impl Fn() -> T + 'a) -> Kernel<'a> {
    let made = move || {
        black_box(make());
    };
    (name, Box::new(made))
}

fn print_rates(kind: &str, pair: &Pair<'_>, known: &Known<'_>) {
    let (vout, lx) = (pair.vout, pair.lx.unwrap_or(pair.vout));
    let Known { deviations, switching, mean_v } = known;
    let rising = &switching.edges.rising;
    let size = (deviations.len(), deviations.rate_hz);
    let kernels = vec![
        kernel("plain read", || read(vout)),
        kernel("levels", || vout.levels()),
        kernel("S1 S2 S3 S9 moments", || measure_moments(vout)),
        kernel("S4 20 MHz, one, two and four poles", || measure_limited(vout, *mean_v)),
        kernel("S5 switching", || measure_switching(lx)),
        kernel("S6 running median and noise", || measure_deviations(vout).is_ok()),
        kernel("S6 spikes", || {
            let spikes = deviations.cycle_spikes(&switching.edges);
            (deviations.peaks_v(), spikes, deviations.spike_rate_hz(0.5))
        }),
        kernel("S7 ringing", || {
            measure_ringing(&switching.edges, size, |stretch| {
                deviations.stretch(stretch).into_iter().map(f64::from).collect()
            })
        }),
        kernel("S8 spectrum", || measure_spectrum(vout)),
        kernel("R1 harmonics", || measure_harmonics(vout, switching)),
        kernel("R2 R3 mean cycle", || measure_cycle_ripple(vout, switching)),
        kernel("R4 1 MHz both ways", || measure_low_passed_ripple(vout, rising)),
        kernel("P1 P2 P3 pulses", || measure_pulses(lx)),
        kernel("everything", || measure_with(None, Some(pair), &Terms::default())),
    ];
    let mut best = vec![Cost::MOST; kernels.len()];
    for _ in 0..ROUNDS {
        for (place, (_, make)) in best.iter_mut().zip(&kernels) {
            *place = place.least(Cost::of(make));
        }
    }
    let rate_msa = |seconds: f64| SAMPLES as f64 / seconds / 1e6;
    for ((name, _), cost) in kernels.iter().zip(&best) {
        println!(
            "waveform/{kind}/{name}: {:.1} ms of one core, {:.0} MSa/s, {:.1} plain reads; {:.1} ms on the wall",
            cost.core_s * 1e3,
            rate_msa(cost.core_s),
            cost.core_s / best[0].core_s,
            cost.wall_s * 1e3
        );
    }
    if let Some(cost) = best.last() {
        println!(
            "waveform/{kind}: everything runs at {:.1} MSa/s on one core, {:.3} of the aim of {AIM_MSA:.0} MSa/s; with a second thread at {:.1} MSa/s on the wall",
            rate_msa(cost.core_s),
            rate_msa(cost.core_s) / AIM_MSA,
            rate_msa(cost.wall_s)
        );
    }
}

/// What a piece of work took.
#[derive(Clone, Copy)]
struct Cost {
    /// Seconds of all its threads on a processor together: on one core it takes no less.
    core_s: f64,
    /// Seconds until it was done.
    wall_s: f64,
}

impl Cost {
    const MOST: Self = Self { core_s: f64::INFINITY, wall_s: f64::INFINITY };

    fn of(mut work: impl FnMut()) -> Self {
        let (core_s, wall) = (read_core_s(), Instant::now());
        work();
        Self { core_s: read_core_s() - core_s, wall_s: wall.elapsed().as_secs_f64() }
    }

    fn least(self, other: Self) -> Self {
        Self { core_s: self.core_s.min(other.core_s), wall_s: self.wall_s.min(other.wall_s) }
    }
}

/// Seconds that this process has been on a processor.
fn read_core_s() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 * 1e-9
}

/// Chains of steps that do not wait for each other: enough that a core is never idle.
const CHAINS: usize = 12;

/// Steps of each chain.
const STEPS: usize = 1_000_000;

/// Numbers of a chain that are taken at once.
const LANES: usize = 8;

/// What one core does at most of what the kernels do most.
fn print_peaks() {
    let numbers = [[1.0_f32; LANES]; CHAINS];
    let levels = [[1_u16; 2 * LANES]; CHAINS];
    let arch = pulp::Arch::new();
    let transform = FftPlanner::<f32>::new().plan_fft_forward(SEGMENT);
    let mut lines = vec![Complex::new(0.0_f32, 0.0); SEGMENT];
    let mut scratch = vec![Complex::new(0.0_f32, 0.0); transform.get_inplace_scratch_len()];
    let (mut apart, mut fused, mut compared, mut transformed) =
        (Cost::MOST, Cost::MOST, Cost::MOST, Cost::MOST);
    for _ in 0..ROUNDS {
        apart = apart.least(Cost::of(|| {
            black_box(arch.dispatch(MultiplyAdd::<false>(black_box(numbers))));
        }));
        fused = fused.least(Cost::of(|| {
            black_box(arch.dispatch(MultiplyAdd::<true>(black_box(numbers))));
        }));
        compared = compared.least(Cost::of(|| {
            black_box(arch.dispatch(CompareLevels(black_box(levels))));
        }));
        transformed = transformed.least(Cost::of(|| {
            (0..TRANSFORMS).for_each(|_| transform.process_with_scratch(&mut lines, &mut scratch));
        }));
    }
    let steps = (CHAINS * STEPS) as f64;
    let rate = |count: f64, cost: Cost| count / cost.core_s / 1e9;
    println!(
        "waveform/peak: {:.1} G multiplications and as many additions a second in f32, {:.1} G fused; {:.1} G comparisons of levels; {TRANSFORMS} transforms of {SEGMENT} lines, as S8 needs: {:.1} ms",
        rate(steps * LANES as f64, apart),
        rate(steps * LANES as f64, fused),
        rate(steps * 4.0 * LANES as f64, compared),
        transformed.core_s * 1e3
    );
}

/// Complex transforms that S8 makes of the record: one of every two segments.
const TRANSFORMS: usize = ((SAMPLES - SEGMENT) / (SEGMENT / 2) + 1).div_ceil(2);

/// Chains of multiplications and additions, apart or fused.
struct MultiplyAdd<const FUSED: bool>([[f32; LANES]; CHAINS]);

impl<const FUSED: bool> pulp::NullaryFnOnce for MultiplyAdd<FUSED> {
    type Output = [[f32; LANES]; CHAINS];

    #[inline(always)]
    fn call(self) -> Self::Output {
        let mut chains = self.0;
        let (factor, term) = (black_box(0.999_f32), black_box(0.001_f32));
        for _ in 0..STEPS {
            for chain in &mut chains {
                for value in chain {
                    *value = if FUSED { value.mul_add(factor, term) } else { *value * factor + term };
                }
            }
        }
        chains
    }
}

/// Chains of comparisons of levels: the lower and the higher one, as of the running median.
struct CompareLevels([[u16; 2 * LANES]; CHAINS]);

impl pulp::NullaryFnOnce for CompareLevels {
    type Output = [[u16; 2 * LANES]; CHAINS];

    #[inline(always)]
    fn call(self) -> Self::Output {
        let mut chains = self.0;
        let [low, high] = black_box([[7_u16; 2 * LANES], [9; 2 * LANES]]);
        for step in 0..STEPS {
            // Another one each time, so that no step is the one before.
            let high = if black_box(step) % 2 == 0 { high } else { low };
            for chain in &mut chains {
                for ((value, low), high) in chain.iter_mut().zip(&low).zip(&high) {
                    *value = (*value).min(*high).max(*low);
                }
            }
        }
        chains
    }
}

/// A plain read of the samples: their sum.
fn read(vout: &Waveform) -> f64 {
    match &vout.codes {
        Codes::U8(codes) => {
            codes.chunks(1 << 16).map(|c| f64::from(c.iter().map(|v| u32::from(*v)).sum::<u32>())).sum()
        }
        Codes::I16(codes) => codes.iter().map(|code| i64::from(*code)).sum::<i64>() as f64,
        Codes::F32(codes) => {
            let mut lanes = [0.0_f32; 32];
            for row in codes.as_chunks::<32>().0 {
                lanes.iter_mut().zip(row).for_each(|(lane, value)| *lane += value);
            }
            f64::from(lanes.iter().sum::<f32>())
        }
    }
}

/// Ripple of 20 mV, noise, spikes of 1.5 V that ring at 15 MHz, a switch node of 24 V: 122 kHz at 100 MSa/s.
fn capture<T>(convert: impl Fn(f64, f64) -> (T, T)) -> (Vec<T>, Vec<T>) {
    let mut seed = 1_u64;
    let mut noise = || {
        let mut sum = 0.0;
        for _ in 0..4 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sum += (seed >> 40) as f64 / (1_u64 << 24) as f64 - 0.5;
        }
        sum * 1.7
    };
    let (mut vout, mut lx) = (Vec::with_capacity(SAMPLES), Vec::with_capacity(SAMPLES));
    for index in 0..SAMPLES {
        let phase = (index as f64 / 819.67).fract();
        let on = phase < 0.22;
        let ripple = if on { phase / 0.22 } else { (1.0 - phase) / 0.78 };
        let since_s = if on { phase } else { phase - 0.22 } * 8.1967e-6;
        let ring = 1.5 * (-since_s / 120e-9).exp() * (94.25e6 * since_s).sin() * if on { 1.0 } else { -1.0 };
        let pair = convert(
            5.0 + 0.02 * ripple + 0.5e-3 * noise() + ring,
            if on { 23.8 } else { -0.4 } + 0.02 * noise() + ring,
        );
        vout.push(pair.0);
        lx.push(pair.1);
    }
    (vout, lx)
}

/// Bytes of the output.
const VOUT: Scaling =
    Scaling { volts_per_code: 0.016, zero_code: 0.0, offset_v: 3.0, min_code: 0, max_code: 255 };

/// Bytes of the switch node.
const LX: Scaling =
    Scaling { volts_per_code: 0.12, zero_code: 0.0, offset_v: -3.0, min_code: 0, max_code: 255 };

fn byte(volts: f64, scaling: Scaling) -> u8 {
    ((volts - scaling.offset_v) / scaling.volts_per_code).round() as u8
}

fn trace(codes: Codes, scaling: Scaling) -> Waveform {
    Waveform { acquisition: Acquisition::untold("vout", SAMPLES), codes, scaling, start_s: 0.0, step_s: 1e-8 }
}

/// Memory of this process in MB, as Linux tells it: `VmRSS:` now, `VmHWM:` the most it ever held.
fn read_memory_mb(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? * 1024.0 / 1e6)
}

fn print_numpy() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/waveform.py");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    match Command::new(python).arg(script).output() {
        Ok(output) if output.status.success() => print!("{}", String::from_utf8_lossy(&output.stdout)),
        _ => {
            println!(
                "waveform/numpy: not available (needs python3 with numpy and scipy; PYTHON names another one)"
            );
        }
    }
}
