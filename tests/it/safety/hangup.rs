//! A soak whose terminal goes, or that is asked by a signal how it stands.

use std::io::{BufRead, BufReader};

use soakrig::base::clock::RealClock;

use super::kills;
use super::process::{await_in_journal, serve};

#[test]
fn a_soak_that_gets_sighup_says_how_it_stands_and_goes_on() {
    let (served, clock) = (serve(), RealClock::new());
    let folder = tempfile::tempdir().unwrap();
    let (mut running, _) = kills::begin(&served, folder.path(), &clock);
    let out = folder.path().join("out");
    await_in_journal(&out, "phase_started");
    running.signal("HUP");
    let mut said = BufReader::new(running.0.stderr.take().unwrap()).lines();
    let told = said.find_map(|line| line.ok().filter(|line| line.contains("SIGHUP"))).unwrap();
    assert!(told.contains("the run goes on: ") && told.contains(" of 3, "), "{told}");
    let journal = await_in_journal(&out, "readings_taken");
    assert!(!journal.contains("stop_requested"), "{journal}");
    assert_eq!(running.0.try_wait().unwrap(), None, "it goes on");
    running.signal("TERM");
    assert_eq!(running.0.wait().unwrap().code(), Some(5));
    assert_eq!(served.outputs(), ("OFF".to_owned(), "0".to_owned()));
}
