//! Rigol DP832: three channels, the board on CH1, nothing on the others. Written from the DP800 programming guide.

mod protection;
mod tree;

use std::time::Duration;

use scpi::error::{ErrorCode, Result};
use scpi::parser::parameters::Parameters;
use scpi::parser::tokenizer::Token;

use super::panel::{self, Answer, Panel, Span, boolean, bound, number, number_of, optional_word, word_of};
use super::plant::noise::Generator;
use super::screen;
use super::world::Bench;

pub(crate) use tree::TREE;

/// What it answers to `*IDN?`.
pub(crate) const IDENTITY: &str = "RIGOL TECHNOLOGIES,DP832,DP8C1234567890,00.01.17";

/// Name in `:APPL?`, largest settable voltage and current, largest OVP.
const RATINGS: [(&str, f64, f64, f64); 3] =
    [("30V/3A", 32.0, 3.2, 33.0), ("30V/3A", 32.0, 3.2, 33.0), ("5V/3A", 5.3, 3.2, 5.5)];
const OCP_MOST_A: f64 = 3.3;

/// One channel's settings.
#[derive(Debug, Clone, PartialEq)]
struct Channel {
    volts: f64,
    amps: f64,
    on: bool,
    over_v: f64,
    over_v_on: bool,
    over_a: f64,
    over_a_on: bool,
}

impl Channel {
    const fn fresh(index: usize) -> Self {
        Self {
            volts: 0.0,
            amps: 1.0,
            on: false,
            over_v: RATINGS[index].3,
            over_v_on: false,
            over_a: OCP_MOST_A,
            over_a_on: false,
        }
    }
}

/// The instrument.
#[derive(Debug)]
pub(crate) struct Supply {
    pub(crate) panel: Panel,
    channels: [Channel; 3],
    selected: usize,
    beeper: bool,
    over_temperature: bool,
    noise: Generator,
    volts_off: f64,
    amps_off: f64,
}

impl Supply {
    /// The instrument as after power-on.
    pub(crate) fn new(seed: u64) -> Self {
        let mut noise = Generator::seeded(seed);
        // Calibration errors well inside the data sheet's 0.05 % + 10 mV and 0.15 % + 5 mA.
        let (volts_off, amps_off) = (noise.between(-0.8e-3, 0.8e-3), noise.between(-0.15e-3, 0.15e-3));
        Self {
            panel: Panel::new(IDENTITY),
            channels: [Channel::fresh(0), Channel::fresh(1), Channel::fresh(2)],
            selected: 0,
            beeper: true,
            over_temperature: true,
            noise,
            volts_off,
            amps_off,
        }
    }
}

/// `*RST`: outputs off, settings as delivered.
pub(crate) fn reset(bench: &mut Bench) {
    let stuck = bench.faults.supply_stuck && bench.plant.source.on;
    for index in 0..3 {
        bench.supply.channels[index] = Channel::fresh(index);
    }
    bench.supply.selected = 0;
    if stuck {
        bench.supply.channels[0].on = true;
        bench.supply.channels[0].volts = bench.plant.source.set_v;
    }
    bench.plant.source.over_v_tripped = false;
    bench.plant.source.over_a_tripped = false;
    apply(bench, 0);
}

/// `SOURce` without a number means the selected channel, but the `scpi` crate takes it for `SOURce1`. The word is optional,
/// so the bare one is dropped.
pub(crate) fn unselected(message: Vec<u8>) -> Vec<u8> {
    if !message.windows(4).any(|part| part.eq_ignore_ascii_case(b"SOUR")) {
        return message;
    }
    let unit = |unit: &[u8]| -> Vec<u8> {
        let body = unit.strip_prefix(b":").unwrap_or(unit);
        let bare = [&b"SOURCE:"[..], b"SOUR:"]
            .into_iter()
            .find(|word| body.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)));
        bare.map_or_else(|| unit.to_vec(), |word| [b":", &body[word.len()..]].concat())
    };
    message.split(|byte| *byte == b';').map(unit).collect::<Vec<_>>().join(&b';')
}

type P<'p, 'a, 'b> = &'p mut Parameters<'a, 'b>;

/// 0 is the selected channel, else the number in the mnemonic.
fn index_of(bench: &Bench, channel: usize) -> usize {
    if channel == 0 { bench.supply.selected } else { channel - 1 }
}

fn channel_word(text: &str) -> Option<usize> {
    let number: usize = text.strip_prefix("CH")?.parse().ok()?;
    (1..=3).contains(&number).then(|| number - 1)
}

/// An optional `CHn`; without it the selected channel.
fn optional_channel(bench: &Bench, p: P) -> Result<usize> {
    match optional_word(p)? {
        None => Ok(bench.supply.selected),
        Some(text) if text == "DC" => Ok(bench.supply.selected),
        Some(text) => channel_word(&text).ok_or_else(|| ErrorCode::IllegalParameterValue.into()),
    }
}

/// `[CHn,]value`: the channel and the token of the value.
fn channel_and_value<'a>(bench: &Bench, p: &mut Parameters<'a, '_>) -> Result<(usize, Token<'a>)> {
    let first = p.next_token()?;
    match channel_word(&word_of(first)?) {
        Some(index) => Ok((index, p.next_token()?)),
        None => Ok((bench.supply.selected, first)),
    }
}

/// Hands the settings of a channel to the physics, if the board hangs on it.
fn apply(bench: &mut Bench, index: usize) {
    bench.takes(Duration::from_millis(4));
    if index != 0 {
        return;
    }
    let channel = &bench.supply.channels[0];
    let source = &mut bench.plant.source;
    source.set_v = channel.volts;
    source.limit_a = channel.amps;
    source.over_v = channel.over_v_on.then_some(channel.over_v);
    source.over_a = channel.over_a_on.then_some(channel.over_a);
    source.on = channel.on;
    bench.plant.wake();
}

/// A trip switches the output off behind the settings' back.
fn refresh(bench: &mut Bench) {
    let source = &bench.plant.source;
    if source.over_v_tripped || source.over_a_tripped {
        bench.supply.channels[0].on = source.on;
    }
}

fn volts_span(index: usize) -> Span {
    Span { min: 0.0, max: RATINGS[index].1, default: 0.0 }
}

fn amps_span(index: usize) -> Span {
    Span { min: 0.0, max: RATINGS[index].2, default: 1.0 }
}

fn set_volts(bench: &mut Bench, channel: usize, p: P) -> Result<()> {
    let index = index_of(bench, channel);
    // Resolution of the setting: 1 mV, 1 mA.
    bench.supply.channels[index].volts = rounded(number(p, volts_span(index))?);
    apply(bench, index);
    Ok(())
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn volts(bench: &mut Bench, channel: usize, p: P) -> Result<Answer> {
    let index = index_of(bench, channel);
    Ok(Answer::fixed(bound(p, volts_span(index))?.unwrap_or(bench.supply.channels[index].volts), 3))
}

fn set_amps(bench: &mut Bench, channel: usize, p: P) -> Result<()> {
    let index = index_of(bench, channel);
    bench.supply.channels[index].amps = rounded(number(p, amps_span(index))?);
    apply(bench, index);
    Ok(())
}

fn amps(bench: &mut Bench, channel: usize, p: P) -> Result<Answer> {
    let index = index_of(bench, channel);
    Ok(Answer::fixed(bound(p, amps_span(index))?.unwrap_or(bench.supply.channels[index].amps), 4))
}

fn select(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let text = panel::word(p)?;
    let index = channel_word(&text).or_else(|| channel_word(&format!("CH{text}")));
    bench.supply.selected = index.ok_or(ErrorCode::DataOutOfRange)?;
    Ok(())
}

fn selected_number(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::Text((bench.supply.selected + 1).to_string()))
}

fn selected_name(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::Text(format!("CH{}", bench.supply.selected + 1)))
}

/// `:APPL CHn,V,I`; both values are checked before either is set.
fn set_applied(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let index = channel_word(&panel::word(p)?).ok_or(ErrorCode::IllegalParameterValue)?;
    let volts = p.next_optional_token()?.map(|token| number_of(token, volts_span(index))).transpose()?;
    let amps = p.next_optional_token()?.map(|token| number_of(token, amps_span(index))).transpose()?;
    bench.supply.selected = index;
    let channel = &mut bench.supply.channels[index];
    channel.volts = volts.map_or(channel.volts, rounded);
    channel.amps = amps.map_or(channel.amps, rounded);
    apply(bench, index);
    Ok(())
}

fn applied(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    let index = optional_channel(bench, p)?;
    let channel = &bench.supply.channels[index];
    Ok(Answer::Text(format!("CH{}:{},{:.3},{:.4}", index + 1, RATINGS[index].0, channel.volts, channel.amps)))
}

fn set_output(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let (index, value) = channel_and_value(bench, p)?;
    let on = bool::try_from(value)?;
    refresh(bench);
    if !on && index == 0 && bench.faults.supply_stuck {
        bench.takes(Duration::from_millis(4));
        return Ok(());
    }
    let source = &bench.plant.source;
    if on && index == 0 && (source.over_v_tripped || source.over_a_tripped) {
        // A tripped output stays off until the trip is cleared.
        return Err(ErrorCode::SettingsConflict.into());
    }
    bench.supply.channels[index].on = on;
    apply(bench, index);
    bench.takes(Duration::from_millis(10));
    Ok(())
}

fn output(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    refresh(bench);
    let index = optional_channel(bench, p)?;
    Ok(Answer::on_off(bench.supply.channels[index].on))
}

fn regulation(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    refresh(bench);
    let index = optional_channel(bench, p)?;
    let limiting = index == 0 && bench.plant.source.limiting;
    Ok(Answer::word(if !bench.supply.channels[index].on {
        "UR"
    } else if limiting {
        "CC"
    } else {
        "CV"
    }))
}

/// Voltage at the terminals and current out of them as the instrument sees them. Most callers want one of the two, and what
/// they do not want is not calculated where this is part of them.
#[inline]
fn looked(bench: &mut Bench, index: usize) -> (f64, f64) {
    refresh(bench);
    bench.takes(Duration::from_millis(20));
    let on = bench.supply.channels[index].on;
    let (true_v, true_a) = if index == 0 {
        (bench.plant.source.terminals_v, bench.plant.source.current_a)
    } else {
        (if on { bench.supply.channels[index].volts } else { 0.0 }, 0.0)
    };
    let supply = &mut bench.supply;
    let (noise_v, noise_a) = (0.2e-3 * supply.noise.normal(), 0.05e-3 * supply.noise.normal());
    let volts = (true_v + if on { supply.volts_off } else { 0.0 } + noise_v).max(0.0);
    // The read-back stage shows nothing below its zero: an idle channel reads 0.0000.
    let amps = (true_a + if on { supply.amps_off } else { 0.0 } + noise_a).max(0.0);
    let swapped = index == 0 && bench.faults.swapped_leads;
    (volts, if swapped { -amps } else { amps })
}

fn measured_volts(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    let index = optional_channel(bench, p)?;
    Ok(Answer::fixed(looked(bench, index).0, 4))
}

fn measured_amps(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    let index = optional_channel(bench, p)?;
    Ok(Answer::fixed(looked(bench, index).1, 4))
}

fn measured_watts(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    let index = optional_channel(bench, p)?;
    let (volts, amps) = looked(bench, index);
    Ok(Answer::fixed(volts * amps, 3))
}

fn measured_all(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    let index = optional_channel(bench, p)?;
    let (volts, amps) = looked(bench, index);
    Ok(Answer::Text(format!("{volts:.4},{amps:.4},{:.3}", volts * amps)))
}

/// Bits 0 and 1: 0 off, 1 CC, 2 CV, 3 unregulated; bit 2 OVP, bit 3 OCP.
fn condition(bench: &mut Bench, channel: usize, _: P) -> Result<Answer> {
    refresh(bench);
    let index = channel - 1;
    let source = &bench.plant.source;
    let mode = match (bench.supply.channels[index].on, index == 0 && source.limiting) {
        (false, _) => 0,
        (true, true) => 1,
        (true, false) => 2,
    };
    let trips = if index == 0 {
        4 * u8::from(source.over_v_tripped) + 8 * u8::from(source.over_a_tripped)
    } else {
        0
    };
    Ok(Answer::Text((mode + trips).to_string()))
}

fn set_beeper(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.supply.beeper = boolean(p)?;
    Ok(())
}

fn beeper(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::on_off(bench.supply.beeper))
}

fn set_over_temperature(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.supply.over_temperature = boolean(p)?;
    Ok(())
}

fn over_temperature(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::on_off(bench.supply.over_temperature))
}

/// The instrument's own screen: a bar a channel for voltage and current.
fn print(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    if optional_word(p)?.is_some_and(|format| format != "BMP") {
        return Err(ErrorCode::IllegalParameterValue.into());
    }
    bench.takes(Duration::from_millis(80));
    let bars: Vec<(f64, f64)> = (0..3)
        .map(|index| {
            let (volts, amps) = looked(bench, index);
            (volts / RATINGS[index].1, amps / RATINGS[index].2)
        })
        .collect();
    Ok(Answer::Block(screen::bars(&bars).bmp()))
}
