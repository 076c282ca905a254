//! What is left out of a cycle around its edges, so that the spikes there are no ripple (R2, R3).

use super::fold::PHASES;
use super::switching::{Edges, Switching};

/// Phases this long before an edge are blanked, in seconds.
const BEFORE_S: f64 = 0.1e-6;

/// Phases this long after an edge are blanked, in seconds.
const AFTER_S: f64 = 1.0e-6;

/// The blanking of one record: that of the definition, and what its edges and its sample rate ask beyond.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blanking {
    /// On both sides of each edge as much more, because samples lie so far apart, in seconds.
    pub sampled_s: f64,
    /// On both sides of the fall as much more again, because falls lie so far from their mean phase, in seconds.
    pub wander_s: f64,
}

impl Blanking {
    /// What a record needs: a phase is read between two samples, and neither may lie in a spike. Beyond 0.1 us nothing that the
    /// definition leaves out hides a spike that comes early.
    #[must_use]
    pub fn of(switching: &Switching) -> Self {
        let interval_s = 1.0 / switching.rate_hz;
        let farthest_s = farthest_fall(&switching.edges) * switching.period * interval_s;
        Self::for_edges(interval_s, farthest_s)
    }

    /// For samples so far apart, and falls so far from their mean phase.
    fn for_edges(interval_s: f64, farthest_s: f64) -> Self {
        Self {
            sampled_s: (2.0 * interval_s - BEFORE_S).max(0.0),
            wander_s: (farthest_s + interval_s - BEFORE_S).max(0.0),
        }
    }

    /// Which phases of the cycle stay.
    #[must_use]
    pub fn kept_phases(&self, switching: &Switching) -> Vec<bool> {
        let period_s = switching.period / switching.rate_hz;
        let fall_s = switching.duty * period_s;
        let on_fall_s = self.sampled_s + self.wander_s;
        let edges = [
            (0.0, self.sampled_s),
            (period_s, self.sampled_s),
            (fall_s, on_fall_s),
            (fall_s - period_s, on_fall_s),
        ];
        (0..PHASES)
            .map(|phase| {
                let time_s = phase as f64 / PHASES as f64 * period_s;
                edges.iter().all(|(edge_s, more_s)| {
                    !(edge_s - BEFORE_S - more_s..=edge_s + AFTER_S + more_s).contains(&time_s)
                })
            })
            .collect()
    }
}

/// How far a fall lies from the mean phase of the falls, at most, in periods.
fn farthest_fall(edges: &Edges) -> f64 {
    let mut falling = edges.falling.iter().copied().peekable();
    let mut phases = Vec::new();
    for cycle in edges.rising.windows(2) {
        while falling.next_if(|edge| *edge <= cycle[0]).is_some() {}
        if let Some(edge) = falling.peek().filter(|edge| **edge < cycle[1]) {
            phases.push((edge - cycle[0]) / (cycle[1] - cycle[0]));
        }
    }
    let mean = phases.iter().sum::<f64>() / phases.len().max(1) as f64;
    phases.iter().fold(0.0, |most, phase| (phase - mean).abs().max(most))
}

/// What the kept phases show of a triangle that rises to its top at the fall, as a part of its peak to peak.
#[must_use]
pub fn part_left(kept: &[bool], duty: f64) -> f64 {
    let triangle = |phase: f64| if phase < duty { phase / duty } else { (1.0 - phase) / (1.0 - duty) };
    let (low, high) = (0..kept.len())
        .filter(|phase| kept[*phase])
        .map(|phase| triangle(phase as f64 / kept.len() as f64))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    (high - low).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blanking_grows_where_samples_lie_far_apart_and_falls_wander() {
        for (rate_hz, farthest_s, sampled_s, wander_s) in [
            (100e6, 0.0, 0.0, 0.0),
            (100e6, 90e-9, 0.0, 0.0),
            (100e6, 0.24e-6, 0.0, 0.15e-6),
            (20e6, 50e-9, 0.0, 0.0),
            (5e6, 0.0, 0.3e-6, 0.1e-6),
            (5e6, 0.2e-6, 0.3e-6, 0.3e-6),
        ] {
            let found = Blanking::for_edges(1.0 / rate_hz, farthest_s);
            assert!((found.sampled_s - sampled_s).abs() < 1e-12, "{rate_hz} {found:?}");
            assert!((found.wander_s - wander_s).abs() < 1e-12, "{rate_hz} {farthest_s} {found:?}");
        }
    }

    #[test]
    fn falls_are_held_against_their_mean_phase() {
        let edges = Edges {
            rising: vec![0.0, 100.0, 200.0, 300.0, 400.0],
            falling: vec![20.0, 120.0, 230.0, 310.0, 399.0],
        };
        // 20, 20, 30 and 10 of 100; what falls after the last rise but one counts once.
        assert!((farthest_fall(&edges) - 0.1).abs() < 1e-12);
        assert_eq!(farthest_fall(&Edges::default()), 0.0);
    }

    #[test]
    fn a_triangle_loses_its_corners_to_the_blanking() {
        let all = vec![true; PHASES];
        assert!((part_left(&all, 0.25) - 1.0).abs() < 0.01);
        let corners: Vec<bool> =
            (0..PHASES).map(|phase| (100..225).contains(&phase) || (350..975).contains(&phase)).collect();
        // From 0.025 / 0.75 up to 0.9.
        assert!((part_left(&corners, 0.25) - (0.897 - 0.035)).abs() < 0.01, "{}", part_left(&corners, 0.25));
        assert_eq!(part_left(&[false; 10], 0.25), 0.0);
    }
}
