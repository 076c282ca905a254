//! How a trace was captured.

/// Input coupling of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coupling {
    /// Direct.
    Dc,
    /// Through a capacitor: the mean is taken away.
    Ac,
}

impl Coupling {
    /// `AC` or `DC`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dc => "DC",
            Self::Ac => "AC",
        }
    }
}

/// The conditions without which a ripple figure cannot be compared with another.
#[derive(Debug, Clone, PartialEq)]
pub struct Acquisition {
    /// What the channel is wired to, e.g. `vout` or `lx`.
    pub signal: String,
    /// The scope's channel number.
    pub channel: u8,
    /// Input coupling.
    pub coupling: Coupling,
    /// The bandwidth limiter's corner in Hz, or `None` with the full bandwidth of the instrument.
    pub bandwidth_limit_hz: Option<f64>,
    /// Probe attenuation, e.g. 10.
    pub probe_ratio: f64,
    /// How the probe touches the board, in the rig's word, e.g. `tip_barrel`; empty where nobody said.
    pub fixture: String,
    /// Vertical scale in volts a division, at the probe tip.
    pub volts_per_div: f64,
    /// Offset set on the channel in volts, at the probe tip.
    pub offset_v: f64,
    /// Samples in the record.
    pub memory_depth: usize,
    /// What was captured for: `ripple` (narrow range, AC) or `spikes` (wide range).
    pub purpose: String,
    /// Set where the range could not be met (trace too small or clipped on the last try), with what was seen.
    pub range_note: Option<String>,
}

impl Acquisition {
    /// A capture of which nobody told anything but what it is wired to: taken as a plain channel, DC-coupled, without a
    /// limiter and with a probe ratio of 1.
    #[must_use]
    pub fn untold(signal: &str, samples: usize) -> Self {
        Self {
            signal: signal.to_owned(),
            channel: 0,
            coupling: Coupling::Dc,
            bandwidth_limit_hz: None,
            probe_ratio: 1.0,
            fixture: String::new(),
            volts_per_div: 0.0,
            offset_v: 0.0,
            memory_depth: samples,
            purpose: String::new(),
            range_note: None,
        }
    }
}
