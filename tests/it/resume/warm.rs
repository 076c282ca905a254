//! A soak that warms up by a criterion: captures show how it does, what is left when it is warm is left out, the sweep behind it
//! is what the end is held against; and a soak that ended with an error is gone on with.

use std::path::{Path, PathBuf};

use soakrig::event::{DwellEnd, DwellId, Event, PointResult, RunVerdict};
use soakrig::plan::{Overrides, Plan};
use soakrig::record::Record;
use soakrig::report;
use soakrig::report::soak::sweeps::Warmth;
use soakrig::session;

use super::soak::{resume, run, small, told};
use super::{cut_off, line_ends};

const WARMING: &str = r#"
name = "warming"
purpose = "Warms up by a criterion, then holds."
vout_nominal = "5 V"
figures = ["vin_v", "iin_a", "vout_v", "iout_a", "board_c"]

[points]
vin = ["24 V"]
load = ["250 mA"]

[soak]
readings = "5 s"
capture_every = "10 min"
duration = "30 min"

[[soak.phases]]
name = "warm-up"
vin = "24 V"
load = "500 mA"
for = "4 h"
until = "1 K/30 min"
once = true

[[soak.phases]]
name = "hold"
vin = "24 V"
load = "500 mA"
for = "20 min"

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
range_attempts = 1
noise_floor = false

[[limits]]
name = "output voltage"
figure = "vout_v"
min = "4.80 V"
max = "5.20 V"
"#;

fn plan(folder: &Path, profile: &str) -> Plan {
    let path = folder.join("plan.toml");
    std::fs::write(&path, profile).unwrap();
    let rig = Path::new(env!("CARGO_MANIFEST_DIR")).join("rigs/sim.toml");
    session::prepare(&path, &rig, &Overrides::default()).unwrap().plan
}

/// The end of the warming up: after how many dwells, and how many points it left out.
fn warmed(record: &Record) -> (DwellId, u32) {
    let mut ends = record.events().iter().filter_map(|logged| match logged.event {
        Event::DwellFinished { dwell, end: DwellEnd::Steady, left_out, .. } => Some((dwell, left_out)),
        _ => None,
    });
    ends.next().unwrap()
}

fn captures(record: &Record, phase: u16) -> usize {
    record.points().iter().filter(|point: &&&PointResult| point.phase == Some(phase)).count()
}

#[test]
fn a_board_that_warms_up_is_captured_and_what_would_have_waited_longer_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let whole = run(&folder.path().join("whole"), WARMING, &mut |_, _| {});
    assert_eq!(whole.outcome.end.verdict, RunVerdict::Pass, "{:?}", whole.outcome.end);
    let plan = plan(folder.path(), WARMING);
    let record = Record::open(&whole.folder).unwrap();
    let (dwell, left_out) = warmed(&record);
    assert!(dwell.0 > 2 && left_out > 0, "warm in dwell {dwell:?}, {left_out} points left out");
    assert_eq!(captures(&record, 0), dwell.0 as usize, "one in each ten minutes, and one of the warm board");
    assert_eq!(record.points().len() as u32 + left_out, plan.points.len() as u32);
    // The judge has watched on across the captures: half an hour in one piece is more than any dwell has.
    assert!(plan.soak.as_ref().unwrap().dwells[0].span.as_secs() == 600);

    // Whenever the board is warm, the duration is filled.
    let held: u64 = record
        .events()
        .iter()
        .filter_map(|logged| match &logged.event {
            Event::DwellFinished { dwell: id, took, .. } if *id > dwell => Some(took.as_secs()),
            _ => None,
        })
        .sum();
    assert_eq!(held, 1800);
    assert_eq!(captures(&record, 1), 3);

    let report = report::build(&record);
    assert_eq!(
        (report.summary.points.planned, report.summary.points.finished),
        (record.points().len() as u32, record.points().len() as u32)
    );
    let view = report.soak.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(view.sweeps.pair, Some((2, 3, Warmth::WarmedUp)), "warm is compared with warm");
    let steady = &view.story.steady[0];
    assert!(steady.took.as_secs() > 1800 && steady.steady, "{steady:?}");
    assert!(report::html::render(&report).contains("is the first one behind the warm-up"));

    // Cut off while it warms up, right when it was warm, and behind that: nothing is done twice, nothing is forgotten.
    let journal = std::fs::read(whole.folder.join("journal.jsonl")).unwrap();
    let text = String::from_utf8(journal.clone()).unwrap();
    let line_of = |word: &str| text.lines().position(|line| line.contains(word)).unwrap();
    let ends = line_ends(&journal);
    let steady = line_of("\"end\":\"steady\"");
    for (what, line) in [("while it warms up", steady / 2), ("just warm", steady), ("behind it", steady + 3)]
    {
        let cut = folder.path().join(format!("cut at {line}"));
        cut_off(&whole.folder, &journal[..ends[line]], &cut);
        let again = resume(&cut, false).unwrap();
        assert_eq!(again.outcome.end.verdict, RunVerdict::Pass, "{what}: {:?}", again.outcome.end);
        let (then, now) = (told(&whole.folder), told(&cut));
        assert!(now.points.is_sorted() && now.dwells.is_sorted(), "{what}: {now:?}");
        assert_eq!(now.points.last(), then.points.last(), "{what}");
        let record = Record::open(&cut).unwrap();
        assert_eq!(record.points().len() as u32 + warmed(&record).1, plan.points.len() as u32, "{what}");
    }
}

#[test]
fn a_criterion_without_time_for_a_capture_has_none_and_the_plan_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let quick = plan(folder.path(), &WARMING.replace("1 K/30 min", "1 K/5 min"));
    assert!(quick.points.iter().all(|point| point.phase != Some(0)));
    let text = soakrig::plan::render::render_plan(&quick);
    assert!(text.contains("no captures: this criterion has no time for one"), "{text}");
    let usual = plan(folder.path(), WARMING);
    assert_eq!(usual.points.iter().filter(|point| point.phase == Some(0)).count(), 24);
    let text = soakrig::plan::render::render_plan(&usual);
    assert!(text.contains("together 4 h 30 min at most; 30 min of it are held however soon"), "{text}");
    assert!(text.contains("up to 4 h less where the board is warm sooner"), "{text}");
}

/// A soak whose disk takes no trace any more once two are kept: where they lie is a file.
fn failed(folder: &Path) -> PathBuf {
    let (out, mut finished) = (folder.join("failed"), 0);
    let place = |out: &Path| {
        let runs = std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path().join("waveforms"));
        let is_run = |place: &PathBuf| {
            let run = place.parent().unwrap();
            run.is_dir() && run.file_name() != Some("aside".as_ref())
        };
        runs.into_iter().find(is_run).unwrap()
    };
    let run = run(&out, &small("95"), &mut |event, _| {
        finished += u32::from(matches!(event, Event::PointFinished(_)));
        if finished == 2 {
            finished += 1;
            std::fs::rename(place(&out), out.join("aside")).unwrap();
            std::fs::write(place(&out), "").unwrap();
        }
    });
    std::fs::remove_file(place(&out)).unwrap();
    std::fs::rename(out.join("aside"), place(&out)).unwrap();
    run.folder
}

#[test]
fn a_soak_that_ended_with_an_error_and_without_a_trip_is_gone_on_with_without_being_asked_twice() {
    let folder = tempfile::tempdir().unwrap();
    let run = failed(folder.path());
    let record = Record::open(&run).unwrap();
    assert!(record.tripped().is_none());
    // What could not be written may be the end itself; then the run is gone on with as one that was cut off.
    let (_, end) = record.end().unwrap();
    assert_eq!(end.verdict, RunVerdict::Error);
    assert!(end.outputs_off_verified && !end.is_complete(), "{end:?}");
    let points = told(&run).points;
    let again = resume(&run, false).unwrap();
    assert_eq!(again.outcome.end.verdict, RunVerdict::Pass, "{:?}", again.outcome.end);
    assert!(!again.outcome.end.reason.contains("tripped"), "{}", again.outcome.end.reason);
    let now = told(&run);
    assert!(now.points.starts_with(&points) && now.points.is_sorted() && now.resumed == 1, "{now:?}");
    let record = Record::open(&run).unwrap();
    let what = record.events().iter().find_map(|logged| match &logged.event {
        Event::RunResumed(resumed) => Some(resumed.what.clone()),
        _ => None,
    });
    assert!(what.as_ref().is_some_and(|what| what.starts_with("it had ended: error")), "{what:?}");
    assert!(resume(&run, false).unwrap_err().to_string().contains("there is nothing to resume"));
}
