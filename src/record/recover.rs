//! Reading a journal that may have ended in the middle of a line. The tail is never trusted: a torn last line is cut and
//! told. A fault with whole lines behind it is damage, for lines are written one after the other.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::RecordError;
use super::format::{VERSION, VersionProbe};
use super::journal::{MAX_LINE, chain, split_line};
use super::line::Line;

/// How a journal ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// With a whole line.
    Whole,
    /// With a line that was not finished; it was left out.
    Torn {
        /// Its number, from 1.
        line: u64,
        /// Bytes left out.
        bytes: u64,
        /// What is wrong with it.
        what: String,
    },
}

enum Fault {
    /// The bytes are not what was written.
    Bytes(String),
    /// The bytes are what was written, but say nothing that this program knows.
    Meaning(RecordError),
}

struct Place<'p> {
    path: &'p Path,
    line: u64,
    crc: u32,
}

/// Where the whole lines of a journal end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) lines: u64,
    pub(super) bytes: u64,
    /// Of the last whole line.
    pub(super) crc: u32,
}

impl Whole {
    /// Before the first line.
    pub(super) const NOTHING: Self = Self { lines: 0, bytes: 0, crc: 0 };
}

/// Hands every whole line to `take`, in order, and says how the journal ends.
pub(super) fn read_lines(
    path: &Path,
    take: impl FnMut(Line<'_>) -> Result<(), String>,
) -> Result<(Tail, Whole), RecordError> {
    read_from_start(path, all, take)
}

/// Hands every line of readings to `take`, in order; of all others no more than the check sum is looked at.
pub(super) fn read_lines_of_readings(
    path: &Path,
    take: impl FnMut(Line<'_>) -> Result<(), String>,
) -> Result<(), RecordError> {
    read_from_start(path, readings_alone, take).map(|_| ())
}

/// Looks at the check sums alone, and says where the whole lines end.
pub(super) fn check_lines(path: &Path) -> Result<Whole, RecordError> {
    read_from_start(path, nothing, |_| Ok(())).map(|(_, whole)| whole)
}

/// Reads a body that somebody wants; `None` where nobody does.
type Understand = for<'l> fn(&'l [u8]) -> Result<Option<Line<'l>>, String>;

fn all(body: &[u8]) -> Result<Option<Line<'_>>, String> {
    Line::of(body).map(Some)
}

fn nothing(_: &[u8]) -> Result<Option<Line<'_>>, String> {
    Ok(None)
}

fn readings_alone(body: &[u8]) -> Result<Option<Line<'_>>, String> {
    Line::of_readings(body)
}

fn read_from_start(
    path: &Path,
    understand: Understand,
    take: impl FnMut(Line<'_>) -> Result<(), String>,
) -> Result<(Tail, Whole), RecordError> {
    let file = File::open(path).map_err(|error| RecordError::disk("open", path, error))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut whole = Whole::NOTHING;
    match read_bodies(path, &mut reader, (&mut whole, understand), take)? {
        Tail::Torn { line: 1, what, .. } => {
            let told = format!("{what}: the run ended before its first line was kept");
            Err(RecordError::damaged(path, 1, told))
        }
        Tail::Whole if whole.lines == 0 => {
            Err(RecordError::damaged(path, 1, "it is empty: the run ended before anything was kept"))
        }
        tail => Ok((tail, whole)),
    }
}

/// Reads on behind `whole`, where the reader stands, and moves it along with every line that is taken.
pub(super) fn read_on(
    path: &Path,
    reader: &mut impl BufRead,
    whole: &mut Whole,
    take: impl FnMut(Line<'_>) -> Result<(), String>,
) -> Result<Tail, RecordError> {
    read_bodies(path, reader, (whole, all), take)
}

fn read_bodies(
    path: &Path,
    reader: &mut impl BufRead,
    (whole, understand): (&mut Whole, Understand),
    mut take: impl FnMut(Line<'_>) -> Result<(), String>,
) -> Result<Tail, RecordError> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut *reader).take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line);
        read.map_err(|error| RecordError::disk("read", path, error))?;
        if line.is_empty() {
            return Ok(Tail::Whole);
        }
        let place = Place { path, line: whole.lines + 1, crc: whole.crc };
        match check_line(&place, &line, understand) {
            Ok((line_in, crc)) => {
                *whole = Whole { lines: place.line, bytes: whole.bytes + line.len() as u64, crc };
                line_in
                    .map_or(Ok(()), &mut take)
                    .map_err(|what| RecordError::damaged(path, place.line, what))?;
            }
            Err(Fault::Meaning(error)) => return Err(error),
            Err(Fault::Bytes(what)) => return end_at_fault(&place, line.len(), what, reader),
        }
    }
}

/// A faulty line is a torn tail if nothing stands behind it, and damage otherwise.
fn end_at_fault(
    place: &Place<'_>,
    length: usize,
    what: String,
    reader: &mut impl BufRead,
) -> Result<Tail, RecordError> {
    let behind = reader.fill_buf().map_err(|error| RecordError::disk("read", place.path, error))?;
    if !behind.is_empty() {
        return Err(RecordError::damaged(place.path, place.line, what));
    }
    Ok(Tail::Torn { line: place.line, bytes: length as u64, what })
}

fn check_line<'l>(
    place: &Place<'_>,
    line: &'l [u8],
    understand: Understand,
) -> Result<(Option<Line<'l>>, u32), Fault> {
    let fault = |what: &str| Fault::Bytes(what.to_owned());
    if line.len() > MAX_LINE {
        return Err(Fault::Bytes(format!("it is longer than {MAX_LINE} bytes")));
    }
    let line = line.strip_suffix(b"\n").ok_or_else(|| fault("it has no end"))?;
    let (body, crc) = split_line(line).ok_or_else(|| fault("it does not end in a check sum"))?;
    let expected = chain(place.crc, body);
    if crc != expected {
        return Err(Fault::Bytes(format!("its check sum is {crc:08x}, its bytes give {expected:08x}")));
    }
    if place.line == 1
        && let Some(version) = version_of(body).filter(|version| *version > VERSION)
    {
        return Err(Fault::Meaning(RecordError::Newer { path: place.path.to_owned(), version }));
    }
    let damaged = |what: String| Fault::Meaning(RecordError::damaged(place.path, place.line, what));
    let line = understand(body).map_err(damaged)?;
    if let Some(line) = line.as_ref().filter(|line| line.seq != place.line - 1) {
        return Err(damaged(format!("its sequence number is {}, expected {}", line.seq, place.line - 1)));
    }
    Ok((line, crc))
}

/// The version in a first line's body, whatever else stands there.
fn version_of(body: &[u8]) -> Option<u32> {
    let mut json = body.to_vec();
    json.push(b'}');
    let probe = serde_json::from_slice::<VersionProbe>(&json).ok()?;
    Some(probe.entry.header.version)
}
