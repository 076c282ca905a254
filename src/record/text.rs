//! The words and numbers of a line of the journal in the form in which this program writes them.

/// Powers of ten that a double holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
/// Up to here every whole number is a double.
const EXACT: u64 = 1 << 53;
/// So many digits are a whole number in 64 bits whichever they are.
const MOST_DIGITS: usize = 19;
/// So many digits are no other number's double, and a double holds each whole number of them.
pub(super) const PLAIN_DIGITS: usize = 15;

/// What is still to be read of a line.
#[derive(Clone, Copy)]
pub(super) struct Text<'l> {
    pub(super) rest: &'l [u8],
}

impl<'l> Text<'l> {
    pub(super) fn word(&mut self, word: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    pub(super) fn word_if_there(&mut self, word: &[u8]) -> bool {
        self.word(word).is_some()
    }

    /// What stands before the word that says what a line is: its number and both its times.
    #[inline]
    pub(super) fn stamp(mut self) -> Option<((u64, &'l str, u64), Self)> {
        self.word(b"{\"seq\":")?;
        let seq = self.count()?;
        self.word(b",\"utc\":\"")?;
        let utc = self.plain_text()?;
        self.word(b"\",\"ns\":")?;
        let ns = self.count()?;
        self.word(b",\"entry\":{")?;
        Some(((seq, utc, ns), self))
    }

    /// Text up to the next quote, if it stands for itself.
    fn plain_text(&mut self) -> Option<&'l str> {
        let end = self.rest.iter().position(|byte| *byte == b'"')?;
        let (text, rest) = self.rest.split_at(end);
        let is_plain = text.iter().all(|byte| (b' '..0x7f).contains(byte) && *byte != b'\\');
        self.rest = rest;
        std::str::from_utf8(text).ok().filter(|_| is_plain)
    }

    /// A key and its list, each place of which `each` takes; what stands behind it.
    #[inline]
    pub(super) fn column(mut self, key: &[u8], mut each: impl FnMut(&mut Self) -> bool) -> Option<Self> {
        self.word(key)?;
        loop {
            if !each(&mut self) {
                return None;
            }
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            match byte {
                b',' => {}
                b']' => return Some(self),
                _ => return None,
            }
        }
    }

    /// Digits as a whole number that goes on from `before`, and how many there are. More than [`MOST_DIGITS`] may give any
    /// number.
    #[inline]
    fn digits(&mut self, before: u64) -> (u64, usize) {
        let (mut number, mut count) = (before, 0);
        for byte in self.rest {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            count += 1;
        }
        self.rest = &self.rest[count..];
        (number, count)
    }

    /// A whole number without a sign, as JSON writes it, and how many digits it has.
    #[inline]
    fn whole(&mut self) -> Option<(u64, usize)> {
        let leads_with_zero = self.rest.first() == Some(&b'0');
        let (number, digits) = self.digits(0);
        (digits > 0 && (!leads_with_zero || digits == 1)).then_some((number, digits))
    }

    /// A whole number without a sign that 64 bits hold.
    #[inline]
    pub(super) fn count(&mut self) -> Option<u64> {
        let text = self.rest;
        let (number, digits) = self.whole()?;
        if digits <= MOST_DIGITS {
            return Some(number);
        }
        std::str::from_utf8(text.get(..digits)?).ok()?.parse().ok()
    }

    #[inline]
    pub(super) fn takes(&mut self, byte: u8) -> bool {
        let is_there = self.rest.first() == Some(&byte);
        if is_there {
            self.rest = &self.rest[1..];
        }
        is_there
    }

    #[inline]
    pub(super) fn number_or_null(&mut self) -> Option<Option<f64>> {
        if self.rest.first() == Some(&b'n') {
            return self.word(b"null").map(|()| None);
        }
        let is_negative = self.takes(b'-');
        let ((mut number, mut digits), mut exponent) = (self.whole()?, 0_i64);
        if self.takes(b'.') {
            let (all, decimals) = self.digits(number);
            (number, digits, exponent) = (all, digits + decimals, -(decimals as i64));
            if decimals == 0 {
                return None;
            }
        }
        if self.takes(b'e') {
            let is_small = self.takes(b'-');
            let (size, length) = self.digits(0);
            let size = i64::try_from(size).ok().filter(|size| (1..=3).contains(&length) && *size < 1000)?;
            exponent += if is_small { -size } else { size };
        }
        if digits > MOST_DIGITS {
            return None;
        }
        // One rounding of two exact numbers is the nearest double.
        let ten = *TENS.get(usize::try_from(exponent.unsigned_abs()).ok()?)?;
        let size = if number < EXACT { number as f64 } else { return None };
        let size = if exponent < 0 { size / ten } else { size * ten };
        Some(Some(if is_negative { -size } else { size }))
    }

    /// The text of what [`Text::number_or_null`] would read, without reading its value; `None` where that is none.
    #[inline]
    pub(super) fn cell(&mut self) -> Option<&'l [u8]> {
        let text = self.rest;
        let length = plain_length(text);
        if length > 0 {
            self.rest = &text[length..];
            return Some(&text[..length]);
        }
        self.number_or_null()?;
        Some(&text[..text.len() - self.rest.len()])
    }
}

/// How long the number is that a text begins with, where it is one that is read whatever its digits are: with decimals, with no
/// more than [`PLAIN_DIGITS`] digits, without an exponent. 0 where it is another, or none.
fn plain_length(text: &[u8]) -> usize {
    let sign = usize::from(text.first() == Some(&b'-'));
    let point = sign + count_digits(&text[sign..]);
    if text.get(point) != Some(&b'.') || (point > sign + 1 && text[sign] == b'0') {
        return 0;
    }
    let decimals = count_digits(&text[point + 1..]);
    let length = point + 1 + decimals;
    let is_plain = point > sign && decimals > 0 && length - sign - 1 <= PLAIN_DIGITS;
    if is_plain && text.get(length) != Some(&b'e') { length } else { 0 }
}

fn count_digits(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}
