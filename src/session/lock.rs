//! One bench, one program: a lock on each real address, released by the system when the program ends, however it ends.

use std::fs::{File, TryLockError};

use super::SessionError;
use crate::instrument::dialect::Address;

/// Locks held as long as this lives.
#[derive(Debug)]
pub(super) struct BenchLock {
    _files: Vec<File>,
}

impl BenchLock {
    /// Takes the lock of every real address; simulated instruments are each process's own.
    pub(super) fn take<'a>(addresses: impl Iterator<Item = &'a Address>) -> Result<Self, SessionError> {
        let mut files = Vec::new();
        for address in addresses.filter(|address| !matches!(address, Address::Sim { .. })) {
            let digest = crate::record::recorder::digest(address.to_string().as_bytes());
            let path = std::env::temp_dir().join(format!("soakrig-{}.lock", &digest[..16]));
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .map_err(|error| SessionError::File { path: path.clone(), error })?;
            match file.try_lock() {
                Ok(()) => files.push(file),
                Err(TryLockError::WouldBlock) => {
                    return Err(SessionError::Busy(format!(
                        "another soakrig uses the instrument at {address}; wait for it to end, or stop it first"
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(SessionError::File { path, error }),
            }
        }
        Ok(Self { _files: files })
    }
}
