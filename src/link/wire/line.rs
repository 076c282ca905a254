//! Lines of text from a sensor that just sends, bounded and read by a pattern that the rig names.

use std::borrow::Cow;

use super::WireError;
use super::scpi::parse_finite;

/// Where in a line the value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinePattern {
    /// `key=value` somewhere in the line, e.g. `board=41.25`.
    KeyValue {
        /// The key.
        key: String,
    },
    /// A column of a line of separated values, counted from 0.
    CsvColumn {
        /// Which column.
        column: usize,
        /// What separates columns.
        separator: char,
    },
    /// A member of a JSON object.
    JsonKey {
        /// The member's name; `a.b` looks inside.
        key: String,
    },
    /// The first number of the line.
    Plain,
}

/// The longest line that is read, in bytes; a sensor that sends more is not sending lines.
pub const LONGEST_LINE: usize = 4096;

/// What may follow a number; anything else means that the line was damaged on its way.
const UNITS: [&str; 12] = ["C", "F", "K", "°C", "°F", "degC", "degF", "℃", "℉", "mC", "%", "%RH"];

impl LinePattern {
    /// Reads the value out of one line, without its terminator. A unit of temperature or humidity may follow the number.
    ///
    /// # Errors
    /// The line is too long, no text, has no such place, or what stands there is no finite number.
    pub fn read_value(&self, line: &[u8]) -> Result<f64, WireError> {
        let fault = || WireError::new(self.to_string(), line);
        if line.len() > LONGEST_LINE {
            return Err(WireError::new(format!("a line of at most {LONGEST_LINE} bytes"), line));
        }
        // Old sensors send the degree sign in Latin-1; a damaged byte elsewhere makes no number.
        let text = std::str::from_utf8(line)
            .map_or_else(|_| Cow::Owned(super::decode_text(line.to_vec())), Cow::Borrowed);
        let text = text.trim();
        match self {
            Self::KeyValue { key } => find_key(text, key).and_then(first_word).and_then(parse_value),
            Self::CsvColumn { column, separator } => {
                text.split(*separator).nth(*column).and_then(parse_value)
            }
            Self::JsonKey { key } => find_member(text, key),
            Self::Plain => find_number(text).and_then(parse_value),
        }
        .ok_or_else(fault)
    }
}

impl std::fmt::Display for LinePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::KeyValue { key } => write!(f, "a line with `{key}=` and a number"),
            Self::CsvColumn { column, separator } => {
                write!(f, "a number in column {column} (counted from 0) of a line separated by `{separator}`")
            }
            Self::JsonKey { key } => write!(f, "a JSON object with a number in `{key}`"),
            Self::Plain => f.write_str("a line with a number"),
        }
    }
}

/// A number and, perhaps, a unit; nothing else.
fn parse_value(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(value) = parse_finite(text) {
        return Some(value);
    }
    let number = UNITS.iter().filter_map(|unit| text.strip_suffix(unit)).min_by_key(|rest| rest.len())?;
    parse_finite(number).ok()
}

/// What follows `key=` (or `key:`), where the key is a whole word.
fn find_key<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    places(text, key).find_map(|at| {
        let begins_word =
            !text[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        let rest = text[at + key.len()..].trim_start();
        rest.strip_prefix(['=', ':']).filter(|_| begins_word)
    })
}

/// Where a word stands in a text, one behind the other. `str::match_indices` prepares a search that pays in long texts only, and
/// a soak reads millions of short ones.
fn places(text: &str, word: &str) -> impl Iterator<Item = usize> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let first = *word.as_bytes().first()?;
        loop {
            let rest = text.as_bytes().get(from..)?;
            let at = from + rest.iter().position(|byte| *byte == first)?;
            if text.as_bytes()[at..].starts_with(word.as_bytes()) {
                from = at + word.len();
                return Some(at);
            }
            from = at + 1;
        }
    })
}

/// Up to what separates one `key=value` from the next; a unit that stands apart belongs to the word.
fn first_word(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let part = &text[..text.find([',', ';', '\t', '|']).unwrap_or(text.len())];
    let Some((number, rest)) = part.split_once(' ') else {
        return Some(part);
    };
    let next = rest.split_whitespace().next().unwrap_or_default();
    Some(if UNITS.contains(&next) {
        part[..number.len() + 1 + rest.find(next)? + next.len()].trim()
    } else {
        number
    })
}

/// The first word of the line that begins like a number, up to white space or a separator.
fn find_number(text: &str) -> Option<&str> {
    let boundary = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '=' | '|' | '\t' | '(' | ')');
    text.split(boundary).find(|word| {
        let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
        digits.strip_prefix('.').unwrap_or(digits).starts_with(|c: char| c.is_ascii_digit())
    })
}

fn find_member(text: &str, key: &str) -> Option<f64> {
    let object: serde_json::Value = serde_json::from_str(text).ok()?;
    // A name with a dot in it wins over a look inside.
    let member =
        object.get(key).or_else(|| key.split('.').try_fold(&object, |inside, name| inside.get(name)))?;
    match member {
        serde_json::Value::Number(number) => number.as_f64().filter(|value| value.is_finite()),
        serde_json::Value::String(text) => parse_value(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(key: &str) -> LinePattern {
        LinePattern::KeyValue { key: key.to_owned() }
    }
    fn json(key: &str) -> LinePattern {
        LinePattern::JsonKey { key: key.to_owned() }
    }
    fn column(column: usize) -> LinePattern {
        LinePattern::CsvColumn { column, separator: ',' }
    }

    #[test]
    fn each_pattern_finds_its_value() {
        let table: [(LinePattern, &str, f64); 16] = [
            (key("board"), "board=41.25", 41.25),
            (key("board"), "ambient=23.5,board=41.25\r", 41.25),
            (key("board"), "onboard=1 board = 41.25C", 41.25),
            (key("T"), "RT=5;T:-3.5 °C;H=40%", -3.5),
            (key("T"), "T=25.0 H=40", 25.0),
            (column(0), "23.5,41.25", 23.5),
            (column(1), "23.5, 41.25 ,x", 41.25),
            (json("temp"), r#"{"temp": 23.5}"#, 23.5),
            (json("board.temp"), r#"{"board":{"temp":"41.25 C"}}"#, 41.25),
            (json("a.b"), r#"{"a.b":1,"a":{"b":2}}"#, 1.0),
            (LinePattern::Plain, "23.5", 23.5),
            (LinePattern::Plain, "  +2.35E+01\r", 23.5),
            (LinePattern::Plain, "Temperature: 23.5 C", 23.5),
            (LinePattern::Plain, "T1 = -0.5°C", -0.5),
            (LinePattern::Plain, "23.5degC", 23.5),
            (LinePattern::Plain, ".5", 0.5),
        ];
        for (pattern, line, value) in table {
            assert_eq!(pattern.read_value(line.as_bytes()), Ok(value), "{line}");
        }
        assert_eq!(LinePattern::Plain.read_value(b"23.5\xb0C"), Ok(23.5), "a degree sign in Latin-1");
    }

    #[test]
    fn a_damaged_line_is_an_error_never_a_number() {
        let table: [(LinePattern, &[u8]); 18] = [
            (key("board"), b""),
            (key("board"), b"boar=41.25"),
            (key("board"), b"board=4\x001.25"),
            (key("board"), b"board=41.25.3"),
            (key("board"), b"board=41x25"),
            (key("board"), b"board="),
            (key("board"), b"board=nan"),
            (key(""), b"=3"),
            (column(2), b"23.5,41.25"),
            (column(1), b"23.5,"),
            (json("temp"), b"{\"temp\": null}"),
            (json("temp"), b"{\"temp\": 23.5"),
            (json("temp"), b"[1,2]"),
            (LinePattern::Plain, b"no sensor"),
            (LinePattern::Plain, b"23.5\xff"),
            (LinePattern::Plain, b"23.5CC"),
            (LinePattern::Plain, b"9.91E37"),
            (LinePattern::Plain, &[b'1'; LONGEST_LINE + 1]),
        ];
        for (pattern, line) in table {
            assert!(pattern.read_value(line).is_err(), "{line:?}");
        }
        let message = key("board").read_value(b"boar=41.25").unwrap_err().to_string();
        insta::assert_snapshot!(message, @"wanted a line with `board=` and a number, got `boar=41.25`");
    }

    proptest! {
        #[test]
        fn a_word_is_found_wherever_the_standard_library_finds_it(text in "[ab=°\u{400}]{0,30}", word in "[ab=°]{1,3}") {
            let found: Vec<usize> = places(&text, &word).collect();
            let known: Vec<usize> = text.match_indices(&word).map(|(at, _)| at).collect();
            prop_assert_eq!(found, known);
        }

        #[test]
        fn no_line_makes_it_panic(line in proptest::collection::vec(any::<u8>(), 0..80), text in "[T=:;, 0-9.eE+°C{}\"-]{0,40}") {
            for line in [line.as_slice(), text.as_bytes()] {
                for pattern in [key("T"), column(1), json("T"), LinePattern::Plain] {
                    if let Ok(value) = pattern.read_value(line) {
                        prop_assert!(value.is_finite());
                    }
                }
            }
        }
    }
}
