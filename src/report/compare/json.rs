//! Comparisons as JSON.

use super::schema::{
    BaselineRow, BoardRow, CapabilityRow, ChangeRow, ComparisonDocument, DifferenceRow, GroupsRow, GrowthRow,
    LeftOutRow, LimitRow, NextBoardsRow, NotConcludedRow, PointRow, StepRow, VERSION,
};
use super::{next, words};
use crate::compare::cell::Place;
use crate::compare::comparison::{Comparison, Gate, Request};
use crate::compare::course::{Growth, StepEffects};
use crate::compare::effect::{CONFIDENCE, Effect, Pairing, Sense};
use crate::compare::floors::NoFloor;
use crate::compare::gate::Judgement;
use crate::compare::next::{End, LimitCapability, Side, Tolerance, tolerance};
use crate::compare::quantity::Quantity;
use crate::compare::run_order::Kept;
use crate::compare::scores::BoardScore;
use crate::compare::stat::Exactness;
use crate::waveform::Bound;

/// The text of `--json`.
///
/// # Errors
/// It has no form as JSON, which is a fault of this program.
pub fn render(made: &[Comparison], request: &Request) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&document(made, request))
}

fn document(made: &[Comparison], request: &Request) -> ComparisonDocument {
    let mut document = ComparisonDocument {
        format: VERSION,
        forced: request.is_forced,
        confidence: CONFIDENCE,
        groups: Vec::new(),
        baseline: request.baseline.as_ref().map(|found| BaselineRow {
            name: found.name.clone(),
            revisions: found.revisions.clone(),
            kept: found.kept.map(|kept| kept.to_string()),
            runs: found.runs.len(),
            by_revision: found.is_by_revision,
            older: found.older.clone(),
        }),
        left_out: (request.left_out.iter().take(words::NAMED))
            .map(|left| LeftOutRow { folder: left.folder.display().to_string(), why: left.why.clone() })
            .collect(),
        left_out_count: request.left_out.len(),
        differences: Vec::new(),
        changes: Vec::new(),
        points: Vec::new(),
        boards: Vec::new(),
        steps: Vec::new(),
        growth: Vec::new(),
        limits: Vec::new(),
        next_boards: Vec::new(),
        capabilities: Vec::new(),
        not_concluded: Vec::new(),
    };
    for comparison in made {
        let name = &comparison.after.name;
        document.groups.push(groups(comparison));
        document.differences.extend(comparison.guard.differences.iter().map(|difference| DifferenceRow {
            after_group: name.clone(),
            what: difference.title(),
            weight: difference.weight.word(),
            before: difference.before.clone(),
            after: difference.after.clone(),
            why: difference.kind.why(),
        }));
        for effect in &comparison.effects {
            document.changes.push(change(name, effect));
            document.points.extend(points(name, effect));
            document.boards.extend(boards(name, effect));
            document.next_boards.extend(next_boards(comparison, effect));
        }
        if let Some(course) = &comparison.course {
            document.steps.extend(course.steps.iter().flat_map(|step| steps(name, step)));
            document.growth.extend(course.growth.iter().map(|growth| grown(name, growth)));
        }
        document.capabilities.extend(comparison.capabilities.iter().map(|row| capability(name, row)));
        let missing = next::not_concluded(comparison).into_iter();
        document.not_concluded.extend(missing.map(|missing| NotConcludedRow {
            after_group: name.clone(),
            figure: missing.quantity.map(Quantity::key),
            what: missing.told,
        }));
        let limits = comparison.gates.iter().map(|gate| limit(name, gate, request.is_strict));
        document.limits.extend(limits);
    }
    document
}

fn groups(comparison: &Comparison) -> GroupsRow {
    let names = |serials: &[crate::base::names::Serial]| serials.iter().map(ToString::to_string).collect();
    GroupsRow {
        before: comparison.before.name.clone(),
        after: comparison.after.name.clone(),
        boards_before: names(&comparison.before.boards),
        boards_after: names(&comparison.after.boards),
        boards_on_both_sides: names(&comparison.shared),
        runs_before: comparison.before.runs,
        runs_after: comparison.after.runs,
        captures_before: comparison.before.captures.count,
        captures_before_wide: comparison.before.captures.wide,
        captures_before_clipped: comparison.before.captures.clipped,
        captures_after: comparison.after.captures.count,
        captures_after_wide: comparison.after.captures.wide,
        captures_after_clipped: comparison.after.captures.clipped,
        pairing: match comparison.pairing {
            Pairing::None => "none",
            Pairing::Board => "board",
        },
        comparability: comparison.guard.comparability.word(),
        compared: comparison.is_made(),
        within_runs: comparison.is_within_runs(),
        order: match &comparison.order.kept {
            Kept::None | Kept::WithinRuns => None,
            Kept::As(name, _) | Kept::Otherwise(name, _) => Some(name.to_string()),
        },
        order_kept: matches!(comparison.order.kept, Kept::As(..)),
        order_left_out: match &comparison.order.kept {
            Kept::As(_, not_here) => not_here.left_out.keys().map(ToString::to_string).collect(),
            _ => Vec::new(),
        },
        places_before: comparison.order.before.clone(),
        places_after: comparison.order.after.clone(),
        order_inflation: comparison.order.inflation,
    }
}

fn change(name: &str, effect: &Effect) -> ChangeRow {
    let (quantity, certainty) = (effect.quantity(), &effect.certainty);
    let interval = certainty.interval.as_ref().ok();
    let mean = certainty.mean.as_ref().ok();
    let rank = certainty.rank.as_ref().ok();
    let resampled = certainty.resampled.as_ref().ok();
    let (spread, bounded) = (effect.spread(), effect.bounded.as_ref());
    let order = effect.order.as_ref().ok();
    ChangeRow {
        after_group: name.to_owned(),
        figure: quantity.key(),
        title: quantity.title(),
        unit: quantity.unit_of_change(),
        change: effect.change,
        low: interval.map(|ends| ends.low),
        high: interval.map(|ends| ends.high),
        no_interval: certainty.interval.as_ref().err().cloned(),
        sense: effect.sense().word(),
        df: mean.map(|mean| mean.freedom),
        p: mean.map(|mean| mean.p),
        permuted_p: certainty.permuted_p.as_ref().ok().copied(),
        rank_p: certainty.rank_p.as_ref().ok().copied(),
        least_rank_p: certainty.least_rank_p,
        rank_exact: certainty.rank_exactness.map(|told| told == Exactness::Exact),
        rank_change: rank.map(|shift| shift.estimate.value),
        rank_low: rank.map(|shift| shift.estimate.low),
        rank_high: rank.map(|shift| shift.estimate.high),
        rank_confidence: rank.map(|shift| shift.estimate.confidence),
        resampled_low: resampled.map(|drawn| drawn.estimate.low),
        resampled_high: resampled.map(|drawn| drawn.estimate.high),
        resampled_method: resampled.map(|drawn| drawn.settings.kind.word()),
        resampled_draws: resampled.map(|drawn| drawn.settings.resamples),
        resampled_seed: resampled.map(|drawn| drawn.settings.seed),
        resampled_warning: resampled.and_then(|drawn| drawn.warning.clone()),
        resolved: effect.certainty.is_resolved,
        resolution: Some(effect.resolution).filter(|told| !told.is_rounding()).map(|told| told.step),
        smallest: effect.smallest,
        within_smallest_p: effect.equivalence().map(|told| told.p),
        boards_needed: certainty.needed.as_ref().ok().map(|needed| needed.boards),
        boards_needed_for: certainty.needed.as_ref().ok().map(|needed| needed.change),
        boards_before: effect.matched.before.len(),
        boards_after: effect.matched.after.len(),
        points: effect.matched.places.len(),
        points_bounded: effect.matched.bounded.len(),
        points_open: effect.matched.open.len(),
        points_missing: effect.matched.missing.len(),
        least_at_a_point: spread.map(|spread| spread.low),
        most_at_a_point: spread.map(|spread| spread.high),
        level_before: effect.levels.map(|(before, _)| quantity.unscaled(before)),
        level_after: effect.levels.map(|(_, after)| quantity.unscaled(after)),
        floor_before_low: effect.floors.0.map(|floor| floor.low),
        floor_before_high: effect.floors.0.map(|floor| floor.high),
        floor_after_low: effect.floors.1.map(|floor| floor.low),
        floor_after_high: effect.floors.1.map(|floor| floor.high),
        no_floor: effect.no_floor.map(NoFloor::why),
        bounded_change: bounded.map(|bounded| bounded.change),
        bounded_side: bounded.map(|bounded| side(bounded.bound)),
        bounded_sure: bounded.and_then(|bounded| bounded.sure.as_ref().ok().copied()),
        told_by_bounds: effect.is_told_by_bounds(),
        without_drift: order.map(|order| order.effect.value),
        without_drift_low: order.map(|order| order.effect.low),
        without_drift_high: order.map(|order| order.effect.high),
        drift_per_run: order.map(|order| order.drift.value),
        drift_low: order.map(|order| order.drift.low),
        drift_high: order.map(|order| order.drift.high),
        drift_p: order.map(|order| order.drift_p),
        no_drift: effect.order.as_ref().err().cloned(),
        reference_change: effect.reference.ok().map(|reference| reference.change),
        no_reference_change: effect.reference.err(),
    }
}

const fn side(bound: Bound) -> &'static str {
    match bound {
        Bound::Upper => "at most",
        Bound::Lower => "at least",
    }
}

fn points(name: &str, effect: &Effect) -> Vec<PointRow> {
    let row = |place: Place, change: f64| PointRow {
        after_group: name.to_owned(),
        figure: effect.quantity().key(),
        vin_v: place.vin().map(|vin| vin.value()),
        load_a: place.load().map(|load| load.value()),
        change,
        low: None,
        high: None,
        p: None,
        holm_p: None,
        screened_p: None,
        bound: None,
    };
    let values = effect.points.iter().map(|point| PointRow {
        low: point.interval.map(|ends| ends.low),
        high: point.interval.map(|ends| ends.high),
        p: point.p,
        holm_p: point.holm_p,
        screened_p: point.screened_p,
        ..row(point.place, point.change)
    });
    let bounds = effect.matched.bounded.iter();
    let bounds = bounds
        .map(|bounded| PointRow { bound: Some(side(bounded.bound)), ..row(bounded.place, bounded.change) });
    values.chain(bounds).collect()
}

fn boards(name: &str, effect: &Effect) -> Vec<BoardRow> {
    let row = |side: &'static str, board: &BoardScore| BoardRow {
        after_group: name.to_owned(),
        figure: effect.quantity().key(),
        side,
        board: board.serial.to_string(),
        score: board.score,
    };
    let matched = &effect.matched;
    if matched.places.is_empty() {
        return Vec::new();
    }
    let before = matched.before.iter().map(|board| row("before", board));
    before.chain(matched.after.iter().map(|board| row("after", board))).collect()
}

fn steps<'c>(name: &'c str, step: &'c StepEffects) -> impl Iterator<Item = StepRow> + 'c {
    step.effects.iter().map(move |effect| {
        let quantity = effect.quantity();
        StepRow {
            after_group: name.to_owned(),
            figure: quantity.key(),
            step: step.title.clone(),
            unit: quantity.unit_of_change(),
            level_before: effect.levels.map(|(before, _)| quantity.unscaled(before)),
            level_after: effect.levels.map(|(_, after)| quantity.unscaled(after)),
            change: effect.change,
            low: effect.interval().map(|ends| ends.low),
            high: effect.interval().map(|ends| ends.high),
            no_interval: effect.certainty.interval.as_ref().err().cloned(),
            sense: effect.sense().word(),
            boards_before: step.boards.0,
            boards_after: step.boards.1,
        }
    })
}

fn grown(name: &str, growth: &Growth) -> GrowthRow {
    let effect = growth.effect.as_ref().ok();
    let interval = effect.and_then(Effect::interval);
    let why = |effect: &Effect| effect.certainty.interval.as_ref().err().cloned();
    GrowthRow {
        after_group: name.to_owned(),
        figure: growth.quantity.key(),
        unit: growth.quantity.unit_of_change(),
        growth: effect.and_then(|effect| effect.change),
        low: interval.map(|ends| ends.low),
        high: interval.map(|ends| ends.high),
        before_moved: effect.and_then(|effect| Some(effect.levels?.0)),
        after_moved: effect.and_then(|effect| Some(effect.levels?.1)),
        sense: effect.map_or(Sense::NotKnown, Effect::sense).word(),
        not_known: growth.effect.as_ref().map_or_else(|why| Some(why.clone()), why),
    }
}

fn next_boards(comparison: &Comparison, effect: &Effect) -> Vec<NextBoardsRow> {
    let quantity = effect.quantity();
    let row = |word: &'static str, side: Side| {
        let (boards, tolerance) = tolerance(&effect.matched, effect.resolution, side);
        let (low, high) = match tolerance.ok()? {
            Tolerance::AtMost(high) => (None, Some(high)),
            Tolerance::AtLeast(low) => (Some(low), None),
            Tolerance::Between(ends) => (Some(ends.low), Some(ends.high)),
        };
        Some(NextBoardsRow {
            after_group: comparison.after.name.clone(),
            figure: quantity.key(),
            side: word,
            boards,
            low: low.map(|low| quantity.unscaled(low)),
            high: high.map(|high| quantity.unscaled(high)),
        })
    };
    if effect.levels.is_none() {
        return Vec::new();
    }
    let rows = [row("before", Side::Before), row("after", Side::After)];
    rows.into_iter().flatten().collect()
}

fn capability(name: &str, row: &LimitCapability) -> CapabilityRow {
    let cpk = row.cpk.as_ref();
    CapabilityRow {
        after_group: name.to_owned(),
        group: row.group.clone(),
        limit: row.limit.clone(),
        figure: row.quantity.key(),
        end: match row.end {
            End::Min => "min",
            End::Max => "max",
        },
        value: row.value,
        boards: row.boards,
        points: row.points,
        cpk: next::cpk_number(row),
        cpk_low: cpk.ok().map(|told| told.cpk.low),
        cpk_high: cpk.ok().map(|told| told.cpk.high),
        no_cpk: cpk.err().cloned(),
    }
}

fn limit(name: &str, gate: &Gate, is_strict: bool) -> LimitRow {
    LimitRow {
        after_group: name.to_owned(),
        figure: gate.allowance.quantity.key(),
        kind: if gate.is_sameness { "same_within" } else { "worse_than" },
        most: gate.allowance.most,
        unit: gate.allowance.quantity.unit_of_change(),
        judgement: gate.judgement.word(),
        why: match &gate.judgement {
            Judgement::Impossible(why) => Some(why.clone()),
            _ => None,
        },
        fails: gate.is_broken(is_strict),
    }
}
