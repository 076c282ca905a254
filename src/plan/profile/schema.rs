//! A profile file as it is written. What the keys mean together is judged in `check.rs`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::axis::{AxisFile, LevelsFile, Spacing};
use super::check::OrderWord;
use super::limit::Bound;
use super::soak::PatternWord;
use crate::base::names::{ProfileName, Revision, Serial};
use crate::base::units::{Amps, Celsius, Volts};
use crate::event::FigureName;
use crate::plan::written::{FromScalar, Ratio, Written};
use crate::trend::Criterion;

/// What to do with a board, on whatever bench.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileFile {
    /// Short name; becomes part of the run folder's name.
    #[schemars(required)]
    pub(super) name: Option<Written<ProfileName>>,
    /// One sentence on what the profile is for.
    #[schemars(required)]
    pub(super) purpose: Option<Written<String>>,
    /// Who runs it, unless the command line says.
    pub(super) operator: Option<Written<String>>,
    /// Free notes.
    pub(super) note: Option<Written<String>>,
    /// The regulated output voltage that the board should have.
    #[schemars(required)]
    pub(super) vout_nominal: Option<Written<Volts>>,
    /// How far above the largest planned point the instruments' own protection is set. Default `10 %`.
    pub(super) protection_margin: Option<Written<Ratio>>,
    /// Which figures are wanted.
    #[schemars(required)]
    pub(super) figures: Option<Vec<Written<FigureName>>>,
    /// The board, unless the command line names one.
    pub(super) board: Option<BoardFile>,
    /// The operating points of a sweep; a soak may do without.
    pub(super) points: Option<PointsFile>,
    /// What makes the profile a soak.
    pub(super) soak: Option<SoakFile>,
    /// When a point counts as settled.
    pub(super) settle: Option<SettleFile>,
    /// What on the measured side holds or trips the run.
    pub(super) interlocks: Option<InterlocksFile>,
    /// What is captured with the scope at every point.
    pub(super) capture: Option<CaptureFile>,
    /// What the figures must keep within.
    pub(super) limits: Option<Vec<LimitFile>>,
}

/// The board that is meant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BoardFile {
    /// Serial number.
    pub(super) serial: Option<Written<Serial>>,
    /// Revision.
    pub(super) revision: Option<Written<Revision>>,
}

/// The operating points: every input voltage with every load.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PointsFile {
    /// Input voltages: a list, or a range.
    #[schemars(required)]
    pub(super) vin: Option<AxisFile<Volts>>,
    /// Load currents: a list, or a range.
    #[schemars(required)]
    pub(super) load: Option<AxisFile<Amps>>,
    /// In which order the points are taken. Default `snake`.
    pub(super) order: Option<Written<OrderWord>>,
    /// Seed of the order `shuffled`. Default 1.
    pub(super) seed: Option<Written<u64>>,
    /// How often every point is measured. Default 1.
    pub(super) repeats: Option<Written<u64>>,
}

/// A range of an axis: either by `step` or by a number of `points`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound(deserialize = "T: FromScalar"))]
#[schemars(bound = "T: FromScalar")]
pub(super) struct RangeFile<T> {
    /// First value.
    #[schemars(required)]
    pub(super) from: Option<Written<T>>,
    /// Last value.
    #[schemars(required)]
    pub(super) to: Option<Written<T>>,
    /// Distance of the values.
    pub(super) step: Option<Written<T>>,
    /// Number of values, both ends included.
    pub(super) points: Option<Written<u64>>,
    /// How `points` are spread. Default `linear`.
    pub(super) spacing: Option<Written<Spacing>>,
}

/// When a point counts as settled.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SettleFile {
    /// Successive readings of Vout must stay within this band. Default `10 mV`.
    pub(super) band: Option<Written<Volts>>,
    /// For this long. Default `100 ms`.
    pub(super) hold: Option<Written<Duration>>,
    /// Never before this time after the last change. Default `50 ms`.
    pub(super) minimum: Option<Written<Duration>>,
    /// After this time the point is measured as it is and marked "not settled". Default `2 s`.
    pub(super) limit: Option<Written<Duration>>,
    /// Time between readings. Default `20 ms`.
    pub(super) interval: Option<Written<Duration>>,
}

/// What on the measured side holds or trips the run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InterlocksFile {
    /// Vout above this trips. Default: 10 % above `vout_nominal`.
    pub(super) over_voltage: Option<Written<Volts>>,
    /// Input current above this trips. Default `800 mA`.
    pub(super) over_current: Option<Written<Amps>>,
    /// Board temperature above this trips. Default `85 degC` where the rig has a thermometer on the board.
    pub(super) over_temperature: Option<Written<Celsius>>,
    /// Board temperature above this holds the run with the load at `derate_to`. Default: no hold.
    pub(super) hold_temperature: Option<Written<Celsius>>,
    /// A held run goes on below this. Default: 5 K below `hold_temperature`.
    pub(super) resume_temperature: Option<Written<Celsius>>,
    /// Part of the load that is kept while the run is held, below 100 %. Default `0 %`.
    pub(super) derate_to: Option<Written<Ratio>>,
    /// Board temperature above this is told, once, and once more when it is 2 K below again. Default: no warning.
    pub(super) warn_temperature: Option<Written<Celsius>>,
    /// The same for the temperature beside the board. Default: no warning.
    pub(super) warn_ambient: Option<Written<Celsius>>,
    /// Temperature beside the board above this trips. Default: no trip.
    pub(super) over_ambient: Option<Written<Celsius>>,
    /// Longest hold; then it trips. Default `30 min`.
    pub(super) hold_limit: Option<Written<Duration>>,
    /// Board temperature rising faster than this, in kelvins a minute, trips. Default 30.
    pub(super) rise_k_per_min: Option<Written<f64>>,
    /// How long a needed reading may be lost before it trips. Default `5 s`.
    pub(super) lost_reading: Option<Written<Duration>>,
}

/// What is captured with the scope at every point.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CaptureFile {
    /// Length of a record, e.g. `1.2 ms`.
    #[schemars(required)]
    pub(super) span: Option<Written<Duration>>,
    /// Samples of a record, e.g. 120000.
    #[schemars(required)]
    pub(super) samples: Option<Written<u64>>,
    /// Take the AC-coupled narrow-range acquisition for ripple. Default true.
    pub(super) ripple: Option<Written<bool>>,
    /// Take the wide-range acquisition for spikes. Default true.
    pub(super) spikes: Option<Written<bool>>,
    /// Take the ripple acquisition with the scope's 20 MHz limiter. Default true.
    pub(super) ripple_bandwidth_limit: Option<Written<bool>>,
    /// Keep the traces of every point, not only their figures. Default false.
    pub(super) keep: Option<Written<bool>>,
    /// Take the scope's own screen at every n-th point; 0 is never. Default 0.
    pub(super) screen_every: Option<Written<u64>>,
    /// How often a trace whose range does not fit is taken again. Default 4.
    pub(super) range_attempts: Option<Written<u64>>,
    /// Take the bench's own noise once, with the outputs off, in every range that a point may use. Default true.
    pub(super) noise_floor: Option<Written<bool>>,
}

/// What a figure must keep within.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitFile {
    /// A short name for reports, unique in the profile.
    #[schemars(required)]
    pub(super) name: Option<Written<String>>,
    /// What is limited.
    #[schemars(required)]
    pub(super) figure: Option<Written<FigureName>>,
    /// Lowest good value, with the figure's unit.
    pub(super) min: Option<Written<Bound>>,
    /// Highest good value, with the figure's unit.
    pub(super) max: Option<Written<Bound>>,
    /// Where the limit applies, e.g. `vin >= 13.2 V and load > 0 A`. Default: at every point.
    pub(super) when: Option<Written<String>>,
    /// Within this distance inside a bound the value is marginal. Default 0.
    pub(super) marginal: Option<Written<Bound>>,
}

/// What makes a profile a soak: phases that follow one another for hours or days.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SoakFile {
    /// Time between two readings of supply, load and thermometers. Default `1 s`.
    pub(super) readings: Option<Written<Duration>>,
    /// Time between two captures. Default: no captures.
    pub(super) capture_every: Option<Written<Duration>>,
    /// Time between two sweeps over `[points]`. Default: one at the start, one behind the first phase that ends in thermal steady
    /// state, and one at the end.
    pub(super) sweep_every: Option<Written<Duration>>,
    /// How long the phases last together, gone through again and again. Sweeps and captures are not counted, nor are phases that
    /// end in thermal steady state (`until`): how long those take nobody knows beforehand.
    pub(super) duration: Option<Written<Duration>>,
    /// How often the phases are gone through, where no `duration` is given. Default 1.
    pub(super) rounds: Option<Written<u64>>,
    /// A run that was cut off for longer warms the board up again before it goes on. Default `1 min`.
    pub(super) rewarm_after: Option<Written<Duration>>,
    /// Which traces of the captures are kept.
    pub(super) evidence: Option<EvidenceFile>,
    /// The phases, one after the other.
    #[schemars(required)]
    pub(super) phases: Option<Vec<PhaseFile>>,
}

/// Which traces of a soak are kept, where `[capture]` does not keep them all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EvidenceFile {
    /// Captures before a broken limit, a hold or a trip. Default 12.
    pub(super) before: Option<Written<u64>>,
    /// Captures after it. Default 6.
    pub(super) after: Option<Written<u64>>,
    /// So many of the worst captures in every column of `points.csv` that a board gets worse in. Default 3.
    pub(super) worst: Option<Written<u64>>,
    /// Every so many-th capture, so that change can be seen over days; 0: none. Default 6.
    pub(super) every: Option<Written<u64>>,
}

/// A phase of a soak.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseFile {
    /// A short name for events and reports, unique in the profile.
    #[schemars(required)]
    pub(super) name: Option<Written<String>>,
    /// What is done with the values of `vin` and `load`. Default `hold`.
    pub(super) pattern: Option<Written<PatternWord>>,
    /// Input voltage: a value, a list or a range.
    #[schemars(required)]
    pub(super) vin: Option<LevelsFile<Volts>>,
    /// Load current: a value, a list or a range.
    #[schemars(required)]
    pub(super) load: Option<LevelsFile<Amps>>,
    /// How long the phase lasts; with `until`, how long at most.
    pub(super) r#for: Option<Written<Duration>>,
    /// Ends a `hold` as soon as the board is in thermal steady state by this criterion, e.g. `1 K/h` or
    /// `IEC 61010-1`.
    pub(super) until: Option<Written<Criterion>>,
    /// Lets a `hold` end before its time, and the soak with it, where the answer of the limits is clear. Default: it never does.
    pub(super) early_stop: Option<EarlyStopFile>,
    /// Time at each value of the patterns `steps` and `random`.
    pub(super) each: Option<Written<Duration>>,
    /// How often the values of `steps` or `ramp` are gone through, or how many power cycles there are.
    pub(super) cycles: Option<Written<u64>>,
    /// How long a power cycle leaves the input on.
    pub(super) on: Option<Written<Duration>>,
    /// How long a power cycle leaves the input off.
    pub(super) off: Option<Written<Duration>>,
    /// Seed of the pattern `random`. Default 1.
    pub(super) seed: Option<Written<u64>>,
    /// Whether the phase belongs to the first round only, as a warm-up does. Default false.
    pub(super) once: Option<Written<bool>>,
}

/// When a soak may end before its time. What that costs is hours: what they show shrinks with them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EarlyStopFile {
    /// How many looks, spread evenly over the phase before its end. Each spends its part of the error.
    #[schemars(required)]
    pub(super) looks: Option<Written<u64>>,
    /// How sure to be over all looks. Default `95 %`.
    pub(super) confidence: Option<Written<Ratio>>,
}
