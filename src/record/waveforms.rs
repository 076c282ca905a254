//! Sample files in numpy's `.npy` format 1.0: raw codes as captured, `u1` or little-endian `i2`, or numbers, `f4`; one
//! dimension. Scale, offset and the conditions of the capture stand in the journal.

use crate::waveform::Codes;

/// Length of the header that is written; data begin at a multiple of 64, as numpy asks.
const HEADER: usize = 128;
const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// The bytes of a sample file.
#[must_use]
pub fn render_npy(codes: &Codes) -> Vec<u8> {
    let kind = match codes {
        Codes::U8(_) => "|u1",
        Codes::I16(_) => "<i2",
        Codes::F32(_) => "<f4",
    };
    let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({},), }}", codes.len());
    let mut bytes = Vec::with_capacity(HEADER + 4 * codes.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&((HEADER - MAGIC.len() - 2) as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(HEADER - 1, b' ');
    bytes.push(b'\n');
    bytes.extend_from_slice(&code_bytes(codes));
    bytes
}

/// The codes as they stand in the file.
fn code_bytes(codes: &Codes) -> std::borrow::Cow<'_, [u8]> {
    match codes {
        Codes::U8(codes) => codes.as_slice().into(),
        Codes::I16(codes) => codes.iter().flat_map(|code| code.to_le_bytes()).collect::<Vec<u8>>().into(),
        Codes::F32(codes) => codes.iter().flat_map(|code| code.to_le_bytes()).collect::<Vec<u8>>().into(),
    }
}

/// CRC32 of the codes' bytes, as it stands in the journal.
#[must_use]
pub fn codes_crc(codes: &Codes) -> u32 {
    crc32fast::hash(&code_bytes(codes))
}

/// Reads a sample file: one dimension of `u1`, `<i2` or `<f4`, format 1.x.
///
/// # Errors
/// It is something else, or shorter or longer than its header says; what was seen.
pub fn parse_npy(bytes: &[u8]) -> Result<Codes, String> {
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    if !bytes.starts_with(&MAGIC[..7]) {
        return Err("it does not begin as an .npy file of format 1".to_owned());
    }
    let length = bytes.get(8..10).map(|pair| usize::from(pair[0]) | usize::from(pair[1]) << 8);
    let split = length.and_then(|length| Some((bytes.get(10..10 + length)?, bytes.get(10 + length..)?)));
    let Some((header, data)) = split else {
        return Err("it ends inside its header".to_owned());
    };
    let header = std::str::from_utf8(header).map_err(|_| "its header is not text".to_owned())?;
    let after = |key: &str| {
        header.split_once(key).map(|(_, rest)| rest.trim_start().trim_start_matches(':').trim_start())
    };
    if !after("'fortran_order'").is_some_and(|rest| rest.starts_with("False")) {
        return Err("its header does not say `'fortran_order': False`".to_owned());
    }
    let shape =
        after("'shape'").and_then(|rest| rest.strip_prefix('(')).and_then(|rest| rest.split_once(')'));
    let count: usize = shape
        .and_then(|(shape, _)| shape.trim().trim_end_matches(',').trim().parse().ok())
        .ok_or("its header names no single dimension")?;
    let kind = after("'descr'").unwrap_or_default();
    let size = if kind.starts_with("'|u1'") {
        1
    } else if kind.starts_with("'<i2'") {
        2
    } else if kind.starts_with("'<f4'") {
        4
    } else {
        return Err("its samples are none of `|u1`, `<i2` and `<f4`".to_owned());
    };
    if count.checked_mul(size) != Some(data.len()) {
        return Err(format!("its header names {count} samples of {size} bytes, {} bytes follow", data.len()));
    }
    Ok(match size {
        1 => Codes::U8(data.to_vec()),
        2 => Codes::I16(data.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()),
        _ => Codes::F32(
            data.chunks_exact(4)
                .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
                .collect(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sample_file_begins_as_numpy_wants_it() {
        let bytes = render_npy(&Codes::I16(vec![-2, 300]));
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(bytes.len(), 128 + 4);
        assert_eq!(&bytes[127..], b"\n\xfe\xff\x2c\x01");
        let header = std::str::from_utf8(&bytes[10..127]).unwrap();
        assert_eq!(header.trim_end(), "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }");
    }

    #[test]
    fn what_is_no_sample_file_is_refused_with_a_reason() {
        let good = render_npy(&Codes::U8(vec![1, 2, 3]));
        let mut tail = good.clone();
        tail.pop();
        let mut kind = good.clone();
        kind[21] = b'f';
        let told: Vec<String> = [&b"PK\x03\x04"[..], &good[..40], &tail, &kind]
            .iter()
            .map(|b| parse_npy(b).unwrap_err())
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        it does not begin as an .npy file of format 1
        it ends inside its header
        its header names 3 samples of 1 bytes, 2 bytes follow
        its samples are none of `|u1`, `<i2` and `<f4`
        ");
    }

    proptest! {
        #[test]
        fn codes_come_back_as_they_were(words in proptest::collection::vec(any::<i16>(), 0..300)) {
            let codes = Codes::I16(words.clone());
            prop_assert_eq!(parse_npy(&render_npy(&codes)), Ok(codes));
            let codes = Codes::U8(words.iter().map(|word| *word as u8).collect());
            prop_assert_eq!(parse_npy(&render_npy(&codes)), Ok(codes));
            let codes = Codes::F32(words.iter().map(|word| f32::from(*word) / 7.0).collect());
            prop_assert_eq!(parse_npy(&render_npy(&codes)), Ok(codes));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), like in any::<bool>()) {
            if like {
                let mut head = render_npy(&Codes::U8(vec![7; 9]));
                for (place, byte) in bytes.iter().enumerate().filter(|(_, byte)| **byte > 240) {
                    head[place.min(136)] = *byte;
                }
                bytes = head;
            }
            let _ = parse_npy(&bytes);
        }
    }
}
