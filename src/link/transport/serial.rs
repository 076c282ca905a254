//! SCPI and sensor lines over a serial port, 8 data bits, no parity, one stop bit, no flow control.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use serialport::{ClearBuffer, SerialPort};

use super::stream::{Port, PortFault, StreamLink};
use super::{Address, LinkError, LinkSettings, Transport};

/// The most bytes that are handed to the system at once. A port that says it is ready has room for so many, so a write
/// does not block beyond its time-out even if the other end has stopped taking.
const WRITE_CHUNK: usize = 64;

/// Opens a serial port (or a pty) for this program alone.
pub(super) fn open(path: &str, settings: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
    let refuse = |reason: String| {
        let address = Address::Serial { path: path.to_owned() }.to_string();
        LinkError::NotOpened { address, reason }
    };
    if settings.cut.is_now() {
        return Err(LinkError::CutShort);
    }
    let port = serialport::new(path, settings.baud)
        .timeout(settings.connect_timeout)
        .open()
        .map_err(|fault| refuse(explain(&fault, path)))?;
    // Old bytes and those received at another speed are no messages.
    port.clear(ClearBuffer::Input).map_err(|fault| refuse(fault.to_string()))?;
    Ok(Box::new(StreamLink::new(TtyPort { port }, settings)))
}

fn explain(fault: &serialport::Error, path: &str) -> String {
    match fault.kind() {
        serialport::ErrorKind::NoDevice if fault.description.contains("lock") => {
            format!("{path} is used by another program")
        }
        serialport::ErrorKind::NoDevice | serialport::ErrorKind::Io(ErrorKind::NotFound) => {
            format!("there is no {path}, or another program uses it: is the cable plugged in?")
        }
        serialport::ErrorKind::Io(ErrorKind::PermissionDenied) => {
            format!("no permission for {path}: on Linux add yourself to the group `dialout` and log in again")
        }
        _ => fault.description.clone(),
    }
}

struct TtyPort {
    port: Box<dyn SerialPort>,
}

impl Port for TtyPort {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize, PortFault> {
        self.port.set_timeout(timeout).map_err(|fault| PortFault::Gone(fault.description))?;
        loop {
            match self.port.read(buffer) {
                Ok(0) => {
                    return Err(PortFault::Gone(
                        "the port gives no more bytes: was it unplugged?".to_owned(),
                    ));
                }
                Ok(count) => return Ok(count),
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(port_fault(&fault)),
            }
        }
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> Result<usize, PortFault> {
        self.port.set_timeout(timeout).map_err(|fault| PortFault::Gone(fault.description))?;
        let chunk = bytes.get(..WRITE_CHUNK).unwrap_or(bytes);
        loop {
            match self.port.write(chunk) {
                Ok(0) => {
                    return Err(PortFault::Gone(
                        "the port takes no more bytes: was it unplugged?".to_owned(),
                    ));
                }
                Ok(count) => return Ok(count),
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(port_fault(&fault)),
            }
        }
    }

    fn discard(&mut self) -> Result<(), PortFault> {
        self.port.clear(ClearBuffer::Input).map_err(|fault| PortFault::Gone(unplugged(&fault.description)))
    }
}

fn port_fault(fault: &std::io::Error) -> PortFault {
    match fault.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => PortFault::TimedOut,
        _ => PortFault::Gone(unplugged(&fault.to_string())),
    }
}

fn unplugged(reason: &str) -> String {
    format!("the serial port is gone ({reason}): was it unplugged?")
}
