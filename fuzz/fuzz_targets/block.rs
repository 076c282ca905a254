//! A definite-length block.
#![no_main]

use libfuzzer_sys::fuzz_target;
use soakrig::link::wire::block::{into_payload, parse_block, render_block};

fuzz_target!(|bytes: &[u8]| {
    let parsed = parse_block(bytes).map(<[u8]>::to_vec);
    assert_eq!(parsed, into_payload(bytes.to_vec()), "two ways to the same payload");
    if let Ok(block) = render_block(bytes) {
        assert_eq!(parse_block(&block), Ok(bytes));
    }
});
