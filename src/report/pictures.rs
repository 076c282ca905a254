//! What is drawn of one capture: the data of its pictures. What cannot be drawn says why.

use crate::base::units::with_prefix;
use crate::waveform::density::{Cycles, Fold, build_fold, central_range, even_cycles, find_cycles};
use crate::waveform::histogram::{Histogram, build_histogram};
use crate::waveform::overview::{Overview, build_overview};
use crate::waveform::spectrum::measure_spectrum;
use crate::waveform::spikes::find_worst_spike;
use crate::waveform::{Pair, Unavailable, Waveform};

use super::svg::{FOLD_GRID, HISTOGRAM_BINS};

/// A short stretch, sample by sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Zoom {
    /// Time of the first sample, from the trigger, in seconds.
    pub start_s: f64,
    /// Sample interval in seconds.
    pub step_s: f64,
    /// The output.
    pub volts: Vec<f32>,
    /// The switch node at the same time, if it was captured.
    pub node: Option<Node>,
    /// What is shown, as a sentence.
    pub caption: String,
}

/// The switch node under a stretch of the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The stretch, sample by sample.
    pub volts: Vec<f32>,
    /// Lowest and highest volts of the whole trace: a flat stretch shall look flat.
    pub ends_v: (f64, f64),
}

/// The spectrum of a capture, as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct SpectrumView {
    /// Distance of the lines in Hz.
    pub line_hz: f64,
    /// Spectral density at each line, from 0 Hz, in volts per root hertz.
    pub density_v_rthz: Vec<f64>,
    /// Switching frequency in Hz.
    pub switching_hz: Option<f64>,
    /// Frequency of the ringing in Hz.
    pub ring_hz: Option<f64>,
    /// The corner of the scope's bandwidth limiter in Hz.
    pub limit_hz: Option<f64>,
}

/// What is known of the capture from its figures.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Known {
    /// Switching frequency in Hz.
    pub switching_hz: Option<f64>,
    /// Frequency of the ringing in Hz.
    pub ring_hz: Option<f64>,
}

/// The pictures of one capture.
#[derive(Debug, Clone, PartialEq)]
pub struct Pictures {
    /// The whole record.
    pub overview: Result<Overview, String>,
    /// About the largest deviation.
    pub zoom: Option<Zoom>,
    /// All cycles laid over each other.
    pub fold: Result<Fold, String>,
    /// The same without the spikes, where they would hide the ripple.
    pub closer: Option<Fold>,
    /// The cycles are taken from the frequency alone, not from edges of the switch node.
    pub is_even: bool,
    /// The spectrum.
    pub spectrum: Result<SpectrumView, String>,
    /// The histogram.
    pub histogram: Result<Histogram, String>,
}

/// Part of the samples that the closer fold may leave out.
const LEFT_OUT: f64 = 0.04;

/// The closer fold is drawn where it shows at most this part of the whole range.
const CLOSER: f64 = 0.4;

/// Builds the data of all pictures of a capture.
#[must_use]
pub fn build(pair: &Pair<'_>, known: &Known) -> Pictures {
    let vout = pair.vout;
    let text = |reason: Unavailable| reason.0;
    let (cycles, is_even) = match (find_cycles(pair), known.switching_hz) {
        (Ok(cycles), _) => (Ok(cycles), false),
        (Err(_), Some(hz)) => (Ok(even_cycles(vout.codes.len(), vout.step_s, hz)), true),
        (Err(reason), None) => (Err(reason), false),
    };
    let fold = cycles.and_then(|cycles| {
        let fold = build_fold(pair, &cycles, FOLD_GRID, None)?;
        let closer = build_closer(pair, &cycles, &fold);
        Ok((fold, closer))
    });
    let (fold, closer) = match fold {
        Ok((fold, closer)) => (Ok(fold), closer),
        Err(reason) => (Err(reason.0), None),
    };
    Pictures {
        overview: build_overview(vout, 0..vout.codes.len(), 990).map_err(text),
        zoom: build_zoom(vout, pair.lx, fold.as_ref().ok().map(|fold| fold.period_s)),
        fold,
        closer,
        is_even,
        spectrum: build_spectrum(vout, known).map_err(text),
        histogram: build_histogram(vout, HISTOGRAM_BINS).map_err(text),
    }
}

fn build_closer(pair: &Pair<'_>, cycles: &Cycles, fold: &Fold) -> Option<Fold> {
    let range = central_range(&pair.vout.volts(), LEFT_OUT)?;
    let is_hidden = range.1 - range.0 < CLOSER * (fold.high_v - fold.low_v);
    is_hidden.then(|| build_fold(pair, cycles, FOLD_GRID, Some(range)).ok()).flatten()
}

/// Most samples on each side of a zoom's middle; more cannot be told apart in the picture.
const ZOOM_SAMPLES: f64 = 4000.0;

/// For spikes, one and a half microseconds about the worst one (S6) with its ringing. For ripple, three periods from the middle.
fn build_zoom(vout: &Waveform, lx: Option<&Waveform>, period_s: Option<f64>) -> Option<Zoom> {
    let volts = vout.volts();
    let is_usable =
        vout.step_s.is_finite() && vout.step_s > 0.0 && volts.iter().all(|value| value.is_finite());
    if volts.is_empty() || !is_usable {
        return None;
    }
    let samples = |seconds: f64| (seconds / vout.step_s).clamp(10.0, ZOOM_SAMPLES) as usize;
    let (center, half_before, half_after, caption) = match period_s {
        Some(period_s) if vout.acquisition.purpose == "ripple" => {
            let half = samples(1.5 * period_s);
            let what = if 1.5 * period_s <= ZOOM_SAMPLES * vout.step_s {
                "Three periods".to_owned()
            } else {
                with_prefix(2.0 * half as f64 * vout.step_s, "s")
            };
            (volts.len() / 2, half, half, format!("{what} from the middle of the record, sample by sample."))
        }
        _ => {
            let (center, what) = find_center(vout, &volts)?;
            (center, samples(0.5e-6), samples(1.0e-6), format!("{what}, sample by sample."))
        }
    };
    let (from, to) = (center.saturating_sub(half_before), (center + half_after).min(volts.len()));
    let node = lx
        .filter(|lx| lx.codes.len() == volts.len() && lx.step_s.to_bits() == vout.step_s.to_bits())
        .map(|lx| {
            let all = lx.volts();
            let ends = all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(f64::from(*value)), high.max(f64::from(*value)))
            });
            Node { volts: all[from..to].to_vec(), ends_v: ends }
        });
    Some(Zoom {
        start_s: vout.start_s + from as f64 * vout.step_s,
        step_s: vout.step_s,
        volts: volts[from..to].to_vec(),
        node,
        caption,
    })
}

/// The sample of the worst spike; where there is no baseline to tell spikes from, the one farthest from the mean.
fn find_center(vout: &Waveform, volts: &[f32]) -> Option<(usize, String)> {
    if let Ok(spike) = find_worst_spike(vout, 0.0, 0.0) {
        let height = with_prefix(spike.height_v, "V").replace('-', "−");
        return Some((spike.peak, format!("The worst spike, {height} from the running median")));
    }
    let mean = volts.iter().map(|value| f64::from(*value)).sum::<f64>() / volts.len() as f64;
    let far = |value: &f32| (f64::from(*value) - mean).abs();
    let (farthest, _) = volts.iter().enumerate().max_by(|a, b| far(a.1).total_cmp(&far(b.1)))?;
    Some((farthest, "The sample farthest from the mean".to_owned()))
}

fn build_spectrum(vout: &Waveform, known: &Known) -> Result<SpectrumView, Unavailable> {
    let spectrum = measure_spectrum(vout)?;
    Ok(SpectrumView {
        line_hz: spectrum.step_hz,
        density_v_rthz: spectrum.density.iter().map(|power| power.max(0.0).sqrt()).collect(),
        switching_hz: known.switching_hz,
        ring_hz: known.ring_hz,
        limit_hz: spectrum.limit_hz,
    })
}
