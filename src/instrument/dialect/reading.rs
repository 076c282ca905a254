//! TOML into a structure, with every fault of it and not only the first.
//!
//! serde stops at the first thing it does not like. So what it does not like is noted, taken out of the document, and the
//! document is read again, until it reads. Structures whose fields are all `Option` let the checks behind them tell every
//! missing key, too.

use std::borrow::Cow;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Faults;
use crate::base::names::nearest;

/// The most faults that are told of one file.
const MOST_FAULTS: usize = 200;

/// A value and where in the file it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// What was written.
    pub value: T,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Placed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { span: spanned.span(), value: spanned.into_inner() })
    }
}

impl<T: JsonSchema> JsonSchema for Placed<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// Reads `text` as a `T`. What cannot be read is added to `faults` and left out; `None` if nothing can be made of the rest.
pub fn read_toml<T: DeserializeOwned>(text: &str, faults: &mut Faults) -> Option<T> {
    let (mut document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        for error in errors.iter().take(MOST_FAULTS) {
            faults.add("", error.span(), error.message().to_owned());
        }
        return None;
    }
    let mut removed: Vec<String> = Vec::new();
    for _ in 0..MOST_FAULTS {
        let error = match T::deserialize(toml::de::Deserializer::from(document.clone())) {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let quoted = quoted_words(error.message());
        let missing = error.message().starts_with("missing field");
        if missing && quoted.first().is_some_and(|name| removed.contains(name)) {
            return None;
        }
        let place = error.span().and_then(|span| find(document.get_ref(), &span));
        let key = place.as_ref().map(|place| place.join(".").replace(".[", "[")).unwrap_or_default();
        faults.add_with_nearest(&key, error.span(), message(error.message()), guess(&quoted));
        match place {
            Some(place) if !missing && remove(document.get_mut(), &place) => {
                removed.extend(place.last().cloned());
            }
            _ => return None,
        }
    }
    None
}

/// serde's words in ours.
fn message(told: &str) -> String {
    told.replace("unknown field", "unknown key")
        .replace("missing field", "missing key")
        .replace("variant", "word")
}

fn guess(quoted: &[String]) -> Option<&str> {
    let (written, known) = quoted.split_first()?;
    nearest(written, known.iter().map(String::as_str))
}

/// What stands between backticks.
fn quoted_words(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The path of the innermost entry whose key or value is at `span`.
fn find(table: &DeTable<'_>, span: &Range<usize>) -> Option<Vec<String>> {
    let covers = |place: Range<usize>| place.start <= span.start && span.end <= place.end;
    for (key, value) in table {
        let inner = match value.get_ref() {
            DeValue::Table(inner) => find(inner, span),
            DeValue::Array(items) => items.iter().enumerate().find_map(|(at, item)| {
                let mut path = vec![format!("[{at}]")];
                match item.get_ref() {
                    DeValue::Table(inner) => path.extend(find(inner, span)?),
                    _ => return None,
                }
                Some(path)
            }),
            _ => None,
        };
        let mut path = vec![key.get_ref().to_string()];
        if let Some(inner) = inner {
            path.extend(inner);
            return Some(path);
        }
        if covers(key.span()) || covers(value.span()) {
            return Some(path);
        }
    }
    None
}

fn remove(table: &mut DeTable<'_>, path: &[String]) -> bool {
    match path {
        [] => false,
        [key] => table.remove(key.as_str()).is_some(),
        [key, rest @ ..] => match table.get_mut(key.as_str()).map(Spanned::get_mut) {
            Some(DeValue::Table(inner)) => remove(inner, rest),
            Some(DeValue::Array(items)) => {
                let at = rest.first().and_then(|at| at.trim_matches(['[', ']']).parse::<usize>().ok());
                match at.and_then(|at| items.get_mut(at)).map(Spanned::get_mut) {
                    Some(DeValue::Table(inner)) => remove(inner, &rest[1..]),
                    _ => false,
                }
            }
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: Option<Placed<String>>,
        #[serde(default)]
        parts: Vec<Part>,
        #[serde(default)]
        words: BTreeMap<String, Placed<f64>>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Part {
        volts: Option<Placed<f64>>,
        kind: Option<Kind>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Supply,
        Load,
    }

    fn told(text: &str) -> (Option<Outer>, String) {
        let mut faults = Faults::of("a.toml");
        let read = read_toml(text, &mut faults);
        let lines: Vec<String> = faults
            .into_vec()
            .into_iter()
            .map(|fault| format!("{fault} [{}]", fault.span.clone().map_or("", |span| &text[span])))
            .collect();
        (read, lines.join("\n"))
    }

    #[test]
    fn every_fault_of_a_file_is_told_with_its_place_and_the_rest_is_read() {
        let text = r#"
nmae = "x"
name = 5
[[parts]]
volts = 1
[[parts]]
volts = "much"
kind = "suply"
colour = 1
[words]
a = true
b = 2
"#;
        let (read, faults) = told(text);
        insta::assert_snapshot!(faults, @r#"
        a.toml: `nmae`: unknown key `nmae`, expected one of `name`, `parts`, `words`; did you mean `name`? [nmae]
        a.toml: `name`: invalid type: integer `5`, expected a string [5]
        a.toml: `parts[1].volts`: invalid type: string "much", expected f64 ["much"]
        a.toml: `parts[1].kind`: unknown word `suply`, expected `supply` or `load`; did you mean `supply`? ["suply"]
        a.toml: `parts[1].colour`: unknown key `colour`, expected `volts` or `kind` [colour]
        a.toml: `words.a`: invalid type: boolean `true`, expected f64 [true]
        "#);
        let read = read.unwrap();
        assert_eq!(read.name, None);
        assert_eq!(read.parts[0].volts.as_ref().map(|placed| placed.value), Some(1.0));
        assert_eq!(read.parts[1].kind, None);
        assert_eq!(read.words["b"].value, 2.0);
    }

    #[test]
    fn a_text_that_is_no_toml_is_told_where() {
        let (read, faults) = told("name = \n[[parts\n");
        assert!(read.is_none());
        assert!(!faults.is_empty());
    }
}
