//! A family's file as it is written. Every field is optional here, so that the check behind it (`check.rs`) tells everything that is missing
//! at once; the JSON Schema says what is required.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::reading::Placed;

/// The JSON Schema of a family's file, for editors that complete and check TOML.
///
/// # Errors
/// The schema cannot be written as JSON, which would be a fault of this program.
pub fn json_schema() -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&schemars::schema_for!(FamilyText)).map(|text| text + "\n")
}

/// A family of instruments that speak alike.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "soakrig instrument family")]
pub struct FamilyText {
    /// The name that rigs use, e.g. `rigol_dp800`: small letters, digits and `_`.
    #[schemars(required)]
    pub name: Option<Placed<String>>,
    /// What kind of instrument it is.
    #[schemars(required)]
    pub class: Option<Placed<Class>>,
    /// What people call it, e.g. `Rigol DP800 series`.
    #[schemars(required)]
    pub title: Option<Placed<String>>,
    /// Where the facts of this file come from, by a short name that the `source` keys use.
    #[schemars(required)]
    pub sources: Option<Placed<BTreeMap<String, String>>>,
    /// How an instrument of this family names itself.
    #[schemars(required)]
    pub identity: Option<Placed<IdentityText>>,
    /// How to talk with it.
    #[schemars(required)]
    pub timing: Option<Placed<TimingText>>,
    /// What is peculiar about it, from a closed list.
    pub quirks: Option<Placed<QuirksText>>,
    /// What the family has of its own to switch off when nobody talks to it, in a sentence; nothing sets it.
    pub watchdog: Option<Placed<String>>,
    /// Class `supply`: what each output of each model can do.
    #[serde(default)]
    pub outputs: Vec<Placed<OutputText>>,
    /// Class `load`: what each model can do.
    #[serde(default)]
    pub inputs: Vec<Placed<InputText>>,
    /// Class `scope`: what all models have in common.
    pub screen: Option<Placed<ScreenText>>,
    /// Class `scope`: what each model can do.
    #[serde(default)]
    pub scopes: Vec<Placed<ScopeText>>,
    /// What is sent for each thing the class can be asked, and how the answer reads.
    #[schemars(required)]
    pub verbs: Option<BTreeMap<String, Placed<VerbText>>>,
}

/// A class of instruments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A programmable DC supply.
    Supply,
    /// An electronic load.
    Load,
    /// An oscilloscope.
    Scope,
}

impl Class {
    /// The word of the files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supply => "supply",
            Self::Load => "load",
            Self::Scope => "scope",
        }
    }
}

/// What `*IDN?` answers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityText {
    /// Patterns of the maker's field; `*` stands for anything, `?` for one character, case does not matter.
    #[schemars(required)]
    pub makers: Option<Vec<Placed<String>>>,
    /// Patterns of the model's field.
    #[schemars(required)]
    pub models: Option<Vec<Placed<String>>>,
    /// Which of `[sources]`.
    #[schemars(required)]
    pub source: Option<Placed<String>>,
}

/// How long things take and how it is known that they are done.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimingText {
    /// How long an answer may take, e.g. `1 s`.
    #[schemars(required)]
    pub answer: Option<Placed<String>>,
    /// How it is known that a set has been carried out.
    #[schemars(required)]
    pub completion: Option<Placed<CompletionText>>,
    /// Completion `time`: how long to wait, e.g. `50 ms`.
    pub completion_wait: Option<Placed<String>>,
    /// Completion `status`: what is asked.
    pub completion_query: Option<Placed<String>>,
    /// Completion `status`: the answers that mean "busy".
    pub completion_busy: Option<Vec<String>>,
    /// How long a set may take at most, e.g. `5 s`.
    #[schemars(required)]
    pub completion_within: Option<Placed<String>>,
    /// The shortest time between two messages, for instruments that lose what comes too fast.
    pub pacing: Option<Placed<String>>,
    /// What is asked for one entry of the error queue; left out only with the quirk `no_error_queue`.
    pub error_query: Option<Placed<String>>,
    /// What tells after a time-out that question and answer belong together again; `event_enable` if left out.
    pub probe: Option<Placed<ProbeText>>,
    /// Which of `[sources]`.
    #[schemars(required)]
    pub source: Option<Placed<String>>,
}

/// How it is known that a set has been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompletionText {
    /// `*OPC?` answers `1`.
    Opc,
    /// A status is asked for until it is not busy.
    Status,
    /// A time is waited.
    Time,
}

/// See [`crate::link::scpi::Probe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbeText {
    /// `*ESE n` and `*ESE?`.
    EventEnable,
    /// `*IDN?` and `*OPC?`.
    Identity,
    /// Silence.
    Quiet,
}

/// What is peculiar about a family.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuirksText {
    /// Which of the closed list.
    #[schemars(required)]
    pub list: Option<Vec<Placed<Quirk>>>,
    /// Which of `[sources]`.
    #[schemars(required)]
    pub source: Option<Placed<String>>,
}

/// Peculiarities that a driver knows how to live with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quirk {
    /// There is no error queue to read: a refused set is found out by reading back only.
    NoErrorQueue,
    /// A channel's offset is the voltage at the middle of the screen; elsewhere it is that voltage's negative.
    OffsetIsCenter,
    /// The memory depth can be set only while the scope runs.
    DepthOnlyWhileRunning,
    /// Channels that are switched on share the memory: two have half of it each, three or four a quarter.
    DepthShared,
    /// The preamble's y origin is in volts; elsewhere it is in codes.
    OriginInVolts,
}

/// One output of some models.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputText {
    /// Patterns of the models that have it.
    #[schemars(required)]
    pub models: Option<Vec<Placed<String>>>,
    /// Output number, from 1.
    #[schemars(required)]
    pub channel: Option<Placed<u8>>,
    /// Highest voltage that can be set, e.g. `32 V`.
    #[schemars(required)]
    pub max_voltage: Option<Placed<String>>,
    /// Highest current limit that can be set, e.g. `3.2 A`.
    #[schemars(required)]
    pub max_current: Option<Placed<String>>,
    /// Smallest step of the voltage setting, e.g. `1 mV`.
    #[schemars(required)]
    pub voltage_step: Option<Placed<String>>,
    /// Smallest step of the current setting.
    #[schemars(required)]
    pub current_step: Option<Placed<String>>,
    /// Highest over-voltage level, if the output has that protection.
    pub over_voltage: Option<Placed<String>>,
    /// Highest over-current level, if the output has that protection.
    pub over_current: Option<Placed<String>>,
    /// Which of `[sources]`.
    #[schemars(required)]
    pub source: Option<Placed<String>>,
}

/// A load's input.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputText {
    /// Patterns of the models that have it.
    #[schemars(required)]
    pub models: Option<Vec<Placed<String>>>,
    /// Highest current that can be set.
    #[schemars(required)]
    pub max_current: Option<Placed<String>>,
    /// Highest voltage at the terminals.
    #[schemars(required)]
    pub max_voltage: Option<Placed<String>>,
    /// Smallest step of the current setting.
    #[schemars(required)]
    pub current_step: Option<Placed<String>>,
    /// Highest level of the load's own current limit, if it has one.
    pub over_current: Option<Placed<String>>,
    /// Which of `[sources]`.
    #[schemars(required)]
    pub source: Option<Placed<String>>,
}

/// What all scopes of a family have in common.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreenText {
    /// Vertical divisions.
    #[schemars(required)]
    pub vertical_divisions: Option<Placed<f64>>,
    /// Horizontal divisions.
    #[schemars(required)]
    pub horizontal_divisions: Option<Placed<f64>>,
    /// Codes a vertical division in byte format.
    #[schemars(required)]
    pub codes_per_division: Option<Placed<f64>>,
    /// The lowest code; a sample there is clipped.
    #[schemars(required)]
    pub lowest_code: Option<Placed<u8>>,
    /// The highest code; a sample there is clipped.
    #[schemars(required)]
    pub highest_code: Option<Placed<u8>>,
    /// Smallest vertical scale at a 1:1 probe, in volts a division, e.g. `1 mV`.
    #[schemars(required)]
    pub smallest_scale: Option<Placed<String>>,
    /// Largest vertical scale at a 1:1 probe.
    #[schemars(required)]
    pub largest_scale: Option<Placed<String>>,
    /// Fastest time base, in time a division, e.g. `5 ns`.
    #[schemars(required)]
    pub fastest_timebase: Option<Placed<String>>,
    /// Slowest time base.
    #[schemars(required)]
    pub slowest_timebase: Option<Placed<String>>,
    /// Memory depths with one channel on, in samples, ascending; left out where the scope chooses.
    pub depths: Option<Placed<Vec<u64>>>,
    /// The most samples in one transfer; left out where a record comes whole.
    pub longest_transfer: Option<Placed<u64>>,
    /// Which of `[sources]`.
    #[schemars(required)]
    pub source: Option<Placed<String>>,
}

/// A model of a scope.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeText {
    /// Patterns of the models.
    #[schemars(required)]
    pub models: Option<Vec<Placed<String>>>,
    /// Number of analog channels.
    #[schemars(required)]
    pub channels: Option<Placed<u8>>,
    /// Analog bandwidth, e.g. `100 MHz`.
    #[schemars(required)]
    pub bandwidth: Option<Placed<String>>,
    /// Which of `[sources]`.
    #[schemars(required)]
    pub source: Option<Placed<String>>,
}

/// What is sent for one verb.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerbText {
    /// The message, with placeholders: `:SOUR{channel}:VOLT {value:.3}`.
    #[schemars(required)]
    pub send: Option<Placed<String>>,
    /// Further messages of the same set, each acknowledged on its own.
    #[serde(default)]
    pub then: Vec<Placed<String>>,
    /// How the answer reads; left out for a set.
    pub reply: Option<Placed<ReplyText>>,
    /// Replies `words` and `bits`: what each answer means.
    pub words: Option<Placed<BTreeMap<String, Placed<Word>>>>,
    /// Reply `bits`: which bits of the number are looked at; they are shifted down before `words` is asked.
    pub mask: Option<Placed<u32>>,
    /// Which of `[sources]`.
    #[schemars(required)]
    pub source: Option<Placed<String>>,
}

/// How an answer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplyText {
    /// A number.
    Number,
    /// On or off, in any of the makers' spellings.
    Bool,
    /// Text.
    Text,
    /// A definite-length block.
    Block,
    /// One of a list of words.
    Words,
    /// Some bits of a number.
    Bits,
}

/// What an answer can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Switched on, or yes.
    On,
    /// Switched off, or no.
    Off,
    /// Constant voltage.
    ConstantVoltage,
    /// Constant current.
    ConstantCurrent,
    /// Neither constant voltage nor constant current.
    Unregulated,
    /// The scope acquires or waits for its trigger.
    Running,
    /// The scope has stopped.
    Stopped,
    /// Coupled directly.
    Dc,
    /// Coupled through a capacitor.
    Ac,
    /// Something else that the class has no word for.
    Other,
}

impl Word {
    /// The word of the files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::ConstantVoltage => "constant_voltage",
            Self::ConstantCurrent => "constant_current",
            Self::Unregulated => "unregulated",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Dc => "dc",
            Self::Ac => "ac",
            Self::Other => "other",
        }
    }
}
