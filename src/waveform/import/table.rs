//! The rows: streamed, each number into its channel, with a bound on what is kept.

use super::error::quote;
use super::grid::Print;
use super::head::Head;
use super::layout::{Layout, MOST_COLUMNS, Role};
use super::lines::Line;
use super::number::{Cell, Decimal, read_cell, trim};
use super::numbering::Numbering;
use super::separator::Punctuation;
use super::timebase::{TimeColumn, digit};
use super::{ImportError, Limits, Options};

/// Samples missing between others, in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) line: u64,
    pub(super) text: String,
}

/// What is gathered of a channel.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) samples: Vec<f32>,
    /// Rows before its first sample.
    pub(super) skipped: usize,
    pub(super) print: Option<Print>,
    pub(super) gap: Option<Gap>,
    /// Whether numbers that were never printed had more digits than are kept.
    were_finer: bool,
    factor: f64,
    power: i16,
    /// Rows without a value since the last one, and the first of them.
    missing: (usize, Option<Gap>),
}

impl Column {
    pub(super) fn new(power: i16) -> Self {
        Self {
            samples: Vec::new(),
            skipped: 0,
            print: None,
            gap: None,
            were_finer: false,
            factor: 10f64.powi(i32::from(power.abs())),
            power,
            missing: (0, None),
        }
    }

    /// A column of numbers that were never printed, and whether they had more digits than are kept.
    pub(super) fn of(samples: Vec<f32>, were_finer: bool) -> Self {
        Self { samples, were_finer, ..Self::new(0) }
    }

    /// The finest digit that was printed, in volts; 0 of numbers that were finer than they are kept.
    pub(super) fn finest(&self) -> Option<f64> {
        self.were_finer.then_some(0.0).or_else(|| Some(10f64.powi(i32::from(self.print?.finest))))
    }

    fn push(&mut self, number: Decimal) -> Result<(), ImportError> {
        if self.missing.0 > 0 {
            let (count, first) = std::mem::take(&mut self.missing);
            if self.samples.is_empty() {
                self.skipped = count;
            } else if self.gap.is_none() {
                self.gap = first;
            }
        }
        if self.gap.is_some() {
            return Ok(());
        }
        if number.value != 0.0 {
            let coarsest = number.last_digit.saturating_add(self.power);
            let finest = number.useful_digit.saturating_add(self.power);
            let print = self.print.get_or_insert(Print { finest, coarsest });
            print.finest = print.finest.min(finest);
            print.coarsest = print.coarsest.max(coarsest);
        }
        let volts = if self.power < 0 { number.value / self.factor } else { number.value * self.factor };
        push_bounded(&mut self.samples, volts as f32)
    }

    fn miss(&mut self, line: u64, cell: &[u8]) {
        self.missing.0 += 1;
        if self.missing.1.is_none() && self.gap.is_none() {
            self.missing.1 = Some(Gap { line, text: quote(trim(cell)) });
        }
    }

    /// Whether values are missing after the last, and from which line on.
    pub(super) fn ends_at(&self) -> Option<u64> {
        self.missing.1.as_ref().filter(|_| !self.samples.is_empty()).map(|gap| gap.line)
    }
}

/// Puts a sample in; too little memory is an error, not the end of the program.
pub(super) fn push_bounded(samples: &mut Vec<f32>, sample: f32) -> Result<(), ImportError> {
    if samples.len() == samples.capacity() {
        let more = samples.len().max(1 << 12);
        samples.try_reserve(more).map_err(|_| {
            ImportError::file(format!(
                "there is no memory for more than {} samples of a channel",
                samples.len()
            ))
        })?;
    }
    samples.push(sample);
    Ok(())
}

/// All rows of a text.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) times: Option<TimeColumn>,
    pub(super) numbers: Numbering,
    pub(super) rows: usize,
    pub(super) notes: Vec<String>,
    /// The line of the first row.
    pub(super) first_line: u64,
    /// Why the file's own times are no use, where the caller gives the sample rate and none is needed.
    pub(super) unusable: Option<String>,
    is_rate_given: bool,
    roles: Vec<Role>,
    /// Cells up to the last channel that every row so far has.
    least_width: usize,
    punctuation: Punctuation,
    /// How long the exponent of the row before's last number is, in bytes; 0 where it has none.
    last_exponent: usize,
    /// A heading that may come again between the rows.
    heading: Vec<String>,
    /// Lines without any number since the last row: nothing if they end the file, gaps if rows follow.
    blank_rows: Vec<u64>,
    repeated: usize,
    stored: usize,
    limits: Limits,
    /// Rows of the first segment, if there are more segments.
    stop_after: usize,
}

/// So many rows without a number are kept in mind; more are an error.
const MOST_BLANK: usize = 1000;

impl Table {
    pub(super) fn new(layout: &Layout, head: &Head, options: &Options) -> Self {
        let has_time = layout.roles.iter().any(|role| matches!(role, Role::Time { .. }));
        let heading = head.heading_at().filter(|_| !head.is_beside_samples());
        Self {
            columns: layout.channels.iter().map(|channel| Column::new(channel.power)).collect(),
            times: has_time.then(TimeColumn::new),
            numbers: Numbering::default(),
            rows: 0,
            notes: Vec::new(),
            first_line: 0,
            unusable: None,
            is_rate_given: options.sample_rate_hz.is_some(),
            roles: layout.roles.clone(),
            least_width: layout.roles.len(),
            punctuation: head.punctuation,
            last_exponent: 0,
            heading: heading.map(|at| head.before[at].clone()).unwrap_or_default(),
            blank_rows: Vec::new(),
            repeated: 0,
            stored: 0,
            limits: options.limits,
            stop_after: match layout.rows {
                Some(rows) if layout.segments > 1.0 && rows >= 1.0 => rows as usize,
                _ => usize::MAX,
            },
        }
    }

    /// Takes the next line of the rows in; `false` once no more is wanted.
    pub(super) fn push(&mut self, line: Line<'_>) -> Result<bool, ImportError> {
        let bytes = line.bytes;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(true);
        }
        let before = self.numbers_of(&line)?;
        match before {
            Row::Blank if self.blank_rows.len() < MOST_BLANK => self.blank_rows.push(line.number),
            Row::Blank => {
                return Err(ImportError::line(
                    line.number,
                    format!("{MOST_BLANK} rows in a row hold no number"),
                ));
            }
            Row::Heading => self.repeated += 1,
            Row::Torn => self.notes.push(format!(
                "the file ends inside line {} (`{}`); that row is left out",
                line.number,
                quote(bytes)
            )),
            Row::Numbers if !line.whole => self.notes.push(format!(
                "line {}, the last one, has no line end: if the file was cut off there, its last number is not whole",
                line.number
            )),
            Row::Numbers => {}
        }
        Ok(self.rows < self.stop_after)
    }

    /// Puts the numbers of a row into their channels.
    fn numbers_of(&mut self, line: &Line<'_>) -> Result<Row, ImportError> {
        let mut cells = self.punctuation.cells(line.bytes);
        // A row is taken whole or not at all: it is looked at first.
        let mut row = [Cell::Absent; MOST_COLUMNS];
        let mut numbers = 0;
        let (mut width, mut last_cell) = (0, &[][..]);
        for (place, role) in self.roles.iter().enumerate() {
            let Some(bytes) = cells.next() else { break };
            width = place + 1;
            last_cell = bytes;
            if *role == Role::Skipped {
                continue;
            }
            let cell = read_cell(bytes, self.punctuation.point);
            if cell == Cell::Text {
                return self.odd_row(line, place, bytes);
            }
            numbers += usize::from(!matches!(cell, Cell::Absent));
            row[place] = cell;
        }
        if let Some(extra) = cells.find(|bytes| !trim(bytes).is_empty()) {
            let what = format!(
                "`{}` stands in a column of its own: the rows before have {} columns",
                quote(extra),
                self.roles.len()
            );
            return Err(ImportError::line(line.number, what));
        }
        if numbers == 0 {
            return Ok(Row::Blank);
        }
        // What is left of a number that is cut off may still be one: `3.2` of `3.2e-3`.
        let exponent = exponent_of(last_cell).len();
        if !line.whole && (width < self.least_width || exponent < self.last_exponent) {
            return Ok(Row::Torn);
        }
        self.last_exponent = exponent;
        self.take_row(line, &row)?;
        Ok(Row::Numbers)
    }

    /// A row with text in it: the heading again, the torn end of the file, or a fault.
    fn odd_row(&self, line: &Line<'_>, place: usize, cell: &[u8]) -> Result<Row, ImportError> {
        if self.punctuation.words(line.bytes) == self.heading {
            return Ok(Row::Heading);
        }
        if !line.whole {
            return Ok(Row::Torn);
        }
        Err(ImportError::line(
            line.number,
            format!("`{}` in column {} is no number", quote(trim(cell)), place + 1),
        ))
    }

    fn take_row(&mut self, line: &Line<'_>, row: &[Cell; MOST_COLUMNS]) -> Result<(), ImportError> {
        for number in std::mem::take(&mut self.blank_rows) {
            self.columns.iter_mut().for_each(|column| column.miss(number, b""));
            if self.times.is_some() {
                let what = "a row without time and samples stands between the others";
                self.leave_times(ImportError::line(number, what))?;
            }
            self.rows += 1;
        }
        if self.rows == 0 {
            self.first_line = line.number;
        }
        let mut fault = None;
        for (place, role) in self.roles.iter().enumerate() {
            match (role, row[place]) {
                (Role::Index, Cell::Number(number)) if self.unusable.is_none() => {
                    fault = self.numbers.push(number.value, line.number).err().or(fault);
                }
                (Role::Skipped | Role::Index, _) => {}
                (Role::Time { power }, Cell::Number(time)) => {
                    let scale = |value: f64| match *power < 0 {
                        true => value / 10f64.powi(-i32::from(*power)),
                        false => value * 10f64.powi(i32::from(*power)),
                    };
                    if let Some(times) = &mut self.times {
                        let pushed = times.push(scale(time.value), digit(time, *power), line.number);
                        fault = pushed.err().or(fault);
                    }
                }
                (Role::Time { .. }, _) if self.times.is_none() => {}
                (Role::Time { .. }, _) => {
                    fault = Some(ImportError::line(line.number, "the row has samples but no time"));
                }
                (Role::Channel(channel), Cell::Number(number)) => {
                    self.columns[*channel].push(number)?;
                    self.stored += 1;
                }
                (Role::Channel(channel), _) => {
                    let cell = self.punctuation.cells(line.bytes).nth(place).unwrap_or_default();
                    self.columns[*channel].miss(line.number, cell);
                }
            }
        }
        if let Some(fault) = fault {
            self.leave_times(fault)?;
        }
        self.rows += 1;
        if self.stored > self.limits.max_samples {
            return Err(ImportError::line(
                line.number,
                format!("the file holds more than {} samples, the limit", self.limits.max_samples),
            ));
        }
        Ok(())
    }

    /// Looks at the file's own times no more, where the sample rate is given and this fault of them costs nothing.
    fn leave_times(&mut self, fault: ImportError) -> Result<(), ImportError> {
        if !self.is_rate_given {
            return Err(fault);
        }
        (self.times, self.unusable) = (None, Some(fault.to_string()));
        Ok(())
    }

    /// Says what was odd about the rows as a whole.
    pub(super) fn finish(&mut self) {
        if self.repeated > 0 {
            self.notes
                .push(format!("the heading stands {} more times between the rows; skipped", self.repeated));
        }
        if self.rows >= self.stop_after {
            self.notes.push(format!("only the first segment of {} samples is read", self.rows));
        }
    }
}

/// The exponent of a number's cell from its `e` on; empty where there is none.
fn exponent_of(cell: &[u8]) -> &[u8] {
    let cell = trim(cell);
    let at = cell.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e'));
    at.map_or(&[], |at| &cell[at..])
}

/// What a line between the rows is.
enum Row {
    Numbers,
    Blank,
    Heading,
    Torn,
}
