//! `soakrig check`: is this bench fit to be used?

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use super::args::CheckArgs;
use super::exit::Exit;
use super::message::{Outcome, print};
use crate::bench::Bench;
use crate::event::{InstrumentFacts, SafeState};
use crate::instrument::open::Surroundings;
use crate::plan::Rig;
use crate::session;

/// One thing looked at.
struct Finding {
    what: String,
    good: bool,
    told: String,
}

pub(super) fn run(args: &CheckArgs) -> Outcome {
    let (rig, registry, _) = session::load_rig(&args.rig)?;
    let opened = session::open_world(&rig, &session::board_of(&rig), None)?;
    let mut findings = Vec::new();
    let registry = Arc::new(registry);
    match session::open_bench(&rig, registry.clone(), &opened, None) {
        Ok((mut bench, instruments)) => {
            findings.extend(instruments.iter().map(identified));
            findings.extend(instruments.iter().filter_map(calibration));
            look_at_bench(&mut bench, &mut findings);
        }
        Err(error) => {
            findings.extend(look_at_each(&rig, &opened.surroundings(registry)));
            if findings.iter().all(|finding| finding.good) {
                findings.push(failed("bench", &error.to_string()));
            }
            findings.extend(error.safe.as_ref().map(outputs));
        }
    }
    tell(&rig, &findings, args.json)
}

/// Opening a bench ends at the first instrument that fails; here every one is asked, so that all faults are told at once.
fn look_at_each(rig: &Rig, surroundings: &Surroundings) -> Vec<Finding> {
    session::talking_roles(rig)
        .map(|role| match session::open_conversation(rig, role.as_str(), surroundings) {
            Ok(_) => Finding { what: role.to_string(), good: true, told: "answers".to_owned() },
            Err(error) => failed(role.as_str(), &error.to_string()),
        })
        .collect()
}

fn identified(facts: &InstrumentFacts) -> Finding {
    let name = [&facts.maker, &facts.model, &facts.serial, &facts.firmware]
        .into_iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(" ");
    let told = if name.is_empty() { facts.family.clone() } else { format!("{name} ({})", facts.family) };
    Finding { what: facts.role.to_string(), good: true, told: format!("{told} at {}", facts.address) }
}

/// A calibration that is past is told, but does not stop anybody.
fn calibration(facts: &InstrumentFacts) -> Option<Finding> {
    let (day, past) = facts.calibration_due.as_ref()?;
    let told = if *past {
        format!("was due on {day}: warn the reader of every report")
    } else {
        format!("due on {day}")
    };
    Some(Finding { what: format!("{} calibration", facts.role), good: true, told })
}

/// How the outputs were found after switching off.
fn outputs(safe: &SafeState) -> Finding {
    let vout = match &safe.vout_v {
        Ok(vout_v) => format!("Vout {}", crate::base::units::Volts(*vout_v)),
        Err(reason) => reason.to_string(),
    };
    let told = if safe.verified {
        format!("load off, supply off, {vout}")
    } else {
        format!("NOT verified off: {vout}; {}", safe.failures.join("; "))
    };
    Finding { what: "outputs".to_owned(), good: safe.verified, told }
}

fn look_at_bench(bench: &mut Bench, findings: &mut Vec<Finding>) {
    findings.push(outputs(&bench.make_safe()));
    match bench.supply.measure_current() {
        Ok(current) => findings.push(Finding {
            what: "input current".to_owned(),
            good: current.value().abs() < 0.02,
            told: format!("{current} with the output off"),
        }),
        Err(error) => findings.push(failed("input current", &error.to_string())),
    }
    for (role, thermometer) in &mut bench.thermometers {
        findings.push(match thermometer.read_temperature() {
            Ok(reading) => {
                Finding { what: format!("{role} sensor"), good: true, told: reading.temperature.to_string() }
            }
            Err(error) => failed(&format!("{role} sensor"), &error.to_string()),
        });
    }
}

fn failed(what: &str, told: &str) -> Finding {
    Finding { what: what.to_owned(), good: false, told: told.to_owned() }
}

fn tell(rig: &Rig, findings: &[Finding], as_json: bool) -> Outcome {
    let go = findings.iter().all(|finding| finding.good);
    if as_json {
        let findings: Vec<_> = findings
            .iter()
            .map(|finding| json!({ "what": finding.what, "good": finding.good, "told": finding.told }))
            .collect();
        let text = json!({ "rig": rig.name, "go": go, "findings": findings });
        print(&format!("{text:#}"))?;
    } else {
        let mut text = String::new();
        for finding in findings {
            let mark = if finding.good { "ok  " } else { "FAIL" };
            let _ = writeln!(text, "{mark} {:<20} {}", finding.what, finding.told);
        }
        let _ = writeln!(text, "{}: {}", rig.name, if go { "GO" } else { "NO GO" });
        print(&text)?;
    }
    Ok(if go { Exit::Done } else { Exit::Instrument })
}
