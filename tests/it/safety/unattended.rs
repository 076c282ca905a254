//! The check before a bench is left alone, by the real program. What the machine of a test says of itself (its battery, its
//! sleep) is whatever it is; the bench is known.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use soakrig::plan::Overrides;
use soakrig::session;

use super::process::{PROFILE, await_in_journal, serve, start};

fn repository(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// The check with `--json`: its exit code and what it prints.
fn check(rig: &Path, profile: &Path, more: &[&str]) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().unwrap();
    let Output { status, stdout, stderr } = crate::cli::program()
        .args(["check", "--json", "--out"])
        .args([folder.path(), rig])
        .arg("--unattended")
        .arg(profile)
        .args(more)
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&stderr)));
    assert_eq!(status.code() == Some(0), told["go"] == true, "{told:#}");
    (status.code(), told)
}

/// Grade and words of a finding.
fn finding<'t>(told: &'t Value, what: &str) -> (&'t str, &'t str) {
    let findings = told["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["what"] == what);
    let found = found.unwrap_or_else(|| panic!("nothing of {what}: {told:#}"));
    (found["grade"].as_str().unwrap(), found["told"].as_str().unwrap())
}

#[test]
fn a_simulated_bench_is_checked_without_a_dead_man_and_says_so() {
    let (_, told) = check(&repository("rigs/sim.toml"), &repository("profiles/smoke.toml"), &[]);
    let (grade, words) = finding(&told, "dead-man drill");
    assert_eq!(grade, "not_applicable");
    assert!(words.contains("the simulated instruments end with this process"), "{words}");
    let (grade, words) = finding(&told, "make-safe drill");
    assert!(grade == "good" && words.starts_with("1 V at the supply, verified off"), "{words}");
    assert_eq!(finding(&told, "alarms").0, "warning");
    assert!(finding(&told, "source").1.contains("DP832"));
    assert_eq!((finding(&told, "outputs").0, finding(&told, "earlier run").0), ("good", "good"));
    assert_eq!(finding(&told, "source watchdog").0, "not_applicable");
    for host in ["disk", "clock", "host sleep", "power"] {
        assert!(!finding(&told, host).1.is_empty());
    }
}

#[test]
fn a_served_bench_is_checked_with_a_drill_and_left_off_and_one_in_use_is_no_go() {
    let served = serve();
    let (mut running, folder) = start(&served);
    let (rig, profile) = (folder.path().join("rig.toml"), folder.path().join("p.toml"));
    assert!(std::fs::read_to_string(&profile).unwrap() == PROFILE);
    await_in_journal(&folder.path().join("out"), "point_started");
    let (code, told) = check(&rig, &profile, &[]);
    assert_eq!((code, &told["go"]), (Some(3), &Value::Bool(false)));
    let (grade, words) = finding(&told, "locks");
    assert!(
        grade == "refusal" && words.contains("the instrument at") && words.contains("is used by"),
        "{words}"
    );
    assert_eq!(finding(&told, "dead-man drill").0, "refusal");
    assert_eq!(finding(&told, "make-safe drill").0, "refusal");
    running.signal("QUIT");
    // It may have come to its own end meanwhile.
    let ended = running.0.wait().unwrap().code();
    assert!(matches!(ended, Some(0 | 5)), "the run was disturbed: {ended:?}");

    let (_, told) = check(&rig, &profile, &[]);
    let (grade, words) = finding(&told, "dead-man drill");
    assert!(grade == "good" && words.contains("was killed; its dead-man had switched off"), "{words}");
    let (grade, words) = finding(&told, "make-safe drill");
    assert!(grade == "good" && words.starts_with("1 V at the supply, verified off"), "{words}");
    assert_eq!(finding(&told, "locks").0, "good");
    assert_eq!(served.outputs(), ("OFF".to_owned(), "0".to_owned()));
}

#[test]
fn a_run_writes_no_more_than_its_forecast_and_not_far_less() {
    let (rig, profile) = (repository("rigs/sim.toml"), repository("profiles/smoke.toml"));
    let prepared = session::prepare(&profile, &rig, &Overrides::default()).unwrap();
    let expected = prepared.plan.writes;
    let out = tempfile::tempdir().unwrap();
    let done = crate::cli::program()
        .args(["run", "--quiet", "--out"])
        .arg(out.path())
        .arg(&profile)
        .arg("--rig")
        .arg(&rig)
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let run = std::fs::read_dir(out.path()).unwrap().next().unwrap().unwrap().path();
    let journal = run.join("journal.jsonl").metadata().unwrap().len();
    for (what, written, most) in [
        ("journal", journal, expected.journal),
        ("tapes", size(&run.join("tapes")), expected.tapes),
        ("all", size(&run), expected.total()),
    ] {
        assert!(written <= most, "{what}: {written} of {most}");
        assert!(written * 30 > most, "{what}: what is far too high refuses what fits: {written} of {most}");
    }
}

fn size(folder: &Path) -> u64 {
    let of = |path: PathBuf| if path.is_dir() { size(&path) } else { path.metadata().unwrap().len() };
    std::fs::read_dir(folder).unwrap().map(|entry| of(entry.unwrap().path())).sum()
}
