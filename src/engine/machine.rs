//! The run as a pure machine: what happened goes in, what to do next comes out. It knows no instrument and no time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::units::{Amps, Volts};
use crate::bench::retry::{MOST_AN_HOUR, Remedy, Trouble, remedy};
use crate::event::{DwellId, PointId, Stop};
use crate::link::ErrorKind;
use crate::plan::remaining::{behind_steady, restoring, standing};
use crate::plan::{Plan, Step};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The run begins.
    Begin,
    /// The last action was done.
    Done,
    /// The last action was done: a dwell, which the thermal steady state ended before its time.
    Steady,
    /// The last action was done, and the soak ends with it before its time, as its profile allows.
    EndedEarly,
    /// The last action failed.
    Failed {
        /// What kind of trouble.
        kind: ErrorKind,
        /// The error as told to people.
        what: String,
        /// How long it has lasted, and how often there was one.
        trouble: Trouble,
    },
    /// An interlock asks to hold.
    Held,
    /// The held interlock was released, or a person's wish to stop cut the waiting short.
    Released,
    /// An interlock tripped.
    Tripped(String),
    /// A person asks for the outputs to go off now; the last action was cut short.
    StopNow,
    /// The record cannot be kept.
    RecordFailed(String),
    /// Our own fault.
    Internal(String),
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Do this step.
    Perform(Step),
    /// Wait, then do this step once more.
    Again {
        /// The step.
        step: Step,
        /// How long to wait first.
        wait: Duration,
    },
    /// Wait, then open the links that are lost anew.
    Reopen {
        /// How long to wait first.
        wait: Duration,
    },
    /// Put the load down and wait until the interlock is released.
    Hold,
    /// The run is over; outputs off comes next, always.
    End(Ending),
}

/// Why the run is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Every step was done.
    Completed,
    /// A person stopped it.
    Stopped(Stop),
    /// An interlock or a protection tripped.
    Tripped(String),
    /// An instrument or a link failed for good.
    Failed(String),
    /// The record cannot be kept.
    RecordFailed(String),
    /// A fault of this program.
    Internal(String),
}

/// What the last action was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// A step, of the plan or in front of it.
    Step,
    /// Opening lost links.
    Reopen,
    /// Waiting for an interlock.
    Hold,
}

/// How often one point is held before it is given up: each time it is begun anew.
const HOLDS: u32 = 3;

/// Both outputs off, in the order in which the plan switches them.
const SWITCHED_OFF: [Step; 4] = [
    Step::SetLoad(Amps(0.0)),
    Step::SwitchLoad(false),
    Step::SetVoltage(Volts(0.0)),
    Step::SwitchSupply(false),
];

/// The place from which on the plan switches on for a start, and how long it has the board off before.
fn off_before(plan: &Plan, start: usize) -> Option<(usize, Duration)> {
    let leads_there = |step: &Step| {
        use Step::{LookBeforeStart, SetLoad, SetVoltage, SwitchLoad, SwitchSupply};
        matches!(step, SetLoad(_) | SetVoltage(_) | SwitchLoad(_) | SwitchSupply(_) | LookBeforeStart(_))
    };
    let (before, behind) = plan.steps.split_at(start);
    let from = before.iter().rposition(|step| !leads_there(step)).map_or(0, |place| place + 1);
    // The dwell with the input off has the number before that of the one behind the start, also where it is done already.
    let on = behind.iter().find_map(|step| if let Step::Dwell(id) = step { Some(*id) } else { None })?;
    let off = plan.soak.as_ref()?.dwell(DwellId(on.0.checked_sub(1)?)).filter(|off| !off.is_on)?;
    Some((from, off.span))
}

/// The machine.
#[derive(Debug)]
pub struct Machine<'p> {
    plan: &'p Plan,
    /// Steps in front of the plan's own: restoring after a link was lost.
    restore: VecDeque<Step>,
    /// Place of the next step of the plan.
    next: usize,
    /// The step being done.
    current: Option<Step>,
    /// Its place in the plan; `None` for one that restores.
    place: Option<usize>,
    doing: Doing,
    /// How often the present point was held. A dwell goes on where it was, so that how often it is held is judged elsewhere.
    holds: u32,
    /// An interlock holds and has not released yet, whatever went wrong meanwhile.
    held: bool,
    /// Failures since the plan last got past the place of trouble.
    attempt: u32,
    /// The furthest place of the plan at which something failed since then.
    trouble: usize,
    /// Place of the point's first step, while a point is being done.
    point: Option<(PointId, usize)>,
    energised: bool,
    over: bool,
}

impl<'p> Machine<'p> {
    /// A machine at the start of a plan.
    #[must_use]
    pub const fn new(plan: &'p Plan) -> Self {
        Self {
            plan,
            restore: VecDeque::new(),
            next: 0,
            current: None,
            place: None,
            doing: Doing::Step,
            holds: 0,
            held: false,
            attempt: 0,
            trouble: 0,
            point: None,
            energised: false,
            over: false,
        }
    }

    /// Takes what happened and says what to do. `wish` is what a person asks for at this moment.
    pub fn next(&mut self, input: Input, wish: Option<Stop>) -> Action {
        let action = match input {
            Input::StopNow => Action::End(Ending::Stopped(Stop::Now)),
            Input::Tripped(what) => Action::End(Ending::Tripped(what)),
            Input::RecordFailed(what) => Action::End(Ending::RecordFailed(what)),
            Input::Internal(what) => Action::End(Ending::Internal(what)),
            _ if self.over => Action::End(Ending::Completed),
            _ if wish == Some(Stop::Now) => Action::End(Ending::Stopped(Stop::Now)),
            Input::EndedEarly => Action::End(Ending::Completed),
            Input::Begin | Input::Done => self.advance(wish),
            Input::Steady => {
                // What else would have waited for it is not done any more.
                if let Some(Step::Dwell(id)) = self.current
                    && let Some((behind, _)) = behind_steady(self.plan, id)
                {
                    self.next = self.next.max(behind);
                }
                self.advance(wish)
            }
            Input::Failed { kind, what, trouble } => self.recover(kind, what, trouble),
            // Nobody who asked to stop shall wait until the board has cooled.
            Input::Held if wish.is_some() => Action::End(Ending::Stopped(Stop::AfterPoint)),
            Input::Held if self.holds >= HOLDS && !self.held => Action::End(Ending::Tripped(format!(
                "the point was held {HOLDS} times and the interlock asks to hold again: it cannot be measured"
            ))),
            Input::Held => {
                // Not another one where trouble meanwhile came back to it.
                self.holds += u32::from(self.point.is_some() && !self.held);
                self.hold()
            }
            Input::Released => {
                self.held = false;
                self.doing = Doing::Step;
                self.rewind();
                self.advance(wish)
            }
        };
        self.over |= matches!(action, Action::End(_));
        action
    }

    /// The point that is being done, if any.
    #[must_use]
    pub fn point(&self) -> Option<PointId> {
        self.point.map(|(id, _)| id)
    }

    /// Failures of the present action so far.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    const fn hold(&mut self) -> Action {
        self.held = true;
        self.doing = Doing::Hold;
        Action::Hold
    }

    fn advance(&mut self, wish: Option<Stop>) -> Action {
        match std::mem::replace(&mut self.doing, Doing::Step) {
            Doing::Reopen if self.held => return self.hold(),
            Doing::Reopen => self.rewind(),
            Doing::Step | Doing::Hold => self.note_progress(),
        }
        if matches!(self.current, Some(Step::Measure(_) | Step::Dwell(_))) {
            self.holds = 0;
            self.point = None;
        }
        // Between points, and before the first one, "after the point" is now.
        if wish == Some(Stop::AfterPoint) && self.point.is_none() {
            return Action::End(Ending::Stopped(Stop::AfterPoint));
        }
        let step = match self.restore.pop_front() {
            Some(step) => {
                self.place = None;
                step
            }
            None => match self.plan.steps.get(self.next) {
                Some(step) => {
                    if let Step::BeginPoint(id) = step {
                        self.point = Some((*id, self.next));
                    }
                    self.place = Some(self.next);
                    self.next += 1;
                    step.clone()
                }
                None => return Action::End(Ending::Completed),
            },
        };
        self.energised |= matches!(step, Step::SwitchSupply(true));
        self.current = Some(step.clone());
        Action::Perform(step)
    }

    /// Only a step at the place of trouble or beyond wipes out the count: what is done again on the way there, or restored,
    /// does not, so that a link that is lost again and again is given up.
    fn note_progress(&mut self) {
        if self.place.is_some_and(|place| place >= self.trouble) {
            self.attempt = 0;
            self.trouble = 0;
        }
    }

    /// In a soak, which goes on for days, also a bench that comes back every time is given up when it fails too often.
    fn recover(&mut self, kind: ErrorKind, what: String, trouble: Trouble) -> Action {
        if trouble.too_often && self.plan.soak.is_some() {
            let told =
                format!("there was trouble more than {MOST_AN_HOUR} times within an hour, at last: {what}");
            return Action::End(Ending::Failed(told));
        }
        if trouble.is_new {
            self.attempt = 0;
        }
        self.attempt += 1;
        let may_last = trouble.lasted < self.plan.interlocks.lost_reading;
        self.trouble = self.trouble.max(self.place.unwrap_or(self.next));
        match (remedy(kind, self.attempt, may_last), &self.current) {
            (Remedy::Again(wait), Some(step)) if self.doing == Doing::Step => {
                Action::Again { step: step.clone(), wait }
            }
            (Remedy::Reopen(wait) | Remedy::Again(wait), _) => {
                self.doing = Doing::Reopen;
                Action::Reopen { wait }
            }
            (Remedy::Trip, _) => Action::End(Ending::Tripped(what)),
            (Remedy::GiveUp, _) => Action::End(Ending::Failed(what)),
        }
    }

    /// Goes back to the start of the point (or of the plan, before anything was switched on) with the settings restored.
    fn rewind(&mut self) {
        self.restore.clear();
        self.current = None;
        if !self.energised {
            self.next = 0;
            self.point = None;
            return;
        }
        let (id, place) = match self.point.take() {
            Some((id, place)) => (Some(id), place),
            // Between points: go on with the next one.
            None => match self.upcoming() {
                Some(found) => found,
                // Behind the last one: what failed is done again.
                None => {
                    self.next = self.place.unwrap_or(self.next);
                    return;
                }
            },
        };
        let protection = self.plan.steps.iter().find(|step| matches!(step, Step::SetProtection { .. }));
        self.restore.extend(protection.cloned());
        self.next = place;
        let Some(id) = id else {
            let steps = &self.plan.steps;
            // A board that may have run meanwhile does not start: it is off first, for as long as the plan has it off.
            let off =
                matches!(steps[place], Step::CheckStart(_)).then(|| off_before(self.plan, place)).flatten();
            if let Some((behind, span)) = off {
                self.restore.extend(SWITCHED_OFF.into_iter().chain([Step::StayOff(span)]));
                self.next = behind;
                return;
            }
            // A dwell: whatever stood before it stands again.
            let standing = standing(&steps[..place]);
            if !standing.supply_on {
                self.restore.extend(SWITCHED_OFF);
            }
            self.restore.extend(restoring(standing));
            return;
        };
        // An output that went off comes on at 0 V; one that stayed on is left as it is.
        self.restore.extend([Step::SetLoad(Amps(0.0)), Step::SwitchSupply(true), Step::SwitchLoad(true)]);
        if let Some(point) = self.plan.point(id) {
            self.restore.push_back(Step::SetVoltage(point.setting.vin));
        }
    }

    /// What the plan goes on with: a point, or a dwell or a start, which have no number here.
    fn upcoming(&self) -> Option<(Option<PointId>, usize)> {
        self.plan.steps.iter().enumerate().skip(self.next.saturating_sub(1)).find_map(|(place, step)| {
            match step {
                Step::BeginPoint(id) => Some((Some(*id), place)),
                Step::Dwell(_) | Step::CheckStart(_) => Some((None, place)),
                _ => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::Celsius;
    use crate::event::{Board, Setting};
    use crate::plan::PlannedPoint;
    use crate::plan::profile::{Interlocks, SettleRule};

    fn plan() -> Plan {
        let at = |id: u32, vin: f64| PlannedPoint {
            id: PointId(id),
            setting: Setting { vin: Volts(vin), load: Amps(0.1) },
            repeat: 1,
            phase: None,
        };
        let mut steps = vec![Step::SwitchAllOff, Step::SwitchSupply(true), Step::SwitchLoad(true)];
        for id in [1, 2] {
            let point = PointId(id);
            steps.extend([Step::BeginPoint(point), Step::SetVoltage(Volts(12.0 * f64::from(id)))]);
            steps.extend([Step::Settle(point), Step::Measure(point)]);
        }
        steps.extend([Step::SwitchLoad(false), Step::SwitchSupply(false)]);
        Plan {
            digest: String::new(),
            rig_digest: String::new(),
            profile_digest: String::new(),
            profile: "toy".parse().unwrap(),
            purpose: String::new(),
            board: Board { serial: "7".parse().unwrap(), revision: "B".parse().unwrap() },
            operator: None,
            note: None,
            turn: None,
            figures: Vec::new(),
            seed: None,
            points: vec![at(1, 12.0), at(2, 24.0)],
            steps,
            limits: Vec::new(),
            settle: SettleRule {
                band: Volts(0.01),
                hold: Duration::ZERO,
                minimum: Duration::ZERO,
                limit: Duration::ZERO,
                interval: Duration::ZERO,
            },
            interlocks: Interlocks {
                over_voltage: None,
                over_current: None,
                over_temperature: Some(Celsius(80.0)),
                hold_temperature: None,
                resume_temperature: None,
                hold_limit: Duration::ZERO,
                rise_k_per_min: None,
                lost_reading: Duration::ZERO,
                ..Interlocks::default()
            },
            capture: None,
            soak: None,
            vout_nominal: Volts(5.0),
            safe_vout: Volts(0.5),
            expected: Duration::ZERO,
            expected_start: Duration::ZERO,
            writes: crate::plan::forecast::Forecast::default(),
        }
    }

    /// Plays a script: each word is what happens after the last action; the answer is the list of actions.
    fn play(script: &str) -> String {
        let plan = plan();
        let mut machine = Machine::new(&plan);
        let (mut input, mut wish, mut told) = (Input::Begin, None, Vec::new());
        let mut words = script.split_whitespace();
        loop {
            let action = machine.next(input, wish);
            told.push(match &action {
                Action::Perform(step) => format!("{step:?}"),
                Action::Again { step, wait } => format!("again {step:?} after {wait:?}"),
                Action::Reopen { wait } => format!("reopen after {wait:?}"),
                Action::Hold => "hold".to_owned(),
                Action::End(ending) => format!("END {ending:?}"),
            });
            if matches!(action, Action::End(_)) {
                return told.join("\n");
            }
            let failed = |kind| Input::Failed { kind, what: "it".to_owned(), trouble: Trouble::default() };
            input = match words.next() {
                None | Some("done") => Input::Done,
                Some("timeout") => failed(ErrorKind::TimedOut),
                Some("lost") => failed(ErrorKind::LinkLost),
                Some("refused") => failed(ErrorKind::Refused),
                Some("protection") => failed(ErrorKind::Protection),
                Some("held") => Input::Held,
                Some("released") => Input::Released,
                Some("stop") => {
                    wish = Some(Stop::AfterPoint);
                    Input::Done
                }
                Some("now") => Input::StopNow,
                Some(other) => panic!("unknown word {other}"),
            };
        }
    }

    #[test]
    fn an_undisturbed_run_does_every_step_once() {
        insta::assert_snapshot!(play(""), @r"
        SwitchAllOff
        SwitchSupply(true)
        SwitchLoad(true)
        BeginPoint(PointId(1))
        SetVoltage(Volts(12.0))
        Settle(PointId(1))
        Measure(PointId(1))
        BeginPoint(PointId(2))
        SetVoltage(Volts(24.0))
        Settle(PointId(2))
        Measure(PointId(2))
        SwitchLoad(false)
        SwitchSupply(false)
        END Completed
        ");
    }

    #[test]
    fn a_lost_link_is_opened_anew_and_the_point_done_again_with_its_settings_restored() {
        insta::assert_snapshot!(play("done done done done done lost done"), @r"
        SwitchAllOff
        SwitchSupply(true)
        SwitchLoad(true)
        BeginPoint(PointId(1))
        SetVoltage(Volts(12.0))
        Settle(PointId(1))
        reopen after 1s
        SetLoad(Amps(0.0))
        SwitchSupply(true)
        SwitchLoad(true)
        SetVoltage(Volts(12.0))
        BeginPoint(PointId(1))
        SetVoltage(Volts(12.0))
        Settle(PointId(1))
        Measure(PointId(1))
        BeginPoint(PointId(2))
        SetVoltage(Volts(24.0))
        Settle(PointId(2))
        Measure(PointId(2))
        SwitchLoad(false)
        SwitchSupply(false)
        END Completed
        ");
    }

    /// `script ⇒ what is then done`: the last actions, or with `…` behind them actions in the middle.
    fn assert_played(table: &[(&str, &str)]) {
        for (script, expected) in table {
            let told = play(script).replace('\n', " | ");
            let is_there = match expected.strip_suffix(" …") {
                Some(expected) => told.contains(expected),
                None => told.ends_with(expected),
            };
            assert!(is_there, "`{script}` gave {told}");
        }
    }

    #[test]
    fn each_kind_of_trouble_has_its_own_answer() {
        assert_played(&[
            ("timeout done", "SwitchAllOff | again SwitchAllOff after 250ms | SwitchSupply(true) …"),
            ("refused", "SwitchAllOff | END Failed(\"it\")"),
            ("done protection", "SwitchAllOff | SwitchSupply(true) | END Tripped(\"it\")"),
            // A link that stays lost is given up.
            ("done done done done done lost lost lost lost", "reopen after 4s | END Failed(\"it\")"),
            // So is one that is lost at the same step every time, even before the first output.
            (
                "done lost done done lost done done lost done done lost",
                "SwitchSupply(true) | END Failed(\"it\")",
            ),
            ("lost done lost done lost done lost", "reopen after 4s | SwitchAllOff | END Failed(\"it\")"),
            // A step behind the last point is done again after its link was opened anew.
            (
                "done done done done done done done done done done done lost done",
                "SwitchLoad(false) | reopen after 1s | SwitchLoad(false) | SwitchSupply(false) | END Completed",
            ),
        ]);
    }

    #[test]
    fn a_first_stop_ends_after_the_point_and_a_second_at_once() {
        assert_played(&[
            (
                "done done done done stop",
                "Settle(PointId(1)) | Measure(PointId(1)) | END Stopped(AfterPoint)",
            ),
            ("done done done done now", "SetVoltage(Volts(12.0)) | END Stopped(Now)"),
            ("stop", "SwitchAllOff | END Stopped(AfterPoint)"),
            // Who asked to stop does not wait for a hold.
            ("done done done done stop held", "Settle(PointId(1)) | END Stopped(AfterPoint)"),
            ("done done done stop held", "END Stopped(AfterPoint)"),
        ]);
    }

    #[test]
    fn a_held_point_is_done_again_after_the_release_and_never_measured_at_the_load_of_the_hold() {
        assert_played(&[
            (
                "done done done done done done held released",
                "Measure(PointId(1)) | hold | SetLoad(Amps(0.0)) | SwitchSupply(true) | SwitchLoad(true) | \
                 SetVoltage(Volts(12.0)) | BeginPoint(PointId(1)) …",
            ),
            // Trouble while holding goes back to holding.
            (
                "done done done done done held timeout done timeout done released",
                "hold | reopen after 250ms | hold | reopen after 500ms | hold | SetLoad(Amps(0.0)) | \
                 SwitchSupply(true) …",
            ),
        ]);
    }

    #[test]
    fn whatever_happens_in_whatever_order_the_run_ends() {
        let inputs = ["done", "timeout", "lost", "refused", "held", "released", "stop", "now", "protection"];
        let mut state = 1u64;
        for _ in 0..2000 {
            let mut script = String::new();
            for _ in 0..60 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                script += inputs[(state >> 33) as usize % if state & 0x1000 == 0 { 1 } else { inputs.len() }];
                script += " ";
            }
            assert!(play(&script).contains("END"));
        }
    }
}
