//! What the front panel sets: channels, time base, trigger, acquisition.

use std::time::Duration;

use scpi::error::{Error, ErrorCode, Result};
use scpi::parser::parameters::Parameters;

use super::capture::Capture;
use super::{Channel, Coupling, DEPTHS, Run, live, poll, scene_of};
use crate::sim::panel::{Answer, Span, boolean, choice, number, word};
use crate::sim::plant::trace::Wire;
use crate::sim::world::Bench;

pub(super) type P<'p, 'a, 'b> = &'p mut Parameters<'a, 'b>;

/// The channel that `CHANnel2`, `CHAN2` or `C2` names, by index.
pub(super) fn channel_named(text: &str) -> Result<usize> {
    let digits = text.strip_prefix("CHANNEL").or_else(|| text.strip_prefix("CHAN")).unwrap_or_default();
    match digits {
        "1" => Ok(0),
        "2" => Ok(1),
        "3" => Ok(2),
        "4" => Ok(3),
        _ => Err(ErrorCode::IllegalParameterValue.into()),
    }
}

fn channel(bench: &mut Bench, number: usize) -> &mut Channel {
    &mut bench.scope.channels[number - 1]
}

fn took(bench: &mut Bench) {
    bench.takes(Duration::from_millis(4));
}

/// The nearest of 1, 2, 5 times a power of ten.
fn stepped(value: f64) -> f64 {
    let decade = 10f64.powf(value.log10().floor());
    let nearest = [1.0, 2.0, 5.0, 10.0].into_iter().min_by(|a, b| {
        let away = |step: f64| (step * decade / value).ln().abs();
        away(*a).total_cmp(&away(*b))
    });
    // Through text, so that 5e-5 is exactly that.
    format!("{:.0e}", nearest.unwrap_or(1.0) * decade).parse().unwrap_or(value)
}

pub(super) fn set_shown(bench: &mut Bench, n: usize, p: P) -> Result<()> {
    channel(bench, n).shown = boolean(p)?;
    took(bench);
    Ok(())
}

pub(super) fn shown(bench: &mut Bench, n: usize, _: P) -> Result<Answer> {
    Ok(Answer::bit(channel(bench, n).shown))
}

pub(super) fn set_scale(bench: &mut Bench, n: usize, p: P) -> Result<()> {
    let slot = channel(bench, n);
    let probe = slot.probe;
    let value = number(p, Span { min: 1e-3 * probe, max: 10.0 * probe, default: 0.1 * probe })?;
    slot.scale_v = if slot.vernier { value } else { stepped(value) };
    took(bench);
    Ok(())
}

pub(super) fn scale(bench: &mut Bench, n: usize, _: P) -> Result<Answer> {
    Ok(Answer::exponent(channel(bench, n).scale_v))
}

/// The whole screen: eight divisions.
pub(super) fn set_range(bench: &mut Bench, n: usize, p: P) -> Result<()> {
    let slot = channel(bench, n);
    let probe = slot.probe;
    let value = number(p, Span { min: 8e-3 * probe, max: 80.0 * probe, default: 0.8 * probe })? / 8.0;
    slot.scale_v = if slot.vernier { value } else { stepped(value) };
    took(bench);
    Ok(())
}

pub(super) fn range(bench: &mut Bench, n: usize, _: P) -> Result<Answer> {
    Ok(Answer::exponent(8.0 * channel(bench, n).scale_v))
}

pub(super) fn set_offset(bench: &mut Bench, n: usize, p: P) -> Result<()> {
    let slot = channel(bench, n);
    // The guide: ±100 V from 500 mV/div up, ±2 V below, at the instrument's input.
    let most = if slot.scale_v / slot.probe >= 0.5 { 100.0 } else { 2.0 } * slot.probe;
    slot.offset_v = number(p, Span { min: -most, max: most, default: 0.0 })?;
    took(bench);
    Ok(())
}

pub(super) fn offset(bench: &mut Bench, n: usize, _: P) -> Result<Answer> {
    Ok(Answer::exponent(channel(bench, n).offset_v))
}

pub(super) fn set_coupling(bench: &mut Bench, n: usize, p: P) -> Result<()> {
    channel(bench, n).coupling = match choice(p, &["AC", "DC", "GND"])? {
        "AC" => Coupling::Ac,
        "GND" => Coupling::Ground,
        _ => Coupling::Dc,
    };
    took(bench);
    Ok(())
}

pub(super) fn coupling(bench: &mut Bench, n: usize, _: P) -> Result<Answer> {
    Ok(Answer::word(match channel(bench, n).coupling {
        Coupling::Dc => "DC",
        Coupling::Ac => "AC",
        Coupling::Ground => "GND",
    }))
}

pub(super) fn set_limited(bench: &mut Bench, n: usize, p: P) -> Result<()> {
    channel(bench, n).limited = choice(p, &["20M", "OFF"])? == "20M";
    took(bench);
    Ok(())
}

pub(super) fn limited(bench: &mut Bench, n: usize, _: P) -> Result<Answer> {
    Ok(Answer::word(if channel(bench, n).limited { "20M" } else { "OFF" }))
}

const PROBES: [f64; 14] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0];

pub(super) fn set_probe(bench: &mut Bench, n: usize, p: P) -> Result<()> {
    let value = number(p, Span { min: 0.01, max: 1000.0, default: 10.0 })?;
    let known = PROBES.into_iter().find(|probe| (probe / value - 1.0).abs() < 1e-6);
    let probe = known.ok_or(ErrorCode::IllegalParameterValue)?;
    let slot = channel(bench, n);
    // The instrument's own gain stays, so scale and offset at the tip go with the ratio.
    slot.scale_v *= probe / slot.probe;
    slot.offset_v *= probe / slot.probe;
    slot.probe = probe;
    took(bench);
    Ok(())
}

pub(super) fn probe(bench: &mut Bench, n: usize, _: P) -> Result<Answer> {
    Ok(Answer::exponent(channel(bench, n).probe))
}

pub(super) fn set_inverted(bench: &mut Bench, n: usize, p: P) -> Result<()> {
    channel(bench, n).inverted = boolean(p)?;
    took(bench);
    Ok(())
}

pub(super) fn inverted(bench: &mut Bench, n: usize, _: P) -> Result<Answer> {
    Ok(Answer::bit(channel(bench, n).inverted))
}

pub(super) fn set_vernier(bench: &mut Bench, n: usize, p: P) -> Result<()> {
    channel(bench, n).vernier = boolean(p)?;
    took(bench);
    Ok(())
}

pub(super) fn vernier(bench: &mut Bench, n: usize, _: P) -> Result<Answer> {
    Ok(Answer::bit(channel(bench, n).vernier))
}

pub(super) fn set_unit(bench: &mut Bench, n: usize, p: P) -> Result<()> {
    channel(bench, n).unit = match choice(p, &["VOLTage", "WATT", "AMPere", "UNKNown"])? {
        "WATT" => "WATT",
        "AMPere" => "AMP",
        "UNKNown" => "UNKN",
        _ => "VOLT",
    };
    Ok(())
}

pub(super) fn unit(bench: &mut Bench, n: usize, _: P) -> Result<Answer> {
    Ok(Answer::word(channel(bench, n).unit))
}

pub(super) fn set_time_scale(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let value = number(p, Span { min: 5e-9, max: 50.0, default: 1e-6 })?;
    bench.scope.time_scale_s = stepped(value);
    took(bench);
    Ok(())
}

pub(super) fn time_scale(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::exponent(bench.scope.time_scale_s))
}

pub(super) fn set_time_offset(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let most = 5000.0 * bench.scope.time_scale_s;
    bench.scope.time_offset_s = number(p, Span { min: -most, max: most, default: 0.0 })?;
    took(bench);
    Ok(())
}

pub(super) fn time_offset(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::exponent(bench.scope.time_offset_s))
}

/// Only the main time base is simulated.
pub(super) fn set_time_mode(_: &mut Bench, _: usize, p: P) -> Result<()> {
    match choice(p, &["MAIN", "XY", "ROLL"])? {
        "MAIN" => Ok(()),
        _ => Err(ErrorCode::SettingsConflict.into()),
    }
}

/// Only the edge trigger is simulated.
pub(super) fn set_trigger_mode(_: &mut Bench, _: usize, p: P) -> Result<()> {
    match word(p)?.as_str() {
        "EDGE" | "EDG" => Ok(()),
        _ => Err(ErrorCode::SettingsConflict.into()),
    }
}

pub(super) fn set_sweep(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.trigger.sweep = match choice(p, &["AUTO", "NORMal", "SINGle"])? {
        "NORMal" => "NORM",
        "SINGle" => "SING",
        _ => "AUTO",
    };
    Ok(())
}

pub(super) fn sweep(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::word(bench.scope.trigger.sweep))
}

pub(super) fn set_trigger_coupling(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.trigger.coupling = match choice(p, &["AC", "DC", "LFReject", "HFReject"])? {
        "AC" => "AC",
        "LFReject" => "LFR",
        "HFReject" => "HFR",
        _ => "DC",
    };
    Ok(())
}

pub(super) fn trigger_coupling(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::word(bench.scope.trigger.coupling))
}

pub(super) fn set_holdoff(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.trigger.holdoff_s = number(p, Span { min: 16e-9, max: 10.0, default: 16e-9 })?;
    Ok(())
}

pub(super) fn holdoff(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::exponent(bench.scope.trigger.holdoff_s))
}

pub(super) fn set_noise_reject(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.trigger.noise_reject = boolean(p)?;
    Ok(())
}

pub(super) fn noise_reject(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::bit(bench.scope.trigger.noise_reject))
}

pub(super) fn set_edge_source(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.trigger.source = channel_named(&word(p)?)?;
    took(bench);
    Ok(())
}

pub(super) fn edge_source(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::Text(format!("CHAN{}", bench.scope.trigger.source + 1)))
}

pub(super) fn set_edge_slope(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.trigger.slope = match choice(p, &["POSitive", "NEGative", "RFALl"])? {
        "NEGative" => "NEG",
        "RFALl" => "RFAL",
        _ => "POS",
    };
    Ok(())
}

pub(super) fn edge_slope(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::word(bench.scope.trigger.slope))
}

/// Within five divisions of the middle of the source's screen, as the guide says.
pub(super) fn set_edge_level(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let source = &bench.scope.channels[bench.scope.trigger.source];
    let (middle, most) = (-source.offset_v, 5.0 * source.scale_v);
    bench.scope.trigger.level_v =
        number(p, Span { min: middle - most, max: middle + most, default: middle })?;
    took(bench);
    Ok(())
}

pub(super) fn edge_level(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::exponent(bench.scope.trigger.level_v))
}

pub(super) fn trigger_status(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    poll(bench);
    Ok(Answer::word(match bench.scope.run {
        Run::Stopped => "STOP",
        Run::Armed { .. } => "WAIT",
        Run::Taking { .. } => "TD",
        Run::Running => {
            let scene = scene_of(bench);
            let met = Capture::triggered(&bench.scope, scene, false).is_some();
            match (met, bench.scope.trigger.sweep) {
                (true, _) => "TD",
                (false, "AUTO") => "AUTO",
                (false, _) => "WAIT",
            }
        }
    }))
}

pub(super) fn run(bench: &mut Bench, _: usize, _: P) -> Result<()> {
    bench.scope.run = Run::Running;
    if bench.scope.trigger.sweep == "SING" {
        bench.scope.trigger.sweep = "AUTO";
    }
    took(bench);
    Ok(())
}

pub(super) fn stop(bench: &mut Bench, _: usize, _: P) -> Result<()> {
    poll(bench);
    match bench.scope.run {
        Run::Running => bench.scope.frozen = Some(live(bench)),
        // Cut short: there is no whole record.
        Run::Armed { .. } | Run::Taking { .. } => bench.scope.frozen = None,
        Run::Stopped => {}
    }
    bench.scope.run = Run::Stopped;
    took(bench);
    Ok(())
}

pub(super) fn single(bench: &mut Bench, _: usize, _: P) -> Result<()> {
    bench.scope.trigger.sweep = "SING";
    bench.scope.frozen = None;
    bench.scope.run = Run::Armed { since: bench.now, forced: false };
    poll(bench);
    took(bench);
    Ok(())
}

pub(super) fn force(bench: &mut Bench, _: usize, _: P) -> Result<()> {
    if let Run::Armed { since, .. } = bench.scope.run {
        bench.scope.run = Run::Armed { since, forced: true };
        poll(bench);
    }
    Ok(())
}

pub(super) fn clear(bench: &mut Bench, _: usize, _: P) -> Result<()> {
    bench.scope.frozen = None;
    Ok(())
}

/// `:AUToscale`: every wired channel shown over about half the screen, a few periods across.
pub(super) fn auto_scale(bench: &mut Bench, _: usize, _: P) -> Result<()> {
    let (vout_v, vin_v) = (bench.plant.node_v(), bench.plant.input_v());
    for slot in &mut bench.scope.channels {
        let span_v = match slot.wire {
            Wire::Output => vout_v,
            Wire::Switch => vin_v,
            Wire::Open => 0.0,
        };
        slot.shown = span_v > 0.05;
        slot.coupling = Coupling::Dc;
        slot.scale_v = stepped((span_v / 4.0).max(2e-3 * slot.probe));
        slot.offset_v = -(span_v / 2.0 / slot.scale_v).round() * slot.scale_v;
    }
    bench.scope.time_scale_s = 5e-6;
    bench.scope.time_offset_s = 0.0;
    bench.scope.run = Run::Running;
    bench.takes(Duration::from_millis(800));
    Ok(())
}

pub(super) fn rate(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    let frozen = bench.scope.frozen.as_ref().map(|capture| capture.rate_hz);
    Ok(Answer::exponent(frozen.unwrap_or_else(|| bench.scope.memory().0)))
}

/// One of the depths for the channels shown, or `AUTO`; only while the acquisition runs.
pub(super) fn set_depth(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let text = word(p)?;
    if bench.scope.run != Run::Running {
        return Err(ErrorCode::SettingsConflict.into());
    }
    if text == "AUTO" {
        bench.scope.depth = None;
        return Ok(());
    }
    let value: f64 = text.parse().map_err(|_| Error::from(ErrorCode::DataTypeError))?;
    let shares = bench.scope.shares();
    let known = DEPTHS.iter().position(|depth| (value - (depth / shares) as f64).abs() < 0.5);
    bench.scope.depth = Some(known.ok_or(ErrorCode::IllegalParameterValue)?);
    took(bench);
    Ok(())
}

pub(super) fn depth(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(match bench.scope.depth {
        None => Answer::word("AUTO"),
        Some(_) => Answer::Text(bench.scope.memory().1.to_string()),
    })
}

pub(super) fn set_acquisition(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.acquisition = match choice(p, &["NORMal", "AVERages", "PEAK", "HRESolution"])? {
        "AVERages" => "AVER",
        "PEAK" => "PEAK",
        "HRESolution" => "HRES",
        _ => "NORM",
    };
    // Averages, peak detection and high resolution are not simulated: refused rather than pretended.
    if bench.scope.acquisition == "NORM" {
        return Ok(());
    }
    bench.scope.acquisition = "NORM";
    Err(ErrorCode::SettingsConflict.into())
}

pub(super) fn acquisition(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::word(bench.scope.acquisition))
}

pub(super) fn set_averages(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.averages = number(p, Span { min: 2.0, max: 1024.0, default: 2.0 })? as u32;
    Ok(())
}

pub(super) fn averages(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::Text(bench.scope.averages.to_string()))
}
