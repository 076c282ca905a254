//! Numbers of a cell, read in bulk: the short decimal numbers that scopes print are exact in one multiplication or
//! division; the rest goes to the standard library.

/// A number, and how finely it was printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decimal {
    /// Its value.
    pub(super) value: f64,
    /// The power of ten of its last digit: -2 for `1.25`, -5 for `1.25E-3`.
    pub(super) last_digit: i16,
    /// The power of ten of its last digit that is not 0: -2 for `1.2500`. Every number is a whole multiple of it.
    pub(super) useful_digit: i16,
}

/// What stands in a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    /// A number.
    Number(Decimal),
    /// Nothing, or a mark of nothing: blank, dashes, `nan`.
    Absent,
    /// A value beyond the instrument's range: `inf`, `9.9E37`, `***`, `OVL`.
    Beyond,
    /// Something else.
    Text,
}

/// What scopes write for a sample that is not there.
const ABSENT: [&str; 6] = ["", "nan", "-nan", "na", "n/a", "#n/a"];
/// What they write for one beyond the range.
const BEYOND: [&str; 10] =
    ["inf", "+inf", "-inf", "infinity", "-infinity", "ovl", "ofl", "ol", "over", "overflow"];
/// SCPI's 9.9E37 and its kin.
const LARGEST: f64 = 1e30;

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The cell without blanks and quotes around it.
pub(super) fn trim(cell: &[u8]) -> &[u8] {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'"' || *byte == 0xA0;
    let begin = cell.iter().position(|byte| !blank(byte)).unwrap_or(cell.len());
    let end = cell.iter().rposition(|byte| !blank(byte)).map_or(begin, |last| last + 1);
    &cell[begin..end]
}

/// Reads a cell, with `point` as the decimal sign.
pub(super) fn read_cell(cell: &[u8], point: u8) -> Cell {
    let cell = trim(cell);
    if let Some(number) = read_decimal(cell, point) {
        return if number.value.abs() < LARGEST { Cell::Number(number) } else { Cell::Beyond };
    }
    if cell.len() > 12 {
        return Cell::Text;
    }
    let word = String::from_utf8_lossy(cell).to_ascii_lowercase();
    if ABSENT.contains(&word.as_str()) || word.bytes().all(|byte| byte == b'-') {
        Cell::Absent
    } else if BEYOND.contains(&word.as_str()) || word.bytes().all(|byte| byte == b'*') {
        Cell::Beyond
    } else {
        Cell::Text
    }
}

/// Reads a decimal number that fills the whole of `text`.
pub(super) fn read_decimal(text: &[u8], point: u8) -> Option<Decimal> {
    let (negative, digits) = match text.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let mut mantissa: u64 = 0;
    let (mut significant, mut seen, mut decimals, mut in_fraction) = (0usize, 0usize, 0i32, false);
    let mut zeros = 0i32;
    let mut at = 0;
    while let Some(byte) = digits.get(at) {
        if byte.is_ascii_digit() {
            seen += 1;
            significant += usize::from(significant > 0 || *byte != b'0');
            // Beyond 19 digits the standard library reads it: the wrapped number is not used.
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            decimals += i32::from(in_fraction);
            zeros = if *byte == b'0' { zeros + 1 } else { 0 };
        } else if *byte == point && !in_fraction {
            in_fraction = true;
        } else {
            break;
        }
        at += 1;
    }
    if seen == 0 {
        return None;
    }
    let exponent = match digits.get(at) {
        None => 0,
        Some(b'e' | b'E') => read_exponent(&digits[at + 1..])?,
        Some(_) => return None,
    };
    let power = exponent - decimals;
    let narrow = |power: i32| power.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
    let value = if significant <= 15 && power.unsigned_abs() < POWERS.len() as u32 {
        let scale = POWERS[power.unsigned_abs() as usize];
        if power < 0 { mantissa as f64 / scale } else { mantissa as f64 * scale }
    } else {
        let text = std::str::from_utf8(digits).ok()?;
        if point == b'.' { text.parse().ok()? } else { text.replace(char::from(point), ".").parse().ok()? }
    };
    Some(Decimal {
        value: if negative { -value } else { value },
        last_digit: narrow(power),
        useful_digit: narrow(power + zeros),
    })
}

/// The digits after the `E`; what is far out of any range stays so.
fn read_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().fold(0i32, |size, byte| (size * 10 + i32::from(byte - b'0')).min(100_000));
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cell_is_a_number_nothing_too_much_or_text() {
        let cells = [
            "1.25",
            " -1.25E-3 ",
            "+.5",
            "5.",
            "\"3,3\"",
            "1e400",
            "9.9E37",
            "-inf",
            "***",
            "",
            "---",
            "NaN",
            "-",
            "1.2.3",
            "CH1",
            "1e",
            "0x10",
            ".",
            "1 2",
            "OVL",
        ];
        let told: Vec<String> = cells
            .iter()
            .map(|cell| {
                let point = if cell.contains(',') { b',' } else { b'.' };
                let read = match read_cell(cell.as_bytes(), point) {
                    Cell::Number(n) => format!("{} to 1e{}", n.value, n.last_digit),
                    other => format!("{other:?}"),
                };
                format!("{cell:?} {read}")
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        "1.25" 1.25 to 1e-2
        " -1.25E-3 " -0.00125 to 1e-5
        "+.5" 0.5 to 1e-1
        "5." 5 to 1e0
        "\"3,3\"" 3.3 to 1e-1
        "1e400" Beyond
        "9.9E37" Beyond
        "-inf" Beyond
        "***" Beyond
        "" Absent
        "---" Absent
        "NaN" Absent
        "-" Absent
        "1.2.3" Text
        "CH1" Text
        "1e" Text
        "0x10" Text
        "." Text
        "1 2" Text
        "OVL" Beyond
        "#);
    }

    proptest! {
        #[test]
        fn a_number_is_the_one_the_standard_library_reads(text in "[+-]?[0-9]{1,22}(\\.[0-9]{0,12})?([eE][+-]?[0-9]{1,3})?") {
            let number = read_decimal(text.as_bytes(), b'.').map(|n| n.value.to_bits());
            prop_assert_eq!(number, text.parse::<f64>().ok().map(f64::to_bits));
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..40), point in any::<u8>()) {
            let _ = read_cell(&bytes, point);
        }
    }
}
