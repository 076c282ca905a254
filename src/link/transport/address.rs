//! VISA resource strings, as every bench engineer already writes them.

use std::fmt;
use std::str::FromStr;

/// Where an instrument is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// `TCPIP0::10.0.0.5::5025::SOCKET`
    Socket {
        /// Host name or IP address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// `ASRL/dev/ttyUSB0::INSTR`
    Serial {
        /// Path of the port.
        path: String,
    },
    /// `SIM::supply`: an instrument of the simulated bench inside the process.
    Sim {
        /// The instrument's name on the simulated bench.
        instrument: String,
    },
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address this program can open: {reason}")]
pub struct AddressError {
    /// What was written.
    pub text: String,
    /// What is wrong and what to write instead.
    pub reason: String,
}
