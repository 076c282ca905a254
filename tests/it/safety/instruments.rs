//! What instruments and boards do wrong while a run is on.

use std::sync::Arc;
use std::time::Duration;

use soakrig::base::units::{Kelvins, Volts};
use soakrig::event::{Event, FigureName, PointResult, PointVerdict, Region, Regulation, RunVerdict};
use soakrig::link::transport::{Address, LinkError, LinkSettings, Opener, Transport};
use soakrig::session;
use soakrig::sim::{Fault, Instrument, World};

use super::stage::{Keeper, Played, Setup, TWO_POINTS, rig_with_frozen_after};

/// Plays with `fault` from event `at` on.
fn play_with(setup: &Setup, at: usize, fault: &Fault) -> Played {
    let stage = setup.undisturbed();
    let world = stage.world.clone();
    let mut keeper = Keeper::hooked(move |number, _| {
        if number == at {
            world.inject(fault.clone());
        }
    });
    stage.play(&mut keeper).unwrap()
}

fn is_point_start(event: &Event) -> bool {
    matches!(event, Event::PointStarted { .. })
}

#[test]
fn an_instrument_that_hangs_ends_the_run_with_everything_off_that_hears() {
    let setup = Setup::new(TWO_POINTS);
    for at in 0..11 {
        for instrument in Instrument::ALL {
            if instrument == Instrument::Thermometer {
                continue;
            }
            let what = format!("{instrument:?} hangs at event {at}");
            let played = play_with(&setup, at, &Fault::Hangs(instrument));
            let truth = played.world.truth();
            assert!(played.took < Duration::from_secs(120), "{what}: {:?}", played.took);
            match instrument {
                Instrument::Supply => {
                    assert!(!truth.load_on, "{what}: {truth:?}");
                    played.assert_not_verified(&what);
                }
                Instrument::Load => {
                    assert!(!truth.supply_on, "{what}: {truth:?}");
                    played.assert_not_verified(&what);
                }
                _ => played.assert_safe(&what),
            }
        }
    }
}

#[test]
fn a_load_that_hangs_does_not_keep_the_supply_on() {
    let setup = Setup::new(TWO_POINTS);
    let stage = setup.undisturbed();
    let mut bench = stage.open_bench(None).unwrap();
    bench.supply.set_voltage(Volts(12.0)).unwrap();
    bench.supply.set_output(true).unwrap();
    stage.world.inject(Fault::Hangs(Instrument::Load));
    let world = stage.world.clone();
    let clock = stage.opened.clock.clone();
    let start = clock.now();
    let mut off_after = None;
    let mut made = None;
    clock.together(vec![
        Box::new(|| made = Some(bench.make_safe())),
        Box::new(|| {
            while world.truth().supply_on && clock.now().since(start) < Duration::from_secs(60) {
                clock.sleep(Duration::from_millis(10));
            }
            off_after = Some(clock.now().since(start));
        }),
    ]);
    assert!(off_after.unwrap() < Duration::from_secs(1), "{off_after:?}");
    assert!(!made.unwrap().verified);
}

#[test]
fn an_instrument_that_reboots_gets_its_settings_back_and_the_point_is_done_again() {
    let setup = Setup::new(TWO_POINTS);
    for at in 0..10 {
        for instrument in Instrument::ALL {
            let what = format!("{instrument:?} reboots at event {at}");
            let played = play_with(&setup, at, &Fault::Reboots(instrument));
            played.assert_safe(&what);
            assert_eq!(played.outcome.end.verdict, RunVerdict::Pass, "{what}: {}", played.reason());
            assert_eq!(played.finished().len(), 2, "{what}");
            for event in &played.events {
                if let Event::PointFinished(result) = event {
                    let figure = |name| result.figures.value(name).unwrap();
                    let (vin, iout) = (figure(FigureName::Vin), figure(FigureName::Iout));
                    assert!((vin - 18.0).abs() < 0.2, "{what}: Vin {vin}");
                    assert!((iout - result.setting.load.value()).abs() < 0.005, "{what}: Iout {iout}");
                }
            }
        }
    }
}

#[test]
fn an_output_that_does_not_obey_is_told_and_never_called_off() {
    let setup = Setup::new(TWO_POINTS);
    for fault in [Fault::SupplyStuckOn, Fault::LoadStuckOn] {
        let what = format!("{fault:?}");
        let played = play_with(&setup, 5, &fault);
        played.assert_not_verified(&what);
        let told = played.outcome.safe.failures.join("\n");
        assert!(told.contains("still says it is on"), "{what}: {told}");
        assert_eq!(played.outcome.safe.attempts, 4, "{what}");
        let truth = played.world.truth();
        assert_eq!(
            (truth.supply_on, truth.load_on),
            (fault == Fault::SupplyStuckOn, fault == Fault::LoadStuckOn)
        );
        played.world.mend();
    }
}

#[test]
fn the_same_trouble_of_an_instrument_that_is_dead_is_told_once_with_its_attempts() {
    let setup = Setup::new(TWO_POINTS);
    for (fault, at_most) in [
        (Fault::Hangs(Instrument::Supply), 4),
        (Fault::Hangs(Instrument::Load), 4),
        (Fault::SupplyStuckOn, 1),
        (Fault::LoadStuckOn, 1),
    ] {
        let played = play_with(&setup, 5, &fault);
        let failures = &played.outcome.safe.failures;
        let told = failures.join("\n");
        assert!(failures.len() <= at_most, "{fault:?}:\n{told}");
        assert!(told.contains("attempts 1 to 4, 4 times: "), "{fault:?}:\n{told}");
        let mut texts: Vec<&str> =
            failures.iter().map(|line| line.split_once(": ").map_or("", |(_, text)| text)).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), failures.len(), "{fault:?}:\n{told}");
        played.world.mend();
    }
}

#[test]
fn a_bench_that_cannot_be_opened_says_how_what_was_reached_was_left() {
    let setup = Setup::new(TWO_POINTS);
    let mut told = String::new();
    for (missing, stuck) in [
        (Instrument::Load, false),
        (Instrument::Load, true),
        (Instrument::Supply, false),
        (Instrument::Supply, true),
        (Instrument::Scope, false),
        (Instrument::Scope, true),
    ] {
        let stage = setup.undisturbed();
        // As an earlier run that was killed has left it.
        let mut before = stage.open_bench(None).unwrap();
        before.supply.set_voltage(Volts(5.0)).unwrap();
        before.supply.set_output(true).unwrap();
        before.load.set_input(true).unwrap();
        if stuck {
            stage.world.inject(Fault::SupplyStuckOn);
            stage.world.inject(Fault::LoadStuckOn);
        }
        stage.world.inject(Fault::Hangs(missing));
        let left =
            session::open_bench(&setup.rig, setup.registry.clone(), &stage.opened, None).err().unwrap();
        let safe = left.safe.as_ref().unwrap();
        let truth = stage.world.truth();
        // What is said to be off is off.
        assert!(
            !(safe.supply_off && truth.supply_on || safe.load_off && truth.load_on),
            "{safe:?} {truth:?}"
        );
        let reached: Vec<&str> = left.reached.iter().map(|facts| facts.role.as_str()).collect();
        told += &format!(
            "{missing:?} missing{}: reached {}; supply off {}, load off {}, verified {}, may be on {}\n",
            if stuck { ", others stuck" } else { "" },
            reached.join(" and "),
            safe.supply_off,
            safe.load_off,
            safe.verified,
            left.may_be_on
        );
    }
    insta::assert_snapshot!(told, @r"
    Load missing: reached source; supply off true, load off false, verified false, may be on false
    Load missing, others stuck: reached source; supply off false, load off false, verified false, may be on true
    Supply missing: reached load; supply off false, load off true, verified false, may be on false
    Supply missing, others stuck: reached load; supply off false, load off false, verified false, may be on true
    Scope missing: reached source and load; supply off true, load off true, verified true, may be on false
    Scope missing, others stuck: reached source and load; supply off false, load off false, verified false, may be on true
    ");
}

#[test]
fn swapped_leads_trip_and_say_so() {
    let setup = Setup::new(TWO_POINTS);
    let played = play_with(&setup, 0, &Fault::SwappedLeads);
    played.assert_safe("swapped leads");
    assert_eq!(played.outcome.end.verdict, RunVerdict::Tripped, "{}", played.reason());
    assert!(played.reason().contains("swap the supply's leads"), "{}", played.reason());
    assert_eq!(played.count(|event| matches!(event, Event::InterlockTripped { .. })), 1);
    assert!(played.finished().is_empty());
}

#[test]
fn a_voltage_from_elsewhere_is_refused_before_any_output() {
    let setup = Setup::new(TWO_POINTS);
    let stage = setup.undisturbed();
    stage.world.inject(Fault::ForeignVoltage(Volts(3.3)));
    let played = stage.play(&mut Keeper::default()).unwrap();
    assert_eq!(played.count(|event| matches!(event, Event::OutputSwitched { .. })), 0);
    let truth = played.world.truth();
    assert!(!truth.supply_on && !truth.load_on, "{truth:?}");
    played.assert_not_verified("foreign voltage");
    assert!(played.reason().contains("something else feeds the board"), "{}", played.reason());
}

#[test]
fn a_shorted_board_ends_safe_and_does_not_pass() {
    let profile = TWO_POINTS.to_owned()
        + "\n[[limits]]\nname = \"output voltage\"\nfigure = \"vout_v\"\nmin = \"4.8 V\"\nmax = \"5.2 V\"\n";
    let setup = Setup::new(&profile);
    for at in 0..8 {
        let played = play_with(&setup, at, &Fault::BoardShorted);
        let what = format!("shorted at event {at}");
        played.assert_safe(&what);
        assert_ne!(played.outcome.end.verdict, RunVerdict::Pass, "{what}: {}", played.reason());
    }
}

#[test]
fn a_point_with_the_supply_in_its_current_limit_is_not_judged_and_says_so() {
    let rig = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rigs/sim.toml")).unwrap();
    let limit = "\n[[limits]]\nname = \"output\"\nfigure = \"vout_v\"\nmin = \"1 V\"\n";
    // Enough for the first point's 30 mA, not for 250 mA at 18 V; what is left of Vout meets the limit all the same.
    let rig = rig.replace("max_current = \"1 A\"", "max_current = \"70 mA\"");
    let setup = Setup::with_rig(&format!("{TWO_POINTS}{limit}"), &rig);
    let played = setup.undisturbed().play(&mut Keeper::default()).unwrap();
    let results: Vec<&PointResult> = played
        .events
        .iter()
        .filter_map(|event| if let Event::PointFinished(result) = event { Some(&**result) } else { None })
        .collect();
    let (first, second) = (results[0], results[1]);
    assert_eq!(first.regulation, Ok(Regulation::ConstantVoltage));
    assert_eq!(first.verdict, PointVerdict::Pass);
    assert_eq!(second.regulation, Ok(Regulation::ConstantCurrent));
    assert_eq!((second.verdict, second.region), (PointVerdict::NotMeasured, Region::Unknown));
    assert!(second.figures.value(FigureName::Vout).unwrap() > 1.0);
    assert!(second.notes[0].starts_with("supply in current limit: "), "{:?}", second.notes);
    assert_eq!(played.outcome.end.verdict, RunVerdict::Incomplete);
}

/// One point that is settled for long, under interlocks on the board's temperature.
fn warm(interlocks: &str) -> Setup {
    Setup::new(&format!(
        "{}\n[interlocks]\n{interlocks}\n",
        TWO_POINTS
            .replace("hold = \"20 ms\"", "hold = \"20 s\"")
            .replace("limit = \"500 ms\"", "limit = \"60 s\"")
    ))
}

const HOLDING: &str = "hold_temperature = \"60 degC\"\nover_temperature = \"90 degC\"\nrise_k_per_min = 1000";

#[test]
fn a_board_that_overheats_is_held_at_no_load_then_measured_again() {
    let setup = warm(HOLDING);
    let stage = setup.undisturbed();
    let world = stage.world.clone();
    let mut set_a = Vec::new();
    let held = Arc::clone(&world);
    let mut keeper = Keeper::hooked(|number, event| match event {
        Event::PointStarted { .. } if number < 7 => world.inject(Fault::BoardOverheats(Kelvins(50.0))),
        Event::InterlockHeld { .. } => {
            set_a.push("held");
            held.inject(Fault::BoardOverheats(Kelvins(0.0)));
        }
        Event::InterlockReleased { .. } => {
            let truth = held.truth();
            assert!(truth.iout.value().abs() < 0.005 && truth.supply_on, "{truth:?}");
            set_a.push("released");
        }
        _ => {}
    });
    let played = stage.play(&mut keeper).unwrap();
    drop(keeper);
    played.assert_safe("overheats");
    assert_eq!(set_a, ["held", "released"]);
    assert_eq!(played.outcome.end.verdict, RunVerdict::Pass, "{}", played.reason());
    assert_eq!(played.count(is_point_start), 3, "the held point was begun again");
    assert_eq!(played.finished().len(), 2);
}

#[test]
fn a_link_lost_while_held_does_not_let_the_point_be_measured_at_no_load() {
    let setup = warm(HOLDING);
    let stage = setup.undisturbed();
    let world = stage.world.clone();
    let mut keeper = Keeper::hooked(move |number, event| match event {
        Event::PointStarted { .. } if number < 7 => world.inject(Fault::BoardOverheats(Kelvins(50.0))),
        Event::InterlockHeld { .. } => world.inject(Fault::Reboots(Instrument::Load)),
        Event::Retried { .. } => world.inject(Fault::BoardOverheats(Kelvins(0.0))),
        _ => {}
    });
    let played = stage.play(&mut keeper).unwrap();
    drop(keeper);
    played.assert_safe("rebooted while held");
    for event in &played.events {
        if let Event::PointFinished(result) = event {
            let iout = result.figures.value(FigureName::Iout).unwrap();
            assert!((iout - result.setting.load.value()).abs() < 0.005, "{iout} at {:?}", result.setting);
        }
    }
    assert_eq!(played.finished().len(), 2, "{}", played.reason());
}

#[test]
fn a_stop_while_held_does_not_wait_for_the_board_to_cool() {
    let setup = warm(HOLDING);
    let stage = setup.undisturbed();
    let (world, wish): (Arc<World>, _) = (stage.world.clone(), stage.stop.clone());
    let mut keeper = Keeper::hooked(move |_, event| match event {
        Event::PointStarted { .. } => world.inject(Fault::BoardOverheats(Kelvins(50.0))),
        Event::InterlockHeld { .. } => wish.ask(),
        _ => {}
    });
    let played = stage.play(&mut keeper).unwrap();
    played.assert_safe("stopped while held");
    assert_eq!(played.outcome.end.verdict, RunVerdict::Stopped, "{}", played.reason());
    assert!(played.took < Duration::from_secs(60), "{:?}", played.took);
}

#[test]
fn a_board_too_hot_or_heating_too_fast_trips() {
    let cases = [
        (HOLDING, 80.0, "is above 90"),
        ("over_temperature = \"90 degC\"\nrise_k_per_min = 20", 15.0, "rises by"),
        (
            "hold_temperature = \"60 degC\"\nhold_limit = \"20 s\"\nrise_k_per_min = 1000",
            50.0,
            "did not fall",
        ),
    ];
    for (interlocks, more_k, expected) in cases {
        let setup = warm(interlocks);
        let played = play_with(&setup, 6, &Fault::BoardOverheats(Kelvins(more_k)));
        played.assert_safe(expected);
        assert_eq!(played.outcome.end.verdict, RunVerdict::Tripped, "{expected}: {}", played.reason());
        assert!(played.reason().contains(expected), "{expected}: {}", played.reason());
    }
}

#[test]
fn a_sensor_on_the_board_that_fails_trips_once_it_was_missing_too_long() {
    let rig = rig_with_frozen_after("4 s").replace("max_age = \"3 s\"", "max_age = \"2 s\"");
    for fault in [Fault::ThermometerFallsSilent, Fault::ThermometerFreezes] {
        let long = TWO_POINTS
            .replace("hold = \"20 ms\"", "hold = \"30 s\"")
            .replace("limit = \"500 ms\"", "limit = \"60 s\"");
        let setup = Setup::with_rig(&long, &rig);
        let played = play_with(&setup, 5, &fault);
        let what = format!("{fault:?}");
        played.assert_safe(&what);
        assert_eq!(played.outcome.end.verdict, RunVerdict::Tripped, "{what}: {}", played.reason());
        assert!(played.reason().contains("board's temperature has been missing"), "{}", played.reason());
        assert!(played.count(|event| matches!(event, Event::SensorFailed { .. })) > 0, "{what}");
    }
}

#[test]
fn a_point_whose_temperature_is_found_to_have_stood_still_has_none() {
    let profile = TWO_POINTS
        .replace("hold = \"20 ms\"", "hold = \"30 s\"")
        .replace("limit = \"500 ms\"", "limit = \"60 s\"");
    let setup = Setup::with_rig(&profile, &rig_with_frozen_after("10 s"));
    let stage = setup.undisturbed();
    let world = stage.world.clone();
    // It stands still just before the first point is measured, which is noticed while the second one settles.
    let mut keeper = Keeper::hooked(move |_, event| {
        if matches!(event, Event::Settled { point, .. } if point.0 == 1) {
            world.inject(Fault::ThermometerFreezes);
        }
    });
    let played = stage.play(&mut keeper).unwrap();
    let first = played.events.iter().find_map(|event| match event {
        Event::PointFinished(result) if result.point.0 == 1 => Some(result),
        _ => None,
    });
    let why = first.unwrap().figures.figure(FigureName::BoardTemperature).unwrap_err().0;
    assert!(why.starts_with("the thermometer board stood still while it was measured"), "{why}");
}

#[test]
fn a_sensor_that_no_interlock_needs_leaves_a_reason_in_the_place_of_its_figure() {
    let rig = include_str!("../../../rigs/sim.toml");
    let (before, board_and_after) = rig.split_once("[thermometer.board]").unwrap();
    let (_, after) = board_and_after.split_once("[thermometer.ambient]").unwrap();
    let rig = format!("{before}[thermometer.ambient]{after}");
    let profile = TWO_POINTS.replace("\"board_c\"", "\"ambient_c\"");
    let setup = Setup::with_rig(&profile, &rig);
    let played = play_with(&setup, 5, &Fault::ThermometerFallsSilent);
    played.assert_safe("ambient silent");
    assert_eq!(played.finished().len(), 2, "{}", played.reason());
    assert!(played.count(|event| matches!(event, Event::SensorFailed { .. })) > 0);
    let last = played.events.iter().rev().find_map(|event| match event {
        Event::PointFinished(result) => Some(result),
        _ => None,
    });
    let why = last.unwrap().figures.figure(FigureName::AmbientTemperature).unwrap_err();
    assert!(why.to_string().contains("ambient"), "{why}");
}

#[test]
fn another_instrument_is_refused_naming_both() {
    let setup = Setup::new(TWO_POINTS);
    for instrument in [Instrument::Supply, Instrument::Load, Instrument::Scope] {
        let stage = setup.undisturbed();
        stage.world.inject(Fault::WrongIdentity(instrument, "ACME,ROCKET 9,7,1.0".to_owned()));
        let told = stage.open_bench(None).err().unwrap();
        assert!(told.contains("ROCKET 9") && told.contains("rigol_"), "{told}");
        let truth = stage.world.truth();
        assert!(!truth.supply_on && !truth.load_on, "{truth:?}");
    }
}

#[test]
fn an_output_switched_off_by_another_hand_ends_the_run_and_is_not_measured() {
    let setup = Setup::new(TWO_POINTS);
    let stage = setup.undisturbed();
    // A second client is a hand at the front panel as good as any.
    let mut hand = stage.open_bench(None).unwrap();
    let mut keeper = Keeper::hooked(move |_, event| {
        if matches!(event, Event::Settled { .. }) {
            hand.load.set_input(false).unwrap();
        }
    });
    let played = stage.play(&mut keeper).unwrap();
    played.assert_safe("switched off by hand");
    assert_eq!(played.outcome.end.verdict, RunVerdict::Tripped, "{}", played.reason());
    assert!(played.reason().contains("load's input is off"), "{}", played.reason());
    assert!(played.finished().is_empty());
}

/// Plays; a moment after the point has begun (or settled) `disturb` is done, and it is looked when `is_off` says so.
fn disturb_and_time(
    setup: &Setup,
    is_moment: impl Fn(&Event) -> bool + Send,
    disturb: impl FnOnce(&World, &soakrig::engine::StopWish) + Send,
    is_off: impl Fn(&World) -> bool + Send + Sync,
) -> (Duration, Duration, Played) {
    let stage = setup.undisturbed();
    let (watched, wish, clock) = (stage.world.clone(), stage.stop.clone(), stage.opened.clock.clone());
    let bench = stage.open_bench(None).unwrap();
    let now = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = now.clone();
    let mut keeper = Keeper::hooked(move |_, event| {
        if is_moment(event) {
            flag.store(true, std::sync::atomic::Ordering::SeqCst);
        }
    });
    let (mut times, mut played) = (None, None);
    let mut ended = None;
    clock.together(vec![
        Box::new(|| {
            played = Some(stage.play_on(bench, &mut keeper));
            ended = Some(clock.now());
        }),
        Box::new(|| {
            while !now.load(std::sync::atomic::Ordering::SeqCst) {
                clock.sleep(Duration::from_millis(1));
            }
            disturb(&watched, &wish);
            let start = clock.now();
            while !is_off(&watched) && clock.now().since(start) < Duration::from_secs(60) {
                clock.sleep(Duration::from_millis(5));
            }
            times = Some((start, clock.now()));
        }),
    ]);
    let (start, off) = times.unwrap();
    (off.since(start), ended.unwrap().since(start), played.unwrap())
}

#[test]
fn a_second_wish_to_stop_does_not_wait_for_a_supply_or_load_that_hangs() {
    let setup = Setup::new(&TWO_POINTS.replace("hold = \"20 ms\"", "hold = \"400 ms\""));
    type Moment = fn(&Event) -> bool;
    let moments: [(&str, Moment); 2] =
        [("settling", is_point_start), ("measuring", |event| matches!(event, Event::Settled { .. }))];
    for (doing, is_moment) in moments {
        for hung in [Instrument::Supply, Instrument::Load] {
            let what = format!("{hung:?} hangs while {doing}");
            let (off, ended, played) = disturb_and_time(
                &setup,
                is_moment,
                |world, wish| {
                    world.inject(Fault::Hangs(hung));
                    (0..2).for_each(|_| wish.ask());
                },
                |world| match hung {
                    Instrument::Supply => !world.truth().load_on,
                    _ => !world.truth().supply_on,
                },
            );
            assert!(off < Duration::from_secs(1), "{what}: off after {off:?}");
            assert!(ended < Duration::from_secs(4), "{what}: ended after {ended:?}");
            played.assert_not_verified(&what);
            assert!(played.finished().is_empty(), "{what}");
        }
    }
}

#[test]
fn what_trips_is_switched_off_at_once_although_another_instrument_hangs() {
    let setup = Setup::new(&format!("{TWO_POINTS}\n[interlocks]\nover_voltage = \"6 V\"\n"));
    let (off, _, played) = disturb_and_time(
        &setup,
        |event| matches!(event, Event::Settled { .. }),
        |world, _| {
            world.inject(Fault::Hangs(Instrument::Supply));
            world.inject(Fault::ForeignVoltage(Volts(9.0)));
        },
        |world| !world.truth().load_on,
    );
    assert!(off < Duration::from_secs(1), "{off:?}");
    assert!(played.reason().contains("output voltage"), "{}", played.reason());
    played.assert_not_verified("tripped while the supply hangs");
}

/// Volts at the terminals, by the number of the look from 0.
type Left = fn(usize) -> f64;

/// A supply whose terminals keep a voltage after it went off: what each further look at it finds, in volts.
struct Charged {
    inner: Arc<dyn Opener>,
    volts: Left,
}

struct ChargedLink {
    inner: Box<dyn Transport>,
    volts: Left,
    is_off: bool,
    looks: usize,
    answer: Option<String>,
}

impl Opener for Charged {
    fn open(&self, address: &Address, settings: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
        let inner = self.inner.open(address, settings)?;
        if !address.to_string().contains("supply") {
            return Ok(inner);
        }
        Ok(Box::new(ChargedLink { inner, volts: self.volts, is_off: false, looks: 0, answer: None }))
    }
}

impl Transport for ChargedLink {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        let text = String::from_utf8_lossy(message).to_uppercase();
        if text.contains("OUTP") && !text.contains('?') {
            self.is_off = text.ends_with("OFF");
        }
        if self.is_off && text.contains("MEAS") && text.contains('?') && !text.contains("CURR") {
            self.answer = Some(format!("{:.4}", (self.volts)(self.looks)));
            self.looks += 1;
            return Ok(());
        }
        self.inner.send(message)
    }
    fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
        match self.answer.take() {
            Some(answer) => Ok(answer.into_bytes()),
            None => self.inner.receive(timeout),
        }
    }
    fn clear(&mut self) -> Result<(), LinkError> {
        self.inner.clear()
    }
}

#[test]
fn a_voltage_that_stands_at_the_supply_is_no_safe_bench_and_one_that_falls_is_a_charge() {
    let setup = Setup::new(TWO_POINTS);
    let cases: [(Left, bool); 3] = [
        (|_| 12.0, false),
        (|look| 7.0 * 0.998_f64.powi(i32::try_from(look).unwrap()), true),
        (|look| if look < 3 { 5.0 } else { 0.01 }, true),
    ];
    for (volts, is_safe) in cases {
        let stage =
            setup.open_world(|opened| Some(Arc::new(Charged { inner: opened.opener.clone(), volts })));
        let played = stage.play(&mut Keeper::default()).unwrap();
        let what = format!("{} V at first, {} V later", volts(0), volts(100));
        if is_safe {
            played.assert_safe(&what);
        } else {
            played.assert_not_verified(&what);
            let told = played.outcome.safe.failures.join("\n");
            assert!(told.contains("12 V still stands at its terminals"), "{told}");
        }
    }
}

#[test]
fn a_second_wish_to_stop_does_not_wait_for_a_scope_that_hangs() {
    let setup = Setup::new(TWO_POINTS);
    let stage = setup.undisturbed();
    let (world, wish, clock) = (stage.world.clone(), stage.stop.clone(), stage.opened.clock.clone());
    let watched = stage.world.clone();
    let bench = stage.open_bench(None).unwrap();
    let mut keeper = Keeper::hooked(move |_, event| {
        if matches!(event, Event::Settled { .. }) {
            world.inject(Fault::Hangs(Instrument::Scope));
        }
    });
    let (mut off_after, mut played) = (None, None);
    clock.together(vec![
        Box::new(|| played = Some(stage.play_on(bench, &mut keeper))),
        Box::new(|| {
            while !watched.truth().load_on {
                clock.sleep(Duration::from_millis(10));
            }
            // By now the point has settled, and the scope takes no notice.
            clock.sleep(Duration::from_secs(2));
            assert!(watched.truth().supply_on);
            (0..2).for_each(|_| wish.ask());
            let asked = clock.now();
            while watched.truth().supply_on {
                clock.sleep(Duration::from_millis(10));
            }
            off_after = Some(clock.now().since(asked));
        }),
    ]);
    assert!(off_after.unwrap() < Duration::from_secs(1), "{off_after:?}");
    played.unwrap().assert_safe("stopped while the scope hangs");
}
