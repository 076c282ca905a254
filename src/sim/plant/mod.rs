//! The physics of the simulated bench: supply stage, leads, board, load stage, temperatures.
//!
//! Electrical averages move on a grid of 250 µs, temperatures on one of half a second. Once nothing moves any more the
//! grid is skipped up to the next thermal step, so an idle day costs little; because that decision depends on the state
//! alone, the result does not depend on who asks or how often.
//!
//! Limits: what is faster than the grid exists only as the steady picture that [`trace`] draws of an operating point;
//! the output capacitor follows its reference within a grid step.

pub(crate) mod ageing;
pub(crate) mod board;
pub(crate) mod buck;
pub(crate) mod climate;
pub(crate) mod filter;
pub(crate) mod noise;
pub(crate) mod sink;
pub(crate) mod source;
pub(crate) mod spikes;
pub(crate) mod thermal;
pub(crate) mod trace;

use std::collections::VecDeque;

use ageing::Ageing;
use board::Board;
use buck::{Mode, Operating};
use climate::Climate;
use sink::Sink;
use source::Source;
use spikes::Kernels;
use thermal::Thermal;

/// One step of the electrical grid.
const TICK_NS: u64 = 250_000;
const TICK_S: f64 = 250e-6;
/// Electrical steps in one thermal step of half a second.
const TICKS_A_THERMAL_STEP: u64 = 2000;
const THERMAL_STEP_S: f64 = 0.5;
/// Internal soft start: 4 ms.
const SOFT_START_TICKS: u32 = 16;
/// The rest between two tries into an overload: 20 ms.
const HICCUP_TICKS: u32 = 80;
/// How long the output may stand under half its value before the converter gives up: 1 ms.
const COLLAPSE_TICKS: u32 = 4;
const LOAD_REGULATION_OHM: f64 = 0.012;
const DRIFT_V_PER_K: f64 = -0.1e-3;
const SHORT_OHM: f64 = 0.05;
const SHUTDOWN_C: f64 = 160.0;

/// Where the converter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Stopped,
    Starting(u32),
    Running { low_ticks: u32 },
    Resting(u32),
}

/// Resistance of the wires, both conductors together, in ohms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Leads {
    pub(crate) input_ohm: f64,
    pub(crate) output_ohm: f64,
}

/// Temperatures at one half second of the grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Warmth {
    /// Number of half seconds since the world was made.
    pub(crate) index: u64,
    pub(crate) board_c: f64,
    pub(crate) ambient_c: f64,
}

/// How many past half seconds are remembered: what a serial buffer would hold.
const REMEMBERED: usize = 64;

/// Everything physical.
#[derive(Debug)]
pub(crate) struct Plant {
    pub(crate) board: Board,
    pub(crate) leads: Leads,
    pub(crate) source: Source,
    pub(crate) sink: Sink,
    pub(crate) shorted: bool,
    pub(crate) foreign_v: Option<f64>,
    pub(crate) thermal: Thermal,
    pub(crate) room_c: f64,
    pub(crate) climate: Climate,
    /// `None` where nothing ages.
    pub(crate) ageing: Option<Ageing>,
    pub(crate) extra_board_k: f64,
    pub(crate) warmth: VecDeque<Warmth>,
    /// The shapes of its spikes.
    pub(crate) kernels: Kernels,
    /// The converter's present operating point.
    pub(crate) point: Operating,
    stage: Stage,
    /// Voltage at the converter's output, in front of the filter.
    out_v: f64,
    loss_w: f64,
    tick: u64,
    frozen: bool,
    held_ticks: u64,
    heat_j: f64,
}

impl Plant {
    /// A bench at rest at `room_c` degrees Celsius.
    pub(crate) fn new(board: Board, leads: Leads, room_c: f64) -> Self {
        Self {
            board,
            leads,
            source: Source::off(),
            sink: Sink::off(),
            shorted: false,
            foreign_v: None,
            thermal: Thermal::at(room_c),
            room_c,
            climate: Climate::default(),
            ageing: None,
            extra_board_k: 0.0,
            warmth: VecDeque::from([Warmth { index: 0, board_c: room_c, ambient_c: room_c }]),
            kernels: Kernels::default(),
            point: Operating::off(0.0, 0.0),
            stage: Stage::Stopped,
            out_v: 0.0,
            loss_w: 0.0,
            tick: 0,
            frozen: false,
            held_ticks: 0,
            heat_j: 0.0,
        }
    }

    /// Something was set: nothing is at rest any more.
    pub(crate) fn wake(&mut self) {
        self.frozen = false;
    }

    /// Goes on to `now_ns` nanoseconds since the world was made.
    pub(crate) fn advance(&mut self, now_ns: u64) {
        let target = now_ns / TICK_NS;
        while self.tick < target {
            let boundary = (self.tick / TICKS_A_THERMAL_STEP + 1) * TICKS_A_THERMAL_STEP;
            if self.frozen {
                let jump = target.min(boundary) - self.tick;
                self.held_ticks += jump;
                self.tick += jump;
            } else {
                self.electrical_step();
                self.tick += 1;
            }
            if self.tick == boundary {
                self.thermal_step(boundary / TICKS_A_THERMAL_STEP);
            }
        }
    }

    /// Voltage at the board's input terminals.
    pub(crate) fn input_v(&self) -> f64 {
        (self.source.terminals_v - self.source.current_a * self.leads.input_ohm).max(0.0)
    }

    /// Voltage at the node's terminals, behind the filter's place.
    pub(crate) fn node_v(&self) -> f64 {
        let behind = |way_ohm: f64| (self.out_v - self.node_a() * way_ohm).max(0.0);
        let own_v = self.board.way_ohm().map_or(0.0, behind);
        self.foreign_v.map_or(own_v, |foreign_v| foreign_v.max(own_v))
    }

    /// Current out of the node's terminals into the load.
    pub(crate) fn load_a(&self) -> f64 {
        match (self.board.way_ohm(), self.foreign_v) {
            (Some(way_ohm), _) => self.sink.draws_a(self.out_v, way_ohm + self.leads.output_ohm),
            (None, Some(foreign_v)) => self.sink.draws_a(foreign_v, self.leads.output_ohm),
            (None, None) => 0.0,
        }
    }

    /// Voltage at the load's terminals.
    pub(crate) fn load_v(&self) -> f64 {
        (self.node_v() - self.load_a() * self.leads.output_ohm).max(0.0)
    }

    fn node_a(&self) -> f64 {
        self.board.way_ohm().map_or(0.0, |way_ohm| self.taken_a(self.out_v, way_ohm))
    }

    /// What load and short take together from `out_v` behind the filter's resistance.
    fn taken_a(&self, out_v: f64, way_ohm: f64) -> f64 {
        let short_a = if self.shorted { out_v / (way_ohm + SHORT_OHM) } else { 0.0 };
        self.sink.draws_a(out_v, way_ohm + self.leads.output_ohm) + short_a
    }

    /// Everything that leaves the converter at `out_v`, with what charges the capacitors from `before_v`.
    fn leaves_a(&self, out_v: f64, before_v: f64) -> f64 {
        let taken_a = self.board.way_ohm().map_or(0.0, |way_ohm| self.taken_a(out_v, way_ohm));
        taken_a + out_v / self.board.bleed_ohm + self.board.held_f() * (out_v - before_v) / TICK_S
    }

    fn electrical_step(&mut self) {
        self.heat_j += self.loss_w * TICK_S * self.held_ticks as f64;
        self.held_ticks = 0;
        let before = (self.source.terminals_v, self.source.current_a, self.out_v, self.stage, self.loss_w);
        let power_w = self.point.out_v * self.point.out_a + self.loss_w;
        let (lead_ohm, divider_ohm) = (self.leads.input_ohm, self.board.divider_ohm);
        let running = self.point.mode != Mode::Off;
        let draws_a = move |terminals_v: f64| {
            let idle_a = terminals_v / divider_ohm;
            if !running || terminals_v <= 0.0 {
                return idle_a;
            }
            // (v - i R) i = P: the smaller root; beyond the wire's best match there is none.
            let square = terminals_v.powi(2) - 4.0 * power_w * lead_ohm;
            idle_a
                + if square < 0.0 {
                    terminals_v / (2.0 * lead_ohm)
                } else {
                    2.0 * power_w / (terminals_v + square.sqrt())
                }
        };
        self.source.step(TICK_S, self.board.input_f, draws_a);
        self.converter_step();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        self.frozen = matches!(self.stage, Stage::Stopped | Stage::Running { low_ticks: 0 })
            && before.3 == self.stage
            && near(before.0, self.source.terminals_v)
            && near(before.1, self.source.current_a)
            && near(before.2, self.out_v)
            && near(before.4, self.loss_w);
        self.heat_j += self.loss_w * TICK_S;
    }

    fn converter_step(&mut self) {
        let input_v = self.input_v();
        if input_v < self.board.stop_v || self.thermal.hot_c > SHUTDOWN_C {
            self.stage = Stage::Stopped;
        } else if self.stage == Stage::Stopped && input_v >= self.board.start_v {
            self.stage = Stage::Starting(0);
        }
        let droop_v = LOAD_REGULATION_OHM * self.point.out_a.min(self.board.limit_a);
        let target_v = self.board.output_v - droop_v + DRIFT_V_PER_K * (self.thermal.board_c - 25.0);
        let reference_v = match self.stage {
            Stage::Starting(ticks) => target_v * f64::from(ticks + 1) / f64::from(SOFT_START_TICKS),
            Stage::Running { .. } => target_v,
            Stage::Stopped | Stage::Resting(_) => 0.0,
        };
        let before_v = self.out_v;
        let switching = reference_v > 0.0;
        let available_a = if switching { self.board.limit_a } else { 0.0 };
        self.out_v = self.reached_v(before_v, reference_v, available_a);
        if let (Some(foreign_v), Some(_)) = (self.foreign_v, self.board.way_ohm()) {
            self.out_v = self.out_v.max(foreign_v);
        }
        self.point = if switching {
            let out_a = self.leaves_a(self.out_v, before_v).clamp(0.0, self.board.limit_a);
            Operating::at(&self.board, input_v, self.out_v, out_a)
        } else {
            Operating::off(input_v, self.out_v)
        };
        self.loss_w = self.point.loss_w(&self.board);
        self.stage = self.next_stage(target_v);
    }

    /// Where the output gets to within one step (implicit Euler).
    ///
    /// The converter gives up to `available_a` below its reference and nothing above it; what leaves grows with the
    /// voltage, so there is one balance, at the reference or found by bisection on either side.
    fn reached_v(&self, before_v: f64, reference_v: f64, available_a: f64) -> f64 {
        let at_reference_a = self.leaves_a(reference_v, before_v);
        let (given_a, mut low_v, mut high_v) = if at_reference_a < 0.0 {
            (0.0, reference_v, before_v)
        } else if at_reference_a <= available_a {
            return reference_v;
        } else {
            (available_a, 0.0, reference_v)
        };
        if self.leaves_a(low_v, before_v) > given_a {
            return low_v;
        }
        for _ in 0..40 {
            let middle_v = 0.5 * (low_v + high_v);
            if self.leaves_a(middle_v, before_v) > given_a {
                high_v = middle_v;
            } else {
                low_v = middle_v;
            }
        }
        if low_v < 1e-3 { 0.0 } else { low_v }
    }

    fn next_stage(&self, target_v: f64) -> Stage {
        match self.stage {
            Stage::Stopped => Stage::Stopped,
            Stage::Starting(ticks) if ticks + 1 < SOFT_START_TICKS => Stage::Starting(ticks + 1),
            Stage::Starting(_) if self.out_v < 0.5 * target_v => Stage::Resting(0),
            Stage::Starting(_) => Stage::Running { low_ticks: 0 },
            Stage::Running { low_ticks } if self.out_v < 0.5 * target_v => {
                if low_ticks >= COLLAPSE_TICKS {
                    Stage::Resting(0)
                } else {
                    Stage::Running { low_ticks: low_ticks + 1 }
                }
            }
            Stage::Running { .. } => Stage::Running { low_ticks: 0 },
            Stage::Resting(ticks) if ticks >= HICCUP_TICKS => Stage::Starting(0),
            Stage::Resting(ticks) => Stage::Resting(ticks + 1),
        }
    }

    /// From now on the board regulates to so much more.
    pub(crate) fn shift_output(&mut self, by_v: f64) {
        self.board.output_v += by_v;
        if let Some(ageing) = &mut self.ageing {
            ageing.shift_output(by_v);
        }
    }

    fn thermal_step(&mut self, index: u64) {
        self.heat_j += self.loss_w * TICK_S * self.held_ticks as f64;
        self.held_ticks = 0;
        // The room's air wanders by some tenths of a kelvin over the better part of an hour.
        let at_s = index as f64 * THERMAL_STEP_S;
        let wander_k = 0.15 * (at_s * std::f64::consts::TAU / 2400.0).sin();
        let above_k = self.climate.above_k(at_s, THERMAL_STEP_S, self.loss_w);
        self.thermal.ambient_c = self.room_c + wander_k + above_k;
        self.thermal.step(self.heat_j, THERMAL_STEP_S);
        self.heat_j = 0.0;
        self.frozen = false;
        if let Some(ageing) = &mut self.ageing {
            let powered = self.point.mode != Mode::Off;
            ageing.step(&mut self.board, THERMAL_STEP_S, (self.thermal.board_c, powered));
        }
        let board_c = self.thermal.board_c + self.extra_board_k;
        self.warmth.push_back(Warmth { index, board_c, ambient_c: self.thermal.ambient_c });
        if self.warmth.len() > REMEMBERED {
            self.warmth.pop_front();
        }
    }
}
