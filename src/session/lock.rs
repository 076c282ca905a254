//! One bench, one program: a lock on each real address, released by the system when the program ends, however it ends.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::SessionError;
#[cfg(target_os = "linux")]
use super::holder_linux::holder_of;
use crate::base::clock::Clock;
use crate::instrument::dialect::Address;

/// Locks held as long as this lives.
#[derive(Debug)]
pub(super) struct BenchLock {
    _files: Vec<File>,
}

impl BenchLock {
    /// For a bench inside the program.
    pub(super) const fn none() -> Self {
        Self { _files: Vec::new() }
    }
    /// Takes the lock of every real address; simulated instruments are each process's own.
    ///
    /// One that is held is waited for no longer than `patience`: a dead-man who has just switched off lets go at once.
    pub(super) fn take<'a>(
        addresses: impl Iterator<Item = &'a Address>,
        clock: &dyn Clock,
        patience: Duration,
    ) -> Result<Self, SessionError> {
        let start = clock.now();
        // Two roles may share one link: a thermometer line carries several sensors.
        let addresses: BTreeSet<String> = addresses
            .filter(|address| !matches!(address, Address::Sim { .. }))
            .map(ToString::to_string)
            .collect();
        let mut files = Vec::new();
        for address in addresses {
            let digest = crate::base::digest::digest(address.as_bytes());
            let path = std::env::temp_dir().join(format!("soakrig-{}.lock", &digest[..16]));
            let file = open_lock(&path).map_err(|error| fault(&path, error))?;
            let mut taken = file.try_lock();
            while matches!(taken, Err(TryLockError::WouldBlock)) && clock.now().since(start) < patience {
                clock.sleep(Duration::from_millis(20));
                taken = file.try_lock();
            }
            match taken {
                Ok(()) => files.push(file),
                Err(TryLockError::WouldBlock) => {
                    let who = holder_of(&file).unwrap_or_else(|| {
                        "another soakrig; wait for it to end, or stop it first".to_owned()
                    });
                    return Err(SessionError::Busy(format!("the instrument at {address} is used by {who}")));
                }
                Err(TryLockError::Error(error)) => return Err(fault(&path, error)),
            }
        }
        Ok(Self { _files: files })
    }
}

/// Only Linux tells it.
#[cfg(not(target_os = "linux"))]
const fn holder_of(_: &File) -> Option<String> {
    None
}

/// The file may have been left by another person of this machine: reading it is enough to lock it.
pub(super) fn open_lock(path: &Path) -> std::io::Result<File> {
    File::open(path).or_else(|_| {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        #[cfg(unix)]
        super::lock_unix::open_to_all(&file);
        Ok(file)
    })
}

fn fault(path: &Path, error: std::io::Error) -> SessionError {
    SessionError::File { what: "lock file of an instrument", path: path.to_owned(), error }
}
