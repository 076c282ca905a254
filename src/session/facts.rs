//! What a run says of itself before it begins.

use super::opening::Opened;
use crate::event::{RunFacts, SoakFacts};
use crate::plan::{Plan, SoakPlan, render};
use crate::waveform::DEFINITIONS;

pub(super) fn build_facts(plan: &Plan, rig: &str, opened: &Opened, seed: Option<u64>) -> RunFacts {
    RunFacts {
        software: concat!("soakrig ", env!("CARGO_PKG_VERSION")).to_owned(),
        profile: plan.profile.clone(),
        purpose: plan.purpose.clone(),
        rig: rig.to_owned(),
        simulated: opened.world.is_some(),
        board: plan.board.clone(),
        operator: plan.operator.clone(),
        note: plan.note.clone(),
        points_planned: u32::try_from(plan.points.len()).unwrap_or(u32::MAX),
        seed,
        plan_digest: plan.digest.clone(),
        rig_digest: plan.rig_digest.clone(),
        profile_digest: plan.profile_digest.clone(),
        limits: plan.limits.clone(),
        vout_nominal: plan.vout_nominal,
        definitions: DEFINITIONS.iter().map(|made| (made.name.to_owned(), made.version)).collect(),
        settle_rule: render::settle_sentence(&plan.settle),
        soak: plan.soak.as_ref().map(soak_facts),
        turn: plan.turn.clone(),
    }
}

fn soak_facts(soak: &SoakPlan) -> SoakFacts {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    SoakFacts {
        interval: soak.interval,
        phases: soak.phases.clone(),
        dwells_last: soak.lasts(),
        dwells: count(soak.dwells.len()),
        starts: count(soak.starts.len()),
    }
}
