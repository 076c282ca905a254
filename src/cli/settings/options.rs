//! The options that may stand in a file: every long option of every subcommand, as the parser of the command line knows it,
//! so that nobody writes an option a second time.

use std::any::TypeId;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use serde_json::{Map, Value, json};
use toml::de::DeValue;

use crate::plan::document::noun;

/// Options that are about the files themselves, or that answer in place of the subcommand.
const ONLY_TYPED: [&str; 3] = ["no-config", "help", "version"];

/// Whether a key at the top means this option, too: a run is gone on with on its own rig and with its own board, whatever
/// those of new runs are.
pub(super) fn counts_at_top(command: &str, name: &str) -> bool {
    command != "resume" || !["rig", "board", "revision"].contains(&name)
}

/// The one table that is no subcommand's; what is in it is judged by those who tell people.
pub(super) const NOTIFY: &str = "notify";

/// What may stand behind an option's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Given or not, without a value.
    Flag,
    /// How often it is given, without a value.
    Count,
    /// A value that is true or false.
    Truth,
    /// A whole number, 0 or above.
    Natural,
    Whole,
    Number,
    /// A text that names a file or folder.
    Path,
    Text,
}

/// A long option of a subcommand.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) command: String,
    /// As it is typed, without the dashes.
    pub(super) name: String,
    /// The parser's name of it.
    pub(super) id: String,
    pub(super) kind: Kind,
    /// Whether it may be given several times.
    pub(super) several: bool,
    /// What it is when nobody says anything.
    pub(super) default: Option<toml::Value>,
    about: String,
    possible: Vec<String>,
}

/// All options that may stand in a file, by subcommand, in the order in which the help tells them.
#[derive(Debug)]
pub(super) struct Options {
    known: Vec<Known>,
}

impl Options {
    /// Reads them off a command line's definition. Subcommands that nobody types have none.
    pub(super) fn of(mut command: Command) -> Self {
        command.build();
        let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help");
        let known = shown.flat_map(|sub| {
            let options = sub.get_arguments().filter(|arg| {
                arg.get_long().is_some_and(|name| !ONLY_TYPED.contains(&name)) && !arg.is_hide_set()
            });
            options.map(|arg| Known::of(sub.get_name(), arg))
        });
        Self { known: known.collect() }
    }

    /// The subcommands that have options, in the order of the help.
    pub(super) fn commands(&self) -> Vec<&str> {
        let mut commands: Vec<&str> = self.known.iter().map(|known| known.command.as_str()).collect();
        commands.dedup();
        commands
    }

    /// The options of one subcommand.
    pub(super) fn of_command<'o>(&'o self, command: &'o str) -> impl Iterator<Item = &'o Known> {
        self.known.iter().filter(move |known| known.command == command)
    }

    /// The options that a key means: one in a subcommand's table, one of each subcommand that has it at the top.
    pub(super) fn meant<'o>(
        &'o self,
        command: Option<&'o str>,
        name: &'o str,
    ) -> impl Iterator<Item = &'o Known> {
        let is_meant = move |known: &&Known| match command {
            Some(command) => known.command == command,
            None => counts_at_top(&known.command, &known.name),
        };
        self.known.iter().filter(move |known| known.name == name).filter(is_meant)
    }

    /// The JSON Schema of a file of settings.
    pub(super) fn schema(&self) -> Value {
        // A subcommand's table hides an option of the same name; that one stands in tables only.
        let mut top: Map<String, Value> =
            self.known.iter().map(|known| (known.name.clone(), known.schema())).collect();
        for command in self.commands() {
            let options: Map<String, Value> =
                self.of_command(command).map(|known| (known.name.clone(), known.schema())).collect();
            top.insert(
                command.to_owned(),
                json!({ "type": "object", "properties": options, "additionalProperties": false }),
            );
        }
        top.insert(NOTIFY.to_owned(), crate::notify::json_schema());
        json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "Settings of soakrig",
            "type": "object",
            "properties": top,
            "additionalProperties": false,
        })
    }
}

impl Known {
    fn of(command: &str, arg: &Arg) -> Self {
        let kind = Kind::of(arg);
        let several = matches!(arg.get_action(), ArgAction::Append);
        let defaults = arg.get_default_values().iter().map(|text| kind.typed(&text.to_string_lossy()));
        let default = match kind {
            Kind::Flag => Some(toml::Value::Boolean(false)),
            Kind::Count => Some(toml::Value::Integer(0)),
            _ if several => Some(toml::Value::Array(defaults.collect())),
            _ => defaults.into_iter().next(),
        };
        // A flag takes no value, whatever its parser would take.
        let possible = if kind.takes_value() { arg.get_possible_values() } else { Vec::new() };
        Self {
            command: command.to_owned(),
            name: arg.get_long().unwrap_or_default().to_owned(),
            id: arg.get_id().as_str().to_owned(),
            kind,
            several,
            default,
            about: arg.get_help().map(ToString::to_string).unwrap_or_default(),
            possible: possible.iter().map(|value| value.get_name().to_owned()).collect(),
        }
    }

    fn schema(&self) -> Value {
        let mut one = match self.kind {
            Kind::Flag | Kind::Truth => json!({ "type": "boolean" }),
            Kind::Count => json!({ "type": "integer", "minimum": 0, "maximum": u8::MAX }),
            Kind::Natural => json!({ "type": "integer", "minimum": 0 }),
            Kind::Whole => json!({ "type": "integer" }),
            Kind::Number => json!({ "type": "number" }),
            Kind::Path | Kind::Text => json!({ "type": "string" }),
        };
        if !self.possible.is_empty() && self.kind == Kind::Text {
            one["enum"] = json!(self.possible);
        }
        let mut schema = if self.several { json!({ "type": "array", "items": one }) } else { one };
        schema["description"] = json!(self.about);
        schema
    }

    /// A value of a file, if it has the right shape.
    ///
    /// # Errors
    /// What was expected, and what is there.
    pub(super) fn read(&self, value: &DeValue<'_>) -> Result<toml::Value, String> {
        match value {
            DeValue::Array(list) if self.several => {
                let items = list.iter().enumerate().map(|(index, item)| {
                    let read = self.read_one(item.get_ref());
                    read.map_err(|told| format!("entry {}: {told}", index + 1))
                });
                let items: Result<Vec<toml::Value>, String> = items.collect();
                Ok(toml::Value::Array(items?))
            }
            other if self.several => Err(format!("a list is expected here, not {}", noun(other))),
            one => self.read_one(one),
        }
    }

    fn read_one(&self, value: &DeValue<'_>) -> Result<toml::Value, String> {
        let wanted = match (self.kind, value) {
            (Kind::Flag | Kind::Truth, DeValue::Boolean(truth)) => return Ok(toml::Value::Boolean(*truth)),
            (Kind::Natural, DeValue::Integer(whole)) if whole.as_str().starts_with('-') => {
                return Err(format!("a whole number from 0 up is expected here, not {whole}"));
            }
            (Kind::Count | Kind::Natural | Kind::Whole | Kind::Number, DeValue::Integer(whole)) => {
                let number = i64::from_str_radix(whole.as_str(), whole.radix());
                return number.map(toml::Value::Integer).map_err(|error| format!("`{whole}`: {error}"));
            }
            (Kind::Number, DeValue::Float(number)) => {
                let read = number.as_str().parse();
                return read.map(toml::Value::Float).map_err(|error| format!("`{number}`: {error}"));
            }
            (Kind::Path | Kind::Text, DeValue::String(text)) => {
                return Ok(toml::Value::String(text.to_string()));
            }
            (Kind::Flag | Kind::Truth, _) => "true or false",
            (Kind::Count | Kind::Natural | Kind::Whole, _) => "a whole number",
            (Kind::Number, _) => "a number",
            (Kind::Path | Kind::Text, _) => "a text",
        };
        let there = match value {
            DeValue::Float(number) => number.to_string(),
            other => noun(other).to_owned(),
        };
        Err(format!("{wanted} is expected here, not {there}"))
    }

    /// What would have to be typed for a value of a file in this folder; nothing where a flag is not given.
    ///
    /// # Errors
    /// It would be too much to type.
    pub(super) fn typed(&self, value: &toml::Value, folder: Option<&Path>) -> Result<Vec<OsString>, String> {
        let dashed = format!("--{}", self.name);
        Ok(match (self.kind, value) {
            (Kind::Flag, toml::Value::Boolean(given)) => {
                if *given {
                    vec![dashed.into()]
                } else {
                    Vec::new()
                }
            }
            (Kind::Count, toml::Value::Integer(count)) => {
                let count = u8::try_from(*count)
                    .map_err(|_| format!("{count} is out of range: 0 to {} is possible here", u8::MAX))?;
                vec![OsString::from(dashed); usize::from(count)]
            }
            (_, toml::Value::Array(list)) => {
                list.iter().map(|item| self.typed_one(&dashed, item, folder)).collect()
            }
            (_, one) => vec![self.typed_one(&dashed, one, folder)],
        })
    }

    fn typed_one(&self, dashed: &str, value: &toml::Value, folder: Option<&Path>) -> OsString {
        let mut typed = OsString::from(format!("{dashed}="));
        match (self.kind, value, folder) {
            (Kind::Path, toml::Value::String(path), Some(folder)) => typed.push(placed(path, folder)),
            (_, toml::Value::String(text), _) => typed.push(text),
            (_, other, _) => typed.push(other.to_string()),
        }
        typed
    }

    /// A value of a file in this folder as it is shown: a path is the one that is meant.
    pub(super) fn shown(&self, value: &toml::Value, folder: &Path) -> toml::Value {
        match (self.kind, value) {
            (Kind::Path, toml::Value::String(path)) => {
                toml::Value::String(placed(path, folder).display().to_string())
            }
            (Kind::Path, toml::Value::Array(list)) => {
                toml::Value::Array(list.iter().map(|item| self.shown(item, folder)).collect())
            }
            (_, other) => other.clone(),
        }
    }
}

/// A path of a file in this folder. Whoever writes a file means that file's folder, not the one that somebody stands in.
fn placed(path: &str, folder: &Path) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(below), Some(home)) => home.join(below),
        _ => folder.join(path),
    }
}

impl Kind {
    fn of(arg: &Arg) -> Self {
        let parsed = arg.get_value_parser().type_id();
        let is = |types: &[TypeId]| types.iter().any(|known| parsed == *known);
        macro_rules! types {
            ($($name:ty),*) => { &[$(TypeId::of::<$name>()),*] };
        }
        match arg.get_action() {
            ArgAction::SetTrue | ArgAction::SetFalse => Self::Flag,
            ArgAction::Count => Self::Count,
            _ if is(types![bool]) => Self::Truth,
            _ if is(types![PathBuf]) => Self::Path,
            _ if is(types![f32, f64]) => Self::Number,
            _ if is(types![u8, u16, u32, u64, usize]) => Self::Natural,
            _ if is(types![i8, i16, i32, i64, isize]) => Self::Whole,
            _ => Self::Text,
        }
    }

    const fn takes_value(self) -> bool {
        !matches!(self, Self::Flag | Self::Count)
    }

    /// A text of the command line as a value.
    pub(super) fn typed(self, text: &str) -> toml::Value {
        let read = match self {
            Self::Natural | Self::Whole => text.parse().map(toml::Value::Integer).ok(),
            Self::Number => text.parse().map(toml::Value::Float).ok(),
            Self::Truth => text.parse().map(toml::Value::Boolean).ok(),
            _ => None,
        };
        read.unwrap_or_else(|| toml::Value::String(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::super::args::Cli;
    use super::*;

    #[test]
    fn every_option_that_is_a_path_is_named_where_files_of_settings_are_explained() {
        let page = include_str!("../../../docs/settings.md");
        let line = page.split("Today these are").nth(1).unwrap().split(';').next().unwrap();
        let options = Options::of(Cli::command());
        let commands = options.commands();
        let known = commands.iter().flat_map(|command| options.of_command(command));
        let mut paths: Vec<&str> =
            known.filter(|known| matches!(known.kind, Kind::Path)).map(|known| known.name.as_str()).collect();
        paths.sort_unstable();
        paths.dedup();
        let named: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        let mut sorted = named.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, paths);
    }
}
