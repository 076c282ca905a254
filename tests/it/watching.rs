//! A run looked at from another terminal: by its journal alone, also while that is written, and only by what is new of it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use soakrig::base::clock::Instant;
use soakrig::event::{
    AT_IT, DEADMAN, DwellEnd, DwellId, Event, Gap, GapCause, PhaseSpan, PointId, Reading, Readings, Resumed,
    Rewarm, SafeState, Sink, SoakFacts, Stamp, Unsent,
};
use soakrig::live::screen::{Kept, Seen, json, render, status};
use soakrig::live::{Expected, State};
use soakrig::record::journal::is_being_written;
use soakrig::record::{Followed, Follower, Record, RecordError, Recorder, Tail};
use tempfile::TempDir;

use crate::cli::{SIM, SMOKE, arg, smoke_run, soakrig};
use crate::record::sweep::{Course, at, facts, header, record_sweep, tell_points, trace};

const COURSE: Course = Course { revision: "A", points: 12, samples: 400, is_eventful: true };

/// An open record of twelve points of 125.
fn unfinished(out: &Path) -> Recorder {
    let mut recorder = Recorder::create(out, &header("A")).unwrap();
    tell_points(&mut recorder, &COURSE).unwrap();
    recorder
}

fn events(follower: &mut Follower) -> (Vec<Event>, Tail) {
    let mut events = Vec::new();
    let tail = follower.read_new(|followed| {
        if let Followed::Happened { event, .. } = followed {
            events.push(event);
        }
    });
    (events, tail.unwrap())
}

fn seen(folder: &str) -> Seen {
    let run = "2026-11-23T16-04-10Z_line-load-sweep_sn0007".to_owned();
    let last = Some((at(3_600_000).utc, Duration::from_millis(800)));
    let kept = Kept { files: 24, bytes: 2_880_000 };
    Seen {
        run,
        folder: folder.to_owned(),
        lines: 55,
        last,
        bytes: 81_234,
        kept,
        free: Some(45_000_000_000),
        short_of_room: None,
        is_written: Some(true),
        torn: None,
    }
}

#[test]
fn a_journal_that_grows_byte_by_byte_is_followed_line_by_line_and_no_line_is_read_twice() {
    let folder = TempDir::new().unwrap();
    let run = unfinished(folder.path()).folder().to_owned();
    let journal = fs::read(run.join("journal.jsonl")).unwrap();
    let growing = folder.path().join("growing");
    fs::create_dir(&growing).unwrap();
    let mut file = File::create(growing.join("journal.jsonl")).unwrap();
    let mut follower = Follower::open(&growing).unwrap();
    let (mut followed, mut torn) = (Vec::new(), 0);
    // Steps that are no divisor of anything end inside most lines.
    for piece in journal.chunks(97) {
        file.write_all(piece).unwrap();
        let (events, tail) = events(&mut follower);
        torn += u32::from(tail != Tail::Whole);
        followed.extend(events);
    }
    let record = Record::open(&run).unwrap();
    let all: Vec<Event> = record.events().iter().map(|logged| logged.event.clone()).collect();
    assert_eq!(followed, all);
    assert!(torn > 10, "most looks met half a line, here {torn}");
    assert_eq!(events(&mut follower), (Vec::new(), Tail::Whole));
}

#[test]
fn a_torn_line_is_waited_for_and_what_is_written_in_its_place_is_taken() {
    let folder = TempDir::new().unwrap();
    let mut recorder = unfinished(folder.path());
    let run = recorder.folder().to_owned();
    let path = run.join("journal.jsonl");
    let mut follower = Follower::open(&run).unwrap();
    let before = events(&mut follower).0.len();
    assert!(before > 20);
    let whole = fs::metadata(&path).unwrap().len();
    let write_behind = |bytes: &[u8]| {
        OpenOptions::new().append(true).open(&path).unwrap().write_all(bytes).unwrap();
    };
    for rest in ["{\"seq\":99,\"utc\":\"20", "\n", "\u{0}\u{0}\u{0}\n"] {
        write_behind(rest.as_bytes());
        let (events, tail) = events(&mut follower);
        assert!(events.is_empty() && matches!(tail, Tail::Torn { .. }), "{rest:?}: {tail:?}");
        OpenOptions::new().write(true).open(&path).unwrap().set_len(whole).unwrap();
    }
    let warned = Event::Warned { what: "written after the torn one was cut".to_owned() };
    recorder.event(at(999_999), &warned).unwrap();
    assert_eq!(events(&mut follower), (vec![warned], Tail::Whole));
}

#[test]
fn what_was_read_is_not_read_again_however_often_one_looks() {
    let folder = TempDir::new().unwrap();
    let mut recorder = unfinished(folder.path());
    let path = recorder.folder().join("journal.jsonl");
    let mut follower = Follower::open(recorder.folder()).unwrap();
    events(&mut follower);
    // Somebody who read the old lines again would find them damaged.
    let mut bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[..length - 1].fill(b'x');
    fs::write(&path, bytes).unwrap();
    let warned = Event::Warned { what: "new".to_owned() };
    recorder.event(at(999_999), &warned).unwrap();
    assert_eq!(events(&mut follower), (vec![warned], Tail::Whole));
    assert!(Follower::open(recorder.folder()).unwrap().read_new(|_| ()).is_err());
}

#[test]
fn a_journal_that_was_cut_or_changed_is_told_as_damaged() {
    let folder = TempDir::new().unwrap();
    let run = unfinished(folder.path()).folder().to_owned();
    let path = run.join("journal.jsonl");
    let mut follower = Follower::open(&run).unwrap();
    events(&mut follower);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = follower.read_new(|_| ()).unwrap_err();
    assert!(matches!(error, RecordError::Damaged { .. }) && error.to_string().contains("shorter"), "{error}");
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    fs::write(&path, &flipped).unwrap();
    assert!(Follower::open(&run).unwrap().read_new(|_| ()).unwrap_err().is_damage());
    let told = soakrig(&["status", arg(&run)]).assert_exit(6);
    assert!(told.err.contains("damaged"), "{}", told.err);
}

#[test]
fn the_lock_of_the_journal_tells_whether_somebody_writes_and_lookers_disturb_no_writer() {
    let folder = TempDir::new().unwrap();
    let recorder = unfinished(folder.path());
    let run = recorder.folder().to_owned();
    assert!(is_being_written(&run).unwrap());
    drop(recorder);
    assert!(!is_being_written(&run).unwrap());
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                    let _ = is_being_written(&run);
                    std::thread::yield_now();
                }
            });
        }
        let resumed: Vec<_> = (0..20).map(|_| Recorder::resume(&run).map(|_| ())).collect();
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
        for outcome in resumed {
            outcome.unwrap();
        }
    });
}

#[test]
fn the_last_line_is_as_old_as_what_happened_last_and_not_as_evidence_that_was_kept_then() {
    let folder = TempDir::new().unwrap();
    let mut recorder = unfinished(folder.path());
    let (kept, captured) = (at(7_200_000), at(60_000));
    recorder.event(kept, &Event::Warned { what: "a limit is near".to_owned() }).unwrap();
    let trace = trace("A", "vout", "ripple", (24.0, 0.5), 400);
    recorder.waveform(Stamp { monotonic: kept.monotonic, ..captured }, PointId(12), &trace).unwrap();
    let run = recorder.folder().to_owned();
    drop(recorder);
    let told = soakrig(&["status", arg(&run)]).assert_exit(0).out;
    let line = told.lines().find(|line| line.starts_with("writer")).unwrap();
    assert!(line.contains(&kept.utc.strftime("at %H:%M:%SZ").to_string()), "{line}");
}

/// The state of a record, by following it.
pub(crate) fn state_of(run: &Path) -> State {
    let mut state = State::default();
    let take = |followed| {
        if let Followed::Happened { at, event } = followed {
            state.take(at, &event);
        }
    };
    Follower::open(run).unwrap().read_new(take).unwrap();
    state
}

#[test]
fn the_state_of_a_run_fits_one_screen() {
    let folder = TempDir::new().unwrap();
    let state = state_of(unfinished(folder.path()).folder());
    insta::assert_snapshot!(render(&state, &seen("reports/RUN")), @r"
    run       2026-11-23T16-04-10Z_line-load-sweep_sn0007
    profile   line-load-sweep: Line and load sweep of the 5 V buck against the limits of its data sheet.
    board     sn0007 revision A on rig sim, simulated
    phase     between two points
    so far    no limit failed so far, 12 of 125 points finished
    left      about 1 min 40 s, until 16:06:01Z
    warnings  none that still holds
    readings  point 12: Vin 2 V, Iin 120 µA, Vout 388.8 µV, Iout 0 A
              board 24.6 °C, ambient 24.3 °C
    kept      24 traces and screens (2.88 MB), journal 81.23 kB, 45 GB free
    outputs   source on
    events    none that a person should know
    writer    alive; line 55, 800 ms ago, at 17:04:10Z
    ");
    let gone =
        Seen { is_written: Some(false), torn: Some("it has no end".to_owned()), ..seen("reports/RUN") };
    let last = render(&state, &gone).lines().last().unwrap().to_owned();
    insta::assert_snapshot!(last, @r"
    writer    GONE without an end; line 55, 800 ms ago, at 17:04:10Z; `soakrig resume reports/RUN` goes on; the last line is torn: it has no end
    ");
    let ended = state_of(&record_sweep(&folder.path().join("whole"), &Course { points: 125, ..COURSE }));
    let told = render(&ended, &seen("reports/RUN"));
    assert!(told.contains("so far    FAIL: ") && told.contains("the run is over"), "{told}");
}

#[test]
fn a_log_of_a_run_that_was_left_tells_each_thing_once() {
    let folder = TempDir::new().unwrap();
    let mut recorder = unfinished(folder.path());
    let (vout_v, failures) = (Ok(0.001), Vec::new());
    let safe = SafeState { load_off: true, supply_off: true, vout_v, verified: true, attempts: 1, failures };
    recorder.event(at(60_000), &Event::MadeSafe(safe)).unwrap();
    let run = recorder.folder().to_owned();
    drop(recorder);
    let told = soakrig(&["watch", arg(&run)]).assert_exit(1).out;
    for words in ["run  ", "board  ", "phase  ", "off and verified off", "GONE without an end"] {
        assert_eq!(told.matches(words).count(), 1, "{words}: {told}");
    }
}

fn readings(dwell: u32, done_s: u64, first_s: u64, count: u64) -> Event {
    let row = |s: u64| Reading {
        at: Instant((first_s + s) * 1_000_000_000),
        vin_v: Some(23.998),
        iin_a: Some(0.1236),
        vout_v: Some(4.998_7),
        iout_a: Some(0.5001),
        board_c: Some(61.25),
        ambient_c: None,
    };
    let done = Duration::from_secs(done_s);
    Event::ReadingsTaken(Box::new(Readings {
        dwell: DwellId(dwell),
        done,
        held: false,
        judged: None,
        rows: (0..count).map(row).collect(),
    }))
}

fn phase(phase: u16, name: &str, round: u32) -> Event {
    Event::PhaseStarted { phase, name: name.to_owned(), round }
}

/// A soak of an hour of warming up at most and twice two hours, planned to take five hours and a quarter, in its second hour.
fn soaking() -> State {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let span = |phase, round, lasts| PhaseSpan { phase, round, lasts };
    let phases = vec![span(0, 1, hours(1)), span(1, 1, hours(2)), span(1, 2, hours(2))];
    let rewarm = Rewarm { after: Duration::from_secs(60), longest: hours(4), by_criterion: true };
    let mut state = State::expecting(Expected {
        whole: hours(5) + hours(1) / 4,
        start: Duration::ZERO,
        phases,
        rewarm: Some(rewarm),
    });
    let soak = SoakFacts {
        interval: Duration::from_secs(1),
        phases: vec!["warm-up".to_owned(), "full load".to_owned()],
        dwells_last: hours(5),
        dwells: 3,
        starts: 0,
    };
    let mut facts = facts("A", 9);
    facts.soak = Some(soak);
    let gap = |from_s: u64, to_s: u64, cause| {
        let (from, to) = (Instant(from_s * 1_000_000_000), Instant(to_s * 1_000_000_000));
        Event::GapFound(Gap { from, to, missed: to_s - from_s - 1, cause, what: "it was gone".to_owned() })
    };
    for (at_s, event) in [
        (0, Event::RunStarted(Box::new(facts))),
        (10, phase(0, "warm-up", 1)),
        (1809, readings(1, 1800, 10, 1800)),
        (
            1810,
            Event::DwellFinished {
                dwell: DwellId(1),
                took: hours(1) / 2,
                end: DwellEnd::Steady,
                left_out: 0,
                setting: None,
            },
        ),
        (1811, phase(1, "full load", 1)),
        (3611, readings(2, 1800, 1812, 1790)),
        (3612, gap(3601, 3612, GapCause::Instrument)),
        (3615, gap(3612, 3615, GapCause::Interlock)),
        (3620, Event::EvidenceKept { point: PointId(4), why: "noise in 20 MHz was broken".to_owned() }),
        (5410, readings(2, 3600, 3616, 1790)),
    ] {
        state.take(at(at_s * 1000), &event);
    }
    state
}

#[test]
fn a_soak_tells_its_phase_its_readings_and_what_is_missing_of_them() {
    let (state, seen) = (soaking(), seen("reports/RUN"));
    insta::assert_snapshot!(render(&state, &seen), @r"
    run       2026-11-23T16-04-10Z_line-load-sweep_sn0007
    profile   line-load-sweep: Line and load sweep of the 5 V buck against the limits of its data sheet.
    board     sn0007 revision A on rig sim, simulated
    phase     holding and reading
    soak      phase 2 of 2, full load, round 1 of 2: 1 h of 2 h (50 %)
              all phases: 1 h 30 min of 4 h 30 min (33 %); begun 1 h 30 min ago
    so far    no limit failed so far, 0 of 9 points finished
    left      about 3 h 15 min, until 20:49:20Z
    warnings  none that still holds
    readings  5.8 s ago, at 17:34:15Z: Vin 24 V, Iin 123.6 mA, Vout 4.999 V, Iout 500.1 mA
              board 61.2 °C, ambient not read
    coverage  99.777 %, 5380 of 5392 readings, in 3 batches
              missing: 10 by instrument (1 gap, 11 s), 2 by interlock (1 gap, 3 s)
    kept      0 captures, evidence of 1 point, 24 traces and screens (2.88 MB), journal 81.23 kB, 45 GB free
    outputs   nothing switched on yet by this run
    events    none that a person should know
    writer    alive; line 55, 800 ms ago, at 17:04:10Z
    ");
    insta::assert_snapshot!(status(&state), @"0/9 | holding and reading | phase 2 of 2, full load, 1 h of it | Vout 4.999 V, board 61.2 °C | coverage 99.777 % | 3 h 15 min left");
    let told = json(&state, &seen);
    let soak = &told["soak"];
    let phase = serde_json::json!({
        "name": "full load", "number": 2, "of": 2, "round": 1, "rounds": 2,
        "since": "2026-11-23T16:34:21.25Z", "done_s": 3600.0, "planned_s": 7200.0,
    });
    assert_eq!(soak["phase"], phase);
    assert_eq!((&soak["done_s"], &soak["planned_s"]), (&Value::from(5400.0), &Value::from(16_200.0)));
    let last = serde_json::json!({
        "utc": "2026-11-23T17:34:15.25Z", "age_s": 5.8, "vin_v": 23.998, "iin_a": 0.1236, "vout_v": 4.998_7,
        "iout_a": 0.5001, "board_c": 61.25, "ambient_c": null,
    });
    assert_eq!(soak["last_reading"], last);
    assert_eq!(
        (&soak["coverage"]["percent"], &soak["coverage"]["due"]),
        (&Value::from(99.777), &Value::from(5392))
    );
    let lost = serde_json::json!({ "cause": "interlock", "gaps": 1, "readings": 2, "percent": 0.037, "span_s": 3.0 });
    assert_eq!(soak["coverage"]["lost"][1], lost);
    assert_eq!(told["kept"]["free_bytes"], 45_000_000_000_u64);
    assert_eq!(told["expected_end"], "2026-11-23T20:49:20.25Z");
}

#[test]
fn a_sensor_that_says_nothing_stands_beside_the_coverage_with_its_cause() {
    let mut state = soaking();
    let what = "ambient at /dev/ttyUSB3: it does not answer".to_owned();
    state.take(
        at(5_411_000),
        &Event::SensorFailed {
            role: "ambient".parse().unwrap(),
            what,
            withheld: soakrig::event::Withheld::default(),
        },
    );
    state.take(at(5_421_000), &readings(2, 3610, 5411, 10));
    let told = render(&state, &seen("reports/RUN"));
    let coverage: Vec<&str> = told
        .lines()
        .skip_while(|line| !line.starts_with("coverage"))
        .take_while(|line| !line.starts_with("kept"))
        .collect();
    insta::assert_snapshot!(coverage.join("\n"), @r"
    coverage  99.777 %, 5390 of 5402 readings, in 4 batches
              missing: 10 by instrument (1 gap, 11 s), 2 by interlock (1 gap, 3 s)
              values not read: ambient_c in 5390 of 5390 readings (100.000 %), in 1 stretch: ambient at /dev/ttyUSB3: it does not answer
    ");
    let told = &json(&state, &seen("reports/RUN"))["soak"]["coverage"]["values_missing"][0];
    assert_eq!((&told["column"], &told["readings"]), (&Value::from("ambient_c"), &Value::from(5390)));
    assert!(status(&state).contains("ambient_c not read 5390 times"), "{}", status(&state));
}

#[test]
fn warming_up_again_takes_nothing_from_what_is_done_and_is_in_the_latest_end() {
    let mut state = soaking();
    let resumed =
        Resumed { gap: Some(Duration::from_secs(90)), points_finished: 0, what: "it was cut off".to_owned() };
    state.take(at(5_500_000), &Event::RunResumed(resumed));
    state.take(at(6_100_000), &readings(0, 600, 5500, 600));
    let told = render(&state, &seen("reports/RUN"));
    let lines: Vec<String> = ["phase", "soak", "left"].map(|label| labelled(&told, label)).into();
    insta::assert_snapshot!(lines.join("\n"), @r"
    phase     warming up again after a gap, for 10 min so far
    soak      phase 2 of 2, full load, round 1 of 2: 1 h of 2 h (50 %)
              all phases: 1 h 30 min of 4 h 30 min (33 %); begun 1 h 41 min ago
    left      about 3 h 15 min, and up to 3 h 50 min of warming up again before, until 2026-11-24 00:50Z at the latest
    ");
    let told = json(&state, &seen("reports/RUN"));
    assert_eq!(told["soak"]["is_warming_again"], true);
    assert_eq!(
        (&told["rewarm_left_at_most_s"], &told["expected_end"]),
        (&Value::from(13_800), &Value::from("2026-11-24T00:50:50.25Z"))
    );
    state.take(at(6_160_000), &readings(2, 3660, 6100, 60));
    let told = render(&state, &seen("reports/RUN"));
    assert!(!told.contains("warming up again") && told.contains("1 h 1 min of 2 h"), "{told}");
    // Away for no longer than the profile bears, it is not warmed up again.
    let resumed =
        Resumed { gap: Some(Duration::from_secs(60)), points_finished: 0, what: "it was cut off".to_owned() };
    state.take(at(6_220_000), &Event::RunResumed(resumed));
    assert_eq!(state.rewarm_left(), Some(Duration::ZERO));
}

#[test]
fn a_dead_man_who_is_still_at_it_is_one_event_with_its_last_words_and_the_writer_says_since_when() {
    let mut state = soaking();
    state.take(
        at(5_410_000),
        &Event::Retried { role: "load".parse().unwrap(), what: "first".to_owned(), attempt: 1 },
    );
    for attempt in 1..=40_u64 {
        let what =
            format!("{DEADMAN}the controller is gone; attempt {attempt} to switch off: no route; {AT_IT}");
        state.take(at(5_411_000 + attempt * 60_000), &Event::Warned { what });
    }
    let gone = Seen { is_written: Some(false), ..seen("reports/RUN") };
    let told = render(&state, &gone);
    assert!(
        told.contains("first") && told.contains("attempt 40 to switch off") && !told.contains("attempt 39"),
        "{told}"
    );
    assert!(told.contains("(40 times, last "), "{told}");
    let writer = labelled(&told, "writer");
    assert!(writer.contains("its dead-man has been switching off since 17:35:21Z"), "{writer}");
    assert!(writer.contains("when it last wrote, at 18:14:21Z"), "{writer}");
}

#[test]
fn of_a_record_that_breaks_off_with_outputs_on_nobody_is_told_that_they_are() {
    let mut state = soaking();
    for role in ["load", "source"] {
        state.take(at(5_410_000), &Event::OutputSwitched { role: role.parse().unwrap(), on: true });
    }
    let told = |is_written| {
        let screen = render(&state, &Seen { is_written: Some(is_written), ..seen("reports/RUN") });
        ["warnings", "outputs"].map(|label| labelled(&screen, label)).join("\n")
    };
    insta::assert_snapshot!(told(true), @r"
    warnings  none that still holds
    outputs   load on, source on
    ");
    insta::assert_snapshot!(told(false), @r"
    warnings  since 17:34:20Z outputs: the record breaks off with outputs on, and whether they are off is not known: look at the bench
    outputs   not known: last load on, source on, at 17:34:20Z, and the record ends without an end
    ");
}

/// The lines of a label.
fn labelled(screen: &str, label: &str) -> String {
    let mut lines = screen.lines().skip_while(|line| !line.starts_with(label));
    let first = lines.next().unwrap_or_default();
    let rest = lines.take_while(|line| line.starts_with("          "));
    std::iter::once(first).chain(rest).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_gap_that_is_open_stands_beside_the_coverage_until_it_counts() {
    let mut state = soaking();
    let what = "load at USB1: it did not answer".to_owned();
    let retried = |attempt| Event::Retried { role: "load".parse().unwrap(), what: what.clone(), attempt };
    state.take(at(5_410_000), &retried(1));
    state.take(at(5_413_000), &retried(2));
    let coverage = labelled(&render(&state, &seen("reports/RUN")), "coverage");
    insta::assert_snapshot!(coverage, @r"
    coverage  99.777 %, 5380 of 5392 readings, in 3 batches
              missing: 10 by instrument (1 gap, 11 s), 2 by interlock (1 gap, 3 s)
              a gap is open since 17:34:15Z, 8.8 s so far, and counts when it ends: load at USB1: it did not answer
    ");
    let open = &json(&state, &seen("reports/RUN"))["soak"]["coverage"]["open_gap"];
    assert_eq!(
        (&open["since"], &open["lasts_s"]),
        (&Value::from("2026-11-23T17:34:15.25Z"), &Value::from(8.8))
    );
    state.take(at(5_420_000), &readings(2, 3605, 5415, 5));
    assert!(json(&state, &seen("reports/RUN"))["soak"]["coverage"]["open_gap"].is_null());
}

#[test]
fn what_a_run_that_is_gone_has_lost_is_a_gap_of_the_controller() {
    let mut state = soaking();
    let what = "dead-man: the controller is gone; both were verified off after 0.2 s".to_owned();
    state.take(at(5_430_000), &Event::Warned { what });
    let gone = Seen { is_written: Some(false), ..seen("reports/RUN") };
    let coverage = |seen: &Seen| labelled(&render(&state, seen), "coverage");
    insta::assert_snapshot!(coverage(&gone), @r"
    coverage  99.408 %, 5380 of 5412 readings, in 3 batches
              missing: 10 by instrument (1 gap, 11 s), 2 by interlock (1 gap, 3 s), 20 by controller (1 gap, 20 s)
    ");
    assert_eq!(json(&state, &gone)["soak"]["coverage"]["due"], 5412);
    assert!(!coverage(&seen("reports/RUN")).contains("controller"), "what is not written yet is not lost");
    let writer = |state: &State| labelled(&render(state, &gone), "writer");
    assert!(writer(&state).contains("had not verified the outputs off"), "{}", writer(&state));
    let (load_off, supply_off, vout_v) = (true, true, Ok(0.0));
    let safe = SafeState { load_off, supply_off, vout_v, verified: true, attempts: 3, failures: Vec::new() };
    state.take(at(5_431_000), &Event::MadeSafe(safe));
    assert!(!writer(&state).contains("dead-man"), "{}", writer(&state));
}

#[test]
fn a_soak_whose_plan_is_not_known_tells_what_is_done_and_guesses_nothing() {
    let mut state = State::default();
    let mut facts = facts("A", 0);
    facts.soak = Some(SoakFacts {
        interval: Duration::from_secs(1),
        phases: vec!["warm-up".to_owned()],
        dwells_last: Duration::from_secs(3600),
        dwells: 1,
        starts: 0,
    });
    state.take(at(0), &Event::RunStarted(Box::new(facts)));
    state.take(at(0), &phase(0, "warm-up", 1));
    state.take(at(60_000), &readings(1, 60, 0, 60));
    assert_eq!(state.time_left(), Some(Duration::from_secs(3540)));
    let took = Duration::from_secs(61);
    state.take(
        at(61_000),
        &Event::DwellFinished { dwell: DwellId(1), took, end: DwellEnd::Steady, left_out: 0, setting: None },
    );
    assert_eq!(state.time_left(), None, "it ended early, and by how much is not known");
    let told = json(&state, &seen("reports/RUN"));
    assert_eq!(
        (&told["soak"]["planned_s"], &told["soak"]["phase"]["planned_s"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(told["soak"]["done_s"], 61.0);
}

/// The warnings on the screen.
fn warnings(state: &State, seen: &Seen) -> String {
    let screen = render(state, seen);
    let rows = screen.lines().skip_while(|row| !row.starts_with("warnings")).enumerate();
    let block = rows.take_while(|(place, row)| *place == 0 || row.starts_with(' '));
    block.map(|(_, row)| &row[10..]).collect::<Vec<_>>().join("\n")
}

/// One reading of a soak.
fn row(second: u64, vout_v: f64, board_c: Option<f64>) -> Event {
    let values = [Some(24.0), Some(0.12), Some(vout_v), Some(0.5), board_c, None];
    let rows = vec![Reading::of(Instant(second * 1_000_000_000), values)];
    Event::ReadingsTaken(Box::new(Readings {
        dwell: DwellId(3),
        done: Duration::ZERO,
        held: false,
        judged: None,
        rows,
    }))
}

fn frozen(role: soakrig::base::names::Role) -> Event {
    Event::SensorFailed {
        role,
        what: "it stands still".to_owned(),
        withheld: soakrig::event::Withheld::default(),
    }
}

#[test]
fn a_warning_stands_until_what_it_warned_of_has_come_right_again() {
    let seen = seen("reports/RUN");
    let role = |role: &str| role.parse().unwrap();
    let mut state = soaking();
    let mut told = vec![warnings(&state, &seen)];
    let unsent = Unsent {
        way: "command page".to_owned(),
        level: "warn".to_owned(),
        what: "it is warm".to_owned(),
        attempts: 6,
        why: "it ended with 1".to_owned(),
    };
    for (second, event) in [
        (5500, frozen(role("board"))),
        (5501, Event::Retried { role: role("load"), what: "no answer".to_owned(), attempt: 1 }),
        // The load answers, the thermometer does not, and the output is too low.
        (5502, row(5502, 4.5, None)),
        (5503, Event::InterlockHeld { what: "too warm".to_owned(), load: None }),
        (5504, Event::MessageUnsent(Box::new(unsent))),
        (5505, row(5505, 4.99, Some(61.0))),
    ] {
        state.take(at(second * 1000), &event);
        told.push(format!("{second}\n{}", warnings(&state, &seen)));
    }
    let short = Seen {
        short_of_room: Some("only 400 MB are free on the disk".to_owned()),
        last: Some((at(0).utc, Duration::from_secs(600))),
        ..seen.clone()
    };
    told.push(format!("short\n{}", warnings(&state, &short)));
    insta::assert_snapshot!(told.join("\n"), @r"
    none that still holds
    5500
    since 17:35:50Z sensor: board: it stands still
    5501
    since 17:35:50Z sensor: board: it stands still
    since 17:35:51Z instrument: load: no answer
    5502
    since 17:35:50Z sensor: board: it stands still
    since 17:35:52Z limit: limit `output voltage` (4.85 V to 5.15 V) is broken: output voltage at the board 4.5 V, at 24 V, 500 mA, in a reading of dwell 3
    5503
    since 17:35:50Z sensor: board: it stands still
    since 17:35:52Z limit: limit `output voltage` (4.85 V to 5.15 V) is broken: output voltage at the board 4.5 V, at 24 V, 500 mA, in a reading of dwell 3
    since 17:35:53Z hold: too warm
    5504
    since 17:35:50Z sensor: board: it stands still
    since 17:35:52Z limit: limit `output voltage` (4.85 V to 5.15 V) is broken: output voltage at the board 4.5 V, at 24 V, 500 mA, in a reading of dwell 3
    since 17:35:53Z hold: too warm
    since 17:35:54Z message: not delivered, warn by command page: it is warm; tried 6 times, at last: it ended with 1
    5505
    since 17:35:53Z hold: too warm
    since 17:35:54Z message: not delivered, warn by command page: it is warm; tried 6 times, at last: it ended with 1
    short
    since 17:35:53Z hold: too warm
    since 17:35:54Z message: not delivered, warn by command page: it is warm; tried 6 times, at last: it ended with 1
    since 17:35:55Z disk: only 400 MB are free on the disk
    since 17:35:55Z silence: readings are due in the record every 1 min 2 s at least, and nothing was written for 10 min: does the run hang?
    ");
    let json = json(&state, &short);
    let words: Vec<&str> = json["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["word"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["hold", "message", "disk", "silence"]);
}

#[test]
fn a_board_that_is_off_neither_breaks_a_limit_nor_puts_one_right() {
    let seen = seen("reports/RUN");
    let off = |second: u64| {
        let Event::ReadingsTaken(mut readings) = row(second, 0.0, Some(40.0)) else { panic!("readings") };
        readings.rows[0].vin_v = Some(0.02);
        Event::ReadingsTaken(readings)
    };
    let mut state = soaking();
    state.take(at(5_500_000), &off(5500));
    assert_eq!(warnings(&state, &seen), "none that still holds");
    state.take(at(5_502_000), &row(5502, 5.4, None));
    assert!(warnings(&state, &seen).contains("is broken: output voltage at the board 5.4 V"));
    state.take(at(5_503_000), &off(5503));
    assert!(warnings(&state, &seen).contains("is broken: output voltage at the board 5.4 V"));
}

#[test]
fn a_soak_is_silent_by_its_interval_and_not_while_its_board_rests() {
    let silent = |state: &State, minutes: u64| {
        let last = Some((at(0).utc, Duration::from_secs(minutes * 60)));
        warnings(state, &Seen { last, ..seen("reports/RUN") }).contains("does the run hang?")
    };
    let mut slow = State::default();
    let mut facts = facts("A", 0);
    facts.soak = Some(SoakFacts {
        interval: Duration::from_secs(120),
        phases: vec!["hold".to_owned()],
        dwells_last: Duration::from_secs(36_000),
        dwells: 1,
        starts: 0,
    });
    slow.take(at(0), &Event::RunStarted(Box::new(facts)));
    slow.take(at(0), &phase(0, "hold", 1));
    assert_eq!([6, 8].map(|minutes| silent(&slow, minutes)), [false, true]);
    let mut resting = soaking();
    assert_eq!([2, 4].map(|minutes| silent(&resting, minutes)), [false, true]);
    let mut switch = |on| {
        resting.take(at(5_411_000), &Event::OutputSwitched { role: "source".parse().unwrap(), on });
        silent(&resting, 4)
    };
    assert_eq!([switch(false), switch(true)], [false, true]);
}

#[test]
fn the_state_before_the_first_event_is_told_without_a_guess() {
    let nothing = Seen { last: None, lines: 0, ..seen("reports/RUN") };
    insta::assert_snapshot!(render(&State::default(), &nothing), @r"
    run       2026-11-23T16-04-10Z_line-load-sweep_sn0007
    phase     opening the bench
    so far    no limit failed so far, 0 of 0 points finished
    left      not known before a point is finished
    warnings  none that still holds
    readings  none yet
    kept      24 traces and screens (2.88 MB), journal 81.23 kB, 45 GB free
    outputs   nothing switched on yet by this run
    events    none that a person should know
    writer    alive; nothing written yet
    ");
}

#[test]
fn no_event_moves_the_cursor_of_whoever_looks() {
    let mut state = State::default();
    let what = "sensor said \u{1b}[2J\u{1b}]0;x\u{7}\nand more".to_owned();
    state.take(at(1), &Event::Warned { what });
    let screen = render(&state, &seen("reports/RUN"));
    assert!(!screen.contains('\u{1b}') && !screen.contains('\u{7}'), "{screen:?}");
}

#[test]
fn every_prefix_of_a_journal_has_a_state_that_can_be_shown() {
    let folder = TempDir::new().unwrap();
    let run = record_sweep(folder.path(), &COURSE);
    let record = Record::open(&run).unwrap();
    let mut state = State::default();
    for logged in record.events() {
        state.take(logged.at, &logged.event);
        let told = json(&state, &seen("reports/RUN"));
        assert!(render(&state, &seen("reports/RUN")).lines().count() <= 24);
        assert_eq!(told["points"]["finished"], state.points().1);
        assert!(told["time_left_s"].is_u64() || told["time_left_s"].is_null(), "{told}");
    }
}

#[test]
fn a_journal_without_one_whole_line_that_nobody_writes_is_damaged_and_not_about_to_begin() {
    let folder = TempDir::new().unwrap();
    let run = folder.path().join("2026-11-24T10-00-00Z_soak_0007");
    fs::create_dir(&run).unwrap();
    for text in ["", "{\"seq\":0,"] {
        fs::write(run.join("journal.jsonl"), text).unwrap();
        let told = soakrig(&["status", arg(&run)]).assert_exit(6);
        told.assert_told(&["it has not one whole line, and nobody writes it"]);
    }
}

#[test]
fn the_status_of_a_finished_run_is_told_to_a_script() {
    let folder = TempDir::new().unwrap();
    let run = smoke_run(folder.path());
    let told = soakrig(&["status", arg(&run), "--json"]).assert_exit(0).json();
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(told["so_far"]["verdict"], summary["verdict"]);
    assert_eq!(told["points"]["finished"], summary["points"]["finished"]);
    assert_eq!(told["outputs"]["verified_off"], true);
    assert_eq!(told["phase"], "ended");
    assert_eq!(told["journal"]["is_written"], false);
    let watched = soakrig(&["watch", arg(&run)]).assert_exit(0);
    assert!(watched.out.contains("so far    PASS: "), "{}", watched.out);
    let by_name = run.file_name().unwrap().to_str().unwrap();
    soakrig(&["status", by_name, "--out", arg(folder.path())]).assert_exit(0);
    soakrig(&["status", "nowhere", "--out", arg(folder.path())]).assert_exit(2).assert_told(&["nowhere"]);
}

#[test]
fn the_time_left_of_an_open_run_is_that_of_its_plan() {
    let folder = TempDir::new().unwrap();
    let run = smoke_run(folder.path());
    let journal = fs::read_to_string(run.join("journal.jsonl")).unwrap();
    let begun: Vec<&str> = journal.split_inclusive('\n').take(3).collect();
    fs::write(run.join("journal.jsonl"), begun.concat()).unwrap();
    let told = soakrig(&["status", arg(&run), "--json"]).assert_exit(0).json();
    let plan = soakrig(&["plan", SMOKE, "--rig", SIM, "--json"]).assert_exit(0).json();
    let (left, expected) = (told["time_left_s"].as_f64().unwrap(), plan["expected_s"].as_f64().unwrap());
    assert!((left - expected).abs() < 2.0, "{left} {expected}");
}

#[cfg(target_os = "linux")]
mod running {
    use std::io::Read;
    use std::process::Stdio;

    use super::*;
    use crate::cli::{on_a_terminal, program};
    use crate::safety::process::{Running, await_in_journal, serve, start};

    fn watch(out: &Path) -> Running {
        let run = fs::read_dir(out).unwrap().next().unwrap().unwrap().path();
        let mut command = program();
        command.arg("watch").arg(run).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running(command.spawn().unwrap())
    }

    fn said(running: &mut Running) -> (Option<i32>, String) {
        let mut text = String::new();
        running.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        (running.0.wait().unwrap().code(), text)
    }

    #[test]
    fn a_run_is_watched_in_plain_lines_until_it_ends_and_leaves_its_exit_code() {
        let served = serve();
        let (mut run, folder) = start(&served);
        let out = folder.path().join("out");
        await_in_journal(&out, "point_started");
        let mut watching = watch(&out);
        let status = soakrig(&["status", "--json", "--out", arg(&out), "2"]).assert_exit(0).json();
        assert_eq!(status["journal"]["is_written"], true, "{status}");
        assert_eq!(status["simulated"], false);
        assert!(status["journal"]["age_s"].as_f64().unwrap() < 60.0, "{status}");
        let (code, text) = said(&mut watching);
        assert_eq!(code, run.0.wait().unwrap().code(), "{text}");
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("4/4 ") && text.contains("ended: pass"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn whoever_watches_a_run_that_is_killed_is_told_that_its_writer_is_gone_and_how_it_was_left() {
        let served = serve();
        let (mut run, folder) = start(&served);
        let out = folder.path().join("out");
        await_in_journal(&out, "point_started");
        let mut watching = watch(&out);
        let told = soakrig(&["report", "20", "--out", arg(&out)]).assert_exit(0);
        assert!(told.out.starts_with("RUNNING") && told.out.contains("the run goes on"), "{}", told.out);
        assert!(!told.out.contains("breaks off") && !told.out.contains("NOT"), "{}", told.out);
        run.0.kill().unwrap();
        run.0.wait().unwrap();
        let (code, text) = said(&mut watching);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("GONE without an end"), "{text}");
        assert!(text.contains("off and verified off"), "the dead-man's last words; {text}");
        assert!(text.contains("soakrig resume"), "{text}");
        assert_eq!(text.matches("profile   ").count(), 1, "the screen stands there once; {text}");
        assert_eq!(text.matches("GONE without an end").count(), 1, "{text}");
    }

    #[test]
    fn on_a_terminal_the_screen_is_drawn_again_in_place() {
        let folder = TempDir::new().unwrap();
        let run = smoke_run(folder.path());
        for (no_color, painted) in [("", true), ("1", false)] {
            let Some(shown) = on_a_terminal(&format!("watch {}", arg(&run)), no_color) else { return };
            assert!(shown.contains("\u{1b}[J\u{1b}[?7lrun "), "{shown:?}");
            assert_eq!(shown.contains("\u{1b}[1;32mPASS"), painted, "{shown:?}");
        }
    }
}
