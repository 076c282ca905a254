//! What a soak tells beside its points: dwells, readings in batches, gaps and starts.

use std::time::Duration;

use super::{FigureName, ReadingsJudged, Setting};
use crate::base::clock::Instant;
use crate::waveform::Figure;

/// A time at one setting, numbered from 1 in the order of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DwellId(pub u32);

impl DwellId {
    /// Stands for no dwell of the plan, for those count from 1: warming the board up again after a gap, or the hold of a point.
    pub const WARMING: Self = Self(0);
}

/// A look at a start after the input was off, numbered from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StartId(pub u32);

/// How long a phase of a soak lasts, one time that it is gone through, where none of its dwells ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhaseSpan {
    /// Its place in the profile, from 0.
    pub phase: u16,
    /// Which time it is gone through, from 1.
    pub round: u32,
    /// How long its dwells last together.
    pub lasts: Duration,
}

/// When a soak that is gone on with warms the board up again, and for how long at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewarm {
    /// It was away for longer than this.
    pub after: Duration,
    /// The longest time.
    pub longest: Duration,
    /// Whether a thermal criterion may end it before; without one it lasts as long as the run was away, up to the longest time.
    pub by_criterion: bool,
}

impl Rewarm {
    /// How long the board is warmed up again at most after so long a gap; `None` where it is not. A gap of unknown length is a long one.
    #[must_use]
    pub fn span(&self, gap: Option<Duration>) -> Option<Duration> {
        match gap {
            Some(gap) if gap <= self.after => None,
            Some(gap) if !self.by_criterion => Some(gap.min(self.longest)),
            _ => Some(self.longest),
        }
    }
}

/// What a run of a soak begins with.
#[derive(Debug, Clone, PartialEq)]
pub struct SoakFacts {
    /// Time between two readings.
    pub interval: Duration,
    /// Names of the phases, by their places.
    pub phases: Vec<String>,
    /// How long the dwells last together, where none ends early.
    pub dwells_last: Duration,
    /// How many dwells there are.
    pub dwells: u32,
    /// How many starts are looked at.
    pub starts: u32,
}

/// One look at supply, load and thermometers. What could not be read is `None`; an event before says why.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reading {
    /// When, by the run's monotonic clock.
    pub at: Instant,
    /// Input voltage at the board, in volts.
    pub vin_v: Option<f64>,
    /// Input current in amperes.
    pub iin_a: Option<f64>,
    /// Output voltage at the board, in volts.
    pub vout_v: Option<f64>,
    /// Output current in amperes.
    pub iout_a: Option<f64>,
    /// Temperature on the board in °C.
    pub board_c: Option<f64>,
    /// Temperature beside the board in °C.
    pub ambient_c: Option<f64>,
}

impl Reading {
    /// Names of the values, in the order of [`Reading::values`].
    pub const COLUMNS: [&'static str; 6] = ["vin_v", "iin_a", "vout_v", "iout_a", "board_c", "ambient_c"];

    /// The values in the order of [`Reading::COLUMNS`].
    #[must_use]
    pub const fn values(&self) -> [Option<f64>; 6] {
        [self.vin_v, self.iin_a, self.vout_v, self.iout_a, self.board_c, self.ambient_c]
    }

    /// A figure as it is read; `None` where it was not read, or no reading tells it.
    #[must_use]
    pub fn figure(&self, name: FigureName) -> Option<f64> {
        let product = |volts: Option<f64>, amps: Option<f64>| Some(volts? * amps?);
        let (input_w, output_w) = (product(self.vin_v, self.iin_a), product(self.vout_v, self.iout_a));
        match name {
            FigureName::Vin => self.vin_v,
            FigureName::Iin => self.iin_a,
            FigureName::Vout => self.vout_v,
            FigureName::Iout => self.iout_a,
            FigureName::InputPower => input_w,
            FigureName::OutputPower => output_w,
            FigureName::Loss => Some(input_w? - output_w?),
            FigureName::Efficiency => Some(output_w? / input_w.filter(|watts| *watts > 0.0)?),
            FigureName::BoardTemperature => self.board_c,
            FigureName::AmbientTemperature => self.ambient_c,
            _ => None,
        }
    }

    /// Under this input voltage the board is off: nothing is said of its output.
    pub const POWERED_V: f64 = 1.0;

    /// Whether the input is known to be on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.vin_v.is_some_and(|vin_v| vin_v >= Self::POWERED_V)
    }

    /// Whether a reading in which nothing is missing tells this figure.
    #[must_use]
    pub fn tells(name: FigureName) -> bool {
        Self::of(Instant(0), [Some(1.0); 6]).figure(name).is_some()
    }

    /// A reading from its values in the order of [`Reading::COLUMNS`].
    #[must_use]
    pub const fn of(at: Instant, values: [Option<f64>; 6]) -> Self {
        let [vin_v, iin_a, vout_v, iout_a, board_c, ambient_c] = values;
        Self { at, vin_v, iin_a, vout_v, iout_a, board_c, ambient_c }
    }
}

/// Readings of one dwell, in the order they were taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Readings {
    /// The dwell.
    pub dwell: DwellId,
    /// How much of the dwell is done with the last of them; a run that is cut off goes on from there.
    pub done: Duration,
    /// Whether an interlock held the run: the load was lowered, and they say nothing of what the dwell sets.
    pub held: bool,
    /// What came of the limits so far, from where the dwell was begun or gone on with up to the last of them; `None` where no
    /// reading was held against one. A run that is cut off has judged what it has kept.
    pub judged: Option<ReadingsJudged>,
    /// The readings; never empty where they were kept.
    pub rows: Vec<Reading>,
}

impl Readings {
    /// Longest time that a reading waits to be kept.
    pub const SPAN: Duration = Duration::from_secs(60);

    /// No readings, for a reader to put some in their place.
    #[must_use]
    pub const fn none() -> Self {
        Self { dwell: DwellId::WARMING, done: Duration::ZERO, held: false, judged: None, rows: Vec::new() }
    }
}

/// Why a dwell ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DwellEnd {
    /// Its time was over.
    Time,
    /// The board was in thermal steady state.
    Steady,
    /// Its time was over before the board was in thermal steady state.
    NotSteady,
}

/// The output just before the input comes on for a start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BeforeStart {
    /// Output voltage in volts.
    pub vout_v: f64,
    /// Whether the board was off.
    pub was_off: bool,
}

/// A look at a start.
#[derive(Debug, Clone, PartialEq)]
pub struct StartCheck {
    /// Which start.
    pub start: StartId,
    /// What was set.
    pub setting: Setting,
    /// The output before; `None` in records of earlier programs, which did not look.
    pub before: Option<BeforeStart>,
    /// Time from the setting to Vout in regulation, as the meter saw it, or why there is none.
    pub took_s: Figure,
    /// Output voltage at the end of the look.
    pub vout_v: Figure,
    /// Whether the board started.
    pub started: bool,
}

impl StartCheck {
    /// Whether there was nothing to start: the output still stood when the input came on, and stands. One that does not come to
    /// regulation has failed, whatever stood before.
    #[must_use]
    pub fn is_no_start(&self) -> bool {
        self.started && self.before.is_some_and(|before| !before.was_off)
    }
}

/// Readings that are missing. While the controller's machine sleeps the monotonic clock stands still: then `from` and `to`
/// lie close together, and `missed` tells how long it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The last reading before, by the run's monotonic clock.
    pub from: Instant,
    /// The first reading after.
    pub to: Instant,
    /// How many readings the interval would have given between them.
    pub missed: u64,
    /// What kind of cause.
    pub cause: GapCause,
    /// The cause, as a sentence.
    pub what: String,
}

/// What kind of cause a gap has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapCause {
    /// An instrument or its link failed.
    Instrument,
    /// An interlock held the run.
    Interlock,
    /// The controller was not there, or was too slow.
    Controller,
    /// The controller's machine slept.
    Sleep,
}

impl GapCause {
    /// One word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Instrument => "instrument",
            Self::Interlock => "interlock",
            Self::Controller => "controller",
            Self::Sleep => "sleep",
        }
    }
}
