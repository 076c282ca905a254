//! Which traces of a soak are kept: around every breach, the worst of every figure, and every so many-th capture. Decides;
//! the recorder writes.

use std::collections::VecDeque;

use crate::base::units::Volts;
use crate::engine::readings::is_of_trace;
use crate::event::worst::Ranking;
use crate::event::{BrokenAt, Event, FigureName, LimitBroken, PointId, PointResult, PointVerdict, Stamp};
use crate::plan::profile::soak::Evidence;
use crate::waveform::Waveform;

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
    /// The worst points so far.
    ranking: Ranking,
    /// Captures that are still to be kept behind a breach, and what it was.
    after: (u32, String),
    seen: u32,
    /// Captures that should have been kept around a breach and were in the memory of a program that is gone.
    lost: usize,
    /// The disk is short of room: only breaches are kept.
    is_thinned: bool,
}

impl Keeper {
    /// Of a board with this output voltage.
    pub(super) fn new(rules: Evidence, nominal: Volts) -> Self {
        Self {
            rules,
            pending: Vec::new(),
            recent: VecDeque::new(),
            ranking: Ranking::new(usize::try_from(rules.worst).unwrap_or(usize::MAX), nominal),
            after: (0, String::new()),
            seen: 0,
            lost: 0,
            is_thinned: false,
        }
    }

    /// As it stood when a run was cut off, by its events. The traces that waited for a breach are gone.
    pub(super) fn resumed<'e>(
        rules: Evidence,
        nominal: Volts,
        events: impl IntoIterator<Item = &'e Event>,
    ) -> Self {
        let mut keeper = Self::new(rules, nominal);
        // What was to be kept around a breach and was not yet, and whether the last point is one of those promised behind it.
        let (mut unkept, mut promised) = (Vec::new(), None);
        for event in events {
            let (waiting, due): (Vec<PointId>, u32) =
                (keeper.recent.iter().map(|capture| capture.point).collect(), keeper.after.0);
            match event {
                Event::EvidenceKept { point, .. } => unkept.retain(|known| known != point),
                Event::PointFinished(result) => {
                    keeper.finish(result, had_traces(result).then(Vec::new));
                    let is_broken = result.verdict == PointVerdict::Fail && had_traces(result);
                    promised = (keeper.after.0 < due).then_some(result.point);
                    unkept = promised.into_iter().chain(is_broken.then_some(result.point)).collect();
                }
                other => {
                    keeper.judge(other);
                }
            }
            if keeper.recent.is_empty() {
                unkept.extend(waiting);
            }
        }
        keeper.after.0 += u32::from(promised.is_some_and(|point| unkept.contains(&point)));
        keeper.lost = unkept.len();
        keeper
    }

    /// How many captures that should have been kept around a breach are gone; told once.
    pub(super) fn take_lost(&mut self) -> usize {
        std::mem::take(&mut self.lost)
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
            Event::PointFinished(result) => {
                let traces = std::mem::take(&mut self.pending);
                self.finish(result, (!traces.is_empty()).then_some(traces))
            }
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

    /// Takes a point with its traces, which are empty where they are gone; `None` where nothing was captured.
    fn finish(&mut self, result: &PointResult, traces: Option<Vec<(Stamp, Waveform)>>) -> Vec<Capture> {
        let worst_in = self.ranking.take(result);
        let Some(traces) = traces else { return Vec::new() };
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
        } else if !worst_in.is_empty() && !self.is_thinned {
            let figures: Vec<&str> = worst_in.iter().map(|figure| figure.title()).collect();
            capture.why = format!("among the {} worst so far in {}", self.rules.worst, figures.join("; "));
        } else if is_regular && !self.is_thinned {
            capture.why = format!("every {} captures", self.rules.every);
        } else {
            self.remember(capture);
            return Vec::new();
        }
        vec![capture]
    }

    fn breach(&mut self, before: &str, after: String) -> Vec<Capture> {
        self.after = (self.rules.after, after);
        let (mut kept, gone): (Vec<Capture>, Vec<Capture>) =
            self.recent.drain(..).partition(|capture| !capture.traces.is_empty());
        self.lost += gone.len();
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

/// Whether something was captured at a point, as far as its figures tell.
fn had_traces(result: &PointResult) -> bool {
    let is_of_traces = FigureName::ALL.iter().filter(|name| is_of_trace(**name));
    is_of_traces.into_iter().any(|name| result.figures.value(*name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Instant;
    use crate::base::units::Amps;
    use crate::event::{Region, Regulation, Setting};
    use crate::waveform::{Acquisition, Codes, Coupling, Scaling};

    fn trace() -> Waveform {
        Waveform {
            codes: Codes::U8(vec![1, 2, 3]),
            scaling: Scaling {
                volts_per_code: 1e-3,
                zero_code: 0.0,
                offset_v: 0.0,
                min_code: 0,
                max_code: 255,
            },
            start_s: 0.0,
            step_s: 1e-8,
            acquisition: Acquisition {
                signal: "vout".to_owned(),
                channel: 1,
                coupling: Coupling::Ac,
                bandwidth_limit_hz: None,
                probe_ratio: 10.0,
                fixture: String::new(),
                volts_per_div: 0.01,
                offset_v: 0.0,
                memory_depth: 3,
                purpose: "ripple".to_owned(),
                range_note: None,
            },
        }
    }

    /// Takes a capture with these figures; why it is kept, if it is.
    fn capture(keeper: &mut Keeper, point: u32, figures: &[(FigureName, f64)]) -> Option<String> {
        let at = Stamp { utc: jiff::Timestamp::UNIX_EPOCH, monotonic: Instant(0) };
        keeper.take(at, &trace());
        let result = PointResult {
            point: PointId(point),
            repeat: 1,
            phase: Some(0),
            setting: Setting { vin: Volts(24.0), load: Amps(0.5) },
            figures: figures.iter().map(|(name, value)| (*name, Ok(*value))).collect(),
            bounds: std::collections::BTreeMap::new(),
            region: Region::Regulated,
            regulation: Ok(Regulation::ConstantVoltage),
            checks: Vec::new(),
            verdict: PointVerdict::Pass,
            notes: Vec::new(),
        };
        keeper.judge(&Event::PointFinished(Box::new(result))).pop().map(|kept| kept.why)
    }

    #[test]
    fn a_capture_is_kept_when_it_is_among_the_worst_so_far_in_any_figure() {
        use FigureName::{BoardTemperature, Efficiency, RipplePp};
        let rules = Evidence { before: 0, after: 0, worst: 1, every: 0 };
        let mut keeper = Keeper::new(rules, Volts(5.0));
        let usual = [(RipplePp, 0.02), (Efficiency, 0.8), (BoardTemperature, 50.0)];
        assert!(capture(&mut keeper, 1, &usual).is_some(), "the first is the worst so far in all");
        assert_eq!(capture(&mut keeper, 2, &usual), None);
        let why = capture(&mut keeper, 3, &[(RipplePp, 0.01), (Efficiency, 0.79), (BoardTemperature, 51.0)]);
        assert_eq!(why.unwrap(), "among the 1 worst so far in efficiency; board temperature");
        keeper.thin();
        assert_eq!(capture(&mut keeper, 4, &[(Efficiency, 0.5)]), None, "the disk is short of room");
    }
}
