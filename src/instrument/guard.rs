//! Hard limits around every supply and load. They cannot be taken off: there is no way to the instrument inside. What is
//! refused is not sent.

use super::load::{Load, LoadAbility};
use super::supply::{Regulation, Supply, SupplyAbility};
use super::{Asked, ErrorKind, Instrument, InstrumentError};
use crate::base::cut::Cut;
use crate::base::units::{Amps, Quantity, Volts};
use crate::event::InstrumentFacts;

/// Refuses what is no number, negative, or above the limit.
fn check<Q: Quantity>(facts: &InstrumentFacts, what: &str, wanted: Q, limit: Option<Q>) -> Asked<()> {
    let refuse = |detail: &str| {
        let (doing, detail) = (format!("setting {what} to {wanted}"), format!("{detail}; nothing was sent"));
        Err(InstrumentError::of(facts, ErrorKind::Refused, doing, detail))
    };
    if !wanted.value().is_finite() {
        return refuse("that is no number");
    }
    if wanted.value() < 0.0 {
        return refuse("that is negative");
    }
    match limit {
        // Not `wanted > limit`: a limit that is no number must refuse everything.
        Some(limit) if wanted.value().partial_cmp(&limit.value()).is_none_or(std::cmp::Ordering::is_gt) => {
            refuse(&format!("the rig's hard limit is {limit}"))
        }
        _ => Ok(()),
    }
}

fn lower<Q: Quantity>(ability: Q, limit: Q) -> Q {
    if limit < ability { limit } else { ability }
}

/// A supply that never sets more than its hard limits.
pub struct GuardedSupply {
    inner: Box<dyn Supply>,
    max_voltage: Volts,
    max_current: Amps,
}

impl GuardedSupply {
    /// Puts the limits around `inner`, for good.
    #[must_use]
    pub fn new(inner: Box<dyn Supply>, max_voltage: Volts, max_current: Amps) -> Self {
        Self { inner, max_voltage, max_current }
    }
}

impl Instrument for GuardedSupply {
    fn facts(&self) -> &InstrumentFacts {
        self.inner.facts()
    }
    fn cut(&self) -> &Cut {
        self.inner.cut()
    }
    fn reopen(&mut self) -> Asked<()> {
        self.inner.reopen()
    }
}

impl Supply for GuardedSupply {
    fn ability(&self) -> SupplyAbility {
        let ability = self.inner.ability();
        SupplyAbility {
            max_voltage: lower(ability.max_voltage, self.max_voltage),
            max_current: lower(ability.max_current, self.max_current),
            ..ability
        }
    }
    fn set_voltage(&mut self, voltage: Volts) -> Asked<()> {
        check(self.inner.facts(), "the voltage", voltage, Some(self.max_voltage))?;
        self.inner.set_voltage(voltage)
    }
    fn read_set_voltage(&mut self) -> Asked<Volts> {
        self.inner.read_set_voltage()
    }
    fn set_current_limit(&mut self, current: Amps) -> Asked<()> {
        check(self.inner.facts(), "the current limit", current, Some(self.max_current))?;
        self.inner.set_current_limit(current)
    }
    fn read_current_limit(&mut self) -> Asked<Amps> {
        self.inner.read_current_limit()
    }
    fn set_output(&mut self, on: bool) -> Asked<()> {
        self.inner.set_output(on)
    }
    fn read_output(&mut self) -> Asked<bool> {
        self.inner.read_output()
    }
    fn measure_voltage(&mut self) -> Asked<Volts> {
        self.inner.measure_voltage()
    }
    fn measure_current(&mut self) -> Asked<Amps> {
        self.inner.measure_current()
    }
    // A protection's level stands above what may be set, so it has no hard limit but the instrument's own.
    fn set_over_voltage(&mut self, level: Volts) -> Asked<Volts> {
        check(self.inner.facts(), "the over-voltage level", level, None)?;
        self.inner.set_over_voltage(level)
    }
    fn set_over_current(&mut self, level: Amps) -> Asked<Amps> {
        check(self.inner.facts(), "the over-current level", level, None)?;
        self.inner.set_over_current(level)
    }
    fn read_protection(&mut self) -> Asked<Option<String>> {
        self.inner.read_protection()
    }
    fn read_regulation(&mut self) -> Asked<Regulation> {
        self.inner.read_regulation()
    }
}

/// A load that never draws more than its hard limit.
pub struct GuardedLoad {
    inner: Box<dyn Load>,
    max_current: Amps,
}

impl GuardedLoad {
    /// Puts the limit around `inner`, for good.
    #[must_use]
    pub fn new(inner: Box<dyn Load>, max_current: Amps) -> Self {
        Self { inner, max_current }
    }
}

impl Instrument for GuardedLoad {
    fn facts(&self) -> &InstrumentFacts {
        self.inner.facts()
    }
    fn cut(&self) -> &Cut {
        self.inner.cut()
    }
    fn reopen(&mut self) -> Asked<()> {
        self.inner.reopen()
    }
}

impl Load for GuardedLoad {
    fn ability(&self) -> LoadAbility {
        let ability = self.inner.ability();
        LoadAbility { max_current: lower(ability.max_current, self.max_current), ..ability }
    }
    fn set_constant_current(&mut self) -> Asked<()> {
        self.inner.set_constant_current()
    }
    fn set_current(&mut self, current: Amps) -> Asked<()> {
        check(self.inner.facts(), "the current", current, Some(self.max_current))?;
        self.inner.set_current(current)
    }
    fn read_set_current(&mut self) -> Asked<Amps> {
        self.inner.read_set_current()
    }
    fn set_input(&mut self, on: bool) -> Asked<()> {
        self.inner.set_input(on)
    }
    fn read_input(&mut self) -> Asked<bool> {
        self.inner.read_input()
    }
    fn measure_voltage(&mut self) -> Asked<Volts> {
        self.inner.measure_voltage()
    }
    fn measure_current(&mut self) -> Asked<Amps> {
        self.inner.measure_current()
    }
    fn set_over_current(&mut self, level: Amps) -> Asked<Amps> {
        check(self.inner.facts(), "the over-current level", level, None)?;
        self.inner.set_over_current(level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Writes down what reaches it; a question about a state is not part of these tests.
    struct Recorder {
        facts: InstrumentFacts,
        cut: Cut,
        seen: Arc<Mutex<Vec<String>>>,
    }

    impl Recorder {
        fn new() -> (Self, Arc<Mutex<Vec<String>>>) {
            let seen = Arc::new(Mutex::new(Vec::new()));
            let facts = InstrumentFacts {
                role: "source".parse().unwrap(),
                address: "SIM::supply".to_owned(),
                family: String::new(),
                maker: String::new(),
                model: String::new(),
                serial: String::new(),
                firmware: String::new(),
                calibration_due: None,
            };
            (Self { facts, cut: Cut::default(), seen: Arc::clone(&seen) }, seen)
        }
        fn note<T>(&self, what: String, answer: T) -> Asked<T> {
            self.seen.lock().unwrap().push(what);
            Ok(answer)
        }
    }

    impl Instrument for Recorder {
        fn facts(&self) -> &InstrumentFacts {
            &self.facts
        }
        fn cut(&self) -> &Cut {
            &self.cut
        }
        fn reopen(&mut self) -> Asked<()> {
            self.note("reopen".to_owned(), ())
        }
    }

    impl Supply for Recorder {
        fn ability(&self) -> SupplyAbility {
            SupplyAbility {
                max_voltage: Volts(32.0),
                max_current: Amps(3.2),
                voltage_step: Volts(0.001),
                current_step: Amps(0.001),
                over_voltage: Some(Volts(33.0)),
                over_current: None,
            }
        }
        fn set_voltage(&mut self, voltage: Volts) -> Asked<()> {
            self.note(format!("voltage {voltage}"), ())
        }
        fn read_set_voltage(&mut self) -> Asked<Volts> {
            self.note("read voltage".to_owned(), Volts(0.0))
        }
        fn set_current_limit(&mut self, current: Amps) -> Asked<()> {
            self.note(format!("current {current}"), ())
        }
        fn read_current_limit(&mut self) -> Asked<Amps> {
            self.note("read current".to_owned(), Amps(0.0))
        }
        fn set_output(&mut self, on: bool) -> Asked<()> {
            self.note(format!("output {on}"), ())
        }
        fn read_output(&mut self) -> Asked<bool> {
            self.note("read output".to_owned(), false)
        }
        fn measure_voltage(&mut self) -> Asked<Volts> {
            self.note("measure voltage".to_owned(), Volts(0.0))
        }
        fn measure_current(&mut self) -> Asked<Amps> {
            self.note("measure current".to_owned(), Amps(0.0))
        }
        fn set_over_voltage(&mut self, level: Volts) -> Asked<Volts> {
            self.note(format!("over-voltage {level}"), level)
        }
        fn set_over_current(&mut self, level: Amps) -> Asked<Amps> {
            self.note(format!("over-current {level}"), level)
        }
        fn read_protection(&mut self) -> Asked<Option<String>> {
            self.note("read protection".to_owned(), None)
        }
        fn read_regulation(&mut self) -> Asked<Regulation> {
            self.note("read regulation".to_owned(), Regulation::Unregulated)
        }
    }

    #[test]
    fn what_is_above_the_hard_limit_negative_or_no_number_is_refused_and_nothing_reaches_the_instrument() {
        let (recorder, seen) = Recorder::new();
        let mut supply = GuardedSupply::new(Box::new(recorder), Volts(24.0), Amps(1.0));
        let refused = [
            supply.set_voltage(Volts(24.001)),
            supply.set_voltage(Volts(-0.1)),
            supply.set_voltage(Volts(f64::NAN)),
            supply.set_voltage(Volts(f64::INFINITY)),
            supply.set_current_limit(Amps(1.01)),
            supply.set_over_voltage(Volts(f64::NAN)).map(drop),
        ];
        for outcome in refused {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Refused);
        }
        assert!(seen.lock().unwrap().is_empty());
        supply.set_voltage(Volts(24.0)).unwrap();
        supply.set_over_voltage(Volts(26.0)).unwrap();
        assert_eq!(*seen.lock().unwrap(), ["voltage 24 V", "over-voltage 26 V"]);
        assert_eq!(supply.ability().max_voltage, Volts(24.0));
        assert_eq!(supply.ability().max_current, Amps(1.0));
    }

    #[test]
    fn a_limit_that_is_no_number_refuses_everything() {
        let (recorder, seen) = Recorder::new();
        let mut supply = GuardedSupply::new(Box::new(recorder), Volts(f64::NAN), Amps(1.0));
        assert_eq!(supply.set_voltage(Volts(0.0)).unwrap_err().kind(), ErrorKind::Refused);
        assert!(seen.lock().unwrap().is_empty());
    }

    #[test]
    fn a_refusal_says_what_was_wanted_and_what_is_allowed() {
        let (recorder, _) = Recorder::new();
        let mut supply = GuardedSupply::new(Box::new(recorder), Volts(24.0), Amps(1.0));
        insta::assert_snapshot!(supply.set_voltage(Volts(30.0)).unwrap_err(), @"source at SIM::supply: setting the voltage to 30 V: the rig's hard limit is 24 V; nothing was sent");
    }
}
