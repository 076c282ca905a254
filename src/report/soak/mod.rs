//! What the report of a soak shows beside its points: the timeline, what was held, trends, the honest statement. One pass over
//! the readings; from the record alone.

pub mod gaps;
pub mod jump;
pub mod show;
pub mod statement;
pub mod story;
pub mod stream;
pub mod summary;
pub mod sweeps;
pub mod timeline;
pub mod trends;
pub mod waterfall;
pub mod worst;

use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use crate::event::{Coverage, Event, Limit, PointResult, SoakFacts, StoodStill};
use crate::record::format::LimitSummary;
use crate::record::{Record, RecordError, read_readings};
use crate::trend::IntervalStats;

use gaps::GapStretch;
use statement::Statement;
use story::Story;
use stream::Stream;
use sweeps::Sweeps;
use timeline::Timeline;
use trends::SettingTrends;
use waterfall::Waterfall;
use worst::WorstOf;

/// What was held, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Name of the phase.
    pub phase: String,
    /// Lowest and highest input voltage, in volts: as set, where the record tells it, or else as read.
    pub vin_v: (f64, f64),
    /// Lowest and highest output current, in amperes, likewise.
    pub iout_a: (f64, f64),
    /// How many settings; of more than [`story::MOST_SETTINGS`] none.
    pub settings: Option<usize>,
    /// How long with readings and the input on.
    pub on: Duration,
    /// How long with the input off.
    pub off: Duration,
}

/// What the page shows of a soak.
#[derive(Debug, Clone)]
pub struct SoakView {
    /// What the run began with.
    pub facts: SoakFacts,
    /// What was shown.
    pub statement: Statement,
    /// How many of the readings are there, at what the plan sets and while the run was held.
    pub coverage: Coverage,
    /// Values that are left out of curves, hours and trends, for they had stood still when they were read.
    pub stood_still: Vec<StoodStill>,
    /// Time in sweeps and captures: readings are not taken then.
    pub pauses: Duration,
    /// What was held.
    pub held: Vec<Held>,
    /// How often the board was warmed up again after a gap, and how long together: in the board-hours, and of no phase.
    pub rewarmed: (u64, Duration),
    /// What the events tell.
    pub story: Story,
    /// All gaps, those that no event tells among them, put together where they are of one stretch.
    pub gaps: Vec<GapStretch>,
    /// When the run began, for times of gaps.
    pub started: crate::event::Stamp,
    /// The last reading, by both clocks.
    pub last_reading: Option<(Timestamp, Duration)>,
    /// Whether the record has an end.
    pub is_finished: bool,
    /// The curves over the whole run.
    pub timeline: Timeline,
    /// Trends of each setting that was held for long.
    pub trends: Vec<SettingTrends>,
    /// The time up to which outlooks are asked, since the start of the run.
    pub until: Duration,
    /// How many sweeps were made, and two of them compared.
    pub sweeps: Sweeps,
    /// Output voltage and board temperature an hour.
    pub hours: [Vec<IntervalStats>; 2],
    /// The worst points in every figure, with their traces.
    pub worst: Vec<WorstOf>,
    /// The folded period over the days, or why there is none.
    pub waterfall: Result<Waterfall, String>,
}

/// Reads a soak, which may go on; `None` for the record of a sweep.
///
/// # Errors
/// The readings cannot be read.
pub fn build(
    (record, goes_on): (&Record, bool),
    limits: (&[Limit], &[LimitSummary]),
) -> Option<Result<SoakView, RecordError>> {
    let facts = record.facts()?.soak.clone()?;
    Some(view((record, goes_on), facts, limits))
}

fn view(
    (record, goes_on): (&Record, bool),
    facts: SoakFacts,
    (limits, limit_summaries): (&[Limit], &[LimitSummary]),
) -> Result<SoakView, RecordError> {
    let mut story = story::build(record);
    let started = record.started();
    let (interval_s, lasted_s) = (facts.interval.as_secs_f64(), record.lasted().as_secs_f64());
    let mut stream = Stream::new(started.monotonic, interval_s, lasted_s);
    record.instruments().for_each(|instrument| stream.holes.open(&instrument.role));
    stream.frozen = std::mem::take(&mut story.frozen);
    let points = timed_points(record);
    let captures: Vec<(f64, &PointResult)> =
        points.iter().filter(|(_, point)| point.phase.is_some()).copied().collect();
    // The traces need nothing of the readings.
    let (read, waterfall) = thread::scope(|scope| {
        let beside = scope.spawn(|| waterfall::build(record, &captures));
        let read = read_readings(record.folder(), |batch| stream.take(batch, &story));
        (read, beside.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    read?;
    stream.finish(&story);
    story.extend_holds(&stream.held_s);
    // What is told counts first, in the order in which a screen beside the run has counted it.
    let mut gaps = story.gaps.clone();
    gaps.extend(stream.breaks.iter().cloned());
    let cut_off = record.cut_off();
    let lost = cut_off.gap(facts.interval).filter(|_| !goes_on);
    gaps.extend(lost.clone());
    let mut coverage = Coverage::of(stream.count, &gaps);
    coverage.held = stream.held;
    coverage.holes = std::mem::take(&mut stream.holes);
    let stood_still = std::mem::take(&mut stream.frozen).held();
    gaps.sort_by_key(|gap| gap.from);
    let last = stream.last.map(|at| at.since(started.monotonic));
    let until = until(&facts, last.unwrap_or_default(), record.end().is_some());
    let now_s = last.unwrap_or_default().as_secs_f64();
    let judge = trends::Judge { limits, until_s: (now_s, until.as_secs_f64().max(now_s)) };
    let stretches = gaps::stretches(&gaps);
    // Behind its end, or where nobody carries it out any more, a run neither sweeps nor switches.
    let worked = lost.map_or(cut_off.known(), |lost| lost.to).since(started.monotonic).as_secs_f64();
    let unread = (coverage.due() - stream.count) as f64 * interval_s;
    let pauses = (story.ended_s.unwrap_or(worked) - stream.stood.as_secs_f64() - unread).max(0.0);
    Ok(SoakView {
        statement: statement::build(&stream, &story, limit_summaries),
        coverage,
        stood_still,
        pauses: Duration::from_secs_f64(pauses),
        held: held(&stream, &story),
        rewarmed: stream.rewarmed,
        started,
        last_reading: last.map(|after| (started.utc + after, after)),
        is_finished: record.end().is_some(),
        timeline: timeline::build(&stream, &story, (&points, &gaps), (limits, lasted_s)),
        trends: trends::build(&stream, &story, &captures, &judge),
        until,
        sweeps: sweeps::build(&points, &story),
        hours: [stream.hours[0].intervals(), stream.hours[1].intervals()],
        worst: worst::build(record, &points),
        waterfall,
        facts,
        gaps: stretches,
        story,
    })
}

/// A run that goes on is asked about at its planned end, one that is over about as long again.
fn until(facts: &SoakFacts, last: Duration, is_finished: bool) -> Duration {
    if is_finished || facts.dwells_last <= last { last * 2 } else { facts.dwells_last }
}

/// The finished points with their times in seconds since the start, of a point that was measured again the last.
fn timed_points(record: &Record) -> Vec<(f64, &PointResult)> {
    let start = record.started().monotonic;
    let mut points: Vec<(f64, &PointResult)> = Vec::new();
    for logged in record.events() {
        if let Event::PointFinished(result) = &logged.event {
            while points.last().is_some_and(|(_, known)| known.point >= result.point) {
                points.pop();
            }
            points.push((logged.at.monotonic.since(start).as_secs_f64(), &**result));
        }
    }
    points
}

fn held(stream: &Stream, story: &Story) -> Vec<Held> {
    let mut phases: Vec<(u16, &str)> = Vec::new();
    for stretch in &story.stretches {
        if phases.iter().all(|(phase, _)| *phase != stretch.phase) {
            phases.push((stretch.phase, &stretch.name));
        }
    }
    let of_phase = |(phase, name): (u16, &str)| {
        let on: Vec<_> =
            stream.groups.iter().filter(|group| group.phase == phase && !group.is_off()).collect();
        let off = stream.groups.iter().filter(|group| group.phase == phase && group.is_off());
        let set = story.range(phase);
        // What was read of settings that lie close together is a mean of some of them.
        let told = on.iter().filter(|group| set.is_none() || !group.is_blend);
        let values: Vec<(f64, f64)> =
            told.map(|group| (group.vin_v, group.iout_a)).chain(set.into_iter().flatten()).collect();
        let ends = |value: fn(&(f64, f64)) -> f64| {
            values.iter().map(value).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        Held {
            phase: name.to_owned(),
            vin_v: ends(|(vin_v, _)| *vin_v),
            iout_a: ends(|(_, iout_a)| *iout_a),
            settings: Some(on.len()).filter(|_| !story.is_blended(phase)),
            on: on.iter().map(|group| group.span).sum(),
            off: off.map(|group| group.span).sum(),
        }
    };
    phases.into_iter().map(of_phase).collect()
}
