//! Energising a bench at a voltage that harms nothing: for drills of what switches it off.

use std::time::Duration;

use super::Bench;
use crate::base::units::{Amps, Volts};
use crate::event::InstrumentFacts;
use crate::instrument::setting::check_read_back;
use crate::instrument::{Asked, ErrorKind, InstrumentError};

/// The voltage of a drill: far below what any board on such a bench starts at, and well above what a supply that is off shows.
pub const DRILL_VOLTAGE: Volts = Volts(1.0);

/// The supply's current limit in a drill: enough to charge a board's input capacitors, too little to warm anything.
pub const DRILL_CURRENT: Amps = Amps(0.05);

/// How long the supply may take to bring the voltage up.
const RISES_WITHIN: Duration = Duration::from_secs(2);

/// The part of the drill's voltage that must stand at the supply's terminals.
const STANDS_AT: f64 = 0.8;

impl Bench {
    /// Switches everything off, then supply and load on: the supply at [`DRILL_VOLTAGE`], the load at 0 A. Every setting is read
    /// back before an output is switched on. Gives the voltage that stands at the supply's terminals.
    ///
    /// # Errors
    /// The bench cannot be verified off first, an instrument fails, or does not have what it was told, or no voltage comes up.
    /// The bench may then be energised: the caller makes it safe.
    pub fn energise_low(&mut self) -> Asked<Volts> {
        let safe = self.make_safe();
        if !safe.verified {
            let told = format!("it could not be verified off before: {}", safe.failures.join("; "));
            return Err(refused(self.supply.facts(), "energising the bench", told));
        }
        self.load.set_constant_current()?;
        self.load.set_current(Amps(0.0))?;
        let step = self.load.ability().current_step;
        let current = self.load.read_set_current()?;
        check_read_back("current", (Amps(0.0), current), step, self.load.facts())?;
        let ability = self.supply.ability();
        let limit = if DRILL_CURRENT < ability.max_current { DRILL_CURRENT } else { ability.max_current };
        self.supply.set_current_limit(limit)?;
        let back = self.supply.read_current_limit()?;
        check_read_back("current limit", (limit, back), ability.current_step, self.supply.facts())?;
        self.supply.set_voltage(DRILL_VOLTAGE)?;
        let back = self.supply.read_set_voltage()?;
        check_read_back("voltage", (DRILL_VOLTAGE, back), ability.voltage_step, self.supply.facts())?;
        self.energised = true;
        self.load.set_input(true)?;
        self.supply.set_output(true)?;
        if !(self.supply.read_output()? && self.load.read_input()?) {
            let told = "supply or load took the command to switch on but says it is off";
            return Err(refused(self.supply.facts(), "energising the bench", told));
        }
        self.await_risen()
    }

    fn await_risen(&mut self) -> Asked<Volts> {
        let start = self.clock.now();
        loop {
            let volts = self.supply.measure_voltage()?;
            if volts.value() >= DRILL_VOLTAGE.value() * STANDS_AT {
                return Ok(volts);
            }
            if self.clock.now().since(start) >= RISES_WITHIN {
                let told = format!(
                    "it is on at {DRILL_VOLTAGE} and {DRILL_CURRENT}, but only {volts} stands at its terminals"
                );
                return Err(refused(self.supply.facts(), "energising the bench", told)
                    .with_advice("look for something on the board's input that draws current"));
            }
            self.clock.sleep(Duration::from_millis(50));
        }
    }
}

fn refused(facts: &InstrumentFacts, doing: &str, told: impl Into<String>) -> InstrumentError {
    InstrumentError::of(facts, ErrorKind::Refused, doing, told)
}
