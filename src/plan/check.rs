//! Proves what a list of steps does to the outputs, step by step, whoever wrote the list.

use super::step::Step;
use crate::base::units::{Amps, Volts};
use crate::event::PointId;

/// What is known of the bench after some steps. Nothing is known before the first one.
#[derive(Debug, Default)]
struct Outputs {
    load_on: Option<bool>,
    supply_on: Option<bool>,
    load: Option<Amps>,
    vin: Option<Volts>,
    over_voltage: Option<Volts>,
    load_limit: Option<Amps>,
    is_protected: bool,
    is_wiring_checked: bool,
    begun: Option<PointId>,
    settled: Option<PointId>,
}

/// Everything that is wrong with what the steps do to the outputs, a sentence each:
///
/// * whatever is switched on is switched off again, the load before the supply;
/// * nothing is switched on before both outputs were switched off, protection was set and the wiring checked;
/// * an output is switched on at 0 V and 0 A only;
/// * no setting reaches the instruments' own protection;
/// * the load is at 0 A before the input voltage changes;
/// * a point is measured only with both outputs on, after it was begun and settled.
#[must_use]
pub fn check_switching(steps: &[Step]) -> Vec<String> {
    let mut outputs = Outputs::default();
    let mut wrong = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let mut tell = |what: &str| wrong.push(format!("step {} ({step:?}): {what}", index + 1));
        if outputs.supply_on.is_none() && *step != Step::SwitchAllOff {
            tell("the outputs are not known to be off before the first step");
        }
        outputs.take(step, &mut tell);
    }
    if outputs.begun.is_some() {
        wrong.push("the last point is not measured".to_owned());
    }
    if outputs.load_on.unwrap_or(true) {
        wrong.push("the load is not switched off at the end".to_owned());
    }
    if outputs.supply_on.unwrap_or(true) {
        wrong.push("the supply is not switched off at the end".to_owned());
    }
    wrong
}

impl Outputs {
    fn is_any_on(&self) -> bool {
        self.load_on.unwrap_or(true) || self.supply_on.unwrap_or(true)
    }

    fn take(&mut self, step: &Step, tell: &mut impl FnMut(&str)) {
        match step {
            Step::SwitchAllOff => {
                (self.load_on, self.supply_on) = (Some(false), Some(false));
            }
            Step::SetProtection { over_voltage, load_limit, .. } => {
                if self.is_any_on() {
                    tell("protection is set with an output on");
                }
                (self.over_voltage, self.load_limit) = (*over_voltage, *load_limit);
                self.is_protected = true;
            }
            Step::CheckWiring => {
                if self.is_any_on() {
                    tell("the wiring is checked with an output on");
                }
                self.is_wiring_checked = true;
            }
            Step::MeasureNoiseFloor => {
                if self.is_any_on() {
                    tell("the noise floor is captured with an output on");
                }
            }
            Step::SetVoltage(voltage) => self.set_voltage(*voltage, tell),
            Step::SetLoad(current) => self.set_load(*current, tell),
            Step::SwitchSupply(on) => self.switch_supply(*on, tell),
            Step::SwitchLoad(on) => self.switch_load(*on, tell),
            Step::BeginPoint(point) => {
                if self.begun.is_some() {
                    tell("the point before was not measured");
                }
                self.begun = Some(*point);
                self.settled = None;
            }
            Step::Settle(point) => {
                if self.begun != Some(*point) {
                    tell("this point was not begun");
                }
                self.settled = Some(*point);
            }
            Step::Measure(point) => {
                if self.settled != Some(*point) {
                    tell("this point has not settled");
                }
                if self.supply_on != Some(true) || self.load_on != Some(true) {
                    tell("a point is measured with an output off");
                }
                (self.begun, self.settled) = (None, None);
            }
            Step::LookBeforeStart(_) if self.is_fed() => tell("it looks before a start with the input on"),
            Step::BeginPhase { .. } | Step::LookEarly(_) | Step::LookBeforeStart(_) => {}
            Step::StayOff(_) => {
                if self.is_any_on() {
                    tell("it stays off with an output on");
                }
            }
            Step::Dwell(_) => {
                if self.begun.is_some() {
                    tell("a dwell stands inside a point");
                }
                if self.supply_on != self.load_on || self.supply_on.is_none() {
                    tell("a dwell has load and supply both on or both off");
                }
            }
            Step::CheckStart(_) => {
                if self.supply_on != Some(true) || self.load_on != Some(true) {
                    tell("a start is looked at with an output off");
                }
            }
        }
    }

    fn is_fed(&self) -> bool {
        self.vin != Some(Volts(0.0))
    }

    fn set_voltage(&mut self, voltage: Volts, tell: &mut impl FnMut(&str)) {
        if !(voltage.value() >= 0.0 && voltage.value().is_finite()) {
            tell("this is no voltage to set");
        }
        if self.over_voltage.is_some_and(|level| voltage >= level) {
            tell("the voltage reaches the supply's own protection");
        }
        // From 0 V it is no change but a start, into the load that a start is to show.
        let is_start = self.vin == Some(Volts(0.0));
        let is_under_load = self.load != Some(Amps(0.0)) && self.load_on != Some(false);
        if self.vin != Some(voltage) && is_under_load && !is_start {
            tell("the input voltage changes under load");
        }
        self.vin = Some(voltage);
        self.settled = None;
    }

    fn set_load(&mut self, current: Amps, tell: &mut impl FnMut(&str)) {
        if !(current.value() >= 0.0 && current.value().is_finite()) {
            tell("this is no current to set");
        }
        if self.load_limit.is_some_and(|level| current >= level && current.value() > 0.0) {
            tell("the current reaches the load's own limit");
        }
        self.load = Some(current);
        self.settled = None;
    }

    fn switch_supply(&mut self, on: bool, tell: &mut impl FnMut(&str)) {
        if on {
            if !self.is_protected {
                tell("the supply is switched on before its protection is set");
            }
            if !self.is_wiring_checked {
                tell("the supply is switched on before the wiring is checked");
            }
            if self.vin != Some(Volts(0.0)) {
                tell("the supply is switched on at another voltage than 0 V");
            }
        } else if self.load_on != Some(false) {
            tell("the supply is switched off before the load");
        }
        self.supply_on = Some(on);
    }

    fn switch_load(&mut self, on: bool, tell: &mut impl FnMut(&str)) {
        if on {
            if !self.is_protected {
                tell("the load is switched on before its limit is set");
            }
            if !self.is_wiring_checked {
                tell("the load is switched on before the wiring is checked");
            }
            if self.load != Some(Amps(0.0)) {
                tell("the load is switched on at another current than 0 A");
            }
        }
        self.load_on = Some(on);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Vec<Step> {
        let point = PointId(1);
        vec![
            Step::SwitchAllOff,
            Step::SetProtection {
                over_voltage: Some(Volts(26.0)),
                over_current: None,
                current_limit: Amps(1.0),
                load_limit: Some(Amps(0.6)),
            },
            Step::CheckWiring,
            Step::SetLoad(Amps(0.0)),
            Step::SetVoltage(Volts(0.0)),
            Step::SwitchSupply(true),
            Step::SwitchLoad(true),
            Step::BeginPoint(point),
            Step::SetVoltage(Volts(24.0)),
            Step::SetLoad(Amps(0.5)),
            Step::Settle(point),
            Step::Measure(point),
            Step::SetLoad(Amps(0.0)),
            Step::SwitchLoad(false),
            Step::SetVoltage(Volts(0.0)),
            Step::SwitchSupply(false),
        ]
    }

    #[test]
    fn a_sound_list_of_steps_has_no_fault() {
        assert_eq!(check_switching(&good()), Vec::<String>::new());
    }

    #[test]
    fn every_step_that_keeps_the_bench_safe_is_missed_when_it_is_left_out() {
        // Setting the voltage back to 0 V before switching off is good manners; and without the first voltage and load
        // the first point would only start from other values.
        let manners = [Step::SetVoltage(Volts(24.0)), Step::SetLoad(Amps(0.5))];
        for (index, left_out) in good().iter().enumerate() {
            let mut steps = good();
            steps.remove(index);
            let wrong = check_switching(&steps);
            let is_ending = index == 12 || index == 14;
            assert_eq!(
                wrong.is_empty(),
                manners.contains(left_out) || is_ending,
                "{index} {left_out:?} {wrong:?}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_told_step_by_step() {
        let mut steps = good();
        steps[8] = Step::SetVoltage(Volts(26.0));
        steps[9] = Step::SetLoad(Amps(f64::NAN));
        steps.insert(10, Step::SetVoltage(Volts(25.0)));
        steps.truncate(steps.len() - 1);
        insta::assert_snapshot!(check_switching(&steps).join("\n"), @"
    step 9 (SetVoltage(Volts(26.0))): the voltage reaches the supply's own protection
    step 10 (SetLoad(Amps(NaN))): this is no current to set
    step 11 (SetVoltage(Volts(25.0))): the input voltage changes under load
    the supply is not switched off at the end
    ");
    }
}
