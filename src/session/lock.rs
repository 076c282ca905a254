//! One bench, one program: a lock on each real address, released by the system when the program ends, however it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::SessionError;
#[cfg(target_os = "linux")]
use super::holder_linux::holder_of;
use crate::base::clock::Clock;
use crate::instrument::dialect::Address;

/// Locks held as long as this lives, by the addresses of the instruments.
#[derive(Debug)]
pub(super) struct BenchLock {
    held: BTreeMap<String, File>,
}

impl BenchLock {
    /// For a bench inside the program.
    pub(super) const fn none() -> Self {
        Self { held: BTreeMap::new() }
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
        let mut held = BTreeMap::new();
        for address in lockable(addresses) {
            let path = lock_path(&address);
            let file = open_lock(&path).map_err(|error| fault(&path, error))?;
            let mut taken = file.try_lock();
            while matches!(taken, Err(TryLockError::WouldBlock)) && clock.now().since(start) < patience {
                clock.sleep(Duration::from_millis(20));
                taken = file.try_lock();
            }
            match taken {
                Ok(()) => held.insert(address, file),
                Err(TryLockError::WouldBlock) => {
                    let who = holder_of(&file).unwrap_or_else(|| {
                        "another soakrig; wait for it to end, or stop it first".to_owned()
                    });
                    return Err(SessionError::Busy(format!("the instrument at {address} is used by {who}")));
                }
                Err(TryLockError::Error(error)) => return Err(fault(&path, error)),
            };
        }
        Ok(Self { held })
    }

    /// Takes those of the locks that it has not yet and that are free, each for itself and without waiting; for whoever may not
    /// wait for the others.
    #[cfg(unix)]
    pub(super) fn take_free<'a>(&mut self, addresses: impl Iterator<Item = &'a Address>) {
        for address in lockable(addresses) {
            if self.held.contains_key(&address) {
                continue;
            }
            let file = open_lock(&lock_path(&address)).ok().filter(|file| file.try_lock().is_ok());
            self.held.extend(file.map(|file| (address, file)));
        }
    }
}

/// The addresses that have a lock, each once: two roles may share one link, for a thermometer line carries several sensors.
fn lockable<'a>(addresses: impl Iterator<Item = &'a Address>) -> BTreeSet<String> {
    addresses.filter(|address| !matches!(address, Address::Sim { .. })).map(ToString::to_string).collect()
}

/// Where the lock of the instrument at this address lies. Whoever removes the file takes the lock from whoever holds it.
#[must_use]
pub fn lock_path(address: &str) -> PathBuf {
    let digest = crate::base::digest::digest(address.as_bytes());
    std::env::temp_dir().join(format!("soakrig-{}.lock", &digest[..16]))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::RealClock;

    #[test]
    fn what_is_free_is_taken_without_the_rest_and_the_rest_as_soon_as_it_is_free() {
        let place = std::process::id();
        let [supply, load] = ["supply", "load"].map(|role| -> Address {
            format!("TCPIP::{role}-{place}.invalid::5025::SOCKET").parse().unwrap()
        });
        let both = || [&supply, &load].into_iter();
        let clock = RealClock::new();
        let take = |address| BenchLock::take([address].into_iter(), &clock, Duration::ZERO);
        let other = take(&load).unwrap();
        let mut lock = BenchLock::none();
        lock.take_free(both());
        assert!(matches!(take(&supply), Err(SessionError::Busy(_))), "what was free is kept");
        drop(other);
        // Another test may have started a process just now, which has the file open until it is itself.
        let is_taken = || {
            clock.sleep(Duration::from_millis(1));
            lock.take_free(both());
            lock.held.len() == 2
        };
        assert!(std::iter::repeat_with(is_taken).take(10_000).any(|is_taken| is_taken));
        assert!(matches!(take(&load), Err(SessionError::Busy(_))));
        assert!(matches!(take(&supply), Err(SessionError::Busy(_))));
        drop(lock);
        BenchLock::take(both(), &clock, Duration::from_secs(10)).unwrap();
        for address in [supply, load] {
            let _ = std::fs::remove_file(lock_path(&address.to_string()));
        }
    }
}
