//! A lock file that everybody on this machine may read: Unix only.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;

/// Reading it is enough to lock it. Whoever makes it with a narrow mask would keep others from seeing that the instrument is
/// in use; they would be told of a file instead.
pub(super) fn open_to_all(file: &File) {
    // It is somebody else's where this fails, and then it could be opened as it is.
    let _ = file.set_permissions(Permissions::from_mode(0o644));
}

#[cfg(test)]
mod tests {
    use std::fs::TryLockError;
    use std::os::unix::fs::PermissionsExt;

    use super::super::lock::open_lock;

    #[test]
    fn a_lock_that_a_service_with_a_narrow_mask_has_made_is_seen_by_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("soakrig-x.lock");
        let made = open_lock(&path).unwrap();
        assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o644);
        made.try_lock().unwrap();
        assert!(matches!(open_lock(&path).unwrap().try_lock(), Err(TryLockError::WouldBlock)));
    }
}
