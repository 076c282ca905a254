//! One figure over all points: lines, a map and the limits in them. Pure.

use crate::base::units::with_prefix;
use crate::event::limit::{Comparison, Operand};
use crate::event::{FigureName, Limit, Outcome, PointResult, Region, Setting};
use crate::waveform;

/// The figures that are drawn, in the order of the report.
pub const DRAWN: [FigureName; 9] = [
    FigureName::Vout,
    FigureName::Efficiency,
    FigureName::NoisePp20Mhz,
    FigureName::RipplePp,
    FigureName::NoisePpFull,
    FigureName::SpikePos,
    FigureName::SpikeNeg,
    FigureName::Switching,
    FigureName::BoardTemperature,
];

/// A map with more cells than this has none that can be seen.
const MOST_CELLS: usize = 20_000;

/// Values that differ by less than this share are the same: it is the noise of binary fractions.
const SAME: f64 = 1e-9;

/// A text with true minus signs before its numbers; a hyphen inside a word stays one.
#[must_use]
pub fn minus(text: &str) -> String {
    let mut printed = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let is_sign =
            letter == '-' && !before.is_alphanumeric() && letters.peek().is_some_and(char::is_ascii_digit);
        printed.push(if is_sign { '−' } else { letter });
        before = letter;
    }
    printed
}

/// How values of a figure are written in a picture: one unit for all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// Multiplies the SI value.
    pub factor: f64,
    /// The unit with its prefix.
    pub unit: &'static str,
}

impl Shown {
    /// The unit in which the largest of the values has one to three digits before the point.
    #[must_use]
    pub fn for_values(name: FigureName, largest: f64) -> Self {
        let shown = |factor, unit| Self { factor, unit };
        match name.unit() {
            "" => shown(100.0, "%"),
            "V" if largest < 1.0 => shown(1e3, "mV"),
            "A" if largest < 1.0 => shown(1e3, "mA"),
            "W" if largest < 1.0 => shown(1e3, "mW"),
            "Hz" if largest >= 1e6 => shown(1e-6, "MHz"),
            "Hz" if largest >= 1e3 => shown(1e-3, "kHz"),
            "s" if largest < 1e-3 => shown(1e6, "µs"),
            "s" if largest < 1.0 => shown(1e3, "ms"),
            unit => shown(1.0, unit),
        }
    }
    /// A value with the digits that its unit deserves, without the unit.
    #[must_use]
    pub fn digits(&self, value: f64) -> String {
        let value = value * self.factor;
        let decimals = match (self.unit, value.abs()) {
            ("V", size) if size < 9.9995 => 3,
            ("V" | "kHz", _) => 2,
            ("%" | "°C", _) => 1,
            (_, size) if size >= 99.95 => 0,
            (_, size) if size >= 9.995 => 1,
            _ => 2,
        };
        let text = format!("{value:.decimals$}");
        match text.strip_prefix('-') {
            Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
            Some(rest) => format!("−{rest}"),
            None => text,
        }
    }
}

/// Along which setting the lines run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    /// Over the input voltage, a line a load.
    Vin,
    /// Over the load, a line an input voltage.
    Load,
}

impl Along {
    /// The axis' title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Vin => "input voltage in V",
            Self::Load => "load in A",
        }
    }
    fn split(self, setting: Setting) -> (f64, f64) {
        match self {
            Self::Vin => (setting.vin.value(), setting.load.value()),
            Self::Load => (setting.load.value(), setting.vin.value()),
        }
    }
}

/// A point of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Where it lies along the axis.
    pub at: f64,
    /// The figure; a point without one breaks the line.
    pub value: Option<f64>,
    /// On which side of it the truth lies, where it is only a bound.
    pub bound: Option<waveform::Bound>,
}

/// A line: one load (or one input voltage).
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it is called, e.g. `250 mA`.
    pub label: String,
    /// Its place among all lines of the run: one load has one colour in all pictures.
    pub rank: usize,
    /// Its points, from left to right.
    pub points: Vec<Spot>,
}

/// A bound drawn into the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// The figure's value.
    pub value: f64,
    /// Where the limit applies along the axis; `None` at a side without end.
    pub from: Option<f64>,
    /// See `from`.
    pub to: Option<f64>,
    /// What it says.
    pub label: String,
    /// Good values lie below it.
    pub is_upper: bool,
    /// It holds for all lines of the picture.
    pub is_for_all: bool,
}

/// How a cell of the map came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// No limit on this figure.
    Plain,
    /// Limits, but none applies here.
    NotApplicable,
    /// Inside.
    Pass,
    /// Near a bound.
    Marginal,
    /// It could not be had.
    NotMeasured,
    /// Outside.
    Fail,
}

/// A cell of the map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The figure.
    pub value: Option<f64>,
    /// On which side of it the truth lies, where it is only a bound.
    pub bound: Option<waveform::Bound>,
    /// How it came out.
    pub mark: Mark,
}

/// A figure over input voltage and load.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Input voltages, rising.
    pub vins: Vec<f64>,
    /// Loads, rising.
    pub loads: Vec<f64>,
    /// Cells, load by load; `None` where no point was finished.
    pub cells: Vec<Option<Cell>>,
    /// The range of the colours.
    pub range: (f64, f64),
    /// The range's least span, where it was widened to it: noise shall not look like a trend.
    pub least_span: Option<f64>,
}

/// A value and its point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extreme {
    /// The value.
    pub value: f64,
    /// On which side of it the truth lies, where it is only a bound.
    pub bound: Option<waveform::Bound>,
    /// Number of the point.
    pub point: u32,
    /// What was set there.
    pub setting: Setting,
}

/// Everything the report shows of a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureView {
    /// Which.
    pub name: FigureName,
    /// How its values are written.
    pub shown: Shown,
    /// Along what.
    pub along: Along,
    /// The lines; empty where fewer than two points have a value.
    pub lines: Vec<Line>,
    /// The same in regulation only, where the whole range would hide it.
    pub closer: Option<Vec<Line>>,
    /// The limits on it.
    pub bounds: Vec<Bound>,
    /// The limits in words, with the condition under which each applies.
    pub limits: Vec<String>,
    /// The map; `None` where there is only one input voltage or no value.
    pub map: Option<Map>,
    /// Lowest and highest value in regulation, or of all where the board never regulated.
    pub extremes: Option<(Extreme, Extreme)>,
    /// How many points have a value.
    pub available: usize,
    /// The commonest reason why there is none.
    pub why_not: Option<String>,
}

impl FigureView {
    /// Whether a point of a line is only a bound.
    #[must_use]
    pub fn has_bounds(&self) -> bool {
        self.lines.iter().flat_map(|line| &line.points).any(|spot| spot.bound.is_some())
    }
}

/// Views of all drawn figures that the profile asked for.
#[must_use]
pub fn build(points: &[PointResult], limits: &[Limit]) -> Vec<FigureView> {
    let asked =
        |name: FigureName| points.iter().any(|point| point.figures.iter().any(|(known, _)| known == name));
    DRAWN.into_iter().filter(|name| asked(*name)).map(|name| view(name, points, limits)).collect()
}

fn view(name: FigureName, points: &[PointResult], limits: &[Limit]) -> FigureView {
    let along = if distinct(points, Along::Vin).len() > 1 { Along::Vin } else { Along::Load };
    let value = |point: &PointResult| point.figures.value(name);
    let regulated: Vec<&PointResult> =
        points.iter().filter(|point| point.region == Region::Regulated && value(point).is_some()).collect();
    let all: Vec<&PointResult> = points.iter().filter(|point| value(point).is_some()).collect();
    let shown_from = if regulated.is_empty() { &all } else { &regulated };
    let extreme = |point: &&PointResult| {
        value(point).map(|value| Extreme {
            value,
            bound: point.bounds.get(&name).copied(),
            point: point.point.0,
            setting: point.setting,
        })
    };
    let extremes: Vec<Extreme> = shown_from.iter().filter_map(extreme).collect();
    let least = first_most(extremes.iter().copied(), |extreme| -extreme.value);
    let most = first_most(extremes.iter().copied(), |extreme| extreme.value);
    let bounds: Vec<Bound> =
        limits.iter().filter(|limit| limit.figure == name).flat_map(|limit| bounds(limit, along)).collect();
    let drawn = all.iter().filter_map(|point| value(point)).chain(bounds.iter().map(|bound| bound.value));
    let largest = drawn.fold(0.0, |most: f64, v| most.max(v.abs()));
    let is_line = all.len() > 1;
    FigureView {
        name,
        shown: Shown::for_values(name, largest),
        along,
        lines: if is_line { lines(name, &points.iter(), along) } else { Vec::new() },
        closer: is_line.then(|| closer(name, (&all, &regulated), limits, along)).flatten(),
        bounds,
        limits: limits.iter().filter(|limit| limit.figure == name).map(in_words).collect(),
        map: (is_line && along == Along::Vin).then(|| map(name, points, limits, least.zip(most))).flatten(),
        extremes: least.zip(most),
        available: all.len(),
        why_not: commonest_reason(name, points),
    }
}

/// The first of those with the most: of equal values the one measured first is named, here as in the summary.
pub(super) fn first_most<T>(all: impl Iterator<Item = T>, key: impl Fn(&T) -> f64) -> Option<T> {
    all.fold(None, |best: Option<T>, this| match best {
        Some(best) if key(&this) <= key(&best) + SAME * key(&best).abs() => Some(best),
        _ => Some(this),
    })
}

fn distinct(points: &[PointResult], along: Along) -> Vec<f64> {
    let mut values: Vec<f64> = points.iter().map(|point| along.split(point.setting).0).collect();
    values.sort_by(f64::total_cmp);
    values.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    values
}

fn lines<'p>(
    name: FigureName,
    points: &(impl Iterator<Item = &'p PointResult> + Clone),
    along: Along,
) -> Vec<Line> {
    let mut keys: Vec<f64> = points.clone().map(|point| along.split(point.setting).1).collect();
    keys.sort_by(f64::total_cmp);
    keys.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    let unit = if along == Along::Vin { "A" } else { "V" };
    let line = |(rank, key): (usize, f64)| {
        let mine = points.clone().filter(|point| (along.split(point.setting).1 - key).abs() < 1e-9);
        let spot = |point: &PointResult| Spot {
            at: along.split(point.setting).0,
            value: point.figures.value(name),
            bound: point.bounds.get(&name).copied(),
        };
        let mut points: Vec<Spot> = mine.map(spot).collect();
        points.sort_by(|a, b| a.at.total_cmp(&b.at));
        Line { label: with_prefix(key, unit), rank, points }
    };
    keys.into_iter()
        .enumerate()
        .map(line)
        .filter(|line| line.points.iter().any(|point| point.value.is_some()))
        .collect()
}

/// Where the values in regulation lie in a small part of what the picture shows, the limits in it, their own lines. Values
/// that differ by less than a map tells apart are not drawn larger than they are.
fn closer(
    name: FigureName,
    (all, regulated): (&[&PointResult], &[&PointResult]),
    limits: &[Limit],
    along: Along,
) -> Option<Vec<Line>> {
    let ends = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let of = |points: &[&PointResult]| ends(&mut points.iter().filter_map(|p| p.figures.value(name)));
    let mine = limits.iter().filter(|limit| limit.figure == name);
    let bounds = ends(&mut mine.flat_map(|limit| limit.min.into_iter().chain(limit.max)));
    let (all, near) = (of(all), of(regulated));
    let span = near.1 - near.0;
    let shown = all.1.max(bounds.1) - all.0.min(bounds.0);
    let is_trend = span > 0.5 * least_span(name, near.1.abs().max(near.0.abs()));
    let is_hidden = regulated.len() > 1 && span < 0.1 * shown && is_trend;
    is_hidden.then(|| lines(name, &regulated.iter().copied(), along))
}

fn in_words(limit: &Limit) -> String {
    match limit.condition.0.is_empty() {
        true => format!("limit {} everywhere", limit.bounds()),
        false => format!("limit {} where {}", limit.bounds(), limit.condition),
    }
}

fn bounds(limit: &Limit, along: Along) -> Vec<Bound> {
    let mine = |operand: Operand| {
        matches!((operand, along), (Operand::Vin, Along::Vin) | (Operand::Load, Along::Load))
    };
    let (mut from, mut to, mut other) = (None, None, Vec::new());
    for clause in &limit.condition.0 {
        match clause.comparison {
            _ if !mine(clause.operand) => {
                let (name, unit) = if clause.operand == Operand::Vin { ("vin", "V") } else { ("load", "A") };
                let sign = clause.comparison.sign().replace("<=", "≤").replace(">=", "≥");
                other.push(format!("{name} {sign} {}", with_prefix(clause.value, unit)));
            }
            Comparison::AtLeast | Comparison::Above => from = Some(clause.value),
            Comparison::AtMost | Comparison::Below => to = Some(clause.value),
        }
    }
    let tail = if other.is_empty() { String::new() } else { format!(" for {}", other.join(", ")) };
    let bound = |value: f64, is_upper: bool| Bound {
        value,
        from,
        to,
        label: format!(
            "limit {} {}{tail}",
            if is_upper { "≤" } else { "≥" },
            minus(&limit.figure.show(value))
        ),
        is_upper,
        is_for_all: other.is_empty(),
    };
    limit.max.map(|max| bound(max, true)).into_iter().chain(limit.min.map(|min| bound(min, false))).collect()
}

/// How a figure came out at a point under all limits on it; the worst counts.
#[must_use]
pub fn mark(name: FigureName, point: &PointResult, limits: &[Limit]) -> Mark {
    let outcomes =
        point.checks.iter().filter(|check| limits.get(check.limit).is_some_and(|l| l.figure == name));
    let marks = outcomes.map(|check| match check.outcome {
        Outcome::Pass(_) => Mark::Pass,
        Outcome::Marginal(_) => Mark::Marginal,
        Outcome::Fail(_) => Mark::Fail,
        Outcome::NotApplicable => Mark::NotApplicable,
        Outcome::NotMeasured(_) => Mark::NotMeasured,
    });
    marks.max().unwrap_or(Mark::Plain)
}

fn map(
    name: FigureName,
    points: &[PointResult],
    limits: &[Limit],
    ends: Option<(Extreme, Extreme)>,
) -> Option<Map> {
    let (vins, loads) = (distinct(points, Along::Vin), distinct(points, Along::Load));
    if vins.len().saturating_mul(loads.len()) > MOST_CELLS {
        return None;
    }
    let place = |axis: &[f64], value: f64| axis.iter().position(|known| (known - value).abs() < 1e-9);
    let mut cells: Vec<Option<Cell>> = vec![None; vins.len() * loads.len()];
    for point in points {
        let (vin, load) = (point.setting.vin.value(), point.setting.load.value());
        let (Some(column), Some(row)) = (place(&vins, vin), place(&loads, load)) else { continue };
        let bound = point.bounds.get(&name).copied();
        let cell = Cell { value: point.figures.value(name), bound, mark: mark(name, point, limits) };
        let kept = &mut cells[row * vins.len() + column];
        // Of repeats the worst is shown.
        if kept.is_none_or(|kept| cell.mark > kept.mark) {
            *kept = Some(cell);
        }
    }
    let (range, least_span) = colour_range(name, &judged_values(name, points, limits), ends);
    Some(Map { vins, loads, cells, range, least_span })
}

/// The values that a limit judges; in regulation where there are such, so that a board that is off does not stretch the scale.
fn judged_values(name: FigureName, points: &[PointResult], limits: &[Limit]) -> Vec<f64> {
    let is_judged =
        |point: &&PointResult| matches!(mark(name, point, limits), Mark::Pass | Mark::Marginal | Mark::Fail);
    let value = |point: &PointResult| point.figures.value(name);
    let judged: Vec<&PointResult> = points.iter().filter(is_judged).collect();
    let regulated: Vec<f64> =
        judged.iter().filter(|point| point.region == Region::Regulated).filter_map(|p| value(p)).collect();
    if regulated.is_empty() { judged.into_iter().filter_map(value).collect() } else { regulated }
}

/// The colours span the judged values; where no limit is judged, those in regulation. A range narrower than the figure's
/// least span is widened to that: noise shall not look like a trend.
fn colour_range(
    name: FigureName,
    judged: &[f64],
    ends: Option<(Extreme, Extreme)>,
) -> ((f64, f64), Option<f64>) {
    let (low, high) = if judged.is_empty() {
        ends.map_or((0.0, 1.0), |(least, most)| (least.value, most.value))
    } else {
        judged.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
    };
    let least = least_span(name, high.abs().max(low.abs()));
    let lacking = least - (high - low);
    if lacking <= 0.0 {
        return ((low, high), None);
    }
    // What cannot be below zero is not given colours there.
    let floor = if low >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
    let ceiling = if high <= 0.0 { 0.0 } else { f64::INFINITY };
    let low = (low - lacking / 2.0).max(floor).min(ceiling - least);
    ((low, low + least), Some(least))
}

/// What a map's colours span at least: a difference that a person would act on.
fn least_span(name: FigureName, largest: f64) -> f64 {
    match (name, name.unit()) {
        (_, "°C") => 5.0,
        (_, "") => 0.02,
        (FigureName::Vout | FigureName::Mean, _) => 0.005 * largest,
        (_, "Hz") => 0.05 * largest,
        _ => 0.25 * largest,
    }
}

fn commonest_reason(name: FigureName, points: &[PointResult]) -> Option<String> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for point in points {
        if let Err(reason) = point.figures.figure(name) {
            match counts.iter_mut().find(|(known, _)| *known == reason.0) {
                Some((_, count)) => *count += 1,
                None => counts.push((reason.0, 1)),
            }
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(reason, _)| reason)
}
