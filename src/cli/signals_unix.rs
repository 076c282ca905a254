//! Signals as wishes to stop: Unix only.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGXCPU, SIGXFSZ};
use signal_hook::iterator::Signals;

use super::message::tell;
use crate::engine::StopWish;

/// Listens in a thread of its own: SIGINT and SIGTERM ask to stop, first after the point, then now; SIGHUP (the terminal is
/// gone) asks once; SIGQUIT and SIGXCPU (the time that the system grants is over) ask for now.
///
/// Two signals would otherwise leave the outputs on with nobody watching them: SIGXFSZ, which is now a write that fails like
/// any other, and SIGTSTP, which would suspend the run.
pub(super) fn listen(stop: &StopWish, on_ask: impl Fn(&StopWish) + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGXFSZ, SIGTSTP])?;
    let stop = stop.clone();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGXFSZ => continue,
                SIGTSTP => {
                    tell("a bench with its outputs on is not suspended; Ctrl-C stops it");
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
            on_ask(&stop);
        }
    })?;
    Ok(())
}

/// Bears the signals that would end a process: for the one that has to outlive another.
pub(super) fn bear() -> std::io::Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGXFSZ] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// What a person is told who stops a run.
pub(super) fn tell_stopping(stop: &StopWish) {
    if stop.is_now() {
        tell("switching off now");
    } else {
        tell("stopping after this point; once more switches off now");
    }
}
