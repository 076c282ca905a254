//! Question and answer over one link.

use std::sync::Arc;
use std::time::Duration;

use super::synchronisation::shown;
use super::{Conversation, ScpiError};
use crate::base::clock::{Clock, Instant};
use crate::base::cut::Cut;
use crate::link::transport::{LinkError, Transport};
use crate::link::wire::block::into_payload;
use crate::link::wire::scpi::parse_finite;
use crate::link::wire::{Identity, WireError, decode_text};

/// The longest message this program sends to an instrument, in bytes.
const LONGEST_SENT: usize = 4096;

/// A conversation with one instrument: one question in flight; after a time-out question and answer are brought together
/// again before anything else is asked, so that a late answer never passes for the next one.
pub struct Client {
    link: Box<dyn Transport>,
    clock: Arc<dyn Clock>,
    cut: Cut,
    settings: Conversation,
    last_sent: Option<Instant>,
    state: State,
    tags: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    InSync,
    /// An answer may still be on the way.
    InDoubt,
    /// The link is gone.
    Lost(String),
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A conversation over an open link. Nothing is sent yet.
    #[must_use]
    pub fn new(link: Box<dyn Transport>, clock: Arc<dyn Clock>, settings: Conversation) -> Self {
        let cut = Cut::default();
        Self { link, clock, cut, settings, last_sent: None, state: State::InSync, tags: 0 }
    }

    /// The same, and what is waited for without asking is cut short by `cut`, too; questions are by the link's own.
    #[must_use]
    pub fn heeding(mut self, cut: &Cut) -> Self {
        self.cut = cut.clone();
        self
    }

    /// How this conversation is held.
    #[must_use]
    pub fn settings(&self) -> &Conversation {
        &self.settings
    }

    /// Question and answer belong together; `false` from a time-out until the conversation is synchronised again.
    #[must_use]
    pub fn is_in_sync(&self) -> bool {
        self.state == State::InSync
    }

    /// Says that an answer was no answer to its question: question and answer are brought together again before anything
    /// else is asked. Drivers call it when an answer cannot be read.
    pub fn distrust(&mut self) {
        if self.state == State::InSync {
            self.state = State::InDoubt;
        }
    }

    /// Asks and gives the answer as text, without its terminator and the white space around it.
    ///
    /// # Errors
    /// No answer in time, the link is gone, the instrument says that it does not know the question, or what was to be
    /// sent is no question.
    pub fn query(&mut self, query: &str) -> Result<String, ScpiError> {
        self.query_with_timeout(query, self.settings.answer_timeout)
    }

    /// As [`Client::query`], for answers that take longer (or must come sooner) than the family's usual time.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub fn query_with_timeout(&mut self, query: &str, timeout: Duration) -> Result<String, ScpiError> {
        self.query_bytes(query, timeout).map(trimmed)
    }

    /// Asks for one number that one can calculate with.
    ///
    /// # Errors
    /// As [`Client::query`]; also an answer that is no number, infinite (9.9E37) or "no value" (9.91E37).
    pub fn query_number(&mut self, query: &str) -> Result<f64, ScpiError> {
        self.query_as(query, parse_finite)
    }

    /// Asks who the instrument is.
    ///
    /// # Errors
    /// As [`Client::query`]; also an answer that is no identity.
    pub fn query_identity(&mut self) -> Result<Identity, ScpiError> {
        self.query_as("*IDN?", Identity::parse)
    }

    /// Asks and reads the answer with `parse`; an answer that it does not take puts the conversation in doubt.
    ///
    /// # Errors
    /// As [`Client::query`]; also what `parse` refuses.
    pub fn query_as<T>(
        &mut self,
        query: &str,
        parse: impl FnOnce(&str) -> Result<T, WireError>,
    ) -> Result<T, ScpiError> {
        let answer = self.query(query)?;
        parse(&answer).map_err(|fault| {
            self.distrust();
            ScpiError::nonsense(query, fault)
        })
    }

    /// Asks for a definite-length block and gives its payload.
    ///
    /// # Errors
    /// As [`Client::query`]; also an answer that is no definite-length block.
    pub fn query_block(&mut self, query: &str) -> Result<Vec<u8>, ScpiError> {
        self.query_block_with_timeout(query, self.settings.answer_timeout)
    }

    /// As [`Client::query_block`], for transfers that take longer than the family's usual time.
    ///
    /// # Errors
    /// As [`Client::query_block`].
    pub fn query_block_with_timeout(&mut self, query: &str, timeout: Duration) -> Result<Vec<u8>, ScpiError> {
        let answer = self.query_bytes(query, timeout)?;
        into_payload(answer).map_err(|fault| {
            self.distrust();
            ScpiError::nonsense(query, fault)
        })
    }

    /// Asks and gives the answer as it came.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub fn query_bytes(&mut self, query: &str, timeout: Duration) -> Result<Vec<u8>, ScpiError> {
        check_sendable(query)?;
        if !query.contains('?') {
            return Err(ScpiError::NotSendable { message: shown(query), reason: "it asks nothing" });
        }
        self.ensure_open(query)?;
        self.ensure_sync()?;
        self.exchange(query, timeout).map_err(|error| self.explain_silence(error))
    }

    /// Sends a set, waits until it is complete and reads the error queue to its end.
    ///
    /// # Errors
    /// [`ScpiError::Refused`] with every entry of the queue; [`ScpiError::Unacknowledged`] if it is not known whether the
    /// set was carried out: the caller reads the state back; otherwise as [`Client::query`].
    pub fn command(&mut self, command: &str) -> Result<(), ScpiError> {
        check_sendable(command)?;
        if asks(command) {
            let reason = "it asks something, and a set's answer would be taken for the next one's";
            return Err(ScpiError::NotSendable { message: shown(command), reason });
        }
        self.ensure_open(command)?;
        self.ensure_sync()?;
        self.send(command).map_err(|fault| self.link_fault(command, fault))?;
        let drained = match self.await_completion().and_then(|()| self.drain_errors()) {
            Ok(drained) => drained,
            Err(error) => return Err(self.unacknowledged(command, error)),
        };
        if drained.entries.is_empty() {
            return Ok(());
        }
        Err(ScpiError::Refused { sent: shown(command), entries: drained.entries, more: drained.more })
    }

    /// Hands a set over although question and answer may not belong together: what switches off is not held up by that. It is
    /// sent and no more; nothing is known of it, and nothing is done if no doubt has arisen or the link is gone.
    pub fn send_ahead(&mut self, command: &str) {
        if self.state == State::InDoubt && check_sendable(command).is_ok() && !asks(command) {
            let _ = self.send(command);
        }
    }

    /// An unanswered question is often one the instrument does not know: it says so in its error queue only.
    fn explain_silence(&mut self, error: ScpiError) -> ScpiError {
        let ScpiError::TimedOut { sent, waited } = error else {
            return error;
        };
        match self.attempt_sync_and_drain() {
            Some(drained) if !drained.entries.is_empty() => {
                ScpiError::Refused { sent, entries: drained.entries, more: drained.more }
            }
            _ => ScpiError::TimedOut { sent, waited },
        }
    }

    fn unacknowledged(&mut self, command: &str, error: ScpiError) -> ScpiError {
        let is_lost = matches!(error, ScpiError::LinkLost { .. } | ScpiError::NotSendable { .. });
        if is_lost || matches!(error, ScpiError::CutShort { .. }) {
            return error;
        }
        let reason = error.to_string();
        let entries = self.attempt_sync_and_drain().map(|drained| drained.entries).unwrap_or_default();
        ScpiError::Unacknowledged { command: shown(command), reason, entries }
    }

    /// One attempt to come together again at once, so that the queue's entries are told with the error they belong to and
    /// not blamed on the next set. `None` if that did not succeed; the next question tries again.
    fn attempt_sync_and_drain(&mut self) -> Option<super::error_queue::Drained> {
        match self.attempt_sync(1) {
            Ok(true) => self.drain_errors().ok(),
            Ok(false) | Err(_) => None,
        }
    }

    /// One question and its answer. Something that lies there unread although nothing was asked would be taken for the
    /// answer, so question and answer are brought together first then.
    pub(super) fn exchange(&mut self, query: &str, timeout: Duration) -> Result<Vec<u8>, ScpiError> {
        if self.link.has_unread() {
            self.distrust();
            self.ensure_sync()?;
        }
        let outcome = self.send(query).and_then(|()| self.link.receive(timeout));
        outcome.map_err(|fault| self.link_fault(query, fault))
    }

    pub(super) fn exchange_text(&mut self, query: &str, timeout: Duration) -> Result<String, ScpiError> {
        self.exchange(query, timeout).map(trimmed)
    }

    pub(super) fn send(&mut self, message: &str) -> Result<(), LinkError> {
        if !self.settings.pacing.is_zero() {
            let now = self.clock.now();
            if let Some(last) = self.last_sent {
                let gap = self.settings.pacing.saturating_sub(now.since(last));
                if !gap.is_zero() {
                    self.clock.sleep(gap);
                }
            }
            self.last_sent = Some(self.clock.now());
        }
        self.link.send(message.as_bytes())
    }

    pub(super) fn receive_until(&mut self, deadline: Instant) -> Result<Vec<u8>, LinkError> {
        self.link.receive(deadline.since(self.clock.now()))
    }

    pub(super) fn clear_transport(&mut self) -> Result<(), LinkError> {
        self.link.clear()
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Waits after `sent`, without asking anything.
    pub(super) fn wait(&mut self, sent: &str, span: Duration) -> Result<(), ScpiError> {
        if self.cut.sleep(&*self.clock, span) {
            return Ok(());
        }
        self.distrust();
        Err(ScpiError::CutShort { sent: shown(sent) })
    }

    pub(super) fn next_tag(&mut self) -> u64 {
        self.tags += 1;
        self.tags
    }

    pub(super) fn trust(&mut self) {
        self.state = State::InSync;
    }

    pub(super) fn give_up(&mut self, reason: &str) {
        if !matches!(self.state, State::Lost(_)) {
            self.state = State::Lost(reason.to_owned());
        }
    }

    fn ensure_open(&self, message: &str) -> Result<(), ScpiError> {
        match &self.state {
            State::Lost(reason) => Err(ScpiError::LinkLost { sent: shown(message), reason: reason.clone() }),
            State::InSync | State::InDoubt => Ok(()),
        }
    }
}

/// An answer as text, without the white space around it.
fn trimmed(answer: Vec<u8>) -> String {
    let text = decode_text(answer);
    let inside = text.trim();
    if inside.len() == text.len() { text } else { inside.to_owned() }
}

fn check_sendable(message: &str) -> Result<(), ScpiError> {
    let reason = if message.trim().is_empty() {
        "it is empty"
    } else if message.len() > LONGEST_SENT {
        "it is too long"
    } else if message.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
        "it holds control characters, which would end it or begin another"
    } else {
        return Ok(());
    };
    Err(ScpiError::NotSendable { message: shown(message), reason })
}

/// Whether a message asks something: a `?` outside quotes.
fn asks(message: &str) -> bool {
    let mut open_quote = None;
    for byte in message.bytes() {
        match (open_quote, byte) {
            (Some(quote), _) if byte == quote => open_quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => open_quote = Some(byte),
            (None, b'?') => return true,
            (None, _) => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::*;
    use crate::base::clock::SimClock;
    use crate::link::ErrorKind;
    use crate::link::scpi::synchronisation::tag;
    use crate::link::scpi::{Completion, Probe};
    use crate::link::transport::{FaultLink, Faults};
    use crate::link::wire::block::render_block;

    /// An instrument in memory: `ECHO? x` answers `x`, `BLOCK? n` a block of `n` times the byte `n`.
    #[derive(Default)]
    struct Bench {
        answers: VecDeque<Vec<u8>>,
        errors: VecDeque<&'static str>,
        event_enable: String,
        value: String,
        busy: usize,
        /// So many further messages are taken and not answered.
        mute: usize,
        /// Whether the link knows of answers that nobody received; a socket does not while the system holds them.
        shows_unread: bool,
        heard: Vec<String>,
    }

    impl Bench {
        fn hear(&mut self, message: &str) {
            let (header, parameter) = message.split_once(' ').unwrap_or((message, ""));
            let answer = match header {
                "*ESE?" => self.event_enable.clone(),
                "*OPC?" => "1".to_owned(),
                "*IDN?" => "MAKER,ECHO,7,1.0".to_owned(),
                "SYST:ERR?" => self.errors.pop_front().unwrap_or("0,\"No error\"").to_owned(),
                "ECHO?" => parameter.to_owned(),
                "TWICE?" => {
                    self.answers.push_back(parameter.as_bytes().to_vec());
                    parameter.to_owned()
                }
                "VAL?" => self.value.clone(),
                "STAT?" => {
                    self.busy = self.busy.saturating_sub(1);
                    if self.busy > 0 { "RUN".to_owned() } else { "STOP".to_owned() }
                }
                "BLOCK?" => {
                    let size: u8 = parameter.parse().unwrap();
                    self.answers.push_back(render_block(&vec![size; usize::from(size)]).unwrap());
                    return;
                }
                "*ESE" => return parameter.clone_into(&mut self.event_enable),
                "VAL" => return parameter.clone_into(&mut self.value),
                _ => return self.errors.push_back("-113,\"Undefined header\""),
            };
            self.answers.push_back(answer.into_bytes());
        }
    }

    #[derive(Clone)]
    struct Wire {
        bench: Arc<Mutex<Bench>>,
        clock: Arc<SimClock>,
    }

    impl Transport for Wire {
        fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
            let mut bench = self.bench.lock().unwrap();
            let text = String::from_utf8(message.to_vec()).unwrap();
            let at_ms = self.clock.now().0 / 1_000_000;
            bench.heard.push(format!("{at_ms} ms: {text}"));
            let queued = bench.answers.len();
            bench.hear(&text);
            if bench.mute > 0 {
                bench.mute -= 1;
                bench.answers.truncate(queued);
            }
            Ok(())
        }
        fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
            if let Some(answer) = self.bench.lock().unwrap().answers.pop_front() {
                return Ok(answer);
            }
            self.clock.sleep(timeout);
            Err(LinkError::TimedOut(timeout))
        }
        fn clear(&mut self) -> Result<(), LinkError> {
            self.bench.lock().unwrap().answers.clear();
            Ok(())
        }
        fn has_unread(&self) -> bool {
            let bench = self.bench.lock().unwrap();
            bench.shows_unread && !bench.answers.is_empty()
        }
    }

    fn wire() -> Wire {
        let epoch = "2026-01-01T00:00:00Z".parse().unwrap();
        Wire { bench: Arc::default(), clock: Arc::new(SimClock::starting_at(epoch)) }
    }

    fn client(wire: &Wire, settings: Conversation) -> Client {
        Client::new(Box::new(wire.clone()), wire.clock.clone(), settings)
    }

    fn heard(wire: &Wire) -> String {
        std::mem::take(&mut wire.bench.lock().unwrap().heard).join("\n")
    }

    #[test]
    fn a_set_is_completed_and_its_errors_are_read() {
        let wire = wire();
        let mut client = client(&wire, Conversation::default());
        client.command("VAL 5").unwrap();
        assert_eq!(client.query_number("VAL?").unwrap(), 5.0);
        insta::assert_snapshot!(heard(&wire), @r"
        0 ms: VAL 5
        0 ms: *OPC?
        0 ms: SYST:ERR?
        0 ms: VAL?
        ");
    }

    #[test]
    fn every_entry_of_the_error_queue_is_told_and_the_reading_is_bounded() {
        let wire = wire();
        let mut client = client(&wire, Conversation { max_error_entries: 3, ..Conversation::default() });
        wire.bench.lock().unwrap().errors.push_back("-222,\"Data out of range\"");
        let refused = client.command("VOLT 99").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Refused);
        insta::assert_snapshot!(refused.to_string(), @r#"the instrument refused `VOLT 99`; it says: -222 "Data out of range", -113 "Undefined header""#);
        wire.bench.lock().unwrap().errors.extend(["-350,\"Queue overflow\""; 50]);
        let refused = client.command("VAL 1").unwrap_err();
        assert!(
            matches!(&refused, ScpiError::Refused { entries, more: true, .. } if entries.len() == 3),
            "{refused}"
        );
        wire.bench.lock().unwrap().errors.clear();
        client.command("VAL 1").unwrap();
    }

    /// The wire of an instrument in memory whose answers are on their way for `delay`, and which heeds `cut`.
    struct Slow {
        wire: Wire,
        cut: Cut,
        delay: Duration,
        coming: VecDeque<(Instant, Vec<u8>)>,
    }

    impl Transport for Slow {
        fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
            if self.cut.is_now() {
                return Err(LinkError::CutShort);
            }
            self.wire.send(message)?;
            let ready = self.wire.clock.now() + self.delay;
            let answers: Vec<_> = self.wire.bench.lock().unwrap().answers.drain(..).collect();
            self.coming.extend(answers.into_iter().map(|answer| (ready, answer)));
            Ok(())
        }
        fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
            let wait = self.coming.front().map(|(ready, _)| ready.since(self.wire.clock.now()));
            let comes = wait.filter(|wait| *wait <= timeout);
            if !self.cut.sleep(&*self.wire.clock, comes.unwrap_or(timeout)) {
                return Err(LinkError::CutShort);
            }
            let answer = comes.and_then(|_| self.coming.pop_front());
            answer.map(|(_, answer)| answer).ok_or(LinkError::TimedOut(timeout))
        }
        fn clear(&mut self) -> Result<(), LinkError> {
            let now = self.wire.clock.now();
            self.coming.retain(|(ready, _)| *ready > now);
            Ok(())
        }
    }

    #[test]
    fn an_answer_that_was_cut_short_never_passes_for_the_next_one_and_nothing_is_asked_meanwhile() {
        for (delay_ms, message) in [(300, "ECHO? old"), (2900, "ECHO? old"), (300, "VAL 7"), (2900, "VAL 7")]
        {
            let wire = wire();
            let cut = Cut::default();
            let delay = Duration::from_millis(delay_ms);
            let link = Slow { wire: wire.clone(), cut: cut.clone(), delay, coming: VecDeque::new() };
            let mut client = Client::new(Box::new(link), wire.clock.clone(), Conversation::default());
            let mut outcome = None;
            wire.clock.together(vec![
                Box::new(|| {
                    let ended = match message.strip_suffix('7') {
                        Some(_) => client.command(message),
                        None => client.query(message).map(|_| ()),
                    };
                    outcome = Some((ended, wire.clock.now().0 / 1_000_000));
                }),
                Box::new(|| {
                    wire.clock.sleep(Duration::from_millis(100));
                    cut.ask();
                }),
            ]);
            let (ended, ended_ms) = outcome.unwrap();
            assert_eq!(ended.unwrap_err().kind(), ErrorKind::CutShort, "{message}");
            assert!(ended_ms <= 150, "{message} ended after {ended_ms} ms");
            let heard_before = wire.bench.lock().unwrap().heard.len();
            assert_eq!(client.query("ECHO? no").unwrap_err().kind(), ErrorKind::CutShort);
            assert_eq!(
                wire.bench.lock().unwrap().heard.len(),
                heard_before,
                "nothing is sent while it is cut"
            );
            assert!(!client.is_in_sync());
            cut.spare(Duration::from_secs(3));
            assert_eq!(client.query("ECHO? new").unwrap(), "new", "{message} {delay_ms}");
            assert!(client.is_in_sync());
        }
    }

    #[test]
    fn a_set_is_handed_over_ahead_only_while_an_answer_may_still_be_on_the_way() {
        let wire = wire();
        let mut client = client(&wire, Conversation::default());
        client.send_ahead("VAL 1");
        assert_eq!(heard(&wire), "", "in sync it is sent the usual way");
        client.distrust();
        client.send_ahead("VAL 0");
        client.send_ahead("VAL?");
        insta::assert_snapshot!(heard(&wire), @"0 ms: VAL 0");
        assert_eq!(client.query("VAL?").unwrap(), "0");
    }

    #[test]
    fn a_question_that_the_instrument_does_not_know_is_refused_and_not_blamed_on_the_next_set() {
        let wire = wire();
        let mut client = client(&wire, Conversation::default());
        let refused = client.query("BOGUS?").unwrap_err();
        insta::assert_snapshot!(refused.to_string(), @r#"the instrument refused `BOGUS?`; it says: -113 "Undefined header""#);
        client.command("VAL 1").unwrap();
        assert!(client.is_in_sync());
    }

    #[test]
    fn an_unacknowledged_set_asks_for_the_state_to_be_read_back() {
        let wire = wire();
        let mut client = client(&wire, Conversation::default());
        wire.bench.lock().unwrap().mute = 2;
        let fault = client.command("VAL 7").unwrap_err();
        assert_eq!(fault.kind(), ErrorKind::TimedOut);
        insta::assert_snapshot!(fault.to_string(), @"it is not known whether `VAL 7` was carried out (`*OPC?` was not answered within 5s): read the state back");
        assert_eq!(client.query("VAL?").unwrap(), "7");
    }

    #[test]
    fn an_instrument_that_stays_silent_is_given_up_in_bounded_time() {
        let wire = wire();
        let mut client = client(&wire, Conversation::default());
        wire.bench.lock().unwrap().mute = usize::MAX;
        assert_eq!(client.query("VAL?").unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(!client.is_in_sync());
        let lost = client.query("VAL?").unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::LinkLost);
        insta::assert_snapshot!(lost.to_string(), @"the link was lost at `*ESE?`: after a time-out the instrument did not answer the probe in 3 attempts");
        assert!(wire.clock.now().seconds() <= 3.0 * 6.0 + 0.001, "took {} s", wire.clock.now().seconds());
        let before = wire.clock.now();
        assert_eq!(client.command("VAL 1").unwrap_err().kind(), ErrorKind::LinkLost);
        assert_eq!(wire.clock.now(), before, "a link that was given up costs no more time");
    }

    #[test]
    fn an_answer_that_cannot_be_read_puts_the_conversation_in_doubt() {
        let wire = wire();
        let mut client = client(&wire, Conversation::default());
        let nonsense = client.query_number("ECHO? 5.0.0").unwrap_err();
        assert_eq!(nonsense.kind(), ErrorKind::Nonsense);
        insta::assert_snapshot!(nonsense.to_string(), @"`ECHO? 5.0.0` was answered with `5.0.0`, which is not a number");
        assert!(!client.is_in_sync());
        assert_eq!(client.query_number("ECHO? 5").unwrap(), 5.0);
        assert!(client.is_in_sync());
    }

    #[test]
    fn an_answer_of_two_messages_does_not_leave_the_conversation_one_behind() {
        let wire = wire();
        wire.bench.lock().unwrap().shows_unread = true;
        let mut client = client(&wire, Conversation::default());
        assert_eq!(client.query("TWICE? 7").unwrap(), "7");
        assert_eq!(client.query("ECHO? 8").unwrap(), "8");
        assert_eq!(client.query("TWICE? 9").unwrap(), "9");
        client.command("VAL 1").unwrap();
    }

    #[test]
    fn completion_follows_the_dialect() {
        let wire = wire();
        wire.bench.lock().unwrap().busy = 3;
        let completion = Completion::StatusQuery { query: "STAT?".to_owned(), busy: vec!["run".to_owned()] };
        let settings = Conversation { completion, error_query: None, ..Conversation::default() };
        client(&wire, settings.clone()).command("VAL 1").unwrap();
        wire.bench.lock().unwrap().busy = usize::MAX;
        let never = client(&wire, settings).command("VAL 1").unwrap_err();
        assert!(matches!(never, ScpiError::Unacknowledged { .. }), "{never}");
        let _ = heard(&wire);
        let completion = Completion::Time(Duration::from_millis(100));
        let mut timed =
            client(&wire, Conversation { completion, error_query: None, ..Conversation::default() });
        let before = wire.clock.now();
        timed.command("VAL 2").unwrap();
        assert_eq!(wire.clock.now().since(before), Duration::from_millis(100));
    }

    #[test]
    fn messages_keep_their_distance() {
        let wire = wire();
        let pacing = Duration::from_millis(100);
        let mut client = client(&wire, Conversation { pacing, ..Conversation::default() });
        client.command("VAL 5").unwrap();
        wire.clock.sleep(Duration::from_millis(70));
        client.query("VAL?").unwrap();
        insta::assert_snapshot!(heard(&wire), @r"
        0 ms: VAL 5
        100 ms: *OPC?
        200 ms: SYST:ERR?
        300 ms: VAL?
        ");
    }

    #[test]
    fn what_cannot_be_one_message_is_not_sent() {
        let wire = wire();
        let mut client = client(&wire, Conversation::default());
        for message in ["", "VOLT 5\nOUTP ON", "VOLT?", "A;B?", &"x".repeat(5000)] {
            let fault = client.command(message).unwrap_err();
            assert!(matches!(fault, ScpiError::NotSendable { .. }), "{fault}");
        }
        assert!(matches!(client.query("VOLT 5").unwrap_err(), ScpiError::NotSendable { .. }));
        assert_eq!(heard(&wire), "");
        client.command("VAL \"who?\"").unwrap();
    }

    #[derive(Debug, Default, PartialEq)]
    struct Tally {
        right: usize,
        mixed_up: usize,
        no_answer: usize,
        reopened: usize,
    }

    /// Thousands of questions over a bad link; half of the answers look like the tag that a synchronisation would use next.
    fn converse(seed: u64, probe: Probe, faults: Faults, synchronised: bool) -> Tally {
        let wire = wire();
        let settings = Conversation { answer_timeout: TIMEOUT, probe, ..Conversation::default() };
        let open = |seed: u64| {
            wire.bench.lock().unwrap().answers.clear();
            let link = FaultLink::new(Box::new(wire.clone()), wire.clock.clone(), seed, faults);
            Client::new(Box::new(link), wire.clock.clone(), settings.clone())
        };
        let mut client = open(seed);
        let mut tally = Tally::default();
        for number in 0..EXCHANGES {
            if !synchronised {
                client.trust();
            }
            let tags = client.tags + number % 3;
            let asked = if number % 2 == 0 { tag(tags) } else { number as i64 };
            let block = number % 5 == 4;
            let size = (number % 200) as u8;
            let outcome = if block {
                client.query_block(&format!("BLOCK? {size}")).map(|got| got == vec![size; usize::from(size)])
            } else {
                let query = format!("ECHO? {asked}");
                let outcome =
                    if synchronised { client.query(&query) } else { client.exchange_text(&query, TIMEOUT) };
                outcome.map(|got| got == asked.to_string())
            };
            match outcome {
                Ok(true) => tally.right += 1,
                Ok(false) => tally.mixed_up += 1,
                Err(fault) if fault.kind() == ErrorKind::LinkLost => {
                    tally.reopened += 1;
                    client = open(seed + number + 1);
                }
                Err(_) => tally.no_answer += 1,
            }
        }
        tally
    }

    const TIMEOUT: Duration = Duration::from_millis(250);
    const EXCHANGES: u64 = 2000;

    #[test]
    fn a_late_answer_never_passes_for_the_next_one() {
        let late = Faults { delay: TIMEOUT / 2, late: 0.1, late_by: TIMEOUT * 4, ..Faults::default() };
        let very_late = Faults { delay: TIMEOUT * 3, ..Faults::default() };
        let broken = Faults { drop: 0.05, half: 0.05, cut: 0.005, ..late };
        for seed in 1..=4 {
            for faults in [late, very_late, broken] {
                let tally = converse(seed, Probe::EventEnable, faults, true);
                assert_eq!(tally.mixed_up, 0, "seed {seed}, {faults:?}: {tally:?}");
                assert!(tally.right > 200 && tally.no_answer > 100, "seed {seed}, {faults:?}: {tally:?}");
            }
        }
    }

    #[test]
    fn without_a_tag_answers_must_come_less_than_two_time_outs_late() {
        let late = Faults { delay: TIMEOUT.mul_f64(1.9), drop: 0.05, half: 0.05, ..Faults::default() };
        for seed in 1..=4 {
            for probe in [Probe::Identity, Probe::Quiet] {
                let tally = converse(seed, probe, late, true);
                assert_eq!(tally.mixed_up, 0, "seed {seed}, {probe:?}: {tally:?}");
                assert!(tally.right > 200 && tally.no_answer > 100, "seed {seed}, {probe:?}: {tally:?}");
            }
        }
    }

    #[test]
    fn without_synchronisation_the_same_link_mixes_answers_up() {
        let late = Faults { delay: TIMEOUT / 2, late: 0.1, late_by: TIMEOUT * 4, ..Faults::default() };
        let tally = converse(1, Probe::EventEnable, late, false);
        assert!(tally.mixed_up > 100, "{tally:?}");
    }

    #[test]
    fn tags_differ_and_keep_to_bits_that_every_instrument_has() {
        let tags: std::collections::BTreeSet<i64> = (1..=63).map(tag).collect();
        assert_eq!(tags.len(), 63);
        assert!(tags.iter().all(|tag| (1..=255).contains(tag) && tag & 0b0100_0010 == 0));
    }
}
