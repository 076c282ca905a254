//! The thermometer on a pty. Unix only.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serialport::{ClearBuffer, SerialPort, TTYPort};

use super::thermometer;
use super::world::World;

const LOOK: Duration = Duration::from_millis(100);
/// Unread bytes beyond which nobody can be listening: a port that is closed keeps no lines for whoever opens it later.
const UNHEARD: u32 = 256;

/// Starts the sender; gives the path to open and the thread that sends.
pub(super) fn serve(world: Arc<World>, stop: Arc<AtomicBool>) -> std::io::Result<(String, JoinHandle<()>)> {
    let (mut sender, listener) = TTYPort::pair()?;
    sender.set_timeout(LOOK)?;
    let path = listener.name().ok_or_else(|| std::io::Error::other("the pty has no name"))?;
    // The listening end is kept open by the thread: between two clients the sender would otherwise see a hang-up.
    Ok((path, std::thread::spawn(move || send(&mut sender, &listener, &world, &stop))))
}

fn send(sender: &mut TTYPort, listener: &TTYPort, world: &World, stop: &AtomicBool) {
    let clock = world.clock();
    let mut next = thermometer::next_after(clock.now());
    while !stop.load(Ordering::Acquire) {
        let wait = thermometer::due(next).since(clock.now());
        if !wait.is_zero() {
            clock.sleep(wait.min(LOOK));
            continue;
        }
        if listener.bytes_to_read().is_ok_and(|unread| unread > UNHEARD) {
            let _ = listener.clear(ClearBuffer::Input);
        }
        let line = {
            let mut bench = world.bench();
            if bench.faults.thermometer_silent { None } else { thermometer::line(&mut bench, next) }
        };
        next += 1;
        if let Some(line) = line {
            // A full buffer drops the line, as a wire does.
            let _ = sender.write_all(format!("{line}\r\n").as_bytes());
        }
    }
}
