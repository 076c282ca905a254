//! One file of settings, read and judged. Pure: the text comes from the caller.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeValue;

use super::options::{NOTIFY, Options, counts_at_top};
use super::parser::Parser;
use crate::cli::message::line_at;
use crate::instrument::dialect::Fault;
use crate::plan::document::Document;

/// What a file says.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) file: PathBuf,
    pub(super) text: String,
    pub(super) settings: Vec<Setting>,
    /// The line, from 1, of the table that says whom to tell.
    pub(super) notify: Option<usize>,
}

/// A value that a file gives to an option.
#[derive(Debug)]
pub(super) struct Setting {
    /// `None` stands at the top: for every subcommand that has the option.
    pub(super) command: Option<String>,
    pub(super) name: String,
    /// As it was written; it fits every option that it is for.
    pub(super) value: toml::Value,
    /// From 1.
    pub(super) line: usize,
}

impl Page {
    /// Reads a file's text. What is wrong is told and left out; the rest is kept.
    pub(super) fn read(file: &Path, text: &str, options: &Options, parser: &Parser) -> (Self, Vec<Fault>) {
        let (root, document) = Document::read_table(&file.display().to_string(), text, &options.schema());
        let page = Self { file: file.to_owned(), text: text.to_owned(), settings: Vec::new(), notify: None };
        let mut reading = Reading { page, document, options, parser };
        for (key, value) in root.iter().flat_map(|root| root.get_ref().iter()) {
            reading.take(key.get_ref(), value);
        }
        // The parser of the file sorts by name; of two that contradict each other, the lower one is told to be at fault.
        reading.page.settings.sort_by_key(|setting| setting.line);
        for command in options.commands() {
            reading.check_contradictions(command);
        }
        (reading.page, reading.document.finish(Some(())).err().unwrap_or_default())
    }

    /// The folder that the file's relative paths are below.
    pub(super) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// What the file says of an option; a subcommand's own table counts before the top.
    pub(super) fn said(&self, command: &str, name: &str) -> Option<&Setting> {
        let at = |place: Option<&str>| {
            let is_it = |setting: &&Setting| setting.command.as_deref() == place && setting.name == name;
            self.settings.iter().find(is_it)
        };
        at(Some(command)).or_else(|| at(None).filter(|_| counts_at_top(command, name)))
    }
}

struct Reading<'r> {
    page: Page,
    document: Document,
    options: &'r Options,
    parser: &'r Parser,
}

impl Reading<'_> {
    fn take(&mut self, key: &str, value: &Spanned<DeValue<'_>>) {
        let line = line_at(&self.page.text, value.span().start);
        match value.get_ref() {
            DeValue::Table(_) if key == NOTIFY => {
                self.page.notify = Some(line);
                self.check_notify();
            }
            DeValue::Table(inner) if self.options.commands().contains(&key) => {
                for (name, value) in inner {
                    self.take_setting(Some(key), name.get_ref(), value);
                }
            }
            _ => self.take_setting(None, key, value),
        }
    }

    /// Tells what is wrong with the values of the table; unknown keys and wrong shapes are told already.
    fn check_notify(&mut self) {
        let faults = crate::notify::parse(&self.document.places.file, &self.page.text).err();
        let unsaid = faults.into_iter().flatten().filter(|fault| !self.document.has_told(fault));
        for fault in unsaid.collect::<Vec<_>>() {
            self.document.push(fault);
        }
    }

    fn take_setting(&mut self, command: Option<&str>, name: &str, value: &Spanned<DeValue<'_>>) {
        let path = command.map_or_else(|| name.to_owned(), |command| format!("{command}.{name}"));
        let mut fitting = None;
        for known in self.options.meant(command, name) {
            // At the top, somebody has to be told which subcommand does not take it.
            let behind =
                if command.is_some() { String::new() } else { format!(" (soakrig {})", known.command) };
            let read = known.read(value.get_ref()).and_then(|read| Ok((known.typed(&read, None)?, read)));
            let (typed, read) = match read {
                Ok(read) => read,
                Err(told) => return self.document.fault(&path, format!("{told}{behind}")),
            };
            if let Some(wrong) = self.parser.judge(known, &typed) {
                let fault = self.document.places.fault(&path, format!("{}{behind}", wrong.message));
                return self.document.push(Fault { nearest: wrong.nearest, ..fault });
            }
            fitting = Some(read);
        }
        if let Some(fitting) = fitting {
            self.page.settings.push(Setting {
                command: command.map(str::to_owned),
                name: name.to_owned(),
                value: fitting,
                line: line_at(&self.page.text, value.span().start),
            });
        }
    }

    /// Tells which options of a subcommand's table may not stand together.
    fn check_contradictions(&mut self, command: &str) {
        let mut before: Vec<(String, Vec<OsString>)> = Vec::new();
        for setting in &self.page.settings {
            let known = self.options.meant(Some(command), &setting.name).next();
            let typed = known.and_then(|known| known.typed(&setting.value, None).ok());
            let Some(typed) = typed.filter(|_| setting.command.as_deref() == Some(command)) else { continue };
            let against = before
                .iter()
                .find(|(_, other)| self.parser.contradict(command, &[other.as_slice(), &typed].concat()));
            if let Some((other, _)) = against {
                let message = format!("`{}` does not go with `{other}`", setting.name);
                let (key, other) = (format!("{command}.{}", setting.name), format!("{command}.{other}"));
                self.document.contradiction(&key, &other, (&message, "together with this"));
            }
            before.push((setting.name.clone(), typed));
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{ArgAction, CommandFactory, Parser as _};
    use proptest::prelude::*;

    use super::*;
    use crate::cli::args::Cli;
    use crate::cli::settings::parser::Typed;
    use crate::cli::settings::resolve::resolve;

    /// Options of kinds that soakrig has none of yet.
    #[derive(Debug, clap::Parser)]
    struct Odd {
        #[command(subcommand)]
        command: OddCommand,
    }

    #[derive(Debug, clap::Subcommand)]
    enum OddCommand {
        Go {
            #[arg(long)]
            colour: Vec<String>,
            #[arg(long)]
            include: Vec<PathBuf>,
            #[arg(long, short, action = ArgAction::Count)]
            verbose: u8,
            #[arg(long)]
            ratio: Option<f64>,
            #[arg(long, default_value_t = true, action = ArgAction::Set)]
            sync: bool,
            #[arg(long)]
            offset: Option<i8>,
            #[arg(long, conflicts_with = "ratio")]
            exact: bool,
            #[arg(last = true)]
            rest: Vec<String>,
        },
    }

    struct House {
        options: Options,
        parser: Parser,
    }

    impl House {
        fn of<C: CommandFactory>() -> Self {
            Self { options: Options::of(C::command()), parser: Parser::of(&C::command()) }
        }
        fn read(&self, file: &str, text: &str) -> (Page, Vec<String>) {
            let (page, faults) = Page::read(Path::new(file), text, &self.options, &self.parser);
            (page, faults.iter().map(ToString::to_string).collect())
        }
        fn typed(&self, line: &str) -> Typed {
            let argv: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            self.parser.read(&argv).unwrap()
        }
        /// The command line that the parser gets to see.
        fn complete(&self, line: &str, pages: &[Page]) -> String {
            let typed = self.typed(line);
            let (_, added) = resolve((&self.options, &self.parser), &typed, pages);
            let words: Vec<String> =
                typed.with(&added).iter().map(|word| word.to_string_lossy().into_owned()).collect();
            Odd::try_parse_from(&words).unwrap();
            words.join(" ")
        }
    }

    #[test]
    fn every_kind_of_option_is_taken_and_typed_for_the_parser() {
        let house = House::of::<Odd>();
        let low = "colour = [\"red\", \"blue\"]\nverbose = 2\nratio = 1\nsync = false\noffset = -3\n";
        let high = "[go]\ncolour = [\"green\"]\ninclude = [\"a\", \"/b\"]\nratio = 0.5\n";
        let (low, faults) = house.read("/low/x.toml", low);
        assert_eq!(faults, [""; 0]);
        let (high, faults) = house.read("/high/x.toml", high);
        assert_eq!(faults, [""; 0]);
        let pages = [low, high];
        assert_eq!(
            house.complete("soakrig go --offset 4 -- --ratio", &pages),
            "soakrig go --colour=green --include=/high/a --include=/b --ratio=0.5 --verbose --verbose --sync=false \
             --offset 4 -- --ratio"
        );
        assert_eq!(
            house.complete("soakrig go --exact --colour pink -v --offset 4 --include x", &pages),
            "soakrig go --sync=false --exact --colour pink -v --offset 4 --include x"
        );
    }

    #[test]
    fn every_kind_of_option_says_what_it_expects() {
        let house = House::of::<Odd>();
        let text = "[go]\ncolour = \"red\"\ninclude = [1]\nverbose = 256\nratio = \"1\"\nsync = 1\noffset = 200\nexact = [true]\n";
        let (page, faults) = house.read("x", text);
        assert!(page.settings.is_empty(), "{:?}", page.settings);
        assert_eq!(
            faults,
            [
                "x: `go.colour`: a list is expected here, not a text",
                "x: `go.include`: entry 1: a text is expected here, not a number",
                "x: `go.verbose`: 256 is out of range: 0 to 255 is possible here",
                "x: `go.ratio`: a number is expected here, not a text",
                "x: `go.sync`: true or false is expected here, not a number",
                "x: `go.offset`: 200 is not in -128..=127",
                "x: `go.exact`: true or false is expected here, not a list",
            ]
        );
        let (_, faults) = house.read("x", "[go]\nratio = 1.0\nexact = true\n");
        assert_eq!(faults, ["x: `go.exact`: `exact` does not go with `ratio`"]);
    }

    #[test]
    fn every_option_of_ours_is_of_a_kind_that_can_stand_in_a_file() {
        let mut command = Cli::command();
        command.build();
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            for arg in sub.get_arguments().filter(|arg| arg.get_long().is_some()) {
                let place = format!("{} --{}", sub.get_name(), arg.get_id());
                let values = arg.get_num_args().unwrap();
                // Several values in a row are several options, which a list stands for.
                let is_list = matches!(arg.get_action(), ArgAction::Append);
                let is_plain = values.max_values() <= 1 && values.min_values() == values.max_values();
                assert!(is_plain || is_list && values.min_values() == 1, "{place}");
                assert_eq!(arg.get_value_delimiter(), None, "{place}: write it as several options");
                assert!(!arg.get_help().unwrap().to_string().is_empty(), "{place}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_text_makes_it_panic(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "[run]", "[report]", "[notify]", "[[run]]", "seed", "out", "json", "recompute", "port", "notify",
                    "=", " = ", ".", "\n", "\n", "\"", "'", "\"\"\"", "[", "]", "{", "}", ",", "true", "7", "-1", "1e9", "0x",
                    "nan", "\\u0000", "\u{e9}", "1979-05-27", "#", "~/", "\0",
                ]),
                0..40,
            )
        ) {
            let house = House::of::<Cli>();
            let (page, _) = house.read("/x/soakrig.toml", &words.concat());
            let _ = resolve((&house.options, &house.parser), &house.typed("soakrig report x"), &[page]);
        }
    }
}
