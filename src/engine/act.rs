//! Carries steps out: the thin shell around the machine. Every set is read back before the step counts as done.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::capture::Scales;
use super::early::EarlyWatch;
use super::holds::{DwellHolds, Holding};
use super::interlock::Interlock;
use super::machine::Input;
use super::measure::{Finishing, Pending};
use super::progress::Progress;
use super::stop::StopWish;
use super::tally::Tally;
use super::timekeeping::Timekeeping;
use super::transfer::Transfer;
use super::waits::Waits;
use super::watch::{Watcher, wait};
use super::{Failure, stamp};
use crate::base::clock::{Clock, Instant};
use crate::base::names::Role;
use crate::base::units::{Amps, Volts};
use crate::bench::Bench;
use crate::bench::retry::{Breaker, Trouble};
use crate::event::{BeforeStart, DwellId, EarlyLook, Event, InstrumentFacts, PointId, Sink, StartId};
use crate::instrument::scope::Scope;
use crate::instrument::setting::check_read_back;
use crate::instrument::{Asked, InstrumentError};
use crate::link::ErrorKind;
use crate::plan::{Plan, PlannedPoint, Step};
use crate::trend::SteadyJudge;
use crate::waveform::Floor;

/// The silence of the scope that is borne once the outputs are off.
const SCOPE_SILENCE: Duration = Duration::from_secs(10);
/// The same at the end of a run that somebody or something cut short.
const HASTY_SILENCE: Duration = Duration::from_secs(1);

/// The shell: what it acts on and what it keeps between steps.
pub(super) struct Shell<'a> {
    pub(super) plan: &'a Plan,
    pub(super) bench: &'a mut Bench,
    pub(super) sink: &'a mut dyn Sink,
    pub(super) stop: &'a StopWish,
    pub(super) interlock: Interlock,
    pub(super) scales: Scales,
    /// A measured point whose last trace is still in the scope.
    pub(super) pending: Option<Pending>,
    /// When the last setting was changed.
    pub(super) changed: Instant,
    /// How settling of the present point ended.
    pub(super) settled: Option<(Duration, bool)>,
    /// An instrument failed while the present point settled: how long that took is not known.
    pub(super) interrupted: bool,
    /// The instrument that failed last.
    pub(super) failed: Option<Role>,
    /// Attempts of the present point.
    pub(super) attempt: (PointId, u32),
    pub(super) tally: Tally,
    /// What the plan wants the load to draw; a hold draws less.
    pub(super) planned_load: Amps,
    /// The hold that is not released yet.
    pub(super) holding: Option<Holding>,
    /// How often the present dwell was held.
    pub(super) holds: DwellHolds,
    /// How far the present dwell came.
    pub(super) dwelling: Progress,
    /// The judge of a thermal steady state, and the dwell that waits on for it.
    pub(super) warming: Option<(DwellId, SteadyJudge)>,
    /// The last dwell ended in thermal steady state, which the machine has not heard of yet.
    pub(super) is_steady: bool,
    /// What probe and scope show by themselves.
    pub(super) floor: Option<Arc<Floor>>,
    /// How long trouble lasts and how often there was some.
    pub(super) breaker: Breaker,
    /// Whether the machine's clocks go on evenly.
    pub(super) timekeeping: Timekeeping,
    /// How often an interlock had tripped before this run was gone on with.
    pub(super) trips: u32,
    /// The output before the start that comes next, or came last.
    pub(super) before_start: Option<(StartId, BeforeStart)>,
    /// What is kept for the looks at an early end, where the profile allows one.
    pub(super) early: Option<EarlyWatch>,
    /// The limits whose first breach is told.
    pub(super) broken: BTreeSet<usize>,
    /// The look with which the soak ends before its time.
    pub(super) ended_early: Option<EarlyLook>,
}

impl<'a> Shell<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        bench: &'a mut Bench,
        sink: &'a mut dyn Sink,
        stop: &'a StopWish,
    ) -> Self {
        let changed = bench.clock.now();
        Self {
            plan,
            bench,
            sink,
            stop,
            interlock: Interlock::new(plan.interlocks),
            scales: Scales::default(),
            pending: None,
            changed,
            settled: None,
            interrupted: false,
            failed: None,
            attempt: (PointId(0), 0),
            tally: Tally::default(),
            planned_load: Amps(0.0),
            holding: None,
            holds: DwellHolds::default(),
            dwelling: Progress::begun(&plan.limits),
            warming: None,
            is_steady: false,
            floor: None,
            breaker: Breaker::default(),
            timekeeping: Timekeeping::default(),
            trips: 0,
            before_start: None,
            early: EarlyWatch::of(plan),
            broken: BTreeSet::new(),
            ended_early: None,
        }
    }

    pub(super) fn emit(&mut self, event: &Event) -> Result<(), Failure> {
        let at = stamp(&*self.bench.clock);
        self.sink.event(at, event).map_err(Failure::Record)
    }

    /// The outputs are off: what is still in the scope may be waited for again, but for none that answers nothing.
    pub(super) fn spare_scope(&self) {
        let silence = if self.bench.cut.is_asked() { HASTY_SILENCE } else { SCOPE_SILENCE };
        if let Some(scope) = &self.bench.scope {
            scope.cut().spare(silence);
        }
    }

    pub(super) fn perform(&mut self, step: &Step) -> Result<(), Failure> {
        if self.stop.is_now() {
            return Err(Failure::StopNow);
        }
        match step {
            Step::SwitchAllOff => self.switch_all_off(),
            Step::SetProtection { over_voltage, over_current, current_limit, load_limit } => {
                self.set_source_protection(*over_voltage, *over_current, *current_limit)?;
                self.set_load_protection(*load_limit)
            }
            Step::CheckWiring => self.check_wiring(),
            Step::MeasureNoiseFloor => self.measure_noise_floor(),
            Step::SetVoltage(voltage) => self.set_voltage(*voltage),
            Step::SetLoad(current) => {
                self.planned_load = *current;
                self.set_load(*current)
            }
            Step::SwitchSupply(on) => self.switch_supply(*on),
            Step::SwitchLoad(on) => self.switch_load(*on),
            Step::BeginPoint(id) => self.begin_point(*id),
            Step::Settle(id) => self.settle(*id),
            Step::Measure(id) => {
                self.measure(*id)?;
                self.dwelling.finish_point(self.bench.clock.now());
                Ok(())
            }
            Step::BeginPhase { phase, round } => self.begin_phase(*phase, *round),
            Step::Dwell(id) => self.dwell(*id),
            Step::StayOff(span) => self.wait_watched(*span, true),
            Step::LookBeforeStart(id) => self.look_before_start(*id),
            Step::CheckStart(id) => self.check_start(*id),
            Step::LookEarly(look) => self.look_early(*look),
        }
    }

    /// What the machine is told of an action that was done.
    pub(super) const fn done(&mut self) -> Input {
        let is_steady = std::mem::replace(&mut self.is_steady, false);
        match (&self.ended_early, is_steady) {
            (Some(_), _) => Input::EndedEarly,
            (None, true) => Input::Steady,
            (None, false) => Input::Done,
        }
    }

    /// Opens the link anew that failed, and those of supply and load if they do not answer a question about their state. A
    /// scope that did not fail keeps its link, and with it the trace that may still be in it.
    pub(super) fn reopen(&mut self, wait_first: Duration) -> Result<(), Failure> {
        let failed = self.failed.take();
        self.switch_other_side_off(failed.as_ref());
        if self.is_meter(failed.as_ref()) || !self.bench.energised {
            self.pause(wait_first)?;
        } else {
            // The board goes on under full load while a scope starts up.
            self.wait_watched(wait_first, false)?;
        }
        let has_failed = |facts: &InstrumentFacts| failed.as_ref() == Some(&facts.role);
        let supply = &mut self.bench.supply;
        if has_failed(supply.facts()) || supply.read_output().is_err() {
            supply.reopen()?;
        }
        self.look_at_lost()?;
        let Bench { load, scope, .. } = &mut *self.bench;
        if has_failed(load.facts()) || load.read_input().is_err() {
            load.reopen()?;
        }
        match scope {
            Some(scope) if has_failed(scope.facts()) => Ok(scope.reopen()?),
            _ => Ok(()),
        }
    }

    pub(super) fn is_meter(&self, role: Option<&Role>) -> bool {
        let Bench { supply, load, .. } = &*self.bench;
        role == Some(&supply.facts().role) || role == Some(&load.facts().role)
    }

    /// A wait that `is_stoppable` is over as soon as somebody wants to stop.
    fn wait_watched(&mut self, span: Duration, is_stoppable: bool) -> Result<(), Failure> {
        let clock = self.bench.clock.clone();
        let (mut watcher, _) = split(self.bench, &mut self.interlock, &*clock, self.stop);
        let outcome = watcher.watch_for(span, is_stoppable);
        let outbox = watcher.outbox;
        self.emit_all(outbox)?;
        outcome
    }

    /// Counts a failure; trouble is new where the plan, or enough readings, have got past the last one.
    pub(super) fn note_trouble(&mut self, failure: &Failure, attempt: u32) -> Trouble {
        let Failure::Instrument(_) = failure else { return Trouble::default() };
        let has_gone_well = self.dwelling.take_has_gone_well();
        self.breaker.take(self.bench.clock.now(), attempt == 0 || has_gone_well)
    }

    /// Nobody watches the board while the link of supply or load is opened anew: the other one of the two goes off meanwhile,
    /// and comes on again when the settings are restored.
    fn switch_other_side_off(&mut self, failed: Option<&Role>) {
        let Bench { supply, load, energised, .. } = &mut *self.bench;
        if !*energised {
            return;
        }
        // Whether it went off is looked at when it is switched on again, or when the run ends.
        if failed == Some(&load.facts().role) {
            let _ = supply.set_output(false);
        } else if failed == Some(&supply.facts().role) {
            let _ = load.set_input(false);
        }
    }

    pub(super) fn emit_all(&mut self, outbox: Vec<(crate::event::Stamp, Event)>) -> Result<(), Failure> {
        for (at, mut event) in outbox {
            self.dwelling.unconfirmed.take_back(at.monotonic, &mut event);
            self.sink.event(at, &event).map_err(Failure::Record)?;
        }
        Ok(())
    }

    fn switch_all_off(&mut self) -> Result<(), Failure> {
        // Whatever was on before this run is switched off by the same way that ends it.
        self.bench.load.set_input(false)?;
        self.bench.supply.set_output(false)?;
        expect_off(self.bench.load.read_input()?, self.bench.load.facts())?;
        expect_off(self.bench.supply.read_output()?, self.bench.supply.facts())?;
        self.bench.load.set_constant_current()?;
        Ok(())
    }

    fn set_source_protection(
        &mut self,
        over_voltage: Option<Volts>,
        over_current: Option<Amps>,
        current_limit: Amps,
    ) -> Result<(), Failure> {
        let step = self.bench.supply.ability();
        let supply = &mut self.bench.supply;
        supply.set_current_limit(current_limit)?;
        let limit_back = supply.read_current_limit()?;
        check_read_back("current limit", (current_limit, limit_back), step.current_step, supply.facts())?;
        let mut levels = (None, None);
        if let Some(level) = over_voltage {
            let back = supply.set_over_voltage(level)?;
            check_read_back("over-voltage level", (level, back), step.voltage_step, supply.facts())?;
            levels.0 = Some(back);
        }
        if let Some(level) = over_current {
            let back = supply.set_over_current(level)?;
            check_read_back("over-current level", (level, back), step.current_step, supply.facts())?;
            levels.1 = Some(back);
        }
        let role = supply.facts().role.clone();
        self.emit(&Event::ProtectionSet { role, over_voltage: levels.0, over_current: levels.1 })
    }

    fn set_load_protection(&mut self, limit: Option<Amps>) -> Result<(), Failure> {
        let load = &mut self.bench.load;
        // Also after a load was switched off and on between two points: then it may have forgotten.
        load.set_constant_current()?;
        let Some(limit) = limit else { return Ok(()) };
        let back = load.set_over_current(limit)?;
        let step = load.ability().current_step;
        check_read_back("current limit", (limit, back), step, load.facts())?;
        let role = load.facts().role.clone();
        self.emit(&Event::ProtectionSet { role, over_voltage: None, over_current: Some(back) })
    }

    /// With the outputs off no voltage may stand on Vout: it would come from somewhere this run cannot switch off.
    fn check_wiring(&mut self) -> Result<(), Failure> {
        let start = self.bench.clock.now();
        let (threshold, within) = (self.bench.wiring.safe_vout, self.bench.wiring.safe_within);
        let vout = loop {
            let vout = self.bench.load.measure_voltage()?;
            // What a run before left on the capacitors may still be falling.
            if vout.abs() < threshold || self.bench.clock.now().since(start) >= within {
                break vout;
            }
            wait(&*self.bench.clock, self.stop, Duration::from_millis(100))?;
        };
        let facts = self.bench.load.facts();
        if vout.value() <= -threshold.value() {
            let detail = format!("Vout reads {vout} with the outputs off: the load's leads are swapped");
            return Err(wiring_fault(facts, &detail, "swap the load's leads at the board"));
        }
        if vout.abs() >= threshold {
            let detail = format!("Vout reads {vout} with the outputs off; it should be under {threshold}");
            let advice = "something else feeds the board: disconnect it (a programmer, a second supply)";
            return Err(wiring_fault(facts, &detail, advice));
        }
        let findings = vec![format!("with the outputs off Vout reads {vout}, under {threshold}")];
        self.emit(&Event::WiringChecked { findings })
    }

    fn set_voltage(&mut self, voltage: Volts) -> Result<(), Failure> {
        let supply = &mut self.bench.supply;
        supply.set_voltage(voltage)?;
        let back = supply.read_set_voltage()?;
        check_read_back("voltage", (voltage, back), supply.ability().voltage_step, supply.facts())?;
        self.changed = self.bench.clock.now();
        Ok(())
    }

    pub(super) fn set_load(&mut self, current: Amps) -> Result<(), Failure> {
        let load = &mut self.bench.load;
        load.set_current(current)?;
        let back = load.read_set_current()?;
        check_read_back("current", (current, back), load.ability().current_step, load.facts())?;
        self.changed = self.bench.clock.now();
        Ok(())
    }

    fn switch_supply(&mut self, on: bool) -> Result<(), Failure> {
        self.bench.energised |= on;
        // Whoever tripped it knew why: it is not switched on into the same trouble again.
        if on && let Some(tripped) = self.bench.supply.read_protection()? {
            return Err(Failure::Tripped(format!("the supply's own protection has tripped: {tripped}")));
        }
        // Whatever was set before, an output comes on at 0 V.
        if on && !self.bench.supply.read_output()? {
            self.set_voltage(Volts(0.0))?;
        }
        let supply = &mut self.bench.supply;
        supply.set_output(on)?;
        let is_on = supply.read_output()?;
        expect_state(on, is_on, supply.facts())?;
        let role = supply.facts().role.clone();
        self.changed = self.bench.clock.now();
        self.emit(&Event::OutputSwitched { role, on })
    }

    fn switch_load(&mut self, on: bool) -> Result<(), Failure> {
        self.bench.energised |= on;
        let load = &mut self.bench.load;
        load.set_input(on)?;
        let is_on = load.read_input()?;
        expect_state(on, is_on, load.facts())?;
        let role = load.facts().role.clone();
        self.changed = self.bench.clock.now();
        self.emit(&Event::OutputSwitched { role, on })
    }

    /// The point of that number.
    pub(super) fn planned(&self, id: PointId) -> Result<PlannedPoint, Failure> {
        let unknown =
            || Failure::Internal(format!("the plan has a step for point {} but no such point", id.0));
        self.plan.point(id).copied().ok_or_else(unknown)
    }

    fn begin_point(&mut self, id: PointId) -> Result<(), Failure> {
        self.attempt = if self.attempt.0 == id { (id, self.attempt.1 + 1) } else { (id, 1) };
        self.settled = None;
        let gap = self.plan.soak.as_ref().and_then(|soak| {
            let now = self.bench.clock.now();
            self.dwelling.begin_point(now, soak.interval)
        });
        if let Some(gap) = gap {
            self.emit(&Event::GapFound(gap))?;
        }
        let point = self.planned(id)?;
        self.emit(&Event::PointStarted { point: id, setting: point.setting, attempt: self.attempt.1 })
    }

    /// Settles, while the last point's trace is still being transferred and made into figures.
    fn settle(&mut self, id: PointId) -> Result<(), Failure> {
        let pending = self.pending.take();
        // The time that an instrument was away is not the board's.
        let start = if self.interrupted { self.bench.clock.now() } else { self.changed };
        let rule = self.plan.settle;
        let clock = self.bench.clock.clone();
        let transfer = Transfer::default();
        let (mut watcher, scope) = split(self.bench, &mut self.interlock, &*clock, self.stop);
        let wiring = watcher.wiring;
        let (mut outcome, mut finished) = (Ok((Duration::ZERO, false)), None);
        clock.together(vec![
            Box::new(|| outcome = watcher.settle_guarded(rule, start, &transfer)),
            Box::new(|| {
                let _running = transfer.running();
                finished = pending.map(|pending| pending.finish(scope, wiring));
            }),
        ]);
        // What the watcher saw happened before the finished point is kept.
        let outbox = watcher.outbox;
        self.emit_all(outbox)?;
        match finished {
            Some(Finishing::Finished(finished)) => self.keep_point(*finished)?,
            Some(Finishing::CutShort(pending)) => self.pending = Some(*pending),
            None => {}
        }
        self.interrupted |= matches!(outcome, Err(Failure::Instrument(_)));
        let (took, settled) = outcome?;
        self.settled = Some((took, settled));
        self.emit(&Event::Settled { point: id, took, settled })
    }
}

/// The bench in two parts that can be used side by side: what is watched, and the scope.
pub(super) fn split<'b>(
    bench: &'b mut Bench,
    interlock: &'b mut Interlock,
    clock: &'b dyn Clock,
    stop: &'b StopWish,
) -> (Watcher<'b>, Option<&'b mut Box<dyn Scope>>) {
    let Bench { supply, load, scope, thermometers, wiring, cut, .. } = bench;
    let watcher = Watcher {
        supply: &mut **supply,
        load: &mut **load,
        thermometers,
        interlock,
        wiring,
        cut,
        clock,
        stop,
        iout: Amps(0.0),
        outbox: Vec::new(),
        waits: Waits::default(),
    };
    (watcher, scope.as_mut())
}

fn expect_off(is_on: bool, facts: &InstrumentFacts) -> Asked<()> {
    expect_state(false, is_on, facts)
}

fn expect_state(wanted: bool, is_on: bool, facts: &InstrumentFacts) -> Asked<()> {
    if wanted == is_on {
        return Ok(());
    }
    let word = |on: bool| if on { "on" } else { "off" };
    let (doing, detail) = (
        format!("switching {}", word(wanted)),
        format!("it took the command but says it is {}", word(is_on)),
    );
    Err(InstrumentError::of(facts, ErrorKind::Nonsense, doing, detail)
        .with_advice("look whether its own protection has tripped, or its front panel is in use"))
}

fn wiring_fault(facts: &InstrumentFacts, detail: &str, advice: &str) -> Failure {
    let error = InstrumentError::of(facts, ErrorKind::Refused, "checking the wiring", detail);
    Failure::Instrument(error.with_advice(advice))
}
