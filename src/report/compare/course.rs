//! How two groups of soaks stand to each other step by step, in words and as rows of a picture.

use super::amount::{Amounts, Levels};
use super::bound_words;
use super::parts::{Part, part};
use super::pictures::{Forest, ForestRow, RowKind};
use super::words::valued_points;
use crate::base::count::counted;
use crate::compare::course::{Course, Growth, Over};
use crate::compare::effect::{Effect, Interval, Sense};
use crate::compare::quantity::{Better, Quantity};
use crate::waveform::Bound;

/// One step of a quantity in words.
#[derive(Debug, Clone, PartialEq)]
pub struct StepLine {
    /// What the step is called.
    pub title: String,
    /// Levels before and after.
    pub levels: String,
    /// The change with its interval, or why there is none.
    pub change: String,
    /// A word or two for it.
    pub sense: &'static str,
}

/// A quantity step by step.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// Which.
    pub quantity: Quantity,
    /// Its steps.
    pub steps: Vec<StepLine>,
    /// Whether the difference grows.
    pub growth: String,
    /// The steps under one another, and the growth last.
    pub picture: Forest,
}

/// Every quantity that somebody made the change for or pays for it with.
#[must_use]
pub fn lines(course: &Course) -> Vec<Lines> {
    let shown = |growth: &&Growth| matches!(part(growth.quantity), Part::Bought | Part::Price);
    course.growth.iter().filter(shown).map(|growth| of_quantity(course, growth)).collect()
}

/// What the steps are, as a heading.
#[must_use]
pub fn heading(course: &Course) -> String {
    match course.over {
        Over::Phase => "phase by phase".to_owned(),
        Over::Span(_) => format!("over the hours, {} at a time", course.over),
    }
}

fn of_quantity(course: &Course, growth: &Growth) -> Lines {
    let quantity = growth.quantity;
    let effects: Vec<(&str, Option<&Effect>)> = (course.steps.iter())
        .map(|step| {
            let own = step.effects.iter().find(|effect| effect.quantity() == quantity);
            (step.title.as_str(), own)
        })
        .collect();
    let steps = course.steps.iter().zip(&effects);
    let columns = Columns::of(quantity, effects.iter().filter_map(|(_, effect)| *effect));
    let steps = steps.map(|(of, (title, effect))| step(title, of.boards, *effect, columns)).collect();
    let grown = growth.effect.as_ref();
    let rows = effects
        .iter()
        .filter_map(|(title, effect)| row(RowKind::Point, title, (*effect)?, columns.change))
        .chain(
            grown.ok().and_then(|effect| row(RowKind::All, "growth, first to last", effect, columns.change)),
        );
    // One unit for all rows, or they could not stand on one axis.
    let amounts = columns.change;
    let rows = rows.map(|row| row.scaled(amounts.factor())).collect();
    let worse_is_more = match quantity.better() {
        Better::Lower => Some(true),
        Better::Higher => Some(false),
        Better::Neither => None,
    };
    let axis = format!("change of the {} in {}", quantity.title(), amounts.unit);
    Lines { quantity, steps, growth: grown_words(growth), picture: Forest { axis, worse_is_more, rows } }
}

/// How the columns of a table of steps are written.
#[derive(Debug, Clone, Copy)]
struct Columns {
    before: Levels,
    after: Levels,
    change: Amounts,
}

impl Columns {
    fn of<'e>(quantity: Quantity, effects: impl Iterator<Item = &'e Effect> + Clone) -> Self {
        let levels = effects.clone().filter_map(|effect| effect.levels);
        Self {
            before: Levels::for_column(quantity, levels.clone().map(|levels| levels.0)),
            after: Levels::for_column(quantity, levels.map(|levels| levels.1)),
            change: Amounts::for_column(quantity, effects),
        }
    }

    fn levels(self, effect: &Effect) -> String {
        let quantity = effect.quantity();
        let shown = effect.levels.map(|(before, after)| {
            let of = valued_points(effect).map_or_else(String::new, |of| format!(" ({of})"));
            format!("{} to {}{of}", self.before.show(quantity, before), self.after.show(quantity, after))
        });
        shown.unwrap_or_else(|| "–".to_owned())
    }
}

fn step(title: &str, boards: (usize, usize), effect: Option<&Effect>, columns: Columns) -> StepLine {
    let of_boards = format!("{} before, {} after", counted(boards.0, "board"), boards.1);
    let title = title.to_owned();
    let bound = effect.filter(|effect| effect.is_told_by_bounds()).and_then(bound_words::mean);
    match (effect, bound, effect.and_then(|effect| effect.change)) {
        (Some(effect), Some(bound), _) => {
            let sure =
                bound_words::sure(effect).map_or_else(String::new, |sure| format!("95 % sure: {sure}; "));
            let change = format!("{bound} ({sure}{of_boards})");
            StepLine { title, levels: columns.levels(effect), change, sense: effect.sense().word() }
        }
        (Some(effect), None, Some(change)) => {
            let (change, ends) = (columns.change.full(change), ends(effect, columns.change));
            let change = format!("{change} ({ends}; {of_boards})");
            StepLine { title, levels: columns.levels(effect), change, sense: effect.sense().word() }
        }
        _ => {
            let change = format!("no value on every board ({of_boards})");
            StepLine { title, levels: "–".to_owned(), change, sense: "not known" }
        }
    }
}

fn ends(effect: &Effect, amounts: Amounts) -> String {
    effect.certainty.interval.as_ref().map_or_else(
        |why| format!("no interval, for {why}"),
        |Interval { low, high }| {
            format!("95 % interval {} to {}", amounts.signed(*low), amounts.signed(*high))
        },
    )
}

fn grown_words(growth: &Growth) -> String {
    let effect = match &growth.effect {
        Ok(effect) => effect,
        Err(why) => return format!("whether the difference grows is not known: {why}"),
    };
    let change = effect.change.unwrap_or(0.0);
    let (verb, size) = (effect.sense().word(), Amounts::of(effect).full(change));
    let own = effect.levels.map_or_else(String::new, |(before, after)| {
        let amounts = |value| Amounts::for_change(growth.quantity, value, None).full(value);
        format!("; the boards before moved by {}, those after by {}", amounts(before), amounts(after))
    });
    format!(
        "from the first step to the last one the difference moves by {size} ({}): {verb}{own}",
        ends(effect, Amounts::of(effect))
    )
}

fn row(kind: RowKind, label: &str, effect: &Effect, amounts: Amounts) -> Option<ForestRow> {
    if let (Some(bounded), Some(told), true) =
        (&effect.bounded, bound_words::mean(effect), effect.is_told_by_bounds())
    {
        // As the table tells it: the few points with values are just those at which the change is least hidden.
        return Some(ForestRow {
            kind,
            label: label.to_owned(),
            value: bounded.change,
            interval: None,
            is_undecided: !matches!(effect.sense(), Sense::Better | Sense::Worse | Sense::Changed),
            truth_is_more: Some(bounded.bound == Bound::Lower),
            told,
        });
    }
    let value = effect.change?;
    let interval = effect.interval();
    let told = match interval {
        Some(Interval { low, high }) => {
            format!("{} ({} to {})", amounts.full(value), amounts.signed(low), amounts.signed(high))
        }
        None => amounts.full(value),
    };
    Some(ForestRow {
        kind,
        label: label.to_owned(),
        value,
        interval: interval.map(|ends| (ends.low, ends.high)),
        is_undecided: interval.is_none_or(|ends| ends.holds(0.0)),
        truth_is_more: None,
        told,
    })
}

impl ForestRow {
    /// In another unit.
    fn scaled(self, factor: f64) -> Self {
        let interval = self.interval.map(|(low, high)| (low * factor, high * factor));
        Self { value: self.value * factor, interval, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::compare::cell::{Cell, Place};
    use crate::compare::comparison::{Request, compare};
    use crate::compare::group::{BoardCells, Group};
    use crate::event::{FigureName, Setting};

    /// Two boards a decibel apart, with these values and bounds at rising loads.
    fn group(name: &str, values: &[(f64, Option<Bound>)]) -> Group {
        let mut group = Group::new(name);
        for (number, add) in [0.0, 1.0].into_iter().enumerate() {
            let cells = values.iter().enumerate().map(|(load, (value, bound))| {
                let place = Place::of(Setting { vin: Volts(24.0), load: Amps(load as f64) });
                ((Quantity::Figure(FigureName::RipplePp), place), Cell::one(value + add, *bound))
            });
            let board = BoardCells { cells: cells.collect(), ..BoardCells::default() };
            group.boards.insert(format!("{name}{number}").parse().unwrap(), board);
        }
        group
    }

    #[test]
    fn a_step_of_which_a_bound_is_told_is_drawn_as_that_bound() {
        let drawn = |after: &[(f64, Option<Bound>)]| {
            let request = Request { is_forced: true, ..Request::default() };
            let found = compare(&group("a", &[(40.0, None); 3]), &group("b", after), &request);
            let effect = found.effect(Quantity::Figure(FigureName::RipplePp)).unwrap();
            row(RowKind::Point, "0 s to 2 h", effect, Amounts::of(effect)).unwrap()
        };
        let most = Some(Bound::Upper);
        let bound = drawn(&[(7.0, None), (10.0, most), (10.0, most)]);
        assert_eq!((bound.truth_is_more, bound.interval, bound.is_undecided), (Some(false), None, false));
        assert!((bound.value + 31.0).abs() < 1e-9 && bound.told.starts_with("≤ −31.0"), "{bound:?}");
        let value = drawn(&[(7.0, None), (8.0, None), (10.0, most)]);
        assert!(value.truth_is_more.is_none() && value.interval.is_some(), "{value:?}");
    }
}
