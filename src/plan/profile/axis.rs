//! An axis of the sweep: `["0 V", "5 V"]`, `{ from = "0 V", to = "24 V", step = "1 V" }` or
//! `{ from = "1 mA", to = "500 mA", points = 10, spacing = "log" }`.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::schema::RangeFile;
use crate::base::units::Quantity;
use crate::plan::document::Document;
use crate::plan::written::{FromScalar, Scalar, Written, Wrong, choose};

/// Longest axis: at a second a point and five loads ten thousand values would already take fourteen hours.
const LONGEST_AXIS: usize = 10_000;

/// An axis as it is written.
#[derive(Debug)]
pub(super) enum AxisFile<T> {
    List(Vec<Written<T>>),
    Range(Box<RangeFile<T>>),
}

/// One value, or an axis of them.
#[derive(Debug)]
pub(super) enum LevelsFile<T> {
    One(Written<T>),
    Axis(AxisFile<T>),
}

/// How the values of a range are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spacing {
    Linear,
    Log,
}

impl FromScalar for Spacing {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        choose(scalar, &[("linear", Self::Linear), ("log", Self::Log)])
    }
    fn schema() -> Schema {
        json_schema!({ "type": "string", "enum": ["linear", "log"] })
    }
}

// Not `untagged`: that would swallow which key of a range is wrong.
impl<'de, T: FromScalar> Deserialize<'de> for AxisFile<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AxisVisitor(PhantomData))
    }
}

struct AxisVisitor<T>(PhantomData<T>);

impl<'de, T: FromScalar> Visitor<'de> for AxisVisitor<T> {
    type Value = AxisFile<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values or a range with `from` and `to`")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(items)).map(AxisFile::List)
    }
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        RangeFile::deserialize(MapAccessDeserializer::new(entries)).map(Box::new).map(AxisFile::Range)
    }
}

impl<'de, T: FromScalar> Deserialize<'de> for LevelsFile<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LevelsVisitor(PhantomData))
    }
}

struct LevelsVisitor<T>(PhantomData<T>);

impl<T: FromScalar> LevelsVisitor<T> {
    fn one(scalar: &Scalar) -> LevelsFile<T> {
        LevelsFile::One(Written(T::from_scalar(scalar)))
    }
}

impl<'de, T: FromScalar> Visitor<'de> for LevelsVisitor<T> {
    type Value = LevelsFile<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list of values or a range with `from` and `to`")
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Self::one(&Scalar::Text(text.to_owned())))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Self::one(&Scalar::Whole(number)))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Self::one(&Scalar::Real(number)))
    }
    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Self::one(&Scalar::Truth(truth)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        AxisVisitor(PhantomData).visit_seq(items).map(LevelsFile::Axis)
    }
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        AxisVisitor(PhantomData).visit_map(entries).map(LevelsFile::Axis)
    }
}

impl<T: FromScalar> JsonSchema for LevelsFile<T> {
    fn schema_name() -> Cow<'static, str> {
        "Levels".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = Written::<T>::json_schema(generator);
        let list = Vec::<Written<T>>::json_schema(generator);
        let range = RangeFile::<T>::json_schema(generator);
        json_schema!({ "anyOf": [one, list, range] })
    }
}

impl<T: FromScalar> JsonSchema for AxisFile<T> {
    fn schema_name() -> Cow<'static, str> {
        "Axis".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let list = Vec::<Written<T>>::json_schema(generator);
        let range = RangeFile::<T>::json_schema(generator);
        json_schema!({ "anyOf": [list, range] })
    }
}

/// The values of an axis, in the order written. `None` where something was wrong, which has been told.
pub(super) fn check_axis<T>(document: &mut Document, key: &str, file: Option<&AxisFile<T>>) -> Option<Vec<T>>
where
    T: Quantity + FromScalar,
{
    let values = match file {
        None => {
            document.missing(key);
            return None;
        }
        Some(AxisFile::List(list)) => check_list(document, key, list)?,
        Some(AxisFile::Range(range)) => check_range(document, key, range)?,
    };
    check_range_of(document, key, values)
}

/// The values, if all of them can be set on some instrument.
fn check_range_of<T: Quantity>(document: &mut Document, key: &str, values: Vec<T>) -> Option<Vec<T>> {
    let range = (T::from_value(0.0), T::from_value(1000.0));
    if let Some(wrong) = values.iter().find(|value| !(**value >= range.0 && **value <= range.1)) {
        document.fault(key, format!("{wrong} is out of range: {} to {} can be set", range.0, range.1));
        return None;
    }
    Some(values)
}

/// One value or the values of an axis; as [`check_axis`].
pub(super) fn check_levels<T>(
    document: &mut Document,
    key: &str,
    file: Option<&LevelsFile<T>>,
) -> Option<Vec<T>>
where
    T: Quantity + FromScalar,
{
    match file {
        None => check_axis(document, key, None),
        Some(LevelsFile::Axis(axis)) => check_axis(document, key, Some(axis)),
        Some(LevelsFile::One(value)) => {
            let value = document.take(key, Some(value))?;
            check_range_of(document, key, vec![value])
        }
    }
}

fn check_list<T: Quantity>(document: &mut Document, key: &str, list: &[Written<T>]) -> Option<Vec<T>> {
    if list.is_empty() {
        document.fault(key, "the list is empty; at least one value is needed");
        return None;
    }
    if list.len() > LONGEST_AXIS {
        document.fault(key, format!("the list has {} values; {LONGEST_AXIS} are the most", list.len()));
        return None;
    }
    let values: Vec<Option<T>> = list
        .iter()
        .enumerate()
        .map(|(index, value)| document.take(&format!("{key}[{}]", index + 1), Some(value)))
        .collect();
    for (index, value) in values.iter().enumerate().filter_map(|(index, value)| Some((index, (*value)?))) {
        let earlier = values[..index].iter().position(|other| *other == Some(value));
        if let Some(earlier) = earlier {
            let told =
                (format!("{value} stands here twice; `repeats` measures every point again"), "the first one");
            let (second, first) = (format!("{key}[{}]", index + 1), format!("{key}[{}]", earlier + 1));
            document.contradiction(&second, &first, (&told.0, told.1));
        }
    }
    values.into_iter().collect()
}

fn check_range<T: Quantity + FromScalar>(
    document: &mut Document,
    key: &str,
    range: &RangeFile<T>,
) -> Option<Vec<T>> {
    let place = |name: &str| format!("{key}.{name}");
    let from = document.need(&place("from"), range.from.as_ref());
    let to = document.need(&place("to"), range.to.as_ref());
    let step = document.take(&place("step"), range.step.as_ref());
    let points = document.take(&place("points"), range.points.as_ref());
    let points = document.within(&place("points"), points, (2, LONGEST_AXIS as u64));
    let spacing = document.take(&place("spacing"), range.spacing.as_ref()).unwrap_or(Spacing::Linear);
    match (range.step.is_some(), range.points.is_some()) {
        (true, true) => {
            let told = ("a range has a `step` or a number of `points`, not both", "the number of points");
            document.contradiction(&place("step"), &place("points"), told);
            return None;
        }
        (false, false) => {
            document.fault(key, "a range needs a `step` or a number of `points`");
            return None;
        }
        _ => {}
    }
    if spacing == Spacing::Log && range.step.is_some() {
        let told = ("a logarithmic range has a number of `points`, not a step", "the spacing");
        document.contradiction(&place("step"), &place("spacing"), told);
        return None;
    }
    let (from, to) = (from?, to?);
    if from == to {
        let told = (format!("the range begins and ends at {from}"), "it ends here");
        document.contradiction(&place("from"), &place("to"), (&told.0, told.1));
        return None;
    }
    if let Some(step) = step {
        return stepped(document, key, (from, to), step);
    }
    let points = usize::try_from(points?).ok()?;
    match spacing {
        Spacing::Linear => Some(spread(points, from.value(), to.value()).map(T::from_value).collect()),
        Spacing::Log if from.value() <= 0.0 || to.value() <= 0.0 => {
            let wrong = if from.value() <= 0.0 { "from" } else { "to" };
            document.fault(&place(wrong), "a logarithmic range cannot reach 0; begin with a small value");
            None
        }
        Spacing::Log => {
            let logs = spread(points, from.value().ln(), to.value().ln()).map(|log| rounded(log.exp()));
            let mut values: Vec<T> = logs.map(T::from_value).collect();
            // The ends are exactly what was written, whatever the logarithm did to them.
            values[0] = from;
            values[points - 1] = to;
            Some(values)
        }
    }
}

/// `from`, `from` ± `step`, … up to `to`, which must be met: a range that ends elsewhere than written surprises.
fn stepped<T: Quantity>(document: &mut Document, key: &str, (from, to): (T, T), step: T) -> Option<Vec<T>> {
    let place = format!("{key}.step");
    if step.value() <= 0.0 {
        document.fault(&place, "a step is above 0; a falling range is written with `from` above `to`");
        return None;
    }
    let exact = (to.value() - from.value()).abs() / step.value();
    if exact > LONGEST_AXIS as f64 {
        document.fault(&place, format!("the range has more than {LONGEST_AXIS} values"));
        return None;
    }
    let count = exact.round();
    if (exact - count).abs() > 1e-6 * exact.max(1.0) || count < 1.0 {
        let told = (format!("steps of {step} do not lead from {from} to {to}"), "the range ends here");
        document.contradiction(&place, &format!("{key}.to"), (&told.0, told.1));
        return None;
    }
    Some(spread(count as usize + 1, from.value(), to.value()).map(T::from_value).collect())
}

/// Evenly spread values with exact ends.
fn spread(points: usize, from: f64, to: f64) -> impl Iterator<Item = f64> {
    let last = (points - 1) as f64;
    (0..points).map(move |index| {
        let share = index as f64 / last;
        if share >= 1.0 { to } else { rounded(from + (to - from) * share) }
    })
}

/// Nine significant digits: no supply sets finer, and `0.30000000000000004 V` in a report helps nobody.
fn rounded(value: f64) -> f64 {
    format!("{value:.8e}").parse().unwrap_or(value)
}
