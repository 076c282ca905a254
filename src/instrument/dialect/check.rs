//! A family's text into a [`Family`], or all its faults.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use super::family::Family;
use super::fault::{Fault, Faults};
use super::identify::{Names, Pattern};
use super::phrase::check_verbs;
use super::reading::{Placed, read_toml};
use super::schema::{Class, CompletionText, FamilyText, IdentityText, ProbeText, Quirk, TimingText};
use super::{ability, verb};
use crate::base::names::nearest;
use crate::base::span::parse_span;
use crate::base::units::Quantity;
use crate::link::scpi::{Completion, Conversation, Probe};

/// Reads and checks the text of a family's file; `file` is what the person calls it.
///
/// # Errors
/// Every fault of it.
pub fn check_family(file: &str, text: &str) -> Result<Family, Vec<Fault>> {
    let mut faults = Faults::of(file);
    let read: Option<FamilyText> = read_toml(text, &mut faults);
    let family = read.and_then(|family| Check::of(&family, &mut faults).family(&family));
    match family {
        Some(family) if faults.is_empty() => Ok(family),
        _ => Err(faults.into_vec()),
    }
}

/// What every part of the check needs.
pub(super) struct Check<'f> {
    pub(super) faults: &'f mut Faults,
    pub(super) class: Option<Class>,
    sources: BTreeMap<String, String>,
}

impl<'f> Check<'f> {
    fn of(family: &FamilyText, faults: &'f mut Faults) -> Self {
        let sources = family.sources.as_ref().map(|sources| sources.value.clone()).unwrap_or_default();
        Self { faults, class: family.class.as_ref().map(|class| class.value), sources }
    }

    fn family(&mut self, family: &FamilyText) -> Option<Family> {
        let name = self.name(family);
        let title =
            self.required(family.title.as_ref(), "title", None, "a line that people know the family by");
        let class = self.required(family.class.as_ref(), "class", None, "`supply`, `load` or `scope`")?;
        self.check_sources(family);
        let names = self
            .required(family.identity.as_ref(), "identity", None, "a table `[identity]`")
            .and_then(|identity| self.names(&identity));
        let quirks = self.quirks(family);
        let conversation = self
            .required(family.timing.as_ref(), "timing", None, "a table `[timing]`")
            .and_then(|timing| self.conversation(&timing, family, &quirks));
        let verbs = check_verbs(self, &family.verbs.clone().unwrap_or_default(), verb::rules(class));
        let facts = ability::check_facts(self, family, class);
        Some(Family {
            name: name?,
            class,
            title: title?,
            names: names?,
            conversation: conversation?,
            quirks,
            watchdog: family.watchdog.as_ref().map(|text| text.value.clone()),
            verbs,
            outputs: facts.outputs,
            inputs: facts.inputs,
            screen: facts.screen,
            scopes: facts.scopes,
        })
    }

    fn name(&mut self, family: &FamilyText) -> Option<String> {
        let placed = family.name.as_ref();
        let name = self.required(placed, "name", None, "the name that rigs use, e.g. `rigol_dp800`")?;
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || name.len() > 64 || !name.chars().all(good) {
            let span = placed.map(|placed| placed.span.clone());
            self.faults.add("name", span, "a family's name is made of small letters, digits and `_`");
            return None;
        }
        Some(name)
    }

    fn check_sources(&mut self, family: &FamilyText) {
        let expected = "a table `[sources]` that says where the facts come from";
        self.required(family.sources.as_ref(), "sources", None, expected);
        let empty: Vec<String> = self
            .sources
            .iter()
            .filter(|(_, text)| text.trim().is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        let span = family.sources.as_ref().map(|sources| sources.span.clone());
        for name in empty {
            self.faults.add(&format!("sources.{name}"), span.clone(), "an empty text is no source");
        }
    }

    fn names(&mut self, identity: &IdentityText) -> Option<Names> {
        self.source(identity.source.as_ref(), "identity", None);
        let makers = self.patterns(identity.makers.as_deref(), "identity.makers", None);
        let models = self.patterns(identity.models.as_deref(), "identity.models", None);
        Some(Names { makers: makers?, models: models? })
    }

    fn quirks(&mut self, family: &FamilyText) -> BTreeSet<Quirk> {
        let Some(quirks) = &family.quirks else {
            return BTreeSet::new();
        };
        let span = Some(quirks.span.clone());
        self.source(quirks.value.source.as_ref(), "quirks", span.clone());
        if quirks.value.list.is_none() {
            self.missing("quirks.list", span, "the list of what is peculiar");
        }
        quirks.value.list.iter().flatten().map(|quirk| quirk.value).collect()
    }

    fn conversation(
        &mut self,
        timing: &TimingText,
        family: &FamilyText,
        quirks: &BTreeSet<Quirk>,
    ) -> Option<Conversation> {
        let span = family.timing.as_ref().map(|timing| timing.span.clone());
        self.source(timing.source.as_ref(), "timing", span.clone());
        let answer =
            self.required(timing.answer.as_ref(), "timing.answer", span.clone(), "a time, e.g. `1 s`");
        let answer_timeout = answer.and_then(|_| self.span(timing.answer.as_ref(), "timing.answer"));
        let expected = "a time, e.g. `5 s`";
        let within = self.required(
            timing.completion_within.as_ref(),
            "timing.completion_within",
            span.clone(),
            expected,
        );
        let completion_timeout =
            within.and_then(|_| self.span(timing.completion_within.as_ref(), "timing.completion_within"));
        let completion = self.completion(timing, span.clone());
        let pacing = match &timing.pacing {
            None => Some(Duration::ZERO),
            pacing => self.span(pacing.as_ref(), "timing.pacing"),
        };
        match (&timing.error_query, quirks.contains(&Quirk::NoErrorQueue)) {
            (None, false) => {
                let expected = "the question for one entry of the error queue, e.g. `:SYST:ERR?`, or the quirk `no_error_queue`";
                self.missing("timing.error_query", span, expected);
            }
            (Some(query), true) => {
                let told =
                    "a question for an error queue that the quirk `no_error_queue` says does not exist";
                self.faults.add("timing.error_query", Some(query.span.clone()), told);
            }
            _ => {}
        }
        Some(Conversation {
            answer_timeout: answer_timeout?,
            completion: completion?,
            completion_timeout: completion_timeout?,
            error_query: timing.error_query.as_ref().map(|query| query.value.clone()),
            pacing: pacing?,
            probe: match timing.probe.as_ref().map(|probe| probe.value) {
                None | Some(ProbeText::EventEnable) => Probe::EventEnable,
                Some(ProbeText::Identity) => Probe::Identity,
                Some(ProbeText::Quiet) => Probe::Quiet,
            },
            ..Conversation::default()
        })
    }

    fn completion(&mut self, timing: &TimingText, span: Option<Range<usize>>) -> Option<Completion> {
        let kind = timing.completion.as_ref();
        match self.required(kind, "timing.completion", span.clone(), "`opc`, `status` or `time`")? {
            CompletionText::Opc => Some(Completion::OpcQuery),
            CompletionText::Time => {
                let expected = "how long to wait, e.g. `50 ms`";
                self.required(timing.completion_wait.as_ref(), "timing.completion_wait", span, expected)?;
                self.span(timing.completion_wait.as_ref(), "timing.completion_wait").map(Completion::Time)
            }
            CompletionText::Status => {
                let query = timing.completion_query.as_ref();
                let query = self.required(
                    query,
                    "timing.completion_query",
                    span.clone(),
                    "what is asked for the status",
                );
                if timing.completion_busy.is_none() {
                    self.missing("timing.completion_busy", span, "the answers that mean \"busy\"");
                }
                Some(Completion::StatusQuery { query: query?, busy: timing.completion_busy.clone()? })
            }
        }
    }

    /// The value of a key that must be there.
    pub(super) fn required<T: Clone>(
        &mut self,
        placed: Option<&Placed<T>>,
        key: &str,
        table: Option<Range<usize>>,
        expected: &str,
    ) -> Option<T> {
        if placed.is_none() {
            self.missing(key, table, expected);
        }
        placed.map(|placed| placed.value.clone())
    }

    pub(super) fn missing(&mut self, key: &str, table: Option<Range<usize>>, expected: &str) {
        // What could not be read was taken out; it is faulty, not missing.
        if !self.faults.has(key) {
            self.faults.add(key, table, format!("missing; expected {expected}"));
        }
    }

    /// The source that a section names, which must stand in `[sources]`.
    pub(super) fn source(
        &mut self,
        placed: Option<&Placed<String>>,
        section: &str,
        table: Option<Range<usize>>,
    ) -> String {
        let key = format!("{section}.source");
        let Some(placed) = placed else {
            self.missing(&key, table, "where these facts come from, a name of `[sources]`");
            return String::new();
        };
        if !self.sources.contains_key(&placed.value) {
            let known = nearest(&placed.value, self.sources.keys().map(String::as_str)).map(str::to_owned);
            let told = format!("`{}` is no name of `[sources]`", placed.value);
            self.faults.add_with_nearest(&key, Some(placed.span.clone()), told, known.as_deref());
        }
        placed.value.clone()
    }

    pub(super) fn patterns(
        &mut self,
        texts: Option<&[Placed<String>]>,
        key: &str,
        table: Option<Range<usize>>,
    ) -> Option<Vec<Pattern>> {
        let Some(texts) = texts.filter(|texts| !texts.is_empty()) else {
            self.missing(key, table, "a list of patterns, e.g. `[\"DP832*\"]`");
            return None;
        };
        let mut patterns = Vec::new();
        for text in texts {
            match Pattern::parse(&text.value) {
                Ok(pattern) => patterns.push(pattern),
                Err(reason) => {
                    let told = format!("`{}` is no pattern: {reason}", text.value);
                    self.faults.add(key, Some(text.span.clone()), told);
                }
            }
        }
        (patterns.len() == texts.len()).then_some(patterns)
    }

    /// A quantity, finite and above zero.
    pub(super) fn quantity<Q: Quantity>(&mut self, placed: Option<&Placed<String>>, key: &str) -> Option<Q> {
        let placed = placed?;
        match placed.value.parse::<Q>() {
            Ok(quantity) if quantity.value() > 0.0 => Some(quantity),
            Ok(quantity) => {
                let told = format!("{quantity} is not above zero");
                self.faults.add(key, Some(placed.span.clone()), told);
                None
            }
            Err(error) => {
                self.faults.add(key, Some(placed.span.clone()), error.to_string());
                None
            }
        }
    }

    pub(super) fn span(&mut self, placed: Option<&Placed<String>>, key: &str) -> Option<Duration> {
        let placed = placed?;
        parse_span(&placed.value)
            .map_err(|error| self.faults.add(key, Some(placed.span.clone()), error.to_string()))
            .ok()
    }
}
