//! SCPI over a plain TCP socket.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::Duration;

use super::stream::{Port, PortFault, StreamLink};
use super::{Address, LinkError, LinkSettings, Transport};
use crate::base::clock::{Clock, RealClock};

/// The most bytes that one `clear` throws away; an endless sender must not hold it up.
const MOST_DISCARDED: usize = 64 << 20;

/// Shorter time-outs than this are not asked of the system, which takes zero for "never".
const SHORTEST: Duration = Duration::from_millis(1);

/// Opens a socket within the connect time-out, whatever the address does.
pub(super) fn open(host: &str, port: u16, settings: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
    let address = Address::Socket { host: host.to_owned(), port }.to_string();
    let refuse = |reason: String| LinkError::NotOpened { address: address.clone(), reason };
    let clock = RealClock::new();
    let deadline = clock.now() + settings.connect_timeout;
    let mut reason = format!("the name `{host}` has no address");
    for candidate in resolve(host, port, settings.connect_timeout).map_err(refuse)? {
        let left = deadline.since(clock.now()).max(SHORTEST);
        match TcpStream::connect_timeout(&candidate, left) {
            Ok(stream) => {
                let port = TcpPort::new(stream, settings).map_err(|fault| refuse(fault.to_string()))?;
                return Ok(Box::new(StreamLink::new(port, settings)));
            }
            Err(fault) => reason = explain(&fault, settings.connect_timeout),
        }
    }
    Err(refuse(reason))
}

/// A name server that does not answer must not hold us up, and the system's resolver has no time-out to set.
fn resolve(host: &str, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, String> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let (answer, waiting) = mpsc::channel();
    let name = host.to_owned();
    let asking = std::thread::Builder::new().name("resolve".to_owned()).spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Nobody waits any longer if this comes too late.
        let _ = answer.send(found);
    });
    asking.map_err(|fault| format!("cannot ask for the address of `{host}`: {fault}"))?;
    match waiting.recv_timeout(timeout) {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(fault)) => Err(format!("the name `{host}` cannot be resolved: {fault}; try its IP address")),
        Err(_) => Err(format!("the name `{host}` was not resolved within {timeout:?}; try its IP address")),
    }
}

fn explain(fault: &std::io::Error, timeout: Duration) -> String {
    match fault.kind() {
        ErrorKind::ConnectionRefused => {
            "nothing listens there: is the instrument on, its LAN socket enabled, the port right?".to_owned()
        }
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            format!(
                "no answer within {timeout:?}: is the instrument on, the cable plugged in, the address right?"
            )
        }
        _ => fault.to_string(),
    }
}

struct TcpPort {
    stream: TcpStream,
    read_timeout: Duration,
    write_timeout: Duration,
}

impl TcpPort {
    fn new(stream: TcpStream, settings: &LinkSettings) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        let write_timeout = settings.write_timeout.max(SHORTEST);
        stream.set_write_timeout(Some(write_timeout))?;
        Ok(Self { stream, read_timeout: Duration::ZERO, write_timeout })
    }
}

impl Port for TcpPort {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize, PortFault> {
        // The system keeps its time-out; it is told only when it changes, for a call costs as much as a short read.
        let timeout = timeout.max(SHORTEST);
        if timeout != self.read_timeout {
            self.stream.set_read_timeout(Some(timeout)).map_err(|fault| gone(&fault))?;
            self.read_timeout = timeout;
        }
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err(PortFault::Gone("the other end closed the connection".to_owned())),
                Ok(count) => return Ok(count),
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(port_fault(&fault)),
            }
        }
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> Result<usize, PortFault> {
        let timeout = timeout.max(SHORTEST);
        if timeout != self.write_timeout {
            self.stream.set_write_timeout(Some(timeout)).map_err(|fault| gone(&fault))?;
            self.write_timeout = timeout;
        }
        loop {
            match self.stream.write(bytes) {
                Ok(0) => return Err(PortFault::Gone("the connection takes no more bytes".to_owned())),
                Ok(count) => return Ok(count),
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(port_fault(&fault)),
            }
        }
    }

    fn discard(&mut self) -> Result<(), PortFault> {
        self.stream.set_nonblocking(true).map_err(|fault| gone(&fault))?;
        let mut rubbish = [0; 16 << 10];
        let mut discarded = 0;
        let outcome = loop {
            match self.stream.read(&mut rubbish) {
                Ok(0) => break Err(PortFault::Gone("the other end closed the connection".to_owned())),
                Ok(count) if discarded + count < MOST_DISCARDED => discarded += count,
                Ok(_) => break Ok(()),
                Err(fault) => match fault.kind() {
                    ErrorKind::WouldBlock => break Ok(()),
                    ErrorKind::Interrupted => {}
                    _ => break Err(gone(&fault)),
                },
            }
        };
        self.stream.set_nonblocking(false).map_err(|fault| gone(&fault))?;
        outcome
    }
}

fn port_fault(fault: &std::io::Error) -> PortFault {
    match fault.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => PortFault::TimedOut,
        _ => gone(fault),
    }
}

fn gone(fault: &std::io::Error) -> PortFault {
    PortFault::Gone(match fault.kind() {
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "the other end broke the connection".to_owned(),
        _ => fault.to_string(),
    })
}
