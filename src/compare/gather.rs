//! Runs on their way into groups, one at a time: which belong to the order of runs that is asked for, and which are runs of the
//! reference board, which belong to no group.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::course::Over;
use super::run::{Run, read_run, read_stretches};
use super::run_order::Turns;
use super::stretch::Stretch;
use crate::base::names::OrderName;
use crate::record::baseline::FoundBaseline;
use crate::record::store::LeftOut;
use crate::record::{RecordError, read_facts};

/// Reads runs and sets aside what belongs to no group.
#[derive(Debug, Default)]
pub struct Gathering {
    /// Only runs of this order are taken.
    pub order: Option<OrderName>,
    /// In which steps soaks are gone through, if they are.
    pub over: Option<Over>,
    /// The runs of the reference board that were met.
    pub reference: ReferenceRuns,
    /// The places in their orders of all runs that were taken, whichever group they belong to.
    pub turns: Turns,
    /// Folders that were meant and hold no run that can be read.
    pub left_out: BTreeSet<LeftOut>,
    /// Run folders that nobody named one by one: one of them that is damaged is left out.
    pub found: BTreeSet<PathBuf>,
    /// What is wrong with the first one that was left out so.
    pub fault: Option<RecordError>,
    /// The baseline whose runs stand on the first side.
    pub baseline: Option<FoundBaseline>,
}

/// Of the runs of the reference board, the first and the last: the memory does not grow with them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReferenceRuns {
    /// The one that began first.
    pub first: Option<Run>,
    /// The one that began last, if there are two.
    pub last: Option<Run>,
    /// Runs of another board than the first one met; they are left out.
    pub others: usize,
}

impl Gathering {
    /// Reads a run; `None` where it belongs to no group.
    ///
    /// # Errors
    /// As [`read_run`].
    pub fn take(&mut self, folder: &Path) -> Result<Option<Run>, RecordError> {
        let Some(run) = self.unless_damaged(folder, read_run(folder, self.over))? else { return Ok(None) };
        if !self.is_wanted(&run) {
            return Ok(None);
        }
        if let Some(turn) = &run.turn {
            let order = self.turns.entry(turn.order.clone()).or_default();
            order.of = turn.of;
            order.here.insert(turn.number);
        }
        if is_reference(&run) {
            self.reference.take(run);
            return Ok(None);
        }
        Ok(Some(run))
    }

    /// Reads stretches of a run, one for each that is asked for; none where it belongs to no group. Runs of the reference board
    /// are set aside whole: what moved between them is no soak's doing.
    ///
    /// # Errors
    /// As [`read_run`].
    pub fn take_stretches(&mut self, folder: &Path, stretches: &[Stretch]) -> Result<Vec<Run>, RecordError> {
        let read = read_stretches(folder, stretches);
        let Some(mut runs) = self.unless_damaged(folder, read)? else { return Ok(Vec::new()) };
        runs.retain(|run| self.is_wanted(run));
        if runs.iter().any(is_reference) {
            self.reference.take(read_run(folder, None)?);
            runs.clear();
        }
        Ok(runs)
    }

    /// Whether some order of the runs that were taken has more runs than these.
    #[must_use]
    pub fn lacks_runs(&self) -> bool {
        self.turns.values().any(|order| order.here.len() < order.of as usize)
    }

    /// Looks at a run that stands beside those that were taken, by the head of its journal: it may be what their order lacks, and of
    /// a revision that nobody compares.
    pub fn look_beside(&mut self, folder: &Path) {
        let Some(facts) = read_facts(folder) else { return };
        let Some(turn) = facts.turn.filter(|turn| !turn.is_reference) else { return };
        if let Some(order) = self.turns.get_mut(&turn.order) {
            order.beside.insert(turn.number, facts.board.revision);
        }
    }

    /// What was read; `None` where the record is damaged and nobody named it: that is told, and the others stand.
    fn unless_damaged<T>(
        &mut self,
        folder: &Path,
        read: Result<T, RecordError>,
    ) -> Result<Option<T>, RecordError> {
        match read {
            Err(fault) if fault.is_damage() && self.found.contains(folder) => {
                self.left_out.insert(LeftOut { folder: folder.to_owned(), why: fault.to_string() });
                self.fault.get_or_insert(fault);
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    fn is_wanted(&self, run: &Run) -> bool {
        self.order.is_none() || run.turn.as_ref().map(|turn| &turn.order) == self.order.as_ref()
    }
}

fn is_reference(run: &Run) -> bool {
    run.turn.as_ref().is_some_and(|turn| turn.is_reference)
}

impl ReferenceRuns {
    fn take(&mut self, run: Run) {
        let Some(first) = &mut self.first else {
            self.first = Some(run);
            return;
        };
        if first.board != run.board {
            self.others += 1;
            return;
        }
        let later = if run.started < first.started { std::mem::replace(first, run) } else { run };
        if self.last.as_ref().is_none_or(|last| last.started < later.started) {
            self.last = Some(later);
        }
    }
}
