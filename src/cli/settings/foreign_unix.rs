//! Whose a file is.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whether anybody may have put the file there: it lies in a folder that everybody may write to, such as `/tmp`, and is
/// neither this person's nor root's. A settings file may name a command to be run.
pub(super) fn is_foreign(file: &Path) -> bool {
    let folder = file.parent().and_then(|folder| folder.metadata().ok());
    let is_open = folder.is_none_or(|folder| folder.mode() & 0o002 != 0);
    let is_ours = file
        .symlink_metadata()
        .is_ok_and(|facts| facts.uid() == 0 || facts.uid() == rustix::process::geteuid().as_raw());
    is_open && !is_ours
}
