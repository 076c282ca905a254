//! One acquisition: the settings it was taken with, the moment it shows, and its codes once they are asked for.

use std::panic::resume_unwind;
use std::thread;

use super::{CODES_A_DIV, Channel, Coupling, DIVS, MIDDLE_CODE, SCREEN_POINTS, Scope};
use crate::sim::plant::noise::Generator;
use crate::sim::plant::trace::{Scene, Window};

/// Noise of converter and amplifier: a part of a code, and volts at the tip that no range goes below.
const NOISE_CODES: f64 = 0.5;
const NOISE_V: f64 = 0.2e-3;
/// What the limiter leaves of the noise.
const LIMITED_NOISE: f64 = 0.7;
/// The deepest memory that is drawn for a picture alone, or before it is asked for.
const PICTURE_DEPTH: usize = 1_200_000;
/// Normal deviates drawn once a channel; blocks of it are then taken at random places.
const NOISE_TABLE: usize = 8192;
const NOISE_BLOCK: usize = 256;

/// One acquisition of all channels.
#[derive(Debug, Clone)]
pub(super) struct Capture {
    scene: Scene,
    pub(super) channels: [Channel; 4],
    /// Where time zero of the record lies from the switch's turn-on.
    trigger_s: f64,
    pub(super) time_scale_s: f64,
    pub(super) time_offset_s: f64,
    pub(super) rate_hz: f64,
    pub(super) depth: usize,
    /// Memory of each channel; drawn when it is first read.
    codes: [Option<Vec<u8>>; 4],
    /// What was drawn before it was asked for. A screen does not come from it: what is shown does not depend on it.
    ahead: [Option<Vec<u8>>; 4],
}

impl Capture {
    /// An acquisition whose trigger is met, or that was `forced`.
    pub(super) fn triggered(scope: &Scope, scene: Scene, forced: bool) -> Option<Self> {
        let found = Self::trigger(scope, &scene);
        let trigger_s = if forced { found.unwrap_or_else(|| Self::chance(&scene)) } else { found? };
        Some(Self::at(scope, scene, trigger_s))
    }

    /// An acquisition that takes what there is.
    pub(super) fn of_whatever(scope: &Scope, scene: Scene) -> Self {
        let trigger_s = Self::trigger(scope, &scene).unwrap_or_else(|| Self::chance(&scene));
        Self::at(scope, scene, trigger_s)
    }

    fn at(scope: &Scope, scene: Scene, trigger_s: f64) -> Self {
        let (rate_hz, depth) = scope.memory();
        Self {
            scene,
            channels: scope.channels.clone(),
            trigger_s,
            time_scale_s: scope.time_scale_s,
            time_offset_s: scope.time_offset_s,
            rate_hz,
            depth,
            codes: [None, None, None, None],
            ahead: [None, None, None, None],
        }
    }

    /// Some phase of the switching.
    fn chance(scene: &Scene) -> f64 {
        Generator::seeded(scene.seed ^ 0xcafe).uniform() / scene.board.switching_hz
    }

    /// Where the trigger's level is crossed.
    fn trigger(scope: &Scope, scene: &Scene) -> Option<f64> {
        let channel = &scope.channels[scope.trigger.source];
        let taken_v = Self::mean_taken_v(channel, scene);
        let level_v = scope.trigger.level_v + taken_v;
        scene.crossing_s(channel.wire, level_v, scope.trigger.slope != "NEG", channel.bandwidth_hz())
    }

    /// What AC coupling takes away: the mean.
    fn mean_taken_v(channel: &Channel, scene: &Scene) -> f64 {
        if channel.coupling != Coupling::Ac {
            return 0.0;
        }
        let period_s = 1.0 / scene.point.pulse_hz.max(1.0);
        let count = 4096;
        let window =
            Window { start_s: 0.0, step_s: period_s.min(1e-3) / f64::from(count), count: count as usize };
        let volts = scene.volts(channel.wire, window, channel.bandwidth_hz());
        volts.iter().map(|v| f64::from(*v)).sum::<f64>() / f64::from(count)
    }

    /// Time of the first sample of the memory, relative to the trigger.
    pub(super) fn memory_start_s(&self) -> f64 {
        self.time_offset_s - self.depth as f64 / 2.0 / self.rate_hz
    }

    /// Time of the first point of the screen.
    pub(super) fn screen_start_s(&self) -> f64 {
        self.time_offset_s - DIVS / 2.0 * self.time_scale_s
    }

    /// Codes of the whole memory of a channel.
    pub(super) fn memory(&mut self, index: usize) -> &[u8] {
        if self.codes[index].is_none() {
            if self.ahead[index].is_none() {
                self.draw_memory(index);
            }
            self.codes[index] = self.ahead[index].take();
        }
        self.codes[index].as_deref().unwrap_or_default()
    }

    /// Draws the memory of a channel, and beside it that of the others that are shown: whoever reads one mostly reads them all.
    fn draw_memory(&mut self, index: usize) {
        let window = Window { start_s: self.memory_start_s(), step_s: 1.0 / self.rate_hz, count: self.depth };
        let is_next = |other: &usize| {
            let is_drawn = self.codes[*other].is_some() || self.ahead[*other].is_some();
            self.channels[*other].shown && !is_drawn && self.depth <= PICTURE_DEPTH
        };
        let others: Vec<usize> =
            (0..self.codes.len()).filter(|other| *other != index).filter(is_next).collect();
        let drawn: Vec<(usize, Vec<u8>)> = thread::scope(|scope| {
            let capture = &*self;
            let beside: Vec<_> = others
                .into_iter()
                .map(|other| scope.spawn(move || (other, capture.converted(other, window))))
                .collect();
            let own = (index, self.converted(index, window));
            let joined =
                beside.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            std::iter::once(own).chain(joined).collect()
        });
        for (channel, codes) in drawn {
            self.ahead[channel] = Some(codes);
        }
    }

    /// Codes of the screen: the memory's samples at the screen's points.
    pub(super) fn screen(&mut self, index: usize) -> Vec<u8> {
        let (start_s, step_s) = (self.screen_start_s(), self.time_scale_s / 100.0);
        // A memory that is not otherwise needed is not drawn for a screen.
        if self.codes[index].is_none() {
            return self.converted(index, Window { start_s, step_s, count: SCREEN_POINTS });
        }
        let (memory_start_s, rate_hz, depth) = (self.memory_start_s(), self.rate_hz, self.depth);
        let memory = self.memory(index);
        (0..SCREEN_POINTS)
            .map(|point| {
                let at = (start_s + point as f64 * step_s - memory_start_s) * rate_hz;
                memory[(at.round().max(0.0) as usize).min(depth - 1)]
            })
            .collect()
    }

    /// Lowest and highest code of each of `count` columns of the screen, over all samples of the memory, so that no spike is
    /// lost; a memory too deep to draw for a picture gives the screen's points.
    pub(super) fn columns(&mut self, index: usize, count: usize) -> Vec<(u8, u8)> {
        let extremes = |codes: &[u8]| {
            let low = codes.iter().copied().min().unwrap_or_default();
            (low, codes.iter().copied().max().unwrap_or_default())
        };
        if self.codes[index].is_none() && self.depth > PICTURE_DEPTH {
            let screen = self.screen(index);
            return screen.chunks(SCREEN_POINTS / count).map(extremes).collect();
        }
        let ahead = (self.screen_start_s() - self.memory_start_s()) * self.rate_hz;
        let a_column = DIVS * self.time_scale_s * self.rate_hz / count as f64;
        let memory = self.memory(index);
        (0..count)
            .map(|column| {
                let from = ((ahead + column as f64 * a_column).max(0.0) as usize).min(memory.len() - 1);
                let to = ((ahead + (column + 1) as f64 * a_column).max(0.0) as usize)
                    .clamp(from + 1, memory.len());
                extremes(&memory[from..to])
            })
            .collect()
    }

    /// What the converter makes of a channel's signal.
    fn converted(&self, index: usize, window: Window) -> Vec<u8> {
        let channel = &self.channels[index];
        let window = Window { start_s: window.start_s + self.trigger_s, ..window };
        let mut volts = if channel.coupling == Coupling::Ground {
            vec![0.0; window.count]
        } else {
            self.scene.volts(channel.wire, window, channel.bandwidth_hz())
        };
        let taken_v = Self::mean_taken_v(channel, &self.scene) as f32;
        let code_v = channel.y_increment_v();
        let limited = if channel.limited { LIMITED_NOISE } else { 1.0 };
        let sigma_codes = NOISE_CODES.hypot(NOISE_V / code_v) * limited;
        let sign = if channel.inverted { -1.0 } else { 1.0 };
        let gain = (sign / code_v) as f32;
        // Half a code up, because the cast below cuts off; it also holds the codes within 0 and 255.
        let base = (MIDDLE_CODE + channel.y_origin() + 0.5) as f32;
        let noise = Noise::of(self.scene.seed ^ (index as u64 + 1), sigma_codes as f32);
        noise.add_scaled(&mut volts, |volt| (volt - taken_v) * gain + base);
        volts.into_iter().map(|code| code as u8).collect()
    }

    /// Volts of a code on a channel.
    pub(super) fn volts_of(&self, index: usize, code: u8) -> f64 {
        let channel = &self.channels[index];
        (f64::from(code) - MIDDLE_CODE - channel.y_origin()) * channel.scale_v / CODES_A_DIV
    }
}

/// Cheap normal noise: a table of deviates, taken in blocks from random places. What is shorter than a table is drawn as it is.
struct Noise {
    sigma: f32,
    drawn: Generator,
}

impl Noise {
    fn of(seed: u64, sigma: f32) -> Self {
        Self { sigma, drawn: Generator::seeded(seed) }
    }

    fn next(&mut self) -> f32 {
        self.sigma * self.drawn.normal() as f32
    }

    fn add_scaled(mut self, values: &mut [f32], scaled: impl Fn(f32) -> f32) {
        if values.len() <= NOISE_TABLE {
            values.iter_mut().for_each(|value| *value = scaled(*value) + self.next());
            return;
        }
        let table: Vec<f32> = (0..NOISE_TABLE).map(|_| self.next()).collect();
        for block in values.chunks_mut(NOISE_BLOCK) {
            let at = (self.drawn.bits() % (NOISE_TABLE - NOISE_BLOCK) as u64) as usize;
            for (value, noise) in block.iter_mut().zip(&table[at..]) {
                *value = scaled(*value) + noise;
            }
        }
    }
}
