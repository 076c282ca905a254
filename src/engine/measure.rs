//! Measuring a point: supply, load, thermometers and scope read side by side, then made into figures and a verdict.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::act::{Shell, split};
use super::capture::{CaptureJob, Captures, read_lx};
use super::readings::{PointReadings, board_vout, build_figures, region, unmet_setting};
use super::transfer::Transfer;
use super::{Failure, stamp};
use crate::base::clock::Instant;
use crate::base::span::render_span;
use crate::bench::BenchWiring;
use crate::event::limit::{Known, check_limits, point_verdict, withhold_checks};
use crate::event::{
    BrokenAt, Event, FigureName, Figures, LimitBroken, NOT_SETTLED, Outcome, PointId, PointResult, Region,
};
use crate::instrument::scope::Scope;
use crate::instrument::{Asked, ErrorKind};
use crate::plan::PlannedPoint;
use crate::plan::profile::CaptureSelection;
use crate::waveform::figures::{Pair, SteadyState};
use crate::waveform::{Bound, Figure, Unavailable};
use crate::waveform::{Floor, Terms, measure_with};

/// A point whose readings are taken and whose last trace may still be in the scope.
pub(super) struct Pending {
    point: PlannedPoint,
    readings: PointReadings,
    /// From when to when they were taken.
    read: (Instant, Instant),
    captures: Captures,
    floor: Option<Arc<Floor>>,
}

/// A point whose traces are all here, with the figures made of them or why there are none.
pub(super) struct Finished {
    pending: Pending,
    steady: Result<SteadyState, Unavailable>,
}

/// What came of finishing a point.
pub(super) enum Finishing {
    /// It can be kept.
    Finished(Box<Finished>),
    /// The transfer was cut short; the outputs go off first.
    CutShort(Box<Pending>),
}

impl Pending {
    /// Transfers what is left in the scope and makes the figures. A transfer that is cut short can be made later.
    pub(super) fn finish(mut self, scope: Option<&mut Box<dyn Scope>>, wiring: &BenchWiring) -> Finishing {
        let has_scope = scope.is_some();
        if self.transfer(scope, wiring).is_err() {
            return Finishing::CutShort(Box::new(self));
        }
        let steady = match (self.captures.all.is_empty(), has_scope) {
            (false, _) => Ok(analyse(&self.captures, self.floor.as_deref())),
            (true, true) => Err(Unavailable::because("this profile captures nothing")),
            (true, false) => Err(Unavailable::because("the rig has no scope")),
        };
        Finishing::Finished(Box::new(Finished { pending: self, steady }))
    }

    /// `Err` if it was cut short and the trace is still in the scope.
    fn transfer(&mut self, scope: Option<&mut Box<dyn Scope>>, wiring: &BenchWiring) -> Result<(), ()> {
        let (Some(_), Some(scope), Some(lx)) = (self.captures.left_in_scope, scope, &wiring.lx) else {
            return Ok(());
        };
        let Some(last) = self.captures.all.last_mut() else { return Ok(()) };
        // The board has moved on, so this trace cannot be captured anew; but asking for it twice does no harm.
        let read = read_lx(&mut **scope, lx, last.purpose).or_else(|error| match error.kind() {
            ErrorKind::CutShort => Err(error),
            _ => read_lx(&mut **scope, lx, last.purpose),
        });
        match read {
            Ok(trace) => last.lx = Some(trace),
            Err(error) if error.kind() == ErrorKind::CutShort && scope.cut().is_now() => return Err(()),
            Err(error) => self.captures.notes.push(format!("switch node trace lost: {error}")),
        }
        Ok(())
    }
}

fn analyse(captures: &Captures, floor: Option<&Floor>) -> SteadyState {
    use super::range::Purpose;
    let pair = |purpose: Purpose| {
        let found = captures.all.iter().find(|capture| capture.purpose == purpose)?;
        Some(Pair { vout: &found.vout, lx: found.lx.as_ref() })
    };
    let (ripple, spikes) = (pair(Purpose::Ripple), pair(Purpose::Spikes));
    measure_with(ripple.as_ref(), spikes.as_ref(), &Terms { floor, ..Terms::default() })
}

impl Shell<'_> {
    pub(super) fn measure(&mut self, id: PointId) -> Result<(), Failure> {
        let point = self.planned(id)?;
        // The scope's record is about to be overwritten: what is left in it comes first.
        self.flush_pending()?;
        let job = self.plan.capture.map(|selection| (selection, wants_screen(selection, id)));
        let clock = self.bench.clock.clone();
        let stop = self.stop;
        let terminal = self.bench.load.measure_voltage()?;
        let vout = board_vout(terminal, point.setting.load, self.bench.wiring.load_lead);
        let scales = &mut self.scales;
        let transfer = Transfer::default();
        let (mut watcher, scope) = split(self.bench, &mut self.interlock, &*clock, stop);
        let wiring = watcher.wiring;
        let mut taken = None;
        let mut captured: Asked<Captures> = Ok(Captures::default());
        let begun = clock.now();
        clock.together(vec![
            Box::new(|| taken = Some(watcher.measure_guarded(&transfer))),
            Box::new(|| {
                let _running = transfer.running();
                if let (Some(scope), Some((selection, screen))) = (scope, job) {
                    let vin = point.setting.vin;
                    let job = CaptureJob { selection, wiring, vin, vout, screen, stop };
                    captured = job.capture_all(&mut **scope, scales);
                }
            }),
        ]);
        let (outbox, read) = (watcher.outbox, (begun, clock.now()));
        self.emit_all(outbox)?;
        let (meters, temperatures, regulation) =
            taken.unwrap_or_else(|| Err(Failure::Internal("the meters were not read".to_owned())))?;
        // A capture that was cut short is none.
        if stop.is_now() {
            return Err(Failure::StopNow);
        }
        let captures = captured?;
        let readings = PointReadings {
            setting: point.setting,
            meters,
            source_lead: self.bench.wiring.source_lead,
            load_lead: self.bench.wiring.load_lead,
            board_c: temperatures.board_c,
            ambient_c: temperatures.ambient_c,
            settle_s: settle_figure(self.settled, self.interrupted),
            regulation,
        };
        self.pending = Some(Pending { point, readings, read, captures, floor: self.floor.clone() });
        Ok(())
    }

    /// Finishes a point whose last trace is still in the scope.
    pub(super) fn flush_pending(&mut self) -> Result<(), Failure> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        match pending.finish(self.bench.scope.as_mut(), &self.bench.wiring) {
            Finishing::Finished(finished) => self.keep_point(*finished),
            Finishing::CutShort(pending) => {
                self.pending = Some(*pending);
                Err(Failure::StopNow)
            }
        }
    }

    /// Hands traces and result to the record.
    pub(super) fn keep_point(&mut self, finished: Finished) -> Result<(), Failure> {
        let Finished { pending: Pending { point, readings, read, captures, .. }, steady } = finished;
        let at = stamp(&*self.bench.clock);
        // Of a soak, whoever keeps the record decides which traces are evidence.
        if self.plan.soak.is_some() || self.plan.capture.is_some_and(|selection| selection.keep) {
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
        let unmet = unmet_setting(&readings);
        let region = region(vout, self.plan.vout_nominal);
        let wanted = &self.plan.figures;
        let figures: Figures = build_figures(&readings, &steady, region)
            .iter()
            .filter(|(name, _)| wanted.contains(name))
            .map(|(name, figure)| (name, figure.clone()))
            .collect();
        let bounds = build_bounds(&steady, &figures);
        let mut checks =
            check_limits(&self.plan.limits, point.setting, Known { figures: &figures, bounds: &bounds });
        if let Some(reason) = &unmet {
            checks = withhold_checks(checks, reason);
        }
        let verdict = point_verdict(&checks);
        let mut notes = build_notes(&readings, &steady, &captures, region);
        // Where the board starts is told by what was set: a point elsewhere says nothing of it.
        let region = if unmet.is_some() { Region::Unknown } else { region };
        notes.splice(0..0, unmet);
        let (PlannedPoint { id, setting, repeat, phase }, regulation) = (point, readings.regulation);
        let mut result = PointResult {
            point: id,
            repeat,
            phase,
            setting,
            figures,
            bounds,
            region,
            regulation,
            checks,
            verdict,
            notes,
        };
        self.dwelling.unconfirmed.take_point(read, &mut result);
        let event = Event::PointFinished(Box::new(result));
        self.emit(&event)?;
        if let Event::PointFinished(result) = &event {
            self.tally.add(result);
            if let Some(early) = &mut self.early {
                early.take_point(at.monotonic, result);
            }
            self.tell_broken(result)?;
        }
        Ok(())
    }
}

impl Shell<'_> {
    /// The first breach of each limit is an event of its own: nobody should have to read all points to hear of it.
    fn tell_broken(&mut self, result: &PointResult) -> Result<(), Failure> {
        for check in &result.checks {
            let Outcome::Fail(value) = check.outcome else { continue };
            let Some(limit) = self.plan.limits.get(check.limit) else { continue };
            if self.broken.insert(check.limit) {
                let at = BrokenAt::Point(result.point);
                let broken = LimitBroken::of((check.limit, limit), value, result.setting, at);
                self.emit(&Event::LimitBroken(broken))?;
            }
        }
        Ok(())
    }
}

fn wants_screen(selection: CaptureSelection, id: PointId) -> bool {
    selection.screen_every > 0 && id.0.is_multiple_of(selection.screen_every)
}

/// The time settling took; where the rule's limit ended it, that is no settling time.
fn settle_figure(settled: Option<(Duration, bool)>, interrupted: bool) -> Figure {
    match settled {
        Some((_, true)) if interrupted => Err(Unavailable::because(
            "an instrument failed while it settled: how long that took is not known",
        )),
        Some((took, true)) => Ok(took.as_secs_f64()),
        Some((took, false)) => {
            Err(Unavailable::because(format!("{NOT_SETTLED} within {}", render_span(took))))
        }
        None => Err(Unavailable::because("the profile does not settle")),
    }
}

/// The load draws what is set, within its own accuracy and a meter's last digits.
fn draws_what_is_set(readings: &PointReadings) -> bool {
    let set_a = readings.setting.load.value();
    (readings.meters.load_current.value() - set_a).abs() <= 0.005 + 0.02 * set_a
}

/// Of the figures of a point those that are only bounds.
fn build_bounds(steady: &Result<SteadyState, Unavailable>, figures: &Figures) -> BTreeMap<FigureName, Bound> {
    let bounded = steady.iter().flat_map(|steady| &steady.bounds);
    bounded
        .filter_map(|bounded| Some((bounded.figure.parse::<FigureName>().ok()?, bounded.bound)))
        .filter(|(name, _)| figures.value(*name).is_some())
        .collect()
}

fn build_notes(
    readings: &PointReadings,
    steady: &Result<SteadyState, Unavailable>,
    captures: &Captures,
    region: Region,
) -> Vec<String> {
    let mut notes = Vec::new();
    if let Err(reason) = &readings.settle_s {
        notes.push(reason.to_string());
    }
    if region != Region::Off && !draws_what_is_set(readings) {
        let (drawn, set) = (readings.meters.load_current, readings.setting.load);
        notes.push(format!("the load draws {drawn} where {set} is set"));
    }
    if let Ok(steady) = steady {
        notes.push(format!("conduction {}", steady.conduction.as_str()));
        if let Some(method) = steady.ripple_method.filter(|_| region != Region::Off) {
            notes.push(format!("ripple by {}", method.as_str()));
        }
        // What limits figures is not told where there are none of them.
        if region != Region::Off {
            notes.extend(steady.notes.iter().cloned());
        }
    }
    notes.extend(captures.notes.iter().cloned());
    notes
}
