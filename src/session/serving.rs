//! The simulated bench behind its outer door: the same instruments on loopback ports and a pty, in real time.

use std::sync::Arc;

use super::SessionError;
use super::opening::{is_simulated, world_settings};
use crate::base::clock::RealClock;
use crate::event::Board;
use crate::instrument::dialect::Address;
use crate::plan::Rig;
use crate::sim::World;
use crate::sim::server::{Ports, Server};
use crate::sim::world::Instrument;

/// A served bench; it stops when dropped.
pub struct Serving {
    /// The server.
    pub server: Server,
    /// The rig file's text with the served addresses in the place of `SIM::…`.
    pub rig_text: String,
}

impl Serving {
    /// Roles of the rig and where each is now.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, &Address)> {
        self.server.addresses().iter().map(|(instrument, address)| (role_of(*instrument), address))
    }
}

const fn role_of(instrument: Instrument) -> &'static str {
    match instrument {
        Instrument::Supply => "source",
        Instrument::Load => "load",
        Instrument::Scope => "scope",
        Instrument::Thermometer => "thermometer",
    }
}

const fn name_of(instrument: Instrument) -> &'static str {
    match instrument {
        Instrument::Supply => "SIM::supply",
        Instrument::Load => "SIM::load",
        Instrument::Scope => "SIM::scope",
        Instrument::Thermometer => "SIM::thermometer",
    }
}

/// Serves the simulated bench that a rig describes, from TCP port `first_port` on (0: any free ones).
///
/// # Errors
/// The rig is not simulated, or a port or a pty cannot be had.
pub fn serve(
    rig: &Rig,
    rig_text: &str,
    board: &Board,
    seed: Option<u64>,
    first_port: u16,
) -> Result<Serving, SessionError> {
    if !is_simulated(rig) {
        return Err(SessionError::Usage(
            "only a simulated bench can be served: every address in the rig must begin with SIM::".to_owned(),
        ));
    }
    let world = Arc::new(World::new(&world_settings(rig, board, seed)?, Arc::new(RealClock::new())));
    let port = |place: u16| if first_port == 0 { 0 } else { first_port.saturating_add(place) };
    let ports = Ports { supply: port(0), load: port(1), scope: port(2) };
    let server = Server::start(&world, ports)
        .map_err(|error| SessionError::Bench(format!("cannot serve the simulated bench: {error}")))?;
    let mut served = without_sim_table(rig_text);
    for (instrument, address) in server.addresses() {
        served = served.replace(&format!("\"{}\"", name_of(*instrument)), &format!("\"{address}\""));
    }
    Ok(Serving { server, rig_text: served })
}

/// A real bench has no `[sim]` table: it is cut out, up to the next table.
fn without_sim_table(rig_text: &str) -> String {
    let mut inside = false;
    let mut kept = String::with_capacity(rig_text.len());
    for line in rig_text.lines() {
        if line.trim_start().starts_with('[') {
            inside = line.trim_start().starts_with("[sim");
        }
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}
