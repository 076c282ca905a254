//! What every SCPI instrument has behind its front panel: identity, error queue, IEEE 488.2 status, and the glue to the
//! `scpi` crate, which takes a message apart and finds the command in a tree.
//!
//! The common commands are written here and not taken from `scpi-contrib`, whose `*OPC` queues an error and whose `*CLS`
//! leaves the queue as it is.

use std::collections::VecDeque;
use std::time::Duration;

use scpi::Context;
use scpi::error::{Error, ErrorCode, Result};
use scpi::parser::parameters::Parameters;
use scpi::parser::response::{Formatter, ResponseData, ResponseUnit};
use scpi::parser::tokenizer::Token;
use scpi::tree::command::Command;

use super::decimal;
use super::world::Bench;

/// Entries of the error queue; one more and the last becomes -350.
const QUEUE: usize = 20;

/// Identity, errors and status of one instrument.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) identity: String,
    errors: VecDeque<Error>,
    event: u8,
    event_enable: u8,
    service_enable: u8,
}

impl Panel {
    /// A panel as after power-on.
    pub(crate) fn new(identity: &str) -> Self {
        Self {
            identity: identity.to_owned(),
            errors: VecDeque::new(),
            event: 0x80,
            event_enable: 0,
            service_enable: 0,
        }
    }

    /// Queues an error; a full queue ends in -350.
    pub(crate) fn push(&mut self, error: Error) {
        self.event |= error.esr_mask();
        if self.errors.len() < QUEUE {
            self.errors.push_back(error);
        } else if let Some(last) = self.errors.back_mut() {
            *last = ErrorCode::QueueOverflow.into();
        }
    }

    /// Takes the oldest error as `SYST:ERR?` answers it.
    fn next_error(&mut self) -> String {
        self.errors.pop_front().map_or_else(|| "0,\"No error\"".to_owned(), |error| error.to_string())
    }

    fn status_byte(&self) -> u8 {
        let errors = if self.errors.is_empty() { 0 } else { 0x04 };
        let events = if self.event & self.event_enable == 0 { 0 } else { 0x20 };
        let service = if (errors | events) & self.service_enable == 0 { 0 } else { 0x40 };
        errors | events | service
    }
}

/// What a query answers.
pub(crate) enum Answer {
    Text(String),
    /// A definite block with Rigol's nine digits of length.
    Block(Vec<u8>),
}

impl Answer {
    /// `ON` or `OFF`.
    pub(crate) fn on_off(on: bool) -> Self {
        Self::Text(if on { "ON" } else { "OFF" }.to_owned())
    }
    /// `1` or `0`.
    pub(crate) fn bit(on: bool) -> Self {
        Self::Text(if on { "1" } else { "0" }.to_owned())
    }
    /// A fixed word.
    pub(crate) fn word(word: &str) -> Self {
        Self::Text(word.to_owned())
    }
    /// A number with a fixed number of decimals; zero never carries a sign.
    pub(crate) fn fixed(value: f64, decimals: usize) -> Self {
        let text = decimal::fixed(value, decimals);
        let zero = text.trim_start_matches('-').bytes().all(|b| matches!(b, b'0' | b'.'));
        Self::Text(if zero { text.trim_start_matches('-').to_owned() } else { text })
    }
    /// A number as `1.000000e-03`.
    pub(crate) fn exponent(value: f64) -> Self {
        Self::Text(exponent(value))
    }
}

/// A number as C's `%.6e` writes it.
pub(crate) fn exponent(value: f64) -> String {
    let text = format!("{value:.6e}");
    let Some((mantissa, power)) = text.split_once('e') else { return text };
    let (sign, digits) = power.strip_prefix('-').map_or(('+', power), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// Bytes that go out as they are.
struct Raw<'b>(&'b [u8]);

impl ResponseData for Raw<'_> {
    fn format_response_data(&self, formatter: &mut dyn Formatter) -> Result<()> {
        formatter.push_str(self.0)
    }
}

type Set = fn(&mut Bench, usize, &mut Parameters<'_, '_>) -> Result<()>;
type Query = fn(&mut Bench, usize, &mut Parameters<'_, '_>) -> Result<Answer>;

/// A command of a tree: what it sets, what it answers, and for which channel.
pub(crate) struct Verb {
    channel: usize,
    set: Option<Set>,
    query: Option<Query>,
}

impl Verb {
    /// A query only.
    pub(crate) const fn ask(channel: usize, query: Query) -> Self {
        Self { channel, set: None, query: Some(query) }
    }
    /// A setting only.
    pub(crate) const fn set(channel: usize, set: Set) -> Self {
        Self { channel, set: Some(set), query: None }
    }
    /// A setting and its query.
    pub(crate) const fn both(channel: usize, set: Set, query: Query) -> Self {
        Self { channel, set: Some(set), query: Some(query) }
    }
}

impl Command<Bench> for Verb {
    fn event(&self, bench: &mut Bench, _: &mut Context, mut parameters: Parameters) -> Result<()> {
        let Some(set) = self.set else { return Err(ErrorCode::UndefinedHeader.into()) };
        set(bench, self.channel, &mut parameters)
    }

    fn query(
        &self,
        bench: &mut Bench,
        _: &mut Context,
        mut parameters: Parameters,
        mut unit: ResponseUnit,
    ) -> Result<()> {
        let Some(query) = self.query else { return Err(ErrorCode::UndefinedHeader.into()) };
        let bytes = match query(bench, self.channel, &mut parameters)? {
            Answer::Text(text) => text.into_bytes(),
            Answer::Block(bytes) => {
                let mut block = format!("#9{:09}", bytes.len()).into_bytes();
                block.extend_from_slice(&bytes);
                block
            }
        };
        bench.answered(bytes.len());
        unit.data(Raw(&bytes)).finish()
    }
}

/// A command tree with the common commands and the error queue behind its own, which are looked through in their order: what is
/// asked most often stands first. `$system` are further branches of `SYSTem`.
macro_rules! tree {
    (system: [$($system:expr),* $(,)?], $($child:expr),+ $(,)?) => {
        scpi::Root![
            $($child,)+
            scpi::Leaf!(b"*IDN" => &$crate::sim::panel::Verb::ask(0, $crate::sim::panel::identity)),
            scpi::Leaf!(b"*RST" => &$crate::sim::panel::Verb::set(0, $crate::sim::panel::reset)),
            scpi::Leaf!(b"*CLS" => &$crate::sim::panel::Verb::set(0, $crate::sim::panel::clear)),
            scpi::Leaf!(b"*OPC" => &$crate::sim::panel::Verb::both(0, $crate::sim::panel::set_complete, $crate::sim::panel::complete)),
            scpi::Leaf!(b"*WAI" => &$crate::sim::panel::Verb::set(0, $crate::sim::panel::wait)),
            scpi::Leaf!(b"*ESE" => &$crate::sim::panel::Verb::both(0, $crate::sim::panel::set_event_enable, $crate::sim::panel::event_enable)),
            scpi::Leaf!(b"*ESR" => &$crate::sim::panel::Verb::ask(0, $crate::sim::panel::event)),
            scpi::Leaf!(b"*SRE" => &$crate::sim::panel::Verb::both(0, $crate::sim::panel::set_service_enable, $crate::sim::panel::service_enable)),
            scpi::Leaf!(b"*STB" => &$crate::sim::panel::Verb::ask(0, $crate::sim::panel::status_byte)),
            scpi::Leaf!(b"*TST" => &$crate::sim::panel::Verb::ask(0, |_, _, _| Ok($crate::sim::panel::Answer::word("0")))),
            scpi::Leaf!(b"*OPT" => &$crate::sim::panel::Verb::ask(0, |_, _, _| Ok($crate::sim::panel::Answer::word("0")))),
            scpi::Branch![b"SYSTem";
                scpi::Branch![b"ERRor"; scpi::Leaf!(default b"NEXT" => &$crate::sim::panel::Verb::ask(0, $crate::sim::panel::error))],
                scpi::Leaf!(b"VERSion" => &$crate::sim::panel::Verb::ask(0, |_, _, _| Ok($crate::sim::panel::Answer::word("1999.0"))))
                $(, $system)*
            ]
        ]
    };
}
pub(crate) use tree;

type Params<'p, 'a, 'b> = &'p mut Parameters<'a, 'b>;

pub(crate) fn identity(bench: &mut Bench, _: usize, _: Params) -> Result<Answer> {
    Ok(Answer::Text(bench.panel().identity.clone()))
}

pub(crate) fn reset(bench: &mut Bench, _: usize, _: Params) -> Result<()> {
    bench.reset_active();
    Ok(())
}

pub(crate) fn clear(bench: &mut Bench, _: usize, _: Params) -> Result<()> {
    let panel = bench.panel();
    panel.errors.clear();
    panel.event = 0;
    Ok(())
}

pub(crate) fn set_complete(bench: &mut Bench, _: usize, _: Params) -> Result<()> {
    bench.panel().event |= 0x01;
    Ok(())
}

pub(crate) fn complete(bench: &mut Bench, _: usize, _: Params) -> Result<Answer> {
    let settling = bench.settling();
    bench.takes(settling);
    Ok(Answer::word("1"))
}

pub(crate) fn wait(bench: &mut Bench, _: usize, _: Params) -> Result<()> {
    let settling = bench.settling();
    bench.takes(settling);
    Ok(())
}

pub(crate) fn set_event_enable(bench: &mut Bench, _: usize, p: Params) -> Result<()> {
    bench.panel().event_enable = register(p)?;
    Ok(())
}

pub(crate) fn event_enable(bench: &mut Bench, _: usize, _: Params) -> Result<Answer> {
    Ok(Answer::Text(bench.panel().event_enable.to_string()))
}

pub(crate) fn event(bench: &mut Bench, _: usize, _: Params) -> Result<Answer> {
    Ok(Answer::Text(std::mem::take(&mut bench.panel().event).to_string()))
}

pub(crate) fn set_service_enable(bench: &mut Bench, _: usize, p: Params) -> Result<()> {
    bench.panel().service_enable = register(p)?;
    Ok(())
}

pub(crate) fn service_enable(bench: &mut Bench, _: usize, _: Params) -> Result<Answer> {
    Ok(Answer::Text(bench.panel().service_enable.to_string()))
}

pub(crate) fn status_byte(bench: &mut Bench, _: usize, _: Params) -> Result<Answer> {
    Ok(Answer::Text(bench.panel().status_byte().to_string()))
}

pub(crate) fn error(bench: &mut Bench, _: usize, _: Params) -> Result<Answer> {
    Ok(Answer::Text(bench.panel().next_error()))
}

/// Takes whatever parameters there are: settings that exist on the instrument and change nothing here.
pub(crate) fn accept(bench: &mut Bench, _: usize, p: Params) -> Result<()> {
    while p.next_optional_token()?.is_some() {}
    bench.takes(Duration::from_millis(1));
    Ok(())
}

fn register(p: Params) -> Result<u8> {
    Ok(number(p, Span { min: 0.0, max: 255.0, default: 0.0 })? as u8)
}

/// What a numeric parameter may be; `MIN`, `MAX` and `DEF` stand for the members.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) default: f64,
}

/// The next parameter as a number within `span`; outside it is -222.
pub(crate) fn number(p: Params, span: Span) -> Result<f64> {
    let token = p.next_token()?;
    number_of(token, span)
}

/// The number a token stands for.
pub(crate) fn number_of(token: Token<'_>, span: Span) -> Result<f64> {
    let value = match token {
        Token::DecimalNumericProgramData(digits) => decimal(digits)?,
        Token::DecimalNumericSuffixProgramData(digits, suffix) => decimal(digits)? * multiplier(suffix)?,
        Token::CharacterProgramData(word) => span_word(word, span).ok_or(ErrorCode::DataTypeError)?,
        _ => return Err(ErrorCode::DataTypeError.into()),
    };
    // A hair of tolerance: 3.2 written with six digits must not miss a limit of 3.2.
    if value < span.min - 1e-9 || value > span.max + 1e-9 {
        return Err(ErrorCode::DataOutOfRange.into());
    }
    Ok(value.clamp(span.min, span.max))
}

fn decimal(digits: &[u8]) -> Result<f64> {
    let value: f64 = std::str::from_utf8(digits)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(ErrorCode::NumericDataError)?;
    if value.is_finite() { Ok(value) } else { Err(ErrorCode::DataOutOfRange.into()) }
}

fn multiplier(suffix: &[u8]) -> Result<f64> {
    match suffix.to_ascii_uppercase().as_slice() {
        b"V" | b"A" | b"W" | b"OHM" | b"S" | b"HZ" => Ok(1.0),
        b"MV" | b"MA" | b"MW" | b"MS" => Ok(1e-3),
        b"UV" | b"UA" | b"US" => Ok(1e-6),
        b"NS" => Ok(1e-9),
        b"KV" | b"KOHM" | b"KHZ" => Ok(1e3),
        b"MOHM" | b"MHZ" => Ok(1e6),
        _ => Err(ErrorCode::InvalidSuffix.into()),
    }
}

fn span_word(word: &[u8], span: Span) -> Option<f64> {
    match word.to_ascii_uppercase().as_slice() {
        b"MIN" | b"MINIMUM" => Some(span.min),
        b"MAX" | b"MAXIMUM" => Some(span.max),
        b"DEF" | b"DEFAULT" => Some(span.default),
        _ => None,
    }
}

/// For a query with an optional `MIN|MAX|DEF`: the bound that was asked for, or `None` for the present value.
pub(crate) fn bound(p: Params, span: Span) -> Result<Option<f64>> {
    match p.next_optional_token()? {
        None => Ok(None),
        Some(Token::CharacterProgramData(word)) => {
            span_word(word, span).map(Some).ok_or_else(|| ErrorCode::IllegalParameterValue.into())
        }
        Some(_) => Err(ErrorCode::DataTypeError.into()),
    }
}

/// The next parameter as a boolean: `ON`, `OFF`, `1`, `0`.
pub(crate) fn boolean(p: Params) -> Result<bool> {
    bool::try_from(p.next_token()?)
}

/// The next parameter as an upper-case word; a number or a string is taken as its text.
pub(crate) fn word(p: Params) -> Result<String> {
    word_of(p.next_token()?)
}

/// An optional word.
pub(crate) fn optional_word(p: Params) -> Result<Option<String>> {
    p.next_optional_token()?.map(word_of).transpose()
}

/// The text of a token in upper case.
pub(crate) fn word_of(token: Token<'_>) -> Result<String> {
    match token {
        Token::CharacterProgramData(bytes)
        | Token::StringProgramData(bytes)
        | Token::DecimalNumericProgramData(bytes) => Ok(String::from_utf8_lossy(bytes).to_ascii_uppercase()),
        Token::DecimalNumericSuffixProgramData(digits, suffix) => {
            Ok(format!("{}{}", String::from_utf8_lossy(digits), String::from_utf8_lossy(suffix))
                .to_ascii_uppercase())
        }
        _ => Err(ErrorCode::DataTypeError.into()),
    }
}

/// One of `choices` written short (its capitals) or long, as its short form.
pub(crate) fn choice(p: Params, choices: &[&'static str]) -> Result<&'static str> {
    let written = word(p)?;
    choices
        .iter()
        .copied()
        .find(|choice| written == choice.to_ascii_uppercase() || written == short_form(choice))
        .ok_or_else(|| ErrorCode::IllegalParameterValue.into())
}

/// The capitals and digits of a mnemonic: `CURRent` is `CURR`.
pub(crate) fn short_form(mnemonic: &str) -> String {
    mnemonic.chars().filter(|c| !c.is_ascii_lowercase()).collect()
}

/// A message as the tree wants it: no blank before a header, no empty command. Strings are left alone.
pub(crate) fn tidied(message: &[u8]) -> Vec<u8> {
    let is_one_command = !message.iter().any(|byte| matches!(byte, b';' | b'"' | b'\''));
    if is_one_command {
        return message.trim_ascii().to_vec();
    }
    let mut out: Vec<u8> = Vec::with_capacity(message.len());
    let mut quote = None;
    for &byte in message {
        let at_header = quote.is_none() && out.last().is_none_or(|last| *last == b';');
        if at_header && (byte.is_ascii_whitespace() || byte == b';') {
            continue;
        }
        match quote {
            Some(open) if open == byte => quote = None,
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            _ => {}
        }
        out.push(byte);
    }
    while out.last().is_some_and(|last| *last == b';' || last.is_ascii_whitespace()) {
        out.pop();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_queue_is_first_in_first_out_and_ends_in_overflow() {
        let mut panel = Panel::new("X");
        for _ in 0..30 {
            panel.push(ErrorCode::UndefinedHeader.into());
        }
        let told: Vec<String> = (0..21).map(|_| panel.next_error()).collect();
        assert_eq!(told[0], "-113,\"Undefined header\"");
        assert_eq!(told[18], "-113,\"Undefined header\"");
        assert_eq!(told[19], "-350,\"Queue overflow\"");
        assert_eq!(told[20], "0,\"No error\"");
    }

    #[test]
    fn blanks_before_headers_and_empty_commands_are_dropped() {
        let tidy = |text: &str| String::from_utf8(tidied(text.as_bytes())).unwrap();
        assert_eq!(tidy(" :INST:NSEL 1; :SOUR:VOLT 5 ;\r"), ":INST:NSEL 1;:SOUR:VOLT 5");
        assert_eq!(tidy(";;*IDN?;;"), "*IDN?");
        assert_eq!(tidy("DISP:TEXT \" ; a\""), "DISP:TEXT \" ; a\"");
    }

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        assert_eq!(exponent(1e9), "1.000000e+09");
        assert_eq!(exponent(-1.2e-3), "-1.200000e-03");
        assert!(matches!(Answer::fixed(-0.00001, 4), Answer::Text(text) if text == "0.0000"));
    }
}
