//! The ways in which a controller dies, at any instant of a run: whatever the way, the outputs go off soon. The figures are
//! printed by `figures_of_deaths`; a few of each kind are in every test run.

use std::io::Read;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use soakrig::base::clock::{Clock, RealClock};

use super::deadman::{OFF, await_off, read_record, start_energised};
use super::numbers::Numbers;
use super::process::{Running, Served, await_in_journal, serve, start};

/// How a controller dies.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Death {
    /// As an administrator or the kernel's memory killer does it.
    Killed,
    /// As a panic that cannot be caught, or an allocation that fails, ends a program.
    Aborted,
    /// As a fault of the processor ends a program (a wild pointer does the same, but that signal, sent from outside, is borne
    /// once).
    Crashed,
    /// No memory is given to it any more; what it has, it may keep. It may find the way to its own end.
    Starved,
    /// It stands still.
    Suspended,
}

impl Death {
    fn strike(self, running: &Running) {
        match self {
            Self::Killed => running.signal("KILL"),
            Self::Aborted => running.signal("ABRT"),
            Self::Crashed => running.signal("ILL"),
            Self::Suspended => running.signal("STOP"),
            Self::Starved => {
                let pid = Pid::from_raw(running.0.id().try_into().unwrap());
                // Address space: nothing is mapped any more, no thread started.
                prlimit(pid, Resource::As, Rlimit { current: Some(1), maximum: Some(1) }).unwrap();
            }
        }
    }
}

/// Waits until everybody who holds the run's stderr has gone: the controller, and its dead-man when he has done his work. One
/// who is left at work would hold a bench that is not there any more. What they said.
pub(super) fn await_all_gone(running: &mut Running) -> String {
    let mut told = String::new();
    running.0.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    told
}

/// Lets a controller die after its outputs came on, and says how long it took until they were off. The journal must say so.
fn die_energised(served: &Served, clock: &RealClock, death: Death) -> Duration {
    let (mut running, folder) = start_energised(served);
    let struck = clock.now();
    death.strike(&running);
    let took = await_off(served, clock, struck);
    let ended = running.0.wait().unwrap();
    assert!(death == Death::Starved || ended.code().is_none(), "{death:?}: {ended:?}");
    let out = folder.path().join("out");
    let journal = await_in_journal(&out, "made_safe");
    let safe = journal.lines().rfind(|line| line.contains("made_safe")).unwrap();
    assert!(safe.contains("\"verified\":true"), "{death:?}: {safe}");
    await_all_gone(&mut running);
    read_record(&out);
    took
}

/// Kills a controller so long after its start; how long it took until the outputs were off, `None` where they had not been on.
fn kill_at(served: &Served, clock: &RealClock, after: Duration) -> Option<Duration> {
    let (mut running, folder) = start(served);
    clock.sleep(after);
    let struck = clock.now();
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    let (supply, load) = served.outputs();
    let took = await_off(served, clock, struck);
    await_all_gone(&mut running);
    let was_on = (supply.as_str(), load.as_str()) != OFF;
    let out = folder.path().join("out");
    let mut runs = std::fs::read_dir(&out).unwrap();
    let journal = runs.next().map(|run| std::fs::read(run.unwrap().path().join("journal.jsonl")));
    // Before its first line is whole there is no record, and nothing was switched on.
    if journal.is_some_and(|journal| journal.is_ok_and(|bytes| bytes.contains(&b'\n'))) {
        read_record(&out);
    } else {
        assert!(!was_on, "an output was on before there was a record");
    }
    was_on.then_some(took)
}

/// From the start of a controller to its last point on a machine that is not busy.
const RUN_LASTS: Duration = Duration::from_millis(4500);

fn kills_at_random_instants(served: &Served, clock: &RealClock, count: usize) -> (Vec<Duration>, usize) {
    let mut numbers = Numbers(0x5EED_CAFE_F00D);
    let kills = (0..count).map(|_| kill_at(served, clock, RUN_LASTS.mul_f64(numbers.next())));
    let on: Vec<Duration> = kills.flatten().collect();
    let off = count - on.len();
    (on, off)
}

#[test]
fn a_controller_that_is_killed_at_some_instant_leaves_the_outputs_off() {
    let (served, clock) = (serve(), RealClock::new());
    kills_at_random_instants(&served, &clock, 4);
}

#[test]
fn a_controller_that_aborts_crashes_or_gets_no_memory_leaves_the_outputs_off_and_the_journal_says_so() {
    let (served, clock) = (serve(), RealClock::new());
    for death in [Death::Aborted, Death::Crashed, Death::Starved] {
        die_energised(&served, &clock, death);
    }
}

#[allow(clippy::print_stdout)]
pub(super) fn print(what: &str, mut spans: Vec<Duration>, aside: &str) {
    spans.sort();
    let at = |part: f64| spans[((spans.len() as f64 * part).ceil() as usize).clamp(1, spans.len()) - 1];
    let (median, late, last) = (at(0.5), at(0.99), at(1.0));
    println!(
        "{what}: {} deaths, median {median:.2?}, 99 % {late:.2?}, longest {last:.2?}{aside}",
        spans.len()
    );
}

/// `cargo test --release --test it -- --ignored --nocapture figures_of_deaths`
#[test]
#[ignore = "a quarter of an hour: hundreds of deaths, for the figures"]
fn figures_of_deaths() {
    let (served, clock) = (serve(), RealClock::new());
    let (spans, off) = kills_at_random_instants(&served, &clock, 200);
    print("killed at a random instant", spans, &format!(" ({off} more had nothing switched on)"));
    for (death, count) in [
        (Death::Killed, 50),
        (Death::Aborted, 50),
        (Death::Crashed, 50),
        (Death::Starved, 50),
        (Death::Suspended, 10),
    ] {
        let spans = (0..count).map(|_| die_energised(&served, &clock, death)).collect();
        print(&format!("{death:?} while energised"), spans, "");
    }
}
