//! Switching off, and looking whether it is off: load first, then supply, states read back, Vout measured.

use std::time::Duration;

use super::Bench;
use crate::base::units::Volts;
use crate::event::SafeState;
use crate::instrument::{Asked, InstrumentError};
use crate::link::ErrorKind;
use crate::waveform::{Figure, Unavailable};

/// How often switching off is tried before a person must.
pub const ATTEMPTS: u32 = 4;

impl Bench {
    /// Load off, supply off, both read back, Vout measured under the threshold. Never returns early and never gives up
    /// before [`ATTEMPTS`]; what went wrong stands in the answer.
    pub fn make_safe(&mut self) -> SafeState {
        let mut state = SafeState {
            load_off: false,
            supply_off: false,
            vout_v: Err(Unavailable::because("not looked at yet")),
            verified: false,
            attempts: 0,
            failures: Vec::new(),
        };
        for attempt in 1..=ATTEMPTS {
            state.attempts = attempt;
            self.switch_off_once(attempt, &mut state);
            if state.load_off && state.supply_off {
                state.vout_v = self.await_low_vout(&mut state.failures);
                state.verified =
                    matches!(state.vout_v, Ok(vout_v) if vout_v.abs() < self.wiring.safe_vout.value());
            }
            if state.verified {
                self.energised = false;
                return state;
            }
            self.clock.sleep(Duration::from_millis(200) * attempt);
        }
        if state.vout_v.is_err() {
            state.vout_v = self.measure_vout().map_err(|error| Unavailable::because(error.to_string()));
        }
        state
    }

    fn switch_off_once(&mut self, attempt: u32, state: &mut SafeState) {
        let load_off = switch_load_off(self);
        let supply_off = switch_supply_off(self, attempt > 2);
        for (outcome, off) in [(load_off, &mut state.load_off), (supply_off, &mut state.supply_off)] {
            match outcome {
                Ok(()) => *off = true,
                Err(error) => {
                    *off = false;
                    state.failures.push(format!("attempt {attempt}: {error}"));
                }
            }
        }
        // A link that did not carry the command is opened anew before the next attempt.
        if !state.load_off
            && let Err(error) = self.load.reopen()
        {
            state.failures.push(format!("attempt {attempt}: {error}"));
        }
        if !state.supply_off
            && let Err(error) = self.supply.reopen()
        {
            state.failures.push(format!("attempt {attempt}: {error}"));
        }
    }

    /// Vout at the load's terminals, in volts.
    fn measure_vout(&mut self) -> Asked<f64> {
        self.load.measure_voltage().map(Volts::value)
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
                Err(error) if late || error.kind() == ErrorKind::LinkLost => {
                    failures.push(error.to_string());
                    return Err(Unavailable::because(error.to_string()));
                }
                _ => self.clock.sleep(Duration::from_millis(50)),
            }
        }
    }
}

fn switch_load_off(bench: &mut Bench) -> Asked<()> {
    let set = bench.load.set_input(false);
    let off = !bench.load.read_input()?;
    if off { Ok(()) } else { Err(still_on("load", bench.load.facts(), set)) }
}

fn switch_supply_off(bench: &mut Bench, lower_first: bool) -> Asked<()> {
    if lower_first {
        // Where the output does not switch off, at least nothing shall stand on it.
        let _ = bench.supply.set_voltage(Volts(0.0));
    }
    let set = bench.supply.set_output(false);
    let off = !bench.supply.read_output()?;
    if off { Ok(()) } else { Err(still_on("source", bench.supply.facts(), set)) }
}

fn still_on(name: &str, facts: &crate::event::InstrumentFacts, set: Asked<()>) -> InstrumentError {
    InstrumentError {
        kind: ErrorKind::Nonsense,
        role: facts.role.clone(),
        address: facts.address.clone(),
        doing: "switching off".to_owned(),
        detail: match set {
            Ok(()) => "it took the command but still says it is on".to_owned(),
            Err(error) => format!("it still says it is on ({})", error.detail),
        },
        advice: format!("switch {name} off by hand"),
    }
}
