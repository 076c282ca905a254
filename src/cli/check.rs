//! `soakrig check`: is this bench fit to be used, and fit to be left alone?

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::args::CheckArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, print};
use super::run::own_program;
use super::settings::Settings;
use crate::base::span::render_span;
use crate::engine::StopWish;
use crate::event::DrillKind;
use crate::plan::Overrides;
use crate::session::{self, Finding, Grade, Unattended, is_go};

pub(super) fn run(args: &CheckArgs, settings: &Settings) -> Outcome {
    if let Some(profile) = &args.unattended {
        return run_unattended(args, profile, settings);
    }
    let (rig, findings) = session::check_bench(&args.rig)?;
    let head = json!({ "rig": rig.name });
    tell(args, (&rig.name, head), &findings)
}

fn run_unattended(args: &CheckArgs, profile: &Path, settings: &Settings) -> Outcome {
    let prepared = session::prepare(profile, &args.rig, &Overrides::default())?;
    let stop = StopWish::default();
    #[cfg(unix)]
    super::signals_unix::listen(&stop, super::signals_unix::Hangup::Stops, |stop| {
        // A check has no points to end after.
        stop.ask();
        "stopping the check; the outputs go off first"
    })
    .map_err(|error| CliError::internal(format!("cannot listen for signals: {error}")))?;
    let program = own_program()?;
    let drills: &[DrillKind] =
        if args.hang { &[DrillKind::Killed, DrillKind::Suspended] } else { &[DrillKind::Killed] };
    let findings = session::check_unattended(
        &prepared,
        &Unattended {
            program: &program,
            out: &args.out,
            drills,
            alarms: super::notify::try_alarms(settings)?,
            stop: &stop,
        },
    );
    let (rig, plan) = (&prepared.rig.name, &prepared.plan);
    let head = json!({
        "rig": rig,
        "profile": plan.profile.as_str(),
        "expected_s": plan.expected.as_secs_f64(),
    });
    let name = format!("{rig}, alone with {} for about {}", plan.profile, render_span(plan.expected));
    let exit = tell(args, (&name, head), &findings)?;
    Ok(if stop.asked().is_some() && stop.fault().is_none() { Exit::Stopped } else { exit })
}

fn tell(args: &CheckArgs, (name, mut head): (&str, Value), findings: &[Finding]) -> Outcome {
    let go = is_go(findings);
    if args.json {
        let finding = |finding: &Finding| {
            json!({
                "what": finding.what,
                "grade": finding.grade.as_str(),
                "good": finding.grade != Grade::Refusal,
                "told": finding.told,
            })
        };
        head["go"] = json!(go);
        head["findings"] = findings.iter().map(finding).collect();
        print(&format!("{head:#}"))?;
    } else {
        let mut text = String::new();
        for finding in findings {
            let mark = match finding.grade {
                Grade::Good => "ok  ",
                Grade::NotApplicable => "–   ",
                Grade::Warning => "WARN",
                Grade::Refusal => "FAIL",
            };
            let _ = writeln!(text, "{mark} {:<20} {}", finding.what, finding.told);
        }
        let _ = writeln!(text, "{name}: {}", verdict(findings));
        print(&text)?;
    }
    Ok(if go { Exit::Done } else { Exit::Instrument })
}

/// GO or NO GO with what refuses; what only warns stands apart.
fn verdict(findings: &[Finding]) -> String {
    let of = |grade: Grade| -> Vec<&str> {
        let found = findings.iter().filter(|finding| finding.grade == grade);
        let mut names: Vec<&str> = found.map(|finding| finding.what.as_str()).collect();
        // Two ways to tell people that both fail are one name here.
        names.dedup();
        names
    };
    let (refusals, warnings) = (of(Grade::Refusal), of(Grade::Warning));
    let mut told =
        if refusals.is_empty() { "GO".to_owned() } else { format!("NO GO: {}", refusals.join(", ")) };
    if !warnings.is_empty() {
        let _ = write!(told, " (warnings: {})", warnings.join(", "));
    }
    told
}
