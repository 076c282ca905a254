//! The sacrificial controller of a drill, seen from the one that starts and kills it: Unix only.

use std::io::{self, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::process_unix::read_line;
use crate::base::clock::{Clock, Instant};
use crate::base::cut::{Cut, SLICE};
use crate::event::DrillKind;

/// How long the controller may take until the bench is energised: links that are opened twice, outputs that are looked at.
const ENERGISED_WITHIN: Duration = Duration::from_secs(60);

/// How the controller's one line begins; the volts at the supply's terminals follow.
const ENERGISED: &str = "energised ";

/// The controller's one line.
#[must_use]
pub fn render_energised(volts: f64) -> String {
    format!("{ENERGISED}{volts}\n")
}

fn parse_energised(line: &str) -> Option<f64> {
    line.strip_prefix(ENERGISED)?.trim_end().parse().ok()
}

/// What came back from the two processes.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// Volts at the supply's terminals before the controller died, or why there were none.
    pub energised: Result<f64, String>,
    /// From its death to the last word of the dead-man, who has then gone; or why he has not.
    pub gone_after: Result<Duration, String>,
    /// What the two said to people, line by line.
    pub told: Vec<String>,
}

/// What is drilled.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// This program.
    pub program: &'a Path,
    /// The rig file.
    pub rig: &'a Path,
    /// Where the controller keeps its record.
    pub folder: &'a Path,
    /// How it dies.
    pub kind: DrillKind,
    /// How long the dead-man may take.
    pub within: Duration,
}

/// Starts a controller of its own, lets it die as soon as it has energised the bench, and waits until its dead-man has gone,
/// too. A dead-man who has not is left at work.
///
/// # Errors
/// The controller cannot be started.
pub fn play(scene: &Scene<'_>, clock: &Arc<dyn Clock>, cut: &Cut) -> io::Result<Played> {
    let mut child = Command::new(scene.program)
        .arg("drill")
        .arg("--rig")
        .arg(scene.rig)
        .arg("--folder")
        .arg(scene.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        end(&mut child);
        return Err(io::Error::other("it has no pipe"));
    };
    let watched = listen(stdout, clock).and_then(|stdout| Ok((stdout, listen(stderr, clock)?)));
    let (stdout, stderr) = watched.inspect_err(|_| end(&mut child))?;
    let energised = await_energised(&stdout, &**clock, cut);
    let died = clock.now();
    match scene.kind {
        DrillKind::Suspended if energised.is_ok() => signal(&child, Signal::STOP),
        // What has not energised is not waited for either.
        _ => drop(child.kill()),
    }
    let (gone_after, told) = await_gone(&stderr, (&**clock, died), scene.within);
    end(&mut child);
    Ok(Played { energised, gone_after, told })
}

/// Ends the controller, if it still lives, and takes its exit status.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, signal);
    }
}

type Heard = (Instant, String);

/// Reads a pipe line by line in a thread, each with the time at which it came.
fn listen(pipe: impl Read + Send + 'static, clock: &Arc<dyn Clock>) -> io::Result<Receiver<Heard>> {
    let (tell, lines) = channel();
    let clock = Arc::clone(clock);
    thread::Builder::new().name("drill".to_owned()).spawn(move || {
        let mut reader = BufReader::new(pipe);
        while let Some(line) = read_line(&mut reader) {
            if tell.send((clock.now(), line)).is_err() {
                return;
            }
        }
    })?;
    Ok(lines)
}

fn await_energised(stdout: &Receiver<Heard>, clock: &dyn Clock, cut: &Cut) -> Result<f64, String> {
    let start = clock.now();
    while clock.now().since(start) < ENERGISED_WITHIN {
        if cut.is_now() {
            return Err("the drill was stopped by hand".to_owned());
        }
        match stdout.recv_timeout(SLICE) {
            Ok((_, line)) => {
                return parse_energised(&line)
                    .ok_or_else(|| format!("the controller said `{}`", line.trim_end()));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err("the controller ended before".to_owned()),
        }
    }
    Err(format!("the controller did not get that far in {} s", ENERGISED_WITHIN.as_secs()))
}

/// Both processes hold the pipe: when it closes, the dead-man has gone, and his last word came before.
fn await_gone(
    stderr: &Receiver<Heard>,
    (clock, died): (&dyn Clock, Instant),
    within: Duration,
) -> (Result<Duration, String>, Vec<String>) {
    let (mut told, mut last) = (Vec::new(), None);
    loop {
        let left = within.saturating_sub(clock.now().since(died));
        if left.is_zero() {
            let why = format!("he was still at work after {} s", within.as_secs());
            return (Err(why), told);
        }
        match stderr.recv_timeout(left.min(SLICE)) {
            Ok((at, line)) => {
                last = Some(at);
                told.push(line.trim_end().to_owned());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    match last {
        Some(at) if at >= died => (Ok(at.since(died)), told),
        _ => (Err("he said nothing".to_owned()), told),
    }
}
