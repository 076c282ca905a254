//! Lines of prose folded at a width, between two words and under their own beginning.

use std::io::{self, IsTerminal as _};

use super::message::{CliError, print};

/// The width of what goes into a pipe or a file, which is the same on every machine.
const WIDTH: usize = 100;

/// Under this width a line is left to the terminal.
const NARROWEST: usize = 40;

/// Writes lines of prose: at the width that was asked for (0 leaves them whole), else at that of the terminal, else at a fixed one.
///
/// # Errors
/// As [`print`].
pub(super) fn print_prose(text: &str, wanted: Option<u16>) -> Result<(), CliError> {
    let of_terminal = || {
        let size = io::stdout().is_terminal().then(|| console::Term::stdout().size_checked()).flatten();
        size.map(|(_, columns)| usize::from(columns))
    };
    let width = wanted.map(usize::from).or_else(of_terminal).unwrap_or(WIDTH);
    print(&fold(text, width))
}

fn fold(text: &str, width: usize) -> String {
    if width < NARROWEST {
        return text.to_owned();
    }
    let lines: Vec<String> = text.lines().map(|line| fold_line(line, width)).collect();
    lines.join("\n")
}

fn fold_line(line: &str, width: usize) -> String {
    let hang = hang(line).min(width / 2);
    let (mut folded, mut column) = (String::new(), 0);
    for (place, word) in pieces(line).enumerate() {
        let length = word.chars().count();
        if place > 0 && column > hang && column + 1 + length > width {
            folded.truncate(folded.trim_end().len());
            folded.push('\n');
            folded.push_str(&" ".repeat(hang));
            column = hang;
        } else if place > 0 {
            folded.push(' ');
            column += 1;
        }
        folded.push_str(word);
        column += length;
    }
    folded
}

/// What a number is not torn from.
const UNITS: [&str; 18] = [
    "%", "%-points", "dB", "V", "mV", "µV", "A", "mA", "W", "mW", "K", "s", "ms", "µs", "ns", "Hz", "kHz",
    "MHz",
];

/// The words of a line, each number together with its unit.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let whole = rest?;
        let end = whole.find(' ').unwrap_or(whole.len());
        let next = whole.get(end + 1..).map_or(0, |next| next.find(' ').unwrap_or(next.len()));
        let unit = whole.get(end + 1..end + 1 + next).unwrap_or_default();
        let unit = unit.trim_end_matches([';', ',', ')', ':', '.']);
        let is_number = whole[..end].ends_with(|letter: char| letter.is_ascii_digit());
        let end = if is_number && UNITS.contains(&unit) { end + 1 + next } else { end };
        rest = whole.get(end + 1..);
        Some(&whole[..end])
    })
}

/// Where a line goes on: behind a first word or two that stand in a column of their own, else a step behind its beginning.
fn hang(line: &str) -> usize {
    let rest = line.trim_start();
    let begin = line.len() - rest.len();
    let column = rest.find("  ").filter(|end| *end < 24).map(|end| {
        let (word, behind) = rest.split_at(end);
        word.chars().count() + behind.len() - behind.trim_start().len()
    });
    begin + column.unwrap_or(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_folded_between_words_under_its_beginning_and_loses_none() {
        let text = "COMPARABLE\n  better              revision B lowers the ripple by 39.1 dB (95 % interval 37 dB to 41)\n  the ripple: 95 % of all boards stay below 1.4 V (95 % sure)";
        insta::assert_snapshot!(fold(text, 50), @r"
        COMPARABLE
          better              revision B lowers the ripple
                              by 39.1 dB (95 % interval
                              37 dB to 41)
          the ripple: 95 % of all boards stay below 1.4 V
              (95 % sure)
        ");
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for width in [0, 39, 40, 41, 77, 300] {
            let folded = fold(text, width);
            assert_eq!(words(&folded), words(text), "{width}");
            let longest = folded.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(width < NARROWEST || longest <= width, "{width}: {longest}");
        }
        let word = "x".repeat(90);
        assert_eq!(fold(&word, 50), word);
    }
}
