//! Settings in layers: what files say of options stands behind what is typed. A file's values are judged by the parser of
//! the command line and go through it like words that were typed, so that an option means the same wherever it stands.

mod demands;
#[cfg(unix)]
mod foreign_unix;
mod options;
mod page;
mod parser;
mod places;
mod resolve;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use clap::{CommandFactory, FromArgMatches};

use super::args::{Cli, Command};
use super::message::{CliError, line_at};
use crate::instrument::dialect::Fault;
use crate::session::SessionError;

pub(super) use places::{Place, State};
pub(super) use resolve::{Origin, Resolved};

use demands::with_demands;
use options::Options;
use page::Page;
use parser::{Parser, Typed, with_negations};
use resolve::resolve;

/// What is to be done, with everything that files add to it.
pub(super) struct Start {
    pub(super) command: Command,
    pub(super) settings: Settings,
    /// Whether a script reads stdout, which wants its errors there, too.
    pub(super) wants_json: bool,
}

/// Why nothing is done.
pub(super) enum Refusal {
    /// The command line asks for help or makes no sense; the note says which of it came from files.
    Words { error: Box<clap::Error>, note: Option<String>, wants_json: bool },
    /// Faults in files of settings.
    Files { error: CliError, wants_json: bool },
}

/// The files of settings that were heeded.
#[derive(Default)]
pub(super) struct Settings {
    /// Where files were looked for, the lowest first; none where nobody wanted any.
    pub(super) places: Vec<Place>,
    /// What they say, the lowest first.
    pages: Vec<Page>,
    /// Which options of the command line have their value from one of them.
    given: BTreeSet<String>,
}

/// The table of a file that says whom to tell.
pub(super) struct Notify<'s> {
    pub(super) file: &'s Path,
    /// The whole file's, which places are told in.
    pub(super) text: &'s str,
    /// From 1.
    pub(super) line: usize,
}

/// Understands what was typed together with what the files say.
///
/// # Errors
/// The command line makes no sense or asks for help, or a file is at fault.
pub(super) fn start(argv: &[OsString]) -> Result<Start, Refusal> {
    let definition = Cli::command();
    let parser = Parser::of(&definition);
    let typed = parser.read(argv).map_err(|error| plainly(argv, error))?;
    let options = Options::of(definition.clone());
    // What nobody types (the dead-man) and what has no options must not fail by a file.
    let has_options = options.of_command(&typed.command).next().is_some();
    let (mut settings, found) = if has_options && !typed.ignores_files() {
        Settings::read(&options, &parser)
    } else {
        (Settings::default(), Found::default())
    };
    let (resolved, added) = resolve((&options, &parser), &typed, &settings.pages);
    let is_given = |option: &&Resolved| matches!(option.origin, Origin::File(..));
    settings.given = resolved.iter().filter(is_given).map(|option| option.name.clone()).collect();
    let wants_json = resolved
        .iter()
        .any(|option| option.name == "json" && option.value == Some(toml::Value::Boolean(true)));
    if !found.faults.is_empty() {
        return Err(Refusal::Files { error: found.into_error(), wants_json });
    }
    let read = with_demands(with_negations(definition))
        .try_get_matches_from(typed.with(&added))
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match read {
        Ok(cli) => Ok(Start { command: cli.command, settings, wants_json }),
        Err(error) => Err(Refusal::Words { error: Box::new(error), note: origins(&resolved), wants_json }),
    }
}

/// The JSON Schema of a file of settings.
pub(super) fn json_schema() -> serde_json::Value {
    Options::of(Cli::command()).schema()
}

/// The parser's words as if there were no files; what only files make possible keeps its own.
fn plainly(argv: &[OsString], error: clap::Error) -> Refusal {
    let plain = Cli::command().try_get_matches_from(argv).err().filter(|plain| plain.kind() == error.kind());
    // What makes no sense as a whole still says so much.
    let wants_json = argv.iter().any(|word| word == "--json");
    Refusal::Words { error: Box::new(plain.unwrap_or(error)), note: None, wants_json }
}

/// Which options came from files, for somebody who has not typed them.
fn origins(resolved: &[Resolved]) -> Option<String> {
    let told: Vec<String> = resolved
        .iter()
        .filter_map(|option| match &option.origin {
            Origin::File(file, line) => Some(format!("  --{} by {file}:{line}", option.name)),
            _ => None,
        })
        .collect();
    (!told.is_empty()).then(|| format!("\nGiven by files (--no-config ignores them):\n{}", told.join("\n")))
}

/// What is wrong with the files, and their texts.
#[derive(Default)]
struct Found {
    faults: Vec<Fault>,
    sources: Vec<(String, String)>,
}

impl Found {
    fn into_error(self) -> CliError {
        let mut error = CliError::from(SessionError::Faults { faults: self.faults, sources: self.sources });
        error.text.push_str("--no-config ignores all files of settings\n");
        error
    }
}

impl Settings {
    fn read(options: &Options, parser: &Parser) -> (Self, Found) {
        let (mut settings, mut found) = (Self::default(), Found::default());
        for (place, text) in places::look() {
            let name = place.file.display().to_string();
            match text {
                Ok(Some(text)) => {
                    let (page, faults) = Page::read(&place.file, &text, options, parser);
                    settings.pages.push(page);
                    found.faults.extend(faults);
                    found.sources.push((name, text));
                }
                Ok(None) => {}
                Err(message) => found.faults.push(Fault {
                    file: name,
                    span: None,
                    key: String::new(),
                    message,
                    nearest: None,
                    also: Vec::new(),
                }),
            }
            settings.places.push(place);
        }
        (settings, found)
    }

    /// What somebody should know of the files before anything is done.
    pub(super) fn remarks(&self) -> Vec<String> {
        let passed = self.places.iter().filter_map(|place| match &place.state {
            State::PassedOver(reason) => {
                Some(format!("warning: {} is passed over: {reason}", place.file.display()))
            }
            _ => None,
        });
        passed.collect()
    }

    /// Whether an option has its value from a file, and nobody typed it.
    pub(super) fn gives(&self, option: &str) -> bool {
        self.given.contains(option)
    }

    /// The table that says whom to tell in the highest file that has one; lower ones are then not heeded at all.
    pub(super) fn notify(&self) -> Option<Notify<'_>> {
        self.pages
            .iter()
            .rev()
            .find_map(|page| Some(Notify { file: &page.file, text: &page.text, line: page.notify? }))
    }

    /// Every key of that table with its value and origin; what is built in where no file has the table.
    ///
    /// # Errors
    /// The table is at fault.
    pub(super) fn explain_notify(&self) -> Result<Vec<Resolved>, CliError> {
        let table = self.notify();
        let (file, text) =
            table.as_ref().map_or(("".into(), ""), |table| (table.file.to_string_lossy(), table.text));
        let keys = crate::notify::explain(&file, table.as_ref().map(|_| text)).map_err(|faults| {
            SessionError::Faults { faults, sources: vec![(file.to_string(), text.to_owned())] }
        })?;
        let resolved = keys.into_iter().map(|key| Resolved {
            name: key.name.to_owned(),
            origin: match (key.at, &key.value) {
                (Some(at), _) => Origin::File(file.to_string(), line_at(text, at)),
                (None, Some(_)) => Origin::Default,
                (None, None) => Origin::Unset,
            },
            value: key.value,
            set_aside: None,
        });
        Ok(resolved.collect())
    }

    /// Every option of every subcommand with its value and origin; or of the one of a command line, as that would have it.
    ///
    /// # Errors
    /// The command line makes no sense.
    pub(super) fn explain(&self, words: &[OsString]) -> Result<Vec<(String, Vec<Resolved>)>, CliError> {
        let definition = Cli::command();
        let (parser, options) = (Parser::of(&definition), Options::of(definition));
        let lines: Vec<Vec<OsString>> = if words.is_empty() {
            options.commands().into_iter().map(|command| vec![command.into()]).collect()
        } else {
            vec![words.to_vec()]
        };
        let explain = |words: Vec<OsString>| {
            let argv = [vec![OsString::from("soakrig")], words].concat();
            let typed = parser.read(&argv).map_err(|error| CliError::usage(error.to_string()))?;
            let pages = if typed.ignores_files() { &[][..] } else { &self.pages };
            let (resolved, _) = resolve((&options, &parser), &typed, pages);
            Ok((typed.command, resolved))
        };
        lines.into_iter().map(explain).collect()
    }
}

impl Typed {
    fn ignores_files(&self) -> bool {
        self.given.try_get_one("no_config").ok().flatten() == Some(&true)
    }
}
