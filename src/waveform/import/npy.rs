//! Numpy's array files: one dimension, or two with a channel a row or a column. No pickles.

use std::io::Read;

use super::layout::ChannelHead;
use super::table::push_bounded;
use super::timebase::{TimeColumn, Told};
use super::{Channel, Format, ImportError, Imported, Options, Unit};
use crate::waveform::{Codes, Scaling};

pub(super) const MAGIC: &[u8] = b"\x93NUMPY";
const LONGEST_HEADER: usize = 1 << 16;
const CHUNK: usize = 1 << 16;
const MOST_CHANNELS: usize = 64;

/// How a sample stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    U1,
    I1,
    U2,
    I2,
    I4,
    F4,
    F8,
}

impl Kind {
    const fn size(self) -> usize {
        match self {
            Self::U1 | Self::I1 => 1,
            Self::U2 | Self::I2 => 2,
            Self::I4 | Self::F4 => 4,
            Self::F8 => 8,
        }
    }

    const fn is_float(self) -> bool {
        matches!(self, Self::F4 | Self::F8)
    }
}

/// The header of an array file.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    kind: Kind,
    big_endian: bool,
    rows: usize,
    channels: usize,
    /// The samples of a channel follow one another; else those of a row do.
    planar: bool,
    transposed: bool,
}

fn fault(what: impl std::fmt::Display) -> ImportError {
    ImportError::file(format!("the numpy array cannot be read: {what}"))
}

/// Reads an array file; `first` is what was already taken from the source.
pub(super) fn read(first: &[u8], source: impl Read, options: &Options) -> Result<Imported, ImportError> {
    let mut source = first.chain(source);
    let header = read_header(&mut source)?;
    let total = header.rows.checked_mul(header.channels).filter(|total| *total <= options.limits.max_samples);
    if total.is_none() {
        return Err(fault(format_args!(
            "it holds {} x {} samples, more than the limit of {}",
            header.rows, header.channels, options.limits.max_samples
        )));
    }
    if header.rows == 0 || header.channels == 0 {
        return Err(fault("it holds no samples"));
    }
    let mut gathered = Gathered::new(&header);
    gathered.read(&mut source)?;
    gathered.finish(options)
}

fn read_header(source: &mut impl Read) -> Result<Header, ImportError> {
    let torn = |_| fault("it ends inside its header");
    let mut begin = [0; 8];
    source.read_exact(&mut begin).map_err(torn)?;
    if !begin.starts_with(MAGIC) {
        return Err(fault("it does not begin as one"));
    }
    let length = match begin[6] {
        1 => {
            let mut length = [0; 2];
            source.read_exact(&mut length).map_err(torn)?;
            usize::from(u16::from_le_bytes(length))
        }
        2 | 3 => {
            let mut length = [0; 4];
            source.read_exact(&mut length).map_err(torn)?;
            u32::from_le_bytes(length) as usize
        }
        version => return Err(fault(format_args!("format {version} is not known"))),
    };
    if length > LONGEST_HEADER {
        return Err(fault("its header is longer than any true one"));
    }
    let mut text = vec![0; length];
    source.read_exact(&mut text).map_err(torn)?;
    parse_header(&String::from_utf8_lossy(&text))
}

fn parse_header(text: &str) -> Result<Header, ImportError> {
    let after = |key: &str| {
        let rest = text.split_once(&format!("'{key}'"))?.1;
        Some(rest.trim_start().strip_prefix(':')?.trim_start())
    };
    let descr = after("descr").ok_or_else(|| fault("its header names no type of samples"))?;
    if descr.starts_with('[') {
        return Err(fault("its samples are records of several fields; save one plain array"));
    }
    let descr =
        descr.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).map_or("", |(descr, _)| descr);
    let (order, kind) = descr.split_at_checked(1).unwrap_or(("", ""));
    let kind = match kind {
        "u1" => Kind::U1,
        "i1" => Kind::I1,
        "u2" => Kind::U2,
        "i2" => Kind::I2,
        "i4" => Kind::I4,
        "f4" => Kind::F4,
        "f8" => Kind::F8,
        "O" => {
            return Err(fault(
                "it holds Python objects (a pickle), which are never loaded; save numbers only",
            ));
        }
        other => {
            return Err(fault(format_args!(
                "samples of type `{}` are not read; u1, i1, u2, i2, i4, f4 and f8 are",
                super::error::quote(other.as_bytes())
            )));
        }
    };
    let big_endian = match order {
        "<" | "=" | "|" => false,
        ">" => true,
        other => {
            return Err(fault(format_args!(
                "a byte order of `{}` is not known; <, >, = and | are",
                super::error::quote(other.as_bytes())
            )));
        }
    };
    // A wrong guess would take samples of one channel for those of another.
    let fortran = match after("fortran_order") {
        Some(rest) if rest.starts_with("True") => true,
        Some(rest) if rest.starts_with("False") => false,
        _ => return Err(fault("its header does not say whether rows or columns come first (fortran_order)")),
    };
    let shape = after("shape").and_then(|rest| rest.strip_prefix('(')).and_then(|rest| rest.split_once(')'));
    let shape = shape.map_or("", |(shape, _)| shape);
    let sizes: Option<Vec<usize>> = shape
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty())
        .map(|size| size.parse().ok())
        .collect();
    let (rows, channels, transposed) = match sizes.as_deref() {
        Some([rows]) => (*rows, 1, false),
        // The longer way is time.
        Some([rows, columns]) if rows >= columns => (*rows, *columns, false),
        Some([rows, columns]) => (*columns, *rows, true),
        _ => return Err(fault(format_args!("a shape of ({shape}) is neither one nor two dimensions"))),
    };
    if channels > MOST_CHANNELS {
        return Err(fault(format_args!("{channels} channels are more than any scope has")));
    }
    Ok(Header { kind, big_endian, rows, channels, planar: fortran != transposed, transposed })
}

/// The samples of one channel while they are read.
enum Samples {
    Bytes(Vec<u8>),
    Words(Vec<i16>),
    Numbers(Vec<f32>),
}

/// Reads until the room is full or the source ends; how many bytes came.
fn fill(source: &mut impl Read, room: &mut [u8]) -> Result<usize, ImportError> {
    let mut filled = 0;
    while filled < room.len() {
        match source.read(&mut room[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ImportError::Source(error)),
        }
    }
    Ok(filled)
}

struct Gathered<'a> {
    header: &'a Header,
    channels: Vec<Samples>,
    /// The first of several columns of floats, in case it is time.
    times: Option<TimeColumn>,
    /// The first sample that can be no measured value, with its row.
    beyond: Option<(usize, f64)>,
    /// Whether a channel's samples have more digits than are kept.
    are_finer: Vec<bool>,
}

impl<'a> Gathered<'a> {
    fn new(header: &'a Header) -> Self {
        let empty = || match header.kind {
            Kind::U1 | Kind::I1 => Samples::Bytes(Vec::new()),
            Kind::U2 | Kind::I2 => Samples::Words(Vec::new()),
            Kind::I4 | Kind::F4 | Kind::F8 => Samples::Numbers(Vec::new()),
        };
        let epsilon =
            if header.kind == Kind::F4 { 1.01 * f64::from(f32::EPSILON) } else { 9.0 * f64::EPSILON };
        let times = (header.channels > 1 && header.kind.is_float()).then(|| TimeColumn::of_numbers(epsilon));
        Self {
            header,
            channels: (0..header.channels).map(|_| empty()).collect(),
            times,
            beyond: None,
            are_finer: vec![false; header.channels],
        }
    }

    fn read(&mut self, source: &mut impl Read) -> Result<(), ImportError> {
        let size = self.header.kind.size();
        let total = self.header.rows * self.header.channels;
        let mut chunk = vec![0; CHUNK];
        let mut at = 0;
        while at < total {
            let count = (CHUNK / size).min(total - at);
            let room = &mut chunk[..count * size];
            let filled = fill(source, room)?;
            if filled < room.len() {
                let held = at + filled / size;
                return Err(fault(format_args!("its header names {total} samples, it holds {held}")));
            }
            for (place, bytes) in room.chunks_exact(size).enumerate() {
                self.take(at + place, bytes)?;
            }
            at += count;
        }
        let mut more = [0];
        if source.read(&mut more)? > 0 {
            return Err(fault(format_args!("more bytes follow the {total} samples of its header")));
        }
        Ok(())
    }

    fn take(&mut self, at: usize, bytes: &[u8]) -> Result<(), ImportError> {
        let Header { kind, big_endian, rows, channels, planar, .. } = *self.header;
        let (channel, row) = if planar { (at / rows, at % rows) } else { (at % channels, at / channels) };
        let mut eight = [0; 8];
        let size = bytes.len();
        eight[..size].copy_from_slice(bytes);
        if big_endian {
            eight[..size].reverse();
        }
        let [a, b, c, d, ..] = eight;
        match (&mut self.channels[channel], kind) {
            (Samples::Bytes(samples), Kind::I1) => samples.push(a ^ 0x80),
            (Samples::Bytes(samples), _) => samples.push(a),
            (Samples::Words(samples), Kind::U2) => samples.push((u16::from_le_bytes([a, b]) ^ 0x8000) as i16),
            (Samples::Words(samples), _) => samples.push(i16::from_le_bytes([a, b])),
            (Samples::Numbers(samples), kind) => {
                let value = match kind {
                    Kind::F8 => f64::from_le_bytes(eight),
                    Kind::F4 => f64::from(f32::from_le_bytes([a, b, c, d])),
                    _ => f64::from(i32::from_le_bytes([a, b, c, d])),
                };
                if (value.is_nan() || value.abs() >= 1e30) && self.beyond.is_none() {
                    self.beyond = Some((row, value));
                }
                self.are_finer[channel] |= f64::from(value as f32) != value;
                push_bounded(samples, value as f32)?;
                if channel == 0 && self.times.is_some() {
                    self.take_time(value, row as u64);
                }
            }
        }
        Ok(())
    }

    /// The first column is time as long as it rises.
    fn take_time(&mut self, time_s: f64, row: u64) {
        let falls = self.times.as_mut().is_none_or(|times| times.push(time_s, 0.0, row + 1).is_err());
        if falls || !time_s.is_finite() {
            self.times = None;
        }
    }

    fn finish(mut self, options: &Options) -> Result<Imported, ImportError> {
        let mut notes = Vec::new();
        // No trace rises from every sample to the next: then it is time, even or not.
        let found = self
            .times
            .take()
            .and_then(|times| times.found().filter(|found| found.uneven.is_none() || times.rises_always()));
        if let Some((row, value)) = self.beyond {
            return Err(fault(format_args!("sample {row} is {value:e}, which no scope measures")));
        }
        if self.header.transposed {
            notes.push("the longer way of the array is taken as time".to_owned());
        }
        let uneven = found.as_ref().and_then(|found| found.uneven.clone());
        if found.is_some() {
            let how = if uneven.is_some() { "from row to row" } else { "evenly" };
            notes.push(format!("the first column rises {how} and is taken as time in seconds"));
            self.channels.remove(0);
            self.are_finer.remove(0);
        }
        let told = Told { step_s: None, start_s: None, rate_hz: options.sample_rate_hz };
        let timing = told.settle(found.as_ref(), &mut notes)?;
        let uneven = told.weigh(uneven, &mut notes);
        if !self.header.kind.is_float() {
            notes.push("the array holds codes without a scale: figures named volts are in codes".to_owned());
        }
        let kind = self.header.kind;
        let channels = self.channels.into_iter().zip(self.are_finer).enumerate();
        let channels =
            channels.map(|(at, (samples, are_finer))| build(at, samples, (kind, are_finer))).collect();
        Ok(Imported { format: Format::Npy, channels, without_samples: Vec::new(), timing, uneven, notes })
    }
}

fn build(at: usize, samples: Samples, (kind, are_finer): (Kind, bool)) -> Channel {
    let unit = if kind.is_float() { Unit::Volt } else { Unit::Code };
    let name = format!("CH{}", at + 1);
    let shifted = |codes: Codes, zero_code: f64| (codes, Scaling { zero_code, ..Scaling::VOLTS });
    let (codes, scaling) = match (samples, kind) {
        (Samples::Bytes(codes), Kind::I1) => shifted(Codes::U8(codes), 128.0),
        (Samples::Bytes(codes), _) => shifted(Codes::U8(codes), 0.0),
        (Samples::Words(codes), Kind::U2) => shifted(Codes::I16(codes), -32768.0),
        (Samples::Words(codes), _) => shifted(Codes::I16(codes), 0.0),
        (Samples::Numbers(samples), _) => {
            let head = ChannelHead { name, label: None, unit, power: 0, extremes: None };
            return super::selection::build_channel(head, super::table::Column::of(samples, are_finer), 0);
        }
    };
    Channel {
        name,
        label: None,
        unit,
        skipped: 0,
        codes,
        scaling,
        notes: Vec::new(),
        doubts: Vec::new(),
        fault: None,
        acquisition: None,
    }
}
