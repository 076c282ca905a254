//! A checked family: what a driver needs to know about instruments that speak alike.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::identify::{Names, Pattern};
pub use super::schema::{Class, Quirk, Word};
use super::template::Template;
use super::verb::Verb;
use crate::base::units::{Hertz, Volts};
use crate::instrument::load::LoadAbility;
use crate::instrument::scope::ScopeAbility;
use crate::instrument::supply::SupplyAbility;
use crate::link::scpi::Conversation;

/// How an answer reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// There is none: it is a set.
    Nothing,
    /// A number.
    Number,
    /// On or off.
    Bool,
    /// Text.
    Text,
    /// A definite-length block.
    Block,
    /// One of these, in any case.
    Words(BTreeMap<String, Word>),
    /// The bits of `mask`, shifted down.
    Bits {
        /// Which bits; never 0.
        mask: u32,
        /// What each value means.
        words: BTreeMap<u32, Word>,
    },
}

/// What is sent for a verb and how the answer reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The messages; a question has one.
    pub messages: Vec<Template>,
    /// How the answer reads.
    pub reply: Reply,
    /// Where this is written.
    pub source: String,
}

/// One output of some models of a supply.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputFacts {
    /// The models that have it.
    pub models: Vec<Pattern>,
    /// Output number, from 1.
    pub channel: u8,
    /// What it can do.
    pub ability: SupplyAbility,
}

/// The input of some models of a load.
#[derive(Debug, Clone, PartialEq)]
pub struct InputFacts {
    /// The models.
    pub models: Vec<Pattern>,
    /// What it can do.
    pub ability: LoadAbility,
}

/// What all scopes of a family have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct ScreenFacts {
    /// Vertical divisions.
    pub vertical_divisions: f64,
    /// Horizontal divisions.
    pub horizontal_divisions: f64,
    /// Codes a vertical division.
    pub codes_per_division: f64,
    /// The lowest and the highest code: samples there are clipped.
    pub codes: (u8, u8),
    /// Smallest and largest scale at a 1:1 probe.
    pub scale_1x: (Volts, Volts),
    /// Fastest and slowest time a division.
    pub timebase: (Duration, Duration),
    /// Memory depths with one channel on, ascending; empty where the scope chooses.
    pub depths: Vec<u64>,
    /// The most samples in one transfer.
    pub longest_transfer: Option<u64>,
}

/// Some models of a scope.
#[derive(Debug, Clone, PartialEq)]
pub struct ScopeFacts {
    /// The models.
    pub models: Vec<Pattern>,
    /// Number of analog channels.
    pub channels: u8,
    /// Analog bandwidth.
    pub bandwidth: Hertz,
}

/// A family of instruments that speak alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The name that rigs use.
    pub name: String,
    /// What kind of instrument it is.
    pub class: Class,
    /// What people call it.
    pub title: String,
    /// How an instrument of this family names itself.
    pub names: Names,
    /// How to talk with it.
    pub conversation: Conversation,
    /// What is peculiar about it.
    pub quirks: BTreeSet<Quirk>,
    /// What it has of its own to switch off when nobody talks to it, in a sentence for people; `None` where its file does not
    /// say.
    pub watchdog: Option<String>,
    /// What is sent for each verb.
    pub verbs: BTreeMap<Verb, Phrase>,
    /// Class supply: its outputs.
    pub outputs: Vec<OutputFacts>,
    /// Class load: its inputs.
    pub inputs: Vec<InputFacts>,
    /// Class scope: what all have in common.
    pub screen: Option<ScreenFacts>,
    /// Class scope: its models.
    pub scopes: Vec<ScopeFacts>,
}

fn means(models: &[Pattern], model: Option<&str>) -> bool {
    model.is_none_or(|model| models.iter().any(|pattern| pattern.matches(model)))
}

fn larger<T: PartialOrd + Copy>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b > a { b } else { a }),
        (one, other) => one.or(other),
    }
}

impl Family {
    /// Whether the family knows how to be asked this.
    #[must_use]
    pub fn can(&self, verb: Verb) -> bool {
        self.verbs.contains_key(&verb)
    }

    /// Whether this is peculiar about it.
    #[must_use]
    pub fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// What output `channel` of `model` can do; without a model, what the best of the models can: what is above that, no
    /// instrument of this family can do. `None` if there is no such output.
    #[must_use]
    pub fn supply_ability(&self, channel: u8, model: Option<&str>) -> Option<SupplyAbility> {
        let fits = |facts: &&OutputFacts| facts.channel == channel && means(&facts.models, model);
        let widest = |a: SupplyAbility, b: SupplyAbility| SupplyAbility {
            max_voltage: if b.max_voltage > a.max_voltage { b.max_voltage } else { a.max_voltage },
            max_current: if b.max_current > a.max_current { b.max_current } else { a.max_current },
            voltage_step: if b.voltage_step < a.voltage_step { b.voltage_step } else { a.voltage_step },
            current_step: if b.current_step < a.current_step { b.current_step } else { a.current_step },
            over_voltage: larger(a.over_voltage, b.over_voltage),
            over_current: larger(a.over_current, b.over_current),
        };
        let mut ability = self.outputs.iter().filter(fits).map(|facts| facts.ability).reduce(widest)?;
        ability.over_voltage = ability.over_voltage.filter(|_| self.can(Verb::SetOverVoltage));
        ability.over_current = ability.over_current.filter(|_| self.can(Verb::SetOverCurrent));
        Some(ability)
    }

    /// What `model` can do as a load; without a model, what the best of the models can.
    #[must_use]
    pub fn load_ability(&self, model: Option<&str>) -> Option<LoadAbility> {
        let widest = |a: LoadAbility, b: LoadAbility| LoadAbility {
            max_current: if b.max_current > a.max_current { b.max_current } else { a.max_current },
            max_voltage: if b.max_voltage > a.max_voltage { b.max_voltage } else { a.max_voltage },
            current_step: if b.current_step < a.current_step { b.current_step } else { a.current_step },
            over_current: larger(a.over_current, b.over_current),
        };
        let fitting =
            self.inputs.iter().filter(|facts| means(&facts.models, model)).map(|facts| facts.ability);
        let mut ability = fitting.reduce(widest)?;
        ability.over_current = ability.over_current.filter(|_| self.can(Verb::SetOverCurrent));
        Some(ability)
    }

    /// What `model` can do as a scope; without a model, what the best of the models can.
    #[must_use]
    pub fn scope_ability(&self, model: Option<&str>) -> Option<ScopeAbility> {
        let screen = self.screen.as_ref()?;
        let fitting: Vec<&ScopeFacts> =
            self.scopes.iter().filter(|facts| means(&facts.models, model)).collect();
        let channels = fitting.iter().map(|facts| facts.channels).max()?;
        let bandwidth = fitting.iter().map(|facts| facts.bandwidth.0).fold(0.0, f64::max);
        Some(ScopeAbility {
            channels,
            vertical_divisions: screen.vertical_divisions,
            horizontal_divisions: screen.horizontal_divisions,
            scale_1x: (screen.scale_1x.0.0, screen.scale_1x.1.0),
            codes_per_division: screen.codes_per_division,
            bandwidth_limit: self.can(Verb::SetBandwidthLimit),
            bandwidth: Hertz(bandwidth),
        })
    }
}
