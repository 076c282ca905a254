//! The threads that send, one for each way: what hangs on one way does not hold up the other, and nothing holds up the run.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::ladder::Ladder;
use super::level::Level;
use super::message::{About, Message, Standing};
use super::queue::{Next, Pending, Queue};
use super::settings::{Settings, Way};
use super::{command, http};
use crate::base::clock::{Clock, RealClock};
use crate::event::{Event, Stamp, Unsent};

/// Between two looks whether somebody has cut the wait for the last message short.
const LOOKS_EVERY: Duration = Duration::from_millis(100);

/// How long the end of a program that nobody waits for any longer may take.
const ENDED_WITHIN: Duration = Duration::from_secs(1);

/// Messages that did not go out and that nobody has taken yet, at most; of more only the number is told, on stderr.
const MOST_UNSENT: usize = 256;

/// Where is told what could not be sent; called from the threads that send.
pub type Note = Arc<dyn Fn(&str) + Send + Sync>;

/// Tells people of a run.
pub struct Notifier {
    ladder: Ladder,
    about: About,
    posts: Vec<Arc<Post>>,
    unsent: Receiver<Unsent>,
    wait_at_end: Duration,
}

impl Notifier {
    /// Starts a thread for each way.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(settings: &Settings, note: &Note) -> std::io::Result<Self> {
        let mut posts = Vec::new();
        let (tell_unsent, unsent) = sync_channel(MOST_UNSENT);
        for way in &settings.ways {
            let post = Arc::new(Post {
                way: way.clone(),
                timeout: settings.timeout,
                inner: Mutex::new(Inner {
                    queue: Queue::new(settings.retries),
                    dropped: None,
                    lost: 0,
                    sending: None,
                    ends: false,
                    over: false,
                }),
                changed: Condvar::new(),
                clock: RealClock::new(),
                note: note.clone(),
                unsent: tell_unsent.clone(),
            });
            let sender = post.clone();
            std::thread::Builder::new().name("notify".to_owned()).spawn(move || sender.send_all())?;
            posts.push(post);
        }
        let ladder = Ladder::new(settings.on.iter().copied(), settings.alive_every, settings.repeat_every);
        Ok(Self { ladder, about: About::default(), posts, unsent, wait_at_end: settings.wait_at_end })
    }

    /// Says where the run is kept.
    pub fn name_run(&mut self, folder: &Path) {
        self.about.run = folder.display().to_string();
    }

    /// Says which board is measured, and how, of a run that had begun before.
    pub fn name_board(&mut self, profile: &str, board: &str, rig: &str) {
        let run = std::mem::take(&mut self.about.run);
        self.about = About { run, profile: profile.to_owned(), board: board.to_owned(), rig: rig.to_owned() };
    }

    /// Says something that is no event of a run, where people want to hear of its level. Never waits.
    pub fn say(&self, utc: Timestamp, level: Level, text: &str) {
        if !self.ladder.is_told(level) {
            return;
        }
        self.push(&Message {
            level,
            text: text.to_owned(),
            count: 1,
            utc,
            about: self.about.clone(),
            standing: Standing::told(text),
            is_test: false,
        });
    }

    fn push(&self, message: &Message) {
        for post in &self.posts {
            post.push(message.clone());
        }
    }

    /// Takes what happened; `standing` is asked only where something is told. Never waits.
    pub fn take(&mut self, at: Stamp, event: &Event, standing: &dyn Fn() -> Standing) {
        if let Event::RunStarted(facts) = event {
            self.name_board(facts.profile.as_str(), facts.board.serial.as_str(), &facts.rig);
        }
        let told = self.ladder.take(at.monotonic, event);
        if told.is_empty() {
            return;
        }
        let standing = standing();
        for told in told {
            let message = Message {
                level: told.level,
                text: if told.level == Level::Alive {
                    format!("{}: {}", told.text, standing.line)
                } else {
                    told.text
                },
                count: told.count,
                utc: at.utc,
                about: self.about.clone(),
                standing: standing.clone(),
                is_test: false,
            };
            self.push(&message);
        }
    }

    /// What was given up since this was last asked. Never waits.
    pub fn take_unsent(&self) -> impl Iterator<Item = Unsent> {
        self.unsent.try_iter()
    }

    /// The run is over: waits a bounded time until the last message has been sent, or until `is_cut`; what did not go out.
    #[must_use]
    pub fn finish(self, is_cut: &dyn Fn() -> bool) -> Vec<Unsent> {
        let clock = RealClock::new();
        let deadline = clock.now() + self.wait_at_end;
        for post in &self.posts {
            post.end();
        }
        for post in &self.posts {
            post.await_end(&|| if is_cut() { Duration::ZERO } else { deadline.since(clock.now()) });
        }
        self.unsent.try_iter().collect()
    }
}

/// Sends a message once by every way; what came back of each.
#[must_use]
pub fn try_each(settings: &Settings, message: &Message) -> Vec<(String, Result<String, String>)> {
    let ways = settings.ways.iter();
    ways.map(|way| (way.to_string(), send(way, message, settings.timeout, &|| false))).collect()
}

fn send(
    way: &Way,
    message: &Message,
    timeout: Duration,
    is_over: &dyn Fn() -> bool,
) -> Result<String, String> {
    match way {
        Way::Command(words) => command::run(words, message, timeout, is_over),
        Way::Post { url, headers } => http::post(url, headers, message, timeout),
    }
}

/// One way with what waits for it.
struct Post {
    way: Way,
    timeout: Duration,
    inner: Mutex<Inner>,
    changed: Condvar,
    clock: RealClock,
    note: Note,
    unsent: SyncSender<Unsent>,
}

struct Inner {
    queue: Queue,
    /// How many messages did not fit, of which nothing was said yet, and the last of them.
    dropped: Option<(u64, Message)>,
    /// Messages given up since one was last sent.
    lost: u64,
    /// The one that is being sent.
    sending: Option<Pending>,
    ends: bool,
    /// Nobody waits any longer: a program that still runs is ended.
    over: bool,
}

impl Post {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in. The lock is never held while something is sent.
    fn push(&self, message: Message) {
        let mut inner = self.inner();
        if let Some(lost) = inner.queue.push(self.clock.now(), message) {
            let before = inner.dropped.take().map_or(0, |(count, _)| count);
            inner.dropped = Some((before + 1, lost));
        }
        drop(inner);
        self.changed.notify_all();
    }

    fn end(&self) {
        let mut inner = self.inner();
        inner.ends = true;
        inner.queue.drop_alive();
        drop(inner);
        self.changed.notify_all();
    }

    fn send_all(&self) {
        loop {
            let mut inner = self.inner();
            if inner.over {
                return;
            }
            if let Some((count, last)) = inner.dropped.take() {
                drop(inner);
                self.tell_dropped(count, &last);
                continue;
            }
            match inner.queue.next(self.clock.now()) {
                Next::Send(pending) => {
                    inner.sending = Some((*pending).clone());
                    drop(inner);
                    let outcome = send(&self.way, &pending.message, self.timeout, &|| self.inner().over);
                    self.take_outcome(*pending, outcome);
                }
                Next::Nothing if inner.ends => return,
                Next::Nothing => drop(self.changed.wait(inner)),
                Next::Wait(span) => drop(self.changed.wait_timeout(inner, span)),
            }
        }
    }

    fn take_outcome(&self, pending: Pending, outcome: Result<String, String>) {
        let mut inner = self.inner();
        if inner.over {
            // It was told as unsent when nobody waited any longer.
            inner.sending = None;
            drop(inner);
            return self.changed.notify_all();
        }
        let told = match outcome {
            Ok(_) => {
                let lost = std::mem::take(&mut inner.lost);
                (lost > 1).then(|| format!("it goes again; {lost} messages were given up before"))
            }
            Err(why) => inner.queue.put_back(self.clock.now(), pending, why).and_then(|given_up| {
                inner.lost += 1;
                self.keep_unsent(&given_up.message, given_up.attempts(), given_up.why().to_owned());
                let (level, tried) = (given_up.message.level.word(), given_up.attempts());
                // One that fails for days says so once.
                let tried = if tried == 1 { "1 attempt".to_owned() } else { format!("{tried} attempts") };
                (inner.lost == 1)
                    .then(|| format!("a message ({level}) was given up after {tried}: {}", given_up.why()))
            }),
        };
        drop(inner);
        if let Some(told) = told {
            self.tell(&told);
        }
        self.inner().sending = None;
        self.changed.notify_all();
    }

    fn tell(&self, told: &str) {
        (self.note)(&format!("notify by {}: {told}", self.way));
    }

    fn tell_dropped(&self, count: u64, last: &Message) {
        let told = if count == 1 { "1 message".to_owned() } else { format!("{count} messages") };
        self.tell(&format!("{told} did not fit into the queue and went unsent, \"alive\" first"));
        self.keep_unsent(last, 0, format!("the last of {told} that did not fit into the queue"));
    }

    /// For the run's record. Never waits; what nobody takes stands on stderr alone.
    fn keep_unsent(&self, message: &Message, attempts: u32, why: String) {
        let (way, level) = (self.way.to_string(), message.level.word().to_owned());
        let _ = self.unsent.try_send(Unsent { way, level, what: message.words(), attempts, why });
    }

    fn await_end(&self, left: &dyn Fn() -> Duration) {
        let mut inner = self.inner();
        while inner.sending.is_some() || !inner.queue.is_empty() {
            let left = left().min(LOOKS_EVERY);
            if left.is_zero() {
                return self.leave(inner);
            }
            (inner, _) = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner);
        }
        let lost = inner.lost;
        drop(inner);
        if lost > 1 {
            self.tell(&format!("{lost} messages in a row were given up"));
        }
    }

    /// Nobody waits any longer for what is still unsent.
    fn leave(&self, mut inner: MutexGuard<'_, Inner>) {
        let unsent: Vec<Pending> = inner.sending.iter().chain(inner.queue.waiting()).cloned().collect();
        let dropped = inner.dropped.take();
        inner.over = true;
        let is_sending = |inner: &mut Inner| inner.sending.is_some();
        // Only a program is ended; an answer from the network is left to whoever does not wait for it.
        if matches!(self.way, Way::Command(_)) {
            let waited = self.changed.wait_timeout_while(inner, ENDED_WITHIN, is_sending);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(inner);
        for pending in &unsent {
            let why = match pending.why() {
                "" => "the program ended before an answer came".to_owned(),
                why => format!("{why}; the program ended before it was tried again"),
            };
            self.keep_unsent(&pending.message, pending.attempts(), why);
        }
        if let Some((count, last)) = dropped {
            self.tell_dropped(count, &last);
        }
        let count = unsent.len();
        self.tell(&format!("{count} messages were still unsent when the program ended"));
    }
}
