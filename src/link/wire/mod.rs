//! Bytes to values and back. Nothing here does I/O, nothing panics, everything is bounded.
//!
//! [`scpi`] reads the values of an answer, [`block`] its binary part, [`frame`] cuts a stream into messages, [`line`]
//! reads sensors that just send, [`tape`] is the written form of a conversation.

pub mod block;
pub mod error_entry;
pub mod frame;
pub mod identity;
pub mod line;
pub mod scpi;
pub mod tape;

pub use error_entry::ErrorEntry;
pub use identity::Identity;

/// Bytes that are not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("wanted {wanted}, got `{got}`")]
pub struct WireError {
    /// What would have been right.
    pub wanted: String,
    /// What was there, shortened and escaped.
    pub got: String,
}

impl WireError {
    /// An error that names what was wanted and shows what was there.
    #[must_use]
    pub fn new(wanted: impl Into<String>, got: impl AsRef<[u8]>) -> Self {
        Self { wanted: wanted.into(), got: excerpt(got.as_ref()) }
    }
}

/// The most bytes an excerpt shows.
const EXCERPT_BYTES: usize = 96;

/// Foreign bytes as a person may read them on one line: escaped, and shortened with the full length named.
#[must_use]
pub fn excerpt(bytes: &[u8]) -> String {
    let shown = bytes.get(..EXCERPT_BYTES).unwrap_or(bytes);
    let mut text = String::with_capacity(shown.len() + 24);
    escape_into(&mut text, shown);
    if shown.len() < bytes.len() {
        text.push_str(&format!("… ({} bytes in all)", bytes.len()));
    }
    text
}

/// Text of a foreign answer: UTF-8 where it is, else Latin-1, which old instruments use for `°` and `µ`.
#[must_use]
pub fn decode_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|fault| fault.as_bytes().iter().map(|&b| char::from(b)).collect())
}

/// Writes printable ASCII as it is and everything else as `\xNN`, so that it can be read back.
pub(crate) fn escape_into(text: &mut String, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for &byte in bytes {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                text.push_str("\\x");
                text.push(char::from(HEX[usize::from(byte >> 4)]));
                text.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line_whatever_the_bytes_are() {
        assert_eq!(excerpt(b"5.000\r\n"), "5.000\\r\\n");
        assert_eq!(excerpt(&[0, 0xff, b'\\', b'"']), "\\x00\\xff\\\\\"");
        let long = excerpt(&[b'a'; 1000]);
        assert!(long.ends_with("a… (1000 bytes in all)"), "{long}");
        assert!(long.len() < 130);
    }

    #[test]
    fn text_that_is_no_utf_8_is_read_as_latin_1() {
        assert_eq!(decode_text(vec![b'2', b'3', 0xb0, b'C']), "23°C");
        assert_eq!(decode_text("23°C".as_bytes().to_vec()), "23°C");
    }
}
