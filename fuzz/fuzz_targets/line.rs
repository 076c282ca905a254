//! A line of a sensor.
#![no_main]

use libfuzzer_sys::fuzz_target;
use soakrig::link::wire::line::LinePattern;

fuzz_target!(|bytes: &[u8]| {
    let key = "T".to_owned();
    let patterns = [
        LinePattern::KeyValue { key: key.clone() },
        LinePattern::CsvColumn { column: 1, separator: ',' },
        LinePattern::JsonKey { key },
        LinePattern::Plain,
    ];
    for pattern in patterns {
        if let Ok(value) = pattern.read_value(bytes) {
            assert!(value.is_finite());
        }
    }
});
