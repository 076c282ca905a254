//! The other end of a link in memory: it answers the questions of one family with what the test put there, and writes down
//! every message. It knows no more of a manual than the family's file; that the file is right is the simulated bench's test.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use soakrig::base::clock::{Clock, SimClock};
use soakrig::instrument::dialect::Registry;
use soakrig::instrument::dialect::family::{Family, Reply, Word};
use soakrig::instrument::dialect::template::Fill;
use soakrig::instrument::dialect::verb::Verb;
use soakrig::instrument::open::{Place, Surroundings};
use soakrig::link::transport::{Address, LinkError, LinkSettings, Opener, Transport};

/// An instrument in memory.
pub(crate) struct Fake {
    pub(crate) family: Arc<Family>,
    pub(crate) state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) identity: String,
    pub(crate) log: Vec<String>,
    /// What each question is answered with, as it goes over the wire.
    pub(crate) answers: BTreeMap<Verb, String>,
    /// Entries of the error queue.
    pub(crate) errors: VecDeque<String>,
    /// How many of the next answers to `*OPC?` are lost.
    pub(crate) lost_acknowledgements: usize,
    /// Polls after `single` until the scope has stopped; `None`: only when it is forced.
    pub(crate) polls_until_stopped: Option<usize>,
    /// The codes of the record.
    pub(crate) codes: Vec<u8>,
    running: bool,
    polls: usize,
    window: (usize, usize),
    event_enable: String,
    answered: VecDeque<Vec<u8>>,
}

impl Fake {
    pub(crate) fn of(family: &Arc<Family>, identity: &str) -> Arc<Self> {
        let state = State { identity: identity.to_owned(), polls_until_stopped: Some(1), ..State::default() };
        Arc::new(Self { family: Arc::clone(family), state: Mutex::new(state) })
    }

    /// Answers `verb` with `text` from now on.
    pub(crate) fn answer(&self, verb: Verb, text: &str) {
        self.state.lock().unwrap().answers.insert(verb, text.to_owned());
    }

    /// Answers `verb` with whatever the family takes for `word` from now on.
    pub(crate) fn answer_word(&self, verb: Verb, word: Word) {
        self.answer(verb, &self.spelled(verb, word));
    }

    fn spelled(&self, verb: Verb, word: Word) -> String {
        match &self.family.verbs[&verb].reply {
            Reply::Bool => if word == Word::On { "1" } else { "0" }.to_owned(),
            Reply::Words(words) => words.iter().find(|(_, meant)| **meant == word).unwrap().0.clone(),
            Reply::Bits { mask, words } => {
                let bits = words.iter().find(|(_, meant)| **meant == word).unwrap().0;
                (bits << mask.trailing_zeros()).to_string()
            }
            other => panic!("{other:?} has no words"),
        }
    }

    /// Everything sent since the last call, without what acknowledges a set.
    pub(crate) fn sent(&self) -> String {
        let error_query = self.family.conversation.error_query.clone().unwrap_or_default();
        let log = std::mem::take(&mut self.state.lock().unwrap().log);
        let told: Vec<String> =
            log.into_iter().filter(|message| *message != "*OPC?" && *message != error_query).collect();
        told.join(" | ")
    }

    /// Everything sent since the last call.
    pub(crate) fn sent_in_full(&self) -> String {
        std::mem::take(&mut self.state.lock().unwrap().log).join(" | ")
    }

    fn is(&self, verb: Verb, message: &str) -> bool {
        let channels = (1..=4).map(Fill::Channel);
        let Some(phrase) = self.family.verbs.get(&verb) else { return false };
        channels.into_iter().any(|channel| {
            phrase
                .messages
                .last()
                .is_some_and(|last| last.render(&[channel]).is_ok_and(|sent| sent == message))
        })
    }

    fn take(&self, message: &str) {
        let mut state = self.state.lock().unwrap();
        state.log.push(message.to_owned());
        if let Some(reply) = self.reply(&mut state, message) {
            state.answered.push_back(reply);
        }
    }

    fn reply(&self, state: &mut State, message: &str) -> Option<Vec<u8>> {
        let text = |text: &str| Some(text.as_bytes().to_vec());
        if let Some(tag) = message.strip_prefix("*ESE ") {
            state.event_enable = tag.to_owned();
            return None;
        }
        match message {
            "*IDN?" => return text(&state.identity.clone()),
            "*ESE?" => return text(&state.event_enable.clone()),
            "*OPC?" if state.lost_acknowledgements > 0 => {
                state.lost_acknowledgements -= 1;
                return None;
            }
            "*OPC?" => return text("1"),
            _ => {}
        }
        if Some(message) == self.family.conversation.error_query.as_deref() {
            let entry = state.errors.pop_front().unwrap_or_else(|| "0,\"No error\"".to_owned());
            return text(&entry);
        }
        self.move_trigger(state, message);
        let verb = *self.family.verbs.keys().find(|verb| self.is(**verb, message))?;
        match verb {
            Verb::ReadTriggerState => {
                let polls = state.polls_until_stopped;
                if state.running && polls.is_some_and(|polls| state.polls > polls) {
                    state.running = false;
                }
                state.polls += 1;
                text(&self.spelled(verb, if state.running { Word::Running } else { Word::Stopped }))
            }
            Verb::ReadSamples => {
                let (start, stop) = match state.window {
                    (0, _) => (1, state.codes.len()),
                    window => window,
                };
                Some(block(&state.codes[start - 1..stop]))
            }
            Verb::ReadScreen => Some(block(b"\x89PNG\r\n\x1a\n\nrest")),
            verb => state.answers.get(&verb).map(|answer| answer.as_bytes().to_vec()),
        }
    }

    fn move_trigger(&self, state: &mut State, message: &str) {
        if self.is(Verb::Run, message) {
            (state.running, state.polls) = (true, 0);
            state.polls_until_stopped = state.polls_until_stopped.map(|polls| polls.max(1));
        }
        if self.is(Verb::Single, message) {
            state.polls = 0;
        }
        if self.is(Verb::ForceTrigger, message) {
            state.running = false;
        }
        let number = message.rsplit(' ').next().and_then(|number| number.parse().ok());
        match (message.contains(":STAR "), message.contains(":WAV:STOP "), number) {
            (true, _, Some(start)) => state.window.0 = start,
            (_, true, Some(stop)) => state.window.1 = stop,
            _ => {}
        }
    }
}

fn block(bytes: &[u8]) -> Vec<u8> {
    let mut block = format!("#9{:09}", bytes.len()).into_bytes();
    block.extend_from_slice(bytes);
    block
}

/// A link to an instrument in memory; what is not answered takes its time-out on the simulated clock.
struct FakeLink {
    fake: Arc<Fake>,
    clock: Arc<dyn Clock>,
}

impl Transport for FakeLink {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        self.fake.take(std::str::from_utf8(message).unwrap());
        Ok(())
    }
    fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
        let answer = self.fake.state.lock().unwrap().answered.pop_front();
        answer.ok_or_else(|| {
            self.clock.sleep(timeout);
            LinkError::TimedOut(timeout)
        })
    }
    fn clear(&mut self) -> Result<(), LinkError> {
        self.fake.state.lock().unwrap().answered.clear();
        Ok(())
    }
}

struct FakeOpener {
    fake: Arc<Fake>,
    clock: Arc<dyn Clock>,
}

impl Opener for FakeOpener {
    fn open(&self, _: &Address, _: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
        Ok(Box::new(FakeLink { fake: Arc::clone(&self.fake), clock: Arc::clone(&self.clock) }))
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SimClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap()))
}

/// A bench whose only instrument is `fake`.
pub(crate) fn around(fake: &Arc<Fake>) -> Surroundings {
    let clock = clock();
    Surroundings {
        opener: Arc::new(FakeOpener { fake: Arc::clone(fake), clock: Arc::clone(&clock) }),
        clock,
        registry: Arc::new(Registry::built_in().unwrap()),
        tape: None,
        cut: soakrig::base::cut::Cut::default(),
    }
}

pub(crate) fn place(role: &str, family: &str, address: &str) -> Place {
    Place {
        role: role.parse().unwrap(),
        address: address.parse().unwrap(),
        family: family.to_owned(),
        serial: None,
        timeout: None,
        baud: 9600,
        calibration_due: None,
    }
}
