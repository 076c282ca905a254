//! Readings in the very form in which this program writes them, read by hand: of a long soak nearly every byte is such a
//! line, and a general reader of JSON takes many times as long. What has not exactly this form is left to serde; where both
//! can read a line, they read the same.

use std::time::Duration;

use super::format::{JudgedEntry, Number, ReadingCheckEntry};
use super::judged::judged_in;
use super::readings::{BatchHead, MOST_ROWS};
use super::text::Text;
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
                text.cell().is_some()
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

    /// The readings as they stand there; `None` where the line has another form. What stands behind them is not looked at.
    pub(super) fn cells(&self) -> Option<Cells<'l>> {
        let mut t_ms = Vec::new();
        let first = |text: &mut Text<'_>| {
            let ms = text.count();
            t_ms.extend(ms);
            ms.is_some()
        };
        let mut text = Text { rest: self.columns }.column(b"\"t_ms\":[", first)?;
        let mut columns: [Vec<_>; 6] = std::array::from_fn(|_| Vec::with_capacity(t_ms.len()));
        for (key, column) in COLUMN_KEYS.iter().zip(&mut columns) {
            text = text.column(key, |text| {
                let cell = text.cell();
                column.extend(cell);
                cell.is_some()
            })?;
        }
        let is_even = t_ms.len() <= MOST_ROWS && columns.iter().all(|column| column.len() == t_ms.len());
        let (dwell, held, first_ns) = (self.dwell, self.held, self.first_ns);
        is_even.then_some(Cells { dwell, held, first_ns, t_ms, columns })
    }
}

/// The readings of a line as they stand there.
#[derive(Debug)]
pub(super) struct Cells<'l> {
    pub(super) dwell: u32,
    pub(super) held: bool,
    pub(super) first_ns: u64,
    /// Time of each reading behind the first.
    pub(super) t_ms: Vec<u64>,
    /// The text of each value, `null` where there is none, in the order of [`Reading::COLUMNS`].
    pub(super) columns: [Vec<&'l [u8]>; 6],
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

impl Text<'_> {
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
}

#[cfg(test)]
mod tests {
    use super::super::format::{BodyIn, BodyOut, Entry};
    use super::super::readings::{readings_in, readings_out};
    use super::super::samples_csv;
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

    /// The rows of the table, from the text of a line and from what was read of it.
    fn rows(body: &[u8], readings: &Readings) -> [String; 2] {
        let (mut copied, mut printed) = (Vec::new(), Vec::new());
        samples_csv::add_rows_of(&mut copied, body).expect("it was read");
        samples_csv::add_rows(&mut printed, readings);
        [copied, printed].map(|rows| String::from_utf8(rows).unwrap())
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
            prop_assert!(Head::of(&body).is_some_and(|head| head.cells().is_some()));
            let [copied, printed] = rows(&body, &kept);
            prop_assert_eq!(copied, printed);
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
                let [copied, printed] = rows(&body, &read.3);
                prop_assert_eq!(copied, printed);
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
