//! From the head to the columns: which one holds time, which are channels, what is known of the time base.

use super::head::Head;
use super::number::Cell;
use super::separator::Separator;
use super::unit::{Scaled, Unit, is_time_word, left_unit, read_time_unit, read_unit, split_heading};
use super::{Format, ImportError};

/// What a column of the rows is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Not looked at.
    Skipped,
    /// Time, in seconds times this power of ten.
    Time { power: i16 },
    /// Numbers of samples.
    Index,
    /// The samples of a channel, by its place in [`Layout::channels`].
    Channel(usize),
}

/// What the head tells of a channel.
#[derive(Debug, Clone)]
pub(super) struct ChannelHead {
    pub(super) name: String,
    pub(super) label: Option<String>,
    pub(super) unit: Unit,
    /// The power of ten of the unit's prefix.
    pub(super) power: i16,
    /// Lowest and highest value, where the head names them.
    pub(super) extremes: Option<(f64, f64)>,
}

/// The columns and the time base as the head tells them.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) roles: Vec<Role>,
    pub(super) channels: Vec<ChannelHead>,
    /// Sample interval in seconds.
    pub(super) step_s: Option<f64>,
    /// Time of the first row in seconds.
    pub(super) start_s: Option<f64>,
    /// How many rows there should be.
    pub(super) rows: Option<f64>,
    /// How many segments the file holds, one after the other.
    pub(super) segments: f64,
    pub(super) notes: Vec<String>,
}

const MOST_CHANNELS: usize = 64;
/// With the columns that are not looked at.
pub(super) const MOST_COLUMNS: usize = 80;
const INDEX_WORDS: [&str; 9] = ["sequence", "index", "nr", "no", "n", "sample", "samples", "point", "#"];
const STEP_KEYS: [&str; 5] = ["sample interval", "sampling interval", "sampling period", "xinc", "increment"];
const RATE_KEYS: [&str; 4] =
    ["sample rate", "sampling rate", "sampling frequency (hz)", "sampling frequency"];
const ROWS_KEYS: [&str; 4] = ["record length", "number of data points", "memory length", "points"];

/// Names and units of the columns, as far as there are any.
#[derive(Debug, Default)]
struct Headings {
    names: Vec<String>,
    units: Vec<String>,
}

impl Headings {
    fn read(head: &Head) -> Self {
        let Some(at) = head.heading_at().filter(|_| !head.is_beside_samples()) else {
            return Self::default();
        };
        let words = head.before[at].clone();
        if !is_units(head.line(at)) {
            return Self { names: words, units: Vec::new() };
        }
        let names = at.checked_sub(1).map(|above| &head.before[above]);
        let names =
            names.filter(|names| names.iter().any(|word| !word.is_empty()) && names.len() + 1 >= words.len());
        Self { names: names.cloned().unwrap_or_default(), units: words }
    }

    fn name(&self, column: usize) -> &str {
        self.names.get(column).map_or("", String::as_str)
    }

    /// The column that is headed as time, of these, with the power of ten of its unit.
    fn time_column(&self, mut columns: impl Iterator<Item = usize>) -> Option<(usize, i16)> {
        columns.find_map(|column| {
            let (name, unit) = (split_heading(self.name(column)).0, self.unit(column));
            let is_named = name.len() > 1 && is_time_word(&name);
            match unit {
                Some(unit) => Some((column, read_time_unit(&unit)?)),
                None => is_named.then_some((column, 0)),
            }
        })
    }

    /// The unit's word of a column: of the line of units, or in brackets behind the name.
    fn unit(&self, column: usize) -> Option<String> {
        let below = self.units.get(column).filter(|word| !word.is_empty()).cloned();
        below.or_else(|| split_heading(self.name(column)).1)
    }
}

/// Whether a line holds units (and numbers) only.
fn is_units(words: &[String]) -> bool {
    let is_unit = |word: &&String| {
        read_unit(word).is_some()
            || read_time_unit(word).is_some()
            || ["sequence", "value", "unknown"].contains(&word.as_str())
    };
    let other = |word: &&String| word.is_empty() || word.parse::<f64>().is_ok();
    words.iter().any(|word| is_unit(&word)) && words.iter().all(|word| is_unit(&word) || other(&word))
}

impl Layout {
    /// The layout of a recognised format. With `bare`, keys of the head are left alone and only the columns count.
    pub(super) fn build(format: Format, head: &Head, bare: bool) -> Result<Self, ImportError> {
        let headings = Headings::read(head);
        refuse_two_commas(head, &headings)?;
        if format == Format::Plain {
            refuse_more_names(head, &headings)?;
        }
        let mut layout = Self {
            roles: Vec::new(),
            channels: Vec::new(),
            step_s: None,
            start_s: None,
            rows: None,
            segments: 1.0,
            notes: Vec::new(),
        };
        layout.notes.extend(head.punctuation.remark(head.rows.first().map_or(0, Vec::len)));
        layout.notes.extend(doubtful_commas(head));
        layout.set_roles(format, head, &headings);
        layout.set_channels(format, head, &headings)?;
        if !bare {
            layout.set_keys(format, head);
        }
        Ok(layout)
    }

    fn set_roles(&mut self, format: Format, head: &Head, headings: &Headings) {
        if format == Format::TektronixColumns {
            self.roles =
                vec![Role::Skipped, Role::Skipped, Role::Skipped, Role::Time { power: 0 }, Role::Channel(0)];
            return;
        }
        let numbers = |column: usize| {
            head.rows.iter().any(|row| matches!(row.get(column), Some(Cell::Number(_) | Cell::Beyond)))
        };
        // A later row that is wider than the first and the heading has a cell too many; it makes no channel of its own.
        let widest = head.rows.first().map_or(0, Vec::len).max(headings.names.len());
        let first = match format {
            Format::RigolIncrement | Format::Infiniium => None,
            Format::RigolSequence => Some(Role::Index),
            _ => self.first_role(head, headings, (0..widest).filter(|column| numbers(*column)).count()),
        };
        let is_found = format != Format::Plain || matches!(first, Some(Role::Time { .. }));
        let time =
            if is_found { None } else { headings.time_column((1..widest).filter(|column| numbers(*column))) };
        let mut count = 0;
        for column in 0..widest.min(MOST_COLUMNS) {
            let name = headings.name(column).to_lowercase();
            let is_key = format == Format::RigolSequence && (name == "start" || name == "increment");
            let is_channel = numbers(column) || !name.is_empty() && !is_key && !name.contains('=');
            self.roles.push(match first {
                Some(role) if column == 0 => role,
                _ if time.is_some_and(|(at, _)| at == column) => {
                    Role::Time { power: time.map_or(0, |(_, power)| power) }
                }
                _ if is_channel => {
                    count += 1;
                    Role::Channel(count - 1)
                }
                _ => Role::Skipped,
            });
        }
        while self.roles.last() == Some(&Role::Skipped) {
            self.roles.pop();
        }
    }

    /// What the first column is: by its heading, else by its numbers; `None` where it is a channel like the others.
    fn first_role(&mut self, head: &Head, headings: &Headings, numeric: usize) -> Option<Role> {
        let name = split_heading(headings.name(0)).0.to_lowercase();
        let unit = headings.unit(0);
        let power = unit.as_deref().and_then(read_time_unit);
        let ramp = Ramp::of(&head.rows);
        let is_index = |word: &str| INDEX_WORDS.contains(&word);
        if is_index(&name) || unit.as_ref().is_some_and(|unit| is_index(&unit.to_lowercase())) {
            return Some(Role::Index);
        }
        if let Some(power) = power {
            return Some(Role::Time { power });
        }
        if unit.is_none() && is_time_word(&name) {
            let counts = ramp == Ramp::ByOne && name == "x";
            return Some(if counts {
                Role::Index
            } else {
                Role::Time { power: read_time_unit(&name).unwrap_or(0) }
            });
        }
        if numeric < 2 || unit.is_some() {
            return None;
        }
        match ramp {
            Ramp::None => None,
            Ramp::ByOne => {
                self.notes.push("the first column counts samples; it is no time".to_owned());
                Some(Role::Index)
            }
            Ramp::Even => {
                self.notes.push("the first column rises evenly and is taken as time in seconds".to_owned());
                Some(Role::Time { power: 0 })
            }
        }
    }

    fn set_channels(&mut self, format: Format, head: &Head, headings: &Headings) -> Result<(), ImportError> {
        let columns: Vec<usize> =
            (0..self.roles.len()).filter(|at| matches!(self.roles[*at], Role::Channel(_))).collect();
        if columns.is_empty() {
            return Err(ImportError::file("the file holds a single column of time and no samples"));
        }
        if columns.len() > MOST_CHANNELS {
            return Err(ImportError::file(format!(
                "the rows hold {} columns; no scope has more than {MOST_CHANNELS} channels",
                columns.len()
            )));
        }
        let sources = head.source_names();
        for (place, column) in columns.into_iter().enumerate() {
            let from_keys =
                sources.get(place).filter(|_| sources.len() <= 1 + place || format != Format::Plain);
            let heading = split_heading(headings.name(column)).0;
            let is_kind =
                ["", "voltage", "volt", "value", "ampl", "data"].contains(&heading.to_lowercase().as_str());
            let name = match from_keys {
                Some(name) => name.clone(),
                None if is_kind || format == Format::Infiniium => format!("CH{}", place + 1),
                None => channel_name(&heading).to_owned(),
            };
            let told = channel_unit(head, headings, place, column);
            if let (None, Some(left)) = (&told, left_unit(headings.name(column))) {
                self.notes.push(format!(
                    "`{}` names {left}, but not where its unit is looked for: its samples count as volts",
                    headings.name(column)
                ));
            }
            let Scaled { unit, power } = told.unwrap_or(Scaled { unit: Unit::Volt, power: 0 });
            let label = head.values("label").or_else(|| head.values("labels"));
            let label = label.and_then(|labels| labels.get(place)).filter(|label| !label.is_empty()).cloned();
            let extreme = |key: &str| head.quantity(head.values(key)?.get(place)?);
            let extremes = extreme("minimum (v)").zip(extreme("maximum (v)"));
            let name = if self.channels.iter().any(|channel| channel.name == name) {
                let other = format!("{name} (column {})", column + 1);
                self.notes
                    .push(format!("two columns are headed {name}: the later one is called `{other}` here"));
                other
            } else {
                name
            };
            self.channels.push(ChannelHead { name, label, unit, power, extremes });
        }
        Ok(())
    }

    fn set_keys(&mut self, format: Format, head: &Head) {
        let rate = head.number(&RATE_KEYS).map(|rate_hz| 1.0 / rate_hz);
        self.step_s = head.number(&STEP_KEYS).or(rate);
        self.start_s = head.number(&["xorg"]);
        self.rows = head.number(&ROWS_KEYS);
        match format {
            Format::RigolSequence => {
                let value = |key: &str| {
                    let at = head.line(0).iter().position(|word| word == key)?;
                    head.quantity(head.before.get(1)?.get(at)?)
                };
                (self.start_s, self.step_s) = (value("start"), value("increment"));
            }
            Format::RigolIncrement => {
                let value = |key: &str| {
                    let word =
                        head.before.first()?.iter().find(|word| word.to_lowercase().starts_with(key))?;
                    head.quantity(word.split_once('=')?.1)
                };
                (self.start_s, self.step_s) = (value("t0"), value("tinc"));
            }
            Format::Lecroy => {
                let segments = head.values("segments");
                let number = |at: usize| segments.and_then(|words| head.quantity(words.get(at)?));
                self.segments = number(0).unwrap_or(1.0);
                self.rows = number(2);
            }
            _ => {}
        }
        self.step_s = self.step_s.filter(|step_s| (1e-15..1e6).contains(step_s));
        self.start_s = self.start_s.filter(|start_s| start_s.abs() < 1e9);
        if let Some(model) = ["model", "model number"].iter().find_map(|key| head.values(key)?.first()) {
            self.notes.push(format!("written by {}", super::error::quote(model.as_bytes())));
        }
        let envelope = |key: &str| {
            head.values(key).is_some_and(|values| values.iter().any(|word| word.eq_ignore_ascii_case("env")))
        };
        if envelope("point format") || envelope("pt fmt") {
            self.notes.push(
                "the points are lowest and highest values in turn (envelope), not samples: \
                             figures of the shape mean nothing"
                    .to_owned(),
            );
        }
    }
}

/// What is to be known of rows like `5,112` that nothing heads: the comma may be a decimal sign.
/// With a comma as decimal sign and between the cells, each number falls into two: the rows have twice as many cells as the heading
/// has names.
fn refuse_two_commas(head: &Head, headings: &Headings) -> Result<(), ImportError> {
    let (names, cells) = (headings.names.len(), head.rows.first().map_or(0, Vec::len));
    let is_filled = |row: &Vec<Cell>| row.len() == cells && row.iter().all(|cell| *cell != Cell::Absent);
    let doubles = names >= 2 && cells >= 2 * names && head.rows.iter().all(is_filled);
    if head.punctuation.separator != Separator::Comma || !doubles {
        return Ok(());
    }
    let line = head.first_row.map_or(1, |row| row as u64 + 1);
    Err(ImportError::line(
        line,
        format!(
            "the rows have {cells} cells and the heading has {names} names: the comma seems to be the decimal sign and to stand \
             between the cells, too, which cannot be told apart; write points, or semicolons between the cells"
        ),
    ))
}

/// A heading with more names than the rows have cells does not say which name is whose.
fn refuse_more_names(head: &Head, headings: &Headings) -> Result<(), ImportError> {
    let names = headings.names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    let cells = head.rows.iter().map(Vec::len).max().unwrap_or(0);
    if names <= cells {
        return Ok(());
    }
    // The heading is the line before the first row, blank ones aside.
    let line = head.first_row.map_or(1, |row| row.max(1) as u64);
    Err(ImportError::line(
        line,
        format!(
            "the heading has {names} names and the rows have {cells} cells: which name is whose cannot be told; quote a name that holds \
             what separates the cells"
        ),
    ))
}

fn doubtful_commas(head: &Head) -> Option<String> {
    let is_whole = |cell: &Cell| matches!(cell, Cell::Number(number) if number.last_digit == 0);
    let is_pair = |row: &Vec<Cell>| row.len() == 2 && row.iter().all(is_whole);
    let comma = head.punctuation.separator == Separator::Comma;
    (comma && head.before.is_empty() && head.rows.iter().all(is_pair)).then(|| {
        "the comma is taken to separate two columns of whole numbers; if it is a decimal sign, write points instead"
            .to_owned()
    })
}

/// The unit of a column; `None` where nothing names one.
fn channel_unit(head: &Head, headings: &Headings, place: usize, column: usize) -> Option<Scaled> {
    let key = |key: &str| {
        let word = head.values(key)?.get(place)?;
        Some(word.rsplit_once(':').map_or(word.as_str(), |(_, unit)| unit).trim().to_owned())
    };
    let told =
        headings.unit(column).filter(|word| !["value", "unknown"].contains(&word.to_lowercase().as_str()));
    let word =
        told.or_else(|| key("vertical units")).or_else(|| key("yunits")).filter(|word| !word.is_empty());
    word.map(|word| read_unit(&word).unwrap_or(Scaled { unit: Unit::Other(word), power: 0 }))
}

/// `CH1` of `CH1V`, as newer Rigol write name and unit in one; every other name as it stands.
fn channel_name(heading: &str) -> &str {
    match heading.strip_suffix('V') {
        Some(name) if name.starts_with("CH") && name.ends_with(|c: char| c.is_ascii_digit()) => name,
        _ => heading,
    }
}

/// How the first column goes in the first rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ramp {
    None,
    /// 0, 1, 2 … or 1, 2, 3 …
    ByOne,
    Even,
}

impl Ramp {
    fn of(rows: &[Vec<Cell>]) -> Self {
        let values: Vec<f64> = rows
            .iter()
            .map_while(|row| match row.first() {
                Some(Cell::Number(number)) => Some(number.value),
                _ => None,
            })
            .collect();
        let (Some(first), Some(last)) = (values.first(), values.last()) else { return Self::None };
        if values.len() < 3 {
            return Self::None;
        }
        let step = (last - first) / (values.len() - 1) as f64;
        let even = |pair: &[f64]| pair[1] >= pair[0] && pair[1] - pair[0] < 3.0 * step;
        if step <= 0.0 || !values.windows(2).all(even) {
            Self::None
        } else if (*first == 0.0 || *first == 1.0) && values.windows(2).all(|pair| pair[1] - pair[0] == 1.0) {
            Self::ByOne
        } else {
            Self::Even
        }
    }
}
