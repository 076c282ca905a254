//! What a soak says of itself beside its values: what it planned, how much of it was read, and what cut in.

use std::time::Duration;

use super::aspect::Kind;
use super::stretch::Window;
use crate::base::clock::Instant;
use crate::base::span::render_span;
use crate::event::{Coverage, Event, Gap, SoakFacts, StartCheck};

/// Nothing is missing, and nothing cut in: as everybody expects.
pub(super) const WHOLE: &str = "whole";
/// As [`WHOLE`], of what cut in.
pub(super) const NOTHING: &str = "none";
/// As [`WHOLE`], of starts.
pub(super) const ALL_STARTED: &str = "none failed";

/// What a look at a start saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Started,
    Failed,
    /// The board had not been off before: no start.
    NoStart,
}

/// What cut in while a soak was going on.
#[derive(Debug, Clone, Default)]
pub(super) struct Soaking {
    gaps: Vec<Gap>,
    resumed: Vec<Instant>,
    held: Vec<Instant>,
    /// When starts were looked at, and what was seen.
    starts: Vec<(Instant, Seen)>,
    left_out: u32,
}

impl Soaking {
    /// Takes what happened.
    pub(super) fn take(&mut self, at: Instant, event: &Event) {
        match event {
            Event::GapFound(gap) => self.gaps.push(Gap { what: String::new(), ..gap.clone() }),
            Event::RunResumed(_) => self.resumed.push(at),
            Event::InterlockHeld { .. } => self.held.push(at),
            Event::StartChecked(check) => self.starts.push((at, seen(check))),
            Event::DwellFinished { left_out, .. } => self.left_out = self.left_out.saturating_add(*left_out),
            _ => {}
        }
    }

    /// Points of the plan that are left out because the board was warm before they were due.
    pub(super) const fn left_out(&self) -> u32 {
        self.left_out
    }

    /// What must agree between soaks, of a stretch of one.
    pub(super) fn aspects(&self, facts: &SoakFacts, window: Window) -> Vec<(Kind, String)> {
        vec![
            (Kind::Phases, facts.phases.join(", ")),
            (Kind::SoakTime, render_span(facts.dwells_last)),
            (Kind::Coverage, covered(self.lost(window), window.lasts())),
            (Kind::Interruptions, self.interruptions(window)),
            (Kind::Starts, self.failed_starts(window)),
        ]
    }

    fn failed_starts(&self, window: Window) -> String {
        let inside = self.starts.iter().filter(|(at, _)| window.holds(*at)).map(|(_, seen)| *seen);
        let inside: Vec<Seen> = inside.collect();
        let count = |what: Seen| inside.iter().filter(|seen| **seen == what).count();
        let (failed, none) = (count(Seen::Failed), count(Seen::NoStart));
        let told = match failed {
            0 => ALL_STARTED.to_owned(),
            failed => format!("{failed} of {} failed", inside.len() - none),
        };
        if none == 0 { told } else { format!("{told}, {none} were none: the board had not been off") }
    }

    /// How much of a stretch was lost to gaps; no second counts twice.
    fn lost(&self, window: Window) -> Duration {
        let inside = self.gaps.iter().filter(|gap| window.overlaps(Window { from: gap.from, to: gap.to }));
        let cut: Vec<Gap> = inside
            .map(|gap| Gap { from: gap.from.max(window.from), to: gap.to.min(window.to), ..gap.clone() })
            .collect();
        Coverage::of(0, &cut).lost.values().map(|lost| lost.span).sum()
    }

    fn interruptions(&self, window: Window) -> String {
        let count = |times: &[Instant]| times.iter().filter(|at| window.holds(**at)).count();
        let told = [
            (count(&self.resumed), "gone on with after a stop"),
            (count(&self.held), "held by an interlock"),
        ];
        let told: Vec<String> = told
            .into_iter()
            .filter(|(times, _)| *times > 0)
            .map(|(times, what)| format!("{times} times {what}"))
            .collect();
        if told.is_empty() { NOTHING.to_owned() } else { told.join(" and ") }
    }
}

fn seen(check: &StartCheck) -> Seen {
    match check.started {
        false => Seen::Failed,
        true if check.is_no_start() => Seen::NoStart,
        true => Seen::Started,
    }
}

/// Classes, for a part of a thousandth more or less says nothing of two soaks.
fn covered(lost: Duration, lasts: Duration) -> String {
    let part = if lasts.is_zero() { 0.0 } else { lost.as_secs_f64() / lasts.as_secs_f64() };
    let class = match part {
        _ if part < 0.001 => WHOLE,
        _ if part < 0.01 => "99 % or more",
        _ if part < 0.05 => "95 % to 99 %",
        _ if part < 0.2 => "80 % to 95 %",
        _ => "under 80 %",
    };
    class.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::GapCause;

    fn hour(hours: u64) -> Instant {
        Instant(hours * 3_600_000_000_000)
    }

    #[test]
    fn of_a_stretch_only_what_cut_into_it_is_told() {
        let mut soaking = Soaking::default();
        let gap = Gap {
            from: hour(2),
            to: hour(4),
            missed: 7200,
            cause: GapCause::Controller,
            what: "x".to_owned(),
        };
        soaking.take(hour(4), &Event::GapFound(gap));
        soaking.held = vec![hour(9)];
        soaking.resumed = vec![hour(4)];
        soaking.starts = vec![(hour(1), Seen::Started), (hour(10), Seen::Failed), (hour(11), Seen::NoStart)];
        let facts = SoakFacts {
            interval: Duration::from_secs(1),
            phases: vec!["warm-up".to_owned(), "full".to_owned()],
            dwells_last: Duration::from_secs(12 * 3600),
            dwells: 2,
            starts: 0,
        };
        let told = |from: u64, to: u64| {
            let window = Window { from: hour(from), to: hour(to) };
            let values = soaking.aspects(&facts, window).into_iter().map(|(_, value)| value);
            values.collect::<Vec<_>>().join(" | ")
        };
        assert_eq!(
            told(0, 12),
            "warm-up, full | 12 h | 80 % to 95 % | 1 times gone on with after a stop and 1 times held by an interlock | 1 of 2 failed, \
             1 were none: the board had not been off"
        );
        assert_eq!(told(0, 3), "warm-up, full | 12 h | under 80 % | none | none failed");
        assert!(told(10, 12).ends_with(" | 1 of 1 failed, 1 were none: the board had not been off"));
        assert_eq!(told(5, 8), "warm-up, full | 12 h | whole | none | none failed");
    }
}
