//! What days do to a bench: parts age, nights are cold, lids are opened. Nothing of it happens unless it is asked for.

use std::time::Duration;

use crate::base::units::Kelvins;

/// What changes over simulated days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Days {
    /// How many times as fast as parts do the board ages; 0 for not at all.
    pub ageing: f64,
    /// Temperature of the room from the coldest to the warmest of a day.
    pub day_swing: Kelvins,
    /// The bench stands in a closed box whose lid is opened about so often; `None` where it stands in the open.
    pub lid_opens_every: Option<Duration>,
}

impl Default for Days {
    fn default() -> Self {
        Self { ageing: 0.0, day_swing: Kelvins(0.0), lid_opens_every: None }
    }
}
