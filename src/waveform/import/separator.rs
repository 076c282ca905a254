//! What stands between the cells of a row, and which decimal sign goes with it.

use super::error::legible;
use super::number::{Cell, read_cell, trim};

/// What separates the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    Semicolon,
    Tab,
    Comma,
    /// Any run of blanks.
    Blank,
}

impl Separator {
    fn byte(self) -> u8 {
        match self {
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Comma => b',',
            Self::Blank => b' ',
        }
    }
}

/// Separator and decimal sign of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Punctuation {
    pub(super) separator: Separator,
    /// The decimal sign.
    pub(super) point: u8,
}

const CANDIDATES: [Punctuation; 7] = [
    Punctuation { separator: Separator::Semicolon, point: b'.' },
    Punctuation { separator: Separator::Semicolon, point: b',' },
    Punctuation { separator: Separator::Tab, point: b'.' },
    Punctuation { separator: Separator::Tab, point: b',' },
    Punctuation { separator: Separator::Comma, point: b'.' },
    Punctuation { separator: Separator::Blank, point: b'.' },
    Punctuation { separator: Separator::Blank, point: b',' },
];

impl Punctuation {
    /// The one under which most of the lines are rows of numbers in two or more columns; the earlier of equals. A table of
    /// one column is one with a comma, or one with a decimal comma and no separator.
    pub(super) fn find(lines: &[Vec<u8>]) -> Self {
        let rows = |p: &Self| lines.iter().filter(|line| p.tail_numbers(line) >= 2).count();
        let mut best = (0, CANDIDATES[4]);
        for candidate in CANDIDATES {
            let count = rows(&candidate);
            if count > best.0 {
                best = (count, candidate);
            }
        }
        if best.1 == CANDIDATES[4] && is_column_with_comma(lines) { CANDIDATES[1] } else { best.1 }
    }

    /// How many numbers stand at the end of a line, blank cells after them left out; any text among them counts nothing.
    fn tail_numbers(&self, line: &[u8]) -> usize {
        let cells: Vec<Cell> = self.cells(line).map(|cell| read_cell(cell, self.point)).collect();
        let first = cells.iter().rposition(|cell| *cell == Cell::Text).map_or(0, |text| text + 1);
        cells[first..].iter().filter(|cell| matches!(cell, Cell::Number(_))).count()
    }

    /// The cells of a line as they stand, blanks and quotes included.
    pub(super) fn cells<'a>(&self, line: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let separator = self.separator;
        let line = if separator == Separator::Blank { trim(line) } else { line };
        line.split(move |byte| *byte == separator.byte() || separator == Separator::Blank && *byte == b'\t')
            .filter(move |cell| separator != Separator::Blank || !cell.is_empty())
    }

    /// The cells of a line of words, without blanks and quotes; what separates cells separates nothing in quotes.
    pub(super) fn words(&self, line: &[u8]) -> Vec<String> {
        let mut words: Vec<Vec<u8>> = Vec::new();
        let mut is_open = false;
        for cell in self.cells(line) {
            match words.last_mut().filter(|_| is_open) {
                Some(word) => word.extend([self.separator.byte()].iter().chain(cell)),
                None => words.push(cell.to_vec()),
            }
            is_open ^= cell.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
        }
        // A quote that nothing closes quotes nothing.
        if is_open {
            words = self.cells(line).map(<[u8]>::to_vec).collect();
        }
        words.iter().map(|word| legible(trim(word)).trim().to_owned()).collect()
    }

    /// Whether a line is a row of the table: numbers and marks of nothing only, and at least one number.
    pub(super) fn is_row(&self, line: &[u8]) -> bool {
        let mut numbers = 0;
        for cell in self.cells(line) {
            match read_cell(cell, self.point) {
                Cell::Number(_) | Cell::Beyond => numbers += 1,
                Cell::Absent => {}
                Cell::Text => return false,
            }
        }
        numbers > 0
    }

    /// How it is called in a note, where it is not the usual, in a table of so many columns.
    pub(super) fn remark(&self, columns: usize) -> Option<String> {
        if columns < 2 {
            return (self.point == b',').then(|| "a single column with a decimal comma".to_owned());
        }
        let name = match self.separator {
            Separator::Semicolon => "semicolons",
            Separator::Tab => "tabs",
            Separator::Comma => return None,
            Separator::Blank => "blanks",
        };
        let point = if self.point == b',' { ", decimal comma" } else { "" };
        Some(format!("cells are separated by {name}{point}"))
    }
}

/// Whether rows like `5,012` are one column with a decimal comma, not two columns of whole numbers: every row has one comma
/// and no point, and a zero leads behind a comma or a single word heads the rows.
fn is_column_with_comma(lines: &[Vec<u8>]) -> bool {
    let table = CANDIDATES[4];
    let mut rows = lines.iter().filter(|line| table.is_row(line)).peekable();
    let first = lines.iter().position(|line| table.is_row(line)).unwrap_or(0);
    let heading = lines[..first].iter().rfind(|line| !trim(line).is_empty());
    let mut is_one = heading.is_some_and(|line| !line.contains(&b','));
    let is_any = rows.peek().is_some();
    let all = rows.all(|line| {
        let mut parts = trim(line).split(|byte| *byte == b',');
        let (Some(whole), Some(part), None) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        is_one |= part.len() > 1 && part[0] == b'0';
        let digits = whole.strip_prefix(b"-").or(whole.strip_prefix(b"+")).unwrap_or(whole);
        !digits.is_empty()
            && digits.iter().all(u8::is_ascii_digit)
            && part.first().is_some_and(u8::is_ascii_digit)
            && !part.contains(&b'.')
    });
    is_any && all && is_one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separator_and_decimal_sign_are_found_together() {
        let tables = [
            "t,v\n0.1,0.2\n0.2,0.3",
            "0.1, 0.2\n0.2, 0.3",
            "t;v\n0,1;0,2\n0,2;0,3",
            "0.1;0.2;\n0.2;0.3;",
            "t\tv\n0,1\t2\n0,2\t3",
            "0.1\t2",
            " 0.1   0.2\n 0.2   0.3",
            "0,1 0,2\n0,2 0,3",
            "1.5\n2.5",
            "v\n1,5\n2,5",
            "4,998\n5,012",
            "5,112\n-5,211",
            "a,b\n128,12\n129,14",
            "Record Length,2500,,0.1,0.2,\n,,,0.1,0.2,",
            "",
        ];
        let told: Vec<String> = tables
            .iter()
            .map(|table| {
                let lines: Vec<Vec<u8>> = table.lines().map(|line| line.as_bytes().to_vec()).collect();
                let Punctuation { separator, point } = Punctuation::find(&lines);
                format!("{table:?} {separator:?} {}", char::from(point))
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        "t,v\n0.1,0.2\n0.2,0.3" Comma .
        "0.1, 0.2\n0.2, 0.3" Comma .
        "t;v\n0,1;0,2\n0,2;0,3" Semicolon ,
        "0.1;0.2;\n0.2;0.3;" Semicolon .
        "t\tv\n0,1\t2\n0,2\t3" Tab ,
        "0.1\t2" Tab .
        " 0.1   0.2\n 0.2   0.3" Blank .
        "0,1 0,2\n0,2 0,3" Blank ,
        "1.5\n2.5" Comma .
        "v\n1,5\n2,5" Semicolon ,
        "4,998\n5,012" Semicolon ,
        "5,112\n-5,211" Comma .
        "a,b\n128,12\n129,14" Comma .
        "Record Length,2500,,0.1,0.2,\n,,,0.1,0.2," Comma .
        "" Comma .
        "#);
    }
}
