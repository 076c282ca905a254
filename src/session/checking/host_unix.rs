//! Questions to the system itself: Unix only.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::base::clock::{Clock, RealClock};

/// How long a program of the system may take to answer: a bus that hangs must not hold up the check.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// The longest answer that is read.
const MAX_ANSWER: u64 = 1 << 16;

/// What a program of the system prints, whatever its exit code is: some say their no with it.
pub(super) fn ask(program: &str, args: &[&str]) -> Result<String, String> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let stdout = child.stdout.take();
    // More than a pipe holds is no answer to such a question: then it waits for its reader, and is ended.
    await_end(&mut child, &RealClock::new()).map_err(|why| format!("{program}: {why}"))?;
    let mut text = String::new();
    let read = stdout.map(|stdout| stdout.take(MAX_ANSWER).read_to_string(&mut text));
    match read {
        Some(Ok(_)) if !text.trim().is_empty() => Ok(text),
        _ => Err(format!("{program} says nothing")),
    }
}

fn await_end(child: &mut Child, clock: &dyn Clock) -> Result<(), String> {
    let start = clock.now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => return Ok(()),
            Ok(None) if clock.now().since(start) < ANSWERS_WITHIN => clock.sleep(Duration::from_millis(10)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no answer in {} s", ANSWERS_WITHIN.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Bytes that may still be written into the folder by whoever is no administrator.
pub(super) fn free_bytes(folder: &Path) -> Result<u64, String> {
    let told = rustix::fs::statvfs(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(told.f_bavail.saturating_mul(told.f_frsize))
}
