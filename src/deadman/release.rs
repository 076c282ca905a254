//! Taking over a bench that nobody minds any more, until it is verified off.

use std::time::Duration;

use crate::bench::open::take_over;
use crate::event::SafeState;
use crate::instrument::open::Surroundings;
use crate::plan::Rig;

/// Pauses between attempts; the last one is repeated.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(60),
];

/// How long it is tried: an instrument that has not come back after an hour needs a person.
pub const GIVES_UP_AFTER: Duration = Duration::from_secs(3600);

/// Opens links of its own to supply and load, switches off, reads back and measures; tries again until the outputs are
/// verified off or an hour is over. `before_each` comes before every attempt, and every failed one is told. Gives the last state
/// found, `None` where supply and load were never reached together.
pub fn release(
    rig: &Rig,
    surroundings: &Surroundings,
    before_each: &mut dyn FnMut(),
    tell: &mut dyn FnMut(&str),
) -> Option<SafeState> {
    let clock = &*surroundings.clock;
    let start = clock.now();
    let mut found = None;
    for attempt in 1_usize.. {
        before_each();
        let told = match attempt_release(rig, surroundings) {
            Ok(state) if state.verified => return Some(state),
            Ok(state) => {
                let told = state.failures.join("; ");
                found = Some(state);
                told
            }
            Err((told, state)) => {
                found = state.or(found);
                told
            }
        };
        tell(&format!("attempt {attempt} to switch off: {told}"));
        let pause = PAUSES[(attempt - 1).min(PAUSES.len() - 1)];
        if clock.now().since(start) + pause > GIVES_UP_AFTER {
            break;
        }
        clock.sleep(pause);
    }
    found
}

fn attempt_release(rig: &Rig, surroundings: &Surroundings) -> Result<SafeState, (String, Option<SafeState>)> {
    match take_over(rig, surroundings) {
        Ok((mut bench, _)) => Ok(bench.make_safe()),
        Err(left) => Err((left.error.to_string(), left.safe)),
    }
}
