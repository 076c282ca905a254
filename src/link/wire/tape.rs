//! The written form of a conversation: one line a message, with its time.
//!
//! ```text
//! 12000000 > "MEAS:VOLT?"
//! 12400000 < "5.000"
//! 13000000 < #230a00ff
//! 15000000 < "" ! timed out 500000000
//! 15000100 - ""
//! ```
//!
//! Nanoseconds, the direction (`>` sent, `<` received, `-` cleared), the bytes (escaped text, or hexadecimal behind `#` where
//! most of them are no text), and behind `!` what went wrong.

use std::time::Duration;

use super::{WireError, escape_into};
use crate::base::clock::Instant;

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To the instrument.
    Sent,
    /// From the instrument, or waited for.
    Received,
    /// What had arrived was dropped.
    Cleared,
}

/// What went wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Failure {
    /// Nothing whole within this time.
    TimedOut(Duration),
    /// It was not waited for any longer.
    CutShort,
    /// The link is gone.
    Lost(String),
    /// More than so many bytes.
    TooLong(usize),
    /// Bytes that are no message.
    Malformed(String),
}

/// One message, or one that failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TapeLine {
    /// When it had been handed over or had arrived.
    pub at: Instant,
    /// Which way.
    pub direction: Direction,
    /// The message without its terminator; empty where none arrived.
    pub bytes: Vec<u8>,
    /// What went wrong, if anything.
    pub failure: Option<Failure>,
}

impl TapeLine {
    /// The line as text, without a line end.
    #[must_use]
    pub fn render(&self) -> String {
        let direction = match self.direction {
            Direction::Sent => '>',
            Direction::Received => '<',
            Direction::Cleared => '-',
        };
        let mut text = format!("{} {direction} ", self.at.0);
        render_bytes(&mut text, &self.bytes);
        match &self.failure {
            None => {}
            Some(Failure::TimedOut(span)) => text.push_str(&format!(" ! timed out {}", span.as_nanos())),
            Some(Failure::CutShort) => text.push_str(" ! cut short"),
            Some(Failure::TooLong(limit)) => text.push_str(&format!(" ! too long {limit}")),
            Some(Failure::Lost(reason)) => {
                text.push_str(" ! lost ");
                render_bytes(&mut text, reason.as_bytes());
            }
            Some(Failure::Malformed(reason)) => {
                text.push_str(" ! malformed ");
                render_bytes(&mut text, reason.as_bytes());
            }
        }
        text
    }

    /// Reads one line.
    ///
    /// # Errors
    /// The text is no line of a tape.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        parse(text.trim_end_matches(['\r', '\n'])).ok_or_else(|| WireError::new("a line of a tape", text))
    }
}

/// All lines of a tape; empty lines and lines beginning with `//` say nothing.
///
/// # Errors
/// The first line that is none, with its number.
pub fn parse_tape(text: &str) -> Result<Vec<TapeLine>, WireError> {
    let says_something = |line: &&(usize, &str)| !line.1.trim().is_empty() && !line.1.starts_with("//");
    text.lines()
        .enumerate()
        .filter(|line| says_something(&line))
        .map(|(index, line)| {
            TapeLine::parse(line).map_err(|fault| WireError {
                wanted: format!("{} in line {}", fault.wanted, index + 1),
                got: fault.got,
            })
        })
        .collect()
}

fn render_bytes(text: &mut String, bytes: &[u8]) {
    let odd = bytes.iter().filter(|b| !matches!(b, b' '..=b'~')).count();
    if odd * 3 > bytes.len() {
        text.push('#');
        text.reserve(bytes.len() * 2);
        const HEX: &[u8; 16] = b"0123456789abcdef";
        for byte in bytes {
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
        return;
    }
    let mut escaped = String::with_capacity(bytes.len() + 2);
    escape_into(&mut escaped, bytes);
    text.push('"');
    text.push_str(&escaped.replace('"', "\\\""));
    text.push('"');
}

fn parse(text: &str) -> Option<TapeLine> {
    let (at, rest) = text.split_once(' ')?;
    let (direction, rest) = rest.split_once(' ')?;
    let direction = match direction {
        ">" => Direction::Sent,
        "<" => Direction::Received,
        "-" => Direction::Cleared,
        _ => return None,
    };
    let (bytes, rest) = parse_bytes(rest)?;
    let failure = match rest.strip_prefix(" ! ") {
        Some(failure) => Some(parse_failure(failure)?),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some(TapeLine { at: Instant(at.parse().ok()?), direction, bytes, failure })
}

fn parse_failure(text: &str) -> Option<Failure> {
    let reason = |rest: &str| {
        let (bytes, rest) = parse_bytes(rest)?;
        rest.is_empty().then(|| super::decode_text(bytes))
    };
    if let Some(span) = text.strip_prefix("timed out ") {
        return Some(Failure::TimedOut(Duration::from_nanos(span.parse().ok()?)));
    }
    if text == "cut short" {
        return Some(Failure::CutShort);
    }
    if let Some(limit) = text.strip_prefix("too long ") {
        return Some(Failure::TooLong(limit.parse().ok()?));
    }
    if let Some(rest) = text.strip_prefix("lost ") {
        return reason(rest).map(Failure::Lost);
    }
    text.strip_prefix("malformed ").and_then(reason).map(Failure::Malformed)
}

/// Bytes in quotes or in hexadecimal, and what follows them.
fn parse_bytes(text: &str) -> Option<(Vec<u8>, &str)> {
    if let Some(digits) = text.strip_prefix('#') {
        let end = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
        let pairs = digits.as_bytes()[..end].chunks(2);
        let bytes = pairs.map(parse_hex).collect::<Option<Vec<u8>>>()?;
        return Some((bytes, &digits[end..]));
    }
    let quoted = text.strip_prefix('"')?;
    let raw = quoted.as_bytes();
    let mut bytes = Vec::with_capacity(raw.len());
    let mut at = 0;
    loop {
        match raw.get(at)? {
            b'"' => return Some((bytes, &quoted[at + 1..])),
            b'\\' => {
                let escaped = match raw.get(at + 1)? {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'x' => {
                        bytes.push(parse_hex(raw.get(at + 2..at + 4)?)?);
                        at += 4;
                        continue;
                    }
                    same @ (b'\\' | b'"') => *same,
                    _ => return None,
                };
                bytes.push(escaped);
                at += 2;
            }
            plain @ b' '..=b'~' => {
                bytes.push(*plain);
                at += 1;
            }
            _ => return None,
        }
    }
}

fn parse_hex(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tape_reads_as_a_conversation() {
        let line = |at, direction, bytes: &[u8], failure| TapeLine {
            at: Instant(at),
            direction,
            bytes: bytes.to_vec(),
            failure,
        };
        let tape = [
            line(12_000_000, Direction::Sent, b"DISP:TEXT \"hi\"", None),
            line(12_400_000, Direction::Received, b"a\\b\t\x00 and more", None),
            line(13_000_000, Direction::Received, b"#11\n\x00\xff", None),
            line(15_000_000, Direction::Received, b"", Some(Failure::TimedOut(Duration::from_millis(500)))),
            line(15_000_100, Direction::Cleared, b"", None),
            line(16_000_000, Direction::Sent, b"*RST", Some(Failure::Lost("unplugged".to_owned()))),
        ];
        let text: Vec<String> = tape.iter().map(TapeLine::render).collect();
        insta::assert_snapshot!(text.join("\n"), @r#"
        12000000 > "DISP:TEXT \"hi\""
        12400000 < "a\\b\t\x00 and more"
        13000000 < #2331310a00ff
        15000000 < "" ! timed out 500000000
        15000100 - ""
        16000000 > "*RST" ! lost "unplugged"
        "#);
        assert_eq!(parse_tape(&text.join("\n")).unwrap(), tape);
    }

    #[test]
    fn the_first_line_that_is_none_is_named() {
        let fault = parse_tape("// taken on a bench\n\n1 > \"a\"\n2 ? \"b\"\n").unwrap_err();
        insta::assert_snapshot!(fault.to_string(), @r#"wanted a line of a tape in line 4, got `2 ? "b"`"#);
    }

    fn any_failure() -> impl Strategy<Value = Option<Failure>> {
        prop_oneof![
            Just(None),
            Just(Some(Failure::CutShort)),
            any::<u64>().prop_map(|ns| Some(Failure::TimedOut(Duration::from_nanos(ns)))),
            any::<usize>().prop_map(|limit| Some(Failure::TooLong(limit))),
            "\\PC{0,20}".prop_map(|reason| Some(Failure::Lost(reason))),
            "\\PC{0,20}".prop_map(|reason| Some(Failure::Malformed(reason))),
        ]
    }

    proptest! {
        #[test]
        fn every_line_survives_being_written(
            at: u64,
            way in 0..3_usize,
            bytes in prop_oneof![proptest::collection::vec(any::<u8>(), 0..40), "[ -~\n]{0,40}".prop_map(String::into_bytes)],
            failure in any_failure(),
        ) {
            let direction = [Direction::Sent, Direction::Received, Direction::Cleared][way];
            let line = TapeLine { at: Instant(at), direction, bytes, failure };
            prop_assert_eq!(TapeLine::parse(&line.render()).unwrap(), line);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}|[0-9]{0,3} [<>-] [\"#\\\\xn0-9a-f! ]{0,30}") {
            let _ = parse_tape(&text);
        }
    }
}
