//! A swarm of faults: many seeds, each a soak on the simulated bench whose links drop, whose instruments reboot, hang and
//! lie, whose protections trip and whose disk fills up; and what must hold whatever happens.
//!
//! `SOAKRIG_SWARM=1000 cargo test --test it swarm:: -- --nocapture` runs so many seeds (from `SOAKRIG_SWARM_FROM`, 0 unless it
//! is set) and prints those that fail; `SOAKRIG_SWARM=1 SOAKRIG_SWARM_FROM=77` is seed 77 alone, with its journal kept.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a swarm tells which of its seeds failed")]

mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use soakrig::base::clock::Instant;
use soakrig::engine::StopWish;
use soakrig::event::{DwellId, Event, Gap, Reading, Readings, RunVerdict, Setting, Stamp};
use soakrig::record::recover::Tail;
use soakrig::record::{Record, read_readings};
use soakrig::session::{self, Finished, Onlooker, Prepared, RunRequest};
use soakrig::sim::{Fault, Instrument, Mishap, Trouble, build_schedule};

/// Seeds that every run of the tests tries.
const SEEDS: u64 = 48;
/// And those beyond them that found something: a thermometer called frozen because nobody had listened to it while the load
/// answered late, a point called unsettled because the load answered nonsense, and a value that was by chance the same in the
/// rows before the thermometer froze on it.
const FOUND: [u64; 3] = [152, 215, 5130];
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a thermometer of the swarm's rig may say the same.
const FROZEN_AFTER: Duration = Duration::from_secs(20);
/// How old a reading of it may be.
const MAX_AGE: Duration = Duration::from_secs(3);
/// The longest that a frozen value can be taken for a fresh one.
const LONGEST_STANDING: Duration =
    Duration::from_secs(FROZEN_AFTER.as_secs() + MAX_AGE.as_secs() + 2 * INTERVAL.as_secs());
/// How long a reading may be missing; see the profile.
const LOST_READING: Duration = Duration::from_secs(60);

const PROFILE: &str = r#"
name = "swarm"
purpose = "Holds two settings, steps the load, and sweeps before and after."
vout_nominal = "5 V"
figures = ["vin_v", "iin_a", "vout_v", "iout_a", "efficiency", "board_c", "ambient_c"]
[points]
vin = ["18 V", "24 V"]
load = ["100 mA", "500 mA"]
[soak]
readings = "1 s"
[[soak.phases]]
name = "full load"
vin = "24 V"
load = "500 mA"
for = "12 min"
[[soak.phases]]
name = "steps"
pattern = "steps"
vin = "18 V"
load = ["100 mA", "500 mA"]
each = "2 min"
for = "8 min"
[settle]
band = "10 mV"
hold = "100 ms"
limit = "2 s"
[interlocks]
over_temperature = "95 degC"
lost_reading = "1 min"
[[limits]]
name = "output voltage"
figure = "vout_v"
min = "4.80 V"
max = "5.20 V"
"#;

/// The simulated rig whose thermometers are called frozen in time; most seeds do without a scope, which is most of the work.
fn rig_text(with_scope: bool) -> String {
    let text = crate::safety::stage::rig_with_frozen_after("20 s");
    if with_scope {
        return text;
    }
    let scope = text.find("[scope]\n").unwrap();
    let behind = text.find("# The simulated thermometer").unwrap();
    format!("{}{}", &text[..scope], &text[behind..])
}

/// Everything that one seed's run told and left.
struct Flight {
    prepared_expected: Duration,
    dwells: BTreeMap<DwellId, Setting>,
    finished: Finished,
    /// What was told, in order.
    told: Vec<(Stamp, Event)>,
}

impl Flight {
    /// What was done, in order: points, phases, dwells with how each ended.
    fn done(&self) -> Vec<String> {
        let told = self.told.iter().filter_map(|(_, event)| match event {
            Event::PointFinished(result) => Some(format!("point {}", result.point.0)),
            Event::PhaseStarted { phase, name, round } => Some(format!("{name}, {phase} of round {round}")),
            Event::DwellFinished { dwell, end, .. } => Some(format!("dwell {}: {end:?}", dwell.0)),
            _ => None,
        });
        told.collect()
    }
}

/// Hears everything that is told to the record.
#[derive(Default)]
struct Told(Vec<(Stamp, Event)>);

impl Onlooker for Told {
    fn begun(&mut self, _: &Path) {}
    fn event(&mut self, at: Stamp, event: &Event) {
        self.0.push((at, event.clone()));
    }
}

fn prepare(folder: &Path, with_scope: bool) -> Prepared {
    let (profile, rig) = (folder.join("swarm.toml"), folder.join("rig.toml"));
    std::fs::create_dir_all(folder).unwrap();
    let figures = if with_scope { ", \"ripple_pp_v\", \"mean_v\"]" } else { "]" };
    let capture = if with_scope { "[capture]\nspan = \"200 us\"\nsamples = 6000\n" } else { "" };
    let every =
        if with_scope { "readings = \"1 s\"\ncapture_every = \"5 min\"" } else { "readings = \"1 s\"" };
    let text = PROFILE.replacen("\"ambient_c\"]", &format!("\"ambient_c\"{figures}"), 1);
    std::fs::write(&profile, text.replacen("readings = \"1 s\"", every, 1) + capture).unwrap();
    std::fs::write(&rig, rig_text(with_scope)).unwrap();
    session::prepare(&profile, &rig, &Default::default()).unwrap_or_else(|error| panic!("{error:?}"))
}

/// Whether the rig of a seed has a scope.
fn has_scope(seed: u64) -> bool {
    seed % 8 == 7
}

fn fly(seed: Option<u64>, with_scope: bool, folder: &Path) -> Flight {
    let prepared = prepare(folder, with_scope);
    let dwells = prepared.plan.soak.iter().flat_map(|soak| &soak.dwells);
    let dwells = dwells.map(|dwell| (dwell.id, dwell.setting)).collect();
    let prepared_expected = prepared.plan.expected;
    let mut told = Told::default();
    let finished = session::run(
        prepared,
        &mut RunRequest {
            program: Path::new("none: a simulated bench has no dead-man"),
            notify: None,
            out: &folder.join("runs"),
            seed,
            faults: seed,
            full_tapes: false,
            view: &mut told,
            stop: &StopWish::default(),
            pulse: Default::default(),
        },
    )
    .unwrap_or_else(|error| panic!("no run at all: {error}"));
    Flight { prepared_expected, dwells, finished, told: told.0 }
}

/// What does not hold of a flight, a sentence each; `undisturbed` is one of the same plan without faults.
fn check(flight: &Flight, undisturbed: &Flight, schedule: &[Trouble]) -> Vec<String> {
    let mut broken = Vec::new();
    check_outputs(flight, schedule, &mut broken);
    check_record(flight, schedule, &mut broken);
    check_times(flight, &mut broken);
    check_gaps(flight, &mut broken);
    check_values(flight, schedule, &mut broken);
    verdict::check_causes(flight, schedule, &mut broken);
    verdict::check_ending(flight, undisturbed, schedule, &mut broken);
    broken
}

fn met(flight: &Flight, schedule: &[Trouble], is: impl Fn(&Mishap) -> bool) -> bool {
    let ended = flight.told.last().map_or(Duration::ZERO, |(at, _)| Duration::from_nanos(at.monotonic.0));
    schedule.iter().any(|trouble| trouble.at <= ended && is(&trouble.mishap))
}

fn is_stuck(mishap: &Mishap) -> bool {
    matches!(mishap, Mishap::Bench(Fault::SupplyStuckOn | Fault::LoadStuckOn))
}

/// Something that answers no more, to the end.
fn hangs_for_good(flight: &Flight, schedule: &[Trouble]) -> bool {
    let lasting: Vec<Trouble> = schedule.iter().filter(|trouble| trouble.lasts.is_none()).cloned().collect();
    met(flight, &lasting, |mishap| matches!(mishap, Mishap::Bench(Fault::Hangs(_))))
}

/// Off and looked at; or told, loudly, that they may not be.
fn check_outputs(flight: &Flight, schedule: &[Trouble], broken: &mut Vec<String>) {
    let outcome = &flight.finished.outcome;
    if outcome.end.outputs_off_verified != outcome.safe.verified {
        broken.push("the end and the look at the outputs say two things".to_owned());
    }
    let can_fail = met(flight, schedule, is_stuck) || hangs_for_good(flight, schedule);
    match (outcome.safe.verified, can_fail) {
        (false, false) => {
            broken.push(format!("the outputs are not verified off: {:?}", outcome.safe.failures));
        }
        (false, true) if outcome.end.verdict != RunVerdict::Error || !flight.finished.may_be_on => {
            broken.push("outputs that may be on are no error".to_owned());
        }
        (true, _) if met(flight, schedule, |mishap| *mishap == Mishap::Bench(Fault::SupplyStuckOn)) => {
            broken.push("a supply that cannot be switched off is verified off".to_owned());
        }
        _ => {}
    }
    let looked = flight.told.iter().filter(|(_, event)| matches!(event, Event::MadeSafe(_))).count();
    if looked == 0 && outcome.record_failed.is_none() {
        broken.push("nobody told how the outputs were left".to_owned());
    }
}

/// What was acknowledged stands in the journal, in order and once.
fn check_record(flight: &Flight, schedule: &[Trouble], broken: &mut Vec<String>) {
    let folder = &flight.finished.folder;
    let is_full = met(flight, schedule, |mishap| *mishap == Mishap::DiskFull);
    let record = match Record::open(folder) {
        Ok(record) => record,
        Err(error) => return broken.push(format!("the journal cannot be read back: {error}")),
    };
    if *record.tail() != Tail::Whole && !is_full {
        broken.push(format!("the journal ends in {:?}", record.tail()));
    }
    let (batches, events): (Vec<_>, Vec<_>) =
        flight.told.iter().partition(|(_, event)| matches!(event, Event::ReadingsTaken(_)));
    let kept: Vec<&Event> = record.events().iter().map(|logged| &logged.event).collect();
    let told: Vec<&Event> = events.iter().map(|(_, event)| event).collect();
    // What is kept of traces is told to nobody, so that more may be kept than was told; of a disk that is full, what it
    // refused is missing.
    let mut behind = kept.iter();
    if !is_full && !told.iter().all(|event| behind.any(|kept| kept == event)) {
        broken.push(format!("{} events were told and {} other ones are kept", told.len(), kept.len()));
    }
    let mut read: Vec<Readings> = Vec::new();
    if let Err(error) = read_readings(folder, |readings| read.push(readings.clone())) {
        broken.push(format!("the readings cannot be read back: {error}"));
    }
    let lost = batches.len() - read.len().min(batches.len());
    if lost > usize::from(is_full) {
        broken.push(format!("{} batches of readings were told and {} are kept", batches.len(), read.len()));
    }
    for ((_, told), kept) in batches.iter().zip(&read) {
        let Event::ReadingsTaken(told) = told else { continue };
        let same = |(told, kept): (&Reading, &Reading)| {
            told.at.since(kept.at).max(kept.at.since(told.at)) < Duration::from_millis(1)
                && told.values() == kept.values()
        };
        if told.rows.len() != kept.rows.len() || !told.rows.iter().zip(&kept.rows).all(same) {
            broken.push("readings are kept otherwise than they were told".to_owned());
        }
    }
    let mut points = BTreeSet::new();
    for event in kept {
        if let Event::PointFinished(result) = event
            && !points.insert(result.point)
        {
            broken.push(format!("point {} stands in the journal twice", result.point.0));
        }
    }
}

fn readings(flight: &Flight) -> impl Iterator<Item = (DwellId, &Reading)> {
    flight.told.iter().flat_map(|(_, event)| match event {
        Event::ReadingsTaken(readings) => readings.rows.iter().map(|row| (readings.dwell, row)).collect(),
        _ => Vec::new(),
    })
}

fn check_times(flight: &Flight, broken: &mut Vec<String>) {
    let mut last = Stamp { utc: jiff::Timestamp::MIN, monotonic: Default::default() };
    for (at, event) in &flight.told {
        // What a watcher saw while another one was busy is told afterwards, with its own time.
        let is_late = matches!(
            event,
            Event::SensorFailed { .. } | Event::Warned { .. } | Event::TemperatureRead { .. }
        );
        if !is_late && (at.monotonic < last.monotonic || at.utc < last.utc) {
            broken.push(format!("time went back to {:?} at {event:?}", at.monotonic));
        }
        last = if is_late { last } else { *at };
    }
    let mut last = None;
    for (_, row) in readings(flight) {
        if last.is_some_and(|last| row.at <= last) {
            broken.push(format!("a reading at {:?} comes after a later one", row.at));
        }
        last = Some(row.at);
    }
}

/// Every pause in the readings of a dwell has a gap with a cause.
fn check_gaps(flight: &Flight, broken: &mut Vec<String>) {
    let gaps: Vec<&Gap> = flight
        .told
        .iter()
        .filter_map(|(_, event)| match event {
            Event::GapFound(gap) => Some(gap),
            _ => None,
        })
        .collect();
    if let Some(gap) = gaps.iter().find(|gap| gap.what.trim().is_empty() || gap.missed == 0) {
        broken.push(format!("a gap without a cause or without a length: {gap:?}"));
    }
    let rows: Vec<(DwellId, &Reading)> = readings(flight).collect();
    for pair in rows.windows(2) {
        let ((before, from), (after, to)) = (pair[0], pair[1]);
        let is_pause = before == after && to.at.since(from.at) > INTERVAL.mul_f64(1.5);
        if is_pause && !gaps.iter().any(|gap| gap.from == from.at && gap.to == to.at) {
            broken.push(format!(
                "no gap explains the pause of {:?} in dwell {}",
                to.at.since(from.at),
                before.0
            ));
        }
    }
}

/// How long a value that is the same in all rows of this span has stood still, as far as can be known: of two lines a second a
/// row shows one, so what was the same in the rows before the thermometer froze need not have been the same in between.
fn stood_still(schedule: &[Trouble], from: Instant, to: Instant) -> Duration {
    let freezes = |trouble: &&Trouble| trouble.mishap == Mishap::Bench(Fault::ThermometerFreezes);
    let froze = schedule.iter().filter(freezes).map(|trouble| Instant(0) + trouble.at);
    let within = froze.filter(|at| (from..to).contains(at)).max();
    within.map_or_else(|| to.since(from), |froze| froze.since(from).max(to.since(froze)))
}

/// No number stands for what was not measured: late, garbled, halved, `NAN` and overflows would all be far from the truth.
fn check_values(flight: &Flight, schedule: &[Trouble], broken: &mut Vec<String>) {
    let mut same: BTreeMap<usize, (f64, Reading)> = BTreeMap::new();
    let mut last: Option<&Reading> = None;
    let rows: Vec<(DwellId, &Reading)> = readings(flight).collect();
    // The reading that showed that an output had gone off by itself is kept, and is the last one.
    let is_tripped = flight.finished.outcome.end.verdict == RunVerdict::Tripped;
    let held = rows.len().saturating_sub(usize::from(is_tripped));
    for (dwell, row) in rows.into_iter().take(held) {
        // What stands on both sides of a pause need not have stood still in it.
        if last.is_some_and(|last| row.at.since(last.at) > 3 * INTERVAL) {
            same.clear();
        }
        last = Some(row);
        let setting = flight.dwells[&dwell];
        let (vin, load) = (setting.vin.0, setting.load.0);
        let power = 5.0 * load / vin;
        let ranges = [
            (vin - 0.25, vin + 0.1),
            (power, power * 1.5 + 0.005),
            (4.85, 5.15),
            (load - 0.003, load + 0.003),
            (22.0, 50.0),
            (22.0, 25.0),
        ];
        for (place, (value, (low, high))) in row.values().into_iter().zip(ranges).enumerate() {
            let name = Reading::COLUMNS[place];
            match value {
                Some(value) if !(low..=high).contains(&value) => {
                    broken.push(format!("{name} of {value} at {:?}, set {vin} V and {load} A", row.at));
                }
                Some(value) if place >= 4 => {
                    let since = same.entry(place).or_insert((value, *row));
                    if since.0.to_bits() != value.to_bits() {
                        *since = (value, *row);
                    } else if stood_still(schedule, since.1.at, row.at) > LONGEST_STANDING {
                        broken
                            .push(format!("{name} stands at {value} from {:?} to {:?}", since.1.at, row.at));
                    }
                }
                Some(_) => {}
                None => {
                    same.remove(&place);
                }
            }
        }
    }
}

fn told_of(seed: u64, broken: &[String], schedule: &[Trouble]) -> String {
    let mut told = format!("seed {seed}:\n");
    for what in broken.iter().take(5) {
        let _ = writeln!(told, "  {what}");
    }
    for trouble in schedule {
        let _ = writeln!(told, "    {trouble}");
    }
    told
}

fn wish(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn whatever_goes_wrong_the_outputs_are_off_and_nothing_is_lost_doubled_or_made_up() {
    let (count, from) = (wish("SOAKRIG_SWARM", SEEDS), wish("SOAKRIG_SWARM_FROM", 0));
    let folder = tempfile::tempdir().unwrap();
    let more = FOUND.iter().filter(|_| (count, from) == (SEEDS, 0));
    let seeds: Vec<u64> = (from..from + count).chain(more.copied()).collect();
    let next = AtomicUsize::new(0);
    let failures: Mutex<BTreeMap<u64, String>> = Mutex::default();
    let verdicts: Mutex<BTreeMap<String, u64>> = Mutex::default();
    let undisturbed = [false, true].map(|with_scope| {
        let place = folder.path().join(if with_scope { "with a scope" } else { "without" });
        fly(None, with_scope, &place)
    });
    let fly_on = || {
        loop {
            let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let place: PathBuf = folder.path().join(seed.to_string());
            let flight = fly(Some(seed), has_scope(seed), &place);
            let schedule = build_schedule(seed, flight.prepared_expected);
            let broken = check(&flight, &undisturbed[usize::from(has_scope(seed))], &schedule);
            *verdicts.lock().unwrap().entry(flight.finished.outcome.end.verdict.to_string()).or_default() +=
                1;
            if !broken.is_empty() {
                let told = told_of(seed, &broken, &schedule);
                eprintln!("{told}");
                failures.lock().unwrap().insert(seed, told);
            }
            if count > 1 {
                let _ = std::fs::remove_dir_all(&place);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from).min(8) {
            scope.spawn(fly_on);
        }
    });
    println!("{} seeds from {from}: {:?}", seeds.len(), verdicts.lock().unwrap());
    if count == 1 {
        println!("kept in {}", folder.keep().display());
    }
    let failures = failures.into_inner().unwrap();
    let seeds: Vec<u64> = failures.keys().copied().collect();
    assert!(failures.is_empty(), "seeds {seeds:?}\n{}", failures.into_values().collect::<String>());
}

#[test]
fn an_undisturbed_flight_of_the_swarm_passes_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let flight = fly(None, false, folder.path());
    assert_eq!(check(&flight, &flight, &[]), Vec::<String>::new());
    // The judge is no yes-man: this flight met none of these.
    for (fault, told) in [
        (Fault::ProtectionTrips, "expected Tripped(\"the supply's own protection has tripped\")"),
        (Fault::LinkDrops(Instrument::Load), "nobody noticed"),
    ] {
        let (at, lasts) = (Duration::from_secs(600), Some(Duration::ZERO));
        let schedule = [Trouble { at, lasts, mishap: Mishap::Bench(fault) }];
        let broken = check(&flight, &flight, &schedule);
        assert!(broken.len() == 1 && broken[0].starts_with(told), "{broken:?}");
    }
    assert_eq!(flight.finished.outcome.end.verdict, RunVerdict::Pass);
    let disturbed =
        |event: &Event| matches!(event, Event::GapFound(_) | Event::Retried { .. } | Event::Warned { .. });
    assert!(!flight.told.iter().any(|(_, event)| disturbed(event)));
    assert!(readings(&flight).count() > 1100);
}

/// What was injected stands in the record, a line a fault, so that nobody takes it for the bench's own doing.
#[test]
fn the_faults_of_a_seed_are_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let flight = fly(Some(3), has_scope(3), folder.path());
    let schedule = build_schedule(3, flight.prepared_expected);
    let told = flight.told.iter().filter(
        |(_, event)| matches!(event, Event::Warned { what } if what.starts_with("injected by seed 3, ")),
    );
    assert_eq!(told.count(), schedule.len());
    let names = |trouble: &Trouble| {
        matches!(&trouble.mishap, Mishap::Bench(Fault::Hangs(Instrument::Scope | Instrument::Thermometer)))
    };
    assert!(!schedule.iter().any(names), "only those that are asked all the time are let hang");
}
