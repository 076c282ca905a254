//! What is captured, and which figures can be had from it.

use std::time::Duration;

use super::CaptureSelection;
use super::schema::CaptureFile;
use crate::base::span::render_span;
use crate::event::FigureName;
use crate::plan::document::Document;

pub(super) fn check_capture(document: &mut Document, file: &CaptureFile) -> Option<CaptureSelection> {
    let span = document.need("capture.span", file.span.as_ref());
    let samples = document.need("capture.samples", file.samples.as_ref());
    let samples = document.within("capture.samples", samples, (1000, 100_000_000));
    let ripple = document.take("capture.ripple", file.ripple.as_ref()).unwrap_or(true);
    let spikes = document.take("capture.spikes", file.spikes.as_ref()).unwrap_or(true);
    let limiter = document.take("capture.ripple_bandwidth_limit", file.ripple_bandwidth_limit.as_ref());
    let keep = document.take("capture.keep", file.keep.as_ref()).unwrap_or(false);
    let screen_every = document.take("capture.screen_every", file.screen_every.as_ref()).unwrap_or(0);
    let screen_every = document.within("capture.screen_every", Some(screen_every), (0, 1_000_000));
    let attempts = document.take("capture.range_attempts", file.range_attempts.as_ref()).unwrap_or(4);
    let attempts = document.within("capture.range_attempts", Some(attempts), (1, 20));
    let noise_floor = document.take("capture.noise_floor", file.noise_floor.as_ref()).unwrap_or(true);
    let span = span?;
    if !(Duration::from_micros(1)..=Duration::from_secs(100)).contains(&span) {
        document.fault(
            "capture.span",
            format!("{} is out of range: 1 µs to 100 s is possible here", render_span(span)),
        );
        return None;
    }
    if !ripple && !spikes {
        let told = ("a capture takes ripple, spikes or both", "this one is off as well");
        document.contradiction("capture.spikes", "capture.ripple", told);
    }
    let samples = samples?;
    let rate = samples as f64 / span.as_secs_f64();
    if rate > 1e11 {
        let told = (format!("{rate:.1e} samples a second are more than any scope takes"), "in this span");
        document.contradiction("capture.samples", "capture.span", (&told.0, told.1));
    }
    Some(CaptureSelection {
        span,
        samples: usize::try_from(samples).ok()?,
        ripple,
        spikes,
        ripple_bandwidth_limit: limiter.unwrap_or(true),
        keep,
        screen_every: u32::try_from(screen_every?).ok()?,
        range_attempts: u32::try_from(attempts?).ok()?,
        noise_floor,
    })
}

/// What a figure needs of the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::plan) enum TraceNeed {
    /// Nothing: it comes from the supply, the load or a thermometer.
    None,
    /// A trace of Vout.
    Vout,
    /// A trace of Vout, and of the switch node to tell the cycles apart.
    VoutAndSwitchNode,
}

/// What the figure needs, by its definition in `docs/measurements.md`.
pub(in crate::plan) fn trace_need(figure: FigureName) -> TraceNeed {
    use FigureName as F;
    match figure {
        F::Vin
        | F::Iin
        | F::Vout
        | F::Iout
        | F::Efficiency
        | F::Settle
        | F::InputPower
        | F::OutputPower
        | F::Loss
        | F::BoardTemperature
        | F::AmbientTemperature => TraceNeed::None,
        F::Mean
        | F::RmsAc
        | F::NoisePpFull
        | F::NoisePp20Mhz
        | F::SpikePos
        | F::SpikeNeg
        | F::Max
        | F::Min
        | F::NoiseRms20Mhz
        | F::SpikeRate
        | F::SpikeThreshold
        | F::NoiseSigma
        | F::NoisePp20MhzK2
        | F::NoiseRms20MhzK2
        | F::NoisePp20MhzK4
        | F::NoiseRms20MhzK4
        | F::BandRms100KhzTo1Mhz
        | F::BandRms1To20Mhz
        | F::BandRms20To50Mhz
        | F::Drift => TraceNeed::Vout,
        F::RipplePp
        | F::Switching
        | F::Duty
        | F::RippleFit
        | F::RippleBlank
        | F::RippleFundamental
        | F::RippleFitResidual
        | F::RippleLp1Mhz
        | F::Harmonic1
        | F::Harmonic2
        | F::Harmonic3
        | F::Harmonic4
        | F::Harmonic5
        | F::SpikePosMedian
        | F::SpikeNegMedian
        | F::SpikePosP95
        | F::SpikeNegP05
        | F::OnTime
        | F::PulseCount
        | F::PulseRate
        | F::PulseGapMean
        | F::PulseGapMin
        | F::PulseGapMax
        | F::Ringing
        | F::PeriodStd
        | F::PeriodPp
        | F::PeriodC2c
        | F::SwitchLow
        | F::SwitchHigh => TraceNeed::VoutAndSwitchNode,
    }
}

/// Figures of a trace need a capture, each its own kind of acquisition. `capture` is `None` where the profile has none,
/// and `Some(None)` where it has one that could not be read.
pub(super) fn check_traces(
    document: &mut Document,
    figures: &[FigureName],
    capture: Option<Option<&CaptureSelection>>,
) {
    use FigureName as F;
    for figure in figures.iter().filter(|figure| trace_need(**figure) != TraceNeed::None) {
        let capture = match capture {
            None => {
                document.fault(
                    &format!("figures.{figure}"),
                    format!("{figure} needs a trace, but there is no [capture]"),
                );
                continue;
            }
            Some(None) => continue,
            Some(Some(capture)) => capture,
        };
        let is_spike = matches!(
            figure,
            F::SpikePos | F::SpikeNeg | F::SpikePosMedian | F::SpikeNegMedian | F::SpikeRate | F::NoiseSigma
        );
        let is_ripple = matches!(figure, F::RipplePp | F::RippleFit | F::RippleBlank | F::RippleFundamental);
        if is_spike && !capture.spikes {
            let told = format!("{figure} needs the acquisition for spikes, which is off");
            document.contradiction("capture.spikes", &format!("figures.{figure}"), (&told, "wanted here"));
        }
        if is_ripple && !capture.ripple {
            let told = format!("{figure} needs the acquisition for ripple, which is off");
            document.contradiction("capture.ripple", &format!("figures.{figure}"), (&told, "wanted here"));
        }
        let rate = capture.samples as f64 / capture.span.as_secs_f64();
        if matches!(figure, F::NoisePp20Mhz | F::NoiseRms20Mhz) && rate < 50e6 {
            let told = (
                format!("{figure} needs at least 50 MSa/s; these are {:.3} MSa/s", rate / 1e6),
                "samples are spread over this span",
            );
            document.contradiction("capture.samples", "capture.span", (&told.0, told.1));
        }
    }
}
