//! A soak on a served bench whose controller is killed at random instants, for real, and gone on with each time until it is
//! complete. A few kills are in every test run; hundreds are printed by `figures_of_killed_soaks`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use soakrig::base::clock::{Clock, RealClock};
use soakrig::event::{Event, GapCause, RunEnd, RunVerdict};
use soakrig::record::products::check_manifest;
use soakrig::record::{Record, read_readings};

use super::deadman::{OFF, await_off};
use super::deaths::{await_all_gone, print};
use super::numbers::Numbers;
use super::process::{Running, Served, serve};
use crate::resume::soak::{Told, told};

const SOAK: &str = r#"
name = "killed-soak"
purpose = "A few seconds of every kind of step."
vout_nominal = "5 V"
figures = ["vin_v", "vout_v", "iout_a"]

[points]
vin = ["24 V"]
load = ["100 mA"]

[soak]
readings = "100 ms"
capture_every = "2 s"
rewarm_after = "1 h"

[[soak.phases]]
name = "hold"
vin = "24 V"
load = "200 mA"
for = "4 s"

[[soak.phases]]
name = "steps"
pattern = "steps"
vin = "24 V"
load = ["100 mA", "300 mA"]
each = "500 ms"
cycles = 1

[[soak.phases]]
name = "cycles"
pattern = "power_cycle"
vin = "24 V"
load = "200 mA"
on = "500 ms"
off = "500 ms"
cycles = 2

[settle]
band = "50 mV"
hold = "100 ms"
limit = "2 s"

[interlocks]
lost_reading = "1 min"

[capture]
span = "60 us"
samples = 6000
range_attempts = 1
noise_floor = false
"#;

pub(super) fn spawn(arguments: &[&Path], verb: &str) -> Running {
    let mut command: Command = crate::cli::program();
    command.arg(verb).args(arguments).arg("--quiet").stdout(Stdio::null()).stderr(Stdio::piped());
    Running(command.spawn().unwrap())
}

/// Waits until the run has begun: the drill of the dead-man comes first and takes its time.
fn await_begun(running: &mut Running, out: &Path, clock: &RealClock) {
    let has_begun = || {
        let mut runs = std::fs::read_dir(out).unwrap();
        let journal =
            runs.find_map(|run| std::fs::read_to_string(run.unwrap().path().join("journal.jsonl")).ok());
        journal.is_some_and(|journal| journal.contains("run_started"))
    };
    let until = clock.now() + Duration::from_secs(120);
    while !has_begun() {
        if running.0.try_wait().unwrap().is_some() || clock.now() > until {
            let _ = running.0.kill();
            panic!("no run has begun: {}", await_all_gone(running));
        }
        clock.sleep(Duration::from_millis(20));
    }
}

/// The whole lines of a journal.
fn acknowledged(run: &Path) -> Vec<u8> {
    let mut journal = std::fs::read(run.join("journal.jsonl")).unwrap();
    let whole = journal.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
    journal.truncate(whole);
    journal
}

/// What came of a soak that was killed until it was complete.
#[derive(Default)]
struct Killed {
    count: usize,
    /// From each kill until the outputs were off, where something was on.
    spans: Vec<Duration>,
}

/// A soak that has begun, with its files and its record in `folder`, and its run folder.
pub(super) fn begin(served: &Served, folder: &Path, clock: &RealClock) -> (Running, PathBuf) {
    begin_profile((served, SOAK), folder, clock)
}

/// The same of another profile.
pub(super) fn begin_profile(
    (served, soak): (&Served, &str),
    folder: &Path,
    clock: &RealClock,
) -> (Running, PathBuf) {
    let (rig, profile, out) = (folder.join("rig.toml"), folder.join("p.toml"), folder.join("out"));
    std::fs::write(&rig, &served.rig).unwrap();
    std::fs::write(&profile, soak).unwrap();
    std::fs::create_dir(&out).unwrap();
    let mut running = spawn(&[&profile, Path::new("--rig"), &rig, Path::new("--out"), &out], "run");
    await_begun(&mut running, &out, clock);
    let run = std::fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
    (running, run)
}

/// The end of a soak that nobody kills, and what its record tells.
struct Undisturbed {
    end: RunEnd,
    told: Told,
}

fn run_undisturbed(served: &Served, clock: &RealClock) -> Undisturbed {
    let folder = tempfile::tempdir().unwrap();
    let (mut running, run) = begin(served, folder.path(), clock);
    let said = await_all_gone(&mut running);
    assert_eq!(running.0.wait().unwrap().code(), Some(0), "{said}");
    let end = Record::open(&run).unwrap().end().unwrap().1.clone();
    Undisturbed { end, told: told(&run) }
}

/// A soak that is killed again and again until it is complete.
fn kill_until_complete(
    (served, undisturbed): (&Served, &Undisturbed),
    clock: &RealClock,
    numbers: &mut Numbers,
) -> Killed {
    // It stays where something does not hold.
    let folder = tempfile::tempdir().unwrap().keep();
    let (mut running, run) = begin(served, &folder, clock);
    let (mut killed, mut known) = (Killed::default(), Vec::new());
    while killed.count < 200 {
        let what = format!("{} after {} kills", run.display(), killed.count);
        let until = clock.now() + Duration::from_secs(9).mul_f64(numbers.next());
        let mut code = None;
        while code.is_none() && clock.now() < until {
            clock.sleep(Duration::from_millis(5));
            code = running.0.try_wait().unwrap();
        }
        if let Some(code) = code {
            let said = await_all_gone(&mut running);
            assert_eq!(code.code(), Some(0), "{what}: {said}");
            assert!(acknowledged(&run).starts_with(&known), "{what}: what was acknowledged is lost");
            assert_complete(&run, undisturbed, killed.count);
            std::fs::remove_dir_all(folder).unwrap();
            return killed;
        }
        let struck = clock.now();
        running.0.kill().unwrap();
        running.0.wait().unwrap();
        killed.count += 1;
        let (supply, load) = served.outputs();
        let took = await_off(served, clock, struck);
        killed.spans.extend(((supply.as_str(), load.as_str()) != OFF).then_some(took));
        let before = acknowledged(&run);
        assert!(before.starts_with(&known), "{what}: what was acknowledged is lost");
        let said = await_all_gone(&mut running);
        // What it had said before it was killed still stands when everybody has gone, and the outputs stay off.
        let (supply, load) = served.outputs();
        assert_eq!((supply.as_str(), load.as_str()), OFF, "{what}: {said}");
        known = acknowledged(&run);
        assert!(known.starts_with(&before), "{what}: what was acknowledged is lost: {said}");
        // It may have been killed behind its last line.
        if Record::open(&run).unwrap().end().is_some() {
            assert_complete(&run, undisturbed, killed.count);
            std::fs::remove_dir_all(folder).unwrap();
            return killed;
        }
        running = spawn(&[&run], "resume");
    }
    panic!("not complete after 200 kills");
}

fn assert_complete(run: &Path, undisturbed: &Undisturbed, kills: usize) {
    let what = format!("{} after {kills} kills", run.display());
    let (is, expected) = (told(run), &undisturbed.told);
    assert_eq!(
        (&is.points, &is.dwells, &is.starts, &is.phases),
        (&expected.points, &expected.dwells, &expected.starts, &expected.phases),
        "{what}"
    );
    assert!(is.resumed <= kills, "{what}");
    let record = Record::open(run).unwrap();
    assert_eq!(record.end().unwrap().1, &undisturbed.end, "{what}");
    if run.join("manifest.sha256").exists() {
        assert_eq!(check_manifest(run).unwrap(), Some(Vec::new()), "{what}");
    }
    for facts in record.waveforms() {
        record.waveform(facts).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    let mut last = None;
    read_readings(run, |readings| {
        for row in &readings.rows {
            assert!(last.is_none_or(|last| last < row.at), "{what}: a reading twice");
            last = Some(row.at);
        }
    })
    .unwrap();
    for logged in record.events() {
        match &logged.event {
            Event::DwellFinished { dwell, took, .. } => {
                assert!(took.as_millis() >= 500, "{what}: dwell {} was cut short to {took:?}", dwell.0);
            }
            Event::RunResumed(resumed) => assert!(resumed.gap.is_some(), "{what}"),
            _ => {}
        }
    }
    assert_absences_told(&record, &what);
}

/// Each time the soak was gone on with, the readings that nobody was there to take are told before.
fn assert_absences_told(record: &Record, what: &str) {
    let mut away = 0;
    for logged in record.events() {
        match &logged.event {
            Event::GapFound(gap) if gap.cause == GapCause::Controller => away += 1,
            Event::RunResumed(_) => {
                assert!(away > 0, "{what}: an absence is not told");
                away = 0;
            }
            _ => {}
        }
    }
}

#[test]
fn a_soak_that_is_killed_at_random_instants_is_gone_on_with_until_it_is_complete() {
    let (served, clock) = (serve(), RealClock::new());
    let undisturbed = run_undisturbed(&served, &clock);
    assert_eq!(undisturbed.end.verdict, RunVerdict::Pass);
    kill_until_complete((&served, &undisturbed), &clock, &mut Numbers(0x0BAD_5EED_CAFE));
}

/// Benches side by side: a soak mostly waits.
const BENCHES: u64 = 4;

/// `SOAKRIG_KILLS=300 cargo test --test it -- --ignored --nocapture figures_of_killed_soaks`
#[test]
#[ignore = "a quarter of an hour: hundreds of kills, for the figures"]
#[allow(clippy::print_stdout)]
fn figures_of_killed_soaks() {
    let wanted = std::env::var("SOAKRIG_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    let (kills, soaks, spans) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let kill_on = |bench: u64| {
        let (served, clock) = (serve(), RealClock::new());
        let (undisturbed, mut numbers) =
            (run_undisturbed(&served, &clock), Numbers(0x5EED_0000_0001 + bench));
        while kills.load(Ordering::SeqCst) < wanted {
            let killed = kill_until_complete((&served, &undisturbed), &clock, &mut numbers);
            let kills = kills.fetch_add(killed.count, Ordering::SeqCst) + killed.count;
            let soaks = soaks.fetch_add(1, Ordering::SeqCst) + 1;
            spans.lock().unwrap().extend(killed.spans);
            println!("{soaks} soaks complete after {kills} kills");
        }
    };
    std::thread::scope(|scope| {
        for bench in 0..BENCHES {
            let kill_on = &kill_on;
            scope.spawn(move || kill_on(bench));
        }
    });
    let spans = spans.into_inner().unwrap();
    let off = kills.load(Ordering::SeqCst) - spans.len();
    print("controllers of soaks killed", spans, &format!(" ({off} more had nothing switched on)"));
}
