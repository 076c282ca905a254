//! Files of samples as scopes write them: CSV of many makers, plain columns, numpy arrays. The format is recognised from
//! the content and told; what is odd about a file is told, too. Nothing here opens a file: the caller gives a source of
//! bytes and the limits.
//!
//! ```text
//! source -> lines -> head -> format -> layout -> table (streamed) -> time base, grid -> Imported -> select -> Waveform
//! ```

mod error;
mod format;
mod grid;
mod head;
mod layout;
mod lines;
mod npy;
mod number;
mod numbering;
mod selection;
mod separator;
mod table;
mod timebase;
mod unit;

use std::io::Read;

use crate::waveform::{Acquisition, Codes, Scaling, Waveform};
pub use error::ImportError;
pub use format::Format;
use head::Head;
use layout::Layout;
use lines::{Line, Lines};
pub use selection::{Choice, Selected};
use table::Table;
pub use unit::Unit;

/// How much a file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Samples of all channels together. One takes four bytes while the file is read.
    pub max_samples: usize,
    /// Bytes of a line.
    pub max_line: usize,
}

impl Default for Limits {
    /// 512 million samples, 64 KiB a line.
    fn default() -> Self {
        Self { max_samples: 512 << 20, max_line: 1 << 16 }
    }
}

/// How to read a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// The format, where it is not to be recognised. [`Format::Plain`] takes the columns alone and leaves all keys of the
    /// head alone.
    pub format: Option<Format>,
    /// Samples a second, for a file that holds no time. Where it does, this one counts, and a note says if they differ or if the
    /// file's times cannot be used.
    pub sample_rate_hz: Option<f64>,
    /// How much the file may hold.
    pub limits: Limits,
}

/// The samples of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// As the file names it, without the unit.
    pub name: String,
    /// A label that the scope's user gave it.
    pub label: Option<String>,
    /// What the samples are.
    pub unit: Unit,
    /// Rows of the file before its first sample.
    pub skipped: usize,
    /// The samples: codes where the grid of the converter shows, or volts.
    pub codes: Codes,
    /// Codes to the unit. The ends of the converter are not known from a file: nothing counts as clipped.
    pub scaling: Scaling,
    /// What is to be known of this channel.
    pub notes: Vec<String>,
    /// What makes its samples doubtful: some the scope may not have measured.
    pub doubts: Vec<String>,
    /// Why it cannot be used, with its line: samples are missing between others. The samples are those before.
    pub fault: Option<(u64, String)>,
    /// How it was captured, of a run of this program.
    acquisition: Option<Acquisition>,
}

impl Channel {
    /// The channel as a trace. `signal` is what it is wired to, e.g. `vout`. What a file does not tell of the capture
    /// stands as a plain DC-coupled channel with a probe ratio of 1 and the full bandwidth.
    #[must_use]
    pub fn into_waveform(self, timing: Timing, signal: &str) -> Waveform {
        let acquisition = self.acquisition.unwrap_or_else(|| Acquisition {
            channel: channel_number(&self.name),
            purpose: FROM_FILE.to_owned(),
            ..Acquisition::untold(signal, self.codes.len())
        });
        Waveform {
            codes: self.codes,
            scaling: self.scaling,
            start_s: timing.start_s + self.skipped as f64 * timing.step_s,
            step_s: timing.step_s,
            acquisition,
        }
    }
}

/// What a trace from elsewhere was captured for.
pub(super) const FROM_FILE: &str = "file";

/// The last digits of a name: 2 of `CH2`; 0 without.
fn channel_number(name: &str) -> u8 {
    let digits = name.len() - name.bytes().rev().take_while(u8::is_ascii_digit).count();
    name[digits..].parse().unwrap_or(0)
}

/// The time base of all channels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// Time of the first row relative to the trigger, in seconds; 0 where the file does not tell.
    pub start_s: f64,
    /// Sample interval in seconds.
    pub step_s: f64,
}

impl Timing {
    /// Sample rate in Hz.
    #[must_use]
    pub fn sample_rate_hz(&self) -> f64 {
        1.0 / self.step_s
    }
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The format it was read as.
    pub format: Format,
    /// The channels in the order of the file; at least one.
    pub channels: Vec<Channel>,
    /// Channels that the file names but holds no samples of.
    pub without_samples: Vec<String>,
    /// The time base.
    pub timing: Timing,
    /// How time is not uniform, if it is not: figures of time are then not to be had.
    pub uneven: Option<String>,
    /// What a person should know of the file: where the interval comes from, what was left out, what is odd.
    pub notes: Vec<String>,
}

impl Imported {
    /// Captures of one acquisition of a run, read from its record; each is named after its signal.
    ///
    /// # Errors
    /// There is none, or they do not share one time base.
    pub fn from_run(waveforms: Vec<Waveform>) -> Result<Self, ImportError> {
        let first = waveforms.first().ok_or_else(|| ImportError::file("the run holds no such capture"))?;
        let timing = Timing { start_s: first.start_s, step_s: first.step_s };
        if waveforms.iter().any(|w| w.step_s != timing.step_s || w.start_s != timing.start_s) {
            return Err(ImportError::file("the captures do not share one time base"));
        }
        let channels = waveforms.into_iter().map(|waveform| Channel {
            name: waveform.acquisition.signal.clone(),
            label: None,
            unit: Unit::Volt,
            skipped: 0,
            codes: waveform.codes,
            scaling: waveform.scaling,
            notes: Vec::new(),
            doubts: Vec::new(),
            fault: None,
            acquisition: Some(waveform.acquisition),
        });
        Ok(Self {
            format: Format::Run,
            channels: channels.collect(),
            without_samples: Vec::new(),
            timing,
            uneven: None,
            notes: Vec::new(),
        })
    }
}

/// The first bytes of a file, by which binary ones are told.
const FIRST: usize = 16;
/// The head and the first rows, by which the format is recognised.
const MOST_HEAD_LINES: usize = 256;
const MOST_HEAD_BYTES: usize = 1 << 18;

/// Reads a file of samples to its end. Memory is bounded by the limits, whatever comes.
///
/// # Errors
/// It is no file of samples, it is broken (with the line), it is over a limit, its interval is not known, or the source
/// fails.
pub fn read(mut source: impl Read, options: &Options) -> Result<Imported, ImportError> {
    if options.sample_rate_hz.is_some_and(|rate_hz| !(1e-6..1e15).contains(&rate_hz)) {
        return Err(ImportError::file("the sample rate given is no usable number of samples a second"));
    }
    let mut first = Vec::with_capacity(FIRST);
    source.by_ref().take(FIRST as u64).read_to_end(&mut first)?;
    if first.starts_with(npy::MAGIC) || options.format == Some(Format::Npy) {
        if options.format.is_some_and(|format| format != Format::Npy) {
            return Err(ImportError::file("this is a numpy array (.npy), not the format that was asked for"));
        }
        return npy::read(&first, source, options);
    }
    check_text(&first)?;
    read_text(Lines::new(source, &first, options.limits.max_line), options)
}

/// Says what a file of another kind is, by its first bytes.
fn check_text(first: &[u8]) -> Result<(), ImportError> {
    let kinds: [(&[u8], &str); 8] = [
        (b"PK\x03\x04", "a zip archive (.npz, .xlsx): take the sheet or the array out of it"),
        (b"\x1F\x8B", "compressed with gzip: unpack it first"),
        (b"\x89PNG", "a picture (PNG): export the samples as CSV instead"),
        (b"%PDF", "a PDF"),
        (b"\x89HDF", "an HDF5 file"),
        (b"WAVEDESC", "a binary LeCroy trace (.trc): export it as ASCII"),
        (b"RIFF", "a sound or picture container (RIFF)"),
        (b"\x93NUM", "a broken numpy array"),
    ];
    if let Some((_, kind)) = kinds.iter().find(|(magic, _)| first.starts_with(magic)) {
        return Err(ImportError::file(format!("this is no table of samples but {kind}")));
    }
    let marked = first.starts_with(&[0xFF, 0xFE]) || first.starts_with(&[0xFE, 0xFF]);
    if !marked && first.contains(&0) {
        return Err(ImportError::file(
            "this is a binary file; of those only numpy's .npy is read: export the samples from the scope as CSV",
        ));
    }
    if first.is_empty() {
        return Err(ImportError::file("the file is empty"));
    }
    Ok(())
}

fn read_text<R: Read>(mut lines: Lines<R>, options: &Options) -> Result<Imported, ImportError> {
    let mut first_lines = Vec::new();
    let mut bytes = 0;
    let mut whole = true;
    while first_lines.len() < MOST_HEAD_LINES && bytes < MOST_HEAD_BYTES {
        let Some(line) = lines.next_line()? else { break };
        bytes += line.bytes.len();
        whole = line.whole;
        first_lines.push(line.bytes.to_vec());
    }
    let head = Head::read(&first_lines);
    let Some(first_row) = head.first_row else {
        let count = first_lines.len();
        return Err(ImportError::line(
            count as u64,
            format!(
                "there is no row of numbers up to here; the first line is `{}`",
                error::quote(first_lines.first().map_or(&[][..], |line| line))
            ),
        ));
    };
    let format = recognise(&head, options.format)?;
    let bare = options.format == Some(Format::Plain);
    let layout = Layout::build(format, &head, bare)?;
    let mut table = Table::new(&layout, &head, options);
    let count = first_lines.len();
    let mut wanted = true;
    for (at, bytes) in first_lines.iter().enumerate().skip(first_row) {
        let line = Line { bytes, number: at as u64 + 1, whole: whole || at + 1 < count };
        wanted = wanted && table.push(line)?;
    }
    while wanted {
        let Some(line) = lines.next_line()? else { break };
        wanted = table.push(line)?;
    }
    table.finish();
    assemble(format, layout, table, options)
}

fn recognise(head: &Head, asked: Option<Format>) -> Result<Format, ImportError> {
    let found = Format::ALL.into_iter().find(|format| format.marks(head)).unwrap_or(Format::Plain);
    match asked {
        Some(asked) if !asked.marks(head) => Err(ImportError::file(format!(
            "the file does not look like {asked}; it looks like {found}. Without a format it is recognised by itself"
        ))),
        Some(asked) => Ok(asked),
        None => Ok(found),
    }
}

/// Time base and channels of what was read.
fn assemble(
    format: Format,
    layout: Layout,
    table: Table,
    options: &Options,
) -> Result<Imported, ImportError> {
    let mut notes = layout.notes;
    notes.extend(table.notes);
    let by_rows = table.times.as_ref().and_then(timebase::TimeColumn::found);
    let by_times = by_rows.as_ref().and_then(|found| found.uneven.clone()).or(table.unusable);
    let uneven = by_times.or_else(|| table.numbers.uneven());
    let (step_s, start_s) = match (layout.step_s, table.numbers.course()) {
        // The head's interval is that of the numbers, and its start that of number 0.
        (Some(step_s), Some((first, by))) => {
            if by != 1.0 {
                notes.push(format!(
                    "the numbers of the samples rise by {by} a row: so many intervals of the header"
                ));
            }
            (Some(step_s * by), layout.start_s.map(|start_s| start_s + first * step_s))
        }
        _ => (layout.step_s, layout.start_s),
    };
    let told = timebase::Told { step_s, start_s, rate_hz: options.sample_rate_hz };
    let timing = told.settle(by_rows.as_ref(), &mut notes)?;
    let uneven = told.weigh(uneven, &mut notes);
    if let Some(rows) = layout.rows.filter(|rows| *rows as usize != table.rows) {
        notes.push(format!("the header names {rows} samples, the file holds {}", table.rows));
    }
    let (first_line, mut channels, mut without_samples) = (table.first_line, Vec::new(), Vec::new());
    for (head, column) in layout.channels.into_iter().zip(table.columns) {
        if column.samples.is_empty() {
            notes.push(format!("{} holds no samples and is left out", head.name));
            without_samples.push(head.name);
            continue;
        }
        channels.push(selection::build_channel(head, column, first_line));
    }
    if channels.is_empty() {
        return Err(ImportError::file("no channel holds a sample"));
    }
    Ok(Imported { format, channels, without_samples, timing, uneven, notes })
}
