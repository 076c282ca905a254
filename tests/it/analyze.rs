//! `soakrig analyze` as a person and a script use it: every format, our own captures, words, keys and exit codes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{SMOKE, Told, arg, file, program, soakrig};
use crate::record::sweep::{Course, record_sweep};

const EXPORTS: &str = "tests/data/scope-exports";

fn exports() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(EXPORTS)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end != "md"))
        .collect();
    files.sort();
    files
}

/// A trace at 100 MSa/s: 5 V with a triangle of 20 mV, and a switch node of 40 % duty at 125 kHz.
fn csv(rows: usize) -> String {
    let mut text = "time,vout,lx\n".to_owned();
    for row in 0..rows {
        let phase = row % 800;
        let on = phase < 320;
        let ripple = if on { phase as f64 / 320.0 } else { (800 - phase) as f64 / 480.0 };
        // A little noise by a fixed rule: multiples of an odd number.
        let noise = ((row * 7919) % 101) as f64 / 101.0 - 0.5;
        let vout = 5.0 + 0.02 * (ripple - 0.5) + 0.002 * noise;
        text.push_str(&format!("{:.9},{vout:.5},{:.2}\n", row as f64 * 1e-8, if on { 12.0 } else { -0.4 }));
    }
    text
}

fn json(args: &[&str]) -> Value {
    let mut all = vec!["analyze", "--json"];
    all.extend(args);
    soakrig(&all).assert_exit(0).json()
}

/// Keys of the outermost object in the order of the text.
fn keys(text: &str) -> Vec<String> {
    let own = |line: &&str| line.starts_with("  \"");
    text.lines().filter(own).map(|line| line.split('"').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn the_keys_of_the_object_are_frozen() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "trace.csv", &csv(40_000));
    let told = soakrig(&["analyze", "--json", arg(&path)]).assert_exit(0);
    insta::assert_snapshot!(keys(&told.out).join(" "), @"file format channel samples sample_rate_hz mean_v rms_ac_v max_v min_v noise_pp_full_v noise_pp_20mhz_v noise_rms_20mhz_v ripple_pp_v ripple_method ripple_fund_pp_v ripple_blank_pp_v ripple_fit_pp_v ripple_lp1mhz_pp_v spike_pos_v spike_neg_v spike_pos_median_v spike_neg_median_v spike_rate_hz spike_threshold_v switching_hz period_std_s period_pp_s period_c2c_s duty low_v high_v ring_hz drift_v noise_sigma_v conduction unavailable bounds notes");
}

#[test]
fn a_trace_with_its_switch_node_has_its_true_figures() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "trace.csv", &csv(40_000));
    let told = json(&[arg(&path)]);
    let near = |key: &str, wanted: f64, part: f64| {
        let value = told[key].as_f64().unwrap_or_else(|| panic!("{key}: {}", told[key]));
        assert!((value - wanted).abs() <= part * wanted.abs(), "{key}: {value}");
    };
    near("mean_v", 5.0, 1e-4);
    near("switching_hz", 125e3, 1e-5);
    near("duty", 0.4, 0.01);
    near("ripple_pp_v", 0.02, 0.1);
    near("sample_rate_hz", 100e6, 1e-6);
    assert_eq!(told["conduction"], "continuous");
    assert_eq!(told["channel"], "vout");
    assert_eq!(told["samples"], 40_000);
}

#[test]
fn a_sample_rate_is_told_without_the_noise_of_binary_fractions() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("fast.csv");
    let rows: String =
        (0..3_000_u32).map(|at| format!("{:.9},{}.5\n", f64::from(at) * 2e-9, at % 7)).collect();
    fs::write(&path, format!("Time(s),vout\n{rows}")).unwrap();
    let told = json(&[arg(&path)]);
    assert_eq!(told["sample_rate_hz"].to_string(), "500000000.0");
}

#[test]
fn every_null_has_its_reason_and_every_reason_its_null() {
    for path in exports() {
        let mut args = vec![arg(&path)];
        // Files without any time are given one.
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".npy") || name.contains("one-column") {
            args.extend(["--sample-rate", "100 MHz"]);
        }
        let told = json(&args);
        let object = told.as_object().unwrap();
        let reasons = told["unavailable"].as_object().unwrap();
        for (key, value) in object {
            assert_eq!(value.is_null(), reasons.contains_key(key), "{name}: {key} is {value}");
        }
        assert!(reasons.values().all(|reason| reason.as_str().is_some_and(|text| text.len() > 10)), "{name}");
    }
}

#[test]
fn a_limiter_and_the_coupling_that_are_told_count() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "trace.csv", &csv(20_000));
    let limited = json(&[arg(&path), "--bandwidth", "20MHz", "--coupling", "ac"]);
    assert!(limited["noise_pp_full_v"].is_null());
    let reason = limited["unavailable"]["noise_pp_full_v"].as_str().unwrap();
    assert!(reason.contains("20 MHz"), "{reason}");
    assert!(limited["mean_v"].is_null());
    assert!(limited["unavailable"]["mean_v"].as_str().unwrap().contains("AC"));
}

#[test]
fn channels_are_chosen_by_name_and_a_wrong_one_is_told() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "trace.csv", &csv(20_000));
    let swapped = json(&[arg(&path), "--vout", "lx", "--lx", "vout"]);
    assert_eq!(swapped["channel"], "lx");
    soakrig(&["analyze", arg(&path), "--vout", "ch9"]).assert_exit(2).assert_told(&["ch9", "trace.csv"]);
}

#[test]
fn standard_input_is_read() {
    let mut child = program()
        .args(["analyze", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(csv(20_000).as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["samples"], 20_000);
}

#[test]
fn what_is_no_trace_is_refused_with_its_place() {
    let folder = TempDir::new().unwrap();
    let mut broken = csv(2000);
    broken.push_str("0.00002,oops,3\n");
    let mut cases: Vec<(PathBuf, Vec<&str>)> = vec![
        (folder.path().join("none.csv"), vec!["cannot read", "none.csv"]),
        (file(&folder, "empty.csv", ""), vec!["empty.csv", "empty"]),
        (file(&folder, "words.csv", "hello\nworld\n"), vec!["words.csv:", "no row of numbers"]),
        (file(&folder, "broken.csv", &broken), vec!["broken.csv"]),
        (
            file(&folder, "gap.csv", "time,CH1\n0,1\n1e-6,NaN\n2e-6,2\n"),
            vec!["gap.csv:3: CH1 has no value (`NaN`)"],
        ),
        (
            file(&folder, "wide.csv", "time,CH1\n0,1\n1e-6,2\n2e-6,2,7\n3e-6,2\n"),
            vec!["wide.csv:4: `7`", "2 columns"],
        ),
        (file(&folder, "picture.csv", "\u{89}PNG"), vec!["picture.csv"]),
    ];
    cases.push((folder.path().to_owned(), vec!["journal.jsonl"]));
    for (path, words) in cases {
        let told: Told = soakrig(&["analyze", arg(&path)]);
        if path.ends_with("broken.csv") {
            // A last line that breaks off may be left out, but not in silence.
            assert!(
                told.exit == Some(2) || told.out.contains("oops") || told.out.contains("2002"),
                "{}{}",
                told.out,
                told.err
            );
            continue;
        }
        let told = told.assert_exit(2).assert_told(&words);
        assert!(told.out.is_empty(), "{}", told.out);
    }
    soakrig(&["analyze", "x.csv", "--sample-rate", "fast"]).assert_exit(2);
    soakrig(&["analyze", "x.csv", "--format", "betamax"]).assert_exit(2).assert_told(&["betamax"]);
}

/// A fault of the whole file as a script reads it: the one in `faults`.
fn only_fault(args: &[&str], exit: i32) -> Value {
    let mut all = vec!["analyze", "--json"];
    all.extend(args);
    let told = soakrig(&all).assert_exit(exit).json();
    let faults = told["error"]["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 1, "{told}");
    faults[0].clone()
}

#[test]
fn a_fault_of_a_whole_file_stands_among_the_faults_of_a_script() {
    let folder = TempDir::new().unwrap();
    for (path, words) in
        [(folder.path().join("none.csv"), "cannot read the trace"), (file(&folder, "empty.csv", ""), "empty")]
    {
        let fault = only_fault(&[arg(&path)], 2);
        assert_eq!(fault["file"], arg(&path));
        assert!(fault["line"].is_null() && fault["message"].as_str().unwrap().contains(words), "{fault}");
    }
    let rig = soakrig(&["plan", SMOKE, "--rig", "none.toml", "--json"]).assert_exit(2).json();
    assert_eq!(rig["error"]["faults"][0]["file"], "none.toml", "{rig}");
}

#[test]
fn of_two_traces_the_empty_one_is_told_by_its_role_and_its_file() {
    let out = TempDir::new().unwrap();
    let course = Course { revision: "A", points: 125, samples: 2_000, is_eventful: false };
    let run = record_sweep(out.path(), &course);
    let captures = run.join("waveforms");
    let name = |signal: &str| {
        let names = fs::read_dir(&captures).unwrap().map(|entry| entry.unwrap().path());
        let mut of_signal: Vec<PathBuf> =
            names.filter(|path| path.to_string_lossy().contains(signal)).collect();
        of_signal.sort();
        of_signal.remove(0)
    };
    let (output, node) = (name("_vout_"), name("_lx_"));
    fs::write(&node, "").unwrap();
    let fault = only_fault(&[arg(&output)], 6);
    let told = format!("{} {}", fault["file"], fault["message"]);
    for words in [arg(&node), "the switch node's trace (lx)", "it is empty"] {
        assert!(told.contains(words), "{told}");
    }
    let folder = TempDir::new().unwrap();
    let half = file(&folder, "half.csv", "time,out,node\n0,1,\n1e-6,2,\n2e-6,1,\n");
    soakrig(&["analyze", arg(&half), "--lx", "node"])
        .assert_exit(2)
        .assert_told(&["half.csv", "the channel of the switch node, `node`, holds no samples"]);
}

#[test]
fn uneven_times_are_told_once_and_a_rate_that_is_given_takes_their_place() {
    let folder = TempDir::new().unwrap();
    let late = csv(40_000).replace("0.000200000,", "0.000200004,");
    let path = file(&folder, "late.csv", &late);
    let told = json(&[arg(&path)]);
    let notes = told["notes"].as_array().unwrap();
    let uneven = |note: &&Value| note.as_str().is_some_and(|note| note.contains("time is not uniform"));
    assert_eq!(notes.iter().filter(uneven).count(), 1, "{notes:?}");
    assert!(told["switching_hz"].is_null());
    let given = json(&[arg(&path), "--sample-rate", "100MHz"]);
    assert!((given["switching_hz"].as_f64().unwrap() / 125e3 - 1.0).abs() < 1e-5);
    let notes = given["notes"].to_string();
    assert!(notes.contains("the file's own times are left: time is not uniform"), "{notes}");
}

#[test]
fn a_page_without_a_switch_node_names_no_rising_edges() {
    let folder = TempDir::new().unwrap();
    let alone: String =
        csv(40_000).lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n").collect();
    let (alone, both) = (file(&folder, "alone.csv", &alone), file(&folder, "both.csv", &csv(40_000)));
    let page = folder.path().join("page.html");
    let shown = |path: &Path| {
        soakrig(&["analyze", arg(path), "--html", arg(&page)]).assert_exit(0);
        let text = fs::read_to_string(&page).unwrap();
        (
            text.contains("laid over each other"),
            text.contains("from their rising edges"),
            text.contains("from the rising edge"),
        )
    };
    assert_eq!(shown(&both), (true, true, true));
    assert_eq!(shown(&alone), (true, false, false));
}

#[test]
fn rows_that_the_scope_wrote_wrongly_stand_among_what_limits_the_figures() {
    let folder = TempDir::new().unwrap();
    let (export, page) = (Path::new(EXPORTS).join("rigol-ds1000e.csv"), folder.path().join("page.html"));
    let told = soakrig(&["analyze", arg(&export), "--vout", "CH 1", "--html", arg(&page)]).assert_exit(0);
    let page = fs::read_to_string(page).unwrap();
    let section = |text: &str, from: &str, to: &str| {
        text.split_once(from)
            .and_then(|(_, rest)| rest.split_once(to))
            .map(|(part, _)| part.to_owned())
            .unwrap()
    };
    for part in [
        section(&page, "What limits these figures", "<h2>"),
        section(&told.out, "what limits the figures", "about the file"),
    ] {
        assert!(part.contains("lines 18 to 19") && part.contains("rubbish"), "{part}");
    }
}

#[test]
fn a_point_of_a_run_and_a_capture_of_it_carry_their_scale() {
    let out = TempDir::new().unwrap();
    let course = Course { revision: "A", points: 125, samples: 20_000, is_eventful: false };
    let run = record_sweep(out.path(), &course);
    let several = soakrig(&["analyze", arg(&run)]).assert_exit(2).assert_told(&["--point"]);
    assert!(several.out.is_empty());
    let capture = fs::read_dir(run.join("waveforms"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("vout"))
        .unwrap();
    let told = json(&[arg(&capture)]);
    assert_eq!(told["format"], "run");
    assert!(told["samples"].as_u64().unwrap() > 1000);
    let asked = json(&[arg(&run), "--point", "125"]);
    let page = out.path().join("page.html");
    assert_eq!(asked["format"], "run");
    program().args(["analyze", arg(&run), "--point", "125", "--html", arg(&page)]).output().unwrap();
    assert_page(&page);
    soakrig(&["analyze", arg(&run), "--point", "999"]).assert_exit(2).assert_told(&["999"]);
}

#[test]
fn naming_the_switch_nodes_file_of_a_run_says_whose_figures_are_told() {
    let out = TempDir::new().unwrap();
    let course = Course { revision: "A", points: 125, samples: 20_000, is_eventful: false };
    let run = record_sweep(out.path(), &course);
    let mut names: Vec<String> = fs::read_dir(run.join("waveforms"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("_lx_"))
        .collect();
    names.sort();
    let capture = run.join("waveforms").join(&names[0]);
    let (node, output) = (names[0].as_str(), names[0].replace("_lx_", "_vout_"));
    let told = json(&[arg(&capture)]);
    assert_eq!(told["channel"], "vout");
    let note = told["notes"].as_array().unwrap().iter().find_map(|note| {
        note.as_str()
            .filter(|note| note.contains(node) && note.contains(&output) && note.contains("--vout lx"))
    });
    assert!(note.is_some(), "{}", told["notes"]);
    let text = soakrig(&["analyze", arg(&capture)]).assert_exit(0);
    assert!(text.out.lines().next().unwrap().contains(&output), "{}", text.out);
    let own = json(&[arg(&capture), "--vout", "lx"]);
    assert_eq!(own["channel"], "lx");
}

#[test]
fn jitter_that_the_record_does_not_resolve_is_no_zero() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "trace.csv", &csv(40_000));
    let text = soakrig(&["analyze", arg(&path)]).assert_exit(0).out;
    for name in ["period_std_s", "period_pp_s", "period_c2c_s"] {
        let line = text.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        assert!(line.contains('≤'), "{line}");
    }
    assert!(text.contains("jitter is not resolved below"), "{text}");
    let told = json(&[arg(&path)]);
    for (name, intervals) in [("period_std_s", 1.0), ("period_pp_s", 2.0), ("period_c2c_s", 2.0)] {
        // A tenth of 10 ns at the least.
        assert!(told[name].as_f64().unwrap() >= 0.999e-9 * intervals, "{name} {}", told[name]);
        assert!(told["bounds"][name].is_object() || told["bounds"][name].is_string(), "{}", told["bounds"]);
    }
}

fn assert_page(path: &Path) {
    let page = fs::read_to_string(path).unwrap();
    let bare = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for bad in ["http://", "https://", "<script", "@import", "url(", ">nan", " inf"] {
        assert!(!bare.contains(bad), "the page holds {bad}");
    }
    for tag in ["svg", "table", "div", "section", "main", "html"] {
        let opened = page.matches(&format!("<{tag} ")).count() + page.matches(&format!("<{tag}>")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    assert!(page.len() < 1_500_000, "the page has {} bytes", page.len());
}

#[test]
fn a_page_is_never_written_over_a_trace_or_anything_else_that_is_no_page() {
    let folder = TempDir::new().unwrap();
    let (trace, page) = (file(&folder, "trace.csv", &csv(20_000)), folder.path().join("page.html"));
    let (short, empty) = (file(&folder, "notes.txt", "mine"), file(&folder, "empty.html", ""));
    for place in [&trace, &short] {
        let before = fs::read(place).unwrap();
        soakrig(&["analyze", arg(&trace), "--html", arg(place)])
            .assert_exit(2)
            .assert_told(&["is no page", "name another file"]);
        assert_eq!(fs::read(place).unwrap(), before);
    }
    // A page may be made anew.
    for place in [&page, &page, &empty] {
        soakrig(&["analyze", arg(&trace), "--html", arg(place)]).assert_exit(0);
        assert_page(place);
    }
}

#[test]
fn the_page_stands_alone_and_is_kept_for_looking_at() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("analyze");
    fs::create_dir_all(&folder).unwrap();
    let (trace, page) = (folder.join("trace.csv"), folder.join("page.html"));
    fs::write(&trace, csv(100_000)).unwrap();
    soakrig(&["analyze", arg(&trace), "--html", arg(&page)]).assert_exit(0);
    assert_page(&page);
    let unwritable = folder.join("none").join("page.html");
    soakrig(&["analyze", arg(&trace), "--html", arg(&unwritable)])
        .assert_exit(2)
        .assert_told(&["cannot write"]);
}
