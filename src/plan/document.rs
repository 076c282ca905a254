//! A TOML file on its way to a checked value: everything that is wrong with it is gathered, and nothing stops at the first
//! fault.
//!
//! The keys that are known come from the same types that read the file (their JSON Schema), so the two cannot drift apart.
//! Unknown keys and wrong shapes are told and taken out; the rest is read; each scalar then says for itself what is wrong.

use std::ops::Range;
use std::time::Duration;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::place::Places;
use super::written::Written;
use crate::base::names::nearest;
use crate::base::span::render_span;
use crate::instrument::dialect::Fault;

/// Longest file that is read: no rig or profile comes near, and a wrong file (a trace, a disk image) is refused early.
const LONGEST_FILE: usize = 1 << 20;

/// Most faults of a file that are told: nobody reads more, and a wrong file has one in every line.
const MOST_FAULTS: usize = 100;

/// A file that is being read.
pub(crate) struct Document {
    /// Where its values stand.
    pub(crate) places: Places,
    faults: Vec<Fault>,
    /// Lines that are no TOML: what the parser made of them is not judged again.
    torn: Vec<Range<usize>>,
    /// Faults beyond the most that are told.
    untold: usize,
}

impl Document {
    /// Reads the text as far as it can be read.
    pub(crate) fn read<T: DeserializeOwned + JsonSchema>(file: &str, text: &str) -> (Option<T>, Self) {
        let (root, mut document) = Self::read_table(file, text, &json_schema::<T>());
        let value = root.and_then(|root| {
            let read = T::deserialize(toml::de::Deserializer::from(root));
            read.map_err(|error| document.add_syntax(text, &error)).ok()
        });
        (value, document)
    }

    /// Reads one table of a text whose other parts are somebody else's. The places are those in the whole text, under the
    /// table's name.
    pub(crate) fn read_part<T: DeserializeOwned + JsonSchema>(
        file: &str,
        text: &str,
        name: &str,
    ) -> (Option<T>, Self) {
        let (root, mut document) = Self::parse(file, text);
        let value = root.and_then(|mut root| {
            let mut part = root.get_mut().remove(name)?;
            if !document.walk_value(&mut part, &json_schema::<T>(), name) {
                return None;
            }
            let read = T::deserialize(toml::de::ValueDeserializer::from(part));
            read.map_err(|error| document.add_syntax(text, &error)).ok()
        });
        (value, document)
    }

    /// Reads a text whose known keys a schema tells; what the values mean is left to the caller.
    pub(crate) fn read_table<'t>(
        file: &str,
        text: &'t str,
        schema: &Value,
    ) -> (Option<Spanned<DeTable<'t>>>, Self) {
        let (mut root, mut document) = Self::parse(file, text);
        if let Some(root) = &mut root {
            document.walk(root.get_mut(), schema, "");
        }
        (root, document)
    }

    fn parse<'t>(file: &str, text: &'t str) -> (Option<Spanned<DeTable<'t>>>, Self) {
        let places = Places::of(file, text);
        let mut document = Self { places, faults: Vec::new(), torn: Vec::new(), untold: 0 };
        if text.len() > LONGEST_FILE {
            document.fault("", format!("the file has {} bytes; {LONGEST_FILE} are the most", text.len()));
            return (None, document);
        }
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors.iter().take(MOST_FAULTS) {
            document.add_syntax(text, error);
        }
        document.untold += errors.len().saturating_sub(MOST_FAULTS);
        (Some(root), document)
    }

    fn add_syntax(&mut self, text: &str, error: &toml::de::Error) {
        let span = error.span().map(|span| clip(text, span));
        if let Some(span) = &span {
            let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
            let end = text[span.end..].find('\n').map_or(text.len(), |at| span.end + at);
            // A torn line often makes several complaints; the first one is the useful one.
            if self.torn.iter().any(|line| line.contains(&span.start)) {
                return;
            }
            self.torn.push(start..end.max(start + 1));
        }
        self.faults.push(Fault { span, ..self.places.fault("", error.message()) });
    }

    /// Notes every place, tells what is unknown or misshapen, and takes it out.
    fn walk(&mut self, table: &mut DeTable<'_>, schema: &Value, path: &str) {
        let known = properties(schema);
        let mut unfit: Vec<String> = Vec::new();
        for (key, value) in table.iter_mut() {
            let name: &str = key.get_ref();
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            let fits = if let Some(schema) = known.and_then(|known| known.get(name)) {
                self.walk_value(value, schema, &path)
            } else {
                let names: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                self.add_unknown(&path, key.span(), &names);
                false
            };
            if !fits {
                unfit.push(name.to_owned());
            }
        }
        for name in unfit {
            table.remove(name.as_str());
        }
    }

    fn walk_value(&mut self, value: &mut Spanned<DeValue<'_>>, schema: &Value, path: &str) -> bool {
        self.places.insert(path, value.span());
        let (table, list) = (properties(schema).is_some(), items(schema));
        match value.get_mut() {
            DeValue::Table(inner) if table => self.walk(inner, schema, path),
            DeValue::Array(inner) if list.is_some() => {
                for (index, item) in inner.iter_mut().enumerate() {
                    let path = format!("{path}[{}]", index + 1);
                    if !self.walk_value(item, list.unwrap_or(&Value::Null), &path) {
                        return false;
                    }
                }
            }
            other if (table || list.is_some()) && !takes_scalar(schema) => {
                let wanted = match (table, list.is_some()) {
                    (true, true) => "a list or a table",
                    (true, false) => "a table",
                    _ => "a list",
                };
                let message = format!("{wanted} is expected here, not {}", noun(other));
                self.fault(path, message);
                return false;
            }
            _ => {}
        }
        true
    }

    fn add_unknown(&mut self, path: &str, span: Range<usize>, known: &[&str]) {
        if self.faults.len() >= MOST_FAULTS {
            self.untold += 1;
            return;
        }
        let name = path.rsplit('.').next().unwrap_or(path);
        let near = nearest(name, known.iter().copied()).map(str::to_owned);
        let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let message = format!("unknown key `{name}`; known here: {list}");
        self.push(Fault { span: Some(span), nearest: near, ..self.places.fault(path, message) });
    }

    /// Tells a fault, unless it stands in a line that is no TOML anyway.
    pub(crate) fn push(&mut self, fault: Fault) {
        let torn = |span: &Range<usize>| self.torn.iter().any(|line| line.contains(&span.start));
        if fault.span.as_ref().is_some_and(torn) {
            return;
        }
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        } else {
            self.untold += 1;
        }
    }

    /// Whether this has been told of this key.
    pub(crate) fn has_told(&self, fault: &Fault) -> bool {
        self.faults.iter().any(|told| told.key == fault.key && told.message == fault.message)
    }

    /// Tells a fault at a key.
    pub(crate) fn fault(&mut self, key: &str, message: impl Into<String>) {
        self.push(self.places.fault(key, message));
    }

    /// Tells that two keys contradict each other.
    pub(crate) fn contradiction(&mut self, key: &str, other: &str, told: (&str, &str)) {
        let mut fault = self.places.fault(key, told.0);
        fault.also.push(self.places.label(other, told.1));
        self.push(fault);
    }

    /// The value of an optional key; what is wrong with it is told.
    pub(crate) fn take<T: Clone>(&mut self, key: &str, written: Option<&Written<T>>) -> Option<T> {
        match &written?.0 {
            Ok(value) => Some(value.clone()),
            Err(wrong) => {
                let mut fault = self.places.fault(key, wrong.message.clone());
                fault.nearest.clone_from(&wrong.nearest);
                self.push(fault);
                None
            }
        }
    }

    /// The value of a key that must be there.
    pub(crate) fn need<T: Clone>(&mut self, key: &str, written: Option<&Written<T>>) -> Option<T> {
        if written.is_none() {
            self.missing(key);
        }
        self.take(key, written)
    }

    /// A name that must be there. It stands in lines for terminals, where a control character would do more than be read.
    pub(crate) fn need_name(&mut self, key: &str, written: Option<&Written<String>>) -> Option<String> {
        let name = self.need(key, written)?;
        if name.chars().any(char::is_control) {
            self.fault(key, "a name is one line, without control characters");
            return None;
        }
        Some(name)
    }

    /// Tells that a key or table is missing. A file with torn lines may well hold it there, so nothing is said then; nor
    /// where the key was written in a wrong shape, which has been told.
    pub(crate) fn missing(&mut self, key: &str) {
        if self.torn.is_empty() && !self.places.is_written(key) {
            let name = key.rsplit('.').next().unwrap_or(key);
            self.fault(key, format!("`{name}` is missing"));
        }
    }

    /// A value that must lie inside a range, both ends included.
    pub(crate) fn within<T: PartialOrd + std::fmt::Display + Copy>(
        &mut self,
        key: &str,
        value: Option<T>,
        (lowest, highest): (T, T),
    ) -> Option<T> {
        let value = value?;
        if value >= lowest && value <= highest {
            return Some(value);
        }
        self.fault(key, format!("{value} is out of range: {lowest} to {highest} is possible here"));
        None
    }

    /// A length of time that must lie inside a range of milliseconds, both ends included.
    pub(crate) fn span_within(
        &mut self,
        key: &str,
        span: Option<Duration>,
        (lowest_ms, highest_ms): (u64, u64),
    ) -> Option<Duration> {
        let (lowest, highest) = (Duration::from_millis(lowest_ms), Duration::from_millis(highest_ms));
        let span = span?;
        if span >= lowest && span <= highest {
            return Some(span);
        }
        let told = [span, lowest, highest].map(render_span);
        self.fault(key, format!("{} is out of range: {} to {} is possible here", told[0], told[1], told[2]));
        None
    }

    /// Nothing was wrong, or everything that was, in the order of the file.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<Fault>> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => {
                if self.faults.is_empty() {
                    self.fault("", "the file could not be read as a whole");
                }
                self.faults.sort_by_key(|fault| fault.span.as_ref().map_or(0, |span| span.start));
                if self.untold > 0 {
                    let told = format!("{} more faults are not told; is it the right file?", self.untold);
                    self.faults.push(self.places.fault("", told));
                }
                Err(self.faults)
            }
        }
    }
}

/// The JSON Schema of a file, with everything in place.
pub(crate) fn json_schema<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft07();
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// The named part of a schema, or of one of its alternatives (a key that may be left out has two).
fn part<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    let alternatives = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    schema.get(name).or_else(|| alternatives.into_iter().find_map(|inner| part(inner, name)))
}

fn properties(schema: &Value) -> Option<&serde_json::Map<String, Value>> {
    part(schema, "properties").and_then(Value::as_object)
}

/// Whether a single value may stand there beside a list or a table.
fn takes_scalar(schema: &Value) -> bool {
    part(schema, "anyOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|inner| inner.get("type").is_some_and(|kind| kind == "string") || takes_scalar(inner))
}

fn items(schema: &Value) -> Option<&Value> {
    part(schema, "items")
}

/// A value's shape in a word.
pub(crate) fn noun(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The span inside the text, on whole characters.
fn clip(text: &str, span: Range<usize>) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (floor(span.start), floor(span.end));
    start..end.max(start)
}
