//! A stream cut into messages: the same wherever it is torn, and never more memory than the limit allows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use soakrig::link::wire::frame::Framer;

const LIMIT: usize = 200;

fn messages(mut framer: Framer, pieces: impl Iterator<Item = Vec<u8>>) -> Vec<Option<Vec<u8>>> {
    let mut all = Vec::new();
    for piece in pieces {
        framer.push(&piece);
        loop {
            match framer.next_message() {
                Ok(Some(message)) => {
                    assert!(message.len() <= LIMIT);
                    all.push(Some(message));
                }
                Ok(None) => break,
                Err(_) => all.push(None),
            }
        }
        assert!(framer.pending() <= LIMIT + piece.len());
    }
    all
}

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (size, stream) = input;
    let size = usize::from(size).max(1);
    for framer in [Framer::scpi, Framer::lines] {
        let whole = messages(framer(LIMIT), std::iter::once(stream.clone()));
        let torn = messages(framer(LIMIT), stream.chunks(size).map(<[u8]>::to_vec));
        assert_eq!(whole, torn);
    }
});
