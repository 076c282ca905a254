//! Brings lines of a journal to the disk in a thread of its own, while the next ones are made: where lines come faster than the
//! disk can take them, all that have come meanwhile share its next sync.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::disk::Disk;
use super::format::{Entry, OutcomeEntry};
use crate::base::clock::{Clock, Instant};

/// A line is left to the thread only where all before it were on the disk so long ago at most. Lines that come one at a time, as
/// on every real bench, are waited for, and no line is ever longer on its way than this and the next line's coming.
const LONGEST: Duration = Duration::from_millis(200);

/// Whether a line may be on its way to the disk while the run goes on. Nobody acts on these alone, and a run that is gone on with
/// does again what they tell. Everything else, such as a point that broke a limit, an output, a warning and the end, is waited for:
/// what failed must not be measured once more and pass.
pub(super) fn may_be_on_its_way(entry: &Entry) -> bool {
    match entry {
        Entry::PointFinished(point) => {
            !point.checks.iter().any(|check| matches!(check.outcome, OutcomeEntry::Fail(_)))
        }
        Entry::ReadingsTaken(_)
        | Entry::ReadingsJudged(_)
        | Entry::TemperatureRead { .. }
        | Entry::PhaseStarted { .. }
        | Entry::DwellFinished { .. }
        | Entry::PointStarted { .. }
        | Entry::Settled { .. }
        | Entry::Waveform(_)
        | Entry::Screen(_)
        | Entry::EvidenceKept { .. } => true,
        _ => false,
    }
}

/// How far a file is on the disk.
pub(super) struct Syncing {
    clock: Arc<dyn Clock>,
    thread: Option<Beside>,
    /// Bytes up to which it was asked to sync and has not answered; `None` where it has answered to all.
    asked: Option<u64>,
    /// When everything that was written was on the disk.
    caught_up: Option<Instant>,
}

/// The thread; it ends when nothing more can come to it.
struct Beside {
    ask: Sender<u64>,
    answers: Receiver<Answer>,
    thread: JoinHandle<()>,
}

/// That the file is on the disk up to so many bytes, or why nothing is known of it.
struct Answer {
    bytes: u64,
    at: Instant,
    synced: io::Result<()>,
}

impl std::fmt::Debug for Syncing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Syncing").field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl Syncing {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, thread: None, asked: None, caught_up: None }
    }

    /// Whether what is written now may be left to the thread.
    pub(super) fn is_in_time(&self) -> bool {
        self.caught_up.is_some_and(|at| self.clock.now().since(at) < LONGEST)
    }

    /// Has the thread sync what is written up to so many bytes, as soon as it has done what it does.
    pub(super) fn ask(&mut self, disk: &dyn Disk, file: &File, bytes: u64) -> io::Result<()> {
        let beside = match &self.thread {
            Some(beside) => beside,
            None => self.thread.insert(Beside::start(disk.beside(), file.try_clone()?, self.clock.clone())?),
        };
        // Nobody takes it only where the thread panicked, and then no answer comes, which is told.
        let _ = beside.ask.send(bytes);
        self.asked = Some(bytes);
        Ok(())
    }

    /// Syncs up to so many bytes before it returns.
    pub(super) fn wait(&mut self, disk: &mut dyn Disk, file: &File, bytes: u64) -> io::Result<()> {
        if let Some(asked) = self.asked {
            if asked != bytes {
                self.ask(&*disk, file, bytes)?;
            }
            return self.answers(true).map(|_| ());
        }
        disk.sync(file)?;
        self.caught_up = Some(self.clock.now());
        Ok(())
    }

    /// What the thread has done since it was last looked at: the bytes that are on the disk. Where that `is_waited_for`, all that
    /// it was asked for. After an error it does nothing any more that it was asked for before.
    pub(super) fn answers(&mut self, is_waited_for: bool) -> io::Result<Option<u64>> {
        let (mut done, mut failed) = (None, None);
        while let (Some(asked), Some(beside)) = (self.asked, &self.thread) {
            let answer = if is_waited_for || failed.is_some() {
                beside.answers.recv().ok()
            } else {
                match beside.answers.try_recv() {
                    Err(std::sync::mpsc::TryRecvError::Empty) => break,
                    answer => answer.ok(),
                }
            };
            let Some(Answer { bytes, at, synced }) = answer else {
                self.asked = None;
                return Err(io::Error::other("the thread that syncs has ended"));
            };
            if bytes == asked {
                self.asked = None;
            }
            match synced {
                Ok(()) if failed.is_none() => {
                    done = Some(bytes);
                    self.caught_up = self.asked.is_none().then_some(at).or(self.caught_up);
                }
                Ok(()) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(done), Err)
    }
}

impl Drop for Syncing {
    /// What it was asked for is done, and the file let go, with its lock.
    fn drop(&mut self) {
        if let Some(Beside { ask, answers, thread }) = self.thread.take() {
            drop((ask, answers));
            let _ = thread.join();
        }
    }
}

impl Beside {
    fn start(mut disk: Box<dyn Disk>, file: File, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (ask, asked) = channel();
        let (answer, answers) = channel();
        let sync = move || {
            while let Ok(first) = asked.recv() {
                // What has come meanwhile is on the disk with it.
                let bytes = asked.try_iter().last().unwrap_or(first);
                let synced = disk.sync(&file);
                // Whoever does not listen any more has ended; the rest is synced all the same.
                let _ = answer.send(Answer { bytes, at: clock.now(), synced });
            }
        };
        let thread = thread::Builder::new().name("journal".to_owned()).spawn(sync)?;
        Ok(Self { ask, answers, thread })
    }
}
