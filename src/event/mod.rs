//! What happened, in the past tense. Events are the only thing that leaves the engine: the record, the live view and the
//! report are readers of them.

pub mod breach;
pub mod coverage;
pub mod cut_off;
pub mod drill;
pub mod early;
pub mod end;
pub mod figures;
pub mod frozen;
pub mod hold;
pub mod holes;
pub mod limit;
pub mod soak;
pub mod turn;
pub mod unsent;
pub mod verdict;
pub mod withheld;
pub mod worst;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::base::clock::Instant;
use crate::base::names::{ProfileName, Revision, Role, Serial};
use crate::base::units::{Amps, Celsius, Volts};
use crate::waveform::{Acquisition, Bound, Figure, Unavailable, Waveform};

pub use breach::{BrokenAt, LimitBroken, ReadingCheck, ReadingsJudged};
pub use coverage::{Coverage, Lost};
pub use cut_off::CutOff;
pub use drill::Drilled;
pub use early::{EarlyAnswer, EarlyLook};
pub use end::{Resumed, RunEnd};
pub use figures::{FigureName, Figures, Worse};
pub use frozen::{Frozen, StoodStill};
pub use hold::LoadChange;
pub use holes::{Hole, HoleSum, Holes};
pub use limit::{Condition, Limit, LimitCheck, Outcome};
pub use soak::{
    BeforeStart, DwellEnd, DwellId, Gap, GapCause, PhaseSpan, Reading, Readings, Rewarm, SoakFacts,
    StartCheck, StartId,
};
pub use turn::Turn;
pub use unsent::Unsent;
pub use verdict::{DrillKind, DrillVerdict, PointVerdict, Region, Regulation, RunVerdict};
pub use withheld::Withheld;

/// When something happened, on both clocks: wall time may step, monotonic time does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Wall time.
    pub utc: Timestamp,
    /// Monotonic time since the run's clock was made.
    pub monotonic: Instant,
}

/// One operating point, numbered from 1 in the order of measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointId(pub u32);

impl PointId {
    /// Stands for no point: under it traces of the noise floor are kept, for points count from 1.
    pub const NONE: Self = Self(0);
}

/// What is set at an operating point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Input voltage, as set on the supply.
    pub vin: Volts,
    /// Load current, as set on the load.
    pub load: Amps,
}

/// The board under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// Serial number.
    pub serial: Serial,
    /// Revision.
    pub revision: Revision,
}

/// The facts a run begins with.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFacts {
    /// Program and version.
    pub software: String,
    /// Profile's name.
    pub profile: ProfileName,
    /// One sentence on what the profile is for.
    pub purpose: String,
    /// Rig's name.
    pub rig: String,
    /// Whether the instruments are simulated.
    pub simulated: bool,
    /// The board.
    pub board: Board,
    /// Who ran it.
    pub operator: Option<String>,
    /// Free notes.
    pub note: Option<String>,
    /// Points that the plan holds.
    pub points_planned: u32,
    /// Seed of the simulated bench; on a real one that of a shuffled order. `None` where nothing was drawn.
    pub seed: Option<u64>,
    /// SHA-256 of the plan, the rig file and the profile file, in hex.
    pub plan_digest: String,
    /// See `plan_digest`.
    pub rig_digest: String,
    /// See `plan_digest`.
    pub profile_digest: String,
    /// The limits in force, in the profile's order.
    pub limits: Vec<Limit>,
    /// The regulated output voltage the board should have.
    pub vout_nominal: Volts,
    /// How settling was judged, as a sentence.
    pub settle_rule: String,
    /// Version of the definition that each figure of a trace is made by, by the figure's key; empty where the record does
    /// not say.
    pub definitions: BTreeMap<String, u16>,
    /// What makes it a soak; `None` for a sweep.
    pub soak: Option<SoakFacts>,
    /// Its place in an order of runs that was laid down before; `None` for a run by itself.
    pub turn: Option<Turn>,
}

/// An instrument as it identified itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstrumentFacts {
    /// What it is on this bench.
    pub role: Role,
    /// VISA address.
    pub address: String,
    /// Family of instruments that speak alike, e.g. `rigol_dp800`; for a sensor its line pattern.
    pub family: String,
    /// Maker; empty where the instrument has no identity (a sensor that just sends lines).
    pub maker: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Firmware.
    pub firmware: String,
    /// Day of the next calibration as the rig says, and whether it is past.
    pub calibration_due: Option<(String, bool)>,
}

/// A finished point.
#[derive(Debug, Clone, PartialEq)]
pub struct PointResult {
    /// Which point.
    pub point: PointId,
    /// Repeat, from 1; in a soak the number of the sweep.
    pub repeat: u32,
    /// The phase of a soak in which it was a capture; `None` for a point of a sweep.
    pub phase: Option<u16>,
    /// What was set.
    pub setting: Setting,
    /// Every figure that was asked for: a value or the reason why there is none.
    pub figures: Figures,
    /// Figures that are only bounds, with the side on which the truth lies; the notes say why.
    pub bounds: BTreeMap<FigureName, Bound>,
    /// In which state the board was.
    pub region: Region,
    /// How the supply said it was regulated, or why that is not known.
    pub regulation: Result<Regulation, Unavailable>,
    /// Each limit's outcome at this point, in the order of [`RunFacts::limits`].
    pub checks: Vec<LimitCheck>,
    /// The point's verdict.
    pub verdict: PointVerdict,
    /// What a reader of the row must know: not settled, bound, range not met.
    pub notes: Vec<String>,
}

impl PointResult {
    /// The sign in front of a figure that is only a bound, with a blank behind it; nothing for any other.
    #[must_use]
    pub fn sign(&self, name: FigureName) -> String {
        let value = self.figures.value(name).unwrap_or(0.0);
        self.bounds.get(&name).map_or_else(String::new, |bound| format!("{} ", bound.sign_of(value)))
    }
    /// Whether the settle rule was met; also where the profile asks for no settle time.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !self.notes.iter().any(|note| note.starts_with(NOT_SETTLED))
    }
}

/// How the note of a point begins that was measured before it settled.
pub const NOT_SETTLED: &str = "not settled";

/// What probe and scope show by themselves: a capture with the outputs off, in a set-up that points use.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseFloor {
    /// The set-up; a figure of a trace is weighed against the floor of its own set-up only.
    pub acquisition: Acquisition,
    /// Sample interval in seconds.
    pub step_s: f64,
    /// The figures of the capture, those of switching left out.
    pub figures: Figures,
}

/// How the outputs were found after switching off.
#[derive(Debug, Clone, PartialEq)]
pub struct SafeState {
    /// The load said its input is off.
    pub load_off: bool,
    /// The supply said its output is off.
    pub supply_off: bool,
    /// Output voltage measured afterwards.
    pub vout_v: Figure,
    /// Both off and the voltage under the threshold.
    pub verified: bool,
    /// How many attempts it took.
    pub attempts: u32,
    /// What went wrong on the way, each told once, with the attempts at which it did and how often.
    pub failures: Vec<String>,
}

impl SafeState {
    /// Nothing is known of the outputs, and why Vout is not.
    #[must_use]
    pub fn unknown(why: &str) -> Self {
        Self {
            load_off: false,
            supply_off: false,
            vout_v: Err(Unavailable::because(why)),
            verified: false,
            attempts: 0,
            failures: Vec::new(),
        }
    }
}

/// Which stop was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Finish the point, then end.
    AfterPoint,
    /// Outputs off at once.
    Now,
}

/// How a dead-man's own words in a record begin.
pub const DEADMAN: &str = "dead-man: ";

/// How those end that it writes while it has not verified the outputs off.
pub const AT_IT: &str = "it is tried again, for an hour at the most";

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The run began.
    RunStarted(Box<RunFacts>),
    /// An instrument was opened and identified.
    InstrumentOpened(InstrumentFacts),
    /// The instruments' own protection was set and read back.
    ProtectionSet {
        /// Which instrument.
        role: Role,
        /// Over-voltage level read back.
        over_voltage: Option<Volts>,
        /// Over-current level read back.
        over_current: Option<Amps>,
    },
    /// The wiring was checked before any output.
    WiringChecked {
        /// What was seen, a sentence each.
        findings: Vec<String>,
    },
    /// The noise of probe and scope was captured with the outputs off.
    NoiseFloorMeasured(Box<NoiseFloor>),
    /// An output or input was switched and read back.
    OutputSwitched {
        /// Which instrument.
        role: Role,
        /// On or off.
        on: bool,
    },
    /// A point was begun.
    PointStarted {
        /// Which point.
        point: PointId,
        /// What is set.
        setting: Setting,
        /// From 1; more after a retry.
        attempt: u32,
    },
    /// Settling ended.
    Settled {
        /// Which point.
        point: PointId,
        /// How long it took.
        took: Duration,
        /// Whether the rule was met before its time limit.
        settled: bool,
    },
    /// A point was finished.
    PointFinished(Box<PointResult>),
    /// A phase of a soak began.
    PhaseStarted {
        /// Its place in the profile, from 0.
        phase: u16,
        /// Its name.
        name: String,
        /// Which time it is gone through, from 1.
        round: u32,
    },
    /// Readings were taken while a setting was held.
    ReadingsTaken(Box<Readings>),
    /// A dwell came to its end.
    DwellFinished {
        /// Which dwell.
        dwell: DwellId,
        /// How long it lasted.
        took: Duration,
        /// Why it ended.
        end: DwellEnd,
        /// Points of the plan that are left out because it ended early.
        left_out: u32,
        /// What was set; `None` with the outputs off, and where an earlier program has not told it.
        setting: Option<Setting>,
    },
    /// A start after the input was off was looked at.
    StartChecked(StartCheck),
    /// It was looked whether the answer of a soak is clear before its end; where it is, the soak ends with this.
    LookedEarly(EarlyLook),
    /// A limit was broken for the first time in the run.
    LimitBroken(LimitBroken),
    /// Readings of a dwell were held against the limits.
    ReadingsJudged(ReadingsJudged),
    /// Readings are missing.
    GapFound(Gap),
    /// The traces of a capture were kept.
    EvidenceKept {
        /// Of which point.
        point: PointId,
        /// Why.
        why: String,
    },
    /// The wall clock jumped against the monotonic one.
    ClockStepped {
        /// By how many seconds; negative: it was set back.
        by_s: f64,
    },
    /// A run that was cut off, or had ended before it was complete, was gone on with: an end before this is none any more.
    RunResumed(Resumed),
    /// An action failed and was tried again.
    Retried {
        /// Which instrument.
        role: Role,
        /// What was being done and what came back.
        what: String,
        /// Which attempt failed, from 1.
        attempt: u32,
    },
    /// A sensor stood still or fell silent.
    SensorFailed {
        /// Which sensor.
        role: Role,
        /// What was seen.
        what: String,
        /// What rests on the value at which it stood still.
        withheld: Withheld,
    },
    /// An interlock held the run and the load was lowered: nothing is measured at its setting until it is released.
    InterlockHeld {
        /// Which rule, what was measured, against what, and what was done.
        what: String,
        /// What was done to the load; `None` in a record that does not say it.
        load: Option<LoadChange>,
    },
    /// A held interlock was released.
    InterlockReleased {
        /// Why, and what is done next.
        what: String,
        /// How long it was held.
        held: Duration,
        /// What the load goes back to; `None` in a record that does not say it.
        load: Option<LoadChange>,
    },
    /// An interlock tripped: the run ends with the outputs off.
    InterlockTripped {
        /// Which rule, what was measured, against what.
        what: String,
    },
    /// Somebody asked to stop.
    StopRequested {
        /// Which stop.
        stop: Stop,
    },
    /// Something a person should know.
    Warned {
        /// What.
        what: String,
    },
    /// Somebody who is not there could not be told.
    MessageUnsent(Box<Unsent>),
    /// A slow reading beside the points.
    TemperatureRead {
        /// Which sensor.
        role: Role,
        /// What it said.
        temperature: Celsius,
    },
    /// The dead-man was drilled at low voltage, before anything else was switched on.
    DeadmanDrilled(Box<Drilled>),
    /// Load and supply were switched off and looked at.
    MadeSafe(SafeState),
    /// The run ended.
    RunFinished(RunEnd),
}

/// Why an event could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the record: {0}")]
pub struct SinkError(pub String);

/// Takes what happened. When a sink fails the run ends with the outputs off: what cannot be kept is not measured.
pub trait Sink: Send {
    /// Takes an event; returns when it is safely kept.
    ///
    /// # Errors
    /// It cannot be kept (disk full, folder gone).
    fn event(&mut self, at: Stamp, event: &Event) -> Result<(), SinkError>;
    /// Takes a trace that belongs to a point.
    ///
    /// # Errors
    /// It cannot be kept.
    fn waveform(&mut self, at: Stamp, point: PointId, waveform: &Waveform) -> Result<(), SinkError>;
    /// Takes the scope's own screen as PNG bytes.
    ///
    /// # Errors
    /// It cannot be kept.
    fn screen(&mut self, at: Stamp, point: PointId, png: &[u8]) -> Result<(), SinkError>;
}
