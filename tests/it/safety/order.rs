//! An undisturbed run: what is told, and what goes over the wires, in which order.

use std::sync::{Arc, Mutex};

use soakrig::base::clock::Instant;
use soakrig::base::names::Role;
use soakrig::event::{Event, RunVerdict};
use soakrig::instrument::open::TapeFor;
use soakrig::link::transport::trace::Tape;
use soakrig::link::wire::tape::{Direction, Failure};

use super::stage::{Keeper, Setup, TWO_POINTS};

/// What was sent to one instrument, on a sheet that all share.
struct Sheet {
    role: Role,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Tape for Sheet {
    fn line(&self, _: Instant, direction: Direction, bytes: &[u8], _: Option<Failure>) {
        if direction == Direction::Sent {
            let text = String::from_utf8_lossy(bytes).into_owned();
            self.lines.lock().unwrap().push(format!("{} {text}", self.role));
        }
    }
}

fn name_of(event: &Event) -> String {
    match event {
        Event::OutputSwitched { role, on } => format!("{role} {}", if *on { "on" } else { "off" }),
        Event::ProtectionSet { role, .. } => format!("{role} protected"),
        Event::PointStarted { point, .. } => format!("point {} started", point.0),
        Event::Settled { point, settled, .. } => format!("point {} settled {settled}", point.0),
        Event::PointFinished(result) => format!("point {} finished", result.point.0),
        Event::WiringChecked { .. } => "wiring checked".to_owned(),
        Event::MadeSafe(state) => format!("made safe, verified {}", state.verified),
        Event::RunFinished(end) => format!("finished: {}", end.verdict.as_str()),
        other => format!("{other:?}"),
    }
}

#[test]
fn an_undisturbed_run_protects_checks_switches_measures_and_ends_off() {
    let setup = Setup::new(TWO_POINTS);
    let stage = setup.undisturbed();
    let played = stage.play(&mut Keeper::default()).unwrap();
    played.assert_safe("undisturbed");
    assert_eq!(played.outcome.end.verdict, RunVerdict::Pass, "{}", played.reason());
    let told: Vec<String> = played.events.iter().map(name_of).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    source protected
    load protected
    wiring checked
    source on
    load on
    point 1 started
    point 1 settled true
    point 2 started
    point 1 finished
    point 2 settled true
    load off
    source off
    made safe, verified true
    point 2 finished
    finished: pass
    ");
}

#[test]
fn the_noise_floor_is_captured_with_the_outputs_off_in_every_range_that_a_point_may_use() {
    let setup = Setup::new(&TWO_POINTS.replace("noise_floor = false", "noise_floor = true"));
    let stage = setup.undisturbed();
    let world = stage.world.clone();
    let mut on_while_captured = 0;
    let mut floors = Vec::new();
    let mut keeper = Keeper::hooked(|_, event| {
        if let Event::NoiseFloorMeasured(floor) = event {
            let how = &floor.acquisition;
            floors.push(format!("{} {} mV/div", how.purpose, (how.volts_per_div * 1e3).round()));
            let truth = world.truth();
            on_while_captured += u32::from(truth.supply_on || truth.vout.value() > 0.1);
        }
    });
    let played = stage.play(&mut keeper).unwrap();
    drop(keeper);
    played.assert_safe("with a noise floor");
    assert_eq!(on_while_captured, 0);
    insta::assert_snapshot!(floors.join("\n"), @r"
    ripple 10 mV/div
    ripple 20 mV/div
    ripple 50 mV/div
    ripple 100 mV/div
    spikes 10 mV/div
    spikes 20 mV/div
    spikes 50 mV/div
    spikes 100 mV/div
    spikes 200 mV/div
    spikes 500 mV/div
    spikes 1000 mV/div
    ");
}

#[test]
fn the_load_is_at_nothing_before_vin_changes_and_no_output_comes_before_protections_are_read_back() {
    let profile = TWO_POINTS.replace(r#"vin = ["18 V"]"#, r#"vin = ["18 V", "24 V"]"#);
    let setup = Setup::new(&profile);
    let stage = setup.undisturbed();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sheets = Arc::clone(&lines);
    let tape: TapeFor =
        Arc::new(move |role: &Role| Arc::new(Sheet { role: role.clone(), lines: sheets.clone() }));
    let bench = stage.open_bench(Some(tape)).unwrap();
    stage.play_on(bench, &mut Keeper::default()).assert_safe("taped");
    let lines = lines.lock().unwrap().clone();
    check_wire(&lines).unwrap_or_else(|wrong| panic!("{wrong}\n{}", lines.join("\n")));
}

/// Reads the wires as an instrument's maker would.
fn check_wire(lines: &[String]) -> Result<(), String> {
    let (mut load_a, mut changes, mut input_on) = (f64::NAN, 0, false);
    let mut asked_since_start: Vec<&str> = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let wrong = |what: &str| Err(format!("{place} `{line}`: {what}"));
        let upper = line.to_uppercase();
        let value = upper.rsplit([' ', ',']).next().and_then(|text| text.parse::<f64>().ok());
        if upper.contains('?') {
            asked_since_start.push(line);
            continue;
        }
        let asked_next = |what: &str| {
            lines[place..].iter().take(8).any(|line| line.contains('?') && line.to_uppercase().contains(what))
        };
        if upper.starts_with("SOURCE") && upper.contains("VOLT") && !upper.contains("PROT") {
            let voltage = value.ok_or_else(|| format!("no value in {line}"))?;
            if input_on && voltage > 0.0 {
                changes += 1;
                if load_a != 0.0 {
                    return wrong("Vin changes under load");
                }
            }
            if !asked_next("VOLT") {
                return wrong("Vin is not read back");
            }
        } else if upper.starts_with("LOAD") && upper.contains(":CURR") && !upper.contains("PROT") {
            load_a = value.unwrap_or(load_a);
            if !asked_next("CURR") {
                return wrong("the load is not read back");
            }
        } else if upper.starts_with("SOURCE")
            && upper.contains("OUTP")
            && upper.ends_with("ON")
            && !upper.contains("OVP")
            && !upper.contains("OCP")
        {
            let asked = |what: &str| asked_since_start.iter().any(|line| line.contains(what));
            if !(asked("OVP") && asked("OCP") && asked("IDN")) {
                return wrong("the output comes on before its protections are read back");
            }
            input_on = true;
        }
    }
    if changes == 2 { Ok(()) } else { Err(format!("Vin changed {changes} times instead of 2")) }
}
