//! A soak that its profile allows to end before its time: it does where the answer is clear, the record and the report say so,
//! and no other ever does.

use std::path::Path;
use std::time::Duration;

use soakrig::event::{DwellId, EarlyAnswer, EarlyLook, Event, RunVerdict};
use soakrig::record::Record;
use soakrig::report::{html, text, write_all};
use soakrig::session::Finished;

use super::soak::{resume, run};
use super::{cut_off, line_ends};

/// Holds full load for six hours; the sweep stays away from it, so that its points say nothing of the limit.
const PROFILE: &str = r#"
name = "early"
purpose = "Holds full load and may end early."
vout_nominal = "5 V"
figures = ["vin_v", "iin_a", "vout_v", "iout_a", "board_c"]

[points]
vin = ["24 V"]
load = ["100 mA"]

[soak]
readings = "5 s"

[[soak.phases]]
name = "full load"
vin = "24 V"
load = "500 mA"
for = "6 h"
EARLY

[interlocks]
over_temperature = "95 degC"

[[limits]]
name = "the limit"
LIMIT
when = "load >= 400 mA"
"#;

const EARLY: &str = "early_stop = { looks = 5, confidence = \"95 %\" }";
const KEPT: &str = "figure = \"vout_v\"\nmin = \"4.8 V\"\nmax = \"5.2 V\"";
const BROKEN: &str = "figure = \"board_c\"\nmax = \"26 degC\"";
/// Inside its bounds, but nowhere far enough.
const NEAR: &str = "figure = \"vout_v\"\nmin = \"4.8 V\"\nmax = \"5.2 V\"\nmarginal = \"199.9 mV\"";

fn soak(folder: &Path, early: &str, limit: &str) -> Finished {
    run(folder, &PROFILE.replace("EARLY", early).replace("LIMIT", limit), &mut |_, _| {})
}

fn looks(record: &Record) -> Vec<EarlyLook> {
    let looks = record.events().iter().filter_map(|logged| match &logged.event {
        Event::LookedEarly(look) => Some(look.clone()),
        _ => None,
    });
    looks.collect()
}

/// How long the setting was held.
fn held(record: &Record) -> Duration {
    let spans = record.events().iter().filter_map(|logged| match &logged.event {
        Event::DwellFinished { took, .. } => Some(*took),
        _ => None,
    });
    spans.sum()
}

#[test]
fn a_soak_whose_limits_will_hold_ends_early_with_what_that_costs() {
    let folder = tempfile::tempdir().unwrap();
    let finished = soak(folder.path(), EARLY, KEPT);
    let end = &finished.outcome.end;
    assert_eq!(end.verdict, RunVerdict::Pass, "{}", end.reason);
    assert!(
        end.outputs_off_verified && end.reason.starts_with("ended early as its profile allows"),
        "{}",
        end.reason
    );
    let record = Record::open(&finished.folder).unwrap();
    let looks = looks(&record);
    let last = looks.last().unwrap();
    assert_eq!(last.answer, EarlyAnswer::Pass, "{looks:?}");
    assert!(looks[..looks.len() - 1].iter().all(|look| look.answer == EarlyAnswer::GoOn), "{looks:?}");
    assert!(looks[0].what.contains("readings"), "{looks:?}");
    // A quarter of what comes behind the settling is watched first.
    assert!(
        last.look >= 3 && held(&record) == last.done && last.planned == Duration::from_secs(6 * 3600),
        "{last:?}"
    );
    assert_eq!(end.points_finished, 1, "the sweep at the end is left out");
    let report = write_all(&finished.folder).unwrap().report;
    let told = text::render(&report, Path::new("run"));
    assert!(
        told.contains("ended early, as its profile allows") && told.contains("bound less than those planned"),
        "{told}"
    );
    let page = html::render(&report);
    assert!(page.contains("Ended early."));
}

#[test]
fn a_soak_with_a_limit_that_is_passed_ends_early_as_failed() {
    let folder = tempfile::tempdir().unwrap();
    let finished = soak(folder.path(), EARLY, BROKEN);
    let end = &finished.outcome.end;
    assert_eq!(end.verdict, RunVerdict::Fail, "{}", end.reason);
    assert!(end.reason.contains("`the limit` (at most 26 °C) is passed"), "{}", end.reason);
    let record = Record::open(&finished.folder).unwrap();
    assert_eq!(looks(&record).last().unwrap().answer, EarlyAnswer::Fail);
    assert!(
        held(&record) <= Duration::from_secs(2 * 3600),
        "at the first look with readings: {:?}",
        held(&record)
    );
}

#[test]
fn a_soak_goes_on_to_its_end_where_its_profile_allows_no_other_or_the_answer_is_not_clear() {
    let folder = tempfile::tempdir().unwrap();
    for (name, early, limit, planned) in [("none", "", BROKEN, 0), ("near", EARLY, NEAR, 5)] {
        let finished = soak(&folder.path().join(name), early, limit);
        let record = Record::open(&finished.folder).unwrap();
        let looks = looks(&record);
        assert_eq!(looks.len(), planned, "{name}");
        assert!(looks.iter().all(|look| look.answer == EarlyAnswer::GoOn), "{looks:?}");
        assert_eq!(held(&record), Duration::from_secs(6 * 3600), "{name}");
        assert_eq!(finished.outcome.end.points_finished, 2, "{name}: both sweeps");
        assert!(!finished.outcome.end.reason.contains("early"), "{}", finished.outcome.end.reason);
    }
}

#[test]
fn a_soak_that_was_cut_off_while_it_ended_early_holds_nothing_any_more_when_it_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let whole = soak(&folder.path().join("whole"), EARLY, KEPT);
    let journal = std::fs::read(whole.folder.join("journal.jsonl")).unwrap();
    let text = String::from_utf8(journal.clone()).unwrap();
    let line =
        text.lines().position(|line| line.contains("looked_early") && line.contains("\"pass\"")).unwrap();
    let to = folder.path().join("cut");
    cut_off(&whole.folder, &journal[..line_ends(&journal)[line]], &to);
    let finished = resume(&to, false).unwrap();
    assert_eq!(finished.outcome.end.verdict, RunVerdict::Pass, "{}", finished.outcome.end.reason);
    assert!(finished.outcome.end.reason.starts_with("ended early"), "{}", finished.outcome.end.reason);
    let record = Record::open(&to).unwrap();
    let warms =
        |event: &Event| matches!(event, Event::DwellFinished { dwell, .. } if *dwell == DwellId::WARMING);
    assert!(!record.events().iter().any(|logged| warms(&logged.event)), "nothing is switched on");
    assert_eq!(held(&record), held(&Record::open(&whole.folder).unwrap()));
    // And cut before the look it is looked again, with what was read since, and ends at the latest at its planned end.
    let to = folder.path().join("before");
    cut_off(&whole.folder, &journal[..line_ends(&journal)[line - 1]], &to);
    let finished = resume(&to, false).unwrap();
    assert_eq!(finished.outcome.end.verdict, RunVerdict::Pass, "{}", finished.outcome.end.reason);
}
