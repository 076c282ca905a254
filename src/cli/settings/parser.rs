//! The one parser that judges what is typed and what stands in files: the command line's own, with every demand for an
//! option taken back where a file may still meet it.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::demands::with_demands;
use super::options::Known;
use crate::base::names::nearest;

/// The command line's parser for things that are not complete yet.
pub(super) struct Parser {
    lenient: Command,
    /// The same, but for what options demand of each other.
    demanding: Command,
    /// Knows the options before the subcommand only.
    outer: Command,
}

/// A value that the parser does not take.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) nearest: Option<String>,
}

/// What was typed, as far as it could be understood without any file.
pub(super) struct Typed {
    argv: Vec<OsString>,
    /// Where the subcommand's own arguments begin.
    inner: usize,
    pub(super) command: String,
    pub(super) given: ArgMatches,
}

impl Parser {
    pub(super) fn of(command: &Command) -> Self {
        let outer = Command::default()
            .args(command.get_arguments().cloned())
            .disable_help_subcommand(true)
            .allow_external_subcommands(true);
        let mut lenient =
            with_negations(command.clone()).mut_subcommands(|sub| sub.mut_args(|arg| arg.required(false)));
        let mut demanding = with_demands(lenient.clone());
        lenient.build();
        demanding.build();
        Self { lenient, demanding, outer }
    }

    /// Understands a command line that may lack what files give.
    ///
    /// # Errors
    /// It asks for help, or makes no sense whatever the files say.
    pub(super) fn read(&self, argv: &[OsString]) -> Result<Typed, clap::Error> {
        let matches = self.lenient.clone().try_get_matches_from(argv)?;
        let (command, given) = matches
            .subcommand()
            .ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand).with_cmd(&self.lenient))?;
        let inner = self.count_inner(argv)?;
        Ok(Typed {
            argv: argv.to_vec(),
            inner: argv.len() - inner.min(argv.len()),
            command: command.to_owned(),
            given: given.clone(),
        })
    }

    /// How many words follow the subcommand's name.
    fn count_inner(&self, argv: &[OsString]) -> Result<usize, clap::Error> {
        let matches = self.outer.clone().try_get_matches_from(argv)?;
        let words = matches.subcommand().and_then(|(_, sub)| sub.get_many::<OsString>(""));
        Ok(words.map_or(0, Iterator::count))
    }

    /// What is wrong with an option of a subcommand when it is typed like this; its relations to others are not looked at.
    pub(super) fn judge(&self, known: &Known, typed: &[OsString]) -> Option<Wrong> {
        let error = self.try_alone(&known.command, typed).err()?;
        let values = [
            ErrorKind::InvalidValue,
            ErrorKind::ValueValidation,
            ErrorKind::InvalidUtf8,
            ErrorKind::NoEquals,
            ErrorKind::TooManyValues,
            ErrorKind::TooFewValues,
            ErrorKind::WrongNumberOfValues,
        ];
        values.contains(&error.kind()).then(|| Wrong::of(&error))
    }

    /// Whether two options of a subcommand may not stand together.
    pub(super) fn contradict(&self, command: &str, typed: &[OsString]) -> bool {
        let told = self.try_alone(command, typed);
        told.is_err_and(|error| error.kind() == ErrorKind::ArgumentConflict)
    }

    /// Whether further options contradict what was typed.
    pub(super) fn contradicts(&self, typed: &Typed, more: &[OsString]) -> bool {
        let told = self.lenient.clone().try_get_matches_from(typed.with(more));
        told.is_err_and(|error| error.kind() == ErrorKind::ArgumentConflict)
    }

    /// Whether one of further options does nothing, for it demands another one that is not there.
    pub(super) fn lacks(&self, typed: &Typed, more: &[OsString]) -> bool {
        let told = self.demanding.clone().try_get_matches_from(typed.with(more));
        told.is_err_and(|error| error.kind() == ErrorKind::MissingRequiredArgument)
    }

    fn try_alone(&self, command: &str, typed: &[OsString]) -> Result<ArgMatches, clap::Error> {
        let sub = self.lenient.find_subcommand(command).cloned().unwrap_or_default();
        sub.no_binary_name(true).try_get_matches_from(typed)
    }
}

impl Typed {
    /// The command line with further options in front of the subcommand's own arguments.
    pub(super) fn with(&self, more: &[OsString]) -> Vec<OsString> {
        let (outer, inner) = self.argv.split_at(self.inner);
        [outer, more, inner].concat()
    }

    /// What was typed for an option; `--no-` in front of a flag says that it is not given.
    pub(super) fn value(&self, known: &Known) -> Option<toml::Value> {
        let negation = negation(&known.name);
        let is_typed = |id: &str| {
            let there = self.given.try_contains_id(id).unwrap_or(false);
            there && self.given.value_source(id) == Some(ValueSource::CommandLine)
        };
        if is_typed(&negation) {
            return Some(toml::Value::Boolean(false));
        }
        if !is_typed(&known.id) {
            return None;
        }
        if let Ok(Some(count)) = self.given.try_get_one::<u8>(&known.id)
            && known.kind == super::options::Kind::Count
        {
            return Some(toml::Value::Integer(i64::from(*count)));
        }
        if known.kind == super::options::Kind::Flag {
            return Some(toml::Value::Boolean(true));
        }
        let raw = self.given.try_get_raw(&known.id).ok().flatten().into_iter().flatten();
        let mut values: Vec<toml::Value> =
            raw.map(|text| known.kind.typed(&text.to_string_lossy())).collect();
        if known.several { Some(toml::Value::Array(values)) } else { values.pop() }
    }
}

/// The definition with a hidden `--no-…` for every flag, so that what a file says can be taken back.
pub(super) fn with_negations(command: Command) -> Command {
    command.mut_subcommands(|sub| {
        let has = |name: &str| sub.get_arguments().any(|arg| arg.get_long() == Some(name));
        let flags = sub.get_arguments().filter(|arg| matches!(arg.get_action(), ArgAction::SetTrue));
        let negations: Vec<Arg> = flags
            .filter_map(|arg| Some((arg.get_id().clone(), negation(arg.get_long()?))))
            .filter(|(_, name)| !has(name))
            .map(|(flag, name)| {
                let negation = Arg::new(name.clone()).long(name).hide(true).action(ArgAction::SetTrue);
                negation.overrides_with(flag)
            })
            .collect();
        sub.args(negations)
    })
}

fn negation(flag: &str) -> String {
    format!("no-{flag}")
}

impl Wrong {
    fn of(error: &clap::Error) -> Self {
        let text = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.clone()),
            _ => None,
        };
        let value = text(ContextKind::InvalidValue).unwrap_or_default();
        if let Some(reason) = error.source().map(ToString::to_string) {
            // Our own names and quantities tell what was written themselves.
            let told = reason.contains(&value);
            let message = if told { reason } else { format!("`{value}` is not possible here: {reason}") };
            return Self { message, nearest: None };
        }
        match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(known)) if !known.is_empty() => {
                let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let message = format!("`{value}` is not possible here; possible: {list}");
                Self {
                    message,
                    nearest: nearest(&value, known.iter().map(String::as_str)).map(str::to_owned),
                }
            }
            _ if value.is_empty() => {
                Self { message: "an empty text is not possible here".to_owned(), nearest: None }
            }
            _ => Self { message: format!("`{value}` is not possible here"), nearest: None },
        }
    }
}
