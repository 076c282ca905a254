//! Signals as wishes to stop: Unix only.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGXCPU, SIGXFSZ};
use signal_hook::iterator::Signals;

use super::message::tell;
use crate::engine::StopWish;

/// Listens in a thread of its own: SIGINT and SIGTERM ask to stop, first after the point, then now; SIGHUP (the terminal is
/// gone) asks once; SIGQUIT and SIGXCPU (the time that the system grants is over) ask for now.
///
/// Two signals would otherwise leave the outputs on with nobody watching them: SIGXFSZ, which is now a write that fails like
/// any other, and SIGTSTP, which would suspend the run.
///
/// A run that nobody watches is not stopped by a terminal that is gone; then `hangup` says how it stands.
pub(super) fn listen(
    stop: &StopWish,
    hangup: Hangup,
    on_ask: impl Fn(&StopWish) -> &'static str + Send + 'static,
) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGXFSZ, SIGTSTP])?;
    let (stop, aside) = (stop.clone(), Aside::new()?);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGXFSZ => continue,
                SIGTSTP => {
                    aside.tell("a bench with its outputs on is not suspended; Ctrl-C stops it");
                    continue;
                }
                SIGHUP if hangup.is_passed() => {
                    aside.tell(hangup.words());
                    continue;
                }
                SIGHUP if stop.asked().is_some() => continue,
                SIGQUIT | SIGXCPU => {
                    stop.ask();
                    stop.ask();
                }
                _ => {
                    stop.ask();
                }
            }
            aside.tell(on_ask(&stop));
        }
    })?;
    Ok(())
}

/// What a terminal that is gone means.
pub(super) enum Hangup {
    /// A wish to stop after the point: whoever sat there is gone.
    Stops,
    /// Nothing: nobody was meant to sit there. How the run stands is told.
    Passes(Arc<Mutex<String>>),
}

impl Hangup {
    const fn is_passed(&self) -> bool {
        matches!(self, Self::Passes(_))
    }

    fn words(&self) -> String {
        match self {
            Self::Stops => String::new(),
            Self::Passes(status) => {
                let status = status.lock().unwrap_or_else(PoisonError::into_inner);
                let status = if status.is_empty() { "nothing has happened yet" } else { &status };
                format!("SIGHUP: the run goes on: {status}")
            }
        }
    }
}

/// Bears the signals that would end a process: for the one that has to outlive another.
pub(super) fn bear() -> std::io::Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGXFSZ] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// What a person is told who stops a run.
pub(super) fn tell_stopping(stop: &StopWish) -> &'static str {
    if stop.is_now() { "switching off now" } else { "stopping after this point; once more switches off now" }
}

/// Speaks to stderr from a thread of its own: where that takes no byte, the next signal is heard all the same.
struct Aside(SyncSender<String>);

impl Aside {
    fn new() -> std::io::Result<Self> {
        let (sender, waiting) = sync_channel::<String>(16);
        std::thread::Builder::new()
            .name("remarks".to_owned())
            .spawn(move || waiting.iter().for_each(|text| tell(&text)))?;
        Ok(Self(sender))
    }

    fn tell(&self, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            let _ = self.0.try_send(text);
        }
    }
}
