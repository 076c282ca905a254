//! A value of an answer: numbers, booleans, strings, lists, entries of the error queue, identities.
#![no_main]

use libfuzzer_sys::fuzz_target;
use soakrig::link::wire::scpi::{Number, parse_bool, parse_finite, parse_integer, parse_string, split_list};
use soakrig::link::wire::{ErrorEntry, Identity, decode_text};

fuzz_target!(|bytes: &[u8]| {
    let text = decode_text(bytes.to_vec());
    if let Ok(value) = parse_finite(&text) {
        assert!(value.is_finite());
        assert_eq!(Number::parse(&value.to_string()), Ok(Number::Finite(value)));
    }
    let _ = Number::parse_with_unit(&text, "V");
    let _ = parse_integer(&text);
    let _ = parse_bool(&text);
    let _ = parse_string(&text);
    let joined: usize = split_list(&text).iter().map(|part| part.len()).sum();
    assert!(joined <= text.len());
    if let Ok(entry) = ErrorEntry::parse(&text) {
        assert!(!entry.to_string().contains('\n'));
    }
    let _ = Identity::parse(&text);
});
