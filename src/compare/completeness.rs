//! Whether a run came to its end, and which of its points it has if not.

use std::collections::BTreeMap;
use std::time::Duration;

use super::aspect::{Aspect, Kind};
use super::cell::Place;
use super::group::Group;
use super::guard::Difference;
use super::run::NONE_KEPT;
use crate::base::count::counted;
use crate::base::span::render_span;

/// A run with all its points and its end.
pub(super) const COMPLETE: &str = "complete";
/// So many places are named; of more the first ones and the last one.
const NAMED: usize = 4;

/// How far a run came.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress<'r> {
    pub name: &'r str,
    pub points: usize,
    pub planned: usize,
    /// Where it was measured, in the order of the points.
    pub places: Vec<Place>,
    /// Of a soak, from its first point to its last one.
    pub soaked: Option<Duration>,
    pub has_end: bool,
    /// Whether its journal is cut off inside a line.
    pub is_torn: bool,
}

impl Progress<'_> {
    /// One word, or what is missing.
    pub(super) fn told(&self) -> String {
        let is_whole = self.has_end && !self.is_torn;
        if is_whole && self.points >= self.planned {
            return COMPLETE.to_owned();
        }
        let how = match (self.is_torn, self.has_end) {
            (true, _) => "was cut off inside a line of its journal",
            (false, false) => "has no end, for it was cut off or is still going",
            (false, true) => "ended early",
        };
        format!("{} {how}: {}", self.name, self.points_told())
    }

    fn points_told(&self) -> String {
        let planned = counted(self.planned, "point");
        if self.points == 0 {
            return format!("none of {planned}");
        }
        let where_to = self.soaked.map_or_else(
            || self.places_told(),
            |soaked| format!("the last one {} behind the first one", render_span(soaked)),
        );
        format!("{} of {planned} ({where_to})", self.points)
    }

    fn places_told(&self) -> String {
        let mut places: Vec<Place> = Vec::new();
        for place in &self.places {
            if !places.contains(place) {
                places.push(*place);
            }
        }
        let words = |places: &[Place]| places.iter().map(Place::to_string).collect::<Vec<_>>().join("; ");
        match places.as_slice() {
            [first @ .., last] if places.len() > NAMED => {
                format!("{}; … {last}", words(&first[..NAMED - 1]))
            }
            few => words(few),
        }
    }
}

/// Whether no run of a group came to its end: what such a side does not say, it may not have come to.
pub(super) fn is_cut_short(group: &Group) -> bool {
    let told = group.aspects.get(&Kind::Completeness.whole());
    told.is_some_and(|values| !values.is_empty() && !values.contains(COMPLETE))
}

/// Whether no run of a group kept a trace: what only traces tell, such a side does not say.
pub(super) fn keeps_none(group: &Group) -> bool {
    let told = group.aspects.get(&Kind::Traces.whole());
    told.is_some_and(|values| values.iter().all(|value| value == NONE_KEPT))
}

/// What the sides of a comparison do not say, because their runs did not come to it or kept no trace that would tell.
#[derive(Debug, Default)]
pub(super) struct Unsaid {
    pub before: Vec<Aspect>,
    pub after: Vec<Aspect>,
}

impl Unsaid {
    /// Of runs that kept no trace: told once, with the difference in kept traces. It weighs no more for it: how the output was
    /// captured the noise floors tell, or else the capture settings stand by themselves.
    pub(super) fn tell_of_traces(self, differences: &mut [Difference]) {
        let told = differences.iter_mut().find(|difference| difference.kind == Kind::Traces);
        let Some(told) = told else { return };
        told.before += &nothing_by_signal(&self.before);
        told.after += &nothing_by_signal(&self.after);
    }

    /// Of runs that did not come to it: told once, with the difference in completeness, and as heavily as the heaviest of it.
    pub(super) fn tell_in(self, differences: &mut [Difference]) {
        let told = differences.iter_mut().find(|difference| difference.kind == Kind::Completeness);
        let Some(told) = told else { return };
        told.before += &nothing_of(&self.before);
        told.after += &nothing_of(&self.after);
        let heaviest = self.before.iter().chain(&self.after).map(Aspect::weight).max();
        told.weight = heaviest.map_or(told.weight, |weight| weight.max(told.weight));
    }
}

fn nothing_of(aspects: &[Aspect]) -> String {
    let mut titles: Vec<&str> = Vec::new();
    for title in aspects.iter().map(|aspect| aspect.kind.title()) {
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    if titles.is_empty() { String::new() } else { format!(", and nothing yet of {}", titles.join(", ")) }
}

/// What is not told of which signal, whatever the purpose of the capture.
fn nothing_by_signal(aspects: &[Aspect]) -> String {
    let mut by_signal: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for aspect in aspects {
        let signal = aspect.of.split_once(", ").map_or(aspect.of.as_str(), |(signal, _)| signal);
        let titles = by_signal.entry(signal).or_default();
        if !titles.contains(&aspect.kind.title()) {
            titles.push(aspect.kind.title());
        }
    }
    let told: Vec<String> =
        by_signal.into_iter().map(|(signal, titles)| format!("{signal} ({})", titles.join(", "))).collect();
    if told.is_empty() { String::new() } else { format!(", which leaves untold {}", told.join(" and ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::Setting;

    #[test]
    fn a_run_without_its_end_tells_which_of_its_points_it_has() {
        let place = |load: f64| Place::of(Setting { vin: Volts(24.0), load: Amps(load) });
        let cut = Progress {
            name: "b2",
            points: 3,
            planned: 32,
            places: vec![place(0.1), place(0.5), place(0.1)],
            ..Progress::default()
        };
        let no_end = "b2 has no end, for it was cut off or is still going: ";
        assert_eq!(cut.told(), format!("{no_end}3 of 32 points (24 V, 100 mA; 24 V, 500 mA)"));
        assert_eq!(
            Progress { points: 0, places: Vec::new(), ..cut.clone() }.told(),
            format!("{no_end}none of 32 points")
        );
        let many = Progress {
            points: 6,
            places: (1..7).map(|load| place(f64::from(load))).collect(),
            ..cut.clone()
        };
        assert_eq!(
            many.told(),
            format!("{no_end}6 of 32 points (24 V, 1 A; 24 V, 2 A; 24 V, 3 A; … 24 V, 6 A)")
        );
        let soak = Progress { soaked: Some(Duration::from_secs(7200)), has_end: true, ..cut.clone() };
        assert_eq!(soak.told(), "b2 ended early: 3 of 32 points (the last one 2 h behind the first one)");
        let torn = Progress { points: 32, has_end: true, is_torn: true, ..cut.clone() };
        assert!(torn.told().starts_with("b2 was cut off inside a line of its journal: 32 of 32 points ("));
        assert_eq!(Progress { points: 32, has_end: true, ..cut }.told(), COMPLETE);
    }
}
