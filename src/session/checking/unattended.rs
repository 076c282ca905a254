//! The check in the evening, before a bench is left alone: gathers what is known, judges nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::bench::{look_at, open_and_identify};
use super::host::look_at_host;
use super::judge::{Alarms, Facts, LowDrill, judge};
use super::{Finding, Grade};
use crate::base::clock::{Clock, RealClock};
use crate::bench::Bench;
use crate::engine::StopWish;
use crate::event::{DrillKind, Drilled};
use crate::session::drilling::drill;
use crate::session::opening::{Opened, instruments, is_simulated, open_world};
use crate::session::running::last_unfinished;
use crate::session::{Prepared, SessionError};

/// What is asked of a check before a bench is left alone.
pub struct Unattended<'a> {
    /// This program, which is started once more as the dead-man and as the controller of a drill.
    pub program: &'a Path,
    /// Folder in which the run will be kept.
    pub out: &'a Path,
    /// The drills of the dead-man.
    pub drills: &'a [DrillKind],
    /// What came of the test of the notifications.
    pub alarms: Alarms,
    /// A person's wish to stop.
    pub stop: &'a StopWish,
}

/// Looks at everything that must hold before a bench is left alone with a run of this plan. Energises it at low voltage, and
/// leaves it off.
#[must_use]
pub fn check_unattended(prepared: &Prepared, asked: &Unattended<'_>) -> Vec<Finding> {
    let Prepared { rig, registry, plan, .. } = prepared;
    let drills =
        asked.drills.iter().map(|kind| (*kind, drill_of(prepared, *kind, asked))).collect::<Vec<_>>();
    let failed = drills.iter().any(|(_, drilled)| match drilled {
        Ok(drilled) => drilled.refusal().is_some(),
        Err(_) => true,
    });
    let (mut findings, low) = look_at_bench(prepared, asked, failed);
    let now = RealClock::new().utc();
    let of_own = [&rig.source.instrument, &rig.load.instrument].map(|wired| {
        let told = registry.family(&wired.family).and_then(|family| family.watchdog.clone());
        (wired.role.to_string(), told)
    });
    let facts = Facts {
        expected: plan.expected,
        drills,
        low,
        is_heat_seen: rig.has_board_thermometer(),
        watchdogs: of_own.to_vec(),
        alarms: asked.alarms.clone(),
        host: look_at_host(asked.out),
        forecast: plan.writes,
        folder: asked.out.display().to_string(),
        calibrations: instruments(rig).map(|wired| (wired.role.to_string(), wired.calibration_due)).collect(),
        days: days(now, plan.expected),
        unfinished: last_unfinished(asked.out).map_err(|error| error.to_string()),
    };
    findings.extend(judge(&facts));
    findings
}

/// The days in UTC on which something begins that takes so long, and ends.
fn days(now: Timestamp, span: Duration) -> (Date, Date) {
    let day = |at: Timestamp| TimeZone::UTC.to_datetime(at).date();
    (day(now), day(now.saturating_add(span).unwrap_or(now)))
}

fn drill_of(prepared: &Prepared, kind: DrillKind, asked: &Unattended<'_>) -> Result<Drilled, String> {
    drill(prepared, asked.program, kind, asked.stop).map_err(|error| error.to_string())
}

type Low = Result<LowDrill, String>;

/// Who answers, and whether the way that ends every run leaves the bench off; a bench whose dead-man is not to be trusted is
/// not energised.
fn look_at_bench(prepared: &Prepared, asked: &Unattended<'_>, deadman_failed: bool) -> (Vec<Finding>, Low) {
    let not_done = |why: &str| Err(format!("not done: {why}"));
    let opened = match open_world(&prepared.rig, &prepared.plan.board, None) {
        Ok(opened) => opened,
        Err(error) => {
            let what = if matches!(error, SessionError::Busy(_)) { "locks" } else { "bench" };
            let findings = vec![Finding::refusal(what, error.to_string())];
            return (findings, not_done("the bench could not be had"));
        }
    };
    asked.stop.attach(&opened.cut);
    let (grade, told) = if is_simulated(&prepared.rig) {
        (Grade::NotApplicable, "a simulated bench is each process's own")
    } else {
        (Grade::Good, "nobody else uses the bench")
    };
    let mut findings = vec![Finding::new("locks", grade, told)];
    let watched = match start_guard(prepared, &opened, asked) {
        Ok(dismiss) => dismiss,
        Err(why) => {
            findings.push(Finding::refusal("bench", why));
            return (findings, not_done("there is no dead-man"));
        }
    };
    let registry = Arc::new(prepared.registry.clone());
    let (low, is_off) = match open_and_identify(&prepared.rig, &registry, &opened) {
        Ok((mut bench, _, identified)) => {
            findings.extend(identified);
            findings.extend(look_at(&mut bench));
            if deadman_failed {
                (not_done("the dead-man is not to be trusted"), bench.make_safe().verified)
            } else if asked.stop.is_now() {
                (not_done("the check was stopped"), bench.make_safe().verified)
            } else {
                drill_low(&mut bench, &*opened.clock)
            }
        }
        Err(told) => {
            // What was reached was switched off, and how it was left is told.
            let is_off = told.iter().all(|finding| finding.what != "outputs" || finding.grade == Grade::Good);
            findings.extend(told);
            (not_done("not every instrument could be opened"), is_off)
        }
    };
    if let Some(dismiss) = watched.filter(|_| is_off) {
        dismiss(&*opened.clock);
    }
    (findings, low)
}

/// Energises the bench at low voltage and makes it safe; whether it is off.
fn drill_low(bench: &mut Bench, clock: &dyn Clock) -> (Low, bool) {
    let energised = bench.energise_low();
    let start = clock.now();
    let safe = bench.make_safe();
    let (took, is_off) = (clock.now().since(start), safe.verified);
    let low = match energised {
        Ok(volts) => Ok(LowDrill { energised_v: volts.value(), safe, took }),
        Err(error) if is_off => Err(format!("{error}; the outputs are off")),
        Err(error) => Err(format!("{error}; THE OUTPUTS COULD NOT BE VERIFIED OFF, look at the bench now")),
    };
    (low, is_off)
}

/// Sends a dead-man away, which is done where the outputs are verified off.
type Dismiss = Box<dyn FnOnce(&dyn Clock)>;

/// The dead-man of real instruments, as beside every run that energises.
#[cfg(unix)]
fn start_guard(
    prepared: &Prepared,
    opened: &Opened,
    asked: &Unattended<'_>,
) -> Result<Option<Dismiss>, String> {
    if opened.world.is_some() {
        return Ok(None);
    }
    let guard =
        crate::session::guarding::start(asked.program, &prepared.rig_path, None, &opened.pulse, asked.stop)
            .map_err(|error| error.to_string())?;
    Ok(Some(Box::new(move |clock| guard.dismiss(clock))))
}

#[cfg(not(unix))]
fn start_guard(_: &Prepared, opened: &Opened, _: &Unattended<'_>) -> Result<Option<Dismiss>, String> {
    if opened.world.is_some() { Ok(None) } else { Err("on this system there is no dead-man yet".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_on_the_day_on_which_it_ends() {
        let told = |begins: &str, seconds: u64| {
            let (begins, ends) = days(begins.parse().unwrap(), Duration::from_secs(seconds));
            format!("{begins} to {ends}")
        };
        assert_eq!(told("2026-11-28T22:57:00Z", 85), "2026-11-28 to 2026-11-28");
        assert_eq!(told("2026-11-28T23:59:00Z", 85), "2026-11-28 to 2026-11-29");
        assert_eq!(told("2026-11-27T18:00:00Z", 60 * 3600), "2026-11-27 to 2026-11-30");
    }
}
