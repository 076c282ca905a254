//! Definite-length blocks of IEEE 488.2: `#`, the number of digits, the length, then that many bytes of anything.

use super::WireError;

/// What stands where a block may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// A block: so many bytes of header, then so many of payload.
    Block {
        /// Bytes of `#nddd`.
        header: usize,
        /// Bytes of payload.
        payload: usize,
    },
    /// It may be a block, more bytes are needed to tell.
    Incomplete,
    /// It is none: `#H1F`, `#0`, or something else.
    Other,
}

/// Looks at what stands at the beginning of `bytes`.
#[must_use]
pub fn scan_header(bytes: &[u8]) -> Header {
    let digits = match bytes {
        [] | [b'#'] => return Header::Incomplete,
        [b'#', digits @ b'1'..=b'9', ..] => usize::from(digits - b'0'),
        _ => return Header::Other,
    };
    let mut payload = 0_usize;
    for at in 2..2 + digits {
        match bytes.get(at) {
            Some(digit @ b'0'..=b'9') => payload = payload * 10 + usize::from(digit - b'0'),
            Some(_) => return Header::Other,
            None => return Header::Incomplete,
        }
    }
    Header::Block { header: 2 + digits, payload }
}

/// Where the payload of the only block in `message` lies. Text may stand before it (`C1:WF DAT2,#9…`), only white space
/// after it.
///
/// # Errors
/// There is no definite-length block, it is cut short, or something follows it. A block of unknown length (`#0`) cannot be
/// told from what follows on a socket and is refused.
pub fn find_payload(message: &[u8]) -> Result<std::ops::Range<usize>, WireError> {
    let fault = |wanted: String| WireError::new(wanted, message);
    let hash = find_hash(message).ok_or_else(|| fault("a block beginning with `#`".to_owned()))?;
    if message.get(hash + 1) == Some(&b'0') {
        return Err(fault("a block of known length (`#0` gives none)".to_owned()));
    }
    let Header::Block { header, payload } = scan_header(&message[hash..]) else {
        return Err(fault("a block header such as `#9000001200`".to_owned()));
    };
    let start = hash + header;
    let there = message.len() - start;
    if there < payload {
        return Err(fault(format!("a block of {payload} bytes, of which {there} came")));
    }
    let end = start + payload;
    if !message[end..].iter().all(u8::is_ascii_whitespace) {
        return Err(fault(format!("nothing after a block of {payload} bytes")));
    }
    Ok(start..end)
}

/// The payload of the only block in `message`.
///
/// # Errors
/// As [`find_payload`].
pub fn parse_block(message: &[u8]) -> Result<&[u8], WireError> {
    find_payload(message).map(|range| &message[range])
}

/// The payload of the only block in `message`, in the same memory.
///
/// # Errors
/// As [`find_payload`].
pub fn into_payload(mut message: Vec<u8>) -> Result<Vec<u8>, WireError> {
    let range = find_payload(&message)?;
    message.truncate(range.end);
    message.drain(..range.start);
    Ok(message)
}

/// A block around `payload`, with nine digits as most makers write it.
///
/// # Errors
/// The payload has a thousand million bytes or more.
pub fn render_block(payload: &[u8]) -> Result<Vec<u8>, WireError> {
    if payload.len() > 999_999_999 {
        return Err(WireError::new("at most 999999999 bytes", format!("{} bytes", payload.len())));
    }
    let mut block = Vec::with_capacity(payload.len() + 12);
    block.extend_from_slice(format!("#9{:09}", payload.len()).as_bytes());
    block.extend_from_slice(payload);
    Ok(block)
}

/// A block begins only where an element of an answer may begin.
pub(super) fn may_begin_element(before: Option<u8>) -> bool {
    matches!(before, None | Some(b',' | b';' | b':' | b' ' | b'\t'))
}

fn find_hash(message: &[u8]) -> Option<usize> {
    (0..message.len()).find(|&at| {
        message[at] == b'#'
            && may_begin_element(at.checked_sub(1).and_then(|before| message.get(before).copied()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_are_read_whatever_stands_in_them() {
        let table: [(&[u8], &[u8]); 7] = [
            (b"#15hello", b"hello"),
            (b"#9000000003a\nb", b"a\nb"),
            (b"#13\n#\r\n", b"\n#\r"),
            (b"C1:WF DAT2,#9000000002\x00\xff\n\n", b"\x00\xff"),
            (b"#10", b""),
            (b"#800000001x", b"x"),
            (b":CURV #12ab", b"ab"),
        ];
        for (message, payload) in table {
            assert_eq!(parse_block(message).unwrap(), payload);
            assert_eq!(into_payload(message.to_vec()).unwrap(), payload);
        }
    }

    #[test]
    fn what_is_no_whole_block_is_refused_with_what_was_wanted() {
        let table: [&[u8]; 8] = [b"", b"5.000", b"#0abc\n", b"#H1F", b"#9abc", b"#15hell", b"#12abc", b"#"];
        let refused: Vec<String> = table.iter().map(|m| parse_block(m).unwrap_err().to_string()).collect();
        insta::assert_snapshot!(refused.join("\n"), @r"
        wanted a block beginning with `#`, got ``
        wanted a block beginning with `#`, got `5.000`
        wanted a block of known length (`#0` gives none), got `#0abc\n`
        wanted a block header such as `#9000001200`, got `#H1F`
        wanted a block header such as `#9000001200`, got `#9abc`
        wanted a block of 5 bytes, of which 4 came, got `#15hell`
        wanted nothing after a block of 2 bytes, got `#12abc`
        wanted a block header such as `#9000001200`, got `#`
        ");
    }

    proptest! {
        #[test]
        fn every_payload_survives_the_wire(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
            let block = render_block(&payload).unwrap();
            prop_assert_eq!(parse_block(&block).unwrap(), payload.as_slice());
            prop_assert_eq!(into_payload(block).unwrap(), payload);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), digits in "#[0-9]{0,12}") {
            let _ = parse_block(&bytes);
            let message = [digits.as_bytes(), &bytes].concat();
            let _ = parse_block(&message);
            let _ = into_payload(message);
        }
    }
}
