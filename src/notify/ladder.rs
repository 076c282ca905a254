//! What is told of the events, and when: pure, time is an argument. The same warning again and again is one message with a
//! count; "still alive" comes every so often, and only while events come.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::level::{Level, level_of};
use crate::base::clock::Instant;
use crate::event::Event;

/// Different warnings that are remembered.
const MOST_KNOWN: usize = 64;

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// How urgent.
    pub level: Level,
    /// What.
    pub text: String,
    /// How often it happened since it was told the last time, at least 1.
    pub count: u64,
}

/// A warning that was told.
#[derive(Debug)]
struct Known {
    /// The warning without its numbers: `board at 91.2 °C` and `board at 91.4 °C` are the same one.
    kind: String,
    told: Instant,
    /// What was held back since: the last text, and how often.
    held_back: Option<(String, u64)>,
}

/// Decides what is told.
#[derive(Debug)]
pub struct Ladder {
    on: BTreeSet<Level>,
    alive_every: Duration,
    repeat_every: Duration,
    alive: Option<Instant>,
    known: VecDeque<Known>,
}

impl Ladder {
    /// Tells events of the levels `on`; that the run lives every `alive_every`; the same warning no more often than every
    /// `repeat_every`.
    #[must_use]
    pub fn new(on: impl IntoIterator<Item = Level>, alive_every: Duration, repeat_every: Duration) -> Self {
        Self { on: on.into_iter().collect(), alive_every, repeat_every, alive: None, known: VecDeque::new() }
    }

    /// Whether people want to hear of this level.
    #[must_use]
    pub fn is_told(&self, level: Level) -> bool {
        self.on.contains(&level)
    }

    /// What is to be told now that this has happened.
    pub fn take(&mut self, now: Instant, event: &Event) -> Vec<Told> {
        let mut told = Vec::new();
        let alive = *self.alive.get_or_insert(now);
        match level_of(event).filter(|(level, _)| self.on.contains(level)) {
            Some((Level::Warn, text)) => told.extend(self.take_warning(now, text)),
            Some((level, text)) => {
                if level == Level::Finish {
                    told.extend(self.held_back(|_| true, now));
                }
                told.push(Told { level, text, count: 1 });
            }
            None => {}
        }
        let window = self.repeat_every;
        told.extend(self.held_back(|known| now.since(known.told) >= window, now));
        if self.on.contains(&Level::Alive) && now.since(alive) >= self.alive_every {
            self.alive = Some(now);
            told.push(Told { level: Level::Alive, text: "still alive".to_owned(), count: 1 });
        }
        told
    }

    fn take_warning(&mut self, now: Instant, text: String) -> Option<Told> {
        let kind: String = text.chars().filter(|c| !matches!(c, '0'..='9' | '.')).collect();
        if let Some(known) = self.known.iter_mut().find(|known| known.kind == kind) {
            if now.since(known.told) < self.repeat_every {
                let count = known.held_back.take().map_or(0, |(_, count)| count);
                known.held_back = Some((text, count + 1));
                return None;
            }
            known.told = now;
            let count = known.held_back.take().map_or(0, |(_, count)| count);
            return Some(Told { level: Level::Warn, text, count: count + 1 });
        }
        let pushed_out = if self.known.len() == MOST_KNOWN { self.known.pop_front() } else { None };
        self.known.push_back(Known { kind, told: now, held_back: None });
        // Its count goes along with the newcomer rather than being lost.
        let lost = pushed_out.and_then(|known| known.held_back);
        let text = match lost {
            Some((other, count)) => format!("{text} (and {count} times: {other})"),
            None => text,
        };
        Some(Told { level: Level::Warn, text, count: 1 })
    }

    /// Takes out what was held back of the warnings that `is_due` names.
    fn held_back(&mut self, is_due: impl Fn(&Known) -> bool, now: Instant) -> Vec<Told> {
        let mut told = Vec::new();
        for known in self.known.iter_mut().filter(|known| is_due(known)) {
            if let Some((text, count)) = known.held_back.take() {
                known.told = now;
                told.push(Told { level: Level::Warn, text, count });
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{RunEnd, RunVerdict};

    const MINUTE: u64 = 60_000_000_000;

    fn ladder(on: &[Level]) -> Ladder {
        Ladder::new(on.iter().copied(), Duration::from_secs(6 * 3600), Duration::from_secs(600))
    }

    fn warned(what: &str) -> Event {
        Event::Warned { what: what.to_owned() }
    }

    fn finished() -> Event {
        Event::RunFinished(RunEnd {
            verdict: RunVerdict::Pass,
            reason: "all limits met".to_owned(),
            points_finished: 1,
            points_failed: 0,
            points_not_applicable: 0,
            outputs_off_verified: true,
        })
    }

    fn told(ladder: &mut Ladder, minute: u64, event: &Event) -> String {
        let told = ladder.take(Instant(minute * MINUTE), event);
        let told: Vec<String> =
            told.iter().map(|told| format!("{} {} x{}", told.level.word(), told.text, told.count)).collect();
        let told = if told.is_empty() { "-".to_owned() } else { told.join(" | ") };
        format!("{minute} min: {told}")
    }

    #[test]
    fn the_same_warning_again_and_again_is_one_message_with_a_count() {
        let mut ladder = ladder(&[Level::Warn, Level::Finish]);
        let table: Vec<String> = [
            (0, warned("board at 91.2 C")),
            (1, warned("board at 91.9 C")),
            (2, warned("fan stands")),
            (3, warned("board at 92 C")),
            (9, warned("board at 93 C")),
            (11, warned("board at 94 C")),
            (12, warned("fan stands")),
            (13, warned("board at 95 C")),
            (22, Event::Warned { what: "else".to_owned() }),
            (23, warned("fan stands")),
            (24, warned("fan stands")),
            (25, finished()),
        ]
        .iter()
        .map(|(minute, event)| told(&mut ladder, *minute, event))
        .collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        0 min: warn board at 91.2 C x1
        1 min: -
        2 min: warn fan stands x1
        3 min: -
        9 min: -
        11 min: warn board at 94 C x4
        12 min: warn fan stands x1
        13 min: -
        22 min: warn else x1 | warn board at 95 C x1
        23 min: warn fan stands x1
        24 min: -
        25 min: warn fan stands x1 | finish pass: all limits met; outputs verified off x1
        ");
    }

    #[test]
    fn still_alive_is_told_every_so_often_but_only_when_something_happened() {
        let mut ladder = ladder(&[Level::Alive]);
        let minutes = [0, 100, 359, 360, 361, 700, 720, 1500, 1501];
        let table: Vec<String> =
            minutes.iter().map(|minute| told(&mut ladder, *minute, &warned("x"))).collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        0 min: -
        100 min: -
        359 min: -
        360 min: alive still alive x1
        361 min: -
        700 min: -
        720 min: alive still alive x1
        1500 min: alive still alive x1
        1501 min: -
        ");
    }

    #[test]
    fn what_is_not_asked_for_is_not_told() {
        let mut ladder = ladder(&[Level::Trip]);
        assert!(ladder.take(Instant(0), &warned("x")).is_empty());
        assert!(ladder.take(Instant(900 * MINUTE), &finished()).is_empty());
        let tripped = Event::InterlockTripped { what: "too hot".to_owned() };
        assert_eq!(ladder.take(Instant(0), &tripped).len(), 1);
    }

    #[test]
    fn a_thousand_different_warnings_are_remembered_in_bounded_memory() {
        let mut ladder = ladder(&[Level::Warn]);
        for place in 0..1000_u32 {
            let word: String = std::iter::repeat_n('x', place as usize).collect();
            ladder.take(Instant(0), &warned(&word));
        }
        assert_eq!(ladder.known.len(), MOST_KNOWN);
    }
}
