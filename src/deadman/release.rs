//! Taking over a bench that nobody minds any more, until it is verified off.

use std::time::Duration;

use crate::bench::open::take_over;
use crate::bench::safe::Troubles;
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
/// found, with what went wrong in all attempts.
pub fn release(
    rig: &Rig,
    surroundings: &Surroundings,
    before_each: &mut dyn FnMut(),
    tell: &mut dyn FnMut(&str),
) -> SafeState {
    let clock = &*surroundings.clock;
    let start = clock.now();
    let (mut found, mut troubles) = (None, Troubles::default());
    for attempt in 1_u32.. {
        before_each();
        let told = match attempt_release(rig, surroundings) {
            Ok(state) if state.verified => return told_with(state, attempt - 1, troubles),
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
        troubles.add(attempt, told);
        let pause = PAUSES[(attempt as usize - 1).min(PAUSES.len() - 1)];
        if clock.now().since(start) + pause > GIVES_UP_AFTER {
            let found =
                SafeState { attempts: 0, failures: Vec::new(), ..found.unwrap_or_else(nothing_reached) };
            return told_with(found, attempt, troubles);
        }
        clock.sleep(pause);
    }
    unreachable!("it gives up by the clock")
}

/// What was found, with the attempts before it that failed and what they failed of.
fn told_with(state: SafeState, failed: u32, troubles: Troubles) -> SafeState {
    let own = state.failures.into_iter().map(|told| if failed > 0 { format!("then {told}") } else { told });
    SafeState {
        attempts: state.attempts.saturating_add(failed),
        failures: troubles.tell().into_iter().chain(own).collect(),
        ..state
    }
}

fn nothing_reached() -> SafeState {
    SafeState::unknown("supply and load were not reached together")
}

fn attempt_release(rig: &Rig, surroundings: &Surroundings) -> Result<SafeState, (String, Option<SafeState>)> {
    match take_over(rig, surroundings) {
        Ok((mut bench, _)) => Ok(bench.make_safe()),
        Err(left) => Err((left.error.to_string(), left.safe)),
    }
}
