//! The bench itself: every instrument opened and identified, the outputs off, the wiring and the sensors looked at.

use std::path::Path;
use std::sync::Arc;

use super::{Finding, Grade};
use crate::base::units::Volts;
use crate::bench::Bench;
use crate::bench::open::NotOpened;
use crate::event::{InstrumentFacts, SafeState};
use crate::instrument::dialect::Registry;
use crate::instrument::open::Surroundings;
use crate::plan::Rig;
use crate::session::opening::{Opened, board_of, open_bench, open_conversation, open_world, talking_roles};
use crate::session::{SessionError, load_rig};

/// The most that the supply may deliver with its output off, in amperes.
const LEAKS_A: f64 = 0.02;

/// Opens the bench of a rig, switches its outputs off and looks at it.
///
/// # Errors
/// The rig cannot be read, or somebody else uses the bench.
pub fn check_bench(rig_path: &Path) -> Result<(Rig, Vec<Finding>), SessionError> {
    let (rig, registry, _) = load_rig(rig_path)?;
    let opened = open_world(&rig, &board_of(&rig), None)?;
    let registry = Arc::new(registry);
    let findings = match open_and_identify(&rig, &registry, &opened) {
        Ok((mut bench, instruments, mut findings)) => {
            findings.extend(instruments.iter().filter_map(calibration));
            findings.extend(look_at(&mut bench));
            findings
        }
        Err(findings) => findings,
    };
    Ok((rig, findings))
}

/// The opened bench and who answered; or what each instrument said.
pub(super) fn open_and_identify(
    rig: &Rig,
    registry: &Arc<Registry>,
    opened: &Opened,
) -> Result<(Bench, Vec<InstrumentFacts>, Vec<Finding>), Vec<Finding>> {
    match open_bench(rig, registry.clone(), opened, None) {
        Ok((bench, instruments)) => {
            let findings = instruments.iter().map(identified).collect();
            Ok((bench, instruments, findings))
        }
        Err(error) => Err(look_at_each(rig, &opened.surroundings(registry.clone()), &error)),
    }
}

/// Opening a bench ends at the first instrument that fails; here every one is asked, so that all faults are told at once.
fn look_at_each(rig: &Rig, surroundings: &Surroundings, error: &NotOpened) -> Vec<Finding> {
    let mut findings: Vec<Finding> = talking_roles(rig)
        .map(|role| match open_conversation(rig, role.as_str(), surroundings) {
            Ok(_) => Finding::good(role.to_string(), "answers"),
            Err(error) => Finding::refusal(role.to_string(), error.to_string()),
        })
        .collect();
    if super::is_go(&findings) {
        findings.push(Finding::refusal("bench", error.to_string()));
    }
    findings.extend(error.safe.as_ref().map(outputs));
    findings
}

fn identified(facts: &InstrumentFacts) -> Finding {
    let name = [&facts.maker, &facts.model, &facts.serial, &facts.firmware]
        .into_iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(" ");
    let told = if name.is_empty() { facts.family.clone() } else { format!("{name} ({})", facts.family) };
    Finding::good(facts.role.to_string(), format!("{told} at {}", facts.address))
}

/// A calibration that is past is told, but does not stop anybody.
fn calibration(facts: &InstrumentFacts) -> Option<Finding> {
    let (day, past) = facts.calibration_due.as_ref()?;
    let what = format!("{} calibration", facts.role);
    Some(if *past {
        Finding::new(
            what,
            Grade::Warning,
            format!("was due on {day}: calibrate it, or tell whoever reads the figures"),
        )
    } else {
        Finding::good(what, format!("due on {day}"))
    })
}

/// How the outputs were found after switching off.
pub(super) fn outputs(safe: &SafeState) -> Finding {
    let vout = match &safe.vout_v {
        Ok(vout_v) => format!("Vout {}", Volts(*vout_v)),
        Err(reason) => reason.to_string(),
    };
    if safe.verified {
        Finding::good("outputs", format!("load off, supply off, {vout}"))
    } else {
        Finding::refusal("outputs", format!("NOT verified off: {vout}; {}", safe.failures.join("; ")))
    }
}

/// Outputs off, no current through the supply, and every sensor says something.
pub(super) fn look_at(bench: &mut Bench) -> Vec<Finding> {
    let mut findings = vec![outputs(&bench.make_safe())];
    findings.push(match bench.supply.measure_current() {
        Ok(current) => {
            let grade = if current.value().abs() < LEAKS_A { Grade::Good } else { Grade::Refusal };
            Finding::new("input current", grade, format!("{current} with the output off"))
        }
        Err(error) => Finding::refusal("input current", error.to_string()),
    });
    for (role, thermometer) in &mut bench.thermometers {
        let what = format!("{role} sensor");
        findings.push(match thermometer.read_temperature() {
            Ok(reading) => Finding::good(what, reading.temperature.to_string()),
            Err(error) => Finding::refusal(what, error.to_string()),
        });
    }
    findings
}
