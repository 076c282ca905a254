//! A sensor that sends text lines over a serial line.

use std::time::Duration;

use super::dialect::LinePattern;
use super::open::{Place, Surroundings, open_link};
use super::speaker::advice;
use super::{Asked, ErrorKind, Instrument, InstrumentError};
use crate::base::clock::Instant;
use crate::base::units::Celsius;
use crate::event::InstrumentFacts;
use crate::link::transport::{Framing, LinkError, Transport};

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

/// The unit a sensor sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SensorScale {
    /// °C
    Celsius,
    /// °F
    Fahrenheit,
    /// K
    Kelvin,
}

impl SensorScale {
    fn to_celsius(self, value: f64) -> Celsius {
        Celsius(match self {
            Self::Celsius => value,
            Self::Fahrenheit => (value - 32.0) * 5.0 / 9.0,
            Self::Kelvin => value - 273.15,
        })
    }
}

/// What is known of a sensor.
#[derive(Debug, Clone, PartialEq)]
pub struct SensorFacts {
    /// Where in a line the value stands.
    pub pattern: LinePattern,
    /// In which unit.
    pub scale: SensorScale,
    /// Lowest and highest plausible value.
    pub plausible: (Celsius, Celsius),
    /// How old a reading may be.
    pub max_age: Duration,
    /// A value that is bit-identical for longer than this is frozen; `None` where the sensor is too coarse to tell.
    pub frozen_after: Option<Duration>,
}

/// The most lines that are taken in at one reading: an endless sender is no sensor.
const MOST_LINES: usize = 20_000;

/// A sensor that just sends lines.
pub struct LineThermometer {
    surroundings: Surroundings,
    place: Place,
    sensor: SensorFacts,
    link: Box<dyn Transport>,
    facts: InstrumentFacts,
    /// When the link was last found empty: what is found waiting later came after this.
    emptied: Instant,
    newest: Option<Heard>,
    /// The last line that could not be read, since the last one that could.
    unreadable: Option<String>,
}

/// A value that a line brought.
#[derive(Debug, Clone, Copy)]
struct Heard {
    value: f64,
    /// It came at this time or later.
    at: Instant,
    /// Since when it has been bit-identical.
    unchanged_since: Instant,
}

impl LineThermometer {
    pub(super) fn new(
        surroundings: Surroundings,
        place: Place,
        sensor: SensorFacts,
        link: Box<dyn Transport>,
    ) -> Self {
        let facts = InstrumentFacts {
            role: place.role.clone(),
            address: place.address.to_string(),
            family: sensor.pattern.to_string(),
            maker: String::new(),
            model: String::new(),
            serial: String::new(),
            firmware: String::new(),
            calibration_due: place.calibration_due.clone(),
        };
        let emptied = surroundings.clock.now();
        Self { surroundings, place, sensor, link, facts, emptied, newest: None, unreadable: None }
    }

    fn error(&self, kind: ErrorKind, detail: impl Into<String>) -> InstrumentError {
        let advice = match kind {
            ErrorKind::TimedOut => "is the sensor powered and its cable plugged in?",
            ErrorKind::Nonsense => "look at what it sends: is the pattern in the rig the right one?",
            _ => advice(kind),
        };
        self.place.error(kind, "reading the temperature", detail, advice)
    }

    fn lost(&self, error: &LinkError) -> InstrumentError {
        self.error(ErrorKind::LinkLost, error.to_string())
    }

    fn take_in(&mut self, line: &[u8], at: Instant) {
        match self.sensor.pattern.read_value(line) {
            Ok(value) => {
                let same = self.newest.filter(|newest| newest.value.to_bits() == value.to_bits());
                let unchanged_since = same.map_or(at, |newest| newest.unchanged_since);
                self.newest = Some(Heard { value, at, unchanged_since });
                self.unreadable = None;
            }
            Err(error) => self.unreadable = Some(error.to_string()),
        }
    }

    /// Takes in all lines that wait. How long each has waited is not known, so all count as old as they can be.
    fn take_in_waiting(&mut self) -> Asked<()> {
        let at = self.emptied;
        for _ in 0..MOST_LINES {
            match self.link.receive(Duration::ZERO) {
                Ok(line) => self.take_in(&line, at),
                Err(LinkError::TimedOut(_)) => {
                    self.emptied = self.surroundings.clock.now();
                    return Ok(());
                }
                Err(LinkError::TooLong(limit)) => {
                    self.unreadable = Some(format!("a line of more than {limit} bytes"));
                }
                Err(LinkError::Malformed(told)) => self.unreadable = Some(told),
                Err(error) => return Err(self.lost(&error)),
            }
        }
        Err(self.error(ErrorKind::Nonsense, format!("it sent {MOST_LINES} lines without a pause")))
    }

    /// Waits for the next line that can be read, no longer than a reading may be old.
    fn await_line(&mut self) -> Asked<()> {
        let clock = std::sync::Arc::clone(&self.surroundings.clock);
        let deadline = clock.now() + self.sensor.max_age;
        for _ in 0..MOST_LINES {
            let left = deadline.since(clock.now());
            if left.is_zero() {
                break;
            }
            let before = self.newest.map(|newest| newest.at);
            match self.link.receive(left) {
                Ok(line) => {
                    // It came just now: nothing was waiting a moment ago.
                    let now = clock.now();
                    self.take_in(&line, now);
                    self.emptied = now;
                    if self.newest.map(|newest| newest.at) != before {
                        return Ok(());
                    }
                }
                Err(LinkError::TimedOut(_)) => break,
                Err(LinkError::TooLong(_) | LinkError::Malformed(_)) => {}
                Err(error) => return Err(self.lost(&error)),
            }
        }
        self.emptied = clock.now();
        let waited = self.sensor.max_age;
        Err(match &self.unreadable {
            Some(told) => {
                self.error(ErrorKind::Nonsense, format!("no line could be read within {waited:?}: {told}"))
            }
            None => self.error(ErrorKind::TimedOut, format!("no line within {waited:?}")),
        })
    }
}

impl Instrument for LineThermometer {
    fn facts(&self) -> &InstrumentFacts {
        &self.facts
    }

    fn reopen(&mut self) -> Asked<()> {
        self.link = open_link(&self.surroundings, &self.place, Framing::Line)?;
        self.emptied = self.surroundings.clock.now();
        self.newest = None;
        self.unreadable = None;
        Ok(())
    }
}

impl Thermometer for LineThermometer {
    fn read_temperature(&mut self) -> Asked<TemperatureReading> {
        self.take_in_waiting()?;
        let fresh = |heard: &Heard, now: Instant, max_age: Duration| now.since(heard.at) <= max_age;
        let now = self.surroundings.clock.now();
        if !self.newest.is_some_and(|heard| fresh(&heard, now, self.sensor.max_age)) {
            self.await_line()?;
        }
        let Some(heard) = self.newest else {
            return Err(self.error(ErrorKind::TimedOut, "no line so far"));
        };
        let temperature = self.sensor.scale.to_celsius(heard.value);
        let (lowest, highest) = self.sensor.plausible;
        if !(lowest.0..=highest.0).contains(&temperature.0) {
            let told = format!("it says {temperature}, which is outside {lowest} to {highest}");
            return Err(self.error(ErrorKind::Nonsense, told));
        }
        let unchanged = heard.at.since(heard.unchanged_since);
        match self.sensor.frozen_after {
            Some(limit) if unchanged > limit => {
                let told = format!("it has said exactly {temperature} for {unchanged:?}: it is frozen");
                Err(self.error(ErrorKind::Nonsense, told))
            }
            _ => Ok(TemperatureReading { temperature, age: self.surroundings.clock.now().since(heard.at) }),
        }
    }
}
