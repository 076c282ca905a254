//! A bench that is gone and comes back: the run is gone on with then, and nothing is added while it is away.

use std::path::{Path, PathBuf};

use soakrig::base::clock::{Clock, RealClock};
use soakrig::event::{Event, RunVerdict};
use soakrig::record::Record;
use soakrig::record::products::check_manifest;

use super::deaths::await_all_gone;
use super::kills::spawn;
use super::process::{await_in_journal, serve_on, serve_to_come_back, start};

fn only_run(folder: &Path) -> PathBuf {
    std::fs::read_dir(folder.join("out")).unwrap().next().unwrap().unwrap().path()
}

fn resume(run: &Path) -> (Option<i32>, String) {
    let mut resumed = spawn(&[run], "resume");
    let said = await_all_gone(&mut resumed);
    (resumed.0.wait().unwrap().code(), said)
}

/// Serves the bench again where it was.
fn serve_again(port: u16) -> super::process::Served {
    let clock = RealClock::new();
    for _ in 0..200 {
        if let Some(served) = serve_on(port) {
            return served;
        }
        clock.sleep(std::time::Duration::from_millis(50));
    }
    panic!("the port {port} is not free again");
}

/// Every point stands there once, and the run has passed.
fn assert_complete(run: &Path, said: &str) {
    let record = Record::open(run).unwrap();
    let points = record.events().iter().filter_map(|logged| match &logged.event {
        Event::PointFinished(result) => Some(result.point.0),
        _ => None,
    });
    assert_eq!(points.collect::<Vec<_>>(), [1, 2, 3, 4], "{said}");
    assert_eq!(record.end().unwrap().1.verdict, RunVerdict::Pass, "{said}");
}

#[test]
fn a_bench_that_comes_back_after_the_end_is_switched_off_and_the_sealed_record_says_so() {
    let (served, port) = serve_to_come_back();
    let (mut running, folder) = start(&served);
    await_in_journal(&folder.path().join("out"), "point_started");
    drop(served);
    running.signal("INT");
    running.signal("INT");
    assert_eq!(running.0.wait().unwrap().code(), Some(3));
    let run = only_run(folder.path());
    let record = Record::open(&run).unwrap();
    assert!(!record.outputs_off_verified());
    assert!(record.end().unwrap().1.reason.starts_with("THE OUTPUTS COULD NOT BE VERIFIED OFF"));
    let _back = serve_again(port);
    let said = await_all_gone(&mut running);
    assert!(said.contains("switched off and verified off after"), "{said}");
    let record = Record::open(&run).unwrap();
    assert!(record.outputs_off_verified(), "{said}");
    assert_eq!(record.end().unwrap().1.verdict, RunVerdict::Error, "how it ended stands there still");
    assert_eq!(check_manifest(&run).unwrap(), Some(Vec::new()), "sealed anew; {said}");
    let status = crate::cli::soakrig(&["status", crate::cli::arg(&run)]).assert_exit(0).out;
    assert!(status.contains("off and verified off") && status.contains("ended"), "{status}");
}

#[test]
fn a_bench_that_cannot_be_opened_leaves_the_run_as_it_was_until_it_can() {
    let (served, port) = serve_to_come_back();
    let (mut running, folder) = start(&served);
    await_in_journal(&folder.path().join("out"), "point_finished");
    running.signal("INT");
    let said = await_all_gone(&mut running);
    assert_eq!(running.0.wait().unwrap().code(), Some(5), "{said}");
    drop(served);
    let run = only_run(folder.path());
    let journal = std::fs::read(run.join("journal.jsonl")).unwrap();
    let (code, said) = resume(&run);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("source"), "{said}");
    assert_eq!(std::fs::read(run.join("journal.jsonl")).unwrap(), journal, "nothing is added; {said}");
    let _back = serve_again(port);
    let (code, said) = resume(&run);
    assert_eq!(code, Some(0), "{said}");
    assert_complete(&run, &said);
}
