//! Rig and profile to plan: every fault told at its place, and no plan that leaves an output on.

use proptest::prelude::*;
use soakrig::base::units::{Amps, Volts};
use soakrig::instrument::dialect::{Fault, Registry};
use soakrig::plan::ability::{Ability, LoadAbility, ScopeAbility, SourceAbility};
use soakrig::plan::build::{build, build_for};
use soakrig::plan::check::check_switching;
use soakrig::plan::remaining::standing;
use soakrig::plan::render::{render_faults, render_plan, render_plan_json};
use soakrig::plan::{Overrides, Plan, Profile, Rig, Step, profile, rig};

const SIM: &str = include_str!("../../rigs/sim.toml");
const EXAMPLE: &str = include_str!("../../rigs/example-bench.toml");
const EXAMPLE_PROFILE: &str = include_str!("../../profiles/example.toml");
const POWER_CYCLE: &str = include_str!("../../profiles/power-cycle.toml");
const SMOKE: &str = include_str!("../../profiles/smoke.toml");
const SWEEP: &str = include_str!("../../profiles/line-load-sweep.toml");

fn sim_rig() -> Rig {
    rig::parse("rigs/sim.toml", SIM).unwrap()
}

fn sweep() -> Profile {
    profile::parse("profiles/line-load-sweep.toml", SWEEP).unwrap()
}

fn able() -> Ability {
    Ability {
        source: SourceAbility {
            max_voltage: Volts(32.0),
            max_current: Amps(3.2),
            over_voltage: Some(Volts(33.0)),
            over_current: Some(Amps(3.3)),
        },
        load: LoadAbility {
            max_current: Amps(4.0),
            max_voltage: Volts(150.0),
            over_current: Some(Amps(4.4)),
        },
        scope: Some(ScopeAbility { channels: 4, bandwidth_limit: true }),
    }
}

fn shown(faults: &[Fault], sources: &[(&str, &str)]) -> String {
    let sources: Vec<(String, String)> =
        sources.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    render_faults(faults, &sources, false)
}

/// The smallest profile that says everything it must, with further lines.
fn profile_with(points: &str, more: &str) -> String {
    format!(
        "name = \"p\"\npurpose = \"Test.\"\nvout_nominal = \"5 V\"\nfigures = [\"vout_v\"]\n{more}\n[points]\n{points}\n"
    )
}

fn vin_of(axis: &str) -> Result<Vec<f64>, Vec<String>> {
    let text = profile_with(&format!("vin = {axis}\nload = [\"0 A\"]"), "");
    match profile::parse("p.toml", &text) {
        Ok(profile) => Ok(profile.vin.iter().map(|vin| vin.value()).collect()),
        Err(faults) => {
            Err(faults.into_iter().map(|fault| format!("{}: {}", fault.key, fault.message)).collect())
        }
    }
}

#[test]
fn all_faults_of_a_rig_are_told_at_once_at_their_places() {
    let text = r#"
name = 7
colour = "red"

[safe]
vout = "0.5"
order = ["source", "load"]

[source]
adress = "SIM::supply"
address = "TCPIP0::10.0.0.5::inst0::INSTR"
family = "rigol_dp800"
channel = 12
max_voltage = 26
max_current = "250 mV"
baud = 9600

[load]
address = "SIM::load"
max_current = "-1 A"
lead = "1 kOhm"

[scope]
address = "SIM::load"
family = "rigol_ds1000z"
calibration_due = "2027-13-31"
vout = { channel = 1, ratio = 10, fixture = "tipbarrel" }
lx = { channel = 1, ratio = 0, fixture = "clip" }

[thermometer.board]
address = "ASRL/dev/ttyUSB0::INSTR"
pattern = "csv"
key = "board"
plausible_min = "90 degC"
plausible_max = "20 degC"
frozen_after = "1 s"

[thermometer.abmient]
address = "SIM::thermometer"
"#;
    let faults = rig::parse("rigs/bad.toml", text).unwrap_err();
    insta::assert_snapshot!("faults_of_a_rig", shown(&faults, &[("rigs/bad.toml", text)]));
}

#[test]
fn all_faults_of_a_profile_are_told_at_once_at_their_places() {
    let text = r#"
name = "line load"
purpose = ""
vout_nominal = "5 V"
protection_margin = "3"
figures = ["vout_v", "ripple_p_v", "spike_pos_v"]

[points]
vin = ["0 V", "12 V", "24", "12 V"]
load = { from = "0 A", to = "500 mA", steps = "100 mA" }
order = "snail"
seed = 3

[settle]
hold = "1 s"
interval = "2 s"
limit = 3

[interlocks]
over_voltage = "4.5 V"
hold_temperature = "90 degC"

[capture]
span = "1.2 ms"
samples = 120000.5
spikes = "yes"

[[limits]]
name = "output voltage"
figure = "vout_v"
min = 4.8
max = "5.2 A"
when = "vim >= 13.2 V"

[[limits]]
name = "output voltage"
figure = "vout_v"
min = "5.2 V"
max = "4.8 V"
when = "vin >= 13.2 V or load > 0 A"

[[limits]]
name = "warm"
figure = "board_c"
marginal = "3 degC"
"#;
    let faults = profile::parse("profiles/bad.toml", text).unwrap_err();
    insta::assert_snapshot!("faults_of_a_profile", shown(&faults, &[("profiles/bad.toml", text)]));
}

#[test]
fn several_lines_that_are_no_toml_are_told_together_and_the_rest_is_still_checked() {
    let text = SIM
        .replace("max_voltage = \"26 V\"", "max_voltage = 26 V")
        .replace("fixture = \"tip_barrel\"\n\n[scope.lx]", "fixture = \"tip_barrel\n\n[scope.lx]")
        + "chanel = 2\n";
    let faults = rig::parse("rigs/torn.toml", &text).unwrap_err();
    insta::assert_snapshot!(shown(&faults, &[("rigs/torn.toml", &text)]), @r#"
    error: string values must be quoted, expected literal string
      --> rigs/torn.toml:18:15
       |
    18 | max_voltage = 26 V
       |               ^^^^

    error: invalid basic string, expected `"`
      --> rigs/torn.toml:40:22
       |
    40 | fixture = "tip_barrel
       |                      ^

    error: unknown key `chanel`; known here: `ageing`, `ambient`, `day_swing`, `faults`, `lid_opens_every`, `load_identity`, `seed`
      --> rigs/torn.toml:70:1
       |
    70 | chanel = 2
       | ^^^^^^ sim.chanel

    3 faults in rigs/torn.toml
    "#);
}

#[test]
fn everything_that_is_wrong_with_a_condition_is_told() {
    let told = |condition: &str| -> String {
        let limit = "[[limits]]\nname = \"a\"\nfigure = \"vout_v\"\nmin = \"4 V\"\n";
        let points = "vin = [\"24 V\"]\nload = [\"0 A\"]";
        let text = profile_with(points, "") + limit + &format!("when = \"{condition}\"\n");
        let faults = profile::parse("p.toml", &text).unwrap_err();
        assert!(faults.iter().all(|fault| fault.key == "limits[1].when"), "{faults:#?}");
        faults.into_iter().map(|fault| format!("  {}\n", fault.message)).collect()
    };
    let conditions =
        ["vim >= 13.2 V and load = 1 A and vin < 5 A", "vim => 3", "vin > 1 V or lod > 1 X and load", ""];
    let all: String =
        conditions.into_iter().map(|condition| format!("{condition}\n{}", told(condition))).collect();
    insta::assert_snapshot!(all, @r#"
    vim >= 13.2 V and load = 1 A and vin < 5 A
      `vim` cannot be compared; `vin` and `load` can: write for example `vin >= 13.2 V and load > 0 A`
      one of < <= > >= is expected after `load`; write for example `vin >= 13.2 V and load > 0 A`
      `5 A` is not a voltage: the unit `A` is not V; write for example `500 mV`
    vim => 3
      `vim` cannot be compared; `vin` and `load` can: write for example `vin >= 13.2 V and load > 0 A`
      one of < <= > >= is expected after `vim`; write for example `vin >= 13.2 V and load > 0 A`
    vin > 1 V or lod > 1 X and load
      only `and` joins comparisons; write two limits in place of an `or`
      `lod` cannot be compared; `vin` and `load` can: write for example `vin >= 13.2 V and load > 0 A`
      `1 X` is not a voltage: the unit `X` is not V; write for example `500 mV`
      one of < <= > >= is expected after `load`; write for example `vin >= 13.2 V and load > 0 A`

      it is empty
    "#);
}

#[test]
fn a_length_without_a_unit_is_told_what_it_lacks() {
    let text =
        profile_with("vin = [\"24 V\"]\nload = [\"0 A\"]", "[settle]\nhold = \"0.1\"\nlimit = \"1 s 30\"");
    let faults = profile::parse("p.toml", &text).unwrap_err();
    insta::assert_snapshot!(shown(&faults, &[("p.toml", &text)]), @r#"
    error: `0.1` is not a length of time: the number 0.1 has no unit (d h min s ms us ns); write for example `1 d 12 h` or `200 ms`
     --> p.toml:6:8
      |
    6 | hold = "0.1"
      |        ^^^^^ settle.hold

    error: `1 s 30` is not a length of time: the number 30 has no unit (d h min s ms us ns); write for example `1 d 12 h` or `200 ms`
     --> p.toml:7:9
      |
    7 | limit = "1 s 30"
      |         ^^^^^^^^ settle.limit

    2 faults in p.toml
    "#);
}

#[test]
fn what_is_missing_at_the_top_is_pointed_at_in_the_first_line() {
    let text = "# A comment.\n\npurpose = \"x\"\n[points]\nvin = [\"1 V\"]\n";
    let faults = profile::parse("p.toml", text).unwrap_err();
    insta::assert_snapshot!(shown(&faults, &[("p.toml", text)]), @r#"
    error: `name` is missing
     --> p.toml:3:1
      |
    3 | purpose = "x"
      | ^^^^^^^^^^^^^ name

    error: `vout_nominal` is missing
     --> p.toml:3:1
      |
    3 | purpose = "x"
      | ^^^^^^^^^^^^^ vout_nominal

    error: `figures` is missing
     --> p.toml:3:1
      |
    3 | purpose = "x"
      | ^^^^^^^^^^^^^ figures

    error: `load` is missing
     --> p.toml:4:1
      |
    4 | [points]
      | ^^^^^^^^ points.load

    4 faults in p.toml
    "#);
    // An empty file has no line to point at.
    let faults = rig::parse("r.toml", "").unwrap_err();
    insta::assert_snapshot!(shown(&faults, &[("r.toml", "")]), @r#"
    error: `name` is missing
    --> r.toml
     = note: the key is `name`

    error: `source` is missing
    --> r.toml
     = note: the key is `source`

    error: `load` is missing
    --> r.toml
     = note: the key is `load`

    3 faults in r.toml
    "#);
}

#[test]
fn of_a_misspelt_key_the_nearest_one_is_named_whatever_stands_there() {
    let near = |more: &str| -> Vec<Option<String>> {
        let text = profile_with("vin = [\"24 V\"]\nload = [\"0 A\"]", more);
        profile::parse("p.toml", &text).unwrap_err().into_iter().map(|fault| fault.nearest).collect()
    };
    assert_eq!(near("[interlocks]\nover_currage = \"1 A\""), [Some("over_current".to_owned())]);
    // A key that is further off would only be a guess: this one was written twice, and once wrong.
    let with_current = near("[interlocks]\nover_currage = \"1 A\"\nover_current = \"1 A\"");
    assert_eq!(with_current, [Some("over_current".to_owned())]);
    assert_eq!(near("[settle]\nhodl = \"1 s\"\nhold = \"1 s\""), [Some("hold".to_owned())]);
}

#[test]
fn a_fault_in_the_second_item_is_found_as_well() {
    let told = |text: &str| -> Vec<String> {
        profile::parse("p.toml", text).unwrap_err().into_iter().map(|fault| fault.key).collect()
    };
    let points = "vin = [\"24 V\"]\nload = [\"0 A\"]";
    let limits = "[[limits]]\nname = \"a\"\nfigure = \"vout_v\"\nmin = \"4 V\"\n[[limits]]\nname = \"b\"\nfigure = \"vout_v\"\nmin = \"4 A\"\n";
    assert_eq!(told(&(profile_with(points, "") + limits)), ["limits[2].min"]);
    assert_eq!(
        told(&profile_with("vin = [\"24 V\", \"2 A\", \"3 A\"]\nload = [\"0 A\"]", "")),
        ["points.vin[2]", "points.vin[3]"]
    );
    assert_eq!(
        told(&profile_with(points, "").replace("\"vout_v\"]", "\"vout_v\", \"volt\"]")),
        ["figures[2]"]
    );
    let probe = SIM.replace("channel = 2\nratio = 10", "channel = 2\nratio = \"10\"");
    let keys: Vec<String> =
        rig::parse("r.toml", &probe).unwrap_err().into_iter().map(|fault| fault.key).collect();
    assert_eq!(keys, ["scope.lx.ratio"]);
    let ambient = SIM.replace("key = \"ambient\"\n", "");
    let keys: Vec<String> =
        rig::parse("r.toml", &ambient).unwrap_err().into_iter().map(|fault| fault.key).collect();
    assert_eq!(keys, ["thermometer.ambient.pattern"]);
}

#[test]
fn axes_are_lists_ranges_and_logarithmic_ranges() {
    assert_eq!(vin_of(r#"["5 V", "0 V", "24 V"]"#), Ok(vec![5.0, 0.0, 24.0]));
    assert_eq!(vin_of(r#"{ from = "0 V", to = "0.3 V", step = "100 mV" }"#), Ok(vec![0.0, 0.1, 0.2, 0.3]));
    assert_eq!(vin_of(r#"{ from = "3 V", to = "1 V", step = "1 V" }"#), Ok(vec![3.0, 2.0, 1.0]));
    assert_eq!(vin_of(r#"{ from = "0 V", to = "24 V", points = 4 }"#), Ok(vec![0.0, 8.0, 16.0, 24.0]));
    assert_eq!(
        vin_of(r#"{ from = "10 mV", to = "10 V", points = 4, spacing = "log" }"#),
        Ok(vec![0.01, 0.1, 1.0, 10.0])
    );
    let told: Vec<String> = [
        "[]",
        r#"{ from = "0 V", to = "24 V" }"#,
        r#"{ from = "0 V", to = "24 V", step = "5 V" }"#,
        r#"{ from = "0 V", to = "24 V", step = "-1 V" }"#,
        r#"{ from = "0 V", to = "24 V", step = "1 uV" }"#,
        r#"{ from = "0 V", to = "24 V", points = 1 }"#,
        r#"{ from = "0 V", to = "24 V", points = 5, step = "6 V" }"#,
        r#"{ from = "0 V", to = "24 V", points = 5, spacing = "log" }"#,
        r#"{ from = "5 V", to = "5 V", points = 5 }"#,
        r#"{ form = "5 V", to = "2 V", points = 5 }"#,
        r#"["-5 V"]"#,
        "3",
    ]
    .into_iter()
    .flat_map(|axis| vin_of(axis).unwrap_err())
    .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    points.vin: the list is empty; at least one value is needed
    points.vin: a range needs a `step` or a number of `points`
    points.vin.step: steps of 5 V do not lead from 0 V to 24 V
    points.vin.step: a step is above 0; a falling range is written with `from` above `to`
    points.vin.step: the range has more than 10000 values
    points.vin.points: 1 is out of range: 2 to 10000 is possible here
    points.vin.step: a range has a `step` or a number of `points`, not both
    points.vin.from: a logarithmic range cannot reach 0; begin with a small value
    points.vin.from: the range begins and ends at 5 V
    points.vin.from: `from` is missing
    points.vin.form: unknown key `form`; known here: `from`, `points`, `spacing`, `step`, `to`
    points.vin: -5 V is out of range: 0 V to 1 kV can be set
    points.vin: a list or a table is expected here, not a number
    ");
}

#[test]
fn the_projects_files_make_plans_on_the_simulated_bench() {
    let registry = Registry::built_in().unwrap();
    for (name, text, points) in [("smoke", SMOKE, 6), ("line-load-sweep", SWEEP, 125)] {
        let profile = profile::parse(name, text).unwrap();
        let plan = match build(&sim_rig(), &profile, &registry, &Overrides::default()) {
            Ok(plan) => plan,
            Err(faults) => panic!("{}", shown(&faults, &[(name, text), ("rigs/sim.toml", SIM)])),
        };
        assert_eq!((plan.profile.as_str(), plan.points.len()), (name, points));
        assert_eq!(check_switching(&plan.steps), Vec::<String>::new());
        // And on the real bench that the example describes.
        let example = rig::parse("rigs/example-bench.toml", EXAMPLE).unwrap();
        assert!(build(&example, &profile, &registry, &Overrides::default()).is_ok());
    }
}

#[test]
fn a_plan_is_shown_to_people() {
    let profile = profile::parse("profiles/smoke.toml", SMOKE).unwrap();
    let plan = build_for(&sim_rig(), &profile, &able(), &Overrides::default()).unwrap();
    let text = render_plan(&plan).replace(&plan.digest, "DIGEST");
    insta::assert_snapshot!(text, @r#"
    Plan of smoke for board 0007, revision B
    A few points that show in seconds whether bench and board work.

    Expected duration: about 13.7 s of bench time
    Written: about 8.7 MB (journal 98 kB, tapes 480 kB, tables and report 8.1 MB)
    Plan digest: DIGEST

    Checked
      - the highest input voltage, 24 V, and the largest load, 250 mA, are within the rig's hard limits and within what its instruments can do
      - whatever is switched on is switched off again, the load before the supply
      - nothing is switched on before its protection is set and the wiring looked at, and only at 0 V and 0 A
      - the load is at 0 A whenever the input voltage changes
      - all 20 figures that are wanted can be had with this rig

    Before the first point
      - switch load and supply off
      - limit the supply to 1 A; over-voltage protection at 26 V; over-current protection at 1.1 A; current limit of the load at 275 mA
      - look at the wiring with the outputs off
      - capture the noise of probe and scope with the outputs off
      - set the load to 0 A
      - set the supply to 0 V
      - switch the supply on
      - switch the load on

    At every point
      - set the load to 0 A and the input voltage, where it changes; then set the load
      - A point counts as settled when readings of Vout every 20 ms have stayed within 10 mV for 100 ms, not before 50 ms after the last change; after 2 s it is measured as it is and marked "not settled".
      - read supply, load and thermometers side by side
      - capture 600 µs in 60000 samples, once AC-coupled in a narrow range with the 20 MHz limiter, once in a wide range; only figures are kept

    Interlocks
      - output voltage above 5.5 V trips
      - input current above 800 mA trips
      - board temperature above 85 °C trips
      - board temperature rising faster than 30 K/min trips
      - a needed reading that is lost for 5 s trips

    Limits
      - output voltage: output voltage at the board 4.8 V to 5.2 V, where vin >= 13.2 V
      - no output without input: output voltage at the board at most 100 mV, where vin < 1 V
      - efficiency: efficiency at least 70 %, where vin >= 13.2 V and load >= 100 mA

    Points: 6
     point  input voltage  load current
         1            0 V         30 mA
         2            0 V        250 mA
         3           18 V         30 mA
         4           18 V        250 mA
         5           24 V         30 mA
         6           24 V        250 mA
    "#);
    let json: serde_json::Value = serde_json::from_str(&render_plan_json(&plan)).unwrap();
    assert_eq!(json["points"].as_array().map(Vec::len), Some(6));
    assert_eq!(
        json["points"][5],
        serde_json::json!({ "point": 6, "vin_set_v": 24.0, "load_set_a": 0.25, "repeat": 1, "phase": null })
    );
    assert_eq!(json["protection"]["over_voltage_v"], 26.0);
}

/// A change of the rig's text, of the profile's text and of what the instruments can do.
type Change = (fn(&str) -> String, fn(&str) -> String, fn(&mut Ability));

#[test]
fn what_the_rig_cannot_do_is_refused_with_the_place_in_both_files() {
    let same: fn(&str) -> String = str::to_owned;
    let none: fn(&mut Ability) = |_| {};
    let changes: [(&str, Change); 9] = [
        ("24 V on a 20 V supply", (same, same, |able| able.source.max_voltage = Volts(20.0))),
        (
            "the rig allows less",
            (
                |rig| rig.replace("max_voltage = \"26 V\"", "max_voltage = \"20 V\""),
                |profile| {
                    profile
                        .replace("{ from = \"0 V\", to = \"24 V\", step = \"1 V\" }", "[\"0 V\", \"24 V\"]")
                },
                none,
            ),
        ),
        ("no room for protection", (|rig| rig.replace("\"26 V\"", "\"24 V\""), same, none)),
        ("too much load", (same, |profile| profile.replace("\"500 mA\"]", "\"900 mA\"]"), none)),
        ("no switch node", (|rig| without(rig, "[scope.lx]", "[thermometer.board]"), same, none)),
        ("no thermometer", (|rig| without(rig, "[thermometer.board]", "[thermometer.ambient]"), same, none)),
        ("no scope", (|rig| without(rig, "[scope]", "[thermometer.board]"), same, |able| able.scope = None)),
        (
            "a poor scope",
            (same, same, |able| able.scope = Some(ScopeAbility { channels: 1, bandwidth_limit: false })),
        ),
        ("nobody names the board", (|rig| rig.replace("serial = \"0007\"", ""), same, none)),
    ];
    let mut told = String::new();
    for (what, (rig_change, profile_change, able_change)) in changes {
        let (rig_text, profile_text) = (rig_change(SIM), profile_change(SWEEP));
        let rig = rig::parse("sim.toml", &rig_text).unwrap();
        let profile = profile::parse("sweep.toml", &profile_text).unwrap();
        let mut able = able();
        able_change(&mut able);
        let faults = build_for(&rig, &profile, &able, &Overrides::default()).unwrap_err();
        let sources = [("sim.toml", rig_text.as_str()), ("sweep.toml", profile_text.as_str())];
        told.push_str(&format!("== {what}\n{}\n", shown(&faults, &sources)));
    }
    insta::assert_snapshot!("what_the_rig_cannot_do", told);
}

fn without(text: &str, from: &str, to: &str) -> String {
    let (start, end) = (text.find(from).unwrap(), text.find(to).unwrap());
    format!("{}{}", &text[..start], &text[end..])
}

#[test]
fn an_unknown_family_is_refused_with_the_nearest_one() {
    let registry = Registry::built_in().unwrap();
    let text = SIM
        .replace("\"rigol_dp800\"", "\"rigol_dp80\"")
        .replace("\"rigol_dl3000\"", "\"rigol_ds1000z\"")
        .replace("\"DS1104Z\"", "\"DSO-X 2002A\"");
    let rig = rig::parse("sim.toml", &text).unwrap();
    let faults = build(&rig, &sweep(), &registry, &Overrides::default()).unwrap_err();
    insta::assert_snapshot!(shown(&faults, &[("sim.toml", &text)]), @r#"
    error: no family is named `rigol_dp80`; there are `keysight_e36300`, `rigol_dp800`
      --> sim.toml:15:10
       |
    15 | family = "rigol_dp80"
       |          ^^^^^^^^^^^^ source.family
       |
       = help: did you mean `rigol_dp800`?

    error: rigol_ds1000z is a family of the class scope; a load is expected: `rigol_dl3000`, `siglent_sdl1000x`
      --> sim.toml:25:10
       |
    25 | family = "rigol_ds1000z"
       |          ^^^^^^^^^^^^^^^ load.family

    error: the family rigol_ds1000z knows no channels for the model DSO-X 2002A
      --> sim.toml:34:9
       |
    34 | model = "DSO-X 2002A"
       |         ^^^^^^^^^^^^^ scope.model

    3 faults in sim.toml
    "#);
}

#[test]
fn the_command_line_comes_before_the_profile_and_the_profile_before_the_rig() {
    let text = format!("{SMOKE}\n[board]\nrevision = \"A\"\n");
    let profile = profile::parse("smoke.toml", &text).unwrap();
    let over = Overrides {
        serial: Some("sn42".parse().unwrap()),
        operator: Some("M. Faraday".to_owned()),
        seed: Some(9),
        ..Overrides::default()
    };
    let plan = build_for(&sim_rig(), &profile, &able(), &over).unwrap();
    assert_eq!((plan.board.serial.as_str(), plan.board.revision.as_str()), ("sn42", "A"));
    assert_eq!((plan.operator.as_deref(), plan.seed), (Some("M. Faraday"), None));
    let plain = build_for(&sim_rig(), &profile, &able(), &Overrides::default()).unwrap();
    assert_eq!(plain.board.serial.as_str(), "0007");
    assert_eq!(plain.digest, plan.digest, "a plan is the same plan for another board");
}

#[test]
fn a_seed_shuffles_and_changes_the_digest() {
    let text = SWEEP.replace("order = \"snake\"", "order = \"shuffled\"\nseed = 5");
    let profile = profile::parse("sweep.toml", &text).unwrap();
    let plan =
        |seed| build_for(&sim_rig(), &profile, &able(), &Overrides { seed, ..Overrides::default() }).unwrap();
    assert_eq!((plan(None).seed, plan(Some(6)).seed), (Some(5), Some(6)));
    assert_eq!(plan(None).points, plan(Some(5)).points);
    assert_ne!(plan(Some(5)).points, plan(Some(6)).points);
    assert_ne!(plan(Some(5)).digest, plan(Some(6)).digest);
}

#[test]
fn rules_on_a_temperature_that_nobody_measures_are_dropped_only_where_nobody_wrote_them() {
    let rig_text = without(SIM, "[thermometer.board]", "[sim]");
    let rig = rig::parse("sim.toml", &rig_text).unwrap();
    let profile = profile::parse("p.toml", &profile_with("vin = [\"24 V\"]\nload = [\"0 A\"]", "")).unwrap();
    let plan = build_for(&rig, &profile, &able(), &Overrides::default()).unwrap();
    assert_eq!((plan.interlocks.over_temperature, plan.interlocks.rise_k_per_min), (None, None));
    assert_eq!(plan.interlocks.over_voltage, Some(Volts(5.5)));
}

#[test]
fn every_key_of_a_rig_is_explained_in_the_example() {
    let mut missing = Vec::new();
    each_key(&rig::json_schema(), "", &mut |path, schema| {
        let leaf = path.rsplit('.').next().unwrap();
        let is_table = schema.to_string().contains("\"properties\"");
        let named = [format!("{leaf} ="), format!("`{leaf}`")].iter().any(|text| EXAMPLE.contains(text));
        if !(named || is_table && EXAMPLE.contains(leaf)) {
            missing.push(path.to_owned());
        }
    });
    assert_eq!(missing, Vec::<String>::new());
}

/// The lines of the example below `[table]` and its sub-tables; for no table the lines before the first.
fn lines_of(example: &str, table: &str) -> String {
    let mut now = String::new();
    let mut kept = String::new();
    for line in example.lines() {
        if line.starts_with('[') {
            let name = line.trim_matches(['[', ']']);
            name.split('.').next().unwrap_or_default().clone_into(&mut now);
        }
        if now == table {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[test]
fn every_key_of_a_profile_is_explained_in_the_example_and_it_makes_a_plan() {
    let mut missing = Vec::new();
    each_key(&profile::json_schema(), "", &mut |path, schema| {
        let leaf = path.rsplit('.').next().unwrap();
        let is_table = schema.to_string().contains("\"properties\"");
        let top = path.split('.').next().unwrap_or_default();
        let table = lines_of(EXAMPLE_PROFILE, if path == leaf && !is_table { "" } else { top });
        let names = |text: &str| {
            [format!("{leaf} ="), format!("`{leaf}`")].iter().any(|name| text.contains(name.as_str()))
        };
        if !(names(&table) || is_table && table.contains(leaf)) {
            missing.push(path.to_owned());
        }
    });
    assert_eq!(missing, Vec::<String>::new());
    let profile = profile::parse("profiles/example.toml", EXAMPLE_PROFILE).unwrap();
    let plan = build_for(&sim_rig(), &profile, &able(), &Overrides::default()).unwrap();
    assert_eq!(check_switching(&plan.steps), Vec::<String>::new());
}

#[test]
fn a_name_that_would_do_more_on_a_terminal_than_be_read_is_refused_with_its_place() {
    let limit = "\n[[limits]]\nname = \"out\\u0007\\u001b[31m\"\nfigure = \"vout_v\"\nmax = \"5.2 V\"\n";
    let phase = "[[soak.phases]]\nname = \"ho\\nld\"\nvin = \"24 V\"\nload = \"500 mA\"\nfor = \"6 h\"\n";
    let text = profile_with("vin = [\"24 V\"]\nload = [\"0 A\"]", &format!("[soak]\n{phase}{limit}"));
    let faults = profile::parse("p.toml", &text).unwrap_err();
    let told: Vec<(&str, &str)> =
        faults.iter().map(|fault| (fault.key.as_str(), fault.message.as_str())).collect();
    let why = "a name is one line, without control characters";
    assert_eq!(told, [("soak.phases[1].name", why), ("limits[1].name", why)]);
}

#[test]
fn what_is_set_at_a_start_is_what_the_plan_says_of_it() {
    for text in [EXAMPLE_PROFILE, POWER_CYCLE] {
        let profile = profile::parse("p.toml", text).unwrap();
        let plan = build_for(&sim_rig(), &profile, &able(), &Overrides::default()).unwrap();
        let starts = &plan.soak.as_ref().unwrap().starts;
        let mut looked_at = 0;
        for (place, step) in plan.steps.iter().enumerate() {
            let Step::CheckStart(id) = step else { continue };
            let set = standing(&plan.steps[..place]);
            assert_eq!(set.setting, starts[id.0 as usize - 1]);
            assert!(set.supply_on && set.load_on && set.setting.load > Amps(0.0), "{set:?}");
            // It is looked whether the board is off when nothing but the input is left to come on.
            let before = [Step::LookBeforeStart(*id), Step::SetVoltage(set.setting.vin)];
            assert_eq!(plan.steps[place - 2..place], before);
            assert_eq!(standing(&plan.steps[..place - 2]).setting.vin, Volts(0.0));
            looked_at += 1;
        }
        assert!(looked_at > 2 && looked_at == starts.len());
    }
}

#[test]
fn a_soak_ends_early_only_where_its_profile_says_so_and_says_it_in_a_way_that_can_be_kept() {
    let limit = "\n[[limits]]\nname = \"vout\"\nfigure = \"vout_v\"\nmax = \"5.2 V\"\n";
    let with = |phases: &str, limits: &str| {
        let phases = phases.replace("HOLD", "vin = \"24 V\"\nload = \"500 mA\"\nfor = \"6 h\"\n");
        let text = profile_with("vin = [\"24 V\"]\nload = [\"0 A\"]", &format!("[soak]\n{phases}"));
        profile::parse("p.toml", &(text + limits))
    };
    let early = "early_stop = { looks = 5 }";
    let last = format!("[[soak.phases]]\nname = \"a\"\nHOLD{early}\n");
    let plan = build_for(&sim_rig(), &with(&last, limit).unwrap(), &able(), &Overrides::default()).unwrap();
    let is_look = |step: &&Step| matches!(step, Step::LookEarly(_));
    assert_eq!(plan.steps.iter().filter(is_look).count(), 5);
    let dwells: Vec<u64> =
        plan.soak.as_ref().unwrap().dwells.iter().map(|dwell| dwell.span.as_secs()).collect();
    assert_eq!(dwells, [3600; 6], "a look each hour, and none at the end");
    let text = render_plan(&plan);
    let told = text.lines().find(|line| line.contains("may end early")).unwrap();
    assert!(told.contains("5 looks every 1 h") && told.contains("95 %"), "{told}");
    let without = build_for(
        &sim_rig(),
        &with(&last.replace(early, ""), limit).unwrap(),
        &able(),
        &Overrides::default(),
    );
    assert!(!without.unwrap().steps.iter().any(|step| is_look(&step)));
    let second = "[[soak.phases]]\nname = \"b\"\nHOLD";
    for (phases, limits, message) in [
        (
            format!("{last}{second}"),
            limit,
            "only the last phase may end early: what follows would not be done",
        ),
        (
            format!("rounds = 2\n{last}"),
            limit,
            "a soak may end early only where its phases are gone through once",
        ),
        (
            format!("{last}until = \"1 K/h\"\n"),
            limit,
            "a phase that ends in thermal steady state has no other end",
        ),
        (last.clone(), "", "no limit applies to this phase, so that nothing says when its answer is clear"),
        (last.replace("looks = 5", "confidence = \"95 %\""), limit, "`looks` is missing"),
        (last.replace("looks = 5", "looks = 5, confidence = \"50 %\""), limit, ""),
    ] {
        let faults = with(&phases, limits).unwrap_err();
        assert!(faults.len() == 1 && faults[0].message.contains(message), "{phases}: {faults:?}");
    }
}

#[test]
fn one_mistake_in_a_phase_is_one_fault() {
    let steps = "[[soak.phases]]\nname = \"a\"\npattern = \"steps\"\nvin = \"24 V\"\nload = [\"0 A\", \"500 mA\"]\neach = \"1 s\"\ncycles = 3\n";
    for (wrong, right) in [("pattern = \"step\"", "pattern = \"steps\""), ("cycles = 0", "cycles = 3")] {
        let soak = format!("[soak]\n{}", steps.replace(right, wrong));
        let text = profile_with("vin = [\"24 V\"]\nload = [\"0 A\"]", &soak);
        let faults = profile::parse("p.toml", &text).unwrap_err();
        assert_eq!(faults.len(), 1, "{wrong}: {faults:?}");
    }
}

/// A soak that holds a setting until it is warm by this criterion.
fn warming(criterion: &str, readings: &str) -> String {
    let soak = format!(
        "[soak]\nreadings = \"{readings}\"\n[[soak.phases]]\nname = \"w\"\nvin = \"24 V\"\nload = \"500 mA\"\nfor = \"4 h\"\nuntil = {criterion}"
    );
    profile_with("vin = [\"24 V\"]\nload = [\"0 A\"]", &soak)
}

#[test]
fn a_phase_ends_by_a_criterion_with_a_name_and_the_plan_says_what_it_asks_for() {
    let told = |criterion: &str| {
        let profile = profile::parse("p.toml", &warming(criterion, "1 s")).unwrap();
        let plan = build_for(&sim_rig(), &profile, &able(), &Overrides::default()).unwrap();
        let text = render_plan(&plan);
        text.lines().find(|line| line.contains("steady state")).unwrap().trim().to_owned()
    };
    let all = ["\"iec 61010-1\"", "\"1 K/h\"", "\"0.5 K/2 h\"", "\"1 K in 1 h\"", "\"IEC 62368-1 short\""]
        .map(told);
    insta::assert_snapshot!(all.join("\n"), @r"
    - w: 24 V, 500 mA, 4 h at most, until the board is in thermal steady state (IEC 61010-1: 2 K within 1 h)
    - w: 24 V, 500 mA, 4 h at most, until the board is in thermal steady state (1 K/h: 1 K within 1 h)
    - w: 24 V, 500 mA, 4 h at most, until the board is in thermal steady state (0.5 K/2 h: 0.5 K within 2 h)
    - w: 24 V, 500 mA, 4 h at most, until the board is in thermal steady state (1 K/1 h: 1 K within 1 h)
    - w: 24 V, 500 mA, 4 h at most, until the board is in thermal steady state (IEC 62368-1 short: 1 K within 5 min, only 10 % or more under the temperature limit)
    ");
    let rare = profile::parse("p.toml", &warming("\"1 K/30 min\"", "10 min")).unwrap_err();
    assert_eq!(rare[0].message, "readings every 10 min are too rare for this criterion");
    let long = profile::parse("p.toml", &warming("\"1 K/5 h\"", "1 s")).unwrap_err();
    let why = "this criterion looks at 5 h, and the phase lasts 4 h at most: it can never be met";
    assert!(long.len() == 1 && long[0].message == why, "{long:?}");
    for wrong in ["\"IEC 61010\"", "\"1 C/h\"", "5", "\"1 K/1 s\""] {
        let faults = profile::parse("p.toml", &warming(wrong, "1 s")).unwrap_err();
        let known = soakrig::trend::CRITERIA.iter().all(|known| faults[0].message.contains(known.name));
        assert!(known && faults.len() == 1, "{wrong}: {faults:?}");
    }
}

#[test]
fn the_schemas_describe_every_key_and_refuse_others() {
    for schema in [rig::json_schema(), profile::json_schema()] {
        assert_eq!(schema["additionalProperties"], false);
        let mut count = 0;
        each_key(&schema, "", &mut |path, schema| {
            count += 1;
            assert!(schema["description"].as_str().is_some_and(|text| text.len() > 8), "{path}: {schema}");
        });
        assert!(count > 40, "{count}");
    }
    let required = &rig::json_schema()["required"];
    assert_eq!(required, &serde_json::json!(["name", "source", "load"]));
}

fn each_key(schema: &serde_json::Value, path: &str, see: &mut impl FnMut(&str, &serde_json::Value)) {
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        see(&path, inner);
        each_key(inner, &path, see);
    }
    for inner in schema["anyOf"].as_array().into_iter().flatten() {
        each_key(inner, path, see);
    }
    if schema["items"].is_object() {
        each_key(&schema["items"], path, see);
    }
}

fn is_off_at_the_end(plan: &Plan) -> bool {
    let last = |wanted: fn(&Step) -> bool| plan.steps.iter().rposition(wanted);
    let load_off = last(|step| *step == Step::SwitchLoad(false));
    let supply_off = last(|step| *step == Step::SwitchSupply(false));
    let any_on = last(|step| matches!(step, Step::SwitchLoad(true) | Step::SwitchSupply(true)));
    any_on < load_off && load_off < supply_off
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_plan_that_is_built_switches_off_what_it_switches_on(
        vin in prop::collection::vec(0u32..300, 1..8),
        load in prop::collection::vec(0u32..700, 1..6),
        order in prop::sample::select(vec!["written", "snake", "shuffled"]),
        repeats in 1u32..4,
        margin in 2u32..50,
    ) {
        let list = |values: &[u32], unit: &str| {
            values.iter().map(|value| format!("\"{value} {unit}\"")).collect::<Vec<_>>().join(", ")
        };
        let points = format!(
            "vin = [{}]\nload = [{}]\norder = \"{order}\"\nrepeats = {repeats}",
            // In tenths of a volt: half of all cases reach above the rig's limit.
            vin.iter().map(|tenths| format!("\"{} mV\"", tenths * 100)).collect::<Vec<_>>().join(", "),
            list(&load, "mA"),
        );
        let text = profile_with(&points, &format!("protection_margin = \"{margin} %\""));
        let Ok(profile) = profile::parse("p.toml", &text) else {
            let doubled = |values: &[u32]| (1..values.len()).any(|end| values[..end].contains(&values[end]));
            prop_assert!(doubled(&vin) || doubled(&load), "only doubled values are refused here");
            return Ok(());
        };
        let (highest, most) = (vin.iter().max().unwrap() * 100, *load.iter().max().unwrap());
        match build_for(&sim_rig(), &profile, &able(), &Overrides::default()) {
            Ok(plan) => {
                prop_assert!(highest < 26_000 && most < 600);
                prop_assert_eq!(check_switching(&plan.steps), Vec::<String>::new());
                prop_assert!(is_off_at_the_end(&plan));
                let measured = plan.steps.iter().filter(|step| matches!(step, Step::Measure(_))).count();
                prop_assert_eq!(measured, vin.len() * load.len() * repeats as usize);
                for step in &plan.steps {
                    match step {
                        Step::SetVoltage(voltage) => prop_assert!(*voltage <= Volts(26.0)),
                        Step::SetLoad(current) => prop_assert!(*current <= Amps(0.6)),
                        _ => {}
                    }
                }
            }
            Err(faults) => {
                // Within two per cent of the hard limit there is no room for the instruments' own protection.
                prop_assert!(highest * 102 > 26_000 * 100 || most * 102 > 600 * 100, "{:?}", faults);
                prop_assert!(faults.iter().all(|fault| fault.span.is_some() && !fault.also.is_empty()));
            }
        }
    }

    #[test]
    fn a_step_that_switches_off_cannot_be_left_out(index in 0usize..2) {
        let plan = build_for(&sim_rig(), &sweep(), &able(), &Overrides::default()).unwrap();
        let mut steps = plan.steps;
        let left_out = [Step::SwitchLoad(false), Step::SwitchSupply(false)][index].clone();
        steps.retain(|step| *step != left_out);
        prop_assert!(!check_switching(&steps).is_empty());
    }

    #[test]
    fn no_text_makes_the_parsers_panic_and_every_fault_can_be_shown(
        start in 0usize..2000, length in 0usize..60, put in "\\PC{0,12}", which in 0u8..3, cut: bool,
    ) {
        let mut text = [SIM, SWEEP, EXAMPLE][usize::from(which)].to_owned();
        let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (from, to) = (floor(start), floor(start + length));
        text.replace_range(from..to, &put);
        if cut {
            text.truncate(from + put.len());
        }
        let faults = if which == 1 {
            profile::parse("f.toml", &text).err()
        } else {
            rig::parse("f.toml", &text).err()
        };
        if let Some(faults) = faults {
            prop_assert!(!faults.is_empty());
            prop_assert!(!shown(&faults, &[("f.toml", &text)]).is_empty());
        }
    }
}
