//! A message by a program: arguments as a list, no shell; the message as JSON on its standard input and as variables. It has a
//! time limit and is ended with everything it started when that is over.

use std::io::{Read, Write};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::message::Message;
use crate::base::clock::{Clock, RealClock};
use crate::base::span::render_span;

/// Bytes of standard error that are kept; the rest is read and thrown away, so that a program that writes much does not hang.
const MOST_SAID: usize = 300;

/// Between two looks whether it has ended.
const LOOKS_EVERY: Duration = Duration::from_millis(10);

/// How long what it said is waited for after it has ended: what it started may still hold the pipe.
const SAID_WITHIN: Duration = Duration::from_millis(200);

/// What is for the service's own process, not for what it starts.
const NOT_INHERITED: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// Runs the program; how it ended, in words. It is also ended as soon as `is_over`.
///
/// # Errors
/// It cannot be started, ended with another code than 0, or did not end in time.
pub fn run(
    words: &[String],
    message: &Message,
    timeout: Duration,
    is_over: &dyn Fn() -> bool,
) -> Result<String, String> {
    let (program, arguments) = words.split_first().ok_or("no program is named")?;
    let mut command = Command::new(program);
    command.args(arguments.iter().map(|argument| message.fill(argument))).envs(message.variables());
    for name in NOT_INHERITED {
        command.env_remove(name);
    }
    // A group of its own: a Ctrl-C is not meant for it, and all of it can be ended.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("it cannot be started: {error}"))?;
    feed(&mut child, format!("{}\n", message.json()));
    let said = child.stderr.take().and_then(listen);
    let ended = wait(&mut child, timeout, is_over);
    let said = said.and_then(|said| said.recv_timeout(SAID_WITHIN).ok()).unwrap_or_default();
    let said = if said.is_empty() { said } else { format!(": {said}") };
    match ended {
        Ok(Some(status)) if status.success() => Ok("it ended with code 0".to_owned()),
        Ok(Some(status)) => Err(status.code().map_or_else(
            || format!("it was ended by a signal{said}"),
            |code| format!("it ended with code {code}{said}"),
        )),
        Ok(None) => Err(format!("it did not end within {} and was ended{said}", render_span(timeout))),
        Err(error) => Err(format!("it cannot be waited for: {error}")),
    }
}

/// In a thread: whoever does not read must not hold anybody up.
fn feed(child: &mut Child, text: String) {
    if let Some(mut stdin) = child.stdin.take() {
        let _ = std::thread::Builder::new()
            .name("notify-stdin".to_owned())
            .spawn(move || stdin.write_all(text.as_bytes()));
    }
}

/// The first that it says, when it has said all.
fn listen(mut stderr: ChildStderr) -> Option<Receiver<String>> {
    let (tell, said) = channel();
    let listen = move || {
        let (mut kept, mut bytes) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = stderr.read(&mut bytes) {
            let room = MOST_SAID.saturating_sub(kept.len()).min(count);
            kept.extend_from_slice(&bytes[..room]);
        }
        let text = String::from_utf8_lossy(&kept);
        let plain: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let _ = tell.send(plain);
    };
    std::thread::Builder::new().name("notify-stderr".to_owned()).spawn(listen).ok()?;
    Some(said)
}

/// Waits no longer than the limit; then it is ended, and the answer is `None`.
fn wait(
    child: &mut Child,
    timeout: Duration,
    is_over: &dyn Fn() -> bool,
) -> std::io::Result<Option<std::process::ExitStatus>> {
    let clock = RealClock::new();
    let start = clock.now();
    loop {
        let status = child.try_wait()?;
        if status.is_some() {
            return Ok(status);
        }
        if clock.now().since(start) >= timeout || is_over() {
            end(child);
            let _ = child.wait();
            return Ok(None);
        }
        clock.sleep(LOOKS_EVERY);
    }
}

/// Ends it and what it started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        // It has not been waited for, so its number is still its own.
        if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
    let _ = child.kill();
}
