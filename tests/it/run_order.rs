//! An order of runs for a comparison: laid down, followed on the simulated bench, and found again in the runs.

use std::path::{Path, PathBuf};

use serde_json::Value;
use soakrig::record::Record;
use tempfile::TempDir;

use crate::cli::{PROGRAM, SIM, Told, arg, file, program_by, smoke_at, soakrig};

/// What is laid down for the profile `profile.toml` in a folder, whose runs go into `runs` there.
fn plan(folder: &Path, more: &[&str]) -> Told {
    let (profile, out) = (folder.join("profile.toml"), folder.join("runs"));
    let fixed = ["plan", arg(&profile), "--rig", SIM, "--compare", "A,B", "--out", arg(&out)];
    soakrig(&[&fixed[..], more].concat())
}

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let profile = smoke_at("[\"18 V\", \"24 V\"]").replace("samples = 60000", "samples = 60000\nkeep = true");
    file(&folder, "profile.toml", &profile);
    folder
}

/// The words of a command without the program's name, and never asking for a terminal.
fn words(command: &Value) -> Vec<String> {
    let words = command.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned());
    words.skip(1).collect()
}

/// The settings of a run's points in the order of measurement.
fn points(record: &Record) -> Vec<String> {
    record.points().iter().map(|point| format!("{:?}", point.setting)).collect()
}

/// The folder of the run that was made at a place of its order.
fn made_at(out: &Path, number: u32) -> PathBuf {
    let mut folders = std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
    let is_there = |folder: &PathBuf| {
        let turn = Record::open(folder).ok().and_then(|record| record.facts().unwrap().turn.clone());
        turn.is_some_and(|turn| turn.number == number)
    };
    folders.find(is_there).unwrap()
}

#[test]
fn an_order_that_is_followed_line_by_line_stands_in_the_records_and_compares_its_own_runs_only() {
    let folder = folder();
    let asked = ["--boards", "A=a1,a2", "--boards", "B=b1,b2", "--reference", "A=r", "--seed", "3"];
    let order = plan(folder.path(), &[&asked[..], &["--json"]].concat()).assert_exit(0).json();
    let name = order["order"].as_str().unwrap();
    let runs = order["runs"].as_array().unwrap();
    let mut orders_of_points = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        let words = words(&run["command"]);
        let words: Vec<&str> = words.iter().map(String::as_str).chain(["--json", "-q"]).collect();
        let made = soakrig(&words).assert_exit(0).json();
        let record = Record::open(&PathBuf::from(made["run"].as_str().unwrap())).unwrap();
        let facts = record.facts().unwrap();
        let turn = facts.turn.as_ref().unwrap();
        assert_eq!((turn.order.as_str(), turn.number, turn.of), (name, at as u32 + 1, 6));
        assert_eq!(turn.is_reference, at == 0 || at == 5);
        assert_eq!(turn.board.as_ref(), Some(&facts.board));
        assert_eq!(facts.board.serial.as_str(), run["board"].as_str().unwrap());
        assert_eq!(facts.board.revision.as_str(), run["revision"].as_str().unwrap());
        orders_of_points.push(points(&record));
    }
    assert!(orders_of_points.iter().any(|points| *points != orders_of_points[0]), "no points were shuffled");

    // A run that is not of the order stands among them.
    let (profile, out) = (folder.path().join("profile.toml"), folder.path().join("runs"));
    let alone = ["run", arg(&profile), "--rig", SIM, "--out", arg(&out), "--board", "x", "--revision", "B"];
    soakrig(&[&alone[..], &["-q"]].concat()).assert_exit(0);
    let words = words(&order["compare"]);
    let words: Vec<&str> = words.iter().map(String::as_str).chain(["--spectra", "--json"]).collect();
    let compared = soakrig(&words).assert_exit(0).json();
    let groups = &compared["groups"][0];
    assert_eq!(groups["boards_before"], serde_json::json!(["a1", "a2"]), "{groups}");
    assert_eq!(groups["boards_after"], serde_json::json!(["b1", "b2"]), "{groups}");
    // The order is known again, the reference board stands on no side, and the drift is told beside the change.
    assert_eq!(
        (&groups["order"], &groups["order_kept"]),
        (&Value::from(name), &Value::from(true)),
        "{groups}"
    );
    let mut places: Vec<u64> = ["places_before", "places_after"]
        .iter()
        .flat_map(|side| groups[side].as_array().unwrap())
        .map(|place| place.as_u64().unwrap())
        .collect();
    places.sort_unstable();
    assert_eq!(places, [2, 3, 4, 5]);
    assert!(groups["order_inflation"].as_f64().unwrap() < 1.5, "{groups}");
    let differs = |what: &str| {
        compared["differences"]
            .as_array()
            .unwrap()
            .iter()
            .any(|difference| difference["what"].as_str().unwrap().starts_with(what))
    };
    assert!(!differs("run order") && !differs("missing runs"), "{}", compared["differences"]);
    let changes = compared["changes"].as_array().unwrap();
    let noise = changes.iter().find(|change| change["figure"] == "noise_pp_20mhz_v").unwrap();
    let of = |key: &str| noise[key].as_f64().unwrap();
    // Nothing drifts on this bench, and the filter is worth far more than its boards scatter.
    assert!(of("without_drift_low") < of("change") && of("change") < of("without_drift_high"), "{noise}");
    assert!(of("drift_low") < 0.0 && of("drift_high") > 0.0, "{noise}");
    assert!(of("reference_change").abs() < 1.0 && of("change") < -20.0, "{noise}");
    // So is a band of its kept captures.
    let band = changes.iter().find(|change| change["figure"] == "spectrum_5mhz_20mhz_v").unwrap();
    assert!(band["reference_change"].is_number() && band["no_reference_change"].is_null(), "{band}");
    // What is made of several points is told of the reference board, too.
    let regulation = changes.iter().find(|change| change["figure"] == "load_regulation_v").unwrap();
    assert!(regulation["reference_change"].as_f64().unwrap().abs() < 0.01, "{regulation}");
    // Without the last run of the reference board the order is not whole, and that stands in front.
    std::fs::remove_dir_all(made_at(&out, 6)).unwrap();
    let lacking = soakrig(&[&words[..words.len() - 2], &["--width", "0"]].concat()).assert_exit(0);
    assert!(lacking.out.starts_with("COMPARABLE EXCEPT"), "{}", lacking.out);
    let missing = format!("  matters  missing runs of the order {name} (run 6): run");
    assert!(lacking.out.contains(&missing), "`{missing}` is not in:\n{}", lacking.out);
    soakrig(&["compare", "--by", "revision", "--order", "other", arg(&out)])
        .assert_exit(2)
        .assert_told(&["of the order other"]);
}

#[test]
fn an_order_for_three_revisions_lacks_nothing_where_two_of_them_are_compared_and_a_run_out_of_turn_matters() {
    let folder = folder();
    let (profile, out) = (folder.path().join("profile.toml"), folder.path().join("runs"));
    let measure = |board: &str, revision: &str, turn: &str| {
        let fixed = ["run", arg(&profile), "--rig", SIM, "--out", arg(&out), "-q"];
        let own = ["--board", board, "--revision", revision, "--turn", turn];
        soakrig(&[&fixed[..], &own].concat())
    };
    for (board, revision, turn) in [("a1", "A", "lot-7:1/4"), ("b1", "B", "lot-7:2/4")] {
        measure(board, revision, turn).assert_exit(0);
    }
    // Without the filter and without the bridge the board has no output, and is left out of what follows.
    measure("c1", "C", "lot-7:3/4").assert_exit(1);
    measure("a2", "A", "lot-7:4/4").assert_exit(0);
    let compare = |more: &[&str]| {
        let fixed = ["compare", "--out", arg(&out), "--width", "0", "--before", "*_a?", "--after", "*_b?"];
        soakrig(&[&fixed[..], more].concat()).assert_exit(0)
    };
    let told = compare(&[]);
    assert!(!told.out.contains("missing runs"), "{}", told.out);
    let left_out = "(all runs of the order lot-7 but for run 3 of revision C (left out), in its order)";
    assert_eq!(told.out.matches(left_out).count(), 1, "{}", told.out);
    let json = compare(&["--json"]).json();
    assert_eq!(json["groups"][0]["order_left_out"], serde_json::json!(["C"]));

    // A second run at the first place of the order, and made last: both are named.
    measure("a3", "A", "lot-7:1/4").assert_exit(0);
    let told = compare(&[]);
    let line = told.out.lines().find(|line| line.contains("runs out of turn of the order lot-7")).unwrap();
    assert!(told.out.starts_with("COMPARABLE EXCEPT"), "{}", told.out);
    assert!(
        line.starts_with("  matters  runs out of turn of the order lot-7 (run 1 made twice: 20"),
        "{line}"
    );
    assert!(line.contains("_a1; 20") && line.contains("_a3): runs 1, 3 to 4 before, run 2 after"), "{line}");

    // Another board than the order has there.
    measure("a9", "A", "lot-9:1/2:A/a1").assert_exit(0);
    measure("b9", "B", "lot-9:2/2:B/b9").assert_exit(0);
    let told = compare(&["--order", "lot-9"]);
    let line = told.out.lines().find(|line| line.contains("other boards than those of the order")).unwrap();
    let words = ": run 1 of board a9, revision A, in the place of board a1, revision A: 20";
    assert!(line.starts_with("  matters") && line.contains(words), "{line}");
    assert!(line.contains("_a9 before, none after ("), "{line}");
}

#[cfg(unix)]
#[test]
fn what_is_printed_is_a_script_whose_comments_are_the_table() {
    let folder = folder();
    let told = plan(folder.path(), &["--boards", "s1,s2", "--note", "jumper J3; it's hot"]).assert_exit(0);
    let lines: Vec<&str> = told.out.lines().collect();
    assert!(lines.iter().all(|line| line.is_empty()
        || line.starts_with("# ")
        || *line == "#"
        || line.starts_with("soakrig ")));
    for words in ["A with B (abba, the same boards measured both ways; seed 1)", "What it cannot do"] {
        assert!(told.out.contains(words), "`{words}` is not in:\n{}", told.out);
    }
    let commands: Vec<&str> = lines.iter().filter(|line| line.starts_with("soakrig run ")).copied().collect();
    assert_eq!(commands.len(), 8);
    assert!(told.out.contains("--pair board"), "{}", told.out);
    // A shell takes the note apart from the options as it was typed.
    let script = format!("{} -q --json", commands[0].replacen("soakrig", PROGRAM, 1));
    let made = Told::of(program_by("sh").args(["-c", &script])).assert_exit(0).json();
    let record = Record::open(&PathBuf::from(made["run"].as_str().unwrap())).unwrap();
    assert_eq!(record.facts().unwrap().note.as_deref(), Some("jumper J3; it's hot"));
}

#[test]
fn an_order_that_cannot_be_run_or_compared_is_refused_before_the_first_run() {
    let folder = folder();
    let refused = |more: &[&str], told: &str| {
        plan(folder.path(), more).assert_exit(2).assert_told(&[told]);
    };
    refused(&[], "--boards");
    refused(&["--boards", "A=1"], "no board of revision B");
    refused(&["--boards", "A=1", "--boards", "B=1"], "named twice");
    refused(&["--boards", "A=1", "--boards", "B=2", "--board", "3"], "cannot be used with");
    // The simulated bench knows no such filter.
    let (profile, boards) = (folder.path().join("profile.toml"), ["--boards", "A=1", "--boards", "X=2"]);
    let fixed = ["plan", arg(&profile), "--rig", SIM, "--compare", "A,X"];
    soakrig(&[&fixed[..], &boards].concat()).assert_exit(2).assert_told(&["X"]);
    // What is for an order of runs says nothing of one run.
    for more in [["--boards", "1"], ["--reference", "1"], ["--design", "abba"], ["--out", "elsewhere"]] {
        soakrig(&[&["plan", arg(&profile), "--rig", SIM], &more[..]].concat())
            .assert_exit(2)
            .assert_told(&["required arguments were not provided", "--compare"]);
    }
    soakrig(&["run", arg(&profile), "--rig", SIM, "--shuffle"]).assert_exit(2).assert_told(&["--seed"]);
    soakrig(&["run", arg(&profile), "--rig", SIM, "--turn", "3/4"])
        .assert_exit(2)
        .assert_told(&["no place in an order of runs"]);
}

#[test]
fn a_run_with_shuffled_points_that_was_cut_off_goes_on_in_the_same_order() {
    let folder = folder();
    let (profile, out) = (folder.path().join("profile.toml"), folder.path().join("runs"));
    let words =
        ["run", arg(&profile), "--rig", SIM, "--out", arg(&out), "--shuffle", "--seed", "12", "-q", "--json"];
    let made = soakrig(&words).assert_exit(0).json();
    let run = PathBuf::from(made["run"].as_str().unwrap());
    let whole = points(&Record::open(&run).unwrap());
    // Cut off behind its second point.
    let journal = run.join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let mut finished = 0;
    let kept: Vec<&str> = text
        .lines()
        .take_while(|line| {
            let goes_on = finished < 2;
            finished += usize::from(line.contains("\"point_finished\""));
            goes_on
        })
        .collect();
    std::fs::write(&journal, format!("{}\n", kept.join("\n"))).unwrap();
    std::fs::remove_file(run.join("manifest.sha256")).unwrap();
    soakrig(&["resume", arg(&run), "-q"]).assert_exit(0);
    assert_eq!(points(&Record::open(&run).unwrap()), whole);
}
