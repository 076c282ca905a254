//! The two processes and the pipe between them: Unix only.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, parent_id};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::pulse::Pulse;
use super::watch::{Cause, SILENCE, Verdict, Watch, Word};
use crate::base::clock::{Clock, Instant};

/// Time between two beats.
const BEAT: Duration = Duration::from_millis(200);

/// Beats that the dead-man may leave unanswered: ten seconds of them, and far fewer than fill a pipe.
const MOST_UNANSWERED: u64 = 50;

/// How long a dead-man may take to start, on a machine that is busy.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// The longest line that is read from the other side.
const MAX_LINE: u64 = 8192;

/// A dead-man who falls behind (a machine that slept) hears what is in the pipe before he acts.
const SECOND_THOUGHT: Duration = Duration::from_millis(500);

const READY: &str = "ready\n";

/// The controller's side. Dropped without [`Guard::dismiss`], the dead-man switches off.
#[derive(Debug)]
pub struct Guard {
    child: Child,
    words: Option<Sender<Word>>,
    beating: Option<JoinHandle<()>>,
}

/// What a dead-man needs to tell people: where it stands whom, and what the run is.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    /// The file of settings with the table that says whom.
    pub settings: &'a Path,
    /// The run's profile.
    pub profile: &'a str,
    /// The board's serial number.
    pub board: &'a str,
}

/// Starts `program deadman --rig RIG` in a process group of its own, so that a Ctrl-C is not meant for it, and returns when it
/// listens. From then on `lost` is called once if it ends or answers no more.
///
/// # Errors
/// It cannot be started, or does not say that it is ready.
pub fn start(
    (program, rig): (&Path, &Path),
    telling: Option<Telling<'_>>,
    pulse: Pulse,
    lost: impl Fn(String) + Send + 'static,
) -> io::Result<Guard> {
    let mut command = Command::new(program);
    command.arg("deadman").arg("--controller").arg(std::process::id().to_string()).arg("--rig").arg(rig);
    if let Some(telling) = telling {
        command.arg("--notify").arg(telling.settings);
        command.args(["--profile", telling.profile, "--board", telling.board]);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn()?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("it has no pipe"));
    };
    let answered = Arc::new(Answered::default());
    let ready = listen(stdout, Arc::clone(&answered))?;
    if ready.recv_timeout(READY_WITHIN).is_err() {
        // It must not act on a bench that was never touched.
        let _ = child.kill();
        let _ = child.wait();
        return Err(io::Error::other("it did not say that it is ready; what it said stands above"));
    }
    let (words, orders) = channel();
    let line = Line { stdin, answered, pulse, seen: 0, said: 0, lost: Some(Box::new(lost)) };
    let beating =
        thread::Builder::new().name("heartbeat".to_owned()).spawn(move || beat_on(line, &orders))?;
    Ok(Guard { child, words: Some(words), beating: Some(beating) })
}

impl Guard {
    /// Says where the record is kept, so that the dead-man can write into it; `at` is the time of the record's clock.
    pub fn tell_run(&self, at: Instant, folder: &Path) {
        if let (Some(words), Some(folder)) = (&self.words, folder.to_str()) {
            // A thread that has gone has told its loss already.
            let _ = words.send(Word::Run { at, folder: folder.to_owned() });
        }
    }

    /// Sends the dead-man away: only where the outputs are verified off.
    pub fn dismiss(mut self, clock: &dyn Clock) {
        if let Some(words) = self.words.take() {
            let _ = words.send(Word::Quit);
        }
        if let Some(beating) = self.beating.take() {
            let _ = beating.join();
        }
        for _ in 0..200 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            clock.sleep(Duration::from_millis(10));
        }
        // It hangs, and there is nothing left for it to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came back from the dead-man.
#[derive(Debug, Default)]
struct Answered {
    beats: AtomicU64,
    gone: AtomicBool,
}

/// Reads the dead-man's answers in a thread; what is returned hears of its being ready.
fn listen(stdout: ChildStdout, answered: Arc<Answered>) -> io::Result<Receiver<()>> {
    let (tell_ready, ready) = channel();
    thread::Builder::new().name("deadman".to_owned()).spawn(move || {
        let mut reader = BufReader::new(stdout);
        while let Some(line) = read_line(&mut reader) {
            if line == READY {
                let _ = tell_ready.send(());
            } else if line == Word::Beat.render() {
                answered.beats.fetch_add(1, Ordering::SeqCst);
            }
        }
        answered.gone.store(true, Ordering::SeqCst);
    })?;
    Ok(ready)
}

/// A whole line, or `None` at the end; a line that is too long is an end, too.
pub(super) fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut bytes = Vec::new();
    reader.take(MAX_LINE).read_until(b'\n', &mut bytes).ok()?;
    bytes.ends_with(b"\n").then(|| String::from_utf8_lossy(&bytes).into_owned())
}

type Lost = Box<dyn Fn(String) + Send>;

/// The controller's end of the pipe.
struct Line {
    stdin: ChildStdin,
    answered: Arc<Answered>,
    pulse: Pulse,
    seen: u64,
    said: u64,
    lost: Option<Lost>,
}

fn beat_on(mut line: Line, orders: &Receiver<Word>) {
    loop {
        match orders.recv_timeout(BEAT) {
            Ok(word) => {
                let written = line.stdin.write_all(word.render().as_bytes());
                if word == Word::Quit {
                    return;
                }
                if let Err(error) = written {
                    line.lose(&format!("it takes no word: {error}"));
                }
            }
            Err(RecvTimeoutError::Timeout) => line.beat(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Line {
    /// A beat, if somebody has worked since the last one.
    fn beat(&mut self) {
        if self.answered.gone.load(Ordering::SeqCst) {
            return self.lose("it has ended");
        }
        let seen = self.pulse.count();
        if seen == self.seen || self.lost.is_none() {
            return;
        }
        self.seen = seen;
        if self.said.saturating_sub(self.answered.beats.load(Ordering::SeqCst)) >= MOST_UNANSWERED {
            return self.lose("it does not answer");
        }
        match self.stdin.write_all(Word::Beat.render().as_bytes()) {
            Ok(()) => self.said += 1,
            Err(error) => self.lose(&format!("it takes no beat: {error}")),
        }
    }

    fn lose(&mut self, why: &str) {
        if let Some(lost) = self.lost.take() {
            lost(format!("the dead-man, the process that switches off when this one dies, is lost: {why}"));
        }
    }
}

/// Where the controller keeps its record, and how its clock stands to ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRun {
    /// The run folder.
    pub folder: String,
    /// The record's clock when it was told.
    pub at: Instant,
    /// Our clock when it was told.
    pub heard: Instant,
}

/// The dead-man's side: listens until it is sent away (`None`) or has to act, and says what it knows of the run.
///
/// # Errors
/// The pipe cannot be written to before the first beat.
pub fn attend(
    input: impl Read + Send + 'static,
    mut output: impl Write,
    clock: &dyn Clock,
) -> io::Result<(Option<Cause>, Option<KnownRun>)> {
    let (tell, words) = channel();
    thread::Builder::new().name("controller".to_owned()).spawn(move || {
        let mut reader = BufReader::new(input);
        while let Some(line) = read_line(&mut reader) {
            if Word::parse(&line).is_some_and(|word| tell.send(word).is_err()) {
                return;
            }
        }
    })?;
    output.write_all(READY.as_bytes())?;
    output.flush()?;
    let mut watch = Watch::new(clock.now(), SILENCE);
    let (mut run, mut closed, mut thinks) = (None, false, false);
    loop {
        let wait = match watch.judge(clock.now(), closed) {
            Verdict::Listen(wait) => {
                thinks = false;
                wait
            }
            Verdict::Release(Cause::Silent(_)) if !thinks => {
                thinks = true;
                SECOND_THOUGHT
            }
            Verdict::Leave => return Ok((None, run)),
            Verdict::Release(cause) => return Ok((Some(cause), run)),
        };
        match words.recv_timeout(wait) {
            Ok(word) => {
                watch.hear(&word, clock.now());
                // Nobody there to hear it: the closed pipe tells that, too.
                let _ = output.write_all(Word::Beat.render().as_bytes()).and_then(|()| output.flush());
                if let Word::Run { at, folder } = word {
                    run = Some(KnownRun { folder, at, heard: clock.now() });
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => closed = true,
        }
    }
}

/// Waits until the controller has gone, no longer than `within`; whether it has.
pub fn await_end(controller: u32, clock: &dyn Clock, within: Duration) -> bool {
    let start = clock.now();
    while parent_id() == controller {
        if clock.now().since(start) >= within {
            return false;
        }
        clock.sleep(Duration::from_millis(5));
    }
    true
}

/// Ends a controller that hangs, so that it does not switch on again what is being switched off; whether it has gone. As long
/// as it is our parent its number can be nobody else's.
pub fn end_controller(controller: u32, clock: &dyn Clock) -> bool {
    if parent_id() != controller {
        return true;
    }
    let pid = i32::try_from(controller).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::KILL);
    }
    await_end(controller, clock, Duration::from_secs(2))
}
