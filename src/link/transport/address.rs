//! VISA resource strings, as every bench engineer already writes them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// Where an instrument is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// `TCPIP0::10.0.0.5::5025::SOCKET`
    Socket {
        /// Host name or IP address; an IPv6 address without its brackets.
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

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket { host, port } if host.contains(':') => {
                write!(f, "TCPIP0::[{host}]::{port}::SOCKET")
            }
            Self::Socket { host, port } => write!(f, "TCPIP0::{host}::{port}::SOCKET"),
            Self::Serial { path } => write!(f, "ASRL{path}::INSTR"),
            Self::Sim { instrument } => write!(f, "SIM::{instrument}"),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        parse(text.trim()).map_err(|reason| AddressError { text: text.chars().take(120).collect(), reason })
    }
}

fn parse(text: &str) -> Result<Address, String> {
    if text.len() > 512 || text.chars().any(char::is_control) {
        return Err("it is too long or holds control characters".to_owned());
    }
    let parts = split_parts(text);
    let interface = parts[0].to_ascii_uppercase();
    if interface == "SIM" {
        return parse_sim(&parts);
    }
    if let Some(board) = interface.strip_prefix("TCPIP")
        && board.bytes().all(|b| b.is_ascii_digit())
    {
        return parse_socket(&parts);
    }
    if interface.starts_with("ASRL") {
        return parse_serial(text);
    }
    Err(hint(text, &interface))
}

/// The parts between `::`; a bracketed IPv6 address is one part.
fn split_parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut inside) = (0, false);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'[' => inside = true,
            b']' => inside = false,
            b':' if !inside && bytes.get(at + 1) == Some(&b':') => {
                parts.push(&text[start..at]);
                at += 1;
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&text[start..]);
    parts
}

fn parse_sim(parts: &[&str]) -> Result<Address, String> {
    match parts {
        [_, name] if is_plain_name(name) => Ok(Address::Sim { instrument: (*name).to_owned() }),
        _ => Err("an instrument of the simulated bench is written `SIM::supply`".to_owned()),
    }
}

fn parse_socket(parts: &[&str]) -> Result<Address, String> {
    let host_text = parts.get(1).copied().unwrap_or_default();
    let socket = |port: &str| format!("`TCPIP0::{host_text}::{port}::SOCKET`");
    let kind = parts.last().map(|last| last.to_ascii_uppercase()).unwrap_or_default();
    let host = parse_host(host_text)?;
    if kind != "SOCKET" {
        let third = parts.get(2).map(|part| part.to_ascii_lowercase()).unwrap_or_default();
        return Err(if third.starts_with("hislip") {
            format!(
                "HiSLIP is not spoken; most instruments also listen on a plain socket: write {}",
                socket("5025")
            )
        } else if kind == "INSTR" || third.starts_with("inst") {
            format!(
                "VXI-11 is not spoken; most instruments also listen on a plain socket: write {} (Rigol: {})",
                socket("5025"),
                socket("5555")
            )
        } else {
            format!("write {} with the instrument's SCPI port", socket("5025"))
        });
    }
    match parts {
        [_, _, port, _] => {
            let number = port.parse::<u16>().ok().filter(|&port| port > 0);
            let port = number.ok_or_else(|| format!("`{port}` is no TCP port (1 to 65535)"))?;
            Ok(Address::Socket { host, port })
        }
        _ if parts.len() > 4 => {
            Err("an IPv6 address stands in brackets: `TCPIP0::[fe80::1]::5025::SOCKET`".to_owned())
        }
        _ => Err(format!("a socket is written {}", socket("5025"))),
    }
}

fn parse_host(text: &str) -> Result<String, String> {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let (address, zone) = inner.split_once('%').unwrap_or((inner, "1"));
        let good = address.parse::<Ipv6Addr>().is_ok() && is_plain_name(zone);
        return if good { Ok(inner.to_owned()) } else { Err(format!("`{inner}` is no IPv6 address")) };
    }
    if is_plain_name(text) {
        Ok(text.to_owned())
    } else if text.is_empty() {
        Err("there is no host in it; write `TCPIP0::10.0.0.5::5025::SOCKET`".to_owned())
    } else {
        Err(format!("`{text}` is no host name or IP address; an IPv6 address stands in brackets"))
    }
}

fn parse_serial(text: &str) -> Result<Address, String> {
    const FORM: &str = "a serial port is written `ASRL/dev/ttyUSB0::INSTR`";
    let rest = text.get(4..).unwrap_or_default();
    let end = rest.len().saturating_sub("::INSTR".len());
    let path = match rest.get(end..) {
        Some(tail) if tail.eq_ignore_ascii_case("::INSTR") => &rest[..end],
        _ => return Err(FORM.to_owned()),
    };
    if path.is_empty() || path.contains("::") {
        return Err(FORM.to_owned());
    }
    if path.bytes().all(|b| b.is_ascii_digit()) {
        // VISA counts serial ports from 1, the kernel from 0.
        let number: u32 = path.parse().map_err(|_| FORM.to_owned())?;
        let index = number.checked_sub(1).ok_or("VISA counts serial ports from 1: write `ASRL1::INSTR`")?;
        return Ok(Address::Serial { path: format!("/dev/ttyS{index}") });
    }
    Ok(Address::Serial { path: path.to_owned() })
}

fn is_plain_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// What to write instead of something that is no VISA resource string.
fn hint(text: &str, interface: &str) -> String {
    const PORTS: &str = "(5025 is the usual SCPI port; Rigol listens on 5555)";
    if text.is_empty() {
        return "it is empty; write for example `TCPIP0::10.0.0.5::5025::SOCKET`".to_owned();
    }
    if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        let address = Address::Socket { host: address.to_string(), port: 5025 };
        return format!("write `{address}` {PORTS}");
    }
    if text.starts_with("/dev/") {
        return format!("write `ASRL{text}::INSTR`");
    }
    if interface.starts_with("USB") {
        return format!(
            "USBTMC is not spoken; use the instrument's LAN socket, `TCPIP0::10.0.0.5::5025::SOCKET` {PORTS}"
        );
    }
    if interface.starts_with("GPIB") {
        return format!(
            "GPIB is not spoken; use the instrument's LAN socket, `TCPIP0::10.0.0.5::5025::SOCKET` {PORTS}"
        );
    }
    if let Some((host, port)) = text.rsplit_once(':')
        && is_plain_name(host)
        && let Ok(port) = port.parse()
    {
        return format!("write `{}`", Address::Socket { host: host.to_owned(), port });
    }
    if is_plain_name(text) && text.contains('.') {
        return format!("write `TCPIP0::{text}::5025::SOCKET` {PORTS}");
    }
    "write a VISA resource string: `TCPIP0::10.0.0.5::5025::SOCKET`, `ASRL/dev/ttyUSB0::INSTR` or `SIM::supply`"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_visa_resource_strings() {
        let table = [
            ("TCPIP0::10.0.0.5::5025::SOCKET", "TCPIP0::10.0.0.5::5025::SOCKET"),
            ("tcpip::dp832.lab.local::5555::socket", "TCPIP0::dp832.lab.local::5555::SOCKET"),
            ("TCPIP::[fe80::1]::5025::SOCKET", "TCPIP0::[fe80::1]::5025::SOCKET"),
            ("TCPIP1::[fe80::1%eth0]::5025::SOCKET", "TCPIP0::[fe80::1%eth0]::5025::SOCKET"),
            ("ASRL/dev/ttyUSB0::INSTR", "ASRL/dev/ttyUSB0::INSTR"),
            ("ASRL/dev/pts/4::instr", "ASRL/dev/pts/4::INSTR"),
            ("ASRL3::INSTR", "ASRL/dev/ttyS2::INSTR"),
            ("ASRLCOM3::INSTR", "ASRLCOM3::INSTR"),
            (" SIM::supply ", "SIM::supply"),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn a_refused_address_says_what_to_write_instead() {
        let refused = [
            "10.0.0.5",
            "10.0.0.5:5555",
            "fe80::1",
            "dp832.local",
            "/dev/ttyUSB0",
            "TCPIP0::10.0.0.5::inst0::INSTR",
            "TCPIP0::10.0.0.5::INSTR",
            "TCPIP0::10.0.0.5::hislip0::INSTR",
            "TCPIP0::10.0.0.5::99999::SOCKET",
            "TCPIP0::10.0.0.5::SOCKET",
            "TCPIP0::::5025::SOCKET",
            "TCPIP0::fe80::1::5025::SOCKET",
            "USB0::0x1AB1::0x0E11::DP8C1234::INSTR",
            "GPIB0::7::INSTR",
            "ASRL/dev/ttyUSB0",
            "ASRL0::INSTR",
            "SIM",
            "SIM::a b",
            "supply",
        ];
        let table: Vec<String> = refused
            .iter()
            .map(|text| format!("{text:38} {}", text.parse::<Address>().unwrap_err().reason))
            .collect();
        assert!("".parse::<Address>().is_err());
        insta::assert_snapshot!(table.join("\n"), @r"
        10.0.0.5                               write `TCPIP0::10.0.0.5::5025::SOCKET` (5025 is the usual SCPI port; Rigol listens on 5555)
        10.0.0.5:5555                          write `TCPIP0::10.0.0.5::5555::SOCKET`
        fe80::1                                write `TCPIP0::[fe80::1]::5025::SOCKET` (5025 is the usual SCPI port; Rigol listens on 5555)
        dp832.local                            write `TCPIP0::dp832.local::5025::SOCKET` (5025 is the usual SCPI port; Rigol listens on 5555)
        /dev/ttyUSB0                           write `ASRL/dev/ttyUSB0::INSTR`
        TCPIP0::10.0.0.5::inst0::INSTR         VXI-11 is not spoken; most instruments also listen on a plain socket: write `TCPIP0::10.0.0.5::5025::SOCKET` (Rigol: `TCPIP0::10.0.0.5::5555::SOCKET`)
        TCPIP0::10.0.0.5::INSTR                VXI-11 is not spoken; most instruments also listen on a plain socket: write `TCPIP0::10.0.0.5::5025::SOCKET` (Rigol: `TCPIP0::10.0.0.5::5555::SOCKET`)
        TCPIP0::10.0.0.5::hislip0::INSTR       HiSLIP is not spoken; most instruments also listen on a plain socket: write `TCPIP0::10.0.0.5::5025::SOCKET`
        TCPIP0::10.0.0.5::99999::SOCKET        `99999` is no TCP port (1 to 65535)
        TCPIP0::10.0.0.5::SOCKET               a socket is written `TCPIP0::10.0.0.5::5025::SOCKET`
        TCPIP0::::5025::SOCKET                 there is no host in it; write `TCPIP0::10.0.0.5::5025::SOCKET`
        TCPIP0::fe80::1::5025::SOCKET          an IPv6 address stands in brackets: `TCPIP0::[fe80::1]::5025::SOCKET`
        USB0::0x1AB1::0x0E11::DP8C1234::INSTR  USBTMC is not spoken; use the instrument's LAN socket, `TCPIP0::10.0.0.5::5025::SOCKET` (5025 is the usual SCPI port; Rigol listens on 5555)
        GPIB0::7::INSTR                        GPIB is not spoken; use the instrument's LAN socket, `TCPIP0::10.0.0.5::5025::SOCKET` (5025 is the usual SCPI port; Rigol listens on 5555)
        ASRL/dev/ttyUSB0                       a serial port is written `ASRL/dev/ttyUSB0::INSTR`
        ASRL0::INSTR                           VISA counts serial ports from 1: write `ASRL1::INSTR`
        SIM                                    an instrument of the simulated bench is written `SIM::supply`
        SIM::a b                               an instrument of the simulated bench is written `SIM::supply`
        supply                                 write a VISA resource string: `TCPIP0::10.0.0.5::5025::SOCKET`, `ASRL/dev/ttyUSB0::INSTR` or `SIM::supply`
        ");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}|(TCPIP0|ASRL|SIM|USB)[:a-z0-9\\[\\]./]{0,40}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
            }
        }

        #[test]
        fn every_address_survives_being_written(host in "[a-z0-9][a-z0-9.-]{0,20}", port in 1_u16.., bits: u128) {
            for host in [host, Ipv6Addr::from(bits).to_string()] {
                let address = Address::Socket { host, port };
                prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
            }
        }
    }
}
