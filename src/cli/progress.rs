//! Progress on stderr: a bar on a terminal, a line every so often in a log. From a thread of its own: a terminal that is held
//! (Ctrl-S) or a pipe that nobody reads takes no byte, and the run must not wait for it.

use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::message::{colour, tell};
use crate::event::Event;
use crate::live::State;
use crate::live::state::remark;

/// What waits to be shown at most; what does not fit is not shown, for it stands in the journal.
const MOST_WAITING: usize = 256;

/// How long the end of a run waits until all is shown.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);

pub(super) struct Progress {
    /// `None` where nobody wants to see anything.
    shows: Option<SyncSender<Shown>>,
    all_shown: Receiver<()>,
    bar: bool,
    told: u32,
}

/// One thing to be shown.
struct Shown {
    remark: Option<String>,
    points: (u32, u32),
    line: Option<String>,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> std::io::Result<Self> {
        let bar = std::io::stderr().is_terminal();
        let (tell_shown, all_shown) = channel();
        let mut shows = None;
        if !quiet {
            let (sender, waiting) = sync_channel(MOST_WAITING);
            std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
                show_all(&waiting);
                let _ = tell_shown.send(());
            })?;
            shows = Some(sender);
        }
        Ok(Self { shows, all_shown, bar, told: 0 })
    }

    /// Shows how the run stands now that this has happened. Never waits.
    pub(super) fn show(&mut self, state: &State, event: &Event) {
        let Some(shows) = &self.shows else { return };
        let remark = remark(event).map(|(word, what)| format!("{word}: {what}"));
        let (planned, finished) = state.points();
        // A log gets ten lines a run, whatever its length.
        let tenth = finished.saturating_mul(10) / planned.max(1);
        let is_due = self.bar || finished > 0 && tenth > self.told;
        if is_due {
            self.told = tenth;
        }
        let line = is_due.then(|| state.line());
        if remark.is_some() || line.is_some() {
            let _ = shows.try_send(Shown { remark, points: (planned, finished), line });
        }
    }

    /// Takes the bar off the terminal, when all that waits has been shown.
    pub(super) fn clear(&mut self) {
        if self.shows.take().is_some() {
            let _ = self.all_shown.recv_timeout(SHOWN_WITHIN);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn show_all(waiting: &Receiver<Shown>) {
    let bar = std::io::stderr().is_terminal().then(new_bar);
    while let Ok(Shown { remark, points: (planned, finished), line }) = waiting.recv() {
        match &bar {
            Some(bar) => {
                if let Some(remark) = remark {
                    bar.suspend(|| tell(&remark));
                }
                bar.set_length(u64::from(planned));
                bar.set_position(u64::from(finished));
                bar.set_message(line.unwrap_or_default());
            }
            None => {
                if let Some(remark) = remark {
                    tell(&remark);
                }
                if let Some(line) = line {
                    tell(&format!("{finished}/{planned} {line}"));
                }
            }
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    let template = if colour(&std::io::stderr()) {
        "{bar:20.cyan/blue} {pos}/{len} {wide_msg}"
    } else {
        "{bar:20} {pos}/{len} {wide_msg}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
