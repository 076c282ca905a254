//! From a record to what the report shows. Reads the record and nothing else.

use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use crate::base::names::Role;
use crate::base::units::{Amps, Volts};
use crate::event::NoiseFloor;
use crate::event::{Drilled, Event, InstrumentFacts, Limit, PointResult, RunFacts, RunVerdict, SafeState};
use crate::record::format::LimitSummary;
use crate::record::{Record, Summary, Tail, summary};
use jiff::Timestamp;

use super::capture::{self, CaptureView};
use super::facts::{self, Conditions, Incident, Missing, Note, Start};
use super::figure::{self, FigureView};
use super::soak::{self, SoakView};
use super::thermal::thermal_note;

/// The most bytes of a screen's picture that are put into the page; the page shall stay one that can be sent by mail.
const SCREEN_LIMIT: u64 = 1 << 20;

/// The scope's own screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// Number of the point.
    pub point: u32,
    /// The file, relative to the run folder.
    pub file: String,
    /// PNG bytes.
    pub png: Vec<u8>,
}

/// An instrument's own protection as read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Protection {
    /// Which instrument.
    pub role: Role,
    /// Over-voltage level.
    pub over_voltage: Option<Volts>,
    /// Over-current level.
    pub over_current: Option<Amps>,
}

/// What the report shows.
#[derive(Debug, Clone)]
pub struct Report {
    /// The summary as in `summary.json`.
    pub summary: Summary,
    /// The facts the run began with; `None` where the record ends before.
    pub facts: Option<RunFacts>,
    /// How the journal ends.
    pub tail: Tail,
    /// How long the run took, as far as the record goes.
    pub lasted: Duration,
    /// The instruments.
    pub instruments: Vec<InstrumentFacts>,
    /// Their protection.
    pub protections: Vec<Protection>,
    /// What the check of the wiring saw.
    pub findings: Vec<String>,
    /// The limits in force.
    pub limits: Vec<Limit>,
    /// The finished points in the order of measurement.
    pub points: Vec<PointResult>,
    /// How traces were captured.
    pub conditions: Vec<Conditions>,
    /// What probe and scope show with the outputs off; empty where it was not captured.
    pub floors: Vec<NoiseFloor>,
    /// Figures over all points.
    pub figures: Vec<FigureView>,
    /// Where the board starts.
    pub starts: Vec<Start>,
    /// The worst captures, or why there is none.
    pub captures: Vec<Result<CaptureView, String>>,
    /// The scope's screen, or why there is none.
    pub screen: Result<Screen, String>,
    /// What could not be had.
    pub missing: Vec<Missing>,
    /// The points' own notes, each kind once.
    pub notes: Vec<Note>,
    /// Why the board's temperatures are not those of thermal equilibrium.
    pub thermal: Option<String>,
    /// What went other than planned.
    pub incidents: Vec<Incident>,
    /// The drills of the dead-man before the run.
    pub drills: Vec<Drilled>,
    /// How the outputs were found at the end.
    pub made_safe: Option<SafeState>,
    /// What a soak shows beside its points, or why its readings cannot be read; `None` for a sweep.
    pub soak: Option<Result<SoakView, String>>,
    /// When it was made, for the age of the last reading where the record has no end; nothing else heeds it.
    pub now: Option<Timestamp>,
    /// Whether the run goes on: a program writes to its journal while the page is made.
    pub goes_on: bool,
}

impl Report {
    /// Says of a run that is still being written what is true of it: it has not broken off, and its outputs may be on.
    pub(super) fn mark_as_going_on(&mut self) {
        self.goes_on = true;
        // A trip stands: then it is being switched off.
        if self.summary.verdict == RunVerdict::Incomplete.to_string() {
            let points = self.summary.points;
            self.summary.reason = format!(
                "the run goes on: {} of {} points are finished so far, and the outputs may be on",
                points.finished, points.planned
            );
        }
    }

    /// The verdict as it is shown: a run that goes on has none yet.
    #[must_use]
    pub fn verdict_word(&self) -> String {
        if self.goes_on && self.summary.verdict == RunVerdict::Incomplete.to_string() {
            "RUNNING".to_owned()
        } else {
            RunVerdict::in_capitals(&self.summary.verdict)
        }
    }

    /// What is known of the outputs at the end, in two words.
    #[must_use]
    pub const fn outputs_word(&self) -> &'static str {
        match (self.summary.outputs_off_verified, self.goes_on) {
            (_, true) => "may be on",
            (true, false) => "verified off",
            (false, false) => "not verified",
        }
    }

    /// The limits that failed, could not be judged, were nearly broken, or were met, in this order.
    pub fn limits_by_weight(&self) -> impl Iterator<Item = &LimitSummary> {
        let weight = |limit: &LimitSummary| match (limit.is_broken(), limit.not_measured, limit.is_marginal())
        {
            (true, _, _) => 0,
            (false, 1.., _) => 1,
            (false, 0, true) => 2,
            (false, 0, false) => 3,
        };
        (0..4).flat_map(move |wanted| self.summary.limits.iter().filter(move |limit| weight(limit) == wanted))
    }
}

/// Builds the report of a record, complete or not, to which nobody writes any more.
#[must_use]
pub fn build(record: &Record) -> Report {
    build_as(record, false)
}

/// Builds the report of a record, to which a program may still write.
pub(super) fn build_as(record: &Record, goes_on: bool) -> Report {
    let points = record.points();
    let facts = record.facts().cloned();
    let limits = facts.as_ref().map_or_else(Vec::new, |facts| facts.limits.clone());
    let (mut protections, mut findings, mut drills) = (Vec::new(), Vec::new(), Vec::new());
    for logged in record.events() {
        match &logged.event {
            Event::ProtectionSet { role, over_voltage, over_current } => protections.push(Protection {
                role: role.clone(),
                over_voltage: *over_voltage,
                over_current: *over_current,
            }),
            Event::WiringChecked { findings: seen } => findings.extend(seen.iter().cloned()),
            Event::DeadmanDrilled(drilled) => drills.push((**drilled).clone()),
            _ => {}
        }
    }
    let mut summary = summary::build(record);
    // The captures of a soak are repeats of a few settings over time: the timeline shows them, not the curves over settings.
    let is_of_sweep = |point: &&&PointResult| point.phase.is_none();
    let of_sweeps: Vec<PointResult> = points.iter().filter(is_of_sweep).copied().cloned().collect();
    // The readings of a soak are half of the work, and need nothing of the other half.
    let (soak, figures) = thread::scope(|scope| {
        let beside = scope.spawn(|| soak::build((record, goes_on), (&limits, &summary.limits)));
        let figures = figure::build(&of_sweeps, &limits);
        (beside.join().unwrap_or_else(|panic| resume_unwind(panic)), figures)
    });
    // Behind the soak, which looks at traces, too, and before the points are copied: the memory that traces need is needed once.
    let captures = capture::build(record, &points);
    let points: Vec<PointResult> = points.into_iter().cloned().collect();
    let soak = soak.map(|view| view.map_err(|error| format!("The readings cannot be shown: {error}.")));
    summary.soak = soak.as_ref().and_then(|view| view.as_ref().ok()).map(soak::summary::build);
    Report {
        summary,
        tail: record.tail().clone(),
        lasted: record.lasted(),
        instruments: record.instruments().cloned().collect(),
        protections,
        findings,
        conditions: facts::conditions(record),
        floors: facts::floors(record),
        figures,
        starts: facts::starts(&of_sweeps),
        captures,
        screen: screen(record),
        missing: facts::missing(&points),
        notes: facts::notes(&points),
        thermal: thermal_note(record),
        incidents: facts::incidents(record),
        drills,
        made_safe: record.made_safe().cloned(),
        facts,
        limits,
        points,
        soak,
        now: None,
        goes_on: false,
    }
}

/// The last screen that was kept: the plan ends at the hardest point.
fn screen(record: &Record) -> Result<Screen, String> {
    let facts = record.screens().last().ok_or("No picture of the scope's screen was kept.")?;
    if facts.bytes > SCREEN_LIMIT {
        return Err(format!(
            "The picture of the scope's screen is too large for this page: see {}.",
            facts.file
        ));
    }
    let png =
        record.screen(facts).map_err(|error| format!("The scope's screen cannot be shown: {error}."))?;
    if !png.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Err(format!("What the scope sent as its screen is no PNG picture: see {}.", facts.file));
    }
    Ok(Screen { point: facts.point.0, file: facts.file.clone(), png })
}
