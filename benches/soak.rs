//! A month with nobody there: 30 simulated days at one reading a second, a capture every ten minutes and a sweep every six
//! hours, kept as any run is. Prints what the run takes, the memory after the first hour, the first day
//! and at the end, what `soakrig report` of its record takes, how long it takes to open it for going on with, and what
//! keeping a line of sixty readings costs; each as a part of its limit and beside the least that the disk or the processor asks
//! for the same bytes.
//!
//! It takes some minutes; `SOAK_DAYS=3` makes it three days, and the limits of what grows with them less. Wall times are those of
//! this machine with whatever else it does: the processor's time stands beside them. On a machine that is busy a sync waits
//! for the processor longer than for the disk: `chrt -f 1 cargo bench --bench soak` shows what it is alone.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use soakrig::base::clock;
use soakrig::base::units::{Amps, Volts};
use soakrig::engine::StopWish;
use soakrig::event::{
    Board, DwellId, Event, Reading, ReadingCheck, Readings, ReadingsJudged, Setting, Sink, Stamp,
};
use soakrig::plan::Overrides;
use soakrig::record::{Recorder, RunHeader};
use soakrig::session::{self, Onlooker, Pulse, RunRequest, Said};

type Outcome<T> = Result<T, Box<dyn Error>>;

const PROGRAM: &str = env!("CARGO_BIN_EXE_soakrig");
const WEEKEND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/weekend-soak.toml");
const RIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rigs/sim.toml");
/// Lines that are kept to compare with bare ones.
const LINES: usize = 100;
/// Behind so long a pause a line is waited for.
const ALONE: Duration = Duration::from_millis(220);
/// Times that what is short is done.
const TIMES: usize = 5;

/// How much of the bare rate keeping a synced line must reach.
const APPEND_LIMIT: f64 = 0.9;
/// What a run of 30 days may take with its report.
const RUN_LIMIT: Duration = Duration::from_secs(120);
/// What the report of 30 days may take.
const REPORT_LIMIT: Duration = Duration::from_secs(2);
/// What opening 30 days to go on with them may take.
const OPEN_LIMIT: Duration = Duration::from_secs(1);
/// Memory that run, report and opening may have, in kilobytes.
const MEMORY_LIMIT: u64 = 100_000;
/// How much more a run may have at its end than after its first hour, in kilobytes.
const GROWTH_LIMIT: u64 = 20_000;

fn main() -> Outcome<()> {
    // `cargo test --benches` only wants to know whether it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let days: u32 = std::env::var("SOAK_DAYS").map_or(Ok(30), |days| days.parse())?;
    // Beside the build and not in /tmp: there the disk is often memory, and a sync costs nothing.
    let out = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    let line = append(out.path())?;
    let folder = run(out.path(), days, line)?;
    report(&folder, days)?;
    open_for_resume(&folder, days)
}

/// How much of a limit for 30 days so many days take: on the wall clock, and of the processor's time.
fn of_limit(limit: Duration, days: u32, (wall, processor): (Duration, Duration)) -> String {
    let limit = limit * days / 30;
    let part = |took: Duration| took.as_secs_f64() / limit.as_secs_f64();
    format!("{:.3} of the limit of {limit:?}, by the processor's time {:.3}", part(wall), part(processor))
}

/// How much of the limit some memory is.
fn of_memory(kilobytes: Option<u64>) -> String {
    let part = |size: u64| {
        format!(
            "{} = {:.3} of the limit of {}",
            told(Some(size)),
            part_of(size, MEMORY_LIMIT),
            told(Some(MEMORY_LIMIT))
        )
    };
    kilobytes.map_or_else(|| told(None), part)
}

fn part_of(size: u64, limit: u64) -> f64 {
    size as f64 / limit as f64
}

/// What keeping a line of readings costs beside a bare write and sync of the same bytes, which it gives.
fn append(out: &Path) -> Outcome<Duration> {
    let mut recorder = Recorder::create(out, &header()?)?;
    let journal = recorder.folder().join("journal.jsonl");
    let mut bare_file = File::create(out.join("bare.jsonl"))?;
    let (mut kept, mut bare) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    // By turns, so that whatever else the machine does hits both alike.
    for minute in 0..LINES {
        let (stamp, event) = readings(minute as u64);
        let before = fs::metadata(&journal)?.len();
        // As on a real bench: lines that come in a rush share their syncs. Behind a pause a disk is slower, so both have one.
        std::thread::sleep(ALONE);
        let start = Instant::now();
        recorder.event(stamp, &event)?;
        kept.push(start.elapsed());
        let line = vec![b' '; usize::try_from(fs::metadata(&journal)?.len() - before)?];
        std::thread::sleep(ALONE);
        let start = Instant::now();
        bare_file.write_all(&line)?;
        bare_file.sync_data()?;
        bare.push(start.elapsed());
        bytes = line.len();
    }
    let (kept, bare) = (median(kept), median(bare));
    let ratio = bare.as_secs_f64() / kept.as_secs_f64();
    println!(
        "soak/append_60_readings: {kept:?}, bare write + fdatasync: {bare:?} ({bytes} bytes), {ratio:.3} of the \
         bare rate, {:.3} of the limit of {APPEND_LIMIT}",
        ratio / APPEND_LIMIT
    );
    let lines: Vec<(Stamp, Event)> = (0..LINES).map(|minute| readings((LINES + minute) as u64)).collect();
    let start = Instant::now();
    lines.iter().try_for_each(|(stamp, event)| recorder.event(*stamp, event))?;
    recorder.sync()?;
    let each = start.elapsed() / u32::try_from(LINES)?;
    println!(
        "soak/append_60_readings as fast as they come, sharing syncs: {each:?} a line, {:.3} of the bare rate",
        bare.as_secs_f64() / each.as_secs_f64()
    );
    fs::remove_dir_all(recorder.folder())?;
    Ok(bare)
}

/// A minute of readings as an engine tells them.
fn readings(minute: u64) -> (Stamp, Event) {
    let row = |second: u64| {
        let at = clock::Instant((minute * 60 + second) * 1_000_000_000);
        let jitter = |most: u64| (second * 7919 + minute * 104_729) % most;
        let value =
            |base: f64, parts: u64, unit: f64| Some(((base / unit).round() + jitter(parts) as f64) * unit);
        let electrical = [value(23.94, 900, 1e-6), value(0.1234, 90, 1e-6), value(4.98, 900, 1e-6)];
        let [vin, iin, vout] = electrical;
        let values = [vin, iin, vout, value(0.5, 90, 1e-6), value(61.2, 90, 1e-3), value(23.1, 9, 1e-3)];
        Reading::of(at, values)
    };
    let rows: Vec<Reading> = (0..60).map(row).collect();
    let done = Duration::from_secs(minute * 60 + 59);
    let stamp = Stamp { utc: jiff::Timestamp::UNIX_EPOCH, monotonic: rows[59].at };
    let check = |limit: usize| ReadingCheck {
        limit,
        judged: (minute + 1) * 60,
        marginal: minute % 7,
        failed: 0,
        worst: 4.980_137,
        first: None,
    };
    let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
    let checks = (0..3).map(check).collect();
    let judged = Some(ReadingsJudged { dwell: DwellId(1), setting, checks });
    (stamp, Event::ReadingsTaken(Box::new(Readings { dwell: DwellId(1), done, held: false, judged, rows })))
}

fn header() -> Outcome<RunHeader> {
    Ok(RunHeader {
        started: Stamp { utc: jiff::Timestamp::UNIX_EPOCH, monotonic: clock::Instant(0) },
        profile: "bench".parse()?,
        board: Board { serial: "sn0000".parse()?, revision: "B".parse()? },
        rig_text: String::new(),
        profile_text: String::new(),
        plan_text: String::new(),
        families: Vec::new(),
    })
}

/// Looks at this program's memory while the run goes on.
struct Look {
    folder: PathBuf,
    marks: Vec<(&'static str, Duration)>,
    lines: u64,
    last: Duration,
    /// Memory after the first hour, in kilobytes.
    early: Option<u64>,
    /// Memory at the last event, before anything is made of the record.
    late: Option<u64>,
}

impl Onlooker for Look {
    fn begun(&mut self, folder: &Path) {
        folder.clone_into(&mut self.folder);
    }
    fn event(&mut self, at: Stamp, event: &Event) {
        self.lines += 1;
        self.last = Duration::from_nanos(at.monotonic.0);
        while let Some((name, _)) = self.marks.pop_if(|(_, due)| *due <= self.last) {
            let now = memory("self", "VmRSS");
            self.early = self.early.or(now);
            println!("soak/memory after {name}: {}", of_memory(now));
        }
        if matches!(event, Event::RunFinished(_)) {
            self.late = memory("self", "VmRSS");
            println!("soak/memory at the last event: {}", of_memory(self.late));
        }
    }
}

fn run(out: &Path, days: u32, bare_line: Duration) -> Outcome<PathBuf> {
    let text = fs::read_to_string(WEEKEND)?;
    let duration = text.lines().find(|line| line.starts_with("duration = "));
    let duration =
        duration.ok_or("the profile has no duration, so how long it takes is not known")?.to_owned();
    let text = text.replacen(&duration, &format!("duration = \"{} h\"", days * 24), 1);
    let profile = out.join("month-soak.toml");
    fs::write(&profile, text.replace("weekend-soak", "month-soak"))?;
    let prepared = session::prepare(&profile, Path::new(RIG), &Overrides::default())?;
    let day = Duration::from_secs(86_400);
    let marks = vec![("the first day", day), ("the first hour", day / 24)];
    let mut look =
        Look { folder: PathBuf::new(), marks, lines: 0, last: Duration::ZERO, early: None, late: None };
    let (start, processor) = (Instant::now(), own_time());
    let finished = session::run(
        prepared,
        &mut RunRequest {
            program: Path::new(PROGRAM),
            notify: None,
            out,
            seed: None,
            faults: None,
            full_tapes: false,
            view: &mut look,
            stop: &StopWish::default(),
            pulse: Pulse::default(),
        },
    )?;
    let (took, worked) = (start.elapsed(), own_time().saturating_sub(processor));
    finished.written?;
    println!("soak/memory at most, with the report: {}", of_memory(memory("self", "VmHWM")));
    if let (Some(early), Some(late)) = (look.early, look.late) {
        let grown = late.saturating_sub(early);
        println!(
            "soak/memory grown since the first hour: {} = {:.3} of the limit of {}",
            told(Some(grown)),
            part_of(grown, GROWTH_LIMIT),
            told(Some(GROWTH_LIMIT))
        );
    }
    let disk = bare_line * u32::try_from(look.lines)?;
    println!(
        "soak/run of {days} days with its report: {took:.1?}, processor {worked:.1?}, {} events, which alone would take \
         {disk:.1?} if each had its own sync; {} ({})",
        look.lines,
        of_limit(RUN_LIMIT, days, (took, worked)),
        finished.outcome.end.verdict
    );
    Ok(look.folder)
}

/// The program itself, as anybody starts it.
fn report(folder: &Path, days: u32) -> Outcome<()> {
    let journal = folder.join("journal.jsonl");
    let (mut best, mut processor, mut most) = (Duration::MAX, Duration::MAX, None);
    for _ in 0..TIMES {
        let (start, before) = (Instant::now(), childrens_time());
        let mut child = Command::new(PROGRAM).arg("report").arg(folder).stdout(Stdio::null()).spawn()?;
        // What it had at most is known only while it runs, and never falls.
        let about = child.id().to_string();
        let status = loop {
            most = most.max(memory(&about, "VmHWM"));
            if let Some(status) = child.try_wait()? {
                break status;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        best = best.min(start.elapsed());
        processor = processor.min(childrens_time().saturating_sub(before));
        if !status.success() {
            return Err(format!("the report ended with {status}").into());
        }
    }
    let rows = fs::read_to_string(folder.join("samples.csv"))?.lines().count() - 1;
    let bare = bare_read(&journal)?;
    println!(
        "soak/report of {rows} rows: {best:?}, processor {processor:?}, {}; a bare read of its journal with a CRC32: \
         {bare:?}, ratio {:.3}",
        of_limit(REPORT_LIMIT, days, (best, processor)),
        bare.as_secs_f64() / best.as_secs_f64()
    );
    println!("soak/report's memory at most: {}", of_memory(most));
    Ok(())
}

/// Cuts the run's end off, as a power cut in its last line would, and opens it as `soakrig resume` does.
fn open_for_resume(folder: &Path, days: u32) -> Outcome<()> {
    let journal = folder.join("journal.jsonl");
    fs::remove_file(folder.join("manifest.sha256"))?;
    let bytes = fs::metadata(&journal)?.len();
    OpenOptions::new().write(true).open(&journal)?.set_len(bytes - 10)?;
    let (mut read, mut opened) = (Vec::new(), Vec::new());
    let before = own_time();
    for _ in 0..TIMES {
        let start = Instant::now();
        let resumable = session::prepare_resume(folder, &Said::default(), &mut |_, _| ())?;
        read.push(start.elapsed());
        let start = Instant::now();
        let finished = resumable.finished;
        let (recorder, record) = Recorder::go_on(resumable.unfinished)?;
        opened.push(start.elapsed());
        if record.last().is_none() || finished == 0 {
            return Err("nothing was found to go on with".into());
        }
        drop(recorder);
    }
    let processor = own_time().saturating_sub(before) / u32::try_from(TIMES)?;
    let (read, opened) = (median(read), median(opened));
    let (both, bare) = (read + opened, bare_read(&journal)?);
    println!(
        "soak/open for resume: {both:?}, processor {processor:?}, {}: {read:?} to see what is left of the plan, {opened:?} \
         to take the journal over and mend its tables; {} MB read bare with a CRC32: {bare:?}, ratio {:.3}",
        of_limit(OPEN_LIMIT, days, (both, processor)),
        bytes / 1_000_000,
        bare.as_secs_f64() / both.as_secs_f64()
    );
    Ok(())
}

/// The least that any reader of a journal does.
fn bare_read(journal: &Path) -> Outcome<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..TIMES {
        let start = Instant::now();
        let (mut file, mut piece) = (File::open(journal)?, vec![0; 1 << 16]);
        let mut hasher = crc32fast::Hasher::new();
        loop {
            let count = file.read(&mut piece)?;
            if count == 0 {
                break;
            }
            hasher.update(&piece[..count]);
        }
        std::hint::black_box(hasher.finalize());
        best = best.min(start.elapsed());
    }
    Ok(best)
}

/// Processor time of this program so far.
fn own_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// Processor time of all programs that it has started and that have ended, in hundredths of a second.
fn childrens_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything, the fourteenth and fifteenth.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// A figure of a program's memory in kilobytes; `None` where the system does not say.
fn memory(program: &str, figure: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{program}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

fn told(kilobytes: Option<u64>) -> String {
    kilobytes.map_or_else(|| "not known".to_owned(), |size| format!("{:.1} MB", size as f64 / 1000.0))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
