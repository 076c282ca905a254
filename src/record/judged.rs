//! Limits held against readings, between events and the disk.

use super::format::{BrokenEntry, JudgedEntry, Number, ReadingCheckEntry};
use super::pieces::setting_in;
use super::reader::Logged;
use crate::base::clock::Instant;
use crate::event::{BrokenAt, DwellId, Event, LimitBroken, PointId, ReadingCheck, ReadingsJudged, Stamp};

pub(super) fn broken_out(broken: &LimitBroken) -> BrokenEntry {
    let (point, dwell) = match broken.at {
        BrokenAt::Point(point) => (Some(point.0), None),
        BrokenAt::Dwell(dwell) => (None, Some(dwell.0)),
    };
    BrokenEntry { limit: out(broken.limit), point, dwell, what: broken.what.clone() }
}

pub(super) fn broken_in(entry: BrokenEntry) -> Result<LimitBroken, String> {
    let at = match (entry.point, entry.dwell) {
        (Some(point), None) => BrokenAt::Point(PointId(point)),
        (None, Some(dwell)) => BrokenAt::Dwell(DwellId(dwell)),
        _ => return Err("a limit is broken either at a point or in a dwell".to_owned()),
    };
    Ok(LimitBroken { limit: entry.limit as usize, at, what: entry.what })
}

pub(super) fn judged_out(judged: &ReadingsJudged) -> JudgedEntry {
    let check = |check: &ReadingCheck| ReadingCheckEntry {
        limit: out(check.limit),
        judged: check.judged,
        marginal: check.marginal,
        failed: check.failed,
        worst: Number(check.worst),
        first_ns: check.first.map(|at| at.0),
    };
    JudgedEntry {
        dwell: judged.dwell.0,
        vin_set_v: Number(judged.setting.vin.value()),
        load_set_a: Number(judged.setting.load.value()),
        checks: judged.checks.iter().map(check).collect(),
    }
}

pub(super) fn judged_in(entry: JudgedEntry) -> ReadingsJudged {
    let check = |check: ReadingCheckEntry| ReadingCheck {
        limit: check.limit as usize,
        judged: check.judged,
        marginal: check.marginal,
        failed: check.failed,
        worst: check.worst.0,
        first: check.first_ns.map(Instant),
    };
    ReadingsJudged {
        dwell: DwellId(entry.dwell),
        setting: setting_in(entry.vin_set_v, entry.load_set_a),
        checks: entry.checks.into_iter().map(check).collect(),
    }
}

/// What came of the limits in a dwell so far, as its readings tell it: it stands where the dwell was cut off before it told the
/// same itself.
#[derive(Debug, Default)]
pub(super) struct Untold(Option<(Stamp, ReadingsJudged)>);

impl Untold {
    /// Takes what stands with readings, all since the dwell was begun or gone on with; what is left of another dwell.
    pub(super) fn take(&mut self, at: Stamp, judged: Option<ReadingsJudged>) -> Option<Logged> {
        let judged = judged?;
        let is_other = |known: &mut (Stamp, ReadingsJudged)| known.1.dwell != judged.dwell;
        let left = self.0.take_if(is_other);
        self.0 = Some((at, judged));
        left.map(logged)
    }

    /// What stands before an event: nothing where the dwell tells it itself, and all of it where the run was gone on with.
    pub(super) fn before(&mut self, event: &Event) -> Option<Logged> {
        match event {
            Event::ReadingsJudged(told) => {
                self.0.take().filter(|(_, known)| known.dwell != told.dwell).map(logged)
            }
            Event::RunResumed(_) => self.end(),
            _ => None,
        }
    }

    /// What is left behind the last line.
    pub(super) fn end(&mut self) -> Option<Logged> {
        self.0.take().map(logged)
    }
}

fn logged((at, judged): (Stamp, ReadingsJudged)) -> Logged {
    Logged { at, event: Event::ReadingsJudged(judged) }
}

fn out(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::{Resumed, Setting};

    fn judged(dwell: u32, count: u64) -> ReadingsJudged {
        let check = ReadingCheck { limit: 0, judged: count, marginal: 0, failed: 0, worst: 5.0, first: None };
        let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
        ReadingsJudged { checks: vec![check], ..ReadingsJudged::new(DwellId(dwell), setting) }
    }

    /// What is told of dwells beside what they tell themselves: which, and how many readings.
    fn untold(lines: &[Result<Option<ReadingsJudged>, Event>]) -> Vec<(u32, u64)> {
        let mut untold = Untold::default();
        let mut told = Vec::new();
        for (line, ns) in lines.iter().zip(1..) {
            let at = Stamp { utc: jiff::Timestamp::UNIX_EPOCH, monotonic: Instant(ns) };
            told.extend(match line {
                Ok(batch) => untold.take(at, batch.clone()),
                Err(event) => untold.before(event),
            });
        }
        told.extend(untold.end());
        let of = |logged: Logged| match logged.event {
            Event::ReadingsJudged(judged) => (judged.dwell.0, judged.judged()),
            other => panic!("{other:?}"),
        };
        told.into_iter().map(of).collect()
    }

    #[test]
    fn a_dwell_is_told_once_by_itself_or_by_its_last_readings() {
        let batch = |dwell, count| Ok(Some(judged(dwell, count)));
        let itself = |dwell, count| Err(Event::ReadingsJudged(judged(dwell, count)));
        let resumed = || {
            Err(Event::RunResumed(Resumed {
                gap: None,
                points_finished: 0,
                what: "it was cut off".to_owned(),
            }))
        };
        // Told by itself, in one part or in two; readings that nothing was held against change nothing.
        assert_eq!(untold(&[batch(1, 58), Ok(None), batch(1, 70), itself(1, 70)]), []);
        assert_eq!(untold(&[batch(1, 58), itself(1, 58), batch(1, 20), itself(1, 20)]), []);
        // Cut off, and gone on with; cut off again.
        assert_eq!(untold(&[batch(1, 58), batch(1, 118), Ok(None)]), [(1, 118)]);
        assert_eq!(untold(&[batch(1, 58), batch(1, 118), resumed(), batch(1, 20)]), [(1, 118), (1, 20)]);
        assert_eq!(untold(&[batch(1, 58), resumed(), batch(1, 20), itself(1, 20)]), [(1, 58)]);
        // The record of a dwell failed, and what came next was kept.
        assert_eq!(untold(&[batch(1, 58), batch(2, 20), itself(2, 20)]), [(1, 58)]);
        assert_eq!(untold(&[batch(1, 58), itself(2, 20)]), [(1, 58)]);
    }
}
