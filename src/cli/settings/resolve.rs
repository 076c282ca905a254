//! Which value counts for each option of a subcommand: the command line before the project's file, that before the user's,
//! that before the system's, all before what is built in.

use std::ffi::OsString;

use super::options::{Known, Options};
use super::page::Page;
use super::parser::{Parser, Typed};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Origin {
    CommandLine,
    /// The file and the line, from 1.
    File(String, usize),
    Default,
    /// Nobody says anything, and nothing is built in.
    Unset,
}

/// An option with the value that counts.
#[derive(Debug)]
pub(in crate::cli) struct Resolved {
    pub(in crate::cli) name: String,
    pub(in crate::cli) value: Option<toml::Value>,
    pub(in crate::cli) origin: Origin,
    /// A file's value that does not go with one that counts before it: file and line.
    pub(in crate::cli) set_aside: Option<(String, usize)>,
}

/// The options of what was typed, in the order of the help, and what the files add to the command line. Pages come with the
/// lowest first.
pub(super) fn resolve(
    (options, parser): (&Options, &Parser),
    typed: &Typed,
    pages: &[Page],
) -> (Vec<Resolved>, Vec<OsString>) {
    let known: Vec<&Known> = options.of_command(&typed.command).collect();
    let mut resolved: Vec<Resolved> = known.iter().map(|known| Resolved::typed(known, typed)).collect();
    let mut added: Vec<OsString> = Vec::new();
    let mut waiting: Vec<Vec<OsString>> = Vec::new();
    for page in pages.iter().rev() {
        for (known, option) in known.iter().zip(&mut resolved) {
            let said = page.said(&typed.command, &known.name).filter(|_| option.is_open());
            let Some(setting) = said else { continue };
            let more = known.typed(&setting.value, Some(page.folder())).unwrap_or_default();
            let place = (page.file.display().to_string(), setting.line);
            if !more.is_empty() && parser.contradicts(typed, &[added.as_slice(), &more].concat()) {
                option.set_aside = Some(place);
                continue;
            }
            option.value = Some(known.shown(&setting.value, page.folder()));
            option.origin = Origin::File(place.0, place.1);
            // A file may say with what folder an order is to be made, and most plans are of no order.
            if parser.lacks(typed, &[added.as_slice(), &more].concat()) {
                waiting.push(more);
            } else {
                added.extend(more);
            }
        }
    }
    // What a lower file gives may be what a higher one waits for.
    for more in waiting {
        let all = [added.as_slice(), &more].concat();
        if !parser.lacks(typed, &all) && !parser.contradicts(typed, &all) {
            added = all;
        }
    }
    (resolved, added)
}

impl Resolved {
    fn typed(known: &Known, typed: &Typed) -> Self {
        let (value, origin) = match (typed.value(known), &known.default) {
            (Some(value), _) => (Some(value), Origin::CommandLine),
            (None, Some(value)) => (Some(value.clone()), Origin::Default),
            (None, None) => (None, Origin::Unset),
        };
        Self { name: known.name.clone(), value, origin, set_aside: None }
    }

    /// Whether a file may still say something.
    const fn is_open(&self) -> bool {
        matches!(self.origin, Origin::Default | Origin::Unset) && self.set_aside.is_none()
    }
}
