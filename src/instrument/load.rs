//! An electronic load in constant current.

use super::dialect::family::Word;
use super::dialect::template::Fill;
use super::dialect::verb::Verb;
use super::setting::Setting;
use super::speaker::Speaker;
use super::{Asked, ErrorKind, Instrument};
use crate::base::cut::Cut;
use crate::base::units::{Amps, Volts};
use crate::event::InstrumentFacts;

/// What the load can do, known before anything is switched on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadAbility {
    /// Highest current that can be set.
    pub max_current: Amps,
    /// Highest voltage at its terminals.
    pub max_voltage: Volts,
    /// Smallest step of the current setting.
    pub current_step: Amps,
    /// Highest level of its own current limit, if it has one.
    pub over_current: Option<Amps>,
}

/// An electronic load. The same contract as [`super::supply::Supply`]: sets are acknowledged, set-points and actual
/// values are different questions, nothing is remembered in place of asking.
pub trait Load: Instrument {
    /// What this load can do.
    fn ability(&self) -> LoadAbility;
    /// Puts the load in constant-current mode and checks that it is.
    ///
    /// # Errors
    /// The conversation failed or the load stayed in another mode.
    fn set_constant_current(&mut self) -> Asked<()>;
    /// Sets the current to draw.
    ///
    /// # Errors
    /// Outside the hard limit or the ability (`Refused`), or the conversation failed.
    fn set_current(&mut self, current: Amps) -> Asked<()>;
    /// Reads the set current back.
    ///
    /// # Errors
    /// The conversation failed.
    fn read_set_current(&mut self) -> Asked<Amps>;
    /// Switches the input.
    ///
    /// # Errors
    /// The conversation failed.
    fn set_input(&mut self, on: bool) -> Asked<()>;
    /// Reads whether the input is on.
    ///
    /// # Errors
    /// The conversation failed.
    fn read_input(&mut self) -> Asked<bool>;
    /// Measures the voltage at the load's terminals.
    ///
    /// # Errors
    /// The conversation failed, or the answer is no number.
    fn measure_voltage(&mut self) -> Asked<Volts>;
    /// Measures the current drawn.
    ///
    /// # Errors
    /// The conversation failed, or the answer is no number.
    fn measure_current(&mut self) -> Asked<Amps>;
    /// Sets the load's own current limit and gives the level read back.
    ///
    /// # Errors
    /// `Unsupported` where there is none; otherwise the conversation failed.
    fn set_over_current(&mut self, level: Amps) -> Asked<Amps>;
}

/// A load, driven in the words of its family.
pub struct ScpiLoad {
    speaker: Speaker,
    ability: LoadAbility,
}

impl ScpiLoad {
    pub(super) fn new(speaker: Speaker, ability: LoadAbility) -> Self {
        Self { speaker, ability }
    }

    fn is_in_constant_current(speaker: &mut Speaker) -> Asked<bool> {
        Ok(speaker.ask_word(Verb::ReadMode, &[])? == Word::ConstantCurrent)
    }
}

impl Instrument for ScpiLoad {
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

impl Load for ScpiLoad {
    fn ability(&self) -> LoadAbility {
        self.ability
    }

    fn set_constant_current(&mut self) -> Asked<()> {
        self.speaker.doing("setting constant current");
        self.speaker.tell_checked(Verb::SetConstantCurrent, &[], Self::is_in_constant_current)?;
        if Self::is_in_constant_current(&mut self.speaker)? {
            return Ok(());
        }
        Err(self.speaker.error(ErrorKind::Refused, "read back, it stayed in another mode"))
    }

    fn set_current(&mut self, current: Amps) -> Asked<()> {
        self.speaker.doing(format!("setting {current}"));
        let (set, read) = (Verb::SetCurrent, Verb::ReadSetCurrent);
        let (most, step) = (self.ability.max_current, self.ability.current_step);
        self.speaker.set(Setting { set, read, value: current, most, step })
    }

    fn read_set_current(&mut self) -> Asked<Amps> {
        self.speaker.doing("reading the set current").ask_number(Verb::ReadSetCurrent, &[]).map(Amps)
    }

    fn set_input(&mut self, on: bool) -> Asked<()> {
        self.speaker.doing(if on { "switching the input on" } else { "switching the input off" });
        if !on {
            self.speaker.tell_ahead(Verb::SetInput, &[Fill::State(false)]);
        }
        self.speaker.tell_checked(Verb::SetInput, &[Fill::State(on)], |speaker| {
            Ok(speaker.ask_switch(Verb::ReadInput, &[])? == on)
        })
    }

    fn read_input(&mut self) -> Asked<bool> {
        self.speaker.doing("reading whether the input is on").ask_switch(Verb::ReadInput, &[])
    }

    fn measure_voltage(&mut self) -> Asked<Volts> {
        self.speaker.doing("measuring the voltage").ask_number(Verb::MeasureVoltage, &[]).map(Volts)
    }

    fn measure_current(&mut self) -> Asked<Amps> {
        self.speaker.doing("measuring the current").ask_number(Verb::MeasureCurrent, &[]).map(Amps)
    }

    fn set_over_current(&mut self, level: Amps) -> Asked<Amps> {
        self.speaker.doing(format!("setting the over-current level to {level}"));
        let Some(most) = self.ability.over_current else {
            return Err(self
                .speaker
                .error(ErrorKind::Unsupported, "this load has no current limit of its own"));
        };
        let (set, read, step) = (Verb::SetOverCurrent, Verb::ReadOverCurrent, self.ability.current_step);
        self.speaker.set_level(Setting { set, read, value: level, most, step })
    }
}
