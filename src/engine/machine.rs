//! The run as a pure machine: what happened goes in, what to do next comes out. It knows no instrument and no time.

use std::collections::VecDeque;
use std::time::Duration;

use super::retry::{Remedy, remedy};
use crate::base::units::Amps;
use crate::event::{PointId, Stop};
use crate::link::ErrorKind;
use crate::plan::{Plan, Step};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The run begins.
    Begin,
    /// The last action was done.
    Done,
    /// The last action failed.
    Failed {
        /// What kind of trouble.
        kind: ErrorKind,
        /// The error as told to people.
        what: String,
    },
    /// An interlock asks to hold.
    Held,
    /// The held interlock was released.
    Released,
    /// An interlock tripped.
    Tripped(String),
    /// A person asks for the outputs to go off now; the last action was cut short.
    StopNow,
    /// The record cannot be kept.
    RecordFailed(String),
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
        /// Which attempt failed, from 1.
        attempt: u32,
    },
    /// Wait, then open the links that are lost anew.
    Reopen {
        /// How long to wait first.
        wait: Duration,
        /// Which attempt failed, from 1.
        attempt: u32,
    },
    /// Put the load to 0 A and wait until the interlock is released.
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
    /// Whether `current` is being reopened rather than done.
    reopening: bool,
    attempt: u32,
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
            reopening: false,
            attempt: 0,
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
            _ if self.over => Action::End(Ending::Completed),
            _ if wish == Some(Stop::Now) => Action::End(Ending::Stopped(Stop::Now)),
            Input::Begin | Input::Done => self.advance(wish),
            Input::Failed { kind, what } => self.recover(kind, what),
            Input::Held => Action::Hold,
            Input::Released => {
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

    fn advance(&mut self, wish: Option<Stop>) -> Action {
        if self.reopening {
            self.reopening = false;
            self.rewind();
        }
        let finished_point = matches!(self.current, Some(Step::Measure(_)));
        if finished_point {
            self.point = None;
        }
        // Between points, and before the first one, "after the point" is now.
        if wish == Some(Stop::AfterPoint) && self.point.is_none() {
            return Action::End(Ending::Stopped(Stop::AfterPoint));
        }
        // A restored step does not wipe out the count: a link that is lost again and again is given up.
        if self.restore.is_empty() && !matches!(self.current, None | Some(Step::BeginPoint(_))) {
            self.attempt = if self.point.is_some() { self.attempt } else { 0 };
        }
        let step = match self.restore.pop_front() {
            Some(step) => step,
            None => match self.plan.steps.get(self.next) {
                Some(step) => {
                    if let Step::BeginPoint(id) = step {
                        self.point = Some((*id, self.next));
                    }
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

    fn recover(&mut self, kind: ErrorKind, what: String) -> Action {
        self.attempt += 1;
        match (remedy(kind, self.attempt), &self.current) {
            (Remedy::Again(wait), Some(step)) if !self.reopening => {
                Action::Again { step: step.clone(), wait, attempt: self.attempt }
            }
            (Remedy::Reopen(wait) | Remedy::Again(wait), _) => {
                self.reopening = true;
                Action::Reopen { wait, attempt: self.attempt }
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
            Some(found) => found,
            // Between points: go on with the next one.
            None => match self.upcoming_point() {
                Some(found) => found,
                None => return,
            },
        };
        let protection = self.plan.steps.iter().find(|step| matches!(step, Step::SetProtection { .. }));
        self.restore.extend(protection.cloned());
        self.restore.push_back(Step::SetLoad(Amps(0.0)));
        if let Some(point) = self.plan.point(id) {
            self.restore.push_back(Step::SetVoltage(point.setting.vin));
        }
        self.restore.extend([Step::SwitchSupply(true), Step::SwitchLoad(true)]);
        self.next = place;
    }

    fn upcoming_point(&self) -> Option<(PointId, usize)> {
        self.plan.steps.iter().enumerate().skip(self.next.saturating_sub(1)).find_map(|(place, step)| match step
        {
            Step::BeginPoint(id) => Some((*id, place)),
            _ => None,
        })
    }
}
