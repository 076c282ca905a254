//! What can be asked of each class, as a closed list: a family's file gives the words for it.

use super::schema::{Class, ReplyText, Word};
use super::template::Placeholder;

macro_rules! verbs {
    ($($name:ident = $word:literal),+ $(,)?) => {
        /// One thing that an instrument can be asked; the name in files is the snake-case of the name here.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "`rules` says of each what it takes and what it answers")]
        pub enum Verb { $($name),+ }

        impl Verb {
            /// The word of the files.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

verbs! {
    SetVoltage = "set_voltage",
    ReadSetVoltage = "read_set_voltage",
    SetCurrentLimit = "set_current_limit",
    ReadCurrentLimit = "read_current_limit",
    SetOutput = "set_output",
    ReadOutput = "read_output",
    MeasureVoltage = "measure_voltage",
    MeasureCurrent = "measure_current",
    SetOverVoltage = "set_over_voltage",
    ReadOverVoltage = "read_over_voltage",
    SetOverCurrent = "set_over_current",
    ReadOverCurrent = "read_over_current",
    ReadOverVoltageTripped = "read_over_voltage_tripped",
    ReadOverCurrentTripped = "read_over_current_tripped",
    ReadRegulation = "read_regulation",
    SetConstantCurrent = "set_constant_current",
    ReadMode = "read_mode",
    SetCurrent = "set_current",
    ReadSetCurrent = "read_set_current",
    SetInput = "set_input",
    ReadInput = "read_input",
    SetChannelOn = "set_channel_on",
    ReadChannelOn = "read_channel_on",
    SetProbeRatio = "set_probe_ratio",
    ReadProbeRatio = "read_probe_ratio",
    SetCoupling = "set_coupling",
    ReadCoupling = "read_coupling",
    SetBandwidthLimit = "set_bandwidth_limit",
    ReadBandwidthLimit = "read_bandwidth_limit",
    SetScale = "set_scale",
    ReadScale = "read_scale",
    SetOffset = "set_offset",
    ReadOffset = "read_offset",
    SetTimebase = "set_timebase",
    ReadTimebase = "read_timebase",
    SetDepth = "set_depth",
    ReadDepth = "read_depth",
    SetTrigger = "set_trigger",
    Run = "run",
    Single = "single",
    ForceTrigger = "force_trigger",
    ReadTriggerState = "read_trigger_state",
    SetTransfer = "set_transfer",
    SetTransferWindow = "set_transfer_window",
    ReadPreamble = "read_preamble",
    ReadSamples = "read_samples",
    ReadScreen = "read_screen",
}

/// What a verb answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: it is a set.
    Nothing,
    /// A number.
    Number,
    /// On or off.
    Switch,
    /// One of these words.
    OneOf(&'static [Word]),
    /// Text that the driver reads.
    Text,
    /// A block of bytes.
    Block,
}

impl Answer {
    /// The reply kinds of a file that can give such an answer.
    #[must_use]
    pub const fn replies(self) -> &'static [ReplyText] {
        match self {
            Self::Nothing => &[],
            Self::Number => &[ReplyText::Number],
            Self::Switch => &[ReplyText::Bool, ReplyText::Words, ReplyText::Bits],
            Self::OneOf(_) => &[ReplyText::Words, ReplyText::Bits],
            Self::Text => &[ReplyText::Text],
            Self::Block => &[ReplyText::Block],
        }
    }

    /// The words that can be meant.
    #[must_use]
    pub const fn words(self) -> &'static [Word] {
        match self {
            Self::Switch => &[Word::On, Word::Off],
            Self::OneOf(words) => words,
            Self::Nothing | Self::Number | Self::Text | Self::Block => &[],
        }
    }
}

/// Whether a family must have a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Every family of the class must have it.
    Always,
    /// A family may lack it: what needs it is unsupported then.
    Optional,
    /// Needed as soon as the family has the other one.
    With(Verb),
}

/// What is true of a verb in a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Which verb.
    pub verb: Verb,
    /// Whether a family must have it.
    pub need: Need,
    /// Placeholders that must stand in its messages; `{channel}` may always.
    pub takes: &'static [Placeholder],
    /// What it answers.
    pub answer: Answer,
}

const fn rule(verb: Verb, need: Need, takes: &'static [Placeholder], answer: Answer) -> Rule {
    Rule { verb, need, takes, answer }
}

use Need::{Always, Optional, With};
use Placeholder::{Channel, Count, Start, State, Stop, Value};

const REGULATIONS: &[Word] = &[Word::ConstantVoltage, Word::ConstantCurrent, Word::Unregulated];

const SUPPLY: &[Rule] = &[
    rule(Verb::SetVoltage, Always, &[Value], Answer::Nothing),
    rule(Verb::ReadSetVoltage, Always, &[], Answer::Number),
    rule(Verb::SetCurrentLimit, Always, &[Value], Answer::Nothing),
    rule(Verb::ReadCurrentLimit, Always, &[], Answer::Number),
    rule(Verb::SetOutput, Always, &[State], Answer::Nothing),
    rule(Verb::ReadOutput, Always, &[], Answer::Switch),
    rule(Verb::MeasureVoltage, Always, &[], Answer::Number),
    rule(Verb::MeasureCurrent, Always, &[], Answer::Number),
    rule(Verb::SetOverVoltage, Optional, &[Value], Answer::Nothing),
    rule(Verb::ReadOverVoltage, With(Verb::SetOverVoltage), &[], Answer::Number),
    rule(Verb::SetOverCurrent, Optional, &[Value], Answer::Nothing),
    rule(Verb::ReadOverCurrent, With(Verb::SetOverCurrent), &[], Answer::Number),
    rule(Verb::ReadOverVoltageTripped, With(Verb::SetOverVoltage), &[], Answer::Switch),
    rule(Verb::ReadOverCurrentTripped, With(Verb::SetOverCurrent), &[], Answer::Switch),
    rule(Verb::ReadRegulation, Optional, &[], Answer::OneOf(REGULATIONS)),
];

const LOAD: &[Rule] = &[
    rule(Verb::SetConstantCurrent, Always, &[], Answer::Nothing),
    rule(Verb::ReadMode, Always, &[], Answer::OneOf(&[Word::ConstantCurrent, Word::Other])),
    rule(Verb::SetCurrent, Always, &[Value], Answer::Nothing),
    rule(Verb::ReadSetCurrent, Always, &[], Answer::Number),
    rule(Verb::SetInput, Always, &[State], Answer::Nothing),
    rule(Verb::ReadInput, Always, &[], Answer::Switch),
    rule(Verb::MeasureVoltage, Always, &[], Answer::Number),
    rule(Verb::MeasureCurrent, Always, &[], Answer::Number),
    rule(Verb::SetOverCurrent, Optional, &[Value], Answer::Nothing),
    rule(Verb::ReadOverCurrent, With(Verb::SetOverCurrent), &[], Answer::Number),
];

const SCOPE: &[Rule] = &[
    rule(Verb::SetChannelOn, Always, &[Channel, State], Answer::Nothing),
    rule(Verb::ReadChannelOn, Always, &[Channel], Answer::Switch),
    rule(Verb::SetProbeRatio, Always, &[Channel, Value], Answer::Nothing),
    rule(Verb::ReadProbeRatio, Always, &[Channel], Answer::Number),
    rule(Verb::SetCoupling, Always, &[Channel, State], Answer::Nothing),
    rule(Verb::ReadCoupling, Always, &[Channel], Answer::OneOf(&[Word::Ac, Word::Dc, Word::Other])),
    rule(Verb::SetBandwidthLimit, Optional, &[Channel, State], Answer::Nothing),
    rule(Verb::ReadBandwidthLimit, With(Verb::SetBandwidthLimit), &[Channel], Answer::Switch),
    rule(Verb::SetScale, Always, &[Channel, Value], Answer::Nothing),
    rule(Verb::ReadScale, Always, &[Channel], Answer::Number),
    rule(Verb::SetOffset, Always, &[Channel, Value], Answer::Nothing),
    rule(Verb::ReadOffset, Always, &[Channel], Answer::Number),
    rule(Verb::SetTimebase, Always, &[Value], Answer::Nothing),
    rule(Verb::ReadTimebase, Always, &[], Answer::Number),
    rule(Verb::SetDepth, Optional, &[Count], Answer::Nothing),
    rule(Verb::ReadDepth, With(Verb::SetDepth), &[], Answer::Text),
    rule(Verb::SetTrigger, Always, &[Channel, Value], Answer::Nothing),
    rule(Verb::Run, Always, &[], Answer::Nothing),
    rule(Verb::Single, Always, &[], Answer::Nothing),
    rule(Verb::ForceTrigger, Always, &[], Answer::Nothing),
    rule(Verb::ReadTriggerState, Always, &[], Answer::OneOf(&[Word::Running, Word::Stopped])),
    rule(Verb::SetTransfer, Always, &[Channel], Answer::Nothing),
    rule(Verb::SetTransferWindow, Optional, &[Start, Stop], Answer::Nothing),
    rule(Verb::ReadPreamble, Always, &[], Answer::Text),
    rule(Verb::ReadSamples, Always, &[], Answer::Block),
    rule(Verb::ReadScreen, Optional, &[], Answer::Block),
];

/// All verbs of a class.
#[must_use]
pub const fn rules(class: Class) -> &'static [Rule] {
    match class {
        Class::Supply => SUPPLY,
        Class::Load => LOAD,
        Class::Scope => SCOPE,
    }
}
