//! Over-voltage and over-current protection, under `SOURce` and under `OUTPut`.

use scpi::error::Result;

use super::{OCP_MOST_A, P, RATINGS, apply, channel_and_value, index_of, optional_channel, refresh};
use crate::sim::panel::{Answer, Span, boolean, bound, number, number_of};
use crate::sim::world::Bench;

const OVER_A: Span = Span { min: 0.01, max: OCP_MOST_A, default: OCP_MOST_A };

pub(super) fn set_over_v(bench: &mut Bench, channel: usize, p: P) -> Result<()> {
    let index = index_of(bench, channel);
    bench.supply.channels[index].over_v = number(p, over_v_span(index))?;
    apply(bench, index);
    Ok(())
}

pub(super) fn over_v(bench: &mut Bench, channel: usize, p: P) -> Result<Answer> {
    let index = index_of(bench, channel);
    Ok(Answer::fixed(bound(p, over_v_span(index))?.unwrap_or(bench.supply.channels[index].over_v), 3))
}

pub(super) fn set_over_v_on(bench: &mut Bench, channel: usize, p: P) -> Result<()> {
    let index = index_of(bench, channel);
    bench.supply.channels[index].over_v_on = boolean(p)?;
    apply(bench, index);
    Ok(())
}

pub(super) fn over_v_on(bench: &mut Bench, channel: usize, _: P) -> Result<Answer> {
    Ok(Answer::on_off(bench.supply.channels[index_of(bench, channel)].over_v_on))
}

pub(super) fn set_over_a(bench: &mut Bench, channel: usize, p: P) -> Result<()> {
    let index = index_of(bench, channel);
    bench.supply.channels[index].over_a = number(p, OVER_A)?;
    apply(bench, index);
    Ok(())
}

pub(super) fn over_a(bench: &mut Bench, channel: usize, p: P) -> Result<Answer> {
    let index = index_of(bench, channel);
    Ok(Answer::fixed(bound(p, OVER_A)?.unwrap_or(bench.supply.channels[index].over_a), 4))
}

pub(super) fn set_over_a_on(bench: &mut Bench, channel: usize, p: P) -> Result<()> {
    let index = index_of(bench, channel);
    bench.supply.channels[index].over_a_on = boolean(p)?;
    apply(bench, index);
    Ok(())
}

pub(super) fn over_a_on(bench: &mut Bench, channel: usize, _: P) -> Result<Answer> {
    Ok(Answer::on_off(bench.supply.channels[index_of(bench, channel)].over_a_on))
}

fn yes_no(yes: bool) -> Answer {
    Answer::word(if yes { "YES" } else { "NO" })
}

pub(super) fn over_v_tripped(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    Ok(yes_no(optional_channel(bench, p)? == 0 && bench.plant.source.over_v_tripped))
}

pub(super) fn over_a_tripped(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    Ok(yes_no(optional_channel(bench, p)? == 0 && bench.plant.source.over_a_tripped))
}

pub(super) fn clear_over_v(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    refresh(bench);
    if optional_channel(bench, p)? == 0 {
        bench.plant.source.over_v_tripped = false;
    }
    Ok(())
}

pub(super) fn clear_over_a(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    refresh(bench);
    if optional_channel(bench, p)? == 0 {
        bench.plant.source.over_a_tripped = false;
    }
    Ok(())
}

pub(super) fn set_listed_over_v(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let (index, value) = channel_and_value(bench, p)?;
    bench.supply.channels[index].over_v = number_of(value, over_v_span(index))?;
    apply(bench, index);
    Ok(())
}

pub(super) fn listed_over_v(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    let index = optional_channel(bench, p)?;
    Ok(Answer::fixed(bench.supply.channels[index].over_v, 3))
}

pub(super) fn set_listed_over_v_on(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let (index, value) = channel_and_value(bench, p)?;
    bench.supply.channels[index].over_v_on = bool::try_from(value)?;
    apply(bench, index);
    Ok(())
}

pub(super) fn listed_over_v_on(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    let index = optional_channel(bench, p)?;
    Ok(Answer::on_off(bench.supply.channels[index].over_v_on))
}

pub(super) fn set_listed_over_a(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let (index, value) = channel_and_value(bench, p)?;
    bench.supply.channels[index].over_a = number_of(value, OVER_A)?;
    apply(bench, index);
    Ok(())
}

pub(super) fn listed_over_a(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    let index = optional_channel(bench, p)?;
    Ok(Answer::fixed(bench.supply.channels[index].over_a, 4))
}

pub(super) fn set_listed_over_a_on(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let (index, value) = channel_and_value(bench, p)?;
    bench.supply.channels[index].over_a_on = bool::try_from(value)?;
    apply(bench, index);
    Ok(())
}

pub(super) fn listed_over_a_on(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    let index = optional_channel(bench, p)?;
    Ok(Answer::on_off(bench.supply.channels[index].over_a_on))
}

fn over_v_span(index: usize) -> Span {
    Span { min: 0.01, max: RATINGS[index].3, default: RATINGS[index].3 }
}
