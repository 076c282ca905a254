//! What an interlock that holds does to the load.

use crate::base::units::Amps;

/// The current that the load is set to, before and after.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadChange {
    /// Before.
    pub from: Amps,
    /// After.
    pub to: Amps,
}

impl LoadChange {
    /// What was done when the hold began.
    #[must_use]
    pub fn tell_lowered(self) -> String {
        if self.from == self.to {
            return format!("the load stays at {}", self.to);
        }
        format!("load lowered from {} to {}", self.from, self.to)
    }

    /// What is done when the hold is over.
    #[must_use]
    pub fn tell_restored(self) -> String {
        if self.from == self.to {
            return format!("the load stays at {}", self.to);
        }
        format!("the load goes back from {} to {}", self.from, self.to)
    }
}
