//! Rigol DS1104Z: four channels, 8 bits, 1 GSa/s shared, 24 Mpts. Written from the DS1000Z programming guide.
//!
//! 12 divisions across with 100 screen points each, 25 codes a division up. `volts = (code - yorigin - yreference) *
//! yincrement`, `yreference` 127, `yorigin = offset / yincrement`.

mod capture;
mod figures;
mod knobs;
mod picture;
mod tree;
mod wave;

use std::time::Duration;

use crate::base::clock::Instant;

use super::panel::Panel;
use super::plant::noise::Generator;
use super::plant::trace::{Scene, Wire};
use super::world::Bench;

use capture::Capture;
pub(crate) use tree::TREE;

/// What it answers to `*IDN?`.
pub(crate) const IDENTITY: &str = "RIGOL TECHNOLOGIES,DS1104Z,DS1ZA203500001,00.04.05.SP2";

/// Corner of the analogue input and of its limiter, in hertz.
const FULL_BANDWIDTH_HZ: f64 = 100e6;
const LIMITED_BANDWIDTH_HZ: f64 = 20e6;
/// Codes a vertical division.
const CODES_A_DIV: f64 = 25.0;
/// The code in the middle of the screen.
const MIDDLE_CODE: f64 = 127.0;
/// Divisions across the screen.
const DIVS: f64 = 12.0;
/// Points of a screen record.
const SCREEN_POINTS: usize = 1200;
/// The memory depths with one channel shown; two halve them, three and four quarter them.
const DEPTHS: [usize; 5] = [12_000, 120_000, 1_200_000, 12_000_000, 24_000_000];
const FASTEST_HZ: f64 = 1e9;

/// Input coupling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coupling {
    Dc,
    Ac,
    Ground,
}

/// One channel's settings; volts are at the probe's tip.
#[derive(Debug, Clone, PartialEq)]
struct Channel {
    shown: bool,
    scale_v: f64,
    offset_v: f64,
    coupling: Coupling,
    limited: bool,
    probe: f64,
    inverted: bool,
    vernier: bool,
    unit: &'static str,
    wire: Wire,
}

impl Channel {
    const fn fresh(wire: Wire) -> Self {
        Self {
            shown: false,
            scale_v: 1.0,
            offset_v: 0.0,
            coupling: Coupling::Dc,
            limited: false,
            probe: 10.0,
            inverted: false,
            vernier: false,
            unit: "VOLT",
            wire,
        }
    }

    fn bandwidth_hz(&self) -> f64 {
        if self.limited { LIMITED_BANDWIDTH_HZ } else { FULL_BANDWIDTH_HZ }
    }

    fn y_increment_v(&self) -> f64 {
        self.scale_v / CODES_A_DIV
    }

    /// The offset in whole codes, as the preamble gives it.
    fn y_origin(&self) -> f64 {
        (self.offset_v / self.y_increment_v()).round()
    }
}

/// Trigger settings.
#[derive(Debug, Clone, PartialEq)]
struct Trigger {
    source: usize,
    slope: &'static str,
    level_v: f64,
    sweep: &'static str,
    coupling: &'static str,
    holdoff_s: f64,
    noise_reject: bool,
}

/// How waveforms are read.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    source: usize,
    mode: &'static str,
    format: &'static str,
    start: usize,
    stop: usize,
}

/// What the acquisition is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Running,
    Stopped,
    /// Waiting for a single trigger since that moment; `forced` once it was told to take anything.
    Armed {
        since: Instant,
        forced: bool,
    },
    /// A single record that is complete at that moment.
    Taking {
        until: Instant,
    },
}

/// The instrument.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) panel: Panel,
    channels: [Channel; 4],
    /// Index into [`DEPTHS`], or automatic.
    depth: Option<usize>,
    acquisition: &'static str,
    averages: u32,
    time_scale_s: f64,
    time_offset_s: f64,
    trigger: Trigger,
    reading: Reading,
    run: Run,
    frozen: Option<Capture>,
    noise: Generator,
}

impl Scope {
    /// The instrument as after power-on, with the board on two of its channels.
    pub(crate) fn new(vout_channel: u8, switch_channel: u8, seed: u64) -> Self {
        let wire = |number: u8| match number {
            _ if number == vout_channel => Wire::Output,
            _ if number == switch_channel => Wire::Switch,
            _ => Wire::Open,
        };
        let mut scope = Self {
            panel: Panel::new(IDENTITY),
            channels: [1, 2, 3, 4].map(|number| Channel::fresh(wire(number))),
            depth: None,
            acquisition: "NORM",
            averages: 2,
            time_scale_s: 1e-6,
            time_offset_s: 0.0,
            trigger: Trigger {
                source: 0,
                slope: "POS",
                level_v: 0.0,
                sweep: "AUTO",
                coupling: "DC",
                holdoff_s: 16e-9,
                noise_reject: false,
            },
            reading: Reading { source: 0, mode: "NORM", format: "BYTE", start: 1, stop: SCREEN_POINTS },
            run: Run::Running,
            frozen: None,
            noise: Generator::seeded(seed),
        };
        scope.channels[0].shown = true;
        scope
    }

    /// How many channels share the memory: 1, 2 or 4.
    fn shares(&self) -> usize {
        match self.channels.iter().filter(|channel| channel.shown).count() {
            0 | 1 => 1,
            2 => 2,
            _ => 4,
        }
    }

    /// Samples a second and samples in a record.
    fn memory(&self) -> (f64, usize) {
        let (shares, screen_s) = (self.shares(), DIVS * self.time_scale_s);
        let fastest_hz = FASTEST_HZ / shares as f64;
        match self.depth {
            Some(index) => {
                let depth = DEPTHS[index] / shares;
                (fastest_hz.min(depth as f64 / screen_s), depth)
            }
            None => {
                let most = DEPTHS[4] / shares;
                let rate_hz = fastest_hz.min(most as f64 / screen_s);
                (rate_hz, ((rate_hz * screen_s).round() as usize).max(SCREEN_POINTS / 2))
            }
        }
    }

    /// The physics at this moment as channels could see it.
    fn scene(&mut self, bench_scene: &dyn Fn(u64) -> Scene) -> Scene {
        bench_scene(self.noise.bits())
    }
}

/// `*RST`: everything as delivered, running.
pub(crate) fn reset(bench: &mut Bench) {
    let channel_of = |wire: Wire, channels: &[Channel; 4]| {
        channels.iter().position(|channel| channel.wire == wire).map_or(0, |index| index as u8 + 1)
    };
    let scope = &bench.scope;
    let vout = channel_of(Wire::Output, &scope.channels);
    let switch = channel_of(Wire::Switch, &scope.channels);
    let mut fresh = Scope::new(vout, switch, 0);
    std::mem::swap(&mut fresh.panel, &mut bench.scope.panel);
    fresh.noise = bench.scope.noise.clone();
    bench.scope = fresh;
}

/// A moment of the bench.
fn scene_of(bench: &mut Bench) -> Scene {
    let (board, point, node_v) = (bench.plant.board.clone(), bench.plant.point, bench.plant.node_v());
    let kernels = bench.plant.kernels.clone();
    bench.scope.scene(&|seed| Scene { board: board.clone(), point, node_v, seed, kernels: kernels.clone() })
}

/// Goes on with a single acquisition as far as time allows.
fn poll(bench: &mut Bench) {
    if let Run::Taking { until } = bench.scope.run
        && bench.now >= until
    {
        bench.scope.run = Run::Stopped;
    }
    let Run::Armed { since, forced } = bench.scope.run else { return };
    let (rate_hz, depth) = bench.scope.memory();
    let record = Duration::from_secs_f64(depth as f64 / rate_hz);
    let scene = scene_of(bench);
    let Some(capture) = Capture::triggered(&bench.scope, scene, forced) else { return };
    bench.scope.frozen = Some(capture);
    // It has been looking since it was armed; the time of one record passes before the record is whole.
    let until = (since + record).max(bench.now) + Duration::from_millis(5);
    bench.scope.run = if until <= bench.now { Run::Stopped } else { Run::Taking { until } };
}

/// A record of this moment whether the trigger is met or not, as a running screen shows it.
fn live(bench: &mut Bench) -> Capture {
    let scene = scene_of(bench);
    Capture::of_whatever(&bench.scope, scene)
}
