//! All cycles of a record laid over each other: the mean cycle that ripple is read from.

use super::switching::Edges;

/// Phases a cycle is resampled to for the ripple estimators.
pub const PHASES: usize = 1000;

/// The arithmetic mean over all whole cycles at [`PHASES`] even phases, by linear interpolation, in levels less the first one.
///
/// The mean and not the median: the median over cycles of a quantised record snaps to half a step.
#[must_use]
pub fn mean_cycle(levels: &[u16], edges: &Edges) -> Vec<f64> {
    let mut sums = vec![0.0_f64; PHASES];
    // Words lie about level 32768; taking that away first saves the digits that the ripple needs.
    let base = f64::from(levels.first().copied().unwrap_or(0));
    let mut cycles = 0_u32;
    for cycle in edges.rising.windows(2) {
        let (start, pitch) = (cycle[0], (cycle[1] - cycle[0]) / PHASES as f64);
        // The last phase read needs the sample after it.
        if start < 0.0 || start + pitch * (PHASES - 1) as f64 + 1.0 >= levels.len() as f64 {
            continue;
        }
        for (phase, sum) in sums.iter_mut().enumerate() {
            let position = start + pitch * phase as f64;
            let index = position as usize;
            let (left, right) = (f64::from(levels[index]) - base, f64::from(levels[index + 1]) - base);
            *sum += left + (right - left) * (position - index as f64);
        }
        cycles += 1;
    }
    if cycles == 0 {
        return Vec::new();
    }
    sums.iter_mut().for_each(|sum| *sum /= f64::from(cycles));
    sums
}
