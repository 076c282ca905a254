//! Writes the record of a run while it happens. An event is on the disk when its call returns, or on its way there where nobody
//! acts on it alone (see [`super::syncing`]); a trace is on the disk before the journal names it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::iter;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::base::digest::digest;
use crate::base::names::{ProfileName, Role};
use crate::event::{Board, Event, PointId, Readings, Sink, SinkError, Stamp};
use crate::waveform::{Codes, Waveform};

use super::convert::entry_of;
use super::disk::{Disk, RealDisk};
use super::format::{Entry, Header, Number, ScreenEntry, VERSION, WaveformEntry};
use super::journal::Journal;
use super::new_files::{NewFiles, new_file, sync_folder};
use super::pieces::acquisition_out;
use super::products::{self, Hashing};
use super::reader::Record;
use super::samples_csv;
use super::unfinished::Unfinished;
use super::{RecordError, export_csv, summary, waveforms};

/// The journal's name for its own format.
pub(super) const FORMAT: &str = "soakrig-journal";

/// The folder in a run folder with the families that are no part of the program.
pub const FAMILIES: &str = "families";

/// Runs of one profile on one board that may begin in the same second.
const MOST_IN_A_SECOND: u32 = 9;

/// What a run folder begins with.
#[derive(Debug, Clone)]
pub struct RunHeader {
    /// When the run began; part of the folder's name.
    pub started: Stamp,
    /// The profile; part of the folder's name.
    pub profile: ProfileName,
    /// The board; its serial is part of the folder's name.
    pub board: Board,
    /// The rig file as read.
    pub rig_text: String,
    /// The profile file as read.
    pub profile_text: String,
    /// The plan as rendered for people.
    pub plan_text: String,
    /// Names and texts of the families that are no part of the program.
    pub families: Vec<(String, String)>,
}

impl RunHeader {
    /// The run folder's name, e.g. `2026-11-23T16-04-10Z_line-load-sweep_0007`; of runs that begin in the same second the
    /// second gets `-2` behind it, the third `-3` and so on.
    #[must_use]
    pub fn folder_name(&self) -> String {
        // Colons cannot stand in file names everywhere.
        let started = self.started.utc.strftime("%Y-%m-%dT%H-%M-%SZ");
        format!("{started}_{}_{}", self.profile, self.board.serial)
    }
}

/// A transcript of one instrument's conversation, a line an exchange, for people and for replay. Clones write to the same
/// file. A line that cannot be written is no event's loss: the next event is kept, but its call fails and says so.
#[derive(Debug, Clone)]
pub struct TapeFile {
    inner: Arc<Mutex<Tape>>,
}

#[derive(Debug)]
struct Tape {
    file: File,
    path: PathBuf,
    failed: Option<io::Error>,
}

impl TapeFile {
    /// Appends a line; the line end is added.
    pub fn append(&self, line: &str) {
        let mut tape = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if tape.failed.is_none() {
            let mut bytes = Vec::with_capacity(line.len() + 1);
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
            tape.failed = tape.file.write_all(&bytes).err();
        }
    }

    /// The failure since the last call, if there was one; the tape then tries again.
    fn check(&self) -> Result<(), RecordError> {
        let mut tape = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match tape.failed.take() {
            Some(error) => Err(RecordError::disk("append to", &tape.path, error)),
            None => Ok(()),
        }
    }
}

/// Writes a run folder. It is a [`Sink`] for the engine.
pub struct Recorder {
    folder: PathBuf,
    disk: Box<dyn Disk>,
    journal: Journal,
    points: File,
    /// The table of readings, from the first ones on.
    samples: Option<File>,
    tapes: Vec<TapeFile>,
    /// What is there already is gone on with.
    resumes: bool,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// A run whose writing has ended.
#[derive(Debug)]
pub struct Sealed {
    /// As it was read back from the disk.
    pub record: Record,
    /// The hashes of its files, which need no second look.
    pub hashes: Hashing,
}

impl Recorder {
    /// Makes a new run folder below `out` (which is made if it is not there) and begins its journal.
    ///
    /// # Errors
    /// The folder exists already, and those for more runs in the same second, too; or the disk refuses.
    pub fn create(out: &Path, header: &RunHeader) -> Result<Self, RecordError> {
        Self::create_on(Box::new(RealDisk), out, header)
    }

    /// The same on another disk: see [`super::disk::FullDisk`].
    ///
    /// # Errors
    /// As [`Recorder::create`].
    pub fn create_on(mut disk: Box<dyn Disk>, out: &Path, header: &RunHeader) -> Result<Self, RecordError> {
        fs::create_dir_all(out).map_err(|error| RecordError::disk("make the folder", out, error))?;
        let run = make_folder(out, &header.folder_name())?;
        let folder = out.join(&run);
        let mut files = BTreeMap::new();
        let texts = [
            ("rig.toml", &header.rig_text),
            ("profile.toml", &header.profile_text),
            ("plan.txt", &header.plan_text),
        ];
        let mut new = NewFiles::default();
        for (name, text) in texts {
            new.write(&mut *disk, folder.join(name), text.as_bytes())?;
            files.insert(name.to_owned(), digest(text.as_bytes()));
        }
        new.sync(&*disk, &folder)?;
        if !header.families.is_empty() {
            let path = folder.join(FAMILIES);
            fs::create_dir(&path).map_err(|error| RecordError::disk("make the folder", &path, error))?;
            let mut new = NewFiles::default();
            for (name, text) in &header.families {
                new.write(&mut *disk, path.join(name), text.as_bytes())?;
                files.insert(format!("{FAMILIES}/{name}"), digest(text.as_bytes()));
            }
            new.sync(&*disk, &path)?;
        }
        let points_path = folder.join(export_csv::FILE_NAME);
        let mut points = new_file(&points_path)?;
        disk.write(&mut points, export_csv::header().as_bytes())
            .map_err(|error| RecordError::disk("write", &points_path, error))?;
        let mut journal = Journal::create(&folder)?;
        let first = Header { format: FORMAT.to_owned(), version: VERSION, run, files };
        journal.append(&mut *disk, header.started, &Entry::Header(first))?;
        sync_folder(&folder)?;
        sync_folder(out)?;
        Ok(Self { folder, disk, journal, points, samples: None, tapes: Vec::new(), resumes: false })
    }

    /// Goes on with a run: see [`Recorder::go_on`]. The record as it was found comes with the recorder.
    ///
    /// # Errors
    /// As [`Unfinished::read`] and [`Recorder::go_on`].
    pub fn resume(folder: &Path) -> Result<(Self, Record), RecordError> {
        Self::go_on(Unfinished::read(folder, |_, _| ())?)
    }

    /// Goes on with a run that was read: a torn last line of its journal is cut; a seal is taken off, and the tables are made
    /// again from what is left. Nobody else may write to the folder.
    ///
    /// # Errors
    /// The record is not what was read any more, or was changed after it was sealed, or the disk refuses.
    pub fn go_on(unfinished: Unfinished) -> Result<(Self, Record), RecordError> {
        let (journal, rows) = thread::scope(|scope| {
            let rows = scope.spawn(|| export_csv::render_points(unfinished.record()));
            (unfinished.reopen(), rows.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let (journal, (record, table)) = (journal?, unfinished.into_parts());
        let folder = record.folder().to_owned();
        products::unseal(&folder)?;
        let path = folder.join(export_csv::FILE_NAME);
        let rows = rows?;
        let mut disk: Box<dyn Disk> = Box::new(RealDisk);
        let points = File::create(&path).and_then(|mut file| {
            disk.write(&mut file, rows.as_bytes())?;
            Ok(file)
        });
        let points = points.map_err(|error| RecordError::disk("write", &path, error))?;
        let samples = table.mend(&folder)?;
        Ok((Self { folder, disk, journal, points, samples, tapes: Vec::new(), resumes: true }, record))
    }

    /// The run folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A new transcript `tapes/<role>.tape`.
    ///
    /// # Errors
    /// The role has one already, or the disk refuses.
    pub fn tape(&mut self, role: &Role) -> Result<TapeFile, RecordError> {
        let path = self.subfolder("tapes")?.join(format!("{role}.tape"));
        let file = if self.resumes {
            let file = OpenOptions::new().append(true).create(true).open(&path);
            file.map_err(|error| RecordError::disk("open", &path, error))?
        } else {
            new_file(&path)?
        };
        let tape = TapeFile { inner: Arc::new(Mutex::new(Tape { file, path, failed: None })) };
        self.tapes.push(tape.clone());
        Ok(tape)
    }

    /// Returns when every event so far is on the disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn sync(&mut self) -> Result<(), RecordError> {
        self.journal.sync(&mut *self.disk)
    }

    /// Ends writing, reads the record back from the disk, writes `points.csv` and `summary.json` from it and, if the run
    /// has its end in the journal, the manifest. What was read comes back, so that more can be made of it.
    ///
    /// # Errors
    /// The disk refuses, or the record read back is damaged.
    pub fn seal(mut self) -> Result<Sealed, RecordError> {
        self.sync()?;
        self.tapes.iter().try_for_each(TapeFile::check)?;
        let folder = self.folder;
        drop((self.journal, self.points, self.samples, self.tapes));
        let hashing = Hashing::begin_in(&folder);
        let record = Record::open(&folder)?;
        let hashes = products::write_with(&record, &summary::build(&record), &[], hashing)?.hashes;
        Ok(Sealed { record, hashes })
    }

    fn subfolder(&self, name: &str) -> Result<PathBuf, RecordError> {
        let path = self.folder.join(name);
        match fs::create_dir(&path) {
            Ok(()) => sync_folder(&self.folder).map(|()| path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(path),
            Err(error) => Err(RecordError::disk("make the folder", &path, error)),
        }
    }

    fn append(&mut self, at: Stamp, entry: &Entry) -> Result<(), RecordError> {
        // The journal first: a tape that failed must not cost the event that happens to come next.
        self.journal.append(&mut *self.disk, at, entry)?;
        self.tapes.iter().try_for_each(TapeFile::check)
    }

    fn append_event(&mut self, at: Stamp, event: &Event) -> Result<(), RecordError> {
        self.append(at, &entry_of(event)?)?;
        if let Event::ReadingsTaken(readings) = event {
            return self.append_samples(readings);
        }
        if let Event::PointFinished(result) = event {
            let path = self.folder.join(export_csv::FILE_NAME);
            let row = export_csv::row(result)?;
            self.disk
                .write(&mut self.points, row.as_bytes())
                .map_err(|error| RecordError::disk("append to", &path, error))?;
        }
        Ok(())
    }

    /// The table of readings, which is not synced: it can be made again from the journal.
    fn append_samples(&mut self, readings: &Readings) -> Result<(), RecordError> {
        let path = self.folder.join(samples_csv::FILE_NAME);
        let fault = |error| RecordError::disk("append to", &path, error);
        let mut text = Vec::new();
        if self.samples.is_none() {
            self.samples = Some(new_file(&path)?);
            text.extend_from_slice(samples_csv::header().as_bytes());
        }
        samples_csv::add_rows(&mut text, readings);
        let Some(file) = &mut self.samples else { return Ok(()) };
        self.disk.write(file, &text).map_err(fault)
    }

    /// Keeps the traces of a capture, which wait for the disk together, and why they are kept.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn evidence(
        &mut self,
        at: Stamp,
        (point, why): (PointId, String),
        traces: &[(Stamp, Waveform)],
    ) -> Result<(), RecordError> {
        self.append_waveforms(point, traces.iter().map(|(taken, trace)| (*taken, trace)))?;
        self.append_event(at, &Event::EvidenceKept { point, why })
    }

    fn append_waveforms<'w>(
        &mut self,
        point: PointId,
        traces: impl Iterator<Item = (Stamp, &'w Waveform)>,
    ) -> Result<(), RecordError> {
        let folder = self.subfolder("waveforms")?;
        let (mut new, mut entries) = (NewFiles::default(), Vec::new());
        for (at, trace) in traces {
            let about = &trace.acquisition;
            let stem = format!("p{:04}_{}_{}", point.0, file_word(&about.signal), file_word(&about.purpose));
            let name = numbered(&folder, &stem, "npy");
            new.write(&mut *self.disk, folder.join(&name), &waveforms::render_npy(&trace.codes))?;
            entries.push((at, waveform_entry(format!("waveforms/{name}"), point, trace)));
        }
        new.sync(&*self.disk, &folder)?;
        entries.into_iter().try_for_each(|(at, entry)| self.append(at, &Entry::Waveform(Box::new(entry))))
    }

    fn append_screen(&mut self, at: Stamp, point: PointId, png: &[u8]) -> Result<(), RecordError> {
        let folder = self.subfolder("screens")?;
        let name = numbered(&folder, &format!("p{:04}", point.0), "png");
        let mut new = NewFiles::default();
        new.write(&mut *self.disk, folder.join(&name), png)?;
        new.sync(&*self.disk, &folder)?;
        let entry = ScreenEntry {
            file: format!("screens/{name}"),
            point: point.0,
            bytes: png.len() as u64,
            crc: format!("{:08x}", crc32fast::hash(png)),
        };
        self.append(at, &Entry::Screen(entry))
    }
}

impl Sink for Recorder {
    fn event(&mut self, at: Stamp, event: &Event) -> Result<(), SinkError> {
        self.append_event(at, event).map_err(|error| SinkError(error.to_string()))
    }
    fn waveform(&mut self, at: Stamp, point: PointId, waveform: &Waveform) -> Result<(), SinkError> {
        self.append_waveforms(point, iter::once((at, waveform))).map_err(|error| SinkError(error.to_string()))
    }
    fn screen(&mut self, at: Stamp, point: PointId, png: &[u8]) -> Result<(), SinkError> {
        self.append_screen(at, point, png).map_err(|error| SinkError(error.to_string()))
    }
}

/// Makes a folder that is new; its name is `name`, or, where other runs have begun in the same second, that with a number.
fn make_folder(out: &Path, name: &str) -> Result<String, RecordError> {
    for count in 1..=MOST_IN_A_SECOND {
        let run = if count == 1 { name.to_owned() } else { format!("{name}-{count}") };
        let folder = out.join(&run);
        // One call makes the folder or finds it there: two runs can never share one.
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(run),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(RecordError::disk("make the folder", &folder, error)),
        }
    }
    Err(RecordError::Exists(out.join(name)))
}

fn waveform_entry(file: String, point: PointId, waveform: &Waveform) -> WaveformEntry {
    let scaling = waveform.scaling;
    WaveformEntry {
        file,
        point: point.0,
        samples: waveform.codes.len() as u64,
        codes: match waveform.codes {
            Codes::U8(_) => "u1".to_owned(),
            Codes::I16(_) => "i2".to_owned(),
            Codes::F32(_) => "f4".to_owned(),
        },
        codes_crc: format!("{:08x}", waveforms::codes_crc(&waveform.codes)),
        volts_per_code: Number(scaling.volts_per_code),
        zero_code: Number(scaling.zero_code),
        code_offset_v: Number(scaling.offset_v),
        min_code: scaling.min_code,
        max_code: scaling.max_code,
        start_s: Number(waveform.start_s),
        step_s: Number(waveform.step_s),
        acquisition: acquisition_out(&waveform.acquisition),
    }
}

/// A name of a file that is new; a point that is measured again gets `_2`, `_3` and so on.
fn numbered(folder: &Path, stem: &str, extension: &str) -> String {
    let mut name = format!("{stem}.{extension}");
    let mut count = 1_u32;
    while folder.join(&name).exists() {
        count += 1;
        name = format!("{stem}_{count}.{extension}");
    }
    name
}

/// A word as part of a file name: whatever is not a plain letter or digit becomes `-`.
fn file_word(word: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    word.chars().take(32).map(plain).collect()
}
