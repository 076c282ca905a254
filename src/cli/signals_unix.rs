//! Signals as wishes to stop: Unix only.

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::message::tell;
use crate::engine::StopWish;

/// Listens in a thread of its own: SIGINT and SIGTERM ask to stop, first after the point, then now; SIGHUP (the terminal is
/// gone) asks once; SIGQUIT asks for now.
pub(super) fn listen(stop: &StopWish, on_ask: impl Fn(&StopWish) + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
    let stop = stop.clone();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if signal == SIGHUP && stop.asked().is_some() {
                continue;
            }
            stop.ask();
            if signal == SIGQUIT {
                stop.ask();
            }
            on_ask(&stop);
        }
    })?;
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
