//! New files of a run folder, which wait for the disk together: one after the other, four traces take four times as long.

use std::fs::{self, File, OpenOptions};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use super::RecordError;
use super::disk::Disk;

/// Most files that are synced at the same time, each by a thread.
const MOST_AT_ONCE: usize = 8;

/// Files that are written and of which nobody knows yet whether they are on the disk. Unless they come there all are taken away
/// again: what no journal names says nothing, and on a full disk its room is needed.
#[derive(Debug, Default)]
pub(super) struct NewFiles(Vec<(PathBuf, File)>);

impl NewFiles {
    /// Writes a file that must not be there yet.
    ///
    /// # Errors
    /// It is there, or the disk refuses.
    pub(super) fn write(
        &mut self,
        disk: &mut dyn Disk,
        path: PathBuf,
        bytes: &[u8],
    ) -> Result<(), RecordError> {
        let mut file = new_file(&path)?;
        let written = disk.write(&mut file, bytes).map_err(|error| RecordError::disk("write", &path, error));
        self.0.push((path, file));
        written
    }

    /// Returns when all of them and their names in `folder` are on the disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub(super) fn sync(mut self, disk: &dyn Disk, folder: &Path) -> Result<(), RecordError> {
        let (first, rest) = self.0.split_at(self.0.len().min(MOST_AT_ONCE));
        sync_beside(disk, first, || sync_folder(folder))?;
        rest.chunks(MOST_AT_ONCE).try_for_each(|some| sync_beside(disk, some, || Ok(())))?;
        self.0.clear();
        Ok(())
    }
}

impl Drop for NewFiles {
    fn drop(&mut self) {
        for (path, _) in self.0.drain(..) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Syncs each file in a thread, and does something else meanwhile.
fn sync_beside(
    disk: &dyn Disk,
    files: &[(PathBuf, File)],
    meanwhile: impl FnOnce() -> Result<(), RecordError>,
) -> Result<(), RecordError> {
    let sync = |mut disk: Box<dyn Disk>, (path, file): &(PathBuf, File)| {
        disk.sync(file).map_err(|error| RecordError::disk("sync", path, error))
    };
    thread::scope(|scope| {
        let begin = |file| {
            let disk = disk.beside();
            (file, thread::Builder::new().spawn_scoped(scope, move || sync(disk, file)))
        };
        let threads: Vec<_> = files.iter().map(begin).collect();
        let mut done = meanwhile();
        for (file, thread) in threads {
            done = done.and(match thread {
                Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
                // A machine that has no thread to give syncs one after the other.
                Err(_) => sync(disk.beside(), file),
            });
        }
        done
    })
}

/// A file that is not there yet.
pub(super) fn new_file(path: &Path) -> Result<File, RecordError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.map_err(|error| RecordError::disk("create", path, error))
}

/// A new name in a folder is kept over a loss of power only when the folder itself was synced.
pub(super) fn sync_folder(folder: &Path) -> Result<(), RecordError> {
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|file| file.sync_all());
        synced.map_err(|error| RecordError::disk("sync", folder, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::disk::{FullDisk, RealDisk};
    use std::io;
    use std::sync::{Arc, Barrier};

    /// A disk whose syncs end only once so many wait for it together; the one of an empty file fails.
    struct Together(Arc<Barrier>);

    impl Disk for Together {
        fn sync(&mut self, file: &File) -> io::Result<()> {
            self.0.wait();
            if file.metadata()?.len() == 0 { Err(io::Error::other("the test says so")) } else { Ok(()) }
        }
        fn beside(&self) -> Box<dyn Disk> {
            Box::new(Self(self.0.clone()))
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let files = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn write(disk: &mut dyn Disk, folder: &Path, texts: &[&str]) -> Result<(), RecordError> {
        let mut new = NewFiles::default();
        for (place, text) in texts.iter().enumerate() {
            new.write(disk, folder.join(place.to_string()), text.as_bytes())?;
        }
        new.sync(&*disk, folder)
    }

    #[test]
    fn the_files_of_one_evidence_wait_for_the_disk_together() {
        let folder = tempfile::tempdir().unwrap();
        // Were they synced one after the other, the first would wait for ever.
        let mut disk = Together(Arc::new(Barrier::new(4)));
        write(&mut disk, folder.path(), &["a", "b", "c", "d"]).unwrap();
        assert_eq!(names(folder.path()), ["0", "1", "2", "3"]);
        assert_eq!(fs::read(folder.path().join("2")).unwrap(), b"c");
    }

    #[test]
    fn where_one_cannot_be_written_or_synced_none_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let full = write(&mut FullDisk::after(2), folder.path(), &["a", "b", "c", "d"]).unwrap_err();
        assert!(full.to_string().contains("write"), "{full}");
        assert!(names(folder.path()).is_empty());
        let mut disk = Together(Arc::new(Barrier::new(3)));
        let failed = write(&mut disk, folder.path(), &["a", "", "c"]).unwrap_err();
        assert!(failed.to_string().contains("sync"), "{failed}");
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_file_that_is_there_already_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("1"), "known").unwrap();
        write(&mut RealDisk, folder.path(), &["a", "b"]).unwrap_err();
        assert_eq!(names(folder.path()), ["1"]);
        assert_eq!(fs::read(folder.path().join("1")).unwrap(), b"known");
    }

    #[test]
    fn more_files_than_are_synced_at_once_come_to_the_disk_too() {
        let folder = tempfile::tempdir().unwrap();
        write(&mut RealDisk, folder.path(), &["x"; 3 * MOST_AT_ONCE - 1]).unwrap();
        assert_eq!(names(folder.path()).len(), 3 * MOST_AT_ONCE - 1);
    }
}
