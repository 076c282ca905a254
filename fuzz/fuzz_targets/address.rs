//! A VISA resource string.
#![no_main]

use libfuzzer_sys::fuzz_target;
use soakrig::link::transport::Address;

fuzz_target!(|text: &str| {
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
});
