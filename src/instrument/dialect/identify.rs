//! Which family an instrument is of, by what it answers to `*IDN?`.

use std::fmt;

use crate::link::wire::Identity;

/// The longest pattern and the most stars in it; a maker's name needs neither.
const LONGEST: usize = 64;
const MOST_STARS: usize = 3;

/// A pattern of a maker's or a model's name: `*` stands for anything, `?` for one character; case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It is empty, too long, or would match everything.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.len() > LONGEST || text.matches('*').count() > MOST_STARS {
            return Err("it is longer than 64 characters or has more than three `*`");
        }
        if text.chars().all(|c| matches!(c, '*' | '?')) {
            return Err("it would match every instrument");
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether `text` is meant.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let pattern = self.letters();
        let text: Vec<char> = text.trim().to_lowercase().chars().take(4 * LONGEST).collect();
        matches_at(&pattern, &text)
    }

    fn letters(&self) -> Vec<char> {
        self.0.to_lowercase().chars().collect()
    }

    /// Whether some text is meant by both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        overlap(&self.letters(), &other.letters())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn matches_at(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => (0..=text.len()).any(|skipped| matches_at(rest, &text[skipped..])),
        ([p, pattern @ ..], [t, text @ ..]) if *p == '?' || p == t => matches_at(pattern, text),
        _ => false,
    }
}

fn overlap(a: &[char], b: &[char]) -> bool {
    match (a, b) {
        ([], []) => true,
        (['*', rest @ ..], _) => overlap(rest, b) || (!b.is_empty() && overlap(a, &b[1..])),
        (_, ['*', ..]) => overlap(b, a),
        ([x, a @ ..], [y, b @ ..]) if x == y || *x == '?' || *y == '?' => overlap(a, b),
        _ => false,
    }
}

/// How an instrument of a family names itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Patterns of the maker.
    pub makers: Vec<Pattern>,
    /// Patterns of the model.
    pub models: Vec<Pattern>,
}

impl Names {
    /// Whether this is the identity of such an instrument.
    #[must_use]
    pub fn matches(&self, identity: &Identity) -> bool {
        self.makers.iter().any(|maker| maker.matches(&identity.maker))
            && self.models.iter().any(|model| model.matches(&identity.model))
    }

    /// Whether an instrument could be of both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let any =
            |ours: &[Pattern], theirs: &[Pattern]| ours.iter().any(|a| theirs.iter().any(|b| a.overlaps(b)));
        any(&self.makers, &other.makers) && any(&self.models, &other.models)
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |patterns: &[Pattern]| {
            patterns.iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(" or ")
        };
        write!(f, "maker {}, model {}", list(&self.makers), list(&self.models))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_means_the_models_it_was_written_for() {
        assert!(pattern("DP83?*").matches("dp832A"));
        assert!(!pattern("DP83?").matches("DP832A"));
        assert!(pattern("*DSO-X 2*A").matches("DSO-X 2024A"));
        assert!(!pattern("DP832").matches("DP83"));
        assert!(Pattern::parse("*").is_err());
        assert!(Pattern::parse(" ").is_err());
    }

    #[test]
    fn patterns_that_could_mean_the_same_instrument_are_found() {
        assert!(pattern("DP8*").overlaps(&pattern("*832")));
        assert!(pattern("DL3*").overlaps(&pattern("DL30?1")));
        assert!(!pattern("DP8*").overlaps(&pattern("DP9*")));
    }

    proptest! {
        #[test]
        fn what_two_patterns_match_makes_them_overlap(a in "[ab?*]{1,6}", b in "[ab?*]{1,6}", text in "[ab]{0,6}") {
            if let (Ok(a), Ok(b)) = (Pattern::parse(&a), Pattern::parse(&b))
                && a.matches(&text) && b.matches(&text) {
                prop_assert!(a.overlaps(&b));
                prop_assert!(b.overlaps(&a));
            }
        }
    }
}
