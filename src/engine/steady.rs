//! Whether the board is in thermal steady state. Pure and of bounded memory: temperatures and times go in.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::clock::Instant;
use crate::plan::profile::soak::SteadyRule;

/// Parts of the criterion's time that are kept, each by its lowest and highest temperature.
const PARTS: u32 = 60;

/// Watches a temperature over the time of a criterion.
#[derive(Debug)]
pub struct SteadyWatch {
    rule: SteadyRule,
    parts: VecDeque<Part>,
    last: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    begin: Instant,
    low_c: f64,
    high_c: f64,
}

impl SteadyWatch {
    /// Begins to watch.
    #[must_use]
    pub const fn new(rule: SteadyRule) -> Self {
        Self { rule, parts: VecDeque::new(), last: None }
    }

    /// Takes a temperature in °C and says whether it has changed by no more than the criterion allows within its time. A
    /// pause in the readings makes no board steady: it begins anew.
    pub fn judge(&mut self, at: Instant, board_c: f64) -> bool {
        let part_span = self.rule.within / PARTS;
        let pause = self.last.map(|last| at.since(last));
        if pause.is_some_and(|pause| pause > (part_span * 2).max(Duration::from_secs(10))) {
            self.parts.clear();
        }
        self.last = Some(at);
        match self.parts.back_mut() {
            Some(part) if at.since(part.begin) < part_span => {
                (part.low_c, part.high_c) = (part.low_c.min(board_c), part.high_c.max(board_c));
            }
            _ => self.parts.push_back(Part { begin: at, low_c: board_c, high_c: board_c }),
        }
        // One part more than the time has: the first of them may lie partly before it.
        while self.parts.get(1).is_some_and(|second| at.since(second.begin) >= self.rule.within) {
            self.parts.pop_front();
        }
        let is_full = self.parts.front().is_some_and(|first| at.since(first.begin) >= self.rule.within);
        let low_c = self.parts.iter().map(|part| part.low_c).fold(f64::INFINITY, f64::min);
        let high_c = self.parts.iter().map(|part| part.high_c).fold(f64::NEG_INFINITY, f64::max);
        is_full && high_c - low_c <= self.rule.change_k
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minutes until it is steady, of a board that warms by 20 K with a time constant of ten minutes.
    fn minutes(pause_at: Option<u64>) -> Option<u64> {
        let mut watch = SteadyWatch::new(SteadyRule { change_k: 1.0, within: Duration::from_secs(1800) });
        (0..20_000u64).filter(|s| pause_at.is_none_or(|pause| !(pause..pause + 300).contains(s))).find_map(
            |s| {
                let board_c = 45.0 - 20.0 * (-(s as f64) / 600.0).exp();
                watch.judge(Instant(s * 1_000_000_000), board_c).then_some(s / 60)
            },
        )
    }

    #[test]
    fn a_board_is_steady_when_it_has_changed_little_enough_for_long_enough() {
        // Less than 1 K is left of 20 K after 30 min (ln 20 time constants); then it takes the criterion's 30 min.
        assert_eq!(minutes(None), Some(59));
        assert_eq!(minutes(Some(3000)), Some(85), "a pause begins anew");
    }
}
