//! Readings of a soak are held against the limits: a board that is bad for hours and good at its points does not pass.

use std::path::Path;

use soakrig::event::{BrokenAt, DwellId, Event, LimitBroken, ReadingsJudged, RunVerdict};
use soakrig::record::Record;
use soakrig::report::soak::story::MarkKind;
use soakrig::report::{html, junit, text, write_all};
use soakrig::session::Finished;

use super::soak::{resume, run, told};
use super::{cut_off, line_ends};

/// The sweep stays away from the setting that is held.
const PROFILE: &str = r#"
name = "breach"
purpose = "Holds full load in parts, with a capture between."
vout_nominal = "5 V"
figures = ["vin_v", "iin_a", "vout_v", "iout_a", "board_c", "noise_pp_20mhz_v"]

[points]
vin = ["24 V"]
load = ["100 mA"]

[soak]
readings = "1 s"
capture_every = "CAPTURE"

[[soak.phases]]
name = "full load"
vin = "24 V"
load = "500 mA"
for = "10 min"

[interlocks]
over_temperature = "95 degC"

[capture]
span = "60 us"
samples = 6000
range_attempts = 1
noise_floor = false

[[limits]]
name = "output"
figure = "vout_v"
LIMIT
when = "load >= 400 mA"

[[limits]]
name = "noise"
figure = "noise_pp_20mhz_v"
max = "500 mV"
when = "load >= 400 mA"
"#;

const KEPT: &str = "min = \"4.8 V\"\nmax = \"5.2 V\"";
const BROKEN: &str = "min = \"5.15 V\"";

fn soak(folder: &Path, limit: &str, capture: &str) -> Finished {
    run(folder, &PROFILE.replace("LIMIT", limit).replace("CAPTURE", capture), &mut |_, _| {})
}

fn broken(record: &Record) -> Vec<LimitBroken> {
    let events = record.events().iter().filter_map(|logged| match &logged.event {
        Event::LimitBroken(broken) => Some(broken.clone()),
        _ => None,
    });
    events.collect()
}

fn judged(record: &Record) -> Vec<ReadingsJudged> {
    let events = record.events().iter().filter_map(|logged| match &logged.event {
        Event::ReadingsJudged(judged) => Some(judged.clone()),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_board_that_is_bad_in_its_readings_and_good_at_its_points_fails_and_everybody_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let finished = soak(folder.path(), BROKEN, "1 h");
    let end = &finished.outcome.end;
    assert_eq!((end.verdict, end.points_failed), (RunVerdict::Fail, 0), "{}", end.reason);
    let record = Record::open(&finished.folder).unwrap();
    let judged = judged(&record);
    let [dwell] = judged.as_slice() else { panic!("{judged:?}") };
    let check = dwell.checks[0];
    // All but those of the first two seconds, the time that a point has to settle.
    assert!((595..=600).contains(&check.judged) && check.failed == check.judged, "{check:?}");
    assert_eq!(end.reason, format!("readings break a limit {} times", check.failed));
    let first = broken(&record);
    assert_eq!(first.len(), 1, "told once: {first:?}");
    assert_eq!((first[0].limit, first[0].at), (0, BrokenAt::Dwell(dwell.dwell)));
    assert!(
        first[0].what.starts_with("limit `output` (at least 5.15 V) is broken: output voltage"),
        "{first:?}"
    );

    let report = write_all(&finished.folder).unwrap().report;
    let limit = &report.summary.limits[0];
    let readings = limit.readings.unwrap();
    assert_eq!((limit.failed, readings.failed, readings.dwells_failed), (0, check.failed, 1));
    assert!(readings.worst < 5.15 && readings.first_s.unwrap() > 2.0, "{readings:?}");
    let told = text::render(&report, Path::new("run"));
    assert!(told.contains("readings broken, in 1 dwell, worst") && told.contains("  fail "), "{told}");
    assert!(told.contains("1 failure in"), "what the hours show counts it: {told}");
    let view = report.soak.as_ref().unwrap().as_ref().unwrap();
    assert!(view.timeline.marks.iter().any(|(_, kind)| *kind == MarkKind::Broken));
    assert!(html::render(&report).contains("limit broken for the first time"));
    assert!(junit::render(&report).unwrap().contains("broken in readings"));
}

#[test]
fn a_good_board_passes_with_its_readings_counted_and_every_limit_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let finished = soak(folder.path(), KEPT, "4 min");
    let end = &finished.outcome.end;
    assert_eq!(end.verdict, RunVerdict::Pass, "{}", end.reason);
    let record = Record::open(&finished.folder).unwrap();
    assert_eq!(broken(&record), Vec::new());
    assert_eq!(judged(&record).len(), 3, "each dwell tells its own");
    let report = write_all(&finished.folder).unwrap().report;
    let readings = report.summary.limits[0].readings.unwrap();
    assert!(readings.judged > 580 && readings.failed == 0 && readings.first_s.is_none(), "{readings:?}");
    assert_eq!(report.summary.limits[1].readings, None, "no reading tells a noise");
    let view = report.soak.as_ref().unwrap().as_ref().unwrap();
    let bounds =
        |title: &str| view.timeline.panels.iter().find(|panel| panel.title == title).unwrap().bounds.clone();
    assert_eq!(bounds("output voltage"), [4.8, 5.2]);
    assert_eq!(bounds("ripple, noise"), [0.5]);
}

#[test]
fn a_breach_is_told_once_and_still_fails_the_run_when_the_controller_died_right_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let whole = soak(&folder.path().join("whole"), BROKEN, "1 h");
    let journal = std::fs::read(whole.folder.join("journal.jsonl")).unwrap();
    let text = String::from_utf8(journal.clone()).unwrap();
    let line = text.lines().position(|line| line.contains("limit_broken")).unwrap();
    let to = folder.path().join("cut");
    cut_off(&whole.folder, &journal[..line_ends(&journal)[line]], &to);
    let finished = resume(&to, false).unwrap();
    assert_eq!(finished.outcome.end.verdict, RunVerdict::Fail, "{}", finished.outcome.end.reason);
    assert_eq!(broken(&Record::open(&to).unwrap()).len(), 1);
}

/// The soak as it stood when its journal ended behind the line of so many batches of readings.
fn cut_behind_batch(whole: &Finished, batches: usize, to: &Path) {
    let journal = std::fs::read(whole.folder.join("journal.jsonl")).unwrap();
    let text = String::from_utf8(journal.clone()).unwrap();
    let lines = || text.lines().enumerate();
    let mut taken = lines().filter(|(_, line)| line.contains("\"readings_taken\""));
    let (line, _) = taken.nth(batches - 1).unwrap();
    assert!(lines().take(line).all(|(_, line)| !line.contains("readings_judged")), "the dwell goes on");
    cut_off(&whole.folder, &journal[..line_ends(&journal)[line]], to);
}

fn sum(judged: &[ReadingsJudged], of: fn(&ReadingsJudged) -> u64) -> u64 {
    judged.iter().map(of).sum()
}

#[test]
fn a_dwell_that_has_no_end_is_held_against_its_limits_as_far_as_it_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let whole = soak(&folder.path().join("whole"), BROKEN, "1 h");
    let to = folder.path().join("cut");
    cut_behind_batch(&whole, 6, &to);
    let kept = told(&to).rows[&1] as u64;
    let report = write_all(&to).unwrap().report;
    let limit = &report.summary.limits[0];
    let readings = limit.readings.expect("it was held against what was read");
    // All but those of the time that a point has to settle.
    assert!((kept - 3..=kept).contains(&readings.judged), "{readings:?} of {kept}");
    assert_eq!((readings.failed, readings.dwells_failed), (readings.judged, 1));
    assert!(limit.is_broken() && readings.worst < 5.15, "{limit:?}");
    let undisturbed = write_all(&whole.folder).unwrap().report.summary.limits[0].readings.unwrap();
    assert_eq!(readings.first_s, undisturbed.first_s);
    let shown = report.summary.soak.as_ref().unwrap();
    assert_eq!(shown.failures, ["limit output was broken"]);
    let page = text::render(&report, Path::new("run"));
    assert!(page.contains("1 failure in") && page.contains("readings broken, in 1 dwell, worst"), "{page}");
    assert!(!html::render(&report).contains("No failure"));
    assert!(junit::render(&report).unwrap().contains("broken in readings"));
}

#[test]
fn readings_that_were_kept_before_a_cut_are_held_against_the_limits_once_and_no_others_are() {
    let folder = tempfile::tempdir().unwrap();
    for (word, limit, verdict) in [("good", KEPT, RunVerdict::Pass), ("bad", BROKEN, RunVerdict::Fail)] {
        let whole = soak(&folder.path().join(word), limit, "1 h");
        let to = folder.path().join(format!("{word}-cut"));
        cut_behind_batch(&whole, 6, &to);
        let end = resume(&to, false).unwrap().outcome.end;
        assert_eq!(end.verdict, verdict, "{}", end.reason);
        let record = Record::open(&to).unwrap();
        let (is, kept) = (judged(&record), told(&to).rows.values().sum::<usize>() as u64);
        let (count, failed) = (sum(&is, ReadingsJudged::judged), sum(&is, ReadingsJudged::failed));
        // All but the time that a point has to settle: at the begin, while the board is warmed up again, and behind that.
        assert!((kept - 9..=kept).contains(&count), "{word}: {count} of {kept} readings");
        let summary = write_all(&to).unwrap().report.summary;
        let readings = summary.limits[0].readings.unwrap();
        assert_eq!((readings.judged, readings.failed), (count, failed), "{word}");
        if verdict == RunVerdict::Fail {
            assert_eq!(failed, count);
            assert_eq!(end.reason, format!("readings break a limit {failed} times"));
            // Times go on behind the cut, also those within an event.
            let resumed = record.events().iter().find(|logged| matches!(logged.event, Event::RunResumed(_)));
            let after = is.iter().skip(1).map(|part| part.checks[0].first.unwrap());
            assert!(after.min().unwrap() >= resumed.unwrap().at.monotonic, "{is:?}");
        }
        let parts: Vec<u32> = is.iter().map(|part| part.dwell.0).collect();
        assert_eq!(parts, [1, DwellId::WARMING.0, 1], "the board was warmed up again between them");
    }
}

/// Captures at full load; what breaks a limit is read in between, at a light load.
const AROUND: &str = r#"[[soak.phases]]
name = "before"
vin = "24 V"
load = "500 mA"
for = "65 s"

[[soak.phases]]
name = "light"
vin = "24 V"
load = "50 mA"
for = "4 s"

[[soak.phases]]
name = "behind"
vin = "24 V"
load = "500 mA"
for = "150 s"
"#;

/// The points whose traces were kept, in their order, and what was warned of.
fn evidence(folder: &Path) -> (Vec<u32>, Vec<String>) {
    let (mut kept, mut warned) = (Vec::new(), Vec::new());
    for logged in Record::open(folder).unwrap().events() {
        match &logged.event {
            Event::EvidenceKept { point, .. } => kept.push(point.0),
            Event::Warned { what } => warned.push(what.clone()),
            _ => {}
        }
    }
    (kept, warned)
}

#[test]
fn what_is_to_be_kept_around_a_breach_is_kept_also_behind_a_cut_or_told_as_lost() {
    let folder = tempfile::tempdir().unwrap();
    let hold = "[[soak.phases]]\nname = \"full load\"\nvin = \"24 V\"\nload = \"500 mA\"\nfor = \"10 min\"\n";
    let rules = "capture_every = \"10 s\"\nevidence = { before = 2, after = 6, worst = 0, every = 5 }\n";
    let profile = PROFILE
        .replace(hold, AROUND)
        .replace("capture_every = \"CAPTURE\"\n", rules)
        .replace("LIMIT\nwhen = \"load >= 400 mA\"", "min = \"5.5 V\"\nwhen = \"load <= 50 mA\"");
    let whole = run(&folder.path().join("whole"), &profile, &mut |_, _| {});
    assert_eq!(whole.outcome.end.verdict, RunVerdict::Fail, "{}", whole.outcome.end.reason);
    let expected = evidence(&whole.folder).0;
    let journal = std::fs::read(whole.folder.join("journal.jsonl")).unwrap();
    let text = String::from_utf8(journal.clone()).unwrap();
    let place = |word: &str, from: usize| {
        let behind = text.lines().enumerate().skip(from).find(|(_, line)| line.contains(word));
        behind.map(|(line, _)| line).unwrap()
    };
    let broken = place("\"limit_broken\"", 0);
    let first = place("\"evidence_kept\"", broken);
    let kept_before = text.lines().take(broken).filter(|line| line.contains("\"evidence_kept\"")).count();
    assert_eq!(expected.len(), kept_before + 2 + 6 + 2, "two before, six behind, each fifth: {expected:?}");
    let cut = |line: usize, name: &str| {
        let to = folder.path().join(name);
        cut_off(&whole.folder, &journal[..line_ends(&journal)[line]], &to);
        resume(&to, false).unwrap();
        evidence(&to)
    };
    let lost = |warned: &[String]| {
        let told: Vec<&str> = warned
            .iter()
            .filter_map(|what| what.split_once(" captures that should"))
            .map(|(count, _)| count)
            .collect();
        told.join(", ")
    };
    // Behind the two of before and the first two of behind; and between a point and its traces.
    let mut line = first;
    for _ in 0..3 {
        line = place("\"evidence_kept\"", line + 1);
    }
    let (kept, warned) = cut(line, "in-the-middle");
    assert_eq!((kept, lost(&warned)), (expected.clone(), String::new()));
    let point = place("\"point_finished\"", line + 1);
    let (kept, warned) = cut(point, "without-its-traces");
    assert_eq!(lost(&warned), "1", "{warned:?}");
    let count = |kept: &[u32]| kept.iter().filter(|point| **point > expected[kept_before + 1]).count();
    assert!(count(&kept) >= 6, "six behind it: {kept:?}, not {expected:?}");
    // Right behind the breach, whose two captures of before were only in memory; and before it.
    let (kept, warned) = cut(broken, "at-the-breach");
    assert_eq!(lost(&warned), "2", "{warned:?}");
    assert_eq!(kept[kept_before..], expected[kept_before + 2..]);
    let (kept, warned) = cut(place("\"phase_started\"", place("\"phase_started\"", 0) + 1), "before-it");
    assert_eq!(lost(&warned), "2", "{warned:?}");
    assert_eq!(kept[kept_before..], expected[kept_before + 2..]);
}
