//! Everybody who looks on while a run goes on, by one fold over its events: the terminal, people far away, the service manager.

use std::path::Path;
use std::sync::Arc;
#[cfg(unix)]
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::message::{CliError, tell};
use super::progress::Progress;
#[cfg(unix)]
use super::signals_unix::Hangup;
use crate::base::clock::Instant;
use crate::engine::StopWish;
use crate::event::{Event, Stamp};
use crate::live::{State, screen};
use crate::notify::{Note, Notifier, Settings, Standing};
use crate::session::{self, Onlooker, Pulse};

#[cfg(unix)]
type Service = crate::notify::service_unix::Service;

/// Between two words to the service manager on how the run stands.
const STATUS_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Onlookers {
    state: State,
    progress: Progress,
    notifier: Option<Notifier>,
    #[cfg(unix)]
    service: Option<Service>,
    /// How the run stands, for whoever is told by a signal.
    #[cfg(unix)]
    status: Arc<Mutex<String>>,
    #[cfg(unix)]
    status_told: Option<Instant>,
}

impl Onlookers {
    /// Looks on at a run that stands as `state`; without settings nobody far away is told.
    pub(super) fn new(
        state: State,
        quiet: bool,
        settings: Option<&Settings>,
        pulse: &Pulse,
    ) -> Result<Self, CliError> {
        let note: Note = Arc::new(|told: &str| tell(told));
        let no_thread =
            |error| CliError::internal(format!("the system gives no thread to tell people: {error}"));
        let mut notifier =
            settings.map(|settings| Notifier::start(settings, &note)).transpose().map_err(no_thread)?;
        // A run that is gone on with begins with no event that says so.
        if let (Some(notifier), Some(facts)) = (&mut notifier, state.facts()) {
            notifier.name_board(facts.profile.as_str(), facts.board.serial.as_str(), &facts.rig);
        }
        Ok(Self {
            state,
            progress: Progress::new(quiet).map_err(no_thread)?,
            notifier,
            #[cfg(unix)]
            service: find_service(pulse).map_err(no_thread)?,
            #[cfg(unix)]
            status: Arc::default(),
            #[cfg(unix)]
            status_told: None,
        })
    }

    /// The run is over and its result was told: waits a bounded time for the last message, unless somebody who stands there
    /// has asked twice.
    /// What could not be told belongs into the record of the run in `folder`.
    pub(super) fn finish(self, folder: &Path, stop: &StopWish) {
        let Some(notifier) = self.notifier else { return };
        let unsent = notifier.finish(&|| stop.is_now() && stop.fault().is_none());
        if let Err(error) = session::keep_unsent(folder, unsent) {
            tell(&format!("what could not be told is not in the record: {error}"));
        }
    }

    /// Takes the bar off the terminal.
    pub(super) fn clear(&mut self) {
        self.progress.clear();
    }

    /// What a terminal that is gone means to the run.
    #[cfg(unix)]
    pub(super) fn hangup(&self, is_unattended: bool) -> Hangup {
        if is_unattended { Hangup::Passes(self.status.clone()) } else { Hangup::Stops }
    }

    #[cfg(unix)]
    fn tell_service(&mut self, at: Stamp, event: &Event) {
        let status = screen::status(&self.state);
        status.clone_into(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
        let is_due = self.status_told.is_none_or(|told| at.monotonic.since(told) >= STATUS_EVERY);
        if is_due {
            self.status_told = Some(at.monotonic);
        }
        let Some(service) = &self.service else { return };
        if matches!(event, Event::StopRequested { .. } | Event::MadeSafe(_) | Event::RunFinished(_)) {
            let is_off = self.state.safe().is_some_and(|safe| safe.verified);
            return service.stop(&status, is_off);
        }
        if is_due || matches!(event, Event::PointStarted { .. }) {
            service.tell(&status, self.state.is_under_way());
        }
    }
}

/// systemd says by a variable that it listens.
#[cfg(unix)]
fn find_service(pulse: &Pulse) -> std::io::Result<Option<Service>> {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return Ok(None);
    }
    let pulse = pulse.clone();
    Service::start(Box::new(move || pulse.count())).map(Some)
}

impl Onlooker for Onlookers {
    fn begun(&mut self, folder: &Path) {
        if let Some(notifier) = &mut self.notifier {
            notifier.name_run(folder);
        }
    }

    fn event(&mut self, at: Stamp, event: &Event) {
        self.state.take(at, event);
        self.progress.show(&self.state, event);
        if let Some(notifier) = &mut self.notifier {
            let state = &self.state;
            notifier
                .take(at, event, &|| Standing { line: screen::status(state), json: screen::standing(state) });
        }
        #[cfg(unix)]
        self.tell_service(at, event);
    }

    fn take_asides(&mut self) -> Vec<Event> {
        let unsent = self.notifier.iter().flat_map(Notifier::take_unsent);
        unsent.map(|unsent| Event::MessageUnsent(Box::new(unsent))).collect()
    }
}
