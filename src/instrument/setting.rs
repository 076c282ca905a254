//! A quantity that is set: within what the instrument can do, acknowledged, and read back where that is in doubt.

use super::dialect::template::Fill;
use super::dialect::verb::Verb;
use super::speaker::Speaker;
use super::{Asked, ErrorKind, InstrumentError};
use crate::base::units::Quantity;
use crate::event::InstrumentFacts;

/// Whether a set-point that was read back is the one that was set. Half a step is rounding; one and a half allows for an
/// instrument that cuts off and prints one digit less.
fn is_same<Q: Quantity>(set: Q, back: Q, step: Q) -> bool {
    (set.value() - back.value()).abs() <= 1.5 * step.value() + 1e-9
}

/// Checks that an instrument reads back what was set; `step` is the smallest step of that setting.
///
/// # Errors
/// `Nonsense`: it took the setting, and reads back another one.
pub fn check_read_back<Q: Quantity>(
    what: &str,
    (set, back): (Q, Q),
    step: Q,
    facts: &InstrumentFacts,
) -> Asked<()> {
    if is_same(set, back, step) {
        return Ok(());
    }
    let (doing, detail) = (format!("setting the {what} to {set}"), format!("it reads back {back}"));
    Err(InstrumentError::of(facts, ErrorKind::Nonsense, doing, detail)
        .with_advice("look whether a range or a limit on the front panel is in the way"))
}

/// A setting and the question that reads it back.
#[derive(Clone, Copy)]
pub(super) struct Setting<Q> {
    pub(super) set: Verb,
    pub(super) read: Verb,
    pub(super) value: Q,
    /// The most that can be set; the least is 0.
    pub(super) most: Q,
    /// The smallest step.
    pub(super) step: Q,
}

impl Speaker {
    /// Sets a quantity.
    pub(super) fn set<Q: Quantity>(&mut self, setting: Setting<Q>) -> Asked<()> {
        let Setting { set, read, value, most, step } = setting;
        if !(value.value().is_finite() && (0.0..=most.value()).contains(&value.value())) {
            let told = format!("it can be set from 0 to {most}; nothing was sent");
            return Err(self.error(ErrorKind::Refused, told));
        }
        self.tell_checked(set, &[Fill::Value(value.value())], |speaker| {
            Ok(is_same(value, Q::from_value(speaker.ask_number(read, &[])?), step))
        })
    }

    /// Sets the level of a protection and gives it as it is read back.
    pub(super) fn set_level<Q: Quantity>(&mut self, setting: Setting<Q>) -> Asked<Q> {
        self.set(setting)?;
        self.ask_number(setting.read, &[]).map(Q::from_value)
    }
}
