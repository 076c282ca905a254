//! Thermometers of a rig: where in a line the value stands, and which values can be believed.

use std::time::Duration;

use super::check::{Common, check_count, check_instrument};
use super::schema::{PatternWord, ThermometerFile, ThermometersFile};
use super::{TemperatureScale, ThermometerWiring};
use crate::base::span::render_span;
use crate::base::units::Celsius;
use crate::instrument::dialect::LinePattern;
use crate::plan::document::Document;

pub(super) fn check_thermometers(
    document: &mut Document,
    file: Option<&ThermometersFile>,
) -> Option<Vec<ThermometerWiring>> {
    let tables = [
        ("thermometer.board", file.and_then(|file| file.board.as_ref())),
        ("thermometer.ambient", file.and_then(|file| file.ambient.as_ref())),
    ];
    let checked: Vec<Option<ThermometerWiring>> = tables
        .into_iter()
        .filter_map(|(table, file)| file.map(|file| check_thermometer(document, table, file)))
        .collect();
    checked.into_iter().collect()
}

fn check_thermometer(
    document: &mut Document,
    table: &str,
    file: &ThermometerFile,
) -> Option<ThermometerWiring> {
    let key = |name: &str| format!("{table}.{name}");
    let instrument = check_instrument(
        document,
        table,
        &Common {
            address: file.address.as_ref(),
            family: None,
            model: None,
            serial: file.serial.as_ref(),
            timeout: file.timeout.as_ref(),
            baud: file.baud.as_ref(),
            calibration_due: file.calibration_due.as_ref(),
        },
    );
    let pattern = check_pattern(document, table, file);
    let scale = document.take(&key("unit"), file.unit.as_ref()).unwrap_or(TemperatureScale::Celsius);
    let possible = (Celsius(-273.15), Celsius(1000.0));
    let min = document.take(&key("plausible_min"), file.plausible_min.as_ref());
    let min = document.within(&key("plausible_min"), min.or(Some(Celsius(-40.0))), possible);
    let max = document.take(&key("plausible_max"), file.plausible_max.as_ref());
    let max = document.within(&key("plausible_max"), max.or(Some(Celsius(150.0))), possible);
    if let (Some(min), Some(max)) = (min, max)
        && min >= max
    {
        let told = ("the lowest plausible value must be below the highest", format!("the highest is {max}"));
        document.contradiction(&key("plausible_min"), &key("plausible_max"), (told.0, &told.1));
    }
    let max_age = document.take(&key("max_age"), file.max_age.as_ref());
    let max_age =
        document.span_within(&key("max_age"), max_age.or(Some(Duration::from_secs(3))), (10, 600_000));
    let frozen_after = document.take(&key("frozen_after"), file.frozen_after.as_ref());
    let frozen_after = document.span_within(&key("frozen_after"), frozen_after, (10, 86_400_000));
    if let (Some(age), Some(frozen)) = (max_age, frozen_after)
        && frozen <= age
    {
        let told = (
            "a value can only be called frozen later than a reading may be old",
            format!("a reading may be {} old", render_span(age)),
        );
        document.contradiction(&key("frozen_after"), &key("max_age"), (told.0, &told.1));
    }
    Some(ThermometerWiring {
        instrument: instrument?,
        pattern: pattern?,
        scale,
        plausible: (min?, max?),
        max_age: max_age?,
        frozen_after,
    })
}

fn check_pattern(document: &mut Document, table: &str, file: &ThermometerFile) -> Option<LinePattern> {
    let place = |name: &str| format!("{table}.{name}");
    let word = document.need(&place("pattern"), file.pattern.as_ref());
    let key = document.take(&place("key"), file.key.as_ref());
    let column = document.take(&place("column"), file.column.as_ref());
    let column = check_count::<usize>(document, &place("column"), column, 0..=255);
    let separator = document.take(&place("separator"), file.separator.as_ref());
    let word = word?;
    let is_keyed = matches!(word, PatternWord::KeyValue | PatternWord::Json);
    let is_csv = word == PatternWord::Csv;
    let owners = [
        ("key", file.key.is_some(), is_keyed, is_keyed),
        ("column", file.column.is_some(), is_csv, is_csv),
        ("separator", file.separator.is_some(), is_csv, false),
    ];
    for (name, written, allowed, needed) in owners {
        if written && !allowed {
            let told = (format!("this pattern has no {name}"), "the pattern");
            document.contradiction(&place(name), &place("pattern"), (&told.0, told.1));
        } else if needed && !written {
            document.fault(&place("pattern"), format!("this pattern needs a `{name}`"));
        }
    }
    let separator = match separator.as_deref() {
        None => Some(','),
        Some(text) => {
            let mut letters = text.chars();
            let one = letters.next().filter(|_| letters.next().is_none());
            if one.is_none() {
                document.fault(&place("separator"), "one character is expected");
            }
            one
        }
    };
    Some(match word {
        PatternWord::KeyValue => LinePattern::KeyValue { key: key? },
        PatternWord::Csv => LinePattern::CsvColumn { column: column?, separator: separator? },
        PatternWord::Json => LinePattern::JsonKey { key: key? },
        PatternWord::Plain => LinePattern::Plain,
    })
}
