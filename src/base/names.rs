//! Names that end up in file names, events and reports, each with its parse rule.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Why a text is not such a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {noun}: {rule}")]
pub struct NameError {
    /// What was written.
    pub text: String,
    /// What it should have been.
    pub noun: &'static str,
    /// The rule it breaks.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $noun:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// The name of what nobody has named.
            #[must_use]
            pub fn unnamed() -> Self {
                Self("unnamed".to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                match broken_rule(text) {
                    None => Ok(Self(text.to_owned())),
                    Some(rule) => {
                        Err(NameError { text: text.chars().take(80).collect(), noun: $noun, rule })
                    }
                }
            }
        }
    };
}

name!(
    /// A board's serial number.
    Serial, "board serial"
);
name!(
    /// A board's revision, e.g. `B`.
    Revision, "board revision"
);
name!(
    /// What an instrument is on this bench: `source`, `load`, `scope`, `board`, `ambient`.
    Role, "role"
);
name!(
    /// A profile's short name, part of the run folder's name.
    ProfileName, "profile name"
);

name!(
    /// The name under which runs are kept as a baseline, part of its file's name.
    BaselineName, "baseline name"
);

name!(
    /// What an order of runs is called, part of what is typed to begin one of them.
    OrderName, "name of an order of runs"
);

/// One rule for all names, because all of them become parts of file names.
fn broken_rule(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > 64 {
        return Some("it is longer than 64 characters");
    }
    let plain = |c: char| c.is_ascii_alphanumeric();
    if !text.starts_with(plain) {
        return Some("it must begin with a letter or a digit");
    }
    if !text.chars().all(|c| plain(c) || matches!(c, '-' | '_' | '.')) {
        return Some(
            "only letters, digits, `-`, `_` and `.` may stand in it, for it becomes part of file names",
        );
    }
    None
}

/// In which order names stand for people: numbers in them by their value (`r9` before `r10`), letters whatever their case.
#[must_use]
pub fn in_order(left: &str, right: &str) -> Ordering {
    let lower = (left.to_lowercase(), right.to_lowercase());
    let (mut a, mut b) = (lower.0.as_str(), lower.1.as_str());
    while !a.is_empty() && !b.is_empty() {
        let ((one, rest_a), (other, rest_b)) = (part(a), part(b));
        let digits = |part: &str| part.trim_start_matches('0').to_owned();
        let is_number = |part: &str| part.starts_with(|sign: char| sign.is_ascii_digit());
        let order = if is_number(one) && is_number(other) {
            let (one, other) = (digits(one), digits(other));
            one.len().cmp(&other.len()).then_with(|| one.cmp(&other))
        } else {
            one.cmp(other)
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    a.cmp(b).then_with(|| left.cmp(right))
}

/// The number that a name begins with, or all before the first number in it; and the rest.
fn part(name: &str) -> (&str, &str) {
    let is_digit = name.starts_with(|sign: char| sign.is_ascii_digit());
    let end = name.find(|sign: char| sign.is_ascii_digit() != is_digit).unwrap_or(name.len());
    name.split_at(end)
}

/// The known word nearest to what was written, if it is near enough to be what was meant.
#[must_use]
pub fn nearest<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let written_lower = written.to_lowercase();
    known
        .into_iter()
        .map(|word| (edit_distance(&written_lower, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= 1 + word.len().max(written.len()) / 3)
        .min()
        .map(|(_, word)| word)
}

/// Levenshtein's distance, bounded to short words: what is longer than 64 letters is no typing slip.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_as_parts_of_file_names() {
        for good in ["sn0007", "B", "REV-2.1", "0x1"] {
            assert_eq!(good.parse::<Serial>().unwrap().as_str(), good);
        }
        for bad in ["", "../etc", "a/b", "sn 7", "-x", ".hidden", &"x".repeat(65)] {
            assert!(bad.parse::<Serial>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_stand_in_the_order_of_their_numbers() {
        let told = |names: &[&str]| {
            let mut names = names.to_vec();
            names.sort_by(|left, right| in_order(left, right));
            names.join(" ")
        };
        assert_eq!(told(&["r10", "r9", "r1"]), "r1 r9 r10");
        assert_eq!(told(&["v1.10", "v1.9", "v1.9a"]), "v1.9 v1.9a v1.10");
        assert_eq!(told(&["B", "a", "b", "A"]), "A a B b");
        assert_eq!(told(&["2", "10", "010", "A"]), "2 010 10 A");
    }

    #[test]
    fn the_nearest_known_word_is_found_for_a_slip() {
        let known = ["voltage", "current", "address"];
        assert_eq!(nearest("volatge", known), Some("voltage"));
        assert_eq!(nearest("adress", known), Some("address"));
        assert_eq!(nearest("temperature", known), None);
    }
}
