//! `soakrig status`: one look at a run from another terminal, by its journal alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::StatusArgs;
use super::exit::Exit;
use super::message::{Outcome, Paint, colour, print};
use super::run::expected;
use crate::base::clock::{Clock, RealClock};
use crate::event::{Event, Stamp};
use crate::live::State;
use crate::live::screen::{self, Kept, Seen};
use crate::record::journal::{self, is_being_written};
use crate::record::{Followed, Follower, RecordError, Tail, store};
use crate::session;

pub(super) fn run(args: &StatusArgs) -> Outcome {
    let look = Look::at(&store::find(&args.which.out, &args.which.run)?)?;
    let seen = look.seen()?;
    if args.json {
        print(&format!("{:#}", screen::json(look.state(), &seen)))?;
    } else {
        print(&look.screen(&seen, colour(&std::io::stdout())))?;
    }
    Ok(Exit::Done)
}

/// Takes an event of the run in this folder, whose files tell what is expected of it.
pub(super) fn take(state: &mut State, folder: &Path, at: Stamp, event: &Event) {
    if let Event::RunStarted(facts) = event
        && let Some(plan) = session::plan_of(folder, facts)
    {
        state.foresee(expected(&plan));
    }
    state.take(at, event);
}

/// A run as its journal tells it so far.
pub(super) struct Look {
    folder: PathBuf,
    follower: Follower,
    state: State,
    run: String,
    last: Option<Stamp>,
    kept: Kept,
    tail: Tail,
}

impl Look {
    /// Reads all there is.
    pub(super) fn at(folder: &Path) -> Result<Self, RecordError> {
        let mut look = Self {
            folder: folder.to_owned(),
            follower: Follower::open(folder)?,
            state: State::default(),
            run: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            last: None,
            kept: Kept::default(),
            tail: Tail::Whole,
        };
        look.read_on(&mut |_, _, _| ())?;
        Ok(look)
    }

    /// Reads what is new; each event is shown to `see` with the state behind it.
    pub(super) fn read_on(&mut self, see: &mut dyn FnMut(Stamp, &Event, &State)) -> Result<(), RecordError> {
        let (state, folder) = (&mut self.state, &self.folder);
        let (run, last, kept) = (&mut self.run, &mut self.last, &mut self.kept);
        self.tail = self.follower.read_new(|followed| {
            match followed {
                Followed::Begun { at, run: name } => {
                    *run = name;
                    *last = Some(at);
                }
                // Evidence has the wall clock of its capture, which may be hours before it is kept.
                Followed::Kept { bytes, .. } => {
                    kept.files += 1;
                    kept.bytes = kept.bytes.saturating_add(bytes);
                }
                Followed::Happened { at, event } => {
                    take(state, folder, at, &event);
                    see(at, &event, state);
                    *last = Some(at);
                }
            }
        })?;
        Ok(())
    }

    /// What is known of the journal beside its events, now.
    pub(super) fn seen(&self) -> Result<Seen, RecordError> {
        let is_written = is_being_written(&self.folder).ok();
        if self.follower.lines() == 0 && is_written == Some(false) {
            let told = "it has not one whole line, and nobody writes it: no run was begun here";
            return Err(RecordError::damaged(&self.folder.join(journal::FILE_NAME), 1, told));
        }
        // Of a run that is over, or of a copy, nobody needs to know.
        let free = is_written.filter(|is| *is).and_then(|_| session::free_bytes(&self.folder).ok());
        Ok(Seen {
            run: self.run.clone(),
            folder: self.folder.display().to_string(),
            lines: self.follower.lines(),
            last: self.last.map(|at| Ok::<_, RecordError>((at.utc, self.age(at)?))).transpose()?,
            is_written,
            bytes: self.follower.bytes(),
            kept: self.kept,
            free,
            short_of_room: free.and_then(session::shortage),
            torn: match &self.tail {
                Tail::Whole => None,
                Tail::Torn { what, .. } => Some(what.clone()),
            },
        })
    }

    /// How old the last line is. A simulated run lives by a clock of its own; there the file tells.
    fn age(&self, last: Stamp) -> Result<Duration, RecordError> {
        let is_simulated = self.state.facts().is_none_or(|facts| facts.simulated);
        let written = if is_simulated { self.follower.written()? } else { last.utc };
        // A clock that was set back tells no age.
        Ok(Duration::try_from(RealClock::new().utc().duration_since(written)).unwrap_or_default())
    }

    pub(super) const fn state(&self) -> &State {
        &self.state
    }

    /// The screen, with the word of a bad or good end in colour.
    pub(super) fn screen(&self, seen: &Seen, paints: bool) -> String {
        let text = screen::render(&self.state, seen);
        if !paints {
            return text;
        }
        let painted = text.lines().map(|line| match line.strip_prefix("so far    ") {
            Some(rest) => format!("so far    {}\n", paint_verdict(rest)),
            None => format!("{line}\n"),
        });
        painted.collect()
    }
}

fn paint_verdict(text: &str) -> String {
    let Some((word, rest)) = text.split_once(": ") else { return text.to_owned() };
    let paint = match word {
        "PASS" => Paint::Green,
        "FAIL" | "TRIPPED" | "ERROR" => Paint::Red,
        "STOPPED" | "INCOMPLETE" => Paint::Yellow,
        _ => return text.to_owned(),
    };
    format!("{}: {rest}", paint.on(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_of_a_verdict_is_painted() {
        assert_eq!(paint_verdict("FAIL: 3 failed"), "\u{1b}[1;31mFAIL\u{1b}[0m: 3 failed");
        assert_eq!(paint_verdict("no limit failed so far: x"), "no limit failed so far: x");
    }
}
