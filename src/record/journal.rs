//! The append-only journal: a JSON object a line, each line on the disk before the call returns, each with a CRC32 that
//! covers the line and the CRC of the line before, so that a missing, doubled or changed line is seen.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::clock::{Clock, Instant, RealClock};
use crate::event::Stamp;

use super::RecordError;
use super::disk::Disk;
use super::format::{BodyOut, Entry};
use super::recover::{Tail, Whole, read_lines};

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
    /// Bytes of whole, synced lines. What lies behind is the rest of a failed write and is cut before the next.
    whole_bytes: u64,
    is_behind_torn: bool,
    line: Vec<u8>,
}

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
        Ok(Self { file, path, seq: 0, crc: 0, whole_bytes: 0, is_behind_torn: false, line: Vec::new() })
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
        let (seq, crc, whole_bytes) = (whole.lines, whole.crc, whole.bytes);
        let mut journal = Self { file, path, seq, crc, whole_bytes, is_behind_torn: false, line: Vec::new() };
        let cut = journal.cut_rest();
        cut.map_err(|error| RecordError::disk("cut a torn line of", &journal.path, error))?;
        Ok((journal, read))
    }

    /// Appends a line and returns when it is on the disk.
    ///
    /// # Errors
    /// The disk refuses; then the line is not in the journal, and the next append takes away what was left of it.
    pub(super) fn append(
        &mut self,
        disk: &mut dyn Disk,
        at: Stamp,
        entry: &Entry,
    ) -> Result<(), RecordError> {
        let crc = self.build_line(at, entry)?;
        if self.is_behind_torn {
            self.cut_rest()
                .map_err(|error| RecordError::disk("mend after a failed write", &self.path, error))?;
        }
        let written = disk.write(&mut self.file, &self.line).and_then(|()| disk.sync(&self.file));
        if let Err(error) = written {
            // When even this fails, the next append tries again, and a reader cuts the torn line.
            self.is_behind_torn = self.cut_rest().is_err();
            return Err(RecordError::disk("append to", &self.path, error));
        }
        self.whole_bytes += self.line.len() as u64;
        self.seq += 1;
        self.crc = crc;
        Ok(())
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

    fn cut_rest(&mut self) -> io::Result<()> {
        self.file.set_len(self.whole_bytes)?;
        self.file.seek(SeekFrom::Start(self.whole_bytes))?;
        self.is_behind_torn = false;
        Ok(())
    }
}
