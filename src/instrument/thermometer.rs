//! A sensor that sends text lines over a serial line.

use std::time::Duration;

use super::{Asked, Instrument};
use crate::base::units::Celsius;

/// A temperature with its age.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TemperatureReading {
    /// The temperature.
    pub temperature: Celsius,
    /// How long ago the line came in.
    pub age: Duration,
}

/// A thermometer.
///
/// # Contract
/// * `read_temperature` first takes in every line that has arrived and answers with the newest; it waits for a line no
///   longer than the age a reading may have.
/// * A reading older than it may be, outside the plausible range, or bit-identical for longer than the rig allows is an
///   error (`TimedOut` for silent, `Nonsense` for frozen, implausible or unreadable), never a number.
pub trait Thermometer: Instrument {
    /// The newest temperature.
    ///
    /// # Errors
    /// The sensor is silent, frozen, implausible or gone.
    fn read_temperature(&mut self) -> Asked<TemperatureReading>;
}
