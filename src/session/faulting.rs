//! Faults by a seed for a run on the simulated bench: where the schedule goes, and how it is told.

use std::time::Duration;

use super::SessionError;
use super::opening::Opened;
use crate::base::clock::Instant;
use crate::plan::{Plan, Rig};
use crate::record::disk::{Disk, FillingDisk, RealDisk};
use crate::sim::{Mishap, Trouble, build_schedule};

/// What a run meets: nothing, unless the rig or the command line names a seed.
#[derive(Debug, Default)]
pub(super) struct Faulting {
    seed: u64,
    schedule: Vec<Trouble>,
}

impl Faulting {
    /// The schedule of `seed`, or else of the rig's own, for as long as the plan takes.
    ///
    /// # Errors
    /// A seed is asked for, and the bench is a real one.
    pub(super) fn of(
        rig: &Rig,
        plan: &Plan,
        seed: Option<u64>,
        opened: &Opened,
    ) -> Result<Self, SessionError> {
        let Some(world) = &opened.world else {
            return match seed {
                None => Ok(Self::default()),
                Some(_) => Err(SessionError::Usage(
                    "faults are injected into the simulated bench only; this rig names real instruments"
                        .to_owned(),
                )),
            };
        };
        let Some(seed) = seed.or(rig.sim.faults) else { return Ok(Self::default()) };
        let schedule = build_schedule(seed, plan.expected);
        world.follow(&schedule);
        Ok(Self { seed, schedule })
    }

    /// The disk of the record.
    pub(super) fn disk(&self, opened: &Opened) -> Box<dyn Disk> {
        let full = self.schedule.iter().find(|trouble| trouble.mishap == Mishap::DiskFull);
        full.map_or_else(
            || Box::new(RealDisk) as Box<dyn Disk>,
            |trouble| Box::new(FillingDisk::new(opened.clock.clone(), after(trouble.at))),
        )
    }

    /// The table, a line a fault.
    pub(super) fn told(&self) -> impl Iterator<Item = String> {
        let (seed, count) = (self.seed, self.schedule.len());
        self.schedule.iter().enumerate().map(move |(place, trouble)| {
            format!("injected by seed {seed}, {:>2} of {count}: {trouble}", place + 1)
        })
    }
}

fn after(span: Duration) -> Instant {
    Instant::default() + span
}
