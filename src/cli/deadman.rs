//! `soakrig deadman`: started by a run, never by a person.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::DeadmanArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, tell};
use crate::base::clock::{Clock, RealClock};
use crate::event::{Event, Stamp};
use crate::notify::{self, Level, Note, Notifier, Settings, Standing};
use crate::session::{self, Word};

pub(super) fn run(args: &DeadmanArgs) -> Outcome {
    // Whoever ends the controller's whole group or service does not mean the one who then has to switch off.
    super::signals_unix::bear()
        .map_err(|error| CliError::internal(format!("cannot listen for signals: {error}")))?;
    let mut herald = Herald::new(args);
    let safe =
        session::keep_vigil((&args.rig, args.controller), io::stdin(), io::stdout(), &mut |word: Word<
            '_,
        >| {
            tell(word.text);
            herald.pass_on(word);
        })?;
    herald.finish();
    Ok(match safe {
        Some(safe) if !safe.verified => Exit::Instrument,
        _ => Exit::Done,
    })
}

/// Tells people what the controller cannot tell them any more. Switching off never waits for it.
struct Herald<'a> {
    args: &'a DeadmanArgs,
    clock: RealClock,
    settings: Option<Settings>,
    notifier: Option<Notifier>,
    run: Option<PathBuf>,
}

impl<'a> Herald<'a> {
    /// Reads whom to tell at once: the file may be another one when it is needed.
    fn new(args: &'a DeadmanArgs) -> Self {
        let settings = args.notify.as_deref().and_then(|file| match read(file) {
            Ok(settings) => Some(settings),
            Err(error) => {
                tell(&format!(
                    "dead-man: it could tell nobody but this terminal: {}: {error}",
                    file.display()
                ));
                None
            }
        });
        Self { args, clock: RealClock::new(), settings, notifier: None, run: None }
    }

    fn pass_on(&mut self, word: Word<'_>) {
        if let Some(settings) = self.settings.take() {
            self.notifier = self.begin(&settings, word.run);
        }
        let Some(notifier) = &mut self.notifier else { return };
        let (monotonic, utc) = (self.clock.now(), self.clock.utc());
        if word.is_urgent {
            return notifier.say(utc, Level::Trip, word.text);
        }
        let event = Event::Warned { what: word.text.to_owned() };
        notifier.take(Stamp { utc, monotonic }, &event, &|| Standing::told(word.text));
    }

    fn begin(&mut self, settings: &Settings, run: Option<&Path>) -> Option<Notifier> {
        let note: Note = Arc::new(|told: &str| tell(told));
        let started = Notifier::start(settings, &note);
        let mut notifier =
            started.map_err(|error| tell(&format!("dead-man: it tells nobody: {error}"))).ok()?;
        let (profile, board) = (&self.args.profile, &self.args.board);
        notifier.name_board(profile, board, &self.args.rig.display().to_string());
        if let Some(run) = run {
            notifier.name_run(run);
            self.run = Some(run.to_owned());
        }
        Some(notifier)
    }

    /// Waits a bounded time for the last message; what did not go out belongs into the record.
    fn finish(self) {
        let Some(notifier) = self.notifier else { return };
        let unsent = notifier.finish(&|| false);
        if let Some(Err(error)) = self.run.map(|run| session::keep_unsent(&run, unsent)) {
            tell(&format!("dead-man: what could not be told is not in the record: {error}"));
        }
    }
}

fn read(file: &Path) -> Result<Settings, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    notify::parse(&file.display().to_string(), &text)
        .map_err(|faults| faults.iter().map(|fault| fault.message.clone()).collect::<Vec<_>>().join("; "))
}
