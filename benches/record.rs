//! What the journal costs over a bare write and fdatasync of the same bytes. Prints the ratio of the two medians; the aim
//! is 0.9 or more for a line of the journal. A finished point also writes its row of `points.csv`, and is told beside it.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use soakrig::base::clock;
use soakrig::base::units::{Amps, Volts};
use soakrig::event::{
    Board, Event, FigureName, PointId, PointResult, PointVerdict, Region, Regulation, Setting, Sink, Stamp,
};
use soakrig::record::{Recorder, RunHeader};

const LINES: usize = 600;

fn main() -> Result<(), Box<dyn Error>> {
    // Beside the build and not in /tmp: there the disk is often memory, and a sync costs nothing.
    let out = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut recorder = Recorder::create(out.path(), &header()?)?;
    let journal = recorder.folder().join("journal.jsonl");
    let stamp = Stamp { utc: jiff::Timestamp::UNIX_EPOCH, monotonic: clock::Instant(0) };
    let warning = Event::Warned { what: "the thermometer board is silent".to_owned() };
    let mut bare_file = File::create(out.path().join("bare.jsonl"))?;
    for (name, event) in [("journal_append", warning), ("finished_point_with_its_row", finished_point())] {
        recorder.event(stamp, &event)?;
        let line = last_line(&journal)?;
        let (kept, bare) = alternate(&mut recorder, stamp, &event, (&mut bare_file, &line))?;
        let ratio = bare.as_secs_f64() / kept.as_secs_f64();
        let bytes = line.len();
        println!(
            "record/{name}: {kept:?}, bare write + fdatasync: {bare:?} ({bytes} bytes a line), ratio {ratio:.3} (aim 0.9)"
        );
    }
    Ok(())
}

/// Medians of keeping the event and of writing the same bytes bare.
fn alternate(
    recorder: &mut Recorder,
    stamp: Stamp,
    event: &Event,
    bare_write: (&mut File, &[u8]),
) -> Result<(Duration, Duration), Box<dyn Error>> {
    let (bare_file, line) = bare_write;
    let (mut kept, mut bare) = (Vec::new(), Vec::new());
    // By turns, so that whatever else the machine does hits both alike.
    for _ in 0..LINES {
        let start = Instant::now();
        recorder.event(stamp, event)?;
        kept.push(start.elapsed());
        let start = Instant::now();
        bare_file.write_all(line)?;
        bare_file.sync_data()?;
        bare.push(start.elapsed());
    }
    Ok((median(kept), median(bare)))
}

fn header() -> Result<RunHeader, Box<dyn Error>> {
    Ok(RunHeader {
        started: Stamp { utc: jiff::Timestamp::now(), monotonic: clock::Instant(0) },
        profile: "bench".parse()?,
        board: Board { serial: "sn0000".parse()?, revision: "B".parse()? },
        rig_text: String::new(),
        profile_text: String::new(),
        plan_text: String::new(),
        families: Vec::new(),
    })
}

/// The longest line that comes often: a point with all its figures.
fn finished_point() -> Event {
    let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
    let value = |(place, name): (usize, &FigureName)| (*name, Ok(place as f64 * 0.123_456_789));
    Event::PointFinished(Box::new(PointResult {
        point: PointId(125),
        repeat: 1,
        phase: None,
        setting,
        figures: FigureName::ALL.iter().enumerate().map(value).collect(),
        bounds: std::collections::BTreeMap::new(),
        region: Region::Regulated,
        regulation: Ok(Regulation::ConstantVoltage),
        checks: Vec::new(),
        verdict: PointVerdict::Pass,
        notes: Vec::new(),
    }))
}

fn last_line(journal: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let text = fs::read_to_string(journal)?;
    Ok(format!("{}\n", text.lines().last().unwrap_or_default()).into_bytes())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
