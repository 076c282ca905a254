//! The drill of the dead-man, for real: a process that holds the bench at 1 V is killed or suspended.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use soakrig::base::clock::RealClock;
use soakrig::engine::StopWish;
use soakrig::event::{DrillKind, DrillVerdict, Drilled, Event, Stamp};
use soakrig::plan::Overrides;
use soakrig::record::Record;
use soakrig::session::{self, Onlooker, Prepared, Pulse, RunRequest, Said, SessionError};
use soakrig::waveform::Unavailable;

use super::process::{PROFILE, Served, await_in_journal, serve, start};
use super::{deaths, kills};

const OFF: (&str, &str) = ("OFF", "0");

fn program() -> &'static Path {
    Path::new(crate::cli::PROGRAM)
}

/// A plan on the served bench, its files in a folder that has to live as long.
fn prepare(rig_text: &str) -> (Prepared, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (rig, profile) = (folder.path().join("rig.toml"), folder.path().join("p.toml"));
    std::fs::write(&rig, rig_text).unwrap();
    std::fs::write(&profile, PROFILE).unwrap();
    (session::prepare(&profile, &rig, &Overrides::default()).unwrap(), folder)
}

fn drill(served: &Served, program: &Path, kind: DrillKind) -> Drilled {
    let (prepared, _folder) = prepare(&served.rig);
    let drilled = session::drill(&prepared, program, kind, &StopWish::default()).unwrap();
    let (supply, load) = served.outputs();
    assert_eq!((supply.as_str(), load.as_str()), OFF, "{drilled:?}");
    drilled
}

#[test]
fn a_drill_shows_that_the_dead_man_of_a_killed_or_suspended_controller_switches_off() {
    let served = serve();
    for (kind, least_s, most_s) in [(DrillKind::Killed, 0.0, 10.0), (DrillKind::Suspended, 9.9, 25.0)] {
        let drilled = drill(&served, program(), kind);
        assert_eq!((drilled.verdict, drilled.refusal()), (DrillVerdict::Passed, None), "{drilled:?}");
        let (energised_v, off_after_s) = (drilled.energised_v.unwrap(), drilled.off_after_s.unwrap());
        assert!((0.9..1.1).contains(&energised_v), "{energised_v}");
        assert!((least_s..most_s).contains(&off_after_s), "{off_after_s}");
        assert!(drilled.supply_v.unwrap().abs() < 0.5 && drilled.vout_v.unwrap().abs() < 0.5);
    }
}

/// A program that does what a shell script says, where a run would start soakrig once more.
fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("program");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_drill_whose_controller_or_dead_man_does_not_do_its_part_fails_and_leaves_the_outputs_off() {
    let served = serve();
    let folder = tempfile::tempdir().unwrap();
    for (text, why) in [
        // Nobody switches off when it is killed, and the supply is on.
        ("echo energised 1.0; exec sleep 100", "the dead-man gave no word"),
        (
            "echo error: the supply smells >&2; exit 3",
            "nothing was energised: the controller ended before: the supply smells",
        ),
        ("echo energised a lot; exec sleep 100", "the controller said `energised a lot`"),
    ] {
        let on = served.ask("source", ":SOUR1:VOLT 1;:OUTP CH1,ON;:OUTP? CH1");
        assert_eq!(on, "ON");
        let drilled = drill(&served, &script(folder.path(), text), DrillKind::Killed);
        assert_eq!(drilled.verdict, DrillVerdict::Failed, "{drilled:?}");
        let told = drilled.refusal().unwrap();
        assert!(
            told.contains(why) && told.contains("the outputs are off now, read back and measured"),
            "{told}"
        );
    }
}

#[test]
fn a_bench_that_is_in_use_is_not_drilled_on() {
    let served = serve();
    let (mut running, folder) = start(&served);
    await_in_journal(&folder.path().join("out"), "point_started");
    let (prepared, _folder) = prepare(&served.rig);
    let refused = session::drill(&prepared, program(), DrillKind::Killed, &StopWish::default());
    assert!(matches!(refused, Err(SessionError::Busy(_))), "{refused:?}");
    running.signal("QUIT");
    // It may have come to its own end meanwhile.
    let ended = running.0.wait().unwrap().code();
    assert!(matches!(ended, Some(0 | 5)), "the run was disturbed: {ended:?}");
}

struct Nobody;

impl Onlooker for Nobody {
    fn begun(&mut self, _: &Path) {}
    fn event(&mut self, _: Stamp, _: &Event) {}
}

#[test]
fn a_soak_is_gone_on_with_only_after_another_drill() {
    let (served, clock) = (serve(), RealClock::new());
    let folder = tempfile::tempdir().unwrap();
    let (mut running, run) = kills::begin(&served, folder.path(), &clock);
    await_in_journal(&folder.path().join("out"), "readings_taken");
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    deaths::await_all_gone(&mut running);
    let journal = std::fs::read(run.join("journal.jsonl")).unwrap();
    let program = script(folder.path(), "echo error: the supply smells >&2; exit 3");
    let (stop, out) = (StopWish::default(), folder.path());
    let request = &mut RunRequest {
        program: &program,
        notify: None,
        out,
        seed: None,
        faults: None,
        full_tapes: false,
        view: &mut Nobody,
        stop: &stop,
        pulse: Pulse::default(),
    };
    let resumable = session::prepare_resume(&run, &Said::default(), &mut |_, _| ()).unwrap();
    let refused = session::resume(resumable, request).unwrap_err().to_string();
    assert!(refused.contains("nothing was energised"), "{refused}");
    assert_eq!(std::fs::read(run.join("journal.jsonl")).unwrap(), journal, "nothing is added");
    let mut resumed = kills::spawn(&[&run], "resume");
    let said = deaths::await_all_gone(&mut resumed);
    assert_eq!(resumed.0.wait().unwrap().code(), Some(0), "{said}");
    let record = Record::open(&run).unwrap();
    let told = record.events().iter().filter_map(|logged| match &logged.event {
        Event::DeadmanDrilled(drilled) => Some(format!("{} drill {}", drilled.kind, drilled.verdict)),
        Event::RunResumed(_) => Some("resumed".to_owned()),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), ["killed drill passed", "resumed", "killed drill passed"]);
    assert_eq!(served.outputs(), (OFF.0.to_owned(), OFF.1.to_owned()));
}

#[test]
fn a_simulated_bench_has_no_dead_man_and_its_drill_is_no_pass() {
    let rig = Path::new(env!("CARGO_MANIFEST_DIR")).join("rigs/sim.toml");
    let (prepared, _folder) = prepare(&std::fs::read_to_string(rig).unwrap());
    let drilled = session::drill(&prepared, program(), DrillKind::Killed, &StopWish::default()).unwrap();
    assert_eq!(drilled.verdict, DrillVerdict::NotApplicable);
    assert!(matches!(&drilled.off_after_s, Err(Unavailable(why)) if why.contains("end with this process")));
}
