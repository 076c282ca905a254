//! An oscilloscope: channels set up, single acquisitions, raw codes read as captured.

use std::time::Duration;

use super::{Asked, Instrument};
use crate::base::units::{Hertz, Volts};
use crate::waveform::{Coupling, Waveform};

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
    /// Reads one channel of the record last captured. `acquisition.signal`, `purpose` and `range_note` are the caller's to
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
