//! The instrument's own measurements of the screen: `:MEASure`.

use std::time::Duration;

use scpi::error::{ErrorCode, Result};

use super::knobs::{P, channel_named};
use super::wave::with_screen;
use crate::sim::panel::{Answer, optional_word, word};
use crate::sim::world::Bench;

/// `:MEASure:ITEM? VPP,CHANnel1`; without a channel that of the last waveform source.
pub(super) fn item(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    let name = word(p)?;
    let source = match optional_word(p)? {
        Some(text) => channel_named(&text)?,
        None => bench.scope.reading.source,
    };
    bench.takes(Duration::from_millis(20));
    let shown = bench.scope.channels[source].shown;
    let (volts, step_s) = with_screen(bench, |capture| {
        let codes = capture.screen(source);
        let volts: Vec<f64> = codes.iter().map(|code| capture.volts_of(source, *code)).collect();
        (volts, capture.time_scale_s / 100.0)
    });
    let value = figure(&name, &volts, step_s).ok_or(ErrorCode::IllegalParameterValue)?;
    // 9.9e37 is how it says that there is nothing to measure.
    Ok(Answer::exponent(if shown { value.unwrap_or(9.9e37) } else { 9.9e37 }))
}

/// `:MEASure:STATistic:ITEM? CURRent,VPP,CHANnel1`: of one record all statistics are the value itself.
pub(super) fn statistic(bench: &mut Bench, n: usize, p: P) -> Result<Answer> {
    word(p)?;
    item(bench, n, p)
}

/// `None` for a figure that it does not know, `Some(None)` where the screen does not give it.
fn figure(name: &str, volts: &[f64], step_s: f64) -> Option<Option<f64>> {
    let count = volts.len() as f64;
    let low = volts.iter().copied().fold(f64::INFINITY, f64::min);
    let high = volts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = volts.iter().sum::<f64>() / count;
    let square = volts.iter().map(|v| v * v).sum::<f64>() / count;
    let period = || period_s(volts, low, high, step_s);
    Some(match name {
        "VPP" => Some(high - low),
        "VMAX" | "VTOP" => Some(high),
        "VMIN" | "VBASE" | "VBAS" => Some(low),
        "VAMP" => Some(high - low),
        "VAVG" => Some(mean),
        "VRMS" => Some(square.sqrt()),
        "PERIOD" | "PER" => period(),
        "FREQUENCY" | "FREQ" => period().map(|s| 1.0 / s),
        "PDUTY" | "PDUT" => period().map(|_| {
            let middle = (low + high) / 2.0;
            volts.iter().filter(|v| **v > middle).count() as f64 / count
        }),
        _ => return None,
    })
}

/// Mean distance of upward crossings of 50 %, armed again below 30 %.
fn period_s(volts: &[f64], low: f64, high: f64, step_s: f64) -> Option<f64> {
    let (middle, armed_below) = (low + 0.5 * (high - low), low + 0.3 * (high - low));
    let (mut armed, mut crossings) = (false, Vec::new());
    for (index, value) in volts.iter().enumerate() {
        if *value < armed_below {
            armed = true;
        } else if armed && *value >= middle {
            armed = false;
            crossings.push(index);
        }
    }
    let (first, last) = (*crossings.first()?, *crossings.last()?);
    (last > first).then(|| (last - first) as f64 * step_s / (crossings.len() - 1) as f64)
}
