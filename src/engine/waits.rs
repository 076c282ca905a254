//! Which instrument was waited for longest, so that a late reading can say why it is late.

use std::time::Duration;

use crate::base::clock::{Clock, Instant};
use crate::base::names::Role;

/// The longest wait for one instrument, from one reading to the next.
#[derive(Debug, Default)]
pub struct Waits {
    since: Option<(Role, Duration)>,
    before: Option<(Role, Duration)>,
}

impl Waits {
    /// An instrument that was asked at `asked` has answered now, or was given up.
    pub(super) fn note(&mut self, role: &Role, asked: Instant, clock: &dyn Clock) {
        let span = clock.now().since(asked);
        if self.since.as_ref().is_none_or(|(_, longest)| span > *longest) {
            self.since = Some((role.clone(), span));
        }
    }

    /// The meters were read: what is waited for from now on makes the next reading late.
    pub(super) fn close(&mut self) {
        self.before = self.since.take();
    }

    /// The last reading was not kept: what it waited for makes the next one late, too.
    pub(super) fn go_on(&mut self) {
        let Some((role, span)) = self.before.take() else { return };
        if self.since.as_ref().is_none_or(|(_, longest)| span > *longest) {
            self.since = Some((role, span));
        }
    }

    /// The longest wait between the last reading and the one before it.
    pub(super) const fn take_before_reading(&mut self) -> Option<(Role, Duration)> {
        self.before.take()
    }
}
