//! One world: one clock, one seed, one plant, four instruments.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scpi::Context;
use scpi::error::Error;
use scpi::tree::Node;

use crate::base::clock::{Clock, Instant};
use crate::base::random::mix;
use crate::base::units::{Amps, Celsius, Ohms, Volts};

use super::days::Days;
use super::fault::{Fault, Faults};
use super::load::{self, Load, LoadModel};
use super::panel::{Panel, tidied};
use super::plant::ageing::Ageing;
use super::plant::board::{Board, Filter};
use super::plant::buck::Mode;
use super::plant::climate::Climate;
use super::plant::noise::Generator;
use super::plant::{Leads, Plant};
use super::schedule::{Mishap, Trouble};
use super::scope::{self, Scope};
use super::supply::{self, Supply};
use super::thermometer::Lines;

/// How long an instrument is away when it reboots.
const BOOT: Duration = Duration::from_secs(2);
/// The longest message an instrument takes; more is an error in its queue, not memory.
const MESSAGE_LIMIT: usize = 64 << 10;

/// What the simulated bench is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct WorldSettings {
    /// Seed of all noise.
    pub seed: u64,
    /// Serial number of the board; it chooses the parts within their spread.
    pub board_serial: String,
    /// What stands in the output filter's place; see [`Filter::of_revision`].
    pub filter: Filter,
    /// Temperature of the room.
    pub ambient: Celsius,
    /// Resistance of both wires from the supply to the board.
    pub input_lead: Ohms,
    /// Resistance of both wires from the board to the load.
    pub output_lead: Ohms,
    /// Which load answers.
    pub load_model: LoadModel,
    /// The scope channel wired to Vout, 1 to 4.
    pub vout_channel: u8,
    /// The scope channel wired to the switch node, 1 to 4.
    pub switch_channel: u8,
    /// What changes over days.
    pub days: Days,
}

impl Default for WorldSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            board_serial: "0007".to_owned(),
            filter: Filter::Fitted,
            ambient: Celsius(23.0),
            input_lead: Ohms(0.25),
            output_lead: Ohms(0.05),
            load_model: LoadModel::Dl3021,
            vout_channel: 1,
            switch_channel: 2,
            days: Days::default(),
        }
    }
}

/// An instrument of the simulated bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Instrument {
    /// Rigol DP832; the board hangs on CH1.
    Supply,
    /// Rigol DL3021 or Siglent SDL1020X-E.
    Load,
    /// Rigol DS1104Z.
    Scope,
    /// The line sender.
    Thermometer,
}

impl Instrument {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Supply, Self::Load, Self::Scope, Self::Thermometer];

    /// The name in an address: `SIM::supply`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supply => "supply",
            Self::Load => "load",
            Self::Scope => "scope",
            Self::Thermometer => "thermometer",
        }
    }

    /// The instrument of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|instrument| instrument.as_str().eq_ignore_ascii_case(name))
    }
}

/// The physics as it is, not as any instrument shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// Whether the supply drives its CH1 terminals.
    pub supply_on: bool,
    /// Whether the load sinks.
    pub load_on: bool,
    /// Voltage at the board's input terminals.
    pub vin: Volts,
    /// Voltage at the board's output terminals.
    pub vout: Volts,
    /// Current into the board.
    pub iin: Amps,
    /// Current into the load.
    pub iout: Amps,
    /// Temperature at the board's sensor.
    pub board: Celsius,
    /// Temperature of the air.
    pub ambient: Celsius,
    /// How the converter switches.
    pub mode: Mode,
}

/// Everything behind the lock; the device the command trees run on.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) plant: Plant,
    pub(crate) supply: Supply,
    pub(crate) load: Load,
    pub(crate) scope: Scope,
    pub(crate) faults: Faults,
    pub(crate) now: Instant,
    pub(crate) seed: u64,
    active: Instrument,
    cost: Duration,
    /// Bytes of the message's answers so far, each with the separator behind it.
    answered: usize,
    settings: WorldSettings,
    busy_until: [Instant; 4],
    booted_at: [Instant; 4],
    boots: [u64; 4],
    /// What begins (or ends) to be wrong, and when.
    script: VecDeque<(Instant, Fault, bool)>,
    spoiler: Generator,
    pub(crate) lines: Lines,
}

impl scpi::Device for Bench {
    fn handle_error(&mut self, error: Error) {
        self.panel().push(error);
    }
}

impl Bench {
    fn new(settings: &WorldSettings, now: Instant) -> Self {
        let board = Board::of_serial(&settings.board_serial, settings.filter);
        let leads = Leads { input_ohm: settings.input_lead.0, output_ohm: settings.output_lead.0 };
        let mut plant = Plant::new(board, leads, settings.ambient.0);
        let Days { ageing, day_swing, lid_opens_every } = settings.days;
        plant.ageing = (ageing > 0.0).then(|| Ageing::of(&plant.board, ageing));
        let lid_s = lid_opens_every.map(|every| every.as_secs_f64());
        plant.climate = Climate::new(day_swing.0, lid_s, mix(settings.seed ^ 0x05));
        Self {
            plant,
            supply: Supply::new(mix(settings.seed ^ 0x01)),
            load: Load::new(settings.load_model, mix(settings.seed ^ 0x02)),
            scope: Scope::new(settings.vout_channel, settings.switch_channel, mix(settings.seed ^ 0x03)),
            faults: Faults::default(),
            now,
            seed: settings.seed,
            active: Instrument::Supply,
            cost: Duration::ZERO,
            answered: 0,
            settings: settings.clone(),
            busy_until: [Instant(0); 4],
            booted_at: [Instant(0); 4],
            boots: [0; 4],
            script: VecDeque::new(),
            spoiler: Generator::seeded(mix(settings.seed ^ 0x06)),
            lines: Lines::default(),
        }
    }

    /// The panel of the instrument that is being spoken to.
    pub(crate) fn panel(&mut self) -> &mut Panel {
        match self.active {
            Instrument::Load => &mut self.load.panel,
            Instrument::Scope => &mut self.scope.panel,
            // The thermometer takes no commands, so nobody asks for its panel.
            Instrument::Supply | Instrument::Thermometer => &mut self.supply.panel,
        }
    }

    /// Adds to the time the present message takes.
    pub(crate) fn takes(&mut self, span: Duration) {
        self.cost += span;
    }

    /// How long the last setting of the active instrument still needs.
    pub(crate) fn settling(&self) -> Duration {
        match self.active {
            Instrument::Supply => Duration::from_secs_f64(self.plant.source.moving_s() + 0.005),
            Instrument::Load => Duration::from_millis(2),
            Instrument::Scope | Instrument::Thermometer => Duration::ZERO,
        }
    }

    /// `*RST` of the active instrument; its error queue stays.
    pub(crate) fn reset_active(&mut self) {
        match self.active {
            Instrument::Supply => supply::reset(self),
            Instrument::Load => load::reset(self),
            Instrument::Scope => scope::reset(self),
            Instrument::Thermometer => {}
        }
        self.plant.wake();
        self.takes(Duration::from_millis(50));
    }

    /// Counts one answer of the message that is being run.
    pub(crate) fn answered(&mut self, bytes: usize) {
        self.answered += bytes + 1;
    }

    fn advance(&mut self, now: Instant) {
        while self.script.front().is_some_and(|(at, ..)| *at <= now) {
            let Some((at, fault, begins)) = self.script.pop_front() else { break };
            self.now = self.now.max(at);
            self.plant.advance(self.now.0);
            if begins { self.inject(fault) } else { self.relieve(&fault) }
        }
        self.now = self.now.max(now);
        self.plant.advance(self.now.0);
    }

    /// Runs one message of `instrument`; the answer without a time.
    fn run(&mut self, instrument: Instrument, message: &[u8]) -> Vec<u8> {
        self.active = instrument;
        self.cost = Duration::from_millis(2);
        self.answered = 0;
        let mut out = Vec::new();
        if message.len() > MESSAGE_LIMIT {
            self.panel().push(scpi::error::ErrorCode::TooMuchData.into());
            return out;
        }
        let message = if instrument == Instrument::Supply {
            supply::unselected(tidied(message))
        } else {
            tidied(message)
        };
        let tree: &Node<'_, Self> = match instrument {
            Instrument::Supply => &supply::TREE,
            Instrument::Load => &load::TREE,
            Instrument::Scope => &scope::TREE,
            Instrument::Thermometer => return out,
        };
        // What went wrong stands in the error queue by now.
        let _ = tree.run(&message, self, &mut Context::default(), &mut out);
        // The crate leaves the message's end, and the separator before a query that failed. They are cut by count and not
        // by look: the last byte of a block may be either.
        out.truncate(self.answered.saturating_sub(1));
        out
    }

    fn boots(&self, instrument: Instrument) -> Option<u64> {
        let index = instrument as usize;
        (self.now >= self.booted_at[index]).then_some(self.boots[index])
    }

    /// Every link to the instrument is lost; it can be opened again at once.
    pub(crate) fn cut_links(&mut self, instrument: Instrument) {
        self.boots[instrument as usize] += 1;
    }

    pub(crate) fn rename(&mut self, instrument: Instrument, identity: String) {
        self.active = instrument;
        self.panel().identity = identity;
    }

    pub(crate) fn reboot(&mut self, instrument: Instrument) {
        let index = instrument as usize;
        self.cut_links(instrument);
        self.booted_at[index] = self.now + BOOT;
        self.active = instrument;
        self.reset_active();
        let identity = self.panel().identity.clone();
        *self.panel() = Panel::new(&identity);
    }
}

/// What an instrument sends back, and when it is out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The answer without its line end; `None` where nothing is answered.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) ready: Instant,
    /// Whether its line end comes, too.
    pub(crate) ended: bool,
}

/// The simulated bench.
///
/// Shared between all links; never locked while anybody sleeps.
pub struct World {
    clock: Arc<dyn Clock>,
    bench: Mutex<Bench>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("truth", &self.truth()).finish_non_exhaustive()
    }
}

impl World {
    /// A bench at rest whose time is `clock`'s.
    #[must_use]
    pub fn new(settings: &WorldSettings, clock: Arc<dyn Clock>) -> Self {
        let bench = Mutex::new(Bench::new(settings, clock.now()));
        Self { clock, bench }
    }

    /// The clock everything here runs on.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The physics at this moment.
    #[must_use]
    pub fn truth(&self) -> Truth {
        let bench = self.bench();
        let plant = &bench.plant;
        Truth {
            supply_on: plant.source.on,
            load_on: plant.sink.on,
            vin: Volts(plant.input_v()),
            vout: Volts(plant.node_v()),
            iin: Amps(plant.source.current_a),
            iout: Amps(plant.load_a()),
            board: Celsius(plant.thermal.board_c + plant.extra_board_k),
            ambient: Celsius(plant.thermal.ambient_c),
            mode: plant.point.mode,
        }
    }

    /// Makes something wrong from now on.
    pub fn inject(&self, fault: Fault) {
        self.bench().inject(fault);
    }

    /// Follows a schedule from now on, whose zero is the clock's. What is not of the bench is left to others.
    pub fn follow(&self, schedule: &[Trouble]) {
        let mut bench = self.bench();
        for trouble in schedule {
            let Mishap::Bench(fault) = &trouble.mishap else { continue };
            let begins = Instant::default() + trouble.at;
            bench.script.push_back((begins, fault.clone(), true));
            if let Some(lasts) = trouble.lasts.filter(|lasts| !lasts.is_zero()) {
                bench.script.push_back((begins + lasts, fault.clone(), false));
            }
        }
        bench.script.make_contiguous().sort_by_key(|(at, ..)| *at);
    }

    /// Mends everything that was injected and lasts.
    pub fn mend(&self) {
        let mut bench = self.bench();
        bench.faults = Faults::default();
        bench.plant.foreign_v = None;
        bench.plant.shorted = false;
        bench.plant.extra_board_k = 0.0;
        let load_model = bench.settings.load_model;
        supply::IDENTITY.clone_into(&mut bench.supply.panel.identity);
        load_model.identity().clone_into(&mut bench.load.panel.identity);
        scope::IDENTITY.clone_into(&mut bench.scope.panel.identity);
        bench.plant.wake();
    }

    /// The bench, brought up to now.
    pub(crate) fn bench(&self) -> MutexGuard<'_, Bench> {
        let now = self.clock.now();
        let mut bench = self.bench.lock().unwrap_or_else(PoisonError::into_inner);
        bench.advance(now);
        bench
    }

    /// How often `instrument` has been booted, if it is up.
    pub(crate) fn boots(&self, instrument: Instrument) -> Option<u64> {
        self.bench().boots(instrument)
    }

    /// The bench, if `instrument` is up and has not been booted since it had been so often.
    pub(crate) fn bench_of_link(&self, instrument: Instrument, boots: u64) -> Option<MutexGuard<'_, Bench>> {
        let bench = self.bench();
        (bench.boots(instrument) == Some(boots)).then_some(bench)
    }

    /// Says one message to an instrument: waits until it has done the one before, then has it done.
    pub(crate) fn ask(&self, instrument: Instrument, message: &[u8]) -> Reply {
        let index = instrument as usize;
        loop {
            let mut bench = self.bench();
            let wait = bench.busy_until[index].since(bench.now);
            if !wait.is_zero() {
                drop(bench);
                self.clock.sleep(wait);
                continue;
            }
            if bench.faults.hanging.contains(&instrument) {
                return Reply { bytes: None, ready: bench.now, ended: true };
            }
            let out = bench.run(instrument, message);
            let ready = bench.now + bench.cost;
            bench.busy_until[index] = ready;
            let mut reply = Reply { bytes: (!out.is_empty()).then_some(out), ready, ended: true };
            let Bench { faults, spoiler, .. } = &mut *bench;
            faults.spoil(instrument, &mut reply, spoiler);
            return reply;
        }
    }
}
