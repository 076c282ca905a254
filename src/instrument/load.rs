//! An electronic load in constant current.

use super::{Asked, Instrument};
use crate::base::units::{Amps, Volts};

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
