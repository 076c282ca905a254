//! What the service manager is told, over a real socket in `$NOTIFY_SOCKET`; and a run whose terminal takes no byte.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::cli::{SIM, SMOKE, arg, program};
use crate::safety::process::{Running, await_in_journal, run_command, serve};

struct Manager {
    socket: UnixDatagram,
    folder: TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self { socket, folder }
    }

    fn starts(&self, command: &mut Command) -> Running {
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify")).env("WATCHDOG_USEC", "400000");
        command.env_remove("WATCHDOG_PID").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Running(command.spawn().unwrap())
    }

    fn next(&self) -> String {
        let mut bytes = [0; 4096];
        let count = self.socket.recv(&mut bytes).expect("nothing was told");
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    fn await_word(&self, word: &str) -> Vec<String> {
        let mut told = Vec::new();
        while !told.iter().any(|words: &String| words.contains(word)) {
            told.push(self.next());
        }
        told
    }
}

#[test]
fn a_run_says_when_it_is_ready_how_it_stands_that_it_lives_and_that_it_stops() {
    let (served, manager, folder) = (serve(), Manager::new(), TempDir::new().unwrap());
    let mut running = manager.starts(&mut run_command(&served, folder.path()));
    let before = manager.await_word("READY=1");
    assert!(!before.iter().any(|words| words.contains("STOPPING=1")), "{before:?}");
    let status = manager.await_word("STATUS=");
    assert!(status.last().unwrap().contains("/4 | "), "{status:?}");
    for _ in 0..3 {
        manager.await_word("WATCHDOG=1");
    }
    await_in_journal(&folder.path().join("out"), "point_started");
    running.signal("TERM");
    manager.await_word("STOPPING=1");
    assert_eq!(running.0.wait().unwrap().code(), Some(5));
}

#[test]
fn a_run_that_is_suspended_feeds_no_watchdog() {
    let (served, manager, folder) = (serve(), Manager::new(), TempDir::new().unwrap());
    let running = manager.starts(&mut run_command(&served, folder.path()));
    await_in_journal(&folder.path().join("out"), "point_started");
    manager.await_word("WATCHDOG=1");
    running.signal("STOP");
    manager.socket.set_nonblocking(true).unwrap();
    while manager.socket.recv(&mut [0; 4096]).is_ok() {}
    std::thread::sleep(Duration::from_millis(1500));
    assert!(manager.socket.recv(&mut [0; 4096]).is_err(), "a controller that hangs was said to live");
    running.signal("CONT");
}

#[test]
fn a_simulated_run_lives_too() {
    let (manager, out) = (Manager::new(), TempDir::new().unwrap());
    let mut command = program();
    command.args(["run", SMOKE, "--rig", SIM, "--out", arg(out.path())]);
    let mut running = manager.starts(&mut command);
    manager.await_word("READY=1");
    manager.await_word("STOPPING=1");
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_run_whose_stderr_is_closed_or_takes_no_byte_goes_on_to_its_end() {
    let served = serve();
    for closes in [true, false] {
        let folder = TempDir::new().unwrap();
        let (reader, mut writer) = std::io::pipe().unwrap();
        let mut command = run_command(&served, folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer.try_clone().unwrap());
        let mut running = Running(command.spawn().unwrap());
        drop(command);
        await_in_journal(&folder.path().join("out"), "point_started");
        let reader = if closes {
            drop(reader);
            None
        } else {
            // Full to the brim: whoever writes one byte more waits for ever.
            fill(&mut writer);
            Some(reader)
        };
        let journal = await_in_journal(&folder.path().join("out"), "run_finished");
        assert!(journal.contains("\"verdict\":\"pass\"") && !journal.contains("dead-man"), "{journal}");
        drop(reader);
        assert_eq!(running.0.wait().unwrap().code(), Some(0), "{journal}");
    }
}

/// Writes until the pipe takes no more.
fn fill(writer: &mut std::io::PipeWriter) {
    use std::io::Write;
    let mut copy = writer.try_clone().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while copy.write_all(&[b'x'; 1]).is_ok() {
            let _ = tell.send(());
        }
    });
    while told.recv_timeout(Duration::from_millis(500)).is_ok() {}
}
