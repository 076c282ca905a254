//! Whose fault a late reading is, for real: of a controller that stood still while an answer lay there, or of an instrument that
//! is slow.

use std::path::Path;
use std::time::Duration;

use soakrig::base::clock::{Clock, RealClock};
use soakrig::event::{Event, Gap, GapCause};
use soakrig::record::Record;

use super::deaths::await_all_gone;
use super::kills;
use super::process::{Between, await_in_journal, serve};

const HOLD: &str = r#"
name = "standing"
purpose = "One setting, held until somebody stops it."
vout_nominal = "5 V"
figures = ["vin_v", "vout_v", "iout_a"]

[points]
vin = ["24 V"]
load = ["100 mA"]

[soak]
readings = "500 ms"

[[soak.phases]]
name = "hold"
vin = "24 V"
load = "200 mA"
for = "5 min"

[settle]
band = "50 mV"
hold = "100 ms"
limit = "2 s"

[interlocks]
lost_reading = "1 min"
"#;

/// The load answers one question late in a hold, and the controller is stopped for most of that time, or is not: the gap.
fn gap_of_a_late_answer(is_stopped: bool) -> Gap {
    let (mut served, clock) = (serve(), RealClock::new());
    let mut rig: toml::Table = served.rig.parse().unwrap();
    let load = rig["load"].as_table_mut().unwrap();
    let between = Between::place(load["address"].as_str().unwrap());
    load.insert("address".to_owned(), between.address.clone().into());
    load.insert("timeout".to_owned(), "9 s".into());
    served.rig = toml::to_string(&rig).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut running, run) = kills::begin_profile((&served, HOLD), folder.path(), &clock);
    let out: &Path = &folder.path().join("out");
    await_in_journal(out, "phase_started");
    clock.sleep(Duration::from_secs(2));
    *between.delay.lock().unwrap() = Duration::from_secs(4);
    while !between.delay.lock().unwrap().is_zero() {
        clock.sleep(Duration::from_millis(5));
    }
    if is_stopped {
        running.signal("STOP");
        clock.sleep(Duration::from_millis(3500));
        running.signal("CONT");
    }
    await_in_journal(out, "gap_found");
    running.signal("INT");
    let said = await_all_gone(&mut running);
    assert_eq!(running.0.wait().unwrap().code(), Some(5), "{said}");
    let record = Record::open(&run).unwrap();
    let gaps = record.events().iter().filter_map(|logged| match &logged.event {
        Event::GapFound(gap) => Some(gap.clone()),
        _ => None,
    });
    let long = Duration::from_secs(3);
    gaps.into_iter().find(|gap: &Gap| gap.to.since(gap.from) >= long).expect("a late answer costs readings")
}

#[test]
fn a_controller_that_is_stopped_while_it_waits_for_an_answer_does_not_blame_the_instrument() {
    let gap = gap_of_a_late_answer(true);
    assert_eq!(gap.cause, GapCause::Controller, "{gap:?}");
    assert!(gap.what.contains("the controller stood still for 3."), "{gap:?}");
}

#[test]
fn an_instrument_that_answers_late_is_named_with_what_its_answer_took() {
    let gap = gap_of_a_late_answer(false);
    assert_eq!(gap.cause, GapCause::Instrument, "{gap:?}");
    assert!(gap.what.contains("load was waited for, whose answer took"), "{gap:?}");
}
