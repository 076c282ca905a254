//! What a drill of the dead-man showed: pure.
//!
//! A controller of its own, this program once more, takes the bench, starts its dead-man, energises the bench at low voltage
//! and dies. Nothing in the dead-man knows that it is a drill.

use std::time::Duration;

use super::watch::SILENCE;
use crate::bench::low::DRILL_VOLTAGE;
use crate::event::{DrillKind, DrillVerdict, Drilled, SafeState};
use crate::waveform::{Figure, Unavailable};

/// How long the dead-man may take to open his links, switch off and look, apart from the time that Vout may take to fall: a
/// load and a supply that are slow, on a machine that is busy.
const WORKS_WITHIN: Duration = Duration::from_secs(10);

/// What passes from the suspension of a controller to its end, beyond the silence: a beat that was under way, a second
/// thought.
const ENDS_WITHIN: Duration = Duration::from_secs(3);

/// What was seen at a drill, and what was found afterwards; each with why it is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// How the controller died.
    pub kind: DrillKind,
    /// Volts at the supply's terminals before it did.
    pub energised: Result<f64, String>,
    /// The dead-man's word: how long it took to come, and what it says.
    pub word: Result<(Duration, SafeState), String>,
    /// How the outputs stood afterwards, asked over other links before anything was set.
    pub found: Result<Found, String>,
    /// How the bench was left at the very end.
    pub left: Result<SafeState, String>,
}

/// Supply and load as they were left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// The supply says that its output is on.
    pub supply_on: bool,
    /// The load says that its input is on.
    pub load_on: bool,
    /// Volts at the supply's terminals.
    pub supply_v: f64,
    /// Volts at the load's terminals.
    pub vout_v: f64,
}

/// How long a drill may take until the dead-man has given his word; Vout may take `safe_within` to fall.
#[must_use]
pub fn allowed(kind: DrillKind, safe_within: Duration) -> Duration {
    let silence = match kind {
        DrillKind::Killed => Duration::ZERO,
        DrillKind::Suspended => SILENCE + ENDS_WITHIN,
    };
    // Vout and the supply's terminals are waited for one after the other.
    silence + WORKS_WITHIN + safe_within * 2
}

/// What a drill showed: it passes only where every link of the chain was seen to hold.
#[must_use]
pub fn judge(seen: &Seen, safe_within: Duration) -> Drilled {
    let mut fault = find_fault(seen, allowed(seen.kind, safe_within)).err();
    if let Some(told) = &mut fault {
        told.push_str(match &seen.left {
            Ok(state) if state.verified => "; the outputs are off now, read back and measured",
            _ => "; THE OUTPUTS COULD NOT BE VERIFIED OFF: look at the bench now",
        });
    }
    let of_found = |pick: fn(&Found) -> f64| figure(seen.found.as_ref().map(pick));
    Drilled {
        kind: seen.kind,
        verdict: if fault.is_some() { DrillVerdict::Failed } else { DrillVerdict::Passed },
        reason: fault.unwrap_or_default(),
        energised_v: figure(seen.energised.as_ref().copied()),
        off_after_s: figure(seen.word.as_ref().map(|(took, _)| took.as_secs_f64())),
        supply_v: of_found(|found| found.supply_v),
        vout_v: of_found(|found| found.vout_v),
    }
}

fn figure(known: Result<f64, &String>) -> Figure {
    known.map_err(|why| Unavailable::because(why.clone()))
}

/// The first link of the chain that did not hold.
fn find_fault(seen: &Seen, within: Duration) -> Result<(), String> {
    let energised_v = *seen.energised.as_ref().map_err(|why| format!("nothing was energised: {why}"))?;
    // What does not stand cannot be seen to fall.
    let half_v = DRILL_VOLTAGE.value() / 2.0;
    if energised_v < half_v || energised_v.is_nan() {
        return Err(format!("only {energised_v:.3} V stood at the supply, which shows nothing"));
    }
    let (took, word) = seen.word.as_ref().map_err(|why| format!("the dead-man gave no word: {why}"))?;
    if !word.verified {
        return Err(format!("the dead-man could not verify the outputs off: {}", word.failures.join("; ")));
    }
    if *took > within {
        let (took, within) = (took.as_secs_f64(), within.as_secs_f64());
        return Err(format!("the dead-man took {took:.1} s, and {within:.0} s are allowed"));
    }
    let found =
        seen.found.as_ref().map_err(|why| format!("the bench could not be looked at afterwards: {why}"))?;
    for (what, is_on) in [("supply", found.supply_on), ("load", found.load_on)] {
        if is_on {
            return Err(format!("the dead-man said that the outputs are off, but the {what} says it is on"));
        }
    }
    for (where_, volts) in [("at the supply's terminals", found.supply_v), ("on Vout", found.vout_v)] {
        if volts.abs() >= half_v || volts.is_nan() {
            return Err(format!(
                "the dead-man said that the outputs are off, but {volts:.3} V stand {where_}"
            ));
        }
    }
    match &seen.left {
        Ok(state) if state.verified => Ok(()),
        Ok(state) => {
            Err(format!("the bench could not be made safe afterwards: {}", state.failures.join("; ")))
        }
        Err(why) => Err(format!("the bench could not be made safe afterwards: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(5);

    fn safe(verified: bool) -> SafeState {
        SafeState {
            load_off: verified,
            supply_off: verified,
            vout_v: Ok(0.0),
            verified,
            attempts: 1,
            failures: if verified { Vec::new() } else { vec!["attempt 1: no answer".to_owned()] },
        }
    }

    fn good() -> Seen {
        let found = Found { supply_on: false, load_on: false, supply_v: 0.01, vout_v: 0.0 };
        Seen {
            kind: DrillKind::Killed,
            energised: Ok(0.998),
            word: Ok((Duration::from_millis(312), safe(true))),
            found: Ok(found),
            left: Ok(safe(true)),
        }
    }

    #[test]
    fn a_drill_passes_where_every_link_of_the_chain_held() {
        let drilled = judge(&good(), WITHIN);
        assert_eq!((drilled.verdict, drilled.reason.as_str()), (DrillVerdict::Passed, ""));
        assert_eq!((drilled.energised_v, drilled.off_after_s), (Ok(0.998), Ok(0.312)));
        assert_eq!((drilled.supply_v, drilled.vout_v), (Ok(0.01), Ok(0.0)));
        let late = Ok((Duration::from_secs(20), safe(true)));
        let suspended = Seen { kind: DrillKind::Suspended, word: late.clone(), ..good() };
        assert_eq!(judge(&suspended, WITHIN).verdict, DrillVerdict::Passed, "silence is waited for");
        assert_eq!(judge(&Seen { word: late, ..good() }, Duration::ZERO).verdict, DrillVerdict::Failed);
    }

    #[test]
    fn a_drill_fails_at_every_link_that_did_not_hold_and_says_which() {
        let found = |change: fn(&mut Found)| {
            let mut seen = good();
            change(seen.found.as_mut().unwrap());
            seen
        };
        let why = || "it hangs".to_owned();
        let table = [
            Seen { energised: Err(why()), ..good() },
            Seen { energised: Ok(0.2), ..good() },
            Seen { energised: Ok(f64::NAN), ..good() },
            Seen { word: Err(why()), ..good() },
            Seen { word: Ok((Duration::from_secs(1), safe(false))), left: Ok(safe(false)), ..good() },
            Seen { word: Ok((Duration::from_secs(21), safe(true))), ..good() },
            Seen { found: Err(why()), left: Err(why()), ..good() },
            found(|found| found.supply_on = true),
            found(|found| found.load_on = true),
            found(|found| found.supply_v = 1.0),
            found(|found| found.vout_v = f64::NAN),
            Seen { left: Ok(safe(false)), ..good() },
        ];
        let told: Vec<String> = table
            .iter()
            .map(|seen| {
                let drilled = judge(seen, WITHIN);
                assert_eq!(drilled.verdict, DrillVerdict::Failed, "{seen:?}");
                drilled.reason
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        nothing was energised: it hangs; the outputs are off now, read back and measured
        only 0.200 V stood at the supply, which shows nothing; the outputs are off now, read back and measured
        only NaN V stood at the supply, which shows nothing; the outputs are off now, read back and measured
        the dead-man gave no word: it hangs; the outputs are off now, read back and measured
        the dead-man could not verify the outputs off: attempt 1: no answer; THE OUTPUTS COULD NOT BE VERIFIED OFF: look at the bench now
        the dead-man took 21.0 s, and 20 s are allowed; the outputs are off now, read back and measured
        the bench could not be looked at afterwards: it hangs; THE OUTPUTS COULD NOT BE VERIFIED OFF: look at the bench now
        the dead-man said that the outputs are off, but the supply says it is on; the outputs are off now, read back and measured
        the dead-man said that the outputs are off, but the load says it is on; the outputs are off now, read back and measured
        the dead-man said that the outputs are off, but 1.000 V stand at the supply's terminals; the outputs are off now, read back and measured
        the dead-man said that the outputs are off, but NaN V stand on Vout; the outputs are off now, read back and measured
        the bench could not be made safe afterwards: attempt 1: no answer; THE OUTPUTS COULD NOT BE VERIFIED OFF: look at the bench now
        ");
    }
}
