//! The seam to the disk: the real one, and one that fills up in the middle of a run.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use crate::base::clock::{Clock, Instant};

/// How bytes reach a file. The record writes through it and nothing else, so that tests can cut a run at every write.
pub trait Disk: Send {
    /// Writes all bytes at the file's position.
    ///
    /// # Errors
    /// What the system answers; then any part of the bytes may be in the file.
    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }
    /// Returns when the file's content is on the medium.
    ///
    /// # Errors
    /// What the system answers; then nothing is known about what was written since the last sync.
    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
    /// The same disk for a thread that only syncs.
    fn beside(&self) -> Box<dyn Disk> {
        Box::new(RealDisk)
    }
}

/// The machine's disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {}

/// A disk that is full after a number of writes: the write that fails leaves the first half of its bytes behind, as a
/// real one does.
#[derive(Debug, Clone, Copy)]
pub struct FullDisk {
    writes_left: u64,
    stays_full: bool,
}

impl FullDisk {
    /// Full from the write after `writes` on, for good.
    #[must_use]
    pub const fn after(writes: u64) -> Self {
        Self { writes_left: writes, stays_full: true }
    }
    /// Only the write after `writes` fails; then somebody has made room.
    #[must_use]
    pub const fn once_after(writes: u64) -> Self {
        Self { writes_left: writes, stays_full: false }
    }
}

impl Disk for FullDisk {
    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if self.writes_left > 0 {
            self.writes_left -= 1;
            return file.write_all(bytes);
        }
        if !self.stays_full {
            self.writes_left = u64::MAX;
        }
        file.write_all(&bytes[..bytes.len() / 2])?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }
}

/// A disk that is full from a moment on.
pub struct FillingDisk {
    clock: Arc<dyn Clock>,
    full_at: Instant,
}

impl FillingDisk {
    /// Full from `full_at` on, by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, full_at: Instant) -> Self {
        Self { clock, full_at }
    }
}

impl Disk for FillingDisk {
    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if self.clock.now() < self.full_at {
            return file.write_all(bytes);
        }
        file.write_all(&bytes[..bytes.len() / 2])?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }
}
