//! Board revisions against each other, with runs of the simulated bench that are made once and shared.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::cli::{SIM, Told, arg, file, smoke_at, soakrig};

/// A folder with a run each of three boards of revision A and three others of revision B, and the smoke profile at 18 and 24 V.
fn reports() -> &'static Path {
    static REPORTS: OnceLock<TempDir> = OnceLock::new();
    let folder = REPORTS.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let profile = file(&folder, "profile.toml", &smoke_at("[\"18 V\", \"24 V\"]"));
        for (serial, revision) in
            [("a1", "A"), ("a2", "A"), ("a3", "A"), ("b1", "B"), ("b2", "B"), ("b3", "B")]
        {
            run(&profile, (serial, revision), folder.path());
        }
        folder
    });
    folder.path()
}

/// Measures a board; the run's folder.
fn run(profile: &Path, (serial, revision): (&str, &str), out: &Path) -> PathBuf {
    let told = soakrig(&[
        "run",
        arg(profile),
        "--rig",
        SIM,
        "--board",
        serial,
        "--revision",
        revision,
        "--out",
        arg(out),
        "--json",
        "-q",
    ])
    .assert_exit(0);
    PathBuf::from(told.json()["run"].as_str().unwrap())
}

fn compare(more: &[&str]) -> Told {
    let args: Vec<&str> = ["compare", "--out", arg(reports())].iter().chain(more).copied().collect();
    soakrig(&args)
}

/// The line that tells of a quantity.
#[track_caller]
fn line_of(told: &Told, words: &str) -> String {
    let found = told.out.lines().find(|line| line.contains(words));
    found.unwrap_or_else(|| panic!("`{words}` is not in:\n{}", told.out)).to_owned()
}

#[test]
fn the_filter_is_told_with_direction_interval_boards_and_spread_over_points() {
    let told = compare(&["--before", "*_a?", "--after", "*_b?"]).assert_exit(0);
    assert!(told.out.starts_with("COMPARABLE"), "{}", told.out);
    let noise = line_of(&told, "ripple and noise peak to peak, 20 MHz");
    for words in [
        "better",
        "revision B lowers",
        " dB (95 % interval ",
        "3 boards before, 3 after",
        "mean over 4 points",
    ] {
        assert!(noise.contains(words), "`{words}` is not in:\n{noise}");
    }
    let vout = line_of(&told, "output voltage at the board");
    assert!(vout.contains("does not surely change"), "boards scatter by more than the filter drops:\n{vout}");
}

#[test]
fn runs_are_found_by_folder_by_the_beginning_of_a_name_and_by_pattern() {
    let folders: Vec<PathBuf> = fs::read_dir(reports()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let of = |end: &str| folders.iter().find(|folder| arg(folder).ends_with(end)).unwrap();
    let by_folder =
        compare(&["--before", arg(of("_a1")), arg(of("_a2")), "--after", arg(of("_b1")), arg(of("_b2"))]);
    let name = |end: &str| of(end).file_name().unwrap().to_str().unwrap().to_owned();
    let (a1, a2, b1, b2) = (name("_a1"), name("_a2"), name("_b1"), name("_b2"));
    let by_name = compare(&["--before", &a1, &a2, "--after", &b1, &b2]);
    let by_pattern = compare(&["--before", "*a[12]", "--after", "*b1"]);
    by_pattern.assert_exit(2).assert_told(&["no run in", "is called `*a[12]`"]);
    assert_eq!(by_folder.out, by_name.out);
    let all = compare(&["--by", "revision", arg(reports())]).assert_exit(0);
    assert_eq!(all.out, compare(&["--before", "*_a?", "--after", "*_b*"]).out);
}

#[test]
fn a_limit_on_the_change_is_broken_only_where_the_interval_lies_beyond_it() {
    let limit = ["--worse-than", "noise_pp_20mhz_v:1dB"];
    let with = |sides: [&str; 4]| compare(&[&sides[..], &limit[..]].concat());
    let better = with(["--before", "*_a?", "--after", "*_b?"]).assert_exit(0);
    assert!(line_of(&better, "not worse than").contains("met"), "{}", better.out);
    let worse = with(["--before", "*_b?", "--after", "*_a?"]).assert_exit(1);
    assert!(line_of(&worse, "not worse than").contains("broken"), "{}", worse.out);
    let wide =
        compare(&["--before", "*_a?", "--after", "*_b?", "--worse-than", "vout_v:10mV"]).assert_exit(0);
    assert!(line_of(&wide, "not worse than").contains("undecided"), "{}", wide.out);
    compare(&["--before", "*_a?", "--after", "*_b?", "--worse-than", "vout_v:10mV", "--strict"])
        .assert_exit(1);
}

#[test]
fn one_board_a_side_gives_no_interval_and_no_limit_can_be_judged() {
    let told = compare(&["--before", "*_a1", "--after", "*_b1", "--worse-than", "noise_pp_20mhz_v:1dB"])
        .assert_exit(1);
    assert!(line_of(&told, "not worse than").contains("not judged"), "{}", told.out);
    assert!(line_of(&told, "ripple and noise peak to peak, 20 MHz").contains("no interval"), "{}", told.out);
}

#[test]
fn runs_that_were_captured_otherwise_are_not_compared_unless_it_is_forced() {
    let folder = TempDir::new().unwrap();
    let other = smoke_at("[\"18 V\", \"24 V\"]").replace("samples = 60000", "samples = 30000");
    let profile = file(&folder, "profile.toml", &other);
    run(&profile, ("b1", "B"), folder.path());
    let sides = ["--before", "*_a?", "--after", arg(folder.path())];
    let refused = compare(&sides).assert_exit(2);
    assert!(refused.out.starts_with("NOT COMPARABLE"), "{}", refused.out);
    assert!(line_of(&refused, "capture settings").contains("breaks"), "{}", refused.out);
    assert!(!refused.out.contains("what it bought"), "{}", refused.out);
    let forced = compare(&[&sides[..], &["--force"]].concat()).assert_exit(0);
    assert!(
        forced.out.starts_with("NOT COMPARABLE") && forced.out.contains("what it bought"),
        "{}",
        forced.out
    );
}

#[test]
fn a_run_on_both_sides_and_a_side_without_runs_are_refused() {
    compare(&["--before", "*_a?", "--after", "*_a1"]).assert_exit(2).assert_told(&["stands on both sides"]);
    compare(&["--before", "*_a?"]).assert_exit(2).assert_told(&["--after"]);
    compare(&["--by", "revision", "*_a?"]).assert_exit(2).assert_told(&["of one revision"]);
    compare(&["--before", "nothing", "--after", "*_a1"]).assert_exit(2).assert_told(&["no run in"]);
    compare(&["--before", "*_a?", "--after", "*_b?", "--worse-than", "noise_pp_20mhz:1dB"])
        .assert_exit(2)
        .assert_told(&["the nearest is `noise_pp_20mhz_v`"]);
}
