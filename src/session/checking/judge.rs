//! Whether a bench may be left alone: pure, from what was seen.

use std::time::Duration;

use jiff::civil::Date;

use super::host::{Host, Power, judge_sleep};
use super::{Finding, Grade};
use crate::base::span::render_span;
use crate::base::units::{Volts, with_prefix};
use crate::event::{DrillKind, DrillVerdict, Drilled, SafeState};
use crate::plan::forecast::Forecast;
use crate::session::room::RESERVE;

/// What came of the test of the notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarms {
    /// There are none: nobody would be told.
    NotConfigured,
    /// Each was tried: whom it tells, and why that failed where it did.
    Tested(Vec<(String, Result<(), String>)>),
}

/// The bench energised at low voltage and made safe by the way that ends every run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LowDrill {
    /// Volts at the supply's terminals before.
    pub(super) energised_v: f64,
    /// How the outputs were found.
    pub(super) safe: SafeState,
    /// How long it took until they were verified off.
    pub(super) took: Duration,
}

/// Everything that is looked at before a bench is left alone, apart from the instruments themselves; each with why it is not
/// known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    /// How long the bench will be alone, about.
    pub(super) expected: Duration,
    /// The drills of the dead-man.
    pub(super) drills: Vec<(DrillKind, Result<Drilled, String>)>,
    /// The drill of making safe.
    pub(super) low: Result<LowDrill, String>,
    /// Whether a thermometer of the rig is on the board.
    pub(super) is_heat_seen: bool,
    /// What the families of supply and load have of their own, by role.
    pub(super) watchdogs: Vec<(String, Option<String>)>,
    /// The notifications.
    pub(super) alarms: Alarms,
    /// The machine.
    pub(super) host: Host,
    /// What the run writes.
    pub(super) forecast: Forecast,
    /// Where it does.
    pub(super) folder: String,
    /// Days of the next calibration, by role.
    pub(super) calibrations: Vec<(String, Option<Date>)>,
    /// Today, and the day on which the run is expected to end.
    pub(super) days: (Date, Date),
    /// The newest run in the folder that nobody writes any more, if it has no end; or why that is not known.
    pub(super) unfinished: Result<Option<String>, String>,
}

/// What all that means, in the order in which a person looks at it.
pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        facts.drills.iter().map(|(kind, drilled)| drill(*kind, drilled)).collect();
    findings.push(low(&facts.low));
    findings.extend(facts.watchdogs.iter().map(|(role, told)| watchdog(role, told.as_deref())));
    findings.extend((!facts.is_heat_seen).then(|| {
        let told = "no thermometer of the rig is on the board: no interlock ends the run when it gets hot";
        Finding::new("temperature", Grade::Warning, told.to_owned())
    }));
    findings.extend(alarms(&facts.alarms));
    findings.push(disk(facts));
    findings.push(clock(&facts.host.is_synchronised));
    findings.extend(facts.calibrations.iter().map(|(role, due)| calibration(role, *due, facts.days)));
    let (grade, told) = judge_sleep(&facts.host.sleep);
    findings.push(Finding::new("host sleep", grade, told));
    findings.push(power(&facts.host.power, facts.expected));
    findings.push(unfinished(&facts.unfinished));
    findings
}

fn drill(kind: DrillKind, drilled: &Result<Drilled, String>) -> Finding {
    let what = match kind {
        DrillKind::Killed => "dead-man drill",
        DrillKind::Suspended => "dead-man, hung",
    };
    match drilled {
        Ok(drilled) => {
            let grade = match drilled.verdict {
                DrillVerdict::Passed => Grade::Good,
                DrillVerdict::Failed => Grade::Refusal,
                DrillVerdict::NotApplicable => Grade::NotApplicable,
            };
            Finding::new(what, grade, drilled.tell())
        }
        Err(why) => Finding::refusal(what, format!("not done: {why}")),
    }
}

fn low(low: &Result<LowDrill, String>) -> Finding {
    let what = "make-safe drill";
    match low {
        Err(why) => Finding::refusal(what, why.clone()),
        Ok(drill) if !drill.safe.verified => {
            let told = drill.safe.failures.join("; ");
            Finding::refusal(
                what,
                format!("THE OUTPUTS COULD NOT BE VERIFIED OFF, look at the bench now: {told}"),
            )
        }
        Ok(drill) => {
            let volts = Volts((drill.energised_v * 1000.0).round() / 1000.0);
            let seconds = drill.took.as_secs_f64();
            let told = format!("{volts} at the supply, verified off {seconds:.2} s after it was asked for");
            Finding::good(what, told)
        }
    }
}

fn watchdog(role: &str, told: Option<&str>) -> Finding {
    let told = told.unwrap_or("its family's file says nothing of a watchdog of its own, and none is set");
    Finding::new(format!("{role} watchdog"), Grade::NotApplicable, told)
}

fn alarms(alarms: &Alarms) -> Vec<Finding> {
    match alarms {
        Alarms::NotConfigured => {
            let told = "no notifications configured: nobody is told when something happens; `soakrig notify-test` shows how";
            vec![Finding::new("alarms", Grade::Warning, told)]
        }
        Alarms::Tested(tried) => tried
            .iter()
            .map(|(whom, outcome)| match outcome {
                Ok(()) => Finding::good("alarms", format!("{whom}: the test was delivered")),
                Err(why) => Finding::refusal("alarms", format!("{whom}: {why}")),
            })
            .collect(),
    }
}

fn disk(facts: &Facts) -> Finding {
    let needed = facts.forecast.total();
    let (folder, bytes) = (&facts.folder, |count: u64| with_prefix(count as f64, "B"));
    if let Err(why) = &facts.host.may_write {
        return Finding::refusal(
            "disk",
            format!("nothing can be written to {folder}: {why}; name another folder with --out"),
        );
    }
    match &facts.host.free {
        Err(why) => Finding::new(
            "disk",
            Grade::Warning,
            format!(
                "the run writes about {} to {folder}; what is free there is not known: {why}",
                bytes(needed)
            ),
        ),
        Ok(free) => {
            let fits = needed.saturating_add(RESERVE) <= *free;
            let told = format!(
                "{} free at {folder}, and the run writes about {}{}",
                bytes(*free),
                bytes(needed),
                if fits {
                    String::new()
                } else {
                    format!(
                        ", besides which {} must stay free; make room, capture less, or name another folder with --out",
                        bytes(RESERVE)
                    )
                }
            );
            Finding::new("disk", if fits { Grade::Good } else { Grade::Refusal }, told)
        }
    }
}

fn clock(is_synchronised: &Result<bool, String>) -> Finding {
    let (grade, told) = match is_synchronised {
        Ok(true) => (Grade::Good, "synchronised".to_owned()),
        Ok(false) => (
            Grade::Warning,
            "not synchronised: the times in the record may be wrong, and may step".to_owned(),
        ),
        Err(why) => (Grade::Warning, format!("whether it is synchronised is not known: {why}")),
    };
    Finding::new("clock", grade, told)
}

fn calibration(role: &str, due: Option<Date>, (today, ends): (Date, Date)) -> Finding {
    let (grade, told) = match due {
        None => (Grade::NotApplicable, "the rig names no day".to_owned()),
        Some(due) if due < today => (Grade::Warning, format!("was due on {due}")),
        Some(due) if due < ends => {
            (Grade::Warning, format!("falls due on {due}, and the run lasts until {ends}"))
        }
        Some(due) => (Grade::Good, format!("due on {due}")),
    };
    Finding::new(format!("{role} calibration"), grade, told)
}

fn power(power: &Result<Power, String>, expected: Duration) -> Finding {
    let (grade, told) = match power {
        Ok(Power::NoBattery) => (Grade::Good, "no battery known".to_owned()),
        Ok(Power::Mains) => (Grade::Good, "on the mains".to_owned()),
        Ok(Power::Battery(left)) => {
            let left = left.map_or_else(String::new, |left| format!(" ({left} % left)"));
            let span = render_span(expected);
            (Grade::Refusal, format!("on the battery{left}, and the run takes about {span}: plug it in"))
        }
        Err(why) => (Grade::Warning, format!("what feeds this machine is not known: {why}")),
    };
    Finding::new("power", grade, told)
}

fn unfinished(unfinished: &Result<Option<String>, String>) -> Finding {
    let (grade, told) = match unfinished {
        Ok(None) => (Grade::Good, "the last run has its end, or there is none".to_owned()),
        Ok(Some(name)) => (
            Grade::Warning,
            format!("{name} has no end: `soakrig resume` goes on with it, a new run leaves it as it is"),
        ),
        Err(why) => (Grade::Warning, format!("not known: {why}")),
    };
    Finding::new("earlier run", grade, told)
}

#[cfg(test)]
mod tests {
    use super::super::host::Sleep;
    use super::super::is_go;
    use super::*;
    use crate::waveform::Unavailable;

    fn safe(verified: bool) -> SafeState {
        let failures = if verified { Vec::new() } else { vec!["attempts 1 to 4: no answer".to_owned()] };
        SafeState {
            load_off: verified,
            supply_off: verified,
            vout_v: Ok(0.0),
            verified,
            attempts: 1,
            failures,
        }
    }

    fn passed() -> Drilled {
        Drilled {
            kind: DrillKind::Killed,
            verdict: DrillVerdict::Passed,
            reason: String::new(),
            energised_v: Ok(1.0),
            off_after_s: Ok(0.31),
            supply_v: Ok(0.002),
            vout_v: Ok(0.0),
        }
    }

    /// A bench and a machine on which nothing is to be said against leaving them alone.
    fn good() -> Facts {
        let due = |text: &str| Some(text.parse().unwrap());
        Facts {
            expected: Duration::from_secs(60 * 3600),
            drills: vec![(DrillKind::Killed, Ok(passed()))],
            low: Ok(LowDrill { energised_v: 0.9996, safe: safe(true), took: Duration::from_millis(120) }),
            is_heat_seen: true,
            watchdogs: vec![("source".to_owned(), Some("none that fits".to_owned()))],
            alarms: Alarms::Tested(vec![("POST to http://127.0.0.1:8080/".to_owned(), Ok(()))]),
            host: Host {
                free: Ok(50_000_000_000),
                may_write: Ok(()),
                is_synchronised: Ok(true),
                sleep: Sleep { states: Some(String::new()), ..Sleep::default() },
                power: Ok(Power::Mains),
            },
            forecast: Forecast { journal: 1_000_000_000, samples: 2_000_000_000, ..Forecast::default() },
            folder: "/var/lib/soakrig".to_owned(),
            calibrations: vec![("source".to_owned(), due("2027-06-30"))],
            days: ("2026-11-27".parse().unwrap(), "2026-11-30".parse().unwrap()),
            unfinished: Ok(None),
        }
    }

    fn told(facts: &Facts) -> String {
        let line =
            |finding: &Finding| format!("{}: {}: {}", finding.grade.as_str(), finding.what, finding.told);
        judge(facts).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_bench_that_may_be_left_alone_is_told_line_by_line() {
        assert!(is_go(&judge(&good())));
        insta::assert_snapshot!(told(&good()), @r"
        good: dead-man drill: a controller that held 1 V at the supply was killed; its dead-man had switched off and verified off after 0.31 s; found off over other links, 2 mV at the supply, Vout 0 V
        good: make-safe drill: 1 V at the supply, verified off 0.12 s after it was asked for
        not_applicable: source watchdog: none that fits
        good: alarms: POST to http://127.0.0.1:8080/: the test was delivered
        good: disk: 50 GB free at /var/lib/soakrig, and the run writes about 3 GB
        good: clock: synchronised
        good: source calibration: due on 2027-06-30
        good: host sleep: this machine has no sleep state
        good: power: on the mains
        good: earlier run: the last run has its end, or there is none
        ");
    }

    /// What the lines of a changed bench say that those of the good one do not.
    fn differences(change: impl Fn(&mut Facts)) -> (String, bool) {
        let mut facts = good();
        change(&mut facts);
        let (before, after) = (told(&good()), told(&facts));
        let new: Vec<&str> =
            after.lines().filter(|line| !before.lines().any(|known| known == *line)).collect();
        (new.join("\n"), is_go(&judge(&facts)))
    }

    #[test]
    fn a_board_whose_heat_nobody_sees_warns_and_a_folder_that_takes_no_run_refuses() {
        let (heat, may_go) = differences(|facts| facts.is_heat_seen = false);
        let (disk, may_still_go) = differences(|facts| facts.host.may_write = Err("read-only".to_owned()));
        assert_eq!((may_go, may_still_go), (true, false));
        insta::assert_snapshot!(format!("{heat}\n{disk}"), @r"
        warning: temperature: no thermometer of the rig is on the board: no interlock ends the run when it gets hot
        refusal: disk: nothing can be written to /var/lib/soakrig: read-only; name another folder with --out
        ");
    }

    #[test]
    fn what_warns_is_told_apart_from_what_refuses() {
        type Change = fn(&mut Facts);
        let warnings: &[Change] = &[
            |facts| facts.alarms = Alarms::NotConfigured,
            |facts| facts.host.free = Err("no such file".to_owned()),
            |facts| facts.host.is_synchronised = Ok(false),
            |facts| facts.host.is_synchronised = Err("timedatectl says nothing".to_owned()),
            |facts| facts.calibrations[0].1 = Some("2026-11-26".parse().unwrap()),
            |facts| facts.calibrations[0].1 = Some("2026-11-29".parse().unwrap()),
            |facts| facts.host.sleep = Sleep::default(),
            |facts| facts.host.power = Err("/sys/class/power_supply: no such file".to_owned()),
            |facts| facts.unfinished = Ok(Some("2026-11-26T20-00-00Z_weekend-soak_0007".to_owned())),
            |facts| facts.unfinished = Err("permission denied".to_owned()),
            // No warning, and no pass either.
            |facts| facts.calibrations[0].1 = None,
            |facts| facts.watchdogs[0].1 = None,
            |facts| {
                let told = "the simulated instruments end with this process";
                facts.drills[0].1 = Ok(Drilled::not_applicable(DrillKind::Killed, told));
            },
        ];
        let refusals: &[Change] = &[
            |facts| facts.drills[0].1 = Err("the bench is in use".to_owned()),
            |facts| {
                let drilled = Drilled {
                    verdict: DrillVerdict::Failed,
                    reason: "the dead-man gave no word".to_owned(),
                    off_after_s: Err(Unavailable::because("no word")),
                    ..passed()
                };
                facts.drills[0].1 = Ok(drilled);
            },
            |facts| facts.low = Err("the supply did not answer".to_owned()),
            |facts| facts.low.as_mut().unwrap().safe = safe(false),
            |facts| facts.alarms = Alarms::Tested(vec![("mail".to_owned(), Err("exit code 1".to_owned()))]),
            |facts| facts.host.free = Ok(3_000_000_000),
            |facts| facts.host.sleep.auto = Some("mem".to_owned()),
            |facts| facts.host.power = Ok(Power::Battery(Some(64))),
        ];
        let mut lines = Vec::new();
        for (changes, go) in [(warnings, true), (refusals, false)] {
            for change in changes {
                let (told, is_go) = differences(change);
                assert_eq!(is_go, go, "{told}");
                lines.push(told);
            }
        }
        insta::assert_snapshot!(lines.join("\n"), @r"
        warning: alarms: no notifications configured: nobody is told when something happens; `soakrig notify-test` shows how
        warning: disk: the run writes about 3 GB to /var/lib/soakrig; what is free there is not known: no such file
        warning: clock: not synchronised: the times in the record may be wrong, and may step
        warning: clock: whether it is synchronised is not known: timedatectl says nothing
        warning: source calibration: was due on 2026-11-26
        warning: source calibration: falls due on 2026-11-29, and the run lasts until 2026-11-30
        warning: host sleep: whether this machine goes to sleep is not known; `systemctl mask sleep.target suspend.target` keeps it awake
        warning: power: what feeds this machine is not known: /sys/class/power_supply: no such file
        warning: earlier run: 2026-11-26T20-00-00Z_weekend-soak_0007 has no end: `soakrig resume` goes on with it, a new run leaves it as it is
        warning: earlier run: not known: permission denied
        not_applicable: source calibration: the rig names no day
        not_applicable: source watchdog: its family's file says nothing of a watchdog of its own, and none is set
        not_applicable: dead-man drill: not applicable: the simulated instruments end with this process
        refusal: dead-man drill: not done: the bench is in use
        refusal: dead-man drill: FAILED: the dead-man gave no word
        refusal: make-safe drill: the supply did not answer
        refusal: make-safe drill: THE OUTPUTS COULD NOT BE VERIFIED OFF, look at the bench now: attempts 1 to 4: no answer
        refusal: alarms: mail: exit code 1
        refusal: disk: 3 GB free at /var/lib/soakrig, and the run writes about 3 GB, besides which 200 MB must stay free; make room, capture less, or name another folder with --out
        refusal: host sleep: the kernel goes to sleep by itself (/sys/power/autosleep is `mem`)
        refusal: power: on the battery (64 % left), and the run takes about 2 d 12 h: plug it in
        ");
    }
}
