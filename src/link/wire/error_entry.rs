//! One entry of an instrument's error queue.

use std::fmt;

use super::WireError;
use super::scpi::parse_string;

/// What `SYST:ERR?` answered once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ErrorEntry {
    /// The number; 0 means that the queue is empty, negative ones are the standard's.
    pub code: i64,
    /// The text, without quotes.
    pub text: String,
}

impl ErrorEntry {
    /// Reads an entry in any maker's spelling: `0,"No error"`, `+0,"No error"`, `0,'No Error'`, `0 No Error`, `-113`.
    ///
    /// # Errors
    /// The answer does not begin with a whole number.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let fault = || WireError::new("an entry of the error queue such as `0,\"No error\"`", text);
        let trimmed = text.trim();
        let sign = usize::from(trimmed.starts_with(['+', '-']));
        let digits = trimmed[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = trimmed.split_at(sign + digits);
        let code: i64 = number.parse().map_err(|_| fault())?;
        let rest = match rest.as_bytes().first() {
            None => "",
            Some(b',' | b' ' | b'\t' | b';' | b':') => rest[1..].trim(),
            Some(_) => return Err(fault()),
        };
        let text = parse_string(rest).map_or_else(|_| rest.to_owned(), std::borrow::Cow::into_owned);
        Ok(Self { code, text: text.chars().take(256).collect() })
    }

    /// The queue is empty.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.code == 0
    }
}

impl fmt::Display for ErrorEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() {
            return write!(f, "{}", self.code);
        }
        write!(f, "{} \"", self.code)?;
        for c in self.text.chars() {
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_are_read_in_the_makers_spellings() {
        let table = [
            ("0,\"No error\"", "0 \"No error\""),
            ("+0,\"No error\"", "0 \"No error\""),
            ("0 No Error", "0 \"No Error\""),
            ("0,'No Error'\r", "0 \"No Error\""),
            ("0", "0"),
            ("-113,\"Undefined header\"", "-113 \"Undefined header\""),
            ("-222, \"Data out of range;VOLT 99\"", "-222 \"Data out of range;VOLT 99\""),
            ("  -350,\"Queue overflow\"", "-350 \"Queue overflow\""),
            ("301,Calibration, lost", "301 \"Calibration, lost\""),
            ("-100,\"half", "-100 \"\"half\""),
        ];
        for (text, expected) in table {
            let entry = ErrorEntry::parse(text).unwrap();
            assert_eq!(entry.to_string(), expected);
            assert_eq!(entry.is_none(), expected.starts_with('0'));
        }
        for text in ["", "No error", "5.000", "1E3", "+", "99999999999999999999,\"x\"", "\"0\""] {
            assert!(ErrorEntry::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(text in "\\PC{0,60}|[-+0-9]{0,4}[ ,\"'a-z]{0,20}") {
            if let Ok(entry) = ErrorEntry::parse(&text) {
                let _ = entry.to_string();
            }
        }
    }
}
