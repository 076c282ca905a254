//! A sensor that sends text lines over a serial line.

use std::time::Duration;

use super::dialect::LinePattern;
use super::open::{Place, Surroundings, open_link};
use super::speaker::advice;
use super::{Asked, ErrorKind, Instrument, InstrumentError};
use crate::base::clock::Instant;
use crate::base::cut::Cut;
use crate::base::units::Celsius;
use crate::event::{InstrumentFacts, frozen};
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
///   longer than the age a reading may have, and never longer than two seconds.
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

/// The longest wait for a line: while it lasts nothing else is watched in the same task. A sensor that sends more seldom is
/// silent in between, which the interlock's `lost_reading` must allow for.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

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
        let kind = match error {
            LinkError::CutShort => ErrorKind::CutShort,
            _ => ErrorKind::LinkLost,
        };
        self.error(kind, error.to_string())
    }

    fn take_in(&mut self, line: &[u8], at: Instant) {
        match self.sensor.pattern.read_value(line) {
            Ok(value) => {
                let same = self.newest.filter(|newest| newest.value.to_bits() == value.to_bits());
                // Of lines that waited it is not known when the value changed: late rather than early, for only a sensor that
                // is known to stand still is frozen.
                let now = self.surroundings.clock.now();
                let unchanged_since = same.map_or(now, |newest| newest.unchanged_since);
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
        let waited = self.sensor.max_age.min(LONGEST_WAIT);
        let deadline = clock.now() + waited;
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

    fn cut(&self) -> &Cut {
        &self.surroundings.cut
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
                // Up to now, so that whoever hears it knows which readings hold it.
                let unchanged = self.surroundings.clock.now().since(heard.unchanged_since);
                Err(self.error(ErrorKind::Nonsense, frozen::told(temperature, unchanged)))
            }
            _ => Ok(TemperatureReading { temperature, age: self.surroundings.clock.now().since(heard.at) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, SimClock};
    use crate::instrument::dialect::Registry;
    use crate::link::transport::{Address, LinkSettings, Opener};
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    /// A sensor whose lines are known beforehand: (when, what).
    type Lines = Arc<Mutex<VecDeque<(f64, &'static str)>>>;

    struct Sender {
        lines: Lines,
        clock: Arc<dyn Clock>,
    }

    impl Transport for Sender {
        fn send(&mut self, _: &[u8]) -> Result<(), LinkError> {
            Ok(())
        }
        fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
            let deadline = self.clock.now() + timeout;
            let mut lines = self.lines.lock().unwrap();
            match lines.front().copied() {
                Some((_, "gone")) => Err(LinkError::Lost("unplugged".to_owned())),
                Some((at_s, line)) if at_s <= deadline.seconds() => {
                    lines.pop_front();
                    let wait_s = at_s - self.clock.now().seconds();
                    self.clock.sleep(Duration::from_secs_f64(wait_s.max(0.0)));
                    Ok(line.as_bytes().to_vec())
                }
                _ => {
                    self.clock.sleep(timeout);
                    Err(LinkError::TimedOut(timeout))
                }
            }
        }
        fn clear(&mut self) -> Result<(), LinkError> {
            Ok(())
        }
    }

    struct OneSender {
        lines: Lines,
        clock: Arc<dyn Clock>,
    }

    impl Opener for OneSender {
        fn open(&self, _: &Address, _: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
            Ok(Box::new(Sender { lines: Arc::clone(&self.lines), clock: Arc::clone(&self.clock) }))
        }
    }

    fn sensor(lines: &[(f64, &'static str)]) -> (LineThermometer, Arc<dyn Clock>) {
        let clock: Arc<dyn Clock> = Arc::new(SimClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap()));
        let lines: Lines = Arc::new(Mutex::new(lines.iter().copied().collect()));
        let surroundings = Surroundings {
            opener: Arc::new(OneSender { lines, clock: Arc::clone(&clock) }),
            clock: Arc::clone(&clock),
            registry: Arc::new(Registry::default()),
            tape: None,
            cut: Cut::default(),
        };
        let place = Place {
            role: "board".parse().unwrap(),
            address: "ASRL/dev/ttyUSB0::INSTR".parse().unwrap(),
            family: String::new(),
            serial: None,
            timeout: None,
            baud: 9600,
            calibration_due: None,
        };
        let facts = SensorFacts {
            pattern: LinePattern::KeyValue { key: "board".to_owned() },
            scale: SensorScale::Celsius,
            plausible: (Celsius(-20.0), Celsius(120.0)),
            max_age: Duration::from_secs(3),
            frozen_after: Some(Duration::from_secs(20)),
        };
        let thermometer = crate::instrument::open::open_thermometer(&surroundings, &place, facts).unwrap();
        (thermometer, clock)
    }

    fn told(thermometer: &mut LineThermometer) -> String {
        match thermometer.read_temperature() {
            Ok(reading) => format!("{} {:?} old", reading.temperature, reading.age),
            Err(error) => format!("{:?}: {}", error.kind(), error.detail),
        }
    }

    #[test]
    fn the_newest_line_counts_and_a_damaged_one_is_passed_over() {
        let (mut thermometer, clock) =
            sensor(&[(0.1, "oard=99"), (1.0, "board=41.25"), (2.0, "board=41.5"), (2.1, "board=x")]);
        assert_eq!(told(&mut thermometer), "41.2 °C 0ns old");
        clock.sleep(Duration::from_secs_f64(1.5));
        assert_eq!(told(&mut thermometer), "41.5 °C 1.5s old");
    }

    #[test]
    fn a_line_that_lay_waiting_for_nobody_knows_how_long_is_not_fresh() {
        let (mut thermometer, clock) = sensor(&[(1.0, "board=40"), (2.0, "board=41"), (61.0, "board=55")]);
        assert_eq!(told(&mut thermometer), "40 °C 0ns old");
        // The sensor stopped at 2 s; its last line still lies in the buffer a minute later.
        clock.sleep(Duration::from_secs(59));
        assert_eq!(told(&mut thermometer), "55 °C 0ns old");
    }

    #[test]
    fn a_silent_a_garbled_an_implausible_and_an_unplugged_sensor_are_errors() {
        let (mut silent, clock) = sensor(&[(1.0, "board=40")]);
        assert_eq!(told(&mut silent), "40 °C 0ns old");
        clock.sleep(Duration::from_secs(10));
        let (mut garbled, _) = sensor(&[(1.0, "%$&"), (2.0, "error")]);
        let (mut implausible, _) = sensor(&[(1.0, "board=850")]);
        let (mut unplugged, _) = sensor(&[(0.0, "gone")]);
        let all = [told(&mut silent), told(&mut garbled), told(&mut implausible), told(&mut unplugged)];
        insta::assert_snapshot!(all.join("\n"), @"
        TimedOut: no line within 2s
        Nonsense: no line could be read within 2s: wanted a line with `board=` and a number, got `error`
        Nonsense: it says 850 °C, which is outside -20 °C to 120 °C
        LinkLost: the link is closed: unplugged
        ");
    }

    #[test]
    fn a_frozen_sensor_is_an_error_once_it_has_said_the_same_for_too_long() {
        let lines: Vec<(f64, &str)> = (0..60).map(|second| (f64::from(second), "board=41.25")).collect();
        let (mut thermometer, clock) = sensor(&lines);
        let mut first_error_s = None;
        for _ in 0..30 {
            if thermometer.read_temperature().is_err() {
                first_error_s.get_or_insert(clock.now().seconds().round());
            }
            clock.sleep(Duration::from_secs(1));
        }
        assert!(first_error_s.is_some_and(|at_s| (20.0..=23.0).contains(&at_s)), "{first_error_s:?}");
    }

    #[test]
    fn a_sensor_that_nobody_listened_to_for_long_is_not_frozen_for_that() {
        // Each value twice: what came last before somebody listens again comes once more.
        let value = |second: i32| if second / 2 % 2 == 0 { "board=40" } else { "board=41" };
        let lines: Vec<(f64, &str)> = (0..40).map(|second| (f64::from(second), value(second))).collect();
        let (mut thermometer, clock) = sensor(&lines);
        assert_eq!(told(&mut thermometer), "40 °C 0ns old");
        clock.sleep(Duration::from_millis(28_500));
        assert_eq!(told(&mut thermometer), "40 °C 0ns old");
    }

    #[test]
    fn a_temperature_that_moves_is_not_frozen() {
        let lines: Vec<(f64, &str)> = (0..60)
            .map(|second| {
                (f64::from(second), if second / 15 % 2 == 0 { "board=41.25" } else { "board=41.3125" })
            })
            .collect();
        let (mut thermometer, clock) = sensor(&lines);
        for _ in 0..50 {
            thermometer.read_temperature().unwrap();
            clock.sleep(Duration::from_secs(1));
        }
    }

    #[test]
    fn other_scales_become_celsius() {
        assert_eq!(SensorScale::Fahrenheit.to_celsius(212.0), Celsius(100.0));
        assert_eq!(SensorScale::Kelvin.to_celsius(273.15), Celsius(0.0));
    }
}
