//! An oscilloscope: channels set up, single acquisitions, raw codes read as captured.

use std::collections::BTreeMap;
use std::time::Duration;

use super::dialect::family::{Quirk, ScreenFacts, Word};
use super::dialect::template::Fill;
use super::dialect::verb::Verb;
use super::preamble::Preamble;
use super::speaker::Speaker;
use super::{Asked, ErrorKind, Instrument, InstrumentError};
use crate::base::clock::Instant;
use crate::base::cut::Cut;
use crate::base::units::{Hertz, Volts, with_prefix};
use crate::event::InstrumentFacts;
use crate::waveform::{Acquisition, Codes, Coupling, Scaling, Waveform};

/// What the scope can do.
#[derive(Debug, Clone, PartialEq)]
pub struct ScopeAbility {
    /// Number of analog channels.
    pub channels: u8,
    /// Vertical divisions on the screen.
    pub vertical_divisions: f64,
    /// Horizontal divisions on the screen.
    pub horizontal_divisions: f64,
    /// Smallest and largest vertical scale at a 1:1 probe, in volts a division.
    pub scale_1x: (f64, f64),
    /// Codes a division in byte format.
    pub codes_per_division: f64,
    /// Whether the 20 MHz limiter can be switched.
    pub bandwidth_limit: bool,
    /// Analog bandwidth.
    pub bandwidth: Hertz,
}

/// One channel's set-up. All voltages are at the probe tip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChannelSetup {
    /// Channel number, from 1.
    pub channel: u8,
    /// Volts a division.
    pub volts_per_div: Volts,
    /// Voltage that stands at the middle of the screen.
    pub center: Volts,
    /// Input coupling.
    pub coupling: Coupling,
    /// The 20 MHz limiter.
    pub bandwidth_limit: bool,
    /// Probe attenuation.
    pub probe_ratio: f64,
}

/// The time axis and the trigger of an acquisition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeSetup {
    /// Length of the record; the scope takes the next it can.
    pub span: Duration,
    /// Samples wanted in the record; the scope takes the next it can.
    pub samples: usize,
    /// Channel whose rising edge triggers; where nothing crosses, the scope runs on its own after `trigger_timeout`.
    pub trigger_channel: u8,
    /// Level of the trigger.
    pub trigger_level: Volts,
}

/// How a single acquisition ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Triggered {
    /// On the trigger's edge.
    Edge,
    /// No edge came; the scope was forced.
    Forced,
}

/// An oscilloscope.
///
/// # Contract
/// * `set_channel` returns what the scope really took (it rounds scales); the trace is scaled by the scope's own preamble.
/// * `capture_single` arms, waits for the trigger (forces it after `trigger_timeout`) and returns when the record is
///   complete and stopped; it does not transfer anything.
/// * `read_waveform` transfers a channel of the record last captured, in chunks, and may be called for several channels.
///   The answer is never of an older record: a record that has not been renewed since the last capture is an error.
pub trait Scope: Instrument {
    /// What this scope can do.
    fn ability(&self) -> ScopeAbility;
    /// Sets a channel up and switches it on.
    ///
    /// # Errors
    /// The conversation failed or the scope refused.
    fn set_channel(&mut self, setup: ChannelSetup) -> Asked<ChannelSetup>;
    /// Sets time axis, memory depth and trigger.
    ///
    /// # Errors
    /// The conversation failed or the scope refused.
    fn set_time(&mut self, setup: TimeSetup) -> Asked<()>;
    /// Takes one acquisition.
    ///
    /// # Errors
    /// It did not end in time, or the conversation failed.
    fn capture_single(&mut self, trigger_timeout: Duration) -> Asked<Triggered>;
    /// Reads one channel of the record last captured. `acquisition.signal`, `purpose`, `fixture` and `range_note` are the caller's to
    /// fill.
    ///
    /// # Errors
    /// The conversation failed, the block is short, or the record is not a new one.
    fn read_waveform(&mut self, channel: u8) -> Asked<Waveform>;
    /// Reads the scope's own screen as PNG bytes.
    ///
    /// # Errors
    /// `Unsupported`, or the conversation failed.
    fn capture_screen(&mut self) -> Asked<Vec<u8>>;
}

/// The corner of the limiter that scopes call `20M`.
const BANDWIDTH_LIMIT_HZ: f64 = 20e6;
/// How long a forced acquisition may take beyond the record itself.
const FORCED_WITHIN: Duration = Duration::from_secs(3);
/// How long a scope may take from "run" until it says that it runs.
const RUNS_WITHIN: Duration = Duration::from_secs(2);
/// A screenshot or a transfer on a slow link.
const TRANSFER_WITHIN: Duration = Duration::from_secs(20);
/// The first eight bytes of every PNG file.
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A scope, driven in the words of its family.
pub struct ScpiScope {
    speaker: Speaker,
    ability: ScopeAbility,
    screen: ScreenFacts,
    /// Length of the record set last, for how long an acquisition takes.
    span: Option<Duration>,
    /// The acquisition that stands in the scope's memory: its number, while nothing has been set since.
    captured: Option<u64>,
    captures: u64,
    /// Of each channel the acquisition read last and the checksum of its codes, where it had any shape.
    read: BTreeMap<u8, (u64, u32)>,
}

/// Whether a scope that was told `wanted_s` took it, or the next step up.
fn fits(taken_s: f64, wanted_s: f64) -> bool {
    (wanted_s * 0.999..=wanted_s * 3.0).contains(&taken_s)
}

impl ScpiScope {
    pub(super) fn new(speaker: Speaker, ability: ScopeAbility, screen: ScreenFacts) -> Self {
        Self { speaker, ability, screen, span: None, captured: None, captures: 0, read: BTreeMap::new() }
    }

    fn check_channel(&self, channel: u8) -> Asked<()> {
        if (1..=self.ability.channels).contains(&channel) {
            return Ok(());
        }
        let told = format!("this scope has channels 1 to {}, not {channel}", self.ability.channels);
        Err(self.speaker.error(ErrorKind::Unsupported, told))
    }

    fn refused(&self, told: impl Into<String>) -> InstrumentError {
        self.speaker.error(ErrorKind::Refused, told)
    }

    /// What the channel is set to.
    fn ask_channel(&mut self, channel: u8) -> Asked<ChannelSetup> {
        let fills = [Fill::Channel(channel)];
        let coupling = match self.speaker.ask_word(Verb::ReadCoupling, &fills)? {
            Word::Ac => Coupling::Ac,
            Word::Dc => Coupling::Dc,
            _ => {
                return Err(self.speaker.nonsense(format!("channel {channel} is neither AC nor DC coupled")));
            }
        };
        let bandwidth_limit =
            self.ability.bandwidth_limit && self.speaker.ask_switch(Verb::ReadBandwidthLimit, &fills)?;
        let probe_ratio = self.speaker.ask_number(Verb::ReadProbeRatio, &fills)?;
        let volts_per_div = Volts(self.speaker.ask_number(Verb::ReadScale, &fills)?);
        let offset_v = self.speaker.ask_number(Verb::ReadOffset, &fills)?;
        let center = Volts(if self.speaker.family.has(Quirk::OffsetIsCenter) { offset_v } else { -offset_v });
        Ok(ChannelSetup { channel, volts_per_div, center, coupling, bandwidth_limit, probe_ratio })
    }

    /// The time a division that holds the span, in the scope's steps of 1, 2, 5.
    fn timebase_s(&self, span: Duration) -> Asked<f64> {
        let wanted_s = span.as_secs_f64() / self.screen.horizontal_divisions;
        let (fastest_s, slowest_s) =
            (self.screen.timebase.0.as_secs_f64(), self.screen.timebase.1.as_secs_f64());
        if wanted_s > slowest_s * 1.000_001 {
            let most = with_prefix(slowest_s * self.screen.horizontal_divisions, "s");
            return Err(self.refused(format!("the longest record of this scope is {most}")));
        }
        let wanted_s = wanted_s.max(fastest_s);
        let decade_s = 10f64.powf((wanted_s * 1.000_001).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * decade_s >= wanted_s * 0.999_999);
        Ok(step.unwrap_or(10.0) * decade_s)
    }

    /// The next depth that the scope has with as many channels as are on.
    fn depth(&mut self, samples: usize) -> Asked<Option<u64>> {
        let mut on = 0u8;
        for channel in 1..=self.ability.channels {
            on += u8::from(self.speaker.ask_switch(Verb::ReadChannelOn, &[Fill::Channel(channel)])?);
        }
        let shares = match (self.speaker.family.has(Quirk::DepthShared), on) {
            (false, _) | (true, 0 | 1) => 1,
            (true, 2) => 2,
            (true, _) => 4,
        };
        let mut depths = self.screen.depths.iter().map(|depth| depth / shares);
        let wanted = samples as u64;
        let next = depths.find(|depth| *depth >= wanted);
        Ok(next.or_else(|| self.screen.depths.last().map(|depth| depth / shares)))
    }

    fn state(&mut self) -> Asked<Word> {
        self.speaker.ask_word(Verb::ReadTriggerState, &[])
    }

    /// Waits until the scope is in `state`; `false` if it is not by then.
    fn await_state(&mut self, state: Word, within: Duration) -> Asked<bool> {
        let clock = std::sync::Arc::clone(&self.speaker.surroundings.clock);
        let deadline: Instant = clock.now() + within;
        let pause = (within / 50).clamp(Duration::from_millis(1), Duration::from_millis(50));
        loop {
            if self.state()? == state {
                return Ok(true);
            }
            if clock.now() >= deadline {
                return Ok(false);
            }
            clock.sleep(pause);
        }
    }

    fn read_preamble(&mut self) -> Asked<Preamble> {
        let answer = self.speaker.ask_text(Verb::ReadPreamble, &[])?;
        Preamble::parse(&answer).map_err(|told| self.speaker.nonsense(told))
    }

    /// The whole record of the channel that was chosen, in as many transfers as it needs.
    fn read_codes(&mut self, points: u64) -> Asked<Vec<u8>> {
        let chunk = match self.screen.longest_transfer {
            Some(longest) if self.speaker.family.can(Verb::SetTransferWindow) => longest,
            _ => points,
        };
        let mut codes = Vec::new();
        let mut start = 1u64;
        while start <= points {
            let stop = points.min(start + chunk - 1);
            if self.speaker.family.can(Verb::SetTransferWindow) {
                self.speaker.tell(Verb::SetTransferWindow, &[Fill::Start(start), Fill::Stop(stop)])?;
            }
            let part = self.speaker.ask_block(Verb::ReadSamples, &[], TRANSFER_WITHIN)?;
            let wanted = stop - start + 1;
            if part.len() as u64 != wanted {
                let told = format!("{} samples came for {start} to {stop}, which are {wanted}", part.len());
                return Err(self.speaker.nonsense(told));
            }
            codes.extend_from_slice(&part);
            start = stop + 1;
        }
        Ok(codes)
    }

    /// The samples of the record: the depth the scope names, else the preamble's points.
    fn points(&mut self, preamble: &Preamble) -> Asked<u64> {
        if !self.speaker.family.can(Verb::ReadDepth) {
            return Ok(preamble.points);
        }
        let answer = self.speaker.ask_text(Verb::ReadDepth, &[])?;
        // `AUTO` names no number.
        Ok(answer
            .parse::<f64>()
            .ok()
            .filter(|depth| (1.0..1e10).contains(depth))
            .map_or(preamble.points, |d| d as u64))
    }

    /// A record with any shape that is bit for bit the one of an older acquisition is that older record.
    fn check_fresh(&mut self, channel: u8, capture: u64, codes: &[u8]) -> Asked<()> {
        let shaped = codes.iter().any(|code| code.abs_diff(codes[0]) > 1);
        let sum = crc32fast::hash(codes);
        if !shaped {
            self.read.remove(&channel);
            return Ok(());
        }
        match self.read.insert(channel, (capture, sum)) {
            Some((older, same)) if older != capture && same == sum => {
                let told = format!(
                    "the record of channel {channel} is bit for bit the one before: it was not renewed"
                );
                Err(self.speaker.error(ErrorKind::Nonsense, told))
            }
            _ => Ok(()),
        }
    }

    fn scaling(&self, preamble: &Preamble) -> Scaling {
        let (zero_code, offset_v) = if self.speaker.family.has(Quirk::OriginInVolts) {
            (preamble.y_reference, preamble.y_origin)
        } else {
            (preamble.y_reference + preamble.y_origin, 0.0)
        };
        let (lowest, highest) = self.screen.codes;
        Scaling {
            volts_per_code: preamble.y_increment,
            zero_code,
            offset_v,
            min_code: i32::from(lowest),
            max_code: i32::from(highest),
        }
    }
}

impl Instrument for ScpiScope {
    fn facts(&self) -> &InstrumentFacts {
        &self.speaker.facts
    }
    fn cut(&self) -> &Cut {
        &self.speaker.surroundings.cut
    }
    fn reopen(&mut self) -> Asked<()> {
        self.captured = None;
        self.speaker.reopen()
    }
}

impl Scope for ScpiScope {
    fn ability(&self) -> ScopeAbility {
        self.ability.clone()
    }

    fn set_channel(&mut self, setup: ChannelSetup) -> Asked<ChannelSetup> {
        let ChannelSetup { channel, volts_per_div, center, coupling, bandwidth_limit, probe_ratio } = setup;
        self.speaker.doing(format!("setting channel {channel} to {volts_per_div} a division"));
        self.captured = None;
        self.check_channel(channel)?;
        let usable = |value: f64| value.is_finite() && value > 0.0;
        if !(usable(volts_per_div.0) && usable(probe_ratio) && center.0.is_finite()) {
            return Err(self.refused("scale and probe ratio must be numbers above zero; nothing was sent"));
        }
        if bandwidth_limit && !self.ability.bandwidth_limit {
            return Err(self.speaker.error(ErrorKind::Unsupported, "this scope has no 20 MHz limiter"));
        }
        let offset_v = if self.speaker.family.has(Quirk::OffsetIsCenter) { center.0 } else { -center.0 };
        let number = Fill::Channel(channel);
        // The probe ratio rescales what follows, and the scale decides how far the offset reaches.
        self.speaker.tell(Verb::SetChannelOn, &[number, Fill::State(true)])?;
        self.speaker.tell(Verb::SetProbeRatio, &[number, Fill::Value(probe_ratio)])?;
        self.speaker.tell(Verb::SetCoupling, &[number, Fill::State(coupling == Coupling::Ac)])?;
        if self.ability.bandwidth_limit {
            self.speaker.tell(Verb::SetBandwidthLimit, &[number, Fill::State(bandwidth_limit)])?;
        }
        self.speaker.tell(Verb::SetScale, &[number, Fill::Value(volts_per_div.0)])?;
        self.speaker.tell(Verb::SetOffset, &[number, Fill::Value(offset_v)])?;
        let taken = self.ask_channel(channel)?;
        let same_ratio = (taken.probe_ratio / probe_ratio - 1.0).abs() < 1e-3;
        if taken.coupling != coupling || taken.bandwidth_limit != bandwidth_limit || !same_ratio {
            let told = format!(
                "read back, it stands at {} coupling, limiter {}, probe {}:1",
                taken.coupling.as_str(),
                if taken.bandwidth_limit { "on" } else { "off" },
                taken.probe_ratio
            );
            return Err(self.refused(told));
        }
        Ok(taken)
    }

    fn set_time(&mut self, setup: TimeSetup) -> Asked<()> {
        self.speaker.doing(format!("setting a record of {}", with_prefix(setup.span.as_secs_f64(), "s")));
        self.captured = None;
        self.check_channel(setup.trigger_channel)?;
        if !setup.trigger_level.0.is_finite() {
            return Err(self.refused("the trigger level is no number; nothing was sent"));
        }
        let timebase_s = self.timebase_s(setup.span)?;
        self.speaker.tell(Verb::SetTimebase, &[Fill::Value(timebase_s)])?;
        let taken_s = self.speaker.ask_number(Verb::ReadTimebase, &[])?;
        if !fits(taken_s, timebase_s) {
            let told = format!("read back, it stands at {} a division", with_prefix(taken_s, "s"));
            return Err(self.refused(told));
        }
        self.span = Some(Duration::from_secs_f64(taken_s * self.screen.horizontal_divisions));
        if self.speaker.family.can(Verb::SetDepth) {
            if self.speaker.family.has(Quirk::DepthOnlyWhileRunning) {
                self.speaker.tell(Verb::Run, &[])?;
            }
            if let Some(depth) = self.depth(setup.samples)? {
                self.speaker.tell(Verb::SetDepth, &[Fill::Count(depth)])?;
            }
        }
        let trigger = [Fill::Channel(setup.trigger_channel), Fill::Value(setup.trigger_level.0)];
        self.speaker.tell(Verb::SetTrigger, &trigger)
    }

    fn capture_single(&mut self, trigger_timeout: Duration) -> Asked<Triggered> {
        self.speaker.doing("taking a single acquisition");
        self.captured = None;
        // From "running" there is one way only to "stopped": the acquisition is complete. From "stopped" an old record and a
        // new one look alike.
        self.speaker.tell(Verb::Run, &[])?;
        if !self.await_state(Word::Running, RUNS_WITHIN)? {
            return Err(self
                .speaker
                .error(ErrorKind::TimedOut, format!("it did not run within {RUNS_WITHIN:?}")));
        }
        self.speaker.tell(Verb::Single, &[])?;
        let record = self.span.unwrap_or(Duration::from_secs(1)) * 2;
        let mut triggered = Triggered::Edge;
        if !self.await_state(Word::Stopped, trigger_timeout + record)? {
            triggered = Triggered::Forced;
            self.speaker.tell(Verb::ForceTrigger, &[])?;
            if !self.await_state(Word::Stopped, FORCED_WITHIN + record)? {
                let told = format!(
                    "it did not stop within {:?} after the trigger was forced",
                    FORCED_WITHIN + record
                );
                return Err(self.speaker.error(ErrorKind::TimedOut, told));
            }
        }
        self.captures += 1;
        self.captured = Some(self.captures);
        Ok(triggered)
    }

    fn read_waveform(&mut self, channel: u8) -> Asked<Waveform> {
        self.speaker.doing(format!("reading the trace of channel {channel}"));
        self.check_channel(channel)?;
        let Some(capture) = self.captured else {
            return Err(self.refused("nothing was captured since the scope was last set; nothing was sent"));
        };
        self.speaker.tell(Verb::SetTransfer, &[Fill::Channel(channel)])?;
        let preamble = self.read_preamble()?;
        let points = self.points(&preamble)?;
        let codes = self.read_codes(points)?;
        let again = self.read_preamble()?;
        if !preamble.is_of_the_same_record(&again) || self.state()? != Word::Stopped {
            return Err(self.speaker.error(ErrorKind::Nonsense, "the record changed while it was read"));
        }
        self.check_fresh(channel, capture, &codes)?;
        let setup = self.ask_channel(channel)?;
        Ok(Waveform {
            scaling: self.scaling(&preamble),
            start_s: preamble.x_origin,
            step_s: preamble.x_increment,
            acquisition: Acquisition {
                signal: String::new(),
                channel,
                coupling: setup.coupling,
                bandwidth_limit_hz: setup.bandwidth_limit.then_some(BANDWIDTH_LIMIT_HZ),
                probe_ratio: setup.probe_ratio,
                fixture: String::new(),
                volts_per_div: setup.volts_per_div.0,
                offset_v: setup.center.0,
                memory_depth: codes.len(),
                purpose: String::new(),
                range_note: None,
            },
            codes: Codes::U8(codes),
        })
    }

    fn capture_screen(&mut self) -> Asked<Vec<u8>> {
        self.speaker.doing("reading the screen");
        let png = self.speaker.ask_block(Verb::ReadScreen, &[], TRANSFER_WITHIN)?;
        if png.starts_with(PNG_SIGNATURE) {
            return Ok(png);
        }
        Err(self.speaker.nonsense(format!("{} bytes came, which are no PNG picture", png.len())))
    }
}
