use std::sync::Arc;
use std::time::Duration;

use soakrig::base::units::{Amps, Celsius, Volts};
use soakrig::instrument::dialect::{LinePattern, Registry};
use soakrig::instrument::load::Load;
use soakrig::instrument::open::{
    SupplyLimits, Surroundings, open_load, open_scope, open_supply, open_thermometer,
};
use soakrig::instrument::scope::{ChannelSetup, Scope, TimeSetup, Triggered};
use soakrig::instrument::supply::{Regulation, Supply};
use soakrig::instrument::thermometer::{SensorFacts, SensorScale, Thermometer};
use soakrig::instrument::{ErrorKind, Instrument as _};
use soakrig::sim::{Fault, Instrument, LoadModel, SimOpener, World, WorldSettings};

use super::fake::{clock, place};
use soakrig::waveform::Coupling;

fn bench(settings: &WorldSettings) -> (Arc<World>, Surroundings) {
    let clock = clock();
    let world = Arc::new(World::new(settings, Arc::clone(&clock)));
    let surroundings = Surroundings {
        opener: Arc::new(SimOpener::new(Arc::clone(&world))),
        clock,
        registry: Arc::new(Registry::built_in().unwrap()),
        tape: None,
        cut: soakrig::base::cut::Cut::default(),
    };
    (world, surroundings)
}

const LIMITS: SupplyLimits = SupplyLimits { channel: 1, max_voltage: Volts(24.0), max_current: Amps(1.0) };

fn near(got: f64, wanted: f64, within: f64) {
    assert!((got - wanted).abs() <= within, "{got} is not {wanted} within {within}");
}

#[test]
fn the_rigol_supply_of_the_bench_does_what_the_driver_says() {
    let (world, surroundings) = bench(&WorldSettings::default());
    let mut supply =
        open_supply(&surroundings, &place("source", "rigol_dp800", "SIM::supply"), LIMITS).unwrap();
    assert_eq!(supply.facts().model, "DP832");
    assert!(!supply.read_output().unwrap());
    near(supply.set_over_voltage(Volts(14.0)).unwrap().0, 14.0, 1e-3);
    near(supply.set_over_current(Amps(0.8)).unwrap().0, 0.8, 1e-3);
    supply.set_voltage(Volts(12.5)).unwrap();
    supply.set_current_limit(Amps(0.7)).unwrap();
    near(supply.read_set_voltage().unwrap().0, 12.5, 1e-9);
    near(supply.read_current_limit().unwrap().0, 0.7, 1e-9);
    supply.set_output(true).unwrap();
    assert!(supply.read_output().unwrap());
    surroundings.clock.sleep(Duration::from_secs(1));
    near(supply.measure_voltage().unwrap().0, 12.5, 0.05);
    assert!(supply.measure_current().unwrap().0 >= 0.0);
    assert_eq!(supply.read_regulation().unwrap(), Regulation::ConstantVoltage);
    assert_eq!(supply.read_protection().unwrap(), None);
    assert!(world.truth().supply_on);
    // Through its own over-voltage level: the instrument switches off and says so.
    supply.set_voltage(Volts(20.0)).unwrap();
    surroundings.clock.sleep(Duration::from_secs(1));
    assert_eq!(supply.read_protection().unwrap().as_deref(), Some("over-voltage protection"));
    assert!(!supply.read_output().unwrap());
}

#[test]
fn both_loads_of_the_bench_do_what_the_driver_says() {
    for (model, family) in [(LoadModel::Dl3021, "rigol_dl3000"), (LoadModel::Sdl1020xE, "siglent_sdl1000x")] {
        let settings = WorldSettings { load_model: model, ..WorldSettings::default() };
        let (world, surroundings) = bench(&settings);
        let mut supply =
            open_supply(&surroundings, &place("source", "rigol_dp800", "SIM::supply"), LIMITS).unwrap();
        let mut load = open_load(&surroundings, &place("load", family, "SIM::load"), Amps(0.6)).unwrap();
        load.set_constant_current().unwrap();
        load.set_current(Amps(0.25)).unwrap();
        near(load.read_set_current().unwrap().0, 0.25, 1e-6);
        near(load.set_over_current(Amps(0.7)).unwrap().0, 0.7, 1e-3);
        supply.set_voltage(Volts(24.0)).unwrap();
        supply.set_current_limit(Amps(1.0)).unwrap();
        supply.set_output(true).unwrap();
        load.set_input(true).unwrap();
        assert!(load.read_input().unwrap());
        surroundings.clock.sleep(Duration::from_secs(1));
        near(load.measure_current().unwrap().0, 0.25, 0.01);
        near(load.measure_voltage().unwrap().0, 5.0, 0.2);
        assert!(world.truth().load_on);
        load.set_input(false).unwrap();
        assert!(!world.truth().load_on);
        let error = load.set_current(Amps(0.61)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        near(load.read_set_current().unwrap().0, 0.25, 1e-6);
    }
}

#[test]
fn a_wrong_family_is_refused_on_the_bench() {
    let (_, surroundings) = bench(&WorldSettings::default());
    let opened = open_load(&surroundings, &place("load", "siglent_sdl1000x", "SIM::load"), Amps(1.0));
    let error = opened.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("`rigol_dl3000`"), "{error}");
}

#[test]
fn an_instrument_that_restarted_is_opened_again() {
    let (world, surroundings) = bench(&WorldSettings::default());
    let mut supply =
        open_supply(&surroundings, &place("source", "rigol_dp800", "SIM::supply"), LIMITS).unwrap();
    supply.set_voltage(Volts(12.0)).unwrap();
    world.inject(Fault::Reboots(Instrument::Supply));
    assert_eq!(supply.measure_voltage().unwrap_err().kind(), ErrorKind::LinkLost);
    surroundings.clock.sleep(Duration::from_secs(5));
    supply.reopen().unwrap();
    near(supply.read_set_voltage().unwrap().0, 0.0, 1e-9);
}

fn sensor() -> SensorFacts {
    SensorFacts {
        pattern: LinePattern::KeyValue { key: "board".to_owned() },
        scale: SensorScale::Celsius,
        plausible: (Celsius(-20.0), Celsius(120.0)),
        max_age: Duration::from_secs(3),
        frozen_after: None,
    }
}

#[test]
fn the_sensor_of_the_bench_is_read_and_its_silence_is_noticed() {
    let (world, surroundings) = bench(&WorldSettings::default());
    let mut place = place("board", "", "SIM::thermometer");
    place.family.clear();
    let mut thermometer = open_thermometer(&surroundings, &place, sensor()).unwrap();
    let reading = thermometer.read_temperature().unwrap();
    near(reading.temperature.0, world.truth().board.0, 1.0);
    assert!(reading.age <= Duration::from_secs(3));
    world.inject(Fault::ThermometerFallsSilent);
    surroundings.clock.sleep(Duration::from_secs(10));
    assert_eq!(thermometer.read_temperature().unwrap_err().kind(), ErrorKind::TimedOut);
    world.mend();
    thermometer.read_temperature().unwrap();
}

#[test]
fn the_scope_of_the_bench_sees_what_the_supply_makes() {
    let (_, surroundings) = bench(&WorldSettings::default());
    let mut supply =
        open_supply(&surroundings, &place("source", "rigol_dp800", "SIM::supply"), LIMITS).unwrap();
    let mut load = open_load(&surroundings, &place("load", "rigol_dl3000", "SIM::load"), Amps(0.6)).unwrap();
    let mut scope = open_scope(&surroundings, &place("scope", "rigol_ds1000z", "SIM::scope")).unwrap();
    assert_eq!(scope.ability().channels, 4);
    supply.set_voltage(Volts(24.0)).unwrap();
    supply.set_current_limit(Amps(1.0)).unwrap();
    supply.set_output(true).unwrap();
    load.set_constant_current().unwrap();
    load.set_current(Amps(0.5)).unwrap();
    load.set_input(true).unwrap();
    surroundings.clock.sleep(Duration::from_secs(2));
    let vout = ChannelSetup {
        channel: 1,
        volts_per_div: Volts(1.0),
        center: Volts(5.0),
        coupling: Coupling::Dc,
        bandwidth_limit: false,
        probe_ratio: 10.0,
    };
    let lx = ChannelSetup { channel: 2, volts_per_div: Volts(5.0), center: Volts(12.0), ..vout };
    let taken = scope.set_channel(vout).unwrap();
    near(taken.center.0, 5.0, 0.05);
    near(taken.volts_per_div.0, 1.0, 1e-9);
    scope.set_channel(lx).unwrap();
    let span = Duration::from_micros(480);
    let trigger_level = Volts(12.0);
    scope.set_time(TimeSetup { span, samples: 500_000, trigger_channel: 2, trigger_level }).unwrap();
    assert_eq!(scope.capture_single(Duration::from_millis(100)).unwrap(), Triggered::Edge);
    let first = scope.read_waveform(1).unwrap();
    let switch = scope.read_waveform(2).unwrap();
    assert!(first.codes.len() >= 500_000, "{} samples", first.codes.len());
    assert!(first.step_s * first.codes.len() as f64 >= 480e-6 * 0.99);
    let volts = first.volts();
    near(f64::from(volts.iter().sum::<f32>()) / volts.len() as f64, 5.0, 0.2);
    let highest = switch.volts().into_iter().fold(f32::MIN, f32::max);
    assert!(highest > 20.0, "the switch node reaches Vin, not {highest} V");
    // A trigger that nothing crosses is forced, and an AC channel has no mean.
    let trigger_level = Volts(30.0);
    scope.set_channel(ChannelSetup { coupling: Coupling::Ac, center: Volts(0.0), ..vout }).unwrap();
    scope.set_time(TimeSetup { span, samples: 500_000, trigger_channel: 2, trigger_level }).unwrap();
    assert_eq!(scope.capture_single(Duration::from_millis(50)).unwrap(), Triggered::Forced);
    let ac = scope.read_waveform(1).unwrap();
    assert_eq!(ac.acquisition.coupling, Coupling::Ac);
    let volts = ac.volts();
    near(f64::from(volts.iter().sum::<f32>()) / volts.len() as f64, 0.0, 0.1);
    assert!(scope.capture_screen().unwrap().starts_with(b"\x89PNG"));
}
