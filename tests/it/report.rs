//! The report says what the record holds, and says so where the record holds nothing.

use std::fs;
use std::path::{Path, PathBuf};

use soakrig::event::{Event, FigureName, PointId, RunVerdict, Sink, Stop};
use soakrig::record::{Record, Recorder};
use soakrig::report::svg::{render_curves, render_map};
use soakrig::report::{self, Report, html, junit, text, write_all};
use tempfile::TempDir;

use crate::record::sweep::{self, Course, at, header, png, record_sweep, tell_end, tell_points};

/// A page that a person can look at stays in `target/tmp/<name>/` after the tests.
fn look(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn sweep_report(name: &str, revision: &'static str, samples: usize) -> (PathBuf, Report, String) {
    let course = Course { revision, points: 125, samples, is_eventful: true };
    let folder = record_sweep(&look(name), &course);
    let written = write_all(&folder).unwrap();
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    (folder, written.report, page)
}

fn unfinished(name: &str, points: u32) -> (PathBuf, Report, String) {
    let mut recorder = Recorder::create(&look(name), &header("B")).unwrap();
    tell_points(&mut recorder, &Course { revision: "B", points, samples: 400, is_eventful: true }).unwrap();
    let folder = recorder.folder().to_owned();
    drop(recorder);
    let written = write_all(&folder).unwrap();
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    (folder, written.report, page)
}

fn assert_sound(page: &str) {
    for bad in
        ["NaN", ">nan", " inf", "-0.00", "http://", "https://", "<script", "src=\"//", "@import", "url("]
    {
        // The name of SVG itself is the one address that may stand there: nobody fetches it.
        let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(!page.contains(bad), "the page holds {bad:?}");
    }
    assert!(page.len() < 3_000_000, "the page has {} bytes", page.len());
    for tag in ["svg", "table", "div", "section", "text", "p"] {
        let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
        let opened = page.matches(&open).filter(|_| true).count();
        assert!(opened >= page.matches(&close).count(), "{tag}");
    }
}

#[test]
fn a_failing_run_says_so_first_and_why() {
    let (_, report, page) = sweep_report("report-fail", "A", 20_000);
    assert_sound(&page);
    let verdict = page.find("✗ FAIL").unwrap();
    let failing = page.find("positive spikes").unwrap();
    let meeting = page.find("board temperature").unwrap();
    assert!(verdict < failing && failing < meeting);
    assert_eq!(report.summary.verdict, "fail");
    let first: Vec<&str> = report.limits_by_weight().map(|limit| limit.name.as_str()).collect();
    assert_eq!(first[..2], ["positive spikes", "negative spikes"]);
    for heading in [
        "Bench",
        "How ripple and spikes were looked at",
        "Where the board starts",
        "The worst spike",
        "The worst ripple",
        "screen",
        "What could not be measured",
        "All points",
        "How it was measured",
    ] {
        assert!(page.contains(heading), "{heading}");
    }
    assert!(page.contains("data:image/png;base64,iVBORw0KGgo"));
}

#[test]
fn a_passing_run_draws_every_figure_and_both_worst_captures() {
    let (folder, report, page) = sweep_report("report-pass", "B", 20_000);
    assert_sound(&page);
    assert!(page.contains("✓ PASS"));
    assert_eq!(report.captures.len(), 2);
    for capture in &report.captures {
        let capture = capture.as_ref().unwrap();
        assert!(capture.pictures.overview.is_ok());
        assert!(capture.pictures.fold.as_ref().unwrap().cycles > 20, "{}", capture.title);
    }
    assert_eq!(page.matches("class=\"picture map\"").count(), report.figures.len() + 1);
    let terminal = text::render(&report, Path::new("reports/run"));
    insta::assert_snapshot!(terminal, @r"
    PASS  board sn0007 rev B, line-load-sweep
          every limit was met at every point it applies to

    points     125 of 125 finished, 0 failed, 70 where no limit applies; 1 min 52 s
    outputs    off, read back and measured: 1.2 mV

      marginal       efficiency         at least 78 %     worst 79.66 % at 24 V, 250 mA (point 124)
      pass           output voltage     4.85 V to 5.15 V  worst 5.022 V at 24 V, 0 A (point 121)
      pass           ripple and noise   at most 50 mV     worst 28.49 mV at 24 V, 500 mA (point 125)
      pass           positive spikes    at most 200 mV    worst 117.6 mV at 24 V, 500 mA (point 125)
      pass           negative spikes    at least -200 mV  worst -108.2 mV at 24 V, 500 mA (point 125)
      pass           board temperature  at most 85 °C     worst 45.4 °C at 24 V, 500 mA (point 125)

    report     reports/run/report.html
    record     reports/run
    ");
    drop(folder);
}

#[test]
fn all_products_are_made_again_in_the_same_bytes() {
    let out = TempDir::new().unwrap();
    let folder =
        record_sweep(out.path(), &Course { revision: "A", points: 125, samples: 2000, is_eventful: true });
    let files = ["points.csv", "summary.json", "report.html", "report.junit.xml", "manifest.sha256"];
    let read = || files.map(|name| fs::read(folder.join(name)).unwrap());
    write_all(&folder).unwrap();
    let first = read();
    for name in files {
        fs::remove_file(folder.join(name)).unwrap();
    }
    write_all(&folder).unwrap();
    assert!(read() == first);
    let manifest = String::from_utf8(first[4].clone()).unwrap();
    assert!(manifest.contains("  report.html\n") && manifest.contains("  waveforms/p0125_vout_spikes.npy\n"));
}

#[test]
fn a_run_that_broke_off_still_has_a_report_that_says_so() {
    let (folder, report, page) = unfinished("report-broken-off", 71);
    assert_sound(&page);
    assert!(page.contains("INCOMPLETE"));
    assert!(page.contains("The record breaks off after 71 of 125 points"));
    assert!(page.contains("look at the bench before you touch it"));
    assert!(page.contains("54 of 125 planned points were not finished"));
    assert!(!folder.join("manifest.sha256").exists());
    assert!(text::render(&report, &folder).contains("NOT KNOWN: the record says nothing of switching off"));
}

#[test]
fn a_record_cut_at_any_line_gives_a_page_without_empty_pictures() {
    let out = TempDir::new().unwrap();
    let folder =
        record_sweep(out.path(), &Course { revision: "A", points: 67, samples: 300, is_eventful: true });
    let path = folder.join("journal.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = journal.split_inclusive('\n').collect();
    let cuts = (1..20).chain((20..lines.len()).step_by(23)).chain([lines.len()]);
    for cut in cuts {
        let torn = if cut % 2 == 0 { "{\"seq\":" } else { "" };
        fs::write(&path, lines[..cut].concat() + torn).unwrap();
        let report = report::build(&Record::open(&folder).unwrap());
        let page = html::render(&report);
        assert_sound(&page);
        assert_eq!(page.contains("breaks off inside line"), !torn.is_empty());
        assert!(junit::render(&report).unwrap().ends_with("</testsuites>\n"));
        assert!(text::render(&report, &folder).contains("report.html"));
    }
}

#[test]
fn a_single_point_is_told_in_words_instead_of_a_picture() {
    let out = TempDir::new().unwrap();
    let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
    recorder.event(at(1), &Event::RunStarted(Box::new(sweep::facts("B", 1)))).unwrap();
    recorder.event(at(2), &Event::PointFinished(Box::new(sweep::point("B", 1, 24.0, 0.5)))).unwrap();
    tell_end(&mut recorder, 3, RunVerdict::Pass, [1, 0, 0]).unwrap();
    let folder = recorder.seal().unwrap().record.folder().to_owned();
    let page = html::render(&report::build(&Record::open(&folder).unwrap()));
    assert_sound(&page);
    assert!(!page.contains("<svg"));
    assert!(page.contains("One point only: 5.012 V at 24 V, 500 mA (point 1)"), "{page}");
    assert!(page.contains("The record holds no traces."));
    assert!(
        page.contains("No picture of the scope&#39;s screen was kept.")
            || page.contains("No picture of the scope's screen was kept.")
    );
}

#[test]
fn what_instruments_say_cannot_become_markup() {
    let out = TempDir::new().unwrap();
    let mut recorder = Recorder::create(out.path(), &header("B")).unwrap();
    recorder.event(at(1), &Event::RunStarted(Box::new(sweep::facts("B", 1)))).unwrap();
    let evil = "<script>alert(1)</script>\u{1b}[31m\u{0}";
    recorder.event(at(2), &Event::Warned { what: evil.to_owned() }).unwrap();
    recorder.event(at(2), &Event::StopRequested { stop: Stop::Now }).unwrap();
    recorder.screen(at(3), PointId(1), b"<svg onload=alert(1)>").unwrap();
    let report = report::build(&Record::open(recorder.folder()).unwrap());
    let page = html::render(&report);
    assert!(page.contains("&lt;script&gt;alert(1)"));
    assert!(!page.contains("<script") && !page.contains("onload"));
    assert!(report.screen.unwrap_err().contains("is no PNG picture"));
    assert!(png(3, 3).starts_with(b"\x89PNG"));
}

#[test]
fn a_ci_server_sees_each_limit_a_load() {
    let (_, report, _) = sweep_report("report-junit", "A", 300);
    let xml = junit::render(&report).unwrap();
    let head: Vec<&str> = xml.lines().take(8).map(str::trim).collect();
    insta::assert_snapshot!(head.join("\n"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="2026-11-23T16-04-10Z_line-load-sweep_sn0007" tests="31" skipped="3" failures="10" errors="0">
    <testsuite name="run" tests="1" skipped="0" errors="0" failures="0">
    <testcase name="came to its end" classname="run"/>
    </testsuite>
    <testsuite name="output voltage" tests="5" skipped="0" errors="0" failures="0">
    <testcase name="load 0 A" classname="output voltage"/>
    <testcase name="load 30 mA" classname="output voltage"/>
    "#);
    let spikes =
        xml.split("<testsuite ").find(|suite| suite.starts_with("name=\"positive spikes\"")).unwrap();
    insta::assert_snapshot!(spikes.lines().take(5).map(str::trim).collect::<Vec<_>>().join("\n"), @r#"
    name="positive spikes" tests="5" skipped="0" errors="0" failures="5">
    <testcase name="load 0 A" classname="positive spikes">
    <failure message="at most 200 mV, broken at points 71, 76, 81, 86, 91, 96, 101, 106, 111, 116, 121" type="soakrig">point 71, 14 V: 1.419 V
    point 76, 15 V: 1.43 V
    point 81, 16 V: 1.444 V
    "#);
}

#[test]
fn what_a_reader_must_know_of_a_figure_stands_beside_it() {
    let (_, report, page) = sweep_report("report-notes", "A", 300);
    assert!(page.contains(">fixture</th>") && page.contains(">tip barrel</td>"));
    // The made-up run takes under a second a point.
    assert!(report.thermal.unwrap().starts_with("not in thermal equilibrium: a point lasted "));
    assert!(page.contains("board temperature, not in thermal equilibrium"));
    // A bound has its sign wherever its value stands: in the table of points, in its map, as an arrow at its marker.
    assert_eq!(page.matches(">≥ ").count(), 1);
    for view in report.figures.iter().filter(|view| view.map.is_some()) {
        let mut exact = view.clone();
        exact.lines.iter_mut().flat_map(|line| &mut line.points).for_each(|spot| spot.bound = None);
        let arrowheads = |view| render_curves(view, false).unwrap().matches("<polygon").count();
        let map = render_map(view).unwrap();
        let found =
            (map.matches('≥').count(), map.matches("a bound").count(), arrowheads(view) - arrowheads(&exact));
        // In the map the sign stands at the cell and in the legend.
        let expected = if view.name == FigureName::SpikePos { (2, 1, 1) } else { (0, 0, 0) };
        assert_eq!(found, expected, "{}", view.name.key());
    }
    assert_eq!(page.matches("An arrow at a marker").count(), 1);
    let note = &report.notes[0];
    assert_eq!((note.letter.as_str(), note.what.as_str()), ("a", "not settled within 5 s"));
    assert_eq!(note.points, [63]);
    let whys: Vec<&str> = report.missing.iter().map(|missing| missing.reason.as_str()).collect();
    let mut once = whys.clone();
    once.dedup();
    assert_eq!(whys, once);
    // Every value that a table and a figure both name as the worst is named at one point.
    for limit in report.summary.limits.iter().filter(|limit| limit.min.is_none()) {
        let Some(view) = report.figures.iter().find(|view| view.name.key() == limit.figure) else { continue };
        let (worst, (_, most)) = (limit.worst.unwrap(), view.extremes.unwrap());
        assert!((worst.value - most.value).abs() > 1e-8 * most.value.abs() || worst.point == most.point);
    }
}
