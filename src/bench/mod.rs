//! The opened rig: instruments by role behind their hard limits, and the way to make them safe.

pub mod low;
pub mod open;
pub mod retry;
pub mod safe;

use std::sync::Arc;
use std::time::Duration;

use crate::base::clock::Clock;
use crate::base::cut::Cut;
use crate::base::names::Role;
use crate::base::units::{Ohms, Volts};
use crate::instrument::load::Load;
use crate::instrument::scope::Scope;
use crate::instrument::supply::Supply;
use crate::instrument::thermometer::Thermometer;
use crate::plan::rig::ProbeWiring;

/// What is wired to the instruments, as far as measuring needs it.
#[derive(Debug, Clone)]
pub struct BenchWiring {
    /// Both leads from the supply to the board together.
    pub source_lead: Ohms,
    /// Both leads from the board to the load together.
    pub load_lead: Ohms,
    /// The probe on Vout.
    pub vout: Option<ProbeWiring>,
    /// The probe on the switch node.
    pub lx: Option<ProbeWiring>,
    /// Output voltage under which the bench counts as safe.
    pub safe_vout: Volts,
    /// How long Vout may take to fall under it.
    pub safe_within: Duration,
}

/// The opened rig.
///
/// Dropping a bench that was energised and that nobody made safe switches it off; that is the last net, not the way out.
pub struct Bench {
    /// The supply, behind its hard limits.
    pub supply: Box<dyn Supply>,
    /// The load, behind its hard limits.
    pub load: Box<dyn Load>,
    /// The scope, if the rig has one.
    pub scope: Option<Box<dyn Scope>>,
    /// Thermometers by role.
    pub thermometers: Vec<(Role, Box<dyn Thermometer>)>,
    /// What is wired.
    pub wiring: BenchWiring,
    /// The clock the bench lives by.
    pub clock: Arc<dyn Clock>,
    /// Cuts all waiting for its instruments short.
    pub cut: Cut,
    /// Whether outputs may be on.
    pub energised: bool,
    /// Whether it was tried to the end to make this bench safe: whoever asked for it was told what came of it.
    tried_safe: bool,
}

impl Drop for Bench {
    fn drop(&mut self) {
        if self.energised && !self.tried_safe {
            let _ = self.make_safe();
        }
    }
}
