//! What can be wrong on the simulated bench, to be injected by a test while the bench serves.

use crate::base::units::{Kelvins, Volts};

use super::world::Instrument;

/// Something that is wrong on the bench.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The thermometer goes on sending, but the same line for ever.
    ThermometerFreezes,
    /// The thermometer sends nothing any more.
    ThermometerFallsSilent,
    /// The supply's leads are swapped where it measures: its current reads negative.
    SwappedLeads,
    /// Something else feeds the node: this voltage stands on Vout whatever the board does.
    ForeignVoltage(Volts),
    /// The node's terminals are shorted (50 mΩ).
    BoardShorted,
    /// The board's sensor shows this much more than the physics gives.
    BoardOverheats(Kelvins),
    /// The supply does not obey an output off; its state reads on.
    SupplyStuckOn,
    /// The load does not obey an input off; its state reads on.
    LoadStuckOn,
    /// The instrument takes bytes and answers nothing.
    Hangs(Instrument),
    /// The instrument loses power for a moment: outputs off, settings as after power-on, links cut, two seconds to boot.
    Reboots(Instrument),
    /// The instrument answers `*IDN?` with this text.
    WrongIdentity(Instrument, String),
}

/// The faults that last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// The line that a frozen thermometer repeats.
    pub(crate) thermometer_frozen: Option<String>,
    pub(crate) thermometer_silent: bool,
    pub(crate) swapped_leads: bool,
    pub(crate) supply_stuck: bool,
    pub(crate) load_stuck: bool,
    pub(crate) hanging: Vec<Instrument>,
}
