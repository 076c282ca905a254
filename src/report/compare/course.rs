//! How two groups of soaks stand to each other step by step, in words and as rows of a picture.

use super::amount::{Amounts, level};
use super::bound_words;
use super::parts::{Part, part};
use super::pictures::{Forest, ForestRow, RowKind};
use crate::base::count::counted;
use crate::compare::course::{Course, Growth, Over};
use crate::compare::effect::{Effect, Interval};
use crate::compare::quantity::{Better, Quantity};

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
    let steps = steps.map(|(of, (title, effect))| step(title, of.boards, *effect)).collect();
    let grown = growth.effect.as_ref();
    let rows = effects
        .iter()
        .filter_map(|(title, effect)| row(RowKind::Point, title, (*effect)?))
        .chain(grown.ok().and_then(|effect| row(RowKind::All, "growth, first to last", effect)));
    // One unit for all rows, or they could not stand on one axis.
    let largest = effects.iter().filter_map(|(_, effect)| effect.and_then(|effect| effect.change));
    let largest = largest.fold(0.0_f64, |most, change| most.max(change.abs()));
    let amounts = Amounts::for_change(quantity, largest, None);
    let rows = rows.map(|row| row.scaled(amounts.factor())).collect();
    let worse_is_more = match quantity.better() {
        Better::Lower => Some(true),
        Better::Higher => Some(false),
        Better::Neither => None,
    };
    let axis = format!("change of the {} in {}", quantity.title(), amounts.unit);
    Lines { quantity, steps, growth: grown_words(growth), picture: Forest { axis, worse_is_more, rows } }
}

fn step(title: &str, boards: (usize, usize), effect: Option<&Effect>) -> StepLine {
    let of_boards = format!("{} before, {} after", counted(boards.0, "board"), boards.1);
    let known = effect.and_then(|effect| Some((effect, effect.change?, effect.levels?)));
    if let Some((effect, bound)) = effect.and_then(|effect| Some((effect, bound_words::mean(effect)?)))
        && effect.is_told_by_bounds()
    {
        let sure = bound_words::sure(effect).map_or_else(String::new, |sure| format!("95 % sure: {sure}; "));
        let levels = effect.levels.map_or_else(|| "–".to_owned(), |levels| shown(effect, levels));
        let (title, sense) = (title.to_owned(), effect.sense().word());
        return StepLine { title, levels, change: format!("{bound} ({sure}{of_boards})"), sense };
    }
    let Some((effect, change, (before, after))) = known else {
        let change = format!("no value on every board ({of_boards})");
        return StepLine { title: title.to_owned(), levels: "–".to_owned(), change, sense: "not known" };
    };
    StepLine {
        title: title.to_owned(),
        levels: shown(effect, (before, after)),
        change: format!("{} ({}; {of_boards})", Amounts::of(effect).full(change), ends(effect)),
        sense: effect.sense().word(),
    }
}

fn shown(effect: &Effect, (before, after): (f64, f64)) -> String {
    format!("{} to {}", level(effect.quantity(), before), level(effect.quantity(), after))
}

fn ends(effect: &Effect) -> String {
    let amounts = Amounts::of(effect);
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
        ends(effect)
    )
}

fn row(kind: RowKind, label: &str, effect: &Effect) -> Option<ForestRow> {
    let value = effect.change?;
    let interval = effect.interval();
    let told = match interval {
        Some(Interval { low, high }) => {
            let amounts = Amounts::of(effect);
            format!("{} ({} to {})", amounts.full(value), amounts.signed(low), amounts.signed(high))
        }
        None => Amounts::of(effect).full(value),
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
