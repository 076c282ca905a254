//! Lines of a text of any origin: LF, CRLF or CR, with or without a byte order mark, UTF-8 or UTF-16. One buffer; no line
//! longer than the limit is ever held.

use std::io::Read;

use super::ImportError;

const CHUNK: usize = 1 << 16;

/// How characters stand in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Bytes,
    Utf16 { big_endian: bool },
}

/// One line of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Without its end.
    pub(super) bytes: &'a [u8],
    /// Counted from 1.
    pub(super) number: u64,
    /// Whether it had an end; the last line of a torn file has none.
    pub(super) whole: bool,
}

/// The lines of a source, one at a time.
#[derive(Debug)]
pub(super) struct Lines<R> {
    source: R,
    encoding: Encoding,
    buffer: Vec<u8>,
    /// What of the buffer is not yet given out.
    at: usize,
    /// An odd byte of UTF-16 that waits for its other half.
    half: Option<u8>,
    high_surrogate: Option<u16>,
    ended: bool,
    /// The last line ended with a CR at the very end of what was known: an LF after it belongs to it.
    swallow_lf: bool,
    number: u64,
    longest: usize,
}

impl<R: Read> Lines<R> {
    /// Begins with `first` (bytes that were already taken from the source) and goes on with the source.
    pub(super) fn new(source: R, first: &[u8], longest: usize) -> Self {
        let (encoding, mark) = match first {
            [0xEF, 0xBB, 0xBF, ..] => (Encoding::Bytes, 3),
            [0xFF, 0xFE, ..] => (Encoding::Utf16 { big_endian: false }, 2),
            [0xFE, 0xFF, ..] => (Encoding::Utf16 { big_endian: true }, 2),
            _ => (Encoding::Bytes, 0),
        };
        let mut lines = Self {
            source,
            encoding,
            buffer: Vec::with_capacity(2 * CHUNK),
            at: 0,
            half: None,
            high_surrogate: None,
            ended: false,
            swallow_lf: false,
            number: 0,
            longest,
        };
        lines.take_in(&first[mark..]);
        lines
    }

    /// The next line without its end, or `None` after the last.
    pub(super) fn next_line(&mut self) -> Result<Option<Line<'_>>, ImportError> {
        let mut searched = 0;
        loop {
            if self.swallow_lf && self.at < self.buffer.len() {
                self.swallow_lf = false;
                if self.buffer[self.at] == b'\n' {
                    self.at += 1;
                }
            }
            let pending = &self.buffer[self.at..];
            let end = pending[searched..].iter().position(|byte| *byte == b'\n' || *byte == b'\r');
            if end.map_or(pending.len(), |end| searched + end) > self.longest {
                return Err(ImportError::line(
                    self.number + 1,
                    format!("it is longer than {} bytes: this is not a table of samples", self.longest),
                ));
            }
            if let Some(end) = end {
                let (begin, end) = (self.at, self.at + searched + end);
                self.swallow_lf = self.buffer[end] == b'\r';
                self.at = end + 1;
                self.number += 1;
                let bytes = without_marks(&self.buffer[begin..end], self.number);
                return Ok(Some(Line { bytes, number: self.number, whole: true }));
            }
            if self.ended {
                return Ok(self.rest());
            }
            searched = pending.len();
            self.fill()?;
        }
    }

    fn rest(&mut self) -> Option<Line<'_>> {
        if self.at == self.buffer.len() {
            return None;
        }
        let begin = std::mem::replace(&mut self.at, self.buffer.len());
        self.number += 1;
        Some(Line {
            bytes: without_marks(&self.buffer[begin..], self.number),
            number: self.number,
            whole: false,
        })
    }

    fn fill(&mut self) -> Result<(), ImportError> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let mut chunk = [0; CHUNK];
        let count = loop {
            match self.source.read(&mut chunk) {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.ended = count == 0;
        self.take_in(&chunk[..count]);
        Ok(())
    }

    fn take_in(&mut self, bytes: &[u8]) {
        let Encoding::Utf16 { big_endian } = self.encoding else {
            self.buffer.extend_from_slice(bytes);
            return;
        };
        for byte in bytes {
            let Some(first) = self.half.take() else {
                self.half = Some(*byte);
                continue;
            };
            let pair = [first, *byte];
            let unit = if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
            self.take_in_unit(unit);
        }
    }

    fn take_in_unit(&mut self, unit: u16) {
        if (0xD800..0xDC00).contains(&unit) {
            self.high_surrogate = Some(unit);
            return;
        }
        let units = match self.high_surrogate.take() {
            Some(high) => vec![high, unit],
            None => vec![unit],
        };
        for decoded in char::decode_utf16(units) {
            let mut room = [0; 4];
            let text = decoded.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut room);
            self.buffer.extend_from_slice(text.as_bytes());
        }
    }
}

/// The first line without further marks: whoever adds one to a file that begins with one leaves two.
fn without_marks(mut line: &[u8], number: u64) -> &[u8] {
    while let Some(rest) = line.strip_prefix(b"\xEF\xBB\xBF").filter(|_| number == 1) {
        line = rest;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A source that gives out one to three bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(room.len());
            room[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn lines(bytes: &[u8], step: usize) -> Vec<String> {
        let mut lines =
            Lines::new(Drip(&bytes[bytes.len().min(4)..], step), &bytes[..bytes.len().min(4)], 50);
        let mut found = Vec::new();
        loop {
            match lines.next_line() {
                Ok(Some(line)) => found.push(String::from_utf8_lossy(line.bytes).into_owned()),
                Ok(None) => return found,
                Err(e) => {
                    found.push(format!("{e}"));
                    return found;
                }
            }
        }
    }

    fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn every_line_end_and_every_encoding_gives_the_same_lines() {
        let texts = ["a,1\nb µ\n\n3", "a,1\r\nb µ\r\n\r\n3", "a,1\rb µ\r\r3"];
        for text in texts {
            let marked = |marks: usize| ["\u{FEFF}".repeat(marks).as_bytes(), text.as_bytes()].concat();
            let twice = utf16(&format!("\u{FEFF}{text}"), false);
            for bytes in [marked(0), marked(1), marked(2), utf16(text, false), utf16(text, true), twice] {
                for step in 1..4 {
                    assert_eq!(lines(&bytes, step), ["a,1", "b µ", "", "3"], "{text:?} in steps of {step}");
                }
            }
        }
    }

    #[test]
    fn a_line_over_the_limit_is_told_with_its_number() {
        let text = format!("short\n{}\n", "9".repeat(51));
        assert_eq!(
            lines(text.as_bytes(), 3)[1],
            "line 2: it is longer than 50 bytes: this is not a table of samples"
        );
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_the_source_is_torn(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(lines(&bytes, 1), lines(&bytes, 1000));
        }
    }
}
