//! How well a record uses its range.

use super::{Look, SteadyState};

impl SteadyState {
    pub(super) fn note_range(&mut self, look: &Look<'_>) {
        if let Some(note) = &look.vout.acquisition.range_note {
            self.note(format!("{}: {note}", look.name));
        }
        if look.moments.range_used < 0.3 {
            self.note(format!(
                "the {} uses {:.0} % of its range ({} steps of {:.2} mV)",
                look.name,
                // Rounded down: 29.7 % are not the 30 % that would be enough.
                (look.moments.range_used * 100.0).floor(),
                look.moments.steps_used,
                look.moments.step_v * 1e3
            ));
        }
    }
}
