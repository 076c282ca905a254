//! Measuring a point: supply, load, thermometers and scope read side by side, then made into figures and a verdict.

use super::act::Shell;
use super::capture::{CaptureJob, Captures, read_lx};
use super::readings::{PointReadings, board_vout, build_figures, region};
use super::watch::{Transfer, Watcher};
use super::{Failure, stamp};
use crate::base::units::Volts;
use crate::bench::{Bench, BenchWiring};
use crate::event::limit::{check_limits, point_verdict};
use crate::event::{Event, PointId, PointResult};
use crate::instrument::Asked;
use crate::instrument::scope::Scope;
use crate::plan::PlannedPoint;
use crate::plan::profile::CaptureSelection;
use crate::waveform::Unavailable;
use crate::waveform::figures::{Pair, SteadyState};
use crate::waveform::measure;

/// A point whose readings are taken and whose last trace may still be in the scope.
pub(super) struct Pending {
    point: PlannedPoint,
    readings: PointReadings,
    captures: Captures,
    settled: bool,
    nominal: Volts,
}

/// A point with everything made of it.
pub(super) struct Finished {
    point: PlannedPoint,
    readings: PointReadings,
    captures: Captures,
    settled: bool,
    nominal: Volts,
}

impl Pending {
    /// Transfers what is left in the scope and makes the figures.
    pub(super) fn finish(mut self, scope: Option<&mut Box<dyn Scope>>, wiring: &BenchWiring) -> Finished {
        self.transfer(scope, wiring);
        if self.readings.steady.is_ok() || !self.captures.all.is_empty() {
            self.readings.steady = Ok(analyse(&self.captures));
        }
        let Self { point, readings, captures, settled, nominal } = self;
        Finished { point, readings, captures, settled, nominal }
    }

    fn transfer(&mut self, scope: Option<&mut Box<dyn Scope>>, wiring: &BenchWiring) {
        let (Some(_), Some(scope), Some(lx)) = (self.captures.left_in_scope, scope, &wiring.lx) else {
            return;
        };
        let Some(last) = self.captures.all.last_mut() else { return };
        // The board has moved on, so this trace cannot be captured anew; but asking for it twice does no harm.
        match read_lx(&mut **scope, lx, last.purpose).or_else(|_| read_lx(&mut **scope, lx, last.purpose)) {
            Ok(trace) => last.lx = Some(trace),
            Err(error) => self.captures.notes.push(format!("switch node trace lost: {error}")),
        }
    }
}

fn analyse(captures: &Captures) -> SteadyState {
    use super::range::Purpose;
    let pair = |purpose: Purpose| {
        let found = captures.all.iter().find(|capture| capture.purpose == purpose)?;
        Some(Pair { vout: &found.vout, lx: found.lx.as_ref() })
    };
    let (ripple, spikes) = (pair(Purpose::Ripple), pair(Purpose::Spikes));
    measure(ripple.as_ref(), spikes.as_ref())
}

impl Shell<'_> {
    pub(super) fn measure(&mut self, id: PointId) -> Result<(), Failure> {
        let Some(point) = self.plan.point(id).copied() else { return Ok(()) };
        // The scope's record is about to be overwritten: what is left in it comes first.
        self.flush_pending()?;
        let job = self.plan.capture.map(|selection| (selection, wants_screen(selection, id)));
        let clock = self.bench.clock.clone();
        let stop = self.stop;
        let terminal = self.bench.load.measure_voltage()?;
        let vout = board_vout(terminal, point.setting.load, self.bench.wiring.load_lead);
        let Bench { supply, load, scope, thermometers, wiring, .. } = &mut *self.bench;
        let (wiring, scales) = (&*wiring, &mut self.scales);
        let transfer = Transfer::default();
        let mut watcher = Watcher {
            supply: &mut **supply,
            load: &mut **load,
            thermometers,
            interlock: &mut self.interlock,
            wiring,
            clock: &*clock,
            stop,
            outbox: Vec::new(),
        };
        let mut taken = None;
        let mut captured: Asked<Captures> = Ok(Captures::default());
        clock.together(vec![
            Box::new(|| taken = Some(watcher.measure_guarded(&transfer))),
            Box::new(|| {
                let _running = transfer.running();
                if let (Some(scope), Some((selection, screen))) = (scope.as_mut(), job) {
                    let vin = point.setting.vin;
                    let job = CaptureJob { selection, wiring, vin, vout, screen, stop };
                    captured = job.capture_all(&mut **scope, scales);
                }
            }),
        ]);
        let outbox = watcher.outbox;
        self.emit_all(outbox)?;
        let (meters, temperatures) =
            taken.unwrap_or_else(|| Err(Failure::Internal("the meters were not read".to_owned())))?;
        // A capture that was cut short is none.
        if stop.is_now() {
            return Err(Failure::StopNow);
        }
        let captures = captured?;
        let (settle, settled) = self.settled.unwrap_or_default();
        let steady = if captures.all.is_empty() {
            Err(Unavailable::because(self.why_no_trace()))
        } else {
            Ok(SteadyState::unavailable("not analysed yet"))
        };
        let readings = PointReadings {
            setting: point.setting,
            meters,
            source_lead: self.bench.wiring.source_lead,
            load_lead: self.bench.wiring.load_lead,
            board_c: temperatures.board_c,
            ambient_c: temperatures.ambient_c,
            settle,
            steady,
        };
        self.pending = Some(Pending { point, readings, captures, settled, nominal: self.plan.vout_nominal });
        Ok(())
    }

    fn why_no_trace(&self) -> &'static str {
        if self.bench.scope.is_none() { "the rig has no scope" } else { "this profile captures nothing" }
    }

    /// Finishes a point whose last trace is still in the scope.
    pub(super) fn flush_pending(&mut self) -> Result<(), Failure> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        let finished = pending.finish(self.bench.scope.as_mut(), &self.bench.wiring);
        self.keep_point(finished)
    }

    /// Hands traces and result to the record.
    pub(super) fn keep_point(&mut self, finished: Finished) -> Result<(), Failure> {
        let Finished { point, readings, captures, settled, nominal } = finished;
        let at = stamp(&*self.bench.clock);
        if self.plan.capture.is_some_and(|selection| selection.keep) {
            let traces = captures.all.iter().flat_map(|capture| [Some(&capture.vout), capture.lx.as_ref()]);
            for trace in traces.flatten() {
                self.sink.waveform(at, point.id, trace).map_err(Failure::Record)?;
            }
        }
        if let Some(screen) = &captures.screen {
            self.sink.screen(at, point.id, screen).map_err(Failure::Record)?;
        }
        let meters = readings.meters;
        let vout = board_vout(meters.load_voltage, meters.load_current, readings.load_lead);
        let region = region(vout, nominal);
        let figures = build_figures(&readings, region);
        let checks = check_limits(&self.plan.limits, point.setting, &figures);
        let verdict = point_verdict(&checks);
        let notes = build_notes(&readings, &captures, settled);
        let PlannedPoint { id, setting, repeat } = point;
        let result = PointResult { point: id, repeat, setting, figures, region, checks, verdict, notes };
        self.emit(&Event::PointFinished(Box::new(result.clone())))?;
        self.results.push(result);
        Ok(())
    }
}

fn wants_screen(selection: CaptureSelection, id: PointId) -> bool {
    selection.screen_every > 0 && id.0.is_multiple_of(selection.screen_every)
}

fn build_notes(readings: &PointReadings, captures: &Captures, settled: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if !settled {
        notes.push("not settled within the time limit".to_owned());
    }
    if let Ok(steady) = &readings.steady {
        notes.push(format!("conduction {}", steady.conduction.as_str()));
        if let Some(method) = steady.ripple_method {
            notes.push(format!("ripple by {}", method.as_str()));
        }
        notes.extend(steady.notes.iter().cloned());
    }
    notes.extend(captures.notes.iter().cloned());
    notes
}
