//! What instruments, links and sensors do wrong during a soak, at some second of it: what comes back in time costs a gap that
//! tells its cause, what does not come back, or comes too often, ends with the outputs off.

use std::sync::Arc;
use std::time::Duration;

use soakrig::base::clock::{Clock, Instant};
use soakrig::event::{Coverage, DwellEnd, Event, Gap, GapCause, Reading, RunVerdict};
use soakrig::link::transport::{Address, FaultLink, Faults, LinkError, LinkSettings, Opener, Transport};
use soakrig::sim::{Fault, Instrument, Spoiling, World};

use super::stage::{Keeper, Played, Setup, rig_with_frozen_after};

pub(super) const HOLD: &str = r#"
name = "hold"
purpose = "Holds one setting."
vout_nominal = "5 V"
figures = ["vin_v", "iin_a", "vout_v", "iout_a", "board_c"]

[points]
vin = ["24 V"]
load = ["250 mA"]

[soak]
readings = "1 s"
capture_every = "SPAN"

[[soak.phases]]
name = "hold"
vin = "24 V"
load = "250 mA"
for = "SPAN"

[settle]
band = "50 mV"
hold = "20 ms"
limit = "500 ms"

[interlocks]
over_temperature = "95 degC"
lost_reading = "1 min"

[capture]
span = "60 us"
samples = 6000
range_attempts = 1
noise_floor = false

[[limits]]
name = "output in range"
figure = "vout_v"
min = "4 V"
max = "6 V"
"#;

pub(super) type Deed = Box<dyn FnMut(&World) + Send>;

pub(super) fn inject(fault: Fault) -> Deed {
    Box::new(move |world| world.inject(fault.clone()))
}

fn mend() -> Deed {
    Box::new(World::mend)
}

pub(super) fn hold(span: &str) -> Setup {
    let rig = rig_with_frozen_after("15 s");
    Setup::with_rig(&HOLD.replace("SPAN", span), &rig)
}

/// Holds for a time and does these things so many seconds after the bench was opened.
pub(super) fn play(setup: &Setup, mut deeds: Vec<(u64, Deed)>) -> Played {
    let stage = setup.undisturbed();
    let bench = stage.open_bench(None).unwrap();
    let (clock, world) = (stage.opened.clock.clone(), stage.world.clone());
    let start = clock.now();
    let mut played = None;
    clock.together(vec![
        Box::new(|| played = Some(stage.play_on(bench, &mut Keeper::default()))),
        Box::new(|| {
            for (at_s, deed) in &mut deeds {
                let left = (start + Duration::from_secs(*at_s)).since(clock.now());
                clock.sleep(left);
                deed(&world);
            }
        }),
    ]);
    let played = played.unwrap();
    let truth = played.world.truth();
    assert!(!truth.supply_on && !truth.load_on, "{:?}", played.outcome);
    played
}

pub(super) fn gaps(played: &Played) -> Vec<Gap> {
    let gaps = played.events.iter().filter_map(|event| match event {
        Event::GapFound(gap) => Some(gap.clone()),
        _ => None,
    });
    gaps.collect()
}

/// The readings of what the plan sets, or those that were taken while the run was held.
pub(super) fn readings_of(played: &Played, held: bool) -> Vec<Reading> {
    let batches = played.events.iter().filter_map(|event| match event {
        Event::ReadingsTaken(readings) if readings.held == held => Some(readings.rows.clone()),
        _ => None,
    });
    batches.flatten().collect()
}

pub(super) fn readings(played: &Played) -> Vec<Reading> {
    readings_of(played, false)
}

/// The hold is complete, and every reading is one of the setting.
pub(super) fn assert_whole(played: &Played, what: &str) {
    let told = format!("{what}: {:?}\n{:?}", played.outcome.end, gaps(played));
    assert_eq!(played.outcome.end.verdict, RunVerdict::Pass, "{told}");
    assert!(played.outcome.safe.verified, "{told}");
    let is_end = |event: &Event| matches!(event, Event::DwellFinished { end: DwellEnd::Time, .. });
    assert_eq!(played.count(is_end), 1, "{told}");
    for reading in readings(played) {
        let (vin, iout) = (reading.vin_v.unwrap(), reading.iout_a.unwrap());
        assert!((vin - 24.0).abs() < 0.3 && (iout - 0.25).abs() < 0.01, "{reading:?} {told}");
    }
}

#[test]
fn an_instrument_that_reboots_during_a_soak_costs_a_gap_with_its_cause_and_nothing_else() {
    let setup = hold("3 min");
    for instrument in [Instrument::Supply, Instrument::Load] {
        let what = format!("{instrument:?} reboots");
        let played = play(&setup, vec![(60, inject(Fault::Reboots(instrument)))]);
        assert_whole(&played, &what);
        let gaps = gaps(&played);
        let [gap] = gaps.as_slice() else { panic!("{what}: {gaps:?}") };
        assert_eq!(gap.cause, GapCause::Instrument, "{what}");
        assert!(gap.missed >= 3, "{what}: {gap:?}");
        let taken = readings(&played).len() as u64;
        let coverage = Coverage::of(taken, &gaps);
        assert!((taken as i64 - 180).abs() <= 2, "{what}: the dwell is as long as planned, {taken} readings");
        assert!(coverage.share().unwrap() > 0.85, "{what}: {coverage:?}");
        let switched_on = |event: &Event| matches!(event, Event::OutputSwitched { on: true, .. });
        assert_eq!(played.count(switched_on), 4, "{what}: both came on again");
    }
}

/// What supply and load say of every setting, asked past the program.
fn settings(opener: &dyn Opener) -> Vec<(&'static str, String)> {
    let ask = |instrument: &str, question: &str| {
        let address: Address = format!("SIM::{instrument}").parse().unwrap();
        let mut link = opener.open(&address, &LinkSettings::default()).unwrap();
        link.send(question.as_bytes()).unwrap();
        String::from_utf8(link.receive(Duration::from_secs(5)).unwrap()).unwrap()
    };
    let of_supply = [
        ":SOUR1:VOLT?",
        ":SOUR1:CURR?",
        ":OUTP:OVP:VAL? CH1",
        ":OUTP:OVP? CH1",
        ":OUTP:OCP:VAL? CH1",
        ":OUTP:OCP? CH1",
        ":OUTP? CH1",
    ];
    let of_load = [":SOUR:FUNC?", ":SOUR:CURR:LEV:IMM?", ":SOUR:CURR:ILIM?", ":SOUR:INP:STAT?"];
    let supply = of_supply.map(|question| (question, ask("supply", question)));
    let load = of_load.map(|question| (question, ask("load", question)));
    supply.into_iter().chain(load).collect()
}

/// An instrument comes back from a reboot with its own settings: no output, no protection level, another current limit.
#[test]
fn after_a_reboot_every_setting_of_supply_and_load_is_what_it_was_before() {
    let setup = hold("3 min");
    for instrument in [Instrument::Supply, Instrument::Load] {
        let stage = setup.undisturbed();
        let bench = stage.open_bench(None).unwrap();
        let (clock, world, opener) =
            (stage.opened.clock.clone(), stage.world.clone(), stage.opened.opener.clone());
        let (mut played, mut before, mut rebooted, mut after) = (None, Vec::new(), Vec::new(), Vec::new());
        clock.together(vec![
            Box::new(|| played = Some(stage.play_on(bench, &mut Keeper::default()))),
            Box::new(|| {
                clock.sleep(Duration::from_secs(60));
                before = settings(&*opener);
                world.inject(Fault::Reboots(instrument));
                clock.sleep(Duration::from_millis(2001));
                rebooted = settings(&*opener);
                clock.sleep(Duration::from_secs(60));
                after = settings(&*opener);
            }),
        ]);
        assert_whole(&played.unwrap(), &format!("{instrument:?} reboots"));
        assert_eq!(after, before, "{instrument:?} reboots");
        let lost = before.iter().zip(&rebooted).filter(|(before, rebooted)| before != rebooted).count();
        assert!(lost >= 3, "{instrument:?} forgot {lost} of its settings: {before:?} {rebooted:?}");
    }
}

#[test]
fn a_link_that_drops_during_a_soak_costs_a_gap_that_names_its_instrument() {
    let setup = hold("3 min");
    for (instrument, name) in
        [(Instrument::Supply, "source at SIM::supply"), (Instrument::Load, "load at SIM::load")]
    {
        let what = format!("the link of {instrument:?} drops");
        let played = play(&setup, vec![(60, inject(Fault::LinkDrops(instrument)))]);
        assert_whole(&played, &what);
        let gaps = gaps(&played);
        let [gap] = gaps.as_slice() else { panic!("{what}: {gaps:?}") };
        assert!(gap.cause == GapCause::Instrument && gap.what.contains(name), "{what}: {gap:?}");
    }
    let played = play(&setup, vec![(60, inject(Fault::LinkDrops(Instrument::Thermometer)))]);
    assert_whole(&played, "the link of the thermometer drops");
    assert!(gaps(&played).is_empty(), "it is opened anew before a reading is missed: {:?}", gaps(&played));
}

#[test]
fn answers_that_are_spoilt_in_whatever_way_cost_gaps_that_name_their_instrument() {
    let setup = hold("4 min");
    for (instrument, names) in [
        (Instrument::Supply, ["source at SIM::supply", "source was waited for"]),
        (Instrument::Load, ["load at SIM::load", "load was waited for"]),
    ] {
        for spoiling in Spoiling::ALL {
            let what = format!("{instrument:?} answers {spoiling:?}");
            let played =
                play(&setup, vec![(60, inject(Fault::Answers(instrument, spoiling))), (180, mend())]);
            assert_whole(&played, &what);
            let gaps = gaps(&played);
            assert!(!gaps.is_empty(), "{what}: nothing was spoilt");
            for gap in gaps {
                let is_named = names.iter().any(|name| gap.what.contains(name));
                assert!(gap.cause == GapCause::Instrument && is_named, "{what}: {gap:?}");
            }
        }
    }
}

#[test]
fn what_fails_between_two_dwells_costs_a_gap_with_its_cause_and_setting_the_next_value_costs_none() {
    let setup = in_steps("1 s", "4 V", "500 ms");
    for reboots in [false, true] {
        let stage = setup.undisturbed();
        let world = stage.world.clone();
        let mut keeper = Keeper::hooked(move |_, event| {
            let is_between = matches!(event, Event::DwellFinished { dwell, .. } if dwell.0 == 2);
            if is_between && reboots {
                world.inject(Fault::Reboots(Instrument::Load));
            }
        });
        let played = stage.play(&mut keeper).unwrap();
        assert_eq!(played.outcome.end.verdict, RunVerdict::Pass, "{:?}", played.outcome.end);
        let (gaps, rows) = (gaps(&played), readings(&played));
        if !reboots {
            assert_eq!(gaps, Vec::new());
            continue;
        }
        let [gap] = gaps.as_slice() else { panic!("{gaps:?}") };
        assert_eq!(gap.cause, GapCause::Instrument);
        let after = rows.iter().position(|row| row.at == gap.to).unwrap();
        assert_eq!(
            rows[after - 1].at,
            gap.from,
            "from the last reading of one dwell to the first of the next"
        );
        assert!(gap.missed >= 2 && Coverage::of(rows.len() as u64, &gaps).share().unwrap() < 0.99, "{gap:?}");
    }
}

const STEPS: &str =
    "pattern = \"steps\"\nvin = \"24 V\"\nload = [\"100 mA\", \"250 mA\"]\neach = \"30 s\"\ncycles = 2\n";

/// The board under steps of half a minute, with these readings and this limit.
fn in_steps(readings: &str, min: &str, settles: &str) -> Setup {
    let text = HOLD.replace("vin = \"24 V\"\nload = \"250 mA\"\nfor = \"SPAN\"\n", STEPS);
    let text = text.replace("readings = \"1 s\"", &format!("readings = \"{readings}\""));
    let text = text.replace("min = \"4 V\"", &format!("min = \"{min}\""));
    Setup::new(&text.replace("limit = \"500 ms\"", &format!("limit = \"{settles}\"")).replace("SPAN", "1 h"))
}

#[test]
fn a_setting_that_is_left_before_its_second_reading_is_read_at_its_end_and_held_against_the_limits() {
    for (readings, min, verdict) in [
        ("30 s", "4.98 V", RunVerdict::Fail),
        ("1 min", "4.98 V", RunVerdict::Fail),
        ("1 min", "4.5 V", RunVerdict::Pass),
    ] {
        let played = in_steps(readings, min, "500 ms").undisturbed().play(&mut Keeper::default()).unwrap();
        assert_eq!(played.outcome.end.verdict, verdict, "{readings} {min}: {:?}", played.outcome);
        let judged =
            played.count(|event| matches!(event, Event::ReadingsJudged(judged) if judged.judged() == 1));
        assert_eq!(judged, 4, "{readings} {min}");
        assert_eq!(gaps(&played), Vec::new());
    }
}

#[test]
fn a_run_that_can_hold_no_reading_against_a_limit_says_so_beforehand_and_when_it_passes() {
    let setup = in_steps("1 min", "4.5 V", "31 s");
    let plan = soakrig::plan::render::render_plan(&setup.plan);
    assert!(plan.contains("no reading of it is held against a limit"), "{plan}");
    let played = setup.undisturbed().play(&mut Keeper::default()).unwrap();
    assert_eq!(played.outcome.end.verdict, RunVerdict::Pass, "{:?}", played.outcome);
    assert!(played.reason().contains("no reading was held against a limit"), "{}", played.reason());
}

#[test]
fn a_controller_that_stands_still_over_the_end_of_a_dwell_leaves_a_gap() {
    let setup = hold("65 s");
    let stage = setup.undisturbed();
    let clock = stage.opened.clock.clone();
    let mut is_first = true;
    let mut keeper = Keeper::hooked(move |_, event| {
        if matches!(event, Event::ReadingsTaken(_)) && std::mem::take(&mut is_first) {
            clock.sleep(Duration::from_secs(9));
        }
    });
    let played = stage.play(&mut keeper).unwrap();
    let gaps = gaps(&played);
    let [gap] = gaps.as_slice() else { panic!("{gaps:?}") };
    assert_eq!(gap.cause, GapCause::Controller, "{gap:?}");
    assert_eq!(gap.to.since(gap.from).as_secs(), 9, "{gap:?}");
    assert_eq!(readings(&played).last().unwrap().at, gap.to, "it is read once more at its end");
}

#[test]
fn a_criterion_that_needs_room_under_the_temperature_limit_is_met_only_with_it() {
    let played_under = |limit_c: f64, span: &str| {
        let warm = "until = \"IEC 62368-1 short\"\nfor = \"SPAN\"";
        let text = HOLD.replace("for = \"SPAN\"", warm).replace("95 degC", &format!("{limit_c} degC"));
        let setup = Setup::new(&text.replace("SPAN", span));
        play(&setup, Vec::new())
    };
    let ended = |played: &Played, wanted: DwellEnd| {
        played.count(|event| matches!(event, Event::DwellFinished { end, .. } if *end == wanted))
    };
    let far = played_under(95.0, "2 h");
    assert_eq!(ended(&far, DwellEnd::Steady), 1, "{:?}", far.outcome);
    let warm_c = readings(&far).last().unwrap().board_c.unwrap();
    let near = played_under(warm_c * 1.1, "20 min");
    assert_eq!(ended(&near, DwellEnd::NotSteady), 1, "{:?}", near.outcome);
    let why = |event: &Event| matches!(event, Event::Warned { what } if what.contains("too near the temperature limit"));
    assert_eq!(near.count(why), 1);
}

#[test]
fn an_instrument_that_is_silent_for_less_than_lost_reading_is_waited_for_and_longer_trips() {
    let setup = hold("4 min");
    for instrument in [Instrument::Supply, Instrument::Load] {
        let hang = |span: u64| vec![(60, inject(Fault::Hangs(instrument))), (60 + span, mend())];
        let played = play(&setup, hang(30));
        assert_whole(&played, &format!("{instrument:?} hangs for 30 s"));
        assert!(gaps(&played).iter().all(|gap| gap.cause == GapCause::Instrument), "{:?}", gaps(&played));
        // It hears again while the bench is made safe: what never hears again cannot be verified off.
        let played = play(&setup, hang(75));
        let told = format!("{instrument:?}: {:?}", played.outcome);
        assert_eq!(played.outcome.end.verdict, RunVerdict::Tripped, "{told}");
        assert!(played.reason().contains("has been missing for"), "{told}");
        let gaps = gaps(&played);
        let [gap] = gaps.as_slice() else { panic!("{told}: {gaps:?}") };
        assert!(gap.cause == GapCause::Instrument && gap.what.ends_with("; ended by a trip"), "{gap:?}");
        assert!((55..=75).contains(&gap.missed), "{gap:?}");
        let share = Coverage::of(readings(&played).len() as u64, &gaps).share().unwrap();
        assert!(share < 0.55, "{share} of what was due is there");
    }
}

#[test]
fn a_person_who_stops_the_run_in_the_middle_of_a_gap_leaves_the_gap_told() {
    let setup = hold("4 min");
    for asks in [1, 2] {
        let stage = setup.undisturbed();
        let bench = stage.open_bench(None).unwrap();
        let (clock, world) = (stage.opened.clock.clone(), stage.world.clone());
        let mut played = None;
        clock.together(vec![
            Box::new(|| played = Some(stage.play_on(bench, &mut Keeper::default()))),
            Box::new(|| {
                clock.sleep(Duration::from_secs(60));
                world.inject(Fault::Hangs(Instrument::Load));
                clock.sleep(Duration::from_secs(20));
                // It hears that it is switched off.
                world.mend();
                (0..asks).for_each(|_| stage.stop.ask());
            }),
        ]);
        let played = played.unwrap();
        let told = format!("asked {asks} times: {:?}", played.outcome.end);
        assert_eq!(played.outcome.end.verdict, RunVerdict::Stopped, "{told}");
        let gaps = gaps(&played);
        let [gap] = gaps.as_slice() else { panic!("{told}: {gaps:?}") };
        assert!(gap.cause == GapCause::Instrument && gap.what.contains("load at SIM::load"), "{gap:?}");
        assert!(gap.what.ends_with("; ended by a stop") && gap.missed >= 15, "{gap:?}");
    }
}

/// The numbers that supply and load answer are rubbish from one moment to another.
struct Rubbish {
    inner: Arc<dyn Opener>,
    clock: Arc<dyn Clock>,
    span: (Instant, Instant),
}

struct RubbishLink {
    inner: Box<dyn Transport>,
    clock: Arc<dyn Clock>,
    span: (Instant, Instant),
}

impl Opener for Rubbish {
    fn open(&self, address: &Address, settings: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
        let inner = self.inner.open(address, settings)?;
        let name = address.to_string();
        if !(name.contains("supply") || name.contains("load")) {
            return Ok(inner);
        }
        Ok(Box::new(RubbishLink { inner, clock: self.clock.clone(), span: self.span }))
    }
}

impl Transport for RubbishLink {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        self.inner.send(message)
    }
    fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
        let answer = self.inner.receive(timeout)?;
        let ((from, to), now) = (self.span, self.clock.now());
        let is_number = std::str::from_utf8(&answer).is_ok_and(|text| text.trim().parse::<f64>().is_ok());
        Ok(if is_number && from <= now && now < to { b"?".to_vec() } else { answer })
    }
    fn has_unread(&self) -> bool {
        self.inner.has_unread()
    }
    fn clear(&mut self) -> Result<(), LinkError> {
        self.inner.clear()
    }
}

#[test]
fn a_reading_is_missing_for_no_longer_than_it_may_be_whatever_is_being_tried_again_or_restored() {
    let text = HOLD.replace("SPAN", "3 min").replace("1 min", "40 s");
    let setup = Setup::with_rig(&text, &rig_with_frozen_after("15 s"));
    let mut trips = Vec::new();
    for lasts_s in 34..=46 {
        let mut first = None;
        let stage = setup.open_world(|opened| {
            let (inner, clock) = (opened.opener.clone(), opened.clock.clone());
            let from = clock.now() + Duration::from_secs(60);
            first = Some(from);
            let span = (from, from + Duration::from_secs(lasts_s));
            Some(Arc::new(Rubbish { inner, clock, span }))
        });
        let mut keeper = Keeper::default();
        let played = stage.play(&mut keeper).unwrap();
        let told = format!("rubbish for {lasts_s} s: {:?} {:?}", played.outcome.end, gaps(&played));
        let mut events = played.events.iter().zip(&keeper.stamps);
        let since = events.find(|(event, _)| matches!(event, Event::Retried { .. })).map(|(_, at)| *at);
        let since = since.unwrap_or_else(|| panic!("{told}"));
        assert!(since.since(first.unwrap()) < Duration::from_secs(2), "{told}");
        let tripped = events.find(|(event, _)| matches!(event, Event::InterlockTripped { .. }));
        let next = readings(&played).iter().map(|reading| reading.at).find(|at| *at > since);
        let over = tripped.map(|(_, at)| *at).or(next).unwrap_or_else(|| panic!("{told}"));
        let missing = over.since(since);
        assert!(missing < Duration::from_secs(42), "{missing:?}: {told}");
        trips.push(tripped.is_some());
        if tripped.is_some() {
            assert!(played.reason().contains("has been missing for 4"), "{told}");
        }
    }
    assert!(!trips[0] && trips.is_sorted() && trips[trips.len() - 1], "{trips:?}");
}

#[test]
fn an_instrument_that_reboots_again_and_again_is_given_up_with_the_outputs_off() {
    let setup = hold("2 h");
    let reboots = (1..=30).map(|n| (n * 120, inject(Fault::Reboots(Instrument::Supply)))).collect();
    let played = play(&setup, reboots);
    let told = format!("{:?}", played.outcome.end);
    assert_eq!(played.outcome.end.verdict, RunVerdict::Error, "{told}");
    assert!(played.reason().contains("more than 12 times within an hour"), "{told}");
}

#[test]
fn one_trouble_in_ten_minutes_does_not_end_a_long_dwell() {
    let setup = hold("3 h");
    let reboots = (1..=15).map(|n| (n * 600, inject(Fault::Reboots(Instrument::Load)))).collect();
    let played = play(&setup, reboots);
    assert_whole(&played, "a reboot every ten minutes");
    assert_eq!(gaps(&played).len(), 15);
}

#[test]
fn a_thermometer_that_freezes_or_falls_silent_and_comes_back_is_told_twice_and_one_that_stays_away_trips() {
    let setup = hold("6 min");
    for fault in
        [Fault::ThermometerFreezes, Fault::ThermometerFallsSilent, Fault::Reboots(Instrument::Thermometer)]
    {
        let what = format!("{fault:?}");
        let played = play(&setup, vec![(60, inject(fault.clone())), (100, mend())]);
        assert_whole(&played, &what);
        let failed = played.count(|event| matches!(event, Event::SensorFailed { .. }));
        let back =
            played.count(|event| matches!(event, Event::Warned { what } if what.contains("answers again")));
        assert_eq!((failed, back), (2, 2), "{what}: {:?}", gaps(&played));
        let board = readings(&played).iter().filter(|reading| reading.board_c.is_none()).count();
        assert!((1..60).contains(&board), "{what}: {board} readings without a temperature");
        assert!(gaps(&played).iter().all(|gap| gap.cause == GapCause::Instrument), "{:?}", gaps(&played));
        if !matches!(fault, Fault::Reboots(_)) {
            let played = play(&setup, vec![(60, inject(fault)), (200, mend())]);
            assert_eq!(played.outcome.end.verdict, RunVerdict::Tripped, "{what}: {:?}", played.outcome);
        }
    }
}

#[test]
fn readings_of_a_thermometer_that_stood_still_count_for_no_limit() {
    let limit = "\n[[limits]]\nname = \"board\"\nfigure = \"board_c\"\nmax = \"90 degC\"\n";
    let profile = HOLD.replace("SPAN", "6 min") + limit;
    let setup = Setup::with_rig(&profile, &rig_with_frozen_after("15 s"));
    let played = play(&setup, vec![(60, inject(Fault::ThermometerFreezes)), (100, mend())]);
    assert_whole(&played, "frozen");
    let judged = played.events.iter().rev().find_map(|event| match event {
        Event::ReadingsJudged(judged) => Some(judged.clone()),
        _ => None,
    });
    let judged: Vec<u64> = judged.unwrap().checks.iter().map(|check| check.judged).collect();
    let rows = readings(&played);
    let silent = rows.iter().filter(|row| row.board_c.is_none()).count();
    let first = rows.iter().position(|row| row.board_c.is_none()).unwrap();
    let last = rows[first - 1].board_c;
    let stood = rows[..first].iter().rev().take_while(|row| row.board_c == last).count();
    assert!(stood >= 14, "{stood} readings hold the last value");
    assert_eq!(
        judged[1],
        judged[0] - (silent + stood - 1) as u64,
        "but for the first of them, which is its own"
    );
}

#[test]
fn an_output_that_goes_off_without_a_lost_link_trips_and_is_not_switched_on_again() {
    let setup = hold("3 min");
    for (name, message) in [("supply", ":OUTP CH1,OFF"), ("load", ":INP OFF")] {
        let stage = setup.undisturbed();
        let opener = stage.opened.opener.clone();
        let address: Address = format!("SIM::{name}").parse().unwrap();
        let deed: Deed = Box::new(move |_| {
            let mut link = opener.open(&address, &LinkSettings::default()).unwrap();
            link.send(message.as_bytes()).unwrap();
        });
        let bench = stage.open_bench(None).unwrap();
        let clock = stage.opened.clock.clone();
        let (mut played, mut deed) = (None, deed);
        clock.together(vec![
            Box::new(|| played = Some(stage.play_on(bench, &mut Keeper::default()))),
            Box::new(|| {
                clock.sleep(Duration::from_secs(60));
                deed(&stage.world);
            }),
        ]);
        let played = played.unwrap();
        let told = format!("{name}: {:?}", played.outcome);
        assert_eq!(played.outcome.end.verdict, RunVerdict::Tripped, "{told}");
        assert!(played.reason().contains("this run did not switch it off"), "{told}");
        assert!(readings(&played).len() < 70, "{told}: seen within seconds");
    }
}

/// Makes faults on the links of supply and load.
struct Faulty {
    inner: Arc<dyn Opener>,
    clock: Arc<dyn Clock>,
    faults: Faults,
}

impl Opener for Faulty {
    fn open(&self, address: &Address, settings: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
        let link = self.inner.open(address, settings)?;
        let name = address.to_string();
        if !(name.contains("supply") || name.contains("load")) {
            return Ok(link);
        }
        let seed = self.clock.now().0 ^ name.len() as u64;
        Ok(Box::new(FaultLink::new(link, self.clock.clone(), seed, self.faults)))
    }
}

#[test]
fn answers_that_come_late_or_not_at_all_cost_readings_and_never_stand_for_another_one() {
    let setup = hold("10 min");
    let late = Faults { late: 0.001, late_by: Duration::from_secs(1), ..Faults::default() };
    let drop = Faults { drop: 0.0005, ..Faults::default() };
    let cut = Faults { cut: 0.0005, ..Faults::default() };
    for faults in [late, drop, cut] {
        let stage = setup.open_world(|opened| {
            let (inner, clock) = (opened.opener.clone(), opened.clock.clone());
            Some(Arc::new(Faulty { inner, clock, faults }))
        });
        let bench = stage.open_bench(None).unwrap();
        let played = stage.play_on(bench, &mut Keeper::default());
        assert_whole(&played, &format!("{faults:?}"));
        let gaps = gaps(&played);
        assert!(!gaps.is_empty(), "{faults:?} made no gap");
        assert!(gaps.iter().all(|gap| gap.cause == GapCause::Instrument), "{faults:?}: {gaps:?}");
    }
}

const CYCLES: &str =
    "pattern = \"power_cycle\"\nvin = \"24 V\"\nload = \"250 mA\"\non = \"8 s\"\noff = \"6 s\"\ncycles = 4\n";

fn cycles(off: &str) -> Setup {
    let phase = "vin = \"24 V\"\nload = \"250 mA\"\nfor = \"SPAN\"\n";
    Setup::with_rig(
        &HOLD.replace(phase, &CYCLES.replace("6 s", off)).replace("SPAN", "1 h"),
        &rig_with_frozen_after("15 s"),
    )
}

#[test]
fn a_start_of_a_board_that_was_never_off_is_none_and_no_run_passes_on_it() {
    // The output capacitors hold what nobody draws from them.
    let profile = HOLD.replace("vin = \"24 V\"\nload = \"250 mA\"\nfor = \"SPAN\"\n", CYCLES);
    let idle = profile.replace("load = \"250 mA\"\non", "load = \"0 A\"\non").replace("6 s", "100 ms");
    let setup = Setup::with_rig(&idle.replace("SPAN", "1 h"), &rig_with_frozen_after("15 s"));
    for (setup, was_off) in [(setup, false), (cycles("6 s"), true)] {
        let played = setup.undisturbed().play(&mut Keeper::default()).unwrap();
        let mut looks = 0;
        for event in &played.events {
            let Event::StartChecked(check) = event else { continue };
            looks += 1;
            let before = check.before.unwrap();
            assert!(check.started, "{check:?}");
            assert_eq!((before.was_off, before.vout_v < 0.5), (was_off, was_off), "{check:?}");
        }
        assert_eq!(looks, 4);
        let verdict = if was_off { RunVerdict::Pass } else { RunVerdict::Incomplete };
        assert_eq!(played.outcome.end.verdict, verdict, "{}", played.reason());
        assert_eq!(played.reason().contains("4 of 4 starts are none"), !was_off, "{}", played.reason());
    }
}

/// Of each start that was looked at, how long the supply had been off before it, in seconds.
fn off_before_starts(keeper: &Keeper<'_>, played: &Played) -> Vec<f64> {
    let (mut off_since, mut was_off) = (None, 0.0);
    let mut told = Vec::new();
    for (event, at) in played.events.iter().zip(&keeper.stamps) {
        match event {
            Event::OutputSwitched { role, on } if role.as_str() == "source" => match (on, off_since) {
                (false, None) => off_since = Some(*at),
                (true, Some(since)) => (off_since, was_off) = (None, at.since(since).as_secs_f64()),
                _ => {}
            },
            Event::StartChecked(check) => {
                assert!(check.started, "{check:?}");
                told.push(was_off);
                was_off = 0.0;
            }
            _ => {}
        }
    }
    told
}

#[test]
fn a_start_is_looked_at_only_on_a_board_that_was_off_before_also_after_a_lost_link() {
    let setup = cycles("6 s");
    for instrument in [Instrument::Load, Instrument::Supply] {
        let stage = setup.undisturbed();
        let bench = stage.open_bench(None).unwrap();
        let (clock, world) = (stage.opened.clock.clone(), stage.world.clone());
        let (mut keeper, mut played) = (Keeper::default(), None);
        clock.together(vec![
            Box::new(|| played = Some(stage.play_on(bench, &mut keeper))),
            Box::new(|| {
                // The moment in which the board comes up behind its second time off.
                let wait_for = |on: bool| {
                    while (world.truth().vout.value() > 1.0) != on {
                        clock.sleep(Duration::from_millis(1));
                    }
                };
                [true, false, true, false, true].into_iter().for_each(wait_for);
                world.inject(Fault::LinkDrops(instrument));
            }),
        ]);
        let played = played.unwrap();
        assert_eq!(played.outcome.end.verdict, RunVerdict::Pass, "{}", played.reason());
        assert!(played.count(|event| matches!(event, Event::Retried { .. })) > 0, "the link was lost");
        let off = off_before_starts(&keeper, &played);
        assert!(off.len() == 4 && off.iter().all(|off_s| *off_s >= 5.9), "{instrument:?}: off for {off:?} s");
    }
}

#[test]
fn a_board_that_shall_be_off_is_off_also_where_the_link_was_lost_when_it_was_switched_off() {
    let setup = cycles("6 s");
    for instrument in [Instrument::Load, Instrument::Supply] {
        let stage = setup.undisturbed();
        let world = stage.world.clone();
        // The dwells are off, on, off, on …
        let mut keeper = Keeper::hooked(move |_, event| {
            if matches!(event, Event::DwellFinished { dwell, .. } if dwell.0 == 4) {
                world.inject(Fault::LinkDrops(instrument));
            }
        });
        let played = stage.play(&mut keeper).unwrap();
        assert_eq!(played.outcome.end.verdict, RunVerdict::Pass, "{}", played.reason());
        assert!(played.count(|event| matches!(event, Event::Retried { .. })) > 0, "the link was lost");
        for event in &played.events {
            let Event::ReadingsTaken(batch) = event else { continue };
            let is_off = batch.dwell.0 % 2 == 1;
            for row in batch.rows.iter().skip(1) {
                assert_eq!(
                    row.vin_v.unwrap() < 1.0,
                    is_off,
                    "{instrument:?}, dwell {}: {row:?}",
                    batch.dwell.0
                );
            }
        }
    }
}

/// Asks to stop once `moment` has come; how many seconds later the run was over.
fn stop_at(setup: &Setup, moment: impl Fn(&dyn Clock, &World) + Sync) -> (Played, f64) {
    let stage = setup.undisturbed();
    let bench = stage.open_bench(None).unwrap();
    let (clock, world) = (stage.opened.clock.clone(), stage.world.clone());
    let (mut keeper, mut played, mut asked) = (Keeper::default(), None, None);
    clock.together(vec![
        Box::new(|| played = Some(stage.play_on(bench, &mut keeper))),
        Box::new(|| {
            moment(&*clock, &world);
            asked = Some(clock.now());
            stage.stop.ask();
        }),
    ]);
    let (played, ended) = (played.unwrap(), *keeper.stamps.last().unwrap());
    assert_eq!(played.outcome.end.verdict, RunVerdict::Stopped, "{}", played.reason());
    (played, ended.since(asked.unwrap()).as_secs_f64())
}

#[test]
fn a_stop_waits_neither_for_a_slow_reading_nor_for_the_time_off_before_a_start() {
    let profile = HOLD.replace("SPAN", "1 h").replace("readings = \"1 s\"", "readings = \"10 min\"");
    let slow = Setup::with_rig(&profile, &rig_with_frozen_after("15 min"));
    let (played, took_s) = stop_at(&slow, |clock, _| clock.sleep(Duration::from_secs(100)));
    assert!(took_s < 15.0, "{took_s} s");
    assert_eq!(readings(&played).len(), 1);
    let (played, took_s) = stop_at(&cycles("1 min"), |clock, world| {
        let wait_for = |on: bool| {
            while (world.truth().vout.value() > 1.0) != on {
                clock.sleep(Duration::from_millis(1));
            }
        };
        [true, false, true, false, true].into_iter().for_each(wait_for);
        // The board is off once more, for the whole time, before it is switched on and looked at.
        world.inject(Fault::LinkDrops(Instrument::Supply));
        wait_for(false);
        clock.sleep(Duration::from_secs(2));
    });
    assert!(took_s < 15.0, "{took_s} s");
    assert_eq!(
        played.count(|event| matches!(event, Event::StartChecked(_))),
        1,
        "the second was not looked at"
    );
}
