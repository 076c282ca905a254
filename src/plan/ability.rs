//! What the instruments of a rig can do, as far as planning must know it.

use crate::base::units::{Amps, Volts};

/// What the instruments of a rig can do by their families.
#[derive(Debug, Clone, PartialEq)]
pub struct Ability {
    /// The supply's output.
    pub source: SourceAbility,
    /// The load.
    pub load: LoadAbility,
    /// The scope, where the rig has one.
    pub scope: Option<ScopeAbility>,
}

/// What one output of a supply can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SourceAbility {
    /// Highest voltage that can be set.
    pub max_voltage: Volts,
    /// Highest current limit that can be set.
    pub max_current: Amps,
    /// Highest over-voltage level, if there is such a protection.
    pub over_voltage: Option<Volts>,
    /// Highest over-current level, if there is such a protection.
    pub over_current: Option<Amps>,
}

/// What a load can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadAbility {
    /// Highest current that can be set.
    pub max_current: Amps,
    /// Highest voltage at its terminals.
    pub max_voltage: Volts,
    /// Highest level of its own current limit, if it has one.
    pub over_current: Option<Amps>,
}

/// What a scope can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScopeAbility {
    /// Number of analog channels.
    pub channels: u8,
    /// Whether the 20 MHz limiter can be switched.
    pub bandwidth_limit: bool,
}
