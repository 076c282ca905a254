//! `soakrig watch`: follows a run until it ends. On a terminal one screen that is drawn again in place, elsewhere a line for
//! what happens.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::time::Duration;

use super::args::WatchArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, colour};
use super::status::Look;
use crate::base::clock::{Clock, Instant, RealClock};
use crate::event::{Event, RunVerdict, Stamp};
use crate::live::State;
use crate::live::state::remark;
use crate::record::store;

/// Time between two looks at the journal.
const LOOKS_EVERY: Duration = Duration::from_millis(500);

/// How long the last words of a dead-man are waited for when the writer has gone without an end.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(15);

/// A line that is too long for the terminal is cut by it while this is off, so that a screen has the lines that were counted.
const WRAP_OFF: &str = "\u{1b}[?7l";
const WRAP_ON: &str = "\u{1b}[?7h";

pub(super) fn run(args: &WatchArgs) -> Outcome {
    let mut look = Look::at(&store::find(&args.which.out, &args.which.run)?)?;
    let clock = RealClock::new();
    let mut shown = Shown { in_place: io::stdout().is_terminal(), lines: 0 };
    let mut left_since: Option<Instant> = None;
    let first = first_lines(&look, &shown)?;
    shown.write(&first)?;
    loop {
        let mut news = String::new();
        look.read_on(&mut |at, event, state| news.extend(news_line(at, event, state)))?;
        let seen = look.seen()?;
        let reader_left = if shown.in_place {
            shown.draw(&look.screen(&seen, colour(&io::stdout())))?
        } else {
            shown.write(&news)?
        };
        if reader_left {
            return Ok(Exit::Done);
        }
        if let Some(end) = look.state().end() {
            return Ok(end.verdict.into());
        }
        if seen.is_written == Some(false) {
            let since = *left_since.get_or_insert_with(|| clock.now());
            // The lock was free; what was written just before it is read at the next look, or by now.
            let is_safe = look.state().safe().is_some_and(|safe| safe.verified);
            let waited = clock.now().since(since);
            if waited >= LAST_WORDS_WITHIN || is_safe && waited >= LOOKS_EVERY {
                if !shown.in_place {
                    shown.write(&how_it_was_left(&first, &look.screen(&seen, false)))?;
                }
                return Ok(RunVerdict::Incomplete.into());
            }
        } else {
            left_since = None;
        }
        clock.sleep(LOOKS_EVERY);
    }
}

/// In a log the state at the beginning stands first, for it names the run.
fn first_lines(look: &Look, shown: &Shown) -> Result<String, CliError> {
    if shown.in_place { Ok(String::new()) } else { Ok(look.screen(&look.seen()?, false)) }
}

/// The rows of a screen that tell how a run was left.
const LEFT_IN: [&str; 4] = ["phase", "so far", "outputs", "writer"];

/// How a run was left whose writer is gone: what the first screen has told is not told again.
fn how_it_was_left(first: &str, screen: &str) -> String {
    // Of a writer that was gone at the first look only the age of its last line is another one.
    let was_gone = first.contains("\nwriter    GONE");
    let is_told = |row: &str| was_gone && row.starts_with("writer") || first.lines().any(|told| told == row);
    let rows =
        screen.lines().filter(|row| LEFT_IN.iter().any(|label| row.starts_with(label)) && !is_told(row));
    rows.map(|row| format!("{row}\n")).collect()
}

/// Whether what has come so often is told again: what comes every second for hours is at the 1st, 10th, 100th time and so on.
const fn is_told(count: u64) -> bool {
    count == 10_u64.pow(if count == 0 { 0 } else { count.ilog10() })
}

/// What a log is told: remarks, finished points, the phases of a soak and what it misses, the end.
fn news_line(at: Stamp, event: &Event, state: &State) -> Option<String> {
    let told = match event {
        Event::PointFinished(_) | Event::RunFinished(_) => {
            let (planned, finished) = state.points();
            format!("{finished}/{planned} {}", state.line())
        }
        Event::PhaseStarted { phase, name, round } => {
            format!("phase {}, {name}, round {round}; {}", phase + 1, state.line())
        }
        Event::GapFound(gap) => {
            format!("{} readings missing by {}: {}", gap.missed, gap.cause.word(), gap.what)
        }
        Event::StartChecked(check) if !check.started => format!("start {} failed", check.start.0),
        Event::StartChecked(check) if check.is_no_start() => {
            if !is_told(state.soak().map_or(1, |soak| soak.counts().starts_none)) {
                return None;
            }
            format!("start {} is none: the board had not been off before", check.start.0)
        }
        Event::MessageUnsent(unsent) => format!("message not delivered: {unsent}"),
        other => {
            let (word, what) = remark(other)?;
            let known = state.remarks().find(|known| known.word == word && known.what == what);
            let count = known.map_or(1, |known| known.count);
            if !is_told(count) {
                return None;
            }
            let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
            format!("{word}: {what}{times}")
        }
    };
    let told: String = told.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Some(format!("{} {told}\n", at.utc.strftime("%Y-%m-%dT%H:%M:%SZ")))
}

/// What stands on standard output.
struct Shown {
    in_place: bool,
    /// Lines of the last screen.
    lines: usize,
}

impl Shown {
    /// Draws a screen over the last one; whether whoever read has gone.
    fn draw(&mut self, screen: &str) -> Result<bool, CliError> {
        let back = if self.lines > 0 { format!("\u{1b}[{}A\r", self.lines) } else { String::new() };
        self.lines = screen.lines().count();
        self.write(&format!("{back}\u{1b}[J{WRAP_OFF}{screen}{WRAP_ON}"))
    }

    /// Writes; whether whoever read has gone.
    fn write(&mut self, text: &str) -> Result<bool, CliError> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Ok(false),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(true),
            Err(error) => Err(CliError::usage(format!("cannot write the state to standard output: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Stamp};

    #[test]
    fn what_comes_again_and_again_is_told_less_and_less_often() {
        let mut state = State::default();
        let mut log = String::new();
        for second in 0..250 {
            let at = Stamp { utc: jiff::Timestamp::UNIX_EPOCH, monotonic: Instant(second * 1_000_000_000) };
            let event = Event::Warned { what: "no answer".to_owned() };
            state.take(at, &event);
            log.extend(news_line(at, &event, &state));
        }
        assert_eq!(
            log,
            "1970-01-01T00:00:00Z warning: no answer\n1970-01-01T00:00:00Z warning: no answer (10 times)\n\
             1970-01-01T00:00:00Z warning: no answer (100 times)\n"
        );
    }

    #[test]
    fn what_the_first_screen_has_told_of_a_run_that_was_left_is_not_told_again() {
        let gone = "run       R\nphase     holding\noutputs   source on\nwriter    GONE without an end; line 5, 9 s ago, at 1Z\n";
        let later = gone.replace("9 s ago", "24 s ago");
        assert_eq!(how_it_was_left(gone, &later), "");
        let alive = gone.replace("GONE without an end", "alive");
        let off = later.replace("source on", "off and verified off");
        assert_eq!(
            how_it_was_left(&alive, &off),
            "outputs   off and verified off\nwriter    GONE without an end; line 5, 24 s ago, at 1Z\n"
        );
    }
}
