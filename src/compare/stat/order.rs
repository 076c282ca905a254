//! Drift apart from effect: a straight line over the run order beside the difference of the revisions, by least squares.
//!
//! score = level + effect * (after) + drift * (position - mean position), and a level of its own for every board where boards
//! were measured both ways (analysis of covariance; Montgomery, Design and Analysis of Experiments, 15.3). The better the orders
//! are mixed (interleaved, ABBA) the less it costs; with all of one revision first, effect and drift look alike, and the interval
//! says so.

use super::{Estimate, NoAnswer, check_confidence, overflow};
use crate::base::distribution::{t_tails, two_sided_t};
use crate::base::stats::mean;

/// The score of one run of one board.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoardRun {
    /// Which board, by any number that is its own. Boards of two revisions never share one.
    pub board: u32,
    /// Whether the run belongs to the side after.
    pub is_after: bool,
    /// Its place in the order, or the hours at which it began.
    pub position: f64,
    /// Its score.
    pub score: f64,
}

/// What is independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// Different boards before and after: runs of one board are averaged first, scores and positions.
    Boards,
    /// The same boards both ways: each board has a level of its own.
    WithinBoards,
}

/// The effect with the drift taken off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderEffect {
    /// The change from before to after at the same place in the order.
    pub effect: Estimate,
    /// Two-sided p of no effect.
    pub p: f64,
    /// Change of the score from one position to the next.
    pub drift: Estimate,
    /// Two-sided p of no drift.
    pub drift_p: f64,
    /// Degrees of freedom of both.
    pub freedom: f64,
    /// By what factor the drift widens the variance of the effect: 1 where the order is balanced, large where the revisions were
    /// run one after the other.
    pub inflation: f64,
}

/// Effect and drift of runs in their order.
///
/// # Errors
/// Too few boards, boards on the wrong sides, or an order that says nothing of both.
pub fn order_effect(
    runs: &[BoardRun],
    replication: Replication,
    confidence: f64,
) -> Result<OrderEffect, NoAnswer> {
    check_confidence(confidence)?;
    let (rows, freedom) = rows_of(runs, replication)?;
    fit(&rows, freedom, confidence)
}

/// Whether there are runs enough, on the right sides, to judge effect and drift by; needs no scores.
///
/// # Errors
/// Too few boards, or boards on the wrong sides.
pub fn check_order(runs: &[BoardRun], replication: Replication) -> Result<(), NoAnswer> {
    rows_of(runs, replication).map(|_| ())
}

/// The lines of the model with the degrees of freedom that are left.
fn rows_of(runs: &[BoardRun], replication: Replication) -> Result<(Vec<Row>, f64), NoAnswer> {
    if runs.iter().any(|run| !run.score.is_finite() || !run.position.is_finite()) {
        return Err(NoAnswer::because("a score or a position is no finite number"));
    }
    let (rows, levels) = match replication {
        Replication::Boards => averaged(runs)?,
        Replication::WithinBoards => within(runs)?,
    };
    let freedom = rows.len() as f64 - levels as f64 - 2.0;
    if freedom < 1.0 {
        return Err(NoAnswer::because(
            "effect and drift together leave nothing to judge them by: this needs more boards",
        ));
    }
    Ok((rows, freedom))
}

/// Whether the mean place before is that after on every board, so that a drift that is even falls out of the effect by itself and
/// cannot be told.
#[must_use]
pub fn is_balanced_within(runs: &[BoardRun]) -> bool {
    by_board(runs).iter().all(|group| {
        let of = |is_after: bool| {
            let own = group.iter().filter(|run| run.is_after == is_after);
            mean(&own.map(|run| run.position).collect::<Vec<f64>>())
        };
        of(false).zip(of(true)).is_some_and(|(before, after)| (before - after).abs() < 1e-9)
    })
}

/// By what factor the order widens the variance of the effect; `None` where the order and the sides are the same thing, or there
/// is nothing on one side. Needs no scores, and so few boards that nothing else can be said.
#[must_use]
pub fn order_inflation(runs: &[BoardRun], replication: Replication) -> Option<f64> {
    let (rows, _) = match replication {
        Replication::Boards => centered(runs).ok()?,
        Replication::WithinBoards => centered_within(runs).ok()?,
    };
    let product = |a: usize, b: usize| rows.iter().map(|row| row[a] * row[b]).sum::<f64>();
    let (side, order, both) = (product(0, 0), product(1, 1), product(0, 1));
    if side <= 0.0 {
        return None;
    }
    // All at the same place: no drift that is even over the order can look like the effect.
    let apart = if order <= 0.0 { 1.0 } else { 1.0 - both / side * (both / order) };
    (apart >= 1e-9).then_some(1.0 / apart)
}

/// One line of the model with its level taken off: side, position, score.
type Row = [f64; 3];

fn line(run: &BoardRun) -> Row {
    [f64::from(u8::from(run.is_after)), run.position, run.score]
}

fn averaged(runs: &[BoardRun]) -> Result<(Vec<Row>, usize), NoAnswer> {
    let (rows, levels) = centered(runs)?;
    // What is left of a side is its distance from the mean of all, so that the sign tells it.
    for (is_there, name) in [(false, "before"), (true, "after")] {
        let there = rows.iter().filter(|row| (row[0] > 0.0) == is_there).count();
        if there < 2 {
            return Err(NoAnswer::because(format!("this needs at least 2 boards {name}, there are {there}")));
        }
    }
    Ok((rows, levels))
}

fn centered(runs: &[BoardRun]) -> Result<(Vec<Row>, usize), NoAnswer> {
    let mut boards: Vec<Vec<Row>> = Vec::new();
    for group in by_board(runs) {
        if group.iter().any(|run| run.is_after != group[0].is_after) {
            return Err(NoAnswer::because(
                "a board stands on both sides: compare within boards, or leave it out",
            ));
        }
        boards.push(group.iter().map(line).collect());
    }
    let rows = boards.iter().map(|rows| center(rows)).collect::<Option<Vec<Row>>>().ok_or_else(overflow)?;
    let center = center(&rows).ok_or_else(overflow)?;
    Ok((rows.iter().map(|row| less(row, &center)).collect(), 1))
}

fn within(runs: &[BoardRun]) -> Result<(Vec<Row>, usize), NoAnswer> {
    let groups = by_board(runs);
    let both =
        groups.iter().filter(|group| group.iter().any(|run| run.is_after != group[0].is_after)).count();
    if both < 2 {
        return Err(NoAnswer::because(format!(
            "this needs at least 2 boards that were measured both ways, there are {both}"
        )));
    }
    centered_within(runs)
}

fn centered_within(runs: &[BoardRun]) -> Result<(Vec<Row>, usize), NoAnswer> {
    let mut rows = Vec::new();
    let groups = by_board(runs);
    for group in &groups {
        let lines: Vec<Row> = group.iter().map(line).collect();
        let center = center(&lines).ok_or_else(overflow)?;
        rows.extend(lines.iter().map(|row| less(row, &center)));
    }
    Ok((rows, groups.len()))
}

fn by_board(runs: &[BoardRun]) -> Vec<Vec<BoardRun>> {
    let mut groups: std::collections::BTreeMap<u32, Vec<BoardRun>> = std::collections::BTreeMap::new();
    for run in runs {
        groups.entry(run.board).or_default().push(*run);
    }
    groups.into_values().collect()
}

fn center(rows: &[Row]) -> Option<Row> {
    let of = |column: usize| mean(&rows.iter().map(|row| row[column]).collect::<Vec<_>>());
    Some([of(0)?, of(1)?, of(2)?])
}

fn less(row: &Row, center: &Row) -> Row {
    [row[0] - center[0], row[1] - center[1], row[2] - center[2]]
}

fn fit(rows: &[Row], freedom: f64, confidence: f64) -> Result<OrderEffect, NoAnswer> {
    let product = |a: usize, b: usize| rows.iter().map(|row| row[a] * row[b]).sum::<f64>();
    let (side, order, both) = (product(0, 0), product(1, 1), product(0, 1));
    if order <= 0.0 {
        return Err(NoAnswer::because(
            "all runs stand at the same place in the order: there is no drift to be seen",
        ));
    }
    // What is left of the side once the order is known, as a part.
    let apart = 1.0 - both / side * (both / order);
    if apart.is_nan() || apart < 1e-9 {
        return Err(NoAnswer::because(
            "the order and the sides are the same thing: drift and effect cannot be told apart",
        ));
    }
    let effect = (product(0, 2) - both / order * product(1, 2)) / (side * apart);
    let drift = (product(1, 2) - both / side * product(0, 2)) / (order * apart);
    let rest: f64 = rows.iter().map(|row| (row[2] - effect * row[0] - drift * row[1]).powi(2)).sum();
    let all = product(2, 2);
    if rest <= 1e-24 * all || all == 0.0 {
        return Err(NoAnswer::because(
            "the scores lie on the model exactly, so nothing tells how far it may be off",
        ));
    }
    let variance = rest / freedom;
    let factor = two_sided_t(confidence, freedom).ok_or_else(overflow)?;
    let told = |value: f64, sum: f64| {
        let error = (variance / (sum * apart)).sqrt();
        let (below, above) = t_tails(value / error, freedom)?;
        let estimate = Estimate::around(value, factor * error, confidence);
        (estimate.low.is_finite() && estimate.high.is_finite()).then_some((estimate, 2.0 * below.min(above)))
    };
    let (effect, p) = told(effect, side).ok_or_else(overflow)?;
    let (drift, drift_p) = told(drift, order).ok_or_else(overflow)?;
    Ok(OrderEffect {
        effect,
        p: p.min(1.0),
        drift,
        drift_p: drift_p.min(1.0),
        freedom,
        inflation: 1.0 / apart,
    })
}
