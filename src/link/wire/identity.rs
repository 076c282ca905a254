//! The answer to `*IDN?`.

use std::fmt;

use super::WireError;

/// Who an instrument says it is. A field it did not send is empty, never invented.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Identity {
    /// Maker, e.g. `RIGOL TECHNOLOGIES`.
    pub maker: String,
    /// Model, e.g. `DP832`. An answer without commas (`KORADKA3005PV2.0`) stands here whole.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Firmware, with any further fields (`1.01.01.02.05,V3.0`).
    pub firmware: String,
}

/// The longest answer to `*IDN?` that is taken, in bytes; IEEE 488.2 allows 72.
const LONGEST: usize = 512;

impl Identity {
    /// Reads the four fields; some makers send fewer, some more.
    ///
    /// # Errors
    /// The answer is empty, far too long, or holds control characters.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.len() > LONGEST || trimmed.chars().any(char::is_control) {
            return Err(WireError::new("an identity (maker, model, serial number, firmware)", text));
        }
        if !trimmed.contains(',') {
            return Ok(Self { model: trimmed.to_owned(), ..Self::default() });
        }
        let mut fields = trimmed.splitn(4, ',').map(|field| field.trim().to_owned());
        let mut field = || fields.next().unwrap_or_default();
        Ok(Self { maker: field(), model: field(), serial: field(), firmware: field() })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.maker.is_empty() {
            return f.write_str(&self.model);
        }
        write!(f, "{} {}", self.maker, self.model)?;
        if !self.serial.is_empty() {
            write!(f, ", serial number {}", self.serial)?;
        }
        if !self.firmware.is_empty() {
            write!(f, ", firmware {}", self.firmware)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn identities_are_read_as_makers_send_them() {
        let fields = |text: &str| {
            let id = Identity::parse(text).unwrap();
            [id.maker, id.model, id.serial, id.firmware].join("|")
        };
        let table = [
            (
                "RIGOL TECHNOLOGIES,DP832,DP8C1234567890,00.01.17\r",
                "RIGOL TECHNOLOGIES|DP832|DP8C1234567890|00.01.17",
            ),
            (
                "Siglent Technologies,SPD3303X,SPD3X,1.01.01.02.05,V3.0",
                "Siglent Technologies|SPD3303X|SPD3X|1.01.01.02.05,V3.0",
            ),
            ("Maker, Model ,0", "Maker|Model|0|"),
            ("KORADKA3005PV2.0", "|KORADKA3005PV2.0||"),
        ];
        for (text, expected) in table {
            assert_eq!(fields(text), expected);
        }
        for text in ["", "\r\n", "a\0,b,c,d", &"x".repeat(600)] {
            assert!(Identity::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_identity_reads_as_a_phrase() {
        let id = Identity::parse("RIGOL TECHNOLOGIES,DP832,DP8C1,00.01.17").unwrap();
        assert_eq!(id.to_string(), "RIGOL TECHNOLOGIES DP832, serial number DP8C1, firmware 00.01.17");
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(text in "\\PC{0,80}") {
            let _ = Identity::parse(&text);
        }
    }
}
