//! Cuts a stream of bytes into messages.
//!
//! A message ends at LF; one CR before it belongs to the end. A definite-length block is counted, never searched for LF,
//! also where text stands in front of it. LF ends a message even inside an open quote: a lost quote must not swallow the
//! answers that follow.

use super::block::{Header, may_begin_element, scan_header};

/// More bytes than a message may have; the message is dropped to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message of more than {0} bytes")]
pub struct TooLong(pub usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Scpi,
    Lines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    Outside,
    Inside(u8),
    /// Just behind a closing quote: the same quote again stands for a quote inside the string.
    Closed(u8),
}

/// The most memory that is taken on the word of a block's header alone.
const TRUSTED_BYTES: usize = 16 << 20;

/// A stream on its way to becoming messages. It holds at most one message and what was pushed behind it.
#[derive(Debug)]
pub struct Framer {
    rule: Rule,
    limit: usize,
    buffer: Vec<u8>,
    /// Where the message begins.
    start: usize,
    /// The next byte to look at; behind the buffer's end while a block's payload is on its way.
    scan: usize,
    /// Up to here it is a block's payload, where a CR is no part of the end.
    payload_end: usize,
    before: Option<u8>,
    quote: Quote,
    /// The message was too long and is dropped to its end.
    dropping: bool,
    /// The message before held a block; some makers end it with two LF.
    after_block: bool,
}

impl Framer {
    /// Messages of SCPI: lines and counted blocks, each of at most `limit` bytes.
    #[must_use]
    pub fn scpi(limit: usize) -> Self {
        Self::new(Rule::Scpi, limit)
    }

    /// Plain lines, each of at most `limit` bytes.
    #[must_use]
    pub fn lines(limit: usize) -> Self {
        Self::new(Rule::Lines, limit)
    }

    fn new(rule: Rule, limit: usize) -> Self {
        Self {
            rule,
            limit,
            buffer: Vec::new(),
            start: 0,
            scan: 0,
            payload_end: 0,
            before: None,
            quote: Quote::Outside,
            dropping: false,
            after_block: false,
        }
    }

    /// Takes what has arrived. Call [`Framer::next_message`] until it gives none before pushing more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.buffer.extend_from_slice(bytes);
    }

    /// While a block's payload is on its way, has up to `most` bytes of it read into their place, where no copy of them is
    /// needed; `None`, with nothing read, while anything else is awaited. `read` tells how many bytes it has put in.
    pub fn fill<E>(
        &mut self,
        most: usize,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Option<Result<usize, E>> {
        let awaited = self.scan.saturating_sub(self.buffer.len());
        if self.dropping || awaited == 0 {
            return None;
        }
        self.make_room(awaited.min(most));
        let from = self.buffer.len();
        self.buffer.resize(from + awaited.min(most), 0);
        let outcome = read(&mut self.buffer[from..]);
        let count = outcome.as_ref().map_or(0, |count| *count);
        self.buffer.truncate(from.saturating_add(count));
        Some(outcome)
    }

    fn make_room(&mut self, bytes: usize) {
        self.forget_before(self.start);
        let expected = self.scan.saturating_sub(self.buffer.len()).saturating_add(1).min(TRUSTED_BYTES);
        if !self.dropping && expected > self.buffer.capacity() - self.buffer.len() {
            self.buffer.reserve(expected.max(bytes));
        }
    }

    /// The next whole message without its end.
    ///
    /// # Errors
    /// The message is too long. It is told once; what still comes of that message is dropped.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        loop {
            let end = self.find_end();
            let too_long = !self.dropping && self.scan - self.start > self.limit;
            self.dropping |= too_long;
            let Some(end) = end else {
                if self.dropping {
                    self.forget_before(self.scan.min(self.buffer.len()));
                }
                return if too_long { Err(TooLong(self.limit)) } else { Ok(None) };
            };
            let dropped = self.dropping;
            let message = self.take_message(end);
            if too_long {
                return Err(TooLong(self.limit));
            }
            if let (false, Some(message)) = (dropped, message) {
                return Ok(Some(message));
            }
        }
    }

    /// Forgets everything that was pushed.
    pub fn clear(&mut self) {
        *self = Self::new(self.rule, self.limit);
    }

    /// Bytes of a message whose end has not come yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Whether bytes are there beyond the last message that was taken, apart from line ends behind a block.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        let line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        self.dropping || !self.buffer[self.start..].iter().all(|byte| self.after_block && line_end(byte))
    }

    /// Looks on from where it stopped; the place of the LF that ends the message.
    fn find_end(&mut self) -> Option<usize> {
        while let Some(&byte) = self.buffer.get(self.scan) {
            if byte == b'\n' {
                return Some(self.scan);
            }
            if self.rule == Rule::Scpi {
                match (self.quote, byte) {
                    (Quote::Inside(quote), _) if byte == quote => self.quote = Quote::Closed(quote),
                    (Quote::Inside(_), _) => {}
                    (Quote::Closed(quote), _) if byte == quote => self.quote = Quote::Inside(quote),
                    (_, b'"' | b'\'') if may_begin_element(self.before) => self.quote = Quote::Inside(byte),
                    (_, b'#') if may_begin_element(self.before) => {
                        self.quote = Quote::Outside;
                        match scan_header(&self.buffer[self.scan..]) {
                            Header::Incomplete => return None,
                            Header::Other => {}
                            Header::Block { header, payload } => {
                                self.scan += header + payload;
                                self.payload_end = self.scan;
                                self.before = Some(b'#');
                                continue;
                            }
                        }
                    }
                    _ => self.quote = Quote::Outside,
                }
            }
            self.before = Some(byte);
            self.scan += 1;
        }
        None
    }

    /// Takes the message that ends with the LF at `end`; `None` for the second LF behind a block.
    fn take_message(&mut self, end: usize) -> Option<Vec<u8>> {
        let dropped = self.dropping;
        let has_block = self.payload_end > self.start;
        let ends_with_cr = end > self.start.max(self.payload_end) && self.buffer[end - 1] == b'\r';
        let text_end = end - usize::from(ends_with_cr);
        let stray = self.after_block && text_end == self.start;
        let message = if dropped || stray {
            None
        } else if self.start == 0 && end + 1 == self.buffer.len() {
            // The usual case, and the one that matters for large blocks: the buffer is the message.
            let mut message = std::mem::take(&mut self.buffer);
            message.truncate(text_end);
            Some(message)
        } else {
            Some(self.buffer[self.start..text_end].to_vec())
        };
        self.start = if self.buffer.is_empty() { 0 } else { end + 1 };
        self.scan = self.start;
        self.payload_end = self.start;
        self.before = None;
        self.quote = Quote::Outside;
        self.dropping = false;
        self.after_block = has_block;
        message
    }

    /// Gives back the memory in front of `cut`.
    fn forget_before(&mut self, cut: usize) {
        if cut == 0 {
            return;
        }
        self.buffer.drain(..cut);
        self.start = self.start.saturating_sub(cut);
        self.scan -= cut;
        self.payload_end = self.payload_end.saturating_sub(cut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All messages of a stream that arrives in pieces of `piece` bytes.
    fn cut(mut framer: Framer, stream: &[u8], piece: usize) -> Vec<String> {
        let mut messages = Vec::new();
        for part in stream.chunks(piece.max(1)) {
            framer.push(part);
            loop {
                match framer.next_message() {
                    Ok(Some(message)) => messages.push(crate::link::wire::excerpt(&message)),
                    Ok(None) => break,
                    Err(fault) => messages.push(format!("! {fault}")),
                }
            }
        }
        if framer.pending() > 0 {
            messages.push(format!("({} pending)", framer.pending()));
        }
        messages
    }

    #[test]
    fn a_stream_is_cut_the_same_wherever_it_is_torn() {
        let table: [(&[u8], &[&str]); 14] = [
            (b"5.000\n", &["5.000"]),
            (b"5.000\r\n0.1\n", &["5.000", "0.1"]),
            (b"5.0", &["(3 pending)"]),
            (b"\n\n", &["", ""]),
            (b"#15a\nb\nc\n1\n", &["#15a\\nb\\nc", "1"]),
            (b"#9000000002\n\n\n1\n", &["#9000000002\\n\\n", "1"]),
            (b"C1:WF DAT2,#12\n#\n\n1\n", &["C1:WF DAT2,#12\\n#", "1"]),
            (b"#12ab,#12\n\n;\"x\"\n", &["#12ab,#12\\n\\n;\"x\""]),
            (b"#H1F\n1\n", &["#H1F", "1"]),
            (b"#0abc\n1\n", &["#0abc", "1"]),
            (b"\"say #12\"\n1\n", &["\"say #12\"", "1"]),
            (b"\"a\"\",#12\"\n1\n", &["\"a\"\",#12\"", "1"]),
            (b"\"lost quote\n1\n", &["\"lost quote", "1"]),
            (b"#13ab\r\r\n1\n", &["#13ab\\r", "1"]),
        ];
        for (stream, expected) in table {
            for piece in 1..=stream.len() {
                assert_eq!(cut(Framer::scpi(100), stream, piece), expected, "in pieces of {piece}");
            }
        }
    }

    #[test]
    fn what_stands_behind_an_answer_is_known_but_the_second_end_of_a_block_is_not_counted() {
        for (stream, unread) in [("5\n", false), ("5\n6", true), ("5\n\n", true), ("#15hello\n\n", false)] {
            let mut framer = Framer::scpi(100);
            framer.push(stream.as_bytes());
            framer.next_message().unwrap().unwrap();
            assert_eq!(framer.has_unread(), unread, "{stream:?}");
        }
    }

    #[test]
    fn plain_lines_know_no_blocks() {
        assert_eq!(cut(Framer::lines(100), b"#15a\nb\n", 3), ["#15a", "b"]);
    }

    #[test]
    fn a_message_that_is_too_long_is_told_once_and_dropped_to_its_end() {
        let endless = [b'a'; 300].as_slice();
        let stream = [endless, b"\n1\n"].concat();
        for piece in [1, 7, 99, 303] {
            let told = ["! a message of more than 100 bytes", "1"];
            assert_eq!(cut(Framer::scpi(100), &stream, piece), told);
            assert_eq!(cut(Framer::lines(100), &stream, piece), told);
        }
        let block = [b"#3300", [b'\n'; 300].as_slice(), b"\n1\n"].concat();
        for piece in [1, 7, 99, 303] {
            assert_eq!(cut(Framer::scpi(100), &block, piece), ["! a message of more than 100 bytes", "1"]);
        }
    }

    #[test]
    fn an_endless_sender_costs_no_memory() {
        let mut framer = Framer::scpi(1000);
        let mut told = 0;
        for _ in 0..10_000 {
            framer.push(&[b'x'; 100]);
            told += usize::from(framer.next_message().is_err());
        }
        assert_eq!(told, 1);
        assert!(framer.pending() < 200 && framer.buffer.capacity() < 10_000);
        framer.push(b"#9999999999");
        framer.clear();
        framer.push(b",#9999999999");
        assert_eq!(framer.next_message(), Err(TooLong(1000)), "told as soon as the header is there");
    }

    proptest! {
        #[test]
        fn no_stream_makes_it_panic_and_tearing_changes_nothing(
            stream in proptest::collection::vec(prop_oneof![
                Just(b"#15".to_vec()), Just(b"\n".to_vec()), Just(b"\r\n".to_vec()), Just(b"\"".to_vec()),
                Just(b"#2".to_vec()), Just(b",".to_vec()), proptest::collection::vec(any::<u8>(), 0..6),
            ], 0..40),
            piece in 1_usize..9,
        ) {
            let stream = stream.concat();
            let whole = cut(Framer::scpi(60), &stream, usize::MAX);
            let torn = cut(Framer::scpi(60), &stream, piece);
            let messages = |all: &[String]| all.iter().filter(|m| !m.ends_with("pending)")).cloned().collect::<Vec<_>>();
            prop_assert_eq!(messages(&whole), messages(&torn));
        }

        #[test]
        fn bytes_read_into_their_place_make_the_same_messages(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..5),
            piece in 1_usize..64,
            short in 1_usize..64,
        ) {
            let mut stream = Vec::new();
            for payload in &payloads {
                stream.extend(crate::link::wire::block::render_block(payload).unwrap());
                stream.push(b'\n');
            }
            let whole = cut(Framer::scpi(150), &stream, usize::MAX);
            let mut framer = Framer::scpi(150);
            let (mut rest, mut told) = (stream.as_slice(), Vec::new());
            while !rest.is_empty() {
                let filled = framer.fill(piece, |room| {
                    let count = room.len().min(short).min(rest.len());
                    room[..count].copy_from_slice(&rest[..count]);
                    Ok::<usize, ()>(count)
                });
                let count = filled.map_or_else(|| {
                    let count = piece.min(rest.len());
                    framer.push(&rest[..count]);
                    count
                }, Result::unwrap);
                rest = &rest[count..];
                loop {
                    match framer.next_message() {
                        Ok(Some(message)) => told.push(crate::link::wire::excerpt(&message)),
                        Ok(None) => break,
                        Err(fault) => told.push(format!("! {fault}")),
                    }
                }
            }
            prop_assert_eq!(told, whole);
        }

        #[test]
        fn every_block_comes_through_whole(payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..5), piece in 1_usize..64) {
            let mut stream = Vec::new();
            for payload in &payloads {
                stream.extend(crate::link::wire::block::render_block(payload).unwrap());
                stream.push(b'\n');
            }
            let mut framer = Framer::scpi(1000);
            let mut read = Vec::new();
            for part in stream.chunks(piece) {
                framer.push(part);
                while let Some(message) = framer.next_message().unwrap() {
                    read.push(crate::link::wire::block::into_payload(message).unwrap());
                }
            }
            prop_assert_eq!(read, payloads);
        }
    }
}
