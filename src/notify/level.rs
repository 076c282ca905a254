//! Which event is told, and how urgent it is: a pure function.

use crate::event::Event;

/// How urgent a message is; a later one goes before an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing is wrong: the run goes on.
    Alive,
    /// Something a person should know; the run goes on.
    Warn,
    /// The run is over.
    Finish,
    /// The run was ended by an interlock, or the outputs could not be verified off.
    Trip,
}

impl Level {
    /// All levels with their words.
    pub const ALL: [(&'static str, Self); 4] =
        [("warn", Self::Warn), ("trip", Self::Trip), ("finish", Self::Finish), ("alive", Self::Alive)];

    /// The word in files and messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Warn => "warn",
            Self::Finish => "finish",
            Self::Trip => "trip",
        }
    }
}

/// The level of an event and what is said of it; `None` for what nobody is woken for.
#[must_use]
pub fn level_of(event: &Event) -> Option<(Level, String)> {
    match event {
        Event::Warned { what } => Some((Level::Warn, what.clone())),
        Event::Retried { what, .. } => Some((Level::Warn, format!("tried again: {what}"))),
        Event::SensorFailed { what, .. } => Some((Level::Warn, format!("sensor failed: {what}"))),
        Event::InterlockHeld { what, .. } => Some((Level::Warn, format!("held: {what}"))),
        Event::InterlockReleased { what, .. } => Some((Level::Warn, format!("released: {what}"))),
        Event::GapFound(gap) => {
            Some((Level::Warn, format!("{} readings are missing: {}", gap.missed, gap.what)))
        }
        Event::LimitBroken(broken) => Some((Level::Warn, broken.what.clone())),
        Event::StartChecked(check) if !check.started => {
            Some((Level::Warn, format!("the board did not start at start {}", check.start.0)))
        }
        Event::StartChecked(check) if check.is_no_start() => {
            let told = format!("start {} is none: the board had not been off before", check.start.0);
            Some((Level::Warn, told))
        }
        Event::InterlockTripped { what } => Some((Level::Trip, format!("TRIPPED: {what}"))),
        Event::MadeSafe(safe) if !safe.verified => {
            let failures = safe.failures.join("; ");
            Some((
                Level::Trip,
                format!("THE OUTPUTS COULD NOT BE VERIFIED OFF: look at the bench now: {failures}"),
            ))
        }
        Event::RunFinished(end) => {
            let outputs =
                if end.outputs_off_verified { "outputs verified off" } else { "OUTPUTS NOT VERIFIED OFF" };
            Some((Level::Finish, format!("{}: {}; {outputs}", end.verdict, end.reason)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Celsius, Volts};
    use crate::event::{
        BrokenAt, DwellId, LimitBroken, PointId, RunEnd, RunVerdict, SafeState, Setting, Stop,
    };
    use std::time::Duration;

    fn safe(verified: bool) -> Event {
        Event::MadeSafe(SafeState {
            load_off: true,
            supply_off: verified,
            vout_v: Ok(0.0),
            verified,
            attempts: 4,
            failures: vec!["source: no answer".to_owned()],
        })
    }

    fn finished(outputs_off_verified: bool) -> Event {
        Event::RunFinished(RunEnd {
            verdict: RunVerdict::Fail,
            reason: "spikes".to_owned(),
            points_finished: 3,
            points_failed: 1,
            points_not_applicable: 0,
            outputs_off_verified,
        })
    }

    #[test]
    fn each_event_has_its_level() {
        let role = || "board".parse().unwrap();
        let what = || "X".to_owned();
        let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
        let events = [
            Event::Warned { what: what() },
            Event::LimitBroken(LimitBroken { limit: 0, at: BrokenAt::Dwell(DwellId(3)), what: what() }),
            Event::Retried { role: role(), what: what(), attempt: 1 },
            Event::SensorFailed { role: role(), what: what(), withheld: crate::event::Withheld::default() },
            Event::InterlockHeld { what: what(), load: None },
            Event::InterlockReleased { what: what(), held: Duration::from_secs(9), load: None },
            Event::InterlockTripped { what: what() },
            safe(true),
            safe(false),
            finished(true),
            finished(false),
            Event::OutputSwitched { role: role(), on: true },
            Event::PointStarted { point: PointId(1), setting, attempt: 1 },
            Event::TemperatureRead { role: role(), temperature: Celsius(45.0) },
            Event::StopRequested { stop: Stop::Now },
        ];
        let table: Vec<String> = events
            .iter()
            .map(|event| match level_of(event) {
                Some((level, text)) => format!("{:<6} {text}", level.word()),
                None => format!("-      {}", format!("{event:?}").split([' ', '(']).next().unwrap()),
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        warn   X
        warn   X
        warn   tried again: X
        warn   sensor failed: X
        warn   held: X
        warn   released: X
        trip   TRIPPED: X
        -      MadeSafe
        trip   THE OUTPUTS COULD NOT BE VERIFIED OFF: look at the bench now: source: no answer
        finish fail: spikes; outputs verified off
        finish fail: spikes; OUTPUTS NOT VERIFIED OFF
        -      OutputSwitched
        -      PointStarted
        -      TemperatureRead
        -      StopRequested
        ");
    }

    #[test]
    fn what_ends_a_run_goes_before_what_does_not() {
        assert!(Level::Trip > Level::Finish && Level::Finish > Level::Warn && Level::Warn > Level::Alive);
        for (word, level) in Level::ALL {
            assert_eq!(level.word(), word);
        }
    }
}
