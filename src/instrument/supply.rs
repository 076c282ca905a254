//! A programmable DC supply: one output of it is one [`Supply`].

use super::dialect::family::Word;
use super::dialect::template::Fill;
use super::dialect::verb::Verb;
use super::setting::Setting;
use super::speaker::Speaker;
use super::{Asked, ErrorKind, Instrument};
use crate::base::cut::Cut;
use crate::base::units::{Amps, Volts};
use crate::event::InstrumentFacts;
pub use crate::event::Regulation;

/// What the output can do, known before anything is switched on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SupplyAbility {
    /// Highest voltage that can be set.
    pub max_voltage: Volts,
    /// Highest current limit that can be set.
    pub max_current: Amps,
    /// Smallest step of the voltage setting.
    pub voltage_step: Volts,
    /// Smallest step of the current setting.
    pub current_step: Amps,
    /// Highest over-voltage level, if there is such a protection.
    pub over_voltage: Option<Volts>,
    /// Highest over-current level, if there is such a protection.
    pub over_current: Option<Amps>,
}

/// One output of a programmable supply.
///
/// # Contract
/// * A `set_` returns `Ok` only after the instrument has taken the setting without an error; it does not wait for the
///   output to follow. If the acknowledgement is lost the driver reads the state back before anything else.
/// * `read_` asks for the set-point, `measure_` for the actual value at the terminals. They are never the same thing.
/// * Nothing is remembered in place of asking.
/// * What the family cannot do is `ErrorKind::Unsupported`, and stands in [`SupplyAbility`].
pub trait Supply: Instrument {
    /// What this output can do.
    fn ability(&self) -> SupplyAbility;
    /// Sets the output voltage.
    ///
    /// # Errors
    /// Outside the hard limit or the ability (`Refused`), or the conversation failed.
    fn set_voltage(&mut self, voltage: Volts) -> Asked<()>;
    /// Reads the set voltage back.
    ///
    /// # Errors
    /// The conversation failed.
    fn read_set_voltage(&mut self) -> Asked<Volts>;
    /// Sets the current limit.
    ///
    /// # Errors
    /// Outside the hard limit or the ability (`Refused`), or the conversation failed.
    fn set_current_limit(&mut self, current: Amps) -> Asked<()>;
    /// Reads the set current limit back.
    ///
    /// # Errors
    /// The conversation failed.
    fn read_current_limit(&mut self) -> Asked<Amps>;
    /// Switches the output.
    ///
    /// # Errors
    /// The conversation failed.
    fn set_output(&mut self, on: bool) -> Asked<()>;
    /// Reads whether the output is on.
    ///
    /// # Errors
    /// The conversation failed.
    fn read_output(&mut self) -> Asked<bool>;
    /// Measures the voltage at the terminals.
    ///
    /// # Errors
    /// The conversation failed, or the answer is no number.
    fn measure_voltage(&mut self) -> Asked<Volts>;
    /// Measures the current delivered; negative means the leads are swapped.
    ///
    /// # Errors
    /// The conversation failed, or the answer is no number.
    fn measure_current(&mut self) -> Asked<Amps>;
    /// Sets the over-voltage level, switches that protection on, and gives the level read back.
    ///
    /// # Errors
    /// `Unsupported` where there is none; otherwise the conversation failed.
    fn set_over_voltage(&mut self, level: Volts) -> Asked<Volts>;
    /// Sets the over-current level, switches that protection on, and gives the level read back.
    ///
    /// # Errors
    /// `Unsupported` where there is none; otherwise the conversation failed.
    fn set_over_current(&mut self, level: Amps) -> Asked<Amps>;
    /// Reads which protection has tripped, as words; `None` if none has.
    ///
    /// # Errors
    /// The conversation failed.
    fn read_protection(&mut self) -> Asked<Option<String>>;
    /// Reads how the output is regulated.
    ///
    /// # Errors
    /// The conversation failed, or the family cannot say.
    fn read_regulation(&mut self) -> Asked<Regulation>;
}

/// A supply's output, driven in the words of its family.
pub struct ScpiSupply {
    speaker: Speaker,
    ability: SupplyAbility,
}

impl ScpiSupply {
    pub(super) fn new(speaker: Speaker, ability: SupplyAbility) -> Self {
        Self { speaker, ability }
    }

    fn ask(&mut self, doing: &'static str, verb: Verb) -> Asked<f64> {
        self.speaker.doing(doing).ask_number(verb, &[])
    }
}

impl Instrument for ScpiSupply {
    fn facts(&self) -> &InstrumentFacts {
        &self.speaker.facts
    }
    fn cut(&self) -> &Cut {
        &self.speaker.surroundings.cut
    }
    fn reopen(&mut self) -> Asked<()> {
        self.speaker.reopen()
    }
}

impl Supply for ScpiSupply {
    fn ability(&self) -> SupplyAbility {
        self.ability
    }

    fn set_voltage(&mut self, voltage: Volts) -> Asked<()> {
        self.speaker.doing(format!("setting {voltage}"));
        let (set, read) = (Verb::SetVoltage, Verb::ReadSetVoltage);
        let (most, step) = (self.ability.max_voltage, self.ability.voltage_step);
        self.speaker.set(Setting { set, read, value: voltage, most, step })
    }

    fn read_set_voltage(&mut self) -> Asked<Volts> {
        self.ask("reading the set voltage", Verb::ReadSetVoltage).map(Volts)
    }

    fn set_current_limit(&mut self, current: Amps) -> Asked<()> {
        self.speaker.doing(format!("setting the current limit to {current}"));
        let (set, read) = (Verb::SetCurrentLimit, Verb::ReadCurrentLimit);
        let (most, step) = (self.ability.max_current, self.ability.current_step);
        self.speaker.set(Setting { set, read, value: current, most, step })
    }

    fn read_current_limit(&mut self) -> Asked<Amps> {
        self.ask("reading the current limit", Verb::ReadCurrentLimit).map(Amps)
    }

    fn set_output(&mut self, on: bool) -> Asked<()> {
        self.speaker.doing(if on { "switching the output on" } else { "switching the output off" });
        if !on {
            self.speaker.tell_ahead(Verb::SetOutput, &[Fill::State(false)]);
        }
        self.speaker.tell_checked(Verb::SetOutput, &[Fill::State(on)], |speaker| {
            Ok(speaker.ask_switch(Verb::ReadOutput, &[])? == on)
        })
    }

    fn read_output(&mut self) -> Asked<bool> {
        self.speaker.doing("reading whether the output is on").ask_switch(Verb::ReadOutput, &[])
    }

    fn measure_voltage(&mut self) -> Asked<Volts> {
        self.ask("measuring the voltage", Verb::MeasureVoltage).map(Volts)
    }

    fn measure_current(&mut self) -> Asked<Amps> {
        self.ask("measuring the current", Verb::MeasureCurrent).map(Amps)
    }

    fn set_over_voltage(&mut self, level: Volts) -> Asked<Volts> {
        self.speaker.doing(format!("setting the over-voltage level to {level}"));
        let Some(most) = self.ability.over_voltage else {
            return Err(self
                .speaker
                .error(ErrorKind::Unsupported, "this output has no over-voltage protection"));
        };
        let (set, read, step) = (Verb::SetOverVoltage, Verb::ReadOverVoltage, self.ability.voltage_step);
        self.speaker.set_level(Setting { set, read, value: level, most, step })
    }

    fn set_over_current(&mut self, level: Amps) -> Asked<Amps> {
        self.speaker.doing(format!("setting the over-current level to {level}"));
        let Some(most) = self.ability.over_current else {
            let told = "this output has no over-current protection with a level of its own";
            return Err(self.speaker.error(ErrorKind::Unsupported, told));
        };
        let (set, read, step) = (Verb::SetOverCurrent, Verb::ReadOverCurrent, self.ability.current_step);
        self.speaker.set_level(Setting { set, read, value: level, most, step })
    }

    fn read_protection(&mut self) -> Asked<Option<String>> {
        self.speaker.doing("reading whether a protection has tripped");
        let known = [
            (Verb::ReadOverVoltageTripped, "over-voltage protection"),
            (Verb::ReadOverCurrentTripped, "over-current protection"),
        ];
        let mut tripped = Vec::new();
        for (verb, name) in known {
            if self.speaker.family.can(verb) && self.speaker.ask_switch(verb, &[])? {
                tripped.push(name);
            }
        }
        Ok(if tripped.is_empty() { None } else { Some(tripped.join(" and ")) })
    }

    fn read_regulation(&mut self) -> Asked<Regulation> {
        self.speaker.doing("reading how the output is regulated");
        Ok(match self.speaker.ask_word(Verb::ReadRegulation, &[])? {
            Word::ConstantVoltage => Regulation::ConstantVoltage,
            Word::ConstantCurrent => Regulation::ConstantCurrent,
            _ => Regulation::Unregulated,
        })
    }
}
