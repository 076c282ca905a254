//! Reading meters and thermometers under the interlocks' eyes, while settling and while measuring.

use std::time::Duration;

use super::interlock::{Interlock, Ruling, Source, Watched};
use super::readings::board_vout;
use super::settle::{SettleWatch, Settling};
use super::stop::StopWish;
use super::{Failure, stamp};
use crate::base::clock::{Clock, Instant};
use crate::base::names::Role;
use crate::base::units::{Amps, Celsius, Volts};
use crate::bench::BenchWiring;
use crate::event::{Event, Stamp};
use crate::instrument::Asked;
use crate::instrument::load::Load;
use crate::instrument::supply::Supply;
use crate::instrument::thermometer::Thermometer;
use crate::plan::profile::SettleRule;
use crate::waveform::{Figure, Unavailable};

/// Time between two looks at the thermometers while settling.
const TEMPERATURE_INTERVAL: Duration = Duration::from_secs(2);
/// Longest sleep before the wish to stop is looked at again.
const NAP: Duration = Duration::from_millis(50);

/// Sleeps, but no longer than until somebody wants the outputs off.
///
/// # Errors
/// `StopNow`, if that is wanted.
pub fn wait(clock: &dyn Clock, stop: &StopWish, span: Duration) -> Result<(), Failure> {
    let end = clock.now() + span;
    loop {
        if stop.is_now() {
            return Err(Failure::StopNow);
        }
        let left = end.since(clock.now());
        if left.is_zero() {
            return Ok(());
        }
        clock.sleep(left.min(NAP));
    }
}

/// What the thermometers said, by role.
#[derive(Debug, Clone)]
pub struct Temperatures {
    /// On the board.
    pub board_c: Figure,
    /// Beside the board.
    pub ambient_c: Figure,
}

impl Default for Temperatures {
    fn default() -> Self {
        let none = |role: &str| Err(Unavailable::because(format!("the rig has no thermometer `{role}`")));
        Self { board_c: none("board"), ambient_c: none("ambient") }
    }
}

/// Reads all thermometers; what fails becomes an event and a reason.
pub fn read_temperatures(
    thermometers: &mut [(Role, Box<dyn Thermometer>)],
    clock: &dyn Clock,
    outbox: &mut Vec<(Stamp, Event)>,
) -> Temperatures {
    let mut temperatures = Temperatures::default();
    for (role, thermometer) in thermometers {
        let figure = match thermometer.read_temperature() {
            Ok(reading) => Ok(reading.temperature.value()),
            Err(error) => {
                let what = error.to_string();
                outbox.push((stamp(clock), Event::SensorFailed { role: role.clone(), what: what.clone() }));
                // A sensor whose link is gone is opened anew; the next reading tells whether that helped.
                if error.kind() == crate::link::ErrorKind::LinkLost {
                    let _ = thermometer.reopen();
                }
                Err(Unavailable::because(what))
            }
        };
        match role.as_str() {
            "board" => temperatures.board_c = figure,
            "ambient" => temperatures.ambient_c = figure,
            _ => {}
        }
    }
    temperatures
}

/// Everything that is read while waiting.
pub struct Watcher<'a> {
    /// The supply.
    pub supply: &'a mut dyn Supply,
    /// The load.
    pub load: &'a mut dyn Load,
    /// The thermometers.
    pub thermometers: &'a mut [(Role, Box<dyn Thermometer>)],
    /// The interlocks.
    pub interlock: &'a mut Interlock,
    /// What is wired.
    pub wiring: &'a BenchWiring,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// The wish to stop.
    pub stop: &'a StopWish,
    /// Events to be told when the waiting is over.
    pub outbox: Vec<(Stamp, Event)>,
}

impl Watcher<'_> {
    /// Waits until the point is settled or the rule's time limit is over; gives the time and whether it settled.
    ///
    /// # Errors
    /// An instrument failed, an interlock spoke, or the outputs shall go off now.
    pub fn settle(&mut self, rule: SettleRule, start: Instant) -> Result<(Duration, bool), Failure> {
        let mut watch = SettleWatch::new(rule, start);
        let mut last_temperature: Option<Instant> = None;
        loop {
            let (vout, _) = self.read_meters()?;
            let now = self.clock.now();
            if last_temperature.is_none_or(|last| now.since(last) >= TEMPERATURE_INTERVAL) {
                last_temperature = Some(now);
                self.look_at_temperatures()?;
            }
            match watch.judge(self.clock.now(), vout) {
                Settling::Settled { took } => return Ok((took, true)),
                Settling::GaveUp { took } => return Ok((took, false)),
                Settling::NotYet => wait(self.clock, self.stop, rule.interval)?,
            }
        }
    }

    /// Waits with the load at 0 A until the interlock is released.
    ///
    /// # Errors
    /// An instrument failed, the interlock tripped, or the outputs shall go off now.
    pub fn cool(&mut self) -> Result<(), Failure> {
        loop {
            wait(self.clock, self.stop, TEMPERATURE_INTERVAL)?;
            self.read_meters()?;
            match self.look_at_temperatures() {
                Ok(()) if !self.interlock.is_held() => return Ok(()),
                Ok(()) | Err(Failure::Held(_)) => {}
                Err(other) => return Err(other),
            }
        }
    }

    /// Reads Vout and the input current and has them judged.
    fn read_meters(&mut self) -> Result<(Volts, Amps), Failure> {
        let readings = self.ask_meters();
        let now = self.clock.now();
        match readings {
            Ok((vout, iin)) => {
                rule(self.interlock.judge(now, Watched::Vout(vout)))?;
                rule(self.interlock.judge(now, Watched::Iin(iin)))?;
                Ok((vout, iin))
            }
            Err(error) => {
                rule(self.interlock.judge(now, Watched::Lost(Source::Meter)))?;
                Err(Failure::Instrument(error))
            }
        }
    }

    fn ask_meters(&mut self) -> Asked<(Volts, Amps)> {
        let terminal = self.load.measure_voltage()?;
        let iout = self.load.measure_current()?;
        let iin = self.supply.measure_current()?;
        Ok((board_vout(terminal, iout, self.wiring.load_lead), iin))
    }

    fn look_at_temperatures(&mut self) -> Result<(), Failure> {
        let temperatures = read_temperatures(self.thermometers, self.clock, &mut self.outbox);
        judge_board(self.interlock, self.clock.now(), &temperatures)
    }
}

/// Has the board's temperature judged, or that it is missing.
///
/// # Errors
/// The interlock holds or trips.
pub fn judge_board(
    interlock: &mut Interlock,
    now: Instant,
    temperatures: &Temperatures,
) -> Result<(), Failure> {
    let watched = match temperatures.board_c {
        Ok(board_c) => Watched::Board(Celsius(board_c)),
        Err(_) => Watched::Lost(Source::BoardThermometer),
    };
    rule(interlock.judge(now, watched))
}

/// A ruling as a result.
///
/// # Errors
/// The ruling is to hold or to trip.
pub fn rule(ruling: Ruling) -> Result<(), Failure> {
    match ruling {
        Ruling::Clear => Ok(()),
        Ruling::Hold(what) => Err(Failure::Held(what)),
        Ruling::Trip(what) => Err(Failure::Tripped(what)),
    }
}
