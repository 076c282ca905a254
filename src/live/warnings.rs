//! Warnings that still hold: what went wrong and has not come right again, as far as the events tell. A pure fold.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::screen::{Seen, clock_time, last_known};
use super::state::{Phase, State};
use crate::base::names::Role;
use crate::base::span::render_span;
use crate::base::units::{Amps, Volts};
use crate::event::{
    BrokenAt, Condition, Event, LimitBroken, LimitCheck, Outcome, PointResult, Reading, Readings, RunFacts,
    Setting, Stamp,
};

/// Most that are shown on a screen; a script gets all.
const MOST_SHOWN: usize = 4;

/// A measured setting is within so much of what was set, as a part of it.
const SETTING_WITHIN: f64 = 0.01;

/// A soak that has written nothing for so long is not well, where its readings are less than a minute apart.
const SILENT_AFTER: Duration = Duration::from_secs(180);

/// Something that is wrong now.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    /// What kind, in a word.
    pub word: &'static str,
    /// Since when.
    pub since: Stamp,
    /// What.
    pub what: String,
}

/// What is wrong now by the events alone.
#[derive(Debug, Clone, Default)]
pub(super) struct Warnings {
    /// By the place of the limit in the profile: broken where it was last held against something.
    limits: BTreeMap<usize, (Stamp, String)>,
    /// Instruments and sensors that failed and have said nothing since.
    silent: BTreeMap<Role, (Stamp, &'static str, String)>,
    /// Messages that did not go out: how many, and the last.
    unsent: Option<(Stamp, u64, String)>,
}

impl Warnings {
    pub(super) fn take(&mut self, at: Stamp, event: &Event, facts: Option<&RunFacts>) {
        match event {
            Event::LimitBroken(LimitBroken { limit, what, at: BrokenAt::Dwell(_) }) => {
                self.limits.entry(*limit).or_insert_with(|| (at, what.clone()));
            }
            Event::PointFinished(result) => {
                self.take_checks(at, result, facts);
                self.silent.retain(|role, _| !is_heard_at_a_point(role, result));
            }
            Event::ReadingsTaken(readings) => self.take_readings(at, readings, facts),
            Event::TemperatureRead { role, .. } => drop(self.silent.remove(role)),
            Event::SensorFailed { role, what, .. } => self.fall_silent(at, (role, "sensor"), what),
            Event::Retried { role, what, .. } => self.fall_silent(at, (role, "instrument"), what),
            Event::MessageUnsent(unsent) => {
                let count = self.unsent.as_ref().map_or(0, |(_, count, _)| *count);
                self.unsent = Some((at, count + 1, unsent.to_string()));
            }
            // The bench is opened anew, and what fails then is told then.
            Event::RunResumed(_) => self.silent.clear(),
            _ => {}
        }
    }

    fn fall_silent(&mut self, at: Stamp, (role, word): (&Role, &'static str), what: &str) {
        let known = self.silent.entry(role.clone()).or_insert_with(|| (at, word, String::new()));
        known.2 = format!("{role}: {what}");
    }

    fn take_checks(&mut self, at: Stamp, result: &PointResult, facts: Option<&RunFacts>) {
        for LimitCheck { limit, outcome, .. } in &result.checks {
            match outcome {
                Outcome::Fail(value) => {
                    let named = facts.and_then(|facts| facts.limits.get(*limit));
                    let what = named.map(|named| {
                        LimitBroken::of(
                            (*limit, named),
                            *value,
                            result.setting,
                            BrokenAt::Point(result.point),
                        )
                        .what
                    });
                    self.limits.entry(*limit).or_insert_with(|| (at, what.unwrap_or_default()));
                }
                Outcome::Pass(_) | Outcome::Marginal(_) => drop(self.limits.remove(limit)),
                _ => {}
            }
        }
    }

    /// Holds the last reading against the limits that surely apply to it; its setting is known as it was measured.
    fn take_readings(&mut self, at: Stamp, readings: &Readings, facts: Option<&RunFacts>) {
        let Some(last) = readings.rows.last() else { return };
        self.silent.retain(|role, (since, ..)| last.at <= since.monotonic || !is_heard_in(role, last));
        // While an interlock holds, the load is not what the limits are meant for; nor is a board that is off.
        if readings.held || !last.is_on() {
            return;
        }
        for (place, limit) in facts.iter().flat_map(|facts| facts.limits.iter().enumerate()) {
            let Some(value) = last.figure(limit.figure).filter(|value| value.is_finite()) else { continue };
            let Some(setting) = setting_of(last, &limit.condition) else { continue };
            if matches!(limit.judge(value), Outcome::Fail(_)) {
                let what =
                    LimitBroken::of((place, limit), value, setting, BrokenAt::Dwell(readings.dwell)).what;
                self.limits.entry(place).or_insert((at, what));
            } else {
                self.limits.remove(&place);
            }
        }
    }

    fn list(&self) -> Vec<Warning> {
        let limits = self.limits.values().map(|(since, what)| ("limit", *since, what.clone()));
        let silent = self.silent.values().map(|(since, word, what)| (*word, *since, what.clone()));
        let unsent = self.unsent.iter().map(|(at, count, what)| {
            let more = if *count > 1 { format!("{count} in all; the last: ") } else { String::new() };
            ("message", *at, format!("not delivered, {more}{what}"))
        });
        limits.chain(silent).chain(unsent).map(|(word, since, what)| Warning { word, since, what }).collect()
    }
}

/// The setting as it was measured, where the condition holds for everything near it.
fn setting_of(reading: &Reading, condition: &Condition) -> Option<Setting> {
    let (vin, load) = (reading.vin_v?, reading.iout_a?);
    let near = |part: f64| Setting { vin: Volts(vin * part), load: Amps(load * part) };
    let ends = [1.0 - SETTING_WITHIN, 1.0 + SETTING_WITHIN];
    ends.into_iter().all(|part| condition.holds(near(part))).then(|| near(1.0))
}

/// Whether the reading holds what the instrument or sensor of this role says.
fn is_heard_in(role: &Role, reading: &Reading) -> bool {
    match role.as_str() {
        "board" => reading.board_c.is_some(),
        "ambient" => reading.ambient_c.is_some(),
        // Nothing is captured for a reading.
        "scope" => false,
        _ => true,
    }
}

fn is_heard_at_a_point(role: &Role, result: &PointResult) -> bool {
    use crate::event::FigureName::{AmbientTemperature, BoardTemperature};
    match role.as_str() {
        "board" => result.figures.value(BoardTemperature).is_some(),
        "ambient" => result.figures.value(AmbientTemperature).is_some(),
        _ => true,
    }
}

/// Everything that is wrong now, the longest first. Of a run that is over only what somebody still has to see to.
#[must_use]
pub fn active(state: &State, seen: Option<&Seen>) -> Vec<Warning> {
    let is_over = state.end().is_some();
    let mut active: Vec<Warning> =
        state.warnings().list().into_iter().filter(|warning| !is_over || warning.word == "message").collect();
    let now = state.last();
    let mut add = |word, since: Option<Stamp>, what: String| {
        active.extend(since.map(|since| Warning { word, since, what }));
    };
    if let Some((since, what)) = state.held() {
        add("hold", Some(since), what.to_owned());
    }
    if let Some(safe) = state.safe().filter(|safe| !safe.verified) {
        let failures = safe.failures.join("; ");
        add("outputs", now, format!("NOT VERIFIED OFF, look at the bench: {failures}"));
    }
    if seen.is_some_and(|seen| last_known(state, seen).is_some()) {
        let what =
            "the record breaks off with outputs on, and whether they are off is not known: look at the bench";
        add("outputs", now, what.to_owned());
    }
    if let Some(seen) = seen.filter(|seen| seen.is_written == Some(true)) {
        if let Some(what) = &seen.short_of_room {
            add("disk", now, what.clone());
        }
        if let Some(what) = silence(state, seen) {
            add("silence", now, what);
        }
    }
    active.sort_by_key(|warning| warning.since.monotonic);
    active
}

/// What is wrong where a soak that reads has written nothing for too long. With an output off the board may rest for as long as the
/// plan has it off, without readings, and nothing is said.
fn silence(state: &State, seen: &Seen) -> Option<String> {
    let interval = state.soak()?.facts().interval;
    let (_, age) = seen.last?;
    let is_reading = state.phase() == Phase::Holding && state.outputs().values().all(|on| *on);
    (is_reading && age > SILENT_AFTER.max(Readings::SPAN + interval * 3)).then(|| {
        let (due, age) = (render_span(Readings::SPAN + interval * 2), render_span(age));
        format!("readings are due in the record every {due} at least, and nothing was written for {age}: does the run hang?")
    })
}

/// The same in lines of a screen.
pub(super) fn lines(state: &State, seen: &Seen) -> Vec<String> {
    let active = active(state, Some(seen));
    let mut lines: Vec<String> = active
        .iter()
        .take(MOST_SHOWN)
        .map(|warning| format!("since {} {}: {}", clock_time(warning.since.utc), warning.word, warning.what))
        .collect();
    if active.is_empty() {
        lines.push("none that still holds".to_owned());
    } else if active.len() > MOST_SHOWN {
        lines.push(format!("and {} more", active.len() - MOST_SHOWN));
    }
    lines
}

/// The same for a script.
pub(super) fn json(state: &State, seen: Option<&Seen>) -> Vec<Value> {
    let told = |warning: Warning| json!({ "word": warning.word, "what": warning.what, "since": warning.since.utc.to_string() });
    active(state, seen).into_iter().map(told).collect()
}
