//! All cycles of a record laid over each other: the mean cycle that ripple is read from.

use super::switching::Edges;
use super::wide::{Work, widen};

/// Phases a cycle is resampled to for the ripple estimators.
pub const PHASES: usize = 1000;

/// The arithmetic mean over all whole cycles at [`PHASES`] even phases, by linear interpolation, in levels less the first one.
/// There are so many samples, and `fill` gives their levels from one on. Phases that are not `wanted` cost nothing and stay 0. Empty where there is no whole cycle.
///
/// The mean and not the median: the median over cycles of a quantised record snaps to half a step.
#[must_use]
pub(super) fn mean_cycle(
    (samples, fill): (usize, impl Fn(usize, &mut [u16])),
    edges: &Edges,
    wanted: &[bool],
) -> Vec<f64> {
    let mut sums = vec![0.0_f64; PHASES];
    // Words lie about level 32768; taking that away first saves the digits that the ripple needs.
    let mut base = [0];
    fill(0, &mut base);
    let base = f32::from(base[0]);
    let phases: Vec<f32> =
        (0..PHASES).filter(|phase| wanted.get(*phase) == Some(&true)).map(|phase| phase as f32).collect();
    let count = phases.len();
    let (mut few, mut added) = (vec![0.0_f32; count], vec![0.0_f64; count]);
    let (mut at, mut part, mut pairs) = (vec![0; count], vec![0.0; count], vec![0; count]);
    let (mut cycles, mut levels) = (0_u32, Vec::new());
    for cycle in edges.rising.windows(2) {
        let (start, pitch) = (cycle[0], (cycle[1] - cycle[0]) / PHASES as f64);
        // The last phase read needs the sample after it.
        if start < 0.0 || start + pitch * (PHASES - 1) as f64 + 1.0 >= samples as f64 {
            continue;
        }
        let terms = (start.fract() as f32, pitch as f32);
        widen(Place { terms, phases: &phases, at: &mut at, part: &mut part });
        // The sample before the cycle's end and the one behind it, however both ends are rounded.
        let (from, length) = (start as usize, (cycle[1] - cycle[0]) as usize + 3);
        levels.resize(length.min(samples - from), 0);
        fill(from, &mut levels);
        read_pairs(&levels, &at, &mut pairs);
        widen(AddPairs { pairs: &pairs, part: &part, base, sums: &mut few });
        cycles += 1;
        if cycles.is_multiple_of(TOGETHER) {
            flush(&mut few, &mut added);
        }
    }
    flush(&mut few, &mut added);
    if cycles == 0 {
        return Vec::new();
    }
    for (phase, sum) in phases.iter().zip(added) {
        sums[*phase as usize] = sum / f64::from(cycles);
    }
    sums
}

/// Cycles that are summed in f32, before they are added to the rest in f64.
const TOGETHER: u32 = 8;

/// Adds the sums of a few cycles to those of all, and begins them anew.
fn flush(few: &mut [f32], all: &mut [f64]) {
    for (few, all) in few.iter_mut().zip(all) {
        *all += f64::from(std::mem::take(few));
    }
}

/// Phases of one cycle to be found among its samples.
struct Place<'a> {
    /// Where the cycle starts behind its first sample, and the distance of the phases.
    terms: (f32, f32),
    phases: &'a [f32],
    /// The sample before each phase, counted from the one before the cycle's start.
    at: &'a mut [u32],
    /// How far behind that sample it lies, in samples.
    part: &'a mut [f32],
}

/// Added to a number far under it, this leaves the nearest whole number in the lowest bits.
const WHOLE: f32 = 8_388_608.0;

impl Work for Place<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (start, pitch) = self.terms;
        for ((at, part), phase) in self.at.iter_mut().zip(self.part).zip(self.phases) {
            let position = start + pitch * phase;
            let nearest = position + WHOLE - WHOLE;
            let whole = if nearest > position { nearest - 1.0 } else { nearest };
            *at = (whole + WHOLE).to_bits() & 0x007f_ffff;
            *part = position - whole;
        }
    }
}

/// The samples before and behind each place, in one number each. One after the other: no processor is quick at reading many
/// places at once.
#[inline(never)]
fn read_pairs(cycle: &[u16], at: &[u32], pairs: &mut [u32]) {
    for (pair, at) in pairs.iter_mut().zip(at) {
        if let Some([left, right]) = cycle.get(*at as usize..).and_then(|rest| rest.first_chunk::<2>()) {
            *pair = u32::from(*left) | u32::from(*right) << 16;
        }
    }
}

/// Interpolated levels of one cycle to be added to those of the others.
struct AddPairs<'a> {
    pairs: &'a [u32],
    part: &'a [f32],
    base: f32,
    sums: &'a mut [f32],
}

impl Work for AddPairs<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for ((sum, pair), part) in self.sums.iter_mut().zip(self.pairs).zip(self.part) {
            let left = (pair & 0xffff) as i32 as f32 - self.base;
            let right = (pair >> 16) as i32 as f32 - self.base;
            *sum += left + (right - left) * part;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waveform::block::made::Dice;

    #[test]
    fn the_mean_cycle_is_its_definition_at_every_wanted_phase() {
        let mut dice = Dice(4);
        let levels: Vec<u16> = (0..9_000).map(|_| (32_768.0 + 900.0 * dice.noise()) as u16).collect();
        let rising: Vec<f64> = (0..20).map(|n| 5.3 + 411.17 * f64::from(n) + dice.uniform()).collect();
        let edges = Edges { rising: rising.clone(), falling: Vec::new() };
        let wanted: Vec<bool> =
            (0..PHASES).map(|phase| !(7..150).contains(&phase) && phase % 333 != 0).collect();
        let fill = |from: usize, part: &mut [u16]| part.copy_from_slice(&levels[from..from + part.len()]);
        let found = mean_cycle((levels.len(), fill), &edges, &wanted);
        for phase in (0..PHASES).filter(|phase| wanted[*phase]) {
            let mut sum = 0.0;
            for cycle in rising.windows(2) {
                let position = cycle[0] + (cycle[1] - cycle[0]) / PHASES as f64 * phase as f64;
                let (at, part) = (position as usize, position.fract());
                let (left, right) = (f64::from(levels[at]), f64::from(levels[at + 1]));
                sum += left + (right - left) * part - f64::from(levels[0]);
            }
            assert!((found[phase] - sum / 19.0).abs() < 0.05, "{phase}");
        }
    }
}
