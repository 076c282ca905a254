//! A lock file that everybody on this machine may read: Unix only.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;

/// Reading it is enough to lock it. Whoever makes it with a narrow mask would keep others from seeing that the instrument is
/// in use; they would be told of a file instead.
pub(super) fn open_to_all(file: &File) {
    // It is somebody else's where this fails, and then it could be opened as it is.
    let _ = file.set_permissions(Permissions::from_mode(0o644));
}
