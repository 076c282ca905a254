//! The report of a soak says what was shown, what is missing and why, whether the run has an end or not.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use soakrig::base::clock::Instant;
use soakrig::base::units::{Amps, Volts};
use soakrig::event::{
    BeforeStart, BrokenAt, DwellEnd, DwellId, Event, FigureName, Gap, GapCause, LimitBroken, LoadChange,
    PointId, PointResult, Reading, Readings, Resumed, RunEnd, RunVerdict, SafeState, Setting, Sink,
    SoakFacts, StartCheck, StartId,
};
use soakrig::live::State;
use soakrig::record::products::check_manifest;
use soakrig::record::{Record, Recorder};
use soakrig::report::products::write_at;
use soakrig::report::soak::story::{SteadyTime, Story, Stretch};
use soakrig::report::soak::sweeps::{self, Warmth};
use soakrig::report::{self, html, junit, text, write_all};
use soakrig::waveform::Unavailable;
use tempfile::TempDir;

use crate::record::sweep::{self, at, header, tell_end};
use crate::watching::state_of;

/// Seconds between two readings.
const EVERY_S: u64 = 10;

/// Readings of a dwell from second to second; Vout falls by a millivolt an hour and scatters by a few ten microvolts.
fn readings(dwell: u32, from_s: u64, to_s: u64) -> Event {
    let row = |second: u64| {
        let scatter = ((second * 2_654_435_761) % 1000) as f64 / 1000.0 - 0.5;
        let vout_v = 5.0 - 1e-3 * second as f64 / 3600.0 + 1e-4 * scatter;
        let values = [Some(24.0), Some(0.125), Some(vout_v), Some(0.5), Some(40.0 + scatter), None];
        Reading::of(Instant(second * 1_000_000_000), values)
    };
    let rows: Vec<Reading> = (from_s..to_s).step_by(EVERY_S as usize).map(row).collect();
    let done = Duration::from_secs(to_s);
    Event::ReadingsTaken(Box::new(Readings { dwell: DwellId(dwell), done, held: false, judged: None, rows }))
}

fn tell(recorder: &mut Recorder, from_s: u64, to_s: u64, dwell: u32) {
    for begin in (from_s..to_s).step_by(600) {
        let end = (begin + 600).min(to_s);
        recorder.event(at(end * 1000), &readings(dwell, begin, end)).unwrap();
    }
}

fn start(number: u32, took_s: Result<f64, Unavailable>) -> Event {
    let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
    let started = took_s.is_ok();
    let before = Some(BeforeStart { vout_v: 0.02, was_off: true });
    Event::StartChecked(StartCheck {
        start: StartId(number),
        setting,
        before,
        took_s,
        vout_v: Ok(5.0),
        started,
    })
}

/// Four hours: a warm-up, a hold with a gap that is told and a break that is not, a failed start among three.
fn record_soak(out: &Path, is_finished: bool) -> PathBuf {
    record_soak_with(out, is_finished, None)
}

/// The same, with something that happened after two hours.
fn record_soak_with(out: &Path, is_finished: bool, happened: Option<&Event>) -> PathBuf {
    let mut recorder = Recorder::create(out, &header("B")).unwrap();
    let mut facts = sweep::facts("B", 0);
    facts.soak = Some(SoakFacts {
        interval: Duration::from_secs(EVERY_S),
        phases: vec!["warm-up".to_owned(), "hold".to_owned()],
        dwells_last: Duration::from_secs(6 * 3600),
        dwells: 2,
        starts: 3,
    });
    recorder.event(at(0), &Event::RunStarted(Box::new(facts))).unwrap();
    let phase = |phase: u16, name: &str| Event::PhaseStarted { phase, name: name.to_owned(), round: 1 };
    recorder.event(at(1), &phase(0, "warm-up")).unwrap();
    tell(&mut recorder, 0, 3600, 1);
    let steady = Event::DwellFinished {
        dwell: DwellId(1),
        took: Duration::from_secs(3600),
        end: DwellEnd::Steady,
        left_out: 0,
        setting: None,
    };
    recorder.event(at(3_600_001), &steady).unwrap();
    for (number, took) in
        [(1, Ok(0.05)), (2, Ok(0.06)), (3, Err(Unavailable::because("Vout was 0 V after 2 s")))]
    {
        recorder.event(at(3_600_002), &start(number, took)).unwrap();
    }
    recorder.event(at(3_600_003), &phase(1, "hold")).unwrap();
    tell(&mut recorder, 3610, 7200, 2);
    if let Some(event) = happened {
        recorder.event(at(7_200_000), event).unwrap();
    }
    let (from, to) = (Instant(7_190_000_000_000), Instant(7_800_000_000_000));
    let what = "the load did not answer".to_owned();
    let gap = Gap { from, to, missed: 60, cause: GapCause::Instrument, what };
    recorder.event(at(7_800_000), &Event::GapFound(gap)).unwrap();
    tell(&mut recorder, 7800, 10_800, 2);
    // Nothing for five minutes, and nobody says why.
    tell(&mut recorder, 11_100, 14_400, 2);
    if is_finished {
        tell_end(&mut recorder, 14_400_000, RunVerdict::Pass, [0, 0, 0]).unwrap();
        return recorder.seal().unwrap().record.folder().to_owned();
    }
    recorder.folder().to_owned()
}

#[test]
fn a_breach_that_was_told_but_not_counted_is_a_failure_all_the_same() {
    let out = TempDir::new().unwrap();
    let folder = record_soak(out.path(), false);
    let limits = Record::open(&folder).unwrap().facts().unwrap().limits.clone();
    let (mut recorder, _) = Recorder::resume(&folder).unwrap();
    let what = "limit is broken".to_owned();
    let broken = LimitBroken { limit: 1, at: BrokenAt::Dwell(DwellId(2)), what };
    recorder.event(at(14_400_001), &Event::LimitBroken(broken)).unwrap();
    drop(recorder);
    let soak = write_all(&folder).unwrap().report.summary.soak.unwrap();
    assert_eq!(soak.failures, [format!("limit {} was broken", limits[1].name), "a start failed".to_owned()]);
}

#[test]
fn a_table_of_readings_that_was_deleted_is_made_again_in_the_same_bytes_and_the_seal_holds() {
    let out = TempDir::new().unwrap();
    let folder = record_soak(out.path(), true);
    write_all(&folder).unwrap();
    let table = folder.join("samples.csv");
    let before = fs::read(&table).unwrap();
    fs::remove_file(&table).unwrap();
    write_all(&folder).unwrap();
    assert_eq!(fs::read(&table).unwrap(), before);
    assert_eq!(check_manifest(&folder).unwrap(), Some(Vec::new()));
}

#[test]
fn hours_are_as_long_as_what_was_held_however_the_readings_fall_into_it() {
    // Ten dwells of 11 s with a reading every 10 s: two readings in each.
    let told = |is_finished: bool| {
        let out = TempDir::new().unwrap();
        let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
        let mut facts = sweep::facts("B", 0);
        let (interval, dwells_last) = (Duration::from_secs(EVERY_S), Duration::from_secs(110));
        let phases = vec!["steps".to_owned()];
        facts.soak = Some(SoakFacts { interval, phases, dwells_last, dwells: 10, starts: 0 });
        recorder.event(at(0), &Event::RunStarted(Box::new(facts))).unwrap();
        let phase = Event::PhaseStarted { phase: 0, name: "steps".to_owned(), round: 1 };
        recorder.event(at(0), &phase).unwrap();
        for place in 0..10 {
            let (from, dwell) = (place * 11, u32::try_from(place).unwrap() + 1);
            recorder.event(at((from + 11) * 1000), &readings(dwell, from, from + 20)).unwrap();
            let (took, end) = (Duration::from_secs(11), DwellEnd::Time);
            let over = Event::DwellFinished { dwell: DwellId(dwell), took, end, left_out: 0, setting: None };
            if is_finished || place < 9 {
                recorder.event(at((from + 11) * 1000), &over).unwrap();
            }
        }
        let written = write_all(recorder.folder()).unwrap();
        let view = written.report.soak.as_ref().unwrap().as_ref().unwrap();
        let held: Duration = view.held.iter().map(|held| held.on).sum();
        (view.coverage.taken, held.as_secs(), (view.statement.board_hours * 3600.0).round())
    };
    assert_eq!(told(true), (20, 110, 110.0));
    assert_eq!(told(false), (20, 109, 109.0), "nobody knows what was behind the last reading");
}

/// Dwells of an hour, each at its own load, in which the board gives what it gives there and nothing changes.
fn record_loads(out: &Path, loads: &[f64]) -> PathBuf {
    let mut recorder = Recorder::create(out, &header("B")).unwrap();
    let mut facts = sweep::facts("B", 0);
    let (interval, dwells) = (Duration::from_secs(EVERY_S), loads.len() as u32);
    let (phases, dwells_last) = (vec!["steps".to_owned()], Duration::from_secs(3600) * dwells);
    facts.soak = Some(SoakFacts { interval, phases, dwells_last, dwells, starts: 0 });
    recorder.event(at(0), &Event::RunStarted(Box::new(facts))).unwrap();
    let phase = Event::PhaseStarted { phase: 0, name: "steps".to_owned(), round: 1 };
    recorder.event(at(0), &phase).unwrap();
    for (place, load) in loads.iter().enumerate() {
        let (from, dwell) = (place as u64 * 3600, place as u32 + 1);
        for begin in (from..from + 3600).step_by(600) {
            let Event::ReadingsTaken(mut taken) = readings(dwell, begin, begin + 600) else {
                panic!("readings")
            };
            for row in &mut taken.rows {
                let scatter = row.board_c.unwrap() - 40.0;
                (row.iout_a, row.vout_v) = (Some(*load), Some(5.0 - 0.1 * load + 1e-4 * scatter));
            }
            recorder.event(at((begin + 600) * 1000), &Event::ReadingsTaken(taken)).unwrap();
        }
        let (took, end) = (Duration::from_secs(3600), DwellEnd::Time);
        let setting = Some(Setting { vin: Volts(24.0), load: Amps(*load) });
        let over = Event::DwellFinished { dwell: DwellId(dwell), took, end, left_out: 0, setting };
        recorder.event(at((from + 3600) * 1000), &over).unwrap();
    }
    recorder.folder().to_owned()
}

#[test]
fn settings_that_lie_close_together_are_told_one_by_one_and_a_step_between_them_is_no_change_of_the_board() {
    let told = |loads: &[f64]| {
        let out = TempDir::new().unwrap();
        let written = write_all(&record_loads(out.path(), loads)).unwrap();
        let view = written.report.soak.as_ref().unwrap().as_ref().unwrap();
        let trends = view.trends.iter().map(|trends| (trends.setting.load.value(), trends.held_s));
        let changes = view.trends.iter().flat_map(|setting| &setting.trends);
        let changes =
            changes.filter(|trend| trend.changes.as_ref().is_ok_and(|found| !found.found.is_empty()));
        (view.held[0].settings, trends.collect::<Vec<_>>(), changes.count())
    };
    let close = [0.490, 0.495, 0.500];
    assert_eq!(told(&close), (Some(3), close.map(|load| (load, 3600.0)).to_vec(), 0));
    // Of too many none is told by itself, and what changes from one to the next is told of none.
    let many: Vec<f64> = (0..20).map(|place| 0.48 + 1e-3 * f64::from(place)).collect();
    assert_eq!(told(&many), (None, Vec::new(), 0));
}

#[test]
fn hours_behind_the_first_broken_limit_bound_nothing() {
    let what = "limit is broken".to_owned();
    let broken = Event::LimitBroken(LimitBroken { limit: 1, at: BrokenAt::Dwell(DwellId(2)), what });
    let [whole, broken] = [None, Some(&broken)].map(|happened| {
        let out = TempDir::new().unwrap();
        write_all(&record_soak_with(out.path(), true, happened)).unwrap().report.summary.soak.unwrap()
    });
    assert_eq!(whole.counted_hours, Some(whole.board_hours));
    // Two hours less the ten seconds between warm-up and hold; all of them had power.
    let until = (7200.0 - 10.0) / 3600.0;
    assert!((broken.counted_hours.unwrap() - until).abs() < 1e-8, "{broken:?}");
    assert_eq!(broken.board_hours, whole.board_hours);
    // chi-square(0.9; 6) is 10.6446 for two failures: the limit, and the start.
    assert!((broken.mtbf_at_least_h.unwrap() - 2.0 * until / 10.6446).abs() < 1e-4, "{broken:?}");
    assert!(
        broken.statement[0].ends_with("1.75 h behind the first broken limit do not count."),
        "{broken:?}"
    );
}

#[test]
fn a_board_that_was_not_off_before_has_not_started_and_no_bound_counts_it() {
    let stood = |number, vout_v: f64, started| {
        let Event::StartChecked(mut check) = start(number, Ok(0.05)) else { panic!("no start") };
        check.before = Some(BeforeStart { vout_v, was_off: false });
        check.started = started;
        Event::StartChecked(check)
    };
    let told = |starts: Vec<Event>| {
        let out = TempDir::new().unwrap();
        let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
        let mut facts = sweep::facts("B", 0);
        let (interval, phases) = (Duration::from_secs(10), vec!["cycles".to_owned()]);
        let dwells_last = Duration::from_secs(60);
        facts.soak = Some(SoakFacts { interval, phases, dwells_last, dwells: 1, starts: 9 });
        recorder.event(at(0), &Event::RunStarted(Box::new(facts))).unwrap();
        for (second, start) in (1u64..).zip(starts) {
            recorder.event(at(second * 1000), &start).unwrap();
        }
        let folder = recorder.folder().to_owned();
        drop(recorder);
        let report = report::build(&Record::open(&folder).unwrap());
        let soak = report.summary.soak.clone().unwrap();
        let starts = soak.starts.unwrap();
        ((starts.tried, starts.failed, starts.none), soak.statement[1].clone(), html::render(&report))
    };
    let (counts, shown, page) = told(vec![stood(1, 4.278, true), stood(2, 4.279, true)]);
    assert_eq!(counts, (0, 0, 2));
    let none =
        "nothing is shown: at 2 looks at a start the board had not been off before, so that none was made";
    assert_eq!(shown, none);
    for words in ["0 starts were looked at", "2 more looks saw no start", "4.278 V to 4.279 V"] {
        assert!(page.contains(words), "{words}");
    }
    let (counts, shown, _) = told(vec![start(1, Ok(0.05)), stood(2, 1.2, true), start(3, Ok(0.05))]);
    assert_eq!(counts, (2, 0, 1));
    assert!(shown.starts_with("0 failures in 2 starts:"), "{shown}");
    assert!(
        shown.ends_with("1 more look at a start does not count: the board had not been off before."),
        "{shown}"
    );
    // One that does not come to regulation has failed, whatever stood before.
    let (counts, _, _) = told(vec![stood(1, 1.2, false)]);
    assert_eq!(counts, (1, 1, 0));
}

#[test]
fn a_verdict_never_stands_without_what_the_hours_show() {
    let out = TempDir::new().unwrap();
    let folder = record_soak(out.path(), true);
    let written = write_all(&folder).unwrap();
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    let soak = written.report.summary.soak.as_ref().unwrap();
    let told = text::render(&written.report, Path::new("run"));
    insta::assert_snapshot!(told.lines().skip(3).take(5).collect::<Vec<_>>().join("\n"), @r"
    shown      1 failure in 3.75 board-hours: with 90 % confidence the MTBF is at least 0.963 h, if the failure rate is constant. Early failures and wear-out are not covered, and an MTBF is no service life. To show 10 h would take 23.1 board-hours without a failure.
               1 failure in 3 starts: with 90 % confidence at most 80.5 % of starts fail, if starts are independent and alike.
    readings   1349, 93.745 % of those that were due; 60 missing in 1 gap by instrument; 30 missing in 1 gap by controller
    drift      output voltage, hold at 24 V, 500 mA: −1.00000 mV (−1.00068 to −0.99932) an hour
    points     0 of 0 finished, 0 failed, 0 where no limit applies; 4 h
    ");
    assert_eq!(soak.failures, ["a start failed"]);
    assert_eq!(soak.starts.map(|starts| (starts.tried, starts.failed)), Some((3, 1)));
    let gaps: Vec<String> =
        soak.gaps.iter().map(|gap| format!("{} {} {}", gap.cause, gap.gaps, gap.readings)).collect();
    assert_eq!(gaps, ["instrument 1 60", "controller 1 30"]);
    let verdict = page.find("✓ PASS").unwrap();
    let statement = page.find("What these hours show.").unwrap();
    assert!(verdict < statement && statement < page.find("<h2>").unwrap());
    for words in [
        "The load did not answer",
        "has such a sensor: <code>ambient_c</code>.",
        "Vout was 0 V after 2 s",
        "steady",
        "No traces of captures",
    ] {
        assert!(page.contains(words), "{words}");
    }
    // One number is told alike everywhere, and a limit that is not drawn has no line.
    assert!(page.contains("<b>3.75 h</b>") && told.contains(" 3.75 board-hours"));
    assert!(!page.contains("Dashed red") && page.contains("A limit far from all values is not drawn."));
    assert!(!page.contains("Unfinished") && !page.contains("NaN"));
    let summary = fs::read_to_string(folder.join("summary.json")).unwrap();
    assert!(summary.contains("\"mtbf_at_least_h\""));
    assert!(junit::render(&written.report).unwrap().ends_with("</testsuites>\n"));
}

/// A soak of one hold of ten minutes, begun.
fn begin_hold(out: &Path) -> Recorder {
    let mut recorder = Recorder::create(out, &header("B")).unwrap();
    let mut facts = sweep::facts("B", 0);
    let (interval, dwells_last) = (Duration::from_secs(EVERY_S), Duration::from_secs(600));
    facts.soak =
        Some(SoakFacts { interval, phases: vec!["hold".to_owned()], dwells_last, dwells: 1, starts: 0 });
    recorder.event(at(0), &Event::RunStarted(Box::new(facts))).unwrap();
    recorder.event(at(0), &Event::PhaseStarted { phase: 0, name: "hold".to_owned(), round: 1 }).unwrap();
    recorder
}

/// Ten minutes in which the board's thermometer is frozen for one: every reading is there.
fn record_silence(out: &Path) -> PathBuf {
    let mut recorder = begin_hold(out);
    tell(&mut recorder, 0, 300, 1);
    let what = "it has said exactly 40 °C for 21 s: it is frozen".to_owned();
    recorder
        .event(
            at(300_000),
            &Event::SensorFailed {
                role: "board".parse().unwrap(),
                what,
                withheld: soakrig::event::Withheld::default(),
            },
        )
        .unwrap();
    let Event::ReadingsTaken(mut silent) = readings(1, 300, 360) else { unreachable!() };
    silent.rows.iter_mut().for_each(|row| row.board_c = None);
    recorder.event(at(360_000), &Event::ReadingsTaken(silent)).unwrap();
    tell(&mut recorder, 360, 600, 1);
    tell_end(&mut recorder, 600_000, RunVerdict::Pass, [0, 0, 0]).unwrap();
    recorder.seal().unwrap().record.folder().to_owned()
}

#[test]
fn full_coverage_never_stands_alone_where_a_sensor_said_nothing() {
    let out = TempDir::new().unwrap();
    let folder = record_silence(out.path());
    let written = write_all(&folder).unwrap();
    let told = text::render(&written.report, Path::new("run"));
    let lines: Vec<&str> =
        told.lines().filter(|line| line.starts_with("readings") || line.starts_with("not read")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    readings   60, 100 % of those that were due; not all of them hold every value
    not read   board_c in 6 readings (10.000 %), in 1 stretch: it has said exactly 40 °C for 21 s: it is frozen
    ");
    let soak = written.report.summary.soak.as_ref().unwrap();
    assert_eq!((soak.coverage_percent, soak.values_missing.len()), (Some(100.0), 1));
    let missing = &soak.values_missing[0];
    assert_eq!((missing.column.as_str(), missing.readings, missing.stretches), ("board_c", 6, 1));
    let summary = fs::read_to_string(folder.join("summary.json")).unwrap();
    assert!(summary.contains("\"values_missing\"") && summary.contains("it is frozen"));
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(
        !page.contains("No reading is missing.") && page.contains("but not all of them hold every value")
    );
    assert!(page.contains("<b>1</b><span>interruptions: gaps, holds and sensors that said nothing</span>"));
    let row =
        page.split("<h2>Sensors that said nothing</h2>").nth(1).unwrap().split("</table>").next().unwrap();
    for words in ["5 min", "11-23 16:09:10", "1 min", "board_c", "it is frozen"] {
        assert!(row.contains(words), "{words}: {row}");
    }
    // A screen beside the run counts alike.
    let live = state_of(&folder).soak().unwrap().coverage().clone();
    let view = written.report.soak.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(live, view.coverage);
}

#[test]
fn what_a_frozen_sensor_said_before_it_was_called_frozen_is_left_out_and_told() {
    let out = TempDir::new().unwrap();
    let folder = record_silence(out.path());
    let written = write_all(&folder).unwrap();
    let view = written.report.soak.as_ref().unwrap().as_ref().unwrap();
    // Noticed at 300 s, 21 s late: of the readings every ten seconds those at 280 s and 290 s.
    let known: Vec<_> = view.stood_still.iter().map(|known| (known.column, known.readings)).collect();
    assert_eq!(known, [("board_c", 2)]);
    let told = text::render(&written.report, Path::new("run"));
    assert!(told.contains("left out   board_c of 2 readings: it had stood still"), "{told}");
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains("what 2 readings held of it is left out"));
    let table = fs::read_to_string(folder.join("samples.csv")).unwrap();
    let row = table.lines().find(|row| row.starts_with("280.000,")).unwrap();
    assert!(row.split(',').nth(6).is_some_and(|board_c| !board_c.is_empty()), "the table keeps it: {row}");
    let board = view.hours[1].iter().map(|hour| hour.count).sum::<u64>();
    assert_eq!(board, 60 - 6 - 2, "they count for no hour");
}

/// A run that was killed in the fifth minute of its hold, as its dead-man has found it three minutes later.
fn record_killed(out: &Path) -> PathBuf {
    let mut recorder = begin_hold(out);
    tell(&mut recorder, 0, 240, 1);
    let what = "dead-man: the controller is gone; both were verified off after 0.2 s".to_owned();
    recorder.event(at(420_000), &Event::Warned { what }).unwrap();
    recorder.folder().to_owned()
}

#[test]
fn a_run_that_was_killed_is_not_fully_covered_and_what_it_lost_was_no_switching() {
    let out = TempDir::new().unwrap();
    let folder = record_killed(out.path());
    let record = Record::open(&folder).unwrap();
    let report = report::build(&record);
    let told = text::render(&report, Path::new("run"));
    let readings = told.lines().find(|line| line.starts_with("readings")).unwrap();
    insta::assert_snapshot!(readings, @"readings   24, 57.142 % of those that were due; 18 missing in 1 gap by controller");
    let view = report.soak.as_ref().unwrap().as_ref().unwrap();
    assert_eq!((view.pauses, view.gaps.len()), (Duration::ZERO, 1));
    let page = html::render(&report);
    assert!(
        !page.contains("No reading is missing") && page.contains("The run was cut off: what it had read")
    );
    let live = state_of(&folder).soak().unwrap().coverage_when_gone();
    assert_eq!(live, view.coverage);
    // Of a run to which a program still writes nothing is lost.
    let (_held, _) = Recorder::resume(&folder).unwrap();
    let written = write_at(&folder, None).unwrap();
    assert!(written.report.goes_on);
    assert_eq!(written.report.summary.soak.unwrap().coverage_percent, Some(100.0));
}

#[test]
fn what_a_dead_man_did_behind_the_end_is_one_story_and_neither_phase_nor_switching() {
    let out = TempDir::new().unwrap();
    let folder = record_killed(out.path());
    let (mut recorder, _) = Recorder::resume(&folder).unwrap();
    let safe = |verified: bool, what: &[&str]| {
        Event::MadeSafe(SafeState {
            load_off: verified,
            supply_off: verified,
            vout_v: Ok(0.0),
            verified,
            attempts: 1,
            failures: what.iter().map(|what| (*what).to_owned()).collect(),
        })
    };
    let what = "a reading has been missing for 20 s".to_owned();
    recorder.event(at(430_000), &Event::InterlockTripped { what: what.clone() }).unwrap();
    recorder.event(at(435_000), &safe(false, &["no answer"])).unwrap();
    let end = RunEnd {
        verdict: RunVerdict::Error,
        reason: RunEnd::unverified(&what),
        points_finished: 0,
        points_failed: 0,
        points_not_applicable: 0,
        outputs_off_verified: false,
    };
    recorder.event(at(436_000), &Event::RunFinished(end)).unwrap();
    let before = report::build(&Record::open(&folder).unwrap());
    assert!(before.summary.reason.contains("look at the bench now"), "{}", before.summary.reason);
    recorder.event(at(526_000), &safe(true, &[])).unwrap();
    drop(recorder);
    let report = report::build(&Record::open(&folder).unwrap());
    insta::assert_snapshot!(report.summary.reason, @"the run could not verify the outputs off; the dead-man has verified them off at 2026-11-23 16:12:56 UTC, 1 min 30 s after the run's end; a reading has been missing for 20 s");
    assert!(report.summary.outputs_off_verified && report.summary.verdict == "error");
    assert_eq!(state_of(&folder).end().unwrap().reason, report.summary.reason);
    let view = report.soak.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(view.timeline.stretches[0].span_s.1, 430.0);
    assert_eq!(view.pauses, Duration::from_secs(430 - 240));
}

#[test]
fn warming_up_again_is_told_apart_from_what_a_phase_held() {
    let out = TempDir::new().unwrap();
    let folder = record_killed(out.path());
    let (mut recorder, _) = Recorder::resume(&folder).unwrap();
    let resumed = |ms| {
        let what = "it was cut off".to_owned();
        (at(ms), Event::RunResumed(Resumed { gap: None, points_finished: 0, what }))
    };
    for (from_s, to_s) in [(500, 560), (600, 900)] {
        let (at, event) = resumed(from_s * 1000);
        recorder.event(at, &event).unwrap();
        tell(&mut recorder, from_s, to_s, 0);
    }
    tell(&mut recorder, 900, 1260, 1);
    tell_end(&mut recorder, 1_260_000, RunVerdict::Pass, [0, 0, 0]).unwrap();
    drop(recorder);
    let report = report::build(&Record::open(&folder).unwrap());
    let view = report.soak.as_ref().unwrap().as_ref().unwrap();
    // Nobody knows how long what was read last before a cut was still set.
    assert_eq!((view.held[0].on, view.rewarmed), (Duration::from_secs(590), (2, Duration::from_secs(350))));
    let told = text::render(&report, Path::new("run"));
    assert!(told.contains("again 2 times after a gap, 5 min 50 s together"), "{told}");
    assert!(html::render(&report).contains("<b>warming up again after a gap</b>"));
}

#[test]
fn a_phase_of_many_settings_is_told_by_what_was_set_and_not_by_what_was_read() {
    let out = TempDir::new().unwrap();
    let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
    let mut facts = sweep::facts("B", 0);
    let (interval, phases) = (Duration::from_secs(EVERY_S), vec!["ramp".to_owned()]);
    let dwells_last = Duration::from_secs(19 * 600);
    facts.soak = Some(SoakFacts { interval, phases, dwells_last, dwells: 19, starts: 0 });
    recorder.event(at(0), &Event::RunStarted(Box::new(facts))).unwrap();
    recorder.event(at(1), &Event::PhaseStarted { phase: 0, name: "ramp".to_owned(), round: 1 }).unwrap();
    for step in 0..19_u32 {
        // The board does not start there, and takes nothing of its load.
        let vin_v = 9.0 + 0.1 * f64::from(step);
        let from_s = u64::from(step) * 600 + 10;
        let row = |second: u64| {
            let values = [Some(vin_v - 0.04), Some(0.0), Some(0.0), Some(0.0), Some(25.0), None];
            Reading::of(Instant(second * 1_000_000_000), values)
        };
        let rows: Vec<Reading> = (from_s..from_s + 580).step_by(EVERY_S as usize).map(row).collect();
        let (dwell, done) = (DwellId(step + 1), Duration::from_secs(590));
        let read = Readings { dwell, done, held: false, judged: None, rows };
        recorder.event(at((from_s + 585) * 1000), &Event::ReadingsTaken(Box::new(read))).unwrap();
        let setting = Some(Setting { vin: Volts(vin_v), load: Amps(0.25) });
        let end = DwellEnd::Time;
        let finished = Event::DwellFinished { dwell, took: done, end, left_out: 0, setting };
        recorder.event(at((from_s + 586) * 1000), &finished).unwrap();
    }
    let folder = recorder.folder().to_owned();
    drop(recorder);
    let page = html::render(&report::build(&Record::open(&folder).unwrap()));
    let held = &page[page.find("What was held").unwrap()..];
    let held = &held[..held.find("</table>").unwrap()];
    for words in ["9 V to 10.8 V", ">250 mA<", "over 16"] {
        assert!(held.contains(words), "{words}: {held}");
    }
}

#[test]
fn a_drift_is_told_of_what_was_held_and_not_of_the_warm_up() {
    let out = TempDir::new().unwrap();
    let folder = record_soak(out.path(), true);
    let report = report::build(&Record::open(&folder).unwrap());
    let drift = report.summary.soak.unwrap().drift;
    assert!(drift.iter().all(|drift| drift.phase == "hold"), "{drift:?}");
    let vout = drift.iter().find(|drift| drift.figure == "output voltage").unwrap();
    let (low, high) = (vout.low.unwrap(), vout.high.unwrap());
    assert!(low < -1e-3 && -1e-3 < high && high < 0.0, "{low} to {high}");
    // What needs the thermometer that was never read says why it is none.
    let rise = drift.iter().find(|drift| drift.figure == "board over ambient").unwrap();
    assert!(rise.per_hour.is_none() && rise.why_not.is_some());
}

#[test]
fn what_happened_is_told_to_the_second_by_both_clocks_however_many_days_have_gone() {
    let out = TempDir::new().unwrap();
    let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
    recorder.event(at(0), &Event::RunStarted(Box::new(sweep::facts("B", 0)))).unwrap();
    let day_ms = 86_400_000;
    for (ms, what) in [(day_ms + 7_300, "a fan stood still"), (3 * day_ms + 7_384_000, "it turned again")] {
        recorder.event(at(ms), &Event::Warned { what: what.to_owned() }).unwrap();
    }
    let page = html::render(&report::build(&Record::open(recorder.folder()).unwrap()));
    let row = |what: &str| {
        let end = page.find(what).unwrap();
        let text = &page[page[..end].rfind("<tr>").unwrap()..end];
        text.split('<')
            .filter_map(|part| part.split_once('>'))
            .map(|(_, text)| text)
            .collect::<Vec<_>>()
            .join(" ")
    };
    insta::assert_snapshot!(["a fan stood still", "it turned again"].map(row).map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).join("\n"), @r"
    1 d 7 s 11-24 16:04:17 – warning
    3 d 2 h 3 min 4 s 11-26 18:07:14 – warning
    ");
}

#[test]
fn the_worst_of_every_figure_are_shown_with_their_traces_where_these_were_kept() {
    let out = TempDir::new().unwrap();
    let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
    let mut facts = sweep::facts("B", 5);
    let phases = vec!["full load".to_owned()];
    let (interval, dwells_last) = (Duration::from_secs(EVERY_S), Duration::from_secs(3600));
    facts.soak = Some(SoakFacts { interval, phases, dwells_last, dwells: 1, starts: 0 });
    recorder.event(at(0), &Event::RunStarted(Box::new(facts))).unwrap();
    recorder.event(at(1), &Event::PhaseStarted { phase: 0, name: "full load".to_owned(), round: 1 }).unwrap();
    // It gets warmer and less efficient; the switching frequency goes away and comes back.
    for (number, hertz) in [(1, 122e3), (2, 122.1e3), (3, 125e3), (4, 122.2e3), (5, 122e3)] {
        let ms = u64::from(number) * 600_000;
        if number > 2 {
            let trace = sweep::trace("B", "vout", "ripple", (24.0, 0.5), 6000);
            recorder.waveform(at(ms), PointId(number), &trace).unwrap();
        }
        let mut result = sweep::point("B", number, 24.0, 0.5);
        result.phase = Some(0);
        for (figure, value) in [
            (FigureName::Switching, hertz),
            (FigureName::BoardTemperature, 40.0 + f64::from(number)),
            (FigureName::Efficiency, 0.9 - 0.01 * f64::from(number)),
        ] {
            result.figures.insert(figure, Ok(value));
        }
        recorder.event(at(ms), &Event::PointFinished(Box::new(result))).unwrap();
    }
    let report = report::build(&Record::open(recorder.folder()).unwrap());
    let view = report.soak.as_ref().unwrap().as_ref().unwrap();
    let worst = |figure| {
        let of = view.worst.iter().find(|worst| worst.figure == figure).unwrap();
        of.points.iter().map(|point| (point.result.point.0, point.trace.is_ok())).collect::<Vec<_>>()
    };
    assert_eq!(worst(FigureName::BoardTemperature), [(5, true), (4, true), (3, true)]);
    assert_eq!(worst(FigureName::Efficiency), [(5, true), (4, true), (3, true)]);
    assert_eq!(worst(FigureName::Switching), [(3, true), (4, true), (2, false)]);
    assert!(view.worst.iter().all(|worst| worst.figure != FigureName::AmbientTemperature));
    let page = html::render(&report);
    let row = page.split("<tr>").find(|row| row.contains("125 kHz")).unwrap();
    for words in ["30 min", "11-23 16:34:10", "3, full load", "24 V, 500 mA", "<svg", "ripple, "] {
        assert!(row.contains(words), "{words}: {row}");
    }
}

#[test]
fn a_run_without_an_end_gives_the_same_page_marked_as_unfinished() {
    let out = TempDir::new().unwrap();
    let folder = record_soak(out.path(), false);
    let now = at(14_400_000 + 90_000).utc;
    let written = write_at(&folder, Some(now)).unwrap();
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert_eq!(written.report.summary.verdict, "incomplete");
    assert!(page.contains("Unfinished.") && page.contains("it was 1 min 40 s old"), "{}", &page[..4000]);
    assert!(page.contains("The whole run") && page.contains("Time to each limit"));
    // The outlook says how far it looks, and each cell of a narrow page what it is of.
    assert!(page.contains("up to 6 h") && page.contains("nothing farther than 2 d 12 h"));
    assert!(page.contains("data-label=\"start\">–</td>") && page.contains("data-label=\"reached\">"));
}

#[test]
fn a_soak_cut_at_any_line_gives_a_sound_page() {
    let out = TempDir::new().unwrap();
    let folder = record_soak(out.path(), true);
    let path = folder.join("journal.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = journal.split_inclusive('\n').collect();
    for cut in 1..=lines.len() {
        fs::write(&path, lines[..cut].concat() + if cut % 2 == 0 { "{\"seq\":" } else { "" }).unwrap();
        let report = report::build(&Record::open(&folder).unwrap());
        let page = html::render(&report);
        for bad in ["NaN", ">nan", " inf"] {
            assert!(!page.contains(bad), "{bad} in the page of a record cut after line {cut}");
        }
        assert_eq!(page.contains("Unfinished."), cut > 1 && cut < lines.len(), "{cut}");
        assert!(text::render(&report, &folder).contains("report.html"));
    }
}

/// An hour at 0.5 A with ten minutes of a hold in it, after which the run was released or cut off.
fn record_hold(out: &Path, is_released: bool) -> PathBuf {
    let mut recorder = Recorder::create(out, &header("B")).unwrap();
    let mut facts = sweep::facts("B", 0);
    facts.soak = Some(SoakFacts {
        interval: Duration::from_secs(EVERY_S),
        phases: vec!["hold".to_owned()],
        dwells_last: Duration::from_secs(3600),
        dwells: 1,
        starts: 0,
    });
    recorder.event(at(0), &Event::RunStarted(Box::new(facts))).unwrap();
    let phase = Event::PhaseStarted { phase: 0, name: "hold".to_owned(), round: 1 };
    recorder.event(at(0), &phase).unwrap();
    tell(&mut recorder, 0, 1800, 1);
    let load = LoadChange { from: Amps(0.5), to: Amps(0.25) };
    let what = "board temperature 91 °C is above 90 °C".to_owned();
    recorder.event(at(1_800_000), &Event::InterlockHeld { what, load: Some(load) }).unwrap();
    let Event::ReadingsTaken(mut held) = readings(1, 1800, 2400) else { panic!("readings") };
    held.held = true;
    // Anybody can see that these are of another load.
    held.rows.iter_mut().for_each(|row| (row.iout_a, row.vout_v) = (Some(0.25), Some(5.1)));
    recorder.event(at(2_400_000), &Event::ReadingsTaken(held)).unwrap();
    if !is_released {
        return recorder.folder().to_owned();
    }
    let (what, load) = ("the board has cooled".to_owned(), Some(LoadChange { from: load.to, to: load.from }));
    let released = Event::InterlockReleased { what, held: Duration::from_secs(600), load };
    recorder.event(at(2_400_000), &released).unwrap();
    tell(&mut recorder, 2400, 3600, 1);
    tell_end(&mut recorder, 3_600_000, RunVerdict::Pass, [0, 0, 0]).unwrap();
    recorder.seal().unwrap().record.folder().to_owned()
}

#[test]
fn what_was_read_while_held_is_drawn_and_told_apart_and_says_nothing_of_the_setting() {
    let out = TempDir::new().unwrap();
    let folder = record_hold(out.path(), true);
    let written = write_all(&folder).unwrap();
    let view = written.report.soak.as_ref().unwrap().as_ref().unwrap();
    let coverage = &view.coverage;
    assert_eq!((coverage.taken, coverage.held, coverage.due()), (300, 60, 360));
    assert_eq!((coverage.percent(), coverage.percent_held()), (Some(83.333), Some(16.667)));
    // One setting was held, for fifty minutes, and its drift is the one that it had.
    assert_eq!(
        view.held.iter().map(|held| (held.settings.unwrap(), held.on.as_secs())).collect::<Vec<_>>(),
        [(1, 3000)]
    );
    assert!((view.statement.board_hours - 3000.0 / 3600.0).abs() < 1e-9, "{}", view.statement.board_hours);
    let soak = written.report.summary.soak.as_ref().unwrap();
    let vout = soak.drift.iter().find(|drift| drift.figure == "output voltage").unwrap();
    assert!((vout.per_hour.unwrap() + 1e-3).abs() < 1e-4, "{vout:?}");
    assert_eq!(view.timeline.holds, [(1800.0, 2400.0)]);
    let highest =
        view.timeline.panels[1].curves[0].columns.iter().map(|column| column.max).fold(0.0, f64::max);
    assert!((highest - 5.1).abs() < 1e-9, "it is drawn: {highest}");
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    for words in ["Holds by an interlock", "500 mA to 250 mA", "read while held", "16.667 %", "Amber ground"]
    {
        assert!(page.contains(words), "{words}");
    }
    let told = text::render(&written.report, Path::new("run"));
    assert!(told.contains("; 60 while an interlock held the run, at a lowered load, 16.667 %"), "{told}");
    let table = fs::read_to_string(folder.join("samples.csv")).unwrap();
    assert!(table.starts_with("t_s,dwell,vin_v,iin_a,vout_v,iout_a,board_c,ambient_c,held\n"), "{table:.80}");
    assert_eq!(table.lines().filter(|line| line.ends_with(",1")).count(), 60);
}

#[test]
fn between_two_holds_of_points_nothing_is_missing_and_within_one_a_break_is_found() {
    let out = TempDir::new().unwrap();
    let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
    let mut facts = sweep::facts("B", 0);
    facts.soak = Some(SoakFacts {
        interval: Duration::from_secs(EVERY_S),
        phases: vec!["hold".to_owned()],
        dwells_last: Duration::from_secs(3600),
        dwells: 1,
        starts: 0,
    });
    recorder.event(at(0), &Event::RunStarted(Box::new(facts))).unwrap();
    // The points of a sweep are held from minute to minute; in the second hold a minute is missing.
    for (held_s, spans_s) in [(600, vec![(600, 700)]), (1800, vec![(1800, 1900), (1960, 2000)])] {
        let what = "board temperature 91 °C is above 90 °C".to_owned();
        recorder.event(at(held_s * 1000), &Event::InterlockHeld { what, load: None }).unwrap();
        let mut until_s = held_s;
        for (from_s, to_s) in spans_s {
            let Event::ReadingsTaken(mut held) = readings(0, from_s, to_s) else { panic!("readings") };
            held.held = true;
            recorder.event(at(to_s * 1000), &Event::ReadingsTaken(held)).unwrap();
            until_s = to_s;
        }
        let (what, held) = ("the board has cooled".to_owned(), Duration::from_secs(until_s - held_s));
        let released = Event::InterlockReleased { what, held, load: None };
        recorder.event(at(until_s * 1000), &released).unwrap();
    }
    tell_end(&mut recorder, 3_600_000, RunVerdict::Pass, [0, 0, 0]).unwrap();
    let report = report::build(&recorder.seal().unwrap().record);
    let view = report.soak.as_ref().unwrap().as_ref().unwrap();
    let gaps: Vec<(u64, u64)> = view
        .gaps
        .iter()
        .map(|gap| (gap.whole.from.0 / 1_000_000_000, gap.whole.to.0 / 1_000_000_000))
        .collect();
    assert_eq!(gaps, [(1890, 1960)]);
}

#[test]
fn a_hold_in_which_a_run_was_cut_off_lasted_as_long_as_it_was_read() {
    let out = TempDir::new().unwrap();
    let folder = record_hold(out.path(), false);
    let report = report::build(&Record::open(&folder).unwrap());
    let view = report.soak.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(view.timeline.holds, [(1800.0, 2390.0)]);
    assert!(html::render(&report).contains("not released"));
}

#[test]
fn points_left_out_more_often_than_there_are_any_leave_none_planned() {
    let out = TempDir::new().unwrap();
    let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
    let mut facts = sweep::facts("B", 5);
    let (interval, phases) = (Duration::from_secs(EVERY_S), vec!["hold".to_owned()]);
    facts.soak = Some(SoakFacts { interval, phases, dwells_last: interval, dwells: 2, starts: 0 });
    let left_out = |dwell| {
        let (dwell, took, end) = (DwellId(dwell), Duration::from_secs(60), DwellEnd::Time);
        Event::DwellFinished { dwell, took, end, left_out: u32::MAX, setting: None }
    };
    let mut state = State::default();
    for event in [Event::RunStarted(Box::new(facts)), left_out(1), left_out(2)] {
        state.take(at(0), &event);
        recorder.event(at(0), &event).unwrap();
    }
    let folder = recorder.folder().to_owned();
    drop(recorder);
    assert_eq!(report::build(&Record::open(&folder).unwrap()).summary.points.planned, 0);
    assert_eq!(state.soak().unwrap().counts().left_out, u32::MAX);
}

#[test]
fn a_sweep_behind_a_phase_that_was_not_steady_in_its_time_is_not_called_warm() {
    let point = |repeat| PointResult { repeat, ..sweep::point("B", repeat, 24.0, 0.5) };
    let results: Vec<PointResult> = (1..=3).map(point).collect();
    let points: Vec<(f64, &PointResult)> =
        results.iter().map(|result| (1000.0 * f64::from(result.repeat), result)).collect();
    let mut story = Story::default();
    let (name, span_s) = ("warm-up".to_owned(), (500.0, 1500.0));
    story.stretches.push(Stretch { phase: 0, name, round: 1, span_s, settled_s: 500.0 });
    for (steady, pair) in [(false, (1, 3, Warmth::Underway)), (true, (2, 3, Warmth::WarmedUp))] {
        let (phase, took) = (("warm-up".to_owned(), 1), Duration::from_secs(1000));
        story.steady.push(SteadyTime { phase, at_s: 1500.0, took, steady });
        assert_eq!(sweeps::build(&points, &story).pair, Some(pair));
    }
}
