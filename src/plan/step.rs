//! A plan: a flat list of imperative steps with a digest.

use std::fmt;
use std::time::Duration;

use super::forecast::Forecast;
use super::profile::{CaptureSelection, Interlocks, SettleRule};
use super::soak::SoakPlan;
use crate::base::names::ProfileName;
use crate::base::span::render_span;
use crate::base::units::{Amps, Volts};
use crate::event::{Board, DwellId, FigureName, Limit, PointId, Reading, Setting, StartId, Turn};

/// One imperative step. Load and supply are the rig's one load and one source.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Outputs off whatever they were before, so that the protection can be set and the wiring looked at.
    SwitchAllOff,
    /// The supply's own protection and current limit, and the load's current limit where it has one.
    SetProtection {
        /// The supply's over-voltage level, where it has one.
        over_voltage: Option<Volts>,
        /// The supply's over-current level, where it has one.
        over_current: Option<Amps>,
        /// The supply's current limit.
        current_limit: Amps,
        /// The load's own current limit, where it has one.
        load_limit: Option<Amps>,
    },
    /// Look at the wiring with the outputs off: no voltage may stand on Vout.
    CheckWiring,
    /// Capture the noise of probe and scope with the outputs off.
    MeasureNoiseFloor,
    /// Set the supply's voltage and read it back.
    SetVoltage(Volts),
    /// Set the load's current and read it back.
    SetLoad(Amps),
    /// Switch the supply's output and read it back.
    SwitchSupply(bool),
    /// Switch the load's input and read it back.
    SwitchLoad(bool),
    /// A point begins.
    BeginPoint(PointId),
    /// Wait until Vout (and Iin) are stable, by the plan's settle rule.
    Settle(PointId),
    /// Read supply, load, thermometers and scope side by side, and finish the point.
    Measure(PointId),
    /// A phase of a soak begins; nothing is done.
    BeginPhase {
        /// Its place in the profile, from 0.
        phase: u16,
        /// Which time it is gone through, from 1.
        round: u32,
    },
    /// Hold what is set and read supply, load and thermometers at the soak's interval.
    Dwell(DwellId),
    /// Leave the outputs off, which are switched off, for so long. No plan has it: it makes a start one again after trouble.
    StayOff(Duration),
    /// Look whether the board is off, just before the input comes on for a start.
    LookBeforeStart(StartId),
    /// Look at the board's start after the input came on.
    CheckStart(StartId),
    /// Look whether the answer of the soak is clear before its end.
    LookEarly(u32),
}

/// One operating point of the plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedPoint {
    /// Its number, from 1, in the order of measurement.
    pub id: PointId,
    /// What is set.
    pub setting: Setting,
    /// Repeat, from 1; in a soak the number of the sweep.
    pub repeat: u32,
    /// The phase of a soak in which it is a capture; `None` for a point of a sweep.
    pub phase: Option<u16>,
}

/// Everything that will be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// SHA-256 in hex over the rendered steps, limits and rules.
    pub digest: String,
    /// SHA-256 of the rig file's text.
    pub rig_digest: String,
    /// SHA-256 of the profile file's text.
    pub profile_digest: String,
    /// The profile's name.
    pub profile: ProfileName,
    /// What the profile is for.
    pub purpose: String,
    /// The board that is meant.
    pub board: Board,
    /// Who runs it.
    pub operator: Option<String>,
    /// Free notes.
    pub note: Option<String>,
    /// Its place in an order of runs.
    pub turn: Option<Turn>,
    /// The seed of a shuffled order; no other order has one.
    pub seed: Option<u64>,
    /// The points in the order of measurement.
    pub points: Vec<PlannedPoint>,
    /// The steps; whatever they are, `make_safe` comes after the last one that was begun.
    pub steps: Vec<Step>,
    /// The figures that are wanted, in the order of [`FigureName::ALL`].
    pub figures: Vec<FigureName>,
    /// Limits in the profile's order.
    pub limits: Vec<Limit>,
    /// When a point counts as settled.
    pub settle: SettleRule,
    /// What holds or trips the run.
    pub interlocks: Interlocks,
    /// What is captured with the scope, if the rig has one.
    pub capture: Option<CaptureSelection>,
    /// What makes it a soak; `None` for a sweep.
    pub soak: Option<SoakPlan>,
    /// The regulated output voltage the board should have.
    pub vout_nominal: Volts,
    /// Output voltage under which the bench counts as safe after switching off.
    pub safe_vout: Volts,
    /// How long the run is expected to take, about.
    pub expected: Duration,
    /// How much of that is over when the first point begins.
    pub expected_start: Duration,
    /// About how much it writes.
    pub writes: Forecast,
}

impl Plan {
    /// The point of that number.
    #[must_use]
    pub fn point(&self, id: PointId) -> Option<&PlannedPoint> {
        self.points.get(usize::try_from(id.0).ok()?.checked_sub(1)?)
    }

    /// The places of the phases in which no reading will be held against a limit, although there is one that readings tell:
    /// every setting is left before a point would have had its time to settle.
    #[must_use]
    pub fn phases_unjudged(&self) -> Vec<usize> {
        let Some(soak) = &self.soak else { return Vec::new() };
        if !self.limits.iter().any(|limit| Reading::tells(limit.figure)) {
            return Vec::new();
        }
        let is_unjudged =
            |place: &usize| soak.longest_held(*place).is_some_and(|longest| longest < self.settle.limit);
        (0..soak.phases.len()).filter(is_unjudged).collect()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let switched = |on: &bool| if *on { "on" } else { "off" };
        match self {
            Self::SwitchAllOff => f.write_str("switch load and supply off"),
            Self::SetProtection { over_voltage, over_current, current_limit, load_limit } => {
                write!(f, "limit the supply to {current_limit}")?;
                for (what, level) in [
                    ("over-voltage protection", over_voltage.map(|level| level.to_string())),
                    ("over-current protection", over_current.map(|level| level.to_string())),
                    ("current limit of the load", load_limit.map(|level| level.to_string())),
                ] {
                    match level {
                        Some(level) => write!(f, "; {what} at {level}")?,
                        None => write!(f, "; no {what}")?,
                    }
                }
                Ok(())
            }
            Self::CheckWiring => f.write_str("look at the wiring with the outputs off"),
            Self::MeasureNoiseFloor => {
                f.write_str("capture the noise of probe and scope with the outputs off")
            }
            Self::SetVoltage(voltage) => write!(f, "set the supply to {voltage}"),
            Self::SetLoad(current) => write!(f, "set the load to {current}"),
            Self::SwitchSupply(on) => write!(f, "switch the supply {}", switched(on)),
            Self::SwitchLoad(on) => write!(f, "switch the load {}", switched(on)),
            Self::BeginPoint(point) => write!(f, "begin point {}", point.0),
            Self::Settle(point) => write!(f, "wait until point {} has settled", point.0),
            Self::Measure(point) => write!(f, "measure point {}", point.0),
            Self::BeginPhase { phase, round } => write!(f, "begin phase {} of round {round}", phase + 1),
            Self::Dwell(dwell) => write!(f, "hold and read, dwell {}", dwell.0),
            Self::LookEarly(look) => write!(f, "look {look} whether the answer is clear"),
            Self::StayOff(span) => write!(f, "stay off for {}", render_span(*span)),
            Self::LookBeforeStart(start) => {
                write!(f, "look whether the board is off before start {}", start.0)
            }
            Self::CheckStart(start) => write!(f, "look at start {}", start.0),
        }
    }
}
