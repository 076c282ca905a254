//! Runs that were cut off and are gone on with: nothing that was acknowledged is lost, no point is doubled, and the verdict is
//! that of an undisturbed run.

mod breach;
mod cold;
#[cfg(target_os = "linux")]
mod disk;
mod early;
mod once;
pub(crate) mod soak;
mod warm;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use soakrig::event::{Board, DwellEnd, DwellId, Event, Sink};
use soakrig::record::{Record, Recorder};
use soakrig::session::{self, Said};

fn soakrig(arguments: &[&str]) -> Output {
    crate::cli::program().current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().unwrap()
}

/// An undisturbed run of the smoke profile; its folder.
fn run_smoke(out: &Path) -> PathBuf {
    let out_text = out.to_str().unwrap();
    let done =
        soakrig(&["run", "profiles/smoke.toml", "--rig", "rigs/sim.toml", "--quiet", "--out", out_text]);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read_dir(out).unwrap().next().unwrap().unwrap().path()
}

/// A copy of a run as it stood when `journal` was all that was on the disk.
fn cut_off(run: &Path, journal: &[u8], to: &Path) {
    copy(run, to);
    for made_at_the_end in ["manifest.sha256", "summary.json", "report.html", "report.junit.xml"] {
        let _ = std::fs::remove_file(to.join(made_at_the_end));
    }
    std::fs::write(to.join("journal.jsonl"), journal).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// The finished points as they stand in the journal, each as often as it stands there.
fn finished(run: &Path) -> Vec<u32> {
    let record = Record::open(run).unwrap();
    let points = record.events().iter().filter_map(|logged| match &logged.event {
        Event::PointFinished(result) => Some(result.point.0),
        _ => None,
    });
    points.collect()
}

fn line_ends(journal: &[u8]) -> Vec<usize> {
    journal.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(place, _)| place + 1).collect()
}

#[test]
fn a_run_cut_off_anywhere_is_gone_on_with_and_ends_like_an_undisturbed_one() {
    let folder = tempfile::tempdir().unwrap();
    let whole = run_smoke(&folder.path().join("whole"));
    let journal = std::fs::read(whole.join("journal.jsonl")).unwrap();
    let (all, end) = (finished(&whole), Record::open(&whole).unwrap().end().unwrap().1.clone());
    let ends = line_ends(&journal);
    // Behind a line, inside the one that follows, and one byte before its end; the run has begun from its second line on.
    let lines = (1..ends.len() - 1).step_by(4);
    let cuts: Vec<usize> = lines.flat_map(|line| [ends[line], (ends[line] + ends[line + 1]) / 2]).collect();
    for (count, cut) in cuts.into_iter().enumerate() {
        let run = folder.path().join(format!("cut{count}"));
        cut_off(&whole, &journal[..cut], &run);
        let kept = Record::open(&run).unwrap().events().to_vec();
        let done = soakrig(&["resume", run.to_str().unwrap(), "--quiet"]);
        let what = format!("cut at byte {cut}: {}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(done.status.code(), Some(0), "{what}");
        assert_eq!(finished(&run), all, "{what}");
        let record = Record::open(&run).unwrap();
        assert_eq!(record.events()[..kept.len()], kept[..], "what was acknowledged is still there; {what}");
        let resumed = record.events().iter().filter(|logged| {
            matches!(&logged.event, Event::RunResumed(resumed) if resumed.points_finished as usize <= all.len())
        });
        assert_eq!(resumed.count(), 1, "{what}");
        let times: Vec<_> = record.events().iter().map(|logged| logged.at.monotonic).collect();
        assert!(times.is_sorted(), "the record's time goes on; {what}");
        let (_, is) = record.end().unwrap();
        assert_eq!((is.verdict, is.points_finished), (end.verdict, end.points_finished), "{what}");
        let rows = std::fs::read_to_string(run.join("points.csv")).unwrap().lines().count();
        assert_eq!(rows, all.len() + 1, "{what}");
        assert!(run.join("manifest.sha256").exists(), "{what}");
    }
}

#[test]
fn what_cannot_be_resumed_is_refused_with_its_reason_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let whole = run_smoke(&folder.path().join("whole"));
    let journal = std::fs::read(whole.join("journal.jsonl")).unwrap();
    let ends = line_ends(&journal);
    let half = &journal[..ends[ends.len() / 2]];
    let place = |name: &str, journal: &[u8], change: &dyn Fn(&Path)| {
        let run = folder.path().join(name);
        cut_off(&whole, journal, &run);
        change(&run);
        run
    };
    let change = |file: &'static str, from: &'static str, to: &'static str| {
        move |run: &Path| {
            let text = std::fs::read_to_string(run.join(file)).unwrap();
            assert!(text.contains(from), "{file} has no {from}");
            std::fs::write(run.join(file), text.replacen(from, to, 1)).unwrap();
        }
    };
    let mut damaged = half.to_vec();
    damaged[ends[2] + 20] ^= 1;
    let leave = |_: &Path| {};
    for (run, code, told) in [
        (whole.clone(), 2, "there is nothing to resume"),
        (place("begun", &journal[..ends[0]], &leave), 2, "cut off before it had begun"),
        (place("rig", half, &change("rig.toml", "# ", "#  ")), 2, "the rig file is not the one"),
        (
            place("profile", half, &|run| {
                let text = std::fs::read_to_string(run.join("profile.toml")).unwrap();
                std::fs::write(run.join("profile.toml"), format!("{text}\n# later\n")).unwrap();
            }),
            2,
            "the profile is not the one",
        ),
        (place("damaged", &damaged, &leave), 6, "journal.jsonl"),
        (
            {
                let run = folder.path().join("without its page");
                copy(&whole, &run);
                std::fs::remove_file(run.join("report.html")).unwrap();
                run
            },
            2,
            "its report is missing: `soakrig report` makes it",
        ),
        (folder.path().join("nowhere"), 2, "nowhere"),
    ] {
        let before = std::fs::read(run.join("journal.jsonl")).ok();
        let done = soakrig(&["resume", run.to_str().unwrap(), "--quiet"]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(code), "{}: {said}", run.display());
        assert!(said.contains(told), "{}: {said}", run.display());
        assert_eq!(std::fs::read(run.join("journal.jsonl")).ok(), before, "{}", run.display());
    }
}

#[test]
fn a_board_that_is_named_again_is_held_against_that_of_the_run_and_the_record_says_whether_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let whole = run_smoke(&folder.path().join("whole"));
    let journal = std::fs::read(whole.join("journal.jsonl")).unwrap();
    let ends = line_ends(&journal);
    let record = Record::open(&whole).unwrap();
    let Board { serial, revision } = &record.facts().unwrap().board;
    let (serial, revision) = (serial.as_str(), revision.as_str());
    for (name, named, code, told) in [
        ("other", ["--board", "x9"], 2, format!("it was begun with board {serial}, and x9 is on the bench")),
        ("else", ["--revision", "x9"], 2, format!("begun with revision {revision}, and x9 is on the bench")),
        ("same", ["--board", serial], 0, format!("whoever resumed it named board {serial}")),
        (
            "unsaid",
            ["--revision", revision],
            0,
            format!("nobody said whether board {serial} was still on the bench"),
        ),
    ] {
        let run = folder.path().join(name);
        cut_off(&whole, &journal[..ends[ends.len() / 2]], &run);
        let done = soakrig(&["resume", run.to_str().unwrap(), named[0], named[1]]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(code), "{name}: {said}");
        let told_again = match code {
            0 => std::fs::read_to_string(run.join("journal.jsonl")).unwrap(),
            _ => said.clone(),
        };
        assert!(told_again.contains(&told), "{name}: {told_again}");
        assert_eq!(said.contains("name it with --board"), name == "unsaid", "{name}: {said}");
    }
}

#[test]
fn a_run_brings_the_families_of_its_rig_along_and_is_gone_on_with_by_them() {
    let folder = tempfile::tempdir().unwrap();
    let (bench, out) = (folder.path().join("bench"), folder.path().join("out"));
    std::fs::create_dir_all(bench.join("house")).unwrap();
    let read =
        |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let family = read("src/instrument/dialect/families/supply/rigol_dp800.toml")
        .replace("name = \"rigol_dp800\"", "name = \"house_supply\"")
        .replace("makers = [\"RIGOL TECHNOLOGIES\", \"Rigol*\"]", "makers = [\"House\"]");
    std::fs::write(bench.join("house/house_supply.toml"), family).unwrap();
    let rig = bench.join("rig.toml");
    std::fs::write(&rig, format!("families = \"house\"\n{}", read("rigs/sim.toml"))).unwrap();
    let (rig, out_text) = (rig.to_str().unwrap(), out.to_str().unwrap());
    let done = soakrig(&["run", "profiles/smoke.toml", "--rig", rig, "--quiet", "--out", out_text]);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    // The record goes to another controller, which has none of this.
    std::fs::remove_dir_all(&bench).unwrap();
    let whole = std::fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
    let journal = std::fs::read(whole.join("journal.jsonl")).unwrap();
    let ends = line_ends(&journal);
    let half = &journal[..ends[ends.len() / 2]];
    let resume = |name: &str, change: &dyn Fn(&Path)| {
        let run = folder.path().join(name);
        cut_off(&whole, half, &run);
        change(&run.join("families/house_supply.toml"));
        let done = soakrig(&["resume", run.to_str().unwrap(), "--quiet"]);
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (code, said) = resume("copied", &|_| {});
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = resume("changed", &|family| {
        let text = std::fs::read_to_string(family).unwrap();
        std::fs::write(family, format!("{text}\n# later\n")).unwrap();
    });
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the family house_supply.toml is not the one it was begun with"), "{said}");
}

#[test]
fn a_journal_that_leaves_out_more_points_than_its_plan_has_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let whole = run_smoke(folder.path());
    let journal = std::fs::read(whole.join("journal.jsonl")).unwrap();
    let text = String::from_utf8(journal.clone()).unwrap();
    let finished = text.lines().position(|line| line.contains("point_finished")).unwrap();
    for left_out in [100, u32::MAX] {
        let cut = folder.path().join(format!("without {left_out}"));
        cut_off(&whole, &journal[..line_ends(&journal)[finished]], &cut);
        let (mut recorder, record) = Recorder::resume(&cut).unwrap();
        let last = record.last().unwrap();
        for dwell in [1, 2] {
            let (dwell, took, end) = (DwellId(dwell), Duration::from_secs(1), DwellEnd::Time);
            recorder
                .event(last, &Event::DwellFinished { dwell, took, end, left_out, setting: None })
                .unwrap();
        }
        drop(recorder);
        let refused =
            session::prepare_resume(&cut, &Said::default(), &mut |_, _| ()).unwrap_err().to_string();
        assert!(refused.contains("not the first ones of its plan"), "{refused}");
    }
}
