//! Two groups of soaks held against each other step by step: whether the difference between them grows over the hours.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::cell::Place;
use super::certainty::of_boards;
use super::effect::{Effect, Pairing, Terms, compare_quantity};
use super::group::Group;
use super::quantity::{COMPARED, Quantity};
use super::scores::{BoardScore, Matched, match_places, scores_of};
use super::stat::Resolution;
use super::stretch::Stretch;
use crate::base::names::Serial;
use crate::base::span::{parse_span, render_span_exactly};
use crate::base::stats::mean;
use crate::event::SoakFacts;

/// More steps than this are a table that nobody reads.
pub const MOST_STEPS: u32 = 200;

/// What a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// So long.
    Span(Duration),
    /// A phase of the soak, all its rounds together.
    Phase,
}

impl FromStr for Over {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "phase" {
            return Ok(Self::Phase);
        }
        let span = parse_span(text).map_err(|error| error.to_string())?;
        if span.is_zero() { Err(format!("`{text}` is no step")) } else { Ok(Self::Span(span)) }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(span) => f.pad(&render_span_exactly(*span)),
            Self::Phase => f.pad("phase"),
        }
    }
}

/// A step of a soak.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it is called.
    pub title: String,
    /// What it looks at.
    pub stretch: Stretch,
}

impl Over {
    /// The steps of a soak whose points lie so far apart. What is left at the end and is no half step belongs to the last one.
    /// Where that are too many, one too many are told, for nobody shall take the last one for all that is left.
    #[must_use]
    pub fn steps(self, soak: &SoakFacts, lasts: Duration) -> Vec<Step> {
        match self {
            Self::Phase => {
                let step = |(at, name): (usize, &String)| {
                    let stretch = Stretch::Phase(u16::try_from(at).ok()?);
                    Some(Step { title: format!("phase {name}"), stretch })
                };
                soak.phases.iter().enumerate().filter_map(step).collect()
            }
            Self::Span(span) => {
                let count = (lasts.as_secs_f64() / span.as_secs_f64()).round();
                let count = count.clamp(1.0, f64::from(MOST_STEPS + 1)) as u32;
                let step = |at: u32| {
                    let (from, to) = (span.saturating_mul(at), span.saturating_mul(at + 1));
                    let title = Stretch::Between(from, to).to_string();
                    let to = if at + 1 == count { Duration::MAX } else { to };
                    Step { title, stretch: Stretch::Between(from, to) }
                };
                (0..count).map(step).collect()
            }
        }
    }
}

/// A step with what changed in it.
#[derive(Debug, Clone, PartialEq)]
pub struct StepEffects {
    /// What it is called.
    pub title: String,
    /// How many boards there are on both sides.
    pub boards: (usize, usize),
    /// What changed, in the order of a report.
    pub effects: Vec<Effect>,
}

/// How a difference moved over the steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    /// Which quantity.
    pub quantity: Quantity,
    /// How much more the boards after moved than those before, from the first step to the last one by a straight line through
    /// each board's steps; or why that is not known. Its scores are how much each board moved.
    pub effect: Result<Effect, String>,
}

/// Two groups over the steps of their soaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// What a step is.
    pub over: Over,
    /// The steps in their order.
    pub steps: Vec<StepEffects>,
    /// How differences grew, in the order of a report.
    pub growth: Vec<Growth>,
}

/// Holds two groups against each other step by step; of pairs both hold the same boards. `None` where their runs have no steps.
#[must_use]
pub fn course(
    over: Over,
    (before, after): (&Group, &Group),
    terms: impl Fn(Quantity) -> Terms,
) -> Option<Course> {
    let same = |step: &&Group| after.steps.iter().find(|other| other.name == step.name);
    let pairs: Vec<(&Group, &Group)> =
        before.steps.iter().filter_map(|step| Some((step, same(&step)?))).collect();
    if pairs.is_empty() {
        return None;
    }
    // Drawing boards anew thousands of times for each step would tell nothing that the whole does not.
    let terms = |quantity| Terms { resampling: None, ..terms(quantity) };
    let step = |(left, right): &(&Group, &Group)| StepEffects {
        title: left.name.clone(),
        boards: (left.boards.len(), right.boards.len()),
        effects: COMPARED.iter().filter_map(|of| compare_quantity(*of, (left, right), terms(*of))).collect(),
    };
    let steps: Vec<StepEffects> = pairs.iter().map(step).collect();
    let known = |quantity: &&Quantity| {
        steps.iter().any(|step| step.effects.iter().any(|effect| effect.quantity() == **quantity))
    };
    let growth = COMPARED.iter().filter(known).map(|quantity| Growth {
        quantity: *quantity,
        effect: match over {
            Over::Span(_) => growth(*quantity, &pairs, terms(*quantity)),
            Over::Phase => Err("phases are no hours".to_owned()),
        },
    });
    Some(Course { over, growth: growth.collect(), steps })
}

/// The boards' own movements from the first to the last step, held against each other.
fn growth(quantity: Quantity, pairs: &[(&Group, &Group)], terms: Terms) -> Result<Effect, String> {
    let matched: Vec<Matched> =
        pairs.iter().filter_map(|(before, after)| match_places(quantity, before, after)).collect();
    if pairs.len() < 2 || matched.len() < pairs.len() {
        return Err("it takes two steps with values".to_owned());
    }
    let mut common: BTreeSet<Place> = matched[0].places.iter().copied().collect();
    for step in &matched {
        common.retain(|place| step.places.contains(place));
    }
    if common.is_empty() {
        return Err("no point has a value on every board in every step".to_owned());
    }
    let places: Vec<Place> = common.into_iter().collect();
    let side = |of: fn(&Matched) -> &Vec<BoardScore>| -> Vec<BoardScore> {
        let mut rows: BTreeMap<&Serial, Vec<f64>> = BTreeMap::new();
        for step in &matched {
            for board in of(step) {
                let values = step.places.iter().zip(&board.values);
                let kept: Vec<f64> =
                    values.filter(|(place, _)| places.contains(place)).map(|(_, value)| *value).collect();
                rows.entry(&board.serial).or_default().extend(mean(&kept));
            }
        }
        let moved = rows.into_iter().filter(|(_, row)| row.len() == matched.len());
        moved
            .map(|(serial, row)| {
                let score = rise(&row);
                BoardScore { serial: serial.clone(), score, values: vec![score] }
            })
            .collect()
    };
    let (mut before, mut after) = (side(|step| &step.before), side(|step| &step.after));
    if terms.pairing == Pairing::Board {
        let both: Vec<Serial> = before
            .iter()
            .map(|board| board.serial.clone())
            .filter(|serial| after.iter().any(|board| board.serial == *serial))
            .collect();
        before.retain(|board| both.contains(&board.serial));
        after.retain(|board| both.contains(&board.serial));
    }
    let (left, right) = (scores_of(&before), scores_of(&after));
    let levels = mean(&left).zip(mean(&right)).ok_or("no board of a side was there in every step")?;
    // A movement is a difference of values, and told no finer than the coarsest of them.
    let steps = matched.iter().map(|step| step.resolution(None));
    let resolution = steps.reduce(Resolution::coarser).unwrap_or(Resolution::of_rounding(0.0));
    Ok(Effect {
        matched: Matched {
            quantity,
            places,
            bounded: Vec::new(),
            open: Vec::new(),
            missing: Vec::new(),
            before,
            after,
            with_bounds: None,
        },
        bounded: None,
        levels: Some(levels),
        change: Some(levels.1 - levels.0),
        certainty: of_boards(&left, &right, resolution, terms),
        smallest: terms.smallest,
        resolution,
        floors: (None, None),
        no_floor: None,
        points: Vec::new(),
        order: Err("both sides went through the same hours".to_owned()),
        reference: Err("steps have no runs of a reference board"),
    })
}

/// From the first to the last of values that stand evenly, by the straight line of least squares through all of them.
fn rise(values: &[f64]) -> f64 {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let (mut along, mut square) = (0.0, 0.0);
    for (at, value) in values.iter().enumerate() {
        let from_middle = at as f64 - middle;
        along += from_middle * value;
        square += from_middle * from_middle;
    }
    along / square * (values.len() as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::cell::Cell;
    use crate::compare::group::BoardCells;

    const HOUR: Duration = Duration::from_secs(3600);

    fn soak() -> SoakFacts {
        SoakFacts {
            interval: Duration::from_secs(1),
            phases: vec!["warm-up".to_owned(), "full".to_owned()],
            dwells_last: HOUR * 12,
            dwells: 2,
            starts: 0,
        }
    }

    #[test]
    fn the_last_step_takes_what_is_left_of_a_soak() {
        let titles = |over: &str, minutes: u32| {
            let over: Over = over.parse().unwrap();
            let steps = over.steps(&soak(), Duration::from_secs(60) * minutes);
            steps.iter().map(|step| step.title.clone()).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(titles("2h", 245), "0 s to 2 h, 2 h to 4 h");
        assert_eq!(titles("2h", 190), "0 s to 2 h, 2 h to 4 h");
        assert_eq!(titles("2h", 10), "0 s to 2 h");
        assert_eq!(titles("phase", 10), "phase warm-up, phase full");
        let many = "1min".parse::<Over>().unwrap().steps(&soak(), HOUR * 12);
        assert_eq!(many.len() as u32, MOST_STEPS + 1);
        assert!("0h".parse::<Over>().is_err() && "often".parse::<Over>().is_err());
    }

    /// A group whose boards show these values in the steps.
    fn group(boards: &[&[f64]]) -> Group {
        let mut group = Group::new("made");
        for (number, values) in boards.iter().enumerate() {
            for (at, value) in values.iter().enumerate() {
                if group.steps.len() <= at {
                    group.steps.push(Group::new(format!("step {at}")));
                }
                let cells = [((Quantity::Rise, Place::FIRST), Cell::one(*value, None))].into();
                let board = BoardCells { cells, ..BoardCells::default() };
                group.steps[at].boards.insert(format!("b{number}").parse().unwrap(), board);
            }
        }
        group
    }

    #[test]
    fn how_much_more_one_side_moves_is_told_by_boards_and_not_by_steps() {
        let terms = |_| Terms { pairing: Pairing::None, resampling: None, smallest: None };
        let still = group(&[&[10.0, 10.1, 9.9, 10.0], &[12.0, 11.9, 12.1, 12.0], &[11.0, 11.0, 11.1, 11.0]]);
        let moving = group(&[&[10.0, 11.0, 12.0, 13.0], &[9.0, 10.1, 11.0, 12.0], &[12.0, 13.0, 14.1, 15.1]]);
        let made = course(Over::Span(HOUR), (&still, &moving), terms).unwrap();
        assert_eq!(made.steps.len(), 4);
        let grown = made.growth[0].effect.as_ref().unwrap();
        assert!((grown.change.unwrap() - 3.0).abs() < 0.1, "{grown:?}");
        assert_eq!(grown.sense().word(), "worse");
        let same = course(Over::Span(HOUR), (&still, &still), terms).unwrap();
        assert_eq!(same.growth[0].effect.as_ref().unwrap().sense().word(), "no change shown");
        // One board a side moved, and nobody knows how far others would have.
        let one = course(Over::Span(HOUR), (&group(&[&[1.0, 1.0]]), &group(&[&[1.0, 2.0]])), terms).unwrap();
        assert_eq!(one.growth[0].effect.as_ref().unwrap().sense().word(), "not known");
        let short = course(Over::Span(HOUR), (&group(&[&[1.0]]), &group(&[&[1.0]])), terms).unwrap();
        assert!(short.growth[0].effect.is_err());
        assert_eq!(course(Over::Span(HOUR), (&Group::new("a"), &Group::new("b")), terms), None);
    }
}
