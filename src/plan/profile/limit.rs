//! Limits of a profile: bounds in the figure's unit and the condition under which they apply.

use schemars::{Schema, json_schema};

use super::schema::LimitFile;
use crate::base::names::nearest;
use crate::base::units::{Amps, Celsius, Hertz, Kelvins, QuantityError, Seconds, Volts, Watts};
use crate::event::limit::{Clause, Comparison, Condition, Operand};
use crate::event::{FigureName, Limit};
use crate::plan::document::Document;
use crate::plan::written::{FromScalar, Ratio, Scalar, Written, Wrong};

/// A bound as it is written; what it means depends on the limit's figure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bound(Scalar);

impl FromScalar for Bound {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        match scalar {
            Scalar::Other(_) | Scalar::Truth(_) => {
                Err(format!("a value with the figure's unit is expected, not {scalar}").into())
            }
            scalar => Ok(Self(scalar.clone())),
        }
    }
    fn schema() -> Schema {
        json_schema!({
            "type": ["string", "number"],
            "description": "A value with the figure's unit, for example `4.85 V`; for a ratio `80 %` or 0.8."
        })
    }
}

/// Reads a bound in the figure's unit; a distance between two temperatures is in kelvins.
fn parse_bound(bound: &Bound, figure: FigureName, is_distance: bool) -> Result<f64, String> {
    if figure.unit().is_empty() {
        return Ratio::from_scalar(&bound.0).map(|ratio| ratio.0).map_err(|wrong| wrong.message);
    }
    let Scalar::Text(text) = &bound.0 else {
        let unit = if is_distance && figure.unit() == "°C" { "K" } else { figure.unit() };
        return Err(format!(
            "the number {} has no unit; {} is in {unit}: write \"{} {unit}\"",
            bound.0,
            figure.key(),
            bound.0
        ));
    };
    let told = |fault: QuantityError| match is_distance && figure.unit() == "°C" {
        true => format!("{fault} (a distance of temperatures is in K)"),
        false => format!("{fault} ({} is in {})", figure.key(), figure.unit()),
    };
    match figure.unit() {
        "V" => text.parse::<Volts>().map(Volts::value).map_err(told),
        "A" => text.parse::<Amps>().map(Amps::value).map_err(told),
        "W" => text.parse::<Watts>().map(Watts::value).map_err(told),
        "s" => text.parse::<Seconds>().map(Seconds::value).map_err(told),
        "Hz" => text.parse::<Hertz>().map(Hertz::value).map_err(told),
        "°C" if is_distance => text.parse::<Kelvins>().map(Kelvins::value).map_err(told),
        "°C" => text.parse::<Celsius>().map(Celsius::value).map_err(told),
        other => Err(format!("{} is in {other}, for which no limit can be written", figure.key())),
    }
}

/// Reads `vin >= 13.2 V and load > 0 A`, or tells everything that is wrong with it.
pub(super) fn parse_condition(text: &str) -> Result<Condition, Vec<Wrong>> {
    let mut wrongs = Vec::new();
    let mut clauses = Vec::new();
    if text.contains(" or ") {
        wrongs.push("only `and` joins comparisons; write two limits in place of an `or`".to_owned().into());
    }
    for clause in text.split(" and ").flat_map(|part| part.split(" or ")) {
        match parse_clause(clause.trim()) {
            Ok(clause) => clauses.push(clause),
            Err(more) => wrongs.extend(more),
        }
    }
    if wrongs.is_empty() { Ok(Condition(clauses)) } else { Err(wrongs) }
}

const EXAMPLE: &str = "write for example `vin >= 13.2 V and load > 0 A`";

const SIGNS: [(&str, Comparison); 4] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Below),
    (">", Comparison::Above),
];

/// Name, sign and value are each looked at, whatever is wrong with the others.
fn parse_clause(text: &str) -> Result<Clause, Vec<Wrong>> {
    let name_end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    let rest = rest.trim_start();
    let mut wrongs = Vec::new();
    let operand = match name {
        "vin" => Some(Operand::Vin),
        "load" => Some(Operand::Load),
        other => {
            wrongs.push(Wrong {
                message: format!("`{other}` cannot be compared; `vin` and `load` can: {EXAMPLE}"),
                nearest: nearest(other, ["vin", "load"]).map(str::to_owned),
            });
            None
        }
    };
    let found = SIGNS.into_iter().find(|(sign, _)| rest.starts_with(sign));
    if found.is_none() {
        wrongs.push(format!("one of < <= > >= is expected after `{name}`; {EXAMPLE}").into());
    }
    let value_text = found.map(|(sign, _)| rest[sign.len()..].trim());
    let value = match (operand, value_text) {
        (Some(Operand::Vin), Some(text)) => Some(text.parse::<Volts>().map(Volts::value)),
        (Some(Operand::Load), Some(text)) => Some(text.parse::<Amps>().map(Amps::value)),
        // Whether a voltage or a current is meant is not known: a value that is either may stand.
        (None, Some(text)) => match text.parse::<Volts>() {
            Err(fault) if text.parse::<Amps>().is_err() => Some(Err(fault)),
            _ => None,
        },
        (_, None) => None,
    };
    let value = value.and_then(|value| value.map_err(|fault| wrongs.push(fault.to_string().into())).ok());
    match (operand, found, value) {
        (Some(operand), Some((_, comparison)), Some(value)) => Ok(Clause { operand, comparison, value }),
        _ => Err(wrongs),
    }
}

/// All limits; `figures` is what the profile wants measured, where that could be read.
pub(super) fn check_limits(
    document: &mut Document,
    files: Option<&Vec<LimitFile>>,
    figures: Option<&[FigureName]>,
) -> Option<Vec<Limit>> {
    let files = files.map(Vec::as_slice).unwrap_or_default();
    if files.len() > 1000 {
        document.fault("limits", format!("there are {} limits; 1000 are the most", files.len()));
        return None;
    }
    let limits: Vec<Option<Limit>> = files
        .iter()
        .enumerate()
        .map(|(index, file)| check_limit(document, &format!("limits[{}]", index + 1), file, figures))
        .collect();
    let names: Vec<Option<String>> = files.iter().map(|file| file.name.as_ref()?.0.clone().ok()).collect();
    for (index, name) in names.iter().enumerate() {
        if let Some(name) = name
            && let Some(earlier) = names[..index].iter().position(|other| other.as_ref() == Some(name))
        {
            let told = (format!("a limit named \"{name}\" was there before"), "the first one");
            let (second, first) =
                (format!("limits[{}].name", index + 1), format!("limits[{}].name", earlier + 1));
            document.contradiction(&second, &first, (&told.0, told.1));
        }
    }
    limits.into_iter().collect()
}

fn check_limit(
    document: &mut Document,
    table: &str,
    file: &LimitFile,
    figures: Option<&[FigureName]>,
) -> Option<Limit> {
    let place = |name: &str| format!("{table}.{name}");
    let name = document.need_name(&place("name"), file.name.as_ref());
    let figure = document.need(&place("figure"), file.figure.as_ref());
    let condition = document.take(&place("when"), file.when.as_ref());
    let condition = match condition.as_deref().map(parse_condition) {
        None => Some(Condition::default()),
        Some(Ok(condition)) => Some(condition),
        Some(Err(wrongs)) => {
            for wrong in wrongs {
                document.take::<Condition>(&place("when"), Some(&Written(Err(wrong))));
            }
            None
        }
    };
    let figure = figure?;
    if figures.is_some_and(|figures| !figures.contains(&figure)) {
        let told = (
            format!("{figure} is limited but not wanted; it would never be measured"),
            format!("add \"{figure}\" here"),
        );
        document.contradiction(&place("figure"), "figures", (&told.0, &told.1));
    }
    let mut bound = |name: &str, written: Option<&Written<Bound>>| {
        let written = document.take(&place(name), written)?;
        match parse_bound(&written, figure, name == "marginal") {
            Ok(value) => Some(value),
            Err(message) => {
                document.fault(&place(name), message);
                None
            }
        }
    };
    let min = bound("min", file.min.as_ref());
    let max = bound("max", file.max.as_ref());
    let marginal = bound("marginal", file.marginal.as_ref());
    check_bounds(document, table, file, (min, max, marginal));
    Some(Limit { name: name?, figure, min, max, condition: condition?, marginal: marginal.unwrap_or(0.0) })
}

fn check_bounds(
    document: &mut Document,
    table: &str,
    file: &LimitFile,
    (min, max, marginal): (Option<f64>, Option<f64>, Option<f64>),
) {
    let place = |name: &str| format!("{table}.{name}");
    if file.min.is_none() && file.max.is_none() {
        document.fault(table, "a limit needs `min`, `max` or both");
    }
    if let (Some(min), Some(max)) = (min, max)
        && min >= max
    {
        let told = ("the lowest good value must be below the highest", "the highest good value");
        document.contradiction(&place("min"), &place("max"), told);
    }
    let window = min.zip(max).map_or(f64::INFINITY, |(min, max)| max - min);
    match marginal {
        Some(marginal) if marginal < 0.0 => {
            document.fault(&place("marginal"), "a distance is not below 0");
        }
        Some(marginal) if window > 0.0 && 2.0 * marginal >= window => {
            document.fault(&place("marginal"), "it fills the whole window: no value could pass");
        }
        _ => {}
    }
}
