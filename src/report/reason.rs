//! Reasons and notes that differ in their numbers alone are one kind: told once, with each number as a range. Pure.

use std::fmt;

/// A sentence taken apart into its words and its numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReasonKind {
    /// The words between the numbers; one more than there are numbers.
    words: Vec<String>,
    /// Lowest and highest of each number, as written.
    numbers: Vec<(String, String)>,
}

impl ReasonKind {
    pub(super) fn new(text: &str) -> Self {
        let (mut words, mut numbers) = (vec![String::new()], Vec::new());
        let mut rest = text;
        let mut before = ' ';
        while let Some(letter) = rest.chars().next() {
            let length = if before.is_alphanumeric() || before == '_' { 0 } else { range_length(rest) };
            let taken = length.max(letter.len_utf8());
            if length > 0 {
                let low = &rest[..number_length(rest)];
                let high = rest[low.len()..length].strip_prefix(TO).unwrap_or(low);
                numbers.push((low.to_owned(), high.to_owned()));
                words.push(String::new());
            } else if let Some(word) = words.last_mut() {
                word.push(letter);
            }
            before = rest[..taken].chars().next_back().unwrap_or(' ');
            rest = &rest[taken..];
        }
        Self { words, numbers }
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.words == other.words
    }

    /// Takes the numbers of a sentence of the same kind in.
    pub(super) fn widen(&mut self, other: &Self) {
        let value = |text: &str| text.parse::<f64>().unwrap_or(0.0);
        for (mine, theirs) in self.numbers.iter_mut().zip(&other.numbers) {
            if value(&theirs.0) < value(&mine.0) {
                mine.0.clone_from(&theirs.0);
            }
            if value(&theirs.1) > value(&mine.1) {
                mine.1.clone_from(&theirs.1);
            }
        }
    }
}

/// Between the ends of a range.
const TO: &str = " to ";

/// Length of the number, or of the range of two numbers, that a text begins with.
fn range_length(text: &str) -> usize {
    let low = number_length(text);
    let high = text[low..].strip_prefix(TO).map_or(0, number_length);
    if low > 0 && high > 0 { low + TO.len() + high } else { low }
}

/// Length of the decimal number that a text begins with.
fn number_length(text: &str) -> usize {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
    if whole == 0 {
        return 0;
    }
    let fraction = digits[whole..].strip_prefix('.').unwrap_or("");
    let decimals = fraction.bytes().take_while(u8::is_ascii_digit).count();
    text.len() - digits.len() + whole + if decimals > 0 { decimals + 1 } else { 0 }
}

impl fmt::Display for ReasonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, words) in self.words.iter().enumerate() {
            f.write_str(words)?;
            match self.numbers.get(place) {
                Some((low, high)) if low == high => f.write_str(low)?,
                Some((low, high)) => write!(f, "{low}{TO}{high}")?,
                None => {}
            }
        }
        Ok(())
    }
}
