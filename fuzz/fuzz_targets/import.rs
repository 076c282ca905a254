//! A file of samples: whatever comes, the limits hold and every sample is a number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use soakrig::waveform::import::{Choice, Limits, Options, read};

fuzz_target!(|input: (bool, &[u8])| {
    let (rate, bytes) = input;
    let limits = Limits { max_samples: 1000, max_line: 2000 };
    let options = Options { sample_rate_hz: rate.then_some(1e6), limits, format: None };
    let Ok(file) = read(bytes, &options) else { return };
    assert!(file.timing.step_s > 0.0 && file.timing.step_s.is_finite());
    let samples: usize = file.channels.iter().map(|channel| channel.codes.len()).sum();
    assert!(samples > 0 && samples <= limits.max_samples);
    for channel in &file.channels {
        let volts = channel.clone().into_waveform(file.timing, "vout").volts();
        assert!(volts.iter().all(|volts| volts.is_finite()));
    }
    let _ = file.select(&Choice::default());
});
