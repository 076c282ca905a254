//! The worst points of a run in every figure that a board gets worse in. One fold for what is kept while a run goes on and for
//! what its report shows. Pure.

use std::collections::BTreeMap;

use super::{FigureName, PointId, PointResult, Region, Worse};
use crate::base::units::Volts;

/// The figures of which the worst are kept and shown: every column of `points.csv` that has a side on which it is worse.
pub fn watched() -> impl Iterator<Item = FigureName> {
    FigureName::ALL.iter().copied().filter(|figure| figure.is_column() && figure.worse().is_some())
}

/// One of the worst points in a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Which point.
    pub point: PointId,
    /// More is worse.
    badness: f64,
}

/// The worst points so far in each figure, as points come in the order of measurement.
#[derive(Debug, Clone)]
pub struct Ranking {
    most: usize,
    nominal: Volts,
    /// The worst first.
    worst: BTreeMap<FigureName, Vec<Ranked>>,
    /// The first value at each setting of a figure that is worse the farther it goes away from it.
    first: BTreeMap<(FigureName, [u64; 2]), f64>,
}

impl Ranking {
    /// Keeps so many of each figure, of a board with this output voltage.
    #[must_use]
    pub const fn new(most: usize, nominal: Volts) -> Self {
        Self { most, nominal, worst: BTreeMap::new(), first: BTreeMap::new() }
    }

    /// Takes a finished point and gives the figures in which it is among the worst so far.
    pub fn take(&mut self, result: &PointResult) -> Vec<FigureName> {
        watched().filter(|figure| self.rank(*figure, result)).collect()
    }

    /// The worst points in a figure, the worst first.
    #[must_use]
    pub fn worst(&self, figure: FigureName) -> &[Ranked] {
        self.worst.get(&figure).map_or(&[], Vec::as_slice)
    }

    fn rank(&mut self, figure: FigureName, result: &PointResult) -> bool {
        let Some(badness) = self.badness(figure, result).filter(|badness| badness.is_finite()) else {
            return false;
        };
        let worst = self.worst.entry(figure).or_default();
        let place = worst.iter().position(|known| badness > known.badness).unwrap_or(worst.len());
        if place >= self.most {
            return false;
        }
        worst.insert(place, Ranked { point: result.point, badness });
        worst.truncate(self.most);
        true
    }

    fn badness(&mut self, figure: FigureName, result: &PointResult) -> Option<f64> {
        let value = result.figures.value(figure)?;
        match figure.worse()? {
            Worse::Less => Some(-value),
            Worse::More => Some(value),
            // A sweep also goes where the board is not meant to be in regulation.
            Worse::Away if result.phase.is_none() && result.region != Region::Regulated => None,
            Worse::Away if figure == FigureName::Vout => Some((value - self.nominal.value()).abs()),
            Worse::Away => {
                let setting = [result.setting.vin.value(), result.setting.load.value()].map(f64::to_bits);
                let first = *self.first.entry((figure, setting)).or_insert(value);
                Some((value - first).abs())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::Amps;
    use crate::event::{PointVerdict, Regulation, Setting};

    fn result(point: u32, load: f64, figures: &[(FigureName, f64)]) -> PointResult {
        PointResult {
            point: PointId(point),
            repeat: 1,
            phase: Some(0),
            setting: Setting { vin: Volts(24.0), load: Amps(load) },
            figures: figures.iter().map(|(name, value)| (*name, Ok(*value))).collect(),
            bounds: BTreeMap::new(),
            region: Region::Regulated,
            regulation: Ok(Regulation::ConstantVoltage),
            checks: Vec::new(),
            verdict: PointVerdict::Pass,
            notes: Vec::new(),
        }
    }

    /// The worst two of one figure, taken from points with these values in turn.
    fn worst(figure: FigureName, values: &[f64]) -> Vec<u32> {
        let mut ranking = Ranking::new(2, Volts(5.0));
        for (value, point) in values.iter().zip(1..) {
            ranking.take(&result(point, 0.5, &[(figure, *value)]));
        }
        ranking.worst(figure).iter().map(|ranked| ranked.point.0).collect()
    }

    #[test]
    fn each_figure_is_ranked_by_the_side_on_which_it_is_worse() {
        assert_eq!(worst(FigureName::BoardTemperature, &[-10.0, 40.0, 39.0, 41.0]), [4, 2]);
        assert_eq!(worst(FigureName::Efficiency, &[0.8, 0.79, 0.81, 0.6]), [4, 2]);
        assert_eq!(worst(FigureName::SpikeNeg, &[-0.1, -0.3, -0.2, 0.0]), [2, 3]);
        assert_eq!(worst(FigureName::Vout, &[5.0, 4.9, 5.2, 5.05]), [3, 2]);
        assert_eq!(worst(FigureName::Switching, &[100.0, 90.0, 101.0, 120.0]), [4, 2]);
        assert_eq!(worst(FigureName::AmbientTemperature, &[20.0, 90.0]), [0; 0]);
        // Of two that are alike the first stays in front.
        assert_eq!(worst(FigureName::RipplePp, &[0.02, 0.02, 0.02]), [1, 2]);
    }

    #[test]
    fn a_frequency_that_belongs_to_another_setting_is_no_deviation() {
        let mut ranking = Ranking::new(1, Volts(5.0));
        for (point, load, hertz) in [(1, 0.5, 100.0), (2, 0.01, 20.0), (3, 0.5, 103.0), (4, 0.01, 21.0)] {
            ranking.take(&result(point, load, &[(FigureName::Switching, hertz)]));
        }
        assert_eq!(ranking.worst(FigureName::Switching)[0].point, PointId(3));
    }

    #[test]
    fn a_sweep_below_the_input_voltage_of_regulation_is_no_worst_output_voltage() {
        let mut ranking = Ranking::new(3, Volts(5.0));
        let off = |phase| PointResult {
            region: Region::Off,
            phase,
            ..result(7, 0.5, &[(FigureName::Vout, 0.001), (FigureName::Efficiency, 0.1)])
        };
        assert_eq!(ranking.take(&off(None)), [FigureName::Efficiency]);
        assert_eq!(ranking.take(&off(Some(1))), [FigureName::Vout, FigureName::Efficiency]);
    }
}
