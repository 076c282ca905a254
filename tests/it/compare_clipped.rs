//! What a comparison takes its spectra and traces from where a capture is clipped: the simulated converter's ringing leaves the
//! narrow range of the ripple acquisition by far.

use std::fs;

use serde_json::Value;
use soakrig::base::units::Volts;
use tempfile::TempDir;

use crate::cli::{Told, arg, file, smoke_at, soakrig};
use crate::compare::run;

/// One point with kept traces, narrow behind the limiter and wide without it.
fn profile() -> String {
    smoke_at("[\"24 V\"]")
        // At 250 mA the steps of the converter hide the ripple of the board with the filter.
        .replace("[\"30 mA\", \"250 mA\"]", "[\"30 mA\"]")
        .replace("min = \"70 %\"", "min = \"10 %\"")
        .replace("load >= 100 mA", "load >= 10 mA")
        .replace("samples = 60000", "samples = 60000\nkeep = true\nripple_bandwidth_limit = true")
        .replace("\"ripple_pp_v\", ", "\"ripple_pp_v\", \"noise_rms_20mhz_v\", ")
}

/// A run of a board without the filter and one of a board with it.
fn measured(profile: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "profile.toml", profile);
    for board in [("a1", "A"), ("b1", "B")] {
        run(&profile, board, folder.path());
    }
    folder
}

fn compare(folder: &TempDir, more: &[&str]) -> Told {
    let args = [
        "compare",
        "--width",
        "0",
        "--out",
        arg(folder.path()),
        "--before",
        "*_a1",
        "--after",
        "*_b1",
        "--spectra",
    ];
    soakrig(&[&args[..], more].concat()).assert_exit(0)
}

fn change<'j>(json: &'j Value, figure: &str) -> &'j Value {
    let rows = json["changes"].as_array().unwrap();
    rows.iter().find(|row| row["figure"] == figure).unwrap_or_else(|| panic!("no {figure} in {rows:?}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_band_is_taken_from_the_acquisition_that_analyze_takes_it_from_and_not_from_a_clipped_one() {
    let folder = measured(&profile());
    let record = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let record = record.into_iter().find(|path| arg(path).ends_with("_a1")).unwrap();
    let analyzed = soakrig(&["analyze", arg(&record), "--point", "1"]).assert_exit(0).out;
    // Without this there would be nothing to show.
    assert!(analyzed.contains("spikes leave the range of the ripple acquisition"), "{analyzed}");
    let rms_v = analyzed.lines().find(|line| line.contains("band_rms_1mhz_20mhz_v")).unwrap();
    let json = compare(&folder, &["--json"]).json();
    let level = |figure: &str| number(&change(&json, figure)["level_before"]);
    let both_v = level("spectrum_1mhz_5mhz_v").hypot(level("spectrum_5mhz_20mhz_v"));
    // Analyze takes the noise of probe and scope off, which is little here.
    let (_, told) = rms_v.split_once("band_rms_1mhz_20mhz_v").unwrap();
    let told: Vec<&str> = told.split_whitespace().take(2).collect();
    let Volts(analyzed_v) = told.concat().parse().unwrap();
    assert!((both_v / analyzed_v - 1.0).abs() < 0.01, "analyze says `{rms_v}`, the bands are {both_v} V");
    // It rings at 15 MHz: nearly all of what rides on the output lies in that band.
    let (band, noise) = (change(&json, "spectrum_5mhz_20mhz_v"), change(&json, "noise_rms_20mhz_v"));
    let apart_db = number(&band["change"]) - number(&noise["change"]);
    assert!(apart_db.abs() < 4.0, "{band} {noise}");
    let groups = &json["groups"][0];
    assert_eq!((&groups["captures_before"], &groups["captures_before_wide"]), (&1.into(), &1.into()));
    assert_eq!((&groups["captures_after_wide"], &groups["captures_before_clipped"]), (&0.into(), &0.into()));
}

#[test]
fn lines_and_page_say_which_acquisition_was_taken_because_the_other_one_is_clipped() {
    let folder = measured(&profile());
    let path = folder.path().join("page.html");
    let told = compare(&folder, &["--html", arg(&path)]);
    let why = "of 1 of 1 captures the spikes acquisition tells of every band, because samples of the ripple acquisition are clipped";
    let lines = told.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(lines.contains(why) && !lines.contains(&format!("revision B: {why}")), "{}", told.out);
    let page = fs::read_to_string(path).unwrap();
    assert!(page.contains(why));
    assert!(
        page.contains(
            "Of revision A, board a1 the spikes acquisition, for the ripple acquisition is clipped."
        )
    );
    assert!(!page.contains("Of revision B, board b1 the spikes acquisition"));
    // The two sides were captured in ranges with a noise of their own, and each is shown.
    assert_eq!(page.matches("its probe and scope alone").count(), 2);
}

#[test]
fn a_capture_that_is_clipped_in_every_acquisition_has_no_spectrum_and_its_trace_says_where_it_is_cut() {
    let narrow_only = profile()
        .replace("keep = true", "keep = true\nspikes = false")
        .replace("\"spike_pos_v\", \"spike_neg_v\",", "");
    let folder = measured(&narrow_only);
    let path = folder.path().join("page.html");
    let told = compare(&folder, &["--html", arg(&path)]);
    let lines = told.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let why =
        "revision A: not available of 1 of 1 captures, because samples of every acquisition are clipped";
    assert!(lines.contains(why), "{}", told.out);
    // Once, with all that it is the reason of.
    let (_, nothing) = lines.split_once("cannot be compared in ").unwrap();
    assert!(
        nothing.contains("rms from 5 to 20 MHz (ringing)") && !nothing.contains("cannot be compared"),
        "{}",
        told.out
    );
    let json = compare(&folder, &["--json"]).json();
    assert!(change(&json, "spectrum_5mhz_20mhz_v")["level_before"].is_null(), "{json}");
    let page = fs::read_to_string(path).unwrap();
    assert!(page.contains("samples of revision A, board a1 are clipped, at the dashed lines"));
    assert!(page.contains(">clipped</text>") || page.contains("clipped\n</text>"));
}
