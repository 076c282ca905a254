//! Between the pieces of an event and their mirror on the disk.

use std::collections::BTreeMap;

use crate::base::names::{Revision, Serial};
use crate::base::units::Volts;
use crate::event::limit::{Clause, Comparison, Operand};
use crate::event::{Board, Condition, Figures, Limit, LimitCheck, Outcome, RunFacts, Setting, Turn};
use crate::event::{NoiseFloor, PointId, PointResult};
use crate::waveform::{Acquisition, Bound, Coupling, Figure, Unavailable};

use super::format::{
    AcquisitionEntry, BoardEntry, BoundWord, CheckEntry, ClauseEntry, ComparisonWord, CouplingWord,
    FigureEntry, LimitEntry, NoiseFloorEntry, Number, OperandWord, OutcomeEntry, PointFinished,
    RegulationEntry, RunStarted, TurnEntry,
};
use super::readings::{soak_in, soak_out};
use crate::base::units::Amps;

/// Reads a word or a name; the text that cannot be read is in the error.
pub(super) fn word<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

pub(super) fn figure_out(figure: &Figure) -> FigureEntry {
    match figure {
        Ok(value) => FigureEntry::Value(Number(*value)),
        Err(reason) => FigureEntry::Unavailable { unavailable: reason.0.clone() },
    }
}

pub(super) fn figure_in(entry: FigureEntry) -> Figure {
    match entry {
        FigureEntry::Value(Number(value)) => Ok(value),
        FigureEntry::Unavailable { unavailable } => Err(Unavailable(unavailable)),
    }
}

fn board_out(board: &Board) -> BoardEntry {
    BoardEntry { serial: board.serial.to_string(), revision: board.revision.to_string() }
}

fn board_in(entry: &BoardEntry) -> Result<Board, String> {
    Ok(Board { serial: word::<Serial>(&entry.serial)?, revision: word::<Revision>(&entry.revision)? })
}

fn limit_out(limit: &Limit) -> LimitEntry {
    let clause = |clause: &Clause| ClauseEntry {
        operand: match clause.operand {
            Operand::Vin => OperandWord::Vin,
            Operand::Load => OperandWord::Load,
        },
        comparison: match clause.comparison {
            Comparison::Below => ComparisonWord::Below,
            Comparison::AtMost => ComparisonWord::AtMost,
            Comparison::AtLeast => ComparisonWord::AtLeast,
            Comparison::Above => ComparisonWord::Above,
        },
        value: Number(clause.value),
    };
    LimitEntry {
        name: limit.name.clone(),
        figure: limit.figure.key().to_owned(),
        min: limit.min.map(Number),
        max: limit.max.map(Number),
        condition: limit.condition.0.iter().map(clause).collect(),
        marginal: Number(limit.marginal),
    }
}

fn limit_in(entry: &LimitEntry) -> Result<Limit, String> {
    let clause = |clause: &ClauseEntry| Clause {
        operand: match clause.operand {
            OperandWord::Vin => Operand::Vin,
            OperandWord::Load => Operand::Load,
        },
        comparison: match clause.comparison {
            ComparisonWord::Below => Comparison::Below,
            ComparisonWord::AtMost => Comparison::AtMost,
            ComparisonWord::AtLeast => Comparison::AtLeast,
            ComparisonWord::Above => Comparison::Above,
        },
        value: clause.value.0,
    };
    Ok(Limit {
        name: entry.name.clone(),
        figure: word(&entry.figure)?,
        min: entry.min.map(|bound| bound.0),
        max: entry.max.map(|bound| bound.0),
        condition: Condition(entry.condition.iter().map(clause).collect()),
        marginal: entry.marginal.0,
    })
}

pub(super) fn facts_out(facts: &RunFacts) -> RunStarted {
    RunStarted {
        software: facts.software.clone(),
        profile: facts.profile.to_string(),
        purpose: facts.purpose.clone(),
        rig: facts.rig.clone(),
        simulated: facts.simulated,
        board: board_out(&facts.board),
        operator: facts.operator.clone(),
        note: facts.note.clone(),
        points_planned: facts.points_planned,
        seed: facts.seed,
        plan_digest: facts.plan_digest.clone(),
        rig_digest: facts.rig_digest.clone(),
        profile_digest: facts.profile_digest.clone(),
        limits: facts.limits.iter().map(limit_out).collect(),
        vout_nominal_v: Number(facts.vout_nominal.value()),
        settle_rule: facts.settle_rule.clone(),
        definitions: facts.definitions.clone(),
        soak: facts.soak.as_ref().map(soak_out),
        turn: facts.turn.as_ref().map(|turn| TurnEntry {
            order: turn.order.to_string(),
            number: turn.number,
            of: turn.of,
            reference: turn.is_reference,
            board: turn.board.as_ref().map(board_out),
        }),
    }
}

fn turn_in(entry: &TurnEntry) -> Result<Turn, String> {
    let TurnEntry { order, number, of, reference, board } = entry;
    let board = board.as_ref().map(board_in).transpose()?;
    Turn::checked(word(order)?, (*number, *of), *reference, board)
        .ok_or_else(|| format!("{number} of {of} is no place in an order of runs"))
}

pub(super) fn facts_in(entry: RunStarted) -> Result<RunFacts, String> {
    Ok(RunFacts {
        software: entry.software,
        profile: word(&entry.profile)?,
        purpose: entry.purpose,
        rig: entry.rig,
        simulated: entry.simulated,
        board: board_in(&entry.board)?,
        operator: entry.operator,
        note: entry.note,
        points_planned: entry.points_planned,
        seed: entry.seed,
        plan_digest: entry.plan_digest,
        rig_digest: entry.rig_digest,
        profile_digest: entry.profile_digest,
        limits: entry.limits.iter().map(limit_in).collect::<Result<_, _>>()?,
        vout_nominal: Volts(entry.vout_nominal_v.0),
        settle_rule: entry.settle_rule,
        definitions: entry.definitions,
        soak: entry.soak.map(soak_in),
        turn: entry.turn.as_ref().map(turn_in).transpose()?,
    })
}

fn outcome_out(outcome: &Outcome) -> OutcomeEntry {
    match outcome {
        Outcome::Pass(value) => OutcomeEntry::Pass(Number(*value)),
        Outcome::Marginal(value) => OutcomeEntry::Marginal(Number(*value)),
        Outcome::Fail(value) => OutcomeEntry::Fail(Number(*value)),
        Outcome::NotApplicable => OutcomeEntry::NotApplicable,
        Outcome::NotMeasured(reason) => OutcomeEntry::NotMeasured(reason.clone()),
    }
}

fn outcome_in(entry: OutcomeEntry) -> Outcome {
    match entry {
        OutcomeEntry::Pass(value) => Outcome::Pass(value.0),
        OutcomeEntry::Marginal(value) => Outcome::Marginal(value.0),
        OutcomeEntry::Fail(value) => Outcome::Fail(value.0),
        OutcomeEntry::NotApplicable => Outcome::NotApplicable,
        OutcomeEntry::NotMeasured(reason) => Outcome::NotMeasured(reason),
    }
}

const fn bound_out(bound: Bound) -> BoundWord {
    match bound {
        Bound::Upper => BoundWord::Upper,
        Bound::Lower => BoundWord::Lower,
    }
}

const fn bound_in(word: BoundWord) -> Bound {
    match word {
        BoundWord::Upper => Bound::Upper,
        BoundWord::Lower => Bound::Lower,
    }
}

pub(super) fn point_out(result: &PointResult) -> PointFinished {
    let check = |check: &LimitCheck| CheckEntry {
        limit: u32::try_from(check.limit).unwrap_or(u32::MAX),
        outcome: outcome_out(&check.outcome),
    };
    PointFinished {
        point: result.point.0,
        repeat: result.repeat,
        phase: result.phase,
        vin_set_v: Number(result.setting.vin.value()),
        load_set_a: Number(result.setting.load.value()),
        figures: figures_out(&result.figures),
        bounds: result
            .bounds
            .iter()
            .map(|(name, bound)| (name.key().to_owned(), bound_out(*bound)))
            .collect(),
        region: result.region.to_string(),
        supply_regulation: Some(match &result.regulation {
            Ok(regulation) => RegulationEntry::Word(regulation.to_string()),
            Err(reason) => RegulationEntry::Unavailable { unavailable: reason.0.clone() },
        }),
        checks: result.checks.iter().map(check).collect(),
        verdict: result.verdict.to_string(),
        notes: result.notes.clone(),
    }
}

pub(super) fn point_in(entry: PointFinished) -> Result<PointResult, String> {
    let figures = figures_in(entry.figures)?;
    let check = |check: CheckEntry| LimitCheck {
        limit: usize::try_from(check.limit).unwrap_or(usize::MAX),
        outcome: outcome_in(check.outcome),
    };
    Ok(PointResult {
        point: PointId(entry.point),
        repeat: entry.repeat,
        phase: entry.phase,
        setting: setting_in(entry.vin_set_v, entry.load_set_a),
        figures,
        bounds: entry
            .bounds
            .iter()
            .map(|(name, bound)| Ok((word(name)?, bound_in(*bound))))
            .collect::<Result<_, String>>()?,
        region: word(&entry.region)?,
        regulation: match entry.supply_regulation {
            Some(RegulationEntry::Word(text)) => Ok(word(&text)?),
            Some(RegulationEntry::Unavailable { unavailable }) => Err(Unavailable(unavailable)),
            None => Err(Unavailable::because("the supply was not asked")),
        },
        checks: entry.checks.into_iter().map(check).collect(),
        verdict: word(&entry.verdict)?,
        notes: entry.notes,
    })
}

pub(super) fn setting_in(vin_v: Number, load_a: Number) -> Setting {
    Setting { vin: Volts(vin_v.0), load: Amps(load_a.0) }
}

fn figures_out(figures: &Figures) -> BTreeMap<String, FigureEntry> {
    figures.iter().map(|(name, figure)| (name.key().to_owned(), figure_out(figure))).collect()
}

fn figures_in(entries: BTreeMap<String, FigureEntry>) -> Result<Figures, String> {
    let mut figures = Figures::default();
    for (key, figure) in entries {
        figures.insert(word(&key)?, figure_in(figure));
    }
    Ok(figures)
}

pub(super) fn acquisition_out(about: &Acquisition) -> AcquisitionEntry {
    AcquisitionEntry {
        signal: about.signal.clone(),
        channel: about.channel,
        coupling: match about.coupling {
            Coupling::Dc => CouplingWord::Dc,
            Coupling::Ac => CouplingWord::Ac,
        },
        bandwidth_limit_hz: about.bandwidth_limit_hz.map(Number),
        probe_ratio: Number(about.probe_ratio),
        fixture: about.fixture.clone(),
        volts_per_div: Number(about.volts_per_div),
        offset_v: Number(about.offset_v),
        memory_depth: about.memory_depth as u64,
        purpose: about.purpose.clone(),
        range_note: about.range_note.clone(),
    }
}

pub(super) fn acquisition_in(entry: AcquisitionEntry) -> Acquisition {
    Acquisition {
        signal: entry.signal,
        channel: entry.channel,
        coupling: match entry.coupling {
            CouplingWord::Dc => Coupling::Dc,
            CouplingWord::Ac => Coupling::Ac,
        },
        bandwidth_limit_hz: entry.bandwidth_limit_hz.map(|corner| corner.0),
        probe_ratio: entry.probe_ratio.0,
        fixture: entry.fixture,
        volts_per_div: entry.volts_per_div.0,
        offset_v: entry.offset_v.0,
        memory_depth: usize::try_from(entry.memory_depth).unwrap_or(usize::MAX),
        purpose: entry.purpose,
        range_note: entry.range_note,
    }
}

pub(super) fn floor_out(floor: &NoiseFloor) -> NoiseFloorEntry {
    NoiseFloorEntry {
        step_s: Number(floor.step_s),
        acquisition: acquisition_out(&floor.acquisition),
        figures: figures_out(&floor.figures),
    }
}

pub(super) fn floor_in(entry: NoiseFloorEntry) -> Result<NoiseFloor, String> {
    Ok(NoiseFloor {
        acquisition: acquisition_in(entry.acquisition),
        step_s: entry.step_s.0,
        figures: figures_in(entry.figures)?,
    })
}
