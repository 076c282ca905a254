//! Whether two groups may be compared at all: every difference that is not the board, with its weight.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::aspect::{Aspect, Kind, Weight};
use super::completeness::{COMPLETE, Unsaid, is_cut_short, keeps_none};
use super::group::Group;
use super::quantity::Quantity;
use super::regulation;
use super::run::PAST_DUE;
use super::run_order::{Kept, RunOrder};
use super::scores::{match_places, scores_of};
use super::soak;
use crate::base::count::counted;
use crate::base::stats::mean;
use crate::event::FigureName;

/// Mean ambient temperatures nearer than this are one, in kelvin: thermometers differ as much.
const SAME_AIR_K: f64 = 1.0;
/// From this on the air may explain a part of a change: with 0.4 % a kelvin of copper, a winding's loss moves by over 1 %.
const OTHER_AIR_K: f64 = 3.0;

/// Looks that no aspect tells: points, copies, regulation, settling, ambient, revisions, order of runs.
const OWN_LOOKS: usize = 7;

/// What came of the look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparability {
    /// Nothing that matters differs.
    Comparable,
    /// Something differs that may explain a part of a change.
    Except,
    /// The figures of the groups mean different things.
    NotComparable,
}

impl Comparability {
    /// As it is told.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Comparable => "comparable",
            Self::Except => "comparable except",
            Self::NotComparable => "not comparable",
        }
    }
}

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// What.
    pub kind: Kind,
    /// Of which roles, signals or figures; empty for the whole run.
    pub of: Vec<String>,
    /// How heavily it weighs.
    pub weight: Weight,
    /// What the runs before say.
    pub before: String,
    /// What the runs after say.
    pub after: String,
}

impl Difference {
    /// What a person calls it, e.g. `firmware of scope`.
    #[must_use]
    pub fn title(&self) -> String {
        match self.of.as_slice() {
            [] => self.kind.title().to_owned(),
            of => format!("{} of {}", self.kind.title(), of.join("; ")),
        }
    }
}

/// The outcome, with the heaviest difference first.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// What came of it.
    pub comparability: Comparability,
    /// What does not agree.
    pub differences: Vec<Difference>,
    /// How many things were looked at.
    pub looked_at: usize,
}

/// Looks at everything that two groups say of how they were measured, and when.
#[must_use]
pub fn check_comparable(before: &Group, after: &Group, order: &RunOrder) -> Guard {
    let nothing = BTreeSet::new();
    let mut differences = Vec::new();
    let (mut unsaid, mut unkept) = (Unsaid::default(), Unsaid::default());
    let all: BTreeSet<&Aspect> = before.aspects.keys().chain(after.aspects.keys()).collect();
    let measured = measured(before, after);
    // How a figure would have been made that no board has is nothing that could differ.
    let is_idle = |aspect: &Aspect| {
        aspect.kind == Kind::Definition
            && !measured.contains(aspect.of.as_str())
            && aspect.of.parse::<FigureName>().is_ok()
    };
    for aspect in all.iter().filter(|aspect| aspect.kind != Kind::Seed && !is_idle(aspect)) {
        let (left, right) =
            (before.aspects.get(aspect).unwrap_or(&nothing), after.aspects.get(aspect).unwrap_or(&nothing));
        if left.is_empty() && aspect.is_of_captures() && keeps_none(before) {
            unkept.before.push((*aspect).clone());
        } else if right.is_empty() && aspect.is_of_captures() && keeps_none(after) {
            unkept.after.push((*aspect).clone());
        } else if left.is_empty() && is_cut_short(before) {
            unsaid.before.push((*aspect).clone());
        } else if right.is_empty() && is_cut_short(after) {
            unsaid.after.push((*aspect).clone());
        } else {
            differences.extend(difference(aspect, left, right));
        }
    }
    unsaid.tell_in(&mut differences);
    unkept.tell_of_traces(&mut differences);
    differences.extend(points(before, after));
    differences.extend(copies(before, after));
    differences.extend(regulation::difference(before, after));
    differences.extend(regulation::unsettled(before, after));
    differences.extend(seeds(before, after));
    differences.extend(ambient(before, after));
    differences.extend(revisions(before, after));
    differences.extend(order.differences());
    if order.kept == Kept::WithinRuns {
        differences.extend(warmth(before, after));
    }
    let differences = together(differences);
    let comparability = match differences.first().map(|difference| difference.weight) {
        None | Some(Weight::Slight) => Comparability::Comparable,
        Some(Weight::Matters) => Comparability::Except,
        Some(Weight::Breaks) => Comparability::NotComparable,
    };
    Guard { comparability, differences, looked_at: all.len() + OWN_LOOKS }
}

/// Boards are compared with themselves, and none stands on both sides: there is nothing more to look at.
#[must_use]
pub(super) fn without_pairs(before: &Group, after: &Group) -> Guard {
    let words = |group: &Group| listed(&group.boards.keys().map(ToString::to_string).collect());
    let difference = Difference {
        kind: Kind::Pairs,
        of: Vec::new(),
        weight: Weight::Breaks,
        before: words(before),
        after: words(after),
    };
    Guard { comparability: Comparability::NotComparable, differences: vec![difference], looked_at: 1 }
}

/// The keys of all that some board of either side has.
fn measured(before: &Group, after: &Group) -> BTreeSet<&'static str> {
    let boards = before.boards.values().chain(after.boards.values());
    boards.flat_map(|board| board.cells.keys()).map(|(quantity, _)| quantity.key()).collect()
}

fn difference(aspect: &Aspect, left: &BTreeSet<String>, right: &BTreeSet<String>) -> Option<Difference> {
    let is_one = left.len() == 1 && left == right;
    // Complete on both sides is what everybody expects; that something is past due on both sides must be told.
    let is_past = |value: &String| value.starts_with(PAST_DUE);
    let is_fault = (aspect.kind == Kind::Calibration && left.union(right).any(is_past))
        || as_expected(aspect.kind).is_some_and(|expected| left.union(right).any(|value| value != expected));
    if is_one && !is_fault {
        return None;
    }
    // Both sides were measured in the same several ways: what that does is in the scatter of both.
    let weight = if left == right && aspect.weight() != Weight::Breaks {
        Weight::Slight
    } else if left == right {
        Weight::Matters
    } else {
        aspect.weight()
    };
    let words = |values: &BTreeSet<String>| {
        if values.is_empty() { "nothing said".to_owned() } else { listed(values) }
    };
    let of = if aspect.of.is_empty() { Vec::new() } else { vec![aspect.of.clone()] };
    Some(Difference { kind: aspect.kind, of, weight, before: words(left), after: words(right) })
}

/// Values in a row. Of a thousand runs that were cut short a few are named.
pub(super) fn listed(values: &BTreeSet<String>) -> String {
    const MOST: usize = 8;
    let more = values.len().saturating_sub(MOST);
    let mut told = values.iter().take(MOST).cloned().collect::<Vec<_>>().join("; ");
    if more > 0 {
        told += &format!("; and {more} more");
    }
    told
}

/// What everybody expects; anything else is told, though both sides agree in it.
const fn as_expected(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Completeness => Some(COMPLETE),
        Kind::Coverage => Some(soak::WHOLE),
        Kind::Interruptions => Some(soak::NOTHING),
        Kind::Starts => Some(soak::ALL_STARTED),
        _ => None,
    }
}

fn points(before: &Group, after: &Group) -> Option<Difference> {
    let (left, right) = (before.common_places(), after.common_places());
    let all: BTreeSet<_> = before.all_places().union(&after.all_places()).copied().collect();
    let common = left.intersection(&right).count();
    if common == all.len() && common > 0 {
        return None;
    }
    let weight = if common == 0 { Weight::Breaks } else { Weight::Matters };
    let words = |own: usize| format!("{own} points at every board, {common} of them on both sides");
    Some(Difference {
        kind: Kind::Points,
        of: Vec::new(),
        weight,
        before: words(left.len()),
        after: words(right.len()),
    })
}

/// Runs that stand in two folders, on one side or on both: known by the name and the instant that they were begun with. Stretches
/// of one run are no copies.
fn copies(before: &Group, after: &Group) -> Option<Difference> {
    let known = |group: &Group| -> Vec<(String, Timestamp)> {
        let whole = group.members.iter().filter(|member| member.window.is_none());
        whole.map(|member| (member.name.clone(), member.started)).collect()
    };
    let mut all: BTreeMap<_, usize> = BTreeMap::new();
    for run in known(before).into_iter().chain(known(after)) {
        *all.entry(run).or_default() += 1;
    }
    let words = |group: &Group| {
        let twice = known(group).into_iter().filter(|run| all.get(run).is_some_and(|count| *count > 1));
        let told: BTreeSet<String> = twice.map(|(name, _)| name).collect();
        if told.is_empty() { "none".to_owned() } else { listed(&told) }
    };
    all.values().any(|count| *count > 1).then(|| Difference {
        kind: Kind::Copies,
        of: Vec::new(),
        weight: Weight::Matters,
        before: words(before),
        after: words(after),
    })
}

/// Runs of the simulated bench that share a seed share the noise of its instruments.
fn seeds(before: &Group, after: &Group) -> Option<Difference> {
    let of = |group: &Group| group.aspects.get(&Kind::Seed.whole()).cloned().unwrap_or_default();
    let (left, right) = (of(before), of(after));
    let shares = |group: &Group, seeds: &BTreeSet<String>| {
        let runs: BTreeSet<_> = group.members.iter().map(|member| &member.folder).collect();
        !seeds.is_empty() && seeds.len() < runs.len()
    };
    // One seed for all runs of both sides: the noise is the same and falls out of the change.
    if left == right || !(shares(before, &left) || shares(after, &right)) {
        return None;
    }
    let words = |seeds: &BTreeSet<String>, runs: usize| {
        format!("{} in {}: {}", counted(seeds.len(), "seed"), counted(runs, "run"), listed(seeds))
    };
    Some(Difference {
        kind: Kind::Seed,
        of: Vec::new(),
        weight: Weight::Matters,
        before: words(&left, before.members.len()),
        after: words(&right, after.members.len()),
    })
}

fn ambient(before: &Group, after: &Group) -> Option<Difference> {
    let words = |group: &Group| {
        group.ambient.map_or_else(
            || "not measured".to_owned(),
            |air| format!("{:.1} °C (runs {:.1} to {:.1} °C)", air.mean_c, air.low_c, air.high_c),
        )
    };
    let weight = match (before.ambient, after.ambient) {
        (None, None) => return None,
        (Some(left), Some(right)) => {
            let apart = (left.mean_c - right.mean_c).abs();
            let spread = left.high_c.max(right.high_c) - left.low_c.min(right.low_c);
            if apart >= OTHER_AIR_K {
                Weight::Matters
            } else if apart >= SAME_AIR_K || spread >= OTHER_AIR_K {
                Weight::Slight
            } else {
                return None;
            }
        }
        // Where no point was measured, no air was either.
        _ if before.boards.values().chain(after.boards.values()).any(|board| board.places.is_empty()) => {
            return None;
        }
        _ => Weight::Matters,
    };
    Some(Difference {
        kind: Kind::Ambient,
        of: Vec::new(),
        weight,
        before: words(before),
        after: words(after),
    })
}

/// A side that holds boards of several revisions, perhaps by a pattern that found one run too many.
fn revisions(before: &Group, after: &Group) -> Option<Difference> {
    let words =
        |group: &Group| group.revisions.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    (before.revisions.len() > 1 || after.revisions.len() > 1).then(|| Difference {
        kind: Kind::Revisions,
        of: Vec::new(),
        weight: Weight::Matters,
        before: words(before),
        after: words(after),
    })
}

/// Of stretches of the same runs: whether the boards were as warm.
fn warmth(before: &Group, after: &Group) -> Option<Difference> {
    let matched = match_places(Quantity::Figure(FigureName::BoardTemperature), before, after)?;
    let (left, right) = (mean(&scores_of(&matched.before))?, mean(&scores_of(&matched.after))?);
    ((right - left).abs() >= OTHER_AIR_K).then(|| Difference {
        kind: Kind::Warmth,
        of: Vec::new(),
        weight: Weight::Matters,
        before: format!("{left:.1} °C"),
        after: format!("{right:.1} °C"),
    })
}

/// Differences that say the same of several things become one: fifty definitions are one line.
fn together(differences: Vec<Difference>) -> Vec<Difference> {
    let mut joined: Vec<Difference> = Vec::new();
    for next in differences {
        let twin = joined.iter_mut().find(|known| {
            (known.kind, &known.before, &known.after, known.weight)
                == (next.kind, &next.before, &next.after, next.weight)
        });
        match twin {
            Some(twin) => twin.of.extend(next.of),
            None => joined.push(next),
        }
    }
    joined.sort_by_key(|difference| std::cmp::Reverse(difference.weight));
    joined
}

#[cfg(test)]
mod tests {
    use super::super::group::Member;
    use super::super::stretch::Window;
    use super::*;
    use crate::base::clock::Instant;

    fn member(name: &str, folder: &str, window: Option<Window>) -> Member {
        Member {
            name: name.to_owned(),
            folder: folder.into(),
            started: "2026-01-01T00:00:00Z".parse().unwrap(),
            window,
            serial: "A1".parse().unwrap(),
            revision: "A".parse().unwrap(),
            turn: None,
        }
    }

    #[test]
    fn a_run_that_stands_in_two_folders_is_told_on_one_side_and_on_both_and_its_stretches_are_not() {
        let side = |names: &[&str], window: Option<Window>| {
            let mut group = Group::new("A");
            group.members = names.iter().map(|name| member(name, "somewhere", window)).collect();
            group
        };
        let told = |before: &[&str], after: &[&str]| {
            copies(&side(before, None), &side(after, None))
                .map(|found| format!("{} | {}", found.before, found.after))
        };
        assert_eq!(told(&["a", "b"], &["c"]), None);
        assert_eq!(told(&["a", "b"], &["a"]).as_deref(), Some("a | a"));
        assert_eq!(told(&["a", "a"], &["c"]).as_deref(), Some("a | none"));
        let stretch = Some(Window { from: Instant(0), to: Instant(1) });
        assert_eq!(copies(&side(&["a"], stretch), &side(&["a"], stretch)), None);
    }

    #[test]
    fn seeds_that_runs_share_matter_where_the_sides_have_others() {
        let side = |seeds: &[&str]| {
            let mut group = Group::new("A");
            let seeds = seeds.iter().map(|seed| (*seed).to_owned()).collect();
            group.aspects.insert(Kind::Seed.whole(), seeds);
            group.members = ["one", "other"].map(|folder| member("", folder, None)).to_vec();
            group
        };
        let told = |before: &[&str], after: &[&str]| {
            seeds(&side(before), &side(after)).map(|found| format!("{} | {}", found.before, found.after))
        };
        assert_eq!(told(&["1"], &["1"]), None, "the same noise falls out of the change");
        assert_eq!(told(&["1", "2"], &["3", "4"]), None, "noise of its own in every run");
        assert_eq!(told(&["1"], &["2"]).as_deref(), Some("1 seed in 2 runs: 1 | 1 seed in 2 runs: 2"));
        assert_eq!(seeds(&Group::new("A"), &Group::new("B")), None, "a real bench has none");
    }
}
