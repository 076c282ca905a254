//! What the service manager is told (systemd, by `$NOTIFY_SOCKET`): ready, how the run stands, stopping, and a watchdog that is
//! fed only while the engine works. From a thread of its own, for even this socket may be full; Unix only.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use sd_notify::NotifyState;

/// Between two looks at the signs of life, where no watchdog asks for more.
const LOOKS_EVERY: Duration = Duration::from_secs(5);

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(20);

/// The longest status: it is shown on one line.
const MOST_STATUS: usize = 300;

/// Gives the signs of life so far; they grow only while somebody works.
pub type Signs = Box<dyn Fn() -> u64 + Send>;

/// The service manager, where there is one.
pub struct Service {
    shared: Arc<Shared>,
    sender: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    wanted: Mutex<Wanted>,
    changed: Condvar,
}

/// What is to be told next.
#[derive(Default)]
struct Wanted {
    is_ready: bool,
    stops: bool,
    /// The outputs are verified off: a report may take its time, and there is nothing left to watch over.
    is_off: bool,
    ends: bool,
    status: Option<String>,
}

impl Service {
    /// Talks to the service manager that started this program; where none did, to nobody.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(signs: Signs) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (mut feeder, told) = (Feeder { signs, seen: 0 }, shared.clone());
        let every = sd_notify::watchdog_enabled()
            .map_or(LOOKS_EVERY, |limit| (limit / 4).clamp(SHORTEST, LOOKS_EVERY));
        let sender = std::thread::Builder::new()
            .name("service".to_owned())
            .spawn(move || told.send_all(&mut feeder, every))?;
        Ok(Self { shared, sender: Some(sender) })
    }

    /// The run stands so, and is under way or not yet.
    pub fn tell(&self, status: &str, is_under_way: bool) {
        self.shared.want(|wanted| {
            wanted.is_ready |= is_under_way;
            wanted.status = Some(one_line(status));
        });
    }

    /// The run is to end; `is_off` says whether its outputs are verified off already.
    pub fn stop(&self, status: &str, is_off: bool) {
        self.shared.want(|wanted| {
            wanted.stops = true;
            wanted.is_off |= is_off;
            wanted.status = Some(one_line(status));
        });
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.want(|wanted| (wanted.stops, wanted.ends) = (true, true));
        // A socket that is full would hold up the end of a program whose outputs are off.
        if let Some(sender) = self.sender.take().filter(JoinHandle::is_finished) {
            let _ = sender.join();
        }
    }
}

fn one_line(text: &str) -> String {
    text.chars().take(MOST_STATUS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Shared {
    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn want(&self, change: impl FnOnce(&mut Wanted)) {
        change(&mut self.wanted());
        self.changed.notify_all();
    }

    fn send_all(&self, feeder: &mut Feeder, every: Duration) {
        let mut said = Said::default();
        loop {
            let mut wanted = self.wanted();
            let words = said.news(&mut wanted);
            let (ends, is_off) = (wanted.ends, wanted.is_off);
            drop(wanted);
            if !words.is_empty() {
                let _ = sd_notify::notify(&words.iter().map(Word::state).collect::<Vec<_>>());
            }
            if ends {
                return;
            }
            if feeder.is_alive() || is_off {
                let _ = sd_notify::notify(&[NotifyState::Watchdog]);
            }
            let wanted = self.wanted();
            if wanted.status.is_none() && !wanted.ends {
                drop(self.changed.wait_timeout(wanted, every));
            }
        }
    }
}

/// What was told so far.
#[derive(Default)]
struct Said {
    ready: bool,
    stopping: bool,
}

enum Word {
    Ready,
    Stopping,
    Status(String),
}

impl Word {
    fn state(&self) -> NotifyState<'_> {
        match self {
            Self::Ready => NotifyState::Ready,
            Self::Stopping => NotifyState::Stopping,
            Self::Status(text) => NotifyState::Status(text),
        }
    }
}

impl Said {
    fn news(&mut self, wanted: &mut Wanted) -> Vec<Word> {
        let mut words = Vec::new();
        if wanted.is_ready && !self.ready {
            self.ready = true;
            words.push(Word::Ready);
        }
        if wanted.stops && !self.stopping {
            self.stopping = true;
            words.push(Word::Stopping);
        }
        words.extend(wanted.status.take().map(Word::Status));
        words
    }
}

/// Feeds the watchdog.
struct Feeder {
    signs: Signs,
    seen: u64,
}

impl Feeder {
    /// Whether somebody worked since this was asked the last time.
    fn is_alive(&mut self) -> bool {
        let now = (self.signs)();
        std::mem::replace(&mut self.seen, now) != now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn only_new_signs_of_life_feed_the_watchdog() {
        let count = Arc::new(AtomicU64::new(0));
        let signs = count.clone();
        let mut feeder = Feeder { signs: Box::new(move || signs.load(Ordering::SeqCst)), seen: 0 };
        assert!(!feeder.is_alive(), "nobody has worked yet");
        count.store(5, Ordering::SeqCst);
        assert!(feeder.is_alive());
        assert!(!feeder.is_alive(), "the same sign feeds once");
        count.store(6, Ordering::SeqCst);
        assert!(feeder.is_alive());
    }

    #[test]
    fn ready_and_stopping_are_said_once_and_a_status_line_by_line() {
        let (mut said, mut wanted) = (Said::default(), Wanted::default());
        assert!(said.news(&mut wanted).is_empty());
        (wanted.is_ready, wanted.status) = (true, Some(one_line("a\nREADY=0\tb")));
        let told: Vec<String> = said.news(&mut wanted).iter().map(|word| word.state().to_string()).collect();
        assert_eq!(told, ["READY=1", "STATUS=a READY=0 b"]);
        assert!(said.news(&mut wanted).is_empty());
        wanted.stops = true;
        assert_eq!(said.news(&mut wanted).len(), 1);
        assert!(said.news(&mut wanted).is_empty());
    }
}
