//! A trace: raw codes as captured, and what is needed to read them as volts over time.

/// Raw sample codes as the instrument sent them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codes {
    /// One unsigned byte a sample.
    U8(Vec<u8>),
    /// One signed 16-bit word a sample.
    I16(Vec<i16>),
}

impl Codes {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::U8(codes) => codes.len(),
            Self::I16(codes) => codes.len(),
        }
    }
    /// Whether there is no sample at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How codes become volts at the probe tip: `volts = (code - zero_code) * volts_per_code + offset_v`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// Volts a code.
    pub volts_per_code: f64,
    /// The code that stands for `offset_v`.
    pub zero_code: f64,
    /// Volts at the zero code.
    pub offset_v: f64,
    /// The lowest code the converter can give; a sample there is clipped.
    pub min_code: i32,
    /// The highest code the converter can give; a sample there is clipped.
    pub max_code: i32,
}

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

/// One channel's trace of one acquisition.
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    /// Samples as captured.
    pub codes: Codes,
    /// Codes to volts.
    pub scaling: Scaling,
    /// Time of the first sample relative to the trigger, in seconds.
    pub start_s: f64,
    /// Sample interval in seconds.
    pub step_s: f64,
    /// How it was captured.
    pub acquisition: Acquisition,
}

impl Waveform {
    /// Sample rate in Hz.
    #[must_use]
    pub fn sample_rate_hz(&self) -> f64 {
        1.0 / self.step_s
    }

    /// The samples in volts at the probe tip.
    #[must_use]
    pub fn volts(&self) -> Vec<f32> {
        let Scaling { volts_per_code, zero_code, offset_v, .. } = self.scaling;
        // One multiply-add a sample: the constants are folded once, in f64, before the loop.
        let (gain, base) = (volts_per_code as f32, (offset_v - zero_code * volts_per_code) as f32);
        match &self.codes {
            Codes::U8(codes) => codes.iter().map(|code| f32::from(*code) * gain + base).collect(),
            Codes::I16(codes) => codes.iter().map(|code| f32::from(*code) * gain + base).collect(),
        }
    }

    /// How many samples stand at the lowest and at the highest code.
    #[must_use]
    pub fn clipped(&self) -> usize {
        let Scaling { min_code, max_code, .. } = self.scaling;
        let at_end = |code: i32| code <= min_code || code >= max_code;
        match &self.codes {
            Codes::U8(codes) => codes.iter().filter(|code| at_end(i32::from(**code))).count(),
            Codes::I16(codes) => codes.iter().filter(|code| at_end(i32::from(**code))).count(),
        }
    }

    /// Positions of the samples that stand at the lowest or at the highest code.
    #[must_use]
    pub fn clipped_samples(&self) -> Vec<usize> {
        let Scaling { min_code, max_code, .. } = self.scaling;
        let at_end = |code: i32| code <= min_code || code >= max_code;
        let mut found = Vec::new();
        match &self.codes {
            Codes::U8(codes) => {
                found
                    .extend(codes.iter().enumerate().filter(|(_, c)| at_end(i32::from(**c))).map(|(i, _)| i));
            }
            Codes::I16(codes) => {
                found
                    .extend(codes.iter().enumerate().filter(|(_, c)| at_end(i32::from(**c))).map(|(i, _)| i));
            }
        }
        found
    }

    /// The codes as levels from 0 up: bytes as they are, words shifted by 32768, so that integer kernels are one.
    /// [`Waveform::volts_at_level`] turns them into volts.
    #[must_use]
    pub fn levels(&self) -> Vec<u16> {
        match &self.codes {
            Codes::U8(codes) => codes.iter().map(|code| u16::from(*code)).collect(),
            // The sign bit turned over is the shift by 32768.
            Codes::I16(codes) => codes.iter().map(|code| (*code as u16) ^ 0x8000).collect(),
        }
    }

    /// The code that level 0 stands for.
    #[must_use]
    pub fn code_at_level_zero(&self) -> f64 {
        match &self.codes {
            Codes::U8(_) => 0.0,
            Codes::I16(_) => -32768.0,
        }
    }

    /// Volts at a level, whole or between two.
    #[must_use]
    pub fn volts_at_level(&self, level: f64) -> f64 {
        let Scaling { volts_per_code, zero_code, offset_v, .. } = self.scaling;
        (level + self.code_at_level_zero() - zero_code) * volts_per_code + offset_v
    }

    /// The sample rate in Hz, once it is certain that the trace can be read at all.
    ///
    /// # Errors
    /// No samples, or a scale or sample interval that is not a usable number.
    pub fn check_readable(&self) -> Result<f64, super::Unavailable> {
        let Scaling { volts_per_code, zero_code, offset_v, .. } = self.scaling;
        let signal = &self.acquisition.signal;
        if self.codes.is_empty() {
            return Err(super::Unavailable::because(format!("the trace of {signal} holds no samples")));
        }
        // Far beyond any instrument, and near enough that no figure overflows.
        let usable = |value: f64| value.abs() < 1e9;
        if !((1e-15..1e9).contains(&volts_per_code) && usable(zero_code) && usable(offset_v)) {
            return Err(super::Unavailable::because(format!(
                "the trace of {signal} has no usable scale: {volts_per_code} V a code, zero at {zero_code}, offset {offset_v} V"
            )));
        }
        let rate_hz = self.sample_rate_hz();
        if !(1e-15..1e6).contains(&self.step_s) {
            return Err(super::Unavailable::because(format!(
                "the trace of {signal} has no usable sample interval: {} s",
                self.step_s
            )));
        }
        Ok(rate_hz)
    }
}
