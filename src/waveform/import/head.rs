//! What stands before the first row: lines of words, keys with their values, the heading of the columns.

use super::number::{Cell, read_cell, trim};
use super::separator::Punctuation;
use super::unit::{is_time_word, read_time_unit, read_unit, split_heading};

/// The head of a text, cut into words. Words are kept as they stand and once more in small letters.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) punctuation: Punctuation,
    /// The lines before the first row, as they stand. Blank ones are left out: a line end written as CR CR LF puts one after
    /// every line, and names, units and keys still stand one below the other.
    pub(super) before: Vec<Vec<String>>,
    small: Vec<Vec<String>>,
    /// The first rows, as cells.
    pub(super) rows: Vec<Vec<Cell>>,
    /// The line at which the rows begin, counted from 0; `None` where there is no row.
    pub(super) first_row: Option<usize>,
    heading: Option<usize>,
}

/// Keys whose values are lists, one for each channel, are told by position.
const SOURCE_KEYS: [&str; 3] = ["source", "channel data", "vertical scale"];

/// No quantity of a head is longer; what is, is no quantity.
const LONGEST_QUANTITY: usize = 40;

impl Head {
    pub(super) fn read(lines: &[Vec<u8>]) -> Self {
        let punctuation = Punctuation::find(lines);
        let beside = Self::beside_samples(lines, punctuation);
        let first_row = if beside { Some(0) } else { lines.iter().position(|line| punctuation.is_row(line)) };
        let until = if beside { lines.len() } else { first_row.unwrap_or(lines.len()) };
        let words = lines[..until].iter().map(|line| punctuation.words(line));
        let before: Vec<Vec<String>> =
            words.filter(|words| words.iter().any(|word| !word.is_empty())).collect();
        let small = before.iter().map(|words| words.iter().map(|word| simple(word)).collect()).collect();
        let rows = first_row.map_or(&[][..], |first| &lines[first..]);
        let rows: Vec<Vec<Cell>> = rows
            .iter()
            .filter(|line| punctuation.is_row(line) || beside)
            .map(|line| punctuation.cells(line).map(|cell| read_cell(cell, punctuation.point)).collect())
            .collect();
        let filled =
            |row: &Vec<Cell>| row.iter().rposition(|cell| *cell != Cell::Absent).map_or(0, |at| at + 1);
        let heading = find_heading(&before, rows.first().map_or(0, filled));
        Self { punctuation, before, small, rows, first_row, heading }
    }

    /// Whether samples stand in the fourth and fifth column beside a header, as Tektronix's TDS write it.
    fn beside_samples(lines: &[Vec<u8>], punctuation: Punctuation) -> bool {
        lines.iter().find(|line| !trim(line).is_empty()).is_some_and(|line| {
            let cells: Vec<&[u8]> = punctuation.cells(line).collect();
            let is_number = |cell: &&&[u8]| matches!(read_cell(cell, punctuation.point), Cell::Number(_));
            simple(&String::from_utf8_lossy(trim(cells[0]))) == "record length"
                && [3, 4].into_iter().all(|at| cells.get(at).filter(is_number).is_some())
        })
    }

    pub(super) fn is_beside_samples(&self) -> bool {
        self.first_row == Some(0) && !self.before.is_empty()
    }

    /// A line's words in small letters, without `=` and `:` at their ends; empty beyond the head.
    pub(super) fn line(&self, at: usize) -> &[String] {
        self.small.get(at).map_or(&[], Vec::as_slice)
    }

    pub(super) fn words_of(&self, at: usize, is_mark: impl Fn(&str) -> bool) -> bool {
        self.line(at).iter().any(|word| is_mark(word))
    }

    /// The line of the heading, or of the units under it.
    pub(super) fn heading_at(&self) -> Option<usize> {
        self.heading
    }

    /// That line, in small letters.
    pub(super) fn heading(&self) -> &[String] {
        self.heading_at().map_or(&[], |at| self.line(at))
    }

    pub(super) fn has_key(&self, key: &str) -> bool {
        self.values(key).is_some()
    }

    /// What stands after a key, as written; the first line that begins with the key counts.
    pub(super) fn values(&self, key: &str) -> Option<&[String]> {
        let at = self.small.iter().position(|words| words.first().is_some_and(|word| word == key))?;
        self.before[at].get(1..)
    }

    /// The first number after the first of the keys that is there, without a channel's name before it.
    pub(super) fn number(&self, keys: &[&str]) -> Option<f64> {
        keys.iter().find_map(|key| self.values(key)).and_then(|values| self.quantity(values.first()?))
    }

    /// A number with an SI prefix and a unit behind it, or without: `4e-09`, `Analog:5.0E-05`, `1.00GSa/s`.
    pub(super) fn quantity(&self, word: &str) -> Option<f64> {
        let word = word.rsplit_once(':').map_or(word, |(_, value)| value).trim();
        let word = word.get(..LONGEST_QUANTITY).unwrap_or(word);
        let end = (0..=word.len().min(LONGEST_QUANTITY))
            .rev()
            .filter(|end| word.is_char_boundary(*end))
            .find_map(|end| match read_cell(word[..end].trim_end().as_bytes(), self.punctuation.point) {
                Cell::Number(number) => Some((number.value, word[end..].trim())),
                _ => None,
            });
        let (value, unit) = end?;
        let factor = match unit.chars().next() {
            None => 1.0,
            Some('G') => 1e9,
            Some('M') => 1e6,
            Some('k' | 'K') => 1e3,
            Some('m') => 1e-3,
            Some('u' | 'µ' | 'μ') => 1e-6,
            Some('n') => 1e-9,
            Some('p') => 1e-12,
            Some(_) => 1.0,
        };
        Some(value * factor)
    }

    /// Names of channels that stand in lines of keys: `Source,CH1,CH2`, `"Channel Data","CH 1"`, `Vertical Scale,CH1: 0.05`.
    pub(super) fn source_names(&self) -> Vec<String> {
        for key in SOURCE_KEYS {
            let Some(values) = self.values(key) else { continue };
            let names = values.iter().filter(|word| !word.is_empty()).map(|word| match key {
                "vertical scale" => word.split_once(':').map(|(name, _)| name.trim().to_owned()),
                _ => Some(word.clone()),
            });
            if let Some(names) = names.collect::<Option<Vec<String>>>().filter(|names| !names.is_empty()) {
                return names;
            }
        }
        Vec::new()
    }
}

/// The line that heads the rows of so many cells: the last one before them, or the one above notes that stand between.
fn find_heading(before: &[Vec<String>], cells: usize) -> Option<usize> {
    let last = before.len().checked_sub(1)?;
    let count = |words: &[String]| words.iter().rposition(|word| !word.is_empty()).map_or(0, |at| at + 1);
    let is_note = |words: &[String]| {
        let is_remark = words.first().is_some_and(|word| word.starts_with(['#', '%', ';', '!']));
        let is_unit = |word: &&String| read_unit(word).is_some() || read_time_unit(word).is_some();
        let are_units = words.iter().filter(|word| !word.is_empty()).all(|word| is_unit(&word));
        !are_units && (count(words) < cells || is_remark && count(words) != cells)
    };
    let heads = |words: &[String]| {
        let says = |word: &String| is_time_word(word) || split_heading(word).1.is_some();
        let is_name = |word: &String| !word.is_empty() && word.parse::<f64>().is_err();
        count(words) == cells && words[..cells].iter().all(is_name) && words.iter().any(says)
    };
    let above = before.iter().rposition(|words| !is_note(words)).filter(|at| heads(&before[*at]));
    above.or(Some(last))
}

/// A word in small letters, without what makers put at the end of a key.
fn simple(word: &str) -> String {
    word.trim().trim_end_matches([' ', '=', ':']).to_lowercase()
}
