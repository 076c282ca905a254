//! Controllers that are killed, suspended or left by their dead-man, for real: the outputs go off and the journal says why.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use soakrig::base::clock::{Clock, Instant, RealClock, SimClock};
use soakrig::deadman::release::release;
use soakrig::event::AT_IT;
use soakrig::instrument::dialect::Registry;
use soakrig::instrument::open::Surroundings;
use soakrig::link::transport::RealOpener;
use soakrig::record::Record;

use super::process::{Running, Served, await_in_journal, serve, start};
use crate::cli::Told;

pub(super) const OFF: (&str, &str) = ("OFF", "0");

/// Waits until load and supply are off, and says how long that took.
pub(super) fn await_off(served: &Served, clock: &RealClock, from: Instant) -> Duration {
    loop {
        let (supply, load) = served.outputs();
        let took = clock.now().since(from);
        if (supply.as_str(), load.as_str()) == OFF {
            return took;
        }
        assert!(took < Duration::from_secs(30), "still {supply} and {load} after {took:?}");
        clock.sleep(Duration::from_millis(2));
    }
}

/// A run with its outputs on.
pub(super) fn start_energised(served: &Served) -> (Running, tempfile::TempDir) {
    let (running, folder) = start(served);
    await_in_journal(&folder.path().join("out"), "point_started");
    (running, folder)
}

/// The record as far as it goes, whole and readable.
pub(super) fn read_record(out: &Path) -> Record {
    let folder = std::fs::read_dir(out).unwrap().next().unwrap().unwrap().path();
    Record::open(&folder).unwrap()
}

/// Kills the controller of a run; how long it took until the outputs were off, and the journal.
fn kill_and_time(served: &Served, clock: &RealClock) -> (Duration, String) {
    let (mut running, folder) = start_energised(served);
    let killed = clock.now();
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    let took = await_off(served, clock, killed);
    let out = folder.path().join("out");
    let journal = await_in_journal(&out, "made_safe");
    read_record(&out);
    (took, journal)
}

/// Sends a signal to the run's only child.
fn signal_dead_man(running: &Running, name: &str) {
    let parent = running.0.id().to_string();
    let is_child = |pid: &String| {
        // `pid (name) state ppid ...`; the name may hold blanks.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.split_whitespace().nth(1) == Some(&parent))
    };
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let child = pids.filter(|name| name.parse::<u32>().is_ok()).find(is_child);
    let child = child.expect("a run on real instruments has a dead-man");
    assert!(Command::new("kill").args([&format!("-{name}"), &child]).status().unwrap().success());
}

fn assert_told(journal: &str, why: &str) {
    let warned = journal.lines().rfind(|line| line.contains("dead-man: ")).expect(journal);
    assert!(warned.contains(why) && warned.contains("verified off after"), "{warned}");
    let safe = journal.lines().rfind(|line| line.contains("made_safe")).expect(journal);
    assert!(safe.contains("\"verified\":true"), "{safe}");
}

#[test]
fn a_controller_that_is_killed_leaves_the_outputs_off_and_the_journal_says_so() {
    let (served, clock) = (serve(), RealClock::new());
    for _ in 0..3 {
        let (_, journal) = kill_and_time(&served, &clock);
        assert_told(&journal, "the controller is gone and did not send it away");
    }
}

#[test]
fn a_run_that_was_killed_is_resumed_on_the_same_bench_and_finishes_every_point_once() {
    let served = serve();
    let (mut running, folder) = start_energised(&served);
    let out = folder.path().join("out");
    await_in_journal(&out, "point_finished");
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    await_in_journal(&out, "made_safe");
    let run = std::fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
    let done = crate::cli::program().arg("resume").arg(&run).output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{told}");
    let record = Record::open(&run).unwrap();
    let points: Vec<u32> = record.points().iter().map(|result| result.point.0).collect();
    assert_eq!(points, [1, 2, 3, 4], "{told}");
    let journal = std::fs::read_to_string(run.join("journal.jsonl")).unwrap();
    assert_eq!(journal.matches("\"point_finished\"").count(), 4, "{journal}");
    assert!(journal.contains("\"run_resumed\""), "{journal}");
    assert_eq!(served.outputs(), (OFF.0.to_owned(), OFF.1.to_owned()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_dead_man_whose_bench_is_gone_holds_supply_and_load_alone_and_is_named_to_whoever_wants_them() {
    let [bench, other] = [crate::cli::Served::start(), crate::cli::Served::start()];
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| crate::cli::file(&folder, name, text);
    let (rig, profile) = (file("rig.toml", &bench.rig), file("p.toml", super::process::PROFILE));
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let run = |rig: &Path| {
        let mut command = crate::cli::program();
        command.arg("run").arg(&profile).arg("--rig").arg(rig).arg("--out").arg(&out);
        command
    };
    let mut command = run(&rig);
    let mut running = Running(command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap());
    await_in_journal(&out, "point_started");
    // Locks are taken in the order of the addresses, which is that of no role.
    let [source, load, thermometer] =
        ["source", "load", "thermometer"].map(|role| bench.addresses[role].clone());
    // The whole bench goes, and with it the only way to see that anything is off.
    drop(bench);
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    let mut lines = BufReader::new(running.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("attempt 1 to switch off")), "the dead-man has taken over");
    // The record tells that it is still at it, not only that it once began.
    let noted = || await_in_journal(&out, AT_IT).matches(AT_IT).count();
    while noted() < 3 {
        std::thread::sleep(Duration::from_millis(50));
    }
    let record = std::fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
    let status = crate::cli::soakrig(&["status", crate::cli::arg(&record)]).out;
    assert!(status.contains("its dead-man has been switching off since"), "{status}");

    let refused = Told::of(&mut run(&rig));
    let named = refused.err.split_once("(process ");
    let Some((_, named)) = named else { panic!("{:?} {}\n{}", refused.exit, refused.out, refused.err) };
    let process = named.split(')').next().unwrap().to_owned();
    let is_named = |address: &str| refused.err.contains(&format!("{address} is used by the dead-man"));
    assert!(is_named(&source) || is_named(&load), "{}", refused.err);
    assert!(refused.err.contains("as soon as supply and load are verified off"), "{}", refused.err);
    // Its thermometer is free for another bench, whose supply and load are others.
    let rig = other.rig.replace(&other.addresses["thermometer"], &thermometer);
    let told = Told::of(&mut run(&file("other.toml", &rig)));
    assert!(!told.err.contains("is used by") && !told.out.contains("is used by"), "{}{}", told.out, told.err);
    assert!(Command::new("kill").args(["-9", &process]).status().unwrap().success());
    let freed = || !Told::of(&mut run(&folder.path().join("rig.toml"))).err.contains("is used by");
    assert!((0..50).any(|_| freed()), "the lock ends with the process that holds it");
}

#[test]
fn what_comes_before_an_attempt_to_switch_off_comes_before_every_one_of_an_hour() {
    // The opener of real links opens none of these.
    let rig = soakrig::plan::rig::parse("sim.toml", include_str!("../../../rigs/sim.toml")).unwrap();
    let surroundings = Surroundings {
        opener: Arc::new(RealOpener),
        clock: Arc::new(SimClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap())),
        registry: Arc::new(Registry::built_in().unwrap()),
        tape: None,
        cut: soakrig::base::cut::Cut::default(),
    };
    let (before, mut attempts) = (std::cell::Cell::new(0), Vec::new());
    let found = release(&rig, &surroundings, &mut || before.set(before.get() + 1), &mut |told| {
        attempts.push((before.get(), told.starts_with(&format!("attempt {} to switch off", before.get()))));
    });
    assert!(!found.verified && found.attempts as usize == attempts.len(), "{found:?}");
    let [told] = found.failures.as_slice() else { panic!("each is told once: {found:?}") };
    assert!(told.starts_with(&format!("attempts 1 to {0}, {0} times: ", found.attempts)), "{told}");
    assert!(attempts.len() > 50, "{attempts:?}");
    assert!(attempts.iter().zip(1..).all(|(attempt, number)| *attempt == (number, true)), "{attempts:?}");
}

/// `cargo test --release --test it -- --ignored --nocapture hundreds_of_kills`
#[test]
#[ignore = "minutes: 200 kills, for the figures"]
#[allow(clippy::print_stdout)]
fn hundreds_of_kills_leave_the_outputs_off() {
    let (served, clock) = (serve(), RealClock::new());
    let mut spans: Vec<Duration> = (0..200).map(|_| kill_and_time(&served, &clock).0).collect();
    spans.sort();
    println!(
        "from kill to outputs off, {} kills: median {:?}, longest {:?}",
        spans.len(),
        spans[100],
        spans[199]
    );
}

#[test]
fn a_controller_that_is_suspended_is_ended_and_the_outputs_go_off() {
    let (served, clock) = (serve(), RealClock::new());
    let (mut running, folder) = start_energised(&served);
    let suspended = clock.now();
    running.signal("STOP");
    await_off(&served, &clock, suspended);
    assert_eq!(running.0.wait().unwrap().code(), None, "it was killed");
    let journal = await_in_journal(&folder.path().join("out"), "made_safe");
    assert_told(&journal, "no sign of life for 10.");
}

#[test]
fn a_run_that_loses_its_dead_man_trips_and_ends_with_the_outputs_off() {
    let (served, clock) = (serve(), RealClock::new());
    let (mut running, folder) = start_energised(&served);
    let lost = clock.now();
    signal_dead_man(&running, "KILL");
    await_off(&served, &clock, lost);
    assert_eq!(running.0.wait().unwrap().code(), Some(4));
    let journal = await_in_journal(&folder.path().join("out"), "run_finished");
    assert!(journal.contains("is lost: it has ended"), "{journal}");
}

#[test]
fn a_signal_for_the_whole_service_does_not_keep_the_dead_man_from_switching_off() {
    let (served, clock) = (serve(), RealClock::new());
    let (mut running, folder) = start_energised(&served);
    signal_dead_man(&running, "TERM");
    let killed = clock.now();
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    await_off(&served, &clock, killed);
    assert_told(&await_in_journal(&folder.path().join("out"), "made_safe"), "gone and did not send it away");
}
