//! The sweeps against each other: the last one with the first that found the board as warm. Pure.

use std::collections::BTreeMap;

use super::jump::Jump;
use super::story::Story;
use crate::base::stats::median;
use crate::event::{FigureName, PointResult, Setting};

/// What the sweeps are compared in.
pub const COMPARED: [FigureName; 7] = [
    FigureName::Vout,
    FigureName::Efficiency,
    FigureName::RipplePp,
    FigureName::NoisePp20Mhz,
    FigureName::SpikePos,
    FigureName::SpikeNeg,
    FigureName::BoardTemperature,
];

/// A figure: its value in both sweeps, where both could be had, and the one change between two sweeps that stands out.
pub type ComparedFigure = (FigureName, Option<f64>, Option<f64>, Option<Jump>);

/// The figures of one setting in the two sweeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The setting.
    pub setting: Setting,
    /// The figures.
    pub figures: Vec<ComparedFigure>,
}

/// How warm the board was at the first of the two sweeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmth {
    /// A phase that ends in thermal steady state was over.
    WarmedUp,
    /// The phases had begun.
    Underway,
    /// Nothing was held before it.
    Cold,
}

/// The sweeps of a run, and two of them compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweeps {
    /// How many there are.
    pub count: u32,
    /// The two that are compared, by their numbers, and how warm the board was at the first of them; `None` where there are no two.
    pub pair: Option<(u32, u32, Warmth)>,
    /// The settings of both.
    pub compared: Vec<Compared>,
}

/// So much apart a board is not as warm.
const AS_WARM_K: f64 = 1.0;

impl Sweeps {
    /// By how much the board was warmer at the last sweep, in kelvin, where that is enough to matter: the middle of all settings.
    #[must_use]
    pub fn warmer_k(&self) -> Option<f64> {
        let figures = self.compared.iter().flat_map(|compared| &compared.figures);
        let changes = figures
            .filter(|(name, ..)| *name == FigureName::BoardTemperature)
            .filter_map(|(_, before, after, _)| Some((*after)? - (*before)?));
        median(&changes.collect::<Vec<_>>()).filter(|change| change.abs() > AS_WARM_K)
    }
}

/// Compares the sweeps among these points, which have their times in seconds since the start of the run.
#[must_use]
pub fn build(points: &[(f64, &PointResult)], story: &Story) -> Sweeps {
    let of_sweeps: Vec<(f64, &PointResult)> =
        points.iter().filter(|(_, point)| point.phase.is_none()).copied().collect();
    let count = of_sweeps.iter().map(|(_, point)| point.repeat).max().unwrap_or(0);
    let Some((first, warmth)) = first(&of_sweeps, story, count) else {
        return Sweeps { count, pair: None, compared: Vec::new() };
    };
    let results = || of_sweeps.iter().map(|(_, point)| *point).filter(|point| point.repeat >= first);
    let values = |setting: Setting, name: FigureName| -> Vec<(u32, f64)> {
        let of_setting = results().filter(|point| point.setting == setting);
        of_setting.filter_map(|point| Some((point.repeat, point.figures.value(name)?))).collect()
    };
    let befores = || results().filter(|point| point.repeat == first);
    let of_all =
        COMPARED.map(|name| befores().map(|before| values(before.setting, name)).collect::<Vec<_>>());
    let compared = befores().enumerate().filter_map(|(place, before)| {
        let after = results().find(|point| point.setting == before.setting && point.repeat == count)?;
        let figures = COMPARED.iter().zip(&of_all).map(|(name, of_all)| {
            let jump = Jump::among(&of_all[place]).filter(|jump| jump.stands_out_of(of_all));
            (*name, before.figures.value(*name), after.figures.value(*name), jump)
        });
        Some(Compared { setting: before.setting, figures: figures.collect() })
    });
    Sweeps { count, pair: Some((first, count, warmth)), compared: compared.collect() }
}

/// The first sweep that is like the last one, or else the first one.
fn first(of_sweeps: &[(f64, &PointResult)], story: &Story, last: u32) -> Option<(u32, Warmth)> {
    // A sweep is as early as its first point.
    let mut begins_s: BTreeMap<u32, f64> = BTreeMap::new();
    for (at_s, point) in of_sweeps.iter().filter(|(_, point)| point.repeat < last) {
        begins_s.entry(point.repeat).or_insert(*at_s);
    }
    let behind =
        |at_s: f64| begins_s.iter().find(|(_, begins_s)| **begins_s > at_s).map(|(number, _)| *number);
    // Also a phase whose time was over before the board was steady is told.
    let warmed =
        story.steady.iter().find(|steady| steady.steady).map(|steady| (steady.at_s, Warmth::WarmedUp));
    let begun = story.stretches.first().map(|stretch| (stretch.span_s.0, Warmth::Underway));
    let known = [warmed, begun, Some((0.0, Warmth::Cold))];
    known.into_iter().flatten().find_map(|(at_s, warmth)| Some((behind(at_s)?, warmth)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};

    #[test]
    fn a_board_that_is_not_as_warm_at_the_last_sweep_is_told_by_how_much() {
        let warmer = |changes: &[Option<f64>]| {
            let compared = changes.iter().map(|change| Compared {
                setting: Setting { vin: Volts(24.0), load: Amps(0.5) },
                figures: vec![(
                    FigureName::BoardTemperature,
                    Some(35.0),
                    change.map(|change| 35.0 + change),
                    None,
                )],
            });
            Sweeps { count: 2, pair: None, compared: compared.collect() }.warmer_k()
        };
        assert_eq!(warmer(&[Some(-3.5), Some(-3.0), Some(-2.5)]), Some(-3.0));
        assert_eq!(warmer(&[Some(-0.5), Some(9.0), Some(0.5)]), None, "one setting alone");
        assert_eq!(warmer(&[None]), None);
    }
}
