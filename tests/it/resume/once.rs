//! A run that is gone on with is read once: what is gone on with is what was read, and the table of its readings is what that
//! gives, whatever was left of it.

use std::path::Path;
use std::time::Duration;

use soakrig::base::clock::Instant;
use soakrig::event::{DwellId, Event, Reading, Readings, Sink, Stamp};
use soakrig::record::{RecordError, Recorder, Unfinished, append_afterword};

use super::soak::{run, whole_run};
use super::{cut_off, line_ends};
use crate::record::sweep::{at, header};

#[test]
fn what_was_written_to_since_it_was_read_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, journal) = whole_run(folder.path());
    let ends = line_ends(&journal);
    let cut = folder.path().join("cut");
    cut_off(&whole, &journal[..ends[ends.len() / 2]], &cut);
    let before = Unfinished::read(&cut, |_, _| ()).unwrap();
    let last = before.record().last().unwrap();
    append_afterword(&cut, &[(last, Event::Warned { what: "the dead-man was here".to_owned() })]).unwrap();
    let told = std::fs::read(cut.join("journal.jsonl")).unwrap();
    let refused = Recorder::go_on(before).unwrap_err();
    assert!(matches!(refused, RecordError::Meanwhile(_)), "{refused}");
    assert!(refused.to_string().ends_with("was written to meanwhile; resume it once more"), "{refused}");
    assert_eq!(std::fs::read(cut.join("journal.jsonl")).unwrap(), told, "nothing is added");
    // As long as it was, and with the same last line, but not the same.
    let before = Unfinished::read(&cut, |_, _| ()).unwrap();
    let mut changed = told.clone();
    let place = ends[1] + 40;
    changed[place] ^= 1;
    std::fs::write(cut.join("journal.jsonl"), &changed).unwrap();
    assert!(Recorder::go_on(before).unwrap_err().is_damage());
    std::fs::write(cut.join("journal.jsonl"), &told).unwrap();
    Recorder::go_on(Unfinished::read(&cut, |_, _| ()).unwrap()).unwrap();
}

/// The table of a run that is gone on with, after `spoil` had its way with what was there.
fn mended(cut: &Path, spoil: impl FnOnce(&Path)) -> String {
    let table = cut.join("samples.csv");
    spoil(&table);
    drop(Recorder::resume(cut).unwrap());
    assert!(!cut.join("samples.csv.new").exists());
    std::fs::read_to_string(table).unwrap()
}

/// More of them than are kept in memory for mending.
const BATCHES: u64 = 600;

#[test]
fn the_table_of_readings_is_what_the_journal_gives_whatever_was_left_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, rows) = (Recorder::create(folder.path(), &header("A")).unwrap(), 60);
    for batch in 0..BATCHES {
        let row = |n: u64| {
            let second = batch * rows + n;
            let vin = 24.0 + (second % 977) as f64 * 1e-6;
            Reading::of(
                Instant(second * 1_000_000_000),
                [Some(vin), None, Some(5.0), Some(0.5), Some(41.25), None],
            )
        };
        let done = Duration::from_secs((batch + 1) * rows);
        let rows = (0..rows).map(row).collect();
        let readings = Readings { dwell: DwellId(1), done, held: batch % 7 == 0, judged: None, rows };
        recorder.event(at(batch * 60_000), &Event::ReadingsTaken(Box::new(readings))).unwrap();
    }
    let cut = recorder.folder().to_owned();
    drop(recorder);
    let good = std::fs::read_to_string(cut.join("samples.csv")).unwrap();
    assert!(good.len() > 1 << 20 && good.lines().count() == 1 + BATCHES as usize * 60);
    assert!(mended(&cut, |_| ()) == good, "left as it is");
    assert!(mended(&cut, |table| std::fs::remove_file(table).unwrap()) == good, "made again");
    assert!(mended(&cut, |table| std::fs::write(table, "").unwrap()) == good, "made again where it is empty");
    for kept in [1, 70, good.len() / 2, good.len() - 3000, good.len() - 1] {
        assert!(mended(&cut, |table| std::fs::write(table, &good[..kept]).unwrap()) == good, "cut at {kept}");
    }
    for place in [0, 500_000, good.len() - 5000] {
        let mut spoilt = good.clone().into_bytes();
        spoilt[place] = b'x';
        assert!(mended(&cut, |table| std::fs::write(table, &spoilt).unwrap()) == good, "spoilt at {place}");
    }
    let longer = format!("{good}1,2,3\n");
    assert!(mended(&cut, |table| std::fs::write(table, &longer).unwrap()) == good, "what is too much is cut");
    // It may have outlived the last lines of the journal.
    let journal = std::fs::read(cut.join("journal.jsonl")).unwrap();
    let ends = line_ends(&journal);
    std::fs::write(cut.join("journal.jsonl"), &journal[..ends[ends.len() - 3] + 100]).unwrap();
    let shorter = mended(&cut, |_| ());
    assert!(good.starts_with(&shorter) && shorter.lines().count() == 1 + (BATCHES as usize - 2) * 60);
    std::fs::write(cut.join("journal.jsonl"), &journal[..ends[0]]).unwrap();
    drop(Recorder::resume(&cut).unwrap());
    assert!(!cut.join("samples.csv").exists(), "without readings there is none");
}

/// Slower readings than a minute apart.
const SLOW: &str = r#"
name = "slow-soak"
purpose = "Readings that are rare."
vout_nominal = "5 V"
figures = ["vout_v"]

[points]
vin = ["24 V"]
load = ["100 mA"]

[soak]
readings = "5 min"

[[soak.phases]]
name = "hold"
vin = "24 V"
load = "500 mA"
for = "1 h"

[settle]
band = "50 mV"
hold = "20 ms"
limit = "500 ms"

[interlocks]
over_temperature = "95 degC"
lost_reading = "1 min"

[capture]
span = "60 us"
samples = 6000
noise_floor = false

[[limits]]
name = "output voltage"
figure = "vout_v"
min = "4.80 V"
max = "5.20 V"
"#;

#[test]
fn no_reading_waits_longer_than_a_minute_to_be_kept_however_rare_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let finished = run(folder.path(), SLOW, &mut |_, _| {});
    let mut waited: Vec<Duration> = Vec::new();
    Unfinished::read(&finished.folder, |at: Stamp, event| {
        if let Event::ReadingsTaken(readings) = event {
            waited.extend(readings.rows.iter().map(|row| at.monotonic.since(row.at)));
        }
    })
    .unwrap();
    assert!(waited.len() >= 12, "{}", waited.len());
    assert!(waited.iter().all(|waited| *waited <= Readings::SPAN), "{waited:?}");
}
