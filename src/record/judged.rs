//! Limits held against readings, between events and the disk.

use super::format::{BrokenEntry, JudgedEntry, Number, ReadingCheckEntry};
use super::pieces::setting_in;
use crate::base::clock::Instant;
use crate::event::{BrokenAt, DwellId, LimitBroken, PointId, ReadingCheck, ReadingsJudged};

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

fn out(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}
