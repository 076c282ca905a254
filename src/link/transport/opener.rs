//! Opens links to the real world.

use super::{Address, LinkError, LinkSettings, Opener, Transport, serial, tcp};

/// Opens sockets and serial ports. The simulated bench has its own opener.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealOpener;

impl Opener for RealOpener {
    fn open(&self, address: &Address, settings: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
        match address {
            Address::Socket { host, port } => tcp::open(host, *port, settings),
            Address::Serial { path } => serial::open(path, settings),
            Address::Sim { .. } => Err(LinkError::NotOpened {
                address: address.to_string(),
                reason: "the simulated bench cannot be mixed with real instruments: give every role a `SIM::` address \
                         or none"
                    .to_owned(),
            }),
        }
    }
}
