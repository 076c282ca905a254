//! Readings in the very form in which this program writes them, read by hand: of a long soak nearly every byte is such a
//! line, and a general reader of JSON takes many times as long. What has not exactly this form is left to serde; where both
//! can read a line, they read the same.

use std::time::Duration;

use super::format::{JudgedEntry, Number, ReadingCheckEntry};
use super::judged::judged_in;
use super::readings::{BatchHead, MOST_ROWS};
use crate::base::clock::Instant;
use crate::event::{DwellId, Reading, Readings, ReadingsJudged};

/// The beginning of a line of readings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'l> {
    pub(super) seq: u64,
    pub(super) utc: &'l str,
    pub(super) ns: u64,
    dwell: u32,
    done_ns: u64,
    held: bool,
    first_ns: u64,
    /// From the first column to the end of the body.
    columns: &'l [u8],
}

impl<'l> Head<'l> {
    /// The beginning of a line's body (without its check sum and the brace behind that), if it is one of readings.
    pub(super) fn of(body: &'l [u8]) -> Option<Self> {
        let ((seq, utc, ns), mut text) = Text { rest: body }.stamp()?;
        text.word(READINGS)?;
        text.word(b":{\"dwell\":")?;
        let dwell = u32::try_from(text.count()?).ok()?;
        text.word(b",\"done_ns\":")?;
        let done_ns = text.count()?;
        let held = text.word_if_there(b",\"held\":true");
        text.word(b",\"first_ns\":")?;
        let first_ns = text.count()?;
        text.word(b",")?;
        Some(Self { seq, utc, ns, dwell, done_ns, held, first_ns, columns: text.rest })
    }

    /// What is known without the readings, which are passed over; `None` where the rest of the line has another form.
    pub(super) fn pass_over(&self) -> Option<BatchHead> {
        let mut rows = 0;
        let first = |text: &mut Text<'_>| {
            rows += 1;
            text.count().is_some() && rows <= MOST_ROWS
        };
        let mut text = Text { rest: self.columns }.column(b"\"t_ms\":[", first)?;
        for key in COLUMN_KEYS {
            let mut count = 0;
            text = text.column(key, |text| {
                count += 1;
                text.number_or_null().is_some()
            })?;
            if count != rows {
                return None;
            }
        }
        let judged = text.judged()?;
        Some(BatchHead { dwell: DwellId(self.dwell), done: Duration::from_nanos(self.done_ns), judged })
    }

    /// The readings, in the place of what is in `into`; `None` where the line has another form, and then what is there is
    /// worth nothing.
    pub(super) fn read_into(&self, into: &mut Readings) -> Option<()> {
        (into.dwell, into.done) = (DwellId(self.dwell), Duration::from_nanos(self.done_ns));
        into.held = self.held;
        let rows = &mut into.rows;
        rows.clear();
        let first = |text: &mut Text<'_>| {
            let Some(ms) = text.count() else { return false };
            let at = self.first_ns.saturating_add(ms.saturating_mul(1_000_000));
            rows.push(Reading { at: Instant(at), ..Reading::default() });
            rows.len() <= MOST_ROWS
        };
        let [vin, iin, vout, iout, board, ambient] = COLUMN_KEYS;
        let text = Text { rest: self.columns }
            .column(b"\"t_ms\":[", first)?
            .values(vin, rows, |row, value| row.vin_v = value)?
            .values(iin, rows, |row, value| row.iin_a = value)?
            .values(vout, rows, |row, value| row.vout_v = value)?
            .values(iout, rows, |row, value| row.iout_a = value)?
            .values(board, rows, |row, value| row.board_c = value)?
            .values(ambient, rows, |row, value| row.ambient_c = value)?;
        into.judged = text.judged()?;
        Some(())
    }
}

/// Whether a line's body surely holds something else than readings: it is begun as this program writes it, with another word.
pub(super) fn is_other(body: &[u8]) -> bool {
    let Some((_, text)) = (Text { rest: body }).stamp() else { return false };
    let Some(word) = text.rest.strip_prefix(b"\"") else { return false };
    let end = word.iter().position(|byte| !matches!(byte, b'a'..=b'z' | b'_'));
    end.is_some_and(|end| word[end] == b'"') && !text.rest.starts_with(READINGS)
}

/// The word of readings.
const READINGS: &[u8] = b"\"readings_taken\"";

/// What stands before each column, in the order of [`Reading::COLUMNS`].
const COLUMN_KEYS: [&[u8]; 6] = [
    b",\"vin_v\":[",
    b",\"iin_a\":[",
    b",\"vout_v\":[",
    b",\"iout_a\":[",
    b",\"board_c\":[",
    b",\"ambient_c\":[",
];

/// Powers of ten that a double holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
/// Up to here every whole number is a double.
const EXACT: u64 = 1 << 53;
/// So many digits are a whole number in 64 bits whichever they are.
const MOST_DIGITS: usize = 19;

/// What is still to be read of a line.
#[derive(Clone, Copy)]
struct Text<'l> {
    rest: &'l [u8],
}

impl<'l> Text<'l> {
    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    fn word_if_there(&mut self, word: &[u8]) -> bool {
        self.word(word).is_some()
    }

    /// What stands before the word that says what a line is: its number and both its times.
    #[inline]
    fn stamp(mut self) -> Option<((u64, &'l str, u64), Self)> {
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
    fn column(mut self, key: &[u8], mut each: impl FnMut(&mut Self) -> bool) -> Option<Self> {
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

    /// What came of the limits, which stands behind the columns where it stands there at all, up to the end of the body.
    fn judged(self) -> Option<Option<ReadingsJudged>> {
        let text = self.rest.strip_suffix(b"}}")?;
        if text.is_empty() {
            return Some(None);
        }
        let text = text.strip_prefix(b",\"judged\":")?;
        let entry = match (Text { rest: text }).judged_as_written() {
            Some(entry) => entry,
            None => serde_json::from_slice(text).ok()?,
        };
        Some(Some(judged_in(entry)))
    }

    fn judged_as_written(mut self) -> Option<JudgedEntry> {
        self.word(b"{\"dwell\":")?;
        let dwell = u32::try_from(self.count()?).ok()?;
        self.word(b",\"vin_set_v\":")?;
        let vin_set_v = Number(self.number_or_null()??);
        self.word(b",\"load_set_a\":")?;
        let load_set_a = Number(self.number_or_null()??);
        self.word(b",\"checks\":[")?;
        let mut checks = vec![self.check()?];
        while self.takes(b',') {
            checks.push(self.check()?);
        }
        self.word(b"]}")?;
        self.rest.is_empty().then_some(JudgedEntry { dwell, vin_set_v, load_set_a, checks })
    }

    fn check(&mut self) -> Option<ReadingCheckEntry> {
        self.word(b"{\"limit\":")?;
        let limit = u32::try_from(self.count()?).ok()?;
        self.word(b",\"judged\":")?;
        let judged = self.count()?;
        self.word(b",\"marginal\":")?;
        let marginal = self.count()?;
        self.word(b",\"failed\":")?;
        let failed = self.count()?;
        self.word(b",\"worst\":")?;
        let worst = Number(self.number_or_null()??);
        self.word(b",\"first_ns\":")?;
        let first_ns = if self.word_if_there(b"null") { None } else { Some(self.count()?) };
        self.word(b"}")?;
        Some(ReadingCheckEntry { limit, judged, marginal, failed, worst, first_ns })
    }

    /// A column with a value for each row.
    #[inline]
    fn values(
        self,
        key: &[u8],
        rows: &mut [Reading],
        set: impl Fn(&mut Reading, Option<f64>),
    ) -> Option<Self> {
        let mut left = rows.iter_mut();
        let text = self.column(key, |text| match (text.number_or_null(), left.next()) {
            (Some(value), Some(row)) => {
                set(row, value);
                true
            }
            _ => false,
        })?;
        left.next().is_none().then_some(text)
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
    fn count(&mut self) -> Option<u64> {
        let text = self.rest;
        let (number, digits) = self.whole()?;
        if digits <= MOST_DIGITS {
            return Some(number);
        }
        std::str::from_utf8(text.get(..digits)?).ok()?.parse().ok()
    }

    #[inline]
    fn takes(&mut self, byte: u8) -> bool {
        let is_there = self.rest.first() == Some(&byte);
        if is_there {
            self.rest = &self.rest[1..];
        }
        is_there
    }

    #[inline]
    fn number_or_null(&mut self) -> Option<Option<f64>> {
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
}

#[cfg(test)]
mod tests {
    use super::super::format::{BodyIn, BodyOut, Entry};
    use super::super::readings::{readings_in, readings_out};
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::{ReadingCheck, Setting};
    use proptest::prelude::*;

    fn body(readings: &Readings) -> Vec<u8> {
        let entry = Entry::ReadingsTaken(readings_out(readings).unwrap());
        let body = BodyOut { seq: 12, utc: "2026-11-23T16:04:10.251Z", ns: 1_000_000, entry: &entry };
        let mut json = serde_json::to_vec(&body).unwrap();
        assert_eq!(json.pop(), Some(b'}'));
        json
    }

    fn by_hand(body: &[u8]) -> Option<(u64, String, u64, Readings)> {
        let head = Head::of(body)?;
        let mut readings = Readings::none();
        let read = head.read_into(&mut readings);
        let passed = head.pass_over().map(|head| (head.dwell, head.done, head.judged));
        let seen = read.map(|()| (readings.dwell, readings.done, readings.judged.clone()));
        assert_eq!(seen, passed, "looking and reading agree");
        read.map(|()| (head.seq, head.utc.to_owned(), head.ns, readings))
    }

    #[test]
    fn a_line_is_passed_over_only_where_it_is_surely_no_reading() {
        let line = |word: &str| {
            format!("{{\"seq\":1,\"utc\":\"2026-11-23T16:04:10Z\",\"ns\":1,\"entry\":{{{word}:{{")
        };
        for (word, passed_over) in [
            ("\"point_started\"", true),
            ("\"readings_judged\"", true),
            ("\"readings_taken\"", false),
            ("\"r\\u0065adings_taken\"", false),
            (" \"point_started\"", false),
        ] {
            assert_eq!(is_other(line(word).as_bytes()), passed_over, "{word}");
        }
        assert!(!is_other(b"{ \"seq\":1"));
    }

    fn by_serde(body: &[u8]) -> Option<(u64, String, u64, Readings)> {
        let json = [body, b"}"].concat();
        let BodyIn { seq, utc, ns, entry } = serde_json::from_slice(&json).ok()?;
        match entry {
            Entry::ReadingsTaken(raw) => Some((seq, utc, ns, readings_in(&raw).ok()?)),
            _ => None,
        }
    }

    /// Bit by bit: a negative zero is not the zero.
    fn bits(readings: &Readings) -> Vec<[Option<u64>; 6]> {
        readings.rows.iter().map(|row| row.values().map(|value| value.map(f64::to_bits))).collect()
    }

    fn same(one: &(u64, String, u64, Readings), other: &(u64, String, u64, Readings)) {
        assert_eq!(one, other);
        assert_eq!(bits(&one.3), bits(&other.3));
    }

    fn kept() -> BoxedStrategy<Option<f64>> {
        prop_oneof![
            (-40_000_000_i64..40_000_000).prop_map(|millionths| Some(millionths as f64 / 1e6)),
            (-99_i64..99).prop_map(|millionths| Some(millionths as f64 / 1e6)),
            (-60_000_i64..200_000).prop_map(|thousandths| Some(thousandths as f64 / 1e3)),
            Just(Some(-0.0)),
            Just(None),
        ]
        .boxed()
    }

    fn judged() -> impl Strategy<Value = ReadingsJudged> {
        let count = 0..10_u64;
        let check = (0..9_usize, count.clone(), count, -40_000_000_i64..40_000_000, any::<Option<u64>>());
        let check = check.prop_map(|(limit, judged, failed, millionths, first)| ReadingCheck {
            limit,
            judged,
            marginal: 0,
            failed,
            worst: millionths as f64 / 1e6,
            first: first.map(Instant),
        });
        let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
        (any::<u32>(), prop::collection::vec(check, 1..4)).prop_map(move |(dwell, checks)| ReadingsJudged {
            dwell: DwellId(dwell),
            setting,
            checks,
        })
    }

    fn readings(value: BoxedStrategy<Option<f64>>) -> impl Strategy<Value = Readings> {
        let row = (0_u64..70_000, prop::array::uniform6(value))
            .prop_map(|(ms, values)| Reading::of(Instant(3_000_000_000 + ms * 1_000_000), values));
        let head = (any::<u32>(), any::<u64>(), any::<bool>(), prop::option::of(judged()));
        (head, prop::collection::vec(row, 1..70)).prop_map(|((dwell, done, held, judged), mut rows)| {
            rows.sort_by_key(|row| row.at);
            Readings { dwell: DwellId(dwell), done: Duration::from_nanos(done), held, judged, rows }
        })
    }

    proptest! {
        #[test]
        fn what_the_engine_keeps_is_read_by_hand_as_serde_reads_it(kept in readings(kept())) {
            let body = body(&kept);
            let read = by_hand(&body).expect("it has the form");
            same(&read, &by_serde(&body).unwrap());
            prop_assert_eq!(bits(&read.3), bits(&kept));
            prop_assert_eq!((read.3.held, &read.3.judged), (kept.held, &kept.judged));
        }

        #[test]
        fn whatever_is_read_by_hand_is_what_serde_reads(
            kept in readings(any::<Option<f64>>().boxed()),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, r#"[-+.,0-9eE"nul\[\]{} ]"#), 0..4),
        ) {
            let mut body = body(&kept);
            for (place, kind, byte) in edits {
                let (place, byte) = (place.index(body.len()), byte.as_bytes()[0]);
                match kind {
                    0 => body[place] = byte,
                    1 => body.insert(place, byte),
                    _ => { body.remove(place); }
                }
            }
            if let Some(read) = by_hand(&body) {
                same(&read, &by_serde(&body).expect("serde reads it, too"));
            }
        }
    }

    #[test]
    fn what_is_not_json_is_not_read_by_hand() {
        let row = Reading { vin_v: Some(24.0), ..Reading::default() };
        let body = body(&Readings { dwell: DwellId(1), rows: vec![row], ..Readings::none() });
        let body = String::from_utf8(body).unwrap();
        assert!(by_hand(body.as_bytes()).is_some());
        for wrong in
            ["024.0", "24.", ".5", "-", "24.0.0", "+24.0", "2 4", "24.0,", "nul", "24e", "\"24\"", ""]
        {
            let body = body.replace("24.0", wrong);
            assert!(by_hand(body.as_bytes()).is_none(), "{wrong}");
            assert!(by_serde(body.as_bytes()).is_none(), "{wrong}");
        }
        for other in ["2.4e1", "240e-1", "24", "1e-6", "-0", "0.1e-22", "9007199254740993.0", "1e999", "1E5"]
        {
            let body = body.replace("24.0", other);
            let (hand, serde) = (by_hand(body.as_bytes()), by_serde(body.as_bytes()));
            if let Some(hand) = hand {
                same(&hand, &serde.expect(other));
            }
        }
    }
}
