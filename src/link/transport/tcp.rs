//! SCPI over a plain TCP socket.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::Duration;

use super::stream::{Port, PortFault, StreamLink};
use super::{Address, LinkError, LinkSettings, Transport};
use crate::base::clock::{Clock, Instant, RealClock};
use crate::base::cut::{Cut, SLICE};

/// The most bytes that one `clear` throws away; an endless sender must not hold it up.
const MOST_DISCARDED: usize = 64 << 20;

/// Shorter time-outs than this are not asked of the system, which takes zero for "never".
const SHORTEST: Duration = Duration::from_millis(1);

/// Opens a socket within the connect time-out, whatever the address does.
pub(super) fn open(host: &str, port: u16, settings: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
    let address = Address::Socket { host: host.to_owned(), port }.to_string();
    let refuse = |reason: String| LinkError::NotOpened { address: address.clone(), reason };
    let clock = RealClock::new();
    let within = Within { clock: &clock, end: clock.now() + settings.connect_timeout, cut: &settings.cut };
    let mut reason = format!("the name `{host}` has no address");
    for candidate in resolve(host, port, settings.connect_timeout, &within)?.map_err(refuse)? {
        match connect(candidate, &within)? {
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
fn resolve(
    host: &str,
    port: u16,
    timeout: Duration,
    within: &Within<'_>,
) -> Cuttable<Vec<SocketAddr>, String> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(Ok(vec![SocketAddr::new(ip, port)]));
    }
    let name = host.to_owned();
    let found = within
        .await_thread("resolve", move |_| (name.as_str(), port).to_socket_addrs().map(Iterator::collect))?;
    Ok(match found {
        Some(Ok(found)) => Ok(found),
        Some(Err(fault)) => Err(format!("the name `{host}` cannot be resolved: {fault}; try its IP address")),
        None => Err(format!("the name `{host}` was not resolved within {timeout:?}; try its IP address")),
    })
}

/// The system's connect has a time-out, but nothing that ends it sooner.
fn connect(candidate: SocketAddr, within: &Within<'_>) -> Cuttable<TcpStream, std::io::Error> {
    let connected = within
        .await_thread("connect", move |left| TcpStream::connect_timeout(&candidate, left.max(SHORTEST)))?;
    Ok(connected.unwrap_or_else(|| Err(ErrorKind::TimedOut.into())))
}

/// What came of something that may be cut short.
type Cuttable<T, E> = Result<Result<T, E>, LinkError>;

/// How long opening may take.
struct Within<'a> {
    clock: &'a RealClock,
    end: Instant,
    cut: &'a Cut,
}

impl Within<'_> {
    fn left(&self) -> Duration {
        self.end.since(self.clock.now())
    }

    /// Has something done that the system does not let us interrupt, in a thread of its own, and waits for it in slices.
    /// `None` if it was not done in time; nobody waits any longer if it comes too late.
    fn await_thread<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(Duration) -> T + Send + 'static,
    ) -> Result<Option<T>, LinkError> {
        let (answer, waiting) = mpsc::channel();
        let (start, left) = (self.clock.now(), self.left());
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _ = answer.send(work(left));
        });
        thread.map_err(|fault| LinkError::Lost(format!("the system has no thread to give: {fault}")))?;
        loop {
            if let Ok(done) = waiting.recv_timeout(self.left().min(SLICE)) {
                return Ok(Some(done));
            }
            let waited = self.clock.now().since(start);
            if self.cut.is_now() || self.cut.silence().is_some_and(|silence| waited >= silence) {
                return Err(LinkError::CutShort);
            }
            if self.left().is_zero() {
                // What ends in the same moment by its own time-out has more to tell.
                return Ok(waiting.recv_timeout(SLICE).ok());
            }
        }
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
