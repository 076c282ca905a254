//! Between events and their mirror on the disk.

use std::time::Duration;

use super::{RecordError, journal};
use crate::base::units::{Amps, Celsius, Volts};
use crate::event::{
    Drilled, DwellId, Event, InstrumentFacts, PointId, Resumed, RunEnd, SafeState, Stop, Unsent,
};

use super::format::{
    CalibrationEntry, DeadmanDrilled, DwellEntry, Entry, InstrumentOpened, MadeSafe, Number, PhaseEntry,
    RunFinished, RunResumed, SetEntry, StopWord, UnsentEntry,
};
use super::judged::{broken_in, broken_out, judged_in, judged_out};
use super::pieces::{
    facts_in, facts_out, figure_in, figure_out, floor_in, floor_out, point_in, point_out, setting_in, word,
};
use super::readings::{
    dwell_end_in, dwell_end_out, early_in, early_out, gap_in, gap_out, load_change_in, load_change_out,
    readings_in, readings_out, start_in, start_out,
};
use super::withheld::{sensor_in, sensor_out};

pub(super) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

fn instrument_out(facts: &InstrumentFacts) -> InstrumentOpened {
    InstrumentOpened {
        role: facts.role.to_string(),
        address: facts.address.clone(),
        family: facts.family.clone(),
        maker: facts.maker.clone(),
        model: facts.model.clone(),
        serial: facts.serial.clone(),
        firmware: facts.firmware.clone(),
        calibration_due: facts.calibration_due.clone().map(|(day, past)| CalibrationEntry { day, past }),
    }
}

fn instrument_in(entry: InstrumentOpened) -> Result<InstrumentFacts, String> {
    Ok(InstrumentFacts {
        role: word(&entry.role)?,
        address: entry.address,
        family: entry.family,
        maker: entry.maker,
        model: entry.model,
        serial: entry.serial,
        firmware: entry.firmware,
        calibration_due: entry.calibration_due.map(|due| (due.day, due.past)),
    })
}

fn safe_out(state: &SafeState) -> MadeSafe {
    MadeSafe {
        load_off: state.load_off,
        supply_off: state.supply_off,
        vout_v: figure_out(&state.vout_v),
        verified: state.verified,
        attempts: state.attempts,
        failures: state.failures.clone(),
    }
}

fn safe_in(entry: MadeSafe) -> SafeState {
    SafeState {
        load_off: entry.load_off,
        supply_off: entry.supply_off,
        vout_v: figure_in(entry.vout_v),
        verified: entry.verified,
        attempts: entry.attempts,
        failures: entry.failures,
    }
}

fn drilled_out(drilled: &Drilled) -> DeadmanDrilled {
    DeadmanDrilled {
        kind: drilled.kind.to_string(),
        verdict: drilled.verdict.to_string(),
        reason: drilled.reason.clone(),
        energised_v: figure_out(&drilled.energised_v),
        off_after_s: figure_out(&drilled.off_after_s),
        supply_v: figure_out(&drilled.supply_v),
        vout_v: figure_out(&drilled.vout_v),
    }
}

fn drilled_in(entry: DeadmanDrilled) -> Result<Drilled, String> {
    Ok(Drilled {
        kind: word(&entry.kind)?,
        verdict: word(&entry.verdict)?,
        reason: entry.reason,
        energised_v: figure_in(entry.energised_v),
        off_after_s: figure_in(entry.off_after_s),
        supply_v: figure_in(entry.supply_v),
        vout_v: figure_in(entry.vout_v),
    })
}

fn resumed_out(resumed: &Resumed) -> RunResumed {
    let Resumed { gap, points_finished, what } = resumed;
    RunResumed { gap_ns: gap.map(nanos), points_finished: *points_finished, what: what.clone() }
}

fn resumed_in(entry: RunResumed) -> Resumed {
    let RunResumed { gap_ns, points_finished, what } = entry;
    Resumed { gap: gap_ns.map(Duration::from_nanos), points_finished, what }
}

fn unsent_out(unsent: &Unsent) -> UnsentEntry {
    let Unsent { way, level, what, attempts, why } = unsent.clone();
    UnsentEntry { way, level, what, attempts, why }
}

fn unsent_in(entry: UnsentEntry) -> Unsent {
    let UnsentEntry { way, level, what, attempts, why } = entry;
    Unsent { way, level, what, attempts, why }
}

/// The event as it stands in the journal.
///
/// # Errors
/// It has no form as JSON, which is a fault of this program.
pub(super) fn entry_of(event: &Event) -> Result<Entry, RecordError> {
    Ok(match event {
        Event::RunStarted(facts) => Entry::RunStarted(Box::new(facts_out(facts))),
        Event::InstrumentOpened(facts) => Entry::InstrumentOpened(instrument_out(facts)),
        Event::ProtectionSet { role, over_voltage, over_current } => Entry::ProtectionSet {
            role: role.to_string(),
            over_voltage_v: over_voltage.map(|level| Number(level.value())),
            over_current_a: over_current.map(|level| Number(level.value())),
        },
        Event::WiringChecked { findings } => Entry::WiringChecked { findings: findings.clone() },
        Event::NoiseFloorMeasured(floor) => Entry::NoiseFloorMeasured(Box::new(floor_out(floor))),
        Event::OutputSwitched { role, on } => Entry::OutputSwitched { role: role.to_string(), on: *on },
        Event::PointStarted { point, setting, attempt } => Entry::PointStarted {
            point: point.0,
            vin_set_v: Number(setting.vin.value()),
            load_set_a: Number(setting.load.value()),
            attempt: *attempt,
        },
        Event::Settled { point, took, settled } => {
            Entry::Settled { point: point.0, took_ns: nanos(*took), settled: *settled }
        }
        Event::PointFinished(result) => Entry::PointFinished(Box::new(point_out(result))),
        Event::PhaseStarted { phase, name, round } => {
            Entry::PhaseStarted(PhaseEntry { phase: *phase, name: name.clone(), round: *round })
        }
        Event::ReadingsTaken(readings) => Entry::ReadingsTaken(
            readings_out(readings).map_err(|error| RecordError::no_form(journal::FILE_NAME, error))?,
        ),
        Event::DwellFinished { dwell, took, end, left_out, setting } => Entry::DwellFinished(DwellEntry {
            dwell: dwell.0,
            took_ns: nanos(*took),
            end: dwell_end_out(*end),
            left_out: *left_out,
            set: setting.map(|setting| SetEntry {
                vin_v: Number(setting.vin.value()),
                load_a: Number(setting.load.value()),
            }),
        }),
        Event::StartChecked(check) => Entry::StartChecked(start_out(check)),
        Event::LimitBroken(broken) => Entry::LimitBroken(broken_out(broken)),
        Event::ReadingsJudged(judged) => Entry::ReadingsJudged(judged_out(judged)),
        Event::LookedEarly(look) => Entry::LookedEarly(early_out(look)),
        Event::GapFound(gap) => Entry::GapFound(gap_out(gap)),
        Event::EvidenceKept { point, why } => Entry::EvidenceKept { point: point.0, why: why.clone() },
        Event::ClockStepped { by_s } => Entry::ClockStepped { by_s: Number(*by_s) },
        Event::RunResumed(resumed) => Entry::RunResumed(resumed_out(resumed)),
        Event::Retried { role, what, attempt } => {
            Entry::Retried { role: role.to_string(), what: what.clone(), attempt: *attempt }
        }
        Event::SensorFailed { role, what, withheld } => sensor_out((role, what), withheld),
        Event::InterlockHeld { what, load } => {
            Entry::InterlockHeld { what: what.clone(), load: load.map(load_change_out) }
        }
        Event::InterlockReleased { what, held, load } => Entry::InterlockReleased {
            what: what.clone(),
            held_ns: nanos(*held),
            load: load.map(load_change_out),
        },
        Event::InterlockTripped { what } => Entry::InterlockTripped { what: what.clone() },
        Event::StopRequested { stop } => Entry::StopRequested { stop: stop_out(*stop) },
        Event::Warned { what } => Entry::Warned { what: what.clone() },
        Event::MessageUnsent(unsent) => Entry::MessageUnsent(Box::new(unsent_out(unsent))),
        Event::TemperatureRead { role, temperature } => {
            Entry::TemperatureRead { role: role.to_string(), temperature_c: Number(temperature.value()) }
        }
        Event::DeadmanDrilled(drilled) => Entry::DeadmanDrilled(Box::new(drilled_out(drilled))),
        Event::MadeSafe(state) => Entry::MadeSafe(safe_out(state)),
        Event::RunFinished(end) => Entry::RunFinished(end_out(end)),
    })
}

const fn stop_out(stop: Stop) -> StopWord {
    match stop {
        Stop::AfterPoint => StopWord::AfterPoint,
        Stop::Now => StopWord::Now,
    }
}

fn end_out(end: &RunEnd) -> RunFinished {
    RunFinished {
        verdict: end.verdict.to_string(),
        reason: end.reason.clone(),
        points_finished: end.points_finished,
        points_failed: end.points_failed,
        points_not_applicable: end.points_not_applicable,
        outputs_off_verified: end.outputs_off_verified,
    }
}

/// The event that an entry stands for; `None` for entries that are no events (header, waveform, screen).
pub(super) fn event_of(entry: Entry) -> Result<Option<Event>, String> {
    Ok(Some(match entry {
        Entry::Header(_) | Entry::Waveform(_) | Entry::Screen(_) => return Ok(None),
        Entry::RunStarted(facts) => Event::RunStarted(Box::new(facts_in(*facts)?)),
        Entry::InstrumentOpened(facts) => Event::InstrumentOpened(instrument_in(facts)?),
        Entry::ProtectionSet { role, over_voltage_v, over_current_a } => Event::ProtectionSet {
            role: word(&role)?,
            over_voltage: over_voltage_v.map(|level| Volts(level.0)),
            over_current: over_current_a.map(|level| Amps(level.0)),
        },
        Entry::WiringChecked { findings } => Event::WiringChecked { findings },
        Entry::NoiseFloorMeasured(floor) => Event::NoiseFloorMeasured(Box::new(floor_in(*floor)?)),
        Entry::OutputSwitched { role, on } => Event::OutputSwitched { role: word(&role)?, on },
        Entry::PointStarted { point, vin_set_v, load_set_a, attempt } => {
            Event::PointStarted { point: PointId(point), setting: setting_in(vin_set_v, load_set_a), attempt }
        }
        Entry::Settled { point, took_ns, settled } => {
            Event::Settled { point: PointId(point), took: Duration::from_nanos(took_ns), settled }
        }
        Entry::PointFinished(result) => Event::PointFinished(Box::new(point_in(*result)?)),
        Entry::PhaseStarted(PhaseEntry { phase, name, round }) => Event::PhaseStarted { phase, name, round },
        Entry::ReadingsTaken(raw) => Event::ReadingsTaken(Box::new(readings_in(&raw)?)),
        Entry::DwellFinished(DwellEntry { dwell, took_ns, end, left_out, set }) => Event::DwellFinished {
            dwell: DwellId(dwell),
            took: Duration::from_nanos(took_ns),
            end: dwell_end_in(end),
            left_out,
            setting: set.map(|set| setting_in(set.vin_v, set.load_a)),
        },
        Entry::StartChecked(entry) => Event::StartChecked(start_in(entry)),
        Entry::LimitBroken(entry) => Event::LimitBroken(broken_in(entry)?),
        Entry::ReadingsJudged(entry) => Event::ReadingsJudged(judged_in(entry)),
        Entry::LookedEarly(entry) => Event::LookedEarly(early_in(entry)),
        Entry::GapFound(entry) => Event::GapFound(gap_in(entry)),
        Entry::EvidenceKept { point, why } => Event::EvidenceKept { point: PointId(point), why },
        Entry::ClockStepped { by_s } => Event::ClockStepped { by_s: by_s.0 },
        Entry::RunResumed(entry) => Event::RunResumed(resumed_in(entry)),
        Entry::Retried { role, what, attempt } => Event::Retried { role: word(&role)?, what, attempt },
        Entry::SensorFailed { role, what, withheld_points, withheld_judged } => {
            sensor_in(word(&role)?, what, (withheld_points, withheld_judged))
        }
        Entry::InterlockHeld { what, load } => Event::InterlockHeld { what, load: load.map(load_change_in) },
        Entry::InterlockReleased { what, held_ns, load } => Event::InterlockReleased {
            what,
            held: Duration::from_nanos(held_ns),
            load: load.map(load_change_in),
        },
        Entry::InterlockTripped { what } => Event::InterlockTripped { what },
        Entry::StopRequested { stop } => Event::StopRequested {
            stop: match stop {
                StopWord::AfterPoint => Stop::AfterPoint,
                StopWord::Now => Stop::Now,
            },
        },
        Entry::Warned { what } => Event::Warned { what },
        Entry::MessageUnsent(entry) => Event::MessageUnsent(Box::new(unsent_in(*entry))),
        Entry::TemperatureRead { role, temperature_c } => {
            Event::TemperatureRead { role: word(&role)?, temperature: Celsius(temperature_c.0) }
        }
        Entry::DeadmanDrilled(drilled) => Event::DeadmanDrilled(Box::new(drilled_in(*drilled)?)),
        Entry::MadeSafe(state) => Event::MadeSafe(safe_in(state)),
        Entry::RunFinished(end) => Event::RunFinished(RunEnd {
            verdict: word(&end.verdict)?,
            reason: end.reason,
            points_finished: end.points_finished,
            points_failed: end.points_failed,
            points_not_applicable: end.points_not_applicable,
            outputs_off_verified: end.outputs_off_verified,
        }),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Instant;
    use crate::event::{
        BeforeStart, BrokenAt, DrillKind, DrillVerdict, DwellEnd, EarlyAnswer, EarlyLook, FigureName, Gap,
        GapCause, LimitBroken, LoadChange, Reading, ReadingCheck, Readings, ReadingsJudged, Resumed,
        RunVerdict, Setting, StartCheck, StartId, Withheld,
    };
    use crate::waveform::Unavailable;

    #[test]
    fn every_kind_of_event_comes_back_as_it_was() {
        let role = || "scope".parse().unwrap();
        let withheld = || {
            let check = ReadingCheck {
                limit: 1,
                judged: 9,
                marginal: 0,
                failed: 1,
                worst: 61.0,
                first: Some(Instant(5)),
            };
            let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
            let judged = ReadingsJudged { checks: vec![check], ..ReadingsJudged::new(DwellId(3), setting) };
            Withheld { points: vec![PointId(4), PointId(5)], judged: vec![judged] }
        };
        let what = || "line 1\nline \"2\" °C".to_owned();
        let events = [
            Event::ProtectionSet { role: role(), over_voltage: Some(Volts(26.4)), over_current: None },
            Event::WiringChecked { findings: vec![what()] },
            Event::OutputSwitched { role: role(), on: true },
            Event::Settled { point: PointId(3), took: Duration::from_nanos(1_234_567_891), settled: false },
            Event::Retried { role: role(), what: what(), attempt: 2 },
            Event::SensorFailed { role: role(), what: what(), withheld: Withheld::default() },
            Event::SensorFailed { role: role(), what: what(), withheld: withheld() },
            Event::InterlockHeld { what: what(), load: None },
            Event::InterlockHeld { what: what(), load: Some(LoadChange { from: Amps(0.5), to: Amps(0.25) }) },
            Event::InterlockReleased { what: what(), held: Duration::from_secs(9), load: None },
            Event::InterlockReleased {
                what: what(),
                held: Duration::from_secs(9),
                load: Some(LoadChange { from: Amps(0.25), to: Amps(0.5) }),
            },
            Event::InterlockTripped { what: what() },
            Event::StopRequested { stop: Stop::Now },
            Event::StopRequested { stop: Stop::AfterPoint },
            Event::Warned { what: what() },
            Event::MessageUnsent(Box::new(Unsent {
                way: what(),
                level: "trip".to_owned(),
                what: what(),
                attempts: 6,
                why: what(),
            })),
            Event::TemperatureRead { role: role(), temperature: Celsius(f64::INFINITY) },
            Event::DeadmanDrilled(Box::new(Drilled {
                kind: DrillKind::Suspended,
                verdict: DrillVerdict::Failed,
                reason: what(),
                energised_v: Ok(1.001),
                off_after_s: Err(Unavailable::because("no word")),
                supply_v: Ok(-0.000_4),
                vout_v: Ok(0.0),
            })),
            Event::MadeSafe(SafeState {
                load_off: true,
                supply_off: false,
                vout_v: Err(Unavailable::because("no answer")),
                verified: false,
                attempts: 3,
                failures: vec![what()],
            }),
            Event::RunFinished(RunEnd {
                verdict: RunVerdict::Tripped,
                reason: what(),
                points_finished: 1,
                points_failed: 2,
                points_not_applicable: 3,
                outputs_off_verified: true,
            }),
        ];
        comes_back(&events);
    }

    fn comes_back(events: &[Event]) {
        for event in events {
            let json = serde_json::to_string(&entry_of(event).unwrap()).unwrap();
            let entry: Entry = serde_json::from_str(&json).unwrap();
            assert_eq!(event_of(entry), Ok(Some(event.clone())), "{json}");
        }
    }

    #[test]
    fn every_kind_of_event_of_a_soak_comes_back_as_it_was() {
        let what = || "line 1\nline \"2\" °C".to_owned();
        let ended = |seconds, end, left_out| {
            let took = Duration::from_secs(seconds);
            let setting = (left_out > 0).then_some(Setting { vin: Volts(24.0), load: Amps(0.25) });
            Event::DwellFinished { dwell: DwellId(3), took, end, left_out, setting }
        };
        let judged = ReadingsJudged {
            dwell: DwellId(3),
            setting: Setting { vin: Volts(24.0), load: Amps(0.5) },
            checks: vec![
                ReadingCheck {
                    limit: 1,
                    judged: 60,
                    marginal: 2,
                    failed: 7,
                    worst: 4.75,
                    first: Some(Instant(77)),
                },
                ReadingCheck { limit: 2, judged: 1, marginal: 0, failed: 0, worst: 0.0, first: None },
            ],
        };
        comes_back(&[
            Event::PhaseStarted { phase: 2, name: what(), round: 7 },
            Event::ReadingsTaken(Box::new(Readings {
                dwell: DwellId(3),
                done: Duration::from_millis(2500),
                held: true,
                judged: Some(judged.clone()),
                rows: vec![
                    Reading { at: Instant(1_500_000_000), vout_v: Some(4.998_7), ..Reading::default() },
                    Reading { at: Instant(2_501_000_000), board_c: Some(41.25), ..Reading::default() },
                ],
            })),
            ended(60, DwellEnd::NotSteady, 0),
            ended(50, DwellEnd::Steady, 7),
            Event::StartChecked(StartCheck {
                start: StartId(9),
                setting: Setting { vin: Volts(24.0), load: Amps(0.5) },
                before: Some(BeforeStart { vout_v: 4.278, was_off: false }),
                took_s: Ok(0.02),
                vout_v: Err(Unavailable::because("no answer")),
                started: false,
            }),
            Event::EvidenceKept { point: PointId(4), why: what() },
            Event::LimitBroken(LimitBroken { limit: 2, at: BrokenAt::Point(PointId(4)), what: what() }),
            Event::LimitBroken(LimitBroken { limit: 0, at: BrokenAt::Dwell(DwellId(0)), what: what() }),
            Event::ReadingsJudged(judged),
            Event::LookedEarly(EarlyLook {
                look: 2,
                looks: 5,
                answer: EarlyAnswer::Fail,
                done: Duration::from_secs(7200),
                planned: Duration::from_nanos(21_600_000_000_001),
                what: what(),
            }),
            Event::GapFound(Gap {
                from: Instant(5),
                to: Instant(9),
                missed: 4,
                cause: GapCause::Interlock,
                what: what(),
            }),
            Event::ClockStepped { by_s: -3600.25 },
            Event::RunResumed(Resumed {
                gap: Some(Duration::from_nanos(123_456_789)),
                points_finished: 7,
                what: what(),
            }),
            Event::RunResumed(Resumed { gap: None, points_finished: 0, what: what() }),
        ]);
    }

    #[test]
    fn a_word_from_elsewhere_is_named() {
        let json = r#"{"point_finished":{"point":1,"repeat":1,"vin_set_v":1,"load_set_a":0.1,
            "figures":{"vuot_v":1.5},"region":"off","checks":[],"verdict":"pass","notes":[]}}"#;
        let entry: Entry = serde_json::from_str(json).unwrap();
        assert_eq!(event_of(entry), Err("`vuot_v` is no figure; the nearest is `vout_v`".to_owned()));
        assert_eq!(FigureName::Vout.key(), "vout_v");
    }
}
