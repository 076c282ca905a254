//! A programmable DC supply: one output of it is one [`Supply`].

use super::{Asked, Instrument};
use crate::base::units::{Amps, Volts};

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

/// How the output is regulated at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regulation {
    /// Constant voltage.
    ConstantVoltage,
    /// Constant current: the limit is reached.
    ConstantCurrent,
    /// Neither (or the output is off).
    Unregulated,
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
