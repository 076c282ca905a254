//! The door to the outside: the same instruments on loopback TCP ports, and the thermometer on a pty, in real time.
//!
//! A thread a connection, several clients at once; every answer goes out with one write and without delay, because some
//! clients take one short read for the whole answer.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::link::transport::Address;

#[cfg(unix)]
use super::pty;
use super::world::{Instrument, World};

/// How often a waiting thread looks whether it should stop.
const LOOK: Duration = Duration::from_millis(100);
/// How long a client may leave an answer untaken.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections to one instrument at a time.
const MOST_CLIENTS: usize = 32;
/// The longest line that is kept while its end has not come; the world refuses shorter ones already.
const MOST_BYTES: usize = 128 << 10;

/// TCP ports to listen on; 0 takes any free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ports {
    /// Port of the supply.
    pub supply: u16,
    /// Port of the load.
    pub load: u16,
    /// Port of the scope.
    pub scope: u16,
}

/// The simulated bench on real ports; stops when dropped.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<(Instrument, Address)>,
    listening: Vec<SocketAddr>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Serves the instruments of `world`, whose clock should be the real one, on the loopback interface.
    ///
    /// # Errors
    /// A port is taken, or the system gives no pty.
    pub fn start(world: &Arc<World>, ports: Ports) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut server = Self { addresses: Vec::new(), listening: Vec::new(), stop, threads: Vec::new() };
        let wanted = [
            (Instrument::Supply, ports.supply),
            (Instrument::Load, ports.load),
            (Instrument::Scope, ports.scope),
        ];
        for (instrument, port) in wanted {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
            let local = listener.local_addr()?;
            let address = Address::Socket { host: local.ip().to_string(), port: local.port() };
            server.addresses.push((instrument, address));
            server.listening.push(local);
            let (world, stop) = (Arc::clone(world), Arc::clone(&server.stop));
            server.threads.push(std::thread::spawn(move || accept(&listener, &world, instrument, &stop)));
        }
        #[cfg(unix)]
        {
            let (path, thread) = pty::serve(Arc::clone(world), Arc::clone(&server.stop))?;
            server.addresses.push((Instrument::Thermometer, Address::Serial { path }));
            server.threads.push(thread);
        }
        Ok(server)
    }

    /// Where `instrument` is; the thermometer has no address where there are no ptys.
    #[must_use]
    pub fn address(&self, instrument: Instrument) -> Option<&Address> {
        self.addresses.iter().find(|(known, _)| *known == instrument).map(|(_, address)| address)
    }

    /// All instruments with their addresses, as VISA resource strings when printed.
    #[must_use]
    pub fn addresses(&self) -> &[(Instrument, Address)] {
        &self.addresses
    }

    /// Stops listening, lets go of every client and waits for the threads.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for address in &self.listening {
            // Wakes the thread that waits for a connection.
            let _ = TcpStream::connect_timeout(address, LOOK);
        }
        for thread in self.threads.drain(..) {
            // A thread that panicked has already said why; there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, world: &Arc<World>, instrument: Instrument, stop: &Arc<AtomicBool>) {
    let clients = Arc::new(AtomicUsize::new(0));
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for stream in listener.incoming() {
        if stop.load(Ordering::Acquire) {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        let Ok(stream) = stream else {
            // Out of file descriptors, for one: it will not be better at once.
            world.clock().sleep(LOOK);
            continue;
        };
        if clients.load(Ordering::Acquire) >= MOST_CLIENTS {
            continue;
        }
        clients.fetch_add(1, Ordering::AcqRel);
        let (world, stop, clients) = (Arc::clone(world), Arc::clone(stop), Arc::clone(&clients));
        threads.push(std::thread::spawn(move || {
            // A client that goes away in the middle of something is its own affair.
            let _ = converse(stream, &world, instrument, &stop);
            clients.fetch_sub(1, Ordering::AcqRel);
        }));
    }
    for thread in threads {
        let _ = thread.join();
    }
}

/// Serves one client until it leaves, the instrument reboots or the server stops.
fn converse(
    mut stream: TcpStream,
    world: &World,
    instrument: Instrument,
    stop: &AtomicBool,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LOOK))?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    let Some(boots) = world.boots(instrument) else { return Ok(()) };
    let (mut waiting, mut chunk) = (Vec::new(), [0u8; 4096]);
    // A client that has gone hears no answer, but what it said before is carried out: it has reached the instrument.
    let mut hears = true;
    let mut answer = |stream: &mut TcpStream, line: &[u8]| {
        let bytes = answer(world, instrument, line);
        hears = hears && bytes.is_none_or(|bytes| stream.write_all(&bytes).is_ok());
    };
    loop {
        if stop.load(Ordering::Acquire) || world.boots(instrument) != Some(boots) {
            return Ok(());
        }
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => waiting.extend_from_slice(&chunk[..count]),
            Err(fault) if is_idle(&fault) => continue,
            Err(fault) => return Err(fault),
        }
        while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = waiting.drain(..=end).collect();
            answer(&mut stream, line.trim_ascii_end());
        }
        if waiting.len() > MOST_BYTES {
            // No end in sight: the instrument says so in its queue and forgets what came.
            answer(&mut stream, &waiting);
            waiting.clear();
        }
    }
}

fn is_idle(fault: &std::io::Error) -> bool {
    matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// The bytes of an answer at the time at which it is ready, if there is one.
fn answer(world: &World, instrument: Instrument, line: &[u8]) -> Option<Vec<u8>> {
    if line.is_empty() {
        return None;
    }
    let reply = world.ask(instrument, line);
    let mut bytes = reply.bytes?;
    let clock = world.clock();
    clock.sleep(reply.ready.since(clock.now()));
    if reply.ended {
        bytes.push(b'\n');
    }
    Some(bytes)
}
