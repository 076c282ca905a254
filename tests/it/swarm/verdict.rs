//! How a flight must end, foretold from the schedule of its faults alone; and that whatever it told of trouble was scheduled.

use std::time::Duration;

use soakrig::event::{Event, GapCause, RunEnd, RunVerdict};
use soakrig::sim::{Fault, Instrument, Mishap, Trouble};

use super::{FROZEN_AFTER, Flight, LOST_READING};

/// A way in which a run ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ending {
    /// As without faults, word for word.
    Undisturbed,
    /// With the outputs off, for this reason.
    Tripped(&'static str),
    /// With an output that may be on; for this reason, where it is not the plan's own end.
    MayBeOn(&'static str),
    /// Because its record cannot be kept.
    RecordFailed,
}

/// What a fault does to a run.
struct Effect {
    ending: Ending,
    /// How long after the fault began a run may still come to its own end without noticing it.
    within: Duration,
    /// Whether it must end so, or only may.
    is_certain: bool,
}

/// How long a thermometer that is not heard of is left in peace: so much later it is known that it is back.
const LEFT_IN_PEACE: Duration = Duration::from_secs(10);
/// What a few questions and answers take.
const A_MOMENT: Duration = Duration::from_secs(5);
/// What the attempts to reach an instrument that hangs take, one of which may have just begun.
const AN_ATTEMPT: Duration = Duration::from_secs(30);
/// How long after its end a trouble may be felt: an answer is up to ten seconds late, and then question and answer must be
/// brought together, or the link opened anew.
const AFTERMATH: Duration = Duration::from_secs(30);

/// `None` for a fault that is over before anybody gives up: it must leave no mark on the verdict.
fn effect(trouble: &Trouble) -> Option<Effect> {
    let certain = |ending, within| Some(Effect { ending, within, is_certain: true });
    let fault = match &trouble.mishap {
        Mishap::DiskFull => return certain(Ending::RecordFailed, Duration::ZERO),
        Mishap::Bench(fault) => fault,
    };
    match (fault, trouble.lasts) {
        (Fault::ProtectionTrips, _) => {
            certain(Ending::Tripped("the supply's own protection has tripped"), A_MOMENT)
        }
        (Fault::BoardOverheats(_), None) => certain(Ending::Tripped("board temperature"), A_MOMENT),
        (Fault::SupplyStuckOn | Fault::LoadStuckOn, None) => certain(Ending::MayBeOn(""), A_MOMENT),
        (Fault::Hangs(_), None) => {
            let why = "a reading of supply or load has been missing for";
            certain(Ending::MayBeOn(why), LOST_READING + AN_ATTEMPT)
        }
        (Fault::ThermometerFreezes, Some(lasts)) => {
            let ending = Ending::Tripped("the board's temperature has been missing for");
            let borne = FROZEN_AFTER + LOST_READING;
            // It had stood still for a line or two before it froze, and may be heard of only when it is asked again.
            let is_certain = lasts > borne + A_MOMENT;
            let may = lasts + LEFT_IN_PEACE + A_MOMENT > borne;
            may.then_some(Effect { ending, within: borne + A_MOMENT, is_certain })
        }
        (Fault::ThermometerFallsSilent, Some(lasts)) if lasts + LEFT_IN_PEACE < LOST_READING => None,
        (Fault::Hangs(_), Some(lasts)) if lasts + AN_ATTEMPT < LOST_READING => None,
        // Spoilt is one answer in forty: the ones between are good.
        (Fault::LinkDrops(_) | Fault::Reboots(_) | Fault::Answers(..), Some(_)) => None,
        (fault, lasts) => panic!("nobody knows what comes of this: {fault}, for {lasts:?}"),
    }
}

/// In which ways a run may end that met this schedule and was over at `over`: more than one only where a fault began too late
/// to be noticed, or is over just when it would be.
fn foretell(schedule: &[Trouble], over: Duration) -> Vec<Ending> {
    let mut endings = Vec::new();
    for trouble in schedule.iter().filter(|trouble| trouble.at < over) {
        let Some(effect) = effect(trouble) else { continue };
        endings.push(effect.ending);
        if effect.is_certain && over > trouble.at + effect.within {
            return endings;
        }
    }
    endings.push(Ending::Undisturbed);
    endings
}

/// The same end, word for word. A point whose Vout was answered with rubbish while it settled may be called not settled: it
/// was not seen to settle.
fn is_same_end(end: &RunEnd, undisturbed: &RunEnd, schedule: &[Trouble]) -> bool {
    let has_rubbish = schedule.iter().any(|trouble| trouble.to_string().contains("are no numbers"));
    let reason = match end.reason.rsplit_once("; ") {
        Some((reason, rest)) if has_rubbish && rest.ends_with("points did not settle") => reason.to_owned(),
        _ => end.reason.clone(),
    };
    RunEnd { reason, ..end.clone() } == *undisturbed
}

pub(super) fn check_ending(
    flight: &Flight,
    undisturbed: &Flight,
    schedule: &[Trouble],
    broken: &mut Vec<String>,
) {
    if let Some(what) = &flight.finished.outcome.internal {
        broken.push(format!("a fault of this program: {what}"));
    }
    let over = flight.told.last().map_or(Duration::ZERO, |(at, _)| Duration::from_nanos(at.monotonic.0));
    let endings = foretell(schedule, over);
    let differences: Vec<String> =
        endings.iter().filter_map(|ending| differs(flight, (undisturbed, schedule), *ending)).collect();
    if differences.len() == endings.len() {
        broken.push(differences.join("; or "));
    }
}

/// What of a flight is not as this ending wants it.
fn differs(
    flight: &Flight,
    (undisturbed, schedule): (&Flight, &[Trouble]),
    ending: Ending,
) -> Option<String> {
    let (outcome, may_be_on) = (&flight.finished.outcome, flight.finished.may_be_on);
    let end = &outcome.end;
    let fails = outcome.record_failed.as_deref();
    let is_so = match ending {
        Ending::Undisturbed => {
            is_same_end(end, &undisturbed.finished.outcome.end, schedule)
                && fails.is_none()
                && !may_be_on
                && flight.done() == undisturbed.done()
        }
        Ending::Tripped(why) => {
            let tripped =
                |event: &Event| matches!(event, Event::InterlockTripped { what } if what.contains(why));
            end.verdict == RunVerdict::Tripped
                && end.reason.contains(why)
                && end.outputs_off_verified
                && !may_be_on
                && fails.is_none()
                && flight.told.iter().any(|(_, event)| tripped(event))
        }
        Ending::MayBeOn(why) => {
            end.verdict == RunVerdict::Error
                && end.reason.starts_with("THE OUTPUTS COULD NOT BE VERIFIED OFF")
                && end.reason.contains(why)
                && may_be_on
                && fails.is_none()
        }
        Ending::RecordFailed => {
            end.verdict == RunVerdict::Error
                && fails.is_some_and(|why| why.contains("no storage space") && end.reason.contains(why))
                && end.outputs_off_verified
                && !may_be_on
        }
    };
    (!is_so).then(|| {
        let (done, all) = (flight.done(), undisturbed.done());
        format!(
            "expected {ending:?}, but it is {}: {}; done {} of {}{}",
            end.verdict,
            end.reason,
            done.len(),
            all.len(),
            fails.map(|why| format!("; record: {why}")).unwrap_or_default()
        )
    })
}

/// The instrument that a word of the record speaks of.
fn named(text: &str) -> Option<Instrument> {
    let table = [
        (Instrument::Supply, &["source at SIM::supply", "source was waited for"][..]),
        (Instrument::Load, &["load at SIM::load", "load was waited for"]),
        (Instrument::Scope, &["scope at SIM::scope"]),
        (
            Instrument::Thermometer,
            &["at SIM::thermometer", "the thermometer ", "board was waited for", "ambient was waited for"],
        ),
    ];
    let found = table.iter().find(|(_, words)| words.iter().any(|word| text.contains(word)));
    found.map(|(instrument, _)| *instrument)
}

/// Which instrument a fault is one of.
fn struck(fault: &Fault) -> Instrument {
    match fault {
        Fault::ThermometerFreezes | Fault::ThermometerFallsSilent | Fault::BoardOverheats(_) => {
            Instrument::Thermometer
        }
        Fault::SupplyStuckOn | Fault::ProtectionTrips => Instrument::Supply,
        Fault::LoadStuckOn => Instrument::Load,
        Fault::Hangs(who) | Fault::Reboots(who) | Fault::LinkDrops(who) | Fault::Answers(who, _) => *who,
        other => panic!("no schedule has {other}"),
    }
}

/// Whether a fault of that instrument could be felt between the two times.
fn is_scheduled(schedule: &[Trouble], who: Instrument, (from, to): (Duration, Duration)) -> bool {
    schedule.iter().any(|trouble| {
        let Mishap::Bench(fault) = &trouble.mishap else { return false };
        // A link of the scope is used again at the next capture only.
        let lasts = trouble.lasts.filter(|_| who != Instrument::Scope);
        let until = lasts.map_or(Duration::MAX, |lasts| trouble.at + lasts + AFTERMATH);
        struck(fault) == who && trouble.at <= to && from <= until
    })
}

/// Each gap, each repetition and each silent sensor is of an instrument that a scheduled fault had struck; and a link that
/// was cut is told.
pub(super) fn check_causes(flight: &Flight, schedule: &[Trouble], broken: &mut Vec<String>) {
    let span = |instant: soakrig::base::clock::Instant| Duration::from_nanos(instant.0);
    let mut repeated = Vec::new();
    for (at, event) in &flight.told {
        let at = span(at.monotonic);
        let (what, times) = match event {
            Event::Retried { what, .. } => {
                repeated.extend(named(what).map(|who| (who, at)));
                (what, (at, at))
            }
            Event::SensorFailed { what, .. } => (what, (at, at)),
            Event::GapFound(gap) if gap.cause != GapCause::Instrument => {
                broken.push(format!("a gap is called the doing of the {:?}: {}", gap.cause, gap.what));
                continue;
            }
            Event::GapFound(gap) => (&gap.what, (span(gap.from), span(gap.to))),
            _ => continue,
        };
        if !named(what).is_some_and(|who| is_scheduled(schedule, who, times)) {
            broken.push(format!("no fault explains this at {at:?}: {what}"));
        }
    }
    let over = flight.told.last().map_or(Duration::ZERO, |(at, _)| span(at.monotonic));
    for trouble in schedule {
        let Mishap::Bench(Fault::Reboots(who) | Fault::LinkDrops(who)) = trouble.mishap else { continue };
        let is_asked = matches!(who, Instrument::Supply | Instrument::Load) && trouble.at + A_MOMENT < over;
        let is_told = |(struck, at): &(Instrument, Duration)| {
            *struck == who && *at >= trouble.at && *at <= trouble.at + A_MOMENT
        };
        if is_asked && !repeated.iter().any(is_told) {
            broken.push(format!("nobody noticed: {trouble}"));
        }
    }
}
