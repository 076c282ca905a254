//! Runs that did not come to their end or kept no traces, and folders without a journal, in a comparison: what is missing is told,
//! and once.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::cli::{arg, file, smoke_at, soakrig};
use crate::compare::{compare, line_of, reports, run};

/// A run with all but the first lines of its journal lost, as a cable pulled out leaves it.
fn cut(wanted: &str, to: &Path, is_kept: impl Fn(&str) -> bool) -> PathBuf {
    let mut found = fs::read_dir(reports()).unwrap().map(|entry| entry.unwrap().path());
    let whole = found.find(|folder| arg(folder).ends_with(wanted)).unwrap();
    let folder = to.join(whole.file_name().unwrap());
    fs::create_dir(&folder).unwrap();
    let journal = fs::read_to_string(whole.join("journal.jsonl")).unwrap();
    let kept: String =
        journal.lines().take_while(|line| is_kept(line)).map(|line| format!("{line}\n")).collect();
    fs::write(folder.join("journal.jsonl"), kept).unwrap();
    folder
}

#[test]
fn a_run_without_its_end_is_told_once_with_the_points_it_has_and_not_by_all_that_it_does_not_say() {
    let folder = TempDir::new().unwrap();
    let empty = cut("_b1", folder.path(), |line| !line.contains("\"wiring_checked\""));
    let told = compare(&["--before", "*_a?", "--after", arg(&empty)]).assert_exit(2);
    assert!(told.out.starts_with("NOT COMPARABLE"), "{}", told.out);
    let completeness = line_of(&told, "completeness");
    for words in [
        "breaks",
        "_b1 has no end, for it was cut off or is still going: none of ",
        ", and nothing yet of bandwidth, coupling, probe, fixture, memory depth, sample rate, kept traces, channel",
    ] {
        assert!(completeness.contains(words), "`{words}` is not in:\n{completeness}");
    }
    assert!(!told.out.contains("nothing said"), "{}", told.out);

    // Of the points that it has it is compared.
    let finished = Cell::new(0);
    let two_points = |line: &str| {
        let before = finished.get();
        finished.set(before + u32::from(line.contains("\"point_finished\"")));
        before < 2
    };
    let part = cut("_b2", folder.path(), two_points);
    let told = compare(&["--before", "*_a?", "--after", "*_b1", arg(&part)]).assert_exit(0);
    assert!(told.out.starts_with("COMPARABLE EXCEPT"), "{}", told.out);
    let completeness = line_of(&told, "completeness");
    for words in
        ["matters", "complete before, ", "_b2 has no end", ": 2 of ", " points (18 V, ", "; complete after"]
    {
        assert!(completeness.contains(words), "`{words}` is not in:\n{completeness}");
    }
    assert!(!told.out.contains("nothing yet of"), "{}", told.out);
}

#[test]
fn runs_that_kept_their_traces_are_compared_with_runs_that_did_not_and_it_is_told_once_what_that_leaves_untold()
 {
    let folder = TempDir::new().unwrap();
    let smoke = smoke_at("[\"18 V\", \"24 V\"]");
    let keeping = smoke.replace("samples = 60000", "samples = 60000\nkeep = true");
    run(&file(&folder, "keeping.toml", &keeping), ("b1", "B"), folder.path());
    let sides = ["--before", "*_a?", "--after", arg(folder.path())];
    let band = ["--worse-than", "spectrum_5mhz_20mhz_v:1dB"];
    let told = compare(&[&sides[..], &band].concat()).assert_exit(1);
    let kept = line_of(&told, "kept traces: ");
    for words in [
        "slight",
        ": none kept, which leaves untold lx (bandwidth, coupling, probe, fixture, memory depth, sample rate, channel, range) and \
         vout (range) before, kept after (",
    ] {
        assert!(kept.contains(words), "`{words}` is not in:\n{kept}");
    }
    for words in ["breaks", "nothing said", "capture settings"] {
        assert!(!told.out.contains(words), "`{words}` is in:\n{}", told.out);
    }
    assert!(
        line_of(&told, "lowers the ripple and noise peak to peak, 20 MHz").contains(" dB"),
        "{}",
        told.out
    );
    // Of samples that were not kept nothing is judged.
    line_of(&told, "not judged spectrum_5mhz_20mhz_v not worse than 1 dB");

    // Without a noise floor nothing but the profile tells how the output was captured.
    let silent = smoke.replace("samples = 60000", "samples = 60000\nnoise_floor = false");
    let (out, profile) = (folder.path().join("silent"), file(&folder, "silent.toml", &silent));
    run(&profile, ("a1", "A"), &out);
    let refused = compare(&["--before", arg(&out), "--after", arg(folder.path())]).assert_exit(2);
    let breaking: Vec<&str> =
        refused.out.lines().filter(|line| line.trim_start().starts_with("breaks")).collect();
    assert!(breaking.len() == 1 && breaking[0].contains("capture settings: profile "), "{}", refused.out);
}

#[test]
fn a_folder_without_a_journal_is_told_to_hold_none() {
    let folder = TempDir::new().unwrap();
    let whole = cut("_b1", folder.path(), |_| true);
    let lost = folder.path().join("2026-11-28T00-00-00Z_lost_b9");
    fs::create_dir(&lost).unwrap();
    let out = ["--out", arg(folder.path()), "--after", arg(&whole), "--before"];
    let refused = |wanted: &str, words: &str| {
        soakrig(&[&["compare"], &out[..], &[wanted]].concat()).assert_exit(2).assert_told(&[words]);
    };
    for wanted in ["2026-11-28T00-00-00Z_lost_b9", "2026-11-28T00-00-00Z", "*_b9"] {
        refused(wanted, "_lost_b9 is not a run folder: it holds no journal.jsonl");
    }
    refused(arg(&lost), "holds no journal.jsonl, and no folder in it holds one");
    refused("*_b8", "no run in");
}

#[test]
fn folders_that_a_pattern_finds_and_that_are_no_runs_are_told_with_their_reason_in_lines_json_and_on_the_page()
 {
    let folder = TempDir::new().unwrap();
    let (out, page) = (folder.path().join("runs"), folder.path().join("page.html"));
    fs::create_dir(&out).unwrap();
    cut("_b1", &out, |_| true);
    cut("_b2", &out, |_| true);
    let own = ["compare", "--width", "0", "--out", arg(&out), "--before", "*_b1", "--after"];
    let compare = |more: &[&str]| soakrig(&[&own[..], more].concat()).assert_exit(0);
    assert!(!compare(&["*_b2"]).out.contains("left out: "));
    for lost in 1..=6 {
        fs::create_dir(out.join(format!("lost{lost}_b2"))).unwrap();
    }
    fs::create_dir(out.join("lost2_b2").join("journal.jsonl")).unwrap();
    // Runs, files and the folder of baselines are none of them, nor are folders that nobody meant.
    fs::write(out.join("notes_b2"), "").unwrap();
    fs::create_dir(out.join("lost7_b3")).unwrap();
    let told = compare(&["*_b2", "--html", arg(&page)]);
    let line = line_of(&told, "6 folders hold no run that can be read and were left out: ");
    for words in [
        "lost1_b2 (it holds no journal.jsonl); ",
        "lost2_b2 (its journal.jsonl is no file); ",
        "lost5_b2 (it holds no journal.jsonl); and 1 more",
    ] {
        assert!(line.contains(words), "`{words}` is not in:\n{line}");
    }
    let page = fs::read_to_string(&page).unwrap();
    assert_eq!(page.matches("6 folders hold no run that can be read and were left out: ").count(), 1);
    let json = compare(&["*_b2", "--json"]).json();
    assert_eq!(json["left_out_count"], 6);
    assert_eq!(json["left_out"].as_array().unwrap().len(), 5);
    assert_eq!(json["left_out"][1]["why"], "its journal.jsonl is no file");
}

#[test]
fn a_damaged_record_that_a_pattern_finds_is_left_out_with_its_fault_and_one_that_is_named_is_an_error() {
    let folder = TempDir::new().unwrap();
    for board in ["_a1", "_a2", "_b1", "_b2"] {
        cut(board, folder.path(), |_| true);
    }
    let damaged = cut("_b3", folder.path(), |_| true);
    let journal = damaged.join("journal.jsonl");
    fs::write(&journal, fs::read_to_string(&journal).unwrap().replacen("\"b3\"", "\"b8\"", 1)).unwrap();
    let compare =
        |more: &[&str]| soakrig(&[&["compare", "--width", "0", "--out", arg(folder.path())], more].concat());
    let told = compare(&["--before", "*_a?", "--after", "*_b?"]).assert_exit(0);
    let line = line_of(&told, "1 folder holds no run that can be read and was left out: ");
    assert!(line.contains("_b3 (the record is damaged: ") && line.contains("journal.jsonl line "), "{line}");
    assert!(told.out.contains("(2 boards, 2 runs) against"), "{}", told.out);
    line_of(&compare(&["--by", "revision", arg(folder.path())]).assert_exit(0), "and was left out: ");
    // Named by its folder or its whole name it is an error, also where a pattern finds it as well.
    let name = damaged.file_name().unwrap().to_str().unwrap();
    for named in [arg(&damaged), name] {
        let refused = compare(&["--before", "*_a?", "--after", "*_b?", named]).assert_exit(6);
        refused.assert_told(&["the record is damaged", "_b3"]);
    }
    // A side that has nothing but it has nothing to tell.
    compare(&["--before", "*_a?", "--after", "*_b3*"]).assert_exit(6).assert_told(&["the record is damaged"]);
}
