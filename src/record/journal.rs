//! The append-only journal: a JSON object a line, each with a CRC32 that covers the line and the CRC of the line before, so that a
//! missing, doubled or changed line is seen. A line is on the disk before the call returns, but for those that may be on their way
//! there for a moment: see [`super::syncing`].

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::base::clock::{Clock, Instant, RealClock};
use crate::event::Stamp;

use super::RecordError;
use super::disk::Disk;
use super::format::{BodyOut, Entry};
use super::recover::{Tail, Whole, read_lines};
use super::syncing::{Syncing, may_be_on_its_way};

/// The journal's name in a run folder.
pub const FILE_NAME: &str = "journal.jsonl";

/// The longest line that is written or read, in bytes: a run's facts with hundreds of limits stay far below.
pub const MAX_LINE: usize = 1 << 20;

/// What stands between a line's body and its CRC.
const CRC_KEY: &[u8] = b",\"crc\":\"";
const CRC_END: &[u8] = b"\"}";

/// The CRC of a line, chained to the line before. The chain begins with 0.
pub(super) fn chain(before: u32, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&before.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

/// Takes the CRC off a line without its line end: the body and the CRC that stands there.
pub(super) fn split_line(line: &[u8]) -> Option<(&[u8], u32)> {
    let rest = line.strip_suffix(CRC_END)?;
    let (rest, hex) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
    let body = rest.strip_suffix(CRC_KEY)?;
    if !hex.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let crc = u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?;
    Some((body, crc))
}

/// How long a writer waits for the lock: whoever only looks whether somebody writes holds it for a moment, too.
const LOCK_PATIENCE: Duration = Duration::from_millis(250);

/// One writer at a time, for two would tangle the chain; the system lets go when the writer ends, however it ends.
fn lock(file: &File, path: &Path) -> Result<(), RecordError> {
    let clock = RealClock::new();
    let mut taken = file.try_lock();
    while matches!(taken, Err(TryLockError::WouldBlock)) && clock.now().since(Instant(0)) < LOCK_PATIENCE {
        clock.sleep(Duration::from_millis(5));
        taken = file.try_lock();
    }
    taken.map_err(|error| match error {
        TryLockError::WouldBlock => {
            let told = io::Error::other("another soakrig writes to it: that run is still going on");
            RecordError::disk("go on with", path, told)
        }
        TryLockError::Error(error) => RecordError::disk("lock", path, error),
    })
}

/// Whether a program that lives writes to the journal of a run folder, told by its lock.
///
/// # Errors
/// There is no journal, or the file system knows no locks.
pub fn is_being_written(folder: &Path) -> Result<bool, RecordError> {
    let path = folder.join(FILE_NAME);
    let file = File::open(&path).map_err(|error| RecordError::disk("open", &path, error))?;
    // A shared lock, so that many may look at once; it is let go with the file, at once.
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(RecordError::disk("look at the lock of", &path, error)),
    }
}

/// Whether the journal of a run folder can be written to at all; nothing is changed.
///
/// # Errors
/// There is none, or the system refuses.
pub fn check_writable(folder: &Path) -> Result<(), RecordError> {
    let path = folder.join(FILE_NAME);
    let opened = OpenOptions::new().append(true).open(&path);
    opened.map(|_| ()).map_err(|error| RecordError::disk("go on with", &path, error))
}

/// A journal being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    seq: u64,
    crc: u32,
    /// Bytes of whole lines that are on the disk.
    synced_bytes: u64,
    /// The lines behind them, which are on their way there.
    unsynced: Vec<u8>,
    /// Where something failed: so many bytes of those are in the file as they should be. What lies behind is cut, and what is
    /// lacking is written again, before the next line.
    torn_behind: Option<usize>,
    line: Vec<u8>,
    syncing: Syncing,
}

/// So many bytes are on their way to the disk at most.
const MOST_UNSYNCED: usize = 1 << 20;

impl Journal {
    /// A new journal in a run folder.
    ///
    /// # Errors
    /// There is one already, or the disk refuses.
    pub fn create(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(FILE_NAME);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|error| RecordError::disk("create", &path, error))?;
        lock(&file, &path)?;
        Ok(Self::behind((file, path), Whole::NOTHING, Arc::new(RealClock::new())))
    }

    fn behind((file, path): (File, PathBuf), whole: Whole, clock: Arc<dyn Clock>) -> Self {
        let Whole { lines: seq, crc, bytes: synced_bytes } = whole;
        let (unsynced, torn_behind, line) = (Vec::new(), None, Vec::new());
        Self { file, path, seq, crc, synced_bytes, unsynced, torn_behind, line, syncing: Syncing::new(clock) }
    }

    /// The journal of a run whose writer is gone, to be gone on with: behind its last whole line, a torn one is cut. How it
    /// ended comes with it.
    ///
    /// # Errors
    /// There is none, it is damaged before its last line, or the disk refuses.
    pub(super) fn reopen(folder: &Path) -> Result<(Self, Tail), RecordError> {
        Self::reopen_by(folder, || read_lines(&folder.join(FILE_NAME), |_| Ok(())))
    }

    /// The same where somebody reads it for more than its end: `read` is called once nobody else can write to it, and tells
    /// what comes of it and where the whole lines end.
    ///
    /// # Errors
    /// As [`Journal::reopen`]; what `read` says.
    pub(super) fn reopen_by<T>(
        folder: &Path,
        read: impl FnOnce() -> Result<(T, Whole), RecordError>,
    ) -> Result<(Self, T), RecordError> {
        let path = folder.join(FILE_NAME);
        let file = OpenOptions::new().write(true).open(&path);
        let file = file.map_err(|error| RecordError::disk("open", &path, error))?;
        lock(&file, &path)?;
        let (read, whole) = read()?;
        let mut journal = Self::behind((file, path), whole, Arc::new(RealClock::new()));
        let cut = journal.cut_behind(0);
        cut.map_err(|error| RecordError::disk("cut a torn line of", &journal.path, error))?;
        Ok((journal, read))
    }

    /// Appends a line. When it returns, the line and all before it are on the disk, or on their way there where the line may be.
    ///
    /// # Errors
    /// The disk refuses; then the line is not in the journal, and the next append takes away what was left of it. What was
    /// appended before and was still on its way is written again.
    pub(super) fn append(
        &mut self,
        disk: &mut dyn Disk,
        at: Stamp,
        entry: &Entry,
    ) -> Result<(), RecordError> {
        let crc = self.build_line(at, entry)?;
        let written = self.write_line(disk, may_be_on_its_way(entry));
        self.or_mended(written, disk)?;
        self.seq += 1;
        self.crc = crc;
        Ok(())
    }

    /// Returns when everything that was appended is on the disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub(super) fn sync(&mut self, disk: &mut dyn Disk) -> Result<(), RecordError> {
        let synced = self.look_at_thread().and_then(|()| self.mend(disk)).and_then(|()| self.wait(disk));
        self.or_mended(synced, disk)
    }

    fn or_mended(&mut self, done: io::Result<()>, disk: &mut dyn Disk) -> Result<(), RecordError> {
        done.map_err(|error| {
            // When even this fails, the next append tries again, and a reader cuts the torn line.
            let _ = self.mend(disk);
            RecordError::disk("append to", &self.path, error)
        })
    }

    fn write_line(&mut self, disk: &mut dyn Disk, may_be_left: bool) -> io::Result<()> {
        self.look_at_thread()?;
        self.mend(disk)?;
        let before = self.unsynced.len();
        if let Err(error) = disk.write(&mut self.file, &self.line) {
            self.torn_behind = Some(before);
            return Err(error);
        }
        self.unsynced.extend_from_slice(&self.line);
        let is_left = may_be_left && self.syncing.is_in_time() && self.unsynced.len() <= MOST_UNSYNCED;
        let kept = if is_left {
            self.syncing.ask(&*disk, &self.file, self.synced_bytes + self.unsynced.len() as u64)
        } else {
            self.wait(disk)
        };
        if kept.is_err() {
            self.unsynced.truncate(before);
            self.torn_behind = Some(0);
        }
        kept
    }

    fn wait(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        if self.unsynced.is_empty() {
            return Ok(());
        }
        let bytes = self.synced_bytes + self.unsynced.len() as u64;
        let synced = self.syncing.wait(disk, &self.file, bytes);
        self.learn(synced.map(|()| Some(bytes)))
    }

    fn look_at_thread(&mut self) -> io::Result<()> {
        let answers = self.syncing.answers(false);
        self.learn(answers)
    }

    /// What is on the disk needs no writing again; after an error nothing is known of all the rest.
    fn learn(&mut self, synced: io::Result<Option<u64>>) -> io::Result<()> {
        match synced {
            Ok(None) => Ok(()),
            Ok(Some(bytes)) => {
                let count = usize::try_from(bytes.saturating_sub(self.synced_bytes)).unwrap_or(usize::MAX);
                self.unsynced.drain(..count.min(self.unsynced.len()));
                self.synced_bytes = bytes;
                Ok(())
            }
            Err(error) => {
                self.torn_behind = Some(0);
                Err(error)
            }
        }
    }

    fn build_line(&mut self, at: Stamp, entry: &Entry) -> Result<u32, RecordError> {
        let utc = at.utc.to_string();
        let body = BodyOut { seq: self.seq, utc: &utc, ns: at.monotonic.0, entry };
        self.line.clear();
        serde_json::to_writer(&mut self.line, &body)
            .map_err(|error| RecordError::disk("write as JSON into", &self.path, io::Error::other(error)))?;
        self.line.pop();
        let crc = chain(self.crc, &self.line);
        self.line.extend_from_slice(CRC_KEY);
        self.line.extend_from_slice(format!("{crc:08x}").as_bytes());
        self.line.extend_from_slice(CRC_END);
        self.line.push(b'\n');
        if self.line.len() > MAX_LINE {
            let told = format!("a line of {} bytes is longer than the limit of {MAX_LINE}", self.line.len());
            return Err(RecordError::disk("append to", &self.path, io::Error::other(told)));
        }
        Ok(crc)
    }

    /// Brings the file to what it should be where something failed.
    fn mend(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        let Some(good) = self.torn_behind else { return Ok(()) };
        self.cut_behind(good)?;
        if good < self.unsynced.len() {
            disk.write(&mut self.file, &self.unsynced[good..])?;
        }
        self.torn_behind = None;
        Ok(())
    }

    fn cut_behind(&mut self, good: usize) -> io::Result<()> {
        let bytes = self.synced_bytes + good as u64;
        self.file.set_len(bytes)?;
        self.file.seek(SeekFrom::Start(bytes)).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::SimClock;
    use crate::base::units::{Amps, Volts};
    use crate::event::{
        LimitCheck, Outcome, PointId, PointResult, PointVerdict, Region, Regulation, Setting,
    };
    use crate::record::line::What;
    use crate::record::pieces::point_out;
    use jiff::Timestamp;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A disk whose syncs beside the run last until the test says how they end; how far the file was on it with the last one.
    #[derive(Clone)]
    struct Slow {
        ends: Arc<Mutex<Receiver<bool>>>,
        on_disk: Arc<AtomicU64>,
        is_beside: bool,
    }

    impl Disk for Slow {
        fn sync(&mut self, file: &File) -> io::Result<()> {
            let bytes = file.metadata()?.len();
            if self.is_beside && !self.ends.lock().unwrap().recv().unwrap() {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            self.on_disk.fetch_max(bytes, Ordering::SeqCst);
            Ok(())
        }
        fn beside(&self) -> Box<dyn Disk> {
            Box::new(Self { is_beside: true, ..self.clone() })
        }
    }

    struct Stage {
        folder: tempfile::TempDir,
        clock: Arc<SimClock>,
        disk: Slow,
        ends: Sender<bool>,
        journal: Journal,
    }

    impl Stage {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let clock = Arc::new(SimClock::starting_at(Timestamp::UNIX_EPOCH));
            let path = folder.path().join(FILE_NAME);
            let file = File::create(&path).unwrap();
            let (ends, receiver) = channel();
            let (receiver, on_disk) = (Arc::new(Mutex::new(receiver)), Arc::default());
            let disk = Slow { ends: receiver, on_disk, is_beside: false };
            let journal = Journal::behind((file, path), Whole::NOTHING, clock.clone());
            Self { folder, clock, disk, ends, journal }
        }

        fn append(&mut self, entry: &Entry) -> Result<(), RecordError> {
            let at = Stamp { utc: Timestamp::UNIX_EPOCH, monotonic: Instant(0) };
            self.journal.append(&mut self.disk, at, entry)
        }

        fn calm(&mut self, point: u32) -> Result<(), RecordError> {
            self.append(&Entry::EvidenceKept { point, why: "a test".to_owned() })
        }

        fn warning(&mut self) -> Result<(), RecordError> {
            self.append(&Entry::Warned { what: "a test".to_owned() })
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join(FILE_NAME)
        }

        fn is_all_on_disk(&self) -> bool {
            self.disk.on_disk.load(Ordering::SeqCst) == std::fs::metadata(self.path()).unwrap().len()
        }

        /// The points of the lines that are read back, 0 for another line.
        fn told(&self) -> Vec<u32> {
            let mut told = Vec::new();
            let (tail, _) = read_lines(&self.path(), |line| {
                told.push(match line.what {
                    What::Entry(Entry::EvidenceKept { point, .. }) => point,
                    _ => 0,
                });
                Ok(())
            })
            .unwrap();
            assert_eq!(tail, Tail::Whole);
            told
        }
    }

    #[test]
    fn lines_that_come_faster_than_the_disk_share_a_sync_and_a_warning_waits_for_them_all() {
        let mut stage = Stage::new();
        stage.warning().unwrap();
        // The first sync beside the run does not end before all of these have come.
        for point in 1..=20 {
            stage.calm(point).unwrap();
        }
        assert!(!stage.is_all_on_disk());
        for _ in 0..3 {
            stage.ends.send(true).unwrap();
        }
        stage.warning().unwrap();
        assert!(stage.is_all_on_disk());
        assert_eq!(stage.told(), [&[0], &(1..=20).collect::<Vec<u32>>()[..], &[0]].concat());
    }

    fn finished(outcome: Outcome) -> Entry {
        let result = PointResult {
            point: PointId(1),
            repeat: 1,
            phase: None,
            setting: Setting { vin: Volts(24.0), load: Amps(0.5) },
            figures: std::iter::empty().collect(),
            bounds: std::collections::BTreeMap::new(),
            region: Region::Regulated,
            regulation: Ok(Regulation::ConstantVoltage),
            checks: vec![LimitCheck { limit: 0, outcome }],
            verdict: PointVerdict::Pass,
            notes: Vec::new(),
        };
        Entry::PointFinished(Box::new(point_out(&result)))
    }

    #[test]
    fn a_point_that_broke_a_limit_is_waited_for_and_one_that_broke_none_is_not() {
        let mut stage = Stage::new();
        stage.warning().unwrap();
        stage.append(&finished(Outcome::Marginal(0.7))).unwrap();
        assert!(!stage.is_all_on_disk());
        for _ in 0..2 {
            stage.ends.send(true).unwrap();
        }
        stage.append(&finished(Outcome::Fail(0.6))).unwrap();
        assert!(stage.is_all_on_disk());
    }

    #[test]
    fn a_line_that_comes_alone_is_on_the_disk_before_the_run_goes_on() {
        let mut stage = Stage::new();
        for point in 1..5 {
            stage.clock.sleep(Duration::from_millis(200));
            stage.calm(point).unwrap();
            assert!(stage.is_all_on_disk(), "point {point}");
        }
    }

    #[test]
    fn no_line_is_on_its_way_for_longer_than_a_moment_and_the_next_ones_coming() {
        let mut stage = Stage::new();
        stage.warning().unwrap();
        stage.calm(1).unwrap();
        stage.clock.sleep(Duration::from_millis(199));
        stage.calm(2).unwrap();
        assert!(!stage.is_all_on_disk());
        stage.clock.sleep(Duration::from_millis(1));
        // Only once the third one is written: before, the two that are on their way are not on the disk.
        let (ends, path) = (stage.ends.clone(), stage.path());
        let beside = std::thread::spawn(move || {
            while std::fs::read(&path).unwrap().iter().filter(|byte| **byte == b'\n').count() < 4 {
                std::thread::yield_now();
            }
            for _ in 0..3 {
                ends.send(true).unwrap();
            }
        });
        stage.calm(3).unwrap();
        assert!(stage.is_all_on_disk());
        beside.join().unwrap();
    }

    #[test]
    fn a_sync_that_fails_beside_the_run_is_told_with_the_next_line_and_loses_no_line_that_was_told() {
        let mut stage = Stage::new();
        stage.warning().unwrap();
        stage.calm(1).unwrap();
        stage.calm(2).unwrap();
        // However many share the one that fails.
        stage.ends.send(false).unwrap();
        for _ in 0..8 {
            stage.ends.send(true).unwrap();
        }
        let told = stage.warning().unwrap_err().to_string();
        assert!(told.contains("append to"), "{told}");
        assert_eq!(stage.told(), [0, 1, 2], "the line that failed is not there");
        stage.calm(3).unwrap();
        stage.warning().unwrap();
        assert_eq!(stage.told(), [0, 1, 2, 3, 0]);
        assert!(stage.is_all_on_disk());
    }

    #[test]
    fn whoever_lets_go_of_a_journal_leaves_it_on_the_disk_and_unlocked() {
        let mut stage = Stage::new();
        stage.warning().unwrap();
        stage.calm(1).unwrap();
        stage.calm(2).unwrap();
        let Stage { folder, disk, ends, journal, .. } = stage;
        for _ in 0..2 {
            ends.send(true).unwrap();
        }
        drop(journal);
        let path = folder.path().join(FILE_NAME);
        assert_eq!(disk.on_disk.load(Ordering::SeqCst), std::fs::metadata(&path).unwrap().len());
        lock(&File::open(&path).unwrap(), &path).unwrap();
    }
}
