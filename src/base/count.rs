//! Counts with their nouns, in one place: `1 board`, `5 boards`.

use std::fmt::Display;

/// A count with its noun, which takes an s in the plural.
pub fn counted<N: Display + PartialEq + From<u8> + Copy>(count: N, noun: &str) -> String {
    let ending = if is_one(count) { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// The word that fits a count: `is` or `are`, `batch` or `batches`.
pub fn fitting<'w, N: PartialEq + From<u8> + Copy>(count: N, one: &'w str, more: &'w str) -> &'w str {
    if is_one(count) { one } else { more }
}

fn is_one<N: PartialEq + From<u8> + Copy>(count: N) -> bool {
    count == N::from(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_told_as_one_and_none_as_many() {
        assert_eq!(counted(0_usize, "run"), "0 runs");
        assert_eq!(counted(1_u32, "run"), "1 run");
        assert_eq!(counted(2_u64, "run"), "2 runs");
        assert_eq!((fitting(1_usize, "is", "are"), fitting(7_u64, "is", "are")), ("is", "are"));
    }
}
