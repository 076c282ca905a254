//! An instrument that speaks a dialect: verbs of its family become messages, answers become values, and every error says
//! what was being done, by which instrument.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::dialect::family::{Family, Reply, Word};
use super::dialect::template::{Fill, Template};
use super::dialect::verb::Verb;
use super::open::{Place, Surroundings};
use super::{Asked, ErrorKind, InstrumentError};
use crate::event::InstrumentFacts;
use crate::link::scpi::{Client, ScpiError};
use crate::link::wire::WireError;
use crate::link::wire::scpi::{parse_bool, parse_finite, parse_integer};

/// A conversation in a family's dialect.
pub(super) struct Speaker {
    pub(super) surroundings: Surroundings,
    pub(super) place: Place,
    pub(super) family: Arc<Family>,
    pub(super) client: Client,
    pub(super) facts: InstrumentFacts,
    /// Put into every message for `{channel}`, where a set-up has one output.
    pub(super) channel: Option<u8>,
    doing: Cow<'static, str>,
}

impl Speaker {
    pub(super) fn new(
        surroundings: Surroundings,
        place: Place,
        family: Arc<Family>,
        client: Client,
        facts: InstrumentFacts,
    ) -> Self {
        Self { surroundings, place, family, client, facts, channel: None, doing: Cow::Borrowed("") }
    }

    /// Says what is being done from now on, for errors.
    pub(super) fn doing(&mut self, what: impl Into<Cow<'static, str>>) -> &mut Self {
        self.doing = what.into();
        self
    }

    /// An error of this instrument at what it is doing.
    pub(super) fn error(&self, kind: ErrorKind, detail: impl Into<String>) -> InstrumentError {
        let advice = advice(kind);
        self.place.error(kind, &self.doing, detail, advice)
    }

    pub(super) fn error_of(&self, error: &ScpiError) -> InstrumentError {
        self.error(error.kind(), error.to_string())
    }

    /// Carries a set out: every message of it is acknowledged.
    pub(super) fn tell(&mut self, verb: Verb, fills: &[Fill]) -> Asked<()> {
        for message in self.messages(verb, fills)? {
            self.client.command(&message).map_err(|error| self.error_of(&error))?;
        }
        Ok(())
    }

    /// Hands a set over without waiting for anything, if something else would have to be waited for first: an instrument that
    /// answers nothing may still hear.
    pub(super) fn tell_ahead(&mut self, verb: Verb, fills: &[Fill]) {
        for message in self.messages(verb, fills).unwrap_or_default() {
            self.client.send_ahead(&message);
        }
    }

    /// Carries a set out. If it is not known whether the instrument took it, `is_done` reads the state back before anything
    /// else is asked.
    pub(super) fn tell_checked(
        &mut self,
        verb: Verb,
        fills: &[Fill],
        is_done: impl FnOnce(&mut Self) -> Asked<bool>,
    ) -> Asked<()> {
        let messages = self.messages(verb, fills)?;
        let mut in_doubt = None;
        for message in &messages {
            match self.client.command(message) {
                Ok(()) => {}
                Err(error @ ScpiError::Unacknowledged { .. }) => in_doubt = Some(self.error_of(&error)),
                Err(error) => return Err(self.error_of(&error)),
            }
        }
        let Some(mut error) = in_doubt else {
            return Ok(());
        };
        let done = is_done(self)?;
        if messages.len() > 1 {
            // What is read back tells of one message only, and a set may be sent again: this time all must be acknowledged.
            return self.tell(verb, fills);
        }
        if done {
            return Ok(());
        }
        error.detail.push_str("; read back, it was not carried out");
        Err(error)
    }

    pub(super) fn ask_number(&mut self, verb: Verb, fills: &[Fill]) -> Asked<f64> {
        let message = self.question(verb, fills)?;
        self.client.query_number(&message).map_err(|error| self.error_of(&error))
    }

    pub(super) fn ask_text(&mut self, verb: Verb, fills: &[Fill]) -> Asked<String> {
        let message = self.question(verb, fills)?;
        self.client.query(&message).map_err(|error| self.error_of(&error))
    }

    pub(super) fn ask_block(&mut self, verb: Verb, fills: &[Fill], timeout: Duration) -> Asked<Vec<u8>> {
        let message = self.question(verb, fills)?;
        self.client.query_block_with_timeout(&message, timeout).map_err(|error| self.error_of(&error))
    }

    pub(super) fn ask_switch(&mut self, verb: Verb, fills: &[Fill]) -> Asked<bool> {
        Ok(self.ask_word(verb, fills)? == Word::On)
    }

    pub(super) fn ask_word(&mut self, verb: Verb, fills: &[Fill]) -> Asked<Word> {
        let message = self.question(verb, fills)?;
        let family = Arc::clone(&self.family);
        let reply = family.verbs.get(&verb).map(|phrase| &phrase.reply);
        self.client
            .query_as(&message, |answer| {
                reply.map_or_else(|| Err(unknown(answer, "")), |reply| word(reply, answer))
            })
            .map_err(|error| self.error_of(&error))
    }

    /// An answer that the driver could not read: the conversation is put in order before anything else is asked.
    pub(super) fn nonsense(&mut self, detail: impl Into<String>) -> InstrumentError {
        self.client.distrust();
        self.error(ErrorKind::Nonsense, detail)
    }

    /// What `verb` sends; `Unsupported` if the family has no words for it.
    fn messages(&self, verb: Verb, fills: &[Fill]) -> Asked<Vec<String>> {
        self.templates(verb)?.iter().map(|template| self.message(verb, template, fills)).collect()
    }

    fn question(&self, verb: Verb, fills: &[Fill]) -> Asked<String> {
        // A question is one message; the family's check sees to it.
        let template = self.templates(verb)?.first();
        template.map_or_else(|| Ok(String::new()), |template| self.message(verb, template, fills))
    }

    fn templates(&self, verb: Verb) -> Asked<&[Template]> {
        let phrase = self.family.verbs.get(&verb).ok_or_else(|| {
            let told = format!("the family `{}` has no `{}`", self.family.name, verb.as_str());
            self.error(ErrorKind::Unsupported, told)
        })?;
        Ok(&phrase.messages)
    }

    fn message(&self, verb: Verb, template: &Template, fills: &[Fill]) -> Asked<String> {
        let channel = self.channel.map(Fill::Channel);
        let rendered = if fills.is_empty() {
            template.render(channel.as_slice())
        } else {
            template.render(&[fills, channel.as_slice()].concat())
        };
        rendered.map_err(|missing| {
            let told = format!(
                "the family `{}` wants `{{{}}}` in `{}`, which it is not given there",
                self.family.name,
                missing.as_str(),
                verb.as_str()
            );
            self.error(ErrorKind::Unsupported, told)
        })
    }
}

/// Reads one word by the family's reply kind.
fn word(reply: &Reply, answer: &str) -> Result<Word, WireError> {
    match reply {
        Reply::Bool => parse_bool(answer).map(|on| if on { Word::On } else { Word::Off }),
        Reply::Words(words) => {
            let said = answer.trim().trim_matches('"').to_uppercase();
            words.get(&said).copied().ok_or_else(|| unknown(answer, &list(words.keys())))
        }
        Reply::Bits { mask, words } => {
            // Some instruments answer bits as `+8`, some as `8.0E+00`.
            let value =
                parse_integer(answer).or_else(|_| parse_finite(answer).map(|value| value.round() as i64))?;
            let bits = (value as u32 & mask) >> mask.trailing_zeros();
            words.get(&bits).copied().ok_or_else(|| unknown(answer, &list(words.keys())))
        }
        Reply::Nothing | Reply::Number | Reply::Text | Reply::Block => Err(unknown(answer, "a word")),
    }
}

fn unknown(answer: &str, wanted: &str) -> WireError {
    WireError::new(wanted, answer.as_bytes())
}

fn list<K: std::fmt::Display>(words: impl Iterator<Item = K>) -> String {
    format!("one of {}", words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
}

/// What to try, by kind of trouble.
pub(super) fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::TimedOut => "is it busy, in a menu, or held by another program?",
        ErrorKind::LinkLost => "is it switched on and plugged in, and does another program hold the link?",
        ErrorKind::Protection => "look for the cause before the protection is cleared at the instrument",
        ErrorKind::Nonsense => {
            "is the family in the rig the right one, and the firmware one that the family's file knows?"
        }
        ErrorKind::Refused | ErrorKind::Unsupported | ErrorKind::CutShort => "",
    }
}
