//! Chooses the real or the simulated opener and opens the bench.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::SessionError;
use super::lock::BenchLock;
use crate::base::clock::{Clock, SimClock};
use crate::base::cut::Cut;
use crate::base::names::{Revision, Role, Serial};
use crate::bench::open::{Opening, open as open_rig, place};
use crate::deadman::pulse::{LivingClock, Pulse};
use crate::event::Board;
use crate::instrument::dialect::{Address, Registry};
use crate::instrument::open::{Surroundings, TapeFor, open_conversation as open_client};
use crate::link::scpi::Client;
use crate::link::transport::Opener;
use crate::link::transport::opener::RealOpener;
use crate::link::transport::sharing::SharingOpener;
use crate::plan::Rig;
use crate::plan::rig::InstrumentWiring;
use crate::sim::{Days, Filter, LoadModel, SimOpener, World, WorldSettings};

/// How long another program may still hold an instrument.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// The world a bench stands in: its clock, its way to instruments, and the simulated world if it is one.
pub struct Opened {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The opener.
    pub opener: Arc<dyn Opener>,
    /// Cuts all waiting for its instruments short.
    pub cut: Cut,
    /// Signs of life of whoever uses the clock.
    pub pulse: Pulse,
    /// The simulated world, if the rig names `SIM::` addresses.
    pub world: Option<Arc<World>>,
    /// Nobody else uses these instruments as long as this lives.
    _lock: BenchLock,
}

impl Opened {
    /// What opening an instrument needs.
    #[must_use]
    pub fn surroundings(&self, registry: Arc<Registry>) -> Surroundings {
        let (opener, clock, cut) = (self.opener.clone(), self.clock.clone(), self.cut.clone());
        Surroundings { opener, clock, registry, tape: None, cut }
    }
}

/// The board the rig is usually wired to; where it names none, any: it is then not measured.
#[must_use]
pub fn board_of(rig: &Rig) -> Board {
    Board {
        serial: rig.serial.clone().unwrap_or_else(Serial::unnamed),
        revision: rig.revision.clone().unwrap_or_else(Revision::unnamed),
    }
}

/// All instruments of a rig.
pub(super) fn instruments(rig: &Rig) -> impl Iterator<Item = &InstrumentWiring> {
    talking(rig).chain(rig.thermometers.iter().map(|thermometer| &thermometer.instrument))
}

fn addresses(rig: &Rig) -> impl Iterator<Item = &Address> {
    instruments(rig).map(|wired| &wired.address)
}

/// Whether every instrument of the rig stands on the simulated bench.
#[must_use]
pub fn is_simulated(rig: &Rig) -> bool {
    addresses(rig).all(|address| matches!(address, Address::Sim { .. }))
}

/// As [`open_world_beating`], where nobody looks at the signs of life.
///
/// # Errors
/// The same.
pub fn open_world(rig: &Rig, board: &Board, seed: Option<u64>) -> Result<Opened, SessionError> {
    open_world_beating(rig, board, seed, Pulse::default())
}

/// Chooses the world by the rig's addresses: all real, or all simulated; its clock counts in `pulse`. Real instruments are this program's alone until
/// what is returned is dropped.
///
/// # Errors
/// Real and simulated instruments on one bench; another soakrig uses one of them.
pub(super) fn open_world_beating(
    rig: &Rig,
    board: &Board,
    seed: Option<u64>,
    pulse: Pulse,
) -> Result<Opened, SessionError> {
    let simulated = addresses(rig).filter(|address| matches!(address, Address::Sim { .. })).count();
    if simulated == 0 {
        let clock: Arc<dyn Clock> = Arc::new(LivingClock::new(pulse.clone()));
        let lock = BenchLock::take(addresses(rig), &*clock, LOCK_PATIENCE)?;
        return Ok(Opened {
            clock,
            opener: Arc::new(SharingOpener::new(Arc::new(RealOpener))),
            cut: Cut::default(),
            pulse,
            world: None,
            _lock: lock,
        });
    }
    if simulated != addresses(rig).count() {
        return Err(SessionError::Bench(
            "the rig mixes SIM:: addresses with real ones; a bench is either simulated or real, because they live \
             by different clocks"
                .to_owned(),
        ));
    }
    let clock: Arc<dyn Clock> = Arc::new(SimClock::starting_at(Timestamp::now()));
    let clock: Arc<dyn Clock> = Arc::new(LivingClock::over(clock, pulse.clone()));
    let world = Arc::new(World::new(&world_settings(rig, board, seed)?, clock.clone()));
    Ok(Opened {
        clock,
        opener: Arc::new(SimOpener::new(world.clone())),
        cut: Cut::default(),
        pulse,
        world: Some(world),
        _lock: BenchLock::none(),
    })
}

/// A real bench that somebody left: supply and load are taken from whoever has them, for switching off may not wait. Its locks
/// are not taken here.
#[cfg(unix)]
pub(super) fn open_abandoned(clock: Arc<dyn Clock>) -> Opened {
    Opened {
        clock,
        opener: Arc::new(SharingOpener::new(Arc::new(RealOpener))),
        cut: Cut::default(),
        pulse: Pulse::default(),
        world: None,
        _lock: BenchLock::none(),
    }
}

/// Takes what is free of the locks of supply and load, so that nobody else gets what is switched off. What measures only is left
/// to whoever wants it: a scope or a thermometer switches nothing, and the port of one that is gone may soon be another one's.
#[cfg(unix)]
pub(super) fn lock_abandoned(rig: &Rig, lock: &mut BenchLock) {
    lock.take_free([&rig.source.instrument.address, &rig.load.instrument.address].into_iter());
}

/// Whether the bench of the rig has such a board; only of the simulated one that is known.
pub(super) fn check_world(rig: &Rig, board: &Board) -> Result<(), SessionError> {
    if is_simulated(rig) {
        world_settings(rig, board, None)?;
    }
    Ok(())
}

/// The simulated bench as the rig and the board describe it.
///
/// # Errors
/// The board's revision is none that the simulated bench knows.
pub fn world_settings(rig: &Rig, board: &Board, seed: Option<u64>) -> Result<WorldSettings, SessionError> {
    let defaults = WorldSettings::default();
    let scope = rig.scope.as_ref();
    let filter = Filter::of_revision(board.revision.as_str()).ok_or_else(|| {
        SessionError::Usage(format!(
            "the simulated bench has no board of revision `{}`: A has the output filter bridged, B fitted, C neither, D fitted with a smaller coil",
            board.revision
        ))
    })?;
    Ok(WorldSettings {
        seed: seed.unwrap_or(rig.sim.seed),
        board_serial: board.serial.to_string(),
        filter,
        ambient: rig.sim.ambient,
        input_lead: rig.source.lead,
        output_lead: rig.load.lead,
        load_model: if rig.sim.load_identity.starts_with("siglent") {
            LoadModel::Sdl1020xE
        } else {
            LoadModel::Dl3021
        },
        vout_channel: scope.map_or(defaults.vout_channel, |scope| scope.vout.channel),
        switch_channel: scope
            .and_then(|scope| scope.lx.as_ref())
            .map_or(defaults.switch_channel, |lx| lx.channel),
        days: Days {
            ageing: rig.sim.ageing,
            day_swing: rig.sim.day_swing,
            lid_opens_every: rig.sim.lid_opens_every,
        },
    })
}

/// Opens the bench; what passes is written to `tape`, if there is one.
///
/// # Errors
/// An instrument does not answer or is another one; those that were opened are switched off, and how they were left is told.
pub fn open_bench(rig: &Rig, registry: Arc<Registry>, opened: &Opened, tape: Option<TapeFor>) -> Opening {
    open_rig(rig, &Surroundings { tape, ..opened.surroundings(registry) })
}

/// The roles that answer SCPI questions.
pub fn talking_roles(rig: &Rig) -> impl Iterator<Item = &Role> {
    talking(rig).map(|wired| &wired.role)
}

fn talking(rig: &Rig) -> impl Iterator<Item = &InstrumentWiring> {
    [&rig.source.instrument, &rig.load.instrument]
        .into_iter()
        .chain(rig.scope.as_ref().map(|scope| &scope.instrument))
}

/// Opens a conversation with one instrument of the rig, identified, without a driver around it.
///
/// # Errors
/// The rig has no such role with a family, or the instrument does not answer or is another one.
pub fn open_conversation(rig: &Rig, role: &str, surroundings: &Surroundings) -> Result<Client, SessionError> {
    let today = TimeZone::UTC.to_datetime(surroundings.clock.utc()).date();
    let wired = talking(rig).find(|wired| wired.role.as_str() == role).ok_or_else(|| {
        let names: Vec<&str> = talking_roles(rig).map(Role::as_str).collect();
        SessionError::Usage(format!(
            "the rig has no role `{role}` that answers SCPI; it has {}",
            names.join(", ")
        ))
    })?;
    Ok(open_client(surroundings, &place(wired, today))?)
}
