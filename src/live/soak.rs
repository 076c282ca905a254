//! How a soak stands, as told by its events: its phase, its readings, what is missing of them. A pure fold whose memory does not
//! grow with the run.

use std::time::Duration;

use crate::base::clock::Instant;
use crate::event::{
    Coverage, CutOff, DwellEnd, DwellId, Event, PhaseSpan, PointResult, Reading, Readings, Rewarm, SoakFacts,
    Stamp,
};

/// The phase that a soak is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseNow {
    /// Its place in the profile, from 0.
    pub phase: u16,
    /// Its name.
    pub name: String,
    /// Which time it is gone through, from 1.
    pub round: u32,
    /// When it was begun.
    pub since: Stamp,
    /// What is done of it: of its dwells, whatever came between.
    pub done: Duration,
}

/// What was counted of a soak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SoakCounts {
    /// Batches of readings.
    pub batches: u64,
    /// Captures between the sweeps.
    pub captures: u64,
    /// Points whose traces were kept as evidence.
    pub evidence: u64,
    /// Starts that were looked at.
    pub starts: u64,
    /// Starts that failed.
    pub starts_failed: u64,
    /// Looks at a start that was none: the board had not been off.
    pub starts_none: u64,
    /// Points of the plan that are left out, because the board was warm before they were due.
    pub left_out: u32,
}

/// How a soak stands.
#[derive(Debug, Clone, PartialEq)]
pub struct SoakState {
    facts: SoakFacts,
    phase: Option<PhaseNow>,
    /// What is done of dwells that are finished.
    finished: Duration,
    /// A dwell that was begun and is not finished, and what is done of it.
    within: Option<(DwellId, Duration)>,
    /// What is done of warming the board up again, and whether that comes, or may come, before the run goes on.
    warming: Option<Duration>,
    is_resuming: bool,
    /// For how long the run was away when it was gone on with last.
    away: Option<Duration>,
    /// What is left of dwells that ended early, as long as all of it is known.
    saved: Option<Duration>,
    last: Option<Reading>,
    coverage: Coverage,
    cut_off: CutOff,
    /// An instrument that failed where readings are due, and has not been read since: when, and its words.
    failing: Option<(Stamp, String)>,
    counts: SoakCounts,
}

impl SoakState {
    pub(super) fn new(facts: SoakFacts) -> Self {
        Self {
            facts,
            phase: None,
            finished: Duration::ZERO,
            within: None,
            warming: None,
            is_resuming: false,
            away: None,
            saved: Some(Duration::ZERO),
            last: None,
            coverage: Coverage::default(),
            cut_off: CutOff::default(),
            failing: None,
            counts: SoakCounts::default(),
        }
    }

    /// Takes what happened; `spans` are those of the plan, empty where that is not known.
    pub(super) fn take(&mut self, at: Stamp, event: &Event, spans: &[PhaseSpan]) {
        self.cut_off.take(at, event);
        self.follow_failure(at, event);
        match event {
            Event::PhaseStarted { phase, name, round } => {
                let (phase, round, name) = (*phase, *round, name.clone());
                self.phase = Some(PhaseNow { phase, name, round, since: at, done: Duration::ZERO });
            }
            Event::ReadingsTaken(readings) => self.take_readings(readings),
            Event::InstrumentOpened(opened) => self.coverage.holes.open(&opened.role),
            Event::SensorFailed { role, what, .. } => self.coverage.holes.fail(at.monotonic, role, what),
            Event::DwellFinished { dwell, took, end, left_out, .. } => {
                self.warming = None;
                self.counts.left_out = self.counts.left_out.saturating_add(*left_out);
                if *dwell != DwellId::WARMING {
                    (self.within, self.is_resuming) = (None, false);
                    self.finish(*took, *end, spans);
                }
            }
            Event::GapFound(gap) => self.coverage.lose(gap),
            Event::RunResumed(resumed) => {
                // Cut off before it was where it had been, it is away for longer than that.
                self.away = resumed.gap.filter(|_| !self.is_resuming);
                (self.warming, self.is_resuming) = (None, true);
            }
            Event::EvidenceKept { .. } => self.counts.evidence += 1,
            Event::StartChecked(check) => {
                let is_none = check.is_no_start();
                self.counts.starts += u64::from(!is_none);
                self.counts.starts_none += u64::from(is_none);
                self.counts.starts_failed += u64::from(!check.started);
            }
            Event::PointFinished(result) => self.take_result(result),
            _ => {}
        }
    }

    /// A gap is told when it has ended; until then a failure tells that one is open.
    fn follow_failure(&mut self, at: Stamp, event: &Event) {
        match event {
            Event::Retried { what, .. } if self.cut_off.within().is_some() => {
                self.failing.get_or_insert_with(|| (at, what.clone()));
            }
            Event::ReadingsTaken(_)
            | Event::GapFound(_)
            | Event::PointStarted { .. }
            | Event::RunResumed(_)
            | Event::RunFinished(_) => self.failing = None,
            _ => {}
        }
    }

    fn take_readings(&mut self, readings: &Readings) {
        self.last = readings.rows.last().copied().or(self.last);
        let count = readings.rows.len() as u64;
        readings.rows.iter().for_each(|row| self.coverage.holes.take(row));
        if readings.held {
            self.coverage.held += count;
        } else {
            self.coverage.taken += count;
            // Warming up again is done beside the dwell that was cut off, which goes on behind it.
            if readings.dwell == DwellId::WARMING {
                self.warming = Some(readings.done);
            } else {
                self.within = Some((readings.dwell, readings.done));
                (self.warming, self.is_resuming) = (None, false);
            }
        }
        self.counts.batches += 1;
    }

    fn take_result(&mut self, result: &PointResult) {
        self.counts.captures += u64::from(result.phase.is_some());
    }

    /// A dwell that waits for the steady state has its phase for itself: what is left of it is left of the phase.
    fn finish(&mut self, took: Duration, end: DwellEnd, spans: &[PhaseSpan]) {
        self.finished += took;
        let Some(phase) = &mut self.phase else { return };
        phase.done += took;
        if end != DwellEnd::Steady {
            return;
        }
        let span = spans.iter().find(|span| (span.phase, span.round) == (phase.phase, phase.round));
        let left = span.map(|span| span.lasts.saturating_sub(phase.done));
        self.saved = self.saved.zip(left).map(|(saved, left)| saved + left);
    }

    /// What makes it a soak.
    #[must_use]
    pub const fn facts(&self) -> &SoakFacts {
        &self.facts
    }

    /// The phase it is in; `None` before the first one, e.g. in the sweep at the start.
    #[must_use]
    pub fn phase(&self) -> Option<PhaseNow> {
        let mut phase = self.phase.clone()?;
        phase.done += self.done_within();
        Some(phase)
    }

    /// What is done of the dwells of all phases.
    #[must_use]
    pub fn done(&self) -> Duration {
        self.finished + self.done_within()
    }

    fn done_within(&self) -> Duration {
        self.within.map_or(Duration::ZERO, |(_, done)| done)
    }

    /// How long the dwells last together, less what is left of those that ended early; `None` where nobody knows how much
    /// that is.
    #[must_use]
    pub fn lasts(&self) -> Option<Duration> {
        Some(self.facts.dwells_last.saturating_sub(self.saved?))
    }

    /// How long the dwells that are left last.
    #[must_use]
    pub fn dwells_left(&self) -> Option<Duration> {
        Some(self.lasts()?.saturating_sub(self.done()))
    }

    /// How long the board has been warmed up again after a gap, where it is.
    #[must_use]
    pub const fn warming(&self) -> Option<Duration> {
        self.warming
    }

    /// Whether the run was gone on with and is not where it was yet: the board may be warmed up again first.
    #[must_use]
    pub const fn is_resuming(&self) -> bool {
        self.is_resuming
    }

    /// How long warming up again still takes at most, of a run that was gone on with and is not where it was yet.
    pub(super) fn rewarm_left(&self, rewarm: Option<Rewarm>) -> Option<Duration> {
        if self.done().is_zero() && self.warming.is_none() {
            return Some(Duration::ZERO);
        }
        let span = rewarm?.span(self.away).unwrap_or_default();
        Some(span.saturating_sub(self.warming.unwrap_or_default()))
    }

    /// The last reading that is kept.
    #[must_use]
    pub const fn last(&self) -> Option<&Reading> {
        self.last.as_ref()
    }

    /// How much of it was read.
    #[must_use]
    pub const fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// The same of a run that nobody carries out any more: what it lost is a gap, too.
    #[must_use]
    pub fn coverage_when_gone(&self) -> Coverage {
        let mut coverage = self.coverage.clone();
        self.cut_off.gap(self.facts.interval).iter().for_each(|gap| coverage.lose(gap));
        coverage
    }

    /// Since when nothing is read where readings are due, and why; it counts when it is over.
    #[must_use]
    pub fn open_gap(&self) -> Option<(Instant, &str)> {
        let (_, what) = self.failing.as_ref()?;
        Some((self.last?.at, what))
    }

    /// What was counted.
    #[must_use]
    pub const fn counts(&self) -> SoakCounts {
        self.counts
    }
}
