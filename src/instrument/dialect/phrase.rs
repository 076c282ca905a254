//! The verbs of a family's file: each known to its class, each with the placeholders it needs and an answer that can be read.

use std::collections::BTreeMap;
use std::ops::Range;

use super::check::Check;
use super::family::{Phrase, Reply};
use super::reading::Placed;
use super::schema::{ReplyText, VerbText, Word};
use super::template::{Placeholder, Template};
use super::verb::{Answer, Need, Rule, Verb};
use crate::base::names::nearest;

/// Checks all verbs of a family against what its class needs.
pub(super) fn check_verbs(
    check: &mut Check<'_>,
    verbs: &BTreeMap<String, Placed<VerbText>>,
    rules: &[Rule],
) -> BTreeMap<Verb, Phrase> {
    let mut phrases = BTreeMap::new();
    for (name, placed) in verbs {
        let Some(rule) = rules.iter().find(|rule| rule.verb.as_str() == name) else {
            let known = nearest(name, rules.iter().map(|rule| rule.verb.as_str()));
            let class = check.class.map_or("this", |class| class.as_str());
            let told = format!("`{name}` is no verb of the class {class}");
            check.faults.add_with_nearest(&format!("verbs.{name}"), Some(placed.span.clone()), told, known);
            continue;
        };
        if let Some(phrase) = check_verb(check, rule, placed) {
            phrases.insert(rule.verb, phrase);
        }
    }
    for rule in rules.iter().filter(|rule| !verbs.contains_key(rule.verb.as_str())) {
        let needed = match rule.need {
            Need::Always => "every family of its class must have it".to_owned(),
            Need::With(other) if verbs.contains_key(other.as_str()) => {
                format!("`{}` needs it", other.as_str())
            }
            Need::With(_) | Need::Optional => continue,
        };
        check.faults.add(&format!("verbs.{}", rule.verb.as_str()), None, format!("missing; {needed}"));
    }
    phrases
}

fn check_verb(check: &mut Check<'_>, rule: &Rule, placed: &Placed<VerbText>) -> Option<Phrase> {
    let (key, text) = (format!("verbs.{}", rule.verb.as_str()), &placed.value);
    let table = Some(placed.span.clone());
    let source = check.source(text.source.as_ref(), &key, table.clone());
    let reply = check_reply(check, rule, placed);
    if text.send.is_none() {
        check.missing(&format!("{key}.send"), table.clone(), "the message that is sent");
    }
    let mut messages = Vec::new();
    for message in text.send.iter().chain(&text.then) {
        messages.push(check_message(check, rule, message));
    }
    let messages: Vec<Template> = messages.into_iter().collect::<Option<_>>()?;
    check_placeholders(check, rule, &messages, table.as_ref());
    if rule.answer != Answer::Nothing && messages.len() > 1 {
        check.faults.add(&format!("{key}.then"), Some(placed.span.clone()), "a question is one message");
    }
    Some(Phrase { messages, reply: reply?, source })
}

fn check_message(check: &mut Check<'_>, rule: &Rule, message: &Placed<String>) -> Option<Template> {
    let (key, span) = (format!("verbs.{}.send", rule.verb.as_str()), Some(message.span.clone()));
    let template = match Template::parse(&message.value) {
        Ok(template) => template,
        Err(error) => {
            let known = error
                .unknown
                .as_ref()
                .and_then(|word| nearest(word, Placeholder::ALL.iter().map(|known| known.as_str())));
            check.faults.add_with_nearest(&key, span, error.reason, known);
            return None;
        }
    };
    for placeholder in template.placeholders() {
        if placeholder != Placeholder::Channel && !rule.takes.contains(&placeholder) {
            let told = format!("`{{{}}}` has no meaning in `{}`", placeholder.as_str(), rule.verb.as_str());
            check.faults.add(&key, span.clone(), told);
        }
    }
    match (rule.answer == Answer::Nothing, template.asks()) {
        (true, true) => {
            check.faults.add(&key, span, "a set must not ask: its answer would pass for the next one's");
        }
        (false, false) => check.faults.add(&key, span, "a question needs a `?`"),
        _ => {}
    }
    Some(template)
}

fn check_placeholders(
    check: &mut Check<'_>,
    rule: &Rule,
    messages: &[Template],
    table: Option<&Range<usize>>,
) {
    for wanted in rule.takes {
        // A question like Rigol's `:WAV:PRE?` is about the source chosen before, so only messages that are sent are looked at.
        if !messages.iter().any(|message| message.placeholders().any(|placeholder| placeholder == *wanted)) {
            let told = format!("`{{{}}}` must stand in it", wanted.as_str());
            check.faults.add(&format!("verbs.{}.send", rule.verb.as_str()), table.cloned(), told);
        }
    }
}

fn check_reply(check: &mut Check<'_>, rule: &Rule, placed: &Placed<VerbText>) -> Option<Reply> {
    let (text, key) = (&placed.value, format!("verbs.{}.reply", rule.verb.as_str()));
    let span = text.reply.as_ref().map_or(placed.span.clone(), |reply| reply.span.clone());
    let allowed = rule.answer.replies();
    let kind = text.reply.as_ref().map(|reply| reply.value);
    match kind {
        None if allowed.is_empty() => return Some(Reply::Nothing),
        None => {
            check.missing(&key, Some(span), &list(allowed));
            return None;
        }
        Some(_) if allowed.is_empty() => {
            check.faults.add(&key, Some(span), "a set has no reply");
            return None;
        }
        Some(kind) if !allowed.contains(&kind) => {
            check.faults.add(&key, Some(span), format!("it must answer with {}", list(allowed)));
            return None;
        }
        Some(_) => {}
    }
    match kind? {
        ReplyText::Number => Some(Reply::Number),
        ReplyText::Bool => Some(Reply::Bool),
        ReplyText::Text => Some(Reply::Text),
        ReplyText::Block => Some(Reply::Block),
        ReplyText::Words => {
            let words = check_words(check, rule, placed)?;
            Some(Reply::Words(words.into_iter().map(|(said, word)| (said.to_uppercase(), word)).collect()))
        }
        ReplyText::Bits => check_bits(check, rule, placed),
    }
}

fn check_bits(check: &mut Check<'_>, rule: &Rule, placed: &Placed<VerbText>) -> Option<Reply> {
    let key = format!("verbs.{}", rule.verb.as_str());
    let words = check_words(check, rule, placed);
    let expected = "which bits are looked at, e.g. `mask = 8`";
    let mask_key = format!("{key}.mask");
    let mask = check.required(placed.value.mask.as_ref(), &mask_key, Some(placed.span.clone()), expected)?;
    if mask == 0 {
        check.faults.add(&mask_key, Some(placed.span.clone()), "a mask of 0 looks at nothing");
        return None;
    }
    let mut values = BTreeMap::new();
    for (said, word) in words? {
        match said.parse::<u32>() {
            Ok(value) if value <= mask >> mask.trailing_zeros() => {
                values.insert(value, word);
            }
            _ => {
                let told = format!("`{said}` is no value of the bits {mask}");
                check.faults.add(&format!("{key}.words"), Some(placed.span.clone()), told);
            }
        }
    }
    Some(Reply::Bits { mask, words: values })
}

fn check_words(
    check: &mut Check<'_>,
    rule: &Rule,
    placed: &Placed<VerbText>,
) -> Option<BTreeMap<String, Word>> {
    let key = format!("verbs.{}.words", rule.verb.as_str());
    let allowed = rule.answer.words();
    let names: Vec<String> = allowed.iter().map(|word| format!("`{}`", word.as_str())).collect();
    let expected = format!("a table of answers, each meaning one of {}", names.join(", "));
    let words = placed.value.words.as_ref();
    let words = check.required(words, &key, Some(placed.span.clone()), &expected)?;
    for word in words.values().filter(|word| !allowed.contains(&word.value)) {
        let told =
            format!("`{}` has no meaning here; expected one of {}", word.value.as_str(), names.join(", "));
        check.faults.add(&key, Some(word.span.clone()), told);
    }
    Some(words.into_iter().map(|(said, word)| (said, word.value)).collect())
}

fn list(kinds: &[ReplyText]) -> String {
    let words = kinds.iter().map(|kind| match kind {
        ReplyText::Number => "`number`",
        ReplyText::Bool => "`bool`",
        ReplyText::Text => "`text`",
        ReplyText::Block => "`block`",
        ReplyText::Words => "`words`",
        ReplyText::Bits => "`bits`",
    });
    format!("a reply of the kind {}", words.collect::<Vec<_>>().join(" or "))
}
