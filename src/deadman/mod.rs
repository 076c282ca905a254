//! The second process: it switches supply and load off when the first one no longer beats.
//!
//! The controller starts it before anything is opened and tells it over a pipe that it works. When the pipe closes without a
//! word (the controller was killed, it crashed, the machine ran out of memory) or the beats stop (it hangs, it was
//! suspended), the dead-man ends the controller where it still lives, opens links of its own, switches off and measures.

pub mod drill;
#[cfg(unix)]
pub mod drill_unix;
pub mod notes;
#[cfg(unix)]
pub mod process_unix;
pub mod pulse;
pub mod release;
pub mod watch;
