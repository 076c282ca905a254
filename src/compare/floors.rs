//! What probe and scope alone show of noise: the floors that stand beside its change.

use std::collections::{BTreeMap, BTreeSet};

use super::effect::Interval;
use super::quantity::{Quantity, Scale};
use super::spectra::{PURPOSES, SetUp, set_up};
use crate::event::{FigureName as F, NoiseFloor, PointId};
use crate::waveform::Acquisition;

/// Which capture a figure is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The fine one.
    Fine,
    /// The wide one.
    Wide,
    /// The fine one, unless samples of it are clipped.
    Whole,
    /// As the one before, and the wide one, too, where the scope limits the fine one.
    Unlimited,
}

/// Figures that captures with the outputs off have, too, and what they are taken from.
const FLOORED: [(F, Source); 14] = [
    (F::NoisePp20Mhz, Source::Whole),
    (F::NoiseRms20Mhz, Source::Whole),
    (F::NoisePp20MhzK2, Source::Whole),
    (F::NoiseRms20MhzK2, Source::Whole),
    (F::NoisePp20MhzK4, Source::Whole),
    (F::NoiseRms20MhzK4, Source::Whole),
    (F::BandRms100KhzTo1Mhz, Source::Whole),
    (F::BandRms1To20Mhz, Source::Whole),
    (F::BandRms20To50Mhz, Source::Whole),
    (F::RmsAc, Source::Unlimited),
    (F::NoiseSigma, Source::Fine),
    (F::NoisePpFull, Source::Wide),
    (F::SpikePos, Source::Wide),
    (F::SpikeNeg, Source::Wide),
];

/// Why a figure of what rides on the output has no floor beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoFloor {
    /// Nothing was captured with the outputs off.
    NotCaptured,
    /// No such trace was kept.
    NotKept,
    /// The figure is found by the edges of the switch node.
    NeedsEdges,
    /// The captures with the outputs off do not tell it.
    NotTold,
}

impl NoFloor {
    /// As it is told.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::NotCaptured => "nothing was captured with the outputs off",
            Self::NotKept => "no trace with the outputs off was kept",
            Self::NeedsEdges => {
                "it is found by the edges of the switch node, which stands still with the outputs off"
            }
            Self::NotTold => {
                "the captures with the outputs off lie under a step of the converter, or do not tell it"
            }
        }
    }
}

/// Why a quantity has no floor; `None` where it is none of what rides on the output, or there is one.
#[must_use]
pub fn why_none(quantity: Quantity, sides: [&Floors; 2]) -> Option<NoFloor> {
    if quantity.scale() != Scale::Decibels || sides.iter().any(|floors| floors.contains_key(&quantity)) {
        return None;
    }
    let is_captured = sides.iter().any(|floors| floors.keys().any(|of| matches!(of, Quantity::Figure(_))));
    Some(match quantity {
        Quantity::Band(_) => NoFloor::NotKept,
        Quantity::Figure(name) if FLOORED.iter().all(|(floored, _)| *floored != name) => NoFloor::NeedsEdges,
        _ if is_captured => NoFloor::NotTold,
        _ => NoFloor::NotCaptured,
    })
}

/// The capture in the range of the ripple, and that in the range of the spikes; a run may make one of them only.
const FINE: &str = PURPOSES[0];
const WIDE: &str = PURPOSES[1];

/// Lowest and highest floor by quantity, in the quantity's own unit.
pub type Floors = BTreeMap<Quantity, Interval>;

/// The floors of a run on their way in, and the set-ups that its points were captured in.
#[derive(Debug, Default)]
pub(super) struct FloorsRead {
    measured: Vec<NoiseFloor>,
    captures: BTreeMap<PointId, BTreeSet<SetUp>>,
}

impl FloorsRead {
    /// Takes a floor.
    pub(super) fn take(&mut self, floor: NoiseFloor) {
        self.measured.push(floor);
    }

    /// Takes how a point was captured.
    pub(super) fn take_capture(&mut self, point: PointId, about: &Acquisition) {
        self.captures.entry(point).or_default().insert(set_up(about));
    }

    /// The floors of the captures that the figures of these points were taken from; where no trace was kept to tell, of all. Of a
    /// point comes whether its 20 MHz figures were taken from the wide capture. A floor of 0 stands on one step of the converter
    /// and was not measured.
    pub(super) fn of_points(&self, points: impl Iterator<Item = (PointId, bool)>) -> Floors {
        let mut found = Floors::new();
        let mut add = |name: F, floor: &NoiseFloor| {
            if let Some(level) = floor.figures.value(name).map(f64::abs).filter(|level| *level > 0.0) {
                widen(&mut found, Quantity::Figure(name), Interval { low: level, high: level });
            }
        };
        if self.captures.is_empty() {
            self.measured.iter().for_each(|floor| FLOORED.iter().for_each(|(name, _)| add(*name, floor)));
            return found;
        }
        for (point, is_from_wide) in points {
            let Some(captures) = self.captures.get(&point) else { continue };
            // The scope's limiter is set by purpose, so that any fine floor tells.
            let is_limited = self.measured.iter().any(|floor| {
                floor.acquisition.purpose == FINE && floor.acquisition.bandwidth_limit_hz.is_some()
            });
            for (name, source) in FLOORED {
                let purpose = match source {
                    Source::Wide => WIDE,
                    Source::Whole if is_from_wide => WIDE,
                    Source::Unlimited if is_from_wide || is_limited => WIDE,
                    Source::Fine | Source::Whole | Source::Unlimited => FINE,
                };
                let is_source =
                    |set_up: &SetUp| set_up.0 == purpose || captures.iter().all(|other| other.0 != purpose);
                let floors = self.measured.iter().filter(|floor| {
                    let of = set_up(&floor.acquisition);
                    captures.contains(&of) && is_source(&of)
                });
                floors.for_each(|floor| add(name, floor));
            }
        }
        found
    }
}

/// Takes the floors of a run into those of its side.
pub(super) fn merge(into: &mut Floors, more: Floors) {
    for (quantity, floor) in more {
        widen(into, quantity, floor);
    }
}

fn widen(floors: &mut Floors, quantity: Quantity, floor: Interval) {
    let known = floors.entry(quantity).or_insert(floor);
    *known = Interval { low: known.low.min(floor.low), high: known.high.max(floor.high) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Figures;
    use crate::waveform::Coupling;

    fn how(purpose: &str, volts_per_div: f64) -> Acquisition {
        Acquisition {
            signal: "vout".to_owned(),
            channel: 1,
            coupling: Coupling::Ac,
            bandwidth_limit_hz: None,
            probe_ratio: 10.0,
            fixture: String::new(),
            volts_per_div,
            offset_v: 0.0,
            memory_depth: 1000,
            purpose: purpose.to_owned(),
            range_note: None,
        }
    }

    /// Floors by purpose, range and peak to peak; the captures of points; and points with whether their 20 MHz figures are from the
    /// wide one.
    fn floors(
        measured: &[(&str, f64, f64)],
        captures: &[(u32, &str, f64)],
        points: &[(u32, bool)],
    ) -> Vec<(&'static str, f64, f64)> {
        let mut read = FloorsRead::default();
        for (purpose, range, value) in measured {
            let names = [F::NoisePp20Mhz, F::NoisePpFull];
            let figures: Figures = names.into_iter().map(|name| (name, Ok(*value))).collect();
            read.take(NoiseFloor { acquisition: how(purpose, *range), step_s: 1e-8, figures });
        }
        for (point, purpose, range) in captures {
            read.take_capture(PointId(*point), &how(purpose, *range));
        }
        let points = points.iter().map(|(point, is_from_wide)| (PointId(*point), *is_from_wide));
        read.of_points(points).iter().map(|(of, floor)| (of.key(), floor.low, floor.high)).collect()
    }

    #[test]
    fn each_figure_has_the_floor_of_the_capture_that_it_is_taken_from() {
        let of = |limit: Option<f64>, is_from_wide: bool, name: F| {
            let mut read = FloorsRead::default();
            for (purpose, level) in [(FINE, 1e-3), (WIDE, 9e-3)] {
                let mut acquisition = how(purpose, 0.1);
                acquisition.bandwidth_limit_hz = limit.filter(|_| purpose == FINE);
                let figures = [(name, Ok(level))].into_iter().collect();
                read.take(NoiseFloor { acquisition: acquisition.clone(), step_s: 1e-8, figures });
                read.take_capture(PointId(1), &acquisition);
            }
            let found = read.of_points([(PointId(1), is_from_wide)].into_iter());
            found.get(&Quantity::Figure(name)).map(|floor| if floor.high > 2e-3 { WIDE } else { FINE })
        };
        let limited = Some(20e6);
        let table = [
            (F::SpikeNeg, None, false, Some(WIDE)),
            (F::NoiseSigma, limited, true, Some(FINE)),
            (F::BandRms1To20Mhz, limited, false, Some(FINE)),
            (F::BandRms1To20Mhz, limited, true, Some(WIDE)),
            // The rms of the whole band comes from the finest capture that nothing limits.
            (F::RmsAc, None, false, Some(FINE)),
            (F::RmsAc, limited, false, Some(WIDE)),
            (F::RmsAc, None, true, Some(WIDE)),
            (F::RipplePp, None, false, None),
        ];
        for (name, limit, is_from_wide, expected) in table {
            assert_eq!(of(limit, is_from_wide, name), expected, "{name} {limit:?} {is_from_wide}");
        }
    }

    #[test]
    fn where_there_is_no_floor_it_is_told_why_and_only_of_what_rides_on_the_output() {
        let noise = Quantity::Figure(F::NoisePp20Mhz);
        let (none, some) = (Floors::new(), Floors::from([(noise, Interval { low: 1e-3, high: 1e-3 })]));
        let why = |quantity: Quantity, floors: &Floors| why_none(quantity, [&none, floors]);
        assert_eq!((why(noise, &some), why(noise, &none)), (None, Some(NoFloor::NotCaptured)));
        assert_eq!(why(Quantity::Figure(F::SpikePos), &some), Some(NoFloor::NotTold));
        assert_eq!(why(Quantity::Figure(F::RipplePp), &some), Some(NoFloor::NeedsEdges));
        assert_eq!(why(Quantity::Band(super::super::band::Band::Edges), &some), Some(NoFloor::NotKept));
        assert_eq!(why(Quantity::Figure(F::Loss), &none), None);
        assert_eq!(why(Quantity::StartUp, &none), None);
    }

    #[test]
    fn only_floors_of_captures_are_told_that_a_figure_was_taken_from() {
        let measured = [
            ("ripple", 0.01, 1e-3),
            ("ripple", 0.1, 7e-3),
            ("spikes", 0.5, 30e-3),
            ("spikes", 1.0, 60e-3),
            ("spikes", 2.0, 90e-3),
        ];
        let captures = [
            (1, "ripple", 0.01),
            (1, "spikes", 0.5),
            (2, "ripple", 0.01),
            (2, "spikes", 1.0),
            (3, "ripple", 0.1),
            (3, "spikes", 2.0),
        ];
        let (pp_20, full) = ("noise_pp_20mhz_v", "noise_pp_full_v");
        let of = |points: &[(u32, bool)]| floors(&measured, &captures, points);
        let sorted = |mut floors: Vec<(&'static str, f64, f64)>| {
            floors.sort_by_key(|floor| floor.0);
            floors
        };
        assert_eq!(sorted(of(&[(1, false), (2, false)])), [(pp_20, 1e-3, 1e-3), (full, 30e-3, 60e-3)]);
        // Where spikes leave the range of the ripple, the 20 MHz figures have the floor of the wide capture.
        assert_eq!(sorted(of(&[(1, true)])), [(pp_20, 30e-3, 30e-3), (full, 30e-3, 30e-3)]);
        assert_eq!(sorted(of(&[(1, false), (2, true)])), [(pp_20, 1e-3, 60e-3), (full, 30e-3, 60e-3)]);
        assert_eq!(of(&[(9, false)]), []);
        // No trace that would tell: all that it may have been.
        assert_eq!(
            sorted(floors(&measured, &[], &[(1, false)])),
            [(pp_20, 1e-3, 90e-3), (full, 1e-3, 90e-3)]
        );
        // One capture for everything, and one step of the converter, which is no floor.
        let only = |value| floors(&[("ripple", 0.01, value)], &[(1, "ripple", 0.01)], &[(1, false)]);
        assert_eq!(sorted(only(1e-3)), [(pp_20, 1e-3, 1e-3), (full, 1e-3, 1e-3)]);
        assert_eq!(only(0.0), []);
    }
}
