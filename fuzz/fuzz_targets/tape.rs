//! The written form of a conversation.
#![no_main]

use libfuzzer_sys::fuzz_target;
use soakrig::link::wire::tape::{TapeLine, parse_tape};

fuzz_target!(|text: &str| {
    for line in parse_tape(text).unwrap_or_default() {
        assert_eq!(TapeLine::parse(&line.render()), Ok(line));
    }
});
