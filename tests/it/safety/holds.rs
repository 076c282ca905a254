//! What an interlock that holds does during a soak, and what is read meanwhile: the load goes down and comes back, and every
//! reading says whether it is one of what the plan sets.

use std::time::Duration;

use soakrig::base::units::{Amps, Kelvins};
use soakrig::event::{Coverage, DwellId, Event, GapCause, LoadChange, RunVerdict};
use soakrig::sim::{Fault, World};

use super::soak::{Deed, HOLD, assert_whole, gaps, hold, inject, play, readings, readings_of};
use super::stage::{Keeper, Setup, rig_with_frozen_after};

/// As [`hold`], with half the load while a board above 60 °C cools.
fn hold_derated(span: &str) -> Setup {
    let rules = "[interlocks]\nhold_temperature = \"60 degC\"\nderate_to = \"50 %\"\nrise_k_per_min = 1000";
    let profile = HOLD.replace("SPAN", span).replace("[interlocks]", rules);
    Setup::with_rig(&profile, &rig_with_frozen_after("15 s"))
}

fn assert_load(world: &World, amps: f64) {
    let truth = world.truth();
    assert!((truth.iout.value() - amps).abs() < 0.005, "{amps} A expected: {truth:?}");
}

/// The board is too hot from here to there, and the load is at its half meanwhile.
fn overheats(from_s: u64, to_s: u64) -> [(u64, Deed); 2] {
    let ends = |world: &World| {
        assert_load(world, 0.125);
        world.inject(Fault::BoardOverheats(Kelvins(0.0)));
    };
    [(from_s, inject(Fault::BoardOverheats(Kelvins(50.0)))), (to_s, Box::new(ends))]
}

#[test]
fn a_dwell_that_is_held_tells_what_the_load_was_lowered_to_and_goes_on_behind_every_hold() {
    let mut deeds: Vec<(u64, Deed)> = (0..4).flat_map(|n| overheats(60 + 100 * n, 80 + 100 * n)).collect();
    deeds.insert(2, (90, Box::new(|world| assert_load(world, 0.25))));
    let played = play(&hold_derated("8 min"), deeds);
    assert_whole(&played, "held");
    let (full, half) = (Amps(0.25), Amps(0.125));
    let (mut holds, mut releases) = (0, 0);
    for event in &played.events {
        match event {
            Event::InterlockHeld { what, load } => {
                holds += 1;
                assert_eq!(*load, Some(LoadChange { from: full, to: half }));
                assert!(
                    what.contains("above 60 °C") && what.ends_with("lowered from 250 mA to 125 mA"),
                    "{what}"
                );
            }
            Event::InterlockReleased { what, held, load } => {
                releases += 1;
                assert_eq!(*load, Some(LoadChange { from: half, to: full }));
                assert!(what.ends_with("from 125 mA to 250 mA; the dwell goes on"), "{what}");
                assert!((18..26).contains(&held.as_secs()), "{held:?}");
            }
            _ => {}
        }
    }
    assert_eq!((holds, releases), (4, 4), "{:?}", played.outcome);
    let taken = readings(&played).len();
    assert!((470..=490).contains(&taken), "the time of a hold is not the dwell's: {taken} readings");
}

#[test]
fn what_is_read_during_a_hold_is_kept_and_marked_and_held_against_no_limit() {
    let played = play(&hold_derated("3 min"), overheats(60, 100).into());
    assert_whole(&played, "held once");
    let held = readings_of(&played, true);
    assert!((35..=45).contains(&held.len()), "{} readings of 40 s", held.len());
    for reading in &held {
        assert!((reading.iout_a.unwrap() - 0.125).abs() < 0.005, "the lowered load: {reading:?}");
    }
    let hottest = readings(&played).iter().filter_map(|reading| reading.board_c).fold(0.0, f64::max);
    assert!(hottest > 60.0, "the reading that made it hold is kept, too: {hottest} °C at most");
    // The limit on the output voltage was held against what was read at the whole load alone.
    let judged = played.events.iter().filter_map(|event| match event {
        Event::ReadingsJudged(judged) => Some(judged.judged()),
        _ => None,
    });
    let judged: u64 = judged.sum();
    assert!(judged > 170 && judged <= readings(&played).len() as u64, "{judged} readings judged");
    let gaps = gaps(&played);
    let mut coverage = Coverage::of(readings(&played).len() as u64, &gaps);
    coverage.held = held.len() as u64;
    assert!(coverage.percent_held().unwrap() > 15.0, "{coverage:?}");
    assert!(gaps.iter().all(|gap| gap.cause == GapCause::Interlock && gap.missed <= 3), "{gaps:?}");
}

#[test]
fn what_is_read_while_a_point_is_held_belongs_to_no_dwell_and_is_no_gap() {
    let played = play(&hold_derated("1 min"), overheats(0, 20).into());
    assert_whole(&played, "a point held");
    let of_hold = played.events.iter().filter_map(|event| match event {
        Event::ReadingsTaken(readings) if readings.held => Some((readings.dwell, readings.rows.len())),
        _ => None,
    });
    let of_hold: Vec<(DwellId, usize)> = of_hold.collect();
    assert!(of_hold.iter().all(|(dwell, _)| *dwell == DwellId::WARMING), "{of_hold:?}");
    let rows: usize = of_hold.iter().map(|(_, rows)| rows).sum();
    assert!((15..=25).contains(&rows), "{rows} readings of 20 s");
    assert_eq!(gaps(&played), [], "no reading is due at a point");
}

/// A soak that is read as rarely as that, with these rules more.
fn slow(span: &str, readings: &str, rules: &str) -> Setup {
    let readings = format!("readings = \"{readings}\"");
    let rules = format!("[interlocks]\nrise_k_per_min = 1000\n{rules}");
    let profile = HOLD.replace("SPAN", span).replace("readings = \"1 s\"", &readings);
    Setup::with_rig(&profile.replace("[interlocks]", &rules), &rig_with_frozen_after("15 min"))
}

#[test]
fn a_slow_soak_trips_between_two_readings_and_keeps_the_one_that_tripped_and_no_other() {
    let overheats = inject(Fault::BoardOverheats(Kelvins(100.0)));
    let is_off = |world: &World| {
        let truth = world.truth();
        assert!(!truth.supply_on && !truth.load_on, "off within seconds: {truth:?}");
    };
    let played = play(&slow("1 h", "10 min", ""), vec![(700, overheats), (705, Box::new(is_off))]);
    assert_eq!(played.outcome.end.verdict, RunVerdict::Tripped, "{}", played.reason());
    let hot: Vec<bool> = readings(&played).iter().map(|row| row.board_c.unwrap() > 95.0).collect();
    assert_eq!(hot, [false, false, true], "two were due by then, and one tripped");
    assert_eq!(gaps(&played), []);
    let undisturbed = play(&slow("1 h", "10 min", ""), Vec::new());
    assert_whole(&undisturbed, "a slow soak");
    assert_eq!((readings(&undisturbed).len(), gaps(&undisturbed)), (6, Vec::new()));
}

#[test]
fn a_sensor_that_falls_silent_between_two_slow_readings_is_told_then_and_trips_when_it_stays_away() {
    let setup = slow("1 h", "10 min", "");
    let is_off = |world: &World| assert!(!world.truth().supply_on, "the minute of `lost_reading` is over");
    let played = play(&setup, vec![(100, inject(Fault::ThermometerFallsSilent)), (180, Box::new(is_off))]);
    assert_eq!(played.outcome.end.verdict, RunVerdict::Tripped, "{}", played.reason());
    assert_eq!(played.count(|event| matches!(event, Event::SensorFailed { .. })), 2, "each told once");
}

#[test]
fn a_slow_soak_is_watched_during_a_hold_as_often_as_a_quick_one() {
    let setup = slow("10 min", "1 min", "hold_temperature = \"60 degC\"\nderate_to = \"50 %\"");
    let played = play(&setup, overheats(100, 140).into());
    let held = played.events.iter().find_map(|event| match event {
        Event::InterlockReleased { held, .. } => Some(held.as_secs()),
        _ => None,
    });
    // Held soon after the board is too hot, and not at the reading two minutes in; released soon after it has cooled, too.
    assert!(held.is_some_and(|held| (36..=50).contains(&held)), "{held:?} {:?}", played.outcome.end);
    assert_eq!(played.outcome.end.verdict, RunVerdict::Pass, "{}", played.reason());
}

#[test]
fn what_trips_a_dwell_has_switched_off_before_it_is_written_down() {
    let setup = hold("3 min");
    let stage = setup.undisturbed();
    let bench = stage.open_bench(None).unwrap();
    let (clock, world) = (stage.opened.clock.clone(), stage.world.clone());
    let mut is_off_when_kept = None;
    let mut keeper = Keeper::hooked(|_, event| {
        let Event::ReadingsTaken(readings) = event else { return };
        if readings.rows.iter().any(|row| row.board_c.is_some_and(|board_c| board_c > 95.0)) {
            is_off_when_kept = Some(!world.truth().supply_on);
        }
    });
    let start = clock.now();
    let mut played = None;
    clock.together(vec![
        Box::new(|| played = Some(stage.play_on(bench, &mut keeper))),
        Box::new(|| {
            clock.sleep((start + Duration::from_secs(60)).since(clock.now()));
            stage.world.inject(Fault::BoardOverheats(Kelvins(100.0)));
        }),
    ]);
    drop(keeper);
    let played = played.unwrap();
    assert_eq!(played.outcome.end.verdict, RunVerdict::Tripped, "{}", played.reason());
    assert_eq!(
        is_off_when_kept,
        Some(true),
        "the reading that tripped is kept, with the outputs off by then"
    );
}

#[test]
fn a_dwell_that_is_held_again_at_once_is_given_up_in_words_of_a_dwell() {
    let mut deeds: Vec<(u64, Deed)> = (0..3).flat_map(|n| overheats(60 + 40 * n, 75 + 40 * n)).collect();
    deeds.push((180, inject(Fault::BoardOverheats(Kelvins(50.0)))));
    let played = play(&hold_derated("8 min"), deeds);
    played.assert_safe("held again and again");
    assert_eq!(played.outcome.end.verdict, RunVerdict::Tripped, "{}", played.reason());
    assert!(played.reason().starts_with("the dwell was held 3 times in a row"), "{}", played.reason());
    assert_eq!(played.count(|event| matches!(event, Event::InterlockHeld { .. })), 3);
}
