//! What changed at each setting that was held for long: drift, end against start, changes of level, time to the limits. Pure.

use super::jump::Jump;
use super::show::rounded;
use super::story::Story;
use super::stream::{Group, Stream, WATCHED};
use crate::base::stats::{mean, median};
use crate::base::units::{Amps, Volts};
use crate::event::{FigureName, Limit, PointResult, Setting};
use crate::trend::{
    AllanPoint, Averaging, Bounds, ChangeSettings, Changes, Difference, Drift, DriftSettings, NoAnswer,
    Projection, Reading, Steps, allan, changes, drift, project, start_against_end,
};

/// Confidence of the intervals.
pub const CONFIDENCE: f64 = 0.95;
/// Settings held for a smaller part of all readings are left out.
const LEAST_PART: f64 = 0.02;
/// A hole in the readings of one setting is long from so many of their usual distances.
const LONG_HOLE: f64 = 20.0;
/// Most settings of which trends are told.
const MOST_TOLD: usize = 8;

/// Figures of captures whose trend is told.
const CAPTURED: [FigureName; 4] =
    [FigureName::NoisePp20Mhz, FigureName::RipplePp, FigureName::SpikePos, FigureName::SpikeNeg];

/// What the output voltage of readings is called.
pub const OUTPUT_VOLTAGE: &str = "output voltage";

/// What is watched, as a person calls it, its figure where it has one, and its unit.
const OF_READINGS: [(&str, Option<FigureName>, &str); WATCHED] = [
    (OUTPUT_VOLTAGE, Some(FigureName::Vout), "V"),
    ("input power", Some(FigureName::InputPower), "W"),
    ("efficiency", Some(FigureName::Efficiency), ""),
    ("board temperature", Some(FigureName::BoardTemperature), "°C"),
    ("board over ambient", None, "K"),
];

/// The outlook on one limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlooked {
    /// The limit's name.
    pub name: String,
    /// Its bounds.
    pub bounds: String,
    /// The projection, or why there is none.
    pub projection: Result<Projection, String>,
}

/// One quantity at one setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// What, as a person calls it.
    pub title: &'static str,
    /// The unit; empty for a ratio. Changes of a temperature in °C are in kelvin.
    pub unit: &'static str,
    /// End against start.
    pub change: Result<Difference, String>,
    /// Drift an hour.
    pub drift: Result<Drift, String>,
    /// Changes of level.
    pub changes: Result<Changes, String>,
    /// The one change between two rounds of the phase that stands out.
    pub between_rounds: Option<Jump>,
    /// The profile's limits on it.
    pub outlooks: Vec<Outlooked>,
}

/// All that is told of one setting of one phase.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingTrends {
    /// Name of the phase.
    pub phase: String,
    /// What was held, as it was read.
    pub setting: Setting,
    /// How long it was held with readings, in seconds.
    pub held_s: f64,
    /// From the first to the last of these readings after settling, in seconds: other settings and phases may lie between.
    pub span_s: f64,
    /// Length of the first and last part of that span that are compared, in seconds.
    pub part_s: f64,
    /// The quantities.
    pub trends: Vec<Trend>,
    /// Allan deviation of Vout, or why there is none.
    pub allan: Result<Vec<AllanPoint>, String>,
}

/// What a setting is judged by.
pub struct Judge<'a> {
    /// The limits.
    pub limits: &'a [Limit],
    /// The last reading, and the time up to which is asked, in seconds since the start of the run.
    pub until_s: (f64, f64),
}

/// The trends of the settings that were held longest, in the order of the phases.
#[must_use]
pub fn build(
    stream: &Stream,
    story: &Story,
    captures: &[(f64, &PointResult)],
    judge: &Judge<'_>,
) -> Vec<SettingTrends> {
    let is_told = |group: &&Group| {
        !group.is_off() && !group.is_blend && group.count as f64 >= LEAST_PART * stream.count as f64
    };
    let mut told: Vec<&Group> = stream.groups.iter().filter(is_told).collect();
    told.sort_by_key(|group| std::cmp::Reverse(group.count));
    told.truncate(MOST_TOLD);
    told.sort_by_key(|group| group.phase);
    // A phase that ends with the steady state is a transient: no line goes through it.
    told.retain(|group| {
        let mut of_phase = story.stretches.iter().filter(|stretch| stretch.phase == group.phase);
        !of_phase.any(|stretch| {
            story.steady.iter().any(|steady| steady.phase == (stretch.name.clone(), stretch.round))
        })
    });
    let all = told.into_iter().map(|group| setting_trends(group, story, captures, judge));
    // A setting that was held too shortly, or too rarely, for any line is left out.
    all.filter(|setting| setting.trends.iter().any(|trend| trend.drift.is_ok())).collect()
}

fn setting_trends(
    group: &Group,
    story: &Story,
    captures: &[(f64, &PointResult)],
    judge: &Judge<'_>,
) -> SettingTrends {
    let read = Setting { vin: Volts(rounded(group.vin_v)), load: Amps(rounded(group.iout_a)) };
    let setting = group.setting.unwrap_or(read);
    let is_here = |point: &PointResult| {
        point.phase == Some(group.phase)
            && match group.setting {
                Some(setting) => point.setting == setting,
                None => {
                    (point.setting.vin.value() - group.vin_v).abs() < 0.1 + 0.02 * group.vin_v
                        && (point.setting.load.value() - group.iout_a).abs() < 0.005 + 0.02 * group.iout_a
                }
            }
    };
    let mine: Vec<&(f64, &PointResult)> = captures.iter().filter(|(_, point)| is_here(point)).collect();
    let planned = mine.first().map_or(setting, |(_, point)| point.setting);
    let first_s = group.means[0].readings().first().map_or(0.0, |reading| reading.at_s);
    let last_s = group.means[0].readings().last().map_or(0.0, |reading| reading.at_s);
    let span_s = last_s - first_s;
    let part_s = (span_s / 10.0).clamp(1.0, 86_400.0);
    let of_readings = OF_READINGS.iter().zip(&group.means).map(|((title, figure, unit), means)| {
        let readings = means.readings();
        let between_rounds = between_rounds(group.phase, story, &readings);
        let readings = (readings.as_slice(), Some(means.steps()));
        Trend { between_rounds, ..trend((title, *figure, unit), readings, part_s, (planned, judge)) }
    });
    let of_captures = CAPTURED.into_iter().filter_map(|name| {
        let values: Vec<Reading> = mine
            .iter()
            .filter(|(at_s, _)| story.stretch(*at_s).is_none_or(|stretch| *at_s >= stretch.settled_s))
            .filter_map(|(at_s, point)| point.figures.value(name).map(|value| Reading { at_s: *at_s, value }))
            .collect();
        let what = (name.title(), Some(name), name.unit());
        (!values.is_empty()).then(|| trend(what, (&values, None), part_s, (planned, judge)))
    });
    SettingTrends {
        phase: story
            .stretches
            .iter()
            .find(|stretch| stretch.phase == group.phase)
            .map_or_else(String::new, |stretch| stretch.name.clone()),
        setting: planned,
        held_s: group.span.as_secs_f64(),
        span_s,
        part_s,
        trends: of_readings.chain(of_captures).collect(),
        allan: group
            .fine
            .grid()
            .and_then(|grid| allan(&grid, Averaging::OneTwoFive, CONFIDENCE))
            .map_err(|reason| reason.0),
    }
}

fn trend(
    (title, figure, unit): (&'static str, Option<FigureName>, &'static str),
    (readings, steps): (&[Reading], Option<Steps>),
    part_s: f64,
    (setting, judge): (Setting, &Judge<'_>),
) -> Trend {
    let settings = DriftSettings { settling_s: 0.0, confidence: CONFIDENCE };
    let drift = drift(readings, &settings).map_err(|reason| reason.0);
    let limits =
        judge.limits.iter().filter(|limit| Some(limit.figure) == figure && limit.condition.holds(setting));
    let outlook = |limit: &Limit| {
        let bounds = Bounds { min: limit.min, max: limit.max, margin: limit.marginal };
        Outlooked {
            name: limit.name.clone(),
            bounds: limit.bounds(),
            projection: drift.as_ref().map_err(Clone::clone).and_then(|drift| {
                project(&drift.line, &bounds, judge.until_s, CONFIDENCE).map_err(|reason| reason.0)
            }),
        }
    };
    Trend {
        title,
        unit,
        change: start_against_end(readings, part_s, &settings).map_err(|reason| reason.0),
        between_rounds: None,
        outlooks: limits.map(outlook).collect(),
        drift,
        changes: changes_in_pieces(readings, steps).map_err(|reason| reason.0),
    }
}

/// The means of the rounds of a phase, held against each other: what changed while something else was done shows only there.
fn between_rounds(phase: u16, story: &Story, readings: &[Reading]) -> Option<Jump> {
    let stretches = story.stretches.iter().filter(|stretch| stretch.phase == phase);
    let mean_of = |(from_s, to_s): (f64, f64)| {
        let within = readings.iter().filter(|reading| (from_s..=to_s).contains(&reading.at_s));
        mean(&within.map(|reading| reading.value).collect::<Vec<_>>())
    };
    let means = stretches.filter_map(|stretch| Some((stretch.round, mean_of(stretch.span_s)?)));
    Jump::among(&means.collect::<Vec<_>>())
}

/// Looks for changes of level in each piece without a long hole: across a hole nobody knows what was held before. The rate of
/// false alarms is shared by the pieces; a step whose size might be zero is none.
fn changes_in_pieces(readings: &[Reading], steps: Option<Steps>) -> Result<Changes, NoAnswer> {
    let distances: Vec<f64> = readings.windows(2).map(|pair| pair[1].at_s - pair[0].at_s).collect();
    let hole_s = LONG_HOLE * median(&distances).unwrap_or(f64::INFINITY);
    let pieces: Vec<&[Reading]> = readings.chunk_by(|one, two| two.at_s - one.at_s <= hole_s).collect();
    let usual = ChangeSettings::default();
    let false_alarms = usual.false_alarms / pieces.len().max(1) as f64;
    let settings = ChangeSettings { false_alarms, steps, ..usual };
    let mut all: Option<Changes> = None;
    let mut why = NoAnswer("there are no readings after the settling".to_owned());
    for piece in pieces {
        match changes(piece, &settings) {
            Ok(mut found) => {
                found.found.retain(|change| !change.size.holds(0.0));
                match &mut all {
                    None => all = Some(found),
                    Some(all) => {
                        all.found.extend(found.found);
                        all.blocks += found.blocks;
                        all.block_s = all.block_s.max(found.block_s);
                        all.smallest = all.smallest.max(found.smallest);
                        all.more |= found.more;
                    }
                }
            }
            Err(reason) => why = reason,
        }
    }
    all.ok_or(why)
}
