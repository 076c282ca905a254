//! A record read back: the events in memory, the sample files when they are asked for.

use std::collections::BTreeMap;
use std::fs;
use std::mem;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::event::{
    CutOff, DwellId, Event, InstrumentFacts, PointId, PointResult, Readings, RunEnd, RunFacts, SafeState,
    Stamp,
};
use crate::waveform::{Acquisition, Codes, Scaling, Waveform};

use super::convert::event_of;
use super::format::{Entry, Header, ScreenEntry, WaveformEntry};
use super::judged::Untold;
use super::line::{Batch, Line, What};
use super::pieces::acquisition_in;
use super::readings::BatchHead;
use super::recover::{Tail, Whole, read_lines};
use super::{FAMILIES, RecordError, journal, waveforms, withheld};

/// An event and when it happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// When.
    pub at: Stamp,
    /// What.
    pub event: Event,
}

/// A trace in the record: all but its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct WaveformFacts {
    /// The sample file, relative to the run folder.
    pub file: String,
    /// The point it belongs to.
    pub point: PointId,
    /// Number of samples.
    pub samples: u64,
    /// Codes to volts.
    pub scaling: Scaling,
    /// Time of the first sample relative to the trigger, in seconds.
    pub start_s: f64,
    /// Sample interval in seconds.
    pub step_s: f64,
    /// How it was captured.
    pub acquisition: Acquisition,
    codes_crc: String,
}

/// A picture of the scope's own screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenFacts {
    /// The file, relative to the run folder.
    pub file: String,
    /// The point it belongs to.
    pub point: PointId,
    /// Its length in bytes.
    pub bytes: u64,
    crc: String,
}

/// A record, as far as it goes.
#[derive(Debug, Clone)]
pub struct Record {
    folder: PathBuf,
    run: String,
    files: BTreeMap<String, String>,
    started: Stamp,
    tail: Tail,
    whole: Whole,
    logged: Vec<Logged>,
    waveforms: Vec<WaveformFacts>,
    screens: Vec<ScreenFacts>,
    last_readings: Option<LastReadings>,
    last_batch: Option<(DwellId, Stamp)>,
}

/// How far the readings of a soak came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastReadings {
    /// The dwell of the last readings.
    pub dwell: DwellId,
    /// How much of it is done with them.
    pub done: Duration,
    /// When they were written.
    pub at: Stamp,
}

/// What a line of a journal holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// The first line.
    Header {
        /// The run folder's name when it was made.
        run: String,
    },
    /// Something happened; never readings, which [`super::read_readings`] reads.
    Event(Event),
    /// A trace was kept.
    Waveform(WaveformFacts),
}

/// Hands the lines of a run's journal to `take`, in order, without keeping any: of many runs, or of a long one, only what the
/// taker keeps is held. Every line is checked, and a torn last one is left out.
///
/// # Errors
/// There is no journal, it cannot be read, it was written by a later program, or it is damaged before its last line.
pub fn read_kept(folder: &Path, mut take: impl FnMut(Stamp, Kept)) -> Result<Tail, RecordError> {
    let path = folder.join(journal::FILE_NAME);
    if !path.is_file() {
        return Err(RecordError::NotARun(folder.to_owned()));
    }
    let mut has_begun = false;
    let (tail, _) = read_lines(&path, |line: Line<'_>| {
        let at = line.at()?;
        if has_begun == matches!(line.what, What::Entry(Entry::Header(_))) {
            return Err("the header stands in the first line and only there".to_owned());
        }
        has_begun = true;
        match line.what {
            What::Entry(Entry::Header(entry)) => take(at, Kept::Header { run: entry.run }),
            What::Entry(Entry::Waveform(entry)) => take(at, Kept::Waveform(waveform_facts(*entry)?)),
            What::Entry(entry) => {
                if let Some(event) = event_of(entry)? {
                    take(at, Kept::Event(event));
                }
            }
            What::Readings(_) => {}
        }
        Ok(())
    })?;
    Ok(tail)
}

/// What is looked at while a record is read.
trait Looking {
    fn event(&mut self, at: Stamp, event: &Event);
    /// Reads of a batch, which stands in a line's body, at least what is known without its readings.
    fn readings(&mut self, at: Stamp, batch: &Batch<'_>, body: &[u8]) -> Result<BatchHead, String>;
}

/// Of readings no more than is needed.
struct HeadsAlone;

impl Looking for HeadsAlone {
    fn event(&mut self, _: Stamp, _: &Event) {}
    fn readings(&mut self, _: Stamp, batch: &Batch<'_>, _: &[u8]) -> Result<BatchHead, String> {
        batch.head()
    }
}

/// Everything is shown, and the lines of readings are handed on behind that.
struct Seeing<S, H> {
    see: S,
    hand_on: H,
    /// The place of the readings that are shown next.
    spare: Box<Readings>,
}

impl<S: FnMut(Stamp, &Event), H: FnMut(&[u8])> Looking for Seeing<S, H> {
    fn event(&mut self, at: Stamp, event: &Event) {
        (self.see)(at, event);
    }
    fn readings(&mut self, at: Stamp, batch: &Batch<'_>, body: &[u8]) -> Result<BatchHead, String> {
        batch.read_into(&mut self.spare)?;
        let (dwell, done, judged) = (self.spare.dwell, self.spare.done, self.spare.judged.clone());
        let event = Event::ReadingsTaken(mem::replace(&mut self.spare, Box::new(Readings::none())));
        (self.see)(at, &event);
        if let Event::ReadingsTaken(shown) = event {
            self.spare = shown;
        }
        (self.hand_on)(body);
        Ok(BatchHead { dwell, done, judged })
    }
}

impl Record {
    /// Reads the journal of a run folder, checks every line and leaves out a torn last one.
    ///
    /// # Errors
    /// There is no journal, it cannot be read, it was written by a later program, or it is damaged before its last line.
    pub fn open(folder: &Path) -> Result<Self, RecordError> {
        Self::open_with(folder, HeadsAlone)
    }

    /// The same, and shows each event to `see` meanwhile, in order, readings included; the bodies of their lines are handed on
    /// behind that.
    pub(super) fn open_seeing(
        folder: &Path,
        see: impl FnMut(Stamp, &Event),
        hand_on: impl FnMut(&[u8]),
    ) -> Result<Self, RecordError> {
        Self::open_with(folder, Seeing { see, hand_on, spare: Box::new(Readings::none()) })
    }

    fn open_with(folder: &Path, mut look: impl Looking) -> Result<Self, RecordError> {
        let path = folder.join(journal::FILE_NAME);
        if !path.is_file() {
            return Err(RecordError::NotARun(folder.to_owned()));
        }
        let mut header: Option<(Stamp, Header)> = None;
        let (mut logged, mut waveforms, mut screens) = (Vec::new(), Vec::new(), Vec::new());
        let (mut last_readings, mut last_batch) = (None, None);
        let mut untold = Untold::default();
        let (tail, whole) = read_lines(&path, |line: Line<'_>| {
            let at = line.at()?;
            if header.is_none() != matches!(line.what, What::Entry(Entry::Header(_))) {
                return Err("the header stands in the first line and only there".to_owned());
            }
            match line.what {
                What::Entry(Entry::Header(entry)) => header = Some((at, entry)),
                What::Entry(Entry::Waveform(entry)) => waveforms.push(waveform_facts(*entry)?),
                What::Entry(Entry::Screen(entry)) => screens.push(screen_facts(entry)?),
                What::Entry(entry) => {
                    if let Some(event) = event_of(entry)? {
                        look.event(at, &event);
                        logged.extend(untold.before(&event));
                        logged.push(Logged { at, event });
                    }
                }
                What::Readings(batch) => {
                    let BatchHead { dwell, done, judged } = look.readings(at, &batch, line.body)?;
                    last_batch = Some((dwell, at));
                    logged.extend(untold.take(at, judged));
                    if dwell != DwellId::WARMING {
                        last_readings = Some(LastReadings { dwell, done, at });
                    }
                }
            }
            Ok(())
        })?;
        logged.extend(untold.end());
        withheld::leave_out(&mut logged);
        let Some((started, header)) = header else {
            return Err(RecordError::damaged(&path, 1, "there is no header"));
        };
        Ok(Self {
            folder: folder.to_owned(),
            run: header.run,
            files: header.files,
            started,
            tail,
            whole,
            logged,
            waveforms,
            screens,
            last_readings,
            last_batch,
        })
    }

    /// The run folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
    /// The run folder's name when it was made.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }
    /// The SHA-256 of each family that was copied into the run folder when it was begun, by its file's name.
    #[must_use]
    pub fn families(&self) -> BTreeMap<&str, &str> {
        let families = self.files.iter().filter_map(|(path, digest)| {
            let name = path.strip_prefix(FAMILIES)?.strip_prefix('/')?;
            Some((name, digest.as_str()))
        });
        families.collect()
    }
    /// When the run began.
    #[must_use]
    pub const fn started(&self) -> Stamp {
        self.started
    }
    /// How the journal ends.
    #[must_use]
    pub const fn tail(&self) -> &Tail {
        &self.tail
    }
    /// Where its whole lines end.
    pub(super) const fn whole(&self) -> Whole {
        self.whole
    }
    /// All events in order, but for the readings of a soak: those are read with [`super::read_readings`]. What came of the limits
    /// in a dwell that was cut off, or still goes on, stands there as if it had been told behind the last readings that are kept.
    #[must_use]
    pub fn events(&self) -> &[Logged] {
        &self.logged
    }
    /// How far the readings of a soak's dwells came; `None` where there are none.
    #[must_use]
    pub const fn last_readings(&self) -> Option<LastReadings> {
        self.last_readings
    }
    /// Whether any readings of a soak are kept, those of warming up again included.
    #[must_use]
    pub const fn has_readings(&self) -> bool {
        self.last_batch.is_some()
    }
    /// All traces in order.
    #[must_use]
    pub fn waveforms(&self) -> &[WaveformFacts] {
        &self.waveforms
    }
    /// All screens in order.
    #[must_use]
    pub fn screens(&self) -> &[ScreenFacts] {
        &self.screens
    }
    /// The facts the run began with; `None` where the record ends before.
    #[must_use]
    pub fn facts(&self) -> Option<&RunFacts> {
        self.logged.iter().find_map(|logged| match &logged.event {
            Event::RunStarted(facts) => Some(&**facts),
            _ => None,
        })
    }
    /// How the run ended; `None` where the record does not say, or where it was gone on with after its last end.
    #[must_use]
    pub fn end(&self) -> Option<(Stamp, &RunEnd)> {
        let last = self.logged.iter().rev().find_map(|logged| match &logged.event {
            Event::RunFinished(end) => Some(Some((logged.at, end))),
            Event::RunResumed(_) => Some(None),
            _ => None,
        });
        last.flatten()
    }
    /// What the last interlock that tripped said, if the run was not gone on with since.
    #[must_use]
    pub fn tripped(&self) -> Option<&str> {
        let last = self.logged.iter().rev().find_map(|logged| match &logged.event {
            Event::InterlockTripped { what } => Some(Some(what.as_str())),
            Event::RunResumed(_) => Some(None),
            _ => None,
        });
        last.flatten()
    }
    /// The instruments, in the order they were opened.
    pub fn instruments(&self) -> impl Iterator<Item = &InstrumentFacts> {
        self.logged.iter().filter_map(|logged| match &logged.event {
            Event::InstrumentOpened(facts) => Some(facts),
            _ => None,
        })
    }
    /// The finished points in the order of measurement; of a point that was measured again, the last.
    #[must_use]
    pub fn points(&self) -> Vec<&PointResult> {
        self.points_at().into_iter().map(|(_, result)| result).collect()
    }
    /// The same, each with when it was finished.
    #[must_use]
    pub fn points_at(&self) -> Vec<(Stamp, &PointResult)> {
        let finished = |logged: &'_ Logged| match &logged.event {
            Event::PointFinished(result) => Some(result.point),
            _ => None,
        };
        let mut last = std::collections::HashMap::new();
        for (place, logged) in self.logged.iter().enumerate() {
            if let Some(point) = finished(logged) {
                last.insert(point, place);
            }
        }
        let places = self.logged.iter().enumerate();
        places
            .filter_map(|(place, logged)| match &logged.event {
                Event::PointFinished(result) if last.get(&result.point) == Some(&place) => {
                    Some((logged.at, &**result))
                }
                _ => None,
            })
            .collect()
    }
    /// The last attempt to make the bench safe.
    #[must_use]
    pub fn made_safe(&self) -> Option<&SafeState> {
        self.logged.iter().rev().find_map(|logged| match &logged.event {
            Event::MadeSafe(state) => Some(state),
            _ => None,
        })
    }
    /// Whether the last word on the outputs is that they were verified off: nothing was switched on since.
    #[must_use]
    pub fn outputs_off_verified(&self) -> bool {
        let last = self.logged.iter().rev().find_map(|logged| match &logged.event {
            Event::MadeSafe(state) => Some(state.verified),
            Event::OutputSwitched { on: true, .. } => Some(false),
            _ => None,
        });
        last.unwrap_or(false)
    }
    /// Where a run stands that has no end: from when on nothing of it is known.
    #[must_use]
    pub fn cut_off(&self) -> CutOff {
        let mut cut_off = CutOff::default();
        self.logged.iter().for_each(|logged| cut_off.take(logged.at, &logged.event));
        if let Some((dwell, at)) = self.last_batch {
            cut_off.read(dwell, at.monotonic);
        }
        cut_off
    }
    /// When the outputs were verified off behind the end of a run that could not do so itself.
    #[must_use]
    pub fn verified_later(&self) -> Option<Stamp> {
        self.end().filter(|(_, end)| !end.outputs_off_verified && self.outputs_off_verified())?;
        let is_safe = |logged: &&Logged| matches!(logged.event, Event::MadeSafe(_));
        self.logged.iter().rev().find(is_safe).map(|logged| logged.at)
    }
    /// When the last event was written, readings included; `None` where there is none.
    #[must_use]
    pub fn last(&self) -> Option<Stamp> {
        let readings = self.last_batch.map(|(_, at)| at);
        let logged = self.logged.last().map(|logged| logged.at);
        logged.into_iter().chain(readings).max_by_key(|at| at.monotonic)
    }
    /// When whoever carried the run out last wrote something; what a dead-man, or nobody's
    /// hearing of its end, added behind it does not count.
    #[must_use]
    pub fn last_work(&self) -> Option<Stamp> {
        let is_work = |logged: &&Logged| CutOff::is_work(&logged.event);
        let logged = self.logged.iter().rev().find(is_work).map(|logged| logged.at);
        logged.into_iter().chain(self.last_batch.map(|(_, at)| at)).max_by_key(|at| at.monotonic)
    }
    /// How long the record lasts: from its first line to its last event.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        let last = self.last().map_or(self.started.monotonic, |at| at.monotonic);
        last.since(self.started.monotonic)
    }

    /// A trace with its samples.
    ///
    /// # Errors
    /// The sample file cannot be read, or is not what was written.
    pub fn waveform(&self, facts: &WaveformFacts) -> Result<Waveform, RecordError> {
        read_waveform(&self.folder, facts)
    }

    /// The PNG bytes of a screen.
    ///
    /// # Errors
    /// The file cannot be read, or is not what was written.
    pub fn screen(&self, facts: &ScreenFacts) -> Result<Vec<u8>, RecordError> {
        let path = self.folder.join(&facts.file);
        let bytes = read_bounded(&path, facts.bytes)?;
        if format!("{:08x}", crc32fast::hash(&bytes)) != facts.crc {
            return Err(RecordError::damaged(&path, 0, "its bytes are not those that the journal names"));
        }
        Ok(bytes)
    }
}

/// A trace of a run with its samples.
///
/// # Errors
/// The sample file cannot be read, or is not what was written.
pub fn read_waveform(folder: &Path, facts: &WaveformFacts) -> Result<Waveform, RecordError> {
    let path = folder.join(&facts.file);
    // A file of the wrong size is not read at all: its header could ask for any amount of memory.
    let limit = facts.samples.saturating_mul(4).saturating_add(1 << 16);
    let bytes = read_bounded(&path, limit)?;
    let codes = waveforms::parse_npy(&bytes).map_err(|what| RecordError::damaged(&path, 0, what))?;
    if codes.len() as u64 != facts.samples || check_sum(&codes) != facts.codes_crc {
        return Err(RecordError::damaged(&path, 0, "its samples are not those that the journal names"));
    }
    Ok(Waveform {
        codes,
        scaling: facts.scaling,
        start_s: facts.start_s,
        step_s: facts.step_s,
        acquisition: facts.acquisition.clone(),
    })
}

fn check_sum(codes: &Codes) -> String {
    format!("{:08x}", waveforms::codes_crc(codes))
}

fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, RecordError> {
    let length = fs::metadata(path).map_err(|error| RecordError::disk("read", path, error))?.len();
    if length > limit {
        return Err(RecordError::damaged(path, 0, format!("it has {length} bytes, more than were written")));
    }
    fs::read(path).map_err(|error| RecordError::disk("read", path, error))
}

/// A record comes from anywhere: it may name files of its own folders and no others.
fn check_name(file: &str, folder: &str) -> Result<(), String> {
    let mut parts = Path::new(file).components();
    let is_inside = matches!(
        (parts.next(), parts.next(), parts.next()),
        (Some(Component::Normal(first)), Some(Component::Normal(_)), None) if first == folder
    );
    if is_inside { Ok(()) } else { Err(format!("`{}` is no file in {folder}/", file.escape_debug())) }
}

fn waveform_facts(entry: WaveformEntry) -> Result<WaveformFacts, String> {
    check_name(&entry.file, "waveforms")?;
    Ok(WaveformFacts {
        file: entry.file,
        point: PointId(entry.point),
        samples: entry.samples,
        scaling: Scaling {
            volts_per_code: entry.volts_per_code.0,
            zero_code: entry.zero_code.0,
            offset_v: entry.code_offset_v.0,
            min_code: entry.min_code,
            max_code: entry.max_code,
        },
        start_s: entry.start_s.0,
        step_s: entry.step_s.0,
        acquisition: acquisition_in(entry.acquisition),
        codes_crc: entry.codes_crc,
    })
}

fn screen_facts(entry: ScreenEntry) -> Result<ScreenFacts, String> {
    check_name(&entry.file, "screens")?;
    Ok(ScreenFacts { file: entry.file, point: PointId(entry.point), bytes: entry.bytes, crc: entry.crc })
}
