//! The record keeps what happened, says where it broke off, and never passes for more than it is.

#[path = "record/sweep.rs"]
pub(crate) mod sweep;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use soakrig::event::{Event, PointId, RunFacts, RunVerdict, Sink};
use soakrig::record::disk::FullDisk;
use soakrig::record::{Record, RecordError, Recorder, RunState, Tail, products, store, summary};
use soakrig::report::recompute::{Difference, Recomputed, recompute, render};
use soakrig::waveform::Unavailable;
use sweep::{Course, at, header, record_sweep, tell_end, tell_points};
use tempfile::TempDir;

const SMALL: Course = Course { revision: "B", points: 6, samples: 200, is_eventful: true };

fn small_run() -> (TempDir, PathBuf) {
    let out = TempDir::new().unwrap();
    let folder = record_sweep(out.path(), &SMALL);
    (out, folder)
}

fn read_tree(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(read_tree(&path));
        } else {
            files.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn a_run_folder_holds_all_that_happened() {
    let out = TempDir::new().unwrap();
    let course = Course { revision: "A", points: 125, samples: 500, is_eventful: true };
    let folder = record_sweep(out.path(), &course);
    assert_eq!(folder, out.path().join("2026-11-23T16-04-10Z_line-load-sweep_sn0007"));
    let record = Record::open(&folder).unwrap();
    assert_eq!(record.tail(), &Tail::Whole);
    assert_eq!(record.points().len(), 125);
    assert_eq!(record.points()[124], &sweep::point("A", 125, 24.0, 0.5));
    assert_eq!(record.facts(), Some(&sweep::facts("A", 125)));
    assert_eq!(record.instruments().cloned().collect::<Vec<_>>(), sweep::instruments());
    let last = record.waveforms().iter().rfind(|facts| facts.acquisition.signal == "vout").unwrap();
    assert_eq!(last.point, PointId(125));
    assert_eq!(record.waveform(last).unwrap(), sweep::trace("A", "vout", "spikes", (24.0, 0.5), 500));
    assert_eq!(record.screen(&record.screens()[0]).unwrap(), sweep::png(400, 240));
    assert_eq!(products::check_manifest(&folder).unwrap(), Some(vec![]));
    assert_eq!(fs::read_to_string(folder.join("tapes/source.tape")).unwrap(), "16:04:10.251 > *IDN?\n");
}

#[test]
fn products_are_made_again_in_the_same_bytes_from_journal_and_samples_alone() {
    let (_out, folder) = small_run();
    let before = read_tree(&folder);
    for name in ["points.csv", "summary.json", "manifest.sha256"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let record = Record::open(&folder).unwrap();
    let hashing = products::Hashing::begin(&record);
    products::write_with(&record, &summary::build(&record), &[], hashing).unwrap();
    assert_eq!(read_tree(&folder), before);
}

#[test]
fn the_table_written_live_is_the_one_made_from_the_journal() {
    let out = TempDir::new().unwrap();
    let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
    tell_points(&mut recorder, &SMALL).unwrap();
    let live = fs::read_to_string(recorder.folder().join("points.csv")).unwrap();
    let folder = recorder.seal().unwrap().record.folder().to_owned();
    assert_eq!(fs::read_to_string(folder.join("points.csv")).unwrap(), live);
    insta::assert_snapshot!(live.lines().take(2).collect::<Vec<_>>().join("\n"), @r#"
    point,vin_set_v,load_set_a,vin_v,iin_a,vout_v,iout_a,efficiency,settle_s,mean_v,rms_ac_v,noise_pp_full_v,noise_pp_20mhz_v,ripple_pp_v,spike_pos_v,spike_neg_v,switching_hz,duty,board_c,ambient_c,region,verdict,notes
    1,0,0,0,0,0.000419181991,0,,,,,,,,,,,,24.6491897,24.2719083,off,not_applicable,"efficiency, settle_s, mean_v, rms_ac_v, noise_pp_full_v, noise_pp_20mhz_v, ripple_pp_v, spike_pos_v, spike_neg_v, switching_hz, duty: there is no output at this point"
    "#);
}

#[test]
fn the_summary_says_what_a_script_needs() {
    let (_out, folder) = small_run();
    let text = fs::read_to_string(folder.join("summary.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let head = text.split("\"limits\"").next().unwrap().trim_end();
    insta::assert_snapshot!(head, @r#"
    {
      "format": 1,
      "run": "2026-11-23T16-04-10Z_line-load-sweep_sn0007",
      "profile": "line-load-sweep",
      "board": {
        "serial": "sn0007",
        "revision": "B"
      },
      "verdict": "pass",
      "reason": "every limit was met at every point it applies to",
      "points": {
        "planned": 125,
        "finished": 6,
        "failed": 0,
        "not_applicable": 6
      },
    "#);
    insta::assert_snapshot!(value["limits"][1].to_string(), @r#"{"bounds":"at most 50 mV","condition":"vin >= 13.2 V","failed":0,"figure":"noise_pp_20mhz_v","marginal":0,"max":0.05,"min":null,"name":"ripple and noise","not_applicable":6,"not_measured":0,"passed":0,"unit":"V","worst":null}"#);
    let rest = &text[text.find("\"outputs_off").unwrap()..];
    assert_eq!(
        rest.lines().map(str::trim).collect::<Vec<_>>(),
        [
            "\"outputs_off_verified\": true,",
            "\"started\": \"2026-11-23T16:04:10.25Z\",",
            "\"ended\": \"2026-11-23T16:04:15.8Z\"",
            "}"
        ]
    );
}

#[test]
fn a_run_without_an_end_is_incomplete_and_never_sealed() {
    let out = TempDir::new().unwrap();
    let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
    tell_points(&mut recorder, &SMALL).unwrap();
    let folder = recorder.seal().unwrap().record.folder().to_owned();
    let summary = summary::build(&Record::open(&folder).unwrap());
    assert_eq!(summary.verdict, "incomplete");
    assert_eq!(summary.reason, "the record breaks off after 6 of 125 points");
    assert!(!summary.outputs_off_verified, "the supply was switched on and nobody saw it off");
    assert_eq!(products::check_manifest(&folder).unwrap(), None);
    assert_eq!(store::list(out.path()).unwrap()[0].state, RunState::Open);
}

#[test]
fn a_journal_cut_at_any_byte_gives_its_whole_lines_and_tells_the_rest() {
    let out = TempDir::new().unwrap();
    let folder = record_sweep(out.path(), &Course { points: 1, ..SMALL });
    let whole = Record::open(&folder).unwrap();
    let journal = fs::read(folder.join("journal.jsonl")).unwrap();
    let first_line = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in 0..journal.len() {
        fs::write(folder.join("journal.jsonl"), &journal[..cut]).unwrap();
        let read = Record::open(&folder);
        if cut < first_line {
            assert!(read.unwrap_err().is_damage(), "cut at {cut}");
            continue;
        }
        let record = read.unwrap();
        assert!(whole.events().starts_with(record.events()), "cut at {cut}");
        let is_at_line_end = journal[cut - 1] == b'\n';
        assert_eq!(record.tail() == &Tail::Whole, is_at_line_end, "cut at {cut}");
    }
}

#[test]
fn lines_that_are_missing_doubled_or_exchanged_are_damage() {
    let (_out, folder) = small_run();
    let path = folder.join("journal.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = journal.lines().collect();
    let mut missing = lines.clone();
    missing.remove(4);
    let mut doubled = lines.clone();
    doubled.insert(4, lines[4]);
    let mut exchanged = lines.clone();
    exchanged.swap(4, 5);
    let mut told = Vec::new();
    for lines in [missing, doubled, exchanged] {
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        match Record::open(&folder).unwrap_err() {
            RecordError::Damaged { line, what, .. } => told.push(format!("line {line}: {}", &what[..12])),
            other => panic!("{other}"),
        }
    }
    assert_eq!(told, ["line 5: its check su", "line 6: its check su", "line 5: its check su"]);
}

#[test]
fn a_record_of_a_later_program_is_not_guessed_at() {
    let (_out, folder) = small_run();
    let body = r#"{"seq":0,"utc":"2027-01-01T00:00:00Z","ns":0,"entry":{"header":{"version":4,"more":[1]}}"#;
    let crc = crc32fast::hash(&[&[0; 4], body.as_bytes()].concat());
    fs::write(folder.join("journal.jsonl"), format!("{body},\"crc\":\"{crc:08x}\"}}\n")).unwrap();
    let error = Record::open(&folder).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is a record of format 4; this program reads up to format 3: use a newer soakrig")
    );
}

#[test]
fn runs_of_one_second_have_a_folder_each_up_to_the_ninth_and_leave_each_other_as_they_are() {
    let (out, folder) = small_run();
    let before = read_tree(&folder);
    for count in 2..=9 {
        let run = Recorder::create(out.path(), &header("B")).unwrap().folder().to_owned();
        let name = format!("{}-{count}", folder.file_name().unwrap().to_str().unwrap());
        assert_eq!(run, out.path().join(&name));
        let journal = fs::read_to_string(run.join("journal.jsonl")).unwrap();
        assert!(journal.contains(&format!("\"run\":\"{name}\"")), "{journal}");
    }
    let error = Recorder::create(out.path(), &header("B")).unwrap_err();
    assert!(matches!(&error, RecordError::Exists(path) if *path == folder));
    assert_eq!(read_tree(&folder), before);
}

#[test]
fn a_disk_that_is_full_at_any_write_ends_the_run_with_a_reason_and_a_record_up_to_there() {
    let reference = TempDir::new().unwrap();
    let whole = Record::open(&record_sweep(reference.path(), &SMALL)).unwrap();
    let mut reached_end = false;
    for writes in 0..200 {
        let out = TempDir::new().unwrap();
        let disk = Box::new(FullDisk::after(writes));
        let told = match Recorder::create_on(disk, out.path(), &header("B")) {
            Err(error) => error.to_string(),
            Ok(mut recorder) => {
                let told = tell_points(&mut recorder, &SMALL)
                    .and_then(|ms| tell_end(&mut recorder, ms, RunVerdict::Pass, [6, 0, 0]));
                let record = Record::open(recorder.folder()).unwrap();
                assert_eq!(record.tail(), &Tail::Whole, "what a failed write left behind is taken away");
                assert!(whole.events().starts_with(record.events()));
                match told {
                    Ok(()) => {
                        reached_end = true;
                        break;
                    }
                    Err(error) => error.to_string(),
                }
            }
        };
        assert!(told.contains(&out.path().display().to_string()), "{told}");
        assert!(told.contains("make room"), "{told}");
    }
    assert!(reached_end);
}

#[test]
fn after_a_failed_write_the_end_of_the_run_is_still_kept() {
    for writes in 5.. {
        let out = TempDir::new().unwrap();
        let disk = Box::new(FullDisk::once_after(writes));
        let mut recorder = Recorder::create_on(disk, out.path(), &header("B")).unwrap();
        let Err(error) = tell_points(&mut recorder, &SMALL) else {
            assert!(writes > 20, "the disk was never full");
            break;
        };
        let error = error.to_string();
        assert!(error.starts_with("cannot keep the record: cannot "), "{error}");
        tell_end(&mut recorder, 9000, RunVerdict::Error, [1, 0, 0]).unwrap();
        let folder = recorder.seal().unwrap().record.folder().to_owned();
        let record = Record::open(&folder).unwrap();
        assert_eq!(record.end().unwrap().1.verdict, RunVerdict::Error);
        assert!(record.outputs_off_verified());
    }
}

#[test]
fn a_sample_file_that_was_changed_or_points_elsewhere_is_refused() {
    let out = TempDir::new().unwrap();
    let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
    let trace = sweep::trace("B", "vout", "../../etc/passwd", (24.0, 0.5), 300);
    recorder.waveform(at(5), PointId(1), &trace).unwrap();
    recorder.waveform(at(6), PointId(1), &trace).unwrap();
    let record = Record::open(recorder.folder()).unwrap();
    let files: Vec<&str> = record.waveforms().iter().map(|facts| facts.file.as_str()).collect();
    assert_eq!(
        files,
        ["waveforms/p0001_vout_------etc-passwd.npy", "waveforms/p0001_vout_------etc-passwd_2.npy"]
    );
    let path = recorder.folder().join(files[0]);
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let changed = record.waveform(&record.waveforms()[0]).unwrap_err();
    assert!(changed.to_string().ends_with("its samples are not those that the journal names"), "{changed}");
    fs::write(&path, vec![0; 1 << 20]).unwrap();
    assert!(record.waveform(&record.waveforms()[0]).unwrap_err().is_damage());
    assert_eq!(record.waveform(&record.waveforms()[1]).unwrap(), trace);
}

#[test]
fn a_sealed_folder_tells_what_was_changed_since() {
    let (_out, folder) = small_run();
    fs::write(folder.join("plan.txt"), "other").unwrap();
    fs::write(folder.join("more.txt"), "new").unwrap();
    fs::remove_file(folder.join("rig.toml")).unwrap();
    let faults = products::check_manifest(&folder).unwrap().unwrap();
    assert_eq!(
        faults,
        [
            "plan.txt was changed after the run was sealed",
            "rig.toml is missing",
            "more.txt was added after the run was sealed"
        ]
    );
}

#[test]
fn runs_are_listed_and_found_by_path_name_and_beginning() {
    let (out, folder) = small_run();
    fs::create_dir(out.path().join("notes")).unwrap();
    fs::create_dir(out.path().join("2026-11-24_broken")).unwrap();
    fs::write(out.path().join("2026-11-24_broken/journal.jsonl"), b"\0\0").unwrap();
    let runs = store::list(out.path()).unwrap();
    let states: Vec<&str> = runs.iter().map(|run| run.state.word()).collect();
    assert_eq!(states, ["sealed", "unreadable"]);
    assert_eq!(runs[0].summary.as_ref().unwrap().verdict, "pass");
    let name = folder.file_name().unwrap().to_str().unwrap();
    for wanted in [folder.to_str().unwrap(), name, "2026-11-23"] {
        assert_eq!(store::find(out.path(), wanted).unwrap(), folder, "{wanted}");
    }
    assert!(
        matches!(store::find(out.path(), "2026"), Err(RecordError::Ambiguous { found, .. }) if found.len() == 2)
    );
    assert!(matches!(store::find(out.path(), "2025"), Err(RecordError::NotFound { .. })));
    assert!(store::list(&out.path().join("nowhere")).unwrap_err().to_string().contains("there is no folder"));
}

/// Nobody edits `tests/data/record-v1`: it stands for every record that is in somebody's cupboard.
#[test]
fn a_record_of_version_1_is_read_as_on_its_first_day() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/record-v1");
    let record = Record::open(&folder).unwrap();
    assert_eq!(products::check_manifest(&folder).unwrap(), Some(vec![]));
    // It was written before the versions of the definitions were kept.
    let facts = RunFacts { definitions: BTreeMap::new(), ..sweep::facts("B", 3) };
    assert_eq!(record.facts(), Some(&facts));
    assert_eq!(record.instruments().count(), 5);
    let table = fs::read_to_string(folder.join("points.csv")).unwrap();
    assert_eq!(soakrig::record::export_csv::render_points(&record).unwrap(), table);
    let summary = fs::read_to_string(folder.join("summary.json")).unwrap();
    assert_eq!(summary::render(&summary::build(&record)).unwrap(), summary);
    let trace = record.waveform(&record.waveforms()[0]).unwrap();
    let mut expected = sweep::trace("B", "vout", "ripple", (24.0, 0.5), 2000);
    // It was written before the probe's fixture was kept and the supply's regulation was asked for.
    expected.acquisition.fixture.clear();
    assert!(trace == expected);
    assert_eq!(record.points()[2].regulation, Err(Unavailable::because("the supply was not asked")));
    assert_eq!(record.end().unwrap().1.verdict, RunVerdict::Pass);
    assert!(record.outputs_off_verified());
}

#[test]
fn of_a_point_that_was_measured_again_the_last_counts() {
    let out = TempDir::new().unwrap();
    let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
    for vin in [23.0, 24.0] {
        let result = sweep::point("B", 1, vin, 0.5);
        recorder.event(at(1), &Event::PointFinished(Box::new(result))).unwrap();
    }
    let record = Record::open(recorder.folder()).unwrap();
    assert_eq!(record.points(), [&sweep::point("B", 1, 24.0, 0.5)]);
}

/// The bytes of a small run's journal and what is read of it, made once for all cases.
static SMALL_RUN: std::sync::OnceLock<(Vec<u8>, Record)> = std::sync::OnceLock::new();

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_changed_byte_never_changes_what_is_read(places in proptest::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4)) {
        let (before, whole) = SMALL_RUN.get_or_init(|| {
            let (_out, folder) = small_run();
            (fs::read(folder.join("journal.jsonl")).unwrap(), Record::open(&folder).unwrap())
        });
        let mut journal = before.clone();
        for (place, change) in places {
            let place = place.index(journal.len());
            journal[place] ^= change;
        }
        prop_assume!(journal != *before);
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("journal.jsonl"), &journal).unwrap();
        match Record::open(folder.path()) {
            Ok(record) => {
                let is_torn = matches!(record.tail(), Tail::Torn { .. });
                prop_assert!(is_torn);
                prop_assert!(whole.events().starts_with(record.events()));
            }
            Err(error) => prop_assert!(error.is_damage()),
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000), keep in any::<prop::sample::Index>()) {
        let out = TempDir::new().unwrap();
        let recorder = Recorder::create(out.path(), &header("B")).unwrap();
        let path = recorder.folder().join("journal.jsonl");
        let mut journal = fs::read(&path).unwrap();
        journal.truncate(keep.index(journal.len() + 1));
        journal.extend_from_slice(&bytes);
        fs::write(&path, &journal).unwrap();
        let _ = Record::open(recorder.folder());
    }
}

#[test]
fn a_record_of_version_2_keeps_its_noise_floor_and_its_definitions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/record-v2");
    let record = Record::open(&folder).unwrap();
    assert_eq!(products::check_manifest(&folder).unwrap(), Some(vec![]));
    let floors = record.events().iter().filter(|logged| matches!(logged.event, Event::NoiseFloorMeasured(_)));
    assert_eq!(floors.count(), 11);
    assert_eq!(record.waveforms().iter().filter(|facts| facts.point == PointId::NONE).count(), 11);
    assert_eq!(record.facts().unwrap().definitions.get("ripple_pp_v"), Some(&1));
    let table = fs::read_to_string(folder.join("points.csv")).unwrap();
    assert_eq!(soakrig::record::export_csv::render_points(&record).unwrap(), table);
}

#[test]
fn figures_made_anew_from_the_samples_are_the_recorded_ones_or_are_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/record-v2");
    let made = recompute(&Record::open(&folder).unwrap()).unwrap();
    assert_eq!((made.points, made.without_samples), (2, 0));
    // Whoever changes a definition counts its version up; then the record says another one.
    let changed: Vec<&str> = made.changed.iter().map(|(name, _, _)| name.as_str()).collect();
    let silent: Vec<_> = made.differences.iter().filter(|d| !changed.contains(&d.name.key())).collect();
    assert!(silent.is_empty(), "changed without a new version: {silent:?}");
}

#[test]
fn a_figure_that_comes_out_otherwise_is_told_with_both_values() {
    let made = Recomputed {
        points: 3,
        without_samples: 1,
        figures: 60,
        changed: vec![("ripple_pp_v".to_owned(), Some(1), 2)],
        differences: vec![Difference {
            point: PointId(7),
            name: "ripple_pp_v".parse().unwrap(),
            recorded: Ok(0.0204),
            now: Err(Unavailable::because("no switching edges")),
        }],
    };
    insta::assert_snapshot!(render(&made), @r"
    made anew from the samples: 60 figures at 3 points; 1 differ
      no samples were kept of 1 points
      ripple_pp_v: recorded by version 1 of its definition, this is version 2
      point 7: ripple_pp_v was 20.4 mV, is now not available (no switching edges)
    ");
}
