//! A run cut at every event and at every write: disk full, panic, a person's wish.

use soakrig::event::{Event, RunVerdict, Stop};

use super::stage::{Cut, Keeper, Setup, TWO_POINTS};

fn count_calls(setup: &Setup) -> (usize, usize) {
    let mut keeper = Keeper::default();
    let played = setup.undisturbed().play(&mut keeper).unwrap();
    (keeper.calls, played.events.len())
}

#[test]
fn a_disk_that_is_full_at_any_write_ends_the_run_with_the_outputs_off() {
    let setup = Setup::new(TWO_POINTS);
    let (calls, _) = count_calls(&setup);
    assert!(calls > 20, "events, traces and screens: {calls}");
    for at in 0..calls {
        let what = format!("full at {at}");
        let played = setup.undisturbed().play(&mut Keeper::cutting(Cut::Full(at))).unwrap();
        played.assert_safe(&what);
        let told = played.outcome.record_failed.clone().unwrap_or_default();
        assert!(told.contains("no space left"), "{what}: {told}");
    }
}

#[test]
fn a_panic_at_any_write_stays_inside_and_leaves_the_outputs_off() {
    let setup = Setup::new(TWO_POINTS);
    let (calls, _) = count_calls(&setup);
    for at in 0..calls {
        let what = format!("panic at {at}");
        let played = setup.undisturbed().play(&mut Keeper::cutting(Cut::Panics(at))).unwrap();
        played.assert_safe(&what);
        let told = played.outcome.internal.clone().unwrap_or_default();
        assert!(told.contains("the sink panics"), "{what}: {told}");
    }
}

#[test]
fn a_wish_to_stop_at_any_event_ends_after_the_point_and_a_second_one_at_once() {
    let setup = Setup::new(TWO_POINTS);
    let (_, events) = count_calls(&setup);
    for times in [1, 2] {
        for at in 0..events {
            let what = format!("asked {times} times at event {at}");
            let stage = setup.undisturbed();
            let wish = stage.stop.clone();
            let mut started_when_asked = 0;
            let mut keeper = Keeper::hooked(|number, event| {
                if number < at && matches!(event, Event::PointStarted { .. }) {
                    started_when_asked += 1;
                }
                if number == at {
                    (0..times).for_each(|_| wish.ask());
                }
            });
            let played = stage.play(&mut keeper).unwrap();
            drop(keeper);
            played.assert_safe(&what);
            let verdict = played.outcome.end.verdict;
            let asked = if times == 1 { Stop::AfterPoint } else { Stop::Now };
            let is_told = played.count(|event| *event == Event::StopRequested { stop: asked }) == 1;
            match verdict {
                RunVerdict::Stopped => assert!(is_told, "{what}"),
                // Asked for when nothing was left to be done.
                RunVerdict::Pass => assert_eq!(played.finished().len(), 2, "{what}"),
                other => panic!("{what}: {other:?} {}", played.reason()),
            }
            if times == 1 {
                // A point that was begun is finished.
                assert!(played.finished().len() >= started_when_asked, "{what}");
            }
        }
    }
}
