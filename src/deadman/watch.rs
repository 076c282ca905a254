//! What the two processes say to each other, and what the dead-man makes of it: pure, time is an argument.

use std::time::Duration;

use crate::base::clock::Instant;

/// How long a controller may give no sign of life: longer than a disk that is busy takes for a line, shorter than a board
/// needs to burn at the currents that the supply's own limits allow.
pub const SILENCE: Duration = Duration::from_secs(10);

/// A word of the controller, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It works.
    Beat,
    /// It keeps its record in `folder`; its own clock says `at`.
    Run {
        /// The controller's monotonic time.
        at: Instant,
        /// The run folder.
        folder: String,
    },
    /// The outputs are verified off; the dead-man may go.
    Quit,
}

impl Word {
    /// The line, with its end. A folder whose name holds a line end cannot be told and is left out.
    #[must_use]
    pub fn render(&self) -> String {
        match self {
            Self::Beat => "beat\n".to_owned(),
            Self::Run { at, folder } if !folder.contains(['\n', '\r']) => format!("run {} {folder}\n", at.0),
            Self::Run { .. } => "beat\n".to_owned(),
            Self::Quit => "quit\n".to_owned(),
        }
    }

    /// A line read; `None` for one that says nothing known, which is then no sign of life either.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.strip_suffix('\n')?;
        match line {
            "beat" => return Some(Self::Beat),
            "quit" => return Some(Self::Quit),
            _ => {}
        }
        let (at, folder) = line.strip_prefix("run ")?.split_once(' ')?;
        Some(Self::Run { at: Instant(at.parse().ok()?), folder: folder.to_owned() })
    }
}

/// Why the dead-man acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The controller's end of the pipe closed without a word.
    Ended,
    /// The controller gave no sign of life for so long.
    Silent(Duration),
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Listen on, at most so long.
    Listen(Duration),
    /// Go: the outputs are verified off.
    Leave,
    /// Switch off.
    Release(Cause),
}

/// What was heard so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    heard: Instant,
    limit: Duration,
    quits: bool,
}

impl Watch {
    /// Begins at `now`; the controller may be silent for `limit`.
    #[must_use]
    pub const fn new(now: Instant, limit: Duration) -> Self {
        Self { heard: now, limit, quits: false }
    }

    /// A word came.
    pub fn hear(&mut self, word: &Word, now: Instant) {
        self.heard = now;
        self.quits |= *word == Word::Quit;
    }

    /// What is to be done, where the pipe is `closed` or still open.
    #[must_use]
    pub fn judge(&self, now: Instant, closed: bool) -> Verdict {
        let silent = now.since(self.heard);
        if self.quits {
            Verdict::Leave
        } else if closed {
            Verdict::Release(Cause::Ended)
        } else if silent >= self.limit {
            Verdict::Release(Cause::Silent(silent))
        } else {
            Verdict::Listen(self.limit.saturating_sub(silent))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_word_read_is_the_word_that_was_said() {
        let folder = "/tmp/a b/reports/2026-11-24T10-00-00Z_soak_0007".to_owned();
        for word in [Word::Beat, Word::Quit, Word::Run { at: Instant(42), folder }] {
            assert_eq!(Word::parse(&word.render()), Some(word));
        }
    }

    #[test]
    fn half_a_word_and_garbage_are_no_sign_of_life() {
        for line in ["beat", "", "\n", "bea\n", "run\n", "run x /tmp\n", "run 5\n", "quit ", "\u{0}\n"] {
            assert_eq!(Word::parse(line), None, "{line:?}");
        }
        let sly = Word::Run { at: Instant(0), folder: "a\nquit".to_owned() };
        assert_eq!(sly.render(), "beat\n", "a folder's name cannot send the dead-man away");
    }

    #[test]
    fn only_a_controller_that_says_so_sends_the_dead_man_away() {
        let start = Instant(0);
        let mut watch = Watch::new(start, SECOND * 10);
        let at = |seconds: u32| start + SECOND * seconds;
        assert_eq!(watch.judge(at(4), false), Verdict::Listen(SECOND * 6));
        assert_eq!(watch.judge(at(10), false), Verdict::Release(Cause::Silent(SECOND * 10)));
        watch.hear(&Word::Beat, at(9));
        assert_eq!(watch.judge(at(18), false), Verdict::Listen(SECOND));
        assert_eq!(watch.judge(at(18), true), Verdict::Release(Cause::Ended));
        watch.hear(&Word::Quit, at(18));
        assert_eq!(watch.judge(at(99), true), Verdict::Leave);
    }
}
