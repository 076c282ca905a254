//! A soak that is cut off anywhere and gone on with: no point, dwell, start or phase twice, nothing acknowledged lost, every
//! dwell as long as planned, the verdict of an undisturbed run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use soakrig::engine::StopWish;
use soakrig::event::{DwellId, Event, RunVerdict, Stamp, Stop};
use soakrig::plan::{Overrides, Step};
use soakrig::record::products::check_manifest;
use soakrig::record::recover::Tail;
use soakrig::record::{Record, Recorder, read_readings};
use soakrig::session::{self, Finished, Onlooker, Pulse, RunRequest, Said, SessionError};

use super::{cut_off, line_ends};

/// Every kind of step: sweeps, warming up to a criterion, dwells of several batches, captures, steps, power cycles.
const SMALL: &str = r#"
name = "small-soak"
purpose = "A little of everything that a soak has."
vout_nominal = "5 V"
figures = ["vin_v", "iin_a", "vout_v", "iout_a", "board_c"]

[points]
vin = ["24 V"]
load = ["100 mA", "500 mA"]
order = "written"

[soak]
readings = "1 s"
capture_every = "90 s"
rewarm_after = "30 s"

[[soak.phases]]
name = "warm-up"
vin = "24 V"
load = "500 mA"
for = "5 min"
until = "3 K in 30 s"

[[soak.phases]]
name = "hold"
vin = "24 V"
load = "500 mA"
for = "150 s"

[[soak.phases]]
name = "steps"
pattern = "steps"
vin = "24 V"
load = ["100 mA", "300 mA"]
each = "10 s"
cycles = 1

[[soak.phases]]
name = "cycles"
pattern = "power_cycle"
vin = "24 V"
load = "250 mA"
on = "6 s"
off = "4 s"
cycles = 2

[settle]
band = "50 mV"
hold = "20 ms"
limit = "500 ms"

[interlocks]
over_temperature = "OVER degC"
lost_reading = "1 min"

[capture]
span = "60 us"
samples = 6000
keep = true
range_attempts = 1
noise_floor = false

[[limits]]
name = "output voltage"
figure = "vout_v"
min = "4.80 V"
max = "5.20 V"
"#;

pub(super) fn small(over_c: &str) -> String {
    SMALL.replace("OVER", over_c)
}

/// Sees every event and may ask to stop.
struct View<'v> {
    take: &'v mut (dyn FnMut(&Event, &StopWish) + Send),
    stop: &'v StopWish,
}

impl Onlooker for View<'_> {
    fn begun(&mut self, _: &Path) {}
    fn event(&mut self, _: Stamp, event: &Event) {
        (self.take)(event, self.stop);
    }
}

fn request<'a>(out: &'a Path, view: &'a mut View<'_>) -> RunRequest<'a> {
    let stop = view.stop;
    let program = Path::new("none");
    RunRequest {
        program,
        notify: None,
        out,
        seed: None,
        faults: None,
        full_tapes: false,
        view,
        stop,
        pulse: Pulse::default(),
    }
}

/// Runs a profile on the simulated bench; `take` may ask to stop.
pub(super) fn run(out: &Path, profile: &str, take: &mut (dyn FnMut(&Event, &StopWish) + Send)) -> Finished {
    std::fs::create_dir_all(out).unwrap();
    let profile_path = out.join("p.toml");
    std::fs::write(&profile_path, profile).unwrap();
    let rig = Path::new(env!("CARGO_MANIFEST_DIR")).join("rigs/sim.toml");
    let prepared = session::prepare(&profile_path, &rig, &Overrides::default()).unwrap();
    let stop = StopWish::default();
    session::run(prepared, &mut request(out, &mut View { take, stop: &stop })).unwrap()
}

pub(super) fn resume(folder: &Path, after_trip: bool) -> Result<Finished, SessionError> {
    let resumable = session::prepare_resume(folder, &Said { after_trip, ..Said::default() }, &mut |_, _| ())?;
    let stop = StopWish::default();
    session::resume(resumable, &mut request(folder, &mut View { take: &mut |_, _| {}, stop: &stop }))
}

/// What stands in a record of a soak, each kind in its order.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    pub(crate) points: Vec<u32>,
    pub(crate) dwells: Vec<u32>,
    pub(crate) starts: Vec<u32>,
    pub(crate) phases: Vec<(u32, u16)>,
    pub(crate) resumed: usize,
    /// Readings of each dwell.
    pub(crate) rows: BTreeMap<u32, usize>,
    /// How often a reading of each dwell was held against a limit.
    pub(crate) judged: BTreeMap<u32, u64>,
}

pub(crate) fn told(folder: &Path) -> Told {
    let mut told = Told::default();
    let record = Record::open(folder).unwrap();
    for logged in record.events() {
        match &logged.event {
            Event::PointFinished(result) => told.points.push(result.point.0),
            Event::DwellFinished { dwell, .. } if *dwell != DwellId::WARMING => told.dwells.push(dwell.0),
            Event::StartChecked(check) => told.starts.push(check.start.0),
            Event::PhaseStarted { phase, round, .. } => told.phases.push((*round, *phase)),
            Event::RunResumed(_) => told.resumed += 1,
            Event::ReadingsJudged(judged) => {
                *told.judged.entry(judged.dwell.0).or_default() += judged.judged();
            }
            _ => {}
        }
    }
    let mut last = None;
    read_readings(folder, |readings| {
        *told.rows.entry(readings.dwell.0).or_default() += readings.rows.len();
        for row in &readings.rows {
            assert!(last.is_none_or(|last| last < row.at), "a reading twice at {:?}", row.at);
            last = Some(row.at);
        }
    })
    .unwrap();
    told
}

/// What holds of a run that was gone on with until it was complete.
fn assert_like(whole: &Path, folder: &Path, resumes: usize, what: &str) {
    let (expected, is) = (told(whole), told(folder));
    assert_eq!(
        (&is.points, &is.dwells, &is.starts, &is.phases),
        (&expected.points, &expected.dwells, &expected.starts, &expected.phases),
        "{what}"
    );
    assert_eq!(is.resumed, resumes, "{what}");
    for (dwell, rows) in expected.rows.iter().filter(|(dwell, _)| **dwell > 1) {
        let now = is.rows[dwell];
        // Readings that were not yet kept are taken again, at other moments: one more at each cut.
        assert!(now >= *rows && now <= rows + resumes, "{what}: dwell {dwell} has {now} rows, not {rows}");
        let (now, then) = (is.judged.get(dwell), expected.judged.get(dwell));
        // Behind a cut what is set is given its time to settle again.
        let differ = now.copied().unwrap_or_default().abs_diff(then.copied().unwrap_or_default());
        assert!(differ <= 2 * resumes as u64, "{what}: of dwell {dwell} {now:?} are judged, not {then:?}");
    }
    let (whole, record) = (Record::open(whole).unwrap(), Record::open(folder).unwrap());
    let (then, now) = (whole.end().unwrap().1, record.end().unwrap().1);
    assert_eq!((now.verdict, now.points_finished), (then.verdict, then.points_finished), "{what}");
    assert!(now.outputs_off_verified, "{what}");
    let times: Vec<_> = record.events().iter().map(|logged| logged.at.monotonic).collect();
    assert!(times.is_sorted(), "{what}: the record's time goes on");
    assert_eq!(check_manifest(folder).unwrap(), Some(Vec::new()), "{what}: sealed");
    let rows: usize = is.rows.values().sum();
    let table = std::fs::read_to_string(folder.join("samples.csv")).unwrap();
    assert_eq!(table.lines().count(), rows + 1, "{what}");
}

fn cut_and_resume(whole: &Path, journal: &[u8], cut: usize, to: &Path) {
    let what = format!("cut at byte {cut}");
    cut_off(whole, &journal[..cut], to);
    let kept = cut - journal[..cut].iter().rev().position(|byte| *byte == b'\n').unwrap();
    resume(to, false).unwrap_or_else(|error| panic!("{what}: {error}"));
    let after = std::fs::read(to.join("journal.jsonl")).unwrap();
    assert!(after.starts_with(&journal[..kept]), "{what}: what was acknowledged is still there");
    assert_like(whole, to, 1, &what);
    std::fs::remove_dir_all(to).unwrap();
}

pub(super) fn whole_run(folder: &Path) -> (PathBuf, Vec<u8>) {
    let finished = run(&folder.join("whole"), &small("95"), &mut |_, _| {});
    assert_eq!(finished.outcome.end.verdict, RunVerdict::Pass, "{}", finished.outcome.end.reason);
    let journal = std::fs::read(finished.folder.join("journal.jsonl")).unwrap();
    (finished.folder, journal)
}

/// Cuts at these bytes, two at a time.
fn cut_all(whole: &Path, journal: &[u8], cuts: &[usize], folder: &Path) {
    std::thread::scope(|scope| {
        for half in [0, 1] {
            scope.spawn(move || {
                for cut in cuts.iter().skip(half).step_by(2) {
                    cut_and_resume(whole, journal, *cut, &folder.join(format!("cut{cut}")));
                }
            });
        }
    });
}

/// Behind each line, in its middle and at its last byte, from the line on with which the run has begun.
fn cuts_around(ends: &[usize], lines: impl Iterator<Item = usize>) -> Vec<usize> {
    lines.flat_map(|line| [ends[line], (ends[line] + ends[line + 1]) / 2, ends[line + 1] - 1]).collect()
}

#[test]
fn a_soak_cut_off_at_some_line_is_gone_on_with_and_nothing_is_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, journal) = whole_run(folder.path());
    let ends = line_ends(&journal);
    // Each line once, in turn behind it, in its middle and at its last byte.
    let lines = 1..ends.len() - 1;
    let cuts: Vec<usize> = cuts_around(&ends, lines)
        .into_iter()
        .enumerate()
        .filter(|(place, _)| place % 7 == 0)
        .map(|(_, cut)| cut)
        .collect();
    cut_all(&whole, &journal, &cuts, folder.path());
}

/// `cargo test --test it -- --ignored --nocapture a_soak_cut_off_at_every_line`
#[test]
#[ignore = "minutes: a soak's journal is cut behind each of its lines"]
#[allow(clippy::print_stdout)]
fn a_soak_cut_off_at_every_line_is_gone_on_with_and_nothing_is_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, journal) = whole_run(folder.path());
    let ends = line_ends(&journal);
    // From the line on with which the run has begun; behind the last one nothing is left to be done.
    let cuts = &ends[1..ends.len() - 1];
    cut_all(&whole, &journal, cuts, folder.path());
    println!("{} lines, cut behind {} of them, each gone on with to its end", ends.len(), cuts.len());
}

/// What is left to be done after a cut depends on the whole lines alone: at these bytes it is what it is behind the last one.
fn assert_same_rest(whole: &Path, journal: &[u8], cuts: impl Iterator<Item = usize>, to: &Path) -> usize {
    let rest = |cut: usize| {
        std::fs::write(to.join("journal.jsonl"), &journal[..cut]).unwrap();
        let resumable = session::prepare_resume(to, &Said::default(), &mut |_, _| ()).unwrap();
        // Whether the board is warmed up again depends on the wall clock, too.
        let mut steps = resumable.prepared.plan.steps;
        steps.retain(|step| *step != Step::Dwell(DwellId::WARMING));
        (resumable.finished, steps)
    };
    cut_off(whole, journal, to);
    let (mut behind, mut count) = (None, 0);
    for cut in cuts {
        let line = cut - journal[..cut].iter().rev().position(|byte| *byte == b'\n').unwrap();
        if behind.as_ref().is_none_or(|(known, _)| *known != line) {
            behind = Some((line, rest(line)));
        }
        assert_eq!(Some((line, rest(cut))), behind, "cut at byte {cut}");
        count += 1;
    }
    count
}

#[test]
fn whatever_is_left_of_a_torn_line_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, journal) = whole_run(folder.path());
    let ends = line_ends(&journal);
    let is_short = |line: &usize| ends[line + 1] - ends[*line] < 250;
    let lines: Vec<usize> = (1..ends.len() - 1).filter(is_short).step_by(20).collect();
    let cuts = lines.iter().flat_map(|line| ends[*line]..ends[line + 1]);
    assert!(assert_same_rest(&whole, &journal, cuts, &folder.path().join("cut")) > 100);
}

/// All that is read of a journal, its readings apart.
fn is_same(read: &Record, expected: &Record) -> bool {
    read.events() == expected.events()
        && read.waveforms() == expected.waveforms()
        && read.screens() == expected.screens()
        && (read.run(), read.started()) == (expected.run(), expected.started())
        && (read.last_readings(), read.last(), read.last_work())
            == (expected.last_readings(), expected.last(), expected.last_work())
}

/// Cuts the journal at every byte of a line: what is read is what stands behind the line before it, and gone on with it is
/// again what stood there, byte for byte.
fn recover_at_every_byte(journal: &[u8], ends: &[usize], line: usize, to: &Path) {
    let (path, kept) = (to.join("journal.jsonl"), ends[line - 1]);
    std::fs::write(&path, &journal[..kept]).unwrap();
    let expected = Record::open(to).unwrap();
    for cut in kept..ends[line] {
        std::fs::write(&path, &journal[..cut]).unwrap();
        let read = Record::open(to).unwrap_or_else(|error| panic!("cut at byte {cut}: {error}"));
        let torn = match read.tail() {
            Tail::Whole => (line as u64 + 1, 0),
            Tail::Torn { line, bytes, .. } => (*line, *bytes),
        };
        assert_eq!(torn, (line as u64 + 1, (cut - kept) as u64), "cut at byte {cut}");
        assert!(is_same(&read, &expected), "cut at byte {cut}");
        let (recorder, resumed) = Recorder::resume(to).unwrap();
        drop(recorder);
        assert_eq!(resumed.tail(), read.tail(), "cut at byte {cut}");
        assert!(std::fs::read(&path).unwrap() == journal[..kept], "cut at byte {cut}");
    }
}

/// With the test above and `a_soak_cut_off_at_every_line`: at whatever byte a journal is cut, the run is gone on with as
/// behind the last whole line.
///
/// `cargo test --test it -- --ignored --nocapture at_every_byte`
#[test]
#[ignore = "minutes: a journal is cut at every byte"]
#[allow(clippy::print_stdout)]
fn whatever_is_left_of_a_torn_line_changes_nothing_at_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, journal) = whole_run(folder.path());
    let ends = line_ends(&journal);
    let next = AtomicUsize::new(1);
    std::thread::scope(|scope| {
        for half in [0, 1] {
            let (to, whole, journal, ends, next) =
                (folder.path().join(format!("half{half}")), &whole, &journal, &ends, &next);
            scope.spawn(move || {
                cut_off(whole, journal, &to);
                loop {
                    let line = next.fetch_add(1, Ordering::Relaxed);
                    if line >= ends.len() {
                        return;
                    }
                    recover_at_every_byte(journal, ends, line, &to);
                }
            });
        }
    });
    println!("{} lines, recovered at {} bytes", ends.len(), journal.len() - ends[0]);
    // What is left to be done is a function of what is read; here it is built anew at some bytes of each line.
    let cuts = (2..ends.len()).flat_map(|line| {
        let (from, to) = (ends[line - 1], ends[line]);
        [from, from + 1, (from + to) / 2, to - 1]
    });
    let count = assert_same_rest(&whole, &journal, cuts, &folder.path().join("rest"));
    println!("what is left to be done is the same at {count} bytes");
    // Before the first line is whole there is no run.
    let to = folder.path().join("header");
    cut_off(&whole, &journal, &to);
    for cut in 0..ends[0] {
        std::fs::write(to.join("journal.jsonl"), &journal[..cut]).unwrap();
        assert!(
            Record::open(&to).is_err()
                && session::prepare_resume(&to, &Said::default(), &mut |_, _| ()).is_err(),
            "{cut}"
        );
    }
}

#[test]
fn a_soak_cut_off_again_and_again_also_while_it_warms_up_again_ends_like_an_undisturbed_one() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, journal) = whole_run(folder.path());
    let run = folder.path().join("run");
    let ends = line_ends(&journal);
    cut_off(&whole, &journal[..ends[ends.len() / 2]], &run);
    for resumes in 1..=6 {
        resume(&run, false).unwrap();
        assert_like(&whole, &run, resumes, &format!("resumed {resumes} times"));
        if resumes == 6 {
            break;
        }
        // A little further than where it was gone on with: among what makes the bench ready, while warming up, behind it.
        let journal = std::fs::read(run.join("journal.jsonl")).unwrap();
        let ends = line_ends(&journal);
        let text = String::from_utf8(journal.clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let resumed = lines.iter().rposition(|line| line.contains("\"run_resumed\"")).unwrap();
        let cut = ends[resumed + 3 * resumes];
        let rest = folder.path().join(format!("rest{resumes}"));
        cut_off(&run, &journal[..cut], &rest);
        std::fs::remove_dir_all(&run).unwrap();
        std::fs::rename(&rest, &run).unwrap();
    }
}

#[test]
fn a_soak_that_a_person_stopped_is_gone_on_with_sealed_anew_and_both_ends_stand_in_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, _) = whole_run(folder.path());
    for asks in [1, 2] {
        let mut readings = 0;
        let stopped = run(&folder.path().join(format!("stopped{asks}")), &small("95"), &mut |event, stop| {
            readings += usize::from(matches!(event, Event::ReadingsTaken(_)));
            if readings == 3 {
                (0..asks).for_each(|_| stop.ask());
                readings += 1;
            }
        });
        assert_eq!(stopped.outcome.end.verdict, RunVerdict::Stopped);
        // Copied elsewhere: nothing in the folder knows where it stood.
        let moved = folder.path().join(format!("on another disk {asks}"));
        super::copy(&stopped.folder, &moved);
        std::fs::remove_dir_all(&stopped.folder).unwrap();
        assert_eq!(check_manifest(&moved).unwrap(), Some(Vec::new()));
        resume(&moved, false).unwrap();
        assert_like(&whole, &moved, 1, &format!("asked to stop {asks} times"));
        let record = Record::open(&moved).unwrap();
        let ends = record.events().iter().filter(|logged| matches!(logged.event, Event::RunFinished(_)));
        assert_eq!(ends.count(), 2);
        let told = record.events().iter().find_map(|logged| match &logged.event {
            Event::RunResumed(resumed) => Some(resumed.what.clone()),
            _ => None,
        });
        assert!(told.as_ref().is_some_and(|told| told.starts_with("it had ended: stopped")), "{told:?}");
        let again = resume(&moved, true).unwrap_err().to_string();
        assert!(again.contains("there is nothing to resume"), "{again}");
        let word = if asks == 1 { Stop::AfterPoint } else { Stop::Now };
        assert!(record.events().iter().any(|logged| logged.event == Event::StopRequested { stop: word }));
    }
}

#[test]
fn a_soak_whose_disk_runs_short_was_stopped_by_nobody_and_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, _) = whole_run(folder.path());
    let short = run(&folder.path().join("short"), &small("95"), &mut |event, stop| {
        if matches!(event, Event::PhaseStarted { phase: 1, .. }) {
            stop.run_short("only 5 MB are free on the disk".to_owned());
        }
    });
    let end = &short.outcome.end;
    assert_eq!((end.verdict, end.reason.as_str()), (RunVerdict::Error, "only 5 MB are free on the disk"));
    assert!(end.outputs_off_verified);
    resume(&short.folder, false).unwrap();
    assert_like(&whole, &short.folder, 1, "disk short");
}

#[test]
fn a_soak_that_tripped_is_gone_on_with_only_where_a_person_says_so_and_never_forgets_it() {
    let folder = tempfile::tempdir().unwrap();
    let tripped = run(&folder.path().join("tripped"), &small("26"), &mut |_, _| {});
    assert_eq!(tripped.outcome.end.verdict, RunVerdict::Tripped, "{:?}", tripped.outcome.end);
    let before = std::fs::read(tripped.folder.join("journal.jsonl")).unwrap();
    let refused = resume(&tripped.folder, false).unwrap_err().to_string();
    assert!(refused.contains("--after-trip"), "{refused}");
    assert_eq!(std::fs::read(tripped.folder.join("journal.jsonl")).unwrap(), before);
    assert_eq!(check_manifest(&tripped.folder).unwrap(), Some(Vec::new()), "still sealed");
    let points = told(&tripped.folder).points;
    let again = resume(&tripped.folder, true).unwrap();
    assert!(again.outcome.end.reason.contains("gone on with after an interlock had tripped"));
    let now = told(&tripped.folder);
    assert!(now.points.starts_with(&points) && now.resumed == 1, "{now:?}");
    assert_eq!(check_manifest(&tripped.folder).unwrap(), Some(Vec::new()), "sealed anew");
}

#[test]
fn a_record_that_was_changed_after_its_seal_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let stopped = run(&folder.path().join("stopped"), &small("95"), &mut |event, stop| {
        if matches!(event, Event::PhaseStarted { .. }) {
            stop.ask();
            stop.ask();
        }
    });
    std::fs::write(stopped.folder.join("plan.txt"), "another plan").unwrap();
    let refused = resume(&stopped.folder, false).unwrap_err().to_string();
    assert!(refused.contains("plan.txt was changed after the run was sealed"), "{refused}");
}
