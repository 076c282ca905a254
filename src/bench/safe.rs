//! Switching off, and looking whether it is off: load first, then supply, states read back, Vout measured.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Bench;
use crate::base::clock::Clock;
use crate::base::cut::SLICE;
use crate::base::units::Volts;
use crate::event::{InstrumentFacts, SafeState};
use crate::instrument::load::Load;
use crate::instrument::supply::Supply;
use crate::instrument::{Asked, Instrument, InstrumentError};
use crate::link::ErrorKind;
use crate::waveform::{Figure, Unavailable};

/// Pauses between the attempts; one more attempt than pauses. An instrument that starts up needs seconds until it answers.
const PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(4)];

/// The silence of an instrument that each attempt bears before it is taken for one that answers nothing: short at first, so
/// that outputs that answer are soon known to be off, then longer, for one that is slow is no less on.
pub const SILENCES: [Duration; 4] = [
    Duration::from_millis(400),
    Duration::from_millis(1500),
    Duration::from_secs(4),
    Duration::from_secs(10),
];

/// Attempts while a person waits: who asked twice stands at the bench, and is told soon what could not be switched off.
const HURRIED_ATTEMPTS: u32 = 2;

/// The longest silence that is borne while a person waits.
const HURRIED_SILENCE: Duration = SILENCES[0];

/// A voltage that falls by less than this part while it is looked at is held by a source, and no charge left behind.
const FALLS_BY: f64 = 0.02;

/// How long the supply waits for the load, which goes off first. One that hangs must not keep the other on.
const HEAD_START: Duration = Duration::from_millis(500);

/// What is done to switch one side off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// The silence that is borne; a wish to cut waiting short is not heeded any more from now on.
    pub silence: Duration,
    /// A link that fails is opened anew, once.
    pub reopens: bool,
    /// The supply is also set to 0 V: where an output does not switch off, at least nothing shall stand on it.
    pub lowers: bool,
}

impl Effort {
    /// What must not take long, because it is looked at again afterwards.
    pub const AT_ONCE: Self = Self { silence: SILENCES[0], reopens: false, lowers: false };
}

/// What came of switching one side off; the failures stand in the order in which they happened.
#[derive(Debug, Default)]
pub struct Side {
    /// It says that it is off.
    pub is_off: bool,
    /// What went wrong on the way.
    pub failures: Vec<InstrumentError>,
}

/// What went wrong, each told once: an instrument that is dead says the same at every attempt.
#[derive(Debug, Default)]
pub struct Troubles(Vec<Trouble>);

#[derive(Debug)]
struct Trouble {
    told: String,
    first: u32,
    last: u32,
    count: u32,
}

impl Troubles {
    /// It went wrong at that attempt, which counts from 1.
    pub fn add(&mut self, attempt: u32, told: String) {
        match self.0.iter_mut().find(|trouble| trouble.told == told) {
            Some(trouble) => {
                trouble.last = attempt;
                trouble.count += 1;
            }
            None => self.0.push(Trouble { told, first: attempt, last: attempt, count: 1 }),
        }
    }

    /// In the order in which each happened first, with the attempts and how often.
    #[must_use]
    pub fn tell(self) -> Vec<String> {
        let line = |trouble: Trouble| {
            let Trouble { told, first, last, count } = trouble;
            match (first == last, count) {
                (true, 1) => format!("attempt {first}: {told}"),
                (true, _) => format!("attempt {first}, {count} times: {told}"),
                (false, _) => format!("attempts {first} to {last}, {count} times: {told}"),
            }
        };
        self.0.into_iter().map(line).collect()
    }
}

impl Bench {
    /// Load off, supply off, both read back, Vout measured under the threshold and nothing held at the supply's terminals.
    /// Never returns early, never panics, and never gives up before the last attempt; what went wrong stands in the answer.
    /// Waiting for supply and load is not cut short any more from now on.
    pub fn make_safe(&mut self) -> SafeState {
        self.make_safe_while(&|| false)
    }

    /// As [`Bench::make_safe`]; as soon as somebody `hurries` it is tried twice only, with less patience.
    pub fn make_safe_while(&mut self, hurries: &dyn Fn() -> bool) -> SafeState {
        let mut state = SafeState::unknown("not looked at yet");
        let mut troubles = Troubles::default();
        for attempt in 1.. {
            state.attempts = attempt;
            for told in self.attempt_safe(&mut state, hurries()) {
                troubles.add(attempt, told);
            }
            if state.verified {
                self.energised = false;
                state.failures = troubles.tell();
                return state;
            }
            let Some(pause) = PAUSES.get(attempt as usize - 1) else { break };
            if !self.pause(*pause, attempt, hurries) {
                break;
            }
        }
        self.tried_safe = true;
        state.failures = troubles.tell();
        if state.vout_v.is_err() {
            state.vout_v = self.measure_vout().map_err(|error| Unavailable::because(error.to_string()));
        }
        state
    }

    /// Waits for the next attempt; `false` if there is none, because somebody hurries.
    fn pause(&self, pause: Duration, attempt: u32, hurries: &dyn Fn() -> bool) -> bool {
        let start = self.clock.now();
        loop {
            if attempt >= HURRIED_ATTEMPTS && hurries() {
                return false;
            }
            let left = pause.saturating_sub(self.clock.now().since(start));
            if left.is_zero() {
                return true;
            }
            self.clock.sleep(left.min(SLICE));
        }
    }

    /// One attempt; what went wrong.
    fn attempt_safe(&mut self, state: &mut SafeState, hurried: bool) -> Vec<String> {
        let attempt = state.attempts;
        let patience = SILENCES.get(attempt as usize - 1).copied().unwrap_or(SILENCES[3]);
        let silence = if hurried { HURRIED_SILENCE } else { patience };
        let effort = Effort { silence, reopens: true, lowers: attempt > 2 };
        let (load, supply) = switch_off(&mut *self.load, &mut *self.supply, &*self.clock, effort);
        (state.load_off, state.supply_off) = (load.is_off, supply.is_off);
        let failures = load.failures.into_iter().chain(supply.failures);
        let mut failures: Vec<String> = failures.map(|error| error.to_string()).collect();
        if state.load_off && state.supply_off {
            state.vout_v = self.await_low_vout(&mut failures);
            let threshold_v = self.wiring.safe_vout.value();
            let is_low = matches!(state.vout_v, Ok(vout_v) if vout_v.abs() < threshold_v);
            state.verified = self.await_dead_supply(&mut failures) && is_low;
        }
        failures
    }

    /// Vout at the load's terminals, in volts.
    fn measure_vout(&mut self) -> Asked<f64> {
        caught(&mut *self.load, |load| load.measure_voltage()).map(Volts::value)
    }

    /// Waits until Vout is under the threshold, no longer than the rig allows; gives the last reading.
    fn await_low_vout(&mut self, failures: &mut Vec<String>) -> Figure {
        let start = self.clock.now();
        let threshold = self.wiring.safe_vout;
        loop {
            let reading = self.measure_vout();
            let late = self.clock.now().since(start) >= self.wiring.safe_within;
            match reading {
                Ok(vout_v) if vout_v.abs() < threshold.value() => return Ok(vout_v),
                Ok(vout_v) if late => {
                    failures.push(format!(
                        "outputs are reported off, but Vout is still {} (it should be under {threshold})",
                        Volts(vout_v)
                    ));
                    return Ok(vout_v);
                }
                Err(error) if late || !matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Nonsense) => {
                    failures.push(error.to_string());
                    return Err(Unavailable::because(error.to_string()));
                }
                _ => self.clock.sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Waits until nothing stands at the supply's terminals, no longer than the rig allows. Capacitors may be charged for
    /// longer than that where nothing draws from them: a voltage that falls is a charge, one that stands is a source.
    fn await_dead_supply(&mut self, failures: &mut Vec<String>) -> bool {
        let start = self.clock.now();
        let threshold = self.wiring.safe_vout;
        let mut first_v = None;
        loop {
            let reading = caught(&mut *self.supply, |supply| supply.measure_voltage()).map(Volts::value);
            let late = self.clock.now().since(start) >= self.wiring.safe_within;
            match reading {
                Ok(volts) if volts.abs() < threshold.value() => return true,
                Ok(volts) if late => {
                    let falls = first_v.is_some_and(|first: f64| volts.abs() < first * (1.0 - FALLS_BY));
                    if !falls {
                        failures.push(format!(
                            "the supply is reported off, but {} still stands at its terminals and does not fall",
                            Volts(volts)
                        ));
                    }
                    return falls;
                }
                Err(error) if late || !matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Nonsense) => {
                    failures.push(error.to_string());
                    return false;
                }
                Ok(volts) => _ = first_v.get_or_insert(volts.abs()),
                Err(_) => {}
            }
            self.clock.sleep(Duration::from_millis(50));
        }
    }
}

/// Load and supply off, side by side, so that one that hangs does not keep the other on; the load has a head start. From now
/// on waiting for the two is not cut short any more, it ends by the effort's silence. Never panics.
pub fn switch_off(
    load: &mut dyn Load,
    supply: &mut dyn Supply,
    clock: &dyn Clock,
    effort: Effort,
) -> (Side, Side) {
    let load_done = AtomicBool::new(false);
    let (mut load_side, mut supply_side) = (None, None);
    // A system that has no thread to give must not keep the outputs on.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        clock.together(vec![
            Box::new(|| {
                load_side = Some(switch_load(&mut *load, effort));
                load_done.store(true, Ordering::SeqCst);
            }),
            Box::new(|| {
                await_head_start(clock, &load_done);
                supply_side = Some(switch_supply(&mut *supply, effort));
            }),
        ]);
    }));
    let load_side = load_side.unwrap_or_else(|| switch_load(load, effort));
    let supply_side = supply_side.unwrap_or_else(|| switch_supply(supply, effort));
    (load_side, supply_side)
}

fn await_head_start(clock: &dyn Clock, load_done: &AtomicBool) {
    let start = clock.now();
    while !load_done.load(Ordering::SeqCst) && clock.now().since(start) < HEAD_START {
        clock.sleep(Duration::from_millis(10));
    }
}

/// The supply alone off, and asked whether it is; never panics.
pub(super) fn switch_supply(supply: &mut dyn Supply, effort: Effort) -> Side {
    switch_side(supply, effort, |supply| switch_supply_off(supply, effort.lowers))
}

/// The load alone off, and asked whether it is; never panics.
pub(super) fn switch_load(load: &mut dyn Load, effort: Effort) -> Side {
    switch_side(load, effort, switch_load_off)
}

fn switch_side<I: Instrument + ?Sized>(
    instrument: &mut I,
    effort: Effort,
    mut switch: impl FnMut(&mut I) -> Asked<()>,
) -> Side {
    instrument.cut().spare(effort.silence);
    let mut side = Side::default();
    for is_last in [false, true] {
        let error = match caught(instrument, &mut switch) {
            Ok(()) => {
                side.is_off = true;
                return side;
            }
            Err(error) => error,
        };
        let link_works = error.kind() == ErrorKind::Refused;
        side.failures.push(error);
        if link_works || is_last || !effort.reopens {
            break;
        }
        if let Err(error) = caught(instrument, |instrument| instrument.reopen()) {
            side.failures.push(error);
            break;
        }
    }
    side
}

/// Does it, and takes a panic for a failure: a fault in one driver must not keep the other instrument on.
fn caught<I: Instrument + ?Sized, T>(instrument: &mut I, act: impl FnOnce(&mut I) -> Asked<T>) -> Asked<T> {
    let outcome = catch_unwind(AssertUnwindSafe(|| act(&mut *instrument)));
    outcome.unwrap_or_else(|_| {
        let facts = instrument.facts();
        let (doing, detail) = ("making the bench safe", "a fault of this program");
        Err(InstrumentError::of(facts, ErrorKind::Nonsense, doing, detail)
            .with_advice("switch it off by hand"))
    })
}

fn switch_load_off<L: Load + ?Sized>(load: &mut L) -> Asked<()> {
    let set = load.set_input(false);
    if matches!(&set, Err(error) if error.kind() == ErrorKind::CutShort) {
        return set;
    }
    let is_on = load.read_input()?;
    if is_on { Err(still_on("load", load.facts(), set)) } else { Ok(()) }
}

fn switch_supply_off<S: Supply + ?Sized>(supply: &mut S, lowers: bool) -> Asked<()> {
    let set = supply.set_output(false);
    if matches!(&set, Err(error) if error.kind() == ErrorKind::CutShort) {
        return set;
    }
    if lowers {
        let _ = supply.set_voltage(Volts(0.0));
    }
    let is_on = supply.read_output()?;
    if is_on { Err(still_on("supply", supply.facts(), set)) } else { Ok(()) }
}

fn still_on(name: &str, facts: &InstrumentFacts, set: Asked<()>) -> InstrumentError {
    let detail = match set {
        Ok(()) => "it took the command but still says it is on".to_owned(),
        Err(error) => format!("it still says it is on ({})", error.detail),
    };
    InstrumentError::of(facts, ErrorKind::Refused, "switching off", detail)
        .with_advice(format!("switch the {name} off by hand"))
}
