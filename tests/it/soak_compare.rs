//! Soaks against themselves and against each other, with runs of the simulated bench that are made once and shared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use soakrig::event::FigureName;
use tempfile::TempDir;

use crate::cli::{SIM, Told, arg, file, smoke_at, soakrig};
use crate::compare::run;

/// Six hours at one setting with a look at the output every half hour.
const PROFILE: &str = r#"
name = "hours"
purpose = "Six hours at 24 V and full load."
vout_nominal = "5 V"
figures = ["vin_v", "iin_a", "vout_v", "iout_a", "board_c", "ambient_c", "ripple_pp_v", "noise_pp_20mhz_v"]

[points]
vin = ["24 V"]
load = ["500 mA"]

[soak]
readings = "1 min"
capture_every = "30 min"
sweep_every = "12 h"

[[soak.phases]]
name = "first"
vin = "24 V"
load = "500 mA"
for = "3 h"

[[soak.phases]]
name = "second"
vin = "24 V"
load = "500 mA"
for = "3 h"

[interlocks]
over_temperature = "95 degC"

[capture]
span = "60 us"
samples = 6000
range_attempts = 1
noise_floor = false
"#;

/// Makes years of the hours: the output capacitor's ESR doubles or so.
const AGEING: f64 = 8000.0;

/// Soaks of three boards whose parts do not age, of the same boards ageing, and of three others with the filter that do not age,
/// in a folder of each.
fn soaks() -> &'static Path {
    static SOAKS: OnceLock<TempDir> = OnceLock::new();
    let folder = SOAKS.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let profile = file(&folder, "profile.toml", PROFILE);
        let rig = std::fs::read_to_string(SIM).unwrap();
        let old = file(&folder, "old.toml", &rig.replace("[sim]\n", &format!("[sim]\nageing = {AGEING}\n")));
        let kinds = [("still", Path::new(SIM), "A"), ("ageing", &old, "A"), ("filter", Path::new(SIM), "B")];
        for (out, rig, revision) in kinds {
            for number in 1..=3 {
                let serial = format!("{}{number}", if revision == "A" { "s" } else { "f" });
                soak(&profile, rig, (&serial, revision), &folder.path().join(out));
            }
        }
        folder
    });
    folder.path()
}

fn soak(profile: &Path, rig: &Path, (serial, revision): (&str, &str), out: &Path) -> PathBuf {
    let words =
        ["run", arg(profile), "--rig", arg(rig), "--out", arg(out), "--board", serial, "--json", "-q"];
    let told = soakrig(&[&words[..], &["--revision", revision]].concat()).assert_exit(0);
    PathBuf::from(told.json()["run"].as_str().unwrap())
}

fn compare(more: &[&str]) -> Told {
    soakrig(&[&["compare", "--width", "0"], more].concat())
}

fn change(json: &Value, figure: &str) -> Value {
    let rows = json["changes"].as_array().unwrap();
    rows.iter().find(|row| row["figure"] == figure).unwrap_or_else(|| panic!("{figure}: {json}")).clone()
}

/// Behind the warm-up, an hour and a half against the last one.
const STRETCH: &str = "1h..150min,end:90min";

#[test]
fn the_end_of_soaks_whose_parts_age_is_told_from_their_start() {
    let folder = soaks().join("ageing");
    let json = compare(&["--stretch", STRETCH, arg(&folder), "--json"]).assert_exit(0).json();
    let groups = &json["groups"][0];
    assert_eq!(groups["within_runs"], true, "{groups}");
    assert_eq!(groups["pairing"], "board");
    assert_eq!(groups["comparability"], "comparable", "{}", json["differences"]);
    let ripple = change(&json, "ripple_pp_v");
    assert_eq!(ripple["sense"], "worse", "{ripple}");
    assert!(ripple["low"].as_f64().unwrap() > 0.5, "{ripple}");
    assert_eq!((&ripple["boards_before"], &ripple["boards_after"]), (&Value::from(3), &Value::from(3)));
    let told = compare(&["--stretch", STRETCH, arg(&folder)]).assert_exit(0);
    for words in [
        "the end (1 h 30 min) raises the ripple",
        "3 boards, each with itself",
        "whatever drifts with time is in the change",
        "whether the boards changed or the bench did",
    ] {
        assert!(told.out.contains(words), "`{words}` is not in:\n{}", told.out);
    }
    // A limit on the change holds for what hours do, too.
    let limit = ["--worse-than", "ripple_pp_v:0.1dB"];
    compare(&[&["--stretch", STRETCH, arg(&folder)], &limit[..]].concat()).assert_exit(1);
}

#[test]
fn of_soaks_whose_parts_do_not_age_no_change_is_claimed() {
    let folder = soaks().join("still");
    let json = compare(&["--stretch", STRETCH, arg(&folder), "--json"]).assert_exit(0).json();
    for figure in ["ripple_pp_v", "noise_pp_20mhz_v", "vout_v", "rise_k"] {
        let change = change(&json, figure);
        let sense = change["sense"].as_str().unwrap();
        assert!(["too small to matter", "no change shown"].contains(&sense), "{change}");
    }
}

#[test]
fn a_start_in_which_boards_warm_up_is_told_as_such() {
    let folder = soaks().join("still");
    let told = compare(&["--stretch", "start:10min,end:1h", arg(&folder)]).assert_exit(0);
    assert!(told.out.starts_with("COMPARABLE EXCEPT"), "{}", told.out);
    assert!(told.out.contains("a board that warms up or cools down changes by that alone"), "{}", told.out);
}

#[test]
fn of_one_board_it_is_said_that_its_hours_are_no_boards() {
    let folder = soaks().join("ageing");
    let out = ["--out", arg(&folder)];
    let told = compare(&[&["--stretch", STRETCH, "*_s1"], &out[..]].concat()).assert_exit(0);
    let limit = ["--worse-than", "ripple_pp_v:0.1dB"];
    for words in ["no interval", "The board is what is repeated", "do not stand for another one"] {
        assert!(told.out.contains(words), "`{words}` is not in:\n{}", told.out);
    }
    let judged = compare(&[&["--stretch", STRETCH, "*_s1"], &out[..], &limit[..]].concat()).assert_exit(1);
    assert!(judged.out.contains("not judged"), "{}", judged.out);
}

#[test]
fn the_joined_table_has_every_figure_and_of_soaks_when_and_in_which_phase_and_of_stretches_their_own_points()
{
    let folder = soaks().join("still");
    let path = soaks().join("points.csv");
    let table = |more: &[&str]| -> Vec<BTreeMap<String, String>> {
        compare(&[more, &["--points", arg(&path), "--json"]].concat()).assert_exit(0);
        let mut reader = csv::Reader::from_path(&path).unwrap();
        reader.deserialize().map(|row| row.unwrap()).collect()
    };
    let number = |row: &BTreeMap<String, String>, column: &str| row[column].parse::<f64>().unwrap();
    let whole = table(&["--before", arg(&folder), "--after", arg(&soaks().join("filter"))]);
    assert!(whole.len() > 60, "{}", whole.len());
    for name in FigureName::ALL {
        assert!(whole[0].contains_key(name.key()), "{name}");
    }
    for row in &whole {
        let rise = number(row, "board_c") - number(row, "ambient_c");
        assert!((number(row, "rise_k") - rise).abs() < 1e-6, "{row:?}");
    }
    let of_run = |run: &str| whole.iter().filter(|row| row["run"] == run).collect::<Vec<_>>();
    let first = of_run(&whole[0]["run"]);
    assert_eq!(number(first[0], "since_first_point_s"), 0.0);
    let last = first[first.len() - 1];
    assert!(number(last, "since_first_point_s") > 5.0 * 3600.0, "{last:?}");
    for (phase, from_s, to_s) in [("first", 0.0, 3.1 * 3600.0), ("second", 2.9 * 3600.0, 6.5 * 3600.0)] {
        let own = first.iter().filter(|row| row["phase"] == phase);
        let times: Vec<f64> = own.map(|row| number(row, "since_first_point_s")).collect();
        assert!(times.len() > 4 && times.iter().all(|at| (from_s..to_s).contains(at)), "{phase}: {times:?}");
    }
    let stretches = table(&["--stretch", STRETCH, arg(&folder)]);
    assert!(stretches.len() < whole.len() / 2, "{}", stretches.len());
    for row in &stretches {
        let at_h = number(row, "since_first_point_s") / 3600.0;
        let is_start = row["group"].starts_with("1 h to ");
        assert!(if is_start { (1.0..=2.5).contains(&at_h) } else { at_h > 4.0 }, "{row:?}");
    }
}

#[test]
fn stretches_that_overlap_or_hold_nothing_are_refused() {
    let folder = soaks().join("still");
    let refused = |stretch: &str, words: &str| {
        compare(&["--stretch", stretch, arg(&folder)]).assert_exit(2).assert_told(&[words]);
    };
    refused("start:4h,end:4h", "overlap in the run");
    refused("30h..40h,end", "lies in 1 d 6 h to 1 d 16 h");
    refused("start", "names one stretch");
    refused("start,middle", "is no stretch of a run");
    compare(&["--stretch", "start,end"]).assert_exit(2);
}

#[test]
fn a_sweep_has_no_start_and_end_to_compare_and_is_told_to_be_no_soak() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "profile.toml", &smoke_at("[\"24 V\"]"));
    let sweep = run(&profile, ("a1", "A"), folder.path());
    let refused = compare(&["--stretch", "start,end", arg(&sweep)]).assert_exit(2);
    refused.assert_told(&["is no soak but a sweep, whose start and end are of different points"]);
}

#[test]
fn the_reference_board_stands_in_no_stretch_and_tells_what_the_bench_did_meanwhile() {
    let folder = TempDir::new().unwrap();
    let (before, rest) = PROFILE.split_once("[soak]").unwrap();
    let sweep = format!("{before}{}", &rest[rest.find("[interlocks]").unwrap()..]);
    let profile = file(&folder, "sweep.toml", &sweep);
    for turn in ["lot:1/5:reference", "lot:5/5:reference"] {
        let words = ["run", arg(&profile), "--rig", SIM, "--out", arg(folder.path()), "--board", "r", "-q"];
        soakrig(&[&words[..], &["--revision", "A", "--turn", turn]].concat()).assert_exit(0);
    }
    let soaks = soaks().join("ageing");
    let both = ["--stretch", STRETCH, arg(&soaks), arg(folder.path())];
    let json = compare(&[&both[..], &["--json"]].concat()).assert_exit(0).json();
    assert_eq!(json["groups"][0]["boards_before"], serde_json::json!(["s1", "s2", "s3"]));
    assert_eq!(json["groups"][0]["boards_after"], json["groups"][0]["boards_before"]);
    let ripple = change(&json, "ripple_pp_v");
    // The boards aged, the bench did not.
    assert!(ripple["low"].as_f64().unwrap() > 0.5, "{ripple}");
    assert!(ripple["reference_change"].as_f64().unwrap().abs() < 0.2, "{ripple}");
    let told = compare(&both).assert_exit(0);
    assert!(told.out.contains("reference board") && told.out.contains("from run 1 to run 5"), "{}", told.out);
    // Without it nothing is told of it, and of it alone there is nothing to hold.
    let without = compare(&["--stretch", STRETCH, arg(&soaks), "--json"]).assert_exit(0).json();
    let ripple = change(&without, "ripple_pp_v");
    assert!(ripple["reference_change"].is_null(), "{ripple}");
    assert_eq!(ripple["no_reference_change"], "there is no run of a reference board");
    compare(&["--stretch", STRETCH, arg(folder.path())]).assert_exit(2).assert_told(&["reference board"]);
}

#[test]
fn steps_that_are_too_many_or_are_no_steps_are_refused() {
    let (still, filter) = (soaks().join("still"), soaks().join("filter"));
    let refused = |over: &str, words: &str| {
        let sides = ["--before", arg(&still), "--after", arg(&filter), "--over", over];
        compare(&sides).assert_exit(2).assert_told(&[words]);
    };
    refused("1min", "more than 200 steps");
    refused("0h", "is no step");
    refused("often", "often");
}

/// The growth of a figure's difference over the steps.
fn growth(json: &Value, figure: &str) -> Value {
    let rows = json["growth"].as_array().unwrap();
    rows.iter().find(|row| row["figure"] == figure).unwrap_or_else(|| panic!("{figure}: {json}")).clone()
}

#[test]
fn a_difference_that_grows_over_the_hours_is_told_step_by_step_and_as_growth() {
    let (still, ageing) = (soaks().join("still"), soaks().join("ageing"));
    let sides = ["--before", arg(&still), "--after", arg(&ageing), "--pair", "board", "--over", "2h"];
    let json = compare(&[&sides[..], &["--json"]].concat()).assert_exit(0).json();
    let steps: Vec<&Value> =
        json["steps"].as_array().unwrap().iter().filter(|row| row["figure"] == "ripple_pp_v").collect();
    let titles: Vec<&str> = steps.iter().map(|row| row["step"].as_str().unwrap()).collect();
    assert_eq!(titles, ["0 s to 2 h", "2 h to 4 h", "4 h to 6 h"]);
    let changes: Vec<f64> = steps.iter().map(|row| row["change"].as_f64().unwrap()).collect();
    assert!(changes.windows(2).all(|pair| pair[1] > pair[0] + 0.2), "{changes:?}");
    let grown = growth(&json, "ripple_pp_v");
    assert_eq!(grown["sense"], "worse", "{grown}");
    assert!(grown["low"].as_f64().unwrap() > 0.2, "{grown}");
    assert!(grown["before_moved"].as_f64().unwrap().abs() < 0.2, "{grown}");
    let folder = TempDir::new().unwrap();
    let page = folder.path().join("page.html");
    let told = compare(&[&sides[..], &["--html", arg(&page)]].concat()).assert_exit(0);
    let page = std::fs::read_to_string(page).unwrap();
    for words in
        ["ver the hours, 2 h at a time", "rom the first step to the last one the difference moves by"]
    {
        assert!(told.out.contains(words) && page.contains(words), "`{words}` is not in:\n{}", told.out);
    }
    assert!(page.contains("growth, first to last"), "no picture");
    // A soak keeps traces of its first point here, and not of the last one that it finished at the same setting.
    let (_, period) = page.split_once("<h3>One period</h3>").unwrap();
    let period = period.split("</div></div>").next().unwrap();
    assert!(period.contains("At 24 V, 500 mA, where the ripple without spikes"), "{period}");
}

#[test]
fn the_effect_of_a_filter_that_stays_is_there_in_every_step_and_does_not_grow() {
    let (still, filter) = (soaks().join("still"), soaks().join("filter"));
    let sides = ["--before", arg(&still), "--after", arg(&filter)];
    let json = compare(&[&sides[..], &["--over", "2h", "--json"]].concat()).assert_exit(0).json();
    let steps = json["steps"].as_array().unwrap();
    let noise: Vec<&Value> = steps.iter().filter(|row| row["figure"] == "noise_pp_20mhz_v").collect();
    assert_eq!(noise.len(), 3);
    assert!(noise.iter().all(|row| row["sense"] == "better"), "{noise:?}");
    let grown = growth(&json, "noise_pp_20mhz_v");
    let sense = grown["sense"].as_str().unwrap();
    assert!(["too small to matter", "no change shown"].contains(&sense), "{grown}");
    // Phase by phase there are steps, and no hours over which anything could grow.
    let json = compare(&[&sides[..], &["--over", "phase", "--json"]].concat()).assert_exit(0).json();
    let steps = json["steps"].as_array().unwrap();
    let noise: Vec<&Value> = steps.iter().filter(|row| row["figure"] == "noise_pp_20mhz_v").collect();
    assert_eq!(noise.iter().map(|row| &row["step"]).collect::<Vec<_>>(), ["phase first", "phase second"]);
    assert!(noise.iter().all(|row| row["sense"] == "better"), "{noise:?}");
    assert_eq!(growth(&json, "noise_pp_20mhz_v")["not_known"], "phases are no hours");
}
