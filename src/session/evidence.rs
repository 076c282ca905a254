//! Which traces of a soak are kept: around every breach, the worst of every figure, and every so many-th capture. Decides;
//! the recorder writes.

use std::collections::{BTreeMap, VecDeque};

use crate::event::{BrokenAt, Event, FigureName, LimitBroken, PointId, PointResult, PointVerdict, Stamp};
use crate::plan::profile::soak::Evidence;
use crate::waveform::Waveform;

/// Figures of a trace whose worst captures are kept: those that a board gets worse by.
const WORST_OF: [FigureName; 4] =
    [FigureName::NoisePp20Mhz, FigureName::RipplePp, FigureName::SpikePos, FigureName::SpikeNeg];

/// A capture that may be kept.
pub(super) struct Capture {
    /// The point.
    pub(super) point: PointId,
    /// Why it is kept.
    pub(super) why: String,
    /// Its traces, with the time at which they were handed over.
    pub(super) traces: Vec<(Stamp, Waveform)>,
}

/// The captures that were not kept yet, and what decides about the next ones.
pub(super) struct Keeper {
    rules: Evidence,
    /// The present point's traces.
    pending: Vec<(Stamp, Waveform)>,
    /// The last captures that were not kept.
    recent: VecDeque<Capture>,
    /// The worst values so far, the least bad one last.
    worst: BTreeMap<FigureName, Vec<f64>>,
    /// Captures that are still to be kept behind a breach, and what it was.
    after: (u32, String),
    seen: u32,
    /// The disk is short of room: only breaches are kept.
    is_thinned: bool,
}

impl Keeper {
    pub(super) fn new(rules: Evidence) -> Self {
        Self {
            rules,
            pending: Vec::new(),
            recent: VecDeque::new(),
            worst: BTreeMap::new(),
            after: (0, String::new()),
            seen: 0,
            is_thinned: false,
        }
    }

    /// From now on only what stands around a breach is kept.
    pub(super) const fn thin(&mut self) {
        self.is_thinned = true;
    }

    /// Takes a trace of the point that is being finished.
    pub(super) fn take(&mut self, at: Stamp, trace: &Waveform) {
        self.pending.push((at, trace.clone()));
    }

    /// Takes what happened and gives the captures that are kept because of it.
    pub(super) fn judge(&mut self, event: &Event) -> Vec<Capture> {
        match event {
            Event::PointFinished(result) => self.finish(result),
            Event::LimitBroken(LimitBroken { at: BrokenAt::Dwell(_), what, .. }) => self.breach(
                &format!("before a reading broke one: {what}"),
                format!("after a reading broke one: {what}"),
            ),
            Event::InterlockHeld { what, .. } | Event::InterlockTripped { what } => {
                let why = format!("before an interlock spoke: {what}");
                self.breach(&why, format!("after an interlock spoke: {what}"))
            }
            _ => Vec::new(),
        }
    }

    fn finish(&mut self, result: &PointResult) -> Vec<Capture> {
        let traces = std::mem::take(&mut self.pending);
        let worse = self.note_worst(result);
        if traces.is_empty() {
            return Vec::new();
        }
        let number = self.seen;
        self.seen += 1;
        let mut capture = Capture { point: result.point, why: String::new(), traces };
        if result.verdict == PointVerdict::Fail {
            let point = result.point.0;
            let mut kept = self.breach(
                &format!("before point {point} broke a limit"),
                format!("after point {point} broke a limit"),
            );
            "it broke a limit".clone_into(&mut capture.why);
            kept.push(capture);
            return kept;
        }
        let is_regular = self.rules.every > 0 && number.is_multiple_of(self.rules.every);
        if self.after.0 > 0 {
            self.after.0 -= 1;
            capture.why.clone_from(&self.after.1);
        } else if let Some(figure) = worse.filter(|_| !self.is_thinned) {
            capture.why = format!("among the {} worst so far in {}", self.rules.worst, figure.title());
        } else if is_regular && !self.is_thinned {
            capture.why = format!("every {} captures", self.rules.every);
        } else {
            self.remember(capture);
            return Vec::new();
        }
        vec![capture]
    }

    /// Whether the point is among the worst so far in some figure.
    fn note_worst(&mut self, result: &PointResult) -> Option<FigureName> {
        let most = usize::try_from(self.rules.worst).unwrap_or(usize::MAX);
        let mut first = None;
        for figure in WORST_OF {
            let Some(value) = result.figures.value(figure).map(f64::abs).filter(|value| value.is_finite())
            else {
                continue;
            };
            let worst = self.worst.entry(figure).or_default();
            let place = worst.iter().position(|known| value > *known).unwrap_or(worst.len());
            if place < most {
                worst.insert(place, value);
                worst.truncate(most);
                first = first.or(Some(figure));
            }
        }
        first
    }

    fn breach(&mut self, before: &str, after: String) -> Vec<Capture> {
        self.after = (self.rules.after, after);
        let mut kept: Vec<Capture> = self.recent.drain(..).collect();
        for capture in &mut kept {
            before.clone_into(&mut capture.why);
        }
        kept
    }

    fn remember(&mut self, capture: Capture) {
        let most = usize::try_from(self.rules.before).unwrap_or(usize::MAX);
        if most == 0 {
            return;
        }
        if self.recent.len() >= most {
            self.recent.pop_front();
        }
        self.recent.push_back(capture);
    }
}
