//! Reading meters and thermometers under the interlocks' eyes, while settling and while measuring.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::interlock::{Interlock, Ruling, Source, Watched};
use super::readings::{MeterReadings as Meters, board_vin, board_vout};
use super::settle::{SettleWatch, Settling};
use super::stop::StopWish;
use super::transfer::Transfer;
use super::waits::{Question, Waits};
use super::{Failure, stamp};
use crate::base::clock::{Clock, Instant};
use crate::base::cut::Cut;
use crate::base::names::Role;
use crate::base::stats::mean;
use crate::base::units::{Amps, Celsius, Volts};
use crate::bench::BenchWiring;
use crate::bench::safe::{Effort, switch_off};
use crate::event::{Event, Reading, Regulation, Stamp, Withheld};
use crate::instrument::load::Load;
use crate::instrument::supply::Supply;
use crate::instrument::thermometer::Thermometer;
use crate::instrument::{Asked, ErrorKind};
use crate::plan::profile::SettleRule;
use crate::waveform::{Figure, Unavailable};

/// Time between two looks at the thermometers while settling.
pub(super) const TEMPERATURE_INTERVAL: Duration = Duration::from_secs(2);
/// Time between two looks at the meters while only the scope is busy.
const GUARD_INTERVAL: Duration = Duration::from_millis(500);
/// How soon the end of the scope's work is seen.
const GUARD_NAP: Duration = Duration::from_millis(20);
/// Readings averaged for each meter: one alone shows the meter's last digit jumping.
const READINGS: usize = 4;
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

/// Reads all thermometers but those that are left in peace; what fails becomes an event and a reason.
fn read_temperatures(
    thermometers: &mut [(Role, Box<dyn Thermometer>)],
    is_resting: &dyn Fn(&Role) -> bool,
    clock: &dyn Clock,
    (outbox, waits): (&mut Vec<(Stamp, Event)>, &mut Waits),
) -> Temperatures {
    let mut temperatures = Temperatures::default();
    for (role, thermometer) in thermometers {
        if is_resting(role) {
            let told = Err(Unavailable::because("it does not answer; it is asked again soon"));
            keep_temperature(&mut temperatures, role, told);
            continue;
        }
        let asked = Question::put(clock);
        let answer = thermometer.read_temperature();
        waits.note(role, asked, clock);
        let figure = match answer {
            Ok(reading) => Ok(reading.temperature.value()),
            // Not the sensor's fault.
            Err(error) if error.kind() == ErrorKind::CutShort => Err(Unavailable::because(error.to_string())),
            Err(error) => {
                let what = error.to_string();
                let (role, told) = (role.clone(), what.clone());
                let failed = Event::SensorFailed { role, what: told, withheld: Withheld::default() };
                outbox.push((stamp(clock), failed));
                // A sensor whose link is gone is opened anew; the next reading tells whether that helped.
                if error.kind() == ErrorKind::LinkLost {
                    let _ = thermometer.reopen();
                }
                Err(Unavailable::because(what))
            }
        };
        keep_temperature(&mut temperatures, role, figure);
    }
    temperatures
}

fn keep_temperature(temperatures: &mut Temperatures, role: &Role, figure: Figure) {
    match role.as_str() {
        "board" => temperatures.board_c = figure,
        "ambient" => temperatures.ambient_c = figure,
        _ => {}
    }
}

/// All that was read at a point: meters, thermometers, and how the supply is regulated or why it does not say.
pub type Taken = (Meters, Temperatures, Result<Regulation, Unavailable>);

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
    /// Cuts all waiting short.
    pub cut: &'a Cut,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// The wish to stop.
    pub stop: &'a StopWish,
    /// The output current that was read last.
    pub iout: Amps,
    /// Events to be told when the waiting is over.
    pub outbox: Vec<(Stamp, Event)>,
    /// Which instrument made the readings late.
    pub waits: Waits,
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

    /// As [`Watcher::settle`], and goes on watching until the scope has done its work.
    ///
    /// # Errors
    /// As [`Watcher::settle`].
    pub fn settle_guarded(
        &mut self,
        rule: SettleRule,
        start: Instant,
        transfer: &Transfer,
    ) -> Result<(Duration, bool), Failure> {
        let outcome = self.settle(rule, start).and_then(|settled| self.guard(transfer).map(|()| settled));
        self.act_at_once(outcome)
    }

    /// Reads all meters and thermometers side by side and goes on watching until the scope has done its work.
    ///
    /// # Errors
    /// An instrument failed, an interlock spoke, or the outputs shall go off now.
    pub fn measure_guarded(&mut self, transfer: &Transfer) -> Result<Taken, Failure> {
        let outcome = self.measure().and_then(|taken| self.guard(transfer).map(|()| taken));
        self.act_at_once(outcome)
    }

    /// What cannot wait until the scope has done its work: it may transfer for long, or hang. Whatever else is waited for is
    /// cut short. Whether it was done is looked at afterwards, by whoever ends the run.
    fn act_at_once<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        let outcome = self.off_at_once(outcome);
        if let Err(Failure::Held(_)) = &outcome {
            let _ = self.load.set_current(Amps(0.0));
        }
        outcome
    }

    /// What ends the run does not wait for anything else either, the record among it.
    pub(super) fn off_at_once<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        let outcome = outcome.map_err(|failure| failure.or_stop(self.stop));
        if let Err(Failure::StopNow | Failure::Tripped(_)) = &outcome {
            self.cut.ask();
            let _ = switch_off(self.load, self.supply, self.clock, Effort::AT_ONCE);
        }
        outcome
    }

    fn guard(&mut self, transfer: &Transfer) -> Result<(), Failure> {
        let mut last = self.clock.now();
        while transfer.is_running() {
            if self.stop.is_now() {
                return Err(Failure::StopNow);
            }
            if self.clock.now().since(last) >= GUARD_INTERVAL {
                self.read_meters()?;
                last = self.clock.now();
            }
            self.clock.sleep(GUARD_NAP);
        }
        Ok(())
    }

    fn measure(&mut self) -> Result<Taken, Failure> {
        let (mut source, mut sink, mut regulation) = (None, None, None);
        let mut temperatures = Temperatures::default();
        let lead = self.wiring.load_lead;
        let Self { supply, load, thermometers, clock, outbox, waits, interlock, cut, .. } = self;
        let alarm = Alarm { interlock, cut, tripped: Mutex::default() };
        clock.together(vec![
            Box::new(|| {
                source = Some(average(|| {
                    let (voltage, current) = (supply.measure_voltage()?, supply.measure_current()?);
                    alarm.look(Watched::Iin(current));
                    Ok((voltage, current))
                }));
                regulation = Some(read_regulation(&mut **supply));
            }),
            Box::new(|| {
                sink = Some(average(|| {
                    let (voltage, current) = (load.measure_voltage()?, load.measure_current()?);
                    alarm.look(Watched::Vout(board_vout(voltage, current, lead)));
                    alarm.look(Watched::Iout(current));
                    Ok((voltage, current))
                }));
            }),
            Box::new(|| {
                temperatures = read_temperatures(thermometers, &|_| false, *clock, (outbox, waits));
                if let Ok(board_c) = temperatures.board_c {
                    alarm.look(Watched::Board(Celsius(board_c)));
                }
            }),
        ]);
        let tripped = alarm.tripped.into_inner().unwrap_or_else(PoisonError::into_inner);
        if self.stop.is_now() {
            return Err(Failure::StopNow);
        }
        if let Some(what) = tripped {
            return Err(Failure::Tripped(what));
        }
        let meters = self.check_meters(source, sink)?;
        let regulation = regulation.unwrap_or_else(|| {
            Err(Failure::Internal("the supply's task ended without an answer".to_owned()))
        })?;
        judge_board(self.interlock, self.clock.now(), &temperatures)?;
        self.check_outputs()?;
        Ok((meters, temperatures, regulation))
    }

    /// Averages of both sides, judged by the interlocks.
    fn check_meters(
        &mut self,
        source: Option<Asked<(f64, f64)>>,
        sink: Option<Asked<(f64, f64)>>,
    ) -> Result<Meters, Failure> {
        let now = self.clock.now();
        let (Some(source), Some(sink)) = (source, sink) else {
            return Err(Failure::Internal("a reading task ended without a reading".to_owned()));
        };
        let (source, sink) = match (source, sink) {
            (Ok(source), Ok(sink)) => (source, sink),
            (Err(error), _) | (_, Err(error)) => {
                rule(self.interlock.judge(now, Watched::Lost(Source::Meter)))?;
                return Err(Failure::Instrument(error));
            }
        };
        let meters = Meters {
            source_voltage: Volts(source.0),
            source_current: Amps(source.1),
            load_voltage: Volts(sink.0),
            load_current: Amps(sink.1),
        };
        let vout = board_vout(meters.load_voltage, meters.load_current, self.wiring.load_lead);
        rule(self.interlock.judge(now, Watched::Vout(vout)))?;
        rule(self.interlock.judge(now, Watched::Iin(meters.source_current)))?;
        rule(self.interlock.judge(now, Watched::Iout(meters.load_current)))?;
        Ok(meters)
    }

    /// What went off by itself, or by a hand at the front panel, was not measured at its setting; and nobody but that hand
    /// switches it on again.
    pub(super) fn check_outputs(&mut self) -> Result<(), Failure> {
        if let Some(tripped) = self.supply.read_protection()? {
            return Err(Failure::Tripped(format!("the supply's own protection has tripped: {tripped}")));
        }
        for (is_on, what) in
            [(self.supply.read_output()?, "supply's output"), (self.load.read_input()?, "load's input")]
        {
            if !is_on {
                return Err(Failure::Tripped(format!(
                    "the {what} is off, and this run did not switch it off: its own protection, or a hand at its front panel?"
                )));
            }
        }
        Ok(())
    }

    /// Waits and watches meanwhile; where that `is_stoppable`, no longer than until somebody wants to stop.
    ///
    /// # Errors
    /// An instrument failed, an interlock spoke, or the outputs shall go off now.
    pub fn watch_for(&mut self, span: Duration, is_stoppable: bool) -> Result<(), Failure> {
        let end = self.clock.now() + span;
        loop {
            self.read_meters()?;
            self.look_at_temperatures()?;
            let left = end.since(self.clock.now());
            if left.is_zero() || (is_stoppable && self.stop.asked().is_some() && !self.stop.is_now()) {
                return Ok(());
            }
            wait(self.clock, self.stop, left.min(GUARD_INTERVAL))?;
        }
    }

    /// Waits with the load at 0 A until the interlock is released, or until somebody wants to stop: `false`.
    ///
    /// # Errors
    /// An instrument failed, the interlock tripped, or the outputs shall go off now.
    pub fn cool(&mut self) -> Result<bool, Failure> {
        loop {
            if self.stop.asked().is_some() && !self.stop.is_now() {
                return Ok(false);
            }
            wait(self.clock, self.stop, TEMPERATURE_INTERVAL)?;
            if self.look_released()? {
                return Ok(true);
            }
        }
    }

    /// Looks at everything while the run is held; whether the interlock is released.
    pub(super) fn look_released(&mut self) -> Result<bool, Failure> {
        self.read_meters()?;
        let ruled = self.look_at_temperatures();
        self.is_released(ruled)
    }

    /// Whether what was ruled releases a run that is held.
    pub(super) fn is_released(&self, ruled: Result<(), Failure>) -> Result<bool, Failure> {
        match ruled {
            Ok(()) => Ok(!self.interlock.is_held()),
            Err(Failure::Held(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Reads everything once, for a soak, but the thermometers that are left in peace, and says how the temperatures are ruled.
    /// What trips does not wait for an instrument that hangs.
    ///
    /// # Errors
    /// An instrument failed, an interlock spoke, or the outputs shall go off now.
    pub fn take_reading(
        &mut self,
        is_resting: &dyn Fn(&Role) -> bool,
    ) -> Result<(Reading, Result<(), Failure>), Failure> {
        let (vout, iin) = self.read_meters()?;
        let asked = Question::put(self.clock);
        let terminal = self.supply.measure_voltage();
        self.waits.note(&self.supply.facts().role, asked, self.clock);
        let (terminal, at) = (terminal?, self.clock.now());
        self.waits.close();
        let (temperatures, ruled) = self.read_and_judge(is_resting);
        let vin = board_vin(terminal, iin, self.wiring.source_lead);
        let reading = Reading {
            at,
            vin_v: Some(at_resolution(vin.value(), 1e6)),
            iin_a: Some(at_resolution(iin.value(), 1e6)),
            vout_v: Some(at_resolution(vout.value(), 1e6)),
            iout_a: Some(at_resolution(self.iout.value(), 1e6)),
            board_c: temperatures.board_c.ok().map(|board_c| at_resolution(board_c, 1e3)),
            ambient_c: temperatures.ambient_c.ok().map(|ambient_c| at_resolution(ambient_c, 1e3)),
        };
        Ok((reading, ruled))
    }

    /// Reads Vout and the input current and has them judged.
    pub(super) fn read_meters(&mut self) -> Result<(Volts, Amps), Failure> {
        let asked = Question::put(self.clock);
        let readings = self.ask_load();
        self.waits.note(&self.load.facts().role, asked, self.clock);
        if let Ok((vout, iout)) = &readings {
            // What trips does not wait for a supply that hangs.
            let seen = [Watched::Vout(*vout), Watched::Iout(*iout)];
            if let Some(what) = seen.into_iter().find_map(|seen| self.interlock.trips_at_once(seen)) {
                return Err(Failure::Tripped(what));
            }
        }
        let asked = Question::put(self.clock);
        let readings = readings.and_then(|(vout, iout)| Ok((vout, iout, self.supply.measure_current()?)));
        self.waits.note(&self.supply.facts().role, asked, self.clock);
        let now = self.clock.now();
        match readings {
            Ok((vout, iout, iin)) => {
                rule(self.interlock.judge(now, Watched::Vout(vout)))?;
                rule(self.interlock.judge(now, Watched::Iin(iin)))?;
                rule(self.interlock.judge(now, Watched::Iout(iout)))?;
                self.iout = iout;
                Ok((vout, iin))
            }
            Err(error) => {
                rule(self.interlock.judge(now, Watched::Lost(Source::Meter)))?;
                Err(Failure::Instrument(error))
            }
        }
    }

    fn ask_load(&mut self) -> Asked<(Volts, Amps)> {
        let terminal = self.load.measure_voltage()?;
        let iout = self.load.measure_current()?;
        Ok((board_vout(terminal, iout, self.wiring.load_lead), iout))
    }

    fn look_at_temperatures(&mut self) -> Result<(), Failure> {
        self.read_and_judge(&|_| false).1
    }

    /// Reads the thermometers, tells what they warn of, and has them judged.
    fn read_and_judge(&mut self, is_resting: &dyn Fn(&Role) -> bool) -> (Temperatures, Result<(), Failure>) {
        let told = (&mut self.outbox, &mut self.waits);
        let temperatures = read_temperatures(self.thermometers, is_resting, self.clock, told);
        let known = |figure: &Figure| figure.as_ref().ok().copied();
        let told = self.interlock.warnings(known(&temperatures.board_c), known(&temperatures.ambient_c));
        let at = stamp(self.clock);
        self.outbox.extend(told.into_iter().map(|what| (at, Event::Warned { what })));
        let ruled = judge_board(self.interlock, self.clock.now(), &temperatures);
        (temperatures, ruled)
    }
}

/// To a millionth or a thousandth: finer than any meter reads here, and without the noise of binary fractions.
fn at_resolution(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

/// How the supply is regulated. A family that cannot say, or answers what is no word of it, leaves a reason and no guess.
fn read_regulation(supply: &mut dyn Supply) -> Result<Result<Regulation, Unavailable>, Failure> {
    match supply.read_regulation() {
        Ok(regulation) => Ok(Ok(regulation)),
        Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Nonsense) => {
            Ok(Err(Unavailable::because(format!("the supply does not say it: {}", error.detail))))
        }
        Err(error) => Err(Failure::Instrument(error)),
    }
}

/// Looks at every reading while others are still being taken: what trips does not wait for an instrument that hangs.
struct Alarm<'a> {
    interlock: &'a Interlock,
    cut: &'a Cut,
    /// What tripped first.
    tripped: Mutex<Option<String>>,
}

impl Alarm<'_> {
    fn look(&self, seen: Watched) {
        if let Some(what) = self.interlock.trips_at_once(seen) {
            self.tripped.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
            self.cut.ask();
        }
    }
}

/// Averages over a few readings.
fn average(mut read: impl FnMut() -> Asked<(Volts, Amps)>) -> Asked<(f64, f64)> {
    let (mut volts, mut amps) = (Vec::with_capacity(READINGS), Vec::with_capacity(READINGS));
    for _ in 0..READINGS {
        let (voltage, current) = read()?;
        volts.push(voltage.value());
        amps.push(current.value());
    }
    Ok((mean(&volts).unwrap_or(f64::NAN), mean(&amps).unwrap_or(f64::NAN)))
}

/// Has the board's temperature judged, or that it is missing.
///
/// # Errors
/// The interlock holds or trips.
fn judge_board(interlock: &mut Interlock, now: Instant, temperatures: &Temperatures) -> Result<(), Failure> {
    if let Ok(ambient_c) = temperatures.ambient_c {
        rule(interlock.judge(now, Watched::Ambient(Celsius(ambient_c))))?;
    }
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
pub(super) fn rule(ruling: Ruling) -> Result<(), Failure> {
    match ruling {
        Ruling::Clear => Ok(()),
        Ruling::Hold(what) => Err(Failure::Held(what)),
        Ruling::Trip(what) => Err(Failure::Tripped(what)),
    }
}
