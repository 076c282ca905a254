//! What the report says in tables: how ripple was looked at, what went wrong on the way, what could not be had, where the
//! board starts. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::reason::ReasonKind;
use crate::base::span::render_span;
use crate::event::{Event, NoiseFloor, PointId, PointResult, Region, Stop};
use crate::record::Record;
use crate::waveform::Acquisition;

/// Captures taken under the same conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    /// The first of them.
    pub acquisition: Acquisition,
    /// How many.
    pub captures: usize,
    /// Lowest and highest vertical scale in volts a division.
    pub volts_per_div: (f64, f64),
    /// Lowest and highest number of samples.
    pub samples: (u64, u64),
    /// Lowest and highest sample rate in Hz.
    pub sample_rate_hz: (f64, f64),
    /// Where the range could not be met: what was seen, and at which points.
    pub range_notes: Vec<(String, Vec<u32>)>,
}

/// Groups the captures of a record by what they can be compared under.
#[must_use]
pub fn conditions(record: &Record) -> Vec<Conditions> {
    let mut groups: Vec<Conditions> = Vec::new();
    for facts in record.waveforms().iter().filter(|facts| facts.point != PointId::NONE) {
        let about = &facts.acquisition;
        let is_same = |known: &Acquisition| {
            known.signal == about.signal
                && known.purpose == about.purpose
                && known.channel == about.channel
                && known.coupling == about.coupling
                && known.bandwidth_limit_hz == about.bandwidth_limit_hz
                && known.probe_ratio.to_bits() == about.probe_ratio.to_bits()
                && known.fixture == about.fixture
        };
        let rate_hz = 1.0 / facts.step_s;
        let place = match groups.iter().position(|group| is_same(&group.acquisition)) {
            Some(place) => place,
            None => {
                groups.push(Conditions {
                    acquisition: about.clone(),
                    captures: 0,
                    volts_per_div: (about.volts_per_div, about.volts_per_div),
                    samples: (facts.samples, facts.samples),
                    sample_rate_hz: (rate_hz, rate_hz),
                    range_notes: Vec::new(),
                });
                groups.len() - 1
            }
        };
        let group = &mut groups[place];
        group.captures += 1;
        let widen = |range: (f64, f64), value: f64| (range.0.min(value), range.1.max(value));
        group.volts_per_div = widen(group.volts_per_div, about.volts_per_div);
        group.sample_rate_hz = widen(group.sample_rate_hz, rate_hz);
        group.samples = (group.samples.0.min(facts.samples), group.samples.1.max(facts.samples));
        if let Some(note) = &about.range_note {
            match group.range_notes.iter_mut().find(|(known, _)| known == note) {
                Some((_, points)) => points.push(facts.point.0),
                None => group.range_notes.push((note.clone(), vec![facts.point.0])),
            }
        }
    }
    groups
}

/// What probe and scope show by themselves, in every set-up it was captured in.
#[must_use]
pub fn floors(record: &Record) -> Vec<NoiseFloor> {
    let floors = record.events().iter().filter_map(|logged| match &logged.event {
        Event::NoiseFloorMeasured(floor) => Some((**floor).clone()),
        _ => None,
    });
    floors.collect()
}

/// Something that went other than planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// How long after the begin of the run.
    pub after: Duration,
    /// The wall clock then.
    pub utc: Timestamp,
    /// The point that was being measured; `None` before the first.
    pub point: Option<u32>,
    /// What kind.
    pub kind: &'static str,
    /// What happened.
    pub what: String,
}

/// Retries, warnings, interlocks, stops, in order.
#[must_use]
pub fn incidents(record: &Record) -> Vec<Incident> {
    let start = record.started().monotonic;
    let mut point = None;
    let mut incidents = Vec::new();
    for logged in record.events() {
        let (kind, what) = match &logged.event {
            Event::PointStarted { point: this, attempt, .. } => {
                point = Some(this.0);
                if *attempt < 2 {
                    continue;
                }
                ("measured again", format!("attempt {attempt}"))
            }
            Event::Settled { took, settled: false, .. } => {
                ("not settled", format!("given up after {}", render_span(*took)))
            }
            Event::Retried { role, what, attempt } => {
                ("tried again", format!("{role}, attempt {attempt}: {what}"))
            }
            Event::SensorFailed { role, what, .. } => ("sensor failed", format!("{role}: {what}")),
            Event::InterlockHeld { what, .. } => ("interlock held", what.clone()),
            Event::InterlockReleased { what, held, .. } => {
                ("interlock released", format!("{what}, after {}", render_span(*held)))
            }
            Event::InterlockTripped { what } => ("interlock tripped", what.clone()),
            Event::StopRequested { stop: Stop::AfterPoint } => {
                ("stop asked for", "after the point".to_owned())
            }
            Event::StopRequested { stop: Stop::Now } => ("stop asked for", "outputs off at once".to_owned()),
            Event::Warned { what } => ("warning", what.clone()),
            Event::MessageUnsent(unsent) => ("message not delivered", unsent.to_string()),
            Event::LimitBroken(broken) => ("limit broken", broken.what.clone()),
            Event::LookedEarly(look) if look.ends() => ("ended early", look.what.clone()),
            Event::RunResumed(resumed) => ("gone on with", resumed.what.clone()),
            Event::ClockStepped { by_s } => ("wall clock stepped", format!("by {by_s:+.1} s")),
            Event::DeadmanDrilled(drilled) if drilled.refusal().is_some() => {
                ("drill failed", drilled.reason.clone())
            }
            Event::MadeSafe(state) if !state.failures.is_empty() => {
                ("switching off failed", state.failures.join("; "))
            }
            _ => continue,
        };
        let after = logged.at.monotonic.since(start);
        incidents.push(Incident { after, utc: logged.at.utc, point, kind, what });
    }
    incidents
}

/// What could not be had for one kind of reason at the same points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What, as a person calls it.
    pub what: Vec<&'static str>,
    /// Why; numbers that differ from point to point are told as ranges.
    pub reason: String,
    /// At which points.
    pub points: Vec<u32>,
}

/// Groups everything that was asked for and could not be had.
#[must_use]
pub fn missing(points: &[PointResult]) -> Vec<Missing> {
    let mut by_what: Vec<(&'static str, ReasonKind, Vec<u32>)> = Vec::new();
    for point in points {
        let figures = point.figures.iter().map(|(name, figure)| (name.title(), figure.as_ref().err()));
        let regulation = ("how the supply is regulated", point.regulation.as_ref().err());
        for (what, reason) in figures.chain([regulation]) {
            let Some(reason) = reason else { continue };
            let kind = ReasonKind::new(&reason.0);
            match by_what.iter_mut().find(|(known, of, _)| *known == what && of.is_like(&kind)) {
                Some((_, of, points)) => {
                    of.widen(&kind);
                    points.push(point.point.0);
                }
                None => by_what.push((what, kind, vec![point.point.0])),
            }
        }
    }
    let mut groups: Vec<Missing> = Vec::new();
    for (what, kind, points) in by_what {
        let reason = kind.to_string();
        match groups.iter_mut().find(|group| group.reason == reason && group.points == points) {
            Some(group) => group.what.push(what),
            None => groups.push(Missing { what: vec![what], reason, points }),
        }
    }
    groups
}

/// A kind of note and the points it stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The letter that stands for it in the table of points.
    pub letter: String,
    /// What it says; numbers that differ from point to point are told as ranges.
    pub what: String,
    /// At which points.
    pub points: Vec<u32>,
}

/// The notes of all points, each kind once.
#[must_use]
pub fn notes(points: &[PointResult]) -> Vec<Note> {
    let mut kinds: Vec<(ReasonKind, Vec<u32>)> = Vec::new();
    for point in points {
        for note in &point.notes {
            let this = ReasonKind::new(note);
            match kinds.iter_mut().find(|(kind, _)| kind.is_like(&this)) {
                Some((kind, points)) => {
                    kind.widen(&this);
                    points.push(point.point.0);
                }
                None => kinds.push((this, vec![point.point.0])),
            }
        }
    }
    let note = |(place, (kind, points)): (usize, (ReasonKind, Vec<u32>))| Note {
        letter: letter(place),
        what: kind.to_string(),
        points,
    };
    kinds.into_iter().enumerate().map(note).collect()
}

/// `a` to `z`, then `aa`, `ab` and so on.
fn letter(place: usize) -> String {
    let last = char::from(b'a' + (place % 26) as u8);
    match place / 26 {
        0 => last.to_string(),
        more => format!("{}{last}", letter(more - 1)),
    }
}

/// Where the board starts at one load.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// Load that was set, in amperes.
    pub load_a: f64,
    /// Highest input voltage with the output off, in volts.
    pub highest_off_v: Option<f64>,
    /// Lowest input voltage in regulation, in volts.
    pub lowest_regulated_v: Option<f64>,
    /// Input voltages at which there was an output outside regulation, in volts.
    pub unregulated_v: Vec<f64>,
    /// Points at which the output voltage could not be measured.
    pub unknown: usize,
}

/// Where the board starts, a row a load.
#[must_use]
pub fn starts(points: &[PointResult]) -> Vec<Start> {
    let mut loads: Vec<f64> = points.iter().map(|point| point.setting.load.value()).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    let start = |load_a: f64| {
        let vins = |region: Region| {
            let mine = points.iter().filter(move |point| {
                (point.setting.load.value() - load_a).abs() < 1e-9 && point.region == region
            });
            mine.map(|point| point.setting.vin.value())
        };
        let mut unregulated_v: Vec<f64> = vins(Region::Unregulated).collect();
        unregulated_v.sort_by(f64::total_cmp);
        Start {
            load_a,
            highest_off_v: vins(Region::Off).max_by(f64::total_cmp),
            lowest_regulated_v: vins(Region::Regulated).min_by(f64::total_cmp),
            unregulated_v,
            unknown: vins(Region::Unknown).count(),
        }
    };
    loads.into_iter().map(start).collect()
}

/// Numbers of points as people write them: `1–12, 15`.
#[must_use]
pub fn ranges(points: &[u32]) -> String {
    let mut sorted = points.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for point in sorted {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(point) => *last = point,
            _ => runs.push((point, point)),
        }
    }
    let show = |(first, last): (u32, u32)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    };
    runs.into_iter().map(show).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_differ_in_their_numbers_alone_are_told_once() {
        let mut kind = ReasonKind::new("LX stays at -0.02 V (it moves by 0.32 V), 20 MHz");
        let other = ReasonKind::new("LX stays at 0.00 V (it moves by 0.3 V), 20 MHz");
        assert!(kind.is_like(&other) && !kind.is_like(&ReasonKind::new("LX stays at 0 mV")));
        kind.widen(&other);
        assert_eq!(kind.to_string(), "LX stays at -0.02 to 0.00 V (it moves by 0.3 to 0.32 V), 20 MHz");
    }

    #[test]
    fn ranges_that_differ_become_one_range() {
        let mut kind = ReasonKind::new("3 pulses, 207.6 to 284.3 µs apart");
        kind.widen(&ReasonKind::new("2 pulses, 208.2 to 208.2 µs apart"));
        kind.widen(&ReasonKind::new("3 pulses, 150 to 290.1 µs apart"));
        assert_eq!(kind.to_string(), "2 to 3 pulses, 150 to 290.1 µs apart");
        assert_eq!(
            ReasonKind::new("from 1 to the end, 20 MHz to 5").to_string(),
            "from 1 to the end, 20 MHz to 5"
        );
    }

    #[test]
    fn digits_in_the_name_of_a_figure_are_no_numbers() {
        let one = ReasonKind::new("band_rms_1mhz_20mhz_v is an upper bound: 0.2 mV");
        assert!(!one.is_like(&ReasonKind::new("band_rms_20mhz_50mhz_v is an upper bound: 0.2 mV")));
    }

    #[test]
    fn notes_have_letters_however_many_there_are() {
        assert_eq!([0, 25, 26, 51, 52, 702].map(letter), ["a", "z", "aa", "az", "ba", "aaa"]);
    }

    #[test]
    fn points_are_named_in_runs() {
        assert_eq!(ranges(&[]), "");
        assert_eq!(ranges(&[3, 1, 2, 9, 5, 6, 9]), "1–3, 5, 6, 9");
        assert_eq!(ranges(&[u32::MAX, u32::MAX - 1]), format!("{}, {}", u32::MAX - 1, u32::MAX));
    }
}
