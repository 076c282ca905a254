//! The line sender: twice a second `board=41.2500 ambient=23.1250 seq=123`, two DS18B20 with 0.0625 °C a step.

use std::time::Duration;

use crate::base::clock::Instant;

use super::decimal::fixed;
use super::plant::noise::Generator;
use super::world::Bench;
use crate::base::random::mix;

/// Time between two lines.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);
const STEP_C: f64 = 0.0625;
/// What a sensor scatters: about its step, so that a healthy one never says the same for long.
const SCATTER_C: f64 = 0.06;

/// When line `index` is out.
pub(crate) fn due(index: u64) -> Instant {
    Instant(PERIOD.as_nanos() as u64 * index)
}

/// The first line that is out after `now`.
pub(crate) fn next_after(now: Instant) -> u64 {
    now.0 / PERIOD.as_nanos() as u64 + 1
}

/// The last lines, by their numbers: each sensor has a link of its own, on which all lines come.
#[derive(Debug, Default)]
pub(crate) struct Lines([(u64, String); 4]);

/// Line `index`, as far as it is still remembered.
pub(crate) fn line(bench: &mut Bench, index: u64) -> Option<String> {
    if let Some(frozen) = &bench.faults.thermometer_frozen {
        return Some(frozen.clone());
    }
    let warmth = bench.plant.warmth.iter().rev().find(|warmth| warmth.index == index)?;
    let kept = &mut bench.lines.0[(index % 4) as usize];
    if kept.0 == index && !kept.1.is_empty() {
        return Some(kept.1.clone());
    }
    // Drawn from the line's number alone, so that every listener reads the same.
    let mut noise = Generator::seeded(mix(bench.seed ^ 0x04) ^ index);
    let mut shown = |true_c: f64| ((true_c + SCATTER_C * noise.normal()) / STEP_C).round() * STEP_C;
    let (board_c, ambient_c) = (shown(warmth.board_c), shown(warmth.ambient_c));
    let line = format!("board={} ambient={} seq={index}", fixed(board_c, 4), fixed(ambient_c, 4));
    *kept = (index, line.clone());
    Some(line)
}

/// The line that was sent last.
pub(crate) fn latest(bench: &mut Bench) -> Option<String> {
    let index = bench.plant.warmth.back()?.index;
    line(bench, index)
}
